//! `{{name}}`: ridge regression on the last step of each window.
//!
//! Minimises the sum of (y - b0 - Σ b_j x_j)² + penalty · Σ b_j²; the intercept b0 is not penalised. The host scales the
//! features, so one penalty suits all of them. The normal equations are solved by elimination with pivots.
use bellwether_sdk::data::Windows;
use bellwether_sdk::model::{
    GuestModel, HyperParameter, InputShape, Requirements, Rows, STATIONARY_FEATURES, Target, Task,
    TrainingPlan, check_features, read_targets,
};
use bellwether_sdk::state::{Reader, Writer};
use bellwether_sdk::{Error, Estimator, ModelType, Plugin, Result};
use serde::Deserialize;

/// What the operator may set. The schema has the ranges and the defaults, so every field is always there.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    penalty: f64,
}

/// The plugin. It has no fields: what was learned goes through the host as bytes.
pub struct {{Pascal}};

impl Plugin for {{Pascal}} {
    const NAME: &'static str = "{{name}}";
    const VERSION: &'static str = env!("CARGO_PKG_VERSION");
    const SUMMARY: &'static str = "Ridge regression on the last step of each window.";
    const CONFIG_SCHEMA: &'static str = include_str!("../config.schema.json");
    type Config = Config;
}

impl ModelType for {{Pascal}} {
    /// Features and window when the job names none, and the least training samples.
    fn requires(_config: &Config) -> Result<Requirements> {
        Ok(Requirements::new(STATIONARY_FEATURES, 1, 50))
    }

    /// A model that is no network fits itself: the host calls `fit` and `predict` below.
    fn plan(_config: &Config, _input: &InputShape, target: &Target) -> Result<TrainingPlan> {
        match target.task {
            Task::Regression => Ok(TrainingPlan::Guest(GuestModel {
                scaled: true,
                last_step_only: true,
            })),
            Task::Binary => Err(Error::unsupported(format!(
                "this model predicts real numbers, and the target `{}` is a probability",
                target.kind
            ))),
        }
    }

    fn search_space() -> Vec<HyperParameter> {
        vec![HyperParameter::real_log("penalty", 1e-4, 1e4)]
    }
}

impl Estimator for {{Pascal}} {
    fn fit(train: &Windows, _validation: &Windows, config: &Config) -> Result<Vec<u8>> {
        let targets = read_targets(train, "training")?;
        let features = train.features();
        let size = features.len() + 1;
        // Sums of x_i · x_j and, in the last column, x_i · y; x_0 is 1.
        let mut sums = vec![vec![0.0; size + 1]; size];
        Rows::LastStep.for_each(train, |sample, row| {
            let number = |place: usize| if place == 0 { 1.0 } else { row[place - 1] };
            for (i, line) in sums.iter_mut().enumerate() {
                for (j, sum) in line[..size].iter_mut().enumerate() {
                    *sum += number(i) * number(j);
                }
                line[size] += number(i) * targets[sample as usize];
            }
        })?;
        for (place, line) in sums.iter_mut().enumerate().skip(1) {
            line[place] += config.penalty;
        }
        let coefficients = solve(sums).ok_or_else(|| {
            Error::invalid_input("the samples are too few, or their features too alike or too large: raise `penalty`")
        })?;
        let mut writer = Writer::new(Self::NAME, 1);
        writer.texts(&features);
        writer.numbers(&coefficients);
        Ok(writer.finish())
    }

    fn predict(state: &[u8], inputs: &Windows, _config: &Config) -> Result<Vec<f64>> {
        let mut reader = Reader::open(state, Self::NAME, 1)?;
        let (features, coefficients) = (reader.texts()?, reader.numbers()?);
        reader.finish()?;
        if coefficients.len() != features.len() + 1 {
            return Err(Error::invalid_input(
                "the state is damaged: it has not one coefficient per feature",
            ));
        }
        check_features(Rows::LastStep, &features, 1, inputs)?;
        let mut predictions = Vec::new();
        Rows::LastStep.for_each(inputs, |_, row| {
            let terms = row
                .iter()
                .zip(&coefficients[1..])
                .map(|(value, weight)| value * weight);
            predictions.push(coefficients[0] + terms.sum::<f64>());
        })?;
        match predictions
            .iter()
            .position(|prediction| !prediction.is_finite())
        {
            None => Ok(predictions),
            Some(sample) => Err(Error::invalid_input(format!(
                "the numbers of sample {sample} are too large"
            ))),
        }
    }
}

