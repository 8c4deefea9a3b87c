//! A load on the relay's store that follows from its seed, carried out by a process of its own
//! that notes what it asks and what it is told.
//!
//! The notes are lines, each written by one call, so that strace puts them in one order with what
//! happens on the disk: `ask 7`, `end 7 done`, `given 0 12 7` (mailbox, sequence, envelope).

use std::cell::RefCell;
use std::collections::{BTreeMap, VecDeque};
use std::io;
use std::path::{Path, PathBuf};

use bytes::Bytes;
use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};
use sotto_net::link::Cursor;
use sotto_net::wire::{DeviceKey, EnvelopeId, Prekey, StoreId};
use sotto_relay::store::{Append, Claiming, Declined, Quota, TakenBundle, Ticket};
use sotto_relay::{SqliteStore, Store};

use crate::storage::recording::{Notes, Recording};
use crate::storage::state::MAILBOXES;
pub use crate::storage::step::{Step, WINDOW};

/// The store's folder on the disk; the store makes it.
pub const STORE: &str = "relay";
/// Its files.
const FILES: [&str; 5] = [
    "relay.lock",
    "relay.db",
    "relay.db-journal",
    "relay.db-wal",
    "relay.db-shm",
];
/// Mailboxes have always been used lately.
const SEEN_SECS: u64 = 1 << 40;
/// Bytes of a page, in whose multiples SQLite keeps long bodies.
const PAGE_BYTES: usize = 4_096;

/// What a load is made from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Load {
    /// Everything follows from it.
    pub seed: u64,
    /// Requests.
    pub steps: usize,
    /// How often the store is opened.
    pub lives: usize,
    /// Pages of the longest bodies.
    pub pages: usize,
}

/// The device of a mailbox.
pub fn device(mailbox: usize) -> DeviceKey {
    DeviceKey([u8::try_from(mailbox + 1).unwrap_or(u8::MAX); 32])
}

/// The id of an envelope.
pub fn id(envelope: u32) -> EnvelopeId {
    let mut bytes = [0; 16];
    for (place, byte) in bytes.iter_mut().zip(envelope.to_be_bytes()) {
        *place = byte;
    }
    EnvelopeId(bytes)
}

/// The number of an envelope with this id.
pub fn number(id: EnvelopeId) -> u32 {
    let [a, b, c, d, ..] = id.0;
    u32::from_be_bytes([a, b, c, d])
}

/// A prekey with this number.
pub fn prekey(number: u32) -> Prekey {
    Prekey {
        id: number,
        record: Bytes::copy_from_slice(&number.to_be_bytes()),
    }
}

impl Load {
    /// Has a process of its own carry the load out, whose calls fail as
    /// [`strace::run`](crate::storage::strace::run) says.
    ///
    /// # Errors
    /// See [`Recording::make`].
    pub fn record(self, faults: &[String]) -> io::Result<Recording> {
        let store = PathBuf::from(STORE);
        let mut files: Vec<_> = FILES.iter().map(|file| store.join(file)).collect();
        files.push(store);
        Recording::make(&self.to_text(), faults, &files)
    }

    /// The load as a task.
    pub fn to_text(self) -> String {
        let Self {
            seed,
            steps,
            lives,
            pages,
        } = self;
        format!("{seed} {steps} {lives} {pages}")
    }

    /// The load of [`Load::to_text`].
    pub fn from_text(text: &str) -> Option<Self> {
        let mut words = text.split(' ');
        let mut word = || words.next();
        Some(Self {
            seed: word()?.parse().ok()?,
            steps: word()?.parse().ok()?,
            lives: word()?.parse().ok()?,
            pages: word()?.parse().ok()?,
        })
    }

    /// Pages of all bodies, in all the mailboxes that they are for.
    pub fn pages(&self) -> usize {
        let pages = |step: &Step| match step {
            Step::Append {
                envelope, targets, ..
            } => targets.len() * self.body(*envelope).len().div_ceil(PAGE_BYTES),
            _ => 0,
        };
        self.steps().iter().map(pages).sum()
    }

