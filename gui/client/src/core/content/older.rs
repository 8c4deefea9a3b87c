//! How the first version reads what a sealed message holds: frozen, to see what it makes of messages
//! of today.
//!
//! ```text
//! shown (kind < 64):   kind u8 | message id 16 B | sent at, i64 big-endian, ms since 1970 | payload
//! unseen (kind >= 64): kind u8 | payload
//!
//!  1 text      payload = UTF-8
//! 64 receipt   payload = level u8 (1 delivered, 2 read) | message ids, 16 B each
//! ```
//!
//! There is no author in it: the session that opened a message says who wrote it. A shown kind
//! that this version does not know becomes a placeholder and its bytes are kept; an unseen one is
//! ignored.

#![allow(dead_code, reason = "it stays as it was")]

use crate::view::{Delivery, MessageId};

/// The first kind that is not shown.
const UNSEEN: u8 = 64;
const TEXT: u8 = 1;
const RECEIPT: u8 = 64;
const LEVEL_DELIVERED: u8 = 1;
const LEVEL_READ: u8 = 2;

/// Messages named by one receipt: with 16 bytes each it stays far below one envelope.
pub(crate) const RECEIPT_IDS_MAX: usize = 1024;

/// A message that is shown.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Shown {
    pub(crate) id: MessageId,
    pub(crate) sent_at_millis: i64,
    pub(crate) kind: u8,
    pub(crate) payload: Vec<u8>,
}

impl Shown {
    /// The text, if it is one.
    pub(crate) fn as_text(&self) -> Option<&str> {
        text(self.kind, &self.payload)
    }
}

/// The text in a message of this kind, if it has one: what is shown of it, and found.
pub(crate) fn text(kind: u8, payload: &[u8]) -> Option<&str> {
    if kind != TEXT {
        return None;
    }
    std::str::from_utf8(payload).ok()
}

/// What an opened message holds.
pub(crate) enum Content {
    /// Something to show.
    Shown(Shown),
    /// How far messages of ours have come.
    Receipt(Receipt),
    /// Nothing for this version.
    Ignored,
}

/// How far messages have come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Receipt {
    /// [`Delivery::Delivered`] or [`Delivery::Read`].
    pub(crate) delivery: Delivery,
    /// The messages.
    pub(crate) ids: Vec<MessageId>,
}

impl Receipt {
    fn decode(payload: &[u8]) -> Option<Self> {
        let (level, ids) = payload.split_first()?;
        let delivery = match *level {
            LEVEL_DELIVERED => Delivery::Delivered,
            LEVEL_READ => Delivery::Read,
            _ => return None,
        };
        let (ids, rest) = ids.as_chunks::<16>();
        (rest.is_empty() && ids.len() <= RECEIPT_IDS_MAX).then(|| Self {
            delivery,
            ids: ids.iter().copied().map(MessageId).collect(),
        })
    }
}

impl Content {
    /// Reads opened bytes; `None` when they are malformed.
    pub(crate) fn decode(bytes: &[u8]) -> Option<Self> {
        let (&kind, rest) = bytes.split_first()?;
        if kind >= UNSEEN {
            return match kind {
                RECEIPT => Receipt::decode(rest).map(Self::Receipt),
                _ => Some(Self::Ignored),
            };
        }
        let (id, rest) = rest.split_first_chunk::<16>()?;
        let (sent_at, payload) = rest.split_first_chunk::<8>()?;
        if kind == TEXT && std::str::from_utf8(payload).is_err() {
            return None;
        }
        Some(Self::Shown(Shown {
            id: MessageId(*id),
            sent_at_millis: i64::from_be_bytes(*sent_at),
            kind,
            payload: payload.to_vec(),
        }))
    }
}
