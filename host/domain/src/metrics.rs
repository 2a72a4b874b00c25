//! Metrics of predictions on the held-out part: regression, classification, and skill against the baseline model.
//!
//! A number that is not defined (no predicted ups, no spread in the targets) is absent, never 0: a gate on an absent
//! number fails, and an average over versions leaves it out.

use serde::{Deserialize, Serialize};

mod folds;
mod probabilistic;

pub use folds::{CrossValidation, FoldMetrics};
pub use probabilistic::{Distribution, Forecast, PredictionInterval, Probabilistic, probabilistic};

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
    /// Share of true values within the predicted interval; good when near its level.
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

/// Methods that work number by number, so that none is forgotten when one is added.
macro_rules! number_by_number {
    ($($name:ident),* $(,)?) => {
        impl ModelMetrics {
            /// These numbers, and those of `other` where one is absent.
            pub fn or(self, other: &ModelMetrics) -> ModelMetrics {
                ModelMetrics { $($name: self.$name.or(other.$name),)* samples: self.samples.or(other.samples) }
            }

            /// One number of each kind, made of those that are present in `all`. `samples` is absent.
            pub fn summary(all: &[&ModelMetrics], of: impl Fn(&[f64]) -> Option<f64>) -> ModelMetrics {
                let present = |pick: fn(&ModelMetrics) -> Option<f64>| all.iter().copied().filter_map(pick).collect::<Vec<f64>>();
                ModelMetrics { $($name: of(&present(|metrics| metrics.$name)),)* samples: None }
            }
        }
    };
}

number_by_number!(
    mse,
    mae,
    r2_score,
    accuracy,
    precision,
    recall,
    f1_score,
    skill,
    baseline_mse,
    sharpe_ratio,
    max_drawdown,
    win_rate,
    profit_factor,
    interval_coverage,
    interval_level,
    interval_width,
    pinball,
    crps,
);

/// Errors of real-valued predictions.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Regression {
    /// Mean squared error; absent without samples.
    pub mse: Option<f64>,
    /// Mean absolute error; absent without samples.
    pub mae: Option<f64>,
    /// 1 − squared error / squared deviation from the mean of the true values; absent when those do not vary.
    pub r2_score: Option<f64>,
}

/// Rates of yes-or-no predictions.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Classification {
    /// Share that is right; absent without samples.
    pub accuracy: Option<f64>,
    /// Right among predicted ups; absent when none was predicted.
    pub precision: Option<f64>,
    /// Found among true ups; absent when there was none.
    pub recall: Option<f64>,
    /// 2·hits / (predicted ups + true ups), the harmonic mean of the two; absent when there was neither.
    pub f1_score: Option<f64>,
}

/// Compares predictions with what came, pair by pair; the longer side's rest is not read.
pub fn regression(predicted: &[f64], actual: &[f64]) -> Regression {
    let count = predicted.len().min(actual.len());
    if count == 0 {
        return Regression::default();
    }
    let (predicted, actual) = (&predicted[..count], &actual[..count]);
    let errors = || predicted.iter().zip(actual).map(|(said, came)| said - came);
    let squared: f64 = errors().map(|error| error * error).sum();
    let mean = actual.iter().sum::<f64>() / count as f64;
    let spread: f64 = actual.iter().map(|came| (came - mean).powi(2)).sum();
    let varies = (spread / count as f64).sqrt() > 1e-12 * mean.abs().max(f64::MIN_POSITIVE);
    Regression {
        mse: Some(squared / count as f64),
        mae: Some(errors().map(f64::abs).sum::<f64>() / count as f64),
        r2_score: varies.then(|| 1.0 - squared / spread),
    }
}

/// Counts hits over pairs of (predicted up, came up).
pub fn classification(pairs: impl IntoIterator<Item = (bool, bool)>) -> Classification {
    let (mut count, mut right, mut hits, mut predicted, mut came) = (0u64, 0u64, 0u64, 0u64, 0u64);
    for (said, was) in pairs {
        count += 1;
        right += u64::from(said == was);
        hits += u64::from(said && was);
        predicted += u64::from(said);
        came += u64::from(was);
    }
    let share = |part: u64, whole: u64| (whole > 0).then(|| part as f64 / whole as f64);
    Classification {
        accuracy: share(right, count),
        precision: share(hits, predicted),
        recall: share(hits, came),
        f1_score: share(2 * hits, predicted + came),
    }
}

/// 1 − mse / mse of the baseline model: 0 is no better than naive. Absent when the baseline is perfect.
pub fn skill(mse: f64, baseline_mse: f64) -> Option<f64> {
    (baseline_mse > 0.0).then(|| 1.0 - mse / baseline_mse).filter(|skill| skill.is_finite())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn regression_by_hand() {
        let check = |predicted: &[f64], actual: &[f64], mse: Option<f64>, mae: Option<f64>, r2_score: Option<f64>| {
            assert_eq!(regression(predicted, actual), Regression { mse, mae, r2_score }, "{predicted:?} {actual:?}");
        };
        check(&[1.0, 2.0, 4.0, 4.0], &[1.0, 2.0, 3.0, 4.0], Some(0.25), Some(0.25), Some(0.8));
        check(&[2.5, 2.5, 2.5, 2.5], &[1.0, 2.0, 3.0, 4.0], Some(1.25), Some(1.0), Some(0.0));
        check(&[4.0, 3.0], &[3.0, 4.0], Some(1.0), Some(1.0), Some(-3.0));
        check(&[1.0, 2.0], &[3.0, 3.0], Some(2.5), Some(1.5), None);
        check(&[], &[], None, None, None);
    }

    #[test]
    fn undefined_rates_are_absent() {
        let check = |pairs: &[(u8, u8)], expected: [Option<f64>; 4]| {
            let found = classification(pairs.iter().map(|(said, came)| (*said == 1, *came == 1)));
            assert_eq!([found.accuracy, found.precision, found.recall, found.f1_score], expected, "{pairs:?}");
        };
        check(&[(1, 1), (1, 0), (0, 1), (0, 0)], [Some(0.5); 4]);
        check(&[(1, 1), (1, 1), (1, 0), (0, 0)], [Some(0.75), Some(2.0 / 3.0), Some(1.0), Some(0.8)]);
        check(&[(0, 0), (0, 0)], [Some(1.0), None, None, None]);
        check(&[(0, 1)], [Some(0.0), None, Some(0.0), Some(0.0)]);
        check(&[(1, 0)], [Some(0.0), Some(0.0), None, Some(0.0)]);
        check(&[], [None; 4]);
    }

    #[test]
    fn skill_is_relative() {
        for (mse, baseline, expected) in [(1.0, 2.0, Some(0.5)), (2.0, 2.0, Some(0.0)), (3.0, 2.0, Some(-0.5)), (0.0, 0.0, None)] {
            assert_eq!(skill(mse, baseline), expected);
        }
    }
}
