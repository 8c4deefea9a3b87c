//! The machines of one world: a relay, and people with a client each. They crash, and start again
//! from what is on their disks.

use std::cell::{Cell, RefCell};
use std::future::pending;
use std::path::Path;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicU16, AtomicU64, Ordering};
use std::time::Duration;

use sotto_client::view::ProfileId;
use sotto_client::{Argon2Cost, Client, Config, OpenAtStart, Person, well_known_people};
use sotto_net::quic::{self, Underlay};
use sotto_net::{Invite, RelayKey};
use sotto_relay::store::Store;
use sotto_relay::{Relay, RelayConfig, SqliteStore, StoreError};
use tempfile::TempDir;
use tokio::sync::{Notify, mpsc, watch};
use tokio::task::yield_now;
use tokio::time::sleep;

use super::chance::{chance, seed_bytes};
use super::clock::Clock;
use super::disk::Disk;
use super::journal::Journal;
use super::malice::Malice;
use super::network::{Host, Network, relay_address};
use super::past::Past;
use super::process::Process;
use super::suspect::Suspect;
use super::trace::Trace;
use crate::tap::Tap;

/// Every text of the people holds this, and nothing else may.
pub(super) const SECRET: &str = "between-us-only";

/// How often a folder is asked for that its last user has not quite left.
const LEAVING_TURNS: usize = 1_000;

/// An Ed25519 key in PKCS #8: the same relay in all worlds.
const RELAY_KEY: [u8; 48] = [
    0x30, 0x2e, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x04, 0x22, 0x04, 0x20,
    7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7,
];

/// All machines, and what is between them.
pub(super) struct World {
    pub(super) seed: u64,
    pub(super) network: Network,
    pub(super) clock: Clock,
    pub(super) disk: Disk,
    pub(super) journal: Rc<Journal>,
    pub(super) people: Vec<Machine>,
    /// What the relay does, where it means harm.
    pub(super) malice: Option<Malice>,
    dir: TempDir,
    relay: RefCell<Option<Process>>,
    /// Lives of the relay so far.
    relay_lives: Cell<u64>,
    /// How long a machine that has crashed stays away.
    away: Cell<Duration>,
}

/// A person with a client that may run.
pub(super) struct Machine {
    pub(super) host: Host,
    pub(super) person: Person,
    running: RefCell<Option<(Rc<Client>, Process)>>,
    is_up: Notify,
    /// Where the next connection begins.
    port: Arc<AtomicU16>,
    seeds: Arc<AtomicU64>,
    relay: watch::Sender<Option<Invite>>,
}

impl Machine {
    fn new(number: usize, person: Person, invite: &Invite) -> Self {
        Self {
            host: Host(u8::try_from(number + 1).unwrap_or(u8::MAX)),
            person,
            running: RefCell::default(),
            is_up: Notify::new(),
            port: Arc::new(AtomicU16::new(1_024)),
            seeds: Arc::default(),
            relay: watch::Sender::new(Some(invite.clone())),
        }
    }

    /// The person's profile, in the client.
    pub(super) fn profile(&self) -> ProfileId {
        ProfileId::new(&self.person.handle)
    }

    /// The client, as soon as there is one.
    pub(super) async fn client(&self) -> Rc<Client> {
        loop {
            let client = self.running.borrow().as_ref().map(|it| Rc::clone(&it.0));
            match client {
                Some(client) => return client,
                None => self.is_up.notified().await,
            }
        }
    }
}

impl World {
    /// A world in which nobody is awake yet, and the crashes to come.
    ///
    /// # Panics
    /// When there is no disk.
    pub(super) fn new(
        seed: u64,
        past: Past,
        malice: Option<Malice>,
        keeps_lines: bool,
    ) -> (Rc<Self>, mpsc::UnboundedReceiver<Host>) {
        let (crashed, crashes) = mpsc::unbounded_channel();
        let trace = Trace::new(keeps_lines);
        let network = Network::new(
            chance(seed, "network", 0),
            trace,
            SECRET.as_bytes(),
            crashed,
        );
        let dir = folder();
        let pin = RelayKey::from_pkcs8(&RELAY_KEY).expect("a key").pin();
        let invite = Invite::to(relay_address(), pin);
        let people: Vec<Machine> = well_known_people()
            .into_iter()
            .enumerate()
            .map(|(number, person)| Machine::new(number, person, &invite))
            .collect();
        past.place(dir.path());
        let world = Self {
            seed,
            clock: Clock::new(),
            disk: Disk::new(network.clone(), chance(seed, "disk", 0)),
            journal: Rc::new(Journal::new(network.clone(), malice.is_some())),
            network,
            people,
            malice,
            dir,
            relay: RefCell::default(),
            relay_lives: Cell::new(0),
            away: Cell::new(Duration::from_secs(1)),
        };
        (Rc::new(world), crashes)
    }

    /// Carries packets, and starts again what has crashed. For ever.
    pub(super) async fn go_on(self: Rc<Self>, mut crashes: mpsc::UnboundedReceiver<Host>) {
        tokio::task::spawn_local(self.network.clone().carry());
        while let Some(host) = crashes.recv().await {
            self.end(host).await;
            let world = Rc::clone(&self);
            tokio::task::spawn_local(async move {
                sleep(world.away.get()).await;
                world.start(host).await;
            });
        }
    }

    /// How long what crashes stays away from now on.
    pub(super) fn set_away(&self, away: Duration) {
        self.away.set(away);
    }

    /// No crash waits any more.
    pub(super) fn heal(&self) {
        self.disk.heal();
        self.network.heal();
    }

    /// Whether all machines run.
    pub(super) fn is_whole(&self) -> bool {
        self.relay.borrow().is_some() && self.people.iter().all(|it| it.running.borrow().is_some())
    }

