//! Contacts that the person adds by handle or link.

use sotto_crypto::{AccountId, IdentityError, PublicIdentity};
use sotto_net::Invite;
use sotto_net::people::is_handle;
use sotto_net::wire::{Entry, LookUp, Refusal};

use super::effects::Proof;
use super::relay::Request;
use super::{Core, Moment};
use crate::fingerprint::{ContactLink, TextError};
use crate::view::{Addition, AdditionProblem, AdditionState, ChatId};

/// Whom the relay is asked for.
pub(super) struct Wanted {
    handle: String,
    /// Who it must be, if a link says so.
    account: Option<AccountId>,
}

impl Wanted {
    /// From what was typed or pasted.
    fn read(text: &str, relay: Option<&Invite>) -> Result<Self, AdditionProblem> {
        let text = text.trim();
        if !text.contains(':') {
            let handle = text.strip_prefix('@').unwrap_or(text).to_lowercase();
            if !is_handle(&handle) {
                return Err(AdditionProblem::Malformed);
            }
            let account = None;
            return Ok(Self { handle, account });
        }
        let link: ContactLink = text.parse().map_err(|error| match error {
            TextError::Newer => AdditionProblem::Newer,
            TextError::Malformed => AdditionProblem::Malformed,
        })?;
        match relay {
            None => Err(AdditionProblem::Offline),
            Some(relay) if relay.trust() != link.relay.trust() => Err(AdditionProblem::OtherRelay),
            Some(_) => Ok(Self {
                handle: link.handle,
                account: Some(link.account),
            }),
        }
    }
}

impl Core {
    /// Asks the relay who it is. The answer to an earlier question is no longer awaited.
    pub(super) fn add_contact(&mut self, who: String, relay: Option<&Invite>) {
        let asked = Wanted::read(&who, relay).and_then(|wanted| match &mut self.link {
            None => Err(AdditionProblem::Offline),
            Some(link) => {
                let handle = wanted.handle.clone();
                let request = link.request(Request::Add(wanted));
                self.effects.send.push(LookUp { request, handle }.into());
                self.looking_up = Some(request);
                Ok(())
            }
        });
        let state = match asked {
            Ok(()) => AdditionState::LookingUp,
            Err(problem) => AdditionState::Failed(problem),
        };
        self.addition = Some(Addition { who, state });
        self.effects.is_visible = true;
    }

    /// The relay's answer.
    pub(super) fn found(&mut self, request: u32, wanted: &Wanted, entry: &Entry, now: Moment) {
        if self.looking_up == Some(request) {
            let added = self.add(wanted, entry, now);
            self.settle_addition(added);
        }
    }

    /// The relay has no answer.
    pub(super) fn not_found(&mut self, request: u32, reason: Refusal) {
        if self.looking_up == Some(request) {
            self.settle_addition(Err(match reason {
                Refusal::HandleUnknown => AdditionProblem::Unknown,
                _ => AdditionProblem::Later,
            }));
        }
    }

    /// The connection is gone, and the answer with it.
    pub(super) fn give_up_addition(&mut self) {
        if self.looking_up.is_some() {
            self.settle_addition(Err(AdditionProblem::Offline));
        }
    }

    fn settle_addition(&mut self, added: Result<ChatId, AdditionProblem>) {
        self.looking_up = None;
        if let Some(addition) = &mut self.addition {
            addition.state = match added {
                Ok(chat) => AdditionState::Added(chat),
                Err(problem) => AdditionState::Failed(problem),
            };
        }
        self.effects.is_visible = true;
    }

    fn add(
        &mut self,
        wanted: &Wanted,
        entry: &Entry,
        now: Moment,
    ) -> Result<ChatId, AdditionProblem> {
        if entry.handle != wanted.handle {
            return Err(AdditionProblem::Unknown);
        }
        let bytes = entry.identity.as_ref().ok_or(AdditionProblem::NotJoined)?;
        let identity = PublicIdentity::decode(bytes).map_err(|error| match error {
            IdentityError::Newer { .. } => AdditionProblem::Newer,
            _ => AdditionProblem::WrongIdentity,
        })?;
        let account = identity.account_id();
        if wanted.account.is_some_and(|wanted| wanted != account) {
            return Err(AdditionProblem::WrongIdentity);
        }
        if account == self.identity.public().account_id() {
            return Err(AdditionProblem::Oneself);
        }
        let device = identity.device_id();
        self.take_entry(entry, now);
        let chat = self
            .chats
            .values_mut()
            .filter(|chat| chat.handle.is_some())
            .find(|chat| chat.is_with(&device));
        // Either another identity is known under this handle, or there is no room.
        let Some(chat) = chat else {
            let is_known = self
                .chats
                .values()
                .any(|chat| chat.handle.as_deref() == Some(&*wanted.handle));
            return Err(if is_known {
                AdditionProblem::Changed
            } else {
                AdditionProblem::TooMany
            });
        };
        if chat.is_blocked {
            return Err(AdditionProblem::Blocked);
        }
        let id = chat.id;
        if wanted.account.is_some() && chat.proof == Proof::Nothing {
            chat.proof = Proof::Link;
            self.commit_chat(id);
        }
        self.accept_request(id, now);
        Ok(id)
    }
}
