//! Clients that mean harm, written by hand, while honest traffic goes on (`C` numbers as in
//! SECURITY.md). Prekeys that are drained and floods of requests are in `rates.rs`.

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
use sotto_net::frame::put_frame;
use sotto_net::link::LinkError;
use sotto_net::quic;
use sotto_net::wire::{
    Acknowledge, Claim, ClientFrame, LookUp, Prekey, PublishPrekeys, Refusal, RelayFrame,
    SendEphemeral, TakeBundle, WatchPresence,
};
use sotto_relay::{Limits, Relay};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use crate::support::{
    Client, Device, START, close_code, envelope, is_done, quiet, refusal, relay, stranger, within,
};

/// Two people who talk without a pause until they are told to stop.
struct Honest {
    stop: oneshot::Sender<()>,
    talk: JoinHandle<u16>,
}

impl Honest {
    async fn start(relay: &Relay) -> Self {
        let reader = Device::new(201);
        let target = reader.key();
        let mut reader = reader.connect(relay).await;
        let mut writer = Device::new(202).connect(relay).await;
        let (stop, mut stopped) = oneshot::channel();
        let talk = tokio::spawn(async move {
            let mut said: u16 = 0;
            while stopped.try_recv().is_err() {
                let body = said.to_be_bytes();
                let reply = writer.send(said, &[target], &body).await;
                assert!(is_done(&reply), "{reply:?}");
                let delivery = reader.delivery().await;
                assert_eq!(delivery.body, body[..]);
                let up_to = delivery.sequence;
                reader.put(Acknowledge { up_to }).await;
                said += 1;
            }
            said
        });
        Self { stop, talk }
    }

    /// Nothing of it failed, and one more goes through.
    async fn finish(self) {
        self.stop.send(()).unwrap();
        assert!(self.talk.await.unwrap() > 0);
    }
}

fn frames() -> Vec<ClientFrame> {
    let device = Device::new(9).key();
    let body = Bytes::from_static(b"body");
    let record = Bytes::from_static(b"record");
    let prekey = Prekey { id: 7, record };
    vec![
        Claim {
            request: 1,
            handle: "intruder".to_owned(),
            name: "Intruder".to_owned(),
            identity: body.clone(),
        }
        .into(),
        PublishPrekeys {
            request: 2,
            signed: Some(prekey.clone()),
            one_time: vec![prekey],
        }
        .into(),
        TakeBundle { request: 3, device }.into(),
        envelope(4, 1, &[device], b"body").into(),
        Acknowledge { up_to: 5 }.into(),
        WatchPresence {
            devices: vec![device],
        }
        .into(),
        LookUp {
            request: 6,
            handle: "bob".to_owned(),
        }
        .into(),
        SendEphemeral {
            targets: vec![(device, body)],
        }
        .into(),
    ]
}

/// Logs in, writes these bytes behind the login, and waits for the code that it is closed with.
async fn code_for(relay: &Relay, bytes: &[u8]) -> u64 {
    let mut knock = Device::new(66).knock(relay).await;
    knock.replies.next().await.unwrap().unwrap();
    knock.send.write_all(bytes).await.unwrap();
    let code = close_code(&knock.connection).await;
    drop(knock);
    code
}

#[tokio::test]
async fn c1_malformed_frames_end_their_own_connection_and_nothing_else() {
    within(async {
        let folder = tempfile::tempdir().unwrap();
        let relay = relay(folder.path(), quiet(Limits::default())).await;
        let honest = Honest::start(&relay).await;
        for frame in frames() {
            let mut bytes = BytesMut::new();
            put_frame(&frame, &mut bytes);
            let payload = &bytes[5..];
            let kind = bytes[4];
            let with_length = |payload: &[u8]| {
                let length = u32::try_from(payload.len() + 1).unwrap().to_be_bytes();
                [&length[..], &[kind], payload].concat()
            };
            let cut = with_length(&payload[..payload.len() - 1]);
            let longer = with_length(&[payload, &[0]].concat());
            for wrong in [cut, longer, with_length(&[])] {
                assert_eq!(code_for(&relay, &wrong).await, 1, "{frame:?}: {wrong:x?}");
            }
        }
        // A second login, and a frame without a kind.
        assert_eq!(code_for(&relay, &[0, 0, 0, 2, 1, 0]).await, 1);
        assert_eq!(code_for(&relay, &[0, 0, 0, 0]).await, 1);
        honest.finish().await;
        relay.shutdown().await;
    })
    .await;
}

