//! A relay that means harm, in front of the real client (`R` numbers as in SECURITY.md). After each
//! attack the next honest message still works.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "helpers of tests fail their test"
)]

use std::path::Path;
use std::sync::{Arc, Mutex, mpsc};
use std::time::Duration;

use bytes::Bytes;
use sotto_client::Command;
use sotto_client::view::{Delivery as Progress, Notice, RelayProblem, RelayState, Trust};
use sotto_crypto::Identity;
use sotto_net::frame::{FRAME_BYTES_MAX, FrameReader};
use sotto_net::login;
use sotto_net::quic;
use sotto_net::wire::{
    Bundle, ClientFrame, Delivery, DeviceKey, Done, Entry, Login, Refusal, RelayFrame, Send,
    StoreId,
};
use sotto_tests::{Conduct, Desk, Host, Liar, Stream, bytes, texts};
use tempfile::tempdir;

/// Alice and Bob at this relay, with a session that both have used.
fn talking(dir: &Path, liar: &Liar) -> (Desk, Desk) {
    let alice = Desk::open_only(&dir.join("one"), Some(liar.invite()), "alice");
    let bob = Desk::open_only(&dir.join("two"), Some(liar.invite()), "bob");
    alice.write("alice", "bob", "hi");
    bob.read("bob", "alice", &["hi"]);
    wait_progress(&alice, &[Progress::Read]);
    (alice, bob)
}

/// Waits until Alice's messages to Bob have come exactly so far.
fn wait_progress(alice: &Desk, expected: &[Progress]) {
    alice.show("alice", "bob");
    alice.wait_messages("alice", "bob", &format!("{expected:?}"), |messages| {
        let progress: Vec<_> = messages.iter().map(|message| message.delivery).collect();
        (progress == expected).then_some(())
    });
}

/// Waits until the client has heard everything that was said to it before.
fn wait_heard(liar: &Liar, desk: &Desk, who: &str, mark: &str) {
    liar.words(who).reply(Entry {
        request: 0,
        handle: "charlie".to_owned(),
        name: mark.to_owned(),
        identity: None,
    });
    desk.wait(who, mark, |view| {
        view.chats.iter().any(|row| row.name == mark).then_some(())
    });
}

/// The envelopes for one device that pass the relay from now on.
fn record(liar: &Liar, handle: &str) -> Arc<Mutex<Vec<Send>>> {
    let device = liar.ledger(|ledger| ledger.device(handle)).unwrap();
    let seen = Arc::new(Mutex::new(Vec::new()));
    let into = Arc::clone(&seen);
    liar.lie(move |_, frame, _| {
        if let ClientFrame::Send(send) = frame
            && send.targets[0].0 == device
        {
            into.lock().unwrap().push(send.clone());
        }
        Conduct::Honest
    });
    seen
}

fn body(send: &Send) -> Bytes {
    send.targets[0].1.clone()
}

#[test]
fn r1_a_replayed_envelope_is_passed_over_on_every_connection_and_after_a_restart() {
    let dir = tempdir().unwrap();
    let liar = Liar::start();
    let (alice, bob) = talking(dir.path(), &liar);
    let device = liar.ledger(|ledger| ledger.device("bob")).unwrap();
    let seen = record(&liar, "bob");
    alice.write("alice", "bob", "once");
    bob.read("bob", "alice", &["hi", "once"]);
    let recorded = seen.lock().unwrap()[0].clone();
    let replay = || liar.ledger(|ledger| ledger.put(device, recorded.id, body(&recorded)));

    // On the same connection, with a new place.
    let again = replay();
    liar.words("bob").deliver(again);
    alice.write("alice", "bob", "two");
    bob.read("bob", "alice", &["hi", "once", "two"]);
    // On a new one.
    let logins = liar.logins().len();
    liar.hang_up("bob");
    replay();
    liar.wait_logins(logins + 1);
    alice.write("alice", "bob", "three");
    bob.read("bob", "alice", &["hi", "once", "two", "three"]);
    assert_eq!(bob.view("bob").notice, None);
    // To a client that was started anew.
    drop(bob);
    replay();
    let bob = Desk::open_only(&dir.path().join("two"), Some(liar.invite()), "bob");
    alice.write("alice", "bob", "four");
    let all = ["hi", "once", "two", "three", "four"];
    bob.read("bob", "alice", &all);
    assert_eq!(bob.view("bob").notice, None);
    // Under another id it gets as far as the session, which has opened it before.
    let id = sotto_net::wire::EnvelopeId([9; 16]);
    let again = liar.ledger(|ledger| ledger.put(device, id, body(&recorded)));
    liar.words("bob").deliver(again);
    bob.wait("bob", "that it does not open", |view| {
        (view.notice == Some(Notice::Unopened { messages: 1 })).then_some(())
    });
    alice.write("alice", "bob", "five");
    bob.read("bob", "alice", &[&all[..], &["five"]].concat());
}

