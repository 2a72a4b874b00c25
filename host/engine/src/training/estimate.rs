//! What a training will take, before anything of it is done: asked of the plan, counted by the core, held against the limit.
//!
//! Memory is that of the whole worker: process, bars, columns, samples and the network's buffers. Seconds are an order of
//! magnitude, from the floating-point operations at the pace of large matrix products here; once the fit runs, its own pace
//! says better. What a guest
//! trains is not estimated: only the guest knows, and its memory has a ceiling of its own.

use std::future::Future;
use std::pin::Pin;

use bellwether_compute::Estimate;
use bellwether_domain::error::PluginFault;
use bellwether_domain::feature::Feature;
use bellwether_domain::job::{Precision, TrainingEstimate, TrainingRequest};
use bellwether_domain::{Error, Result};
use bellwether_plugin::{InputShape, ModelPlugin, Plan, PluginHost, Requirements};
use serde_json::Value;

use crate::training::budget::Budget;
use crate::worker::of_member;

/// Bytes of a worker before it has read anything: the program, the plugins' code, the runtime.
const PROCESS_BYTES: u64 = 64 << 20;
/// Bytes per bar: the bar, its place among the samples, its targets and baselines.
const BAR_BYTES: u64 = 48 + 5 * 8;
/// Bytes per bar and feature: the column, the scaled row that the core reads.
const CELL_BYTES: u64 = 8 + 4;
/// How deep ensembles may be nested: their members are single models.
const DEPTH_MAX: u32 = 1;

/// Estimates a request on a series of so many bars. None where a guest does the work.
/// Errors: `Invalid` when the plugin cannot plan it, or when it needs more memory than there may be.
pub(crate) async fn estimate(
    plugins: &PluginHost,
    budget: &Budget,
    precision: Precision,
    request: &TrainingRequest,
    config: &Value,
    series_rows: u64,
) -> Result<Option<TrainingEstimate>> {
    let model = plugins.model(&request.model_type)?;
    let needs = model.requirements(config).await?;
    let input = shape(request, &needs);
    let threads = request.threads.unwrap_or_else(|| budget.share(1));
    let asked = Asked { plugins, input: &input, request, threads, precision };
    let Some(work) = asked.work_of(&model, config, 0).await? else { return Ok(None) };
    let pace = tokio::task::spawn_blocking(bellwether_compute::estimate::pace).await.map_err(Error::internal)?;
    let rows = rows_of(request, series_rows);
    let fits = 1.0 + f64::from(request.split.scheme.folds());
    let samples = rows as f64 * training_share(request) * fits;
    let estimate = TrainingEstimate {
        parameters: work.parameters,
        memory_bytes: PROCESS_BYTES + rows * (BAR_BYTES + CELL_BYTES * input.features.len() as u64) + work.memory_bytes,
        seconds: work.flops_per_sample * samples / (pace * f64::from(threads)),
    };
    match budget.memory {
        Some(limit) if estimate.memory_bytes > limit => Err(Error::invalid("config", too_large(&estimate, limit))),
        _ => Ok(Some(estimate)),
    }
}

/// What a model type is shown: what the job names, else what it wants itself.
fn shape(request: &TrainingRequest, needs: &Requirements) -> InputShape {
    let features = request.features.as_ref().unwrap_or(&needs.features).iter().map(Feature::to_string).collect();
    InputShape { sequence_length: request.sequence_length.unwrap_or(needs.sequence_length), features }
}

fn too_large(estimate: &TrainingEstimate, limit: u64) -> String {
    let mebibytes = |bytes: u64| bytes.div_ceil(1 << 20);
    format!(
        "{} parameters need about {} MiB while training; training.memory_limit is {} MiB: make batch_size, sequence_length or the layers \
         smaller, or raise the limit",
        estimate.parameters,
        mebibytes(estimate.memory_bytes),
        mebibytes(limit)
    )
}

/// Work of one pass over all epochs.
#[derive(Debug, Default)]
struct Work {
    parameters: u64,
    memory_bytes: u64,
    /// Of all epochs together.
    flops_per_sample: f64,
}

type Answer<'a> = Pin<Box<dyn Future<Output = Result<Option<Work>>> + Send + 'a>>;

/// What every member of an ensemble is asked with.
struct Asked<'a> {
    plugins: &'a PluginHost,
    input: &'a InputShape,
    request: &'a TrainingRequest,
    threads: u32,
    precision: Precision,
}

