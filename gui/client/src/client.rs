//! Starts the profiles' threads, carries commands to them, and ends them.

use std::collections::HashMap;
use std::fmt;
use std::future::Future;
use std::io;
use std::path::PathBuf;
use std::pin::Pin;
use std::sync::Arc;
use std::thread::{self, JoinHandle};

use sotto_crypto::{Argon2Cost, RecoveryCode};
use sotto_net::Invite;
use sotto_net::people::WELL_KNOWN;
use thiserror::Error;
use tokio::sync::{mpsc, oneshot, watch};

use crate::command::{Command, Passphrase};
use crate::environment::Environment;
use crate::event::{Events, Teller};
use crate::identities::{self, IdentityError};
use crate::profile::{Profile, closed_view};
use crate::publisher::{Publisher, Wake};
use crate::query::Query;
use crate::question::{AskError, Entry, Found, Question, Reply, Request, Sent};
use crate::view::{ChatRow, MessageId, MessageKey, ProfileId, ViewModel};

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

/// Resolves to the answer to a question. It borrows nothing; whoever drops it no longer waits.
pub type Answer<T> = Pin<Box<dyn Future<Output = Result<T, AskError>> + Send>>;

/// What a profile does until the client ends, to be polled by one thread.
pub type Life = Pin<Box<dyn Future<Output = ()>>>;

/// All identities of one computer, each with its vault, its connection and its thread.
///
/// Dropping it ends all of them and waits for their threads; everything acknowledged is durable
/// already.
pub struct Client {
    config: Config,
    publisher: Arc<Publisher>,
    teller: Teller,
    profiles: HashMap<ProfileId, Running>,
}

/// An identity that is being closed. Whoever drops it does not wait.
#[derive(Debug)]
#[must_use = "its folder is free only after `wait`"]
pub struct Closing(Option<JoinHandle<()>>);

impl Closing {
    /// Waits until the identity's folder is free. A passphrase that is being checked, or a key that
    /// is being made, takes its seconds: not for a thread that draws. A life that the caller polls
    /// is not waited for.
    pub fn wait(self) {
        if let Some(thread) = self.0
            && thread.join().is_err()
        {
            tracing::error!("a profile's thread panicked");
        }
    }
}

