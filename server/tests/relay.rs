//! The relay over real QUIC on the loopback interface.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that meets the unexpected fails there"
)]

#[cfg(test)]
mod support;

use std::time::Duration;

use bytes::{Bytes, BytesMut};
use sotto_net::link::{Link, LinkError};
use sotto_net::quic::{self, CloseCode};
use sotto_net::wire::{
    Acknowledge, Claim, ClientFrame, DeliveryFrame, DeviceKey, ENVELOPE_BYTES_MAX, Entry, LookUp,
    Prekey, Presence, PublishPrekeys, Refusal, RelayFrame, TakeBundle, WatchPresence,
};
use sotto_net::{RelayPin, frame};
use sotto_relay::{Limits, RelayConfig};

use crate::support::{
    Client, Device, START, close_code, envelope, is_done, quiet, refusal, relay, stranger, within,
};

fn plain() -> RelayConfig {
    quiet(Limits::default())
}

async fn claim(client: &mut Client, handle: &str, identity: &'static [u8]) -> RelayFrame {
    let request = client.next_request();
    client
        .ask(Claim {
            request,
            handle: handle.to_owned(),
            name: handle.to_uppercase(),
            identity: Bytes::from_static(identity),
        })
        .await
}

#[tokio::test]
async fn stored_envelopes_come_in_order_and_live_ones_follow() {
    within(async {
        let folder = tempfile::tempdir().unwrap();
        let relay = relay(folder.path(), plain()).await;
        let (alice, bob) = (Device::new(1), Device::new(2));
        drop(bob.connect(&relay).await);
        let mut alice = alice.connect(&relay).await;
        for id in 0..300u16 {
            let request = alice.next_request();
            let send = envelope(request, id, &[bob.key()], &id.to_be_bytes());
            alice.link.requests.put(&send.into());
        }
        alice.link.requests.flush().await.unwrap();
        for request in 1..=300 {
            let RelayFrame::Done(done) = alice.reply().await else {
                panic!("not stored");
            };
            assert_eq!(done.request, request, "answers keep the order of requests");
        }
        let mut bob = bob.connect(&relay).await;
        for id in 0..300u16 {
            let delivery = bob.delivery().await;
            assert_eq!(delivery.sequence, u64::from(id) + 1);
            assert_eq!(delivery.body, id.to_be_bytes().as_slice());
        }
        let DeliveryFrame::CaughtUp(marker) = bob.delivery_frame().await else {
            panic!("no marker");
        };
        assert_eq!(marker.sequence, 300);
        let bob_key = Device::new(2).key();
        assert!(is_done(&alice.send(300, &[bob_key], b"live").await));
        let live = bob.delivery().await;
        assert_eq!((live.sequence, &live.body[..]), (301, &b"live"[..]));
        relay.shutdown().await;
    })
    .await;
}

#[tokio::test]
async fn a_repeated_envelope_is_confirmed_and_delivered_once() {
    within(async {
        let folder = tempfile::tempdir().unwrap();
        let relay = relay(folder.path(), plain()).await;
        let bob = Device::new(2);
        let mut alice = Device::new(1).connect(&relay).await;
        let mut reader = bob.connect(&relay).await;
        assert!(is_done(&alice.send(1, &[bob.key()], b"one").await));
        assert!(is_done(&alice.send(1, &[bob.key()], b"one").await));
        assert!(is_done(&alice.send(2, &[bob.key()], b"two").await));
        assert_eq!(reader.delivery().await.body, "one");
        assert_eq!(reader.delivery().await.body, "two");
        reader.put(Acknowledge { up_to: 2 }).await;
        let cursor = reader.cursor(2);
        drop(reader);
        assert!(is_done(&alice.send(1, &[bob.key()], b"one").await));
        assert!(is_done(&alice.send(3, &[bob.key()], b"three").await));
        let mut reader = bob.try_connect(&relay, cursor).await.unwrap();
        assert_eq!(reader.delivery().await.body, "three");
        relay.shutdown().await;
    })
    .await;
}