#[tokio::test]
async fn c2_lengths_beyond_all_bounds_are_not_believed() {
    within(async {
        let folder = tempfile::tempdir().unwrap();
        let relay = relay(folder.path(), quiet(Limits::default())).await;
        let honest = Honest::start(&relay).await;
        let huge = [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01];
        let of = |kind: u8, head: &[u8]| {
            let payload = [head, &huge].concat();
            let length = u32::try_from(payload.len() + 1).unwrap().to_be_bytes();
            [&length[..], &[kind], &payload].concat()
        };
        let wrong = [
            vec![0xff; 4],
            vec![0, 4, 0, 1],
            // A handle, a list of prekeys, of targets, of devices with 2^64 - 1 items.
            of(2, &[1]),
            of(3, &[1, 0]),
            of(5, &[&[1][..], &[7; 16]].concat()),
            of(7, &[]),
            of(8, &[1]),
            of(9, &[]),
        ];
        for bytes in wrong {
            assert_eq!(code_for(&relay, &bytes).await, 1, "{bytes:x?}");
        }
        honest.finish().await;
        relay.shutdown().await;
    })
    .await;
}

#[tokio::test]
async fn c4_a_flooded_mailbox_refuses_and_comes_free_again() {
    within(async {
        let folder = tempfile::tempdir().unwrap();
        let limits = Limits {
            mailbox_envelopes: 20,
            mailbox_bytes: 10_000,
            ..Limits::default()
        };
        let relay = relay(folder.path(), quiet(limits)).await;
        let honest = Honest::start(&relay).await;
        let victim = Device::new(1);
        let mut owner = victim.connect(&relay).await;
        for (first, last, body) in [(0, 20, &[7; 10][..]), (100, 109, &[7; 1_000])] {
            // Each time anew: what was refused would have to come again first.
            let mut flooder = Device::new(66).connect(&relay).await;
            for id in first..last {
                let reply = flooder.send(id, &[victim.key()], body).await;
                assert!(is_done(&reply), "{id}: {reply:?}");
            }
            let bytes = if body.len() == 10 { body } else { &[7; 2_000] };
            let reply = flooder.send(last, &[victim.key()], bytes).await;
            assert_eq!(refusal(&reply), Some(Refusal::MailboxFull), "{reply:?}");
            // Its owner empties it; nothing else helps.
            let mut up_to = 0;
            for _ in first..last {
                up_to = owner.delivery().await.sequence;
            }
            owner.put(Acknowledge { up_to }).await;
            // The answer to a later request: the acknowledgement is carried out.
            let handle = "nobody".to_owned();
            owner.ask(LookUp { request: 1, handle }).await;
            let mut friend = Device::new(2).connect(&relay).await;
            let id = last + 1_000;
            while refusal(&friend.send(id, &[victim.key()], b"hello").await).is_some() {}
            let delivery = owner.delivery().await;
            assert_eq!(delivery.body, b"hello"[..]);
            let up_to = delivery.sequence;
            owner.put(Acknowledge { up_to }).await;
            owner
                .ask(LookUp {
                    request: 2,
                    handle: "nobody".to_owned(),
                })
                .await;
        }
        honest.finish().await;
        relay.shutdown().await;
    })
    .await;
}

