//! What a worker says, heard: progress and losses to the board at once, to the disk a few times a second.
//!
//! A small network has hundreds of epochs a second; a record per line and epoch would make the worker wait for the disk. So
//! lines and losses are gathered and written together. What a kill of the host takes away is less than a second of words.

use std::time::Duration;

use bellwether_domain::job::{JobState, LossCurve, Progress, TrainingJob};
use bellwether_domain::{Error, Result};
use bellwether_store::Transaction;
use tokio::io::{BufReader, Lines};
use tokio::process::ChildStdout;
use tokio::time::MissedTickBehavior;

use crate::Host;
use crate::records::{JobLogLine, JobLosses, Kept};
use crate::training::LogLine;
use crate::training::child::End;
use crate::worker::Event;

/// Longest line a worker may write.
const LINE_BYTES_MAX: usize = 1 << 20;

/// Log lines kept per attempt.
const LOG_LINES_MAX: u64 = 10_000;

/// Lines written together at most.
const LINES_AT_ONCE: usize = 500;

/// Time between two writes.
const WRITE: Duration = Duration::from_millis(500);

/// One attempt's words.
pub(super) struct Listener<'a> {
    host: &'a Host,
    job: &'a TrainingJob,
    /// Number of the last line.
    number: u64,
    lines: Vec<JobLogLine>,
    progress: Progress,
    stored: Progress,
    losses_changed: bool,
}

impl<'a> Listener<'a> {
    /// Takes up the losses where an earlier attempt left them.
    pub(super) async fn new(host: &'a Host, job: &'a TrainingJob) -> Result<Listener<'a>> {
        if let Some(kept) = host.inner.records.of::<JobLosses>().get(&job.job_id).await? {
            host.inner.board.begin_losses(&job.job_id, kept.value.curve);
        }
        // A second attempt goes on counting where the first one stopped.
        let number = u64::from(job.attempts.saturating_sub(1)) * LOG_LINES_MAX;
        let (progress, stored) = (Progress::default(), Progress::default());
        Ok(Listener { host, job, number, lines: Vec::new(), progress, stored, losses_changed: false })
    }

    /// Reads until the worker has said how it ended; none when it fell silent without.
    pub(super) async fn follow(&mut self, mut lines: Lines<BufReader<ChildStdout>>) -> Result<Option<End>> {
        let mut ticks = tokio::time::interval(WRITE);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                line = lines.next_line() => {
                    let Some(line) = line.map_err(Error::internal)? else { return Ok(None) };
                    if let Some(end) = self.hear(&line)? {
                        return Ok(Some(end));
                    }
                    if self.lines.len() >= LINES_AT_ONCE || self.progress.stage != self.stored.stage {
                        self.write().await?;
                    }
                }
                _ = ticks.tick() => self.write().await?,
            }
        }
    }

    fn hear(&mut self, line: &str) -> Result<Option<End>> {
        if line.len() > LINE_BYTES_MAX {
            return Ok(Some(End::Failed("the worker wrote a line without end".to_owned())));
        }
        let job_id = &self.job.job_id;
        let Ok(event) = serde_json::from_str::<Event>(line) else {
            tracing::warn!(job.id = %job_id, "a worker wrote something that is no event");
            return Ok(None);
        };
        match event {
            Event::Progress(progress) => {
                self.host.inner.board.progress(job_id, &progress);
                self.progress = progress;
            }
            Event::Epoch(point) => {
                self.host.inner.board.add_losses(job_id, point);
                self.losses_changed = true;
            }
            Event::Log { message } => self.note(message),
            Event::Done { digest, .. } => return Ok(Some(End::Done { digest })),
            Event::Failed { code, field, message } => {
                tracing::info!(job.id = %job_id, error.code = %code, error.field = field, "a worker failed");
                return Ok(Some(End::Failed(message)));
            }
        }
        Ok(None)
    }

    /// A line for the job's log.
    pub(super) fn note(&mut self, message: String) {
        if self.number < u64::from(self.job.attempts) * LOG_LINES_MAX {
            self.number += 1;
            let line = LogLine { number: self.number, at: self.host.clock().now(), message };
            self.lines.push(JobLogLine { job_id: self.job.job_id.clone(), line });
        }
    }

    /// Puts on disk what is new.
    pub(super) async fn write(&mut self) -> Result<()> {
        let job_id = &self.job.job_id;
        if !self.lines.is_empty() {
            let mut transaction = Transaction::new();
            self.lines.drain(..).try_for_each(|line| transaction.insert(&line))?;
            match self.host.inner.records.commit(transaction).await {
                Ok(()) | Err(Error::AlreadyExists { .. }) => {}
                Err(other) => return Err(other),
            }
        }
        if std::mem::take(&mut self.losses_changed)
            && let Some(curve) = self.host.inner.board.losses(job_id)
        {
            self.host.keep_losses(job_id, curve).await?;
        }
        if (self.progress.stage, self.progress.part, self.progress.epoch) != (self.stored.stage, self.stored.part, self.stored.epoch) {
            self.host.store_progress(job_id, &self.progress).await?;
            self.stored = self.progress.clone();
        }
        Ok(())
    }
}

impl Host {
    async fn store_progress(&self, job_id: &str, progress: &Progress) -> Result<()> {
        let jobs = self.inner.records.of::<Kept<TrainingJob>>();
        jobs.modify(job_id, |job| {
            if job.0.state == JobState::Running {
                job.0.progress = progress.clone();
            }
            Ok(())
        })
        .await?;
        Ok(())
    }

    async fn keep_losses(&self, job_id: &str, curve: LossCurve) -> Result<()> {
        let losses = self.inner.records.of::<JobLosses>();
        let kept = losses.modify(job_id, |kept| {
            kept.curve = curve.clone();
            Ok(())
        });
        match kept.await {
            Ok(_) => Ok(()),
            Err(Error::NotFound { .. }) => losses.insert(&JobLosses { job_id: job_id.to_owned(), curve }).await,
            Err(other) => Err(other),
        }
    }
}
