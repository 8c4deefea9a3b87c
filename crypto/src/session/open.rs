//! Opening: find the chain by its tag, follow a step, take one message key (PROTOCOL §4.4, §5.3).

use std::sync::Arc;

use rand::CryptoRng;

use super::{Announcement, Opened, Session, Step, Turn};
use crate::chain::{GAP_MAX, MessageKey, ReceiveChain, prune};
use crate::header::{Header, StepAnnouncement};
use crate::packet::{OpenError, Packet};

/// Where a message belongs.
enum Place {
    /// In a chain that this side has, at this index.
    Known { index: usize, n: u32 },
    /// In the chain that the peer's next step begins.
    Next { n: u32 },
}

impl Session {
    /// Whether a packet with this tag (16 bytes) belongs to this session and can still be opened.
    /// Costs one AES block for each of at most six chains.
    pub fn expects(&self, tag: &[u8; 16]) -> bool {
        self.place(tag).is_some()
    }

    fn place(&self, tag: &[u8; 16]) -> Option<Place> {
        for (index, chain) in self.receiving.iter().enumerate().rev() {
            if let Some(n) = chain.expects(tag) {
                return Some(Place::Known { index, n });
            }
        }
        let n = self.next_receive.number_of(tag)?;
        let possible = matches!(self.turn, Turn::Theirs(_)) && n <= GAP_MAX;
        possible.then_some(Place::Next { n })
    }

    /// Opens a packet of this session; `now_secs` is Unix time in seconds.
    ///
    /// This version of the protocol opens without randomness; the argument keeps room for
    /// primitives whose secret operations are blinded.
    ///
    /// # Errors
    /// [`OpenError::NotAuthentic`], whatever was wrong. Nothing has changed then.
    pub fn open(
        &self,
        packet: &Packet<'_>,
        now_secs: u64,
        _rng: &mut (impl CryptoRng + ?Sized),
    ) -> Result<Step<Opened>, OpenError> {
        self.opened(packet, now_secs).ok_or(OpenError::NotAuthentic)
    }

    fn opened(&self, packet: &Packet<'_>, now_secs: u64) -> Option<Step<Opened>> {
        let binding = packet.binding();
        let mut next = self.clone();
        let (header, message_key) = match self.place(binding.tag)? {
            Place::Known { index, n } => {
                let chain = next.receiving.get_mut(index)?;
                let header = Header::open(&chain.header, binding, packet.header)?;
                if (header.epoch, header.n) != (chain.epoch, n) {
                    return None;
                }
                let message_key = chain.take(n, now_secs)?;
                (header, message_key)
            }
            Place::Next { n } => {
                let header = Header::open(&self.next_receive, binding, packet.header)?;
                if header.n != n {
                    return None;
                }
                let message_key = next.follow_step(&header, now_secs)?;
                (header, message_key)
            }
        };
        let aad = self.body_aad(self.role.peer(), binding, packet.header);
        let output = Opened::decode(message_key.open(binding.nonce, &aad, packet.body)?)?;
        next.note_acknowledgement(&header);
        prune(&mut next.receiving, now_secs);
        Some(Step { next, output })
    }

    /// Follows the peer's step into its new chain and takes the key of the message in hand.
    pub(super) fn follow_step(
        &mut self,
        header: &Header<StepAnnouncement>,
        now_secs: u64,
    ) -> Option<MessageKey> {
        let announcement = header.step.as_ref()?;
        let Turn::Theirs(secret) = &self.turn else {
            return None;
        };
        let epoch = self.sending.as_ref()?.epoch.checked_add(1)?;
        if header.epoch != epoch {
            return None;
        }
        let shared = secret.decapsulate(&announcement.ciphertext)?;
        let (root, key, fresh_header) = self.step_keys(epoch, announcement, &shared);
        if let Some(chain) = self.receiving.last_mut() {
            chain.close(header.previous_count, now_secs);
        }
        let header_keys = std::mem::replace(&mut self.next_receive, fresh_header);
        let mut chain = ReceiveChain::new(epoch, header_keys, key);
        let message_key = chain.take(header.n, now_secs)?;
        self.receiving.push(chain);
        self.root = root;
        self.turn = Turn::Ours(Arc::new(announcement.public.clone()));
        // The peer could make its step only with the key that ours announced.
        self.announcement = Announcement::Settled;
        Some(message_key)
    }

    fn note_acknowledgement(&mut self, header: &Header<StepAnnouncement>) {
        let seen = |epoch| header.acknowledged_epoch >= epoch;
        let settled = match &self.announcement {
            // Any message of the peer shows that the handshake arrived.
            Announcement::Settled | Announcement::Handshake { .. } => true,
            Announcement::Step(_) => self.sending.as_ref().is_some_and(|chain| seen(chain.epoch)),
        };
        if settled {
            self.announcement = Announcement::Settled;
        }
        self.acknowledged = true;
    }
}
