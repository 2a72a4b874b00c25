//! The model type `ensemble`: several model types trained on the same samples and combined into one prediction.
//!
//! The plan names the members; the host plans and trains each by its own plugin, weighs or stacks them by the validation
//! part and serves them as one version. An ensemble of ensembles is refused: its weights could be multiplied out into one, and its training time could
//! not be told beforehand.
use bellwether_sdk::model::{Combination, Ensemble as Plan, HyperParameter, InputShape, Member, Requirements, Target, TrainingPlan};
use bellwether_sdk::serde_json::{Map, Value};
use bellwether_sdk::{Error, ModelType, Plugin, Result};
use serde::Deserialize;

/// The configuration; the schema states its ranges and defaults.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    members: Vec<MemberConfig>,
    combine: Combine,
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
struct MemberConfig {
    model_type: String,
    #[serde(default)]
    config: Map<String, Value>,
    weight: Option<f64>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Combine {
    Mean,
    Weighted,
    Median,
    Stacking,
}

/// The plugin.
pub struct Ensemble;

impl Plugin for Ensemble {
    const NAME: &'static str = "ensemble";
    const VERSION: &'static str = env!("CARGO_PKG_VERSION");
    const SUMMARY: &'static str = "Several model types together: mean, weighted, median or stacked.";
    const CONFIG_SCHEMA: &'static str = include_str!("../config.schema.json");
    type Config = Config;

    fn check(config: &Config) -> Result<()> {
        let wrong = |why: String| Err(Error::invalid_config(why));
        if config.members.len() < 2 {
            return wrong(format!("`members` has {}; an ensemble has at least two, else name the model type itself", config.members.len()));
        }
        if let Some(place) = config.members.iter().position(|member| member.model_type == Self::NAME) {
            return wrong(format!("`members[{place}]` is an ensemble itself: list its members here instead"));
        }
        check_weights(config)
    }
}

impl ModelType for Ensemble {
    fn requires(_config: &Config) -> Result<Requirements> {
        // No features: where the job names none, each member reads its own, in windows of its own length.
        Ok(Requirements::new(&[], 60, 200))
    }

    fn plan(config: &Config, _input: &InputShape, _target: &Target) -> Result<TrainingPlan> {
        let member = |member: &MemberConfig| Member {
            model_type: member.model_type.clone(),
            config: Value::Object(member.config.clone()).to_string(),
            // All zero: the host weighs by the validation part.
            weight: member.weight.unwrap_or(0.0),
        };
        let combine = match config.combine {
            Combine::Mean => Combination::Mean,
            Combine::Weighted => Combination::Weighted,
            Combine::Median => Combination::Median,
            Combine::Stacking => Combination::Stacking,
        };
        Ok(TrainingPlan::Members(Plan { members: config.members.iter().map(member).collect(), combine }))
    }

    fn search_space() -> Vec<HyperParameter> {
        vec![HyperParameter::choice("combine", ["mean", "weighted", "median", "stacking"])]
    }
}

bellwether_sdk::register!(model: Ensemble);

/// Weights are given to all members or to none, only where they count, and not all of them are 0.
fn check_weights(config: &Config) -> Result<()> {
    let wrong = |why: String| Err(Error::invalid_config(why));
    let given = config.members.iter().filter(|member| member.weight.is_some()).count();
    let all = config.members.len();
    if given == 0 {
        return Ok(());
    }
    if config.combine != Combine::Weighted {
        return wrong(format!("`weight` counts only with `combine` = \"weighted\"; {given} members have one: take them out"));
    }
    if given < all {
        let place = config.members.iter().position(|member| member.weight.is_none()).unwrap_or(0);
        return wrong(format!(
            "`members[{place}]` has no `weight` and others do: give one to every member, or to none to have the host weigh them"
        ));
    }
    if let Some(place) = config.members.iter().position(|member| !member.weight.is_some_and(|weight| weight.is_finite() && weight >= 0.0)) {
        return wrong(format!("`members[{place}].weight` must be 0 or more"));
    }
    if config.members.iter().all(|member| member.weight == Some(0.0)) {
        return wrong("every `weight` is 0: give one above 0, or none to have the host weigh by the validation part".to_owned());
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use bellwether_sdk::model::{Combination, Ensemble as Plan, Task, TrainingPlan};
    use bellwether_sdk::serde_json::{Value, json};
    use bellwether_sdk::testing;

    use super::Ensemble;

    fn plan(config: &Value) -> Plan {
        match testing::plan::<Ensemble>(config, 60, &["body"], Task::Regression).unwrap() {
            TrainingPlan::Members(plan) => plan,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn the_schema_holds() {
        testing::check_schema::<Ensemble>(&json!({}));
        testing::check_search_space::<Ensemble>(&json!({}));
    }

    #[test]
    fn the_default_is_one_of_each_kind_weighed_by_the_host() {
        let plan = plan(&json!({}));
        let members: Vec<(&str, &str, f64)> =
            plan.members.iter().map(|member| (member.model_type.as_str(), member.config.as_str(), member.weight)).collect();
        assert_eq!(members, [("lstm", r#"{"lstm_units":[32]}"#, 0.0), ("gbdt", "{}", 0.0), ("linear", "{}", 0.0)]);
        assert_eq!(plan.combine, Combination::Weighted);
    }

    #[test]
    fn members_weights_and_settings_reach_the_plan() {
        let plan = plan(&json!({
            "members": [{"model_type": "gru", "weight": 2}, {"model_type": "gru", "config": {"gru_units": [8]}, "weight": 0.5}]
        }));
        assert_eq!(plan.members[0].config, "{}");
        assert_eq!((plan.members[0].weight, plan.members[1].weight), (2.0, 0.5));
        assert_eq!(plan.members[1].config, r#"{"gru_units":[8]}"#);
        // The same model twice is two seeds: a deep ensemble.
        assert_eq!(self::plan(&json!({"members": [{"model_type": "gru"}, {"model_type": "gru"}]})).members.len(), 2);
        for (name, expected) in [("mean", Combination::Mean), ("median", Combination::Median), ("stacking", Combination::Stacking)] {
            assert_eq!(self::plan(&json!({ "combine": name })).combine, expected);
        }
    }

    #[test]
    fn what_cannot_be_is_refused() {
        let check = |given: Value, expected: &str| {
            let error = testing::config::<Ensemble>(&given).unwrap_err();
            assert!(error.message().contains(expected), "{given}: {error:?}");
        };
        let members = |members: Value| json!({ "members": members });
        check(members(json!([{"model_type": "lstm"}])), "at least two");
        check(members(json!([{"model_type": "lstm"}, {"model_type": "ensemble"}])), "`members[1]` is an ensemble itself");
        check(members(json!([{"model_type": "lstm", "weight": 1}, {"model_type": "gru"}])), "`members[1]` has no `weight`");
        check(members(json!([{"model_type": "lstm", "weight": 0}, {"model_type": "gru", "weight": 0}])), "every `weight` is 0");
        check(members(json!([{"model_type": "lstm", "weight": -1}, {"model_type": "gru", "weight": 1}])), "`members[0].weight`");
        check(members(json!([{"model_type": "lstm", "seed": 1}, {"model_type": "gru"}])), "seed");
        let mut mean = members(json!([{"model_type": "lstm", "weight": 1}, {"model_type": "gru", "weight": 1}]));
        mean["combine"] = json!("mean");
        check(mean, "counts only with `combine`");
    }
}
