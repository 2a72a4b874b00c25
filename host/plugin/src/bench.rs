//! `bellwether plugin bench`: what calls of a plugin cost in this host, at a few sizes, beside an empty call in the same run.
//!
//! Every call is as a host makes it: admitted, in a store and an instance of its own, on the plugin threads. The empty call
//! goes the same way into a component that holds nothing, so a ratio says what the plugin itself costs. A number of calls
//! that fits a bound of time is made; the median is the number to compare, the 99th percentile also shows the machine.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bellwether_domain::target::{Target, TargetKind};
use bellwether_domain::{Error, Result};
use serde::Serialize;
use serde_json::Value;
use wasmtime::component::Component;

use crate::call::Unit;
use crate::check::input;
use crate::config::PluginsConfig;
use crate::grant::Granted;
use crate::instance::Active;
use crate::load::{Loaded, describe};
use crate::model::{InputShape, ModelPlugin, Plan};
use crate::workpiece::{Workpiece, as_json};
use crate::{DriftDetector, DriftTest, Strategy};

/// A component that holds nothing: magic number, version, layer.
const EMPTY: &[u8] = b"\0asm\x0d\0\x01\0";

/// Most time for one line of the report.
const TIME: Duration = Duration::from_millis(700);

/// Calls for one line of the report.
const CALLS: (usize, usize) = (5, 5_000);

/// What calls of one function cost at one size.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Measured {
    /// The function; `empty call` for the yardstick.
    pub function: String,
    /// What it was given, as in `10000 values`.
    pub size: String,
    /// Calls made.
    pub calls: usize,
    /// Median time of a call, in microseconds.
    pub p50_us: f64,
    /// 99th percentile, in microseconds.
    pub p99_us: f64,
    /// Calls a second, one after the other.
    pub calls_per_second: f64,
    /// Most linear memory any call had so far, in bytes; of the whole component.
    pub memory_bytes: u64,
    /// Median by the empty call's median.
    pub ratio: f64,
}

/// The report as it grows.
struct Bench {
    lines: Vec<Measured>,
    unit: Arc<Unit>,
}

/// Measures the plugin in a folder. Errors: it cannot be loaded, its configuration is not whole without an operator's, or a
/// call fails.
pub async fn bench(folder: &Path, config: &PluginsConfig) -> Result<Vec<Measured>> {
    let plugin = Workpiece::load(folder, config).await?;
    let given = config.instance.iter().find(|instance| instance.name == plugin.manifest.name);
    let settings = plugin.settings(&given.map(|instance| as_json(&instance.config)).unwrap_or_default());
    let unit = plugin.unit(Granted::default(), None);
    let mut bench = Bench { lines: Vec::new(), unit: unit.clone() };
    bench.empty(&plugin).await?;
    let Workpiece { core, manifest, loaded: Loaded { base, worlds, .. }, .. } = &plugin;
    bench.line("describe", "", async || describe(core, manifest, &base.0).await).await?;
    // An alert handler would tell people; it is measured by `describe`, which starts it up.
    match Active::new(worlds, &unit, &Value::Null) {
        Active::DriftTest(test) => bench.drift_test(&test, &settings?).await?,
        Active::DriftDetector(detector) => bench.drift_detector(&detector, &settings?).await?,
        Active::DeploymentStrategy(strategy) => bench.strategy(&strategy, &settings?).await?,
        Active::Model(model) => bench.model(&model, &settings?).await?,
        Active::AlertHandler(_) => {}
    }
    plugin.core.close().await;
    Ok(bench.lines)
}

impl Bench {
    async fn empty(&mut self, plugin: &Workpiece) -> Result<()> {
        let broken = |error: wasmtime::Error| Error::internal(format!("the empty component cannot be used: {error:#}"));
        let component = Component::from_binary(&plugin.core.engine, EMPTY).map_err(broken)?;
        let pre = plugin.core.linker.instantiate_pre(&component).map_err(broken)?;
        let unit = self.unit.clone();
        self.line("empty call", "", async || {
            let pre = pre.clone();
            let call = unit.call(unit.ordinary("nothing"), move |store| {
                Box::pin(async move {
                    pre.instantiate_async(&mut *store).await?;
                    Ok(Ok(()))
                })
            });
            call.await
        })
        .await
    }

