//! SHA-256, HMAC and HKDF over labelled concatenations (PROTOCOL §1).

use hkdf::Hkdf;
use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use crate::codec::lp_all;

/// ``H(LP(part) || LP(part) || …)``, 32 bytes; the first part is the label.
pub(crate) fn hash(parts: &[&[u8]]) -> [u8; 32] {
    Sha256::digest(lp_all(parts).as_slice()).into()
}

/// ``HMAC-SHA-256(key, message)``, 32 bytes.
#[expect(
    clippy::expect_used,
    reason = "HMAC accepts keys of any length (RFC 2104 §2)"
)]
pub(crate) fn hmac(key: &[u8; 32], message: &[u8]) -> Zeroizing<[u8; 32]> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("any length is a key");
    mac.update(message);
    Zeroizing::new(mac.finalize().into_bytes().into())
}

/// ``HKDF-Extract(salt, LP(part) || …)``, 32 bytes.
pub(crate) fn extract(salt: &[u8], parts: &[&[u8]]) -> Zeroizing<[u8; 32]> {
    hkdf_extract(salt, &lp_all(parts))
}

/// ``HKDF-Expand(prk, LP(part) || …, N)``; N at most 8,160 bytes.
#[expect(
    clippy::expect_used,
    reason = "N <= 255 * 32 bytes are always available"
)]
pub(crate) fn expand<const N: usize>(prk: &[u8; 32], info: &[&[u8]]) -> Zeroizing<[u8; N]> {
    const { assert!(N <= 255 * 32, "RFC 5869 §2.3") };
    let mut output = Zeroizing::new([0; N]);
    hkdf_expand(prk, &lp_all(info), output.as_mut_slice()).expect("N is in bounds");
    output
}

/// HKDF-Extract with SHA-256 (RFC 5869 §2.2), 32 bytes.
pub(crate) fn hkdf_extract(salt: &[u8], ikm: &[u8]) -> Zeroizing<[u8; 32]> {
    let (prk, _) = Hkdf::<Sha256>::extract(Some(salt), ikm);
    Zeroizing::new(prk.into())
}

/// HKDF-Expand with SHA-256 (RFC 5869 §2.3); `None` for more than 8,160 bytes.
pub(crate) fn hkdf_expand(prk: &[u8; 32], info: &[u8], output: &mut [u8]) -> Option<()> {
    Hkdf::<Sha256>::from_prk(prk)
        .ok()?
        .expand(info, output)
        .ok()
}

/// The 32 bytes of `output` that start at `index * 32`.
pub(crate) fn part<const N: usize>(output: &[u8; N], index: usize) -> Zeroizing<[u8; 32]> {
    let mut part = Zeroizing::new([0; 32]);
    for (to, from) in part.iter_mut().zip(output.iter().skip(index * 32)) {
        *to = *from;
    }
    part
}

/// The 12 bytes of `output` from `start` on: a nonce.
pub(crate) fn nonce<const N: usize>(output: &[u8; N], start: usize) -> [u8; 12] {
    let mut nonce = [0; 12];
    for (to, from) in nonce.iter_mut().zip(output.iter().skip(start)) {
        *to = *from;
    }
    nonce
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::to_hex;

    #[test]
    fn hmac_agrees_with_a_published_vector() {
        // RFC 4231 §4.2, whose 20-byte key is the same as its zero-padded form.
        let mut key = [0; 32];
        key[..20].fill(0x0b);
        assert_eq!(
            to_hex(hmac(&key, b"Hi There").as_slice()),
            "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"
        );
    }

    #[test]
    fn expand_agrees_with_hmac() {
        let prk = [7; 32];
        let info = [lp_all(&[b"label"]).as_slice(), &[1]].concat();
        assert_eq!(*expand::<32>(&prk, &[b"label"]), *hmac(&prk, &info));
        let long = expand::<64>(&prk, &[b"label"]);
        assert_eq!(part(&long, 1).as_slice(), &long[32..]);
    }
}
