//! `bellwether plugin inspect` of a folder or a component by itself, without a host.
//!
//! Of the plugin's functions only `describe` is called, under its limits and with every grant withheld. Whatever a host would
//! refuse is told as its problem, beside all that is known nevertheless.

use std::path::Path;
use std::sync::Arc;

use bellwether_domain::{Error, Result};
use serde::Serialize;
use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::bindings::base::BasePre;
use crate::cache::Cache;
use crate::config::{Grant, PluginsConfig, Signatures};
use crate::contract::{KINDS, Shape, check_shape, exports_of, version_of};
use crate::discover::in_folder;
use crate::engine::Core;
use crate::grant::Granted;
use crate::limits::{Limits, check_ceiling};
use crate::load::{Facts, Loaded, Place, compile, describe, load};
use crate::manifest::{Kind, Manifest, WantedLimits, Wants};
use crate::schema::Schema;

/// What there is to know of a plugin that no host has loaded. What could not be found out is empty.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Inspection {
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: String,
    /// Its kind.
    pub kind: Option<Kind>,
    /// One sentence.
    pub summary: String,
    /// The component's file.
    pub component: String,
    /// Its size.
    pub size_bytes: u64,
    /// Its SHA-256, in hex.
    pub digest: String,
    /// Contract version: the manifest's, else that of the kind's own export.
    pub contract: String,
    /// SPDX licence; a component alone does not say.
    pub licence: String,
    /// Interfaces it imports.
    pub imports: Vec<String>,
    /// Interfaces it exports.
    pub exports: Vec<String>,
    /// Grants it wants, as `plugin inspect` of a host names them; of a component alone, those its imports could use.
    pub wants: Vec<String>,
    /// Limits it would run under, below the ceiling of these settings.
    pub limits: Value,
    /// JSON Schema of its configuration.
    pub config_schema: Value,
    /// Why a host would refuse it.
    pub problem: Option<String>,
    /// What a host would tell of it and load it all the same.
    pub notice: Option<String>,
}

/// The SHA-256 of a component, in hex: what instances are pinned by.
pub fn digest(component: &[u8]) -> String {
    hex::encode(Sha256::digest(component))
}

/// Inspects a plugin's folder or a component's file. Errors: there is neither, or `config` is wrong.
pub async fn inspect(path: &Path, config: &PluginsConfig) -> Result<Inspection> {
    check_ceiling(&config.ceiling)?;
    // A component alone has no place for a signature.
    let signatures = if path.is_dir() { config.signatures } else { Signatures::Off };
    let core = Core::new(&PluginsConfig { signatures, ..config.clone() })?;
    let cache = Cache::open(&config.cache);
    let inspection = if path.is_dir() {
        folder(path, &core, &cache).await
    } else if path.is_file() {
        component(path, &core, &cache).await
    } else {
        return Err(Error::NotFound { what: "plugin's folder or component", id: path.display().to_string(), hint: None });
    };
    core.close().await;
    Ok(inspection)
}

async fn folder(path: &Path, core: &Arc<Core>, cache: &Cache) -> Inspection {
    let found = in_folder(path);
    let manifest = match found.manifest {
        Ok(manifest) => manifest,
        Err(why) => return Inspection { name: found.name, problem: Some(why), ..Inspection::default() },
    };
    let mut facts = Facts::default();
    let loaded = load(core, cache, &manifest, &found.place, &mut facts).await;
    let notice = facts.notice.clone();
    let mut inspection = known(&manifest, facts, core);
    inspection.component = path.join(&manifest.component).display().to_string();
    inspection.wants = Granted::of("", &manifest.wants, &Grant::default(), &std::collections::BTreeMap::new())
        .map(|nothing| nothing.withheld(&manifest.wants))
        .unwrap_or_default();
    match loaded {
        Ok(Loaded { summary, schema, .. }) => {
            inspection.notice = notice;
            inspection.summary = summary;
            inspection.config_schema = schema.document.clone();
        }
        Err(why) => inspection.problem = Some(why),
    }
    inspection
}

fn known(manifest: &Manifest, facts: Facts, core: &Core) -> Inspection {
    Inspection {
        name: manifest.name.clone(),
        version: manifest.version.clone(),
        kind: Some(manifest.kind),
        summary: manifest.summary.clone(),
        component: manifest.component.clone(),
        size_bytes: facts.size_bytes,
        digest: facts.digest,
        contract: manifest.contract.clone(),
        licence: manifest.licence.clone(),
        imports: facts.shape.imports,
        exports: facts.shape.exports,
        limits: Limits::effective(&core.ceiling, &manifest.limits, &WantedLimits::default()).to_json(),
        ..Inspection::default()
    }
}

