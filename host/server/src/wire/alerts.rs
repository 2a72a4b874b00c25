//! Alerts over REST.

use std::collections::BTreeMap;

use bellwether_domain::alert::{self, AlertPhase, Severity};
use bellwether_domain::time::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::{IntoParams, ToSchema};

use super::models::same_fields;
use super::names;

/// One delivery of an alert to one handler.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Delivery {
    /// The handler (a plugin instance's name).
    pub handler: String,
    /// Same over retries.
    pub idempotency_key: String,
    /// Tries made.
    pub attempts: u32,
    /// When it arrived; null while it has not.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub delivered_at: Option<Timestamp>,
    /// The last failure.
    pub error: Option<String>,
    /// No further try will be made.
    pub given_up: bool,
}

same_fields!(Delivery, alert::Delivery, { handler, idempotency_key, attempts, delivered_at, error, given_up });

/// One alert.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Alert {
    /// Its id.
    pub id: String,
    /// The condition.
    #[schema(example = "data-drift")]
    pub condition: String,
    /// How bad it is.
    #[schema(value_type = names::SeverityName)]
    pub severity: Severity,
    /// Where it is in its life.
    #[schema(value_type = names::AlertPhaseName)]
    pub phase: AlertPhase,
    /// One sentence for a person.
    pub summary: String,
    /// The version concerned.
    pub model_id: Option<String>,
    /// The symbol concerned.
    pub symbol: Option<String>,
    /// When it was first seen.
    #[schema(value_type = String, format = DateTime)]
    pub started_at: Timestamp,
    /// When it ended.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub resolved_at: Option<Timestamp>,
    /// Pairs that tell alerts of one condition apart.
    pub labels: BTreeMap<String, String>,
    /// Measurements behind it.
    pub detail: Value,
    /// Where it was sent.
    pub deliveries: Vec<Delivery>,
}

impl From<alert::Alert> for Alert {
    fn from(from: alert::Alert) -> Self {
        let alert::Alert { id, condition, severity, phase, summary, model_id, symbol, started_at, resolved_at, labels, detail, deliveries } =
            from;
        let deliveries = deliveries.into_iter().map(Into::into).collect();
        Alert { id, condition, severity, phase, summary, model_id, symbol, started_at, resolved_at, labels, detail, deliveries }
    }
}

/// A page of alerts, newest first.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct AlertPage {
    /// The alerts.
    pub alerts: Vec<Alert>,
    /// Pass it as `cursor` for the next page; absent on the last.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub next_cursor: Option<String>,
}

/// Which alerts to list.
#[derive(Debug, Clone, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields, default)]
#[into_params(parameter_in = Query)]
pub struct AlertQuery {
    /// In one phase.
    #[param(value_type = Option<names::AlertPhaseName>, required = false)]
    pub phase: Option<AlertPhase>,
    /// Items at most, 1 to 1000; 100 when absent.
    #[param(required = false, minimum = 1, maximum = 1000)]
    pub limit: Option<usize>,
    /// `next_cursor` of the page before.
    #[param(required = false)]
    pub cursor: Option<String>,
}
