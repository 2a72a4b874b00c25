//! `bellwether dashboard`: the host's figures at a glance.

use clap::Args;

use super::output::{self, maybe, number, say, styled};
use super::{Context, Failure, drift};
use crate::wire::monitoring::Dashboard;

const EXAMPLES: &str = "\
Examples:
  bellwether dashboard
  bellwether dashboard --json";

/// Show the host's figures
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct DashboardArgs {}

pub(crate) async fn perform(_: DashboardArgs, context: &Context) -> Result<(), Failure> {
    let dashboard = context.client()?.get::<Dashboard>("/monitoring/dashboard").await?;
    context.show(&dashboard, |dashboard| say!("{}", text(dashboard)))
}

/// The figures, one per line.
pub(crate) fn text(dashboard: &Dashboard) -> String {
    let (summary, performance) = (&dashboard.summary, &dashboard.performance_metrics);
    let mut lines = vec![output::pairs_text(&[
        ("models", summary.total_models.to_string()),
        ("deployed", summary.deployed_models.to_string()),
        ("training", summary.training_models.to_string()),
        ("experiments", summary.active_experiments.to_string()),
        ("average mse", maybe(performance.average_mse)),
        ("average accuracy", maybe(performance.average_accuracy)),
        (
            "deployments that went through",
            performance.deployment_success_rate.map_or_else(|| "–".to_owned(), |rate| format!("{:.0} %", rate * 100.0)),
        ),
    ])];
    for alert in &dashboard.drift_alerts {
        let (style, word) = drift::words(alert.recommendation);
        lines.push(format!("drift {}  {}  score {}", alert.model_id, styled(style, word), number(alert.drift_score)));
    }
    lines.join("\n")
}
