//! How much each training sample counts in the loss.

use serde::{Deserialize, Serialize};

use crate::time::Timestamp;
use crate::{Error, Result};

const DAY_MS: f64 = 86_400_000.0;

/// A rule that gives each training sample its weight. Validation and judging count every sample the same.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
pub enum SampleWeights {
    /// All the same.
    #[default]
    None,
    /// Half as much for every `half_life_days` that a sample is older than the newest training sample.
    Exponential {
        /// Days, above 0.
        half_life_days: f64,
    },
}

impl SampleWeights {
    /// All samples count the same.
    pub fn is_none(&self) -> bool {
        matches!(self, SampleWeights::None)
    }

    /// Checks the number.
    pub fn check(&self) -> Result<()> {
        match self {
            SampleWeights::Exponential { half_life_days } if !(*half_life_days > 0.0 && half_life_days.is_finite()) => {
                Err(Error::invalid("sample_weights.half_life_days", format!("is {half_life_days}; it must be above 0")))
            }
            SampleWeights::None | SampleWeights::Exponential { .. } => Ok(()),
        }
    }

    /// Weights of samples at these times, with a mean of 1 so that the learning rate means the same; none when all count the same.
    pub fn of(&self, times: &[Timestamp]) -> Option<Vec<f32>> {
        let SampleWeights::Exponential { half_life_days } = self else { return None };
        let newest = times.iter().map(|time| time.0).max()?;
        let weights: Vec<f64> = times.iter().map(|time| (-((newest - time.0) as f64) / DAY_MS / half_life_days).exp2()).collect();
        let mean = weights.iter().sum::<f64>() / weights.len() as f64;
        Some(weights.into_iter().map(|weight| (weight / mean) as f32).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weights_halve_and_have_a_mean_of_one() {
        let days = |day: i64| Timestamp(day * 86_400_000);
        let weights = SampleWeights::Exponential { half_life_days: 10.0 }.of(&[days(0), days(10), days(20)]).expect("weights");
        assert!((weights.iter().sum::<f32>() - 3.0).abs() < 1e-6);
        assert!((weights[1] / weights[0] - 2.0).abs() < 1e-6 && (weights[2] / weights[1] - 2.0).abs() < 1e-6);
        // A half-life of seconds over years leaves no weight to the oldest, and no number that is not finite.
        let steep = SampleWeights::Exponential { half_life_days: 1e-5 }.of(&[days(0), days(4000)]).expect("weights");
        assert_eq!(steep, [0.0, 2.0]);
        assert_eq!(SampleWeights::None.of(&[days(0)]), None);
    }

    #[test]
    fn rules_in_json() {
        let read = |text: &str| serde_json::from_str::<SampleWeights>(text).map_err(|error| error.to_string());
        assert_eq!(read(r#"{"kind":"none"}"#), Ok(SampleWeights::None));
        assert_eq!(read(r#"{"kind":"exponential","half_life_days":90}"#), Ok(SampleWeights::Exponential { half_life_days: 90.0 }));
        assert!(read(r#"{"kind":"exponential"}"#).expect_err("missing").contains("half_life_days"));
        for bad in [0.0, -1.0, f64::NAN, f64::INFINITY] {
            let error = SampleWeights::Exponential { half_life_days: bad }.check().expect_err("bad").to_string();
            assert!(error.starts_with("sample_weights.half_life_days: "), "{error}");
        }
    }
}
