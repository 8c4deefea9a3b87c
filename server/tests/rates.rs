//! How often a device or an address may ask, and what is not stored.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that meets the unexpected fails there"
)]

#[cfg(test)]
mod support;

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use bytes::Bytes;
use sotto_net::wire::{
    Acknowledge, DeliveryFrame, DeviceKey, EPHEMERAL_BYTES_MAX, LookUp, Prekey, PublishPrekeys,
    Refusal, Refused, RelayFrame, SendEphemeral, TakeBundle,
};
use sotto_relay::{Limits, Rate, Relay, SqliteStore, relay_key};

use crate::support::frail::{Faults, Frail};
use crate::support::{Client, Device, START, is_done, quiet, relay, within};

/// So many, and no more for as long as a test takes.
fn only(burst: u32) -> Rate {
    Rate {
        burst,
        every: Duration::from_hours(1),
    }
}

fn too_often(reply: &RelayFrame) -> Option<u32> {
    match reply {
        RelayFrame::Refused(Refused {
            reason: Refusal::RateLimited,
            retry_after_millis,
            ..
        }) => Some(*retry_after_millis),
        _ => None,
    }
}

#[tokio::test]
async fn a_flood_of_envelopes_is_answered_and_others_are_not_held_up() {
    within(async {
        let folder = tempfile::tempdir().unwrap();
        let limits = Limits {
            envelope_rate: only(3),
            ..Limits::default()
        };
        let relay = relay(folder.path(), quiet(limits)).await;
        let bob = Device::new(2);
        let mut reader = bob.connect(&relay).await;
        let mut flooder = Device::new(1).connect(&relay).await;
        for id in 0..3 {
            let reply = flooder.send(id, &[bob.key()], b"flood").await;
            assert!(is_done(&reply), "{reply:?}");
        }
        let reply = flooder.send(3, &[bob.key()], b"flood").await;
        let wait = too_often(&reply).expect("refused");
        assert!((3_500_000..=3_600_001).contains(&wait), "{wait}");
        // A device that comes back has the same bucket; another one has its own.
        drop(flooder);
        let mut again = Device::new(1).connect(&relay).await;
        assert!(too_often(&again.send(3, &[bob.key()], b"flood").await).is_some());
        let mut honest = Device::new(3).connect(&relay).await;
        let reply = honest.send(9, &[bob.key()], b"hello").await;
        assert!(is_done(&reply), "{reply:?}");
        for body in [&b"flood"[..], b"flood", b"flood", b"hello"] {
            assert_eq!(reader.delivery().await.body, body);
        }
        relay.shutdown().await;
    })
    .await;
}

#[tokio::test]
async fn envelopes_that_come_a_little_too_fast_are_paced_in_order() {
    within(async {
        let folder = tempfile::tempdir().unwrap();
        let limits = Limits {
            envelope_rate: Rate::per_second(1, 100),
            ..Limits::default()
        };
        let relay = relay(folder.path(), quiet(limits)).await;
        let bob = Device::new(2);
        let mut reader = bob.connect(&relay).await;
        let mut alice = Device::new(1).connect(&relay).await;
        for id in 0..20_u16 {
            let request = alice.next_request();
            let envelope = support::envelope(request, id, &[bob.key()], &id.to_be_bytes());
            alice.put(envelope).await;
        }
        for id in 0..20_u16 {
            assert_eq!(reader.delivery().await.body, id.to_be_bytes()[..]);
        }
        relay.shutdown().await;
    })
    .await;
}

/// Which envelopes are done (`true`), or refused for this reason; in the order in which they were
/// sent, all of them before the first answer is read.
async fn answers(sender: &mut Client, sends: &[(u16, &[DeviceKey])], reason: Refusal) -> Vec<bool> {
    for (id, targets) in sends {
        let request = sender.next_request();
        sender
            .put(support::envelope(request, *id, targets, &id.to_be_bytes()))
            .await;
    }
    let mut done = Vec::new();
    for _ in sends {
        match sender.reply().await {
            RelayFrame::Done(_) => done.push(true),
            RelayFrame::Refused(refused) if refused.reason == reason => {
                assert!((1..=3_600_001).contains(&refused.retry_after_millis));
                done.push(false);
            }
            other => panic!("{other:?}"),
        }
    }
    done
}

