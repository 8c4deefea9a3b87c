//! What a client costs when there is much to do, and when there is nothing:
//! `cargo bench -p sotto-client --bench sync`.
//!
//! Real clients with real vaults, and a relay with its durable store, all on this computer. Rows
//! with a control are measured in turns with it, in the same run.

#![expect(
    clippy::expect_used,
    clippy::print_stdout,
    reason = "a benchmark prints its table, and fails when it cannot measure"
)]

use std::path::Path;
use std::time::{Duration, Instant};

use rusqlite::{Connection, params};
use sotto_client::Command;
use sotto_client::view::{Body, Delivery, Message, RelayState};
use sotto_crypto::{Identity, Packet, PrekeyKind, PrekeySecret, Session, VerifiedBundle};
use sotto_tests::{Desk, Host};
use tempfile::TempDir;

/// Messages that wait for somebody who comes back.
const WAITING: usize = 10_000;
/// Messages that are written while the relay is away.
const WRITTEN: usize = 1_000;
/// Deliveries that a client commits together.
const BATCH: usize = 256;
const ROUNDS: usize = 3;
const TEXT_BYTES: usize = 64;
const IDLE: Duration = Duration::from_secs(10);
const NOW_SECS: u64 = 1_800_000_000;

fn main() {
    let mut ratios = Vec::new();
    for _ in 0..ROUNDS {
        let (bare, sotto) = (bare_catch_up(), catch_up());
        println!(
            "catch-up of {WAITING}                {:>9.0} /s   control (open and commit) {:>9.0} /s   ratio {:.2}",
            rate(WAITING, sotto),
            rate(WAITING, bare),
            bare.as_secs_f64() / sotto.as_secs_f64(),
        );
        ratios.push(bare.as_secs_f64() / sotto.as_secs_f64());
    }
    ratios.sort_by(f64::total_cmp);
    let median = ratios.get(ROUNDS / 2).copied().unwrap_or_default();
    println!("catch-up, median ratio {median:.2}");
    write_without_a_relay();
    idle();
}

fn rate(number: usize, took: Duration) -> f64 {
    f64::from(u32::try_from(number).unwrap_or(u32::MAX)) / took.as_secs_f64()
}

fn text(number: usize) -> String {
    format!("{number:0TEXT_BYTES$}")
}

fn is_text(message: &Message, number: usize) -> bool {
    message.body == Body::Text(text(number))
}

/// Two people who have talked to each other, on computers of their own.
struct Pair {
    dir: TempDir,
    host: Host,
}

impl Pair {
    fn acquainted() -> Self {
        let dir = tempfile::tempdir().expect("a folder");
        let host = Host::start(&dir.path().join("relay"));
        let pair = Self { dir, host };
        let (alice, bob) = (pair.open("alice"), pair.open("bob"));
        alice.write("alice", "bob", "hello");
        bob.read("bob", "alice", &["hello"]);
        bob.write("bob", "alice", "hello yourself");
        alice.read("alice", "bob", &["hello", "hello yourself"]);
        alice.write("alice", "bob", "well");
        bob.read("bob", "alice", &["hello", "hello yourself", "well"]);
        pair
    }

    fn open(&self, who: &str) -> Desk {
        Desk::open_only(&self.dir.path().join(who), Some(self.host.invite()), who)
    }
}

/// From the start of the engine to the last of the waiting messages on the screen.
fn catch_up() -> Duration {
    let pair = Pair::acquainted();
    let alice = pair.open("alice");
    write(&alice, WAITING);
    wait_for(&alice, "alice", "bob", |last| {
        is_text(last, WAITING - 1) && last.delivery == Delivery::Relay
    });
    drop(alice);
    let started = Instant::now();
    let bob = pair.open("bob");
    wait_for(&bob, "bob", "alice", |last| is_text(last, WAITING - 1));
    started.elapsed()
}

fn write(desk: &Desk, number: usize) {
    let chat = desk.chat_id("alice", "bob");
    for number in 0..number {
        let text = text(number);
        desk.command_when_taken(
            "alice",
            Command::SendText {
                chat,
                text,
                answers: None,
            },
        );
    }
}

fn wait_for(desk: &Desk, who: &str, with: &str, look: impl Fn(&Message) -> bool) {
    desk.wait(who, "the last message", |view| {
        let row = view.chats.iter().find(|row| row.handle == with)?;
        look(row.last.as_ref()?).then_some(())
    });
}

