//! Convolution over time: y[t] = b + Σ_j x[t·stride + j·dilation - pad] · K_j; [time, in] -> [time', filters].
//!
//! Causal: pad = (size - 1)·dilation, and what lies before the first step is zero, so y[t] sees nothing after t·stride.
//! Else no padding. The kernel is [size, in, filters]. Backwards with the same rows:
//! dx[t·stride + j·dilation - pad] += dy[t]·K_jᵀ and dK_j = Σ x[t·stride + j·dilation - pad]ᵀ·dy[t], db = Σ dy.
//! In 32 bits with a stride of one a tile of results stays in registers over all taps; else tap follows tap.

use bellwether_domain::job::Precision;
use bellwether_domain::network::Conv1d;

use crate::kernel::conv::{Lines, Stretch, Taps, learn, stretches};
use crate::kernel::matmul::{LANES, Start};
use crate::kernel::pairs;
use crate::kernel::rows::sum_rows;
use crate::layer::factor::Factor;
use crate::layer::{Backward, Forward, Layer, Purpose};

/// A convolution.
#[derive(Debug)]
pub(crate) struct Conv {
    time: usize,
    width: usize,
    out_time: usize,
    filters: usize,
    precision: Precision,
    size: usize,
    stride: usize,
    dilation: usize,
    bias: bool,
    /// The taps that reach any step, from the last one.
    taps: Vec<Tap>,
    forward: Vec<Stretch>,
    /// Of dx over dy, taps counted from the last; empty unless the stride is one.
    backward: Vec<Stretch>,
}

/// One tap: output `first` reads step `from`, and every output after it `stride` steps further.
#[derive(Debug, Clone, Copy)]
struct Tap {
    place: usize,
    first: usize,
    from: usize,
}

impl Conv {
    /// Shapes are [time, in] and [time', filters].
    pub(crate) fn new(conv: &Conv1d, input: &[usize], output: &[usize], precision: Precision) -> Conv {
        let wide = |number: u32| usize::try_from(number).expect("checked against lengths that fit");
        let (size, stride, dilation) = (wide(conv.kernel_size), wide(conv.stride), wide(conv.dilation));
        let (time, out_time) = (input[0], output[0]);
        let pad = if conv.causal { (size - 1) * dilation } else { 0 };
        let tap = |place: usize| {
            let shift = place * dilation;
            let first = pad.saturating_sub(shift).div_ceil(stride);
            (first < out_time).then(|| Tap { place, first, from: first * stride + shift - pad })
        };
        let forward = stretches(out_time, |t| {
            let tap = pad.saturating_sub(t * stride).div_ceil(dilation);
            (tap, size - tap, t * stride + tap * dilation - pad)
        });
        let backward = |t: usize| {
            let last = ((t + pad) / dilation).min(size - 1);
            let first = (t + pad + 1).saturating_sub(out_time).div_ceil(dilation);
            // The later tap reads the earlier row.
            (size - 1 - last, (last + 1).saturating_sub(first), t + pad - last * dilation)
        };
        Conv {
            time,
            width: input[1],
            out_time,
            filters: output[1],
            precision,
            size,
            stride,
            dilation,
            bias: conv.bias,
            taps: (0..size).rev().map_while(tap).collect(),
            forward,
            backward: if stride == 1 { stretches(time, backward) } else { vec![] },
        }
    }

    /// One tap's weights.
    fn factor(&self) -> Factor {
        Factor { depth: self.width, columns: self.filters, precision: self.precision }
    }

