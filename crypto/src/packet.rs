//! The bytes that the relay carries from device to device (PROTOCOL §5.1).

use std::fmt;

use thiserror::Error;

use crate::aead::TAG_BYTES;
use crate::codec::Reader;
use crate::group::CAPSULE_BYTES;
use crate::handshake::HandshakeView;
use crate::header;
use crate::padding::PADDED_BYTES_MIN;

/// Upper bound in bytes of a packet: every sealed packet fits, whatever it carries.
pub const ENVELOPE_BYTES_MAX: usize = 64 * 1024;
/// Upper bound in bytes of a plaintext: padded, with a handshake and the largest identity in front,
/// it still fits an envelope.
pub const PLAINTEXT_BYTES_MAX: usize = 52 * 1024 - 1;

/// Version, flags, tag and `r16`.
pub(crate) const PREFIX_BYTES: usize = 2 + 16 + 16;
/// First byte of every packet.
pub(crate) const VERSION: u8 = 1;
/// The packet starts with a handshake.
pub(crate) const HANDSHAKE: u8 = 0b001;
/// The handshake used a one-time prekey.
pub(crate) const ONE_TIME: u8 = 0b010;
/// The header announces a ratchet step.
pub(crate) const STEP: u8 = 0b100;

/// Why a packet was not opened.
///
/// Everything that depends on a key is one variant, so that nobody learns which check failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum OpenError {
    /// The bytes are no packet; seen without any key.
    #[error("malformed packet")]
    Malformed,
    /// The packet does not belong here, was opened before, or was changed.
    #[error("packet not authentic")]
    NotAuthentic,
}

/// A packet taken apart, nothing of it verified.
#[derive(Clone, Copy)]
pub struct Packet<'a> {
    prefix: [u8; 2],
    pub(crate) handshake: Option<HandshakeView<'a>>,
    digest: Option<[u8; 32]>,
    pub(crate) tag: [u8; 16],
    nonce: [u8; 16],
    pub(crate) header: &'a [u8],
    pub(crate) body: &'a [u8],
}

/// What header and body of a packet are bound to (PROTOCOL §5.2, §5.3).
#[derive(Clone, Copy)]
pub(crate) struct Binding<'a> {
    /// Version and flags.
    pub(crate) prefix: [u8; 2],
    /// The handshake's digest, or nothing.
    pub(crate) handshake: &'a [u8],
    pub(crate) tag: &'a [u8; 16],
    /// `r16`.
    pub(crate) nonce: &'a [u8; 16],
}

/// What a packet with a handshake shows to its recipient before it is opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HandshakeRef {
    signed_prekey_id: u32,
    one_time_prekey_id: Option<u32>,
    digest: [u8; 32],
}

impl HandshakeRef {
    /// The recipient's signed prekey.
    pub fn signed_prekey_id(&self) -> u32 {
        self.signed_prekey_id
    }

    /// The recipient's one-time prekey, if the sender got one.
    pub fn one_time_prekey_id(&self) -> Option<u32> {
        self.one_time_prekey_id
    }

    /// ``H("Sotto/1 skx digest" || one-time flag || handshake)``, 32 bytes.
    ///
    /// # Security
    /// Whoever accepts a handshake keeps its digest for as long as the signed prekey, and accepts
    /// no handshake whose digest it holds (PROTOCOL §3.4).
    pub fn digest(&self) -> [u8; 32] {
        self.digest
    }
}

impl Packet<'_> {
    /// Takes a packet apart; copies nothing.
    ///
    /// # Errors
    /// [`OpenError::Malformed`] for bytes that are no packet, or of a version not known here.
    pub fn parse(bytes: &[u8]) -> Result<Packet<'_>, OpenError> {
        if bytes.len() > ENVELOPE_BYTES_MAX {
            return Err(OpenError::Malformed);
        }
        Packet::read(Reader::new(bytes)).ok_or(OpenError::Malformed)
    }

    fn read(mut reader: Reader<'_>) -> Option<Packet<'_>> {
        let prefix @ [version, flags] = reader.array()?;
        let known = matches!(flags, 0 | STEP | HANDSHAKE) || flags == HANDSHAKE | ONE_TIME;
        if version != VERSION || !known {
            return None;
        }
        let handshake = if flags & HANDSHAKE == 0 {
            None
        } else {
            Some(HandshakeView::read(&mut reader, flags & ONE_TIME != 0)?)
        };
        let tag = reader.array()?;
        let nonce = reader.array()?;
        let header = reader.raw(header::sealed_bytes(flags & STEP != 0))?;
        let body = reader.rest();
        let holds_something =
            body.len() >= PADDED_BYTES_MIN + TAG_BYTES || body.len() == CAPSULE_BYTES + TAG_BYTES;
        holds_something.then(|| Packet {
            prefix,
            digest: handshake.map(|view| view.digest()),
            handshake,
            tag,
            nonce,
            header,
            body,
        })
    }

    /// The tag by which a recipient finds its session, 16 bytes ([`expects`](crate::Session::expects)).
    pub fn tag(&self) -> [u8; 16] {
        self.tag
    }

    /// The handshake in front, if the sender does not yet know that the session was accepted.
    pub fn handshake(&self) -> Option<HandshakeRef> {
        let (view, digest) = (self.handshake?, self.digest?);
        Some(HandshakeRef {
            signed_prekey_id: view.signed_id,
            one_time_prekey_id: view.one_time.map(|(id, _)| id),
            digest,
        })
    }

    pub(crate) fn binding(&self) -> Binding<'_> {
        Binding {
            prefix: self.prefix,
            handshake: self.digest.as_ref().map_or(&[], |digest| digest),
            tag: &self.tag,
            nonce: &self.nonce,
        }
    }
}

impl fmt::Debug for Packet<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            prefix,
            handshake,
            digest: _,
            tag: _,
            nonce: _,
            header: _,
            body,
        } = self;
        f.debug_struct("Packet")
            .field("prefix", prefix)
            .field("handshake", &handshake.is_some())
            .field("body_bytes", &body.len())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refuses_other_versions_unknown_flags_and_short_bodies() {
        let smallest = |version: u8, flags: u8, rest: usize| {
            let bytes = [&[version, flags][..], &vec![0; rest]].concat();
            Packet::parse(&bytes).map(|packet| packet.body.len())
        };
        let rest = 16 + 16 + 32 + 272;
        assert_eq!(smallest(1, 0, rest), Ok(272));
        assert_eq!(smallest(1, 0, rest - 1), Err(OpenError::Malformed));
        assert_eq!(smallest(2, 0, rest), Err(OpenError::Malformed));
        assert_eq!(smallest(1, 8, rest), Err(OpenError::Malformed));
        assert_eq!(smallest(1, ONE_TIME, 9000), Err(OpenError::Malformed));
        assert_eq!(
            smallest(1, HANDSHAKE | STEP, 9000),
            Err(OpenError::Malformed)
        );
        assert_eq!(smallest(1, STEP, 9000), Ok(9000 - 32 - 32 - 2336));
        assert_eq!(
            smallest(1, 0, ENVELOPE_BYTES_MAX),
            Err(OpenError::Malformed)
        );
        assert_eq!(Packet::parse(&[]).err(), Some(OpenError::Malformed));
    }
}
