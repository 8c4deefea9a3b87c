//! What scripts ask, answered from core and vault.

use super::screen::with_quote;
use super::{Engine, Stored};
use crate::command::Command;
use crate::core::effects::{Change, MessageRecord};
use crate::core::{Action, Input, message_view};
use crate::event::{Event, EventKind};
use crate::identities::is_name;
use crate::question::{AskError, ENTRIES_MAX, Entry, Found, Question, Reply, Sent, answer};
use crate::vault::VaultError;
use crate::view::{ChatId, MessageId, ProfileId, TEXT_BYTES_MAX};

/// Questions that may wait for the relay at the same time.
const WAITING_MAX: usize = 256;

/// Questions that wait for the relay.
#[derive(Default)]
pub(super) struct Waiting {
    /// For news of this handle.
    finds: Vec<(String, Reply<()>)>,
    /// Until the mailbox has been caught up with.
    catch_ups: Vec<Reply<()>>,
    /// It has, on this connection.
    is_caught_up: bool,
}

impl Waiting {
    /// Room for one more; who no longer waits makes it.
    fn has_room(&mut self) -> bool {
        self.finds.retain(|(_, reply)| !reply.is_closed());
        self.catch_ups.retain(|reply| !reply.is_closed());
        self.finds.len() + self.catch_ups.len() < WAITING_MAX
    }
}

