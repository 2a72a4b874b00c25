//! Trading metrics of a signal, always net of costs.
//!
//! The rule. Samples are walked in time order. One is taken when the position before it has ended, so that positions never
//! overlap; each stands for exactly `horizon` bars, long (+1), short (−1) or out (0). Every unit of the position's change
//! costs `cost_bps` / 10 000: an entry 1, an exit 1, a flip 2 (exit of the old and entry of the new). A position that goes
//! on with the same sign, with no bar between, pays nothing at the seam. The last position pays its exit.
//!
//! Variants (sources: Bailey & López de Prado 2012 for the ratio; the usual compounding drawdown):
//! - Sharpe: mean / sample standard deviation (n − 1) of the net returns per position, out ones included as 0, times
//!   √(positions per year), a year being 365 days of 24 hours; no risk-free rate, no correction for serial correlation.
//!   Where a market closes at night or at weekends this overstates by up to √(365/252) on daily bars.
//! - Drawdown: compounded equity starting at 1, the start being the first peak; as a share of the peak.
//! - A trade is one position of `horizon` bars. Win rate leaves out trades of exactly 0.

use crate::time::Interval;

/// One thing the signal said, and what holding would have given.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Signal {
    /// Bar row after which it was said.
    pub row: usize,
    /// Above 0 long, below 0 short, 0 (or not a number) out.
    pub side: f64,
    /// Simple return of holding one unit from that bar to `horizon` bars later.
    pub forward_return: f64,
}

/// What trading the signal would have given.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Trading {
    /// Annualised; absent with fewer than 2 positions or no variance.
    pub sharpe_ratio: Option<f64>,
    /// Share of the peak, 0 to 1; absent without positions.
    pub max_drawdown: Option<f64>,
    /// Wins / (wins + losses); absent with neither.
    pub win_rate: Option<f64>,
    /// Gains / losses; absent without a loss.
    pub profit_factor: Option<f64>,
}

/// Positions of `horizon` bars per year of 365 days.
pub fn positions_per_year(interval: Interval, horizon: u32) -> f64 {
    365.0 * 86_400_000.0 / (interval.milliseconds() as f64 * f64::from(horizon.max(1)))
}

/// Net return of each position taken, in time order, 0 where out. `signals` are in order of `row`.
pub fn net_returns(signals: impl IntoIterator<Item = Signal>, horizon: u32, cost_bps: f64) -> Vec<f64> {
    let horizon = horizon.max(1) as usize;
    let cost = cost_bps / 10_000.0;
    let mut returns: Vec<f64> = Vec::new();
    let mut held: Option<(f64, usize)> = None;
    for signal in signals {
        if held.is_some_and(|(_, until)| signal.row < until) {
            continue;
        }
        let side = if signal.side > 0.0 { 1.0 } else { 0.0 } - if signal.side < 0.0 { 1.0 } else { 0.0 };
        let goes_on = held.is_some_and(|(before, until)| before == side && until == signal.row);
        if !goes_on && let (Some((before, _)), Some(last)) = (held, returns.last_mut()) {
            *last -= cost * f64::abs(before);
        }
        let entry = if goes_on { 0.0 } else { cost * f64::abs(side) };
        let gross = if side == 0.0 { 0.0 } else { side * signal.forward_return };
        returns.push(gross - entry);
        held = Some((side, signal.row + horizon));
    }
    if let (Some((side, _)), Some(last)) = (held, returns.last_mut()) {
        *last -= cost * f64::abs(side);
    }
    returns
}

/// The metrics of net returns, one per position.
pub fn metrics(returns: &[f64], positions_per_year: f64) -> Trading {
    let gains: f64 = returns.iter().filter(|net| **net > 0.0).sum();
    let losses: f64 = -returns.iter().filter(|net| **net < 0.0).sum::<f64>();
    let wins = returns.iter().filter(|net| **net > 0.0).count();
    let decided = returns.iter().filter(|net| **net != 0.0).count();
    Trading {
        sharpe_ratio: sharpe(returns, positions_per_year),
        max_drawdown: (!returns.is_empty()).then(|| drawdown(returns)),
        win_rate: (decided > 0).then(|| wins as f64 / decided as f64),
        profit_factor: (losses > 0.0).then(|| gains / losses),
    }
}

