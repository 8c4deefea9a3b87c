//! What sealing, opening and accepting give back: always with the next session.

use std::fmt;

use zeroize::Zeroizing;

use super::Session;
use crate::public_identity::PublicIdentity;

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
    /// The message that came with the handshake.
    pub plaintext: Zeroizing<Vec<u8>>,
}

impl fmt::Debug for Accepted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            session,
            peer,
            plaintext: _,
        } = self;
        f.debug_struct("Accepted")
            .field("session", session)
            .field("peer", peer)
            .finish_non_exhaustive()
    }
}
