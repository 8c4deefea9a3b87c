//! The one thread (or task) that writes, with group commit, and the mailboxes in memory that it
//! writes down.
//!
//! While the disk confirms one transaction, what arrives waits; all of it, up to [`BATCH_MAX`],
//! then shares the next transaction and its confirmation. A job that fails is undone by itself; a
//! transaction that fails fails all that is in it.

use std::collections::{BTreeMap, VecDeque};
use std::future::Future;
use std::io;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, OnceLock, PoisonError};
use std::thread::JoinHandle;
use std::time::Instant;

use rusqlite::Connection;
use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore};
use tokio::time::sleep_until;

use super::load::Load;
use super::mailboxes::{Mailboxes, Writing, Written};
use super::{Failure, rows, transaction};
use crate::store::{Declined, Event, Tally, Ticket, Watcher};

/// Envelopes and jobs, each, in one transaction; beyond that, the confirmation no longer costs much
/// for each.
const BATCH_MAX: usize = 512;
/// Jobs that wait or are being carried out: two batches.
const JOBS_MAX: usize = 1_024;
/// Bytes of envelopes that are not safe yet, in KiB: what a burst may hold in memory.
const WAITING_KIB_MAX: u32 = 32 * 1024;

/// A piece of work; answers what to do once its transaction is durable (`true`) or lost.
type Job = Box<dyn FnOnce(&Connection, &mut Vec<Event>) -> Settle + Send>;
type Settle = Box<dyn FnOnce(&mut Mailboxes, bool)>;

/// The thread, or the task that somebody else runs. Dropping this finishes what waits, then closes
/// the database; a task does so when it is next polled.
pub(super) struct Writer {
    shared: Arc<Shared>,
    jobs_room: Arc<Semaphore>,
    envelopes_room: Arc<Semaphore>,
    watcher: Arc<OnceLock<Watcher>>,
    thread: Option<JoinHandle<()>>,
}

/// What the thread and its callers share.
pub(super) struct Shared {
    state: Mutex<State>,
    /// Something is to be written, or to be waited for.
    work: Work,
}

/// How whoever writes is woken, and what clock it waits by.
enum Work {
    /// A thread, by the system's clock.
    Thread(Condvar),
    /// A task, by its runtime's clock.
    Task(Notify),
}

impl Work {
    fn wake(&self) {
        match self {
            Self::Thread(work) => work.notify_one(),
            Self::Task(work) => work.notify_one(),
        }
    }
}

/// What whoever writes does next.
enum Next {
    Write(Writing, Vec<Job>),
    /// Waits until it is woken, or until something is due.
    Wait(Option<Instant>),
    End,
}

#[derive(Default)]
struct State {
    mailboxes: Mailboxes,
    jobs: VecDeque<Job>,
    is_closing: bool,
    /// Nobody is left to write.
    has_ended: bool,
}

impl Shared {
    /// Looks at mailboxes or changes them; wakes the thread if that gave it something to do sooner.
    pub(super) fn mailboxes<T>(&self, work: impl FnOnce(&mut Mailboxes) -> T) -> T {
        let mut state = self.state();
        let due = state.mailboxes.due();
        let output = work(&mut state.mailboxes);
        let is_sooner = match (due, state.mailboxes.due()) {
            (Some(before), Some(now)) => now < before,
            (None, now) => now.is_some(),
            (Some(_), None) => false,
        };
        drop(state);
        if is_sooner {
            self.work.wake();
        }
        output
    }

