//! Prekeys: X-Wing keys that let others start a session while their owner is offline
//! (PROTOCOL §2.6).

use std::fmt;

use rand::CryptoRng;
use zeroize::Zeroizing;

use crate::codec::{Reader, Writer};
use crate::identity::Identity;
use crate::ids::DeviceId;
use crate::kem::{KemPublic, KemSecret, PUBLIC_BYTES};
use crate::public_identity::PublicIdentity;
use crate::signature;
use crate::stored::StoredError;

const VERSION: u8 = 1;
const STORED_VERSION: u8 = 1;
const LABEL: &[u8] = b"Sotto/1 prekey";

/// How often a prekey may serve.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum PrekeyKind {
    /// For many sessions, until it is replaced: the fallback when no one-time prekey is left.
    Signed,
    /// For one session.
    OneTime,
}

impl PrekeyKind {
    const fn byte(self) -> u8 {
        match self {
            Self::Signed => 1,
            Self::OneTime => 2,
        }
    }

    const fn from_byte(byte: u8) -> Option<Self> {
        match byte {
            1 => Some(Self::Signed),
            2 => Some(Self::OneTime),
            _ => None,
        }
    }
}

/// The secret half of a prekey, kept as its seed.
pub struct PrekeySecret {
    kind: PrekeyKind,
    id: u32,
    not_after_secs: u64,
    seed: Zeroizing<[u8; 32]>,
}

impl PrekeySecret {
    /// Makes a prekey; `id` names it among its owner's, `not_after_secs` (Unix time in seconds) is
    /// the last moment at which others may start a session with it.
    pub fn generate(
        kind: PrekeyKind,
        id: u32,
        not_after_secs: u64,
        rng: &mut (impl CryptoRng + ?Sized),
    ) -> Self {
        let mut seed = Zeroizing::new([0; 32]);
        rng.fill_bytes(seed.as_mut_slice());
        Self {
            kind,
            id,
            not_after_secs,
            seed,
        }
    }

    /// The number that a handshake names it by.
    pub fn id(&self) -> u32 {
        self.id
    }

    /// Whether it serves once or often.
    pub fn kind(&self) -> PrekeyKind {
        self.kind
    }

    /// Last moment at which others may start a session with it, Unix time in seconds.
    pub fn not_after_secs(&self) -> u64 {
        self.not_after_secs
    }

    /// The signed public record that the relay hands out, 1,294 bytes (PROTOCOL §2.6).
    pub fn record(&self, identity: &Identity) -> Vec<u8> {
        let record = PrekeyRecord {
            kind: self.kind,
            id: self.id,
            not_after_secs: self.not_after_secs,
            public: self.expand().public(),
        };
        let owner = identity.public().device_id();
        let signed = record.signed_parts(owner);
        let signature = signature::sign(&identity.device_key, &signed.each_ref().map(|p| &**p));
        record.encode(&signature)
    }

    /// The stored record `StoredPrekeyV1`, 46 bytes (PROTOCOL §9.2).
    ///
    /// # Security
    /// Holds the secret; it belongs into the encrypted vault.
    pub fn to_stored(&self) -> Zeroizing<Vec<u8>> {
        Writer::with_capacity(46)
            .u8(STORED_VERSION)
            .u8(self.kind.byte())
            .u32(self.id)
            .u64(self.not_after_secs)
            .raw(self.seed.as_slice())
            .secret()
    }

    /// Reads a stored record.
    ///
    /// # Errors
    /// [`StoredError`]; no bytes panic.
    pub fn from_stored(bytes: &[u8]) -> Result<Self, StoredError> {
        let mut reader = StoredError::reader(bytes, STORED_VERSION)?;
        let mut read = || {
            let secret = Self {
                kind: PrekeyKind::from_byte(reader.u8()?)?,
                id: reader.u32()?,
                not_after_secs: reader.u64()?,
                seed: Zeroizing::new(reader.array()?),
            };
            reader.finish()?;
            Some(secret)
        };
        read().ok_or(StoredError::Malformed)
    }

    /// The key itself, which is some kilobytes large and used once or seldom.
    pub(crate) fn expand(&self) -> KemSecret {
        KemSecret::from_seed(&self.seed)
    }
}

impl fmt::Debug for PrekeySecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            kind,
            id,
            not_after_secs,
            seed: _,
        } = self;
        f.debug_struct("PrekeySecret")
            .field("kind", kind)
            .field("id", id)
            .field("not_after_secs", not_after_secs)
            .finish_non_exhaustive()
    }
}

