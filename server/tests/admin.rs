//! The admin port: what is counted, and what is well.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that meets the unexpected fails there"
)]

#[cfg(test)]
mod support;

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use bytes::Bytes;
use sotto_net::link::{Link, LinkError};
use sotto_net::quic;
use sotto_net::wire::{
    Acknowledge, Claim, ENVELOPE_BYTES_MAX, EnvelopeId, Prekey, PublishPrekeys, Refusal,
    RelayFrame, SendEphemeral, TakeBundle,
};
use sotto_relay::store::{Append, Quota};
use sotto_relay::{Limits, Rate, Relay, RelayConfig, SpawnError, SqliteStore, Store, relay_key};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::support::frail::{Faults, Frail};
use crate::support::{
    Device, START, close_code, envelope, is_done, quiet, refusal, stranger, within,
};

/// Without seeds and roster, and with an admin port.
fn watched(limits: Limits) -> RelayConfig {
    RelayConfig {
        admin: Some("127.0.0.1:0".parse().unwrap()),
        ..quiet(limits)
    }
}

/// Starts a relay whose store has these faults.
async fn frail(folder: &std::path::Path, faults: &Arc<Faults>) -> Relay {
    let store = Frail {
        store: SqliteStore::open(folder).unwrap(),
        faults: Arc::clone(faults),
    };
    let key = relay_key(folder).unwrap();
    let config = watched(Limits::default());
    Relay::spawn(config, key, store).await.unwrap()
}

