//! Training jobs: accepted durably, run in child processes within slots, watched, ended, taken up again after a crash.
//!
//! A job's state is a record; every change is compare-and-swap. What is only interesting while it runs (progress within
//! an epoch) lives in the `board`. What all of them may take together is the `budget`; what one will take is said by
//! `estimate` before it is accepted. One job's attempts are seen through by `supervise`, each in a `child` that `listen` hears.

use bellwether_domain::feature::Feature;
use bellwether_domain::job::{JobState, LossCurve, Progress, TrainingEstimate, TrainingJob, TrainingRequest};
use bellwether_domain::time::Timestamp;
use bellwether_domain::{Error, Result};
use bellwether_store::Transaction;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::records::{JobLogLine, JobLosses, Kept, UsedKey, digest_of, newest};
use crate::{Host, Listing, PageRequest};

mod budget;
mod board;
mod estimate;
mod listen;
mod child;
mod supervise;

pub(crate) use board::Board;
use budget::{Budget, THREADS_MAX};

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
    /// model type, strategy, features, config against the schema, the plan, series and its length, memory, queue.
    pub async fn create_job(&self, request: TrainingRequest, idempotency_key: Option<String>) -> Result<(TrainingJob, bool)> {
        let digest = digest_of(&request)?;
        let key = idempotency_key.as_deref().map(|key| UsedKey::name("job", key)).transpose()?;
        if let Some(id) = self.made_before(key.as_deref(), &digest).await? {
            return Ok((self.job(&id).await?, false));
        }
        let estimate = self.check_request(&request).await?;
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
            threads: None,
            estimate,
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
        self.inner.board.queue(&job);
        self.start_queued();
        Ok((job, true))
    }

    async fn check_request(&self, request: &TrainingRequest) -> Result<Option<TrainingEstimate>> {
        request.target.check()?;
        request.split.check()?;
        if !(request.cost_bps >= 0.0 && request.cost_bps <= 10_000.0) {
            return Err(Error::invalid("cost_bps", format!("is {}; it must be 0 to 10000 basis points", request.cost_bps)));
        }
        if request.timeout_seconds == Some(0) {
            return Err(Error::invalid("timeout_seconds", "must be at least 1"));
        }
        let budget = Budget::of(&self.config().training);
        let most = u32::try_from(budget.threads).unwrap_or(THREADS_MAX).min(THREADS_MAX);
        if request.threads.is_some_and(|threads| !(1..=most).contains(&threads)) {
            return Err(Error::invalid("threads", format!("must be 1 to {most}, the threads that training has here (training.threads)")));
        }
        let training = &self.config().training;
        let precision = request.precision.unwrap_or(training.precision);
        bellwether_compute::precision::check(precision, training.device != "cpu")?;
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
        estimate::estimate(self.plugins(), &budget, precision, request, &config, series.rows).await
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

    /// How the losses of a job went so far. Errors: `NotFound`.
    pub async fn job_losses(&self, job_id: &str) -> Result<LossCurve> {
        self.job(job_id).await?;
        if let Some(live) = self.inner.board.losses(job_id) {
            return Ok(live);
        }
        let kept = self.inner.records.of::<JobLosses>().get(job_id).await?;
        Ok(kept.map(|kept| kept.value.curve).unwrap_or_default())
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
        let mut waiting = std::collections::HashSet::new();
        loop {
            let page = jobs.find("state", JobState::Queued.name(), cursor.as_deref(), 100, false).await?;
            for record in page.items {
                self.inner.board.queue(&record.value.0);
                waiting.insert(record.value.0.job_id);
            }
            cursor = page.next;
            if cursor.is_none() {
                break;
            }
        }
        let folder = self.work_folder();
        tokio::task::spawn_blocking(move || sweep(&folder, &waiting)).await.map_err(Error::internal)??;
        self.start_queued();
        Ok(())
    }

    /// Where workers leave their artifacts until they are registered.
    pub(crate) fn work_folder(&self) -> std::path::PathBuf {
        self.inner.folder.path().join("work")
    }

    /// Where a job's checkpoints are kept until it has ended.
    pub(crate) fn checkpoint_folder(&self, job_id: &str) -> std::path::PathBuf {
        self.work_folder().join(job_id)
    }
}

/// Makes the work folder and leaves in it only the checkpoints of jobs that wait: artifacts that nobody registered, and what
/// belongs to jobs that have ended, go.
fn sweep(folder: &std::path::Path, waiting: &std::collections::HashSet<String>) -> Result<()> {
    std::fs::create_dir_all(folder).map_err(Error::internal)?;
    for entry in std::fs::read_dir(folder).map_err(Error::internal)? {
        let entry = entry.map_err(Error::internal)?;
        let is_folder = entry.file_type().is_ok_and(|kind| kind.is_dir());
        let kept = is_folder && entry.file_name().to_str().is_some_and(|name| waiting.contains(name));
        if !kept {
            let removed = if is_folder { std::fs::remove_dir_all(entry.path()) } else { std::fs::remove_file(entry.path()) };
            if let Err(error) = removed {
                tracing::warn!(path = %entry.path().display(), %error, "a leftover of training cannot be removed");
            }
        }
    }
    Ok(())
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

#[cfg(test)]
mod tests {
    use super::sweep;

    #[test]
    fn only_the_checkpoints_of_waiting_jobs_are_kept() {
        let folder = tempfile::tempdir().expect("a folder");
        let work = folder.path().join("work");
        for job in ["waits", "over"] {
            std::fs::create_dir_all(work.join(job)).expect("a folder");
            std::fs::write(work.join(job).join("fit.checkpoint"), b"x").expect("a file");
            std::fs::write(work.join(format!("{job}.tar")), b"x").expect("a file");
        }
        sweep(&work, &std::iter::once("waits".to_owned()).collect()).expect("sweep");
        let left: Vec<_> = std::fs::read_dir(&work).expect("a folder").map(|entry| entry.expect("entry").file_name()).collect();
        assert_eq!(left, ["waits"]);
        assert!(work.join("waits/fit.checkpoint").exists());
    }
}
