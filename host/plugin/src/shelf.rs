//! The plugins that were found and loaded, and how a changed one is taken up: loaded beside the one that serves, tried, put
//! in its place in one step. Calls under way hold what they began with and end on it.
//!
//! A new component that is refused, or under which an instance could not serve as it does, changes nothing but what the
//! instance has to say. One change is made at a time; who looks something up meanwhile waits for none.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use bellwether_domain::{Error, Result};
use futures_util::StreamExt;

use crate::cache::Cache;
use crate::config::{PluginsConfig, Said};
use crate::discover::{self, Found, Planned, key};
use crate::engine::Core;
use crate::info::Bundled;
use crate::instance::{Entry, Plugin};
use crate::load::{Facts, Place, load};
use crate::stock;

/// Components compiled at once.
const COMPILING: usize = 2;

/// Instances by [`key`].
pub(crate) type Entries = BTreeMap<String, Arc<Entry>>;

/// Plugins to look at again; new and vanished ones are noticed whatever is asked for.
#[derive(Debug)]
pub(crate) enum Which {
    All,
    Named(String),
    In(BTreeSet<PathBuf>),
}

/// What was found and loaded, and with what it is to be found again.
#[derive(Debug)]
pub(crate) struct Shelf {
    core: Arc<Core>,
    cache: Cache,
    config: PluginsConfig,
    bundled: Vec<Bundled>,
    plugins: Vec<Arc<Plugin>>,
}

impl Shelf {
    /// Loads everything. Errors are those of the configuration.
    pub(crate) async fn open(core: Arc<Core>, mut config: PluginsConfig, bundled: &[Bundled]) -> Result<(Shelf, Entries)> {
        config.said = config.said.into_iter().map(|(name, said)| (key(&name), said)).collect();
        let found = discover::plugins(&config, bundled, &stock::lay_out(&config).await?)?;
        let planned = discover::instances(&config, &found)?;
        let wanted: BTreeSet<usize> = planned.iter().map(|planned| planned.plugin).collect();
        let loading = found.iter().enumerate().filter(|(place, _)| wanted.contains(place)).map(|(_, found)| found.clone());
        let cache = Cache::open(&config.cache);
        let plugins: Vec<Arc<Plugin>> = load_all(&core, &cache, loading.collect()).await.into_iter().map(Arc::new).collect();
        let shelf = Shelf { core, cache, config, bundled: bundled.to_vec(), plugins };
        let mut entries = Entries::new();
        for planned in &planned {
            let plugin = shelf.plugin(&found[planned.plugin].name)?;
            let entry = shelf.first(planned, plugin)?;
            entries.insert(key(&entry.name), Arc::new(entry));
        }
        Ok((shelf, entries))
    }

    /// An instance as it opens. What was said while an earlier host ran and does not fit any more is no reason not to open.
    fn first(&self, planned: &Planned, plugin: &Arc<Plugin>) -> Result<Entry> {
        let said = self.said(&planned.instance.name);
        match Entry::new(&self.core, &self.config, planned, plugin, &said, None) {
            Err(error) if !said.config.is_empty() => {
                let without = Said { config: serde_json::Map::new(), ..said };
                let entry = Entry::new(&self.core, &self.config, planned, plugin, &without, None)?;
                let note = format!("the configuration that was set while the host ran does not fit any more and is left out: {error}");
                tracing::warn!(plugin.name = entry.name, "{note}");
                entry.noted(Some(note));
                Ok(entry)
            }
            outcome => outcome,
        }
    }

    fn said(&self, name: &str) -> Said {
        self.config.said.get(&key(name)).cloned().unwrap_or_default()
    }

    fn plugin(&self, name: &str) -> Result<&Arc<Plugin>> {
        let known = || self.plugins.iter().map(|plugin| plugin.found.name.as_str());
        self.plugins.iter().find(|plugin| plugin.found.name == name).ok_or_else(|| Error::unknown("plugin", name, known()))
    }

