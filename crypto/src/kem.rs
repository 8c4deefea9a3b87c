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

/// A public key whose ML-KEM half is known to be well formed (FIPS 203 §7.2).
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct KemPublic([u8; PUBLIC_BYTES]);

impl KemPublic {
    /// `None` unless 1,216 bytes that encode a key canonically.
    pub(crate) fn decode(bytes: &[u8]) -> Option<Self> {
        let key = EncapsulationKey::try_from(bytes).ok()?;
        let canonical: [u8; PUBLIC_BYTES] = key.to_bytes().into();
        (canonical == bytes).then_some(Self(canonical))
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
    }
}
