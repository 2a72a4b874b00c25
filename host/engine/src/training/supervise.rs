//! One training job from slot to end: a child process is given an [`Order`], its [`Event`]s are read, and what comes of it
//! is stored. The child may be killed at any time (cancel, time-out, host stop) without harm: it owns nothing but one file.

use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;

use bellwether_domain::job::{JobState, Progress, Stage, TrainingJob};
use bellwether_domain::model::ModelStatus;
use bellwether_domain::{Error, Result};
use bellwether_store::Versioned;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader, Lines};
use tokio::process::{Child, ChildStdout, Command};
use tokio_util::sync::CancellationToken;

use crate::Host;
use crate::artifact::Artifact;
use crate::records::{JobLogLine, Kept};
use crate::registry::Draft;
use crate::rollout::{self, DeployRequest};
use crate::training::LogLine;
use crate::worker::{Event, Order};

/// Longest line a worker may write.
const LINE_BYTES_MAX: usize = 1 << 20;

/// Log lines kept per job.
const LOG_LINES_MAX: u64 = 10_000;

/// Bytes of a worker's standard error kept for the error message.
const STDERR_BYTES_MAX: u64 = 4096;

/// How long a worker that has said its last word may take to exit.
const EXIT_GRACE: Duration = Duration::from_secs(5);

/// How a child ended.
enum End {
    Done { digest: String },
    Failed(String),
    Cancelled,
    TimedOut(Duration),
    HostStops,
}

impl Host {
    /// Starts waiting jobs while there are free slots.
    pub(crate) fn start_queued(&self) {
        while !self.inner.tasks.is_stopping() {
            let Some((job_id, cancel)) = self.inner.board.take(self.config().training.max_concurrent_jobs) else { return };
            let host = self.clone();
            self.inner.tasks.spawn("training job", async move {
                if let Err(error) = host.run_job(&job_id, &cancel).await {
                    tracing::error!(job.id = %job_id, error = %error, "a training job could not be run or stored");
                }
                host.inner.board.done(&job_id);
                host.start_queued();
            });
        }
    }

    async fn run_job(&self, job_id: &str, cancel: &CancellationToken) -> Result<()> {
        let jobs = self.inner.records.of::<Kept<TrainingJob>>();
        let now = self.clock().now();
        let begin = |job: &mut Kept<TrainingJob>| {
            let waiting = job.0.state == JobState::Queued;
            if waiting {
                job.0.state = JobState::Running;
                job.0.attempts += 1;
                job.0.started_at = Some(now);
            }
            Ok(waiting)
        };
        let (started, Versioned { value: Kept(job), .. }) = jobs.modify(job_id, begin).await?;
        if !started {
            return Ok(());
        }
        let output = self.work_folder().join(format!("{job_id}.tar"));
        let end = match self.drive_child(&job, &output, cancel).await {
            Ok(end) => end,
            Err(error) => End::Failed(error.to_string()),
        };
        let outcome = self.conclude(&job, end, &output).await;
        tokio::fs::remove_file(&output).await.ok();
        match outcome {
            Ok(()) => Ok(()),
            Err(error) => self.end_job(job_id, JobState::Failed, Some(error.to_string())).await,
        }
    }

    /// Runs the child to its end, whatever the end is.
    async fn drive_child(&self, job: &TrainingJob, output: &std::path::Path, cancel: &CancellationToken) -> Result<End> {
        let limit = self.time_limit(job);
        let mut child = self.spawn_child()?;
        let order = serde_json::to_vec(&self.order(job, output.to_owned())).map_err(Error::internal)?;
        let mut stdin = child.stdin.take().ok_or_else(|| Error::internal("a worker has no standard input"))?;
        let stdout = child.stdout.take().ok_or_else(|| Error::internal("a worker has no standard output"))?;
        let stderr = child.stderr.take().ok_or_else(|| Error::internal("a worker has no standard error"))?;
        let complaint = tokio::spawn(async move {
            let mut text = Vec::new();
            stderr.take(STDERR_BYTES_MAX).read_to_end(&mut text).await.ok();
            String::from_utf8_lossy(&text).trim().to_owned()
        });
        let talk = async {
            stdin.write_all(&order).await.map_err(Error::internal)?;
            stdin.write_all(b"\n").await.map_err(Error::internal)?;
            stdin.flush().await.map_err(Error::internal)?;
            self.read_events(job, BufReader::new(stdout).lines()).await
        };
        let end = tokio::select! {
            end = talk => end,
            () = cancel.cancelled() => Ok(Some(End::Cancelled)),
            () = tokio::time::sleep(limit) => Ok(Some(End::TimedOut(limit))),
            () = self.inner.tasks.stopping() => Ok(Some(End::HostStops)),
        };
        // The pipe to the child stays open until here: a worker whose input ends knows that its host is gone.
        drop(stdin);
        let end = end?;
        if !matches!(end, Some(End::Done { .. } | End::Failed(_))) {
            child.start_kill().ok();
        }
        let status = match tokio::time::timeout(EXIT_GRACE, child.wait()).await {
            Ok(status) => status.map_err(Error::internal)?,
            Err(_) => {
                child.start_kill().ok();
                child.wait().await.map_err(Error::internal)?
            }
        };
        match end {
            Some(end) => Ok(end),
            None => Ok(End::Failed(died(status, &complaint.await.unwrap_or_default()))),
        }
    }

