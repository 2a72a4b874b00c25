//! `bellwether plugin keygen`, `sign` and `verify`: who made a plugin.

use std::path::PathBuf;

use bellwether_plugin::{Trusted, signature};
use clap::Args;
use serde_json::json;

use super::{FolderArgs, settings};
use crate::cli::output::{self, DIM, GOOD, say, styled};
use crate::cli::{Context, Failure};

#[derive(Debug, Args)]
pub(crate) struct KeygenArgs {
    /// The file for the private key; it must not be there yet
    file: PathBuf,
}

#[derive(Debug, Args)]
pub(crate) struct SignArgs {
    #[command(flatten)]
    plugin: FolderArgs,
    /// The file with the private key, made by `plugin keygen`
    #[arg(long, value_name = "FILE")]
    key: PathBuf,
}

#[derive(Debug, Args)]
pub(crate) struct VerifyArgs {
    #[command(flatten)]
    plugin: FolderArgs,
    /// A public key to trust besides those in the settings, as `plugin keygen` prints it
    #[arg(long, value_name = "KEY")]
    trust: Vec<String>,
}

pub(super) fn keygen(args: &KeygenArgs, context: &Context) -> Result<(), Failure> {
    let public = signature::keygen(&args.file)?;
    if context.json() {
        return output::json(&json!({"private_key": args.file, "public_key": public}));
    }
    say!("{} {}; keep it to yourself", styled(GOOD, "written"), args.file.display());
    say!("{public}");
    say!("{}", styled(DIM, "operators trust it by this line below [plugins] in bellwether.toml:"));
    say!("trust = [{{ name = \"...\", key = \"{public}\" }}]");
    Ok(())
}

pub(super) fn sign(args: &SignArgs, context: &Context) -> Result<(), Failure> {
    let signed = signature::sign(&args.plugin.folder, &args.key)?;
    let path = args.plugin.folder.join(signature::FILE);
    if context.json() {
        return output::json(&json!({"file": path, "signature": signed}));
    }
    output::pairs(&[
        ("signature", styled(GOOD, path.display())),
        ("key", signed.key_id.clone()),
        ("component", format!("sha256 {}", signed.component)),
        ("manifest", format!("sha256 {}", signed.manifest)),
    ]);
    Ok(())
}

pub(super) fn verify(args: &VerifyArgs, context: &Context) -> Result<(), Failure> {
    let mut trust = settings(context)?.trust;
    trust.extend(args.trust.iter().map(|key| Trusted { name: "--trust".to_owned(), key: key.clone() }));
    let signer = signature::verify(&args.plugin.folder, &trust)?;
    if context.json() {
        return output::json(&json!({"folder": args.plugin.folder, "signer": signer}));
    }
    say!("{} signed by {signer}", styled(GOOD, "good:"));
    Ok(())
}
