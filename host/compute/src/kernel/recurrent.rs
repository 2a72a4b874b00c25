//! What LSTM and GRU share: one run over a batch of sequences, the layout of its memory, and its products.
//!
//! Everything lies step after step, so that a step's operands are contiguous. A *line* is the input of one row at one step
//! followed by the state before it, [x_t | h_{t-1}]: the gates' sums are line · [W; R], and the weights' gradient is linesᵀ ·
//! slopes. Gates lie in *blocks* of sixteen units: [step, block, row, slot, 16], so that a register tile of a product is
//! what the gate functions read and every store is a whole cache line. Weights are packed per block; where units are no
//! multiple of sixteen the last block ends in zeros, which stay zero in every function here.
//! x·W is computed for a few steps at once (as many as make about [`AHEAD`] rows) and h·R is added on top: the bits are
//! those of one chain of multiply-adds, however many rows share a tile.

use crate::kernel::matmul::{Matrix, Start, Strip};
use crate::kernel::raw::{LANES, Left, Origin, Panels, Repeat, Right, Tile};

/// Numbers per row of a block: four slots of sixteen.
pub(crate) const BLOCK: usize = 4 * LANES;
/// Rows of steps whose inputs are projected at once.
const AHEAD: usize = 64;

/// Sizes of one run.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Run {
    pub(crate) rows: usize,
    pub(crate) steps: usize,
    pub(crate) input: usize,
    pub(crate) units: usize,
    /// Read the steps from the last to the first.
    pub(crate) reverse: bool,
}

impl Run {
    /// Place in time of the step that is computed as number `step`.
    #[inline]
    pub(crate) fn time(&self, step: usize) -> usize {
        if self.reverse { self.steps - 1 - step } else { step }
    }

    /// Blocks of units.
    #[inline]
    pub(crate) fn blocks(&self) -> usize {
        self.units.div_ceil(LANES)
    }

    /// Units in a block.
    #[inline]
    pub(crate) fn width(&self, block: usize) -> usize {
        (self.units - block * LANES).min(LANES)
    }

    /// Length of a line.
    #[inline]
    pub(crate) fn line(&self) -> usize {
        self.input + self.units
    }

    /// Steps to compute at once.
    pub(crate) fn ahead(&self) -> usize {
        (AHEAD / self.rows.max(1)).clamp(1, self.steps)
    }

    /// More than `ahead() * rows` for these rows and any fewer.
    pub(crate) fn most_ahead(&self) -> usize {
        self.rows.max(AHEAD.min(self.rows * self.steps))
    }

    /// Place of a block of a step among values of `numbers` per row.
    #[inline]
    pub(crate) fn place(&self, step: usize, block: usize, numbers: usize) -> std::ops::Range<usize> {
        let first = (step * self.blocks() + block) * self.rows * numbers;
        first..first + self.rows * numbers
    }
}

/// A recurrent cell: what one layer in one direction computes. All memory is lent; sizes are in numbers.
pub(crate) trait Cell: std::fmt::Debug + Send + Sync + 'static {
    /// Plain weights: W [input, gates · units], R [units, gates · units], biases.
    fn weights(input: usize, units: usize) -> usize;

    /// Weights packed for the forward and for the backward pass.
    fn packed(input: usize, units: usize) -> [usize; 2];

    /// Packs the weights; `back` is empty where no backward pass will come.
    fn pack(weights: &[f32], input: usize, units: usize, forward: &mut [f32], back: &mut [f32]);

    /// What a pass over these rows or fewer keeps. Traced, that is every step, for the backward pass, else only those that
    /// are computed at once. A multiple of cache lines, as [`Cell::slopes`] is.
    fn trace(run: &Run, traced: bool) -> usize;

    /// What a backward pass needs besides.
    fn slopes(run: &Run) -> usize;

    /// Runs over x; every state goes to its place in `to`, or with `last` only the one after the run, to time zero.
    fn forward(run: &Run, x: Strided<&[f32]>, packed: &[f32], traced: bool, trace: &mut [f32], to: Strided<&mut [f32]>, last: bool);

    /// Gradient of the weights, laid out as they are, and of x where it is wanted.
    fn backward(run: &Run, back: &[f32], trace: &[f32], slopes: &mut [f32], above: Above<'_>, weights: &mut [f32], x: Option<Below<'_>>);

    /// Multiply-adds of a step of one row.
    fn products(input: usize, units: usize) -> usize;
}

