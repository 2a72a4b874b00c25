//! Which plugins there are: built in, from folders, as named instances; each compiled once and ready to call.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use arc_swap::ArcSwap;
use bellwether_domain::model::PluginStamp;
use bellwether_domain::{Error, Result};
use futures_util::StreamExt;
use serde::Serialize;

use crate::cache::Cache;
use crate::discover::{self, key};
use crate::engine::Core;
use crate::instance::{Active, Entry, Plugin};
use crate::limits::check_ceiling;
use crate::load::{Facts, load};
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
pub struct PluginHost {
    core: Arc<Core>,
    /// Instances by [`key`]; swapped whole, so that a call never waits for a change of the list.
    entries: Arc<ArcSwap<BTreeMap<String, Arc<Entry>>>>,
}

/// Components compiled at once.
const COMPILING: usize = 2;

impl PluginHost {
    /// Loads built-in plugins and those of the configured folders. A plugin that cannot be loaded does not stop the
    /// host: it is listed as `refused` with the reason. Errors are those of the configuration itself: an instance of a
    /// plugin that does not exist (with the near match), a grant the plugin did not ask for, a bad config or digest.
    pub async fn open(config: PluginsConfig, bundled: &[Bundled]) -> Result<PluginHost> {
        check_ceiling(&config.ceiling)?;
        let found = discover::plugins(&config, bundled)?;
        let planned = discover::instances(&config, &found)?;
        let core = Core::new(&config)?;
        let cache = Cache::open(&config.cache);
        let wanted: BTreeSet<usize> = planned.iter().map(|planned| planned.plugin).collect();
        let loading = found.into_iter().enumerate().filter(|(place, _)| wanted.contains(place));
        let plugins: BTreeMap<usize, Plugin> = futures_util::stream::iter(loading)
            .map(|(place, found)| (place, found, &core, &cache))
            .map(|(place, found, core, cache)| async move {
                let mut facts = Facts::default();
                let loaded = match &found.manifest {
                    Ok(manifest) => load(core, cache, manifest, &found.place, &mut facts).await,
                    Err(why) => Err(why.clone()),
                };
                if let Err(why) = &loaded {
                    tracing::warn!(plugin.name = found.name, "plugin refused: {why}");
                }
                (place, Plugin { found, facts, loaded })
            })
            .buffer_unordered(COMPILING)
            .collect()
            .await;
        let mut entries = BTreeMap::new();
        for planned in &planned {
            let entry = Entry::new(&core, &config, planned, &plugins[&planned.plugin])?;
            entries.insert(key(&entry.name), Arc::new(entry));
        }
        Ok(PluginHost { core, entries: Arc::new(ArcSwap::from_pointee(entries)) })
    }

    /// Every instance, by name.
    pub fn list(&self) -> Vec<PluginInfo> {
        self.entries.load().values().map(|entry| entry.info()).collect()
    }

    /// One instance; `_` and `-` in names are the same. Errors: `NotFound` with the near match.
    pub fn inspect(&self, name: &str) -> Result<PluginInfo> {
        Ok(self.entry(name)?.info())
    }

    /// The identity of a loaded plugin, for lineage.
    pub fn stamp(&self, name: &str) -> Result<PluginStamp> {
        self.entry(name)?.stamp()
    }

    /// Configuration for a call: the given object over the instance's own, defaults filled in, checked against the
    /// schema. Errors: `Invalid` with field `config.<path>`.
    pub fn configure(&self, name: &str, given: &serde_json::Value) -> Result<serde_json::Value> {
        let entry = self.entry(name)?;
        match &entry.schema {
            Some(schema) => schema.fill("config", &[&entry.layers[0], &entry.layers[1], given]),
            None => Err(entry.active().err().unwrap_or_else(|| Error::internal("a plugin in service has no schema"))),
        }
    }

    /// A model type. Errors: `NotFound` with the near match among model types; `Unavailable` when refused or disabled.
    pub fn model(&self, name: &str) -> Result<Arc<ModelPlugin>> {
        self.find(Kind::Model, "model type", name, |active| if let Active::Model(model) = active { Some(model.clone()) } else { None })
    }

    /// A drift test.
    pub fn drift_test(&self, name: &str) -> Result<Arc<DriftTest>> {
        self.find(
            Kind::DriftTest,
            "drift test",
            name,
            |active| if let Active::DriftTest(test) = active { Some(test.clone()) } else { None },
        )
    }

    /// A drift detector.
    pub fn drift_detector(&self, name: &str) -> Result<Arc<DriftDetector>> {
        self.find(Kind::DriftDetector, "drift detector", name, |active| {
            if let Active::DriftDetector(detector) = active { Some(detector.clone()) } else { None }
        })
    }

    /// An alert handler.
    pub fn alert_handler(&self, name: &str) -> Result<Arc<AlertHandler>> {
        self.find(Kind::AlertHandler, "alert handler", name, handler)
    }

    /// Every alert handler in service.
    pub fn alert_handlers(&self) -> Vec<Arc<AlertHandler>> {
        self.entries.load().values().filter_map(|entry| handler(entry.active().ok()?)).collect()
    }

    /// A deployment strategy. Errors: `NotFound` with the near match among strategies.
    pub fn strategy(&self, name: &str) -> Result<Arc<Strategy>> {
        self.find(Kind::DeploymentStrategy, "deployment strategy", name, |active| {
            if let Active::DeploymentStrategy(strategy) = active { Some(strategy.clone()) } else { None }
        })
    }

    /// Stops taking calls, waits for those under way up to the call time-out.
    pub async fn close(&self) {
        self.core.close().await;
    }

    fn entry(&self, name: &str) -> Result<Arc<Entry>> {
        let entries = self.entries.load();
        entries.get(&key(name)).cloned().ok_or_else(|| Error::unknown("plugin", name, entries.values().map(|entry| entry.name.as_str())))
    }

    fn find<T>(&self, kind: Kind, what: &'static str, name: &str, pick: fn(&Active) -> Option<Arc<T>>) -> Result<Arc<T>> {
        let entries = self.entries.load();
        let of_kind = || entries.values().filter(|entry| entry.kind == kind).map(|entry| entry.name.as_str());
        let unknown = || Error::unknown(what, name, of_kind());
        let entry = entries.get(&key(name)).filter(|entry| entry.kind == kind).ok_or_else(unknown)?;
        pick(entry.active()?).ok_or_else(unknown)
    }
}

fn handler(active: &Active) -> Option<Arc<AlertHandler>> {
    if let Active::AlertHandler(handler) = active { Some(handler.clone()) } else { None }
}
