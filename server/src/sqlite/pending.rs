//! The answer to an append that is not given yet.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::OwnedSemaphorePermit;

use crate::store::{Answer, Declined, Ticket};

/// Held once by each mailbox in which the envelope can still be lost.
#[derive(Debug, Clone)]
pub(super) struct Pending(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    left: AtomicUsize,
    answer: Mutex<Option<Answer<()>>>,
    /// What the envelope takes of the memory for envelopes that wait.
    _room: Option<OwnedSemaphorePermit>,
}

impl Pending {
    /// To be settled so many times.
    pub(super) fn new(left: usize, room: Option<OwnedSemaphorePermit>) -> (Self, Ticket<()>) {
        let (answer, ticket) = Ticket::new();
        let inner = Inner {
            left: AtomicUsize::new(left),
            answer: Mutex::new(Some(answer)),
            _room: room,
        };
        (Self(Arc::new(inner)), ticket)
    }

    /// One mailbox has it safe: on the disk, or with its device.
    pub(super) fn settle(self) {
        if self.0.left.fetch_sub(1, Ordering::AcqRel) == 1 {
            self.answer(Ok(()));
        }
    }

    /// One mailbox has lost it.
    pub(super) fn fail(self) {
        self.answer(Err(Declined::Unavailable));
    }

    fn answer(&self, outcome: Result<(), Declined>) {
        let answer = self.0.answer.lock();
        if let Some(answer) = answer.unwrap_or_else(PoisonError::into_inner).take() {
            answer.give(outcome);
        }
    }
}
