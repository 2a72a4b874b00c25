//! `bellwether:host/data`: columns, frames and windows lent for one call. A handle is a few `Arc`s; reading copies out.

use std::ops::Range;

use wasmtime::component::Resource;

use crate::bindings::base::bellwether::host::data as wit;
use crate::frame::{Column, ColumnKind, Frame, Windows};
use crate::host::{NUMBERS, aggregate};
use crate::state::State;

/// A column in a guest's hands.
#[expect(unreachable_pub, reason = "the generated code re-exports it")]
pub struct LentColumn(pub(crate) Column);

/// Windows in a guest's hands.
#[expect(unreachable_pub, reason = "the generated code re-exports it")]
pub struct LentWindows(pub(crate) Windows);

impl wit::Host for State {}

impl wit::HostColumn for State {
    fn name(&mut self, column: Resource<LentColumn>) -> wasmtime::Result<String> {
        Ok(self.column(&column)?.name.to_string())
    }

    fn kind(&mut self, column: Resource<LentColumn>) -> wasmtime::Result<wit::ColumnKind> {
        Ok(match self.column(&column)?.kind {
            ColumnKind::Numeric => wit::ColumnKind::Numeric,
            ColumnKind::Categorical => wit::ColumnKind::Categorical,
        })
    }

    fn len(&mut self, column: Resource<LentColumn>) -> wasmtime::Result<u64> {
        Ok(self.column(&column)?.values.len() as u64)
    }

    fn read(&mut self, column: Resource<LentColumn>, offset: u64, count: u32) -> wasmtime::Result<Vec<f64>> {
        let values = &self.column(&column)?.values;
        Ok(values[clip(values.len(), offset, count, NUMBERS)].to_vec())
    }

    fn read_bytes(&mut self, column: Resource<LentColumn>, offset: u64, count: u32) -> wasmtime::Result<Vec<u8>> {
        let values = &self.column(&column)?.values;
        Ok(packed(&values[clip(values.len(), offset, count, NUMBERS)]))
    }

    fn moments(&mut self, column: Resource<LentColumn>) -> wasmtime::Result<wit::Moments> {
        let deadline = self.deadline;
        let found = aggregate::moments(&self.column(&column)?.values, deadline)?;
        Ok(wit::Moments {
            count: found.count,
            missing: found.missing,
            mean: found.mean,
            variance: found.variance,
            minimum: found.minimum,
            maximum: found.maximum,
        })
    }

    fn quantiles(&mut self, column: Resource<LentColumn>, probabilities: Vec<f64>) -> wasmtime::Result<Vec<f64>> {
        bounded("probabilities", probabilities.len())?;
        let deadline = self.deadline;
        Ok(aggregate::quantiles(&self.column(&column)?.values, &probabilities, deadline)?)
    }

    fn histogram(&mut self, column: Resource<LentColumn>, edges: Vec<f64>) -> wasmtime::Result<Vec<u64>> {
        bounded("edges", edges.len())?;
        let deadline = self.deadline;
        aggregate::histogram(&self.column(&column)?.values, &edges, deadline)?
            .ok_or_else(|| wasmtime::Error::msg("the edges of a histogram must ascend and hold no NaN"))
    }

    fn drop(&mut self, column: Resource<LentColumn>) -> wasmtime::Result<()> {
        self.table.delete(column)?;
        Ok(())
    }
}

impl wit::HostFrame for State {
    fn rows(&mut self, frame: Resource<Frame>) -> wasmtime::Result<u64> {
        Ok(self.frame(&frame)?.columns.first().map_or(0, |column| column.values.len()) as u64)
    }

    fn names(&mut self, frame: Resource<Frame>) -> wasmtime::Result<Vec<String>> {
        Ok(self.frame(&frame)?.columns.iter().map(|column| column.name.to_string()).collect())
    }

    fn column(&mut self, frame: Resource<Frame>, index: u32) -> wasmtime::Result<Option<Resource<LentColumn>>> {
        match self.frame(&frame)?.columns.get(index as usize).cloned() {
            Some(column) => Ok(Some(self.table.push(LentColumn(column))?)),
            None => Ok(None),
        }
    }

    fn drop(&mut self, frame: Resource<Frame>) -> wasmtime::Result<()> {
        self.table.delete(frame)?;
        Ok(())
    }
}

impl wit::HostWindows for State {
    fn samples(&mut self, windows: Resource<LentWindows>) -> wasmtime::Result<u64> {
        Ok(self.windows(&windows)?.ends.len() as u64)
    }

    fn steps(&mut self, windows: Resource<LentWindows>) -> wasmtime::Result<u32> {
        Ok(self.windows(&windows)?.steps)
    }

    fn features(&mut self, windows: Resource<LentWindows>) -> wasmtime::Result<Vec<String>> {
        Ok(self.windows(&windows)?.features.to_vec())
    }

