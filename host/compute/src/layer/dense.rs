//! y = x·W + b over the last axis: [.., in] -> [.., units].
//!
//! dx = dy·Wᵀ, dW = xᵀ·dy, db = Σ dy.

use bellwether_domain::job::Precision;

use crate::kernel::matmul::Start;
use crate::kernel::rows::sum_rows;
use crate::layer::factor::Factor;
use crate::layer::{Backward, Forward, Layer, Purpose};

/// A dense layer.
#[derive(Debug)]
pub(crate) struct Dense {
    /// W.
    factor: Factor,
    /// Rows of x per sample.
    times: usize,
    bias: bool,
}

impl Dense {
    pub(crate) fn new(input: &[usize], output: &[usize], bias: bool, precision: Precision) -> Dense {
        let [depth, columns] = [input, output].map(|shape| shape.last().copied().unwrap_or(1));
        Dense { factor: Factor { depth, columns, precision }, times: output.iter().product::<usize>() / columns, bias }
    }
}

impl Layer for Dense {
    fn packed(&self, purpose: Purpose) -> usize {
        self.factor.plain() + if purpose == Purpose::Train { self.factor.trained() } else { 0 }
    }

    fn pack(&self, weights: &[f32], _purpose: Purpose, packed: &mut [f32]) {
        let (plain, trained) = packed.split_at_mut(self.factor.plain());
        self.factor.pack(weights, plain, trained);
    }

    fn products(&self) -> u64 {
        (self.times * self.factor.depth * self.factor.columns) as u64
    }

    fn forward(&self, pass: Forward<'_>) {
        let Factor { depth, columns, .. } = self.factor;
        let (plain, trained) = pass.packed.split_at(self.factor.plain());
        let start = if self.bias { Start::Row(&pass.weights[depth * columns..]) } else { Start::Zero };
        let kernel = self.factor.forward(pass.purpose, plain, trained);
        kernel.multiply(pass.inputs.get(0), depth, pass.rows * self.times, start, pass.output, columns);
    }

    fn backward(&self, pass: Backward<'_>) {
        let Backward { rows, inputs, packed, above, gradient, mut below, .. } = pass;
        let (Factor { depth, columns, .. }, lines) = (self.factor, rows * self.times);
        let (to_kernel, to_bias) = gradient.split_at_mut(depth * columns);
        self.factor.learn(inputs.get(0), above, lines, to_kernel);
        if self.bias {
            sum_rows(above, to_bias);
        }
        let back = self.factor.backward(&packed[self.factor.plain()..]);
        below.fill(0, |to| back.multiply(above, columns, lines, Start::Zero, to, depth));
    }
}
