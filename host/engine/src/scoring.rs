//! Judging predictions on the held-out part: the target's own unit, the baseline model beside it, trading net of costs.
//!
//! Classes of a real-valued target are those of its change: up when it lies above the last known value, else not up. For
//! `direction` the prediction is a probability; up is above one half, and the squared error is the Brier score.

use bellwether_domain::metrics::{Forecast, ModelMetrics, Probabilistic, classification, probabilistic, regression, skill};
use bellwether_domain::target::{Target, TargetKind};
use bellwether_domain::time::Interval;
use bellwether_domain::trading::{self, Signal, Trading};

/// What was predicted, and what came. All of one length, in time order.
#[derive(Debug, Clone, Copy)]
pub struct Judged<'a> {
    /// Predictions (direction: probabilities).
    pub forecasts: &'a [Forecast],
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
    let predicted: Vec<f64> = judged.forecasts.iter().map(|forecast| forecast.value).collect();
    let errors = regression(&predicted, judged.actual);
    let naive = regression(judged.baseline, judged.actual);
    let changes = || predicted.iter().zip(judged.actual).zip(judged.last_known);
    let classes = classification(changes().map(|((said, came), last)| (said > last, came > last)));
    let trading = match target.kind {
        TargetKind::RealizedVolatility => Trading::default(),
        TargetKind::Return | TargetKind::Direction | TargetKind::Price => trade(&judged, &predicted, target, interval, cost_bps),
    };
    let Probabilistic { interval_coverage, interval_level, interval_width, pinball, crps } = probabilistic(judged.forecasts, judged.actual);
    ModelMetrics {
        mse: errors.mse,
        mae: errors.mae,
        r2_score: errors.r2_score,
        accuracy: classes.accuracy,
        precision: classes.precision,
        recall: classes.recall,
        f1_score: classes.f1_score,
        skill: errors.mse.zip(naive.mse).and_then(|(mse, baseline)| skill(mse, baseline)),
        baseline_mse: naive.mse,
        sharpe_ratio: trading.sharpe_ratio,
        max_drawdown: trading.max_drawdown,
        win_rate: trading.win_rate,
        profit_factor: trading.profit_factor,
        interval_coverage,
        interval_level,
        interval_width,
        pinball,
        crps,
        samples: Some(predicted.len() as u64),
    }
}

fn trade(judged: &Judged<'_>, predicted: &[f64], target: Target, interval: Interval, cost_bps: f64) -> Trading {
    let signals = (0..predicted.len()).map(|place| Signal {
        row: judged.ends[place],
        side: predicted[place] - judged.last_known[place],
        forward_return: judged.forward_return[place],
    });
    let returns = trading::net_returns(signals, target.horizon, cost_bps);
    trading::metrics(&returns, trading::positions_per_year(interval, target.horizon))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(values: &[f64]) -> Vec<Forecast> {
        values.iter().map(|value| Forecast { value: *value, distribution: None }).collect()
    }

    fn judged<'a>(forecasts: &'a [Forecast], actual: &'a [f64], baseline: &'a [f64], last: &'a [f64], forward: &'a [f64]) -> Judged<'a> {
        Judged { forecasts, actual, baseline, last_known: last, forward_return: forward, ends: &[0, 1, 2, 3] }
    }

    #[test]
    fn direction_is_judged_by_brier_and_traded() {
        let target = Target { kind: TargetKind::Direction, horizon: 1 };
        let found = judge(
            judged(&said(&[0.9, 0.8, 0.1, 0.6]), &[1.0, 1.0, 0.0, 0.0], &[0.5; 4], &[0.5; 4], &[0.01, 0.02, -0.01, -0.02]),
            target,
            Interval::HOUR,
            0.0,
        );
        let mse = (0.01 + 0.04 + 0.01 + 0.36) / 4.0;
        assert!((found.mse.expect("mse") - mse).abs() < 1e-12);
        assert!((found.skill.expect("skill") - (1.0 - mse / 0.25)).abs() < 1e-12);
        assert_eq!((found.accuracy, found.precision, found.recall), (Some(0.75), Some(2.0 / 3.0), Some(1.0)));
        assert_eq!((found.win_rate, found.samples), (Some(0.75), Some(4)));
        assert!((found.profit_factor.expect("a loss") - 2.0).abs() < 1e-12);
    }

    #[test]
    fn costs_take_from_every_trade() {
        let target = Target { kind: TargetKind::Return, horizon: 1 };
        let forecasts = said(&[0.1, -0.1, 0.1, -0.1]);
        let data = judged(&forecasts, &[0.01, -0.01, 0.01, -0.01], &[0.0; 4], &[0.0; 4], &[0.01, -0.01, 0.01, -0.01]);
        let free = judge(data, target, Interval::HOUR, 0.0);
        let dear = judge(data, target, Interval::HOUR, 200.0);
        assert_eq!((free.win_rate, dear.win_rate), (Some(1.0), Some(0.0)));
        assert_eq!((free.accuracy, dear.accuracy), (Some(1.0), Some(1.0)));
    }

    #[test]
    fn volatility_is_not_traded() {
        let target = Target { kind: TargetKind::RealizedVolatility, horizon: 24 };
        let last = [-5.0, -5.0, -4.0, -4.0];
        let found = judge(
            judged(&said(&[-4.5, -5.5, -4.5, -4.5]), &[-4.8, -5.2, -4.2, -3.8], &last, &last, &[0.0; 4]),
            target,
            Interval::HOUR,
            1.0,
        );
        assert_eq!((found.accuracy, found.sharpe_ratio, found.win_rate), (Some(0.75), None, None));
        assert!(found.baseline_mse.is_some() && found.skill.is_some());
    }

    #[test]
    fn repeating_the_last_value_has_no_skill() {
        let target = Target { kind: TargetKind::Price, horizon: 1 };
        let last = [100.0, 101.0, 99.0, 100.0];
        let found = judge(
            judged(&said(&last), &[101.0, 99.0, 100.0, 102.0], &last, &last, &[0.01, -0.02, 0.01, 0.02]),
            target,
            Interval::HOUR,
            1.0,
        );
        assert_eq!((found.skill, found.precision, found.recall), (Some(0.0), None, Some(0.0)));
        assert_eq!((found.sharpe_ratio, found.max_drawdown), (None, Some(0.0)));
    }
}