#[test]
fn r5_a_relay_that_flips_between_two_identities_gets_no_message_to_the_wrong_one() {
    let dir = tempdir().unwrap();
    let liar = Liar::start();
    let (alice, bob) = talking(dir.path(), &liar);
    let honest = liar.ledger(|ledger| ledger.entry("bob")).unwrap();
    // Somebody else claims the handle, and the relay lets them.
    let other = Desk::open_only(&dir.path().join("three"), Some(liar.invite()), "bob");
    let wait_trust = |expected: Trust| {
        alice.wait("alice", &format!("{expected:?}"), |view| {
            let row = view.chats.iter().find(|row| row.handle == "bob")?;
            (row.trust == expected).then(|| row.clone())
        })
    };
    let before = alice.chat("alice", "bob").safety_number;
    wait_trust(Trust::Changed);
    let forged = liar.ledger(|ledger| ledger.entry("bob")).unwrap();
    assert_ne!(honest.identity, forged.identity);
    let to_other = record(&liar, "bob");
    let words = liar.words("alice");
    let mut expected = vec!["hi"];
    for text in ["one", "two", "three"] {
        alice.write("alice", "bob", text);
        words.reply(honest.clone());
        wait_trust(Trust::Unverified);
        expected.push(text);
        bob.read("bob", "alice", &expected);
        wait_progress(&alice, &vec![Progress::Read; expected.len()]);
        words.reply(forged.clone());
        wait_trust(Trust::Changed);
    }
    alice.write("alice", "bob", "held back");
    wait_heard(&liar, &alice, "alice", "Marked");
    assert!(to_other.lock().unwrap().is_empty());
    // What was decided about the one before is not taken for the other.
    let row = wait_trust(Trust::Changed);
    let accept = |safety_number: &Option<String>| Command::AcceptIdentity {
        chat: row.id,
        safety_number: safety_number.clone().unwrap(),
    };
    alice.command("alice", accept(&before));
    wait_heard(&liar, &alice, "alice", "Marked again");
    wait_trust(Trust::Changed);
    assert!(to_other.lock().unwrap().is_empty());
    alice.command("alice", accept(&row.safety_number));
    other.read("bob", "alice", &["held back"]);
    alice.write("alice", "bob", "and on");
    other.read("bob", "alice", &["held back", "and on"]);
}

#[test]
fn r15_what_is_acknowledged_and_not_stored_never_counts_as_delivered() {
    let dir = tempdir().unwrap();
    let liar = Liar::start();
    let (alice, bob) = talking(dir.path(), &liar);
    liar.lie(|_, frame, words| match frame {
        ClientFrame::Send(send) => {
            let request = send.request;
            words.reply(Done { request });
            Conduct::Silent
        }
        _ => Conduct::Honest,
    });
    alice.write("alice", "bob", "dropped");
    wait_progress(&alice, &[Progress::Read, Progress::Relay]);
    liar.be_honest();
    alice.write("alice", "bob", "kept");
    bob.read("bob", "alice", &["hi", "kept"]);
    wait_progress(&alice, &[Progress::Read, Progress::Relay, Progress::Read]);
}

