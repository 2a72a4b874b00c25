//! Names: what may be one, and how ids are made. Uniqueness beyond the second is the store's business: it appends `_2`.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::time::Timestamp;
use crate::{Error, Result};

/// A traded instrument as written by the desk: `BTC/USDT`, `EURUSD`, `^GSPC`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub struct Symbol(String);

impl Symbol {
    /// The symbol as written.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The part before the slash: `BTC` of `BTC/USDT`.
    pub fn base(&self) -> &str {
        self.0.split('/').next().unwrap_or(&self.0)
    }

    /// The symbol as one path segment, and the default endpoint's name: `BTC-USDT`.
    pub fn slug(&self) -> String {
        self.0.chars().map(|letter| if letter.is_ascii_alphanumeric() { letter } else { '-' }).collect()
    }
}

impl FromStr for Symbol {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let allowed = |letter: char| letter.is_ascii_alphanumeric() || "/-_.^=:".contains(letter);
        let has_letter = text.chars().any(|letter| letter.is_ascii_alphanumeric());
        if text.len() > 64 || !has_letter || !text.chars().all(allowed) {
            return Err(Error::invalid(
                "symbol",
                format!("`{text}` is not a symbol; use up to 64 letters, digits and / - _ . ^ = :, as in BTC/USDT"),
            ));
        }
        Ok(Symbol(text.to_owned()))
    }
}

impl fmt::Display for Symbol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for Symbol {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

/// Checks a name given by a caller for `field`: 1 to 96 letters, digits, `-`, `_` and `.`, beginning with a letter or digit.
pub fn check_name(field: &str, text: &str) -> Result<()> {
    let good = text.starts_with(|letter: char| letter.is_ascii_alphanumeric())
        && text.len() <= 96
        && text.chars().all(|letter| letter.is_ascii_alphanumeric() || "-_.".contains(letter));
    if good { Ok(()) } else { Err(Error::invalid(field, format!("`{text}` is not a name; use 1 to 96 letters, digits, `-`, `_` and `.`"))) }
}

/// The id of a model version: `lstm_BTC_20241205_120000`, with `_2` and so on for more in the same second.
pub fn model_id(model_type: &str, symbol: &Symbol, created: Timestamp, repeat: u32) -> String {
    stamped(&format!("{model_type}_{}", symbol.base().replace(|letter: char| !letter.is_ascii_alphanumeric(), "")), created, repeat)
}

/// `prefix_YYYYMMDD_HHMMSS`, with `_n` for the n-th of one second when n > 1.
pub fn stamped(prefix: &str, created: Timestamp, repeat: u32) -> String {
    let stamp = created.utc().map(|utc| utc.format("%Y%m%d_%H%M%S").to_string()).unwrap_or_else(|| created.0.to_string());
    if repeat > 1 { format!("{prefix}_{stamp}_{repeat}") } else { format!("{prefix}_{stamp}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn symbols_are_checked() {
        for (text, slug) in [
            ("BTC/USDT", Some("BTC-USDT")),
            ("^GSPC", Some("-GSPC")),
            ("EURUSD", Some("EURUSD")),
            ("", None),
            ("/", None),
            ("a b", None),
            ("../etc", Some("---etc")),
            ("a\0", None),
        ] {
            assert_eq!(text.parse::<Symbol>().ok().map(|symbol| symbol.slug()).as_deref(), slug, "{text:?}");
        }
    }

    #[test]
    fn model_ids_carry_type_base_and_second() {
        let symbol: Symbol = "BTC/USDT".parse().expect("symbol");
        let created: Timestamp = "2024-12-05T12:00:00Z".parse().expect("time");
        assert_eq!(model_id("lstm", &symbol, created, 1), "lstm_BTC_20241205_120000");
        assert_eq!(model_id("lstm", &symbol, created, 2), "lstm_BTC_20241205_120000_2");
    }
}
