//! The embedded store: one SQLite database in the relay's folder.
//!
//! ```text
//! relay.lock   locked as long as a process uses the folder
//! relay.db     WAL, synchronous=FULL: what a ticket has confirmed survives a power cut
//! ```
//!
//! Mailboxes in use live in memory (`mailbox`), where an envelope gets its sequence and from where
//! a reader who is there gets it. One thread writes them down, with group commit (`writer`), unless
//! they have been acknowledged by then; a few connections read, off the async threads.

mod directory;
mod error;
mod fleeting_ids;
mod inspection;
mod load;
mod mailbox;
mod mailboxes;
mod pending;
mod prekeys;
mod probe;
mod readers;
mod rows;
mod schema;
mod transaction;
mod writer;

use std::collections::HashSet;
use std::fs::{File, TryLockError};
use std::future::Future;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use bytes::Bytes;
use rusqlite::{Connection, MAIN_DB};
use sotto_net::link::Cursor;
use sotto_net::wire::{Delivery, DeviceKey, Entry, EnvelopeId, Mark, Prekey, Sequence, StoreId};

use self::error::Failure;
pub use self::error::StoreError;
pub use self::inspection::Inspection;
use self::mailboxes::Obstacle;
use self::readers::Readers;
use self::writer::Writer;
use crate::config::Seed;
use crate::folder;
use crate::store::{
    Admission, Append, Attendance, Claiming, Declined, Store, TakenBundle, Tally, Ticket, Usage,
    Watcher,
};

/// Name of the database in the relay's folder.
const DATABASE: &str = "relay.db";
/// Name of the journal, which SQLite derives.
const JOURNAL: &str = "relay.db-wal";
/// Name of the file that is locked as long as a process uses the folder.
const LOCK: &str = "relay.lock";

/// A relay's storage in one folder. Dropping it finishes the writes that are in order and gives
/// the folder free.
#[derive(Debug)]
pub struct SqliteStore {
    /// The newest first.
    lives: Vec<StoreId>,
    writer: Writer,
    readers: Arc<Readers>,
    /// Released last of all, by whoever still uses the folder.
    _lock: Arc<File>,
}

impl SqliteStore {
    /// Opens the store in this folder; makes the folder (mode 0700) and the store if there is
    /// none.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub fn open(dir: &Path) -> Result<Self, StoreError> {
        let opened = Opened::open(dir)?;
        let writer = Writer::start(opened.connection).map_err(StoreError::Thread)?;
        Ok(Self {
            lives: opened.lives,
            writer,
            readers: Arc::new(Readers::new(opened.path, false)),
            _lock: Arc::new(opened.lock),
        })
    }

    /// As [`SqliteStore::open`], without threads: everything is written wherever the future is
    /// polled, by the clock of its runtime, and read by whoever asks. Once the store is dropped,
    /// the future finishes the writes that are in order; dropped before, it takes along what was
    /// not confirmed.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub fn open_here(
        dir: &Path,
    ) -> Result<(Self, impl Future<Output = ()> + Send + use<>), StoreError> {
        let opened = Opened::open(dir)?;
        let (writer, writing) = Writer::start_here(opened.connection);
        let lock = Arc::new(opened.lock);
        let own_lock = Arc::clone(&lock);
        let store = Self {
            lives: opened.lives,
            writer,
            readers: Arc::new(Readers::new(opened.path, true)),
            _lock: lock,
        };
        let writing = async move {
            writing.await;
            drop(own_lock);
        };
        Ok((store, writing))
    }
}

/// A folder that is locked, and the database in it.
struct Opened {
    lock: File,
    path: PathBuf,
    connection: Connection,
    /// The newest first.
    lives: Vec<StoreId>,
}

impl Opened {
    fn open(dir: &Path) -> Result<Self, StoreError> {
        folder::make(dir).map_err(StoreError::Folder)?;
        let lock = folder::open_private(&dir.join(LOCK)).map_err(StoreError::Folder)?;
        lock.try_lock().map_err(|error| match error {
            TryLockError::WouldBlock => StoreError::InUse,
            TryLockError::Error(error) => StoreError::Folder(error),
        })?;
        let path = dir.join(DATABASE);
        // SQLite gives its journals the mode of the database, which is made private here.
        folder::open_private(&path).map_err(StoreError::Folder)?;
        // SQLite takes what it finds in the journal for durable.
        folder::renew(&dir.join(JOURNAL)).map_err(StoreError::Folder)?;
        let connection = Connection::open(&path)?;
        // SQLite is content with reading where it may not write.
        if connection.is_readonly(MAIN_DB)? {
            let error = io::Error::from(io::ErrorKind::ReadOnlyFilesystem);
            return Err(StoreError::Folder(error));
        }
        let lives = schema::prepare(&connection)?;
        // SQLite synchronises the names of its files too, but takes no notice when that fails.
        folder::sync(dir).map_err(StoreError::Folder)?;
        Ok(Self {
            lock,
            path,
            connection,
            lives,
        })
    }
}

