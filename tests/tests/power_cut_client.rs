//! The power goes out after every storage operation of clients: their vaults open again, and keep
//! what was promised, to the people and to the relay.
//!
//! `SOTTO_SEED`, `SOTTO_CUTS` and `SOTTO_STRIDE` are those of `power_cut.rs`; `SOTTO_MEETINGS` says
//! of how many disks one is looked at by letting both people go on with the relay.

#![cfg(target_os = "linux")]
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a test that meets the unexpected fails there, and prints its seed"
)]

use sotto_tests::storage::cut::{Cuts, Witness};
use sotto_tests::storage::identity::{self, Certainty};
use sotto_tests::storage::promises::Promises;
use sotto_tests::storage::recording::{self, Recording};
use sotto_tests::storage::strace::{self, Event};
use sotto_tests::storage::upgrade::{self, Contents};
use sotto_tests::storage::{talk, variable};

/// Not a test: the process that is recorded.
#[test]
#[ignore = "started by the others"]
fn process() {
    recording::process(|task, disk, notes| match task.split_once(' ') {
        Some(("talk", task)) => talk::carry_out(task, disk, &notes),
        Some(("upgrade", version)) => upgrade::carry_out(version, disk, &notes),
        _ => identity::carry_out(disk, &notes),
    });
}

/// Has a task carried out under strace, and cuts the power all along; gives what was done.
fn cut(task: &str, cuts: &Cuts, witness: &impl Witness) -> Vec<Event> {
    println!("{cuts}");
    let recording = Recording::make(task, &[], &[]).unwrap();
    recording.cut(cuts, witness)
}

#[test]
fn what_two_people_were_promised_outlives_a_power_cut_at_both_and_the_relay() {
    if !strace::is_installed() {
        return;
    }
    let cuts = Cuts::new(40);
    let meetings = variable("SOTTO_MEETINGS").unwrap_or(8);
    let witness = Promises::new(u32::try_from(meetings).unwrap());
    cut(&format!("talk {} 20", cuts.seed), &cuts, &witness);
}

#[test]
fn a_power_cut_leaves_an_identity_as_it_was_or_as_it_was_to_be() {
    if !strace::is_installed() {
        return;
    }
    cut("identity", &Cuts::new(15), &Certainty::default());
}

#[test]
fn a_power_cut_while_a_vault_is_brought_up_to_date_loses_nothing() {
    if !strace::is_installed() {
        return;
    }
    for version in [1, 2, 3] {
        let task = format!("upgrade {version}");
        cut(&task, &Cuts::new(1), &Contents::default());
    }
}
