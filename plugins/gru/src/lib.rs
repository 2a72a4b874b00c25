//! The model type `gru`: stacked gated recurrent unit layers (Cho et al. 2014), dropout after each, and a dense
//! head.
//!
//! [time, features] -> gru -> dropout -> ... -> gru -> dropout -> dense = prediction. All layers but the last give
//! their whole sequence. The host trains and serves the network natively; this plugin only describes it.
use bellwether_sdk::model::{HyperParameter, InputShape, Requirements, STATIONARY_FEATURES, Target, TrainingPlan};
use bellwether_sdk::network::NetworkBuilder;
use bellwether_sdk::training::TrainingOptions;
use bellwether_sdk::{ModelType, Plugin, Result};
use serde::Deserialize;

/// The configuration; the schema states its ranges and defaults.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct Config {
    gru_units: Vec<u32>,
    bidirectional: bool,
    dropout_rate: f64,
    #[serde(flatten)]
    training: TrainingOptions,
}

/// The plugin.
pub struct Gru;

impl Plugin for Gru {
    const NAME: &'static str = "gru";
    const VERSION: &'static str = env!("CARGO_PKG_VERSION");
    const SUMMARY: &'static str = "Stacked GRU layers with dropout and a dense head.";
    const CONFIG_SCHEMA: &'static str = bellwether_sdk::training_schema!(include_str!("../config.schema.json"));
    type Config = Config;

    fn check(config: &Config) -> Result<()> {
        config.training.check()
    }
}

impl ModelType for Gru {
    fn requires(_config: &Config) -> Result<Requirements> {
        Ok(Requirements::new(STATIONARY_FEATURES, 60, 500))
    }

    fn plan(config: &Config, _input: &InputShape, target: &Target) -> Result<TrainingPlan> {
        let mut net = NetworkBuilder::new();
        let x = net.input();
        let x = net.recurrent_stack(x, NetworkBuilder::gru, &config.gru_units, config.bidirectional, config.dropout_rate);
        Ok(TrainingPlan::Network(config.training.finish(net, x, target)))
    }

    fn search_space() -> Vec<HyperParameter> {
        let shapes = [vec![32], vec![64], vec![64, 32], vec![128, 64], vec![128, 64, 32]];
        let mut space = vec![HyperParameter::choice("gru_units", shapes), HyperParameter::real("dropout_rate", 0.0, 0.5)];
        space.extend(TrainingOptions::search_space((1e-4, 1e-2)));
        space
    }
}

bellwether_sdk::register!(model: Gru);

#[cfg(test)]
mod tests {
    use bellwether_sdk::model::Task;
    use bellwether_sdk::serde_json::json;
    use bellwether_sdk::testing;

    use super::Gru;

    #[test]
    fn the_schema_holds() {
        testing::check_schema::<Gru>(&json!({}));
        testing::check_search_space::<Gru>(&json!({}));
    }

    #[test]
    fn settings_reach_the_network() {
        let plan = |config| testing::network::<Gru>(&config, 60, &["log-return"], Task::Regression).unwrap();
        let by_default = plan(json!({}));
        assert_eq!(testing::outline(&by_default).last().unwrap(), "dense_1(1) <- dropout_3");
        assert_eq!((by_default.training.epochs, by_default.training.batch_size, by_default.training.learning_rate), (100, 32, 1e-3));
        let network = plan(json!({"gru_units": [8, 4], "dropout_rate": 0, "loss": "quantile"}));
        assert_eq!(testing::outline(&network), ["gru_1(8) <- input", "gru_2(4) <- gru_1", "dense_1(3) <- gru_2"]);
    }
}
