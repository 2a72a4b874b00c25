//! Metrics of model versions over REST, on the held-out part and on folds before it.

use bellwether_domain::metrics::{self, ModelMetrics};
use bellwether_domain::time::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::models::same_fields;
use super::split::ValidationScheme;

/// Metrics on the held-out part. A number that does not apply, or was not given, is absent.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Metrics {
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
    /// 1 − mse / mse of the baseline model: above 0 is better than naive.
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
    /// Share of true values within the predicted interval; good when near `interval_level`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub interval_coverage: Option<f64>,
    /// Share of true values that the predicted interval should hold.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub interval_level: Option<f64>,
    /// Mean width of the predicted interval, in the target's unit.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub interval_width: Option<f64>,
    /// Mean pinball loss over the predicted quantiles, in the target's unit.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pinball: Option<f64>,
    /// Mean continuous ranked probability score of the predicted normal (of the logarithm, for prices), in the target's unit.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub crps: Option<f64>,
    /// Samples judged.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub samples: Option<u64>,
}

same_fields!(Metrics, ModelMetrics, {
    mse, mae, r2_score, accuracy, precision, recall, f1_score, skill, baseline_mse, sharpe_ratio, max_drawdown, win_rate, profit_factor,
    interval_coverage, interval_level, interval_width, pinball, crps, samples,
});

/// One judged block of a validation scheme.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct FoldMetrics {
    /// Number of the fold, from 1.
    pub fold: u32,
    /// Last bar of the first judged window.
    #[schema(value_type = String, format = DateTime)]
    pub from: Timestamp,
    /// Last bar of the last judged window.
    #[schema(value_type = String, format = DateTime)]
    pub until: Timestamp,
    /// Samples trained on, validated on, judged on.
    pub samples: [u64; 3],
    /// Metrics on the judged block.
    pub metrics: Metrics,
}

same_fields!(FoldMetrics, metrics::FoldMetrics, { fold, from, until, samples, metrics });

/// How the recipe fared on folds before the held-out part. The version itself was fitted afterwards.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct CrossValidation {
    /// The scheme.
    pub scheme: ValidationScheme,
    /// The folds, in time order.
    pub folds: Vec<FoldMetrics>,
    /// Mean of each number over the folds that have it; `samples` is their sum.
    pub mean: Metrics,
    /// Sample standard deviation of each number; absent where fewer than two folds have it.
    pub standard_deviation: Metrics,
}

impl From<metrics::CrossValidation> for CrossValidation {
    fn from(from: metrics::CrossValidation) -> Self {
        let metrics::CrossValidation { scheme, folds, mean, standard_deviation } = from;
        let folds = folds.into_iter().map(Into::into).collect();
        CrossValidation { scheme: scheme.into(), folds, mean: mean.into(), standard_deviation: standard_deviation.into() }
    }
}
