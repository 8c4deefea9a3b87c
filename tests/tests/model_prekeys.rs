//! The use of prekeys in first messages, in every order in which everything can happen, with an
//! honest and with a lying relay: a model, of which all states are looked at.
//!
//! A handshake is known by its digest, and by which prekeys it needs; that it can be opened with
//! those only, and by nobody else, is the part of `crypto`. What the steps stand for:
//!
//! | here | in the program |
//! |---|---|
//! | [`Step::Start`] | the relay's `take_bundle`; `Core::start_session` |
//! | [`Step::Deliver`] | `Core::accept_session`: `Prekeys::find`, `Prekeys::consume`, and one commit (PROTOCOL §3.4) |
//! | [`Step::Publish`], [`Step::Confirm`] | `Prekeys::replenish`: commit, then publish |
//! | [`Step::Expire`] | `Prekeys::expire`, `Change::RemovePrekey` |
//!
//! Each [`Fault`] is something that the program must not do; for each, the search shows what follows.

#![allow(
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a test that meets the unexpected fails there"
)]

use stateright::{Checker as _, HasDiscoveries, Model, Property};

/// A prekey by its number.
type Key = u8;
/// A handshake by its place among all that were made: its digest.
type Digest = usize;

/// Something that is done wrongly.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fault {
    /// A one-time prekey stays after its use.
    KeepsOneTime,
    /// A one-time prekey goes in a transaction after that of the session.
    RemovesOneTimeLater,
    /// A one-time prekey goes in a transaction before that of the session.
    RemovesOneTimeBefore,
    /// A handshake is not compared with those that were accepted.
    AcceptsRepeated,
    /// The digests are not in the vault.
    ForgetsDigestsAtRestart,
    /// The digests go when a signed prekey is replaced, and not with its secret.
    ForgetsDigestsEarly,
    /// Prekeys are published before the vault has their secrets.
    PublishesBeforeCommit,
    /// The secret of a signed prekey goes when it is replaced.
    ExpiresEarly,
    /// The relay hands a one-time prekey out before its disk knows.
    HandsOutBeforeItIsSafe,
}

/// With whether it takes a lying relay to do harm.
const FAULTS: [(Fault, bool); 9] = [
    (Fault::KeepsOneTime, true),
    (Fault::RemovesOneTimeLater, true),
    (Fault::RemovesOneTimeBefore, false),
    (Fault::AcceptsRepeated, true),
    (Fault::ForgetsDigestsAtRestart, true),
    (Fault::ForgetsDigestsEarly, true),
    (Fault::PublishesBeforeCommit, false),
    (Fault::ExpiresEarly, false),
    (Fault::HandsOutBeforeItIsSafe, false),
];

