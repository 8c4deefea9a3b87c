//! RSA-3072 with OAEP, the only use of RSA (PROTOCOL §2, §3). The one file that knows the `rsa` crate.

use rand::CryptoRng;
use rsa::pkcs8::{DecodePublicKey, EncodePublicKey};
use rsa::traits::{PrivateKeyParts, PublicKeyParts};
use rsa::{BoxedUint, Oaep, PrivateKey, PublicKey};
use sha2::Sha256;
use zeroize::Zeroizing;

use crate::codec::lp_all;
use crate::kdf;

/// Bits of the modulus.
const MODULUS_BITS: u32 = 3072;
/// Size in bytes of a wrapped secret.
pub(crate) const WRAPPED_BYTES: usize = 384;
/// Size in bytes of one prime.
pub(crate) const PRIME_BYTES: usize = 192;
/// Upper bound of a `SubjectPublicKeyInfo`; a 3072-bit key with e = 65537 takes 422 bytes.
pub(crate) const SPKI_BYTES_MAX: usize = 512;
const EXPONENT: u64 = 65_537;
const LABEL: &[u8] = b"Sotto/1 oaep";
const REJECT_LABEL: &[u8] = b"Sotto/1 oaep reject";

/// ``LP("Sotto/1 oaep") || LP(device id)``
fn label(device_id: &[u8; 32]) -> Zeroizing<Vec<u8>> {
    lp_all(&[LABEL, device_id])
}

fn oaep(label: &[u8]) -> Oaep<Sha256> {
    Oaep::new_with_label(label)
}

/// A public key that passed every check, with its canonical DER.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct WrapKey {
    key: PublicKey,
    spki: Vec<u8>,
}

impl WrapKey {
    /// Accepts exactly 3,072 bits, an odd modulus, e = 65537 and the canonical DER of those.
    pub(crate) fn decode(spki: &[u8]) -> Option<Self> {
        if spki.len() > SPKI_BYTES_MAX {
            return None;
        }
        let key = PublicKey::from_public_key_der(spki).ok()?;
        Self::checked(key).filter(|checked| checked.spki == spki)
    }

    fn checked(key: PublicKey) -> Option<Self> {
        let fits =
            key.n().bit_width_vartime() == MODULUS_BITS && *key.e() == BoxedUint::from(EXPONENT);
        let spki = key.to_public_key_der().ok()?.into_vec();
        fits.then_some(Self { key, spki })
    }

    /// The DER of a `SubjectPublicKeyInfo`.
    pub(crate) fn spki(&self) -> &[u8] {
        &self.spki
    }

    /// Whether the modulus is the product of these two numbers, 192 bytes each, big-endian.
    pub(crate) fn is_product_of(&self, p: &[u8; PRIME_BYTES], q: &[u8; PRIME_BYTES]) -> bool {
        let number = |bytes| {
            BoxedUint::from_be_slice(bytes, MODULUS_BITS)
                .ok()
                .map(Zeroizing::new)
        };
        number(p)
            .zip(number(q))
            .is_some_and(|(p, q)| p.wrapping_mul(&*q) == *self.key.n().as_ref())
    }

    /// ``RSA-OAEP-SHA256(key, secret, label)``, 384 bytes.
    pub(crate) fn wrap(
        &self,
        device_id: &[u8; 32],
        secret: &[u8; 32],
        rng: &mut (impl CryptoRng + ?Sized),
    ) -> Option<[u8; WRAPPED_BYTES]> {
        self.key
            .encrypt(rng, oaep(&label(device_id)), secret)
            .ok()?
            .try_into()
            .ok()
    }
}

/// The secret key and the key of its implicit rejection.
pub(crate) struct UnwrapKey {
    key: PrivateKey,
    reject: Zeroizing<[u8; 32]>,
}

impl UnwrapKey {
    pub(crate) fn generate(rng: &mut (impl CryptoRng + ?Sized)) -> Option<Self> {
        let key = PrivateKey::new(rng, MODULUS_BITS as usize).ok()?;
        let mut reject = Zeroizing::new([0; 32]);
        rng.fill_bytes(reject.as_mut_slice());
        Some(Self { key, reject })
    }

    /// Rebuilds a key from its primes (192 bytes each, big-endian).
    pub(crate) fn from_parts(
        p: &[u8; PRIME_BYTES],
        q: &[u8; PRIME_BYTES],
        reject: [u8; 32],
    ) -> Option<Self> {
        let prime = |bytes| BoxedUint::from_be_slice(bytes, MODULUS_BITS / 2).ok();
        let key = PrivateKey::from_p_q(prime(p)?, prime(q)?, BoxedUint::from(EXPONENT)).ok()?;
        let key = Self {
            key,
            reject: Zeroizing::new(reject),
        };
        key.public().map(|_| key)
    }

    /// Both primes, 192 bytes each, big-endian.
    pub(crate) fn primes(&self) -> Option<[Zeroizing<[u8; PRIME_BYTES]>; 2]> {
        let [p, q] = self.key.primes() else {
            return None;
        };
        let bytes = |prime: &BoxedUint| {
            let bytes = Zeroizing::new(prime.to_be_bytes().into_vec());
            Some(Zeroizing::new(bytes.as_slice().try_into().ok()?))
        };
        Some([bytes(p)?, bytes(q)?])
    }

