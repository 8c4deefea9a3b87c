//! Packets as a peer can make them that has every key and keeps no rule, for fuzzing.

use std::sync::LazyLock;

use super::{Session, Turn};
use crate::chain::MessageKey;
use crate::header::{Header, StepAnnouncement};
use crate::kem::{CIPHERTEXT_BYTES, KemPublic, KemSecret};
use crate::packet::{Binding, STEP, VERSION};
use crate::testing::rng;

/// The next key of a peer that is always the same.
static PUBLIC: LazyLock<KemPublic> = LazyLock::new(|| KemSecret::from_seed(&[9; 32]).public());

/// What a forged packet says. All zeros in a chain of the session is what an honest peer says next.
pub(crate) struct Forgery {
    /// Index of a chain; behind the last one it is that of the peer's next step.
    pub(crate) chain: usize,
    /// Whether a step is announced.
    pub(crate) has_step: bool,
    /// Distance from the next message of the chain.
    pub(crate) ahead: i16,
    /// What the header's epoch and number are wrong by.
    pub(crate) wrong_epoch: u8,
    pub(crate) wrong_n: u8,
    pub(crate) previous_count: u16,
    pub(crate) acknowledged_epoch: u8,
}

impl Session {
    pub(crate) fn forge(&self, forgery: &Forgery, body: &[u8], now_secs: u64) -> Vec<u8> {
        let known = self.receiving.get(forgery.chain);
        let (keys, epoch, next) = if let Some(chain) = known {
            let next = chain.live.as_ref().map_or(0, |(_, next)| *next);
            (&chain.header, chain.epoch, next)
        } else {
            let last = self.sending.as_ref().map_or(0, |chain| chain.epoch);
            (&self.next_receive, last.wrapping_add(1), 0)
        };
        let n = next.wrapping_add_signed(forgery.ahead.into());
        let step = forgery.has_step.then(|| StepAnnouncement {
            ciphertext: match &self.turn {
                Turn::Theirs(secret) => secret.public().encapsulate(&mut rng(1)).0,
                Turn::Ours(_) => [0; CIPHERTEXT_BYTES],
            },
            public: PUBLIC.clone(),
        });
        let header = Header {
            epoch: epoch ^ u32::from(forgery.wrong_epoch),
            n: n ^ u32::from(forgery.wrong_n),
            previous_count: forgery.previous_count.into(),
            acknowledged_epoch: forgery.acknowledged_epoch.into(),
            step: step.as_ref(),
        };
        let binding = Binding {
            prefix: [VERSION, if forgery.has_step { STEP } else { 0 }],
            handshake: &[],
            tag: &keys.tag_of(n),
            nonce: &[7; 16],
        };
        let mut packet = [&binding.prefix[..], binding.tag, binding.nonce].concat();
        let header_start = packet.len();
        header.seal_onto(&mut packet, keys, binding);
        let aad = self.body_aad(self.role.peer(), binding, &packet[header_start..]);
        let mut copy = self.clone();
        let key = match known {
            Some(_) => copy.receiving[forgery.chain].take(n, now_secs),
            None => copy.follow_step(
                &Header {
                    epoch: header.epoch,
                    n: header.n,
                    previous_count: header.previous_count,
                    acknowledged_epoch: header.acknowledged_epoch,
                    step: step.clone(),
                },
                now_secs,
            ),
        };
        let body_start = packet.len();
        packet.extend_from_slice(body);
        key.unwrap_or_else(|| MessageKey::new([0; 32])).seal_tail(
            binding.nonce,
            &aad,
            &mut packet,
            body_start,
        );
        packet
    }
}
