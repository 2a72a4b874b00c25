//! Byte sizes and durations as people write them in settings: `64 MiB`, `2s`, `500ms`.

use std::time::Duration;

use bellwether_domain::{Error, Result};
use serde::{Deserialize, Serialize};

/// A number of bytes; written `512 KiB`, `64 MiB`, `1 GiB` or a plain number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct ByteSize(pub u64);

/// A span of time; written `500ms`, `2s`, `5m`, `1h`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Span(pub Duration);

const SIZES: [(&str, u64); 4] = [("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10), ("B", 1)];
const SPANS: [(&str, u64); 4] = [("ms", 1), ("s", 1_000), ("m", 60_000), ("h", 3_600_000)];

fn number_and_unit(text: &str) -> Option<(u64, &str)> {
    let end = text.find(|letter: char| !letter.is_ascii_digit()).unwrap_or(text.len());
    Some((text[..end].parse().ok()?, text[end..].trim()))
}

impl std::str::FromStr for ByteSize {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let wrong = || Error::invalid("size", format!("`{text}` is not a size; write it as 64 MiB"));
        let (number, unit) = number_and_unit(text.trim()).ok_or_else(wrong)?;
        let unit = if unit.is_empty() { "B" } else { unit };
        let factor = SIZES.iter().find(|(name, _)| *name == unit).ok_or_else(wrong)?.1;
        number.checked_mul(factor).map(ByteSize).ok_or_else(wrong)
    }
}

impl std::fmt::Display for ByteSize {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (unit, factor) = SIZES.into_iter().find(|(_, factor)| self.0 >= *factor && self.0.is_multiple_of(*factor)).unwrap_or(("B", 1));
        write!(f, "{} {unit}", self.0 / factor)
    }
}

impl std::str::FromStr for Span {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let wrong = || Error::invalid("duration", format!("`{text}` is not a duration; write it as 500ms, 2s, 5m or 1h"));
        let (number, unit) = number_and_unit(text.trim()).ok_or_else(wrong)?;
        let factor = SPANS.iter().find(|(name, _)| *name == unit).ok_or_else(wrong)?.1;
        number.checked_mul(factor).map(|milliseconds| Span(Duration::from_millis(milliseconds))).ok_or_else(wrong)
    }
}

impl std::fmt::Display for Span {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let milliseconds = self.0.as_millis() as u64;
        let (unit, factor) = SPANS
            .into_iter()
            .rev()
            .find(|(_, factor)| milliseconds >= *factor && milliseconds.is_multiple_of(*factor))
            .unwrap_or(("ms", 1));
        write!(f, "{}{unit}", milliseconds / factor)
    }
}

macro_rules! as_text {
    ($type:ty) => {
        impl Serialize for $type {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> Deserialize<'de> for $type {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = String::deserialize(deserializer)?;
                text.parse().map_err(serde::de::Error::custom)
            }
        }
    };
}

as_text!(ByteSize);
as_text!(Span);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_and_spans_read_and_write() {
        for (text, expected) in [
            ("64 MiB", Some("64 MiB")),
            ("1024", Some("1 KiB")),
            ("65536KiB", Some("64 MiB")),
            ("0", Some("0 B")),
            ("64 MB", None),
            ("-1", None),
            ("", None),
        ] {
            assert_eq!(text.parse::<ByteSize>().ok().map(|size| size.to_string()).as_deref(), expected, "{text}");
        }
        for (text, expected) in [("2s", Some("2s")), ("1500ms", Some("1500ms")), ("60s", Some("1m")), ("5", None), ("2 s", Some("2s"))] {
            assert_eq!(text.parse::<Span>().ok().map(|span| span.to_string()).as_deref(), expected, "{text}");
        }
    }
}
