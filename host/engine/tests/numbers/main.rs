//! The numbers behind training: features, samples, artifacts, against outside references and hostile input.
mod artifact;
mod dataset;
mod features;
mod har;
mod series;
#[path = "../fixtures/shared_data.rs"]
mod shared_data;
