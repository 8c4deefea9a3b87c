//! The relay beside a bare QUIC relay: `cargo bench -p sotto-tests --bench relay [-- ROW…]`.
//!
//! Both run as processes of their own, which the load reaches over the loopback interface with the
//! same streams, frames and settings. The bare one keeps nothing and answers nothing: a frame goes
//! from a control stream into the queue of its target and down the target's delivery stream. The
//! relay stores every envelope durably, delivers it, and forgets it once it is acknowledged. Each
//! row is measured on both in turns; figures are medians.
//!
//! Words after `--` choose rows by what their names contain.

#![expect(
    clippy::expect_used,
    clippy::print_stdout,
    clippy::cast_precision_loss,
    clippy::indexing_slicing,
    reason = "a benchmark prints its table, and fails when it cannot measure"
)]

#[path = "relay/bare.rs"]
mod bare;
#[path = "relay/load.rs"]
mod load;
#[path = "relay/process.rs"]
mod process;
#[path = "relay/store.rs"]
mod store;

use std::time::{Duration, Instant};

use load::{Load, Move, Offline, OneByOne, Saturate};
use process::{Kind, Process};
use tokio::runtime::Runtime;

/// Turns of each row.
const ROUNDS: usize = 5;
/// Connections that come back at once.
const STORM: u32 = 2_000;

fn main() {
    if let Some(kind) = Kind::of_this_process() {
        return process::serve(kind);
    }
    let chosen: Vec<String> = std::env::args()
        .skip(1)
        .filter(|argument| !argument.starts_with('-'))
        .collect();
    let is_chosen = |name: &str| chosen.is_empty() || chosen.iter().any(|word| name.contains(word));
    println!(
        "{:<46} {:>12} {:>12} {:>6}",
        "", "Sotto", "control", "ratio"
    );
    for bytes in [256, 1024] {
        for pairs in [1, 16] {
            let name = format!("saturated, {bytes} B, {pairs} pairs: per second");
            if is_chosen(&name) {
                saturated(&name, &Saturate { bytes, pairs });
            }
        }
        let name = format!("one at a time, {bytes} B");
        if is_chosen(&name) {
            one_at_a_time(&name, &OneByOne { bytes });
        }
        let name = format!("to offline recipients, {bytes} B: per second");
        if is_chosen(&name) {
            offline(&name, &Offline { bytes });
        }
    }
    for connections in [1_000, 10_000] {
        let name = format!("{connections} idle connections: KiB of each");
        if is_chosen(&name) {
            idle(&name, connections);
        }
    }
    let name = "an endpoint for each core (control: one)";
    if is_chosen(name) {
        cores(name);
    }
    let name = format!("{STORM} connect at once: logins per second");
    if is_chosen(&name) {
        storm(&name);
    }
    for connections in [10, 10_000] {
        let name = format!("saturated beside {connections} idle, 256 B: per second");
        if is_chosen(&name) {
            beside(&name, connections);
        }
    }
    for waiting in [10_000, 1_000_000] {
        let name = format!("{waiting} waiting");
        if is_chosen(&name) {
            store::waiting(waiting);
        }
    }
}

fn median<T: PartialOrd + Copy>(mut values: Vec<T>) -> T {
    values.sort_by(|a, b| a.partial_cmp(b).expect("numbers"));
    *values.get(values.len() / 2).expect("at least one round")
}

/// Runs the load on both kinds in turns.
fn in_turns<T>(runtime: &Runtime, load: &impl Load<Output = T>) -> [Vec<T>; 2] {
    let mut outcomes = [const { Vec::new() }; 2];
    for _ in 0..ROUNDS {
        for (kind, outcomes) in [Kind::Sotto, Kind::Bare].into_iter().zip(&mut outcomes) {
            let process = Process::start(kind);
            outcomes.push(runtime.block_on(load.run(&process)));
        }
    }
    outcomes
}

fn runtime() -> Runtime {
    Runtime::new().expect("threads")
}

fn print(name: &str, ours: f64, control: f64, unit: &str) {
    let ratio = ours / control;
    println!("{name:<46} {ours:>10.1}{unit:<2} {control:>10.1}{unit:<2} {ratio:>6.2}");
}

fn print_saturated(name: &str, ours: &[load::Saturated], control: &[load::Saturated]) {
    let rate = |outcomes: &[load::Saturated]| {
        median(outcomes.iter().map(|outcome| outcome.per_second).collect())
    };
    print(name, rate(ours), rate(control), "");
    let cpu = |outcomes: &[load::Saturated]| {
        median(outcomes.iter().map(|outcome| outcome.cpu_micros).collect())
    };
    print("  relay's CPU for a message", cpu(ours), cpu(control), "µs");
}

