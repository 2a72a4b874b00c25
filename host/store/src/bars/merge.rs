//! Merging bars into a series: all months are merged and checked first, then written, then put in their places.

use std::collections::BTreeMap;

use bellwether_domain::bars::{Bar, Bars};
use bellwether_domain::time::Timestamp;
use bellwether_domain::{Error, Result};

use super::month::Written;
use super::place::{Month, Series};
use super::{Ingested, month};
use crate::durable;

/// Months written at a time.
const WRITERS: usize = 8;

/// A month after the merge.
struct Merged {
    bars: Bars,
    changed: bool,
}

/// Merges; nothing is changed unless all can be. The caller sees to it that nobody else writes this series.
pub(super) fn ingest(series: &Series, bars: &Bars) -> Result<Ingested> {
    bars.check(series.interval)?;
    let present = series.months()?;
    let mut counts = Ingested::default();
    let mut merged = BTreeMap::new();
    for (at, rows) in split(bars)? {
        let old = if present.contains(&at) { month::read(series, at)? } else { Bars::default() };
        merged.insert(at, merge(&old, &bars.slice(rows), &mut counts));
    }
    check_neighbours(series, &present, &merged)?;
    let changed: Vec<_> = merged.into_iter().filter(|(_, merged)| merged.changed).collect();
    if changed.is_empty() {
        return Ok(counts);
    }
    durable::create_folder(&series.folder)?;
    let written = write_all(series, &changed)?;
    written.into_iter().try_for_each(Written::put)?;
    durable::sync_folder(&series.folder)?;
    Ok(counts)
}

/// Writes months beside their places, several at a time: most of the time goes into waiting for the disk, and syncs under
/// way together share a commit of the file system's journal.
fn write_all(series: &Series, changed: &[(Month, Merged)]) -> Result<Vec<Written>> {
    let write = |part: &[(Month, Merged)]| part.iter().map(|(at, merged)| month::write(series, *at, &merged.bars)).collect::<Vec<_>>();
    std::thread::scope(|scope| {
        let parts: Vec<_> = changed.chunks(changed.len().div_ceil(WRITERS)).map(|part| scope.spawn(move || write(part))).collect();
        let stopped = |_| vec![Err(Error::internal("writing a month of bars stopped with a panic, see the log"))];
        parts.into_iter().flat_map(|part| part.join().unwrap_or_else(stopped)).collect()
    })
}

/// The rows of each month.
fn split(bars: &Bars) -> Result<Vec<(Month, std::ops::Range<usize>)>> {
    let mut parts = Vec::new();
    let mut start = 0;
    while start < bars.len() {
        let at = Month::of(bars.timestamp[start])?;
        let end = start + bars.timestamp[start..].partition_point(|time| *time < at.end());
        parts.push((at, start..end));
        start = end;
    }
    Ok(parts)
}

fn merge(old: &Bars, new: &Bars, counts: &mut Ingested) -> Merged {
    let mut bars = Bars::default();
    let mut changed = false;
    let (mut left, mut right) = (0, 0);
    while left < old.len() || right < new.len() {
        let before = old.timestamp.get(left).copied().unwrap_or(i64::MAX);
        let sent = new.timestamp.get(right).copied().unwrap_or(i64::MAX);
        if before < sent {
            bars.push(old.bar(left));
            left += 1;
            continue;
        }
        let bar = new.bar(right);
        bars.push(bar);
        right += 1;
        if before > sent {
            counts.added += 1;
            changed = true;
            continue;
        }
        if same(&old.bar(left), &bar) {
            counts.unchanged += 1;
        } else {
            counts.replaced += 1;
            changed = true;
        }
        left += 1;
    }
    Merged { bars, changed }
}

/// Bit for bit: 0.0 and -0.0 have different digests.
fn same(one: &Bar, other: &Bar) -> bool {
    let bits = |bar: &Bar| [bar.open, bar.high, bar.low, bar.close, bar.volume].map(f64::to_bits);
    bits(one) == bits(other)
}

/// Bars of one series lie at least one interval apart, also those sent beside those that were there.
fn check_neighbours(series: &Series, present: &[Month], merged: &BTreeMap<Month, Merged>) -> Result<()> {
    let too_close = |earlier: i64, later: i64| {
        let (earlier, later) = (Timestamp(earlier), Timestamp(later));
        let why = format!(
            "with the bars that are there, {later} would follow {earlier} within less than one interval ({}); \
             send bars of the same alignment",
            series.interval
        );
        Error::invalid("timestamp", why)
    };
    let step = series.interval.milliseconds();
    let first = |at: &Month| edge(series, *at, merged, |times| times.first().copied());
    let last = |at: &Month| edge(series, *at, merged, |times| times.last().copied());
    for (at, Merged { bars, .. }) in merged {
        if let Some(pair) = bars.timestamp.windows(2).find(|pair| pair[1] - pair[0] < step) {
            return Err(too_close(pair[0], pair[1]));
        }
        let before = present.iter().chain(merged.keys()).filter(|other| *other < at).max();
        let behind = present.iter().chain(merged.keys()).filter(|other| *other > at).min();
        let pairs = [(before.map(last).transpose()?, Some(first(at)?)), (Some(last(at)?), behind.map(first).transpose()?)];
        for (earlier, later) in pairs {
            if let (Some(Some(earlier)), Some(Some(later))) = (earlier, later)
                && later - earlier < step
            {
                return Err(too_close(earlier, later));
            }
        }
    }
    Ok(())
}

/// A time at the edge of a month: as merged, or as it lies on disk.
fn edge(series: &Series, at: Month, merged: &BTreeMap<Month, Merged>, of: fn(&[i64]) -> Option<i64>) -> Result<Option<i64>> {
    match merged.get(&at) {
        Some(merged) => Ok(of(&merged.bars.timestamp)),
        None => Ok(of(&month::read(series, at)?.timestamp)),
    }
}
