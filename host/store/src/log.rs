//! The prediction log: append-only segments of JSON lines, group-committed, rolled by size, oldest dropped past a bound.
//!
//! It is apart from the records because predictions are many, never change, and may be forgotten. One writer thread owns
//! the files: it writes whatever is queued at once, syncs once, and answers all. Readers only look at what was synced.
mod backwards;
mod segment;
mod writer;

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use bellwether_domain::metrics::PredictionInterval;
use bellwether_domain::time::Timestamp;
use bellwether_domain::{Error, Result};
use serde::{Deserialize, Serialize};
use tokio::sync::{mpsc, oneshot};

use self::segment::Segments;
use self::writer::{Append, Writer};
use crate::blocking;

/// Bytes that may wait for the writer; an append past that is refused.
const QUEUE_BYTES_MAX: usize = 32 << 20;
/// One append may be this large; more is for several.
const APPEND_BYTES_MAX: usize = 8 << 20;
const RECENT_MAX: usize = 10_000;

/// One answered prediction.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PredictionEntry {
    /// Its id, ordered by time (UUID v7).
    pub prediction_id: String,
    /// When it was answered.
    pub at: Timestamp,
    /// The endpoint asked, if it was asked by endpoint.
    pub endpoint: Option<String>,
    /// The version that answered.
    pub model_id: String,
    /// The variant's name.
    pub variant: Option<String>,
    /// The answer, in the target's unit.
    pub prediction: f64,
    /// Where the true value should lie, if the version said so. Lines without it read as before, and an older host reads
    /// lines with it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub interval: Option<PredictionInterval>,
    /// SHA-256 of the input window, in hex (first 16 characters).
    pub input_digest: String,
    /// Last bar of the input when the host computed the features.
    pub bar: Option<Timestamp>,
    /// Time it took.
    pub latency_us: u64,
}

/// The log. Cheap to clone.
#[derive(Debug, Clone)]
pub struct PredictionLog {
    segments: Arc<Segments>,
    queue: mpsc::UnboundedSender<Append>,
    queued_bytes: Arc<AtomicUsize>,
}

impl PredictionLog {
    /// Opens the log in `folder`; a torn last line (from a crash) is cut off. Keeps at most `bytes_max` on disk (at least
    /// 64 KiB, in segments of an eighth of it, 16 MiB at most).
    pub async fn open(folder: &Path, bytes_max: u64) -> Result<PredictionLog> {
        let folder = folder.to_owned();
        blocking::run("opening the prediction log", move || {
            let segments = Arc::new(Segments::open(&folder, bytes_max)?);
            let (queue, receiver) = mpsc::unbounded_channel();
            let queued_bytes = Arc::new(AtomicUsize::new(0));
            Writer::start(segments.clone(), receiver, queued_bytes.clone())?;
            Ok(PredictionLog { segments, queue, queued_bytes })
        })
        .await
    }

    /// Appends entries; when this returns `Ok`, they are on disk. Concurrent appends share one sync.
    /// Errors: `Invalid` when a prediction is not finite or has no id; `Overloaded` when more than 32 MiB wait to be
    /// written; `Unavailable` when the disk is full (none of these entries is kept).
    pub async fn append(&self, entries: Vec<PredictionEntry>) -> Result<()> {
        let lines = lines(&entries)?;
        if lines.is_empty() {
            return Ok(());
        }
        let size = lines.len();
        if self.queued_bytes.fetch_add(size, Ordering::AcqRel) + size > QUEUE_BYTES_MAX {
            self.queued_bytes.fetch_sub(size, Ordering::AcqRel);
            return Err(Error::Overloaded(format!(
                "more than {} MiB of predictions wait to be logged; the disk does not keep up",
                QUEUE_BYTES_MAX >> 20
            )));
        }
        let (reply, answer) = oneshot::channel();
        let stopped = || Error::Internal("the writer of the prediction log stopped, see the log of the host".to_owned());
        self.queue.send(Append { lines, reply }).map_err(|_| stopped())?;
        answer.await.map_err(|_| stopped())?
    }

    /// The newest entries first, at most `limit` (10 000), older than `before` (a prediction id), of one model version or all.
    /// Ids made at the same time may be written in another order; entries up to 256 lines apart are put right.
    pub async fn recent(&self, model_id: Option<&str>, before: Option<&str>, limit: usize) -> Result<Vec<PredictionEntry>> {
        let segments = self.segments.clone();
        let (model_id, before) = (model_id.map(str::to_owned), before.map(str::to_owned));
        let limit = limit.min(RECENT_MAX);
        blocking::run("reading the prediction log", move || backwards::recent(&segments, model_id.as_deref(), before.as_deref(), limit))
            .await
    }
}

fn lines(entries: &[PredictionEntry]) -> Result<Vec<u8>> {
    let mut lines = Vec::with_capacity(entries.len() * 320);
    for entry in entries {
        if entry.prediction_id.is_empty() {
            return Err(Error::invalid("prediction_id", "it is empty; give every prediction an id"));
        }
        if !entry.prediction.is_finite() {
            return Err(Error::invalid("prediction", format!("{} of `{}` is not finite", entry.prediction, entry.prediction_id)));
        }
        serde_json::to_writer(&mut lines, entry).map_err(Error::internal)?;
        lines.push(b'\n');
        if lines.len() > APPEND_BYTES_MAX {
            return Err(Error::Overloaded(format!("one append may have {} MiB; split it", APPEND_BYTES_MAX >> 20)));
        }
    }
    Ok(lines)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_full_queue_refuses_and_gives_its_place_back() {
        let folder = tempfile::tempdir().unwrap();
        let segments = Arc::new(Segments::open(folder.path(), 1 << 20).unwrap());
        let (queue, receiver) = mpsc::unbounded_channel();
        let log = PredictionLog { segments: segments.clone(), queue, queued_bytes: Arc::default() };
        let entry = PredictionEntry {
            prediction_id: "p".into(),
            at: Timestamp(0),
            endpoint: None,
            model_id: "m".repeat(7 << 20),
            variant: None,
            prediction: 1.0,
            interval: None,
            input_digest: String::new(),
            bar: None,
            latency_us: 1,
        };
        // No writer yet: four of these fit into the queue, the fifth does not.
        let mut waiting = Vec::new();
        for _ in 0..4 {
            let mut append = Box::pin(log.append(vec![entry.clone()]));
            assert!(futures_util::poll!(&mut append).is_pending());
            waiting.push(append);
        }
        let error = log.append(vec![entry.clone()]).await.expect_err("full");
        assert!(error.code() == "overloaded" && error.to_string().contains("does not keep up"), "{error}");
        Writer::start(segments, receiver, log.queued_bytes.clone()).unwrap();
        futures_util::future::try_join_all(waiting).await.unwrap();
        log.append(vec![PredictionEntry { model_id: "m".into(), ..entry }]).await.unwrap();
        assert_eq!(log.queued_bytes.load(Ordering::Acquire), 0);
    }
}
