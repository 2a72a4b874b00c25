//! Which plugins there are and what can be asked of them: looked up, called, looked at again, switched, configured.

use std::sync::{Arc, Weak};
use std::time::Duration;

use arc_swap::ArcSwap;
use bellwether_domain::model::PluginStamp;
use bellwether_domain::{Error, Result};
use tokio::sync::Mutex;

use crate::config::Said;
use crate::discover::key;
use crate::engine::{Core, HostCounters};
use crate::info::{Bundled, PluginInfo, Reloaded};
use crate::instance::{Active, Entry, Standing};
use crate::limits::check_ceiling;
use crate::shelf::{Entries, Shelf, Which};
use crate::watch::Watch;
use crate::{AlertHandler, DriftDetector, DriftTest, GrantUse, Kind, ModelPlugin, PluginMetrics, PluginsConfig, Strategy};

/// The plugin host. Cheap to clone.
#[derive(Debug, Clone)]
pub struct PluginHost {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    core: Arc<Core>,
    /// Swapped whole, so that a call never waits for a change of the list.
    entries: ArcSwap<Entries>,
    /// Held while something is changed.
    shelf: Mutex<Shelf>,
}

impl PluginHost {
    /// Loads built-in plugins and those of the configured folders, and watches the folders. A plugin that cannot be loaded
    /// does not stop the host: it is listed as `refused` with the reason. Errors are those of the configuration itself: an
    /// instance of a plugin that does not exist (with the near match), a grant the plugin did not ask for, a bad config or
    /// digest.
    pub async fn open(config: PluginsConfig, bundled: &[Bundled]) -> Result<PluginHost> {
        check_ceiling(&config.ceiling)?;
        let core = Core::new(&config)?;
        let period = config.watch.0;
        // A host for some instances alone is a worker's: it lives as long as its one job.
        let watched = !config.folders.is_empty() && config.only.is_empty() && !period.is_zero();
        // Seen before it is loaded: what changes in between is told rather than missed.
        let watch = watched.then(|| Watch::begin(&config.folders));
        let (shelf, entries) = Shelf::open(core.clone(), config, bundled).await?;
        let inner = Arc::new(Inner { core, entries: ArcSwap::from_pointee(entries), shelf: Mutex::new(shelf) });
        if let Some(watch) = watch {
            inner.core.runtime().spawn(keep_watch(Arc::downgrade(&inner), watch, period));
        }
        Ok(PluginHost { inner })
    }

    /// Every instance, by name.
    pub fn list(&self) -> Vec<PluginInfo> {
        self.inner.entries.load().values().map(|entry| entry.info()).collect()
    }

    /// One instance; `_` and `-` in names are the same. Errors: `NotFound` with the near match.
    pub fn inspect(&self, name: &str) -> Result<PluginInfo> {
        Ok(self.listed(name)?.info())
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
            Some(schema) => schema.fill("config", &[&entry.layers[0], &entry.layers[1], &entry.layers[2], given]),
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
        self.inner.entries.load().values().filter_map(|entry| handler(entry.in_force().active().ok()?)).collect()
    }

    /// A deployment strategy. Errors: `NotFound` with the near match among strategies.
    pub fn strategy(&self, name: &str) -> Result<Arc<Strategy>> {
        self.find(Kind::DeploymentStrategy, "deployment strategy", name, |active| {
            if let Active::DeploymentStrategy(strategy) = active { Some(strategy.clone()) } else { None }
        })
    }

    /// Stops taking calls, waits for those under way up to the call time-out.
    pub async fn close(&self) {
        self.inner.core.close().await;
    }

    /// Looks at a plugin's folder again, by the plugin's or an instance's name, and takes up what is new there, beside it
    /// plugins that appeared or vanished. Errors: `NotFound`; the folders cannot be read, or hold two plugins of one name.
    pub async fn reload(&self, name: &str) -> Result<(Reloaded, PluginInfo)> {
        let before = self.listed(name).ok();
        let plugin = before.as_ref().map_or_else(|| name.to_owned(), |entry| entry.plugin.found.name.clone());
        self.take_up(&Which::Named(plugin)).await?;
        let after = self.listed(name)?;
        Ok((outcome(before.as_ref(), &after), after.info()))
    }

    /// The same for all plugins; the instances that became others, or did not although they should.
    pub async fn reload_all(&self) -> Result<Vec<(Reloaded, PluginInfo)>> {
        let before = self.inner.entries.load_full();
        self.take_up(&Which::All).await?;
        let after = self.inner.entries.load_full();
        let changes = after.iter().map(|(name, entry)| (outcome(before.get(name), entry), entry.info()));
        Ok(changes.filter(|(outcome, _)| *outcome != Reloaded::Unchanged).collect())
    }

