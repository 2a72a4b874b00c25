//! One step of the optimiser in one pass over all weights: SGD with momentum, Adam (Kingma and Ba 2015), AdamW (Loshchilov
//! and Hutter 2019), in PyTorch's order of operations.
//!
//! With gradient g, clipped before: SGD g += decay·w, u = momentum·u + g, w -= rate·(nesterov: g + momentum·u, else u). Adam
//! g += decay·w, m = β1·m + (1-β1)·g, s = β2·s + (1-β2)·g², w -= rate / (1-β1ᵗ) · m / (√s / √(1-β2ᵗ) + ε). AdamW instead
//! shrinks w by 1 - rate·decay first.
//!
//! The weights are cut into pieces of at most [`PIECE`] numbers, of which each is either trained or kept. From a kept one
//! (running statistics) its gradient is subtracted as it is; it is neither clipped nor decayed. The gradient's norm is
//! summed piece by piece, so neither norm nor step depends on how many threads share the pieces.

use std::ops::Range;

use bellwether_domain::network::{Adam, Optimizer, Sgd};

use crate::kernel::matmul::LANES;
use crate::kernel::raw::{both, fused};
use crate::plan::Plan;

/// Most numbers in a piece.
const PIECE: usize = 1 << 13;

/// The optimiser with its moments.
#[derive(Debug)]
pub(crate) struct Stepper {
    kind: Optimizer,
    /// Velocity of SGD, mean of gradients of Adam.
    first: Vec<f32>,
    /// Mean of squares of Adam.
    second: Vec<f32>,
    steps: i32,
    pieces: Vec<Piece>,
}

#[derive(Debug, Clone, PartialEq)]
struct Piece {
    range: Range<usize>,
    trained: bool,
}

impl Stepper {
    /// An optimiser of `count` weights that are all trained.
    pub(crate) fn new(kind: Optimizer, count: usize) -> Stepper {
        let (first, second) = match kind {
            Optimizer::Sgd(sgd) => (if sgd.momentum > 0.0 { count } else { 0 }, 0),
            Optimizer::Adam(_) | Optimizer::Adamw(_) => (count, count),
        };
        let mut pieces = vec![];
        cut(0..count, true, &mut pieces);
        Stepper { kind, first: vec![0.0; first], second: vec![0.0; second], steps: 0, pieces }
    }

    /// An optimiser of all weights of a plan.
    pub(crate) fn of(kind: Optimizer, plan: &Plan) -> Stepper {
        let mut pieces = vec![];
        let mut runs: Vec<(Range<usize>, bool)> = vec![];
        for (weight, place) in plan.weights.iter().zip(&plan.places) {
            match runs.last_mut() {
                Some((run, trained)) if *trained == weight.trained => run.end = place.end,
                _ => runs.push((place.clone(), weight.trained)),
            }
        }
        runs.into_iter().for_each(|(run, trained)| cut(run, trained, &mut pieces));
        Stepper { pieces, ..Stepper::new(kind, plan.weights_len()) }
    }

    /// Euclidean norm of the gradient of all trained weights.
    pub(crate) fn norm(&self, gradient: &[f32]) -> f64 {
        let trained = self.pieces.iter().filter(|piece| piece.trained);
        trained.map(|piece| squares(&gradient[piece.range.clone()])).sum::<f64>().sqrt()
    }

    /// Moves the weights against `factor` times the gradient.
    pub(crate) fn follow(&mut self, weights: &mut [f32], gradient: &[f32], rate: f64, factor: f64) {
        self.parts(weights, rate, factor, 1).for_each(|mut part| part.follow(gradient));
    }

    /// The same step in at most `count` parts of about the same size, each to be [followed](Part::follow) once by any thread.
    pub(crate) fn parts<'a>(&'a mut self, weights: &'a mut [f32], rate: f64, factor: f64, count: usize) -> impl Iterator<Item = Part<'a>> {
        self.steps = self.steps.saturating_add(1);
        let rule = Rule::new(&self.kind, self.steps, rate, factor);
        let (first, second) = (&mut self.first[..], &mut self.second[..]);
        let each = self.pieces.len().div_ceil(count.max(1)).max(1);
        let (mut weights, mut first, mut second) = (weights, first, second);
        self.pieces.chunks(each).map(move |pieces| {
            let length = pieces.iter().map(|piece| piece.range.len()).sum();
            Part {
                rule,
                pieces,
                weights: cut_off(&mut weights, length),
                first: cut_off(&mut first, length),
                second: cut_off(&mut second, length),
            }
        })
    }

