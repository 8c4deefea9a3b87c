//! Whether a peer is who they seem: comparisons, and changed identities.
//!
//! What the person decides names the safety number that they saw. A relay that puts another
//! identity behind the handle in that moment gets no decision that was meant for the one before.

use sotto_crypto::SafetyNumber;

use super::effects::{Change, MessageRecord, Proof};
use super::{Core, Moment};
use crate::fingerprint::{TextError, VerificationCode};
use crate::view::{ChatId, Comparison, Outcome};

impl Core {
    /// The number on the screen of the person, if it still is the chat's.
    fn is_current(&self, chat: ChatId, seen: &str) -> bool {
        let current = self.chats.get(&chat).and_then(|chat| chat.safety_number());
        current.is_some_and(|number| number == seen)
    }

    /// The person compared the number that they saw. A changed identity whose number matches is
    /// accepted with it.
    pub(super) fn set_verified(
        &mut self,
        chat_id: ChatId,
        seen: &str,
        matches: bool,
        undelivered: &[MessageRecord],
        now: Moment,
    ) {
        if !self.is_current(chat_id, seen) {
            return;
        }
        if matches {
            self.replace_identity(chat_id, undelivered, now);
        }
        let Some(chat) = self.chats.get_mut(&chat_id) else {
            return;
        };
        let proof = if matches {
            Proof::Comparison
        } else {
            Proof::Nothing
        };
        if chat.pending.is_none() && chat.proof != proof {
            chat.proof = proof;
            self.commit_chat(chat_id);
        }
    }

    /// The person goes on with the identity whose number they saw.
    pub(super) fn accept_identity(
        &mut self,
        chat_id: ChatId,
        seen: &str,
        undelivered: &[MessageRecord],
        now: Moment,
    ) {
        if self.is_current(chat_id, seen) {
            self.replace_identity(chat_id, undelivered, now);
        }
    }

    /// The changed identity takes the place of the old one, with the messages that the old one never
    /// confirmed.
    fn replace_identity(&mut self, chat_id: ChatId, undelivered: &[MessageRecord], now: Moment) {
        let Some(chat) = self.chats.get_mut(&chat_id) else {
            return;
        };
        let Some(identity) = chat.pending.take() else {
            return;
        };
        let old = chat.identity.replace(identity);
        chat.proof = Proof::Nothing;
        chat.bundle = super::chat::BundleState::Idle;
        chat.compare_with(self.identity.public());
        // Whoever it is may have been here before, and hold the sessions that went then.
        chat.greets |= !chat.sessions.is_empty();
        for held in std::mem::take(&mut chat.sessions) {
            let id = held.session.id();
            self.effects.commit.push(Change::RemoveSession(id));
        }
        if let Some(old) = old {
            let device = sotto_net::wire::DeviceKey(old.device_key());
            for gone in self.outbox.remove_device(device) {
                self.effects.commit.push(Change::RemoveOutbox(gone.id));
            }
        }
        self.commit_chat(chat_id);
        // They were sealed for somebody who will not read them.
        for message in undelivered {
            self.seal_again(message);
        }
        self.merge_unnamed(chat_id, now);
        self.watch_presence();
        self.advance(chat_id, now);
    }

    /// Compares what the peer shows, a code or the digits of the safety number, with what is known
    /// here. A match verifies the peer.
    pub(super) fn compare_code(
        &mut self,
        chat_id: ChatId,
        code: String,
        undelivered: &[MessageRecord],
        now: Moment,
    ) {
        let outcome = self.outcome(chat_id, &code);
        let seen = self
            .chats
            .get(&chat_id)
            .and_then(|chat| chat.safety_number());
        if let Some(seen) = seen.map(str::to_owned) {
            match outcome {
                Outcome::Match => self.set_verified(chat_id, &seen, true, undelivered, now),
                Outcome::Mismatch => self.set_verified(chat_id, &seen, false, &[], now),
                _ => {}
            }
        }
        self.comparison = Some(Comparison {
            chat: chat_id,
            code,
            outcome,
        });
        self.effects.is_visible = true;
    }

    fn outcome(&self, chat_id: ChatId, code: &str) -> Outcome {
        let own = self.identity.public();
        let shown = self.chats.get(&chat_id).and_then(|chat| chat.shown());
        let Some(peer) = shown else {
            return Outcome::NoIdentity;
        };
        if let Ok(number) = code.parse::<SafetyNumber>() {
            return if number == SafetyNumber::between(own, peer) {
                Outcome::Match
            } else {
                Outcome::Mismatch
            };
        }
        let expected = VerificationCode::new(peer, own);
        match code.parse::<VerificationCode>() {
            Err(TextError::Newer) => Outcome::Newer,
            Err(TextError::Malformed) => Outcome::NoCode,
            Ok(code) if code == expected => Outcome::Match,
            Ok(code) if code.own == expected.peer => Outcome::OwnCode,
            // Only somebody who is known otherwise is the wrong person: who sits in between shows
            // accounts of which nothing is known here.
            Ok(code) if code.own != expected.own && self.knows(code.own) => Outcome::WrongPerson,
            Ok(_) => Outcome::Mismatch,
        }
    }

    fn knows(&self, account: sotto_crypto::AccountId) -> bool {
        self.chats.values().any(|chat| {
            let identity = chat.identity.as_ref();
            identity.is_some_and(|identity| identity.account_id() == account)
        })
    }
}
