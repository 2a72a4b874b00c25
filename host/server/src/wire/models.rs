//! Model versions over REST.

use bellwether_domain::feature::Feature;
use bellwether_domain::gate::GateResult;
use bellwether_domain::id::Symbol;
use bellwether_domain::job::Precision;
use bellwether_domain::model::{Lineage, ModelStatus, ModelVersion, PluginStamp};
use bellwether_domain::target::{Target, TargetKind};
use bellwether_domain::time::{Interval, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::{IntoParams, ToSchema};

use super::metrics::{CrossValidation, Metrics};
use super::names;
use super::split::{SampleWeights, Split};

/// Both directions of a mirrored type whose fields are the same.
macro_rules! same_fields {
    ($wire:ty, $domain:ty, { $($field:ident),* $(,)? }) => {
        impl From<$domain> for $wire {
            fn from(from: $domain) -> Self {
                type Source = $domain;
                let Source { $($field),* } = from;
                Self { $($field: $field.into()),* }
            }
        }

        impl From<$wire> for $domain {
            fn from(from: $wire) -> Self {
                type Source = $wire;
                let Source { $($field),* } = from;
                Self { $($field: $field.into()),* }
            }
        }
    };
}
pub(crate) use same_fields;

/// One check before a rollout, with its evidence.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Gate {
    /// Its name, for example `min_model_accuracy`.
    pub gate: String,
    /// It passed. A value that is missing never passes.
    pub passed: bool,
    /// What was measured; null when the metric is missing.
    pub value: Option<f64>,
    /// The line.
    pub threshold: f64,
    /// One sentence for a person.
    pub reason: String,
}

same_fields!(Gate, GateResult, { gate, passed, value, threshold, reason });

/// What is predicted, and how far ahead.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PredictionTarget {
    /// The quantity.
    #[schema(value_type = names::TargetKindName)]
    pub kind: TargetKind,
    /// Bars ahead, 1 to 10 000; 1 when absent.
    #[serde(default = "one")]
    #[schema(required = false, default = 1, minimum = 1, maximum = 10_000)]
    pub horizon: u32,
}

fn one() -> u32 {
    1
}

same_fields!(PredictionTarget, Target, { kind, horizon });

/// The plugin a version was made with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct PluginIdentity {
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: String,
    /// SHA-256 of the component, in hex.
    pub digest: String,
}

same_fields!(PluginIdentity, PluginStamp, { name, version, digest });

/// Where a version came from; what is unknown is null.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Origin {
    /// SHA-256 of the bars it learned from and was judged on, in hex.
    pub data_digest: Option<String>,
    /// Number of those bars.
    pub rows: Option<u64>,
    /// First bar.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub first_bar: Option<Timestamp>,
    /// Last bar.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub last_bar: Option<Timestamp>,
    /// The seed.
    pub seed: Option<u64>,
    /// Threads it was fitted with: the same seed, data, threads and processor give the same bits.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub threads: Option<u32>,
    /// Precision of the products of matrices while it was fitted; absent for 32 bits.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    #[schema(value_type = Option<names::PrecisionName>)]
    pub precision: Option<Precision>,
    /// How the samples were divided.
    pub split: Option<Split>,
    /// Samples trained on, validated on, judged on.
    pub samples: Option<[u64; 3]>,
    /// The plugin.
    pub plugin: Option<PluginIdentity>,
    /// Version of the host.
    pub host_version: Option<String>,
    /// The training job.
    pub job_id: Option<String>,
    /// Costs per unit traded, in basis points, behind the trading metrics.
    pub cost_bps: Option<f64>,
    /// How much each training sample counted; absent when all counted the same.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub sample_weights: Option<SampleWeights>,
}

impl From<Lineage> for Origin {
    fn from(from: Lineage) -> Self {
        let Lineage {
            data_digest,
            rows,
            first_bar,
            last_bar,
            seed,
            threads,
            precision,
            split,
            samples,
            plugin,
            host_version,
            job_id,
            cost_bps,
            sample_weights,
        } = from;
        Origin {
            data_digest,
            rows,
            first_bar,
            last_bar,
            seed,
            threads,
            precision,
            split: split.map(Into::into),
            samples,
            plugin: plugin.map(Into::into),
            host_version,
            job_id,
            cost_bps,
            sample_weights: sample_weights.map(Into::into),
        }
    }
}

