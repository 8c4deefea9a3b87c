//! The ids of envelopes that were handled lately: a relay may deliver one again, with a new place
//! in the mailbox (WIRE §5).

use std::collections::{HashMap, HashSet, VecDeque};

use sotto_net::RelayId;
use sotto_net::wire::EnvelopeId;

use super::effects::Change;

/// Ids that are remembered for each relay, the newest ones: as many as a relay remembers for a
/// mailbox (WIRE §7), and far more than can be on their way twice.
pub(crate) const RECENT_DELIVERIES_MAX: usize = 4_096;

/// What was handled lately, by relay.
#[derive(Default)]
pub(super) struct RecentDeliveries {
    relays: HashMap<RelayId, Recent>,
}

#[derive(Default)]
struct Recent {
    ids: HashSet<EnvelopeId>,
    /// Oldest first.
    order: VecDeque<EnvelopeId>,
    /// How many there ever were.
    place: u64,
}

impl RecentDeliveries {
    /// From what the vault holds, oldest first.
    pub(super) fn new(stored: Vec<(RelayId, u64, EnvelopeId)>) -> Self {
        let mut recent = Self::default();
        for (relay, place, id) in stored {
            recent.relays.entry(relay).or_default().add(place, id);
        }
        recent
    }

    /// Whether the relay has delivered this envelope before.
    ///
    /// # Security
    /// Ids are not authenticated: a relay can give a fresh envelope an old id, and it is passed
    /// over. That gains it nothing, because it could have dropped the envelope as well.
    pub(super) fn holds(&self, relay: RelayId, id: EnvelopeId) -> bool {
        let recent = self.relays.get(&relay);
        recent.is_some_and(|recent| recent.ids.contains(&id))
    }

    /// An envelope was handled: it is remembered as long as it is among the newest.
    pub(super) fn remember(&mut self, relay: RelayId, id: EnvelopeId) -> Change {
        let recent = self.relays.entry(relay).or_default();
        let place = recent.place + 1;
        recent.add(place, id);
        Change::RememberDelivery { relay, place, id }
    }

    /// What is no longer among the newest need not be stored any longer either.
    pub(super) fn forget(&self, relay: RelayId) -> Option<Change> {
        let most = RECENT_DELIVERIES_MAX as u64;
        let up_to = self.relays.get(&relay)?.place.checked_sub(most)?;
        Some(Change::ForgetDeliveries { relay, up_to })
    }
}

impl Recent {
    fn add(&mut self, place: u64, id: EnvelopeId) {
        self.place = place;
        self.ids.insert(id);
        self.order.push_back(id);
        if self.order.len() > RECENT_DELIVERIES_MAX
            && let Some(oldest) = self.order.pop_front()
        {
            self.ids.remove(&oldest);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RELAY: RelayId = RelayId([1; 32]);
    const OTHER: RelayId = RelayId([2; 32]);

    fn id(number: usize) -> EnvelopeId {
        let mut bytes = [0; 16];
        bytes[..8].copy_from_slice(&number.to_be_bytes());
        EnvelopeId(bytes)
    }

    #[test]
    fn the_newest_ids_of_each_relay_are_remembered_and_no_more() {
        let mut recent = RecentDeliveries::default();
        recent.remember(OTHER, id(0));
        for number in 0..=RECENT_DELIVERIES_MAX {
            let Change::RememberDelivery { place, .. } = recent.remember(RELAY, id(number)) else {
                panic!("another change");
            };
            assert_eq!(place, number as u64 + 1);
        }
        assert!(!recent.holds(RELAY, id(0)) && recent.holds(RELAY, id(1)));
        assert!(recent.holds(RELAY, id(RECENT_DELIVERIES_MAX)));
        let forgotten = recent.forget(RELAY);
        assert!(matches!(
            forgotten,
            Some(Change::ForgetDeliveries { up_to: 1, .. })
        ));
        assert!(recent.holds(OTHER, id(0)) && !recent.holds(OTHER, id(1)));
        let held = &recent.relays[&RELAY];
        assert_eq!(held.ids.len(), RECENT_DELIVERIES_MAX);
        assert_eq!(held.order.len(), RECENT_DELIVERIES_MAX);
    }
}
