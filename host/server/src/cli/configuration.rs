//! `bellwether config`: the settings as a host would see them.

use clap::Subcommand;
use serde_json::json;

use super::output::{self, DIM, GOOD, NOTE, say, styled};
use super::serve::SettingsArgs;
use super::{Context, Failure};
use crate::config::{DEFAULT_FILE, Loaded, show};

const EXAMPLES: &str = "\
Examples:
  bellwether config check
  bellwether config show
  bellwether config default > bellwether.toml
  MAX_CONCURRENT_TRAINING_JOBS=1 bellwether config show --set log.level=debug";

/// Check and show the settings
#[derive(Debug, Subcommand)]
#[command(after_help = EXAMPLES)]
pub(crate) enum ConfigCommand {
    /// Check the settings; exit code 2 and every problem if there are any
    Check(SettingsArgs),
    /// Print the merged settings with the origin of each value, secrets hidden
    Show(SettingsArgs),
    /// Print the documented file of defaults
    Default,
}

pub(crate) fn perform(command: ConfigCommand, context: &Context) -> Result<(), Failure> {
    match command {
        ConfigCommand::Check(args) => {
            let loaded = context.settings(&args.flags()?)?;
            if context.json() {
                return print(&json!({"ok": true, "file": loaded.file, "notes": loaded.notes}));
            }
            let from = loaded.file.as_ref().map_or_else(|| "no file".to_owned(), |file| file.display().to_string());
            say!(
                "{} {}",
                styled(GOOD, "the settings are good"),
                styled(DIM, format!("({from}, {} not at their default)", loaded.origins.len()))
            );
            notes(&loaded);
            Ok(())
        }
        ConfigCommand::Show(args) => {
            let loaded = context.settings(&args.flags()?)?;
            if context.json() {
                let origins: serde_json::Map<_, _> =
                    loaded.origins.iter().map(|(path, origin)| (path.clone(), json!(origin.to_string()))).collect();
                return print(&json!({"settings": show::tree(&loaded), "origins": origins, "notes": loaded.notes}));
            }
            say!("{}", show::text(&loaded).trim_end());
            notes(&loaded);
            Ok(())
        }
        ConfigCommand::Default => {
            say!("{}", DEFAULT_FILE.trim_end());
            Ok(())
        }
    }
}

fn print(value: &serde_json::Value) -> Result<(), Failure> {
    output::raw(value.to_string().as_bytes())
}

fn notes(loaded: &Loaded) {
    for note in &loaded.notes {
        anstream::eprintln!("{} {note}", styled(NOTE, "note:"));
    }
}
