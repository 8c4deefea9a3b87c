//! The relay's process is killed in the middle of its work, again and again: what it confirmed is
//! there, in order and once.
//!
//! `SOTTO_KILLS` sets how often (10 unless given), `SOTTO_SEED` the chance that decides when.

#![cfg(unix)]
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a test that meets the unexpected fails there, and prints its seed"
)]

#[cfg(test)]
mod support;

use std::collections::VecDeque;
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};
use sotto_net::Invite;
use sotto_net::link::{Cursor, Link};
use sotto_net::quic::{self, Endpoint};
use sotto_net::wire::{Acknowledge, DeliveryFrame, RelayFrame};

use crate::support::{Device, START, envelope};

/// Envelopes in each life of the relay, at most.
const EACH: u16 = 300;
/// Envelopes under way.
const WINDOW: usize = 64;
/// Whatever has not happened by then never will.
const DEADLINE: Duration = Duration::from_mins(1);

fn variable(name: &str) -> Option<u64> {
    std::env::var(name).ok()?.parse().ok()
}

/// A relay's process.
struct Process(Child);

impl Process {
    /// Starts it; gives it with its invite once it listens.
    fn start(folder: &Path) -> (Self, Invite) {
        let mut child = Command::new(env!("CARGO_BIN_EXE_sotto-relay"))
            .args(["serve", "--no-seed", "--listen", "127.0.0.1:0", "--data"])
            .arg(folder)
            .env("SOTTO_LOG", "off")
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let out = BufReader::new(child.stdout.take().unwrap());
        let invite = out
            .lines()
            .find_map(|line| line.unwrap().strip_prefix("invite ").map(str::to_owned))
            .unwrap();
        (Self(child), invite.parse().unwrap())
    }
}

impl Drop for Process {
    /// `kill -9`.
    fn drop(&mut self) {
        // It may have ended by itself.
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

async fn connect(device: &Device, invite: &Invite, cursor: Cursor) -> (Endpoint, Link) {
    let (address, pin) = (invite.authority().parse().unwrap(), invite.pin().unwrap());
    let endpoint = quic::dialer(address).unwrap();
    let link = Link::open(&endpoint, address, pin, device.key(), cursor, |exporter| {
        device.sign(pin, exporter)
    });
    let link = link.await.unwrap();
    (endpoint, link)
}

/// A sender and a reader with what each has on its own disk.
struct World {
    sender: Device,
    reader: Device,
    /// Envelopes that were sent and not confirmed, oldest first.
    outbox: VecDeque<u16>,
    next: u16,
    confirmed: u16,
    cursor: Cursor,
    stored: Vec<u16>,
    /// Envelopes that came again because their sender had no answer when the relay was killed.
    repeated: u16,
    /// Envelopes from here on may come again.
    repeats_from: u16,
}

impl World {
    /// One life of the relay: sends until so many more are confirmed, then kills it.
    async fn live(&mut self, process: Process, invite: &Invite, until: u16, seed: u64) {
        let mut rng = StdRng::seed_from_u64(seed);
        let (_one, mut sender) = connect(&self.sender, invite, START).await;
        let (_two, mut reader) = connect(&self.reader, invite, self.cursor).await;
        self.cursor.store = reader.welcome.store;
        self.repeats_from = self.confirmed;
        let target = [self.reader.key()];
        let send = |id: u16| envelope(u32::from(id), id, &target, &id.to_be_bytes()).into();
        for id in &self.outbox {
            sender.requests.put(&send(*id));
        }
        let goal = self.confirmed + until;
        while self.confirmed < goal {
            while self.outbox.len() < WINDOW {
                sender.requests.put(&send(self.next));
                self.outbox.push_back(self.next);
                self.next += 1;
            }
            sender.requests.flush().await.unwrap();
            tokio::select! {
                reply = sender.replies.next() => match reply.unwrap().unwrap() {
                    RelayFrame::Done(done) => {
                        assert_eq!(self.outbox.pop_front().map(u32::from), Some(done.request));
                        self.confirmed += 1;
                    }
                    other => panic!("{other:?}"),
                },
                frame = reader.deliveries.next() => self.store(&frame.unwrap().unwrap()),
            }
            if rng.random_bool(0.05) {
                let up_to = self.cursor.after;
                reader
                    .requests
                    .send(&Acknowledge { up_to }.into())
                    .await
                    .unwrap();
            }
        }
        drop(process);
    }

    /// The reader stores a delivery together with its cursor; one that it has it drops.
    fn store(&mut self, frame: &DeliveryFrame) {
        if let DeliveryFrame::Delivery(delivery) = frame {
            assert!(delivery.sequence > self.cursor.after, "in order");
            self.cursor.after = delivery.sequence;
            let id = u16::from_be_bytes(delivery.body[..].try_into().unwrap());
            if usize::from(id) < self.stored.len() {
                assert!(
                    id >= self.repeats_from,
                    "confirmed and delivered: never again"
                );
                self.repeated += 1;
                return;
            }
            assert_eq!(usize::from(id), self.stored.len(), "without a gap");
            self.stored.push(id);
        }
    }
}

#[tokio::test]
async fn what_was_confirmed_outlives_every_kill_in_order_and_once() {
    let kills = variable("SOTTO_KILLS").unwrap_or(10);
    let seed = variable("SOTTO_SEED").unwrap_or_else(rand::random);
    println!("SOTTO_SEED={seed} SOTTO_KILLS={kills}");
    let mut rng = StdRng::seed_from_u64(seed);
    let folder = tempfile::tempdir().unwrap();
    let mut world = World {
        sender: Device::new(1),
        reader: Device::new(2),
        outbox: VecDeque::new(),
        next: 0,
        confirmed: 0,
        cursor: START,
        stored: Vec::new(),
        repeated: 0,
        repeats_from: 0,
    };
    // The reader's mailbox is made by its first login.
    let (process, invite) = Process::start(folder.path());
    drop(connect(&world.reader, &invite, START).await);
    drop(process);
    let mut slowest = Duration::ZERO;
    for _ in 0..kills {
        let started = Instant::now();
        let (process, invite) = Process::start(folder.path());
        slowest = slowest.max(started.elapsed());
        let life = world.live(process, &invite, rng.random_range(1..EACH), rng.random());
        tokio::time::timeout(DEADLINE, life).await.unwrap();
    }
    println!("the slowest start took {slowest:?}");
    println!("{} of {} came again", world.repeated, world.stored.len());
    // A last life without a kill in the middle: everything arrives.
    let (_process, invite) = Process::start(folder.path());
    let (_endpoint, mut reader) = connect(&world.reader, &invite, world.cursor).await;
    let rest = async {
        while world
            .stored
            .last()
            .is_none_or(|last| *last + 1 < world.confirmed)
        {
            let frame = reader.deliveries.next().await.unwrap().unwrap();
            world.store(&frame);
        }
    };
    tokio::time::timeout(DEADLINE, rest).await.unwrap();
    let everything: Vec<u16> = (0..world.confirmed).collect();
    assert_eq!(world.stored[..everything.len()], everything);
}
