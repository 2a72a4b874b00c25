//! The gate arithmetic of LSTM and GRU, forward and backward, sixteen units at a time.
//!
//! tanh and σ are rational functions, of degree 9/8 within ±9 and 7/8 within ±17, found by iteratively reweighted least
//! squares for the least largest error (1.9e-8 and 1.1e-7 before rounding): tanh is within 4e-7 of its value, relatively,
//! σ within 4e-7 absolutely, and not-a-number stays so. Gates lie in blocks, as [`crate::kernel::recurrent`] says.

use crate::kernel::matmul::LANES;
use crate::kernel::raw::{both, fused};

type Lanes = [f32; LANES];

/// Beyond this tanh is ±1 in 32 bits.
const TANH_BOUND: f32 = 9.0;
const TANH_ODD: [f32; 5] = [1.318_439_6e-8, 2.047_196_9e-5, 3.486_591e-3, 0.133_732_05, 0.999_999_9];
const TANH_EVEN: [f32; 5] = [7.702_738e-7, 3.271_399_8e-4, 0.025_842_015, 0.467_065, 1.0];
/// Beyond this σ is 0 or 1 to its error.
const SIGMOID_BOUND: f32 = 17.0;
const SIGMOID_ODD: [f32; 4] = [4.217_185e-8, 4.515_555e-5, 8.042_225e-3, 0.249_999_75];
const SIGMOID_EVEN: [f32; 5] = [8.837_238e-10, 3.596_899_4e-6, 1.472_64e-3, 0.115_501_3, 1.0];

/// A number as numerator and denominator; the denominator is between 1 and 420.
type Ratio = (f32, f32);

#[inline(always)]
fn ratio<const FUSED: bool, const N: usize>(x: f32, bound: f32, odd: [f32; N], even: [f32; 5]) -> Ratio {
    let x = x.clamp(-bound, bound);
    let square = x * x;
    let horner = |sum, next| fused::<FUSED>(sum, square, next);
    (x * odd.into_iter().reduce(horner).unwrap_or(0.0), even.into_iter().reduce(horner).unwrap_or(1.0))
}

#[inline(always)]
fn tanh_ratio<const FUSED: bool>(x: f32) -> Ratio {
    ratio::<FUSED, 5>(x, TANH_BOUND, TANH_ODD, TANH_EVEN)
}

/// σ less a half.
#[inline(always)]
fn sigmoid_ratio<const FUSED: bool>(x: f32) -> Ratio {
    ratio::<FUSED, 4>(x, SIGMOID_BOUND, SIGMOID_ODD, SIGMOID_EVEN)
}

#[inline(always)]
fn tanh<const FUSED: bool>(x: f32) -> f32 {
    let (over, under) = tanh_ratio::<FUSED>(x);
    over / under
}

/// σ of two numbers with one division.
#[inline(always)]
fn sigmoids<const FUSED: bool>(x: f32, y: f32) -> [f32; 2] {
    let ((over_x, under_x), (over_y, under_y)) = (sigmoid_ratio::<FUSED>(x), sigmoid_ratio::<FUSED>(y));
    let whole = 1.0 / (under_x * under_y);
    [fused::<FUSED>(over_x, whole * under_y, 0.5), fused::<FUSED>(over_y, whole * under_x, 0.5)]
}

/// σ of one number and tanh of another with one division.
#[inline(always)]
fn sigmoid_and_tanh<const FUSED: bool>(x: f32, y: f32) -> [f32; 2] {
    let ((over_x, under_x), (over_y, under_y)) = (sigmoid_ratio::<FUSED>(x), tanh_ratio::<FUSED>(y));
    let whole = 1.0 / (under_x * under_y);
    [fused::<FUSED>(over_x, whole * under_y, 0.5), over_y * (whole * under_x)]
}

