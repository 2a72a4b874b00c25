//! One instance of a plugin: its configuration, grants and limits, and whether it is in service.

use std::sync::Arc;

use bellwether_domain::{Error, Result};
use serde_json::Value;

use crate::call::Unit;
use crate::config::PluginsConfig;
use crate::contract::Shape;
use crate::discover::{Found, Planned};
use crate::engine::Core;
use crate::grant::Granted;
use crate::host::log::LogGate;
use crate::limits::Limits;
use crate::load::{Facts, Loaded, Worlds};
use crate::manifest::{Kind, Manifest};
use crate::schema::Schema;
use crate::state::Identity;
use crate::{AlertHandler, DriftDetector, DriftTest, ModelPlugin, PluginInfo, Strategy};

/// A plugin whose instances are to be made.
#[derive(Debug)]
pub(crate) struct Plugin {
    pub(crate) found: Found,
    pub(crate) facts: Facts,
    /// The plugin, or why it was refused.
    pub(crate) loaded: Result<Loaded, String>,
}

/// An instance as it is listed and called.
#[derive(Debug)]
pub(crate) struct Entry {
    pub(crate) name: String,
    pub(crate) kind: Kind,
    plugin: String,
    manifest: Option<Manifest>,
    source: String,
    facts: Facts,
    summary: String,
    granted: Value,
    withheld: Vec<String>,
    limits: Limits,
    pub(crate) schema: Option<Arc<Schema>>,
    /// The manifest's configuration, then the operator's.
    pub(crate) layers: [Value; 2],
    config: Value,
    pub(crate) standing: Standing,
}

/// Whether an instance is in service.
#[derive(Debug)]
pub(crate) enum Standing {
    Active(Active, Arc<Unit>),
    /// Out of service by the operator's word or for want of one.
    Disabled(String),
    /// The plugin cannot be used.
    Refused(String),
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

impl Entry {
    /// Makes an instance. Errors are the operator's: grants, secrets, configuration.
    pub(crate) fn new(core: &Arc<Core>, config: &PluginsConfig, planned: &Planned, plugin: &Plugin) -> Result<Entry> {
        let instance = &planned.instance;
        let manifest = plugin.found.manifest.as_ref().ok();
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
            plugin: plugin.found.name.clone(),
            manifest: manifest.cloned(),
            source: plugin.found.place.to_string(),
            facts: plugin.facts.clone(),
            summary: manifest.map(|manifest| manifest.summary.clone()).unwrap_or_default(),
            granted: granted.to_json(),
            withheld: granted.withheld(&wants),
            limits: Limits::effective(&core.ceiling, &wished, &instance.limits),
            schema: None,
            layers: [manifest.map(|manifest| as_json(&manifest.config)).unwrap_or_default(), as_json(&instance.config)],
            config: as_json(&instance.config),
            standing: Standing::Refused(String::new()),
        };
        entry.standing = entry.stand(core, planned, plugin, granted, &field)?;
        Ok(entry)
    }

