//! Gated recurrent unit (Cho et al. 2014), one layer in one direction, with its gradient by hand.
//!
//! r, z = σ(x·W + h·R + b); n = tanh(x·Wn + bn + r∘q) with q = h·Rn + c; h' = (1 - z)∘n + z∘h; h begins at zero. The reset gate
//! applies after the recurrent product, as in cuDNN, PyTorch and Keras' `reset_after`.
//! The layout is that of [`crate::kernel::recurrent`]; a block's slots are n, r, z, q, so that x·W fills the first three and
//! h·R the last three.

use crate::arena::{cut, lines};
use crate::kernel::gates::{Lines, mix_block, unmix_block};
use crate::kernel::matmul::{Matrix, Start, packed_len};
use crate::kernel::raw::LANES;
use crate::kernel::recurrent::{
    Above, BLOCK, Below, Cell, Lesson, Run, Strided, Sums, apart, back, back_all, back_depth, enter, learn, leave, pack_back, pack_gates,
    packed_gates, unpack_gates,
};

/// Gates (r, z, n in the weights) of the slots that x reaches, and of those that h reaches.
const OF_INPUT: [usize; 3] = [2, 0, 1];
const OF_STATE: [usize; 3] = [0, 1, 2];
/// The slots of x and of h: the first, and how many.
const INPUT_SLOTS: [usize; 2] = [0, 3];
const STATE_SLOTS: [usize; 2] = [1, 3];

/// The cell.
#[derive(Debug)]
pub(crate) struct Gru;

impl Cell for Gru {
    fn weights(input: usize, units: usize) -> usize {
        3 * units * (input + units + 1) + units
    }

    fn packed(input: usize, units: usize) -> [usize; 2] {
        let back = |columns| packed_len(back_depth(units, 3), columns);
        [packed_gates(input + units + 1, units, 3) + packed_gates(1, units, 1), back(input) + back(units)]
    }

    fn pack(weights: &[f32], input: usize, units: usize, forward: &mut [f32], back: &mut [f32]) {
        let (of_input, rest) = weights.split_at(3 * units * input);
        let (of_state, rest) = rest.split_at(3 * units * units);
        let (bias, state_bias) = rest.split_at(3 * units);
        let parts = Parts::split(forward, input, units, <[f32]>::split_at_mut);
        pack_gates(of_input, input, units, &OF_INPUT, parts.input);
        pack_gates(of_state, units, units, &OF_STATE, parts.state);
        pack_gates(bias, 1, units, &OF_INPUT, parts.bias);
        pack_gates(state_bias, 1, units, &[0], parts.state_bias);
        if !back.is_empty() {
            let (to_input, to_state) = back.split_at_mut(packed_len(back_depth(units, 3), input));
            pack_back(of_input, input, units, &OF_INPUT, to_input);
            pack_back(of_state, units, units, &OF_STATE, to_state);
        }
    }

    fn trace(run: &Run, traced: bool) -> usize {
        let kept = if traced { run.steps * run.rows } else { 0 };
        trace_sizes(run, kept.max(run.most_ahead())).into_iter().map(lines).sum()
    }

    fn slopes(run: &Run) -> usize {
        Slopes::sizes(run, run.most_ahead()).into_iter().map(lines).sum()
    }

    fn forward(
        run: &Run,
        x: Strided<&[f32]>,
        packed: &[f32],
        traced: bool,
        mut trace: &mut [f32],
        mut to: Strided<&mut [f32]>,
        last: bool,
    ) {
        let parts = Parts::split(packed, run.input, run.units, <[f32]>::split_at);
        let (ahead, lines) = (run.ahead(), run.rows * run.line());
        let kept = if traced { run.steps } else { ahead };
        // Untraced, the states go round.
        let round = if traced { run.steps + 1 } else { ahead.max(2) };
        let [all_lines, all_gates] = trace_sizes(run, kept * run.rows).map(|length| cut(&mut trace, length));
        all_lines[..lines].chunks_exact_mut(run.line()).for_each(|line| line[run.input..].fill(0.0));
        for first in (0..run.steps).step_by(ahead) {
            let count = ahead.min(run.steps - first);
            let slot = first % round;
            enter(run, x, first, count, &mut all_lines[slot * lines..]);
            for block in 0..run.blocks() {
                parts.project(run, block, count, &all_lines[slot * lines..], &mut all_gates[run.place(slot % kept, block, BLOCK).start..]);
            }
            for step in first..first + count {
                let at = slot + step - first;
                let [before, after] = apart(all_lines, [at, (at + 1) % round], lines);
                parts.advance(run, step > 0, before, &mut all_gates[run.place(at % kept, 0, BLOCK).start..], after);
                if !last || step + 1 == run.steps {
                    leave(run, after, step, &mut to);
                }
            }
        }
    }

