//! A relay that reorders, drops, turns back, repeats and mistakes what people write and who they
//! are, in front of the real client (`R` numbers as in tests/README.md). After each attack the next
//! honest message still works.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail their test")]

use std::path::Path;
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use sotto_client::view::{Delivery as Progress, Notice, Trust};
use sotto_crypto::Identity;
use sotto_net::wire::{ClientFrame, DeviceKey, Done, EnvelopeId, Send};
use sotto_tests::{Conduct, Desk, Liar};
use tempfile::tempdir;

/// A computer on which only this identity is open.
fn desk(dir: &Path, liar: &Liar, who: &str) -> Desk {
    let desk = Desk::open_only(&dir.join(who), Some(liar.invite()), who);
    liar.words(who);
    desk
}

fn device(liar: &Liar, handle: &str) -> DeviceKey {
    liar.ledger(|ledger| ledger.device(handle)).unwrap()
}

/// Envelopes for these people are confirmed, and go no further than here.
fn hold(liar: &Liar, handles: &[&str]) -> Arc<Mutex<Vec<Send>>> {
    let devices: Vec<_> = handles.iter().map(|handle| device(liar, handle)).collect();
    let held = Arc::new(Mutex::new(Vec::new()));
    let into = Arc::clone(&held);
    liar.lie(move |_, frame, words| match frame {
        ClientFrame::Send(send)
            if send
                .targets
                .first()
                .is_some_and(|(to, _)| devices.contains(to)) =>
        {
            into.lock().unwrap().push(send.clone());
            let request = send.request;
            words.reply(Done { request });
            Conduct::Silent
        }
        _ => Conduct::Honest,
    });
    held
}

/// Hands an envelope over, to whom it is for or to somebody else.
fn deliver(liar: &Liar, to: &str, id: EnvelopeId, body: &Bytes) {
    let device = device(liar, to);
    let delivery = liar.ledger(|ledger| ledger.put(device, id, body.clone()));
    liar.words(to).deliver(delivery);
}

/// Waits until exactly these own messages have come so far.
fn wait_progress(desk: &Desk, who: &str, with: &str, expected: &[Progress]) {
    desk.show(who, with);
    desk.wait_messages(who, with, &format!("{expected:?}"), |messages| {
        let own = messages.iter().filter(|message| message.is_mine);
        own.map(|message| message.delivery)
            .eq(expected.iter().copied())
            .then_some(())
    });
}

fn wait_unopened(desk: &Desk, who: &str, messages: u32) {
    desk.wait(who, "what does not open", |view| {
        (view.notice == Some(Notice::Unopened { messages })).then_some(())
    });
}

#[test]
fn r2_what_is_reordered_within_and_between_conversations_is_shown_once_each() {
    let dir = tempdir().unwrap();
    let liar = Liar::start();
    let [alice, bob, charlie] = ["alice", "bob", "charlie"].map(|who| desk(dir.path(), &liar, who));
    for (author, who) in [(&alice, "alice"), (&charlie, "charlie")] {
        author.write(who, "bob", "hi");
        bob.read("bob", who, &["hi"]);
        wait_progress(author, who, "bob", &[Progress::Read]);
    }
    let held = hold(&liar, &["bob"]);
    for (author, who) in [(&alice, "alice"), (&charlie, "charlie")] {
        for text in ["one", "two", "three"] {
            author.write(who, "bob", text);
        }
        let sent = [&[Progress::Read][..], &[Progress::Relay; 3]].concat();
        wait_progress(author, who, "bob", &sent);
    }
    liar.be_honest();
    let held = std::mem::take(&mut *held.lock().unwrap());
    for send in held.iter().rev() {
        for (_, body) in &send.targets {
            deliver(&liar, "bob", send.id, body);
        }
    }
    for (author, who) in [(&alice, "alice"), (&charlie, "charlie")] {
        author.write(who, "bob", "and on");
        bob.read("bob", who, &["hi", "three", "two", "one", "and on"]);
        wait_progress(author, who, "bob", &[Progress::Read; 5]);
    }
    assert_eq!(bob.view("bob").notice, None);
}

