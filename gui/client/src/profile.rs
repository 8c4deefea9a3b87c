//! The life of one profile: closed, opening or being made, locked, in use.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use sotto_crypto::{Argon2Cost, Identity};
use sotto_net::Invite;
use tokio::sync::{mpsc, watch};
use zeroize::Zeroize as _;

use crate::client::Person;
use crate::command::{Command, Passphrase};
use crate::core::effects::ChatRecord;
use crate::engine::{Engine, Exit};
use crate::environment::Environment;
use crate::event::Teller;
use crate::publisher::Publisher;
use crate::question::{AskError, Request};
use crate::vault::{self, Folder, Found, KeyringEntry, LockedVault, Vault, VaultError};
use crate::view::{
    ChatId, CreationStep, KeyringUse, Privacy, ProfileId, ProfileProblem, ProfileState,
    ProfileView, RelayState, Standing,
};

/// One profile and everything that it works with.
pub(crate) struct Profile {
    pub(crate) path: PathBuf,
    pub(crate) person: Person,
    /// The other people of this computer: a new profile starts with chats with them.
    pub(crate) others: Vec<Person>,
    pub(crate) opens_at_start: bool,
    /// Protects the vault if one is made; empty for none. Wiped once there is a vault.
    pub(crate) new_passphrase: Passphrase,
    pub(crate) requests: mpsc::Receiver<Request>,
    pub(crate) relay: watch::Receiver<Option<Invite>>,
    pub(crate) shutdown: watch::Receiver<bool>,
    pub(crate) publisher: Arc<Publisher>,
    pub(crate) teller: Teller,
    pub(crate) passphrase_cost: Argon2Cost,
    /// After how long without a command the vault is locked.
    pub(crate) lock_after: Option<Duration>,
    pub(crate) environment: Environment,
}

/// Where a profile's life stands.
enum Stage {
    /// Waits until it is asked to open.
    Waiting(ProfileState),
    /// Looks into the folder.
    Finding,
    Creating(Folder),
    /// Waits for the key from the keyring.
    AskingKeyring(LockedVault, KeyringEntry),
    Locked(LockedVault, bool),
    Open(Box<Vault>),
    End,
}

impl Profile {
    /// Lives until shutdown.
    pub(crate) async fn run(mut self) {
        let mut stage = if self.opens_at_start {
            Stage::Finding
        } else {
            Stage::Waiting(ProfileState::Closed)
        };
        loop {
            stage = match stage {
                Stage::Waiting(state) => self.wait(state).await,
                Stage::Finding => self.find(),
                Stage::Creating(folder) => self.create(folder),
                Stage::AskingKeyring(vault, entry) => self.ask_keyring(vault, entry).await,
                Stage::Locked(vault, wrong) => self.unlock(vault, wrong).await,
                Stage::Open(vault) => self.use_vault(*vault).await,
                Stage::End => return,
            };
            if *self.shutdown.borrow() {
                return;
            }
        }
    }

    fn show(&self, state: ProfileState) {
        self.publisher.publish(ProfileView {
            state,
            ..closed_view(&self.person)
        });
    }

    fn show_locked(&self, vault: &LockedVault, wrong: bool, checking: bool) {
        self.publisher.publish(ProfileView {
            state: ProfileState::Locked { wrong, checking },
            has_passphrase: vault.has_passphrase(),
            keyring: match vault.keyring_entry() {
                Some(_) => KeyringUse::Yes,
                None => KeyringUse::No,
            },
            has_recovery_code: vault.has_recovery_code(),
            ..closed_view(&self.person)
        });
    }

    /// The next command; `None` at shutdown. Questions have no answer while there is no vault.
    async fn command(&mut self) -> Option<Command> {
        loop {
            let request = tokio::select! {
                biased;
                _ = self.shutdown.changed() => None,
                request = self.requests.recv() => request,
            };
            match request? {
                Request::Wish(Command::LockAfter(idle)) => self.lock_after = idle,
                Request::Wish(command) => return Some(command),
                Request::Question(question) => question.refuse(AskError::NotOpen),
            }
        }
    }

    async fn wait(&mut self, state: ProfileState) -> Stage {
        self.show(state);
        loop {
            match self.command().await {
                None => return Stage::End,
                Some(Command::Open) => return Stage::Finding,
                Some(_) => {}
            }
        }
    }