    /// The part of a tap's packed weights that training reads; the last tap's comes first.
    fn trained<'a>(&self, packed: &'a [f32], tap: &Tap) -> &'a [f32] {
        let (plain, trained) = (self.factor().plain(), self.factor().trained());
        &packed[self.size * plain + (self.size - 1 - tap.place) * trained..][..trained]
    }

    /// Numbers of one tap's weights.
    fn weight(&self) -> usize {
        self.width * self.filters
    }

    /// Width of a row of dy as the gradient of the kernel reads it: in 32 bits in whole panels.
    fn padded(&self) -> usize {
        if self.precision == Precision::F32 { self.filters.next_multiple_of(LANES) } else { self.filters }
    }

    fn forward_by_taps(&self, x: &[f32], packed: &[f32], start: Start<'_>, output: &mut [f32]) {
        for (x, y) in x.chunks_exact(self.time * self.width).zip(output.chunks_exact_mut(self.out_time * self.filters)) {
            match start {
                Start::Row(bias) => y.chunks_exact_mut(self.filters).for_each(|y| y.copy_from_slice(bias)),
                _ => y.fill(0.0),
            }
            for tap in &self.taps {
                let kernel = self.factor().forward(Purpose::Train, &[], self.trained(packed, tap));
                let (x, y) = (&x[tap.from * self.width..], &mut y[tap.first * self.filters..]);
                kernel.multiply(x, self.stride * self.width, self.out_time - tap.first, Start::Given, y, self.filters);
            }
        }
    }

    fn backward_kernel(&self, x: &[f32], above: &[f32], scratch: &mut [f32], to: &mut [f32]) {
        to.fill(0.0);
        let samples = x.len() / (self.time * self.width);
        let padded = self.padded();
        let above = if padded == self.filters {
            above
        } else {
            for (to, from) in scratch.chunks_exact_mut(padded).zip(above.chunks_exact(self.filters)) {
                to[..self.filters].copy_from_slice(from);
                to[self.filters..].fill(0.0);
            }
            &scratch[..samples * self.out_time * padded]
        };
        for tap in &self.taps {
            let a = Lines { values: &x[tap.from * self.width..], stride: self.stride * self.width, sample: self.time * self.width };
            let b = Lines { values: &above[tap.first * padded..], stride: padded, sample: self.out_time * padded };
            let to = &mut to[tap.place * self.weight()..][..self.weight()];
            let learn = if self.precision == Precision::F32 { learn } else { pairs::learn };
            learn(a, b, [samples, self.out_time - tap.first], to, [self.width, self.filters]);
        }
    }

    fn backward_input(&self, above: &[f32], packed: &[f32], to: &mut [f32]) {
        let samples = to.chunks_exact_mut(self.time * self.width).zip(above.chunks_exact(self.out_time * self.filters));
        if self.stride == 1 && self.precision == Precision::F32 {
            let packed = &packed[self.size * self.factor().plain()..];
            let taps = Taps { packed, depth: self.filters, columns: self.width, apart: self.dilation, stride: 1 };
            return samples.for_each(|(to, above)| taps.apply(&self.backward, above, Start::Zero, to));
        }
        for (to, above) in samples {
            to.fill(0.0);
            for tap in &self.taps {
                let kernel = self.factor().backward(self.trained(packed, tap));
                let (above, to) = (&above[tap.first * self.filters..], &mut to[tap.from * self.width..]);
                kernel.multiply(above, self.filters, self.out_time - tap.first, Start::Given, to, self.stride * self.width);
            }
        }
    }
}

impl Layer for Conv {
    fn packed(&self, purpose: Purpose) -> usize {
        self.size * (self.factor().plain() + if purpose == Purpose::Train { self.factor().trained() } else { 0 })
    }

    fn pack(&self, weights: &[f32], _purpose: Purpose, packed: &mut [f32]) {
        let factor = self.factor();
        let (plain, trained) = packed.split_at_mut(self.size * factor.plain());
        let mut trained = trained.rchunks_exact_mut(factor.trained());
        for (kernel, plain) in weights.chunks_exact(self.weight()).zip(plain.chunks_exact_mut(factor.plain())) {
            factor.pack(kernel, plain, trained.next().unwrap_or_default());
        }
    }

    /// dy in whole panels.
    fn scratch(&self, rows: usize, purpose: Purpose) -> usize {
        let padded = self.padded();
        if purpose == Purpose::Serve || padded == self.filters { 0 } else { rows * self.out_time * padded }
    }

    fn products(&self) -> u64 {
        self.taps.iter().map(|tap| ((self.out_time - tap.first) * self.weight()) as u64).sum()
    }

    fn forward(&self, pass: Forward<'_>) {
        let Forward { inputs, weights, packed, output, purpose, .. } = pass;
        let x = inputs.get(0);
        let start = if self.bias { Start::Row(&weights[self.size * self.weight()..]) } else { Start::Zero };
        if purpose == Purpose::Train && self.precision == Precision::Bf16 {
            return self.forward_by_taps(x, packed, start, output);
        }
        if self.size == 1 && self.out_time * self.stride == self.time {
            // Samples follow each other evenly.
            let kernel = self.factor().forward(purpose, packed, &[]);
            return kernel.multiply(x, self.stride * self.width, pass.rows * self.out_time, start, output, self.filters);
        }
        let taps = Taps { packed, depth: self.width, columns: self.filters, apart: self.dilation, stride: self.stride };
        for (x, y) in x.chunks_exact(self.time * self.width).zip(output.chunks_exact_mut(self.out_time * self.filters)) {
            taps.apply(&self.forward, x, start, y);
        }
    }

