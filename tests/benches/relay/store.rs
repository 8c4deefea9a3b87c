//! The store alone, as a control and with much in it.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use sotto_net::RelayKey;
use sotto_net::link::Cursor;
use sotto_net::wire::{DeviceKey, EnvelopeId, StoreId};
use sotto_relay::store::{Append, Quota};
use sotto_relay::{Relay, RelayConfig, SqliteStore, Store};
use tokio::task::JoinSet;

use crate::load::device;

const WRITERS: u32 = 16;
/// Envelopes that a writer has under way.
const WINDOW: usize = 256;
const START: Cursor = Cursor {
    store: StoreId([0; 16]),
    after: 0,
};

/// Envelopes in a second that the store takes without any network.
pub(crate) async fn append_bare(bytes: usize) -> f64 {
    const EACH: usize = 3_000;
    let dir = tempfile::tempdir().expect("a folder");
    let store = Arc::new(SqliteStore::open(dir.path()).expect("a store"));
    let time = append(&store, 0, EACH, bytes).await;
    f64::from(WRITERS) * EACH as f64 / time.as_secs_f64()
}

/// Many writers, each to a mailbox of its own, numbered from `first` on.
async fn append(store: &Arc<SqliteStore>, first: u32, each: usize, bytes: usize) -> Duration {
    for writer in 0..WRITERS {
        let admitted = store.admit(device(first + writer), START, 0).await.await;
        admitted.expect("a mailbox");
    }
    let started = Instant::now();
    let mut tasks = JoinSet::new();
    for writer in 0..WRITERS {
        let store = Arc::clone(store);
        let (target, body) = (device(first + writer), Bytes::from(vec![7; bytes]));
        tasks.spawn(async move { write(&store, target, &body, each).await });
    }
    tasks.join_all().await;
    started.elapsed()
}

async fn write(store: &SqliteStore, target: DeviceKey, body: &Bytes, messages: usize) {
    let mut under_way = std::collections::VecDeque::new();
    for number in 0..messages {
        if under_way.len() == WINDOW {
            settle(under_way.pop_front()).await;
        }
        let mut id = [0; 16];
        id[..8].copy_from_slice(&(number as u64).to_be_bytes());
        let append = Append {
            id: EnvelopeId(id),
            targets: vec![(target, body.clone())],
            quota: Quota {
                envelopes: u64::MAX >> 1,
                bytes: u64::MAX >> 1,
            },
            stored_secs: 1,
        };
        under_way.push_back(store.append(append).await);
    }
    for ticket in under_way {
        settle(Some(ticket)).await;
    }
}

async fn settle(ticket: Option<sotto_relay::store::Ticket<()>>) {
    if let Some(ticket) = ticket {
        ticket.await.expect("stored");
    }
}

/// With so many envelopes waiting: how long a relay takes to start, how fast a mailbox is read, and
/// how fast new ones are stored beside an empty store.
pub(crate) fn waiting(envelopes: usize) {
    const BYTES: usize = 256;
    let runtime = crate::runtime();
    let dir = tempfile::tempdir().expect("a folder");
    let killed = tempfile::tempdir().expect("a folder");
    runtime.block_on(async {
        let store = Arc::new(SqliteStore::open(dir.path()).expect("a store"));
        append(&store, 0, envelopes / WRITERS as usize, BYTES).await;
        // As a process leaves it that is killed here, with the journal.
        for file in ["relay.db", "relay.db-wal"] {
            std::fs::copy(dir.path().join(file), killed.path().join(file)).expect("copied");
        }
    });
    let (start_killed, relay) = runtime.block_on(start(killed.path()));
    println!("{envelopes:>9} waiting: start after a kill {start_killed:>32.1?}");
    drop(relay);
    let (start, relay) = runtime.block_on(start(dir.path()));
    println!("{envelopes:>9} waiting: start to listening {start:>31.1?}");
    drop(relay);
    runtime.block_on(async {
        let store = Arc::new(open(dir.path()).await);
        let started = Instant::now();
        let (mut after, mut read) = (0, 0);
        loop {
            let batch = store.read(device(0), after, 256, 256 * 1024).await;
            let batch = batch.expect("read");
            let Some(last) = batch.last() else { break };
            after = last.sequence;
            read += batch.len();
        }
        let per_second = read as f64 / started.elapsed().as_secs_f64();
        println!("{envelopes:>9} waiting: read by one device, per second {per_second:>19.0}");
        let each = 1_000;
        let time = append(&store, 1_000, each, BYTES).await;
        let full = f64::from(WRITERS) * each as f64 / time.as_secs_f64();
        let empty = append_bare(BYTES).await;
        let name = format!("{envelopes} waiting: stored per second");
        crate::print(&name, full, empty, "");
    });
}

/// Opens a store that another one may not have let go of yet.
async fn open(dir: &Path) -> SqliteStore {
    loop {
        match SqliteStore::open(dir) {
            Ok(store) => return store,
            Err(_) => tokio::time::sleep(Duration::from_millis(10)).await,
        }
    }
}

async fn start(dir: &Path) -> (Duration, Relay) {
    let key = RelayKey::generate().expect("a key");
    let started = Instant::now();
    let store = open(dir).await;
    let relay = Relay::spawn(RelayConfig::default(), key, store).await;
    (started.elapsed(), relay.expect("a relay"))
}
