//! The forward pass for serving: the plan's steps on plain buffers, with weights packed once and no tape.
//!
//! Buffers are lent from a small pool, so a prediction allocates only its answer. Windows are computed in batches of at
//! most [`BATCH`]; the kernels give each window the same bits in any company.

use std::sync::{Mutex, PoisonError};

use bellwether_domain::network::{Recurrent, TimePooling};

use crate::kernel::lstm::{Cell, Run, State, fit_length, forward, scatter};
use crate::kernel::matmul::{Packed, Start, multiply};
use crate::kernel::rows::{activate, layer_norm, softmax, weighted_mean};
use crate::plan::{Op, Plan, Step};

/// Most windows computed together.
const BATCH: usize = 32;
/// Most buffers kept for later calls; more callers at once than this allocate their own.
const KEPT: usize = 16;

/// Packed weights of a step.
#[derive(Debug)]
enum Block {
    Nothing,
    Dense(Packed, Vec<f32>),
    /// Layer by layer, forward before reverse.
    Lstm(Vec<Cell>),
}

/// Everything serving needs besides the plan and the plain weights.
#[derive(Debug)]
pub(crate) struct Forward {
    blocks: Vec<Block>,
    idle: Mutex<Vec<Buffers>>,
}

#[derive(Debug, Default)]
struct Buffers {
    /// Value of each step, [batch, ..shape]; empty where the value is another's (input, dropout, reshape).
    values: Vec<Vec<f32>>,
    gates: Vec<f32>,
    state: State,
    layers: [Vec<f32>; 2],
    parts: Vec<f32>,
}

impl Forward {
    pub(crate) fn new(plan: &Plan, weights: &[f32]) -> Forward {
        let blocks = plan.steps.iter().map(|step| block(plan, step, weights)).collect();
        Forward { blocks, idle: Mutex::default() }
    }

    /// The first output of `count` windows. The caller has checked the lengths.
    pub(crate) fn run(&self, plan: &Plan, weights: &[f32], windows: &[f32], count: usize) -> Vec<f32> {
        let Some(&head) = plan.heads.first() else { return Vec::new() };
        let lent = self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let mut buffers = lent.unwrap_or_default();
        buffers.values.resize_with(plan.steps.len(), Vec::new);
        let mut answers = Vec::with_capacity(count * plan.steps[head].shape.iter().product::<usize>());
        for batch in windows.chunks(BATCH * plan.window[0] * plan.window[1]) {
            let rows = batch.len() / (plan.window[0] * plan.window[1]);
            self.batch(plan, weights, batch, rows, &mut buffers);
            answers.extend_from_slice(value(plan, &buffers.values, batch, head));
        }
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        if idle.len() < KEPT {
            idle.push(buffers);
        }
        answers
    }

    fn batch(&self, plan: &Plan, weights: &[f32], windows: &[f32], rows: usize, buffers: &mut Buffers) {
        for (place, (step, block)) in plan.steps.iter().zip(&self.blocks).enumerate() {
            if !step.live || matches!(step.op, Op::Input | Op::Dropout(_) | Op::Reshape) {
                continue;
            }
            let mut out = std::mem::take(&mut buffers.values[place]);
            fit_length(&mut out, rows * step.shape.iter().product::<usize>());
            let values = std::mem::take(&mut buffers.values);
            let inputs = Inputs { plan, step, values: &values, windows, rows };
            inputs.compute(block, weights, &mut out, buffers);
            buffers.values = values;
            buffers.values[place] = out;
        }
    }

    /// Bytes of packed weights and of the buffers of one full batch.
    pub(crate) fn size_bytes(&self, plan: &Plan) -> usize {
        let packed = self.blocks.iter().map(|block| match block {
            Block::Nothing => 0,
            Block::Dense(packed, bias) => packed.size_bytes() + size_of_val(&bias[..]),
            Block::Lstm(cells) => cells.iter().map(|c| c.kernel.size_bytes() + c.recurrent.size_bytes() + size_of_val(&c.bias[..])).sum(),
        });
        let values: usize = plan.steps.iter().filter(|step| step.live).map(|step| step.shape.iter().product::<usize>()).sum();
        let gates = plan
            .steps
            .iter()
            .map(|step| if let Op::Lstm(layer) = &step.op { 4 * layer.units as usize * plan.steps[step.inputs[0]].shape[0] } else { 0 });
        packed.sum::<usize>() + BATCH * size_of::<f32>() * (values + gates.max().unwrap_or(0))
    }
}

fn block(plan: &Plan, step: &Step, weights: &[f32]) -> Block {
    let weight = |place: usize| plan.weight(weights, place);
    let packed = |place: usize| {
        let shape = &plan.weights[place].shape;
        Packed::of(weight(place), shape[0], shape[1])
    };
    let first = step.weights.start;
    if let Op::Dense { bias } = step.op {
        let units = plan.weights[first].shape[1];
        return Block::Dense(packed(first), if bias { weight(first + 1).to_vec() } else { vec![0.0; units] });
    }
    if let Op::Lstm(_) = step.op {
        let cell = |at| Cell { kernel: packed(at), recurrent: packed(at + 1), bias: weight(at + 2).to_vec() };
        return Block::Lstm(step.weights.clone().step_by(3).map(cell).collect());
    }
    Block::Nothing
}

/// Value of a step; where it has none of its own, that of the step it passes on.
fn value<'a>(plan: &Plan, values: &'a [Vec<f32>], windows: &'a [f32], mut place: usize) -> &'a [f32] {
    loop {
        let step = &plan.steps[place];
        if matches!(step.op, Op::Input) {
            return windows;
        }
        if !matches!(step.op, Op::Dropout(_) | Op::Reshape) {
            return &values[place];
        }
        place = step.inputs[0];
    }
}

