//! Peers of other minor versions (WIRE §8). The client of minor 0 is written down here in its own
//! bytes, and never changes: whatever becomes of today's types, it has to be understood.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that meets the unexpected fails there"
)]

#[cfg(test)]
mod support;

use bytes::Bytes;
use sotto_net::quic::{Connection, Endpoint, RecvStream, SendStream};
use sotto_net::wire::{LookUp, Refusal, SendEphemeral};
use sotto_relay::{Limits, Relay};

use crate::support::{Device, is_done, quiet, refusal, relay, stranger, within};

/// A frame: length, kind, payload.
fn frame(kind: u8, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len() + 1).unwrap().to_be_bytes();
    [&length[..], &[kind], payload].concat()
}

/// A little-endian base-128 number.
fn varint(mut number: u64) -> Vec<u8> {
    let mut bytes = Vec::new();
    while number > 0x7f {
        bytes.push(number.to_le_bytes()[0] & 0x7f | 0x80);
        number >>= 7;
    }
    bytes.push(number.to_le_bytes()[0]);
    bytes
}

/// Takes a number off the front.
fn take_varint(bytes: &[u8]) -> (u64, &[u8]) {
    let end = bytes.iter().position(|byte| byte & 0x80 == 0).unwrap();
    let digits = bytes[..=end].iter().rev();
    let number = digits.fold(0, |number, byte| number << 7 | u64::from(byte & 0x7f));
    (number, &bytes[end + 1..])
}

/// The frames of one stream as kind and payload, unknown kinds and all.
struct Frames {
    stream: RecvStream,
    /// The kinds that this client knows; it passes over the others.
    known: &'static [u8],
    passed_over: Vec<u8>,
}

impl Frames {
    async fn next(&mut self) -> (u8, Vec<u8>) {
        loop {
            let mut length = [0; 4];
            self.stream.read_exact(&mut length).await.unwrap();
            let mut payload = vec![0; u32::from_be_bytes(length) as usize];
            self.stream.read_exact(&mut payload).await.unwrap();
            let kind = payload.remove(0);
            if self.known.contains(&kind) {
                return (kind, payload);
            }
            self.passed_over.push(kind);
        }
    }
}

/// A client of minor 0.
struct OldClient {
    requests: SendStream,
    replies: Frames,
    deliveries: Frames,
    store: [u8; 16],
    connection: Connection,
    /// Kept so that the connection lives.
    _endpoint: Endpoint,
}

impl OldClient {
    /// Logs in with this minor and from this place in the mailbox.
    async fn connect(
        relay: &Relay,
        device: &Device,
        minor: u8,
        store: [u8; 16],
        after: u64,
    ) -> Self {
        let (endpoint, connection) = stranger(relay).await;
        let pin = relay.pin();
        let mut exporter = [0; 32];
        let label = b"EXPORTER-sotto-auth-v1";
        connection
            .export_keying_material(&mut exporter, label, pin.as_bytes())
            .unwrap();
        let proof = device.sign(pin, &exporter);
        let (mut requests, replies) = connection.open_bi().await.unwrap();
        let payload = [
            &[minor][..],
            &device.key().0,
            &proof,
            &store,
            &varint(after),
        ];
        requests
            .write_all(&frame(1, &payload.concat()))
            .await
            .unwrap();
        let mut replies = Frames {
            stream: replies,
            known: &[1, 2, 3, 4, 5, 6, 7, 8],
            passed_over: Vec::new(),
        };
        // Welcome: minor, store, what it has of the prekeys.
        let (kind, welcome) = replies.next().await;
        assert_eq!(kind, 1);
        let (_minor, rest) = take_varint(&welcome);
        let store = rest[..16].try_into().unwrap();
        let deliveries = Frames {
            stream: connection.accept_uni().await.unwrap(),
            known: &[1, 2],
            passed_over: Vec::new(),
        };
        Self {
            requests,
            replies,
            deliveries,
            store,
            connection,
            _endpoint: endpoint,
        }
    }

    async fn put(&mut self, kind: u8, payload: &[u8]) {
        self.requests
            .write_all(&frame(kind, payload))
            .await
            .unwrap();
    }

    /// Asserts what is answered next.
    async fn expect(&mut self, kind: u8, payload: &[u8]) {
        assert_eq!(self.replies.next().await, (kind, payload.to_vec()));
    }

    /// Sequence, id and body of the next envelope.
    async fn delivery(&mut self) -> (u64, Vec<u8>, Vec<u8>) {
        loop {
            let (kind, payload) = self.deliveries.next().await;
            if kind == 1 {
                let (sequence, rest) = take_varint(&payload);
                return (sequence, rest[..16].to_vec(), rest[16..].to_vec());
            }
        }
    }

    /// Where the mailbox ends.
    async fn caught_up(&mut self) -> u64 {
        let (kind, payload) = self.deliveries.next().await;
        assert_eq!(kind, 2, "an envelope: {payload:x?}");
        take_varint(&payload).0
    }
}

