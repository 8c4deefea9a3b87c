//! A relay's store under observation: it sees what the relay sees, and can lie about it.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use sotto_crypto::Packet;
use sotto_net::link::Cursor;
use sotto_net::wire::{Delivery, DeviceKey, Entry, Mark, Prekey, Sequence, StoreId};
use sotto_relay::Seed;
use sotto_relay::store::{
    Admission, Append, Attendance, Claiming, Declined, Event, Store, TakenBundle, Tally, Ticket,
    Usage, Watcher,
};

/// What passes through a relay, and whether it is damaged there.
#[derive(Clone, Default)]
pub struct Tap {
    state: Arc<Mutex<State>>,
    listener: Option<Arc<Listener>>,
}

type Listener = dyn Fn(&Event) + Send + Sync;

#[derive(Debug, Default)]
struct State {
    bodies: Vec<Bytes>,
    damages: usize,
    declines: usize,
}

impl std::fmt::Debug for Tap {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Tap").finish_non_exhaustive()
    }
}

impl Tap {
    /// Hears of the store's events before the relay does.
    #[must_use]
    pub fn on_event(self, listener: impl Fn(&Event) + Send + Sync + 'static) -> Self {
        Self {
            listener: Some(Arc::new(listener)),
            ..self
        }
    }

    /// Puts the tap around a store.
    pub fn around<S: Store>(&self, store: S) -> impl Store + use<S> {
        Tapped {
            tap: self.clone(),
            store,
        }
    }

    /// Every envelope's body so far.
    pub fn bodies(&self) -> Vec<Bytes> {
        self.state().bodies.clone()
    }

    /// Looks whether each place in a chain was used for one packet: no key has met a nonce twice.
    ///
    /// # Panics
    /// When one was used for two, or an envelope holds no packet.
    pub fn check_places(&self) {
        let mut places = HashMap::new();
        for body in self.bodies() {
            let tag = Packet::parse(&body).expect("a packet").tag();
            let before = places.entry(tag).or_insert_with(|| body.clone());
            assert!(*before == body, "a place was used twice");
        }
    }

    /// Flips a bit in each of the next envelopes.
    pub fn damage_next(&self, envelopes: usize) {
        self.state().damages = envelopes;
    }

    /// Finds a mailbox full for each of the next envelopes.
    pub fn decline_next(&self, envelopes: usize) {
        self.state().declines = envelopes;
    }

    fn declines(&self) -> bool {
        let mut state = self.state();
        let declines = state.declines > 0;
        state.declines = state.declines.saturating_sub(1);
        declines
    }

    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn pass(&self, body: &Bytes) -> Bytes {
        let mut state = self.state();
        state.bodies.push(body.clone());
        if state.damages == 0 {
            return body.clone();
        }
        state.damages -= 1;
        let mut damaged = body.to_vec();
        if let Some(last) = damaged.last_mut() {
            *last ^= 1;
        }
        damaged.into()
    }
}

struct Tapped<S> {
    tap: Tap,
    store: S,
}

impl<S: Store> Store for Tapped<S> {
    fn id(&self) -> StoreId {
        self.store.id()
    }

    fn watch(&self, watcher: Watcher) {
        let listener = self.tap.listener.clone();
        self.store.watch(Box::new(move |event| {
            if let Some(listener) = &listener {
                listener(&event);
            }
            watcher(event);
        }));
    }

    async fn admit(&self, device: DeviceKey, cursor: Cursor, now_secs: u64) -> Ticket<Admission> {
        self.store.admit(device, cursor, now_secs).await
    }

    async fn attend(&self, device: DeviceKey) -> Result<Attendance, Declined> {
        self.store.attend(device).await
    }

    async fn append(&self, mut append: Append) -> Ticket<()> {
        if self.tap.declines() {
            return Ticket::known(Err(Declined::MailboxFull));
        }
        for (_, body) in &mut append.targets {
            *body = self.tap.pass(body);
        }
        self.store.append(append).await
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
        self.store.probe().await
    }

    async fn expire(&self, before_secs: u64) -> Ticket<u64> {
        self.store.expire(before_secs).await
    }
}
