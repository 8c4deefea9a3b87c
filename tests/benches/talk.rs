//! How long a message takes, as two people see it: `cargo bench -p sotto-tests --bench talk`.
//!
//! One message at a time, between two people with vaults of their own, through a relay with its
//! durable store, all on this computer. To Alice's bubble there is one durable commit; to Bob's
//! there are three, one after the other (Alice, the relay, Bob); to *delivered* at Alice there are
//! five (the relay with Bob's receipt, and Alice again), and a snapshot follows the one before
//! after 16 ms at the earliest. The control is that many durable writes of a page to the same
//! disk, in the same run.

#![expect(
    clippy::expect_used,
    clippy::print_stdout,
    reason = "a benchmark prints its table, and fails when it cannot measure"
)]

use std::fs::File;
use std::io::Write as _;
use std::path::Path;
use std::time::{Duration, Instant};

use sotto_client::Command;
use sotto_client::view::{Body, ChatId, Delivery, Message};
use sotto_tests::{Desk, Host};

const MESSAGES: usize = 300;
const WARM_UP: usize = 20;
const PAUSE: Duration = Duration::from_millis(40);

fn main() {
    let dir = tempfile::tempdir().expect("a folder");
    let host = Host::start(&dir.path().join("relay"));
    let started = Instant::now();
    let desk = Desk::open(dir.path(), Some(host.invite()));
    for who in ["alice", "bob", "charlie", "diana"] {
        desk.wait_ready(who);
    }
    println!("four identities made in {:?}", started.elapsed());
    let chat = desk.chat_id("alice", "bob");
    desk.show("alice", "bob");

    let mut columns: [Vec<Duration>; 6] = Default::default();
    for number in 0..WARM_UP + MESSAGES {
        // A person's pace: the last snapshot is older than a frame.
        std::thread::sleep(PAUSE);
        let seen = send(&desk, chat, number);
        let controls = [1, 3, 5].map(|writes| durable_writes(dir.path(), writes));
        if number >= WARM_UP {
            for (column, duration) in columns.iter_mut().zip(seen.into_iter().chain(controls)) {
                column.push(duration);
            }
        }
    }
    let [alice, bob, delivered, one, three, five] = &mut columns;
    println!("{MESSAGES} messages of 64 B                  median          p99");
    row("send to Alice's bubble", alice);
    row("  control: 1 durable write", one);
    row("send to Bob's bubble", bob);
    row("  control: 3 durable writes", three);
    row("send to delivered at Alice", delivered);
    row("  control: 5 durable writes", five);
}

/// Sends a message; how long until Alice sees it, Bob sees it, and Alice sees it delivered.
fn send(desk: &Desk, chat: ChatId, number: usize) -> [Duration; 3] {
    let text = format!("{number:064}");
    let started = Instant::now();
    desk.command(
        "alice",
        Command::SendText {
            chat,
            text,
            answers: None,
        },
    );
    desk.wait_messages("alice", "bob", "the bubble", |messages| {
        is_text(messages.last()?, number).then_some(())
    });
    let alice = started.elapsed();
    desk.wait("bob", "the bubble", |view| {
        let row = view.chats.iter().find(|row| row.handle == "alice")?;
        is_text(row.last.as_ref()?, number).then_some(())
    });
    let bob = started.elapsed();
    desk.wait_messages("alice", "bob", "delivery", |messages| {
        (messages.last()?.delivery >= Delivery::Delivered).then_some(())
    });
    [alice, bob, started.elapsed()]
}

fn is_text(message: &Message, number: usize) -> bool {
    message.body == Body::Text(format!("{number:064}"))
}

/// So many writes of a page, each durable before the next.
fn durable_writes(dir: &Path, writes: usize) -> Duration {
    let mut file = File::create(dir.join("control")).expect("a file");
    let started = Instant::now();
    for _ in 0..writes {
        file.write_all(&[7; 4096]).expect("written");
        file.sync_data().expect("durable");
    }
    started.elapsed()
}

fn row(name: &str, durations: &mut [Duration]) {
    durations.sort();
    let at = |percent: usize| {
        let place = durations.len().saturating_sub(1) * percent / 100;
        durations.get(place).copied().unwrap_or_default()
    };
    println!("{name:<32} {:>12.2?} {:>12.2?}", at(50), at(99));
}
