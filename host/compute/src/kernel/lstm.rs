//! Long short-term memory (Hochreiter and Schmidhuber 1997), one layer in one direction, with its gradient by hand.
//!
//! z_t = x_t·W + h_{t-1}·R + b; i, f, o = σ(z), g = tanh(z); c_t = f·c_{t-1} + i·g; h_t = o·tanh(c_t); h and c begin at zero.
//! Backwards, each step needs only dz_t·Rᵀ; everything else is done for a few steps at once, while their dz is in the cache.
//! The layout is that of [`crate::kernel::recurrent`]; a block's slots are i, f, g, o.

use crate::arena::{cut, lines};
use crate::kernel::gates::{Left, advance_block, retreat_block};
use crate::kernel::matmul::{Matrix, packed_len};
use crate::kernel::raw::{LANES, prefetch};
use crate::kernel::recurrent::{
    Above, BLOCK, Below, Cell, Lesson, Run, Strided, Sums, apart, back, back_all, back_depth, enter, learn, leave, pack_back, pack_gates,
    packed_gates, unpack_gates,
};

/// Gate of each slot.
const ORDER: [usize; 4] = [0, 1, 2, 3];
/// The slots of the slopes.
const SLOTS: [usize; 2] = [0, 4];
/// Inputs of at most this width join each step's product instead of being projected ahead, if there are some rows to read
/// their weights for; the bits are the same.
const NARROW: usize = 16;
const SOME: usize = 4;
/// Rows whose gates are computed and used while they are in the nearest cache: a multiple of a tile's.
const NEAR: usize = 48;

/// The cell.
#[derive(Debug)]
pub(crate) struct Lstm;

impl Cell for Lstm {
    fn weights(input: usize, units: usize) -> usize {
        4 * units * (input + units + 1)
    }

    fn packed(input: usize, units: usize) -> [usize; 2] {
        let back = |columns| packed_len(back_depth(units, 4), columns);
        [packed_gates(input + units + 1, units, 4), back(input) + back(units)]
    }

    fn pack(weights: &[f32], input: usize, units: usize, forward: &mut [f32], back: &mut [f32]) {
        let (matrix, bias) = weights.split_at(4 * units * (input + units));
        let (both, to_bias) = forward.split_at_mut(packed_gates(input + units, units, 4));
        pack_gates(matrix, input + units, units, &ORDER, both);
        pack_gates(bias, 1, units, &ORDER, to_bias);
        if !back.is_empty() {
            let (of_input, of_state) = back.split_at_mut(packed_len(back_depth(units, 4), input));
            pack_back(matrix, input, units, &ORDER, of_input);
            pack_back(&matrix[4 * units * input..], units, units, &ORDER, of_state);
        }
    }

    fn trace(run: &Run, traced: bool) -> usize {
        let kept = if traced { run.steps * run.rows } else { 0 };
        Trace::<()>::sizes(run, kept.max(run.most_ahead())).into_iter().map(lines).sum()
    }

    fn slopes(run: &Run) -> usize {
        Slopes::sizes(run, run.most_ahead()).into_iter().map(lines).sum()
    }

    fn forward(run: &Run, x: Strided<&[f32]>, packed: &[f32], traced: bool, trace: &mut [f32], to: Strided<&mut [f32]>, last: bool) {
        let (both, bias) = packed.split_at(packed_gates(run.line(), run.units, 4));
        Pass { run, both, bias }.forward(x, traced, trace, to, last);
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
        let depth = back_depth(run.units, 4);
        let (of_input, of_state) = packed.split_at(packed_len(depth, run.input));
        let of_input = Matrix { depth, columns: run.input, values: of_input };
        let of_state = Matrix { depth, columns: run.units, values: of_state };
        let (trace, mut slopes) = (Trace::kept(run, trace), Slopes::of(run, slopes));
        above.enter(run, slopes.hidden);
        slopes.cell.fill(0.0);
        slopes.bias.fill(0.0);
        let ahead = run.ahead();
        for first in (0..run.steps).step_by(ahead).rev() {
            let count = ahead.min(run.steps - first);
            for step in (first..first + count).rev() {
                slopes.retreat(run, &trace, step, step - first);
                if step > 0 {
                    trace.prefetch(run, step - 1);
                    let sums = &slopes.sums[run.place(step - first, 0, BLOCK).start..];
                    back(run, sums, SLOTS, of_state, above.start(run, step - 1), slopes.hidden, run.units);
                }
            }
            let lesson = Lesson { slots: SLOTS, first: 0, depth: run.line(), fresh: first + count == run.steps };
            learn(run, lesson, count, &trace.lines[first * run.rows * run.line()..], slopes.sums, slopes.both);
            if let Some(Below { to, start }) = &mut x {
                back_all(run, [first, count], slopes.sums, SLOTS, of_input, *start, to);
            }
        }
        let (both, bias) = weights.split_at_mut(4 * run.units * run.line());
        unpack_gates(slopes.both, run.line(), run.units, &ORDER, both);
        unpack_gates(slopes.bias, 1, run.units, &ORDER, bias);
    }

