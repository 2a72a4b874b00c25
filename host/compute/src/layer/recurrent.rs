//! LSTM and GRU: one or more layers on top of each other, in one direction or both, giving every step or the state after the
//! run.
//!
//! [time, in] -> [time, units] or [units]; with both directions their states stand side by side, forward first. What lies
//! between forward and backward lies in the scratch: the trace of each run, then the sequences between layers, then what the
//! backward pass needs. While serving, all runs share one trace. The arithmetic is a [`Cell`]'s.

use std::marker::PhantomData;
use std::ops::Range;

use bellwether_domain::network;

use crate::arena::lines;
use crate::kernel::matmul::Start;
use crate::kernel::recurrent::{Above, Below, Cell, Run, Strided};
use crate::layer::{Backward, Forward, Layer, Purpose};

/// Layers of one kind of cell.
#[derive(Debug)]
pub(crate) struct Recurrent<C> {
    steps: usize,
    /// Width of its input.
    width: usize,
    units: usize,
    layers: usize,
    directions: usize,
    /// Gives every step.
    all: bool,
    cell: PhantomData<C>,
}

impl<C: Cell> Recurrent<C> {
    /// For an input [time, in].
    pub(crate) fn new(layer: &network::Recurrent, input: &[usize]) -> Recurrent<C> {
        let wide = |number: u32| usize::try_from(number).expect("checked against limits that fit");
        Recurrent {
            steps: input.first().copied().unwrap_or(1),
            width: input.last().copied().unwrap_or(1),
            units: wide(layer.units),
            layers: wide(layer.layers),
            directions: if layer.bidirectional { 2 } else { 1 },
            all: layer.return_sequences,
            cell: PhantomData,
        }
    }

    /// Width of a layer's output.
    fn wide(&self) -> usize {
        self.units * self.directions
    }

    /// Width of a layer's input.
    fn input(&self, level: usize) -> usize {
        if level == 0 { self.width } else { self.wide() }
    }

    fn run(&self, rows: usize, level: usize, direction: usize) -> Run {
        Run { rows, steps: self.steps, input: self.input(level), units: self.units, reverse: direction == 1 }
    }

    /// Place of one run's part where every run has a part and its size depends on the layer's input.
    fn part(&self, level: usize, direction: usize, size: impl Fn(usize) -> usize) -> Range<usize> {
        let before = if level == 0 { 0 } else { self.directions * size(0) + (level - 1) * self.directions * size(level) };
        let first = before + direction * size(level);
        first..first + size(level)
    }

    /// Length of all parts.
    fn parts(&self, size: impl Fn(usize) -> usize) -> usize {
        self.part(self.layers - 1, self.directions - 1, size).end
    }

    fn packed_size(&self, level: usize) -> [usize; 2] {
        C::packed(self.input(level), self.units)
    }

    fn trace(&self, rows: usize, level: usize, traced: bool) -> usize {
        C::trace(&self.run(rows, level, 0), traced)
    }

    /// Length of a sequence between layers.
    fn between(&self, rows: usize) -> usize {
        lines(rows * self.steps * self.wide())
    }

    /// Scratch of the trace and of the sequences between layers.
    fn kept(&self, rows: usize, traced: bool) -> [usize; 2] {
        let inner = self.layers - 1;
        if traced {
            [self.parts(|level| self.trace(rows, level, true)), inner * self.between(rows)]
        } else {
            let most = self.trace(rows, 0, false).max(self.trace(rows, self.layers - 1, false));
            [most, inner.min(2) * self.between(rows)]
        }
    }

    /// Values [rows, time, width] from their first number on.
    fn sequence<T>(&self, values: T, width: usize) -> Strided<T> {
        Strided { values, row: self.steps * width, time: width }
    }
}

impl<C: Cell> Layer for Recurrent<C> {
    fn packed(&self, purpose: Purpose) -> usize {
        let forward = self.parts(|level| self.packed_size(level)[0]);
        if purpose == Purpose::Train { forward + self.parts(|level| self.packed_size(level)[1]) } else { forward }
    }

    fn pack(&self, weights: &[f32], purpose: Purpose, packed: &mut [f32]) {
        let (forward, back) = packed.split_at_mut(self.packed(Purpose::Serve));
        for (level, direction) in (0..self.layers).flat_map(|level| (0..self.directions).map(move |direction| (level, direction))) {
            let weights = &weights[self.part(level, direction, |level| C::weights(self.input(level), self.units))];
            let forward = &mut forward[self.part(level, direction, |level| self.packed_size(level)[0])];
            let place = if purpose == Purpose::Train { self.part(level, direction, |level| self.packed_size(level)[1]) } else { 0..0 };
            C::pack(weights, self.input(level), self.units, forward, &mut back[place]);
        }
    }

    fn scratch(&self, rows: usize, purpose: Purpose) -> usize {
        let serve = self.kept(rows, false).iter().sum();
        if purpose == Purpose::Serve {
            return serve;
        }
        let slopes = (0..self.layers).map(|level| C::slopes(&self.run(rows, level, 0))).max().unwrap_or(0);
        let train = self.kept(rows, true).iter().sum::<usize>() + slopes + (self.layers - 1).min(2) * self.between(rows);
        train.max(serve)
    }

    fn products(&self) -> u64 {
        let of = |level| self.steps * self.directions * C::products(self.input(level), self.units);
        (0..self.layers).map(|level| of(level) as u64).sum()
    }

