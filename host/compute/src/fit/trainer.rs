//! One step of training, and the loss of a set of samples: tape, backward, clip, move.

use bellwether_domain::network::Training;
use bellwether_domain::{Error, Result};
use candle_core::{Tensor, Var};
use rand_chacha::ChaCha8Rng;

use crate::fit::optimizer::{Stepper, clip};
use crate::graph::{Graph, loss::loss, read};
use crate::plan::Plan;
use crate::{Device, Samples};

/// Weights under training.
#[derive(Debug)]
pub(crate) struct Trainer<'a> {
    plan: &'a Plan,
    graph: Graph,
    device: candle_core::Device,
    pub(crate) weights: Vec<f32>,
    pub(crate) gradient: Vec<f32>,
    stepper: Stepper,
    clip_norm: Option<f64>,
    noise: ChaCha8Rng,
}

impl<'a> Trainer<'a> {
    pub(crate) fn new(plan: &'a Plan, weights: Vec<f32>, training: &Training, device: &Device, noise: ChaCha8Rng) -> Trainer<'a> {
        let (gradient, stepper) = (vec![0.0; weights.len()], Stepper::new(training.optimizer, weights.len()));
        let (graph, clip_norm) = (Graph::new(plan), training.clip_norm);
        Trainer { plan, graph, device: device.0.clone(), weights, gradient, stepper, clip_norm, noise }
    }

    /// Trains on the chosen samples once; the answer is their mean loss, or none when it or the gradient is not finite.
    pub(crate) fn step(&mut self, samples: &Samples<'_>, chosen: &[usize], rate: f64) -> Result<Option<f64>> {
        let mean = self.differentiate(samples, chosen, true).map_err(Error::internal)?;
        let norm = clip(&mut self.gradient, self.clip_norm);
        if !(mean.is_finite() && norm.is_finite()) {
            return Ok(None);
        }
        self.stepper.step(&mut self.weights, &self.gradient, rate);
        Ok(Some(mean))
    }

    /// Mean loss of all samples without dropout.
    pub(crate) fn evaluate(&mut self, samples: &Samples<'_>, batch: usize) -> Result<f64> {
        let places: Vec<usize> = (0..samples.len()).collect();
        let mut sum = 0.0;
        for chosen in places.chunks(batch) {
            let tensors = self.tensors(|values, shape, device| Tensor::from_slice(values, shape, device)).map_err(Error::internal)?;
            let mean = self.loss(&tensors, samples, chosen, false).and_then(|loss| loss.to_scalar::<f32>()).map_err(Error::internal)?;
            sum += f64::from(mean) * chosen.len() as f64;
        }
        Ok(sum / samples.len() as f64)
    }

    /// Fills the gradient; the answer is the mean loss.
    pub(crate) fn differentiate(&mut self, samples: &Samples<'_>, chosen: &[usize], noisy: bool) -> candle_core::Result<f64> {
        let tensors = self.tensors(|values, shape, device| Ok(Var::from_slice(values, shape, device)?.into_inner()))?;
        let loss = self.loss(&tensors, samples, chosen, noisy)?;
        let slopes = loss.backward()?;
        for (tensor, place) in tensors.iter().zip(&self.plan.places) {
            let to = &mut self.gradient[place.clone()];
            match slopes.get(tensor) {
                None => to.fill(0.0),
                Some(slope) => read(slope, |from| {
                    to.copy_from_slice(from);
                    Ok(())
                })?,
            }
        }
        Ok(f64::from(loss.to_scalar::<f32>()?))
    }

    fn tensors(
        &self,
        make: impl Fn(&[f32], &[usize], &candle_core::Device) -> candle_core::Result<Tensor>,
    ) -> candle_core::Result<Vec<Tensor>> {
        let pairs = self.plan.weights.iter().zip(&self.plan.places);
        pairs.map(|(weight, place)| make(&self.weights[place.clone()], &weight.shape, &self.device)).collect()
    }

    fn loss(&mut self, tensors: &[Tensor], samples: &Samples<'_>, chosen: &[usize], noisy: bool) -> candle_core::Result<Tensor> {
        let [steps, features] = self.plan.window;
        let (mut windows, mut targets) = (Vec::with_capacity(chosen.len() * steps * features), Vec::with_capacity(chosen.len()));
        samples.gather(chosen, &mut windows, &mut targets);
        let windows = Tensor::from_vec(windows, (chosen.len(), steps, features), &self.device)?;
        let noise = noisy.then_some(&mut self.noise);
        let values = self.graph.forward(self.plan, tensors, &windows, noise)?;
        let mut total = Tensor::zeros((), candle_core::DType::F32, &self.device)?;
        for (output, value) in self.plan.outputs.iter().zip(&values) {
            total = total.add(&(loss(&output.loss, value, &targets)? * output.weight)?)?;
        }
        Ok(total)
    }
}
