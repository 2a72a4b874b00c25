//! Batch normalisation (Ioffe and Szegedy 2015) over the last axis: y = (x - mean) / √(variance + ε) · scale + shift.
//!
//! Training takes mean and variance of each column over all rows and all axes but the last, the variance divided by their
//! number n; the running ones move by 1 - momentum towards them, the running variance towards that divided by n - 1 as in
//! PyTorch. Serving takes the running ones. So a step of training must see the whole batch at once:
//! [`crate::plan::Plan::whole_batch`]. Weights: scale, shift, mean, variance, each [in]; the last two are kept, not trained.
//!
//! With x̂ = (y - shift) / scale: dshift = Σ dy, dscale = Σ dy·x̂, dx = scale / √(variance + ε) · (dy - (dshift + x̂·dscale) / n).

use bellwether_domain::network::BatchNorm as Description;

use crate::kernel::matmul::LANES;
use crate::kernel::raw::both;
use crate::layer::{Backward, Forward, Layer, Purpose};

/// A batch normalisation.
#[derive(Debug)]
pub(crate) struct BatchNorm {
    epsilon: f64,
    momentum: f64,
    width: usize,
}

impl BatchNorm {
    pub(crate) fn new(description: &Description, shape: &[usize]) -> BatchNorm {
        BatchNorm { epsilon: description.epsilon, momentum: description.momentum, width: shape.last().copied().unwrap_or(1) }
    }
}

impl Layer for BatchNorm {
    /// The factor of each column while serving.
    fn packed(&self, _: Purpose) -> usize {
        self.width
    }

    fn pack(&self, weights: &[f32], _: Purpose, packed: &mut [f32]) {
        let (scale, variance) = (&weights[..self.width], &weights[3 * self.width..]);
        for ((factor, scale), variance) in packed.iter_mut().zip(scale).zip(variance) {
            *factor = (f64::from(*scale) / (f64::from(*variance) + self.epsilon).sqrt()) as f32;
        }
    }

    /// Mean, variance and 1 / √(variance + ε) of the batch.
    fn scratch(&self, _: usize, purpose: Purpose) -> usize {
        if purpose == Purpose::Train { 4 * self.width } else { 0 }
    }

    fn forward(&self, pass: Forward<'_>) {
        let Forward { inputs, weights, packed, output, scratch, purpose, .. } = pass;
        let x = inputs.get(0);
        let (scale, shift) = (&weights[..self.width], &weights[self.width..2 * self.width]);
        if purpose == Purpose::Serve {
            normalise(x, &weights[2 * self.width..3 * self.width], packed, shift, output);
            return;
        }
        let (mean, rest) = scratch.split_at_mut(self.width);
        let (variance, rest) = rest.split_at_mut(self.width);
        let (root, factor) = rest[..2 * self.width].split_at_mut(self.width);
        statistics(x, mean, variance);
        for (((root, factor), variance), scale) in root.iter_mut().zip(&mut *factor).zip(variance).zip(scale) {
            *root = (1.0 / (f64::from(*variance) + self.epsilon).sqrt()) as f32;
            *factor = *root * scale;
        }
        normalise(x, mean, factor, shift, output);
    }

    fn backward(&self, pass: Backward<'_>) {
        let Backward { inputs, weights, above, scratch, gradient, mut below, .. } = pass;
        let (x, width) = (inputs.get(0), self.width);
        let parts: [&[f32]; 4] = std::array::from_fn(|part| &scratch[part * width..][..width]);
        let [mean, variance, root, factor] = parts;
        let (to_scale, rest) = gradient.split_at_mut(width);
        let (to_shift, kept) = rest.split_at_mut(width);
        sums(x, above, mean, root, to_scale, to_shift);
        let count = (x.len() / width) as f64;
        let (to_mean, to_variance) = kept.split_at_mut(width);
        let share = 1.0 - self.momentum;
        let step = |running: &f32, now: f64| (share * (f64::from(*running) - now)) as f32;
        let (running_mean, running_variance) = (&weights[2 * width..3 * width], &weights[3 * width..]);
        to_mean.iter_mut().zip(running_mean).zip(mean).for_each(|((to, running), now)| *to = step(running, f64::from(*now)));
        // One number says nothing of the spread.
        let unbiased = if count > 1.0 { count / (count - 1.0) } else { f64::NAN };
        for ((to, running), now) in to_variance.iter_mut().zip(running_variance).zip(variance) {
            *to = if count > 1.0 { step(running, f64::from(*now) * unbiased) } else { 0.0 };
        }
        below.fill(0, |to| spread(x, above, [mean, root, factor, to_scale, to_shift], to));
    }
}

