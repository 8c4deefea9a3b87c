//! What every backend of `Store` must do, carried out on the embedded one.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that meets the unexpected fails there"
)]

#[cfg(test)]
mod support;

use std::cell::RefCell;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;

use bytes::Bytes;
use sotto_net::link::Cursor;
use sotto_net::wire::{DeviceKey, EnvelopeId, Mark, Prekey, StoreId};
use sotto_relay::store::{
    Append, Claiming, Declined, ENVELOPE_IDS_MAX, Event, HANDLES_PER_DEVICE_MAX,
    ONE_TIME_PREKEYS_MAX, Quota, Store, Tally,
};
use sotto_relay::{Inspection, Seed, SqliteStore, StoreError};

use crate::support::within;

const ALICE: DeviceKey = DeviceKey([1; 32]);
const BOB: DeviceKey = DeviceKey([2; 32]);
const NOBODY: DeviceKey = DeviceKey([9; 32]);
const QUOTA: Quota = Quota {
    envelopes: 10_000,
    bytes: 1 << 20,
};

/// One test of the suite: the same steps for every backend, on a store that opens anew what it
/// held before.
macro_rules! conformance {
    ($($name:ident)*) => {
        mod sqlite {
            use super::*;
            $(#[tokio::test]
            async fn $name() {
                let folder = tempfile::tempdir().unwrap();
                within(super::$name(|| SqliteStore::open(folder.path()).unwrap())).await;
            })*
        }

        mod sqlite_here {
            use super::*;
            $(#[tokio::test]
            async fn $name() {
                let folder = tempfile::tempdir().unwrap();
                let here = Here::default();
                within(super::$name(|| here.open(folder.path()))).await;
                here.end();
            })*
        }
    };
}

/// The embedded store without a thread of its own: polled elsewhere until it is dropped.
#[derive(Default)]
struct Here(RefCell<Option<JoinHandle<()>>>);

impl Here {
    fn open(&self, folder: &Path) -> SqliteStore {
        self.end();
        let (store, writing) = SqliteStore::open_here(folder).unwrap();
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .build()
            .unwrap();
        let polling = std::thread::spawn(move || runtime.block_on(writing));
        self.0.replace(Some(polling));
        store
    }

    fn end(&self) {
        if let Some(polling) = self.0.take() {
            polling.join().unwrap();
        }
    }
}

conformance! {
    keeps_order_and_never_reuses_a_sequence
    stores_for_all_targets_or_for_none
    drops_a_known_id_also_after_it_was_acknowledged
    forgets_ids_only_beyond_the_bound
    keeps_everything_confirmed_when_it_opens_again
    admits_with_the_cursor_of_this_store_only
    holds_mailboxes_to_their_quota
    reads_in_batches
    forgets_what_is_old_and_says_how_much
    hands_out_each_one_time_prekey_once
    forgets_prekeys_that_are_withdrawn
    keeps_the_last_mark_of_each_device
    binds_a_handle_to_its_first_device
    tells_events_in_order_and_only_when_they_are_durable
    gives_a_reader_what_is_not_durable_yet
    answers_once_every_device_has_acknowledged
    stores_what_a_reader_leaves_behind
    lets_a_repeated_envelope_wait_for_the_first
    tallies_what_it_has_done
    probes_without_changing_anything
}

fn append(id: u16, targets: &[DeviceKey], body: &[u8]) -> Append {
    let mut bytes = [0; 16];
    bytes[..2].copy_from_slice(&id.to_be_bytes());
    Append {
        id: EnvelopeId(bytes),
        targets: targets
            .iter()
            .map(|device| (*device, Bytes::copy_from_slice(body)))
            .collect(),
        quota: QUOTA,
        stored_secs: 1_000,
    }
}

async fn admit(store: &impl Store, device: DeviceKey) {
    let cursor = Cursor {
        store: StoreId([0; 16]),
        after: 0,
    };
    store.admit(device, cursor, 1_000).await.await.unwrap();
}

async fn put(store: &impl Store, id: u16, device: DeviceKey) {
    let body = id.to_be_bytes();
    store
        .append(append(id, &[device], &body))
        .await
        .await
        .unwrap();
}

