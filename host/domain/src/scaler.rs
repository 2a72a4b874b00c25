//! Standardisation per feature: (x − mean) / standard deviation, both taken from the training part only.

use serde::{Deserialize, Serialize};

use crate::{Error, Result};

/// Means and standard deviations, one of each per feature, in feature order.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Scaler {
    /// Means.
    pub mean: Vec<f64>,
    /// Population standard deviations; 1 where a feature is constant.
    pub standard_deviation: Vec<f64>,
}

impl Scaler {
    /// Learns from columns restricted to the rows the training part reads; `columns[f][row]`.
    pub fn fit(columns: &[Vec<f64>], rows: impl Iterator<Item = usize> + Clone) -> Scaler {
        let (mean, standard_deviation) = columns
            .iter()
            .map(|column| {
                let count = rows.clone().count().max(1) as f64;
                let mean = rows.clone().map(|row| column[row]).sum::<f64>() / count;
                let variance = rows.clone().map(|row| (column[row] - mean).powi(2)).sum::<f64>() / count;
                let deviation = variance.sqrt();
                (mean, if deviation > 1e-12 * mean.abs().max(1e-300) { deviation } else { 1.0 })
            })
            .unzip();
        Scaler { mean, standard_deviation }
    }

    /// That of the features at these places, in their order.
    pub fn at(&self, places: &[usize]) -> Scaler {
        let pick = |values: &[f64]| places.iter().map(|place| values[*place]).collect();
        Scaler { mean: pick(&self.mean), standard_deviation: pick(&self.standard_deviation) }
    }

    /// One value of feature `place`, scaled.
    #[inline]
    pub fn scale(&self, place: usize, value: f64) -> f64 {
        (value - self.mean[place]) / self.standard_deviation[place]
    }

    /// One value of feature `place`, back in its unit.
    #[inline]
    pub fn unscale(&self, place: usize, value: f64) -> f64 {
        value * self.standard_deviation[place] + self.mean[place]
    }

    /// Checks that it fits `features` features and is finite with positive deviations (an uploaded artifact may lie).
    pub fn check(&self, features: usize) -> Result<()> {
        let shapes = self.mean.len() == features && self.standard_deviation.len() == features;
        let numbers = self.mean.iter().all(|value| value.is_finite())
            && self.standard_deviation.iter().all(|value| value.is_finite() && *value > 0.0);
        if shapes && numbers {
            Ok(())
        } else {
            Err(Error::invalid(
                "scaler",
                format!(
                    "needs {features} finite means and positive deviations; it has {} and {}",
                    self.mean.len(),
                    self.standard_deviation.len()
                ),
            ))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Scaler;

    #[test]
    fn learns_only_from_its_rows() {
        let columns = vec![vec![1.0, 3.0, 1000.0], vec![7.0, 7.0, 7.0]];
        let scaler = Scaler::fit(&columns, 0..2);
        assert_eq!(scaler.mean, vec![2.0, 7.0]);
        assert_eq!(scaler.standard_deviation, vec![1.0, 1.0]);
        assert_eq!(scaler.unscale(0, scaler.scale(0, 5.5)), 5.5);
        assert!(scaler.check(3).is_err());
    }
}
