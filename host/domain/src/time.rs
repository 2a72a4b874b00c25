//! Instants and bar intervals as whole milliseconds, so that they compare, subtract and index exactly.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::{Error, Result};

/// Milliseconds since 1970-01-01T00:00:00Z; written as RFC 3339 in JSON.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(pub i64);

impl Timestamp {
    /// Milliseconds from `earlier` to this instant.
    pub fn since(self, earlier: Timestamp) -> i64 {
        self.0 - earlier.0
    }

    /// This instant and `milliseconds` more.
    pub fn plus_ms(self, milliseconds: i64) -> Timestamp {
        Timestamp(self.0 + milliseconds)
    }

    /// As civil UTC time; none outside chrono's range.
    pub fn utc(self) -> Option<chrono::DateTime<chrono::Utc>> {
        chrono::DateTime::from_timestamp_millis(self.0)
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.utc() {
            Some(utc) if self.0 % 1000 == 0 => write!(f, "{}", utc.format("%Y-%m-%dT%H:%M:%SZ")),
            Some(utc) => write!(f, "{}", utc.format("%Y-%m-%dT%H:%M:%S%.3fZ")),
            None => write!(f, "{}ms", self.0),
        }
    }
}

impl FromStr for Timestamp {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        if let Ok(date) = chrono::NaiveDate::parse_from_str(text, "%Y-%m-%d") {
            return Ok(Timestamp(date.and_time(chrono::NaiveTime::MIN).and_utc().timestamp_millis()));
        }
        chrono::DateTime::parse_from_rfc3339(text)
            .map(|instant| Timestamp(instant.timestamp_millis()))
            .map_err(|_| Error::invalid("timestamp", format!("`{text}` is not an RFC 3339 time; write it as 2024-12-05T12:00:00Z")))
    }
}

impl Serialize for Timestamp {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

/// The time one bar covers: `1m`, `5m`, `1h`, `1d`, `1w`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Interval {
    milliseconds: i64,
}

const UNITS: [(char, i64); 5] = [('w', 604_800_000), ('d', 86_400_000), ('h', 3_600_000), ('m', 60_000), ('s', 1_000)];

impl Interval {
    /// One hour.
    pub const HOUR: Interval = Interval { milliseconds: 3_600_000 };

    /// Length in milliseconds, at least 1000.
    pub fn milliseconds(self) -> i64 {
        self.milliseconds
    }
}

impl fmt::Display for Interval {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (unit, size) = UNITS.into_iter().find(|(_, size)| self.milliseconds % size == 0).unwrap_or(('s', 1_000));
        write!(f, "{}{unit}", self.milliseconds / size)
    }
}

impl FromStr for Interval {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let wrong = || Error::invalid("interval", format!("`{text}` is not an interval; write a number and s, m, h, d or w, as in 1h"));
        let unit = text.chars().last().ok_or_else(wrong)?;
        let size = UNITS.iter().find(|(letter, _)| *letter == unit).ok_or_else(wrong)?.1;
        let count: i64 = text[..text.len() - unit.len_utf8()].parse().map_err(|_| wrong())?;
        let milliseconds = count.checked_mul(size).filter(|length| *length > 0 && *length <= 366 * 86_400_000).ok_or_else(wrong)?;
        Ok(Interval { milliseconds })
    }
}

impl Serialize for Interval {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Interval {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn intervals_read_and_write() {
        for (text, expected) in [
            ("1h", Some("1h")),
            ("60m", Some("1h")),
            ("1d", Some("1d")),
            ("7d", Some("1w")),
            ("15m", Some("15m")),
            ("0h", None),
            ("h", None),
            ("", None),
            ("1x", None),
            ("-1h", None),
            ("99999999999999999w", None),
        ] {
            assert_eq!(text.parse::<Interval>().ok().map(|interval| interval.to_string()).as_deref(), expected, "{text}");
        }
    }

    #[test]
    fn timestamps_read_and_write() {
        for (text, expected) in [
            ("2017-08-17T04:00:00Z", "2017-08-17T04:00:00Z"),
            ("2017-08-17T06:00:00+02:00", "2017-08-17T04:00:00Z"),
            ("2020-01-01", "2020-01-01T00:00:00Z"),
            ("2020-01-01T00:00:00.250Z", "2020-01-01T00:00:00.250Z"),
        ] {
            assert_eq!(text.parse::<Timestamp>().expect(text).to_string(), expected);
        }
        assert!("yesterday".parse::<Timestamp>().is_err());
    }
}
