//! The sole spawner of background work: every task is named, watched for panics, and joined at the end.

use std::future::Future;

use futures_util::FutureExt;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// The host's background work. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub(crate) struct Tasks {
    tracker: TaskTracker,
    stop: CancellationToken,
}

impl Tasks {
    /// Runs a task to its end. It should return soon after [`Tasks::stopping`] resolves. A panic is logged, not spread.
    pub(crate) fn spawn(&self, name: &'static str, task: impl Future<Output = ()> + Send + 'static) {
        if self.tracker.is_closed() {
            return;
        }
        self.tracker.spawn(async move {
            if std::panic::AssertUnwindSafe(task).catch_unwind().await.is_err() {
                tracing::error!(task.name = name, "a background task panicked");
            }
        });
    }

    /// Resolves when the host stops.
    pub(crate) async fn stopping(&self) {
        self.stop.cancelled().await;
    }

    /// True once the host stops.
    pub(crate) fn is_stopping(&self) -> bool {
        self.stop.is_cancelled()
    }

    /// Tells every task to stop and waits for them, at most `grace`. False when some did not end in time.
    pub(crate) async fn stop(&self, grace: std::time::Duration) -> bool {
        self.stop.cancel();
        self.tracker.close();
        tokio::time::timeout(grace, self.tracker.wait()).await.is_ok()
    }

    /// Waits for a time, or until the host stops; true when the time passed.
    pub(crate) async fn sleep(&self, time: std::time::Duration) -> bool {
        tokio::select! {
            () = tokio::time::sleep(time) => true,
            () = self.stop.cancelled() => false,
        }
    }
}