    fn forward(&self, pass: Forward<'_>) {
        let (rows, traced) = (pass.rows, pass.purpose == Purpose::Train);
        let [traces, _] = self.kept(rows, traced);
        let (traces, between) = pass.scratch.split_at_mut(traces);
        let size = self.between(rows);
        // While serving two sequences take turns.
        let place = |level: usize| if traced { level * size..(level + 1) * size } else { level % 2 * size..(level % 2 + 1) * size };
        for level in 0..self.layers {
            let top = level + 1 == self.layers;
            let last = top && !self.all;
            let (x, to): (&[f32], &mut [f32]) = match (level, top) {
                (0, true) => (pass.inputs.get(0), &mut *pass.output),
                (0, false) => (pass.inputs.get(0), &mut between[place(0)]),
                (_, true) => (&between[place(level - 1)], &mut *pass.output),
                (_, false) => {
                    let [x, to] = between.get_disjoint_mut([place(level - 1), place(level)]).expect("neighbours lie apart");
                    (x, to)
                }
            };
            for direction in 0..self.directions {
                let run = self.run(rows, level, direction);
                let packed = &pass.packed[self.part(level, direction, |level| self.packed_size(level)[0])];
                let trace = if traced { self.part(level, direction, |level| self.trace(rows, level, true)) } else { 0..traces.len() };
                let to = &mut to[direction * self.units..];
                let to = if last { Strided { values: to, row: self.wide(), time: 0 } } else { self.sequence(to, self.wide()) };
                C::forward(&run, self.sequence(x, run.input), packed, traced, &mut traces[trace], to, last);
            }
        }
    }

    fn backward(&self, pass: Backward<'_>) {
        let Backward { rows, packed, above, scratch, gradient, mut below, .. } = pass;
        let [traces, between] = self.kept(rows, true);
        let (traces, rest) = scratch.split_at_mut(traces);
        let (_, rest) = rest.split_at_mut(between);
        let size = self.between(rows);
        let (sequences, slopes) = rest.split_at_mut((self.layers - 1).min(2) * size);
        let back = &packed[self.packed(Purpose::Serve)..];
        let mut level_back = |level: usize, above: &[f32], to: Option<&mut [f32]>| {
            let mut to = to;
            for direction in 0..self.directions {
                let run = self.run(rows, level, direction);
                let packed = &back[self.part(level, direction, |level| self.packed_size(level)[1])];
                let trace = &traces[self.part(level, direction, |level| self.trace(rows, level, true))];
                let weights = &mut gradient[self.part(level, direction, |level| C::weights(self.input(level), self.units))];
                let above = &above[direction * self.units..];
                let above = if level + 1 == self.layers && !self.all {
                    Above::Last(above, self.wide())
                } else {
                    Above::All(self.sequence(above, self.wide()))
                };
                let start = if direction == 0 { Start::Zero } else { Start::Given };
                let x = to.as_deref_mut().map(|to| Below { to: self.sequence(to, run.input), start });
                C::backward(&run, packed, trace, slopes, above, weights, x);
            }
        };
        let place = |level: usize| level % 2 * size..(level % 2 + 1) * size;
        for level in (1..self.layers).rev() {
            if level + 1 == self.layers {
                level_back(level, above, Some(&mut sequences[place(level - 1)]));
            } else {
                let [above, to] = sequences.get_disjoint_mut([place(level), place(level - 1)]).expect("neighbours lie apart");
                level_back(level, above, Some(to));
            }
        }
        let above = if self.layers == 1 { &*above } else { &sequences[place(0)] };
        if below.wanted(0) {
            below.fill(0, |to| level_back(0, above, Some(to)));
        } else {
            level_back(0, above, None);
        }
    }
}

#[cfg(test)]
mod tests {
    use bellwether_domain::network::{Initializer, Operation};

    use crate::program::tests::{FEATURES, STEPS, chain, check, check_on, dense, numbers, sequence};

    fn layer(units: u32, layers: u32, bidirectional: bool, return_sequences: bool) -> bellwether_domain::network::Recurrent {
        let (kernel, recurrent_kernel) = (Initializer::Standard, Initializer::Standard);
        bellwether_domain::network::Recurrent { units, layers, bidirectional, return_sequences, kernel, recurrent_kernel }
    }

    /// Both cells.
    fn cells(units: u32, layers: u32, bidirectional: bool, return_sequences: bool) -> [Operation; 2] {
        let layer = layer(units, layers, bidirectional, return_sequences);
        [Operation::Lstm(layer.clone()), Operation::Gru(layer)]
    }

    #[test]
    fn one_layer() {
        for operation in cells(16, 1, false, false) {
            check(&chain(vec![operation]));
        }
        for operation in cells(21, 1, false, false) {
            check(&chain(vec![dense(20), operation]));
        }
        for operation in cells(4, 1, false, true) {
            check(&sequence(vec![dense(17), operation]));
        }
    }

    #[test]
    fn layers_and_directions() {
        for operation in cells(5, 2, true, false) {
            check(&chain(vec![operation]));
        }
        for operation in cells(18, 3, false, true) {
            check(&sequence(vec![dense(4), operation]));
        }
        for operation in cells(6, 4, true, true) {
            check(&sequence(vec![dense(4), operation]));
        }
    }

    #[test]
    fn a_single_row_learns() {
        for operation in cells(32, 2, true, false) {
            check_on(&chain(vec![operation]), &numbers(STEPS * FEATURES, 3));
        }
    }

    #[test]
    fn many_rows_are_as_few() {
        let windows = numbers(70 * STEPS * FEATURES, 3);
        for operation in cells(17, 2, true, true) {
            check_on(&sequence(vec![operation]), &windows);
        }
        for operation in cells(3, 2, false, false) {
            check_on(&chain(vec![dense(18), operation]), &windows);
        }
    }
}
