//! Rollouts: how an endpoint moves from a stable to a candidate version, and the table that routes its traffic.

use serde::{Deserialize, Serialize};

use crate::time::Timestamp;

/// One row of a traffic table.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Variant {
    /// Name within the endpoint: `stable` or `candidate`.
    pub name: String,
    /// The version that answers.
    pub model_id: String,
    /// Share of predictions it answers; all shares of an endpoint sum to 1.
    pub share: f64,
    /// Share of predictions it is shown without answering.
    pub shadow: f64,
}

/// A named route that answers predictions.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Endpoint {
    /// Its name, for example `BTC-USDT`.
    pub name: String,
    /// Who answers.
    pub variants: Vec<Variant>,
    /// The version before the stable one, kept loaded for a rollback.
    pub previous: Option<String>,
    /// When it last changed.
    pub updated_at: Timestamp,
}

impl Endpoint {
    /// The stable version, if there is one.
    pub fn stable(&self) -> Option<&str> {
        self.variants.iter().find(|variant| variant.name == "stable").map(|variant| variant.model_id.as_str())
    }
}

/// Where a rollout stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RolloutPhase {
    /// Steps are being taken.
    Progressing,
    /// Waiting for time or a person.
    Paused,
    /// The candidate is stable.
    Promoted,
    /// The stable version serves again, alone.
    RolledBack,
    /// A person ended it; the stable version serves alone.
    Aborted,
}

impl RolloutPhase {
    /// True when nothing more will happen.
    pub fn is_final(self) -> bool {
        !matches!(self, RolloutPhase::Progressing | RolloutPhase::Paused)
    }
}

/// What a strategy may ask for.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "kind", deny_unknown_fields)]
pub enum Action {
    /// Set the candidate's traffic.
    SetWeight {
        /// Share it answers.
        share: f64,
        /// Share it is shown.
        shadow: f64,
    },
    /// Set how many replicas run the candidate.
    SetReplicas {
        /// On the candidate.
        updated: u32,
        /// In all.
        total: u32,
    },
    /// Wait this long.
    PauseFor {
        /// Seconds.
        seconds: u32,
    },
    /// Wait for a person.
    PauseUntilApproved,
    /// Run the host's health check of the candidate.
    CheckHealth,
    /// Measure before deciding again.
    Analyse {
        /// Metrics to compare.
        metrics: Vec<String>,
        /// Seconds.
        seconds: u32,
        /// Least requests for a verdict.
        least_requests: u64,
    },
    /// The candidate becomes stable.
    Promote,
    /// Back to the stable version.
    Rollback {
        /// Why.
        reason: String,
    },
}

/// A step that was taken.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Step {
    /// Number, from 0.
    pub number: u32,
    /// What was done.
    pub action: Action,
    /// Why.
    pub reason: String,
    /// When.
    pub at: Timestamp,
}

/// The host's check of a candidate.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct HealthReport {
    /// All of it passed.
    pub passed: bool,
    /// Probes answered.
    pub probes: u32,
    /// Slowest probe.
    pub slowest_ms: f64,
    /// What failed.
    pub reasons: Vec<String>,
}

/// Verdict of an analysis.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Analysis {
    /// None when there was too little data.
    pub passed: Option<bool>,
    /// What was compared.
    pub reasons: Vec<String>,
}

/// One version's measurements since the current step began.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Measurement {
    /// Predictions answered.
    pub requests: u64,
    /// Predictions that failed.
    pub errors: u64,
    /// Median latency.
    pub latency_p50_ms: Option<f64>,
    /// 99th percentile of latency.
    pub latency_p99_ms: Option<f64>,
    /// (name, value, outcomes).
    pub metrics: Vec<(String, f64, u64)>,
}

/// One side of a rollout as a strategy sees it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Side {
    /// The version.
    pub model_id: String,
    /// Share it answers.
    pub share: f64,
    /// Share it is shown.
    pub shadow: f64,
    /// What was measured.
    pub measured: Measurement,
}

/// Everything a strategy may know: the argument of `next`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RolloutView {
    /// The rollout.
    pub id: String,
    /// The endpoint.
    pub endpoint: String,
    /// Who serves now.
    pub stable: Option<Side>,
    /// Who wants to.
    pub candidate: Side,
    /// (number, action, seconds since), oldest first.
    pub steps: Vec<(u32, Action, f64)>,
    /// Seconds since it began.
    pub elapsed_seconds: f64,
    /// When this is decided.
    pub now: Timestamp,
    /// The last health check.
    pub health: Option<HealthReport>,
    /// The last analysis.
    pub analysis: Option<Analysis>,
    /// A person approved the current pause.
    pub approved: bool,
    /// The strategy's own state.
    pub state: Vec<u8>,
}

/// A strategy's answer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Decision {
    /// What comes next.
    pub action: Action,
    /// Why.
    pub reason: String,
    /// State for the next call.
    pub state: Vec<u8>,
}

/// The record of one rollout; over REST it is called a deployment.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rollout {
    /// Its id.
    pub deployment_id: String,
    /// The endpoint that moves.
    pub endpoint: String,
    /// The version that served when it began.
    pub stable: Option<String>,
    /// The version that wants to.
    pub candidate: String,
    /// The strategy (a plugin instance's name).
    pub strategy: String,
    /// Its configuration.
    pub config: serde_json::Value,
    /// Where it stands.
    pub phase: RolloutPhase,
    /// Why it stands there.
    pub reason: String,
    /// Steps taken.
    pub steps: Vec<Step>,
    /// The last health check.
    pub health: Option<HealthReport>,
    /// The last analysis.
    pub analysis: Option<Analysis>,
    /// Set by a person to end a pause.
    pub approved: bool,
    /// The strategy's own state.
    pub state: Vec<u8>,
    /// When it began.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
    /// When it ended.
    pub finished_at: Option<Timestamp>,
    /// The caller's key: the same key gives the same rollout.
    pub idempotency_key: Option<String>,
}
