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

/// An exponential mean as it grows: the plain mean of its first `bars` values, then m ← m + weight · (x − m).
#[derive(Debug, Clone, Copy)]
struct Mean {
    bars: usize,
    weight: f64,
    seen: usize,
    value: f64,
}

impl Mean {
    fn new(bars: u32, weight: f64) -> Mean {
        Mean { bars: bars as usize, weight, seen: 0, value: 0.0 }
    }

    /// With span `bars`.
    fn span(bars: u32) -> Mean {
        Mean::new(bars, span_weight(bars))
    }

    /// Wilder's.
    fn wilder(bars: u32) -> Mean {
        Mean::new(bars, 1.0 / f64::from(bars))
    }

    /// The mean up to and with `value`; NaN for the first `bars` − 1 values.
    #[inline]
    fn next(&mut self, value: f64) -> f64 {
        if self.seen >= self.bars {
            self.value += self.weight * (value - self.value);
            return self.value;
        }
        self.seen += 1;
        self.value += value;
        if self.seen < self.bars {
            return f64::NAN;
        }
        self.value /= self.bars as f64;
        self.value
    }
}

/// Exponential mean with span `bars`; NaN on the first `bars` − 1 rows.
pub(crate) fn exponential_mean(values: &[f64], bars: u32) -> impl Iterator<Item = f64> {
    let mut mean = Mean::span(bars);
    values.iter().map(move |value| mean.next(*value))
}

/// 100 · mean gain / (mean gain + mean loss); 50 where the price never moved. NaN on the first `bars` rows.
pub(crate) fn rsi(close: &[f64], bars: u32) -> impl Iterator<Item = f64> {
    let (mut gains, mut losses, mut before) = (Mean::wilder(bars), Mean::wilder(bars), None);
    close.iter().map(move |close| {
        let Some(before) = before.replace(*close) else { return f64::NAN };
        let change: f64 = close - before;
        let (gain, loss) = (gains.next(change.max(0.0)), losses.next((-change).max(0.0)));
        if gain + loss == 0.0 { 50.0 } else { 100.0 * gain / (gain + loss) }
    })
}

/// Wilder's mean of max(high, previous close) − min(low, previous close), in price units. NaN on the first `bars` rows.
pub(crate) fn true_range_mean(high: &[f64], low: &[f64], close: &[f64], bars: u32) -> impl Iterator<Item = f64> {
    let (mut mean, mut before) = (Mean::wilder(bars), None);
    high.iter().zip(low).zip(close).map(move |((high, low), close)| {
        let Some(before) = before.replace(*close) else { return f64::NAN };
        mean.next(high.max(before) - low.min(before))
    })
}

/// MACD and its histogram, in price units, for (fast, slow, signal).
pub(crate) fn macd(close: &[f64], [fast, slow, signal]: [u32; 3]) -> impl Iterator<Item = (f64, f64)> {
    let (mut quick, mut calm, mut smoothed) = (Mean::span(fast), Mean::span(slow), Mean::span(signal));
    close.iter().map(move |close| {
        let macd = quick.next(*close) - calm.next(*close);
        // The signal line begins where the slow mean does; a NaN would stay in it for ever.
        let signal = if macd.is_nan() { f64::NAN } else { smoothed.next(macd) };
        (macd, macd - signal)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn means_by_hand() {
        let mean = |values: &[f64], bars| exponential_mean(values, bars).collect::<Vec<_>>();
        let found = mean(&[1.0, 2.0, 3.0, 5.0, 5.0], 3);
        assert!(found[0].is_nan() && found[1].is_nan());
        assert_eq!(&found[2..], &[2.0, 3.5, 4.25]);
        assert_eq!(mean(&[1.0, 2.0], 1), vec![1.0, 2.0]);
        assert!(mean(&[1.0, 2.0], 3).iter().all(|value| value.is_nan()));
    }

    #[test]
    fn edges_of_the_index() {
        let last = |close: &[f64]| rsi(close, 2).last().expect("rows");
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