/// A component without a manifest: what it exports says of which kind it is, and its `describe` who.
async fn component(path: &Path, core: &Arc<Core>, cache: &Cache) -> Inspection {
    let file = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let place = Place::Folder(path.parent().unwrap_or(Path::new("")).to_owned());
    // Stands in for what a manifest would say, until the component has said it.
    let mut manifest = Manifest {
        name: "component".to_owned(),
        version: String::new(),
        kind: Kind::Model,
        component: file,
        contract: String::new(),
        licence: String::new(),
        summary: String::new(),
        config: toml::Table::new(),
        wants: Wants::default(),
        limits: WantedLimits::default(),
        build: None,
    };
    let mut facts = Facts::default();
    let compiled = compile(core, cache, &manifest, &place, &mut facts).await;
    if let Ok(component) = &compiled {
        facts.shape = Shape::of(&core.engine, component);
    }
    let kind = kind_of(&facts.shape);
    manifest.kind = kind.unwrap_or(Kind::Model);
    let mut inspection = Inspection { name: String::new(), kind, ..known(&manifest, facts.clone(), core) };
    inspection.component = path.display().to_string();
    inspection.contract = kind.map(|kind| contract(kind, &facts.shape)).unwrap_or_default();
    inspection.wants = usable(&facts.shape);
    let described = async {
        let component = compiled?;
        let kind = kind.ok_or_else(|| format!("it exports the functions of no kind of plugin: {}", listed(&facts.shape.exports)))?;
        check_shape(kind, &facts.shape)?;
        let pre = core.linker.instantiate_pre(&component).map_err(|error| format!("it cannot be linked: {error:#}"))?;
        let base = BasePre::new(pre).map_err(|error| format!("its exports do not match the contract: {error:#}"))?;
        let description = describe(core, &manifest, &base).await.map_err(|error| error.to_string())?;
        let schema = Schema::parse(&description.config_schema).map_err(|why| format!("its `config-schema` cannot be used: {why}"))?;
        Ok::<_, String>((description, schema.document))
    };
    match described.await {
        Ok((description, schema)) => {
            inspection.name = description.name;
            inspection.version = description.version;
            inspection.summary = description.summary;
            inspection.config_schema = schema;
        }
        Err(why) => inspection.problem = Some(why),
    }
    inspection
}

fn kind_of(shape: &Shape) -> Option<Kind> {
    KINDS.into_iter().find(|kind| exports_of(*kind).iter().skip(1).all(|export| shape.has_export(export)))
}

/// The version of the interface that makes it one of its kind.
fn contract(kind: Kind, shape: &Shape) -> String {
    let own = |export: &&String| exports_of(kind).last().is_some_and(|wanted| export.split('@').next() == Some(wanted));
    shape.exports.iter().find(own).map(|export| version_of(export).to_owned()).unwrap_or_default()
}

fn usable(shape: &Shape) -> Vec<String> {
    [("http", "wasi:http/outgoing-handler"), ("secrets", "bellwether:host/secrets"), ("clock", "bellwether:host/clock")]
        .into_iter()
        .filter(|(_, interface)| shape.has_import(interface))
        .map(|(grant, _)| grant.to_owned())
        .collect()
}

fn listed(names: &[String]) -> String {
    if names.is_empty() { "it exports nothing".to_owned() } else { names.join(", ") }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shape(imports: &[&str], exports: &[&str]) -> Shape {
        let owned = |list: &[&str]| list.iter().map(|name| (*name).to_owned()).collect();
        Shape { imports: owned(imports), exports: owned(exports) }
    }

    #[test]
    fn exports_tell_kind_and_contract() {
        let plugin = "bellwether:types/plugin@0.1.0";
        let check = |exports: &[&str], expected: Option<(Kind, &str)>| {
            let shape = shape(&[], exports);
            let found = kind_of(&shape).map(|kind| (kind, contract(kind, &shape)));
            assert_eq!(found, expected.map(|(kind, version)| (kind, version.to_owned())), "{exports:?}");
        };
        check(&[plugin, "bellwether:drift/test@0.1.0"], Some((Kind::DriftTest, "0.1.0")));
        check(&[plugin, "bellwether:deploy/strategy@0.2.0"], Some((Kind::DeploymentStrategy, "0.2.0")));
        check(&[plugin, "bellwether:model/planner@0.1.0", "bellwether:model/estimator@0.1.0"], Some((Kind::Model, "0.1.0")));
        check(&[plugin], None);
    }

    #[test]
    fn imports_tell_what_could_be_granted() {
        let shape = shape(&["bellwether:host/log@0.1.0", "wasi:http/outgoing-handler@0.2.12", "bellwether:host/clock@0.1.0"], &[]);
        assert_eq!(usable(&shape), ["http", "clock"]);
    }
}
