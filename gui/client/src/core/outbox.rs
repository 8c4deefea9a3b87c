//! Sealed envelopes on their way to the relay: in order, a window at a time, the same bytes again
//! until the relay has answered.

use std::collections::VecDeque;

use sotto_net::wire::{DeviceKey, EnvelopeId};

use super::effects::OutboxRecord;
use crate::planted;

/// Envelopes that may wait for their answer at the same time.
const WINDOW: usize = 64;

struct Item {
    record: OutboxRecord,
    state: ItemState,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum ItemState {
    Waiting,
    InFlight,
    /// Refused for now; again then (milliseconds since 1970).
    RetryAt(i64),
}

/// The outbox, oldest first.
#[derive(Default)]
pub(super) struct Outbox {
    items: VecDeque<Item>,
}

impl Outbox {
    pub(super) fn push(&mut self, record: OutboxRecord) {
        self.items.push_back(Item {
            record,
            state: ItemState::Waiting,
        });
    }

    /// A new connection: what had no answer is sent again.
    pub(super) fn restart(&mut self) {
        if planted::is("reconnect_forgets_outbox") {
            self.items.retain(|item| item.state != ItemState::InFlight);
        }
        if planted::is("reconnect_reorders") {
            let in_flight = |item: &&Item| item.state == ItemState::InFlight;
            let sent = self.items.iter().filter(in_flight).count();
            self.items.rotate_left(sent);
        }
        for item in &mut self.items {
            item.state = ItemState::Waiting;
        }
    }

    /// The next envelope to send, if the window has room.
    pub(super) fn next(&mut self, now_millis: i64) -> Option<&OutboxRecord> {
        let mut in_flight = 0;
        let mut held_up = Vec::new();
        for item in &mut self.items {
            match item.state {
                ItemState::InFlight => in_flight += 1,
                // Whatever follows to the same device waits too, so that the order stays.
                ItemState::RetryAt(at) if at > now_millis => held_up.push(item.record.device),
                _ if held_up.contains(&item.record.device) => {}
                _ => {
                    if in_flight >= WINDOW {
                        return None;
                    }
                    item.state = ItemState::InFlight;
                    return Some(&item.record);
                }
            }
        }
        None
    }

    /// When something that was refused for now may be sent again.
    pub(super) fn retry_at_millis(&self) -> Option<i64> {
        self.items
            .iter()
            .filter_map(|item| match item.state {
                ItemState::RetryAt(at) => Some(at),
                _ => None,
            })
            .min()
    }

    pub(super) fn retry_later(&mut self, id: EnvelopeId, at_millis: i64) {
        if let Some(item) = self.items.iter_mut().find(|item| item.record.id == id) {
            item.state = ItemState::RetryAt(at_millis);
        }
    }

    pub(super) fn remove(&mut self, id: EnvelopeId) -> Option<OutboxRecord> {
        let index = self.items.iter().position(|item| item.record.id == id)?;
        self.items.remove(index).map(|item| item.record)
    }

    pub(super) fn clear(&mut self) {
        self.items.clear();
    }

    /// Takes out everything that is addressed to a device.
    pub(super) fn remove_device(&mut self, device: DeviceKey) -> Vec<OutboxRecord> {
        let (gone, kept) = std::mem::take(&mut self.items)
            .into_iter()
            .partition::<VecDeque<_>, _>(|item| item.record.device == device);
        self.items = kept;
        gone.into_iter().map(|item| item.record).collect()
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;

    fn record(id: u8, device: u8) -> OutboxRecord {
        OutboxRecord {
            id: EnvelopeId([id; 16]),
            device: DeviceKey([device; 32]),
            body: Bytes::new(),
            message: None,
        }
    }

    fn drain(outbox: &mut Outbox, now: i64) -> Vec<u8> {
        std::iter::from_fn(|| outbox.next(now).map(|record| record.id.0[0])).collect()
    }

    #[test]
    fn sends_in_order_within_the_window_and_again_after_a_restart() {
        let mut outbox = Outbox::default();
        for id in 0..100 {
            outbox.push(record(id, 1));
        }
        assert_eq!(drain(&mut outbox, 0), (0..64).collect::<Vec<_>>());
        outbox.remove(EnvelopeId([3; 16]));
        assert_eq!(drain(&mut outbox, 0), [64]);
        outbox.restart();
        assert_eq!(drain(&mut outbox, 0)[..4], [0, 1, 2, 4]);
    }

    #[test]
    fn what_is_refused_for_now_holds_up_its_device_only() {
        let mut outbox = Outbox::default();
        for (id, device) in [(0, 1), (1, 1), (2, 2)] {
            outbox.push(record(id, device));
        }
        assert_eq!(outbox.next(0).unwrap().id.0[0], 0);
        outbox.retry_later(EnvelopeId([0; 16]), 50);
        assert_eq!(drain(&mut outbox, 10), [2]);
        assert_eq!(outbox.retry_at_millis(), Some(50));
        assert_eq!(drain(&mut outbox, 50), [0, 1]);
    }
    #[test]
    fn the_first_that_was_refused_goes_first_whatever_was_said_to_those_behind_it() {
        let mut outbox = Outbox::default();
        for id in 0..4 {
            outbox.push(record(id, 1));
        }
        assert_eq!(drain(&mut outbox, 0), [0, 1, 2, 3]);
        // The relay refuses all of them; those behind have to wait for a shorter time.
        for (id, at) in [(0, 50), (1, 20), (2, 30), (3, 40)] {
            outbox.retry_later(EnvelopeId([id; 16]), at);
        }
        outbox.push(record(4, 1));
        assert!(drain(&mut outbox, 45).is_empty());
        assert_eq!(drain(&mut outbox, 50), [0, 1, 2, 3, 4]);
        // Whatever was addressed to a device that is given up waits for nothing.
        outbox.retry_later(EnvelopeId([0; 16]), 90);
        assert_eq!(outbox.remove_device(DeviceKey([1; 32])).len(), 5);
        outbox.push(record(5, 2));
        assert_eq!(drain(&mut outbox, 60), [5]);
    }
}
