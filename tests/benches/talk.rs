//! How long a message takes, as a person sees it: `cargo bench -p sotto-tests --bench talk`.
//!
//! One message at a time, between two people with vaults of their own, through a relay with its
//! durable store, all on this computer. From the command to the bubble there is one durable commit;
//! to *delivered* there are five, one after the other: Alice's message, the relay, Bob's message,
//! the relay again with Bob's receipt, and Alice's state. The control is that many durable writes
//! to the same disk, in the same run.

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

    let (mut bubbles, mut delivered, mut one, mut five) = (vec![], vec![], vec![], vec![]);
    for number in 0..WARM_UP + MESSAGES {
        let (bubble, arrival) = send(&desk, chat, number);
        let controls = (durable_writes(dir.path(), 1), durable_writes(dir.path(), 5));
        if number >= WARM_UP {
            bubbles.push(bubble);
            delivered.push(arrival);
            one.push(controls.0);
            five.push(controls.1);
        }
    }
    println!("{MESSAGES} messages of 64 B        median        p99");
    row("send to bubble", &mut bubbles);
    row("  control: 1 durable write", &mut one);
    row("send to delivered", &mut delivered);
    row("  control: 5 durable writes", &mut five);
}

/// Sends a message; how long until it is shown, and until it is shown as delivered.
fn send(desk: &Desk, chat: ChatId, number: usize) -> (Duration, Duration) {
    let text = format!("{number:064}");
    let started = Instant::now();
    desk.command("alice", Command::SendText { chat, text });
    desk.wait_messages("alice", "bob", "the bubble", |messages| {
        is_text(messages.last()?, number).then_some(())
    });
    let bubble = started.elapsed();
    desk.wait_messages("alice", "bob", "delivery", |messages| {
        (messages.last()?.delivery >= Delivery::Delivered).then_some(())
    });
    (bubble, started.elapsed())
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
    println!("{name:<28} {:>12.2?} {:>12.2?}", at(50), at(99));
}
