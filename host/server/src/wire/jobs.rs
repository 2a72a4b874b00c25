//! Training jobs over REST.

use bellwether_domain::feature::Feature;
use bellwether_domain::id::Symbol;
use bellwether_domain::job::{self, JobState, Precision, Stage};
use bellwether_domain::time::{Interval, Timestamp};
use bellwether_engine::training::LogLine;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::{IntoParams, ToSchema};

use super::models::{PredictionTarget, same_fields};
use super::names;
use super::split::{SampleWeights, Split};

/// Gates of one job. Each given gate replaces the host's own; null switches it off.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Gates {
    /// Least accuracy.
    #[serde(deserialize_with = "given", skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<f64>)]
    pub min_model_accuracy: Option<Option<f64>>,
    /// Most mean squared error.
    #[serde(deserialize_with = "given", skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<f64>)]
    pub max_model_mse: Option<Option<f64>>,
    /// Least R².
    #[serde(deserialize_with = "given", skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<f64>)]
    pub min_r2_score: Option<Option<f64>>,
    /// Least skill against the baseline model.
    #[serde(deserialize_with = "given", skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<f64>)]
    pub min_skill: Option<Option<f64>>,
    /// Most mse relative to the champion's.
    #[serde(deserialize_with = "given", skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<f64>)]
    pub max_mse_vs_champion: Option<Option<f64>>,
}

fn given<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Option<Option<f64>>, D::Error> {
    Option::<f64>::deserialize(deserializer).map(Some)
}

same_fields!(Gates, job::GateOverrides, { min_model_accuracy, max_model_mse, min_r2_score, min_skill, max_mse_vs_champion });

/// What follows a training that passed its gates.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct AfterTraining {
    /// Start a rollout; false when absent.
    pub auto_deploy: bool,
    /// Under this strategy; the host's default when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub deployment_strategy: Option<String>,
    /// On this endpoint; the symbol's own when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub endpoint: Option<String>,
}

same_fields!(AfterTraining, job::DeploymentConfig, { auto_deploy, deployment_strategy, endpoint });

/// What to train. Everything absent has a default: the model type's own for features and sequence length, the host's for the rest.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct TrainingRequest {
    /// The recipe: a loaded plugin of kind `model`.
    #[schema(example = "lstm")]
    pub model_type: String,
    /// The instrument.
    #[schema(value_type = String, example = "BTC/USDT")]
    pub symbol: Symbol,
    /// Bar interval; `1h` when absent.
    #[serde(default = "hour")]
    #[schema(value_type = String, required = false, example = "1h")]
    pub interval: Interval,
    /// What to predict.
    pub target: PredictionTarget,
    /// Inputs; the model type's own when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Vec<String>>, example = json!(["log-return", "realized-volatility(24)"]))]
    pub features: Option<Vec<Feature>>,
    /// Steps per window; the model type's own when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sequence_length: Option<u32>,
    /// The recipe's configuration, checked against the plugin's schema.
    #[serde(default)]
    #[schema(required = false)]
    pub config: Map<String, Value>,
    /// How samples are divided.
    #[serde(default)]
    #[schema(required = false)]
    pub split: Split,
    /// How much each training sample counts; all the same when absent.
    #[serde(default)]
    #[schema(required = false)]
    pub sample_weights: SampleWeights,
    /// First bar to use.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub from: Option<Timestamp>,
    /// Use bars before this time only: the data cut-off.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub until: Option<Timestamp>,
    /// The seed; 0 when absent. Same seed, same data, same machine: same model.
    #[serde(default)]
    #[schema(required = false)]
    pub seed: u64,
    /// Costs per unit traded, in basis points, for the trading metrics; 1 when absent.
    #[serde(default = "cost")]
    #[schema(required = false)]
    pub cost_bps: f64,
    /// Gates of this job.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gates: Option<Gates>,
    /// What follows when the gates pass.
    #[serde(default)]
    #[schema(required = false)]
    pub deployment_config: AfterTraining,
    /// Longest run in seconds; the host's own when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timeout_seconds: Option<u64>,
    /// Threads to train with, 1 to 64; a fair share of the host's own when absent. Same seed, data, threads and machine: same model.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub threads: Option<u32>,
    /// Precision of the products of matrices while training: `f32`, or `bf16` where the processor has AVX512-BF16; the host's own
    /// when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<names::PrecisionName>)]
    pub precision: Option<Precision>,
    /// The caller's own notes, copied to the version.
    #[serde(default)]
    #[schema(required = false)]
    pub metadata: Map<String, Value>,
}

