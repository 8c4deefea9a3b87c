//! A store that fails, or keeps its callers waiting, when a test tells it to.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use sotto_net::link::Cursor;
use sotto_net::wire::{Delivery, DeviceKey, Entry, Mark, Prekey, Sequence, StoreId};
use sotto_relay::store::{
    Admission, Answer, Append, Attendance, Claiming, Declined, Store, TakenBundle, Tally, Ticket,
    Usage, Watcher,
};
use sotto_relay::{Seed, SqliteStore};
use tokio::sync::Semaphore;

/// What goes wrong.
#[derive(Debug)]
pub(crate) struct Faults {
    /// Nothing can be written.
    pub(crate) is_failing: AtomicBool,
    /// Envelopes that are stored; those beyond wait until there are more permits.
    pub(crate) appends: Semaphore,
    /// Whoever hands an envelope in meets a bug.
    pub(crate) is_broken: AtomicBool,
    /// Probes are never answered.
    pub(crate) is_silent: AtomicBool,
    /// Their other ends.
    unanswered: Mutex<Vec<Answer<()>>>,
}

impl Faults {
    pub(crate) fn none() -> Arc<Self> {
        Arc::new(Self {
            is_failing: AtomicBool::new(false),
            appends: Semaphore::new(Semaphore::MAX_PERMITS),
            is_broken: AtomicBool::new(false),
            is_silent: AtomicBool::new(false),
            unanswered: Mutex::default(),
        })
    }

    /// As a store behaves whose disk is full.
    fn or_fail<T>(&self, ticket: Ticket<T>) -> Ticket<T> {
        if self.is_failing.load(Ordering::Relaxed) {
            Ticket::new().1
        } else {
            ticket
        }
    }
}

/// The embedded store with faults.
pub(crate) struct Frail {
    pub(crate) store: SqliteStore,
    pub(crate) faults: Arc<Faults>,
}

impl Store for Frail {
    fn id(&self) -> StoreId {
        self.store.id()
    }

    fn watch(&self, watcher: Watcher) {
        self.store.watch(watcher);
    }

    async fn admit(&self, device: DeviceKey, cursor: Cursor, now_secs: u64) -> Ticket<Admission> {
        self.store.admit(device, cursor, now_secs).await
    }

    async fn attend(&self, device: DeviceKey) -> Result<Attendance, Declined> {
        self.store.attend(device).await
    }

    async fn append(&self, append: Append) -> Ticket<()> {
        self.faults.appends.acquire().await.unwrap().forget();
        let is_broken = self.faults.is_broken.load(Ordering::Relaxed);
        assert!(!is_broken, "on purpose");
        self.faults.or_fail(self.store.append(append).await)
    }

    async fn read(
        &self,
        device: DeviceKey,
        after: Sequence,
        envelopes: u32,
        bytes: usize,
    ) -> Result<Vec<Delivery>, Declined> {
        self.store.read(device, after, envelopes, bytes).await
    }

    async fn acknowledge(&self, device: DeviceKey, up_to: Sequence) -> Ticket<()> {
        self.store.acknowledge(device, up_to).await
    }

    async fn publish(
        &self,
        device: DeviceKey,
        signed: Option<Prekey>,
        one_time: Vec<Prekey>,
    ) -> Ticket<()> {
        self.store.publish(device, signed, one_time).await
    }

    async fn take_bundle(&self, device: DeviceKey, with_one_time: bool) -> Ticket<TakenBundle> {
        self.store.take_bundle(device, with_one_time).await
    }

    async fn mark(&self, device: DeviceKey, mark: Option<Mark>) -> Ticket<Option<Mark>> {
        self.store.mark(device, mark).await
    }

    async fn withdraw(&self, device: DeviceKey) -> Ticket<()> {
        self.store.withdraw(device).await
    }

    async fn seed(&self, seeds: Vec<Seed>) -> Ticket<()> {
        self.store.seed(seeds).await
    }

    async fn claim(&self, claiming: Claiming) -> Ticket<()> {
        self.store.claim(claiming).await
    }

    async fn look_up(&self, handle: String) -> Result<Entry, Declined> {
        self.store.look_up(handle).await
    }

    async fn list(&self) -> Result<Vec<Entry>, Declined> {
        self.store.list().await
    }

    async fn usage(&self) -> Result<Usage, Declined> {
        self.store.usage().await
    }

    fn tally(&self) -> Tally {
        self.store.tally()
    }

    async fn probe(&self) -> Ticket<()> {
        if self.faults.is_silent.load(Ordering::Relaxed) {
            let (end, ticket) = Ticket::new();
            self.faults.unanswered.lock().unwrap().push(end);
            return ticket;
        }
        self.faults.or_fail(self.store.probe().await)
    }

    async fn expire(&self, before_secs: u64) -> Ticket<u64> {
        self.store.expire(before_secs).await
    }
}
