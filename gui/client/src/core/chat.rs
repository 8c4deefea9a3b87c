//! One chat: the peer's identity, the sessions with it, and what waits to be sealed.

use std::collections::VecDeque;
use std::sync::Arc;

use sotto_crypto::{DeviceId, PublicIdentity, SafetyNumber, Session, SessionId};
use sotto_net::wire::DeviceKey;

use super::content::{Answered, EXCERPT_PAYLOAD_BYTES, MessageId, Shown};
use super::effects::{ChatRecord, MessageRecord, Proof, Unfinished};
use crate::fingerprint::VerificationCode;
use crate::view::{
    AssistantRules, Body, ChatId, ChatRow, Delivery, EXCERPT_BYTES_MAX, Message, MessageKey, Mute,
    Presence, Quote, Standing, Trust,
};

/// A session and when the peer was last heard in it.
pub(super) struct Held {
    pub(super) session: Session,
    pub(super) heard_at_millis: i64,
    /// One side has lost it, or an earlier state of it is all that is left: what still comes in it is
    /// opened, and nothing is sent in it.
    pub(super) is_retired: bool,
    /// The peer has never answered in it, and what was sealed in it was sealed again elsewhere.
    pub(super) is_doubted: bool,
}

/// Whether a prekey bundle of the peer is on its way.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum BundleState {
    /// Not asked for.
    Idle,
    /// Asked for on this connection.
    Asked,
    /// The relay had none, or an invalid one: ask again then (milliseconds since 1970).
    RetryAt(i64),
}

/// Sessions that are kept with one peer; each takes a few kilobytes. Two are in use when both
/// sides have started one, and a peer that was restored from a backup starts another.
const SESSIONS_MAX: usize = 8;

/// A chat in memory.
pub(super) struct Chat {
    pub(super) id: ChatId,
    pub(super) handle: Option<String>,
    pub(super) name: String,
    pub(super) identity: Option<PublicIdentity>,
    pub(super) pending: Option<PublicIdentity>,
    pub(super) proof: Proof,
    pub(super) draft: String,
    pub(super) standing: Standing,
    pub(super) is_blocked: bool,
    pub(super) muted_until_millis: Option<i64>,
    /// Sessions with the peer were lost: it is told in the next one.
    pub(super) greets: bool,
    pub(super) assistant: AssistantRules,
    pub(super) sessions: Vec<Held>,
    /// Own messages that wait for a session, oldest first.
    pub(super) waiting: VecDeque<(MessageKey, Shown)>,
    pub(super) bundle: BundleState,
    pub(super) is_online: bool,
    pub(super) unread: VecDeque<(MessageKey, MessageId)>,
    /// The newest message, and its id.
    pub(super) last: Option<(MessageId, Arc<Message>)>,
    pub(super) unfinished: Option<Unfinished>,
    /// The peer was writing: until when that counts, in milliseconds since 1970.
    pub(super) typing_until_millis: Option<i64>,
    /// When the peer was last told that something is written here.
    pub(super) told_typing_at_millis: Option<i64>,
    /// Received in the current batch; a receipt is due.
    pub(super) received: Vec<MessageId>,
    safety_number: Option<String>,
    verification_code: Option<String>,
}

impl Chat {
    /// A chat from its stored form. An identity that no longer decodes counts as unknown: the
    /// directory names it again.
    pub(super) fn from_record(record: ChatRecord, own: &PublicIdentity) -> Self {
        let decode =
            |bytes: Option<Vec<u8>>| bytes.and_then(|bytes| PublicIdentity::decode(&bytes).ok());
        let mut chat = Self {
            id: record.id,
            handle: record.handle,
            name: record.name,
            identity: decode(record.identity),
            pending: decode(record.pending),
            proof: record.proof,
            draft: record.draft,
            standing: record.standing,
            is_blocked: record.is_blocked,
            muted_until_millis: record.muted_until_millis,
            greets: record.greets,
            assistant: record.assistant,
            sessions: Vec::new(),
            waiting: VecDeque::new(),
            bundle: BundleState::Idle,
            is_online: false,
            unread: VecDeque::new(),
            last: None,
            unfinished: None,
            typing_until_millis: None,
            told_typing_at_millis: None,
            received: Vec::new(),
            safety_number: None,
            verification_code: None,
        };
        if chat.identity.is_none() {
            // Nobody was verified: whoever comes is not taken for them.
            chat.proof = Proof::Nothing;
        }
        chat.compare_with(own);
        chat
    }

