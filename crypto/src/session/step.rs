//! What sealing, opening and accepting give back: always with the next session.

use std::fmt;

use zeroize::Zeroizing;

use super::Session;
use crate::group::{CAPSULE_BYTES, Capsule};
use crate::padding;
use crate::public_identity::PublicIdentity;

/// What a packet held. Its author is the peer of the session that opened it.
pub enum Opened {
    /// What the peer gave to [`Session::seal`].
    Text(Zeroizing<Vec<u8>>),
    /// What opens a message to a group.
    Capsule(Capsule),
}

impl Opened {
    /// The text, if it is one.
    pub fn text(&self) -> Option<&[u8]> {
        match self {
            Self::Text(text) => Some(text),
            Self::Capsule(_) => None,
        }
    }

    /// A body of exactly 64 bytes is a capsule; every other one is padded text (PROTOCOL §5.3).
    pub(super) fn decode(body: Zeroizing<Vec<u8>>) -> Option<Self> {
        if body.len() == CAPSULE_BYTES {
            return Capsule::decode(&body).map(Self::Capsule);
        }
        padding::unpad(body).map(Self::Text)
    }
}

impl fmt::Debug for Opened {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(_) => f.write_str("Text"),
            Self::Capsule(capsule) => capsule.fmt(f),
        }
    }
}

/// An output, and the session that must take the place of the one that made it.
///
/// Both belong into one transaction, and only then may the output leave (PROTOCOL §4.6).
#[must_use = "the next session must be stored together with the output"]
pub struct Step<T> {
    /// The session after this step.
    pub next: Session,
    /// A sealed packet, or an opened plaintext.
    pub output: T,
}

impl<T> fmt::Debug for Step<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { next, output: _ } = self;
        f.debug_struct("Step")
            .field("next", next)
            .finish_non_exhaustive()
    }
}

/// A session that a peer started, with the first message opened from it.
#[must_use = "the session must be stored together with the message"]
pub struct Accepted {
    /// The new session.
    pub session: Session,
    /// Who started it, verified.
    pub peer: PublicIdentity,
    /// What came with the handshake.
    pub opened: Opened,
}

impl fmt::Debug for Accepted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            session,
            peer,
            opened: _,
        } = self;
        f.debug_struct("Accepted")
            .field("session", session)
            .field("peer", peer)
            .finish_non_exhaustive()
    }
}