    /// What this envelope holds.
    pub fn body(&self, envelope: u32) -> Bytes {
        let mut chance = StdRng::seed_from_u64(self.seed ^ u64::from(envelope) << 32);
        let length = match chance.random_range(0..4) {
            0 => chance.random_range(0..=self.pages * PAGE_BYTES),
            _ => chance.random_range(0..300),
        };
        let [byte, ..] = envelope.to_le_bytes();
        vec![byte; length].into()
    }
}

/// What a request was answered, in the notes' words.
fn words<T>(outcome: Result<T, Declined>, done: impl FnOnce(T) -> String) -> String {
    match outcome {
        Ok(output) => done(output),
        Err(declined) => format!("{declined:?}"),
    }
}

/// What the store keeps in order: steps of one sort, and not those of different sorts.
fn sort(step: &Step) -> u8 {
    match step {
        Step::Append { .. } => 0,
        Step::Acknowledge { .. } => 1,
        _ => 2,
    }
}

fn number_of(record: &[u8]) -> u32 {
    record.try_into().map_or(u32::MAX, u32::from_be_bytes)
}

/// A bundle in the notes' words.
pub fn bundle_words(bundle: &TakenBundle) -> String {
    let one_time = bundle.one_time.as_deref().map(number_of);
    format!("bundle {} {one_time:?}", number_of(&bundle.signed))
}

type Outcome = std::pin::Pin<Box<dyn Future<Output = String>>>;

fn outcome<T: 'static>(ticket: Ticket<T>, done: impl FnOnce(T) -> String + 'static) -> Outcome {
    Box::pin(async move { words(ticket.await, done) })
}

/// A process that carries a load out.
struct Process {
    load: Load,
    notes: Notes,
    /// The sequences of envelopes that were confirmed, by mailbox and envelope, as far as known.
    given: RefCell<BTreeMap<(usize, u32), u64>>,
}

/// Carries out the load of [`Load::to_text`] on a store on this disk.
///
/// # Panics
/// When the task is no load.
pub fn carry_out(task: &str, disk: &Path, notes: Notes) {
    let (load, folder) = (Load::from_text(task).expect("a load"), disk.join(STORE));
    let process = Process {
        load,
        notes,
        given: RefCell::default(),
    };
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .expect("a runtime");
    let steps = load.steps();
    let life = steps.len().div_ceil(load.lives);
    for (number, part) in steps.chunks(life).enumerate() {
        // A disk that failed once may do the next time.
        let store = (0..3).find_map(|_| SqliteStore::open(&folder).ok());
        let Some(store) = store else {
            process.notes.note("unopened");
            continue;
        };
        process.notes.note(&format!(
            "opened {:032x}",
            u128::from_be_bytes(store.id().0)
        ));
        // Connections that read keep the journal from being removed at the end.
        runtime.block_on(process.live(&store, number * life, part, number % 2 == 0));
        drop(store);
        process.notes.note("closed");
    }
}

impl Process {
    async fn live(&self, store: &SqliteStore, first: usize, steps: &[Step], reads: bool) {
        let mut under_way: VecDeque<(usize, Outcome)> = VecDeque::new();
        for (place, step) in steps.iter().enumerate() {
            let at = first + place;
            let is_another = place > 0 && steps.get(place - 1).map(sort) != Some(sort(step));
            while under_way.len() >= WINDOW || (is_another && !under_way.is_empty()) {
                self.end(&mut under_way).await;
            }
            if reads && under_way.is_empty() {
                self.look(store).await;
            }
            if self.is_pointless(step) {
                self.notes.note(&format!("skip {at}"));
                continue;
            }
            self.notes.note(&format!("ask {at}"));
            under_way.push_back((at, self.ask(store, step).await));
        }
        while !under_way.is_empty() {
            self.end(&mut under_way).await;
        }
    }