#[tokio::test]
async fn a_client_of_minor_0_does_everything_that_it_ever_could() {
    within(async {
        let folder = tempfile::tempdir().unwrap();
        let relay = relay(folder.path(), quiet(Limits::default())).await;
        let (of_alice, of_bob) = (Device::new(1), Device::new(2));
        let mut alice = OldClient::connect(&relay, &of_alice, 0, [0; 16], 0).await;
        let mut bob = OldClient::connect(&relay, &of_bob, 0, [0; 16], 0).await;

        // Claim of `bob`, signed prekey 7 and one-time prekey 200.
        bob.put(2, b"\x01\x03bob\x03Bob\x08identity").await;
        bob.expect(2, &[1]).await;
        bob.put(3, b"\x02\x01\x07\x06signed\x01\xc8\x01\x03one")
            .await;
        bob.expect(2, &[2]).await;

        // Alice looks him up, watches him and takes his prekeys.
        alice.put(8, b"\x05\x03bob").await;
        alice.expect(5, b"\x05\x03bob\x03Bob\x01\x08identity").await;
        alice.put(8, b"\x06\x06nobody").await;
        alice.expect(3, &[6, 4, 0]).await;
        let device = of_bob.key().0;
        alice.put(7, &[&[1][..], &device].concat()).await;
        alice.expect(7, &[&device[..], &[1]].concat()).await;
        let take = [&[3][..], &device].concat();
        alice.put(4, &take).await;
        alice.expect(4, b"\x03\x06signed\x01\x03one").await;
        alice.put(4, &take).await;
        alice.expect(4, b"\x03\x06signed\x00").await;
        // He is told that they run low, each time.
        bob.expect(6, &[0]).await;
        bob.expect(6, &[0]).await;

        // She sends, he stores and acknowledges.
        let id = [0xe1; 16];
        let send = [&[4][..], &id, &[1], &device, &[4], b"body"].concat();
        alice.put(5, &send).await;
        alice.expect(2, &[4]).await;
        let (first, got, body) = bob.delivery().await;
        assert_eq!((got, body), (id.to_vec(), b"body".to_vec()));
        bob.put(6, &varint(first)).await;
        // A repeated id changes nothing; the answer to a later request says that all is carried out.
        alice.put(5, &send).await;
        alice.expect(2, &[4]).await;
        bob.put(8, b"\x09\x06nobody").await;
        bob.expect(3, &[9, 4, 0]).await;

        // On a new connection nothing comes twice, and what is new comes behind.
        let store = bob.store;
        drop(bob);
        alice.expect(7, &[&device[..], &[0]].concat()).await;
        let second = [&[4][..], &[0xe2; 16], &[1], &device, &[3], b"new"].concat();
        alice.put(5, &second).await;
        alice.expect(2, &[4]).await;
        let mut bob = OldClient::connect(&relay, &of_bob, 0, store, first).await;
        let (sequence, _, body) = bob.delivery().await;
        assert!(sequence > first && body == b"new", "{sequence} {body:?}");
        assert!(bob.caught_up().await >= sequence);
        relay.shutdown().await;
        // Going away, with a time.
        let (kind, payload) = bob.replies.next().await;
        assert_eq!((kind, take_varint(&payload).1), (8, &[][..]));
    })
    .await;
}

#[tokio::test]
async fn a_client_of_minor_0_passes_over_what_came_later() {
    within(async {
        let folder = tempfile::tempdir().unwrap();
        let relay = relay(folder.path(), quiet(Limits::default())).await;
        let of_bob = Device::new(2);
        let mut bob = OldClient::connect(&relay, &of_bob, 0, [0; 16], 0).await;
        assert_eq!(bob.caught_up().await, 0);
        let mut today = Device::new(1).connect(&relay).await;
        let body = Bytes::from_static(b"typing");
        let targets = vec![(of_bob.key(), body)];
        today.put(SendEphemeral { targets }).await;
        assert!(is_done(&today.send(1, &[of_bob.key()], b"text").await));
        assert_eq!(bob.delivery().await.2, b"text");
        assert_eq!(bob.deliveries.passed_over, [3]);
        assert!(bob.connection.close_reason().is_none());
        relay.shutdown().await;
    })
    .await;
}

#[tokio::test]
async fn a_client_of_a_later_minor_is_served_and_its_unknown_frames_passed_over() {
    within(async {
        let folder = tempfile::tempdir().unwrap();
        let relay = relay(folder.path(), quiet(Limits::default())).await;
        let of_later = Device::new(2);
        let mut later = OldClient::connect(&relay, &of_later, 2, [0; 16], 0).await;
        let of_today = Device::new(1);
        let mut today = of_today.connect(&relay).await;
        // Kinds that today's relay does not know, small, empty and as large as frames may be.
        for (request, (kind, payload)) in (1..).zip([
            (90, 7),
            (91, 0),
            (99, 1_000),
            (250, 200_000),
            (255, 262_143),
        ]) {
            later.put(kind, &vec![0xff; payload]).await;
            let head = [&[request][..], &[request; 16], &[1]].concat();
            let send = [&head, &of_today.key().0[..], &[2], b"hi"].concat();
            later.put(5, &send).await;
            later.expect(2, &[request]).await;
            assert_eq!(today.delivery().await.body, b"hi"[..]);
        }
        let handle = "nobody".to_owned();
        let reply = today.ask(LookUp { request: 1, handle }).await;
        assert_eq!(refusal(&reply), Some(Refusal::HandleUnknown));
        assert!(is_done(&today.send(1, &[of_later.key()], b"back").await));
        assert_eq!(later.delivery().await.2, b"back");
        relay.shutdown().await;
    })
    .await;
}
