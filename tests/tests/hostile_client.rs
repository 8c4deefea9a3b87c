//! A client that means harm and holds real keys, against the real client of somebody else through
//! a real relay (`C` numbers as in SECURITY.md).

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "helpers of tests fail their test"
)]

use std::future::Future;
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use sotto_client::Command;
use sotto_client::view::Notice;
use sotto_crypto::{Identity, Packet, PublicIdentity, Session, VerifiedBundle};
use sotto_net::link::{Cursor, Link};
use sotto_net::quic::{self, Endpoint};
use sotto_net::wire::{
    ClientFrame, DeliveryFrame, DeviceKey, EnvelopeId, LookUp, RelayFrame, Send, StoreId,
    TakeBundle,
};
use sotto_tests::{Desk, Host, Tap};
use tempfile::tempdir;
use tokio::runtime::Runtime;

/// Whatever has not happened by then never will.
const DEADLINE: Duration = Duration::from_mins(1);
/// `tag16 || r16 || hdr || body` of a short text without a step (PROTOCOL §5).
const TAIL_BYTES: usize = 16 + 16 + 32 + 256 + 16;

/// A device without a name, driven by hand.
struct Intruder {
    runtime: Runtime,
    identity: Identity,
    link: Link,
    requests: u32,
    ids: u8,
    /// Kept so that the connection lives.
    _endpoint: Endpoint,
}

impl Intruder {
    fn connect(host: &Host) -> Self {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        let identity = Identity::generate(&mut rand::rng()).unwrap();
        let (address, pin) = (host.address(), host.invite().pin().unwrap());
        let device = DeviceKey(identity.public().device_key());
        let start = Cursor {
            store: StoreId([0; 16]),
            after: 0,
        };
        let (endpoint, link) = within(&runtime, async {
            let endpoint = quic::dialer(address).unwrap();
            let sign = |exporter: &_| identity.sign_login(pin.as_bytes(), exporter);
            let link = Link::open(&endpoint, address, pin, device, start, sign).await;
            (endpoint, link.unwrap())
        });
        Self {
            runtime,
            identity,
            link,
            requests: 0,
            ids: 0,
            _endpoint: endpoint,
        }
    }

    /// The answer to the request that `frame` makes of its number.
    fn ask(&mut self, frame: impl FnOnce(u32) -> ClientFrame) -> RelayFrame {
        self.requests += 1;
        let request = self.requests;
        let frame = frame(request);
        within(&self.runtime, async {
            self.link.requests.send(&frame).await.unwrap();
            loop {
                let reply = self.link.replies.next().await.unwrap().unwrap();
                let number = match &reply {
                    RelayFrame::Done(it) => it.request,
                    RelayFrame::Refused(it) => it.request,
                    RelayFrame::Bundle(it) => it.request,
                    RelayFrame::Entry(it) => it.request,
                    _ => 0,
                };
                if number == request {
                    return reply;
                }
            }
        })
    }

    /// A session with somebody who has a handle, and where their mail goes.
    fn session(&mut self, handle: &str) -> (Session, DeviceKey) {
        let handle = handle.to_owned();
        let RelayFrame::Entry(entry) = self.ask(|request| LookUp { request, handle }.into()) else {
            panic!("no entry");
        };
        let peer = PublicIdentity::decode(&entry.identity.unwrap()).unwrap();
        let device = DeviceKey(peer.device_key());
        let reply = self.ask(|request| TakeBundle { request, device }.into());
        let RelayFrame::Bundle(bundle) = reply else {
            panic!("{reply:?}");
        };
        let one_time = bundle.one_time.as_deref();
        let verified = VerifiedBundle::verify(&peer, &bundle.signed, one_time, now_secs()).unwrap();
        let session = Session::start(&self.identity, &verified, now_secs(), &mut rand::rng());
        (session.unwrap(), device)
    }

    fn send(&mut self, device: DeviceKey, body: impl Into<Bytes>) {
        self.ids += 1;
        let id = EnvelopeId([self.ids; 16]);
        let targets = vec![(device, body.into())];
        let reply = self.ask(|request| {
            let send = Send {
                request,
                id,
                targets,
            };
            send.into()
        });
        assert!(matches!(reply, RelayFrame::Done(_)), "{reply:?}");
    }

    /// The next envelope for this device.
    fn receive(&mut self) -> Bytes {
        within(&self.runtime, async {
            loop {
                let frame = self.link.deliveries.next().await.unwrap().unwrap();
                if let DeliveryFrame::Delivery(delivery) = frame {
                    return delivery.body;
                }
            }
        })
    }

    /// A text as the client writes it, sealed; the session goes on.
    fn seal(&mut self, session: &mut Session, text: &str) -> Vec<u8> {
        self.ids += 1;
        let head = [&[1][..], &[self.ids; 16], &[0; 8]].concat();
        let content = [&head, text.as_bytes()].concat();
        let step = session.seal(&content, now_secs(), &mut rand::rng());
        let step = step.unwrap();
        *session = step.next;
        step.output
    }
}

