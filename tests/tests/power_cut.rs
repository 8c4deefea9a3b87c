//! The power goes out after every storage operation of the relay's store: it opens again, and
//! keeps what it has promised.
//!
//! `SOTTO_SEED` sets the chance that makes the load and decides what a disk keeps, `SOTTO_CUTS`
//! how many ways of it are tried after each operation (2 unless given), and `SOTTO_STRIDE` after
//! which of them: every one (1), every second one, and so on. Which envelopes share a commit
//! depends on time as well; the recording of a failure is kept for that reason.

#![cfg(target_os = "linux")]
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a test that meets the unexpected fails there, and prints its seed"
)]

use sotto_tests::storage::cut::Cuts;
use sotto_tests::storage::ledger::Ledger;
use sotto_tests::storage::load::{self, Load};
use sotto_tests::storage::recording;
use sotto_tests::storage::strace::{self, Event};

/// Not a test: the process that is recorded.
#[test]
#[ignore = "started by the others"]
fn process() {
    recording::process(load::carry_out);
}

/// Carries a load out under strace, and cuts the power all along; gives what it did.
fn cut(load: Load, cuts: &Cuts, faults: &[String]) -> Vec<Event> {
    println!("{cuts}");
    let recording = load.record(faults).unwrap();
    recording.cut(cuts, &Ledger::new(load, !faults.is_empty()))
}

#[test]
fn what_was_promised_outlives_a_power_cut_after_every_operation() {
    if !strace::is_installed() {
        return;
    }
    let cuts = Cuts::new(1);
    let load = Load {
        seed: cuts.seed,
        steps: 160,
        lives: 4,
        pages: 3,
    };
    cut(load, &cuts, &[]);
}

#[test]
fn what_was_promised_outlives_a_power_cut_around_a_checkpoint() {
    if !strace::is_installed() {
        return;
    }
    let cuts = Cuts::new(100);
    // Enough pages that the journal is copied into the database, which is after 4,000, and begun
    // anew on the way. One load of eighty would have fewer.
    let loads = (0..).map(|more| Load {
        seed: cuts.seed.wrapping_add(more),
        steps: 170,
        lives: 1,
        pages: 400,
    });
    let load = loads.into_iter().find(|load| load.pages() > 6_000);
    let load = load.unwrap();
    let events = cut(load, &cuts, &[]);
    let begun = events.iter().filter(|event| {
        let Event::Call(call) = event else {
            return false;
        };
        let file = call.descriptor(0).map(|(_, path)| path.to_owned());
        call.name == "pwrite64"
            && call.size(3) == Some(0)
            && file.is_some_and(|path| path.ends_with("relay.db-wal"))
    });
    assert!(begun.count() > 1, "{cuts}: there was a checkpoint");
}

#[test]
fn what_was_promised_outlives_a_power_cut_after_a_disk_has_failed_to_synchronise() {
    if !strace::is_installed() {
        return;
    }
    let cuts = Cuts::new(1);
    let load = Load {
        seed: cuts.seed,
        steps: 160,
        lives: 4,
        pages: 3,
    };
    // Some of each thread's; a later success says nothing about what came before.
    let first = 1 + load.seed % 7;
    let fault = |call| format!("{call}:error=EIO:when={first}+7");
    let events = cut(load, &cuts, &[fault("fsync"), fault("fdatasync")]);
    let failed = events.iter().filter(|event| match event {
        Event::Call(call) => call.is_injected,
        Event::Mark(mark) => mark.ends_with(" Unavailable"),
    });
    assert!(failed.count() > 5, "{cuts}: the disk has failed");
}

#[test]
fn what_comes_back_from_a_commit_that_failed_takes_nothing_with_it() {
    if !strace::is_installed() {
        return;
    }
    let cuts = Cuts::new(10);
    let load = Load {
        seed: cuts.seed,
        steps: 110,
        lives: 2,
        pages: 3,
    };
    // Each life of the store ends with commits that fail, and the next one begins well.
    let fault = |call| format!("{call}:error=EIO:when=14+");
    let events = cut(load, &cuts, &[fault("fsync"), fault("fdatasync")]);
    let is =
        |start| move |event: &&Event| matches!(event, Event::Mark(mark) if mark.starts_with(start));
    assert_eq!(events.iter().filter(is("opened")).count(), 2, "{cuts}");
}
