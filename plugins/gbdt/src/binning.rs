//! Columns cut into at most 256 bins, and a table of bin numbers: one byte per value, column after column, so that growing a
//! tree reads a column in order.
//!
//! Few distinct values get a bin each; more are cut where equal shares of the samples lie. A value is in the first bin
//! whose cut is not below it. Of long tables the cuts come from every k-th row.
use bellwether_sdk::data::Windows;
use bellwether_sdk::model::Rows;
use bellwether_sdk::{Error, Result};

/// Most values that are held to find cuts: 32 MB.
const HELD: usize = 1 << 22;

/// Most values of a table: bytes.
const VALUES: usize = 96 << 20;

/// Most columns; a tree names one in two bytes.
const COLUMNS: usize = 10_000;

/// Where columns are cut, ascending, at most 255 cuts each.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Cuts(pub(crate) Vec<Vec<f64>>);

/// Bin numbers of some samples.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Table {
    rows: usize,
    bins: Vec<u8>,
}

/// Checks that samples fit: `samples` of both parts together. Errors: [`Error::InvalidInput`] saying what would fit.
pub(crate) fn check_size(samples: u64, columns: usize) -> Result<()> {
    if columns == 0 || columns > COLUMNS {
        return Err(Error::invalid_input(format!(
            "rows of {columns} columns are not possible, 1 to {COLUMNS} are: shorten `sequence_length` or set `window` to summary"
        )));
    }
    if samples.saturating_mul(columns as u64) > VALUES as u64 {
        let most = VALUES / columns;
        return Err(Error::invalid_input(format!(
            "{samples} samples of {columns} columns do not fit into the plugin's memory; {most} samples do: \
             train on a shorter period or set `window` to summary or last-step"
        )));
    }
    Ok(())
}

impl Cuts {
    /// Finds the cuts of a part's columns. Errors: [`Error::InvalidInput`] for a number that is not finite.
    pub(crate) fn find(shape: Rows, windows: &Windows, bins: usize) -> Result<Cuts> {
        let width = shape.width(windows.steps(), windows.features().len());
        let most = (HELD / width.max(1)).max(1) as u64;
        let stride = windows.samples().div_ceil(most).max(1);
        let mut columns: Vec<Vec<f64>> = vec![Vec::with_capacity(windows.samples().div_ceil(stride) as usize); width];
        shape.for_each(windows, |sample, row| {
            if sample % stride == 0 {
                columns.iter_mut().zip(row).for_each(|(column, value)| column.push(*value));
            }
        })?;
        Ok(Cuts(columns.iter_mut().map(|column| cut(column, bins)).collect()))
    }

    /// Bin numbers of a part. Errors: as [`Cuts::find`].
    pub(crate) fn table(&self, shape: Rows, windows: &Windows) -> Result<Table> {
        let rows = windows.samples() as usize;
        let mut bins = vec![0; rows * self.0.len()];
        shape.for_each(windows, |sample, row| {
            for (column, (cuts, value)) in self.0.iter().zip(row).enumerate() {
                bins[column * rows + sample as usize] = cuts.partition_point(|cut| cut < value) as u8;
            }
        })?;
        Ok(Table { rows, bins })
    }

    /// Number of bins of a column.
    pub(crate) fn bins(&self, column: usize) -> usize {
        self.0[column].len() + 1
    }
}

impl Table {
    /// Number of samples.
    pub(crate) fn rows(&self) -> usize {
        self.rows
    }

    /// Bin numbers of a column.
    pub(crate) fn column(&self, column: usize) -> &[u8] {
        &self.bins[column * self.rows..(column + 1) * self.rows]
    }
}

fn cut(values: &mut [f64], bins: usize) -> Vec<f64> {
    values.sort_unstable_by(f64::total_cmp);
    let distinct = 1 + values.windows(2).filter(|pair| pair[0] < pair[1]).count();
    let mut cuts = Vec::new();
    let mut between = |low: f64, high: f64| {
        if low < high {
            let middle = 0.5 * low + 0.5 * high;
            let cut = if middle < high { middle } else { low };
            if cuts.last().is_none_or(|last| *last < cut) {
                cuts.push(cut);
            }
        }
    };
    if distinct <= bins {
        values.windows(2).for_each(|pair| between(pair[0], pair[1]));
    } else {
        for bin in 1..bins {
            let place = bin * values.len() / bins;
            // Where a value repeats over several shares its upper end is cut, so that it is parted from what follows.
            let low = values[place - 1];
            let above = values[place..].partition_point(|value| *value <= low) + place;
            if let Some(high) = values.get(above) {
                between(low, *high);
            }
        }
    }
    cuts
}

#[cfg(test)]
mod tests {
    use bellwether_sdk::model::Rows;
    use bellwether_sdk::testing::windows;

    use super::{Cuts, check_size, cut};

    #[test]
    fn few_values_get_a_bin_each_and_many_equal_shares() {
        assert_eq!(cut(&mut [3.0, 1.0, 1.0, 2.0], 256), [1.5, 2.5]);
        assert_eq!(cut(&mut [5.0; 9], 4), [0.0; 0]);
        let mut many: Vec<f64> = (0..1000).map(f64::from).collect();
        assert_eq!(cut(&mut many, 4), [249.5, 499.5, 749.5]);
        // Zeros fill the first three of four shares: one cut behind them.
        let mut zeros: Vec<f64> = (0..100).map(|value| f64::from((value - 80).max(0))).collect();
        assert_eq!(cut(&mut zeros, 4), [0.5]);
        assert_eq!(cut(&mut [1.0, 1.0_f64.next_up()], 256), [1.0]);
        assert_eq!(cut(&mut [f64::MIN, f64::MAX], 256), [0.0]);
        assert_eq!(cut(&mut [], 256), [0.0; 0]);
    }

    #[test]
    fn a_value_is_in_the_first_bin_whose_cut_is_not_below_it() {
        let cuts = Cuts(vec![vec![1.0, 2.0], vec![]]);
        let part = windows(&["a", "b"], 1, &[1.0, 9.0, 1.5, 9.0, 7.0, 9.0], &[]);
        let table = cuts.table(Rows::LastStep, &part).unwrap();
        assert_eq!((table.column(0), table.column(1)), (&[0, 1, 2][..], &[0, 0, 0][..]));
        assert_eq!(Cuts::find(Rows::LastStep, &part, 256).unwrap().0, [vec![1.25, 4.25], vec![]]);
    }

    #[test]
    fn sizes_are_bounded() {
        assert!(check_size(1_000_000, 54).is_ok());
        let message = check_size(1_000_000, 540).unwrap_err().message().to_owned();
        assert!(message.contains("1000000 samples of 540 columns") && message.contains("186413 samples do"), "{message}");
        assert!(check_size(1, 0).is_err() && check_size(1, 10_001).is_err());
    }
}
