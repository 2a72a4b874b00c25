//! Drift of a model's inputs: per-feature verdicts, one score, one recommendation.
//!
//! The rule, in order (thresholds are the constants below):
//! 1. `CHECK_DATA` when the data look broken: nothing could be tested, a feature lacks more than 20 % of its values, or
//!    the caller names suspects (a feature that no longer varies, or that could not be computed).
//! 2. `NONE` when no feature drifted.
//! 3. Drift is *detected* when at least half of the tested features drifted (Evidently's dataset rule), or one lies three
//!    times over its threshold. It calls for `RETRAIN_NOW` when both hold, or when at least four in five of five or more
//!    features drifted; else for `RETRAIN_SOON`.
//! 4. Otherwise `WATCH`.
//!
//! Whether drift is detected is answered apart from the recommendation: broken data drift, too. Thresholds on ratios mean
//! something for distances only; a test whose score is bounded near its threshold never reaches 3.

use serde::{Deserialize, Serialize};

/// What to do about drift.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Recommendation {
    /// Nothing.
    None,
    /// Look again soon.
    Watch,
    /// Plan a retraining.
    RetrainSoon,
    /// Retrain.
    RetrainNow,
    /// The data look broken, not the market: check them first.
    CheckData,
}

/// The verdict on one feature.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FeatureDrift {
    /// The feature.
    pub feature: String,
    /// The drift test (a plugin instance's name).
    pub test: String,
    /// The test statistic.
    pub statistic: f64,
    /// Probability without drift, if the test has one.
    pub p_value: Option<f64>,
    /// How far the data moved.
    pub score: f64,
    /// The score at which the test calls drift.
    pub threshold: f64,
    /// The verdict.
    pub drifted: bool,
    /// Values on the reference side.
    pub reference_count: u64,
    /// Values on the current side.
    pub current_count: u64,
    /// Share of current values that are missing.
    pub missing_share: f64,
    /// What a chart needs.
    #[serde(default)]
    pub detail: serde_json::Value,
}

/// Share of missing values from which a feature's data look broken.
pub const MISSING_SHARE_MAX: f64 = 0.2;
/// Share of drifted features from which drift is detected.
pub const DRIFTED_SHARE: f64 = 0.5;
/// Share of drifted features that calls for retraining by itself, if at least [`MANY_FEATURES`] were tested.
pub const DRIFTED_SHARE_HIGH: f64 = 0.8;
/// Features from which [`DRIFTED_SHARE_HIGH`] means something.
pub const MANY_FEATURES: usize = 5;
/// Score over threshold from which one feature is enough.
pub const STRONG: f64 = 3.0;
/// Present values from which a column without variation is a suspect.
pub const CONSTANT_LEAST: usize = 10;

/// A feature whose current data look broken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Suspect {
    /// The feature.
    pub feature: String,
    /// What is wrong, as the rest of a sentence: `no longer varies`.
    pub why: String,
}

/// Drift over all features, in one word.
#[derive(Debug, Clone, PartialEq)]
pub struct Verdict {
    /// There is drift.
    pub drift_detected: bool,
    /// The greatest score of a tested feature; 0 when none was tested.
    pub score: f64,
    /// Share of tested features that drifted; 0 when none was tested.
    pub share: f64,
    /// What to do.
    pub recommendation: Recommendation,
    /// Why, for a person.
    pub reason: String,
}

/// The suspect in a column of current values (NaN is missing), if there is one: a feature that varied in training and
/// has one value now. Calendar features may stand still over a short stretch and are never suspects.
pub fn suspect(feature: &str, current: &[f64]) -> Option<Suspect> {
    if feature.starts_with("hour-") || feature.starts_with("day-") {
        return None;
    }
    let mut present = current.iter().filter(|value| !value.is_nan());
    let first = present.next()?;
    let stands = current.iter().filter(|value| !value.is_nan()).count() >= CONSTANT_LEAST && present.all(|value| value == first);
    stands.then(|| Suspect { feature: feature.to_owned(), why: format!("no longer varies (every value is {first})") })
}

/// Makes one verdict of the features' verdicts by the rule in this module's opener.
pub fn recommend(features: &[FeatureDrift], suspects: &[Suspect]) -> Verdict {
    let drifted = features.iter().filter(|feature| feature.drifted).count();
    let share = if features.is_empty() { 0.0 } else { drifted as f64 / features.len() as f64 };
    let strongest = features.iter().filter(|feature| feature.drifted).max_by(|one, other| ratio(one).total_cmp(&ratio(other)));
    let strong = strongest.is_some_and(|feature| ratio(feature) >= STRONG);
    let many = share >= DRIFTED_SHARE;
    let detected = drifted > 0 && (many || strong);
    let nearly_all = share >= DRIFTED_SHARE_HIGH && features.len() >= MANY_FEATURES;
    let seen = strongest.map_or_else(
        || format!("None of {} features drifted", features.len()),
        |worst| {
            let (score, threshold) = (worst.score, worst.threshold);
            format!("{drifted} of {} features drifted; `{}` most, {score:.4} against {threshold:.4}", features.len(), worst.feature)
        },
    );
    let (recommendation, reason) = if let Some(broken) = broken(features, suspects) {
        (Recommendation::CheckData, format!("{broken}. Check the data before trusting a verdict. {seen}."))
    } else if drifted == 0 {
        (Recommendation::None, format!("{seen}."))
    } else if detected && ((many && strong) || nearly_all) {
        (Recommendation::RetrainNow, format!("{seen}: the inputs are far from what the model learned from, retrain."))
    } else if detected {
        (Recommendation::RetrainSoon, format!("{seen}: plan a retraining."))
    } else {
        (Recommendation::Watch, format!("{seen}: look again soon."))
    };
    let score = features.iter().map(|feature| feature.score).fold(0.0, f64::max);
    Verdict { drift_detected: detected, score, share, recommendation, reason }
}

