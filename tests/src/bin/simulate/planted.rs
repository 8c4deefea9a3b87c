//! Bugs that are planted on purpose, and what finds them.

use std::env;
use std::path::Path;
use std::process::Command;

/// What a planted bug must not get past.
#[derive(Clone, Copy)]
enum Finder {
    /// Worlds of this scenario.
    Scenario(&'static str),
    /// A test in this file of tests.
    Test(&'static str, &'static str),
}

use Finder::{Scenario, Test};

/// By the names under which the code knows them.
const BUGS: &[(&str, Finder)] = &[
    // The relay.
    ("done_before_commit", Scenario("crashes")),
    ("acknowledges_all", Scenario("standard")),
    ("delivery_skips_one", Scenario("standard")),
    (
        "relay_takes_twice",
        Test(
            "store",
            "sqlite::lets_a_repeated_envelope_wait_for_the_first",
        ),
    ),
    (
        "sequences_return",
        Test(
            "store",
            "a_store_without_a_thread_loses_what_was_not_confirmed_and_nothing_else",
        ),
    ),
    (
        "refused_is_overtaken",
        Test(
            "order",
            "messages_arrive_in_order_although_the_relay_refuses_the_first_of_many_for_now",
        ),
    ),
    // The client.
    ("no_duplicate_check", Scenario("crashes")),
    (
        "cursor_before_messages",
        Test(
            "disk",
            "what_was_acknowledged_outlives_every_failure_of_the_disk_in_order_and_once",
        ),
    ),
    ("key_change_taken_over", Scenario("malicious")),
    ("done_counts_as_delivered", Scenario("standard")),
    ("retries_under_new_id", Scenario("standard")),
    ("reconnect_forgets_outbox", Scenario("standard")),
    ("reconnect_reorders", Scenario("burst")),
    ("sealing_not_stored", Scenario("crashes")),
    ("clock_jump_drops_sessions", Scenario("clocks")),
    (
        "replayed_handshake_accepted",
        Test(
            "hostile_mail",
            "r20_a_first_contact_that_is_replayed_is_not_accepted_again",
        ),
    ),
    // The protocol.
    (
        "skipped_keys_dropped",
        Test(
            "hostile_mail",
            "r2_what_is_reordered_within_and_between_conversations_is_shown_once_each",
        ),
    ),
    (
        "session_not_in_aad",
        Test(
            "attacks",
            "replay::r20_a_second_handshake_with_the_same_keys_has_the_same_session_id",
        ),
    ),
    (
        "no_skip_limit",
        Test(
            "attacks",
            "counters::c3_a_number_far_ahead_in_a_known_chain_costs_nothing",
        ),
    ),
    (
        "handshake_signature_unchecked",
        Test(
            "attacks",
            "mixing::r6_nothing_of_the_attackers_own_handshake_fits_into_anothers",
        ),
    ),
];

/// Looks for each bug in so many worlds, or only until one of them shows it; gives how many bugs
/// were not found.
pub(crate) fn find_all(seeds: u64, first: bool) -> u64 {
    println!("{:<36} {:<16} found by", "bug", "found in");
    // Asked for once: a test that is built meanwhile may put a new file in its place.
    let program = env::current_exe().unwrap_or_default();
    let missed = BUGS.iter().filter(|(bug, finder)| {
        let (found, by) = match *finder {
            Scenario(scenario) => in_worlds(&program, bug, scenario, seeds, first),
            Test(file, name) => by_test(bug, file, name),
        };
        let found_in = found.as_deref().unwrap_or("NOT FOUND");
        println!("{bug:<36} {found_in:<16} {by}");
        found.is_none()
    });
    let missed = missed.count();
    println!("{} bugs, {missed} not found", BUGS.len());
    missed as u64
}

fn in_worlds(
    program: &Path,
    bug: &str,
    scenario: &str,
    seeds: u64,
    first: bool,
) -> (Option<String>, String) {
    let mut command = Command::new(program);
    command.args(["--scenario", scenario, "--seeds", &seeds.to_string()]);
    if first {
        command.arg("--first");
    }
    let printed = run(&mut command, bug);
    let mut failing = printed
        .lines()
        .filter_map(|line| line.strip_prefix("seed "));
    let found = failing.next().map(|line| {
        let seed = line.split(' ').next().unwrap_or_default();
        if first {
            format!("seed {seed}")
        } else {
            format!("{} of {seeds} seeds", 1 + failing.count())
        }
    });
    let seen = printed.lines().find(|line| line.starts_with("    "));
    let seen = seen.map(|seen| format!("{scenario}: {}", seen.trim()));
    (found, seen.unwrap_or_else(|| scenario.to_owned()))
}

fn by_test(bug: &str, file: &str, name: &str) -> (Option<String>, String) {
    let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(cargo);
    // As this program was built, so that nothing else is built again.
    command.args([
        "test",
        "--locked",
        "--workspace",
        "--features",
        "sotto-tests/planted",
    ]);
    command.args(["--test", file, "--", "--exact", name]);
    let failure = format!("test {name} ... FAILED");
    let has_failed = run(&mut command, bug).contains(&failure);
    let found = has_failed.then(|| "a test".to_owned());
    (found, format!("{file}: {name}"))
}

/// What a program prints in whose code there is this bug.
fn run(command: &mut Command, bug: &str) -> String {
    // As `planted.rs` in each of the crates reads it.
    let output = command.env("SOTTO_PLANTED", bug).output();
    let printed = output.map(|output| [output.stdout, output.stderr].concat());
    String::from_utf8_lossy(&printed.unwrap_or_default()).into_owned()
}
