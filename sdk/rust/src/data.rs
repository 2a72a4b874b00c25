//! Numbers the host owns: columns, frames of columns, windows.
//!
//! They are read in chunks, so a plugin chooses between holding all of them and holding a part; the aggregates
//! ([`Column::moments`], [`Column::quantiles`], [`Column::histogram`]) are computed by the host without the numbers
//! crossing at all. Natively the same types hold numbers given by [`testing`](crate::testing).
mod frame;
#[cfg(not(target_family = "wasm"))]
pub(crate) mod memory;
mod windows;

pub use frame::{Column, Frame};
pub use windows::{Chunk, Windows};

pub use crate::bindings::shared::bellwether::host::data::{ColumnKind, Moments};

/// Rows or numbers asked for in one call: half of what the host allows, half a megabyte.
pub(crate) const CHUNK: u32 = 1 << 16;
