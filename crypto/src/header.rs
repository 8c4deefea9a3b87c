//! A message's place in its session, encrypted, and the tag that finds it (PROTOCOL §5.2).

use aes_gcm::aes::Aes256;
use aes_gcm::aes::cipher::{BlockCipherDecrypt, BlockCipherEncrypt, KeyInit};
use subtle::ConstantTimeEq;
use zeroize::{Zeroize, ZeroizeOnDrop};

use crate::aead::{self, TAG_BYTES};
use crate::codec::{Reader, lp_all};
use crate::kdf;
use crate::kem::{CIPHERTEXT_BYTES, KemPublic, PUBLIC_BYTES};
use crate::packet::Binding;

const AAD_LABEL: &[u8] = b"Sotto/1 hdr aad";
/// Bytes of a header without a step, before encryption.
const PLAIN_BYTES: usize = 16;

/// The two keys of one chain's headers.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub(crate) struct HeaderKeys {
    pub(crate) encryption: [u8; 32],
    pub(crate) tag: [u8; 32],
}

impl HeaderKeys {
    /// ``hk_enc, hk_tag = HKDF-Expand(HK, "Sotto/1 hdr enc" | "Sotto/1 hdr tag", 32)``
    pub(crate) fn derive(header_key: &[u8; 32]) -> Self {
        Self {
            encryption: *kdf::expand(header_key, &[b"Sotto/1 hdr enc"]),
            tag: *kdf::expand(header_key, &[b"Sotto/1 hdr tag"]),
        }
    }

    /// ``tag16 = AES-256(hk_tag, n || 0^96)``
    pub(crate) fn tag_of(&self, n: u32) -> [u8; 16] {
        let mut block = [0; 16];
        for (to, from) in block.iter_mut().zip(n.to_be_bytes()) {
            *to = from;
        }
        let mut block = block.into();
        Aes256::new(&self.tag.into()).encrypt_block(&mut block);
        block.into()
    }

    /// The number that a tag of this chain stands for; `None` for tags of other chains.
    pub(crate) fn number_of(&self, tag: &[u8; 16]) -> Option<u32> {
        let mut block = (*tag).into();
        Aes256::new(&self.tag.into()).decrypt_block(&mut block);
        let [a, b, c, d, zeros @ ..] = <[u8; 16]>::from(block);
        let is_of_this_chain = bool::from(zeros.ct_eq(&[0; 12]));
        is_of_this_chain.then_some(u32::from_be_bytes([a, b, c, d]))
    }
}

/// A ratchet step as it is announced: a ciphertext for the peer's key, and the next key.
#[derive(Clone)]
pub(crate) struct StepAnnouncement {
    pub(crate) ciphertext: [u8; CIPHERTEXT_BYTES],
    pub(crate) public: KemPublic,
}

impl StepAnnouncement {
    pub(crate) fn read(reader: &mut Reader<'_>) -> Option<Self> {
        Some(Self {
            ciphertext: reader.array()?,
            public: KemPublic::decode(reader.raw(PUBLIC_BYTES)?)?,
        })
    }
}

/// A message's place: chain, number, length of the sender's chain before, and the newest chain of
/// the recipient that the sender has seen.
#[derive(Clone)]
pub(crate) struct Header<S> {
    pub(crate) epoch: u32,
    pub(crate) n: u32,
    pub(crate) previous_count: u32,
    pub(crate) acknowledged_epoch: u32,
    pub(crate) step: Option<S>,
}

/// Size in bytes of a sealed header.
pub(crate) const fn sealed_bytes(has_step: bool) -> usize {
    let step = if has_step {
        CIPHERTEXT_BYTES + PUBLIC_BYTES
    } else {
        0
    };
    PLAIN_BYTES + step + TAG_BYTES
}

/// ``LP("Sotto/1 hdr aad") || LP(version || flags) || LP(handshake digest) || LP(tag16) || LP(r16)``
fn aad(binding: Binding<'_>) -> impl std::ops::Deref<Target = Vec<u8>> {
    let Binding {
        prefix,
        handshake,
        tag,
        nonce,
    } = binding;
    lp_all(&[AAD_LABEL, &prefix, handshake, tag, nonce])
}

/// The first 96 of the packet's 128 random bits; the key is the headers' own.
fn gcm_nonce(binding: Binding<'_>) -> [u8; 12] {
    let [a, b, c, d, e, f, g, h, i, j, k, l, ..] = *binding.nonce;
    [a, b, c, d, e, f, g, h, i, j, k, l]
}

impl Header<&StepAnnouncement> {
    /// Size in bytes after sealing.
    pub(crate) fn sealed_bytes(&self) -> usize {
        sealed_bytes(self.step.is_some())
    }

    /// Appends ``AES-256-GCM(hk_enc, r16[..12], aad, epoch || n || pn || ack [|| ct || ek'])``.
    pub(crate) fn seal_onto(&self, packet: &mut Vec<u8>, keys: &HeaderKeys, binding: Binding<'_>) {
        let start = packet.len();
        let Self {
            epoch,
            n,
            previous_count,
            acknowledged_epoch,
            step,
        } = self;
        for number in [epoch, n, previous_count, acknowledged_epoch] {
            packet.extend_from_slice(&number.to_be_bytes());
        }
        if let Some(step) = step {
            packet.extend_from_slice(&step.ciphertext);
            packet.extend_from_slice(step.public.as_bytes());
        }
        let nonce = gcm_nonce(binding);
        aead::seal_tail(&keys.encryption, &nonce, &aad(binding), packet, start);
    }
}

impl Header<StepAnnouncement> {
    /// The header, if it was sealed with these keys for this packet.
    pub(crate) fn open(keys: &HeaderKeys, binding: Binding<'_>, sealed: &[u8]) -> Option<Self> {
        let nonce = gcm_nonce(binding);
        let plain = aead::open(&keys.encryption, &nonce, &aad(binding), sealed)?;
        Self::decode(&plain)
    }

    /// ``epoch || n || pn || ack [|| ct || ek']``
    pub(crate) fn decode(plain: &[u8]) -> Option<Self> {
        let mut reader = Reader::new(plain);
        let mut header = Self {
            epoch: reader.u32()?,
            n: reader.u32()?,
            previous_count: reader.u32()?,
            acknowledged_epoch: reader.u32()?,
            step: None,
        };
        if reader.finish().is_none() {
            header.step = Some(StepAnnouncement::read(&mut reader)?);
        }
        reader.finish()?;
        Some(header)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tag_stands_for_one_number_of_one_chain() {
        let keys = HeaderKeys::derive(&[1; 32]);
        let other = HeaderKeys::derive(&[2; 32]);
        for n in [0, 1, 2000, u32::MAX] {
            let tag = keys.tag_of(n);
            assert_eq!(keys.number_of(&tag), Some(n));
            assert_eq!(other.number_of(&tag), None);
            let mut changed = tag;
            changed[15] ^= 1;
            assert_eq!(keys.number_of(&changed), None);
        }
        assert_ne!(keys.tag, keys.encryption);
    }
}
