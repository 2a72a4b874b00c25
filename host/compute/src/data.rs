//! Samples for fitting without building windows: rows of features, and the row each window ends on.

/// Samples that share their rows: sample i is rows `ends[i] + 1 - steps ..= ends[i]`, so overlapping windows cost nothing.
#[derive(Debug, Clone, Copy)]
pub struct Samples<'a> {
    /// Scaled features, row-major [row, feature].
    pub rows: &'a [f32],
    /// Features per row.
    pub features: usize,
    /// Rows per window.
    pub steps: usize,
    /// Last row of each window.
    pub ends: &'a [usize],
    /// Scaled target of each window; as long as `ends`.
    pub targets: &'a [f32],
}
