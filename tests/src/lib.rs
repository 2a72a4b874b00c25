//! What whole-host tests stand on: the real `bellwether` binary as a child process, an HTTP client, patience with a bound.
//!
//! Everything here panics with a sentence when the world is not as a test needs it: a test has nobody to hand an error to.
//! The order of the modules is the order of imports.
pub mod patience;
pub mod binary;
pub mod handmade;
pub mod process;
pub mod client;
pub mod sample;
pub mod registry;
pub mod running;

pub use binary::{binary, repository};
pub use client::{Answer, Client};
pub use handmade::component;
pub use patience::eventually;
pub use running::{Home, Refused, Running};