    pub(super) fn record(&self) -> ChatRecord {
        ChatRecord {
            id: self.id,
            handle: self.handle.clone(),
            name: self.name.clone(),
            identity: self.identity.as_ref().map(PublicIdentity::encode),
            pending: self.pending.as_ref().map(PublicIdentity::encode),
            proof: self.proof,
            draft: self.draft.clone(),
            standing: self.standing,
            is_blocked: self.is_blocked,
            muted_until_millis: self.muted_until_millis,
            greets: self.greets,
            assistant: self.assistant,
        }
    }

    /// Recomputes the safety number; to be called whenever an identity changed.
    pub(super) fn compare_with(&mut self, own: &PublicIdentity) {
        let shown = self.shown();
        let number = shown.map(|peer| SafetyNumber::between(own, peer).to_string());
        let code = shown.map(|peer| VerificationCode::new(own, peer).to_string());
        (self.safety_number, self.verification_code) = (number, code);
    }

    /// The identity that is compared: the changed one, as long as it waits to be accepted.
    pub(super) fn shown(&self) -> Option<&PublicIdentity> {
        self.pending.as_ref().or(self.identity.as_ref())
    }

    /// The safety number that is shown.
    pub(super) fn safety_number(&self) -> Option<&str> {
        self.safety_number.as_deref()
    }

    /// Where envelopes to the peer go: messages, receipts, and whatever else would tell that
    /// somebody is here. `None` until its identity is known, while a changed one waits to be
    /// accepted, and to whoever is no contact or blocked.
    pub(super) fn target(&self) -> Option<DeviceKey> {
        if self.pending.is_some() || self.is_blocked || self.standing != Standing::Contact {
            return None;
        }
        let identity = self.identity.as_ref()?;
        Some(DeviceKey(identity.device_key()))
    }

    /// The session to send in: one that the peer surely has before one that it may never have got,
    /// and of several the one with the smaller id, as the peer chooses too (PROTOCOL §3.5).
    pub(super) fn sending_session(&mut self) -> Option<&mut Held> {
        let device = self.identity.as_ref()?.device_id();
        self.sessions
            .iter_mut()
            .filter(|held| held.session.peer() == device && !held.is_retired)
            .min_by_key(|held| (!held.session.is_acknowledged(), held.session.id()))
    }

    /// Adds a session; gives back the one that has to make room for it, if any: that of the
    /// longest silence.
    pub(super) fn add_session(&mut self, held: Held) -> Option<SessionId> {
        let silent = if self.sessions.len() < SESSIONS_MAX {
            None
        } else {
            let oldest = self.sessions.iter().min_by_key(|held| held.heard_at_millis);
            oldest.map(|held| held.session.id())
        };
        self.sessions
            .retain(|held| Some(held.session.id()) != silent);
        self.sessions.push(held);
        silent
    }

    /// Takes over what another chat with the same identity holds.
    pub(super) fn absorb(&mut self, other: Self) {
        self.is_blocked |= other.is_blocked;
        self.greets |= other.greets;
        self.assistant = self.assistant.or(other.assistant);
        match (other.standing, self.standing) {
            // What was held counts as delivered now.
            (Standing::Request, Standing::Contact) => {
                self.received.extend(other.unread.iter().map(|(_, id)| *id));
            }
            (Standing::Request, _) => self.standing = Standing::Request,
            (Standing::Contact, _) => self.standing = Standing::Contact,
            (Standing::Known, _) => {}
        }
        if other.last_key() > self.last_key() {
            self.last = other.last;
        }
        if other.unfinished.is_some() {
            self.unfinished = other.unfinished;
        }
        self.sessions.extend(other.sessions);
        self.waiting.extend(other.waiting);
        self.received.extend(other.received);
        self.unread.extend(other.unread);
        self.unread.make_contiguous().sort_by_key(|(key, _)| *key);
    }

