//! Products with a packed matrix: C [m, n] = start + A [m, k] · B [k, n].
//!
//! B is packed once into groups of four panels of [`LANES`] columns, a row of the group after the other, padded with zeros,
//! so that the inner loop reads one stream. A tile of rows × columns stays in registers over all of k. Every element is one
//! chain of multiply-adds over k in order, whatever the tile: a row's result does not depend on how many rows are computed
//! together, so neither does a prediction.

pub(crate) use crate::kernel::raw::{LANES, tiles};
use crate::kernel::raw::{Left, Origin, PANELS, Panels, Repeat, Right, Tile, most_rows};

/// Columns of a whole group.
pub(crate) const GROUP: usize = PANELS * LANES;
/// Rows that share a group before the next is read: keeps their part of A in the second cache.
const BLOCK: usize = 96;
/// Steps of k that a product of two unpacked matrices takes at once: their part of B fits half of the first cache.
const DEPTH: usize = 64;
/// Numbers of the largest tile.
const TILE: usize = 8 * GROUP;

/// A packed matrix B [depth, columns] in borrowed memory of [`packed_len`] numbers.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Matrix<'a> {
    pub(crate) depth: usize,
    pub(crate) columns: usize,
    pub(crate) values: &'a [f32],
}

/// A group of panels of a packed matrix.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Group<'a> {
    /// [depth, panels · LANES].
    pub(crate) values: &'a [f32],
    /// Its first column.
    pub(crate) first: usize,
    /// Columns that exist.
    pub(crate) columns: usize,
    pub(crate) panels: usize,
}

impl<'a> Matrix<'a> {
    /// Its groups from left to right.
    #[inline]
    pub(crate) fn groups(&self) -> impl Iterator<Item = Group<'a>> + use<'a> {
        let Matrix { depth, columns, values } = *self;
        (0..columns).step_by(GROUP).map(move |first| {
            let here = (columns - first).min(GROUP);
            let panels = here.div_ceil(LANES);
            Group { values: &values[first * depth..][..panels * LANES * depth], first, columns: here, panels }
        })
    }
}

/// Numbers a packed [depth, columns] takes: whole cache lines.
pub(crate) fn packed_len(depth: usize, columns: usize) -> usize {
    columns.div_ceil(LANES) * depth * LANES
}

/// Packs row-major B [depth, columns] into `to`.
pub(crate) fn pack(matrix: &[f32], depth: usize, columns: usize, to: &mut [f32]) {
    if depth == 0 {
        return;
    }
    let to = &mut to[..packed_len(depth, columns)];
    for (first, to) in (0..columns).step_by(GROUP).zip(to.chunks_mut(GROUP * depth)) {
        let width = (columns - first).min(GROUP);
        for (line, to) in matrix.chunks_exact(columns).zip(to.chunks_exact_mut(width.next_multiple_of(LANES))) {
            to[..width].copy_from_slice(&line[first..first + width]);
            to[width..].fill(0.0);
        }
    }
}

/// Packs Bᵀ of row-major B [columns, depth] into `to`.
pub(crate) fn pack_transposed(matrix: &[f32], depth: usize, columns: usize, to: &mut [f32]) {
    if depth == 0 {
        return;
    }
    let to = &mut to[..packed_len(depth, columns)];
    for (first, to) in (0..columns).step_by(GROUP).zip(to.chunks_mut(GROUP * depth)) {
        let width = (columns - first).min(GROUP);
        let stride = width.next_multiple_of(LANES);
        for lane in 0..stride {
            let to = to.iter_mut().skip(lane).step_by(stride);
            if lane < width {
                let line = &matrix[(first + lane) * depth..][..depth];
                to.zip(line).for_each(|(to, value)| *to = *value);
            } else {
                to.for_each(|to| *to = 0.0);
            }
        }
    }
}

