//! The model type `lstm`: stacked long short-term memory layers (Hochreiter and Schmidhuber 1997), dropout after each, and a dense
//! head.
//!
//! [time, features] -> lstm -> dropout -> ... -> lstm -> dropout -> dense = prediction. All layers but the last give
//! their whole sequence. The host trains and serves the network natively; this plugin only describes it.
use bellwether_sdk::model::{HyperParameter, InputShape, Requirements, STATIONARY_FEATURES, Target, TrainingPlan};
use bellwether_sdk::network::NetworkBuilder;
use bellwether_sdk::training::TrainingOptions;
use bellwether_sdk::{ModelType, Plugin, Result};
use serde::Deserialize;

/// The configuration; the schema states its ranges and defaults.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct Config {
    lstm_units: Vec<u32>,
    bidirectional: bool,
    dropout_rate: f64,
    #[serde(flatten)]
    training: TrainingOptions,
}

/// The plugin.
pub struct Lstm;

impl Plugin for Lstm {
    const NAME: &'static str = "lstm";
    const VERSION: &'static str = env!("CARGO_PKG_VERSION");
    const SUMMARY: &'static str = "Stacked LSTM layers with dropout and a dense head.";
    const CONFIG_SCHEMA: &'static str = bellwether_sdk::training_schema!(include_str!("../config.schema.json"));
    type Config = Config;

    fn check(config: &Config) -> Result<()> {
        config.training.check()
    }
}

impl ModelType for Lstm {
    fn requires(_config: &Config) -> Result<Requirements> {
        Ok(Requirements::new(STATIONARY_FEATURES, 60, 500))
    }

    fn plan(config: &Config, _input: &InputShape, target: &Target) -> Result<TrainingPlan> {
        let mut net = NetworkBuilder::new();
        let x = net.input();
        let x = net.recurrent_stack(x, NetworkBuilder::lstm, &config.lstm_units, config.bidirectional, config.dropout_rate);
        Ok(TrainingPlan::Network(config.training.finish(net, x, target)))
    }

    fn search_space() -> Vec<HyperParameter> {
        let shapes = [vec![32], vec![64], vec![64, 32], vec![128, 64], vec![128, 64, 32]];
        let mut space = vec![HyperParameter::choice("lstm_units", shapes), HyperParameter::real("dropout_rate", 0.0, 0.5)];
        space.extend(TrainingOptions::search_space((1e-4, 1e-2)));
        space
    }
}

bellwether_sdk::register!(model: Lstm);

#[cfg(test)]
mod tests {
    use bellwether_sdk::model::Task;
    use bellwether_sdk::network::{Loss, Network, Operation, Optimizer, Schedule};
    use bellwether_sdk::serde_json::{Value, json};
    use bellwether_sdk::testing;

    use super::Lstm;

    fn plan(config: &Value, task: Task) -> Network {
        testing::network::<Lstm>(config, 60, &["log-return"], task).unwrap()
    }

    fn layers(network: &Network) -> Vec<(u32, bool, bool)> {
        let layer = |operation: &Operation| match operation {
            Operation::Lstm(layer) => Some((layer.units, layer.return_sequences, layer.bidirectional)),
            _ => None,
        };
        network.nodes.iter().filter_map(|node| layer(&node.operation)).collect()
    }

    #[test]
    fn the_schema_holds() {
        testing::check_schema::<Lstm>(&json!({}));
        testing::check_search_space::<Lstm>(&json!({}));
    }

    #[test]
    fn the_default_is_three_layers_and_a_head() {
        let network = plan(&json!({}), Task::Regression);
        let expected = [
            "lstm_1(128) <- input",
            "dropout_1(0.2) <- lstm_1",
            "lstm_2(64) <- dropout_1",
            "dropout_2(0.2) <- lstm_2",
            "lstm_3(32) <- dropout_2",
            "dropout_3(0.2) <- lstm_3",
            "dense_1(1) <- dropout_3",
        ];
        assert_eq!(testing::outline(&network), expected);
        assert_eq!(layers(&network), [(128, true, false), (64, true, false), (32, false, false)]);
        assert!(matches!(network.outputs[0].loss, Loss::Mse) && network.outputs[0].node == 7);
        let training = network.training;
        assert_eq!((training.epochs, training.batch_size, training.learning_rate, training.clip_norm), (100, 32, 1e-3, Some(1.0)));
        assert!(matches!(training.optimizer, Optimizer::Adam(numbers) if numbers.weight_decay == 0.0));
    }

    #[test]
    fn settings_reach_the_network() {
        let network = plan(
            &json!({"lstm_units": [8, 4], "bidirectional": true, "dropout_rate": 0, "loss": "quantile", "optimizer": "adamw",
                "weight_decay": 0.01, "patience": 0, "clip_norm": 0, "schedule": "cosine"}),
            Task::Regression,
        );
        assert_eq!(testing::outline(&network), ["lstm_1(8) <- input", "lstm_2(4) <- lstm_1", "dense_1(3) <- lstm_2"]);
        assert_eq!(layers(&network), [(8, true, true), (4, false, true)]);
        assert_eq!(network.outputs[0].loss, Loss::Quantile(vec![0.05, 0.5, 0.95]));
        assert!(matches!(&network.training.optimizer, Optimizer::Adamw(numbers) if numbers.weight_decay == 0.01));
        assert_eq!(network.training.schedule, Schedule::Cosine(0.0));
        assert!(network.training.early_stopping.is_none() && network.training.clip_norm.is_none());
    }

    #[test]
    fn a_binary_target_is_a_logit() {
        assert_eq!(plan(&json!({"loss": "gaussian"}), Task::Binary).outputs[0].loss, Loss::Bce);
        assert_eq!(testing::outline(&plan(&json!({"loss": "gaussian"}), Task::Binary)).last().unwrap(), "dense_1(1) <- dropout_3");
    }

    #[test]
    fn what_cannot_be_is_refused() {
        let error = testing::network::<Lstm>(&json!({"quantiles": [0.1]}), 60, &["body"], Task::Regression).unwrap_err();
        assert!(error.message().contains("`quantiles`"), "{error:?}");
    }
}
