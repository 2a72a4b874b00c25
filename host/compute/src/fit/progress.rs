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
    samples: usize,
    step: Step,
}

impl<'a> Progress<'a> {
    pub(crate) fn new(report: &'a mut dyn FnMut(Step) -> Control) -> Progress<'a> {
        let now = Instant::now();
        let step = Step {
            epoch: 0,
            epoch_share: 0.0,
            batch: 0,
            batches: 0,
            running_loss: None,
            train_loss: None,
            validation_loss: None,
            samples_per_second: 0.0,
            remaining_seconds: None,
        };
        Progress { report, began: now, told: now, samples: 0, step }
    }

    /// Counts samples without telling.
    pub(crate) fn count(&mut self, samples: usize) {
        self.samples += samples;
    }

    /// After a batch within an epoch; tells the caller if the last report is old enough.
    pub(crate) fn samples_done(&mut self, samples: usize, epoch_share: f64) -> Control {
        self.count(samples);
        self.step.epoch_share = epoch_share;
        if self.told.elapsed() < PAUSE { Control::Continue } else { self.tell() }
    }

    /// Always tells the caller.
    pub(crate) fn epoch_ended(&mut self, train_loss: f64, validation_loss: Option<f64>) -> Control {
        let epoch = self.step.epoch + 1;
        self.step = Step { epoch, epoch_share: 0.0, train_loss: Some(train_loss), validation_loss, ..self.step };
        self.tell()
    }

    /// The last batch was not an epoch's last.
    pub(crate) fn within_epoch(&self) -> bool {
        self.step.epoch_share > 0.0
    }

    fn tell(&mut self) -> Control {
        self.told = Instant::now();
        let seconds = self.began.elapsed().as_secs_f64();
        self.step.samples_per_second = if seconds > 0.0 { self.samples as f64 / seconds } else { 0.0 };
        (self.report)(self.step)
    }
}

/// Watches the validation loss: keeps the best weights and says when to stop.
#[derive(Debug)]
pub(crate) struct Watch {
    rule: Option<EarlyStopping>,
    best: Option<(f64, u32, Vec<f32>)>,
}

impl Watch {
    pub(crate) fn new(rule: Option<EarlyStopping>) -> Watch {
        Watch { rule, best: None }
    }

    /// Takes an epoch's validation loss; false when patience is at its end.
    pub(crate) fn see(&mut self, loss: f64, epoch: u32, weights: &[f32]) -> bool {
        let least = self.rule.map_or(0.0, |rule| rule.min_delta);
        match &mut self.best {
            Some((best, last, _)) if loss >= *best - least => self.rule.is_none_or(|rule| epoch - *last < rule.patience),
            Some((best, last, kept)) => {
                (*best, *last) = (loss, epoch);
                kept.copy_from_slice(weights);
                true
            }
            None => {
                self.best = Some((loss, epoch, weights.to_vec()));
                true
            }
        }
    }

    /// The epoch and weights to return in place of the last ones.
    pub(crate) fn best(&mut self, stopped: bool) -> Option<(u32, Vec<f32>)> {
        let wanted = stopped || self.rule.is_some_and(|rule| rule.restore_best);
        self.best.take().filter(|_| wanted).map(|(_, epoch, weights)| (epoch, weights))
    }
}
