//! Known shapes are found, settings have their effect, one seed gives the same bytes, and what is refused.
use bellwether_sdk::model::{Task, TrainingPlan};
use bellwether_sdk::serde_json::{Value, json};
use bellwether_sdk::{Error, Estimator, ModelType, random, testing};

use super::{Config, Gbdt};

const NAMES: [&str; 10] = ["a", "b", "c", "d", "e", "f", "g", "h", "i", "j"];

fn config(given: &Value) -> Config {
    let mut whole = json!({"window": "last-step"});
    whole.as_object_mut().unwrap().extend(given.as_object().unwrap().clone());
    testing::config::<Gbdt>(&whole).unwrap()
}

struct Sample {
    columns: usize,
    values: Vec<f64>,
    targets: Vec<f64>,
}

impl Sample {
    /// Rows of uniform numbers and what a rule makes of each with a standard normal number.
    fn draw(rows: usize, columns: usize, rule: impl Fn(&[f64], f64) -> f64) -> Sample {
        let values = random::uniform(rows * columns);
        let noise = random::normal(rows);
        let targets = values.chunks(columns).zip(&noise).map(|(row, noise)| rule(row, *noise)).collect();
        Sample { columns, values, targets }
    }

    fn windows(&self) -> bellwether_sdk::data::Windows<'static> {
        testing::windows(&NAMES[..self.columns], 1, &self.values, &self.targets)
    }
}

/// Mean squared error on `test` of what was fitted on `train`, judged by `validation`; and the size of the state.
fn error(config: &Config, train: &Sample, validation: &Sample, test: &Sample) -> (f64, usize) {
    let state = Gbdt::fit(&train.windows(), &validation.windows(), config).unwrap();
    let found = Gbdt::predict(&state, &test.windows(), config).unwrap();
    let squares: f64 = found.iter().zip(&test.targets).map(|(found, target)| (found - target).powi(2)).sum();
    (squares / found.len() as f64, state.len())
}

/// Friedman (1991): five columns that matter, five that do not; variance of the noise 1.
fn friedman(rows: usize) -> Sample {
    Sample::draw(rows, 10, |x, noise| {
        10.0 * (std::f64::consts::PI * x[0] * x[1]).sin() + 20.0 * (x[2] - 0.5).powi(2) + 10.0 * x[3] + 5.0 * x[4] + noise
    })
}

#[test]
fn the_schema_holds() {
    testing::check_schema::<Gbdt>(&json!({}));
    testing::check_search_space::<Gbdt>(&json!({}));
}

#[test]
fn friedmans_function_is_found_to_near_its_noise() {
    let (train, validation, test) = (friedman(4000), friedman(1000), friedman(1000));
    // The best line leaves about 6; the noise alone is 1.
    for growth in ["leaf-wise", "depth-wise"] {
        let (found, size) = error(&config(&json!({ "growth": growth })), &train, &validation, &test);
        assert!(found < 1.5, "{growth}: {found}");
        assert!(size < 200_000, "{size} bytes");
    }
    for loss in ["mae", "huber", "quantile"] {
        let found = error(&config(&json!({ "loss": loss })), &train, &validation, &test).0;
        assert!(found < 1.8, "{loss}: {found}");
    }
}

#[test]
fn what_no_line_can_part_is_parted() {
    let xor = |rows| Sample::draw(rows, 2, |x, _| f64::from(u8::from((x[0] < 0.5) != (x[1] < 0.5))));
    let (train, validation, test) = (xor(2000), xor(500), xor(500));
    let config = config(&json!({"feature_share": 1.0, "learning_rate": 0.2}));
    let state = Gbdt::fit(&train.windows(), &validation.windows(), &config).unwrap();
    let found = Gbdt::predict(&state, &test.windows(), &config).unwrap();
    let right = found.iter().zip(&test.targets).filter(|(found, target)| (**found > 0.5) == (**target > 0.5)).count();
    assert!(right >= 485, "{right} of 500");
    assert!(found.iter().all(|found| (0.0..=1.0).contains(found)));
}

