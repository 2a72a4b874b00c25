//! A checked network made ready to run: typed steps, shapes, and where each weight lies in one array.
//!
//! Training and serving both follow this list; neither looks at the description again.

mod table;

use std::ops::Range;

use bellwether_domain::network::shape::{Shape, infer};
use bellwether_domain::network::weight::{Weight, weights};
use bellwether_domain::network::{
    Activation, Attention, BatchNorm, Conv1d, Embedding, Network, Node, Operation, Output, Position, Recurrent, TimePooling,
};
use bellwether_domain::{Error, Result};

use crate::plan::table::Table;

/// What a step does. Axes do not count the batch.
#[derive(Debug, Clone)]
pub(crate) enum Op {
    Input,
    Dense { bias: bool },
    Lstm(Recurrent),
    Gru(Recurrent),
    Conv1d(Conv1d),
    BatchNorm(BatchNorm),
    Attention(Attention),
    Position(Position),
    Embedding(Embedding),
    LayerNorm(f64),
    Dropout(f64),
    Activation(Activation),
    Add,
    Multiply,
    Concat(usize),
    Slice { axis: usize, start: usize, length: usize },
    Reshape,
    Pool(TimePooling),
}

/// One node.
#[derive(Debug, Clone)]
pub(crate) struct Step {
    pub(crate) op: Op,
    pub(crate) inputs: Vec<usize>,
    pub(crate) shape: Shape,
    /// Its weights, as places in [`Plan::weights`].
    pub(crate) weights: Range<usize>,
    /// An output depends on it.
    pub(crate) live: bool,
    /// It depends on a weight, so gradients pass through it.
    pub(crate) learns: bool,
}

/// A compiled network.
#[derive(Debug)]
pub(crate) struct Plan {
    pub(crate) steps: Vec<Step>,
    pub(crate) weights: Vec<Weight>,
    /// Where each weight lies in the array of all.
    pub(crate) places: Vec<Range<usize>>,
    pub(crate) outputs: Vec<Output>,
    /// Node of each output.
    pub(crate) heads: Vec<usize>,
    /// The node that reads the window.
    pub(crate) input: usize,
    /// What embeddings read.
    pub(crate) tables: Vec<Table>,
    /// Shape of a window, [time, features].
    pub(crate) window: [usize; 2],
}

impl Plan {
    /// Checks and compiles. Errors as [`infer`].
    pub(crate) fn compile(network: &Network, steps: usize, features: usize) -> Result<Plan> {
        let shapes = infer(network, steps, features)?;
        let listed = weights(network, &shapes);
        let mut compiled: Vec<Step> = Vec::with_capacity(network.nodes.len());
        let mut first = 0;
        for ((place, node), shape) in network.nodes.iter().enumerate().zip(shapes.nodes) {
            let end = first + listed[first..].iter().take_while(|weight| weight.node == place).count();
            let inputs: Vec<usize> = node.inputs.iter().map(|input| index(*input)).collect();
            let learns = end > first || inputs.iter().any(|input| compiled[*input].learns);
            compiled.push(Step { op: op(node)?, inputs, shape, weights: first..end, live: false, learns });
            first = end;
        }
        let heads: Vec<usize> = network.outputs.iter().map(|output| index(output.node)).collect();
        mark_live(&mut compiled, &heads);
        let places = listed.iter().scan(0, |next, weight| {
            let start = *next;
            *next += weight.len();
            Some(start..*next)
        });
        let places = places.collect();
        let input = compiled.iter().position(|step| matches!(step.op, Op::Input)).unwrap_or(0);
        let embeddings = compiled.iter().enumerate().filter_map(|(place, step)| match &step.op {
            Op::Embedding(table) if step.live => Some((place, table.categories)),
            _ => None,
        });
        let tables = embeddings.map(|(place, categories)| Table::trace(network, &compiled, place, categories)).collect::<Result<_>>()?;
        Ok(Plan {
            tables,
            steps: compiled,
            places,
            weights: listed,
            outputs: network.outputs.clone(),
            heads,
            input,
            window: [steps, features],
        })
    }

    /// Numbers in all weights.
    pub(crate) fn weights_len(&self) -> usize {
        self.places.last().map_or(0, |place| place.end)
    }

    /// A step of training must see all rows of its batch in one pass: some layer takes statistics over them.
    pub(crate) fn whole_batch(&self) -> bool {
        self.steps.iter().any(|step| step.live && matches!(step.op, Op::BatchNorm(_)))
    }
}

fn mark_live(steps: &mut [Step], heads: &[usize]) {
    for head in heads {
        steps[*head].live = true;
    }
    for place in (0..steps.len()).rev() {
        if steps[place].live {
            for input in steps[place].inputs.clone() {
                steps[input].live = true;
            }
        }
    }
}

fn op(node: &Node) -> Result<Op> {
    Ok(match &node.operation {
        Operation::Input => Op::Input,
        Operation::Dense(dense) => Op::Dense { bias: dense.bias },
        Operation::Lstm(layer) => Op::Lstm(layer.clone()),
        Operation::Gru(layer) => Op::Gru(layer.clone()),
        Operation::Conv1d(layer) => Op::Conv1d(layer.clone()),
        Operation::BatchNorm(layer) => Op::BatchNorm(layer.clone()),
        Operation::Attention(layer) => Op::Attention(layer.clone()),
        Operation::PositionalEncoding(position) => Op::Position(*position),
        Operation::Embedding(table) => Op::Embedding(table.clone()),
        Operation::LayerNorm(epsilon) => Op::LayerNorm(*epsilon),
        Operation::Dropout(share) => Op::Dropout(*share),
        Operation::Activation(activation) => Op::Activation(*activation),
        Operation::Add => Op::Add,
        Operation::Multiply => Op::Multiply,
        Operation::Concat(axis) => Op::Concat(index(*axis)),
        Operation::Slice(slice) => Op::Slice { axis: index(slice.axis), start: index(slice.start), length: index(slice.length) },
        Operation::Reshape(_) => Op::Reshape,
        Operation::TimePooling(pooling) => Op::Pool(*pooling),
        Operation::Custom(custom) => {
            let why = format!("the custom operation `{}` is not known to this host", custom.name);
            return Err(Error::invalid(format!("network.{}", node.name), why));
        }
    })
}

fn index(number: u32) -> usize {
    usize::try_from(number).expect("checked against lengths that fit")
}