    fn backward(
        run: &Run,
        packed: &[f32],
        trace: &[f32],
        slopes: &mut [f32],
        above: Above<'_>,
        weights: &mut [f32],
        mut x: Option<Below<'_>>,
    ) {
        let depth = back_depth(run.units, 3);
        let (of_input, of_state) = packed.split_at(packed_len(depth, run.input));
        let of_input = Matrix { depth, columns: run.input, values: of_input };
        let of_state = Matrix { depth, columns: run.units, values: of_state };
        let (all_lines, all_gates) = trace.split_at(lines(trace_sizes(run, run.steps * run.rows)[0]));
        let mut slopes = Slopes::of(run, slopes);
        above.enter(run, slopes.hidden);
        slopes.bias.fill(0.0);
        let ahead = run.ahead();
        for first in (0..run.steps).step_by(ahead).rev() {
            let count = ahead.min(run.steps - first);
            let lines = &all_lines[first * run.rows * run.line()..];
            for step in (first..first + count).rev() {
                let at = step - first;
                slopes.retreat(run, &all_gates[run.place(step, 0, BLOCK).start..], &lines[at * run.rows * run.line()..], at);
                if step > 0 {
                    above.add(run, step - 1, slopes.hidden);
                    let sums = &slopes.sums[run.place(at, 0, BLOCK).start..];
                    back(run, sums, STATE_SLOTS, of_state, Start::Given, slopes.hidden, run.units);
                }
            }
            let fresh = first + count == run.steps;
            learn(run, Lesson { slots: INPUT_SLOTS, first: 0, depth: run.input, fresh }, count, lines, slopes.sums, slopes.input);
            learn(run, Lesson { slots: STATE_SLOTS, first: run.input, depth: run.units, fresh }, count, lines, slopes.sums, slopes.state);
            if let Some(Below { to, start }) = &mut x {
                back_all(run, [first, count], slopes.sums, INPUT_SLOTS, of_input, *start, to);
            }
        }
        slopes.leave(run, weights);
    }

    fn products(input: usize, units: usize) -> usize {
        3 * units * (input + units)
    }
}

/// Lines [steps + 1, rows, line] and gates [steps, block, row, slot, 16].
fn trace_sizes(run: &Run, steps_rows: usize) -> [usize; 2] {
    [(steps_rows + run.rows) * run.line(), steps_rows * run.blocks() * BLOCK]
}

/// Weights packed for the forward pass.
struct Parts<T> {
    input: T,
    state: T,
    bias: T,
    state_bias: T,
}

impl<T> Parts<T> {
    fn split(packed: T, input: usize, units: usize, at: impl Fn(T, usize) -> (T, T)) -> Parts<T> {
        let (of_input, rest) = at(packed, packed_gates(input, units, 3));
        let (state, rest) = at(rest, packed_gates(units, units, 3));
        let (bias, state_bias) = at(rest, packed_gates(1, units, 3));
        Parts { input: of_input, state, bias, state_bias }
    }
}

impl Parts<&[f32]> {
    /// Sums of n, r and z of a block for `count` steps, from the input alone.
    fn project(&self, run: &Run, block: usize, count: usize, lines: &[f32], gates: &mut [f32]) {
        let wide = 3 * LANES;
        let weights = &self.input[block * run.input * wide..][..run.input * wide];
        let bias = Some(&self.bias[block * wide..][..wide]);
        Sums { weights, panels: 3, first: 0, depth: run.input, bias, slot: INPUT_SLOTS[0] }.steps(run, count, lines, gates);
    }

