//! Monitoring: drift of a version's inputs against the baselines in its artifact; the dashboard's figures.

use bellwether_domain::Result;
use bellwether_domain::drift::{FeatureDrift, Recommendation};
use bellwether_domain::time::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{Host, Listing, PageRequest};

/// One row of current features, by name; none is a missing value.
pub type FeatureRow = std::collections::BTreeMap<String, Option<f64>>;

/// Drift over all features.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct DatasetDrift {
    /// Share of tested features that drifted.
    pub share: f64,
    /// How the verdicts became one.
    pub method: String,
    /// Features tested.
    pub tested: u64,
}

/// The result of one drift check; stored.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct DriftReport {
    /// Its id.
    pub report_id: String,
    /// The version checked.
    pub model_id: String,
    /// When.
    pub at: Timestamp,
    /// Rows given.
    pub rows: u64,
    /// Drift over all features.
    pub drift_detected: bool,
    /// The greatest score of a tested feature.
    pub drift_score: f64,
    /// What to do.
    pub recommendation: Recommendation,
    /// Why, for a person.
    pub reason: String,
    /// Per feature.
    pub features: Vec<FeatureDrift>,
    /// Features that could not be tested, with the reason.
    pub untested: Vec<(String, String)>,
    /// Over all features.
    pub dataset: DatasetDrift,
    /// The alert it fired.
    pub alert_id: Option<String>,
}

/// Counts of the dashboard.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Summary {
    /// Versions.
    pub total_models: u64,
    /// Versions that serve.
    pub deployed_models: u64,
    /// Jobs queued or running.
    pub training_models: u64,
    /// Experiments under way.
    pub active_experiments: u64,
}

/// Averages of the dashboard; absent without data.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct PerformanceMetrics {
    /// Mean held-out mse of deployed versions.
    pub average_mse: Option<f64>,
    /// Mean held-out accuracy of deployed versions.
    pub average_accuracy: Option<f64>,
    /// Promoted rollouts / finished rollouts.
    pub deployment_success_rate: Option<f64>,
}

/// One line of the dashboard's alerts: the latest report of a version that asks for something.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct DriftAlert {
    /// The version.
    pub model_id: String,
    /// Its score.
    pub drift_score: f64,
    /// What to do.
    pub recommendation: Recommendation,
}

/// The dashboard's figures.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Dashboard {
    /// Counts.
    pub summary: Summary,
    /// Averages.
    pub performance_metrics: PerformanceMetrics,
    /// Versions that ask for something.
    pub drift_alerts: Vec<DriftAlert>,
}

impl Host {
    /// Checks rows of current features against a version's baselines, stores the report, fires or resolves its alert.
    /// Errors: `NotFound` (model); `Invalid` for no rows, too many, an unknown feature (with the near match), a feature
    /// missing from every row; `Conflict` when the version has no baselines.
    pub async fn check_drift(&self, model_id: &str, rows: Vec<FeatureRow>) -> Result<DriftReport> {
        let _ = (model_id, rows);
        todo!()
    }

    /// The same for bars of the version's own series between two instants, of which the host computes the features.
    pub async fn check_drift_of_bars(&self, model_id: &str, from: Option<Timestamp>, until: Option<Timestamp>) -> Result<DriftReport> {
        let _ = (model_id, from, until);
        todo!()
    }

    /// Reports of a version (or all), newest first.
    pub async fn drift_reports(&self, model_id: Option<&str>, page: &PageRequest) -> Result<Listing<DriftReport>> {
        let _ = (model_id, page);
        todo!()
    }

    /// The dashboard's figures.
    pub async fn dashboard(&self) -> Result<Dashboard> {
        todo!()
    }
}
