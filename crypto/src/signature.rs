//! Ed25519 signatures over labelled concatenations (PROTOCOL §1).

use ed25519_dalek::{Signature, Signer, SigningKey, VerifyingKey};

use crate::codec::lp_all;

/// Size in bytes of a signature.
pub(crate) const SIGNATURE_BYTES: usize = 64;

/// ``Ed25519(key, LP(part) || …)``; the first part is the label.
pub(crate) fn sign(key: &SigningKey, parts: &[&[u8]]) -> [u8; SIGNATURE_BYTES] {
    key.sign(&lp_all(parts)).to_bytes()
}

/// Strict verification of a signature over ``LP(part) || …``.
pub(crate) fn verify(key: &[u8; 32], parts: &[&[u8]], signature: &[u8; SIGNATURE_BYTES]) -> bool {
    verify_message(key, &lp_all(parts), signature)
}

/// Strict verification: canonical encodings, no key of small order (RFC 8032 §5.1.7).
pub(crate) fn verify_message(
    key: &[u8; 32],
    message: &[u8],
    signature: &[u8; SIGNATURE_BYTES],
) -> bool {
    VerifyingKey::from_bytes(key).is_ok_and(|key| {
        key.verify_strict(message, &Signature::from_bytes(signature))
            .is_ok()
    })
}

/// Whether `key` is the canonical encoding of a point that is not of small order.
pub(crate) fn is_sound(key: &[u8; 32]) -> bool {
    VerifyingKey::from_bytes(key)
        .is_ok_and(|point| !point.is_weak() && point.to_edwards().compress().to_bytes() == *key)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn verifies_only_the_same_parts_under_the_same_key() {
        let key = SigningKey::from_bytes(&[1; 32]);
        let public = key.verifying_key().to_bytes();
        let signature = sign(&key, &[b"ab", b"c"]);
        assert!(verify(&public, &[b"ab", b"c"], &signature));
        assert!(!verify(&public, &[b"a", b"bc"], &signature));
        assert!(!verify(&[2; 32], &[b"ab", b"c"], &signature));
    }

    #[test]
    fn refuses_weak_and_non_canonical_keys() {
        assert!(is_sound(
            &SigningKey::from_bytes(&[1; 32]).verifying_key().to_bytes()
        ));
        let mut neutral = [0; 32];
        neutral[0] = 1;
        assert!(!is_sound(&neutral), "the neutral element");
        let mut above = [0xff; 32];
        above[0] = 0xf0;
        above[31] = 0x7f;
        assert!(!is_sound(&above), "y = p + 3");
    }
}
