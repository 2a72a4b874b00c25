//! The model type `gbdt`.
