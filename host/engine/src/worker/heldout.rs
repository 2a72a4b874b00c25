//! Judging on samples that a fit has not seen: the loaded version predicts every one of them, as it would be asked in service.

use bellwether_domain::Result;
use bellwether_domain::bars::Bars;
use bellwether_domain::metrics::ModelMetrics;
use bellwether_domain::target::TargetKind;

use crate::dataset::Dataset;
use crate::predictor::{Predictor, RawWindows};
use crate::scoring::{self, Judged};
use crate::worker::division::Division;
use crate::worker::version::Work;
use crate::worker::voice::Voice;

/// Windows made at once.
pub(crate) const WINDOWS_AT_ONCE: usize = 1024;

/// Metrics over the judged samples of a division, in the target's own unit. `what` names them in the log.
pub(crate) async fn judge(
    predictor: &Predictor,
    work: &Work<'_>,
    division: &Division,
    what: &str,
    voice: &mut Voice<'_>,
) -> Result<ModelMetrics> {
    let (dataset, bars, request, places) = (work.dataset, work.bars, &work.order.request, division.judged.clone());
    let (ends, horizon) = (&dataset.ends[places.clone()], request.target.horizon as usize);
    let mut forecasts = Vec::with_capacity(ends.len());
    for ends in ends.chunks(WINDOWS_AT_ONCE) {
        forecasts.extend(predictor.forecast(windows(predictor, dataset, bars, ends)).await?);
        voice.progress(|progress| progress.epoch_share = forecasts.len() as f64 / places.len() as f64)?;
    }
    let later: Vec<f64> = ends.iter().map(|end| bars.close[end + horizon]).collect();
    let actual = match request.target.kind {
        TargetKind::Price => &later,
        TargetKind::Return | TargetKind::Direction | TargetKind::RealizedVolatility => &dataset.targets[places.clone()].to_vec(),
    };
    let baseline = match request.target.kind {
        TargetKind::Direction => &vec![division.mean_target; places.len()],
        TargetKind::Return | TargetKind::Price | TargetKind::RealizedVolatility => &dataset.baseline[places.clone()].to_vec(),
    };
    let forward_return: Vec<f64> = ends.iter().zip(&later).map(|(end, later)| later / bars.close[*end] - 1.0).collect();
    let judged =
        Judged { forecasts: &forecasts, actual, baseline, last_known: &dataset.last_known[places], forward_return: &forward_return, ends };
    let metrics = scoring::judge(judged, request.target, request.interval, request.cost_bps);
    let shown = |value: Option<f64>| value.map_or_else(|| "absent".to_owned(), |value| format!("{value:.6}"));
    let interval = match (metrics.interval_level, metrics.interval_coverage) {
        (Some(level), Some(coverage)) => format!(", the {:.0} % interval holds {:.1} %", 100.0 * level, 100.0 * coverage),
        _ => String::new(),
    };
    voice.log(format!(
        "{what}: mse {} (baseline {}, skill {}), r2 {}, accuracy {}{interval}",
        shown(metrics.mse),
        shown(metrics.baseline_mse),
        shown(metrics.skill),
        shown(metrics.r2_score),
        shown(metrics.accuracy)
    ))?;
    Ok(metrics)
}

/// The raw windows that end on these bars.
pub(crate) fn windows(predictor: &Predictor, dataset: &Dataset, bars: &Bars, ends: &[usize]) -> RawWindows {
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
