//! The writer thread of the log: writes what is queued at once, syncs once, answers all.
//!
//! A segment grows by zeros, some at a time, and lines are written over them: a sync of bytes that are part of the file
//! already is one disk write, a sync of a file that grew is a commit of the file system's journal as well (ext4 on an idle
//! virtual disk: 0.12 against 0.17 ms), which waits for what others have in that journal.
//! What is left of the zeros is cut off when the segment is full, or when the log is opened again.
//!
//! After a failed write the segment is cut back to what was synced. After a failed sync nothing is known of its end, so the
//! next append begins a new segment.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::FileExt;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use bellwether_domain::{Error, Result};
use tokio::sync::{mpsc, oneshot};

use super::segment::Segments;
use crate::failure;

const GROUP_BYTES_MAX: usize = 4 << 20;
const GROW_BYTES: u64 = 1 << 20;

/// Lines to append.
#[derive(Debug)]
pub(super) struct Append {
    pub(super) lines: Vec<u8>,
    pub(super) reply: oneshot::Sender<Result<()>>,
}

/// State of the writer thread.
pub(super) struct Writer {
    segments: Arc<Segments>,
    queue: mpsc::UnboundedReceiver<Append>,
    queued_bytes: Arc<AtomicUsize>,
    file: File,
    number: u64,
    /// Synced lines.
    length: u64,
    /// Length of the file, zeros included.
    grown: u64,
    /// The end of the segment is in doubt: begin another.
    in_doubt: bool,
}

impl Writer {
    /// Starts the thread; it ends when the log is dropped.
    pub(super) fn start(segments: Arc<Segments>, queue: mpsc::UnboundedReceiver<Append>, queued_bytes: Arc<AtomicUsize>) -> Result<()> {
        let failed = |error: io::Error| failure::io("open the prediction log", segments.folder(), &error);
        let (number, length) = segments.snapshot().last().copied().unwrap_or((1, 0));
        let file = OpenOptions::new().read(true).write(true).open(segments.path(number)).map_err(failed)?;
        let writer = Writer { segments: segments.clone(), queue, queued_bytes, file, number, length, grown: length, in_doubt: false };
        let started = std::thread::Builder::new().name("prediction-log".to_owned()).spawn(move || writer.run());
        started.map(drop).map_err(failed)
    }

    fn run(mut self) {
        while let Some(first) = self.queue.blocking_recv() {
            let mut lines = first.lines;
            let mut replies = vec![first.reply];
            while lines.len() < GROUP_BYTES_MAX {
                let Ok(more) = self.queue.try_recv() else { break };
                lines.extend(more.lines);
                replies.push(more.reply);
            }
            let result = self.write(&lines);
            self.queued_bytes.fetch_sub(lines.len(), Ordering::AcqRel);
            if let Err(error) = &result {
                tracing::error!(%error, appends = replies.len(), "predictions could not be logged");
            }
            for reply in replies {
                // Nobody waits when the caller was cancelled.
                drop(reply.send(result.clone()));
            }
        }
    }

    fn write(&mut self, lines: &[u8]) -> Result<()> {
        let end = self.length + lines.len() as u64;
        if self.in_doubt || (self.length > 0 && end > self.segments.segment_bytes()) {
            self.next_segment()?;
        }
        let end = self.length + lines.len() as u64;
        if end > self.grown {
            self.grow(end);
        }
        let failed = |error: io::Error| -> Error { failure::io("write the prediction log", self.segments.folder(), &error) };
        if let Err(error) = self.file.write_all_at(lines, self.length) {
            self.in_doubt = self.file.set_len(self.length).is_err();
            self.grown = self.length;
            return Err(failed(error));
        }
        if let Err(error) = self.file.sync_data() {
            self.in_doubt = true;
            return Err(failed(error));
        }
        self.length = end;
        self.grown = self.grown.max(end);
        self.segments.grown(self.number, end);
        Ok(())
    }

    fn next_segment(&mut self) -> Result<()> {
        // The zeros go; if that fails they stay, which is as good to readers.
        if let Err(error) = self.file.set_len(self.length).and_then(|()| self.file.sync_data()) {
            tracing::warn!(%error, segment = self.number, "the end of a full segment of the prediction log could not be cut off");
        }
        self.file = self.segments.create(self.number + 1)?;
        (self.number, self.length, self.grown, self.in_doubt) = (self.number + 1, 0, 0, false);
        self.segments.drop_oldest();
        Ok(())
    }

    /// Adds zeros, up to the size of a segment. Without them it works too, only slower.
    fn grow(&mut self, end: u64) {
        let target = (end + GROW_BYTES).min(self.segments.segment_bytes());
        if target > self.grown {
            let zeros = vec![0; (target - self.grown) as usize];
            match self.file.write_all_at(&zeros, self.grown) {
                Ok(()) => self.grown = target,
                Err(error) => tracing::debug!(%error, "the prediction log could not grow ahead"),
            }
        }
    }
}
