//! Carries out scenarios in many simulated worlds, and says which seeds fail.

#![expect(clippy::print_stdout, reason = "it is there to be read")]

#[cfg(feature = "planted")]
mod planted;

use std::panic::catch_unwind;
use std::process::ExitCode;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use clap::Parser;
use sotto_tests::simulation::{Outcome, Scenario, run};

/// Looks for seeds with which something goes wrong that must not.
#[derive(Debug, Parser)]
struct Settings {
    /// How many seeds.
    #[arg(long, default_value_t = 100)]
    seeds: u64,
    /// The first of them.
    #[arg(long, default_value_t = 0)]
    from: u64,
    /// One scenario only.
    #[arg(long)]
    scenario: Option<String>,
    /// Prints what happens, line by line.
    #[arg(long)]
    trace: bool,
    /// How many worlds at a time.
    #[arg(long)]
    jobs: Option<usize>,
    /// Stops at the first seed that fails.
    #[arg(long)]
    first: bool,
    /// Plants each bug in turn, and says what finds it.
    #[cfg(feature = "planted")]
    #[arg(long)]
    planted: bool,
}

fn main() -> ExitCode {
    let settings = Settings::parse();
    #[cfg(feature = "planted")]
    if settings.planted {
        return exit_code(planted::find_all(settings.seeds, settings.first));
    }
    let scenarios: Vec<Scenario> = match &settings.scenario {
        None => vec![Scenario::standard()],
        Some(name) if name == "all" => Scenario::all(),
        Some(name) => Scenario::named(name).into_iter().collect(),
    };
    if scenarios.is_empty() {
        let names: Vec<_> = Scenario::all().iter().map(Scenario::name).collect();
        println!("scenarios: all, {}", names.join(", "));
        return ExitCode::FAILURE;
    }
    exit_code(scenarios.iter().map(|it| simulate(it, &settings)).sum())
}

fn exit_code(failures: u64) -> ExitCode {
    if failures == 0 {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

/// Gives the number of seeds that fail.
fn simulate(scenario: &Scenario, settings: &Settings) -> u64 {
    let begun = Instant::now();
    let cores = thread::available_parallelism().map_or(1, usize::from);
    let next = AtomicU64::new(settings.from);
    let totals = Mutex::new(Totals::default());
    thread::scope(|scope| {
        for _ in 0..settings.jobs.unwrap_or(cores) {
            scope.spawn(|| {
                loop {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    let has_failed = || totals.lock().is_ok_and(|it| it.failures > 0);
                    let is_over = seed >= settings.from + settings.seeds;
                    if is_over || settings.first && has_failed() {
                        return;
                    }
                    let outcome = catch_unwind(|| run(scenario, seed, settings.trace));
                    let outcome = outcome.unwrap_or_else(|_| Outcome::of_panic());
                    let mut totals = totals.lock().unwrap_or_else(PoisonError::into_inner);
                    totals.add(scenario, seed, &outcome);
                }
            });
        }
    });
    let took = begun.elapsed().as_secs_f64();
    let totals = totals.into_inner().unwrap_or_else(PoisonError::into_inner);
    println!(
        "{}: {} seeds in {took:.1} s, {:.1} a second; {} packets, {:.0} simulated seconds, {:.0} \
         times as fast as real ones; {} failed",
        scenario.name(),
        totals.seeds,
        totals.seeds / took,
        totals.packets,
        totals.simulated_secs,
        totals.simulated_secs / took,
        totals.failures,
    );
    if let Some(longest) = totals.catch_up {
        println!("    caught up within {longest:.2?} at most");
    }
    totals.failures
}

#[derive(Debug, Default)]
struct Totals {
    seeds: f64,
    failures: u64,
    packets: u64,
    simulated_secs: f64,
    /// The longest.
    catch_up: Option<Duration>,
}

impl Totals {
    fn add(&mut self, scenario: &Scenario, seed: u64, outcome: &Outcome) {
        self.seeds += 1.0;
        self.packets += outcome.packets;
        self.simulated_secs += outcome.simulated.as_secs_f64();
        self.catch_up = self.catch_up.max(outcome.catch_up);
        for line in &outcome.trace {
            println!("{line}");
        }
        if !outcome.trace.is_empty() {
            println!("seed {seed}: trace {:016x}", outcome.trace_hash);
        }
        if outcome.wrongs.is_empty() {
            return;
        }
        self.failures += 1;
        let name = scenario.name();
        println!("seed {seed} of {name} fails; --scenario {name} --from {seed} --seeds 1 --trace");
        for wrong in outcome.wrongs.iter().take(12) {
            println!("    {wrong}");
        }
    }
}
