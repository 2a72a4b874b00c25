//! Bars from CSV: with a header (`timestamp,open,high,low,close,volume` in any order, other columns ignored), or the
//! header-less Binance kline layout with times in milliseconds or microseconds.
//!
//! Header names are compared without regard to case; the time column may also be called `open_time`, `datetime`, `time` or
//! `date`. A time is RFC 3339, `2024-12-05 12:00:00` or a date (both UTC), or a whole number since 1970 whose size tells
//! its unit: below 1e11 seconds, below 1e14 milliseconds, below 1e17 microseconds. Nothing is repaired: what does not
//! read or does not obey the rules of bars is an error that names its row and column.

use bellwether_domain::bars::{Bar, Bars};
use bellwether_domain::suggest::nearest;
use bellwether_domain::time::{Interval, Timestamp};
use bellwether_domain::{Error, Result};

/// Names of the time column, best first.
const TIME_NAMES: [&str; 5] = ["timestamp", "open_time", "datetime", "time", "date"];
/// The other columns, in the order in which a kline has them.
const VALUE_NAMES: [&str; 5] = ["open", "high", "low", "close", "volume"];
/// Columns of a kline: open time, the five values, close time, quote volume, trades, two taker volumes, one unused.
const KLINE_COLUMNS: usize = 12;

/// Where the columns are.
struct Layout {
    time: usize,
    time_name: &'static str,
    values: [usize; 5],
    columns: usize,
}

/// Reads and checks bars. Errors name the row (from 1, the first bar) or the column, and say what would be right.
pub fn read(bytes: &[u8], interval: Interval) -> Result<Bars> {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let mut reader = csv::ReaderBuilder::new().has_headers(false).flexible(true).trim(csv::Trim::All).from_reader(bytes);
    let mut record = csv::ByteRecord::new();
    let mut next =
        |record: &mut csv::ByteRecord| reader.read_byte_record(record).map_err(|error| Error::invalid("data", error.to_string()));
    if !next(&mut record)? {
        return Err(Error::invalid("data", "is empty; send a header line (timestamp,open,high,low,close,volume) and a line per bar"));
    }
    let (layout, mut is_bar) = layout(&record)?;
    let mut bars = Bars::default();
    let mut row = 0;
    loop {
        if is_bar {
            row += 1;
            bars.push(bar(&record, &layout, row)?);
        }
        is_bar = true;
        if !next(&mut record)? {
            break;
        }
    }
    if bars.is_empty() {
        return Err(Error::invalid("data", "has a header but no bars below it"));
    }
    bars.check(interval)?;
    Ok(bars)
}

/// The layout the first line tells, and whether that line is a bar already.
fn layout(first: &csv::ByteRecord) -> Result<(Layout, bool)> {
    let is_number = |field: &[u8]| std::str::from_utf8(field).is_ok_and(|text| text.parse::<f64>().is_ok());
    if first.iter().all(is_number) {
        if first.len() != KLINE_COLUMNS {
            let has = first.len();
            let why = format!(
                "is missing and the first line has {has} columns; a file without header must have the {KLINE_COLUMNS} of a Binance kline"
            );
            return Err(Error::invalid("header", why));
        }
        let kline = Layout { time: 0, time_name: "open_time", values: [1, 2, 3, 4, 5], columns: KLINE_COLUMNS };
        return Ok((kline, true));
    }
    let names: Vec<String> = first.iter().map(|name| String::from_utf8_lossy(name).to_lowercase()).collect();
    let time = TIME_NAMES.into_iter().find_map(|name| find(&names, name).transpose().map(|place| place.map(|place| (place, name))));
    let (time, time_name) = time.unwrap_or_else(|| Err(missing("timestamp", &names)))?;
    let mut values = [0; 5];
    for (place, name) in values.iter_mut().zip(VALUE_NAMES) {
        *place = find(&names, name)?.ok_or_else(|| missing(name, &names))?;
    }
    Ok((Layout { time, time_name, values, columns: names.len() }, false))
}

