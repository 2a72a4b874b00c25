//! `bellwether plugin check`: loads one plugin folder the way a host would and tries it on hostile input.
//!
//! A finding passes when the plugin kept the contract: on ordinary input it answers, on hostile input it answers or says
//! in the contract's own errors why not, and the same arguments give the same answer in every instance. Traps, time-outs,
//! breaches of limits and malformed answers never pass.

use std::path::Path;
use std::sync::Arc;

use bellwether_domain::error::PluginFault;
use bellwether_domain::{Error, Result};
use serde::Serialize;
use serde_json::Value;

use crate::PluginsConfig;
use crate::cache::Cache;
use crate::call::Unit;
use crate::discover::{in_folder, key};
use crate::engine::Core;
use crate::grant::Granted;
use crate::host::log::LogGate;
use crate::instance::Active;
use crate::limits::{Limits, check_ceiling};
use crate::load::{Facts, Loaded, describe, load};
use crate::manifest::{Kind, Manifest};
use crate::state::Identity;

mod input;
mod trial;

/// One thing that was tried.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Finding {
    /// What was tried.
    pub what: String,
    /// It held.
    pub passed: bool,
    /// What happened.
    pub detail: String,
}

/// What was found so far.
#[derive(Debug, Default)]
struct Findings(Vec<Finding>);

impl Findings {
    fn add(&mut self, what: impl Into<String>, passed: bool, detail: impl Into<String>) {
        self.0.push(Finding { what: what.into(), passed, detail: detail.into() });
    }

    /// Ordinary input: only an answer passes.
    fn ordinary<T>(&mut self, what: &str, outcome: Result<T>) -> Option<T> {
        match outcome {
            Ok(answer) => {
                self.add(what, true, "answered");
                Some(answer)
            }
            Err(error) => {
                self.add(what, false, error.to_string());
                None
            }
        }
    }

    /// Hostile input: an answer passes, and so does an error of the contract.
    fn hostile<T>(&mut self, what: &str, outcome: Result<T>) {
        match outcome {
            Ok(_) => self.add(what, true, "answered"),
            Err(Error::Plugin { fault: PluginFault::Answered(code, message), .. }) => {
                self.add(what, true, format!("declined ({code}): {message}"))
            }
            Err(error) => self.add(what, false, error.to_string()),
        }
    }

    /// Two calls with the same arguments.
    fn same<T: PartialEq>(&mut self, what: &str, first: &T, second: Result<T>) {
        match second {
            Ok(second) if second == *first => self.add(what, true, "the same answer from two instances"),
            Ok(_) => self.add(what, false, "two instances gave different answers to the same arguments"),
            Err(error) => self.add(what, false, error.to_string()),
        }
    }
}

/// Checks the plugin in `folder` (a `plugin.toml` and its component): manifest, component, contract version, exports,
/// imports against wants, `describe`, schema, determinism, and per kind a few calls on ordinary and hostile input.
/// Errors are those of `config` alone; whatever is wrong with the plugin is a finding.
pub async fn check(folder: &Path, config: &PluginsConfig) -> Result<Vec<Finding>> {
    check_ceiling(&config.ceiling)?;
    let mut findings = Findings::default();
    let found = in_folder(folder);
    let manifest = match found.manifest {
        Ok(manifest) => manifest,
        Err(why) => {
            findings.add("manifest", false, why);
            return Ok(findings.0);
        }
    };
    findings.add(
        "manifest",
        true,
        format!("{} {}, kind {}, contract {}", manifest.name, manifest.version, manifest.kind, manifest.contract),
    );
    let core = Core::new(config)?;
    let mut facts = Facts::default();
    let loaded = match load(&core, &Cache::open(&config.cache), &manifest, &found.place, &mut facts).await {
        Ok(loaded) => loaded,
        Err(why) => {
            findings.add("component", false, why);
            return Ok(findings.0);
        }
    };
    findings.add("component", true, format!("{} bytes, SHA-256 {}", facts.size_bytes, facts.digest));
    findings.add("exports", true, facts.shape.exports.join(", "));
    findings.add("imports", true, if facts.shape.imports.is_empty() { "none".to_owned() } else { facts.shape.imports.join(", ") });
    wants(&mut findings, &manifest, &facts);
    described(&mut findings, &core, &manifest, &loaded).await;
    if let Some((active, settings)) = ready(&mut findings, &core, config, &manifest, &loaded)? {
        trial::run(&mut findings, &active, &settings).await;
    }
    core.close().await;
    Ok(findings.0)
}

