//! What is known of jobs only while the host lives: who waits, who runs, how far they are, how to end them.

use std::collections::{HashMap, VecDeque};
use std::sync::{Mutex, PoisonError};

use bellwether_domain::job::{Progress, TrainingJob};
use tokio_util::sync::CancellationToken;

/// Waiting and running jobs. The lock is held for moments only, never across a wait.
#[derive(Debug, Default)]
pub(crate) struct Board {
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    waiting: VecDeque<String>,
    running: HashMap<String, Running>,
}

#[derive(Debug)]
struct Running {
    progress: Progress,
    cancel: CancellationToken,
}

impl Board {
    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Jobs that wait.
    pub(crate) fn waiting(&self) -> usize {
        self.state().waiting.len()
    }

    /// Puts a job at the end of the queue.
    pub(crate) fn queue(&self, job_id: &str) {
        self.state().waiting.push_back(job_id.to_owned());
    }

    /// Takes the next job if one of `slots` is free; it counts as running until [`Board::done`].
    pub(crate) fn take(&self, slots: usize) -> Option<(String, CancellationToken)> {
        let mut state = self.state();
        if state.running.len() >= slots {
            return None;
        }
        let job_id = state.waiting.pop_front()?;
        let cancel = CancellationToken::new();
        state.running.insert(job_id.clone(), Running { progress: Progress::default(), cancel: cancel.clone() });
        Some((job_id, cancel))
    }

    /// Notes how far a running job is.
    pub(crate) fn progress(&self, job_id: &str, progress: &Progress) {
        if let Some(running) = self.state().running.get_mut(job_id) {
            running.progress = progress.clone();
        }
    }

    /// A job with its live progress.
    pub(crate) fn refresh(&self, mut job: TrainingJob) -> TrainingJob {
        if let Some(running) = self.state().running.get(&job.job_id).filter(|_| !job.state.is_final()) {
            job.progress = running.progress.clone();
        }
        job
    }

    /// Takes a job out of the queue, or tells its supervisor to end it.
    pub(crate) fn cancel(&self, job_id: &str) {
        let mut state = self.state();
        state.waiting.retain(|waiting| waiting != job_id);
        if let Some(running) = state.running.get(job_id) {
            running.cancel.cancel();
        }
    }

    /// Frees a slot.
    pub(crate) fn done(&self, job_id: &str) {
        self.state().running.remove(job_id);
    }
}

#[cfg(test)]
mod tests {
    use super::Board;

    #[test]
    fn slots_bound_what_runs_and_order_is_kept() {
        let board = Board::default();
        ["a", "b", "c"].iter().for_each(|job| board.queue(job));
        let first = board.take(2).expect("a slot");
        assert_eq!((first.0.as_str(), board.take(2).map(|(id, _)| id).as_deref(), board.take(2).is_none()), ("a", Some("b"), true));
        board.cancel("a");
        assert!(first.1.is_cancelled());
        board.done("a");
        assert_eq!(board.take(2).map(|(id, _)| id).as_deref(), Some("c"));
        board.queue("d");
        board.cancel("d");
        assert_eq!(board.waiting(), 0);
    }
}
