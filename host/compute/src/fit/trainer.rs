//! One step of training, and the loss of a set of samples, on the processor: the batch is shared by the threads, their
//! gradients are summed in a fixed order, clipped, and followed.
//!
//! A shard is a thread's part of each batch with its own memory. Who computes which rows depends on the number of shards
//! alone, never on timing, so a fit can be repeated to the bit. After the first step nothing is allocated.

use bellwether_domain::job::Precision;
use bellwether_domain::network::Training;
use bellwether_domain::{Error, Result};
use rayon::prelude::*;

use crate::Samples;
use crate::arena::Arena;
use crate::backend::{Backend, State};
use crate::fit::optimizer::{Stepper, clip_factor};
use crate::kernel::noise;
use crate::layer::{Noise, Purpose};
use crate::loss::{loss, mass, value};
use crate::plan::Plan;
use crate::program::{Memory, Program};

/// Weights under training.
#[derive(Debug)]
pub(crate) struct Trainer<'a> {
    plan: &'a Plan,
    program: Program,
    packed: Arena,
    shards: Vec<Shard>,
    /// Absent for a single thread, which is the caller's.
    threads: Option<rayon::ThreadPool>,
    pub(crate) weights: Vec<f32>,
    pub(crate) gradient: Vec<f32>,
    stepper: Stepper,
    clip_norm: Option<f64>,
    batch: Batch,
    seed: u64,
}

/// One thread's share.
#[derive(Debug)]
struct Shard {
    memory: Memory,
    /// Weighted and scaled losses of the last pass, over all outputs.
    loss: f64,
}

/// What is known of the samples of a pass before it begins; kept to be filled again.
#[derive(Debug, Default)]
struct Batch {
    targets: Vec<f32>,
    /// How much each sample counts; empty when all count the same.
    counts: Vec<f32>,
    /// Per output: its weight over what the losses are divided by.
    scales: Vec<f64>,
}

/// What every shard of a pass reads.
#[derive(Clone, Copy)]
struct Pass<'a> {
    plan: &'a Plan,
    program: &'a Program,
    weights: &'a [f32],
    packed: &'a [f32],
    samples: &'a Samples<'a>,
    batch: &'a Batch,
}

impl<'a> Trainer<'a> {
    /// Allocates everything. Errors: `Internal` when the threads cannot be started.
    pub(crate) fn new(
        plan: &'a Plan,
        weights: Vec<f32>,
        training: &Training,
        threads: usize,
        seed: u64,
        precision: Precision,
    ) -> Result<Trainer<'a>> {
        let rows = training.batch_size as usize;
        let shards = if plan.whole_batch() { 1 } else { threads.clamp(1, rows) };
        let program = Program::new(plan, Purpose::Train, precision);
        let shard = |_| Shard { memory: program.memory(plan, rows.div_ceil(shards)), loss: 0.0 };
        let shards: Vec<Shard> = (0..shards).map(shard).collect();
        let mut packed = program.packed();
        program.pack(&weights, &mut packed);
        Ok(Trainer {
            plan,
            packed,
            threads: if shards.len() > 1 { Some(pool(shards.len())?) } else { None },
            shards,
            gradient: vec![0.0; weights.len()],
            stepper: Stepper::of(training.optimizer, plan),
            weights,
            program,
            clip_norm: training.clip_norm,
            batch: Batch::default(),
            seed,
        })
    }

    /// Fills the gradient; the answer is the mean loss of the chosen samples. `noise` is the key of this step's dropouts.
    pub(crate) fn differentiate(&mut self, samples: &Samples<'_>, chosen: &[usize], noise: Option<u64>) -> f64 {
        self.batch.gather(self.plan, samples, chosen.iter().copied());
        let Trainer { plan, program, packed, shards, threads, weights, gradient, batch, .. } = self;
        let pass = Pass { plan, program, weights, packed, samples, batch };
        let rows = chosen.len().div_ceil(shards.len());
        each(threads.as_ref(), shards, |place, shard| {
            let (first, last) = ((place * rows).min(chosen.len()), (place * rows + rows).min(chosen.len()));
            shard.differentiate(&pass, &chosen[first..last], first, noise);
        });
        gradient.copy_from_slice(&shards[0].memory.gradient);
        for shard in &shards[1..] {
            gradient.iter_mut().zip(&*shard.memory.gradient).for_each(|(sum, slope)| *sum += slope);
        }
        shards.iter().map(|shard| shard.loss).sum()
    }

    /// Bytes of memory all of it takes.
    #[cfg(test)]
    pub(crate) fn size_bytes(&self) -> usize {
        let shards: usize = self.shards.iter().map(|shard| shard.memory.size_bytes()).sum();
        shards + self.packed.size_bytes() + size_of::<f32>() * (self.weights.capacity() + self.gradient.capacity())
    }
}

