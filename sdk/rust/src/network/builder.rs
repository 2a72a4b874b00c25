//! The builder: one method per operation, each returning the node to go on from.
use std::collections::HashMap;

use super::{Activation, Attention, Initializer, Loss, Network, Operation, Output, Position, TimePooling, Training};
use crate::bindings::shared::bellwether::nn::network as wire;

/// A value in the network being built.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Node(u32);

/// A recurrent layer: one layer, forward in time, giving its last state, unless more is asked for.
#[derive(Debug, Clone, PartialEq)]
pub struct Recurrent(wire::Recurrent);

impl Recurrent {
    /// A layer with a state of this width.
    pub fn new(units: u32) -> Recurrent {
        Recurrent(wire::Recurrent {
            units,
            layers: 1,
            bidirectional: false,
            return_sequences: false,
            kernel: Initializer::Standard,
            recurrent_kernel: Initializer::Standard,
        })
    }

    /// Gives the state at every step, for another layer over time.
    pub fn sequences(mut self) -> Recurrent {
        self.0.return_sequences = true;
        self
    }

    /// Also runs backwards in time and joins both: twice the features.
    pub fn bidirectional(mut self) -> Recurrent {
        self.0.bidirectional = true;
        self
    }

    /// Stacks this many layers of the same width.
    pub fn layers(mut self, layers: u32) -> Recurrent {
        self.0.layers = layers;
        self
    }

    /// Initial weights of the input and of the state.
    pub fn initial(mut self, kernel: Initializer, recurrent_kernel: Initializer) -> Recurrent {
        self.0.kernel = kernel;
        self.0.recurrent_kernel = recurrent_kernel;
        self
    }
}

/// A convolution over time: causal, with bias, step and dilation 1, unless told otherwise.
#[derive(Debug, Clone, PartialEq)]
pub struct Conv(wire::Conv1d);

impl Conv {
    /// `filters` outputs, each over `kernel_size` steps.
    pub fn new(filters: u32, kernel_size: u32) -> Conv {
        let kernel = Initializer::Standard;
        Conv(wire::Conv1d { filters, kernel_size, stride: 1, dilation: 1, causal: true, bias: true, kernel })
    }

    /// Step between outputs.
    pub fn stride(mut self, stride: u32) -> Conv {
        self.0.stride = stride;
        self
    }

    /// Step between the taps of a filter.
    pub fn dilation(mut self, dilation: u32) -> Conv {
        self.0.dilation = dilation;
        self
    }

    /// No padding: fewer steps come out than go in.
    pub fn valid(mut self) -> Conv {
        self.0.causal = false;
        self
    }

    /// No bias per filter: a normalisation that follows has its own.
    pub fn without_bias(mut self) -> Conv {
        self.0.bias = false;
        self
    }

    /// Initial weights.
    pub fn initial(mut self, kernel: Initializer) -> Conv {
        self.0.kernel = kernel;
        self
    }
}

/// Builds a [`Network`].
#[derive(Debug, Clone, Default)]
pub struct NetworkBuilder {
    nodes: Vec<wire::Node>,
    outputs: Vec<Output>,
    training: Training,
    counts: HashMap<&'static str, u32>,
}

impl NetworkBuilder {
    /// An empty network with the default training.
    pub fn new() -> NetworkBuilder {
        NetworkBuilder::default()
    }

    /// The feature window, [time, features].
    pub fn input(&mut self) -> Node {
        self.add_node("input", Operation::Input, &[])
    }

    /// y = x·W + b over the last axis.
    pub fn dense(&mut self, x: Node, units: u32) -> Node {
        self.add_node("dense", Operation::Dense(wire::Dense { units, bias: true, kernel: Initializer::Standard }), &[x])
    }

    /// y = x·W over the last axis, W beginning as told.
    pub fn dense_without_bias(&mut self, x: Node, units: u32, kernel: Initializer) -> Node {
        self.add_node("dense", Operation::Dense(wire::Dense { units, bias: false, kernel }), &[x])
    }