fn find(names: &[String], wanted: &str) -> Result<Option<usize>> {
    let mut places = names.iter().enumerate().filter(|(_, name)| *name == wanted).map(|(place, _)| place);
    let first = places.next();
    match places.next() {
        Some(_) => Err(Error::invalid(format!("column {wanted}"), "appears twice in the header; remove or rename one")),
        None => Ok(first),
    }
}

fn missing(wanted: &str, names: &[String]) -> Error {
    let hint = nearest(wanted, names.iter().map(String::as_str)).unwrap_or_default();
    Error::invalid(format!("column {wanted}"), format!("is missing from the header; {hint}"))
}

fn bar(record: &csv::ByteRecord, layout: &Layout, row: usize) -> Result<Bar> {
    if record.len() != layout.columns {
        let (has, wants) = (record.len(), layout.columns);
        return Err(Error::invalid(format!("row {row}"), format!("has {has} fields; the first line has {wants}")));
    }
    let field = |place: usize, name: &str| {
        std::str::from_utf8(&record[place]).map_err(|_| Error::invalid(format!("row {row}, column {name}"), "is not UTF-8 text"))
    };
    let timestamp = time(field(layout.time, layout.time_name)?)
        .map_err(|why| Error::invalid(format!("row {row}, column {}", layout.time_name), why))?;
    let mut values = [0.0; 5];
    for ((value, place), name) in values.iter_mut().zip(layout.values).zip(VALUE_NAMES) {
        let text = field(place, name)?;
        *value = text.parse().map_err(|_| {
            let why = if text.is_empty() { "is empty; write a number".to_owned() } else { format!("`{text}` is not a number") };
            Error::invalid(format!("row {row}, column {name}"), why)
        })?;
    }
    let [open, high, low, close, volume] = values;
    Ok(Bar { timestamp, open, high, low, close, volume })
}

