//! What the person wishes.

use std::time::Duration;

use sotto_net::Invite;

use super::content::{Answered, MessageId, Shown};
use super::effects::{Change, MessageRecord};
use super::{Core, Moment};
use crate::identities::is_name;
use crate::view::{ChatId, Delivery, MessageKey, Note, Privacy, Standing, TEXT_BYTES_MAX};

/// A wish that concerns the core, with what it needs from the vault.
#[derive(Clone)]
pub(crate) enum Action {
    /// Send a text, perhaps in reply to another message of the chat.
    SendText {
        chat: ChatId,
        text: String,
        answered: Option<Answered>,
    },
    /// Something is being written in this chat.
    Type(ChatId),
    /// Keep what was typed so far.
    SaveDraft { chat: ChatId, text: String },
    /// The messages up to this one were seen.
    MarkRead { chat: ChatId, up_to: MessageKey },
    /// Send this failed message again.
    Retry(MessageRecord),
    /// Remember whether the safety number that was seen matches. Here and below, `undelivered` are
    /// the own messages that an identity which changed never confirmed, oldest first.
    SetVerified {
        chat: ChatId,
        seen: String,
        matches: bool,
        undelivered: Vec<MessageRecord>,
    },
    /// Go on with the changed identity whose safety number was seen.
    AcceptIdentity {
        chat: ChatId,
        seen: String,
        undelivered: Vec<MessageRecord>,
    },
    /// Compare what the peer shows.
    CompareCode {
        chat: ChatId,
        code: String,
        undelivered: Vec<MessageRecord>,
    },
    /// Add a contact by handle or link; `relay` is the one in use.
    AddContact { who: String, relay: Option<Invite> },
    /// Take somebody who has written unasked as a contact.
    AcceptRequest(ChatId),
    /// Delete what they wrote, and block them.
    RefuseRequest(ChatId),
    /// Hear nothing more of a peer.
    Block(ChatId),
    /// Hear of a peer again.
    Unblock(ChatId),
    /// Make no noise about unread messages, for so long or (`None`) for ever.
    Mute {
        chat: ChatId,
        span: Option<Duration>,
    },
    /// Make noise again.
    Unmute(ChatId),
    /// Let nothing of this chat go to a cloud, or (false) what the person chooses.
    ForbidCloud { chat: ChatId, is_forbidden: bool },
    /// Texts of this chat may go to a model on this computer without being shown first.
    TrustHere { chat: ChatId, is_trusted: bool },
    /// Tell the peer what was done.
    Tell { chat: ChatId, note: Note },
    /// What peers learn from now on.
    SetPrivacy(Privacy),
    /// Seal the own messages that the vault holds unsealed, oldest first.
    SealAgain(Vec<MessageRecord>),
    /// The notice was read.
    DismissNotice,
    /// Be called this from now on.
    Rename(String),
    /// Ask the relay who is behind a handle.
    LookUp(String),
}

impl Core {
    pub(super) fn act(&mut self, action: Action, now: Moment) {
        match action {
            Action::SendText {
                chat,
                text,
                answered,
            } => self.send_text(chat, text, answered, now),
            Action::Type(chat) => self.tell_typing(chat, now),
            Action::SetPrivacy(privacy) => self.set_privacy(privacy),
            Action::SaveDraft { chat, text } => self.save_draft(chat, text),
            Action::MarkRead { chat, up_to } => self.mark_read(chat, up_to, now),
            Action::Retry(message) => self.retry(&message, now),
            Action::SetVerified {
                chat,
                seen,
                matches,
                undelivered,
            } => self.set_verified(chat, &seen, matches, &undelivered, now),
            Action::AcceptIdentity {
                chat,
                seen,
                undelivered,
            } => self.accept_identity(chat, &seen, &undelivered, now),
            Action::CompareCode {
                chat,
                code,
                undelivered,
            } => self.compare_code(chat, code, &undelivered, now),
            Action::AddContact { who, relay } => self.add_contact(who, relay.as_ref()),
            Action::AcceptRequest(chat) => self.accept_request(chat, now),
            Action::RefuseRequest(chat) => self.refuse_request(chat),
            Action::Block(chat) => self.block(chat),
            Action::Unblock(chat) => self.unblock(chat, now),
            Action::Mute { chat, span } => self.mute(chat, span, now),
            Action::Unmute(chat) => self.set_muted(chat, None),
            Action::ForbidCloud { chat, is_forbidden } => {
                self.forbid_cloud(chat, is_forbidden, now);
            }
            Action::TrustHere { chat, is_trusted } => self.trust_here(chat, is_trusted),
            Action::Tell { chat, note } => self.tell(chat, &note, now),
            Action::SealAgain(messages) => {
                for message in &messages {
                    self.seal_again(message);
                }
                for message in &messages {
                    self.advance(message.chat, now);
                }
            }
            Action::DismissNotice => {
                if self.notice.take().is_none() {
                    self.told_set_back();
                }
                self.effects.is_visible = true;
            }
            Action::Rename(name) => self.rename(name),
            Action::LookUp(handle) => self.look_up(handle),
        }
    }

