//! Calls of the `model` worlds.

use std::sync::Arc;

use bellwether_domain::error::PluginFault;
use bellwether_domain::feature::Feature;
use bellwether_domain::network::Network;
use bellwether_domain::target::{Target, Task};
use bellwether_domain::{Error, Result};
use serde_json::{Value, json};

use crate::Windows;
use crate::bindings::guest_model::EstimatingPre;
use crate::bindings::model::ModelPre;
use crate::bindings::model::exports::bellwether::model::planner as wit;
use crate::call::{Call, Unit, answered, bad, finite, json_object};
use crate::host::data::LentWindows;
use crate::load::Pre;
use crate::state::State;

mod network;

/// What the model will be shown.
#[derive(Debug, Clone, PartialEq)]
pub struct InputShape {
    /// Steps per window.
    pub sequence_length: u32,
    /// Features by name.
    pub features: Vec<String>,
}

/// What the host is to train.
#[derive(Debug, Clone, PartialEq)]
pub enum Plan {
    /// A network.
    Network(Network),
    /// Several model types together: (model type, config, weight), and `mean`, `weighted`, `median` or `stacking`. Weights
    /// that are all 0 ask the host to weigh the members by their validation loss.
    Members(Vec<(String, Value, f64)>, String),
    /// The component's own estimator.
    Guest {
        /// It wants scaled features.
        scaled: bool,
        /// It reads only the last step of each window.
        last_step_only: bool,
    },
}

/// What a model needs before it can be planned.
#[derive(Debug, Clone, PartialEq)]
pub struct Requirements {
    /// Features it wants when the job names none.
    pub features: Vec<Feature>,
    /// Steps per window when the job names none.
    pub sequence_length: u32,
    /// Least training samples.
    pub least_rows: u32,
}

/// Called with (done, total, train loss, validation loss); false asks the guest to stop.
pub type GuestProgress = Box<dyn FnMut(u32, u32, f64, f64) -> bool + Send>;

/// A model type. `config` is one made by [`crate::PluginHost::configure`].
#[derive(Debug)]
pub struct ModelPlugin {
    unit: Arc<Unit>,
    pre: Pre<ModelPre<State>>,
    estimator: Option<Pre<EstimatingPre<State>>>,
}

impl ModelPlugin {
    pub(crate) fn new(unit: Arc<Unit>, pre: ModelPre<State>, estimator: Option<EstimatingPre<State>>) -> ModelPlugin {
        ModelPlugin { unit, pre: Pre(pre), estimator: estimator.map(Pre) }
    }

    /// The instance's name.
    pub fn name(&self) -> &str {
        self.unit.name()
    }

    /// What the model needs.
    pub async fn requirements(&self, config: &Value) -> Result<Requirements> {
        let (pre, config) = (self.pre.0.clone(), config.to_string());
        self.unit
            .call(self.unit.ordinary("requires"), move |store| {
                Box::pin(async move {
                    let world = pre.instantiate_async(&mut *store).await?;
                    let needs = world.bellwether_model_planner().call_requires(&mut *store, &config).await?;
                    Ok(needs.map_err(answered).and_then(requirements))
                })
            })
            .await
    }

    /// What to train.
    pub async fn plan(&self, config: &Value, input: &InputShape, target: Target) -> Result<Plan> {
        let (pre, config) = (self.pre.0.clone(), config.to_string());
        let input = wit::InputShape { sequence_length: input.sequence_length, features: input.features.clone() };
        let task = match target.task() {
            Task::Regression => wit::Task::Regression,
            Task::Binary => wit::Task::Binary,
        };
        let target = wit::Target { kind: target.kind.name().to_owned(), horizon: target.horizon, task };
        let has_estimator = self.estimator.is_some();
        self.unit
            .call(self.unit.ordinary("plan"), move |store| {
                Box::pin(async move {
                    let world = pre.instantiate_async(&mut *store).await?;
                    let plan = world.bellwether_model_planner().call_plan(&mut *store, &config, &input, &target).await?;
                    Ok(plan.map_err(answered).and_then(|plan| planned(plan, has_estimator)))
                })
            })
            .await
    }

    /// Settings worth tuning: an array of {name, range: {kind, low, high, log} | {kind: choice, values}}.
    pub async fn search_space(&self) -> Result<Value> {
        let pre = self.pre.0.clone();
        self.unit
            .call(self.unit.ordinary("search-space"), move |store| {
                Box::pin(async move {
                    let world = pre.instantiate_async(&mut *store).await?;
                    let space = world.bellwether_model_planner().call_search_space(&mut *store).await?;
                    Ok(space.into_iter().map(hyper_parameter).collect::<Result<Vec<Value>, PluginFault>>().map(Value::Array))
                })
            })
            .await
    }

