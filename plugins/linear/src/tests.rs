//! Known answers: by hand, by scikit-learn (`tests/fixtures`), and what is refused.
use bellwether_sdk::model::{Task, TrainingPlan};
use bellwether_sdk::serde_json::{self, Value, json};
use bellwether_sdk::{Error, Estimator, ModelType, random, testing};

use super::{Config, Linear};

fn config(given: &Value) -> Config {
    testing::config::<Linear>(given).unwrap()
}

fn last_step(strength: f64) -> Config {
    config(&json!({"window": "last-step", "penalties": [strength]}))
}

#[test]
fn the_schema_holds() {
    testing::check_schema::<Linear>(&json!({}));
    testing::check_search_space::<Linear>(&json!({}));
}

#[test]
fn ridge_by_hand() {
    // x has variance 1 and y = 7 + 2·x deviation 2, so the slope 2 shrinks to 2 / (1 + strength).
    let (x, y) = ([-1.0, 1.0, -1.0, 1.0], [5.0, 9.0, 5.0, 9.0]);
    let windows = testing::windows(&["x"], 1, &x, &y);
    let state = Linear::fit(&windows, &windows, &last_step(1.0)).unwrap();
    let found = Linear::predict(&state, &testing::windows(&["x"], 1, &[0.0, 1.0, 3.0], &[]), &last_step(1.0)).unwrap();
    for (found, expected) in found.iter().zip([7.0, 8.0, 10.0]) {
        assert!((found - expected).abs() < 1e-12, "{found} {expected}");
    }
}

#[test]
fn predictions_are_those_of_scikit_learn() {
    let fixture: Value = serde_json::from_str(include_str!("../tests/fixtures/sklearn.json")).unwrap();
    let numbers = |value: &Value| -> Vec<f64> { value.as_array().unwrap().iter().map(|value| value.as_f64().unwrap()).collect() };
    let (x, y, label) = (numbers(&fixture["x"]), numbers(&fixture["y"]), numbers(&fixture["label"]));
    let cases = fixture["cases"].as_array().unwrap();
    assert_eq!(cases.len(), 13);
    for case in cases {
        let is_ridge = case["ratio"] == 0.0;
        let mut given =
            json!({"window": "last-step", "penalties": [case["strength"]], "penalty": if is_ridge { "ridge" } else { "elastic-net" }});
        if !is_ridge {
            given["l1_ratio"] = case["ratio"].clone();
        }
        let config = config(&given);
        let targets = if case["kind"] == "logistic" { &label } else { &y };
        let windows = testing::windows(&["a", "b", "c", "d"], 1, &x, targets);
        let state = Linear::fit(&windows, &windows, &config).unwrap();
        let found = Linear::predict(&state, &windows, &config).unwrap();
        for (found, expected) in found.iter().zip(numbers(&case["predictions"])) {
            assert!((found - expected).abs() < 2e-6 * expected.abs().max(1.0), "{}: {found} {expected}", given);
        }
    }
}

/// Rows of two steps of two features whose target is 1 + 2·(last a) − 3·(first b) and noise.
fn sample(rows: usize, noise: f64) -> (Vec<f64>, Vec<f64>) {
    let numbers = random::normal(rows * 4);
    let noises = random::normal(rows);
    let target = |(row, noise_drawn): (&[f64], &f64)| 1.0 + 2.0 * row[2] - 3.0 * row[1] + noise * noise_drawn;
    let targets = numbers.chunks(4).zip(&noises).map(target).collect();
    (numbers, targets)
}

#[test]
fn a_flattened_window_has_memory_and_its_last_step_has_not() {
    let (values, targets) = sample(2000, 0.0);
    let windows = testing::windows(&["a", "b"], 2, &values, &targets);
    let error = |window: &str| {
        let config = config(&json!({"window": window, "penalties": [0.000001]}));
        let state = Linear::fit(&windows, &windows, &config).unwrap();
        let found = Linear::predict(&state, &windows, &config).unwrap();
        found.iter().zip(&targets).map(|(found, target)| (found - target).powi(2)).sum::<f64>() / targets.len() as f64
    };
    assert!(error("flatten") < 1e-6, "{}", error("flatten"));
    // b's first step is half of the sum that is known of it: its mean over two steps and its last.
    assert!(error("summary") < 1e-6, "{}", error("summary"));
    assert!((error("last-step") - 9.0).abs() < 1.0, "{}", error("last-step"));
}

