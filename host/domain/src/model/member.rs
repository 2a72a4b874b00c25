//! Members of an ensemble, and how their predictions become one.
//!
//! Members speak in the unit the version learns in: a probability for `direction`, a log ratio for `price`, else the
//! target's own unit. They are combined there; a price is made of the combined log ratio.

use serde::{Deserialize, Serialize};

use crate::model::{Body, PluginStamp};
use crate::scaler::Scaler;
use crate::{Error, Result};

/// Most members.
pub const MEMBERS_MAX: usize = 32;

/// One model of an ensemble, with all it needs to read the version's windows.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MemberSpec {
    /// Its recipe.
    pub model_type: String,
    /// The plugin behind the recipe.
    pub plugin: PluginStamp,
    /// The recipe's configuration, defaults filled in.
    pub config: serde_json::Value,
    /// Its inputs: places in the version's features, in its own order.
    pub features: Vec<u32>,
    /// Steps it reads: the last ones of the version's window.
    pub sequence_length: u32,
    /// Standardisation of its inputs, in its own order.
    pub scaler: Scaler,
    /// What answers; not `members`.
    pub body: Body,
    /// The seed it was fitted with.
    pub seed: u64,
    /// Mean squared error on the validation samples, in the unit it learned in; absent without any.
    pub validation_mse: Option<f64>,
}

/// Where given weights come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum WeightsFrom {
    /// The ensemble's configuration.
    Configuration,
    /// The inverse of each member's mean squared error on the validation samples.
    ValidationLoss,
}

/// How members' predictions become one. Weights are one per member, finite, not negative, not all zero.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Combination {
    /// The mean.
    Mean {},
    /// The median; of an even number the mean of the middle two.
    Median {},
    /// A weighted mean.
    Weighted {
        /// Weights that sum to 1.
        weights: Vec<f64>,
        /// Where they come from.
        from: WeightsFrom,
    },
    /// centre + Σ weight · (prediction − centre), held within [0, 1] for a probability: non-negative least squares on the
    /// validation samples (Breiman 1996), with a small ridge towards equal weights.
    Stacking {
        /// Weights; what they lack to 1 draws towards the centre.
        weights: Vec<f64>,
        /// Mean of the training targets; one half for a probability.
        centre: f64,
        /// The ridge, relative to the members' mean square.
        ridge: f64,
        /// Validation samples behind the weights.
        samples: u64,
    },
}

impl Combination {
    /// The name in JSON.
    pub fn name(&self) -> &'static str {
        match self {
            Combination::Mean {} => "mean",
            Combination::Median {} => "median",
            Combination::Weighted { .. } => "weighted",
            Combination::Stacking { .. } => "stacking",
        }
    }

    /// One prediction of the members' own, which `said` holds in order and which are put in another order.
    pub fn combine(&self, said: &mut [f64]) -> f64 {
        let sum = |weights: &[f64], centre: f64| weights.iter().zip(&*said).map(|(weight, value)| weight * (value - centre)).sum::<f64>();
        match self {
            Combination::Mean {} => said.iter().sum::<f64>() / said.len() as f64,
            Combination::Weighted { weights, .. } => sum(weights, 0.0),
            Combination::Stacking { weights, centre, .. } => centre + sum(weights, *centre),
            Combination::Median {} => {
                said.sort_by(f64::total_cmp);
                let (low, high) = (said[(said.len() - 1) / 2], said[said.len() / 2]);
                0.5 * (low + high)
            }
        }
    }

    fn check(&self, members: usize) -> Result<()> {
        let (weights, numbers) = match self {
            Combination::Mean {} | Combination::Median {} => return Ok(()),
            Combination::Weighted { weights, .. } => (weights, true),
            Combination::Stacking { weights, centre, ridge, .. } => (weights, centre.is_finite() && *ridge >= 0.0),
        };
        let good = weights.len() == members && weights.iter().all(|weight| weight.is_finite() && *weight >= 0.0);
        if good && numbers && weights.iter().any(|weight| *weight > 0.0) {
            Ok(())
        } else {
            Err(Error::invalid("combination", format!("{weights:?} are not {members} finite weights of which one is above 0")))
        }
    }
}

