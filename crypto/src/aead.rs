//! AES-256-GCM (PROTOCOL §0), in the one shape that this crate uses: 16-byte tag at the end.

use aes_gcm::aead::AeadInOut;
use aes_gcm::{Aes256Gcm, KeyInit};
use zeroize::Zeroizing;

/// Bytes that sealing adds.
pub(crate) const TAG_BYTES: usize = 16;

/// ``AES-256-GCM(key, nonce, aad, plaintext)``, 16 bytes longer than the plaintext.
pub(crate) fn seal(key: &[u8; 32], nonce: &[u8; 12], aad: &[u8], plaintext: &[u8]) -> Vec<u8> {
    let mut buffer = Vec::with_capacity(plaintext.len() + TAG_BYTES);
    buffer.extend_from_slice(plaintext);
    seal_tail(key, nonce, aad, &mut buffer, 0);
    buffer
}

/// Seals everything from `start` on in place; the buffer is 16 bytes longer afterwards.
///
/// # Security
/// A buffer without room for the tag moves when it grows; nothing but ciphertext moves with it.
#[expect(
    clippy::expect_used,
    reason = "inputs stay far below the 64 GiB of SP 800-38D §5.2.1.1"
)]
pub(crate) fn seal_tail(
    key: &[u8; 32],
    nonce: &[u8; 12],
    aad: &[u8],
    buffer: &mut Vec<u8>,
    start: usize,
) {
    #[cfg(test)]
    crate::testing::seals::note(key, nonce);
    let start = start.min(buffer.len());
    let (_, plaintext) = buffer.split_at_mut(start);
    let tag = Aes256Gcm::new(key.into())
        .encrypt_inout_detached(nonce.into(), aad, plaintext.into())
        .expect("the length is in bounds");
    buffer.extend_from_slice(&tag);
}

/// The plaintext, or `None` when anything at all was changed.
pub(crate) fn open(
    key: &[u8; 32],
    nonce: &[u8; 12],
    aad: &[u8],
    sealed: &[u8],
) -> Option<Zeroizing<Vec<u8>>> {
    let mut buffer = Zeroizing::new(sealed.to_vec());
    open_in_place(key, nonce, aad, &mut buffer).then_some(buffer)
}

/// Opens in place, 16 bytes shorter afterwards; false when anything at all was changed.
pub(crate) fn open_in_place(
    key: &[u8; 32],
    nonce: &[u8; 12],
    aad: &[u8],
    buffer: &mut Vec<u8>,
) -> bool {
    Aes256Gcm::new(key.into())
        .decrypt_in_place(nonce.into(), aad, buffer)
        .is_ok()
}