    pub(crate) fn reject_key(&self) -> &[u8; 32] {
        &self.reject
    }

    pub(crate) fn public(&self) -> Option<WrapKey> {
        WrapKey::checked(self.key.to_public_key())
    }

    /// The wrapped secret; on any failure a pseudo-random one that depends on `wrapped`
    /// (implicit rejection, PROTOCOL §3.3).
    ///
    /// # Security
    /// The private operation is blinded with `rng`. Callers cannot see whether it failed, and so
    /// cannot tell anybody.
    pub(crate) fn unwrap_secret(
        &self,
        device_id: &[u8; 32],
        wrapped: &[u8],
        rng: &mut (impl CryptoRng + ?Sized),
    ) -> Zeroizing<[u8; 32]> {
        let mut secret = kdf::hmac(&self.reject, &lp_all(&[REJECT_LABEL, device_id, wrapped]));
        if let Some(opened) = self.oaep_decrypt(&label(device_id), wrapped, rng)
            && opened.len() == secret.len()
        {
            secret.copy_from_slice(&opened);
        }
        secret
    }

    /// ``RSA-OAEP-SHA256(key, wrapped, label)`` undone, blinded with `rng`.
    ///
    /// # Security
    /// Shows whether it failed; the protocol takes [`Self::unwrap_secret`].
    pub(crate) fn oaep_decrypt(
        &self,
        label: &[u8],
        wrapped: &[u8],
        rng: &mut (impl CryptoRng + ?Sized),
    ) -> Option<Zeroizing<Vec<u8>>> {
        let opened = self.key.decrypt_blinded(rng, oaep(label), wrapped);
        opened.map(Zeroizing::new).ok()
    }
}

#[cfg(test)]
mod tests {
    use rsa::pkcs8::EncodePrivateKey;

    use super::*;
    use crate::testing::{alice, rng};

    const ID: [u8; 32] = [5; 32];

    impl UnwrapKey {
        /// The key for another implementation.
        pub(crate) fn pkcs8(&self) -> Vec<u8> {
            self.key.to_pkcs8_der().unwrap().as_bytes().to_vec()
        }
    }

    #[test]
    fn unwraps_what_was_wrapped_and_rejects_implicitly() {
        let key = &alice().unwrap_key;
        let secret = [9; 32];
        let mut wrapped = key
            .public()
            .unwrap()
            .wrap(&ID, &secret, &mut rng(1))
            .unwrap();
        assert_eq!(*key.unwrap_secret(&ID, &wrapped, &mut rng(2)), secret);
        let other_label = key.unwrap_secret(&[6; 32], &wrapped, &mut rng(2));
        assert_ne!(*other_label, secret);
        wrapped[100] ^= 1;
        let first = key.unwrap_secret(&ID, &wrapped, &mut rng(3));
        assert_ne!(*first, secret);
        assert_eq!(
            first,
            key.unwrap_secret(&ID, &wrapped, &mut rng(4)),
            "deterministic"
        );
        wrapped[101] ^= 1;
        assert_ne!(
            first,
            key.unwrap_secret(&ID, &wrapped, &mut rng(3)),
            "depends on the input"
        );
        assert_ne!(
            *key.unwrap_secret(&ID, &[0xff; 384], &mut rng(3)),
            [0; 32],
            "above the modulus"
        );
    }

    #[test]
    fn a_plaintext_of_another_length_is_rejected_too() {
        let key = &alice().unwrap_key;
        let public = key.public().unwrap();
        let wrapped = public
            .key
            .encrypt(&mut rng(1), oaep(&label(&ID)), &[9; 31])
            .unwrap();
        let other = key.unwrap_secret(&ID, &wrapped, &mut rng(1));
        assert_ne!(&other[..31], &[9; 31]);
    }

    #[test]
    fn a_modulus_is_the_product_of_its_primes_alone() {
        let key = alice().unwrap_key.public().unwrap();
        let [p, q] = alice().unwrap_key.primes().unwrap();
        assert!(key.is_product_of(&p, &q) && key.is_product_of(&q, &p));
        assert!(!key.is_product_of(&p, &p));
        let mut changed = *p;
        changed[191] ^= 2;
        assert!(!key.is_product_of(&changed, &q));
        changed[0] = 0;
        assert!(!key.is_product_of(&changed, &q));
    }

    #[test]
    fn refuses_keys_of_another_shape() {
        let good = alice().unwrap_key.public().unwrap();
        assert!(WrapKey::decode(good.spki()).is_some());
        let trailing = [good.spki(), &[0]].concat();
        assert!(WrapKey::decode(&trailing).is_none(), "trailing byte");
        let modulus_end = good.spki().len() - 6;
        let mut even = good.spki().to_vec();
        even[modulus_end] &= 0xfe;
        assert!(WrapKey::decode(&even).is_none(), "even modulus");
        let mut exponent = good.spki().to_vec();
        *exponent.last_mut().unwrap() = 3;
        assert!(WrapKey::decode(&exponent).is_none(), "another exponent");
        let mut short = good.spki().to_vec();
        let modulus_start = modulus_end + 1 - WRAPPED_BYTES;
        short[modulus_start] = 0x7f;
        assert!(WrapKey::decode(&short).is_none(), "3,071 bits, padded");
    }
}
