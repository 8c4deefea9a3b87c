//! What the tests of the relay share: a deadline, and devices that log in over real QUIC.

#![allow(dead_code, reason = "each test program uses its own part")]

pub(crate) mod frail;

use std::time::Duration;

use bytes::{Bytes, BytesMut};
use ed25519_dalek::{Signer as _, SigningKey};
use sotto_net::RelayPin;
use sotto_net::frame::{FRAME_BYTES_MAX, FrameReader, put_frame};
use sotto_net::link::{Cursor, Link, LinkError};
use sotto_net::login::{self, Exporter};
use sotto_net::quic::{self, Connection, Endpoint, RecvStream, SendStream};
use sotto_net::wire::{
    ClientFrame, Delivery, DeliveryFrame, DeviceKey, EnvelopeId, Login, Refusal, RelayFrame, Send,
    StoreId,
};
use sotto_relay::{Limits, Relay, RelayConfig, SqliteStore, relay_key};

/// Fails a test that hangs; far more than any of them needs.
const DEADLINE: Duration = Duration::from_mins(1);

pub(crate) async fn within<T>(test: impl Future<Output = T>) -> T {
    tokio::time::timeout(DEADLINE, test)
        .await
        .expect("the test hangs")
}

/// A cursor of no store: deliver from the start.
pub(crate) const START: Cursor = Cursor {
    store: StoreId([0; 16]),
    after: 0,
};

/// Starts the relay of this folder; waits for an earlier one to let go of it.
pub(crate) async fn relay(folder: &std::path::Path, config: RelayConfig) -> Relay {
    let key = relay_key(folder).unwrap();
    let store = loop {
        match SqliteStore::open(folder) {
            Ok(store) => break store,
            Err(sotto_relay::StoreError::InUse) => tokio::task::yield_now().await,
            Err(error) => panic!("{error}"),
        }
    };
    Relay::spawn(config, key, store).await.unwrap()
}

/// Without seeds and roster, so that a test sees only what it asked for.
pub(crate) fn quiet(limits: Limits) -> RelayConfig {
    RelayConfig {
        seeds: Vec::new(),
        roster: false,
        limits,
        ..RelayConfig::default()
    }
}

pub(crate) fn is_done(reply: &RelayFrame) -> bool {
    matches!(reply, RelayFrame::Done(_))
}

/// Why a request was refused.
pub(crate) fn refusal(reply: &RelayFrame) -> Option<Refusal> {
    match reply {
        RelayFrame::Refused(refused) => Some(refused.reason),
        _ => None,
    }
}

/// Somebody's device.
pub(crate) struct Device(SigningKey);

impl Device {
    pub(crate) fn new(seed: u8) -> Self {
        Self(SigningKey::from_bytes(&[seed; 32]))
    }

    pub(crate) fn key(&self) -> DeviceKey {
        DeviceKey(self.0.verifying_key().to_bytes())
    }

    /// The signature of a login, put together as the specification says (WIRE §4).
    pub(crate) fn sign(&self, relay: RelayPin, exporter: &Exporter) -> [u8; 64] {
        let mut message = Vec::new();
        let parts: [&[u8]; 4] = [
            b"Sotto/1 relay-auth",
            relay.as_bytes(),
            &self.key().0,
            exporter,
        ];
        for part in parts {
            message.extend_from_slice(&u32::try_from(part.len()).unwrap().to_be_bytes());
            message.extend_from_slice(part);
        }
        self.0.sign(&message).to_bytes()
    }

    pub(crate) async fn try_connect(
        &self,
        relay: &Relay,
        cursor: Cursor,
    ) -> Result<Client, LinkError> {
        let (address, pin) = (relay.address(), relay.pin());
        let endpoint = quic::dialer(address).unwrap();
        let sign = |exporter: &Exporter| self.sign(pin, exporter);
        let link = Link::open(&endpoint, address, pin, self.key(), cursor, sign).await?;
        Ok(Client {
            link,
            requests: 0,
            endpoint,
        })
    }

    pub(crate) async fn connect(&self, relay: &Relay) -> Client {
        self.try_connect(relay, START).await.unwrap()
    }