/// One model version.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Model {
    /// Its id.
    #[schema(example = "lstm_BTC_20241205_120000")]
    pub model_id: String,
    /// Counts up per model type and symbol, from 1.
    pub version: u32,
    /// The recipe.
    #[schema(example = "lstm")]
    pub model_type: String,
    /// The instrument.
    #[schema(value_type = String, example = "BTC/USDT")]
    pub symbol: Symbol,
    /// Bar interval.
    #[schema(value_type = Option<String>, example = "1h")]
    pub interval: Option<Interval>,
    /// What it predicts.
    pub target: Option<PredictionTarget>,
    /// Where it stands.
    #[schema(value_type = names::ModelStatusName)]
    pub status: ModelStatus,
    /// When it was registered.
    #[schema(value_type = String, format = DateTime)]
    pub created_at: Timestamp,
    /// When it last changed.
    #[schema(value_type = String, format = DateTime)]
    pub updated_at: Timestamp,
    /// Metrics on the held-out part.
    pub metrics: Metrics,
    /// Metrics of folds before the held-out part; absent when the split has none.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub cross_validation: Option<CrossValidation>,
    /// What the gates saw.
    pub gates: Vec<Gate>,
    /// Where it came from.
    pub lineage: Origin,
    /// SHA-256 of the artifact file, in hex.
    pub sha256: String,
    /// Size of the artifact file.
    pub size_bytes: u64,
    /// Inputs, in order.
    #[schema(value_type = Vec<String>, example = json!(["log-return", "rsi(14)"]))]
    pub features: Vec<Feature>,
    /// Steps per window.
    pub sequence_length: u32,
    /// The caller's own notes.
    pub metadata: Map<String, Value>,
}

impl From<ModelVersion> for Model {
    fn from(from: ModelVersion) -> Self {
        let ModelVersion {
            model_id,
            version,
            model_type,
            symbol,
            interval,
            target,
            status,
            created_at,
            updated_at,
            metrics,
            cross_validation,
            gates,
            lineage,
            artifact_digest,
            artifact_bytes,
            features,
            sequence_length,
            metadata,
        } = from;
        Model {
            model_id,
            version,
            model_type,
            symbol,
            interval,
            target: target.map(Into::into),
            status,
            created_at,
            updated_at,
            metrics: metrics.into(),
            cross_validation: cross_validation.map(Into::into),
            gates: gates.into_iter().map(Into::into).collect(),
            lineage: lineage.into(),
            sha256: artifact_digest,
            size_bytes: artifact_bytes,
            features,
            sequence_length,
            metadata,
        }
    }
}

/// A page of versions, newest first.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ModelPage {
    /// The versions.
    pub models: Vec<Model>,
    /// Pass it as `cursor` for the next page; absent on the last.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub next_cursor: Option<String>,
}

/// Which versions to list.
#[derive(Debug, Clone, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields, default)]
#[into_params(parameter_in = Query)]
pub struct ModelQuery {
    /// Of one recipe.
    #[param(required = false)]
    pub model_type: Option<String>,
    /// Of one instrument.
    #[param(value_type = Option<String>, required = false)]
    pub symbol: Option<Symbol>,
    /// In one status.
    #[param(value_type = Option<names::ModelStatusName>, required = false)]
    pub status: Option<ModelStatus>,
    /// Items at most, 1 to 1000; 100 when absent.
    #[param(required = false, minimum = 1, maximum = 1000)]
    pub limit: Option<usize>,
    /// `next_cursor` of the page before.
    #[param(required = false)]
    pub cursor: Option<String>,
}

/// The bytes of a portable artifact.
#[derive(Debug, ToSchema)]
#[schema(value_type = String, format = Binary)]
pub struct ArtifactFile(pub Vec<u8>);

/// A version trained elsewhere.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RegisterRequest {
    /// The recipe it claims; must be the artifact's own.
    #[schema(example = "lstm")]
    pub model_type: String,
    /// The instrument; must be the artifact's own.
    #[schema(value_type = String, example = "BTC/USDT")]
    pub symbol: Symbol,
    /// The portable artifact (what `GET /models/{model_id}/artifact` gives), in base64.
    #[schema(content_encoding = "base64")]
    pub model_data: String,
    /// Metrics the caller vouches for; those of the artifact stand where none is given.
    #[serde(default)]
    #[schema(required = false)]
    pub metrics: Metrics,
    /// The caller's own notes.
    #[serde(default)]
    #[schema(required = false)]
    pub metadata: Map<String, Value>,
}
