//! Messages and receipts out: sealed once, into the outbox.

use bytes::Bytes;
use sotto_net::wire::{EnvelopeId, Send, TakeBundle};

use super::chat::BundleState;
use super::content::{MessageId, RECEIPT_IDS_MAX, Receipt};
use super::effects::{Change, OutboxRecord};
use super::relay::Request;
use super::{Core, Moment};
use crate::view::{ChatId, Delivery, MessageKey};

impl Core {
    /// Seals what waits in a chat, or takes the next step towards being able to.
    pub(super) fn advance(&mut self, chat_id: ChatId, now: Moment) {
        loop {
            let Some(chat) = self.chats.get_mut(&chat_id) else {
                return;
            };
            let Some((key, content)) = chat.waiting.front().cloned() else {
                return;
            };
            if !self.seal(chat_id, &content, Some(key), now) {
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

    /// Asks the relay for the peer's prekeys, unless that is under way or not yet due.
    fn ask_for_bundle(&mut self, chat_id: ChatId, now: Moment) {
        let Some(chat) = self.chats.get_mut(&chat_id) else {
            return;
        };
        let is_due = match chat.bundle {
            BundleState::Idle => true,
            BundleState::Asked => false,
            BundleState::RetryAt(at) => at <= now.unix_millis,
        };
        let (true, Some(device), Some(link)) = (is_due, chat.target(), &mut self.link) else {
            return;
        };
        chat.bundle = BundleState::Asked;
        let request = link.request(Request::Bundle(chat_id));
        self.effects
            .send
            .push(TakeBundle { request, device }.into());
    }

    /// Seals `content` in the chat's session into the outbox; false without a usable session.
    fn seal(
        &mut self,
        chat_id: ChatId,
        content: &[u8],
        message: Option<MessageKey>,
        now: Moment,
    ) -> bool {
        let id = EnvelopeId(self.random_id());
        let Some(chat) = self.chats.get_mut(&chat_id) else {
            return false;
        };
        let Some(device) = chat.target() else {
            return false;
        };
        let Some(held) = chat.sending_session() else {
            return false;
        };
        let session = held.session.id();
        let Ok(step) = held.session.seal(content, now.secs(), &mut self.rng) else {
            // The session is worn out (its counters are at their end): a new one takes over.
            chat.sessions.retain(|held| held.session.id() != session);
            self.effects.commit.push(Change::RemoveSession(session));
            return false;
        };
        held.session = step.next;
        self.changed_sessions.insert(session);
        let record = OutboxRecord {
            id,
            device,
            body: Bytes::from(step.output),
            message,
        };
        self.effects.commit.push(Change::PushOutbox(record.clone()));
        self.outbox.push(record);
        true
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
            self.seal(chat_id, &content, None, now);
        }
    }

    /// Sends what the window allows.
    pub(super) fn pump_outbox(&mut self, now: Moment) {
        let Some(link) = &mut self.link else {
            return;
        };
        while let Some(record) = self.outbox.next(now.unix_millis) {
            let request = link.request(Request::Send(record.id));
            self.effects.send.push(
                Send {
                    request,
                    id: record.id,
                    targets: vec![(record.device, record.body.clone())],
                }
                .into(),
            );
        }
    }
}
