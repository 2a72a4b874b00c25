//! What a model predicts, and how many bars ahead.

use serde::{Deserialize, Serialize};

use crate::{Error, Result};

/// The quantity predicted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TargetKind {
    /// ln(close[t+h] / close[t]).
    Return,
    /// 1 when close[t+h] > close[t], else 0. The model gives a probability.
    Direction,
    /// close[t+h]. A network learns ln(close[t+h] / close[t]) and the host turns it back into a price.
    Price,
    /// ln of the square root of the mean squared log return over bars t+1 ..= t+h: log realised volatility per bar.
    RealizedVolatility,
}

/// Real number or probability.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Task {
    /// A real number.
    Regression,
    /// A probability; networks give a logit.
    Binary,
}

/// A quantity and its horizon.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Target {
    /// The quantity.
    pub kind: TargetKind,
    /// Bars ahead, 1 to 10 000.
    #[serde(default = "one")]
    pub horizon: u32,
}

fn one() -> u32 {
    1
}

impl TargetKind {
    /// The name in JSON.
    pub fn name(self) -> &'static str {
        match self {
            TargetKind::Return => "return",
            TargetKind::Direction => "direction",
            TargetKind::Price => "price",
            TargetKind::RealizedVolatility => "realized-volatility",
        }
    }
}

impl Target {
    /// What kind of question it is.
    pub fn task(&self) -> Task {
        match self.kind {
            TargetKind::Direction => Task::Binary,
            TargetKind::Return | TargetKind::Price | TargetKind::RealizedVolatility => Task::Regression,
        }
    }

    /// Checks the horizon.
    pub fn check(&self) -> Result<()> {
        if (1..=10_000).contains(&self.horizon) {
            Ok(())
        } else {
            Err(Error::invalid("target.horizon", format!("is {}; it must be 1 to 10000 bars", self.horizon)))
        }
    }
}

impl std::fmt::Display for Target {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}({})", self.kind.name(), self.horizon)
    }
}
