//! Two cores and the frames between them, without disk or network.

mod assistant;
mod parts;
mod prekeys;
mod renewal;
mod sessions;
mod strangers;
mod trust;
mod typing;

use std::sync::OnceLock;

use bytes::Bytes;
use rand::SeedableRng as _;
use sotto_net::wire::{
    Bundle, ClientFrame, Done, Entry, EnvelopeId, Prekey, PrekeysLow, PublishPrekeys, Refusal,
    Refused, Send,
};

use super::effects::ChatRecord;
use super::recent::RECENT_DELIVERIES_MAX;
use super::renewal::Renewal;
use super::*;
use crate::view::{Delivery as Progress, Presence, Standing, Trust};

const RELAY: RelayId = RelayId([1; 32]);
const NOW: Moment = Moment {
    unix_millis: 1_800_000_000_000,
};
const CHAT: ChatId = ChatId(1);

fn later(millis: i64) -> Moment {
    Moment {
        unix_millis: NOW.unix_millis + millis,
    }
}

/// Three identities, made once: RSA keys take their time.
fn identities() -> &'static [Arc<Identity>; 3] {
    static IDENTITIES: OnceLock<[Arc<Identity>; 3]> = OnceLock::new();
    IDENTITIES.get_or_init(|| {
        [1, 2, 3].map(|seed| {
            let mut rng = StdRng::seed_from_u64(seed);
            Arc::new(Identity::generate(&mut rng).unwrap())
        })
    })
}

/// A vault with nothing but these chats.
fn loaded(chats: Vec<ChatRecord>) -> Loaded {
    Loaded {
        name: None,
        cursors: Vec::new(),
        recent: Vec::new(),
        prekeys: Vec::new(),
        prekeys_before: 0,
        replay: Vec::new(),
        chats,
        sessions: Vec::new(),
        last: Vec::new(),
        privacy: Privacy::default(),
        unfinished: Vec::new(),
        unread: Vec::new(),
        unsealed: Vec::new(),
        outbox: Vec::new(),
        next_key: 1,
        marks: Vec::new(),
        renewal: Renewal::default(),
    }
}

/// A core with one chat, and what it has published.
struct Side {
    core: Core,
    identity: Arc<Identity>,
    handle: &'static str,
    signed: Option<Prekey>,
    one_time: Vec<Prekey>,
    /// Frames not looked at yet.
    frames: Vec<ClientFrame>,
    commits: Vec<Change>,
    sequence: u64,
}

impl Side {
    fn new(index: usize) -> Self {
        let handle = ["alice", "bob"][index];
        let identity = Arc::clone(&identities()[index]);
        let person = Person {
            handle: handle.into(),
            name: handle.into(),
        };
        let chat = ChatRecord::named(CHAT, ["bob", "alice"][index], "Peer", Standing::Contact);
        let loaded = loaded(vec![chat]);
        let rng = StdRng::seed_from_u64(10 + index as u64);
        let core = Core::new(Arc::clone(&identity), person, loaded, rng);
        let mut side = Self {
            core,
            identity,
            handle,
            signed: None,
            one_time: Vec::new(),
            frames: Vec::new(),
            commits: Vec::new(),
            sequence: 0,
        };
        side.link_up(NOW);
        side
    }

    fn step(&mut self, input: Input, now: Moment) {
        let effects = self.core.step(input, now);
        self.commits.extend(effects.commit);
        for frame in effects.send {
            if let ClientFrame::PublishPrekeys(publication) = &frame {
                self.signed = publication.signed.clone().or(self.signed.take());
                // A known number is kept as it is.
                let known: Vec<u32> = self.one_time.iter().map(|prekey| prekey.id).collect();
                let new = publication.one_time.iter();
                self.one_time
                    .extend(new.filter(|new| !known.contains(&new.id)).cloned());
            }
            self.frames.push(frame);
        }
    }