#[test]
fn a_quantile_has_its_share_below() {
    // y = noise · (1 + x): its 0.9 quantile is 1.2816 · (1 + x).
    let draw = |rows| Sample::draw(rows, 1, |x, noise| noise * (1.0 + x[0]));
    let (train, validation, test) = (draw(8000), draw(2000), draw(4000));
    let config = config(&json!({"loss": "quantile", "quantile": 0.9, "max_leaves": 8}));
    let state = Gbdt::fit(&train.windows(), &validation.windows(), &config).unwrap();
    let found = Gbdt::predict(&state, &test.windows(), &config).unwrap();
    let below = found.iter().zip(&test.targets).filter(|(found, target)| target <= found).count();
    assert!((3500..3700).contains(&below), "{below} of 4000 below the 0.9 quantile");
    let ends = Gbdt::predict(&state, &testing::windows(&["a"], 1, &[0.05, 0.95], &[]), &config).unwrap();
    assert!(ends[1] > 1.4 * ends[0], "{ends:?}");
}

#[test]
fn one_tree_of_two_leaves_by_hand() {
    // Targets -1 and 1 in halves: unit variance, mean 0. Each leaf of n rows answers ±n / (n + l2) · learning rate.
    let values: Vec<f64> = (0..8).map(f64::from).collect();
    let targets = [-1.0, -1.0, -1.0, -1.0, 1.0, 1.0, 1.0, 1.5 - 0.5];
    let windows = testing::windows(&["a"], 1, &values, &targets);
    let config = config(&json!({
        "trees": 1, "patience": 0, "learning_rate": 0.5, "max_leaves": 2, "min_child_weight": 1, "l2": 4, "row_share": 1, "feature_share": 1
    }));
    let state = Gbdt::fit(&windows, &windows, &config).unwrap();
    let found = Gbdt::predict(&state, &testing::windows(&["a"], 1, &[-9.0, 3.5, 3.6, 9.0], &[]), &config).unwrap();
    assert_eq!(found, [-0.25, -0.25, 0.25, 0.25]);
}

#[test]
fn noise_is_not_learned() {
    let draw = |rows| Sample::draw(rows, 3, |_, noise| noise);
    let (train, validation, test) = (draw(1000), draw(1000), draw(1000));
    let stopped = error(&config(&json!({})), &train, &validation, &test);
    let grown = error(&config(&json!({"patience": 0})), &train, &validation, &test);
    assert!(stopped.0 < 1.1 && grown.0 > 1.1 * stopped.0, "{stopped:?} {grown:?}");
    assert!(stopped.1 * 5 < grown.1, "the trees after the best are not kept: {stopped:?} {grown:?}");
}

#[test]
fn one_seed_gives_the_same_bytes() {
    // The native generator begins anew in each thread.
    let fit = || {
        let (train, validation) = (friedman(1000), friedman(300));
        Gbdt::fit(&train.windows(), &validation.windows(), &config(&json!({"trees": 40}))).unwrap()
    };
    let [one, two] = [(); 2].map(|()| std::thread::spawn(fit).join().unwrap());
    assert_eq!(one, two);
    let elsewhere = std::thread::spawn(move || {
        let (train, validation) = (friedman(1000), friedman(300));
        random::uniform(1);
        Gbdt::fit(&train.windows(), &validation.windows(), &config(&json!({"trees": 40}))).unwrap()
    });
    assert_ne!(one, elsewhere.join().unwrap());
}

#[test]
fn a_row_alone_is_answered_as_in_company() {
    let sample = friedman(300);
    let config = config(&json!({"trees": 30}));
    let state = Gbdt::fit(&sample.windows(), &sample.windows(), &config).unwrap();
    let together = Gbdt::predict(&state, &sample.windows(), &config).unwrap();
    for (row, expected) in sample.values.chunks(10).zip(&together) {
        let alone = Gbdt::predict(&state, &testing::windows(&NAMES, 1, row, &[]), &config).unwrap();
        assert_eq!(alone, [*expected]);
    }
}

#[test]
fn every_shape_of_row_is_learned_from() {
    // The target is the mean of the first column over three steps, of which the last alone says a third.
    let draw = |rows: usize| {
        let values = random::uniform(rows * 6);
        let targets: Vec<f64> = values.chunks(6).map(|window| (window[0] + window[2] + window[4]) / 3.0).collect();
        (testing::windows(&["a", "b"], 3, &values, &targets), targets)
    };
    let ((train, _), (test, targets)) = (draw(4000), draw(2000));
    for (shape, least, most) in [("summary", 0.95, 1.0), ("flatten", 0.95, 1.0), ("last-step", 0.25, 0.4)] {
        let config = config(&json!({ "window": shape }));
        let state = Gbdt::fit(&train, &test, &config).unwrap();
        let found = Gbdt::predict(&state, &test, &config).unwrap();
        let error: f64 = found.iter().zip(&targets).map(|(found, target)| (found - target).powi(2)).sum::<f64>() / 2000.0;
        let explained = 1.0 - error * 36.0;
        assert!((least..most).contains(&explained), "{shape}: {explained}");
    }
}