#[test]
fn r15_answers_of_the_wrong_number_or_sort_or_twice_settle_nothing() {
    let dir = tempdir().unwrap();
    let liar = Liar::start();
    let (alice, bob) = talking(dir.path(), &liar);
    let (held, holding) = mpsc::channel();
    liar.lie(move |_, frame, words| match frame {
        ClientFrame::Send(send) => {
            let request = send.request;
            for request in [0, request + 1, request - 1, u32::MAX] {
                words.reply(Done { request });
            }
            let signed = Bytes::new();
            words.reply(Bundle {
                request,
                signed,
                one_time: None,
            });
            held.send(request).unwrap();
            Conduct::Silent
        }
        _ => Conduct::Honest,
    });
    alice.write("alice", "bob", "held");
    wait_progress(&alice, &[Progress::Read, Progress::Sending]);
    let request = holding.recv_timeout(Duration::from_mins(1)).unwrap();
    wait_heard(&liar, &alice, "alice", "Marked");
    wait_progress(&alice, &[Progress::Read, Progress::Sending]);
    // The right one, twice; the envelope itself is gone.
    liar.be_honest();
    liar.words("alice").reply(Done { request });
    liar.words("alice").reply(Done { request });
    wait_progress(&alice, &[Progress::Read, Progress::Relay]);
    alice.write("alice", "bob", "next");
    bob.read("bob", "alice", &["hi", "next"]);
    wait_progress(&alice, &[Progress::Read, Progress::Relay, Progress::Read]);
}

#[test]
fn r15_a_question_for_prekeys_that_is_answered_with_done_still_gets_its_answer() {
    let dir = tempdir().unwrap();
    let liar = Liar::start();
    let alice = Desk::open_only(&dir.path().join("one"), Some(liar.invite()), "alice");
    let bob = Desk::open_only(&dir.path().join("two"), Some(liar.invite()), "bob");
    for who in ["alice", "bob"] {
        liar.words(who);
    }
    liar.lie(|_, frame, words| {
        if let ClientFrame::TakeBundle(take) = frame {
            let request = take.request;
            words.reply(Done { request });
        }
        Conduct::Honest
    });
    alice.write("alice", "bob", "first");
    bob.read("bob", "alice", &["first"]);
}

#[test]
fn r16_a_mailbox_that_is_set_back_is_followed_and_shows_nothing_twice() {
    let dir = tempdir().unwrap();
    let liar = Liar::start();
    let (alice, bob) = talking(dir.path(), &liar);
    let device = liar.ledger(|ledger| ledger.device("bob")).unwrap();
    let seen = record(&liar, "bob");
    // A place at the end of all numbers: nothing could ever come behind it.
    let words = liar.words("bob");
    liar.lie({
        let seen = Arc::clone(&seen);
        move |_, frame, own| match frame {
            ClientFrame::Send(send) if send.targets[0].0 == device => {
                seen.lock().unwrap().push(send.clone());
                let request = send.request;
                own.reply(Done { request });
                words.deliver(Delivery {
                    sequence: u64::MAX,
                    id: send.id,
                    body: send.targets[0].1.clone(),
                });
                Conduct::Silent
            }
            _ => Conduct::Honest,
        }
    });
    alice.write("alice", "bob", "at the end");
    bob.read("bob", "alice", &["hi", "at the end"]);
    liar.be_honest();
    let logins = liar.logins().len();
    liar.hang_up("bob");
    liar.wait_logins(logins + 1);
    assert!(liar.logins().last().unwrap().1.after > 1 << 62);
    alice.write("alice", "bob", "from the start");
    bob.read("bob", "alice", &["hi", "at the end", "from the start"]);

    // Set back, with everything in it once more; and once more as another store.
    let old: Vec<Send> = seen.lock().unwrap().clone();
    for store in [StoreId([5; 16]), StoreId([6; 16])] {
        let logins = liar.logins().len();
        liar.ledger(|ledger| {
            ledger.store = store;
            ledger.set_back(device);
            for send in &old {
                ledger.put(device, send.id, body(send));
            }
        });
        liar.hang_up("bob");
        liar.wait_logins(logins + 1);
        let text = format!("in {:?}", store.0[0]);
        alice.write("alice", "bob", &text);
        bob.wait("bob", &text, |view| {
            let row = view.chats.iter().find(|row| row.handle == "alice")?;
            let last = row.last.as_ref()?;
            (last.body == sotto_client::view::Body::Text(text.clone())).then_some(())
        });
    }
    let all = ["hi", "at the end", "from the start", "in 5", "in 6"];
    bob.read("bob", "alice", &all);
    assert_eq!(bob.view("bob").notice, None);
}

