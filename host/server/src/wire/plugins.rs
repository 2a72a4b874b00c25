//! Plugins over REST.

use bellwether_domain::time::Timestamp;
use bellwether_engine::plugins;
use bellwether_plugin::{CallError, CallSeries, GrantUse, Kind, Outcome, PluginInfo, Reloaded};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::ToSchema;

use super::models::same_fields;
use super::names;

/// One loaded plugin instance.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Plugin {
    /// The instance's name.
    pub name: String,
    /// The plugin's name.
    pub plugin: String,
    /// The plugin's version.
    pub version: String,
    /// Its kind.
    #[schema(value_type = names::PluginKindName)]
    pub kind: Kind,
    /// One sentence.
    pub summary: String,
    /// `active`, `paused` (too many faults), `disabled`, `refused` or `removed` (see `problem`).
    pub state: String,
    /// Why it is not in service; or, of an active one, why it is not the newest.
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
    pub granted: Value,
    /// What it asked for and was not granted.
    pub withheld: Vec<String>,
    /// Limits in force.
    pub limits: Value,
    /// JSON Schema of its configuration.
    pub config_schema: Value,
    /// Its configuration, defaults filled in; secrets are not part of it.
    pub config: Value,
    /// Calls so far, through reloads too.
    pub calls: u64,
    /// Faults (trap, time-out, limit) so far.
    pub faults: u64,
}

same_fields!(Plugin, PluginInfo, {
    name, plugin, version, kind, summary, state, problem, source, licence, contract, digest, size_bytes, imports, exports, granted,
    withheld, limits, config_schema, config, calls, faults,
});

/// Every plugin instance, by name.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct PluginList {
    /// The plugins.
    pub plugins: Vec<Plugin>,
}

/// What came of looking at a plugin's folder again.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct PluginReload {
    /// `taken-up`, `unchanged`, `kept` (the new one was refused, the old one goes on), `refused`, or `removed`.
    pub outcome: String,
    /// The plugin as it stands.
    pub plugin: Plugin,
}

/// What came of looking at all folders again.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct PluginReloads {
    /// Instances that became others, or did not although they should; those that stay as they were are not among them.
    pub changed: Vec<PluginReload>,
}

/// A plugin's configuration, layer by layer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct PluginConfig {
    /// The instance's name.
    pub name: String,
    /// In force: the layers one over the other, the schema's defaults under them.
    pub config: Value,
    /// What the plugin's manifest says.
    pub manifest: Value,
    /// What the settings' file says.
    pub file: Value,
    /// What was set over REST; it stands above the others.
    pub set: Map<String, Value>,
    /// Counts up with every change of what was set; 0 when nothing ever was.
    pub version: u64,
    /// When that was.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub changed_at: Option<Timestamp>,
}

same_fields!(PluginConfig, plugins::PluginConfig, { name, config, manifest, file, set, version, changed_at });

/// What shall stand above a plugin's configuration in manifest and settings.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SetPluginConfig {
    /// All of it: what was set before and is not here is no longer set.
    #[schema(example = json!({"threshold": 0.1}))]
    pub config: Map<String, Value>,
    /// The version that was read; the change is refused when another came first. Absent: the last word holds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<u64>,
}

/// The calls of one function that ended in one way.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct PluginCalls {
    /// The function of the contract.
    pub function: String,
    /// `ok`, `error` (one the plugin answered), `trap`, `time-out`, `limit`, or `refused` (paused, or too many at once).
    pub outcome: String,
    /// How many.
    pub count: u64,
    /// Their time together.
    pub seconds: f64,
    /// Half of them took no longer, in milliseconds, to a factor of two; null when that is beyond all measure.
    pub p50_ms: Option<f64>,
    /// 99 of 100 took no longer.
    pub p99_ms: Option<f64>,
}

/// Something that went wrong in a plugin.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct PluginError {
    /// When.
    #[schema(value_type = String, format = DateTime)]
    pub at: Timestamp,
    /// The function that was called.
    pub function: String,
    /// How the call ended.
    pub outcome: String,
    /// What happened.
    pub message: String,
}