    fn link_up(&mut self, now: Moment) {
        let welcome = Welcome {
            minor: 0,
            store: StoreId([5; 16]),
            signed_prekey: self.signed.as_ref().map(|prekey| prekey.id),
            one_time_prekeys: u32::try_from(self.one_time.len()).unwrap(),
        };
        self.step(
            Input::LinkUp {
                relay: RELAY,
                welcome,
            },
            now,
        );
    }

    fn meet(&mut self, peer: &Side, now: Moment) {
        let entry = Entry {
            request: 0,
            handle: peer.handle.into(),
            name: peer.handle.into(),
            identity: Some(peer.identity.public().encode().into()),
        };
        self.step(Input::Replies(vec![entry.into()]), now);
    }

    fn write(&mut self, text: &str, now: Moment) {
        let action = Action::SendText {
            chat: CHAT,
            text: text.into(),
            answered: None,
        };
        self.step(Input::Act(action), now);
    }

    /// The envelopes to send; bundles that are asked for come from `peer`.
    fn sends(&mut self, peer: &mut Side, now: Moment) -> Vec<Send> {
        let mut sends = Vec::new();
        while !self.frames.is_empty() {
            for frame in std::mem::take(&mut self.frames) {
                match frame {
                    ClientFrame::Send(send) => sends.push(send),
                    ClientFrame::TakeBundle(ask) => {
                        let bundle = Bundle {
                            request: ask.request,
                            signed: peer.signed.clone().unwrap().record,
                            one_time: peer.one_time.pop().map(|prekey| prekey.record),
                        };
                        self.step(Input::Replies(vec![bundle.into()]), now);
                    }
                    _ => {}
                }
            }
        }
        sends
    }

    fn envelope(&mut self, body: Bytes) -> Delivery {
        self.sequence += 1;
        Delivery {
            sequence: self.sequence,
            id: EnvelopeId(u128::from(self.sequence).to_be_bytes()),
            body,
        }
    }

    /// The same envelope in a new place of the mailbox.
    fn again(&mut self, envelope: &Delivery) -> Delivery {
        self.sequence += 1;
        Delivery {
            sequence: self.sequence,
            ..envelope.clone()
        }
    }

    /// Starts again from what was committed of sessions and deliveries.
    fn restart(&mut self, now: Moment) {
        let chats = self.core.chats.values().map(Chat::record).collect();
        let mut loaded = loaded(chats);
        for change in &self.commits {
            match change {
                Change::PutSession(record) => {
                    loaded.sessions.retain(|other| other.id != record.id);
                    loaded.sessions.push(SessionRecord {
                        stored: record.stored.clone(),
                        ..*record
                    });
                }
                Change::RememberDelivery { relay, place, id } => {
                    loaded.recent.push((*relay, *place, *id));
                }
                Change::SetCursor { relay, cursor } => loaded.cursors = vec![(*relay, *cursor)],
                _ => {}
            }
        }
        let person = self.core.person.clone();
        let rng = StdRng::seed_from_u64(20);
        self.core = Core::new(Arc::clone(&self.identity), person, loaded, rng);
        self.link_up(now);
    }

    fn acknowledged(&self) -> Option<u64> {
        self.frames.iter().rev().find_map(|frame| match frame {
            ClientFrame::Acknowledge(acknowledge) => Some(acknowledge.up_to),
            _ => None,
        })
    }

    fn row(&self) -> ChatRow {
        self.core.rows().remove(0)
    }

    fn progress(&self) -> Progress {
        self.row().last.unwrap().delivery
    }

    fn received(&self) -> usize {
        let is_received = |change: &&Change| match change {
            Change::AddMessage(record) | Change::AddWhole(record) => !record.is_mine,
            _ => false,
        };
        self.commits.iter().filter(is_received).count()
    }
}

