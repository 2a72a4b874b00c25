//! Columns and frames.
use super::{CHUNK, ColumnKind, Moments};
use crate::bindings::shared::bellwether::host::data as host;
#[cfg(not(target_family = "wasm"))]
use crate::data::memory;
use crate::{Error, Result};

/// One column of 64-bit floats, in row order. NaN is a missing value.
pub struct Column(Source);

enum Source {
    Host(host::Column),
    #[cfg(not(target_family = "wasm"))]
    Memory(memory::Column),
}

/// Calls the same method on whichever source there is.
macro_rules! on {
    ($source:expr, $inner:ident => $call:expr) => {
        match $source {
            Source::Host($inner) => $call,
            #[cfg(not(target_family = "wasm"))]
            Source::Memory($inner) => $call,
        }
    };
}

impl Column {
    #[cfg(not(target_family = "wasm"))]
    pub(crate) fn memory(column: memory::Column) -> Column {
        Column(Source::Memory(column))
    }

    /// The column's name, for example `rsi(14)`.
    pub fn name(&self) -> String {
        on!(&self.0, column => column.name())
    }

    /// What the numbers mean.
    pub fn kind(&self) -> ColumnKind {
        on!(&self.0, column => column.kind())
    }

    /// Number of rows, missing values included.
    pub fn len(&self) -> u64 {
        on!(&self.0, column => column.len())
    }

    /// There are no rows.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Rows `offset .. offset + count`, clipped to the column and to what the host gives in one call (131 072).
    pub fn read(&self, offset: u64, count: u32) -> Vec<f64> {
        on!(&self.0, column => column.read(offset, count))
    }

    /// The rows in order, in pieces of 65 536: for columns too large to hold.
    pub fn chunks(&self) -> impl Iterator<Item = Vec<f64>> + '_ {
        let mut offset = 0;
        std::iter::from_fn(move || {
            let chunk = self.read(offset, CHUNK);
            offset += chunk.len() as u64;
            (!chunk.is_empty()).then_some(chunk)
        })
    }

    /// All rows, missing values as NaN.
    pub fn values(&self) -> Vec<f64> {
        let mut values = Vec::with_capacity(usize::try_from(self.len()).unwrap_or(0));
        self.chunks().for_each(|chunk| values.extend(chunk));
        values
    }

    /// The rows that have a value.
    pub fn present(&self) -> Vec<f64> {
        let mut values = self.values();
        values.retain(|value| !value.is_nan());
        values
    }

    /// Count, mean, variance and range of the present values.
    pub fn moments(&self) -> Moments {
        on!(&self.0, column => column.moments())
    }

    /// Quantiles of the present values by linear interpolation between order statistics (type 7), for probabilities in
    /// [0, 1]; NaN for a column without values.
    pub fn quantiles(&self, probabilities: &[f64]) -> Vec<f64> {
        on!(&self.0, column => column.quantiles(probabilities))
    }

    /// Counts of present values between ascending edges: n edges give n + 1 counts, the first below `edges[0]`, the last
    /// at or above the last edge; a value on an edge counts to the bin on its right.
    pub fn histogram(&self, edges: &[f64]) -> Vec<u64> {
        on!(&self.0, column => column.histogram(edges))
    }
}

/// Columns of one length.
pub struct Frame<'a>(FrameSource<'a>);

enum FrameSource<'a> {
    Host(&'a host::Frame),
    #[cfg(not(target_family = "wasm"))]
    Memory(std::rc::Rc<[memory::Column]>),
}

impl<'a> Frame<'a> {
    /// Wraps what the host lends.
    pub(crate) fn host(frame: &'a host::Frame) -> Frame<'a> {
        Frame(FrameSource::Host(frame))
    }

    #[cfg(not(target_family = "wasm"))]
    pub(crate) fn memory(columns: std::rc::Rc<[memory::Column]>) -> Frame<'static> {
        Frame(FrameSource::Memory(columns))
    }

    /// Number of rows.
    pub fn rows(&self) -> u64 {
        match &self.0 {
            FrameSource::Host(frame) => frame.rows(),
            #[cfg(not(target_family = "wasm"))]
            FrameSource::Memory(columns) => columns.first().map_or(0, memory::Column::len),
        }
    }

    /// Names of the columns, in order.
    pub fn names(&self) -> Vec<String> {
        match &self.0 {
            FrameSource::Host(frame) => frame.names(),
            #[cfg(not(target_family = "wasm"))]
            FrameSource::Memory(columns) => columns.iter().map(memory::Column::name).collect(),
        }
    }

    /// The column at a place in [`names`](Frame::names); none past the end.
    pub fn column(&self, index: u32) -> Option<Column> {
        match &self.0 {
            FrameSource::Host(frame) => frame.column(index).map(|column| Column(Source::Host(column))),
            #[cfg(not(target_family = "wasm"))]
            FrameSource::Memory(columns) => columns.get(index as usize).cloned().map(Column::memory),
        }
    }

    /// The columns, in order.
    pub fn columns(&self) -> impl Iterator<Item = Column> + '_ {
        (0..).map_while(|index| self.column(index))
    }

    /// The one column of the frame a univariate test is given. Errors: [`Error::InvalidInput`] when there are none or several.
    pub fn only_column(&self) -> Result<Column> {
        match (self.column(0), self.column(1)) {
            (Some(column), None) => Ok(column),
            (None, _) => Err(Error::invalid_input("the frame has no column")),
            (Some(_), Some(_)) => {
                Err(Error::invalid_input(format!("one column expected, {} given: {}", self.names().len(), self.names().join(", "))))
            }
        }
    }
}
