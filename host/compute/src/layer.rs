//! One operation ready to run on plain buffers: what a node of the network became.
//!
//! A layer is a value without state: weights, packed weights, inputs, output and scratch are lent to it for the length of a
//! call, so the same layer runs on several threads at once and nothing is allocated while training. Its shapes are fixed,
//! the number of rows (samples) is not. A row's output depends on that row alone, bit for bit, whatever rows are beside it;
//! batch normalisation while training is the one exception.

use std::fmt::Debug;

use bellwether_domain::job::Precision;

use crate::kernel::gru::Gru;
use crate::kernel::lstm::Lstm;
use crate::plan::{Op, Plan};

mod factor;
mod activation;
mod attention;
mod batch_norm;
mod combine;
mod conv;
mod dense;
mod dropout;
mod recurrent;
mod embedding;
mod layer_norm;
mod pool;
mod position;

/// What a program is made for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// Forward only.
    Serve,
    /// Forward with a backward pass after it.
    Train,
}

/// What decides which values a dropout drops in one step of training. See [`crate::kernel::noise`].
#[derive(Debug, Clone, Copy)]
pub(crate) struct Noise {
    /// Another one for every node and step.
    pub(crate) key: u64,
    /// Place in the whole batch of the first row, so that shards of a batch draw what the whole batch would.
    pub(crate) first_row: usize,
}

/// Values of the nodes a layer reads.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Inputs<'a> {
    pub(crate) values: &'a [crate::arena::Arena],
    /// Slot of each input, and numbers per row in it.
    pub(crate) slots: &'a [(usize, usize)],
    pub(crate) rows: usize,
}

impl<'a> Inputs<'a> {
    /// Value of input `place`, [rows, ..shape].
    pub(crate) fn get(&self, place: usize) -> &'a [f32] {
        let (slot, size) = self.slots[place];
        &self.values[slot][..self.rows * size]
    }

    /// Number of inputs.
    pub(crate) fn count(&self) -> usize {
        self.slots.len()
    }
}

/// What a layer is lent for a forward pass.
#[derive(Debug)]
pub(crate) struct Forward<'a> {
    pub(crate) rows: usize,
    pub(crate) inputs: Inputs<'a>,
    /// Its weights one after the other, in the order of [`bellwether_domain::network::weight`].
    pub(crate) weights: &'a [f32],
    /// What [`Layer::pack`] made of them.
    pub(crate) packed: &'a [f32],
    /// [rows, ..shape]; every number is written, whatever was there.
    pub(crate) output: &'a mut [f32],
    /// [`Layer::scratch`] numbers, with anything in them.
    pub(crate) scratch: &'a mut [f32],
    /// A backward pass follows: leave in the scratch what it needs.
    pub(crate) purpose: Purpose,
    /// Absent: drop nothing.
    pub(crate) noise: Option<Noise>,
}

/// What a layer is lent for a backward pass, which always follows the forward pass of the same rows.
#[derive(Debug)]
pub(crate) struct Backward<'a> {
    pub(crate) rows: usize,
    pub(crate) inputs: Inputs<'a>,
    pub(crate) weights: &'a [f32],
    pub(crate) packed: &'a [f32],
    /// What the forward pass wrote.
    pub(crate) output: &'a [f32],
    /// Gradient of the output; may be overwritten.
    pub(crate) above: &'a mut [f32],
    /// As the forward pass left it; may be overwritten.
    pub(crate) scratch: &'a mut [f32],
    /// Gradient of the weights, laid out as they are; every number is written. A kept weight that is not trained gets what
    /// is to be subtracted from it.
    pub(crate) gradient: &'a mut [f32],
    /// Where the gradients of the inputs go.
    pub(crate) below: Below<'a>,
    pub(crate) noise: Option<Noise>,
}

/// Gradients of the inputs. A node that is read twice gets the sum.
#[derive(Debug)]
pub(crate) struct Below<'a> {
    pub(crate) slopes: &'a mut [crate::arena::Arena],
    /// Which node each input is, and numbers per row of its value.
    pub(crate) nodes: &'a [(usize, usize)],
    /// Whether a node's gradient holds something already.
    pub(crate) written: &'a mut [bool],
    /// Whether gradients pass through a node.
    pub(crate) learns: &'a [bool],
    pub(crate) spare: &'a mut [f32],
    pub(crate) rows: usize,
}