/// Sequences and bodies of everything that waits.
async fn waiting(store: &impl Store, device: DeviceKey) -> Vec<(u64, Bytes)> {
    let mut all = Vec::new();
    loop {
        let after = all.last().map_or(0, |(sequence, _)| *sequence);
        let read = store.read(device, after, u32::MAX, usize::MAX);
        let read = read.await.unwrap();
        if read.is_empty() {
            return all;
        }
        let places = read.into_iter();
        all.extend(places.map(|delivery| (delivery.sequence, delivery.body)));
    }
}

fn expected(items: &[(u64, u16)]) -> Vec<(u64, Bytes)> {
    items
        .iter()
        .map(|(sequence, id)| (*sequence, Bytes::copy_from_slice(&id.to_be_bytes())))
        .collect()
}

async fn keeps_order_and_never_reuses_a_sequence<S: Store>(open: impl Fn() -> S) {
    let store = open();
    admit(&store, BOB).await;
    // Queued without waiting in between: many share a transaction.
    let mut tickets = Vec::new();
    for id in 0..100 {
        tickets.push(store.append(append(id, &[BOB], &id.to_be_bytes())).await);
    }
    for ticket in tickets {
        ticket.await.unwrap();
    }
    let all: Vec<_> = (0..100).map(|id| (u64::from(id) + 1, id)).collect();
    assert_eq!(waiting(&store, BOB).await, expected(&all));

    store.acknowledge(BOB, 100).await.await.unwrap();
    assert_eq!(waiting(&store, BOB).await, []);
    put(&store, 100, BOB).await;
    assert_eq!(waiting(&store, BOB).await, expected(&[(101, 100)]));
    // An acknowledgement beyond the end takes nothing from what comes later.
    store.acknowledge(BOB, u64::MAX).await.await.unwrap();
    put(&store, 101, BOB).await;
    assert_eq!(waiting(&store, BOB).await, expected(&[(102, 101)]));
}

async fn stores_for_all_targets_or_for_none<S: Store>(open: impl Fn() -> S) {
    let store = open();
    admit(&store, ALICE).await;
    admit(&store, BOB).await;
    let outcome = store.append(append(1, &[ALICE, NOBODY], b"x")).await.await;
    assert_eq!(outcome, Err(Declined::DeviceUnknown));
    assert_eq!(waiting(&store, ALICE).await, []);
    store
        .append(append(1, &[ALICE, BOB], &1u16.to_be_bytes()))
        .await
        .await
        .unwrap();
    // The refused attempt has used up neither the id nor a sequence.
    assert_eq!(waiting(&store, ALICE).await, expected(&[(1, 1)]));
    assert_eq!(waiting(&store, BOB).await, expected(&[(1, 1)]));
}

async fn drops_a_known_id_also_after_it_was_acknowledged<S: Store>(open: impl Fn() -> S) {
    let store = open();
    admit(&store, ALICE).await;
    admit(&store, BOB).await;
    put(&store, 7, BOB).await;
    put(&store, 7, BOB).await;
    assert_eq!(waiting(&store, BOB).await, expected(&[(1, 7)]));
    store.acknowledge(BOB, 1).await.await.unwrap();
    put(&store, 7, BOB).await;
    assert_eq!(waiting(&store, BOB).await, []);
    // A mailbox that does not know the id yet gets the envelope.
    let both = append(7, &[BOB, ALICE], &7u16.to_be_bytes());
    store.append(both).await.await.unwrap();
    assert_eq!(waiting(&store, BOB).await, []);
    assert_eq!(waiting(&store, ALICE).await, expected(&[(1, 7)]));
}

async fn forgets_ids_only_beyond_the_bound<S: Store>(open: impl Fn() -> S) {
    let store = open();
    admit(&store, BOB).await;
    let bound = u16::try_from(ENVELOPE_IDS_MAX).unwrap();
    let mut tickets = Vec::new();
    for id in 0..=bound {
        tickets.push(store.append(append(id, &[BOB], b"")).await);
    }
    for ticket in tickets {
        ticket.await.unwrap();
    }
    // Nothing is acknowledged: even the oldest is known.
    put(&store, 0, BOB).await;
    assert_eq!(waiting(&store, BOB).await.len(), usize::from(bound) + 1);
    store.acknowledge(BOB, u64::MAX).await.await.unwrap();
    // What only the memory knows is gone with it.
    drop(store);
    let store = open();
    put(&store, 1, BOB).await;
    assert_eq!(waiting(&store, BOB).await, [], "the newest are known");
    put(&store, 0, BOB).await;
    assert_eq!(
        waiting(&store, BOB).await.len(),
        1,
        "the oldest is forgotten"
    );
}

