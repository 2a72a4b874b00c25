//! Features from bars: causal columns, restarted behind every gap.

use bellwether_domain::bars::Bars;
use bellwether_domain::feature::Feature;
use bellwether_domain::time::Interval;

/// One column per feature, as long as the bars; NaN where a feature does not know enough yet. Row t reads bars of its own
/// gap-free stretch up to t, so that recomputing on truncated history gives the same bits.
pub fn compute(bars: &Bars, interval: Interval, features: &[Feature]) -> Vec<Vec<f64>> {
    let _ = (bars, interval, features);
    todo!()
}

/// Bars a feature needs, itself included, before its first number. Recursive ones (RSI, MACD, ATR, EMA) count the bars
/// after which the start no longer shows (the weight of the first bar is below 1e-9).
pub fn warm_up(feature: &Feature) -> usize {
    let _ = feature;
    todo!()
}
