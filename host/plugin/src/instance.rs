//! One instance of a plugin: its configuration, grants and limits, and whether it is in service.
//!
//! An instance never changes: a new component or configuration makes another one in its place, which knows the one before
//! and gives way to it should it fail within its first calls.

use std::sync::Arc;

use arc_swap::ArcSwapOption;
use bellwether_domain::model::PluginStamp;
use bellwether_domain::{Error, Result};
use serde_json::Value;

use crate::call::Unit;
use crate::config::{PluginsConfig, Said};
use crate::contract::Shape;
use crate::discover::{Found, Planned};
use crate::engine::Core;
use crate::grant::Granted;
use crate::host::log::LogGate;
use crate::limits::Limits;
use crate::load::{Facts, Loaded, Worlds};
use crate::manifest::{Kind, Manifest};
use crate::meter::Meter;
use crate::schema::Schema;
use crate::state::Identity;
use crate::{AlertHandler, DriftDetector, DriftTest, GrantUse, ModelPlugin, PluginInfo, PluginMetrics, Strategy};

/// A plugin whose instances are to be made.
#[derive(Debug)]
pub(crate) struct Plugin {
    pub(crate) found: Found,
    pub(crate) facts: Facts,
    /// The plugin, or why it was refused.
    pub(crate) loaded: Result<Loaded, String>,
    /// It was there, and its folder is gone.
    pub(crate) gone: bool,
}

/// An instance as it is listed and called.
#[derive(Debug)]
pub(crate) struct Entry {
    pub(crate) name: String,
    pub(crate) kind: Kind,
    pub(crate) plugin: Arc<Plugin>,
    summary: String,
    granted: Granted,
    withheld: Vec<String>,
    limits: Limits,
    pub(crate) schema: Option<Arc<Schema>>,
    /// The manifest's configuration, the operator's, and what was said since the host runs.
    pub(crate) layers: [Value; 3],
    config: Value,
    pub(crate) said: Said,
    pub(crate) standing: Standing,
    meter: Arc<Meter>,
    /// What the operator should know of it although it is in service.
    note: ArcSwapOption<String>,
    /// What served before, until this one has stood its first calls.
    previous: ArcSwapOption<Entry>,
}

/// Whether an instance is in service.
#[derive(Debug)]
pub(crate) enum Standing {
    Active(Active, Arc<Unit>),
    /// Out of service by the operator's word or for want of one.
    Disabled(String),
    /// The plugin cannot be used.
    Refused(String),
    /// The plugin is gone; known still for what was made with it.
    Removed(String),
}

/// An instance in service, by kind.
#[derive(Debug)]
pub(crate) enum Active {
    Model(Arc<ModelPlugin>),
    DriftTest(Arc<DriftTest>),
    DriftDetector(Arc<DriftDetector>),
    AlertHandler(Arc<AlertHandler>),
    DeploymentStrategy(Arc<Strategy>),
}

impl Plugin {
    pub(crate) fn manifest(&self) -> Option<&Manifest> {
        self.found.manifest.as_ref().ok()
    }

    /// Its version, as far as it is known.
    pub(crate) fn version(&self) -> &str {
        self.manifest().map_or("", |manifest| &manifest.version)
    }
}

impl Entry {
    /// Makes an instance, counted together with the one `before` it. Errors are the operator's: grants, secrets,
    /// configuration in the file (field `plugins.instance.<name>…`) or said later (field `config…`).
    pub(crate) fn new(
        core: &Arc<Core>,
        config: &PluginsConfig,
        planned: &Planned,
        plugin: &Arc<Plugin>,
        said: &Said,
        before: Option<&Arc<Entry>>,
    ) -> Result<Entry> {
        let instance = &planned.instance;
        let manifest = plugin.manifest();
        let wants = manifest.map(|manifest| manifest.wants.clone()).unwrap_or_default();
        let wished = manifest.map(|manifest| manifest.limits.clone()).unwrap_or_default();
        let field = format!("plugins.instance.{}", instance.name);
        // Of a plugin whose manifest cannot be read it is unknown what it wants: nothing is granted and nothing is judged.
        let granted = match manifest {
            Some(_) => Granted::of(&field, &wants, &instance.grant, &config.environment)?,
            None => Granted::default(),
        };
        let mut entry = Entry {
            name: instance.name.clone(),
            kind: plugin.found.kind,
            plugin: plugin.clone(),
            summary: manifest.map(|manifest| manifest.summary.clone()).unwrap_or_default(),
            withheld: granted.withheld(&wants),
            granted,
            limits: Limits::effective(&core.ceiling, &wished, &instance.limits),
            schema: None,
            layers: [
                manifest.map(|manifest| as_json(&manifest.config)).unwrap_or_default(),
                as_json(&instance.config),
                Value::Object(said.config.clone()),
            ],
            config: as_json(&instance.config),
            said: said.clone(),
            standing: Standing::Refused(String::new()),
            meter: before.map(|before| before.meter.clone()).unwrap_or_default(),
            note: ArcSwapOption::empty(),
            previous: ArcSwapOption::empty(),
        };
        entry.standing = entry.stand(core, planned, &field)?;
        Ok(entry)
    }

