//! The worker from order to artifact, with the built-in plugins, and the version it makes answering questions.
mod bench;
mod ensembles;
mod errors;
mod folds;
mod intervals;
mod jobs;
#[path = "../fixtures/shared_data.rs"]
mod shared_data;
mod volatility;
