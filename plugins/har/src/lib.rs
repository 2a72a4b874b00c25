//! The model type `har`: the heterogeneous autoregressive model of realised volatility (Corsi 2009, "A Simple Approximate
//! Long-Memory Model of Realized Volatility"), on logarithms.
//!
//! ln RV over the next h bars = b0 + Σ b_j · ln RV over the last n_j bars, by ordinary least squares. Target and features
//! are both ln of the root mean squared log return, so the model is linear in what it is given; with other features it is a
//! plain linear regression. It reads the last row of each window only and takes features raw: least squares does not care
//! about scale, and raw coefficients can be read by people.
mod regression;

use bellwether_sdk::data::Windows;
use bellwether_sdk::model::{Estimator, GuestModel, InputShape, Requirements, Target, Task, TrainingPlan};
use bellwether_sdk::state::{Reader, Writer};
use bellwether_sdk::{Error, ModelType, NoConfig, Plugin, Result};

use regression::Moments;

/// Quarter of a day, day, week and month of hourly bars.
const FEATURES: &[&str] = &["realized-volatility(6)", "realized-volatility(24)", "realized-volatility(168)", "realized-volatility(720)"];

/// Tag and version of the state: names of the features, intercept and coefficients, rows fitted on.
const STATE: (&str, u32) = ("har", 1);

/// The plugin.
pub struct Har;

impl Plugin for Har {
    const NAME: &'static str = "har";
    const VERSION: &'static str = env!("CARGO_PKG_VERSION");
    const SUMMARY: &'static str = "Heterogeneous autoregression of log realised volatility (Corsi 2009).";
    type Config = NoConfig;
}

impl ModelType for Har {
    fn requires(_config: &NoConfig) -> Result<Requirements> {
        let features = FEATURES.iter().map(|feature| (*feature).to_owned()).collect();
        Ok(Requirements { features, sequence_length: 1, least_rows: 100 })
    }

    fn plan(_config: &NoConfig, _input: &InputShape, target: &Target) -> Result<TrainingPlan> {
        match target.task {
            Task::Regression => Ok(TrainingPlan::Guest(GuestModel { scaled: false, last_step_only: true })),
            Task::Binary => Err(Error::unsupported(format!(
                "har predicts real numbers and the target `{}` is a probability: use a model type with a logit, for example lstm",
                target.kind
            ))),
        }
    }
}

impl Estimator for Har {
    fn fit(train: &Windows, _validation: &Windows, _config: &NoConfig) -> Result<Vec<u8>> {
        let features = train.features();
        let targets = train.targets();
        if targets.len() as u64 != train.samples() {
            return Err(Error::invalid_input(format!("{} targets for {} samples", targets.len(), train.samples())));
        }
        // Two passes, the second around the first one's means: one pass of squares would lose the digits that
        // tell apart features as alike as volatilities over neighbouring spans.
        let mut means = Moments::new(features.len());
        for_rows(train, &targets, |row, target| means.add(row, target));
        let mut moments = means.centred();
        for_rows(train, &targets, |row, target| moments.add(row, target));
        let coefficients = moments.solve(&features)?;

        let mut writer = Writer::new(STATE.0, STATE.1);
        writer.texts(&features);
        writer.numbers(&coefficients);
        writer.u64(moments.rows());
        Ok(writer.finish())
    }

    fn predict(state: &[u8], inputs: &Windows, _config: &NoConfig) -> Result<Vec<f64>> {
        let mut reader = Reader::open(state, STATE.0, STATE.1)?;
        let (features, coefficients) = (reader.texts()?, reader.numbers()?);
        reader.u64()?;
        reader.finish()?;
        if coefficients.len() != features.len() + 1 || !coefficients.iter().all(|value| value.is_finite()) {
            return Err(Error::invalid_input("the `har` state is damaged: it has not one finite coefficient per feature"));
        }
        if inputs.features() != features {
            return Err(Error::invalid_input(format!(
                "the model learned from [{}] and is given [{}]",
                features.join(", "),
                inputs.features().join(", ")
            )));
        }
        let mut predictions = Vec::new();
        for chunk in inputs.last_rows() {
            for row in chunk.samples() {
                if let Some(place) = row.iter().position(|value| !value.is_finite()) {
                    let sample = predictions.len();
                    return Err(Error::invalid_input(format!("`{}` of sample {sample} is {}", features[place], row[place])));
                }
                predictions.push(coefficients[0] + row.iter().zip(&coefficients[1..]).map(|(value, weight)| value * weight).sum::<f64>());
            }
        }
        Ok(predictions)
    }
}