async fn keeps_everything_confirmed_when_it_opens_again<S: Store>(open: impl Fn() -> S) {
    let store = open();
    let id = store.id();
    admit(&store, BOB).await;
    for envelope in 0..3 {
        put(&store, envelope, BOB).await;
    }
    store.acknowledge(BOB, 2).await.await.unwrap();
    drop(store);

    let store = open();
    assert_ne!(store.id(), id, "another life");
    assert_eq!(waiting(&store, BOB).await, expected(&[(3, 2)]));
    put(&store, 0, BOB).await;
    put(&store, 3, BOB).await;
    let waiting = waiting(&store, BOB).await;
    assert_eq!(waiting.len(), 2, "a confirmed id is known: {waiting:?}");
    assert_eq!(waiting[0], (3, Bytes::copy_from_slice(&2u16.to_be_bytes())));
    assert!(waiting[1].0 > 3, "a sequence never returns");
}

async fn admits_with_the_cursor_of_this_store_only<S: Store>(open: impl Fn() -> S) {
    let store = open();
    admit(&store, BOB).await;
    for envelope in 0..3 {
        put(&store, envelope, BOB).await;
    }
    let first = store.id();
    drop(store);
    let store = open();
    let enter = async |id, after| {
        let cursor = Cursor { store: id, after };
        let admission = store.admit(BOB, cursor, 1_000).await.await.unwrap();
        admission.after
    };
    assert_eq!(enter(StoreId([0; 16]), 2).await, 0);
    assert_eq!(waiting(&store, BOB).await.len(), 3, "a cursor of no life");
    assert_eq!(enter(store.id(), u64::MAX).await, 0);
    assert_eq!(waiting(&store, BOB).await.len(), 3, "beyond the end");
    assert_eq!(enter(first, 2).await, 2, "of a life before");
    assert_eq!(waiting(&store, BOB).await, expected(&[(3, 2)]));
    assert_eq!(enter(store.id(), 1).await, 1);
    assert_eq!(waiting(&store, BOB).await, expected(&[(3, 2)]));
}

async fn holds_mailboxes_to_their_quota<S: Store>(open: impl Fn() -> S) {
    let store = open();
    admit(&store, BOB).await;
    let try_put = async |id, body: &[u8], envelopes, bytes| {
        let mut append = append(id, &[BOB], body);
        append.quota = Quota { envelopes, bytes };
        store.append(append).await.await
    };
    assert_eq!(try_put(1, b"four", 2, 8).await, Ok(()));
    assert_eq!(
        try_put(2, b"fives", 2, 8).await,
        Err(Declined::MailboxFull),
        "bytes"
    );
    assert_eq!(try_put(2, b"four", 2, 8).await, Ok(()));
    assert_eq!(
        try_put(3, b"", 2, 8).await,
        Err(Declined::MailboxFull),
        "envelopes"
    );
    // A repeated envelope needs no room, also if only the disk knows it.
    assert_eq!(try_put(2, b"four", 2, 8).await, Ok(()));
    drop(store);
    let store = open();
    let try_put = async |id, body: &[u8], envelopes, bytes| {
        let mut append = append(id, &[BOB], body);
        append.quota = Quota { envelopes, bytes };
        store.append(append).await.await
    };
    assert_eq!(try_put(2, b"four", 2, 8).await, Ok(()));
    assert_eq!(try_put(3, b"", 2, 8).await, Err(Declined::MailboxFull));
    store.acknowledge(BOB, 1).await.await.unwrap();
    assert_eq!(try_put(3, b"four", 2, 8).await, Ok(()));
    let usage = store.usage().await.unwrap();
    assert_eq!((usage.mailboxes, usage.envelopes, usage.bytes), (1, 2, 8));
}

async fn reads_in_batches<S: Store>(open: impl Fn() -> S) {
    let store = open();
    admit(&store, BOB).await;
    for id in 0..5 {
        put(&store, id, BOB).await;
    }
    let sequences = async |after, envelopes, bytes| {
        let read = store.read(BOB, after, envelopes, bytes).await.unwrap();
        read.iter()
            .map(|delivery| delivery.sequence)
            .collect::<Vec<_>>()
    };

    assert_eq!(sequences(0, 3, usize::MAX).await, vec![1, 2, 3]);
    assert_eq!(sequences(3, 3, usize::MAX).await, vec![4, 5]);
    assert_eq!(
        sequences(0, 9, 3).await,
        vec![1, 2],
        "ends once it holds the bytes"
    );
    assert_eq!(
        sequences(0, 9, 1).await,
        vec![1],
        "never empty before the end"
    );
    assert_eq!(sequences(5, 9, usize::MAX).await, vec![]);
    assert_eq!(sequences(u64::MAX, 9, usize::MAX).await, vec![]);
}

