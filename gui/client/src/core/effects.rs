//! What a step of the core asks its engine to do, in this order: commit, then send, then show.

use bytes::Bytes;
use sotto_crypto::SessionId;
use sotto_net::RelayId;
use sotto_net::link::Cursor;
use sotto_net::wire::{ClientFrame, DeviceKey, EnvelopeId, Mark};
use zeroize::Zeroizing;

use super::content::{MessageId, Shown};
use super::renewal::Renewal;
use crate::view::{AssistantRules, ChatId, Delivery, MessageKey, Privacy, Standing};

/// What follows from one input.
#[derive(Default)]
#[must_use]
pub(crate) struct Effects {
    /// To be stored in one transaction, in this order.
    pub(crate) commit: Vec<Change>,
    /// To be sent once that is durable; acknowledgements are the last ones.
    pub(crate) send: Vec<ClientFrame>,
    /// Something visible changed.
    pub(crate) is_visible: bool,
    /// Peers behind whose handle another identity appeared.
    pub(crate) changed_peers: Vec<ChatId>,
    /// Handles that the relay was asked about and that nobody has.
    pub(crate) unknown_handles: Vec<String>,
}

/// One change of the vault.
pub(crate) enum Change {
    /// The display name from now on.
    SetName(String),
    /// What peers learn from now on.
    SetPrivacy(Privacy),
    /// Deliveries of this relay are stored up to here.
    SetCursor { relay: RelayId, cursor: Cursor },
    /// The relay's envelope with this id was handled.
    RememberDelivery {
        relay: RelayId,
        /// Counts what was handled, from 1.
        place: u64,
        id: EnvelopeId,
    },
    /// Envelopes up to this place need not be remembered any longer.
    ForgetDeliveries { relay: RelayId, up_to: u64 },
    /// Keep a prekey's secret (its stored form).
    AddPrekey { id: u32, stored: Zeroizing<Vec<u8>> },
    /// Forget a prekey's secret, and the replay entries that hang on it.
    RemovePrekey { id: u32 },
    /// Never accept this handshake again while its signed prekey lives.
    AddReplay { digest: [u8; 32], prekey: u32 },
    /// Insert or replace a chat.
    PutChat(ChatRecord),
    /// Delete the messages of a chat.
    RemoveMessages { chat: ChatId },
    /// Everything of `from` belongs to `into`.
    MergeChat { from: ChatId, into: ChatId },
    /// Insert or replace a session.
    PutSession(SessionRecord),
    /// Forget a session.
    RemoveSession(SessionId),
    /// Insert a message; nothing happens when its author has already sent one with this id in the
    /// chat.
    AddMessage(MessageRecord),
    /// Keep the next part of a message that is not whole yet; the first one takes the place of all
    /// that the chat has kept before.
    AddPart {
        chat: ChatId,
        whole: MessageId,
        index: u16,
        bytes: Vec<u8>,
    },
    /// As [`Change::AddMessage`], with the kind and payload that the parts kept of its chat hold;
    /// the record has their beginning.
    AddWhole(MessageRecord),
    /// A message was sealed into the outbox, or (false) has to be sealed again.
    SetSealed { key: MessageKey, is_sealed: bool },
    /// An own message has come further; never goes back.
    Advance {
        chat: ChatId,
        id: MessageId,
        delivery: Delivery,
    },
    /// As [`Change::Advance`], by key.
    AdvanceKey { key: MessageKey, delivery: Delivery },
    /// An own message starts again, or is refused.
    SetDelivery { key: MessageKey, delivery: Delivery },
    /// The peer's messages up to this one were seen.
    SetRead { chat: ChatId, up_to: MessageKey },
    /// A mark was left at a relay, or found there; forgets those that are no longer among the newest.
    AddMark {
        relay: RelayId,
        /// Counts them, from 1.
        place: u64,
        mark: Mark,
    },
    /// The relay holds prekeys whose secrets are lost.
    SetStale { relay: RelayId, is_stale: bool },
    /// The vault was set back: the person is to be told, and sessions are to be replaced.
    SetBack,
    /// The person was told.
    ToldSetBack,
    /// Retire all sessions and forget what was sealed in them; own messages that no peer has
    /// confirmed are to be sealed again ([`Change::unseals`]).
    Renew { at_millis: i64 },
    /// Own messages of a chat that the peer has not confirmed are to be sealed again.
    Unseal { chat: ChatId },
    /// Append to the outbox.
    PushOutbox(OutboxRecord),
    /// The relay has it, or never will.
    RemoveOutbox(EnvelopeId),
}

impl Change {
    /// Whether own messages are to be sealed again: which ones, the core has to be told
    /// ([`Action::SealAgain`]).
    ///
    /// [`Action::SealAgain`]: super::Action::SealAgain
    pub(crate) fn unseals(&self) -> bool {
        matches!(self, Self::Renew { .. } | Self::Unseal { .. })
    }

