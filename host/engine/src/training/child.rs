//! The child process of one attempt: started with an order, listened to, and ended with it, whatever the end is.
//!
//! Cancel, time-out and the host's stop kill it at once, in the middle of a batch: it owns nothing but its work folder,
//! where everything is written whole or not at all.

use std::path::Path;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use bellwether_domain::job::TrainingJob;
use bellwether_domain::{Error, Result};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::process::{Child, Command};
use tokio_util::sync::CancellationToken;

use crate::Host;
use crate::training::listen::Listener;
use crate::worker::{CheckpointPlace, ColumnPlace, Order};

/// Bytes of a worker's standard error kept for the error message.
const STDERR_BYTES_MAX: u64 = 4096;

/// How long a worker that has said its last word may take to exit.
const EXIT_GRACE: Duration = Duration::from_secs(5);

/// Signals by which somebody ends a process that did nothing wrong: hang-up, interrupt, kill, terminate.
const FROM_OUTSIDE: [i32; 4] = [1, 2, 9, 15];

/// How an attempt ended.
pub(super) enum End {
    /// The artifact is written.
    Done { digest: String },
    /// It said why, or died of itself.
    Failed(String),
    /// Somebody killed the process.
    Killed(String),
    /// Somebody cancelled the job.
    Cancelled,
    /// It ran past its time.
    TimedOut(Duration),
    /// The host stops.
    HostStops,
}

impl Host {
    /// Runs the child to its end.
    pub(super) async fn drive_child(&self, job: &TrainingJob, output: &Path, cancel: &CancellationToken) -> Result<End> {
        let limit = self.time_limit(job);
        let mut listener = Listener::new(self, job).await?;
        let mut child = self.spawn_child()?;
        let mut order = serde_json::to_vec(&self.order(job, output)).map_err(Error::internal)?;
        order.push(b'\n');
        let mut stdin = child.stdin.take().ok_or_else(|| Error::internal("a worker has no standard input"))?;
        let stdout = child.stdout.take().ok_or_else(|| Error::internal("a worker has no standard output"))?;
        let stderr = child.stderr.take().ok_or_else(|| Error::internal("a worker has no standard error"))?;
        let complaint = tokio::spawn(async move {
            let mut text = Vec::new();
            stderr.take(STDERR_BYTES_MAX).read_to_end(&mut text).await.ok();
            String::from_utf8_lossy(&text).trim().to_owned()
        });
        let talk = async {
            // A worker that is gone already says why below.
            stdin.write_all(&order).await.ok();
            stdin.flush().await.ok();
            listener.follow(BufReader::new(stdout).lines()).await
        };
        let end = tokio::select! {
            end = talk => end,
            () = cancel.cancelled() => Ok(Some(End::Cancelled)),
            () = tokio::time::sleep(limit) => Ok(Some(End::TimedOut(limit))),
            () = self.inner.tasks.stopping() => Ok(Some(End::HostStops)),
        };
        // The pipe to the child stays open until here: a worker whose input ends knows that its host is gone.
        drop(stdin);
        if !matches!(end, Ok(Some(End::Done { .. } | End::Failed(_)) | None)) {
            child.start_kill().ok();
        }
        let status = match tokio::time::timeout(EXIT_GRACE, child.wait()).await {
            Ok(status) => status.map_err(Error::internal)?,
            Err(_) => {
                child.start_kill().ok();
                child.wait().await.map_err(Error::internal)?
            }
        };
        let end = match end? {
            Some(end) => end,
            None => died(status, &complaint.await.unwrap_or_default()),
        };
        if let End::Killed(how) = &end {
            listener.note(how.clone());
        }
        listener.write().await?;
        Ok(end)
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

    fn order(&self, job: &TrainingJob, output: &Path) -> Order {
        let config = self.config();
        let training = &config.training;
        let folder = self.inner.folder.path();
        let checkpoints = (training.checkpoint_minutes > 0.0)
            .then(|| CheckpointPlace { folder: self.checkpoint_folder(&job.job_id), seconds: training.checkpoint_minutes * 60.0 });
        let columns = (training.feature_cache_bytes > 0)
            .then(|| ColumnPlace { folder: folder.join("feature-cache"), bytes: training.feature_cache_bytes });
        Order {
            job_id: job.job_id.clone(),
            request: job.request.clone(),
            bars: folder.join("bars"),
            output: output.to_owned(),
            plugin_cache: folder.join("plugin-cache"),
            plugins: config.plugins.clone(),
            drift_tests: config.monitoring.drift_tests.clone(),
            min_data_points: training.min_data_points,
            device: training.device.clone(),
            precision: job.request.precision.unwrap_or(training.precision),
            threads: job.threads.unwrap_or(1),
            estimate: job.estimate,
            checkpoints,
            columns,
        }
    }

    fn time_limit(&self, job: &TrainingJob) -> Duration {
        let host = Duration::from_secs_f64(self.config().training.job_timeout_hours * 3600.0);
        job.request.timeout_seconds.map_or(host, |seconds| Duration::from_secs(seconds).min(host))
    }
}

/// Why a child is gone that did not say so itself.
fn died(status: ExitStatus, complaint: &str) -> End {
    use std::os::unix::process::ExitStatusExt;
    let how = match (status.signal(), status.code()) {
        (Some(9), _) => "it was killed (signal 9): the machine may have run out of memory".to_owned(),
        (Some(signal), _) => format!("it died of signal {signal}"),
        (None, Some(code)) => format!("it ended with code {code} before it was done"),
        (None, None) => "it ended before it was done".to_owned(),
    };
    let said = if complaint.is_empty() { String::new() } else { format!("; it said: {complaint}") };
    let text = format!("the training worker: {how}{said}");
    if status.signal().is_some_and(|signal| FROM_OUTSIDE.contains(&signal)) { End::Killed(text) } else { End::Failed(text) }
}

#[cfg(test)]
mod tests {
    use std::os::unix::process::ExitStatusExt;

    use super::*;

    #[test]
    fn a_kill_from_outside_is_told_from_a_crash() {
        let check = |status: i32, complaint: &str, killed: bool, part: &str| match died(ExitStatus::from_raw(status), complaint) {
            End::Killed(text) => assert!(killed && text.contains(part), "{text}"),
            End::Failed(text) => assert!(!killed && text.contains(part), "{text}"),
            _ => panic!("a process that died is killed or failed"),
        };
        check(9, "", true, "out of memory");
        check(15, "", true, "signal 15");
        check(11, "a stack", false, "signal 11; it said: a stack");
        check(3 << 8, "", false, "code 3");
    }
}
