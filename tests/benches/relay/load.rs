//! What is asked of both relays.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, LazyLock, Mutex, PoisonError};
use std::time::{Duration, Instant};

use bytes::{Bytes, BytesMut};
use ed25519_dalek::{Signer as _, SigningKey};
use sotto_net::RelayPin;
use sotto_net::link::{Cursor, Link};
use sotto_net::login::Exporter;
use sotto_net::quic::{self, Connection, Endpoint, RecvStream, SendStream};
use sotto_net::wire::{
    Acknowledge, ClientFrame, DeliveryFrame, DeviceKey, EnvelopeId, RelayFrame, Send, StoreId,
};
use tokio::io::AsyncReadExt as _;
use tokio::sync::{Barrier, Semaphore};
use tokio::task::JoinSet;

use crate::bare;
use crate::process::{Kind, Process};

/// Requests that a sender has under way.
const WINDOW: usize = 256;
/// Deliveries after which a reader acknowledges.
const ACKNOWLEDGE_EVERY: usize = 64;
/// Handshakes at a time when many connect without a hurry.
const CONNECTING: usize = 64;
/// Names of connections that say nothing start here.
const FIRST_IDLE: u32 = 1_000_000;

/// A load, and what was seen of it.
pub(crate) trait Load {
    type Output;
    fn run(&self, relay: &Process) -> impl Future<Output = Self::Output>;
}

/// Senders that write as fast as they may, to as many readers.
#[derive(Debug)]
pub(crate) struct Saturate {
    pub(crate) bytes: usize,
    pub(crate) pairs: u32,
}

/// How many arrived in a second, and the relay's CPU time for each.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Saturated {
    pub(crate) per_second: f64,
    pub(crate) cpu_micros: f64,
}

impl Load for Saturate {
    type Output = Saturated;

    async fn run(&self, relay: &Process) -> Saturated {
        let all: u32 = match relay.kind {
            Kind::Sotto => 256_000,
            Kind::Bare | Kind::Cores => 400_000,
        };
        let each = (all / self.pairs) as usize;
        let start = Arc::new(Barrier::new(2 * self.pairs as usize + 1));
        let mut tasks = JoinSet::new();
        for pair in 0..self.pairs {
            let (sender, reader) = (2 * pair, 2 * pair + 1);
            let body = Bytes::from(vec![7; self.bytes]);
            let reader_side = Side::open(relay, reader).await;
            let sender_side = Side::open(relay, sender).await;
            let started = Arc::clone(&start);
            tasks.spawn(async move {
                started.wait().await;
                reader_side.read(each).await
            });
            let started = Arc::clone(&start);
            tasks.spawn(async move {
                started.wait().await;
                sender_side.write(reader, &body, each).await
            });
        }
        start.wait().await;
        let cpu = relay.cpu();
        let started = Instant::now();
        // Nobody leaves before everybody has everything.
        let everybody = tasks.join_all().await;
        let seconds = started.elapsed().as_secs_f64();
        drop(everybody);
        let messages = f64::from(all);
        Saturated {
            per_second: messages / seconds,
            cpu_micros: relay.cpu().saturating_sub(cpu).as_secs_f64() * 1e6 / messages,
        }
    }
}

/// One message, and the next when it has arrived.
#[derive(Debug)]
pub(crate) struct OneByOne {
    pub(crate) bytes: usize,
}

impl Load for OneByOne {
    /// From send to arrival, ascending.
    type Output = Vec<Duration>;

    async fn run(&self, relay: &Process) -> Vec<Duration> {
        let body = Bytes::from(vec![7; self.bytes]);
        let mut reader = Side::open(relay, 1).await;
        let mut sender = Side::open(relay, 0).await;
        let mut times = Vec::new();
        for number in 0..600 {
            let started = Instant::now();
            sender.put(1, number, &body);
            sender.flush().await;
            reader.next().await;
            let time = started.elapsed();
            // The first hundred warm up.
            if number >= 100 {
                times.push(time);
            }
            reader.acknowledge().await;
            sender.answer().await;
        }
        times.sort();
        times
    }
}

