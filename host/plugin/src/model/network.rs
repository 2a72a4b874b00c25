//! A guest's network as the domain's own: item for item, in the order of `wit/nn/nn.wit`.
//!
//! Numbers must be finite; whether the graph makes sense is the shape rules' business, in `domain` and `compute`.

use bellwether_domain::error::PluginFault;
use bellwether_domain::network as domain;

use crate::bindings::base::bellwether::nn::network as wit;
use crate::call::{bad, finite};

type Checked<T> = Result<T, PluginFault>;

/// Most nodes of a network: far above any sensible one, far below what would hurt.
const NODES: usize = 10_000;

pub(crate) fn from_guest(network: wit::Network) -> Checked<domain::Network> {
    if network.nodes.len() > NODES {
        return Err(bad(format!("the network has {} nodes; at most {NODES}", network.nodes.len())));
    }
    if network.nodes.is_empty() || network.outputs.is_empty() {
        return Err(bad("the network has no node or no output"));
    }
    Ok(domain::Network {
        nodes: network.nodes.into_iter().map(node).collect::<Checked<_>>()?,
        outputs: network.outputs.into_iter().map(output).collect::<Checked<_>>()?,
        training: training(&network.training)?,
    })
}

fn node(node: wit::Node) -> Checked<domain::Node> {
    let operation = operation(node.operation).map_err(|fault| match fault {
        PluginFault::BadAnswer(why) => bad(format!("node `{}`: {why}", node.name)),
        other => other,
    })?;
    Ok(domain::Node { name: node.name, operation, inputs: node.inputs })
}

fn operation(operation: wit::Operation) -> Checked<domain::Operation> {
    use domain::Operation as Own;
    use wit::Operation as Theirs;
    Ok(match operation {
        Theirs::Input => Own::Input,
        Theirs::Dense(dense) => Own::Dense(domain::Dense { units: dense.units, bias: dense.bias, kernel: initializer(dense.kernel)? }),
        Theirs::Lstm(layer) => Own::Lstm(recurrent(&layer)?),
        Theirs::Gru(layer) => Own::Gru(recurrent(&layer)?),
        Theirs::Conv1d(layer) => Own::Conv1d(conv1d(&layer)?),
        Theirs::LayerNorm(epsilon) => Own::LayerNorm(finite("epsilon", epsilon)?),
        Theirs::BatchNorm(norm) => {
            Own::BatchNorm(domain::BatchNorm { epsilon: finite("epsilon", norm.epsilon)?, momentum: finite("momentum", norm.momentum)? })
        }
        Theirs::Attention(layer) => {
            Own::Attention(domain::Attention { heads: layer.heads, causal: layer.causal, dropout: finite("dropout", layer.dropout)? })
        }
        Theirs::PositionalEncoding(wit::Position::Sinusoidal) => Own::PositionalEncoding(domain::Position::Sinusoidal),
        Theirs::PositionalEncoding(wit::Position::Learned) => Own::PositionalEncoding(domain::Position::Learned),
        Theirs::Embedding(layer) => Own::Embedding(domain::Embedding { categories: layer.categories, width: layer.width }),
        Theirs::Dropout(share) => Own::Dropout(finite("dropout", share)?),
        Theirs::Activation(function) => Own::Activation(activation(function)),
        Theirs::Add => Own::Add,
        Theirs::Multiply => Own::Multiply,
        Theirs::Concat(axis) => Own::Concat(axis),
        Theirs::Slice(slice) => Own::Slice(domain::Slice { axis: slice.axis, start: slice.start, length: slice.length }),
        Theirs::Reshape(shape) => Own::Reshape(shape),
        Theirs::TimePooling(pooling) => Own::TimePooling(time_pooling(pooling)),
        Theirs::Custom(custom) => Own::Custom(domain::CustomOperation { name: custom.name, attributes: custom.attributes }),
    })
}

fn initializer(initializer: wit::Initializer) -> Checked<domain::Initializer> {
    use domain::Initializer as Own;
    use wit::Initializer as Theirs;
    Ok(match initializer {
        Theirs::Standard => Own::Standard,
        Theirs::Zeros => Own::Zeros,
        Theirs::Ones => Own::Ones,
        Theirs::Constant(value) => Own::Constant(finite("constant", value)?),
        Theirs::Uniform(bound) => Own::Uniform(finite("uniform", bound)?),
        Theirs::Normal(deviation) => Own::Normal(finite("normal", deviation)?),
        Theirs::GlorotUniform => Own::GlorotUniform,
        Theirs::GlorotNormal => Own::GlorotNormal,
        Theirs::HeUniform => Own::HeUniform,
        Theirs::HeNormal => Own::HeNormal,
        Theirs::LecunUniform => Own::LecunUniform,
        Theirs::LecunNormal => Own::LecunNormal,
        Theirs::FanInUniform => Own::FanInUniform,
        Theirs::TruncatedNormal(deviation) => Own::TruncatedNormal(finite("truncated-normal", deviation)?),
        Theirs::Orthogonal => Own::Orthogonal,
    })
}