    /// The time by which it is told when something is due.
    pub(super) fn now(&self) -> Instant {
        match self.work {
            Work::Thread(_) => Instant::now(),
            Work::Task(_) => tokio::time::Instant::now().into_std(),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What to do now.
    fn next(&self, state: &mut State) -> Next {
        if state.is_closing {
            state.mailboxes.hurry();
        }
        loop {
            let now = self.now();
            let due = state.mailboxes.due();
            if state.jobs.is_empty() && due.is_none_or(|due| due > now) {
                return match due {
                    None if state.is_closing => Next::End,
                    due => Next::Wait(due),
                };
            }
            let writing = state.mailboxes.take(now, BATCH_MAX);
            let most = state.jobs.len().min(BATCH_MAX);
            let jobs: Vec<Job> = state.jobs.drain(..most).collect();
            if !writing.is_empty() || !jobs.is_empty() {
                return Next::Write(writing, jobs);
            }
        }
    }

    /// Waits for what to do next, on a thread that is there for nothing else; `None` at the end.
    fn wait(&self, work: &Condvar) -> Option<(Writing, Vec<Job>)> {
        let mut state = self.state();
        loop {
            state = match self.next(&mut state) {
                Next::Write(writing, jobs) => return Some((writing, jobs)),
                Next::End => return None,
                Next::Wait(None) => work.wait(state).unwrap_or_else(PoisonError::into_inner),
                Next::Wait(Some(due)) => {
                    let left = due.saturating_duration_since(self.now());
                    let waited = work.wait_timeout(state, left);
                    waited.unwrap_or_else(PoisonError::into_inner).0
                }
            };
        }
    }

    /// As [`Shared::wait`], in a task.
    async fn wait_here(&self, work: &Notify) -> Option<(Writing, Vec<Job>)> {
        loop {
            let next = self.next(&mut self.state());
            match next {
                Next::Write(writing, jobs) => return Some((writing, jobs)),
                Next::End => return None,
                Next::Wait(None) => work.notified().await,
                Next::Wait(Some(due)) => tokio::select! {
                    biased;
                    () = work.notified() => {}
                    () = sleep_until(due.into()) => {}
                },
            }
        }
    }
}

impl Writer {
    /// Writes on a thread of its own.
    pub(super) fn start(db: Connection) -> io::Result<Self> {
        let mut writer = Self::new(Work::Thread(Condvar::new()));
        let (shared, watcher) = (Arc::clone(&writer.shared), Arc::clone(&writer.watcher));
        let thread = std::thread::Builder::new()
            .name("sotto-store".to_owned())
            .spawn(move || run(&db, &shared, &watcher))?;
        writer.thread = Some(thread);
        Ok(writer)
    }

    /// Writes wherever the future is polled, which ends when the writer is dropped.
    pub(super) fn start_here(db: Connection) -> (Self, impl Future<Output = ()> + Send + 'static) {
        let writer = Self::new(Work::Task(Notify::new()));
        let (shared, watcher) = (Arc::clone(&writer.shared), Arc::clone(&writer.watcher));
        (writer, run_here(db, shared, watcher))
    }

    fn new(work: Work) -> Self {
        let shared = Shared {
            state: Mutex::default(),
            work,
        };
        Self {
            shared: Arc::new(shared),
            jobs_room: Arc::new(Semaphore::new(JOBS_MAX)),
            envelopes_room: Arc::new(Semaphore::new(WAITING_KIB_MAX as usize)),
            watcher: Arc::default(),
            thread: None,
        }
    }

    pub(super) fn shared(&self) -> &Arc<Shared> {
        &self.shared
    }

    /// Who is told of events; the first one stays.
    pub(super) fn watch(&self, watcher: Watcher) {
        // A second watcher is refused by contract; there is nobody to tell.
        drop(self.watcher.set(watcher));
    }

    /// Waits until so many bytes may be held in memory.
    pub(super) async fn room(&self, bytes: usize) -> Option<OwnedSemaphorePermit> {
        let kib = u32::try_from(bytes / 1024 + 1).unwrap_or(u32::MAX);
        let room = Arc::clone(&self.envelopes_room);
        // The semaphore is never closed; without a permit the envelope would merely not be counted.
        room.acquire_many_owned(kib.min(WAITING_KIB_MAX)).await.ok()
    }

    /// Queues a job; waits for its place only.
    pub(super) async fn submit<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Connection, &mut Vec<Event>) -> Result<T, Failure> + Send + 'static,
    ) -> Ticket<T> {
        self.submit_then(work, |_, output| output).await
    }

