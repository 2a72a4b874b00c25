//! One step of the optimiser over all weights at once: SGD, Adam (Kingma and Ba 2015), AdamW (Loshchilov and Hutter 2019).

use bellwether_domain::network::{Adam, Optimizer, Sgd};

/// The optimiser with its moments.
#[derive(Debug)]
pub(crate) struct Stepper {
    kind: Optimizer,
    /// Velocity of SGD, mean of gradients of Adam.
    first: Vec<f32>,
    /// Mean of squares of Adam.
    second: Vec<f32>,
    steps: i32,
}

impl Stepper {
    pub(crate) fn new(kind: Optimizer, count: usize) -> Stepper {
        let second = if matches!(kind, Optimizer::Sgd(_)) { 0 } else { count };
        Stepper { kind, first: vec![0.0; count], second: vec![0.0; second], steps: 0 }
    }

    /// Moves the weights against the gradient.
    pub(crate) fn step(&mut self, weights: &mut [f32], gradient: &[f32], rate: f64) {
        self.steps = self.steps.saturating_add(1);
        match self.kind {
            Optimizer::Sgd(sgd) => self.descend(&sgd, weights, gradient, rate as f32),
            Optimizer::Adam(adam) => self.adapt(&adam, weights, gradient, rate, adam.weight_decay, 0.0),
            Optimizer::Adamw(adam) => self.adapt(&adam, weights, gradient, rate, 0.0, adam.weight_decay),
        }
    }

    fn descend(&mut self, sgd: &Sgd, weights: &mut [f32], gradient: &[f32], rate: f32) {
        let (momentum, decay) = (sgd.momentum as f32, sgd.weight_decay as f32);
        for ((weight, slope), velocity) in weights.iter_mut().zip(gradient).zip(&mut self.first) {
            let slope = slope + decay * *weight;
            *velocity = momentum * *velocity + slope;
            *weight -= rate * if sgd.nesterov { slope + momentum * *velocity } else { *velocity };
        }
    }

    /// `penalty` goes into the gradient (Adam), `decay` past it (AdamW).
    fn adapt(&mut self, adam: &Adam, weights: &mut [f32], gradient: &[f32], rate: f64, penalty: f64, decay: f64) {
        let rest = |beta: f64| 1.0 - beta.powi(self.steps);
        let size = (rate / rest(adam.beta1)) as f32;
        let (root, epsilon) = ((1.0 / rest(adam.beta2).sqrt()) as f32, adam.epsilon as f32);
        let (keep, penalty) = ((1.0 - rate * decay) as f32, penalty as f32);
        let (beta1, beta2) = (adam.beta1 as f32, adam.beta2 as f32);
        let (fresh1, fresh2) = ((1.0 - adam.beta1) as f32, (1.0 - adam.beta2) as f32);
        for (((weight, slope), mean), square) in weights.iter_mut().zip(gradient).zip(&mut self.first).zip(&mut self.second) {
            let slope = slope + penalty * *weight;
            *mean = beta1 * *mean + fresh1 * slope;
            *square = beta2 * *square + fresh2 * slope * slope;
            *weight = keep * *weight - size * *mean / (square.sqrt() * root + epsilon);
        }
    }
}

/// Scales the gradient down to the norm `most`. The answer is the norm it had.
pub(crate) fn clip(gradient: &mut [f32], most: Option<f64>) -> f64 {
    let norm = gradient.iter().map(|slope| f64::from(*slope).powi(2)).sum::<f64>().sqrt();
    if let Some(most) = most.filter(|most| norm > *most) {
        let factor = (most / norm) as f32;
        gradient.iter_mut().for_each(|slope| *slope *= factor);
    }
    norm
}

#[cfg(test)]
mod tests {
    use super::*;

    const ADAM: Adam = Adam { beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weight_decay: 0.1 };

    #[test]
    fn two_steps_are_those_of_the_papers() {
        let sgd = |nesterov| Optimizer::Sgd(Sgd { momentum: 0.9, nesterov, weight_decay: 0.1 });
        // From weight 1 with gradient 0.5 twice and rate 0.1; worked out by hand from the formulas.
        for (kind, wanted) in [
            (sgd(false), [0.94, 0.8266]),
            (sgd(true), [0.886, 0.725_566]),
            (Optimizer::Adam(ADAM), [0.9, 0.800_047_4]),
            (Optimizer::Adamw(ADAM), [0.89, 0.7811]),
        ] {
            let (mut stepper, mut weights) = (Stepper::new(kind, 1), [1.0f32]);
            for wanted in wanted {
                stepper.step(&mut weights, &[0.5], 0.1);
                assert!((weights[0] - wanted).abs() < 2e-6, "{kind:?}: {} is not {wanted}", weights[0]);
            }
        }
    }

    #[test]
    fn clipping_keeps_the_direction() {
        let mut gradient = [3.0, 4.0];
        assert_eq!((clip(&mut gradient, Some(10.0)), gradient), (5.0, [3.0, 4.0]));
        assert_eq!(clip(&mut gradient, Some(1.0)), 5.0);
        assert!((gradient[0] - 0.6).abs() < 1e-6 && (gradient[1] - 0.8).abs() < 1e-6);
    }
}
