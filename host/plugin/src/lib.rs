//! The plugin host: loads components by manifest, grants what the operator granted, calls them within bounds.
//!
//! The only home of wasmtime. The rest of the house sees one plain type per kind ([`ModelPlugin`], [`DriftTest`], ...)
//! whose methods are async functions over domain values; every failure is `Error::Plugin` naming plugin, function and limit.
//!
//! A call's way through the crate: `catalog` finds the instance, its kind's file (`drift`, `model`, ...) says which export
//! to call and checks the answer, `call` admits it, runs it on the plugin threads in a store of its own and names what
//! went wrong. `load` is the way in: manifest, file, compile (`cache`), contract, `describe`.
pub mod size;
pub mod manifest;
pub mod config;
mod limits;
mod contract;
pub mod frame;
pub mod signature;
pub mod pack;
pub mod registry;
mod bindings;
mod engine;
mod breaker;
mod http;
mod grant;
mod state;
mod schema;
mod call;
mod cache;
mod host;
mod load;
pub mod model;
mod discover;
pub mod strategy;
pub mod drift;
pub mod alert;
pub mod catalog;
mod instance;
pub mod inspect;
mod workpiece;
pub mod cases;
pub mod check;
pub mod bench;

pub use alert::AlertHandler;
pub use catalog::{Bundled, PluginHost, PluginInfo};
pub use config::{Ceiling, Grant, Instance, PluginsConfig, Signatures, Trusted};
pub use drift::{Acceptance, DriftDetector, DriftEvent, DriftOutcome, DriftTest};
pub use frame::{Column, ColumnKind, Frame, Windows};
pub use manifest::{Build, Kind, Language, Manifest};
pub use model::{GuestProgress, InputShape, ModelPlugin, Plan, Requirements};
pub use strategy::Strategy;
