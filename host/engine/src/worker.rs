//! The training worker: the child process behind `bellwether train-worker`. Reads one order, streams events, writes one artifact.
//!
//! It opens no record store and registers nothing: a worker that dies leaves a file nobody knows.

use std::path::PathBuf;

use bellwether_domain::Result;
use bellwether_domain::job::{Progress, TrainingRequest};
use bellwether_domain::metrics::ModelMetrics;
use bellwether_plugin::{Bundled, PluginsConfig};
use serde::{Deserialize, Serialize};

/// What a worker is to do; one JSON document on its standard input.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Order {
    /// The job.
    pub job_id: String,
    /// What to train.
    pub request: TrainingRequest,
    /// Folder of the bar store.
    pub bars: PathBuf,
    /// Where the artifact goes; written whole or not at all.
    pub output: PathBuf,
    /// Folder of compiled components.
    pub plugin_cache: PathBuf,
    /// The operator's plugin settings.
    pub plugins: PluginsConfig,
    /// Drift tests whose baselines go into the artifact.
    pub drift_tests: Vec<String>,
    /// Least bars.
    pub min_data_points: u64,
    /// Threads to compute with.
    pub threads: usize,
    /// Where to compute.
    pub device: String,
}

/// What a worker says; one JSON document per line on its standard output.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "event")]
pub enum Event {
    /// Where it is.
    Progress(Progress),
    /// A line for the job's log.
    Log {
        /// The line.
        message: String,
    },
    /// The artifact is written.
    Done {
        /// Its SHA-256, in hex.
        digest: String,
        /// Its size.
        bytes: u64,
        /// Metrics on the held-out part.
        metrics: Box<ModelMetrics>,
    },
    /// It ended with an error.
    Failed {
        /// `Error::code`.
        code: String,
        /// The field, if the input was wrong.
        field: Option<String>,
        /// For a person.
        message: String,
    },
}

/// Carries out an order. `emit` must not block for long; after it returns false the worker stops soon (cancelled).
/// The last event is `Done` or `Failed`.
pub async fn perform(order: Order, bundled: &[Bundled], emit: &mut (dyn FnMut(Event) -> bool + Send)) -> Result<()> {
    let _ = (order, bundled, emit);
    todo!()
}
