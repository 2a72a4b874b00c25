//! Where a series lies: folder names that can be read back, and months in UTC.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use bellwether_domain::id::Symbol;
use bellwether_domain::time::{Interval, Timestamp};
use bellwether_domain::{Error, Result};
use chrono::{Datelike, NaiveDate, NaiveTime};

use crate::failure;

/// A series and its folder.
#[derive(Debug, Clone)]
pub(super) struct Series {
    pub(super) symbol: Symbol,
    pub(super) interval: Interval,
    pub(super) folder: PathBuf,
}

/// A calendar month in UTC, of the years 1 to 9999.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Month {
    year: i32,
    month: u32,
}

impl Series {
    pub(super) fn new(bars: &Path, symbol: &Symbol, interval: Interval) -> Series {
        let folder = bars.join(escape(symbol.as_str())).join(interval.to_string());
        Series { symbol: symbol.clone(), interval, folder }
    }

    pub(super) fn path(&self, month: Month) -> PathBuf {
        self.folder.join(format!("{}.parquet", month.name()))
    }

    /// The months there are, in time order; none when there is no such series.
    pub(super) fn months(&self) -> Result<Vec<Month>> {
        let entries = match fs::read_dir(&self.folder) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
            entries => entries.map_err(|error| failure::io("read bars", &self.folder, &error))?,
        };
        let mut months: Vec<Month> = entries.flatten().filter_map(|entry| Month::of_file(entry.file_name().to_str()?)).collect();
        months.sort_unstable();
        Ok(months)
    }

    pub(super) fn months_or_not_found(&self) -> Result<Vec<Month>> {
        let months = self.months()?;
        if months.is_empty() { Err(Error::not_found("series", format!("{} {}", self.symbol, self.interval))) } else { Ok(months) }
    }
}

impl Month {
    /// The month of an instant. Errors: `Invalid` outside the years 1 to 9999.
    pub(super) fn of(milliseconds: i64) -> Result<Month> {
        let utc = Timestamp(milliseconds).utc().filter(|utc| (1..=9999).contains(&utc.year()));
        let utc = utc.ok_or_else(|| Error::invalid("timestamp", format!("{milliseconds} ms is not within the years 1 to 9999")))?;
        Ok(Month { year: utc.year(), month: utc.month() })
    }

    /// Its first millisecond.
    pub(super) fn start(self) -> i64 {
        let first = NaiveDate::from_ymd_opt(self.year, self.month, 1).unwrap_or(NaiveDate::MIN);
        first.and_time(NaiveTime::MIN).and_utc().timestamp_millis()
    }

    /// The first millisecond behind it.
    pub(super) fn end(self) -> i64 {
        let next = if self.month == 12 { Month { year: self.year + 1, month: 1 } } else { Month { month: self.month + 1, ..self } };
        next.start()
    }

    /// `2024-12`.
    pub(super) fn name(self) -> String {
        format!("{:04}-{:02}", self.year, self.month)
    }

    fn of_file(name: &str) -> Option<Month> {
        let (year, month) = name.strip_suffix(".parquet")?.split_once('-')?;
        let found = Month { year: year.parse().ok()?, month: month.parse().ok().filter(|month| (1..=12).contains(month))? };
        // One name per month: `2024-1` is not one of ours.
        Some(found).filter(|found| format!("{}.parquet", found.name()) == name)
    }
}

/// Every series that has a month.
pub(super) fn list(bars: &Path) -> Result<Vec<(Symbol, Interval)>> {
    let mut all = Vec::new();
    for symbol in folders(bars)?.iter().filter_map(|name| unescape(name)) {
        for interval in folders(&bars.join(escape(symbol.as_str())))? {
            let Ok(interval) = interval.parse::<Interval>() else { continue };
            if !Series::new(bars, &symbol, interval).months()?.is_empty() {
                all.push((symbol.clone(), interval));
            }
        }
    }
    all.sort();
    Ok(all)
}

fn folders(path: &Path) -> Result<Vec<String>> {
    let entries = fs::read_dir(path).map_err(|error| failure::io("list bars", path, &error))?;
    let folders = entries.flatten().filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir()));
    Ok(folders.filter_map(|entry| entry.file_name().into_string().ok()).collect())
}

/// Letters, digits, `-` and `_` stay; every other byte becomes `%XX`, the dot too, so that no name is hidden or leads up.
fn escape(symbol: &str) -> String {
    let keep = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
    symbol.bytes().map(|byte| if keep(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") }).collect()
}

fn unescape(name: &str) -> Option<Symbol> {
    let mut parts = name.split('%');
    let mut bytes = parts.next()?.as_bytes().to_vec();
    for part in parts {
        let (code, rest) = part.split_at_checked(2)?;
        bytes.push(u8::from_str_radix(code, 16).ok()?);
        bytes.extend(rest.as_bytes());
    }
    let symbol: Symbol = String::from_utf8(bytes).ok()?.parse().ok()?;
    Some(symbol).filter(|symbol| escape(symbol.as_str()) == name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn symbols_become_folders_and_back() {
        for (text, name) in
            [("BTC/USDT", "BTC%2FUSDT"), ("^GSPC", "%5EGSPC"), ("BRK.B", "BRK%2EB"), ("../etc", "%2E%2E%2Fetc"), ("a-b_c", "a-b_c")]
        {
            let symbol: Symbol = text.parse().unwrap();
            assert_eq!(escape(symbol.as_str()), name);
            assert_eq!(unescape(name), Some(symbol));
        }
        for wrong in ["", "%", "%2", "%zz", "a%2fb", "a b", "%41", "BTC%2FUSDT%"] {
            assert_eq!(unescape(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn months_have_edges_and_names() {
        let month = |text: &str| Month::of(text.parse::<Timestamp>().unwrap().0).unwrap();
        assert_eq!(month("2024-12-31T23:59:59Z").name(), "2024-12");
        assert_eq!(Timestamp(month("2024-12-05").end()).to_string(), "2025-01-01T00:00:00Z");
        assert_eq!(Timestamp(month("2024-02-29").start()).to_string(), "2024-02-01T00:00:00Z");
        assert_eq!(month("1969-12-31T23:59:59Z").end(), 0);
        assert_eq!(Month::of_file("2024-12.parquet"), Some(month("2024-12-05")));
        for wrong in ["2024-13.parquet", "2024-1.parquet", "2024-12.csv", ".2024-12.1.temp", "+024-12.parquet"] {
            assert_eq!(Month::of_file(wrong), None, "{wrong}");
        }
        assert!(Month::of(i64::MAX).is_err() && Month::of(i64::MIN).is_err());
        let last = month("9999-12-31T23:59:59Z");
        assert!(last.start() < last.end());
    }
}
