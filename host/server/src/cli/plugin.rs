//! `bellwether plugin`: what is loaded, and the tools of those who write plugins. Only what is loaded needs a host.

use std::path::PathBuf;

use bellwether_plugin::PluginsConfig;
use clap::{Args, Subcommand};

use super::output::{self, say};
use super::{Context, Failure};
use crate::wire::plugins::{Plugin, PluginList};

mod bench;
mod build;
mod check;
mod inspect;
mod new;
mod pack;
mod sign;
mod test;

const EXAMPLES: &str = "\
Examples:
  bellwether plugin list
  bellwether plugin inspect lstm           one that a host has loaded
Write one, no host needed:
  bellwether plugin new my-drift --kind drift-test --lang rust
  bellwether plugin build my-drift         by the [build] table of its plugin.toml
  bellwether plugin test my-drift          runs its cases/*.json
  bellwether plugin check my-drift         tries it the way a host would, and on hostile input
  bellwether plugin bench my-drift         what its calls cost
  bellwether plugin inspect my-drift       or a component's file
  bellwether plugin sign my-drift --key desk.key
  bellwether plugin push registry.example.com/desk/my-drift:0.1.0 my-drift";

/// List and inspect plugins; write, build, test and check your own
#[derive(Debug, Subcommand)]
#[command(after_help = EXAMPLES)]
pub(crate) enum PluginCommand {
    /// List loaded plugins
    List,
    /// Show what a plugin is, may do and has done; of a folder or a .wasm file, without a host
    Inspect {
        /// Its name, or a path
        plugin: String,
    },
    #[command(flatten)]
    Operate(super::plugins_operate::OperateCommand),
    /// Write a new project: the plugin, its tests, the SDK and the contract
    New(new::NewArgs),
    /// Build a plugin to the component its `plugin.toml` names
    Build(FolderArgs),
    /// Run a plugin's `cases/*.json` on the built component
    Test(FolderArgs),
    /// Try a plugin's folder the way a host would, and on hostile input
    Check(FolderArgs),
    /// Pack a plugin into one file, an OCI artifact
    Pack(pack::PackArgs),
    /// Unpack a packed plugin into a folder
    Unpack(pack::UnpackArgs),
    /// Put a plugin into an OCI registry
    Push(pack::PushArgs),
    /// Get a plugin from an OCI registry, pinned by its digest
    Pull(pack::PullArgs),
    /// Make a key to sign plugins with
    Keygen(sign::KeygenArgs),
    /// Sign a plugin: who made it, in plugin.sig beside its manifest
    Sign(sign::SignArgs),
    /// Check a plugin's signature against the keys that are trusted
    Verify(sign::VerifyArgs),
    /// Measure what a plugin's calls cost, beside an empty call
    Bench(FolderArgs),
}

/// A plugin's folder.
#[derive(Debug, Args)]
pub(crate) struct FolderArgs {
    /// The folder with `plugin.toml`
    #[arg(default_value = ".")]
    folder: PathBuf,
}

pub(crate) async fn perform(command: PluginCommand, context: &Context) -> Result<(), Failure> {
    match command {
        PluginCommand::List => list(context).await,
        PluginCommand::Inspect { plugin } => match inspect::path(&plugin)? {
            Some(path) => inspect::of_path(&path, context).await,
            None => {
                let plugin = context.client()?.get::<Plugin>(&format!("/plugins/{}", crate::client::encode(&plugin))).await?;
                context.show(&plugin, inspect::show_loaded)
            }
        },
        PluginCommand::Operate(command) => super::plugins_operate::perform(command, context).await,
        PluginCommand::New(args) => new::perform(&args, context),
        PluginCommand::Build(args) => build::perform(args.folder, context).await,
        PluginCommand::Test(args) => test::perform(&args.folder, context).await,
        PluginCommand::Check(args) => check::perform(&args.folder, context).await,
        PluginCommand::Pack(args) => pack::pack(&args, context),
        PluginCommand::Unpack(args) => pack::unpack(&args, context),
        PluginCommand::Push(args) => pack::push(&args, context).await,
        PluginCommand::Pull(args) => pack::pull(&args, context).await,
        PluginCommand::Keygen(args) => sign::keygen(&args, context),
        PluginCommand::Sign(args) => sign::sign(&args, context),
        PluginCommand::Verify(args) => sign::verify(&args, context),
        PluginCommand::Bench(args) => bench::perform(&args.folder, context).await,
    }
}

async fn list(context: &Context) -> Result<(), Failure> {
    let list = context.client()?.get::<PluginList>("/plugins").await?;
    if context.json() {
        return output::raw(&list.raw);
    }
    let rows = list.value.plugins.iter().map(|plugin| {
        vec![
            plugin.name.clone(),
            plugin.kind.to_string(),
            plugin.version.clone(),
            plugin.state.clone(),
            plugin.calls.to_string(),
            plugin.faults.to_string(),
            plugin.problem.clone().unwrap_or_else(|| plugin.summary.clone()),
        ]
    });
    say!("{}", output::table(&["plugin", "kind", "version", "state", "calls", "faults", ""], &[4, 5], rows));
    Ok(())
}

/// The settings of plugins for a tool. Compiled components are kept in the user's own cache folder: those of Python and
/// JavaScript take seconds to compile.
fn settings(context: &Context) -> Result<PluginsConfig, Failure> {
    let mut config = context.settings(&[])?.settings.host.plugins;
    config.environment = context.environment().clone();
    let named = |name: &str| context.environment().get(name).map(PathBuf::from).filter(|path| path.is_absolute());
    let caches = named("XDG_CACHE_HOME").or_else(|| named("HOME").map(|home| home.join(".cache")));
    config.cache = caches.map(|caches| caches.join("bellwether/components")).unwrap_or_default();
    Ok(config)
}
