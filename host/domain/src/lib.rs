//! Nouns and rules of Bellwether: what the words mean and what may be done with them.
//!
//! No I/O, no async, no clock, no randomness: everything here is a value or a pure function. The modules are listed in
//! import order; each knows only those above it.
pub mod alert;
pub mod bars;
pub mod drift;
pub mod error;
pub mod feature;
pub mod gate;
pub mod id;
pub mod job;
pub mod metrics;
pub mod model;
pub mod network;
pub mod rollout;
pub mod scaler;
pub mod split;
pub mod suggest;
pub mod target;
pub mod time;
pub mod trading;

pub use error::{Error, Result};