    /// y = x·W + b over the last axis, W beginning as told.
    pub fn dense_from(&mut self, x: Node, units: u32, kernel: Initializer) -> Node {
        self.add_node("dense", Operation::Dense(wire::Dense { units, bias: true, kernel }), &[x])
    }

    /// Long short-term memory (Hochreiter and Schmidhuber 1997).
    pub fn lstm(&mut self, x: Node, layer: Recurrent) -> Node {
        self.add_node("lstm", Operation::Lstm(layer.0), &[x])
    }

    /// Gated recurrent unit (Cho et al. 2014).
    pub fn gru(&mut self, x: Node, layer: Recurrent) -> Node {
        self.add_node("gru", Operation::Gru(layer.0), &[x])
    }

    /// Recurrent layers on top of each other, dropout after each: all give every step but the last, which gives its state
    /// after the run. `layer` is the cell, [`NetworkBuilder::lstm`] or [`NetworkBuilder::gru`]; `units` the widths, first to
    /// last; with both directions a layer is twice as wide.
    pub fn recurrent_stack(
        &mut self,
        x: Node,
        layer: fn(&mut NetworkBuilder, Node, Recurrent) -> Node,
        units: &[u32],
        bidirectional: bool,
        dropout: f64,
    ) -> Node {
        let last = units.len().saturating_sub(1);
        units.iter().enumerate().fold(x, |x, (place, units)| {
            let mut shape = Recurrent::new(*units);
            shape.0.return_sequences = place < last;
            shape.0.bidirectional = bidirectional;
            let x = layer(self, x, shape);
            if dropout > 0.0 { self.dropout(x, dropout) } else { x }
        })
    }

    /// Convolution over time.
    pub fn conv(&mut self, x: Node, layer: Conv) -> Node {
        self.add_node("conv", Operation::Conv1d(layer.0), &[x])
    }

    /// Normalisation over the last axis (Ba et al. 2016), 1e-5 added to the variance.
    pub fn layer_norm(&mut self, x: Node) -> Node {
        self.add_node("layer_norm", Operation::LayerNorm(1e-5), &[x])
    }

    /// Normalisation over the batch (Ioffe and Szegedy 2015), 1e-3 added to the variance, momentum 0.99.
    pub fn batch_norm(&mut self, x: Node) -> Node {
        self.add_node("batch_norm", Operation::BatchNorm(wire::BatchNorm { epsilon: 1e-3, momentum: 0.99 }), &[x])
    }

    /// The same with numbers of its own: what is added to the variance, and the share in [0, 1) of the running statistics that
    /// each step keeps (1 minus what PyTorch calls momentum).
    pub fn batch_norm_with(&mut self, x: Node, epsilon: f64, momentum: f64) -> Node {
        self.add_node("batch_norm", Operation::BatchNorm(wire::BatchNorm { epsilon, momentum }), &[x])
    }

    /// Multi-head self-attention (Vaswani et al. 2017).
    pub fn attention(&mut self, x: Node, heads: u32, causal: bool, dropout: f64) -> Node {
        self.add_node("attention", Operation::Attention(Attention { heads, causal, dropout }), &[x])
    }

    /// Adds positions to a sequence.
    pub fn positions(&mut self, x: Node, position: Position) -> Node {
        self.add_node("positions", Operation::PositionalEncoding(position), &[x])
    }

    /// A vector per category: [time] or [] of whole numbers to [.., width].
    pub fn embedding(&mut self, x: Node, categories: u32, width: u32) -> Node {
        self.add_node("embedding", Operation::Embedding(wire::Embedding { categories, width }), &[x])
    }

    /// Zeros a share in [0, 1) of the values while training (Srivastava et al. 2014).
    pub fn dropout(&mut self, x: Node, share: f64) -> Node {
        self.add_node("dropout", Operation::Dropout(share), &[x])
    }

