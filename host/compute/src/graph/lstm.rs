//! The LSTM node on the tape: one fused operation per layer and direction, gradients as in [`crate::kernel::lstm`].
//!
//! An operation reads x [batch, time, in] and all its weights stacked by rows, [in + units + 1, 4·units]: kernel,
//! recurrent kernel, bias. It gives [batch, time, units], or [batch, units] after the run (so the last layer's gradient
//! has one step). Its trace lives in [`Memory`], which the next batch uses again: one forward pass must be followed by its
//! own backward pass before the next forward pass.

use std::sync::{Arc, Mutex, PoisonError};

use bellwether_domain::network::Recurrent;
use candle_core::{CpuStorage, CustomOp2, Layout, Result, Shape, Tensor};

use crate::graph::read;
use crate::graph::storage::slice;
use crate::kernel::lstm::{Above, Cell, Gradients, Run, State, Trace, backward, forward_traced, scatter};
use crate::kernel::matmul::Packed;

/// Memory of one layer and direction.
#[derive(Debug, Clone, Default)]
pub(crate) struct Memory(Arc<Mutex<Buffers>>);

#[derive(Debug, Default)]
struct Buffers {
    trace: Trace,
    state: State,
    cell: Cell,
    kernel_back: Packed,
    recurrent_back: Packed,
}

struct Lstm {
    run: Run,
    all: bool,
    /// Something below x learns, so its gradient is wanted.
    below: bool,
    memory: Memory,
}

/// Applies all layers and directions; `own` is kernel, recurrent kernel, bias for each, `memories` one per weight.
pub(crate) fn apply(input: &Tensor, own: &[Tensor], memories: &[Memory], layer: &Recurrent, below: bool) -> Result<Tensor> {
    let directions = if layer.bidirectional { 2 } else { 1 };
    let layers = own.chunks_exact(3 * directions).zip(memories.chunks_exact(3 * directions));
    let last = layers.len().saturating_sub(1);
    let mut value = input.clone();
    for (level, (weights, memories)) in layers.enumerate() {
        let x = value.contiguous()?;
        let (batch, steps, width) = x.dims3()?;
        let (all, below) = (layer.return_sequences || level < last, below || level > 0);
        let mut sides = Vec::with_capacity(directions);
        for (direction, (weights, memories)) in weights.chunks_exact(3).zip(memories.chunks_exact(3)).enumerate() {
            let stacked = Tensor::cat(&[&weights[0], &weights[1], &weights[2].unsqueeze(0)?], 0)?;
            let units = weights[1].dim(0)?;
            let run = Run { batch, steps, input: width, units, reverse: direction == 1 };
            sides.push(x.apply_op2(&stacked, Lstm { run, all, below, memory: memories[0].clone() })?);
        }
        value = if let [one] = &sides[..] { one.clone() } else { Tensor::cat(&sides, candle_core::D::Minus1)? };
    }
    Ok(value)
}

impl CustomOp2 for Lstm {
    fn name(&self) -> &'static str {
        "lstm"
    }

    fn cpu_fwd(&self, s1: &CpuStorage, l1: &Layout, s2: &CpuStorage, l2: &Layout) -> Result<(CpuStorage, Shape)> {
        let (x, stacked) = (slice(s1, l1)?, slice(s2, l2)?);
        let Run { batch, steps, input, units, .. } = self.run;
        let mut memory = self.memory.0.lock().unwrap_or_else(PoisonError::into_inner);
        let Buffers { trace, state, cell, kernel_back, recurrent_back } = &mut *memory;
        let width = 4 * units;
        let (kernel, rest) = stacked.split_at(input * width);
        let (recurrent, bias) = rest.split_at(units * width);
        cell.kernel.pack(kernel, input, width);
        cell.recurrent.pack(recurrent, units, width);
        cell.bias.clear();
        cell.bias.extend_from_slice(bias);
        kernel_back.pack_transposed(kernel, width, input);
        recurrent_back.pack_transposed(recurrent, width, units);
        if self.all {
            let mut out = vec![0.0; batch * steps * units];
            forward_traced(&self.run, x, cell, trace, state, |time, state| scatter(&self.run, time, &state.hidden, &mut out, units, 0));
            Ok((CpuStorage::F32(out), Shape::from((batch, steps, units))))
        } else {
            forward_traced(&self.run, x, cell, trace, state, |_, _| {});
            Ok((CpuStorage::F32(state.hidden.clone()), Shape::from((batch, units))))
        }
    }

    fn bwd(&self, x: &Tensor, stacked: &Tensor, _res: &Tensor, above: &Tensor) -> Result<(Option<Tensor>, Option<Tensor>)> {
        let mut memory = self.memory.0.lock().unwrap_or_else(PoisonError::into_inner);
        let Buffers { trace, kernel_back, recurrent_back, .. } = &mut *memory;
        let width = 4 * self.run.units;
        let mut to_weights = vec![0.0; stacked.elem_count()];
        let mut to_x = if self.below { vec![0.0; x.elem_count()] } else { Vec::new() };
        let (kernel, rest) = to_weights.split_at_mut(self.run.input * width);
        let (recurrent, bias) = rest.split_at_mut(self.run.units * width);
        let to = Gradients { kernel, recurrent, bias, x: self.below.then_some(&mut to_x[..]) };
        read(above, |above| {
            let above = if self.all { Above::All(above) } else { Above::Last(above) };
            read(x, |x| {
                backward(&self.run, x, kernel_back, recurrent_back, trace, above, to);
                Ok(())
            })
        })?;
        let to_x = if self.below { Some(Tensor::from_vec(to_x, x.shape(), x.device())?) } else { None };
        Ok((to_x, Some(Tensor::from_vec(to_weights, stacked.shape(), x.device())?)))
    }
}
