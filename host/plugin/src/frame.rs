//! Numbers the host lends to plugins: columns, frames, windows. Cheap to clone; a plugin reads them in place.

use std::sync::Arc;

/// What the numbers in a column mean.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ColumnKind {
    /// Real numbers; NaN is missing.
    Numeric,
    /// Whole numbers that name categories; NaN is missing.
    Categorical,
}

/// One column.
#[derive(Debug, Clone)]
pub struct Column {
    /// Its name.
    pub name: Arc<str>,
    /// What the numbers mean.
    pub kind: ColumnKind,
    /// The numbers.
    pub values: Arc<[f64]>,
}

/// Columns of one length.
#[derive(Debug, Clone, Default)]
pub struct Frame {
    /// The columns.
    pub columns: Arc<[Column]>,
}

/// Samples for a guest model: windows over shared rows, and their targets (empty when predicting).
#[derive(Debug, Clone)]
pub struct Windows {
    /// Features by name.
    pub features: Arc<[String]>,
    /// Rows per window.
    pub steps: u32,
    /// Row-major [row, feature].
    pub rows: Arc<[f64]>,
    /// Last row of each window.
    pub ends: Arc<[usize]>,
    /// Target of each window; empty when predicting.
    pub targets: Arc<[f64]>,
}
