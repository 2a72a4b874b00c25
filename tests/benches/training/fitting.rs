//! Fits and predictions of the two networks, and a large matrix product by the same kernels.

use std::collections::HashMap;
use std::hint::black_box;

use anyhow::{Context, Result, ensure};
use bellwether_compute::{Control, Device, FitSettings, Model, Samples, fit};
use bellwether_domain::job::Precision;
use bellwether_domain::network::{Network, Optimizer, Sgd};
use serde_json::{Value, json};

use crate::measure::{Clock, repeat};
use crate::networks::{Subject, named, product};

const BATCH: usize = 32;
const SEED: u64 = 7;

/// Models that were loaded, by the name of their network.
#[derive(Debug, Default)]
pub(crate) struct Fitting {
    models: HashMap<String, Model>,
}

/// Numbers in ±1 that look like nothing in particular.
fn noise(count: usize) -> Vec<f32> {
    (0..count).map(|place| ((place * 7919 % 1009) as f32 / 504.5) - 1.0).collect()
}

fn settings(network: &Network, threads: usize) -> FitSettings {
    FitSettings { training: network.training, seed: SEED, threads, precision: Precision::F32 }
}

/// Fits until `report` says stop; there is nothing to validate by.
fn run(
    subject: &Subject,
    settings: &FitSettings,
    rows: &[f32],
    ends: &[usize],
    targets: &[f32],
    device: &Device,
    report: &mut dyn FnMut(bellwether_compute::Step) -> Control,
) -> Result<(Model, Vec<f64>)> {
    let train = Samples { rows, features: subject.features, steps: subject.steps, ends, targets, weights: None };
    let none = Samples { ends: &[], targets: &[], ..train };
    let (model, told) = fit(&subject.network, train, none, settings, device, report, None)?;
    Ok((model, told.train_loss))
}

impl Fitting {
    /// Whole epochs of forward, backward and Adam on windows in memory, on so many threads of the processor or on a GPU. The first epoch only warms up, so that neither
    /// compiling nor the first weights count.
    pub(crate) fn train(&self, network: &str, (device, threads): (&str, usize), batch: u32, seconds: f64) -> Result<Value> {
        let mut subject = named(network)?;
        subject.network.training.batch_size = batch;
        let samples = subject.batches * usize::try_from(batch)?;
        let rows = noise((samples + subject.steps) * subject.features);
        let ends: Vec<usize> = (subject.steps..subject.steps + samples).collect();
        let targets = noise(samples);
        let (mut clock, mut done, mut fault) = (None, 0, None);
        let mut report = |step: bellwether_compute::Step| {
            if step.epoch_share > 0.0 {
                return Control::Continue;
            }
            match &clock {
                None => match Clock::start() {
                    Ok(started) => clock = Some(started),
                    Err(error) => fault = Some(error),
                },
                Some(_) => done += samples,
            }
            let enough = clock.as_ref().is_none_or(|clock: &Clock| done > 0 && clock.seconds() >= seconds);
            if enough { Control::Stop } else { Control::Continue }
        };
        let device = Device::named(device)?;
        run(&subject, &settings(&subject.network, threads), &rows, &ends, &targets, &device, &mut report)?;
        if let Some(fault) = fault {
            return Err(fault);
        }
        clock.context("no epoch ended")?.stop(done as f64, "samples")
    }

    /// Writes the first weights of the seed: what [`Fitting::losses`] begins with.
    pub(crate) fn start(&self, network: &str, to: &str) -> Result<Value> {
        let mut subject = named(network)?;
        // A step this small leaves every weight as it is, to the last bit or to 1e-30.
        subject.network.training.learning_rate = 1e-30;
        subject.network.training.optimizer = Optimizer::Sgd(Sgd { momentum: 0.0, nesterov: false, weight_decay: 0.0 });
        subject.network.training.epochs = 1;
        let rows = noise((BATCH + subject.steps) * subject.features);
        let ends: Vec<usize> = (subject.steps..subject.steps + BATCH).collect();
        let settings = settings(&subject.network, 1);
        let (model, _) = run(&subject, &settings, &rows, &ends, &noise(BATCH), &Device::named("cpu")?, &mut |_| Control::Continue)?;
        fs_err::write(to, model.weights()?)?;
        Ok(json!({}))
    }

    /// Loads weights for [`Fitting::infer`] and [`Fitting::outputs`].
    pub(crate) fn load(&mut self, network: &str, weights: &str) -> Result<Value> {
        let subject = named(network)?;
        let model = Model::load(&subject.network, subject.steps, subject.features, &fs_err::read(weights)?, &Device::named("cpu")?)?;
        self.models.insert(network.to_owned(), model);
        Ok(json!({}))
    }

