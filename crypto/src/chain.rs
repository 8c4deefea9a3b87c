//! Symmetric chains: one key for each message, in order or out of it (PROTOCOL §4.2, §4.4).

use rand::CryptoRng;
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

use crate::aead;
use crate::header::HeaderKeys;
use crate::kdf;
use crate::planted;

/// Messages of one chain that may be missing before the next one. Bounds the work that one packet
/// can cause.
pub(crate) const GAP_MAX: u32 = 2000;
/// Keys of missing messages that a session keeps; 44 bytes each in its record.
pub(crate) const SKIPPED_MAX: usize = 1000;
/// Receive chains that a session keeps, the live one among them.
pub(crate) const CHAINS_MAX: usize = 5;
/// How long the key of a missing message is kept: 30 days, as long as a relay keeps a message.
pub(crate) const SKIPPED_SECS_MAX: u64 = 30 * 24 * 60 * 60;

/// `CK`: all later keys of its chain follow from it.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub(crate) struct ChainKey([u8; 32]);

impl ChainKey {
    pub(crate) fn new(key: [u8; 32]) -> Self {
        Self(key)
    }

    pub(crate) fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// ``MK = HMAC(CK, 0x01); CK = HMAC(CK, 0x02)``
    pub(crate) fn advance(&mut self) -> MessageKey {
        let message = MessageKey(*kdf::hmac(&self.0, &[1]));
        self.0 = *kdf::hmac(&self.0, &[2]);
        message
    }
}

/// `MK`: opens one message.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub(crate) struct MessageKey([u8; 32]);

impl MessageKey {
    pub(crate) fn new(key: [u8; 32]) -> Self {
        Self(key)
    }

    pub(crate) fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// ``K || N = HKDF-Expand(HKDF-Extract(salt r16, MK), "Sotto/1 msg", 44)``
    fn key_and_nonce(&self, nonce: &[u8; 16]) -> (Zeroizing<[u8; 32]>, [u8; 12]) {
        let prk = kdf::extract(nonce, &[&self.0]);
        let output = kdf::expand::<44>(&prk, &[b"Sotto/1 msg"]);
        (kdf::part(&output, 0), kdf::nonce(&output, 32))
    }

    /// Seals the body that `packet` holds from `start` on, 16 bytes longer afterwards. Consumes the
    /// key.
    pub(crate) fn seal_tail(
        self,
        nonce: &[u8; 16],
        aad: &[u8],
        packet: &mut Vec<u8>,
        start: usize,
    ) {
        let (key, gcm_nonce) = self.key_and_nonce(nonce);
        aead::seal_tail(&key, &gcm_nonce, aad, packet, start);
    }

    /// The padded plaintext of a body. Consumes the key.
    pub(crate) fn open(
        self,
        nonce: &[u8; 16],
        aad: &[u8],
        body: &[u8],
    ) -> Option<Zeroizing<Vec<u8>>> {
        let (key, gcm_nonce) = self.key_and_nonce(nonce);
        aead::open(&key, &gcm_nonce, aad, body)
    }
}

/// A random value that goes with each packet, so that no key and nonce repeat even when a state is
/// used twice.
pub(crate) fn fresh_nonce(rng: &mut (impl CryptoRng + ?Sized)) -> [u8; 16] {
    let mut nonce = [0; 16];
    rng.fill_bytes(&mut nonce);
    nonce
}

/// A chain in which this side sends.
#[derive(Clone)]
pub(crate) struct SendChain {
    pub(crate) epoch: u32,
    pub(crate) header: HeaderKeys,
    pub(crate) key: ChainKey,
    /// Number of the next message, and so of the messages sent.
    pub(crate) next: u32,
}

/// The key of a message that has not come yet.
#[derive(Clone)]
pub(crate) struct SkippedKey {
    pub(crate) n: u32,
    pub(crate) since_secs: u64,
    pub(crate) key: MessageKey,
}

/// A chain in which the peer sends, or sent.
#[derive(Clone)]
pub(crate) struct ReceiveChain {
    pub(crate) epoch: u32,
    pub(crate) header: HeaderKeys,
    /// The key and number of the next message; `None` once the peer has gone to its next chain.
    pub(crate) live: Option<(ChainKey, u32)>,
    /// Ascending by number.
    pub(crate) skipped: Vec<SkippedKey>,
}

impl ReceiveChain {
    pub(crate) fn new(epoch: u32, header: HeaderKeys, key: ChainKey) -> Self {
        Self {
            epoch,
            header,
            live: Some((key, 0)),
            skipped: Vec::new(),
        }
    }

    /// The number behind a tag, if this chain still has the key of that message.
    pub(crate) fn expects(&self, tag: &[u8; 16]) -> Option<u32> {
        let n = self.header.number_of(tag)?;
        let ahead = self
            .live
            .as_ref()
            .and_then(|(_, next)| n.checked_sub(*next))
            .is_some_and(|gap| gap <= GAP_MAX || planted::is("no_skip_limit"));
        let skipped = self.skipped.binary_search_by_key(&n, |key| key.n).is_ok();
        (ahead || skipped).then_some(n)
    }

