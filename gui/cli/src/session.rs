//! An open identity: found in the data folder, unlocked, and connected if that is wished.

use std::path::{Path, PathBuf};
use std::time::Duration;

use sotto_client::view::{KeyringUse, ProfileId, ProfileState, ProfileView};
use sotto_client::{
    Answer, Argon2Cost, AskError, Client, Command, Config, Entry, Environment, OpenAtStart, Person,
    Query, identities,
};
use sotto_net::Invite;
use tokio::sync::watch;

use crate::failure::{self, Failure};
use crate::options::Common;
use crate::{passphrase, words};

/// A client, and news that its snapshot changed.
pub(crate) struct Host {
    pub(crate) client: Client,
    pub(crate) relay: Option<Invite>,
    changed: watch::Receiver<()>,
    /// Keeps the client's relay what it is.
    _relay: watch::Sender<Option<Invite>>,
}

/// One open identity.
pub(crate) struct Session {
    pub(crate) host: Host,
    pub(crate) id: ProfileId,
}

/// Whether the relay is needed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Network {
    /// What is on the disk is enough.
    Unused,
    /// There must be one.
    Needed,
    /// Used if one is known.
    Optional,
}

/// The folder of all data.
pub(crate) fn data_dir(common: &Common) -> Result<PathBuf, Failure> {
    match &common.data_dir {
        Some(dir) => Ok(dir.clone()),
        None => directories::ProjectDirs::from("", "", "sotto")
            .map(|dirs| dirs.data_dir().to_owned())
            .ok_or_else(|| Failure::Usage(words::no_home())),
    }
}

/// The handles that are there.
pub(crate) fn handles(data_dir: &Path) -> Result<Vec<String>, Failure> {
    identities::list(data_dir).map_err(|error| words::identity(data_dir, "", &error))
}

/// The identity that is meant.
pub(crate) fn chosen(common: &Common, data_dir: &Path) -> Result<String, Failure> {
    let handles = handles(data_dir)?;
    match &common.identity {
        Some(name) if handles.contains(name) => Ok(name.clone()),
        Some(name) => Err(Failure::Usage(words::no_identity(name, &handles))),
        None => match handles.as_slice() {
            [only] => Ok(only.clone()),
            [] => Err(Failure::Usage(words::no_identities(data_dir))),
            _ => Err(Failure::Usage(words::several_identities(&handles))),
        },
    }
}

/// How the relay is reached: as the options say, or as the app's own relay on this computer has
/// noted.
pub(crate) fn relay(common: &Common, data_dir: &Path) -> Result<Option<Invite>, Failure> {
    if let Some(invite) = &common.relay {
        return Ok(Some(invite.clone()));
    }
    let path = data_dir.join("relay").join("invite");
    match std::fs::read_to_string(&path) {
        Ok(text) => match text.parse() {
            Ok(invite) => Ok(Some(invite)),
            Err(error) => Err(Failure::Usage(words::bad_invite_file(&path, &error))),
        },
        Err(_) => Ok(None),
    }
}

impl Host {
    /// Starts a client with these identities.
    pub(crate) fn start(
        data_dir: &Path,
        people: Vec<Person>,
        relay: Option<Invite>,
    ) -> Result<Self, Failure> {
        let (sender, receiver) = watch::channel(relay.clone());
        let (wake, changed) = watch::channel(());
        let config = Config {
            data_dir: data_dir.to_owned(),
            people,
            open: OpenAtStart::All,
            relay: receiver,
            passphrase_cost: Argon2Cost::DEFAULT,
            environment: Environment::system(),
        };
        let client = Client::start(&config, move || {
            wake.send_replace(());
        });
        Ok(Self {
            client: client.map_err(|error| Failure::Failed(words::no_room(&error)))?,
            relay,
            changed,
            _relay: sender,
        })
    }

