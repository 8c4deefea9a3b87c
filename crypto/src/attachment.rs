//! Attachments: C2SP chunked encryption with AES-256-GCM (PROTOCOL §11; c2sp.org/chunked-encryption,
//! there called Cobblestone-256).
//!
//! ```text
//! sealed file = header 56 B | chunk 0 | chunk 1 | … | last chunk
//! ```
//!
//! Every chunk holds 16,384 bytes of the file and a tag of 16; the last one holds fewer, perhaps
//! none. A download goes on at any chunk. An upload goes on from the sealed bytes: a chunk is
//! sealed once, because the file may have changed since.

use std::fmt;
use std::ops::Range;

use hmac::{Hmac, KeyInit, Mac};
use rand::CryptoRng;
use sha2::Sha512;
use subtle::ConstantTimeEq;
use thiserror::Error;
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

use crate::aead::{self, TAG_BYTES};
use crate::codec::Reader;

/// Bytes of the file in every chunk but the last.
pub const ATTACHMENT_CHUNK_BYTES: usize = 16 * 1024;
/// Size in bytes of a sealed file's header: salt 24, commitment 32.
pub const ATTACHMENT_HEADER_BYTES: usize = SALT_BYTES + COMMITMENT_BYTES;

const SALT_BYTES: usize = 24;
const COMMITMENT_BYTES: usize = 32;
const SEALED_CHUNK_BYTES: u64 = (ATTACHMENT_CHUNK_BYTES + TAG_BYTES) as u64;
/// The counter in a nonce has 40 bits, of which the specification uses 38.
const CHUNKS_MAX: u64 = 1 << 38;
/// Binds a sealed file to this use of its key.
const CONTEXT: &[u8] = b"Sotto/1 attachment";
const LABEL: &[u8] = b"c2sp.org/chunked-encryption@v1+AEAD_AES_256_GCM\0";

/// Why a chunk was not sealed or opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum AttachmentError {
    /// The sealed file belongs to another key, was changed, or was cut.
    #[error("attachment not authentic")]
    NotAuthentic,
    /// A chunk of more than 16,384 bytes, or one after the last.
    #[error("no place for a chunk of {bytes} bytes")]
    NoPlace {
        /// Size of the chunk.
        bytes: usize,
    },
}

/// The key of one attachment, 32 random bytes; it travels inside a message.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub struct AttachmentKey([u8; 32]);

impl AttachmentKey {
    /// A new key.
    pub fn generate(rng: &mut (impl CryptoRng + ?Sized)) -> Self {
        let mut key = [0; 32];
        rng.fill_bytes(&mut key);
        Self(key)
    }

    /// The key with these bytes.
    pub fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// Its 32 bytes.
    ///
    /// # Security
    /// They open the attachment; they belong into a sealed message or the encrypted vault.
    pub fn expose(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Debug for AttachmentKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(_) = self;
        f.debug_struct("AttachmentKey").finish_non_exhaustive()
    }
}

/// One sealed file's key, nonces and commitment.
struct Chunks {
    key: Zeroizing<[u8; 32]>,
    nonce: [u8; 12],
    commitment: [u8; COMMITMENT_BYTES],
}

impl Chunks {
    /// ``key 32 || nonce 12 || commitment 32 = HKDF-Expand-SHA-512(key, label || salt || context, 76)``
    ///
    /// Two blocks of RFC 5869 §2.3 by hand: the `hkdf` crate takes no key that is shorter than the
    /// hash.
    #[expect(
        clippy::expect_used,
        reason = "HMAC accepts keys of any length (RFC 2104 §2), and 76 of 128 bytes are read"
    )]
    fn derive(key: &AttachmentKey, salt: &[u8], context: &[u8]) -> Self {
        let block = |previous: &[u8], counter| {
            let mut mac = Hmac::<Sha512>::new_from_slice(&key.0).expect("any length is a key");
            for part in [previous, LABEL, salt, context, &[counter]] {
                mac.update(part);
            }
            mac.finalize().into_bytes()
        };
        let mut output = Zeroizing::new([0; 2 * 64]);
        let (first, second) = output.split_at_mut(64);
        first.copy_from_slice(&block(&[], 1));
        second.copy_from_slice(&block(first, 2));
        let mut reader = Reader::new(output.as_slice());
        Self {
            key: Zeroizing::new(reader.array().expect("32 of 128")),
            nonce: reader.array().expect("12 of 96"),
            commitment: reader.array().expect("32 of 84"),
        }
    }

    /// The base nonce with the index put onto its last five bytes by exclusive or.
    fn nonce_of(&self, index: u64) -> [u8; 12] {
        let [_, _, _, a, b, c, d, e] = index.to_be_bytes();
        let mut nonce = self.nonce;
        for (to, from) in nonce.iter_mut().skip(7).zip([a, b, c, d, e]) {
            *to ^= from;
        }
        nonce
    }
}

