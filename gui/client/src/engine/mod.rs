//! The loop of one open profile: await an input, step the core, commit, send, show.

mod answers;
mod assistant;
mod job;
mod screen;
mod search;
mod uplink;

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use rand::rngs::StdRng;
use tokio::time::{Instant, sleep_until};

use self::answers::Waiting;
use self::assistant::Assistant;
use self::job::Work;
use self::screen::Screen;
use self::search::Search;
use self::uplink::{LinkEvent, Uplink};
use crate::command::Command;
use crate::core::content::Answered;
use crate::core::effects::Change;
use crate::core::{Action, Core, Input};
use crate::planted;
use crate::profile::Profile;
use crate::question::Request;
use crate::vault::{Committed, KeyringMove, Vault, VaultError};
use crate::view::{
    ChatId, KeyringUse, MessageKey, Note, Notice, ProfileView, RelayProblem, RelayState,
};

/// Snapshots are published at most this often.
const FRAME: Duration = Duration::from_millis(16);
/// What could not be stored is tried again after this.
const STORE_RETRY: Duration = Duration::from_secs(2);
/// Wishes that may wait for a disk that takes nothing; further ones stay with the sender.
const UNSTORED_MAX: usize = 64;

/// Why an engine ended.
pub(crate) enum Exit {
    /// The person locked the profile.
    Locked,
    /// The program ends.
    Shutdown,
    /// The vault can no longer be read.
    Failed(VaultError),
}

/// An open profile.
pub(crate) struct Engine<'a> {
    profile: &'a mut Profile,
    vault: Vault,
    identity: Arc<sotto_crypto::Identity>,
    core: Core,
    uplink: Uplink,
    screen: Screen,
    search: Option<Search>,
    /// The whole text of a message that the person reads.
    text: Option<(MessageKey, Arc<str>)>,
    work: Option<Work>,
    assistant: Assistant,
    /// The key is on its way into the keyring.
    keyring: Option<KeyringMove>,
    waiting: Waiting,
    /// Wishes that wait for a disk that takes them, oldest first.
    unstored: VecDeque<Action>,
    store_at: Option<Instant>,
    /// When to lock, unless a command comes.
    lock_at: Option<Instant>,
    /// The notice that the disk takes nothing is up.
    is_store_failing: bool,
    rng: StdRng,
}

enum Event {
    Shutdown,
    Publish,
    Request(Request),
    RelayChanged,
    Link(LinkEvent),
    Timer,
    StoreAgain,
    /// Nothing else is to be done.
    SearchOn,
    /// A backup or an export has come further.
    Work,
    /// A model has said something; this is what a peer is to be told of it.
    Assistant(Option<(ChatId, Note)>),
    /// The keyring has taken the key, or has not.
    Keyring {
        is_stored: bool,
    },
    /// Nobody has been there for long.
    Lock,
}

impl<'a> Engine<'a> {
    /// An engine over an open vault.
    pub(crate) fn new(vault: Vault, profile: &'a mut Profile) -> Result<Self, VaultError> {
        let environment = profile.environment.clone();
        let identity = Arc::new(vault.identity()?);
        let core = Core::new(
            Arc::clone(&identity),
            profile.person.clone(),
            vault.load()?,
            environment.rng(),
        );
        let mut uplink = Uplink::new(environment.clone(), Arc::clone(&identity));
        uplink.retarget(profile.relay.borrow_and_update().is_some());
        Ok(Self {
            screen: Screen::default(),
            search: None,
            text: None,
            work: None,
            assistant: Assistant::new(&vault)?,
            keyring: None,
            waiting: Waiting::default(),
            rng: environment.rng(),
            profile,
            vault,
            identity,
            core,
            uplink,
            unstored: VecDeque::new(),
            store_at: None,
            lock_at: None,
            is_store_failing: false,
        })
    }