both! {
    /// (x - mean) · factor + shift in every line.
    normalise = normalise_body(x: &[f32], mean: &[f32], factor: &[f32], shift: &[f32], to: &mut [f32])
}

#[inline(always)]
fn normalise_body<const FUSED: bool>(x: &[f32], mean: &[f32], factor: &[f32], shift: &[f32], to: &mut [f32]) {
    let width = mean.len();
    let (factor, shift) = (&factor[..width], &shift[..width]);
    for (x, to) in x.chunks_exact(width).zip(to.chunks_exact_mut(width)) {
        for column in 0..width {
            to[column] = (x[column] - mean[column]) * factor[column] + shift[column];
        }
    }
}

/// Sums of up to [`LANES`] columns at a time over all lines, in 64 bits. `value(line, column)` is what is summed.
#[inline(always)]
fn column_sums(lines: usize, width: usize, value: impl Fn(usize, usize) -> f64, mut each: impl FnMut(usize, f64)) {
    for first in (0..width).step_by(LANES) {
        let count = (width - first).min(LANES);
        let mut sums = [0.0f64; LANES];
        for line in 0..lines {
            for (lane, sum) in sums[..count].iter_mut().enumerate() {
                *sum += value(line, first + lane);
            }
        }
        sums[..count].iter().enumerate().for_each(|(lane, sum)| each(first + lane, *sum));
    }
}

both! {
    /// Mean of each column, and its variance divided by the number of lines.
    statistics = statistics_body(x: &[f32], mean: &mut [f32], variance: &mut [f32])
}

#[inline(always)]
fn statistics_body<const FUSED: bool>(x: &[f32], mean: &mut [f32], variance: &mut [f32]) {
    let width = mean.len();
    let lines = x.len() / width;
    let share = 1.0 / lines as f64;
    column_sums(lines, width, |line, column| f64::from(x[line * width + column]), |column, sum| mean[column] = (sum * share) as f32);
    let square = |line: usize, column: usize| {
        let apart = f64::from(x[line * width + column]) - f64::from(mean[column]);
        apart * apart
    };
    column_sums(lines, width, square, |column, sum| variance[column] = (sum * share) as f32);
}

both! {
    /// Σ dy·x̂ and Σ dy of each column.
    sums = sums_body(x: &[f32], above: &[f32], mean: &[f32], root: &[f32], to_scale: &mut [f32], to_shift: &mut [f32])
}

#[inline(always)]
fn sums_body<const FUSED: bool>(x: &[f32], above: &[f32], mean: &[f32], root: &[f32], to_scale: &mut [f32], to_shift: &mut [f32]) {
    let width = mean.len();
    let lines = x.len() / width;
    column_sums(lines, width, |line, column| f64::from(above[line * width + column]), |column, sum| to_shift[column] = sum as f32);
    let product = |line: usize, column: usize| {
        let at = line * width + column;
        f64::from(above[at]) * f64::from(x[at] - mean[column])
    };
    column_sums(lines, width, product, |column, sum| to_scale[column] = (sum * f64::from(root[column])) as f32);
}

both! {
    /// Gradient of x. Columns: mean, 1 / √(variance + ε), scale times that, the gradients of scale and shift.
    spread = spread_body(x: &[f32], above: &[f32], columns: [&[f32]; 5], to: &mut [f32])
}

