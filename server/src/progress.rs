//! How far deliveries to each device have come, so that what is delivered again can be counted.
//! In memory only: a relay that was restarted has forgotten it.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use sotto_net::wire::{DeviceKey, Sequence};

use crate::metrics::Metrics;

/// Devices that are remembered beyond their connection; each costs about 100 bytes.
const REMEMBERED_MAX: usize = 8_192;

/// The highest sequence that was delivered to each device.
#[derive(Debug, Default)]
pub(crate) struct Journal {
    highest: Mutex<HashMap<DeviceKey, Arc<AtomicU64>>>,
}

impl Journal {
    /// A connection of this device begins.
    pub(crate) fn open(&self, device: DeviceKey, metrics: &Arc<Metrics>) -> Progress {
        let mut all = self.highest.lock().unwrap_or_else(PoisonError::into_inner);
        let highest = Arc::clone(all.entry(device).or_default());
        Progress {
            before: highest.load(Ordering::Relaxed),
            highest,
            metrics: Arc::clone(metrics),
        }
    }

    /// Forgets devices that are not connected when there are too many.
    pub(crate) fn tidy(&self) {
        let mut all = self.highest.lock().unwrap_or_else(PoisonError::into_inner);
        if all.len() > REMEMBERED_MAX {
            all.retain(|_, highest| Arc::strong_count(highest) > 1);
        }
    }
}

/// The deliveries of one connection.
#[derive(Debug)]
pub(crate) struct Progress {
    /// Delivered up to here by earlier connections.
    before: Sequence,
    highest: Arc<AtomicU64>,
    metrics: Arc<Metrics>,
}

impl Progress {
    /// An envelope is on its way.
    pub(crate) fn delivered(&self, sequence: Sequence) {
        self.metrics.deliveries.inc();
        if sequence <= self.before {
            self.metrics.redeliveries.inc();
        } else {
            self.highest.fetch_max(sequence, Ordering::Relaxed);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_an_earlier_connection_delivered_counts_as_redelivered() {
        let metrics = Arc::new(Metrics::new(0));
        let journal = Journal::default();
        let alice = DeviceKey([1; 32]);
        let first = journal.open(alice, &metrics);
        (1..=3).for_each(|sequence| first.delivered(sequence));
        assert_eq!(metrics.redeliveries.get(), 0);
        // The first connection is not known to be gone when the next one comes.
        let second = journal.open(alice, &metrics);
        (2..=4).for_each(|sequence| second.delivered(sequence));
        assert_eq!(metrics.redeliveries.get(), 2);
        let other = journal.open(DeviceKey([2; 32]), &metrics);
        other.delivered(1);
        assert_eq!(metrics.redeliveries.get(), 2);
        assert_eq!(metrics.deliveries.get(), 7);
    }

    #[test]
    fn the_journal_is_bounded_and_keeps_those_who_are_connected() {
        let metrics = Arc::new(Metrics::new(0));
        let journal = Journal::default();
        let connected = journal.open(DeviceKey([255; 32]), &metrics);
        connected.delivered(9);
        for number in 0..=REMEMBERED_MAX {
            let mut key = [0; 32];
            key[..8].copy_from_slice(&number.to_be_bytes());
            journal.open(DeviceKey(key), &metrics);
        }
        journal.tidy();
        assert_eq!(journal.highest.lock().unwrap().len(), 1);
        assert_eq!(journal.open(DeviceKey([255; 32]), &metrics).before, 9);
    }
}