fn time(text: &str) -> std::result::Result<Timestamp, String> {
    if let Ok(number) = text.parse::<i64>() {
        return whole(number)
            .ok_or_else(|| format!("`{text}` is not a time in whole milliseconds; write s, ms or µs since 1970, or RFC 3339"));
    }
    if let Ok(instant) = chrono::DateTime::parse_from_rfc3339(text) {
        return Ok(Timestamp(instant.timestamp_millis()));
    }
    if let Ok(date) = text.parse::<Timestamp>() {
        return Ok(date);
    }
    ["%Y-%m-%d %H:%M:%S", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%d %H:%M"]
        .into_iter()
        .find_map(|format| chrono::NaiveDateTime::parse_from_str(text, format).ok())
        .map(|civil| Timestamp(civil.and_utc().timestamp_millis()))
        .ok_or_else(|| format!("`{text}` is not a time; write it as 2024-12-05T12:00:00Z, as 2024-12-05, or as a number since 1970"))
}

/// A number since 1970 as an instant, its unit told by its size.
fn whole(number: i64) -> Option<Timestamp> {
    match number.unsigned_abs() {
        size if size < 100_000_000_000 => Some(Timestamp(number * 1000)),
        size if size < 100_000_000_000_000 => Some(Timestamp(number)),
        size if size < 100_000_000_000_000_000 && number % 1000 == 0 => Some(Timestamp(number / 1000)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEADER: &str = "timestamp,open,high,low,close,volume\n";

    fn hour(text: &str) -> Result<Bars> {
        read(text.as_bytes(), Interval::HOUR)
    }

    #[test]
    fn layouts_that_say_the_same() {
        let expected = hour(&format!("{HEADER}2024-01-01T00:00:00Z,2,3,1,2.5,10\n2024-01-01T01:00:00Z,2.5,3,2,2,0\n")).expect("plain");
        assert_eq!((expected.len(), expected.timestamp[0], expected.close[1]), (2, 1_704_067_200_000, 2.0));
        for (name, text) in [
            (
                "order, case, extra columns",
                "Symbol,CLOSE,Low,High,Open,Volume,Date\nX,2.5,1,3,2,10,2024-01-01\nX,2,2,3,2.5,0,2024-01-01 01:00:00\n",
            ),
            (
                "BOM, CRLF, blanks, quotes",
                "\u{feff}time, open,high,low,close,volume\r\n\"1704067200\",2,3,1,2.5,10\r\n1704070800, 2.5,3,2,2,0\r\n",
            ),
            (
                "milliseconds, no last newline",
                "open_time,open,high,low,close,volume\n1704067200000,2,3,1,2.5,1e1\n1704070800000,2.5,3,2,2,0",
            ),
            ("offset", "datetime,open,high,low,close,volume\n2024-01-01T02:00:00+02:00,2,3,1,2.5,10\n2024-01-01 01:00:00,2.5,3,2,2,0\n\n"),
            ("kline in ms", "1704067200000,2,3,1,2.5,10,1704070799999,1,1,1,1,0\n1704070800000,2.5,3,2,2,0,1704074399999,1,1,1,1,0\n"),
            (
                "kline in µs",
                "1704067200000000,2,3,1,2.5,10,1704070799999999,1,1,1,1,0\n1704070800000000,2.5,3,2,2,0,1704074399999999,1,1,1,1,0\n",
            ),
        ] {
            assert_eq!(hour(text).expect(name), expected, "{name}");
        }
    }

    #[test]
    fn errors_name_row_and_column() {
        let check = |text: &str, expected: &str| {
            let error = hour(text).expect_err(expected).to_string();
            assert!(error.contains(expected), "{error} lacks {expected}");
        };
        let good = "2024-01-01T00:00:00Z,2,3,1,2.5,10\n";
        check("", "data: is empty");
        check("\u{feff}\r\n\r\n", "data: is empty");
        check(HEADER, "data: has a header but no bars");
        check("timestamp,open,high,low,clsoe,volume\n", "column close: is missing from the header; did you mean `clsoe`?");
        check("when,open,high,low,close,volume\n", "column timestamp: is missing from the header");
        check("timestamp;open;high;low;close;volume\n", "column timestamp: is missing from the header; there are: timestamp;open");
        check("time,open,high,low,close,volume,Close\n", "column close: appears twice");
        check("1704067200000,2,3,1,2.5\n", "header: is missing and the first line has 5 columns");
        check(&format!("{HEADER}{good}2024-01-01T01:00:00Z,2,3,1,x,10\n"), "row 2, column close: `x` is not a number");
        check(&format!("{HEADER}{good}2024-01-01T01:00:00Z,2,,1,2,10\n"), "row 2, column high: is empty");
        check(&format!("{HEADER}{good}yesterday,2,3,1,2,10\n"), "row 2, column timestamp: `yesterday` is not a time");
        check(&format!("{HEADER}{good}1704070800000000001,2,3,1,2,10\n"), "row 2, column timestamp: `1704070800000000001`");
        check(&format!("{HEADER}{good}2024-01-01T01:00:00Z,2,3,1,2\n"), "row 2: has 5 fields; the first line has 6");
        check(&format!("{HEADER}{good}2024-01-01T01:00:00Z,2,3,1,NaN,10\n"), "row 2: close is NaN");
        check(&format!("{HEADER}{good}{good}"), "row 2: time 2024-01-01T00:00:00Z appears twice");
        let kline = "1704067200000,2,3,1,2.5,10,1704070799999,1,1,1,1,0\n1704070800000,2,oops,1,2.5,10,1704070799999,1,1,1,1,0\n";
        check(kline, "row 2, column high: `oops`");
        let mut bytes = format!("{HEADER}2024-01-01T00:00:00Z,2,3,1,2.5,").into_bytes();
        bytes.extend([0xff, b'\n']);
        let error = read(&bytes, Interval::HOUR).expect_err("not text").to_string();
        assert_eq!(error, "row 1, column volume: is not UTF-8 text");
    }

    #[test]
    fn any_bytes_are_answered() {
        let text = format!("{HEADER}2024-01-01T00:00:00Z,2,3,1,2.5,10\n\"2024-01-01T01:00:00Z\",2.5,3,2,2,0\n");
        for place in 0..text.len() {
            for byte in [0, b'"', b',', b'\n', 0xff] {
                let mut bytes = text.clone().into_bytes();
                bytes[place] = byte;
                if let Ok(bars) = read(&bytes, Interval::HOUR) {
                    assert_eq!(bars.check(Interval::HOUR), Ok(()));
                }
            }
        }
    }
}
