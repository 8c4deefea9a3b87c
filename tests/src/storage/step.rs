//! Requests to a relay's store, chosen by a seed.

use std::collections::BTreeMap;

use rand::rngs::StdRng;
use rand::seq::IndexedRandom as _;
use rand::{RngExt as _, SeedableRng as _};

use crate::storage::load::Load;
use crate::storage::state::{MAILBOXES, State};

/// Steps that are under way at once.
pub const WINDOW: usize = 6;
/// An envelope expires so many steps after it was stored.
const AGE: u64 = 40;
/// When the first step is taken, in seconds since 1970; each later one takes a second.
const START_SECS: u64 = 1_000_000;

/// One request to the store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// A device logs in with another store's cursor, for the first time or again.
    Admit(usize),
    /// An envelope for some mailboxes; the mailbox [`MAILBOXES`] does not exist.
    Append {
        /// Its number.
        envelope: u32,
        /// For whom.
        targets: Vec<usize>,
        /// Envelopes that each mailbox may hold.
        quota: u64,
        /// When, in seconds since 1970.
        stored_secs: u64,
    },
    /// A mailbox up to this envelope.
    Acknowledge {
        /// Whose.
        mailbox: usize,
        /// Number of the envelope.
        envelope: u32,
    },
    /// Prekeys.
    Publish {
        /// Whose.
        mailbox: usize,
        /// Number of the signed one.
        signed: Option<u32>,
        /// Numbers of the others.
        one_time: Vec<u32>,
    },
    /// A bundle, with a one-time prekey if there is one.
    Take(usize),
    /// A handle.
    Claim {
        /// For whom.
        mailbox: usize,
        /// The handle.
        handle: String,
        /// The name.
        name: String,
    },
    /// Everything that was stored before, in seconds since 1970.
    Expire(u64),
}

impl Load {
    /// The requests, in order.
    pub fn steps(&self) -> Vec<Step> {
        let mut chance = StdRng::seed_from_u64(self.seed);
        let mut state = State::default();
        let mut steps = Vec::with_capacity(self.steps);
        // Where each envelope was stored last: what is acknowledged has to be known by then.
        let mut appended: BTreeMap<u32, usize> = BTreeMap::new();
        while steps.len() < self.steps {
            let at = steps.len();
            let step = match at {
                0..MAILBOXES => Step::Admit(at),
                at if at < 2 * MAILBOXES => publish(at - MAILBOXES, &state, &mut chance),
                _ => choose(at, &state, &appended, &mut chance),
            };
            if let Step::Append { envelope, .. } = &step {
                appended.insert(*envelope, at);
            }
            state.carry_out(&step);
            steps.push(step);
        }
        steps
    }
}

fn choose(at: usize, state: &State, appended: &BTreeMap<u32, usize>, chance: &mut StdRng) -> Step {
    let mailbox = chance.random_range(0..MAILBOXES);
    let now_secs = START_SECS + at as u64;
    let append = |envelope, targets, quota| Step::Append {
        envelope,
        targets,
        quota,
        stored_secs: now_secs,
    };
    let new = appended.keys().last().map_or(0, |last| last + 1);
    match chance.random_range(0..100) {
        0..45 => {
            let mut targets = vec![mailbox];
            targets.extend((0..MAILBOXES).filter(|it| *it != mailbox && chance.random_bool(0.3)));
            append(new, targets, u64::MAX >> 1)
        }
        // An envelope that may be there already, in other mailboxes too.
        45..55 => {
            // Not one that is under way: it may be declined for some of its mailboxes.
            let known = appended
                .iter()
                .filter(|(_, stored)| **stored + WINDOW <= at);
            let known: Vec<u32> = known.map(|(envelope, _)| *envelope).collect();
            let envelope = known.choose(chance).copied().unwrap_or(new);
            append(
                envelope,
                vec![mailbox, (mailbox + 1) % MAILBOXES],
                u64::MAX >> 1,
            )
        }
        55..59 => append(new, vec![mailbox, MAILBOXES], u64::MAX >> 1),
        59..63 => {
            // There is room in the first mailbox perhaps, and surely none in the second one.
            let full = (mailbox + 1) % MAILBOXES;
            append(new, vec![mailbox, full], state.waiting(full).count() as u64)
        }
        63..75 => {
            let known = state.waiting(mailbox).filter(|envelope| {
                let stored = appended.get(envelope);
                stored.is_some_and(|stored| stored + WINDOW <= at)
            });
            match known.collect::<Vec<_>>().choose(chance) {
                Some(envelope) => Step::Acknowledge {
                    mailbox,
                    envelope: *envelope,
                },
                None => Step::Take(mailbox),
            }
        }
        75..81 => publish(mailbox, state, chance),
        81..89 => Step::Take(mailbox),
        89..91 => Step::Admit(mailbox),
        91..96 => Step::Claim {
            mailbox,
            handle: format!("handle{}", chance.random_range(0..6)),
            name: format!("name{}", chance.random_range(0..3)),
        },
        _ => Step::Expire(now_secs.saturating_sub(AGE)),
    }
}

/// New prekeys, and some that the store may know.
fn publish(mailbox: usize, state: &State, chance: &mut StdRng) -> Step {
    let first = state.newest_prekey(mailbox).map_or(0, |newest| newest + 1);
    let mut one_time: Vec<u32> = (first..first + chance.random_range(1..5)).collect();
    one_time.extend((0..first).filter(|_| chance.random_bool(0.2)));
    let is_first = first == 0;
    Step::Publish {
        mailbox,
        signed: (is_first || chance.random()).then(|| chance.random_range(0..1000)),
        one_time,
    }
}
