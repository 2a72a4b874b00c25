//! The writer thread: takes what is queued, commits it as one group, syncs once, answers all.
//!
//! A failed write or sync ends it: what the disk holds is then unknown, and pretending otherwise would acknowledge
//! transactions that are not there. Every later call is answered with that failure until the store is opened again. So that
//! a full disk does not lead there, a commit is refused while less than a reserve is free.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::sync::Arc;

use bellwether_domain::{Error, Result};
use tokio::sync::{broadcast, mpsc, oneshot};

use super::group::Group;
use super::sled::Disk;
use super::transaction::{Kind, Operation};
use super::value::Totals;
use super::{Change, backup, check};
use crate::{durable, failure};

/// Limits of one group: more waits for the next sync.
const GROUP_TRANSACTIONS_MAX: usize = 512;
const GROUP_BYTES_MAX: usize = 8 << 20;

/// What the writer is asked to do.
#[derive(Debug)]
pub(super) enum Message {
    Commit(Vec<Operation>, oneshot::Sender<Result<()>>),
    Check(oneshot::Sender<Result<u64>>),
    Backup(PathBuf, oneshot::Sender<Result<u64>>),
    Close(oneshot::Sender<Result<()>>),
}

type Waiting = (Vec<Operation>, oneshot::Sender<Result<()>>);

/// State of the writer thread.
pub(super) struct Writer {
    disk: Arc<Disk>,
    queue: mpsc::Receiver<Message>,
    changes: broadcast::Sender<Change>,
    totals: Totals,
    reserve_bytes: u64,
    failed: Option<Error>,
}

impl Writer {
    /// Starts the thread; it ends with `Close` or when all senders are gone.
    pub(super) fn start(
        disk: Arc<Disk>,
        queue: mpsc::Receiver<Message>,
        changes: broadcast::Sender<Change>,
        reserve_bytes: u64,
    ) -> Result<()> {
        let totals = disk.totals()?;
        let folder = disk.folder().to_owned();
        let writer = Writer { disk, queue, changes, totals, reserve_bytes, failed: None };
        let started = std::thread::Builder::new().name("records-writer".to_owned()).spawn(move || writer.run());
        started.map(drop).map_err(|error| failure::io("start the writer", &folder, &error))
    }

    fn run(mut self) {
        let mut next = None;
        while let Some(message) = next.take().or_else(|| self.queue.blocking_recv()) {
            match message {
                Message::Commit(operations, reply) => next = self.commit_group((operations, reply)),
                Message::Check(reply) => drop(reply.send(self.guarded(check::check))),
                Message::Backup(path, reply) => drop(reply.send(self.guarded(|disk| backup::write(disk, &path)))),
                Message::Close(reply) => {
                    let result = self.guarded(Disk::sync);
                    self.queue.close();
                    // The store is let go before the answer, so that whoever asked can open it again.
                    drop(self);
                    drop(reply.send(result));
                    return;
                }
            }
        }
        if let Err(error) = self.guarded(Disk::sync) {
            tracing::error!(%error, "the last sync of the records failed");
        }
    }

    /// Commits the first transaction and those queued behind it; returns the message that ended the group, if any.
    fn commit_group(&mut self, first: Waiting) -> Option<Message> {
        let mut bytes = size(&first.0);
        let mut group = vec![first];
        let mut next = None;
        while group.len() < GROUP_TRANSACTIONS_MAX && bytes < GROUP_BYTES_MAX {
            match self.queue.try_recv() {
                Ok(Message::Commit(operations, reply)) => {
                    bytes += size(&operations);
                    group.push((operations, reply));
                }
                Ok(other) => {
                    next = Some(other);
                    break;
                }
                Err(_) => break,
            }
        }
        let mut transactions = Vec::with_capacity(group.len());
        let mut replies = Vec::with_capacity(group.len());
        for (operations, reply) in group {
            transactions.push(operations);
            replies.push(reply);
        }
        let results = self.commit(transactions, bytes as u64);
        for (at, reply) in replies.into_iter().enumerate() {
            let result = match &results {
                Ok(results) => results.get(at).cloned().unwrap_or(Ok(())),
                Err(error) => Err(error.clone()),
            };
            // Nobody waits any more when the caller was cancelled; the transaction stands.
            drop(reply.send(result));
        }
        next
    }

    /// One result per transaction once all that hold are on disk; an error when none of them can be.
    fn commit(&mut self, transactions: Vec<Vec<Operation>>, bytes: u64) -> Result<Vec<Result<()>>> {
        if let Some(error) = &self.failed {
            return Err(error.clone());
        }
        let free = durable::free_bytes(self.disk.folder())?;
        if free < self.reserve_bytes.saturating_add(bytes) {
            return Err(Error::Unavailable(format!(
                "the disk is full: {} MiB are free in {} and {} MiB are kept in reserve; free space there and try again",
                free >> 20,
                self.disk.folder().display(),
                self.reserve_bytes >> 20
            )));
        }
        let totals = self.totals;
        let written = self.guarded(|disk| {
            let mut group = Group::new(disk, totals);
            let results = transactions.into_iter().map(|operations| group.add(operations)).collect::<Vec<_>>();
            let (batch, totals, changes) = group.finish();
            if let Some(batch) = batch {
                disk.apply(batch)?;
                disk.sync()?;
                disk.acknowledge(totals.sequence)?;
            }
            Ok((results, totals, changes))
        });
        let (results, totals, changes) = written.inspect_err(|error| {
            tracing::error!(%error, "the record store failed");
            self.failed = Some(lasting(error));
        })?;
        self.totals = totals;
        for change in changes {
            // Fails only when nobody listens.
            drop(self.changes.send(change));
        }
        Ok(results)
    }

    /// Work on the store; a panic (sled has them for damage) becomes an error.
    fn guarded<R>(&self, work: impl FnOnce(&Disk) -> Result<R>) -> Result<R> {
        catch_unwind(AssertUnwindSafe(|| work(&self.disk)))
            .unwrap_or_else(|_| Err(Error::Internal("the record store stopped with a panic, see the log; restart the host".to_owned())))
    }
}

/// What later calls are answered with after a failed write.
fn lasting(error: &Error) -> Error {
    let text = format!("the record store failed and takes no changes until the host is started again: {error}");
    if error.code() == "unavailable" { Error::Unavailable(text) } else { Error::Internal(text) }
}

fn size(operations: &[Operation]) -> usize {
    let content = |kind: &Kind| match kind {
        Kind::Insert(content) | Kind::Update(_, content) => content.json.len(),
        Kind::Delete(_) => 0,
    };
    operations.iter().map(|operation| 64 + operation.key.len() + content(&operation.kind)).sum()
}
