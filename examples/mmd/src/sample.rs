//! The rows that are compared: evenly spaced in time, whole, in units of the reference's own spread; and what of the
//! reference is kept as bytes.

use bellwether_sdk::data::{Column, Frame};
use bellwether_sdk::state::{Reader, Writer};
use bellwether_sdk::{Error, Result};

/// Tag and version of the bytes.
const STATE: (&str, u32) = ("mmd", 1);

/// Most columns: distances over more say little, and the time grows with them.
const COLUMNS: usize = 200;
/// Least rows for a comparison.
const LEAST: usize = 20;
/// Rows whose pairs give the bandwidth.
const PAIRED: usize = 200;

/// Rows of numbers, one after the other.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Rows {
    pub(crate) width: usize,
    pub(crate) values: Vec<f64>,
}

impl Rows {
    pub(crate) fn count(&self) -> usize {
        self.values.len() / self.width
    }

    pub(crate) fn row(&self, place: usize) -> &[f64] {
        &self.values[place * self.width..][..self.width]
    }

    /// Squared distance of a row from a row of another side.
    pub(crate) fn distance(&self, row: usize, other: &Rows, at: usize) -> f64 {
        self.row(row).iter().zip(other.row(at)).map(|(a, b)| (a - b) * (a - b)).sum()
    }
}

/// The reference.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Baseline {
    names: Vec<String>,
    /// Mean and standard deviation of each column.
    center: Vec<f64>,
    scale: Vec<f64>,
    /// Whole rows there were.
    pub(crate) count: u64,
    /// Those kept, centred and scaled.
    pub(crate) rows: Rows,
    /// σ of the kernel: the median distance of two rows (the usual choice; Gretton et al. 2012, section 8).
    pub(crate) bandwidth: f64,
}

impl Baseline {
    /// Errors: `invalid-input` for no or too many columns, too few whole rows, columns without a finite spread.
    pub(crate) fn of(reference: &Frame, most: usize) -> Result<Baseline> {
        let names = reference.names();
        if names.is_empty() || names.len() > COLUMNS {
            return Err(Error::invalid_input(format!("{} columns; 1 to {COLUMNS} can be compared together", names.len())));
        }
        let (whole, count) = whole_rows(reference, most)?;
        let column = |place: usize| whole.values.iter().skip(place).step_by(whole.width);
        let rows = whole.count() as f64;
        let center: Vec<f64> = (0..names.len()).map(|place| column(place).sum::<f64>() / rows).collect();
        let spread = |place: usize| (column(place).map(|value| (value - center[place]).powi(2)).sum::<f64>() / rows).sqrt();
        let scale: Vec<f64> = (0..names.len()).map(spread).collect();
        if let Some(place) = scale.iter().position(|scale| !scale.is_finite()) {
            return Err(Error::invalid_input(format!("the values of `{}` are too large to have a variance", names[place])));
        }
        let rows = scaled(&whole, &center, &scale);
        let bandwidth = median_distance(&rows);
        if bandwidth <= 0.0 {
            return Err(Error::invalid_input("most rows of the reference are the same; there is no distance to compare by"));
        }
        Ok(Baseline { names, center, scale, count, rows, bandwidth })
    }

    /// Current rows as the reference's were kept, and how many whole ones there were. Errors: `invalid-input` for other
    /// columns or too few whole rows.
    pub(crate) fn scaled(&self, current: &Frame, most: usize) -> Result<(Rows, u64)> {
        let names = current.names();
        if names != self.names {
            let (given, known) = (names.join(", "), self.names.join(", "));
            return Err(Error::invalid_input(format!("the columns are {given}; the baseline was made of {known}")));
        }
        let (whole, count) = whole_rows(current, most)?;
        Ok((scaled(&whole, &self.center, &self.scale), count))
    }

    /// As bytes.
    pub(crate) fn write(&self) -> Vec<u8> {
        let mut writer = Writer::new(STATE.0, STATE.1);
        writer.texts(&self.names);
        writer.numbers(&self.center);
        writer.numbers(&self.scale);
        writer.u64(self.count);
        writer.number(self.bandwidth);
        writer.numbers(&self.rows.values);
        writer.finish()
    }

    /// From bytes. Errors: `invalid-input` for foreign or damaged ones.
    pub(crate) fn read(bytes: &[u8]) -> Result<Baseline> {
        let mut reader = Reader::open(bytes, STATE.0, STATE.1)?;
        let (names, center, scale) = (reader.texts()?, reader.numbers()?, reader.numbers()?);
        let (count, bandwidth, values) = (reader.u64()?, reader.number()?, reader.numbers()?);
        reader.finish()?;
        let width = names.len();
        let finite = |numbers: &[f64]| numbers.iter().all(|number| number.is_finite());
        let sound = (1..=COLUMNS).contains(&width)
            && [center.len(), scale.len()] == [width, width]
            && values.len().is_multiple_of(width)
            && values.len() / width >= LEAST
            && count >= (values.len() / width) as u64
            && bandwidth > 0.0
            && [&center, &scale, &values, &vec![bandwidth]].into_iter().all(|numbers| finite(numbers));
        if !sound {
            return Err(Error::invalid_input("the `mmd` baseline is damaged: its parts do not fit each other"));
        }
        Ok(Baseline { names, center, scale, count, rows: Rows { width, values }, bandwidth })
    }
}

/// At most so many whole rows, evenly spaced, and how many there were. A row with a missing value is left out: what it
/// lacks cannot be compared.
fn whole_rows(frame: &Frame, most: usize) -> Result<(Rows, u64)> {
    let columns: Vec<Vec<f64>> = frame.columns().map(|column: Column| column.values()).collect();
    let (width, length) = (columns.len(), columns.first().map_or(0, Vec::len));
    let whole: Vec<usize> = (0..length).filter(|row| columns.iter().all(|column| column[*row].is_finite())).collect();
    if whole.len() < LEAST {
        return Err(Error::invalid_input(format!(
            "{} of {length} rows have finite values in all columns; {LEAST} are needed",
            whole.len()
        )));
    }
    let kept = whole.len().min(most);
    let values = (0..kept).flat_map(|place| {
        // The middle of each of `kept` equal stretches.
        let row = whole[(2 * place + 1) * whole.len() / (2 * kept)];
        columns.iter().map(move |column| column[row])
    });
    let values = values.collect();
    Ok((Rows { width, values }, whole.len() as u64))
}

/// A column that did not move in the reference keeps its unit: any move of it then counts as it is.
fn scaled(rows: &Rows, center: &[f64], scale: &[f64]) -> Rows {
    let unit = |place: usize| if scale[place] > 0.0 { scale[place] } else { 1.0 };
    let values = rows.values.iter().enumerate().map(|(at, value)| {
        let place = at % rows.width;
        // Beyond a million spreads everything is equally far; squares stay finite.
        ((value - center[place]) / unit(place)).clamp(-1e6, 1e6)
    });
    Rows { width: rows.width, values: values.collect() }
}

/// Median distance of two rows, over all pairs of at most [`PAIRED`] evenly spaced ones.
fn median_distance(rows: &Rows) -> f64 {
    let used = rows.count().min(PAIRED);
    let place = |at: usize| (2 * at + 1) * rows.count() / (2 * used);
    let mut squares: Vec<f64> =
        (0..used).flat_map(|a| (0..a).map(move |b| (a, b))).map(|(a, b)| rows.distance(place(a), rows, place(b))).collect();
    squares.sort_unstable_by(f64::total_cmp);
    squares[squares.len() / 2].sqrt()
}