#[test]
fn r16_the_mail_of_another_device_opens_nowhere_and_does_no_harm() {
    let dir = tempdir().unwrap();
    let liar = Liar::start();
    let (alice, bob) = talking(dir.path(), &liar);
    let charlie = Desk::open_only(&dir.path().join("three"), Some(liar.invite()), "charlie");
    alice.write("alice", "charlie", "to Charlie");
    charlie.read("charlie", "alice", &["to Charlie"]);
    let device = liar.ledger(|ledger| ledger.device("charlie")).unwrap();
    let seen = record(&liar, "bob");
    alice.write("alice", "bob", "to Bob");
    bob.read("bob", "alice", &["hi", "to Bob"]);
    for send in seen.lock().unwrap().iter() {
        let stray = liar.ledger(|ledger| ledger.put(device, send.id, body(send)));
        liar.words("charlie").deliver(stray);
    }
    charlie.wait("charlie", "that it does not open", |view| {
        (view.notice == Some(Notice::Unopened { messages: 1 })).then_some(())
    });
    alice.write("alice", "charlie", "and on");
    charlie.read("charlie", "alice", &["to Charlie", "and on"]);
}

#[tokio::test]
async fn r17_a_recorded_login_opens_no_other_connection_and_no_other_relay() {
    let dir = tempdir().unwrap();
    let folder = dir.path().join("relay");
    let (host, liar, desk) = tokio::task::spawn_blocking(move || {
        let host = Host::start(&folder);
        let liar = Liar::start();
        let desk = Desk::open_only(dir.path(), Some(liar.invite()), "alice");
        liar.words("alice");
        (host, liar, (desk, dir))
    })
    .await
    .unwrap();
    // What Alice said to a hostile relay, said to the honest one.
    let overheard = liar.logins()[0].1.clone();
    assert_eq!(
        knock(&host, |_| overheard.clone()).await,
        Some(Refusal::Proof)
    );
    // What the honest relay heard on one connection, on another one.
    let identity = Identity::generate(&mut rand::rng()).unwrap();
    let pin = host.invite().pin().unwrap();
    let mut overheard = None;
    let honest = knock(&host, |exporter| {
        let login = Login {
            minor: quic::MINOR_VERSION,
            device: DeviceKey(identity.public().device_key()),
            proof: identity.sign_login(pin.as_bytes(), exporter).into(),
            store: StoreId([0; 16]),
            after: 0,
        };
        overheard = Some(login.clone());
        login
    });
    assert_eq!(honest.await, None);
    let overheard = overheard.unwrap();
    assert_eq!(
        knock(&host, |_| overheard.clone()).await,
        Some(Refusal::Proof)
    );
    // Alice herself gets in.
    tokio::task::spawn_blocking(move || {
        desk.0.relay.send_replace(Some(host.invite()));
        desk.0.wait("alice", "the honest relay", |view| {
            (view.relay == RelayState::Connected).then_some(())
        });
        drop((desk, host, liar));
    })
    .await
    .unwrap();
}

/// Opens a connection, sends one frame, and gives the reason of a refusal; `None` for a welcome.
async fn knock(host: &Host, login: impl FnOnce(&login::Exporter) -> Login) -> Option<Refusal> {
    let (address, pin) = (host.address(), host.invite().pin().unwrap());
    let endpoint = quic::dialer(address).unwrap();
    let config = quic::client_config(&pin.into()).unwrap();
    let connecting = endpoint.connect_with(config, address, quic::SERVER_NAME);
    let connection = connecting.unwrap().await.unwrap();
    let exporter = login::exporter(&connection, pin).unwrap();
    let frame = ClientFrame::from(login(&exporter));
    let (mut send, receive) = connection.open_bi().await.unwrap();
    send.write_all(&bytes(&frame)).await.unwrap();
    let mut replies = FrameReader::<RelayFrame, _>::new(receive, FRAME_BYTES_MAX);
    match replies.next().await.unwrap().unwrap() {
        RelayFrame::Refused(refused) => Some(refused.reason),
        reply => {
            assert!(matches!(reply, RelayFrame::Welcome(_)), "{reply:?}");
            None
        }
    }
}

