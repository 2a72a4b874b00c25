//! Features by name: `log-return`, `rsi(14)`, `macd(12,26,9)`. This module knows the names and their parameters; the
//! numbers are computed in `engine::features`.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::{Error, Result};

/// One feature: a name of the catalogue and its whole-number parameters.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Feature {
    name: &'static str,
    parameters: Vec<u32>,
}

/// What the catalogue says of a feature.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FeatureKind {
    /// The name.
    pub name: &'static str,
    /// Names and defaults of its parameters.
    pub parameters: &'static [(&'static str, u32)],
    /// One sentence.
    pub summary: &'static str,
}

const fn kind(name: &'static str, parameters: &'static [(&'static str, u32)], summary: &'static str) -> FeatureKind {
    FeatureKind { name, parameters, summary }
}

/// Every feature there is. All are causal: row t reads bars up to and including t.
pub const CATALOGUE: &[FeatureKind] = &[
    kind("open", &[], "the bar's first price"),
    kind("high", &[], "the bar's highest price"),
    kind("low", &[], "the bar's lowest price"),
    kind("close", &[], "the bar's last price"),
    kind("volume", &[], "the bar's traded amount"),
    kind("log-return", &[("bars", 1)], "ln(close / close `bars` before)"),
    kind("log-volume", &[], "ln(1 + volume)"),
    kind("log-range", &[], "ln(high / low)"),
    kind("body", &[], "ln(close / open)"),
    kind("realized-volatility", &[("bars", 24)], "ln of the root mean squared log return over `bars` bars"),
    kind("sma-ratio", &[("bars", 20)], "ln(close / mean close of `bars` bars)"),
    kind("ema-ratio", &[("bars", 20)], "ln(close / exponential mean of close with span `bars`)"),
    kind("rsi", &[("bars", 14)], "Wilder's relative strength index, 0 to 100"),
    kind("macd", &[("fast", 12), ("slow", 26), ("signal", 9)], "(EMA fast - EMA slow) / close"),
    kind("macd-histogram", &[("fast", 12), ("slow", 26), ("signal", 9)], "(MACD - its EMA over `signal`) / close"),
    kind("atr", &[("bars", 14)], "Wilder's average true range / close"),
    kind("bollinger", &[("bars", 20)], "(close - mean) / (2 standard deviations) over `bars` bars"),
    kind("zscore", &[("bars", 20)], "(close - mean) / standard deviation over `bars` bars"),
    kind("volume-zscore", &[("bars", 20)], "(volume - mean) / standard deviation over `bars` bars"),
    kind("hour-of-day", &[], "hour of the bar's start in UTC, 0 to 23"),
    kind("hour-sin", &[], "sine of the hour of the day"),
    kind("hour-cos", &[], "cosine of the hour of the day"),
    kind("day-of-week", &[], "day of the bar's start in UTC, Monday 0 to Sunday 6"),
];

impl Feature {
    /// The name without parameters.
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// Number of categories, for a feature of whole numbers from 0 that stand for kinds rather than amounts.
    pub fn categories(&self) -> Option<u32> {
        match self.name {
            "hour-of-day" => Some(24),
            "day-of-week" => Some(7),
            _ => None,
        }
    }

    /// The parameters, defaults filled in.
    pub fn parameters(&self) -> &[u32] {
        &self.parameters
    }
}

impl FromStr for Feature {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let text = text.trim();
        let (name, list) = match text.split_once('(') {
            None => (text, None),
            Some((name, rest)) => {
                let inside =
                    rest.strip_suffix(')').ok_or_else(|| Error::invalid("features", format!("`{text}` lacks its closing parenthesis")))?;
                (name.trim(), Some(inside))
            }
        };
        let written = name.replace('_', "-");
        let Some(kind) = CATALOGUE.iter().find(|kind| kind.name == written) else {
            return Err(Error::unknown("feature", name, CATALOGUE.iter().map(|kind| kind.name)));
        };
        let mut parameters: Vec<u32> = kind.parameters.iter().map(|(_, default)| *default).collect();
        let given: Vec<&str> =
            list.map(|list| list.split(',').map(str::trim).filter(|part| !part.is_empty()).collect()).unwrap_or_default();
        if given.len() > parameters.len() {
            return Err(Error::invalid(
                "features",
                format!("`{name}` takes {} parameter(s), {} given in `{text}`", parameters.len(), given.len()),
            ));
        }
        for (place, part) in given.iter().enumerate() {
            let value: u32 = part
                .parse()
                .ok()
                .filter(|value| (1..=100_000).contains(value))
                .ok_or_else(|| Error::invalid("features", format!("`{part}` in `{text}` is not a whole number from 1 to 100000")))?;
            parameters[place] = value;
        }
        if kind.name.starts_with("macd") && parameters[0] >= parameters[1] {
            return Err(Error::invalid("features", format!("in `{text}` the fast span must be shorter than the slow one")));
        }
        Ok(Feature { name: kind.name, parameters })
    }
}

impl fmt::Display for Feature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)?;
        if !self.parameters.is_empty() {
            let list: Vec<String> = self.parameters.iter().map(u32::to_string).collect();
            write!(f, "({})", list.join(","))?;
        }
        Ok(())
    }
}

impl Serialize for Feature {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Feature {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::Feature;

    #[test]
    fn features_read_and_write() {
        let check = |text: &str, expected: &str| {
            let shown = match text.parse::<Feature>() {
                Ok(feature) => feature.to_string(),
                Err(error) => error.to_string(),
            };
            assert!(shown.contains(expected), "{text}: {shown}");
        };
        check("rsi(14)", "rsi(14)");
        check("rsi", "rsi(14)");
        check("realized_volatility(24)", "realized-volatility(24)");
        check(" macd( 5, 10 ) ", "macd(5,10,9)");
        check("close", "close");
        check("rsj(14)", "did you mean `rsi`?");
        check("rsi(0)", "not a whole number from 1");
        check("rsi(14", "closing parenthesis");
        check("rsi(1,2)", "takes 1 parameter(s), 2 given");
        check("macd(26,12)", "fast span must be shorter");
    }
}
