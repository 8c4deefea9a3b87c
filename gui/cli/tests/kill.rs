//! The client's process is killed in the middle of its work, again and again, while it sends and
//! receives: what it acknowledged is there and arrives, in order and once.
//!
//! `SOTTO_KILLS` sets how often (10 unless given), `SOTTO_SEED` the chance that decides when.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a test that meets the unexpected fails there, and prints its seed"
)]

#[cfg(test)]
mod support;

use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};
use serde_json::{Value, json};

use crate::support::{Rpc, World};

/// Messages that each side sends in one life, at most.
const EACH: usize = 30;
/// Messages in one answer.
const PAGE: usize = 500;

fn variable(name: &str) -> Option<u64> {
    std::env::var(name).ok()?.parse().ok()
}

/// One of the two who talk.
struct Side {
    handle: &'static str,
    peer: &'static str,
    rpc: Rpc,
    /// The number that its next message says.
    next: u64,
    /// Numbers whose message was acknowledged as stored, in order.
    acknowledged: Vec<u64>,
    /// What was asked in this life, by the ids of the calls.
    asked: Vec<(u64, u64)>,
}

impl Side {
    fn new(world: &World, handle: &'static str, peer: &'static str) -> Self {
        Self {
            handle,
            peer,
            rpc: start(world, handle),
            next: 0,
            acknowledged: Vec::new(),
            asked: Vec::new(),
        }
    }

    /// Asks for so many messages at once.
    fn ask(&mut self, messages: usize) {
        self.asked.clear();
        for _ in 0..messages {
            let text = self.next.to_string();
            let params = json!({ "identity": self.handle, "to": self.peer, "text": text });
            self.asked.push((self.rpc.ask("send", &params), self.next));
            self.next += 1;
        }
    }

    /// Takes what was said for an acknowledgement, if it is one; says whether it was.
    fn take(&mut self, line: &Value) -> bool {
        let Some((_, number)) = self.asked.iter().find(|(id, _)| line["id"] == *id) else {
            return false;
        };
        assert!(line["result"]["id"].is_string(), "{line}");
        self.acknowledged.push(*number);
        true
    }

    /// Waits for so many acknowledgements, and messages of the peer.
    fn hear(&mut self, mut acknowledgements: usize, mut messages: usize) {
        while acknowledgements > 0 || messages > 0 {
            let line = self.rpc.line().unwrap();
            if self.take(&line) {
                acknowledgements = acknowledgements.saturating_sub(1);
            } else if line["params"]["direction"] == "in" {
                messages = messages.saturating_sub(1);
            }
        }
    }

    /// `kill -9`, then a new process.
    fn kill(&mut self, world: &World) {
        self.rpc.child.kill().unwrap();
        // What was said before counts.
        while let Some(line) = self.rpc.line() {
            self.take(&line);
        }
        self.rpc.child.wait().unwrap();
        self.rpc = start(world, self.handle);
    }

    /// The numbers of all messages in this direction, oldest first.
    fn numbers(&mut self, direction: &str) -> Vec<u64> {
        let mut pages: Vec<Vec<Value>> = Vec::new();
        loop {
            let mut params = json!({ "identity": self.handle, "peer": self.peer, "limit": PAGE });
            if let Some(oldest) = pages.last().and_then(|page| page.first()) {
                params["before"] = oldest["id"].clone();
            }
            let page = self.rpc.call("history", &params);
            let page = page.as_array().unwrap().clone();
            let is_last = page.len() < PAGE;
            pages.push(page);
            if is_last {
                break;
            }
        }
        let messages = pages.iter().rev().flatten();
        messages
            .filter(|message| message["direction"] == direction)
            .filter_map(|message| message["text"].as_str()?.parse().ok())
            .collect()
    }
}

fn start(world: &World, handle: &str) -> Rpc {
    let mut rpc = Rpc::start(world, handle);
    rpc.call("subscribe", &json!({}));
    rpc
}

/// Waits until everything that one has in its history is in the other's.
fn arrive(from: &mut Side, to: &mut Side) {
    let sent = from.numbers("out");
    assert!(sent.is_sorted_by(|a, b| a < b), "in order, and once");
    let mut stored = sent.iter();
    let is_stored = |number: &u64| stored.any(|it| it == number);
    assert!(
        from.acknowledged.iter().all(is_stored),
        "acknowledged and lost"
    );
    loop {
        let received = to.numbers("in");
        assert!(received.is_sorted_by(|a, b| a < b), "in order, and once");
        assert!(sent.starts_with(&received), "in order, and without a gap");
        if received.len() == sent.len() {
            return;
        }
        if to.rpc.news.is_empty() {
            to.rpc.line().unwrap();
        }
        to.rpc.news.clear();
    }
}

#[test]
fn what_was_acknowledged_outlives_every_kill_of_either_client_in_order_and_once() {
    let kills = variable("SOTTO_KILLS").unwrap_or(10);
    let seed = variable("SOTTO_SEED").unwrap_or_else(rand::random);
    println!("SOTTO_SEED={seed} SOTTO_KILLS={kills}");
    let mut rng = StdRng::seed_from_u64(seed);
    let world = World::new(&["guest", "bob"]);
    world.acquaint("guest", "bob");
    let mut sides = [
        Side::new(&world, "guest", "bob"),
        Side::new(&world, "bob", "guest"),
    ];
    for _ in 0..kills {
        let victim: usize = rng.random_range(0..2);
        let messages = rng.random_range(1..=EACH);
        let acknowledged = rng.random_range(0..=messages);
        let mut received = 0;
        if rng.random() {
            // Before the other half of the kills, they may still be connecting.
            for side in &mut sides {
                side.rpc.connected();
            }
            received = rng.random_range(0..=messages);
        }
        for side in &mut sides {
            side.ask(messages);
        }
        let [one, two] = &mut sides;
        let (victim, other) = if victim == 0 { (one, two) } else { (two, one) };
        victim.hear(acknowledged, received);
        victim.kill(&world);
        other.hear(messages, 0);
    }
    let [guest, bob] = &mut sides;
    arrive(guest, bob);
    arrive(bob, guest);
    println!(
        "{} and {} messages were acknowledged",
        guest.acknowledged.len(),
        bob.acknowledged.len()
    );
    // The sessions are in step: both can still talk, and confirm what they read.
    for (from, to) in [("guest", "bob"), ("bob", "guest")] {
        let side = if from == "guest" {
            &mut *guest
        } else {
            &mut *bob
        };
        let params = json!({ "identity": from, "to": to, "text": "still here" });
        let id = side.rpc.call("send", &params)["id"].clone();
        side.rpc.hear(|line| {
            let params = &line["params"];
            line["method"] == "delivery" && params["id"] == id && params["state"] == "delivered"
        });
    }
}