async fn forgets_what_is_old_and_says_how_much<S: Store>(open: impl Fn() -> S) {
    let store = open();
    admit(&store, ALICE).await;
    admit(&store, BOB).await;
    put(&store, 1, BOB).await;
    let mut later = append(2, &[BOB], &2u16.to_be_bytes());
    later.stored_secs = 2_000;
    store.append(later).await.await.unwrap();
    assert_eq!(store.expire(1_000).await.await, Ok(0));
    assert_eq!(store.expire(1_001).await.await, Ok(1));
    assert_eq!(waiting(&store, BOB).await, expected(&[(2, 2)]));
    assert_eq!(store.usage().await.unwrap().bytes, 2);
    // Alice never used her mailbox; Bob's has given out sequences and stays.
    assert_eq!(store.expire(1_001).await.await, Ok(0));
    let to_alice = store.append(append(3, &[ALICE], b"")).await.await;
    assert_eq!(to_alice, Err(Declined::DeviceUnknown));
    put(&store, 3, BOB).await;
}

fn prekey(id: u32) -> Prekey {
    Prekey {
        id,
        record: Bytes::copy_from_slice(&id.to_be_bytes()),
    }
}

async fn hands_out_each_one_time_prekey_once<S: Store>(open: impl Fn() -> S) {
    let store = open();
    admit(&store, ALICE).await;
    let take = async |device| store.take_bundle(device, true).await.await;
    let publish = async |signed, one_time| store.publish(ALICE, signed, one_time).await.await;
    assert_eq!(take(NOBODY).await, Err(Declined::DeviceUnknown));
    assert_eq!(take(ALICE).await, Err(Declined::NoPrekeys));
    publish(Some(prekey(1)), vec![prekey(11), prekey(10)])
        .await
        .unwrap();
    let first = take(ALICE).await.unwrap();
    assert_eq!(first.signed, prekey(1).record);
    assert_eq!(first.one_time, Some(prekey(10).record));
    // Published again, as after a lost answer: what was taken does not come back.
    publish(Some(prekey(2)), vec![prekey(10), prekey(11)])
        .await
        .unwrap();
    let second = take(ALICE).await.unwrap();
    assert_eq!(second.signed, prekey(2).record);
    assert_eq!(second.one_time, Some(prekey(11).record));
    assert_eq!(take(ALICE).await.unwrap().one_time, None);

    let most = u32::try_from(ONE_TIME_PREKEYS_MAX).unwrap();
    let too_many = (100..=100 + most).map(prekey).collect();
    assert_eq!(publish(None, too_many).await, Err(Declined::LimitReached));
    assert_eq!(
        take(ALICE).await.unwrap().one_time,
        None,
        "undone as a whole"
    );
    publish(None, (100..100 + most).map(prekey).collect())
        .await
        .unwrap();
    let cursor = Cursor {
        store: store.id(),
        after: 0,
    };
    let admission = store.admit(ALICE, cursor, 1_000).await.await.unwrap();
    assert_eq!(admission.signed_prekey, Some(2));
    assert_eq!(admission.one_time_prekeys, most);
}

fn claiming(device: DeviceKey, handle: &str, identity: &'static [u8]) -> Claiming {
    Claiming {
        device,
        handle: handle.to_owned(),
        name: handle.to_uppercase(),
        identity: Bytes::from_static(identity),
        open: true,
    }
}

