//! A message's place in its session, encrypted, and the tag that finds it (PROTOCOL §5.2).

use aes_gcm::aes::Aes256;
use aes_gcm::aes::cipher::{BlockCipherDecrypt, BlockCipherEncrypt, KeyInit};
use zeroize::{Zeroize, ZeroizeOnDrop};

use crate::aead;
use crate::codec::{Reader, Writer, lp_all};
use crate::kdf;
use crate::kem::{CIPHERTEXT_BYTES, KemPublic, PUBLIC_BYTES};

const AAD_LABEL: &[u8] = b"Sotto/1 hdr aad";

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
        let block: [u8; 16] = block.into();
        let mut reader = Reader::new(&block);
        let n = reader.u32()?;
        (reader.array::<12>()? == [0; 12]).then_some(n)
    }
}

/// What the header is bound to beside itself.
#[derive(Clone, Copy)]
pub(crate) struct HeaderBinding<'a> {
    pub(crate) prefix: [u8; 2],
    pub(crate) handshake: &'a [u8],
    pub(crate) tag: &'a [u8; 16],
    pub(crate) nonce: &'a [u8; 16],
}

impl HeaderBinding<'_> {
    fn aad(&self) -> impl std::ops::Deref<Target = Vec<u8>> {
        lp_all(&[
            AAD_LABEL,
            &self.prefix,
            self.handshake,
            self.tag,
            self.nonce,
        ])
    }

    /// The first 96 of the packet's 128 random bits; the key is the headers' own.
    fn gcm_nonce(&self) -> [u8; 12] {
        let [a, b, c, d, e, f, g, h, i, j, k, l, ..] = *self.nonce;
        [a, b, c, d, e, f, g, h, i, j, k, l]
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
pub(crate) struct Header {
    pub(crate) epoch: u32,
    pub(crate) n: u32,
    pub(crate) previous_count: u32,
    pub(crate) acknowledged_epoch: u32,
    pub(crate) step: Option<StepAnnouncement>,
}

impl Header {
    /// Bytes of a header without a step, before encryption.
    pub(crate) const PLAIN_BYTES: usize = 16;

    /// ``AES-256-GCM(hk_enc, r16[..12], aad, epoch || n || pn || ack [|| ct || ek'])``
    pub(crate) fn seal(&self, keys: &HeaderKeys, binding: HeaderBinding<'_>) -> Vec<u8> {
        let mut writer = Writer::with_capacity(2400)
            .u32(self.epoch)
            .u32(self.n)
            .u32(self.previous_count)
            .u32(self.acknowledged_epoch);
        if let Some(step) = &self.step {
            writer = writer.raw(&step.ciphertext).raw(step.public.as_bytes());
        }
        let plain = writer.secret();
        aead::seal(
            &keys.encryption,
            &binding.gcm_nonce(),
            &binding.aad(),
            &plain,
        )
    }

    /// The header, if it was sealed with these keys for this packet.
    pub(crate) fn open(
        keys: &HeaderKeys,
        binding: HeaderBinding<'_>,
        sealed: &[u8],
    ) -> Option<Self> {
        let plain = aead::open(
            &keys.encryption,
            &binding.gcm_nonce(),
            &binding.aad(),
            sealed,
        )?;
        let mut reader = Reader::new(&plain);
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
