//! Shapes a network implies, worked out before anything is allocated. Errors name the node and both shapes.
//!
//! One pass over the list: each node reads earlier nodes only, so a description can hold no cycle, and a number that
//! would overflow stays at the largest one and is refused by the limits below.

use std::collections::HashSet;

use crate::network::rules::{LEAST_EPSILON, check_name, check_outputs, initializer_fault};
use crate::network::weight::{of_node, size};
use crate::network::{Activation, Attention, Conv1d, Embedding, Initializer, Network, Node, Operation, Recurrent, Slice};
use crate::{Error, Result};

/// A value's shape without the batch: `[time, features]` or `[features]`.
pub type Shape = Vec<usize>;

/// Most nodes a network may have.
pub const NODES_MAX: usize = 10_000;

/// Most parameters a network may have.
pub const PARAMETERS_MAX: usize = 200_000_000;

/// Most numbers one node's value may have per sample.
pub const VALUES_MAX: usize = 1 << 26;

/// Most values one node may read.
pub const INPUTS_MAX: usize = 256;

/// Most stacked layers of a recurrent node.
pub const LAYERS_MAX: u32 = 64;

/// Most axes of a value.
pub const AXES_MAX: usize = 6;

/// What is known of a network before it is built.
#[derive(Debug, Clone, PartialEq)]
pub struct Shapes {
    /// Shape of each node's value, in node order.
    pub nodes: Vec<Shape>,
    /// Number of trained parameters of each node, in node order.
    pub parameters: Vec<usize>,
}

/// Checks a network and works out every shape for windows of `[steps, features]`.
///
/// Errors are `Invalid` with field `network.<node name>`: an input that is not earlier, a wrong number of inputs, a
/// shape that does not fit (both shapes in the text), a number out of range, too many nodes or parameters. What is
/// wrong with a name has the field `network.nodes[<place>].name`, with an output (not a vector, not as wide as its loss
/// wants) `network.outputs.<name>`, with training settings `network.training.<field>`.
pub fn infer(network: &Network, steps: usize, features: usize) -> Result<Shapes> {
    if steps == 0 || features == 0 {
        let why = format!("windows of [{steps}, {features}] hold nothing; at least one step and one feature are needed");
        return Err(Error::invalid("network", why));
    }
    let count = network.nodes.len();
    if count == 0 || count > NODES_MAX {
        return Err(Error::invalid("network.nodes", format!("there are {count} nodes; a network has 1 to {NODES_MAX}")));
    }
    let mut names = HashSet::new();
    let mut shapes = Shapes { nodes: Vec::with_capacity(count), parameters: Vec::with_capacity(count) };
    let mut total: usize = 0;
    for (place, node) in network.nodes.iter().enumerate() {
        check_name("nodes", place, &node.name, &mut names)?;
        let fault = |why: String| Error::invalid(format!("network.{}", node.name), why);
        let inputs = inputs(place, node, &shapes.nodes).map_err(fault)?;
        let shape = shape(node, &inputs, [steps, features]).map_err(fault)?;
        if size(&shape) > VALUES_MAX {
            return Err(fault(format!("its value of shape {shape:?} is too large; a value has at most {VALUES_MAX} numbers per sample")));
        }
        let weights = of_node(place, node, inputs.first().copied());
        let parameters = weights.iter().filter(|weight| weight.trained).fold(0, |sum: usize, weight| sum.saturating_add(weight.len()));
        total = total.saturating_add(parameters);
        if total > PARAMETERS_MAX {
            return Err(fault(format!("with its {parameters} parameters the network has {total}; at most {PARAMETERS_MAX} are possible")));
        }
        shapes.nodes.push(shape);
        shapes.parameters.push(parameters);
    }
    check_inputs(network)?;
    check_outputs(network, &shapes.nodes)?;
    network.training.check()?;
    Ok(shapes)
}

/// This version feeds one window: exactly one `input` node.
fn check_inputs(network: &Network) -> Result<()> {
    let mut windows = network.nodes.iter().filter(|node| node.operation == Operation::Input);
    match (windows.next(), windows.next()) {
        (Some(_), None) => Ok(()),
        (None, _) => Err(Error::invalid("network.nodes", "no node is an `input`; exactly one reads the feature window")),
        (Some(first), Some(second)) => {
            let why = format!("`{}` is an `input` already; exactly one node reads the feature window", first.name);
            Err(Error::invalid(format!("network.{}", second.name), why))
        }
    }
}

