//! What a relay needs from durable storage.
//!
//! Every write answers through a [`Ticket`]: the method returns once the write has its place in
//! the order of writes, the ticket once it **cannot be lost**: it is durable, or, for an envelope,
//! each of its devices has acknowledged it. Envelopes of one caller are stored in the order in which
//! their methods returned, and so are acknowledgements and all other writes, each among themselves.
//!
//! A mailbox that somebody attends to gives its envelopes out at once, before they are durable: its
//! reader most often has stored them by the time the disk would have.
//!
//! Every backend passes the same conformance suite (`tests/store.rs`).

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use sotto_net::link::Cursor;
use sotto_net::wire::{
    Delivery, DeviceKey, Entry, EnvelopeId, Mark, Prekey, Refusal, Sequence, StoreId,
};
use thiserror::Error;
use tokio::sync::{Notify, oneshot};

use crate::config::Seed;

/// Envelope ids that a mailbox remembers of those that it has stored, the newest ones, also after
/// their envelopes have been acknowledged; those of unacknowledged envelopes are remembered in any
/// case. Far more than a sender has in flight, and at most about 300 KiB on disk for each mailbox.
pub const ENVELOPE_IDS_MAX: u64 = 4_096;
/// Envelope ids that a mailbox remembers beside those, of envelopes that were acknowledged before
/// they were stored, as long as the store is open: as many as a sender may have without an answer.
pub const FLEETING_IDS_MAX: usize = 256;
/// One-time prekeys of one device: two full publications.
pub const ONE_TIME_PREKEYS_MAX: u64 = 200;
/// Numbers of one-time prekeys that have been taken and that are refused if published again,
/// the newest ones of each device.
pub const TAKEN_PREKEYS_MAX: u64 = 1_024;
/// Handles of one device.
pub const HANDLES_PER_DEVICE_MAX: u64 = 8;
/// Handles in all.
pub const HANDLES_MAX: u64 = 10_000;
/// Mailboxes in all; each empty one costs about 100 bytes.
pub const MAILBOXES_MAX: u64 = 1_000_000;

/// Why the store declines a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum Declined {
    /// The device has no mailbox.
    #[error("no such device")]
    DeviceUnknown,
    /// A target's mailbox is full; nothing was stored for any target.
    #[error("a mailbox is full")]
    MailboxFull,
    /// The handle belongs to another device.
    #[error("the handle is taken")]
    HandleTaken,
    /// The handle is not in the directory and may not be added.
    #[error("no such handle")]
    HandleUnknown,
    /// The device has published no signed prekey.
    #[error("no prekeys")]
    NoPrekeys,
    /// One of the limits above is reached.
    #[error("a limit is reached")]
    LimitReached,
    /// The store cannot read or write at the moment; nothing was changed.
    #[error("the store is not available")]
    Unavailable,
}

impl From<Declined> for Refusal {
    fn from(declined: Declined) -> Self {
        match declined {
            Declined::DeviceUnknown => Self::DeviceUnknown,
            Declined::MailboxFull => Self::MailboxFull,
            Declined::HandleTaken => Self::HandleTaken,
            Declined::HandleUnknown => Self::HandleUnknown,
            Declined::NoPrekeys => Self::NoPrekeys,
            Declined::LimitReached => Self::TooLarge,
            Declined::Unavailable => Self::Storage,
        }
    }
}

/// A write that has its place in the order; resolves once it cannot be lost or is declined.
/// Dropping it does not undo the write.
#[derive(Debug)]
#[must_use = "the outcome of a write is known only through its ticket"]
pub struct Ticket<T>(Outcome<T>);

#[derive(Debug)]
enum Outcome<T> {
    Known(Option<Result<T, Declined>>),
    Awaited(oneshot::Receiver<Result<T, Declined>>),
}

/// The end of a ticket through which a backend resolves it. Dropped, it resolves the ticket as
/// [`Declined::Unavailable`].
#[derive(Debug)]
pub struct Answer<T>(oneshot::Sender<Result<T, Declined>>);

impl<T> Answer<T> {
    /// Resolves the ticket.
    pub fn give(self, outcome: Result<T, Declined>) {
        if self.0.send(outcome).is_err() {
            // Whoever asked has left in the meantime.
        }
    }
}

impl<T> Ticket<T> {
    /// A ticket, and what resolves it.
    pub fn new() -> (Answer<T>, Self) {
        let (sender, receiver) = oneshot::channel();
        (Answer(sender), Self(Outcome::Awaited(receiver)))
    }

    /// A ticket whose outcome is known.
    pub fn known(outcome: Result<T, Declined>) -> Self {
        Self(Outcome::Known(Some(outcome)))
    }
}

// What a known outcome holds is never pinned.
impl<T> Unpin for Ticket<T> {}

