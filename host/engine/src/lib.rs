//! The features of the product, one module each, over the crates below. Knows no HTTP; owns all background work.
//!
//! One [`Host`] is built from one [`Config`] and owns everything. Each feature module adds its methods to `Host`, so that
//! a caller sees `host.create_job(..)`, `host.deploy(..)`, `host.predict(..)`. Clock and ids are injected.
pub mod clock;
pub mod config;
pub mod page;
pub mod csv;
pub mod features;
pub mod columns;
pub mod artifact;
pub mod dataset;
pub mod predictor;
pub mod scoring;
pub mod worker;
mod tasks;
mod records;
pub mod host;
pub mod plugins;
pub mod data;
pub mod alerting;
pub mod registry;
pub mod import;
pub mod serving;
pub mod rollout;
pub mod training;
pub mod monitoring;

pub use bellwether_plugin as plugin;
pub use bellwether_store as store;
pub use clock::Clock;
pub use config::Config;
pub use host::Host;
pub use page::{Listing, PageRequest};
