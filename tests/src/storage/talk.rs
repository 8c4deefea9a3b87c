//! Two people who talk, each at a computer of their own, through a relay on a third one: what is
//! recorded are the disks of all three.
//!
//! The notes are lines: `ready alice`; `say alice 7` and, once that was acknowledged, `said alice 7`
//! with the message's id; `got bob 7`; `state alice`, an id and how far that message has come;
//! `reading bob 7` and `read bob 7` for everything up to there; `type alice 7` and `typed alice 7`
//! for a draft.

use std::path::Path;
use std::thread;

use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};
use sotto_client::view::{Body, MessageKey, ProfileId};
use sotto_client::{Command, Entry, EventKind, Events};
use sotto_net::Invite;

use crate::storage::recording::Notes;
use crate::{Desk, Host, ask};

/// Who talks to whom.
pub const PEOPLE: [(&str, &str); 2] = [("alice", "bob"), ("bob", "alice")];
/// The relay's folder on the disk. The others are called as the people.
pub const RELAY: &str = "relay";
/// How often everything is started.
const LIVES: u64 = 2;
/// Bytes of a message that travels in parts.
const LONG_BYTES: usize = 60_000;

/// Opens somebody's identity on this disk.
pub fn open(disk: &Path, who: &str, relay: Option<Invite>) -> Desk {
    Desk::open_only(&disk.join(who), relay, who)
}

/// The number that a message says.
pub fn number(entry: &Entry) -> Option<u64> {
    match &entry.message.body {
        Body::Text(text) => text.split(' ').next()?.parse().ok(),
        Body::Note(_) | Body::Unknown => None,
    }
}

/// Has both do this many things in each life, chosen by a seed.
///
/// # Panics
/// When the task does not name the two numbers, or something cannot be done.
pub fn carry_out(task: &str, disk: &Path, notes: &Notes) {
    let mut numbers = task.split(' ').filter_map(|number| number.parse().ok());
    let (seed, deeds): (u64, u64) = numbers.next().zip(numbers.next()).expect("two numbers");
    let mut host = Host::start(&disk.join(RELAY));
    for life in 0..LIVES {
        thread::scope(|scope| {
            for (place, (who, peer)) in (0..).zip(PEOPLE) {
                let chance = StdRng::seed_from_u64(seed ^ life << 8 ^ place);
                let numbers = life * deeds..(life + 1) * deeds;
                let desk = open(disk, who, Some(host.invite()));
                scope.spawn(move || live(&desk, who, peer, numbers, chance, notes));
            }
        });
        host.stop();
        if life + 1 < LIVES {
            host.restart();
        }
    }
}

fn live(
    desk: &Desk,
    who: &str,
    peer: &str,
    numbers: std::ops::Range<u64>,
    mut chance: StdRng,
    notes: &Notes,
) {
    let client = desk.client();
    let profile = ProfileId::new(who);
    let events = client.subscribe();
    thread::scope(|scope| {
        let (end, ended) = tokio::sync::oneshot::channel();
        scope.spawn(move || listen(who, events, ended, notes));
        desk.wait_ready(who);
        notes.note(&format!("ready {who}"));
        let chat = desk.chat_id(who, peer);
        for number in numbers {
            match chance.random_range(0..10) {
                0..6 => {
                    let is_long = chance.random_range(0..20) == 0;
                    let bytes = if is_long { LONG_BYTES } else { 0 };
                    let text = format!("{number} {}", "x".repeat(bytes));
                    notes.note(&format!("say {who} {number}"));
                    let sent = ask(client.send_text(&profile, peer, text));
                    let id = sent.expect("a message is taken").id;
                    notes.note(&format!("said {who} {number} {id}"));
                }
                6..8 => {
                    let unread = ask(client.unread(&profile, MessageKey(0), 50));
                    let unread = unread.expect("messages");
                    let Some(last) = unread.last() else {
                        continue;
                    };
                    let read = self::number(last).expect("a number");
                    notes.note(&format!("reading {who} {read}"));
                    let up_to = last.message.key;
                    let done = client.perform(&profile, Command::MarkRead { chat, up_to });
                    ask(done).expect("it is read");
                    notes.note(&format!("read {who} {read}"));
                }
                _ => {
                    notes.note(&format!("type {who} {number}"));
                    let text = number.to_string();
                    let done = client.perform(&profile, Command::SaveDraft { chat, text });
                    ask(done).expect("a draft is kept");
                    notes.note(&format!("typed {who} {number}"));
                }
            }
        }
        ask(client.catch_up(&profile)).expect("all mail");
        drop(end);
    });
}

/// Notes what a client tells, until the other end of `ended` is gone.
fn listen(
    who: &str,
    mut events: Events,
    mut ended: tokio::sync::oneshot::Receiver<()>,
    notes: &Notes,
) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .expect("a runtime");
    runtime.block_on(async {
        loop {
            let event = tokio::select! {
                biased;
                event = events.next() => event,
                _ = &mut ended => return,
            };
            match event.expect("a client").expect("a quick listener").kind {
                EventKind::MessageStored(entry) if !entry.message.is_mine => {
                    let number = number(&entry).expect("a number");
                    notes.note(&format!("got {who} {number}"));
                }
                EventKind::DeliveryChanged { id, delivery, .. } => {
                    notes.note(&format!("state {who} {id} {}", delivery as u8));
                }
                _ => {}
            }
        }
    });
}
