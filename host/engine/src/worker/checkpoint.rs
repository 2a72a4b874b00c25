//! Checkpoints of a worker's fits: one slot per fit, kept in the job's work folder until the job has ended.
//!
//! A slot holds the last saved state of a fit under way, or what the fit gave once it is over, so that a job of many fits
//! (folds, members) does not repeat those that are done. A file is bound to what decides the bits: request, bars, plugins,
//! versions, threads, device, precision, and the network; under another order, damaged or cut short, it is set aside with a line in the
//! log, and the fit begins anew. Files are written whole or not at all.
//!
//! `magic | SHA-256 of what it is bound to | kind | length | SHA-256 of the content | content`, numbers little-endian.

use std::path::{Path, PathBuf};
use std::time::Duration;

use bellwether_compute::{Checkpoints, Control, Device, FitReport, FitSettings, Samples, Step};
use bellwether_domain::model::PluginStamp;
use bellwether_domain::network::Network;
use bellwether_domain::{Error, Result};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::worker::Order;
use crate::worker::output::write_whole;
use crate::worker::voice::Voice;

const MAGIC: &[u8; 8] = b"BWSLOT1\n";
const HEADER: usize = MAGIC.len() + 32 + 1 + 8 + 32;
/// Kinds of content.
const UNDER_WAY: u8 = 0;
const OVER: u8 = 1;

/// Where checkpoints go and how often.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CheckpointPlace {
    /// The job's own folder; made when the first one is saved.
    pub folder: PathBuf,
    /// Seconds between two of them, above 0.
    pub seconds: f64,
}

/// The checkpoints of one order.
pub(crate) struct Slots {
    place: Option<CheckpointPlace>,
    bound: Sha256,
}

/// What a fit gave.
#[derive(Debug)]
pub(crate) struct Fitted {
    /// `weights.safetensors`.
    pub(crate) weights: Vec<u8>,
    pub(crate) report: FitReport,
}

impl Slots {
    /// Of an order on bars of this digest with these plugins.
    pub(crate) fn open(order: &Order, data_digest: &str, plugins: &[&PluginStamp]) -> Result<Slots> {
        let machine = (order.threads, &order.device, order.precision);
        let decides = serde_json::to_vec(&(&order.request, data_digest, plugins, env!("CARGO_PKG_VERSION"), machine));
        Ok(Slots { place: order.checkpoints.clone(), bound: Sha256::new_with_prefix(decides.map_err(Error::internal)?) })
    }

    /// The slot of one fit. `name` (letters, digits, `-`) is its own among the order's; `decides` is what this fit has of its
    /// own: which samples, which member. Says in the log when there is something to go on from, or when it is of no use.
    pub(crate) fn slot(&self, name: &str, network: &Network, decides: &impl Serialize, voice: &mut Voice<'_>) -> Result<Slot> {
        let own = serde_json::to_vec(&(name, network, decides)).map_err(Error::internal)?;
        let bound = self.bound.clone().chain_update(own).finalize().into();
        let Some(place) = &self.place else { return Ok(Slot { file: None, every: Duration::MAX, found: None, notes: Vec::new() }) };
        let path = place.folder.join(format!("{name}.checkpoint"));
        let found = match read(&path, &bound) {
            Ok(found) => found,
            Err(why) => {
                voice.log(format!("the checkpoint `{name}` is of no use: {why}; the fit begins anew"))?;
                std::fs::remove_file(&path).ok();
                None
            }
        };
        match found.as_ref().map(|(kind, _)| *kind) {
            Some(OVER) => voice.log(format!("`{name}` was fitted before the interruption: taken from its checkpoint"))?,
            Some(_) => voice.log(format!("`{name}` goes on from its checkpoint"))?,
            None => {}
        }
        let every = Duration::try_from_secs_f64(place.seconds).unwrap_or(Duration::MAX);
        Ok(Slot { file: Some(Bound { path, bound }), every, found, notes: Vec::new() })
    }
}