impl Store for SqliteStore {
    fn id(&self) -> StoreId {
        // There always is one.
        self.lives.first().copied().unwrap_or(StoreId([0; 16]))
    }

    fn watch(&self, watcher: Watcher) {
        self.writer.watch(watcher);
    }

    async fn admit(&self, device: DeviceKey, cursor: Cursor, now_secs: u64) -> Ticket<Admission> {
        let is_known = self.lives.contains(&cursor.store);
        let after = is_known.then_some(cursor.after);
        let shared = Arc::clone(self.writer.shared());
        self.writer
            .submit_then(
                move |db, _| rows::admit(db, device, after, now_secs),
                move |mailboxes, (row, admission)| {
                    let mailbox = mailboxes.open(device, row);
                    if row.last > 0 {
                        mailbox.reserve(row.last);
                    }
                    // Nobody waits until what it lets go of has left the disk.
                    drop(mailboxes.acknowledge(device, admission.after, shared.now()));
                    admission
                },
            )
            .await
    }

    async fn attend(&self, device: DeviceKey) -> Result<Attendance, Declined> {
        loop {
            let shared = Arc::clone(self.writer.shared());
            if let Some(arrivals) = shared.mailboxes(|mailboxes| mailboxes.attend(device)) {
                let own = Arc::clone(&arrivals);
                return Ok(Attendance::new(arrivals, move || {
                    shared.mailboxes(|mailboxes| mailboxes.leave(device, &own));
                }));
            }
            self.open_mailbox(device).await.await?;
        }
    }

    async fn append(&self, mut append: Append) -> Ticket<()> {
        keep_first(&mut append.targets);
        let bytes = append.targets.iter().map(|(_, body)| body.len()).sum();
        let mut room = self.writer.room(bytes).await;
        loop {
            let now = self.writer.shared().now();
            let appended = self
                .writer
                .shared()
                .mailboxes(|mailboxes| mailboxes.append(&mut append, &mut room, now));
            let closed = match appended {
                Ok((ticket, wanting)) => {
                    for device in wanting {
                        // It is for envelopes to come.
                        drop(self.reserve(device).await);
                    }
                    return ticket;
                }
                Err(Obstacle::Closed(closed)) => closed,
                // What is stored already needs no room.
                Err(Obstacle::Full(device)) => match self.recall(device, append.id).await {
                    Ok(true) => continue,
                    Ok(false) => return Ticket::known(Err(Declined::MailboxFull)),
                    Err(declined) => return Ticket::known(Err(declined)),
                },
            };
            let mut tickets = Vec::with_capacity(closed.len());
            for device in closed {
                tickets.push(self.reserve(device).await);
            }
            for ticket in tickets {
                if let Err(declined) = ticket.await {
                    return Ticket::known(Err(declined));
                }
            }
        }
    }

    async fn read(
        &self,
        device: DeviceKey,
        after: Sequence,
        envelopes: u32,
        bytes: usize,
    ) -> Result<Vec<Delivery>, Declined> {
        let mut after = after;
        loop {
            let held = self.writer.shared().mailboxes(|mailboxes| {
                let mailbox = mailboxes.get_mut(device);
                mailbox.map(|mailbox| mailbox.read(after, envelopes, bytes))
            });
            let (from, up_to) = match held {
                Some(Ok(deliveries)) => return Ok(deliveries),
                Some(Err(on_disk)) => on_disk,
                None => (after, Sequence::MAX),
            };
            let read = self
                .readers
                .run(move |db| rows::read(db, device, (from, up_to), envelopes, bytes))
                .await?;
            if !read.is_empty() || held.is_none() {
                return Ok(read);
            }
            // Whatever is left has come since, and is in memory.
            after = up_to;
        }
    }