    fn model(&self, network: &str) -> Result<&Model> {
        self.models.get(network).with_context(|| format!("no weights of `{network}` were loaded"))
    }

    /// Predictions of one thread, a batch per call.
    pub(crate) fn infer(&self, network: &str, batch: usize, seconds: f64) -> Result<Value> {
        let (subject, model) = (named(network)?, self.model(network)?);
        let windows = noise(batch * subject.steps * subject.features);
        repeat(seconds, batch as f64, "samples", || {
            black_box(model.predict(black_box(&windows), batch)?);
            Ok(())
        })
    }

    /// What the loaded model says of windows in a file of little-endian f32.
    pub(crate) fn outputs(&self, network: &str, windows: &str) -> Result<Value> {
        let (subject, windows) = (named(network)?, floats(windows)?);
        let window = subject.steps * subject.features;
        ensure!(windows.len().is_multiple_of(window), "{} numbers are not whole windows of {window}", windows.len());
        Ok(json!({"outputs": self.model(network)?.predict(&windows, windows.len() / window)?}))
    }

    /// Losses of `steps` steps on one batch, from the first weights of the seed.
    pub(crate) fn losses(&self, network: &str, windows: &str, targets: &str, steps: usize, threads: usize) -> Result<Value> {
        let mut subject = named(network)?;
        subject.network.training.epochs = u32::try_from(steps)?;
        let (rows, targets) = (floats(windows)?, floats(targets)?);
        let ends: Vec<usize> = (1..=targets.len()).map(|window| window * subject.steps - 1).collect();
        let settings = settings(&subject.network, threads);
        let (_, losses) = run(&subject, &settings, &rows, &ends, &targets, &Device::named("cpu")?, &mut |_| Control::Continue)?;
        Ok(json!({"losses": losses}))
    }

    /// One large product per call and thread: [1024, 1024] · [1024, 2048], as a dense layer serves it.
    pub(crate) fn gemm(&self, threads: usize, seconds: f64) -> Result<Value> {
        const ROWS: usize = 1024;
        const WIDTH: usize = 1024;
        const COLUMNS: usize = 2048;
        let network = product(COLUMNS)?;
        let subject = Subject { network, steps: ROWS, features: WIDTH, batches: 1 };
        let weights = safetensors(&[("product.bias", &[COLUMNS]), ("product.kernel", &[WIDTH, COLUMNS])])?;
        let model = Model::load(&subject.network, ROWS, WIDTH, &weights, &Device::named("cpu")?)?;
        let windows = noise(ROWS * WIDTH);
        let gflop = 2.0 * (threads * ROWS * WIDTH * COLUMNS) as f64 / 1e9;
        let once = || model.predict(&windows, 1).map(|found| drop(black_box(found))).map_err(anyhow::Error::from);
        repeat(seconds, gflop, "GFLOP", || {
            std::thread::scope(|scope| {
                let others: Vec<_> = (1..threads).map(|_| scope.spawn(once)).collect();
                let own = once();
                others.into_iter().map(|other| other.join().unwrap_or_else(|_| anyhow::bail!("a thread panicked"))).fold(own, Result::and)
            })
        })
    }
}

fn floats(path: &str) -> Result<Vec<f32>> {
    let bytes = fs_err::read(path)?;
    ensure!(bytes.len().is_multiple_of(4), "{path} is not a file of f32");
    Ok(bytes.chunks_exact(4).map(|four| f32::from_le_bytes([four[0], four[1], four[2], four[3]])).collect())
}

/// A safetensors file of small numbers: eight bytes of header length, a header of names, shapes and places, the numbers.
fn safetensors(tensors: &[(&str, &[usize])]) -> Result<Vec<u8>> {
    let (mut header, mut begin) = (serde_json::Map::new(), 0);
    for (name, shape) in tensors {
        let end = begin + 4 * shape.iter().product::<usize>();
        header.insert((*name).to_owned(), json!({"dtype": "F32", "shape": shape, "data_offsets": [begin, end]}));
        begin = end;
    }
    let mut header = serde_json::to_vec(&header)?;
    header.resize(header.len().next_multiple_of(8), b' ');
    let mut file = u64::try_from(header.len())?.to_le_bytes().to_vec();
    file.extend(header);
    file.extend(noise(begin / 4).iter().flat_map(|number| (number * 0.03).to_le_bytes()));
    Ok(file)
}
