//! Bars in: features of a series, and a series read from its Parquet files.

use std::hint::black_box;

use anyhow::{Result, ensure};
use bellwether_domain::bars::{Bar, Bars};
use bellwether_domain::feature::{CATALOGUE, Feature};
use bellwether_domain::id::Symbol;
use bellwether_domain::time::{Interval, Timestamp};
use bellwether_store::BarStore;
use serde_json::Value;

use crate::measure::repeat;

/// Columns of the bars themselves: copying them is no computation.
const COPIES: [&str; 3] = ["open", "high", "low"];

/// A random walk without holes, with prices in cents as markets write them. Begins where a year does.
fn walk(interval: Interval, rows: usize) -> Bars {
    let mut state = 1_u64;
    let mut draw = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 11) as f64 / (1_u64 << 53) as f64
    };
    let cents = |price: f64| (price * 100.0).round() / 100.0;
    let (mut bars, mut close) = (Bars::default(), 60_000.0_f64);
    for row in 0..rows {
        let open = cents(close * (0.0002 * (draw() - 0.5)).exp());
        close = cents(open * (0.002 * (draw() - 0.5)).exp());
        let (high, low) = (open.max(close) * (1.0 + 0.001 * draw()), open.min(close) * (1.0 - 0.001 * draw()));
        let timestamp = Timestamp(1_483_228_800_000 + row as i64 * interval.milliseconds());
        bars.push(Bar { timestamp, open, high: cents(high), low: cents(low), close, volume: (draw() * 50e6).round() / 1e6 });
    }
    bars
}

/// Bars per second with all of 20 features computed for each: the catalogue with its defaults, without three of the raw columns.
pub(crate) fn features(rows: usize, seconds: f64) -> Result<Value> {
    let interval: Interval = "1m".parse()?;
    let bars = walk(interval, rows);
    let names = CATALOGUE.iter().map(|kind| kind.name).filter(|name| !COPIES.contains(name));
    let features = names.take(20).map(str::parse).collect::<bellwether_domain::Result<Vec<Feature>>>()?;
    ensure!(features.len() == 20, "the catalogue has only {} features", features.len());
    repeat(seconds, rows as f64, "bars", || {
        black_box(bellwether_engine::features::compute(black_box(&bars), interval, &features));
        Ok(())
    })
}

/// Bars per second from Parquet files (in the page cache) to columns in memory, checked, on one thread.
pub(crate) fn read(interval: &str, rows: usize, seconds: f64) -> Result<Value> {
    let interval: Interval = interval.parse()?;
    let symbol: Symbol = "BTC/USDT".parse()?;
    let folder = tempfile::tempdir()?;
    let runtime = tokio::runtime::Builder::new_current_thread().build()?;
    let store = BarStore::open(folder.path())?;
    runtime.block_on(store.ingest(&symbol, interval, walk(interval, rows)))?;
    repeat(seconds, rows as f64, "bars", || {
        let bars = runtime.block_on(store.read(&symbol, interval, None, None))?;
        ensure!(bars.len() == rows, "{} bars were read", bars.len());
        Ok(())
    })
}