/// Where the gradient of x goes, and what it is added to.
#[derive(Debug)]
pub(crate) struct Below<'a> {
    pub(crate) to: Strided<&'a mut [f32]>,
    pub(crate) start: Start<'a>,
}

/// The gradient that comes from above.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Above<'a> {
    /// Of the state after the run; rows begin so far apart.
    Last(&'a [f32], usize),
    /// Of every state.
    All(Strided<&'a [f32]>),
}

impl<'a> Above<'a> {
    /// What the product that gives the gradient of the state after a step is added to.
    pub(crate) fn start(&self, run: &Run, step: usize) -> Start<'a> {
        match self {
            Above::Last(..) => Start::Zero,
            Above::All(all) => Start::Rows(&all.values[run.time(step) * all.time..], all.row),
        }
    }

    /// Adds the gradient of the state after a step.
    pub(crate) fn add(&self, run: &Run, step: usize, hidden: &mut [f32]) {
        let Above::All(all) = self else { return };
        let values = &all.values[run.time(step) * all.time..];
        for (row, to) in hidden.chunks_exact_mut(run.units).enumerate().take(run.rows) {
            to.iter_mut().zip(&values[row * all.row..][..run.units]).for_each(|(sum, value)| *sum += value);
        }
    }

    /// Of the state after the run.
    pub(crate) fn enter(&self, run: &Run, hidden: &mut [f32]) {
        let (values, stride) = match self {
            Above::Last(values, stride) => (*values, *stride),
            Above::All(all) => (&all.values[run.time(run.steps - 1) * all.time..], all.row),
        };
        for (row, to) in hidden.chunks_exact_mut(run.units).enumerate().take(run.rows) {
            to.copy_from_slice(&values[row * stride..][..run.units]);
        }
    }
}

/// Values [rows, time, width] somewhere in memory: number i of a row at a time is `values[row·r + time·t + i]`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Strided<T> {
    pub(crate) values: T,
    pub(crate) row: usize,
    pub(crate) time: usize,
}

/// Writes x of `count` steps from `step` on into their lines.
pub(crate) fn enter(run: &Run, x: Strided<&[f32]>, step: usize, count: usize, lines: &mut [f32]) {
    for (at, lines) in lines.chunks_exact_mut(run.rows * run.line()).take(count).enumerate() {
        let from = &x.values[run.time(step + at) * x.time..];
        for (row, line) in lines.chunks_exact_mut(run.line()).enumerate() {
            line[..run.input].copy_from_slice(&from[row * x.row..][..run.input]);
        }
    }
}

/// Writes the states at the end of a step's lines to [rows, time, ..] at that step's place.
pub(crate) fn leave(run: &Run, lines: &[f32], step: usize, to: &mut Strided<&mut [f32]>) {
    let to_time = &mut to.values[run.time(step) * to.time..];
    for (row, line) in lines.chunks_exact(run.line()).take(run.rows).enumerate() {
        to_time[row * to.row..][..run.units].copy_from_slice(&line[run.input..]);
    }
}

/// Two parts of so many numbers.
#[inline]
pub(crate) fn apart(values: &mut [f32], parts: [usize; 2], size: usize) -> [&mut [f32]; 2] {
    values.get_disjoint_mut(parts.map(|part| part * size..(part + 1) * size)).expect("one state follows another")
}

/// Slots from `from` of a block's gates to be computed for a batch from a part of its lines.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Sums<'a> {
    /// Weights of the block, [depth, panels · 16].
    pub(crate) weights: &'a [f32],
    pub(crate) panels: usize,
    /// First number of the line that is read, and how many are.
    pub(crate) first: usize,
    pub(crate) depth: usize,
    /// [panels · 16]; absent: what the gates hold.
    pub(crate) bias: Option<&'a [f32]>,
    /// First slot that is written.
    pub(crate) slot: usize,
}

