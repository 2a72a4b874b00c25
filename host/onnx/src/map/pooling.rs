//! A sequence made a vector: mean, maximum and sum over time.

use bellwether_domain::network::{Operation, TimePooling};

use super::{Call, Mapped, Mapper, one};
use crate::graph::Attributes;
use crate::layout::{Dim, Signal, whole};
use crate::pieces::Op;

impl Mapper {
    pub(super) fn pool(&mut self, call: &Call<'_>) -> Mapped {
        let (node, signal) = (call.node, call.signal(0)?.clone());
        let kind = node.op_type.as_str();
        let global = kind.starts_with("Global");
        let (axes, keep) = if global {
            ((2..signal.dims.len()).collect(), true)
        } else {
            let axes = match call.constant(1)? {
                Some(axes) => axes.as_integers()?,
                None => node.integers("axes").ok_or("reduces over every axis, the batch too")?.to_vec(),
            };
            (axes.iter().map(|axis| signal.axis(*axis)).collect::<Mapped<Vec<usize>>>()?, node.integer("keepdims", 1) != 0)
        };
        let [axis] = axes[..] else { return Err("reduces over several axes; only time alone is mapped".to_owned()) };
        let shape = self.pieces[signal.piece].shape.clone();
        let [steps, width] = shape[..] else { return Err("reduces a value that is not a sequence".to_owned()) };
        if steps < 2 || signal.dims[axis] != whole(0, steps) {
            return Err(format!("reduces axis {axis} of a value of shape {}, which is not time", signal.shape_text()));
        }
        let pooling = if kind.ends_with("Max") || kind == "GlobalMaxPool" { TimePooling::Max } else { TimePooling::Mean };
        let mut piece = self.add(Op::Ours(Operation::TimePooling(pooling)), &[signal.piece], &[width], vec![])?;
        if kind == "ReduceSum" {
            piece = self.add(Op::Affine(vec![steps as f32].into(), vec![0.0].into()), &[piece], &[width], vec![])?;
        }
        one(without_time(&signal, piece, axis, keep))
    }
}

/// The layout of [time, features] over [features]: the time axis is gone, or has one element.
pub(super) fn without_time(signal: &Signal, piece: usize, axis: usize, keep: bool) -> Signal {
    let moved =
        |dim: &Dim| dim.iter().map(|atom| crate::layout::Atom { axis: atom.axis.map(|axis| axis.saturating_sub(1)), ..*atom }).collect();
    let mut dims: Vec<Dim> = signal.dims.iter().map(moved).collect();
    if keep {
        dims[axis] = vec![];
    } else {
        dims.remove(axis);
    }
    Signal { piece, dims }
}
