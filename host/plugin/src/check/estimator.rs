//! Trials of models that fit themselves: determinism, one sample against many, hostile data, foreign states, and the proof
//! that no prediction depends on a later sample.
//!
//! A prediction is asked for again with everything after it removed, and again with everything after it changed; its bits
//! must be the same. `fit` is never given what is to be predicted; an instance that remembers it is found by
//! [`super::again`].

use bellwether_domain::Result;
use serde_json::Value;

use super::again::Twice;
use super::finding::{Findings, Topic};
use super::{input, trial};
use crate::{ModelPlugin, Windows};

/// Samples predicted at once in the trial of limits.
const MANY: usize = 20_000;

pub(super) async fn run(findings: &mut Findings, model: &ModelPlugin, twice: Twice<'_>, features: &[String], steps: u32) {
    let config = twice.config;
    let windows = |value, with_targets| input::windows(features, steps, value, with_targets);
    let fit = async |value, seed| model.fit(config, windows(value, true), windows(value, true), seed, Box::new(|_, _, _, _| true)).await;
    let Some(state) = findings.ordinary(Topic::Answers, "fit", fit(None, 1).await) else { return };
    findings.same("fit: one seed, one state", &state, fit(None, 1).await);
    let stopped = model.fit(config, windows(None, true), windows(None, true), 1, Box::new(|_, _, _, _| false)).await;
    findings.hostile(Topic::HostileInput, "fit: asked to stop at once", stopped);
    let inputs = windows(None, false);
    let predicted = model.predict(config, &state, inputs.clone()).await;
    let Some(whole) = findings.ordinary(Topic::Answers, "predict: one finite number per sample", predicted) else { return };
    findings.same("predict: pure", &bits(&whole), model.predict(config, &state, inputs.clone()).await.map(|found| bits(&found)));
    if let Some(same) = twice.estimator(windows(None, true), inputs.clone()).await.transpose() {
        findings.again("fit and predict", same);
    }
    one_by_one(findings, model, config, &state, &inputs, &whole).await;
    look_ahead(findings, model, config, &state, &inputs, &whole).await;
    hostile(findings, model, config, &state, features, steps).await;
    for (name, foreign) in trial::foreign(&state) {
        findings.hostile(Topic::ForeignState, &format!("predict: {name}"), model.predict(config, &foreign, inputs.clone()).await);
    }
    let many = input::repeated(&inputs, MANY);
    findings.hostile(Topic::Limits, &format!("predict: {MANY} samples"), model.predict(config, &state, many).await);
}

async fn hostile(findings: &mut Findings, model: &ModelPlugin, config: &Value, state: &[u8], features: &[String], steps: u32) {
    for (name, value) in [("a constant", 1.0), ("only missing values", f64::NAN), ("huge values", f64::MAX), ("infinities", f64::INFINITY)]
    {
        let windows = |with_targets| input::windows(features, steps, Some(value), with_targets);
        let fitted = model.fit(config, windows(true), windows(true), 1, Box::new(|_, _, _, _| true)).await;
        findings.hostile(Topic::HostileInput, &format!("fit: {name}"), fitted);
        findings.hostile(Topic::HostileInput, &format!("predict: {name}"), model.predict(config, state, windows(false)).await);
    }
    let none = || input::first(&input::windows(features, steps, None, true), 0);
    findings.hostile(Topic::HostileInput, "fit: no sample", model.fit(config, none(), none(), 1, Box::new(|_, _, _, _| true)).await);
    let one = || input::first(&input::windows(features, steps, None, true), 1);
    findings.hostile(Topic::HostileInput, "fit: one sample", model.fit(config, one(), one(), 1, Box::new(|_, _, _, _| true)).await);
    let empty = Windows { targets: [].into(), ..none() };
    findings.hostile(Topic::HostileInput, "predict: no sample", model.predict(config, state, empty).await);
}

/// A sample alone is predicted as among others.
async fn one_by_one(findings: &mut Findings, model: &ModelPlugin, config: &Value, state: &[u8], inputs: &Windows, whole: &[f64]) {
    let what = "predict: a sample alone as among others";
    let stride = (whole.len() / 25).max(1);
    for sample in (0..whole.len()).step_by(stride) {
        match model.predict(config, state, input::only(inputs, sample)).await {
            Ok(alone) if bits(&alone) == bits(&whole[sample..=sample]) => {}
            Ok(alone) => {
                let detail = format!("sample {sample} is {} alone and {} among {} samples", alone[0], whole[sample], whole.len());
                return findings.add(Topic::Purity, what, false, detail);
            }
            Err(error) => return findings.add(Topic::Purity, what, false, format!("sample {sample}: {error}")),
        }
    }
    findings.add(Topic::Purity, what, true, format!("the same bits, every {stride}th of {} samples", whole.len()));
}

async fn look_ahead(findings: &mut Findings, model: &ModelPlugin, config: &Value, state: &[u8], inputs: &Windows, whole: &[f64]) {
    let mut lengths: Vec<usize> = (1..=whole.len().min(32)).collect();
    lengths.extend((32..whole.len()).step_by(31).skip(1));
    let tried = format!("the same bits, {} lengths of {} samples", lengths.len(), whole.len());
    let removed = async {
        for length in &lengths {
            let prefix = model.predict(config, state, input::first(inputs, *length)).await?;
            if let Some(row) = differing(&prefix, whole) {
                return Ok(Some((row, prefix[row], whole.len() - length)));
            }
        }
        Ok(None)
    };
    proved(findings, "predict: later samples removed", removed.await, whole, "removed", &tried);
    let half = whole.len() / 2;
    let changed = async {
        let altered = model.predict(config, state, input::changed_after(inputs, half)).await?;
        Ok(differing(&altered[..half], whole).map(|row| (row, altered[row], whole.len() - half)))
    };
    proved(findings, "predict: later samples changed", changed.await, whole, "changed", "the same bits");
}

type Differing = Option<(usize, f64, usize)>;

fn proved(findings: &mut Findings, what: &str, outcome: Result<Differing>, whole: &[f64], how: &str, tried: &str) {
    match outcome {
        Ok(None) => findings.add(Topic::LookAhead, what, true, tried),
        Ok(Some((row, found, count))) => {
            let detail = format!(
                "row {row} is the first to differ: {} with all {} samples, {found} with the last {count} {how}; a prediction must not depend on later samples",
                whole[row],
                whole.len(),
            );
            findings.add(Topic::LookAhead, what, false, detail);
        }
        Err(error) => findings.add(Topic::LookAhead, what, false, error.to_string()),
    }
}

/// The first place where the bits differ.
fn differing(part: &[f64], whole: &[f64]) -> Option<usize> {
    part.iter().zip(whole).position(|(a, b)| a.to_bits() != b.to_bits())
}

fn bits(values: &[f64]) -> Vec<u64> {
    values.iter().map(|value| value.to_bits()).collect()
}
