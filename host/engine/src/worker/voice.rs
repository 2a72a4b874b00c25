//! How a worker speaks: events out, and the word to stop back.

use bellwether_domain::job::{Progress, Stage};
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
