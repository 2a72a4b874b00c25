//! The model type `linear`: ridge regression (Hoerl and Kennard 1970), the elastic net (Zou and Hastie 2005) and, for
//! targets of 0 and 1, logistic regression under the same penalties.
//!
//! A window becomes a row (all of it, a summary, or its last step), columns are centred and scaled to unit variance, and
//!
//! loss(w) + strength · (ratio · Σ|w| + (1 − ratio)/2 · Σw²), ratio 0 for ridge,
//!
//! is made small, the loss being half the mean squared error of the target scaled to unit variance, or the mean logistic
//! loss; the intercept is free. The strength is picked from a grid by the validation part's loss. Rows are streamed: memory
//! grows with the square of the columns and not with the samples.
mod gram;
mod logistic;
mod solve;
mod squared;
mod state;
mod table;

use bellwether_sdk::data::Windows;
use bellwether_sdk::model::{
    Estimator, GuestModel, HyperParameter, InputShape, Requirements, Rows, STATIONARY_FEATURES, Target, Task, TrainingPlan, read_targets,
    task_of,
};
use bellwether_sdk::{Error, ModelType, Plugin, Result};
use serde::Deserialize;

use solve::Penalty;
use state::Linear as Fitted;
use table::Table;

/// Steps of a whole window: a day of hourly bars.
const STEPS: u32 = 24;

/// Most columns: their products take 32 MB, and a solution a few seconds.
const COLUMNS: usize = 2_000;

/// The configuration; the schema states its ranges and defaults.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    window: Rows,
    penalty: PenaltyName,
    penalties: Vec<f64>,
    l1_ratio: f64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum PenaltyName {
    Ridge,
    ElasticNet,
}

/// The plugin.
pub struct Linear;

impl Plugin for Linear {
    const NAME: &'static str = "linear";
    const VERSION: &'static str = env!("CARGO_PKG_VERSION");
    const SUMMARY: &'static str = "Ridge, elastic net and logistic regression, the penalty picked on the validation part.";
    const CONFIG_SCHEMA: &'static str = include_str!("../config.schema.json");
    type Config = Config;

    fn check(config: &Config) -> Result<()> {
        match config.penalties.iter().find(|strength| !(**strength > 0.0 && strength.is_finite())) {
            Some(wrong) => Err(Error::invalid_config(format!("`penalties` holds {wrong}; strengths are above 0 and finite"))),
            None if config.penalties.is_empty() => Err(Error::invalid_config("`penalties` is empty: give at least one strength")),
            None => Ok(()),
        }
    }
}

impl ModelType for Linear {
    fn requires(config: &Config) -> Result<Requirements> {
        let steps = if config.window == Rows::LastStep { 1 } else { STEPS };
        Ok(Requirements::new(STATIONARY_FEATURES, steps, 100))
    }

    fn plan(config: &Config, input: &InputShape, _target: &Target) -> Result<TrainingPlan> {
        check_width(config, input.sequence_length, input.features.len())?;
        Ok(TrainingPlan::Guest(GuestModel { scaled: true, last_step_only: config.window == Rows::LastStep }))
    }

    fn search_space() -> Vec<HyperParameter> {
        vec![
            HyperParameter::choice("window", ["flatten", "summary", "last-step"]),
            HyperParameter::choice("penalty", ["ridge", "elastic-net"]),
            HyperParameter::real("l1_ratio", 0.05, 1.0),
        ]
    }
}

impl Estimator for Linear {
    fn fit(train: &Windows, validation: &Windows, config: &Config) -> Result<Vec<u8>> {
        let (steps, features) = (train.steps(), train.features());
        check_width(config, steps, features.len())?;
        let targets = read_targets(train, "training")?;
        let task = task_of(&targets)?;
        let judge = read_targets(validation, "validation")?;
        if judge.is_empty() && config.penalties.len() > 1 {
            let count = config.penalties.len();
            return Err(Error::invalid_input(format!(
                "there are {count} `penalties` and no validation samples to pick one by: give one strength, or a validation share"
            )));
        }
        let table = Table::new(train, config.window, &targets, task)?;
        let ratio = if config.penalty == PenaltyName::Ridge { 0.0 } else { config.l1_ratio };
        // From strong to weak: each solution is a good start for the next.
        let mut strengths = config.penalties.clone();
        strengths.sort_by(|one, other| other.total_cmp(one));
        let penalties: Vec<Penalty> = strengths.iter().map(|strength| Penalty { strength: *strength, ratio }).collect();
        let lines = match task {
            Task::Regression => squared::fit(&table, &penalties)?,
            Task::Binary => logistic::fit(&table, &penalties)?,
        };
        let place = if judge.is_empty() { 0 } else { table.best(validation, &judge, &lines)? };
        let coefficients = table.in_units(&lines[place]);
        Fitted { features, steps, rows: config.window, task, coefficients, strength: strengths[place] }.write()
    }

    fn predict(state: &[u8], inputs: &Windows, _config: &Config) -> Result<Vec<f64>> {
        Fitted::read(state)?.predict(inputs)
    }
}

bellwether_sdk::register!(guest_model: Linear);

fn check_width(config: &Config, steps: u32, features: usize) -> Result<()> {
    let width = config.window.width(steps, features);
    if (1..=COLUMNS).contains(&width) {
        return Ok(());
    }
    Err(Error::invalid_input(format!(
        "windows of {steps} steps of {features} features make rows of {width} numbers; 1 to {COLUMNS} are possible: \
         shorten `sequence_length` or set `window` to summary or last-step"
    )))
}

#[cfg(test)]
mod tests;
