//! Training on candle's tensors: the weights live on the device, a batch goes there, a loss comes back.
//!
//! Dropouts draw from the device's generator, seeded at the start: a fit that goes on from a checkpoint draws other numbers
//! than one undisturbed, so only the processor promises the same bits.

use bellwether_domain::network::Training;
use bellwether_domain::{Error, Result};
use candle_core::{DType, Device, Tensor, Var};

use crate::Samples;
use crate::backend::{Backend, State};
use crate::loss;
use crate::plan::Plan;
use crate::tensors::optimizer::Stepper;
use crate::tensors::{self, Mode};

/// Weights under training on a device.
#[derive(Debug)]
pub(crate) struct Trainer<'a> {
    plan: &'a Plan,
    device: Device,
    weights: Vec<Tensor>,
    stepper: Stepper,
    clip_norm: Option<f64>,
    batch: usize,
}

impl<'a> Trainer<'a> {
    /// Moves the weights to the device. Errors: `Internal` with what the device says.
    pub(crate) fn new(plan: &'a Plan, weights: &[f32], training: &Training, device: &Device, seed: u64) -> Result<Trainer<'a>> {
        if !device.is_cpu() {
            device.set_seed(seed).map_err(Error::internal)?;
        }
        let weights = tensors::weights(plan, weights, DType::F32, device).map_err(Error::internal)?;
        let stepper = Stepper::new(training.optimizer, &weights).map_err(Error::internal)?;
        let (clip_norm, batch) = (training.clip_norm, training.batch_size as usize);
        Ok(Trainer { plan, device: device.clone(), weights, stepper, clip_norm, batch })
    }

    /// Windows, targets and counts of samples, on the device.
    fn gather(&self, samples: &Samples<'_>, chosen: &[usize]) -> candle_core::Result<[Tensor; 3]> {
        let [steps, features] = self.plan.window;
        let mut windows = vec![0.0; chosen.len() * steps * features];
        samples.gather(chosen.iter().copied(), &mut windows);
        let targets: Vec<f32> = chosen.iter().map(|sample| samples.targets[*sample]).collect();
        let counts: Vec<f32> = chosen.iter().map(|sample| samples.weights.map_or(1.0, |weights| weights[*sample])).collect();
        let count = chosen.len();
        Ok([
            Tensor::from_vec(windows, (count, steps, features), &self.device)?,
            Tensor::from_vec(targets, count, &self.device)?,
            Tensor::from_vec(counts, count, &self.device)?,
        ])
    }

    fn train(&mut self, samples: &Samples<'_>, chosen: &[usize], rate: f64) -> candle_core::Result<Option<f64>> {
        let [windows, targets, counts] = self.gather(samples, chosen)?;
        let leaves =
            self.weights.iter().map(|weight| Ok(Var::from_tensor(weight)?.into_inner())).collect::<candle_core::Result<Vec<_>>>()?;
        let values = tensors::forward(self.plan, &leaves, &windows, Mode::Train)?;
        let loss = tensors::total(self.plan, &values, &targets, &counts)?;
        let slopes = loss.backward()?;
        let trained = || self.plan.weights.iter().zip(&leaves).enumerate().filter(|(_, (weight, _))| weight.trained);
        let mut square = Tensor::zeros((), DType::F32, &self.device)?;
        for (_, (_, leaf)) in trained() {
            if let Some(slope) = slopes.get(leaf) {
                square = (square + slope.sqr()?.sum_all()?)?;
            }
        }
        let (mean, norm) = (f64::from(loss.to_scalar::<f32>()?), f64::from(square.to_scalar::<f32>()?).sqrt());
        if !(mean.is_finite() && norm.is_finite()) {
            return Ok(None);
        }
        let factor = self.clip_norm.filter(|most| norm > *most).map(|most| most / norm);
        self.stepper.next();
        for (place, (_, leaf)) in trained() {
            let Some(slope) = slopes.get(leaf) else { continue };
            let slope = if let Some(factor) = factor { (slope * factor)? } else { slope.clone() };
            self.weights[place] = self.stepper.moved(place, &leaf.detach(), &slope, rate)?;
        }
        for (place, value) in values.kept {
            self.weights[place] = value;
        }
        Ok(Some(mean))
    }

    fn judge(&self, samples: &Samples<'_>) -> candle_core::Result<f64> {
        let places: Vec<usize> = (0..samples.len()).collect();
        let mut sums = vec![(0.0, 0.0); self.plan.outputs.len()];
        for chosen in places.chunks(self.batch) {
            let [windows, targets, counts] = self.gather(samples, chosen)?;
            let values = tensors::forward(self.plan, &self.weights, &windows, Mode::Serve)?;
            let (own, weights) = (targets.to_vec1::<f32>()?, counts.to_vec1::<f32>()?);
            for ((output, value), (sum, whole)) in self.plan.outputs.iter().zip(&values.outputs).zip(&mut sums) {
                let mass = loss::mass(&output.loss, &own, Some(&weights));
                if mass > 0.0 {
                    *sum += mass * f64::from(tensors::loss::mean(&output.loss, value, &targets, &counts)?.to_scalar::<f32>()?);
                    *whole += mass;
                }
            }
        }
        let outputs = self.plan.outputs.iter().zip(&sums);
        Ok(outputs.map(|(output, (sum, mass))| if *mass > 0.0 { output.weight * sum / mass } else { 0.0 }).sum())
    }

    fn flat(&self, tensors: &[Tensor]) -> Result<Vec<f32>> {
        let mut all = Vec::with_capacity(self.plan.weights_len());
        for tensor in tensors {
            all.extend(tensor.flatten_all().and_then(|flat| flat.to_vec1::<f32>()).map_err(Error::internal)?);
        }
        Ok(all)
    }
}

impl Backend for Trainer<'_> {
    fn step(&mut self, samples: &Samples<'_>, chosen: &[usize], rate: f64, _number: u64) -> Result<Option<f64>> {
        self.train(samples, chosen, rate).map_err(Error::internal)
    }

    fn evaluate(&mut self, samples: &Samples<'_>) -> Result<f64> {
        self.judge(samples).map_err(Error::internal)
    }

    fn weights(&self) -> Result<Vec<f32>> {
        self.flat(&self.weights)
    }

    fn state(&self) -> Result<State> {
        let moments = [self.flat(&self.stepper.first)?, self.flat(&self.stepper.second)?].concat();
        Ok(State { weights: self.flat(&self.weights)?, moments, steps: self.stepper.steps })
    }

    fn restore(&mut self, state: State) -> Result<()> {
        let cut = |all: &[f32]| tensors::weights(self.plan, all, DType::F32, &self.device).map_err(Error::internal);
        let (first, second) = state.moments.split_at(state.weights.len().min(state.moments.len()));
        let second = if second.is_empty() { vec![] } else { cut(second)? };
        (self.weights, self.stepper.first, self.stepper.second) = (cut(&state.weights)?, cut(first)?, second);
        self.stepper.steps = state.steps;
        Ok(())
    }
}