#[tokio::test]
async fn what_follows_an_envelope_that_was_refused_for_its_rate_waits_for_it() {
    within(async {
        let folder = tempfile::tempdir().unwrap();
        let limits = Limits {
            envelope_rate: only(5),
            ..Limits::default()
        };
        let relay = relay(folder.path(), quiet(limits)).await;
        let mut readers = Vec::new();
        for seed in 2..=5 {
            readers.push(Device::new(seed).connect(&relay).await);
        }
        let [bob, charlie, diana, somebody] = [2, 3, 4, 5].map(|seed| Device::new(seed).key());
        let mut alice = Device::new(1).connect(&relay).await;
        let sends: [(u16, &[DeviceKey]); 6] = [
            (1, &[bob]),
            (2, &[bob, charlie]),
            // Two tokens are left: too few for this one, enough for each of those behind it.
            (3, &[bob, charlie, diana]),
            (4, &[bob]),
            (5, &[somebody]),
            (6, &[diana]),
        ];
        let done = answers(&mut alice, &sends, Refusal::RateLimited).await;
        assert_eq!(done, [true, true, false, false, true, false]);
        // On another connection it all starts from the front, as the client sends it.
        drop(alice);
        let mut alice = Device::new(1).connect(&relay).await;
        let done = answers(&mut alice, &sends[3..4], Refusal::RateLimited).await;
        assert_eq!(done, [true]);
        relay.shutdown().await;
    })
    .await;
}

/// Acknowledges, and waits until somebody else's envelope shows that this has made room.
async fn make_room(
    reader: &mut Client,
    up_to: u64,
    other: &mut Client,
    (id, to): (u16, DeviceKey),
) {
    reader.put(Acknowledge { up_to }).await;
    while !is_done(&other.send(id, &[to], &id.to_be_bytes()).await) {}
}

#[tokio::test]
async fn what_follows_an_envelope_that_found_a_mailbox_full_waits_for_it() {
    within(async {
        let folder = tempfile::tempdir().unwrap();
        let limits = Limits {
            mailbox_envelopes: 3,
            ..Limits::default()
        };
        let relay = relay(folder.path(), quiet(limits)).await;
        let (bob, charlie) = (Device::new(2), Device::new(3));
        let mut reader = bob.connect(&relay).await;
        let mut other_reader = charlie.connect(&relay).await;
        let mut alice = Device::new(1).connect(&relay).await;
        let mut diana = Device::new(4).connect(&relay).await;
        let full = Refusal::MailboxFull;
        let (to_bob, to_carol): (&[_], &[_]) = (&[bob.key()], &[charlie.key()]);
        let to_both: &[_] = &[charlie.key(), bob.key()];
        let sends = [(1, to_bob), (2, to_bob), (3, to_bob), (4, to_bob)];
        let done = answers(&mut alice, &sends, full).await;
        assert_eq!(done, [true, true, true, false]);
        // Bob makes room while those behind the refused one are on their way; only somebody else's
        // envelope goes into it.
        make_room(&mut reader, 3, &mut diana, (90, bob.key())).await;
        let sends = [(5, to_bob), (6, to_both), (7, to_carol)];
        let done = answers(&mut alice, &sends, full).await;
        assert_eq!(done, [false, false, false]);
        // Those refused come again, one of them too early.
        make_room(&mut reader, 4, &mut diana, (91, bob.key())).await;
        let sends = [(7, to_carol), (4, to_bob), (5, to_bob)];
        let done = answers(&mut alice, &sends, full).await;
        assert_eq!(done, [false, true, true]);
        make_room(&mut reader, 7, &mut diana, (92, bob.key())).await;
        let sends = [(6, to_both), (7, to_carol), (8, to_bob)];
        let done = answers(&mut alice, &sends, full).await;
        assert_eq!(done, [true, true, true]);
        for id in [1_u16, 2, 3, 90, 91, 4, 5, 92, 6, 8] {
            assert_eq!(reader.delivery().await.body, id.to_be_bytes()[..]);
        }
        for id in [6_u16, 7] {
            assert_eq!(other_reader.delivery().await.body, id.to_be_bytes()[..]);
        }
        relay.shutdown().await;
    })
    .await;
}

#[tokio::test]
async fn what_follows_an_envelope_that_could_not_be_stored_waits_for_it() {
    within(async {
        let folder = tempfile::tempdir().unwrap();
        let faults = Faults::none();
        let store = Frail {
            store: SqliteStore::open(folder.path()).unwrap(),
            faults: Arc::clone(&faults),
        };
        let key = relay_key(folder.path()).unwrap();
        let relay = Relay::spawn(quiet(Limits::default()), key, store).await;
        let relay = relay.unwrap();
        let bob = Device::new(2);
        drop(bob.connect(&relay).await);
        let mut alice = Device::new(1).connect(&relay).await;
        let to_bob: &[DeviceKey] = &[bob.key()];
        let storage = Refusal::Storage;
        faults.is_failing.store(true, Ordering::Relaxed);
        assert_eq!(answers(&mut alice, &[(1, to_bob)], storage).await, [false]);
        faults.is_failing.store(false, Ordering::Relaxed);
        let sends = [(2, to_bob), (1, to_bob), (2, to_bob), (3, to_bob)];
        let done = answers(&mut alice, &sends, storage).await;
        assert_eq!(done, [false, true, true, true]);
        relay.shutdown().await;
    })
    .await;
}