fn hour() -> Interval {
    Interval::HOUR
}

fn cost() -> f64 {
    1.0
}

macro_rules! convert_request {
    ($from:ty, $to:ty) => {
        impl From<$from> for $to {
            fn from(from: $from) -> Self {
                type Source = $from;
                let Source {
                    model_type,
                    symbol,
                    interval,
                    target,
                    features,
                    sequence_length,
                    config,
                    split,
                    sample_weights,
                    from,
                    until,
                    seed,
                    cost_bps,
                    gates,
                    deployment_config,
                    timeout_seconds,
                    threads,
                    precision,
                    metadata,
                } = from;
                Self {
                    target: target.into(),
                    split: split.into(),
                    sample_weights: sample_weights.into(),
                    gates: gates.map(Into::into),
                    deployment_config: deployment_config.into(),
                    model_type,
                    symbol,
                    interval,
                    features,
                    sequence_length,
                    config,
                    from,
                    until,
                    seed,
                    cost_bps,
                    timeout_seconds,
                    threads,
                    precision,
                    metadata,
                }
            }
        }
    };
}

convert_request!(TrainingRequest, job::TrainingRequest);
convert_request!(job::TrainingRequest, TrainingRequest);

/// How far a job is. Epochs, batches and losses are those of the part under way.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct JobProgress {
    /// What it is doing.
    #[schema(value_type = names::StageName)]
    pub stage: Stage,
    /// What is fitted one after another (folds, members of an ensemble): which one is under way, from 1; 0 when there is one fit.
    pub part: u32,
    /// How many there are; 0 when there is one fit.
    pub parts: u32,
    /// What the part under way is called, as in `fold 2`.
    pub part_name: Option<String>,
    /// Epochs (or a guest's own steps) finished.
    pub epoch: u32,
    /// Most epochs.
    pub epochs: u32,
    /// Share of the current epoch that is done, 0 to 1.
    pub epoch_share: f64,
    /// Batches of the current epoch done; 0 at an epoch's end.
    pub batch: u32,
    /// Batches of an epoch; 0 for a guest.
    pub batches: u32,
    /// Mean training loss of the current epoch so far.
    pub running_loss: Option<f64>,
    /// Last training loss.
    pub train_loss: Option<f64>,
    /// Last validation loss.
    pub validation_loss: Option<f64>,
    /// Least validation loss so far.
    pub best_loss: Option<f64>,
    /// Samples trained on per second.
    pub samples_per_second: Option<f64>,
    /// Seconds left of this part if every epoch is run at this pace; early stopping makes it less.
    pub remaining_seconds: Option<f64>,
}

same_fields!(JobProgress, job::Progress, {
    stage, part, parts, part_name, epoch, epochs, epoch_share, batch, batches, running_loss, train_loss, validation_loss,
    best_loss, samples_per_second, remaining_seconds,
});

/// What a training is expected to take, said before it starts.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct JobEstimate {
    /// Trained numbers, of all members.
    pub parameters: u64,
    /// Bytes of the whole worker at its peak.
    pub memory_bytes: u64,
    /// Seconds if every epoch is run; the order of magnitude.
    pub seconds: f64,
}

same_fields!(JobEstimate, job::TrainingEstimate, { parameters, memory_bytes, seconds });

/// The losses of one epoch.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct EpochLoss {
    /// The part it belongs to, from 1; 0 when there is one fit.
    pub part: u32,
    /// The epoch, from 1.
    pub epoch: u32,
    /// Training loss, as the weights were moving.
    pub train_loss: Option<f64>,
    /// Validation loss after it.
    pub validation_loss: Option<f64>,
}

same_fields!(EpochLoss, job::EpochLoss, { part, epoch, train_loss, validation_loss });

/// How the losses of a job went, epoch by epoch.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct JobLosses {
    /// Every how many epochs one is kept: 1, and more for a job of more than 2000 epochs.
    pub every: u32,
    /// The epochs kept, in order.
    pub epochs: Vec<EpochLoss>,
}

impl From<job::LossCurve> for JobLosses {
    fn from(from: job::LossCurve) -> Self {
        let job::LossCurve { every, points } = from;
        JobLosses { every: every.max(1), epochs: points.into_iter().map(Into::into).collect() }
    }
}