impl Sums<'_> {
    /// `lines` [steps, rows, line], `gates` [steps, block, row, slot, 16] from this block of the first step on.
    pub(crate) fn steps(self, run: &Run, steps: usize, lines: &[f32], gates: &mut [f32]) {
        let (rows, line, apart) = (run.rows, run.line(), run.blocks() * run.rows * BLOCK);
        // Whichever way the tiles are fuller: the rows of a step, or the steps of a row.
        if rows >= steps {
            for step in 0..steps {
                self.rows(rows, &lines[step * rows * line..], line, &mut gates[step * apart..], BLOCK);
            }
        } else {
            for row in 0..rows {
                self.rows(steps, &lines[row * line..], rows * line, &mut gates[row * BLOCK..], apart);
            }
        }
    }

    /// One step of a single row for `blocks` blocks whose weights are `weights` numbers apart; the bias is what the gates hold.
    pub(crate) fn blocks(&self, blocks: usize, weights: usize, lines: &[f32], gates: &mut [f32]) {
        let left = Left { values: &lines[self.first..], flipped: false, stride: 0, group: 0 };
        let right = Right { values: self.weights, step: self.panels * LANES, group: 0 };
        let to = Panels { values: &mut gates[self.slot * LANES..], row: 0, panel: LANES };
        let repeat = Repeat { count: blocks, right: weights, origin: 0, to: BLOCK };
        Tile { left, right, depth: self.depth, groups: 1, origin: Origin::Given, to }.run_each(1, self.panels, repeat);
    }

    /// `lines` so many numbers apart, each row's gates of this block `apart`.
    pub(crate) fn rows(&self, rows: usize, lines: &[f32], line: usize, gates: &mut [f32], apart: usize) {
        let panels = self.panels;
        let left = Left { values: &lines[self.first..], flipped: false, stride: line, group: 0 };
        let right = Right { values: self.weights, step: panels * LANES, group: 0 };
        let origin = match self.bias {
            Some(values) => Origin::From(Panels { values, row: 0, panel: LANES }),
            None => Origin::Given,
        };
        let to = Panels { values: &mut gates[self.slot * LANES..], row: apart, panel: LANES };
        Tile { left, right, depth: self.depth, groups: 1, origin, to }.run(rows, panels);
    }
}

/// Slots of the slopes of a step, [block, row, slot, 16]: the first that is read, and how many.
pub(crate) type Slots = [usize; 2];

/// `to` = start + slopes of one step · weightsᵀ; `weights` as [`pack_back`] gives them.
pub(crate) fn back(run: &Run, slopes: &[f32], [slot, panels]: Slots, weights: Matrix<'_>, start: Start<'_>, to: &mut [f32], row_to: usize) {
    for group in weights.groups() {
        let left = Left { values: &slopes[slot * LANES..], flipped: false, stride: BLOCK, group: run.rows * BLOCK };
        let step = group.panels * LANES;
        let right = Right { values: group.values, step, group: panels * LANES * step };
        let strip = Strip { left, right, depth: panels * LANES, groups: run.blocks() };
        strip.run(run.rows, group.columns, start.part(0, group.first), &mut to[group.first..], row_to);
    }
}

/// [`back`] for `count` steps from `first` on, into [rows, time, ..] at their places.
pub(crate) fn back_all(
    run: &Run,
    [first, count]: [usize; 2],
    slopes: &[f32],
    slots: Slots,
    weights: Matrix<'_>,
    start: Start<'_>,
    to: &mut Strided<&mut [f32]>,
) {
    for (at, slopes) in slopes.chunks_exact(run.blocks() * run.rows * BLOCK).enumerate().take(count) {
        let time = run.time(first + at) * to.time;
        back(run, slopes, slots, weights, start, &mut to.values[time..], to.row);
    }
}

/// What [`learn`] reads and where it adds.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Lesson {
    pub(crate) slots: Slots,
    /// Numbers of the lines: the first, and how many.
    pub(crate) first: usize,
    pub(crate) depth: usize,
    /// Nothing is there yet.
    pub(crate) fresh: bool,
}

