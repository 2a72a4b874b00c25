//! The model type `gbdt`: gradient-boosted decision trees on histograms (Friedman 2001; Chen and Guestrin 2016; Ke et al.
//! 2017), grown inside the component.
//!
//! A window becomes a row (a summary of each feature, its last step, or all of it), columns are cut into at most 256 bins,
//! and trees are added until the validation loss stops falling; the trees up to its least are kept. A real-valued target is
//! scaled to unit variance, so that the settings mean the same for every target. Targets of 0 and 1 are fitted by binary
//! cross-entropy. One seed gives the same trees, bit for bit.
mod binning;
mod boost;
mod dice;
mod forest;
mod grow;
mod histogram;
mod objective;

use bellwether_sdk::data::Windows;
use bellwether_sdk::model::{
    Estimator, GuestModel, HyperParameter, InputShape, Requirements, Rows, STATIONARY_FEATURES, Target, Task, TrainingPlan, read_targets,
    task_of,
};
use bellwether_sdk::{Error, ModelType, Plugin, Result};
use serde::Deserialize;

use binning::{Cuts, check_size};
use boost::{Part, Settings, boost};
use dice::Dice;
use forest::{Forest, Frame};
use grow::{Growth, Rules};
use histogram::SplitRules;
use objective::Objective;

/// The configuration; the schema states its ranges and defaults.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    window: Rows,
    trees: u32,
    learning_rate: f64,
    patience: u32,
    growth: Growth,
    max_leaves: usize,
    max_depth: u32,
    min_child_weight: f64,
    l2: f64,
    min_gain: f64,
    row_share: f64,
    feature_share: f64,
    bins: usize,
    loss: Loss,
    huber_delta: f64,
    quantile: f64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Loss {
    Mse,
    Mae,
    Huber,
    Quantile,
}

/// The plugin.
pub struct Gbdt;

impl Plugin for Gbdt {
    const NAME: &'static str = "gbdt";
    const VERSION: &'static str = env!("CARGO_PKG_VERSION");
    const SUMMARY: &'static str = "Gradient-boosted decision trees, grown inside the component.";
    const CONFIG_SCHEMA: &'static str = include_str!("../config.schema.json");
    type Config = Config;

    fn check(config: &Config) -> Result<()> {
        if !(2..=256).contains(&config.bins) {
            return Err(Error::invalid_config(format!("`bins` is {}; it must be 2 to 256", config.bins)));
        }
        let reached = 1_usize.checked_shl(config.max_depth).unwrap_or(usize::MAX);
        if config.growth == Growth::DepthWise && config.max_leaves > reached {
            return Err(Error::invalid_config(format!(
                "`max_leaves` is {} and a tree of `max_depth` {} has at most {reached}: make one larger or the other smaller",
                config.max_leaves, config.max_depth
            )));
        }
        Ok(())
    }
}

impl ModelType for Gbdt {
    fn requires(config: &Config) -> Result<Requirements> {
        let steps = match config.window {
            Rows::LastStep => 1,
            Rows::Flatten => 24,
            Rows::Summary => 60,
        };
        Ok(Requirements::new(STATIONARY_FEATURES, steps, 200))
    }

    fn plan(config: &Config, input: &InputShape, _target: &Target) -> Result<TrainingPlan> {
        check_size(1, config.window.width(input.sequence_length, input.features.len()))?;
        Ok(TrainingPlan::Guest(GuestModel { scaled: false, last_step_only: config.window == Rows::LastStep }))
    }

    fn search_space() -> Vec<HyperParameter> {
        vec![
            HyperParameter::choice("window", ["summary", "last-step", "flatten"]),
            HyperParameter::real_log("learning_rate", 0.01, 0.3),
            HyperParameter::whole_log("max_leaves", 4, 128),
            HyperParameter::whole("max_depth", 3, 12),
            HyperParameter::real_log("min_child_weight", 1.0, 200.0),
            HyperParameter::real_log("l2", 0.01, 100.0),
            HyperParameter::real("row_share", 0.5, 1.0),
            HyperParameter::real("feature_share", 0.3, 1.0),
            HyperParameter::choice("loss", ["mse", "mae", "huber"]),
        ]
    }
}

impl Estimator for Gbdt {
    fn fit(train: &Windows, validation: &Windows, config: &Config) -> Result<Vec<u8>> {
        let (features, steps) = (train.features(), train.steps());
        check_size(train.samples() + validation.samples(), config.window.width(steps, features.len()))?;
        let mut targets = read_targets(train, "training")?;
        let mut judge = read_targets(validation, "validation")?;
        let task = task_of(&targets)?;
        let (shift, scale) = if task == Task::Binary { (0.0, 1.0) } else { spread(&targets)? };
        targets.iter_mut().chain(&mut judge).for_each(|target| *target = (*target - shift) / scale);

        let cuts = Cuts::find(config.window, train, config.bins)?;
        let (table, judged) = (cuts.table(config.window, train)?, cuts.table(config.window, validation)?);
        let settings = config.settings(task);
        let (start, trees) = boost(&cuts, Part::new(&table, &targets), Part::new(&judged, &judge), &settings, &mut Dice::new())?;
        Ok(forest::write(&Frame { features, steps, rows: config.window, task, start, shift, scale }, &cuts, &trees))
    }

    fn predict(state: &[u8], inputs: &Windows, _config: &Config) -> Result<Vec<f64>> {
        Forest::read(state)?.predict(inputs)
    }
}

bellwether_sdk::register!(guest_model: Gbdt);

impl Config {
    fn settings(&self, task: Task) -> Settings {
        let objective = match (task, self.loss) {
            (Task::Binary, _) => Objective::Logistic,
            (Task::Regression, Loss::Mse) => Objective::Squared,
            // Twice the pinball loss at one half is the absolute error.
            (Task::Regression, Loss::Mae) => Objective::Pinball { probability: 0.5, scale: 2.0 },
            (Task::Regression, Loss::Huber) => Objective::Huber(self.huber_delta),
            (Task::Regression, Loss::Quantile) => Objective::Pinball { probability: self.quantile, scale: 1.0 },
        };
        let split = SplitRules { min_child_weight: self.min_child_weight, l2: self.l2, min_gain: self.min_gain };
        Settings {
            objective,
            trees: self.trees,
            learning_rate: self.learning_rate,
            patience: self.patience,
            row_share: self.row_share,
            feature_share: self.feature_share,
            rules: Rules { growth: self.growth, max_leaves: self.max_leaves, max_depth: self.max_depth, split },
        }
    }
}

/// Mean and standard deviation. Errors: [`Error::InvalidInput`] when they are not finite.
fn spread(targets: &[f64]) -> Result<(f64, f64)> {
    let count = targets.len() as f64;
    let mean = targets.iter().sum::<f64>() / count;
    let deviation = (targets.iter().map(|target| (target - mean).powi(2)).sum::<f64>() / count).sqrt();
    if deviation.is_finite() && deviation > 0.0 {
        Ok((mean, deviation))
    } else {
        Err(Error::invalid_input("the targets are too large or too close together to be told apart"))
    }
}

#[cfg(test)]
mod tests;
