//! The same call twice in one instance. A host gives every call a fresh one, so a plugin that remembers shows only here; it
//! would show in a host that keeps instances warm.

use std::sync::Arc;

use bellwether_domain::Result;
use serde_json::Value;

use crate::bindings::guest_model::EstimatingPre;
use crate::call::{Call, Unit, answered};
use crate::frame::{Frame, Windows};
use crate::host::data::LentWindows;
use crate::load::{Pre, StrategyPre, Worlds};
use crate::state::State;
use crate::strategy::same_twice;

/// The plugin's exports, to call them in a store of one's own making.
#[derive(Debug, Clone, Copy)]
pub(super) struct Twice<'a> {
    pub(super) unit: &'a Arc<Unit>,
    pub(super) worlds: &'a Worlds,
    pub(super) config: &'a Value,
}

impl Twice<'_> {
    /// `baseline` and `test` of a drift test.
    pub(super) async fn drift_test(&self, reference: Frame, current: Frame) -> Result<Option<bool>> {
        let Worlds::DriftTest(Pre(pre)) = self.worlds else { return Ok(None) };
        let (pre, config) = (pre.clone(), self.config.to_string());
        let same = self.unit.call(self.unit.ordinary("test"), move |store| {
            Box::pin(async move {
                let world = pre.instantiate_async(&mut *store).await?;
                let mut answers = Vec::new();
                for _ in 0..2 {
                    // Each round draws from the beginning of the same random numbers, as in a fresh instance.
                    store.data_mut().dice = None;
                    let lent = store.data_mut().table.push(reference.clone())?;
                    let baseline = world.bellwether_drift_test().call_baseline(&mut *store, lent, &config).await?;
                    let baseline = match baseline {
                        Ok(baseline) => baseline,
                        Err(error) => return Ok(Err(answered(error))),
                    };
                    let lent = store.data_mut().table.push(current.clone())?;
                    answers.push(world.bellwether_drift_test().call_test(&mut *store, &baseline, lent, &config).await?);
                }
                Ok(Ok(answers[0] == answers[1]))
            })
        });
        same.await.map(Some)
    }

    /// `update` of a detector, from its start.
    pub(super) async fn drift_detector(&self, values: Vec<f64>) -> Result<Option<bool>> {
        let Worlds::DriftDetector(Pre(pre)) = self.worlds else { return Ok(None) };
        let (pre, config) = (pre.clone(), self.config.to_string());
        let same = self.unit.call(self.unit.ordinary("update"), move |store| {
            Box::pin(async move {
                let world = pre.instantiate_async(&mut *store).await?;
                let mut answers = Vec::new();
                for _ in 0..2 {
                    let start = match world.bellwether_drift_detector().call_start(&mut *store, &config).await? {
                        Ok(start) => start,
                        Err(error) => return Ok(Err(answered(error))),
                    };
                    answers.push(world.bellwether_drift_detector().call_update(&mut *store, &start, &values, &config).await?);
                }
                Ok(Ok(answers[0] == answers[1]))
            })
        });
        same.await.map(Some)
    }

    /// `next` of a strategy.
    pub(super) async fn strategy(&self, view: &bellwether_domain::rollout::RolloutView) -> Result<Option<bool>> {
        let Worlds::DeploymentStrategy(pre) = self.worlds else { return Ok(None) };
        let pre: StrategyPre = pre.clone();
        same_twice(self.unit, pre, view, self.config).await.map(Some)
    }

    /// `fit` of an estimator, with a `predict` in between.
    pub(super) async fn estimator(&self, train: Windows, inputs: Windows) -> Result<Option<bool>> {
        let Worlds::Model(_, Some(Pre(pre))) = self.worlds else { return Ok(None) };
        let (pre, config): (EstimatingPre<State>, String) = (pre.clone(), self.config.to_string());
        let progress = Some(Box::new(|_, _, _, _| true) as crate::GuestProgress);
        let call = Call { function: "fit", timeout: self.unit.limits.fit_timeout, seed: 1, progress };
        let same = self.unit.call(call, move |store| {
            Box::pin(async move {
                let world = pre.instantiate_async(&mut *store).await?;
                let estimator = world.bellwether_model_estimator();
                let mut answers = Vec::new();
                for _ in 0..2 {
                    // Each fit draws from the beginning of the same random numbers, as in a fresh instance.
                    store.data_mut().dice = None;
                    let lent = store.data_mut().table.push(LentWindows(train.clone()))?;
                    let validation = store.data_mut().table.push(LentWindows(train.clone()))?;
                    let state = match estimator.call_fit(&mut *store, lent, validation, &config).await? {
                        Ok(state) => state,
                        Err(error) => return Ok(Err(answered(error))),
                    };
                    let lent = store.data_mut().table.push(LentWindows(inputs.clone()))?;
                    let predicted = estimator.call_predict(&mut *store, &state, lent, &config).await?;
                    answers.push((state, predicted.map(|values| values.into_iter().map(f64::to_bits).collect::<Vec<_>>())));
                }
                Ok(Ok(answers[0] == answers[1]))
            })
        });
        same.await.map(Some)
    }
}
