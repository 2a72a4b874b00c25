//! The files of the log: `predictions-<number>.jsonl`, numbers growing, only the last one written to.
//!
//! A crash can only harm the end of the last one: what follows the last readable line there was never acknowledged.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use bellwether_domain::Result;

use super::PredictionEntry;
use super::backwards::Backwards;
use crate::{durable, failure};

const BYTES_MIN: u64 = 64 << 10;
const SEGMENT_BYTES_MAX: u64 = 16 << 20;

/// What is on disk.
#[derive(Debug)]
pub(super) struct Segments {
    folder: PathBuf,
    bytes_max: u64,
    /// (number, synced bytes), oldest first; never empty once open.
    list: Mutex<Vec<(u64, u64)>>,
}

impl Segments {
    /// Reads the folder, cuts a torn end off the last segment, drops the oldest past the bound.
    pub(super) fn open(folder: &Path, bytes_max: u64) -> Result<Segments> {
        durable::create_folder(folder)?;
        let failed = |error: io::Error| failure::io("open the prediction log", folder, &error);
        let mut list = Vec::new();
        for entry in fs::read_dir(folder).map_err(failed)? {
            let entry = entry.map_err(failed)?;
            if let Some(number) = entry.file_name().to_str().and_then(number_of) {
                list.push((number, entry.metadata().map_err(failed)?.len()));
            }
        }
        list.sort_unstable();
        let segments = Segments { folder: folder.to_owned(), bytes_max: bytes_max.max(BYTES_MIN), list: Mutex::new(list) };
        match segments.snapshot().last() {
            Some(&(number, length)) => segments.grown(number, cut_torn_end(&segments.path(number), length)?),
            None => drop(segments.create(1)?),
        }
        segments.drop_oldest();
        Ok(segments)
    }

    pub(super) fn path(&self, number: u64) -> PathBuf {
        self.folder.join(format!("predictions-{number:010}.jsonl"))
    }

    pub(super) fn folder(&self) -> &Path {
        &self.folder
    }

    /// Numbers and synced lengths, oldest first.
    pub(super) fn snapshot(&self) -> Vec<(u64, u64)> {
        self.list.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// When the last segment has this length, the next one begins.
    pub(super) fn segment_bytes(&self) -> u64 {
        (self.bytes_max / 8).min(SEGMENT_BYTES_MAX)
    }

    /// Notes that the last segment is synced up to `length`.
    pub(super) fn grown(&self, number: u64, length: u64) {
        if let Some(last) = self.list.lock().unwrap_or_else(PoisonError::into_inner).last_mut().filter(|last| last.0 == number) {
            last.1 = length;
        }
    }

    /// Begins segment `number`; its name is on disk when this returns.
    pub(super) fn create(&self, number: u64) -> Result<File> {
        let path = self.path(number);
        let file = OpenOptions::new().create_new(true).read(true).write(true).open(&path);
        let file = file.map_err(|error| failure::io("begin a segment of the prediction log", &self.folder, &error))?;
        durable::sync_folder(&self.folder)?;
        self.list.lock().unwrap_or_else(PoisonError::into_inner).push((number, 0));
        Ok(file)
    }

    /// Removes the oldest segments while all are larger than the bound; the last one always stays.
    pub(super) fn drop_oldest(&self) {
        let mut list = self.list.lock().unwrap_or_else(PoisonError::into_inner);
        // The last one counts as if it were full: it may have grown ahead of its lines.
        let size = |list: &[(u64, u64)]| match list.split_last() {
            Some((last, full)) => full.iter().map(|segment| segment.1).sum::<u64>() + last.1.max(self.segment_bytes()),
            None => 0,
        };
        while list.len() > 1 && size(&list) > self.bytes_max {
            let (number, _) = list.remove(0);
            if let Err(error) = fs::remove_file(self.path(number)) {
                tracing::warn!(%error, segment = number, "an old segment of the prediction log could not be removed");
            }
        }
    }
}

fn number_of(name: &str) -> Option<u64> {
    name.strip_prefix("predictions-")?.strip_suffix(".jsonl")?.parse().ok()
}

/// Cuts off what follows the last readable line; returns the length left. Only lines behind the last readable one go: a
/// damaged line in the middle hides nothing behind it.
fn cut_torn_end(path: &Path, length: u64) -> Result<u64> {
    let failed = |error: io::Error| failure::io("mend the prediction log", path, &error);
    let file = OpenOptions::new().read(true).write(true).open(path).map_err(failed)?;
    let mut good = 0;
    for line in Backwards::new(&file, length) {
        let (start, line) = line.map_err(failed)?;
        let end = start + line.len() as u64;
        let mut newline = [0];
        let ended = end < length && file.read_exact_at(&mut newline, end).is_ok() && newline == *b"\n";
        if ended && serde_json::from_slice::<PredictionEntry>(&line).is_ok() {
            good = end + 1;
            break;
        }
    }
    if good < length {
        // Usually only the zeros that the last writer had grown ahead.
        tracing::info!(file = %path.display(), bytes = length - good, "cut the end off the prediction log");
        file.set_len(good).and_then(|()| file.sync_all()).map_err(failed)?;
    }
    Ok(good)
}
