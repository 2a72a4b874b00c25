//! Calls of the `model` worlds.

use bellwether_domain::Result;
use bellwether_domain::feature::Feature;
use bellwether_domain::network::Network;
use bellwether_domain::target::Target;
use serde_json::Value;

use crate::Windows;

/// What the model will be shown.
#[derive(Debug, Clone, PartialEq)]
pub struct InputShape {
    /// Steps per window.
    pub sequence_length: u32,
    /// Features by name.
    pub features: Vec<String>,
}

/// What the host is to train.
#[derive(Debug, Clone, PartialEq)]
pub enum Plan {
    /// A network.
    Network(Network),
    /// Several model types together: (model type, config, weight), and `mean`, `weighted`, `median` or `stacking`.
    Members(Vec<(String, Value, f64)>, String),
    /// The component's own estimator.
    Guest {
        /// It wants scaled features.
        scaled: bool,
        /// It reads only the last step of each window.
        last_step_only: bool,
    },
}

/// What a model needs before it can be planned.
#[derive(Debug, Clone, PartialEq)]
pub struct Requirements {
    /// Features it wants when the job names none.
    pub features: Vec<Feature>,
    /// Steps per window when the job names none.
    pub sequence_length: u32,
    /// Least training samples.
    pub least_rows: u32,
}

/// Called with (done, total, train loss, validation loss); false asks the guest to stop.
pub type GuestProgress = Box<dyn FnMut(u32, u32, f64, f64) -> bool + Send>;

/// A model type. `config` is one made by [`crate::PluginHost::configure`].
#[derive(Debug)]
pub struct ModelPlugin {}

impl ModelPlugin {
    /// The instance's name.
    pub fn name(&self) -> &str {
        todo!()
    }

    /// What the model needs.
    pub async fn requirements(&self, config: &Value) -> Result<Requirements> {
        let _ = config;
        todo!()
    }

    /// What to train.
    pub async fn plan(&self, config: &Value, input: &InputShape, target: Target) -> Result<Plan> {
        let _ = (config, input, target);
        todo!()
    }

    /// Settings worth tuning: an array of {name, range: {kind, low, high, log} | {kind: choice, values}}.
    pub async fn search_space(&self) -> Result<Value> {
        todo!()
    }

    /// Fits a guest model; returns its state. Errors: `Unsupported` answers when the component has no estimator.
    pub async fn fit(&self, config: &Value, train: Windows, validation: Windows, seed: u64, progress: GuestProgress) -> Result<Vec<u8>> {
        let _ = (config, train, validation, seed, progress);
        todo!()
    }

    /// Predicts with a guest model's state; one finite number per window, else `BadAnswer`.
    pub async fn predict(&self, config: &Value, state: &[u8], inputs: Windows) -> Result<Vec<f64>> {
        let _ = (config, state, inputs);
        todo!()
    }
}
