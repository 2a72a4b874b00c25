//! The dashboard's figures: counts, averages, versions that ask for something.

use bellwether_domain::Result;
use bellwether_domain::alert::Alert;
use bellwether_domain::drift::Recommendation;
use bellwether_domain::job::{JobState, TrainingJob};
use bellwether_domain::model::{ModelStatus, ModelVersion};
use bellwether_domain::rollout::Rollout;
use bellwether_store::{Collection, Record};
use serde::{Deserialize, Serialize};

use crate::Host;
use crate::monitoring::DRIFT;
use crate::records::Kept;

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
    /// The dashboard's figures.
    pub async fn dashboard(&self) -> Result<Dashboard> {
        let models = self.inner.records.of::<Kept<ModelVersion>>();
        let deployed = every(&models, "status", ModelStatus::Deployed.name()).await?;
        let jobs = self.inner.records.of::<Kept<TrainingJob>>();
        let training =
            every(&jobs, "state", JobState::Queued.name()).await?.len() + every(&jobs, "state", JobState::Running.name()).await?.len();
        let rollouts = self.inner.records.of::<Kept<Rollout>>();
        let promoted = every(&rollouts, "outcome", "promoted").await?.len() as f64;
        let rolled_back = every(&rollouts, "outcome", "rolled_back").await?.len() as f64;
        let firing = every(&self.inner.records.of::<Kept<Alert>>(), "phase", "firing").await?;
        let drift_alerts = firing.into_iter().filter(|alert| alert.0.condition == DRIFT).filter_map(|alert| {
            Some(DriftAlert {
                model_id: alert.0.model_id?,
                drift_score: alert.0.detail["drift_score"].as_f64()?,
                recommendation: serde_json::from_value(alert.0.detail["recommendation"].clone()).ok()?,
            })
        });
        let mut total_models = 0;
        for status in ModelStatus::ALL {
            total_models += every(&models, "status", status.name()).await?.len() as u64;
        }
        Ok(Dashboard {
            summary: Summary {
                total_models,
                deployed_models: deployed.len() as u64,
                training_models: training as u64,
                active_experiments: 0,
            },
            performance_metrics: PerformanceMetrics {
                average_mse: mean(deployed.iter().filter_map(|model| model.0.metrics.mse)),
                average_accuracy: mean(deployed.iter().filter_map(|model| model.0.metrics.accuracy)),
                deployment_success_rate: (promoted + rolled_back > 0.0).then(|| promoted / (promoted + rolled_back)),
            },
            drift_alerts: drift_alerts.collect(),
        })
    }
}

/// Every record with an index text.
async fn every<T: Record>(collection: &Collection<T>, index: &str, text: &str) -> Result<Vec<T>> {
    let (mut all, mut cursor) = (Vec::new(), None);
    loop {
        let page = collection.find(index, text, cursor.as_deref(), 1000, false).await?;
        all.extend(page.items.into_iter().map(|record| record.value));
        cursor = page.next;
        if cursor.is_none() {
            return Ok(all);
        }
    }
}

fn mean(values: impl Iterator<Item = f64>) -> Option<f64> {
    let values: Vec<f64> = values.collect();
    (!values.is_empty()).then(|| values.iter().sum::<f64>() / values.len() as f64)
}
