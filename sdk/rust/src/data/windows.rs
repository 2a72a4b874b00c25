//! Model inputs: windows of feature rows, and their targets.
use super::CHUNK;
use crate::bindings::shared::bellwether::host::data as host;
#[cfg(not(target_family = "wasm"))]
use crate::data::memory;

/// `samples` windows of `steps` time steps of some features, and one target each.
pub struct Windows<'a>(Source<'a>);

enum Source<'a> {
    Host(&'a host::Windows),
    #[cfg(not(target_family = "wasm"))]
    Memory(memory::Windows, std::marker::PhantomData<&'a ()>),
}

/// Calls the same method on whichever source there is.
macro_rules! on {
    ($source:expr, $inner:ident => $call:expr) => {
        match $source {
            Source::Host($inner) => $call,
            #[cfg(not(target_family = "wasm"))]
            Source::Memory($inner, _) => $call,
        }
    };
}

/// Some samples in a row.
#[derive(Debug, Clone, PartialEq)]
pub struct Chunk {
    /// Place of the first sample.
    pub first: u64,
    /// Numbers per sample: steps · features for whole windows, features for last rows.
    pub width: usize,
    /// The numbers, sample after sample.
    pub values: Vec<f64>,
}

impl Chunk {
    /// The samples, each `width` numbers.
    pub fn samples(&self) -> impl Iterator<Item = &[f64]> {
        self.values.chunks_exact(self.width)
    }
}

impl<'a> Windows<'a> {
    /// Wraps what the host lends.
    pub(crate) fn host(windows: &'a host::Windows) -> Windows<'a> {
        Windows(Source::Host(windows))
    }

    #[cfg(not(target_family = "wasm"))]
    pub(crate) fn memory(windows: memory::Windows) -> Windows<'static> {
        Windows(Source::Memory(windows, std::marker::PhantomData))
    }

    /// Number of samples.
    pub fn samples(&self) -> u64 {
        on!(&self.0, windows => windows.samples())
    }

    /// Time steps per window.
    pub fn steps(&self) -> u32 {
        on!(&self.0, windows => windows.steps())
    }

    /// Names of the features, in order.
    pub fn features(&self) -> Vec<String> {
        on!(&self.0, windows => windows.features())
    }

    /// Whole windows, row-major [step, feature] per sample, about 65 536 numbers at a time.
    ///
    /// # Panics
    /// When one window is larger than the host gives in one call (131 072 numbers).
    pub fn chunks(&self) -> impl Iterator<Item = Chunk> + '_ {
        let width = self.steps() as usize * self.features().len();
        self.pieces(width, move |offset, count| on!(&self.0, windows => windows.read(offset, count)))
    }

    /// Only the last time step of each window, one number per feature, about 65 536 numbers at a time: enough for models
    /// without memory, and `last-step-only` in the plan spares the host the rest.
    ///
    /// # Panics
    /// When one row is larger than the host gives in one call (131 072 numbers).
    pub fn last_rows(&self) -> impl Iterator<Item = Chunk> + '_ {
        let width = self.features().len();
        self.pieces(width, move |offset, count| on!(&self.0, windows => windows.read_last(offset, count)))
    }

    /// The targets of all samples; empty when predicting.
    pub fn targets(&self) -> Vec<f64> {
        let mut targets = Vec::new();
        loop {
            let part = on!(&self.0, windows => windows.targets(targets.len() as u64, CHUNK));
            if part.is_empty() {
                return targets;
            }
            targets.extend(part);
        }
    }

    /// Reads pieces until all samples are there.
    fn pieces<'b>(&'b self, width: usize, mut read: impl FnMut(u64, u32) -> Vec<f64> + 'b) -> impl Iterator<Item = Chunk> + 'b {
        let samples = if width == 0 { 0 } else { self.samples() };
        let count = u32::try_from(CHUNK as usize / width.max(1)).unwrap_or(CHUNK).max(1);
        let mut first = 0;
        std::iter::from_fn(move || {
            if first >= samples {
                return None;
            }
            let values = read(first, count);
            assert!(values.len() >= width, "a sample of {width} numbers is more than the host gives in one call");
            let chunk = Chunk { first, width, values };
            first += (chunk.values.len() / width) as u64;
            Some(chunk)
        })
    }
}
