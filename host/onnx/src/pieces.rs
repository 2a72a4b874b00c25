//! The network while it grows: nodes of ours, and halves of them that only make sense once their other half is found.
//!
//! Several of our operations are many nodes in an exported graph: attention is three projections, two products and a
//! softmax; a dense layer is a product and a sum. The mapping adds what it sees as pieces, never changing one; `finish`
//! joins them and refuses those that stayed alone. A piece reads earlier pieces only.

use std::rc::Rc;

use bellwether_domain::network::{Activation, Conv1d, Operation};

/// What a piece does.
#[derive(Debug, Clone)]
pub(crate) enum Op {
    /// One of our operations.
    Ours(Operation),
    /// x · scale + shift over the last axis; each has one number or one per feature.
    Affine(Rc<[f32]>, Rc<[f32]>),
    /// Products of queries and keys, [heads, time, time]. Reads query and key.
    Scores(Scores),
    /// Their softmax over the last axis. Reads query and key.
    Shares(Scores),
    /// Values weighted by shares, [time, width]. Reads query, key and value.
    Mixed(Scores),
    /// A sequence with this many zeros before it.
    Padded(usize),
    /// A convolution with the same padding on both sides, whose right end is still to be cut off.
    Wide(Conv1d),
    /// The error function.
    Erf,
    /// Cast to whole numbers; only an embedding reads them.
    Whole,
    /// 1 where the value is above this number.
    Above(f32),
}

/// What is known of an attention before its values are mixed.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Scores {
    pub(crate) heads: usize,
    /// Factor on the products beside what queries and keys bring themselves.
    pub(crate) scale: f64,
    pub(crate) causal: bool,
}

/// A weight of a piece.
#[derive(Debug, Clone)]
pub(crate) struct Parameter {
    pub(crate) name: String,
    pub(crate) shape: Vec<usize>,
    pub(crate) values: Rc<[f32]>,
}

/// One step of the growing network.
#[derive(Debug, Clone)]
pub(crate) struct Piece {
    pub(crate) op: Op,
    pub(crate) inputs: Vec<usize>,
    /// Shape without the batch.
    pub(crate) shape: Vec<usize>,
    pub(crate) weights: Vec<Parameter>,
    /// Field and operator of the file it came from, for errors.
    pub(crate) origin: Rc<(String, String)>,
}

impl Op {
    /// A softmax over the last axis.
    pub(crate) fn is_softmax(&self) -> bool {
        matches!(self, Op::Ours(Operation::Activation(Activation::Softmax)))
    }
}

impl Parameter {
    pub(crate) fn new(name: impl Into<String>, shape: &[usize], values: impl Into<Rc<[f32]>>) -> Parameter {
        Parameter { name: name.into(), shape: shape.to_vec(), values: values.into() }
    }
}

impl Piece {
    /// Width of the last axis.
    pub(crate) fn width(&self) -> usize {
        self.shape.last().copied().unwrap_or(1)
    }

    pub(crate) fn weight(&self, name: &str) -> Option<&Parameter> {
        self.weights.iter().find(|weight| weight.name == name)
    }
}
