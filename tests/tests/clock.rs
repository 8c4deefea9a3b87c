//! The relay's clock jumps by a day, to 1970 and far ahead, and back: nothing that is younger than
//! the age at which envelopes expire is lost, and order is kept.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test that meets the unexpected fails there"
)]

use bytes::Bytes;
use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};
use sotto_net::link::Cursor;
use sotto_net::wire::{DeviceKey, EnvelopeId, StoreId};
use sotto_relay::store::{Append, Quota};
use sotto_relay::{Inspection, SqliteStore, Store};

const DAY_SECS: u64 = 24 * 60 * 60;
/// After what time envelopes expire.
const AGE_SECS: u64 = 30 * DAY_SECS;
/// An ordinary time, in seconds since 1970.
const NOW_SECS: u64 = 1_800_000_000;
const ALICE: DeviceKey = DeviceKey([1; 32]);

fn jump(now_secs: u64, chance: &mut StdRng) -> u64 {
    match chance.random_range(0..12) {
        0 => 0,
        1 => u64::MAX,
        2 => u64::MAX >> 1,
        3 => NOW_SECS,
        4 => now_secs.saturating_add(DAY_SECS),
        5 => now_secs.saturating_sub(DAY_SECS),
        6 => now_secs.saturating_add(100 * 365 * DAY_SECS),
        _ => now_secs.saturating_add(chance.random_range(0..60)),
    }
}

async fn admit(store: &SqliteStore, now_secs: u64) {
    let cursor = Cursor {
        store: StoreId([0; 16]),
        after: 0,
    };
    store.admit(ALICE, cursor, now_secs).await.await.unwrap();
}

#[tokio::test]
async fn a_clock_that_jumps_loses_nothing_younger_than_the_age_and_keeps_order() {
    let seed = std::env::var("SOTTO_SEED").ok();
    let seed = seed.map_or_else(rand::random, |seed| seed.parse().unwrap());
    println!("SOTTO_SEED={seed}");
    let mut chance = StdRng::seed_from_u64(seed);
    let folder = tempfile::tempdir().unwrap();
    let store = SqliteStore::open(folder.path()).unwrap();
    let mut now_secs = NOW_SECS;
    admit(&store, now_secs).await;
    // Envelopes that wait, in order, with the time at which they were stored.
    let mut waiting: Vec<(u32, u64)> = Vec::new();
    for envelope in 0..600_u32 {
        now_secs = jump(now_secs, &mut chance);
        let mut id = [0; 16];
        id[..4].copy_from_slice(&envelope.to_be_bytes());
        let append = Append {
            id: EnvelopeId(id),
            targets: vec![(ALICE, Bytes::copy_from_slice(&envelope.to_be_bytes()))],
            quota: Quota {
                envelopes: 10_000,
                bytes: 1 << 20,
            },
            stored_secs: now_secs,
        };
        store.append(append).await.await.unwrap();
        waiting.push((envelope, now_secs));
        if chance.random_bool(0.1) {
            admit(&store, now_secs).await;
        }
        if chance.random_bool(0.1) {
            let before_secs = now_secs.saturating_sub(AGE_SECS);
            while store.expire(before_secs).await.await.unwrap() > 0 {}
            // SQLite's numbers end at 2^63 - 1: beyond, all times are the same.
            let largest = u64::MAX >> 1;
            waiting.retain(|(_, stored)| (*stored).min(largest) >= before_secs.min(largest));
        }
        let read = store.read(ALICE, 0, u32::MAX, usize::MAX).await.unwrap();
        assert!(read.is_sorted_by_key(|delivery| delivery.sequence));
        let found: Vec<u32> = read
            .iter()
            .map(|delivery| u32::from_be_bytes(delivery.body[..].try_into().unwrap()))
            .collect();
        let expected: Vec<u32> = waiting.iter().map(|(envelope, _)| *envelope).collect();
        assert_eq!(found, expected, "SOTTO_SEED={seed} at {now_secs}");
    }
    drop(store);
    Inspection::open(folder.path()).unwrap().check().unwrap();
}

#[tokio::test]
async fn a_mailbox_that_has_been_used_outlives_a_clock_far_ahead() {
    let folder = tempfile::tempdir().unwrap();
    let store = SqliteStore::open(folder.path()).unwrap();
    admit(&store, 0).await;
    let append = |envelope: u8| Append {
        id: EnvelopeId([envelope; 16]),
        targets: vec![(ALICE, Bytes::new())],
        quota: Quota {
            envelopes: 10,
            bytes: 10,
        },
        stored_secs: 0,
    };
    store.append(append(1)).await.await.unwrap();
    let first = store.read(ALICE, 0, 1, usize::MAX).await.unwrap()[0].sequence;
    for before_secs in [u64::MAX, 0, u64::MAX >> 1] {
        while store.expire(before_secs).await.await.unwrap() > 0 {}
    }
    // Its sequences go on, and what it has seen it still knows.
    store.append(append(1)).await.await.unwrap();
    store.append(append(2)).await.await.unwrap();
    let read = store.read(ALICE, 0, 9, usize::MAX).await.unwrap();
    let ids: Vec<EnvelopeId> = read.iter().map(|delivery| delivery.id).collect();
    assert_eq!(ids, [EnvelopeId([2; 16])]);
    assert!(read[0].sequence > first);
}
