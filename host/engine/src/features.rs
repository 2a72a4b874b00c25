//! Features from bars: causal columns, restarted behind every gap that is more than a session break.
//!
//! Markets close. A rule that restarts everything at each missing bar would leave an hourly currency series, whose weeks
//! have 120 bars, without any feature that looks back a month. So there are two kinds of hole:
//! - A *break*: neighbouring bars start at most three days apart (bars of a day or longer: seven days). Features count
//!   traded bars and look across it. Only the one-bar return over it is not a one-bar return: with bars shorter than a day
//!   `log-return(1)` is absent behind a break and `realized-volatility` leaves that return out of its mean.
//! - Anything longer ends a *stretch*. Every feature begins anew behind it.
//!
//! Windows of samples are stricter (see `dataset`): with bars shorter than a day they hold no hole at all.
//!
//! Every row is computed from its own window, not by adding and subtracting along the series: it is exact after any number
//! of rows, and the same bits come out of the shortest history that holds the window. Recursive features (RSI, ATR, the
//! exponential means) keep their start forever in principle; they are absent until its weight is below 1e-9.
//!
//! Edges: a window without spread gives 0 for `zscore`, `volume-zscore` and `bollinger`; an RSI without moves gives 50;
//! volatility has the floor 1e-8 under its logarithm.

use std::ops::Range;

use bellwether_domain::bars::Bars;
use bellwether_domain::feature::Feature;
use bellwether_domain::time::Interval;

mod recursive;
mod rolling;

const DAY_MS: i64 = 86_400_000;
/// Least volatility per bar: what a price that does not move counts as.
const VOLATILITY_FLOOR: f64 = 1e-8;

/// Most milliseconds between the starts of neighbouring bars of one stretch.
pub(crate) fn break_max_ms(interval: Interval) -> i64 {
    let most = if interval.milliseconds() < DAY_MS { 3 * DAY_MS } else { 7 * DAY_MS };
    most.max(interval.milliseconds())
}

/// Most milliseconds between the starts of bars that follow each other, as far as windows and one-bar returns go: one
/// interval within a day, a break between sessions.
pub(crate) fn step_max_ms(interval: Interval) -> i64 {
    if interval.milliseconds() < DAY_MS { interval.milliseconds() } else { break_max_ms(interval) }
}

/// Ranges of rows in which neighbours start at most `most_ms` apart.
pub(crate) fn runs(bars: &Bars, most_ms: i64) -> Vec<Range<usize>> {
    let mut runs = Vec::new();
    let mut start = 0;
    for row in 1..=bars.len() {
        if row == bars.len() || bars.timestamp[row] - bars.timestamp[row - 1] > most_ms {
            runs.push(start..row);
            start = row;
        }
    }
    runs
}

/// One column per feature, as long as the bars; NaN where a feature does not know enough yet. Row t reads bars of its own
/// stretch up to t, so that recomputing on truncated history gives the same bits.
pub fn compute(bars: &Bars, interval: Interval, features: &[Feature]) -> Vec<Vec<f64>> {
    let stretches = runs(bars, break_max_ms(interval));
    let column = |feature: &Feature| {
        let mut column = Vec::with_capacity(bars.len());
        for stretch in &stretches {
            let rows = Stretch { bars, rows: stretch.clone(), step_max_ms: step_max_ms(interval) };
            column.extend(rows.column(feature));
        }
        column
    };
    features.iter().map(column).collect()
}

/// Bars a feature needs, itself included, before its first number. Recursive ones (RSI, MACD, ATR, EMA) count the bars
/// after which the start no longer shows (its weight is below 1e-9).
pub fn warm_up(feature: &Feature) -> usize {
    let parameters = feature.parameters();
    let bars = parameters.first().map_or(1, |bars| *bars as usize);
    match feature.name() {
        "log-return" | "realized-volatility" => bars + 1,
        "sma-ratio" | "bollinger" | "zscore" | "volume-zscore" => bars,
        "ema-ratio" => recursive::mean_warm_up(parameters[0]),
        "rsi" | "atr" => recursive::wilder_warm_up(parameters[0]),
        "macd" => recursive::mean_warm_up(parameters[1]),
        "macd-histogram" => recursive::mean_warm_up(parameters[1]) + recursive::mean_warm_up(parameters[2]),
        _ => 1,
    }
}

/// The rows of one stretch.
struct Stretch<'a> {
    bars: &'a Bars,
    rows: Range<usize>,
    step_max_ms: i64,
}

