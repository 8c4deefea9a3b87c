//! What a chat says about the assistant: who forbids a cloud, and what is told of its use.

use super::content::{MessageId, Shown};
use super::{Core, Moment};
use crate::view::{AssistantRules, ChatId, Note, Standing};

impl Core {
    /// Whether texts of this chat may go to a cloud: one side that forbids it is enough.
    pub(crate) fn allows_cloud(&self, chat: ChatId) -> bool {
        let chat = self.chats.get(&chat);
        chat.is_some_and(|chat| chat.assistant.allows_cloud())
    }

    /// The peer is told, in the chat and in the order of the messages.
    pub(super) fn forbid_cloud(&mut self, chat: ChatId, forbids_cloud: bool, now: Moment) {
        let change = |rules: &mut AssistantRules| rules.forbids_cloud = forbids_cloud;
        if self.change_rules(chat, change) {
            let is_forbidden = forbids_cloud;
            self.tell(chat, &Note::Cloud { is_forbidden }, now);
        }
    }

    pub(super) fn peer_forbids_cloud(&mut self, chat: ChatId, is_forbidden: bool) {
        self.change_rules(chat, |rules| rules.peer_forbids_cloud = is_forbidden);
    }

    pub(super) fn trust_here(&mut self, chat: ChatId, is_trusted: bool) {
        self.change_rules(chat, |rules| rules.trusts_here = is_trusted);
    }

    fn change_rules(&mut self, chat: ChatId, change: impl FnOnce(&mut AssistantRules)) -> bool {
        let Some(rules) = self.chats.get_mut(&chat).map(|chat| &mut chat.assistant) else {
            return false;
        };
        let before = *rules;
        change(rules);
        let is_changed = *rules != before;
        if is_changed {
            self.commit_chat(chat);
        }
        is_changed
    }

    /// Strangers are told nothing.
    pub(super) fn tell(&mut self, chat_id: ChatId, note: &Note, now: Moment) {
        let chat = self.chats.get(&chat_id);
        if chat.is_some_and(|chat| chat.standing == Standing::Contact && !chat.is_blocked) {
            let id = MessageId(self.random_id());
            self.send_shown(chat_id, Shown::note(id, now.unix_millis, note), now);
        }
    }
}