    /// Looks at plugins again and gives the instances as they shall be. Errors: the folders cannot be read, or hold two
    /// plugins of one name; then nothing changes.
    pub(crate) async fn take_up(&mut self, which: &Which, entries: &Entries) -> Result<Entries> {
        let found = self.look().await?;
        let (mut kept, mut fresh) = (Vec::new(), Vec::new());
        for found in found {
            match self.plugins.iter().find(|plugin| plugin.found.name == found.name && !plugin.gone) {
                Some(plugin) if !which.means(plugin, &found) => kept.push(plugin.clone()),
                _ => fresh.push(found),
            }
        }
        let fresh = load_all(&self.core, &self.cache, fresh).await;
        let mut refused = BTreeMap::new();
        for plugin in fresh {
            kept.push(self.judged(plugin, entries, &mut refused));
        }
        for old in &self.plugins {
            if !kept.iter().any(|plugin| plugin.found.name == old.found.name) {
                kept.push(if old.gone { old.clone() } else { Arc::new(gone(old)) });
            }
        }
        kept.sort_by(|a, b| a.found.name.cmp(&b.found.name));
        let all: Vec<Found> = kept.iter().map(|plugin| plugin.found.clone()).collect();
        let planned = discover::instances(&self.config, &all)?;
        let next = planned.iter().filter_map(|planned| {
            let plugin = &kept[planned.plugin];
            let entry = self.renewed(planned, plugin, entries.get(&key(&planned.instance.name)), refused.get(&plugin.found.name))?;
            Some((key(&entry.name), entry))
        });
        let next = next.collect();
        self.plugins = kept;
        Ok(next)
    }

    /// What the folders hold now. A manifest that cannot be read any more is still that of the plugin in its folder.
    async fn look(&self) -> Result<Vec<Found>> {
        let (config, bundled) = (self.config.clone(), self.bundled.clone());
        let packed = stock::lay_out(&config).await?;
        let looking = self.core.runtime().spawn_blocking(move || discover::plugins(&config, &bundled, &packed));
        let mut found = looking.await.map_err(Error::internal)??;
        for found in found.iter_mut().filter(|found| found.manifest.is_err()) {
            if let Some(old) = self.plugins.iter().find(|old| old.found.place.is_that_of(&found.place) && !old.gone) {
                found.name.clone_from(&old.found.name);
                found.kind = old.found.kind;
            }
        }
        Ok(found)
    }

    /// The plugin that is to serve: the new one; or the old one, if the new one is the same or was refused.
    fn judged(&self, new: Plugin, entries: &Entries, refused: &mut BTreeMap<String, String>) -> Arc<Plugin> {
        let name = new.found.name.clone();
        let old = self.plugins.iter().find(|plugin| plugin.found.name == name && !plugin.gone && plugin.loaded.is_ok());
        let Some(old) = old else { return Arc::new(new) };
        if let Err(why) = &new.loaded {
            refused.insert(name, why.clone());
            return old.clone();
        }
        let own = || entries.values().filter(|entry| Arc::ptr_eq(&entry.plugin, old));
        let same = old.facts.digest == new.facts.digest && old.found.manifest == new.found.manifest;
        // What was rolled back is tried again when it is asked for again.
        let rolled_back = own().any(|entry| !Arc::ptr_eq(&entry.in_force(), entry));
        if !same || rolled_back {
            return Arc::new(new);
        }
        own().for_each(|entry| entry.noted(None));
        old.clone()
    }

    /// An instance after its plugin was looked at.
    fn renewed(
        &self,
        planned: &Planned,
        plugin: &Arc<Plugin>,
        before: Option<&Arc<Entry>>,
        refused: Option<&String>,
    ) -> Option<Arc<Entry>> {
        if let Some(before) = before
            && Arc::ptr_eq(&before.plugin, plugin)
        {
            if let Some(why) = refused {
                keep(before, why);
            }
            return Some(before.clone());
        }
        let said = self.said(&planned.instance.name);
        let made = Entry::new(&self.core, &self.config, planned, plugin, &said, before);
        let in_force = before.map(Entry::in_force);
        let served = in_force.as_ref().is_some_and(|entry| entry.serves()) && !plugin.gone;
        match (made, before) {
            (Ok(entry), Some(before)) if served && !entry.serves() => {
                keep(before, &entry.active().err().map(|error| error.to_string()).unwrap_or_default());
                Some(before.clone())
            }
            (Ok(entry), before) => {
                if let Some(before) = before {
                    entry.succeeds(before);
                    self.core.counters.reloaded.fetch_add(u64::from(entry.serves()), Ordering::Relaxed);
                }
                tracing::info!(plugin.name = entry.name, plugin.version = plugin.version(), "plugin taken up");
                Some(Arc::new(entry))
            }
            (Err(error), Some(before)) => {
                keep(before, &error.to_string());
                Some(before.clone())
            }
            (Err(error), None) => {
                tracing::warn!(plugin.name = planned.instance.name, "a new plugin cannot be taken up: {error}");
                None
            }
        }
    }

