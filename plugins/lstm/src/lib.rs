//! The model type `lstm`: stacked long short-term memory layers (Hochreiter and Schmidhuber 1997), dropout after each, and
//! a dense layer with one output.
//!
//! [time, features] -> lstm -> dropout -> ... -> lstm -> dropout -> dense(1) = prediction. All layers but the last give
//! their whole sequence. The host trains and serves the network natively; this plugin only describes it.
use bellwether_sdk::model::{HyperParameter, InputShape, Requirements, Target, Task, TrainingPlan};
use bellwether_sdk::network::{Adam, EarlyStopping, Loss, NetworkBuilder, Optimizer, Recurrent, Training};
use bellwether_sdk::{ModelType, Plugin, Result};
use serde::Deserialize;

/// Features that are causal and stationary over years: returns, ranges and volatilities rather than prices.
const FEATURES: &[&str] = &[
    "log-return",
    "log-range",
    "body",
    "realized-volatility(6)",
    "realized-volatility(24)",
    "realized-volatility(168)",
    "volume-zscore(24)",
    "hour-sin",
    "hour-cos",
];

/// The configuration; the schema states its ranges and defaults.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    lstm_units: Vec<u32>,
    dropout_rate: f64,
    learning_rate: f64,
    batch_size: u32,
    epochs: u32,
    loss: LossName,
    clip_norm: f64,
    patience: u32,
    optimizer: OptimizerName,
    weight_decay: f64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum LossName {
    Mse,
    Mae,
    Huber,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum OptimizerName {
    Adam,
    Adamw,
}

/// The plugin.
pub struct Lstm;

impl Plugin for Lstm {
    const NAME: &'static str = "lstm";
    const VERSION: &'static str = env!("CARGO_PKG_VERSION");
    const SUMMARY: &'static str = "Stacked LSTM layers with dropout and a dense head.";
    const CONFIG_SCHEMA: &'static str = include_str!("../config.schema.json");
    type Config = Config;
}

impl ModelType for Lstm {
    fn requires(_config: &Config) -> Result<Requirements> {
        let features = FEATURES.iter().map(|feature| (*feature).to_owned()).collect();
        Ok(Requirements { features, sequence_length: 60, least_rows: 500 })
    }

    fn plan(config: &Config, _input: &InputShape, target: &Target) -> Result<TrainingPlan> {
        let mut net = NetworkBuilder::new();
        let mut x = net.input();
        let last = config.lstm_units.len().saturating_sub(1);
        for (place, units) in config.lstm_units.iter().enumerate() {
            let layer = Recurrent::new(*units);
            x = net.lstm(x, if place < last { layer.sequences() } else { layer });
            if config.dropout_rate > 0.0 {
                x = net.dropout(x, config.dropout_rate);
            }
        }
        let head = net.dense(x, 1);
        net.output("prediction", head, loss(config, target)).training(training(config));
        Ok(TrainingPlan::Network(net.build()))
    }

    fn search_space() -> Vec<HyperParameter> {
        let shapes = [vec![32], vec![64], vec![64, 32], vec![128, 64], vec![128, 64, 32]];
        vec![
            HyperParameter::choice("lstm_units", shapes),
            HyperParameter::real("dropout_rate", 0.0, 0.5),
            HyperParameter::real_log("learning_rate", 1e-4, 1e-2),
            HyperParameter::choice("batch_size", [16, 32, 64, 128]),
            HyperParameter::choice("loss", ["mse", "mae", "huber"]),
        ]
    }
}

bellwether_sdk::register!(model: Lstm);

fn loss(config: &Config, target: &Target) -> Loss {
    match (target.task, config.loss) {
        (Task::Binary, _) => Loss::Bce,
        (Task::Regression, LossName::Mse) => Loss::Mse,
        (Task::Regression, LossName::Mae) => Loss::Mae,
        // Targets are scaled to unit variance: quadratic within one standard deviation.
        (Task::Regression, LossName::Huber) => Loss::Huber(1.0),
    }
}

fn training(config: &Config) -> Training {
    let numbers = Adam { weight_decay: config.weight_decay, ..Adam::default() };
    Training {
        epochs: config.epochs,
        batch_size: config.batch_size,
        learning_rate: config.learning_rate,
        optimizer: match config.optimizer {
            OptimizerName::Adam => Optimizer::Adam(numbers),
            OptimizerName::Adamw => Optimizer::Adamw(numbers),
        },
        clip_norm: (config.clip_norm > 0.0).then_some(config.clip_norm),
        early_stopping: (config.patience > 0).then(|| EarlyStopping { patience: config.patience, ..EarlyStopping::default() }),
        ..Training::default()
    }
}

#[cfg(test)]
mod tests {
    use bellwether_sdk::model::{InputShape, Range, Target, Task, TrainingPlan};
    use bellwether_sdk::network::{Loss, Network, Operation, Optimizer};
    use bellwether_sdk::serde_json::{Value, json};
    use bellwether_sdk::{ModelType, Plugin, testing};

    use super::Lstm;

    fn plan(config: &Value, task: Task) -> Network {
        let config = testing::config::<Lstm>(config).unwrap();
        let input = InputShape { sequence_length: 60, features: vec!["log-return".to_owned()] };
        let target = Target { kind: "return".to_owned(), horizon: 1, task };
        match Lstm::plan(&config, &input, &target).unwrap() {
            TrainingPlan::Network(network) => network,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn the_schema_holds() {
        testing::check_schema::<Lstm>(&json!({}));
    }

    #[test]
    fn the_default_is_three_layers_and_a_head() {
        let network = plan(&json!({}), Task::Regression);
        let names: Vec<&str> = network.nodes.iter().map(|node| node.name.as_str()).collect();
        assert_eq!(names, ["input", "lstm_1", "dropout_1", "lstm_2", "dropout_2", "lstm_3", "dropout_3", "dense_1"]);
        let layers: Vec<(u32, bool)> = network
            .nodes
            .iter()
            .filter_map(|node| match &node.operation {
                Operation::Lstm(layer) => Some((layer.units, layer.return_sequences)),
                _ => None,
            })
            .collect();
        assert_eq!(layers, [(128, true), (64, true), (32, false)]);
        assert!(matches!(network.outputs[0].loss, Loss::Mse) && network.outputs[0].node == 7);
        assert_eq!((network.training.epochs, network.training.batch_size, network.training.clip_norm), (100, 32, Some(1.0)));
    }

    #[test]
    fn settings_reach_the_network() {
        let network = plan(
            &json!({"lstm_units": [8], "dropout_rate": 0, "loss": "huber", "optimizer": "adamw", "weight_decay": 0.01, "patience": 0, "clip_norm": 0}),
            Task::Regression,
        );
        assert_eq!(network.nodes.len(), 3);
        assert_eq!(network.outputs[0].loss, Loss::Huber(1.0));
        assert!(matches!(&network.training.optimizer, Optimizer::Adamw(numbers) if numbers.weight_decay == 0.01));
        assert!(network.training.early_stopping.is_none() && network.training.clip_norm.is_none());
    }

    #[test]
    fn a_binary_target_is_a_logit() {
        assert_eq!(plan(&json!({"loss": "mae"}), Task::Binary).outputs[0].loss, Loss::Bce);
    }

    #[test]
    fn every_setting_to_tune_is_a_property() {
        let schema: Value = bellwether_sdk::serde_json::from_str(Lstm::CONFIG_SCHEMA).unwrap();
        for parameter in Lstm::search_space() {
            let property = &schema["properties"][&parameter.name];
            assert!(property.is_object(), "{}", parameter.name);
            if let Range::Choice(values) = parameter.values {
                for value in values {
                    let value: Value = bellwether_sdk::serde_json::from_str(&value).unwrap();
                    let mut config = json!({});
                    config[&parameter.name] = value;
                    testing::config::<Lstm>(&config).unwrap();
                }
            }
        }
    }
}
