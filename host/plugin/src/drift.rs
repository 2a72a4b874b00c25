//! Calls of the `drift-test` and `drift-detector` worlds.

use bellwether_domain::Result;
use serde_json::Value;

use crate::{ColumnKind, Frame};

/// What a drift test can be given.
#[derive(Debug, Clone, PartialEq)]
pub struct Acceptance {
    /// All columns in one call, rather than one call per column.
    pub multivariate: bool,
    /// Kinds of column it understands.
    pub kinds: Vec<ColumnKind>,
    /// Least present rows on either side.
    pub least_rows: u32,
}

/// The verdict on one comparison; fields as in `wit/drift/drift.wit`.
#[derive(Debug, Clone, PartialEq)]
#[expect(missing_docs, reason = "documented in the contract, which this mirrors")]
pub struct DriftOutcome {
    pub statistic: f64,
    pub p_value: Option<f64>,
    pub score: f64,
    pub threshold: f64,
    pub drifted: bool,
    pub reference_count: u64,
    pub current_count: u64,
    pub detail: Value,
}

/// Something a detector saw.
#[derive(Debug, Clone, PartialEq)]
pub struct DriftEvent {
    /// Place of the value in the list given.
    pub index: u32,
    /// Drift rather than a warning.
    pub drift: bool,
    /// The statistic that crossed its bound.
    pub statistic: f64,
}

/// A two-sample drift test. `config` is one made by [`crate::PluginHost::configure`].
#[derive(Debug)]
pub struct DriftTest {}

impl DriftTest {
    /// The instance's name.
    pub fn name(&self) -> &str {
        todo!()
    }

    /// What it can be given.
    pub async fn accepts(&self) -> Result<Acceptance> {
        todo!()
    }

    /// Condenses reference data to bytes.
    pub async fn baseline(&self, reference: Frame, config: &Value) -> Result<Vec<u8>> {
        let _ = (reference, config);
        todo!()
    }

    /// Compares current data with a baseline; every number of the outcome is finite, else `BadAnswer`.
    pub async fn test(&self, baseline: &[u8], current: Frame, config: &Value) -> Result<DriftOutcome> {
        let _ = (baseline, current, config);
        todo!()
    }
}

/// A streaming detector.
#[derive(Debug)]
pub struct DriftDetector {}

impl DriftDetector {
    /// The instance's name.
    pub fn name(&self) -> &str {
        todo!()
    }

    /// The state before any value.
    pub async fn start(&self, config: &Value) -> Result<Vec<u8>> {
        let _ = config;
        todo!()
    }

    /// Takes some values; returns the new state and what happened.
    pub async fn update(&self, state: &[u8], values: &[f64], config: &Value) -> Result<(Vec<u8>, Vec<DriftEvent>)> {
        let _ = (state, values, config);
        todo!()
    }
}
