//! The model type `ensemble`.