    /// Runs until the profile is locked or the program ends.
    pub(crate) async fn run(mut self) -> Exit {
        self.screen.touch();
        self.somebody_is_there();
        let exit = loop {
            let handled = match self.next_event().await {
                Event::Shutdown => break Exit::Shutdown,
                Event::Publish => self.publish(),
                Event::Lock | Event::Request(Request::Wish(Command::Lock))
                    if self.vault.locks() =>
                {
                    break Exit::Locked;
                }
                // Its key lies beside it: there is nothing to lock until the next command.
                Event::Lock => {
                    self.lock_at = None;
                    Ok(())
                }
                Event::Request(request) => {
                    // A message that comes into an open chat is marked read by nobody's hand.
                    if !matches!(request, Request::Wish(Command::MarkRead { .. })) {
                        self.somebody_is_there();
                    }
                    match request {
                        Request::Wish(command) => self.command(command),
                        Request::Question(question) => self.question(question),
                    }
                }
                Event::RelayChanged => {
                    let is_known = self.profile.relay.borrow_and_update().is_some();
                    self.uplink.retarget(is_known);
                    self.perform(Input::LinkDown)
                }
                Event::Link(event) => self.link_event(event),
                Event::Timer => self.perform(Input::Timer),
                Event::StoreAgain => self.store_again(),
                Event::SearchOn => self.search_on(),
                Event::Work => {
                    self.screen.touch();
                    // What became of it is there to be seen for as long as anything.
                    self.somebody_is_there();
                    Ok(())
                }
                Event::Assistant(told) => self.assistant_changed(told),
                Event::Keyring { is_stored } => {
                    self.keyring_answered(is_stored);
                    Ok(())
                }
            };
            if let Err(error) = handled {
                break Exit::Failed(error);
            }
        };
        self.profile.person = self.core.person().clone();
        self.uplink.close().await;
        // It reads the vault, whose folder somebody else may use from now on.
        if let Some(work) = self.work.take() {
            work.end().await;
        }
        exit
    }

    async fn next_event(&mut self) -> Event {
        let now = Instant::now();
        let timer = self.core.wake_at_millis().map(|at| {
            let wait = at - self.profile.environment.now().unix_millis;
            now + Duration::from_millis(u64::try_from(wait).unwrap_or(0))
        });
        let takes_commands = self.unstored.len() < UNSTORED_MAX;
        let is_idle = self.unstored.is_empty() && !self.is_working();
        let is_searching = self.search.as_ref().is_some_and(Search::is_running);
        tokio::select! {
            biased;
            _ = self.profile.shutdown.changed() => Event::Shutdown,
            () = at(self.screen.due_at()) => Event::Publish,
            request = self.profile.requests.recv(), if takes_commands => {
                request.map_or(Event::Shutdown, Event::Request)
            }
            changed = self.profile.relay.changed() => match changed {
                Ok(()) => Event::RelayChanged,
                // Whoever names the relay is gone: the program is about to end.
                Err(_) => Event::Shutdown,
            },
            () = job::changed(&mut self.work) => Event::Work,
            told = self.assistant.changed() => Event::Assistant(told),
            is_stored = is_stored(&mut self.keyring) => Event::Keyring { is_stored },
            () = at(self.lock_at), if is_idle => Event::Lock,
            () = at(self.store_at) => Event::StoreAgain,
            () = at(timer) => Event::Timer,
            event = self.uplink.event(!self.core.is_inbox_stalled()) => Event::Link(event),
            () = std::future::ready(()), if is_searching => Event::SearchOn,
        }
    }

    fn command(&mut self, command: Command) -> Result<(), VaultError> {
        match self.action(command)? {
            Some(action) => self.wish(action),
            None => Ok(()),
        }
    }

