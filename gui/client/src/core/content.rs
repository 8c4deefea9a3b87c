//! What a sealed message holds, in its version-independent form.
//!
//! ```text
//! shown (kind < 64):   kind u8 | message id 16 B | sent at, i64 big-endian, ms since 1970 | payload
//! unseen (kind >= 64): kind u8 | payload
//!
//!  1 text      payload = UTF-8
//!  2 reply     payload = length of the fields u16 | fields | UTF-8
//!              field   = tag u8 | length u8 | value
//!                1 answered   author u8 (0 who replies, 1 the other) | message id 16 B
//!  3 part      payload = whole message's id 16 B | index u16 | count u16 | a stretch of the whole
//!              the stretches in their order are kind u8 | payload of the whole
//!  4 note      payload = tag u8 | value
//!                1 assisted   task u8 (1 summary, 2 translation) | messages u32 | provider, UTF-8
//!                2 cloud      u8 (0 its author lets a cloud read texts of the chat, 1 forbids it)
//! 64 receipt   payload = level u8 (1 delivered, 2 read) | message ids, 16 B each
//! 65 typing    payload = nothing; travels in ephemeral envelopes only
//! 66 greeting  payload = nothing; its author has no other session with the reader
//! ```
//!
//! Numbers are big-endian. There is no author in it: the session that opened a message says who
//! wrote it. A shown kind that this version does not know becomes a placeholder and its bytes are
//! kept; an unseen one is ignored. So is a field with a tag below 128 that this version does not
//! know; one from 128 on makes the whole message a placeholder. A note of a tag, or of a value, that
//! this version does not know is one, too.

#[cfg(test)]
mod older;
#[cfg(test)]
mod tests;

pub(crate) use crate::view::MessageId;
use crate::view::{Delivery, EXCERPT_BYTES_MAX, Note, NoteTask};

/// The first kind that is not shown.
const UNSEEN: u8 = 64;
const TEXT: u8 = 1;
const REPLY: u8 = 2;
const PART: u8 = 3;
const NOTE: u8 = 4;
const RECEIPT: u8 = 64;
const TYPING: u8 = 65;
const GREETING: u8 = 66;
const ANSWERED: u8 = 1;
/// The first tag of a field without which a message is not understood.
const ESSENTIAL: u8 = 128;
const NOTE_ASSISTED: u8 = 1;
const NOTE_CLOUD: u8 = 2;
/// The longest name of a provider in a note, in bytes.
const PROVIDER_BYTES_MAX: usize = 64;
const LEVEL_DELIVERED: u8 = 1;
const LEVEL_READ: u8 = 2;

/// Messages named by one receipt: with 16 bytes each it stays far below one envelope.
pub(crate) const RECEIPT_IDS_MAX: usize = 1024;

/// The longest payload that travels in one piece, and the longest stretch of one that does not, in
/// bytes. A sealed message must fit one envelope of 64 KiB together with its padding, a handshake
/// and a ratchet step (PROTOCOL §4); this leaves room for all of them.
pub(crate) const PART_BYTES_MAX: usize = 48 * 1024;

/// What is read of a payload to show the beginning of its text, in bytes: a reply has some before
/// that.
pub(crate) const EXCERPT_PAYLOAD_BYTES: usize = EXCERPT_BYTES_MAX + 1024;

/// Parts of one message: a text of the largest size takes 22.
const PARTS_MAX: u16 = 32;

/// A message that is shown.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Shown {
    pub(crate) id: MessageId,
    pub(crate) sent_at_millis: i64,
    pub(crate) kind: u8,
    pub(crate) payload: Vec<u8>,
}

/// The message that a reply answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Answered {
    /// Who replies has written it, too.
    pub(crate) is_own: bool,
    pub(crate) id: MessageId,
}

impl Shown {
    /// A text, perhaps in reply to another message.
    pub(crate) fn text(
        id: MessageId,
        sent_at_millis: i64,
        text: String,
        answered: Option<Answered>,
    ) -> Self {
        let (kind, payload) = match answered {
            None => (TEXT, text.into_bytes()),
            Some(Answered { is_own, id }) => {
                let head = [0, 19, ANSWERED, 17, u8::from(!is_own)];
                (REPLY, [&head[..], &id.0, text.as_bytes()].concat())
            }
        };
        Self {
            id,
            sent_at_millis,
            kind,
            payload,
        }
    }

