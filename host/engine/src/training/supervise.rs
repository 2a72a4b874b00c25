//! One training job from slot to end: attempts in child processes, and what comes of them stored.
//!
//! A job whose worker or host was killed is started again, as often as `training.attempts` says, and goes on from its last
//! checkpoint; every attempt has the same number of threads, so that the bits are those of an undisturbed run.

use std::path::Path;

use bellwether_domain::job::{JobState, Progress, Stage, TrainingJob};
use bellwether_domain::model::ModelStatus;
use bellwether_domain::{Error, Result};
use bellwether_store::Versioned;

use crate::Host;
use crate::artifact::Artifact;
use crate::records::Kept;
use crate::registry::Draft;
use crate::rollout::{self, DeployRequest};
use crate::training::board::Taken;
use crate::training::budget::Budget;
use crate::training::child::End;

/// What becomes of a job's slot and place in the queue.
enum Next {
    /// It is over, or the next host's.
    Leave,
    /// It goes back to the end of the queue.
    Again(Box<TrainingJob>),
}

impl Host {
    /// Starts waiting jobs while the budget has room.
    pub(crate) fn start_queued(&self) {
        let budget = Budget::of(&self.config().training);
        while !self.inner.tasks.is_stopping() {
            let Some(taken) = self.inner.board.take(&budget) else { return };
            let host = self.clone();
            self.inner.tasks.spawn("training job", async move {
                let next = host.run_job(&taken, &budget).await.unwrap_or_else(|error| {
                    tracing::error!(job.id = %taken.job_id, error = %error, "a training job could not be run or stored");
                    Next::Leave
                });
                host.inner.board.done(&taken.job_id);
                if let Next::Again(job) = next {
                    host.inner.board.queue(&job);
                }
                host.start_queued();
            });
        }
    }

    async fn run_job(&self, taken: &Taken, budget: &Budget) -> Result<Next> {
        let job_id = taken.job_id.as_str();
        let jobs = self.inner.records.of::<Kept<TrainingJob>>();
        let now = self.clock().now();
        let begin = |job: &mut Kept<TrainingJob>| {
            let waiting = job.0.state == JobState::Queued;
            if waiting {
                job.0.state = JobState::Running;
                job.0.attempts += 1;
                job.0.started_at = Some(now);
                let made_for = job.0.threads.or(job.0.request.threads).unwrap_or_else(|| budget.share(1));
                let threads = *job.0.threads.get_or_insert(job.0.request.threads.unwrap_or(taken.threads));
                job.0.estimate = job.0.estimate.map(|known| known.on_threads(made_for, threads));
            }
            Ok(waiting)
        };
        let (started, Versioned { value: Kept(job), .. }) = jobs.modify(job_id, begin).await?;
        if !started {
            return Ok(Next::Leave);
        }
        let output = self.work_folder().join(format!("{job_id}.tar"));
        let end = match self.drive_child(&job, &output, &taken.cancel).await {
            Ok(end) => end,
            Err(error) => End::Failed(error.to_string()),
        };
        let keep = matches!(end, End::HostStops);
        let next = match self.conclude(&job, end, &output).await {
            Ok(next) => next,
            Err(error) => {
                self.end_job(job_id, JobState::Failed, Some(error.to_string())).await?;
                Next::Leave
            }
        };
        tokio::fs::remove_file(&output).await.ok();
        if !keep && matches!(next, Next::Leave) {
            tokio::fs::remove_dir_all(self.checkpoint_folder(job_id)).await.ok();
        }
        Ok(next)
    }

    /// Stores what came of an attempt.
    async fn conclude(&self, job: &TrainingJob, end: End, output: &Path) -> Result<Next> {
        match end {
            End::Done { digest } => self.register_trained(job, &digest, output).await?,
            End::Failed(message) => self.end_job(&job.job_id, JobState::Failed, Some(message)).await?,
            End::Killed(message) if job.attempts >= self.config().training.attempts => {
                self.end_job(&job.job_id, JobState::Failed, Some(message)).await?;
            }
            End::Killed(message) => return self.put_back(job, &message).await,
            // `cancel_job` stored it before it said so.
            End::Cancelled => {}
            End::TimedOut(limit) => {
                let text =
                    format!("it ran longer than its limit of {} s; raise `timeout_seconds` or make the model smaller", limit.as_secs());
                self.end_job(&job.job_id, JobState::TimedOut, Some(text)).await?;
            }
            // It stays `running`: the next host puts it back into the queue.
            End::HostStops => {}
        }
        Ok(Next::Leave)
    }

    async fn put_back(&self, job: &TrainingJob, why: &str) -> Result<Next> {
        let jobs = self.inner.records.of::<Kept<TrainingJob>>();
        let back = |job: &mut Kept<TrainingJob>| {
            let running = job.0.state == JobState::Running;
            if running {
                job.0.state = JobState::Queued;
                job.0.progress = Progress::default();
            }
            Ok(running)
        };
        let (back, Versioned { value: Kept(job), .. }) = jobs.modify(&job.job_id, back).await?;
        tracing::warn!(job.id = %job.job_id, job.attempts = job.attempts, "{why}; the job is started again");
        Ok(if back { Next::Again(Box::new(job)) } else { Next::Leave })
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
    async fn register_trained(&self, job: &TrainingJob, digest: &str, output: &Path) -> Result<()> {
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
