//! Predictions that say how sure they are: intervals, quantiles, normals, and how well they were sure.
//!
//! Pinball loss: Koenker and Bassett (1978). Continuous ranked probability score of a normal and of a log-normal: Gneiting
//! and Raftery (2007), eq. 21, and Baran and Lerch (2015), eq. 6. All are smaller for better predictions, in the target's unit.

use serde::{Deserialize, Serialize};
use statrs::function::erf::erf;

/// The share of a normal within ± this many standard deviations is 90 %.
const NINETY: f64 = 1.644_853_626_951_472_2;

/// Where the true value should lie.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct PredictionInterval {
    /// Lower end, in the target's unit.
    pub lower: f64,
    /// Upper end.
    pub upper: f64,
    /// Share of true values that it should hold, in (0, 1).
    pub level: f64,
}

/// What is said of the whole distribution.
#[derive(Debug, Clone, PartialEq)]
pub enum Distribution {
    /// Values at probabilities, both ascending.
    Quantiles(Vec<(f64, f64)>),
    /// A normal.
    Normal {
        /// Its mean.
        mean: f64,
        /// Its standard deviation.
        deviation: f64,
    },
    /// A normal of the logarithm.
    LogNormal {
        /// Mean of the logarithm.
        mean: f64,
        /// Standard deviation of the logarithm.
        deviation: f64,
    },
}

/// One prediction, in the target's unit.
#[derive(Debug, Clone, PartialEq)]
pub struct Forecast {
    /// The value (direction: a probability).
    pub value: f64,
    /// What the model says of its spread, if it says anything.
    pub distribution: Option<Distribution>,
}

impl Forecast {
    /// The interval: between the outermost quantiles, or the central 90 % of a normal.
    pub fn interval(&self) -> Option<PredictionInterval> {
        match self.distribution.as_ref()? {
            Distribution::Quantiles(quantiles) => {
                let ((low, lower), (high, upper)) = (*quantiles.first()?, *quantiles.last()?);
                (high > low).then_some(PredictionInterval { lower, upper, level: high - low })
            }
            Distribution::Normal { mean, deviation } => {
                Some(PredictionInterval { lower: mean - NINETY * deviation, upper: mean + NINETY * deviation, level: 0.9 })
            }
            Distribution::LogNormal { mean, deviation } => {
                Some(PredictionInterval { lower: (mean - NINETY * deviation).exp(), upper: (mean + NINETY * deviation).exp(), level: 0.9 })
            }
        }
    }
}

/// How well predictions were sure; absent where they do not say.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Probabilistic {
    /// Share of true values within the interval, ends included.
    pub interval_coverage: Option<f64>,
    /// Share that should be.
    pub interval_level: Option<f64>,
    /// Mean width of the interval.
    pub interval_width: Option<f64>,
    /// Mean pinball loss over quantiles and samples.
    pub pinball: Option<f64>,
    /// Mean continuous ranked probability score of normals and log-normals.
    pub crps: Option<f64>,
}

/// Compares forecasts with what came, pair by pair.
pub fn probabilistic(forecasts: &[Forecast], actual: &[f64]) -> Probabilistic {
    let pairs = || forecasts.iter().zip(actual);
    let intervals: Vec<(PredictionInterval, f64)> = pairs().filter_map(|(said, came)| Some((said.interval()?, *came))).collect();
    let of_intervals = |pick: &dyn Fn(&PredictionInterval, f64) -> f64| mean(intervals.iter().map(|(said, came)| pick(said, *came)));
    Probabilistic {
        interval_coverage: of_intervals(&|said, came| f64::from(u8::from((said.lower..=said.upper).contains(&came)))),
        interval_level: intervals.first().map(|(said, _)| said.level),
        interval_width: of_intervals(&|said, _| said.upper - said.lower),
        pinball: mean(pairs().filter_map(|(said, came)| pinball(said.distribution.as_ref()?, *came))),
        crps: mean(pairs().filter_map(|(said, came)| crps(said.distribution.as_ref()?, *came))),
    }
}

fn mean(values: impl Iterator<Item = f64>) -> Option<f64> {
    let (sum, count) = values.fold((0.0, 0_u64), |(sum, count), value| (sum + value, count + 1));
    (count > 0).then(|| sum / count as f64)
}

/// Mean over the quantiles of max(p · (y − q), (p − 1) · (y − q)).
fn pinball(said: &Distribution, came: f64) -> Option<f64> {
    match said {
        Distribution::Quantiles(quantiles) => {
            mean(quantiles.iter().map(|(probability, value)| (probability * (came - value)).max((probability - 1.0) * (came - value))))
        }
        Distribution::Normal { .. } | Distribution::LogNormal { .. } => None,
    }
}

