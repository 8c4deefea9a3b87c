//! The clocks on the walls: they go on with simulated time, and may be set.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::time::Instant;

use super::network::Host;

/// When the world begins, in milliseconds since 1970.
const BEGIN_MILLIS: i64 = 1_800_000_000_000;

/// How wrong a clock is at most. From one end to the other it is less than the 30 days for which
/// replaced prekeys and keys of late messages are kept (PROTOCOL §2, §4.4).
const WRONG_MAX_MILLIS: i64 = 14 * 24 * 60 * 60 * 1_000;

/// The clock of each host.
#[derive(Debug, Clone)]
pub(super) struct Clock {
    begun: Instant,
    ahead_millis: Arc<Mutex<BTreeMap<Host, i64>>>,
}

impl Clock {
    pub(super) fn new() -> Self {
        Self {
            begun: Instant::now(),
            ahead_millis: Arc::default(),
        }
    }

    /// What the clock of a host shows, in milliseconds since 1970.
    pub(super) fn millis(&self, host: Host) -> i64 {
        let passed = i64::try_from(self.begun.elapsed().as_millis()).unwrap_or(i64::MAX);
        let ahead = self.ahead_millis.lock();
        let ahead = ahead.unwrap_or_else(PoisonError::into_inner);
        BEGIN_MILLIS + passed + ahead.get(&host).copied().unwrap_or(0)
    }

    /// Sets the clock of a host forward or back, but never further than [`WRONG_MAX_MILLIS`].
    pub(super) fn step(&self, host: Host, millis: i64) {
        let ahead = self.ahead_millis.lock();
        let mut ahead = ahead.unwrap_or_else(PoisonError::into_inner);
        let ahead = ahead.entry(host).or_default();
        *ahead = (*ahead + millis).clamp(-WRONG_MAX_MILLIS, WRONG_MAX_MILLIS);
    }
}