impl Below<'_> {
    /// Something below input `place` learns, so its gradient is wanted.
    pub(crate) fn wanted(&self, place: usize) -> bool {
        self.learns[self.nodes[place].0]
    }

    /// Lets `write` write the gradient of input `place`, every number of it; not called where it is not wanted.
    pub(crate) fn fill(&mut self, place: usize, write: impl FnOnce(&mut [f32])) {
        let (node, size) = self.nodes[place];
        if !self.learns[node] {
            return;
        }
        let to = &mut self.slopes[node][..self.rows * size];
        if std::mem::replace(&mut self.written[node], true) {
            let more = &mut self.spare[..self.rows * size];
            write(more);
            to.iter_mut().zip(more).for_each(|(sum, value)| *sum += *value);
        } else {
            write(to);
        }
    }
}

/// One operation ready to run.
pub(crate) trait Layer: Debug + Send + Sync {
    /// Numbers of packed weights.
    fn packed(&self, _purpose: Purpose) -> usize {
        0
    }

    /// Puts the weights into the order the kernels read; called whenever they have changed.
    fn pack(&self, _weights: &[f32], _purpose: Purpose, _packed: &mut [f32]) {}

    /// Numbers of scratch a pass over `rows` rows needs; more rows never need less.
    fn scratch(&self, _rows: usize, _purpose: Purpose) -> usize {
        0
    }

    /// Multiply-adds of a forward pass over one row; what is not a product of matrices need not be counted.
    fn products(&self) -> u64 {
        0
    }

    /// Computes the output.
    fn forward(&self, pass: Forward<'_>);

    /// Computes the gradients. Called only when something at or below the node learns.
    fn backward(&self, pass: Backward<'_>);
}

/// The layer of a step, whose products training computes with `precision`; those of recurrent layers always have 32 bits.
pub(crate) fn of_step(plan: &Plan, place: usize, precision: Precision) -> Box<dyn Layer> {
    let step = &plan.steps[place];
    let shape = |input: usize| &plan.steps[step.inputs[input]].shape[..];
    let size = step.shape.iter().product::<usize>();
    match &step.op {
        Op::Input => Box::new(combine::Identity),
        Op::Dense { bias } => Box::new(dense::Dense::new(shape(0), &step.shape, *bias, precision)),
        Op::Dropout(share) => Box::new(dropout::Dropout::new(*share, size)),
        Op::Activation(activation) => Box::new(activation::Activation::new(*activation, step.shape.last().copied().unwrap_or(1))),
        Op::Reshape => Box::new(combine::Identity),
        Op::Lstm(layer) => Box::new(recurrent::Recurrent::<Lstm>::new(layer, shape(0))),
        Op::Gru(layer) => Box::new(recurrent::Recurrent::<Gru>::new(layer, shape(0))),
        Op::Attention(layer) => Box::new(attention::Attention::new(layer, shape(0), precision)),
        Op::LayerNorm(epsilon) => Box::new(layer_norm::LayerNorm::new(shape(0), *epsilon)),
        Op::Position(kind) => Box::new(position::Position::new(*kind, shape(0))),
        Op::Embedding(table) => Box::new(embedding::Embedding::new(table.categories, &step.shape)),
        Op::Pool(kind) => Box::new(pool::Pool::new(*kind, shape(0))),
        Op::Add => Box::new(combine::Add),
        Op::Multiply => Box::new(combine::Multiply),
        Op::Concat(axis) => Box::new(combine::Concat::new((0..step.inputs.len()).map(shape), *axis)),
        Op::Slice { axis, start, length } => Box::new(combine::Slice::new(shape(0), *axis, *start, *length)),
        Op::Conv1d(layer) => Box::new(conv::Conv::new(layer, shape(0), &step.shape, precision)),
        Op::BatchNorm(layer) => Box::new(batch_norm::BatchNorm::new(layer, shape(0))),
    }
}