#[test]
fn few_rows_and_constant_columns_still_have_an_answer() {
    let windows = testing::windows(&["a", "b"], 1, &[1.0, 5.0, 2.0, 5.0, 3.0, 5.0], &[1.0, 2.0, 6.0]);
    let state = Gbdt::fit(&windows, &windows, &config(&json!({}))).unwrap();
    let found = Gbdt::predict(&state, &windows, &config(&json!({}))).unwrap();
    assert!(found.iter().all(|value| (*value - 3.0).abs() < 1e-12), "too few rows to split: the mean, not {found:?}");
    let none = testing::windows(&["a", "b"], 1, &[], &[]);
    assert_eq!(Gbdt::predict(&state, &none, &config(&json!({}))).unwrap(), [0.0; 0]);
    assert!(Gbdt::fit(&windows, &none, &config(&json!({}))).is_ok());
}

#[test]
fn what_cannot_be_learned_from_is_refused() {
    let check = |values: &[f64], targets: &[f64], expected: &str| {
        let windows = testing::windows(&["a"], 1, values, targets);
        let error = Gbdt::fit(&windows, &windows, &config(&json!({}))).unwrap_err();
        assert!(matches!(error, Error::InvalidInput(_)) && error.message().contains(expected), "{error:?}");
    };
    check(&[1.0, f64::NAN], &[1.0, 2.0], "`a` of sample 1 is NaN");
    check(&[1.0, 2.0], &[f64::NAN, 1.0], "target of training sample 0 is NaN");
    check(&[1.0, 2.0], &[3.0, 3.0], "all 2 training targets are 3");
    check(&[1.0, 2.0], &[0.0, 0.0], "all 2 training targets are 0");
    check(&[], &[], "all 0 training targets");
    check(&[1.0, 2.0], &[f64::MAX, -f64::MAX], "too large");
    let error = testing::config::<Gbdt>(&json!({"growth": "depth-wise", "max_depth": 3})).unwrap_err();
    assert!(error.message().contains("`max_leaves` is 31 and a tree of `max_depth` 3 has at most 8"), "{error:?}");
    let plan = |steps| testing::plan::<Gbdt>(&json!({"window": "flatten"}), steps, &NAMES, Task::Regression);
    assert!(plan(2000).unwrap_err().message().contains("20000 columns"));
    assert!(matches!(plan(20), Ok(TrainingPlan::Guest(guest)) if !guest.scaled && !guest.last_step_only));
    let steps = |window: &str| Gbdt::requires(&config(&json!({ "window": window }))).unwrap().sequence_length;
    assert_eq!((steps("last-step"), steps("summary"), steps("flatten")), (1, 60, 24));
}

#[test]
fn foreign_and_damaged_states_are_refused() {
    let sample = friedman(300);
    let config = config(&json!({"trees": 3, "patience": 0}));
    let windows = sample.windows();
    let state = Gbdt::fit(&windows, &windows, &config).unwrap();
    let check = |state: &[u8], expected: &str| {
        let error = Gbdt::predict(state, &windows, &config).unwrap_err();
        assert!(matches!(error, Error::InvalidInput(_)) && error.message().contains(expected), "{error:?}");
    };
    check(b"foreign", "not a `gbdt` state");
    for length in 16..state.len() {
        check(&state[..length], "damaged");
    }
    // Whatever byte is changed: an answer or an error, never a panic or a number that is not finite.
    for place in 0..state.len() {
        for flipped in [0x01, 0x80, 0xff] {
            let mut changed = state.clone();
            changed[place] ^= flipped;
            if let Ok(found) = Gbdt::predict(&changed, &windows, &config) {
                assert_eq!(found.len(), 300);
            }
        }
    }
    let other = testing::windows(&["z"], 1, &[1.0], &[]);
    assert!(Gbdt::predict(&state, &other, &config).unwrap_err().message().contains("is given [z]"));
}
