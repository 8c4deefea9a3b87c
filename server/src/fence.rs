//! Keeps the order to each device when an envelope is refused for now: what the same connection
//! sends behind it is refused too, until it has come again (WIRE §3, Send).

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use sotto_net::wire::{DeviceKey, EnvelopeId, Refusal};
use tokio::time::Instant;

use crate::planted;

/// Targets of refused envelopes that one connection is reminded of: 32 KiB, for a thousand envelopes
/// to one device each, or for eight to the largest group. Beyond it, whatever else the connection
/// sends is refused until those have come again.
const TARGETS_FENCED_MAX: usize = 1_024;
/// A client that has not repeated an envelope so long after it could have has dropped it, as when
/// the recipient turned out to be somebody else. Nothing waits for it any longer; a client that is
/// merely late keeps the order by itself, because it has long had all refusals.
const GRACE: Duration = Duration::from_mins(1);
/// What follows a refused envelope is refused for at least so long: that one comes first.
const FOLLOWER_WAIT_MIN: Duration = Duration::from_millis(100);
/// The longest wait that a refusal can name.
const WAIT_MAX: Duration = Duration::from_millis(u32::MAX as u64);

/// Why an envelope is refused for now, and for how long.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Obstacle {
    pub(crate) reason: Refusal,
    pub(crate) wait: Duration,
}

/// An envelope that nothing stands before, with its place in the order of the connection. One that
/// is refused for now goes back with [`Fence::raise`].
#[derive(Debug)]
pub(crate) struct Pass {
    id: EnvelopeId,
    targets: Vec<DeviceKey>,
    place: u64,
}

/// The envelopes of one connection that were refused for now and have not come again.
#[derive(Debug, Default)]
pub(crate) struct Fence(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    /// In the order in which they came first.
    posts: VecDeque<Post>,
    places: u64,
    /// A refused envelope found no room here: its followers are not known.
    has_overflowed: bool,
}

#[derive(Debug)]
struct Post {
    pass: Pass,
    reason: Refusal,
    until: Instant,
}

impl Fence {
    /// An envelope comes, or comes again.
    ///
    /// # Errors
    /// What it has to wait for: an envelope of which it shares a target.
    pub(crate) fn pass(&self, id: EnvelopeId, targets: Vec<DeviceKey>) -> Result<Pass, Obstacle> {
        let mut state = self.state();
        if state.posts.is_empty() || planted::is("refused_is_overtaken") {
            return Ok(state.pass(id, targets, None));
        }
        let now = Instant::now();
        state.posts.retain(|post| now < post.until + GRACE);
        let own = state.posts.iter().position(|post| post.pass.id == id);
        let own = own.and_then(|own| state.posts.remove(own));
        let is_known = own.is_some();
        let place = own.map(|post| post.pass.place);
        let pass = state.pass(id, targets, place);
        let Some((reason, until)) = state.obstacle(&pass, is_known) else {
            return Ok(pass);
        };
        let until = until.max(now + FOLLOWER_WAIT_MIN);
        if is_known || !state.has_overflowed {
            state.raise(pass, reason, until);
        }
        Err(Obstacle {
            reason,
            wait: until - now,
        })
    }

