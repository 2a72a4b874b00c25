//! The model type `linear`.
