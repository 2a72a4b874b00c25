//! ONNX files become network descriptions and weights.
//!
//! A file is decoded (`proto`, bounded first by `scan`), ordered (`graph`), and walked node by node (`map`): what does not
//! depend on the window is worked out (`fold`), the rest becomes pieces of a network (`pieces`) seen through the axes of
//! the file (`layout`). `finish` joins the pieces and writes the weights under the names that the network lists.
//!
//! Files may come from anybody. No allocation is larger than the file justifies, nothing recurses with the file's nesting,
//! and the first operator that has no counterpart is named. Knows nothing of artifacts, features or how networks compute.

mod scan;
mod proto;
mod tensor;
mod graph;
mod layout;
mod fold;
mod pieces;
mod map;
mod window;
mod finish;

use bellwether_domain::network::{Activation, Dense, Initializer, Loss, Network, Operation};
use bellwether_domain::{Error, Result};

use crate::finish::Finished;
use crate::graph::{Graph, shown};
use crate::layout::Signal;
use crate::map::Mapper;
use crate::pieces::{Op, Parameter};
use crate::tensor::Budget;

/// What the file itself does not say.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Options {
    /// Steps per window; needed where the file leaves the length of the sequence open, checked where it does not.
    pub steps: Option<u32>,
    /// Features per step; needed where the file reads a flattened window, checked where it does not.
    pub features: Option<u32>,
    /// The model answers a probability. This house's binary networks give the logit: a sigmoid, or a softmax of two classes, at the end is taken off.
    pub binary: bool,
    /// The loss of the output, which decides its width; mean squared error of one number by default, or binary
    /// cross-entropy where `binary` is set.
    pub loss: Option<Loss>,
}

/// A network that computes what the file computes.
#[derive(Debug, Clone, PartialEq)]
pub struct Imported {
    /// The description, with one output called `prediction`; it has passed shape inference.
    pub network: Network,
    /// Steps per window.
    pub steps: usize,
    /// Features per step.
    pub features: usize,
    /// Weights as safetensors, named as the network lists them, row-major, 32-bit.
    pub weights: Vec<u8>,
    /// The file ends in a sigmoid, or a softmax of two classes, that was taken off: its own answers are the sigmoid of the network's.
    pub probability: bool,
    /// What a person should know: values narrowed, outputs left out.
    pub notes: Vec<String>,
}

/// Reads an ONNX model.
///
/// Errors are `Invalid`. Field `model` for the file as a whole (cut short, not ONNX, an operator set from the future);
/// `model.<node, value or initialiser>` for the first part that cannot be mapped, with operator and reason; `network.…` for
/// a network that is too large or whose output does not fit the loss.
pub fn read(bytes: &[u8], options: &Options) -> Result<Imported> {
    let graph = Graph::decode(bytes)?;
    let input = graph.input()?;
    let window = window::read(input, options)?;
    let output = graph.outputs().first().map_or("", |output| output.name.as_str());
    let mut notes = Vec::new();
    if graph.outputs().len() > 1 {
        let left: Vec<String> = graph.outputs().iter().skip(1).take(8).map(|output| shown(&output.name)).collect();
        notes.push(format!("only the first output `{}` is imported; left out: {}", shown(output), left.join(", ")));
    }
    let shape = [window.steps, window.features];
    let budget = Budget::for_file(bytes.len());
    let mut mapper = Mapper::new(window.steps, window.features, window.batch, graph.opset, budget);
    let signal = mapper.walk(&graph, &input.name, window.signal, output)?;
    let fault = |why: String| Error::invalid(format!("model.{}", shown(output)), why);
    let (signal, probability) = if options.binary { logit(&mut mapper, signal, &mut notes).map_err(fault)? } else { (signal, false) };
    let vector = mapper.vector(&signal).map_err(fault)?;
    let width = mapper.pieces[vector].width();
    let loss = loss(options, width, output)?;
    if mapper.narrowed.get() {
        notes.push("float64 constants were narrowed to float32".to_owned());
    }
    let finished = finish::finish(mapper.pieces, vector, loss, shape, &mapper.budget)?;
    if finished.factors > 0 {
        notes.push(format!("{} factors or shifts became batch normalisations with mean 0 and variance 1", finished.factors));
    }
    let Finished { network, weights, .. } = finished;
    Ok(Imported { network, steps: window.steps, features: window.features, weights, probability, notes })
}

/// The logit of a classifier: what its last sigmoid reads, or for two classes the difference of what their softmax reads.
/// True if the file itself answers a probability.
fn logit(mapper: &mut Mapper, signal: Signal, notes: &mut Vec<String>) -> std::result::Result<(Signal, bool), String> {
    let last = mapper.pieces[signal.piece].clone();
    match &last.op {
        Op::Ours(Operation::Activation(Activation::Sigmoid)) => {
            notes.push("the sigmoid at the end was taken off: the network gives the logit".to_owned());
            Ok((Signal { piece: last.inputs[0], dims: signal.dims }, true))
        }
        Op::Ours(Operation::Slice(slice)) if mapper.pieces[last.inputs[0]].op.is_softmax() => {
            let before = mapper.pieces[last.inputs[0]].clone();
            if before.shape != [2] || slice.length != 1 {
                return Err("answers one of several classes by a softmax; a direction is one probability".to_owned());
            }
            let sign = if slice.start == 1 { 1.0 } else { -1.0 };
            let dense = Dense { units: 1, bias: false, kernel: Initializer::Standard };
            let kernel = Parameter::new("kernel", &[2, 1], vec![-sign, sign]);
            let piece = mapper.add(Op::Ours(Operation::Dense(dense)), &before.inputs, &[1], vec![kernel])?;
            notes.push("the softmax of two classes was taken off: the network gives the logit of one".to_owned());
            Ok((Signal { piece, dims: signal.dims }, true))
        }
        _ => {
            notes.push("the model does not end in a sigmoid: its output is taken as the logit".to_owned());
            Ok((signal, false))
        }
    }
}

fn loss(options: &Options, width: usize, output: &str) -> Result<Loss> {
    match (&options.loss, width) {
        (Some(loss), _) => Ok(loss.clone()),
        (None, 1) if options.binary => Ok(Loss::Bce),
        (None, 1) => Ok(Loss::Mse),
        (None, _) => {
            let why =
                format!("has {width} numbers for each window; one is served. Export a model whose first output is the prediction alone");
            Err(Error::invalid(format!("model.{}", shown(output)), why))
        }
    }
}

#[cfg(test)]
mod tests;