/// Seals one file, chunk after chunk, each of them once.
pub struct AttachmentSealer {
    chunks: Chunks,
    salt: [u8; SALT_BYTES],
    /// Index of the next chunk; `None` after the last one.
    next: Option<u64>,
}

impl AttachmentSealer {
    /// Starts a sealed file with a salt of its own.
    pub fn new(key: &AttachmentKey, rng: &mut (impl CryptoRng + ?Sized)) -> Self {
        let mut salt = [0; SALT_BYTES];
        rng.fill_bytes(&mut salt);
        Self {
            chunks: Chunks::derive(key, &salt, CONTEXT),
            salt,
            next: Some(0),
        }
    }

    /// What the sealed file starts with, 56 bytes.
    pub fn header(&self) -> [u8; ATTACHMENT_HEADER_BYTES] {
        let mut header = [0; ATTACHMENT_HEADER_BYTES];
        let parts = self.salt.iter().chain(&self.chunks.commitment);
        for (to, from) in header.iter_mut().zip(parts) {
            *to = *from;
        }
        header
    }

    /// Seals the file's next bytes in place, 16 bytes longer afterwards. Every chunk but the last
    /// has 16,384 bytes; one with fewer, perhaps none, is the last.
    ///
    /// # Errors
    /// [`AttachmentError::NoPlace`]: the chunk is too long, or the last one was sealed before. The
    /// bytes are as they were then.
    pub fn seal_next(&mut self, chunk: &mut Vec<u8>) -> Result<(), AttachmentError> {
        let bytes = chunk.len();
        let index = self
            .next
            .filter(|index| *index < CHUNKS_MAX && bytes <= ATTACHMENT_CHUNK_BYTES)
            .ok_or(AttachmentError::NoPlace { bytes })?;
        aead::seal_tail(
            &self.chunks.key,
            &self.chunks.nonce_of(index),
            &[],
            chunk,
            0,
        );
        self.next = (bytes == ATTACHMENT_CHUNK_BYTES).then_some(index + 1);
        Ok(())
    }
}

impl fmt::Debug for AttachmentSealer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            chunks: _,
            salt: _,
            next,
        } = self;
        f.debug_struct("AttachmentSealer")
            .field("next", next)
            .finish_non_exhaustive()
    }
}

/// Opens one sealed file, its chunks in any order.
pub struct AttachmentOpener {
    chunks: Chunks,
    sealed_bytes: u64,
}

impl AttachmentOpener {
    /// Takes a sealed file's header; `sealed_bytes` is the size of the whole sealed file, which
    /// decides how many chunks there are and how long the last one is.
    ///
    /// # Errors
    /// [`AttachmentError::NotAuthentic`] if it was not made with this key, or no file has this
    /// size when sealed.
    pub fn new(
        key: &AttachmentKey,
        header: &[u8; ATTACHMENT_HEADER_BYTES],
        sealed_bytes: u64,
    ) -> Result<Self, AttachmentError> {
        Self::with_context(key, CONTEXT, header, sealed_bytes).ok_or(AttachmentError::NotAuthentic)
    }

