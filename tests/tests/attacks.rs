//! What a hostile relay, network or finder of a disk gets: nothing, and it is noticed.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "helpers of tests fail their test"
)]

use std::fs;
use std::path::Path;

use sotto_client::Command;
use sotto_client::view::{Delivery, Notice, ProfileState, RelayProblem, RelayState, Trust};
use sotto_crypto::{Identity, OpenError, Packet};
use sotto_net::link::{Cursor, Link, LinkError};
use sotto_net::quic;
use sotto_net::wire::{DeviceKey, Refusal, StoreId};
use sotto_net::{Invite, RelayPin};
use sotto_tests::{Desk, Host, Tap, texts};
use tempfile::tempdir;

const START: Cursor = Cursor {
    store: StoreId([0; 16]),
    after: 0,
};

#[test]
fn a_relay_with_another_key_is_refused() {
    let dir = tempdir().unwrap();
    let host = Host::start(&dir.path().join("relay"));
    let wrong = Invite::to(host.address(), RelayPin([7; 32]));
    let desk = Desk::open_only(dir.path(), Some(wrong), "alice");
    desk.wait("alice", "the wrong key", |view| {
        (view.relay == RelayState::Offline(Some(RelayProblem::WrongPin))).then_some(())
    });
    desk.write("alice", "bob", "kept until the right relay is there");
    desk.wait_messages("alice", "bob", "it waits", |messages| {
        (messages.len() == 1 && messages[0].delivery == Delivery::Sending).then_some(())
    });
    desk.relay.send_replace(Some(host.invite()));
    desk.wait("alice", "the right relay", |view| {
        (view.relay == RelayState::Connected).then_some(())
    });
}

#[tokio::test]
async fn a_login_cannot_be_replayed_on_another_connection() {
    let dir = tempdir().unwrap();
    let dir = dir.path().join("relay");
    let host = tokio::task::spawn_blocking(move || Host::start(&dir))
        .await
        .unwrap();
    let identity = Identity::generate(&mut rand::rng()).unwrap();
    let device = DeviceKey(identity.public().device_key());
    let (address, pin) = (host.address(), host.invite().pin().unwrap());
    let endpoint = quic::dialer(address).unwrap();
    let mut seen = [0; 64];
    let honest = Link::open(&endpoint, address, pin, device, START, |exporter| {
        seen = identity.sign_login(pin.as_bytes(), exporter);
        seen
    })
    .await;
    assert!(honest.is_ok());
    let replayed = Link::open(&endpoint, address, pin, device, START, |_| seen).await;
    assert!(
        matches!(replayed, Err(LinkError::Refused(Refusal::Proof))),
        "{replayed:?}"
    );
    tokio::task::spawn_blocking(move || drop(host))
        .await
        .unwrap();
}

#[test]
fn a_tampered_envelope_is_noticed_and_the_next_honest_one_opens() {
    let dir = tempdir().unwrap();
    let tap = Tap::default();
    let host = Host::start_with(&dir.path().join("relay"), |store| tap.around(store));
    let desk = Desk::open(dir.path(), Some(host.invite()));
    desk.write("alice", "bob", "one");
    desk.read("bob", "alice", &["one"]);
    desk.write("bob", "alice", "two");
    desk.read("alice", "bob", &["one", "two"]);
    desk.wait_messages("bob", "alice", "all receipts", |messages| {
        (messages.last()?.delivery == Delivery::Read).then_some(())
    });
    tap.damage_next(1);
    desk.write("alice", "bob", "damaged on the way");
    desk.wait("bob", "that something could not be opened", |view| {
        (view.notice == Some(Notice::Unopened { messages: 1 })).then_some(())
    });
    desk.write("alice", "bob", "three");
    desk.read("bob", "alice", &["one", "two", "three"]);
    // The damaged one never counts as delivered.
    desk.show("alice", "bob");
    desk.wait_messages("alice", "bob", "three read", |messages| {
        (messages.last()?.delivery == Delivery::Read).then_some(())
    });
    desk.wait_messages("alice", "bob", "the damaged one at the relay", |messages| {
        let damaged = messages.iter().rev().nth(1)?;
        (damaged.delivery == Delivery::Relay).then_some(())
    });
}

#[test]
fn a_tampered_first_message_does_not_stop_the_next() {
    let dir = tempdir().unwrap();
    let tap = Tap::default();
    let host = Host::start_with(&dir.path().join("relay"), |store| tap.around(store));
    let desk = Desk::open(dir.path(), Some(host.invite()));
    tap.damage_next(1);
    desk.write("alice", "bob", "damaged on the way");
    desk.wait("bob", "that something could not be opened", |view| {
        matches!(view.notice, Some(Notice::Unopened { .. })).then_some(())
    });
    desk.write("alice", "bob", "whole");
    desk.read("bob", "alice", &["whole"]);
}