/// The same messages opened in a session, and stored with one commit for each batch.
fn bare_catch_up() -> Duration {
    let rng = &mut rand::rng();
    let alice = Identity::generate(rng).expect("an identity");
    let bob = Identity::generate(rng).expect("an identity");
    let prekey = PrekeySecret::generate(PrekeyKind::Signed, 1, NOW_SECS, rng);
    let bundle = VerifiedBundle::verify(bob.public(), &prekey.record(&bob), None, NOW_SECS);
    let bundle = bundle.expect("a bundle");
    let mut sender = Session::start(&alice, &bundle, NOW_SECS, rng).expect("a session");
    let seal = |sender: &mut Session, text: &str| {
        let sealed = sender.seal(text.as_bytes(), NOW_SECS, &mut rand::rng());
        let sealed = sealed.expect("sealed");
        *sender = sealed.next;
        sealed.output
    };
    let first = seal(&mut sender, "hello");
    let packet = Packet::parse(&first).expect("a packet");
    let accepted = Session::accept(&bob, &prekey, None, &packet, NOW_SECS, &mut rand::rng());
    // The first answer ends the handshake.
    let receiver = accepted.expect("a session").session;
    let sealed = receiver.seal(b"hello", NOW_SECS, &mut rand::rng());
    let answer = sealed.expect("sealed");
    let mut receiver = answer.next;
    let packet = Packet::parse(&answer.output).expect("a packet");
    let opened = sender.open(&packet, NOW_SECS, &mut rand::rng());
    sender = opened.expect("opened").next;
    let packets: Vec<_> = (0..WAITING)
        .map(|number| seal(&mut sender, &text(number)))
        .collect();

    let dir = tempfile::tempdir().expect("a folder");
    let mut database = database(dir.path());
    let started = Instant::now();
    for batch in packets.chunks(BATCH) {
        let transaction = database.transaction().expect("a transaction");
        for packet in batch {
            let packet = Packet::parse(packet).expect("a packet");
            let opened = receiver
                .open(&packet, NOW_SECS, &mut rand::rng())
                .expect("opened");
            receiver = opened.next;
            let text = opened.output.text().expect("a text").to_vec();
            transaction
                .prepare_cached("INSERT INTO message (payload) VALUES (?)")
                .and_then(|mut insert| insert.execute(params![text]))
                .expect("a row");
        }
        let session = receiver.to_stored();
        transaction
            .execute("UPDATE session SET stored = ?", params![session.as_slice()])
            .expect("a row");
        transaction.commit().expect("a commit");
    }
    started.elapsed()
}

fn database(dir: &Path) -> Connection {
    let database = Connection::open(dir.join("bare.db")).expect("a database");
    let key =
        "PRAGMA key = \"x'2dd29ca851e7b56e4697b0e1f08507293d761a05ce4d1b628663f411a8086d99'\"";
    database.execute_batch(key).expect("a key");
    database
        .execute_batch(
            "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;
             CREATE TABLE message (key INTEGER PRIMARY KEY, payload BLOB NOT NULL) STRICT;
             CREATE TABLE session (stored BLOB) STRICT; INSERT INTO session VALUES (NULL);",
        )
        .expect("tables");
    database
}

/// Messages that are written while the relay is away, then go out.
fn write_without_a_relay() {
    let mut pair = Pair::acquainted();
    pair.host.kill();
    let alice = pair.open("alice");
    alice.wait_ready("alice");
    let started = Instant::now();
    write(&alice, WRITTEN);
    wait_for(&alice, "alice", "bob", |last| is_text(last, WRITTEN - 1));
    let stored = started.elapsed();
    pair.host.restart();
    alice.wait("alice", "the relay", |view| {
        (view.relay == RelayState::Connected).then_some(())
    });
    let back = Instant::now();
    wait_for(&alice, "alice", "bob", |last| {
        is_text(last, WRITTEN - 1) && last.delivery >= Delivery::Relay
    });
    println!(
        "{WRITTEN} written without a relay: on the disk in {stored:.2?} ({:.0} /s), at the relay {:.2?} after it is back",
        rate(WRITTEN, stored),
        back.elapsed(),
    );
}

/// Four identities with nothing to do: ticks of the processor, and memory.
fn idle() {
    let dir = tempfile::tempdir().expect("a folder");
    // The relay is a part of this process; it idles too.
    let host = Host::start(&dir.path().join("relay"));
    let desk = Desk::open(dir.path(), Some(host.invite()));
    for who in ["alice", "bob", "charlie", "diana"] {
        desk.wait(who, "the relay", |view| {
            (view.relay == RelayState::Connected).then_some(())
        });
    }
    std::thread::sleep(Duration::from_secs(2));
    let before = ticks();
    std::thread::sleep(IDLE);
    let (used, kib) = (ticks() - before, resident_kib());
    println!("four idle identities and their relay: {used} ticks in {IDLE:?}, {kib} KiB resident");
}

/// Ticks that this process has used (fields 14 and 15 of proc(5)'s stat).
fn ticks() -> u64 {
    let stat = std::fs::read_to_string("/proc/self/stat").expect("Linux's /proc");
    let (_, fields) = stat.rsplit_once(") ").expect("a name in brackets");
    let fields = fields.split(' ').skip(11).take(2);
    fields.map(|it| it.parse::<u64>().expect("ticks")).sum()
}

fn resident_kib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").expect("Linux's /proc");
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let number = line.and_then(|line| line.split_whitespace().next());
    number.and_then(|it| it.parse().ok()).expect("a size")
}
