//! How often: token buckets for what a device or an address may ask (WIRE §7).

use std::hash::Hash;
use std::net::{IpAddr, Ipv6Addr};
use std::num::NonZeroU32;
use std::time::Duration;

use governor::clock::Clock;
use governor::middleware::NoOpMiddleware;
use governor::nanos::Nanos;
use governor::state::keyed::DashMapStateStore;
use governor::{Quota, RateLimiter};
use sotto_net::wire::DeviceKey;
use tokio::time::Instant;

use crate::config::{Limits, Rate};
use crate::metrics::{Counter, RateLimited};

/// Tokio's clock, so that a test can hold it still.
#[derive(Debug, Clone)]
struct TokioClock(Instant);

impl Clock for TokioClock {
    type Instant = Nanos;

    fn now(&self) -> Nanos {
        self.0.elapsed().into()
    }
}

/// A bucket of tokens for each key.
#[derive(Debug)]
pub(crate) struct Buckets<K: Hash + Eq + Clone> {
    limiter: RateLimiter<K, DashMapStateStore<K>, TokioClock, NoOpMiddleware<Nanos>>,
    clock: TokioClock,
    refused: Counter,
}

impl<K: Hash + Eq + Clone> Buckets<K> {
    fn new(rate: Rate, refused: &Counter) -> Self {
        let clock = TokioClock(Instant::now());
        let burst = NonZeroU32::new(rate.burst).unwrap_or(NonZeroU32::MIN);
        // Only a period of zero makes no quota.
        let quota = Quota::with_period(rate.every.max(Duration::from_nanos(1)))
            .unwrap_or_else(|| Quota::per_second(burst))
            .allow_burst(burst);
        Self {
            limiter: RateLimiter::dashmap_with_clock(quota, clock.clone()),
            clock,
            refused: refused.clone(),
        }
    }

    /// Takes so many tokens, all or none.
    ///
    /// # Errors
    /// How long until there are enough; what is more than a full bucket never fits.
    pub(crate) fn take(&self, key: &K, tokens: usize) -> Result<(), Duration> {
        let outcome = self.try_take(key, tokens);
        self.count(outcome)
    }

    fn try_take(&self, key: &K, tokens: usize) -> Result<(), Duration> {
        let tokens = u32::try_from(tokens).unwrap_or(u32::MAX);
        let Some(tokens) = NonZeroU32::new(tokens) else {
            return Ok(());
        };
        match self.limiter.check_key_n(key, tokens) {
            Ok(Ok(())) => Ok(()),
            Ok(Err(not_until)) => Err(not_until.wait_time_from(self.clock.now())),
            Err(_) => Err(Duration::MAX),
        }
    }

    /// Takes so many tokens, and waits a little for them if need be: what has an order must not be
    /// refused while what comes after it is taken.
    ///
    /// # Errors
    /// As [`Buckets::take`], when the wait would be longer than a second.
    pub(crate) async fn pace(&self, key: &K, tokens: usize) -> Result<(), Duration> {
        loop {
            match self.try_take(key, tokens) {
                Err(wait) if wait <= PATIENCE => tokio::time::sleep(wait).await,
                outcome => return self.count(outcome),
            }
        }
    }

    fn count(&self, outcome: Result<(), Duration>) -> Result<(), Duration> {
        if outcome.is_err() {
            self.refused.inc();
        }
        outcome
    }
}

/// How long [`Buckets::pace`] waits at most.
const PATIENCE: Duration = Duration::from_secs(1);

/// Everything that is limited in time.
#[derive(Debug)]
pub(crate) struct Rates {
    /// Connections of a [`site`], those that have shown that they are there apart from those that
    /// only claim it: nobody can use up somebody else's.
    pub(crate) connections: Buckets<(IpAddr, bool)>,
    /// Envelopes that a device sends, counted for each target.
    pub(crate) envelopes: Buckets<DeviceKey>,
    /// Ephemeral envelopes that a device sends, counted for each target.
    pub(crate) ephemerals: Buckets<DeviceKey>,
    /// Bundles that a device takes.
    pub(crate) bundles: Buckets<DeviceKey>,
    /// One-time prekeys of a device that are given out.
    pub(crate) one_time_prekeys: Buckets<DeviceKey>,
    /// Whatever else a device asks.
    pub(crate) requests: Buckets<DeviceKey>,
}