#[tokio::test]
async fn delivery_resumes_at_the_cursor_and_repeats_what_was_not_stored() {
    within(async {
        let folder = tempfile::tempdir().unwrap();
        let relay = relay(folder.path(), plain()).await;
        let bob = Device::new(2);
        let mut alice = Device::new(1).connect(&relay).await;
        let mut reader = bob.connect(&relay).await;
        for id in 1..=3u16 {
            let body = id.to_be_bytes();
            assert!(is_done(&alice.send(id, &[bob.key()], &body).await));
        }
        for _ in 0..3 {
            reader.delivery().await;
        }
        // Only the first was stored by the client, and it never said so.
        let cursor = reader.cursor(1);
        drop(reader);
        let mut reader = bob.try_connect(&relay, cursor).await.unwrap();
        assert_eq!(reader.delivery().await.sequence, 2);
        drop(reader);
        // The cursor has acknowledged the first for good; another store's says nothing.
        let mut reader = bob.connect(&relay).await;
        assert_eq!(reader.delivery().await.sequence, 2);
        assert_eq!(reader.delivery().await.sequence, 3);
        relay.shutdown().await;
    })
    .await;
}

#[tokio::test]
async fn everything_confirmed_outlives_a_shutdown_and_a_crash() {
    within(async {
        let folder = tempfile::tempdir().unwrap();
        let bob = Device::new(2);
        let mut confirmed = 0u16;
        let mut pins = Vec::new();
        for crash in [false, true, true, false] {
            let relay = relay(folder.path(), plain()).await;
            pins.push(relay.pin());
            drop(bob.connect(&relay).await);
            let mut alice = Device::new(1).connect(&relay).await;
            for _ in 0..20 {
                let body = confirmed.to_be_bytes();
                assert!(is_done(&alice.send(confirmed, &[bob.key()], &body).await));
                confirmed += 1;
            }
            if crash {
                drop(relay);
            } else {
                relay.shutdown().await;
            }
        }
        let relay = relay(folder.path(), plain()).await;
        assert!(pins.iter().all(|pin| *pin == relay.pin()));
        let mut reader = bob.connect(&relay).await;
        let mut before = 0;
        for id in 0..confirmed {
            let delivery = reader.delivery().await;
            assert!(delivery.sequence > before, "a sequence never returns");
            before = delivery.sequence;
            assert_eq!(delivery.body, id.to_be_bytes().as_slice());
        }
        relay.shutdown().await;
    })
    .await;
}

#[tokio::test]
async fn a_login_that_was_made_for_another_connection_is_refused() {
    within(async {
        let folder = tempfile::tempdir().unwrap();
        let relay = relay(folder.path(), plain()).await;
        let (address, pin) = (relay.address(), relay.pin());
        let alice = Device::new(1);
        let endpoint = quic::dialer(address).unwrap();
        let mut captured = [0; 64];
        let first = Link::open(&endpoint, address, pin, alice.key(), START, |exporter| {
            captured = alice.sign(pin, exporter);
            captured
        })
        .await
        .unwrap();
        let replay = Link::open(&endpoint, address, pin, alice.key(), START, |_| captured).await;
        assert!(matches!(replay, Err(LinkError::Refused(Refusal::Proof))));
        // Neither does it fit another relay, nor does another device's fit this one.
        let elsewhere = RelayPin([7; 32]);
        let foreign = Link::open(&endpoint, address, pin, alice.key(), START, |exporter| {
            alice.sign(elsewhere, exporter)
        })
        .await;
        assert!(matches!(foreign, Err(LinkError::Refused(Refusal::Proof))));
        let intruder = Device::new(6);
        let stolen = Link::open(&endpoint, address, pin, alice.key(), START, |exporter| {
            intruder.sign(pin, exporter)
        })
        .await;
        assert!(matches!(stolen, Err(LinkError::Refused(Refusal::Proof))));
        assert!(first.connection.close_reason().is_none(), "the first lives");
        relay.shutdown().await;
    })
    .await;
}

#[tokio::test]
async fn a_relay_with_another_key_is_not_spoken_to() {
    within(async {
        let folder = tempfile::tempdir().unwrap();
        let relay = relay(folder.path(), plain()).await;
        let address = relay.address();
        let endpoint = quic::dialer(address).unwrap();
        let pin = RelayPin([7; 32]);
        let sign = |_: &[u8; 32]| -> [u8; 64] { panic!("nothing may be signed") };
        let key = Device::new(1).key();
        let outcome = Link::open(&endpoint, address, pin, key, START, sign).await;
        assert!(matches!(outcome, Err(LinkError::WrongPin)));
        relay.shutdown().await;
    })
    .await;
}