/// What the component can use against what the manifest asks for, both ways.
fn wants(findings: &mut Findings, manifest: &Manifest, facts: &Facts) {
    let asked = [
        ("http", "wasi:http/outgoing-handler", !manifest.wants.http.is_empty()),
        ("secrets", "bellwether:host/secrets", !manifest.wants.secrets.is_empty()),
        ("clock", "bellwether:host/clock", manifest.wants.clock),
    ];
    for (want, interface, wanted) in asked {
        let imported = facts.shape.has_import(interface);
        let what = format!("wants.{want} agrees with the imports");
        match (imported, wanted) {
            (true, false) => {
                findings.add(what, false, format!("it imports {interface}, but the manifest does not ask for it: add wants.{want}"))
            }
            (false, true) => {
                findings.add(what, false, format!("the manifest asks for {want}, but the component does not import {interface}"))
            }
            (true, true) => findings.add(what, true, "asked for and imported"),
            (false, false) => findings.add(what, true, "neither asked for nor imported"),
        }
    }
}

async fn described(findings: &mut Findings, core: &Arc<Core>, manifest: &Manifest, loaded: &Loaded) {
    let first = describe(core, manifest, &loaded.base.0).await;
    let Some(first) = findings.ordinary("describe", first) else { return };
    findings.same("describe says the same every time", &first, describe(core, manifest, &loaded.base.0).await);
    let has_summary = !first.summary.trim().is_empty();
    findings.add("describe has a summary", has_summary, if has_summary { first.summary.as_str() } else { "it is empty" });
    let closed = loaded.schema.document.get("additionalProperties") == Some(&Value::Bool(false));
    let detail = if closed {
        "additionalProperties is false"
    } else {
        "add `\"additionalProperties\": false`, so that a mistyped setting is an error"
    };
    findings.add("the schema refuses unknown settings", closed, detail);
}

/// The plugin with the operator's grants and configuration, if there are any, and its defaults.
fn ready(
    findings: &mut Findings,
    core: &Arc<Core>,
    config: &PluginsConfig,
    manifest: &Manifest,
    loaded: &Loaded,
) -> Result<Option<(Active, Value)>> {
    let instance = config.instance.iter().find(|instance| key(&instance.name) == key(&manifest.name)).cloned();
    let instance = instance.unwrap_or_else(|| crate::discover::plain(&manifest.name));
    let granted = Granted::of(&format!("plugins.instance.{}", instance.name), &manifest.wants, &instance.grant, &config.environment)?;
    let layers = [as_json(&manifest.config), as_json(&instance.config)];
    let settings = match loaded.schema.fill_partly("config", &[&layers[0], &layers[1]]) {
        Ok((settings, None)) => {
            findings.add("configuration by defaults", true, settings.to_string());
            settings
        }
        Ok((_, Some(missing))) if instance.config.is_empty() => {
            let kept = manifest.kind == Kind::AlertHandler;
            findings.add(
                "configuration by defaults",
                kept,
                format!("{missing}; it was not tried further: give it in a [[plugins.instance]]"),
            );
            return Ok(None);
        }
        Ok((_, Some(error))) | Err(error) => {
            findings.add("configuration by defaults", false, error.to_string());
            return Ok(None);
        }
    };
    // Every trial is to be made, however many fail.
    let limits = Limits { faults: u32::MAX, ..Limits::effective(&core.ceiling, &manifest.limits, &instance.limits) };
    let identity =
        Identity { name: manifest.name.clone(), granted, log: LogGate::new(limits.log_lines), now_ms: config.now_ms.or(Some(|| 0)) };
    let unit = Unit::new(core.clone(), Arc::new(identity), limits);
    Ok(Some((Active::new(&loaded.worlds, &unit, &settings), settings)))
}

fn as_json(table: &toml::Table) -> Value {
    serde_json::to_value(table).unwrap_or_default()
}
