//! Products with a packed matrix: C [m, n] = start + A [m, k] · B [k, n].
//!
//! B is packed once into panels of [`LANES`] columns, padded with zeros, so that the inner loop reads it in order. A tile of
//! rows × columns stays in registers over all of k. Every element is one chain of multiply-adds over k in order, whatever
//! the tile: a row's result does not depend on how many rows are computed together, so neither does a prediction.

use crate::kernel::raw::{accumulate, both};

/// Columns per panel.
pub(crate) const LANES: usize = 16;
/// Rows that share a panel before the next panel is read: keeps their part of A in the fast cache.
const BLOCK: usize = 96;

/// A matrix packed for [`multiply`].
#[derive(Debug, Clone, Default)]
pub(crate) struct Packed {
    depth: usize,
    columns: usize,
    values: Vec<f32>,
}

impl Packed {
    /// Packs row-major B [depth, columns], reusing the memory.
    pub(crate) fn pack(&mut self, matrix: &[f32], depth: usize, columns: usize) {
        self.start(depth, columns);
        for (row, line) in matrix.chunks_exact(columns).take(depth).enumerate() {
            for (panel, part) in line.chunks(LANES).enumerate() {
                let at = (panel * depth + row) * LANES;
                self.values[at..at + part.len()].copy_from_slice(part);
            }
        }
    }

    /// Packs Bᵀ of row-major B [columns, depth].
    pub(crate) fn pack_transposed(&mut self, matrix: &[f32], depth: usize, columns: usize) {
        self.start(depth, columns);
        for (column, line) in matrix.chunks_exact(depth).take(columns).enumerate() {
            let at = column / LANES * depth * LANES + column % LANES;
            for (row, value) in line.iter().enumerate() {
                self.values[at + row * LANES] = *value;
            }
        }
    }

    /// [`Packed::pack`] into new memory.
    pub(crate) fn of(matrix: &[f32], depth: usize, columns: usize) -> Packed {
        let mut packed = Packed::default();
        packed.pack(matrix, depth, columns);
        packed
    }

    /// Bytes it holds.
    pub(crate) fn size_bytes(&self) -> usize {
        self.values.capacity() * size_of::<f32>()
    }

    /// The matrix, to multiply by.
    pub(crate) fn view(&self) -> Matrix<'_> {
        Matrix { depth: self.depth, columns: self.columns, values: &self.values }
    }

    fn start(&mut self, depth: usize, columns: usize) {
        (self.depth, self.columns) = (depth, columns);
        self.values.clear();
        self.values.resize(columns.div_ceil(LANES) * depth * LANES, 0.0);
    }
}

/// A packed matrix B [depth, columns] in borrowed memory of [`packed_len`] numbers.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Matrix<'a> {
    pub(crate) depth: usize,
    pub(crate) columns: usize,
    pub(crate) values: &'a [f32],
}

impl<'a> Matrix<'a> {
    #[inline(always)]
    fn panel(&self, panel: usize) -> &'a [f32] {
        let size = self.depth * LANES;
        &self.values[panel * size..(panel + 1) * size]
    }
}

/// Numbers a packed [depth, columns] takes: whole cache lines.
pub(crate) fn packed_len(depth: usize, columns: usize) -> usize {
    columns.div_ceil(LANES) * depth * LANES
}

/// Packs row-major B [depth, columns] into `to`.
pub(crate) fn pack(matrix: &[f32], depth: usize, columns: usize, to: &mut [f32]) {
    for (panel, to) in to[..packed_len(depth, columns)].chunks_exact_mut(depth * LANES).enumerate() {
        let first = panel * LANES;
        let width = (columns - first).min(LANES);
        for (line, to) in matrix.chunks_exact(columns).zip(to.chunks_exact_mut(LANES)) {
            to[..width].copy_from_slice(&line[first..first + width]);
            to[width..].fill(0.0);
        }
    }
}