    /// Whether the messages of a chat look different afterwards.
    pub(crate) fn touches_messages(&self) -> bool {
        matches!(
            self,
            Self::AddMessage(_)
                | Self::AddWhole(_)
                | Self::Advance { .. }
                | Self::AdvanceKey { .. }
                | Self::SetDelivery { .. }
                | Self::MergeChat { .. }
                | Self::RemoveMessages { .. }
        )
    }
}

/// What speaks for a peer's identity.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Proof {
    /// The relay's word.
    Nothing,
    /// A link that named it.
    Link,
    /// A comparison by both.
    Comparison,
}

/// A chat as stored.
#[derive(Clone)]
pub(crate) struct ChatRecord {
    pub(crate) id: ChatId,
    /// The peer's handle; `None` while the directory has not named it.
    pub(crate) handle: Option<String>,
    pub(crate) name: String,
    /// The peer's encoded public identity.
    pub(crate) identity: Option<Vec<u8>>,
    /// Another identity behind the handle, which waits to be accepted.
    pub(crate) pending: Option<Vec<u8>>,
    pub(crate) proof: Proof,
    pub(crate) draft: String,
    pub(crate) standing: Standing,
    pub(crate) is_blocked: bool,
    /// No unread mark before this, in milliseconds since 1970; the largest value is for ever.
    pub(crate) muted_until_millis: Option<i64>,
    /// Sessions with the peer were lost, and it is to be told.
    pub(crate) greets: bool,
    pub(crate) assistant: AssistantRules,
}

impl ChatRecord {
    /// A chat with this handle, about which nothing else is known yet.
    pub(crate) fn named(id: ChatId, handle: &str, name: &str, standing: Standing) -> Self {
        Self {
            id,
            handle: Some(handle.to_owned()),
            name: name.to_owned(),
            identity: None,
            pending: None,
            proof: Proof::Nothing,
            draft: String::new(),
            standing,
            is_blocked: false,
            muted_until_millis: None,
            greets: false,
            assistant: AssistantRules::default(),
        }
    }
}

/// A session as stored.
pub(crate) struct SessionRecord {
    pub(crate) id: SessionId,
    pub(crate) chat: ChatId,
    pub(crate) stored: Zeroizing<Vec<u8>>,
    /// When the peer was last heard in it, in milliseconds since 1970.
    pub(crate) heard_at_millis: i64,
    /// Nothing is sent in it any more.
    pub(crate) is_retired: bool,
}

/// A message as stored.
#[derive(Clone)]
pub(crate) struct MessageRecord {
    pub(crate) key: MessageKey,
    pub(crate) chat: ChatId,
    pub(crate) is_mine: bool,
    pub(crate) shown: Shown,
    pub(crate) delivery: Delivery,
    pub(crate) is_unread: bool,
    /// Whether it has been sealed (a peer's message always was).
    pub(crate) is_sealed: bool,
}

/// A message whose first parts have come.
#[derive(Clone)]
pub(crate) struct Unfinished {
    pub(crate) whole: MessageId,
    /// The index of the part that is due.
    pub(crate) next: u16,
    /// The first of its bytes, enough for an excerpt.
    pub(crate) beginning: Vec<u8>,
}

/// An envelope in the outbox: sealed once, sent as often as it takes.
#[derive(Clone)]
pub(crate) struct OutboxRecord {
    pub(crate) id: EnvelopeId,
    pub(crate) device: DeviceKey,
    pub(crate) body: Bytes,
    /// The message in it, of one in parts with the last; `None` for a receipt.
    pub(crate) message: Option<MessageKey>,
}

/// Everything that the core keeps in memory, as read from the vault.
pub(crate) struct Loaded {
    /// The display name; `None` in a vault of a version that kept none.
    pub(crate) name: Option<String>,
    pub(crate) cursors: Vec<(RelayId, Cursor)>,
    /// What was handled lately, with its place, oldest first.
    pub(crate) recent: Vec<(RelayId, u64, EnvelopeId)>,
    pub(crate) prekeys: Vec<Zeroizing<Vec<u8>>>,
    /// Prekeys up to this number were another life's, and are not here.
    pub(crate) prekeys_before: u32,
    pub(crate) replay: Vec<([u8; 32], u32)>,
    pub(crate) chats: Vec<ChatRecord>,
    pub(crate) sessions: Vec<SessionRecord>,
    pub(crate) privacy: Privacy,
    /// Messages of which some parts have come.
    pub(crate) unfinished: Vec<(ChatId, Unfinished)>,
    /// The newest message of each chat; of a long one the beginning.
    pub(crate) last: Vec<MessageRecord>,
    /// Unread messages, oldest first.
    pub(crate) unread: Vec<(ChatId, MessageKey, MessageId)>,
    /// Own messages that are not sealed yet, oldest first.
    pub(crate) unsealed: Vec<MessageRecord>,
    pub(crate) outbox: Vec<OutboxRecord>,
    pub(crate) next_key: i64,
    /// The newest marks of each relay, with their places, oldest first.
    pub(crate) marks: Vec<(RelayId, u64, Mark)>,
    pub(crate) renewal: Renewal,
}
