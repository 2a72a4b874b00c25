//! `bellwether plugin pack`, `unpack`, `push` and `pull`: a plugin as one file, and in an OCI registry.

use std::path::{Path, PathBuf};

use bellwether_plugin::pack::Artifact;
use bellwether_plugin::registry::{self, Credentials, Reference};
use clap::Args;
use serde_json::json;

use crate::cli::failure::of_file;
use crate::cli::output::{self, DIM, GOOD, styled};
use crate::cli::{Context, Failure};

const PUSH_EXAMPLES: &str = "\
Examples:
  bellwether plugin push registry.example.com/desk/my-drift:0.1.0 my-drift
  bellwether plugin push 127.0.0.1:5000/my-drift:0.1.0 my-drift.tar      packed before; loopback goes without TLS";

const PULL_EXAMPLES: &str = "\
Examples:
  bellwether plugin pull registry.example.com/desk/my-drift@sha256:... --into plugins/my-drift";

#[derive(Debug, Args)]
pub(crate) struct PackArgs {
    /// The folder with `plugin.toml` and the built component
    #[arg(default_value = ".")]
    folder: PathBuf,
    /// The file to write
    #[arg(short, long, value_name = "FILE")]
    output: PathBuf,
}

#[derive(Debug, Args)]
pub(crate) struct UnpackArgs {
    /// The packed plugin
    file: PathBuf,
    /// The folder to write to, empty or not there yet
    #[arg(long, value_name = "FOLDER")]
    into: PathBuf,
}

#[derive(Debug, Args)]
#[command(after_help = PUSH_EXAMPLES)]
pub(crate) struct PushArgs {
    /// Where to: registry/repository:tag
    reference: String,
    /// The plugin's folder, or a packed file
    #[arg(default_value = ".")]
    plugin: PathBuf,
    #[command(flatten)]
    asking: AskingArgs,
}

#[derive(Debug, Args)]
#[command(after_help = PULL_EXAMPLES)]
pub(crate) struct PullArgs {
    /// What: registry/repository@sha256:digest
    reference: String,
    /// The folder to write to, empty or not there yet
    #[arg(long, value_name = "FOLDER")]
    into: PathBuf,
    #[command(flatten)]
    asking: AskingArgs,
}

/// Who asks a registry. Secrets are not taken from the command line, where others could read them.
#[derive(Debug, Args)]
struct AskingArgs {
    /// Name at the registry [env: BELLWETHER_REGISTRY_USERNAME]
    #[arg(long, value_name = "NAME")]
    username: Option<String>,
    /// File with the password [env: BELLWETHER_REGISTRY_PASSWORD, the password itself]
    #[arg(long, value_name = "FILE")]
    password_file: Option<PathBuf>,
    /// File with a bearer token [env: BELLWETHER_REGISTRY_TOKEN, the token itself]
    #[arg(long, value_name = "FILE")]
    registry_token_file: Option<PathBuf>,
}

impl AskingArgs {
    fn credentials(&self, context: &Context) -> Result<Credentials, Failure> {
        let named = |name: &str| context.environment().get(name).cloned();
        let secret = |file: &Option<PathBuf>, name: &str| match file {
            Some(file) => {
                let text = std::fs::read_to_string(file).map_err(|error| of_file("read", file, &error))?;
                Ok::<_, Failure>(Some(text.trim_end_matches(['\r', '\n']).to_owned()))
            }
            None => Ok(named(name)),
        };
        let username = self.username.clone().or_else(|| named("BELLWETHER_REGISTRY_USERNAME"));
        let password = secret(&self.password_file, "BELLWETHER_REGISTRY_PASSWORD")?;
        let token = secret(&self.registry_token_file, "BELLWETHER_REGISTRY_TOKEN")?;
        match (username, password) {
            (Some(username), Some(password)) => Ok(Credentials { basic: Some((username, password)), token }),
            (None, None) => Ok(Credentials { basic: None, token }),
            (Some(_), None) => Err(Failure::Usage("a name without a password: give --password-file too".to_owned())),
            (None, Some(_)) => Err(Failure::Usage("a password without a name: give --username too".to_owned())),
        }
    }
}

pub(super) fn pack(args: &PackArgs, context: &Context) -> Result<(), Failure> {
    let artifact = Artifact::of_folder(&args.folder)?;
    artifact.write(&args.output)?;
    written(&args.output, &artifact.digest(), context)
}

pub(super) fn unpack(args: &UnpackArgs, context: &Context) -> Result<(), Failure> {
    let artifact = Artifact::read(&args.file)?;
    artifact.unpack()?.write(&args.into)?;
    written(&args.into, &artifact.digest(), context)
}

fn written(path: &Path, digest: &str, context: &Context) -> Result<(), Failure> {
    if context.json() {
        return output::json(&json!({"written": path, "digest": digest}));
    }
    output::pairs(&[("written", styled(GOOD, path.display())), ("digest", digest.to_owned())]);
    Ok(())
}

pub(super) async fn push(args: &PushArgs, context: &Context) -> Result<(), Failure> {
    let reference = Reference::parse(&args.reference).map_err(|error| Failure::Usage(error.to_string()))?;
    let credentials = args.asking.credentials(context)?;
    let artifact = if args.plugin.is_file() { Artifact::read(&args.plugin)? } else { Artifact::of_folder(&args.plugin)? };
    let bar = output::spinner("pushing", !context.json());
    let pushed = registry::push(&artifact, &reference, credentials).await;
    bar.finish_and_clear();
    let pinned = pushed?;
    if context.json() {
        return output::json(&json!({"reference": pinned.to_string(), "digest": artifact.digest()}));
    }
    output::pairs(&[("pushed", styled(GOOD, &pinned))]);
    output::say!("{}", styled(DIM, format!("bellwether plugin pull {pinned} --into FOLDER")));
    Ok(())
}

pub(super) async fn pull(args: &PullArgs, context: &Context) -> Result<(), Failure> {
    let reference = Reference::parse(&args.reference).map_err(|error| Failure::Usage(error.to_string()))?;
    let credentials = args.asking.credentials(context)?;
    let bar = output::spinner("pulling", !context.json());
    let pulled = registry::pull(&reference, credentials).await;
    bar.finish_and_clear();
    let artifact = pulled?;
    artifact.unpack()?.write(&args.into)?;
    written(&args.into, &artifact.digest(), context)
}