impl Stretch<'_> {
    fn column(&self, feature: &Feature) -> Vec<f64> {
        let parameters = feature.parameters();
        let bars = parameters.first().map_or(1, |bars| *bars as usize);
        let (close, volume) = (self.of(&self.bars.close), self.of(&self.bars.volume));
        match feature.name() {
            "open" => self.of(&self.bars.open).to_vec(),
            "high" => self.of(&self.bars.high).to_vec(),
            "low" => self.of(&self.bars.low).to_vec(),
            "close" => close.to_vec(),
            "volume" => volume.to_vec(),
            "log-return" => self.log_return(bars),
            "log-volume" => volume.iter().map(|volume| volume.ln_1p()).collect(),
            "log-range" => self.pairs(&self.bars.high, &self.bars.low, |high, low| (high / low).ln()),
            "body" => self.pairs(&self.bars.close, &self.bars.open, |close, open| (close / open).ln()),
            "realized-volatility" => self.realized_volatility(bars),
            "sma-ratio" => rolling::map(close, bars, |window, last| (last / rolling::mean(window)).ln()),
            "ema-ratio" => {
                let mean = recursive::exponential_mean(close, parameters[0]);
                settled(close.iter().zip(mean).map(|(close, mean)| (close / mean).ln()), warm_up(feature))
            }
            "rsi" => settled(recursive::rsi(close, parameters[0]).into_iter(), warm_up(feature)),
            "atr" => {
                let range = recursive::true_range_mean(self.of(&self.bars.high), self.of(&self.bars.low), close, parameters[0]);
                settled(range.into_iter().zip(close).map(|(range, close)| range / close), warm_up(feature))
            }
            "macd" | "macd-histogram" => {
                let (macd, histogram) = recursive::macd(close, [parameters[0], parameters[1], parameters[2]]);
                let column = if feature.name() == "macd" { macd } else { histogram };
                settled(column.into_iter().zip(close).map(|(value, close)| value / close), warm_up(feature))
            }
            "bollinger" => rolling::map(close, bars, |window, last| rolling::score(window, last) / 2.0),
            "zscore" => rolling::map(close, bars, rolling::score),
            "volume-zscore" => rolling::map(volume, bars, rolling::score),
            "hour-of-day" => self.clock(hour),
            "hour-sin" => self.clock(|start| (hour(start) / 24.0 * std::f64::consts::TAU).sin()),
            "hour-cos" => self.clock(|start| (hour(start) / 24.0 * std::f64::consts::TAU).cos()),
            "day-of-week" => self.clock(|start| (start.div_euclid(DAY_MS) + 3).rem_euclid(7) as f64),
            // A feature of the catalogue without a rule here would be absent everywhere; a test looks at every one.
            _ => vec![f64::NAN; self.rows.len()],
        }
    }

    fn of<'b>(&self, column: &'b [f64]) -> &'b [f64] {
        &column[self.rows.clone()]
    }

    fn pairs(&self, one: &[f64], other: &[f64], rule: impl Fn(f64, f64) -> f64) -> Vec<f64> {
        self.of(one).iter().zip(self.of(other)).map(|(one, other)| rule(*one, *other)).collect()
    }

    fn clock(&self, rule: impl Fn(i64) -> f64) -> Vec<f64> {
        self.bars.timestamp[self.rows.clone()].iter().map(|start| rule(*start)).collect()
    }

    /// ln(close / close `bars` before); over one bar, only where the two follow each other.
    fn log_return(&self, bars: usize) -> Vec<f64> {
        let (close, start) = (self.of(&self.bars.close), &self.bars.timestamp[self.rows.clone()]);
        let rule = |row: usize| match row.checked_sub(bars) {
            Some(before) if bars > 1 || start[row] - start[before] <= self.step_max_ms => (close[row] / close[before]).ln(),
            _ => f64::NAN,
        };
        (0..close.len()).map(rule).collect()
    }

    /// ln √(mean of the squared one-bar returns among the last `bars` rows).
    fn realized_volatility(&self, bars: usize) -> Vec<f64> {
        let returns = self.log_return(1);
        let squares: Vec<f64> = returns.iter().map(|change| if change.is_nan() { 0.0 } else { change * change }).collect();
        let mut known = Vec::with_capacity(returns.len() + 1);
        known.push(0_u32);
        for change in &returns {
            known.push(known[known.len() - 1] + u32::from(!change.is_nan()));
        }
        let rule = |row: usize| {
            if row < bars {
                return f64::NAN;
            }
            let count = known[row + 1] - known[row + 1 - bars];
            volatility(rolling::sum(&squares[row + 1 - bars..=row]), count as usize)
        };
        (0..returns.len()).map(rule).collect()
    }
}

/// ln of the root mean square from a sum of squares; NaN without any.
pub(crate) fn volatility(sum_of_squares: f64, count: usize) -> f64 {
    if count == 0 { f64::NAN } else { (sum_of_squares / count as f64).sqrt().max(VOLATILITY_FLOOR).ln() }
}

fn hour(start: i64) -> f64 {
    (start.rem_euclid(DAY_MS) / 3_600_000) as f64
}

/// Absent until the start no longer shows.
fn settled(values: impl Iterator<Item = f64>, warm_up: usize) -> Vec<f64> {
    values.enumerate().map(|(row, value)| if row + 1 < warm_up { f64::NAN } else { value }).collect()
}