/// Adds linesᵀ · slopes of some steps to `sums` [block, depth, panels · 16].
pub(crate) fn learn(run: &Run, lesson: Lesson, steps: usize, lines: &[f32], slopes: &[f32], sums: &mut [f32]) {
    let [slot, panels] = lesson.slots;
    let (rows, line, wide) = (run.rows, run.line(), panels * LANES);
    for (block, sums) in sums.chunks_exact_mut(lesson.depth * wide).enumerate().take(run.blocks()) {
        let right = Right { values: &slopes[block * rows * BLOCK + slot * LANES..], step: BLOCK, group: run.blocks() * rows * BLOCK };
        let left = Left { values: &lines[lesson.first..], flipped: true, stride: line, group: rows * line };
        let to = Panels { values: sums, row: wide, panel: LANES };
        let origin = if lesson.fresh { Origin::Zero } else { Origin::Given };
        Tile { left, right, depth: rows, groups: steps, origin, to }.run(lesson.depth, panels);
    }
}

/// Numbers of [`pack_gates`].
pub(crate) fn packed_gates(depth: usize, units: usize, panels: usize) -> usize {
    units.div_ceil(LANES) * depth * panels * LANES
}

/// Packs row-major [depth, gates · units] per block: [block, depth, slot, 16], slot s holding gate `order[s]`.
pub(crate) fn pack_gates(matrix: &[f32], depth: usize, units: usize, order: &[usize], to: &mut [f32]) {
    let (all, wide) = (order.len() * units, order.len() * LANES);
    for (block, to) in to.chunks_exact_mut(depth * wide).enumerate().take(units.div_ceil(LANES)) {
        let width = (units - block * LANES).min(LANES);
        for (line, to) in matrix.chunks_exact(all).zip(to.chunks_exact_mut(wide)) {
            for (gate, to) in order.iter().zip(to.chunks_exact_mut(LANES)) {
                to[..width].copy_from_slice(&line[gate * units + block * LANES..][..width]);
                to[width..].fill(0.0);
            }
        }
    }
}

/// Undoes [`pack_gates`].
pub(crate) fn unpack_gates(packed: &[f32], depth: usize, units: usize, order: &[usize], matrix: &mut [f32]) {
    let (all, wide) = (order.len() * units, order.len() * LANES);
    for (block, from) in packed.chunks_exact(depth * wide).enumerate().take(units.div_ceil(LANES)) {
        let width = (units - block * LANES).min(LANES);
        for (line, from) in matrix.chunks_exact_mut(all).zip(from.chunks_exact(wide)) {
            for (gate, from) in order.iter().zip(from.chunks_exact(LANES)) {
                line[gate * units + block * LANES..][..width].copy_from_slice(&from[..width]);
            }
        }
    }
}

/// Depth of [`pack_back`]'s matrix.
pub(crate) fn back_depth(units: usize, panels: usize) -> usize {
    units.div_ceil(LANES) * panels * LANES
}

/// Packs the transpose of row-major [columns, gates · units] for [`back`]: k runs over [block, slot, 16].
pub(crate) fn pack_back(matrix: &[f32], columns: usize, units: usize, order: &[usize], to: &mut [f32]) {
    let (all, depth) = (order.len() * units, back_depth(units, order.len()));
    for (first, to) in (0..columns).step_by(BLOCK).zip(to.chunks_mut(BLOCK * depth)) {
        let width = (columns - first).min(BLOCK);
        let step = width.next_multiple_of(LANES);
        for (part, to) in to.chunks_exact_mut(LANES * step).enumerate().take(depth / LANES) {
            let (block, gate) = (part / order.len(), order[part % order.len()]);
            let exist = (units - block * LANES).min(LANES);
            if width < step || exist < LANES {
                to.fill(0.0);
            }
            for column in 0..width {
                let from = &matrix[(first + column) * all + gate * units + block * LANES..][..exist];
                to[column..].iter_mut().step_by(step).zip(from).for_each(|(to, value)| *to = *value);
            }
        }
    }
}