#[test]
fn r3_what_is_dropped_never_counts_as_delivered_and_holds_up_nothing() {
    let dir = tempdir().unwrap();
    let liar = Liar::start();
    let [alice, bob] = ["alice", "bob"].map(|who| desk(dir.path(), &liar, who));
    alice.write("alice", "bob", "hi");
    bob.read("bob", "alice", &["hi"]);
    wait_progress(&alice, "alice", "bob", &[Progress::Read]);
    let held = hold(&liar, &["bob"]);
    alice.write("alice", "bob", "dropped");
    wait_progress(&alice, "alice", "bob", &[Progress::Read, Progress::Relay]);
    liar.be_honest();
    alice.write("alice", "bob", "behind it");
    bob.read("bob", "alice", &["hi", "behind it"]);
    // Those at the end, too.
    let at_the_end = hold(&liar, &["bob"]);
    alice.write("alice", "bob", "the last");
    let progress = [
        Progress::Read,
        Progress::Relay,
        Progress::Read,
        Progress::Relay,
    ];
    wait_progress(&alice, "alice", "bob", &progress);
    assert_eq!(
        (held.lock().unwrap().len(), at_the_end.lock().unwrap().len()),
        (1, 1)
    );
    bob.read("bob", "alice", &["hi", "behind it"]);
}

#[test]
fn r4_another_identity_at_first_contact_shows_in_the_safety_number() {
    let dir = tempdir().unwrap();
    let liar = Liar::start();
    let bob = desk(dir.path(), &liar, "bob");
    let honest = liar.ledger(|ledger| ledger.entry("bob")).unwrap();
    let intruder = Identity::generate(&mut rand::rng()).unwrap();
    let mut forged = honest.clone();
    forged.identity = Some(intruder.public().encode().into());
    let number = |desk: &Desk, who: &str, with: &str, trust: Trust| {
        desk.wait(who, &format!("{with} as {trust:?}"), |view| {
            let row = view.chats.iter().find(|row| row.handle == with)?;
            (row.trust == trust).then(|| row.safety_number.clone())?
        })
    };
    liar.ledger(|ledger| ledger.replace(&forged));
    let alice = desk(dir.path(), &liar, "alice");
    let seen_by_alice = number(&alice, "alice", "bob", Trust::Unverified);
    let seen_by_bob = number(&bob, "bob", "alice", Trust::Unverified);
    assert_ne!(seen_by_alice, seen_by_bob);
    // The truth comes as a change, which is said.
    liar.words("alice").reply(honest);
    let seen_by_alice = number(&alice, "alice", "bob", Trust::Changed);
    assert_eq!(seen_by_alice, seen_by_bob);
}

#[test]
fn r11_what_is_turned_back_to_its_author_opens_nowhere_and_does_no_harm() {
    let dir = tempdir().unwrap();
    let liar = Liar::start();
    let [alice, bob] = ["alice", "bob"].map(|who| desk(dir.path(), &liar, who));
    let held = hold(&liar, &["bob"]);
    alice.write("alice", "bob", "first");
    wait_progress(&alice, "alice", "bob", &[Progress::Relay]);
    let first = held.lock().unwrap().remove(0);
    liar.be_honest();
    let (_, body) = first.targets.first().unwrap();
    deliver(&liar, "alice", first.id, body);
    wait_unopened(&alice, "alice", 1);
    deliver(&liar, "bob", first.id, body);
    bob.read("bob", "alice", &["first"]);
    alice.write("alice", "bob", "and on");
    bob.read("bob", "alice", &["first", "and on"]);
    wait_progress(&alice, "alice", "bob", &[Progress::Read; 2]);
}

#[test]
fn r14_without_one_time_prekeys_first_messages_open_all_the_same() {
    let dir = tempdir().unwrap();
    let liar = Liar::start();
    let bob = desk(dir.path(), &liar, "bob");
    let bobs = device(&liar, "bob");
    for who in ["alice", "charlie"] {
        liar.ledger(|ledger| ledger.forget_one_time(bobs));
        let author = desk(dir.path(), &liar, who);
        author.write(who, "bob", "first");
        bob.read("bob", who, &["first"]);
        author.write(who, "bob", "next");
        bob.read("bob", who, &["first", "next"]);
        wait_progress(&author, who, "bob", &[Progress::Read; 2]);
    }
}