fn crps(said: &Distribution, came: f64) -> Option<f64> {
    use std::f64::consts::{FRAC_1_SQRT_2, PI};
    let below = |z: f64| 0.5 * (1.0 + erf(z * FRAC_1_SQRT_2));
    match said {
        Distribution::Normal { mean, deviation } if *deviation > 0.0 => {
            let z = (came - mean) / deviation;
            let density = (-0.5 * z * z).exp() / (2.0 * PI).sqrt();
            Some(deviation * (z * (2.0 * below(z) - 1.0) + 2.0 * density - 1.0 / PI.sqrt()))
        }
        Distribution::LogNormal { mean, deviation } if *deviation > 0.0 && came > 0.0 => {
            let z = (came.ln() - mean) / deviation;
            let expected = (mean + 0.5 * deviation * deviation).exp();
            Some(came * (2.0 * below(z) - 1.0) - 2.0 * expected * (below(z - deviation) + below(deviation * FRAC_1_SQRT_2) - 1.0))
        }
        // Without a spread the score is the absolute error.
        Distribution::Normal { mean, .. } => Some((came - mean).abs()),
        Distribution::LogNormal { mean, .. } => Some((came - mean.exp()).abs()),
        Distribution::Quantiles(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn forecast(distribution: Distribution) -> Forecast {
        Forecast { value: 0.0, distribution: Some(distribution) }
    }

    /// The score by its definition: the integral of (F(x) − 1[x ≥ y])².
    fn integral(cdf: impl Fn(f64) -> f64, came: f64, from: f64, to: f64) -> f64 {
        let steps = 400_000;
        let width = (to - from) / f64::from(steps);
        let at = |step: i32| from + (f64::from(step) + 0.5) * width;
        (0..steps).map(|step| (cdf(at(step)) - if at(step) >= came { 1.0 } else { 0.0 }).powi(2) * width).sum()
    }

    #[test]
    fn the_score_is_its_integral() {
        let below = |z: f64| 0.5 * (1.0 + erf(z / 2.0_f64.sqrt()));
        for (mean, deviation, came) in [(0.0, 1.0, 0.0), (-5.0, 0.4, -4.1), (2.0, 3.0, -6.0)] {
            let found = crps(&Distribution::Normal { mean, deviation }, came).expect("score");
            let expected = integral(|x| below((x - mean) / deviation), came, mean - 12.0 * deviation, mean + 12.0 * deviation);
            assert!((found - expected).abs() < 1e-4, "{found} {expected}");
        }
        for (mean, deviation, came) in [(4.6_f64, 0.02, 101.0), (0.0, 0.5, 0.2)] {
            let found = crps(&Distribution::LogNormal { mean, deviation }, came).expect("score");
            let cdf = |x: f64| if x > 0.0 { below((x.ln() - mean) / deviation) } else { 0.0 };
            let expected = integral(cdf, came, 0.0, (mean + 12.0 * deviation).exp());
            assert!((found - expected).abs() < 1e-3 * expected.max(1.0), "{found} {expected}");
        }
    }

    #[test]
    fn intervals_of_quantiles_by_hand() {
        let quantiles = |low: f64, high: f64| forecast(Distribution::Quantiles(vec![(0.1, low), (0.5, 0.0), (0.9, high)]));
        let said = [quantiles(-1.0, 1.0), quantiles(-1.0, 3.0), Forecast { value: 0.0, distribution: None }];
        let interval = said[0].interval().expect("interval");
        assert!(interval.lower == -1.0 && interval.upper == 1.0 && (interval.level - 0.8).abs() < 1e-12);
        assert_eq!(said[2].interval(), None);
        let found = probabilistic(&said, &[2.0, 2.0, 9.0]);
        assert_eq!((found.interval_coverage, found.interval_width, found.crps), (Some(0.5), Some(3.0), None));
        // First: 0.1·3 + 0.5·2 + 0.9·1 = 2.2; second: 0.1·3 + 0.5·2 + 0.1·1 = 1.4; over three quantiles.
        assert!((found.pinball.expect("pinball") - (2.2 + 1.4) / 6.0).abs() < 1e-12);
        assert_eq!(forecast(Distribution::Quantiles(vec![(0.5, 1.0)])).interval(), None);
        assert_eq!(probabilistic(&said[2..], &[1.0]), Probabilistic::default());
    }

    #[test]
    fn nine_of_ten_lie_within_a_normals_interval() {
        let interval = forecast(Distribution::Normal { mean: 1.0, deviation: 2.0 }).interval().expect("interval");
        let within = erf((interval.upper - 1.0) / 2.0 / 2.0_f64.sqrt());
        assert!((within - interval.level).abs() < 1e-9 && (interval.upper + interval.lower - 2.0).abs() < 1e-12);
        let price = forecast(Distribution::LogNormal { mean: 0.0, deviation: 2.0 }).interval().expect("interval");
        assert!((price.lower * price.upper - 1.0).abs() < 1e-12 && price.lower > 0.0);
    }
}