fn ratio(feature: &FeatureDrift) -> f64 {
    if feature.threshold > 0.0 { feature.score / feature.threshold } else { 0.0 }
}

/// What makes the data look broken, as a sentence without its full stop.
fn broken(features: &[FeatureDrift], suspects: &[Suspect]) -> Option<String> {
    if let Some(suspect) = suspects.first() {
        let more = suspects.len() - 1;
        let others = if more == 0 { String::new() } else { format!(", and {more} more") };
        return Some(format!("`{}` {}{others}", suspect.feature, suspect.why));
    }
    if features.is_empty() {
        return Some("No feature could be tested".to_owned());
    }
    let worst = features.iter().max_by(|one, other| one.missing_share.total_cmp(&other.missing_share))?;
    (worst.missing_share > MISSING_SHARE_MAX)
        .then(|| format!("{:.0} % of the values of `{}` are missing", worst.missing_share * 100.0, worst.feature))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn feature(score: f64, missing_share: f64) -> FeatureDrift {
        FeatureDrift {
            feature: format!("f{score}"),
            test: "test".to_owned(),
            statistic: score,
            p_value: None,
            score,
            threshold: 0.1,
            drifted: score >= 0.1,
            reference_count: 100,
            current_count: 100,
            missing_share,
            detail: serde_json::Value::Null,
        }
    }

    #[test]
    fn the_rule_case_by_case() {
        let check = |scores: &[f64], missing: f64, detected: bool, expected: Recommendation, reason: &str| {
            let mut features: Vec<FeatureDrift> = scores.iter().map(|score| feature(*score, 0.0)).collect();
            if let Some(first) = features.first_mut() {
                first.missing_share = missing;
            }
            let verdict = recommend(&features, &[]);
            assert_eq!((verdict.drift_detected, verdict.recommendation), (detected, expected), "{scores:?}: {}", verdict.reason);
            assert!(verdict.reason.contains(reason), "{}", verdict.reason);
        };
        check(&[0.01, 0.02, 0.03], 0.0, false, Recommendation::None, "None of 3 features drifted.");
        check(&[0.15, 0.02, 0.03], 0.0, false, Recommendation::Watch, "1 of 3 features drifted; `f0.15` most, 0.1500 against 0.1000");
        check(&[0.35, 0.02, 0.03], 0.0, true, Recommendation::RetrainSoon, "1 of 3");
        check(&[0.15, 0.15, 0.03], 0.0, true, Recommendation::RetrainSoon, "2 of 3");
        check(&[0.15, 0.15, 0.03, 0.03], 0.0, true, Recommendation::RetrainSoon, "2 of 4");
        check(&[0.35, 0.15, 0.03, 0.03], 0.0, true, Recommendation::RetrainNow, "`f0.35` most");
        check(&[0.15, 0.15, 0.15, 0.15, 0.03], 0.0, true, Recommendation::RetrainNow, "4 of 5");
        check(&[0.15, 0.15, 0.15, 0.15], 0.0, true, Recommendation::RetrainSoon, "4 of 4");
        check(&[0.15], 0.0, true, Recommendation::RetrainSoon, "1 of 1");
        check(&[0.35, 0.15], 0.21, true, Recommendation::CheckData, "21 % of the values of `f0.35` are missing");
        check(&[0.01], 0.2, false, Recommendation::None, "None of 1");
        check(&[], 0.0, false, Recommendation::CheckData, "No feature could be tested");
    }

    #[test]
    fn suspects_come_first() {
        let suspects = [Suspect { feature: "close".to_owned(), why: "no longer varies".to_owned() }];
        let verdict = recommend(&[feature(0.9, 0.0)], &suspects);
        assert_eq!(verdict.recommendation, Recommendation::CheckData);
        assert!(verdict.drift_detected && verdict.reason.starts_with("`close` no longer varies."), "{}", verdict.reason);
        assert_eq!((verdict.score, verdict.share), (0.9, 1.0));
    }

    #[test]
    fn columns_that_stand_still_are_suspect() {
        let still = [3.0; 12];
        let mut gappy = still;
        gappy[3] = f64::NAN;
        for (name, values, expected) in [
            ("rsi(14)", &still[..], true),
            ("rsi(14)", &gappy[..], true),
            ("rsi(14)", &still[..9], false),
            ("rsi(14)", &[1.0, 2.0, 1.0, 2.0, 1.0, 2.0, 1.0, 2.0, 1.0, 2.0][..], false),
            ("day-of-week", &still[..], false),
            ("rsi(14)", &[f64::NAN; 12][..], false),
        ] {
            assert_eq!(suspect(name, values).is_some(), expected, "{name} {values:?}");
        }
    }
}
