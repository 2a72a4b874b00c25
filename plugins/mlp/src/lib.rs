//! The model type `mlp`.
