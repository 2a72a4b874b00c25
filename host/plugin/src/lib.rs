//! The plugin host: loads components by manifest, grants what the operator granted, calls them within bounds.
//!
//! The only home of wasmtime. The rest of the house sees one plain type per kind ([`ModelPlugin`], [`DriftTest`], ...)
//! whose methods are async functions over domain values; every failure is `Error::Plugin` naming plugin, function and limit.
pub mod alert;
pub mod catalog;
pub mod check;
pub mod config;
pub mod drift;
pub mod frame;
pub mod manifest;
pub mod model;
pub mod size;
pub mod strategy;

pub use alert::AlertHandler;
pub use catalog::{Bundled, PluginHost, PluginInfo};
pub use config::{Ceiling, Grant, Instance, PluginsConfig};
pub use drift::{Acceptance, DriftDetector, DriftEvent, DriftOutcome, DriftTest};
pub use frame::{Column, ColumnKind, Frame, Windows};
pub use manifest::{Kind, Manifest};
pub use model::{GuestProgress, InputShape, ModelPlugin, Plan, Requirements};
pub use strategy::Strategy;
