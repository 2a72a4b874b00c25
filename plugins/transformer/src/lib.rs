//! The model type `transformer`.