    /// Calls until there are enough or the time is up; the first call is not counted.
    async fn line<T>(&mut self, function: &str, size: &str, call: impl AsyncFn() -> Result<T>) -> Result<()> {
        call().await?;
        let begun = Instant::now();
        let mut times = Vec::new();
        while times.len() < CALLS.0 || (times.len() < CALLS.1 && begun.elapsed() < TIME) {
            let started = Instant::now();
            call().await?;
            times.push(started.elapsed().as_secs_f64() * 1e6);
        }
        let calls_per_second = times.len() as f64 / begun.elapsed().as_secs_f64();
        times.sort_by(f64::total_cmp);
        let p50_us = quantile(&times, 0.5);
        let yardstick = self.lines.first().map_or(p50_us, |empty| empty.p50_us);
        self.lines.push(Measured {
            function: function.to_owned(),
            size: size.to_owned(),
            calls: times.len(),
            p50_us,
            p99_us: quantile(&times, 0.99),
            calls_per_second,
            memory_bytes: self.unit.most_memory(),
            ratio: p50_us / yardstick,
        });
        Ok(())
    }

    async fn drift_test(&mut self, test: &DriftTest, config: &Value) -> Result<()> {
        let accepts = test.accepts().await?;
        self.line("accepts", "", async || test.accepts().await).await?;
        for rows in [1_000, 10_000, 100_000] {
            let numbers = |place| input::numbers(place, 0.0).into_iter().cycle().take(rows).collect();
            let frame = input::frame(&accepts, numbers);
            let size = format!("{rows} rows");
            let baseline = test.baseline(frame.clone(), config).await?;
            self.line("baseline", &size, async || test.baseline(frame.clone(), config).await).await?;
            self.line("test", &size, async || test.test(&baseline, frame.clone(), config).await).await?;
        }
        Ok(())
    }

    async fn drift_detector(&mut self, detector: &DriftDetector, config: &Value) -> Result<()> {
        let start = detector.start(config).await?;
        self.line("start", "", async || detector.start(config).await).await?;
        for count in [1, 100, 10_000] {
            let values: Vec<f64> = input::numbers(1, 0.0).into_iter().cycle().take(count).collect();
            self.line("update", &format!("{count} values"), async || detector.update(&start, &values, config).await).await?;
        }
        Ok(())
    }

    async fn strategy(&mut self, strategy: &Strategy, config: &Value) -> Result<()> {
        let view = input::rollout();
        self.line("next", "", async || strategy.next(&view, config).await).await
    }

    async fn model(&mut self, model: &ModelPlugin, config: &Value) -> Result<()> {
        let needs = model.requirements(config).await?;
        let mut features: Vec<String> = needs.features.iter().map(ToString::to_string).collect();
        if features.is_empty() {
            features = vec!["log-return".to_owned(), "volume-zscore(20)".to_owned()];
        }
        let shape = InputShape { sequence_length: needs.sequence_length, features: features.clone() };
        let target = Target { kind: TargetKind::Return, horizon: 1 };
        let plan = model.plan(config, &shape, target).await?;
        let size = format!("{} steps of {} features", shape.sequence_length, features.len());
        self.line("plan", &size, async || model.plan(config, &shape, target).await).await?;
        let Plan::Guest { last_step_only, .. } = plan else { return Ok(()) };
        let steps = if last_step_only { 1 } else { needs.sequence_length };
        let train = input::windows(&features, steps, None, true);
        let fit = async || model.fit(config, train.clone(), train.clone(), 1, Box::new(|_, _, _, _| true)).await;
        let state = fit().await?;
        self.line("fit", &format!("{} samples", train.ends.len()), fit).await?;
        for samples in [1, 100, 10_000] {
            let inputs = input::repeated(&train, samples);
            self.line("predict", &format!("{samples} samples"), async || model.predict(config, &state, inputs.clone()).await).await?;
        }
        Ok(())
    }
}

/// Of sorted numbers, by the nearest rank.
fn quantile(sorted: &[f64], share: f64) -> f64 {
    let rank = (share * sorted.len() as f64).ceil() as usize;
    sorted[rank.clamp(1, sorted.len()) - 1]
}

#[cfg(test)]
mod tests {
    use super::quantile;

    #[test]
    fn quantiles_are_by_the_nearest_rank() {
        let numbers: Vec<f64> = (1..=100).map(f64::from).collect();
        assert_eq!((quantile(&numbers, 0.5), quantile(&numbers, 0.99), quantile(&[3.0], 0.99)), (50.0, 99.0, 3.0));
    }
}