    async fn acknowledge(&self, device: DeviceKey, up_to: Sequence) -> Ticket<()> {
        loop {
            let now = self.writer.shared().now();
            let acknowledged = self
                .writer
                .shared()
                .mailboxes(|mailboxes| mailboxes.acknowledge(device, up_to, now));
            if let Some(ticket) = acknowledged {
                return ticket;
            }
            if let Err(declined) = self.open_mailbox(device).await.await {
                return Ticket::known(Err(declined));
            }
        }
    }

    async fn publish(
        &self,
        device: DeviceKey,
        signed: Option<Prekey>,
        one_time: Vec<Prekey>,
    ) -> Ticket<()> {
        self.writer
            .submit(move |db, _| prekeys::publish(db, device, signed.as_ref(), &one_time))
            .await
    }

    async fn take_bundle(&self, device: DeviceKey, with_one_time: bool) -> Ticket<TakenBundle> {
        self.writer
            .submit(move |db, events| prekeys::take(db, device, with_one_time, events))
            .await
    }

    async fn mark(&self, device: DeviceKey, mark: Option<Mark>) -> Ticket<Option<Mark>> {
        self.writer
            .submit(move |db, _| rows::mark(db, device, mark))
            .await
    }

    async fn withdraw(&self, device: DeviceKey) -> Ticket<()> {
        self.writer
            .submit(move |db, _| prekeys::withdraw(db, device))
            .await
    }

    async fn seed(&self, seeds: Vec<Seed>) -> Ticket<()> {
        self.writer
            .submit(move |db, _| directory::seed(db, &seeds))
            .await
    }

    async fn claim(&self, claiming: Claiming) -> Ticket<()> {
        self.writer
            .submit(move |db, events| directory::claim(db, claiming, events))
            .await
    }

    async fn look_up(&self, handle: String) -> Result<Entry, Declined> {
        self.readers
            .run(move |db| directory::look_up(db, &handle))
            .await
    }

    async fn list(&self) -> Result<Vec<Entry>, Declined> {
        self.readers.run(directory::list).await
    }

    async fn usage(&self) -> Result<Usage, Declined> {
        self.readers.run(rows::usage).await
    }

    fn tally(&self) -> Tally {
        self.writer.tally()
    }

    async fn probe(&self) -> Ticket<()> {
        self.writer.submit(|db, _| probe::write(db)).await
    }

    async fn expire(&self, before_secs: u64) -> Ticket<u64> {
        self.writer
            .submit_then(
                move |db, _| rows::expire(db, before_secs),
                |mailboxes, expired| {
                    for (device, load) in &expired {
                        mailboxes.forgotten(*device, *load);
                    }
                    expired.len() as u64
                },
            )
            .await
    }
}

impl SqliteStore {
    /// Brings a mailbox into memory.
    async fn open_mailbox(&self, device: DeviceKey) -> Ticket<()> {
        self.writer
            .submit_then(
                move |db, _| rows::find(db, device),
                move |mailboxes, row| {
                    mailboxes.open(device, row);
                },
            )
            .await
    }

    /// Brings an id to mind that only the disk knows; false if it does not.
    async fn recall(&self, device: DeviceKey, id: EnvelopeId) -> Result<bool, Declined> {
        let is_known = self
            .readers
            .run(move |db| rows::knows(db, device, id))
            .await?;
        Ok(is_known
            && self.writer.shared().mailboxes(|mailboxes| {
                let mailbox = mailboxes.get_mut(device);
                mailbox.is_some_and(|mailbox| mailbox.know(id))
            }))
    }

    /// Brings a mailbox into memory with sequences to give out.
    async fn reserve(&self, device: DeviceKey) -> Ticket<()> {
        self.writer
            .submit_then(
                move |db, _| rows::reserve(db, device),
                move |mailboxes, row| mailboxes.open(device, row).reserve(row.last),
            )
            .await
    }
}

/// Leaves each device its first body.
fn keep_first(targets: &mut Vec<(DeviceKey, Bytes)>) {
    if targets.len() > 1 {
        let mut seen = HashSet::with_capacity(targets.len());
        targets.retain(|(device, _)| seen.insert(*device));
    }
}

/// A number as SQLite keeps it. None of ours comes near 2^63; a client's own that does is taken
/// for the largest.
fn sql(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

/// A number as SQLite gave it back; the schema keeps them from being negative.
fn unsql(number: i64) -> u64 {
    u64::try_from(number).unwrap_or(0)
}