/// A prekey as others see it.
#[derive(Clone)]
pub(crate) struct PrekeyRecord {
    pub(crate) kind: PrekeyKind,
    pub(crate) id: u32,
    pub(crate) not_after_secs: u64,
    pub(crate) public: KemPublic,
}

impl PrekeyRecord {
    pub(crate) const BYTES: usize = 1 + 1 + 4 + 8 + PUBLIC_BYTES + signature::SIGNATURE_BYTES;

    /// What `ik_sig` signs: label, kind, owner, id, end and key.
    fn signed_parts(&self, owner: DeviceId) -> [Vec<u8>; 6] {
        [
            LABEL.to_vec(),
            vec![self.kind.byte()],
            owner.as_bytes().to_vec(),
            self.id.to_be_bytes().to_vec(),
            self.not_after_secs.to_be_bytes().to_vec(),
            self.public.as_bytes().to_vec(),
        ]
    }

    /// The record with its signature.
    pub(crate) fn encode(&self, signature: &[u8; signature::SIGNATURE_BYTES]) -> Vec<u8> {
        Writer::with_capacity(Self::BYTES)
            .u8(VERSION)
            .u8(self.kind.byte())
            .u32(self.id)
            .u64(self.not_after_secs)
            .raw(self.public.as_bytes())
            .raw(signature)
            .public()
    }

    /// Reads a record without looking at its signature, which comes back beside it.
    pub(crate) fn decode(bytes: &[u8]) -> Option<(Self, [u8; signature::SIGNATURE_BYTES])> {
        if bytes.len() != Self::BYTES {
            return None;
        }
        let mut reader = Reader::new(bytes);
        if reader.u8()? != VERSION {
            return None;
        }
        let record = Self {
            kind: PrekeyKind::from_byte(reader.u8()?)?,
            id: reader.u32()?,
            not_after_secs: reader.u64()?,
            public: KemPublic::decode(reader.raw(PUBLIC_BYTES)?)?,
        };
        Some((record, reader.array()?))
    }

    /// Whether `owner` signed this record.
    pub(crate) fn is_signed_by(
        &self,
        owner: &PublicIdentity,
        signature: &[u8; signature::SIGNATURE_BYTES],
    ) -> bool {
        let signed = self.signed_parts(owner.device_id());
        let parts = signed.each_ref().map(|part| &**part);
        signature::verify(&owner.device_key(), &parts, signature)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{alice, rng, to_hex};

    #[test]
    fn survives_its_stored_record() {
        let prekey = PrekeySecret::generate(PrekeyKind::OneTime, 7, 9, &mut rng(1));
        let stored = prekey.to_stored();
        let read = PrekeySecret::from_stored(&stored).unwrap();
        assert_eq!(
            (read.kind(), read.id(), read.not_after_secs()),
            (PrekeyKind::OneTime, 7, 9)
        );
        assert_eq!(read.record(alice()), prekey.record(alice()));
        for length in 0..stored.len() {
            assert!(PrekeySecret::from_stored(&stored[..length]).is_err());
        }
        assert!(PrekeySecret::from_stored(&[&stored[..], &[0]].concat()).is_err());
        let mut newer = stored.to_vec();
        newer[0] = 9;
        assert_eq!(
            PrekeySecret::from_stored(&newer).err(),
            Some(StoredError::Newer { version: 9 })
        );
    }

    #[test]
    fn the_frozen_sample_is_still_readable() {
        let sample = format!("0101{:08x}{:016x}{}", 5, 1000, "2a".repeat(32));
        let read = PrekeySecret::from_stored(&crate::testing::from_hex(&sample)).unwrap();
        assert_eq!(
            (read.kind(), read.id(), read.not_after_secs()),
            (PrekeyKind::Signed, 5, 1000)
        );
        assert_eq!(*read.seed, [0x2a; 32]);
        assert_eq!(to_hex(&read.to_stored()), sample);
    }

    #[test]
    fn debug_shows_no_secret() {
        let prekey = PrekeySecret::from_stored(&crate::testing::from_hex(&format!(
            "0101{:08x}{:016x}{}",
            5,
            1000,
            "2a".repeat(32)
        )));
        let shown = format!("{:?}", prekey.unwrap());
        assert!(!shown.contains("42") && !shown.contains("2a"), "{shown}");
    }
}
