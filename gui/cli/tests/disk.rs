//! The disk fails under a client while it sends and receives, once or for a while: it says so, takes
//! nothing then, and has acknowledged nothing that is not there afterwards.
//!
//! `SOTTO_FAULTS` sets how often each way of failing is tried (1 unless given), `SOTTO_SEED` the
//! chance that decides when.

#![cfg(target_os = "linux")]
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
use sotto_tests::storage::strace;

use crate::support::World;
use crate::support::side::{Side, arrive, variable};

/// Messages that each side sends while the disk fails.
const EACH: usize = 20;

/// Calls that a vault makes, how a disk may fail them, and about how many there are until all
/// messages are stored.
const FAILURES: [(&str, &str, u32); 7] = [
    ("pwrite64", "ENOSPC", 300),
    ("pwrite64", "EIO", 300),
    ("pwrite64", "EROFS", 300),
    ("fsync", "EIO", 20),
    ("fdatasync", "EIO", 20),
    ("ftruncate", "ENOSPC", 2),
    ("pread64", "EIO", 20),
];

#[test]
fn what_was_acknowledged_outlives_every_failure_of_the_disk_in_order_and_once() {
    if !strace::is_installed() {
        return;
    }
    let times = variable("SOTTO_FAULTS").unwrap_or(1);
    let seed = variable("SOTTO_SEED").unwrap_or_else(rand::random);
    println!("SOTTO_SEED={seed} SOTTO_FAULTS={times}");
    let mut rng = StdRng::seed_from_u64(seed);
    let world = World::new(&["guest", "bob"]);
    world.acquaint("guest", "bob");
    let mut guest = Side::new(&world, "guest", "bob");
    let mut bob = Side::new(&world, "bob", "guest");
    for _ in 0..times {
        for (call, error, calls) in FAILURES {
            for many in [1, calls / 4 + 1, 10_000] {
                let first = rng.random_range(1..=calls);
                let last = first + many - 1;
                let fault = format!("{call}:error={error}:when={first}..{last}");
                guest.restart(&world, Some(&fault));
                for side in [&mut guest, &mut bob] {
                    side.ask(EACH);
                }
                let declined = guest.declined;
                guest.hear(EACH, 0);
                bob.hear(EACH, 0);
                println!("{fault}: {} of {EACH} declined", guest.declined - declined);
            }
        }
    }
    assert!(guest.declined > 0, "no failure was felt");
    assert!(guest.acknowledged.len() > EACH, "nothing was taken");
    guest.restart(&world, None);
    arrive(&mut guest, &mut bob);
    arrive(&mut bob, &mut guest);
}
