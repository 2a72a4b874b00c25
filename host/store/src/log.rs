//! The prediction log: append-only segments of JSON lines, group-committed, rolled by size, oldest dropped past a bound.

use std::path::Path;

use bellwether_domain::Result;
use bellwether_domain::time::Timestamp;
use serde::{Deserialize, Serialize};

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
    /// SHA-256 of the input window, in hex (first 16 characters).
    pub input_digest: String,
    /// Last bar of the input when the host computed the features.
    pub bar: Option<Timestamp>,
    /// Time it took.
    pub latency_us: u64,
}

/// The log. Cheap to clone.
#[derive(Debug, Clone)]
pub struct PredictionLog {}

impl PredictionLog {
    /// Opens the log in `folder`; a torn last line (from a crash) is cut off. Keeps at most `bytes_max` on disk.
    pub async fn open(folder: &Path, bytes_max: u64) -> Result<PredictionLog> {
        let _ = (folder, bytes_max);
        todo!()
    }

    /// Appends entries; when this returns `Ok`, they are on disk. Concurrent appends share one sync.
    pub async fn append(&self, entries: Vec<PredictionEntry>) -> Result<()> {
        let _ = entries;
        todo!()
    }

    /// The newest entries first, at most `limit`, older than `before` (a prediction id), of one model version or all.
    pub async fn recent(&self, model_id: Option<&str>, before: Option<&str>, limit: usize) -> Result<Vec<PredictionEntry>> {
        let _ = (model_id, before, limit);
        todo!()
    }
}
