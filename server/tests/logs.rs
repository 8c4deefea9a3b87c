//! What the program logs, at its most talkative, while people use it and misuse it.

#![cfg(unix)]
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that meets the unexpected fails there"
)]

#[cfg(test)]
mod support;

use std::io::{BufRead as _, BufReader, Read as _};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use bytes::{Bytes, BytesMut};
use data_encoding::{BASE32, BASE64, BASE64URL_NOPAD, HEXLOWER};
use sotto_net::Invite;
use sotto_net::frame::put_frame;
use sotto_net::link::{Link, LinkError};
use sotto_net::quic::{self, Endpoint};
use sotto_net::wire::{
    Acknowledge, Claim, ClientFrame, LookUp, Refusal, RelayFrame, TakeBundle, WatchPresence,
};

use crate::support::{Device, START, close_code, envelope, is_done, refusal, within};

const HANDLE: &str = "quintilla-of-the-marsh";
const NAME: &str = "Quintilla Marshwiggle";

/// A program, killed when the test ends in whatever way.
struct Program(Child);

impl Drop for Program {
    fn drop(&mut self) {
        // It may have ended by itself.
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

impl Program {
    fn start(folder: &Path, format: &str) -> (Self, Invite) {
        let mut child = Command::new(env!("CARGO_BIN_EXE_sotto-relay"))
            .args(["serve", "--listen", "127.0.0.1:0", "--data"])
            .arg(folder)
            .args(["--admin", "127.0.0.1:0", "--mailbox-envelopes", "2"])
            .args(["--envelope-burst", "5", "--log-format", format])
            .env("SOTTO_LOG", "sotto_relay=trace,sotto_net=trace")
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let out = BufReader::new(child.stdout.take().unwrap());
        let invite = out
            .lines()
            .find_map(|line| line.unwrap().strip_prefix("invite ").map(str::to_owned));
        (Self(child), invite.unwrap().parse().unwrap())
    }

    /// Drains it; everything that it logged.
    fn end(mut self) -> String {
        let pid = self.0.id().to_string();
        assert!(Command::new("kill").arg(&pid).status().unwrap().success());
        let mut log = String::new();
        let mut errors = self.0.stderr.take().unwrap();
        errors.read_to_string(&mut log).unwrap();
        assert!(self.0.wait().unwrap().success());
        log
    }
}

struct Person {
    device: Device,
    link: Link,
    endpoint: Endpoint,
}

impl Person {
    async fn connect(seed: u8, invite: &Invite) -> Self {
        let device = Device::new(seed);
        let (address, pin) = (invite.authority().parse().unwrap(), invite.pin().unwrap());
        let endpoint = quic::dialer(address).unwrap();
        let sign = |exporter: &_| device.sign(pin, exporter);
        let link = Link::open(&endpoint, address, pin, device.key(), START, sign);
        let link = link.await.unwrap();
        Self {
            device,
            link,
            endpoint,
        }
    }

    /// Where it is seen.
    fn port(&self) -> u16 {
        self.endpoint.local_addr().unwrap().port()
    }

    async fn ask(&mut self, frame: impl Into<ClientFrame>) -> RelayFrame {
        self.link.requests.send(&frame.into()).await.unwrap();
        loop {
            match self.link.replies.next().await.unwrap().unwrap() {
                RelayFrame::Entry(entry) if entry.request == 0 => {}
                RelayFrame::Presence(_) => {}
                reply => return reply,
            }
        }
    }
}

/// Whatever can be done at a relay, and whatever it refuses; gives what may be nowhere in a log.
async fn commotion(invite: &Invite) -> Vec<String> {
    let mut alice = Person::connect(1, invite).await;
    let mut bob = Person::connect(2, invite).await;
    let (key, other) = (alice.device.key(), bob.device.key());
    let nobody = Device::new(3).key();
    let claim = |handle: &str| Claim {
        request: 1,
        handle: handle.to_owned(),
        name: NAME.to_owned(),
        identity: Bytes::from_static(b"an identity"),
    };
    assert!(is_done(&alice.ask(claim(HANDLE)).await));
    let taken = bob.ask(claim(HANDLE)).await;
    assert_eq!(refusal(&taken), Some(Refusal::HandleTaken));
    for (id, targets, expected) in [
        (1, &[other][..], None),
        (2, &[other], None),
        (3, &[other], Some(Refusal::MailboxFull)),
        (4, &[nobody], Some(Refusal::DeviceUnknown)),
        (5, &[nobody; 6], Some(Refusal::RateLimited)),
    ] {
        let reply = alice.ask(envelope(2, id, targets, b"x")).await;
        assert_eq!(refusal(&reply), expected);
    }
    let take = TakeBundle {
        request: 5,
        device: other,
    };
    assert_eq!(refusal(&alice.ask(take).await), Some(Refusal::NoPrekeys));
    let look_up = LookUp {
        request: 6,
        handle: HANDLE.to_owned(),
    };
    let found = alice.ask(look_up).await;
    assert!(matches!(found, RelayFrame::Entry(_)), "{found:?}");
    let watch = WatchPresence {
        devices: vec![other],
    };
    alice.link.requests.send(&watch.into()).await.unwrap();
    let acknowledge = Acknowledge { up_to: 1 };
    bob.link.requests.send(&acknowledge.into()).await.unwrap();

    // The same device once more, a login without a proof, and one that breaks the protocol.
    let again = Person::connect(2, invite).await;
    assert_eq!(close_code(&bob.link.connection).await, 4, "replaced");
    let (address, pin) = (invite.authority().parse().unwrap(), invite.pin().unwrap());
    let liar = quic::dialer(address).unwrap();
    let refused = Link::open(&liar, address, pin, nobody, START, |_| [0; 64]).await;
    assert!(matches!(refused, Err(LinkError::Refused(Refusal::Proof))));
    let config = quic::client_config(&pin.into()).unwrap();
    let connecting = liar.connect_with(config, address, quic::SERVER_NAME);
    let connection = connecting.unwrap().await.unwrap();
    let mut bytes = BytesMut::new();
    put_frame(&ClientFrame::from(Acknowledge { up_to: 1 }), &mut bytes);
    let (mut send, _receive) = connection.open_bi().await.unwrap();
    send.write_all(&bytes).await.unwrap();
    assert_eq!(close_code(&connection).await, 1, "not a login");

    let mut secrets = vec![
        HANDLE.to_owned(),
        NAME.to_owned(),
        invite.pin().unwrap().to_string(),
        "sotto://".to_owned(),
        "127.0.0.1".to_owned(),
    ];
    for port in [
        alice.port(),
        bob.port(),
        again.port(),
        liar.local_addr().unwrap().port(),
    ] {
        secrets.push(format!(":{port}"));
    }
    for key in [key, other, nobody] {
        // The first bytes are enough to know a device by, in whatever way they are written.
        let (bytes, start) = (&key.0, &key.0[..6]);
        let list = |bytes: &[u8]| {
            let bytes: Vec<_> = bytes.iter().map(u8::to_string).collect();
            [bytes.join(", "), bytes.join(",")]
        };
        secrets.extend(list(start));
        secrets.extend([
            HEXLOWER.encode(start),
            BASE64URL_NOPAD.encode(start),
            BASE64.encode(start),
            BASE32.encode(&bytes[..5]),
        ]);
    }
    secrets
}

#[tokio::test]
async fn the_log_of_a_busy_relay_names_nobody_at_any_level() {
    within(async {
        for format in ["text", "json"] {
            let folder = tempfile::tempdir().unwrap();
            let (program, invite) = Program::start(folder.path(), format);
            let secrets = commotion(&invite).await;
            let log = program.end();
            assert!(log.contains("draining"), "it logs: {log}");
            let is_object = |line: &str| serde_json::from_str::<serde_json::Value>(line).is_ok();
            assert_eq!(log.lines().all(is_object), format == "json", "{log}");
            let log = log.to_lowercase();
            for secret in secrets {
                assert!(!log.contains(&secret.to_lowercase()), "{secret} in {log}");
            }
        }
    })
    .await;
}
