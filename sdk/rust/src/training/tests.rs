//! Settings reach the network's training; what does not go together is refused with the setting's name.
use serde::Deserialize;

use super::TrainingOptions;
use crate::model::Task;
use crate::network::{Adam, EarlyStopping, Loss, Optimizer, Schedule, Sgd, Training};
use crate::serde_json::{Value, json};
use crate::{Plugin, Result, testing};

#[derive(Debug, Deserialize)]
struct Config {
    width: u32,
    #[serde(flatten)]
    training: TrainingOptions,
}

struct Sample;

impl Plugin for Sample {
    const NAME: &'static str = "sample";
    const VERSION: &'static str = "0.1.0";
    const SUMMARY: &'static str = "A plugin with the shared settings.";
    const CONFIG_SCHEMA: &'static str = crate::training_schema!(
        r#"{"type": "object", "additionalProperties": false, "properties": {"width": {"type": "integer", "default": 3, "description": "Å."}}}"#,
        learning_rate: 5e-4
    );
    type Config = Config;

    fn check(config: &Config) -> Result<()> {
        config.training.check()
    }
}

fn options(given: &Value) -> TrainingOptions {
    testing::config::<Sample>(given).unwrap().training
}

#[test]
fn the_fragment_makes_a_schema_with_defaults_for_every_setting() {
    testing::check_schema::<Sample>(&json!({}));
    let config = testing::config::<Sample>(&json!({})).unwrap();
    assert_eq!((config.width, config.training.learning_rate), (3, 5e-4));
    assert_eq!(config.training.training(), Training { learning_rate: 5e-4, ..Training::default() });
}

#[test]
fn each_optimizer_and_schedule_carries_its_numbers() {
    let optimizer = |given: Value| options(&given).training().optimizer;
    assert_eq!(
        optimizer(json!({"optimizer": "sgd", "momentum": 0.8, "nesterov": true, "weight_decay": 0.1})),
        Optimizer::Sgd(Sgd { momentum: 0.8, nesterov: true, weight_decay: 0.1 })
    );
    let decayed = Adam { weight_decay: 0.1, ..Adam::default() };
    assert_eq!(optimizer(json!({"optimizer": "adam", "weight_decay": 0.1})), Optimizer::Adam(decayed));
    assert_eq!(optimizer(json!({"optimizer": "adamw", "weight_decay": 0.1})), Optimizer::Adamw(decayed));
    let schedule = |given: Value| options(&given).training().schedule;
    assert_eq!(schedule(json!({})), Schedule::Constant);
    assert_eq!(schedule(json!({"schedule": "step", "step_epochs": 7, "decay_factor": 0.2})), Schedule::Step((7, 0.2)));
    assert_eq!(schedule(json!({"schedule": "cosine", "cosine_floor": 0.01})), Schedule::Cosine(0.01));
    assert_eq!(schedule(json!({"schedule": "warm-up", "warm_up_steps": 400})), Schedule::WarmUp(400));
    assert_eq!(schedule(json!({"schedule": "one-cycle", "rise_share": 0.4})), Schedule::OneCycle(0.4));
    let plateau = json!({"schedule": "reduce-on-plateau", "plateau_patience": 2, "decay_factor": 0.1});
    assert_eq!(schedule(plateau), Schedule::ReduceOnPlateau((2, 0.1)));
}

#[test]
fn zero_switches_clipping_and_stopping_off() {
    let training = options(&json!({"clip_norm": 0, "patience": 0})).training();
    assert_eq!((training.clip_norm, training.early_stopping), (None, None));
    let stopping = options(&json!({"patience": 3, "min_delta": 0.5})).training().early_stopping;
    assert_eq!(stopping, Some(EarlyStopping { patience: 3, min_delta: 0.5, restore_best: true }));
}

#[test]
fn the_output_is_as_wide_as_the_loss_wants() {
    let check = |given: Value, task: Task, loss: Loss, width: u32| {
        let options = options(&given);
        assert_eq!((options.loss(task), options.width(task)), (loss, width), "{given}");
    };
    check(json!({}), Task::Regression, Loss::Mse, 1);
    check(json!({"loss": "huber", "huber_delta": 2}), Task::Regression, Loss::Huber(2.0), 1);
    check(json!({"loss": "quantile"}), Task::Regression, Loss::Quantile(vec![0.05, 0.5, 0.95]), 3);
    check(json!({"loss": "gaussian"}), Task::Regression, Loss::GaussianNll, 2);
    check(json!({"loss": "gaussian"}), Task::Binary, Loss::Bce, 1);
}

#[test]
fn what_does_not_go_together_is_refused() {
    let check = |given: Value, expected: &str| {
        let error = testing::config::<Sample>(&given).unwrap_err();
        assert!(error.message().contains(expected), "{given}: {error:?}");
    };
    check(json!({"quantiles": [0.1, 0.9]}), "`quantiles` is [0.1, 0.9] and lacks 0.5");
    check(json!({"quantiles": [0.5, 0.1]}), "0.5 stands before 0.1");
    check(json!({"quantiles": [0.5, 0.5]}), "must ascend");
    check(json!({"quantiles": [0.5, 1.5]}), "1.5 is not between 0 and 1");
    check(json!({"optimizer": "sgd", "momentum": 0, "nesterov": true}), "`momentum` is 0");
    check(json!({"schedule": "reduce-on-plateau", "patience": 5}), "`plateau_patience` is 5");
    check(json!({"loss": "mape"}), "mape");
}
