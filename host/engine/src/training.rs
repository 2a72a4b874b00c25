//! Training jobs: accepted durably, run in child processes within slots, watched, ended, taken up again after a crash.

use bellwether_domain::Result;
use bellwether_domain::job::{JobState, TrainingJob, TrainingRequest};
use bellwether_domain::time::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{Host, Listing, PageRequest};

/// Which jobs to list.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct JobFilter {
    /// In one state.
    pub state: Option<JobState>,
    /// Of one recipe.
    pub model_type: Option<String>,
    /// Of one instrument.
    pub symbol: Option<bellwether_domain::id::Symbol>,
}

/// One line of a job's log.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LogLine {
    /// Counts from 1 within the job.
    pub number: u64,
    /// When.
    pub at: Timestamp,
    /// The line.
    pub message: String,
}

impl Host {
    /// Accepts a job; when this returns `Ok` it is on disk. The same idempotency key and request give the same job (and
    /// `false`); another request under a used key is a `Conflict`. Everything that can be checked is checked first:
    /// model type, strategy, features, config against the schema, series and its length, queue.
    pub async fn create_job(&self, request: TrainingRequest, idempotency_key: Option<String>) -> Result<(TrainingJob, bool)> {
        let _ = (request, idempotency_key);
        todo!()
    }

    /// One job with live progress. Errors: `NotFound`.
    pub async fn job(&self, job_id: &str) -> Result<TrainingJob> {
        let _ = job_id;
        todo!()
    }

    /// Jobs, newest first.
    pub async fn jobs(&self, filter: &JobFilter, page: &PageRequest) -> Result<Listing<TrainingJob>> {
        let _ = (filter, page);
        todo!()
    }

    /// Ends a job. A finished one is a `Conflict`; one that is cancelled already is returned as it is.
    pub async fn cancel_job(&self, job_id: &str) -> Result<TrainingJob> {
        let _ = job_id;
        todo!()
    }

    /// Lines of a job's log after number `after`, at most 1000.
    pub async fn job_log(&self, job_id: &str, after: u64) -> Result<Vec<LogLine>> {
        let _ = (job_id, after);
        todo!()
    }
}
