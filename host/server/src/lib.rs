//! The process around the engine: settings, token, HTTP, command line, demo.
//!
//! From the inside out: [`config`] reads settings; [`app`] is what handlers share; `extract`, `problem`, `trace`, [`auth`]
//! lie around every request; `wire` and `routes` are the API; [`router`] lists it; [`listen`] serves it; [`running`] ties a
//! host to a listener; [`client`] and [`cli`] are the other side. Knows no algorithm.
mod problem;
pub mod app;
pub mod auth;
mod openapi;
mod explain;
mod exposition;
mod extract;
pub mod wire;
mod routes;
mod trace;
mod router;
pub mod client;
pub mod config;
pub mod listen;
pub mod running;
pub mod cli;

pub use router::{document, router};

/// The version of this build.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");
