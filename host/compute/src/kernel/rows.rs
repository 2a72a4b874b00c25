//! Functions of single numbers and of rows, as serving computes them: activations, softmax, layer norm, time pooling.

use bellwether_domain::network::Activation;
use candle_core::cpu::erf::erf_f32;

/// Applies an element-wise function in place; softmax takes rows of `width`.
pub(crate) fn activate(activation: Activation, values: &mut [f32], width: usize) {
    let map = |values: &mut [f32], function: fn(f32) -> f32| values.iter_mut().for_each(|value| *value = function(*value));
    match activation {
        // `<` and not `max`, so that not-a-number stays so.
        Activation::Relu => map(values, |x| if x < 0.0 { 0.0 } else { x }),
        Activation::Gelu => map(values, |x| 0.5 * x * (1.0 + erf_f32(x * std::f32::consts::FRAC_1_SQRT_2))),
        Activation::Silu => map(values, |x| x / (1.0 + (-x).exp())),
        Activation::Tanh => map(values, f32::tanh),
        Activation::Sigmoid => map(values, |x| 1.0 / (1.0 + (-x).exp())),
        Activation::Softplus => map(values, |x| x.max(0.0) + (-x.abs()).exp().ln_1p()),
        Activation::Softmax => values.chunks_exact_mut(width).for_each(softmax),
    }
}

/// A row made positive with sum one, safe for large values.
pub(crate) fn softmax(row: &mut [f32]) {
    let most = row.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    row.iter_mut().for_each(|value| *value = (*value - most).exp());
    let sum: f32 = row.iter().sum();
    row.iter_mut().for_each(|value| *value /= sum);
}

/// (x - mean) / sqrt(variance + epsilon) · scale + shift over each row (Ba et al. 2016).
pub(crate) fn layer_norm(from: &[f32], scale: &[f32], shift: &[f32], epsilon: f32, to: &mut [f32]) {
    let width = scale.len();
    let count = width as f32;
    for (row, out) in from.chunks_exact(width).zip(to.chunks_exact_mut(width)) {
        let mean = row.iter().sum::<f32>() / count;
        let variance = row.iter().map(|x| (x - mean) * (x - mean)).sum::<f32>() / count;
        let factor = 1.0 / (variance + epsilon).sqrt();
        for ((x, out), (scale, shift)) in row.iter().zip(out).zip(scale.iter().zip(shift)) {
            *out = (x - mean) * factor * scale + shift;
        }
    }
}

/// Σ_t part_t · x_t of one sequence [time, width].
pub(crate) fn weighted_mean(sequence: &[f32], parts: &[f32], to: &mut [f32]) {
    to.fill(0.0);
    for (row, part) in sequence.chunks_exact(to.len()).zip(parts) {
        to.iter_mut().zip(row).for_each(|(sum, value)| *sum += part * value);
    }
}

/// `to` = the sum of the rows of `from`, each as long as `to`.
pub(crate) fn sum_rows(from: &[f32], to: &mut [f32]) {
    to.fill(0.0);
    for row in from.chunks_exact(to.len()) {
        to.iter_mut().zip(row).for_each(|(sum, value)| *sum += value);
    }
}