#[test]
fn the_validation_part_picks_the_penalty() {
    // 40 columns of noise and 60 rows: the weakest penalty fits the noise, the strongest ignores what there is.
    let columns: Vec<String> = (0..40).map(|column| format!("x{column}")).collect();
    let names: Vec<&str> = columns.iter().map(String::as_str).collect();
    let draw = |rows: usize| {
        let values = random::normal(rows * 40);
        let noise = random::normal(rows);
        let targets: Vec<f64> = values.chunks(40).zip(&noise).map(|(row, noise)| 3.0 * row[0] + 2.0 * noise).collect();
        (values, targets)
    };
    let ((values, targets), (judge, judge_targets)) = (draw(60), draw(2000));
    let (train, validation) = (testing::windows(&names, 1, &values, &targets), testing::windows(&names, 1, &judge, &judge_targets));
    let error = |given: Value| {
        let config = config(&given);
        let state = Linear::fit(&train, &validation, &config).unwrap();
        let found = Linear::predict(&state, &validation, &config).unwrap();
        found.iter().zip(&judge_targets).map(|(found, target)| (found - target).powi(2)).sum::<f64>()
    };
    for penalty in ["ridge", "elastic-net"] {
        let of = |strengths: &[f64]| error(json!({"window": "last-step", "penalty": penalty, "penalties": strengths}));
        let grid = [0.0001, 0.01, 0.3, 1.0, 100.0];
        let least = grid.iter().map(|strength| of(&[*strength])).fold(f64::INFINITY, f64::min);
        // Coordinate descent began elsewhere in the grid: equal but for its tolerance.
        assert!((of(&grid) / least - 1.0).abs() < 1e-6);
        assert!(least < 0.9 * of(&[0.0001]) && least < of(&[100.0]));
    }
}

#[test]
fn probabilities_follow_the_odds() {
    let x = random::normal(4000);
    let dice = random::uniform(4000);
    let label: Vec<f64> =
        x.iter().zip(&dice).map(|(x, dice)| f64::from(u8::from(*dice < 1.0 / (1.0 + (-(0.5 + 2.0 * x)).exp())))).collect();
    let windows = testing::windows(&["x"], 1, &x, &label);
    let config = last_step(1e-6);
    let state = Linear::fit(&windows, &windows, &config).unwrap();
    let found = Linear::predict(&state, &testing::windows(&["x"], 1, &[0.0, 1.0, -1e9, 1e9], &[]), &config).unwrap();
    assert!((found[0] - 0.622).abs() < 0.04 && (found[1] - 0.924).abs() < 0.02, "{found:?}");
    assert_eq!(found[2..], [0.0, 1.0]);
}

#[test]
fn classes_that_a_line_parts_still_have_an_answer() {
    let windows = testing::windows(&["x"], 1, &[-2.0, -1.0, 1.0, 2.0], &[0.0, 0.0, 1.0, 1.0]);
    let config = config(&json!({"window": "last-step"}));
    let state = Linear::fit(&windows, &windows, &config).unwrap();
    let found = Linear::predict(&state, &windows, &config).unwrap();
    assert!(found[0] < 0.02 && found[3] > 0.98, "{found:?}");
}

#[test]
fn the_same_data_give_the_same_bytes_and_constants_no_harm() {
    let (mut values, targets) = sample(300, 1.0);
    values.chunks_mut(2).for_each(|row| row[0] = 1e6);
    let windows = testing::windows(&["a", "b"], 2, &values, &targets);
    for penalty in ["ridge", "elastic-net"] {
        let config = config(&json!({ "penalty": penalty }));
        let state = Linear::fit(&windows, &windows, &config).unwrap();
        assert_eq!(state, Linear::fit(&windows, &windows, &config).unwrap());
        let found = Linear::predict(&state, &windows, &config).unwrap();
        assert!(found.iter().all(|value| value.is_finite()));
    }
}

