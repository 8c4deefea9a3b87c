//! `sotto-relay serve`: a relay until a signal.

use std::io::{self, IsTerminal as _, Write as _};
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;

use clap::Args;
use sotto_relay::{Relay, RelayConfig, SqliteStore, note_invite, relay_key};
use tokio::runtime::Runtime;

use crate::picture::qr;
use crate::words;

/// The port of a relay unless it is told otherwise.
const PORT: u16 = 4433;

#[derive(Debug, Args)]
pub(crate) struct Serve {
    /// Listen on this address; port 0 takes a free one
    #[arg(long, value_name = "ADDRESS", env = "SOTTO_RELAY_LISTEN",
          default_value_t = SocketAddr::from((Ipv4Addr::UNSPECIFIED, PORT)))]
    listen: SocketAddr,

    /// Keep the relay's key and its mailboxes in this folder
    #[arg(long, value_name = "FOLDER", env = "SOTTO_RELAY_DATA")]
    data: PathBuf,

    /// The host name to put into invites, for example relay.example.org
    #[arg(long, value_name = "HOST", env = "SOTTO_RELAY_PUBLIC_NAME")]
    public_name: Option<String>,

    /// Start without the handles alice, bob, charlie and diana
    #[arg(long)]
    no_seed: bool,
}

impl Serve {
    pub(crate) fn run(self) -> Result<(), String> {
        let runtime = Runtime::new().map_err(|error| format!("no threads can be had: {error}"))?;
        let key = relay_key(&self.data).map_err(|error| words::key(&self.data, &error))?;
        let store =
            SqliteStore::open(&self.data).map_err(|error| words::store(&self.data, &error))?;
        let mut config = RelayConfig {
            listen: self.listen,
            public_name: self.public_name,
            ..RelayConfig::default()
        };
        if self.no_seed {
            config.seeds.clear();
        }
        runtime.block_on(async {
            let relay = Relay::spawn(config, key, store)
                .await
                .map_err(|error| words::spawn(&error))?;
            // Without the note, only `sotto-relay invite` has nothing to show.
            if let Err(error) = note_invite(&self.data, &relay.invite()) {
                tracing::warn!(%error, "the invite was not noted in the folder");
            }
            // Scripts may stop the relay as soon as they have read the lines.
            let signal = listen_for_signal();
            announce(&relay).map_err(|error| format!("cannot write the invite: {error}"))?;
            signal.await;
            tracing::info!("draining");
            relay.shutdown().await;
            Ok(())
        })
    }
}

/// The two lines that scripts rely on, and for a person the invite as a picture.
fn announce(relay: &Relay) -> io::Result<()> {
    let invite = relay.invite();
    let mut out = io::stdout().lock();
    writeln!(out, "listening {}", relay.address())?;
    writeln!(out, "invite {invite}")?;
    if out.is_terminal() {
        writeln!(out, "\n{}", qr(&invite))?;
    }
    out.flush()
}

/// Resolves when the relay is to end. On Unix, signals are heard from the call on, not only from
/// the first poll.
fn listen_for_signal() -> impl Future<Output = ()> {
    #[cfg(unix)]
    let signals = {
        use tokio::signal::unix::{SignalKind, signal};
        (
            signal(SignalKind::terminate()),
            signal(SignalKind::interrupt()),
        )
    };
    async move {
        #[cfg(unix)]
        if let (Ok(mut terminate), Ok(mut interrupt)) = signals {
            tokio::select! {
                _ = terminate.recv() => {}
                _ = interrupt.recv() => {}
            }
            return;
        }
        if tokio::signal::ctrl_c().await.is_err() {
            tracing::warn!("no signal can be heard; end the process to stop the relay");
            std::future::pending::<()>().await;
        }
    }
}
