//! What a sealed message holds, in its version-independent form.
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

use crate::view::Delivery;
pub(crate) use crate::view::MessageId;

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
    /// A text.
    pub(crate) fn text(id: MessageId, sent_at_millis: i64, text: String) -> Self {
        Self {
            id,
            sent_at_millis,
            kind: TEXT,
            payload: text.into_bytes(),
        }
    }

    /// The text, if it is one.
    pub(crate) fn as_text(&self) -> Option<&str> {
        text(self.kind, &self.payload)
    }

    /// The bytes to seal.
    pub(crate) fn encode(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(25 + self.payload.len());
        bytes.push(self.kind);
        bytes.extend_from_slice(&self.id.0);
        bytes.extend_from_slice(&self.sent_at_millis.to_be_bytes());
        bytes.extend_from_slice(&self.payload);
        bytes
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
    /// The bytes to seal.
    pub(crate) fn encode(&self) -> Vec<u8> {
        let level = match self.delivery {
            Delivery::Read => LEVEL_READ,
            _ => LEVEL_DELIVERED,
        };
        let mut bytes = vec![RECEIPT, level];
        for id in &self.ids {
            bytes.extend_from_slice(&id.0);
        }
        bytes
    }

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

#[cfg(test)]
mod tests {
    use super::*;

    const ID: MessageId = MessageId([7; 16]);

    #[test]
    fn a_text_has_these_bytes() {
        let text = Shown::text(ID, 0x0102, "hé".into());
        let bytes = text.encode();
        let mut golden = vec![1];
        golden.extend([7; 16]);
        golden.extend([0, 0, 0, 0, 0, 0, 1, 2]);
        golden.extend([b'h', 0xc3, 0xa9]);
        assert_eq!(bytes, golden);
        let Some(Content::Shown(read)) = Content::decode(&bytes) else {
            panic!("not shown");
        };
        assert_eq!(read.as_text(), Some("hé"));
        assert_eq!((read.id, read.sent_at_millis), (ID, 0x0102));
    }

    #[test]
    fn a_receipt_has_these_bytes() {
        let receipt = Receipt {
            delivery: Delivery::Read,
            ids: vec![ID, MessageId([8; 16])],
        };
        let bytes = receipt.encode();
        assert_eq!(bytes.len(), 2 + 32);
        assert_eq!(bytes[..3], [64, 2, 7]);
        let Some(Content::Receipt(read)) = Content::decode(&bytes) else {
            panic!("no receipt");
        };
        assert_eq!(read, receipt);
    }

    #[test]
    fn keeps_the_bytes_of_an_unknown_shown_kind_and_ignores_an_unseen_one() {
        let mut bytes = Shown::text(ID, 5, "new".into()).encode();
        bytes[0] = 63;
        let Some(Content::Shown(read)) = Content::decode(&bytes) else {
            panic!("not shown");
        };
        assert_eq!(
            (read.as_text(), read.payload.as_slice()),
            (None, &b"new"[..])
        );
        assert!(matches!(
            Content::decode(&[200, 1, 2]),
            Some(Content::Ignored)
        ));
    }

    #[test]
    fn refuses_what_is_malformed() {
        let text = Shown::text(ID, 5, String::new()).encode();
        for cut in 0..text.len() {
            assert!(Content::decode(&text[..cut]).is_none(), "cut at {cut}");
        }
        assert!(Content::decode(&[&text[..], &[0xff]].concat()).is_none());
        assert!(Content::decode(&[64]).is_none());
        assert!(Content::decode(&[64, 9]).is_none());
        assert!(Content::decode(&[64, 1, 0]).is_none());
    }
}