    /// A step; its gates are the first of `gates`. The state before the first step is zero and need not be multiplied.
    fn advance(&self, run: &Run, multiply: bool, before: &[f32], gates: &mut [f32], after: &mut [f32]) {
        let size = run.units * 3 * LANES;
        let sums = |block: usize| {
            let weights = &self.state[block * size..];
            Sums { weights, panels: 3, first: run.input, depth: run.units, bias: None, slot: STATE_SLOTS[0] }
        };
        for block in 0..run.blocks() {
            let bias = &self.state_bias[block * LANES..][..LANES];
            gates[run.place(0, block, BLOCK)].chunks_exact_mut(BLOCK).for_each(|row| row[3 * LANES..].copy_from_slice(bias));
        }
        if run.rows == 1 && run.units.is_multiple_of(LANES) {
            // The blocks of a single row lie as the rows of a block do: one call for all, which need not wait for each other.
            let gates = &mut gates[..run.blocks() * BLOCK];
            if multiply {
                sums(0).blocks(run.blocks(), size, before, gates);
            }
            return mix_block(gates, &before[run.input..], &mut after[run.input..], LANES, LANES);
        }
        for block in 0..run.blocks() {
            let gates = &mut gates[run.place(0, block, BLOCK)];
            if multiply {
                sums(block).steps(run, 1, before, gates);
            }
            let state = run.input + block * LANES;
            mix_block(gates, &before[state..], &mut after[state..], run.line(), run.width(block));
        }
    }
}

/// Memory of a backward pass besides the trace.
#[derive(Debug)]
struct Slopes<'a> {
    /// Of n's sum, r's, z's and q, [steps at once, block, row, slot, 16].
    sums: &'a mut [f32],
    /// Of the state, [rows, units].
    hidden: &'a mut [f32],
    /// Of W, R and both biases, packed as they are; both biases together as [block, slot, 16].
    input: &'a mut [f32],
    state: &'a mut [f32],
    bias: &'a mut [f32],
}

impl<'a> Slopes<'a> {
    fn sizes(run: &Run, steps_rows: usize) -> [usize; 5] {
        let blocks = run.blocks() * BLOCK;
        let packed = |depth| packed_gates(depth, run.units, 3);
        [steps_rows * blocks, run.rows * run.units, packed(run.input), packed(run.units), blocks]
    }

    fn of(run: &Run, mut memory: &'a mut [f32]) -> Slopes<'a> {
        let [sums, hidden, input, state, bias] = Slopes::sizes(run, run.ahead() * run.rows).map(|length| cut(&mut memory, length));
        Slopes { sums, hidden, input, state, bias }
    }

    /// The gates of a step backwards; their slopes go to place `at` of the chunk.
    fn retreat(&mut self, run: &Run, gates: &[f32], before: &[f32], at: usize) {
        for block in 0..run.blocks() {
            let (gates, before) = (&gates[run.place(0, block, BLOCK)], &before[run.input + block * LANES..]);
            let (hidden, to) = (&mut self.hidden[block * LANES..], &mut self.sums[run.place(at, block, BLOCK)]);
            let bias = &mut self.bias[block * BLOCK..][..BLOCK];
            unmix_block(gates, Lines(before, run.line()), hidden, run.units, run.width(block), to, bias);
        }
    }

    /// Writes the gradient of the weights, laid out as they are.
    fn leave(&self, run: &Run, weights: &mut [f32]) {
        let units = run.units;
        let (input, rest) = weights.split_at_mut(3 * units * run.input);
        let (state, rest) = rest.split_at_mut(3 * units * units);
        let (bias, state_bias) = rest.split_at_mut(3 * units);
        unpack_gates(self.input, run.input, units, &OF_INPUT, input);
        unpack_gates(self.state, units, units, &OF_STATE, state);
        for (block, sums) in self.bias.chunks_exact(BLOCK).enumerate() {
            let (first, width) = (block * LANES, run.width(block));
            for (slot, gate) in OF_INPUT.into_iter().enumerate() {
                bias[gate * units + first..][..width].copy_from_slice(&sums[slot * LANES..][..width]);
            }
            state_bias[first..][..width].copy_from_slice(&sums[3 * LANES..][..width]);
        }
    }
}
