//! Judging on the held-out part: the loaded version predicts every test sample, as it would be asked in service.

use bellwether_domain::Result;
use bellwether_domain::bars::Bars;
use bellwether_domain::job::TrainingRequest;
use bellwether_domain::metrics::ModelMetrics;
use bellwether_domain::target::TargetKind;

use crate::dataset::Dataset;
use crate::predictor::{Predictor, RawWindows};
use crate::scoring::{self, Judged};
use crate::worker::voice::Voice;

/// Windows made at once.
const WINDOWS_AT_ONCE: usize = 1024;

/// Metrics over the test samples, in the target's own unit.
pub(crate) async fn judge(
    predictor: &Predictor,
    dataset: &Dataset,
    bars: &Bars,
    request: &TrainingRequest,
    voice: &mut Voice<'_>,
) -> Result<ModelMetrics> {
    let test = dataset.split.test.clone();
    let (ends, horizon) = (&dataset.ends[test.clone()], request.target.horizon as usize);
    let mut predicted = Vec::with_capacity(ends.len());
    for ends in ends.chunks(WINDOWS_AT_ONCE) {
        predicted.extend(predictor.predict(windows(predictor, dataset, bars, ends)).await?);
        voice.progress(|progress| progress.epoch_share = predicted.len() as f64 / test.len() as f64)?;
    }
    let later: Vec<f64> = ends.iter().map(|end| bars.close[end + horizon]).collect();
    let actual = match request.target.kind {
        TargetKind::Price => &later,
        TargetKind::Return | TargetKind::Direction | TargetKind::RealizedVolatility => &dataset.targets[test.clone()].to_vec(),
    };
    let forward_return: Vec<f64> = ends.iter().zip(&later).map(|(end, later)| later / bars.close[*end] - 1.0).collect();
    let judged = Judged {
        predicted: &predicted,
        actual,
        baseline: &dataset.baseline[test.clone()],
        last_known: &dataset.last_known[test],
        forward_return: &forward_return,
        ends,
    };
    let metrics = scoring::judge(judged, request.target, request.interval, request.cost_bps);
    let shown = |value: Option<f64>| value.map_or_else(|| "absent".to_owned(), |value| format!("{value:.6}"));
    voice.log(format!(
        "held out: mse {} (baseline {}, skill {}), r2 {}, accuracy {}",
        shown(metrics.mse),
        shown(metrics.baseline_mse),
        shown(metrics.skill),
        shown(metrics.r2_score),
        shown(metrics.accuracy)
    ))?;
    Ok(metrics)
}

fn windows(predictor: &Predictor, dataset: &Dataset, bars: &Bars, ends: &[usize]) -> RawWindows {
    let steps = predictor.spec().sequence_length as usize;
    let mut values = Vec::with_capacity(ends.len() * steps * dataset.columns.len());
    for end in ends {
        for row in end + 1 - steps..=*end {
            values.extend(dataset.columns.iter().map(|column| column[row]));
        }
    }
    let last_close = (predictor.spec().target.kind == TargetKind::Price).then(|| ends.iter().map(|end| bars.close[*end]).collect());
    RawWindows { values, count: ends.len(), last_close }
}
