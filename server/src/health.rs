//! Whether the relay lives, and whether it can do its work.

use std::sync::{Arc, Weak};
use std::time::Duration;

use tokio::time::timeout;

use crate::metrics::Reading;
use crate::recent::Recent;
use crate::relay::Shared;
use crate::store::{Declined, Store};

/// How long the store may take to answer; longer than a burst of writes takes on a slow disk.
const STORE_DEADLINE: Duration = Duration::from_secs(4);
/// How often the store is asked to write, at most.
const PROBE_INTERVAL: Duration = Duration::from_secs(1);
/// How often the mailboxes are counted, at most: with a million of them it takes a reader some
/// tenths of a second.
const USAGE_INTERVAL: Duration = Duration::from_secs(10);

/// What the store made of a probe.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Answer {
    Written,
    Failed,
    Silent,
}

impl Answer {
    async fn of<T>(probe: impl Future<Output = Result<T, Declined>>) -> Self {
        match timeout(STORE_DEADLINE, probe).await {
            Ok(Ok(_)) => Self::Written,
            Ok(Err(_)) => Self::Failed,
            Err(_) => Self::Silent,
        }
    }
}

/// Looks at a relay from outside, and does not keep it alive.
#[derive(Debug)]
pub(crate) struct Health<S> {
    relay: Weak<Shared<S>>,
    probe: Recent<Answer>,
    usage: Recent<Option<crate::store::Usage>>,
}

impl<S: Store> Health<S> {
    pub(crate) fn of(relay: &Arc<Shared<S>>) -> Self {
        Self {
            relay: Arc::downgrade(relay),
            probe: Recent::new(PROBE_INTERVAL),
            usage: Recent::new(USAGE_INTERVAL),
        }
    }

    /// Whether a restart would be of no use: the relay runs, and its store answers, with a failure
    /// if need be.
    ///
    /// # Errors
    /// What is wrong, for a person.
    pub(crate) async fn live(&self) -> Result<(), &'static str> {
        let relay = self.relay()?;
        match self.probe(&relay).await {
            _ if relay.store.tally().waiting.is_none() => Err("the store's writer has ended"),
            Answer::Silent => Err("the store does not answer"),
            Answer::Written | Answer::Failed => Ok(()),
        }
    }

    /// Whether envelopes can be handed in now.
    ///
    /// # Errors
    /// What is wrong, for a person.
    pub(crate) async fn ready(&self) -> Result<(), &'static str> {
        let relay = self.relay()?;
        if *relay.end.borrow() {
            return Err("the relay is draining");
        }
        match self.probe(&relay).await {
            Answer::Written => Ok(()),
            Answer::Failed => Err("the store cannot write"),
            Answer::Silent => Err("the store does not answer"),
        }
    }

    /// What is counted, as text in the format of `OpenMetrics`.
    ///
    /// # Errors
    /// What is wrong, for a person.
    pub(crate) async fn metrics(&self) -> Result<String, &'static str> {
        let relay = self.relay()?;
        let usage = self.usage.get(async {
            let usage = timeout(STORE_DEADLINE, relay.store.usage()).await;
            usage.ok()?.ok()
        });
        let reading = Reading {
            usage: usage.await,
            tally: relay.store.tally(),
            now_secs: relay.environment.now_secs(),
        };
        let text = relay.metrics.text(reading);
        text.map_err(|_| "the text cannot be written")
    }

    fn relay(&self) -> Result<Arc<Shared<S>>, &'static str> {
        self.relay.upgrade().ok_or("the relay has ended")
    }

    async fn probe(&self, relay: &Shared<S>) -> Answer {
        let probe = async { Answer::of(async { relay.store.probe().await.await }).await };
        self.probe.get(probe).await
    }
}

#[cfg(test)]
mod tests {
    use std::future::{pending, ready};

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_store_that_does_not_answer_is_told_from_one_that_fails() {
        assert_eq!(Answer::of(ready(Ok(()))).await, Answer::Written);
        let failed = ready(Err::<(), _>(Declined::Unavailable));
        assert_eq!(Answer::of(failed).await, Answer::Failed);
        assert_eq!(Answer::of::<()>(pending()).await, Answer::Silent);
    }
}
