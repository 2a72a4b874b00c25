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
//! of rows, and the same bits come out of the shortest history that holds the window (`rolling` has how that is fast).
//! Recursive features (RSI, ATR, the exponential means) keep their start forever in principle; they are absent until its
//! weight is below 1e-9.
//!
//! Edges: a window without spread gives 0 for `zscore`, `volume-zscore` and `bollinger`; an RSI without moves gives 50;
//! volatility has the floor 1e-8 under its logarithm.

use std::ops::Range;

use bellwether_compute::{ln_1p_all, ln_all};
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
        let mut column = vec![0.0; bars.len()];
        for stretch in &stretches {
            let rows = Stretch { bars, rows: stretch.clone(), step_max_ms: step_max_ms(interval) };
            rows.fill(feature, &mut column[stretch.clone()]);
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
    /// Writes the feature's value on every row of the stretch.
    fn fill(&self, feature: &Feature, to: &mut [f64]) {
        let parameters = feature.parameters();
        let bars = parameters.first().map_or(1, |bars| *bars as usize);
        let (close, volume) = (self.of(&self.bars.close), self.of(&self.bars.volume));
        match feature.name() {
            "open" => to.copy_from_slice(self.of(&self.bars.open)),
            "high" => to.copy_from_slice(self.of(&self.bars.high)),
            "low" => to.copy_from_slice(self.of(&self.bars.low)),
            "close" => to.copy_from_slice(close),
            "volume" => to.copy_from_slice(volume),
            "log-return" => self.log_return(bars, to, f64::NAN),
            "log-volume" => {
                to.copy_from_slice(volume);
                ln_1p_all(to);
            }
            "log-range" => logarithms(to, self.of(&self.bars.high).iter().zip(self.of(&self.bars.low)).map(|(high, low)| high / low)),
            "body" => logarithms(to, close.iter().zip(self.of(&self.bars.open)).map(|(close, open)| close / open)),
            "realized-volatility" => self.realized_volatility(bars, to),
            "sma-ratio" => rolling::sums(close, bars, to, |window| window.last / (window.sum / bars as f64), ln_all),
            "bollinger" => rolling::scores(close, bars, 0.5, to),
            "zscore" => rolling::scores(close, bars, 1.0, to),
            "volume-zscore" => rolling::scores(volume, bars, 1.0, to),
            "hour-of-day" => write(to, self.starts().iter().map(|start| hour(*start) as f64)),
            "hour-sin" => self.by_hour(to, f64::sin),
            "hour-cos" => self.by_hour(to, f64::cos),
            "day-of-week" => write(to, self.starts().iter().map(|start| (start.div_euclid(DAY_MS) + 3).rem_euclid(7) as f64)),
            "ema-ratio" | "rsi" | "atr" | "macd" | "macd-histogram" => {
                self.recursive(feature, to);
                // Absent until the start no longer shows.
                let absent = to.len().min(warm_up(feature) - 1);
                to[..absent].fill(f64::NAN);
            }
            // A feature of the catalogue without a rule here would be absent everywhere; a test looks at every one.
            _ => to.fill(f64::NAN),
        }
    }

    fn recursive(&self, feature: &Feature, to: &mut [f64]) {
        let (close, parameters) = (self.of(&self.bars.close), feature.parameters());
        match feature.name() {
            "ema-ratio" => logarithms(to, recursive::exponential_mean(close, parameters[0]).zip(close).map(|(mean, close)| close / mean)),
            "rsi" => write(to, recursive::rsi(close, parameters[0])),
            "atr" => {
                let range = recursive::true_range_mean(self.of(&self.bars.high), self.of(&self.bars.low), close, parameters[0]);
                write(to, range.zip(close).map(|(range, close)| range / close));
            }
            name => {
                let both = recursive::macd(close, [parameters[0], parameters[1], parameters[2]]).zip(close);
                let histogram = name == "macd-histogram";
                write(to, both.map(|((macd, above), close)| if histogram { above / close } else { macd / close }));
            }
        }
    }

    fn of<'b>(&self, column: &'b [f64]) -> &'b [f64] {
        &column[self.rows.clone()]
    }

    fn starts(&self) -> &[i64] {
        &self.bars.timestamp[self.rows.clone()]
    }

    /// A function of the hour of the day, as an angle.
    fn by_hour(&self, to: &mut [f64], of_angle: impl Fn(f64) -> f64) {
        let table: [f64; 24] = std::array::from_fn(|hour| of_angle(hour as f64 / 24.0 * std::f64::consts::TAU));
        write(to, self.starts().iter().map(|start| table[hour(*start)]));
    }

    /// True where the bar of a row follows that of the row before it.
    fn follows(&self) -> impl Fn(usize) -> bool {
        let (start, most) = (self.starts(), self.step_max_ms);
        move |row| row > 0 && start[row] - start[row - 1] <= most
    }

    /// ln(close / close `bars` before); over one bar only where the two follow each other, else `absent`.
    fn log_return(&self, bars: usize, to: &mut [f64], absent: f64) {
        let close = self.of(&self.bars.close);
        let (unknown, known) = to.split_at_mut(bars.min(close.len()));
        unknown.fill(absent);
        logarithms(known, close.iter().skip(bars).zip(close).map(|(close, before)| close / before));
        if bars == 1 {
            let follows = self.follows();
            (1..close.len()).filter(|row| !follows(*row)).for_each(|row| to[row] = absent);
        }
    }

    /// ln √(mean of the squared one-bar returns among the last `bars` rows).
    fn realized_volatility(&self, bars: usize, to: &mut [f64]) {
        let mut squares = vec![0.0; to.len()];
        self.log_return(1, &mut squares, 0.0);
        squares.iter_mut().for_each(|change| *change *= *change);
        let follows = self.follows();
        let known = |row: usize| usize::from(follows(row));
        // Returns among the rows of the window before the first whole one; whole numbers, so sliding them is exact.
        let mut count: usize = (0..to.len().min(bars - 1)).map(known).sum();
        let quadratic_mean = |window: rolling::Window| {
            count += known(window.row);
            let value = quadratic_mean(window.sum, count);
            count -= known(window.row + 1 - bars);
            value
        };
        rolling::sums(&squares, bars, to, quadratic_mean, ln_all);
        // Row `bars` - 1 ends a window of rows, but one of a return less.
        if let Some(first) = to.get_mut(bars - 1) {
            *first = f64::NAN;
        }
    }
}

fn write(to: &mut [f64], values: impl Iterator<Item = f64>) {
    to.iter_mut().zip(values).for_each(|(to, value)| *to = value);
}

/// The logarithms of the values, so many at a time that they are still in the nearest cache.
fn logarithms(to: &mut [f64], mut values: impl Iterator<Item = f64>) {
    for block in to.chunks_mut(rolling::BLOCK) {
        write(block, values.by_ref());
        ln_all(block);
    }
}

/// √(mean) of a sum of squares, at least the floor; NaN without any.
fn quadratic_mean(sum_of_squares: f64, count: usize) -> f64 {
    if count == 0 { f64::NAN } else { (sum_of_squares / count as f64).sqrt().max(VOLATILITY_FLOOR) }
}

/// ln of the root mean square from a sum of squares; NaN without any.
pub(crate) fn volatility(sum_of_squares: f64, count: usize) -> f64 {
    quadratic_mean(sum_of_squares, count).ln()
}

/// Hour of the day, 0 to 23.
fn hour(start: i64) -> usize {
    (start.rem_euclid(DAY_MS) / 3_600_000) as usize
}