    /// What was done with the chat, or is not to be.
    pub(crate) fn note(id: MessageId, sent_at_millis: i64, note: &Note) -> Self {
        let payload = match note {
            Note::Assisted {
                task,
                messages,
                provider,
            } => {
                let task = match task {
                    NoteTask::Summary => 1,
                    NoteTask::Translation => 2,
                };
                let end = provider.floor_char_boundary(PROVIDER_BYTES_MAX);
                let provider = provider.get(..end).unwrap_or_default();
                let head = [NOTE_ASSISTED, task];
                [&head, &messages.to_be_bytes()[..], provider.as_bytes()].concat()
            }
            Note::Cloud { is_forbidden } => vec![NOTE_CLOUD, u8::from(*is_forbidden)],
        };
        Self {
            id,
            sent_at_millis,
            kind: NOTE,
            payload,
        }
    }

    /// The note, if it is one that this version knows.
    pub(crate) fn as_note(&self) -> Option<Note> {
        if self.kind != NOTE {
            return None;
        }
        match *self.payload.as_slice() {
            [NOTE_ASSISTED, task, a, b, c, d, ref provider @ ..] => {
                let task = match task {
                    1 => NoteTask::Summary,
                    2 => NoteTask::Translation,
                    _ => return None,
                };
                let provider = std::str::from_utf8(provider).ok()?;
                let is_name = !provider.is_empty() && provider.len() <= PROVIDER_BYTES_MAX;
                is_name.then(|| Note::Assisted {
                    task,
                    messages: u32::from_be_bytes([a, b, c, d]),
                    provider: provider.to_owned(),
                })
            }
            [NOTE_CLOUD, is_forbidden @ (0 | 1)] => Some(Note::Cloud {
                is_forbidden: is_forbidden == 1,
            }),
            _ => None,
        }
    }

    /// Whether it tells what was done, and calls nobody to read it.
    pub(crate) fn is_note(&self) -> bool {
        self.kind == NOTE
    }

    /// The text, if it is one.
    pub(crate) fn as_text(&self) -> Option<&str> {
        text(self.kind, &self.payload)
    }

    /// The message that this one answers.
    pub(crate) fn answered(&self) -> Option<Answered> {
        (self.kind == REPLY).then(|| Fields::read(&self.payload)?.answered)?
    }

    /// The bytes to seal, one message after the other: several when one would be too long. The id
    /// of the last one is that of the whole.
    pub(crate) fn encode(&self, mut new_id: impl FnMut() -> MessageId) -> Vec<Vec<u8>> {
        if self.payload.len() <= PART_BYTES_MAX {
            return vec![encode(
                self.id,
                self.sent_at_millis,
                self.kind,
                &[&self.payload],
            )];
        }
        let whole = [&[self.kind][..], &self.payload].concat();
        let parts: Vec<&[u8]> = whole.chunks(PART_BYTES_MAX).collect();
        let count = u16::try_from(parts.len()).unwrap_or(u16::MAX);
        (0..count)
            .zip(parts)
            .map(|(index, part)| {
                let is_last = index + 1 == count;
                let id = if is_last { self.id } else { new_id() };
                let place = [index.to_be_bytes(), count.to_be_bytes()].concat();
                encode(id, self.sent_at_millis, PART, &[&self.id.0, &place, part])
            })
            .collect()
    }

    /// The message whose parts, one after the other, hold or begin with these bytes.
    pub(crate) fn from_parts(id: MessageId, sent_at_millis: i64, bytes: &[u8]) -> Self {
        let (kind, payload) = bytes.split_first().unwrap_or((&0, &[]));
        let payload = payload.to_vec();
        Self {
            id,
            sent_at_millis,
            kind: *kind,
            payload,
        }
    }

    /// Ends with a whole character, if the payload was cut off.
    pub(crate) fn ending_well(mut self) -> Self {
        let is_text = |end: &usize| {
            let payload = self.payload.get(..*end);
            payload.is_some_and(|payload| text(self.kind, payload).is_some())
        };
        let end = (0..=self.payload.len()).rev().take(4).find(is_text);
        self.payload.truncate(end.unwrap_or(usize::MAX));
        self
    }
}

fn encode(id: MessageId, sent_at_millis: i64, kind: u8, payload: &[&[u8]]) -> Vec<u8> {
    let payload = payload.concat();
    let mut bytes = Vec::with_capacity(25 + payload.len());
    bytes.push(kind);
    bytes.extend_from_slice(&id.0);
    bytes.extend_from_slice(&sent_at_millis.to_be_bytes());
    bytes.extend_from_slice(&payload);
    bytes
}