/// One step and what it reads.
struct Inputs<'a> {
    plan: &'a Plan,
    step: &'a Step,
    values: &'a [Vec<f32>],
    windows: &'a [f32],
    rows: usize,
}

impl<'a> Inputs<'a> {
    fn read(&self, input: usize) -> &'a [f32] {
        value(self.plan, self.values, self.windows, self.step.inputs[input])
    }

    fn shape(&self, input: usize) -> &'a [usize] {
        &self.plan.steps[self.step.inputs[input]].shape
    }

    fn compute(&self, block: &Block, weights: &[f32], out: &mut Vec<f32>, buffers: &mut Buffers) {
        let own = |at: usize| self.plan.weight(weights, self.step.weights.start + at);
        let x = self.read(0);
        let width = self.shape(0).last().copied().unwrap_or(1);
        match (&self.step.op, block) {
            (Op::Dense { .. }, Block::Dense(packed, bias)) => {
                multiply(x, width, x.len() / width, packed.view(), Start::Row(bias), out, bias.len());
            }
            (Op::Lstm(layer), Block::Lstm(cells)) => self.lstm(layer, cells, out, buffers),
            (Op::LayerNorm(epsilon), _) => layer_norm(x, own(0), own(1), *epsilon as f32, out),
            (Op::Activation(activation), _) => {
                out.copy_from_slice(x);
                activate(*activation, out, width);
            }
            (Op::Add, _) => self.fold(out, |sum, value| sum + value),
            (Op::Multiply, _) => self.fold(out, |product, value| product * value),
            (Op::Concat(axis), _) => self.concat(*axis, out),
            (Op::Slice { axis, start, length }, _) => {
                let inner: usize = self.shape(0)[axis + 1..].iter().product();
                let whole = self.shape(0)[*axis] * inner;
                for (part, out) in x.chunks_exact(whole).zip(out.chunks_exact_mut(length * inner)) {
                    out.copy_from_slice(&part[start * inner..(start + length) * inner]);
                }
            }
            (Op::Pool(TimePooling::Attention), _) => self.pool(TimePooling::Attention, own(0), out, &mut buffers.parts),
            (Op::Pool(pooling), _) => self.pool(*pooling, &[], out, &mut buffers.parts),
            _ => {}
        }
    }

    fn fold(&self, out: &mut [f32], join: fn(f32, f32) -> f32) {
        out.copy_from_slice(self.read(0));
        for input in 1..self.step.inputs.len() {
            out.iter_mut().zip(self.read(input)).for_each(|(left, right)| *left = join(*left, *right));
        }
    }

    fn concat(&self, axis: usize, out: &mut [f32]) {
        let part = |input: usize| self.shape(input)[axis..].iter().product::<usize>();
        let whole: usize = (0..self.step.inputs.len()).map(part).sum();
        let mut at = 0;
        for input in 0..self.step.inputs.len() {
            let length = part(input);
            for (from, to) in self.read(input).chunks_exact(length).zip(out.chunks_exact_mut(whole)) {
                to[at..at + length].copy_from_slice(from);
            }
            at += length;
        }
    }

    fn pool(&self, pooling: TimePooling, kernel: &[f32], out: &mut [f32], parts: &mut Vec<f32>) {
        let (steps, width) = (self.shape(0)[0], self.shape(0)[1]);
        for (sequence, out) in self.read(0).chunks_exact(steps * width).zip(out.chunks_exact_mut(width)) {
            parts.clear();
            match pooling {
                TimePooling::Last => out.copy_from_slice(&sequence[(steps - 1) * width..]),
                TimePooling::Mean => {
                    parts.resize(steps, 1.0 / steps as f32);
                    weighted_mean(sequence, parts, out);
                }
                TimePooling::Max => {
                    out.fill(f32::NEG_INFINITY);
                    for row in sequence.chunks_exact(width) {
                        out.iter_mut().zip(row).for_each(|(most, value)| *most = most.max(*value));
                    }
                }
                TimePooling::Attention => {
                    parts.extend(sequence.chunks_exact(width).map(|row| row.iter().zip(kernel).map(|(x, w)| x * w).sum::<f32>()));
                    softmax(parts);
                    weighted_mean(sequence, parts, out);
                }
            }
        }
    }

    fn lstm(&self, layer: &Recurrent, cells: &[Cell], out: &mut Vec<f32>, buffers: &mut Buffers) {
        let (steps, mut input) = (self.shape(0)[0], self.shape(0)[1]);
        let directions = if layer.bidirectional { 2 } else { 1 };
        let Buffers { gates, state, layers: [below, above], .. } = buffers;
        let last = cells.len() / directions - 1;
        for (level, sides) in cells.chunks_exact(directions).enumerate() {
            let x = if level == 0 { self.read(0) } else { &below[..] };
            let to = if level == last { &mut *out } else { &mut *above };
            let all = level < last || layer.return_sequences;
            let units = sides[0].bias.len() / 4;
            let width = units * directions;
            fit_length(to, self.rows * width * if all { steps } else { 1 });
            for (direction, cell) in sides.iter().enumerate() {
                let run = Run { batch: self.rows, steps, input, units, reverse: direction == 1 };
                fit_length(gates, run.gates());
                forward(&run, x, cell, gates, state, |time, state| {
                    if all {
                        scatter(&run, time, &state.hidden, to, width, direction * units);
                    }
                });
                if !all {
                    let last = Run { steps: 1, ..run };
                    scatter(&last, 0, &state.hidden, to, width, direction * units);
                }
            }
            std::mem::swap(below, above);
            input = width;
        }
    }
}