/// Says this to the admin port, and gives all that is answered.
async fn say(admin: SocketAddr, words: &str) -> String {
    let mut stream = TcpStream::connect(admin).await.unwrap();
    stream.write_all(words.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    answer
}

fn parts(answer: &str) -> (u16, &str, &str) {
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    (status, head, body)
}

async fn ask(admin: SocketAddr, path: &str) -> (u16, String) {
    let question = format!("GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n");
    let answer = say(admin, &question).await;
    let (status, _, body) = parts(&answer);
    (status, body.to_owned())
}

/// Every sample with its value as it is written.
async fn scrape(admin: SocketAddr) -> BTreeMap<String, String> {
    let (status, text) = ask(admin, "/metrics").await;
    assert_eq!(status, 200, "{text}");
    text.lines()
        .filter(|line| !line.starts_with('#'))
        .map(|line| line.rsplit_once(' ').unwrap())
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect()
}

/// Asks until a sample, which follows what a peer does, has this value.
async fn scrape_until(admin: SocketAddr, name: &str, value: &str) -> BTreeMap<String, String> {
    loop {
        let samples = scrape(admin).await;
        if samples[name] == value {
            return samples;
        }
    }
}

/// Asks until the answer has this status.
async fn ask_until(admin: SocketAddr, path: &str, status: u16) -> String {
    loop {
        let (found, body) = ask(admin, path).await;
        if found == status {
            return body;
        }
    }
}

fn prekey(id: u32) -> Prekey {
    Prekey {
        id,
        record: Bytes::from_static(b"record"),
    }
}

/// What is counted in the next test.
const EXPECTED: &[(&str, &str)] = &[
    ("strangers", "0"),
    ("handshakes_total{outcome=\"completed\"}", "4"),
    ("handshakes_total{outcome=\"failed\"}", "0"),
    ("logins_total", "3"),
    ("logins_refused_total{reason=\"proof\"}", "1"),
    ("logins_refused_total{reason=\"timeout\"}", "0"),
    ("retries_total", "0"),
    ("envelopes_accepted_total", "3"),
    ("envelopes_duplicate_total", "1"),
    ("envelopes_refused_total{reason=\"mailbox_full\"}", "1"),
    ("envelopes_refused_total{reason=\"device_unknown\"}", "1"),
    ("envelopes_refused_total{reason=\"too_large\"}", "1"),
    ("envelopes_refused_total{reason=\"rate_limited\"}", "1"),
    ("envelopes_refused_total{reason=\"storage\"}", "0"),
    ("envelopes_acknowledged_total", "2"),
    ("envelopes_expired_total", "0"),
    ("deliveries_total", "4"),
    ("redeliveries_total", "1"),
    ("ephemerals_total{outcome=\"handed_on\"}", "1"),
    ("ephemerals_total{outcome=\"dropped\"}", "1"),
    ("bundles_total{one_time_prekey=\"yes\"}", "1"),
    ("bundles_total{one_time_prekey=\"no\"}", "2"),
    ("rate_limited_total{kind=\"envelopes\"}", "1"),
    ("rate_limited_total{kind=\"bundles\"}", "0"),
    ("commits_failed_total", "0"),
    ("jobs_waiting", "0"),
    ("mailboxes", "2"),
    ("envelopes_waiting", "1"),
    ("waiting_bytes", "5"),
];

#[tokio::test]
async fn the_metrics_count_exactly_what_was_done() {
    within(async {
        let folder = tempfile::tempdir().unwrap();
        let limits = Limits {
            mailbox_envelopes: 3,
            envelope_rate: Rate {
                burst: 7,
                every: Duration::from_hours(1),
            },
            ..Limits::default()
        };
        let relay = support::relay(folder.path(), watched(limits)).await;
        let admin = relay.admin_address().unwrap();
        let (alice, bob, nobody) = (Device::new(1), Device::new(2), Device::new(3).key());
        let mut reader = bob.connect(&relay).await;
        let mut writer = alice.connect(&relay).await;

        let publication = PublishPrekeys {
            request: reader.next_request(),
            signed: Some(prekey(1)),
            one_time: vec![prekey(2)],
        };
        assert!(is_done(&reader.ask(publication).await));
        for _ in 0..3 {
            let take = TakeBundle {
                request: writer.next_request(),
                device: bob.key(),
            };
            let reply = writer.ask(take).await;
            assert!(matches!(reply, RelayFrame::Bundle(_)), "{reply:?}");
        }
        for id in [0, 1, 2, 2] {
            assert!(is_done(&writer.send(id, &[bob.key()], b"12345").await));
        }
        for (target, body, reason) in [
            (bob.key(), &b"12345"[..], Refusal::MailboxFull),
            (nobody, b"12345", Refusal::DeviceUnknown),
            (nobody, &vec![0; ENVELOPE_BYTES_MAX + 1], Refusal::TooLarge),
            (bob.key(), b"12345", Refusal::RateLimited),
        ] {
            let reply = writer.send(9, &[target], body).await;
            assert_eq!(refusal(&reply), Some(reason));
        }
        let body = Bytes::from_static(b"typing");
        writer
            .put(SendEphemeral {
                targets: vec![(bob.key(), body.clone()), (nobody, body)],
            })
            .await;
        for sequence in 1..=3 {
            assert_eq!(reader.delivery().await.sequence, sequence);
        }
        reader.put(Acknowledge { up_to: 2 }).await;
        // Writes are carried out in order: once this is done, so is what came before.
        let claim = Claim {
            request: reader.next_request(),
            handle: "bob".to_owned(),
            name: "Bob".to_owned(),
            identity: Bytes::from_static(b"identity"),
        };
        assert!(is_done(&reader.ask(claim).await));
        let mut again = bob.try_connect(&relay, reader.cursor(2)).await.unwrap();
        assert_eq!(again.delivery().await.sequence, 3);
        let (address, pin) = (relay.address(), relay.pin());
        let endpoint = quic::dialer(address).unwrap();
        let liar = Link::open(&endpoint, address, pin, nobody, START, |_| [0; 64]).await;
        assert!(matches!(liar, Err(LinkError::Refused(Refusal::Proof))));
        drop(endpoint);

        let samples = scrape_until(admin, "sotto_relay_connections", "2").await;
        for (name, value) in EXPECTED {
            assert_eq!(samples[&format!("sotto_relay_{name}")], *value, "{name}");
        }
        let age: u64 = samples["sotto_relay_oldest_envelope_age_seconds"]
            .parse()
            .unwrap();
        assert!(age < 600, "{age}");
        let commits = &samples["sotto_relay_commit_jobs_count"];
        assert_eq!(&samples["sotto_relay_commit_seconds_count"], commits);
        assert!(commits.parse::<u32>().unwrap() > 10, "{commits}");
        relay.shutdown().await;
    })
    .await;
}

#[tokio::test]
async fn refused_connections_and_retries_are_counted_by_reason() {
    within(async {
        let folder = tempfile::tempdir().unwrap();
        let limits = Limits {
            connections_per_address: 2,
            strangers_before_retry: 1,
            ..Limits::default()
        };
        let relay = support::relay(folder.path(), watched(limits)).await;
        let admin = relay.admin_address().unwrap();
        let one = stranger(&relay).await;
        let two = stranger(&relay).await;
        let samples = scrape_until(admin, "sotto_relay_strangers", "2").await;
        assert_eq!(samples["sotto_relay_connections"], "2");
        assert_eq!(samples["sotto_relay_retries_total"], "1", "for the second");
        let three = Device::new(3).try_connect(&relay, START).await;
        assert!(three.is_err());
        let samples = scrape(admin).await;
        let refused = "sotto_relay_connections_refused_total{reason=\"site\"}";
        assert_eq!(samples[refused], "1");
        assert_eq!(samples["sotto_relay_retries_total"], "2");
        drop((one, two));
        let samples = scrape_until(admin, "sotto_relay_connections", "0").await;
        assert_eq!(samples["sotto_relay_strangers"], "0");
        relay.shutdown().await;
    })
    .await;
}

#[tokio::test]
async fn what_was_too_old_too_slow_or_too_late_is_counted() {
    within(async {
        let folder = tempfile::tempdir().unwrap();
        let bob = Device::new(2);
        let store = SqliteStore::open(folder.path()).unwrap();
        store.admit(bob.key(), START, 1).await.await.unwrap();
        let old = Append {
            id: EnvelopeId([7; 16]),
            targets: vec![(bob.key(), Bytes::from_static(b"old"))],
            quota: Quota {
                envelopes: 1,
                bytes: 3,
            },
            stored_secs: 1,
        };
        store.append(old).await.await.unwrap();
        drop(store);
        let limits = Limits {
            login_deadline: Duration::from_secs(1),
            ..Limits::default()
        };
        let relay = support::relay(folder.path(), watched(limits)).await;
        let admin = relay.admin_address().unwrap();
        scrape_until(admin, "sotto_relay_envelopes_expired_total", "1").await;

        // More than windows and queues hold, unread.
        let mut slow = bob.connect(&relay).await;
        let mut writer = Device::new(1).connect(&relay).await;
        let body = vec![7; 16 * 1024];
        for id in 0..600 {
            assert!(is_done(&writer.send(id, &[bob.key()], &body).await));
        }
        for _ in 0..600 {
            slow.delivery().await;
        }
        let silent = stranger(&relay).await;
        let late = "sotto_relay_logins_refused_total{reason=\"timeout\"}";
        let samples = scrape_until(admin, late, "1").await;
        drop(silent);
        assert_ne!(samples["sotto_relay_slow_readers_total"], "0");
        assert_eq!(samples["sotto_relay_deliveries_total"], "600");
        assert_eq!(samples["sotto_relay_redeliveries_total"], "0");
        relay.shutdown().await;
    })
    .await;
}

/// What a name or a label is called: lower case and underscores.
fn is_name(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_lowercase() || b == b'_')
}

