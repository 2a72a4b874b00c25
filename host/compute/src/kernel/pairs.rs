//! Products of matrices whose factors are rounded to bf16, eight bits of precision; sums stay in 32 bits.
//!
//! Two neighbours in k make one [`pair`], a number's place: so a packed B is that of [`crate::kernel::matmul`] with half the
//! depth, and the register tile walks both alike. A is rounded in blocks on the stack as the product goes. Where k is odd, the
//! last pair ends in zero. Every element is one chain of multiply-adds over k, whatever the tile and the block.
//! On one thread of an Emerald Rapids Xeon, rounding included: 85 to 87 GFLOP/s where 32 bits have 168 to 173 (32 × 128 × 512 to
//! 1920 × 128 × 256), gradients of weights 75 to 77 and 137 to 144. That is what its instruction gives.

use crate::kernel::conv::Lines;
use crate::kernel::matmul::{self, GROUP, LANES, Matrix, Start, Strip};
use crate::kernel::raw::{Left, Right, both, pair};

/// Rows that are rounded at once.
const ROWS: usize = 48;
/// Pairs of k that are: with these rows they fit a quarter of the first cache.
const PAIRS: usize = 64;
/// The same for the gradient of a weight: pairs of lines, and rows of the weight.
const LINE_PAIRS: usize = 32;
const WIDE: usize = 128;

/// Numbers a packed [depth, columns] takes.
pub(crate) fn packed_len(depth: usize, columns: usize) -> usize {
    matmul::packed_len(depth.div_ceil(2), columns)
}

/// Packs row-major B [depth, columns] into `to`.
pub(crate) fn pack(matrix: &[f32], depth: usize, columns: usize, to: &mut [f32]) {
    let line = |k: usize| (k < depth).then(|| &matrix[k * columns..][..columns]);
    let pairs = depth.div_ceil(2);
    for (first, to) in (0..columns).step_by(GROUP).zip(to.chunks_mut(GROUP * pairs)) {
        let place = first..columns.min(first + GROUP);
        for (at, to) in to.chunks_exact_mut(place.len().next_multiple_of(LANES)).enumerate().take(pairs) {
            let [low, high] = [2 * at, 2 * at + 1].map(|k| line(k).map_or(&[][..], |line| &line[place.clone()]));
            across(low, high, to);
        }
    }
}

/// Packs Bᵀ of row-major B [columns, depth] into `to`.
pub(crate) fn pack_transposed(matrix: &[f32], depth: usize, columns: usize, to: &mut [f32]) {
    let pairs = depth.div_ceil(2);
    for (first, to) in (0..columns).step_by(GROUP).zip(to.chunks_mut(GROUP * pairs)) {
        let width = (columns - first).min(GROUP);
        let stride = width.next_multiple_of(LANES);
        for lane in 0..stride {
            let line = if lane < width { &matrix[(first + lane) * depth..][..depth] } else { &[] };
            let values = line.chunks(2).map(|two| pair(two[0], two.get(1).copied().unwrap_or(0.0)));
            to.iter_mut()
                .skip(lane)
                .step_by(stride)
                .take(pairs)
                .zip(values.chain(std::iter::repeat(0.0)))
                .for_each(|(to, pair)| *to = pair);
        }
    }
}

/// C = start + A·B for a B that [`pack`] packed; row i of A begins at `i * a_stride`, of C at `i * c_stride`.
pub(crate) fn multiply(a: &[f32], a_stride: usize, rows: usize, b: Matrix<'_>, start: Start<'_>, c: &mut [f32], c_stride: usize) {
    let mut rounded = [0.0; ROWS * PAIRS];
    let halved = Matrix { depth: b.depth.div_ceil(2), ..b };
    for row in (0..rows).step_by(ROWS) {
        let count = ROWS.min(rows - row);
        for first in (0..halved.depth).step_by(PAIRS) {
            let depth = PAIRS.min(halved.depth - first);
            let numbers = (2 * depth).min(b.depth - 2 * first);
            along(&a[row * a_stride + 2 * first..], a_stride, numbers, &mut rounded[..count * depth]);
            let start = if first == 0 { start } else { Start::Given };
            for group in halved.groups() {
                let step = group.panels * LANES;
                let left = Left { values: &rounded, flipped: false, stride: depth, group: 0 };
                let strip = Strip { left, right: Right { values: &group.values[first * step..], step, group: 0 }, depth, groups: 1 };
                let (start, c) = (start.part(row, group.first), &mut c[row * c_stride + group.first..]);
                strip.run_as::<true>(count, group.columns, start, c, c_stride);
            }
        }
    }
}