/// Who starts, with whom, and what may happen.
#[derive(Debug, Clone)]
struct Contacts {
    /// First messages that others begin.
    handshakes: usize,
    /// Crashes of the recipient and of the relay.
    crashes: [u8; 2],
    /// The relay hands out what it likes, and delivers what it likes as often as it likes.
    lies: bool,
    fault: Option<Fault>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct Handshake {
    signed: Key,
    one_time: Option<Key>,
}

/// What the recipient holds.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
struct Vault {
    /// Secrets, the newest last.
    signed: Vec<Key>,
    one_time: Vec<Key>,
    /// Digests, with the signed prekey.
    accepted: Vec<(Digest, Key)>,
    /// Every handshake that led to a session.
    sessions: Vec<Digest>,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
struct Relay {
    signed: Key,
    one_time: Vec<Key>,
    /// Handed out, and still on the disk: a fault.
    unwritten: Vec<Key>,
    /// Handed out or not, whatever it ever had.
    ever: Vec<Key>,
    /// First messages that were not acknowledged.
    waiting: Vec<Digest>,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct State {
    vault: Vault,
    /// What the vault holds after a second transaction: a fault.
    later: Option<Vault>,
    relay: Relay,
    handshakes: Vec<Handshake>,
    crashes: [u8; 2],
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Step {
    /// Somebody gets a bundle, with this one-time prekey, and writes.
    Start(Option<Key>),
    /// A first message comes to the recipient.
    Deliver(Digest),
    /// A new signed prekey, and a one-time prekey, are made and published.
    Publish,
    /// The second transaction of a recipient that needs two.
    Confirm,
    /// The secret of the replaced signed prekey goes.
    Expire,
    /// The relay's disk has what it handed out.
    Flush,
    Crash,
    CrashRelay,
}

/// The numbers of the first prekeys, and of those that follow.
const FIRST: (Key, [Key; 1]) = (1, [2]);
const SECOND: (Key, Key) = (3, 4);

impl Contacts {
    fn is(&self, fault: Fault) -> bool {
        self.fault == Some(fault)
    }

    /// What a relay may put beside the signed prekey.
    fn offers(&self, state: &State) -> Vec<Option<Key>> {
        let relay = &state.relay;
        if self.lies {
            let ever = relay.ever.iter().copied().map(Some);
            return ever.chain([None]).collect();
        }
        vec![relay.one_time.first().copied()]
    }

    fn step(&self, state: &mut State, step: Step) -> Option<()> {
        let State {
            vault,
            later,
            relay,
            handshakes,
            crashes,
        } = state;
        match step {
            Step::Start(one_time) => {
                if handshakes.len() == self.handshakes {
                    return None;
                }
                relay.waiting.push(handshakes.len());
                handshakes.push(Handshake {
                    signed: relay.signed,
                    one_time,
                });
                relay.one_time.retain(|key| Some(*key) != one_time);
                if self.is(Fault::HandsOutBeforeItIsSafe) {
                    relay.unwritten.extend(one_time);
                }
            }
            Step::Deliver(digest) => {
                if later.is_some() || !self.lies && !relay.waiting.contains(&digest) {
                    return None;
                }
                let handshake = *handshakes.get(digest)?;
                relay.waiting.retain(|it| *it != digest);
                if let Some((first, second)) = self.accept(vault, digest, handshake) {
                    *vault = first;
                    *later = second;
                    if later.is_some() {
                        // Nothing is acknowledged before the second one.
                        relay.waiting.push(digest);
                    }
                }
            }
            Step::Confirm => {
                *vault = later.take()?;
                let is_new = |digest: &Digest| !vault.sessions.contains(digest);
                relay.waiting.retain(is_new);
            }
            Step::Publish => {
                if relay.signed == SECOND.0 || later.is_some() {
                    return None;
                }
                let mut made = vault.clone();
                made.signed.push(SECOND.0);
                made.one_time.push(SECOND.1);
                if self.is(Fault::ForgetsDigestsEarly) {
                    made.accepted.clear();
                }
                if self.is(Fault::ExpiresEarly) {
                    made.signed.remove(0);
                }
                if self.is(Fault::PublishesBeforeCommit) {
                    *later = Some(made);
                } else {
                    *vault = made;
                }
                relay.signed = SECOND.0;
                relay.one_time.push(SECOND.1);
                relay.ever.push(SECOND.1);
            }
            Step::Expire => {
                let is_old = |handshake: &Handshake| handshake.signed == FIRST.0;
                let mut waiting = relay.waiting.iter();
                // The secret is kept for as long as a relay keeps envelopes.
                let may_come = waiting.any(|digest| handshakes.get(*digest).is_some_and(is_old));
                if vault.signed.len() < 2 || later.is_some() || may_come && !self.lies {
                    return None;
                }
                let old = vault.signed.remove(0);
                vault.accepted.retain(|(_, signed)| *signed != old);
            }
            Step::Flush => {
                if relay.unwritten.is_empty() {
                    return None;
                }
                relay.unwritten.clear();
            }
            Step::Crash => {
                crashes[0] = crashes[0].checked_sub(1)?;
                *later = None;
                if self.is(Fault::ForgetsDigestsAtRestart) {
                    vault.accepted.clear();
                }
            }
            Step::CrashRelay => {
                crashes[1] = crashes[1].checked_sub(1)?;
                relay.one_time.append(&mut relay.unwritten);
                relay.one_time.sort_unstable();
            }
        }
        Some(())
    }

    /// What the vault holds once a handshake was accepted, and after a second transaction if there
    /// is one; none if the handshake is refused.
    fn accept(
        &self,
        vault: &Vault,
        digest: Digest,
        handshake: Handshake,
    ) -> Option<(Vault, Option<Vault>)> {
        let is_known = vault.accepted.iter().any(|(it, _)| *it == digest);
        let Handshake { signed, one_time } = handshake;
        let has_secrets = vault.signed.contains(&signed)
            && one_time.is_none_or(|key| vault.one_time.contains(&key));
        if is_known && !self.is(Fault::AcceptsRepeated) || !has_secrets {
            return None;
        }
        let mut whole = vault.clone();
        whole.sessions.push(digest);
        whole.accepted.push((digest, signed));
        if !self.is(Fault::KeepsOneTime) {
            whole.one_time.retain(|key| Some(*key) != one_time);
        }
        match self.fault {
            Some(Fault::RemovesOneTimeLater) => {
                let first = Vault {
                    one_time: vault.one_time.clone(),
                    ..whole.clone()
                };
                Some((first, Some(whole)))
            }
            Some(Fault::RemovesOneTimeBefore) => {
                let first = Vault {
                    one_time: whole.one_time.clone(),
                    ..vault.clone()
                };
                Some((first, Some(whole)))
            }
            _ => Some((whole, None)),
        }
    }

    /// Whether an honest first message that waits at an honest relay can be opened when it comes.
    fn can_be_opened(state: &State, digest: Digest) -> bool {
        let vault = state.later.as_ref().unwrap_or(&state.vault);
        let is_open = state.vault.sessions.contains(&digest) || vault.sessions.contains(&digest);
        let handshake = state.handshakes.get(digest);
        let has_secrets = handshake.is_some_and(|Handshake { signed, one_time }| {
            state.vault.signed.contains(signed)
                && one_time.is_none_or(|key| state.vault.one_time.contains(&key))
        });
        is_open || has_secrets
    }
}

fn is_once<T: PartialEq>(all: &[T]) -> bool {
    (1..all.len()).all(|end| !all[..end].contains(&all[end]))
}

impl Model for Contacts {
    type State = State;
    type Action = Step;

    fn init_states(&self) -> Vec<State> {
        let (signed, one_time) = FIRST;
        vec![State {
            vault: Vault {
                signed: vec![signed],
                one_time: one_time.to_vec(),
                ..Vault::default()
            },
            later: None,
            relay: Relay {
                signed,
                one_time: one_time.to_vec(),
                ever: one_time.to_vec(),
                ..Relay::default()
            },
            handshakes: Vec::new(),
            crashes: self.crashes,
        }]
    }

    fn actions(&self, state: &State, actions: &mut Vec<Step>) {
        let can = |step: &Step| self.step(&mut state.clone(), *step).is_some();
        let starts = self.offers(state).into_iter().map(Step::Start);
        let deliveries = (0..state.handshakes.len()).map(Step::Deliver);
        let others = [
            Step::Publish,
            Step::Confirm,
            Step::Expire,
            Step::Flush,
            Step::Crash,
            Step::CrashRelay,
        ];
        actions.extend(starts.chain(deliveries).chain(others).filter(can));
    }

    fn next_state(&self, state: &State, step: Step) -> Option<State> {
        let mut next = state.clone();
        self.step(&mut next, step)?;
        Some(next)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        vec![
            Property::always("a handshake is accepted once", |_, state: &State| {
                is_once(&state.vault.sessions)
            }),
            Property::always("a one-time prekey is used once", |_, state: &State| {
                let sessions = state.vault.sessions.iter();
                let used = sessions.filter_map(|digest| state.handshakes.get(*digest)?.one_time);
                is_once(&used.collect::<Vec<_>>())
            }),
            Property::always("a used one-time prekey is gone", |_, state: &State| {
                let vault = &state.vault;
                let sessions = vault.sessions.iter();
                let mut used = sessions.filter_map(|it| state.handshakes.get(*it)?.one_time);
                used.all(|key| !vault.one_time.contains(&key))
            }),
            Property::always(
                "an honest first message opens",
                |it: &Self, state: &State| {
                    let mut waiting = state.relay.waiting.iter();
                    it.lies || waiting.all(|digest| Self::can_be_opened(state, *digest))
                },
            ),
            Property::sometimes("all have a session", |it: &Self, state: &State| {
                state.vault.sessions.len() == it.handshakes
            }),
        ]
    }
}

#[test]
fn whoever_starts_and_whatever_the_relay_does_each_handshake_and_prekey_is_used_once() {
    for lies in [false, true] {
        let contacts = Contacts {
            handshakes: 3,
            crashes: [1, 1],
            lies,
            fault: None,
        };
        let checker = contacts.checker().threads(2).spawn_bfs().join();
        println!("{} states", checker.unique_state_count());
        checker.assert_properties();
    }
}

#[test]
fn each_fault_is_found() {
    for (fault, lies) in FAULTS {
        let contacts = Contacts {
            handshakes: 3,
            crashes: [1, 1],
            lies,
            fault: Some(fault),
        };
        let checker = contacts
            .checker()
            .threads(2)
            .finish_when(HasDiscoveries::AnyFailures)
            .spawn_bfs()
            .join();
        let mut found = checker.discoveries();
        found.remove("all have a session");
        let found: Vec<_> = found
            .into_iter()
            .map(|(name, path)| (name, path.into_actions()))
            .collect();
        println!(
            "{fault:?}: {} states, {found:?}",
            checker.unique_state_count()
        );
        assert!(!found.is_empty(), "{fault:?} is not found");
    }
}
