//! A fit at one moment as bytes, so that another process goes on from there to the same bits.
//!
//! Layout: `BWCKPT01`, length of the head (u64, little-endian), the head as JSON, the numbers of weights, moments and best
//! weights (f32, little-endian), CRC-32 of all before. The fingerprint in the head binds it to the network, the settings and
//! the very samples: a checkpoint of anything else is refused, never mixed in.

use std::time::{Duration, Instant};

use bellwether_domain::network::Network;
use bellwether_domain::{Error, Result};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::Samples;
use crate::backend::State;
use crate::fit::progress::Watch;
use crate::fit::schedule::RateState;
use crate::fit::{FitReport, FitSettings, Place};

const MAGIC: &[u8; 8] = b"BWCKPT01";

/// Everything the loop knows.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Checkpoint {
    pub(super) at: Place,
    /// The current epoch's order of samples.
    pub(super) order: Vec<usize>,
    /// Place in the stream of shuffles.
    pub(super) shuffles: u128,
    pub(super) rate: RateState,
    pub(super) watch: Watch,
    pub(super) report: FitReport,
    pub(super) state: State,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Head {
    fingerprint: String,
    at: Place,
    order: Vec<u32>,
    /// As text: JSON numbers end at 64 bits.
    shuffles: String,
    rate: RateState,
    best: Option<(f64, u32)>,
    train_loss: Vec<f64>,
    validation_loss: Vec<f64>,
    steps: i32,
    /// Numbers of weights and of moments.
    weights: usize,
    moments: usize,
}

impl Checkpoint {
    /// The bytes.
    fn write(&self, fingerprint: &str) -> Result<Vec<u8>> {
        let head = Head {
            fingerprint: fingerprint.to_owned(),
            at: self.at,
            order: self.order.iter().map(|place| u32::try_from(*place).map_err(Error::internal)).collect::<Result<_>>()?,
            shuffles: self.shuffles.to_string(),
            rate: self.rate,
            best: self.watch.best().map(|(loss, epoch, _)| (loss, epoch)),
            train_loss: self.report.train_loss.clone(),
            validation_loss: self.report.validation_loss.clone(),
            steps: self.state.steps,
            weights: self.state.weights.len(),
            moments: self.state.moments.len(),
        };
        let head = serde_json::to_vec(&head).map_err(Error::internal)?;
        let best = self.watch.best().map_or(&[][..], |(_, _, weights)| weights);
        let numbers = || self.state.weights.iter().chain(&self.state.moments).chain(best);
        let mut bytes = Vec::with_capacity(20 + head.len() + size_of::<f32>() * numbers().count());
        bytes.extend_from_slice(MAGIC);
        bytes.extend_from_slice(&(head.len() as u64).to_le_bytes());
        bytes.extend_from_slice(&head);
        numbers().for_each(|number| bytes.extend_from_slice(&number.to_le_bytes()));
        let sum = crc32fast::hash(&bytes);
        bytes.extend_from_slice(&sum.to_le_bytes());
        Ok(bytes)
    }