async fn forgets_prekeys_that_are_withdrawn<S: Store>(open: impl Fn() -> S) {
    let store = open();
    let prekey = |id: u32| Prekey {
        id,
        record: Bytes::copy_from_slice(&id.to_be_bytes()),
    };
    for device in [ALICE, BOB] {
        admit(&store, device).await;
        let published = store.publish(device, Some(prekey(1)), vec![prekey(2)]);
        published.await.await.unwrap();
    }
    store.withdraw(BOB).await.await.unwrap();
    let taken = store.take_bundle(BOB, true).await.await;
    assert_eq!(taken.unwrap_err(), Declined::NoPrekeys);
    let published = store.publish(BOB, Some(prekey(7)), vec![prekey(8)]);
    published.await.await.unwrap();
    for (device, signed, one_time) in [(BOB, 7, 8), (ALICE, 1, 2)] {
        let taken = store.take_bundle(device, true).await.await.unwrap();
        assert_eq!(taken.signed, prekey(signed).record);
        assert_eq!(taken.one_time, Some(prekey(one_time).record));
    }
    let unknown = store.withdraw(NOBODY).await.await;
    assert_eq!(unknown, Err(Declined::DeviceUnknown));
}

async fn keeps_the_last_mark_of_each_device<S: Store>(open: impl Fn() -> S) {
    let store = open();
    let marks = [1, 2, 3].map(|byte| Mark([byte; 16]));
    for device in [ALICE, BOB] {
        admit(&store, device).await;
    }
    assert_eq!(store.mark(BOB, None).await.await, Ok(None));
    assert_eq!(store.mark(BOB, Some(marks[0])).await.await, Ok(None));
    assert_eq!(
        store.mark(BOB, Some(marks[1])).await.await,
        Ok(Some(marks[0]))
    );
    assert_eq!(store.mark(ALICE, Some(marks[2])).await.await, Ok(None));
    let unknown = store.mark(NOBODY, None).await.await;
    assert_eq!(unknown, Err(Declined::DeviceUnknown));
    drop(store);
    let store = open();
    admit(&store, BOB).await;
    assert_eq!(store.mark(BOB, None).await.await, Ok(Some(marks[1])));
}

async fn binds_a_handle_to_its_first_device<S: Store>(open: impl Fn() -> S) {
    let store = open();
    admit(&store, ALICE).await;
    admit(&store, BOB).await;
    store.seed(Seed::well_known()).await.await.unwrap();
    let claim = async |claiming| store.claim(claiming).await.await;
    assert_eq!(claim(claiming(ALICE, "alice", b"A")).await, Ok(()));
    assert_eq!(
        claim(claiming(BOB, "alice", b"B")).await,
        Err(Declined::HandleTaken)
    );
    assert_eq!(claim(claiming(ALICE, "alice", b"A2")).await, Ok(()));
    let mut closed = claiming(BOB, "somebody", b"B");
    closed.open = false;
    assert_eq!(claim(closed.clone()).await, Err(Declined::HandleUnknown));
    "bob".clone_into(&mut closed.handle);
    assert_eq!(claim(closed).await, Ok(()), "a seeded one");
    // Seeding again, as at every start, takes nobody's handle away.
    store.seed(Seed::well_known()).await.await.unwrap();
    let entry = store.look_up("alice".to_owned()).await.unwrap();
    assert_eq!(entry.identity, Some(Bytes::from_static(b"A2")));
    assert_eq!(entry.name, "ALICE");
    let unknown = store.look_up("somebody".to_owned()).await;
    assert_eq!(unknown, Err(Declined::HandleUnknown));
    let list = store.list().await.unwrap();
    let handles: Vec<_> = list.iter().map(|entry| entry.handle.as_str()).collect();
    assert_eq!(handles, ["alice", "bob", "charlie", "diana"]);

    for number in 1..HANDLES_PER_DEVICE_MAX {
        let handle = format!("alice{number}");
        assert_eq!(claim(claiming(ALICE, &handle, b"A")).await, Ok(()));
    }
    assert_eq!(
        claim(claiming(ALICE, "one-more", b"A")).await,
        Err(Declined::LimitReached)
    );
}

