//! Windows over a column: sum, mean and standard score, each window by itself.
//!
//! Sums run in eight lanes counted from the window's own start, which the compiler turns into vector adds; the same window
//! gives the same bits wherever it lies.

/// Deviations below this share of the mean are rounding, not spread.
const SPREAD_LEAST: f64 = 1e-10;
const LANES: usize = 8;

/// `rule(window, last value)` for each row that ends a whole window, NaN before.
pub(crate) fn map(column: &[f64], bars: usize, rule: impl Fn(&[f64], f64) -> f64) -> Vec<f64> {
    let row = |row: usize| if row + 1 < bars { f64::NAN } else { rule(&column[row + 1 - bars..=row], column[row]) };
    (0..column.len()).map(row).collect()
}

/// The sum of a window.
pub(crate) fn sum(window: &[f64]) -> f64 {
    sum_of(window, |value| value)
}

/// The mean of a window.
pub(crate) fn mean(window: &[f64]) -> f64 {
    sum(window) / window.len() as f64
}

/// (last − mean) / population standard deviation; 0 where the window has no spread.
pub(crate) fn score(window: &[f64], last: f64) -> f64 {
    let mean = mean(window);
    let deviation = (sum_of(window, |value| (value - mean) * (value - mean)) / window.len() as f64).sqrt();
    if deviation > SPREAD_LEAST * mean.abs() { (last - mean) / deviation } else { 0.0 }
}

#[inline]
fn sum_of(window: &[f64], term: impl Fn(f64) -> f64) -> f64 {
    let mut lanes = [0.0; LANES];
    let chunks = window.chunks_exact(LANES);
    let rest: f64 = chunks.remainder().iter().map(|value| term(*value)).sum();
    for chunk in chunks {
        for (lane, value) in lanes.iter_mut().zip(chunk) {
            *lane += term(*value);
        }
    }
    lanes.iter().sum::<f64>() + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn windows_stand_for_themselves() {
        let column: Vec<f64> = (0..100).map(|place| f64::from(place % 7) * 1e6 + 0.1).collect();
        let naive = |window: &[f64]| window.iter().sum::<f64>();
        for bars in [1, 7, 8, 9, 20, 33] {
            let sums = map(&column, bars, |window, _| sum(window));
            assert!(sums[..bars - 1].iter().all(|value| value.is_nan()));
            for row in bars - 1..column.len() {
                assert!((sums[row] - naive(&column[row + 1 - bars..=row])).abs() < 1e-6, "{bars} {row}");
            }
        }
    }

    #[test]
    fn no_spread_scores_zero() {
        for window in [vec![0.1; 7], vec![1e9 / 3.0; 20], vec![0.0; 5], vec![4.2]] {
            assert_eq!(score(&window, window[0]), 0.0, "{window:?}");
        }
        assert_eq!(score(&[1.0, 3.0], 3.0), 1.0);
    }
}
