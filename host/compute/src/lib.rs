//! The native training core: a network description becomes a compiled network that is fitted and that predicts.
//!
//! The only home of candle. Knows nothing of plugins, stores or HTTP; takes numbers, gives numbers.
pub mod data;
pub mod device;
pub mod fit;
pub mod model;

pub use data::Samples;
pub use device::Device;
pub use fit::{Control, FitReport, FitSettings, Step, fit};
pub use model::Model;