#[test]
fn what_the_relay_sees_and_stores_holds_neither_text_nor_sender() {
    const SECRET: &str = "the eagle lands at nine";
    let dir = tempdir().unwrap();
    let relay_dir = dir.path().join("relay");
    let tap = Tap::default();
    let mut host = Host::start_with(&relay_dir, |store| tap.around(store));
    let (one, two) = (dir.path().join("one"), dir.path().join("two"));
    let bob = Desk::open_only(&two, Some(host.invite()), "bob");
    bob.wait("bob", "the relay", |view| {
        (view.relay == RelayState::Connected).then_some(())
    });
    let alice = Desk::open_only(&one, Some(host.invite()), "alice");
    alice.write("alice", "bob", SECRET);
    bob.read("bob", "alice", &[SECRET]);
    // Bob leaves, so that further envelopes stay at the relay.
    drop(bob);
    alice.write("alice", "bob", SECRET);
    alice.wait_messages("alice", "bob", "both at the relay", |messages| {
        (messages.len() == 2 && messages[1].delivery == Delivery::Relay).then_some(())
    });
    drop(alice);
    host.stop();

    let bodies = tap.bodies();
    assert!(bodies.len() >= 3, "two messages and a receipt");
    for body in &bodies {
        assert!(!contains(body, SECRET.as_bytes()));
        for name in ["alice", "Alice", "bob", "Bob"] {
            assert!(!contains(body, name.as_bytes()), "{name}");
        }
    }
    let waiting = bodies.last().unwrap();
    assert!(contains_in_folder(&relay_dir, waiting), "the search works");
    assert!(!contains_in_folder(&relay_dir, SECRET.as_bytes()));
    // Nor do the vaults show anything to whoever finds the disk.
    for folder in [&one, &two] {
        assert!(!contains_in_folder(folder, SECRET.as_bytes()));
        assert!(!contains_in_folder(folder, b"Charlie"));
    }
}

#[test]
fn two_envelopes_of_one_sender_share_no_bytes_that_could_link_them() {
    let dir = tempdir().unwrap();
    let tap = Tap::default();
    let host = Host::start_with(&dir.path().join("relay"), |store| tap.around(store));
    let desk = Desk::open(dir.path(), Some(host.invite()));
    desk.write("alice", "bob", "one");
    desk.read("bob", "alice", &["one"]);
    desk.write("bob", "alice", "two");
    desk.read("alice", "bob", &["one", "two"]);
    let before = tap.bodies().len();
    desk.write("alice", "bob", "three");
    desk.write("alice", "bob", "three");
    desk.read("bob", "alice", &["one", "two", "three", "three"]);
    let bodies = tap.bodies();
    let bodies = &bodies[before..];
    for (index, body) in bodies.iter().enumerate() {
        assert!(matches!(Packet::parse(body), Ok(packet) if packet.handshake().is_none()));
        for other in &bodies[index + 1..] {
            let shared = body
                .windows(8)
                .any(|window| other.windows(8).any(|other| other == window));
            assert!(!shared, "eight bytes in common");
        }
    }
    assert!(matches!(Packet::parse(&[]), Err(OpenError::Malformed)));
}

#[test]
fn a_changed_identity_blocks_sending_until_it_is_accepted() {
    let dir = tempdir().unwrap();
    let (one, two) = (dir.path().join("one"), dir.path().join("two"));
    let first = Host::start(&dir.path().join("relay"));
    let alice = Desk::open_only(&one, Some(first.invite()), "alice");
    let bob = Desk::open_only(&two, Some(first.invite()), "bob");
    alice.write("alice", "bob", "to the first Bob");
    bob.read("bob", "alice", &["to the first Bob"]);
    let old = alice.chat("alice", "bob").safety_number;
    drop(bob);
    alice.write("alice", "bob", "never seen by the first Bob");
    alice.wait_messages("alice", "bob", "it is at the relay", |messages| {
        (messages.last()?.delivery == Delivery::Relay).then_some(())
    });
    drop(first);

    // Another relay, where somebody else has Bob's handle.
    let second = Host::start(&dir.path().join("other-relay"));
    let bob = Desk::open_only(&dir.path().join("three"), Some(second.invite()), "bob");
    alice.relay.send_replace(Some(second.invite()));
    alice.wait("alice", "a changed identity", |view| {
        view.chats
            .iter()
            .any(|row| row.handle == "bob" && row.trust == Trust::Changed)
            .then_some(())
    });
    assert_ne!(alice.chat("alice", "bob").safety_number, old);
    alice.write("alice", "bob", "held back");
    // What the other Bob writes is not shown as if it came from the one who is known.
    bob.write("bob", "alice", "it is me");
    alice.wait("alice", "a chat of its own", |view| {
        view.chats
            .iter()
            .any(|row| row.handle.is_empty() && row.unread == 1)
            .then_some(())
    });
    alice.show("alice", "bob");
    alice.wait_messages("alice", "bob", "it is held back", |messages| {
        (messages.last()?.delivery == Delivery::Sending).then_some(())
    });
    let row = alice.chat("alice", "bob");
    let (chat, safety_number) = (row.id, row.safety_number.unwrap());
    let accept = Command::AcceptIdentity {
        chat,
        safety_number,
    };
    alice.command("alice", accept);
    // Messages that the old identity never confirmed are sent to the new one.
    bob.show("bob", "alice");
    bob.wait_messages("bob", "alice", "both", |messages| {
        (texts(messages) == ["it is me", "never seen by the first Bob", "held back"]).then_some(())
    });
    let row = alice.wait("alice", "one chat again", |view| {
        let row = view.chats.iter().find(|row| row.handle == "bob")?;
        (row.trust == Trust::Unverified && view.chats.len() == 3).then(|| row.clone())
    });
    assert_eq!(row.unread, 1);
}

