//! X-Wing: X25519 and ML-KEM-768 together (PROTOCOL §0; draft-connolly-cfrg-xwing-kem).

use rand::CryptoRng;
use x_wing::{
    DecapsulationKeyRejectNonContrib, Decapsulator, Encapsulate, EncapsulationKey, KeyExport,
    TryDecapsulate,
};
use zeroize::Zeroizing;

/// Size in bytes of a public key.
pub(crate) const PUBLIC_BYTES: usize = x_wing::ENCAPSULATION_KEY_SIZE;
/// Size in bytes of a ciphertext.
pub(crate) const CIPHERTEXT_BYTES: usize = x_wing::CIPHERTEXT_SIZE;

/// A secret key, expanded from its 32-byte seed.
#[derive(Clone)]
pub(crate) struct KemSecret(DecapsulationKeyRejectNonContrib);

impl KemSecret {
    pub(crate) fn generate(rng: &mut (impl CryptoRng + ?Sized)) -> Self {
        let mut seed = Zeroizing::new([0; 32]);
        rng.fill_bytes(seed.as_mut_slice());
        Self::from_seed(&seed)
    }

    /// Expanding costs about as much as one encapsulation.
    pub(crate) fn from_seed(seed: &[u8; 32]) -> Self {
        Self((*seed).into())
    }

    pub(crate) fn seed(&self) -> Zeroizing<[u8; 32]> {
        Zeroizing::new(self.0.to_bytes().into())
    }

    /// The public key, 1,216 bytes.
    pub(crate) fn public(&self) -> KemPublic {
        KemPublic(self.0.encapsulation_key().to_bytes().into())
    }

    /// The shared secret, or `None` when the ciphertext has the wrong length or its X25519 half is
    /// a point of small order.
    pub(crate) fn decapsulate(&self, ciphertext: &[u8]) -> Option<Zeroizing<[u8; 32]>> {
        let shared = self.0.try_decapsulate(ciphertext.try_into().ok()?).ok()?;
        Some(Zeroizing::new(shared.into()))
    }
}

/// A public key of which both halves are known to be well formed: ML-KEM as FIPS 203 §7.2 says,
/// X25519 below the prime and not of small order.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct KemPublic([u8; PUBLIC_BYTES]);

impl KemPublic {
    /// `None` unless 1,216 bytes that encode a key canonically, with no half that gives the same
    /// secret to everybody.
    pub(crate) fn decode(bytes: &[u8]) -> Option<Self> {
        let key = EncapsulationKey::try_from(bytes).ok()?;
        let canonical: [u8; PUBLIC_BYTES] = key.to_bytes().into();
        let sound = canonical == bytes && is_sound(bytes.last_chunk()?);
        sound.then_some(Self(canonical))
    }

    pub(crate) fn as_bytes(&self) -> &[u8; PUBLIC_BYTES] {
        &self.0
    }

    /// A ciphertext of 1,120 bytes and its shared secret.
    #[expect(clippy::expect_used, reason = "decode is the only way to a KemPublic")]
    pub(crate) fn encapsulate(
        &self,
        rng: &mut (impl CryptoRng + ?Sized),
    ) -> ([u8; CIPHERTEXT_BYTES], Zeroizing<[u8; 32]>) {
        let key = EncapsulationKey::try_from(self.0.as_slice()).expect("checked when decoded");
        let (ciphertext, shared) = key.encapsulate_with_rng(rng);
        (ciphertext.into(), Zeroizing::new(shared.into()))
    }
}

/// The X25519 points of small order (RFC 7748 §7), u little-endian: 0, 1, two of order 8, p - 1.
const SMALL_ORDER: [[u8; 32]; 5] = [
    [0; 32],
    [
        1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
        0, 0,
    ],
    [
        0xe0, 0xeb, 0x7a, 0x7c, 0x3b, 0x41, 0xb8, 0xae, 0x16, 0x56, 0xe3, 0xfa, 0xf1, 0x9f, 0xc4,
        0x6a, 0xda, 0x09, 0x8d, 0xeb, 0x9c, 0x32, 0xb1, 0xfd, 0x86, 0x62, 0x05, 0x16, 0x5f, 0x49,
        0xb8, 0x00,
    ],
    [
        0x5f, 0x9c, 0x95, 0xbc, 0xa3, 0x50, 0x8c, 0x24, 0xb1, 0xd0, 0xb1, 0x55, 0x9c, 0x83, 0xef,
        0x5b, 0x04, 0x44, 0x5c, 0xc4, 0x58, 0x1c, 0x8e, 0x86, 0xd8, 0x22, 0x4e, 0xdd, 0xd0, 0x9f,
        0x11, 0x57,
    ],
    [
        0xec, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
        0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
        0xff, 0x7f,
    ],
];

/// Whether these bytes are a u below p = 2^255 - 19 whose point is not of small order.
fn is_sound(u: &[u8; 32]) -> bool {
    let [low, middle @ .., high] = u;
    let below = *high < 0x7f || middle.iter().any(|byte| *byte != 0xff) || *low < 0xed;
    *high < 0x80 && below && !SMALL_ORDER.contains(u)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::rng;

    #[test]
    fn agrees_and_refuses_points_of_small_order() {
        let secret = KemSecret::generate(&mut rng(1));
        let public = KemPublic::decode(secret.public().as_bytes()).unwrap();
        let (mut ciphertext, shared) = public.encapsulate(&mut rng(2));
        assert_eq!(secret.decapsulate(&ciphertext), Some(shared));
        assert!(secret.decapsulate(&ciphertext[1..]).is_none());
        ciphertext[1088..].fill(0);
        assert!(secret.decapsulate(&ciphertext).is_none());
    }

    #[test]
    fn refuses_public_keys_that_are_not_canonical() {
        let good = *KemSecret::generate(&mut rng(3)).public().as_bytes();
        assert!(KemPublic::decode(&good[1..]).is_none());
        let mut bad = good;
        bad[..3].fill(0xff);
        assert!(KemPublic::decode(&bad).is_none(), "coefficient above q");
        let with = |u: &[u8; 32]| KemPublic::decode(&[&good[..1184], u].concat());
        assert!(with(good.last_chunk().unwrap()).is_some());
        for point in SMALL_ORDER {
            assert!(with(&point).is_none(), "{point:x?}");
        }
        let mut largest = SMALL_ORDER[4];
        largest[0] -= 1;
        assert!(with(&largest).is_some(), "p - 2");
        largest[0] += 3;
        assert!(with(&largest).is_none(), "p + 1");
        largest[31] = 0xff;
        largest[0] = 9;
        assert!(with(&largest).is_none(), "the bit that X25519 ignores");
    }
}