fn recurrent(layer: &wit::Recurrent) -> Checked<domain::Recurrent> {
    Ok(domain::Recurrent {
        units: layer.units,
        layers: layer.layers,
        bidirectional: layer.bidirectional,
        return_sequences: layer.return_sequences,
        kernel: initializer(layer.kernel)?,
        recurrent_kernel: initializer(layer.recurrent_kernel)?,
    })
}

fn conv1d(layer: &wit::Conv1d) -> Checked<domain::Conv1d> {
    Ok(domain::Conv1d {
        filters: layer.filters,
        kernel_size: layer.kernel_size,
        stride: layer.stride,
        dilation: layer.dilation,
        causal: layer.causal,
        bias: layer.bias,
        kernel: initializer(layer.kernel)?,
    })
}

fn activation(function: wit::Activation) -> domain::Activation {
    match function {
        wit::Activation::Relu => domain::Activation::Relu,
        wit::Activation::Gelu => domain::Activation::Gelu,
        wit::Activation::Silu => domain::Activation::Silu,
        wit::Activation::Tanh => domain::Activation::Tanh,
        wit::Activation::Sigmoid => domain::Activation::Sigmoid,
        wit::Activation::Softplus => domain::Activation::Softplus,
        wit::Activation::Softmax => domain::Activation::Softmax,
    }
}

fn time_pooling(pooling: wit::TimePooling) -> domain::TimePooling {
    match pooling {
        wit::TimePooling::Last => domain::TimePooling::Last,
        wit::TimePooling::Mean => domain::TimePooling::Mean,
        wit::TimePooling::Max => domain::TimePooling::Max,
        wit::TimePooling::Attention => domain::TimePooling::Attention,
    }
}

fn output(output: wit::Output) -> Checked<domain::Output> {
    let weight = finite("weight", output.weight)?;
    if weight <= 0.0 {
        return Err(bad(format!("output `{}`: `weight` is {weight}; it must be above 0", output.name)));
    }
    Ok(domain::Output { node: output.node, loss: loss(output.loss)?, weight, name: output.name })
}

fn loss(loss: wit::Loss) -> Checked<domain::Loss> {
    let all = |name: &'static str, values: Vec<f64>| values.into_iter().map(|value| finite(name, value)).collect::<Checked<Vec<f64>>>();
    Ok(match loss {
        wit::Loss::Mse => domain::Loss::Mse,
        wit::Loss::Mae => domain::Loss::Mae,
        wit::Loss::Huber(delta) => domain::Loss::Huber(finite("delta", delta)?),
        wit::Loss::Quantile(probabilities) => domain::Loss::Quantile(all("quantile", probabilities)?),
        wit::Loss::GaussianNll => domain::Loss::GaussianNll,
        wit::Loss::Bce => domain::Loss::Bce,
        wit::Loss::CrossEntropy(weights) => domain::Loss::CrossEntropy(all("class weight", weights)?),
    })
}

fn training(training: &wit::Training) -> Checked<domain::Training> {
    if training.epochs == 0 || training.batch_size == 0 {
        return Err(bad("`epochs` and `batch-size` must be at least 1"));
    }
    let learning_rate = finite("learning-rate", training.learning_rate)?;
    if learning_rate <= 0.0 {
        return Err(bad(format!("`learning-rate` is {learning_rate}; it must be above 0")));
    }
    let early_stopping = training.early_stopping.map(|early| {
        let min_delta = finite("min-delta", early.min_delta)?;
        Ok(domain::EarlyStopping { patience: early.patience, min_delta, restore_best: early.restore_best })
    });
    Ok(domain::Training {
        epochs: training.epochs,
        batch_size: training.batch_size,
        learning_rate,
        optimizer: optimizer(training.optimizer)?,
        schedule: schedule(training.schedule)?,
        clip_norm: training.clip_norm.map(|norm| finite("clip-norm", norm)).transpose()?,
        early_stopping: early_stopping.transpose()?,
    })
}