    fn spawn_child(&self) -> Result<Child> {
        let command = &self.config().training.worker;
        let (program, arguments) = command.split_first().ok_or_else(|| Error::internal("no worker program is set"))?;
        Command::new(program)
            .args(arguments)
            .envs(bellwether_compute::fit::ENVIRONMENT)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .map_err(|error| Error::Unavailable(format!("the training worker `{program}` could not be started: {error}")))
    }

    fn order(&self, job: &TrainingJob, output: PathBuf) -> Order {
        let config = self.config();
        let folder = self.inner.folder.path();
        Order {
            job_id: job.job_id.clone(),
            request: job.request.clone(),
            bars: folder.join("bars"),
            output,
            plugin_cache: folder.join("plugin-cache"),
            plugins: config.plugins.clone(),
            drift_tests: config.monitoring.drift_tests.clone(),
            min_data_points: config.training.min_data_points,
            device: config.training.device.clone(),
        }
    }

    fn time_limit(&self, job: &TrainingJob) -> Duration {
        let host = Duration::from_secs_f64(self.config().training.job_timeout_hours * 3600.0);
        job.request.timeout_seconds.map_or(host, |seconds| Duration::from_secs(seconds).min(host))
    }

    /// Reads until the worker has said how it ended; none when it fell silent without.
    async fn read_events(&self, job: &TrainingJob, mut lines: Lines<BufReader<ChildStdout>>) -> Result<Option<End>> {
        let mut number = 0;
        let mut stored = Progress::default();
        while let Some(line) = lines.next_line().await.map_err(Error::internal)? {
            if line.len() > LINE_BYTES_MAX {
                return Ok(Some(End::Failed("the worker wrote a line without end".to_owned())));
            }
            let Ok(event) = serde_json::from_str::<Event>(&line) else {
                tracing::warn!(job.id = %job.job_id, "a worker wrote something that is no event");
                continue;
            };
            match event {
                Event::Progress(progress) => {
                    self.inner.board.progress(&job.job_id, &progress);
                    if (progress.stage, progress.epoch) != (stored.stage, stored.epoch) {
                        self.store_progress(&job.job_id, &progress).await?;
                        stored = progress;
                    }
                }
                Event::Log { message } if number < LOG_LINES_MAX => {
                    number += 1;
                    self.store_log(job, number, message).await?;
                }
                Event::Log { .. } => {}
                Event::Done { digest, .. } => return Ok(Some(End::Done { digest })),
                Event::Failed { code, field, message } => {
                    tracing::info!(job.id = %job.job_id, error.code = %code, error.field = field, "a worker failed");
                    return Ok(Some(End::Failed(message)));
                }
            }
        }
        Ok(None)
    }

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

    /// Keeps one line. A second attempt goes on counting where the first one stopped.
    async fn store_log(&self, job: &TrainingJob, number: u64, message: String) -> Result<()> {
        let number = u64::from(job.attempts.saturating_sub(1)) * LOG_LINES_MAX + number;
        let line = LogLine { number, at: self.clock().now(), message };
        match self.inner.records.of::<JobLogLine>().insert(&JobLogLine { job_id: job.job_id.clone(), line }).await {
            Ok(()) | Err(Error::AlreadyExists { .. }) => Ok(()),
            Err(other) => Err(other),
        }
    }

    /// Stores what came of a job.
    async fn conclude(&self, job: &TrainingJob, end: End, output: &std::path::Path) -> Result<()> {
        match end {
            End::Done { digest } => self.register_trained(job, &digest, output).await,
            End::Failed(message) => self.end_job(&job.job_id, JobState::Failed, Some(message)).await,
            // `cancel_job` stored it before it said so.
            End::Cancelled => Ok(()),
            End::TimedOut(limit) => {
                let text =
                    format!("it ran longer than its limit of {} s; raise `timeout_seconds` or make the model smaller", limit.as_secs());
                self.end_job(&job.job_id, JobState::TimedOut, Some(text)).await
            }
            // It stays `running`: the next host puts it back into the queue.
            End::HostStops => Ok(()),
        }
    }