/// A file and what its content is bound to.
#[derive(Debug)]
struct Bound {
    path: PathBuf,
    bound: [u8; 32],
}

/// The slot of one fit.
#[derive(Debug)]
pub(crate) struct Slot {
    file: Option<Bound>,
    every: Duration,
    found: Option<(u8, Vec<u8>)>,
    notes: Vec<String>,
}

impl Slot {
    /// Fits as [`bellwether_compute::fit`] does, saving on the way, from where the slot left off; or gives at once what it gave before.
    /// Errors: those of the fit; `Unavailable` when a checkpoint cannot be written.
    pub(crate) fn fit(
        &mut self,
        network: &Network,
        train: Samples<'_>,
        validation: Samples<'_>,
        settings: &FitSettings,
        device: &Device,
        report: &mut dyn FnMut(Step) -> Control,
    ) -> Result<Fitted> {
        let resume = match self.found.take() {
            Some((OVER, content)) => match over(&content) {
                Ok(fitted) => return Ok(fitted),
                Err(why) => {
                    self.notes.push(format!("what was kept of the fit cannot be read ({why}); it began anew"));
                    None
                }
            },
            Some((_, content)) => Some(content),
            None => None,
        };
        let mut resume = resume.as_deref();
        let (model, report) = loop {
            let file = &self.file;
            let mut save = |content: &[u8]| file.as_ref().map_or(Ok(()), |file| write(file, UNDER_WAY, content));
            let checkpoints = file.is_some().then_some(Checkpoints { every: self.every, save: &mut save, resume });
            match bellwether_compute::fit(network, train, validation, settings, device, report, checkpoints) {
                // The core knows more of its checkpoints than a digest says. It looks at them before anything else.
                Err(Error::Invalid { field, why }) if field == "checkpoint" && resume.is_some() => {
                    self.notes.push(format!("the checkpoint was of no use ({why}); the fit began anew"));
                    resume = None;
                }
                fitted => break fitted?,
            }
        };
        let fitted = Fitted { weights: model.weights()?, report };
        if let Some(file) = self.file.as_ref().filter(|_| !fitted.report.stopped) {
            write(file, OVER, &kept(&fitted)?)?;
        }
        Ok(fitted)
    }

    /// Lines for the log, said once.
    pub(crate) fn notes(&mut self) -> Vec<String> {
        std::mem::take(&mut self.notes)
    }
}

/// What a fit gave, as it is kept: the length of the report's JSON, the JSON, the weights.
fn kept(fitted: &Fitted) -> Result<Vec<u8>> {
    let FitReport { epochs, best_epoch, train_loss, validation_loss, stopped, diverged } = &fitted.report;
    let report = Report {
        epochs: *epochs,
        best_epoch: *best_epoch,
        train_loss: train_loss.clone(),
        validation_loss: validation_loss.clone(),
        stopped: *stopped,
        diverged: *diverged,
    };
    let report = serde_json::to_vec(&report).map_err(Error::internal)?;
    let mut content = (report.len() as u64).to_le_bytes().to_vec();
    content.extend(report);
    content.extend(&fitted.weights);
    Ok(content)
}

fn over(content: &[u8]) -> Result<Fitted, String> {
    let (length, rest) = content.split_first_chunk().ok_or("it is cut short")?;
    let (report, weights) = rest.split_at_checked(u64::from_le_bytes(*length) as usize).ok_or("it is cut short")?;
    let Report { epochs, best_epoch, train_loss, validation_loss, stopped, diverged } =
        serde_json::from_slice(report).map_err(|error| error.to_string())?;
    let report = FitReport { epochs, best_epoch, train_loss, validation_loss, stopped, diverged };
    Ok(Fitted { weights: weights.to_vec(), report })
}

/// A fit's report on disk.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Report {
    epochs: u32,
    best_epoch: u32,
    train_loss: Vec<f64>,
    validation_loss: Vec<f64>,
    stopped: bool,
    diverged: Option<u32>,
}

