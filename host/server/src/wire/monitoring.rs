//! Drift checks and the dashboard over REST.

use std::collections::BTreeMap;

use bellwether_domain::drift::{FeatureDrift, Recommendation};
use bellwether_domain::time::Timestamp;
use bellwether_engine::monitoring;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::{IntoParams, ToSchema};

use super::models::same_fields;
use super::names;

/// Current features of a version's inputs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct DriftRequest {
    /// The version.
    #[schema(example = "lstm_BTC_20241205_120000")]
    pub model_id: String,
    /// Rows of raw features by name; null is a missing value.
    #[schema(example = json!([{"log-return": 0.001, "rsi(14)": 51.2}]))]
    pub data: Vec<BTreeMap<String, Option<f64>>>,
}

/// Bars of a version's own series, of which the host computes the features.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct DriftOfBarsRequest {
    /// The version.
    pub model_id: String,
    /// First bar; the series' first when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub from: Option<Timestamp>,
    /// Bars before this time only; to the series' end when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub until: Option<Timestamp>,
}

/// The verdict on one feature.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct FeatureVerdict {
    /// The feature.
    pub feature: String,
    /// The drift test.
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
    pub detail: Value,
}

same_fields!(FeatureVerdict, FeatureDrift, {
    feature, test, statistic, p_value, score, threshold, drifted, reference_count, current_count, missing_share, detail,
});

/// A feature that could not be tested.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct UntestedFeature {
    /// The feature.
    pub feature: String,
    /// Why.
    pub reason: String,
}

/// Drift over all features.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct DatasetDrift {
    /// Share of tested features that drifted.
    pub share: f64,
    /// How the verdicts became one.
    pub method: String,
    /// Features tested.
    pub tested: u64,
}

same_fields!(DatasetDrift, monitoring::DatasetDrift, { share, method, tested });

/// The result of one drift check.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct DriftReport {
    /// Its id.
    pub report_id: String,
    /// The version checked.
    pub model_id: String,
    /// When.
    #[schema(value_type = String, format = DateTime)]
    pub at: Timestamp,
    /// Rows checked.
    pub rows: u64,
    /// Drift over all features.
    pub drift_detected: bool,
    /// The greatest score of a tested feature.
    pub drift_score: f64,
    /// What to do.
    #[schema(value_type = names::RecommendationName)]
    pub recommendation: Recommendation,
    /// Why, for a person.
    pub reason: String,
    /// Per feature.
    pub features: Vec<FeatureVerdict>,
    /// Features that could not be tested.
    pub untested: Vec<UntestedFeature>,
    /// Over all features.
    pub dataset: DatasetDrift,
    /// The alert it fired.
    pub alert_id: Option<String>,
}

impl From<monitoring::DriftReport> for DriftReport {
    fn from(from: monitoring::DriftReport) -> Self {
        let monitoring::DriftReport {
            report_id,
            model_id,
            at,
            rows,
            drift_detected,
            drift_score,
            recommendation,
            reason,
            features,
            untested,
            dataset,
            alert_id,
        } = from;
        let features = features.into_iter().map(Into::into).collect();
        let untested = untested.into_iter().map(|(feature, reason)| UntestedFeature { feature, reason }).collect();
        let dataset = dataset.into();
        DriftReport {
            report_id,
            model_id,
            at,
            rows,
            drift_detected,
            drift_score,
            recommendation,
            reason,
            features,
            untested,
            dataset,
            alert_id,
        }
    }
}

/// A page of drift reports, newest first.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct DriftReportPage {
    /// The reports.
    pub reports: Vec<DriftReport>,
    /// Pass it as `cursor` for the next page; absent on the last.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub next_cursor: Option<String>,
}

/// Which reports to list.
#[derive(Debug, Clone, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields, default)]
#[into_params(parameter_in = Query)]
pub struct DriftQuery {
    /// Of one version.
    #[param(required = false)]
    pub model_id: Option<String>,
    /// Items at most, 1 to 1000; 100 when absent.
    #[param(required = false, minimum = 1, maximum = 1000)]
    pub limit: Option<usize>,
    /// `next_cursor` of the page before.
    #[param(required = false)]
    pub cursor: Option<String>,
}

/// Counts.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct DashboardSummary {
    /// Versions.
    pub total_models: u64,
    /// Versions that serve.
    pub deployed_models: u64,
    /// Jobs queued or running.
    pub training_models: u64,
    /// Experiments under way.
    pub active_experiments: u64,
}

same_fields!(DashboardSummary, monitoring::Summary, { total_models, deployed_models, training_models, active_experiments });

/// Averages; null without data.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct PerformanceMetrics {
    /// Mean held-out mse of deployed versions.
    pub average_mse: Option<f64>,
    /// Mean held-out accuracy of deployed versions.
    pub average_accuracy: Option<f64>,
    /// Promoted / finished rollouts.
    pub deployment_success_rate: Option<f64>,
}

same_fields!(PerformanceMetrics, monitoring::PerformanceMetrics, { average_mse, average_accuracy, deployment_success_rate });

/// The latest report of a version that asks for something.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct DriftAlert {
    /// The version.
    pub model_id: String,
    /// Its score.
    pub drift_score: f64,
    /// What to do.
    #[schema(value_type = names::RecommendationName)]
    pub recommendation: Recommendation,
}

same_fields!(DriftAlert, monitoring::DriftAlert, { model_id, drift_score, recommendation });

/// The dashboard's figures.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Dashboard {
    /// Counts.
    pub summary: DashboardSummary,
    /// Averages.
    pub performance_metrics: PerformanceMetrics,
    /// Versions that ask for something.
    pub drift_alerts: Vec<DriftAlert>,
}

impl From<monitoring::Dashboard> for Dashboard {
    fn from(from: monitoring::Dashboard) -> Self {
        let monitoring::Dashboard { summary, performance_metrics, drift_alerts } = from;
        let drift_alerts = drift_alerts.into_iter().map(Into::into).collect();
        Dashboard { summary: summary.into(), performance_metrics: performance_metrics.into(), drift_alerts }
    }
}
