//! Alerts: a condition with a life, pending → firing → resolved.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::time::Timestamp;

/// How bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "the names are the definitions")]
pub enum Severity {
    Info,
    Warning,
    Critical,
}

/// Where an alert is in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AlertPhase {
    /// Seen, not yet long enough.
    Pending,
    /// It holds.
    Firing,
    /// It is over.
    Resolved,
}

/// One delivery of an alert to one handler.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Delivery {
    /// The handler (a plugin instance's name).
    pub handler: String,
    /// Same over retries.
    pub idempotency_key: String,
    /// Tries made.
    pub attempts: u32,
    /// When it arrived; none while it has not.
    pub delivered_at: Option<Timestamp>,
    /// The last failure.
    pub error: Option<String>,
    /// No further try will be made.
    pub given_up: bool,
}

/// One alert.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Alert {
    /// Its id.
    pub id: String,
    /// The condition, for example `data-drift`.
    pub condition: String,
    /// How bad it is.
    pub severity: Severity,
    /// Where it is in its life.
    pub phase: AlertPhase,
    /// One sentence for a person.
    pub summary: String,
    /// The model version concerned.
    pub model_id: Option<String>,
    /// The symbol concerned.
    pub symbol: Option<String>,
    /// When it was first seen.
    pub started_at: Timestamp,
    /// When it ended.
    pub resolved_at: Option<Timestamp>,
    /// Pairs that tell alerts of one condition apart.
    pub labels: BTreeMap<String, String>,
    /// Measurements behind it.
    pub detail: serde_json::Value,
    /// Where it was sent.
    pub deliveries: Vec<Delivery>,
}
