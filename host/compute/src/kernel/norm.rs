//! Layer normalisation over rows (Ba et al. 2016), forward and backward: y = (x - mean) / sqrt(variance + ε) · scale + shift.
//!
//! The variance is that of the row (divided by its length), taken about its mean. What the backward pass needs of a row are
//! its mean and the reciprocal deviation. With x̂ = (x - mean)·r and g = dy·scale: dx = r·(g - mean(g) - x̂·mean(g·x̂)).

use crate::kernel::function::{dot, fold, halve};
use crate::kernel::raw::{LANES, both, fused};

both! {
    /// Normalises rows as long as `scale`. `kept` gets each row's mean and reciprocal deviation; it may be empty.
    normalize = normalize_body(x: &[f32], scale: &[f32], shift: &[f32], epsilon: f32, y: &mut [f32], kept: &mut [f32])
}

#[inline(always)]
fn normalize_body<const FUSED: bool>(x: &[f32], scale: &[f32], shift: &[f32], epsilon: f32, y: &mut [f32], kept: &mut [f32]) {
    let width = scale.len();
    let mut kept = kept.chunks_exact_mut(2);
    for (x, y) in x.chunks_exact(width).zip(y.chunks_exact_mut(width)) {
        let mean = fold(x, 0.0, |sum, value| sum + value) / width as f32;
        y.iter_mut().zip(x).for_each(|(y, x)| *y = x - mean);
        let variance = dot::<FUSED>(y, y) / width as f32;
        let factor = 1.0 / (variance + epsilon).sqrt();
        for ((y, scale), shift) in y.iter_mut().zip(scale).zip(shift) {
            *y = fused::<FUSED>(*y * factor, *scale, *shift);
        }
        if let Some(kept) = kept.next() {
            kept.copy_from_slice(&[mean, factor]);
        }
    }
}

/// Gradients of the scale and the shift.
#[derive(Debug)]
pub(crate) struct Affine<'a> {
    pub(crate) scale: &'a mut [f32],
    pub(crate) shift: &'a mut [f32],
}

both! {
    /// Gradients from that of y, `above`; `slopes` are written, not added to. `to`, that of x, may be empty.
    normalize_back = back_body(x: &[f32], scale: &[f32], kept: &[f32], above: &[f32], slopes: Affine<'_>, to: &mut [f32])
}

#[inline(always)]
fn back_body<const FUSED: bool>(x: &[f32], scale: &[f32], kept: &[f32], above: &[f32], slopes: Affine<'_>, to: &mut [f32]) {
    let width = scale.len();
    slopes.scale.fill(0.0);
    slopes.shift.fill(0.0);
    let mut to = to.chunks_exact_mut(width);
    for ((x, above), kept) in x.chunks_exact(width).zip(above.chunks_exact(width)).zip(kept.chunks_exact(2)) {
        let (mean, factor) = (kept[0], kept[1]);
        for ((sum, above), x) in slopes.scale.iter_mut().zip(above).zip(x) {
            *sum = fused::<FUSED>(*above, (x - mean) * factor, *sum);
        }
        slopes.shift.iter_mut().zip(above).for_each(|(sum, above)| *sum += above);
        let Some(to) = to.next() else { continue };
        let [plain, along] = means::<FUSED>(x, above, scale, mean, factor);
        for (((to, above), scale), x) in to.iter_mut().zip(above).zip(scale).zip(x) {
            let bent = fused::<FUSED>((x - mean) * factor, -along, fused::<FUSED>(*above, *scale, -plain));
            *to = factor * bent;
        }
    }
}

/// mean(g) and mean(g·x̂).
#[inline(always)]
fn means<const FUSED: bool>(x: &[f32], above: &[f32], scale: &[f32], mean: f32, factor: f32) -> [f32; 2] {
    let (mut plain, mut along) = ([0.0f32; LANES], [0.0f32; LANES]);
    let mut add = |x: &[f32], above: &[f32], scale: &[f32]| {
        for l in 0..x.len().min(LANES) {
            let g = above[l] * scale[l];
            plain[l] += g;
            along[l] = fused::<FUSED>(g, (x[l] - mean) * factor, along[l]);
        }
    };
    let ((x, x_rest), (above, above_rest), (scale, scale_rest)) =
        (x.as_chunks::<LANES>(), above.as_chunks::<LANES>(), scale.as_chunks::<LANES>());
    for ((x, above), scale) in x.iter().zip(above).zip(scale) {
        add(x, above, scale);
    }
    add(x_rest, above_rest, scale_rest);
    let width = (x.len() * LANES + x_rest.len()) as f32;
    [plain, along].map(|lanes| halve(lanes, |a, b| a + b) / width)
}
