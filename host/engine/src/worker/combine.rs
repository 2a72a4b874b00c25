//! How an ensemble's members are weighed: by given weights, by the inverse of their validation losses, or by stacking.
//!
//! Stacking (Wolpert 1992, Breiman 1996): the weights w ≥ 0 that make Σ (y − c − Σ wⱼ (pⱼ − c))² + λ Σ (wⱼ − 1/m)² small over
//! the validation samples, which no member was fitted to. They did steer early stopping, so they are a little kind to
//! networks; the training part would be kind without measure. The ridge keeps members that say nearly the same from
//! taking large weights from each other. Solved by coordinate descent, which converges as the problem is strictly convex.

use bellwether_domain::model::{Combination, WeightsFrom};
use bellwether_domain::{Error, Result};

/// λ relative to the mean of the members' sums of squares.
const RIDGE: f64 = 1e-3;
/// Least validation samples per member, below which weights would be noise.
const SAMPLES_PER_MEMBER: usize = 10;
/// Most sweeps over the weights, and the change of a weight at which they have settled.
const SWEEPS_MAX: usize = 10_000;
const SETTLED: f64 = 1e-10;

/// What the plan wants.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Combine {
    Mean,
    Median,
    Weighted,
    Stacking,
}

impl Combine {
    /// By the name in a plan.
    pub(crate) fn named(name: &str) -> Result<Combine> {
        match name {
            "mean" => Ok(Combine::Mean),
            "median" => Ok(Combine::Median),
            "weighted" => Ok(Combine::Weighted),
            "stacking" => Ok(Combine::Stacking),
            _ => Err(Error::internal(format!("a plan combines by `{name}`"))),
        }
    }
}

/// Members on the validation samples.
pub(crate) struct Validated<'a> {
    /// What each member said, in the unit it learned in.
    pub(crate) said: &'a [Vec<f64>],
    /// What came.
    pub(crate) came: &'a [f64],
    /// Where stacked predictions are drawn to: the mean training target, one half for a probability.
    pub(crate) centre: f64,
}

impl Validated<'_> {
    /// Each member's mean squared error; absent without samples.
    pub(crate) fn losses(&self) -> Vec<Option<f64>> {
        let loss = |said: &Vec<f64>| {
            let squares: f64 = said.iter().zip(self.came).map(|(said, came)| (said - came).powi(2)).sum();
            (!self.came.is_empty()).then(|| squares / self.came.len() as f64)
        };
        self.said.iter().map(loss).collect()
    }

    /// The combination. `given` are the plan's weights. Errors: `Invalid` with field `split.validation` when there are too
    /// few validation samples to weigh by.
    pub(crate) fn combination(&self, wanted: Combine, given: &[f64]) -> Result<Combination> {
        match wanted {
            Combine::Mean => Ok(Combination::Mean {}),
            Combine::Median => Ok(Combination::Median {}),
            Combine::Weighted if given.iter().any(|weight| *weight > 0.0) => {
                Ok(Combination::Weighted { weights: shares(given), from: WeightsFrom::Configuration })
            }
            Combine::Weighted => {
                self.enough("weights from the validation losses")?;
                // A member without any error takes all the weight there is, and no division by zero.
                let inverse: Vec<f64> = self.losses().into_iter().map(|loss| 1.0 / loss.unwrap_or(1.0).max(1e-300)).collect();
                Ok(Combination::Weighted { weights: shares(&inverse), from: WeightsFrom::ValidationLoss })
            }
            Combine::Stacking => {
                self.enough("stacking")?;
                let weights = self.stack();
                Ok(Combination::Stacking { weights, centre: self.centre, ridge: RIDGE, samples: self.came.len() as u64 })
            }
        }
    }

    fn enough(&self, what: &str) -> Result<()> {
        let (has, needs) = (self.came.len(), SAMPLES_PER_MEMBER * self.said.len());
        if has >= needs {
            return Ok(());
        }
        let why = format!("leaves {has} validation samples; {what} of {} members needs {needs}: raise it, or add bars", self.said.len());
        Err(Error::invalid("split.validation", why))
    }

    fn stack(&self) -> Vec<f64> {
        let members = self.said.len();
        let product = |one: &[f64], other: &[f64]| one.iter().zip(other).map(|(a, b)| (a - self.centre) * (b - self.centre)).sum::<f64>();
        let mut squares: Vec<Vec<f64>> = self.said.iter().map(|one| self.said.iter().map(|other| product(one, other)).collect()).collect();
        let mut sides: Vec<f64> = self.said.iter().map(|said| product(said, self.came)).collect();
        let even = 1.0 / members as f64;
        let ridge = RIDGE * (0..members).map(|place| squares[place][place]).sum::<f64>() * even;
        if ridge.is_nan() || ridge <= 0.0 {
            // Nobody ever leaves the centre.
            return vec![even; members];
        }
        for place in 0..members {
            squares[place][place] += ridge;
            sides[place] += ridge * even;
        }
        let mut weights = vec![even; members];
        for _ in 0..SWEEPS_MAX {
            let mut moved = 0.0_f64;
            for place in 0..members {
                let others: f64 = (0..members).filter(|other| *other != place).map(|other| squares[place][other] * weights[other]).sum();
                let weight = ((sides[place] - others) / squares[place][place]).max(0.0);
                moved = moved.max((weight - weights[place]).abs());
                weights[place] = weight;
            }
            if moved < SETTLED {
                break;
            }
        }
        // All zero says: the centre is best. An ensemble that says nothing is no ensemble.
        if weights.iter().any(|weight| *weight > 0.0) { weights } else { vec![even * RIDGE; members] }
    }
}