/// Gradient of a weight: `to` [width, columns] += Σ aᵀ·b over `count` lines of each of `samples`. All lines follow each other
/// and are paired so, also those of two samples.
pub(crate) fn learn(a: Lines<'_>, b: Lines<'_>, [samples, count]: [usize; 2], to: &mut [f32], [width, columns]: [usize; 2]) {
    let lines = samples * count;
    let (mut left, mut right) = ([0.0; LINE_PAIRS * WIDE], [0.0; LINE_PAIRS * GROUP]);
    let part = |of: Lines<'_>, line: usize, first: usize, length: usize, to: &mut [f32]| {
        let [low, high] = [line, line + 1].map(|line| {
            let place = (line < lines).then(|| line / count * of.sample + line % count * of.stride + first);
            place.map_or(&[][..], |place| &of.values[place..place + length])
        });
        across(low, high, to);
    };
    for line in (0..lines).step_by(2 * LINE_PAIRS) {
        let depth = LINE_PAIRS.min((lines - line).div_ceil(2));
        for row in (0..width).step_by(WIDE) {
            let rows = WIDE.min(width - row);
            let pairs = left.chunks_exact_mut(rows).enumerate().take(depth);
            pairs.for_each(|(at, to)| part(a, line + 2 * at, row, rows, to));
            for column in (0..columns).step_by(GROUP) {
                let here = GROUP.min(columns - column);
                let step = here.next_multiple_of(LANES);
                let pairs = right.chunks_exact_mut(step).enumerate().take(depth);
                pairs.for_each(|(at, to)| part(b, line + 2 * at, column, here, to));
                let left = Left { values: &left, flipped: true, stride: rows, group: 0 };
                let strip = Strip { left, right: Right { values: &right, step, group: 0 }, depth, groups: 1 };
                strip.run_as::<true>(rows, here, Start::Given, &mut to[row * columns + column..], columns);
            }
        }
    }
}

both! {
    /// `to` [rows, pairs]: of each row of `from` the first `depth` numbers, two neighbours a pair.
    along = along_body(from: &[f32], stride: usize, depth: usize, to: &mut [f32])
}

#[inline(always)]
fn along_body<const FUSED: bool>(from: &[f32], stride: usize, depth: usize, to: &mut [f32]) {
    for (row, to) in to.chunks_exact_mut(depth.div_ceil(2)).enumerate() {
        let (whole, rest) = from[row * stride..][..depth].as_chunks::<2>();
        to.iter_mut().zip(whole).for_each(|(to, [low, high])| *to = pair(*low, *high));
        to.iter_mut().skip(whole.len()).zip(rest).for_each(|(to, last)| *to = pair(*last, 0.0));
    }
}

both! {
    /// `to` = the pairs of two lines, number by number; what a line does not have is zero.
    across = across_body(low: &[f32], high: &[f32], to: &mut [f32])
}

