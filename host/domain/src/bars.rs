//! Bars as columns, and the rules every series obeys: ordered, unique, finite, positive, low ≤ open, close ≤ high.

use serde::{Deserialize, Serialize};

use crate::time::{Interval, Timestamp};
use crate::{Error, Result};

/// One OHLCV row. The timestamp is the bar's *start*; the bar is known at start + interval.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Bar {
    /// Start of the bar.
    pub timestamp: Timestamp,
    /// First price.
    pub open: f64,
    /// Highest price.
    pub high: f64,
    /// Lowest price.
    pub low: f64,
    /// Last price.
    pub close: f64,
    /// Traded amount, at least 0.
    pub volume: f64,
}

/// Bars of one series, column by column, all of one length, in time order.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Bars {
    /// Starts, in milliseconds since 1970.
    pub timestamp: Vec<i64>,
    /// First prices.
    pub open: Vec<f64>,
    /// Highest prices.
    pub high: Vec<f64>,
    /// Lowest prices.
    pub low: Vec<f64>,
    /// Last prices.
    pub close: Vec<f64>,
    /// Traded amounts.
    pub volume: Vec<f64>,
}

/// A hole in a series.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Gap {
    /// Start of the last bar before the hole.
    pub after: Timestamp,
    /// Start of the first bar behind it.
    pub before: Timestamp,
    /// Bars that would fit in between.
    pub missing: u64,
}

impl Bars {
    /// Number of bars.
    pub fn len(&self) -> usize {
        self.timestamp.len()
    }

    /// True when there is no bar.
    pub fn is_empty(&self) -> bool {
        self.timestamp.is_empty()
    }

    /// The bar at `row`.
    ///
    /// # Panics
    /// When `row` is not below `len`.
    pub fn bar(&self, row: usize) -> Bar {
        Bar {
            timestamp: Timestamp(self.timestamp[row]),
            open: self.open[row],
            high: self.high[row],
            low: self.low[row],
            close: self.close[row],
            volume: self.volume[row],
        }
    }

    /// Adds one bar at the end, unchecked.
    pub fn push(&mut self, bar: Bar) {
        self.timestamp.push(bar.timestamp.0);
        self.open.push(bar.open);
        self.high.push(bar.high);
        self.low.push(bar.low);
        self.close.push(bar.close);
        self.volume.push(bar.volume);
    }

    /// The rows of a range, copied.
    ///
    /// # Panics
    /// When the range ends past `len`.
    pub fn slice(&self, rows: std::ops::Range<usize>) -> Bars {
        Bars {
            timestamp: self.timestamp[rows.clone()].to_vec(),
            open: self.open[rows.clone()].to_vec(),
            high: self.high[rows.clone()].to_vec(),
            low: self.low[rows.clone()].to_vec(),
            close: self.close[rows.clone()].to_vec(),
            volume: self.volume[rows].to_vec(),
        }
    }

    /// Checks every rule; the error names the row (from 1, the first bar) as `row N`.
    pub fn check(&self, interval: Interval) -> Result<()> {
        let mut previous = None;
        for row in 0..self.len() {
            let bar = self.bar(row);
            check_bar(&bar, previous, interval).map_err(|why| Error::invalid(format!("row {}", row + 1), why))?;
            previous = Some(bar.timestamp);
        }
        Ok(())
    }

    /// Holes in the series, in time order.
    pub fn gaps(&self, interval: Interval) -> Vec<Gap> {
        let step = interval.milliseconds();
        self.timestamp
            .windows(2)
            .filter(|pair| pair[1] - pair[0] > step)
            .map(|pair| Gap { after: Timestamp(pair[0]), before: Timestamp(pair[1]), missing: ((pair[1] - pair[0]) / step - 1) as u64 })
            .collect()
    }
}