    async fn end_job(&self, job_id: &str, state: JobState, error: Option<String>) -> Result<()> {
        let now = self.clock().now();
        let jobs = self.inner.records.of::<Kept<TrainingJob>>();
        jobs.modify(job_id, |job| {
            if !job.0.state.is_final() {
                job.0.state = state;
                job.0.error = error.clone();
                job.0.finished_at = Some(now);
            }
            Ok(())
        })
        .await?;
        tracing::info!(job.id = %job_id, job.state = state.name(), error, "a training job ended");
        Ok(())
    }

    /// Registers what a worker made. Version, end of the job and, when asked for and the gates passed, the rollout become
    /// true in one transaction: a crash leaves all of it or none.
    async fn register_trained(&self, job: &TrainingJob, digest: &str, output: &std::path::Path) -> Result<()> {
        self.inner.board.progress(&job.job_id, &Progress { stage: Stage::Registering, ..self.inner.board.refresh(job.clone()).progress });
        let bytes = tokio::fs::read(output).await.map_err(Error::internal)?;
        let size = bytes.len() as u64;
        let artifact_digest = self.inner.blobs.put(bytes.clone()).await?;
        if artifact_digest != digest {
            return Err(Error::internal("the worker's artifact is not the one it announced"));
        }
        let Artifact { spec, .. } = tokio::task::spawn_blocking(move || Artifact::unpack(&bytes)).await.map_err(Error::internal)??;
        let metrics = spec.metrics.clone();
        let gates = job.request.gates.clone().unwrap_or_default().over(&self.config().gates.0);
        let metadata = job.request.metadata.clone();
        let draft = Draft { spec, metrics, metadata, artifact_digest, artifact_bytes: size, gates, trained_here: true };
        let current = self.inner.records.of::<Kept<TrainingJob>>().get(&job.job_id).await?;
        let Some(current) = current.filter(|current| current.value.0.state == JobState::Running) else { return Ok(()) };
        let now = self.clock().now();
        let deploy = &job.request.deployment_config;
        let wish = |model_id: &str| DeployRequest {
            model_id: model_id.to_owned(),
            strategy: deploy.deployment_strategy.clone(),
            endpoint: deploy.endpoint.clone(),
            ..DeployRequest::default()
        };
        let endpoint = deploy.endpoint.clone().unwrap_or_else(|| job.request.symbol.slug());
        let _turn = self.inner.rollout_turn.lock().await;
        let deploy_now = deploy.auto_deploy && !self.is_claimed(&endpoint).await?;
        if deploy.auto_deploy && !deploy_now {
            tracing::warn!(job.id = %job.job_id, endpoint, "the endpoint has a rollout under way; the new version is registered and not deployed");
        }
        let model = self
            .register(&draft, |transaction, model| {
                let mut ended = current.value.clone();
                ended.0.state = JobState::Succeeded;
                ended.0.progress = Progress { stage: Stage::Done, ..self.inner.board.refresh(job.clone()).progress };
                ended.0.model_id = Some(model.model_id.clone());
                ended.0.finished_at = Some(now);
                if deploy_now && model.status == ModelStatus::Registered {
                    let rollout = self.new_rollout(&wish(&model.model_id), model)?;
                    rollout::begin(transaction, &rollout)?;
                    ended.0.deployment_id = Some(rollout.deployment_id);
                }
                transaction.update(current.version, &ended)
            })
            .await?;
        if let Some(deployment_id) = self.job(&job.job_id).await?.deployment_id {
            self.drive_rollout(deployment_id);
        }
        tracing::info!(job.id = %job.job_id, model.id = %model.model_id, "a training job succeeded");
        Ok(())
    }
}

/// Why a child is gone that did not say so itself.
fn died(status: std::process::ExitStatus, complaint: &str) -> String {
    use std::os::unix::process::ExitStatusExt;
    let how = match (status.signal(), status.code()) {
        (Some(9), _) => "it was killed (signal 9): the machine may have run out of memory".to_owned(),
        (Some(signal), _) => format!("it died of signal {signal}"),
        (None, Some(code)) => format!("it ended with code {code} before it was done"),
        (None, None) => "it ended before it was done".to_owned(),
    };
    if complaint.is_empty() { format!("the training worker: {how}") } else { format!("the training worker: {how}; it said: {complaint}") }
}
