//! Gates: checks a version passes before it may roll out, each with its evidence.
//!
//! No data is never a pass: a configured gate whose metric is missing fails and says so. Relative gates compare with
//! something; where that something cannot exist (no champion yet; an uploaded version that brought no baseline) they do
//! not apply and leave no result.

use serde::{Deserialize, Serialize};

use crate::metrics::ModelMetrics;

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

/// Names of the gates, in the order in which they are checked.
pub const NAMES: [&str; 5] = ["min_model_accuracy", "max_model_mse", "min_r2_score", "min_skill", "max_mse_vs_champion"];

#[derive(Clone, Copy)]
enum Line {
    AtLeast,
    AtMost,
}

/// Checks a version's metrics against the gates in force; one result per gate that applies, in the order of [`NAMES`].
///
/// `champion_mse` is that of the stable version on the same symbol, interval and target, if there is one. A version that
/// was not `trained_here` need not bring a `skill`: without it `min_skill` does not apply.
pub fn evaluate(config: &GateConfig, metrics: &ModelMetrics, champion_mse: Option<f64>, trained_here: bool) -> Vec<GateResult> {
    let [accuracy, mse, r2, skill, champion] = NAMES;
    let mut results = Vec::new();
    let mut check = |gate: &str, line: Line, threshold: Option<f64>, what: &str, value: Option<f64>| {
        results.extend(threshold.map(|threshold| judge(gate, line, threshold, what, value)));
    };
    check(accuracy, Line::AtLeast, config.min_model_accuracy, "accuracy", metrics.accuracy);
    check(mse, Line::AtMost, config.max_model_mse, "mse", metrics.mse);
    check(r2, Line::AtLeast, config.min_r2_score, "r2_score", metrics.r2_score);
    if trained_here || metrics.skill.is_some() {
        check(skill, Line::AtLeast, config.min_skill, "skill against the baseline model", metrics.skill);
    }
    if let Some(champion_mse) = champion_mse {
        let ratio = metrics.mse.map(|mse| relative(mse, champion_mse));
        check(champion, Line::AtMost, config.max_mse_vs_champion, "mse relative to the champion's", ratio);
    }
    results
}

/// A perfect champion is only matched by another.
fn relative(mse: f64, champion: f64) -> f64 {
    if mse == champion { 1.0 } else { mse / champion }
}

fn judge(gate: &str, line: Line, threshold: f64, what: &str, value: Option<f64>) -> GateResult {
    let (passed, wanted) = match line {
        Line::AtLeast => (value.is_some_and(|value| value >= threshold), "at least"),
        Line::AtMost => (value.is_some_and(|value| value <= threshold), "at most"),
    };
    let reason = match value {
        None => format!("The {what} is missing; it must be {wanted} {threshold}."),
        Some(value) if passed => format!("The {what} is {value}, {wanted} {threshold} as required."),
        Some(value) => format!("The {what} is {value}; it must be {wanted} {threshold}."),
    };
    GateResult { gate: gate.to_owned(), passed, value, threshold, reason }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn metrics() -> ModelMetrics {
        ModelMetrics { accuracy: Some(0.7), mse: Some(2.0), r2_score: Some(0.1), skill: Some(-0.1), ..ModelMetrics::default() }
    }

    fn shown(results: &[GateResult]) -> String {
        results.iter().map(|result| format!("{} {} {}\n", result.gate, result.passed, result.reason)).collect()
    }

    #[test]
    fn gates_say_what_they_saw() {
        let check = |config: GateConfig, champion: Option<f64>, trained_here: bool, metrics: &ModelMetrics, expected: &[&str]| {
            let found = shown(&evaluate(&config, metrics, champion, trained_here));
            assert_eq!(found.lines().count(), expected.len(), "{found}");
            for (line, wanted) in found.lines().zip(expected) {
                assert!(line.contains(wanted), "{line} lacks {wanted}");
            }
        };
        let none = GateConfig::default();
        let missing = ModelMetrics::default();
        check(none.clone(), Some(1.0), true, &metrics(), &[]);
        let accuracy = GateConfig { min_model_accuracy: Some(0.7), ..none.clone() };
        check(accuracy.clone(), None, true, &metrics(), &["min_model_accuracy true The accuracy is 0.7, at least 0.7"]);
        check(accuracy, None, true, &missing, &["min_model_accuracy false The accuracy is missing; it must be at least 0.7."]);
        let absolute = GateConfig { max_model_mse: Some(1.0), min_r2_score: Some(0.5), ..none.clone() };
        check(absolute, None, true, &metrics(), &["max_model_mse false The mse is 2; it must be at most 1.", "min_r2_score false"]);
        let skill = GateConfig { min_skill: Some(0.0), ..none.clone() };
        check(skill.clone(), None, true, &metrics(), &["min_skill false The skill against the baseline model is -0.1"]);
        check(skill.clone(), None, true, &missing, &["min_skill false"]);
        check(skill.clone(), None, false, &missing, &[]);
        check(skill, None, false, &metrics(), &["min_skill false"]);
        let champion = GateConfig { max_mse_vs_champion: Some(1.0), ..none };
        check(champion.clone(), None, true, &metrics(), &[]);
        check(champion.clone(), Some(2.0), true, &metrics(), &["max_mse_vs_champion true"]);
        check(champion.clone(), Some(1.6), true, &metrics(), &["relative to the champion's is 1.25; it must be at most 1."]);
        check(champion.clone(), Some(0.0), true, &metrics(), &["max_mse_vs_champion false"]);
        check(champion, Some(1.6), true, &missing, &["max_mse_vs_champion false"]);
    }

    #[test]
    fn not_a_number_never_passes() {
        let config = GateConfig { max_model_mse: Some(1.0), min_skill: Some(0.0), ..GateConfig::default() };
        let broken = ModelMetrics { mse: Some(f64::NAN), skill: Some(f64::NAN), ..ModelMetrics::default() };
        assert!(evaluate(&config, &broken, None, true).iter().all(|result| !result.passed));
    }
}
