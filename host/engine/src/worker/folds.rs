//! Validation before the final model: every fold fitted, judged and forgotten; its metrics stay.

use bellwether_domain::metrics::{CrossValidation, FoldMetrics};
use bellwether_domain::split;
use bellwether_domain::time::Timestamp;
use bellwether_domain::{Error, Result};

use crate::predictor::Predictor;
use crate::worker::division::Division;
use crate::worker::heldout;
use crate::worker::turns::Turns;
use crate::worker::version::{self, Work};
use crate::worker::voice::Voice;

/// Metrics of the scheme's folds; none for a holdout. Only samples before the test part are given to the scheme.
/// Errors: `Invalid` with field `split.scheme.folds` when a fold has too few samples to learn from, before anything is fitted.
pub(crate) async fn validate(work: &Work<'_>, turns: &mut Turns, voice: &mut Voice<'_>) -> Result<Option<CrossValidation>> {
    let (request, dataset, recipe) = (&work.order.request, work.dataset, work.recipe);
    let scheme = request.split.scheme;
    if scheme.is_holdout() {
        return Ok(None);
    }
    let known = &dataset.ends[..dataset.split.validation.end];
    let cut = split::folds(known, request.target.horizon, recipe.steps, &request.split)?;
    let count = cut.len();
    let divisions = cut.into_iter().map(|fold| Division::fold(dataset, work.bars, recipe.steps, request, fold));
    let divisions =
        divisions.enumerate().map(|(place, made)| made.map_err(|error| of_fold(error, place, count))).collect::<Result<Vec<_>>>()?;
    for (place, division) in divisions.iter().enumerate() {
        let (has, least) = (division.train.len() as u64, recipe.least_samples.max(2));
        if has < least {
            let why = format!(
                "fold {} of {count} would learn from {has} samples; `{}` needs {least}: use fewer folds, a larger train_size or more bars",
                place + 1,
                request.model_type
            );
            return Err(Error::invalid("split.scheme.folds", why));
        }
    }
    let mut judged = Vec::with_capacity(count);
    for (place, division) in divisions.iter().enumerate() {
        let fold = one(work, division, place as u32 + 1, turns, voice).await.map_err(|error| of_fold(error, place, count))?;
        judged.push(fold);
    }
    let together = CrossValidation::of(scheme, judged);
    let shown = |mean: Option<f64>, deviation: Option<f64>| match (mean, deviation) {
        (Some(mean), Some(deviation)) => format!("{mean:.6} ± {deviation:.6}"),
        (Some(mean), None) => format!("{mean:.6}"),
        (None, _) => "absent".to_owned(),
    };
    let (mean, deviation) = (&together.mean, &together.standard_deviation);
    voice.log(format!(
        "{count} folds, {}: mse {}, skill {}, accuracy {} (mean ± standard deviation)",
        scheme.name(),
        shown(mean.mse, deviation.mse),
        shown(mean.skill, deviation.skill),
        shown(mean.accuracy, deviation.accuracy)
    ))?;
    Ok(Some(together))
}

async fn one(work: &Work<'_>, division: &Division, fold: u32, turns: &mut Turns, voice: &mut Voice<'_>) -> Result<FoldMetrics> {
    let time = |place: usize| Timestamp(work.bars.timestamp[work.dataset.ends[place]]);
    let (from, until) = (time(division.judged.start), time(division.judged.end - 1));
    let [train, validation, judged] = division.counts();
    voice.log(format!(
        "fold {fold}: {train} samples to train on, {validation} to validate by, {judged} to judge by, from {from} to {until}"
    ))?;
    for place in &division.constant {
        voice.log(format!("fold {fold}: `{}` does not vary on its training rows; it is handed over as 0", work.recipe.features[*place]))?;
    }
    let artifact = version::make(work, division, Some(fold), turns, voice).await?;
    let predictor = Predictor::load(artifact, &work.recipe.plugins)?;
    let metrics = heldout::judge(&predictor, work, division, &format!("fold {fold}"), voice).await?;
    Ok(FoldMetrics { fold, from, until, samples: division.counts(), metrics })
}

/// What is wrong with the input of a fold says which fold.
fn of_fold(error: Error, place: usize, count: usize) -> Error {
    match error {
        Error::Invalid { field, why } => Error::invalid(field, format!("fold {} of {count}: {why}", place + 1)),
        other => other,
    }
}