    /// An element-wise function.
    pub fn activation(&mut self, x: Node, function: Activation) -> Node {
        self.add_node("activation", Operation::Activation(function), &[x])
    }

    /// The sum of values of one shape.
    pub fn add(&mut self, values: &[Node]) -> Node {
        self.add_node("add", Operation::Add, values)
    }

    /// The element-wise product of values of one shape.
    pub fn multiply(&mut self, values: &[Node]) -> Node {
        self.add_node("multiply", Operation::Multiply, values)
    }

    /// Values joined along an axis, from 0; the batch is not counted.
    pub fn concat(&mut self, values: &[Node], axis: u32) -> Node {
        self.add_node("concat", Operation::Concat(axis), values)
    }

    /// What a residual branch computes, added to what it began from; both have one shape (He et al. 2016).
    pub fn residual(&mut self, x: Node, branch: Node) -> Node {
        self.add(&[x, branch])
    }

    /// `length` elements of an axis (from 0; the batch is not counted), the first at `start`.
    pub fn slice(&mut self, x: Node, axis: u32, start: u32, length: u32) -> Node {
        self.add_node("slice", Operation::Slice(wire::Slice { axis, start, length }), &[x])
    }

    /// The same numbers in another shape, without the batch.
    pub fn reshape(&mut self, x: Node, shape: &[u32]) -> Node {
        self.add_node("reshape", Operation::Reshape(shape.to_vec()), &[x])
    }

    /// A sequence made a vector.
    pub fn pool(&mut self, x: Node, pooling: TimePooling) -> Node {
        self.add_node("pool", Operation::TimePooling(pooling), &[x])
    }

    /// Any operation, also those without a method here.
    pub fn operation(&mut self, operation: Operation, inputs: &[Node]) -> Node {
        self.add_node("operation", operation, inputs)
    }

    /// Gives a node a name of its own: lower-case letters, digits, `-`, `_`, `.`; unique in the network.
    pub fn name(&mut self, node: Node, name: &str) -> Node {
        name.clone_into(&mut self.nodes[node.0 as usize].name);
        node
    }

    /// Makes a node, a vector, a result of the network that training brings near the target.
    pub fn output(&mut self, name: &str, node: Node, loss: Loss) -> &mut NetworkBuilder {
        self.weighted_output(name, node, loss, 1.0)
    }

    /// The same with a share in the total loss, above 0.
    pub fn weighted_output(&mut self, name: &str, node: Node, loss: Loss, weight: f64) -> &mut NetworkBuilder {
        self.outputs.push(Output { name: name.to_owned(), node: node.0, loss, weight });
        self
    }

    /// How the network is trained unless the job says otherwise.
    pub fn training(&mut self, training: Training) -> &mut NetworkBuilder {
        self.training = training;
        self
    }

    /// The network.
    pub fn build(self) -> Network {
        Network { nodes: self.nodes, outputs: self.outputs, training: self.training }
    }

    fn add_node(&mut self, kind: &'static str, operation: Operation, inputs: &[Node]) -> Node {
        let count = self.counts.entry(kind).or_default();
        *count += 1;
        // There is one input nearly always: it needs no number.
        let name = if kind == "input" && *count == 1 { kind.to_owned() } else { format!("{kind}_{count}") };
        let id = u32::try_from(self.nodes.len()).expect("a network is built by hand and has few nodes");
        self.nodes.push(wire::Node { name, operation, inputs: inputs.iter().map(|input| input.0).collect() });
        Node(id)
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Activation, Initializer, Loss, Operation, Optimizer, TimePooling};
    use super::{Conv, NetworkBuilder, Recurrent};
    use crate::testing::outline;

