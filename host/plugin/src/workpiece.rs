//! One plugin by itself, for the tools of its author: loaded from its folder through the door every plugin takes, without a
//! catalogue around it.

use std::path::Path;
use std::sync::Arc;

use bellwether_domain::{Error, Result};
use serde_json::Value;

use crate::cache::Cache;
use crate::call::Unit;
use crate::config::{PluginsConfig, Signatures};
use crate::discover::in_folder;
use crate::engine::Core;
use crate::grant::Granted;
use crate::host::log::LogGate;
use crate::limits::{Limits, check_ceiling};
use crate::load::{Facts, Loaded, load};
use crate::manifest::{Manifest, WantedLimits};
use crate::state::Identity;

/// A plugin that was loaded.
#[derive(Debug)]
pub(crate) struct Workpiece {
    pub(crate) core: Arc<Core>,
    pub(crate) manifest: Manifest,
    pub(crate) loaded: Loaded,
}

impl Workpiece {
    /// Loads the plugin in a folder. Errors: `Invalid` with the folder's name and why a host would refuse it.
    pub(crate) async fn load(folder: &Path, config: &PluginsConfig) -> Result<Workpiece> {
        check_ceiling(&config.ceiling)?;
        let refused = |why: String| Error::invalid(folder.display().to_string(), why);
        let found = in_folder(folder);
        let manifest = found.manifest.map_err(refused)?;
        // Authors' tools run what is not signed yet.
        let core = Core::new(&PluginsConfig { signatures: Signatures::Off, ..config.clone() })?;
        let mut facts = Facts::default();
        let loaded = load(&core, &Cache::open(&config.cache), &manifest, &found.place, &mut facts).await.map_err(refused)?;
        Ok(Workpiece { core, manifest, loaded })
    }

    /// Its configuration: the manifest's, and over it `given`. Errors: as an operator would see them.
    pub(crate) fn settings(&self, given: &Value) -> Result<Value> {
        self.loaded.schema.fill("config", &[&as_json(&self.manifest.config), given])
    }

    /// What is called, with these grants and under its own limits. It is never paused: every trial is to be made, however
    /// many fail.
    pub(crate) fn unit(&self, granted: Granted, now_ms: Option<fn() -> i64>) -> Arc<Unit> {
        let limits = Limits { faults: u32::MAX, ..Limits::effective(&self.core.ceiling, &self.manifest.limits, &WantedLimits::default()) };
        let identity = Identity { name: self.manifest.name.clone(), granted, log: LogGate::new(limits.log_lines), now_ms };
        Unit::new(self.core.clone(), Arc::new(identity), limits)
    }
}

/// A table of a manifest or of settings as JSON.
pub(crate) fn as_json(table: &toml::Table) -> Value {
    serde_json::to_value(table).unwrap_or_default()
}
