//! AES-256-GCM (PROTOCOL §0), in the one shape that this crate uses: 16-byte tag at the end.

use aes_gcm::aead::{Aead, Payload};
use aes_gcm::{Aes256Gcm, KeyInit};
use zeroize::Zeroizing;

/// Bytes that sealing adds.
pub(crate) const TAG_BYTES: usize = 16;

/// ``AES-256-GCM(key, nonce, aad, plaintext)``, 16 bytes longer than the plaintext.
#[expect(
    clippy::expect_used,
    reason = "inputs stay far below the 64 GiB of SP 800-38D §5.2.1.1"
)]
pub(crate) fn seal(key: &[u8; 32], nonce: &[u8; 12], aad: &[u8], msg: &[u8]) -> Vec<u8> {
    Aes256Gcm::new(key.into())
        .encrypt(nonce.into(), Payload { msg, aad })
        .expect("the length is in bounds")
}

/// The plaintext, or `None` when anything at all was changed.
pub(crate) fn open(
    key: &[u8; 32],
    nonce: &[u8; 12],
    aad: &[u8],
    msg: &[u8],
) -> Option<Zeroizing<Vec<u8>>> {
    Aes256Gcm::new(key.into())
        .decrypt(nonce.into(), Payload { msg, aad })
        .ok()
        .map(Zeroizing::new)
}
