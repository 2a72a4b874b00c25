//! The model type `tcn`: a temporal convolutional network (Bai, Kolter and Koltun 2018, "An Empirical Evaluation of Generic
//! Convolutional and Recurrent Networks for Sequence Modeling").
//!
//! Residual blocks over time, dilations 1, 2, 4, ...: y = activation(x + F(x)), F twice convolution, normalisation,
//! activation, dropout; where the widths differ x goes through a convolution of one step. Every convolution is causal. The
//! paper normalises weights; here values are normalised (or nothing), which the host computes faster and trains as well.
use bellwether_sdk::model::{HyperParameter, InputShape, Requirements, STATIONARY_FEATURES, Target, TrainingPlan};
use bellwether_sdk::network::{Activation, Conv, NetworkBuilder, Node, TimePooling};
use bellwether_sdk::training::TrainingOptions;
use bellwether_sdk::{ModelType, Plugin, Result};
use serde::Deserialize;

/// The configuration; the schema states its ranges and defaults.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct Config {
    channels: Vec<u32>,
    kernel_size: u32,
    norm: Norm,
    activation: Function,
    dropout_rate: f64,
    pooling: Pooling,
    #[serde(flatten)]
    training: TrainingOptions,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Norm {
    None,
    Layer,
    Batch,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Function {
    Relu,
    Gelu,
    Silu,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Pooling {
    Last,
    Mean,
    Attention,
}

/// The plugin.
pub struct Tcn;

impl Plugin for Tcn {
    const NAME: &'static str = "tcn";
    const VERSION: &'static str = env!("CARGO_PKG_VERSION");
    const SUMMARY: &'static str = "Dilated causal convolutions in residual blocks.";
    const CONFIG_SCHEMA: &'static str = bellwether_sdk::training_schema!(include_str!("../config.schema.json"));
    type Config = Config;

    fn check(config: &Config) -> Result<()> {
        config.training.check()
    }
}

impl ModelType for Tcn {
    fn requires(_config: &Config) -> Result<Requirements> {
        Ok(Requirements::new(STATIONARY_FEATURES, 60, 500))
    }

    fn plan(config: &Config, input: &InputShape, target: &Target) -> Result<TrainingPlan> {
        let mut net = NetworkBuilder::new();
        let mut x = net.input();
        let mut width = input.features.len() as u32;
        for (level, channels) in config.channels.iter().enumerate() {
            let mut branch = x;
            for _ in 0..2 {
                branch = layer(&mut net, branch, *channels, 1 << level, config);
            }
            let straight = if width == *channels { x } else { net.conv(x, Conv::new(*channels, 1)) };
            let sum = net.residual(straight, branch);
            x = net.activation(sum, function(config));
            width = *channels;
        }
        let pooling = match config.pooling {
            Pooling::Last => TimePooling::Last,
            Pooling::Mean => TimePooling::Mean,
            Pooling::Attention => TimePooling::Attention,
        };
        let x = net.pool(x, pooling);
        Ok(TrainingPlan::Network(config.training.finish(net, x, target)))
    }

    fn search_space() -> Vec<HyperParameter> {
        let shapes = [vec![32; 4], vec![64; 4], vec![64; 6], vec![128; 4]];
        let mut space = vec![
            HyperParameter::choice("channels", shapes),
            HyperParameter::choice("kernel_size", [2, 3, 5, 7]),
            HyperParameter::choice("norm", ["none", "layer", "batch"]),
            HyperParameter::real("dropout_rate", 0.0, 0.5),
        ];
        space.extend(TrainingOptions::search_space((1e-4, 1e-2)));
        space
    }
}

bellwether_sdk::register!(model: Tcn);

/// Convolution, normalisation, activation, dropout.
fn layer(net: &mut NetworkBuilder, x: Node, channels: u32, dilation: u32, config: &Config) -> Node {
    let conv = Conv::new(channels, config.kernel_size).dilation(dilation);
    // A normalisation takes a bias out again and adds its own.
    let x = net.conv(x, if config.norm == Norm::None { conv } else { conv.without_bias() });
    let x = match config.norm {
        Norm::None => x,
        Norm::Layer => net.layer_norm(x),
        Norm::Batch => net.batch_norm(x),
    };
    let x = net.activation(x, function(config));
    if config.dropout_rate > 0.0 { net.dropout(x, config.dropout_rate) } else { x }
}

fn function(config: &Config) -> Activation {
    match config.activation {
        Function::Relu => Activation::Relu,
        Function::Gelu => Activation::Gelu,
        Function::Silu => Activation::Silu,
    }
}

#[cfg(test)]
mod tests {
    use bellwether_sdk::model::Task;
    use bellwether_sdk::network::{Loss, Network, Operation};
    use bellwether_sdk::serde_json::{Value, json};
    use bellwether_sdk::testing;

    use super::Tcn;

    fn plan(config: &Value, features: &[&str]) -> Network {
        testing::network::<Tcn>(config, 60, features, Task::Regression).unwrap()
    }

    fn convolutions(network: &Network) -> Vec<(u32, u32, u32, bool)> {
        let conv = |operation: &Operation| match operation {
            Operation::Conv1d(conv) => {
                assert!(conv.causal, "a step never sees a later one");
                Some((conv.filters, conv.kernel_size, conv.dilation, conv.bias))
            }
            _ => None,
        };
        network.nodes.iter().filter_map(|node| conv(&node.operation)).collect()
    }

    #[test]
    fn the_schema_holds() {
        testing::check_schema::<Tcn>(&json!({}));
        testing::check_search_space::<Tcn>(&json!({}));
    }

    #[test]
    fn a_block_is_two_layers_and_a_way_around() {
        let expected = [
            "conv_1(8) <- input",
            "layer_norm_1 <- conv_1",
            "activation_1(relu) <- layer_norm_1",
            "dropout_1(0.1) <- activation_1",
            "conv_2(8) <- dropout_1",
            "layer_norm_2 <- conv_2",
            "activation_2(relu) <- layer_norm_2",
            "dropout_2(0.1) <- activation_2",
            "conv_3(8) <- input",
            "add_1 <- conv_3, dropout_2",
            "activation_3(relu) <- add_1",
            "pool_1 <- activation_3",
            "dense_1(1) <- pool_1",
        ];
        assert_eq!(testing::outline(&plan(&json!({"channels": [8]}), &["body"])), expected);
    }

    #[test]
    fn equal_widths_need_no_convolution_around() {
        let network = plan(&json!({"channels": [2], "norm": "none", "dropout_rate": 0, "activation": "gelu"}), &["a", "b"]);
        let expected = [
            "conv_1(2) <- input",
            "activation_1(gelu) <- conv_1",
            "conv_2(2) <- activation_1",
            "activation_2(gelu) <- conv_2",
            "add_1 <- input, activation_2",
            "activation_3(gelu) <- add_1",
            "pool_1 <- activation_3",
            "dense_1(1) <- pool_1",
        ];
        assert_eq!(testing::outline(&network), expected);
        assert!(convolutions(&network).iter().all(|conv| conv.3), "without a normalisation there are biases");
    }

    #[test]
    fn dilations_double_and_the_default_sees_the_whole_window() {
        let found = convolutions(&plan(&json!({}), &["a", "b"]));
        let inside: Vec<(u32, u32)> = found.iter().filter(|conv| conv.1 > 1).map(|conv| (conv.1, conv.2)).collect();
        assert_eq!(inside, [(3, 1), (3, 1), (3, 2), (3, 2), (3, 4), (3, 4), (3, 8), (3, 8)]);
        let seen: u32 = 1 + inside.iter().map(|(kernel, dilation)| (kernel - 1) * dilation).sum::<u32>();
        assert_eq!(seen, 61);
        assert_eq!(found.len() - inside.len(), 1, "only the first block changes the width");
    }

    #[test]
    fn settings_reach_the_network() {
        let network = plan(&json!({"channels": [4], "norm": "batch", "pooling": "attention", "loss": "gaussian"}), &["a"]);
        assert!(network.nodes.iter().any(|node| matches!(node.operation, Operation::BatchNorm(_))));
        assert_eq!(network.outputs[0].loss, Loss::GaussianNll);
        assert_eq!(testing::outline(&network).last().unwrap(), "dense_1(2) <- pool_1");
    }
}
