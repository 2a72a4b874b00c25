//! Pieces become a network: halves are joined, what nobody reads is dropped, the rest is named and its weights written.
//!
//! A factor or shift is folded into the layer before it when nothing else reads that layer; where it cannot be, it becomes
//! a batch normalisation with mean 0 and variance 1, which computes the same. Attention takes its projections from the
//! layers around it. A half that stays alone is refused under the name of the node it came from.

use std::collections::HashMap;
use std::rc::Rc;

use bellwether_domain::network::shape::{NODES_MAX, infer};
use bellwether_domain::network::{
    Activation, Adam, BatchNorm, Loss, Network, Node, Operation, Optimizer, Output, Schedule, TimePooling, Training, weight,
};
use bellwether_domain::{Error, Result};
use safetensors::Dtype;
use safetensors::tensor::{TensorView, serialize};

use crate::map::attend;
use crate::pieces::{Op, Parameter, Piece};
use crate::tensor::Budget;

/// Added to the variance 1 of a factor: below what 32 bits see.
const NO_EPSILON: f64 = 1e-12;

/// A network and its weights file.
pub(crate) struct Finished {
    pub(crate) network: Network,
    pub(crate) weights: Vec<u8>,
    /// Factors that became normalisations.
    pub(crate) factors: usize,
}

/// Joins, drops, names and writes. `output` is the piece of the result, a vector.
pub(crate) fn finish(mut pieces: Vec<Piece>, output: usize, loss: Loss, window: [usize; 2], budget: &Budget) -> Result<Finished> {
    let fault = |piece: &Piece, why: &str| Error::invalid(piece.origin.0.clone(), format!("{} {why}", piece.origin.1));
    let users = only_users(&pieces, output);
    for place in 0..pieces.len() {
        let joined = join(&pieces, place, &users, budget).map_err(|why| fault(&pieces[place], &why))?;
        if let Some(joined) = joined {
            pieces[place] = joined;
        }
    }
    let alive = alive(&pieces, output);
    let kept: Vec<usize> = (0..pieces.len()).filter(|place| alive[*place]).collect();
    if kept.len() > NODES_MAX {
        return Err(Error::invalid("model", format!("becomes a network of {} nodes; at most {NODES_MAX} are possible", kept.len())));
    }
    let mut places: HashMap<usize, u32> = HashMap::new();
    let (mut nodes, mut tensors, mut factors) = (Vec::with_capacity(kept.len()), HashMap::new(), 0);
    let mut counts: HashMap<&'static str, usize> = HashMap::new();
    for piece in kept {
        let found = &pieces[piece];
        let (operation, weights) = match &found.op {
            Op::Ours(operation) => (operation.clone(), found.weights.clone()),
            Op::Affine(scale, shift) => {
                factors += 1;
                normalisation(scale, shift, found.width())
            }
            other => return Err(fault(found, alone(other))),
        };
        let kind = kind(&operation);
        let count = counts.entry(kind).or_insert(0);
        *count += 1;
        let name = if operation == Operation::Input { kind.to_owned() } else { format!("{kind}-{count}") };
        for weight in weights {
            if let Some(at) = weight.values.iter().position(|value| !value.is_finite()) {
                return Err(fault(found, &format!("has a weight that is not a finite 32-bit number (number {at} of its {})", weight.name)));
            }
            tensors.insert(format!("{name}.{}", weight.name), weight);
        }
        let inputs = found.inputs.iter().filter_map(|input| places.get(input).copied()).collect();
        places.insert(piece, u32::try_from(nodes.len()).unwrap_or(u32::MAX));
        nodes.push(Node { name, operation, inputs });
    }
    let node = places.get(&output).copied().unwrap_or(0);
    let network = Network { nodes, outputs: vec![Output { name: "prediction".to_owned(), node, loss, weight: 1.0 }], training: training() };
    let shapes = infer(&network, window[0], window[1])?;
    let weights = write(&weight::weights(&network, &shapes), &tensors)?;
    Ok(Finished { network, weights, factors })
}

/// For every piece: the one living piece that reads it, if it is read once. The output counts as read by nobody.
fn only_users(pieces: &[Piece], output: usize) -> Vec<Option<usize>> {
    let alive = alive(pieces, output);
    let mut counts = vec![0_usize; pieces.len()];
    let mut users = vec![None; pieces.len()];
    for (place, piece) in pieces.iter().enumerate().filter(|(place, _)| alive[*place]) {
        for input in &piece.inputs {
            counts[*input] += 1;
            users[*input] = Some(place);
        }
    }
    counts[output] += 1;
    users.into_iter().zip(counts).map(|(user, count)| user.filter(|_| count == 1)).collect()
}