#[tokio::test]
async fn the_text_has_the_form_that_prometheus_reads_and_labels_of_fixed_values() {
    within(async {
        let folder = tempfile::tempdir().unwrap();
        let relay = support::relay(folder.path(), watched(Limits::default())).await;
        let admin = relay.admin_address().unwrap();
        let question = "GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n";
        let before = say(admin, question).await;
        let mut alice = Device::new(1).connect(&relay).await;
        assert!(is_done(&alice.send(1, &[Device::new(1).key()], b"x").await));
        let answer = say(admin, question).await;
        let (status, head, text) = parts(&answer);
        assert_eq!(status, 200);
        assert!(head.contains("content-type: application/openmetrics-text; version=1.0.0"));
        let mut kinds = BTreeMap::new();
        let (last, lines) = text
            .lines()
            .rev()
            .collect::<Vec<_>>()
            .split_first()
            .map_or_else(
                || panic!("nothing"),
                |(last, lines)| (*last, lines.to_vec()),
            );
        assert_eq!(last, "# EOF");
        let is_ours = |name: &str| {
            is_name(name) && (name.starts_with("sotto_relay_") || name.starts_with("process_"))
        };
        for line in lines.into_iter().rev() {
            if let Some(rest) = line.strip_prefix("# HELP ") {
                let (name, help) = rest.split_once(' ').unwrap();
                assert!(is_ours(name) && help.ends_with('.'), "{line}");
            } else if let Some(rest) = line.strip_prefix("# TYPE ") {
                let (name, kind) = rest.split_once(' ').unwrap();
                assert!(["counter", "gauge", "histogram", "info"].contains(&kind));
                assert_eq!(kinds.insert(name, kind), None, "{line}");
            } else if let Some(rest) = line.strip_prefix("# UNIT ") {
                let (name, unit) = rest.split_once(' ').unwrap();
                assert!(name.ends_with(unit), "{line}");
            } else {
                let (series, value) = line.rsplit_once(' ').unwrap();
                assert!(value.parse::<f64>().unwrap() >= 0.0, "{line}");
                let (name, labels) = series.split_once('{').unwrap_or((series, "}"));
                let family = ["_total", "_bucket", "_sum", "_count", "_info"]
                    .iter()
                    .find_map(|suffix| name.strip_suffix(suffix))
                    .unwrap_or(name);
                assert!(kinds.contains_key(family), "{line}");
                for label in labels.trim_end_matches('}').split_terminator(',') {
                    let (key, value) = label.split_once('=').unwrap();
                    match key {
                        "reason" | "outcome" | "kind" | "one_time_prekey" => {
                            assert!(is_name(value.trim_matches('"')), "{line}");
                        }
                        "le" | "version" => {}
                        other => panic!("{other}: {line}"),
                    }
                }
            }
        }
        // What people do makes no further series: none can tell of somebody.
        let names = |answer: &str| -> BTreeSet<String> {
            let lines = parts(answer).2.lines();
            lines
                .map(|line| line.rsplit_once(' ').unwrap().0.to_owned())
                .collect()
        };
        assert_eq!(names(&before), names(&answer));
        relay.shutdown().await;
    })
    .await;
}

