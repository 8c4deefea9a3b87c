//! Sealing: a step if it is due, then one message key (PROTOCOL §4.3, §5).

use rand::CryptoRng;
use thiserror::Error;

use super::{Announcement, BodyBinding, Session, Step, Turn};
use crate::chain::{SendChain, fresh_nonce, prune};
use crate::codec::{Reader, Writer};
use crate::handshake::{HANDSHAKE_BYTES_MAX, HandshakeView};
use crate::header::{Header, HeaderBinding, StepAnnouncement};
use crate::kem::KemSecret;
use crate::packet::{HANDSHAKE, ONE_TIME, PLAINTEXT_BYTES_MAX, STEP, VERSION};
use crate::padding;

/// Least time between two steps of one side, in seconds: a step costs 2,336 bytes.
pub(crate) const STEP_INTERVAL_SECS: u64 = 20;

/// Why nothing was sealed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum SealError {
    /// The plaintext is longer than [`PLAINTEXT_BYTES_MAX`].
    #[error("plaintext of {bytes} bytes, at most {bytes_max}")]
    TooLong {
        /// Its size.
        bytes: usize,
        /// The size allowed.
        bytes_max: usize,
    },
    /// A chain or a session has given all its messages; a new session must be started.
    #[error("session exhausted")]
    Exhausted,
}

impl Session {
    /// Seals a message of at most 53,247 bytes into a packet of at most 65,536; `now_secs` is Unix
    /// time in seconds.
    ///
    /// # Errors
    /// [`SealError`].
    ///
    /// # Security
    /// Store [`Step::next`] before the packet leaves, and send the same bytes again rather than
    /// seal again (PROTOCOL §4.6).
    pub fn seal(
        &self,
        plaintext: &[u8],
        now_secs: u64,
        rng: &mut (impl CryptoRng + ?Sized),
    ) -> Result<Step<Vec<u8>>, SealError> {
        if plaintext.len() > PLAINTEXT_BYTES_MAX {
            return Err(SealError::TooLong {
                bytes: plaintext.len(),
                bytes_max: PLAINTEXT_BYTES_MAX,
            });
        }
        let mut next = self.clone();
        prune(&mut next.receiving, now_secs);
        next.step_if_due(now_secs, rng)
            .ok_or(SealError::Exhausted)?;
        let output = next
            .seal_in_chain(plaintext, rng)
            .ok_or(SealError::Exhausted)?;
        Ok(Step { next, output })
    }

    /// Makes a step if it is this side's turn and the last one is long enough ago. `None` if the
    /// epochs have run out.
    fn step_if_due(&mut self, now_secs: u64, rng: &mut (impl CryptoRng + ?Sized)) -> Option<()> {
        // A clock that went backwards must not hold steps up: the distance counts, not the order.
        let rested = now_secs.abs_diff(self.stepped_secs) >= STEP_INTERVAL_SECS;
        let Turn::Ours(peer_key) = &self.turn else {
            return Some(());
        };
        if self.sending.is_some() && !rested {
            return Some(());
        }
        let epoch = self.newest_received_epoch().checked_add(1)?;
        let (ciphertext, shared) = peer_key.encapsulate(rng);
        let secret = KemSecret::generate(rng);
        let announcement = StepAnnouncement {
            ciphertext,
            public: secret.public(),
        };
        let (root, key, fresh_header) = self.step_keys(epoch, &announcement, &shared);
        let chain = SendChain {
            epoch,
            header: std::mem::replace(&mut self.next_send, fresh_header),
            key,
            next: 0,
        };
        self.root = root;
        self.turn = Turn::Theirs(secret);
        self.previous_count = self.sending.replace(chain).map_or(0, |old| old.next);
        self.announcement = Announcement::Step(Box::new(announcement));
        self.stepped_secs = now_secs;
        Some(())
    }

    /// The newest chain of the peer that this side has seen; 0 also when it has seen none.
    pub(super) fn newest_received_epoch(&self) -> u32 {
        self.receiving.last().map_or(0, |chain| chain.epoch)
    }

    fn seal_in_chain(
        &mut self,
        plaintext: &[u8],
        rng: &mut (impl CryptoRng + ?Sized),
    ) -> Option<Vec<u8>> {
        let (flags, handshake, step) = match &self.announcement {
            Announcement::Settled => (0, &[][..], None),
            Announcement::Step(step) => (STEP, &[][..], Some((**step).clone())),
            Announcement::Handshake {
                bytes,
                has_one_time,
            } => {
                let one_time = if *has_one_time { ONE_TIME } else { 0 };
                (HANDSHAKE | one_time, bytes.as_slice(), None)
            }
        };
        let prefix = [VERSION, flags];
        let digest = HandshakeView::read(&mut Reader::new(handshake), flags & ONE_TIME != 0)
            .map(|view| view.digest());
        let binding = digest.as_ref().map_or(&[][..], |digest| digest);

        let acknowledged_epoch = self.newest_received_epoch();
        let previous_count = self.previous_count;
        let chain = self.sending.as_mut()?;
        let n = chain.next;
        chain.next = n.checked_add(1)?;
        let message_key = chain.key.advance();
        let nonce = fresh_nonce(rng);
        let tag = chain.header.tag_of(n);
        let header = Header {
            epoch: chain.epoch,
            n,
            previous_count,
            acknowledged_epoch,
            step,
        };
        let header_binding = HeaderBinding {
            prefix,
            handshake: binding,
            tag: &tag,
            nonce: &nonce,
        };
        let header = header.seal(&chain.header, header_binding);
        let writer = Writer::with_capacity(HANDSHAKE_BYTES_MAX + header.len() + plaintext.len())
            .raw(&prefix)
            .raw(handshake)
            .raw(&tag)
            .raw(&nonce)
            .raw(&header);
        let parts = BodyBinding {
            prefix,
            handshake: binding,
            nonce: &nonce,
            tag: &tag,
            header: &header,
        };
        let aad = self.body_aad(self.role, parts);
        let body = message_key.seal(&nonce, &aad, &padding::pad(plaintext));
        Some(writer.raw(&body).public())
    }
}
