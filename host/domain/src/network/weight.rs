//! The weights of each operation: names, shapes and how they begin, in node order.
//!
//! The one list that initialisation, the weights file, the optimiser and the parameter count read. A weight is called
//! `<node>.<parameter>`; a parameter has no dot, so two nodes never share a name. Per operation (`in` is the last axis):
//! - dense: `kernel` [in, units], `bias` [units];
//! - lstm, gru, per layer l from 0 and direction (`-reverse` for the backward one): `kernel-l` [in, g·units],
//!   `recurrent-kernel-l` [units, g·units], `bias-l` [g·units], with g = 4 gates i, f, g, o or g = 3 gates r, z, n; a gru also
//!   `recurrent-bias-l` [units], inside the reset gate's product;
//! - conv1d: `kernel` [kernel size, in, filters], `bias` [filters];
//! - layer-norm: `scale` [in], `shift` [in]; batch-norm also `mean` and `variance` [in], kept but not trained;
//! - attention: `query`, `key`, `value`, `output` [in, in], each with a `-bias` [in];
//! - learned positions: `positions` [time, in]; embedding: `vectors` [categories, width];
//! - time-pooling by attention: `kernel` [in].

use crate::network::shape::{Shape, Shapes};
use crate::network::{Initializer, Network, Node, Operation, Position, Recurrent, TimePooling};

/// One weight tensor.
#[derive(Debug, Clone, PartialEq)]
pub struct Weight {
    /// Place of its node.
    pub node: usize,
    /// `<node>.<parameter>`.
    pub name: String,
    /// Its shape, row-major.
    pub shape: Shape,
    /// False for running statistics, which are kept but have no gradient.
    pub trained: bool,
    /// How it begins.
    pub start: Start,
}

/// How a weight begins.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Start {
    /// By an initialiser, never `Standard`.
    Initializer(Initializer),
    /// Zero, but one for the forget gate (the second quarter).
    LstmBias,
}

impl Weight {
    /// Numbers in it.
    pub fn len(&self) -> usize {
        size(&self.shape)
    }

    /// True if it has no numbers, which a checked network never has.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Fan-in and fan-out: the last two axes times the axes before them; a vector feeds one number.
    pub fn fans(&self) -> (usize, usize) {
        match self.shape[..] {
            [] => (1, 1),
            [width] => (width, 1),
            [ref field @ .., fan_in, fan_out] => (fan_in * size(field), fan_out * size(field)),
        }
    }
}

/// Numbers in a value of this shape; stays at the largest number where it would overflow.
pub(super) fn size(shape: &[usize]) -> usize {
    shape.iter().fold(1, |product: usize, axis| product.saturating_mul(*axis))
}

/// Every weight of a checked network, in node order.
pub fn weights(network: &Network, shapes: &Shapes) -> Vec<Weight> {
    let read = |node: &Node| node.inputs.first().and_then(|input| shapes.nodes.get(usize::try_from(*input).ok()?));
    network.nodes.iter().enumerate().flat_map(|(place, node)| of_node(place, node, read(node))).collect()
}

