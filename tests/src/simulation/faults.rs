//! What goes wrong in a world, and when.

use std::rc::Rc;
use std::time::Duration;

use rand::RngExt as _;
use rand::rngs::StdRng;
use tokio::time::{Instant, sleep, sleep_until};

use super::disk::Moment;
use super::network::{Crash, Host, Way};
use super::world::World;

/// What a crash waits for at most.
const PACKETS_MAX: u64 = 40;
const WRITES_MAX: u64 = 12;

const DAY_MILLIS: i64 = 24 * 60 * 60 * 1_000;
/// Long enough for prekeys to be replaced.
const FAR_DAYS: i64 = 20;

/// How often each kind of fault happens.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Faults {
    /// The relay ends, at one of its next packets, or before or right after one of its next writes.
    pub(super) relay_crashes: u32,
    /// A client ends at one of its next packets.
    pub(super) client_crashes: u32,
    /// A machine is cut off, in one direction or both.
    pub(super) cuts: u32,
    /// A machine comes back from another address.
    pub(super) moves: u32,
    /// Large packets vanish for a while.
    pub(super) black_holes: u32,
    /// A clock is set, by up to a day; that of a person now and then by weeks.
    pub(super) clock_steps: u32,
}

impl Faults {
    fn kinds(self) -> Vec<Kind> {
        let counts = [
            (Kind::RelayCrash, self.relay_crashes),
            (Kind::ClientCrash, self.client_crashes),
            (Kind::Cut, self.cuts),
            (Kind::Move, self.moves),
            (Kind::BlackHole, self.black_holes),
            (Kind::ClockStep, self.clock_steps),
        ];
        let each = counts
            .iter()
            .map(|&(kind, count)| vec![kind; count as usize]);
        each.collect::<Vec<_>>().concat()
    }
}

#[derive(Debug, Clone, Copy)]
enum Kind {
    RelayCrash,
    ClientCrash,
    Cut,
    Move,
    BlackHole,
    ClockStep,
}

/// Has all faults happen within this time.
pub(super) async fn happen(world: Rc<World>, faults: Faults, within: Duration) {
    let mut chance = super::chance::chance(world.seed, "faults", 0);
    let mut plan: Vec<(Duration, Kind)> = faults
        .kinds()
        .into_iter()
        .map(|kind| (within.mul_f64(chance.random()), kind))
        .collect();
    plan.sort_by_key(|(at, _)| *at);
    let begun = Instant::now();
    for (at, kind) in plan {
        sleep_until(begun + at).await;
        begin(&world, kind, &mut chance);
    }
}

fn begin(world: &Rc<World>, kind: Kind, chance: &mut StdRng) {
    let people = u8::try_from(world.people.len()).unwrap_or(u8::MAX);
    let host = Host(chance.random_range(1..=people));
    let anybody = Host(chance.random_range(0..=people));
    // As long as a lift ride, or longer than connections live.
    let lasting = if chance.random_bool(0.8) {
        Duration::from_millis(chance.random_range(200..10_000))
    } else {
        Duration::from_secs(chance.random_range(60..120))
    };
    let crash = Crash {
        packets: chance.random_range(1..=PACKETS_MAX),
        is_sent: chance.random(),
    };
    world.set_away(Duration::from_millis(chance.random_range(0..5_000)));
    world
        .network
        .note(&format!("fault: {kind:?}, host {}", host.0));
    match kind {
        Kind::RelayCrash if chance.random_bool(0.6) => {
            let moment = if chance.random() {
                Moment::Before
            } else {
                Moment::After
            };
            let writes = chance.random_range(1..=WRITES_MAX);
            world.disk.crash_later(writes, moment);
        }
        Kind::RelayCrash => world.network.crash_later(Host::RELAY, crash),
        Kind::ClientCrash => world.network.crash_later(host, crash),
        Kind::Cut => {
            let ways: &[Way] = match chance.random_range(0..3) {
                0 => &[Way::Out],
                1 => &[Way::In],
                _ => &[Way::Out, Way::In],
            };
            let ways = ways.to_vec();
            for way in &ways {
                world.network.cut(host, *way);
            }
            later(world, lasting, move |world| {
                for way in &ways {
                    world.network.mend(host, *way);
                }
            });
        }
        Kind::Move => world.network.rebind(host),
        Kind::BlackHole => {
            world.network.set_black_hole(host, true);
            later(world, lasting, move |world| {
                world.network.set_black_hole(host, false);
            });
        }
        Kind::ClockStep => {
            // So many days ahead, the relay would rightly forget what it holds.
            let is_far = anybody != Host::RELAY && chance.random_bool(0.3);
            let most = DAY_MILLIS * if is_far { FAR_DAYS } else { 1 };
            let millis = chance.random_range(-most..=most);
            let hours = millis / 3_600_000;
            let line = format!("the clock of host {} is set by {hours} h", anybody.0);
            world.network.note(&line);
            world.clock.step(anybody, millis);
        }
    }
}

fn later(world: &Rc<World>, wait: Duration, what: impl FnOnce(&World) + 'static) {
    let world = Rc::clone(world);
    tokio::task::spawn_local(async move {
        sleep(wait).await;
        what(&world);
    });
}
