//! The native training core: a network description becomes a compiled network that is fitted and that predicts.
//!
//! The only home of candle. Knows nothing of plugins, stores or HTTP; takes numbers, gives numbers. On the processor
//! training and serving run the same layers of ours on plain buffers; on a GPU candle's tensors train, and they are the
//! reference our layers are tested against.
mod arena;
mod plan;
pub mod data;
pub mod device;
mod kernel;
mod layer;
mod loss;
mod program;
pub mod precision;
pub mod estimate;
mod serve;
mod weights;
pub mod model;
mod backend;
mod tensors;
mod initial;
pub mod fit;

pub use data::Samples;
pub use device::Device;
pub use estimate::{Estimate, estimate};
pub use fit::{Checkpoints, Control, FitReport, FitSettings, Step, fit};
pub use kernel::log::{ln_1p_all, ln_all};
#[doc(hidden)]
pub use kernel::peak::product_rate;
pub use model::Model;