/// What the products are added to.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Start<'a> {
    /// Nothing.
    Zero,
    /// The same row everywhere.
    Row(&'a [f32]),
    /// A matrix whose rows begin so far apart.
    Rows(&'a [f32], usize),
    /// What C holds.
    Given,
}

impl<'a> Start<'a> {
    /// For the part of C that begins there.
    #[inline]
    pub(crate) fn part(self, row: usize, column: usize) -> Start<'a> {
        match self {
            Start::Zero | Start::Given => self,
            Start::Row(values) => Start::Row(&values[column..]),
            Start::Rows(values, stride) => Start::Rows(&values[row * stride + column..], stride),
        }
    }
}

/// C = start + A·B; row i of A begins at `i * a_stride`, of C at `i * c_stride`.
pub(crate) fn multiply(a: &[f32], a_stride: usize, rows: usize, b: Matrix<'_>, start: Start<'_>, c: &mut [f32], c_stride: usize) {
    for block in (0..rows).step_by(BLOCK) {
        for group in b.groups() {
            let left = Left { values: &a[block * a_stride..], flipped: false, stride: a_stride, group: 0 };
            let right = Right { values: group.values, step: group.panels * LANES, group: 0 };
            let strip = Strip { left, right, depth: b.depth, groups: 1 };
            let (count, start) = (BLOCK.min(rows - block), start.part(block, group.first));
            strip.run(count, group.columns, start, &mut c[block * c_stride + group.first..], c_stride);
        }
    }
}

/// C [m, n] = Aᵀ·B for row-major A [k, m] and B [k, n]: the gradient of a weight from its input and output gradient.
pub(crate) fn transposed_product(a: &[f32], b: &[f32], c: &mut [f32], [m, k, n]: [usize; 3]) {
    if k == 0 {
        return c[..m * n].fill(0.0);
    }
    let mut packed = [0.0; DEPTH * GROUP];
    for first in (0..k).step_by(DEPTH) {
        let depth = (k - first).min(DEPTH);
        let start = if first == 0 { Start::Zero } else { Start::Given };
        for column in (0..n).step_by(GROUP) {
            let width = (n - column).min(GROUP);
            let step = width.next_multiple_of(LANES);
            for (line, to) in b[first * n..].chunks_exact(n).zip(packed.chunks_exact_mut(step)).take(depth) {
                to[..width].copy_from_slice(&line[column..column + width]);
                to[width..].fill(0.0);
            }
            let left = Left { values: &a[first * m..], flipped: true, stride: m, group: 0 };
            let strip = Strip { left, right: Right { values: &packed, step, group: 0 }, depth, groups: 1 };
            strip.run(m, width, start, &mut c[column..], n);
        }
    }
}

/// Rows by at most [`GROUP`] columns.
pub(crate) struct Strip<'a> {
    pub(crate) left: Left<'a>,
    pub(crate) right: Right<'a>,
    pub(crate) depth: usize,
    pub(crate) groups: usize,
}