impl Side {
    /// The last publication that was sent.
    fn publication(&self) -> PublishPrekeys {
        let publications = self.frames.iter().rev().find_map(|frame| match frame {
            ClientFrame::PublishPrekeys(publication) => Some(publication.clone()),
            _ => None,
        });
        publications.unwrap()
    }

    fn confirm_publication(&mut self, now: Moment) {
        let request = self.publication().request;
        self.frames.clear();
        self.step(Input::Replies(vec![Done { request }.into()]), now);
    }
}

fn pair() -> (Side, Side) {
    let (mut alice, mut bob) = (Side::new(0), Side::new(1));
    alice.meet(&bob, NOW);
    bob.meet(&alice, NOW);
    (alice, bob)
}

fn body(send: &Send) -> Bytes {
    send.targets[0].1.clone()
}

#[test]
fn a_message_goes_through_all_its_states() {
    let (mut alice, mut bob) = pair();
    alice.write("hi", NOW);
    assert_eq!(alice.progress(), Progress::Sending);
    let sends = alice.sends(&mut bob, NOW);
    let done = Done {
        request: sends[0].request,
    };
    alice.step(Input::Replies(vec![done.into()]), NOW);
    assert_eq!(alice.progress(), Progress::Relay);

    let envelope = bob.envelope(body(&sends[0]));
    bob.step(Input::Deliveries(vec![envelope]), NOW);
    assert_eq!((bob.received(), bob.acknowledged()), (1, Some(1)));
    assert_eq!(bob.row().unread, 1);
    let receipt = bob.sends(&mut alice, NOW);
    let envelope = alice.envelope(body(&receipt[0]));
    alice.step(Input::Deliveries(vec![envelope]), NOW);
    assert_eq!(alice.progress(), Progress::Delivered);

    let up_to = bob.row().last.unwrap().key;
    let read = Action::MarkRead { chat: CHAT, up_to };
    bob.step(Input::Act(read), NOW);
    assert_eq!(bob.row().unread, 0);
    let receipt = bob.sends(&mut alice, NOW);
    let envelope = alice.envelope(body(&receipt[0]));
    alice.step(Input::Deliveries(vec![envelope]), NOW);
    assert_eq!(alice.progress(), Progress::Read);
}

#[test]
fn what_was_stored_before_is_passed_over() {
    let (mut alice, mut bob) = pair();
    alice.write("hi", NOW);
    let sends = alice.sends(&mut bob, NOW);
    let envelope = bob.envelope(body(&sends[0]));
    bob.step(Input::Deliveries(vec![envelope.clone()]), NOW);
    bob.step(Input::Deliveries(vec![envelope]), NOW);
    assert_eq!((bob.received(), bob.core.notice()), (1, None));
}

#[test]
fn a_delivery_that_comes_again_is_acknowledged_and_otherwise_passed_over() {
    let (mut alice, mut bob) = pair();
    alice.write("hi", NOW);
    let sends = alice.sends(&mut bob, NOW);
    let first = bob.envelope(body(&sends[0]));
    let twice = vec![first.clone(), bob.again(&first)];
    bob.step(Input::Deliveries(twice), NOW);
    assert_eq!((bob.received(), bob.acknowledged()), (1, Some(2)));

    let check = |bob: &mut Side, what: &str| {
        bob.commits.clear();
        let again = bob.again(&first);
        let sequence = again.sequence;
        bob.step(Input::Deliveries(vec![again]), NOW);
        assert_eq!(bob.acknowledged(), Some(sequence), "{what}");
        assert_eq!(bob.core.notice(), None, "{what}");
        // No message and no session, nor is the id remembered twice.
        let is_cursor = |change: &Change| matches!(change, Change::SetCursor { .. });
        assert!(bob.commits.iter().all(is_cursor), "{what}");
        assert_eq!(bob.commits.len(), 1, "{what}");
    };
    bob.step(Input::LinkDown, NOW);
    bob.link_up(NOW);
    let commits = std::mem::take(&mut bob.commits);
    check(&mut bob, "on a new connection");
    bob.commits = commits;
    bob.restart(NOW);
    check(&mut bob, "after a restart");

    // The session goes on as if nothing had come.
    alice.write("and on", NOW);
    let sends = alice.sends(&mut bob, NOW);
    let envelope = bob.envelope(body(&sends[0]));
    bob.step(Input::Deliveries(vec![envelope]), NOW);
    assert_eq!((bob.received(), bob.core.notice()), (1, None));
}

