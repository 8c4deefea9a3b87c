//! A peer's prekeys, verified: the only door to a new session (PROTOCOL §2.7).

use std::fmt;

use thiserror::Error;

use crate::prekey::{PrekeyKind, PrekeyRecord};
use crate::public_identity::PublicIdentity;

/// Why a bundle cannot be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum BundleError {
    /// A record has another form, version or kind than it should have.
    #[error("malformed prekey record")]
    Malformed,
    /// The peer did not sign a record.
    #[error("prekey record not authentic")]
    NotAuthentic,
    /// A record's time is over.
    #[error("prekey expired at {not_after_secs}")]
    Expired {
        /// Its last second, Unix time.
        not_after_secs: u64,
    },
}

/// A peer's identity with a signed prekey, and a one-time prekey if the relay had one left.
pub struct VerifiedBundle {
    peer: PublicIdentity,
    signed: PrekeyRecord,
    one_time: Option<PrekeyRecord>,
}

impl VerifiedBundle {
    /// Verifies the records that the relay gave for `peer`; `now_secs` is Unix time in seconds.
    ///
    /// # Errors
    /// [`BundleError`]; bytes of any origin are safe to pass.
    ///
    /// # Security
    /// `peer` must be the identity that the person chose, never one that came with the bundle.
    pub fn verify(
        peer: &PublicIdentity,
        signed: &[u8],
        one_time: Option<&[u8]>,
        now_secs: u64,
    ) -> Result<Self, BundleError> {
        let check = |bytes, kind| {
            let (record, signature) = PrekeyRecord::decode(bytes).ok_or(BundleError::Malformed)?;
            if record.kind != kind {
                return Err(BundleError::Malformed);
            }
            if !record.is_signed_by(peer, &signature) {
                return Err(BundleError::NotAuthentic);
            }
            if record.not_after_secs < now_secs {
                let not_after_secs = record.not_after_secs;
                return Err(BundleError::Expired { not_after_secs });
            }
            Ok(record)
        };
        let signed = check(signed, PrekeyKind::Signed)?;
        let one_time = one_time
            .map(|bytes| check(bytes, PrekeyKind::OneTime))
            .transpose()?;
        Ok(Self {
            peer: peer.clone(),
            signed,
            one_time,
        })
    }

    pub(crate) fn peer(&self) -> &PublicIdentity {
        &self.peer
    }

    pub(crate) fn signed(&self) -> &PrekeyRecord {
        &self.signed
    }

    pub(crate) fn one_time(&self) -> Option<&PrekeyRecord> {
        self.one_time.as_ref()
    }
}

impl fmt::Debug for VerifiedBundle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            peer,
            signed,
            one_time,
        } = self;
        f.debug_struct("VerifiedBundle")
            .field("peer", peer)
            .field("signed", &signed.id)
            .field("one_time", &one_time.as_ref().map(|record| record.id))
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::prekey::PrekeySecret;
    use crate::testing::{alice, bob, rng};

    fn records() -> (Vec<u8>, Vec<u8>) {
        let make = |kind| PrekeySecret::generate(kind, 1, 100, &mut rng(1)).record(bob());
        (make(PrekeyKind::Signed), make(PrekeyKind::OneTime))
    }

    #[test]
    fn accepts_records_until_their_last_second() {
        let (signed, one_time) = records();
        assert_eq!(signed.len(), 1294);
        let verify = |now| VerifiedBundle::verify(bob().public(), &signed, Some(&one_time), now);
        assert!(verify(100).is_ok());
        assert!(matches!(
            verify(101),
            Err(BundleError::Expired {
                not_after_secs: 100
            })
        ));
    }

    #[test]
    fn refuses_swapped_kinds_and_records_of_somebody_else() {
        let (signed, one_time) = records();
        let verify = |peer, signed: &[u8], one_time: Option<&[u8]>| {
            VerifiedBundle::verify(peer, signed, one_time, 0).err()
        };
        let malformed = Some(BundleError::Malformed);
        assert_eq!(verify(bob().public(), &one_time, None), malformed);
        assert_eq!(verify(bob().public(), &signed, Some(&signed)), malformed);
        let relabelled = [&signed[..1], &[2], &signed[2..]].concat();
        let forged = Some(BundleError::NotAuthentic);
        assert_eq!(verify(bob().public(), &signed, Some(&relabelled)), forged);
        assert_eq!(verify(alice().public(), &signed, None), forged);
    }

    #[test]
    fn refuses_every_changed_byte_and_every_truncation() {
        let (signed, _) = records();
        for at in 0..signed.len() {
            let mut changed = signed.clone();
            changed[at] ^= 1;
            assert!(
                VerifiedBundle::verify(bob().public(), &changed, None, 0).is_err(),
                "{at}"
            );
            assert!(VerifiedBundle::verify(bob().public(), &signed[..at], None, 0).is_err());
        }
    }
}