#[test]
fn r20_a_first_contact_that_is_replayed_is_not_accepted_again() {
    let dir = tempdir().unwrap();
    let liar = Liar::start();
    let bob = desk(dir.path(), &liar, "bob");
    let bobs = device(&liar, "bob");
    // Nothing but the digest of the handshake tells that it was there before.
    liar.ledger(|ledger| ledger.forget_one_time(bobs));
    let alice = desk(dir.path(), &liar, "alice");
    let held = hold(&liar, &["bob"]);
    alice.write("alice", "bob", "first");
    wait_progress(&alice, "alice", "bob", &[Progress::Relay]);
    liar.be_honest();
    let first = held.lock().unwrap().remove(0);
    let (_, body) = first.targets.first().unwrap();
    deliver(&liar, "bob", first.id, body);
    bob.read("bob", "alice", &["first"]);
    for replay in 1..=2 {
        deliver(&liar, "bob", EnvelopeId([replay; 16]), body);
        wait_unopened(&bob, "bob", replay.into());
    }
    // The mailbox of a client that is started anew, too.
    drop(bob);
    let bob = desk(dir.path(), &liar, "bob");
    deliver(&liar, "bob", EnvelopeId([3; 16]), body);
    wait_unopened(&bob, "bob", 1);
    alice.write("alice", "bob", "and on");
    bob.read("bob", "alice", &["first", "and on"]);
}

#[test]
fn r21_what_does_not_open_is_acknowledged_like_what_does() {
    let dir = tempdir().unwrap();
    let liar = Liar::start();
    let [alice, bob] = ["alice", "bob"].map(|who| desk(dir.path(), &liar, who));
    alice.write("alice", "bob", "hi");
    bob.read("bob", "alice", &["hi"]);
    wait_progress(&alice, "alice", "bob", &[Progress::Read]);
    let held = hold(&liar, &["bob"]);
    alice.write("alice", "bob", "next");
    wait_progress(&alice, "alice", "bob", &[Progress::Read, Progress::Relay]);
    let next = held.lock().unwrap().remove(0);
    let (_, body) = next.targets.first().unwrap();
    let acknowledged = Arc::new(Mutex::new(Vec::new()));
    let into = Arc::clone(&acknowledged);
    liar.lie(move |_, frame, _| {
        if let ClientFrame::Acknowledge(acknowledge) = frame {
            into.lock().unwrap().push(acknowledge.up_to);
        }
        Conduct::Honest
    });
    // Each byte by itself is looked at in sotto-crypto; here, one of each part, and what is no packet.
    let places = [0, 1, 20, body.len() / 2, body.len() - 1];
    let mut broken: Vec<Bytes> = places
        .iter()
        .map(|place| {
            let changed = body.iter().enumerate();
            changed
                .map(|(at, byte)| byte ^ u8::from(at == *place))
                .collect()
        })
        .collect();
    broken.extend([body.slice(..100), Bytes::new()]);
    for (number, body) in (1..).zip(&broken) {
        deliver(&liar, "bob", EnvelopeId([number; 16]), body);
        wait_unopened(&bob, "bob", number.into());
    }
    let of_broken = acknowledged.lock().unwrap().clone();
    let first = *of_broken.first().unwrap();
    assert!(
        of_broken
            .iter()
            .copied()
            .eq((first..).take(of_broken.len()))
    );
    deliver(&liar, "bob", next.id, body);
    bob.read("bob", "alice", &["hi", "next"]);
    wait_progress(&alice, "alice", "bob", &[Progress::Read; 2]);
    // Alice acknowledges receipts meanwhile.
    let up_to = first + broken.len() as u64;
    assert!(acknowledged.lock().unwrap().contains(&up_to));
}