    /// All moments one after the other, and the number of steps made.
    pub(crate) fn state(&self) -> (Vec<f32>, i32) {
        ([&self.first[..], &self.second[..]].concat(), self.steps)
    }

    /// Numbers in its moments.
    pub(crate) fn moments_len(&self) -> usize {
        self.first.len() + self.second.len()
    }

    /// Goes on from a [`Stepper::state`]. Panics if there are not [`Stepper::moments_len`] moments.
    pub(crate) fn restore(&mut self, moments: &[f32], steps: i32) {
        assert_eq!(moments.len(), self.moments_len(), "the moments are those of this optimiser");
        let (first, second) = moments.split_at(self.first.len());
        self.first.copy_from_slice(first);
        self.second.copy_from_slice(second);
        self.steps = steps;
    }
}

/// What the gradient is multiplied by so that its norm is at most `most`; the millionth is PyTorch's.
pub(crate) fn clip_factor(norm: f64, most: Option<f64>) -> f64 {
    most.map_or(1.0, |most| (most / (norm + 1e-6)).min(1.0))
}

fn cut(run: Range<usize>, trained: bool, pieces: &mut Vec<Piece>) {
    pieces.extend(run.clone().step_by(PIECE).map(|first| Piece { range: first..(first + PIECE).min(run.end), trained }));
}

/// The first `length` numbers; none of an optimiser without this moment.
fn cut_off<'a>(rest: &mut &'a mut [f32], length: usize) -> &'a mut [f32] {
    let at = length.min(rest.len());
    let (part, left) = std::mem::take(rest).split_at_mut(at);
    *rest = left;
    part
}

/// Some of the weights with their moments, in one step.
#[derive(Debug)]
pub(crate) struct Part<'a> {
    rule: Rule,
    pieces: &'a [Piece],
    weights: &'a mut [f32],
    first: &'a mut [f32],
    second: &'a mut [f32],
}

impl Part<'_> {
    /// Its place in all weights.
    pub(crate) fn range(&self) -> Range<usize> {
        self.pieces.first().map_or(0, |piece| piece.range.start)..self.pieces.last().map_or(0, |piece| piece.range.end)
    }

    /// Moves these weights; `gradient` is that of all.
    pub(crate) fn follow(&mut self, gradient: &[f32]) {
        let start = self.range().start;
        for piece in self.pieces {
            let own = piece.range.start - start..piece.range.end - start;
            let (weights, gradient) = (&mut self.weights[own.clone()], &gradient[piece.range.clone()]);
            if !piece.trained {
                weights.iter_mut().zip(gradient).for_each(|(weight, less)| *weight -= less);
                continue;
            }
            match self.rule {
                Rule::Descend(rule) if self.first.is_empty() => descend(rule, weights, gradient),
                Rule::Descend(rule) => roll(rule, weights, gradient, &mut self.first[own]),
                Rule::Adapt(rule) => adapt(rule, weights, gradient, &mut self.first[own.clone()], &mut self.second[own]),
            }
        }
    }
}

/// What one step does with each number.
#[derive(Debug, Clone, Copy)]
enum Rule {
    Descend(Descend),
    Adapt(Adapt),
}

/// SGD.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Descend {
    factor: f32,
    rate: f32,
    momentum: f32,
    decay: f32,
    nesterov: bool,
}

/// Adam and AdamW.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Adapt {
    factor: f32,
    /// Goes into the gradient.
    penalty: f32,
    /// What is left of a weight before it moves.
    keep: f32,
    betas: [f32; 2],
    /// 1 - β.
    fresh: [f32; 2],
    /// rate / (1-β1ᵗ).
    size: f32,
    /// 1 / √(1-β2ᵗ).
    root: f32,
    epsilon: f32,
}

impl Rule {
    fn new(kind: &Optimizer, steps: i32, rate: f64, factor: f64) -> Rule {
        match kind {
            Optimizer::Sgd(sgd) => {
                let Sgd { momentum, nesterov, weight_decay } = *sgd;
                let (rate, factor) = (rate as f32, factor as f32);
                Rule::Descend(Descend { factor, rate, momentum: momentum as f32, decay: weight_decay as f32, nesterov })
            }
            Optimizer::Adam(adam) => Rule::Adapt(Adapt::new(adam, steps, rate, factor, adam.weight_decay, 0.0)),
            Optimizer::Adamw(adam) => Rule::Adapt(Adapt::new(adam, steps, rate, factor, 0.0, adam.weight_decay)),
        }
    }
}

