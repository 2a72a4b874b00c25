//! The model type `mlp`: dense layers over the flattened window or over its last step.
//!
//! [time, features] -> [time · features] or [features] -> (dense -> norm -> activation -> dropout) ... -> dense = prediction.
//! The plain network that a recurrent or attentive one has to beat.
use bellwether_sdk::model::{HyperParameter, InputShape, Requirements, STATIONARY_FEATURES, Target, TrainingPlan};
use bellwether_sdk::network::{Activation, Initializer, NetworkBuilder, TimePooling};
use bellwether_sdk::training::TrainingOptions;
use bellwether_sdk::{Error, ModelType, Plugin, Result};
use serde::Deserialize;

/// Steps of a flattened window: a day of hourly bars.
const STEPS: u32 = 24;

/// The configuration; the schema states its ranges and defaults.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct Config {
    window: Window,
    hidden_units: Vec<u32>,
    activation: Function,
    norm: Norm,
    dropout_rate: f64,
    #[serde(flatten)]
    training: TrainingOptions,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Window {
    Flatten,
    LastStep,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Function {
    Relu,
    Gelu,
    Silu,
    Tanh,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Norm {
    None,
    Layer,
    Batch,
}

/// The plugin.
pub struct Mlp;

impl Plugin for Mlp {
    const NAME: &'static str = "mlp";
    const VERSION: &'static str = env!("CARGO_PKG_VERSION");
    const SUMMARY: &'static str = "Dense layers over the window or its last step.";
    const CONFIG_SCHEMA: &'static str = bellwether_sdk::training_schema!(include_str!("../config.schema.json"));
    type Config = Config;

    fn check(config: &Config) -> Result<()> {
        config.training.check()
    }
}

impl ModelType for Mlp {
    fn requires(config: &Config) -> Result<Requirements> {
        let steps = if config.window == Window::LastStep { 1 } else { STEPS };
        Ok(Requirements::new(STATIONARY_FEATURES, steps, 500))
    }

    fn plan(config: &Config, input: &InputShape, target: &Target) -> Result<TrainingPlan> {
        let mut net = NetworkBuilder::new();
        let mut x = net.input();
        x = match config.window {
            Window::LastStep => net.pool(x, TimePooling::Last),
            Window::Flatten => net.reshape(x, &[flat(input)?]),
        };
        let function = match config.activation {
            Function::Relu => Activation::Relu,
            Function::Gelu => Activation::Gelu,
            Function::Silu => Activation::Silu,
            Function::Tanh => Activation::Tanh,
        };
        for units in &config.hidden_units {
            x = match config.norm {
                Norm::None => net.dense(x, *units),
                // A normalisation takes a bias out again and adds its own.
                Norm::Layer | Norm::Batch => net.dense_without_bias(x, *units, Initializer::Standard),
            };
            x = match config.norm {
                Norm::None => x,
                Norm::Layer => net.layer_norm(x),
                Norm::Batch => net.batch_norm(x),
            };
            x = net.activation(x, function);
            if config.dropout_rate > 0.0 {
                x = net.dropout(x, config.dropout_rate);
            }
        }
        Ok(TrainingPlan::Network(config.training.finish(net, x, target)))
    }

    fn search_space() -> Vec<HyperParameter> {
        let shapes = [vec![32], vec![64], vec![64, 32], vec![128, 64], vec![256, 128, 64]];
        let mut space = vec![
            HyperParameter::choice("hidden_units", shapes),
            HyperParameter::choice("activation", ["relu", "gelu", "silu", "tanh"]),
            HyperParameter::choice("norm", ["none", "layer", "batch"]),
            HyperParameter::real("dropout_rate", 0.0, 0.5),
        ];
        space.extend(TrainingOptions::search_space((1e-4, 1e-2)));
        space
    }
}

bellwether_sdk::register!(model: Mlp);

/// Numbers of a window.
fn flat(input: &InputShape) -> Result<u32> {
    let features = u32::try_from(input.features.len()).ok();
    let numbers = features.and_then(|features| features.checked_mul(input.sequence_length)).filter(|numbers| *numbers > 0);
    numbers.ok_or_else(|| {
        let (steps, features) = (input.sequence_length, input.features.len());
        Error::invalid_input(format!("windows of {steps} steps of {features} features cannot be flattened"))
    })
}

#[cfg(test)]
mod tests {
    use bellwether_sdk::model::Task;
    use bellwether_sdk::network::{Loss, Network, Operation};
    use bellwether_sdk::serde_json::{Value, json};
    use bellwether_sdk::{ModelType, testing};

    use super::Mlp;

    fn plan(config: &Value) -> Network {
        testing::network::<Mlp>(config, 5, &["a", "b"], Task::Regression).unwrap()
    }

    #[test]
    fn the_schema_holds() {
        testing::check_schema::<Mlp>(&json!({}));
        testing::check_search_space::<Mlp>(&json!({}));
    }

    #[test]
    fn the_default_flattens_the_window() {
        let expected = [
            "reshape_1([10]) <- input",
            "dense_1(128) <- reshape_1",
            "activation_1(relu) <- dense_1",
            "dropout_1(0.2) <- activation_1",
            "dense_2(64) <- dropout_1",
            "activation_2(relu) <- dense_2",
            "dropout_2(0.2) <- activation_2",
            "dense_3(1) <- dropout_2",
        ];
        assert_eq!(testing::outline(&plan(&json!({}))), expected);
    }

    #[test]
    fn one_step_can_be_enough() {
        let network = plan(&json!({"window": "last-step", "hidden_units": [4], "norm": "batch", "activation": "tanh", "dropout_rate": 0}));
        let expected = [
            "pool_1 <- input",
            "dense_1(4) <- pool_1",
            "batch_norm_1 <- dense_1",
            "activation_1(tanh) <- batch_norm_1",
            "dense_2(1) <- activation_1",
        ];
        assert_eq!(testing::outline(&network), expected);
        assert!(matches!(&network.nodes[2].operation, Operation::Dense(dense) if !dense.bias));
        let steps = |window: &str| {
            let config = testing::config::<Mlp>(&json!({ "window": window })).unwrap();
            Mlp::requires(&config).unwrap().sequence_length
        };
        assert_eq!((steps("last-step"), steps("flatten")), (1, 24));
    }

    #[test]
    fn settings_reach_the_network() {
        let network = plan(&json!({"hidden_units": [3], "norm": "layer", "loss": "huber", "huber_delta": 0.5}));
        assert_eq!(network.outputs[0].loss, Loss::Huber(0.5));
        assert!(matches!(network.nodes[3].operation, Operation::LayerNorm(_)));
    }

    #[test]
    fn windows_without_numbers_are_refused() {
        let error = testing::network::<Mlp>(&json!({}), 0, &["a"], Task::Regression).unwrap_err();
        assert_eq!(error.message(), "windows of 0 steps of 1 features cannot be flattened");
        assert!(testing::network::<Mlp>(&json!({}), u32::MAX, &["a", "b"], Task::Regression).is_err());
    }
}
