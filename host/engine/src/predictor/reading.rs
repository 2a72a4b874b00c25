//! What a network's first output says: a value, a logit, quantiles or a normal, out of the scale it was trained in.

use bellwether_domain::metrics::{Distribution, Forecast};
use bellwether_domain::network::{Loss, Network};
use bellwether_domain::scaler::Scaler;
use bellwether_domain::target::Task;
use bellwether_domain::{Error, Result};

/// How the numbers of one window are read.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Reading {
    /// One number: the scaled target.
    Value,
    /// One number: a logit.
    Logit,
    /// Scaled mean and log-variance.
    Normal,
    /// Scaled values at these probabilities; the places of the numbers in ascending order of probability.
    Quantiles { places: Vec<usize>, probabilities: Vec<f64> },
}

impl Reading {
    /// The reading that the loss of the first output asks for. Errors: `Invalid` when it does not answer the task.
    pub(super) fn of(network: &Network, task: Task) -> Result<Reading> {
        let output = network.outputs.first().ok_or_else(|| Error::invalid("network", "has no output"))?;
        let unfit = |what: &str| Err(Error::invalid(format!("network.{}", output.name), format!("its loss does not fit: {what}")));
        match (&output.loss, task) {
            (Loss::Bce, Task::Binary) => Ok(Reading::Logit),
            (_, Task::Binary) => unfit("a binary target needs `bce`"),
            (Loss::Mse | Loss::Mae | Loss::Huber(_), Task::Regression) => Ok(Reading::Value),
            (Loss::GaussianNll, Task::Regression) => Ok(Reading::Normal),
            (Loss::Quantile(probabilities), Task::Regression) if probabilities.is_empty() => unfit("it names no quantile"),
            (Loss::Quantile(probabilities), Task::Regression) => {
                let mut places: Vec<usize> = (0..probabilities.len()).collect();
                places.sort_by(|one, other| probabilities[*one].total_cmp(&probabilities[*other]));
                let probabilities = places.iter().map(|place| probabilities[*place]).collect();
                Ok(Reading::Quantiles { places, probabilities })
            }
            (Loss::Bce | Loss::CrossEntropy(_), Task::Regression) => {
                unfit("a real-valued target needs mse, mae, huber, quantile or gaussian-nll")
            }
        }
    }

    /// Numbers per window.
    pub(super) fn width(&self) -> usize {
        match self {
            Reading::Value | Reading::Logit => 1,
            Reading::Normal => 2,
            Reading::Quantiles { places, .. } => places.len(),
        }
    }

    /// Reads the numbers of one window. Quantiles that cross are put in order: the values are dealt out anew, the least to
    /// the least probability (Chernozhukov, Fernández-Val and Galichon 2010).
    pub(super) fn read(&self, numbers: &[f32], target: &Scaler) -> Forecast {
        let number = |place: usize| target.unscale(0, f64::from(numbers[place]));
        match self {
            Reading::Value => Forecast { value: number(0), distribution: None },
            Reading::Logit => Forecast { value: 1.0 / (1.0 + (-f64::from(numbers[0])).exp()), distribution: None },
            Reading::Normal => {
                let deviation = (0.5 * f64::from(numbers[1])).exp() * target.standard_deviation[0];
                Forecast { value: number(0), distribution: Some(Distribution::Normal { mean: number(0), deviation }) }
            }
            Reading::Quantiles { places, probabilities } => {
                let mut values: Vec<f64> = places.iter().map(|place| number(*place)).collect();
                values.sort_by(f64::total_cmp);
                let quantiles: Vec<(f64, f64)> = probabilities.iter().copied().zip(values).collect();
                Forecast { value: middle(&quantiles), distribution: Some(Distribution::Quantiles(quantiles)) }
            }
        }
    }
}

/// The value at the probability nearest one half; between two that are as near, their mean.
fn middle(quantiles: &[(f64, f64)]) -> f64 {
    let from_half = |(probability, _): &&(f64, f64)| (probability - 0.5).abs();
    let nearest = quantiles.iter().map(|quantile| from_half(&quantile)).fold(f64::INFINITY, f64::min);
    let near: Vec<f64> = quantiles.iter().filter(|quantile| from_half(quantile) <= nearest + 1e-9).map(|(_, value)| *value).collect();
    near.iter().sum::<f64>() / near.len() as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    const SCALER: fn() -> Scaler = || Scaler { mean: vec![10.0], standard_deviation: vec![2.0] };

    fn network(loss: Loss) -> Network {
        let training = serde_json::json!({"epochs": 1, "batch_size": 1, "learning_rate": 0.1, "optimizer": {"kind": "sgd", "with":
            {"momentum": 0.0, "nesterov": false, "weight_decay": 0.0}}, "schedule": {"kind": "constant"}, "clip_norm": null, "early_stopping": null});
        let output = serde_json::json!({"name": "y", "node": 0, "loss": loss, "weight": 1.0});
        serde_json::from_value(serde_json::json!({"nodes": [], "outputs": [output], "training": training})).expect("network")
    }

    #[test]
    fn crossing_quantiles_are_put_in_order() {
        let reading = Reading::of(&network(Loss::Quantile(vec![0.9, 0.1, 0.5])), Task::Regression).expect("reading");
        assert_eq!(reading.width(), 3);
        let straight = reading.read(&[1.0, -1.0, 0.5], &SCALER());
        assert_eq!(straight.distribution, Some(Distribution::Quantiles(vec![(0.1, 8.0), (0.5, 11.0), (0.9, 12.0)])));
        assert_eq!(straight.value, 11.0);
        let crossed = reading.read(&[-1.0, 1.0, 0.5], &SCALER());
        assert_eq!(crossed, straight);
        let pair = Reading::of(&network(Loss::Quantile(vec![0.25, 0.75])), Task::Regression).expect("reading");
        assert_eq!(pair.read(&[-1.0, 1.0], &SCALER()).value, 10.0);
    }

    #[test]
    fn a_normal_has_its_deviation_in_the_targets_unit() {
        let reading = Reading::of(&network(Loss::GaussianNll), Task::Regression).expect("reading");
        let said = reading.read(&[0.5, 0.0], &SCALER());
        assert_eq!((said.value, &said.distribution), (11.0, &Some(Distribution::Normal { mean: 11.0, deviation: 2.0 })));
        let interval = said.interval().expect("interval");
        assert!((interval.upper - 11.0 - 1.644_853_6 * 2.0).abs() < 1e-6 && interval.level == 0.9);
    }

    #[test]
    fn losses_must_answer_the_task() {
        for (loss, task, expected) in [
            (Loss::Mse, Task::Binary, "needs `bce`"),
            (Loss::Bce, Task::Regression, "a real-valued target needs"),
            (Loss::Quantile(vec![]), Task::Regression, "names no quantile"),
        ] {
            let error = Reading::of(&network(loss), task).expect_err(expected).to_string();
            assert!(error.starts_with("network.y: its loss does not fit") && error.contains(expected), "{error}");
        }
        assert!((Reading::of(&network(Loss::Bce), Task::Binary).expect("logit").read(&[0.0], &SCALER()).value - 0.5).abs() < 1e-12);
    }
}
