//! A compiled network with its weights: predicts, saves, loads.

use bellwether_domain::Result;
use bellwether_domain::network::Network;

use crate::Device;

/// A network ready to predict. Cheap to share between threads.
#[derive(Debug)]
pub struct Model {}

impl Model {
    /// Compiles `network` for windows of `[steps, features]` with weights from `safetensors` bytes.
    /// Errors (`Invalid`): a tensor missing, foreign, of the wrong shape (both shapes in the text) or not finite; bytes cut short.
    pub fn load(network: &Network, steps: usize, features: usize, weights: &[u8], device: &Device) -> Result<Model> {
        let _ = (network, steps, features, weights, device);
        todo!()
    }

    /// Weights as a safetensors file: one tensor per parameter, named `<node>.<parameter>`.
    pub fn weights(&self) -> Result<Vec<u8>> {
        todo!()
    }

    /// Values of the first output for `count` windows, row-major [window, step, feature], already scaled.
    /// The answer is [window, width of the output]. Losses with logits give the logit, not the probability.
    pub fn predict(&self, windows: &[f32], count: usize) -> Result<Vec<f32>> {
        let _ = (windows, count);
        todo!()
    }

    /// Bytes of memory the weights and buffers take.
    pub fn size_bytes(&self) -> usize {
        todo!()
    }
}
