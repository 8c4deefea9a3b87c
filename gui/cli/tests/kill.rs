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
use serde_json::json;

use crate::support::World;
use crate::support::side::{Side, arrive, variable};

/// Messages that each side sends in one life, at most.
const EACH: usize = 30;

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