fn check_bar(bar: &Bar, previous: Option<Timestamp>, interval: Interval) -> std::result::Result<(), String> {
    for (name, value) in [("open", bar.open), ("high", bar.high), ("low", bar.low), ("close", bar.close), ("volume", bar.volume)] {
        if !value.is_finite() {
            return Err(format!("{name} is {value}; every value must be a finite number"));
        }
    }
    for (name, value) in [("open", bar.open), ("high", bar.high), ("low", bar.low), ("close", bar.close)] {
        if value <= 0.0 {
            return Err(format!("{name} is {value}; prices must be above zero"));
        }
    }
    if bar.volume < 0.0 {
        return Err(format!("volume is {}; it must not be negative", bar.volume));
    }
    if bar.low > bar.open.min(bar.close) || bar.high < bar.open.max(bar.close) {
        return Err(format!(
            "open {}, high {}, low {}, close {} do not agree; low must be the least and high the greatest of the four",
            bar.open, bar.high, bar.low, bar.close
        ));
    }
    if bar.timestamp.0 % 1000 != 0 {
        return Err(format!("time {} is not a whole second", bar.timestamp));
    }
    match previous {
        Some(earlier) if earlier == bar.timestamp => Err(format!("time {} appears twice; remove one of the rows", bar.timestamp)),
        Some(earlier) if earlier > bar.timestamp => Err(format!("time {} comes after {earlier}; sort the rows by time", bar.timestamp)),
        Some(earlier) if bar.timestamp.since(earlier) < interval.milliseconds() => {
            Err(format!("time {} is less than one interval ({interval}) after {earlier}; check the interval", bar.timestamp))
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bar(hour: i64, open: f64, high: f64, low: f64, close: f64, volume: f64) -> Bar {
        Bar { timestamp: Timestamp(hour * 3_600_000), open, high, low, close, volume }
    }

    fn bars(rows: &[Bar]) -> Bars {
        let mut bars = Bars::default();
        rows.iter().for_each(|row| bars.push(*row));
        bars
    }

    #[test]
    fn every_rule_names_its_row() {
        let good = bar(0, 2.0, 3.0, 1.0, 2.5, 10.0);
        let check = |second: Bar, expected: &str| {
            let error = bars(&[good, second]).check(Interval::HOUR).expect_err(expected).to_string();
            assert!(error.starts_with("row 2: ") && error.contains(expected), "{error}");
        };
        check(bar(0, 2.0, 3.0, 1.0, 2.5, 1.0), "appears twice");
        check(bar(-1, 2.0, 3.0, 1.0, 2.5, 1.0), "sort the rows");
        check(bar(1, f64::NAN, 3.0, 1.0, 2.5, 1.0), "open is NaN");
        check(bar(1, 2.0, f64::INFINITY, 1.0, 2.5, 1.0), "high is inf");
        check(bar(1, 2.0, 3.0, -1.0, 2.5, 1.0), "low is -1");
        check(bar(1, 2.0, 3.0, 1.0, 2.5, -1.0), "volume is -1");
        check(bar(1, 2.0, 2.2, 1.0, 2.5, 1.0), "do not agree");
        check(bar(1, 2.0, 3.0, 2.1, 2.5, 1.0), "do not agree");
        let mut early = bar(0, 2.0, 3.0, 1.0, 2.5, 1.0);
        early.timestamp = Timestamp(60_000);
        check(early, "less than one interval");
        assert_eq!(bars(&[good, bar(1, 2.0, 3.0, 1.0, 2.5, 0.0)]).check(Interval::HOUR), Ok(()));
    }

    #[test]
    fn gaps_count_missing_bars() {
        let series = bars(&[bar(0, 1.0, 1.0, 1.0, 1.0, 0.0), bar(1, 1.0, 1.0, 1.0, 1.0, 0.0), bar(5, 1.0, 1.0, 1.0, 1.0, 0.0)]);
        let gaps = series.gaps(Interval::HOUR);
        assert_eq!(gaps, vec![Gap { after: Timestamp(3_600_000), before: Timestamp(18_000_000), missing: 3 }]);
    }
}