#[tokio::test]
async fn c5_and_c6_nobody_reads_empties_or_renames_what_is_anothers() {
    within(async {
        let folder = tempfile::tempdir().unwrap();
        let relay = relay(folder.path(), quiet(Limits::default())).await;
        let honest = Honest::start(&relay).await;
        let victim = Device::new(1);
        let mut owner = victim.connect(&relay).await;
        let claim = |request, identity: &'static [u8]| Claim {
            request,
            handle: "alice".to_owned(),
            name: "Alice".to_owned(),
            identity: Bytes::from_static(identity),
        };
        assert!(is_done(&owner.ask(claim(1, b"hers")).await));
        drop(owner);
        let mut thief = Device::new(66).connect(&relay).await;
        let reply = thief.send(1, &[victim.key()], b"for the victim").await;
        assert!(is_done(&reply), "{reply:?}");
        // Everything that a connection may say about a mailbox is about its own.
        for up_to in [1, u64::MAX] {
            thief.put(Acknowledge { up_to }).await;
        }
        let record = Bytes::from_static(b"not hers");
        let publication = PublishPrekeys {
            request: 2,
            signed: Some(Prekey { id: 1, record }),
            one_time: Vec::new(),
        };
        assert!(is_done(&thief.ask(publication).await));
        let device = victim.key();
        let reply = thief.ask(TakeBundle { request: 3, device }).await;
        assert_eq!(refusal(&reply), Some(Refusal::NoPrekeys));
        let reply = thief.ask(claim(4, b"not hers")).await;
        assert_eq!(refusal(&reply), Some(Refusal::HandleTaken));
        // A login in her name takes her key.
        let endpoint = quic::dialer(relay.address()).unwrap();
        let (address, pin) = (relay.address(), relay.pin());
        let forged = sotto_net::link::Link::open(&endpoint, address, pin, device, START, |it| {
            Device::new(66).sign(pin, it)
        });
        let refused = forged.await;
        assert!(
            matches!(refused, Err(LinkError::Refused(Refusal::Proof))),
            "{refused:?}"
        );
        let mut owner = victim.connect(&relay).await;
        assert_eq!(owner.delivery().await.body, b"for the victim"[..]);
        let handle = "alice".to_owned();
        let RelayFrame::Entry(entry) = owner.ask(LookUp { request: 9, handle }).await else {
            panic!("no entry");
        };
        assert_eq!(entry.identity.unwrap(), b"hers"[..]);
        honest.finish().await;
        relay.shutdown().await;
    })
    .await;
}

#[tokio::test]
async fn c8_streams_without_end_or_without_bytes_hold_up_nobody() {
    within(async {
        let folder = tempfile::tempdir().unwrap();
        let limits = Limits {
            login_deadline: Duration::from_millis(500),
            ..Limits::default()
        };
        let relay = relay(folder.path(), quiet(limits)).await;
        let honest = Honest::start(&relay).await;
        // As many streams as the relay allows, none of which says anything.
        let (_endpoint, silent) = stranger(&relay).await;
        let mut opened = Vec::new();
        while let Ok(Ok(stream)) =
            tokio::time::timeout(Duration::from_millis(50), silent.open_bi()).await
        {
            opened.push(stream);
            assert!(opened.len() <= 4, "the relay allows four");
        }
        assert_eq!(opened.len(), 4);
        // One that logs in, then starts the largest frame and never ends it, on every stream.
        let mut slow = Device::new(66).knock(&relay).await;
        slow.replies.next().await.unwrap().unwrap();
        slow.send.write_all(&[0, 4, 0, 0, 5]).await.unwrap();
        for _ in 0..3 {
            let mut stream = slow.connection.open_bi().await.unwrap();
            stream.0.write_all(&[0, 4, 0, 0, 5]).await.unwrap();
            opened.push(stream);
        }
        assert_eq!(close_code(&silent).await, 2, "no login came");
        assert!(slow.connection.close_reason().is_none());
        drop(slow);
        honest.finish().await;
        relay.shutdown().await;
    })
    .await;
}

