//! The disk fails under the relay's store, once or for good: the store declines, goes on when it
//! can, and has confirmed nothing that is not there afterwards.
//!
//! `SOTTO_SEED` sets the chance that makes the load and decides when the disk fails,
//! `SOTTO_FAULTS` how often each way of failing is tried (2 unless given).

#![cfg(target_os = "linux")]
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a test that meets the unexpected fails there, and prints its seed"
)]

use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};
use sotto_tests::storage::cut::Witness as _;
use sotto_tests::storage::ledger::Ledger;
use sotto_tests::storage::load::{self, Load, WINDOW};
use sotto_tests::storage::recording;
use sotto_tests::storage::strace::{self, Event};
use sotto_tests::storage::variable;

/// Not a test: the process whose disk fails.
#[test]
#[ignore = "started by the others"]
fn process() {
    recording::process(load::carry_out);
}

/// Calls that a store makes, how a disk may fail them, and about how many of them there are
/// between two of its commits.
const FAILURES: [(&str, &str, u32); 10] = [
    ("pwrite64", "ENOSPC", 10),
    ("pwrite64", "EIO", 10),
    ("pwrite64", "EROFS", 10),
    ("fsync", "EIO", 1),
    ("fsync", "ENOSPC", 1),
    ("fdatasync", "EIO", 1),
    ("ftruncate", "ENOSPC", 1),
    ("pread64", "EIO", 1),
    ("openat", "EROFS", 1),
    ("openat", "EMFILE", 1),
];

/// How many steps of a load were confirmed and declined, and whether any was confirmed after
/// another had been declined.
#[derive(Debug, Default)]
struct Outcome {
    injected: usize,
    confirmed: usize,
    declined: usize,
    recovered: bool,
}

/// Carries out a load on a disk that fails, and sees that everything confirmed is there when the
/// disk works again.
fn fail(load: Load, faults: &[String], chance: &mut StdRng) -> Outcome {
    let context = format!("SOTTO_SEED={} {faults:?}", load.seed);
    let recording = load.record(faults);
    let recording = recording.unwrap_or_else(|error| panic!("{context}: {error}"));
    let mut ledger = Ledger::new(load, true);
    let mut outcome = Outcome::default();
    for event in &recording.events {
        match event {
            Event::Mark(mark) => ledger.note(mark),
            Event::Call(call) => outcome.injected += usize::from(call.is_injected),
        }
    }
    let answered = ledger.ends().count();
    for (at, (_, end)) in ledger.ends().enumerate() {
        match end {
            "Unavailable" => {
                outcome.declined += 1;
                // Nothing comes behind those that were under way at the end.
                outcome.recovered |= at + WINDOW >= answered;
            }
            "skipped" => {}
            _ => {
                outcome.confirmed += 1;
                outcome.recovered |= outcome.declined > 0;
            }
        }
    }
    if let Err(error) = ledger.check(&recording.disk(), chance) {
        let kept = recording.keep();
        panic!("{context}: {error}; see {}", kept.display());
    }
    outcome
}

/// Tries every way of failing, at moments that `when` chooses in the way of strace; its second
/// argument is about how many calls there are between two commits.
fn fail_at(when: impl Fn(&mut StdRng, u32) -> String) -> Vec<Outcome> {
    let seed = variable("SOTTO_SEED").unwrap_or_else(rand::random);
    let times = variable("SOTTO_FAULTS").unwrap_or(2);
    println!("SOTTO_SEED={seed} SOTTO_FAULTS={times}");
    let mut chance = StdRng::seed_from_u64(seed);
    let mut outcomes = Vec::new();
    for (call, error, each) in FAILURES {
        for _ in 0..times {
            let fault = format!("{call}:error={error}:when={}", when(&mut chance, each));
            let load = Load {
                seed: chance.random(),
                steps: 120,
                lives: 3,
                pages: 3,
            };
            let outcome = fail(load, std::slice::from_ref(&fault), &mut chance);
            println!("{fault}: {outcome:?}");
            outcomes.push(outcome);
        }
    }
    outcomes
}

#[test]
fn what_was_confirmed_outlives_a_disk_that_fails_now_and_then() {
    if !strace::is_installed() {
        return;
    }
    let outcomes = fail_at(|chance, each| {
        let first = chance.random_range(2..12) * each;
        let step = chance.random_range(7..12) * each;
        format!("{first}+{}", step + chance.random_range(0..each))
    });
    let recovered = outcomes.iter().filter(|outcome| outcome.declined > 0);
    assert!(recovered.clone().count() > 0, "steps were declined");
    for outcome in recovered {
        assert!(outcome.recovered, "{outcome:?}: later steps are confirmed");
    }
}

#[test]
fn what_was_confirmed_outlives_a_disk_that_fails_for_a_while() {
    if !strace::is_installed() {
        return;
    }
    let outcomes = fail_at(|chance, each| {
        let first = chance.random_range(2..8) * each + chance.random_range(0..each);
        let last = first + chance.random_range(1..3) * each;
        format!("{first}..{last}")
    });
    let recovered = outcomes.iter().filter(|outcome| outcome.declined > 0);
    assert!(recovered.clone().count() > 0, "steps were declined");
    for outcome in recovered {
        assert!(outcome.recovered, "{outcome:?}: there is room again");
    }
}

#[test]
fn what_was_confirmed_outlives_a_disk_that_fails_for_good() {
    if !strace::is_installed() {
        return;
    }
    let outcomes = fail_at(|chance, each| {
        let first = chance.random_range(2..20) * each + chance.random_range(0..each);
        format!("{first}+")
    });
    let declined = outcomes.iter().filter(|outcome| outcome.declined > 0);
    assert!(declined.count() > 0, "steps were declined");
}
