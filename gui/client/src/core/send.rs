//! Messages and receipts out: sealed once, into the outbox.

use bytes::Bytes;
use sotto_net::wire::{DeviceKey, EnvelopeId, Send, TakeBundle};

use super::chat::BundleState;
use super::content::{Content, MessageId, RECEIPT_IDS_MAX, Receipt, Shown};
use super::effects::{Change, OutboxRecord};
use super::relay::Request;
use super::{Core, Moment};
use crate::planted;
use crate::view::{ChatId, Delivery, MessageKey};

/// Peers whose prekeys are asked for on one connection only to greet them: fewer than the bundles
/// that a relay gives out at once (WIRE §7), so that there are some left for what is written.
const GREETINGS_MAX: usize = 200;

impl Core {
    /// Seals what waits in a chat, or takes the next step towards being able to.
    pub(super) fn advance(&mut self, chat_id: ChatId, now: Moment) {
        self.greet(chat_id, now);
        loop {
            let Some(chat) = self.chats.get_mut(&chat_id) else {
                return;
            };
            let Some((key, shown)) = chat.waiting.front().cloned() else {
                break;
            };
            if !self.seal_message(chat_id, key, &shown, now) {
                break;
            }
            if let Some(chat) = self.chats.get_mut(&chat_id) {
                chat.waiting.pop_front();
            }
            self.effects.commit.push(Change::SetSealed {
                key,
                is_sealed: true,
            });
        }
        self.ask_for_bundle(chat_id, now);
    }

    /// Tells the peer that other sessions were lost, if some were.
    fn greet(&mut self, chat_id: ChatId, now: Moment) {
        let greets = self.chats.get(&chat_id).is_some_and(|chat| chat.greets);
        if greets && self.seal_into_outbox(chat_id, &Content::GREETING, None, now) {
            if let Some(chat) = self.chats.get_mut(&chat_id) {
                chat.greets = false;
            }
            self.commit_chat(chat_id);
        }
    }

    /// Asks the relay for the peer's prekeys, unless that is under way or not yet due.
    fn ask_for_bundle(&mut self, chat_id: ChatId, now: Moment) {
        let Some(chat) = self.chats.get_mut(&chat_id) else {
            return;
        };
        if !chat.is_waiting() {
            return;
        }
        let is_due = match chat.bundle {
            BundleState::Idle => true,
            BundleState::Asked => false,
            BundleState::RetryAt(at) => at <= now.unix_millis,
        };
        let link = self.link.as_mut().filter(|link| link.is_settled());
        let (true, Some(device), Some(link)) = (is_due, chat.target(), link) else {
            return;
        };
        if chat.waiting.is_empty() {
            if link.greeted == GREETINGS_MAX {
                chat.bundle = BundleState::Idle;
                return;
            }
            link.greeted += 1;
        }
        chat.bundle = BundleState::Asked;
        let request = link.request(Request::Bundle(chat_id));
        self.effects
            .send
            .push(TakeBundle { request, device }.into());
    }

    /// Seals a message, perhaps in parts. When a session wears out in between, all parts go once
    /// more through the next one.
    fn seal_message(
        &mut self,
        chat_id: ChatId,
        key: MessageKey,
        shown: &Shown,
        now: Moment,
    ) -> bool {
        let parts = shown.encode(|| MessageId(self.random_id()));
        let last = parts.len().saturating_sub(1);
        parts.iter().enumerate().all(|(index, part)| {
            let message = (index == last).then_some(key);
            self.seal_into_outbox(chat_id, part, message, now)
        })
    }

    /// Seals `content` into the outbox; false without a usable session.
    fn seal_into_outbox(
        &mut self,
        chat_id: ChatId,
        content: &[u8],
        message: Option<MessageKey>,
        now: Moment,
    ) -> bool {
        let Some((device, body)) = self.seal(chat_id, content, now) else {
            return false;
        };
        let record = OutboxRecord {
            id: EnvelopeId(self.random_id()),
            device,
            body,
            message,
        };
        self.effects.commit.push(Change::PushOutbox(record.clone()));
        self.outbox.push(record);
        true
    }

    /// Seals `content` in the chat's session; `None` without a usable one.
    pub(super) fn seal(
        &mut self,
        chat_id: ChatId,
        content: &[u8],
        now: Moment,
    ) -> Option<(DeviceKey, Bytes)> {
        let chat = self.chats.get_mut(&chat_id)?;
        let device = chat.target()?;
        let held = chat.sending_session()?;
        let session = held.session.id();
        let Ok(step) = held.session.seal(content, now.secs(), &mut self.rng) else {
            // The session is worn out (its counters are at their end): a new one takes over.
            chat.sessions.retain(|held| held.session.id() != session);
            self.effects.commit.push(Change::RemoveSession(session));
            return None;
        };
        held.session = step.next;
        if !planted::is("sealing_not_stored") {
            self.changed_sessions.insert(session);
        }
        Some((device, Bytes::from(step.output)))
    }

    /// Tells the peer how far its messages have come. Without a session, or while a changed
    /// identity waits, the peer is told nothing.
    pub(super) fn send_receipts(
        &mut self,
        chat_id: ChatId,
        delivery: Delivery,
        ids: &[MessageId],
        now: Moment,
    ) {
        for ids in ids.chunks(RECEIPT_IDS_MAX) {
            let ids = ids.to_vec();
            let content = Receipt { delivery, ids }.encode();
            self.seal_into_outbox(chat_id, &content, None, now);
        }
    }

    /// Sends what the window allows.
    pub(super) fn pump_outbox(&mut self, now: Moment) {
        let Some(link) = self.link.as_mut().filter(|link| link.is_settled()) else {
            return;
        };
        while let Some(record) = self.outbox.next(now.unix_millis) {
            let request = link.request(Request::Send(record.id));
            let id = if planted::is("retries_under_new_id") {
                EnvelopeId(rand::RngExt::random(&mut self.rng))
            } else {
                record.id
            };
            self.effects.send.push(
                Send {
                    request,
                    id,
                    targets: vec![(record.device, record.body.clone())],
                }
                .into(),
            );
        }
    }
}
