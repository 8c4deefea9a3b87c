//! A relay's store with [`Malice`] in front of it.

use sotto_net::link::Cursor;
use sotto_net::wire::{Delivery, DeviceKey, Entry, Mark, Prekey, Sequence, StoreId};
use sotto_relay::Seed;
use sotto_relay::store::{
    Admission, Append, Attendance, Claiming, Declined, Event, Store, TakenBundle, Tally, Ticket,
    Usage, Watcher,
};
use tokio::time::sleep;

use super::identities::Impostor;
use super::malice::Malice;

/// A store that gives out what malice makes of it.
pub(super) struct Suspect<S> {
    malice: Malice,
    store: S,
}

impl<S> Suspect<S> {
    pub(super) fn new(malice: Malice, store: S) -> Self {
        Self { malice, store }
    }

    async fn dawdle(&self) {
        if let Some(time) = self.malice.dawdle() {
            sleep(time).await;
        }
    }
}

impl<S: Store> Store for Suspect<S> {
    fn id(&self) -> StoreId {
        self.malice.store_id(self.store.id())
    }

    fn watch(&self, watcher: Watcher) {
        let malice = self.malice.clone();
        self.store.watch(Box::new(move |event| {
            watcher(match event {
                Event::DirectoryChanged(entry) => Event::DirectoryChanged(malice.entry(entry)),
                event => event,
            });
        }));
    }

    async fn admit(&self, device: DeviceKey, cursor: Cursor, now_secs: u64) -> Ticket<Admission> {
        let admission = self.store.admit(device, cursor, now_secs).await.await;
        Ticket::known(admission.map(|admission| self.malice.admit(device, admission)))
    }

    async fn attend(&self, device: DeviceKey) -> Result<Attendance, Declined> {
        self.store.attend(device).await
    }

    async fn append(&self, append: Append) -> Ticket<()> {
        self.dawdle().await;
        let fate = self.malice.fate(append);
        let mut answer = None;
        for append in fate.appends {
            answer = Some(self.store.append(append).await);
        }
        match answer {
            Some(ticket) if fate.is_answered_for => ticket,
            _ => Ticket::known(Ok(())),
        }
    }

    async fn read(
        &self,
        device: DeviceKey,
        after: Sequence,
        envelopes: u32,
        bytes: usize,
    ) -> Result<Vec<Delivery>, Declined> {
        let read = self.store.read(device, after, envelopes, bytes).await?;
        Ok(self.malice.give(device, read))
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
        self.dawdle().await;
        if device == Impostor::get().device {
            return Ticket::known(Ok(Impostor::get().bundle.clone()));
        }
        let (of_signed, of_one_time) = self.malice.whose_prekeys(device);
        let mut taken = self.store.take_bundle(of_signed, with_one_time).await.await;
        if of_one_time != of_signed
            && let Ok(bundle) = &mut taken
        {
            let other = self.store.take_bundle(of_one_time, with_one_time).await;
            bundle.one_time = other.await.ok().and_then(|other| other.one_time);
        }
        Ticket::known(taken.map(|bundle| self.malice.bundle(bundle)))
    }

    async fn mark(&self, device: DeviceKey, mark: Option<Mark>) -> Ticket<Option<Mark>> {
        let before = self.store.mark(device, mark).await.await;
        Ticket::known(before.map(|before| self.malice.mark(before)))
    }

    async fn withdraw(&self, device: DeviceKey) -> Ticket<()> {
        self.store.withdraw(device).await
    }

    async fn seed(&self, seeds: Vec<Seed>) -> Ticket<()> {
        self.store.seed(seeds).await
    }

    async fn claim(&self, claiming: Claiming) -> Ticket<()> {
        self.malice.claim(&claiming);
        self.store.claim(claiming).await
    }

    async fn look_up(&self, handle: String) -> Result<Entry, Declined> {
        Ok(self.malice.entry(self.store.look_up(handle).await?))
    }

    async fn list(&self) -> Result<Vec<Entry>, Declined> {
        let entries = self.store.list().await?;
        let entries = entries.into_iter();
        Ok(entries.map(|entry| self.malice.entry(entry)).collect())
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
