//! A compiled network with its weights: predicts, saves, loads.

use bellwether_domain::network::Network;
use bellwether_domain::{Error, Result};

use crate::plan::Plan;
use crate::serve::Forward;
use crate::{Device, weights};

/// A network ready to predict. Cheap to share between threads.
#[derive(Debug)]
pub struct Model {
    plan: Plan,
    weights: Vec<f32>,
    forward: Forward,
}

impl Model {
    /// Compiles `network` for windows of `[steps, features]` with weights from `safetensors` bytes.
    /// Errors (`Invalid`, field `artifact.weights`): a tensor missing, foreign, not f32, of the wrong shape (both shapes in the
    /// text) or not finite; bytes cut short. Errors of the network itself name its nodes.
    pub fn load(network: &Network, steps: usize, features: usize, weights: &[u8], device: &Device) -> Result<Model> {
        if !matches!(device.0, candle_core::Device::Cpu) {
            return Err(Error::invalid("device", "predictions are computed on `cpu`; use it here, whatever the model was trained on"));
        }
        let plan = Plan::compile(network, steps, features)?;
        let values = weights::read(&plan, weights)?;
        Ok(Model::new(plan, values))
    }

    pub(crate) fn new(plan: Plan, weights: Vec<f32>) -> Model {
        let forward = Forward::new(&plan, &weights);
        Model { plan, weights, forward }
    }

    /// Weights as a safetensors file: one tensor per parameter, named `<node>.<parameter>`. The same weights give the same bytes.
    pub fn weights(&self) -> Result<Vec<u8>> {
        weights::write(&self.plan, &self.weights)
    }

    /// Values of the first output for `count` windows, row-major [window, step, feature], already scaled.
    /// The answer is [window, width of the output]. Losses with logits give the logit, not the probability.
    /// A window's prediction does not depend on the windows beside it. Runs on the calling thread; threads may call at once.
    /// Errors: `Invalid` with field `windows` when the numbers are not `count` windows or not finite.
    pub fn predict(&self, windows: &[f32], count: usize) -> Result<Vec<f32>> {
        Ok(self.predict_each(windows, count)?.swap_remove(0))
    }

    /// [`Model::predict`] for every output of the network, in its order.
    pub fn predict_each(&self, windows: &[f32], count: usize) -> Result<Vec<Vec<f32>>> {
        let [steps, features] = self.plan.window;
        if count.checked_mul(steps * features) != Some(windows.len()) {
            let why = format!("{} numbers are not {count} windows of shape [{steps}, {features}]", windows.len());
            return Err(Error::invalid("windows", why));
        }
        if let Some(place) = windows.iter().position(|value| !value.is_finite()) {
            let (window, step, feature) = (place / (steps * features), place / features % steps, place % features);
            return Err(Error::invalid("windows", format!("feature {feature} of step {step} of window {window} is not a finite number")));
        }
        for table in &self.plan.tables {
            let values = windows.chunks_exact(steps * features).enumerate().flat_map(|(window, values)| table.read(window, values));
            if let Some((window, place, value)) = values.into_iter().find(|(_, _, value)| !table.holds(*value)) {
                let (step, feature) = (place / features, place % features);
                let why = format!("feature {feature} of step {step} of window {window} is {value}; {}", table.wanted());
                return Err(Error::invalid("windows", why));
            }
        }
        Ok(self.forward.run(&self.plan, &self.weights, windows, count))
    }

    /// Bytes of memory the weights and buffers take, counting the buffers of one full batch.
    pub fn size_bytes(&self) -> usize {
        self.weights.capacity() * size_of::<f32>() + self.forward.size_bytes(&self.plan)
    }
}
