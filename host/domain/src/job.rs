//! Training jobs: what is asked for, and the states a job passes through.

use serde::{Deserialize, Serialize};

use crate::feature::Feature;
use crate::gate::GateConfig;
use crate::id::Symbol;
use crate::split::SplitConfig;
use crate::target::Target;
use crate::time::{Interval, Timestamp};

mod precision;
mod progress;
mod weights;

pub use precision::Precision;
pub use progress::{EpochLoss, LossCurve, Progress, Stage, TrainingEstimate};
pub use weights::SampleWeights;

/// What to train. Everything absent has a default: the plugin's for features and sequence length, the host's for the rest.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TrainingRequest {
    /// The recipe: a loaded model plugin.
    pub model_type: String,
    /// The instrument.
    pub symbol: Symbol,
    /// Bar interval.
    #[serde(default = "hour")]
    pub interval: Interval,
    /// What to predict.
    pub target: Target,
    /// Inputs; the plugin's own when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub features: Option<Vec<Feature>>,
    /// Steps per window; the plugin's own when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sequence_length: Option<u32>,
    /// The recipe's configuration, checked against the plugin's schema.
    #[serde(default)]
    pub config: serde_json::Map<String, serde_json::Value>,
    /// How samples are divided.
    #[serde(default)]
    pub split: SplitConfig,
    /// How much each training sample counts.
    #[serde(default, skip_serializing_if = "SampleWeights::is_none")]
    pub sample_weights: SampleWeights,
    /// First bar to use.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<Timestamp>,
    /// Use bars before this time only: the data cut-off.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Timestamp>,
    /// The seed.
    #[serde(default)]
    pub seed: u64,
    /// Costs per unit traded, in basis points, for the trading metrics.
    #[serde(default = "cost")]
    pub cost_bps: f64,
    /// Gates of this job. Each given gate replaces the host's own; `null` switches one off.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gates: Option<GateOverrides>,
    /// What follows when the gates pass.
    #[serde(default)]
    pub deployment_config: DeploymentConfig,
    /// Longest run in seconds; the host's own when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timeout_seconds: Option<u64>,
    /// Threads to train with, 1 to 64; a fair share of the host's own when absent. Results are the same for the same number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub threads: Option<u32>,
    /// Precision of the products of matrices while training: `f32`, or `bf16` where the processor has AVX512-BF16; the host's own
    /// when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub precision: Option<Precision>,
    /// The caller's own notes, copied to the version.
    #[serde(default)]
    pub metadata: serde_json::Map<String, serde_json::Value>,
}

fn hour() -> Interval {
    Interval::HOUR
}

fn cost() -> f64 {
    1.0
}

/// Gates given with a job: outer `None` keeps the host's, inner `None` switches the gate off.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct GateOverrides {
    /// Least accuracy.
    #[serde(deserialize_with = "given", skip_serializing_if = "Option::is_none")]
    pub min_model_accuracy: Option<Option<f64>>,
    /// Most mean squared error.
    #[serde(deserialize_with = "given", skip_serializing_if = "Option::is_none")]
    pub max_model_mse: Option<Option<f64>>,
    /// Least R².
    #[serde(deserialize_with = "given", skip_serializing_if = "Option::is_none")]
    pub min_r2_score: Option<Option<f64>>,
    /// Least skill against the baseline model.
    #[serde(deserialize_with = "given", skip_serializing_if = "Option::is_none")]
    pub min_skill: Option<Option<f64>>,
    /// Most mse relative to the champion's.
    #[serde(deserialize_with = "given", skip_serializing_if = "Option::is_none")]
    pub max_mse_vs_champion: Option<Option<f64>>,
}

fn given<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Option<Option<f64>>, D::Error> {
    Option::<f64>::deserialize(deserializer).map(Some)
}

impl GateOverrides {
    /// The gates in force: the host's with these laid over.
    pub fn over(&self, host: &GateConfig) -> GateConfig {
        GateConfig {
            min_model_accuracy: self.min_model_accuracy.unwrap_or(host.min_model_accuracy),
            max_model_mse: self.max_model_mse.unwrap_or(host.max_model_mse),
            min_r2_score: self.min_r2_score.unwrap_or(host.min_r2_score),
            min_skill: self.min_skill.unwrap_or(host.min_skill),
            max_mse_vs_champion: self.max_mse_vs_champion.unwrap_or(host.max_mse_vs_champion),
        }
    }
}

/// What follows a training that passed its gates.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct DeploymentConfig {
    /// Start a rollout.
    pub auto_deploy: bool,
    /// Under this strategy; the host's default when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub deployment_strategy: Option<String>,
    /// On this endpoint; the symbol's own when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub endpoint: Option<String>,
}

/// Where a job stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum JobState {
    /// Accepted, waiting for a slot.
    Queued,
    /// A worker has it.
    Running,
    /// It registered a version.
    Succeeded,
    /// It ended with an error.
    Failed,
    /// Somebody ended it.
    Cancelled,
    /// It ran past its time.
    TimedOut,
}

impl JobState {
    /// Every state.
    pub const ALL: [JobState; 6] =
        [JobState::Queued, JobState::Running, JobState::Succeeded, JobState::Failed, JobState::Cancelled, JobState::TimedOut];

    /// The name in JSON.
    pub fn name(self) -> &'static str {
        match self {
            JobState::Queued => "queued",
            JobState::Running => "running",
            JobState::Succeeded => "succeeded",
            JobState::Failed => "failed",
            JobState::Cancelled => "cancelled",
            JobState::TimedOut => "timed_out",
        }
    }

    /// True when nothing more will happen.
    pub fn is_final(self) -> bool {
        !matches!(self, JobState::Queued | JobState::Running)
    }
}

impl std::str::FromStr for JobState {
    type Err = crate::Error;

    fn from_str(text: &str) -> crate::Result<Self> {
        JobState::ALL
            .into_iter()
            .find(|state| state.name() == text)
            .ok_or_else(|| crate::Error::unknown("state", text, JobState::ALL.map(JobState::name)))
    }
}

/// The record of one training job.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TrainingJob {
    /// Its id.
    pub job_id: String,
    /// What was asked for.
    pub request: TrainingRequest,
    /// Where it stands.
    pub state: JobState,
    /// How far it is.
    pub progress: Progress,
    /// Times it was started; above 1 after a crash of the host or of its worker.
    pub attempts: u32,
    /// Threads it was first started with; every further start has the same.
    #[serde(default)]
    pub threads: Option<u32>,
    /// What it is expected to take; absent for what a guest trains.
    #[serde(default)]
    pub estimate: Option<TrainingEstimate>,
    /// When it was accepted.
    pub created_at: Timestamp,
    /// When it last started.
    pub started_at: Option<Timestamp>,
    /// When it ended.
    pub finished_at: Option<Timestamp>,
    /// The version it registered.
    pub model_id: Option<String>,
    /// The rollout it started.
    pub deployment_id: Option<String>,
    /// Why it failed, for a person.
    pub error: Option<String>,
    /// The caller's key: the same key gives the same job.
    pub idempotency_key: Option<String>,
}