    fn rename(&mut self, name: String) {
        if is_name(&name) && self.person.name != name {
            self.effects.commit.push(Change::SetName(name.clone()));
            self.effects.is_visible = true;
            self.person.name = name;
            self.claim();
        }
    }

    fn set_privacy(&mut self, privacy: Privacy) {
        if self.privacy != privacy {
            self.privacy = privacy;
            self.effects.commit.push(Change::SetPrivacy(privacy));
            self.effects.is_visible = true;
        }
    }

    fn send_text(
        &mut self,
        chat_id: ChatId,
        text: String,
        answered: Option<Answered>,
        now: Moment,
    ) {
        if text.is_empty() || text.len() > TEXT_BYTES_MAX || !self.is_open(chat_id) {
            return;
        }
        self.accept_request(chat_id, now);
        if let Some(chat) = self.chats.get_mut(&chat_id) {
            chat.told_typing_at_millis = None;
            chat.draft.clear();
        }
        let id = MessageId(self.random_id());
        let shown = Shown::text(id, now.unix_millis, text, answered);
        self.send_shown(chat_id, shown, now);
    }

    /// Stores a message, and seals it as soon as that can be done.
    pub(super) fn send_shown(&mut self, chat_id: ChatId, shown: Shown, now: Moment) {
        let record = MessageRecord {
            key: self.take_key(),
            chat: chat_id,
            is_mine: true,
            shown,
            delivery: Delivery::Sending,
            is_unread: false,
            is_sealed: false,
        };
        self.effects.commit.push(Change::AddMessage(record.clone()));
        if let Some(chat) = self.chats.get_mut(&chat_id) {
            chat.set_last(&record);
            chat.waiting.push_back((record.key, record.shown));
        }
        self.commit_chat(chat_id);
        self.advance(chat_id, now);
    }

    fn save_draft(&mut self, chat_id: ChatId, text: String) {
        let Some(chat) = self.chats.get_mut(&chat_id) else {
            return;
        };
        if chat.draft != text {
            chat.draft = text;
            self.commit_chat(chat_id);
        }
    }

    fn mark_read(&mut self, chat_id: ChatId, up_to: MessageKey, now: Moment) {
        let Some(chat) = self.chats.get_mut(&chat_id) else {
            return;
        };
        if chat.standing == Standing::Request {
            // What is held is read when the request is accepted: until then nobody is told of it.
            return;
        }
        let seen = chat.unread.partition_point(|(key, _)| *key <= up_to);
        if seen == 0 {
            return;
        }
        let ids: Vec<MessageId> = chat.unread.drain(..seen).map(|(_, id)| id).collect();
        self.effects.commit.push(Change::SetRead {
            chat: chat_id,
            up_to,
        });
        self.effects.is_visible = true;
        if self.privacy.read_receipts {
            self.send_receipts(chat_id, Delivery::Read, &ids, now);
        }
    }

    fn retry(&mut self, message: &MessageRecord, now: Moment) {
        if message.delivery == Delivery::Failed && message.is_mine {
            let chat = message.chat;
            self.seal_again(message);
            self.advance(chat, now);
        }
    }

    /// Queues an own message for sealing as if it were new.
    pub(super) fn seal_again(&mut self, message: &MessageRecord) {
        let Some(chat) = self.chats.get_mut(&message.chat) else {
            return;
        };
        let key = message.key;
        if chat.waiting.iter().any(|(waiting, _)| *waiting == key) {
            return;
        }
        // In its old place among those that wait.
        let place = chat.waiting.partition_point(|(other, _)| *other < key);
        chat.waiting.insert(place, (key, message.shown.clone()));
        chat.update_last(|_, last| last.key == key, |_| Delivery::Sending);
        self.effects.commit.push(Change::SetSealed {
            key,
            is_sealed: false,
        });
        self.effects.commit.push(Change::SetDelivery {
            key,
            delivery: Delivery::Sending,
        });
        self.effects.is_visible = true;
    }
}
