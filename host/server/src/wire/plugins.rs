//! Plugins over REST.

use bellwether_plugin::{Kind, PluginInfo};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use super::models::same_fields;
use super::names;

/// One loaded plugin instance.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Plugin {
    /// The instance's name.
    pub name: String,
    /// The plugin's name.
    pub plugin: String,
    /// The plugin's version.
    pub version: String,
    /// Its kind.
    #[schema(value_type = names::PluginKindName)]
    pub kind: Kind,
    /// One sentence.
    pub summary: String,
    /// `active`, `paused` (too many faults), `disabled`, or `refused` (see `problem`).
    pub state: String,
    /// Why it was refused or paused.
    pub problem: Option<String>,
    /// `built-in`, or the folder it came from.
    pub source: String,
    /// SPDX licence.
    pub licence: String,
    /// Contract version.
    pub contract: String,
    /// SHA-256 of the component, in hex.
    pub digest: String,
    /// Size of the component.
    pub size_bytes: u64,
    /// Interfaces it imports.
    pub imports: Vec<String>,
    /// Interfaces it exports.
    pub exports: Vec<String>,
    /// What it may do.
    pub granted: Value,
    /// What it asked for and was not granted.
    pub withheld: Vec<String>,
    /// Limits in force.
    pub limits: Value,
    /// JSON Schema of its configuration.
    pub config_schema: Value,
    /// Its configuration, defaults filled in; secrets are not part of it.
    pub config: Value,
    /// Calls so far.
    pub calls: u64,
    /// Faults (trap, time-out, limit) so far.
    pub faults: u64,
}

same_fields!(Plugin, PluginInfo, {
    name, plugin, version, kind, summary, state, problem, source, licence, contract, digest, size_bytes, imports, exports, granted,
    withheld, limits, config_schema, config, calls, faults,
});

/// Every plugin instance, by name.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct PluginList {
    /// The plugins.
    pub plugins: Vec<Plugin>,
}