#[test]
fn what_cannot_be_learned_from_is_refused() {
    let check = |result: bellwether_sdk::Result<Vec<u8>>, expected: &str| {
        let error = result.unwrap_err();
        assert!(matches!(error, Error::InvalidInput(_)) && error.message().contains(expected), "{error:?}");
    };
    let fit = |values: &[f64], targets: &[f64]| {
        let windows = testing::windows(&["x"], 1, values, targets);
        Linear::fit(&windows, &windows, &last_step(1.0))
    };
    check(fit(&[1.0, f64::NAN], &[1.0, 2.0]), "`x` of sample 1 is NaN");
    check(fit(&[1.0, 2.0], &[1.0, f64::INFINITY]), "target of training sample 1 is inf");
    check(fit(&[1.0, 2.0], &[1.0, 1.0]), "all 2 training targets are 1");
    check(fit(&[], &[]), "all 0 training targets");
    check(fit(&[f64::MAX, -f64::MAX], &[1.0, 2.0]), "too large");
    check(fit(&[1.0, 2.0], &[f64::MAX, -f64::MAX]), "too large");
    let (train, none) = (testing::windows(&["x"], 1, &[1.0, 2.0], &[1.0, 2.0]), testing::windows(&["x"], 1, &[], &[]));
    check(Linear::fit(&train, &none, &config(&json!({"window": "last-step"}))), "no validation samples to pick one by");
    assert!(Linear::fit(&train, &none, &last_step(1.0)).is_ok());
    let wide = testing::plan::<Linear>(&json!({}), 300, &["a"; 9], Task::Regression).unwrap_err();
    assert!(wide.message().contains("rows of 2700 numbers; 1 to 2000"), "{wide:?}");
    assert!(testing::config::<Linear>(&json!({"penalties": [0.0]})).is_err());
}

#[test]
fn foreign_and_damaged_states_are_refused() {
    let (values, targets) = sample(50, 1.0);
    let windows = testing::windows(&["a", "b"], 2, &values, &targets);
    let config = config(&json!({}));
    let state = Linear::fit(&windows, &windows, &config).unwrap();
    let check = |state: &[u8], expected: &str| {
        let error = Linear::predict(state, &windows, &config).unwrap_err();
        assert!(matches!(error, Error::InvalidInput(_)) && error.message().contains(expected), "{error:?}");
    };
    check(b"foreign", "not a `linear` state");
    for length in 18..state.len() {
        check(&state[..length], "damaged");
    }
    let mut lying = state.clone();
    let strength = lying.len() - 8;
    lying[strength - 8..strength].copy_from_slice(&f64::NAN.to_le_bytes());
    check(&lying, "not finite");
    let other = testing::windows(&["a", "b"], 1, &values, &[]);
    let error = Linear::predict(&state, &other, &config).unwrap_err();
    assert!(error.message().contains("windows of 2 steps and is given 1"), "{error:?}");
    let huge = testing::windows(&["a", "b"], 2, &[f64::MAX; 4], &[]);
    let error = Linear::predict(&state, &huge, &config).unwrap_err();
    assert!(error.message().contains("numbers of sample 0 are too large"), "{error:?}");
}

#[test]
fn the_plan_says_what_it_reads() {
    let plan = |window: &str| testing::plan::<Linear>(&json!({ "window": window }), 24, &["a"], Task::Binary).unwrap();
    assert!(matches!(plan("last-step"), TrainingPlan::Guest(guest) if guest.last_step_only && guest.scaled));
    assert!(matches!(plan("flatten"), TrainingPlan::Guest(guest) if !guest.last_step_only));
    let steps = |window: &str| Linear::requires(&config(&json!({ "window": window }))).unwrap().sequence_length;
    assert_eq!((steps("last-step"), steps("summary")), (1, 24));
}
