//! Who is not heard: blocked identities, and chats that make no noise.

use std::time::Duration;

use super::{Core, Moment};
use crate::view::{ChatId, Standing};

impl Core {
    /// From now on, what this identity sends is opened, so that its sessions stay in step and it
    /// can come back, and dropped before anything is stored. It hears nothing either.
    pub(super) fn block(&mut self, chat_id: ChatId) {
        let Some(chat) = self.chats.get_mut(&chat_id) else {
            return;
        };
        if chat.is_blocked {
            return;
        }
        chat.is_blocked = true;
        chat.is_online = false;
        self.commit_chat(chat_id);
        self.watch_presence();
    }

    /// Undoes a block. Who was refused is a stranger again, who may ask once more.
    pub(super) fn unblock(&mut self, chat_id: ChatId, now: Moment) {
        let Some(chat) = self.chats.get_mut(&chat_id) else {
            return;
        };
        if !chat.is_blocked {
            return;
        }
        chat.is_blocked = false;
        if chat.standing == Standing::Request && chat.last.is_none() {
            chat.standing = Standing::Known;
        }
        self.commit_chat(chat_id);
        self.watch_presence();
        self.advance(chat_id, now);
    }

    pub(super) fn mute(&mut self, chat_id: ChatId, span: Option<Duration>, now: Moment) {
        let until = span.map_or(i64::MAX, |span| {
            let millis = i64::try_from(span.as_millis()).unwrap_or(i64::MAX);
            now.unix_millis.saturating_add(millis)
        });
        self.set_muted(chat_id, Some(until));
    }

    pub(super) fn set_muted(&mut self, chat_id: ChatId, until_millis: Option<i64>) {
        if let Some(chat) = self.chats.get_mut(&chat_id)
            && chat.muted_until_millis != until_millis
        {
            chat.muted_until_millis = until_millis;
            self.commit_chat(chat_id);
        }
    }

    /// When the next chat makes noise again, in milliseconds since 1970.
    pub(super) fn unmute_at_millis(&self) -> Option<i64> {
        let muted = self.chats.values();
        let ends = muted.filter_map(|chat| chat.muted_until_millis);
        ends.filter(|until| *until != i64::MAX).min()
    }

    /// Lets chats make noise again whose time has come.
    pub(super) fn end_mutes(&mut self, now: Moment) {
        let is_over = |until: &i64| *until != i64::MAX && *until <= now.unix_millis;
        let over: Vec<ChatId> = self
            .chats
            .values()
            .filter(|chat| chat.muted_until_millis.as_ref().is_some_and(is_over))
            .map(|chat| chat.id)
            .collect();
        for chat in over {
            self.set_muted(chat, None);
        }
    }
}
