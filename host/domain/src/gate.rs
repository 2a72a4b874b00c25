//! Gates: checks a version passes before it may roll out, each with its evidence.

use serde::{Deserialize, Serialize};

/// One check and what it saw.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct GateResult {
    /// Name of the gate, for example `min_model_accuracy`.
    pub gate: String,
    /// It passed. A value that is missing never passes.
    pub passed: bool,
    /// What was measured; none when the metric is missing.
    pub value: Option<f64>,
    /// The line.
    pub threshold: f64,
    /// One sentence for a person.
    pub reason: String,
}

/// Thresholds; an absent one is not checked.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct GateConfig {
    /// Least accuracy (`MIN_MODEL_ACCURACY`).
    pub min_model_accuracy: Option<f64>,
    /// Most mean squared error (`MAX_MODEL_MSE`).
    pub max_model_mse: Option<f64>,
    /// Least R² (`MIN_R2_SCORE`).
    pub min_r2_score: Option<f64>,
    /// Least skill against the baseline model: 0 means no worse than naive.
    pub min_skill: Option<f64>,
    /// Most mse relative to the champion's on the same symbol, interval and target: 1 means no worse. Not checked while there is no champion.
    pub max_mse_vs_champion: Option<f64>,
}