#[tokio::test]
async fn a_draining_relay_lives_and_is_not_ready() {
    within(async {
        let folder = tempfile::tempdir().unwrap();
        let faults = Faults::none();
        let relay = frail(folder.path(), &faults).await;
        let admin = relay.admin_address().unwrap();
        assert_eq!(ask(admin, "/readyz").await, (200, "ready\n".to_owned()));
        assert_eq!(ask(admin, "/livez").await, (200, "live\n".to_owned()));

        // An envelope on its way into the store holds the drain up until the test lets it in.
        let alice = Device::new(1);
        let mut writer = alice.connect(&relay).await;
        faults.appends.forget_permits(usize::MAX);
        writer.put(envelope(1, 1, &[alice.key()], b"x")).await;
        let drain = tokio::spawn(relay.shutdown());
        let trouble = ask_until(admin, "/readyz", 503).await;
        assert_eq!(trouble, "the relay is draining\n");
        assert_eq!(ask(admin, "/livez").await.0, 200);
        assert_eq!(ask(admin, "/metrics").await.0, 200);
        faults.appends.add_permits(1);
        drain.await.unwrap();
        let connected = TcpStream::connect(admin).await;
        assert!(connected.is_err(), "the port is closed with the relay");
    })
    .await;
}

#[tokio::test]
async fn a_relay_that_cannot_store_lives_and_is_not_ready() {
    within(async {
        let folder = tempfile::tempdir().unwrap();
        let faults = Faults::none();
        let relay = frail(folder.path(), &faults).await;
        let admin = relay.admin_address().unwrap();
        let alice = Device::new(1);
        let mut writer = alice.connect(&relay).await;
        assert_eq!(ask(admin, "/readyz").await.0, 200);
        faults.is_failing.store(true, Ordering::Relaxed);
        let reply = writer.send(1, &[alice.key()], b"x").await;
        assert_eq!(refusal(&reply), Some(Refusal::Storage));
        let trouble = ask_until(admin, "/readyz", 503).await;
        assert_eq!(trouble, "the store cannot write\n");
        assert_eq!(
            ask(admin, "/livez").await.0,
            200,
            "a restart would not help"
        );
        let storage = "sotto_relay_envelopes_refused_total{reason=\"storage\"}";
        assert_eq!(scrape(admin).await[storage], "1");
        faults.is_failing.store(false, Ordering::Relaxed);
        ask_until(admin, "/readyz", 200).await;
        relay.shutdown().await;
    })
    .await;
}

