//! A relay that is known by a certificate for its host name, which a private authority issued.
//!
//! Clients ask the system which authorities it trusts. On Linux a variable of the environment says
//! where those are written down, and a process reads it when it wants; so each story runs in a
//! process of its own, for which it is set.

#![cfg(target_os = "linux")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test that meets the unexpected fails there"
)]

use std::fs;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use ed25519_dalek::{Signer as _, SigningKey};
use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DistinguishedName, IsCa, KeyPair,
    date_time_ymd,
};
use sotto_client::view::RelayState;
use sotto_net::link::{Cursor, Link, LinkError};
use sotto_net::login::Exporter;
use sotto_net::quic::{self, Endpoint};
use sotto_net::wire::{DeviceKey, LookUp, RelayFrame, StoreId};
use sotto_net::{Invite, RelayId, RelayTrust};
use sotto_relay::{CertificateFiles, Relay, RelayConfig, SqliteStore, relay_key};
use sotto_tests::Desk;
use tempfile::tempdir;
use tokio::runtime::Runtime;
use tokio::time::timeout;

const HOST: &str = "localhost";
/// Whatever has not happened by then never will.
const DEADLINE: Duration = Duration::from_secs(20);
/// The authority that the stories' processes trust, in their folder.
const ROOT: &str = "root.pem";
/// Where a story's process finds the files that its parent made.
const FOLDER: &str = "SOTTO_TEST_FOLDER";

/// An authority that nobody knows but whom one tells.
struct Authority(CertifiedIssuer<'static, KeyPair>);

impl Authority {
    fn new(name: &str) -> Self {
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.distinguished_name = DistinguishedName::new();
        let names = &mut params.distinguished_name;
        names.push(rcgen::DnType::CommonName, name);
        Self(CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap())
    }

    /// Writes a new key with a certificate for this host, good until that year.
    fn issue(&self, files: &CertificateFiles, host: &str, year: i32) {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new(vec![host.to_owned()]).unwrap();
        params.not_before = date_time_ymd(2001, 1, 1);
        params.not_after = date_time_ymd(year, 1, 1);
        let certificate = params.signed_by(&key, &self.0).unwrap();
        fs::write(&files.chain, certificate.pem()).unwrap();
        fs::write(&files.key, key.serialize_pem()).unwrap();
    }
}

fn files(dir: &Path) -> CertificateFiles {
    CertificateFiles {
        chain: dir.join("certificate.pem"),
        key: dir.join("key.pem"),
    }
}

async fn relay(dir: &Path) -> Relay {
    let config = RelayConfig {
        listen: (Ipv4Addr::LOCALHOST, 0).into(),
        public_name: Some(HOST.to_owned()),
        certificate: Some(files(dir)),
        ..RelayConfig::default()
    };
    let dir = dir.join("relay");
    let key = relay_key(&dir).unwrap();
    let store = SqliteStore::open(&dir).unwrap();
    Relay::spawn(config, key, store).await.unwrap()
}

fn by_name(host: &str) -> RelayTrust {
    RelayTrust::Roots {
        host: host.to_owned(),
    }
}

/// Logs a device in.
async fn connect(
    address: SocketAddr,
    trust: RelayTrust,
    seed: u8,
) -> Result<(Endpoint, Link), LinkError> {
    let key = SigningKey::from_bytes(&[seed; 32]);
    let device = DeviceKey(key.verifying_key().to_bytes());
    let relay = trust.id();
    let sign = |exporter: &Exporter| {
        let mut message = Vec::new();
        for part in [&b"Sotto/1 relay-auth"[..], &relay.0, &device.0, exporter] {
            message.extend(u32::try_from(part.len()).unwrap().to_be_bytes());
            message.extend_from_slice(part);
        }
        key.sign(&message).to_bytes()
    };
    let start = Cursor {
        store: StoreId([0; 16]),
        after: 0,
    };
    let endpoint = quic::dialer(address).unwrap();
    let link = Link::open(&endpoint, address, trust, device, start, sign);
    let link = timeout(DEADLINE, link).await.unwrap()?;
    Ok((endpoint, link))
}

/// Runs the story with this name in a process that trusts the authority.
fn tell(story: &str, dir: &Path) {
    let nothing = dir.join("no-authorities");
    fs::create_dir(&nothing).unwrap();
    let told = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "--ignored", "--nocapture", story])
        .env("SSL_CERT_FILE", dir.join(ROOT))
        .env("SSL_CERT_DIR", nothing)
        .env(FOLDER, dir)
        .output()
        .unwrap();
    let words = String::from_utf8_lossy(&told.stdout) + String::from_utf8_lossy(&told.stderr);
    assert!(
        told.status.success() && words.contains("1 passed"),
        "{words}"
    );
}

fn folder() -> PathBuf {
    PathBuf::from(std::env::var_os(FOLDER).expect("run by another test of this file"))
}

#[test]
fn one_port_serves_those_who_know_the_pin_and_those_who_know_the_host() {
    let dir = tempdir().unwrap();
    let authority = Authority::new("known");
    fs::write(dir.path().join(ROOT), authority.0.pem()).unwrap();
    authority.issue(&files(dir.path()), HOST, 2101);
    tell("story_of_one_port", dir.path());
}