    /// Queues a job, and what it changes in memory once it is durable.
    pub(super) async fn submit_then<T: Send + 'static, U: Send + 'static>(
        &self,
        work: impl FnOnce(&Connection, &mut Vec<Event>) -> Result<T, Failure> + Send + 'static,
        then: impl FnOnce(&mut Mailboxes, T) -> U + Send + 'static,
    ) -> Ticket<U> {
        let (answer, ticket) = Ticket::new();
        // As above, it is never closed.
        let room = Arc::clone(&self.jobs_room).acquire_owned().await.ok();
        let job: Job = Box::new(move |db, events| {
            let outcome = transaction::alone(db, events, work);
            Box::new(move |mailboxes, durable| {
                let outcome = if durable {
                    outcome.map(|output| then(mailboxes, output))
                } else {
                    Err(Declined::Unavailable)
                };
                answer.give(outcome);
                drop(room);
            })
        });
        let mut state = self.shared.state();
        // Dropped, a job resolves its ticket.
        if !state.has_ended {
            state.jobs.push_back(job);
        }
        drop(state);
        self.shared.work.wake();
        ticket
    }

    /// What was done so far, and what waits.
    pub(super) fn tally(&self) -> Tally {
        let state = self.shared.state();
        let tally = state.mailboxes.tally();
        let waiting = tally.waiting.map(|envelopes| envelopes + state.jobs.len());
        Tally {
            waiting: waiting.filter(|_| !state.has_ended),
            ..tally
        }
    }
}

impl std::fmt::Debug for Writer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Writer").finish_non_exhaustive()
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        self.shared.state().is_closing = true;
        self.shared.work.wake();
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("the store's thread has panicked");
        }
    }
}

/// Tells everybody that the thread has ended, however it has.
struct End<'a>(&'a Shared);

impl Drop for End<'_> {
    fn drop(&mut self) {
        let mut state = self.0.state();
        state.has_ended = true;
        // Whatever waits is dropped, which resolves its tickets.
        state.jobs.clear();
        state.mailboxes = Mailboxes::default();
    }
}

fn run(db: &Connection, shared: &Shared, watcher: &OnceLock<Watcher>) {
    let _end = End(shared);
    if let Work::Thread(work) = &shared.work {
        while let Some((writing, jobs)) = shared.wait(work) {
            carry_out(db, shared, watcher, writing, jobs);
        }
    }
}

async fn run_here(db: Connection, shared: Arc<Shared>, watcher: Arc<OnceLock<Watcher>>) {
    let _end = End(&shared);
    if let Work::Task(work) = &shared.work {
        while let Some((writing, jobs)) = shared.wait_here(work).await {
            carry_out(&db, &shared, &watcher, writing, jobs);
        }
    }
}

/// One transaction, and what follows from it.
fn carry_out(
    db: &Connection,
    shared: &Shared,
    watcher: &OnceLock<Watcher>,
    writing: Writing,
    jobs: Vec<Job>,
) {
    let (begun, size) = (shared.now(), writing.len() + jobs.len());
    let mut events = Vec::new();
    let mut settles = Vec::with_capacity(jobs.len());
    let written = transaction::run(db, |db| {
        let written = write(db, &writing)?;
        for job in jobs {
            settles.push(job(db, &mut events));
            transaction::still_open(db)?;
        }
        Ok(written)
    });
    let is_durable = written.is_ok();
    if !is_durable {
        events.clear();
    }
    events.push(Event::TransactionEnded {
        jobs: size,
        took: shared.now().saturating_duration_since(begun),
        durable: is_durable,
    });
    if let Some(watcher) = watcher.get() {
        events.into_iter().for_each(watcher);
    }
    let mut state = shared.state();
    match written {
        Ok(written) => state.mailboxes.written(writing, written),
        Err(error) => {
            tracing::warn!(code = ?error.sqlite_error_code(), "a transaction failed");
            state.mailboxes.lost(writing);
        }
    }
    for settle in settles {
        settle(&mut state.mailboxes, is_durable);
    }
}

/// Writes envelopes down and lets go of others.
fn write(db: &Connection, writing: &Writing) -> rusqlite::Result<Written> {
    let mut written = Written::default();
    // Counted once for each mailbox; most have several envelopes in a batch.
    let mut counts: BTreeMap<i64, Load> = BTreeMap::new();
    for row in &writing.envelopes {
        let inserted = if rows::insert(db, row)? {
            Load::of(&row.body)
        } else {
            Load::default()
        };
        counts.entry(row.mailbox).or_default().add(inserted);
        written.inserted.push(inserted);
    }
    for (mailbox, inserted) in counts {
        rows::count(db, mailbox, inserted)?;
    }
    for (_, forgetting) in &writing.forgetting {
        written.forgotten.push(rows::forget(db, forgetting)?);
    }
    Ok(written)
}