impl<T> Future for Ticket<T> {
    type Output = Result<T, Declined>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        match &mut self.0 {
            // Polled again after its end, it knows of no outcome.
            Outcome::Known(outcome) => {
                Poll::Ready(outcome.take().unwrap_or(Err(Declined::Unavailable)))
            }
            Outcome::Awaited(receiver) => Pin::new(receiver)
                .poll(context)
                .map(|outcome| outcome.unwrap_or(Err(Declined::Unavailable))),
        }
    }
}

/// Somebody reads a mailbox, until this is dropped.
pub struct Attendance {
    arrivals: Arc<Notify>,
    leave: Option<Box<dyn FnOnce() + Send + Sync>>,
}

impl Attendance {
    /// Attendance at a mailbox that notifies of arrivals; `leave` is called at its end.
    pub fn new(arrivals: Arc<Notify>, leave: impl FnOnce() + Send + Sync + 'static) -> Self {
        Self {
            arrivals,
            leave: Some(Box::new(leave)),
        }
    }

    /// Waits until envelopes have come since this was last asked; now and then returns without.
    pub async fn arrival(&self) {
        self.arrivals.notified().await;
    }
}

impl Drop for Attendance {
    fn drop(&mut self) {
        if let Some(leave) = self.leave.take() {
            leave();
        }
    }
}

impl fmt::Debug for Attendance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Attendance").finish_non_exhaustive()
    }
}

/// A device that logs in, as the store knows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Admission {
    /// Delivery goes on after this sequence.
    pub after: Sequence,
    /// Number of the signed prekey that is published.
    pub signed_prekey: Option<u32>,
    /// One-time prekeys that are left.
    pub one_time_prekeys: u32,
}

/// An envelope for each of its targets, all or none. Names no sender.
#[derive(Debug, Clone)]
pub struct Append {
    /// The envelope's id.
    pub id: EnvelopeId,
    /// For whom, and what. A device that is named twice gets the first body.
    pub targets: Vec<(DeviceKey, Bytes)>,
    /// What a mailbox may hold.
    pub quota: Quota,
    /// When, in seconds since 1970.
    pub stored_secs: u64,
}

/// What a mailbox may hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Quota {
    /// Envelopes.
    pub envelopes: u64,
    /// Bytes of their bodies.
    pub bytes: u64,
}

/// A handle for a device.
#[derive(Debug, Clone)]
pub struct Claiming {
    /// Who claims.
    pub device: DeviceKey,
    /// The handle.
    pub handle: String,
    /// The name shown to people.
    pub name: String,
    /// The public identity.
    pub identity: Bytes,
    /// Whether a handle that is not in the directory may be added.
    pub open: bool,
}

/// A bundle to start a session with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TakenBundle {
    /// The record of the signed prekey.
    pub signed: Bytes,
    /// The record of a one-time prekey that is gone from the store.
    pub one_time: Option<Bytes>,
}

/// How much is stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Usage {
    /// Mailboxes.
    pub mailboxes: u64,
    /// Envelopes that wait.
    pub envelopes: u64,
    /// Bytes of their bodies.
    pub bytes: u64,
    /// When the oldest of them was stored, in seconds since 1970.
    pub oldest_stored_secs: Option<u64>,
}

/// What a store has done since it was opened, and has to do.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Tally {
    /// Envelopes that mailboxes have taken.
    pub accepted: u64,
    /// Envelopes that were dropped because their mailbox knew them.
    pub duplicates: u64,
    /// Envelopes that their devices have acknowledged.
    pub acknowledged: u64,
    /// How often a reader fell behind so far that it is served from the disk.
    pub slow_readers: u64,
    /// Writes that wait for their turn; `None` when there is nobody left to carry them out.
    pub waiting: Option<usize>,
}

/// Something that has become durable, in the order of the writes; and how the writing goes.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum Event {
    /// A line of the directory is new or has changed (request 0).
    DirectoryChanged(Entry),
    /// Somebody took a bundle.
    BundleTaken {
        /// Whose.
        device: DeviceKey,
        /// Whether a one-time prekey went with it.
        with_one_time: bool,
        /// One-time prekeys that are left.
        one_time_left: u32,
    },
    /// A transaction has ended; the only event of one that was lost.
    TransactionEnded {
        /// Writes that shared it.
        jobs: usize,
        /// How long it took, confirmation of the disk included.
        took: Duration,
        /// Whether it is durable.
        durable: bool,
    },
}

/// Who is told of events. Runs on the store's writer, so it must neither wait nor fail.
pub type Watcher = Box<dyn Fn(Event) + Send + Sync>;

