//! Messages to a group: sealed once for all, with a capsule for each member (PROTOCOL §10).
//!
//! ```text
//!              body   sealed once under a random key, the same bytes for everybody
//! text ──────►
//!              capsule   that key and the body's id, 64 bytes ──► Session::seal_capsule, for each
//!                                                                 device of each member
//! ```

use std::fmt;

use rand::CryptoRng;
use subtle::ConstantTimeEq;
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

use crate::aead;
use crate::codec::Reader;
use crate::ids::{AccountId, DeviceId, GroupId, GroupMessageId, MembersHash};
use crate::kdf;
use crate::packet::{OpenError, PLAINTEXT_BYTES_MAX};
use crate::padding;
use crate::session::SealError;

const VERSION: u8 = 1;
const COMMITMENT_BYTES: usize = 32;
/// Size in bytes of a capsule.
pub(crate) const CAPSULE_BYTES: usize = 64;

impl MembersHash {
    /// ``H("Sotto/1 group members" || account id || …)`` over the members' accounts in ascending
    /// order, each once.
    pub fn of(members: impl IntoIterator<Item = AccountId>) -> Self {
        let mut members: Vec<_> = members.into_iter().collect();
        members.sort_unstable();
        members.dedup();
        let mut parts: Vec<&[u8]> = vec![b"Sotto/1 group members"];
        parts.extend(members.iter().map(|member| member.as_bytes().as_slice()));
        Self::from_bytes(kdf::hash(&parts))
    }
}

/// Where a group message belongs: everything that it is bound to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GroupContext {
    /// The group.
    pub group: GroupId,
    /// How often its membership has changed.
    pub epoch: u32,
    /// Who is in it.
    pub members: MembersHash,
    /// The device that wrote the message. When opening: the peer of the session that the capsule
    /// came through ([`Session::peer`](crate::Session::peer)).
    pub sender: DeviceId,
    /// The message of the sender in this group before this one; zeros for its first.
    pub previous: GroupMessageId,
}

impl GroupContext {
    /// ``T = H("Sotto/1 group context" || group || epoch || members || sender || previous)``
    fn hash(&self) -> [u8; 32] {
        let Self {
            group,
            epoch,
            members,
            sender,
            previous,
        } = self;
        kdf::hash(&[
            b"Sotto/1 group context",
            group.as_bytes(),
            &epoch.to_be_bytes(),
            members.as_bytes(),
            sender.as_bytes(),
            previous.as_bytes(),
        ])
    }

    /// Seals `plaintext` (at most 53,247 bytes) for the group: the body, at most 53,297 bytes, and
    /// the capsule that opens it.
    ///
    /// # Errors
    /// [`SealError::TooLong`].
    pub fn seal(
        &self,
        plaintext: &[u8],
        rng: &mut (impl CryptoRng + ?Sized),
    ) -> Result<(Vec<u8>, Capsule), SealError> {
        SealError::check_length(plaintext)?;
        let mut key = Zeroizing::new([0; 32]);
        rng.fill_bytes(key.as_mut_slice());
        let context = self.hash();
        let keys = BodyKeys::derive(&context, &key);
        let padded_bytes = padding::padded_bytes(plaintext.len());
        let start = 1 + COMMITMENT_BYTES;
        let mut body = Vec::with_capacity(start + padded_bytes + aead::TAG_BYTES);
        body.push(VERSION);
        body.extend_from_slice(keys.commitment.as_slice());
        padding::pad_onto(&mut body, plaintext);
        aead::seal_tail(&keys.key, &keys.nonce, &context, &mut body, start);
        let id = GroupMessageId::of(&body);
        Ok((body, Capsule { key: *key, id }))
    }

    /// Opens a body with the capsule that came for it.
    ///
    /// # Errors
    /// [`OpenError::NotAuthentic`], whatever was wrong.
    pub fn open(&self, capsule: &Capsule, body: &[u8]) -> Result<Zeroizing<Vec<u8>>, OpenError> {
        self.opened(capsule, body).ok_or(OpenError::NotAuthentic)
    }

