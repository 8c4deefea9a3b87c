//! The only decision maker of a profile: from an input and a moment to effects, without I/O.
//!
//! - [`act`] carries out what the person wishes,
//! - [`relay`] answers what the relay says on the control stream,
//! - [`publish`] keeps prekeys at the relay,
//! - [`directory`] knows who is behind a handle, and whether that changed,
//! - [`requests`] keeps strangers apart, [`quiet`] those who are blocked or muted,
//! - [`trust`] compares identities, [`additions`] adds contacts,
//! - [`assistant`] knows who forbids a cloud, and tells what was done with texts,
//! - [`receive`] takes envelopes in, [`recent`] knows those that come again,
//! - [`parts`] puts long messages together, [`typing`] tells who is writing,
//! - [`send`] seals messages and receipts,
//! - [`marks`] notices that the vault was put back to an older copy, [`renewal`] starts anew.
//!
//! A core that could not commit its effects is thrown away and loaded again from the vault.

mod act;
mod additions;
mod assistant;
mod chat;
pub(crate) mod content;
mod directory;
pub(crate) mod effects;
pub(crate) mod marks;
mod outbox;
mod parts;
mod prekeys;
mod publish;
mod quiet;
mod receive;
pub(crate) mod recent;
mod relay;
pub(crate) mod renewal;
mod requests;
mod send;
mod trust;
mod typing;

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use bytes::Bytes;
use rand::rngs::StdRng;
use sotto_crypto::{Identity, Session, SessionId};
use sotto_net::link::Cursor;
use sotto_net::wire::{Delivery, RelayFrame, StoreId, Welcome};
use sotto_net::{Invite, RelayId};

pub(crate) use self::act::Action;
use self::chat::{Chat, Held};
pub(crate) use self::chat::{message_excerpt, message_view};
use self::effects::{Change, Effects, Loaded, SessionRecord};
use self::marks::Marks;
use self::outbox::Outbox;
use self::prekeys::Prekeys;
use self::receive::Inbox;
use self::recent::RecentDeliveries;
use self::relay::LinkState;
use self::renewal::Renewal;
use crate::Person;
use crate::fingerprint::ContactLink;
use crate::view::{Addition, ChatId, ChatRow, Comparison, MessageKey, Notice, Privacy, peer_name};

/// Chats of one profile: neither a relay nor strangers can fill the disk with them.
const CHATS_MAX: usize = 10_000;

/// Milliseconds since 1970 (UTC).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Moment {
    pub(crate) unix_millis: i64,
}

impl Moment {
    pub(crate) fn secs(self) -> u64 {
        u64::try_from(self.unix_millis / 1000).unwrap_or(0)
    }
}

/// What a core reacts to.
pub(crate) enum Input {
    /// The person wishes something.
    Act(Action),
    /// Logged in at this relay.
    LinkUp { relay: RelayId, welcome: Welcome },
    /// The connection is gone.
    LinkDown,
    /// The relay says something on the control stream.
    Replies(Vec<RelayFrame>),
    /// Envelopes, in the order of the mailbox.
    Deliveries(Vec<Delivery>),
    /// Envelopes that the relay does not store.
    Ephemerals(Vec<Bytes>),
    /// [`Core::wake_at_millis`] has come.
    Timer,
}

/// A profile's state and decisions.
pub(crate) struct Core {
    identity: Arc<Identity>,
    person: Person,
    privacy: Privacy,
    rng: StdRng,
    chats: BTreeMap<ChatId, Chat>,
    prekeys: Prekeys,
    outbox: Outbox,
    inbox: Inbox,
    recent: RecentDeliveries,
    marks: Marks,
    renewal: Renewal,
    cursors: HashMap<RelayId, Cursor>,
    next_key: i64,
    link: Option<LinkState>,
    is_handle_taken: bool,
    notice: Option<Notice>,
    addition: Option<Addition>,
    /// The question whose answer the addition awaits.
    looking_up: Option<u32>,
    comparison: Option<Comparison>,
    effects: Effects,
    changed_sessions: BTreeSet<SessionId>,
}

