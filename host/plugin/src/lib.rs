//! The plugin host: loads components by manifest, grants what the operator granted, calls them within bounds.
//!
//! The only home of wasmtime. The rest of the house sees one plain type per kind ([`ModelPlugin`], [`DriftTest`], ...)
//! whose methods are async functions over domain values; every failure is `Error::Plugin` naming plugin, function and limit.
//!
//! A call's way through the crate: `catalog` finds the instance, its kind's file (`drift`, `model`, ...) says which export
//! to call and checks the answer, `call` admits it, runs it on the plugin threads in a store of its own and names what
//! went wrong. `load` is the way in: manifest, file, compile (`cache`), contract, `describe`; `shelf` takes up what
//! changed while calls go on, and `watch` tells it when.
pub mod size;
mod text;
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
mod meter;
mod call;
mod cache;
mod host;
mod load;
pub mod model;
mod info;
mod stock;
mod discover;
pub mod strategy;
pub mod drift;
pub mod alert;
mod instance;
mod shelf;
mod watch;
pub mod catalog;
pub mod inspect;
mod workpiece;
pub mod cases;
pub mod check;
pub mod bench;

pub use alert::AlertHandler;
pub use catalog::PluginHost;
pub use config::{Ceiling, Grant, Instance, PluginsConfig, Said, Signatures, Trusted};
pub use drift::{Acceptance, DriftDetector, DriftEvent, DriftOutcome, DriftTest};
pub use engine::HostCounters;
pub use frame::{Column, ColumnKind, Frame, Windows};
pub use grant::GrantUse;
pub use info::{Bundled, PluginInfo, Reloaded};
pub use manifest::{Build, Kind, Language, Manifest};
pub use meter::{CallError, CallSeries, Outcome, PluginMetrics};
pub use model::{GuestProgress, InputShape, ModelPlugin, Plan, Requirements};
pub use strategy::Strategy;
