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