async fn tells_events_in_order_and_only_when_they_are_durable<S: Store>(open: impl Fn() -> S) {
    let store = open();
    let told = Arc::new(Mutex::new(Vec::new()));
    let sink = Arc::clone(&told);
    store.watch(Box::new(move |event| sink.lock().unwrap().push(event)));
    admit(&store, ALICE).await;
    let mine = claiming(ALICE, "alice", b"A");
    store.claim(mine.clone()).await.await.unwrap();
    store.claim(mine).await.await.unwrap();
    store
        .publish(ALICE, Some(prekey(1)), vec![prekey(2)])
        .await
        .await
        .unwrap();
    for left_over in [true, false] {
        let bundle = store.take_bundle(ALICE, true).await.await.unwrap();
        assert_eq!(bundle.one_time.is_some(), left_over);
    }
    // Queued without waiting in between: many share a transaction.
    let mut tickets = Vec::new();
    for _ in 0..100 {
        tickets.push(store.probe().await);
    }
    for ticket in tickets {
        ticket.await.unwrap();
    }
    let told = told.lock().unwrap();
    let (transactions, told): (Vec<_>, Vec<_>) = told
        .iter()
        .partition(|event| matches!(event, Event::TransactionEnded { .. }));
    let [
        Event::DirectoryChanged(entry),
        Event::BundleTaken {
            with_one_time: true,
            one_time_left: 0,
            ..
        },
        Event::BundleTaken {
            with_one_time: false,
            ..
        },
    ] = &told[..]
    else {
        panic!("{told:?}");
    };
    assert_eq!(entry.handle, "alice");
    let written: usize = transactions
        .iter()
        .map(|event| match event {
            Event::TransactionEnded {
                jobs,
                durable: true,
                ..
            } => *jobs,
            other => panic!("{other:?}"),
        })
        .sum();
    assert_eq!(written, 106, "every write was in a transaction");
    assert!(transactions.len() < 106, "and many of them in one");
}

async fn tallies_what_it_has_done<S: Store>(open: impl Fn() -> S) {
    let store = open();
    admit(&store, ALICE).await;
    admit(&store, BOB).await;
    let both = || append(1, &[ALICE, BOB], b"x");
    store.append(both()).await.await.unwrap();
    store.append(both()).await.await.unwrap();
    put(&store, 2, BOB).await;
    // From the disk, and before it has come there.
    store.acknowledge(BOB, 2).await.await.unwrap();
    store.acknowledge(BOB, 2).await.await.unwrap();
    let attendance = store.attend(ALICE).await.unwrap();
    let ticket = store.append(append(3, &[ALICE], b"x")).await;
    store.acknowledge(ALICE, 2).await.await.unwrap();
    ticket.await.unwrap();
    drop(attendance);
    let refused = store.append(append(4, &[ALICE, NOBODY], b"x")).await.await;
    assert_eq!(refused, Err(Declined::DeviceUnknown));
    let expected = Tally {
        accepted: 4,
        duplicates: 2,
        acknowledged: 4,
        slow_readers: 0,
        waiting: Some(0),
    };
    assert_eq!(store.tally(), expected);
    drop(store);
    // One that only the disk knows.
    let store = open();
    put(&store, 2, BOB).await;
    assert_eq!(store.tally().duplicates, 1);
}

async fn probes_without_changing_anything<S: Store>(open: impl Fn() -> S) {
    let store = open();
    admit(&store, BOB).await;
    put(&store, 1, BOB).await;
    let usage = store.usage().await.unwrap();
    assert_eq!(usage.oldest_stored_secs, Some(1_000));
    for _ in 0..3 {
        store.probe().await.await.unwrap();
    }
    assert_eq!(store.usage().await.unwrap(), usage);
    assert_eq!(store.tally().waiting, Some(0));
    drop(store);
    let store = open();
    assert_eq!(waiting(&store, BOB).await, expected(&[(1, 1)]));
}

#[tokio::test]
async fn files_that_are_put_back_take_no_cursor_of_what_came_after_them() {
    let folder = tempfile::tempdir().unwrap();
    let kept = tempfile::tempdir().unwrap();
    let open = || SqliteStore::open(folder.path()).unwrap();
    let copy = |from: &Path, to: &Path| {
        for entry in std::fs::read_dir(from).unwrap() {
            let entry = entry.unwrap();
            std::fs::copy(entry.path(), to.join(entry.file_name())).unwrap();
        }
    };
    let store = open();
    admit(&store, BOB).await;
    put(&store, 0, BOB).await;
    let before = store.id();
    drop(store);
    copy(folder.path(), kept.path());

    let store = open();
    let after = store.id();
    for envelope in 1..100 {
        put(&store, envelope, BOB).await;
    }
    drop(store);
    copy(kept.path(), folder.path());

    // The files have counted as far again by the time that the device comes back.
    let store = open();
    for envelope in 100..300 {
        put(&store, envelope, BOB).await;
    }
    let admitted = async |store: &SqliteStore, cursor| {
        let admission = store.admit(BOB, cursor, 1_000).await.await.unwrap();
        admission.after
    };
    let cursor = |store, after| Cursor { store, after };
    assert_eq!(admitted(&store, cursor(after, 100)).await, 0);
    assert_eq!(waiting(&store, BOB).await.len(), 201);
    assert_eq!(admitted(&store, cursor(before, 1)).await, 1);
}