impl Rates {
    pub(crate) fn new(limits: &Limits, refused: &RateLimited) -> Self {
        let one_time = limits.one_time_prekey_rate;
        Self {
            connections: Buckets::new(limits.connection_rate, &refused.connections),
            envelopes: Buckets::new(limits.envelope_rate, &refused.envelopes),
            ephemerals: Buckets::new(limits.ephemeral_rate, &refused.ephemerals),
            bundles: Buckets::new(limits.bundle_rate, &refused.bundles),
            one_time_prekeys: Buckets::new(one_time, &refused.one_time_prekeys),
            requests: Buckets::new(limits.request_rate, &refused.requests),
        }
    }

    /// Forgets buckets that are full again.
    pub(crate) fn tidy(&self) {
        let Self {
            connections,
            envelopes,
            ephemerals,
            bundles,
            one_time_prekeys,
            requests,
        } = self;
        connections.limiter.retain_recent();
        for buckets in [envelopes, ephemerals, bundles, one_time_prekeys, requests] {
            buckets.limiter.retain_recent();
        }
    }
}

/// What counts as one address: an IPv6 network of 64 bits, which anybody gets whole.
pub(crate) fn site(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V4(address) => address.into(),
        IpAddr::V6(address) => {
            Ipv6Addr::from_bits(address.to_bits() & !u128::from(u64::MAX)).into()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::Metrics;

    const RATE: Rate = Rate {
        burst: 3,
        every: Duration::from_secs(10),
    };

    #[tokio::test(start_paused = true)]
    async fn a_bucket_gives_its_burst_and_fills_with_time() {
        let refused = Counter::default();
        let buckets = Buckets::new(RATE, &refused);
        assert_eq!(buckets.take(&1, 2), Ok(()));
        assert_eq!(buckets.take(&1, 2), Err(Duration::from_secs(10)));
        assert_eq!(buckets.take(&1, 1), Ok(()), "a refusal takes nothing");
        assert_eq!(buckets.take(&2, 3), Ok(()), "another key, another bucket");
        assert_eq!(buckets.take(&2, 0), Ok(()));
        assert_eq!(buckets.take(&3, 4), Err(Duration::MAX));
        tokio::time::advance(Duration::from_secs(20)).await;
        assert_eq!(buckets.take(&1, 2), Ok(()));
        assert_eq!(buckets.take(&1, 1), Err(Duration::from_secs(10)));
        assert_eq!(refused.get(), 3);
    }

    #[tokio::test(start_paused = true)]
    async fn what_has_an_order_is_paced_and_not_refused() {
        let refused = Counter::default();
        let buckets = Buckets::new(Rate::per_second(2, 4), &refused);
        let started = Instant::now();
        for _ in 0..6 {
            assert_eq!(buckets.pace(&1, 1).await, Ok(()));
        }
        assert_eq!(started.elapsed(), Duration::from_secs(1));
        let slow = Buckets::new(RATE, &refused);
        assert_eq!(slow.pace(&1, 3).await, Ok(()));
        assert_eq!(refused.get(), 0, "to be paced is not to be refused");
        assert_eq!(slow.pace(&1, 1).await, Err(Duration::from_secs(10)));
        assert_eq!(refused.get(), 1);
    }

    #[tokio::test(start_paused = true)]
    async fn full_buckets_are_forgotten() {
        let limits = Limits {
            envelope_rate: RATE,
            ..Limits::default()
        };
        let rates = Rates::new(&limits, &Metrics::new(0).rate_limited);
        rates.envelopes.take(&DeviceKey([1; 32]), 1).unwrap();
        rates.tidy();
        assert_eq!(rates.envelopes.limiter.len(), 1);
        tokio::time::advance(Duration::from_mins(1)).await;
        rates.tidy();
        assert_eq!(rates.envelopes.limiter.len(), 0);
    }

    #[test]
    fn a_network_of_64_bits_is_one_site() {
        let site = |text: &str| site(text.parse().unwrap());
        assert_eq!(site("2001:db8::1"), site("2001:db8::ffff:1"));
        assert_ne!(site("2001:db8::1"), site("2001:db8:0:1::1"));
        assert_ne!(site("192.0.2.1"), site("192.0.2.2"));
        assert_eq!(site("::ffff:192.0.2.1"), site("192.0.2.1"));
    }
}