    /// What a command means for the core; `None` when it does not concern it, and is done.
    fn action(&mut self, command: Command) -> Result<Option<Action>, VaultError> {
        Ok(Some(match command {
            Command::SendText {
                chat,
                text,
                answers,
            } => Action::SendText {
                chat,
                text,
                answered: self.answered(chat, answers)?,
            },
            Command::Type(chat) => Action::Type(chat),
            Command::SetPrivacy(privacy) => Action::SetPrivacy(privacy),
            Command::SaveDraft { chat, text } => Action::SaveDraft { chat, text },
            Command::MarkRead { chat, up_to } => Action::MarkRead { chat, up_to },
            Command::Retry(key) => match self.vault.message(key)? {
                Some(message) => Action::Retry(message),
                None => return Ok(None),
            },
            Command::AddContact { who } => Action::AddContact {
                who,
                relay: self.profile.relay.borrow().clone(),
            },
            Command::CompareCode { chat, code } => Action::CompareCode {
                chat,
                code,
                undelivered: self.vault.undelivered(chat)?,
            },
            Command::SetVerified {
                chat,
                safety_number,
                matches,
            } => Action::SetVerified {
                chat,
                seen: safety_number,
                matches,
                undelivered: self.vault.undelivered(chat)?,
            },
            Command::AcceptIdentity {
                chat,
                safety_number,
            } => Action::AcceptIdentity {
                chat,
                seen: safety_number,
                undelivered: self.vault.undelivered(chat)?,
            },
            Command::AcceptRequest(chat) => Action::AcceptRequest(chat),
            Command::RefuseRequest(chat) => Action::RefuseRequest(chat),
            Command::Block(chat) => Action::Block(chat),
            Command::Unblock(chat) => Action::Unblock(chat),
            Command::Mute { chat, span } => Action::Mute { chat, span },
            Command::Unmute(chat) => Action::Unmute(chat),
            Command::ForbidCloud { chat, is_forbidden } => {
                Action::ForbidCloud { chat, is_forbidden }
            }
            Command::TrustHere { chat, is_trusted } => Action::TrustHere { chat, is_trusted },
            Command::DismissNotice => Action::DismissNotice,
            Command::Rename(name) => Action::Rename(name),
            Command::Open
            | Command::Unlock(_)
            | Command::Lock
            | Command::LockAfter(_)
            | Command::SetPassphrase { .. }
            | Command::SetRecoveryCode { .. }
            | Command::UseKeyring { .. }
            | Command::ShowChat { .. }
            | Command::ShowText(_)
            | Command::BackUp { .. }
            | Command::Export { .. }
            | Command::EndJob
            | Command::UseProvider(_)
            | Command::SetProviderKey { .. }
            | Command::TellUse(_)
            | Command::FindModels(_)
            | Command::GatherMessages(_)
            | Command::Assist { .. }
            | Command::EndAssist
            | Command::Search(_)
            | Command::SearchOlder
            | Command::EndSearch => {
                self.carry_out(command)?;
                return Ok(None);
            }
        }))
    }

    /// Carries out a command that does not concern the core.
    fn carry_out(&mut self, command: Command) -> Result<(), VaultError> {
        match command {
            Command::LockAfter(idle) => {
                self.profile.lock_after = idle;
                self.somebody_is_there();
            }
            Command::SetPassphrase { current, new } => {
                self.keyring = None;
                let cost = self.profile.passphrase_cost;
                let rng = &mut self.rng;
                let set = self.vault.set_passphrase(&current, &new, cost, rng);
                self.secret_set(set, Notice::PassphraseSet);
            }
            Command::SetRecoveryCode { current, new } => {
                self.keyring = None;
                let rng = &mut self.rng;
                let set = self.vault.set_recovery_code(&current, new.as_ref(), rng);
                self.secret_set(set, Notice::RecoveryCodeSet);
            }
            Command::UseKeyring { current } => {
                match self.vault.move_to_keyring(&current, &mut self.rng) {
                    Ok(prepared) => self.keyring = Some(prepared),
                    Err(error) => self.secret_set(Err(error), Notice::KeyringSet),
                }
                self.screen.touch();
            }
            Command::ShowChat { chat, around } => {
                self.screen.show(chat, around, self.core.first_unread(chat));
            }
            Command::BackUp { .. } | Command::Export { .. } | Command::EndJob => {
                self.job(command);
            }
            Command::UseProvider(_)
            | Command::SetProviderKey { .. }
            | Command::TellUse(_)
            | Command::FindModels(_)
            | Command::GatherMessages(_)
            | Command::Assist { .. }
            | Command::EndAssist => self.assistant(command)?,
            Command::Search(query) => {
                self.search = Some(Search::new(query));
            }
            Command::SearchOlder => {
                self.search.iter_mut().for_each(Search::go_on);
            }
            Command::EndSearch => {
                self.search = None;
                self.screen.touch();
            }
            Command::ShowText(key) => {
                self.text = match key {
                    Some(key) => self.whole_text(key)?,
                    None => None,
                };
                self.screen.touch();
            }
            // There is nothing to open, unlock or (with a key beside the vault) lock.
            _ => {}
        }
        Ok(())
    }

