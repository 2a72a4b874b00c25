//! Long short-term memory (Hochreiter and Schmidhuber 1997), one layer in one direction, with its gradient by hand.
//!
//! z_t = x_t·W + h_{t-1}·R + b; i, f, o = σ(z), g = tanh(z); c_t = f·c_{t-1} + i·g; h_t = o·tanh(c_t); h and c begin at zero.
//! x·W of all steps is one product; each step then adds h·R. Backwards, each step needs only dz_t·Rᵀ; the weights'
//! gradients are one product each over all steps. Sequences are row-major [batch, time, width].

use crate::kernel::gates::{advance, retreat};
use crate::kernel::matmul::{Packed, Start, multiply};
use crate::kernel::raw::transposed_product;

/// Sizes of one run.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Run {
    pub(crate) batch: usize,
    pub(crate) steps: usize,
    pub(crate) input: usize,
    pub(crate) units: usize,
    /// Read the steps from the last to the first.
    pub(crate) reverse: bool,
}

/// Weights ready to run: W [input, 4·units], R [units, 4·units], b [4·units].
#[derive(Debug, Clone, Default)]
pub(crate) struct Cell {
    pub(crate) kernel: Packed,
    pub(crate) recurrent: Packed,
    pub(crate) bias: Vec<f32>,
}

/// h, c and tanh(c) after a step, each [batch, units].
#[derive(Debug, Clone, Default)]
pub(crate) struct State {
    pub(crate) hidden: Vec<f32>,
    pub(crate) cell: Vec<f32>,
    pub(crate) tanh_cell: Vec<f32>,
}

/// What the backward pass needs, [batch, time, ..]: gates after their functions, c, tanh(c), and h before each step.
#[derive(Debug, Default)]
pub(crate) struct Trace {
    pub(crate) gates: Vec<f32>,
    pub(crate) cell: Vec<f32>,
    pub(crate) tanh_cell: Vec<f32>,
    pub(crate) before: Vec<f32>,
}

impl Run {
    /// Place in time of the step that is computed as number `step`.
    fn time(&self, step: usize) -> usize {
        if self.reverse { self.steps - 1 - step } else { step }
    }

    /// Numbers in the state.
    fn state(&self) -> usize {
        self.batch * self.units
    }

    /// Length of a [batch, time, 4·units] value.
    pub(crate) fn gates(&self) -> usize {
        4 * self.steps * self.state()
    }
}

impl State {
    fn clear(&mut self, length: usize) {
        for values in [&mut self.hidden, &mut self.cell, &mut self.tanh_cell] {
            values.clear();
            values.resize(length, 0.0);
        }
    }
}

/// Sets the length without touching what is there: every number is written before it is read.
pub(crate) fn fit_length(values: &mut Vec<f32>, length: usize) {
    values.resize(length, 0.0);
}

/// Runs over x [batch, time, input]; `gates` (of length [`Run::gates`]) is overwritten. `each(time, state)` sees every step.
pub(crate) fn forward(run: &Run, x: &[f32], cell: &Cell, gates: &mut [f32], state: &mut State, mut each: impl FnMut(usize, &State)) {
    let width = 4 * run.units;
    let stride = run.steps * width;
    multiply(x, run.input, run.batch * run.steps, cell.kernel.view(), Start::Row(&cell.bias), gates, width);
    state.clear(run.state());
    for step in 0..run.steps {
        let time = run.time(step);
        let sums = &mut gates[time * width..];
        if step > 0 {
            multiply(&state.hidden, run.units, run.batch, cell.recurrent.view(), Start::Given, sums, stride);
        }
        advance(sums, stride, run.units, &mut state.cell, &mut state.tanh_cell, &mut state.hidden);
        each(time, state);
    }
}

/// [`forward`] that also keeps the trace. `each` as there.
pub(crate) fn forward_traced(run: &Run, x: &[f32], cell: &Cell, trace: &mut Trace, state: &mut State, mut each: impl FnMut(usize, &State)) {
    let Trace { gates, cell: cells, tanh_cell, before } = trace;
    fit_length(gates, run.gates());
    for values in [&mut *cells, &mut *tanh_cell, &mut *before] {
        fit_length(values, run.steps * run.state());
    }
    let first = run.time(0);
    for row in 0..run.batch {
        before[(row * run.steps + first) * run.units..][..run.units].fill(0.0);
    }
    forward(run, x, cell, gates, state, |time, state| {
        scatter(run, time, &state.cell, cells, run.units, 0);
        scatter(run, time, &state.tanh_cell, tanh_cell, run.units, 0);
        let next = if run.reverse { time.checked_sub(1) } else { Some(time + 1).filter(|next| *next < run.steps) };
        if let Some(next) = next {
            scatter(run, next, &state.hidden, before, run.units, 0);
        }
        each(time, state);
    });
}

/// Writes [batch, units] at one time of [batch, time, width], from column `at`.
pub(crate) fn scatter(run: &Run, time: usize, from: &[f32], to: &mut [f32], width: usize, at: usize) {
    for (row, line) in from.chunks_exact(run.units).enumerate() {
        to[(row * run.steps + time) * width + at..][..run.units].copy_from_slice(line);
    }
}

/// The gradient that comes from above.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Above<'a> {
    /// Of the state after the run, [batch, units].
    Last(&'a [f32]),
    /// Of every step, [batch, time, units].
    All(&'a [f32]),
}

/// Where the gradients go; shapes as the weights and x.
#[derive(Debug)]
pub(crate) struct Gradients<'a> {
    pub(crate) kernel: &'a mut [f32],
    pub(crate) recurrent: &'a mut [f32],
    pub(crate) bias: &'a mut [f32],
    /// Left out where nothing below x learns.
    pub(crate) x: Option<&'a mut [f32]>,
}

/// Gradients of a traced run; overwrites the trace's gates. `recurrent` and `kernel` are packed transposed.
pub(crate) fn backward(run: &Run, x: &[f32], kernel: &Packed, recurrent: &Packed, trace: &mut Trace, above: Above<'_>, to: Gradients<'_>) {
    let (units, width) = (run.units, 4 * run.units);
    let stride = run.steps * width;
    let (mut hidden, mut cell) = (vec![0.0; run.state()], vec![0.0; run.state()]);
    if let Above::Last(last) = above {
        hidden.copy_from_slice(last);
    }
    for step in (0..run.steps).rev() {
        let time = run.time(step);
        if let Above::All(all) = above {
            for (row, line) in hidden.chunks_exact_mut(units).enumerate() {
                let more = &all[(row * run.steps + time) * units..][..units];
                line.iter_mut().zip(more).for_each(|(sum, value)| *sum += value);
            }
        }
        let gates = &mut trace.gates[time * width..];
        let before = if step == 0 { &[][..] } else { &trace.cell[run.time(step - 1) * units..] };
        retreat(gates, stride, units, &trace.tanh_cell[time * units..], before, &hidden, &mut cell);
        if step > 0 {
            multiply(gates, stride, run.batch, recurrent.view(), Start::Zero, &mut hidden, units);
        }
    }
    let (sums, rows) = (&trace.gates[..run.gates()], run.batch * run.steps);
    transposed_product(x, sums, to.kernel, [run.input, rows, width]);
    transposed_product(&trace.before, sums, to.recurrent, [units, rows, width]);
    to.bias.fill(0.0);
    for line in sums.chunks_exact(width) {
        to.bias.iter_mut().zip(line).for_each(|(sum, value)| *sum += value);
    }
    if let Some(x) = to.x {
        multiply(sums, width, rows, kernel.view(), Start::Zero, x, run.input);
    }
}
