//! Which plugins there are: built in, from folders, as named instances; each compiled once and ready to call.

use std::sync::Arc;

use bellwether_domain::Result;
use bellwether_domain::model::PluginStamp;
use serde::Serialize;

use crate::{AlertHandler, DriftDetector, DriftTest, Kind, ModelPlugin, PluginsConfig, Strategy};

/// A plugin that ships inside the binary.
#[derive(Debug, Clone, Copy)]
pub struct Bundled {
    /// Its `plugin.toml`.
    pub manifest: &'static str,
    /// Its component.
    pub component: &'static [u8],
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
    pub granted: serde_json::Value,
    /// What it asked for and was not granted.
    pub withheld: Vec<String>,
    /// Limits in force.
    pub limits: serde_json::Value,
    /// JSON Schema of its configuration.
    pub config_schema: serde_json::Value,
    /// Its configuration, defaults filled in; secrets are not part of it.
    pub config: serde_json::Value,
    /// Calls so far, faults so far.
    pub calls: u64,
    /// Faults (trap, time-out, limit) so far.
    pub faults: u64,
}

/// The plugin host. Cheap to clone.
#[derive(Debug, Clone)]
pub struct PluginHost {}

impl PluginHost {
    /// Loads built-in plugins and those of the configured folders. A plugin that cannot be loaded does not stop the
    /// host: it is listed as `refused` with the reason. Errors are those of the configuration itself: an instance of a
    /// plugin that does not exist (with the near match), a grant the plugin did not ask for, a bad config or digest.
    pub async fn open(config: PluginsConfig, bundled: &[Bundled]) -> Result<PluginHost> {
        let _ = (config, bundled);
        todo!()
    }

    /// Every instance, by name.
    pub fn list(&self) -> Vec<PluginInfo> {
        todo!()
    }

    /// One instance; `_` and `-` in names are the same. Errors: `NotFound` with the near match.
    pub fn inspect(&self, name: &str) -> Result<PluginInfo> {
        let _ = name;
        todo!()
    }

    /// The identity of a loaded plugin, for lineage.
    pub fn stamp(&self, name: &str) -> Result<PluginStamp> {
        let _ = name;
        todo!()
    }

    /// Configuration for a call: the given object over the instance's own, defaults filled in, checked against the
    /// schema. Errors: `Invalid` with field `config.<path>`.
    pub fn configure(&self, name: &str, given: &serde_json::Value) -> Result<serde_json::Value> {
        let _ = (name, given);
        todo!()
    }

    /// A model type. Errors: `NotFound` with the near match among model types; `Unavailable` when refused or disabled.
    pub fn model(&self, name: &str) -> Result<Arc<ModelPlugin>> {
        let _ = name;
        todo!()
    }

    /// A drift test.
    pub fn drift_test(&self, name: &str) -> Result<Arc<DriftTest>> {
        let _ = name;
        todo!()
    }

    /// A drift detector.
    pub fn drift_detector(&self, name: &str) -> Result<Arc<DriftDetector>> {
        let _ = name;
        todo!()
    }

    /// An alert handler.
    pub fn alert_handler(&self, name: &str) -> Result<Arc<AlertHandler>> {
        let _ = name;
        todo!()
    }

    /// Every alert handler in service.
    pub fn alert_handlers(&self) -> Vec<Arc<AlertHandler>> {
        todo!()
    }

    /// A deployment strategy. Errors: `NotFound` with the near match among strategies.
    pub fn strategy(&self, name: &str) -> Result<Arc<Strategy>> {
        let _ = name;
        todo!()
    }

    /// Stops taking calls, waits for those under way up to the call time-out.
    pub async fn close(&self) {
        todo!()
    }
}
