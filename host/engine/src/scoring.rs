//! Judging predictions on the held-out part: the target's own unit, the baseline model beside it, trading net of costs.

use bellwether_domain::metrics::ModelMetrics;
use bellwether_domain::target::Target;
use bellwether_domain::time::Interval;

/// What was predicted, and what came.
#[derive(Debug, Clone, Copy)]
pub struct Judged<'a> {
    /// Predictions (direction: probabilities).
    pub predicted: &'a [f64],
    /// True values (direction: 0 or 1).
    pub actual: &'a [f64],
    /// The baseline model's predictions.
    pub baseline: &'a [f64],
    /// Last known values, for signs.
    pub last_known: &'a [f64],
    /// Simple return of holding from each sample's bar to its horizon, for trading metrics.
    pub forward_return: &'a [f64],
    /// Last bar row of each sample, so that trades do not overlap.
    pub ends: &'a [usize],
}

/// All metrics. Trading metrics are absent for `realized-volatility`, which is no direction to trade.
pub fn judge(judged: Judged<'_>, target: Target, interval: Interval, cost_bps: f64) -> ModelMetrics {
    let _ = (judged, target, interval, cost_bps);
    todo!()
}