    /// With any context; `None` where [`Self::new`] fails.
    pub(crate) fn with_context(
        key: &AttachmentKey,
        context: &[u8],
        header: &[u8; ATTACHMENT_HEADER_BYTES],
        sealed_bytes: u64,
    ) -> Option<Self> {
        let mut reader = Reader::new(header);
        let chunks = Chunks::derive(key, reader.raw(SALT_BYTES)?, context);
        let commitment = reader.array::<COMMITMENT_BYTES>()?;
        let is_committed = bool::from(chunks.commitment.ct_eq(&commitment));
        let chunks_bytes = sealed_bytes.checked_sub(ATTACHMENT_HEADER_BYTES as u64)?;
        let is_a_size = chunks_bytes % SEALED_CHUNK_BYTES >= TAG_BYTES as u64
            && chunks_bytes / SEALED_CHUNK_BYTES < CHUNKS_MAX;
        (is_committed && is_a_size).then_some(Self {
            chunks,
            sealed_bytes,
        })
    }

    /// Number of chunks, at least 1.
    pub fn chunk_count(&self) -> u64 {
        (self.sealed_bytes - ATTACHMENT_HEADER_BYTES as u64) / SEALED_CHUNK_BYTES + 1
    }

    /// Size of the file in bytes.
    pub fn file_bytes(&self) -> u64 {
        self.sealed_bytes - ATTACHMENT_HEADER_BYTES as u64 - self.chunk_count() * TAG_BYTES as u64
    }

    /// Where a chunk lies in the sealed file, in bytes; `None` after the last one.
    pub fn chunk_range(&self, index: u64) -> Option<Range<u64>> {
        if index >= self.chunk_count() {
            return None;
        }
        let start = ATTACHMENT_HEADER_BYTES as u64 + index * SEALED_CHUNK_BYTES;
        Some(start..self.sealed_bytes.min(start + SEALED_CHUNK_BYTES))
    }

    /// Opens the chunk with this index in place, 16 bytes shorter afterwards. Its place in the
    /// file is `index` × 16,384.
    ///
    /// # Errors
    /// [`AttachmentError::NotAuthentic`], whatever was wrong. The chunk is empty then.
    pub fn open_chunk(&self, index: u64, chunk: &mut Vec<u8>) -> Result<(), AttachmentError> {
        let has_its_size = self
            .chunk_range(index)
            .is_some_and(|range| range.end - range.start == chunk.len() as u64);
        let nonce = self.chunks.nonce_of(index);
        if !has_its_size || !aead::open_in_place(&self.chunks.key, &nonce, &[], chunk) {
            chunk.clear();
            return Err(AttachmentError::NotAuthentic);
        }
        Ok(())
    }
}

