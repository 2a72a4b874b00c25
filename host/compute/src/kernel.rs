//! Arithmetic on plain slices: packed matrix products in 32 and in 16 bits, LSTM gates, row-wise functions.
//!
//! Shared by training and serving, so that both compute the same numbers. Knows no tensors, networks or errors: callers
//! have checked every shape, and a wrong one panics at a slice bound. Everything runs on the calling thread.
pub(crate) mod attention;
pub(crate) mod conv;
pub(crate) mod exp;
pub(crate) mod function;
pub(crate) mod gates;
pub(crate) mod gru;
pub(crate) mod log;
pub(crate) mod lstm;
pub(crate) mod recurrent;
pub(crate) mod matmul;
pub(crate) mod noise;
pub(crate) mod norm;
pub(crate) mod pairs;
pub(crate) mod peak;
pub(crate) mod pool;
pub(crate) mod raw;
pub(crate) mod rows;