/// Two functions of two rows of lanes.
#[inline(always)]
fn pairs(function: impl Fn(usize) -> [f32; 2]) -> [Lanes; 2] {
    let (mut left, mut right) = ([0.0; LANES], [0.0; LANES]);
    for l in 0..LANES {
        [left[l], right[l]] = function(l);
    }
    [left, right]
}

#[inline(always)]
fn each(function: impl Fn(usize) -> f32) -> Lanes {
    let mut lanes = [0.0; LANES];
    for (lane, value) in lanes.iter_mut().enumerate() {
        *value = function(lane);
    }
    lanes
}

#[inline(always)]
fn load(from: &[f32], at: usize, width: usize) -> Lanes {
    if let Some(Ok(whole)) = from.get(at..at + LANES).filter(|_| width == LANES).map(TryInto::try_into) {
        return whole;
    }
    let mut lanes = [0.0; LANES];
    lanes[..width].copy_from_slice(&from[at..at + width]);
    lanes
}

#[inline(always)]
fn store(lanes: &Lanes, to: &mut [f32], at: usize, width: usize) {
    if width == LANES {
        to[at..at + LANES].copy_from_slice(lanes);
    } else {
        to[at..at + width].copy_from_slice(&lanes[..width]);
    }
}

both! {
    /// One step of an LSTM for a block of sixteen units. In: the sums `gates` [row, slot, 16] and the cell `before` [row, 16].
    /// Out: the new `cell` and `hidden` = o · tanh(cell), of which `width` units are written and rows lie `stride` apart. Unless
    /// `bent` is empty, what the way back reads is kept: the gates after their functions, and tanh(cell) in `bent`.
    advance_block = advance_block_body(gates: &mut [f32], before: &[f32], cell: &mut [f32], bent: &mut [f32], hidden: &mut [f32], stride: usize, width: usize)
}

#[inline(always)]
fn advance_block_body<const FUSED: bool>(
    gates: &mut [f32],
    before: &[f32],
    cell: &mut [f32],
    bent: &mut [f32],
    hidden: &mut [f32],
    stride: usize,
    width: usize,
) {
    // A width that the compiler knows leaves no call in the loop.
    match (bent.is_empty(), width) {
        (true, LANES) => advance_rows::<FUSED, false>(gates, before, cell, bent, hidden, stride, LANES),
        (true, _) => advance_rows::<FUSED, false>(gates, before, cell, bent, hidden, stride, width),
        (false, LANES) => advance_rows::<FUSED, true>(gates, before, cell, bent, hidden, stride, LANES),
        (false, _) => advance_rows::<FUSED, true>(gates, before, cell, bent, hidden, stride, width),
    }
}

#[inline(always)]
fn advance_rows<const FUSED: bool, const KEPT: bool>(
    gates: &mut [f32],
    before: &[f32],
    cell: &mut [f32],
    bent: &mut [f32],
    hidden: &mut [f32],
    stride: usize,
    width: usize,
) {
    let (gates, before) = (gates.as_chunks_mut::<{ 4 * LANES }>().0, before.as_chunks::<LANES>().0);
    let (cell, mut bent) = (cell.as_chunks_mut::<LANES>().0, bent.as_chunks_mut::<LANES>().0.iter_mut());
    for (((gates, before), cell), hidden) in gates.iter_mut().zip(before).zip(cell).zip(hidden.chunks_mut(stride)) {
        let (gates, _) = gates.as_chunks_mut::<LANES>();
        let [i, g] = pairs(|l| sigmoid_and_tanh::<FUSED>(gates[0][l], gates[2][l]));
        let [f, o] = pairs(|l| sigmoids::<FUSED>(gates[1][l], gates[3][l]));
        let after = each(|l| fused::<FUSED>(f[l], before[l], i[l] * g[l]));
        let curve = each(|l| tanh::<FUSED>(after[l]));
        *cell = after;
        if KEPT {
            (gates[0], gates[1], gates[2], gates[3]) = (i, f, g, o);
            if let Some(bent) = bent.next() {
                *bent = curve;
            }
        }
        store(&each(|l| o[l] * curve[l]), hidden, 0, width);
    }
}

