//! The native training core: a network description becomes a compiled network that is fitted and that predicts.
//!
//! The only home of candle. Knows nothing of plugins, stores or HTTP; takes numbers, gives numbers. Training builds a tape
//! of candle tensors with fused operations of ours; serving runs the same kernels on plain buffers without a tape.
mod arena;
mod plan;
pub mod data;
pub mod device;
pub mod estimate;
mod kernel;
mod layer;
mod loss;
mod program;
mod serve;
mod weights;
pub mod model;
mod graph;
mod initial;
pub mod fit;

pub use data::Samples;
pub use device::Device;
pub use estimate::{Estimate, estimate};
pub use fit::{Checkpoints, Control, FitReport, FitSettings, Step, fit};
pub use model::Model;