#[tokio::test]
async fn everybody_sees_the_directory_and_who_joins() {
    within(async {
        let folder = tempfile::tempdir().unwrap();
        let relay = relay(folder.path(), RelayConfig::default()).await;
        let mut alice = Device::new(1).connect(&relay).await;
        let mut bob = Device::new(2).connect(&relay).await;
        for client in [&mut alice, &mut bob] {
            for name in ["Alice", "Bob", "Charlie", "Diana"] {
                let RelayFrame::Entry(entry) = client.reply().await else {
                    panic!("no entry");
                };
                assert_eq!((entry.request, entry.name.as_str()), (0, name));
                assert_eq!(entry.handle, name.to_lowercase());
                assert_eq!(entry.identity, None);
            }
        }
        assert!(is_done(&claim(&mut alice, "alice", b"A").await));
        let joined = Entry {
            request: 0,
            handle: "alice".to_owned(),
            name: "ALICE".to_owned(),
            identity: Some(Bytes::from_static(b"A")),
        };
        assert_eq!(bob.reply().await, joined.clone().into());
        let taken = claim(&mut bob, "alice", b"B").await;
        assert_eq!(refusal(&taken), Some(Refusal::HandleTaken));
        // Claiming the same again is no news: the next that Bob hears is his own claim.
        assert!(is_done(&claim(&mut alice, "alice", b"A").await));
        bob.put(Claim {
            request: 9,
            handle: "bob".to_owned(),
            name: "Bob".to_owned(),
            identity: Bytes::from_static(b"B"),
        })
        .await;
        let mut heard = [bob.reply().await, bob.reply().await];
        heard.sort_by_key(|frame| !is_done(frame));
        assert!(is_done(&heard[0]));
        assert!(matches!(&heard[1], RelayFrame::Entry(entry) if entry.handle == "bob"));
        relay.shutdown().await;
    })
    .await;
}

#[tokio::test]
async fn handles_are_looked_up_and_malformed_ones_are_refused() {
    within(async {
        let folder = tempfile::tempdir().unwrap();
        let config = RelayConfig {
            open_handles: false,
            roster: false,
            ..RelayConfig::default()
        };
        let relay = relay(folder.path(), config).await;
        let mut alice = Device::new(1).connect(&relay).await;
        let unknown = Some(Refusal::HandleUnknown);
        for handle in [
            "somebody", "Alice", "", "al ice", "ålice", "-alice", "a/../b",
        ] {
            let reply = claim(&mut alice, handle, b"A").await;
            assert_eq!(refusal(&reply), unknown, "{handle:?}");
        }
        let large = claim(&mut alice, "alice", &[0; 5_000]).await;
        assert_eq!(refusal(&large), Some(Refusal::TooLarge));
        assert!(is_done(&claim(&mut alice, "alice", b"A").await));
        let look_up = |request, handle: &str| LookUp {
            request,
            handle: handle.to_owned(),
        };
        let found = alice.ask(look_up(70, "alice")).await;
        assert!(matches!(
            &found,
            RelayFrame::Entry(entry) if entry.request == 70 && entry.identity.is_some()
        ));
        assert_eq!(refusal(&alice.ask(look_up(71, "somebody")).await), unknown);
        relay.shutdown().await;
    })
    .await;
}

#[tokio::test]
async fn presence_tells_how_it_is_and_each_change() {
    within(async {
        let folder = tempfile::tempdir().unwrap();
        let relay = relay(folder.path(), plain()).await;
        let mut alice = Device::new(1).connect(&relay).await;
        let (bob, charlie) = (Device::new(2), Device::new(3));
        let first = bob.connect(&relay).await;
        let devices = vec![bob.key(), charlie.key()];
        alice.put(WatchPresence { devices }).await;
        let now = |device: DeviceKey, online| RelayFrame::Presence(Presence { device, online });
        assert_eq!(alice.reply().await, now(bob.key(), true));
        assert_eq!(alice.reply().await, now(charlie.key(), false));
        let third = charlie.connect(&relay).await;
        assert_eq!(alice.reply().await, now(charlie.key(), true));
        drop(first);
        assert_eq!(alice.reply().await, now(bob.key(), false));
        // A new list replaces the old one.
        let devices = vec![bob.key()];
        alice.put(WatchPresence { devices }).await;
        assert_eq!(alice.reply().await, now(bob.key(), false));
        drop(third);
        let _bob = bob.connect(&relay).await;
        assert_eq!(alice.reply().await, now(bob.key(), true));
        relay.shutdown().await;
    })
    .await;
}

