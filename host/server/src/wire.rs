//! What travels over REST: requests and answers, apart from the domain's own types so that those may change.
//!
//! A serializable type here is a promise. Conversions take every field by name, so that a new field of the domain does not
//! go unnoticed. Names, times, symbols and intervals keep the domain's types, whose JSON form is the promise already.
pub mod alerts;
pub mod data;
pub mod deployments;
pub mod imports;
pub mod jobs;
pub mod metrics;
pub mod models;
pub mod monitoring;
pub mod names;
pub mod plugins;
pub mod serving;
pub mod split;
pub mod system;
