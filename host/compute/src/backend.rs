//! What the training loop asks of the place it trains on: steps, losses, weights. It must not know how they are computed.

use bellwether_domain::Result;

use crate::Samples;

/// What moves the weights: the processor's threads, or candle's tensors on another device.
pub(crate) trait Backend {
    /// Trains on the chosen samples once; the answer is their mean loss, or none when it or the gradient is not finite: then
    /// the weights are as they were. `number` is this step's, and decides what dropouts drop.
    fn step(&mut self, samples: &Samples<'_>, chosen: &[usize], rate: f64, number: u64) -> Result<Option<f64>>;

    /// Mean loss of all samples without dropout.
    fn evaluate(&mut self, samples: &Samples<'_>) -> Result<f64>;

    /// The weights as they are.
    fn weights(&self) -> Result<Vec<f32>>;

    /// Everything a checkpoint must hold of it.
    fn state(&self) -> Result<State>;

    /// Goes on from a state of the same network and optimiser, whose lengths the caller has checked.
    fn restore(&mut self, state: State) -> Result<()>;
}

/// Weights and optimiser at one moment.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct State {
    pub(crate) weights: Vec<f32>,
    /// The optimiser's vectors one after the other.
    pub(crate) moments: Vec<f32>,
    /// Steps it has made.
    pub(crate) steps: i32,
}