fn saturated(name: &str, load: &Saturate) {
    let [ours, control] = in_turns(&runtime(), load);
    print_saturated(name, &ours, &control);
}

fn one_at_a_time(name: &str, load: &OneByOne) {
    let [ours, control] = in_turns(&runtime(), load);
    let at = |outcomes: &[Vec<Duration>], percent: usize| {
        let values = outcomes.iter().map(|times| {
            let place = (times.len() - 1) * percent / 100;
            times.get(place).expect("enough").as_secs_f64() * 1e6
        });
        median(values.collect())
    };
    print(
        &format!("{name}: median"),
        at(&ours, 50),
        at(&control, 50),
        "µs",
    );
    print(
        &format!("{name}: p99"),
        at(&ours, 99),
        at(&control, 99),
        "µs",
    );
}

fn offline(name: &str, load: &Offline) {
    let runtime = runtime();
    let (mut ours, mut control) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        let process = Process::start(Kind::Sotto);
        ours.push(runtime.block_on(load.run(&process)));
        control.push(runtime.block_on(store::append_bare(load.bytes)));
    }
    print(
        &format!("{name} (control: store)"),
        median(ours),
        median(control),
        "",
    );
}

fn idle(name: &str, connections: usize) {
    let runtime = runtime();
    let [ours, control] = [Kind::Sotto, Kind::Bare].map(|kind| {
        let process = Process::start(kind);
        let before = process.resident_kib();
        let held = runtime.block_on(load::idle(&process, connections));
        let grown = process.resident_kib() - before;
        drop(held);
        grown / connections as f64
    });
    print(name, ours, control, "");
}

/// Whether an endpoint for each core on a shared port would be better than one for all.
fn cores(name: &str) {
    let runtime = runtime();
    let mut rates = [const { Vec::new() }; 2];
    let mut times = [const { Vec::new() }; 2];
    let mut moved = [0; 2];
    let (saturate, one_by_one) = (
        Saturate {
            bytes: 256,
            pairs: 16,
        },
        OneByOne { bytes: 256 },
    );
    let readers = 20;
    for _ in 0..ROUNDS {
        for (place, kind) in [Kind::Cores, Kind::Bare].into_iter().enumerate() {
            let process = Process::start(kind);
            rates[place].push(runtime.block_on(saturate.run(&process)));
            times[place].push(runtime.block_on(one_by_one.run(&process)));
            moved[place] += runtime.block_on(Move { readers }.run(&process));
        }
    }
    println!("{name}");
    let [ours, control] = rates;
    print_saturated("  saturated, 256 B, 16 pairs: per second", &ours, &control);
    let [ours, control] = times.map(|outcomes| {
        let medians = outcomes
            .iter()
            .filter_map(|times| times.get(times.len() / 2));
        median(medians.map(|time| time.as_secs_f64() * 1e6).collect())
    });
    print("  one at a time, 256 B: median", ours, control, "µs");
    let tried = f64::from(readers) * ROUNDS as f64;
    let [ours, control] = moved.map(|moved| f64::from(moved) / tried * 100.0);
    print(
        "  readers who keep their connection when they move",
        ours,
        control,
        "%",
    );
}

/// All connect at the same time, as after a restart of the relay.
fn storm(name: &str) {
    let runtime = runtime();
    let mut rates = [const { Vec::new() }; 2];
    for _ in 0..ROUNDS {
        for (kind, rates) in [Kind::Sotto, Kind::Bare].into_iter().zip(&mut rates) {
            let process = Process::start(kind);
            let started = Instant::now();
            let held = runtime.block_on(load::rush(&process, STORM));
            rates.push(f64::from(STORM) / started.elapsed().as_secs_f64());
            drop(held);
        }
    }
    let [ours, control] = rates.map(median);
    print(name, ours, control, "");
}

/// The same load with many connections that say nothing, and with none.
fn beside(name: &str, connections: usize) {
    let runtime = runtime();
    let load = Saturate {
        bytes: 256,
        pairs: 16,
    };
    let mut outcomes = [const { Vec::new() }; 2];
    for (idle, outcomes) in [connections, 0].into_iter().zip(&mut outcomes) {
        let process = Process::start(Kind::Sotto);
        let held = runtime.block_on(load::idle(&process, idle));
        for _ in 0..ROUNDS {
            outcomes.push(runtime.block_on(load.run(&process)));
        }
        drop(held);
    }
    let [ours, control] = outcomes;
    let name = format!("{name} (control: none)");
    print_saturated(&name, &ours, &control);
}
