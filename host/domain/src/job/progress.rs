//! How far a job is, what it is expected to take, and how its losses went.

use serde::{Deserialize, Serialize};

/// What the worker is doing; the stages are in order.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    /// Nothing yet.
    #[default]
    Waiting,
    /// Reading bars, computing features and windows.
    Preparing,
    /// Fitting.
    Fitting,
    /// Judging on the held-out part.
    Evaluating,
    /// Writing the artifact and its record.
    Registering,
    /// Over.
    Done,
}

/// How far a job is. Epochs, batches and losses are those of the part under way.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Progress {
    /// What it is doing.
    pub stage: Stage,
    /// What is fitted one after another (folds, members of an ensemble): which one is under way, from 1; 0 when there is one fit.
    pub part: u32,
    /// How many there are; 0 when there is one fit.
    pub parts: u32,
    /// What the part under way is called, as in `fold 2`.
    pub part_name: Option<String>,
    /// Epochs (or a guest's own steps) finished.
    pub epoch: u32,
    /// Most epochs.
    pub epochs: u32,
    /// Share of the current epoch that is done, 0 to 1.
    pub epoch_share: f64,
    /// Batches of the current epoch done; 0 at an epoch's end.
    pub batch: u32,
    /// Batches of an epoch; 0 for a guest.
    pub batches: u32,
    /// Mean training loss of the current epoch so far.
    pub running_loss: Option<f64>,
    /// Last training loss.
    pub train_loss: Option<f64>,
    /// Last validation loss.
    pub validation_loss: Option<f64>,
    /// Least validation loss so far.
    pub best_loss: Option<f64>,
    /// Samples trained on per second.
    pub samples_per_second: Option<f64>,
    /// Seconds left of this part if every epoch is run at this pace; early stopping makes it less.
    pub remaining_seconds: Option<f64>,
}

/// What a training is expected to take, said before it starts.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TrainingEstimate {
    /// Trained numbers, of all members.
    pub parameters: u64,
    /// Bytes of the whole worker at its peak.
    pub memory_bytes: u64,
    /// Seconds if every epoch is run; the order of magnitude.
    pub seconds: f64,
}

impl TrainingEstimate {
    /// The same work on another number of threads than it was estimated for.
    #[must_use]
    pub fn on_threads(self, made_for: u32, threads: u32) -> TrainingEstimate {
        TrainingEstimate { seconds: self.seconds * f64::from(made_for.max(1)) / f64::from(threads.max(1)), ..self }
    }

    /// As a sentence for a log.
    pub fn in_words(&self, threads: u32) -> String {
        let memory = self.memory_bytes as f64 / f64::from(1 << 20);
        let threads = if threads == 1 { "1 thread".to_owned() } else { format!("{threads} threads") };
        format!(
            "expected: {} parameters, about {memory:.0} MiB, {} on {threads} if every epoch is run",
            self.parameters,
            time(self.seconds)
        )
    }
}

fn time(seconds: f64) -> String {
    match seconds {
        seconds if seconds < 1.0 => "less than a second".to_owned(),
        seconds if seconds < 120.0 => format!("about {seconds:.0} s"),
        seconds if seconds < 7200.0 => format!("about {:.0} min", seconds / 60.0),
        seconds => format!("about {:.1} h", seconds / 3600.0),
    }
}

/// The losses of one epoch.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EpochLoss {
    /// The part it belongs to, from 1; 0 when there is one fit.
    pub part: u32,
    /// The epoch, from 1.
    pub epoch: u32,
    /// Training loss, as the weights were moving.
    pub train_loss: Option<f64>,
    /// Validation loss after it.
    pub validation_loss: Option<f64>,
}

/// The losses of a job's epochs in order, thinned when there are too many.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct LossCurve {
    /// Every how many epochs one is kept.
    pub every: u32,
    /// The epochs kept.
    pub points: Vec<EpochLoss>,
}

impl LossCurve {
    /// Most points kept.
    pub const POINTS_MAX: usize = 2000;

    /// Adds an epoch. A job that was taken up again says some epochs twice: the later word counts, and what followed the
    /// first word goes. At [`LossCurve::POINTS_MAX`] every other point is dropped, and from then on twice as few are kept.
    pub fn add(&mut self, point: EpochLoss) {
        let later = |kept: &EpochLoss| (kept.part, kept.epoch) >= (point.part, point.epoch);
        let keep = self.points.iter().rposition(|kept| !later(kept)).map_or(0, |last| last + 1);
        self.points.truncate(keep);
        self.every = self.every.max(1);
        // The first epoch of a part is where its curve begins.
        if point.epoch == 1 || point.epoch.is_multiple_of(self.every) {
            self.points.push(point);
        }
        while self.points.len() > Self::POINTS_MAX {
            self.every *= 2;
            let before = self.points.len();
            let every = self.every;
            self.points.retain(|kept| kept.epoch == 1 || kept.epoch.is_multiple_of(every));
            if self.points.len() == before {
                // Thousands of parts of one epoch each: the oldest go.
                self.points.drain(..before - Self::POINTS_MAX);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn point(part: u32, epoch: u32) -> EpochLoss {
        EpochLoss { part, epoch, train_loss: Some(f64::from(epoch)), validation_loss: None }
    }

    fn epochs(curve: &LossCurve) -> Vec<(u32, u32)> {
        curve.points.iter().map(|point| (point.part, point.epoch)).collect()
    }

    #[test]
    fn an_epoch_said_again_replaces_what_followed() {
        let mut curve = LossCurve::default();
        [(1, 1), (1, 2), (2, 1), (2, 2), (2, 3), (2, 2)].into_iter().for_each(|(part, epoch)| curve.add(point(part, epoch)));
        assert_eq!(epochs(&curve), [(1, 1), (1, 2), (2, 1), (2, 2)]);
        curve.add(point(1, 1));
        assert_eq!(epochs(&curve), [(1, 1)]);
    }

    #[test]
    fn an_estimate_reads_as_a_sentence() {
        let estimate = TrainingEstimate { parameters: 117_825, memory_bytes: 100 << 20, seconds: 600.0 };
        let expected = "expected: 117825 parameters, about 100 MiB, about 10 min on 2 threads if every epoch is run";
        assert_eq!(estimate.in_words(2), expected);
        assert!(estimate.on_threads(2, 1).in_words(1).contains("about 20 min on 1 thread if"));
    }

    #[test]
    fn long_curves_are_thinned_and_stay_in_order() {
        let mut curve = LossCurve::default();
        (1..=10_000).for_each(|epoch| curve.add(point(0, epoch)));
        assert_eq!(curve.every, 8);
        assert!(curve.points.len() <= LossCurve::POINTS_MAX && curve.points.len() > LossCurve::POINTS_MAX / 2, "{}", curve.points.len());
        assert_eq!((curve.points[0].epoch, curve.points[1].epoch), (1, 8));
        assert!(curve.points.windows(2).all(|pair| pair[0].epoch < pair[1].epoch));
        let mut parts = LossCurve::default();
        (1..=5_000).for_each(|part| parts.add(point(part, 1)));
        assert_eq!((parts.points.len(), parts.points[0].part), (LossCurve::POINTS_MAX, 3_001));
    }
}
