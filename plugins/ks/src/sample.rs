//! One side of a comparison: its values in order, and how much they repeat each other.

/// Probabilities of the quantiles given for charts.
pub(crate) const DECILES: [f64; 11] = [0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0];

/// The present values of a column.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Sample {
    /// Ascending.
    pub(crate) sorted: Vec<f64>,
    /// At lag 1, in the order of time, in [-1, 1]; 0 for a constant.
    pub(crate) autocorrelation: f64,
}

impl Sample {
    /// Of values without NaN, in the order of time.
    pub(crate) fn of(mut values: Vec<f64>) -> Sample {
        let autocorrelation = autocorrelation(&values);
        sort(&mut values);
        Sample { sorted: values, autocorrelation }
    }

    /// Number of values.
    pub(crate) fn count(&self) -> u64 {
        self.sorted.len() as u64
    }
}

/// Ascending. As whole numbers in the same order, which compare faster than numbers with a point.
fn sort(values: &mut [f64]) {
    // The bits of a negative number fall as it grows: all but the sign are turned over, and back.
    let turned = |bits: i64| bits ^ ((bits >> 63) as u64 >> 1) as i64;
    let mut keys: Vec<i64> = values.iter().map(|value| turned(value.to_bits() as i64)).collect();
    keys.sort_unstable();
    values.iter_mut().zip(keys).for_each(|(value, key)| *value = f64::from_bits(turned(key) as u64));
}

/// Σ (x_t - m)(x_{t+1} - m) / Σ (x_t - m)², the usual estimate at lag 1.
fn autocorrelation(values: &[f64]) -> f64 {
    let mean = values.iter().sum::<f64>() / values.len() as f64;
    let square = |value: f64| (value - mean).powi(2);
    let total: f64 = values.iter().map(|value| square(*value)).sum();
    let products: f64 = values.windows(2).map(|pair| (pair[0] - mean) * (pair[1] - mean)).sum();
    let ratio = products / total;
    if ratio.is_finite() { ratio.clamp(-1.0, 1.0) } else { 0.0 }
}

/// Independent values that carry as much as `count` values with this autocorrelation: n(1-r)/(1+r). An estimate within
/// two standard errors of zero, and a negative one, counts as none: noise must not change an honest test.
pub(crate) fn effective(count: u64, autocorrelation: f64) -> f64 {
    let n = count as f64;
    if autocorrelation <= 2.0 / n.sqrt() { n } else { (n * (1.0 - autocorrelation) / (1.0 + autocorrelation)).max(1.0) }
}

/// Deciles by linear interpolation between order statistics (type 7).
pub(crate) fn deciles(sorted: &[f64]) -> [f64; 11] {
    DECILES.map(|probability| {
        let place = probability * (sorted.len() - 1) as f64;
        let (below, above) = (sorted[place.floor() as usize], sorted[place.ceil() as usize]);
        below + (above - below) * place.fract()
    })
}

#[cfg(test)]
mod tests {
    use super::{Sample, deciles, effective};

    #[test]
    fn a_column_that_repeats_itself_counts_for_less() {
        let slow: Vec<f64> = (0..1000).map(|t| (f64::from(t) / 50.0).sin()).collect();
        let sample = Sample::of(slow);
        assert!(sample.autocorrelation > 0.99, "{}", sample.autocorrelation);
        assert!(effective(1000, sample.autocorrelation) < 5.0);
        let flipping: Vec<f64> = (0..1000).map(|t| f64::from(t % 2)).collect();
        assert_eq!(effective(1000, Sample::of(flipping).autocorrelation), 1000.0);
        assert_eq!(effective(1000, 0.05), 1000.0);
        assert!((effective(1000, 0.5) - 1000.0 / 3.0).abs() < 1e-9);
        assert_eq!(Sample::of(vec![3.0; 40]).autocorrelation, 0.0);
    }

    #[test]
    fn deciles_interpolate() {
        let sorted: Vec<f64> = (0..21).map(f64::from).collect();
        assert_eq!(deciles(&sorted)[3], 6.0);
        assert_eq!(deciles(&[1.0, 2.0])[5], 1.5);
    }
}
