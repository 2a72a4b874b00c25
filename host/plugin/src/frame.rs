//! Numbers the host lends to plugins: columns, frames, windows. Cheap to clone; a plugin reads them in place.

use std::sync::Arc;

use bellwether_domain::{Error, Result};

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

impl Frame {
    /// Columns must have one length.
    pub(crate) fn check(&self) -> Result<()> {
        let rows = self.columns.first().map_or(0, |column| column.values.len());
        match self.columns.iter().find(|column| column.values.len() != rows) {
            None => Ok(()),
            Some(column) => Err(Error::invalid(
                column.name.to_string(),
                format!("has {} rows where the frame's first column has {rows}", column.values.len()),
            )),
        }
    }
}

impl Windows {
    /// Every window must lie within the rows.
    pub(crate) fn check(&self) -> Result<()> {
        let (features, steps) = (self.features.len(), self.steps as usize);
        if features == 0 || steps == 0 || !self.rows.len().is_multiple_of(features) {
            return Err(Error::invalid(
                "windows",
                format!("{} numbers do not make rows of {features} features in windows of {steps}", self.rows.len()),
            ));
        }
        let rows = self.rows.len() / features;
        if let Some(end) = self.ends.iter().find(|end| **end >= rows || **end + 1 < steps) {
            return Err(Error::invalid("windows", format!("a window of {steps} rows cannot end at row {end} of {rows}")));
        }
        if !self.targets.is_empty() && self.targets.len() != self.ends.len() {
            return Err(Error::invalid("windows", format!("there are {} targets for {} samples", self.targets.len(), self.ends.len())));
        }
        Ok(())
    }
}
