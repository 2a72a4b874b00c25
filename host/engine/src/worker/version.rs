//! From a division of the samples to a version: every learner fitted, an ensemble's members weighed, the artifact described.
//!
//! Folds and the final model are made here alike, so that a fold says how the very same recipe fares.

use std::collections::BTreeMap;

use bellwether_domain::Result;
use bellwether_domain::bars::Bars;
use bellwether_domain::job::Precision;
use bellwether_domain::metrics::ModelMetrics;
use bellwether_domain::model::{Body, Combination, Lineage, MemberSpec, ModelSpec};
use bellwether_domain::target::Task;
use bellwether_domain::time::Timestamp;

use crate::artifact::{self, Artifact};
use crate::dataset::Dataset;
use crate::predictor::Predictor;
use crate::worker::Order;
use crate::worker::checkpoint::Slots;
use crate::worker::combine::{Combine, Validated};
use crate::worker::division::Division;
use crate::worker::fit::{self, Bench, Made};
use crate::worker::heldout;
use crate::worker::recipe::Recipe;
use crate::worker::turns::Turns;
use crate::worker::voice::Voice;

/// What all fits of a job have in common.
pub(crate) struct Work<'a> {
    pub(crate) order: &'a Order,
    pub(crate) recipe: &'a Recipe,
    pub(crate) dataset: &'a Dataset,
    pub(crate) bars: &'a Bars,
    pub(crate) data_digest: &'a str,
    pub(crate) slots: &'a Slots,
}

/// Fits every learner to a division; the artifact lacks its metrics and baselines. `fold` is none for the final model.
pub(crate) async fn make(
    work: &Work<'_>,
    division: &Division,
    fold: Option<u32>,
    turns: &mut Turns,
    voice: &mut Voice<'_>,
) -> Result<Artifact> {
    let Work { order, recipe, dataset, slots, .. } = work;
    let bench = Bench { order, dataset, division, slots };
    let mut made = Vec::with_capacity(recipe.learners.len());
    for (place, learner) in recipe.learners.iter().enumerate() {
        let member = recipe.combine.is_some().then_some((place + 1, learner.model_type.as_str()));
        let turn = turns.next(fold, member);
        made.push(fit::fit(&bench, learner, &turn, voice).await?);
    }
    match &recipe.combine {
        None => {
            let Some(Made { body, bytes, scaler }) = made.pop() else {
                return Err(bellwether_domain::Error::internal("a recipe has no learner"));
            };
            let spec = ModelSpec { scaler, ..describe(work, division, body) };
            Ok(Artifact { spec, body: bytes, members: Vec::new(), baselines: BTreeMap::new() })
        }
        Some((combine, weights)) => {
            let (members, bodies): (Vec<MemberSpec>, Vec<Vec<u8>>) = recipe
                .learners
                .iter()
                .zip(made)
                .map(|(learner, made)| {
                    let member = MemberSpec {
                        model_type: learner.model_type.clone(),
                        plugin: learner.stamp.clone(),
                        config: learner.config.clone(),
                        features: learner.columns.iter().map(|column| *column as u32).collect(),
                        sequence_length: learner.steps,
                        scaler: made.scaler,
                        body: made.body,
                        seed: learner.seed,
                        validation_mse: None,
                    };
                    (member, made.bytes)
                })
                .unzip();
            let body = Body::Members { members, combination: Combination::Mean {} };
            let mut artifact =
                Artifact { spec: describe(work, division, body), body: Vec::new(), members: bodies, baselines: BTreeMap::new() };
            weigh(work, division, (*combine, weights), &mut artifact, voice).await?;
            Ok(artifact)
        }
    }
}

/// Asks every member about the validation samples and writes how they combine into the artifact.
async fn weigh(
    work: &Work<'_>,
    division: &Division,
    (combine, given): (Combine, &[f64]),
    artifact: &mut Artifact,
    voice: &mut Voice<'_>,
) -> Result<()> {
    let predictor = Predictor::load(artifact.clone(), &work.recipe.plugins)?;
    let ends: Vec<usize> = division.validation.iter().map(|place| work.dataset.ends[*place]).collect();
    let came: Vec<f64> = division.validation.iter().map(|place| work.dataset.targets[*place]).collect();
    let mut said = vec![Vec::with_capacity(ends.len()); work.recipe.learners.len()];
    for ends in ends.chunks(heldout::WINDOWS_AT_ONCE) {
        let answers = predictor.members(heldout::windows(&predictor, work.dataset, work.bars, ends)).await?;
        said.iter_mut().zip(answers).for_each(|(said, answers)| said.extend(answers));
    }
    let centre = match work.order.request.target.task() {
        Task::Binary => 0.5,
        Task::Regression => division.mean_target,
    };
    let validated = Validated { said: &said, came: &came, centre };
    let made = validated.combination(combine, given)?;
    let losses = validated.losses();
    if let Body::Members { members, combination } = &mut artifact.spec.body {
        for (place, (member, loss)) in members.iter_mut().zip(&losses).enumerate() {
            member.validation_mse = *loss;
            let weight = match &made {
                Combination::Weighted { weights, .. } | Combination::Stacking { weights, .. } => format!(", weight {:.4}", weights[place]),
                Combination::Mean {} | Combination::Median {} => String::new(),
            };
            let loss = loss.map_or_else(String::new, |loss| format!(", validation mse {loss:.6}"));
            voice.log(format!("member {} `{}`: {}{loss}{weight}", place + 1, member.model_type, made.name()))?;
        }
        *combination = made;
    }
    Ok(())
}

/// `model.json` without what judging and the drift tests add.
fn describe(work: &Work<'_>, division: &Division, body: Body) -> ModelSpec {
    let Work { order, recipe, bars, data_digest, .. } = work;
    let request = &order.request;
    let mut target_scaler = division.target_scaler.clone();
    if matches!(body, Body::Guest { .. }) {
        (target_scaler.mean, target_scaler.standard_deviation) = (vec![0.0], vec![1.0]);
    }
    ModelSpec {
        format: artifact::FORMAT,
        model_type: request.model_type.clone(),
        config: recipe.config.clone(),
        symbol: request.symbol.clone(),
        interval: request.interval,
        target: request.target,
        features: recipe.features.clone(),
        sequence_length: recipe.steps,
        scaler: division.scaler.clone(),
        target_scaler,
        body,
        metrics: ModelMetrics::default(),
        cross_validation: None,
        lineage: Lineage {
            data_digest: Some((*data_digest).to_owned()),
            rows: Some(bars.len() as u64),
            first_bar: bars.timestamp.first().copied().map(Timestamp),
            last_bar: bars.timestamp.last().copied().map(Timestamp),
            seed: Some(request.seed),
            threads: Some(order.threads),
            precision: Some(order.precision).filter(|precision| *precision != Precision::F32),
            split: Some(request.split),
            samples: Some(division.counts()),
            plugin: Some(recipe.stamp.clone()),
            host_version: Some(env!("CARGO_PKG_VERSION").to_owned()),
            job_id: Some(order.job_id.clone()),
            cost_bps: Some(request.cost_bps),
            sample_weights: Some(request.sample_weights).filter(|weights| !weights.is_none()),
        },
        baselines: Vec::new(),
        files: BTreeMap::new(),
    }
}

#[cfg(test)]
mod tests;