fn shares(weights: &[f64]) -> Vec<f64> {
    let largest = weights.iter().copied().fold(0.0, f64::max);
    let sum: f64 = weights.iter().map(|weight| weight / largest).sum();
    weights.iter().map(|weight| weight / largest / sum).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A reproducible draw in ±1.
    fn draws(count: usize, seed: u64) -> Vec<f64> {
        let mut state = seed;
        let mut next = || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 11) as f64 / (1_u64 << 52) as f64 - 1.0
        };
        (0..count).map(|_| next()).collect()
    }

    #[test]
    fn stacking_finds_the_mixture_it_was_drawn_from() {
        let (first, second, noise) = (draws(400, 1), draws(400, 2), draws(400, 3));
        let came: Vec<f64> = (0..400).map(|place| -5.0 + 0.7 * first[place] + 0.2 * second[place]).collect();
        let shifted = |values: &[f64]| values.iter().map(|value| value - 5.0).collect::<Vec<f64>>();
        let against: Vec<f64> = first.iter().zip(&noise).map(|(first, noise)| -5.0 - first + 0.1 * noise).collect();
        let said = [shifted(&first), shifted(&second), shifted(&noise), against];
        let validated = Validated { said: &said, came: &came, centre: -5.0 };
        let Combination::Stacking { weights, .. } = validated.combination(Combine::Stacking, &[0.0; 4]).expect("weights") else { panic!() };
        for (found, expected) in weights.iter().zip([0.7, 0.2, 0.0, 0.0]) {
            assert!((found - expected).abs() < 0.01, "{weights:?}");
        }
        // Better than any one member and than their mean, on the samples it was made from.
        let loss = |combination: &Combination| -> f64 {
            (0..400)
                .map(|place| (combination.combine(&mut said.iter().map(|said| said[place]).collect::<Vec<_>>()) - came[place]).powi(2))
                .sum()
        };
        let stacked = loss(&Combination::Stacking { weights, centre: -5.0, ridge: RIDGE, samples: 400 });
        assert!(stacked < 0.01 * loss(&Combination::Mean {}));
    }

    #[test]
    fn members_that_say_the_same_share_the_weight() {
        let came = draws(100, 5);
        let said = [came.clone(), came.clone()];
        let Combination::Stacking { weights, .. } =
            Validated { said: &said, came: &came, centre: 0.0 }.combination(Combine::Stacking, &[]).expect("weights")
        else {
            panic!()
        };
        assert!((weights[0] - 0.5).abs() < 1e-3 && (weights[1] - 0.5).abs() < 1e-3, "{weights:?}");
        let silent = [vec![0.0; 100], vec![0.0; 100]];
        assert_eq!(Validated { said: &silent, came: &came, centre: 0.0 }.stack(), [0.5, 0.5]);
    }

    #[test]
    fn weights_are_given_or_inverse_losses() {
        let (came, said) = (vec![0.0; 20], [vec![1.0; 20], vec![2.0; 20]]);
        let validated = Validated { said: &said, came: &came, centre: 0.0 };
        let given = validated.combination(Combine::Weighted, &[3.0, 1.0]).expect("given");
        assert_eq!(given, Combination::Weighted { weights: vec![0.75, 0.25], from: WeightsFrom::Configuration });
        let made = validated.combination(Combine::Weighted, &[0.0, 0.0]).expect("made");
        assert_eq!(made, Combination::Weighted { weights: vec![0.8, 0.2], from: WeightsFrom::ValidationLoss });
        assert_eq!(validated.losses(), [Some(1.0), Some(4.0)]);
        let perfect = [vec![0.0; 20], vec![2.0; 20]];
        let Ok(Combination::Weighted { weights, .. }) =
            Validated { said: &perfect, came: &came, centre: 0.0 }.combination(Combine::Weighted, &[0.0; 2])
        else {
            panic!()
        };
        assert!(weights[0] == 1.0 && weights[1] < 1e-200);
    }

    #[test]
    fn too_few_validation_samples_are_said() {
        let (came, said) = (vec![0.0; 19], [vec![1.0; 19], vec![2.0; 19]]);
        let few = Validated { said: &said, came: &came, centre: 0.0 };
        for wanted in [Combine::Stacking, Combine::Weighted] {
            let error = few.combination(wanted, &[0.0; 2]).expect_err("few").to_string();
            assert!(error.starts_with("split.validation: leaves 19 validation samples") && error.contains("needs 20"), "{error}");
        }
        few.combination(Combine::Weighted, &[1.0, 0.0]).expect("given weights need no validation");
        assert_eq!(Validated { said: &[vec![], vec![]], came: &[], centre: 0.0 }.losses(), [None, None]);
    }
}
