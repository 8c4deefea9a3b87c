//! `sotto-relay serve`: a relay until a signal.

use std::io::{self, IsTerminal as _, Write as _};
use std::iter;
use std::path::PathBuf;

use clap::Args;
use sotto_net::Invite;
use sotto_relay::{Relay, RelayConfig, SqliteStore, note_invites, relay_key};
use tokio::runtime::Runtime;

use crate::log::{self, LogFormat};
use crate::notify::{self, State};
use crate::picture::qr;
use crate::settings::Settings;
use crate::words;

#[derive(Debug, Args)]
pub(crate) struct Serve {
    #[command(flatten)]
    settings: Settings,

    /// Start without the handles alice, bob, charlie and diana
    #[arg(long, conflicts_with = "seed")]
    no_seed: bool,

    /// Read settings from this file; options and environment come first
    #[arg(long, value_name = "FILE", env = "SOTTO_RELAY_CONFIG")]
    config: Option<PathBuf>,

    /// Print the settings that would be used, as a configuration file, and end
    #[arg(long)]
    print_config: bool,
}

impl Serve {
    pub(crate) fn run(self) -> Result<(), String> {
        let mut settings = self.settings;
        if self.no_seed {
            settings.seed = Some(false);
        }
        if let Some(path) = &self.config {
            settings = settings.or(Settings::read(path)?);
        }
        let settings = settings.or(Settings::defaults());
        if self.print_config {
            let out = io::stdout().lock().write_all(settings.print().as_bytes());
            return out.map_err(|error| words::output(&error));
        }
        log::start(settings.log_format.unwrap_or(LogFormat::Text));
        let config = RelayConfig {
            certificate: settings.certificate()?,
            ..settings.config()
        };
        let data = settings.data.as_deref().ok_or_else(words::no_data)?;
        let runtime = Runtime::new().map_err(|error| format!("no threads can be had: {error}"))?;
        let key = relay_key(data).map_err(|error| words::key(data, &error))?;
        let store = SqliteStore::open(data).map_err(|error| words::store(data, &error))?;
        runtime.block_on(async {
            let relay = Relay::spawn(config, key, store)
                .await
                .map_err(|error| words::spawn(data, &error))?;
            let invites: Vec<Invite> = iter::once(relay.invite())
                .chain(relay.public_invite())
                .collect();
            // Without the note, only `sotto-relay invite` has nothing to show.
            if let Err(error) = note_invites(data, &invites) {
                tracing::warn!(%error, "the invites were not noted in the folder");
            }
            // Scripts may stop the relay as soon as they have read the lines.
            let signal = listen_for_signal();
            let renewals = renew_when_asked(&relay);
            announce(&relay, &invites)
                .map_err(|error| format!("cannot write the invite: {error}"))?;
            notify::tell(State::Ready);
            tokio::select! {
                () = signal => {}
                () = renewals => {}
            }
            notify::tell(State::Stopping);
            tracing::info!("draining");
            relay.shutdown().await;
            Ok(())
        })
    }
}

/// The lines that scripts rely on, written at once, since a script may close its end behind the one
/// that it wants; and for a person the invite as a picture.
fn announce(relay: &Relay, invites: &[Invite]) -> io::Result<()> {
    let mut text = format!("listening {}\n", relay.address());
    for invite in invites {
        text = format!("{text}invite {invite}\n");
    }
    if let Some(admin) = relay.admin_address() {
        text = format!("{text}admin {admin}\n");
    }
    let mut out = io::stdout().lock();
    if out.is_terminal() {
        text = format!("{text}\n{}\n", qr(&relay.invite()));
    }
    out.write_all(text.as_bytes())?;
    out.flush()
}

/// Has the certificate read again whenever the process is told to reload, from the call on. Without
/// a certificate, a hangup ends the process, as it ends others.
fn renew_when_asked(relay: &Relay) -> impl Future<Output = ()> {
    #[cfg(unix)]
    let hangups = {
        use tokio::signal::unix::{SignalKind, signal};
        relay
            .public_invite()
            .and_then(|_| signal(SignalKind::hangup()).ok())
    };
    async move {
        #[cfg(unix)]
        if let Some(mut hangups) = hangups {
            while hangups.recv().await.is_some() {
                relay.renew_certificate();
            }
        }
        std::future::pending::<()>().await;
    }
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