    fn opened(&self, capsule: &Capsule, body: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
        if GroupMessageId::of(body) != capsule.id {
            return None;
        }
        let mut reader = Reader::new(body);
        if reader.u8()? != VERSION {
            return None;
        }
        let commitment: [u8; COMMITMENT_BYTES] = reader.array()?;
        let context = self.hash();
        let keys = BodyKeys::derive(&context, &capsule.key);
        if !bool::from(keys.commitment.ct_eq(&commitment)) {
            return None;
        }
        let sealed = reader.rest();
        if sealed.len() > PLAINTEXT_BYTES_MAX + 1 + aead::TAG_BYTES {
            return None;
        }
        padding::unpad(aead::open(&keys.key, &keys.nonce, &context, sealed)?)
    }
}

/// ``com || K || N = HKDF-Expand(HKDF-Extract(salt T, key), "Sotto/1 group body", 76)``
struct BodyKeys {
    commitment: Zeroizing<[u8; 32]>,
    key: Zeroizing<[u8; 32]>,
    nonce: [u8; 12],
}

impl BodyKeys {
    fn derive(context: &[u8; 32], key: &[u8; 32]) -> Self {
        let prk = kdf::extract(context, &[key]);
        let output = kdf::expand::<76>(&prk, &[b"Sotto/1 group body"]);
        Self {
            commitment: kdf::part(&output, 0),
            key: kdf::part(&output, 1),
            nonce: kdf::nonce(&output, 64),
        }
    }
}

impl GroupMessageId {
    /// ``H("Sotto/1 group message" || body)``
    fn of(body: &[u8]) -> Self {
        Self::from_bytes(kdf::hash(&[b"Sotto/1 group message", body]))
    }
}

/// What opens one group message, and names it: 64 bytes that travel through the session with each
/// member's device.
#[derive(Clone, PartialEq, Eq, Zeroize, ZeroizeOnDrop)]
pub struct Capsule {
    key: [u8; 32],
    #[zeroize(skip)]
    id: GroupMessageId,
}

impl Capsule {
    /// The message that it opens. Replies and receipts name it, so that members who were sent
    /// different bodies notice.
    pub fn id(&self) -> GroupMessageId {
        self.id
    }

    /// The same key for another body, as a sender could make it.
    #[cfg(test)]
    pub(crate) fn naming(&self, body: &[u8]) -> Self {
        Self {
            key: self.key,
            id: GroupMessageId::of(body),
        }
    }

    /// ``key 32 || id 32``
    pub(crate) fn encode(&self) -> Zeroizing<[u8; CAPSULE_BYTES]> {
        let mut bytes = Zeroizing::new([0; CAPSULE_BYTES]);
        let parts = self.key.iter().chain(self.id.as_bytes());
        for (to, from) in bytes.iter_mut().zip(parts) {
            *to = *from;
        }
        bytes
    }

    /// Any 64 bytes are a capsule; whether it opens something shows with the body.
    pub(crate) fn decode(bytes: &[u8]) -> Option<Self> {
        let mut reader = Reader::new(bytes);
        let capsule = Self {
            key: reader.array()?,
            id: GroupMessageId::from_bytes(reader.array()?),
        };
        reader.finish()?;
        Some(capsule)
    }
}

