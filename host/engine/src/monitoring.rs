//! Monitoring: drift of a version's inputs against the baselines in its artifact. The `dashboard` sums it up.

use bellwether_domain::alert::Severity;
use bellwether_domain::drift::{self, FeatureDrift, Recommendation, Suspect};
use bellwether_domain::model::ModelVersion;
use bellwether_domain::time::Timestamp;
use bellwether_domain::{Error, Result};
use bellwether_plugin::{Column, ColumnKind, DriftTest, Frame};
use futures_util::{FutureExt, StreamExt};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::alerting::Condition;
use crate::records::{Kept, newest};
use crate::{Host, Listing, PageRequest};

mod dashboard;

pub use dashboard::{Dashboard, DriftAlert, PerformanceMetrics, Summary};

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

/// Features tested at once.
const TESTS_AT_ONCE: usize = 4;

/// What a test of all features together calls them.
const ALL: &str = "all features";

/// The condition of drift alerts.
const DRIFT: &str = "data-drift";

impl Host {
    /// Checks rows of current features against a version's baselines, stores the report, fires or resolves its alert.
    /// Errors: `NotFound` (model); `Invalid` for no rows, too many, an unknown feature (with the near match), a feature
    /// missing from every row; `Conflict` when the version has no baselines.
    pub async fn check_drift(&self, model_id: &str, rows: Vec<FeatureRow>) -> Result<DriftReport> {
        let model = self.model(model_id).await?;
        self.check_rows(rows.len())?;
        let names: Vec<String> = model.features.iter().map(ToString::to_string).collect();
        let columns = columns_of(&names, &rows)?;
        self.examine(&model, columns).await
    }

    /// The same for bars of the version's own series between two instants, of which the host computes the features.
    pub async fn check_drift_of_bars(&self, model_id: &str, from: Option<Timestamp>, until: Option<Timestamp>) -> Result<DriftReport> {
        let model = self.model(model_id).await?;
        let Some(interval) = model.interval else {
            return Err(Error::Conflict(format!("model `{model_id}` does not say which bars it was made for; send its features instead")));
        };
        // Everything before `until` is read, so that the first rows are as warm as they were in training.
        let bars = self.inner.bars.read(&model.symbol, interval, None, until).await?;
        let first = from.map_or(0, |from| bars.timestamp.partition_point(|start| *start < from.0));
        self.check_rows(bars.len() - first)?;
        let features = model.features.clone();
        let columns = tokio::task::spawn_blocking(move || known_rows(crate::features::compute(&bars, interval, &features), first));
        let columns = columns.await.map_err(Error::internal)?;
        if columns.first().is_none_or(Vec::is_empty) {
            let why = "holds no bar at which every feature is known; features need bars before it, see the warm-up of each";
            return Err(Error::invalid("from", why));
        }
        self.examine(&model, columns).await
    }

    fn check_rows(&self, rows: usize) -> Result<()> {
        let most = self.config().monitoring.max_rows;
        if (1..=most).contains(&rows) { Ok(()) } else { Err(Error::invalid("data", format!("there are {rows} rows; send 1 to {most}"))) }
    }