fn within<T>(runtime: &Runtime, work: impl Future<Output = T>) -> T {
    runtime.block_on(async { tokio::time::timeout(DEADLINE, work).await.unwrap() })
}

fn now_secs() -> u64 {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    since.unwrap().as_secs()
}

/// The same session, with `n` as the number of its next message (the stored form, PROTOCOL §9.3).
fn numbered(session: &Session, n: u32) -> Session {
    let mut stored = session.to_stored();
    let turn = 1 + 32 + 1 + 64 + 32;
    let sending = turn + 1 + if stored[turn] == 0 { 1_216 } else { 32 };
    assert_eq!(stored[sending], 1, "a chain to send in");
    let next = sending + 1 + 4 + 64 + 32;
    stored[next..next + 4].copy_from_slice(&n.to_be_bytes());
    Session::from_stored(&stored).unwrap()
}

fn wait_unopened(desk: &Desk, who: &str, expected: u32) {
    desk.wait(who, &format!("{expected} unopened"), |view| {
        (view.notice == Some(Notice::Unopened { messages: expected })).then_some(())
    });
}

#[test]
fn c3_numbers_far_ahead_neither_stop_a_client_nor_the_next_message() {
    let dir = tempdir().unwrap();
    let host = Host::start(&dir.path().join("relay"));
    let desk = Desk::open(dir.path(), Some(host.invite()));
    desk.write("alice", "bob", "honest");
    desk.read("bob", "alice", &["honest"]);
    let mut intruder = Intruder::connect(&host);
    let (mut session, bob) = intruder.session("bob");
    let first = intruder.seal(&mut session, "first");
    intruder.send(bob, first);
    desk.read("bob", "", &["first"]);
    // Only then does Intruder get an answer.
    let request = desk.chat_id("bob", "");
    desk.command("bob", Command::AcceptRequest(request));
    let ahead = [2_001, 1 << 16, 1 << 31, u32::MAX - 1];
    // With the handshake in front, and after Bob's answer without it.
    let mut unopened = 0;
    for text in ["still with the handshake", "without it"] {
        for n in ahead {
            let far = intruder.seal(&mut numbered(&session, n), "far ahead");
            let is_first = Packet::parse(&far).unwrap().handshake().is_some();
            assert_eq!(is_first, unopened < 4);
            intruder.send(bob, far);
            unopened += 1;
        }
        wait_unopened(&desk, "bob", unopened);
        let next = intruder.seal(&mut session, text);
        intruder.send(bob, next);
        if unopened == 4 {
            desk.read("bob", "", &["first", "still with the handshake"]);
            let answer = intruder.receive();
            let packet = Packet::parse(&answer).unwrap();
            session = session
                .open(&packet, now_secs(), &mut rand::rng())
                .unwrap()
                .next;
        }
    }
    let all = ["first", "still with the handshake", "without it"];
    desk.read("bob", "", &all);
    desk.write("alice", "bob", "unharmed");
    desk.read("bob", "alice", &["honest", "unharmed"]);
}

#[test]
fn c7_what_a_client_sends_is_its_own_or_does_not_open() {
    let dir = tempdir().unwrap();
    let tap = Tap::default();
    let host = Host::start_with(&dir.path().join("relay"), |store| tap.around(store));
    let desk = Desk::open(dir.path(), Some(host.invite()));
    desk.write("alice", "bob", "from Alice");
    desk.read("bob", "alice", &["from Alice"]);
    let of_alice = tap.bodies()[0].clone();
    let mut intruder = Intruder::connect(&host);
    let (mut session, bob) = intruder.session("bob");
    let own = intruder.seal(&mut session, "I am Alice");
    let front = |packet: &[u8]| packet[..packet.len() - TAIL_BYTES].to_vec();
    let tail = |packet: &[u8]| packet[packet.len() - TAIL_BYTES..].to_vec();
    let forgeries = [
        // Alice's handshake, which says who she is, before words of Intruder's, and the other way.
        [front(&of_alice), tail(&own)].concat(),
        [front(&own), tail(&of_alice)].concat(),
        // Her whole packet once more, as Intruder's.
        of_alice.to_vec(),
    ];
    for (forged, unopened) in forgeries.into_iter().zip(1..) {
        intruder.send(bob, forged);
        wait_unopened(&desk, "bob", unopened);
    }
    intruder.send(bob, own);
    desk.read("bob", "", &["I am Alice"]);
    let row = desk.chat("bob", "");
    assert!(row.name.starts_with("Unknown "), "{}", row.name);
    desk.write("alice", "bob", "it is me");
    desk.read("bob", "alice", &["from Alice", "it is me"]);
}