/// What a plugin's calls came to.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct PluginMetrics {
    /// The instance's name.
    pub name: String,
    /// Calls by function and outcome.
    pub calls: Vec<PluginCalls>,
    /// Calls under way.
    pub running: u32,
    /// Calls that wait.
    pub waiting: u32,
    /// The last 20 errors, newest first.
    pub errors: Vec<PluginError>,
}

/// One permission.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct PluginGrant {
    /// `http`, `secret` or `clock`.
    pub kind: String,
    /// Where to, the secret's name, or `clock`.
    pub grant: String,
    /// How often it was used since the instance was made.
    pub used: u64,
}

same_fields!(PluginGrant, GrantUse, { kind, grant, used });

/// What a plugin asks for and what it may do.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct PluginGrants {
    /// The instance's name.
    pub name: String,
    /// What its manifest asks for.
    pub asked: Vec<String>,
    /// What it was granted.
    pub granted: Vec<PluginGrant>,
    /// What it asked for and was not granted.
    pub withheld: Vec<String>,
    /// What it tried and was refused, newest first, with the line that would grant it.
    pub refused: Vec<PluginError>,
}

fn outcome(outcome: Outcome) -> String {
    outcome.name().to_owned()
}

impl PluginReload {
    pub(crate) fn of(outcome: Reloaded, plugin: PluginInfo) -> PluginReload {
        PluginReload { outcome: outcome.name().to_owned(), plugin: plugin.into() }
    }
}

impl From<CallSeries> for PluginCalls {
    fn from(series: CallSeries) -> PluginCalls {
        let quantile = |share: f64| {
            let rank = (share * series.count as f64).ceil() as u64;
            series.buckets.iter().find(|(_, calls)| *calls >= rank).map(|(upper, _)| upper * 1e3)
        };
        let (p50_ms, p99_ms) = (quantile(0.5), quantile(0.99));
        PluginCalls {
            function: series.function,
            outcome: outcome(series.outcome),
            count: series.count,
            seconds: series.seconds,
            p50_ms,
            p99_ms,
        }
    }
}

impl From<CallError> for PluginError {
    fn from(error: CallError) -> PluginError {
        PluginError { at: Timestamp(error.at_ms), function: error.function, outcome: outcome(error.outcome), message: error.message }
    }
}

impl PluginMetrics {
    pub(crate) fn of(name: String, metrics: bellwether_plugin::PluginMetrics) -> PluginMetrics {
        PluginMetrics {
            name,
            calls: metrics.calls.into_iter().map(Into::into).collect(),
            running: metrics.running,
            waiting: metrics.waiting,
            errors: metrics.errors.into_iter().map(Into::into).collect(),
        }
    }
}

impl PluginGrants {
    pub(crate) fn of(
        plugin: PluginInfo,
        asked: Vec<String>,
        granted: Vec<GrantUse>,
        metrics: bellwether_plugin::PluginMetrics,
    ) -> PluginGrants {
        PluginGrants {
            name: plugin.name,
            asked,
            granted: granted.into_iter().map(Into::into).collect(),
            withheld: plugin.withheld,
            refused: metrics.errors.into_iter().filter(|error| error.message.contains("to allow it, say")).map(Into::into).collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_the_upper_ends_of_their_buckets() {
        let series = |buckets: &[(f64, u64)], count| CallSeries {
            function: "test".to_owned(),
            outcome: Outcome::Ok,
            count,
            seconds: 1.0,
            buckets: buckets.to_vec(),
        };
        let calls = PluginCalls::from(series(&[(0.001, 50), (0.002, 98), (0.004, 99)], 100));
        assert_eq!((calls.p50_ms, calls.p99_ms), (Some(1.0), Some(4.0)));
        let calls = PluginCalls::from(series(&[(0.001, 0)], 1));
        assert_eq!((calls.outcome.as_str(), calls.p50_ms), ("ok", None));
    }
}