#[test]
fn r18_lengths_beyond_all_bounds_end_the_connection_and_the_waits_grow() {
    let dir = tempdir().unwrap();
    let liar = Liar::start();
    let (alice, bob) = talking(dir.path(), &liar);
    let endless = Bytes::from_static(&[0xff, 0xff, 0xff, 0xff, 1]);
    let empty = Bytes::from_static(&[0, 0, 0, 0]);
    let broken = Bytes::from_static(&[0, 0, 0, 2, 2, 0xff]);
    let mut before = liar.logins().len();
    let first = before;
    for (stream, wrong) in [
        (Stream::Control, &endless),
        (Stream::Delivery, &endless),
        (Stream::Control, &empty),
        (Stream::Control, &broken),
    ] {
        liar.words("alice").say(stream, wrong.clone());
        alice.wait("alice", "that the connection is gone", |view| {
            (view.relay == RelayState::Connecting).then_some(())
        });
        before += 1;
        liar.wait_logins(before);
        alice.wait("alice", "a new connection", |view| {
            (view.relay == RelayState::Connected).then_some(())
        });
    }
    let logins = liar.logins();
    let mut shortest = Duration::from_millis(125);
    for pair in logins[first - 1..].windows(2).skip(1) {
        shortest *= 2;
        let gap = pair[1].0 - pair[0].0;
        assert!(gap >= shortest, "{gap:?} is shorter than {shortest:?}");
    }
    alice.write("alice", "bob", "and on");
    bob.read("bob", "alice", &["hi", "and on"]);
}

#[test]
fn r18_what_drips_in_byte_by_byte_holds_up_nothing_else() {
    let dir = tempdir().unwrap();
    let liar = Liar::start();
    let (alice, bob) = talking(dir.path(), &liar);
    let device = liar.ledger(|ledger| ledger.device("bob")).unwrap();
    let to_bob = liar.words("bob");
    liar.lie(move |ledger, frame, words| match frame {
        ClientFrame::Send(send) if send.targets[0].0 == device => {
            let delivery = ledger.put(device, send.id, send.targets[0].1.clone());
            let delivery = sotto_net::wire::DeliveryFrame::from(delivery);
            to_bob.say_slowly(Stream::Delivery, bytes(&delivery));
            let request = send.request;
            let done = RelayFrame::from(Done { request });
            words.say_slowly(Stream::Control, bytes(&done));
            Conduct::Silent
        }
        _ => Conduct::Honest,
    });
    // The start of a reply that never ends, to Bob.
    liar.words("bob")
        .say(Stream::Control, Bytes::from_static(&[0, 4, 0, 0, 2, 1, 1]));
    alice.write("alice", "bob", "slow");
    bob.read("bob", "alice", &["hi", "slow"]);
    wait_progress(&alice, &[Progress::Read, Progress::Read]);
    // What Bob writes has no answer, and says so, until there is a new connection.
    bob.write("bob", "alice", "answered late");
    alice.read("alice", "bob", &["hi", "slow", "answered late"]);
    liar.be_honest();
    liar.hang_up("bob");
    alice.write("alice", "bob", "and on");
    bob.read("bob", "alice", &["hi", "slow", "answered late", "and on"]);
    bob.wait_messages("bob", "alice", "all settled", |messages| {
        let own = messages.iter().find(|message| message.is_mine)?;
        (own.delivery >= Progress::Delivered).then_some(())
    });
}

#[test]
fn r18_a_login_without_an_answer_is_given_up_and_said() {
    let dir = tempdir().unwrap();
    let liar = Liar::start();
    liar.be_silent();
    let alice = Desk::open_only(dir.path(), Some(liar.invite()), "alice");
    liar.wait_logins(1);
    alice.wait("alice", "that nothing answers", |view| {
        (view.relay == RelayState::Offline(Some(RelayProblem::Unreachable))).then_some(())
    });
    liar.be_honest();
    alice.wait("alice", "the relay", |view| {
        (view.relay == RelayState::Connected).then_some(())
    });
    alice.show("alice", "bob");
    alice.wait_messages("alice", "bob", "nothing", |messages| {
        texts(messages).is_empty().then_some(())
    });
}
