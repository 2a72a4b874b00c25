//! The optimisers on tensors, for devices where the weights stay; formulas and order as [`crate::fit::optimizer`].

use bellwether_domain::network::{Adam, Optimizer, Sgd};
use candle_core::{Result, Tensor};

/// The optimiser with its moments, one tensor per weight.
#[derive(Debug)]
pub(super) struct Stepper {
    kind: Optimizer,
    /// Velocity of SGD, mean of gradients of Adam.
    pub(super) first: Vec<Tensor>,
    /// Mean of squares of Adam.
    pub(super) second: Vec<Tensor>,
    pub(super) steps: i32,
}

impl Stepper {
    pub(super) fn new(kind: Optimizer, weights: &[Tensor]) -> Result<Stepper> {
        let zeros = || weights.iter().map(Tensor::zeros_like).collect::<Result<Vec<_>>>();
        let second = if matches!(kind, Optimizer::Sgd(_)) { vec![] } else { zeros()? };
        Ok(Stepper { kind, first: zeros()?, second, steps: 0 })
    }

    /// Begins a step; then every weight is moved once.
    pub(super) fn next(&mut self) {
        self.steps = self.steps.saturating_add(1);
    }

    /// The new value of weight `place`.
    pub(super) fn moved(&mut self, place: usize, weight: &Tensor, slope: &Tensor, rate: f64) -> Result<Tensor> {
        match self.kind {
            Optimizer::Sgd(sgd) => self.descend(&sgd, place, weight, slope, rate),
            Optimizer::Adam(adam) => self.adapt(&adam, place, weight, slope, rate, (adam.weight_decay, 0.0)),
            Optimizer::Adamw(adam) => self.adapt(&adam, place, weight, slope, rate, (0.0, adam.weight_decay)),
        }
    }

    fn descend(&mut self, sgd: &Sgd, place: usize, weight: &Tensor, slope: &Tensor, rate: f64) -> Result<Tensor> {
        let slope = (slope + (weight * sgd.weight_decay)?)?;
        let velocity = ((&self.first[place] * sgd.momentum)? + &slope)?;
        let way = if sgd.nesterov { (slope + (&velocity * sgd.momentum)?)? } else { velocity.clone() };
        self.first[place] = velocity;
        weight - (way * rate)?
    }

    fn adapt(
        &mut self,
        adam: &Adam,
        place: usize,
        weight: &Tensor,
        slope: &Tensor,
        rate: f64,
        (penalty, decay): (f64, f64),
    ) -> Result<Tensor> {
        let rest = |beta: f64| 1.0 - beta.powi(self.steps);
        let slope = if penalty == 0.0 { slope.clone() } else { (slope + (weight * penalty)?)? };
        let mean = ((&self.first[place] * adam.beta1)? + (&slope * (1.0 - adam.beta1))?)?;
        let square = ((&self.second[place] * adam.beta2)? + (slope.sqr()? * (1.0 - adam.beta2))?)?;
        let size = ((square.sqrt()? * rest(adam.beta2).sqrt().recip())? + adam.epsilon)?;
        let moved = ((weight * (1.0 - rate * decay))? - (mean.div(&size)? * (rate / rest(adam.beta1)))?)?;
        (self.first[place], self.second[place]) = (mean, square);
        Ok(moved)
    }
}