#[tokio::test]
async fn a_panic_ends_its_own_connection_and_nothing_else() {
    within(async {
        let folder = tempfile::tempdir().unwrap();
        let faults = Faults::none();
        let relay = frail(folder.path(), &faults).await;
        let admin = relay.admin_address().unwrap();
        let (alice, bob) = (Device::new(1), Device::new(2));
        let mut reader = bob.connect(&relay).await;
        let mut writer = alice.connect(&relay).await;
        faults.is_broken.store(true, Ordering::Relaxed);
        writer.put(envelope(1, 1, &[bob.key()], b"x")).await;
        close_code(&writer.link.connection).await;
        faults.is_broken.store(false, Ordering::Relaxed);
        assert_eq!(ask(admin, "/readyz").await.0, 200);
        // The reader is still there, and whoever met the bug may come back.
        scrape_until(admin, "sotto_relay_connections", "1").await;
        let mut writer = alice.connect(&relay).await;
        assert!(is_done(&writer.send(1, &[bob.key()], b"x").await));
        assert_eq!(reader.delivery().await.body, b"x".as_slice());
        relay.shutdown().await;
    })
    .await;
}

#[tokio::test]
async fn a_relay_whose_store_does_not_answer_does_not_live() {
    within(async {
        let folder = tempfile::tempdir().unwrap();
        let faults = Faults::none();
        faults.is_silent.store(true, Ordering::Relaxed);
        let relay = frail(folder.path(), &faults).await;
        let admin = relay.admin_address().unwrap();
        let (live, ready) = tokio::join!(ask(admin, "/livez"), ask(admin, "/readyz"));
        let expected = (503, "the store does not answer\n".to_owned());
        assert_eq!((&live, &ready), (&expected, &expected));
        assert_eq!(ask(admin, "/metrics").await.0, 200);
        relay.shutdown().await;
    })
    .await;
}

#[tokio::test]
async fn a_relay_without_a_writer_does_not_live() {
    within(async {
        let folder = tempfile::tempdir().unwrap();
        let store = SqliteStore::open(folder.path()).unwrap();
        let key = relay_key(folder.path()).unwrap();
        // A watcher must not fail; one that does takes the writer with it.
        let is_over = Arc::new(AtomicBool::new(false));
        let fails = Arc::clone(&is_over);
        store.watch(Box::new(move |_| {
            assert!(!fails.load(Ordering::Relaxed), "on purpose");
        }));
        let relay = Relay::spawn(watched(Limits::default()), key, store)
            .await
            .unwrap();
        let admin = relay.admin_address().unwrap();
        assert_eq!(ask(admin, "/livez").await.0, 200);
        let alice = Device::new(1);
        let mut writer = alice.connect(&relay).await;
        is_over.store(true, Ordering::Relaxed);
        let reply = writer.send(1, &[alice.key()], b"x").await;
        assert_eq!(refusal(&reply), Some(Refusal::Storage));
        let trouble = ask_until(admin, "/livez", 503).await;
        assert_eq!(trouble, "the store's writer has ended\n");
        assert_eq!(
            ask_until(admin, "/readyz", 503).await,
            "the store cannot write\n"
        );
        let samples = scrape(admin).await;
        assert!(
            !samples.contains_key("sotto_relay_jobs_waiting"),
            "nobody waits"
        );
        relay.shutdown().await;
    })
    .await;
}

#[tokio::test]
async fn other_questions_are_refused() {
    within(async {
        let folder = tempfile::tempdir().unwrap();
        let relay = support::relay(folder.path(), watched(Limits::default())).await;
        let admin = relay.admin_address().unwrap();
        for (question, expected) in [
            ("GET / HTTP/1.1\r\n\r\n", 404),
            ("GET /metrics/x HTTP/1.1\r\n\r\n", 404),
            (
                "POST /metrics HTTP/1.1\r\nContent-Length: 3\r\n\r\nabc",
                405,
            ),
            ("HEAD /readyz HTTP/1.1\r\n\r\n", 405),
            ("nonsense\r\n\r\n", 400),
        ] {
            let answer = say(admin, question).await;
            let (status, head, _) = parts(&answer);
            assert_eq!(status, expected, "{question}");
            assert_eq!(head.contains("allow: GET"), expected == 405, "{head}");
        }
        // One question to a connection.
        let twice = "GET /livez HTTP/1.1\r\n\r\n".repeat(2);
        let answer = say(admin, &twice).await;
        assert_eq!(answer.matches("HTTP/1.1 ").count(), 1, "{answer}");
        relay.shutdown().await;
    })
    .await;
}

