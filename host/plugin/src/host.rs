//! The interfaces the host offers its plugins, one file each, implemented on a call's [`crate::state::State`].
//!
//! All of them compute and return at once. Wrong arguments trap with a sentence that says what was wrong.
pub(crate) mod aggregate;
pub(crate) mod clock;
pub(crate) mod data;
pub(crate) mod log;
pub(crate) mod progress;
pub(crate) mod random;
pub(crate) mod secrets;
pub(crate) mod stats;
pub(crate) mod wasi;

use crate::bindings::base::bellwether;
use crate::state::State;

/// Most numbers one host call carries.
pub(crate) const NUMBERS: usize = 131_072;

impl bellwether::types::common::Host for State {}

impl bellwether::nn::network::Host for State {}
