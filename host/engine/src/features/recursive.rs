//! Recursive features: exponential means, Wilder's RSI and ATR, MACD.
//!
//! Sources: J. W. Wilder, *New Concepts in Technical Trading Systems* (1978) for RSI and ATR, whose smoothing is an
//! exponential mean with weight 1/n; G. Appel for MACD. Each begins with a plain mean of its first `n` values. The start
//! fades by (1 − weight) per bar; callers wait until it is below [`START_WEIGHT`].

/// Weight below which the start no longer shows.
const START_WEIGHT: f64 = 1e-9;

/// Weight of the newest value in an exponential mean with span `bars`.
fn span_weight(bars: u32) -> f64 {
    2.0 / (f64::from(bars) + 1.0)
}

/// Bars after which (1 − weight)^bars is below the start weight.
fn fade(weight: f64) -> usize {
    // A weight of 1 has no memory: ln 0 is −∞ and the quotient 0.
    (START_WEIGHT.ln() / (1.0 - weight).ln()).ceil() as usize
}

/// Values an exponential mean needs before its start no longer shows.
pub(crate) fn mean_warm_up(bars: u32) -> usize {
    bars as usize + fade(span_weight(bars))
}

/// Bars RSI and ATR need; one more than their mean, because they read changes.
pub(crate) fn wilder_warm_up(bars: u32) -> usize {
    bars as usize + 1 + fade(1.0 / f64::from(bars))
}

/// Exponential mean with span `bars`; NaN on the first `bars` − 1 rows.
pub(crate) fn exponential_mean(values: &[f64], bars: u32) -> Vec<f64> {
    smooth(values, bars, span_weight(bars))
}

/// m ← m + weight · (x − m), begun with the mean of the first `bars` values.
fn smooth(values: &[f64], bars: u32, weight: f64) -> Vec<f64> {
    let bars = bars as usize;
    let mut smoothed = vec![f64::NAN; values.len()];
    if values.len() < bars {
        return smoothed;
    }
    let mut mean = values[..bars].iter().sum::<f64>() / bars as f64;
    smoothed[bars - 1] = mean;
    for row in bars..values.len() {
        mean += weight * (values[row] - mean);
        smoothed[row] = mean;
    }
    smoothed
}

/// Smooths what begins at row `first`; rows before it are NaN.
fn smooth_from(values: &[f64], first: usize, bars: u32, weight: f64) -> Vec<f64> {
    let mut smoothed = vec![f64::NAN; first.min(values.len())];
    smoothed.extend(smooth(&values[smoothed.len()..], bars, weight));
    smoothed
}

/// 100 · mean gain / (mean gain + mean loss); 50 where the price never moved.
pub(crate) fn rsi(close: &[f64], bars: u32) -> Vec<f64> {
    let changes = |sign: f64| -> Vec<f64> {
        let change = |row: usize| if row == 0 { 0.0 } else { (sign * (close[row] - close[row - 1])).max(0.0) };
        (0..close.len()).map(change).collect()
    };
    let weight = 1.0 / f64::from(bars);
    let gains = smooth_from(&changes(1.0), 1, bars, weight);
    let losses = smooth_from(&changes(-1.0), 1, bars, weight);
    let index = |(gain, loss): (&f64, &f64)| if *gain + *loss == 0.0 { 50.0 } else { 100.0 * gain / (gain + loss) };
    gains.iter().zip(&losses).map(index).collect()
}

/// Wilder's mean of max(high, previous close) − min(low, previous close), in price units.
pub(crate) fn true_range_mean(high: &[f64], low: &[f64], close: &[f64], bars: u32) -> Vec<f64> {
    let range = |row: usize| match row.checked_sub(1) {
        Some(before) => high[row].max(close[before]) - low[row].min(close[before]),
        None => high[row] - low[row],
    };
    let ranges: Vec<f64> = (0..close.len()).map(range).collect();
    smooth_from(&ranges, 1, bars, 1.0 / f64::from(bars))
}

/// MACD and its histogram, in price units, for (fast, slow, signal).
pub(crate) fn macd(close: &[f64], [fast, slow, signal]: [u32; 3]) -> (Vec<f64>, Vec<f64>) {
    let (quick, calm) = (exponential_mean(close, fast), exponential_mean(close, slow));
    let macd: Vec<f64> = quick.iter().zip(&calm).map(|(quick, calm)| quick - calm).collect();
    let smoothed = smooth_from(&macd, slow as usize - 1, signal, span_weight(signal));
    let histogram = macd.iter().zip(smoothed).map(|(macd, smoothed)| macd - smoothed).collect();
    (macd, histogram)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn means_by_hand() {
        let found = exponential_mean(&[1.0, 2.0, 3.0, 5.0, 5.0], 3);
        assert!(found[0].is_nan() && found[1].is_nan());
        assert_eq!(&found[2..], &[2.0, 3.5, 4.25]);
        assert_eq!(exponential_mean(&[1.0, 2.0], 1), vec![1.0, 2.0]);
        assert!(exponential_mean(&[1.0, 2.0], 3).iter().all(|value| value.is_nan()));
    }

    #[test]
    fn edges_of_the_index() {
        let last = |close: &[f64]| rsi(close, 2).last().copied().expect("rows");
        assert_eq!(last(&[5.0; 6]), 50.0);
        assert_eq!(last(&[1.0, 2.0, 3.0, 4.0]), 100.0);
        assert_eq!(last(&[4.0, 3.0, 2.0, 1.0]), 0.0);
    }

    #[test]
    fn the_start_fades() {
        for bars in [2, 14, 50] {
            let weight = span_weight(bars);
            assert!((1.0 - weight).powi(fade(weight) as i32) <= START_WEIGHT * 1.0001);
        }
        assert_eq!((mean_warm_up(1), wilder_warm_up(1)), (1, 2));
    }
}