    /// Takes the key of message `n` out; keys of messages before it are set aside.
    pub(crate) fn take(&mut self, n: u32, now_secs: u64) -> Option<MessageKey> {
        if let Ok(index) = self.skipped.binary_search_by_key(&n, |key| key.n) {
            return Some(self.skipped.remove(index).key);
        }
        let (_, next) = self.live.as_ref()?;
        if n.checked_sub(*next)? > GAP_MAX && !planted::is("no_skip_limit") {
            return None;
        }
        self.skip_to(n, now_secs);
        let (key, next) = self.live.as_mut()?;
        *next = n.checked_add(1)?;
        Some(key.advance())
    }

    /// Sets aside the keys of all messages before `n`.
    fn skip_to(&mut self, n: u32, now_secs: u64) {
        let Some((key, next)) = self.live.as_mut() else {
            return;
        };
        while *next < n {
            let skipped = SkippedKey {
                n: *next,
                since_secs: now_secs,
                key: key.advance(),
            };
            if !planted::is("skipped_keys_dropped") {
                self.skipped.push(skipped);
            }
            *next += 1;
        }
    }

    /// Ends the chain after the `count` messages that the peer says it has. If more are missing than
    /// may be, only the keys of the first are set aside: the conversation goes on without the rest.
    pub(crate) fn close(&mut self, count: u32, now_secs: u64) {
        if let Some((_, next)) = &self.live {
            self.skip_to(count.min(next.saturating_add(GAP_MAX)), now_secs);
        }
        self.live = None;
    }
}

/// Drops skipped keys that are too old or too many, then chains that hold nothing any more.
pub(crate) fn prune(chains: &mut Vec<ReceiveChain>, now_secs: u64) {
    for chain in chains.iter_mut() {
        chain
            .skipped
            .retain(|key| now_secs.saturating_sub(key.since_secs) <= SKIPPED_SECS_MAX);
    }
    chains.retain(|chain| chain.live.is_some() || !chain.skipped.is_empty());
    let surplus_chains = chains.len().saturating_sub(CHAINS_MAX);
    chains.drain(..surplus_chains);
    let held: usize = chains.iter().map(|chain| chain.skipped.len()).sum();
    let mut surplus = held.saturating_sub(SKIPPED_MAX);
    for chain in chains {
        let dropped = surplus.min(chain.skipped.len());
        chain.skipped.drain(..dropped);
        surplus -= dropped;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chain(epoch: u32) -> ReceiveChain {
        ReceiveChain::new(epoch, HeaderKeys::derive(&[1; 32]), ChainKey::new([2; 32]))
    }

    #[test]
    fn each_key_is_taken_once_in_any_order() {
        let mut sender = ChainKey::new([2; 32]);
        let keys: Vec<_> = (0..5).map(|_| *sender.advance().as_bytes()).collect();
        let mut chain = chain(0);
        for n in [3, 0, 2, 4, 1] {
            let tag = chain.header.tag_of(n);
            assert_eq!(chain.expects(&tag), Some(n));
            assert_eq!(*chain.take(n, 0).unwrap().as_bytes(), keys[n as usize]);
            assert_eq!(chain.expects(&tag), None);
            assert!(chain.take(n, 0).is_none());
        }
    }

    #[test]
    fn a_gap_is_bounded() {
        let first = chain(0);
        let tag = |n| first.header.tag_of(n);
        assert_eq!(first.expects(&tag(GAP_MAX)), Some(GAP_MAX));
        assert_eq!(first.expects(&tag(GAP_MAX + 1)), None);
        assert!(chain(0).take(GAP_MAX + 1, 0).is_none());
        assert!(chain(0).take(u32::MAX, 0).is_none());
    }

    #[test]
    fn a_chain_closes_whatever_its_length_and_keeps_a_bounded_number_of_keys() {
        for (count, kept) in [(0, 0), (5, 2), (u32::MAX, GAP_MAX as usize)] {
            let mut chain = chain(0);
            chain.take(2, 0).unwrap();
            chain.skipped.clear();
            chain.close(count, 0);
            assert!(chain.live.is_none());
            assert_eq!(chain.skipped.len(), kept, "{count}");
        }
    }

    #[test]
    fn the_newest_skipped_keys_of_the_newest_chains_are_kept() {
        let mut chains: Vec<_> = (0..7).map(chain).collect();
        for chain in &mut chains {
            chain.close(300, 10);
        }
        prune(&mut chains, 10);
        let held: Vec<_> = chains
            .iter()
            .map(|chain| (chain.epoch, chain.skipped.len()))
            .collect();
        assert_eq!(held, [(2, 0), (3, 100), (4, 300), (5, 300), (6, 300)]);
        assert_eq!(chains[1].skipped[0].n, 200);
        prune(&mut chains, 10 + SKIPPED_SECS_MAX);
        assert_eq!(chains.len(), 4);
        prune(&mut chains, 11 + SKIPPED_SECS_MAX);
        assert!(chains.is_empty());
    }
}
