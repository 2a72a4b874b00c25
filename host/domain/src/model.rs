//! Model versions: what a trained artifact is, where it came from, and where it stands in its life.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::feature::Feature;
use crate::gate::GateResult;
use crate::id::Symbol;
use crate::job::{Precision, SampleWeights};
use crate::metrics::{CrossValidation, ModelMetrics};
use crate::network::Network;
use crate::scaler::Scaler;
use crate::split::SplitConfig;
use crate::target::Target;
use crate::time::{Interval, Timestamp};
use crate::{Error, Result};

mod member;

pub use member::{Combination, MEMBERS_MAX, MemberSpec, WeightsFrom};

/// Where a version stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ModelStatus {
    /// Its job runs.
    Training,
    /// Passed its gates; may be deployed.
    Registered,
    /// Failed a gate; may not be deployed.
    Rejected,
    /// Serves an endpoint.
    Deployed,
    /// Served once, or was put away.
    Archived,
    /// Its job failed.
    Failed,
}

impl ModelStatus {
    /// Every status, in the order of a version's life.
    pub const ALL: [ModelStatus; 6] = [
        ModelStatus::Training,
        ModelStatus::Registered,
        ModelStatus::Rejected,
        ModelStatus::Deployed,
        ModelStatus::Archived,
        ModelStatus::Failed,
    ];

    /// The name in JSON.
    pub fn name(self) -> &'static str {
        match self {
            ModelStatus::Training => "training",
            ModelStatus::Registered => "registered",
            ModelStatus::Rejected => "rejected",
            ModelStatus::Deployed => "deployed",
            ModelStatus::Archived => "archived",
            ModelStatus::Failed => "failed",
        }
    }
}

impl std::str::FromStr for ModelStatus {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let known = ModelStatus::ALL;
        known.into_iter().find(|status| status.name() == text).ok_or_else(|| Error::unknown("status", text, known.map(ModelStatus::name)))
    }
}

/// The plugin a version was made with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PluginStamp {
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: String,
    /// SHA-256 of the component, in hex.
    pub digest: String,
}

/// Where a version came from.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Lineage {
    /// SHA-256 of the bars it learned from and was judged on (timestamps and values, little-endian, in order), in hex.
    pub data_digest: Option<String>,
    /// Number of those bars.
    pub rows: Option<u64>,
    /// First bar.
    pub first_bar: Option<Timestamp>,
    /// Last bar.
    pub last_bar: Option<Timestamp>,
    /// The seed.
    pub seed: Option<u64>,
    /// Threads it was fitted with: the same seed, data, threads and processor give the same bits.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub threads: Option<u32>,
    /// Precision of the products of matrices while it was fitted; absent for 32 bits.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub precision: Option<Precision>,
    /// How the samples were divided.
    pub split: Option<SplitConfig>,
    /// Samples trained on, validated on, judged on.
    pub samples: Option<[u64; 3]>,
    /// The plugin.
    pub plugin: Option<PluginStamp>,
    /// Version of the host.
    pub host_version: Option<String>,
    /// The job.
    pub job_id: Option<String>,
    /// Costs per unit traded, in basis points, behind the trading metrics.
    pub cost_bps: Option<f64>,
    /// How much each training sample counted; absent when all counted the same.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sample_weights: Option<SampleWeights>,
}

/// What answers: weights of a network, a guest's state, or several of these together.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "kind", deny_unknown_fields)]
pub enum Body {
    /// A network; its weights are `weights.safetensors` in the artifact.
    Network {
        /// The description.
        network: Network,
    },
    /// A guest model; its state is `state.bin` in the artifact. Served by the named plugin.
    Guest {
        /// The plugin.
        plugin: PluginStamp,
        /// It reads scaled features.
        scaled: bool,
    },
    /// An ensemble; its members' weights and states are `members/<place>/…` in the artifact.
    Members {
        /// At least two; none of them an ensemble.
        members: Vec<MemberSpec>,
        /// How their predictions become one.
        combination: Combination,
    },
}

impl Body {
    /// Checks what members there are within a version of `features` features and windows of `steps`.
    pub fn check(&self, features: usize, steps: u32) -> Result<()> {
        match self {
            Body::Network { .. } | Body::Guest { .. } => Ok(()),
            Body::Members { members, combination } => member::check(members, combination, features, steps),
        }
    }
}

/// `model.json` of an artifact: everything a version needs to score a raw window of bars.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ModelSpec {
    /// Format of this file: 1.
    pub format: u32,
    /// The recipe.
    pub model_type: String,
    /// The recipe's configuration, defaults filled in.
    pub config: serde_json::Value,
    /// The series it was made for.
    pub symbol: Symbol,
    /// Its bar interval.
    pub interval: Interval,
    /// What it predicts.
    pub target: Target,
    /// Its inputs, in order.
    pub features: Vec<Feature>,
    /// Steps per window.
    pub sequence_length: u32,
    /// Standardisation of the inputs.
    pub scaler: Scaler,
    /// Standardisation of the target (one entry); the identity for a binary task and for guests.
    pub target_scaler: Scaler,
    /// What answers.
    pub body: Body,
    /// Metrics on the held-out part.
    pub metrics: ModelMetrics,
    /// Metrics of folds before the held-out part, where the split has a scheme.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cross_validation: Option<CrossValidation>,
    /// Where it came from.
    pub lineage: Lineage,
    /// Drift baselines in the artifact, per test: `baselines/<test>/<place of the feature>.bin`.
    pub baselines: Vec<BaselineSpec>,
    /// SHA-256 of every other file in the artifact, by name, in hex.
    pub files: BTreeMap<String, String>,
}

/// One drift test's baselines.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BaselineSpec {
    /// The drift test (a plugin instance's name).
    pub test: String,
    /// The plugin that made them.
    pub plugin: PluginStamp,
    /// Configuration of the test.
    pub config: serde_json::Value,
    /// Rows of the training part they were made from.
    pub rows: u64,
}

/// The record of one model version.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ModelVersion {
    /// For example `lstm_BTC_20241205_120000`.
    pub model_id: String,
    /// Counts up per model type and symbol, from 1.
    pub version: u32,
    /// The recipe.
    pub model_type: String,
    /// The instrument.
    pub symbol: Symbol,
    /// Bar interval; unknown for foreign uploads.
    pub interval: Option<Interval>,
    /// What it predicts; unknown for foreign uploads.
    pub target: Option<Target>,
    /// Where it stands.
    pub status: ModelStatus,
    /// When it was registered.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
    /// Metrics on the held-out part.
    pub metrics: ModelMetrics,
    /// Metrics of folds before the held-out part, where the split has a scheme.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cross_validation: Option<CrossValidation>,
    /// What the gates saw.
    pub gates: Vec<GateResult>,
    /// Where it came from.
    pub lineage: Lineage,
    /// SHA-256 of the artifact file, in hex: its name in the blob store.
    pub artifact_digest: String,
    /// Size of the artifact file.
    pub artifact_bytes: u64,
    /// Inputs, in order.
    pub features: Vec<Feature>,
    /// Steps per window.
    pub sequence_length: u32,
    /// The caller's own notes.
    pub metadata: serde_json::Map<String, serde_json::Value>,
}
