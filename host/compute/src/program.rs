//! The plan with its layers, and the memory one thread needs to run it: forward, backward, nothing allocated on the way.
//!
//! Values live in slots. While training every node has its own, because the backward pass reads them again; while serving
//! a slot is used again as soon as nothing reads it any more. Reshapes, and dropouts while serving, have no slot: they are
//! the value they read.

use std::ops::Range;

use bellwether_domain::job::Precision;

use crate::arena::{Arena, lines};
use crate::kernel::noise;
use crate::layer::{Backward, Below, Forward, Inputs, Layer, Noise, Purpose, of_step};
use crate::plan::{Op, Plan};

/// A plan ready to run.
#[derive(Debug)]
pub(crate) struct Program {
    purpose: Purpose,
    nodes: Vec<Placed>,
    /// Numbers per row of each slot.
    slots: Vec<usize>,
    packed: usize,
}

/// One node with its places in memory.
#[derive(Debug)]
struct Placed {
    layer: Box<dyn Layer>,
    /// Runs at all: an output depends on it and it has a value of its own.
    runs: bool,
    /// Slot of its value.
    slot: usize,
    /// Numbers per row.
    size: usize,
    /// Slot and size of each input.
    inputs: Vec<(usize, usize)>,
    /// Node and size of each input.
    below: Vec<(usize, usize)>,
    /// Its part of all weights.
    weights: Range<usize>,
    /// Its part of the packed weights.
    packed: Range<usize>,
}

/// The memory of one thread for up to `rows` rows.
#[derive(Debug)]
pub(crate) struct Memory {
    rows: usize,
    values: Vec<Arena>,
    /// Gradient of each node's value; empty where none is wanted.
    slopes: Vec<Arena>,
    /// What each layer keeps from forward to backward; while serving they all share the first.
    scratch: Vec<Arena>,
    spare: Arena,
    written: Vec<bool>,
    learns: Vec<bool>,
    /// Gradient of all weights.
    pub(crate) gradient: Arena,
}

impl Program {
    /// Makes the layers and gives every value its slot. `precision` is that of training.
    pub(crate) fn new(plan: &Plan, purpose: Purpose, precision: Precision) -> Program {
        let passes_on = |place: usize| match plan.steps[place].op {
            Op::Reshape => true,
            Op::Dropout(_) => purpose == Purpose::Serve,
            _ => false,
        };
        let mut roots: Vec<usize> = Vec::with_capacity(plan.steps.len());
        for (place, step) in plan.steps.iter().enumerate() {
            roots.push(if passes_on(place) { roots[step.inputs[0]] } else { place });
        }
        let slots = Slots::assign(plan, &roots, purpose);
        let size = |place: usize| plan.steps[place].shape.iter().product::<usize>();
        let mut packed = 0;
        let mut nodes = Vec::with_capacity(plan.steps.len());
        for (place, step) in plan.steps.iter().enumerate() {
            let layer = of_step(plan, place, precision);
            let first = packed;
            packed += lines(layer.packed(purpose));
            let weights = match (plan.places.get(step.weights.start), step.weights.is_empty()) {
                (Some(first), false) => first.start..plan.places[step.weights.end - 1].end,
                _ => 0..0,
            };
            nodes.push(Placed {
                packed: first..first + layer.packed(purpose),
                layer,
                runs: step.live && roots[place] == place && !matches!(step.op, Op::Input),
                slot: slots.of_node[roots[place]],
                size: size(place),
                inputs: step.inputs.iter().map(|input| (slots.of_node[roots[*input]], size(*input))).collect(),
                below: step.inputs.iter().map(|input| (*input, size(*input))).collect(),
                weights,
            });
        }
        Program { purpose, nodes, slots: slots.sizes, packed }
    }

    /// Memory for up to `rows` rows.
    pub(crate) fn memory(&self, plan: &Plan, rows: usize) -> Memory {
        let training = self.purpose == Purpose::Train;
        let scratch = |node: &Placed| if node.runs { node.layer.scratch(rows, self.purpose) } else { 0 };
        let values = self.slots.iter().map(|size| Arena::zeros(size * rows)).collect();
        let wanted = |(node, step): (&Placed, &crate::plan::Step)| if training && step.live && step.learns { node.size * rows } else { 0 };
        let slopes: Vec<Arena> = self.nodes.iter().zip(&plan.steps).map(|pair| Arena::zeros(wanted(pair))).collect();
        let scratch = if training {
            self.nodes.iter().map(|node| Arena::zeros(scratch(node))).collect()
        } else {
            vec![Arena::zeros(self.nodes.iter().map(scratch).max().unwrap_or(0))]
        };
        let spare = Arena::zeros(slopes.iter().map(|slope| slope.len()).max().unwrap_or(0));
        let gradient = Arena::zeros(if training { plan.weights_len() } else { 0 });
        let learns = plan.steps.iter().map(|step| step.learns).collect();
        Memory { rows, values, slopes, scratch, spare, written: vec![false; self.nodes.len()], learns, gradient }
    }