#[tokio::test]
async fn a_store_whose_writer_has_ended_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let store = SqliteStore::open(folder.path()).unwrap();
    assert_eq!(store.tally().waiting, Some(0));
    // A watcher must not fail; one that does takes the writer with it.
    store.watch(Box::new(|_| panic!("on purpose")));
    assert_eq!(store.probe().await.await, Err(Declined::Unavailable));
    assert_eq!(store.probe().await.await, Err(Declined::Unavailable));
    assert_eq!(store.tally().waiting, None);
}

async fn gives_a_reader_what_is_not_durable_yet<S: Store>(open: impl Fn() -> S) {
    let store = open();
    admit(&store, BOB).await;
    // The first one reserves sequences, durably.
    put(&store, 0, BOB).await;
    // From the next transaction on, nothing becomes durable until the test lets it.
    let (hold, held) = std::sync::mpsc::channel::<()>();
    let held = Mutex::new(held);
    store.watch(Box::new(move |_| {
        assert!(held.lock().unwrap().recv().is_err(), "it only ends");
    }));
    let blocked = store.probe().await;
    let attendance = store.attend(BOB).await.unwrap();
    let mut tickets = Vec::new();
    for id in 1..100 {
        tickets.push(store.append(append(id, &[BOB], &id.to_be_bytes())).await);
        attendance.arrival().await;
        let read = store.read(BOB, u64::from(id), 1, usize::MAX).await.unwrap();
        assert_eq!(read[0].sequence, u64::from(id) + 1);
        assert_eq!(read[0].body, id.to_be_bytes().as_slice());
    }
    drop(hold);
    blocked.await.unwrap();
    for ticket in tickets {
        ticket.await.unwrap();
    }
    assert_eq!(waiting(&store, BOB).await.len(), 100);
}

async fn answers_once_every_device_has_acknowledged<S: Store>(open: impl Fn() -> S) {
    let store = open();
    admit(&store, ALICE).await;
    admit(&store, BOB).await;
    put(&store, 0, ALICE).await;
    put(&store, 0, BOB).await;
    let _alice = store.attend(ALICE).await.unwrap();
    let _bob = store.attend(BOB).await.unwrap();
    let ticket = store.append(append(1, &[ALICE, BOB], b"both")).await;
    store.acknowledge(ALICE, 2).await.await.unwrap();
    store.acknowledge(BOB, 2).await.await.unwrap();
    ticket.await.unwrap();
    assert_eq!(store.usage().await.unwrap().envelopes, 0);
    // It is known all the same.
    put(&store, 1, BOB).await;
    assert_eq!(waiting(&store, BOB).await, []);
}

async fn stores_what_a_reader_leaves_behind<S: Store>(open: impl Fn() -> S) {
    let store = open();
    admit(&store, BOB).await;
    let attendance = store.attend(BOB).await.unwrap();
    let mut tickets = Vec::new();
    for id in 0..1_000 {
        tickets.push(store.append(append(id, &[BOB], &id.to_be_bytes())).await);
    }
    drop(attendance);
    for ticket in tickets {
        ticket.await.unwrap();
    }
    drop(store);
    let all: Vec<_> = (0..1_000).map(|id| (u64::from(id) + 1, id)).collect();
    assert_eq!(waiting(&open(), BOB).await, expected(&all));
}

async fn lets_a_repeated_envelope_wait_for_the_first<S: Store>(open: impl Fn() -> S) {
    let store = open();
    admit(&store, BOB).await;
    let _attendance = store.attend(BOB).await.unwrap();
    let first = store.append(append(1, &[BOB], b"x")).await;
    let again = store.append(append(1, &[BOB], b"x")).await;
    again.await.unwrap();
    assert_eq!(store.usage().await.unwrap().envelopes, 1, "it is safe");
    first.await.unwrap();
    assert_eq!(waiting(&store, BOB).await.len(), 1);
}

#[test]
fn a_folder_serves_one_store_at_a_time() {
    let folder = tempfile::tempdir().unwrap();
    let store = SqliteStore::open(folder.path()).unwrap();
    assert!(matches!(
        SqliteStore::open(folder.path()),
        Err(StoreError::InUse)
    ));
    drop(store);
    SqliteStore::open(folder.path()).unwrap();
}