impl Core {
    /// A core over what the vault holds.
    pub(crate) fn new(
        identity: Arc<Identity>,
        mut person: Person,
        loaded: Loaded,
        rng: StdRng,
    ) -> Self {
        if let Some(name) = loaded.name {
            person.name = name;
        }
        let own = identity.public();
        let mut chats: BTreeMap<ChatId, Chat> = loaded
            .chats
            .into_iter()
            .map(|record| (record.id, Chat::from_record(record, own)))
            .collect();
        for record in loaded.sessions {
            if let Some(chat) = chats.get_mut(&record.chat)
                && let Ok(session) = Session::from_stored(&record.stored)
            {
                chat.sessions.push(Held {
                    session,
                    heard_at_millis: record.heard_at_millis,
                    is_retired: record.is_retired,
                    is_doubted: false,
                });
            }
        }
        for record in &loaded.last {
            if let Some(chat) = chats.get_mut(&record.chat) {
                chat.set_last(record);
            }
        }
        for (chat, key, id) in loaded.unread {
            if let Some(chat) = chats.get_mut(&chat) {
                chat.unread.push_back((key, id));
            }
        }
        for record in loaded.unsealed {
            if let Some(chat) = chats.get_mut(&record.chat) {
                chat.waiting.push_back((record.key, record.shown));
            }
        }
        for (chat, unfinished) in loaded.unfinished {
            if let Some(chat) = chats.get_mut(&chat) {
                chat.unfinished = Some(unfinished);
            }
        }
        let mut outbox = Outbox::default();
        for record in loaded.outbox {
            outbox.push(record);
        }
        Self {
            prekeys: Prekeys::new(&loaded.prekeys, loaded.replay, loaded.prekeys_before),
            identity,
            person,
            privacy: loaded.privacy,
            rng,
            chats,
            outbox,
            inbox: Inbox::default(),
            recent: RecentDeliveries::new(loaded.recent),
            marks: Marks::new(loaded.marks),
            renewal: loaded.renewal,
            cursors: loaded.cursors.into_iter().collect(),
            next_key: loaded.next_key,
            link: None,
            is_handle_taken: false,
            notice: None,
            addition: None,
            looking_up: None,
            comparison: None,
            effects: Effects::default(),
            changed_sessions: BTreeSet::new(),
        }
    }

    /// What follows from `input` at `now`.
    pub(crate) fn step(&mut self, input: Input, now: Moment) -> Effects {
        match input {
            Input::Act(action) => self.act(action, now),
            Input::LinkUp { relay, welcome } => self.link_up(relay, &welcome, now),
            Input::LinkDown => self.link_down(),
            Input::Replies(replies) => {
                for reply in replies {
                    self.reply(reply, now);
                }
            }
            Input::Deliveries(deliveries) => self.receive(deliveries, now),
            Input::Ephemerals(bodies) => self.receive_ephemerals(&bodies, now),
            Input::Timer => self.timer(now),
        }
        self.pump_outbox(now);
        self.mark_when_due(now);
        self.commit_sessions();
        std::mem::take(&mut self.effects)
    }

    /// When [`Input::Timer`] is due, in milliseconds since 1970.
    pub(crate) fn wake_at_millis(&self) -> Option<i64> {
        let inbox = self.inbox.resume_at_millis();
        let settled = self.link.as_ref().filter(|link| link.is_settled());
        let link = settled.and_then(|link| {
            let bundles = self.chats.values().filter_map(Chat::bundle_retry_at);
            let rotation = self.prekeys.rotation_at_secs();
            let rotation = rotation.and_then(|secs| i64::try_from(secs).ok()?.checked_mul(1000));
            bundles
                .chain(self.outbox.retry_at_millis())
                .chain(link.claim_at_millis)
                .chain(link.marking.due_at_millis())
                .chain(self.renewal.due_at_millis())
                .chain(link.stock.due_at_millis())
                .chain(rotation.map(|at| at.max(link.maintain_at_millis)))
                .min()
        });
        let quiet = self.unmute_at_millis();
        let typing = self.typing_ends_at_millis();
        [inbox, link, quiet, typing].into_iter().flatten().min()
    }

    /// Whether deliveries have to wait: too many first messages failed, or it is not known yet
    /// whether this vault was set back.
    pub(crate) fn is_inbox_stalled(&self) -> bool {
        self.inbox.resume_at_millis().is_some() || self.link.is_some() && !self.is_settled()
    }

    /// Where delivery from this relay goes on.
    pub(crate) fn cursor(&self, relay: RelayId) -> Cursor {
        self.cursors.get(&relay).copied().unwrap_or(Cursor {
            store: StoreId([0; 16]),
            after: 0,
        })
    }

