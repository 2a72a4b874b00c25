//! What there is of a series, remembered while its files stay as they are.

use std::collections::HashMap;
use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};

use bellwether_domain::bars::{Bars, Gap};
use bellwether_domain::time::Timestamp;
use bellwether_domain::{Error, Result};
use sha2::{Digest, Sha256};

use super::place::{Month, Series};
use super::{SeriesInfo, month};
use crate::failure;

/// Series remembered at a time, and holes told of each.
const REMEMBERED_MAX: usize = 1024;
const GAPS_MAX: usize = 1000;
/// Months of a series may be replaced while they are read; after so many tries the last reading is given, not remembered.
const TRIES: usize = 3;

/// The files of a series: month, inode, length, time of change. Months are replaced by renaming, so a new one has a new inode.
type Fingerprint = Vec<(Month, u64, u64, i64, i64)>;

/// Remembered summaries.
#[derive(Debug, Default)]
pub(super) struct Summaries {
    known: Mutex<HashMap<PathBuf, (Fingerprint, SeriesInfo)>>,
}

impl Summaries {
    /// The summary of a series, from memory if its files are the same. Blocking.
    pub(super) fn of(&self, series: &Series) -> Result<SeriesInfo> {
        let mut latest = None;
        for _ in 0..TRIES {
            let files = fingerprint(series)?;
            if let Some((_, info)) = self.lock().get(&series.folder).filter(|(known, _)| *known == files) {
                return Ok(info.clone());
            }
            let info = read(series, &files)?;
            if fingerprint(series)? == files {
                self.remember(series, files, &info);
                return Ok(info);
            }
            latest = Some(info);
        }
        latest.ok_or_else(|| Error::internal("a summary needs at least one try"))
    }

    /// Forgets a series whose files may have changed.
    pub(super) fn forget(&self, series: &Series) {
        self.lock().remove(&series.folder);
    }

    fn remember(&self, series: &Series, files: Fingerprint, info: &SeriesInfo) {
        let mut known = self.lock();
        if known.len() >= REMEMBERED_MAX && !known.contains_key(&series.folder) {
            // Any one will do: with so many series none is certain to be asked for again.
            let victim = known.keys().next().cloned();
            victim.map(|victim| known.remove(&victim));
        }
        known.insert(series.folder.clone(), (files, info.clone()));
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<PathBuf, (Fingerprint, SeriesInfo)>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn fingerprint(series: &Series) -> Result<Fingerprint> {
    let months = series.months_or_not_found()?;
    months
        .into_iter()
        .map(|month| {
            let path = series.path(month);
            let about = std::fs::metadata(&path).map_err(|error| failure::io("read bars", &path, &error))?;
            Ok((month, about.ino(), about.len(), about.mtime(), about.mtime_nsec()))
        })
        .collect()
}

/// Reads month by month, so that a long series of short bars needs little memory.
fn read(series: &Series, files: &Fingerprint) -> Result<SeriesInfo> {
    let mut hasher = Sha256::new();
    let (mut rows, mut first, mut last) = (0, None, None);
    let (mut gaps, mut missing): (Vec<Gap>, u64) = (Vec::new(), 0);
    for (month, ..) in files {
        let bars = month::read(series, *month)?;
        hash(&mut hasher, &bars);
        rows += bars.len() as u64;
        first = first.or(bars.timestamp.first().copied());
        // The last bar of the month before is put in front, to see a hole between the months.
        let mut times = Bars::default();
        times.timestamp.extend(last.into_iter().chain(bars.timestamp.iter().copied()));
        last = times.timestamp.last().copied();
        for gap in times.gaps(series.interval) {
            missing += gap.missing;
            if gaps.len() < GAPS_MAX {
                gaps.push(gap);
            }
        }
    }
    let (Some(first), Some(last)) = (first, last) else {
        return Err(Error::not_found("series", format!("{} {}", series.symbol, series.interval)));
    };
    let (symbol, interval) = (series.symbol.clone(), series.interval);
    let digest = hex::encode(hasher.finalize());
    Ok(SeriesInfo { symbol, interval, rows, first: Timestamp(first), last: Timestamp(last), gaps, missing, digest })
}

/// SHA-256 over bars, as in [`SeriesInfo::digest`].
pub fn digest(bars: &Bars) -> String {
    let mut hasher = Sha256::new();
    hash(&mut hasher, bars);
    hex::encode(hasher.finalize())
}

fn hash(hasher: &mut Sha256, bars: &Bars) {
    const ROW: usize = 48;
    let mut block = Vec::with_capacity(ROW * 256);
    let [open, high, low, close, volume] = month::columns(bars);
    for row in 0..bars.len() {
        block.extend(bars.timestamp[row].to_le_bytes());
        for column in [open, high, low, close, volume] {
            block.extend(column[row].to_le_bytes());
        }
        if block.len() == ROW * 256 {
            hasher.update(&block);
            block.clear();
        }
    }
    hasher.update(&block);
}