/// Packs Bᵀ of row-major B [columns, depth] into `to`.
pub(crate) fn pack_transposed(matrix: &[f32], depth: usize, columns: usize, to: &mut [f32]) {
    for (panel, to) in to[..packed_len(depth, columns)].chunks_exact_mut(depth * LANES).enumerate() {
        let first = panel * LANES;
        let width = (columns - first).min(LANES);
        for lane in 0..LANES {
            if lane < width {
                let line = &matrix[(first + lane) * depth..][..depth];
                to.iter_mut().skip(lane).step_by(LANES).zip(line).for_each(|(to, value)| *to = *value);
            } else {
                to.iter_mut().skip(lane).step_by(LANES).for_each(|to| *to = 0.0);
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
    /// What C holds.
    Given,
}

both! {
    /// C = start + A·B; row i of A begins at `i * a_stride`, of C at `i * c_stride`.
    multiply = multiply_body(a: &[f32], a_stride: usize, rows: usize, b: Matrix<'_>, start: Start<'_>, c: &mut [f32], c_stride: usize)
}

#[inline(always)]
fn multiply_body<const FUSED: bool>(a: &[f32], a_stride: usize, rows: usize, b: Matrix<'_>, start: Start<'_>, c: &mut [f32], c_stride: usize) {
    let panels = b.columns.div_ceil(LANES);
    let mut product = Product { a, a_stride, b, start, c, c_stride };
    for first in (0..rows).step_by(BLOCK) {
        let last = (first + BLOCK).min(rows);
        if last - first < 2 {
            let mut panel = 0;
            while panel + 4 <= panels {
                product.tile::<FUSED, 1, 4>(first, panel);
                panel += 4;
            }
            for panel in panel..panels {
                product.tile::<FUSED, 1, 1>(first, panel);
            }
            continue;
        }
        for panel in 0..panels {
            let mut row = first;
            while row + 6 <= last {
                product.tile::<FUSED, 6, 1>(row, panel);
                row += 6;
            }
            if row + 4 <= last {
                product.tile::<FUSED, 4, 1>(row, panel);
                row += 4;
            }
            while row + 2 <= last {
                product.tile::<FUSED, 2, 1>(row, panel);
                row += 2;
            }
            if row < last {
                product.tile::<FUSED, 1, 1>(row, panel);
            }
        }
    }
}

struct Product<'a> {
    a: &'a [f32],
    a_stride: usize,
    b: Matrix<'a>,
    start: Start<'a>,
    c: &'a mut [f32],
    c_stride: usize,
}

impl Product<'_> {
    /// `ROWS` rows from `row` by `PANELS` panels from `panel`.
    #[inline(always)]
    fn tile<const FUSED: bool, const ROWS: usize, const PANELS: usize>(&mut self, row: usize, panel: usize) {
        let depth = self.b.depth;
        let mut sums = [[[0.0f32; LANES]; PANELS]; ROWS];
        for (r, line) in sums.iter_mut().enumerate() {
            for (p, sum) in line.iter_mut().enumerate() {
                self.begin(row + r, panel + p, sum);
            }
        }
        let lines: [&[f32]; ROWS] = std::array::from_fn(|r| &self.a[(row + r) * self.a_stride..][..depth]);
        let panels: [&[f32]; PANELS] = std::array::from_fn(|p| &self.b.panel(panel + p)[..depth * LANES]);
        accumulate::<FUSED, ROWS, PANELS>(lines, panels, &mut sums);
        for (r, line) in sums.iter().enumerate() {
            for (p, sum) in line.iter().enumerate() {
                let (at, width) = self.place(row + r, panel + p);
                if width == LANES {
                    self.c[at..at + LANES].copy_from_slice(sum);
                } else {
                    self.c[at..at + width].copy_from_slice(&sum[..width]);
                }
            }
        }
    }

    /// Where a tile's row of C begins, and how many of its columns exist.
    #[inline(always)]
    fn place(&self, row: usize, panel: usize) -> (usize, usize) {
        let column = panel * LANES;
        (row * self.c_stride + column, (self.b.columns - column).min(LANES))
    }

    #[inline(always)]
    fn begin(&self, row: usize, panel: usize, sum: &mut [f32; LANES]) {
        let (at, width) = self.place(row, panel);
        let from = match self.start {
            Start::Zero => return,
            Start::Row(values) => &values[panel * LANES..][..width],
            Start::Given => &self.c[at..at + width],
        };
        if width == LANES {
            sum.copy_from_slice(from);
        } else {
            sum[..width].copy_from_slice(from);
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
            let (packed, mut flipped) = (Packed::of(&b, k, n), Packed::default());
            let turned: Vec<f32> = (0..n * k).map(|i| b[i % k * n + i / k]).collect();
            flipped.pack_transposed(&turned, k, n);
            let mut c = vec![0.0; m * n];
            multiply(&a, k, m, packed.view(), Start::Row(&bias), &mut c, n);
            let mut twice = c.clone();
            multiply(&a, k, m, flipped.view(), Start::Given, &mut twice, n);
            for i in 0..m {
                for j in 0..n {
                    let exact: f64 = (0..k).map(|l| f64::from(a[i * k + l]) * f64::from(b[l * n + j])).sum();
                    let (once, both) = (exact + f64::from(bias[j]), 2.0 * exact + f64::from(bias[j]));
                    assert!((f64::from(c[i * n + j]) - once).abs() < 1e-4, "{m}×{k}×{n} at {i},{j}");
                    assert!((f64::from(twice[i * n + j]) - both).abs() < 1e-4, "{m}×{k}×{n} at {i},{j}");
                }
            }
            let mut alone = vec![0.0; n];
            multiply(&a[(m - 1) * k..], k, 1, packed.view(), Start::Row(&bias), &mut alone, n);
            assert_eq!(alone, c[(m - 1) * n..], "a row's bits do not depend on its company");
            let mut plain = vec![0.0; m * n];
            multiply_body::<false>(&a, k, m, packed.view(), Start::Row(&bias), &mut plain, n);
            assert!(plain.iter().zip(&c).all(|(p, q)| (p - q).abs() < 1e-4), "{m}×{k}×{n}: the portable version differs");
        }
    }
}