    fn stand(&mut self, core: &Arc<Core>, planned: &Planned, field: &str) -> Result<Standing> {
        let plugin = self.plugin.clone();
        let loaded = match &plugin.loaded {
            Ok(loaded) => loaded,
            Err(why) if plugin.gone => return Ok(Standing::Removed(why.clone())),
            Err(why) => return Ok(Standing::Refused(why.clone())),
        };
        let digest = &plugin.facts.digest;
        if let Some(pinned) = &planned.instance.digest
            && !pinned.eq_ignore_ascii_case(digest)
        {
            return Ok(Standing::Refused(format!("its component has digest {digest}, the operator pinned {pinned}")));
        }
        self.summary.clone_from(&loaded.summary);
        self.schema = Some(loaded.schema.clone());
        let [written, operators, said] = &self.layers;
        if let Err(error) = loaded.schema.fill_partly("config", &[written]) {
            return Ok(Standing::Refused(format!("the configuration in its manifest does not fit its schema: {error}")));
        }
        let (mut filled, mut missing) = loaded.schema.fill_partly(&format!("{field}.config"), &[written, operators])?;
        if !self.said.config.is_empty() {
            (filled, missing) = loaded.schema.fill_partly("config", &[written, operators, said])?;
        }
        self.config = filled;
        match self.said.enabled {
            Some(false) => {
                let on = format!("`bellwether plugin enable {}` switches it on", self.name);
                return Ok(Standing::Disabled(format!("switched off while the host ran; {on}")));
            }
            None if !planned.instance.enabled => return Ok(Standing::Disabled("switched off: `enabled = false`".to_owned())),
            Some(true) | None => {}
        }
        // A handler is called with its own configuration alone; other kinds are given the rest with each call.
        let missing = missing.filter(|_| self.kind == Kind::AlertHandler);
        if let Some(missing) = &missing
            && planned.configured
        {
            return Err(missing.clone());
        }
        let mut wanting: Vec<String> =
            needed(&plugin.facts.shape, &self.granted).into_iter().map(|grant| format!("needs grant {grant}")).collect();
        wanting.extend(missing.map(|missing| format!("needs configuration ({missing})")));
        if !wanting.is_empty() {
            return Ok(Standing::Disabled(format!("{}; say so in a [[plugins.instance]] named `{}`", wanting.join(", "), self.name)));
        }
        let log = LogGate::new(self.limits.log_lines);
        let identity = Identity { name: self.name.clone(), granted: self.granted.clone(), log, now_ms: core.now_ms };
        let unit = Unit::counted_by(core.clone(), Arc::new(identity), self.limits.clone(), self.meter.clone());
        Ok(Standing::Active(Active::new(&loaded.worlds, &unit, &self.config), unit))
    }

    /// Lets what serves now come back should this one fail within its first calls.
    pub(crate) fn succeeds(&self, before: &Arc<Entry>) {
        let before = before.in_force();
        let both_serve = before.kind == self.kind && before.serves() && self.serves();
        if both_serve {
            // The one before has stood its own first calls, or is taken as it is: there is no chain of them.
            before.previous.store(None);
            self.previous.store(Some(before));
        }
    }

    /// Keeps what `before` knew of the one before it: only the configuration is another.
    pub(crate) fn inherits(&self, before: &Entry) {
        self.previous.store(before.previous.load_full());
    }

    /// This instance, or the one before it if this one failed within its first calls.
    pub(crate) fn in_force(self: &Arc<Entry>) -> Arc<Entry> {
        let Some(previous) = self.previous.load_full() else { return self.clone() };
        match self.stands() {
            Some(false) => previous,
            Some(true) => {
                self.previous.store(None);
                self.clone()
            }
            None => self.clone(),
        }
    }

    fn stands(&self) -> Option<bool> {
        if let Standing::Active(_, unit) = &self.standing { unit.stands() } else { None }
    }

    /// True while calls are taken.
    pub(crate) fn serves(&self) -> bool {
        matches!(self.standing, Standing::Active(..))
    }

    /// Says something of it, or nothing any more.
    pub(crate) fn noted(&self, note: Option<String>) {
        self.note.store(note.map(Arc::new));
    }

    /// True when a new component was refused in its favour.
    pub(crate) fn was_kept(&self) -> bool {
        self.note.load().is_some()
    }

    /// What the operator should know of the instance although one is in service.
    pub(crate) fn shown_note(self: &Arc<Entry>) -> Option<String> {
        if let Some(note) = self.note.load_full() {
            return Some(note.to_string());
        }
        let in_force = self.in_force();
        let back = !Arc::ptr_eq(&in_force, self);
        back.then(|| {
            let (new, old, faults) = (self.plugin.version(), in_force.plugin.version(), self.limits.faults);
            format!("rolled back to {old}: {new} ({}) failed {faults} times in a row within its first calls", self.plugin.facts.digest)
        })
    }

    /// What there is to know of what is in force now.
    pub(crate) fn info(self: &Arc<Entry>) -> PluginInfo {
        let mut info = self.in_force().own_info();
        info.problem = info.problem.or_else(|| self.shown_note());
        info
    }