    /// Tests every column, makes one verdict, stores it, fires or resolves the alert.
    async fn examine(&self, model: &ModelVersion, columns: Vec<Vec<f64>>) -> Result<DriftReport> {
        let artifact = self.artifact(&model.model_id).await?;
        let wanted = self.config().monitoring.drift_tests.first().map(|test| test.replace('_', "-")).unwrap_or_default();
        let spec = artifact.spec.baselines.iter().find(|baseline| baseline.test == wanted).or(artifact.spec.baselines.first());
        let Some(spec) = spec else {
            return Err(Error::Conflict(format!("model `{}` has no drift baselines in its artifact", model.model_id)));
        };
        let test = self.plugins().drift_test(&spec.test)?;
        let config = self.plugins().configure(test.name(), &self.test_config(test.name(), &spec.config)?)?;
        let rows = columns.first().map_or(0, Vec::len) as u64;
        let baselines = artifact.baselines.get(&spec.test).map(Vec::as_slice).unwrap_or_default();
        let names: Vec<String> = model.features.iter().map(ToString::to_string).collect();
        let suspects: Vec<Suspect> = names.iter().zip(&columns).filter_map(|(name, column)| drift::suspect(name, column)).collect();
        // A univariate test judges every feature against its own baseline, a multivariate one all of them against its only one.
        let groups: Vec<(String, Vec<Column>)> = match test.accepts().await?.multivariate {
            false => names.iter().zip(columns).map(|(name, values)| (name.clone(), vec![numeric(name, values)])).collect(),
            true => vec![(ALL.to_owned(), names.iter().zip(columns).map(|(name, values)| numeric(name, values)).collect())],
        };
        let mut tests = Vec::with_capacity(groups.len());
        for (place, (name, columns)) in groups.into_iter().enumerate() {
            let (test, config) = (&test, &config);
            let baseline = baselines.get(place).filter(|baseline| !baseline.is_empty());
            tests.push(async move { (name.clone(), test_columns(test, config, baseline, &name, columns).await) }.boxed());
        }
        let outcomes: Vec<_> = futures_util::stream::iter(tests).buffered(TESTS_AT_ONCE).collect().await;
        let (mut features, mut untested) = (Vec::new(), Vec::new());
        for (name, outcome) in outcomes {
            match outcome {
                Ok(feature) => features.push(feature),
                Err(error) => untested.push((name, error.to_string())),
            }
        }
        let verdict = drift::recommend(&features, &suspects);
        let mut report = DriftReport {
            report_id: format!("drift_{}", Uuid::now_v7().simple()),
            model_id: model.model_id.clone(),
            at: self.clock().now(),
            rows,
            drift_detected: verdict.drift_detected,
            drift_score: verdict.score,
            recommendation: verdict.recommendation,
            reason: verdict.reason,
            dataset: DatasetDrift { share: verdict.share, method: spec.test.clone(), tested: features.len() as u64 },
            features,
            untested,
            alert_id: None,
        };
        report.alert_id = self.tell(model, &report).await?;
        self.inner.records.of::<Kept<DriftReport>>().insert(&Kept(report.clone())).await?;
        Ok(report)
    }

    /// The configuration of a stored baseline with the host's own threshold laid over, where the test knows one.
    fn test_config(&self, test: &str, stored: &serde_json::Value) -> Result<serde_json::Value> {
        let mut config = stored.clone();
        let knows = !self.plugins().inspect(test)?.config_schema["properties"]["threshold"].is_null();
        if let (Some(threshold), true, Some(object)) = (self.config().monitoring.drift_threshold, knows, config.as_object_mut()) {
            object.insert("threshold".to_owned(), threshold.into());
        }
        Ok(config)
    }

    /// Fires the version's drift alert, or resolves it when nothing is wrong any more.
    async fn tell(&self, model: &ModelVersion, report: &DriftReport) -> Result<Option<String>> {
        let labels = [("model_id".to_owned(), model.model_id.clone())].into();
        let severity = match report.recommendation {
            Recommendation::None => {
                self.resolve(DRIFT, &labels).await?;
                return Ok(None);
            }
            Recommendation::Watch => return Ok(None),
            Recommendation::RetrainSoon | Recommendation::CheckData => Severity::Warning,
            Recommendation::RetrainNow => Severity::Critical,
        };
        let condition = Condition {
            name: DRIFT,
            severity,
            summary: format!("Inputs of {}: {}", model.model_id, report.reason),
            model_id: Some(model.model_id.clone()),
            symbol: Some(model.symbol.to_string()),
            labels,
            detail: serde_json::json!({
                "report_id": report.report_id,
                "drift_score": report.drift_score,
                "share": report.dataset.share,
                "recommendation": report.recommendation,
            }),
        };
        Ok(Some(self.fire(condition).await?.id))
    }

    /// Reports of a version (or all), newest first.
    pub async fn drift_reports(&self, model_id: Option<&str>, page: &PageRequest) -> Result<Listing<DriftReport>> {
        let index = model_id.map(|model_id| ("model_id", model_id));
        newest(&self.inner.records.of::<Kept<DriftReport>>(), index, page, |_| true, |kept| kept.0).await
    }
}

