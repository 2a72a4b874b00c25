//! Training jobs: accepted durably, run in child processes within slots, watched, ended, taken up again after a crash.
//!
//! A job's state is a record; every change is compare-and-swap. What is only interesting while it runs (progress within
//! an epoch) lives in the `board`. The child is watched by `supervise`.

use bellwether_domain::feature::Feature;
use bellwether_domain::job::{JobState, Progress, TrainingJob, TrainingRequest};
use bellwether_domain::time::Timestamp;
use bellwether_domain::{Error, Result};
use bellwether_store::Transaction;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::records::{JobLogLine, Kept, UsedKey, digest_of, newest};
use crate::{Host, Listing, PageRequest};

mod board;
mod supervise;

pub(crate) use board::Board;

/// Most log lines in one answer.
const LOG_PAGE: usize = 1000;

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
        let digest = digest_of(&request)?;
        let key = idempotency_key.as_deref().map(|key| UsedKey::name("job", key)).transpose()?;
        if let Some(id) = self.made_before(key.as_deref(), &digest).await? {
            return Ok((self.job(&id).await?, false));
        }
        self.check_request(&request).await?;
        self.ready().await?;
        if self.inner.board.waiting() >= self.config().training.queue {
            let queue = self.config().training.queue;
            return Err(Error::Overloaded(format!("{queue} training jobs are waiting already, the most there may be; try again later")));
        }
        let job = TrainingJob {
            job_id: format!("job_{}", Uuid::now_v7().simple()),
            request,
            state: JobState::Queued,
            progress: Progress::default(),
            attempts: 0,
            created_at: self.clock().now(),
            started_at: None,
            finished_at: None,
            model_id: None,
            deployment_id: None,
            error: None,
            idempotency_key,
        };
        let mut transaction = Transaction::new();
        transaction.insert(&Kept(job.clone()))?;
        if let Some(key) = &key {
            transaction.insert(&UsedKey { key: key.clone(), request: digest.clone(), id: job.job_id.clone() })?;
        }
        match self.inner.records.commit(transaction).await {
            Ok(()) => {}
            // The same key came twice at once and the other was first.
            Err(Error::AlreadyExists { .. }) if key.is_some() => {
                let id = self.made_before(key.as_deref(), &digest).await?.ok_or_else(|| Error::internal("a used key vanished"))?;
                return Ok((self.job(&id).await?, false));
            }
            Err(other) => return Err(other),
        }
        tracing::info!(job.id = %job.job_id, model.type = %job.request.model_type, data.symbol = %job.request.symbol, "a training job was accepted");
        self.inner.board.queue(&job.job_id);
        self.start_queued();
        Ok((job, true))
    }

    async fn check_request(&self, request: &TrainingRequest) -> Result<()> {
        request.target.check()?;
        request.split.check()?;
        if !(request.cost_bps >= 0.0 && request.cost_bps <= 10_000.0) {
            return Err(Error::invalid("cost_bps", format!("is {}; it must be 0 to 10000 basis points", request.cost_bps)));
        }
        if request.timeout_seconds == Some(0) {
            return Err(Error::invalid("timeout_seconds", "must be at least 1"));
        }
        if request.sequence_length.is_some_and(|length| !(1..=10_000).contains(&length)) {
            return Err(Error::invalid("sequence_length", "must be 1 to 10000"));
        }
        if let Some(features) = &request.features {
            check_features(features)?;
        }
        if let (Some(from), Some(until)) = (request.from, request.until)
            && from >= until
        {
            return Err(Error::invalid("until", "must be after `from`"));
        }
        let model = self.plugins().model(&request.model_type)?;
        let config = self.plugins().configure(model.name(), &serde_json::Value::Object(request.config.clone()))?;
        model.requirements(&config).await?;
        if let Some(strategy) = &request.deployment_config.deployment_strategy {
            self.plugins().strategy(strategy)?;
        }
        if let Some(endpoint) = &request.deployment_config.endpoint {
            bellwether_domain::id::check_name("deployment_config.endpoint", endpoint)?;
        }
        let series = self.describe_series(&request.symbol, request.interval).await?;
        let least = self.config().training.min_data_points;
        if series.rows < least {
            let (symbol, interval, rows) = (&request.symbol, request.interval, series.rows);
            return Err(Error::invalid("symbol", format!("{symbol} {interval} has {rows} bars; training needs at least {least}")));
        }
        Ok(())
    }

    /// One job with live progress. Errors: `NotFound`.
    pub async fn job(&self, job_id: &str) -> Result<TrainingJob> {
        let found = self.inner.records.of::<Kept<TrainingJob>>().get(job_id).await?;
        let job = found.ok_or_else(|| Error::not_found("training job", job_id))?.value.0;
        Ok(self.inner.board.refresh(job))
    }

    /// Jobs, newest first.
    pub async fn jobs(&self, filter: &JobFilter, page: &PageRequest) -> Result<Listing<TrainingJob>> {
        let symbol = filter.symbol.as_ref().map(ToString::to_string);
        let index = match (&filter.state, &symbol, &filter.model_type) {
            (Some(state), _, _) => Some(("state", state.name())),
            (None, Some(symbol), _) => Some(("symbol", symbol.as_str())),
            (None, None, Some(model_type)) => Some(("model_type", model_type.as_str())),
            (None, None, None) => None,
        };
        let keep = |job: &Kept<TrainingJob>| {
            filter.state.is_none_or(|wanted| wanted == job.0.state)
                && filter.symbol.as_ref().is_none_or(|wanted| *wanted == job.0.request.symbol)
                && filter.model_type.as_ref().is_none_or(|wanted| *wanted == job.0.request.model_type)
        };
        newest(&self.inner.records.of::<Kept<TrainingJob>>(), index, page, keep, |kept| self.inner.board.refresh(kept.0)).await
    }

    /// Ends a job. A finished one is a `Conflict`; one that is cancelled already is returned as it is.
    pub async fn cancel_job(&self, job_id: &str) -> Result<TrainingJob> {
        self.job(job_id).await?;
        let now = self.clock().now();
        let jobs = self.inner.records.of::<Kept<TrainingJob>>();
        let (_, job) = jobs
            .modify(job_id, |job| {
                if job.0.state.is_final() && job.0.state != JobState::Cancelled {
                    let (id, state) = (&job.0.job_id, job.0.state.name());
                    return Err(Error::Conflict(format!("training job `{id}` has ended already: {state}")));
                }
                if !job.0.state.is_final() {
                    job.0.state = JobState::Cancelled;
                    job.0.finished_at = Some(now);
                }
                Ok(())
            })
            .await?;
        // The record says cancelled first, so that whatever the child still says comes too late.
        self.inner.board.cancel(job_id);
        self.start_queued();
        Ok(job.value.0)
    }

    /// Lines of a job's log after number `after`, at most 1000.
    pub async fn job_log(&self, job_id: &str, after: u64) -> Result<Vec<LogLine>> {
        self.job(job_id).await?;
        let lines = self.inner.records.of::<JobLogLine>();
        let prefix = format!("{job_id}:");
        let mut found = Vec::new();
        let mut cursor = None;
        loop {
            let page = lines.scan(&prefix, cursor.as_deref(), LOG_PAGE, false).await?;
            let new = page.items.into_iter().map(|record| record.value.line).filter(|line| line.number > after);
            found.extend(new.take(LOG_PAGE - found.len()));
            cursor = page.next;
            if cursor.is_none() || found.len() >= LOG_PAGE {
                return Ok(found);
            }
        }
    }

    /// Takes up what a host that died left: running jobs go back to the queue, or fail when they were started too often.
    pub(crate) async fn resume_training(&self) -> Result<()> {
        std::fs::remove_dir_all(self.work_folder()).ok();
        std::fs::create_dir_all(self.work_folder()).map_err(Error::internal)?;
        let jobs = self.inner.records.of::<Kept<TrainingJob>>();
        let attempts = self.config().training.attempts;
        let now = self.clock().now();
        loop {
            let page = jobs.find("state", JobState::Running.name(), None, 100, false).await?;
            if page.items.is_empty() {
                break;
            }
            for record in page.items {
                jobs.modify(&record.value.0.job_id, |job| {
                    if job.0.state == JobState::Running && job.0.attempts >= attempts {
                        job.0.state = JobState::Failed;
                        job.0.error = Some(format!("the host stopped under it {attempts} times; it is not started again"));
                        job.0.finished_at = Some(now);
                    } else if job.0.state == JobState::Running {
                        job.0.state = JobState::Queued;
                        job.0.progress = Progress::default();
                    }
                    Ok(())
                })
                .await?;
            }
        }
        let mut cursor = None;
        loop {
            let page = jobs.find("state", JobState::Queued.name(), cursor.as_deref(), 100, false).await?;
            page.items.iter().for_each(|record| self.inner.board.queue(&record.value.0.job_id));
            cursor = page.next;
            if cursor.is_none() {
                break;
            }
        }
        self.start_queued();
        Ok(())
    }

    /// Where workers leave their artifacts until they are registered.
    pub(crate) fn work_folder(&self) -> std::path::PathBuf {
        self.inner.folder.path().join("work")
    }
}

fn check_features(features: &[Feature]) -> Result<()> {
    if features.is_empty() || features.len() > 256 {
        return Err(Error::invalid("features", format!("there are {}; name 1 to 256", features.len())));
    }
    let mut seen = std::collections::HashSet::new();
    match features.iter().find(|feature| !seen.insert(*feature)) {
        Some(twice) => Err(Error::invalid("features", format!("`{twice}` is named twice"))),
        None => Ok(()),
    }
}
