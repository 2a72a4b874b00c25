//! What must hold of a network apart from shapes: names, initialisers, outputs and training settings.
//!
//! Every check names the field as the author of the network knows it and says what would be right.

use std::collections::HashSet;

use crate::network::{Adam, EarlyStopping, Initializer, Loss, Network, Optimizer, Output, Schedule, Sgd, Training};
use crate::{Error, Result};

/// Least number that keeps a division from one by zero: training has 32 bits, where less is zero.
pub(super) const LEAST_EPSILON: f64 = 1e-30;

/// Longest name of a node or output.
const NAME_MAX: usize = 100;

/// A name is 1 to [`NAME_MAX`] lower-case letters, digits, `-`, `_`, `.`; `seen` holds the names before it.
pub(super) fn check_name<'a>(kind: &str, place: usize, name: &'a str, seen: &mut HashSet<&'a str>) -> Result<()> {
    let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'-' | b'_' | b'.');
    let field = format!("network.{kind}[{place}].name");
    if name.is_empty() || name.len() > NAME_MAX || !name.bytes().all(plain) {
        let shown: String = name.chars().take(NAME_MAX).collect();
        let why = format!("`{shown}` is not a name; use 1 to {NAME_MAX} lower-case letters, digits, `-`, `_` and `.`");
        return Err(Error::invalid(field, why));
    }
    if !seen.insert(name) {
        return Err(Error::invalid(field, format!("`{name}` is used twice; names must be unique")));
    }
    Ok(())
}

/// The numbers of an initialiser are finite and spreads are not negative. The answer is what is wrong.
pub(super) fn initializer_fault(name: &str, initializer: Initializer) -> Option<String> {
    let (what, value, least) = match initializer {
        Initializer::Constant(value) => ("constant", value, f64::MIN),
        Initializer::Uniform(bound) => ("uniform bound", bound, 0.0),
        Initializer::Normal(deviation) | Initializer::TruncatedNormal(deviation) => ("normal deviation", deviation, 0.0),
        Initializer::Standard
        | Initializer::Zeros
        | Initializer::Ones
        | Initializer::GlorotUniform
        | Initializer::GlorotNormal
        | Initializer::HeUniform
        | Initializer::HeNormal
        | Initializer::LecunUniform
        | Initializer::LecunNormal
        | Initializer::FanInUniform
        | Initializer::Orthogonal => return None,
    };
    let fits = value >= least && value.abs() <= f64::from(f32::MAX);
    (!fits).then(|| format!("the {what} of initialiser `{name}` is {value}; it must be finite in 32 bits and a spread not negative"))
}

/// Outputs exist, have unique names, read a vector, and are as wide as their loss wants.
pub(super) fn check_outputs(network: &Network, shapes: &[Vec<usize>]) -> Result<()> {
    if network.outputs.is_empty() {
        return Err(Error::invalid("network.outputs", "a network needs at least one output"));
    }
    let mut seen = HashSet::new();
    for (place, output) in network.outputs.iter().enumerate() {
        check_name("outputs", place, &output.name, &mut seen)?;
        let fault = |why: String| Err(Error::invalid(format!("network.outputs.{}", output.name), why));
        let Some(shape) = usize::try_from(output.node).ok().and_then(|node| shapes.get(node)) else {
            return fault(format!("reads node {}, but the network has {} nodes", output.node, shapes.len()));
        };
        let [width] = shape[..] else {
            return fault(format!("reads a value of shape {shape:?}; an output is a vector [features]: pool or reshape it"));
        };
        if let Some(why) = loss_fault(output, width) {
            return fault(why);
        }
        if !(output.weight > 0.0 && output.weight.is_finite()) {
            return fault(format!("its weight is {}; it must be above 0 and finite", output.weight));
        }
    }
    Ok(())
}

