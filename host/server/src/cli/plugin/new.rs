//! `bellwether plugin new`: a project for a plugin of one's own, from the templates in the binary. Nothing is downloaded.

use std::path::{Path, PathBuf};

use bellwether_domain::suggest;
use bellwether_plugin::manifest::is_plugin_name;
use bellwether_templates as templates;
use clap::Args;
use serde_json::json;

use crate::cli::failure::of_file;
use crate::cli::output::{self, DIM, GOOD, say, styled};
use crate::cli::{Context, Failure};

const EXAMPLES: &str = "\
Examples:
  bellwether plugin new my-drift --kind drift-test --lang rust
  bellwether plugin new pager --kind alert-handler --lang python --into plugins/pager";

#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct NewArgs {
    /// Its name: lower-case letters, digits and `-`
    name: String,
    /// What it is to be: drift-test, drift-detector, alert-handler, deployment-strategy, model
    #[arg(long)]
    kind: String,
    /// The language it is written in: rust, python, javascript (or typescript), c, go
    #[arg(long, visible_alias = "language", value_name = "LANGUAGE")]
    lang: String,
    /// The folder to write to, empty or not there yet [default: its name]
    #[arg(long, value_name = "FOLDER")]
    into: Option<PathBuf>,
}

pub(super) fn perform(args: &NewArgs, context: &Context) -> Result<(), Failure> {
    if !is_plugin_name(&args.name) {
        return Err(Failure::Usage(format!(
            "`{}` is not a name; use 1 to 64 lower-case letters, digits and `-`, beginning with a letter",
            args.name
        )));
    }
    let languages = templates::languages();
    // Written in TypeScript, which takes JavaScript for what it is.
    let lang = if args.lang == "typescript" { "javascript" } else { args.lang.as_str() };
    if !languages.contains(&lang) {
        return Err(unknown("there are no templates in", lang, &languages));
    }
    let kinds = templates::kinds(lang);
    let files = templates::project(lang, &args.kind, &args.name)
        .ok_or_else(|| unknown(&format!("{lang} has no template of kind"), &args.kind, &kinds))?;
    let folder = args.into.clone().unwrap_or_else(|| PathBuf::from(&args.name));
    check_free(&folder)?;
    for file in &files {
        let path = folder.join(&file.path);
        let parent = path.parent().unwrap_or(&folder);
        std::fs::create_dir_all(parent).map_err(|error| of_file("make", parent, &error))?;
        std::fs::write(&path, &file.bytes).map_err(|error| of_file("write", &path, &error))?;
    }
    if context.json() {
        let files: Vec<&str> = files.iter().map(|file| file.path.as_str()).collect();
        return output::json(&json!({"name": args.name, "kind": args.kind, "language": lang, "folder": folder, "files": files}));
    }
    let shown = folder.display();
    say!("{} {shown}, a {} in {lang}; its README.md says more", styled(GOOD, "written"), args.kind);
    for (command, what) in [("build", "make the component"), ("test", "run its cases"), ("check", "try it as a host would")] {
        say!("  {:<40} {}", format!("bellwether plugin {command} {shown}"), styled(DIM, what));
    }
    Ok(())
}

/// The near match, and all there are.
fn unknown(what: &str, wrong: &str, known: &[&str]) -> Failure {
    let near = suggest::nearest(wrong, known.iter().copied()).filter(|near| near.starts_with("did"));
    let near = near.map(|near| format!(" {near}")).unwrap_or_default();
    Failure::Usage(format!("{what} `{wrong}`;{near} there are: {}", known.join(", ")))
}

fn check_free(folder: &Path) -> Result<(), Failure> {
    let taken = match std::fs::read_dir(folder) {
        Ok(mut entries) => entries.next().is_some(),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => false,
        Err(error) => return Err(of_file("use", folder, &error)),
    };
    if taken { Err(Failure::Usage(format!("{} is not empty; name another folder with --into", folder.display()))) } else { Ok(()) }
}