/// One training job.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct TrainingJob {
    /// Its id.
    pub job_id: String,
    /// What was asked for.
    pub request: TrainingRequest,
    /// Where it stands.
    #[schema(value_type = names::JobStateName)]
    pub state: JobState,
    /// How far it is.
    pub progress: JobProgress,
    /// Times it was started; above 1 after a crash of the host or of its worker.
    pub attempts: u32,
    /// Threads it was first started with; every further start has the same.
    pub threads: Option<u32>,
    /// What it is expected to take; absent for what a guest trains.
    pub estimate: Option<JobEstimate>,
    /// When it was accepted.
    #[schema(value_type = String, format = DateTime)]
    pub created_at: Timestamp,
    /// When it last started.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub started_at: Option<Timestamp>,
    /// When it ended.
    #[schema(value_type = Option<String>, format = DateTime)]
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

impl From<job::TrainingJob> for TrainingJob {
    fn from(from: job::TrainingJob) -> Self {
        let job::TrainingJob {
            job_id,
            request,
            state,
            progress,
            attempts,
            threads,
            estimate,
            created_at,
            started_at,
            finished_at,
            model_id,
            deployment_id,
            error,
            idempotency_key,
        } = from;
        let (request, progress, estimate) = (request.into(), progress.into(), estimate.map(Into::into));
        TrainingJob {
            job_id,
            request,
            state,
            progress,
            attempts,
            threads,
            estimate,
            created_at,
            started_at,
            finished_at,
            model_id,
            deployment_id,
            error,
            idempotency_key,
        }
    }
}

/// A page of jobs, newest first.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct JobPage {
    /// The jobs.
    pub jobs: Vec<TrainingJob>,
    /// Pass it as `cursor` for the next page; absent on the last.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub next_cursor: Option<String>,
}

/// Which jobs to list.
#[derive(Debug, Clone, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields, default)]
#[into_params(parameter_in = Query)]
pub struct JobQuery {
    /// In one state.
    #[param(value_type = Option<names::JobStateName>, required = false)]
    pub state: Option<JobState>,
    /// Of one recipe.
    #[param(required = false)]
    pub model_type: Option<String>,
    /// Of one instrument.
    #[param(value_type = Option<String>, required = false)]
    pub symbol: Option<Symbol>,
    /// Items at most, 1 to 1000; 100 when absent.
    #[param(required = false, minimum = 1, maximum = 1000)]
    pub limit: Option<usize>,
    /// `next_cursor` of the page before.
    #[param(required = false)]
    pub cursor: Option<String>,
}

/// One line of a job's log.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct JobLogLine {
    /// Counts from 1 within the job.
    pub number: u64,
    /// When.
    #[schema(value_type = String, format = DateTime)]
    pub at: Timestamp,
    /// The line.
    pub message: String,
}

same_fields!(JobLogLine, LogLine, { number, at, message });

/// Lines of a job's log.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct JobLog {
    /// The lines, at most 1000; ask again with `after` = the last number.
    pub lines: Vec<JobLogLine>,
}

/// Which lines of a log.
#[derive(Debug, Clone, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields, default)]
#[into_params(parameter_in = Query)]
pub struct LogQuery {
    /// Only lines with a greater number; 0 when absent.
    #[param(required = false)]
    pub after: u64,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_least_request_has_the_domains_defaults() {
        let least = r#"{"model_type":"lstm","symbol":"BTC/USDT","target":{"kind":"return"}}"#;
        let wire: TrainingRequest = serde_json::from_str(least).unwrap();
        let domain: job::TrainingRequest = serde_json::from_str(least).unwrap();
        assert_eq!(job::TrainingRequest::from(wire.clone()), domain);
        assert_eq!(TrainingRequest::from(domain), wire);
    }

    #[test]
    fn a_gate_that_is_null_differs_from_an_absent_one() {
        let gates: Gates = serde_json::from_str(r#"{"min_skill":null,"min_r2_score":0.1}"#).unwrap();
        assert_eq!((gates.min_skill, gates.min_r2_score, gates.max_model_mse), (Some(None), Some(Some(0.1)), None));
        assert_eq!(serde_json::to_value(&gates).unwrap(), serde_json::json!({"min_skill": null, "min_r2_score": 0.1}));
    }
}
