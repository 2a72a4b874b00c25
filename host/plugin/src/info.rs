//! What the plugin host is given and what it tells: plugins inside the binary, and what there is to know of an instance.

use serde::Serialize;

use crate::Kind;

/// A plugin that ships inside the binary.
#[derive(Debug, Clone, Copy)]
pub struct Bundled {
    /// Its `plugin.toml`.
    pub manifest: &'static str,
    /// Its component.
    pub component: &'static [u8],
}

/// What came of looking at a plugin's files again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Reloaded {
    /// They are as they were.
    Unchanged,
    /// The new component serves; calls under way end on the one before.
    TakenUp,
    /// The new one was refused (see `problem`), the one before goes on serving.
    Kept,
    /// The new one was refused, and none served before.
    Refused,
    /// They are gone.
    Removed,
}

impl Reloaded {
    /// As written in answers.
    pub fn name(self) -> &'static str {
        match self {
            Reloaded::Unchanged => "unchanged",
            Reloaded::TakenUp => "taken-up",
            Reloaded::Kept => "kept",
            Reloaded::Refused => "refused",
            Reloaded::Removed => "removed",
        }
    }
}

/// What there is to know of one loaded plugin instance.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct PluginInfo {
    /// The instance's name.
    pub name: String,
    /// The plugin's name.
    pub plugin: String,
    /// The plugin's version.
    pub version: String,
    /// Its kind.
    pub kind: Kind,
    /// One sentence.
    pub summary: String,
    /// `active`, `paused` (too many faults), `disabled`, `refused` or `removed` (see `problem`).
    pub state: String,
    /// Why it is not in service; or, of an active one, why it is not the newest.
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
    pub granted: serde_json::Value,
    /// What it asked for and was not granted.
    pub withheld: Vec<String>,
    /// Limits in force.
    pub limits: serde_json::Value,
    /// JSON Schema of its configuration.
    pub config_schema: serde_json::Value,
    /// Its configuration, defaults filled in; secrets are not part of it.
    pub config: serde_json::Value,
    /// Calls so far, through reloads too.
    pub calls: u64,
    /// Faults (trap, time-out, limit) so far.
    pub faults: u64,
}