/// Publishes a signed prekey and these one-time prekeys.
async fn publish(owner: &mut Client, one_time: std::ops::Range<u32>) {
    let prekey = |id: u32| Prekey {
        id,
        record: Bytes::copy_from_slice(&id.to_be_bytes()),
    };
    let publication = PublishPrekeys {
        request: 1,
        signed: Some(prekey(1)),
        one_time: one_time.map(prekey).collect(),
    };
    let reply = owner.ask(publication).await;
    assert!(is_done(&reply), "{reply:?}");
}

#[tokio::test]
async fn nobody_drains_the_one_time_prekeys_of_another() {
    within(async {
        let folder = tempfile::tempdir().unwrap();
        let limits = Limits {
            one_time_prekey_rate: only(4),
            bundle_rate: only(3),
            ..Limits::default()
        };
        let relay = relay(folder.path(), quiet(limits)).await;
        let victim = Device::new(1);
        let mut owner = victim.connect(&relay).await;
        publish(&mut owner, 10..20).await;
        // Two devices of the attacker, who may make as many as he likes.
        let mut given = Vec::new();
        for seed in [2, 3] {
            let mut thief = Device::new(seed).connect(&relay).await;
            for request in 0..3 {
                let device = victim.key();
                match thief.ask(TakeBundle { request, device }).await {
                    RelayFrame::Bundle(bundle) => given.push(bundle.one_time.is_some()),
                    other => panic!("{other:?}"),
                }
            }
            let device = victim.key();
            let reply = thief.ask(TakeBundle { request: 9, device }).await;
            assert!(too_often(&reply).is_some(), "one requester");
        }
        assert_eq!(given, [true, true, true, true, false, false]);
        // Whoever wants to write to the victim still can, and six prekeys are left.
        let mut honest = Device::new(4).connect(&relay).await;
        let device = victim.key();
        let RelayFrame::Bundle(bundle) = honest.ask(TakeBundle { request: 1, device }).await else {
            panic!("no bundle");
        };
        assert_eq!(bundle.signed, 1_u32.to_be_bytes()[..]);
        assert_eq!(bundle.one_time, None);
        drop(owner);
        let owner = victim.connect(&relay).await;
        assert_eq!(owner.link.welcome.one_time_prekeys, 6);
        relay.shutdown().await;
    })
    .await;
}

#[tokio::test]
async fn questions_and_connections_are_limited_too() {
    within(async {
        let folder = tempfile::tempdir().unwrap();
        let limits = Limits {
            request_rate: only(2),
            connection_rate: only(3),
            ..Limits::default()
        };
        let relay = relay(folder.path(), quiet(limits)).await;
        let mut curious = Device::new(1).connect(&relay).await;
        let handle = "nobody".to_owned();
        for (request, refused) in [(1, false), (2, false), (3, true)] {
            let handle = handle.clone();
            let reply = curious.ask(LookUp { request, handle }).await;
            assert_eq!(too_often(&reply).is_some(), refused, "{reply:?}");
        }
        // Three connections that only claim their address, then three that have shown it.
        let mut open = vec![curious];
        for seed in 2..=6 {
            open.push(Device::new(seed).connect(&relay).await);
        }
        assert!(Device::new(7).try_connect(&relay, START).await.is_err());
        assert!(
            open.iter()
                .all(|client| client.link.connection.close_reason().is_none())
        );
        relay.shutdown().await;
    })
    .await;
}

#[tokio::test]
async fn an_ephemeral_envelope_reaches_who_is_there_and_nobody_later() {
    within(async {
        let folder = tempfile::tempdir().unwrap();
        let limits = Limits {
            ephemeral_rate: only(5),
            ..Limits::default()
        };
        let relay = relay(folder.path(), quiet(limits)).await;
        let (bob, charlie) = (Device::new(2), Device::new(3));
        let mut reader = bob.connect(&relay).await;
        drop(charlie.connect(&relay).await);
        let mut alice = Device::new(1).connect(&relay).await;
        let ephemeral = |body: &'static [u8]| SendEphemeral {
            targets: [&bob, &charlie]
                .map(|device| (device.key(), Bytes::from_static(body)))
                .into(),
        };
        let caught_up = reader.delivery_frame().await;
        assert!(matches!(caught_up, DeliveryFrame::CaughtUp(_)));
        alice.put(ephemeral(b"typing")).await;
        let DeliveryFrame::Ephemeral(received) = reader.delivery_frame().await else {
            panic!("something else");
        };
        assert_eq!(received.body, b"typing"[..]);
        // One that is too large, and one beyond the rate, are dropped without a word; what is
        // stored comes as ever.
        alice.put(ephemeral(&[7; EPHEMERAL_BYTES_MAX + 1])).await;
        alice.put(ephemeral(b"too often")).await;
        let reply = alice.send(1, &[bob.key(), charlie.key()], b"stored").await;
        assert!(is_done(&reply), "{reply:?}");
        assert_eq!(reader.delivery().await.body, b"stored"[..]);
        let mut late = charlie.connect(&relay).await;
        assert_eq!(late.delivery().await.body, b"stored"[..]);
        relay.shutdown().await;
    })
    .await;
}
