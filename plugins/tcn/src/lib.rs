//! The model type `tcn`.