    fn products(input: usize, units: usize) -> usize {
        4 * units * (input + units)
    }
}

/// Memory of a run, lent to read or to write.
#[derive(Debug)]
struct Trace<T> {
    /// [steps + 1, rows, line].
    lines: T,
    /// After their functions, [steps, block, row, slot, 16].
    gates: T,
    /// c, [steps + 1, block, row, 16].
    cells: T,
    /// tanh(c), [steps, block, row, 16].
    bent: T,
}

impl<T> Trace<T> {
    fn sizes(run: &Run, steps_rows: usize) -> [usize; 4] {
        let (blocks, more) = (run.blocks(), steps_rows + run.rows);
        [more * run.line(), steps_rows * blocks * BLOCK, more * blocks * LANES, steps_rows * blocks * LANES]
    }
}

impl<'a> Trace<&'a mut [f32]> {
    fn of(run: &Run, steps: usize, mut memory: &'a mut [f32]) -> Self {
        let [lines, gates, cells, bent] = Self::sizes(run, steps * run.rows).map(|length| cut(&mut memory, length));
        Trace { lines, gates, cells, bent }
    }
}

impl<'a> Trace<&'a [f32]> {
    /// What a traced run left.
    fn kept(run: &Run, mut memory: &'a [f32]) -> Self {
        let [lines, gates, cells, bent] = Self::sizes(run, run.steps * run.rows).map(|length| {
            let (part, rest) = memory.split_at(lines(length));
            memory = rest;
            part
        });
        Trace { lines, gates, cells, bent }
    }
}

impl Trace<&[f32]> {
    /// Has what [`Slopes::retreat`] will read at a step brought nearer while a product is computed.
    fn prefetch(&self, run: &Run, step: usize) {
        let all = |numbers| run.place(step, 0, numbers).start..run.place(step + 1, 0, numbers).start;
        prefetch(&self.gates[all(BLOCK)]);
        prefetch(&self.bent[all(LANES)]);
        prefetch(&self.cells[all(LANES)]);
    }
}

/// A forward pass with its packed weights.
struct Pass<'a> {
    run: &'a Run,
    /// [W; R].
    both: &'a [f32],
    bias: &'a [f32],
}

impl<'a> Pass<'a> {
    fn forward(&self, x: Strided<&[f32]>, traced: bool, memory: &mut [f32], mut to: Strided<&mut [f32]>, last: bool) {
        let (run, ahead) = (self.run, self.run.ahead());
        let (lines, cells) = (run.rows * run.line(), run.place(1, 0, LANES).start);
        let kept = if traced { run.steps } else { ahead };
        let mut trace = Trace::of(run, kept, memory);
        trace.lines[..lines].chunks_exact_mut(run.line()).for_each(|line| line[run.input..].fill(0.0));
        trace.cells[..cells].fill(0.0);
        // Untraced, the states go round.
        let round = if traced { run.steps + 1 } else { ahead.max(2) };
        for first in (0..run.steps).step_by(ahead) {
            let count = ahead.min(run.steps - first);
            let slot = first % round;
            enter(run, x, first, count, &mut trace.lines[slot * lines..]);
            if !self.joined() {
                for block in 0..run.blocks() {
                    let gates = &mut trace.gates[run.place(slot % kept, block, BLOCK).start..];
                    self.sums(block, 0, run.input, true).steps(run, count, &trace.lines[slot * lines..], gates);
                }
            }
            for step in first..first + count {
                let at = slot + step - first;
                let next = (at + 1) % round;
                self.advance(step, [at, next, at % kept], traced, &mut trace);
                if !last || step + 1 == run.steps {
                    leave(run, &trace.lines[next * lines..], step, &mut to);
                }
            }
        }
    }

    /// The input is part of each step's product.
    fn joined(&self) -> bool {
        self.run.rows >= SOME && (self.run.input <= NARROW || self.run.ahead() == 1)
    }

