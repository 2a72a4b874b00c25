//! What is posted.
use std::collections::BTreeMap;

use bellwether_sdk::alert::Alert;
use bellwether_sdk::serde_json::{self, Value};
use serde::Serialize;

/// One alert as receivers see it. Fields are added over time and never change their meaning.
#[derive(Debug, Serialize)]
pub(crate) struct Document<'a> {
    idempotency_key: &'a str,
    id: &'a str,
    condition: &'a str,
    severity: &'static str,
    phase: &'static str,
    summary: &'a str,
    model_id: Option<&'a str>,
    symbol: Option<&'a str>,
    /// RFC 3339, UTC, with milliseconds.
    started_at: String,
    labels: BTreeMap<&'a str, &'a str>,
    detail: Value,
}

impl<'a> Document<'a> {
    /// The document of an alert.
    pub(crate) fn of(alert: &'a Alert) -> Document<'a> {
        Document {
            idempotency_key: &alert.idempotency_key,
            id: &alert.id,
            condition: &alert.condition,
            severity: alert.severity.as_str(),
            phase: alert.phase.as_str(),
            summary: &alert.summary,
            model_id: alert.model_id.as_deref(),
            symbol: alert.symbol.as_deref(),
            started_at: rfc3339(alert.started_at_ms),
            labels: alert.labels.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect(),
            // Always an object from the host; should it ever not be, the text is better than no alert.
            detail: serde_json::from_str(&alert.detail).unwrap_or_else(|_| Value::String(alert.detail.clone())),
        }
    }
}

/// A moment as text. The date is Hinnant's `civil_from_days`, valid for every year a 64-bit count of milliseconds reaches.
fn rfc3339(ms: i64) -> String {
    let (days, rest) = (ms.div_euclid(86_400_000), ms.rem_euclid(86_400_000));
    // Eras of 400 years that begin on the first of March, so that the leap day is the last of its year.
    let shifted = days + 719_468;
    let (era, day_of_era) = (shifted.div_euclid(146_097), shifted.rem_euclid(146_097));
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    let (seconds, milliseconds) = (rest / 1000, rest % 1000);
    let (hour, minute, second) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{milliseconds:03}Z")
}

#[cfg(test)]
mod tests {
    use super::{Document, rfc3339};

    #[test]
    fn moments_are_written() {
        let check = |ms: i64, expected: &str| assert_eq!(rfc3339(ms), expected);
        check(0, "1970-01-01T00:00:00.000Z");
        check(-1, "1969-12-31T23:59:59.999Z");
        check(951_782_400_000, "2000-02-29T00:00:00.000Z");
        check(1_709_251_199_999, "2024-02-29T23:59:59.999Z");
        check(4_107_542_400_000, "2100-03-01T00:00:00.000Z");
    }

    #[test]
    fn detail_that_is_no_json_is_kept_as_text() {
        let mut alert = crate::tests::alert();
        alert.detail = "not json".to_owned();
        assert_eq!(Document::of(&alert).detail, "not json");
    }
}
