//! Shapes a network implies, worked out before anything is allocated. Errors name the node and both shapes.

use crate::Result;
use crate::network::Network;

/// A value's shape without the batch: `[time, features]` or `[features]`.
pub type Shape = Vec<usize>;

/// Most nodes a network may have.
pub const NODES_MAX: usize = 10_000;

/// Most parameters a network may have.
pub const PARAMETERS_MAX: usize = 200_000_000;

/// What is known of a network before it is built.
#[derive(Debug, Clone, PartialEq)]
pub struct Shapes {
    /// Shape of each node's value, in node order.
    pub nodes: Vec<Shape>,
    /// Number of trained parameters of each node, in node order.
    pub parameters: Vec<usize>,
}

/// Checks a network and works out every shape for windows of `[steps, features]`.
///
/// Errors are `Invalid` with field `network.<node name>`: an input that is not earlier, a wrong number of inputs, a
/// shape that does not fit (both shapes in the text), a number out of range, too many nodes or parameters, an output
/// that is not a vector or not as wide as its loss wants.
pub fn infer(network: &Network, steps: usize, features: usize) -> Result<Shapes> {
    let _ = (network, steps, features);
    todo!("compute helper")
}
