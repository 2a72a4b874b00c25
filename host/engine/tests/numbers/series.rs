//! Made-up bars for the tests.

use bellwether_domain::bars::{Bar, Bars};
use bellwether_domain::feature::{CATALOGUE, Feature};
use bellwether_domain::time::Timestamp;

pub(crate) const HOUR_MS: i64 = 3_600_000;

/// The same numbers for the same seed, everywhere.
pub(crate) struct Draw(u64);

impl Draw {
    pub(crate) fn new(seed: u64) -> Draw {
        Draw(seed)
    }

    /// Uniform in [0, 1).
    pub(crate) fn next(&mut self) -> f64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 11) as f64 / (1_u64 << 53) as f64
    }
}

/// A random walk of `rows` hourly bars; `holes` are (row behind the hole, hours missing).
pub(crate) fn walk(rows: usize, seed: u64, holes: &[(usize, i64)]) -> Bars {
    let mut draw = Draw::new(seed);
    let mut bars = Bars::default();
    let (mut close, mut hour) = (100.0_f64, 1_000_i64);
    for row in 0..rows {
        hour += 1 + holes.iter().filter(|(behind, _)| *behind == row).map(|(_, missing)| *missing).sum::<i64>();
        let open = close * (0.002 * (draw.next() - 0.5)).exp();
        close = open * (0.02 * (draw.next() - 0.5)).exp();
        let high = open.max(close) * (1.0 + 0.01 * draw.next());
        let low = open.min(close) * (1.0 - 0.01 * draw.next());
        bars.push(Bar { timestamp: Timestamp(hour * HOUR_MS), open, high, low, close, volume: 50.0 * draw.next() });
    }
    bars
}

/// Every feature of the catalogue with its defaults, and some with other parameters.
pub(crate) fn every_feature() -> Vec<Feature> {
    let more =
        ["log-return(24)", "realized-volatility(1)", "realized-volatility(168)", "ema-ratio(1)", "rsi(2)", "zscore(1)", "bollinger(50)"];
    CATALOGUE.iter().map(|kind| kind.name).chain(more).map(feature).collect()
}

pub(crate) fn feature(text: &str) -> Feature {
    text.parse().expect(text)
}