impl Engine<'_> {
    pub(super) fn question(&mut self, question: Question) -> Result<(), VaultError> {
        match question {
            Question::Perform { command, reply } => answer(reply, self.perform_now(command)?),
            Question::Send { to, text, reply } => answer(reply, self.send_text(&to, text)?),
            Question::Find { peer, reply } => self.find(peer, reply)?,
            Question::CatchUp { reply } if self.waiting.has_room() => {
                self.waiting.catch_ups.push(reply);
                self.answer_catch_ups();
            }
            Question::CatchUp { reply } => answer(reply, Err(AskError::Unfit)),
            Question::Contacts { reply } => answer(reply, Ok(self.core.rows())),
            Question::History {
                peer,
                before,
                limit,
                reply,
            } => answer(reply, self.history(&peer, before, limit)?),
            Question::Unread {
                after,
                limit,
                reply,
            } => {
                let records = self.vault.unread(after, limit.min(ENTRIES_MAX))?;
                answer(reply, Ok(self.entries(&records)?));
            }
            Question::Search {
                query,
                before,
                limit,
                reply,
            } => {
                let page = self.vault.search(&query, before, limit.min(ENTRIES_MAX))?;
                let entries = page.hits.iter().map(|hit| self.entry(&hit.message));
                let entries = entries.collect::<Result<_, _>>()?;
                let next = page.next;
                answer(reply, Ok(Found { entries, next }));
            }
            Question::Message { key, reply } => {
                let record = self.vault.message(key)?;
                let entry = record.map(|record| self.entry(&record)).transpose()?;
                answer(reply, entry.ok_or(AskError::NoMessage));
            }
        }
        Ok(())
    }

    fn entry(&self, record: &MessageRecord) -> Result<Entry, VaultError> {
        Ok(Entry {
            id: record.shown.id,
            peer: self.core.peer(record.chat),
            chat: record.chat,
            message: with_quote(message_view(record), record, &self.vault)?,
        })
    }

    fn entries(&self, records: &[MessageRecord]) -> Result<Vec<Entry>, VaultError> {
        records.iter().map(|record| self.entry(record)).collect()
    }

    /// Carries a command out now or not at all.
    fn perform_now(&mut self, command: Command) -> Result<Result<(), AskError>, VaultError> {
        if let Command::Rename(name) = &command
            && !is_name(name)
        {
            return Ok(Err(AskError::Text));
        }
        let is_work = matches!(command, Command::BackUp { .. } | Command::Export { .. });
        if is_work && self.is_working() {
            return Ok(Err(AskError::Unfit));
        }
        match self.action(command)? {
            Some(action) => self.act_now(action),
            None => Ok(Ok(())),
        }
    }

    fn act_now(&mut self, action: Action) -> Result<Result<(), AskError>, VaultError> {
        // It would overtake what waits for the disk.
        if !self.unstored.is_empty() {
            return Ok(Err(AskError::NotStored));
        }
        Ok(match self.try_perform(Input::Act(action))? {
            Stored::Yes => Ok(()),
            Stored::No => Err(AskError::NotStored),
        })
    }

    fn send_text(&mut self, to: &str, text: String) -> Result<Result<Sent, AskError>, VaultError> {
        if text.is_empty() || text.len() > TEXT_BYTES_MAX {
            return Ok(Err(AskError::Text));
        }
        let Some(chat) = self.core.chat_of(to) else {
            return Ok(Err(AskError::NoPeer));
        };
        let key = self.core.next_key();
        if let Err(error) = self.act_now(Action::SendText {
            chat,
            text,
            answered: None,
        })? {
            return Ok(Err(error));
        }
        let record = self.vault.message(key)?;
        let id = record.map(|record| record.shown.id);
        Ok(id.map(|id| Sent { id, key }).ok_or(AskError::Unfit))
    }

    fn history(
        &self,
        peer: &str,
        before: Option<MessageId>,
        limit: usize,
    ) -> Result<Result<Vec<Entry>, AskError>, VaultError> {
        let Some(chat) = self.core.chat_of(peer) else {
            return Ok(Err(AskError::NoPeer));
        };
        let before = match before {
            None => None,
            Some(id) => match self.vault.place(chat, id)? {
                Some(key) => Some(key),
                None => return Ok(Err(AskError::NoMessage)),
            },
        };
        let records = self.vault.history(chat, before, limit.min(ENTRIES_MAX))?;
        Ok(Ok(self.entries(&records)?))
    }

    fn find(&mut self, peer: String, reply: Reply<()>) -> Result<(), VaultError> {
        if self.core.chat_of(&peer).is_some() {
            answer(reply, Ok(()));
            return Ok(());
        }
        let is_other = sotto_net::people::is_handle(&peer) && peer != self.core.person().handle;
        if !is_other {
            answer(reply, Err(AskError::NoPeer));
            return Ok(());
        }
        if !self.waiting.has_room() {
            answer(reply, Err(AskError::Unfit));
            return Ok(());
        }
        self.waiting.finds.push((peer.clone(), reply));
        self.perform(Input::Act(Action::LookUp(peer)))
    }

    /// A new connection: those who wait for the relay have it asked.
    pub(super) fn ask_relay(&mut self) -> Result<(), VaultError> {
        let handles = self.waiting.finds.iter().map(|(handle, _)| handle.clone());
        for handle in handles.collect::<Vec<_>>() {
            self.perform(Input::Act(Action::LookUp(handle)))?;
        }
        Ok(())
    }

    /// The relay's answers may be what somebody waits for.
    pub(super) fn answer_finds(&mut self, unknown: &[String]) {
        for (handle, reply) in std::mem::take(&mut self.waiting.finds) {
            if self.core.chat_of(&handle).is_some() {
                answer(reply, Ok(()));
            } else if unknown.contains(&handle) {
                answer(reply, Err(AskError::NoPeer));
            } else {
                self.waiting.finds.push((handle, reply));
            }
        }
    }

    /// The mailbox has been caught up with, or (false) the connection is gone or new.
    pub(super) fn set_caught_up(&mut self, is_caught_up: bool) {
        self.waiting.is_caught_up = is_caught_up;
        self.answer_catch_ups();
    }

    /// The relay's answer may be the last one that was waited for.
    pub(super) fn answer_catch_ups(&mut self) {
        if self.waiting.is_caught_up && self.core.is_answered() {
            for reply in self.waiting.catch_ups.drain(..) {
                answer(reply, Ok(()));
            }
        }
    }

    /// Tells listeners what a commit changed.
    pub(super) fn tell(
        &self,
        commit: &[Change],
        effective: &[usize],
        changed_peers: &[ChatId],
    ) -> Result<(), VaultError> {
        if !self.profile.teller.is_heard() {
            return Ok(());
        }
        for change in effective.iter().filter_map(|place| commit.get(*place)) {
            if let Some(kind) = self.event(change)? {
                self.tell_one(kind);
            }
        }
        for chat in changed_peers {
            let peer = self.core.peer(*chat);
            self.tell_one(EventKind::IdentityChanged { peer });
        }
        Ok(())
    }

    fn event(&self, change: &Change) -> Result<Option<EventKind>, VaultError> {
        Ok(match change {
            Change::AddMessage(record) => Some(EventKind::MessageStored(self.entry(record)?)),
            // What was stored is longer than the record.
            Change::AddWhole(record) => match self.vault.message(record.key)? {
                Some(record) => Some(EventKind::MessageStored(self.entry(&record)?)),
                None => None,
            },
            Change::Advance { chat, id, delivery } => Some(EventKind::DeliveryChanged {
                peer: self.core.peer(*chat),
                id: *id,
                delivery: *delivery,
            }),
            Change::AdvanceKey { key, delivery } | Change::SetDelivery { key, delivery } => {
                let record = self.vault.message(*key)?;
                record.map(|record| EventKind::DeliveryChanged {
                    peer: self.core.peer(record.chat),
                    id: record.shown.id,
                    delivery: *delivery,
                })
            }
            _ => None,
        })
    }

    fn tell_one(&self, kind: EventKind) {
        let profile = ProfileId::new(&self.core.person().handle);
        self.profile.teller.tell(Event { profile, kind });
    }
}
