//! What was fitted, as bytes and as predictions.
use bellwether_sdk::data::Windows;
use bellwether_sdk::model::{Rows, Task, check_features};
use bellwether_sdk::state::{Reader, Writer};
use bellwether_sdk::{Error, Result};

use crate::logistic::probability;
use crate::table::dot;

/// Tag and version of the state.
const STATE: (&str, u32) = ("linear", 1);

/// The shapes of rows and the tasks, by their number in a state.
const SHAPES: [Rows; 3] = [Rows::LastStep, Rows::Summary, Rows::Flatten];
const TASKS: [Task; 2] = [Task::Regression, Task::Binary];

/// A fitted model.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Linear {
    pub(crate) features: Vec<String>,
    pub(crate) steps: u32,
    pub(crate) rows: Rows,
    pub(crate) task: Task,
    /// The intercept, then one per column, on the numbers the host gives.
    pub(crate) coefficients: Vec<f64>,
    /// The penalty's strength, for the record.
    pub(crate) strength: f64,
}

impl Linear {
    /// The state. Errors: [`Error::InvalidInput`] when a coefficient is not finite.
    pub(crate) fn write(&self) -> Result<Vec<u8>> {
        if !self.coefficients.iter().all(|value| value.is_finite()) {
            return Err(Error::invalid_input("the features are too large or too alike: a coefficient is not finite"));
        }
        let number = |found: Option<usize>| found.unwrap_or(0) as u64;
        let mut writer = Writer::new(STATE.0, STATE.1);
        writer.texts(&self.features);
        writer.u64(u64::from(self.steps));
        writer.u64(number(SHAPES.iter().position(|shape| *shape == self.rows)));
        writer.u64(number(TASKS.iter().position(|task| *task == self.task)));
        writer.numbers(&self.coefficients);
        writer.number(self.strength);
        Ok(writer.finish())
    }

    /// Reads a state. Errors: [`Error::InvalidInput`] for a foreign or damaged one.
    pub(crate) fn read(bytes: &[u8]) -> Result<Linear> {
        let damaged = |what: &str| Error::invalid_input(format!("the `linear` state is damaged: {what}"));
        let mut reader = Reader::open(bytes, STATE.0, STATE.1)?;
        let features = reader.texts()?;
        let steps = u32::try_from(reader.u64()?).map_err(|_| damaged("its windows are too long"))?;
        let place = |number: u64| usize::try_from(number).unwrap_or(usize::MAX);
        let rows = *SHAPES.get(place(reader.u64()?)).ok_or_else(|| damaged("its rows have no known shape"))?;
        let task = *TASKS.get(place(reader.u64()?)).ok_or_else(|| damaged("its task is not known"))?;
        let (coefficients, strength) = (reader.numbers()?, reader.number()?);
        reader.finish()?;
        if coefficients.is_empty() || !coefficients.iter().all(|value| value.is_finite()) {
            return Err(damaged("a coefficient is missing or not finite"));
        }
        Ok(Linear { features, steps, rows, task, coefficients, strength })
    }

    /// Predicts. Errors: [`Error::InvalidInput`] for other features or steps than it learned from.
    pub(crate) fn predict(&self, inputs: &Windows) -> Result<Vec<f64>> {
        check_features(self.rows, &self.features, self.steps, inputs)?;
        let width = self.rows.width(inputs.steps(), self.features.len());
        if self.coefficients.len() != width + 1 {
            let count = self.coefficients.len();
            return Err(Error::invalid_input(format!("the `linear` state is damaged: {count} coefficients for {width} columns")));
        }
        let mut predictions = Vec::new();
        self.rows.for_each(inputs, |_, row| predictions.push(self.coefficients[0] + dot(row, &self.coefficients[1..])))?;
        if let Some(sample) = predictions.iter().position(|line| !line.is_finite()) {
            return Err(Error::invalid_input(format!(
                "the numbers of sample {sample} are too large: its prediction is {}",
                predictions[sample]
            )));
        }
        if self.task == Task::Binary {
            predictions.iter_mut().for_each(|line| *line = probability(*line));
        }
        Ok(predictions)
    }
}