    /// Bytes that [`Program::memory`] takes, stays at the largest number where it would overflow.
    pub(crate) fn memory_bytes(&self, plan: &Plan, rows: usize) -> usize {
        let training = self.purpose == Purpose::Train;
        let add = |sum: usize, more: usize| sum.saturating_add(more);
        let times = |size: &usize| size.saturating_mul(rows);
        let scratch = self.nodes.iter().filter(|node| node.runs).map(|node| node.layer.scratch(rows, self.purpose));
        let scratch = if training { scratch.fold(0, add) } else { scratch.max().unwrap_or(0) };
        let slopes = || {
            self.nodes.iter().zip(&plan.steps).filter(|(_, step)| training && step.live && step.learns).map(|(node, _)| times(&node.size))
        };
        let parts = [self.slots.iter().map(times).fold(0, add), slopes().fold(0, add), slopes().max().unwrap_or(0), scratch];
        let gradient = if training { plan.weights_len() } else { 0 };
        parts.into_iter().fold(gradient, add).saturating_mul(size_of::<f32>())
    }

    /// Bytes of packed weights.
    pub(crate) fn packed_bytes(&self) -> usize {
        self.packed.saturating_mul(size_of::<f32>())
    }

    /// Packed weights, to be filled by [`Program::pack`].
    pub(crate) fn packed(&self) -> Arena {
        Arena::zeros(self.packed)
    }

    /// Packs all weights.
    pub(crate) fn pack(&self, weights: &[f32], packed: &mut [f32]) {
        for node in self.nodes.iter().filter(|node| node.runs) {
            node.layer.pack(&weights[node.weights.clone()], self.purpose, &mut packed[node.packed.clone()]);
        }
    }

    /// Multiply-adds of a forward pass over one row.
    pub(crate) fn products(&self) -> u64 {
        self.nodes.iter().filter(|node| node.runs).fold(0, |sum: u64, node| sum.saturating_add(node.layer.products()))
    }

    /// Where the caller writes the windows of `rows` samples, [rows, time, features].
    pub(crate) fn input<'a>(&self, plan: &Plan, memory: &'a mut Memory, rows: usize) -> &'a mut [f32] {
        let node = &self.nodes[plan.input];
        &mut memory.values[node.slot][..rows * node.size]
    }

    /// Value of a node after a forward pass over `rows` rows. While serving only outputs still have theirs.
    pub(crate) fn value<'a>(&self, memory: &'a Memory, place: usize, rows: usize) -> &'a [f32] {
        let node = &self.nodes[place];
        &memory.values[node.slot][..rows * node.size]
    }

    /// Computes every value of the rows whose windows the caller has written. `purpose` may be `Serve` in a program for
    /// training, to evaluate; then no backward pass may follow. `noise` is the key of this step.
    pub(crate) fn forward(
        &self,
        weights: &[f32],
        packed: &[f32],
        memory: &mut Memory,
        rows: usize,
        purpose: Purpose,
        noise: Option<Noise>,
    ) {
        assert!(rows <= memory.rows, "the memory was made for fewer rows");
        for (place, node) in self.nodes.iter().enumerate().filter(|(_, node)| node.runs) {
            let mut output = std::mem::take(&mut memory.values[node.slot]);
            let scratch = if self.purpose == Purpose::Train { place } else { 0 };
            node.layer.forward(Forward {
                rows,
                inputs: Inputs { values: &memory.values, slots: &node.inputs, rows },
                weights: &weights[node.weights.clone()],
                packed: &packed[node.packed.clone()],
                output: &mut output[..rows * node.size],
                scratch: &mut memory.scratch[scratch],
                purpose,
                noise: noise.map(|noise| Noise { key: noise::key(noise.key, 0, place), ..noise }),
            });
            memory.values[node.slot] = output;
        }
    }

    /// Forgets the gradients of the step before; then the caller writes those of the outputs with [`Program::begin`].
    pub(crate) fn rewind(&self, memory: &mut Memory) {
        memory.written.fill(false);
    }

    /// Lets the caller write the gradient of an output's value, beside that value. Outputs that share a node are summed.
    pub(crate) fn begin<T>(&self, memory: &mut Memory, place: usize, rows: usize, write: impl FnOnce(&[f32], &mut [f32]) -> T) -> T {
        let node = &self.nodes[place];
        let Memory { values, slopes, spare, written, .. } = memory;
        let value = &values[node.slot][..rows * node.size];
        let to = &mut slopes[place][..rows * node.size];
        if std::mem::replace(&mut written[place], true) {
            let more = &mut spare[..rows * node.size];
            let result = write(value, more);
            to.iter_mut().zip(more).for_each(|(sum, value)| *sum += *value);
            result
        } else {
            write(value, to)
        }
    }

    /// Computes the gradient of every weight. `noise` as in the forward pass.
    pub(crate) fn backward(&self, weights: &[f32], packed: &[f32], memory: &mut Memory, rows: usize, noise: Option<Noise>) {
        let Memory { values, slopes, scratch, spare, written, learns, gradient, .. } = memory;
        for (place, node) in self.nodes.iter().enumerate().rev() {
            if !(written[place] && learns[place]) {
                continue;
            }
            let mut above = std::mem::take(&mut slopes[place]);
            node.layer.backward(Backward {
                rows,
                inputs: Inputs { values, slots: &node.inputs, rows },
                weights: &weights[node.weights.clone()],
                packed: &packed[node.packed.clone()],
                output: &values[node.slot][..rows * node.size],
                above: &mut above[..rows * node.size],
                scratch: &mut scratch[place],
                gradient: &mut gradient[node.weights.clone()],
                below: Below { slopes, nodes: &node.below, written, learns, spare, rows },
                noise: noise.map(|noise| Noise { key: noise::key(noise.key, 0, place), ..noise }),
            });
            slopes[place] = above;
        }
    }
}