    /// The message of this chat that is answered.
    fn answered(
        &self,
        chat: ChatId,
        key: Option<MessageKey>,
    ) -> Result<Option<Answered>, VaultError> {
        let Some(key) = key else {
            return Ok(None);
        };
        let record = self.vault.message(key)?;
        let record = record.filter(|record| record.chat == chat);
        Ok(record.map(|record| Answered {
            is_own: record.is_mine,
            id: record.shown.id,
        }))
    }

    fn whole_text(&self, key: MessageKey) -> Result<Option<(MessageKey, Arc<str>)>, VaultError> {
        let record = self.vault.message(key)?;
        let text = record.as_ref().and_then(|record| record.shown.as_text());
        Ok(text.map(|text| (key, Arc::from(text))))
    }

    /// Carries out a wish of the person, or keeps it until the disk takes it.
    fn wish(&mut self, action: Action) -> Result<(), VaultError> {
        let is_kept = !matches!(
            action,
            Action::SaveDraft { .. } | Action::MarkRead { .. } | Action::Type(_)
        );
        if is_kept && !self.unstored.is_empty() {
            // Behind those that wait already, so that the order stays.
            self.unstored.push_back(action);
            return Ok(());
        }
        if self.try_perform(Input::Act(action.clone()))? == Stored::No && is_kept {
            self.unstored.push_back(action);
        }
        Ok(())
    }

    fn store_again(&mut self) -> Result<(), VaultError> {
        self.store_at = None;
        while let Some(action) = self.unstored.pop_front() {
            if self.try_perform(Input::Act(action.clone()))? == Stored::No {
                self.unstored.push_front(action);
                break;
            }
        }
        Ok(())
    }

    fn link_event(&mut self, event: LinkEvent) -> Result<(), VaultError> {
        match event {
            LinkEvent::Due => {
                let invite = self.profile.relay.borrow().clone();
                match invite {
                    Some(invite) => {
                        let cursor = self.core.cursor(invite.trust().id());
                        self.uplink.dial(invite, cursor);
                    }
                    None => self.uplink.retarget(false),
                }
                self.screen.touch();
                Ok(())
            }
            LinkEvent::Failed => {
                self.screen.touch();
                Ok(())
            }
            LinkEvent::Up(relay, welcome) => {
                self.set_caught_up(false);
                self.perform(Input::LinkUp { relay, welcome })?;
                self.ask_relay()
            }
            LinkEvent::Lost => {
                self.set_caught_up(false);
                self.perform(Input::LinkDown)
            }
            LinkEvent::Replies(replies) => self.perform(Input::Replies(replies)),
            LinkEvent::Deliveries(arrived) => {
                if !arrived.ephemerals.is_empty() {
                    self.perform(Input::Ephemerals(arrived.ephemerals))?;
                }
                let is_useful = !arrived.stored.is_empty();
                let stored = self.try_perform(Input::Deliveries(arrived.stored))?;
                if is_useful && stored == Stored::Yes {
                    self.uplink.is_useful();
                }
                if arrived.are_all && stored == Stored::Yes {
                    self.set_caught_up(true);
                }
                Ok(())
            }
            LinkEvent::Written => Ok(()),
        }
    }

    fn perform(&mut self, input: Input) -> Result<(), VaultError> {
        self.try_perform(input).map(|_| ())
    }

    /// Steps the core; commits, and only then sends and shows. When the commit fails, the core is
    /// what the vault says, and the relay is asked again for what was not acknowledged.
    fn try_perform(&mut self, input: Input) -> Result<Stored, VaultError> {
        let mut effects = self.core.step(input, self.profile.environment.now());
        if planted::is("cursor_before_messages") {
            let is_cursor = |change: &Change| matches!(change, Change::SetCursor { .. });
            let (cursor, rest) = effects.commit.into_iter().partition(is_cursor);
            effects.commit = rest;
            drop(self.vault.commit(&cursor));
        }
        let touches_messages = effects.commit.iter().any(Change::touches_messages);
        let unseals = effects.commit.iter().any(Change::unseals);
        let committed = if effects.commit.is_empty() {
            Ok(Committed::default())
        } else {
            self.vault.commit(&effects.commit)
        };
        if let Ok(Committed { effective, .. }) = &committed {
            self.tell(&effects.commit, effective, &effects.changed_peers)?;
            self.answer_finds(&effects.unknown_handles);
            self.answer_catch_ups();
        }
        match committed {
            Ok(Committed { is_repeated, .. }) if !is_repeated => {
                self.uplink.put(&effects.send);
                if !effects.commit.is_empty() && self.is_store_failing {
                    self.is_store_failing = false;
                    if self.core.notice() == Some(Notice::NotStored) {
                        self.core.set_notice(None);
                    }
                    self.screen.touch();
                }
                if effects.is_visible {
                    self.screen.touch();
                }
                if touches_messages {
                    self.screen.touch_messages();
                }
                if unseals {
                    let messages = self.vault.unsealed()?;
                    self.perform(Input::Act(Action::SealAgain(messages)))?;
                }
                Ok(Stored::Yes)
            }
            // A message came twice under one id. It is stored once; the core learns which.
            Ok(_) => {
                self.reload()?;
                Ok(Stored::Yes)
            }
            Err(error) => {
                tracing::warn!(%error, "the vault took nothing");
                self.reload()?;
                self.core.set_notice(Some(Notice::NotStored));
                self.is_store_failing = true;
                self.store_at = Some(Instant::now() + STORE_RETRY);
                Ok(Stored::No)
            }
        }
    }