#[tokio::test]
async fn a_device_that_left_during_its_login_does_not_stay_online() {
    within(async {
        let folder = tempfile::tempdir().unwrap();
        let relay = relay(folder.path(), plain()).await;
        let mut alice = Device::new(1).connect(&relay).await;
        let bob = Device::new(2);
        for _ in 0..10 {
            let knock = bob.knock(&relay).await;
            tokio::task::yield_now().await;
            knock.connection.close(CloseCode::Bye.into(), b"");
            knock.endpoint.wait_idle().await;
        }
        let devices = vec![bob.key()];
        alice.put(WatchPresence { devices }).await;
        loop {
            if let RelayFrame::Presence(presence) = alice.reply().await
                && !presence.online
            {
                break;
            }
        }
        relay.shutdown().await;
    })
    .await;
}

#[tokio::test]
async fn a_one_time_prekey_is_given_out_once_and_its_owner_hears_when_few_are_left() {
    within(async {
        let folder = tempfile::tempdir().unwrap();
        let relay = relay(folder.path(), plain()).await;
        let bob = Device::new(2);
        let mut alice = Device::new(1).connect(&relay).await;
        let take = |request, device| TakeBundle { request, device };
        let reply = alice.ask(take(1, bob.key())).await;
        assert_eq!(refusal(&reply), Some(Refusal::DeviceUnknown));
        let mut owner = bob.connect(&relay).await;
        let reply = alice.ask(take(2, bob.key())).await;
        assert_eq!(refusal(&reply), Some(Refusal::NoPrekeys));
        let prekey = |id: u32| Prekey {
            id,
            record: Bytes::copy_from_slice(&id.to_be_bytes()),
        };
        let publication = PublishPrekeys {
            request: 1,
            signed: Some(prekey(1)),
            one_time: (10..41).map(prekey).collect(),
        };
        assert!(is_done(&owner.ask(publication).await));
        for id in 10..41u32 {
            let reply = alice.ask(take(id, bob.key())).await;
            let RelayFrame::Bundle(bundle) = reply else {
                panic!("{reply:?}");
            };
            assert_eq!(bundle.signed, prekey(1).record);
            assert_eq!(bundle.one_time, Some(prekey(id).record));
        }
        let RelayFrame::Bundle(bundle) = alice.ask(take(99, bob.key())).await else {
            panic!("no bundle");
        };
        assert_eq!(bundle.one_time, None);
        // The first one left 30, which is not few yet.
        let RelayFrame::PrekeysLow(low) = owner.reply().await else {
            panic!("no word");
        };
        assert_eq!(low.left, 29);
        relay.shutdown().await;
    })
    .await;
}

#[tokio::test]
async fn a_second_login_of_a_device_replaces_the_first() {
    within(async {
        let folder = tempfile::tempdir().unwrap();
        let relay = relay(folder.path(), plain()).await;
        let bob = Device::new(2);
        let mut alice = Device::new(1).connect(&relay).await;
        let first = bob.connect(&relay).await;
        let devices = vec![bob.key()];
        alice.put(WatchPresence { devices }).await;
        let online = RelayFrame::Presence(Presence {
            device: bob.key(),
            online: true,
        });
        assert_eq!(alice.reply().await, online);
        let mut second = bob.connect(&relay).await;
        assert_eq!(close_code(&first.link.connection).await, 4);
        assert!(is_done(&alice.send(1, &[bob.key()], b"hello").await));
        assert_eq!(second.delivery().await.body, "hello");
        // Whatever Alice hears about Bob, the last word is that he is there.
        drop(second);
        loop {
            let news = alice.reply().await;
            if news != online {
                break;
            }
        }
        relay.shutdown().await;
    })
    .await;
}