/// Senders whose readers are away.
#[derive(Debug)]
pub(crate) struct Offline {
    pub(crate) bytes: usize,
}

impl Load for Offline {
    /// Stored in a second.
    type Output = f64;

    async fn run(&self, relay: &Process) -> f64 {
        const PAIRS: u32 = 16;
        const EACH: usize = 3_000;
        let mut senders = Vec::new();
        for pair in 0..PAIRS {
            // A mailbox is made by the first login.
            drop(Side::open(relay, 2 * pair + 1).await);
            senders.push((2 * pair + 1, Side::open(relay, 2 * pair).await));
        }
        let started = Instant::now();
        let mut tasks = JoinSet::new();
        for (reader, sender) in senders {
            let body = Bytes::from(vec![7; self.bytes]);
            tasks.spawn(async move { sender.write(reader, &body, EACH).await });
        }
        tasks.join_all().await;
        f64::from(PAIRS) * EACH as f64 / started.elapsed().as_secs_f64()
    }
}

/// Readers whose address changes in the middle of a conversation, as when somebody leaves the house.
#[derive(Debug)]
pub(crate) struct Move {
    pub(crate) readers: u32,
}

impl Load for Move {
    /// Readers who got what was sent to them afterwards.
    type Output = u32;

    async fn run(&self, relay: &Process) -> u32 {
        let body = Bytes::from_static(b"still there?");
        let mut sender = Side::open(relay, 0).await;
        let mut arrived = 0;
        for name in 1..=self.readers {
            let mut reader = Side::open(relay, name).await;
            let any = std::net::UdpSocket::bind("127.0.0.1:0").expect("a socket");
            reader.endpoint.rebind(any).expect("moved");
            // Something has to come from there, as a keep-alive would.
            reader.prod().await;
            sender.put(name, name as usize, &body);
            sender.flush().await;
            let next = tokio::time::timeout(Duration::from_secs(2), reader.next());
            arrived += u32::from(next.await.is_ok());
        }
        arrived
    }
}

/// Connections that say nothing, for as long as they are held.
pub(crate) async fn idle(relay: &Process, connections: usize) -> Vec<Side> {
    let endpoint = quic::dialer(relay.address).expect("a socket");
    let turns = Arc::new(Semaphore::new(CONNECTING));
    let mut tasks = JoinSet::new();
    let (kind, address, pin) = (relay.kind, relay.address, relay.pin);
    for number in 0..connections {
        let (turns, endpoint) = (Arc::clone(&turns), endpoint.clone());
        let name = FIRST_IDLE + u32::try_from(number).expect("few enough");
        tasks.spawn(async move {
            let _turn = turns.acquire().await;
            Side::open_at(kind, address, pin, endpoint, name).await
        });
    }
    tasks.join_all().await
}

/// So many connect at the same time, each from a socket of its own.
pub(crate) async fn rush(relay: &Process, connections: u32) -> Vec<Side> {
    let mut tasks = JoinSet::new();
    let (kind, address, pin) = (relay.kind, relay.address, relay.pin);
    for number in 0..connections {
        let endpoint = quic::dialer(relay.address).expect("a socket");
        tasks.spawn(Side::open_at(kind, address, pin, endpoint, number));
    }
    tasks.join_all().await
}

fn signing_key(name: u32) -> SigningKey {
    let mut seed = [0; 32];
    seed[..4].copy_from_slice(&name.to_be_bytes());
    SigningKey::from_bytes(&seed)
}

