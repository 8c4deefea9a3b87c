//! Ids of the newest envelopes that came since a mailbox was read from the disk.

use std::collections::{HashSet, VecDeque};

use sotto_net::wire::EnvelopeId;

use crate::store::FLEETING_IDS_MAX;

#[derive(Debug, Default)]
pub(super) struct FleetingIds {
    order: VecDeque<EnvelopeId>,
    known: HashSet<EnvelopeId>,
}

impl FleetingIds {
    pub(super) fn contains(&self, id: EnvelopeId) -> bool {
        self.known.contains(&id)
    }

    pub(super) fn put(&mut self, id: EnvelopeId) {
        if self.order.len() == FLEETING_IDS_MAX
            && let Some(oldest) = self.order.pop_front()
        {
            self.known.remove(&oldest);
        }
        self.order.push_back(id);
        self.known.insert(id);
    }

    pub(super) fn forget(&mut self, id: EnvelopeId) {
        if self.known.remove(&id) {
            self.order.retain(|known| *known != id);
        }
    }
}
