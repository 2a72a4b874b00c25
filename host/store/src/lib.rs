//! Where things are kept: records (sled), blobs (object_store), bars (Parquet), the prediction log (append-only segments).
//!
//! The only home of those crates. Acknowledged means on disk. All calls are async; blocking work runs off the async
//! threads here, in one place (`blocking`). Knows nothing of what the records mean.
mod blocking;
mod failure;

mod durable;
mod leftovers;

pub mod bars;
pub mod blobs;
pub mod lock;
pub mod log;
pub mod records;

pub use bars::{BarStore, Ingested, SeriesInfo};
pub use blobs::Blobs;
pub use lock::DataFolder;
pub use log::{PredictionEntry, PredictionLog};
pub use records::{Change, Collection, Page, Record, Records, Transaction, Versioned};