#[inline(always)]
fn across_body<const FUSED: bool>(low: &[f32], high: &[f32], to: &mut [f32]) {
    let (both, rest) = to.split_at_mut(high.len());
    both.iter_mut().zip(low.iter().zip(high)).for_each(|(to, (low, high))| *to = pair(*low, *high));
    let alone = &low[high.len()..];
    let (last, rest) = rest.split_at_mut(alone.len());
    last.iter_mut().zip(alone).for_each(|(to, low)| *to = pair(*low, 0.0));
    rest.fill(0.0);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::raw::halves;
    use crate::program::tests::numbers;

    /// Nearest bf16 by search: of the two around a number the nearer, of two as near the even one.
    fn nearest(value: f32) -> f32 {
        let low = value.to_bits() & 0xffff_0000;
        let [low, high] = [low, low + 0x1_0000].map(f32::from_bits);
        let far = |near: f32| (f64::from(near) - f64::from(value)).abs();
        let even = |near: f32| near.to_bits() & 0x1_0000 == 0;
        if far(low) < far(high) || far(low) == far(high) && even(low) { low } else { high }
    }

    #[test]
    fn numbers_are_rounded_to_the_nearest_and_ties_to_even() {
        let ties = [1.0 + 1.0 / 256.0, 1.0 + 3.0 / 256.0, -1.0 - 1.0 / 256.0, 3.0, 0.0, -0.0, 1e-30, 123_456.79];
        for value in numbers(500, 1).into_iter().map(|value| value * 1e3).chain(ties) {
            assert_eq!(halves(pair(value, 0.5)), [nearest(value), 0.5], "{value}");
            assert_eq!(halves(pair(0.5, value)), [0.5, nearest(value)], "{value}");
        }
        assert_eq!(halves(pair(f32::MAX, f32::NEG_INFINITY)), [f32::INFINITY, f32::NEG_INFINITY]);
        for nan in [f32::NAN, -f32::NAN, f32::from_bits(0x7f80_0001), f32::from_bits(0x7fff_ffff)] {
            assert!(halves(pair(nan, 1.0))[0].is_nan() && halves(pair(1.0, nan))[1].is_nan(), "{:x}", nan.to_bits());
        }
    }

    /// Both packings of B [k, n].
    fn packed(b: &[f32], k: usize, n: usize) -> Vec<f32> {
        let (mut packed, mut flipped) = (vec![9.0; packed_len(k, n)], vec![9.0; packed_len(k, n)]);
        let turned: Vec<f32> = (0..n * k).map(|i| b[i % k * n + i / k]).collect();
        pack(b, k, n, &mut packed);
        pack_transposed(&turned, k, n, &mut flipped);
        assert!(packed.iter().zip(&flipped).all(|(one, other)| one.to_bits() == other.to_bits()), "{k}×{n} packed in two ways");
        packed
    }

    /// Σ of products of rounded numbers, and of those of the numbers themselves; what a rounding of both may change at most.
    fn exact(terms: impl Iterator<Item = (f32, f32)>) -> [f64; 3] {
        terms.fold([0.0; 3], |[rounded, plain, most], (a, b)| {
            let (product, near) = (f64::from(a) * f64::from(b), f64::from(nearest(a)) * f64::from(nearest(b)));
            // Each factor moves by at most 2⁻⁸ of itself.
            [rounded + near, plain + product, most + product.abs() / 127.0]
        })
    }

    #[test]
    fn products_are_those_of_rounded_factors_in_every_tile() {
        for (m, k, n) in [(1, 1, 1), (1, 5, 70), (2, 7, 16), (3, 128, 33), (13, 9, 64), (97, 20, 17), (49, 301, 5), (200, 3, 5)] {
            let (a, b, bias) = (numbers(m * k, 1), numbers(k * n, 2), numbers(n, 3));
            let packed = packed(&b, k, n);
            let packed = Matrix { depth: k, columns: n, values: &packed };
            let mut c = vec![9.0; m * n];
            multiply(&a, k, m, packed, Start::Row(&bias), &mut c, n);
            let upright: Vec<f32> = (0..k * m).map(|i| a[i % m * k + i / m]).collect();
            let mut slope: Vec<f32> = (0..m * n).map(|at| bias[at % n]).collect();
            let (left, right) = (Lines { values: &upright, stride: m, sample: 0 }, Lines { values: &b, stride: n, sample: 0 });
            learn(left, right, [1, k], &mut slope, [m, n]);
            for (at, (c, slope)) in c.iter().zip(&slope).enumerate() {
                let (i, j) = (at / n, at % n);
                let [rounded, plain, most] = exact((0..k).map(|l| (a[i * k + l], b[l * n + j])));
                for sum in [c, slope].map(|sum| f64::from(*sum) - f64::from(bias[j])) {
                    assert!((sum - rounded).abs() < 1e-6 * (k as f64 + 2.0), "{m}×{k}×{n} at {i},{j}: {sum} is not {rounded}");
                    assert!((sum - plain).abs() <= most + 1e-5, "{m}×{k}×{n} at {i},{j}: {sum} is {plain} to more than {most}");
                }
            }
            let mut alone = vec![0.0; n];
            multiply(&a[(m - 1) * k..], k, 1, packed, Start::Row(&bias), &mut alone, n);
            assert_eq!(alone, c[(m - 1) * n..], "a row's bits do not depend on its company");
        }
    }

    #[test]
    fn a_gradient_is_summed_over_the_lines_of_all_samples() {
        let (width, columns, time) = (150, 70, 9);
        for (samples, first, stride, count) in [(50, 0, 1, 9), (7, 2, 3, 2), (1, 1, 1, 7), (3, 1, 2, 1)] {
            let (x, above) = (numbers(samples * time * width, 1), numbers(samples * count * columns, 2));
            let a = Lines { values: &x[first * width..], stride: stride * width, sample: time * width };
            let b = Lines { values: &above, stride: columns, sample: count * columns };
            let begun = numbers(width * columns, 3);
            let mut sums = begun.clone();
            learn(a, b, [samples, count], &mut sums, [width, columns]);
            for (place, sum) in sums.iter().enumerate().step_by(7) {
                let (row, column) = (place / columns, place % columns);
                let term = |at: usize| (x[((at / count) * time + first + at % count * stride) * width + row], above[at * columns + column]);
                let wanted = f64::from(begun[place]) + exact((0..samples * count).map(term))[0];
                assert!((f64::from(*sum) - wanted).abs() < 1e-4, "{row}, {column}: {sum} is not {wanted}");
            }
        }
    }
}