    /// The product of a block's weights from number `first` of a line on.
    fn sums(&self, block: usize, first: usize, depth: usize, bias: bool) -> Sums<'a> {
        let weights = &self.both[(block * self.run.line() + first) * BLOCK..];
        Sums { weights, panels: 4, first, depth, bias: bias.then(|| &self.bias[block * BLOCK..][..BLOCK]), slot: 0 }
    }

    /// Step number `step`, from state `at` of the trace to state `next`.
    fn advance(&self, step: usize, [at, next, gates_at]: [usize; 3], traced: bool, trace: &mut Trace<&mut [f32]>) {
        let run = self.run;
        let [before, after] = apart(trace.lines, [at, next], run.rows * run.line());
        let [old, new] = apart(trace.cells, [at, next], run.place(1, 0, LANES).start);
        // The state before the first step is zero and need not be multiplied.
        let state = if step == 0 { 0 } else { run.units };
        if run.rows == 1 && run.units.is_multiple_of(LANES) {
            // The blocks of a single row lie as the rows of a block do: one call for all, which need not wait for each other.
            let all = |numbers| run.place(gates_at, 0, numbers).start..run.place(gates_at + 1, 0, numbers).start;
            let (gates, bent) = (&mut trace.gates[all(BLOCK)], if traced { &mut trace.bent[all(LANES)] } else { &mut [] });
            if state > 0 {
                self.sums(0, run.input, state, false).blocks(run.blocks(), run.line() * BLOCK, before, gates);
            }
            return advance_block(gates, old, new, bent, &mut after[run.input..], LANES, LANES);
        }
        for block in 0..run.blocks() {
            let gates = &mut trace.gates[run.place(gates_at, block, BLOCK)];
            let here = run.place(0, block, LANES);
            let (old, new) = (&old[here.clone()], &mut new[here]);
            let bent = if traced { &mut trace.bent[run.place(gates_at, block, LANES)] } else { &mut [] };
            for first in (0..run.rows).step_by(NEAR) {
                let rows = first..run.rows.min(first + NEAR);
                let lines = &before[first * run.line()..];
                let gates = &mut gates[rows.start * BLOCK..rows.end * BLOCK];
                if self.joined() {
                    self.sums(block, 0, run.input + state, true).rows(rows.len(), lines, run.line(), gates, BLOCK);
                } else if state > 0 {
                    self.sums(block, run.input, state, false).rows(rows.len(), lines, run.line(), gates, BLOCK);
                }
                let bent = bent.get_mut(rows.start * LANES..rows.end * LANES).unwrap_or_default();
                let cells = rows.start * LANES..rows.end * LANES;
                let hidden = &mut after[first * run.line() + run.input + block * LANES..];
                advance_block(gates, &old[cells.clone()], &mut new[cells], bent, hidden, run.line(), run.width(block));
            }
        }
    }
}

/// Memory of a backward pass besides the trace.
#[derive(Debug)]
struct Slopes<'a> {
    /// Of the gates' sums, [steps at once, block, row, slot, 16].
    sums: &'a mut [f32],
    /// Of the state, [rows, units].
    hidden: &'a mut [f32],
    /// Of c, [block, row, 16].
    cell: &'a mut [f32],
    /// Of [W; R] and the bias, packed as they are.
    both: &'a mut [f32],
    bias: &'a mut [f32],
}

impl<'a> Slopes<'a> {
    fn sizes(run: &Run, steps_rows: usize) -> [usize; 5] {
        let blocks = run.blocks();
        let both = packed_gates(run.line(), run.units, 4);
        [steps_rows * blocks * BLOCK, run.rows * run.units, run.rows * blocks * LANES, both, blocks * BLOCK]
    }

    fn of(run: &Run, mut memory: &'a mut [f32]) -> Slopes<'a> {
        let [sums, hidden, cell, both, bias] = Slopes::sizes(run, run.ahead() * run.rows).map(|length| cut(&mut memory, length));
        Slopes { sums, hidden, cell, both, bias }
    }

    /// The gates of step number `step` backwards; their slopes go to place `at` of the chunk.
    fn retreat(&mut self, run: &Run, trace: &Trace<&[f32]>, step: usize, at: usize) {
        for block in 0..run.blocks() {
            let here = run.place(step, block, LANES);
            let (gates, hidden) = (&trace.gates[run.place(step, block, BLOCK)], &self.hidden[block * LANES..]);
            let (bent, before) = (&trace.bent[here.clone()], &trace.cells[here]);
            let (cell, to) = (&mut self.cell[run.place(0, block, LANES)], &mut self.sums[run.place(at, block, BLOCK)]);
            let bias = &mut self.bias[block * BLOCK..][..BLOCK];
            retreat_block(Left { gates, bent, before }, hidden, run.units, run.width(block), cell, to, bias);
        }
    }
}