fn numeric(name: &str, values: Vec<f64>) -> Column {
    Column { name: name.into(), kind: ColumnKind::Numeric, values: values.into() }
}

/// Tests one feature, or all together. A test that cannot say is an error, never "no drift".
async fn test_columns(
    test: &DriftTest,
    config: &serde_json::Value,
    baseline: Option<&Vec<u8>>,
    name: &str,
    columns: Vec<Column>,
) -> Result<FeatureDrift> {
    let Some(baseline) = baseline else {
        return Err(Error::invalid(name, "the test could not use this feature when the version was trained"));
    };
    let values = columns.iter().flat_map(|column| column.values.iter());
    let missing = values.clone().filter(|value| value.is_nan()).count();
    let missing_share = missing as f64 / values.count().max(1) as f64;
    let outcome = test.test(baseline, Frame { columns: columns.into() }, config).await?;
    Ok(FeatureDrift {
        feature: name.to_owned(),
        test: test.name().to_owned(),
        statistic: outcome.statistic,
        p_value: outcome.p_value,
        score: outcome.score,
        threshold: outcome.threshold,
        drifted: outcome.drifted,
        reference_count: outcome.reference_count,
        current_count: outcome.current_count,
        missing_share,
        detail: outcome.detail,
    })
}

/// The rows from `first` on at which every feature is known. Where a feature is still warming up, nothing is missing in
/// the data: training left such rows out as well.
fn known_rows(columns: Vec<Vec<f64>>, first: usize) -> Vec<Vec<f64>> {
    let rows = columns.first().map_or(0, Vec::len);
    let known: Vec<usize> = (first..rows).filter(|row| columns.iter().all(|column| !column[*row].is_nan())).collect();
    columns.iter().map(|column| known.iter().map(|row| column[*row]).collect()).collect()
}

/// Rows by name turned into columns in feature order; a missing value is NaN.
fn columns_of(names: &[String], rows: &[FeatureRow]) -> Result<Vec<Vec<f64>>> {
    for (number, row) in rows.iter().enumerate() {
        if let Some(unknown) = row.keys().find(|name| !names.contains(name)) {
            let near = bellwether_domain::suggest::nearest(unknown, names.iter().map(String::as_str)).unwrap_or_default();
            return Err(Error::invalid(format!("data[{number}].{unknown}"), format!("is no feature of this model; {near}")));
        }
    }
    let column = |name: &String| -> Result<Vec<f64>> {
        if rows.iter().all(|row| row.get(name).copied().flatten().is_none()) {
            return Err(Error::invalid(format!("data[].{name}"), "is in no row; every feature of the model is needed"));
        }
        Ok(rows.iter().map(|row| row.get(name).copied().flatten().unwrap_or(f64::NAN)).collect())
    };
    names.iter().map(column).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_that_warm_up_are_left_out() {
        let columns = vec![vec![f64::NAN, 1.0, 2.0, 3.0], vec![4.0, f64::NAN, 5.0, 6.0]];
        assert_eq!(known_rows(columns.clone(), 0), vec![vec![2.0, 3.0], vec![5.0, 6.0]]);
        assert_eq!(known_rows(columns, 3), vec![vec![3.0], vec![6.0]]);
    }

    #[test]
    fn rows_become_columns_or_say_why_not() {
        let names = ["rsi(14)".to_owned(), "close".to_owned()];
        let row = |pairs: &[(&str, Option<f64>)]| pairs.iter().map(|(name, value)| ((*name).to_owned(), *value)).collect::<FeatureRow>();
        let good = columns_of(&names, &[row(&[("rsi(14)", Some(1.0)), ("close", Some(2.0))]), row(&[("close", Some(3.0))])]).expect("good");
        assert!(good[0][0] == 1.0 && good[0][1].is_nan() && good[1] == vec![2.0, 3.0]);
        let check = |rows: &[FeatureRow], expected: &str| {
            let error = columns_of(&names, rows).expect_err(expected).to_string();
            assert!(error.contains(expected), "{error}");
        };
        check(&[row(&[("rsi(41)", Some(1.0))])], "did you mean `rsi(14)`?");
        check(&[row(&[("rsi(14)", Some(1.0)), ("close", None)])], "data[].close: is in no row");
    }
}
