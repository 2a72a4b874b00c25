//! y = x·W + b over the last axis: [.., in] -> [.., units].
//!
//! dx = dy·Wᵀ, dW = xᵀ·dy, db = Σ dy.

use crate::kernel::matmul::{Matrix, Start, multiply, pack, pack_transposed, packed_len};
use crate::kernel::raw::transposed_product;
use crate::kernel::rows::sum_rows;
use crate::layer::{Backward, Forward, Layer, Purpose};

/// A dense layer.
#[derive(Debug)]
pub(crate) struct Dense {
    width: usize,
    units: usize,
    /// Rows of x per sample.
    times: usize,
    bias: bool,
}

impl Dense {
    pub(crate) fn new(input: &[usize], output: &[usize], bias: bool) -> Dense {
        let units = output.last().copied().unwrap_or(1);
        Dense { width: input.last().copied().unwrap_or(1), units, times: output.iter().product::<usize>() / units, bias }
    }
}

impl Layer for Dense {
    fn packed(&self, purpose: Purpose) -> usize {
        let back = if purpose == Purpose::Train { packed_len(self.units, self.width) } else { 0 };
        packed_len(self.width, self.units) + back
    }

    fn pack(&self, weights: &[f32], purpose: Purpose, packed: &mut [f32]) {
        let (forward, back) = packed.split_at_mut(packed_len(self.width, self.units));
        pack(weights, self.width, self.units, forward);
        if purpose == Purpose::Train {
            pack_transposed(weights, self.units, self.width, back);
        }
    }

    fn products(&self) -> u64 {
        (self.times * self.width * self.units) as u64
    }

    fn forward(&self, pass: Forward<'_>) {
        let kernel = Matrix { depth: self.width, columns: self.units, values: pass.packed };
        let bias = &pass.weights[self.width * self.units..];
        let start = if self.bias { Start::Row(bias) } else { Start::Zero };
        multiply(pass.inputs.get(0), self.width, pass.rows * self.times, kernel, start, pass.output, self.units);
    }

    fn backward(&self, pass: Backward<'_>) {
        let Backward { rows, inputs, packed, above, gradient, mut below, .. } = pass;
        let lines = rows * self.times;
        let (to_kernel, to_bias) = gradient.split_at_mut(self.width * self.units);
        transposed_product(inputs.get(0), above, to_kernel, [self.width, lines, self.units]);
        if self.bias {
            sum_rows(above, to_bias);
        }
        let back = Matrix { depth: self.units, columns: self.width, values: &packed[packed_len(self.width, self.units)..] };
        below.fill(0, |to| multiply(above, self.units, lines, back, Start::Zero, to, self.width));
    }
}
