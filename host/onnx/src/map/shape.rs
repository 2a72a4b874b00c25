//! Reshape, transpose and their kin on signals; reading a signal as one of our shapes.

use bellwether_domain::network::Operation;

use super::{Call, Mapped, Mapper, Value, one};
use crate::fold::{self, Known};
use crate::graph::Attributes;
use crate::layout::{Dim, Signal, size, text, whole};
use crate::pieces::Op;
use crate::tensor::Number;

impl Mapper {
    pub(super) fn reshape_family(&mut self, call: &Call<'_>) -> Mapped {
        let (node, signal) = (call.node, call.signal(0)?);
        let sizes = signal.sizes();
        match node.op_type.as_str() {
            "Shape" => Ok(vec![Value::Known(Known::Constant(fold::shape(node, &sizes)?))]),
            "Transpose" => one(signal.transposed(&fold::permutation_of(node.integers("perm"), sizes.len())?)),
            "Expand" => {
                let wanted = call.weights(1, "shape")?.as_numbers()?;
                let fits = wanted.len() <= sizes.len()
                    && wanted.iter().rev().zip(sizes.iter().rev()).all(|(wanted, size)| wanted.is_one() || wanted == size);
                if fits { one(signal.clone()) } else { Err(format!("repeats a value of shape {} to {}", text(&sizes), text(&wanted))) }
            }
            kind => one(signal.reshaped(&fold::new_shape(node, kind, &sizes, call.constant(1)?, self.opset)?)?),
        }
    }

    /// The piece behind a signal in row-major order of these axes, as a shape with one axis for each. Errors: the numbers lie
    /// in another order, the axes leave something out, or hold the batch.
    pub(super) fn arranged(&mut self, signal: &Signal, axes: &[usize]) -> Mapped<usize> {
        let shape = self.pieces[signal.piece].shape.clone();
        let sizes = axes.iter().map(|axis| size(&signal.dims[*axis]).size()).collect::<Option<Vec<usize>>>();
        let sizes = sizes.ok_or_else(|| format!("reads a value of shape {} whose batch lies between other axes", signal.shape_text()))?;
        let atoms: Vec<_> = axes.iter().flat_map(|axis| signal.dims[*axis].iter().copied()).collect();
        let mut after = 1;
        for atom in atoms.iter().rev() {
            let flat = atom.axis.map(|axis| atom.stride * shape[axis + 1..].iter().product::<usize>());
            if flat != Some(after) {
                return Err(format!(
                    "reads its value of shape {} with time and features turned round; a network description cannot turn them",
                    signal.shape_text()
                ));
            }
            after = after.saturating_mul(atom.size.size().unwrap_or(0));
        }
        if after != shape.iter().product::<usize>() {
            return Err(format!("reads a part of a value of shape {} as if it were the whole", signal.shape_text()));
        }
        if sizes == shape {
            return Ok(signal.piece);
        }
        let axes = sizes.iter().map(|size| u32::try_from(*size).unwrap_or(u32::MAX)).collect();
        self.add(Op::Ours(Operation::Reshape(axes)), &[signal.piece], &sizes, vec![])
    }

    /// A signal seen so that its last axis is the whole last axis of its piece.
    pub(super) fn by_last_axis(&mut self, signal: &Signal) -> Mapped<Signal> {
        let shape = &self.pieces[signal.piece].shape;
        let Some(last) = signal.dims.last() else { return Err("reads a single number".to_owned()) };
        let (rank, width) = (shape.len(), shape.last().copied().unwrap_or(1));
        if rank > 0 && *last == whole(rank - 1, width) {
            return Ok(signal.clone());
        }
        self.spread_out(signal, true)
    }

    /// A signal over a piece whose axes are the signal's own, without the batch and (but for the last) those of one element.
    pub(super) fn spread_out(&mut self, signal: &Signal, keep_last: bool) -> Mapped<Signal> {
        let batch = self.batch_dim();
        let count = signal.dims.len();
        let kept =
            |at: &usize| (keep_last && at + 1 == count || !signal.dims[*at].is_empty()) && (signal.dims[*at] != batch || batch.is_empty());
        let axes: Vec<usize> = (0..count).filter(kept).collect();
        let piece = self.arranged(signal, &axes)?;
        let shape = &self.pieces[piece].shape;
        let place = |at: usize| axes.iter().position(|axis| *axis == at);
        let dims = (0..count).map(|at| place(at).map_or_else(|| signal.dims[at].clone(), |axis| whole(axis, shape[axis]))).collect();
        Ok(Signal { piece, dims })
    }

    /// The piece of a signal as one vector.
    pub(crate) fn vector(&mut self, signal: &Signal) -> Mapped<usize> {
        let inner: Dim = signal.inner_dims().concat();
        let batches = signal.dims.iter().flatten().filter(|atom| atom.axis.is_none()).count();
        if batches > 1 || signal.inner_dims().len() > 1 {
            return Err(format!(
                "is a value of shape {}; a model answers [batch, 1]: pool over time, or take the last step",
                signal.shape_text()
            ));
        }
        self.arranged(&Signal { piece: signal.piece, dims: vec![inner] }, &[0])
    }

    /// A signal of three axes, in the places given, as [time, features]; the third axis must be the batch.
    pub(super) fn sequence(&mut self, signal: &Signal, time: usize, features: usize) -> Mapped<usize> {
        let batch = 3_usize.checked_sub(time + features).filter(|_| signal.dims.len() == 3);
        match batch {
            Some(batch) if signal.dims[batch] == self.batch_dim() => self.arranged(signal, &[time, features]),
            _ => {
                let names = |at: usize| {
                    [(time, "time"), (features, "features")].iter().find(|(place, _)| *place == at).map_or("batch", |found| found.1)
                };
                Err(format!("reads a value of shape {}; [{}, {}, {}] is expected", signal.shape_text(), names(0), names(1), names(2)))
            }
        }
    }

    /// Elements of an axis that does not hold the batch.
    pub(super) fn length(dim: &Dim) -> Mapped<usize> {
        Number::size(size(dim)).ok_or_else(|| "works along the batch".to_owned())
    }
}
