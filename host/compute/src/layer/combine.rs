//! Operations that only move, add or multiply numbers: add, multiply, concat, slice, and those that change nothing.
//!
//! A node may read the same value more than once: each reading gets its own gradient, and [`crate::layer::Below::fill`] sums them.

use crate::layer::{Backward, Forward, Inputs, Layer};

/// The same numbers: an input, a reshape. The forward pass is never called: the node's value is the one it reads.
#[derive(Debug)]
pub(crate) struct Identity;

impl Layer for Identity {
    fn forward(&self, pass: Forward<'_>) {
        pass.output.copy_from_slice(pass.inputs.get(0));
    }

    fn backward(&self, pass: Backward<'_>) {
        let Backward { above, mut below, .. } = pass;
        below.fill(0, |to| to.copy_from_slice(above));
    }
}

/// The sum of two or more values of one shape.
#[derive(Debug)]
pub(crate) struct Add;

impl Layer for Add {
    fn forward(&self, pass: Forward<'_>) {
        let Forward { inputs, output, .. } = pass;
        join(&inputs, output, |a, b| a + b);
    }

    fn backward(&self, pass: Backward<'_>) {
        let Backward { inputs, above, mut below, .. } = pass;
        for place in 0..inputs.count() {
            below.fill(place, |to| to.copy_from_slice(above));
        }
    }
}

/// The element-wise product of two or more values of one shape: the gradient of each is that of the product times the others.
#[derive(Debug)]
pub(crate) struct Multiply;

impl Layer for Multiply {
    fn forward(&self, pass: Forward<'_>) {
        let Forward { inputs, output, .. } = pass;
        join(&inputs, output, |a, b| a * b);
    }

    fn backward(&self, pass: Backward<'_>) {
        let Backward { inputs, above, mut below, .. } = pass;
        for place in 0..inputs.count() {
            // The product of the others anew, not output / input: an input may be zero.
            below.fill(place, |to| {
                to.copy_from_slice(above);
                let others = (0..inputs.count()).filter(|other| *other != place);
                others.for_each(|other| to.iter_mut().zip(inputs.get(other)).for_each(|(to, value)| *to *= value));
            });
        }
    }
}

/// `output` = all inputs under `operation`, from the first to the last.
fn join(inputs: &Inputs<'_>, output: &mut [f32], operation: impl Fn(f32, f32) -> f32) {
    let pairs = inputs.get(0).iter().zip(inputs.get(1));
    output.iter_mut().zip(pairs).for_each(|(to, (a, b))| *to = operation(*a, *b));
    for place in 2..inputs.count() {
        output.iter_mut().zip(inputs.get(place)).for_each(|(to, value)| *to = operation(*to, *value));
    }
}

/// Values joined along an axis. Per sample and index of the axes before it, each input gives a run of numbers.
#[derive(Debug)]
pub(crate) struct Concat {
    /// Length of each input's run.
    runs: Vec<usize>,
    /// Of all of them.
    whole: usize,
}

impl Concat {
    /// `shapes` are those of the inputs.
    pub(crate) fn new<'a>(shapes: impl Iterator<Item = &'a [usize]>, axis: usize) -> Concat {
        let runs: Vec<usize> = shapes.map(|shape| shape[axis..].iter().product()).collect();
        let whole = runs.iter().sum();
        Concat { runs, whole }
    }

    /// Where the run of each input begins.
    fn places(&self) -> impl Iterator<Item = (usize, usize, usize)> {
        self.runs.iter().enumerate().scan(0, |next, (input, run)| {
            let first = *next;
            *next += run;
            Some((input, first, *run))
        })
    }
}

impl Layer for Concat {
    fn forward(&self, pass: Forward<'_>) {
        let Forward { inputs, output, .. } = pass;
        for (input, first, run) in self.places() {
            copy_runs(inputs.get(input), [run, 0], output, [self.whole, first], run);
        }
    }

    fn backward(&self, pass: Backward<'_>) {
        let Backward { above, mut below, .. } = pass;
        for (input, first, run) in self.places() {
            below.fill(input, |to| copy_runs(above, [self.whole, first], to, [run, 0], run));
        }
    }
}

/// A range of one axis. Per sample and index of the axes before it, one run of numbers is kept.
#[derive(Debug)]
pub(crate) struct Slice {
    /// Numbers of the input per run kept.
    whole: usize,
    /// First number of it that is kept.
    first: usize,
    run: usize,
}

impl Slice {
    /// `shape` is that of the input.
    pub(crate) fn new(shape: &[usize], axis: usize, start: usize, length: usize) -> Slice {
        let one: usize = shape[axis + 1..].iter().product();
        Slice { whole: shape[axis] * one, first: start * one, run: length * one }
    }
}

impl Layer for Slice {
    fn forward(&self, pass: Forward<'_>) {
        let Forward { inputs, output, .. } = pass;
        copy_runs(inputs.get(0), [self.whole, self.first], output, [self.run, 0], self.run);
    }

    fn backward(&self, pass: Backward<'_>) {
        let Backward { above, mut below, .. } = pass;
        let spread = |to: &mut [f32]| {
            to.fill(0.0);
            copy_runs(above, [self.run, 0], to, [self.whole, self.first], self.run);
        };
        below.fill(0, spread);
    }
}

/// Copies `run` numbers from every stretch of `from` to every stretch of `to`; both are given as [length, first number].
fn copy_runs(from: &[f32], [from_length, from_first]: [usize; 2], to: &mut [f32], [to_length, to_first]: [usize; 2], run: usize) {
    for (from, to) in from.chunks_exact(from_length).zip(to.chunks_exact_mut(to_length)) {
        to[to_first..to_first + run].copy_from_slice(&from[from_first..from_first + run]);
    }
}

#[cfg(test)]
mod tests {
    use bellwether_domain::network::{Node, Operation, Slice as Range};

    use crate::program::tests::{chain, check, dense, sequence};

    #[test]
    fn what_reads_a_value_twice_gets_both_gradients() {
        for joins in [Operation::Add, Operation::Multiply, Operation::Concat(0), Operation::Concat(1)] {
            check(&sequence(vec![dense(4), joins.clone(), dense(3)]));
            check(&sequence(vec![joins, dense(3)]));
        }
        check(&chain(vec![Operation::Reshape(vec![18]), dense(3), Operation::Concat(0)]));
    }

    #[test]
    fn ranges_are_cut_from_every_axis() {
        for (axis, start, length) in [(0, 1, 4), (0, 5, 1), (1, 0, 2), (1, 3, 1), (1, 0, 4)] {
            check(&sequence(vec![dense(4), Operation::Slice(Range { axis, start, length })]));
        }
        let cut = |axis, start, length| Operation::Slice(Range { axis, start, length });
        check(&chain(vec![dense(4), Operation::Reshape(vec![2, 3, 4]), cut(1, 1, 2), cut(0, 1, 1), Operation::Reshape(vec![8])]));
    }

    #[test]
    fn several_values_are_joined_in_their_order() {
        for operation in [Operation::Add, Operation::Multiply, Operation::Concat(0), Operation::Concat(1)] {
            let mut network = sequence(vec![dense(4), dense(4), dense(4), operation]);
            // The joining node reads three different values, one of them twice.
            network.nodes[4].inputs = vec![3, 1, 2, 1];
            check(&network);
        }
        let mut network = sequence(vec![dense(4), dense(2), Operation::Concat(1)]);
        network.nodes[3] = Node { inputs: vec![1, 2, 0], ..network.nodes[3].clone() };
        check(&network);
    }
}
