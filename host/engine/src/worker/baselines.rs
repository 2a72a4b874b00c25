//! Drift baselines: what each drift test keeps of the raw features on the rows that training windows read.
//!
//! A drift test that fails does not cost the training: what it could not make is left out and said in the log.

use std::sync::Arc;

use bellwether_domain::error::PluginFault;
use bellwether_domain::model::{BaselineSpec, PluginStamp};
use bellwether_domain::{Error, Result};
use bellwether_plugin::{Acceptance, Column, ColumnKind, DriftTest, Frame, PluginHost};
use serde_json::{Value, json};

use crate::artifact::Artifact;
use crate::dataset::Dataset;
use crate::worker::recipe::Recipe;
use crate::worker::voice::Voice;

/// A drift test that is ready.
pub(crate) struct Test {
    plugin: Arc<DriftTest>,
    accepts: Acceptance,
    stamp: PluginStamp,
    config: Value,
}

/// Finds the tests before anything is trained, so that a wrong name costs nothing. Errors: `NotFound` with the near match.
pub(crate) async fn find(plugins: &PluginHost, names: &[String]) -> Result<Vec<Test>> {
    let mut tests: Vec<Test> = Vec::new();
    for name in names {
        let plugin = plugins.drift_test(name)?;
        if tests.iter().any(|test| test.plugin.name() == plugin.name()) {
            continue;
        }
        let accepts = plugin.accepts().await?;
        tests.push(Test { accepts, stamp: plugins.stamp(name)?, config: plugins.configure(name, &json!({}))?, plugin });
    }
    Ok(tests)
}

/// Adds every test's baselines to the artifact.
pub(crate) async fn make(tests: &[Test], recipe: &Recipe, dataset: &Dataset, artifact: &mut Artifact, voice: &mut Voice<'_>) -> Result<()> {
    let rows = dataset.training_rows(recipe.steps);
    let column = |place: usize| Column {
        name: recipe.features[place].to_string().into(),
        kind: ColumnKind::Numeric,
        values: rows.iter().map(|row| dataset.columns[place][*row]).collect(),
    };
    let columns: Vec<Column> = (0..recipe.features.len()).map(column).collect();
    for test in tests {
        let name = test.plugin.name().to_owned();
        if !test.accepts.kinds.contains(&ColumnKind::Numeric) || (rows.len() as u64) < u64::from(test.accepts.least_rows) {
            voice.log(format!("no drift baseline of `{name}`: it takes no numbers, or more than {} rows of them", rows.len()))?;
            continue;
        }
        let frames: Vec<Arc<[Column]>> = if test.accepts.multivariate {
            vec![columns.clone().into()]
        } else {
            columns.iter().map(|column| Arc::from([column.clone()])).collect()
        };
        match baselines(test, frames, voice).await {
            Ok(made) => {
                artifact.baselines.insert(name.clone(), made);
                let (plugin, config) = (test.stamp.clone(), test.config.clone());
                artifact.spec.baselines.push(BaselineSpec { test: name, plugin, config, rows: rows.len() as u64 });
            }
            Err(error @ Error::Plugin { .. }) => voice.log(format!("no drift baseline of `{name}`: {error}"))?,
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

/// One baseline per frame, empty where the test says that it cannot use the data.
async fn baselines(test: &Test, frames: Vec<Arc<[Column]>>, voice: &mut Voice<'_>) -> Result<Vec<Vec<u8>>> {
    let mut made = Vec::with_capacity(frames.len());
    for columns in frames {
        let feature = columns[0].name.clone();
        match test.plugin.baseline(Frame { columns }, &test.config).await {
            Ok(baseline) => made.push(baseline),
            Err(Error::Plugin { fault: PluginFault::Answered(_, message), .. }) => {
                voice.log(format!("`{}` has no baseline of `{feature}`: {message}", test.plugin.name()))?;
                made.push(Vec::new());
            }
            Err(error) => return Err(error),
        }
    }
    Ok(made)
}
