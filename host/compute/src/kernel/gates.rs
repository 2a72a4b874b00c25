//! The gate arithmetic of LSTM and GRU, forward and backward, sixteen units at a time.
//!
//! tanh is a rational function on ±7.9 (13/6 degree, the coefficients of Eigen's `ptanh`), σ(x) = ½ + ½·tanh(x/2): both
//! within 5e-7 of the exact value, and not-a-number stays so. Gates lie
//! in blocks, as [`crate::kernel::recurrent`] says.

use crate::kernel::matmul::LANES;
use crate::kernel::raw::{both, fused};

type Lanes = [f32; LANES];

/// Beyond this tanh is ±1 in 32 bits.
const TANH_BOUND: f32 = 7.905_311;
const TANH_ODD: [f32; 7] = [-2.760_768_5e-16, 2.000_188e-13, -8.604_672e-11, 5.122_297e-8, 1.485_722_4e-5, 6.372_619_3e-4, 4.893_524_6e-3];
const TANH_EVEN: [f32; 4] = [1.198_258_4e-6, 1.185_347_1e-4, 2.268_434_6e-3, 4.893_525e-3];

#[inline(always)]
fn tanh<const FUSED: bool>(x: f32) -> f32 {
    let x = x.clamp(-TANH_BOUND, TANH_BOUND);
    let square = x * x;
    let horner = |sum, next| fused::<FUSED>(sum, square, next);
    x * TANH_ODD.into_iter().reduce(horner).unwrap_or(0.0) / TANH_EVEN.into_iter().reduce(horner).unwrap_or(1.0)
}

#[inline(always)]
fn sigmoid<const FUSED: bool>(x: f32) -> f32 {
    fused::<FUSED>(tanh::<FUSED>(0.5 * x), 0.5, 0.5)
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
    /// Out: the gates after their functions, the new `cell`, its tanh `bent`, and `hidden` = o · bent, of which `width` units
    /// are written and rows lie `stride` apart.
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
    let (gates, before) = (gates.as_chunks_mut::<{ 4 * LANES }>().0, before.as_chunks::<LANES>().0);
    let (cell, bent) = (cell.as_chunks_mut::<LANES>().0, bent.as_chunks_mut::<LANES>().0);
    for (((gates, before), (cell, bent)), hidden) in
        gates.iter_mut().zip(before).zip(cell.iter_mut().zip(bent)).zip(hidden.chunks_mut(stride))
    {
        let (gates, _) = gates.as_chunks_mut::<LANES>();
        let i = each(|l| sigmoid::<FUSED>(gates[0][l]));
        let f = each(|l| sigmoid::<FUSED>(gates[1][l]));
        let g = each(|l| tanh::<FUSED>(gates[2][l]));
        let o = each(|l| sigmoid::<FUSED>(gates[3][l]));
        let after = each(|l| fused::<FUSED>(f[l], before[l], i[l] * g[l]));
        let curve = each(|l| tanh::<FUSED>(after[l]));
        (gates[0], gates[1], gates[2], gates[3]) = (i, f, g, o);
        (*cell, *bent) = (after, curve);
        store(&each(|l| o[l] * curve[l]), hidden, 0, width);
    }
}

both! {
    /// The same step backwards. In: what it left, the gradient of `hidden` (rows `stride` apart, `width` units) and of the new
    /// cell. Out: the gradient of the sums in `to`, added up over rows in `bias`, and that of the cell before in place of the
    /// new one's.
    retreat_block = retreat_block_body(gates: &[f32], bent: &[f32], before: &[f32], hidden: &[f32], stride: usize, width: usize,
        cell: &mut [f32], to: &mut [f32], bias: &mut [f32])
}

#[inline(always)]
#[expect(clippy::too_many_arguments, reason = "each is a value of its own; see the body's description")]
fn retreat_block_body<const FUSED: bool>(
    gates: &[f32],
    bent: &[f32],
    before: &[f32],
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
        let r = each(|l| sigmoid::<FUSED>(gates[1][l]));
        let z = each(|l| sigmoid::<FUSED>(gates[2][l]));
        let n = each(|l| tanh::<FUSED>(fused::<FUSED>(r[l], gates[3][l], gates[0][l])));
        (gates[0], gates[1], gates[2]) = (n, r, z);
        store(&each(|l| fused::<FUSED>(z[l], before[l] - n[l], n[l])), hidden, 0, width);
    }
}

both! {
    /// The same step backwards. In: what it left, the state `before` (rows `line` apart) and the gradient of `hidden` (rows
    /// `stride` apart). Out: the gradient of n, r, z and q in `to`, added up over rows in `bias`, and in `hidden` the part of
    /// the gradient of the state before that does not pass through them.
    unmix_block = unmix_block_body(gates: &[f32], before: &[f32], line: usize, hidden: &mut [f32], stride: usize, width: usize,
        to: &mut [f32], bias: &mut [f32])
}

#[inline(always)]
#[expect(clippy::too_many_arguments, reason = "each is a value of its own; see the body's description")]
fn unmix_block_body<const FUSED: bool>(
    gates: &[f32],
    before: &[f32],
    line: usize,
    hidden: &mut [f32],
    stride: usize,
    width: usize,
    to: &mut [f32],
    bias: &mut [f32],
) {
    let (gates, to) = (gates.as_chunks::<{ 4 * LANES }>().0, to.as_chunks_mut::<{ 4 * LANES }>().0);
    let mut total = [[0.0; LANES]; 4];
    for (((gates, to), before), hidden) in gates.iter().zip(to).zip(before.chunks(line)).zip(hidden.chunks_mut(stride)) {
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
        let mut worst = [0.0f64; 2];
        for step in -200_000i32..=200_000 {
            let x = step as f32 * 1e-4;
            let wide = f64::from(x);
            for (tanh, sigmoid) in [(tanh::<true>(x), sigmoid::<true>(x)), (tanh::<false>(x), sigmoid::<false>(x))] {
                worst[0] = worst[0].max((f64::from(tanh) - wide.tanh()).abs());
                worst[1] = worst[1].max((f64::from(sigmoid) - 1.0 / (1.0 + (-wide).exp())).abs());
            }
        }
        assert!(worst.iter().all(|error| *error < 5e-7), "{worst:?}");
        assert!(tanh::<false>(f32::NAN).is_nan() && sigmoid::<true>(f32::NAN).is_nan());
        assert_eq!((tanh::<true>(f32::INFINITY), sigmoid::<true>(f32::NEG_INFINITY).abs() < 1e-6), (tanh::<true>(9.0), true));
    }
}