#[tokio::test]
#[ignore = "run by the test above, in a process that trusts the authority"]
async fn story_of_one_port() {
    let relay = relay(&folder()).await;
    let address = relay.address();
    let public = relay.public_invite().unwrap();
    assert_eq!(
        public.to_string(),
        format!("sotto://{HOST}:{}?roots", address.port())
    );
    let (_pinned, _) = connect(address, relay.pin().into(), 1).await.unwrap();
    let (_public, _) = connect(address, public.trust(), 2).await.unwrap();

    // The certificate is for this host alone, and the relay's own key is no certificate.
    for other in ["elsewhere.example", quic::SERVER_NAME] {
        let refused = connect(address, by_name(other), 3).await;
        assert!(matches!(refused, Err(LinkError::Untrusted)), "{refused:?}");
    }
    // Nor is the certificate's key the pinned one.
    let pin = Invite::to(address, sotto_net::RelayPin([7; 32])).trust();
    let refused = connect(address, pin, 3).await;
    assert!(matches!(refused, Err(LinkError::WrongPin)), "{refused:?}");
}

#[test]
fn an_expired_certificate_and_one_of_an_unknown_authority_are_refused() {
    for (year, is_known) in [(2002, true), (2101, false)] {
        let dir = tempdir().unwrap();
        let (known, unknown) = (Authority::new("known"), Authority::new("unknown"));
        fs::write(dir.path().join(ROOT), known.0.pem()).unwrap();
        let issuer = if is_known { known } else { unknown };
        issuer.issue(&files(dir.path()), HOST, year);
        tell("story_of_a_bad_certificate", dir.path());
    }
}

#[tokio::test]
#[ignore = "run by the test above, in a process that trusts the authority"]
async fn story_of_a_bad_certificate() {
    let relay = relay(&folder()).await;
    let refused = connect(relay.address(), by_name(HOST), 1).await;
    assert!(matches!(refused, Err(LinkError::Untrusted)), "{refused:?}");
    connect(relay.address(), relay.pin().into(), 1)
        .await
        .unwrap();
}

#[test]
fn a_renewed_certificate_is_shown_while_connections_go_on() {
    let dir = tempdir().unwrap();
    let authority = Authority::new("known");
    fs::write(dir.path().join(ROOT), authority.0.pem()).unwrap();
    // The first one is of somebody unknown, so that the second one shows.
    Authority::new("unknown").issue(&files(dir.path()), HOST, 2101);
    let second = CertificateFiles {
        chain: dir.path().join("second.pem"),
        key: dir.path().join("second-key.pem"),
    };
    authority.issue(&second, HOST, 2101);
    tell("story_of_a_renewal", dir.path());
}

#[tokio::test]
#[ignore = "run by the test above, in a process that trusts the authority"]
async fn story_of_a_renewal() {
    let dir = folder();
    let relay = relay(&dir).await;
    let address = relay.address();
    let (_endpoint, mut alice) = connect(address, relay.pin().into(), 1).await.unwrap();
    let files = files(&dir);
    // What cannot be used changes nothing: half of it is there, say.
    fs::copy(dir.join("second.pem"), &files.chain).unwrap();
    relay.renew_certificate();
    assert!(connect(address, by_name(HOST), 2).await.is_err());
    fs::copy(dir.join("second-key.pem"), &files.key).unwrap();
    relay.renew_certificate();
    let renewed = async {
        while connect(address, by_name(HOST), 2).await.is_err() {
            tokio::task::yield_now().await;
        }
    };
    timeout(DEADLINE, renewed)
        .await
        .expect("the new certificate");
    let handle = "alice".to_owned();
    let question = LookUp { request: 1, handle };
    alice.requests.send(&question.into()).await.unwrap();
    loop {
        match timeout(DEADLINE, alice.replies.next())
            .await
            .unwrap()
            .unwrap()
        {
            Some(RelayFrame::Entry(entry)) if entry.request == 1 => break,
            Some(_) => {}
            None => panic!("the connection was lost"),
        }
    }
}

#[test]
fn people_talk_by_name_and_go_on_by_pin_with_nothing_shown_twice() {
    let dir = tempdir().unwrap();
    let authority = Authority::new("known");
    fs::write(dir.path().join(ROOT), authority.0.pem()).unwrap();
    authority.issue(&files(dir.path()), HOST, 2101);
    tell("story_of_a_conversation", dir.path());
}

#[test]
#[ignore = "run by the test above, in a process that trusts the authority"]
fn story_of_a_conversation() {
    let dir = folder();
    let runtime = Runtime::new().unwrap();
    let relay = runtime.block_on(relay(&dir));
    let public = relay.public_invite().unwrap();
    assert_ne!(public.trust().id(), RelayId::from(relay.pin()));
    let desk = Desk::open(&dir, Some(public));
    desk.write("alice", "bob", "by name");
    desk.read("bob", "alice", &["by name"]);
    desk.relay.send_replace(Some(relay.invite()));
    desk.wait("bob", "the relay again", |view| {
        (view.relay == RelayState::Connected).then_some(())
    });
    desk.write("bob", "alice", "by pin");
    desk.read("alice", "bob", &["by name", "by pin"]);
    desk.read("bob", "alice", &["by name", "by pin"]);
    drop(desk);
    runtime.block_on(relay.shutdown());
}