    fn find(&mut self) -> Stage {
        self.show(ProfileState::Opening);
        let found = vault::find(&self.path);
        if !matches!(found, Ok(Found::Nothing(_)) | Err(_)) {
            self.new_passphrase.zeroize();
        }
        match found {
            Ok(Found::Nothing(folder)) => Stage::Creating(folder),
            Ok(Found::Locked(vault)) => match vault.keyring_entry() {
                Some(entry) => Stage::AskingKeyring(vault, entry),
                None => Stage::Locked(vault, false),
            },
            Ok(Found::Open(vault)) => Stage::Open(Box::new(vault)),
            Err(error) => Stage::Waiting(problem_state(&error)),
        }
    }

    fn create(&mut self, folder: Folder) -> Stage {
        self.show(ProfileState::Creating(CreationStep::Keys));
        let mut rng = self.environment.rng();
        let Ok(identity) = Identity::generate(&mut rng) else {
            return Stage::Waiting(ProfileState::Failed(ProfileProblem::Unreadable));
        };
        self.show(ProfileState::Creating(CreationStep::Vault));
        let chats: Vec<ChatRecord> = self
            .others
            .iter()
            .zip(1..)
            .map(|(other, id)| {
                ChatRecord::named(ChatId(id), &other.handle, &other.name, Standing::Contact)
            })
            .collect();
        let passphrase = &*self.new_passphrase;
        let protection = (!passphrase.is_empty()).then_some((&**passphrase, self.passphrase_cost));
        let name = &self.person.name;
        match Vault::create(folder, &identity, name, &chats, protection, &mut rng) {
            Ok(vault) => {
                self.new_passphrase.zeroize();
                Stage::Open(Box::new(vault))
            }
            Err(error) => Stage::Waiting(problem_state(&error)),
        }
    }

    async fn ask_keyring(&mut self, vault: LockedVault, entry: KeyringEntry) -> Stage {
        let key = tokio::select! {
            biased;
            _ = self.shutdown.changed() => return Stage::End,
            key = entry.read() => key,
        };
        let Ok(key) = key else {
            return Stage::Locked(vault, false);
        };
        match vault.unlock_with(&key) {
            Ok(vault) => Stage::Open(Box::new(vault)),
            // Not the key of this vault.
            Err((_, Some(vault))) => Stage::Locked(vault, false),
            Err((error, None)) => Stage::Waiting(problem_state(&error)),
        }
    }

    async fn unlock(&mut self, vault: LockedVault, wrong: bool) -> Stage {
        self.show_locked(&vault, wrong, false);
        let secret = loop {
            match self.command().await {
                None => return Stage::End,
                Some(Command::Unlock(secret)) => break secret,
                // The keyring may be open by now.
                Some(Command::Open) if vault.keyring_entry().is_some() => return Stage::Finding,
                Some(_) => {}
            }
        };
        self.show_locked(&vault, wrong, true);
        match vault.unlock(&secret) {
            Ok(vault) => Stage::Open(Box::new(vault)),
            Err((VaultError::WrongSecret, Some(vault))) => Stage::Locked(vault, true),
            Err((error, _)) => Stage::Waiting(problem_state(&error)),
        }
    }

    async fn use_vault(&mut self, vault: Vault) -> Stage {
        let exit = match Engine::new(vault, self) {
            Ok(engine) => engine.run().await,
            Err(error) => Exit::Failed(error),
        };
        match exit {
            Exit::Locked => Stage::Finding,
            Exit::Shutdown => Stage::End,
            Exit::Failed(error) => {
                tracing::warn!(%error, "a vault failed");
                Stage::Waiting(problem_state(&error))
            }
        }
    }
}

/// A profile that was not opened.
pub(crate) fn closed_view(person: &Person) -> ProfileView {
    ProfileView {
        id: ProfileId::new(&person.handle),
        name: person.name.clone(),
        state: ProfileState::Closed,
        relay: RelayState::Offline(None),
        unread: 0,
        has_passphrase: false,
        keyring: KeyringUse::No,
        privacy: Privacy::default(),
        has_recovery_code: false,
        chats: Vec::new(),
        timeline: None,
        contact_link: None,
        addition: None,
        comparison: None,
        text: None,
        search: None,
        job: None,
        assistant: Arc::default(),
        notice: None,
    }
}

fn problem_state(error: &VaultError) -> ProfileState {
    ProfileState::Failed(match error {
        VaultError::OpenElsewhere => return ProfileState::OpenElsewhere,
        VaultError::Full => ProfileProblem::DiskFull,
        VaultError::Newer => ProfileProblem::Newer,
        VaultError::KeyMissing => ProfileProblem::KeyMissing,
        VaultError::Damaged => ProfileProblem::Damaged,
        VaultError::Unreadable | VaultError::WrongSecret => ProfileProblem::Unreadable,
    })
}