/// The weights of one node that reads a value of shape `input`.
pub(super) fn of_node(place: usize, node: &Node, input: Option<&Shape>) -> Vec<Weight> {
    let Some(&width) = input.and_then(|shape| shape.last()) else {
        return embedding(place, node);
    };
    let weight = |parameter: &str, shape: &[usize], initializer| weight(place, node, parameter, shape, initializer);
    let (zeros, ones, glorot) = (Initializer::Zeros, Initializer::Ones, Initializer::GlorotUniform);
    match &node.operation {
        Operation::Dense(dense) => {
            let units = wide(dense.units);
            let mut list = vec![weight("kernel", &[width, units], resolve(dense.kernel, glorot))];
            list.extend(dense.bias.then(|| weight("bias", &[units], zeros)));
            list
        }
        Operation::Lstm(layer) => recurrent(place, node, layer, width, 4),
        Operation::Gru(layer) => recurrent(place, node, layer, width, 3),
        Operation::Conv1d(conv) => {
            let (size, filters) = (wide(conv.kernel_size), wide(conv.filters));
            let mut list = vec![weight("kernel", &[size, width, filters], resolve(conv.kernel, glorot))];
            list.extend(conv.bias.then(|| weight("bias", &[filters], zeros)));
            list
        }
        Operation::LayerNorm(_) => vec![weight("scale", &[width], ones), weight("shift", &[width], zeros)],
        Operation::BatchNorm(_) => {
            let kept = |weight: Weight| Weight { trained: false, ..weight };
            let (mean, variance) = (kept(weight("mean", &[width], zeros)), kept(weight("variance", &[width], ones)));
            vec![weight("scale", &[width], ones), weight("shift", &[width], zeros), mean, variance]
        }
        Operation::Attention(_) => ["query", "key", "value", "output"]
            .iter()
            .flat_map(|name| [weight(name, &[width, width], glorot), weight(&format!("{name}-bias"), &[width], zeros)])
            .collect(),
        Operation::PositionalEncoding(Position::Learned) => {
            vec![weight("positions", input.map_or(&[], Vec::as_slice), Initializer::Normal(0.02))]
        }
        Operation::Embedding(_) => embedding(place, node),
        Operation::TimePooling(TimePooling::Attention) => vec![weight("kernel", &[width], glorot)],
        Operation::PositionalEncoding(Position::Sinusoidal)
        | Operation::TimePooling(TimePooling::Last | TimePooling::Mean | TimePooling::Max)
        | Operation::Input
        | Operation::Dropout(_)
        | Operation::Activation(_)
        | Operation::Add
        | Operation::Multiply
        | Operation::Concat(_)
        | Operation::Slice(_)
        | Operation::Reshape(_)
        | Operation::Custom(_) => vec![],
    }
}

/// An embedding may read a single number, which has no last axis.
fn embedding(place: usize, node: &Node) -> Vec<Weight> {
    let Operation::Embedding(table) = &node.operation else { return vec![] };
    vec![weight(place, node, "vectors", &[wide(table.categories), wide(table.width)], Initializer::Uniform(0.05))]
}

fn recurrent(place: usize, node: &Node, layer: &Recurrent, input: usize, gates: usize) -> Vec<Weight> {
    let (units, directions) = (wide(layer.units), if layer.bidirectional { 2 } else { 1 });
    let all = units.saturating_mul(gates);
    let mut list = Vec::new();
    for level in 0..layer.layers {
        let width = if level == 0 { input } else { units.saturating_mul(directions) };
        for suffix in ["", "-reverse"].iter().take(directions) {
            let named = |parameter: &str, shape: &[usize], initializer| {
                weight(place, node, &format!("{parameter}-{level}{suffix}"), shape, initializer)
            };
            list.push(named("kernel", &[width, all], resolve(layer.kernel, Initializer::GlorotUniform)));
            list.push(named("recurrent-kernel", &[units, all], resolve(layer.recurrent_kernel, Initializer::Orthogonal)));
            let bias = named("bias", &[all], Initializer::Zeros);
            if gates == 4 {
                list.push(Weight { start: Start::LstmBias, ..bias });
            } else {
                list.extend([bias, named("recurrent-bias", &[units], Initializer::Zeros)]);
            }
        }
    }
    list
}

fn weight(place: usize, node: &Node, parameter: &str, shape: &[usize], initializer: Initializer) -> Weight {
    let name = format!("{}.{parameter}", node.name);
    Weight { node: place, name, shape: shape.to_vec(), trained: true, start: Start::Initializer(initializer) }
}

fn resolve(initializer: Initializer, standard: Initializer) -> Initializer {
    if initializer == Initializer::Standard { standard } else { initializer }
}

fn wide(number: u32) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}