#[tokio::test]
async fn a_malformed_frame_ends_its_own_connection_only() {
    within(async {
        let folder = tempfile::tempdir().unwrap();
        let relay = relay(folder.path(), plain()).await;
        let mut alice = Device::new(1).connect(&relay).await;
        let malformed: [&[u8]; 5] = [
            &[0, 0, 0, 0],                // no kind
            &[0, 0, 0, 2, 6, 0x80],       // a cut number
            &[0, 0, 0, 4, 6, 1, 0, 0],    // bytes left over
            &[0xff, 0xff, 0xff, 0xff],    // endless
            &[0, 0, 0, 5, 5, 1, 2, 3, 4], // a cut head
        ];
        for (seed, bytes) in (10..).zip(malformed) {
            let mut intruder = Device::new(seed).knock(&relay).await;
            intruder.send.write_all(bytes).await.unwrap();
            assert_eq!(close_code(&intruder.connection).await, 1, "{bytes:?}");
        }
        let to_herself = [Device::new(1).key()];
        assert!(is_done(&alice.send(1, &to_herself, b"still here").await));
        relay.shutdown().await;
    })
    .await;
}

#[tokio::test]
async fn a_frame_of_an_unknown_kind_is_passed_over() {
    within(async {
        let folder = tempfile::tempdir().unwrap();
        let relay = relay(folder.path(), plain()).await;
        let alice = Device::new(1);
        let mut newer = alice.knock(&relay).await;
        newer
            .send
            .write_all(&[0, 0, 0, 3, 200, 1, 2])
            .await
            .unwrap();
        let mut bytes = BytesMut::new();
        let send = envelope(5, 1, &[alice.key()], b"hello");
        frame::put_frame(&ClientFrame::from(send), &mut bytes);
        newer.send.write_all(&bytes).await.unwrap();
        let welcome = newer.replies.next().await.unwrap();
        assert!(matches!(welcome, Some(RelayFrame::Welcome(_))));
        let answer = newer.replies.next().await.unwrap();
        assert!(matches!(answer, Some(RelayFrame::Done(done)) if done.request == 5));
        relay.shutdown().await;
    })
    .await;
}

#[tokio::test]
async fn nothing_is_stored_for_some_when_it_cannot_be_stored_for_all() {
    within(async {
        let folder = tempfile::tempdir().unwrap();
        let relay = relay(
            folder.path(),
            quiet(Limits {
                mailbox_envelopes: 2,
                ..Limits::default()
            }),
        )
        .await;
        let (bob, charlie) = (Device::new(2), Device::new(3));
        let mut alice = Device::new(1).connect(&relay).await;
        drop(bob.connect(&relay).await);
        let reply = alice.send(1, &[bob.key(), charlie.key()], b"x").await;
        assert_eq!(refusal(&reply), Some(Refusal::DeviceUnknown));
        drop(charlie.connect(&relay).await);
        assert!(is_done(&alice.send(2, &[bob.key()], b"one").await));
        assert!(is_done(&alice.send(3, &[bob.key()], b"two").await));
        let reply = alice.send(4, &[charlie.key(), bob.key()], b"three").await;
        assert_eq!(refusal(&reply), Some(Refusal::MailboxFull));
        // On another connection, where nothing waits for the refused one to come again.
        let mut diana = Device::new(4).connect(&relay).await;
        let large = vec![0; ENVELOPE_BYTES_MAX + 1];
        let reply = diana.send(5, &[charlie.key()], &large).await;
        assert_eq!(refusal(&reply), Some(Refusal::TooLarge));
        let largest = vec![0; ENVELOPE_BYTES_MAX];
        assert!(is_done(&diana.send(6, &[charlie.key()], &largest).await));
        let mut reader = charlie.connect(&relay).await;
        let only = reader.delivery().await;
        assert_eq!((only.sequence, only.body.len()), (1, ENVELOPE_BYTES_MAX));
        relay.shutdown().await;
    })
    .await;
}

