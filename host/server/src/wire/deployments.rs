//! Rollouts and endpoints over REST, where a rollout is called a deployment.

use bellwether_domain::rollout::{self, RolloutPhase};
use bellwether_domain::time::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::{IntoParams, ToSchema};

use super::models::same_fields;
use super::names;

/// A wish to deploy.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct DeployRequest {
    /// The candidate.
    #[schema(example = "lstm_BTC_20241205_120000")]
    pub model_id: String,
    /// The strategy: a loaded plugin of kind `deployment-strategy`; the host's default when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(example = "blue_green")]
    pub deployment_strategy: Option<String>,
    /// The endpoint; the symbol's own (`BTC-USDT`) when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub endpoint: Option<String>,
    /// Configuration of the strategy, laid over its instance's own.
    #[serde(default)]
    #[schema(required = false)]
    pub config: Map<String, Value>,
}

/// A step that was taken.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct DeploymentStep {
    /// Number, from 0.
    pub number: u32,
    /// What was done: an object with `kind` (`set-weight`, `set-replicas`, `pause-for`, `pause-until-approved`,
    /// `check-health`, `analyse`, `promote`, `rollback`) and the numbers of that kind.
    pub action: Value,
    /// Why.
    pub reason: String,
    /// When.
    #[schema(value_type = String, format = DateTime)]
    pub at: Timestamp,
}

impl From<rollout::Step> for DeploymentStep {
    fn from(from: rollout::Step) -> Self {
        let rollout::Step { number, action, reason, at } = from;
        let action = serde_json::to_value(action).expect("an action is plain data");
        DeploymentStep { number, action, reason, at }
    }
}

/// The host's check of a candidate.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct HealthReport {
    /// All of it passed.
    pub passed: bool,
    /// Probes answered.
    pub probes: u32,
    /// Slowest probe, in milliseconds.
    pub slowest_ms: f64,
    /// What failed.
    pub reasons: Vec<String>,
}

same_fields!(HealthReport, rollout::HealthReport, { passed, probes, slowest_ms, reasons });

/// Verdict of an analysis.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Analysis {
    /// Null when there was too little data.
    pub passed: Option<bool>,
    /// What was compared.
    pub reasons: Vec<String>,
}

same_fields!(Analysis, rollout::Analysis, { passed, reasons });

/// One rollout.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Deployment {
    /// Its id.
    pub deployment_id: String,
    /// The endpoint that moves.
    pub endpoint: String,
    /// The version that served when it began.
    pub stable: Option<String>,
    /// The version that wants to.
    pub candidate: String,
    /// The strategy.
    pub strategy: String,
    /// Its configuration.
    pub config: Value,
    /// Where it stands.
    #[schema(value_type = names::PhaseName)]
    pub phase: RolloutPhase,
    /// Why it stands there.
    pub reason: String,
    /// Steps taken.
    pub steps: Vec<DeploymentStep>,
    /// The last health check.
    pub health: Option<HealthReport>,
    /// The last analysis.
    pub analysis: Option<Analysis>,
    /// A person approved the current pause.
    pub approved: bool,
    /// When it began.
    #[schema(value_type = String, format = DateTime)]
    pub created_at: Timestamp,
    /// When it last changed.
    #[schema(value_type = String, format = DateTime)]
    pub updated_at: Timestamp,
    /// When it ended.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub finished_at: Option<Timestamp>,
    /// The caller's key: the same key gives the same rollout.
    pub idempotency_key: Option<String>,
}

impl From<rollout::Rollout> for Deployment {
    fn from(from: rollout::Rollout) -> Self {
        // The strategy's own state is nobody else's business.
        let rollout::Rollout {
            deployment_id,
            endpoint,
            stable,
            candidate,
            strategy,
            config,
            phase,
            reason,
            steps,
            health,
            analysis,
            approved,
            state: _,
            created_at,
            updated_at,
            finished_at,
            idempotency_key,
        } = from;
        Deployment {
            steps: steps.into_iter().map(Into::into).collect(),
            health: health.map(Into::into),
            analysis: analysis.map(Into::into),
            deployment_id,
            endpoint,
            stable,
            candidate,
            strategy,
            config,
            phase,
            reason,
            approved,
            created_at,
            updated_at,
            finished_at,
            idempotency_key,
        }
    }
}

/// A page of rollouts, newest first.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct DeploymentPage {
    /// The rollouts.
    pub deployments: Vec<Deployment>,
    /// Pass it as `cursor` for the next page; absent on the last.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub next_cursor: Option<String>,
}

/// Which page.
#[derive(Debug, Clone, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields, default)]
#[into_params(parameter_in = Query)]
pub struct PageQuery {
    /// Items at most, 1 to 1000; 100 when absent.
    #[param(required = false, minimum = 1, maximum = 1000)]
    pub limit: Option<usize>,
    /// `next_cursor` of the page before.
    #[param(required = false)]
    pub cursor: Option<String>,
}

/// Why a rollout is ended.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct AbortRequest {
    /// For the record.
    pub reason: Option<String>,
}

/// One row of an endpoint's traffic table.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Variant {
    /// `stable` or `candidate`.
    pub name: String,
    /// The version that answers.
    pub model_id: String,
    /// Share of predictions it answers; all shares of an endpoint sum to 1.
    pub share: f64,
    /// Share of predictions it is shown without answering.
    pub shadow: f64,
}

same_fields!(Variant, rollout::Variant, { name, model_id, share, shadow });

/// A named route that answers predictions.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Endpoint {
    /// Its name.
    #[schema(example = "BTC-USDT")]
    pub name: String,
    /// Who answers.
    pub variants: Vec<Variant>,
    /// The version before the stable one, kept for a rollback.
    pub previous: Option<String>,
    /// When it last changed.
    #[schema(value_type = String, format = DateTime)]
    pub updated_at: Timestamp,
}

impl From<rollout::Endpoint> for Endpoint {
    fn from(from: rollout::Endpoint) -> Self {
        let rollout::Endpoint { name, variants, previous, updated_at } = from;
        Endpoint { name, variants: variants.into_iter().map(Into::into).collect(), previous, updated_at }
    }
}

/// All endpoints, by name.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct EndpointList {
    /// The endpoints.
    pub endpoints: Vec<Endpoint>,
}
