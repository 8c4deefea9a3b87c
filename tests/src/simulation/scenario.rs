//! Who talks over what network, and what goes wrong.

use std::rc::Rc;
use std::time::Duration;

use rand::RngExt as _;
use rand::seq::IndexedRandom as _;
use tokio::task::{LocalSet, spawn_local};
use tokio::time::{Instant, sleep};

use super::chance::chance;
use super::faults::{self, Faults};
use super::malice::Malice;
use super::network::{Host, Way, Weather};
use super::past::Past;
use super::world::World;
use super::{invariants, person};

/// How long everything may take to settle once the network is whole.
const SETTLING: Duration = Duration::from_mins(5);
/// When the last person begins, as a share of the time; others may have written to them by then.
const LATEST: f64 = 0.3;
/// How often it is looked whether it has.
const LOOK_INTERVAL: Duration = Duration::from_secs(2);
/// How often it is looked whether everybody has caught up, and how long that may take.
const CATCH_UP_INTERVAL: Duration = Duration::from_millis(250);
const CATCH_UP: Duration = Duration::from_secs(15);
/// How long it then stays as it is, for what would come too late.
const AFTERWARDS: Duration = Duration::from_secs(10);

/// A kind of world.
#[derive(Debug, Clone)]
pub struct Scenario {
    name: &'static str,
    deeds: u32,
    span: Duration,
    weather: Option<Weather>,
    faults: Faults,
    /// The same past for each seed; otherwise it differs.
    past: Option<Past>,
    /// The relay means harm until the network is whole again.
    is_malicious: bool,
    /// Everybody is cut off for the second half of the time; in the same weather, and within
    /// [`CATCH_UP`], everybody catches up.
    is_cut_off: bool,
}

impl Scenario {
    /// Four people, and whatever can happen to them.
    pub fn standard() -> Self {
        Self::new("standard").faults(Faults {
            relay_crashes: 2,
            client_crashes: 2,
            cuts: 2,
            moves: 2,
            black_holes: 1,
            clock_steps: 2,
        })
    }

    /// All scenarios.
    pub fn all() -> Vec<Self> {
        let new = Self::new;
        let faults = Faults::default();
        vec![
            Self::standard(),
            new("calm").weather(Weather::CALM),
            new("storm").weather(Weather::STORM),
            new("crashes").faults(Faults {
                relay_crashes: 6,
                client_crashes: 8,
                ..faults
            }),
            new("cuts").faults(Faults { cuts: 8, ..faults }),
            new("moves").faults(Faults {
                moves: 12,
                black_holes: 4,
                ..faults
            }),
            // First meetings are what a wrong clock, or a hostile relay, can do most about.
            Self {
                past: Some(Past::Nothing),
                ..new("clocks").faults(Faults {
                    relay_crashes: 1,
                    client_crashes: 1,
                    clock_steps: 12,
                    ..faults
                })
            },
            new("burst")
                .deeds(48, Duration::from_secs(4))
                .faults(Faults {
                    relay_crashes: 1,
                    client_crashes: 1,
                    ..faults
                }),
            new("hours")
                .deeds(16, Duration::from_hours(3))
                .faults(Faults {
                    relay_crashes: 2,
                    client_crashes: 2,
                    cuts: 2,
                    moves: 4,
                    clock_steps: 2,
                    ..faults
                }),
            Self {
                past: Some(Past::Nothing),
                is_malicious: true,
                ..new("malicious").weather(Weather::CALM).faults(Faults {
                    relay_crashes: 2,
                    cuts: 3,
                    ..faults
                })
            },
        ]
    }

    /// Everybody is cut off in a storm, and has caught up soon after it. Not among [`Scenario::all`]:
    /// it does not hold yet (README).
    fn partition() -> Self {
        Self {
            is_cut_off: true,
            ..Self::new("partition").weather(Weather::STORM)
        }
    }

    /// The scenario of this name.
    pub fn named(name: &str) -> Option<Self> {
        let mut all = Self::all().into_iter().chain([Self::partition()]);
        all.find(|it| it.name == name)
    }

    /// Its name.
    pub fn name(&self) -> &'static str {
        self.name
    }

    fn new(name: &'static str) -> Self {
        Self {
            name,
            deeds: 16,
            span: Duration::from_mins(1),
            weather: None,
            faults: Faults::default(),
            past: None,
            is_malicious: false,
            is_cut_off: false,
        }
    }

    /// The same weather for each seed; otherwise it differs.
    fn weather(self, weather: Weather) -> Self {
        Self {
            weather: Some(weather),
            ..self
        }
    }

    /// What each person does, and within what time.
    fn deeds(self, deeds: u32, span: Duration) -> Self {
        Self {
            deeds,
            span,
            ..self
        }
    }

    fn faults(self, faults: Faults) -> Self {
        Self { faults, ..self }
    }

    fn weather_of(&self, seed: u64) -> Weather {
        let mut chance = chance(seed, "weather", 0);
        self.weather.unwrap_or_else(|| Weather {
            lost_per_mille: *[0, 100, 300].choose(&mut chance).unwrap_or(&0),
            doubled_per_mille: chance.random_range(0..100),
            delay: Duration::from_millis(chance.random_range(1..80)),
            jitter: Duration::from_millis(chance.random_range(0..200)),
        })
    }
}

/// How a world has ended.
#[derive(Debug, Default)]
pub struct Outcome {
    /// What was not as it must be; empty if all is well.
    pub wrongs: Vec<String>,
    /// Over times, addresses and lengths of all packets, and what clients told.
    pub trace_hash: u64,
    /// How many packets were sent.
    pub packets: u64,
    /// How much time has passed in it.
    pub simulated: Duration,
    /// How long everybody took to catch up, where that was looked for.
    pub catch_up: Option<Duration>,
    /// What happened, line by line, if it was asked for.
    pub trace: Vec<String>,
}