    /// Fits a guest model; returns its state. Errors: `Unsupported` answers when the component has no estimator.
    pub async fn fit(&self, config: &Value, train: Windows, validation: Windows, seed: u64, progress: GuestProgress) -> Result<Vec<u8>> {
        train.check()?;
        validation.check()?;
        let (pre, config) = (self.estimator("fit")?, config.to_string());
        let call = Call { function: "fit", timeout: self.unit.limits.fit_timeout, seed, progress: Some(progress) };
        self.unit
            .call(call, move |store| {
                Box::pin(async move {
                    let world = pre.instantiate_async(&mut *store).await?;
                    let train = store.data_mut().table.push(LentWindows(train))?;
                    let validation = store.data_mut().table.push(LentWindows(validation))?;
                    let state = world.bellwether_model_estimator().call_fit(&mut *store, train, validation, &config).await?;
                    Ok(state.map_err(answered))
                })
            })
            .await
    }

    /// Predicts with a guest model's state; one finite number per window, else `BadAnswer`.
    pub async fn predict(&self, config: &Value, state: &[u8], inputs: Windows) -> Result<Vec<f64>> {
        inputs.check()?;
        let (pre, config, state) = (self.estimator("predict")?, config.to_string(), state.to_vec());
        let samples = inputs.ends.len();
        self.unit
            .call(self.unit.ordinary("predict"), move |store| {
                Box::pin(async move {
                    let world = pre.instantiate_async(&mut *store).await?;
                    let inputs = store.data_mut().table.push(LentWindows(inputs))?;
                    let predicted = world.bellwether_model_estimator().call_predict(&mut *store, &state, inputs, &config).await?;
                    Ok(predicted.map_err(answered).and_then(|predicted| predictions(predicted, samples)))
                })
            })
            .await
    }

    fn estimator(&self, function: &str) -> Result<EstimatingPre<State>> {
        self.estimator.as_ref().map(|pre| pre.0.clone()).ok_or_else(|| Error::Plugin {
            plugin: self.name().to_owned(),
            function: function.to_owned(),
            fault: PluginFault::Answered("unsupported".to_owned(), "the component does not export bellwether:model/estimator".to_owned()),
        })
    }
}

fn requirements(needs: wit::Requirements) -> Result<Requirements, PluginFault> {
    let feature = |text: &String| text.parse::<Feature>().map_err(|error| bad(format!("`features` holds `{text}`: {error}")));
    if needs.sequence_length == 0 {
        return Err(bad("`sequence-length` is 0; a window has at least one step"));
    }
    Ok(Requirements {
        features: needs.features.iter().map(feature).collect::<Result<Vec<Feature>, PluginFault>>()?,
        sequence_length: needs.sequence_length,
        least_rows: needs.least_rows,
    })
}

fn planned(plan: wit::TrainingPlan, has_estimator: bool) -> Result<Plan, PluginFault> {
    match plan {
        wit::TrainingPlan::Network(network) => Ok(Plan::Network(network::from_guest(network)?)),
        wit::TrainingPlan::Members(ensemble) => members(ensemble),
        wit::TrainingPlan::Guest(_) if !has_estimator => {
            Err(bad("the plan is `guest`, but the component does not export bellwether:model/estimator"))
        }
        wit::TrainingPlan::Guest(model) => Ok(Plan::Guest { scaled: model.scaled, last_step_only: model.last_step_only }),
    }
}

fn members(ensemble: wit::Ensemble) -> Result<Plan, PluginFault> {
    if ensemble.members.len() < 2 {
        return Err(bad(format!("an ensemble has at least two members, not {}", ensemble.members.len())));
    }
    let combine = match ensemble.combine {
        wit::Combination::Mean => "mean",
        wit::Combination::Weighted => "weighted",
        wit::Combination::Median => "median",
        wit::Combination::Stacking => "stacking",
    };
    let member = |member: wit::Member| {
        let config = json_object("config", &member.config)?;
        let weight = finite("weight", member.weight)?;
        if weight < 0.0 {
            Err(bad(format!("`weight` of member `{}` is {weight}", member.model_type)))
        } else {
            Ok((member.model_type, config, weight))
        }
    };
    let members = ensemble.members.into_iter().map(member).collect::<Result<Vec<_>, PluginFault>>()?;
    Ok(Plan::Members(members, combine.to_owned()))
}

