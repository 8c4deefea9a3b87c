//! What happened in the open profiles, as a stream beside the snapshots.
//!
//! An engine never waits for whoever listens: it would keep deliveries from the disk and the relay
//! waiting for an acknowledgement. A listener that is too slow is told how much it has missed, and
//! finds it in the histories.

use tokio::sync::broadcast;

use crate::question::Entry;
use crate::view::{Delivery, MessageId, ProfileId};

/// Events that may wait for the slowest listener; with texts of the largest size 1 GiB, as a rule
/// less than one MiB.
const EVENTS_MAX: usize = 1024;

/// Something that happened, and is durable.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// To whom.
    pub profile: ProfileId,
    /// What.
    pub kind: EventKind,
}

/// What happened.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum EventKind {
    /// A message of either side was stored.
    MessageStored(Entry),
    /// A message of one's own has come further, or failed.
    DeliveryChanged {
        /// Names the chat: see [`ChatRow::peer`](crate::view::ChatRow::peer).
        peer: String,
        /// The message.
        id: MessageId,
        /// How far it is now.
        delivery: Delivery,
    },
    /// Another identity than before is behind a peer's handle; nothing is sent until it is
    /// accepted.
    IdentityChanged {
        /// Names the chat.
        peer: String,
    },
}

/// So many events were lost to a listener that is too slow; the histories hold what happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Missed(pub u64);

/// Events from the moment of the subscription on.
#[derive(Debug)]
pub struct Events(broadcast::Receiver<Event>);

impl Events {
    /// The next event, or how many were missed before it; `None` when the client has ended.
    /// Cancelling loses nothing.
    pub async fn next(&mut self) -> Option<Result<Event, Missed>> {
        use broadcast::error::RecvError;
        match self.0.recv().await {
            Ok(event) => Some(Ok(event)),
            Err(RecvError::Lagged(events)) => Some(Err(Missed(events))),
            Err(RecvError::Closed) => None,
        }
    }
}

/// Where engines tell what happened.
#[derive(Debug, Clone)]
pub(crate) struct Teller(broadcast::Sender<Event>);

impl Teller {
    pub(crate) fn new() -> Self {
        Self(broadcast::Sender::new(EVENTS_MAX))
    }

    pub(crate) fn subscribe(&self) -> Events {
        Events(self.0.subscribe())
    }

    /// Whether anybody listens.
    pub(crate) fn is_heard(&self) -> bool {
        self.0.receiver_count() > 0
    }

    pub(crate) fn tell(&self, event: Event) {
        // Nobody listens any more.
        drop(self.0.send(event));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(number: usize) -> Event {
        Event {
            profile: ProfileId::new("alice"),
            kind: EventKind::IdentityChanged {
                peer: number.to_string(),
            },
        }
    }

    #[tokio::test]
    async fn a_listener_that_is_too_slow_is_told_how_much_it_has_missed() {
        let teller = Teller::new();
        assert!(!teller.is_heard());
        let mut events = teller.subscribe();
        assert!(teller.is_heard());
        for number in 0..EVENTS_MAX + 3 {
            teller.tell(event(number));
        }
        assert_eq!(events.next().await, Some(Err(Missed(3))));
        assert_eq!(events.next().await, Some(Ok(event(3))));
        drop(teller);
        for number in 4..EVENTS_MAX + 3 {
            assert_eq!(events.next().await, Some(Ok(event(number))));
        }
        assert_eq!(events.next().await, None);
    }
}