#[inline(always)]
fn spread_body<const FUSED: bool>(x: &[f32], above: &[f32], columns: [&[f32]; 5], to: &mut [f32]) {
    let width = columns[0].len();
    let [mean, root, factor, to_scale, to_shift] = columns.map(|column| &column[..width]);
    let share = width as f32 / x.len() as f32;
    let lines = x.chunks_exact(width).zip(above.chunks_exact(width)).zip(to.chunks_exact_mut(width));
    for ((x, above), to) in lines {
        for column in 0..width {
            let standard = (x[column] - mean[column]) * root[column];
            to[column] = factor[column] * (above[column] - share * (to_shift[column] + standard * to_scale[column]));
        }
    }
}

#[cfg(test)]
mod tests {
    use bellwether_domain::network::{Activation, Operation};

    use super::*;
    use crate::arena::Arena;
    use crate::layer::{Below, Inputs};
    use crate::program::tests::{chain, check, dense, numbers, sequence};

    const NORM: Description = Description { epsilon: 1e-3, momentum: 0.9 };

    #[test]
    fn gradients_agree_with_finite_differences() {
        let norm = || Operation::BatchNorm(NORM);
        check(&sequence(vec![dense(18), norm(), Operation::Activation(Activation::Tanh), dense(3)]));
        check(&chain(vec![Operation::Reshape(vec![18]), dense(5), norm(), Operation::Activation(Activation::Sigmoid)]));
        check(&sequence(vec![norm(), dense(4), Operation::Activation(Activation::Tanh)]));
    }

    #[test]
    fn training_takes_the_batch_and_moves_the_running_statistics() {
        let layer = BatchNorm::new(&NORM, &[2]);
        // Columns 1, 2, 3, 6 (mean 3, variance 3.5, unbiased 14/3) and all 5.
        let mut x = Arena::zeros(8);
        x.copy_from_slice(&[1.0, 5.0, 2.0, 5.0, 3.0, 5.0, 6.0, 5.0]);
        let values = [x];
        let weights = [2.0, 3.0, 0.5, -1.0, 1.0, 0.0, 1.0, 2.0];
        let (mut packed, mut scratch, mut y) = ([f32::NAN; 2], [f32::NAN; 8], [f32::NAN; 8]);
        layer.pack(&weights, Purpose::Train, &mut packed);
        let inputs = Inputs { values: &values, slots: &[(0, 2)], rows: 4 };
        let mut forward = |purpose, y: &mut [f32]| {
            let (packed, scratch) = (&packed, &mut scratch);
            layer.forward(Forward { rows: 4, inputs, weights: &weights, packed, output: y, scratch, purpose, noise: None });
        };
        forward(Purpose::Serve, &mut y);
        let served = |x: f64, column: usize| match column {
            0 => 2.0 * (x - 1.0) / 1.001f64.sqrt() + 0.5,
            _ => 3.0 * x / 2.001f64.sqrt() - 1.0,
        };
        assert!((0..8).all(|at| (f64::from(y[at]) - served(f64::from(values[0][at]), at % 2)).abs() < 1e-5), "{y:?}");
        forward(Purpose::Train, &mut y);
        let wanted = |x: f64| 2.0 * (x - 3.0) / 3.501f64.sqrt() + 0.5;
        assert!((0..4).all(|row| (f64::from(y[2 * row]) - wanted(f64::from(values[0][2 * row]))).abs() < 1e-6), "{y:?}");
        assert!((0..4).all(|row| y[2 * row + 1] == -1.0), "{y:?}");
        let (mut above, mut gradient) = (numbers(8, 1), [f32::NAN; 8]);
        let below = Below { slopes: &mut [], nodes: &[(0, 2)], written: &mut [false], learns: &[false], spare: &mut [], rows: 4 };
        layer.backward(Backward {
            rows: 4,
            inputs,
            weights: &weights,
            packed: &packed,
            output: &y,
            above: &mut above,
            scratch: &mut scratch,
            gradient: &mut gradient,
            below,
            noise: None,
        });
        let kept = [0.1 * (1.0 - 3.0), 0.1 * (0.0 - 5.0), 0.1 * (1.0 - 14.0 / 3.0), 0.1 * 2.0];
        assert!(gradient[4..].iter().zip(kept).all(|(given, wanted)| (given - wanted as f32).abs() < 1e-6), "{gradient:?}");
    }
}
