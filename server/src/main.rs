//! The program `sotto-relay`.

use std::fmt::Write as _;
use std::io::{self, IsTerminal as _, Write as _};
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand};
use qrcode::{EcLevel, QrCode};
use sotto_net::Invite;
use sotto_relay::{
    KeyFileError, Relay, RelayConfig, SpawnError, SqliteStore, StoreError, relay_key,
};
use tokio::runtime::Runtime;

/// The port of a relay unless it is told otherwise.
const PORT: u16 = 4433;

/// A relay for Sotto: keeps sealed envelopes until they were delivered, and cannot open them.
#[derive(Debug, Parser)]
#[command(version)]
struct Options {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run the relay until Ctrl-C
    Serve(Serve),
}

#[derive(Debug, Args)]
struct Serve {
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

fn main() -> ExitCode {
    let options = Options::parse();
    tracing_subscriber::fmt()
        .with_writer(io::stderr)
        .with_env_filter(
            tracing_subscriber::EnvFilter::try_from_env("SOTTO_LOG")
                .unwrap_or_else(|_| tracing_subscriber::EnvFilter::new("off,sotto_relay=info")),
        )
        .init();
    let outcome = match options.command {
        Command::Serve(serve) => serve.run(),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(sentence) => {
            // Nothing is left to do when even standard error is gone.
            drop(writeln!(io::stderr(), "sotto-relay: {sentence}"));
            ExitCode::FAILURE
        }
    }
}

impl Serve {
    fn run(self) -> Result<(), String> {
        let runtime = Runtime::new().map_err(|error| format!("no threads can be had: {error}"))?;
        let key = relay_key(&self.data).map_err(|error| key_words(&self.data, &error))?;
        let store =
            SqliteStore::open(&self.data).map_err(|error| store_words(&self.data, &error))?;
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
                .map_err(|error| spawn_words(&error))?;
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

/// The invite as a QR code: two modules to a character, light on dark, with its quiet zone.
fn qr(invite: &Invite) -> String {
    const QUIET: i32 = 2;
    let Ok(code) = QrCode::with_error_correction_level(invite.to_string(), EcLevel::L) else {
        return String::new();
    };
    let width = i32::try_from(code.width()).unwrap_or(0);
    let is_light = |x: i32, y: i32| {
        let inside = (0..width).contains(&x) && (0..width).contains(&y);
        let at = |n: i32| usize::try_from(n).unwrap_or(0);
        !inside || code[(at(x), at(y))] == qrcode::Color::Light
    };
    let mut text = String::new();
    for y in (-QUIET..width + QUIET).step_by(2) {
        for x in -QUIET..width + QUIET {
            let character = match (is_light(x, y), is_light(x, y + 1)) {
                (true, true) => '█',
                (true, false) => '▀',
                (false, true) => '▄',
                (false, false) => ' ',
            };
            text.push(character);
        }
        if writeln!(text).is_err() {
            return String::new();
        }
    }
    text
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

fn key_words(data: &Path, error: &KeyFileError) -> String {
    match error {
        KeyFileError::Key(_) => format!(
            "the file relay.key in {} is no relay key. Put the right one back; without it, all \
             invites to this relay are void.",
            data.display()
        ),
        KeyFileError::File(error) => folder_words(data, error),
        _ => format!("{error}."),
    }
}

fn store_words(data: &Path, error: &StoreError) -> String {
    let data_dir = data.display();
    match error {
        StoreError::Folder(error) => folder_words(data, error),
        StoreError::InUse => {
            format!("another relay uses the folder {data_dir}. Stop it, or name another --data.")
        }
        StoreError::Newer { .. } => format!(
            "the mailboxes in {data_dir} were written by a newer version of this program. \
             Nothing was changed; use that version."
        ),
        StoreError::Damaged => format!(
            "relay.db in {data_dir} is damaged or not a relay's. Nothing was changed; put a \
             backup in its place, or move it away to start with empty mailboxes."
        ),
        other => format!("the mailboxes in {data_dir} cannot be used: {other}."),
    }
}

fn folder_words(data: &Path, error: &io::Error) -> String {
    let data = data.display();
    format!("the folder {data} cannot be used: {error}. Name another one with --data.")
}

fn spawn_words(error: &SpawnError) -> String {
    match error {
        SpawnError::AddressInUse(address) => format!(
            "another program uses {address}. Stop it, or choose another port with --listen."
        ),
        SpawnError::Listen(address, error) => {
            format!("cannot listen on {address}: {error}. Choose another one with --listen.")
        }
        SpawnError::PublicName(_) => {
            "--public-name is no host name. It looks like relay.example.org.".to_owned()
        }
        other => format!("the relay cannot start: {other}."),
    }
}
