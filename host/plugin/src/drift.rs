//! Calls of the `drift-test` and `drift-detector` worlds.

use std::sync::Arc;

use bellwether_domain::Result;
use bellwether_domain::error::PluginFault;
use serde_json::Value;

use crate::bindings::base::bellwether::host::data as host;
use crate::bindings::detector::DriftDetectorPre;
use crate::bindings::detector::exports::bellwether::drift::detector as streaming;
use crate::bindings::drift::DriftTestPre;
use crate::bindings::drift::exports::bellwether::drift::test as wit;
use crate::call::{Unit, answered, bad, finite, json_object};
use crate::load::Pre;
use crate::state::State;
use crate::{ColumnKind, Frame};

/// What a drift test can be given.
#[derive(Debug, Clone, PartialEq)]
pub struct Acceptance {
    /// All columns in one call, rather than one call per column.
    pub multivariate: bool,
    /// Kinds of column it understands.
    pub kinds: Vec<ColumnKind>,
    /// Least present rows on either side.
    pub least_rows: u32,
}

/// The verdict on one comparison; fields as in `wit/drift/drift.wit`.
#[derive(Debug, Clone, PartialEq)]
#[expect(missing_docs, reason = "documented in the contract, which this mirrors")]
pub struct DriftOutcome {
    pub statistic: f64,
    pub p_value: Option<f64>,
    pub score: f64,
    pub threshold: f64,
    pub drifted: bool,
    pub reference_count: u64,
    pub current_count: u64,
    pub detail: Value,
}

/// Something a detector saw.
#[derive(Debug, Clone, PartialEq)]
pub struct DriftEvent {
    /// Place of the value in the list given.
    pub index: u32,
    /// Drift rather than a warning.
    pub drift: bool,
    /// The statistic that crossed its bound.
    pub statistic: f64,
}

/// A two-sample drift test. `config` is one made by [`crate::PluginHost::configure`].
#[derive(Debug)]
pub struct DriftTest {
    unit: Arc<Unit>,
    pre: Pre<DriftTestPre<State>>,
}

/// A streaming detector.
#[derive(Debug)]
pub struct DriftDetector {
    unit: Arc<Unit>,
    pre: Pre<DriftDetectorPre<State>>,
}

impl DriftTest {
    pub(crate) fn new(unit: Arc<Unit>, pre: DriftTestPre<State>) -> DriftTest {
        DriftTest { unit, pre: Pre(pre) }
    }

    /// The instance's name.
    pub fn name(&self) -> &str {
        self.unit.name()
    }

    /// What it can be given.
    pub async fn accepts(&self) -> Result<Acceptance> {
        let pre = self.pre.0.clone();
        self.unit
            .call(self.unit.ordinary("accepts"), move |store| {
                Box::pin(async move {
                    let world = pre.instantiate_async(&mut *store).await?;
                    let accepts = world.bellwether_drift_test().call_accepts(&mut *store).await?;
                    if accepts.kinds.is_empty() {
                        return Ok(Err(bad("`kinds` is empty: the test accepts no column")));
                    }
                    Ok(Ok(Acceptance {
                        multivariate: accepts.scope == wit::Scope::Multivariate,
                        kinds: accepts.kinds.into_iter().map(kind_of).collect(),
                        least_rows: accepts.least_rows,
                    }))
                })
            })
            .await
    }

    /// Condenses reference data to bytes.
    pub async fn baseline(&self, reference: Frame, config: &Value) -> Result<Vec<u8>> {
        reference.check()?;
        let (pre, config) = (self.pre.0.clone(), config.to_string());
        self.unit
            .call(self.unit.ordinary("baseline"), move |store| {
                Box::pin(async move {
                    let world = pre.instantiate_async(&mut *store).await?;
                    let reference = store.data_mut().table.push(reference)?;
                    Ok(world.bellwether_drift_test().call_baseline(&mut *store, reference, &config).await?.map_err(answered))
                })
            })
            .await
    }

    /// Compares current data with a baseline; every number of the outcome is finite, else `BadAnswer`.
    pub async fn test(&self, baseline: &[u8], current: Frame, config: &Value) -> Result<DriftOutcome> {
        current.check()?;
        let (pre, config, baseline) = (self.pre.0.clone(), config.to_string(), baseline.to_vec());
        self.unit
            .call(self.unit.ordinary("test"), move |store| {
                Box::pin(async move {
                    let world = pre.instantiate_async(&mut *store).await?;
                    let current = store.data_mut().table.push(current)?;
                    let outcome = world.bellwether_drift_test().call_test(&mut *store, &baseline, current, &config).await?;
                    Ok(outcome.map_err(answered).and_then(checked))
                })
            })
            .await
    }
}

