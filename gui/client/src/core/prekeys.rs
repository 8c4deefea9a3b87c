//! The secrets behind published prekeys: when to make new ones, and when to forget old ones.

use std::collections::{BTreeMap, HashMap};

use rand::{CryptoRng, RngExt as _};
use sotto_crypto::{Identity, PrekeyKind, PrekeySecret};
use sotto_net::wire::{Prekey, PublishPrekeys, Welcome};
use zeroize::Zeroizing;

use super::effects::Change;
use crate::planted;

const DAY_SECS: u64 = 24 * 60 * 60;
/// A new signed prekey is published weekly (PROTOCOL §2).
const ROTATION_SECS: u64 = 7 * DAY_SECS;
/// Peers accept a signed prekey for so long: somebody who was away for a quarter can still be
/// written to.
const SIGNED_LIFE_SECS: u64 = 90 * DAY_SECS;
/// A replaced signed prekey still opens first messages that lay at the relay, for as long as a
/// relay keeps them.
const REPLACED_LIFE_SECS: u64 = 30 * DAY_SECS;
/// One-time prekeys are used once or expire after this.
const ONE_TIME_LIFE_SECS: u64 = 365 * DAY_SECS;
/// One-time prekeys at the relay after a top-up.
const STOCK: u32 = 100;
/// Secrets of one-time prekeys that are kept, ten times what a relay is given at once: the oldest
/// go first. A relay that loses them, or says so, cannot fill the disk.
const ONE_TIME_MAX: usize = 1_000;
/// Of the numbers that are left, up to this part is left out where another life of the vault may have
/// given numbers out: two to four million at first, which it does not reach.
const LEAP_PART: u32 = 1_024;
/// Fewer than this at the relay call for a top-up.
const STOCK_LOW: u32 = 30;

/// The secrets by number.
pub(super) struct Prekeys {
    secrets: BTreeMap<u32, PrekeySecret>,
    /// The highest number that was given out.
    last: u32,
    /// Handshakes already accepted, with the signed prekey that they used.
    accepted: HashMap<[u8; 32], u32>,
}

impl Prekeys {
    /// Numbers up to `before` were given out, whatever is stored.
    pub(super) fn new(
        stored: &[Zeroizing<Vec<u8>>],
        accepted: Vec<([u8; 32], u32)>,
        before: u32,
    ) -> Self {
        let secrets: BTreeMap<_, _> = stored
            .iter()
            .filter_map(|bytes| PrekeySecret::from_stored(bytes).ok())
            .map(|secret| (secret.id(), secret))
            .collect();
        Self {
            last: before.max(secrets.last_key_value().map_or(0, |(id, _)| *id)),
            secrets,
            accepted: accepted.into_iter().collect(),
        }
    }

    /// The secrets that a first message asks for; `None` when one of them is gone, or the
    /// handshake was accepted before.
    pub(super) fn find(
        &self,
        digest: &[u8; 32],
        signed: u32,
        one_time: Option<u32>,
    ) -> Option<(&PrekeySecret, Option<&PrekeySecret>)> {
        if self.accepted.contains_key(digest) && !planted::is("replayed_handshake_accepted") {
            return None;
        }
        let signed = self
            .secrets
            .get(&signed)
            .filter(|secret| secret.kind() == PrekeyKind::Signed)?;
        let one_time = match one_time {
            None => None,
            Some(id) => Some(
                self.secrets
                    .get(&id)
                    .filter(|secret| secret.kind() == PrekeyKind::OneTime)?,
            ),
        };
        Some((signed, one_time))
    }

    /// A handshake was accepted: it never is again, and its one-time prekey is gone.
    pub(super) fn consume(
        &mut self,
        digest: [u8; 32],
        signed: u32,
        one_time: Option<u32>,
        commit: &mut Vec<Change>,
    ) {
        self.accepted.insert(digest, signed);
        commit.push(Change::AddReplay {
            digest,
            prekey: signed,
        });
        if let Some(id) = one_time {
            self.remove(id, commit);
        }
    }

    /// What has to be published, given what the relay has; new secrets are committed first. Those
    /// that were `refused` before are taken again before new ones are made.
    pub(super) fn replenish(
        &mut self,
        identity: &Identity,
        published: Published,
        refused: &[u32],
        now_secs: u64,
        rng: &mut (impl CryptoRng + ?Sized),
        commit: &mut Vec<Change>,
    ) -> Option<PublishPrekeys> {
        self.expire(now_secs, commit);
        let signed = match self.newest_signed() {
            Some(newest) if created_at(newest) + ROTATION_SECS > now_secs => {
                (published.signed != Some(newest.id())).then(|| publication(newest, identity))
            }
            _ => {
                let life = SIGNED_LIFE_SECS;
                Some(self.make(PrekeyKind::Signed, life, identity, now_secs, rng, commit))
            }
        };
        let missing = if published.one_time < STOCK_LOW {
            (STOCK - published.one_time) as usize
        } else {
            0
        };
        let mut one_time: Vec<Prekey> = refused
            .iter()
            .filter_map(|id| self.secrets.get(id))
            .take(missing)
            .map(|secret| publication(secret, identity))
            .collect();
        while one_time.len() < missing {
            let life = ONE_TIME_LIFE_SECS;
            one_time.push(self.make(PrekeyKind::OneTime, life, identity, now_secs, rng, commit));
        }
        self.forget_oldest(commit);
        (signed.is_some() || !one_time.is_empty()).then_some(PublishPrekeys {
            request: 0,
            signed,
            one_time,
        })
    }

