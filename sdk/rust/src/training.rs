//! How a network is trained, as a configuration says it: the settings every network model type shares.
//!
//! A plugin lays [`TrainingOptions`] into its configuration with `#[serde(flatten)]` and their properties into its schema
//! with [`training_schema!`](crate::training_schema); both then have one set of names, ranges and defaults:
//!
//! ```
//! use bellwether_sdk::training::TrainingOptions;
//!
//! #[derive(serde::Deserialize)]
//! struct Config {
//!     units: u32,
//!     #[serde(flatten)]
//!     training: TrainingOptions,
//! }
//!
//! const CONFIG_SCHEMA: &str = bellwether_sdk::training_schema!(r#"{
//!     "type": "object",
//!     "additionalProperties": false,
//!     "properties": {
//!         "units": { "type": "integer", "minimum": 1, "default": 32, "description": "Width." }
//!     }
//! }"#, learning_rate: 0.0005);
//! assert!(CONFIG_SCHEMA.contains("warm_up_steps"));
//! ```
//! `Plugin::check` calls [`TrainingOptions::check`], `ModelType::plan` ends with [`TrainingOptions::finish`].
mod schema;

pub use schema::splice;

use serde::Deserialize;

use crate::model::{HyperParameter, Target, Task};
use crate::network::{Adam, EarlyStopping, Loss, Network, NetworkBuilder, Node, Optimizer, Schedule, Sgd, Training};
use crate::{Error, Result};

/// What training makes small when the target is a real number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LossKind {
    /// Squared error.
    Mse,
    /// Absolute error.
    Mae,
    /// Quadratic within `huber_delta`, linear beyond (Huber 1964).
    Huber,
    /// Pinball loss at each of `quantiles` (Koenker and Bassett 1978).
    Quantile,
    /// Negative log-likelihood of a normal with predicted mean and variance (Nix and Weigend 1994).
    Gaussian,
}

/// How gradients become steps.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum OptimizerKind {
    /// Stochastic gradient descent with momentum.
    Sgd,
    /// Adam (Kingma and Ba 2015).
    Adam,
    /// AdamW (Loshchilov and Hutter 2019).
    Adamw,
}

/// The learning rate over time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ScheduleKind {
    /// The same throughout.
    Constant,
    /// Times `decay_factor` every `step_epochs` epochs.
    Step,
    /// Half a cosine down to `cosine_floor` of the start.
    Cosine,
    /// Linear from zero over `warm_up_steps` steps, then constant.
    WarmUp,
    /// Up over `rise_share` of all steps and down again (Smith 2018).
    OneCycle,
    /// Times `decay_factor` after `plateau_patience` epochs without a better validation loss.
    ReduceOnPlateau,
}

/// The settings of training. Names, ranges, defaults and descriptions stand in the schema fragment of
/// [`training_schema!`](crate::training_schema).
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[expect(missing_docs, reason = "the schema fragment describes each to the person who sets it")]
pub struct TrainingOptions {
    pub loss: LossKind,
    pub huber_delta: f64,
    pub quantiles: Vec<f64>,
    pub optimizer: OptimizerKind,
    pub momentum: f64,
    pub nesterov: bool,
    pub weight_decay: f64,
    pub learning_rate: f64,
    pub schedule: ScheduleKind,
    pub step_epochs: u32,
    pub decay_factor: f64,
    pub cosine_floor: f64,
    pub warm_up_steps: u32,
    pub rise_share: f64,
    pub plateau_patience: u32,
    pub batch_size: u32,
    pub epochs: u32,
    pub clip_norm: f64,
    pub patience: u32,
    pub min_delta: f64,
}