#[test]
fn a_step_stores_a_session_once_and_forgets_what_was_handled_long_ago() {
    let (mut alice, mut bob) = pair();
    for number in 0..3 {
        alice.write(&number.to_string(), NOW);
    }
    let sends = alice.sends(&mut bob, NOW);
    let mut envelopes: Vec<Delivery> = sends.iter().map(|it| bob.envelope(body(it))).collect();
    for _ in 0..RECENT_DELIVERIES_MAX {
        envelopes.push(bob.envelope(Bytes::from_static(b"noise")));
    }
    bob.commits.clear();
    bob.step(Input::Deliveries(envelopes), NOW);
    let stored = |change: &&Change| matches!(change, Change::PutSession(_));
    assert_eq!(bob.commits.iter().filter(stored).count(), 1);
    let forgotten = |change: &Change| matches!(change, Change::ForgetDeliveries { up_to: 3, .. });
    assert!(bob.commits.iter().any(forgotten));
}

#[test]
fn what_waits_in_a_stalled_mailbox_is_not_taken_for_handled() {
    let (mut alice, mut bob) = pair();
    alice.write("honest", NOW);
    let sends = alice.sends(&mut bob, NOW);
    let mut forged = body(&sends[0]).to_vec();
    *forged.last_mut().unwrap() ^= 1;
    let mut envelopes: Vec<Delivery> = (0..20)
        .map(|_| bob.envelope(forged.clone().into()))
        .collect();
    let honest = bob.envelope(body(&sends[0]));
    envelopes.push(honest.clone());
    bob.step(Input::Deliveries(envelopes), NOW);
    assert!(bob.core.is_inbox_stalled());
    // The connection is lost meanwhile, so that it comes once more.
    bob.step(Input::LinkDown, NOW);
    bob.link_up(later(60_000));
    bob.step(Input::Deliveries(vec![honest]), later(60_000));
    assert_eq!(bob.received(), 1);
}

#[test]
fn failing_first_messages_make_the_mailbox_wait_and_nothing_honest_is_lost() {
    let (mut alice, mut bob) = pair();
    alice.write("honest", NOW);
    let sends = alice.sends(&mut bob, NOW);
    let honest = body(&sends[0]);
    let mut forged = honest.to_vec();
    *forged.last_mut().unwrap() ^= 1;
    let mut envelopes: Vec<Delivery> = (0..25)
        .map(|_| bob.envelope(forged.clone().into()))
        .collect();
    let last = bob.envelope(honest);
    envelopes.push(last);
    bob.step(Input::Deliveries(envelopes), NOW);
    assert_eq!((bob.received(), bob.acknowledged()), (0, Some(20)));
    assert!(bob.core.is_inbox_stalled());
    assert_eq!(bob.core.wake_at_millis(), Some(later(60_000).unix_millis));
    bob.step(Input::Timer, later(60_000));
    assert_eq!((bob.received(), bob.acknowledged()), (1, Some(26)));
    assert!(!bob.core.is_inbox_stalled());
}