#[test]
fn a_passphrase_protects_the_vault_and_a_wrong_one_changes_nothing() {
    let dir = tempdir().unwrap();
    let host = Host::start(&dir.path().join("relay"));
    let open = || Desk::open_only(dir.path(), Some(host.invite()), "alice");
    let pass = |text: &str| sotto_client::Passphrase::from(text.to_owned());
    let desk = open();
    desk.write("alice", "bob", "kept");
    desk.wait_messages("alice", "bob", "the text", |messages| {
        (messages.len() == 1).then_some(())
    });
    let (current, new) = (pass(""), pass("correct horse"));
    desk.command("alice", Command::SetPassphrase { current, new });
    desk.wait("alice", "a passphrase", |view| {
        (view.has_passphrase && view.notice == Some(Notice::PassphraseSet)).then_some(())
    });
    let profile = dir.path().join("profiles/alice");
    assert!(!profile.join("vault.key").exists());
    desk.command("alice", Command::Lock);
    locked(&desk, false);
    drop(desk);

    let before = files(&profile);
    let desk = open();
    locked(&desk, false);
    desk.command("alice", Command::Unlock(pass("wrong horse")));
    locked(&desk, true);
    assert_eq!(
        files(&profile),
        before,
        "a wrong passphrase changes no file"
    );
    desk.command("alice", Command::Unlock(pass("correct horse")));
    desk.wait_ready("alice");
    desk.show("alice", "bob");
    desk.wait_messages("alice", "bob", "the text", |messages| {
        (texts(messages) == ["kept"]).then_some(())
    });
    let (current, new) = (pass("wrong horse"), pass(""));
    desk.command("alice", Command::SetPassphrase { current, new });
    desk.wait("alice", "that it was wrong", |view| {
        (view.notice == Some(Notice::PassphraseWrong)).then_some(())
    });
    let (current, new) = (pass("correct horse"), pass(""));
    desk.command("alice", Command::SetPassphrase { current, new });
    desk.wait("alice", "no passphrase", |view| {
        (!view.has_passphrase).then_some(())
    });
    drop(desk);
    open().wait_ready("alice");
}

fn locked(desk: &Desk, wrong: bool) {
    let expected = ProfileState::Locked {
        wrong,
        checking: false,
    };
    desk.wait("alice", "the lock", |view| {
        (view.state == expected).then_some(())
    });
}

/// Names and contents of a folder's files.
fn files(folder: &Path) -> Vec<(String, Vec<u8>)> {
    let mut files: Vec<_> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| {
            let entry = entry.unwrap();
            let name = entry.file_name().into_string().unwrap();
            (name, fs::read(entry.path()).unwrap())
        })
        .collect();
    files.sort();
    files
}

fn contains(haystack: &[u8], needle: &[u8]) -> bool {
    haystack
        .windows(needle.len())
        .any(|window| window == needle)
}

/// Whether a file below this folder holds these bytes (or a good part of them, as a database
/// spreads long ones over several pages).
fn contains_in_folder(folder: &Path, needle: &[u8]) -> bool {
    let needle = &needle[..needle.len().min(64)];
    fs::read_dir(folder).unwrap().any(|entry| {
        let path = entry.unwrap().path();
        if path.is_dir() {
            contains_in_folder(&path, needle)
        } else {
            contains(&fs::read(path).unwrap(), needle)
        }
    })
}