/// The shapes a node reads, after checking their places and number.
fn inputs<'a>(place: usize, node: &Node, known: &'a [Shape]) -> Result<Vec<&'a Shape>, String> {
    let joins = matches!(node.operation, Operation::Add | Operation::Multiply | Operation::Concat(_));
    let (least, most) = if node.operation == Operation::Input {
        (0, 0)
    } else if joins {
        (2, INPUTS_MAX)
    } else {
        (1, 1)
    };
    let count = node.inputs.len();
    if count < least || count > most {
        let wanted = if least == most { least.to_string() } else { format!("{least} to {most}") };
        return Err(format!("it reads {count} values; this operation reads {wanted}"));
    }
    let shape = |input: &u32| {
        let earlier = usize::try_from(*input).ok().and_then(|input| known.get(input));
        earlier.ok_or_else(|| format!("it reads node {input}, but it is node {place} and may read earlier ones only"))
    };
    node.inputs.iter().map(shape).collect()
}

/// The shape of a node's value. The error is what is wrong.
fn shape(node: &Node, inputs: &[&Shape], window: [usize; 2]) -> Result<Shape, String> {
    let Some(&input) = inputs.first() else { return Ok(window.to_vec()) };
    match &node.operation {
        Operation::Input => Ok(window.to_vec()),
        Operation::Dense(dense) => {
            let units = at_least_one("units", dense.units)?;
            initializer("kernel", dense.kernel)?;
            has_axis(input)?;
            Ok(with_last(input, units))
        }
        Operation::Lstm(layer) | Operation::Gru(layer) => recurrent(layer, input),
        Operation::Conv1d(conv) => convolution(conv, input),
        Operation::LayerNorm(epsilon) => {
            epsilon_fits(*epsilon)?;
            has_axis(input)?;
            Ok(input.clone())
        }
        Operation::BatchNorm(norm) => {
            epsilon_fits(norm.epsilon)?;
            share("momentum", norm.momentum)?;
            has_axis(input)?;
            Ok(input.clone())
        }
        Operation::Attention(attention) => heads(attention, input),
        Operation::PositionalEncoding(_) => sequence(input).map(|_| input.clone()),
        Operation::Embedding(table) => embedding(table, input),
        Operation::Dropout(part) => share("dropout", *part).map(|()| input.clone()),
        Operation::Activation(Activation::Softmax) => has_axis(input).map(|()| input.clone()),
        Operation::Activation(_) => Ok(input.clone()),
        Operation::Add | Operation::Multiply => match inputs.iter().find(|other| **other != input) {
            None => Ok(input.clone()),
            Some(other) => Err(format!("it reads values of shapes {input:?} and {other:?}; they must be the same")),
        },
        Operation::Concat(axis) => concat(*axis, inputs),
        Operation::Slice(slice) => sliced(slice, input),
        Operation::Reshape(axes) => reshaped(axes, input),
        Operation::TimePooling(_) => sequence(input).map(|[_, width]| vec![width]),
        Operation::Custom(custom) => Err(format!("the custom operation `{}` is not known to this host", custom.name)),
    }
}

fn recurrent(layer: &Recurrent, input: &Shape) -> Result<Shape, String> {
    let units = at_least_one("units", layer.units)?;
    if !(1..=LAYERS_MAX).contains(&layer.layers) {
        return Err(format!("layers is {}; it must be 1 to {LAYERS_MAX}", layer.layers));
    }
    initializer("kernel", layer.kernel)?;
    initializer("recurrent-kernel", layer.recurrent_kernel)?;
    let [time, _] = sequence(input)?;
    let width = units.saturating_mul(if layer.bidirectional { 2 } else { 1 });
    Ok(if layer.return_sequences { vec![time, width] } else { vec![width] })
}

fn convolution(conv: &Conv1d, input: &Shape) -> Result<Shape, String> {
    let filters = at_least_one("filters", conv.filters)?;
    let kernel = at_least_one("kernel-size", conv.kernel_size)?;
    let stride = at_least_one("stride", conv.stride)?;
    let dilation = at_least_one("dilation", conv.dilation)?;
    initializer("kernel", conv.kernel)?;
    let [time, _] = sequence(input)?;
    if conv.causal {
        return Ok(vec![time.div_ceil(stride), filters]);
    }
    let span = (kernel - 1).saturating_mul(dilation).saturating_add(1);
    if span > time {
        return Err(format!(
            "its filter spans {span} steps and its input has shape {input:?}: only {time}; pad (causal) or shrink the filter"
        ));
    }
    Ok(vec![(time - span) / stride + 1, filters])
}

