//! The features of the product, one module each, over the crates below. Knows no HTTP; owns all background work.
//!
//! One [`Host`] is built from one [`Config`] and owns everything. Each feature module adds its methods to `Host`, so that
//! a caller sees `host.create_job(..)`, `host.deploy(..)`, `host.predict(..)`. Clock and ids are injected.
pub mod alerting;
pub mod artifact;
pub mod clock;
pub mod config;
pub mod csv;
pub mod data;
pub mod dataset;
pub mod features;
pub mod host;
pub mod monitoring;
pub mod page;
pub mod predictor;
pub mod registry;
pub mod rollout;
pub mod scoring;
pub mod serving;
pub mod training;
pub mod worker;

pub use bellwether_plugin as plugin;
pub use bellwether_store as store;
pub use clock::Clock;
pub use config::Config;
pub use host::Host;
pub use page::{Listing, PageRequest};