impl Adapt {
    fn new(adam: &Adam, steps: i32, rate: f64, factor: f64, penalty: f64, decay: f64) -> Adapt {
        let rest = |beta: f64| 1.0 - beta.powi(steps);
        Adapt {
            factor: factor as f32,
            penalty: penalty as f32,
            keep: (1.0 - rate * decay) as f32,
            betas: [adam.beta1 as f32, adam.beta2 as f32],
            fresh: [(1.0 - adam.beta1) as f32, (1.0 - adam.beta2) as f32],
            size: (rate / rest(adam.beta1)) as f32,
            root: (1.0 / rest(adam.beta2).sqrt()) as f32,
            epsilon: adam.epsilon as f32,
        }
    }
}

both! {
    /// SGD without momentum.
    descend = descend_body(rule: Descend, weights: &mut [f32], gradient: &[f32])
}

#[inline(always)]
fn descend_body<const FUSED: bool>(rule: Descend, weights: &mut [f32], gradient: &[f32]) {
    for (weight, slope) in weights.iter_mut().zip(gradient) {
        let slope = fused::<FUSED>(rule.decay, *weight, slope * rule.factor);
        *weight = fused::<FUSED>(-rule.rate, slope, *weight);
    }
}

both! {
    /// SGD with momentum.
    roll = roll_body(rule: Descend, weights: &mut [f32], gradient: &[f32], velocity: &mut [f32])
}

#[inline(always)]
fn roll_body<const FUSED: bool>(rule: Descend, weights: &mut [f32], gradient: &[f32], velocity: &mut [f32]) {
    let ahead = if rule.nesterov { [1.0, rule.momentum] } else { [0.0, 1.0] };
    for ((weight, slope), velocity) in weights.iter_mut().zip(gradient).zip(velocity) {
        let slope = fused::<FUSED>(rule.decay, *weight, slope * rule.factor);
        *velocity = fused::<FUSED>(rule.momentum, *velocity, slope);
        *weight = fused::<FUSED>(-rule.rate, fused::<FUSED>(ahead[1], *velocity, ahead[0] * slope), *weight);
    }
}

both! {
    /// Adam and AdamW.
    adapt = adapt_body(rule: Adapt, weights: &mut [f32], gradient: &[f32], means: &mut [f32], squares: &mut [f32])
}

#[inline(always)]
fn adapt_body<const FUSED: bool>(rule: Adapt, weights: &mut [f32], gradient: &[f32], means: &mut [f32], squares: &mut [f32]) {
    for (((weight, slope), mean), square) in weights.iter_mut().zip(gradient).zip(means).zip(squares) {
        let slope = fused::<FUSED>(rule.penalty, *weight, slope * rule.factor);
        *mean = fused::<FUSED>(rule.betas[0], *mean, rule.fresh[0] * slope);
        *square = fused::<FUSED>(rule.betas[1], *square, rule.fresh[1] * slope * slope);
        let way = *mean / fused::<FUSED>(square.sqrt(), rule.root, rule.epsilon);
        *weight = fused::<FUSED>(-rule.size, way, rule.keep * *weight);
    }
}

/// Σ x², in 64 bits. The square of a 32-bit number is exact there, so every processor sums the same.
fn squares(values: &[f32]) -> f64 {
    let mut sums = [0.0; LANES];
    add_squares(values, &mut sums);
    sums.iter().sum()
}

both! {
    add_squares = add_squares_body(values: &[f32], sums: &mut [f64; LANES])
}

