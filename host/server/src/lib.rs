//! The process around the engine: settings, token, HTTP, command line, demo.
//!
//! From the inside out: [`config`] reads settings; [`app`] is what handlers share; `extract`, `problem`, `trace`, [`auth`]
//! lie around every request; `wire` and `routes` are the API; [`router`] lists it; [`listen`] serves it; [`running`] ties a
//! host to a listener; [`client`] and [`cli`] are the other side. Knows no algorithm.
pub mod app;
pub mod auth;
pub mod cli;
pub mod client;
pub mod config;
mod explain;
mod extract;
pub mod listen;
mod openapi;
mod problem;
mod router;
mod routes;
pub mod running;
mod trace;
pub mod wire;

pub use router::{document, router};

/// The version of this build.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");