bellwether_sdk::register!(guest_model: Har);

/// Calls `f` with each sample's last row and target, leaving out samples with a number that is not finite.
fn for_rows(windows: &Windows, targets: &[f64], mut f: impl FnMut(&[f64], f64)) {
    let mut targets = targets.iter();
    for chunk in windows.last_rows() {
        for (row, target) in chunk.samples().zip(&mut targets) {
            if target.is_finite() && row.iter().all(|value| value.is_finite()) {
                f(row, *target);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use bellwether_sdk::model::{InputShape, Target, Task, TrainingPlan};
    use bellwether_sdk::serde_json::json;
    use bellwether_sdk::{Error, Estimator, ModelType, NoConfig, random, testing};

    use super::Har;

    const CONFIG: NoConfig = NoConfig {};

    /// y = 1 + 2a - 3b, windows of two steps of which only the second counts.
    fn sample(rows: usize) -> (Vec<f64>, Vec<f64>) {
        let numbers = random::normal(rows * 4);
        let targets = numbers.chunks(4).map(|row| 1.0 + 2.0 * row[2] - 3.0 * row[3]).collect();
        (numbers, targets)
    }

    #[test]
    fn the_schema_holds() {
        testing::check_schema::<Har>(&json!({}));
    }

    #[test]
    fn it_finds_the_line_it_was_drawn_from() {
        let (values, targets) = sample(1000);
        let windows = testing::windows(&["a", "b"], 2, &values, &targets);
        let state = Har::fit(&windows, &windows, &CONFIG).unwrap();
        let inputs = testing::windows(&["a", "b"], 2, &[9.0, 9.0, 0.5, -1.0, 9.0, 9.0, 0.0, 0.0], &[]);
        let found = Har::predict(&state, &inputs, &CONFIG).unwrap();
        assert!((found[0] - 5.0).abs() < 1e-10 && (found[1] - 1.0).abs() < 1e-10, "{found:?}");
    }

    #[test]
    fn rows_with_holes_are_left_out() {
        let (mut values, mut targets) = sample(500);
        values[2] = f64::NAN;
        targets[7] = f64::INFINITY;
        let windows = testing::windows(&["a", "b"], 2, &values, &targets);
        let state = Har::fit(&windows, &windows, &CONFIG).unwrap();
        let found = Har::predict(&state, &testing::windows(&["a", "b"], 1, &[1.0, 1.0], &[]), &CONFIG).unwrap();
        assert!(found[0].abs() < 1e-10, "{found:?}");
    }

    #[test]
    fn what_cannot_be_used_is_refused() {
        let check = |result: bellwether_sdk::Result<Vec<f64>>, expected: &str| {
            let error = result.unwrap_err();
            assert!(matches!(error, Error::InvalidInput(_)) && error.message().contains(expected), "{error:?}");
        };
        let (values, targets) = sample(100);
        let windows = testing::windows(&["a", "b"], 2, &values, &targets);
        let state = Har::fit(&windows, &windows, &CONFIG).unwrap();
        let inputs = testing::windows(&["a", "b"], 1, &[1.0, 2.0], &[]);
        check(Har::predict(b"foreign", &inputs, &CONFIG), "not a `har` state");
        check(Har::predict(&state[..state.len() - 1], &inputs, &CONFIG), "damaged");
        check(Har::predict(&state, &testing::windows(&["b", "a"], 1, &[1.0, 2.0], &[]), &CONFIG), "learned from [a, b]");
        check(Har::predict(&state, &testing::windows(&["a", "b"], 1, &[1.0, f64::NAN], &[]), &CONFIG), "`b` of sample 0 is NaN");
        let few = testing::windows(&["a", "b"], 1, &[1.0, 2.0, 3.0, 4.0], &[1.0, 2.0]);
        check(Har::fit(&few, &few, &CONFIG).map(|_| Vec::new()), "2 complete rows");
        let none = testing::windows(&["a", "b"], 1, &[1.0, 2.0], &[]);
        check(Har::fit(&none, &none, &CONFIG).map(|_| Vec::new()), "0 targets for 1 samples");
    }

    #[test]
    fn a_probability_is_not_for_har() {
        let input = InputShape { sequence_length: 1, features: Vec::new() };
        let plan = |task| Har::plan(&CONFIG, &input, &Target { kind: "direction".to_owned(), horizon: 1, task });
        assert!(matches!(plan(Task::Binary), Err(Error::Unsupported(_))));
        assert!(matches!(plan(Task::Regression), Ok(TrainingPlan::Guest(guest)) if guest.last_step_only && !guest.scaled));
    }
}
