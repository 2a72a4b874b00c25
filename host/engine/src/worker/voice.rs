//! How a worker speaks: events out, and the word to stop back.

use bellwether_compute::Step;
use bellwether_domain::job::{EpochLoss, Progress, Stage};
use bellwether_domain::{Error, Result};

use crate::worker::Event;

/// The listener, and the progress so far. Once the listener wants no more, everything fails with `Conflict`.
pub(crate) struct Voice<'a> {
    emit: &'a mut (dyn FnMut(Event) -> bool + Send),
    progress: Progress,
    listening: bool,
}

impl<'a> Voice<'a> {
    pub(crate) fn new(emit: &'a mut (dyn FnMut(Event) -> bool + Send)) -> Voice<'a> {
        Voice { emit, progress: Progress::default(), listening: true }
    }

    /// A line for the job's log.
    pub(crate) fn log(&mut self, message: String) -> Result<()> {
        self.say(Event::Log { message })
    }

    /// A new stage begins.
    pub(crate) fn stage(&mut self, stage: Stage) -> Result<()> {
        self.progress(|progress| progress.stage = stage)
    }

    /// A fit begins, the `part`-th of `parts` (both 0 when there is one only), of `epochs` epochs at most.
    pub(crate) fn fit_begins(&mut self, part: u32, parts: u32, name: Option<&str>, epochs: u32) -> Result<()> {
        if let Some(name) = name {
            self.log(format!("{name} ({part} of {parts})"))?;
        }
        let part_name = name.map(str::to_owned);
        self.progress(|progress| *progress = Progress { stage: Stage::Fitting, part, parts, part_name, epochs, ..Progress::default() })
    }

    /// A network's fit went on. At an epoch's end there is a line in the log and a point of the loss curve.
    pub(crate) fn step(&mut self, step: &Step) -> Result<()> {
        let before = self.progress.epoch;
        self.progress(|progress| {
            progress.epoch = step.epoch;
            progress.epoch_share = step.epoch_share;
            (progress.batch, progress.batches) = (step.batch, step.batches);
            progress.running_loss = step.running_loss;
            progress.train_loss = step.train_loss;
            progress.validation_loss = step.validation_loss;
            progress.samples_per_second = Some(step.samples_per_second);
            progress.remaining_seconds = step.remaining_seconds;
            let losses = [progress.best_loss, step.validation_loss];
            progress.best_loss = losses.into_iter().flatten().min_by(f64::total_cmp);
        })?;
        if step.epoch > before { self.epoch_ended(&format!(", {:.0} samples/s", step.samples_per_second)) } else { Ok(()) }
    }

    /// A guest's fit went on, by its own steps; a loss that is no number is absent.
    pub(crate) fn guest_step(&mut self, done: u32, total: u32, train_loss: f64, validation_loss: f64) -> Result<()> {
        let before = self.progress.epoch;
        let finite = |loss: f64| Some(loss).filter(|loss| loss.is_finite());
        self.progress(|progress| {
            (progress.epoch, progress.epochs) = (done, total);
            (progress.train_loss, progress.validation_loss) = (finite(train_loss), finite(validation_loss));
            let losses = [progress.best_loss, progress.validation_loss];
            progress.best_loss = losses.into_iter().flatten().min_by(f64::total_cmp);
        })?;
        if done > before { self.epoch_ended("") } else { Ok(()) }
    }

    fn epoch_ended(&mut self, pace: &str) -> Result<()> {
        let Progress { part, epoch, epochs, train_loss, validation_loss, .. } = self.progress;
        self.say(Event::Epoch(EpochLoss { part, epoch, train_loss, validation_loss }))?;
        let loss = |name: &str, loss: Option<f64>| loss.map(|loss| format!(", {name} loss {loss:.6}")).unwrap_or_default();
        let losses = loss("training", train_loss) + &loss("validation", validation_loss);
        self.log(format!("epoch {epoch} of {epochs}{losses}{pace}"))
    }

    /// Something about the progress changed.
    pub(crate) fn progress(&mut self, change: impl FnOnce(&mut Progress)) -> Result<()> {
        change(&mut self.progress);
        self.say(Event::Progress(self.progress.clone()))
    }

    /// The last event, said even to a listener who wants no more.
    pub(crate) fn last(&mut self, event: Event) {
        if matches!(event, Event::Done { .. }) {
            self.progress.stage = Stage::Done;
            (self.emit)(Event::Progress(self.progress.clone()));
        }
        (self.emit)(event);
    }

    fn say(&mut self, event: Event) -> Result<()> {
        self.listening = self.listening && (self.emit)(event);
        if self.listening { Ok(()) } else { Err(Error::Conflict("the training was cancelled".to_owned())) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn step(epoch: u32, batch: u32, validation_loss: f64) -> Step {
        Step {
            epoch,
            epoch_share: f64::from(batch) / 10.0,
            batch,
            batches: 10,
            running_loss: Some(0.5),
            train_loss: Some(0.7),
            validation_loss: Some(validation_loss),
            samples_per_second: 100.0,
            remaining_seconds: Some(9.0),
        }
    }

    #[test]
    fn steps_become_progress_and_epochs_become_lines_and_points() {
        let mut heard = Vec::new();
        let mut emit = |event| {
            heard.push(event);
            true
        };
        let mut voice = Voice::new(&mut emit);
        voice.fit_begins(2, 3, Some("fold 2"), 5).expect("heard");
        for (epoch, batch, loss) in [(0, 4, 9.0), (1, 0, 0.8), (1, 5, 0.8), (2, 0, 0.9)] {
            voice.step(&step(epoch, batch, loss)).expect("heard");
        }
        let lines: Vec<&str> =
            heard.iter().filter_map(|event| if let Event::Log { message } = event { Some(message.as_str()) } else { None }).collect();
        assert_eq!(lines[0], "fold 2 (2 of 3)");
        assert_eq!(lines[1], "epoch 1 of 5, training loss 0.700000, validation loss 0.800000, 100 samples/s");
        assert_eq!(lines.len(), 3);
        let points: Vec<(u32, u32)> =
            heard.iter().filter_map(|event| if let Event::Epoch(point) = event { Some((point.part, point.epoch)) } else { None }).collect();
        assert_eq!(points, [(2, 1), (2, 2)]);
        let last = heard.iter().rev().find_map(|event| if let Event::Progress(progress) = event { Some(progress) } else { None });
        let last = last.expect("progress");
        assert_eq!(
            (last.best_loss, last.validation_loss, last.parts, last.part_name.as_deref()),
            (Some(0.8), Some(0.9), 3, Some("fold 2"))
        );
    }

    #[test]
    fn a_guest_that_has_no_loss_says_none() {
        let mut heard = Vec::new();
        let mut emit = |event| {
            heard.push(event);
            true
        };
        let mut voice = Voice::new(&mut emit);
        voice.fit_begins(0, 0, None, 0).expect("heard");
        voice.guest_step(1, 4, 0.5, f64::NAN).expect("heard");
        assert!(heard.contains(&Event::Log { message: "epoch 1 of 4, training loss 0.500000".to_owned() }), "{heard:?}");
        assert!(heard.contains(&Event::Epoch(EpochLoss { part: 0, epoch: 1, train_loss: Some(0.5), validation_loss: None })));
    }
}
