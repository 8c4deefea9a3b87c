//! Who is connected, and who wants to know.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use sotto_net::quic::{CloseCode, Connection};
use sotto_net::wire::{
    DeviceKey, Entry, Ephemeral, PrekeysLow, Presence, Refusal, Refused, RelayFrame,
};
use tokio::sync::mpsc;

use crate::store::Event;

/// Ephemeral envelopes that wait for one reader; more are dropped.
const EPHEMERALS_MAX: usize = 32;
/// News that wait for one reader; a slower one is disconnected and learns all of it anew.
const NEWS_MAX: usize = 1_024;
/// Fewer one-time prekeys than this are worth telling their owner.
const PREKEYS_LOW: u32 = 30;

/// What others may hand to a connection.
#[derive(Debug)]
pub(crate) struct Session {
    connection: Connection,
    news: mpsc::Sender<RelayFrame>,
    ephemerals: mpsc::Sender<Ephemeral>,
}

/// The receiving ends of a [`Session`].
#[derive(Debug)]
pub(crate) struct Queues {
    pub(crate) news: mpsc::Receiver<RelayFrame>,
    pub(crate) ephemerals: mpsc::Receiver<Ephemeral>,
}

impl Session {
    pub(crate) fn new(connection: Connection) -> (Arc<Self>, Queues) {
        let (news, news_queue) = mpsc::channel(NEWS_MAX);
        let (ephemerals, ephemeral_queue) = mpsc::channel(EPHEMERALS_MAX);
        let session = Self {
            connection,
            news,
            ephemerals,
        };
        let queues = Queues {
            news: news_queue,
            ephemerals: ephemeral_queue,
        };
        (Arc::new(session), queues)
    }

    /// Tells this reader something; one that does not listen is let go.
    pub(crate) fn tell(&self, frame: RelayFrame) {
        if self.news.try_send(frame).is_err() {
            self.connection.close(CloseCode::Bye.into(), b"");
        }
    }
}

/// All sessions.
#[derive(Debug, Default)]
pub(crate) struct Hub {
    state: Mutex<State>,
    has_roster: bool,
}

/// Ordered, so that who is told first is the same in each run.
#[derive(Debug, Default)]
struct State {
    sessions: BTreeMap<DeviceKey, Arc<Session>>,
    /// Who watches a device.
    watchers: BTreeMap<DeviceKey, BTreeSet<DeviceKey>>,
    /// Whom a device watches.
    watched: BTreeMap<DeviceKey, Vec<DeviceKey>>,
}

impl Hub {
    pub(crate) fn new(has_roster: bool) -> Self {
        Self {
            state: Mutex::default(),
            has_roster,
        }
    }

    /// A device has logged in; its earlier connection, if there is one, ends.
    pub(crate) fn enter(&self, device: DeviceKey, session: &Arc<Session>) {
        let mut state = self.state();
        if let Some(earlier) = state.sessions.insert(device, Arc::clone(session)) {
            earlier.tell(replaced().into());
            earlier.connection.close(CloseCode::Replaced.into(), b"");
        }
        state.tell_watchers(device, true);
    }

    /// A connection has ended.
    pub(crate) fn leave(&self, device: DeviceKey, session: &Arc<Session>) {
        let mut state = self.state();
        let is_current = state
            .sessions
            .get(&device)
            .is_some_and(|current| Arc::ptr_eq(current, session));
        if is_current {
            state.sessions.remove(&device);
            state.unwatch(device);
            state.tell_watchers(device, false);
        }
    }

    /// Replaces whom a device watches, and tells how those are now.
    pub(crate) fn watch(&self, device: DeviceKey, others: Vec<DeviceKey>) {
        let mut state = self.state();
        let Some(session) = state.sessions.get(&device).cloned() else {
            return;
        };
        state.unwatch(device);
        for &other in &others {
            state.watchers.entry(other).or_default().insert(device);
            let online = state.sessions.contains_key(&other);
            session.tell(
                Presence {
                    device: other,
                    online,
                }
                .into(),
            );
        }
        state.watched.insert(device, others);
    }

    /// Hands an ephemeral envelope to a device that is there and keeps up; drops it otherwise, and
    /// says so.
    pub(crate) fn hand(&self, device: DeviceKey, ephemeral: Ephemeral) -> bool {
        let state = self.state();
        let session = state.sessions.get(&device);
        session.is_some_and(|session| session.ephemerals.try_send(ephemeral).is_ok())
    }

    /// Something has become durable.
    pub(crate) fn on_event(&self, event: Event) {
        let state = self.state();
        match event {
            Event::DirectoryChanged(entry) => self.tell_all(&state, &entry),
            Event::BundleTaken {
                device,
                one_time_left: left,
                ..
            } => {
                if left < PREKEYS_LOW
                    && let Some(session) = state.sessions.get(&device)
                {
                    session.tell(PrekeysLow { left }.into());
                }
            }
            Event::TransactionEnded { .. } => {}
        }
    }

    fn tell_all(&self, state: &State, entry: &Entry) {
        if self.has_roster {
            for session in state.sessions.values() {
                session.tell(entry.clone().into());
            }
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn unwatch(&mut self, device: DeviceKey) {
        for other in self.watched.remove(&device).unwrap_or_default() {
            if let Some(watchers) = self.watchers.get_mut(&other) {
                watchers.remove(&device);
                if watchers.is_empty() {
                    self.watchers.remove(&other);
                }
            }
        }
    }

    fn tell_watchers(&self, device: DeviceKey, online: bool) {
        for watcher in self.watchers.get(&device).into_iter().flatten() {
            if let Some(session) = self.sessions.get(watcher) {
                session.tell(Presence { device, online }.into());
            }
        }
    }
}

fn replaced() -> Refused {
    Refused {
        request: 0,
        reason: Refusal::Replaced,
        retry_after_millis: 0,
    }
}