fn hyper_parameter(parameter: wit::HyperParameter) -> Result<Value, PluginFault> {
    let name = parameter.name;
    let ascending = |good: bool| if good { Ok(()) } else { Err(bad(format!("the range of `{name}` does not ascend"))) };
    let above_zero = |good: bool| if good { Ok(()) } else { Err(bad(format!("the range of `{name}` is by ratio and must begin above 0"))) };
    let range = match parameter.values {
        wit::Range::Whole((low, high, log)) => {
            ascending(low <= high)?;
            above_zero(!log || low > 0)?;
            json!({"kind": "whole", "low": low, "high": high, "log": log})
        }
        wit::Range::Real((low, high, log)) => {
            ascending(finite("low", low)? <= finite("high", high)?)?;
            above_zero(!log || low > 0.0)?;
            json!({"kind": "real", "low": low, "high": high, "log": log})
        }
        wit::Range::Choice(values) => {
            let parsed = values.iter().map(|text| serde_json::from_str(text)).collect::<Result<Vec<Value>, _>>();
            let values = parsed.map_err(|error| bad(format!("a choice of `{name}` is not JSON: {error}")))?;
            if values.is_empty() {
                return Err(bad(format!("`{name}` has no choice")));
            }
            json!({"kind": "choice", "values": values})
        }
    };
    Ok(json!({"name": name, "range": range}))
}

fn predictions(predicted: Vec<f64>, samples: usize) -> Result<Vec<f64>, PluginFault> {
    if predicted.len() != samples {
        return Err(bad(format!("it predicted {} numbers for {samples} samples", predicted.len())));
    }
    match predicted.iter().position(|value| !value.is_finite()) {
        None => Ok(predicted),
        Some(place) => Err(bad(format!("prediction {place} is {}; it must be finite", predicted[place]))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn search_spaces_become_json() {
        let check = |values: wit::Range, expected: Result<Value, &str>| match (
            hyper_parameter(wit::HyperParameter { name: "units".to_owned(), values }),
            expected,
        ) {
            (Ok(found), Ok(expected)) => assert_eq!(found["range"], expected),
            (Err(fault), Err(part)) => assert!(fault.to_string().contains(part), "{fault}"),
            (found, expected) => panic!("{found:?} against {expected:?}"),
        };
        check(wit::Range::Whole((8, 64, true)), Ok(json!({"kind": "whole", "low": 8, "high": 64, "log": true})));
        check(wit::Range::Real((0.1, 0.2, false)), Ok(json!({"kind": "real", "low": 0.1, "high": 0.2, "log": false})));
        check(wit::Range::Choice(vec!["\"relu\"".to_owned(), "3".to_owned()]), Ok(json!({"kind": "choice", "values": ["relu", 3]})));
        check(wit::Range::Whole((64, 8, false)), Err("does not ascend"));
        check(wit::Range::Real((0.0, 1.0, true)), Err("begin above 0"));
        check(wit::Range::Real((f64::NAN, 1.0, false)), Err("finite"));
        check(wit::Range::Choice(vec!["relu".to_owned()]), Err("not JSON"));
        check(wit::Range::Choice(vec![]), Err("no choice"));
    }

    #[test]
    fn predictions_are_as_many_as_samples_and_finite() {
        assert_eq!(predictions(vec![1.0, 2.0], 2).expect("good"), [1.0, 2.0]);
        assert!(predictions(vec![1.0], 2).expect_err("short").to_string().contains("1 numbers for 2 samples"));
        assert!(predictions(vec![1.0, f64::NAN], 2).expect_err("NaN").to_string().contains("prediction 1 is NaN"));
    }

    #[test]
    fn plans_are_judged() {
        let member = |weight| wit::Member { model_type: "lstm".to_owned(), config: "{}".to_owned(), weight };
        let ensemble = |members, combine| planned(wit::TrainingPlan::Members(wit::Ensemble { members, combine }), false);
        let Ok(Plan::Members(members, combine)) = ensemble(vec![member(1.0), member(0.0)], wit::Combination::Weighted) else {
            panic!("members")
        };
        assert_eq!((members.len(), combine.as_str()), (2, "weighted"));
        ensemble(vec![member(1.0)], wit::Combination::Mean).expect_err("one member");
        ensemble(vec![member(0.0), member(0.0)], wit::Combination::Weighted).expect("weighed by the host");
        ensemble(vec![member(1.0), member(-1.0)], wit::Combination::Weighted).expect_err("negative weight");
        let guest = wit::GuestModel { scaled: true, last_step_only: false };
        planned(wit::TrainingPlan::Guest(guest), false).expect_err("no estimator");
        assert_eq!(planned(wit::TrainingPlan::Guest(guest), true).expect("guest"), Plan::Guest { scaled: true, last_step_only: false });
    }
}
