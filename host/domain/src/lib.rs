//! Nouns and rules of Bellwether: what the words mean and what may be done with them.
//!
//! No I/O, no async, no clock, no randomness: everything here is a value or a pure function. The modules are listed in
//! import order; each knows only those above it.
pub mod suggest;
pub mod error;
pub mod time;
pub mod id;
pub mod bars;
pub mod feature;
pub mod target;
pub mod split;
pub mod scaler;
pub mod network;
pub mod metrics;
pub mod trading;
pub mod gate;
pub mod drift;
pub mod job;
pub mod model;
pub mod rollout;
pub mod alert;

pub use error::{Error, Result};
