//! What a fit tells its caller, how often, and which epoch was the best.

use std::time::{Duration, Instant};

use bellwether_domain::network::EarlyStopping;

use crate::{Control, Step};

/// Least time between reports within an epoch.
const PAUSE: Duration = Duration::from_millis(200);

/// Reports steps to the caller.
pub(crate) struct Progress<'a> {
    report: &'a mut dyn FnMut(Step) -> Control,
    began: Instant,
    told: Instant,
    /// Samples of all epochs together, and those a process before this one has seen.
    whole: usize,
    before: usize,
    /// Samples of an epoch.
    epoch: usize,
    samples: usize,
    step: Step,
}

impl<'a> Progress<'a> {
    pub(crate) fn new(report: &'a mut dyn FnMut(Step) -> Control, epochs: u32, samples: usize, batches: usize) -> Progress<'a> {
        let now = Instant::now();
        let step = Step {
            epoch: 0,
            epoch_share: 0.0,
            batch: 0,
            batches: u32::try_from(batches).unwrap_or(u32::MAX),
            running_loss: None,
            train_loss: None,
            validation_loss: None,
            samples_per_second: 0.0,
            remaining_seconds: None,
        };
        let whole = samples.saturating_mul(epochs as usize);
        Progress { report, began: now, told: now, whole, before: 0, epoch: samples, samples: 0, step }
    }

    /// Goes on after `epochs` epochs and `seen` samples of the next.
    pub(crate) fn resume(&mut self, epochs: u32, seen: usize, batch: u32) {
        self.before = self.epoch * epochs as usize + seen;
        (self.step.epoch, self.step.batch) = (epochs, batch);
    }

    /// Counts the samples of an epoch's last batch without telling.
    pub(crate) fn count(&mut self, samples: usize) {
        self.samples += samples;
    }

    /// After a batch within an epoch; tells the caller if the last report is old enough.
    pub(crate) fn batch_done(&mut self, samples: usize, epoch_share: f64, running_loss: f64) -> Control {
        self.count(samples);
        self.step.batch += 1;
        (self.step.epoch_share, self.step.running_loss) = (epoch_share, Some(running_loss));
        if self.told.elapsed() < PAUSE { Control::Continue } else { self.tell() }
    }

    /// Always tells the caller.
    pub(crate) fn epoch_ended(&mut self, train_loss: f64, validation_loss: Option<f64>) -> Control {
        let epoch = self.step.epoch + 1;
        let train_loss = Some(train_loss);
        self.step = Step { epoch, epoch_share: 0.0, batch: 0, running_loss: train_loss, train_loss, validation_loss, ..self.step };
        self.tell()
    }

    fn tell(&mut self) -> Control {
        self.told = Instant::now();
        let seconds = self.began.elapsed().as_secs_f64();
        let pace = if seconds > 0.0 { self.samples as f64 / seconds } else { 0.0 };
        self.step.samples_per_second = pace;
        let left = self.whole.saturating_sub(self.before + self.samples);
        self.step.remaining_seconds = (pace > 0.0).then(|| left as f64 / pace);
        (self.report)(self.step)
    }
}

/// Watches the loss an epoch is judged by: keeps the best weights and says when to stop.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Watch {
    rule: Option<EarlyStopping>,
    best: Option<(f64, u32, Vec<f32>)>,
}

impl Watch {
    pub(crate) fn new(rule: Option<EarlyStopping>) -> Watch {
        Watch { rule, best: None }
    }

    /// The same rule with what a checkpoint remembers.
    pub(crate) fn with_best(self, best: Option<(f64, u32, Vec<f32>)>) -> Watch {
        Watch { best, ..self }
    }

    /// Takes an epoch's loss and weights; false when patience is at its end.
    pub(crate) fn see(&mut self, loss: f64, epoch: u32, weights: Vec<f32>) -> bool {
        let least = self.rule.map_or(0.0, |rule| rule.min_delta);
        match &self.best {
            Some((best, last, _)) if loss >= *best - least => self.rule.is_none_or(|rule| epoch - *last < rule.patience),
            _ => {
                self.best = Some((loss, epoch, weights));
                true
            }
        }
    }

    /// Loss, epoch and weights of the best epoch so far.
    pub(crate) fn best(&self) -> Option<(f64, u32, &[f32])> {
        self.best.as_ref().map(|(loss, epoch, weights)| (*loss, *epoch, &weights[..]))
    }

    /// Epoch and weights of the best epoch.
    pub(crate) fn into_best(self) -> Option<(u32, Vec<f32>)> {
        self.best.map(|(_, epoch, weights)| (epoch, weights))
    }
}
