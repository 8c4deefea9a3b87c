//! What people asked for and what their clients told, and what must be true of it at once.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use sotto_client::view::{Body, Delivery, MessageId};
use sotto_client::{Entry, EventKind, Missed};

use super::network::Network;

/// A message in somebody's vault: who has it, whose it is, its id. Not in which chat: what comes
/// from somebody whom the directory has not named yet changes its chat later.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Copy {
    who: String,
    is_mine: bool,
    id: [u8; 16],
}

impl Copy {
    /// Of this entry in somebody's history.
    pub(super) fn of(who: &str, entry: &Entry) -> Self {
        Self::new(who, entry.message.is_mine, entry.id)
    }

    fn new(who: &str, is_mine: bool, id: MessageId) -> Self {
        Self {
            who: who.to_owned(),
            is_mine,
            id: id.0,
        }
    }
}

impl fmt::Debug for Copy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let author = if self.is_mine { "own" } else { "other's" };
        write!(f, "{}'s {author} {:?}", self.who, MessageId(self.id))
    }
}

/// What happened so far.
#[derive(Debug)]
pub(super) struct Journal {
    network: Network,
    /// The relay may mean harm.
    is_hostile: bool,
    state: RefCell<State>,
}

#[derive(Debug, Default)]
struct State {
    /// With how far they have come, for one's own.
    stored: BTreeMap<Copy, Delivery>,
    /// Messages whose sending was confirmed.
    said: BTreeSet<Copy>,
    /// Messages of others that somebody wanted to mark as read, and whether that was confirmed.
    read: BTreeMap<Copy, bool>,
    /// The last message of each person to each other one.
    last: BTreeMap<(String, String), MessageId>,
    /// Who was told that somebody else is behind whose handle.
    warned: BTreeSet<(String, String)>,
    wrongs: Vec<String>,
}

impl Journal {
    pub(super) fn new(network: Network, is_hostile: bool) -> Self {
        Self {
            network,
            is_hostile,
            state: RefCell::default(),
        }
    }

    /// Something that must not be.
    pub(super) fn wrong(&self, what: String) {
        self.network.note(&format!("WRONG: {what}"));
        self.state.borrow_mut().wrongs.push(what);
    }

    pub(super) fn wrongs(&self) -> Vec<String> {
        self.state.borrow().wrongs.clone()
    }

    /// A client has confirmed that a message is kept and will be sent.
    pub(super) fn said(&self, who: &str, id: MessageId) {
        let copy = Copy::new(who, true, id);
        self.state.borrow_mut().said.insert(copy);
    }

    /// As [`Journal::said`], and the last message to this peer.
    pub(super) fn said_last(&self, who: &str, peer: &str, id: MessageId) {
        self.said(who, id);
        let between = (who.to_owned(), peer.to_owned());
        self.state.borrow_mut().last.insert(between, id);
    }

    /// The last message of one to the other.
    pub(super) fn last(&self, who: &str, peer: &str) -> Option<MessageId> {
        let between = (who.to_owned(), peer.to_owned());
        self.state.borrow().last.get(&between).copied()
    }

    /// Whether somebody was told that another identity is behind this handle.
    pub(super) fn is_warned(&self, who: &str, peer: &str) -> bool {
        let about = (who.to_owned(), peer.to_owned());
        self.state.borrow().warned.contains(&about)
    }

    /// What was confirmed.
    pub(super) fn all_said(&self) -> BTreeSet<Copy> {
        self.state.borrow().said.clone()
    }

    /// Somebody reads these messages, or (`is_confirmed`) has read them.
    pub(super) fn read(&self, copies: &[Copy], is_confirmed: bool) {
        let mut state = self.state.borrow_mut();
        for copy in copies {
            *state.read.entry(copy.clone()).or_default() |= is_confirmed;
        }
    }

    /// Whether the peer's client has confirmed that this own message was read.
    pub(super) fn is_read(&self, entry: &Entry) -> bool {
        let other = Copy::new(&entry.peer, false, entry.id);
        self.state.borrow().read.get(&other) == Some(&true)
    }

    /// A client tells something.
    pub(super) fn told(&self, who: &str, event: Result<EventKind, Missed>) {
        match event {
            Ok(EventKind::MessageStored(entry)) => self.stored(who, &entry),
            Ok(EventKind::DeliveryChanged { peer, id, delivery }) => {
                self.came_further(who, &peer, id, delivery);
            }
            Ok(EventKind::IdentityChanged { peer }) if self.is_hostile => {
                self.network
                    .note(&format!("{who}: {peer} is somebody else"));
                self.state
                    .borrow_mut()
                    .warned
                    .insert((who.to_owned(), peer));
            }
            Ok(other) => self.wrong(format!("{who} was told {other:?}")),
            Err(Missed(events)) => self.wrong(format!("{events} events were missed")),
        }
    }

    fn stored(&self, who: &str, entry: &Entry) {
        let copy = Copy::of(who, entry);
        let Body::Text(text) = &entry.message.body else {
            return self.wrong(format!("{copy:?} is no text"));
        };
        let bytes = text.len();
        self.network
            .note(&format!("{who} stores {:?} of {bytes} bytes", entry.id));
        let (before, is_forged) = {
            let mut state = self.state.borrow_mut();
            let is_written = |it: &Copy| it.is_mine && it.id == copy.id && it.who != copy.who;
            let is_forged = !copy.is_mine && !state.stored.keys().any(is_written);
            let before = state.stored.insert(copy.clone(), entry.message.delivery);
            (before, is_forged)
        };
        if is_forged {
            self.wrong(format!("nobody has written {copy:?}"));
        }
        if before.is_some() {
            self.wrong(format!("{copy:?} was stored twice"));
        }
    }

    /// The state of one's own message never goes back, and says what is true.
    fn came_further(&self, who: &str, peer: &str, id: MessageId, delivery: Delivery) {
        self.network.note(&format!("{who}: {id:?} is {delivery:?}"));
        let copy = Copy::new(who, true, id);
        let other = Copy::new(peer, false, id);
        let (before, is_there, is_read) = {
            let mut state = self.state.borrow_mut();
            (
                state.stored.insert(copy.clone(), delivery),
                state.stored.contains_key(&other),
                state.read.contains_key(&other),
            )
        };
        match delivery {
            Delivery::Failed => self.wrong(format!("{copy:?} failed")),
            Delivery::Delivered if !is_there => {
                self.wrong(format!("{copy:?} is shown as delivered, and is not"));
            }
            Delivery::Read if !is_there || !is_read => {
                self.wrong(format!("{copy:?} is shown as read, and was not"));
            }
            _ => {}
        }
        match before {
            None => self.wrong(format!("{copy:?} came further before it was stored")),
            // What the relay may have lost, or another identity got, is sealed again.
            Some(Delivery::Relay) if self.is_hostile => {}
            Some(before) if before > delivery => {
                self.wrong(format!(
                    "{copy:?} went back from {before:?} to {delivery:?}"
                ));
            }
            Some(_) => {}
        }
    }
}
