//! A few simulated worlds of each kind; `cargo run --release -p sotto-tests --bin simulate` looks
//! into as many as one likes.

use std::process::Command;
use std::thread;

use sotto_tests::simulation::{Scenario, run};

/// One that was not looked at when the scenarios were written.
const SEED: u64 = 9_000;

#[test]
fn nothing_is_lost_or_shown_twice_whatever_happens() {
    let worlds: Vec<_> = Scenario::all()
        .into_iter()
        .map(|scenario| {
            let name = scenario.name();
            (name, thread::spawn(move || run(&scenario, SEED, false)))
        })
        .collect();
    for (name, world) in worlds {
        let wrongs = world.join().unwrap().wrongs;
        assert!(wrongs.is_empty(), "seed {SEED} of {name}: {wrongs:#?}");
    }
}

#[test]
fn the_same_seed_is_the_same_world_also_in_another_process() {
    let scenario = Scenario::standard();
    let first = run(&scenario, 1, true);
    let second = run(&scenario, 1, true);
    let differs = first.trace.iter().zip(&second.trace).find(|(a, b)| a != b);
    assert_eq!(first.trace_hash, second.trace_hash, "{differs:?}");
    let other = run(&scenario, 2, false);
    assert_ne!(first.trace_hash, other.trace_hash);

    let output = Command::new(env!("CARGO_BIN_EXE_simulate"))
        .args(["--from", "1", "--seeds", "1", "--trace"])
        .output()
        .unwrap();
    let printed = String::from_utf8(output.stdout).unwrap();
    let hash = format!("trace {:016x}", first.trace_hash);
    assert!(printed.contains(&hash), "no {hash} in: {printed}");
}
