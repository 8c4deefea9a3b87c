//! Starts the profiles' threads, carries commands to them, and ends them.

use std::collections::HashMap;
use std::fmt;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::thread::{self, JoinHandle};

use sotto_crypto::Argon2Cost;
use sotto_net::Invite;
use sotto_net::people::WELL_KNOWN;
use thiserror::Error;
use tokio::sync::{mpsc, watch};

use crate::command::Command;
use crate::environment::Environment;
use crate::profile::{Profile, closed_view};
use crate::publisher::{Publisher, Wake};
use crate::view::{ProfileId, ViewModel};

/// Commands that may wait for one profile; a person never gets there.
const COMMANDS_MAX: usize = 256;

/// An identity's names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Person {
    /// The handle, for example `alice`; also the name of the profile's folder.
    pub handle: String,
    /// The display name, for example `Alice`.
    pub name: String,
}

/// The four people that every relay knows unless told otherwise.
pub fn well_known_people() -> Vec<Person> {
    WELL_KNOWN
        .iter()
        .map(|(handle, name)| Person {
            handle: (*handle).to_owned(),
            name: (*name).to_owned(),
        })
        .collect()
}

/// Which profiles are opened without being asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OpenAtStart {
    /// All of them.
    All,
    /// This one; the others stay closed until [`Command::Open`].
    Only(ProfileId),
}

/// What a client needs to know.
#[derive(Debug, Clone)]
pub struct Config {
    /// Where profiles are kept: `<data_dir>/profiles/<handle>/`.
    pub data_dir: PathBuf,
    /// The identities on this computer, in the order of the rail.
    pub people: Vec<Person>,
    /// Which of them are opened at once.
    pub open: OpenAtStart,
    /// The relay; `None` until it is known. A change moves all connections.
    pub relay: watch::Receiver<Option<Invite>>,
    /// What a passphrase costs to try.
    pub passphrase_cost: Argon2Cost,
    /// Time, randomness and sockets.
    pub environment: Environment,
}

/// The client could not start.
#[derive(Debug, Error)]
#[error("no thread can be started")]
pub struct StartError(#[from] io::Error);

/// The command was not taken, and is given back: too many wait already, or there is no such
/// profile.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("the profile takes no commands now")]
pub struct Busy(pub Command);

/// All identities of one computer, each with its vault, its connection and its thread.
///
/// Dropping it ends all of them and waits for that; everything acknowledged is durable already.
pub struct Client {
    publisher: Arc<Publisher>,
    commands: HashMap<ProfileId, mpsc::Sender<Command>>,
    shutdown: watch::Sender<bool>,
    threads: Vec<JoinHandle<()>>,
}

impl Client {
    /// Starts all profiles. `wake` is called from other threads whenever the snapshot changed, at
    /// most every 16 ms for each profile.
    ///
    /// # Errors
    /// When the system gives no thread.
    pub fn start(
        config: &Config,
        wake: impl Fn() + Send + Sync + 'static,
    ) -> Result<Self, StartError> {
        let wake: Wake = Box::new(wake);
        let views = config.people.iter().map(closed_view).collect();
        let (shutdown, _) = watch::channel(false);
        let mut client = Self {
            publisher: Arc::new(Publisher::new(views, wake)),
            commands: HashMap::new(),
            shutdown,
            threads: Vec::new(),
        };
        for person in &config.people {
            client.start_profile(person, config)?;
        }
        Ok(client)
    }

    fn start_profile(&mut self, person: &Person, config: &Config) -> Result<(), StartError> {
        let id = ProfileId::new(&person.handle);
        let (sender, commands) = mpsc::channel(COMMANDS_MAX);
        let profile = Profile {
            path: config.data_dir.join("profiles").join(&person.handle),
            others: config
                .people
                .iter()
                .filter(|other| *other != person)
                .cloned()
                .collect(),
            opens_at_start: match &config.open {
                OpenAtStart::All => true,
                OpenAtStart::Only(only) => *only == id,
            },
            person: person.clone(),
            commands,
            relay: config.relay.clone(),
            shutdown: self.shutdown.subscribe(),
            publisher: Arc::clone(&self.publisher),
            passphrase_cost: config.passphrase_cost,
            environment: config.environment.clone(),
        };
        // All sockets and timers of a profile live on its own thread, so that a slow disk or a
        // passphrase being checked holds up nobody else.
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        let thread = thread::Builder::new()
            .name(format!("profile-{}", person.handle))
            .spawn(move || runtime.block_on(profile.run()))?;
        self.threads.push(thread);
        self.commands.insert(id, sender);
        Ok(())
    }

    /// Hands a command over without waiting.
    ///
    /// # Errors
    /// [`Busy`] when the profile does not take it; try again later.
    pub fn send(&self, profile: &ProfileId, command: Command) -> Result<(), Busy> {
        let Some(commands) = self.commands.get(profile) else {
            return Err(Busy(command));
        };
        commands
            .try_send(command)
            .map_err(|error| Busy(error.into_inner()))
    }

    /// What is to be seen now.
    pub fn snapshot(&self) -> Arc<ViewModel> {
        self.publisher.snapshot()
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        self.shutdown.send_replace(true);
        for thread in self.threads.drain(..) {
            if thread.join().is_err() {
                tracing::error!("a profile's thread panicked");
            }
        }
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client")
            .field("profiles", &self.commands.len())
            .finish_non_exhaustive()
    }
}
