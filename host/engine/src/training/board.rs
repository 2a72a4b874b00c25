//! What is known of jobs only while the host lives: who waits, who runs, how far they are, how to end them.

use std::collections::{HashMap, VecDeque};
use std::sync::{Mutex, PoisonError};

use bellwether_domain::job::{EpochLoss, LossCurve, Progress, TrainingJob};
use tokio_util::sync::CancellationToken;

use crate::training::budget::Budget;

/// Waiting and running jobs. The lock is held for moments only, never across a wait.
#[derive(Debug, Default)]
pub(crate) struct Board {
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    waiting: VecDeque<Waiting>,
    running: HashMap<String, Running>,
}

#[derive(Debug)]
struct Waiting {
    job_id: String,
    memory: u64,
}

#[derive(Debug)]
struct Running {
    progress: Progress,
    losses: LossCurve,
    cancel: CancellationToken,
    memory: u64,
}

/// A job that was given a slot.
#[derive(Debug)]
pub(crate) struct Taken {
    pub(crate) job_id: String,
    /// Cancelled when somebody ends the job.
    pub(crate) cancel: CancellationToken,
    /// Its share of the threads.
    pub(crate) threads: u32,
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
    pub(crate) fn queue(&self, job: &TrainingJob) {
        let memory = job.estimate.map_or(0, |estimate| estimate.memory_bytes);
        self.state().waiting.push_back(Waiting { job_id: job.job_id.clone(), memory });
    }

    /// Takes the next job if the budget has a slot and memory for it; it counts as running until [`Board::done`]. Nobody
    /// overtakes a job that waits for memory, or it might wait forever; one that runs alone is never held back.
    ///
    /// Threads are shared among the jobs that run, this one, and those that will start in the slots still free.
    pub(crate) fn take(&self, budget: &Budget) -> Option<Taken> {
        let mut state = self.state();
        if state.running.len() >= budget.slots {
            return None;
        }
        let taken: u64 = state.running.values().map(|running| running.memory).sum();
        let needs = state.waiting.front()?.memory;
        if !state.running.is_empty() && budget.memory.is_some_and(|limit| taken.saturating_add(needs) > limit) {
            return None;
        }
        let Waiting { job_id, memory } = state.waiting.pop_front()?;
        let cancel = CancellationToken::new();
        let running = Running { progress: Progress::default(), losses: LossCurve::default(), cancel: cancel.clone(), memory };
        state.running.insert(job_id.clone(), running);
        let sharing = (state.running.len() + state.waiting.len()).min(budget.slots);
        Some(Taken { job_id, cancel, threads: budget.share(sharing) })
    }

    /// Notes how far a running job is.
    pub(crate) fn progress(&self, job_id: &str, progress: &Progress) {
        if let Some(running) = self.state().running.get_mut(job_id) {
            running.progress = progress.clone();
        }
    }

    /// What was kept of the losses when the job ran before.
    pub(crate) fn begin_losses(&self, job_id: &str, losses: LossCurve) {
        if let Some(running) = self.state().running.get_mut(job_id) {
            running.losses = losses;
        }
    }

    /// Notes an epoch's losses.
    pub(crate) fn add_losses(&self, job_id: &str, point: EpochLoss) {
        if let Some(running) = self.state().running.get_mut(job_id) {
            running.losses.add(point);
        }
    }

    /// The losses of a running job.
    pub(crate) fn losses(&self, job_id: &str) -> Option<LossCurve> {
        self.state().running.get(job_id).map(|running| running.losses.clone())
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
        state.waiting.retain(|waiting| waiting.job_id != job_id);
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
    use bellwether_domain::job::TrainingEstimate;
    use serde_json::json;

    use super::*;

    fn job(id: &str, memory_bytes: u64) -> TrainingJob {
        let request = json!({"model_type": "lstm", "symbol": "A", "target": {"kind": "return"}});
        let job = json!({"job_id": id, "request": request, "state": "queued", "progress": {}, "attempts": 0, "created_at": "2024-01-01T00:00:00Z",
            "started_at": null, "finished_at": null, "model_id": null, "deployment_id": null, "error": null, "idempotency_key": null});
        let job: TrainingJob = serde_json::from_value(job).expect("a record of an older version is read");
        TrainingJob { estimate: Some(TrainingEstimate { parameters: 1, memory_bytes, seconds: 1.0 }), ..job }
    }

    fn name(taken: Option<Taken>) -> Option<String> {
        taken.map(|taken| taken.job_id)
    }

    #[test]
    fn slots_bound_what_runs_and_order_is_kept() {
        let board = Board::default();
        let budget = Budget { slots: 2, threads: 4, memory: None };
        ["a", "b", "c"].iter().for_each(|id| board.queue(&job(id, 1)));
        let first = board.take(&budget).expect("a slot");
        assert_eq!((first.job_id.as_str(), name(board.take(&budget)).as_deref(), board.take(&budget).is_none()), ("a", Some("b"), true));
        board.cancel("a");
        assert!(first.cancel.is_cancelled());
        board.done("a");
        assert_eq!(name(board.take(&budget)).as_deref(), Some("c"));
        board.queue(&job("d", 1));
        board.cancel("d");
        assert_eq!(board.waiting(), 0);
    }

    #[test]
    fn memory_makes_a_job_wait_and_nobody_overtakes_it() {
        let board = Board::default();
        let budget = Budget { slots: 3, threads: 4, memory: Some(100) };
        [("a", 60), ("large", 90), ("small", 10)].iter().for_each(|(id, memory)| board.queue(&job(id, *memory)));
        assert_eq!(name(board.take(&budget)).as_deref(), Some("a"));
        assert!(board.take(&budget).is_none(), "60 + 90 are more than 100, and `small` must not overtake");
        board.done("a");
        assert_eq!(name(board.take(&budget)).as_deref(), Some("large"));
        assert_eq!(name(board.take(&budget)).as_deref(), Some("small"));
    }

    #[test]
    fn threads_are_shared_among_those_who_run_and_are_about_to() {
        let board = Board::default();
        let budget = Budget { slots: 2, threads: 5, memory: None };
        ["a", "b", "c"].iter().for_each(|id| board.queue(&job(id, 1)));
        assert_eq!(board.take(&budget).map(|taken| taken.threads), Some(2));
        assert_eq!(board.take(&budget).map(|taken| taken.threads), Some(2));
        let alone = Board::default();
        alone.queue(&job("a", 1));
        assert_eq!(alone.take(&budget).map(|taken| taken.threads), Some(5));
    }
}
