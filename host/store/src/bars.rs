//! Bars as Parquet, one file per symbol, interval and month, replaced whole and atomically. The only home of parquet.

use std::path::Path;

use bellwether_domain::Result;
use bellwether_domain::bars::{Bars, Gap};
use bellwether_domain::id::Symbol;
use bellwether_domain::time::{Interval, Timestamp};
use serde::Serialize;

/// What became of bars that were sent.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Ingested {
    /// New bars.
    pub added: u64,
    /// Bars that were there already, the same.
    pub unchanged: u64,
    /// Bars that were there with other values and were replaced.
    pub replaced: u64,
}

/// What there is of one series.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct SeriesInfo {
    /// The instrument.
    pub symbol: Symbol,
    /// The bar interval.
    pub interval: Interval,
    /// Number of bars.
    pub rows: u64,
    /// First bar.
    pub first: Timestamp,
    /// Last bar.
    pub last: Timestamp,
    /// Holes, in time order (at most 1000).
    pub gaps: Vec<Gap>,
    /// Bars missing in all holes.
    pub missing: u64,
    /// SHA-256 of all bars (timestamp and five values each, little-endian, in order), in hex.
    pub digest: String,
}

/// The bar store. Cheap to clone.
#[derive(Debug, Clone)]
pub struct BarStore {}

impl BarStore {
    /// Bars in a folder, created if needed.
    pub fn open(folder: &Path) -> Result<BarStore> {
        let _ = folder;
        todo!()
    }

    /// Merges checked bars into a series. When this returns `Ok`, they are on disk; a crash in between leaves each month
    /// either old or new, and sending again completes it. Sending the same bars again changes nothing.
    pub async fn ingest(&self, symbol: &Symbol, interval: Interval, bars: Bars) -> Result<Ingested> {
        let _ = (symbol, interval, bars);
        todo!()
    }

    /// Bars with `from <= timestamp < until`, in order. Errors: `NotFound` when the series does not exist.
    pub async fn read(&self, symbol: &Symbol, interval: Interval, from: Option<Timestamp>, until: Option<Timestamp>) -> Result<Bars> {
        let _ = (symbol, interval, from, until);
        todo!()
    }

    /// What there is of a series.
    pub async fn describe(&self, symbol: &Symbol, interval: Interval) -> Result<SeriesInfo> {
        let _ = (symbol, interval);
        todo!()
    }

    /// Every series there is, by symbol and interval.
    pub async fn list(&self) -> Result<Vec<(Symbol, Interval)>> {
        todo!()
    }
}

/// SHA-256 over bars, as in [`SeriesInfo::digest`].
pub fn digest(bars: &Bars) -> String {
    let _ = bars;
    todo!()
}
