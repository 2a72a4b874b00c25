//! A weight matrix W [depth, columns] as products read it: packed in 32 bits, and while training in the precision of the fit.
//!
//! Two parts: what every forward pass in 32 bits reads, and what training reads besides: Wᵀ, and with bf16 also W once more.
//! So evaluating and serving have their bits whatever a network was trained with.

use bellwether_domain::job::Precision;

use crate::kernel::conv::Lines;
use crate::kernel::matmul::{self, Matrix, Start};
use crate::kernel::pairs;
use crate::kernel::raw::transposed_product;
use crate::layer::Purpose;

/// Sizes of a weight matrix.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Factor {
    pub(crate) depth: usize,
    pub(crate) columns: usize,
    /// Of training.
    pub(crate) precision: Precision,
}

/// A packed matrix to multiply by.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Packed<'a> {
    matrix: Matrix<'a>,
    precision: Precision,
}

impl Factor {
    /// Numbers of the part that forward passes in 32 bits read.
    pub(crate) fn plain(&self) -> usize {
        matmul::packed_len(self.depth, self.columns)
    }

    /// Numbers of the part that training reads besides.
    pub(crate) fn trained(&self) -> usize {
        match self.precision {
            Precision::F32 => self.back(),
            Precision::Bf16 => self.back() + pairs::packed_len(self.depth, self.columns),
        }
    }

    fn back(&self) -> usize {
        match self.precision {
            Precision::F32 => matmul::packed_len(self.columns, self.depth),
            Precision::Bf16 => pairs::packed_len(self.columns, self.depth),
        }
    }

    /// Packs row-major W; `trained` is empty where no training will come.
    pub(crate) fn pack(&self, matrix: &[f32], plain: &mut [f32], trained: &mut [f32]) {
        let Factor { depth, columns, precision } = *self;
        matmul::pack(matrix, depth, columns, plain);
        if trained.is_empty() {
            return;
        }
        let (back, rounded) = trained.split_at_mut(self.back());
        match precision {
            Precision::F32 => matmul::pack_transposed(matrix, columns, depth, back),
            Precision::Bf16 => {
                pairs::pack_transposed(matrix, columns, depth, back);
                pairs::pack(matrix, depth, columns, rounded);
            }
        }
    }

    /// W for a forward pass.
    pub(crate) fn forward<'a>(&self, purpose: Purpose, plain: &'a [f32], trained: &'a [f32]) -> Packed<'a> {
        let Factor { depth, columns, precision } = *self;
        match (purpose, precision) {
            (Purpose::Train, Precision::Bf16) => {
                Packed { matrix: Matrix { depth, columns, values: &trained[self.back()..self.trained()] }, precision }
            }
            _ => Packed { matrix: Matrix { depth, columns, values: &plain[..self.plain()] }, precision: Precision::F32 },
        }
    }

    /// Wᵀ for a backward pass.
    pub(crate) fn backward<'a>(&self, trained: &'a [f32]) -> Packed<'a> {
        let matrix = Matrix { depth: self.columns, columns: self.depth, values: &trained[..self.back()] };
        Packed { matrix, precision: self.precision }
    }

    /// Gradient of W from `lines` lines of its input and of its output's gradient: to = xᵀ·above.
    pub(crate) fn learn(&self, x: &[f32], above: &[f32], lines: usize, to: &mut [f32]) {
        let Factor { depth, columns, precision } = *self;
        match precision {
            Precision::F32 => transposed_product(x, above, to, [depth, lines, columns]),
            Precision::Bf16 => {
                to.fill(0.0);
                let lines_of = |values, stride| Lines { values, stride, sample: 0 };
                pairs::learn(lines_of(x, depth), lines_of(above, columns), [1, lines], to, [depth, columns]);
            }
        }
    }
}

impl Packed<'_> {
    /// C = start + A · it; row i of A begins at `i * a_stride`, of C at `i * c_stride`.
    pub(crate) fn multiply(self, a: &[f32], a_stride: usize, rows: usize, start: Start<'_>, c: &mut [f32], c_stride: usize) {
        match self.precision {
            Precision::F32 => matmul::multiply(a, a_stride, rows, self.matrix, start, c, c_stride),
            Precision::Bf16 => pairs::multiply(a, a_stride, rows, self.matrix, start, c, c_stride),
        }
    }
}
