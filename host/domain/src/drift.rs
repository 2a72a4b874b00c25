//! Drift of a model's inputs: per-feature verdicts, one score, one recommendation.

use serde::{Deserialize, Serialize};

/// What to do about drift.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Recommendation {
    /// Nothing.
    None,
    /// Look again soon.
    Watch,
    /// Plan a retraining.
    RetrainSoon,
    /// Retrain.
    RetrainNow,
    /// The data look broken, not the market: check them first.
    CheckData,
}

/// The verdict on one feature.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FeatureDrift {
    /// The feature.
    pub feature: String,
    /// The drift test (a plugin instance's name).
    pub test: String,
    /// The test statistic.
    pub statistic: f64,
    /// Probability without drift, if the test has one.
    pub p_value: Option<f64>,
    /// How far the data moved.
    pub score: f64,
    /// The score at which the test calls drift.
    pub threshold: f64,
    /// The verdict.
    pub drifted: bool,
    /// Values on the reference side.
    pub reference_count: u64,
    /// Values on the current side.
    pub current_count: u64,
    /// Share of current values that are missing.
    pub missing_share: f64,
    /// What a chart needs.
    #[serde(default)]
    pub detail: serde_json::Value,
}
