//! A model that fits itself and, unless it is `honest`, breaks one rule of purity or time, so that `plugin check` can be tried.

use std::sync::atomic::{AtomicU64, Ordering};

use bellwether_sdk::data::Windows;
use bellwether_sdk::model::{GuestModel, InputShape, Requirements, Rows, Target, TrainingPlan, read_targets};
use bellwether_sdk::state::{Reader, Writer};
use bellwether_sdk::{Error, Estimator, ModelType, Plugin, Result};
use serde::Deserialize;

/// Which rule to break.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Mode {
    /// None.
    Honest,
    /// A prediction knows the samples after its own.
    Ahead,
    /// A prediction depends on the sample before its own.
    Neighbour,
    /// A fit depends on those this instance made before.
    Remembers,
}

/// The configuration.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    mode: Mode,
}

/// The plugin.
pub struct Foresight;

/// Fits of this instance.
static FITS: AtomicU64 = AtomicU64::new(0);

impl Plugin for Foresight {
    const NAME: &'static str = "foresight";
    const VERSION: &'static str = env!("CARGO_PKG_VERSION");
    const SUMMARY: &'static str = "Predicts with more than it may know, as its configuration says, to try the conformance check.";
    const CONFIG_SCHEMA: &'static str = r#"{
        "type": "object",
        "additionalProperties": false,
        "properties": {
            "mode": { "enum": ["honest", "ahead", "neighbour", "remembers"], "default": "honest", "description": "The rule to break." }
        }
    }"#;
    type Config = Config;
}

impl ModelType for Foresight {
    fn requires(_config: &Config) -> Result<Requirements> {
        Ok(Requirements::new(&["log-return"], 1, 2))
    }

    fn plan(_config: &Config, _input: &InputShape, _target: &Target) -> Result<TrainingPlan> {
        Ok(TrainingPlan::Guest(GuestModel { scaled: false, last_step_only: true }))
    }
}

impl Estimator for Foresight {
    fn fit(train: &Windows, _validation: &Windows, config: &Config) -> Result<Vec<u8>> {
        let targets = read_targets(train, "training")?;
        let fits = FITS.fetch_add(1, Ordering::Relaxed);
        let mut writer = Writer::new(Self::NAME, 1);
        writer.u64(if config.mode == Mode::Remembers { fits } else { 0 });
        writer.number(targets.iter().sum::<f64>() / targets.len().max(1) as f64);
        Ok(writer.finish())
    }

    fn predict(state: &[u8], inputs: &Windows, config: &Config) -> Result<Vec<f64>> {
        let mut reader = Reader::open(state, Self::NAME, 1)?;
        let (_, mean) = (reader.u64()?, reader.number()?);
        reader.finish()?;
        let mut values = Vec::new();
        Rows::LastStep.for_each(inputs, |_, row| values.push(row[0]))?;
        let all = values.iter().sum::<f64>() / values.len().max(1) as f64;
        let predictions: Vec<f64> = (0..values.len())
            .map(|sample| match config.mode {
                Mode::Ahead => mean + values[sample] + all,
                Mode::Neighbour if sample > 0 => mean + values[sample] + values[sample - 1],
                Mode::Honest | Mode::Neighbour | Mode::Remembers => mean + values[sample],
            })
            .collect();
        match predictions.iter().all(|prediction| prediction.is_finite()) {
            true => Ok(predictions),
            false => Err(Error::invalid_input("the numbers are too large")),
        }
    }
}

bellwether_sdk::register!(guest_model: Foresight);