fn loss_fault(output: &Output, width: usize) -> Option<String> {
    let (name, wanted) = match &output.loss {
        Loss::Mse => ("mse", 1),
        Loss::Mae => ("mae", 1),
        Loss::Bce => ("bce", 1),
        Loss::Huber(delta) if !(*delta > 0.0 && delta.is_finite()) => {
            return Some(format!("the huber delta is {delta}; it must be above 0 and finite"));
        }
        Loss::Huber(_) => ("huber", 1),
        Loss::GaussianNll => ("gaussian-nll (mean, log-variance)", 2),
        Loss::Quantile(levels) => {
            if levels.is_empty() || levels.iter().any(|level| !(*level > 0.0 && *level < 1.0)) {
                return Some(format!("the quantile probabilities are {levels:?}; give at least one, each in (0, 1)"));
            }
            ("quantile (one per probability)", levels.len())
        }
        Loss::CrossEntropy(weights) => {
            if width < 2 {
                return Some(format!("the output has shape [{width}]; cross-entropy wants [classes] with at least 2"));
            }
            if weights.iter().any(|weight| !(*weight >= 0.0 && weight.is_finite()))
                || weights.iter().any(|w| *w > 0.0) == weights.is_empty()
            {
                return Some(format!("the class weights are {weights:?}; each must be finite and not negative, and one above 0"));
            }
            ("cross-entropy (one weight per class)", if weights.is_empty() { width } else { weights.len() })
        }
    };
    (width != wanted).then(|| format!("the output has shape [{width}]; {name} wants [{wanted}]"))
}

impl Training {
    /// Checks every number. Errors are `Invalid` with field `network.training.<field>`.
    pub fn check(&self) -> Result<()> {
        let share = |value: f64| (0.0..1.0).contains(&value);
        let positive = |value: f64| value > 0.0 && value.is_finite();
        let mut list: Vec<(&str, f64, bool, &str)> = vec![
            ("epochs", f64::from(self.epochs), self.epochs >= 1, "at least 1"),
            ("batch_size", f64::from(self.batch_size), self.batch_size >= 1, "at least 1"),
            ("learning_rate", self.learning_rate, positive(self.learning_rate), "above 0 and finite"),
        ];
        if let Some(norm) = self.clip_norm {
            list.push(("clip_norm", norm, positive(norm), "above 0 and finite"));
        }
        if let Some(EarlyStopping { patience, min_delta, .. }) = self.early_stopping {
            list.push(("early_stopping.patience", f64::from(patience), patience >= 1, "at least 1"));
            list.push(("early_stopping.min_delta", min_delta, min_delta >= 0.0 && min_delta.is_finite(), "finite and not negative"));
        }
        let decay = |value: f64| value >= 0.0 && value.is_finite();
        match self.optimizer {
            Optimizer::Sgd(Sgd { momentum, nesterov, weight_decay }) => {
                list.push(("optimizer.momentum", momentum, share(momentum), "in [0, 1)"));
                list.push(("optimizer.momentum", momentum, !nesterov || momentum > 0.0, "above 0 to look ahead (nesterov)"));
                list.push(("optimizer.weight_decay", weight_decay, decay(weight_decay), "finite and not negative"));
            }
            Optimizer::Adam(adam) | Optimizer::Adamw(adam) => {
                let Adam { beta1, beta2, epsilon, weight_decay } = adam;
                list.push(("optimizer.beta1", beta1, share(beta1), "in [0, 1)"));
                list.push(("optimizer.beta2", beta2, share(beta2), "in [0, 1)"));
                let fits = epsilon >= LEAST_EPSILON && epsilon.is_finite();
                list.push(("optimizer.epsilon", epsilon, fits, "at least 1e-30 and finite"));
                list.push(("optimizer.weight_decay", weight_decay, decay(weight_decay), "finite and not negative"));
            }
        }
        list.extend(schedule_checks(self.schedule));
        match list.into_iter().find(|(_, _, fits, _)| !fits) {
            None => Ok(()),
            Some((field, value, _, right)) => {
                Err(Error::invalid(format!("network.training.{field}"), format!("{value} is not possible; it must be {right}")))
            }
        }
    }
}

fn schedule_checks(schedule: Schedule) -> Vec<(&'static str, f64, bool, &'static str)> {
    let below_one = |value: f64| value > 0.0 && value < 1.0;
    match schedule {
        Schedule::Constant => vec![],
        Schedule::Step(epochs, factor) => vec![
            ("schedule.epochs", f64::from(epochs), epochs >= 1, "at least 1"),
            ("schedule.factor", factor, factor > 0.0 && factor <= 1.0, "in (0, 1]"),
        ],
        Schedule::Cosine(share) => vec![("schedule.share", share, (0.0..=1.0).contains(&share), "in [0, 1]")],
        Schedule::WarmUp(steps) => vec![("schedule.steps", f64::from(steps), steps >= 1, "at least 1")],
        Schedule::OneCycle(share) => vec![("schedule.share", share, below_one(share), "in (0, 1)")],
        Schedule::ReduceOnPlateau(patience, factor) => vec![
            ("schedule.patience", f64::from(patience), patience >= 1, "at least 1"),
            ("schedule.factor", factor, below_one(factor), "in (0, 1)"),
        ],
    }
}