    /// The rows of the list of chats, the most recent first.
    pub(crate) fn rows(&self) -> Vec<ChatRow> {
        let is_connected = self.link.is_some();
        let mut chats: Vec<&Chat> = self.chats.values().collect();
        chats.sort_by_key(|chat| (std::cmp::Reverse(chat.last_key()), chat.id));
        chats.iter().map(|chat| chat.row(is_connected)).collect()
    }

    /// Whose profile this is.
    pub(crate) fn person(&self) -> &Person {
        &self.person
    }

    /// What peers learn.
    pub(crate) fn privacy(&self) -> Privacy {
        self.privacy
    }

    /// The chat that a person or a script means: see [`ChatRow::peer`].
    pub(crate) fn chat_of(&self, peer: &str) -> Option<ChatId> {
        if let Some(number) = peer.strip_prefix("chat:") {
            let id = ChatId(number.parse().ok()?);
            return self.chats.contains_key(&id).then_some(id);
        }
        let is_meant = |chat: &&Chat| chat.handle.as_deref() == Some(peer);
        self.chats.values().find(is_meant).map(|chat| chat.id)
    }

    /// What names a chat in a text: see [`ChatRow::peer`].
    pub(crate) fn peer(&self, id: ChatId) -> String {
        let handle = self.chats.get(&id).and_then(|chat| chat.handle.as_deref());
        peer_name(handle.unwrap_or_default(), id)
    }

    /// What people call a chat.
    pub(crate) fn name(&self, id: ChatId) -> Option<&str> {
        self.chats.get(&id).map(|chat| chat.name.as_str())
    }

    /// Whether the relay has answered everything that it was sent.
    pub(crate) fn is_answered(&self) -> bool {
        self.link.as_ref().is_some_and(LinkState::is_answered)
    }

    /// The key that the next message gets.
    pub(crate) fn next_key(&self) -> MessageKey {
        MessageKey(self.next_key)
    }

    /// The first unread message of a chat.
    pub(crate) fn first_unread(&self, chat: ChatId) -> Option<MessageKey> {
        let (key, _) = self.chats.get(&chat)?.unread.front()?;
        Some(*key)
    }

    /// Whether the handle belongs to another identity on this relay.
    pub(crate) fn is_handle_taken(&self) -> bool {
        self.is_handle_taken
    }

    /// Something that the person should know. What passes comes first.
    pub(crate) fn notice(&self) -> Option<Notice> {
        let set_back = self.renewal.is_set_back.then_some(Notice::SetBack);
        self.notice.or(set_back)
    }

    /// The contact that is being added, or was last.
    pub(crate) fn addition(&self) -> Option<&Addition> {
        self.addition.as_ref()
    }

    /// The last code that was compared.
    pub(crate) fn comparison(&self) -> Option<&Comparison> {
        self.comparison.as_ref()
    }

    /// How others recognise this identity, at the relay with this invite.
    pub(crate) fn contact_link(&self, relay: Invite) -> String {
        let link = ContactLink {
            handle: self.person.handle.clone(),
            account: self.identity.public().account_id(),
            relay,
        };
        link.to_string()
    }

    /// Puts a notice up, or away.
    pub(crate) fn set_notice(&mut self, notice: Option<Notice>) {
        // That one comes and goes by itself.
        self.notice = notice.filter(|notice| *notice != Notice::SetBack);
    }

    fn timer(&mut self, now: Moment) {
        self.end_mutes(now);
        self.end_typing(now);
        self.resume_inbox(now);
        self.maintain(now);
    }

    /// The next message key.
    fn take_key(&mut self) -> MessageKey {
        let key = MessageKey(self.next_key);
        self.next_key += 1;
        key
    }

    fn random_id(&mut self) -> [u8; 16] {
        rand::RngExt::random(&mut self.rng)
    }

    /// Stores the sessions that have changed in this step, each once.
    fn commit_sessions(&mut self) {
        let changed = std::mem::take(&mut self.changed_sessions);
        for chat in self.chats.values() {
            for held in &chat.sessions {
                if changed.contains(&held.session.id()) {
                    let record = SessionRecord {
                        id: held.session.id(),
                        chat: chat.id,
                        stored: held.session.to_stored(),
                        heard_at_millis: held.heard_at_millis,
                        is_retired: held.is_retired,
                    };
                    self.effects.commit.push(Change::PutSession(record));
                }
            }
        }
    }

    /// Stores the chat's record.
    fn commit_chat(&mut self, chat: ChatId) {
        if let Some(chat) = self.chats.get(&chat) {
            self.effects.commit.push(Change::PutChat(chat.record()));
            self.effects.is_visible = true;
        }
    }
}