    /// There are no messages any more.
    pub(super) fn forget_messages(&mut self) {
        self.last = None;
        self.unfinished = None;
        self.unread.clear();
        self.received.clear();
        self.waiting.clear();
    }

    /// The key of the newest message.
    pub(super) fn last_key(&self) -> Option<MessageKey> {
        self.last.as_ref().map(|(_, last)| last.key)
    }

    /// When to ask for the peer's prekeys again.
    pub(super) fn bundle_retry_at(&self) -> Option<i64> {
        match self.bundle {
            BundleState::RetryAt(at) if self.is_waiting() && self.target().is_some() => Some(at),
            _ => None,
        }
    }

    /// Whether something waits for a session.
    pub(super) fn is_waiting(&self) -> bool {
        self.greets || !self.waiting.is_empty()
    }

    pub(super) fn is_with(&self, device: &DeviceId) -> bool {
        self.identity
            .as_ref()
            .is_some_and(|identity| identity.device_id() == *device)
    }

    /// The message becomes the newest one.
    pub(super) fn set_last(&mut self, record: &MessageRecord) {
        self.last = Some((record.shown.id, Arc::new(message_excerpt(record))));
    }

    /// Applies `change` to the delivery of the newest message if it is the one meant.
    pub(super) fn update_last(
        &mut self,
        is_meant: impl FnOnce(MessageId, &Message) -> bool,
        change: impl FnOnce(Delivery) -> Delivery,
    ) {
        if let Some((id, last)) = &mut self.last
            && last.is_mine
            && is_meant(*id, last)
        {
            let delivery = change(last.delivery);
            Arc::make_mut(last).delivery = delivery;
        }
    }

    pub(super) fn row(&self, is_connected: bool) -> ChatRow {
        let presence = match (&self.identity, self.is_online && is_connected) {
            (None, _) => Presence::NotJoined,
            (Some(_), true) => Presence::Online,
            (Some(_), false) => Presence::Away,
        };
        let trust = match (&self.pending, self.proof) {
            (Some(_), _) => Trust::Changed,
            (None, Proof::Comparison) => Trust::Verified,
            (None, Proof::Link) => Trust::Introduced,
            (None, Proof::Nothing) => Trust::Unverified,
        };
        ChatRow {
            id: self.id,
            handle: self.handle.clone().unwrap_or_default(),
            name: self.name.clone(),
            presence,
            trust,
            safety_number: self.safety_number.clone(),
            verification_code: self.verification_code.clone(),
            last: self.last.as_ref().map(|(_, last)| Arc::clone(last)),
            unread: u32::try_from(self.unread.len()).unwrap_or(u32::MAX),
            is_typing: self.typing_until_millis.is_some() && is_connected,
            draft: self.draft.clone(),
            standing: self.standing,
            is_blocked: self.is_blocked,
            mute: self.muted_until_millis.map(Mute::from_millis),
            assistant: self.assistant,
        }
    }
}

/// A message as a whole. What it answers is to be looked up.
pub(crate) fn message_view(record: &MessageRecord) -> Message {
    let quote = record
        .shown
        .answered()
        .map(|Answered { is_own, id }| Quote {
            is_mine: is_own == record.is_mine,
            id,
            original: None,
        });
    Message {
        key: record.key,
        is_mine: record.is_mine,
        body: match (record.shown.as_text(), record.shown.as_note()) {
            (Some(text), _) => Body::Text(text.to_owned()),
            (None, Some(note)) => Body::Note(note),
            (None, None) => Body::Unknown,
        },
        is_cut: false,
        quote,
        sent_at_millis: record.shown.sent_at_millis,
        delivery: record.delivery,
    }
}

/// A message as it is shown among others: of a long one the beginning. The record, too, may hold no
/// more than [`EXCERPT_PAYLOAD_BYTES`].
pub(crate) fn message_excerpt(record: &MessageRecord) -> Message {
    let mut message = message_view(record);
    if let Body::Text(text) = &mut message.body {
        message.is_cut = text.len() > EXCERPT_BYTES_MAX
            || record.shown.payload.len() + 4 > EXCERPT_PAYLOAD_BYTES;
        text.truncate(text.floor_char_boundary(EXCERPT_BYTES_MAX));
    }
    message
}
