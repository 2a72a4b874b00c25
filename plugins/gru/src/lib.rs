//! The model type `gru`.
