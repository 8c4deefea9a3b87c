//! The marks that this vault leaves at a relay (WIRE §3, `LeaveMark`): one that it does not know was
//! left by a later state of it, or by a copy.

use std::collections::{HashMap, VecDeque};

use sotto_net::RelayId;
use sotto_net::wire::{LeaveMark, Mark, PreviousMark};

use super::effects::Change;
use super::relay::{LinkState, Request};
use super::{Core, Moment};

/// Minor version from which relays keep marks.
const MARKS_MINOR: u16 = 2;
/// While sessions are used, a new mark is left after this: a copy of the vault that is older than
/// that is told from it.
const MARK_PAUSE_MILLIS: i64 = 60_000;
/// Marks that are known of each relay, the newest ones, for many hours of talk: a relay whose files
/// were put back to an older state makes no false alarm.
pub(crate) const MARKS_MAX: usize = 1_024;

/// Whether the relay of a connection is known to hold a mark of ours.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Marking {
    /// It was asked. Until it answers, no envelope goes or comes.
    Asked,
    /// It keeps none.
    Without,
    /// One was left then, and the next one is due then, if sessions were used since.
    Left {
        at_millis: i64,
        due_at_millis: Option<i64>,
    },
}

impl Marking {
    pub(super) fn due_at_millis(self) -> Option<i64> {
        match self {
            Self::Left { due_at_millis, .. } => due_at_millis,
            Self::Asked | Self::Without => None,
        }
    }
}

impl LinkState {
    /// It is known whether this vault was set back: envelopes may go and come.
    pub(super) fn is_settled(&self) -> bool {
        self.marking != Marking::Asked
    }
}

/// The newest marks of each relay, oldest first, with their places.
#[derive(Default)]
pub(super) struct Marks(HashMap<RelayId, VecDeque<(u64, Mark)>>);

impl Marks {
    /// From what the vault holds, oldest first.
    pub(super) fn new(stored: Vec<(RelayId, u64, Mark)>) -> Self {
        let mut marks = Self::default();
        for (relay, place, mark) in stored {
            marks.0.entry(relay).or_default().push_back((place, mark));
        }
        marks
    }

    /// Whether a mark is the newest one; `None` when it is not known.
    fn is_newest(&self, relay: RelayId, mark: Mark) -> Option<bool> {
        let mut newest_first = self.0.get(&relay)?.iter().rev();
        let place = newest_first.position(|(_, known)| *known == mark)?;
        Some(place == 0)
    }

    fn add(&mut self, relay: RelayId, mark: Mark) -> Change {
        let marks = self.0.entry(relay).or_default();
        let place = marks.back().map_or(1, |(place, _)| place + 1);
        marks.push_back((place, mark));
        if marks.len() > MARKS_MAX {
            marks.pop_front();
        }
        Change::AddMark { relay, place, mark }
    }
}

impl Core {
    /// Whether there is a connection that may be used.
    pub(super) fn is_settled(&self) -> bool {
        self.link.as_ref().is_some_and(LinkState::is_settled)
    }

    /// Asks for the mark that was left the last time.
    pub(super) fn ask_mark(&mut self, minor: u16, now: Moment) {
        if minor < MARKS_MINOR {
            self.settle_link(false, now);
        } else if let Some(link) = &mut self.link {
            let request = link.request(Request::Mark);
            let mark = None;
            self.effects.send.push(LeaveMark { request, mark }.into());
        }
    }

    pub(super) fn take_mark(&mut self, previous: PreviousMark, now: Moment) {
        let fits = |request: &Request| matches!(request, Request::Mark);
        if self.take_request(previous.request, fits).is_none() || self.is_settled() {
            return;
        }
        let relay = self.link.as_ref().map(|link| link.relay);
        if let (Some(relay), Some(mark)) = (relay, previous.mark) {
            let is_newest = self.marks.is_newest(relay, mark);
            if is_newest.is_none() {
                self.notice_set_back(relay);
            }
            // It stays known, however many marks the relay fails to keep after it.
            if is_newest != Some(true) {
                self.effects.commit.push(self.marks.add(relay, mark));
            }
        }
        self.settle_link(true, now);
    }

    /// The connection can be used from now on.
    pub(super) fn settle_link(&mut self, keeps_marks: bool, now: Moment) {
        let Some(link) = self.link.as_mut().filter(|link| !link.is_settled()) else {
            return;
        };
        link.marking = Marking::Without;
        if keeps_marks {
            // Another life is told, too: by a mark that it does not know.
            self.leave_mark(now);
            self.withdraw_prekeys();
        }
        self.renew_when_due(now);
        self.start_talking(now);
    }

    /// Leaves a new mark when sessions are used, now or soon: a copy that was made meanwhile is
    /// behind from then on.
    pub(super) fn mark_when_due(&mut self, now: Moment) {
        let Some(LinkState {
            marking:
                Marking::Left {
                    at_millis,
                    due_at_millis,
                },
            ..
        }) = &mut self.link
        else {
            return;
        };
        if !self.changed_sessions.is_empty() {
            due_at_millis.get_or_insert(*at_millis + MARK_PAUSE_MILLIS);
        }
        if due_at_millis.is_some_and(|at| at <= now.unix_millis) {
            self.leave_mark(now);
        }
    }

    fn leave_mark(&mut self, now: Moment) {
        let mark = Mark(self.random_id());
        let Some(link) = &mut self.link else {
            return;
        };
        link.marking = Marking::Left {
            at_millis: now.unix_millis,
            due_at_millis: None,
        };
        let request = link.request(Request::Mark);
        let change = self.marks.add(link.relay, mark);
        self.effects.commit.push(change);
        let mark = Some(mark);
        self.effects.send.push(LeaveMark { request, mark }.into());
    }
}
