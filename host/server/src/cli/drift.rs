//! `bellwether drift`: compare current data with what a version learned from.

use std::path::PathBuf;

use bellwether_domain::drift::Recommendation;
use bellwether_domain::time::Timestamp;
use clap::Args;

use super::output::{self, BAD, DIM, GOOD, NAME, NOTE, maybe, number, say, styled};
use super::{Context, Failure, failure};
use crate::wire::monitoring::{DriftOfBarsRequest, DriftReport, DriftRequest};

const EXAMPLES: &str = "\
Examples:
  bellwether drift lstm_BTC_20241205_120000 --from 2024-11-01
  bellwether drift lstm_BTC_20241205_120000 --rows rows.json

Without --rows the host computes the features from its own bars of the version's series.
`rows.json` holds objects of raw features: [{\"log-return(1)\": 0.001, \"rsi(14)\": null}, ...].";

/// Check a version's inputs for drift
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct DriftArgs {
    /// The version
    model_id: String,
    /// First bar to check
    #[arg(long, value_name = "TIME")]
    from: Option<Timestamp>,
    /// Check bars before this time only
    #[arg(long, value_name = "TIME")]
    until: Option<Timestamp>,
    /// A JSON file of rows of features, in place of the host's bars
    #[arg(long, value_name = "FILE", conflicts_with_all = ["from", "until"])]
    rows: Option<PathBuf>,
}

pub(crate) async fn perform(args: DriftArgs, context: &Context) -> Result<(), Failure> {
    let client = context.client()?;
    let report = match &args.rows {
        Some(file) => {
            let bytes = std::fs::read(file).map_err(|error| failure::of_file("read", file, &error))?;
            let data = serde_json::from_slice(&bytes)
                .map_err(|error| Failure::Usage(format!("{} does not hold rows of features: {error}", file.display())))?;
            client.post::<DriftReport>("/monitoring/drift", &DriftRequest { model_id: args.model_id, data }).await?
        }
        None => {
            let request = DriftOfBarsRequest { model_id: args.model_id, from: args.from, until: args.until };
            client.post::<DriftReport>("/monitoring/drift/bars", &request).await?
        }
    };
    context.show(&report, show)
}

/// One report with the verdict on each feature.
pub(crate) fn show(report: &DriftReport) {
    let (style, word) = words(report.recommendation);
    say!("{} {}  {}", styled(NAME, &report.model_id), styled(style, word), report.reason);
    let rows = report.features.iter().map(|verdict| {
        let outcome = if verdict.drifted { "drifted" } else { "as before" };
        vec![
            verdict.feature.clone(),
            verdict.test.clone(),
            number(verdict.statistic),
            maybe(verdict.p_value),
            number(verdict.score),
            number(verdict.threshold),
            outcome.to_owned(),
        ]
    });
    say!("{}", output::table(&["feature", "test", "statistic", "p", "score", "threshold", "verdict"], &[2, 3, 4, 5], rows));
    for feature in &report.untested {
        say!("{}", styled(DIM, format!("{} was not tested: {}", feature.feature, feature.reason)));
    }
    if let Some(alert_id) = &report.alert_id {
        say!("alert {}", styled(NAME, alert_id));
    }
}

/// A recommendation as people read it.
pub(crate) fn words(recommendation: Recommendation) -> (anstyle::Style, &'static str) {
    match recommendation {
        Recommendation::None => (GOOD, "NONE"),
        Recommendation::Watch => (NOTE, "WATCH"),
        Recommendation::RetrainSoon => (NOTE, "RETRAIN_SOON"),
        Recommendation::RetrainNow => (BAD, "RETRAIN_NOW"),
        Recommendation::CheckData => (BAD, "CHECK_DATA"),
    }
}
