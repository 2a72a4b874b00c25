//! `bellwether wit`: the contract with plugins, as it is inside this binary.

use clap::Args;
use serde_json::json;

use super::output::{self, say};
use super::{Context, Failure};

const EXAMPLES: &str = "\
Examples:
  bellwether wit                  all of it
  bellwether wit drift            one package
  bellwether wit deploy-0.1.0     one that is frozen";

/// Print the contract with plugins
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct WitArgs {
    /// A package: types, host, nn, model, drift, alert, deploy, wasi
    package: Option<String>,
}

pub(crate) fn perform(args: &WitArgs, context: &Context) -> Result<(), Failure> {
    let folder = |path: &'static str| path.split('/').next().unwrap_or_default();
    let wanted = |path| args.package.as_deref().map_or(folder(path) != "wasi", |package| package == folder(path));
    let files: Vec<(&str, &str)> = bellwether_templates::contract().filter(|(path, _)| wanted(path)).collect();
    if let Some(package) = args.package.as_deref().filter(|_| files.is_empty()) {
        let mut known: Vec<&str> = bellwether_templates::contract().map(|(path, _)| folder(path)).collect();
        known.dedup();
        return Err(bellwether_domain::Error::unknown("package of the contract", package, known).into());
    }
    if context.json() {
        let files: Vec<_> = files.iter().map(|(path, text)| json!({"path": path, "text": text})).collect();
        return output::raw(&serde_json::to_vec(&files).expect("texts are plain data"));
    }
    for (place, (_, text)) in files.iter().enumerate() {
        say!("{}{}", if place == 0 { "" } else { "\n" }, text.trim_end());
    }
    Ok(())
}