    /// Makes a signed prekey whose number, like those that follow it, no other life of this vault has
    /// given out: one has gone on counting from here, others may leap from here too. Only a part of
    /// the numbers that are left is left out, so that they do not run out.
    pub(super) fn leap(
        &mut self,
        identity: &Identity,
        now_secs: u64,
        rng: &mut (impl CryptoRng + ?Sized),
        commit: &mut Vec<Change>,
    ) {
        let part = (u32::MAX - self.last) / LEAP_PART;
        self.last += rng.random_range(part / 2..=part);
        let life = SIGNED_LIFE_SECS;
        self.make(PrekeyKind::Signed, life, identity, now_secs, rng, commit);
    }

    /// When the signed prekey has to be replaced, in seconds since 1970.
    pub(super) fn rotation_at_secs(&self) -> Option<u64> {
        self.newest_signed()
            .map(|newest| created_at(newest) + ROTATION_SECS)
    }

    fn newest_signed(&self) -> Option<&PrekeySecret> {
        self.signed().next_back()
    }

    fn signed(&self) -> impl DoubleEndedIterator<Item = &PrekeySecret> {
        self.secrets
            .values()
            .filter(|secret| secret.kind() == PrekeyKind::Signed)
    }

    fn make(
        &mut self,
        kind: PrekeyKind,
        life_secs: u64,
        identity: &Identity,
        now_secs: u64,
        rng: &mut (impl CryptoRng + ?Sized),
        commit: &mut Vec<Change>,
    ) -> Prekey {
        self.last = self.last.saturating_add(1);
        let id = self.last;
        let secret = PrekeySecret::generate(kind, id, now_secs + life_secs, rng);
        let publication = publication(&secret, identity);
        commit.push(Change::AddPrekey {
            id,
            stored: secret.to_stored(),
        });
        self.secrets.insert(id, secret);
        publication
    }

    /// Forgets what nobody can use any more.
    fn expire(&mut self, now_secs: u64, commit: &mut Vec<Change>) {
        let mut expired: Vec<u32> = self
            .secrets
            .values()
            .filter(|secret| {
                secret.kind() == PrekeyKind::OneTime && secret.not_after_secs() < now_secs
            })
            .map(PrekeySecret::id)
            .collect();
        let signed: Vec<_> = self.signed().collect();
        for pair in signed.windows(2) {
            if let [old, new] = pair
                && created_at(new) + REPLACED_LIFE_SECS < now_secs
            {
                expired.push(old.id());
            }
        }
        for id in expired {
            self.remove(id, commit);
        }
    }

    fn forget_oldest(&mut self, commit: &mut Vec<Change>) {
        let is_one_time = |secret: &&PrekeySecret| secret.kind() == PrekeyKind::OneTime;
        let one_time = self.secrets.values().filter(is_one_time);
        let surplus = one_time.clone().count().saturating_sub(ONE_TIME_MAX);
        let oldest: Vec<u32> = one_time.take(surplus).map(PrekeySecret::id).collect();
        for id in oldest {
            self.remove(id, commit);
        }
    }

    fn remove(&mut self, id: u32, commit: &mut Vec<Change>) {
        self.secrets.remove(&id);
        self.accepted.retain(|_, prekey| *prekey != id);
        commit.push(Change::RemovePrekey { id });
    }
}

/// What the relay holds of this device.
#[derive(Clone, Copy)]
pub(super) struct Published {
    pub(super) signed: Option<u32>,
    pub(super) one_time: u32,
}

impl From<&Welcome> for Published {
    fn from(welcome: &Welcome) -> Self {
        Self {
            signed: welcome.signed_prekey,
            one_time: welcome.one_time_prekeys,
        }
    }
}

fn created_at(signed: &PrekeySecret) -> u64 {
    signed.not_after_secs().saturating_sub(SIGNED_LIFE_SECS)
}

fn publication(secret: &PrekeySecret, identity: &Identity) -> Prekey {
    Prekey {
        id: secret.id(),
        record: secret.record(identity).into(),
    }
}