    /// Waits until `look` sees something in an identity's view.
    pub(crate) async fn wait<T>(
        &self,
        id: &ProfileId,
        mut look: impl FnMut(&ProfileView) -> Option<T>,
    ) -> Result<T, Failure> {
        let mut changed = self.changed.clone();
        loop {
            changed.mark_unchanged();
            let model = self.client.snapshot();
            let found = model.profile(id).and_then(|view| look(view));
            if let Some(found) = found {
                return Ok(found);
            }
            if changed.changed().await.is_err() {
                return Err(words::ask(id.as_str(), "", AskError::Ended));
            }
        }
    }

    /// Waits until an identity is open or cannot be, or needs a passphrase.
    pub(crate) async fn settle(&self, id: &ProfileId) -> Result<ProfileState, Failure> {
        self.wait(id, |view| match &view.state {
            ProfileState::Closed
            | ProfileState::Opening
            | ProfileState::Creating(_)
            | ProfileState::Locked { checking: true, .. } => None,
            state => Some(state.clone()),
        })
        .await
    }

    /// Looks for messages, stretch by stretch, until there are enough.
    pub(crate) async fn search(
        &self,
        id: &ProfileId,
        query: &Query,
        limit: usize,
    ) -> Result<Vec<Entry>, AskError> {
        let (mut entries, mut before) = (Vec::new(), None);
        loop {
            let left = limit - entries.len();
            let found = self.client.search(id, query.clone(), before, left).await?;
            entries.extend(found.entries);
            before = found.next;
            if before.is_none() || entries.len() >= limit {
                return Ok(entries);
            }
        }
    }

    /// Tries a passphrase on a locked identity.
    pub(crate) async fn unlock(
        &self,
        id: &ProfileId,
        passphrase: sotto_client::Passphrase,
    ) -> Result<ProfileState, Failure> {
        let sent = self.client.send(id, Command::Unlock(passphrase));
        sent.map_err(|_| words::ask(id.as_str(), "", AskError::Ended))?;
        // Until it was looked at, the state is that of before.
        self.wait(id, |view| match &view.state {
            ProfileState::Locked {
                checking: false,
                wrong: false,
            }
            | ProfileState::Locked { checking: true, .. }
            | ProfileState::Opening => None,
            state => Some(state.clone()),
        })
        .await
    }
}

impl Session {
    /// Opens the identity that the options name.
    pub(crate) async fn open(common: &Common, network: Network) -> Result<Self, Failure> {
        let data_dir = data_dir(common)?;
        let handle = chosen(common, &data_dir)?;
        let relay = match network {
            Network::Unused => None,
            Network::Optional | Network::Needed => relay(common, &data_dir)?,
        };
        if network == Network::Needed && relay.is_none() {
            return Err(Failure::Usage(words::no_relay()));
        }
        let id = ProfileId::new(&handle);
        let host = Host::start(&data_dir, vec![identities::person(&handle)], relay)?;
        let mut state = host.settle(&id).await?;
        if matches!(state, ProfileState::Locked { .. }) {
            let keyring = host.client.snapshot().profile(&id).map(|view| view.keyring);
            if keyring == Some(KeyringUse::Yes) {
                failure::say(&words::keyring_silent(&handle));
            }
            let passphrase = passphrase::ask(common, &handle)?;
            state = host.unlock(&id, passphrase).await?;
        }
        match state {
            ProfileState::Ready => Ok(Self { host, id }),
            state => Err(words::state(&handle, &state)),
        }
    }

    /// The handle.
    pub(crate) fn handle(&self) -> &str {
        self.id.as_str()
    }

    /// An answer of the client, or what is said instead; `about` is the peer that was asked about.
    pub(crate) async fn ask<T>(&self, answer: Answer<T>, about: &str) -> Result<T, Failure> {
        let answer = answer.await;
        answer.map_err(|error| words::ask(self.handle(), about, error))
    }
}

/// What comes of something, if it does in time and before a signal.
pub(crate) async fn in_time<T>(
    secs: u32,
    signal: impl Future<Output = ()>,
    what: impl Future<Output = T>,
) -> Option<T> {
    let limit = Duration::from_secs(secs.into());
    tokio::select! {
        () = signal => None,
        done = tokio::time::timeout(limit, what) => done.ok(),
    }
}