    fn backward(&self, pass: Backward<'_>) {
        let Backward { inputs, packed, above, scratch, gradient, mut below, .. } = pass;
        let (to_kernel, to_bias) = gradient.split_at_mut(self.size * self.weight());
        self.backward_kernel(inputs.get(0), above, scratch, to_kernel);
        if self.bias {
            sum_rows(above, to_bias);
        }
        below.fill(0, |to| self.backward_input(above, packed, to));
    }
}

#[cfg(test)]
mod tests {
    use bellwether_domain::network::{Activation, Initializer, Operation};

    use super::*;
    use crate::program::tests::{FEATURES, STEPS, check, dense, drawn, numbers, sequence};

    fn conv(filters: u32, kernel_size: u32, stride: u32, dilation: u32, causal: bool, bias: bool) -> Conv1d {
        Conv1d { filters, kernel_size, stride, dilation, causal, bias, kernel: Initializer::Standard }
    }

    fn kinds() -> Vec<Conv1d> {
        vec![
            conv(4, 3, 1, 1, true, true),
            conv(17, 2, 1, 1, false, true),
            conv(5, 3, 1, 2, true, false),
            conv(3, 2, 2, 2, true, true),
            conv(3, 3, 2, 1, false, false),
            conv(3, 2, 1, 4, false, true),
            conv(4, 1, 1, 1, true, true),
            conv(4, 1, 3, 1, false, true),
            conv(4, 1, 4, 1, true, true),
            // Taps that reach before the first step from every output.
            conv(3, 4, 1, 5, true, true),
            conv(2, 3, 4, 3, true, true),
        ]
    }

    #[test]
    fn every_kind_passes_every_check() {
        for kind in kinds() {
            check(&sequence(vec![dense(5), Operation::Activation(Activation::Tanh), Operation::Conv1d(kind.clone())]));
            check(&sequence(vec![Operation::Conv1d(kind)]));
        }
    }

    #[test]
    fn outputs_are_those_of_the_definition() {
        for kind in kinds() {
            let network = sequence(vec![Operation::Conv1d(kind.clone())]);
            let (plan, weights) = drawn(&network);
            let (shape, weights) = (&plan.steps[1].shape, &weights[..plan.places[plan.steps[1].weights.end - 1].end]);
            let layer = Conv::new(&kind, &[STEPS, FEATURES], shape, Precision::F32);
            let mut packed = vec![f32::NAN; layer.packed(Purpose::Serve)];
            layer.pack(weights, Purpose::Serve, &mut packed);
            let mut x = crate::arena::Arena::zeros(2 * STEPS * FEATURES);
            x.copy_from_slice(&numbers(2 * STEPS * FEATURES, 3));
            let mut y = vec![f32::NAN; 2 * shape[0] * shape[1]];
            let values = [x];
            let inputs = crate::layer::Inputs { values: &values, slots: &[(0, STEPS * FEATURES)], rows: 2 };
            let purpose = Purpose::Serve;
            layer.forward(Forward { rows: 2, inputs, weights, packed: &packed, output: &mut y, scratch: &mut [], purpose, noise: None });
            let (size, filters) = (kind.kernel_size as usize, shape[1]);
            let pad = if kind.causal { (size - 1) * kind.dilation as usize } else { 0 };
            for (place, given) in y.iter().enumerate() {
                let (sample, t, filter) = (place / filters / shape[0], place / filters % shape[0], place % filters);
                let mut wanted = if kind.bias { weights[size * FEATURES * filters + filter] } else { 0.0 };
                for j in 0..size {
                    let Some(at) = (t * kind.stride as usize + j * kind.dilation as usize).checked_sub(pad) else { continue };
                    for k in 0..FEATURES {
                        wanted += values[0][(sample * STEPS + at) * FEATURES + k] * weights[(j * FEATURES + k) * filters + filter];
                    }
                }
                assert!((given - wanted).abs() < 1e-5, "{kind:?}: {given} is not {wanted} at {place}");
            }
        }
    }
}
