//! Bars as Parquet, one file per symbol, interval and month, replaced whole and atomically. The only home of parquet.
//!
//! `<symbol, escaped>/<interval>/<YYYY-MM>.parquet`, months in UTC. Whoever reads meanwhile, in this process or another,
//! sees each month either old or new; so reads need no lock.
mod merge;
mod month;
mod place;
mod summary;

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use bellwether_domain::bars::{Bars, Gap};
use bellwether_domain::id::Symbol;
use bellwether_domain::time::{Interval, Timestamp};
use bellwether_domain::{Error, Result};
use serde::Serialize;

use self::place::Series;
use self::summary::Summaries;
use crate::leftovers::{self, Writing};
use crate::{blocking, durable};

pub use self::summary::digest;

/// Bars of one call: some years of minutes, 48 bytes each.
const BARS_MAX: usize = 5_000_000;

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
pub struct BarStore {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    folder: PathBuf,
    /// One writer per series.
    writers: Mutex<HashMap<PathBuf, Arc<tokio::sync::Mutex<()>>>>,
    summaries: Summaries,
}

impl BarStore {
    /// Bars in a folder, created if needed. Unfinished files of a writer that died are removed.
    pub fn open(folder: &Path) -> Result<BarStore> {
        durable::create_folder(folder)?;
        leftovers::sweep(folder, 2, month::is_leftover);
        let inner = Inner { folder: folder.to_owned(), writers: Mutex::default(), summaries: Summaries::default() };
        Ok(BarStore { inner: Arc::new(inner) })
    }

    /// Merges checked bars into a series. When this returns `Ok`, they are on disk; a crash in between leaves each month
    /// either old or new, and sending again completes it. Sending the same bars again changes nothing.
    /// Errors: `Invalid` when the bars break a rule, alone or beside those that are there (nothing is changed);
    /// `Overloaded` above 5 000 000 bars; `Unavailable` when the disk is full; `Internal` naming a damaged file.
    pub async fn ingest(&self, symbol: &Symbol, interval: Interval, bars: Bars) -> Result<Ingested> {
        if bars.len() > BARS_MAX {
            return Err(Error::Overloaded(format!("{} bars were sent at once; send at most {BARS_MAX}", bars.len())));
        }
        if bars.is_empty() {
            return Ok(Ingested::default());
        }
        let series = Series::new(&self.inner.folder, symbol, interval);
        let writer = self.inner.writer_of(&series.folder);
        let turn = writer.lock().await;
        let inner = self.inner.clone();
        let result = blocking::run("keeping bars", move || {
            let _writing = Writing::below(&inner.folder)?;
            let result = merge::ingest(&series, &bars);
            inner.summaries.forget(&series);
            result
        })
        .await;
        drop(turn);
        result
    }

    /// Bars with `from <= timestamp < until`, in order. Errors: `NotFound` when the series does not exist; `Internal` naming
    /// a damaged file.
    pub async fn read(&self, symbol: &Symbol, interval: Interval, from: Option<Timestamp>, until: Option<Timestamp>) -> Result<Bars> {
        let series = Series::new(&self.inner.folder, symbol, interval);
        blocking::run("reading bars", move || {
            let (from, until) = (from.map_or(i64::MIN, |from| from.0), until.map_or(i64::MAX, |until| until.0));
            let mut bars = Bars::default();
            for stored in series.months_or_not_found()? {
                if stored.start() >= from && stored.end() <= until {
                    month::read_behind(&series, stored, &mut bars)?;
                } else if stored.end() > from && stored.start() < until {
                    month::append(&mut bars, &month::read(&series, stored)?, from, until);
                }
            }
            Ok(bars)
        })
        .await
    }

    /// What there is of a series. Cheap while its files stay as they are.
    /// Errors: `NotFound` when the series does not exist; `Internal` naming a damaged file.
    pub async fn describe(&self, symbol: &Symbol, interval: Interval) -> Result<SeriesInfo> {
        let series = Series::new(&self.inner.folder, symbol, interval);
        let inner = self.inner.clone();
        blocking::run("describing bars", move || inner.summaries.of(&series)).await
    }

    /// Every series there is, by symbol and interval.
    pub async fn list(&self) -> Result<Vec<(Symbol, Interval)>> {
        let inner = self.inner.clone();
        blocking::run("listing bars", move || place::list(&inner.folder)).await
    }
}

impl Inner {
    fn writer_of(&self, folder: &Path) -> Arc<tokio::sync::Mutex<()>> {
        let mut writers = self.writers.lock().unwrap_or_else(PoisonError::into_inner);
        // Those nobody holds are of no use: keep the map as small as the work under way.
        writers.retain(|_, writer| Arc::strong_count(writer) > 1);
        writers.entry(folder.to_owned()).or_default().clone()
    }
}