#[tokio::test]
async fn c9_and_c10_handshakes_and_idle_connections_are_bounded() {
    within(async {
        let folder = tempfile::tempdir().unwrap();
        let limits = Limits {
            connections: 40,
            strangers: 16,
            strangers_before_retry: 8,
            ..Limits::default()
        };
        let relay = relay(folder.path(), quiet(limits)).await;
        let honest = Honest::start(&relay).await;
        // Handshakes that are begun and forgotten.
        let address = relay.address();
        for _ in 0..200 {
            let endpoint = quic::dialer(address).unwrap();
            let config = quic::client_config(&relay.pin().into()).unwrap();
            drop(endpoint.connect_with(config, address, quic::SERVER_NAME));
            tokio::task::yield_now().await;
        }
        // Connections that log in and stay: so many, and no more.
        let mut idle: Vec<Client> = Vec::new();
        let mut refused = 0;
        for seed in 1..=60 {
            match Device::new(seed).try_connect(&relay, START).await {
                Ok(client) => idle.push(client),
                Err(_) => refused += 1,
            }
        }
        assert!(idle.len() <= 38 && refused >= 22, "{} idle", idle.len());
        honest.finish().await;
        // Once they are gone, there is room again.
        drop(idle);
        let newcomer = Device::new(100);
        while newcomer.try_connect(&relay, START).await.is_err() {}
        relay.shutdown().await;
    })
    .await;
}

#[tokio::test]
async fn c12_handles_hold_nothing_but_letters_digits_and_inner_marks() {
    within(async {
        let folder = tempfile::tempdir().unwrap();
        let relay = relay(folder.path(), quiet(Limits::default())).await;
        let mut intruder = Device::new(66).connect(&relay).await;
        let handles = [
            "",
            ".",
            "../relay",
            "a/b",
            "a\\b",
            "Alice",
            "аlice",
            "alice\u{202e}",
            "alice\n",
            "ali ce",
            "alice.",
            "-alice",
            "a\0b",
            "👩",
        ];
        for handle in handles {
            let request = intruder.next_request();
            let claim = Claim {
                request,
                handle: handle.to_owned(),
                name: "Alice".to_owned(),
                identity: Bytes::new(),
            };
            let reply = intruder.ask(claim).await;
            assert_eq!(refusal(&reply), Some(Refusal::HandleUnknown), "{handle:?}");
        }
        let request = intruder.next_request();
        let claim = Claim {
            request,
            handle: "intruder".to_owned(),
            name: "x".repeat(65),
            identity: Bytes::new(),
        };
        let reply = intruder.ask(claim).await;
        assert_eq!(refusal(&reply), Some(Refusal::TooLarge));
        relay.shutdown().await;
    })
    .await;
}

#[tokio::test]
async fn c13_two_clones_with_one_key_take_turns_and_lose_nothing() {
    within(async {
        let folder = tempfile::tempdir().unwrap();
        let relay = relay(folder.path(), quiet(Limits::default())).await;
        let honest = Honest::start(&relay).await;
        let cloned = Device::new(1);
        let mut sender = Device::new(2).connect(&relay).await;
        let mut earlier = cloned.connect(&relay).await;
        for id in 0..5_u16 {
            let reply = sender.send(id, &[cloned.key()], &id.to_be_bytes()).await;
            assert!(is_done(&reply), "{reply:?}");
            // The newer connection ends the older one, and gets everything from its own cursor.
            let mut newer = cloned.connect(&relay).await;
            assert_eq!(close_code(&earlier.link.connection).await, 4);
            for before in 0..=id {
                assert_eq!(newer.delivery().await.body, before.to_be_bytes()[..]);
            }
            earlier = newer;
        }
        honest.finish().await;
        relay.shutdown().await;
    })
    .await;
}