impl fmt::Debug for Capsule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { key: _, id } = self;
        f.debug_struct("Capsule")
            .field("id", id)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::rng;

    fn context() -> GroupContext {
        let account = |byte| AccountId::from_bytes([byte; 32]);
        GroupContext {
            group: GroupId::from_bytes([1; 32]),
            epoch: 2,
            members: MembersHash::of([account(3), account(4)]),
            sender: DeviceId::from_bytes([5; 32]),
            previous: GroupMessageId::from_bytes([0; 32]),
        }
    }

    #[test]
    fn opens_with_its_capsule_in_its_place_and_nowhere_else() {
        let place = context();
        let (body, capsule) = place.seal(b"to all", &mut rng(1)).unwrap();
        assert_eq!(body.len(), 1 + 32 + 256 + 16);
        assert_eq!(place.open(&capsule, &body).unwrap().as_slice(), b"to all");
        let zero = GroupMessageId::from_bytes([0; 32]);
        let other = DeviceId::from_bytes([9; 32]);
        let account = AccountId::from_bytes([3; 32]);
        for elsewhere in [
            GroupContext {
                group: GroupId::from_bytes([9; 32]),
                ..place
            },
            GroupContext { epoch: 3, ..place },
            GroupContext {
                members: MembersHash::of([account]),
                ..place
            },
            GroupContext {
                sender: other,
                ..place
            },
            GroupContext {
                previous: capsule.id(),
                ..place
            },
        ] {
            assert_ne!(elsewhere, place);
            let refused = elsewhere.open(&capsule, &body).err();
            assert_eq!(refused, Some(OpenError::NotAuthentic), "{elsewhere:?}");
        }
        let (other_body, other_capsule) = place.seal(b"to all", &mut rng(2)).unwrap();
        assert!(place.open(&other_capsule, &body).is_err());
        assert!(place.open(&capsule, &other_body).is_err());
        assert_ne!(other_capsule.id(), capsule.id());
        assert_ne!(capsule.id(), zero);
    }

    /// Even a sender who chooses keys and bodies freely cannot make one body that two capsules
    /// open: the id alone, without the commitment, would not prevent that.
    #[test]
    fn a_body_is_committed_to_its_key_and_its_place() {
        let place = context();
        let (body, capsule) = place.seal(b"one", &mut rng(1)).unwrap();
        let mut rekeyed = capsule.clone();
        rekeyed.key[0] ^= 1;
        assert_eq!(rekeyed.id(), capsule.id());
        assert!(place.open(&rekeyed, &body).is_err());
        // A body whose commitment is another's, with the right id in the capsule.
        let keys = BodyKeys::derive(&place.hash(), &capsule.key);
        let mut uncommitted = body.clone();
        uncommitted[1] ^= 1;
        let relabelled = capsule.naming(&uncommitted);
        let sealed = &uncommitted[1 + COMMITMENT_BYTES..];
        assert!(aead::open(&keys.key, &keys.nonce, &place.hash(), sealed).is_some());
        assert!(place.open(&relabelled, &uncommitted).is_err());
    }

    #[test]
    fn refuses_every_changed_byte_and_every_truncation() {
        let place = context();
        let (body, capsule) = place.seal(b"to all", &mut rng(1)).unwrap();
        let refused = |body: &[u8]| {
            let relabelled = capsule.naming(body);
            place.open(&capsule, body).is_err() && place.open(&relabelled, body).is_err()
        };
        for at in 0..body.len() {
            let mut changed = body.clone();
            changed[at] ^= 1;
            assert!(refused(&changed), "byte {at}");
            assert!(refused(&body[..at]), "cut at {at}");
        }
        assert!(refused(&[&body[..], &[0]].concat()), "a trailing byte");
    }

    #[test]
    fn takes_texts_up_to_their_bound() {
        let place = context();
        let largest = vec![1; PLAINTEXT_BYTES_MAX];
        let (body, capsule) = place.seal(&largest, &mut rng(1)).unwrap();
        assert_eq!(body.len(), 53_297);
        assert_eq!(place.open(&capsule, &body).unwrap().as_slice(), largest);
        let bytes = PLAINTEXT_BYTES_MAX + 1;
        let bytes_max = PLAINTEXT_BYTES_MAX;
        let refused = place.seal(&vec![1; bytes], &mut rng(1)).err();
        assert_eq!(refused, Some(SealError::TooLong { bytes, bytes_max }));
    }

    #[test]
    fn the_order_of_members_does_not_matter_and_everything_else_does() {
        let account = |byte| AccountId::from_bytes([byte; 32]);
        let hash = MembersHash::of([account(1), account(2)]);
        assert_eq!(hash, MembersHash::of([account(2), account(1), account(2)]));
        assert_ne!(hash, MembersHash::of([account(1)]));
        assert_ne!(hash, MembersHash::of([account(1), account(2), account(3)]));
    }

    #[test]
    fn debug_shows_no_key() {
        let (_, capsule) = context().seal(b"", &mut rng(1)).unwrap();
        let shown = format!("{capsule:?}");
        assert!(
            shown.starts_with("Capsule { id: GroupMessageId("),
            "{shown}"
        );
        assert!(shown.len() < 60, "{shown}");
    }
}
