//! The training part as standardised rows, and the way back.
//!
//! Means and variances come from one pass (Welford 1962). A column whose deviation is rounding beside its size is constant:
//! it is read as 0 and its coefficient stays 0.
use bellwether_sdk::data::Windows;
use bellwether_sdk::model::{Rows, Task};
use bellwether_sdk::{Error, Result};

/// A column is constant when its deviation is below this share of its mean.
const CONSTANT: f64 = 1e-12;

/// Coefficients on standardised columns, the intercept last.
pub(crate) type Line = Vec<f64>;

/// The training part.
pub(crate) struct Table<'a> {
    train: &'a Windows<'a>,
    shape: Rows,
    targets: &'a [f64],
    task: Task,
    means: Vec<f64>,
    /// One over each deviation; 0 for a constant column.
    scales: Vec<f64>,
    target_mean: f64,
    target_deviation: f64,
}

impl<'a> Table<'a> {
    /// Measures the columns. Errors: [`Error::InvalidInput`] for numbers that are not finite or too large to be added up.
    pub(crate) fn new(train: &'a Windows<'a>, shape: Rows, targets: &'a [f64], task: Task) -> Result<Table<'a>> {
        let width = shape.width(train.steps(), train.features().len());
        let (mut means, mut squares) = (vec![0.0; width], vec![0.0; width]);
        shape.for_each(train, |sample, row| {
            let share = 1.0 / (sample + 1) as f64;
            for ((mean, square), value) in means.iter_mut().zip(&mut squares).zip(row) {
                let before = value - *mean;
                *mean += before * share;
                *square += before * (value - *mean);
            }
        })?;
        let count = targets.len() as f64;
        let names = shape.names(train.steps(), &train.features());
        if let Some(place) = squares.iter().zip(&means).position(|(square, mean)| !(square.is_finite() && mean.is_finite())) {
            return Err(Error::invalid_input(format!("the numbers of `{}` are too large to be added up", names[place])));
        }
        let scale = |(square, mean): (&f64, &f64)| {
            let deviation = (square / count).sqrt();
            if deviation > CONSTANT * mean.abs().max(f64::MIN_POSITIVE) { 1.0 / deviation } else { 0.0 }
        };
        let scales = squares.iter().zip(&means).map(scale).collect();
        let (mut target_mean, mut target_deviation) = (0.0, 1.0);
        if task == Task::Regression {
            target_mean = targets.iter().sum::<f64>() / count;
            target_deviation = (targets.iter().map(|target| (target - target_mean).powi(2)).sum::<f64>() / count).sqrt();
            if !(target_deviation.is_finite() && target_deviation > 0.0) {
                return Err(Error::invalid_input("the targets are too large or too close together to be told apart"));
            }
        }
        Ok(Table { train, shape, targets, task, means, scales, target_mean, target_deviation })
    }

    /// Columns of a row.
    pub(crate) fn width(&self) -> usize {
        self.means.len()
    }

    /// Samples.
    pub(crate) fn count(&self) -> usize {
        self.targets.len()
    }

    /// Calls `f` with each row, standardised and with a last place to be used freely, and its target: standardised for a
    /// regression, else 0 or 1.
    pub(crate) fn for_each(&self, mut f: impl FnMut(&mut [f64], f64)) -> Result<()> {
        let mut scaled = vec![0.0; self.width() + 1];
        self.shape.for_each(self.train, |sample, row| {
            self.standardise(row, &mut scaled);
            f(&mut scaled, (self.targets[sample as usize] - self.target_mean) / self.target_deviation);
        })
    }

    /// Place of the line with the least loss on the validation part; the first of equal ones.
    pub(crate) fn best(&self, validation: &Windows, targets: &[f64], lines: &[Line]) -> Result<usize> {
        let mut losses = vec![0.0; lines.len()];
        let mut scaled = vec![0.0; self.width() + 1];
        self.shape.for_each(validation, |sample, row| {
            self.standardise(row, &mut scaled);
            scaled[row.len()] = 1.0;
            let target = (targets[sample as usize] - self.target_mean) / self.target_deviation;
            for (loss, line) in losses.iter_mut().zip(lines) {
                *loss += match self.task {
                    Task::Regression => (dot(&scaled, line) - target).powi(2),
                    Task::Binary => crate::logistic::loss(dot(&scaled, line), target),
                };
            }
        })?;
        let least = losses.iter().copied().fold(f64::INFINITY, f64::min);
        losses.iter().position(|loss| *loss == least).filter(|_| least.is_finite()).ok_or_else(|| {
            Error::invalid_input("the validation part's numbers are too far from the training part's to be judged: its loss is not finite")
        })
    }

    /// The line on raw columns and in the target's unit, the intercept first.
    pub(crate) fn in_units(&self, line: &Line) -> Vec<f64> {
        let (slopes, intercept) = line.split_at(self.width());
        let mut coefficients = vec![self.target_mean + self.target_deviation * intercept[0]];
        for ((slope, scale), mean) in slopes.iter().zip(&self.scales).zip(&self.means) {
            let coefficient = self.target_deviation * slope * scale;
            coefficients[0] -= coefficient * mean;
            coefficients.push(coefficient);
        }
        coefficients
    }

    fn standardise(&self, row: &[f64], scaled: &mut [f64]) {
        for (((out, value), mean), scale) in scaled.iter_mut().zip(row).zip(&self.means).zip(&self.scales) {
            *out = (value - mean) * scale;
        }
    }
}

/// Σ a·b, in four sums that the processor can work on at once.
pub(crate) fn dot(one: &[f64], other: &[f64]) -> f64 {
    let mut sums = [0.0; 4];
    let (ones, others) = (one.chunks_exact(4), other.chunks_exact(4));
    let rest: f64 = ones.remainder().iter().zip(others.remainder()).map(|(a, b)| a * b).sum();
    for (a, b) in ones.zip(others) {
        for lane in 0..4 {
            sums[lane] += a[lane] * b[lane];
        }
    }
    sums[0] + sums[1] + sums[2] + sums[3] + rest
}
