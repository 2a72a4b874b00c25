//! The model type `transformer`: an encoder of self-attention layers (Vaswani et al. 2017, "Attention Is All You Need").
//!
//! [time, features] -> dense(embed) -> positions -> dropout -> layers -> pooling -> dense = prediction. A layer is
//! self-attention and a feed-forward part dense(ff) -> activation -> dropout -> dense(embed), each inside a residual sum
//! with dropout on what is added. `post` normalises the sums, as PyTorch's `nn.TransformerEncoderLayer` does unless told
//! otherwise; `pre` normalises what each part reads, and the last sum once.
use bellwether_sdk::model::{HyperParameter, InputShape, Requirements, STATIONARY_FEATURES, Target, TrainingPlan};
use bellwether_sdk::network::{Activation, NetworkBuilder, Node, Position, TimePooling};
use bellwether_sdk::training::TrainingOptions;
use bellwether_sdk::{Error, ModelType, Plugin, Result};
use serde::Deserialize;

/// Beside what every model type reads: momentum.
const MOMENTUM_FEATURES: &[&str] = &["rsi(14)", "macd(12,26,9)"];

/// The configuration; the schema states its ranges and defaults.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct Config {
    embed_dim: u32,
    num_heads: u32,
    ff_dim: u32,
    num_layers: u32,
    dropout_rate: f64,
    norm: Norm,
    activation: Function,
    positions: Positions,
    causal: bool,
    pooling: Pooling,
    #[serde(flatten)]
    training: TrainingOptions,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Norm {
    Pre,
    Post,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Function {
    Relu,
    Gelu,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Positions {
    Sinusoidal,
    Learned,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Pooling {
    Last,
    Mean,
    Attention,
}

/// The plugin.
pub struct Transformer;

impl Plugin for Transformer {
    const NAME: &'static str = "transformer";
    const VERSION: &'static str = env!("CARGO_PKG_VERSION");
    const SUMMARY: &'static str = "Transformer encoder with positions, pooling and a dense head.";
    const CONFIG_SCHEMA: &'static str = bellwether_sdk::training_schema!(include_str!("../config.schema.json"), learning_rate: 0.0001);
    type Config = Config;

    fn check(config: &Config) -> Result<()> {
        let (width, heads) = (config.embed_dim, config.num_heads);
        if heads == 0 || !width.is_multiple_of(heads) {
            let near = (1..=heads.min(width)).rev().find(|heads| width.is_multiple_of(*heads)).unwrap_or(1);
            return Err(Error::invalid_config(format!(
                "`num_heads` is {heads} and does not divide `embed_dim` {width}: try {near} heads, or a width of {}",
                width.div_ceil(heads.max(1)) * heads.max(1)
            )));
        }
        config.training.check()
    }
}

impl ModelType for Transformer {
    fn requires(_config: &Config) -> Result<Requirements> {
        Ok(Requirements::new(STATIONARY_FEATURES.iter().chain(MOMENTUM_FEATURES), 100, 500))
    }

    fn plan(config: &Config, _input: &InputShape, target: &Target) -> Result<TrainingPlan> {
        let mut net = NetworkBuilder::new();
        let window = net.input();
        let embedded = net.dense(window, config.embed_dim);
        let position = match config.positions {
            Positions::Sinusoidal => Position::Sinusoidal,
            Positions::Learned => Position::Learned,
        };
        let placed = net.positions(embedded, position);
        let mut x = dropout(&mut net, placed, config);
        for _ in 0..config.num_layers {
            x = part(&mut net, x, config, attend);
            x = part(&mut net, x, config, feed_forward);
        }
        if config.norm == Norm::Pre {
            x = net.layer_norm(x);
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
        let mut space = vec![
            HyperParameter::choice("embed_dim", [32, 64, 128]),
            HyperParameter::choice("num_heads", [1, 2, 4, 8]),
            HyperParameter::choice("ff_dim", [64, 128, 256, 512]),
            HyperParameter::whole("num_layers", 1, 6),
            HyperParameter::real("dropout_rate", 0.0, 0.4),
            HyperParameter::choice("norm", ["post", "pre"]),
            HyperParameter::choice("pooling", ["mean", "last", "attention"]),
        ];
        space.extend(TrainingOptions::search_space((1e-5, 1e-3)));
        space
    }
}

bellwether_sdk::register!(model: Transformer);

/// A part of a layer inside its residual sum.
fn part(net: &mut NetworkBuilder, x: Node, config: &Config, inside: fn(&mut NetworkBuilder, Node, &Config) -> Node) -> Node {
    let read = if config.norm == Norm::Pre { net.layer_norm(x) } else { x };
    let branch = inside(net, read, config);
    let branch = dropout(net, branch, config);
    let sum = net.residual(x, branch);
    if config.norm == Norm::Post { net.layer_norm(sum) } else { sum }
}

fn attend(net: &mut NetworkBuilder, x: Node, config: &Config) -> Node {
    net.attention(x, config.num_heads, config.causal, config.dropout_rate)
}

fn feed_forward(net: &mut NetworkBuilder, x: Node, config: &Config) -> Node {
    let function = match config.activation {
        Function::Relu => Activation::Relu,
        Function::Gelu => Activation::Gelu,
    };
    let x = net.dense(x, config.ff_dim);
    let x = net.activation(x, function);
    let x = dropout(net, x, config);
    net.dense(x, config.embed_dim)
}

fn dropout(net: &mut NetworkBuilder, x: Node, config: &Config) -> Node {
    if config.dropout_rate > 0.0 { net.dropout(x, config.dropout_rate) } else { x }
}

#[cfg(test)]
mod tests {
    use bellwether_sdk::model::Task;
    use bellwether_sdk::network::{Loss, Network, Operation, Position, Schedule, TimePooling};
    use bellwether_sdk::serde_json::{Value, json};
    use bellwether_sdk::{ModelType, testing};

    use super::Transformer;

    fn plan(config: &Value) -> Network {
        testing::network::<Transformer>(config, 100, &["log-return", "rsi(14)"], Task::Regression).unwrap()
    }

    #[test]
    fn the_schema_holds() {
        testing::check_schema::<Transformer>(&json!({}));
        testing::check_search_space::<Transformer>(&json!({}));
    }

    #[test]
    fn the_default_normalises_sums() {
        let expected = [
            "dense_1(128) <- input",
            "positions_1 <- dense_1",
            "dropout_1(0.1) <- positions_1",
            "attention_1(8) <- dropout_1",
            "dropout_2(0.1) <- attention_1",
            "add_1 <- dropout_1, dropout_2",
            "layer_norm_1 <- add_1",
            "dense_2(256) <- layer_norm_1",
            "activation_1(relu) <- dense_2",
            "dropout_3(0.1) <- activation_1",
            "dense_3(128) <- dropout_3",
            "dropout_4(0.1) <- dense_3",
            "add_2 <- layer_norm_1, dropout_4",
            "layer_norm_2 <- add_2",
        ];
        let network = plan(&json!({}));
        let found = testing::outline(&network);
        assert_eq!(found[..expected.len()], expected);
        assert_eq!(found[found.len() - 2..], ["pool_1 <- layer_norm_8", "dense_10(1) <- pool_1"]);
        let attention = |node: &&bellwether_sdk::network::raw::Node| matches!(node.operation, Operation::Attention(_));
        assert_eq!(network.nodes.iter().filter(attention).count(), 4);
        assert!(matches!(&network.nodes[4].operation, Operation::Attention(with) if !with.causal && with.dropout == 0.1));
        assert_eq!((network.training.learning_rate, network.training.schedule), (1e-4, Schedule::Constant));
    }

    #[test]
    fn pre_normalises_what_each_part_reads_and_the_end() {
        let expected = [
            "dense_1(8) <- input",
            "positions_1 <- dense_1",
            "layer_norm_1 <- positions_1",
            "attention_1(2) <- layer_norm_1",
            "add_1 <- positions_1, attention_1",
            "layer_norm_2 <- add_1",
            "dense_2(16) <- layer_norm_2",
            "activation_1(gelu) <- dense_2",
            "dense_3(8) <- activation_1",
            "add_2 <- add_1, dense_3",
            "layer_norm_3 <- add_2",
            "pool_1 <- layer_norm_3",
            "dense_4(3) <- pool_1",
        ];
        let network = plan(&json!({
            "embed_dim": 8, "num_heads": 2, "ff_dim": 16, "num_layers": 1, "dropout_rate": 0, "norm": "pre", "activation": "gelu",
            "positions": "learned", "causal": true, "pooling": "last", "loss": "quantile", "schedule": "warm-up", "warm_up_steps": 400
        }));
        assert_eq!(testing::outline(&network), expected);
        assert_eq!(network.nodes[2].operation, Operation::PositionalEncoding(Position::Learned));
        assert!(matches!(&network.nodes[4].operation, Operation::Attention(with) if with.causal && with.dropout == 0.0));
        assert_eq!(network.nodes[12].operation, Operation::TimePooling(TimePooling::Last));
        assert_eq!(network.outputs[0].loss, Loss::Quantile(vec![0.05, 0.5, 0.95]));
        assert_eq!(network.training.schedule, Schedule::WarmUp(400));
    }

    #[test]
    fn heads_must_divide_the_width() {
        let error = testing::config::<Transformer>(&json!({"embed_dim": 100, "num_heads": 8})).unwrap_err();
        let message = "`num_heads` is 8 and does not divide `embed_dim` 100: try 5 heads, or a width of 104";
        assert_eq!(error.message(), message);
    }

    #[test]
    fn it_asks_for_momentum_too() {
        let config = testing::config::<Transformer>(&json!({})).unwrap();
        let needs = Transformer::requires(&config).unwrap();
        assert_eq!((needs.sequence_length, needs.features.len()), (100, 11));
        assert!(needs.features.contains(&"rsi(14)".to_owned()) && needs.features.contains(&"macd(12,26,9)".to_owned()));
    }
}
