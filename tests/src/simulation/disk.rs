//! The relay's disk: it takes its time, and the relay may end while it is busy or right after.

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Poll, ready};
use std::time::Duration;

use rand::RngExt as _;
use rand::rngs::StdRng;
use sotto_relay::store::Event;
use tokio::time::sleep;

use super::network::{Host, Network};

/// How long a write may take.
const BUSY_MAX: Duration = Duration::from_millis(40);

/// Through all lives of the relay.
#[derive(Clone)]
pub(super) struct Disk {
    network: Network,
    state: Arc<Mutex<State>>,
}

struct State {
    chance: StdRng,
    /// The relay ends instead of this write, counted from now on; or with what follows it.
    crash: Option<(u64, Moment)>,
}

/// When the relay ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Moment {
    /// Before what is written is durable.
    Before,
    /// When it is, and nobody knows yet.
    After,
}

impl Disk {
    pub(super) fn new(network: Network, chance: StdRng) -> Self {
        let crash = None;
        Self {
            network,
            state: Arc::new(Mutex::new(State { chance, crash })),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The relay ends with one of its next writes.
    pub(super) fn crash_later(&self, writes: u64, moment: Moment) {
        self.state().crash = Some((writes, moment));
    }

    pub(super) fn heal(&self) {
        self.state().crash = None;
    }

    /// Whether the relay ends now.
    fn crashes(&self, now: Moment) -> bool {
        let mut state = self.state();
        let Some((writes, moment)) = &mut state.crash else {
            return false;
        };
        if *moment != now {
            return false;
        }
        *writes = writes.saturating_sub(1);
        let is_now = *writes == 0;
        if is_now {
            state.crash = None;
        }
        is_now
    }

    /// Lets the store write, slowly.
    pub(super) async fn write(self, writing: impl Future<Output = ()>) {
        let mut writing = pin!(writing);
        let mut busy = None;
        poll_fn(|cx| {
            let busy_for = busy.get_or_insert_with(|| {
                let time = BUSY_MAX.mul_f64(self.state().chance.random());
                Box::pin(sleep(time))
            });
            ready!(busy_for.as_mut().poll(cx));
            busy = None;
            if self.crashes(Moment::Before) {
                self.network.crash_now(Host::RELAY);
                return Poll::Pending;
            }
            writing.as_mut().poll(cx)
        })
        .await;
    }

    /// Hears of each transaction before anybody else does.
    pub(super) fn on_event(&self, event: &Event) {
        let is_commit = matches!(event, Event::TransactionEnded { durable: true, .. });
        if is_commit && self.crashes(Moment::After) {
            self.network.crash_now(Host::RELAY);
        }
    }
}
