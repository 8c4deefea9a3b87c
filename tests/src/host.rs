//! A relay in a folder, on a runtime of its own.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::time::Duration;

use sotto_net::Invite;
use sotto_relay::{Relay, RelayConfig, SqliteStore, Store, relay_key};
use tokio::runtime::Runtime;

/// How long a relay's tasks may take to end.
const END_TIME: Duration = Duration::from_secs(10);

/// A running relay, and what is needed to start it again where it was.
#[derive(Debug)]
pub struct Host {
    dir: PathBuf,
    address: SocketAddr,
    invite: Invite,
    running: Option<(Relay, Runtime)>,
}

impl Host {
    /// A relay with the well-known people, its data in this folder, at a free port.
    pub fn start(dir: &Path) -> Self {
        Self::start_with(dir, |store| store)
    }

    /// As [`Host::start`], with something around the store.
    pub fn start_with<S: Store>(dir: &Path, wrap: impl FnOnce(SqliteStore) -> S) -> Self {
        let (relay, runtime) = run(dir, 0, wrap);
        Self {
            dir: dir.to_owned(),
            address: relay.address(),
            invite: relay.invite(),
            running: Some((relay, runtime)),
        }
    }

    /// How to reach it.
    pub fn invite(&self) -> Invite {
        self.invite.clone()
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Drains it.
    pub fn stop(&mut self) {
        if let Some((relay, runtime)) = self.running.take() {
            runtime.block_on(relay.shutdown());
            runtime.shutdown_timeout(END_TIME);
        }
    }

    /// Ends it in the middle of whatever it does, without a goodbye.
    pub fn kill(&mut self) {
        if let Some((relay, runtime)) = self.running.take() {
            // Its tasks end wherever they wait; only then does it learn of its end.
            runtime.shutdown_timeout(END_TIME);
            drop(relay);
        }
    }

    /// Starts it again, with the same folder and at the same port.
    pub fn restart(&mut self) {
        self.running = Some(run(&self.dir, self.address.port(), |store| store));
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        self.kill();
    }
}

/// # Panics
/// When the relay cannot start.
fn run<S: Store>(dir: &Path, port: u16, wrap: impl FnOnce(SqliteStore) -> S) -> (Relay, Runtime) {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
        .expect("a runtime");
    let relay = runtime.block_on(spawn(dir, port, wrap));
    (relay, runtime)
}

async fn spawn<S: Store>(dir: &Path, port: u16, wrap: impl FnOnce(SqliteStore) -> S) -> Relay {
    let key = relay_key(dir).expect("a relay key");
    let store = SqliteStore::open(dir).expect("a relay store");
    let config = RelayConfig {
        listen: (Ipv4Addr::LOCALHOST, port).into(),
        ..RelayConfig::default()
    };
    Relay::spawn(config, key, wrap(store))
        .await
        .expect("a relay listens")
}