    fn own_info(&self) -> PluginInfo {
        let (state, problem) = match &self.standing {
            Standing::Active(_, unit) => match unit.paused() {
                None => ("active", self.plugin.facts.notice.clone()),
                Some(seconds) => {
                    ("paused", Some(format!("it failed {} times in a row and is paused for {seconds} s more", self.limits.faults)))
                }
            },
            Standing::Disabled(why) => ("disabled", Some(why.clone())),
            Standing::Refused(why) => ("refused", Some(why.clone())),
            Standing::Removed(why) => ("removed", Some(why.clone())),
        };
        let (calls, faults) = self.meter.totals();
        let manifest = |read: fn(&Manifest) -> &String| self.plugin.manifest().map(read).cloned().unwrap_or_default();
        let facts = &self.plugin.facts;
        PluginInfo {
            name: self.name.clone(),
            plugin: self.plugin.found.name.clone(),
            version: self.plugin.version().to_owned(),
            kind: self.kind,
            summary: self.summary.clone(),
            state: state.to_owned(),
            problem,
            source: self.plugin.found.place.to_string(),
            licence: manifest(|manifest| &manifest.licence),
            contract: manifest(|manifest| &manifest.contract),
            digest: facts.digest.clone(),
            size_bytes: facts.size_bytes,
            imports: facts.shape.imports.clone(),
            exports: facts.shape.exports.clone(),
            granted: self.granted.to_json(),
            withheld: self.withheld.clone(),
            limits: self.limits.to_json(),
            config_schema: self.schema.as_ref().map(|schema| schema.document.clone()).unwrap_or_default(),
            config: self.config.clone(),
            calls,
            faults,
        }
    }

    /// What its calls came to.
    pub(crate) fn metrics(&self) -> PluginMetrics {
        let waiting = if let Standing::Active(_, unit) = &self.standing { unit.waiting() } else { 0 };
        self.meter.read(waiting)
    }

    /// What its manifest asks for, and what it may do with how often it did.
    pub(crate) fn grants(&self) -> (Vec<String>, Vec<GrantUse>) {
        // Without any grant all that is asked for is withheld.
        let asked = self.plugin.manifest().map(|manifest| Granted::default().withheld(&manifest.wants)).unwrap_or_default();
        (asked, self.granted.uses())
    }

    /// The instance in service; else the error that says why it is not.
    pub(crate) fn active(&self) -> Result<&Active> {
        match &self.standing {
            Standing::Active(active, _) => Ok(active),
            Standing::Disabled(why) => Err(Error::Unavailable(format!("plugin `{}` is disabled: {why}", self.name))),
            Standing::Refused(why) => Err(Error::Unavailable(format!("plugin `{}` was refused: {why}", self.name))),
            Standing::Removed(why) => Err(Error::Unavailable(format!("plugin `{}` was removed: {why}", self.name))),
        }
    }

    /// The identity of its plugin, under the instance's name: what is made with an instance is served by it.
    pub(crate) fn stamp(&self) -> Result<PluginStamp> {
        if let Standing::Refused(why) = &self.standing {
            return Err(Error::Unavailable(format!("plugin `{}` was refused: {why}", self.name)));
        }
        let version = self.plugin.version().to_owned();
        Ok(PluginStamp { name: self.name.clone(), version, digest: self.plugin.facts.digest.clone() })
    }
}

impl Active {
    pub(crate) fn new(worlds: &Worlds, unit: &Arc<Unit>, config: &Value) -> Active {
        let unit = unit.clone();
        match worlds {
            Worlds::Model(pre, estimator) => {
                Active::Model(Arc::new(ModelPlugin::new(unit, pre.0.clone(), estimator.as_ref().map(|pre| pre.0.clone()))))
            }
            Worlds::DriftTest(pre) => Active::DriftTest(Arc::new(DriftTest::new(unit, pre.0.clone()))),
            Worlds::DriftDetector(pre) => Active::DriftDetector(Arc::new(DriftDetector::new(unit, pre.0.clone()))),
            Worlds::AlertHandler(pre) => Active::AlertHandler(Arc::new(AlertHandler::new(unit, pre.0.clone(), config))),
            Worlds::DeploymentStrategy(pre) => Active::DeploymentStrategy(Arc::new(Strategy::new(unit, pre.clone()))),
        }
    }
}

/// Grants without which a component cannot do its work. Secrets are not among them: a secret that was not granted is one
/// that is not set, which the contract lets a plugin see.
fn needed(shape: &Shape, granted: &Granted) -> Vec<&'static str> {
    let http = shape.has_import("wasi:http/outgoing-handler") && granted.http.is_none();
    let clock = shape.has_import("bellwether:host/clock") && !granted.clock;
    [(http, "http (grant.http = [\"https://…\"])"), (clock, "clock (grant.clock = true)")]
        .into_iter()
        .filter_map(|(lacks, grant)| lacks.then_some(grant))
        .collect()
}

fn as_json(table: &toml::Table) -> Value {
    serde_json::to_value(table).unwrap_or_default()
}