    /// Connects and sends the login, but reads nothing: what follows is up to the test.
    pub(crate) async fn knock(&self, relay: &Relay) -> Knock {
        let (endpoint, connection) = stranger(relay).await;
        let exporter = login::exporter(&connection, relay.pin()).unwrap();
        let login = Login {
            minor: quic::MINOR_VERSION,
            device: self.key(),
            proof: self.sign(relay.pin(), &exporter).into(),
            store: START.store,
            after: START.after,
        };
        let mut bytes = BytesMut::new();
        put_frame(&ClientFrame::from(login), &mut bytes);
        let (mut send, receive) = connection.open_bi().await.unwrap();
        send.write_all(&bytes).await.unwrap();
        Knock {
            connection,
            send,
            replies: FrameReader::new(receive, FRAME_BYTES_MAX),
            endpoint,
        }
    }
}

/// A connection that has not logged in.
pub(crate) async fn stranger(relay: &Relay) -> (Endpoint, Connection) {
    let address = relay.address();
    let endpoint = quic::dialer(address).unwrap();
    let config = quic::client_config(&relay.pin().into()).unwrap();
    let connecting = endpoint.connect_with(config, address, quic::SERVER_NAME);
    let connection = connecting.unwrap().await.unwrap();
    (endpoint, connection)
}

/// A login of which the test holds both ends of the control stream.
pub(crate) struct Knock {
    pub(crate) connection: Connection,
    pub(crate) send: SendStream,
    pub(crate) replies: FrameReader<RelayFrame, RecvStream>,
    pub(crate) endpoint: Endpoint,
}

/// A device that is connected.
pub(crate) struct Client {
    pub(crate) link: Link,
    requests: u32,
    /// Kept so that the connection lives.
    endpoint: Endpoint,
}

impl Client {
    pub(crate) fn next_request(&mut self) -> u32 {
        self.requests += 1;
        self.requests
    }

    pub(crate) async fn put(&mut self, frame: impl Into<ClientFrame>) {
        self.link.requests.send(&frame.into()).await.unwrap();
    }

    pub(crate) async fn reply(&mut self) -> RelayFrame {
        self.link.replies.next().await.unwrap().expect("a reply")
    }

    /// The answer to a request; news in between are passed over.
    pub(crate) async fn ask(&mut self, frame: impl Into<ClientFrame>) -> RelayFrame {
        self.put(frame).await;
        loop {
            let reply = self.reply().await;
            let is_news = match &reply {
                RelayFrame::Entry(entry) => entry.request == 0,
                RelayFrame::Presence(_) | RelayFrame::PrekeysLow(_) => true,
                _ => false,
            };
            if !is_news {
                return reply;
            }
        }
    }

    /// Sends an envelope and gives the answer.
    pub(crate) async fn send(&mut self, id: u16, targets: &[DeviceKey], body: &[u8]) -> RelayFrame {
        let request = self.next_request();
        self.ask(envelope(request, id, targets, body)).await
    }

    pub(crate) async fn delivery_frame(&mut self) -> DeliveryFrame {
        let frame = self.link.deliveries.next().await.unwrap();
        frame.expect("a delivery")
    }

    /// The next envelope; markers in between are passed over.
    pub(crate) async fn delivery(&mut self) -> Delivery {
        loop {
            if let DeliveryFrame::Delivery(delivery) = self.delivery_frame().await {
                return delivery;
            }
        }
    }

    /// The cursor behind this delivery.
    pub(crate) fn cursor(&self, after: u64) -> Cursor {
        Cursor {
            store: self.link.welcome.store,
            after,
        }
    }
}

pub(crate) fn envelope(request: u32, id: u16, targets: &[DeviceKey], body: &[u8]) -> Send {
    let mut bytes = [0; 16];
    bytes[..2].copy_from_slice(&id.to_be_bytes());
    Send {
        request,
        id: EnvelopeId(bytes),
        targets: targets
            .iter()
            .map(|device| (*device, Bytes::copy_from_slice(body)))
            .collect(),
    }
}

/// The code with which the other side closed the connection.
pub(crate) async fn close_code(connection: &Connection) -> u64 {
    match connection.closed().await {
        quic::ConnectionError::ApplicationClosed(close) => close.error_code.into_inner(),
        other => panic!("{other}"),
    }
}