    async fn end(&self, under_way: &mut VecDeque<(usize, Outcome)>) {
        if let Some((at, outcome)) = under_way.pop_front() {
            self.notes.note(&format!("end {at} {}", outcome.await));
        }
    }

    /// Notes the sequences of what has come since; nothing is under way, so all of it is durable.
    async fn look(&self, store: &SqliteStore) {
        for mailbox in 0..MAILBOXES {
            let after = self.newest(mailbox);
            let read = store.read(device(mailbox), after, u32::MAX, usize::MAX);
            for delivery in read.await.unwrap_or_default() {
                let (envelope, sequence) = (number(delivery.id), delivery.sequence);
                self.notes
                    .note(&format!("given {mailbox} {sequence} {envelope}"));
                self.given
                    .borrow_mut()
                    .insert((mailbox, envelope), sequence);
            }
        }
    }

    /// The highest sequence that is known of a mailbox.
    fn newest(&self, mailbox: usize) -> u64 {
        let given = self.given.borrow();
        let places = given.iter().filter(|((of, _), _)| *of == mailbox);
        places.map(|(_, sequence)| *sequence).max().unwrap_or(0)
    }

    fn given(&self, mailbox: usize, envelope: u32) -> Option<u64> {
        self.given.borrow().get(&(mailbox, envelope)).copied()
    }

    /// An envelope that was declined cannot be acknowledged.
    fn is_pointless(&self, step: &Step) -> bool {
        matches!(step, Step::Acknowledge { mailbox, envelope }
            if self.given(*mailbox, *envelope).is_none())
    }

    async fn ask(&self, store: &SqliteStore, step: &Step) -> Outcome {
        let done = |()| "done".to_owned();
        match step {
            Step::Admit(mailbox) => {
                let ticket = store.admit(device(*mailbox), START, SEEN_SECS).await;
                outcome(ticket, |_| "done".to_owned())
            }
            Step::Append { .. } => outcome(store.append(append(&self.load, step)).await, done),
            Step::Acknowledge { mailbox, envelope } => {
                let up_to = self.given(*mailbox, *envelope).unwrap_or(0);
                outcome(store.acknowledge(device(*mailbox), up_to).await, done)
            }
            Step::Publish {
                mailbox,
                signed,
                one_time,
            } => {
                let one_time = one_time.iter().copied().map(prekey).collect();
                let signed = signed.map(prekey);
                outcome(
                    store.publish(device(*mailbox), signed, one_time).await,
                    done,
                )
            }
            Step::Take(mailbox) => {
                let ticket = store.take_bundle(device(*mailbox), true).await;
                outcome(ticket, |bundle| bundle_words(&bundle))
            }
            Step::Claim {
                mailbox,
                handle,
                name,
            } => {
                let claiming = Claiming {
                    device: device(*mailbox),
                    handle: handle.clone(),
                    name: name.clone(),
                    identity: Bytes::from_static(b"identity"),
                    open: true,
                };
                outcome(store.claim(claiming).await, done)
            }
            Step::Expire(before_secs) => {
                let ticket = store.expire(*before_secs).await;
                outcome(ticket, |envelopes| format!("expired {envelopes}"))
            }
        }
    }
}

/// The cursor of somebody who has never been here.
pub const START: Cursor = Cursor {
    store: StoreId([0; 16]),
    after: 0,
};

/// The append of a step; for any other step an envelope for nobody.
pub fn append(load: &Load, step: &Step) -> Append {
    let (envelope, targets, envelopes, stored_secs) = match step {
        Step::Append {
            envelope,
            targets,
            quota,
            stored_secs,
        } => (*envelope, targets.as_slice(), *quota, *stored_secs),
        _ => (0, [].as_slice(), 0, 0),
    };
    let body = load.body(envelope);
    Append {
        id: id(envelope),
        targets: targets
            .iter()
            .map(|mailbox| (device(*mailbox), body.clone()))
            .collect(),
        quota: Quota {
            envelopes,
            bytes: u64::MAX >> 1,
        },
        stored_secs,
    }
}