fn write(file: &Bound, kind: u8, content: &[u8]) -> Result<()> {
    if let Some(folder) = file.path.parent() {
        std::fs::create_dir_all(folder)
            .map_err(|error| Error::Unavailable(format!("the folder of the checkpoints cannot be made: {error}")))?;
    }
    let mut bytes = Vec::with_capacity(HEADER + content.len());
    bytes.extend(MAGIC);
    bytes.extend(file.bound);
    bytes.push(kind);
    bytes.extend((content.len() as u64).to_le_bytes());
    bytes.extend(Sha256::digest(content));
    bytes.extend(content);
    write_whole("a checkpoint", &file.path, &bytes)
}

/// Kind and content of a file, none when there is no file. Errors say why it is of no use.
fn read(path: &Path, bound: &[u8; 32]) -> Result<Option<(u8, Vec<u8>)>, String> {
    let bytes = match std::fs::read(path) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(format!("it cannot be read: {error}")),
    };
    let (header, content) = bytes.split_at_checked(HEADER).ok_or("it is cut short")?;
    let (magic, header) = header.split_at(MAGIC.len());
    let (bound_to, header) = header.split_at(32);
    let (kind, header) = (header[0], &header[1..]);
    let (length, checksum) = header.split_at(8);
    if magic != MAGIC {
        return Err("it is no checkpoint of this version".to_owned());
    }
    if bound_to != bound {
        return Err("it is of another order (request, bars, plugins, threads or network changed)".to_owned());
    }
    if length != (content.len() as u64).to_le_bytes() {
        return Err(format!("it is cut short: {} bytes of content", content.len()));
    }
    if checksum != Sha256::digest(content).as_slice() || kind > OVER {
        return Err("it is damaged".to_owned());
    }
    let content = content.to_vec();
    Ok(Some((kind, content)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bound(folder: &Path) -> Bound {
        Bound { path: folder.join("job").join("fit.checkpoint"), bound: [7; 32] }
    }

    #[test]
    fn what_is_written_is_read_and_nothing_else() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = bound(folder.path());
        assert_eq!(read(&file.path, &file.bound), Ok(None));
        write(&file, UNDER_WAY, b"state").expect("write");
        write(&file, OVER, b"weights").expect("write again");
        assert_eq!(read(&file.path, &file.bound), Ok(Some((OVER, b"weights".to_vec()))));
        assert!(read(&file.path, &[8; 32]).expect_err("bound").contains("another order"));

        let good = std::fs::read(&file.path).expect("a file");
        assert_eq!(std::fs::read_dir(folder.path().join("job")).expect("a folder").count(), 1, "nothing lies beside it");
        for length in 0..good.len() {
            std::fs::write(&file.path, &good[..length]).expect("cut");
            let why = read(&file.path, &file.bound).expect_err("cut short");
            assert!(why.contains("cut short"), "{length}: {why}");
        }
        for place in 0..good.len() {
            let mut damaged = good.clone();
            damaged[place] ^= 0x10;
            std::fs::write(&file.path, &damaged).expect("damage");
            read(&file.path, &file.bound).expect_err("a flipped bit is noticed");
        }
        std::fs::write(&file.path, [good.as_slice(), b"more"].concat()).expect("grow");
        read(&file.path, &file.bound).expect_err("longer than it says");
    }

    #[test]
    fn a_fit_that_is_over_is_given_as_it_was() {
        let report = FitReport {
            epochs: 3,
            best_epoch: 2,
            train_loss: vec![0.1, 1e-300, 3.0],
            validation_loss: vec![],
            stopped: false,
            diverged: Some(4),
        };
        let fitted = Fitted { weights: vec![1, 2, 3], report: report.clone() };
        let content = kept(&fitted).expect("kept");
        let again = over(&content).expect("over");
        assert_eq!((again.weights, again.report), (fitted.weights, report));
        for length in 0..content.len() - 3 {
            over(&content[..length]).expect_err("cut short");
        }
    }
}
