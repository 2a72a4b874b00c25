//! The learning rate over the steps of training.
//!
//! One-cycle (Smith 2018) rises along half a cosine from 1/25 of the rate, and falls along another to 1/250000 of it.

use std::f64::consts::PI;

use bellwether_domain::network::{Schedule, Training};

const CYCLE_START: f64 = 1.0 / 25.0;
const CYCLE_END: f64 = CYCLE_START / 1e4;

/// The rate of each step.
#[derive(Debug)]
pub(crate) struct Rate {
    base: f64,
    schedule: Schedule,
    steps_per_epoch: usize,
    steps: usize,
    /// What the plateau schedule has multiplied so far.
    factor: f64,
    best: f64,
    waited: u32,
}

impl Rate {
    pub(crate) fn new(training: &Training, steps_per_epoch: usize) -> Rate {
        let steps = steps_per_epoch.saturating_mul(training.epochs as usize);
        let (base, schedule) = (training.learning_rate, training.schedule);
        Rate { base, schedule, steps_per_epoch, steps, factor: 1.0, best: f64::INFINITY, waited: 0 }
    }

    /// The rate of step `step`, from 0 over the whole training.
    pub(crate) fn at(&self, step: usize) -> f64 {
        let done = step as f64 / self.steps as f64;
        let half_cosine = |from: f64, to: f64, share: f64| to + (from - to) * 0.5 * (1.0 + (PI * share).cos());
        self.base
            * match self.schedule {
                Schedule::Constant => 1.0,
                Schedule::Step(epochs, factor) => factor.powf((step / self.steps_per_epoch / epochs as usize) as f64),
                Schedule::Cosine(share) => half_cosine(1.0, share, done),
                Schedule::WarmUp(steps) => ((step + 1) as f64 / f64::from(steps)).min(1.0),
                Schedule::OneCycle(rise) if done < rise => half_cosine(CYCLE_START, 1.0, done / rise),
                Schedule::OneCycle(rise) => half_cosine(1.0, CYCLE_END, (done - rise) / (1.0 - rise)),
                Schedule::ReduceOnPlateau(..) => self.factor,
            }
    }

    /// Tells the validation loss (without validation samples: the training loss) at an epoch's end.
    pub(crate) fn epoch_ended(&mut self, loss: f64) {
        let Schedule::ReduceOnPlateau(patience, factor) = self.schedule else { return };
        if loss < self.best {
            (self.best, self.waited) = (loss, 0);
            return;
        }
        self.waited += 1;
        if self.waited >= patience {
            self.factor *= factor;
            self.waited = 0;
        }
    }
}

#[cfg(test)]
mod tests {
    use bellwether_domain::network::{Optimizer, Sgd};

    use super::*;

    fn rate(schedule: Schedule) -> Rate {
        let optimizer = Optimizer::Sgd(Sgd { momentum: 0.0, nesterov: false, weight_decay: 0.0 });
        let training =
            Training { epochs: 10, batch_size: 1, learning_rate: 2.0, optimizer, schedule, clip_norm: None, early_stopping: None };
        Rate::new(&training, 10)
    }

    #[test]
    fn schedules_pass_through_their_points() {
        for (schedule, points) in [
            (Schedule::Constant, vec![(0, 2.0), (99, 2.0)]),
            (Schedule::Step(2, 0.5), vec![(0, 2.0), (19, 2.0), (20, 1.0), (40, 0.5)]),
            (Schedule::Cosine(0.1), vec![(0, 2.0), (50, 1.1), (100, 0.2)]),
            (Schedule::WarmUp(4), vec![(0, 0.5), (1, 1.0), (3, 2.0), (50, 2.0)]),
            (Schedule::OneCycle(0.3), vec![(0, 0.08), (15, 1.04), (30, 2.0), (65, 1.000_004), (100, 0.000_008)]),
        ] {
            for (step, wanted) in points {
                let given = rate(schedule).at(step);
                assert!((given - wanted).abs() < 1e-9, "{schedule:?} at {step}: {given} is not {wanted}");
            }
        }
    }

    #[test]
    fn a_plateau_lowers_the_rate_after_its_patience() {
        let mut rate = rate(Schedule::ReduceOnPlateau(2, 0.5));
        for (loss, wanted) in [(1.0, 2.0), (1.0, 2.0), (1.5, 1.0), (0.5, 1.0), (0.5, 1.0), (0.6, 0.5)] {
            rate.epoch_ended(loss);
            assert_eq!(rate.at(0), wanted);
        }
    }
}
