//! `bellwether plugin`: what is loaded, and whether a plugin of one's own would be.

use std::path::PathBuf;

use clap::Subcommand;

use super::output::{self, BAD, DIM, GOOD, NAME, NOTE, or_dash, say, styled};
use super::{Context, Failure};
use crate::wire::plugins::{Plugin, PluginList};

const EXAMPLES: &str = "\
Examples:
  bellwether plugin list
  bellwether plugin inspect lstm
  bellwether plugin check my-plugin        no host needed; the folder holds plugin.toml and the component";

/// List, inspect and check plugins
#[derive(Debug, Subcommand)]
#[command(after_help = EXAMPLES)]
pub(crate) enum PluginCommand {
    /// List loaded plugins
    List,
    /// Show what one plugin is, may do and has done
    Inspect {
        /// Its name
        name: String,
    },
    #[command(flatten)]
    Operate(super::plugins_operate::OperateCommand),
    /// Try a plugin's folder the way a host would, and on hostile input
    Check {
        /// The folder with `plugin.toml`
        folder: PathBuf,
    },
}

pub(crate) async fn perform(command: PluginCommand, context: &Context) -> Result<(), Failure> {
    match command {
        PluginCommand::List => {
            let list = context.client()?.get::<PluginList>("/plugins").await?;
            if context.json() {
                return output::raw(&list.raw);
            }
            let rows = list.value.plugins.iter().map(|plugin| {
                vec![
                    plugin.name.clone(),
                    kind(plugin),
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
        PluginCommand::Inspect { name } => {
            let plugin = context.client()?.get::<Plugin>(&format!("/plugins/{}", crate::client::encode(&name))).await?;
            context.show(&plugin, show)
        }
        PluginCommand::Operate(command) => super::plugins_operate::perform(command, context).await,
        PluginCommand::Check { folder } => check(folder, context).await,
    }
}

async fn check(folder: PathBuf, context: &Context) -> Result<(), Failure> {
    let mut config = context.settings(&[])?.settings.host.plugins;
    config.environment = context.environment().clone();
    let findings = bellwether_plugin::check::check(&folder, &config).await?;
    let failed = findings.iter().filter(|finding| !finding.passed).count();
    if context.json() {
        output::raw(&serde_json::to_vec(&findings).expect("findings are plain data"))?;
    } else {
        for finding in &findings {
            let (style, mark) = if finding.passed { (GOOD, "✓") } else { (BAD, "✗") };
            say!("{} {}  {}", styled(style, mark), finding.what, styled(DIM, &finding.detail));
        }
    }
    match failed {
        0 => Ok(()),
        _ => Err(Failure::Failed(format!("{failed} of {} checks failed", findings.len()))),
    }
}

fn kind(plugin: &Plugin) -> String {
    serde_json::to_value(plugin.kind).ok().and_then(|name| name.as_str().map(str::to_owned)).unwrap_or_default()
}

fn show(plugin: &Plugin) {
    let style = match plugin.state.as_str() {
        "active" => GOOD,
        "refused" => BAD,
        _ => NOTE,
    };
    let list = |items: &[String]| if items.is_empty() { "–".to_owned() } else { items.join(" ") };
    output::pairs(&[
        ("plugin", format!("{} {} {}", styled(NAME, &plugin.name), plugin.version, styled(DIM, &plugin.summary))),
        ("kind", kind(plugin)),
        ("state", styled(style, &plugin.state)),
        ("problem", or_dash(plugin.problem.as_deref())),
        ("source", plugin.source.clone()),
        ("licence", plugin.licence.clone()),
        ("contract", plugin.contract.clone()),
        ("component", format!("{} bytes, sha256 {}", plugin.size_bytes, plugin.digest)),
        ("imports", list(&plugin.imports)),
        ("exports", list(&plugin.exports)),
        ("granted", plugin.granted.to_string()),
        ("withheld", list(&plugin.withheld)),
        ("limits", plugin.limits.to_string()),
        ("config", plugin.config.to_string()),
        ("calls", format!("{}, faults {}", plugin.calls, plugin.faults)),
    ]);
    let schema = serde_json::to_string_pretty(&plugin.config_schema).unwrap_or_default();
    say!("{}\n{schema}", styled(DIM, "configuration schema"));
}
