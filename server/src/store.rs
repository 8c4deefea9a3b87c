//! What a relay needs from durable storage.
//!
//! Every write answers through a [`Ticket`]: the method returns once the write has its place in
//! the order of writes, the ticket once it is **durable**. Writes of one caller are carried out in
//! the order in which their methods returned, which is what keeps a sender's envelopes in order.
//!
//! Every backend passes the same conformance suite (`tests/store.rs`).

use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use sotto_net::link::Cursor;
use sotto_net::wire::{Delivery, DeviceKey, Entry, EnvelopeId, Prekey, Refusal, Sequence, StoreId};
use thiserror::Error;
use tokio::sync::oneshot;

use crate::config::Seed;

/// Envelope ids that a mailbox remembers, the newest ones, also after their envelopes have been
/// acknowledged; those of unacknowledged envelopes are remembered in any case. Far more than a
/// sender has in flight, and at most about 300 KiB on disk for each mailbox.
pub const ENVELOPE_IDS_MAX: u64 = 4_096;
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

/// A write that has its place in the order; resolves once it is durable or declined. Dropping it
/// does not undo the write.
#[derive(Debug)]
#[must_use = "the outcome of a write is known only through its ticket"]
pub struct Ticket<T>(oneshot::Receiver<Result<T, Declined>>);

impl<T> Ticket<T> {
    /// A ticket and the end through which a backend resolves it. A backend that drops its end
    /// resolves the ticket as [`Declined::Unavailable`].
    pub fn new() -> (oneshot::Sender<Result<T, Declined>>, Self) {
        let (sender, receiver) = oneshot::channel();
        (sender, Self(receiver))
    }
}

impl<T> Future for Ticket<T> {
    type Output = Result<T, Declined>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        Pin::new(&mut self.0)
            .poll(context)
            .map(|outcome| outcome.unwrap_or(Err(Declined::Unavailable)))
    }
}

/// A device that logs in, as the store knows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Admission {
    /// Delivery goes on after this sequence.
    pub after: Sequence,
    /// The last sequence that the mailbox ever gave out; 0 for none.
    pub last: Sequence,
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
}

/// Something that has become durable, in the order of the writes.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum Event {
    /// An envelope lies in a mailbox.
    Appended {
        /// Whose mailbox.
        device: DeviceKey,
        /// The envelope and its place.
        delivery: Delivery,
    },
    /// A line of the directory is new or has changed (request 0).
    DirectoryChanged(Entry),
    /// Somebody took a bundle.
    BundleTaken {
        /// Whose.
        device: DeviceKey,
        /// One-time prekeys that are left.
        one_time_left: u32,
    },
}

/// Who is told of events. Runs on the store's writer, so it must neither wait nor fail.
pub type Watcher = Box<dyn Fn(Event) + Send + Sync>;

/// Durable storage of a relay.
pub trait Store: Send + Sync + 'static {
    /// The life of this store.
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

    /// Stores an envelope in the mailbox of each target, all or none. A mailbox that knows the id
    /// already is passed over. Sequences of a mailbox start at 1, grow by one, and never return.
    ///
    /// Declined with [`Declined::DeviceUnknown`] or [`Declined::MailboxFull`].
    fn append(&self, append: Append) -> impl Future<Output = Ticket<()>> + Send;

    /// The envelopes of a mailbox after this sequence, in order: at most `envelopes`, and no
    /// further one once they hold `bytes` of bodies. Empty only when none is left.
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

    /// Forgets the envelopes of a mailbox up to this sequence.
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

    /// Forgets envelopes that were stored before this time, in seconds since 1970, a bounded
    /// number of them, and mailboxes that nobody has used since; answers how many envelopes went.
    /// Call it again until the answer is 0.
    fn expire(&self, before_secs: u64) -> impl Future<Output = Ticket<u64>> + Send;
}
