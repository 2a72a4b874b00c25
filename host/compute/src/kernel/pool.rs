//! The learned weighted mean over time of one sequence [time, width], forward and backward.

use crate::kernel::function::dot;
use crate::kernel::raw::{both, fused};

both! {
    /// `to`[t] = x_t · vector.
    dots = dots_body(x: &[f32], vector: &[f32], to: &mut [f32])
}

#[inline(always)]
fn dots_body<const FUSED: bool>(x: &[f32], vector: &[f32], to: &mut [f32]) {
    for (x, to) in x.chunks_exact(vector.len()).zip(to) {
        *to = dot::<FUSED>(x, vector);
    }
}

both! {
    /// `to` = Σ_t part_t · x_t.
    weighted = weighted_body(x: &[f32], parts: &[f32], to: &mut [f32])
}

#[inline(always)]
fn weighted_body<const FUSED: bool>(x: &[f32], parts: &[f32], to: &mut [f32]) {
    to.fill(0.0);
    for (x, part) in x.chunks_exact(to.len()).zip(parts) {
        to.iter_mut().zip(x).for_each(|(sum, x)| *sum = fused::<FUSED>(*part, *x, *sum));
    }
}

both! {
    /// Gradients of one sequence: adds that of `vector` to `sums`, writes that of x into `to`, which may be empty. `bent` is
    /// scratch of one number per step.
    weighted_back =
        weighted_back_body(x: &[f32], vector: &[f32], parts: &[f32], above: &[f32], bent: &mut [f32], sums: &mut [f32], to: &mut [f32])
}

#[inline(always)]
fn weighted_back_body<const FUSED: bool>(
    x: &[f32],
    vector: &[f32],
    parts: &[f32],
    above: &[f32],
    bent: &mut [f32],
    sums: &mut [f32],
    to: &mut [f32],
) {
    let width = vector.len();
    dots_body::<FUSED>(x, above, bent);
    let mean = dot::<FUSED>(parts, bent);
    for (bent, part) in bent.iter_mut().zip(parts) {
        *bent = part * (*bent - mean);
    }
    for (x, bent) in x.chunks_exact(width).zip(&*bent) {
        sums.iter_mut().zip(x).for_each(|(sum, x)| *sum = fused::<FUSED>(*bent, *x, *sum));
    }
    for ((to, bent), part) in to.chunks_exact_mut(width).zip(&*bent).zip(parts) {
        for ((to, above), vector) in to.iter_mut().zip(above).zip(vector) {
            *to = fused::<FUSED>(*part, *above, bent * vector);
        }
    }
}
