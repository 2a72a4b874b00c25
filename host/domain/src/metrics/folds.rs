//! Metrics of the folds of a validation scheme, and what they say together.
//!
//! A metric that varies much between folds is one to trust less on the held-out part.

use serde::{Deserialize, Serialize};

use crate::metrics::ModelMetrics;
use crate::split::Scheme;
use crate::time::Timestamp;

/// One judged block.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FoldMetrics {
    /// Number of the fold, from 1.
    pub fold: u32,
    /// Last bar of the first judged window.
    pub from: Timestamp,
    /// Last bar of the last judged window.
    pub until: Timestamp,
    /// Samples trained on, validated on, judged on.
    pub samples: [u64; 3],
    /// Metrics on the judged block.
    pub metrics: ModelMetrics,
}

/// Every fold of a scheme. The version itself was fitted afterwards, as without a scheme.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CrossValidation {
    /// The scheme.
    pub scheme: Scheme,
    /// The folds, in time order.
    pub folds: Vec<FoldMetrics>,
    /// Mean of each number over the folds that have it, each fold counting the same; `samples` is their sum.
    pub mean: ModelMetrics,
    /// Sample standard deviation (n − 1) of each number; absent where fewer than two folds have it.
    pub standard_deviation: ModelMetrics,
}

impl CrossValidation {
    /// Puts folds together.
    pub fn of(scheme: Scheme, folds: Vec<FoldMetrics>) -> CrossValidation {
        let all: Vec<&ModelMetrics> = folds.iter().map(|fold| &fold.metrics).collect();
        let samples = all.iter().filter_map(|metrics| metrics.samples).sum();
        let mean = ModelMetrics { samples: Some(samples), ..ModelMetrics::summary(&all, mean) };
        let standard_deviation = ModelMetrics::summary(&all, deviation);
        CrossValidation { scheme, folds, mean, standard_deviation }
    }
}

fn mean(values: &[f64]) -> Option<f64> {
    (!values.is_empty()).then(|| values.iter().sum::<f64>() / values.len() as f64)
}

fn deviation(values: &[f64]) -> Option<f64> {
    let mean = mean(values).filter(|_| values.len() > 1)?;
    let squares: f64 = values.iter().map(|value| (value - mean).powi(2)).sum();
    Some((squares / (values.len() - 1) as f64).sqrt())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn absent_numbers_are_left_out() {
        let fold = |fold: u32, mse: f64, sharpe_ratio: Option<f64>| FoldMetrics {
            fold,
            from: Timestamp(0),
            until: Timestamp(1),
            samples: [10, 2, 5],
            metrics: ModelMetrics { mse: Some(mse), sharpe_ratio, samples: Some(5), ..ModelMetrics::default() },
        };
        let together =
            CrossValidation::of(Scheme::PurgedKFold { folds: 3 }, vec![fold(1, 1.0, None), fold(2, 2.0, Some(0.5)), fold(3, 6.0, None)]);
        assert_eq!((together.mean.mse, together.mean.sharpe_ratio, together.mean.skill), (Some(3.0), Some(0.5), None));
        assert_eq!((together.mean.samples, together.standard_deviation.samples), (Some(15), None));
        assert_eq!((together.standard_deviation.mse, together.standard_deviation.sharpe_ratio), (Some(7.0_f64.sqrt()), None));
    }
}