#[inline(always)]
fn add_squares_body<const FUSED: bool>(values: &[f32], sums: &mut [f64; LANES]) {
    let mut own = *sums;
    let mut whole = values.chunks_exact(LANES);
    for chunk in &mut whole {
        own.iter_mut().zip(chunk).for_each(|(sum, value)| *sum += f64::from(*value) * f64::from(*value));
    }
    own.iter_mut().zip(whole.remainder()).for_each(|(sum, value)| *sum += f64::from(*value) * f64::from(*value));
    *sums = own;
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::program::tests::numbers;

    const ADAM: Adam = Adam { beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weight_decay: 0.1 };

    fn sgd(momentum: f64, nesterov: bool) -> Optimizer {
        Optimizer::Sgd(Sgd { momentum, nesterov, weight_decay: 0.1 })
    }

    fn kinds() -> [Optimizer; 5] {
        [sgd(0.0, false), sgd(0.9, false), sgd(0.9, true), Optimizer::Adam(ADAM), Optimizer::Adamw(ADAM)]
    }

    #[test]
    fn two_steps_are_those_of_the_papers() {
        // From weight 1 with gradient 0.5 twice and rate 0.1; worked out by hand from the formulas.
        let wanted = [[0.94, 0.8806], [0.94, 0.8266], [0.886, 0.725_566], [0.9, 0.800_047_4], [0.89, 0.7811]];
        for (kind, wanted) in kinds().into_iter().zip(wanted) {
            let (mut stepper, mut weights) = (Stepper::new(kind, 1), [1.0f32]);
            for wanted in wanted {
                // Clipped to a tenth of a gradient of 5.
                stepper.follow(&mut weights, &[5.0], 0.1, 0.1);
                assert!((weights[0] - wanted).abs() < 2e-6, "{kind:?}: {} is not {wanted}", weights[0]);
            }
        }
    }

    #[test]
    fn parts_make_the_same_step_to_the_bit_and_a_state_goes_on() {
        let count = 3 * PIECE + 77;
        for kind in kinds() {
            let (mut whole, mut parted) = (Stepper::new(kind, count), Stepper::new(kind, count));
            let (mut left, mut right) = (numbers(count, 1), numbers(count, 1));
            for step in 0..6 {
                let gradient = numbers(count, 10 + step);
                whole.follow(&mut left, &gradient, 0.01, 0.5);
                let parts: Vec<Part<'_>> = parted.parts(&mut right, 0.01, 0.5, 1 + step as usize).collect();
                assert_eq!(parts.iter().map(|part| part.range().len()).sum::<usize>(), count);
                std::thread::scope(|scope| {
                    for mut part in parts {
                        let gradient = &gradient;
                        scope.spawn(move || part.follow(gradient));
                    }
                });
                assert!(left.iter().zip(&right).all(|(a, b)| a.to_bits() == b.to_bits()), "{kind:?}");
                let (moments, steps) = parted.state();
                assert_eq!((moments.len(), steps), (parted.moments_len(), step as i32 + 1));
                parted = Stepper::new(kind, count);
                parted.restore(&moments, steps);
            }
        }
    }

    #[test]
    fn clipping_limits_the_norm_of_what_is_trained() {
        let stepper = Stepper::new(sgd(0.0, false), 2);
        assert_eq!(stepper.norm(&[3.0, 4.0]), 5.0);
        assert_eq!((clip_factor(5.0, None), clip_factor(5.0, Some(10.0))), (1.0, 1.0));
        assert!((clip_factor(5.0, Some(1.0)) - 0.2).abs() < 1e-7);
        let gradient = numbers(2 * PIECE + 5, 3);
        let wanted = gradient.iter().map(|slope| f64::from(*slope).powi(2)).sum::<f64>().sqrt();
        assert!((Stepper::new(sgd(0.0, false), gradient.len()).norm(&gradient) / wanted - 1.0).abs() < 1e-12);
    }

    #[test]
    fn running_statistics_are_moved_as_they_are() {
        use bellwether_domain::network::{BatchNorm, Operation};

        use crate::program::tests::{dense, drawn, sequence};
        let norm = Operation::BatchNorm(BatchNorm { epsilon: 1e-3, momentum: 0.9 });
        let (plan, start) = drawn(&sequence(vec![dense(4), norm, dense(4)]));
        let kept: Vec<usize> =
            plan.weights.iter().zip(&plan.places).filter(|(weight, _)| !weight.trained).flat_map(|(_, place)| place.clone()).collect();
        assert_eq!(kept.len(), 8);
        let gradient: Vec<f32> = (0..start.len()).map(|at| if kept.contains(&at) { 100.0 } else { 0.25 }).collect();
        for kind in kinds() {
            let (mut stepper, mut weights) = (Stepper::of(kind, &plan), start.clone());
            assert!((stepper.norm(&gradient) - 0.25 * ((start.len() - 8) as f64).sqrt()).abs() < 1e-12);
            stepper.follow(&mut weights, &gradient, 0.01, 0.5);
            for at in 0..start.len() {
                let moved = start[at] - weights[at];
                assert_eq!(moved > 50.0, kept.contains(&at), "{kind:?} at {at}: {moved}");
                assert!(!kept.contains(&at) || weights[at] == start[at] - 100.0, "{kind:?} at {at}");
            }
        }
    }
}
