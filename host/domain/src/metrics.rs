//! Metrics of predictions on the held-out part: regression, classification, and skill against the baseline model.

use serde::{Deserialize, Serialize};

/// Metrics of one model version; a number that does not apply, or was not given, is absent. Names are the first description's.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ModelMetrics {
    /// Mean squared error, in the target's unit squared.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mse: Option<f64>,
    /// Mean absolute error, in the target's unit.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mae: Option<f64>,
    /// 1 − squared error / squared deviation from the mean of the held-out targets.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub r2_score: Option<f64>,
    /// Share of right signs (regression: of prediction − last known value) or classes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub accuracy: Option<f64>,
    /// Right among predicted ups.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub precision: Option<f64>,
    /// Found among true ups.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub recall: Option<f64>,
    /// Harmonic mean of precision and recall.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub f1_score: Option<f64>,
    /// 1 − mse / mse of the baseline model.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub skill: Option<f64>,
    /// Mean squared error of the baseline model.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub baseline_mse: Option<f64>,
    /// Annualised Sharpe ratio, net of costs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sharpe_ratio: Option<f64>,
    /// Largest fall from a peak of the equity, as a share of the peak, net of costs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_drawdown: Option<f64>,
    /// Share of winning trades, net of costs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub win_rate: Option<f64>,
    /// Gains / losses, net of costs; absent without a loss.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub profit_factor: Option<f64>,
    /// Samples judged.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub samples: Option<u64>,
}