/// The signature of a login (WIRE §4).
fn sign(key: &SigningKey, pin: RelayPin, exporter: &Exporter) -> [u8; 64] {
    let device = key.verifying_key().to_bytes();
    let parts: [&[u8]; 4] = [b"Sotto/1 relay-auth", pin.as_bytes(), &device, exporter];
    let length = |part: &[u8]| u32::try_from(part.len()).expect("short").to_be_bytes();
    let message: Vec<u8> = parts
        .into_iter()
        .flat_map(|part| [&length(part), part].concat())
        .collect();
    key.sign(&message).to_bytes()
}

/// The device of this name. Making its key takes longer than sending a message.
pub(crate) fn device(name: u32) -> DeviceKey {
    static DEVICES: LazyLock<Mutex<HashMap<u32, DeviceKey>>> = LazyLock::new(Mutex::default);
    let mut devices = DEVICES.lock().unwrap_or_else(PoisonError::into_inner);
    let make = || DeviceKey(signing_key(name).verifying_key().to_bytes());
    *devices.entry(name).or_insert_with(make)
}

/// Connections so far.
static CONNECTIONS: AtomicU32 = AtomicU32::new(0);

/// One end of a conversation, at either kind of relay.
#[derive(Debug)]
pub(crate) struct Side {
    talk: Talk,
    name: u32,
    /// Tells its envelopes from those of earlier connections.
    connection: u32,
    endpoint: Endpoint,
}

#[derive(Debug)]
enum Talk {
    Sotto {
        link: Box<Link>,
        last: u64,
    },
    Bare {
        requests: SendStream,
        delivery: RecvStream,
        waiting: Vec<Bytes>,
        _connection: Connection,
    },
}

impl Side {
    pub(crate) async fn open(relay: &Process, name: u32) -> Self {
        let endpoint = quic::dialer(relay.address).expect("a socket");
        Self::open_at(relay.kind, relay.address, relay.pin, endpoint, name).await
    }

    async fn open_at(
        kind: Kind,
        address: std::net::SocketAddr,
        pin: RelayPin,
        endpoint: Endpoint,
        name: u32,
    ) -> Self {
        let talk = match kind {
            Kind::Sotto => {
                let key = signing_key(name);
                let cursor = Cursor {
                    store: StoreId([0; 16]),
                    after: 0,
                };
                let sign = |exporter: &Exporter| sign(&key, pin, exporter);
                let link = Link::open(&endpoint, address, pin, device(name), cursor, sign).await;
                Talk::Sotto {
                    link: Box::new(link.expect("logged in")),
                    last: 0,
                }
            }
            Kind::Bare | Kind::Cores => {
                let config = quic::client_config(&pin.into()).expect("TLS");
                let connecting = endpoint.connect_with(config, address, quic::SERVER_NAME);
                let connection = connecting.expect("an address").await.expect("connected");
                let (mut requests, _) = connection.open_bi().await.expect("a stream");
                bare::login(&mut requests, name).await;
                let mut delivery = connection.accept_uni().await.expect("a stream");
                delivery.read_exact(&mut [0; 8]).await.expect("a greeting");
                Talk::Bare {
                    requests,
                    delivery,
                    waiting: Vec::new(),
                    _connection: connection,
                }
            }
        };
        Self {
            talk,
            name,
            connection: CONNECTIONS.fetch_add(1, Ordering::Relaxed),
            endpoint,
        }
    }

    /// Adds a message to what the next flush writes.
    fn put(&mut self, target: u32, number: usize, body: &Bytes) {
        match &mut self.talk {
            Talk::Sotto { link, .. } => {
                let mut id = [0; 16];
                id[..4].copy_from_slice(&self.name.to_be_bytes());
                id[4..12].copy_from_slice(&(number as u64).to_be_bytes());
                id[12..].copy_from_slice(&self.connection.to_be_bytes());
                let send = Send {
                    request: u32::try_from(number).unwrap_or(u32::MAX),
                    id: EnvelopeId(id),
                    targets: vec![(device(target), body.clone())],
                };
                link.requests.put(&ClientFrame::from(send));
            }
            Talk::Bare { waiting, .. } => waiting.push(bare::frame(target, body)),
        }
    }