impl Asked<'_> {
    /// Asks the plan; members of an ensemble are asked for theirs and fitted one after another.
    fn work_of<'a>(&'a self, model: &'a ModelPlugin, config: &'a Value, depth: u32) -> Answer<'a> {
        Box::pin(async move {
            let Asked { plugins, input, request, threads, precision } = self;
            let plan = match model.plan(config, input, request.target).await {
                Ok(plan) => plan,
                Err(Error::Plugin { fault: PluginFault::Answered(_, message), .. }) => {
                    return Err(Error::invalid("model_type", format!("`{}` cannot plan this: {message}", model.name())));
                }
                Err(other) => return Err(other),
            };
            match plan {
                Plan::Network(network) => {
                    let training = network.training;
                    let batch = training.batch_size as usize;
                    let Estimate { parameters, memory_bytes, flops_per_sample } = bellwether_compute::estimate(
                        &network,
                        input.sequence_length as usize,
                        input.features.len(),
                        batch,
                        *threads as usize,
                        *precision,
                    )?;
                    let flops_per_sample = flops_per_sample as f64 * f64::from(training.epochs);
                    Ok(Some(Work { parameters: parameters as u64, memory_bytes: memory_bytes as u64, flops_per_sample }))
                }
                Plan::Guest { .. } => Ok(None),
                Plan::Members(..) if depth >= DEPTH_MAX => {
                    Err(Error::invalid("model_type", "is an ensemble itself; members are single models: list its members instead"))
                }
                Plan::Members(members, _) => {
                    // As in `worker::recipe`: what an ensemble does not name is each member's own.
                    let own_shapes = model.requirements(config).await?.features.is_empty();
                    let mut all: Option<Work> = None;
                    for (place, (model_type, wishes, _)) in members.into_iter().enumerate() {
                        let one = async {
                            let model = plugins.model(&model_type)?;
                            let config = plugins.configure(&model_type, &wishes)?;
                            let input = if own_shapes { &shape(request, &model.requirements(&config).await?) } else { *input };
                            Asked { plugins, input, request, threads: *threads, precision: *precision }
                                .work_of(&model, &config, depth + 1)
                                .await
                        };
                        let Some(one) = one.await.map_err(|error| of_member(error, place, &model_type))? else { continue };
                        let sum = all.get_or_insert_default();
                        sum.parameters += one.parameters;
                        sum.memory_bytes = sum.memory_bytes.max(one.memory_bytes);
                        sum.flops_per_sample += one.flops_per_sample;
                    }
                    Ok(all)
                }
            }
        })
    }
}

/// Bars the job will read, at most.
fn rows_of(request: &TrainingRequest, series_rows: u64) -> u64 {
    let (Some(from), Some(until)) = (request.from, request.until) else { return series_rows };
    let spanned = until.0.saturating_sub(from.0).max(0) as u64 / request.interval.milliseconds().max(1) as u64;
    series_rows.min(spanned)
}

/// Share of the samples that the final fit reads; those of folds read fewer.
fn training_share(request: &TrainingRequest) -> f64 {
    (1.0 - request.split.test) * (1.0 - request.split.validation)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn too_large_says_both_sizes_and_the_way_out() {
        let estimate = TrainingEstimate { parameters: 117_825, memory_bytes: 100 << 20, seconds: 600.0 };
        let why = too_large(&estimate, 64 << 20);
        assert!(why.contains("need about 100 MiB while training; training.memory_limit is 64 MiB") && why.contains("batch_size"), "{why}");
    }

    #[test]
    fn a_period_bounds_the_rows() {
        let request = |period: Value| {
            let mut request = json!({"model_type": "lstm", "symbol": "A", "target": {"kind": "return"}});
            request.as_object_mut().expect("an object").extend(period.as_object().cloned().expect("an object"));
            serde_json::from_value::<TrainingRequest>(request).expect("a request")
        };
        assert_eq!(rows_of(&request(json!({})), 1000), 1000);
        let day = request(json!({"from": "2024-01-01T00:00:00Z", "until": "2024-01-02T00:00:00Z"}));
        assert_eq!((rows_of(&day, 1000), rows_of(&day, 10)), (24, 10));
        assert_eq!(rows_of(&request(json!({"until": "2024-01-02T00:00:00Z"})), 1000), 1000);
    }
}
