//! The program: options, folders, the client, the relay on this computer, the window.

mod chooser;
mod relay_host;
mod settings;
mod terminal;
mod window;
mod worker;

use std::io::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Instant;

use clap::Parser;
use eframe::egui;
use sotto::{App, AppOptions, RelayInfo, RelayKind};
use sotto_client::view::ProfileId;
use sotto_client::{Argon2Cost, Client, Config, Environment, OpenAtStart, Person, identities};
use sotto_net::Invite;
use tokio::sync::watch;

use crate::relay_host::RelayHost;
use crate::settings::Settings;
use crate::window::Window;
use crate::worker::Worker;

/// Private chat that you host yourself.
///
/// Without options, Sotto runs a relay of its own on this computer and shows the identities that are
/// there, at first Alice, Bob, Charlie and Diana.
#[derive(Debug, Parser)]
#[command(version)]
struct Options {
    /// Keep identities, messages and the relay's data in this folder
    #[arg(long, value_name = "FOLDER", env = "SOTTO_DATA_DIR")]
    data_dir: Option<PathBuf>,

    /// Use the relay of this invite (sotto://…) instead of one on this computer
    #[arg(long, value_name = "INVITE")]
    relay: Option<Invite>,

    /// Open only this identity, for example alice; the others stay closed until they are chosen
    #[arg(long, value_name = "NAME")]
    identity: Option<String>,
}

/// The identity that is meant, if it is one of these.
fn find_identity(people: &[Person], name: &str) -> Result<ProfileId, String> {
    let handle = name.to_lowercase();
    if people.iter().any(|person| person.handle == handle) {
        return Ok(ProfileId::new(&handle));
    }
    let handles: Vec<_> = people.iter().map(|person| &*person.handle).collect();
    Err(terminal::unknown_identity(name, &handles))
}

fn main() -> ExitCode {
    let started = Instant::now();
    let options = Options::parse();
    tracing_subscriber::fmt()
        .with_writer(std::io::stderr)
        .with_env_filter(
            tracing_subscriber::EnvFilter::try_from_env("SOTTO_LOG")
                .unwrap_or_else(|_| tracing_subscriber::EnvFilter::new("off,sotto=warn")),
        )
        .init();
    match run(options, started) {
        Ok(()) => ExitCode::SUCCESS,
        Err(sentence) => {
            // Nothing is left to do when even standard error is gone.
            drop(writeln!(std::io::stderr(), "sotto: {sentence}"));
            ExitCode::FAILURE
        }
    }
}

fn run(options: Options, started: Instant) -> Result<(), String> {
    let data_dir = match options.data_dir {
        Some(dir) => dir,
        None => directories::ProjectDirs::from("", "", "sotto")
            .ok_or_else(terminal::no_home)?
            .data_dir()
            .to_owned(),
    };
    std::fs::create_dir_all(&data_dir)
        .map_err(|error| terminal::data_dir_unusable(&data_dir, &error))?;

    let settings = Settings::read(&data_dir);
    let people = identities::people(&data_dir, &settings.deleted)
        .map_err(|error| terminal::no_identities(&data_dir, &error))?;
    let active = match &options.identity {
        Some(name) => Some(find_identity(&people, name)?),
        None => None,
    };

    // The context exists before the window does, so that the identities are opened (or made)
    // while the window comes up.
    let context = egui::Context::default();
    let relay = match options.relay {
        Some(invite) => RelaySource::remote(&invite),
        None => RelaySource::host(&data_dir, &context)?,
    };
    let open = match &active {
        Some(id) => OpenAtStart::Only(id.clone()),
        None => OpenAtStart::All,
    };
    let config = Config {
        data_dir,
        people,
        open,
        relay: relay.invite.clone(),
        passphrase_cost: Argon2Cost::DEFAULT,
        environment: Environment::system(),
    };
    let waker = context.clone();
    let worker = Worker::start(&config, move || waker.request_repaint())
        .map_err(|error| terminal::cannot_start(&error))?;
    let waker = context.clone();
    let client = Client::start(&config, move || waker.request_repaint())
        .map_err(|error| terminal::cannot_start(&error))?;
    let look = AppOptions {
        active,
        system_fonts: true,
        theme: settings.theme,
        lock_after: settings.lock_after,
        zone: Some(jiff::tz::TimeZone::system()),
        documents: documents(),
    };
    let window = Window::new(worker, client, relay, settings, context.clone(), started);
    show(window, look, context)
}

/// Where people keep what they write; nothing if they have no home.
fn documents() -> PathBuf {
    let Some(folders) = directories::UserDirs::new() else {
        return PathBuf::new();
    };
    let documents = folders.document_dir().filter(|folder| folder.is_dir());
    documents.unwrap_or(folders.home_dir()).to_owned()
}

/// Shows the window until it is closed.
fn show(mut window: Window, look: AppOptions, context: egui::Context) -> Result<(), String> {
    let native = eframe::NativeOptions {
        viewport: egui::ViewportBuilder::default()
            .with_title("Sotto")
            .with_app_id("sotto")
            .with_inner_size([1100.0, 720.0])
            .with_min_inner_size([480.0, 420.0])
            .with_icon(icon()),
        // The app finds fonts for other scripts itself.
        system_font_fallback: false,
        ..Default::default()
    };
    let creator = move |creation: &eframe::CreationContext<'_>| {
        window.put_app(App::new(&creation.egui_ctx, look));
        Ok(Box::new(window) as Box<dyn eframe::App>)
    };
    eframe::run_native_ext("sotto", native, Some(context), Box::new(creator)).map_err(|error| {
        tracing::info!(%error, "no window");
        terminal::no_window(&error)
    })
}

/// Where the relay is, and what to tell about it.
struct RelaySource {
    invite: watch::Receiver<Option<Invite>>,
    info: watch::Receiver<RelayInfo>,
    /// Keeps the channels of a relay elsewhere open.
    _fixed: Option<(watch::Sender<Option<Invite>>, watch::Sender<RelayInfo>)>,
    _host: Option<RelayHost>,
}

impl RelaySource {
    fn remote(invite: &Invite) -> Self {
        let info = RelayInfo {
            kind: RelayKind::Remote,
            invite: Some(invite.to_string()),
        };
        let (invite_sender, invite) = watch::channel(Some(invite.clone()));
        let (info_sender, info) = watch::channel(info);
        Self {
            invite,
            info,
            _fixed: Some((invite_sender, info_sender)),
            _host: None,
        }
    }

    fn host(data_dir: &std::path::Path, context: &egui::Context) -> Result<Self, String> {
        let waker = context.clone();
        let host = RelayHost::start(data_dir, move || waker.request_repaint())
            .map_err(|error| terminal::cannot_start(&error))?;
        Ok(Self {
            invite: host.invite.clone(),
            info: host.info.clone(),
            _fixed: None,
            _host: Some(host),
        })
    }
}

fn icon() -> egui::IconData {
    // The shipped picture is known to be one; without it the window has no icon.
    eframe::icon_data::from_png_bytes(sotto::ICON_PNG).unwrap_or_default()
}
