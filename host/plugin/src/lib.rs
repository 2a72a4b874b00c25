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

pub mod frame;

mod bindings;
mod breaker;
mod cache;
mod call;
mod contract;
mod discover;
mod engine;
mod grant;
mod host;
mod http;
mod instance;
mod limits;
mod load;
mod schema;
mod state;

pub mod alert;
pub mod catalog;
pub mod check;
pub mod drift;
pub mod model;
pub mod strategy;

pub use alert::AlertHandler;
pub use catalog::{Bundled, PluginHost, PluginInfo};
pub use config::{Ceiling, Grant, Instance, PluginsConfig};
pub use drift::{Acceptance, DriftDetector, DriftEvent, DriftOutcome, DriftTest};
pub use frame::{Column, ColumnKind, Frame, Windows};
pub use manifest::{Kind, Manifest};
pub use model::{GuestProgress, InputShape, ModelPlugin, Plan, Requirements};
pub use strategy::Strategy;
