//! Who is a contact: strangers who write are kept apart, and learn nothing, until they are accepted.

use super::chat::Chat;
use super::effects::Change;
use super::{Core, Moment};
use crate::view::{ChatId, REQUEST_MESSAGES_MAX, REQUESTS_MAX, Standing};

impl Core {
    /// Whether there is such a chat, and its peer is not blocked.
    pub(super) fn is_open(&self, chat: ChatId) -> bool {
        self.chats.get(&chat).is_some_and(|chat| !chat.is_blocked)
    }

    /// Takes the peer of a chat as a contact: they are told what has come, and that we are there.
    pub(super) fn accept_request(&mut self, chat_id: ChatId, now: Moment) {
        let Some(chat) = self.chats.get_mut(&chat_id) else {
            return;
        };
        if chat.standing == Standing::Contact || chat.is_blocked {
            return;
        }
        chat.standing = Standing::Contact;
        chat.received = chat.unread.iter().map(|(_, id)| *id).collect();
        self.commit_chat(chat_id);
        self.watch_presence();
        self.send_delivery_receipts(now);
    }

    /// Deletes what a stranger wrote, and blocks them. The sessions stay: what comes later is
    /// opened and dropped, neither reported as broken nor taken for a new request.
    pub(super) fn refuse_request(&mut self, chat_id: ChatId) {
        let Some(chat) = self.chats.get_mut(&chat_id) else {
            return;
        };
        if chat.standing != Standing::Request {
            return;
        }
        chat.is_blocked = true;
        chat.forget_messages();
        let removed = Change::RemoveMessages { chat: chat_id };
        self.effects.commit.push(removed);
        self.commit_chat(chat_id);
    }

    /// Whether a message that has come for this chat is kept. The first message of somebody whose
    /// name was known before makes a request of them.
    pub(super) fn may_hold(&mut self, chat_id: ChatId) -> bool {
        let has_room = self.has_room_for_request();
        let Some(chat) = self.chats.get_mut(&chat_id) else {
            return false;
        };
        match chat.standing {
            Standing::Contact => true,
            Standing::Known if has_room => {
                chat.standing = Standing::Request;
                self.commit_chat(chat_id);
                true
            }
            Standing::Known => false,
            Standing::Request => chat.unread.len() < REQUEST_MESSAGES_MAX,
        }
    }

    /// Whether one more stranger may wait.
    pub(super) fn has_room_for_request(&self) -> bool {
        let waits = |chat: &&Chat| chat.standing == Standing::Request && !chat.is_blocked;
        self.chats.values().filter(waits).count() < REQUESTS_MAX
    }
}
