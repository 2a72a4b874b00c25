//! What trees make small, per sample of score s and target y, with the first two derivatives in s that a tree is grown from.
//!
//! | | loss | derivative | second, as used |
//! |---|---|---|---|
//! | squared | (s − y)²| s − y | 1 |
//! | Huber | within ±delta half of the square, linear beyond | s − y, held within ±delta | 1 |
//! | pinball | scale · (q or q − 1) · (y − s) | scale · (1 − q) above y, −scale · q below | 1 |
//! | logistic | −ln of the probability given to y | p − y | p · (1 − p) |
//!
//! (Squared error is half of it for the derivatives, and whole where it is told.) The pinball loss has no curvature: a leaf's
//! answer is the quantile of what is left there (Friedman 2001, "Greedy Function Approximation", §4.3).

/// Derivatives of one sample, or their sums.
pub(crate) type Slope = [f64; 2];

/// What is made small.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Objective {
    /// Squared error.
    Squared,
    /// Huber's loss with its delta.
    Huber(f64),
    /// The pinball loss at a probability, times a scale.
    Pinball { probability: f64, scale: f64 },
    /// Binary cross-entropy of a logit.
    Logistic,
}

impl Objective {
    /// The score all samples begin with; `targets` are not empty.
    pub(crate) fn start(self, targets: &[f64]) -> f64 {
        let mean = targets.iter().sum::<f64>() / targets.len() as f64;
        match self {
            Objective::Squared => mean,
            Objective::Huber(_) => quantile(&mut targets.to_vec(), 0.5),
            Objective::Pinball { probability, .. } => quantile(&mut targets.to_vec(), probability),
            Objective::Logistic => (mean / (1.0 - mean)).ln(),
        }
    }

    /// Derivatives of each sample.
    pub(crate) fn slopes(self, scores: &[f64], targets: &[f64], slopes: &mut [Slope]) {
        for ((slope, score), target) in slopes.iter_mut().zip(scores).zip(targets) {
            *slope = match self {
                Objective::Squared => [score - target, 1.0],
                Objective::Huber(delta) => [(score - target).clamp(-delta, delta), 1.0],
                Objective::Pinball { probability, scale } => {
                    [if score > target { scale * (1.0 - probability) } else { -scale * probability }, 1.0]
                }
                Objective::Logistic => {
                    let found = probability(*score);
                    [found - target, (found * (1.0 - found)).max(1e-16)]
                }
            };
        }
    }

    /// Mean loss.
    pub(crate) fn loss(self, scores: &[f64], targets: &[f64]) -> f64 {
        let one = |(score, target): (&f64, &f64)| {
            let left = target - score;
            match self {
                Objective::Squared => left * left,
                Objective::Huber(delta) if left.abs() <= delta => 0.5 * left * left,
                Objective::Huber(delta) => delta * (left.abs() - 0.5 * delta),
                Objective::Pinball { probability, scale } => {
                    scale * if left >= 0.0 { probability * left } else { (probability - 1.0) * left }
                }
                Objective::Logistic => score.max(0.0) - score * target + (-score.abs()).exp().ln_1p(),
            }
        };
        scores.iter().zip(targets).map(one).sum::<f64>() / targets.len() as f64
    }

    /// The probability whose quantile of what is left answers for a leaf; none where the derivatives do.
    pub(crate) fn renewed_by(self) -> Option<f64> {
        match self {
            Objective::Pinball { probability, .. } => Some(probability),
            Objective::Squared | Objective::Huber(_) | Objective::Logistic => None,
        }
    }
}

/// 1 / (1 + e^−x), without overflow.
pub(crate) fn probability(score: f64) -> f64 {
    let small = (-score.abs()).exp();
    if score >= 0.0 { 1.0 / (1.0 + small) } else { small / (1.0 + small) }
}

/// The least value with at least a share of `probability` at or below it; `values` are not empty and get another order.
pub(crate) fn quantile(values: &mut [f64], probability: f64) -> f64 {
    let place = ((values.len() as f64 * probability).ceil() as usize).clamp(1, values.len()) - 1;
    *values.select_nth_unstable_by(place, f64::total_cmp).1
}

#[cfg(test)]
mod tests {
    use super::{Objective, quantile};

    const ALL: [Objective; 4] =
        [Objective::Squared, Objective::Huber(0.7), Objective::Pinball { probability: 0.2, scale: 2.0 }, Objective::Logistic];

    #[test]
    fn derivatives_are_those_of_the_loss() {
        for objective in ALL {
            for (score, target) in [(0.3, 1.0), (-2.0, 1.0), (1.6, 0.0), (0.1, 0.0)] {
                let loss = |score: f64| objective.loss(&[score], &[target]);
                let mut slopes = [[0.0; 2]];
                objective.slopes(&[score], &[target], &mut slopes);
                let half = if objective == Objective::Squared { 0.5 } else { 1.0 };
                let difference = half * (loss(score + 1e-6) - loss(score - 1e-6)) / 2e-6;
                assert!((slopes[0][0] - difference).abs() < 1e-6, "{objective:?} at {score}: {slopes:?} {difference}");
            }
        }
    }

    #[test]
    fn the_start_is_the_best_constant() {
        let targets = [1.0, 0.0, 1.0, 1.0];
        for objective in ALL {
            let start = objective.start(&targets);
            let loss = |score: f64| objective.loss(&[score; 4], &targets);
            if let Objective::Huber(_) = objective {
                // The median, near enough to the best.
                assert_eq!(start, 1.0);
            } else {
                assert!(loss(start) <= loss(start + 0.01) + 1e-12 && loss(start) <= loss(start - 0.01) + 1e-12, "{objective:?} {start}");
            }
        }
    }

    #[test]
    fn quantiles_are_values() {
        assert_eq!(quantile(&mut [4.0, 1.0, 3.0, 2.0], 0.5), 2.0);
        assert_eq!(quantile(&mut [4.0, 1.0, 3.0, 2.0], 0.51), 3.0);
        assert_eq!(quantile(&mut [4.0], 0.99), 4.0);
    }
}