    /// Checks and reads. Errors: `Invalid` with field `checkpoint`.
    pub(super) fn read(bytes: &[u8], fingerprint: &str, watch: Watch) -> Result<Checkpoint> {
        let fault = |why: &str| Error::invalid("checkpoint", why);
        let short = || fault("it is cut short");
        let (whole, sum) = bytes.split_last_chunk::<4>().ok_or_else(short)?;
        let rest = whole.strip_prefix(MAGIC).ok_or_else(|| fault("it does not begin as a checkpoint of this version does"))?;
        // A fuzzer would never get past a checksum or a digest, so it is let through to what lies behind.
        if crc32fast::hash(whole) != u32::from_le_bytes(*sum) && !cfg!(fuzzing) {
            return Err(fault("its checksum is wrong: it is damaged or cut short"));
        }
        let (length, rest) = rest.split_first_chunk::<8>().ok_or_else(short)?;
        let length = usize::try_from(u64::from_le_bytes(*length)).map_err(|_| short())?;
        let (head, numbers) = rest.split_at_checked(length).ok_or_else(short)?;
        let head: Head = serde_json::from_slice(head).map_err(|cause| fault(&format!("its head cannot be read: {cause}")))?;
        if head.fingerprint != fingerprint && !cfg!(fuzzing) {
            return Err(fault("it belongs to another network, other settings or other samples"));
        }
        let wanted = head.weights.checked_mul(if head.best.is_some() { 2 } else { 1 }).and_then(|sum| sum.checked_add(head.moments));
        if wanted.and_then(|count| count.checked_mul(size_of::<f32>())) != Some(numbers.len()) {
            return Err(fault("it does not hold as many numbers as its head says"));
        }
        let mut numbers = numbers.chunks_exact(4).map(|four| f32::from_le_bytes([four[0], four[1], four[2], four[3]]));
        let mut take = |count: usize| numbers.by_ref().take(count).collect::<Vec<f32>>();
        let state = State { weights: take(head.weights), moments: take(head.moments), steps: head.steps };
        let epochs = u32::try_from(head.train_loss.len()).map_err(|_| fault("it counts too many epochs"))?;
        Ok(Checkpoint {
            at: head.at,
            order: head.order.iter().map(|place| *place as usize).collect(),
            shuffles: head.shuffles.parse().map_err(|_| fault("its place in the random stream is not a number"))?,
            rate: head.rate,
            watch: watch.with_best(head.best.map(|(loss, epoch)| (loss, epoch, take(head.weights)))),
            report: FitReport {
                epochs,
                best_epoch: 1,
                train_loss: head.train_loss,
                validation_loss: head.validation_loss,
                stopped: false,
                diverged: None,
            },
            state,
        })
    }
}

impl Checkpoint {
    /// Its lengths are those of the fit it is to go on in. Errors as [`Checkpoint::read`].
    pub(super) fn check(&self, samples: usize, weights: usize, moments: usize) -> Result<()> {
        let mut seen = vec![false; samples];
        let orders = self.order.len() == samples
            && self.order.iter().all(|place| seen.get_mut(*place).is_some_and(|seen| !std::mem::replace(seen, true)));
        let fits = orders && self.at.seen <= samples && self.state.weights.len() == weights && self.state.moments.len() == moments;
        let finite = self.at.sum.is_finite() && self.state.weights.iter().chain(&self.state.moments).all(|number| number.is_finite());
        if fits && finite { Ok(()) } else { Err(Error::invalid("checkpoint", "its numbers do not belong to this fit")) }
    }
}

/// Saves checkpoints when it is time.
pub(super) struct Saver<'a> {
    every: Duration,
    save: &'a mut dyn FnMut(&[u8]) -> Result<()>,
    pub(super) fingerprint: String,
    last: Instant,
}

impl<'a> Saver<'a> {
    pub(super) fn new(every: Duration, save: &'a mut dyn FnMut(&[u8]) -> Result<()>, fingerprint: String) -> Saver<'a> {
        Saver { every, save, fingerprint, last: Instant::now() }
    }

    pub(super) fn is_due(&self) -> bool {
        self.last.elapsed() >= self.every
    }

    pub(super) fn save(&mut self, checkpoint: &Checkpoint) -> Result<()> {
        (self.save)(&checkpoint.write(&self.fingerprint)?)?;
        self.last = Instant::now();
        Ok(())
    }
}

/// SHA-256 over all that decides the bits of a fit, in hex.
pub(super) fn fingerprint(network: &Network, settings: &FitSettings, train: &Samples<'_>, validation: &Samples<'_>) -> Result<String> {
    let mut hash = Sha256::new();
    let settings = (network, &settings.training, settings.seed, settings.threads, settings.precision);
    hash.update(serde_json::to_vec(&settings).map_err(Error::internal)?);
    for samples in [train, validation] {
        let sizes = [samples.features, samples.steps, samples.rows.len(), samples.len(), samples.weights.map_or(0, <[f32]>::len)];
        sizes.iter().for_each(|size| hash.update((*size as u64).to_le_bytes()));
        for numbers in [samples.rows, samples.targets, samples.weights.unwrap_or_default()] {
            numbers.iter().for_each(|number| hash.update(number.to_le_bytes()));
        }
        samples.ends.iter().for_each(|end| hash.update((*end as u64).to_le_bytes()));
    }
    Ok(hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect())
}