/// Durable storage of a relay.
pub trait Store: Send + Sync + 'static {
    /// The life of this store: another one each time that it is opened. Cursors of the lives before
    /// are taken too, and those of lives that it does not know are not: files that were put back as
    /// they were have not seen what came after them.
    fn id(&self) -> StoreId;

    /// Tells this watcher of every event from now on. The first watcher stays.
    fn watch(&self, watcher: Watcher);

    /// A device logs in: makes its mailbox if there is none, and acknowledges up to the cursor if
    /// the cursor counts in this store and in this mailbox; otherwise delivery starts over.
    ///
    /// Declined with [`Declined::LimitReached`] when there are too many mailboxes.
    fn admit(
        &self,
        device: DeviceKey,
        cursor: Cursor,
        now_secs: u64,
    ) -> impl Future<Output = Ticket<Admission>> + Send;

    /// Somebody reads this mailbox from now on: envelopes that arrive are there to be read before
    /// they are durable, and the disk is given a moment's time.
    ///
    /// # Errors
    /// [`Declined::DeviceUnknown`] or [`Declined::Unavailable`].
    fn attend(
        &self,
        device: DeviceKey,
    ) -> impl Future<Output = Result<Attendance, Declined>> + Send;

    /// Puts an envelope into the mailbox of each target, all or none. A mailbox that knows the id
    /// already is passed over. Sequences of a mailbox grow, and never return.
    ///
    /// Declined with [`Declined::DeviceUnknown`] or [`Declined::MailboxFull`].
    fn append(&self, append: Append) -> impl Future<Output = Ticket<()>> + Send;

    /// The envelopes of a mailbox after this sequence, in order: at most `envelopes`, and no
    /// further one once they hold `bytes` of bodies. Empty only when none is left. Those that are
    /// not durable yet are among them.
    ///
    /// # Errors
    /// [`Declined::Unavailable`].
    fn read(
        &self,
        device: DeviceKey,
        after: Sequence,
        envelopes: u32,
        bytes: usize,
    ) -> impl Future<Output = Result<Vec<Delivery>, Declined>> + Send;

    /// Forgets the envelopes of a mailbox up to this sequence. If it is declined they may still go
    /// later, with another write.
    fn acknowledge(
        &self,
        device: DeviceKey,
        up_to: Sequence,
    ) -> impl Future<Output = Ticket<()>> + Send;

    /// Replaces the signed prekey, if there is one, and adds one-time prekeys; a number that is
    /// known, or known to have been taken, is kept as it is.
    ///
    /// Declined with [`Declined::LimitReached`] when there would be too many.
    fn publish(
        &self,
        device: DeviceKey,
        signed: Option<Prekey>,
        one_time: Vec<Prekey>,
    ) -> impl Future<Output = Ticket<()>> + Send;

    /// Takes a bundle, with a one-time prekey if one is wished for and left: that of the lowest
    /// number, which goes to nobody else.
    ///
    /// Declined with [`Declined::DeviceUnknown`] or [`Declined::NoPrekeys`].
    fn take_bundle(
        &self,
        device: DeviceKey,
        with_one_time: bool,
    ) -> impl Future<Output = Ticket<TakenBundle>> + Send;

    /// Gives the mark of a device, and keeps another one in its place if there is one.
    ///
    /// Declined with [`Declined::DeviceUnknown`].
    fn mark(
        &self,
        device: DeviceKey,
        mark: Option<Mark>,
    ) -> impl Future<Output = Ticket<Option<Mark>>> + Send;

    /// Forgets all prekeys of a device that are left.
    ///
    /// Declined with [`Declined::DeviceUnknown`].
    fn withdraw(&self, device: DeviceKey) -> impl Future<Output = Ticket<()>> + Send;

    /// Adds handles that nobody has claimed; those that are in the directory stay as they are.
    fn seed(&self, seeds: Vec<Seed>) -> impl Future<Output = Ticket<()>> + Send;

    /// Binds a handle to a device, or changes the entry of a handle that is bound to it.
    ///
    /// Declined with [`Declined::HandleTaken`], [`Declined::HandleUnknown`] or
    /// [`Declined::LimitReached`].
    fn claim(&self, claiming: Claiming) -> impl Future<Output = Ticket<()>> + Send;

    /// The line of this handle (request 0).
    ///
    /// # Errors
    /// [`Declined::HandleUnknown`] or [`Declined::Unavailable`].
    fn look_up(&self, handle: String) -> impl Future<Output = Result<Entry, Declined>> + Send;

    /// The directory (request 0), seeded handles first, then in the order of their claims.
    ///
    /// # Errors
    /// [`Declined::Unavailable`].
    fn list(&self) -> impl Future<Output = Result<Vec<Entry>, Declined>> + Send;

    /// How much is stored.
    ///
    /// # Errors
    /// [`Declined::Unavailable`].
    fn usage(&self) -> impl Future<Output = Result<Usage, Declined>> + Send;

    /// What it has done since it was opened, and has to do.
    fn tally(&self) -> Tally;

    /// Writes something that leaves everything as it was: whether the store can write.
    ///
    /// Declined with [`Declined::Unavailable`].
    fn probe(&self) -> impl Future<Output = Ticket<()>> + Send;

    /// Forgets envelopes that were stored before this time, in seconds since 1970, a bounded
    /// number of them, and mailboxes that nobody has used since; answers how many envelopes went.
    /// Call it again until the answer is 0.
    fn expire(&self, before_secs: u64) -> impl Future<Output = Ticket<u64>> + Send;
}