fn sharpe(returns: &[f64], positions_per_year: f64) -> Option<f64> {
    if returns.len() < 2 {
        return None;
    }
    let count = returns.len() as f64;
    let mean = returns.iter().sum::<f64>() / count;
    let deviation = (returns.iter().map(|net| (net - mean).powi(2)).sum::<f64>() / (count - 1.0)).sqrt();
    (deviation > 1e-12).then(|| mean / deviation * positions_per_year.sqrt())
}

fn drawdown(returns: &[f64]) -> f64 {
    let (mut equity, mut peak, mut worst) = (1.0_f64, 1.0_f64, 0.0_f64);
    for net in returns {
        // A loss of more than everything ends at nothing, not in debt.
        equity *= (1.0 + net).max(0.0);
        peak = peak.max(equity);
        worst = worst.max(1.0 - equity / peak);
    }
    worst
}

#[cfg(test)]
mod tests {
    use super::*;

    fn signals(rows: &[(usize, f64, f64)]) -> Vec<Signal> {
        rows.iter().map(|(row, side, forward_return)| Signal { row: *row, side: *side, forward_return: *forward_return }).collect()
    }

    #[test]
    fn costs_follow_turnover() {
        let check = |name: &str, rows: &[(usize, f64, f64)], horizon: u32, expected: &[f64]| {
            let found = net_returns(signals(rows), horizon, 100.0);
            let same = found.len() == expected.len() && found.iter().zip(expected).all(|(one, other)| (one - other).abs() < 1e-12);
            assert!(same, "{name}: {found:?} is not {expected:?}");
        };
        check("one position pays entry and exit", &[(0, 1.0, 0.10)], 1, &[0.08]);
        check("going on costs nothing at the seam", &[(0, 1.0, 0.10), (1, 0.2, 0.10)], 1, &[0.09, 0.09]);
        check("a flip costs two units", &[(0, 1.0, 0.10), (1, -1.0, 0.10)], 1, &[0.08, -0.12]);
        check("a hole ends the position", &[(0, 1.0, 0.10), (5, 1.0, 0.10)], 1, &[0.08, 0.08]);
        check("out earns and pays nothing", &[(0, 1.0, 0.10), (1, 0.0, 0.5), (2, -1.0, -0.2)], 1, &[0.08, 0.0, 0.18]);
        check("overlapping signals are not taken", &[(0, 1.0, 0.1), (1, -1.0, 0.1), (2, -1.0, 0.1), (3, 1.0, 0.1)], 3, &[0.09, 0.09]);
        check("not a number is out", &[(0, f64::NAN, 0.1)], 1, &[0.0]);
        check("nothing", &[], 1, &[]);
    }

    #[test]
    fn metrics_by_hand() {
        let found = metrics(&[0.1, -0.5, 0.2, 0.0], 4.0);
        assert_eq!(found.win_rate, Some(2.0 / 3.0));
        assert!((found.profit_factor.expect("a loss") - 0.6).abs() < 1e-12);
        assert!((found.max_drawdown.expect("some") - 0.5).abs() < 1e-12);
        // mean -0.05, squared deviations 0.0225 + 0.2025 + 0.0625 + 0.0025 = 0.29, over 3.
        assert!((found.sharpe_ratio.expect("varies") - -0.05 / (0.29_f64 / 3.0).sqrt() * 2.0).abs() < 1e-12);
    }

    #[test]
    fn undefined_metrics_are_absent() {
        assert_eq!(metrics(&[], 1.0), Trading::default());
        let flat = metrics(&[0.0, 0.0, 0.0], 1.0);
        assert_eq!((flat.sharpe_ratio, flat.win_rate, flat.profit_factor, flat.max_drawdown), (None, None, None, Some(0.0)));
        let sure = metrics(&[0.1, 0.1], 1.0);
        assert_eq!((sure.sharpe_ratio, sure.profit_factor, sure.win_rate), (None, None, Some(1.0)));
        assert_eq!(metrics(&[-2.0, 0.5], 1.0).max_drawdown, Some(1.0));
    }

    #[test]
    fn a_year_has_365_days() {
        for (interval, horizon, expected) in [("1h", 1, 8760.0), ("1h", 24, 365.0), ("1d", 1, 365.0), ("15m", 4, 8760.0)] {
            assert_eq!(positions_per_year(interval.parse().expect(interval), horizon), expected);
        }
    }
}