impl Memory {
    /// Bytes it takes.
    #[cfg(test)]
    pub(crate) fn size_bytes(&self) -> usize {
        let all = [&self.values, &self.slopes, &self.scratch];
        all.into_iter().flatten().chain([&self.spare, &self.gradient]).map(Arena::size_bytes).sum()
    }

    /// Most rows.
    pub(crate) fn rows(&self) -> usize {
        self.rows
    }

    /// Fills everything with not-a-number, to show that nothing is read before it is written.
    #[cfg(test)]
    fn soil(&mut self) {
        for arena in self.values.iter_mut().chain(&mut self.slopes).chain(&mut self.scratch).chain([&mut self.spare, &mut self.gradient]) {
            arena.fill(f32::NAN);
        }
    }
}

/// Which value lies where.
struct Slots {
    of_node: Vec<usize>,
    sizes: Vec<usize>,
}

impl Slots {
    /// While serving, a value takes the free slot that fits best, and grows the largest if none does.
    fn assign(plan: &Plan, roots: &[usize], purpose: Purpose) -> Slots {
        let mut last_read = vec![0; plan.steps.len()];
        for (place, step) in plan.steps.iter().enumerate().filter(|(_, step)| step.live) {
            step.inputs.iter().for_each(|input| last_read[roots[*input]] = place);
        }
        plan.heads.iter().for_each(|head| last_read[roots[*head]] = usize::MAX);
        let (mut of_node, mut sizes, mut free) = (vec![0; plan.steps.len()], Vec::new(), Vec::<usize>::new());
        let mut busy: Vec<usize> = Vec::new();
        for (place, step) in plan.steps.iter().enumerate() {
            if roots[place] != place || !step.live {
                continue;
            }
            if purpose == Purpose::Serve {
                let ended = |root: &usize| last_read[*root] < place;
                free.extend(busy.iter().copied().filter(ended).map(|root| of_node[root]));
                busy.retain(|root| !ended(root));
            }
            let size = step.shape.iter().product::<usize>();
            let fits = (0..free.len()).filter(|at| sizes[free[*at]] >= size).min_by_key(|at| sizes[free[*at]]);
            let slot = match fits.or_else(|| (0..free.len()).max_by_key(|at| sizes[free[*at]])) {
                Some(at) => free.swap_remove(at),
                None => {
                    sizes.push(0);
                    sizes.len() - 1
                }
            };
            sizes[slot] = size.max(sizes[slot]);
            of_node[place] = slot;
            busy.push(place);
        }
        Slots { of_node, sizes }
    }
}

#[cfg(test)]
pub(crate) mod tests;
