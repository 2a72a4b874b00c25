//! Element-wise functions over slices, forward and backward, and softmax over rows.
//!
//! The backward pass starts from the output where the derivative can be had from it (relu, tanh, sigmoid, softmax), else
//! from the input. gelu is x·Φ(x) with the normal distribution's Φ, not its tanh approximation. The bounds of the
//! functions are those of [`crate::kernel::exp`]. Every number depends on its own row alone.

use bellwether_domain::network::Activation;

use crate::kernel::exp::{exp, normal, sigmoid, softplus, tanh};
use crate::kernel::raw::{LANES, both, fused};

/// 1 / sqrt(2π).
const NORMAL_PEAK: f32 = 0.398_942_3;

both! {
    /// `to` = f(`from`); softmax takes rows of `width`.
    apply = apply_body(activation: Activation, from: &[f32], to: &mut [f32], width: usize)
}

#[inline(always)]
fn map(from: &[f32], to: &mut [f32], function: impl Fn(f32) -> f32) {
    to.iter_mut().zip(from).for_each(|(to, x)| *to = function(*x));
}

#[inline(always)]
fn apply_body<const FUSED: bool>(activation: Activation, from: &[f32], to: &mut [f32], width: usize) {
    match activation {
        // `<` and not `max`, so that not-a-number stays so.
        Activation::Relu => map(from, to, |x| if x < 0.0 { 0.0 } else { x }),
        Activation::Gelu => map(from, to, |x| x * normal::<FUSED>(x)),
        Activation::Silu => map(from, to, |x| x * sigmoid::<FUSED>(x)),
        Activation::Tanh => map(from, to, tanh::<FUSED>),
        Activation::Sigmoid => map(from, to, sigmoid::<FUSED>),
        Activation::Softplus => map(from, to, softplus::<FUSED>),
        Activation::Softmax => {
            for (from, to) in from.chunks_exact(width).zip(to.chunks_exact_mut(width)) {
                softmax_row::<FUSED>(from, to);
            }
        }
    }
}

/// A row made positive with sum one, safe for large values.
#[inline(always)]
fn softmax_row<const FUSED: bool>(from: &[f32], to: &mut [f32]) {
    let most = fold(from, f32::NEG_INFINITY, |most, x| if most > x { most } else { x });
    map(from, to, |x| exp::<FUSED>(x - most));
    let factor = 1.0 / fold(to, 0.0, |sum, value| sum + value);
    to.iter_mut().for_each(|value| *value *= factor);
}

/// Joins all numbers of a row with a sum or a maximum, always in the same order: lane by lane, then the halves of the lanes.
#[inline(always)]
pub(crate) fn fold(row: &[f32], start: f32, join: impl Fn(f32, f32) -> f32) -> f32 {
    let mut lanes = [start; LANES];
    let (whole, rest) = row.as_chunks::<LANES>();
    for part in whole {
        for l in 0..LANES {
            lanes[l] = join(lanes[l], part[l]);
        }
    }
    lanes.iter_mut().zip(rest).for_each(|(lane, value)| *lane = join(*lane, *value));
    halve(lanes, join)
}

/// Joins the lanes, half with half.
#[inline(always)]
pub(crate) fn halve(mut lanes: [f32; LANES], join: impl Fn(f32, f32) -> f32) -> f32 {
    let mut width = LANES / 2;
    while width > 0 {
        for l in 0..width {
            lanes[l] = join(lanes[l], lanes[l + width]);
        }
        width /= 2;
    }
    lanes[0]
}

/// Σ a·b, lane by lane, then the halves of the lanes.
#[inline(always)]
pub(crate) fn dot<const FUSED: bool>(a: &[f32], b: &[f32]) -> f32 {
    let ((a, a_rest), (b, b_rest)) = (a.as_chunks::<LANES>(), b.as_chunks::<LANES>());
    let mut lanes = [0.0f32; LANES];
    for (a, b) in a.iter().zip(b) {
        for l in 0..LANES {
            lanes[l] = fused::<FUSED>(a[l], b[l], lanes[l]);
        }
    }
    for (lane, (a, b)) in lanes.iter_mut().zip(a_rest.iter().zip(b_rest)) {
        *lane = fused::<FUSED>(*a, *b, *lane);
    }
    halve(lanes, |a, b| a + b)
}

both! {
    /// `to` = gradient of the input `x` from the output `y` and its gradient `above`.
    slope = slope_body(activation: Activation, x: &[f32], y: &[f32], above: &[f32], to: &mut [f32], width: usize)
}

#[inline(always)]
fn join(from: &[f32], above: &[f32], to: &mut [f32], rate: impl Fn(f32) -> f32) {
    to.iter_mut().zip(above).zip(from).for_each(|((to, above), value)| *to = above * rate(*value));
}

#[inline(always)]
fn slope_body<const FUSED: bool>(activation: Activation, x: &[f32], y: &[f32], above: &[f32], to: &mut [f32], width: usize) {
    match activation {
        Activation::Relu => join(y, above, to, |y| if y > 0.0 { 1.0 } else { 0.0 }),
        Activation::Tanh => join(y, above, to, |y| 1.0 - y * y),
        Activation::Sigmoid => join(y, above, to, |y| y * (1.0 - y)),
        Activation::Softplus => join(x, above, to, sigmoid::<FUSED>),
        Activation::Silu => join(x, above, to, |x| {
            let s = sigmoid::<FUSED>(x);
            s * (1.0 + x * (1.0 - s))
        }),
        Activation::Gelu => join(x, above, to, |x| normal::<FUSED>(x) + x * NORMAL_PEAK * exp::<FUSED>(-0.5 * x * x)),
        Activation::Softmax => {
            for ((to, above), y) in to.chunks_exact_mut(width).zip(above.chunks_exact(width)).zip(y.chunks_exact(width)) {
                to.iter_mut().zip(above).zip(y).for_each(|((to, above), y)| *to = above * y);
                let along = fold(to, 0.0, |sum, value| sum + value);
                to.iter_mut().zip(y).for_each(|(to, y)| *to -= y * along);
            }
        }
    }
}