impl Outcome {
    /// Something panicked; nothing else is known.
    pub fn of_panic() -> Self {
        Self {
            wrongs: vec!["something panicked".to_owned()],
            ..Self::default()
        }
    }
}

/// Carries out a scenario in the world of this seed.
///
/// # Panics
/// When the world cannot be made, or something in it panics.
pub fn run(scenario: &Scenario, seed: u64, keeps_trace: bool) -> Outcome {
    in_world(live(scenario, seed, keeps_trace))
}

/// Lets time pass in a world of its own.
pub(super) fn in_world<T>(life: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .expect("a runtime");
    LocalSet::new().block_on(&runtime, life)
}

async fn live(scenario: &Scenario, seed: u64, keeps_trace: bool) -> Outcome {
    let begun = Instant::now();
    let malice = scenario
        .is_malicious
        .then(|| Malice::new(chance(seed, "malice", 0)));
    let past = scenario.past.unwrap_or_else(|| Past::of(seed));
    let (world, crashes) = World::new(seed, past, malice, keeps_trace);
    spawn_local(Rc::clone(&world).go_on(crashes));
    world.network.set_weather(scenario.weather_of(seed));
    world.start(Host::RELAY).await;
    let mut chance = chance(seed, "beginnings", 0);
    for machine in &world.people {
        let wait = scenario.span.mul_f64(chance.random_range(0.0..LATEST));
        let (world, host) = (Rc::clone(&world), machine.host);
        spawn_local(async move {
            sleep(wait).await;
            world.start(host).await;
        });
    }
    if let Some(malice) = world.malice.clone() {
        let deeds = malice.begin();
        world.network.note(&format!("the relay does {deeds:?}"));
        spawn_local(acquaint(Rc::clone(&world), malice));
    }
    let faults = faults::happen(Rc::clone(&world), scenario.faults, scenario.span);
    let mut tasks = vec![spawn_local(faults)];
    for number in 0..world.people.len() {
        let person = person::live(Rc::clone(&world), number, scenario.deeds, scenario.span);
        tasks.push(spawn_local(person));
    }
    if scenario.is_cut_off {
        tasks.push(spawn_local(cut_off(Rc::clone(&world), scenario.span / 2)));
    }
    for task in tasks {
        task.await.expect("a task that does not panic");
    }
    let catch_up = if scenario.is_cut_off {
        Some(caught_up(&world).await)
    } else {
        None
    };
    world.network.note("the network is whole again");
    world.heal();
    if let Some(malice) = &world.malice {
        malice.become_honest();
        // Everybody logs in, and hears the truth.
        world.network.crash_now(Host::RELAY);
    }
    settle(&world).await;
    invariants::look(&world).await;
    world.end_all().await;
    invariants::search_relay(&world);
    Outcome {
        wrongs: world.journal.wrongs(),
        trace_hash: world.network.trace_hash(),
        packets: world.network.packets(),
        simulated: begun.elapsed(),
        catch_up,
        trace: world.network.take_lines(),
    }
}

/// Cuts everybody off after so long, for as long.
async fn cut_off(world: Rc<World>, half: Duration) {
    let ways = world
        .people
        .iter()
        .flat_map(|machine| [(machine.host, Way::Out), (machine.host, Way::In)]);
    sleep(half).await;
    world.network.note("everybody is cut off");
    ways.clone()
        .for_each(|(host, way)| world.network.cut(host, way));
    sleep(half).await;
    world.network.note("nobody is cut off any more");
    ways.for_each(|(host, way)| world.network.mend(host, way));
}

/// How long it takes until all is as it must be.
async fn caught_up(world: &World) -> Duration {
    let begun = Instant::now();
    loop {
        let differences = invariants::differences(world).await;
        let took = begun.elapsed();
        if differences.is_empty() {
            if took > CATCH_UP {
                let what = format!("everybody has caught up after {took:?} only");
                world.journal.wrong(what);
            }
            return took;
        }
        if took > SETTLING {
            for difference in differences {
                world.journal.wrong(difference);
            }
            return took;
        }
        sleep(CATCH_UP_INTERVAL).await;
    }
}

/// Tells the relay when everybody knows everybody.
async fn acquaint(world: Rc<World>, malice: Malice) {
    while !person::are_acquainted(&world).await {
        sleep(LOOK_INTERVAL).await;
    }
    world.network.note("everybody knows everybody");
    malice.acquaint();
}

/// Waits until all is as it must be, and looks whether it stays so.
async fn settle(world: &World) {
    let deadline = Instant::now() + SETTLING;
    loop {
        // What has just crashed is seen as such a moment later.
        sleep(LOOK_INTERVAL).await;
        if world.is_whole() {
            break;
        }
        if Instant::now() > deadline {
            return world.journal.wrong("not everybody starts again".to_owned());
        }
    }
    for machine in &world.people {
        person::say_last(world, machine).await;
    }
    loop {
        sleep(LOOK_INTERVAL).await;
        if world.malice.is_some() {
            for machine in &world.people {
                person::accept_changes(world, machine).await;
            }
        }
        let differences = invariants::differences(world).await;
        if differences.is_empty() {
            break;
        }
        if Instant::now() > deadline {
            for difference in differences {
                world.journal.wrong(difference);
            }
            return;
        }
    }
    sleep(AFTERWARDS).await;
    for difference in invariants::differences(world).await {
        world
            .journal
            .wrong(format!("{difference}, after it was right"));
    }
}