/// Checks an ensemble within a version of `features` features and windows of `steps`. Errors name the member, from 1.
pub(crate) fn check(members: &[MemberSpec], combination: &Combination, features: usize, steps: u32) -> Result<()> {
    if !(2..=MEMBERS_MAX).contains(&members.len()) {
        return Err(Error::invalid("members", format!("there are {}; an ensemble has 2 to {MEMBERS_MAX}", members.len())));
    }
    for (place, member) in members.iter().enumerate() {
        let wrong = |why: String| Err(Error::invalid(format!("members.{}", place + 1), why));
        if matches!(member.body, Body::Members { .. }) {
            return wrong("is an ensemble itself; members are single models".to_owned());
        }
        if member.features.is_empty() || member.features.iter().any(|place| *place as usize >= features) {
            return wrong(format!("reads features {:?} of {features}", member.features));
        }
        if !(1..=steps).contains(&member.sequence_length) {
            return wrong(format!("reads {} steps of {steps}", member.sequence_length));
        }
        member.scaler.check(member.features.len()).or_else(|error| wrong(error.to_string()))?;
    }
    combination.check(members.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn member(features: &[u32]) -> MemberSpec {
        let plugin = PluginStamp { name: "har".to_owned(), version: "1".to_owned(), digest: String::new() };
        MemberSpec {
            model_type: "har".to_owned(),
            plugin: plugin.clone(),
            config: serde_json::json!({}),
            features: features.to_vec(),
            sequence_length: 2,
            scaler: Scaler { mean: vec![0.0; features.len()], standard_deviation: vec![1.0; features.len()] },
            body: Body::Guest { plugin, scaled: false },
            seed: 0,
            validation_mse: None,
        }
    }

    #[test]
    fn combinations_by_hand() {
        let check = |combination: Combination, said: &[f64], expected: f64| {
            let found = combination.combine(&mut said.to_vec());
            assert!((found - expected).abs() < 1e-12, "{combination:?}: {found}");
        };
        check(Combination::Mean {}, &[1.0, 2.0, 6.0], 3.0);
        check(Combination::Median {}, &[6.0, 1.0, 2.0], 2.0);
        check(Combination::Median {}, &[6.0, 1.0, 2.0, 3.0], 2.5);
        check(Combination::Weighted { weights: vec![0.25, 0.75], from: WeightsFrom::Configuration }, &[4.0, 8.0], 7.0);
        let stacking = |weights: Vec<f64>| Combination::Stacking { weights, centre: -5.0, ridge: 0.0, samples: 10 };
        check(stacking(vec![0.5, 0.5]), &[-4.0, -6.0], -5.0);
        check(stacking(vec![0.5, 0.0]), &[-4.0, 100.0], -4.5);
    }

    #[test]
    fn ensembles_that_do_not_fit_are_named() {
        let wrong = |members: Vec<MemberSpec>, combination: Combination, expected: &str| {
            let error = check(&members, &combination, 3, 4).expect_err(expected).to_string();
            assert!(error.contains(expected), "{error} lacks {expected}");
        };
        let both = || vec![member(&[0, 2]), member(&[1])];
        assert_eq!(check(&both(), &Combination::Mean {}, 3, 4), Ok(()));
        wrong(vec![member(&[0])], Combination::Mean {}, "an ensemble has 2 to 32");
        wrong(vec![member(&[0]), member(&[3])], Combination::Mean {}, "members.2: reads features [3] of 3");
        wrong(vec![member(&[0]), MemberSpec { sequence_length: 5, ..member(&[1]) }], Combination::Mean {}, "members.2: reads 5 steps of 4");
        let nested = MemberSpec { body: Body::Members { members: both(), combination: Combination::Mean {} }, ..member(&[0]) };
        wrong(vec![nested, member(&[1])], Combination::Mean {}, "members.1: is an ensemble itself");
        let weighted = |weights: Vec<f64>| Combination::Weighted { weights, from: WeightsFrom::Configuration };
        wrong(both(), weighted(vec![1.0]), "2 finite weights");
        wrong(both(), weighted(vec![1.0, -1.0]), "2 finite weights");
        wrong(both(), weighted(vec![0.0, 0.0]), "one is above 0");
        wrong(both(), weighted(vec![f64::NAN, 1.0]), "2 finite weights");
    }
}