bellwether_sdk::register!(guest_model: {{Pascal}});

/// Solves the equations whose last column is the right side; none when they have no one finite solution.
fn solve(mut lines: Vec<Vec<f64>>) -> Option<Vec<f64>> {
    let size = lines.len();
    for column in 0..size {
        let largest =
            |a: &usize, b: &usize| lines[*a][column].abs().total_cmp(&lines[*b][column].abs());
        let pivot = (column..size).max_by(largest)?;
        lines.swap(column, pivot);
        let top = lines[column].clone();
        if top[column].is_nan() || top[column].abs() <= f64::MIN_POSITIVE {
            return None;
        }
        for line in &mut lines[column + 1..] {
            let factor = line[column] / top[column];
            for (value, above) in line.iter_mut().zip(&top).skip(column) {
                *value -= factor * above;
            }
        }
    }
    let mut solution = vec![0.0; size];
    for place in (0..size).rev() {
        let known: f64 = (place + 1..size)
            .map(|other| lines[place][other] * solution[other])
            .sum();
        solution[place] = (lines[place][size] - known) / lines[place][place];
    }
    solution
        .iter()
        .all(|value| value.is_finite())
        .then_some(solution)
}

#[cfg(test)]
mod tests {
    use bellwether_sdk::serde_json::json;
    use bellwether_sdk::{Error, Estimator, Result, random, testing};

    use super::{{Pascal}};

    /// y = 1 + 2a - 3b.
    fn sample(rows: usize) -> (Vec<f64>, Vec<f64>) {
        let numbers = random::normal(rows * 2);
        let targets = numbers
            .chunks(2)
            .map(|row| 1.0 + 2.0 * row[0] - 3.0 * row[1])
            .collect();
        (numbers, targets)
    }

    fn run(penalty: f64, inputs: &[f64]) -> Result<Vec<f64>> {
        let config = testing::config::<{{Pascal}}>(&json!({"penalty": penalty}))?;
        let (values, targets) = sample(200);
        let train = testing::windows(&["a", "b"], 1, &values, &targets);
        let state = {{Pascal}}::fit(&train, &train, &config)?;
        {{Pascal}}::predict(
            &state,
            &testing::windows(&["a", "b"], 1, inputs, &[]),
            &config,
        )
    }

    #[test]
    fn the_schema_holds() {
        testing::check_schema::<{{Pascal}}>(&json!({}));
        testing::check_search_space::<{{Pascal}}>(&json!({}));
    }

    #[test]
    fn it_finds_the_line_it_was_drawn_from() {
        let found = run(0.0, &[0.5, -1.0, 0.0, 0.0]).unwrap();
        assert!(
            (found[0] - 5.0).abs() < 1e-9 && (found[1] - 1.0).abs() < 1e-9,
            "{found:?}"
        );
        let shrunk = run(1e9, &[0.5, -1.0]).unwrap();
        assert!((shrunk[0] - found[1]).abs() < 1.0, "{shrunk:?}");
    }

    #[test]
    fn what_cannot_be_used_is_refused() {
        assert!(matches!(
            run(1.0, &[f64::NAN, 0.0]),
            Err(Error::InvalidInput(_))
        ));
        let config = testing::config::<{{Pascal}}>(&json!({"penalty": 0})).unwrap();
        let one = testing::windows(&["a", "b"], 1, &[1.0, 2.0], &[3.0]);
        assert!(matches!(
            {{Pascal}}::fit(&one, &one, &config),
            Err(Error::InvalidInput(_))
        ));
        assert!(matches!(
            {{Pascal}}::predict(b"foreign", &one, &config),
            Err(Error::InvalidInput(_))
        ));
    }
}