impl TrainingOptions {
    /// Refuses settings that each pass the schema and do not go together. Errors: [`Error::InvalidConfig`] naming the
    /// setting and what would be right.
    pub fn check(&self) -> Result<()> {
        if let Some(place) = self.quantiles.windows(2).position(|pair| !matches!(pair, [low, high] if low < high)) {
            let (low, high) = (self.quantiles[place], self.quantiles[place + 1]);
            return Err(Error::invalid_config(format!("`quantiles`: {low} stands before {high}; they must ascend")));
        }
        if let Some(wrong) = self.quantiles.iter().find(|probability| !(**probability > 0.0 && **probability < 1.0)) {
            return Err(Error::invalid_config(format!("`quantiles`: {wrong} is not between 0 and 1")));
        }
        if !self.quantiles.contains(&0.5) {
            let why =
                format!("`quantiles` is {:?} and lacks 0.5: the median is the prediction, the others are its interval", self.quantiles);
            return Err(Error::invalid_config(why));
        }
        if self.optimizer == OptimizerKind::Sgd && self.nesterov && self.momentum == 0.0 {
            return Err(Error::invalid_config(
                "`nesterov` looks ahead along the momentum and `momentum` is 0: set one above 0, for example 0.9",
            ));
        }
        if self.schedule == ScheduleKind::ReduceOnPlateau && self.patience > 0 && self.plateau_patience >= self.patience {
            return Err(Error::invalid_config(format!(
                "`plateau_patience` is {} and training already stops after `patience` = {} epochs: make it smaller, or `patience` larger or 0",
                self.plateau_patience, self.patience
            )));
        }
        Ok(())
    }

    /// The loss for a target: `loss`, or binary cross-entropy of a logit for a binary target.
    pub fn loss(&self, task: Task) -> Loss {
        match (task, self.loss) {
            (Task::Binary, _) => Loss::Bce,
            (Task::Regression, LossKind::Mse) => Loss::Mse,
            (Task::Regression, LossKind::Mae) => Loss::Mae,
            (Task::Regression, LossKind::Huber) => Loss::Huber(self.huber_delta),
            (Task::Regression, LossKind::Quantile) => Loss::Quantile(self.quantiles.clone()),
            (Task::Regression, LossKind::Gaussian) => Loss::GaussianNll,
        }
    }

    /// Width of the output its loss wants: one per quantile, mean and log-variance of a Gaussian, else one.
    pub fn width(&self, task: Task) -> u32 {
        match self.loss(task) {
            Loss::Quantile(probabilities) => probabilities.len() as u32,
            Loss::GaussianNll => 2,
            Loss::Mse | Loss::Mae | Loss::Huber(_) | Loss::Bce | Loss::CrossEntropy(_) => 1,
        }
    }

    /// The numbers of training for a network.
    pub fn training(&self) -> Training {
        let adam = Adam { weight_decay: self.weight_decay, ..Adam::default() };
        let sgd = Sgd { momentum: self.momentum, nesterov: self.nesterov, weight_decay: self.weight_decay };
        let stopping = EarlyStopping { patience: self.patience, min_delta: self.min_delta, restore_best: true };
        Training {
            epochs: self.epochs,
            batch_size: self.batch_size,
            learning_rate: self.learning_rate,
            optimizer: match self.optimizer {
                OptimizerKind::Sgd => Optimizer::Sgd(sgd),
                OptimizerKind::Adam => Optimizer::Adam(adam),
                OptimizerKind::Adamw => Optimizer::Adamw(adam),
            },
            schedule: match self.schedule {
                ScheduleKind::Constant => Schedule::Constant,
                ScheduleKind::Step => Schedule::Step((self.step_epochs, self.decay_factor)),
                ScheduleKind::Cosine => Schedule::Cosine(self.cosine_floor),
                ScheduleKind::WarmUp => Schedule::WarmUp(self.warm_up_steps),
                ScheduleKind::OneCycle => Schedule::OneCycle(self.rise_share),
                ScheduleKind::ReduceOnPlateau => Schedule::ReduceOnPlateau((self.plateau_patience, self.decay_factor)),
            },
            clip_norm: (self.clip_norm > 0.0).then_some(self.clip_norm),
            early_stopping: (self.patience > 0).then_some(stopping),
        }
    }

    /// Ends a network: a dense layer as wide as the loss wants on the vector `x`, the output `prediction` and the training.
    pub fn finish(&self, mut net: NetworkBuilder, x: Node, target: &Target) -> Network {
        let head = net.dense(x, self.width(target.task));
        net.output("prediction", head, self.loss(target.task)).training(self.training());
        net.build()
    }

    /// Shared settings worth tuning, with the learning rate between two bounds. The losses offered all predict one number,
    /// so that their trials can be compared.
    pub fn search_space(learning_rate: (f64, f64)) -> Vec<HyperParameter> {
        vec![
            HyperParameter::real_log("learning_rate", learning_rate.0, learning_rate.1),
            HyperParameter::choice("batch_size", [16, 32, 64, 128]),
            HyperParameter::real_log("weight_decay", 1e-6, 1e-2),
            HyperParameter::choice("loss", ["mse", "mae", "huber"]),
        ]
    }
}

#[cfg(test)]
mod tests;