both! {
    /// The same step backwards. In: what it left, the gradient of `hidden` (rows `stride` apart, `width` units) and of the new
    /// cell. Out: the gradient of the sums in `to`, added up over rows in `bias`, and that of the cell before in place of the
    /// new one's.
    retreat_block = retreat_block_body(left: Left<'_>, hidden: &[f32], stride: usize, width: usize,
        cell: &mut [f32], to: &mut [f32], bias: &mut [f32])
}

/// What a step of an LSTM left for its way back: the gates after their functions, tanh of the cell, the cell before.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Left<'a> {
    pub(crate) gates: &'a [f32],
    pub(crate) bent: &'a [f32],
    pub(crate) before: &'a [f32],
}

#[inline(always)]
fn retreat_block_body<const FUSED: bool>(
    Left { gates, bent, before }: Left<'_>,
    hidden: &[f32],
    stride: usize,
    width: usize,
    cell: &mut [f32],
    to: &mut [f32],
    bias: &mut [f32],
) {
    let (gates, to) = (gates.as_chunks::<{ 4 * LANES }>().0, to.as_chunks_mut::<{ 4 * LANES }>().0);
    let (bent, before, cell) = (bent.as_chunks::<LANES>().0, before.as_chunks::<LANES>().0, cell.as_chunks_mut::<LANES>().0);
    let mut total = [[0.0; LANES]; 4];
    for ((((gates, to), (bent, before)), cell), hidden) in
        gates.iter().zip(to).zip(bent.iter().zip(before)).zip(cell).zip(hidden.chunks(stride))
    {
        let ([i, f, g, o], to) = (quarters(gates), to.as_chunks_mut::<LANES>().0);
        let above = load(hidden, 0, width);
        let whole = each(|l| fused::<FUSED>(above[l] * o[l], 1.0 - bent[l] * bent[l], cell[l]));
        to[0] = each(|l| whole[l] * g[l] * (i[l] * (1.0 - i[l])));
        to[1] = each(|l| whole[l] * before[l] * (f[l] * (1.0 - f[l])));
        to[2] = each(|l| whole[l] * i[l] * (1.0 - g[l] * g[l]));
        to[3] = each(|l| above[l] * bent[l] * (o[l] * (1.0 - o[l])));
        *cell = each(|l| whole[l] * f[l]);
        for (total, more) in total.iter_mut().zip(&*to) {
            *total = each(|l| total[l] + more[l]);
        }
    }
    for (bias, total) in bias.as_chunks_mut::<LANES>().0.iter_mut().zip(total) {
        *bias = each(|l| bias[l] + total[l]);
    }
}

both! {
    /// One step of a GRU for a block of sixteen units. In: in `gates` [row, slot, 16] the sums of n (without the state's part),
    /// r and z and the state's part q of n; the state `before`. Out: n, r, z after their functions, and `hidden`. Of both
    /// states `width` units are there, rows `stride` apart.
    mix_block = mix_block_body(gates: &mut [f32], before: &[f32], hidden: &mut [f32], stride: usize, width: usize)
}

#[inline(always)]
fn mix_block_body<const FUSED: bool>(gates: &mut [f32], before: &[f32], hidden: &mut [f32], stride: usize, width: usize) {
    let gates = gates.as_chunks_mut::<{ 4 * LANES }>().0;
    for ((gates, before), hidden) in gates.iter_mut().zip(before.chunks(stride)).zip(hidden.chunks_mut(stride)) {
        let (gates, _) = gates.as_chunks_mut::<LANES>();
        let before = load(before, 0, width);
        let [r, z] = pairs(|l| sigmoids::<FUSED>(gates[1][l], gates[2][l]));
        let n = each(|l| tanh::<FUSED>(fused::<FUSED>(r[l], gates[3][l], gates[0][l])));
        (gates[0], gates[1], gates[2]) = (n, r, z);
        store(&each(|l| fused::<FUSED>(z[l], before[l] - n[l], n[l])), hidden, 0, width);
    }
}