impl Backend for Trainer<'_> {
    fn step(&mut self, samples: &Samples<'_>, chosen: &[usize], rate: f64, number: u64) -> Result<Option<f64>> {
        let mean = self.differentiate(samples, chosen, Some(noise::key(self.seed, number, usize::MAX)));
        let norm = self.stepper.norm(&self.gradient);
        if !(mean.is_finite() && norm.is_finite()) {
            return Ok(None);
        }
        self.stepper.follow(&mut self.weights, &self.gradient, rate, clip_factor(norm, self.clip_norm));
        self.program.pack(&self.weights, &mut self.packed);
        Ok(Some(mean))
    }

    fn evaluate(&mut self, samples: &Samples<'_>) -> Result<f64> {
        self.batch.gather(self.plan, samples, 0..samples.len());
        let Trainer { plan, program, packed, shards, threads, weights, batch, .. } = self;
        let pass = Pass { plan, program, weights, packed, samples, batch };
        let rows = shards[0].memory.rows();
        let mut sum = 0.0;
        for first in (0..samples.len()).step_by(rows * shards.len()) {
            each(threads.as_ref(), shards, |place, shard| {
                let first = (first + place * rows).min(samples.len());
                shard.evaluate(&pass, first..(first + rows).min(samples.len()));
            });
            sum += shards.iter().map(|shard| shard.loss).sum::<f64>();
        }
        Ok(sum)
    }

    fn state(&self) -> Result<State> {
        let (moments, steps) = self.stepper.state();
        Ok(State { weights: self.weights.clone(), moments, steps })
    }

    fn weights(&self) -> Result<Vec<f32>> {
        Ok(self.weights.clone())
    }

    fn restore(&mut self, state: State) -> Result<()> {
        self.weights.copy_from_slice(&state.weights);
        self.stepper.restore(&state.moments, state.steps);
        self.program.pack(&self.weights, &mut self.packed);
        Ok(())
    }
}

impl Batch {
    fn gather(&mut self, plan: &Plan, samples: &Samples<'_>, chosen: impl Iterator<Item = usize>) {
        self.targets.clear();
        self.counts.clear();
        for sample in chosen {
            self.targets.push(samples.targets[sample]);
            self.counts.extend(samples.weights.map(|weights| weights[sample]));
        }
        let counts = (!self.counts.is_empty()).then_some(&self.counts[..]);
        self.scales.clear();
        self.scales.extend(plan.outputs.iter().map(|output| {
            let mass = mass(&output.loss, &self.targets, counts);
            // A batch whose samples all count nothing has no loss and no gradient.
            if mass > 0.0 { output.weight / mass } else { 0.0 }
        }));
    }

    /// How much the samples in these places count.
    fn counts(&self, places: std::ops::Range<usize>) -> Option<&[f32]> {
        (!self.counts.is_empty()).then(|| &self.counts[places])
    }
}

impl Shard {
    /// Loss and gradient of the chosen samples, which are those of the batch from place `first`.
    fn differentiate(&mut self, pass: &Pass<'_>, chosen: &[usize], first: usize, noise: Option<u64>) {
        let (rows, Pass { plan, program, weights, packed, samples, batch }) = (chosen.len(), *pass);
        self.loss = 0.0;
        if rows == 0 {
            self.memory.gradient.fill(0.0);
            return;
        }
        let noise = noise.map(|key| Noise { key, first_row: first });
        samples.gather(chosen.iter().copied(), program.input(plan, &mut self.memory, rows));
        program.forward(weights, packed, &mut self.memory, rows, Purpose::Train, noise);
        program.rewind(&mut self.memory);
        let (targets, counts) = (&batch.targets[first..first + rows], batch.counts(first..first + rows));
        for ((output, &head), &scale) in plan.outputs.iter().zip(&plan.heads).zip(&batch.scales) {
            let width = plan.steps[head].shape.iter().product();
            self.loss += scale
                * program
                    .begin(&mut self.memory, head, rows, |values, slope| loss(&output.loss, values, width, targets, counts, scale, slope));
        }
        program.backward(weights, packed, &mut self.memory, rows, noise);
    }

    /// Loss of these samples, without dropout.
    fn evaluate(&mut self, pass: &Pass<'_>, places: std::ops::Range<usize>) {
        let (rows, Pass { plan, program, weights, packed, samples, batch }) = (places.len(), *pass);
        self.loss = 0.0;
        if rows == 0 {
            return;
        }
        samples.gather(places.clone(), program.input(plan, &mut self.memory, rows));
        program.forward(weights, packed, &mut self.memory, rows, Purpose::Serve, None);
        let (targets, counts) = (&batch.targets[places.clone()], batch.counts(places));
        for ((output, &head), scale) in plan.outputs.iter().zip(&plan.heads).zip(&batch.scales) {
            let width = plan.steps[head].shape.iter().product();
            self.loss += scale * value(&output.loss, program.value(&self.memory, head, rows), width, targets, counts);
        }
    }
}

/// Runs over every shard, each on a thread of its own where there are threads.
fn each(threads: Option<&rayon::ThreadPool>, shards: &mut [Shard], run: impl Fn(usize, &mut Shard) + Sync) {
    match threads {
        None => shards.iter_mut().enumerate().for_each(|(place, shard)| run(place, shard)),
        Some(threads) => threads.install(|| shards.par_iter_mut().enumerate().for_each(|(place, shard)| run(place, shard))),
    }
}

fn pool(threads: usize) -> Result<rayon::ThreadPool> {
    let named = |place| format!("fit-{place}");
    rayon::ThreadPoolBuilder::new().num_threads(threads).thread_name(named).build().map_err(Error::internal)
}
