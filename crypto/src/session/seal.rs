//! Sealing: a step if it is due, then one message key (PROTOCOL §4.3, §5).

use std::sync::Arc;

use rand::CryptoRng;
use thiserror::Error;

use super::{Announcement, Session, Step, Turn};
use crate::aead::TAG_BYTES;
use crate::chain::{SendChain, fresh_nonce, prune};
use crate::codec::Reader;
use crate::group::{CAPSULE_BYTES, Capsule};
use crate::handshake::HandshakeView;
use crate::header::{Header, StepAnnouncement};
use crate::kem::KemSecret;
use crate::packet::{
    Binding, HANDSHAKE, ONE_TIME, PLAINTEXT_BYTES_MAX, PREFIX_BYTES, STEP, VERSION,
};
use crate::padding;

/// When a step is due at one's turn. A step costs 2,336 bytes.
#[derive(Clone, Copy)]
enum StepPolicy {
    /// For what is said to one person: 20 seconds after one's last step.
    Often,
    /// For capsules, where a step is due with every member at once: after 50 messages of one's
    /// chain, or an hour after one's last step.
    Rarely,
}

impl StepPolicy {
    const fn interval_secs(self) -> u64 {
        match self {
            Self::Often => 20,
            Self::Rarely => 60 * 60,
        }
    }

    const fn messages(self) -> u32 {
        match self {
            Self::Often => u32::MAX,
            Self::Rarely => 50,
        }
    }
}

/// What a body holds.
#[derive(Clone, Copy)]
enum Body<'a> {
    Text(&'a [u8]),
    Capsule(&'a Capsule),
}

impl Body<'_> {
    /// Size in bytes before sealing.
    fn bytes(self) -> usize {
        match self {
            Self::Text(plaintext) => padding::padded_bytes(plaintext.len()),
            Self::Capsule(_) => CAPSULE_BYTES,
        }
    }

    fn put_onto(self, packet: &mut Vec<u8>) {
        match self {
            Self::Text(plaintext) => padding::pad_onto(packet, plaintext),
            Self::Capsule(capsule) => packet.extend_from_slice(capsule.encode().as_slice()),
        }
    }
}

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

impl SealError {
    pub(crate) fn check_length(plaintext: &[u8]) -> Result<(), Self> {
        let bytes = plaintext.len();
        let bytes_max = PLAINTEXT_BYTES_MAX;
        if bytes > bytes_max {
            return Err(Self::TooLong { bytes, bytes_max });
        }
        Ok(())
    }
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
        SealError::check_length(plaintext)?;
        self.seal_body(Body::Text(plaintext), StepPolicy::Often, now_secs, rng)
    }

    /// Seals the capsule of a group message into a packet of 146 bytes, more with a step or a
    /// handshake; `now_secs` is Unix time in seconds (PROTOCOL §10.3).
    ///
    /// # Errors
    /// [`SealError::Exhausted`].
    ///
    /// # Security
    /// As for [`seal`](Self::seal).
    pub fn seal_capsule(
        &self,
        capsule: &Capsule,
        now_secs: u64,
        rng: &mut (impl CryptoRng + ?Sized),
    ) -> Result<Step<Vec<u8>>, SealError> {
        self.seal_body(Body::Capsule(capsule), StepPolicy::Rarely, now_secs, rng)
    }

    fn seal_body(
        &self,
        body: Body<'_>,
        policy: StepPolicy,
        now_secs: u64,
        rng: &mut (impl CryptoRng + ?Sized),
    ) -> Result<Step<Vec<u8>>, SealError> {
        let mut next = self.clone();
        prune(&mut next.receiving, now_secs);
        let output = next
            .step_if_due(policy, now_secs, rng)
            .and_then(|()| next.seal_in_chain(body, rng))
            .ok_or(SealError::Exhausted)?;
        Ok(Step { next, output })
    }

    /// Makes a step if it is this side's turn and the last one is long enough ago. `None` if the
    /// epochs have run out.
    fn step_if_due(
        &mut self,
        policy: StepPolicy,
        now_secs: u64,
        rng: &mut (impl CryptoRng + ?Sized),
    ) -> Option<()> {
        let Turn::Ours(peer_key) = &self.turn else {
            return Some(());
        };
        // A clock that went backwards must not hold steps up: the distance counts, not the order.
        let rested = now_secs.abs_diff(self.stepped_secs) >= policy.interval_secs();
        let is_due = |chain: &SendChain| rested || chain.next >= policy.messages();
        if !self.sending.as_ref().is_none_or(is_due) {
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
        self.turn = Turn::Theirs(Arc::new(secret));
        self.previous_count = self.sending.replace(chain).map_or(0, |old| old.next);
        self.announcement = Announcement::Step(Arc::new(announcement));
        self.stepped_secs = now_secs;
        Some(())
    }

    /// The newest chain of the peer that this side has seen; 0 also when it has seen none.
    pub(super) fn newest_received_epoch(&self) -> u32 {
        self.receiving.last().map_or(0, |chain| chain.epoch)
    }

    fn seal_in_chain(
        &mut self,
        body: Body<'_>,
        rng: &mut (impl CryptoRng + ?Sized),
    ) -> Option<Vec<u8>> {
        let (flags, handshake, digest, step) = match &self.announcement {
            Announcement::Settled => (0, &[][..], None, None),
            Announcement::Step(step) => (STEP, &[][..], None, Some(&**step)),
            Announcement::Handshake {
                bytes,
                has_one_time,
            } => {
                let view = HandshakeView::read(&mut Reader::new(bytes), *has_one_time)?;
                let one_time = if *has_one_time { ONE_TIME } else { 0 };
                (HANDSHAKE | one_time, &**bytes, Some(view.digest()), None)
            }
        };
        let acknowledged_epoch = self.newest_received_epoch();
        let chain = self.sending.as_mut()?;
        let n = chain.next;
        chain.next = n.checked_add(1)?;
        let message_key = chain.key.advance();
        let binding = Binding {
            prefix: [VERSION, flags],
            handshake: digest.as_ref().map_or(&[], |digest| digest),
            tag: &chain.header.tag_of(n),
            nonce: &fresh_nonce(rng),
        };
        let header = Header {
            epoch: chain.epoch,
            n,
            previous_count: self.previous_count,
            acknowledged_epoch,
            step,
        };

        let header_bytes = header.sealed_bytes();
        let bytes = PREFIX_BYTES + handshake.len() + header_bytes + body.bytes() + TAG_BYTES;
        let mut packet = Vec::with_capacity(bytes);
        packet.extend_from_slice(&binding.prefix);
        packet.extend_from_slice(handshake);
        packet.extend_from_slice(binding.tag);
        packet.extend_from_slice(binding.nonce);
        header.seal_onto(&mut packet, &chain.header, binding);
        let body_start = packet.len();
        let sealed_header = packet.get(body_start - header_bytes..)?;
        let aad = self.body_aad(self.role, binding, sealed_header);
        body.put_onto(&mut packet);
        message_key.seal_tail(binding.nonce, &aad, &mut packet, body_start);
        Some(packet)
    }
}