    #[test]
    fn layers_are_named_and_wired() {
        let mut net = NetworkBuilder::new();
        let x = net.input();
        let a = net.lstm(x, Recurrent::new(8).sequences());
        let b = net.lstm(a, Recurrent::new(8).sequences());
        let sum = net.add(&[a, b]);
        let head = net.dense(sum, 1);
        let head = net.name(head, "head");
        net.output("prediction", head, Loss::Mse);
        let network = net.build();
        let shown: Vec<(&str, &[u32])> = network.nodes.iter().map(|node| (node.name.as_str(), node.inputs.as_slice())).collect();
        assert_eq!(shown, [("input", &[][..]), ("lstm_1", &[0]), ("lstm_2", &[1]), ("add_1", &[1, 2]), ("head", &[3])]);
        assert!(matches!(&network.nodes[1].operation, Operation::Lstm(layer) if layer.return_sequences && layer.units == 8));
        assert_eq!((network.outputs[0].node, network.training.learning_rate), (4, 1e-3));
        assert!(matches!(network.training.optimizer, Optimizer::Adam(_)));
    }

    #[test]
    fn a_stack_gives_its_sequence_to_all_but_the_head() {
        let stack = |layer, units: &[u32], bidirectional, dropout| {
            let mut net = NetworkBuilder::new();
            let x = net.input();
            let x = net.recurrent_stack(x, layer, units, bidirectional, dropout);
            net.output("prediction", x, Loss::Mse);
            net.build()
        };
        let shapes = |network: &super::super::Network| -> Vec<(u32, bool, bool)> {
            let layer = |operation: &Operation| match operation {
                Operation::Lstm(layer) | Operation::Gru(layer) => Some((layer.units, layer.return_sequences, layer.bidirectional)),
                _ => None,
            };
            network.nodes.iter().filter_map(|node| layer(&node.operation)).collect()
        };
        let network = stack(NetworkBuilder::lstm, &[8, 4], false, 0.2);
        assert_eq!(
            outline(&network),
            ["lstm_1(8) <- input", "dropout_1(0.2) <- lstm_1", "lstm_2(4) <- dropout_1", "dropout_2(0.2) <- lstm_2"]
        );
        assert_eq!(shapes(&network), [(8, true, false), (4, false, false)]);
        let network = stack(NetworkBuilder::gru, &[5], true, 0.0);
        assert_eq!((outline(&network), shapes(&network)), (vec!["gru_1(5) <- input".to_owned()], vec![(5, false, true)]));
    }

    #[test]
    fn every_operation_has_a_method() {
        let mut net = NetworkBuilder::new();
        let window = net.input();
        let hour = net.slice(window, 1, 0, 1);
        let hour = net.reshape(hour, &[60]);
        let hour = net.embedding(hour, 24, 8);
        let x = net.dense_without_bias(window, 8, Initializer::HeUniform);
        let branch = net.conv(x, Conv::new(8, 3).dilation(2).without_bias().initial(Initializer::HeNormal));
        let branch = net.batch_norm_with(branch, 1e-5, 0.9);
        let branch = net.activation(branch, Activation::Silu);
        let x = net.residual(x, branch);
        let x = net.concat(&[x, hour], 1);
        let x = net.pool(x, TimePooling::Attention);
        let head = net.dense_from(x, 1, Initializer::Zeros);
        net.output("prediction", head, Loss::Mse);
        let network = net.build();
        let expected = [
            "slice_1 <- input",
            "reshape_1([60]) <- slice_1",
            "embedding_1 <- reshape_1",
            "dense_1(8) <- input",
            "conv_1(8) <- dense_1",
            "batch_norm_1 <- conv_1",
            "activation_1(silu) <- batch_norm_1",
            "add_1 <- dense_1, activation_1",
            "concat_1 <- add_1, embedding_1",
            "pool_1 <- concat_1",
            "dense_2(1) <- pool_1",
        ];
        assert_eq!(outline(&network), expected);
        assert!(matches!(&network.nodes[5].operation, Operation::Conv1d(conv) if conv.causal && !conv.bias && conv.dilation == 2));
    }
}