fn kind_of(kind: host::ColumnKind) -> ColumnKind {
    match kind {
        host::ColumnKind::Numeric => ColumnKind::Numeric,
        host::ColumnKind::Categorical => ColumnKind::Categorical,
    }
}

fn checked(outcome: wit::Outcome) -> Result<DriftOutcome, PluginFault> {
    let p_value = outcome.p_value.map(|p_value| finite("p-value", p_value)).transpose()?;
    if let Some(p_value) = p_value
        && !(0.0..=1.0).contains(&p_value)
    {
        return Err(bad(format!("`p-value` is {p_value}; it must lie in 0 to 1")));
    }
    Ok(DriftOutcome {
        statistic: finite("statistic", outcome.statistic)?,
        p_value,
        score: finite("score", outcome.score)?,
        threshold: finite("threshold", outcome.threshold)?,
        drifted: outcome.drifted,
        reference_count: outcome.reference_count,
        current_count: outcome.current_count,
        detail: json_object("detail", &outcome.detail)?,
    })
}

impl DriftDetector {
    pub(crate) fn new(unit: Arc<Unit>, pre: DriftDetectorPre<State>) -> DriftDetector {
        DriftDetector { unit, pre: Pre(pre) }
    }

    /// The instance's name.
    pub fn name(&self) -> &str {
        self.unit.name()
    }

    /// The state before any value.
    pub async fn start(&self, config: &Value) -> Result<Vec<u8>> {
        let (pre, config) = (self.pre.0.clone(), config.to_string());
        self.unit
            .call(self.unit.ordinary("start"), move |store| {
                Box::pin(async move {
                    let world = pre.instantiate_async(&mut *store).await?;
                    Ok(world.bellwether_drift_detector().call_start(&mut *store, &config).await?.map_err(answered))
                })
            })
            .await
    }

    /// Takes some values; returns the new state and what happened.
    pub async fn update(&self, state: &[u8], values: &[f64], config: &Value) -> Result<(Vec<u8>, Vec<DriftEvent>)> {
        let (pre, config, state, values) = (self.pre.0.clone(), config.to_string(), state.to_vec(), values.to_vec());
        self.unit
            .call(self.unit.ordinary("update"), move |store| {
                Box::pin(async move {
                    let world = pre.instantiate_async(&mut *store).await?;
                    let advance = world.bellwether_drift_detector().call_update(&mut *store, &state, &values, &config).await?;
                    Ok(advance.map_err(answered).and_then(|advance| advanced(advance, values.len())))
                })
            })
            .await
    }
}

/// Events must lie among the values given, in order.
fn advanced(advance: streaming::Advance, values: usize) -> Result<(Vec<u8>, Vec<DriftEvent>), PluginFault> {
    let mut last = 0;
    let mut events = Vec::with_capacity(advance.events.len());
    for event in advance.events {
        if event.index as usize >= values {
            return Err(bad(format!("an event is at value {}, but {values} were given", event.index)));
        }
        if event.index < last {
            return Err(bad("the events are not in order of `index`"));
        }
        last = event.index;
        let drift = event.severity == streaming::Severity::Drift;
        events.push(DriftEvent { index: event.index, drift, statistic: finite("statistic", event.statistic)? });
    }
    Ok((advance.state, events))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_outcome_must_be_finite_and_its_detail_an_object() {
        let good = wit::Outcome {
            statistic: 0.2,
            p_value: Some(0.01),
            score: 0.99,
            threshold: 0.95,
            drifted: true,
            reference_count: 10,
            current_count: 5,
            detail: r#"{"bins":[1]}"#.to_owned(),
        };
        assert_eq!(checked(good.clone()).expect("good").detail["bins"][0], 1);
        for (wrong, expected) in [
            (wit::Outcome { statistic: f64::NAN, ..good.clone() }, "`statistic` is NaN"),
            (wit::Outcome { score: f64::INFINITY, ..good.clone() }, "`score` is inf"),
            (wit::Outcome { p_value: Some(1.5), ..good.clone() }, "`p-value` is 1.5"),
            (wit::Outcome { detail: "[]".to_owned(), ..good.clone() }, "not a JSON object"),
            (wit::Outcome { detail: "{".to_owned(), ..good.clone() }, "not JSON"),
        ] {
            let fault = checked(wrong).expect_err(expected).to_string();
            assert!(fault.contains(expected), "{fault}");
        }
    }

    #[test]
    fn events_lie_among_the_values_in_order() {
        let event = |index| streaming::Event { index, severity: streaming::Severity::Warning, statistic: 1.0 };
        let advance = |events: Vec<streaming::Event>| advanced(streaming::Advance { state: vec![1], events }, 3);
        assert_eq!(advance(vec![event(0), event(2)]).expect("good").1.len(), 2);
        advance(vec![event(3)]).expect_err("past the end");
        advance(vec![event(2), event(1)]).expect_err("out of order");
    }
}
