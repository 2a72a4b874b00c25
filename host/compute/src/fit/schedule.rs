//! The learning rate over the steps of training, step by step as PyTorch's schedulers of these names give it.
//!
//! Step is `StepLR` counted in epochs; cosine `CosineAnnealingLR` over all steps; warm-up `LinearLR` from 1/n over n - 1
//! steps; one-cycle (Smith 2018) `OneCycleLR`, rising along half a cosine from 1/25 of the rate and falling along another to
//! 1/250000 of it, which the last step has; reduce-on-plateau `ReduceLROnPlateau` without threshold, whose patience of n - 1
//! is n here: the n-th epoch without a better loss lowers the rate.

use std::f64::consts::PI;

use bellwether_domain::network::{Schedule, Training};
use serde::{Deserialize, Serialize};

const CYCLE_START: f64 = 1.0 / 25.0;
const CYCLE_END: f64 = CYCLE_START / 1e4;

/// The rate of each step.
#[derive(Debug)]
pub(crate) struct Rate {
    base: f64,
    schedule: Schedule,
    steps_per_epoch: u64,
    steps: u64,
    plateau: RateState,
}

/// What a rate depends on beside the number of the step: the losses so far.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RateState {
    /// What has been multiplied so far.
    factor: f64,
    /// Lowest loss; none before the first epoch.
    best: Option<f64>,
    /// Epochs without a better one.
    waited: u32,
}

impl Rate {
    pub(crate) fn new(training: &Training, steps_per_epoch: usize) -> Rate {
        let steps_per_epoch = (steps_per_epoch as u64).max(1);
        let steps = steps_per_epoch.saturating_mul(u64::from(training.epochs));
        let plateau = RateState { factor: 1.0, best: None, waited: 0 };
        Rate { base: training.learning_rate, schedule: training.schedule, steps_per_epoch, steps, plateau }
    }

    /// The rate of step `step`, from 0 over the whole training.
    pub(crate) fn at(&self, step: u64) -> f64 {
        let half_cosine = |from: f64, to: f64, share: f64| to + (from - to) * 0.5 * (1.0 + (PI * share).cos());
        let at = step as f64;
        self.base
            * match self.schedule {
                Schedule::Constant => 1.0,
                Schedule::Step(epochs, factor) => factor.powf((step / self.steps_per_epoch / u64::from(epochs.max(1))) as f64),
                Schedule::Cosine(share) => half_cosine(1.0, share, at / self.steps as f64),
                Schedule::WarmUp(steps) => ((at + 1.0) / f64::from(steps)).min(1.0),
                Schedule::OneCycle(rise) => {
                    let (top, last) = (rise * self.steps as f64 - 1.0, self.steps as f64 - 1.0);
                    if at < top { half_cosine(CYCLE_START, 1.0, at / top) } else { half_cosine(1.0, CYCLE_END, (at - top) / (last - top)) }
                }
                Schedule::ReduceOnPlateau(..) => self.plateau.factor,
            }
    }

    /// Tells the validation loss (without validation samples: the training loss) at an epoch's end.
    pub(crate) fn epoch_ended(&mut self, loss: f64) {
        let Schedule::ReduceOnPlateau(patience, factor) = self.schedule else { return };
        let plateau = &mut self.plateau;
        if plateau.best.is_none_or(|best| loss < best) {
            (plateau.best, plateau.waited) = (Some(loss), 0);
            return;
        }
        plateau.waited += 1;
        if plateau.waited >= patience {
            plateau.factor *= factor;
            plateau.waited = 0;
        }
    }

    /// What a checkpoint holds of it.
    pub(crate) fn state(&self) -> RateState {
        self.plateau
    }

    /// Goes on from a [`Rate::state`].
    pub(crate) fn restore(&mut self, state: RateState) {
        self.plateau = state;
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
            (Schedule::OneCycle(0.31), vec![(0, 0.08), (15, 1.04), (30, 2.0), (99, 0.000_008)]),
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
            let (state, mut other) = (rate.state(), self::rate(Schedule::ReduceOnPlateau(2, 0.5)));
            other.restore(serde_json::from_str(&serde_json::to_string(&state).unwrap()).unwrap());
            assert_eq!((other.state(), other.at(0)), (state, wanted));
            rate = other;
        }
    }
}