#[tokio::test]
async fn a_backup_holds_the_same_and_lives_a_life_of_its_own() {
    let folder = tempfile::tempdir().unwrap();
    let (data, copy) = (folder.path().join("relay"), folder.path().join("copy"));
    let store = SqliteStore::open(&data).unwrap();
    admit(&store, BOB).await;
    put(&store, 1, BOB).await;
    let mark = Mark([1; 16]);
    store.mark(BOB, Some(mark)).await.await.unwrap();
    Inspection::open(&data).unwrap().back_up(&copy).unwrap();
    // Given out after the backup: the copy will give the sequence to another envelope.
    put(&store, 2, BOB).await;
    let cursor = Cursor {
        store: store.id(),
        after: 2,
    };
    let copied = SqliteStore::open(&copy).unwrap();
    assert_eq!(waiting(&copied, BOB).await, expected(&[(1, 1)]));
    put(&copied, 3, BOB).await;
    let admission = copied.admit(BOB, cursor, 1_000).await.await.unwrap();
    assert_eq!(admission.after, 0, "no cursor counts in the copy yet");
    assert_eq!(waiting(&copied, BOB).await.len(), 2);
    // An older mark would tell devices of what they have done since.
    assert_eq!(copied.mark(BOB, None).await.await, Ok(None));
    assert_eq!(store.mark(BOB, None).await.await, Ok(Some(mark)));
}

#[test]
fn a_foreign_or_damaged_file_is_refused_and_left_as_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("relay.db");
    let text = b"this is somebody's diary, not a database. ".repeat(100);
    std::fs::write(&path, &text).unwrap();
    assert!(matches!(
        SqliteStore::open(folder.path()),
        Err(StoreError::Damaged)
    ));
    assert_eq!(std::fs::read(&path).unwrap(), text);
}

#[test]
fn a_newer_version_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    drop(SqliteStore::open(folder.path()).unwrap());
    let path = folder.path().join("relay.db");
    // The version lies in the database's header (SQLite file format, §1.3, offset 60).
    let mut bytes = std::fs::read(&path).unwrap();
    bytes[60..64].copy_from_slice(&4u32.to_be_bytes());
    std::fs::write(&path, &bytes).unwrap();
    assert!(matches!(
        SqliteStore::open(folder.path()),
        Err(StoreError::Newer { found: 4, known: 3 })
    ));
}

#[cfg(unix)]
#[tokio::test]
async fn only_the_owner_may_read_what_is_stored() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("relay");
    let store = SqliteStore::open(&data).unwrap();
    admit(&store, ALICE).await;
    let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&data), 0o700);
    let files: Vec<_> = std::fs::read_dir(&data).unwrap().flatten().collect();
    assert!(files.len() >= 3, "database, journal and lock");
    for file in files {
        assert_eq!(mode(&file.path()), 0o600, "{:?}", file.file_name());
    }
}

#[tokio::test(start_paused = true)]
async fn a_store_without_a_thread_loses_what_was_not_confirmed_and_nothing_else() {
    let folder = tempfile::tempdir().unwrap();
    let (store, writing) = SqliteStore::open_here(folder.path()).unwrap();
    let writing = tokio::spawn(writing);
    admit(&store, BOB).await;
    put(&store, 1, BOB).await;
    let attendance = store.attend(BOB).await.unwrap();
    // Waits a moment for an acknowledgement, by the clock of the runtime.
    let ticket = store.append(append(2, &[BOB], b"2")).await;
    writing.abort();
    assert!(writing.await.unwrap_err().is_cancelled());
    assert_eq!(ticket.await, Err(Declined::Unavailable));
    drop((attendance, store));

    let (store, writing) = SqliteStore::open_here(folder.path()).unwrap();
    let writing = tokio::spawn(writing);
    assert_eq!(waiting(&store, BOB).await.len(), 1);
    let _attendance = store.attend(BOB).await.unwrap();
    let begun = tokio::time::Instant::now();
    store.append(append(3, &[BOB], b"3")).await.await.unwrap();
    assert!(begun.elapsed() >= std::time::Duration::from_millis(5));
    assert_eq!(waiting(&store, BOB).await.len(), 2);
    drop(store);
    writing.await.unwrap();
}