impl fmt::Debug for AttachmentOpener {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            chunks: _,
            sealed_bytes,
        } = self;
        f.debug_struct("AttachmentOpener")
            .field("sealed_bytes", sealed_bytes)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::rng;

    fn key() -> AttachmentKey {
        AttachmentKey::from_bytes([7; 32])
    }

    fn seal(file: &[u8]) -> Vec<u8> {
        let mut sealer = AttachmentSealer::new(&key(), &mut rng(1));
        let mut sealed = sealer.header().to_vec();
        let mut chunks: Vec<_> = file.chunks(ATTACHMENT_CHUNK_BYTES).collect();
        if file.len().is_multiple_of(ATTACHMENT_CHUNK_BYTES) {
            chunks.push(&[]);
        }
        for chunk in chunks {
            let mut chunk = chunk.to_vec();
            sealer.seal_next(&mut chunk).unwrap();
            sealed.extend(chunk);
        }
        let more = sealer.seal_next(&mut Vec::new());
        assert_eq!(more, Err(AttachmentError::NoPlace { bytes: 0 }));
        sealed
    }

    /// Opens the chunks from the last to the first.
    fn open(key: &AttachmentKey, sealed: &[u8]) -> Result<Vec<u8>, AttachmentError> {
        let opener = opener(key, sealed)?;
        let mut file = Vec::new();
        for index in (0..opener.chunk_count()).rev() {
            let range = opener.chunk_range(index).unwrap();
            let place = |byte| usize::try_from(byte).unwrap();
            let mut chunk = sealed[place(range.start)..place(range.end)].to_vec();
            opener.open_chunk(index, &mut chunk)?;
            file.splice(0..0, chunk);
        }
        assert_eq!(opener.file_bytes(), file.len() as u64);
        assert_eq!(opener.chunk_range(opener.chunk_count()), None);
        Ok(file)
    }

    fn opener(key: &AttachmentKey, sealed: &[u8]) -> Result<AttachmentOpener, AttachmentError> {
        let header = sealed.first_chunk().ok_or(AttachmentError::NotAuthentic)?;
        AttachmentOpener::new(key, header, sealed.len() as u64)
    }

    #[test]
    fn files_of_every_kind_of_size_come_back() {
        let chunk = ATTACHMENT_CHUNK_BYTES;
        for bytes in [0, 1, chunk - 1, chunk, chunk + 1, 3 * chunk, 3 * chunk + 5] {
            let file: Vec<u8> = (0..=250).cycle().take(bytes).collect();
            let sealed = seal(&file);
            let tags = (bytes / chunk + 1) * TAG_BYTES;
            assert_eq!(sealed.len(), ATTACHMENT_HEADER_BYTES + bytes + tags);
            assert_eq!(open(&key(), &sealed), Ok(file), "{bytes}");
        }
    }

    #[test]
    fn refuses_other_keys_changes_cuts_and_chunks_in_another_place() {
        let sealed = seal(&vec![1; 2 * ATTACHMENT_CHUNK_BYTES + 100]);
        let refused = |sealed: &[u8]| open(&key(), sealed) == Err(AttachmentError::NotAuthentic);
        let other = AttachmentKey::from_bytes([8; 32]);
        assert_eq!(open(&other, &sealed), Err(AttachmentError::NotAuthentic));
        let places = (0..ATTACHMENT_HEADER_BYTES).chain([56, 16_440, 16_456, sealed.len() - 1]);
        for at in places {
            let mut changed = sealed.clone();
            changed[at] ^= 1;
            assert!(refused(&changed), "byte {at}");
        }
        let borders = [0, 55, 56, 71, 72, 16_455, 16_456, 16_457, 32_856, 32_872];
        for cut in borders.into_iter().chain([sealed.len() - 1]) {
            assert!(refused(&sealed[..cut]), "cut at {cut}");
        }
        assert!(refused(&[&sealed[..], &[0]].concat()), "a trailing byte");
        let (front, rest) = sealed.split_at(56);
        let (first, rest) = rest.split_at(16_400);
        let (second, last) = rest.split_at(16_400);
        assert!(refused(&[front, second, first, last].concat()), "swapped");
        assert!(refused(&[front, first, last].concat()), "one left out");
        assert!(refused(&[front, first, first, last].concat()), "one twice");
    }

    #[test]
    fn a_chunk_that_fails_leaves_nothing() {
        let sealed = seal(b"file");
        let opener = opener(&key(), &sealed).unwrap();
        let mut chunk = sealed[56..].to_vec();
        chunk[0] ^= 1;
        assert!(opener.open_chunk(0, &mut chunk).is_err());
        assert!(chunk.is_empty());
        assert!(opener.open_chunk(1, &mut sealed[56..].to_vec()).is_err());
        assert!(opener.open_chunk(u64::MAX, &mut Vec::new()).is_err());
    }

    #[test]
    fn a_sealer_takes_no_chunk_that_is_too_long() {
        let mut sealer = AttachmentSealer::new(&key(), &mut rng(1));
        let mut chunk = vec![0; ATTACHMENT_CHUNK_BYTES + 1];
        let bytes = chunk.len();
        let refused = sealer.seal_next(&mut chunk);
        assert_eq!(refused, Err(AttachmentError::NoPlace { bytes }));
        assert!(chunk.len() == bytes && chunk.iter().all(|byte| *byte == 0));
    }

    #[test]
    fn debug_shows_no_key() {
        let sealer = AttachmentSealer::new(&key(), &mut rng(1));
        let shown = format!("{:?} {sealer:?}", key());
        assert_eq!(
            shown,
            "AttachmentKey { .. } AttachmentSealer { next: Some(0), .. }"
        );
    }
}