    /// What was said of an instance while hosts ran.
    pub fn said(&self, name: &str) -> Result<Said> {
        Ok(self.listed(name)?.said.clone())
    }

    /// Says something of an instance: it stands above the settings' file from now on. Calls under way end as they began.
    /// Errors: `NotFound`; `Invalid` with field `config.<path>`, then nothing changes.
    pub async fn say(&self, name: &str, said: Said) -> Result<PluginInfo> {
        let mut shelf = self.inner.shelf.lock().await;
        let before = self.listed(name)?;
        let entry = shelf.say(&before, said)?;
        let mut entries = Entries::clone(&self.inner.entries.load());
        entries.insert(key(name), entry.clone());
        self.inner.entries.store(Arc::new(entries));
        Ok(entry.info())
    }

    /// Configuration by layer: the manifest's, the settings file's, what was said since.
    pub fn config_layers(&self, name: &str) -> Result<[serde_json::Value; 3]> {
        Ok(self.entry(name)?.layers.clone())
    }

    /// What an instance's calls came to, through reloads too.
    pub fn metrics(&self, name: &str) -> Result<PluginMetrics> {
        Ok(self.entry(name)?.metrics())
    }

    /// What an instance's manifest asks for, and what it was granted with how often it used it.
    pub fn grants(&self, name: &str) -> Result<(Vec<String>, Vec<GrantUse>)> {
        Ok(self.entry(name)?.grants())
    }

    /// What was done for all plugins together.
    pub fn counters(&self) -> HostCounters {
        self.inner.core.counted()
    }

    async fn take_up(&self, which: &Which) -> Result<()> {
        let mut shelf = self.inner.shelf.lock().await;
        let entries = shelf.take_up(which, &self.inner.entries.load_full()).await?;
        self.inner.entries.store(Arc::new(entries));
        Ok(())
    }

    /// The instance of a name as it is listed.
    fn listed(&self, name: &str) -> Result<Arc<Entry>> {
        let entries = self.inner.entries.load();
        entries.get(&key(name)).cloned().ok_or_else(|| Error::unknown("plugin", name, entries.values().map(|entry| entry.name.as_str())))
    }

    /// The instance of a name that is in force.
    fn entry(&self, name: &str) -> Result<Arc<Entry>> {
        Ok(self.listed(name)?.in_force())
    }

    fn find<T>(&self, kind: Kind, what: &'static str, name: &str, pick: fn(&Active) -> Option<Arc<T>>) -> Result<Arc<T>> {
        let entries = self.inner.entries.load();
        let of_kind = || entries.values().filter(|entry| entry.kind == kind).map(|entry| entry.name.as_str());
        let unknown = || Error::unknown(what, name, of_kind());
        let entry = entries.get(&key(name)).filter(|entry| entry.kind == kind).ok_or_else(unknown)?;
        pick(entry.in_force().active()?).ok_or_else(unknown)
    }
}

/// What became of an instance.
fn outcome(before: Option<&Arc<Entry>>, after: &Arc<Entry>) -> Reloaded {
    match (&after.standing, before) {
        (Standing::Removed(_), _) => Reloaded::Removed,
        (Standing::Refused(_), _) => Reloaded::Refused,
        (_, Some(before)) if Arc::ptr_eq(before, after) && after.was_kept() => Reloaded::Kept,
        (_, Some(before)) if Arc::ptr_eq(before, after) => Reloaded::Unchanged,
        _ => Reloaded::TakenUp,
    }
}

/// Looks at the folders again and again, while there is a host.
async fn keep_watch(host: Weak<Inner>, mut watch: Watch, period: Duration) {
    loop {
        tokio::time::sleep(period).await;
        let looked = tokio::task::spawn_blocking(move || {
            let settled = watch.look();
            (watch, settled)
        });
        let Ok((back, settled)) = looked.await else { return tracing::error!("the watch over plugin folders panicked and has ended") };
        watch = back;
        let Some(inner) = host.upgrade() else { return };
        if !settled.is_empty()
            && let Err(error) = (PluginHost { inner }).take_up(&Which::In(settled)).await
        {
            tracing::warn!("changed plugins are not taken up: {error}");
        }
    }
}

fn handler(active: &Active) -> Option<Arc<AlertHandler>> {
    if let Active::AlertHandler(handler) = active { Some(handler.clone()) } else { None }
}