#[tokio::test]
async fn a_slow_reader_gets_everything_and_holds_up_nobody() {
    within(async {
        let folder = tempfile::tempdir().unwrap();
        let relay = relay(folder.path(), plain()).await;
        let (bob, charlie) = (Device::new(2), Device::new(3));
        let mut alice = Device::new(1).connect(&relay).await;
        let mut slow = bob.connect(&relay).await;
        let mut quick = charlie.connect(&relay).await;
        // More than windows and queues hold: 600 times 16 KiB, unread.
        let body = vec![7; 16 * 1024];
        for id in 0..600u16 {
            let both = [bob.key(), charlie.key()];
            assert!(is_done(&alice.send(id, &both, &body).await));
            assert_eq!(quick.delivery().await.sequence, u64::from(id) + 1);
        }
        for sequence in 1..=600 {
            assert_eq!(slow.delivery().await.sequence, sequence);
        }
        relay.shutdown().await;
    })
    .await;
}

#[tokio::test]
async fn a_stranger_has_little_time_and_little_room() {
    within(async {
        let folder = tempfile::tempdir().unwrap();
        let relay = relay(
            folder.path(),
            quiet(Limits {
                login_deadline: Duration::from_millis(300),
                ..Limits::default()
            }),
        )
        .await;
        // Says nothing at all.
        let (_endpoint, silent) = stranger(&relay).await;
        assert_eq!(close_code(&silent).await, 2);
        // Announces more than a stranger may send; asks for something before it has logged in.
        let long = [0, 0, 0x40, 1, 1];
        let early = [0, 0, 0, 2, 6, 1];
        for bytes in [&long[..], &early[..]] {
            let (_endpoint, connection) = stranger(&relay).await;
            let (mut send, _receive) = connection.open_bi().await.unwrap();
            send.write_all(bytes).await.unwrap();
            assert_eq!(close_code(&connection).await, 1, "{bytes:?}");
        }
        relay.shutdown().await;
    })
    .await;
}

#[tokio::test]
async fn connections_are_capped_and_come_free_again() {
    within(async {
        let folder = tempfile::tempdir().unwrap();
        let relay = relay(
            folder.path(),
            quiet(Limits {
                connections_per_address: 2,
                ..Limits::default()
            }),
        )
        .await;
        let first = Device::new(1).connect(&relay).await;
        let second = Device::new(2).connect(&relay).await;
        let third = Device::new(3);
        assert!(third.try_connect(&relay, START).await.is_err());
        drop(first);
        while third.try_connect(&relay, START).await.is_err() {}
        assert!(second.link.connection.close_reason().is_none());
        relay.shutdown().await;
    })
    .await;
}

#[tokio::test]
async fn strangers_must_show_their_address_when_there_are_many() {
    within(async {
        let folder = tempfile::tempdir().unwrap();
        let relay = relay(
            folder.path(),
            quiet(Limits {
                strangers_before_retry: 0,
                ..Limits::default()
            }),
        )
        .await;
        let mut alice = Device::new(1).connect(&relay).await;
        let to_herself = [Device::new(1).key()];
        assert!(is_done(&alice.send(1, &to_herself, b"hello").await));
        relay.shutdown().await;
    })
    .await;
}

#[tokio::test]
async fn a_relay_that_goes_away_answers_what_it_took_and_says_when_to_come_back() {
    within(async {
        let folder = tempfile::tempdir().unwrap();
        let first = relay(folder.path(), plain()).await;
        let bob = Device::new(2);
        drop(bob.connect(&first).await);
        let mut alice = Device::new(1).connect(&first).await;
        for id in 0..200u16 {
            let request = alice.next_request();
            let send = envelope(request, id, &[bob.key()], &id.to_be_bytes());
            alice.link.requests.put(&send.into());
        }
        alice.link.requests.flush().await.unwrap();
        assert!(is_done(&alice.reply().await));
        let listen = async {
            let mut confirmed = 1u64;
            let mut away = None;
            while let Ok(Some(frame)) = alice.link.replies.next().await {
                match frame {
                    RelayFrame::Done(_) => confirmed += 1,
                    RelayFrame::GoingAway(going) => away = Some(going.reconnect_after_millis),
                    other => panic!("{other:?}"),
                }
            }
            (confirmed, away, close_code(&alice.link.connection).await)
        };
        let ((confirmed, away, code), ()) = tokio::join!(listen, first.shutdown());
        assert!(away.is_some(), "a goodbye");
        assert_eq!(code, 3);
        let again = relay(folder.path(), plain()).await;
        let mut reader = bob.connect(&again).await;
        for sequence in 1..=confirmed {
            assert_eq!(reader.delivery().await.sequence, sequence);
        }
        again.shutdown().await;
    })
    .await;
}