fn alive(pieces: &[Piece], output: usize) -> Vec<bool> {
    let mut alive = vec![false; pieces.len()];
    alive[output] = true;
    alive[0] = true;
    for place in (0..pieces.len()).rev().filter(|place| *place <= output) {
        if alive[place] {
            pieces[place].inputs.iter().for_each(|input| alive[*input] = true);
        }
    }
    alive
}

/// What a piece becomes together with the piece it reads.
fn join(pieces: &[Piece], place: usize, users: &[Option<usize>], budget: &Budget) -> Result<Option<Piece>, String> {
    let piece = &pieces[place];
    let Some(&input) = piece.inputs.first() else { return Ok(None) };
    let (before, alone) = (&pieces[input], users[input] == Some(place));
    match (&piece.op, &before.op) {
        (Op::Affine(scale, shift), _) if alone => folded(before, scale, shift, budget),
        (Op::Ours(Operation::TimePooling(TimePooling::Last)), Op::Ours(Operation::Lstm(layer) | Operation::Gru(layer)))
            if alone && !layer.bidirectional =>
        {
            let mut joined = before.clone();
            if let Op::Ours(Operation::Lstm(layer) | Operation::Gru(layer)) = &mut joined.op {
                layer.return_sequences = false;
            }
            Ok(Some(Piece { shape: piece.shape.clone(), ..joined }))
        }
        (Op::Ours(Operation::Dense(dense)), Op::Mixed(_)) if alone && usize::try_from(dense.units) == Ok(before.width()) => {
            attend(pieces, before, Some(piece), budget).map(Some)
        }
        (Op::Mixed(_), _) => {
            // A dense layer that alone reads it takes it up as its output projection.
            let taken = users[place].map(|user| &pieces[user]).is_some_and(
                |user| matches!(&user.op, Op::Ours(Operation::Dense(dense)) if usize::try_from(dense.units) == Ok(piece.width())),
            );
            if taken || users[place].is_none() { Ok(None) } else { attend(pieces, piece, None, budget).map(Some) }
        }
        _ => Ok(None),
    }
}

/// A layer with a factor and a shift on its result.
fn folded(layer: &Piece, scale: &Rc<[f32]>, shift: &Rc<[f32]>, budget: &Budget) -> Result<Option<Piece>, String> {
    let (kernel, bias) = match &layer.op {
        Op::Ours(Operation::Dense(_) | Operation::Conv1d(_)) => ("kernel", "bias"),
        Op::Ours(Operation::Attention(_)) => ("output", "output-bias"),
        Op::Affine(..) => return chained(layer, scale, shift, budget).map(Some),
        _ => return Ok(None),
    };
    let width = layer.width();
    let at = |list: &Rc<[f32]>, column: usize| list[if list.len() == 1 { 0 } else { column }];
    let mut joined = layer.clone();
    let Some(weights) = joined.weights.iter_mut().find(|weight| weight.name == kernel) else { return Ok(None) };
    budget.take(weights.values.len())?;
    weights.values = weights.values.iter().enumerate().map(|(place, value)| value * at(scale, place % width)).collect();
    let own = joined.weights.iter().find(|weight| weight.name == bias).map(|weight| weight.values.clone());
    let values: Rc<[f32]> =
        (0..width).map(|column| own.as_ref().map_or(0.0, |own| own[column]) * at(scale, column) + at(shift, column)).collect();
    joined.weights.retain(|weight| weight.name != bias);
    joined.weights.push(Parameter::new(bias, &[width], values));
    match &mut joined.op {
        Op::Ours(Operation::Dense(dense)) => dense.bias = true,
        Op::Ours(Operation::Conv1d(conv)) => conv.bias = true,
        _ => {}
    }
    Ok(Some(joined))
}

fn chained(first: &Piece, scale: &Rc<[f32]>, shift: &Rc<[f32]>, budget: &Budget) -> Result<Piece, String> {
    let Op::Affine(by, plus) = &first.op else { return Err("is no factor".to_owned()) };
    let count = [by, plus, scale, shift].iter().map(|list| list.len()).max().unwrap_or(1);
    budget.take(2 * count)?;
    let at = |list: &Rc<[f32]>, place: usize| list[if list.len() == 1 { 0 } else { place }];
    let scales = (0..count).map(|place| at(by, place) * at(scale, place)).collect();
    let shifts = (0..count).map(|place| at(plus, place) * at(scale, place) + at(shift, place)).collect();
    Ok(Piece { op: Op::Affine(scales, shifts), ..first.clone() })
}