impl Strip<'_> {
    /// Computes it into row-major `c`; the last panel may be cut.
    #[inline]
    pub(crate) fn run(self, rows: usize, columns: usize, start: Start<'_>, c: &mut [f32], c_stride: usize) {
        self.run_as::<false>(rows, columns, start, c, c_stride);
    }

    /// [`Strip::run`]; with `PAIRS` a number of A and of B is a [`crate::kernel::raw::pair`].
    #[inline]
    pub(crate) fn run_as<const PAIRS: bool>(self, rows: usize, columns: usize, start: Start<'_>, c: &mut [f32], c_stride: usize) {
        let Strip { left, right, depth, groups } = self;
        let panels = columns.div_ceil(LANES);
        if columns == panels * LANES {
            let origin = match start {
                Start::Zero => Origin::Zero,
                Start::Given => Origin::Given,
                Start::Row(values) => Origin::From(Panels { values, row: 0, panel: LANES }),
                Start::Rows(values, row) => Origin::From(Panels { values, row, panel: LANES }),
            };
            let to = Panels { values: c, row: c_stride, panel: LANES };
            return Tile { left, right, depth, groups, origin, to }.run_as::<PAIRS>(rows, panels, Repeat::ONCE);
        }
        let mut whole = [0.0; TILE];
        for (first, count) in tiles(rows, most_rows(panels)) {
            let part = start.part(first, 0);
            for (row, line) in whole.chunks_exact_mut(GROUP).enumerate().take(count) {
                match part {
                    Start::Zero => line[..columns].fill(0.0),
                    Start::Row(values) => line[..columns].copy_from_slice(&values[..columns]),
                    Start::Rows(values, stride) => line[..columns].copy_from_slice(&values[row * stride..][..columns]),
                    Start::Given => line[..columns].copy_from_slice(&c[(first + row) * c_stride..][..columns]),
                }
            }
            let left = Left { values: &left.values[first * if left.flipped { 1 } else { left.stride }..], ..left };
            let to = Panels { values: &mut whole[..], row: GROUP, panel: LANES };
            Tile { left, right, depth, groups, origin: Origin::Given, to }.run_as::<PAIRS>(count, panels, Repeat::ONCE);
            for (row, line) in whole.chunks_exact(GROUP).enumerate().take(count) {
                c[(first + row) * c_stride..][..columns].copy_from_slice(&line[..columns]);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn numbers(count: usize, seed: u32) -> Vec<f32> {
        let mut state = seed;
        let next = |_| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 8) as f32 / 8_388_608.0 - 1.0
        };
        (0..count).map(next).collect()
    }

    #[test]
    fn products_agree_with_the_definition_in_every_tile() {
        for (m, k, n) in [(1, 1, 1), (1, 5, 70), (2, 7, 16), (3, 128, 33), (13, 9, 64), (97, 20, 17), (200, 3, 5)] {
            let (a, b, bias) = (numbers(m * k, 1), numbers(k * n, 2), numbers(n, 3));
            let (mut packed, mut flipped) = (vec![9.0; packed_len(k, n)], vec![9.0; packed_len(k, n)]);
            let turned: Vec<f32> = (0..n * k).map(|i| b[i % k * n + i / k]).collect();
            pack(&b, k, n, &mut packed);
            pack_transposed(&turned, k, n, &mut flipped);
            assert_eq!(packed, flipped);
            let packed = Matrix { depth: k, columns: n, values: &packed };
            let mut c = vec![0.0; m * n];
            multiply(&a, k, m, packed, Start::Row(&bias), &mut c, n);
            let mut twice = c.clone();
            multiply(&a, k, m, packed, Start::Given, &mut twice, n);
            for i in 0..m {
                for j in 0..n {
                    let exact: f64 = (0..k).map(|l| f64::from(a[i * k + l]) * f64::from(b[l * n + j])).sum();
                    let (once, both) = (exact + f64::from(bias[j]), 2.0 * exact + f64::from(bias[j]));
                    assert!((f64::from(c[i * n + j]) - once).abs() < 1e-4, "{m}×{k}×{n} at {i},{j}");
                    assert!((f64::from(twice[i * n + j]) - both).abs() < 1e-4, "{m}×{k}×{n} at {i},{j}");
                }
            }
            let mut alone = vec![0.0; n];
            multiply(&a[(m - 1) * k..], k, 1, packed, Start::Row(&bias), &mut alone, n);
            assert_eq!(alone, c[(m - 1) * n..], "a row's bits do not depend on its company");
            let mut slope = vec![9.0; m * n];
            let upright: Vec<f32> = (0..k * m).map(|i| a[i % m * k + i / m]).collect();
            transposed_product(&upright, &b, &mut slope, [m, k, n]);
            multiply(&a, k, m, packed, Start::Rows(&slope, n), &mut twice, n);
            assert!(slope.iter().zip(&twice).all(|(once, twice)| (2.0 * once - twice).abs() < 1e-4), "{m}×{k}×{n} flipped");
        }
    }
}