/// The text in a message of this kind, if it has one: what is shown of it, and found.
pub(crate) fn text(kind: u8, payload: &[u8]) -> Option<&str> {
    let text = match kind {
        TEXT => payload,
        REPLY => {
            Fields::read(payload)
                .filter(|fields| fields.are_known)?
                .text
        }
        _ => return None,
    };
    std::str::from_utf8(text).ok()
}

/// What a reply holds.
struct Fields<'a> {
    answered: Option<Answered>,
    /// There is none without which the message is not understood.
    are_known: bool,
    text: &'a [u8],
}

impl<'a> Fields<'a> {
    /// `None` when they are malformed.
    fn read(payload: &'a [u8]) -> Option<Self> {
        let (length, rest) = payload.split_first_chunk::<2>()?;
        let (mut fields, text) = rest.split_at_checked(u16::from_be_bytes(*length).into())?;
        let mut read = Self {
            answered: None,
            are_known: true,
            text,
        };
        while let [tag, length, rest @ ..] = fields {
            let (value, rest) = rest.split_at_checked(usize::from(*length))?;
            match (*tag, value) {
                (ANSWERED, [author @ (0 | 1), id @ ..]) => {
                    let id = MessageId(id.try_into().ok()?);
                    let is_own = *author == 0;
                    read.answered = Some(Answered { is_own, id });
                }
                (ANSWERED, _) => return None,
                (tag, _) => read.are_known &= tag < ESSENTIAL,
            }
            fields = rest;
        }
        fields.is_empty().then_some(read)
    }
}

/// A stretch of a message that is too long to travel in one piece.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Part {
    /// The whole message's id.
    pub(crate) whole: MessageId,
    pub(crate) index: u16,
    pub(crate) count: u16,
    pub(crate) bytes: Vec<u8>,
}

impl Part {
    fn read(payload: &[u8]) -> Option<Self> {
        let (id, rest) = payload.split_first_chunk::<16>()?;
        let (index, rest) = rest.split_first_chunk::<2>()?;
        let (count, bytes) = rest.split_first_chunk::<2>()?;
        let part = Self {
            whole: MessageId(*id),
            index: u16::from_be_bytes(*index),
            count: u16::from_be_bytes(*count),
            bytes: bytes.to_vec(),
        };
        let is_sound = part.index < part.count
            && part.count <= PARTS_MAX
            && !part.bytes.is_empty()
            && part.bytes.len() <= PART_BYTES_MAX;
        is_sound.then_some(part)
    }
}

/// What an opened message holds.
pub(crate) enum Content {
    /// Something to show.
    Shown(Shown),
    /// A part of something to show, and when that was sent.
    Part(Part, i64),
    /// How far messages of ours have come.
    Receipt(Receipt),
    /// Its author is writing.
    Typing,
    /// Its author has lost all other sessions with the reader.
    Greeting,
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
    /// The bytes to seal for [`Content::Typing`].
    pub(crate) const TYPING: [u8; 1] = [TYPING];
    /// The bytes to seal for [`Content::Greeting`].
    pub(crate) const GREETING: [u8; 1] = [GREETING];

    /// Reads opened bytes; `None` when they are malformed.
    pub(crate) fn decode(bytes: &[u8]) -> Option<Self> {
        let (&kind, rest) = bytes.split_first()?;
        if kind >= UNSEEN {
            return match kind {
                RECEIPT => Receipt::decode(rest).map(Self::Receipt),
                TYPING => Some(Self::Typing),
                GREETING => Some(Self::Greeting),
                _ => Some(Self::Ignored),
            };
        }
        let (id, rest) = rest.split_first_chunk::<16>()?;
        let (sent_at, payload) = rest.split_first_chunk::<8>()?;
        let sent_at_millis = i64::from_be_bytes(*sent_at);
        let is_sound = match kind {
            PART => return Part::read(payload).map(|part| Self::Part(part, sent_at_millis)),
            TEXT => std::str::from_utf8(payload).is_ok(),
            REPLY => std::str::from_utf8(Fields::read(payload)?.text).is_ok(),
            _ => true,
        };
        is_sound.then(|| {
            Self::Shown(Shown {
                id: MessageId(*id),
                sent_at_millis,
                kind,
                payload: payload.to_vec(),
            })
        })
    }
}