fn optimizer(optimizer: wit::Optimizer) -> Checked<domain::Optimizer> {
    let adam = |adam: wit::Adam| {
        Ok(domain::Adam {
            beta1: finite("beta1", adam.beta1)?,
            beta2: finite("beta2", adam.beta2)?,
            epsilon: finite("epsilon", adam.epsilon)?,
            weight_decay: finite("weight-decay", adam.weight_decay)?,
        })
    };
    Ok(match optimizer {
        wit::Optimizer::Sgd(sgd) => domain::Optimizer::Sgd(domain::Sgd {
            momentum: finite("momentum", sgd.momentum)?,
            nesterov: sgd.nesterov,
            weight_decay: finite("weight-decay", sgd.weight_decay)?,
        }),
        wit::Optimizer::Adam(numbers) => domain::Optimizer::Adam(adam(numbers)?),
        wit::Optimizer::Adamw(numbers) => domain::Optimizer::Adamw(adam(numbers)?),
    })
}

fn schedule(schedule: wit::Schedule) -> Checked<domain::Schedule> {
    Ok(match schedule {
        wit::Schedule::Constant => domain::Schedule::Constant,
        wit::Schedule::Step((epochs, factor)) => domain::Schedule::Step(epochs, finite("factor", factor)?),
        wit::Schedule::Cosine(share) => domain::Schedule::Cosine(finite("cosine", share)?),
        wit::Schedule::WarmUp(steps) => domain::Schedule::WarmUp(steps),
        wit::Schedule::OneCycle(share) => domain::Schedule::OneCycle(finite("one-cycle", share)?),
        wit::Schedule::ReduceOnPlateau((patience, factor)) => domain::Schedule::ReduceOnPlateau(patience, finite("factor", factor)?),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn guest() -> wit::Network {
        let kernel = wit::Initializer::HeNormal;
        let lstm = wit::Recurrent {
            units: 8,
            layers: 2,
            bidirectional: true,
            return_sequences: false,
            kernel: wit::Initializer::Standard,
            recurrent_kernel: wit::Initializer::Orthogonal,
        };
        let node = |name: &str, operation, inputs| wit::Node { name: name.to_owned(), operation, inputs };
        wit::Network {
            nodes: vec![
                node("window", wit::Operation::Input, vec![]),
                node("lstm", wit::Operation::Lstm(lstm), vec![0]),
                node("head", wit::Operation::Dense(wit::Dense { units: 1, bias: true, kernel }), vec![1]),
            ],
            outputs: vec![wit::Output { name: "prediction".to_owned(), node: 2, loss: wit::Loss::Huber(1.0), weight: 1.0 }],
            training: wit::Training {
                epochs: 10,
                batch_size: 32,
                learning_rate: 1e-3,
                optimizer: wit::Optimizer::Adamw(wit::Adam { beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weight_decay: 0.01 }),
                schedule: wit::Schedule::Step((5, 0.5)),
                clip_norm: Some(1.0),
                early_stopping: Some(wit::EarlyStopping { patience: 3, min_delta: 0.0, restore_best: true }),
            },
        }
    }

    #[test]
    fn a_network_crosses_whole() {
        let network = from_guest(guest()).expect("good");
        let json = serde_json::to_value(&network).expect("JSON");
        assert_eq!(json["nodes"][1]["operation"]["with"]["recurrent_kernel"]["kind"], "orthogonal");
        assert_eq!(json["nodes"][2]["inputs"], serde_json::json!([1]));
        assert_eq!(json["training"]["schedule"], serde_json::json!({"kind": "step", "with": [5, 0.5]}));
        assert_eq!(network.outputs[0].loss, domain::Loss::Huber(1.0));
        assert_eq!(network.training.early_stopping.map(|early| early.patience), Some(3));
    }

    #[test]
    fn numbers_that_are_none_are_named_with_their_node() {
        let check = |change: fn(&mut wit::Network), expected: &str| {
            let mut network = guest();
            change(&mut network);
            let fault = from_guest(network).expect_err(expected).to_string();
            assert!(fault.contains(expected), "{fault}");
        };
        check(|network| network.nodes[1].operation = wit::Operation::Dropout(f64::NAN), "node `lstm`: `dropout` is NaN");
        check(|network| network.training.learning_rate = 0.0, "`learning-rate` is 0");
        check(|network| network.outputs[0].weight = f64::INFINITY, "`weight` is inf");
        check(|network| network.outputs.clear(), "no output");
        check(|network| network.nodes = vec![network.nodes[0].clone(); 10_001], "at most 10000");
    }
}