    /// Starts again from what the vault holds.
    fn reload(&mut self) -> Result<(), VaultError> {
        let notice = self.core.notice();
        self.core = Core::new(
            Arc::clone(&self.identity),
            self.profile.person.clone(),
            self.vault.load()?,
            self.profile.environment.rng(),
        );
        self.core.set_notice(notice);
        if self.profile.relay.borrow().is_some() {
            self.uplink.drop_link();
        }
        self.screen.touch_messages();
        Ok(())
    }

    fn secret_set(&mut self, set: Result<(), VaultError>, done: Notice) {
        self.core.set_notice(Some(match set {
            Ok(()) => done,
            Err(VaultError::WrongSecret) => Notice::PassphraseWrong,
            Err(error) => {
                tracing::warn!(%error, "what opens the vault was not changed");
                Notice::NotStored
            }
        }));
        self.screen.touch();
    }

    fn keyring_answered(&mut self, is_stored: bool) {
        match self.keyring.take() {
            Some(prepared) if is_stored => {
                let set = self.vault.end_move(prepared);
                self.secret_set(set, Notice::KeyringSet);
            }
            _ => {
                self.core.set_notice(Some(Notice::KeyringRefused));
                self.screen.touch();
            }
        }
    }

    /// The time after which the vault is locked begins anew.
    fn somebody_is_there(&mut self) {
        self.lock_at = self.profile.lock_after.map(|idle| Instant::now() + idle);
    }

    fn search_on(&mut self) -> Result<(), VaultError> {
        if let Some(search) = &mut self.search {
            search.step(&self.vault)?;
            self.screen.touch();
        }
        Ok(())
    }

    fn publish(&mut self) -> Result<(), VaultError> {
        let relay = match self.uplink.relay_state() {
            RelayState::Connected if self.core.is_handle_taken() => {
                RelayState::Offline(Some(RelayProblem::HandleTaken))
            }
            state => state,
        };
        let view = self.screen.view(relay, &self.core, &self.vault)?;
        let relay = self.profile.relay.borrow().clone();
        self.profile.publisher.publish(ProfileView {
            contact_link: relay.map(|relay| self.core.contact_link(relay)),
            addition: self.core.addition().cloned(),
            comparison: self.core.comparison().cloned(),
            search: self.search.as_ref().map(Search::results),
            text: self.text.clone(),
            job: self.work.as_ref().map(Work::view),
            assistant: self.assistant.view(),
            has_recovery_code: self.vault.has_recovery_code(),
            keyring: match self.keyring {
                Some(_) => KeyringUse::Asked,
                None if self.vault.has_keyring() => KeyringUse::Yes,
                None => KeyringUse::No,
            },
            ..view
        });
        Ok(())
    }
}

#[derive(PartialEq, Eq)]
enum Stored {
    Yes,
    No,
}

/// Waits until the keyring has answered, or for ever.
async fn is_stored(keyring: &mut Option<KeyringMove>) -> bool {
    match keyring {
        Some(prepared) => prepared.is_stored().await,
        None => std::future::pending().await,
    }
}

/// Waits until then, or for ever.
async fn at(instant: Option<Instant>) {
    match instant {
        Some(instant) => sleep_until(instant).await,
        None => std::future::pending().await,
    }
}
