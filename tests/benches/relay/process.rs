//! A relay as a process of its own, so that what it costs is its own.

use std::io::{BufRead as _, BufReader, Read as _};
use std::net::{Ipv4Addr, SocketAddr};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use sotto_net::{Invite, RelayKey, RelayPin};
use sotto_relay::{Limits, Rate, Relay, RelayConfig, SqliteStore};

/// Names the kind to the process that is started.
const VARIABLE: &str = "SOTTO_BENCH_RELAY";

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Sotto,
    Bare,
    /// As bare, with an endpoint for each core.
    Cores,
}

impl Kind {
    const fn name(self) -> &'static str {
        match self {
            Self::Sotto => "sotto",
            Self::Bare => "bare",
            Self::Cores => "cores",
        }
    }

    /// The kind of relay that this process is to be, if it is one.
    pub(crate) fn of_this_process() -> Option<Self> {
        let name = std::env::var(VARIABLE).ok()?;
        [Self::Sotto, Self::Bare, Self::Cores]
            .into_iter()
            .find(|kind| kind.name() == name)
    }
}

/// Limits that no load of this benchmark meets.
fn unlimited() -> Limits {
    let rate = Rate::per_second(u32::MAX, u32::MAX);
    Limits {
        connections: 100_000,
        connections_per_address: 100_000,
        strangers: 100_000,
        strangers_before_retry: 100_000,
        login_deadline: Duration::from_mins(1),
        mailbox_envelopes: 10_000_000,
        mailbox_bytes: u64::MAX >> 1,
        connection_rate: rate,
        envelope_rate: rate,
        ephemeral_rate: rate,
        bundle_rate: rate,
        one_time_prekey_rate: rate,
        request_rate: rate,
        ..Limits::default()
    }
}

/// Runs a relay until standard input ends, and says where it is.
pub(crate) fn serve(kind: Kind) {
    let runtime = tokio::runtime::Runtime::new().expect("threads");
    let listen = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    let key = RelayKey::generate().expect("a key");
    let dir = tempfile::tempdir().expect("a folder");
    runtime.block_on(async {
        let relay = match kind {
            Kind::Sotto => {
                let store = SqliteStore::open(dir.path()).expect("a store");
                let config = RelayConfig {
                    listen,
                    seeds: Vec::new(),
                    roster: false,
                    limits: unlimited(),
                    ..RelayConfig::default()
                };
                let relay = Relay::spawn(config, key, store).await.expect("a relay");
                println!("{}", relay.invite());
                Some(relay)
            }
            Kind::Bare => {
                println!("{}", crate::bare::listen(listen, &key));
                None
            }
            Kind::Cores => {
                let key = std::sync::Arc::new(key);
                println!("{}", crate::bare::listen_on_each_core(listen, &key));
                None
            }
        };
        let ended = tokio::task::spawn_blocking(|| {
            let mut rest = Vec::new();
            // An error ends it as well.
            drop(std::io::stdin().read_to_end(&mut rest));
        });
        ended.await.expect("the end");
        drop(relay);
    });
    runtime.shutdown_timeout(Duration::from_secs(1));
}

/// A relay that runs.
#[derive(Debug)]
pub(crate) struct Process {
    child: Child,
    pub(crate) kind: Kind,
    pub(crate) address: SocketAddr,
    pub(crate) pin: RelayPin,
}

impl Process {
    pub(crate) fn start(kind: Kind) -> Self {
        let mut child = Command::new(std::env::current_exe().expect("a path"))
            .env(VARIABLE, kind.name())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("a process");
        let mut line = String::new();
        BufReader::new(child.stdout.take().expect("an output"))
            .read_line(&mut line)
            .expect("a line");
        let invite: Invite = line.trim().parse().expect("an invite");
        Self {
            child,
            kind,
            address: invite.authority().parse().expect("an address"),
            pin: invite.pin().expect("a pin"),
        }
    }

    fn read(&self, file: &str) -> String {
        let path = format!("/proc/{}/{file}", self.child.id());
        std::fs::read_to_string(path).expect("Linux's /proc")
    }

    /// CPU time that it has used.
    pub(crate) fn cpu(&self) -> Duration {
        let stat = self.read("stat");
        // Behind the name, which may hold spaces, user and system time are the 12th and 13th.
        let (_, numbers) = stat.rsplit_once(')').expect("a name");
        let ticks: u32 = numbers
            .split_whitespace()
            .skip(11)
            .take(2)
            .map(|number| number.parse::<u32>().expect("a number"))
            .sum();
        // Linux counts in hundredths of a second on every platform that matters here.
        Duration::from_millis(10) * ticks
    }

    /// Memory that it holds, in KiB.
    pub(crate) fn resident_kib(&self) -> f64 {
        let status = self.read("status");
        let line = status.lines().find(|line| line.starts_with("VmRSS:"));
        let number = line.and_then(|line| line.split_whitespace().nth(1));
        number.expect("a size").parse().expect("a number")
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        drop(self.child.stdin.take());
        drop(self.child.wait());
    }
}