    /// What is said of an instance from now on, and the instance as it shall be. Errors: its configuration does not fit
    /// (field `config…`); then nothing changes.
    pub(crate) fn say(&mut self, before: &Arc<Entry>, said: Said) -> Result<Arc<Entry>> {
        let in_force = before.in_force();
        let rolled_back = !Arc::ptr_eq(&in_force, before);
        let all: Vec<Found> = self.plugins.iter().map(|plugin| plugin.found.clone()).collect();
        let planned = discover::instances(&self.config, &all)?;
        let planned = planned.iter().find(|planned| key(&planned.instance.name) == key(&before.name));
        let planned = planned.ok_or_else(|| Error::not_found("plugin", &before.name))?;
        let mut entry = Entry::new(&self.core, &self.config, planned, &in_force.plugin, &said, Some(before))?;
        if let Some(newest) = self.plugins.iter_mut().find(|plugin| plugin.found.name == before.plugin.found.name) {
            if rolled_back {
                // The component that failed is tried again when it is asked for, and not by the way.
                entry.noted(before.shown_note());
                *newest = in_force.plugin.clone();
            } else if Arc::ptr_eq(newest, &in_force.plugin) {
                entry.inherits(before);
            } else if let Ok(newer) = Entry::new(&self.core, &self.config, planned, newest, &said, Some(before))
                && (newer.serves() || !entry.serves())
            {
                // What was refused for its configuration may fit now.
                newer.succeeds(before);
                entry = newer;
            } else {
                entry.noted(before.shown_note());
            }
        }
        self.config.said.insert(key(&before.name), said);
        Ok(Arc::new(entry))
    }
}

impl Which {
    fn means(&self, plugin: &Plugin, found: &Found) -> bool {
        let changed_place = plugin.found.place != found.place;
        changed_place
            || match (self, &found.place) {
                (_, Place::BuiltIn(_)) => false,
                (Which::All, Place::Folder(_) | Place::Unpacked(..)) => true,
                (Which::Named(name), Place::Folder(_) | Place::Unpacked(..)) => key(name) == key(&found.name),
                (Which::In(folders), Place::Folder(folder)) => folders.contains(folder),
                // What it was made of never changes: another file is laid out elsewhere.
                (Which::In(_), Place::Unpacked(..)) => false,
            }
    }
}

fn keep(before: &Arc<Entry>, why: &str) {
    let version = before.in_force().plugin.version().to_owned();
    let note = format!("kept {version}: the new one was refused because {why}");
    tracing::warn!(plugin.name = before.name, "{note}");
    before.noted(Some(note));
}

fn gone(old: &Plugin) -> Plugin {
    tracing::info!(plugin.name = old.found.name, "plugin removed");
    let why = format!("{} is gone; what was made with it keeps its digest", old.found.place);
    Plugin { found: old.found.clone(), facts: old.facts.clone(), loaded: Err(why), gone: true }
}

async fn load_all(core: &Arc<Core>, cache: &Cache, found: Vec<Found>) -> Vec<Plugin> {
    let loading: Vec<_> = found.into_iter().map(|found| load_one(core, cache, found)).collect();
    futures_util::stream::iter(loading).buffer_unordered(COMPILING).collect().await
}

async fn load_one(core: &Arc<Core>, cache: &Cache, found: Found) -> Plugin {
    let mut facts = Facts::default();
    let loaded = match &found.manifest {
        Ok(manifest) => load(core, cache, manifest, &found.place, &mut facts).await,
        Err(why) => Err(why.clone()),
    };
    if let Err(why) = &loaded {
        tracing::warn!(plugin.name = found.name, "plugin refused: {why}");
    }
    Plugin { found, facts, loaded, gone: false }
}
