//! The products of a convolution over time, without columns copied together.
//!
//! A row of the result sums over taps, and rows `dilation` steps apart are a fixed distance apart in memory: so a tile of
//! results stays in registers over all taps, as over groups of k. Near the ends a row reaches fewer taps; rows that reach the
//! same ones are a [`Stretch`]. Every number is one chain of multiply-adds over taps and channels in order.

use crate::kernel::matmul::{GROUP, LANES, Start, Strip, packed_len, tiles};
use crate::kernel::raw::{Left, Right, most_rows};

/// Steps of time that the gradient of a kernel takes at once: their rows fit the first cache.
const LINES: usize = 128;

/// Rows that read the same taps of one sample.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Stretch {
    pub(crate) first: usize,
    pub(crate) rows: usize,
    /// Row that the first of them reads for its first tap.
    pub(crate) from: usize,
    pub(crate) first_tap: usize,
    pub(crate) taps: usize,
}

/// Cuts `rows` into stretches; `reach` tells the first tap of a row, how many it has, and the row read for the first.
pub(crate) fn stretches(rows: usize, reach: impl Fn(usize) -> (usize, usize, usize)) -> Vec<Stretch> {
    let mut list: Vec<Stretch> = vec![];
    for row in 0..rows {
        let (first_tap, taps, from) = reach(row);
        match list.last_mut() {
            Some(last) if (last.first_tap, last.taps) == (first_tap, taps) => last.rows += 1,
            _ => list.push(Stretch { first: row, rows: 1, from, first_tap, taps }),
        }
    }
    list
}

/// A kernel of several taps, each packed as a matrix [depth, columns], one after the other.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Taps<'a> {
    pub(crate) packed: &'a [f32],
    pub(crate) depth: usize,
    pub(crate) columns: usize,
    /// Rows between what one tap reads and what the next does.
    pub(crate) apart: usize,
    /// Rows between what one row of the result reads and what the next does.
    pub(crate) stride: usize,
}

impl Taps<'_> {
    /// The rows of one sample: `to` [rows, columns] = start + Σ of tap after tap of rows of `from` [_, depth].
    pub(crate) fn apply(&self, stretches: &[Stretch], from: &[f32], start: Start<'_>, to: &mut [f32]) {
        let Taps { packed, depth, columns, apart, stride } = *self;
        let size = packed_len(depth, columns);
        for stretch in stretches {
            for column in (0..columns).step_by(GROUP) {
                let width = (columns - column).min(GROUP);
                let panels = width.div_ceil(LANES);
                // A row that no tap reaches reads nothing.
                let values = packed.get(stretch.first_tap * size + column * depth..).unwrap_or_default();
                let right = Right { values, step: panels * LANES, group: size };
                for (row, count) in tiles(stretch.rows, most_rows(panels)) {
                    let values = from.get((stretch.from + row * stride) * depth..).unwrap_or_default();
                    let left = Left { values, flipped: false, stride: stride * depth, group: apart * depth };
                    let strip = Strip { left, right, depth, groups: stretch.taps };
                    let to = &mut to[(stretch.first + row) * columns + column..];
                    strip.run(count, width, start.part(stretch.first + row, column), to, columns);
                }
            }
        }
    }
}

/// Rows that lie evenly in every sample.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Lines<'a> {
    /// From the first row of the first sample on.
    pub(crate) values: &'a [f32],
    /// Numbers from one row to the next.
    pub(crate) stride: usize,
    /// Numbers from one sample to the next.
    pub(crate) sample: usize,
}

/// Gradient of one tap: `to` [width, columns] += Σ aᵀ·b over `count` rows of each of `samples`. `b` must be padded to whole
/// panels: numbers may be read up to the next multiple of [`LANES`] columns.
pub(crate) fn learn(a: Lines<'_>, b: Lines<'_>, [samples, count]: [usize; 2], to: &mut [f32], [width, columns]: [usize; 2]) {
    let block = (LINES / count.max(1)).max(1);
    for sample in (0..samples).step_by(block) {
        let groups = (samples - sample).min(block);
        for column in (0..columns).step_by(GROUP) {
            let here = (columns - column).min(GROUP);
            let right = Right { values: &b.values[sample * b.sample + column..], step: b.stride, group: b.sample };
            for (row, rows) in tiles(width, most_rows(here.div_ceil(LANES))) {
                let left = Left { values: &a.values[sample * a.sample + row..], flipped: true, stride: a.stride, group: a.sample };
                let strip = Strip { left, right, depth: count, groups };
                strip.run(rows, here, Start::Given, &mut to[row * columns + column..], columns);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::program::tests::numbers;

    #[test]
    fn a_taps_gradient_is_summed_over_all_samples_in_blocks() {
        let (samples, time, width, columns) = (50, 9, 5, 80);
        for (first, stride, count) in [(0, 1, 9), (2, 3, 2), (1, 1, 8)] {
            let (x, above) = (numbers(samples * time * width, 1), numbers(samples * count * columns, 2));
            let a = Lines { values: &x[first * width..], stride: stride * width, sample: time * width };
            let b = Lines { values: &above, stride: columns, sample: count * columns };
            let begun = numbers(width * columns, 3);
            let mut sums = begun.clone();
            learn(a, b, [samples, count], &mut sums, [width, columns]);
            for (place, sum) in sums.iter().enumerate() {
                let (row, column) = (place / columns, place % columns);
                let term = |at: usize| {
                    let (sample, step) = (at / count, at % count);
                    let x = x[(sample * time + first + step * stride) * width + row];
                    f64::from(x) * f64::from(above[at * columns + column])
                };
                let wanted = f64::from(begun[place]) + (0..samples * count).map(term).sum::<f64>();
                assert!((f64::from(*sum) - wanted).abs() < 1e-4, "{row}, {column}: {sum} is not {wanted}");
            }
        }
    }

    #[test]
    fn rows_sum_the_taps_they_reach() {
        let (depth, columns, apart, rows) = (7, 70, 2, 8);
        let kernel = numbers(3 * depth * columns, 1);
        let size = packed_len(depth, columns);
        let mut packed = vec![f32::NAN; 3 * size];
        for (kernel, to) in kernel.chunks_exact(depth * columns).zip(packed.chunks_exact_mut(size)) {
            crate::kernel::matmul::pack(kernel, depth, columns, to);
        }
        // Causal: row t reads t - 4, t - 2 and t as far as they exist; row 5 none at all.
        let reach =
            |t: usize| if t == 5 { (0, 0, 0) } else { (2 - (t / 2).min(2), 1 + (t / 2).min(2), t % 2 + 2 * (t / 2).saturating_sub(2)) };
        let list = stretches(rows, reach);
        assert_eq!(list.iter().map(|stretch| stretch.rows).collect::<Vec<_>>(), [2, 2, 1, 1, 2]);
        let (from, begun) = (numbers(rows * depth, 2), numbers(columns, 3));
        let mut to = vec![f32::NAN; rows * columns];
        Taps { packed: &packed, depth, columns, apart, stride: 1 }.apply(&list, &from, Start::Row(&begun), &mut to);
        for (place, given) in to.iter().enumerate() {
            let (t, column) = (place / columns, place % columns);
            let (first, taps, row) = reach(t);
            let mut wanted = f64::from(begun[column]);
            for tap in 0..taps {
                for k in 0..depth {
                    let weight = kernel[((first + tap) * depth + k) * columns + column];
                    wanted += f64::from(from[(row + tap * apart) * depth + k]) * f64::from(weight);
                }
            }
            assert!((f64::from(*given) - wanted).abs() < 1e-5, "{t}, {column}: {given} is not {wanted}");
        }
    }
}