#[test]
fn the_same_bytes_are_sent_again_after_a_loss_and_after_a_refusal_for_now() {
    let (mut alice, mut bob) = pair();
    alice.write("hi", NOW);
    let first = alice.sends(&mut bob, NOW);
    alice.step(Input::LinkDown, NOW);
    alice.link_up(NOW);
    let second = alice.sends(&mut bob, NOW);
    assert_eq!(
        (first[0].id, body(&first[0])),
        (second[0].id, body(&second[0]))
    );
    let refused = Refused {
        request: second[0].request,
        reason: Refusal::MailboxFull,
        retry_after_millis: 700,
    };
    alice.step(Input::Replies(vec![refused.into()]), NOW);
    assert!(alice.sends(&mut bob, NOW).is_empty());
    assert_eq!(alice.core.wake_at_millis(), Some(later(700).unix_millis));
    alice.step(Input::Timer, later(700));
    let third = alice.sends(&mut bob, later(700));
    assert_eq!(
        (first[0].id, body(&first[0])),
        (third[0].id, body(&third[0]))
    );
}

#[test]
fn a_refused_message_fails_and_can_be_sent_again() {
    let (mut alice, mut bob) = pair();
    alice.write("hi", NOW);
    let sends = alice.sends(&mut bob, NOW);
    let refused = Refused {
        request: sends[0].request,
        reason: Refusal::DeviceUnknown,
        retry_after_millis: 0,
    };
    alice.step(Input::Replies(vec![refused.into()]), NOW);
    assert_eq!(alice.progress(), Progress::Failed);
    let added = alice.commits.iter().find_map(|change| match change {
        Change::AddMessage(record) => Some(record.clone()),
        _ => None,
    });
    let mut record = added.unwrap();
    record.delivery = Progress::Failed;
    alice.step(Input::Act(Action::Retry(record)), NOW);
    assert_eq!(alice.progress(), Progress::Sending);
    let again = alice.sends(&mut bob, NOW);
    assert_eq!(again.len(), 1);
    assert_ne!(body(&again[0]), body(&sends[0]), "sealed anew");
    let envelope = bob.envelope(body(&again[0]));
    bob.step(Input::Deliveries(vec![envelope]), NOW);
    assert_eq!(bob.received(), 1);
}

#[test]
fn nothing_is_asked_or_sealed_before_the_peer_is_known() {
    let (mut alice, mut bob) = (Side::new(0), Side::new(1));
    alice.write("early", NOW);
    assert!(alice.sends(&mut bob, NOW).is_empty());
    assert_eq!(alice.row().presence, Presence::NotJoined);
    alice.meet(&bob, NOW);
    assert_eq!(alice.sends(&mut bob, NOW).len(), 1);
}

#[test]
fn a_bundle_with_another_identity_starts_no_session() {
    let (mut alice, mut bob) = pair();
    alice.write("hi", NOW);
    // The relay mixes in Alice's own prekeys.
    let (signed, one_time) = (alice.signed.clone(), alice.one_time.clone());
    bob.signed = signed;
    bob.one_time = one_time;
    assert!(alice.sends(&mut bob, NOW).is_empty());
    assert_eq!(alice.progress(), Progress::Sending);
    assert_eq!(alice.row().trust, Trust::Unverified);
    assert_eq!(alice.core.wake_at_millis(), Some(later(30_000).unix_millis));
}

#[test]
fn r19_the_longest_wait_that_a_relay_can_ask_for_ends_with_the_connection() {
    let (mut alice, mut bob) = pair();
    alice.write("hi", NOW);
    let first = alice.sends(&mut bob, NOW);
    let refused = |request| Refused {
        request,
        reason: Refusal::RateLimited,
        retry_after_millis: u32::MAX,
    };
    let refused_send = refused(first[0].request);
    alice.step(Input::Replies(vec![refused_send.into()]), NOW);
    let day = 24 * 60 * 60 * 1000;
    alice.step(Input::Timer, later(day));
    assert!(alice.sends(&mut bob, later(day)).is_empty());
    assert_eq!(alice.progress(), Progress::Sending, "and it says so");
    alice.step(Input::LinkDown, later(day));
    alice.link_up(later(day));
    let second = alice.sends(&mut bob, later(day));
    assert_eq!(body(&first[0]), body(&second[0]));
}
