//! `bellwether plugin check`: loads one plugin folder the way a host would and tries it on hostile input.
//!
//! A finding passes when the plugin kept the contract: on ordinary input it answers, on hostile input it answers or says
//! in the contract's own errors why not, and the same arguments give the same answer in every instance. Traps, time-outs,
//! breaches of limits and malformed answers never pass. Models that fit themselves are also held to their past: a prediction
//! that changes when later samples are removed is rejected with the first differing row.

use std::path::Path;
use std::sync::Arc;

use bellwether_domain::{Error, Result};
use serde_json::Value;

use crate::cache::Cache;
use crate::call::Unit;
use crate::cases::receiver::Receiver;
use crate::discover::{in_folder, key};
use crate::engine::Core;
use crate::grant::{CONFIGURED, Granted};
use crate::host::log::LogGate;
use crate::instance::Active;
use crate::limits::{Limits, check_ceiling};
use crate::load::{Facts, Loaded, describe, load};
use crate::manifest::{Kind, Manifest};
use crate::state::Identity;
use crate::workpiece::as_json;
use crate::{PluginsConfig, Signatures};

mod again;
mod estimator;
mod finding;
mod handler;
pub(crate) mod input;
mod trial;

pub use finding::{Finding, Topic};

use again::Twice;
use finding::Findings;

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
            findings.add(Topic::Component, "manifest", false, why);
            return Ok(findings.finish());
        }
    };
    findings.add(
        Topic::Component,
        "manifest",
        true,
        format!("{} {}, kind {}, contract {}", manifest.name, manifest.version, manifest.kind, manifest.contract),
    );
    let core = Core::new(&PluginsConfig { signatures: Signatures::Off, ..config.clone() })?;
    let mut facts = Facts::default();
    let loaded = match load(&core, &Cache::open(&config.cache), &manifest, &found.place, &mut facts).await {
        Ok(loaded) => loaded,
        Err(why) => {
            findings.add(Topic::Component, "component", false, why);
            return Ok(findings.finish());
        }
    };
    findings.add(Topic::Component, "component", true, format!("{} bytes, SHA-256 {}", facts.size_bytes, facts.digest));
    findings.add(Topic::Component, "exports", true, facts.shape.exports.join(", "));
    findings.add(
        Topic::Component,
        "imports",
        true,
        if facts.shape.imports.is_empty() { "none".to_owned() } else { facts.shape.imports.join(", ") },
    );
    wants(&mut findings, &manifest, &facts);
    described(&mut findings, &core, &manifest, &loaded).await;
    let receiver = Receiver::start().await.map_err(Error::internal)?;
    let place = Place { folder, origin: receiver.origin() };
    if let Some(Ready { unit, settings, receives }) = ready(&mut findings, &core, config, &manifest, &loaded, &place)? {
        let active = Active::new(&loaded.worlds, &unit, &settings);
        let twice = Twice { unit: &unit, worlds: &loaded.worlds, config: &settings };
        trial::run(&mut findings, &active, &loaded.schema, twice, receives.then_some(&receiver)).await;
    }
    core.close().await;
    Ok(findings.finish())
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
            (true, false) => findings.add(
                Topic::Component,
                what,
                false,
                format!("it imports {interface}, but the manifest does not ask for it: add wants.{want}"),
            ),
            (false, true) => findings.add(
                Topic::Component,
                what,
                false,
                format!("the manifest asks for {want}, but the component does not import {interface}"),
            ),
            (true, true) => findings.add(Topic::Component, what, true, "asked for and imported"),
            (false, false) => findings.add(Topic::Component, what, true, "neither asked for nor imported"),
        }
    }
}

async fn described(findings: &mut Findings, core: &Arc<Core>, manifest: &Manifest, loaded: &Loaded) {
    let first = describe(core, manifest, &loaded.base.0).await;
    let Some(first) = findings.ordinary(Topic::Description, "describe", first) else { return };
    findings.same("describe says the same every time", &first, describe(core, manifest, &loaded.base.0).await);
    let has_summary = !first.summary.trim().is_empty();
    findings.add(
        Topic::Description,
        "describe has a summary",
        has_summary,
        if has_summary { first.summary.as_str() } else { "it is empty" },
    );
    let closed = loaded.schema.document.get("additionalProperties") == Some(&Value::Bool(false));
    let detail = if closed {
        "additionalProperties is false"
    } else {
        "add `\"additionalProperties\": false`, so that a mistyped setting is an error"
    };
    findings.add(Topic::Description, "the schema refuses unknown settings", closed, detail);
}

/// Where the plugin lies, and what a handler may deliver to.
struct Place<'a> {
    folder: &'a Path,
    origin: String,
}

/// What is called, and its configuration.
struct Ready {
    unit: Arc<Unit>,
    settings: Value,
    /// The check's own receiver hears of it.
    receives: bool,
}

/// The plugin with the operator's grants and configuration, if there are any, and its defaults; a handler without
/// configuration with that of its first case.
fn ready(
    findings: &mut Findings,
    core: &Arc<Core>,
    config: &PluginsConfig,
    manifest: &Manifest,
    loaded: &Loaded,
    place: &Place<'_>,
) -> Result<Option<Ready>> {
    let instance = config.instance.iter().find(|instance| key(&instance.name) == key(&manifest.name)).cloned();
    let mut instance = instance.unwrap_or_else(|| crate::discover::plain(&manifest.name));
    let mut wants = manifest.wants.clone();
    let fill = |given: &Value| loaded.schema.fill_partly("config", &[&as_json(&manifest.config), given]);
    let mut filled = fill(&as_json(&instance.config));
    let mut receives = false;
    if manifest.kind == Kind::AlertHandler
        && instance.config.is_empty()
        && let Some(settings) = handler::configuration(place.folder, &place.origin)
        && let Ok((settings, None)) = fill(&settings)
    {
        receives = true;
        filled = Ok((settings, None));
        if !wants.http.is_empty() {
            wants.http = vec![CONFIGURED.to_owned()];
            instance.grant.http = vec![place.origin.clone()];
        }
    }
    let granted = Granted::of(&format!("plugins.instance.{}", instance.name), &wants, &instance.grant, &config.environment)?;
    let what = if receives { "configuration of its first case" } else { "configuration by defaults" };
    let settings = match filled {
        Ok((settings, None)) => {
            findings.add(Topic::Description, what, true, settings.to_string());
            settings
        }
        Ok((_, Some(missing))) if instance.config.is_empty() => {
            let kept = manifest.kind == Kind::AlertHandler;
            let detail = format!("{missing}; it was not tried further: give it in a case or in a [[plugins.instance]]");
            findings.add(Topic::Description, what, kept, detail);
            return Ok(None);
        }
        Ok((_, Some(error))) | Err(error) => {
            findings.add(Topic::Description, what, false, error.to_string());
            return Ok(None);
        }
    };
    // Every trial is to be made, however many fail.
    let limits = Limits { faults: u32::MAX, ..Limits::effective(&core.ceiling, &manifest.limits, &instance.limits) };
    let identity =
        Identity { name: manifest.name.clone(), granted, log: LogGate::new(limits.log_lines), now_ms: config.now_ms.or(Some(|| 0)) };
    Ok(Some(Ready { unit: Unit::new(core.clone(), Arc::new(identity), limits), settings, receives }))
}