    fn read(&mut self, windows: Resource<LentWindows>, offset: u64, count: u32) -> wasmtime::Result<Vec<f64>> {
        Ok(joined(whole(self.windows(&windows)?, offset, count)))
    }

    fn read_bytes(&mut self, windows: Resource<LentWindows>, offset: u64, count: u32) -> wasmtime::Result<Vec<u8>> {
        Ok(packed(&joined(whole(self.windows(&windows)?, offset, count))))
    }

    fn read_last(&mut self, windows: Resource<LentWindows>, offset: u64, count: u32) -> wasmtime::Result<Vec<f64>> {
        let windows = self.windows(&windows)?;
        let features = windows.features.len();
        let samples = clip(windows.ends.len(), offset, count, samples_per_read(features));
        Ok(joined(windows.ends[samples].iter().map(|end| &windows.rows[end * features..(end + 1) * features])))
    }

    fn targets(&mut self, windows: Resource<LentWindows>, offset: u64, count: u32) -> wasmtime::Result<Vec<f64>> {
        let targets = &self.windows(&windows)?.targets;
        Ok(targets[clip(targets.len(), offset, count, NUMBERS)].to_vec())
    }

    fn drop(&mut self, windows: Resource<LentWindows>) -> wasmtime::Result<()> {
        self.table.delete(windows)?;
        Ok(())
    }
}

impl State {
    fn frame(&mut self, frame: &Resource<Frame>) -> wasmtime::Result<&Frame> {
        self.host_calls.one_more()?;
        Ok(self.table.get(frame)?)
    }

    fn column(&mut self, column: &Resource<LentColumn>) -> wasmtime::Result<&Column> {
        self.host_calls.one_more()?;
        Ok(&self.table.get(column)?.0)
    }

    fn windows(&mut self, windows: &Resource<LentWindows>) -> wasmtime::Result<&Windows> {
        self.host_calls.one_more()?;
        Ok(&self.table.get(windows)?.0)
    }
}

/// The windows of samples `offset .. offset + count`, clipped, each as one run of rows.
fn whole(windows: &Windows, offset: u64, count: u32) -> impl Iterator<Item = &[f64]> {
    let (features, steps) = (windows.features.len(), windows.steps as usize);
    let samples = clip(windows.ends.len(), offset, count, samples_per_read(features * steps));
    windows.ends[samples].iter().map(move |end| &windows.rows[(end + 1 - steps) * features..(end + 1) * features])
}

/// Whole samples within the bound of one call, at least one.
fn samples_per_read(numbers_per_sample: usize) -> usize {
    (NUMBERS / numbers_per_sample.max(1)).max(1)
}

/// `offset .. offset + count`, clipped to `len` and to `most`.
fn clip(len: usize, offset: u64, count: u32, most: usize) -> Range<usize> {
    let start = usize::try_from(offset).unwrap_or(usize::MAX).min(len);
    start..start + (count as usize).min(most).min(len - start)
}

fn joined<'a>(runs: impl Iterator<Item = &'a [f64]>) -> Vec<f64> {
    let mut numbers = Vec::new();
    runs.for_each(|run| numbers.extend_from_slice(run));
    numbers
}

fn packed(numbers: &[f64]) -> Vec<u8> {
    numbers.iter().flat_map(|number| number.to_le_bytes()).collect()
}

fn bounded(what: &str, count: usize) -> wasmtime::Result<()> {
    if count <= NUMBERS { Ok(()) } else { Err(wasmtime::Error::msg(format!("{count} {what} were given in one call; at most {NUMBERS}"))) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_are_clipped() {
        assert_eq!(clip(10, 3, 4, 100), 3..7);
        assert_eq!(clip(10, 8, 4, 100), 8..10);
        assert_eq!(clip(10, 11, 4, 100), 10..10);
        assert_eq!(clip(10, u64::MAX, u32::MAX, 100), 10..10);
        assert_eq!(clip(1_000, 0, u32::MAX, 100), 0..100);
        assert_eq!((samples_per_read(1_000), samples_per_read(1 << 20), samples_per_read(0)), (131, 1, NUMBERS));
    }

    #[test]
    fn windows_end_where_they_say() {
        let windows = Windows {
            features: vec!["a".to_owned(), "b".to_owned()].into(),
            steps: 2,
            rows: (0..10).map(f64::from).collect(),
            ends: vec![1, 3, 4].into(),
            targets: Vec::new().into(),
        };
        let read: Vec<&[f64]> = whole(&windows, 1, 5).collect();
        assert_eq!(read, [&[4.0, 5.0, 6.0, 7.0], &[6.0, 7.0, 8.0, 9.0]]);
        assert_eq!(packed(&[1.5]), 1.5_f64.to_le_bytes());
    }
}