/// A profile that lives on its thread, or wherever its life is polled.
struct Running {
    person: Person,
    requests: mpsc::Sender<Request>,
    shutdown: watch::Sender<bool>,
    thread: Option<JoinHandle<()>>,
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
        let mut client = Self::new(config, wake);
        for (profile, mut running) in client.profiles_at_start() {
            running.thread = Some(live_on_thread(profile)?);
            client.keep(running);
        }
        Ok(client)
    }

    /// As [`Client::start`] without threads: the profiles are what polls their lives, in the
    /// current tokio runtime or another one with time.
    pub fn start_here(
        config: &Config,
        wake: impl Fn() + Send + Sync + 'static,
    ) -> (Self, Vec<Life>) {
        let mut client = Self::new(config, wake);
        let mut lives: Vec<Life> = Vec::new();
        for (profile, running) in client.profiles_at_start() {
            lives.push(Box::pin(profile.run()));
            client.keep(running);
        }
        (client, lives)
    }

    /// A client that shows its identities, and has none that lives.
    fn new(config: &Config, wake: impl Fn() + Send + Sync + 'static) -> Self {
        if identities::tidy(&config.data_dir).is_err() {
            tracing::warn!("what is left of an identity could not be removed");
        }
        let wake: Wake = Box::new(wake);
        let client = Self {
            config: config.clone(),
            publisher: Arc::new(Publisher::new(wake)),
            teller: Teller::new(),
            profiles: HashMap::new(),
        };
        for person in &config.people {
            client.publisher.add(closed_view(person));
        }
        client
    }

    fn profiles_at_start(&self) -> Vec<(Profile, Running)> {
        let people = &self.config.people;
        let profile = |person: &Person| {
            let opens = match &self.config.open {
                OpenAtStart::All => true,
                OpenAtStart::Only(only) => *only == ProfileId::new(&person.handle),
            };
            self.profile(person, people, opens)
        };
        people.iter().map(profile).collect()
    }

    fn keep(&mut self, running: Running) {
        let id = ProfileId::new(&running.person.handle);
        self.profiles.insert(id, running);
    }

    /// Adds an identity while the client runs, and makes it if there is none with this handle on
    /// the disk. It starts with chats with the others.
    ///
    /// # Errors
    /// When its handle or name is none or taken, or there is no room for it.
    pub fn add(&mut self, person: &Person) -> Result<(), IdentityError> {
        self.create(person, Passphrase::default())
    }

    /// As [`Client::add`]; if the identity is made, this passphrase protects it, unless it is
    /// empty.
    ///
    /// # Errors
    /// As [`Client::add`].
    pub fn create(&mut self, person: &Person, passphrase: Passphrase) -> Result<(), IdentityError> {
        let model = self.snapshot();
        let others = model.profiles.iter().map(|profile| Person {
            handle: profile.id.as_str().to_owned(),
            name: profile.name.clone(),
        });
        let others: Vec<Person> = others.collect();
        let taken: Vec<&str> = others.iter().map(|other| &*other.handle).collect();
        identities::check(person, &taken)?;
        self.publisher.add(closed_view(person));
        let (mut profile, mut running) = self.profile(person, &others, true);
        profile.new_passphrase = passphrase;
        let Ok(thread) = live_on_thread(profile) else {
            self.publisher.remove(&ProfileId::new(&person.handle));
            return Err(IdentityError::Thread);
        };
        running.thread = Some(thread);
        self.keep(running);
        Ok(())
    }

    /// Closes an identity and forgets it in this client, without waiting for its thread. Nothing is
    /// deleted. Before it is added again, or deleted, [`Closing::wait`] has to return.
    pub fn remove(&mut self, profile: &ProfileId) -> Closing {
        let running = self.profiles.remove(profile);
        self.publisher.remove(profile);
        Closing(running.and_then(|running| {
            running.shutdown.send_replace(true);
            running.thread
        }))
    }

    /// A new recovery code, for [`Command::SetRecoveryCode`].
    pub fn recovery_code(&self) -> RecoveryCode {
        RecoveryCode::generate(&mut self.config.environment.rng())
    }

    /// A profile, and what leads to it.
    fn profile(&self, person: &Person, people: &[Person], opens: bool) -> (Profile, Running) {
        let config = &self.config;
        let (requests, receiver) = mpsc::channel(COMMANDS_MAX);
        let (shutdown, shutdown_receiver) = watch::channel(false);
        let profile = Profile {
            path: identities::folder(&config.data_dir, &person.handle),
            others: people
                .iter()
                .filter(|other| *other != person)
                .cloned()
                .collect(),
            opens_at_start: opens,
            person: person.clone(),
            new_passphrase: Passphrase::default(),
            requests: receiver,
            relay: config.relay.clone(),
            shutdown: shutdown_receiver,
            publisher: Arc::clone(&self.publisher),
            teller: self.teller.clone(),
            passphrase_cost: config.passphrase_cost,
            lock_after: None,
            environment: config.environment.clone(),
        };
        let running = Running {
            person: person.clone(),
            requests,
            shutdown,
            thread: None,
        };
        (profile, running)
    }

    /// Hands a command over without waiting.
    ///
    /// # Errors
    /// [`Busy`] when the profile does not take it; try again later.
    pub fn send(&self, profile: &ProfileId, command: Command) -> Result<(), Busy> {
        let Some(running) = self.profiles.get(profile) else {
            return Err(Busy(command));
        };
        match running.requests.try_reserve() {
            Ok(room) => {
                room.send(Request::Wish(command));
                Ok(())
            }
            Err(_) => Err(Busy(command)),
        }
    }

    /// What is to be seen now.
    pub fn snapshot(&self) -> Arc<ViewModel> {
        self.publisher.snapshot()
    }

    /// What happens in all profiles from now on.
    pub fn subscribe(&self) -> Events {
        self.teller.subscribe()
    }

    /// Carries a command out; the answer comes when it is durable. Unlike [`Client::send`], what
    /// the disk does not take now is given up.
    ///
    /// The answers of one profile come in the order in which their futures were first polled.
    pub fn perform(&self, profile: &ProfileId, command: Command) -> Answer<()> {
        self.ask(profile, |reply| Question::Perform { command, reply })
    }

    /// Sends a text of at most [`TEXT_BYTES_MAX`](crate::view::TEXT_BYTES_MAX) bytes; the answer
    /// comes when it is durable here. How it comes on is told by [`Client::subscribe`].
    pub fn send_text(&self, profile: &ProfileId, to: &str, text: String) -> Answer<Sent> {
        let to = to.to_owned();
        self.ask(profile, |reply| Question::Send { to, text, reply })
    }

    /// Answers when somebody is known by this name. The relay is asked about those who are not
    /// known here, as soon as there is a connection: until then there is no answer.
    pub fn find(&self, profile: &ProfileId, peer: &str) -> Answer<()> {
        let peer = peer.to_owned();
        self.ask(profile, |reply| Question::Find { peer, reply })
    }

    /// Answers when everything that waited at the relay is stored here, and it has answered
    /// everything that it was asked and sent; without a connection there is no answer.
    pub fn catch_up(&self, profile: &ProfileId) -> Answer<()> {
        self.ask(profile, |reply| Question::CatchUp { reply })
    }

    /// All chats, the most recent first.
    pub fn contacts(&self, profile: &ProfileId) -> Answer<Vec<ChatRow>> {
        self.ask(profile, |reply| Question::Contacts { reply })
    }

    /// A chat's messages before the one with this id, or its newest ones; oldest first, at most
    /// [`ENTRIES_MAX`](crate::ENTRIES_MAX).
    pub fn history(
        &self,
        profile: &ProfileId,
        peer: &str,
        before: Option<MessageId>,
        limit: usize,
    ) -> Answer<Vec<Entry>> {
        let peer = peer.to_owned();
        self.ask(profile, |reply| Question::History {
            peer,
            before,
            limit,
            reply,
        })
    }

    /// Messages after this one that nobody has read yet, oldest first, at most
    /// [`ENTRIES_MAX`](crate::ENTRIES_MAX). What strangers wrote is not among them before their
    /// request was accepted.
    pub fn unread(
        &self,
        profile: &ProfileId,
        after: MessageKey,
        limit: usize,
    ) -> Answer<Vec<Entry>> {
        self.ask(profile, |reply| Question::Unread {
            after,
            limit,
            reply,
        })
    }

    /// A stretch of a search in all chats, newest first, at most
    /// [`ENTRIES_MAX`](crate::ENTRIES_MAX) messages and perhaps none although there are more.
    pub fn search(
        &self,
        profile: &ProfileId,
        query: Query,
        before: Option<MessageKey>,
        limit: usize,
    ) -> Answer<Found> {
        self.ask(profile, |reply| Question::Search {
            query,
            before,
            limit,
            reply,
        })
    }

    /// One message as it is now.
    pub fn message(&self, profile: &ProfileId, key: MessageKey) -> Answer<Entry> {
        self.ask(profile, |reply| Question::Message { key, reply })
    }

    fn ask<T: Send + 'static>(
        &self,
        profile: &ProfileId,
        question: impl FnOnce(Reply<T>) -> Question,
    ) -> Answer<T> {
        let (reply, answer) = oneshot::channel();
        let request = Request::Question(question(reply));
        let requests = self
            .profiles
            .get(profile)
            .map(|running| running.requests.clone());
        Box::pin(async move {
            let requests = requests.ok_or(AskError::NoProfile)?;
            // A full queue holds the asker up, and nobody else.
            requests.send(request).await.map_err(|_| AskError::Ended)?;
            answer.await.map_err(|_| AskError::Ended)?
        })
    }
}

/// All sockets and timers of a profile live on its own thread, so that a slow disk or a passphrase
/// being checked holds up nobody else.
fn live_on_thread(profile: Profile) -> io::Result<JoinHandle<()>> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    thread::Builder::new()
        .name(format!("profile-{}", profile.person.handle))
        .spawn(move || runtime.block_on(profile.run()))
}

impl Drop for Client {
    fn drop(&mut self) {
        for running in self.profiles.values() {
            running.shutdown.send_replace(true);
        }
        for (_, running) in self.profiles.drain() {
            Closing(running.thread).wait();
        }
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client")
            .field("profiles", &self.profiles.len())
            .finish_non_exhaustive()
    }
}