    /// Relay and people.
    pub(super) fn hosts(&self) -> impl Iterator<Item = Host> {
        [Host::RELAY]
            .into_iter()
            .chain(self.people.iter().map(|it| it.host))
    }

    /// Ends everything, the relay first.
    pub(super) async fn end_all(&self) {
        for host in self.hosts() {
            self.end(host).await;
        }
    }

    /// Where all machines have their files.
    pub(super) fn dir(&self) -> &Path {
        self.dir.path()
    }

    /// The relay's folder.
    pub(super) fn relay_dir(&self) -> std::path::PathBuf {
        self.dir.path().join("relay")
    }

    pub(super) async fn start(&self, host: Host) {
        self.network.note(&format!("host {} starts", host.0));
        match self.people.iter().find(|it| it.host == host) {
            Some(machine) => self.start_person(machine),
            None => self.start_relay().await,
        }
    }

    /// Ends a machine as a crash does. What was on its way from it is still carried.
    pub(super) async fn end(&self, host: Host) {
        self.network.unplug(host);
        let process = if let Some(machine) = self.people.iter().find(|it| it.host == host) {
            let running = machine.running.borrow_mut().take();
            running.map(|(_, process)| process)
        } else {
            self.relay.borrow_mut().take()
        };
        if let Some(process) = process {
            process.kill().await;
        }
    }

    async fn start_relay(&self) {
        let (store, writing) = self.open_store().await;
        let process = Process::default();
        process.spawn(self.disk.clone().write(writing));
        let disk = self.disk.clone();
        let tap = Tap::default().on_event(move |event| disk.on_event(event));
        let store = tap.around(store);
        match self.malice.clone() {
            None => self.start_relay_on(store, &process),
            Some(malice) => self.start_relay_on(Suspect::new(malice, store), &process),
        }
        self.relay.replace(Some(process));
    }

    fn start_relay_on(&self, store: impl Store, process: &Process) {
        let life = self.relay_lives.replace(self.relay_lives.get() + 1);
        let clock = self.clock.clone();
        let now = move || u64::try_from(clock.millis(Host::RELAY) / 1_000).unwrap_or(0);
        let seed = seed_bytes(self.seed, "relay", life);
        let (network, runtime) = (self.network.clone(), process.clone());
        let environment = sotto_relay::Environment::new(now, move |address, key, slot| {
            let underlay = Underlay {
                socket: network.bind(Host::RELAY, address.port()),
                runtime: Arc::new(runtime.clone()),
                seed,
            };
            quic::listen_over(underlay, key, slot)
        });
        let config = RelayConfig {
            listen: relay_address(),
            ..RelayConfig::default()
        };
        let key = RelayKey::from_pkcs8(&RELAY_KEY).expect("a key");
        // A crash may come while it is still starting.
        process.spawn_local(async move {
            let relay = Relay::spawn_in(environment, config, key, store).await;
            let _relay = relay.expect("a relay");
            pending::<()>().await;
        });
    }

    /// The store, once the tasks of an earlier life have let go of it.
    async fn open_store(&self) -> (SqliteStore, impl Future<Output = ()> + Send + use<>) {
        let mut turns = 0;
        loop {
            match SqliteStore::open_here(&self.relay_dir()) {
                Err(StoreError::InUse) if turns < LEAVING_TURNS => yield_now().await,
                opened => return opened.expect("a store"),
            }
            turns += 1;
        }
    }

    fn start_person(&self, machine: &Machine) {
        let process = Process::default();
        let config = Config {
            data_dir: self.dir.path().join(&machine.person.handle),
            people: vec![machine.person.clone()],
            open: OpenAtStart::All,
            relay: machine.relay.subscribe(),
            passphrase_cost: Argon2Cost::FLOOR,
            environment: self.environment(machine, &process),
        };
        let (client, lives) = Client::start_here(&config, || {});
        let mut events = client.subscribe();
        for life in lives {
            process.spawn_local(life);
        }
        let (journal, who) = (Rc::clone(&self.journal), machine.person.handle.clone());
        // It outlives a crash, to hear what was told before.
        tokio::task::spawn_local(async move {
            while let Some(event) = events.next().await {
                journal.told(&who, event.map(|event| event.kind));
            }
        });
        machine.running.replace(Some((Rc::new(client), process)));
        machine.is_up.notify_waiters();
    }

    fn environment(&self, machine: &Machine, process: &Process) -> sotto_client::Environment {
        let (host, seed) = (machine.host, self.seed);
        let (clock, network, runtime) = (self.clock.clone(), self.network.clone(), process.clone());
        let (seeds, port) = (Arc::clone(&machine.seeds), Arc::clone(&machine.port));
        let purpose = machine.person.handle.clone();
        sotto_client::Environment::new(
            move || clock.millis(host),
            move || chance(seed, &purpose, seeds.fetch_add(1, Ordering::Relaxed)),
            move |_| {
                let port = port.fetch_add(1, Ordering::Relaxed);
                quic::dialer_over(Underlay {
                    socket: network.bind(host, port),
                    runtime: Arc::new(runtime.clone()),
                    seed: seed_bytes(seed, "dialer", u64::from(host.0) << 32 | u64::from(port)),
                })
            },
        )
    }
}

/// A folder in memory, if there is such a thing here.
fn folder() -> TempDir {
    let memory = Path::new("/dev/shm");
    let mut named = tempfile::Builder::new();
    let named = named.prefix("sotto-world-");
    let folder = if memory.is_dir() {
        named.tempdir_in(memory)
    } else {
        named.tempdir()
    };
    folder.expect("a folder")
}