    async fn flush(&mut self) {
        match &mut self.talk {
            Talk::Sotto { link, .. } => link.requests.flush().await.expect("written"),
            Talk::Bare {
                requests, waiting, ..
            } => {
                requests.write_all_chunks(waiting).await.expect("written");
                waiting.clear();
            }
        }
    }

    /// Waits for the answer to one message; the bare relay gives none.
    async fn answer(&mut self) {
        if let Talk::Sotto { link, .. } = &mut self.talk {
            match link.replies.next().await.expect("a frame") {
                Some(RelayFrame::Done(_)) => {}
                other => unreachable!("{other:?}"),
            }
        }
    }

    /// Waits for a message.
    async fn next(&mut self) {
        match &mut self.talk {
            Talk::Sotto { link, last } => loop {
                let frame = link.deliveries.next().await.expect("a frame");
                if let Some(DeliveryFrame::Delivery(delivery)) = frame {
                    *last = delivery.sequence;
                    return;
                }
            },
            Talk::Bare { delivery, .. } => {
                let Ok(length) = delivery.read_u32().await else {
                    // The connection is gone, and nothing will come.
                    return std::future::pending().await;
                };
                let length = length as usize;
                let mut rest = vec![0; 4 + length];
                delivery.read_exact(&mut rest).await.expect("a body");
            }
        }
    }

    /// Makes the connection send something that nobody minds.
    async fn prod(&mut self) {
        match &mut self.talk {
            Talk::Sotto { .. } => self.acknowledge().await,
            Talk::Bare { requests, .. } => {
                // For somebody who does not exist.
                let nothing = bare::frame(u32::MAX, b"");
                requests.write_chunk(nothing).await.expect("written");
            }
        }
    }

    async fn acknowledge(&mut self) {
        if let Talk::Sotto { link, last } = &mut self.talk {
            let acknowledge = Acknowledge { up_to: *last };
            link.requests
                .send(&acknowledge.into())
                .await
                .expect("written");
        }
    }

    async fn read(mut self, messages: usize) -> Self {
        if let Talk::Bare { delivery, .. } = &mut self.talk {
            read_frames(delivery, messages).await;
            return self;
        }
        for number in 1..=messages {
            self.next().await;
            if number % ACKNOWLEDGE_EVERY == 0 || number == messages {
                self.acknowledge().await;
            }
        }
        self
    }

    /// Writes as much as the window allows, and waits for the answers.
    async fn write(mut self, target: u32, body: &Bytes, messages: usize) -> Self {
        let mut answered = 0;
        let mut sent = 0;
        while answered < messages {
            let most = match self.talk {
                Talk::Sotto { .. } => messages.min(answered + WINDOW),
                Talk::Bare { .. } => messages.min(sent + WINDOW),
            };
            // Half a window at a time, so that the stream is not woken for each message.
            if most - sent >= WINDOW / 2 || most == messages {
                for number in sent..most {
                    self.put(target, number, body);
                }
                if most > sent {
                    self.flush().await;
                }
                sent = most;
            }
            match self.talk {
                Talk::Sotto { .. } => {
                    self.answer().await;
                    answered += 1;
                }
                Talk::Bare { .. } => answered = sent,
            }
        }
        self
    }
}

/// Reads so many frames of the bare relay, many at a time.
async fn read_frames(delivery: &mut RecvStream, messages: usize) {
    let mut buffer = BytesMut::new();
    let mut left = messages;
    while left > 0 {
        while left > 0
            && let Some(length) = buffer.first_chunk::<4>()
            && buffer.len() >= 8 + u32::from_be_bytes(*length) as usize
        {
            let bytes = 8 + u32::from_be_bytes(*length) as usize;
            drop(buffer.split_to(bytes));
            left -= 1;
        }
        if left > 0 {
            buffer.reserve(64 * 1024);
            delivery.read_buf(&mut buffer).await.expect("more");
        }
    }
}