/// Writes as much of this as is taken, and waits for the end of the connection.
async fn pester(admin: SocketAddr, bytes: Vec<u8>) {
    let mut stream = TcpStream::connect(admin).await.unwrap();
    let (mut reading, mut writing) = stream.split();
    let write = async {
        // It is cut off somewhere.
        drop(writing.write_all(&bytes).await);
        std::future::pending::<()>().await;
    };
    let read = async { drop(reading.read_to_end(&mut Vec::new()).await) };
    tokio::select! {
        () = write => {}
        () = read => {}
    }
}

#[tokio::test]
async fn clients_of_the_admin_port_that_are_slow_or_flood_it_are_let_go_and_hold_up_nobody() {
    within(async {
        let folder = tempfile::tempdir().unwrap();
        let relay = support::relay(folder.path(), watched(Limits::default())).await;
        let admin = relay.admin_address().unwrap();
        let mut pests = tokio::task::JoinSet::new();
        for _ in 0..6 {
            pests.spawn(pester(admin, Vec::new()));
            pests.spawn(pester(admin, b"GET /metrics HTTP/1.1\r\nx: ".to_vec()));
        }
        let endless = [&b"GET /metrics HTTP/1.1\r\nx: "[..], &vec![b'x'; 1 << 20]].concat();
        pests.spawn(pester(admin, endless));
        let many = format!("GET /metrics HTTP/1.1\r\n{}\r\n", "x: y\r\n".repeat(1_000));
        pests.spawn(pester(admin, many.into_bytes()));
        for _ in 0..200 {
            let question = b"GET /readyz HTTP/1.1\r\n\r\n".repeat(3);
            pests.spawn(pester(admin, question));
        }
        // The relay goes on meanwhile.
        let bob = Device::new(2);
        let mut reader = bob.connect(&relay).await;
        let mut writer = Device::new(1).connect(&relay).await;
        for id in 0..100 {
            assert!(is_done(&writer.send(id, &[bob.key()], b"x").await));
            assert_eq!(reader.delivery().await.sequence, u64::from(id) + 1);
        }
        // And so does the port, once everybody has had their time.
        assert_eq!(ask(admin, "/readyz").await.0, 200);
        while let Some(ended) = pests.join_next().await {
            ended.unwrap();
        }
        relay.shutdown().await;
    })
    .await;
}

#[tokio::test]
async fn the_admin_port_is_for_this_machine_alone_and_off_unless_asked_for() {
    within(async {
        let folder = tempfile::tempdir().unwrap();
        for address in ["0.0.0.0:0", "[::]:0", "192.0.2.1:9433", "[2001:db8::1]:0"] {
            let config = RelayConfig {
                admin: Some(address.parse().unwrap()),
                ..quiet(Limits::default())
            };
            let key = relay_key(folder.path()).unwrap();
            let store = SqliteStore::open(folder.path()).unwrap();
            let outcome = Relay::spawn(config, key, store).await;
            assert!(
                matches!(outcome, Err(SpawnError::AdminExposed(_))),
                "{address}"
            );
        }
        let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let config = RelayConfig {
            admin: Some(taken.local_addr().unwrap()),
            ..quiet(Limits::default())
        };
        let key = relay_key(folder.path()).unwrap();
        let store = SqliteStore::open(folder.path()).unwrap();
        let outcome = Relay::spawn(config, key, store).await;
        assert!(matches!(outcome, Err(SpawnError::Admin(..))));
        let relay = support::relay(folder.path(), quiet(Limits::default())).await;
        assert_eq!(relay.admin_address(), None);
        relay.shutdown().await;
    })
    .await;
}