    /// It is refused for now.
    pub(crate) fn raise(&self, pass: Pass, obstacle: Obstacle) {
        let until = Instant::now() + obstacle.wait.min(WAIT_MAX);
        self.state().raise(pass, obstacle.reason, until);
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// In the place that it had, or the next one. Targets are sorted, so that looking for them
    /// stays cheap.
    fn pass(&mut self, id: EnvelopeId, mut targets: Vec<DeviceKey>, place: Option<u64>) -> Pass {
        if self.posts.is_empty() {
            self.has_overflowed = false;
        }
        targets.sort_unstable();
        let place = place.unwrap_or_else(|| {
            self.places += 1;
            self.places
        });
        Pass { id, targets, place }
    }

    /// Why this one cannot be decided yet, and until when.
    fn obstacle(&self, pass: &Pass, is_known: bool) -> Option<(Refusal, Instant)> {
        // With followers that are not known, whatever else is not known has to wait as well.
        let is_waiting = self.has_overflowed && !is_known;
        let before = self.posts.iter();
        let mut before = before.take_while(|post| post.pass.place < pass.place);
        let is_shared = |target| pass.targets.binary_search(target).is_ok();
        let post = before.find(|post| is_waiting || post.pass.targets.iter().any(is_shared))?;
        Some((post.reason, post.until))
    }

    fn raise(&mut self, pass: Pass, reason: Refusal, until: Instant) {
        let fenced: usize = self.posts.iter().map(|post| post.pass.targets.len()).sum();
        if fenced + pass.targets.len() > TARGETS_FENCED_MAX {
            self.has_overflowed = true;
            return;
        }
        // A refusal by the disk is known later than those of envelopes that came behind.
        let place = self
            .posts
            .partition_point(|post| post.pass.place < pass.place);
        let post = Post {
            pass,
            reason,
            until,
        };
        self.posts.insert(place, post);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const A: DeviceKey = DeviceKey([1; 32]);
    const B: DeviceKey = DeviceKey([2; 32]);
    const C: DeviceKey = DeviceKey([3; 32]);
    const FULL: Obstacle = Obstacle {
        reason: Refusal::MailboxFull,
        wait: Duration::from_secs(5),
    };

    fn id(number: usize) -> EnvelopeId {
        let mut id = [0; 16];
        id[..8].copy_from_slice(&number.to_be_bytes());
        EnvelopeId(id)
    }

    fn pass(fence: &Fence, number: usize, targets: &[DeviceKey]) -> Result<Pass, Obstacle> {
        fence.pass(id(number), targets.to_vec())
    }

    fn refuse(fence: &Fence, number: usize, targets: &[DeviceKey]) {
        fence.raise(pass(fence, number, targets).unwrap(), FULL);
    }

    #[tokio::test(start_paused = true)]
    async fn what_follows_to_the_same_device_waits_until_the_refused_one_came_again() {
        let fence = Fence::default();
        refuse(&fence, 1, &[A]);
        tokio::time::advance(Duration::from_secs(2)).await;
        let obstacle = pass(&fence, 2, &[A]).unwrap_err();
        assert_eq!(obstacle.reason, Refusal::MailboxFull);
        assert_eq!(obstacle.wait, Duration::from_secs(3));
        assert!(pass(&fence, 3, &[B]).is_ok(), "another device");
        // It comes again and is refused again: nothing has changed.
        refuse(&fence, 1, &[A]);
        assert!(pass(&fence, 2, &[A]).is_err());
        assert!(pass(&fence, 1, &[A]).is_ok());
        // The next one was refused, and comes before those that never were.
        assert!(pass(&fence, 4, &[A]).is_err());
        assert!(pass(&fence, 2, &[A]).is_ok());
        assert!(pass(&fence, 4, &[A]).is_ok());
        assert!(pass(&fence, 5, &[A]).is_ok());
    }

    #[tokio::test(start_paused = true)]
    async fn an_envelope_to_several_waits_for_each_and_holds_up_each() {
        let fence = Fence::default();
        refuse(&fence, 1, &[A, B]);
        assert!(pass(&fence, 2, &[B, C]).is_err(), "behind 1, to B");
        assert!(pass(&fence, 3, &[C]).is_err(), "behind 2, to C");
        assert!(pass(&fence, 3, &[C]).is_err(), "and still");
        assert!(pass(&fence, 1, &[A, B]).is_ok());
        assert!(pass(&fence, 3, &[C]).is_err());
        assert!(pass(&fence, 2, &[B, C]).is_ok());
        assert!(pass(&fence, 3, &[C]).is_ok());
    }

    #[tokio::test(start_paused = true)]
    async fn a_refusal_that_is_known_late_takes_its_place_before_those_behind() {
        let fence = Fence::default();
        let first = pass(&fence, 1, &[A]).unwrap();
        refuse(&fence, 2, &[A]);
        fence.raise(first, FULL);
        assert!(pass(&fence, 2, &[A]).is_err());
        assert!(pass(&fence, 1, &[A]).is_ok());
        assert!(pass(&fence, 2, &[A]).is_ok());
    }

    #[tokio::test(start_paused = true)]
    async fn what_never_comes_again_is_not_waited_for_longer_than_a_minute() {
        let fence = Fence::default();
        refuse(&fence, 1, &[A]);
        tokio::time::advance(GRACE).await;
        assert_eq!(pass(&fence, 2, &[A]).unwrap_err().wait, FOLLOWER_WAIT_MIN);
        tokio::time::advance(FULL.wait).await;
        // The one behind it was refused a moment ago, and is still waited for.
        assert!(pass(&fence, 3, &[A]).is_err());
        assert!(pass(&fence, 2, &[A]).is_ok());
        // The longest wait there is does no harm.
        let never = Obstacle {
            wait: Duration::MAX,
            ..FULL
        };
        fence.raise(pass(&fence, 4, &[B]).unwrap(), never);
        assert!(pass(&fence, 5, &[B]).is_err());
    }

    #[tokio::test(start_paused = true)]
    async fn a_fence_is_bounded_and_beyond_its_bound_everything_waits() {
        let fence = Fence::default();
        for number in 0..TARGETS_FENCED_MAX {
            if number == 0 {
                refuse(&fence, number, &[A]);
            } else {
                assert!(pass(&fence, number, &[A]).is_err());
            }
        }
        assert!(pass(&fence, TARGETS_FENCED_MAX, &[B]).is_ok());
        assert!(pass(&fence, TARGETS_FENCED_MAX, &[A]).is_err());
        assert_eq!(fence.state().posts.len(), TARGETS_FENCED_MAX);
        assert!(pass(&fence, TARGETS_FENCED_MAX + 1, &[B]).is_err());
        for number in 0..TARGETS_FENCED_MAX {
            assert!(pass(&fence, number, &[A]).is_ok(), "{number}");
        }
        assert!(pass(&fence, TARGETS_FENCED_MAX + 1, &[B]).is_ok());
        assert!(!fence.state().has_overflowed);
    }
}
