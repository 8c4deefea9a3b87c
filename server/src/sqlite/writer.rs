//! The one thread that writes, with group commit.
//!
//! While the disk confirms one transaction, the jobs that arrive wait; all of them, up to
//! [`BATCH_MAX`], then share the next transaction and its confirmation. A job that fails is undone
//! by itself; a transaction that fails fails all its jobs.

use std::io;
use std::sync::{Arc, OnceLock};
use std::thread::JoinHandle;

use rusqlite::Connection;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};

use super::Failure;
use crate::store::{Declined, Event, Ticket, Watcher};

/// Jobs in one transaction; beyond that, the confirmation no longer costs much per job.
const BATCH_MAX: usize = 512;
/// Jobs that wait: one further batch.
const WAITING_MAX: usize = 512;
/// Bytes of envelopes that wait or are being written, in KiB: what a burst may hold in memory.
const WAITING_KIB_MAX: u32 = 32 * 1024;

/// A piece of work; answers what to do once its transaction is durable (`true`) or lost.
type Job = Box<dyn FnOnce(&Connection, &mut Vec<Event>) -> Settle + Send>;
type Settle = Box<dyn FnOnce(bool)>;

/// The thread. Dropping this finishes the jobs that wait, then closes the database.
pub(super) struct Writer {
    jobs: Option<mpsc::Sender<Job>>,
    room: Arc<Semaphore>,
    watcher: Arc<OnceLock<Watcher>>,
    thread: Option<JoinHandle<()>>,
}

impl Writer {
    pub(super) fn start(db: Connection) -> io::Result<Self> {
        let (jobs, waiting) = mpsc::channel(WAITING_MAX);
        let watcher = Arc::new(OnceLock::new());
        let watched = Arc::clone(&watcher);
        let thread = std::thread::Builder::new()
            .name("sotto-store".to_owned())
            .spawn(move || run(&db, waiting, &watched))?;
        Ok(Self {
            jobs: Some(jobs),
            room: Arc::new(Semaphore::new(WAITING_KIB_MAX as usize)),
            watcher,
            thread: Some(thread),
        })
    }

    /// Who is told of events; the first one stays.
    pub(super) fn watch(&self, watcher: Watcher) {
        // A second watcher is refused by contract; there is nobody to tell.
        drop(self.watcher.set(watcher));
    }

    /// Queues a small job; waits for its place only.
    pub(super) async fn submit<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Connection, &mut Vec<Event>) -> Result<T, Failure> + Send + 'static,
    ) -> Ticket<T> {
        self.submit_sized(0, work).await
    }

    /// Queues a job that holds this many bytes in memory.
    pub(super) async fn submit_sized<T: Send + 'static>(
        &self,
        bytes: usize,
        work: impl FnOnce(&Connection, &mut Vec<Event>) -> Result<T, Failure> + Send + 'static,
    ) -> Ticket<T> {
        let (sender, ticket) = Ticket::new();
        let kib = u32::try_from(bytes / 1024 + 1).unwrap_or(u32::MAX);
        // The semaphore is never closed; without a permit the job would merely not be counted.
        let room = Arc::clone(&self.room)
            .acquire_many_owned(kib.min(WAITING_KIB_MAX))
            .await
            .ok();
        let job: Job = Box::new(move |db, events| {
            let outcome = alone(db, events, work);
            Box::new(move |durable| settle(sender, outcome, durable, room))
        });
        if let Some(jobs) = &self.jobs {
            // A job that finds the thread gone is dropped, which resolves its ticket.
            drop(jobs.send(job).await);
        }
        ticket
    }
}

impl std::fmt::Debug for Writer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Writer").finish_non_exhaustive()
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        self.jobs = None;
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("the store's thread has panicked");
        }
    }
}

fn settle<T>(
    sender: tokio::sync::oneshot::Sender<Result<T, Declined>>,
    outcome: Result<T, Declined>,
    durable: bool,
    room: Option<OwnedSemaphorePermit>,
) {
    let outcome = if durable {
        outcome
    } else {
        Err(Declined::Unavailable)
    };
    // Whoever asked may have left in the meantime.
    drop(sender.send(outcome));
    drop(room);
}

fn run(db: &Connection, mut waiting: mpsc::Receiver<Job>, watcher: &OnceLock<Watcher>) {
    let mut batch = Vec::with_capacity(BATCH_MAX);
    let mut events = Vec::new();
    while waiting.blocking_recv_many(&mut batch, BATCH_MAX) > 0 {
        let mut settles = Vec::with_capacity(batch.len());
        let durable = match transact(db, &mut batch, &mut events, &mut settles) {
            Ok(()) => true,
            Err(error) => {
                tracing::warn!(code = ?error.sqlite_error_code(), "a transaction failed");
                false
            }
        };
        // Jobs that were not carried out are dropped, which resolves their tickets.
        batch.clear();
        if let (true, Some(watcher)) = (durable, watcher.get()) {
            events.drain(..).for_each(watcher);
        }
        events.clear();
        for settle in settles {
            settle(durable);
        }
    }
}

/// One transaction of many jobs.
fn transact(
    db: &Connection,
    batch: &mut Vec<Job>,
    events: &mut Vec<Event>,
    settles: &mut Vec<Settle>,
) -> rusqlite::Result<()> {
    db.execute_batch("BEGIN IMMEDIATE")?;
    for job in batch.drain(..) {
        settles.push(job(db, events));
        // A full disk may have ended the whole transaction; what follows must not commit by itself.
        if db.is_autocommit() {
            return Err(rusqlite::Error::SqliteFailure(
                rusqlite::ffi::Error::new(rusqlite::ffi::SQLITE_ABORT),
                None,
            ));
        }
    }
    let committed = db.execute_batch("COMMIT");
    if committed.is_err() && !db.is_autocommit() {
        // Nothing can be done about a rollback that fails too; the next BEGIN will say so.
        drop(db.execute_batch("ROLLBACK"));
    }
    committed
}

/// Carries a job out so that a failure undoes it and nothing else.
fn alone<T>(
    db: &Connection,
    events: &mut Vec<Event>,
    work: impl FnOnce(&Connection, &mut Vec<Event>) -> Result<T, Failure>,
) -> Result<T, Declined> {
    let before = events.len();
    let outcome = (|| {
        db.prepare_cached("SAVEPOINT job")?.execute([])?;
        let output = work(db, events)?;
        db.prepare_cached("RELEASE job")?.execute([])?;
        Ok::<T, Failure>(output)
    })();
    outcome.map_err(|failure| {
        events.truncate(before);
        if !db.is_autocommit() && db.execute_batch("ROLLBACK TO job; RELEASE job").is_err() {
            // Half a job must not be committed with the others: give the transaction up.
            drop(db.execute_batch("ROLLBACK"));
        }
        failure.into_declined()
    })
}
