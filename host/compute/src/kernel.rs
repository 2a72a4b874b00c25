//! Arithmetic on plain slices: packed matrix products, LSTM gates, row-wise functions.
//!
//! Shared by training and serving, so that both compute the same numbers. Knows no tensors, networks or errors: callers
//! have checked every shape, and a wrong one panics at a slice bound. Everything runs on the calling thread.
pub(crate) mod gates;
pub(crate) mod lstm;
pub(crate) mod matmul;
pub(crate) mod noise;
pub(crate) mod raw;
pub(crate) mod rows;