fn heads(attention: &Attention, input: &Shape) -> Result<Shape, String> {
    let heads = at_least_one("heads", attention.heads)?;
    share("dropout", attention.dropout)?;
    let [_, width] = sequence(input)?;
    if width % heads != 0 {
        return Err(format!("its {heads} heads do not divide the width {width} of its input of shape {input:?}"));
    }
    Ok(input.clone())
}

fn embedding(table: &Embedding, input: &Shape) -> Result<Shape, String> {
    at_least_one("categories", table.categories)?;
    let width = at_least_one("width", table.width)?;
    match input[..] {
        [] => Ok(vec![width]),
        [time] => Ok(vec![time, width]),
        _ => Err(format!("its input has shape {input:?}; an embedding reads [time] or []: slice and reshape first")),
    }
}

fn concat(axis: u32, inputs: &[&Shape]) -> Result<Shape, String> {
    let place = wide(axis);
    let mut joined = inputs.first().map(|shape| (*shape).clone()).unwrap_or_default();
    if place >= joined.len() {
        return Err(format!("axis {axis} does not exist in its input of shape {joined:?}"));
    }
    for other in inputs.iter().skip(1) {
        let agrees = other.len() == joined.len() && other.iter().zip(&joined).enumerate().all(|(at, (a, b))| at == place || a == b);
        if !agrees {
            return Err(format!("it joins shapes {:?} and {other:?} along axis {axis}; the other axes must agree", inputs[0]));
        }
        joined[place] = joined[place].saturating_add(other[place]);
    }
    Ok(joined)
}

fn sliced(slice: &Slice, input: &Shape) -> Result<Shape, String> {
    let length = at_least_one("length", slice.length)?;
    let (axis, start) = (wide(slice.axis), wide(slice.start));
    let Some(size) = input.get(axis) else {
        return Err(format!("axis {axis} does not exist in its input of shape {input:?}"));
    };
    let end = start.saturating_add(length);
    if end > *size {
        return Err(format!("it takes {start}..{end} of axis {axis}, and its input of shape {input:?} has only {size}"));
    }
    let mut shape = input.clone();
    shape[axis] = length;
    Ok(shape)
}

fn reshaped(axes: &[u32], input: &Shape) -> Result<Shape, String> {
    if axes.len() > AXES_MAX {
        return Err(format!("the new shape has {} axes; a value has at most {AXES_MAX}", axes.len()));
    }
    let shape: Shape = axes.iter().map(|axis| wide(*axis)).collect();
    if size(&shape) != size(input) {
        return Err(format!("shape {input:?} holds {} numbers and the new shape {shape:?} holds {}", size(input), size(&shape)));
    }
    Ok(shape)
}

fn sequence(input: &Shape) -> Result<[usize; 2], String> {
    <[usize; 2]>::try_from(input.as_slice()).map_err(|_| format!("its input has shape {input:?}; it reads a sequence [time, features]"))
}

fn has_axis(input: &Shape) -> Result<(), String> {
    if input.is_empty() { Err("its input has shape []; it needs a last axis to work on".to_owned()) } else { Ok(()) }
}

fn with_last(input: &Shape, width: usize) -> Shape {
    let mut shape = input.clone();
    if let Some(last) = shape.last_mut() {
        *last = width;
    }
    shape
}

fn at_least_one(name: &str, number: u32) -> Result<usize, String> {
    if number == 0 { Err(format!("{name} is 0; it must be at least 1")) } else { Ok(wide(number)) }
}

fn share(name: &str, number: f64) -> Result<(), String> {
    if (0.0..1.0).contains(&number) { Ok(()) } else { Err(format!("{name} is {number}; it must be in [0, 1)")) }
}

fn epsilon_fits(number: f64) -> Result<(), String> {
    let fits = number >= LEAST_EPSILON && number.is_finite();
    if fits { Ok(()) } else { Err(format!("epsilon is {number}; it must be at least {LEAST_EPSILON:e} and finite")) }
}

fn initializer(name: &str, initializer: Initializer) -> Result<(), String> {
    initializer_fault(name, initializer).map_or(Ok(()), Err)
}

fn wide(number: u32) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests;