    fn stand(&mut self, core: &Arc<Core>, planned: &Planned, plugin: &Plugin, granted: Granted, field: &str) -> Result<Standing> {
        let loaded = match &plugin.loaded {
            Ok(loaded) => loaded,
            Err(why) => return Ok(Standing::Refused(why.clone())),
        };
        if let Some(pinned) = &planned.instance.digest
            && !pinned.eq_ignore_ascii_case(&self.facts.digest)
        {
            return Ok(Standing::Refused(format!("its component has digest {}, the operator pinned {pinned}", self.facts.digest)));
        }
        self.summary.clone_from(&loaded.summary);
        self.schema = Some(loaded.schema.clone());
        if let Err(error) = loaded.schema.fill_partly("config", &[&self.layers[0]]) {
            return Ok(Standing::Refused(format!("the configuration in its manifest does not fit its schema: {error}")));
        }
        let (filled, missing) = loaded.schema.fill_partly(&format!("{field}.config"), &[&self.layers[0], &self.layers[1]])?;
        self.config = filled;
        if !planned.instance.enabled {
            return Ok(Standing::Disabled("switched off: `enabled = false`".to_owned()));
        }
        // A handler is called with its own configuration alone; other kinds are given the rest with each call.
        let missing = missing.filter(|_| self.kind == Kind::AlertHandler);
        if let Some(missing) = &missing
            && planned.configured
        {
            return Err(missing.clone());
        }
        let mut wanting: Vec<String> =
            needed(&self.facts.shape, &granted).into_iter().map(|grant| format!("needs grant {grant}")).collect();
        wanting.extend(missing.map(|missing| format!("needs configuration ({missing})")));
        if !wanting.is_empty() {
            return Ok(Standing::Disabled(format!("{}; say so in a [[plugins.instance]] named `{}`", wanting.join(", "), self.name)));
        }
        let identity = Identity { name: self.name.clone(), granted, log: LogGate::new(self.limits.log_lines), now_ms: core.now_ms };
        let unit = Unit::new(core.clone(), Arc::new(identity), self.limits.clone());
        Ok(Standing::Active(Active::new(&loaded.worlds, &unit, &self.config), unit))
    }

    /// What there is to know of it now.
    pub(crate) fn info(&self) -> PluginInfo {
        let (state, problem) = match &self.standing {
            Standing::Active(_, unit) => match unit.paused() {
                None => ("active", self.facts.notice.clone()),
                Some(seconds) => {
                    ("paused", Some(format!("it failed {} times in a row and is paused for {seconds} s more", self.limits.faults)))
                }
            },
            Standing::Disabled(why) => ("disabled", Some(why.clone())),
            Standing::Refused(why) => ("refused", Some(why.clone())),
        };
        let (calls, faults) = match &self.standing {
            Standing::Active(_, unit) => unit.counts(),
            Standing::Disabled(_) | Standing::Refused(_) => (0, 0),
        };
        let manifest = |read: fn(&Manifest) -> &String| self.manifest.as_ref().map(read).cloned().unwrap_or_default();
        PluginInfo {
            name: self.name.clone(),
            plugin: self.plugin.clone(),
            version: manifest(|manifest| &manifest.version),
            kind: self.kind,
            summary: self.summary.clone(),
            state: state.to_owned(),
            problem,
            source: self.source.clone(),
            licence: manifest(|manifest| &manifest.licence),
            contract: manifest(|manifest| &manifest.contract),
            digest: self.facts.digest.clone(),
            size_bytes: self.facts.size_bytes,
            imports: self.facts.shape.imports.clone(),
            exports: self.facts.shape.exports.clone(),
            granted: self.granted.clone(),
            withheld: self.withheld.clone(),
            limits: self.limits.to_json(),
            config_schema: self.schema.as_ref().map(|schema| schema.document.clone()).unwrap_or_default(),
            config: self.config.clone(),
            calls,
            faults,
        }
    }

    /// The instance in service; else the error that says why it is not.
    pub(crate) fn active(&self) -> Result<&Active> {
        match &self.standing {
            Standing::Active(active, _) => Ok(active),
            Standing::Disabled(why) => Err(Error::Unavailable(format!("plugin `{}` is disabled: {why}", self.name))),
            Standing::Refused(why) => Err(Error::Unavailable(format!("plugin `{}` was refused: {why}", self.name))),
        }
    }

    /// The identity of its plugin, under the instance's name: what is made with an instance is served by it.
    pub(crate) fn stamp(&self) -> Result<bellwether_domain::model::PluginStamp> {
        if let Standing::Refused(why) = &self.standing {
            return Err(Error::Unavailable(format!("plugin `{}` was refused: {why}", self.name)));
        }
        let version = self.manifest.as_ref().map(|manifest| manifest.version.clone()).unwrap_or_default();
        Ok(bellwether_domain::model::PluginStamp { name: self.name.clone(), version, digest: self.facts.digest.clone() })
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
