//! Who is behind a handle, and whether that changed.

use sotto_crypto::PublicIdentity;
use sotto_net::wire::{DeviceKey, Entry, NAME_BYTES_MAX, WATCHED_MAX, WatchPresence};

use super::chat::{BundleState, Chat};
use super::effects::{Change, ChatRecord};
use super::{CHATS_MAX, Core, Moment};
use crate::planted;
use crate::view::{ChatId, Standing};

impl Core {
    /// A line of the directory. An identity that does not decode is passed over: the relay cannot
    /// vouch for what it cannot read.
    pub(super) fn take_entry(&mut self, entry: &Entry, now: Moment) {
        let is_long = |name: &str| name.len() > NAME_BYTES_MAX;
        if entry.handle == self.person.handle || is_long(&entry.handle) || is_long(&entry.name) {
            return;
        }
        let identity = match &entry.identity {
            None => None,
            Some(bytes) => match PublicIdentity::decode(bytes) {
                Ok(identity) => Some(identity),
                Err(_) => return,
            },
        };
        // Nobody talks to oneself under another name, and an identity that is known under a handle
        // keeps it: a second name makes no second chat, and lifts no block.
        let is_told_already = identity.as_ref().is_some_and(|identity| {
            let known = self.named_chat_with(identity);
            known.is_some_and(|chat| chat.handle.as_deref() != Some(&*entry.handle))
                || identity.device_id() == self.identity.public().device_id()
        });
        if is_told_already {
            return;
        }
        let Some(chat_id) = self.chat_named(&entry.handle, &entry.name) else {
            return;
        };
        if let Some(identity) = identity {
            self.meet(chat_id, identity, now);
        }
    }

    /// The chat with this identity, if it has a handle.
    fn named_chat_with(&self, identity: &PublicIdentity) -> Option<&Chat> {
        let device = identity.device_id();
        self.chats
            .values()
            .find(|chat| chat.handle.is_some() && chat.is_with(&device))
    }

    /// The chat with this handle, made if there is none; `None` when there are too many already.
    fn chat_named(&mut self, handle: &str, name: &str) -> Option<ChatId> {
        let known = self
            .chats
            .values_mut()
            .find(|chat| chat.handle.as_deref() == Some(handle));
        if let Some(chat) = known {
            let id = chat.id;
            if chat.name != name {
                name.clone_into(&mut chat.name);
                self.commit_chat(id);
            }
            return Some(id);
        }
        if self.chats.len() >= CHATS_MAX {
            return None;
        }
        let id = self.next_chat_id();
        let record = ChatRecord::named(id, handle, name, Standing::Known);
        let chat = Chat::from_record(record, self.identity.public());
        self.chats.insert(id, chat);
        self.commit_chat(id);
        Some(id)
    }

    /// The relay says that this identity is behind the chat's handle.
    fn meet(&mut self, chat_id: ChatId, identity: PublicIdentity, now: Moment) {
        let own = self.identity.public();
        let Some(chat) = self.chats.get_mut(&chat_id) else {
            return;
        };
        match &chat.identity {
            None => {
                chat.identity = Some(identity);
                chat.compare_with(own);
                self.commit_chat(chat_id);
                self.merge_unnamed(chat_id, now);
                self.watch_presence();
            }
            Some(known) if *known == identity => {
                if chat.pending.take().is_some() {
                    chat.compare_with(own);
                    self.commit_chat(chat_id);
                }
            }
            Some(_) if planted::is("key_change_taken_over") => {
                chat.identity = Some(identity);
                chat.compare_with(own);
                self.commit_chat(chat_id);
            }
            Some(_) if chat.pending.as_ref() == Some(&identity) => {}
            Some(_) => {
                chat.pending = Some(identity);
                chat.compare_with(own);
                self.effects.changed_peers.push(chat_id);
                self.commit_chat(chat_id);
            }
        }
        if let Some(chat) = self.chats.get_mut(&chat_id)
            && chat.bundle != BundleState::Asked
        {
            chat.bundle = BundleState::Idle;
        }
        self.advance(chat_id, now);
    }

    /// A chat that was opened by a first message, before its author had a name here, becomes part
    /// of the chat with that identity.
    pub(super) fn merge_unnamed(&mut self, into: ChatId, now: Moment) {
        let Some(device) = self
            .chats
            .get(&into)
            .and_then(|chat| Some(chat.identity.as_ref()?.device_id()))
        else {
            return;
        };
        let unnamed = self
            .chats
            .values()
            .find(|chat| chat.handle.is_none() && chat.id != into && chat.is_with(&device))
            .map(|chat| chat.id);
        let Some(from) = unnamed.and_then(|id| self.chats.remove(&id)) else {
            return;
        };
        self.effects.commit.push(Change::MergeChat {
            from: from.id,
            into,
        });
        if let Some(chat) = self.chats.get_mut(&into) {
            chat.absorb(from);
        }
        self.commit_chat(into);
        self.send_delivery_receipts(now);
    }

    /// Asks the relay to tell which contacts come and go. It learns of nobody else that they are of
    /// interest.
    pub(super) fn watch_presence(&mut self) {
        if !self.is_settled() {
            return;
        }
        let devices = self
            .chats
            .values()
            .filter(|chat| chat.standing == Standing::Contact && !chat.is_blocked)
            .filter_map(|chat| Some(DeviceKey(chat.identity.as_ref()?.device_key())))
            .take(WATCHED_MAX)
            .collect();
        self.effects.send.push(WatchPresence { devices }.into());
    }
}