both! {
    /// The same step backwards. In: what it left, the state `before` and the gradient of `hidden` (rows
    /// `stride` apart). Out: the gradient of n, r, z and q in `to`, added up over rows in `bias`, and in `hidden` the part of
    /// the gradient of the state before that does not pass through them.
    unmix_block = unmix_block_body(gates: &[f32], before: Lines<'_>, hidden: &mut [f32], stride: usize, width: usize,
        to: &mut [f32], bias: &mut [f32])
}

/// Rows that begin so far apart.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Lines<'a>(pub(crate) &'a [f32], pub(crate) usize);

#[inline(always)]
fn unmix_block_body<const FUSED: bool>(
    gates: &[f32],
    before: Lines<'_>,
    hidden: &mut [f32],
    stride: usize,
    width: usize,
    to: &mut [f32],
    bias: &mut [f32],
) {
    let (gates, to) = (gates.as_chunks::<{ 4 * LANES }>().0, to.as_chunks_mut::<{ 4 * LANES }>().0);
    let mut total = [[0.0; LANES]; 4];
    for (((gates, to), before), hidden) in gates.iter().zip(to).zip(before.0.chunks(before.1)).zip(hidden.chunks_mut(stride)) {
        let ([n, r, z, q], to) = (quarters(gates), to.as_chunks_mut::<LANES>().0);
        let (before, above) = (load(before, 0, width), load(hidden, 0, width));
        let bent = each(|l| above[l] * (1.0 - z[l]) * (1.0 - n[l] * n[l]));
        to[0] = bent;
        to[1] = each(|l| bent[l] * q[l] * (r[l] * (1.0 - r[l])));
        to[2] = each(|l| above[l] * (before[l] - n[l]) * (z[l] * (1.0 - z[l])));
        to[3] = each(|l| bent[l] * r[l]);
        store(&each(|l| above[l] * z[l]), hidden, 0, width);
        for (total, more) in total.iter_mut().zip(&*to) {
            *total = each(|l| total[l] + more[l]);
        }
    }
    for (bias, total) in bias.as_chunks_mut::<LANES>().0.iter_mut().zip(total) {
        *bias = each(|l| bias[l] + total[l]);
    }
}

/// The four slots of a row.
#[inline(always)]
fn quarters(row: &[f32; 4 * LANES]) -> [Lanes; 4] {
    std::array::from_fn(|slot| each(|l| row[slot * LANES + l]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_functions_are_exact_to_half_a_millionth() {
        fn check<const FUSED: bool>() {
            for step in -250_000i32..=250_000 {
                let x = step as f32 * 1e-4;
                let (curve, level) = (f64::from(x).tanh(), 1.0 / (1.0 + (-f64::from(x)).exp()));
                let ([a, b], [c, d]) = (sigmoids::<FUSED>(x, 0.3), sigmoid_and_tanh::<FUSED>(x, x));
                for (value, exact, most) in
                    [(a, level, 4e-7), (c, level, 4e-7), (tanh::<FUSED>(x), curve, 4e-7 * curve.abs()), (d, curve, 5e-7 * curve.abs())]
                {
                    assert!((f64::from(value) - exact).abs() <= most, "{value} is not {exact}, at {x}");
                }
                assert!((b - 0.574_442_5).abs() < 3e-7);
            }
        }
        check::<true>();
        check::<false>();
        assert!(tanh::<false>(f32::NAN).is_nan() && sigmoids::<true>(f32::NAN, 0.0)[0].is_nan());
        let [low, high] = sigmoid_and_tanh::<true>(f32::NEG_INFINITY, f32::INFINITY);
        assert!(low.abs() < 4e-7 && high == 1.0);
    }
}
