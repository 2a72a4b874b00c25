//! `mmd`: have the columns changed, taken together? Maximum mean discrepancy (Gretton, Borgwardt, Rasch, Schölkopf and
//! Smola 2012) with a Gaussian kernel and a permutation test.
//!
//! Tests of one column at a time miss a change in how columns move together. This one compares whole rows: MMD² is how far
//! apart the two samples lie in the space of the kernel, zero when both come from one distribution. How large a distance is
//! by chance is asked of the data themselves: rows of both sides are mixed and divided anew, many times. Rows of a series
//! are no strangers to their neighbours, so blocks of them change sides together; by single rows every slow column would
//! look like drift.
mod kernel;
mod sample;

use bellwether_sdk::data::Frame;
use bellwether_sdk::drift::{Acceptance, Outcome};
use bellwether_sdk::serde_json::json;
use bellwether_sdk::{DriftTest, Error, Plugin, Result};
use serde::Deserialize;

use kernel::Kernel;
use sample::Baseline;

/// What the operator may set; the schema has ranges and defaults.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    alpha: f64,
    permutations: u32,
    most_rows: usize,
    block: usize,
}

/// The plugin.
pub struct Mmd;

impl Plugin for Mmd {
    const NAME: &'static str = "mmd";
    const VERSION: &'static str = env!("CARGO_PKG_VERSION");
    const SUMMARY: &'static str = "Maximum mean discrepancy of all columns together, with a block permutation test.";
    const CONFIG_SCHEMA: &'static str = include_str!("../config.schema.json");
    type Config = Config;

    fn check(config: &Config) -> Result<()> {
        // The smallest p-value there can be is 1 / (permutations + 1).
        let least = (1.0 / config.alpha).ceil();
        if f64::from(config.permutations) < least {
            let why = format!("`permutations` is {}, with `alpha` {} it must be at least {least}", config.permutations, config.alpha);
            return Err(Error::invalid_config(why));
        }
        Ok(())
    }
}

impl DriftTest for Mmd {
    fn accepts() -> Acceptance {
        Acceptance::multivariate(50)
    }

    fn baseline(reference: &Frame, config: &Config) -> Result<Vec<u8>> {
        Ok(Baseline::of(reference, config.most_rows)?.write())
    }

    fn test(baseline: &[u8], current: &Frame, config: &Config) -> Result<Outcome> {
        let reference = Baseline::read(baseline)?;
        let (rows, current_count) = reference.scaled(current, config.most_rows)?;
        let kernel = Kernel::of(&reference.rows, &rows, reference.bandwidth);
        let found = kernel.distance();
        let mut chance = kernel.permuted(config.block, config.permutations);
        chance.sort_unstable_by(f64::total_cmp);
        let as_far = chance.iter().filter(|distance| **distance >= found).count();
        let p_value = (as_far + 1) as f64 / (chance.len() + 1) as f64;
        let place = ((1.0 - config.alpha) * chance.len() as f64).floor() as usize;
        let threshold = chance[place.min(chance.len() - 1)];
        let quantile = |probability: f64| chance[(probability * (chance.len() - 1) as f64) as usize];
        Ok(Outcome {
            statistic: found,
            p_value: Some(p_value),
            score: found,
            threshold,
            drifted: p_value <= config.alpha,
            reference_count: reference.count,
            current_count,
            detail: json!({
                "rows_used": [reference.rows.count(), rows.count()],
                "bandwidth": reference.bandwidth,
                "chance": {"median": quantile(0.5), "q90": quantile(0.9), "q99": quantile(0.99)},
            })
            .to_string(),
        })
    }
}

bellwether_sdk::register!(drift_test: Mmd);

#[cfg(test)]
mod tests;