fn normalisation(scale: &Rc<[f32]>, shift: &Rc<[f32]>, width: usize) -> (Operation, Vec<Parameter>) {
    let full = |name: &str, list: &Rc<[f32]>| {
        let values = (0..width).map(|place| list[if list.len() == 1 { 0 } else { place }]).collect::<Vec<f32>>();
        Parameter::new(name, &[width], values)
    };
    let weights = vec![full("scale", scale), full("shift", shift), full("mean", &[0.0].into()), full("variance", &[1.0].into())];
    (Operation::BatchNorm(BatchNorm { epsilon: NO_EPSILON, momentum: 0.9 }), weights)
}

/// Why a half is refused.
fn alone(op: &Op) -> &'static str {
    match op {
        Op::Scores(_) | Op::Shares(_) => "makes attention scores that are read by something else than a softmax and a product with values",
        Op::Padded(_) => "pads a sequence for something else than a convolution that reaches back just as far",
        Op::Wide(_) => "pads both ends of a sequence, and the right end is not cut off again; only causal convolutions are mapped",
        Op::Erf => "is part of something else than a gelu",
        Op::Above(_) => "compares values for something else than a softplus",
        Op::Whole => "rounds values for something else than an embedding",
        Op::Mixed(_) | Op::Affine(..) | Op::Ours(_) => "is half of an operation whose other half was not found",
    }
}

fn kind(operation: &Operation) -> &'static str {
    match operation {
        Operation::Input => "input",
        Operation::Dense(_) => "dense",
        Operation::Lstm(_) => "lstm",
        Operation::Gru(_) => "gru",
        Operation::Conv1d(_) => "conv",
        Operation::LayerNorm(_) => "layer-norm",
        Operation::BatchNorm(_) => "batch-norm",
        Operation::Attention(_) => "attention",
        Operation::PositionalEncoding(_) => "positions",
        Operation::Embedding(_) => "embedding",
        Operation::Dropout(_) => "dropout",
        Operation::Activation(Activation::Softmax) => "softmax",
        Operation::Activation(_) => "activation",
        Operation::Add => "add",
        Operation::Multiply => "multiply",
        Operation::Concat(_) => "concat",
        Operation::Slice(_) => "slice",
        Operation::Reshape(_) => "reshape",
        Operation::TimePooling(_) => "pooling",
        Operation::Custom(_) => "custom",
    }
}

/// An imported network is trained already; these are the usual numbers should a job train it on.
fn training() -> Training {
    Training {
        epochs: 100,
        batch_size: 32,
        learning_rate: 1e-3,
        optimizer: Optimizer::Adam(Adam { beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weight_decay: 0.0 }),
        schedule: Schedule::Constant,
        clip_norm: None,
        early_stopping: None,
    }
}

/// The weights file: exactly the tensors that the network lists.
fn write(wanted: &[weight::Weight], tensors: &HashMap<String, Parameter>) -> Result<Vec<u8>> {
    let wrong = |name: &str, why: String| Error::internal(format!("importing `{name}`: {why}"));
    if wanted.len() != tensors.len() {
        return Err(wrong("weights", format!("{} tensors for {} of the network", tensors.len(), wanted.len())));
    }
    let mut bytes: Vec<(&str, &[usize], Vec<u8>)> = Vec::with_capacity(wanted.len());
    for weight in wanted {
        let found = tensors.get(&weight.name).ok_or_else(|| wrong(&weight.name, "has no values".to_owned()))?;
        if found.shape != weight.shape || found.values.len() != weight.len() {
            return Err(wrong(&weight.name, format!("has shape {:?}; the network wants {:?}", found.shape, weight.shape)));
        }
        bytes.push((&weight.name, &weight.shape, found.values.iter().flat_map(|value| value.to_le_bytes()).collect()));
    }
    let views = bytes.iter().map(|(name, shape, data)| TensorView::new(Dtype::F32, shape.to_vec(), data).map(|view| (*name, view)));
    let views = views.collect::<Result<Vec<_>, _>>().map_err(Error::internal)?;
    serialize(views, None).map_err(Error::internal)
}
