//! What every plugin says of itself, and how its configuration reaches it.
use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::bindings::plugin::exports::bellwether::types::plugin::{Description, Guest};
use crate::{Error, Result};

/// What a plugin is. Its kind is another trait on the same type.
pub trait Plugin {
    /// The name it is called by; equals `name` in `plugin.toml`. Lower-case letters, digits and `-`.
    const NAME: &'static str;
    /// Semantic version; equals `version` in `plugin.toml`. `env!("CARGO_PKG_VERSION")` keeps both cargo's and this one equal.
    const VERSION: &'static str;
    /// One sentence for lists.
    const SUMMARY: &'static str;
    /// JSON Schema (2020-12) of the configuration: an object with `additionalProperties: false`, a `default` and a
    /// `description` for each property. The host fills in the defaults and refuses what the schema refuses before the
    /// plugin sees it. `include_str!("../config.schema.json")` keeps it in a file of its own.
    const CONFIG_SCHEMA: &'static str = r#"{"type": "object", "properties": {}, "additionalProperties": false}"#;
    /// The configuration as the plugin reads it.
    type Config: DeserializeOwned;

    /// Refuses configurations that pass the schema and are still wrong, for example two settings that exclude each other.
    /// Called before every function that takes a configuration. Errors: [`Error::InvalidConfig`].
    fn check(config: &Self::Config) -> Result<()> {
        let _ = config;
        Ok(())
    }
}

/// The configuration of a plugin that has none.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NoConfig {}

/// Reads and checks a configuration.
pub(crate) fn read_config<P: Plugin>(json: &str) -> Result<P::Config> {
    let config = serde_json::from_str(json).map_err(|error| Error::invalid_config(format!("{}: {error}", P::NAME)))?;
    P::check(&config)?;
    Ok(config)
}

/// What every exported function does first.
pub(crate) fn enter() {
    #[cfg(target_family = "wasm")]
    crate::panic::install();
}

impl<P: Plugin> Guest for P {
    fn describe() -> Description {
        enter();
        Description {
            name: P::NAME.to_owned(),
            version: P::VERSION.to_owned(),
            summary: P::SUMMARY.to_owned(),
            config_schema: P::CONFIG_SCHEMA.to_owned(),
            extra: Vec::new(),
        }
    }
}
