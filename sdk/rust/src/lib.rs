//! Write a Bellwether plugin in Rust.
//!
//! A plugin is one type that implements [`Plugin`] (what it is, what its configuration looks like) and the trait of its
//! kind, and one line that registers it:
//!
//! | kind in `plugin.toml` | trait | registered with |
//! |---|---|---|
//! | `model`, a network or an ensemble | [`ModelType`] | `register!(model: T);` |
//! | `model` that fits itself | [`ModelType`] and [`Estimator`] | `register!(guest_model: T);` |
//! | `drift-test` | [`DriftTest`] | `register!(drift_test: T);` |
//! | `drift-detector` | [`DriftDetector`] | `register!(drift_detector: T);` |
//! | `alert-handler` | [`AlertHandler`] | `register!(alert_handler: T);` |
//! | `deployment-strategy` | [`DeploymentStrategy`] | `register!(deployment_strategy: T);` |
//!
//! ```
//! use bellwether_sdk::alert::Alert;
//! use bellwether_sdk::{AlertHandler, NoConfig, Plugin, Result, log};
//!
//! struct Print;
//!
//! impl Plugin for Print {
//!     const NAME: &'static str = "print";
//!     const VERSION: &'static str = "0.1.0";
//!     const SUMMARY: &'static str = "Writes alerts to the host's log.";
//!     type Config = NoConfig;
//! }
//!
//! impl AlertHandler for Print {
//!     fn handle(alert: &Alert, _config: &NoConfig) -> Result<()> {
//!         log::warn(&alert.summary);
//!         Ok(())
//!     }
//! }
//!
//! bellwether_sdk::register!(alert_handler: Print);
//! ```
//!
//! Rules that make a plugin cheap to run and safe to throw away: functions are pure over their arguments, state goes out
//! as bytes and comes back in ([`state`]), a mistake is an [`Error`] with a message for a person and never a panic.
//! The same code compiles natively, where [`testing`] stands in for the host, so plugins are tested with plain `cargo test`.
#![deny(missing_docs)]

// Generated code names this crate from outside, also where it is expanded inside.
extern crate self as bellwether_sdk;

#[doc(hidden)]
pub mod bindings;

pub mod alert;
pub mod clock;
pub mod data;
pub mod deploy;
pub mod drift;
mod error;
pub mod http;
pub mod log;
pub mod model;
pub mod network;
#[cfg(target_family = "wasm")]
mod panic;
mod plugin;
pub mod progress;
pub mod random;
mod register;
pub mod secrets;
pub mod state;
pub mod stats;
#[cfg(not(target_family = "wasm"))]
pub mod testing;
pub mod training;

pub use alert::AlertHandler;
pub use deploy::DeploymentStrategy;
pub use drift::{DriftDetector, DriftTest};
pub use error::{Error, Result};
pub use model::{Estimator, ModelType};
pub use plugin::{NoConfig, Plugin};
/// The JSON library configurations are read with, for `detail` documents.
pub use serde_json;
