//! Envelopes in: find the session, open, store, and only then acknowledge.

use std::collections::VecDeque;

use sotto_crypto::{Accepted, Opened, Packet, PublicIdentity, Session, SessionId};
use sotto_net::wire::{Acknowledge, Delivery as Envelope, Sequence};

use super::chat::{BundleState, Chat, Held};
use super::content::{Content, Receipt, Shown};
use super::effects::{Change, ChatRecord, MessageRecord, Proof};
use super::{CHATS_MAX, Core, Moment};
use crate::planted;
use crate::view::{AssistantRules, ChatId, Delivery, Note, Notice, Standing};

/// First messages that may fail within a minute before the rest of the mailbox has to wait
/// (PROTOCOL §3): a stranger cannot use this device as an oracle, and nothing honest is lost.
const FAILED_STARTS_MAX: usize = 20;
const MINUTE_MILLIS: i64 = 60_000;

/// Envelopes that wait, and how many first messages failed lately.
#[derive(Default)]
pub(super) struct Inbox {
    held_back: VecDeque<Envelope>,
    /// When first messages failed, in milliseconds since 1970, oldest first.
    failed_starts: VecDeque<i64>,
    /// Messages that could not be opened since the profile was opened.
    unopened: u32,
}

impl Inbox {
    /// When held-back envelopes go on.
    pub(super) fn resume_at_millis(&self) -> Option<i64> {
        self.held_back.front()?;
        Some(self.failed_starts.front()? + MINUTE_MILLIS)
    }

    fn may_start(&mut self, now: Moment) -> bool {
        let since = now.unix_millis - MINUTE_MILLIS;
        self.failed_starts
            .retain(|at| *at > since && *at <= now.unix_millis);
        self.failed_starts.len() < FAILED_STARTS_MAX
    }

    /// The connection is gone: what was not stored comes again.
    pub(super) fn clear(&mut self) {
        self.held_back.clear();
    }
}

/// Whether an envelope is done with.
enum Handled {
    Yes,
    /// It has to wait: too many first messages failed.
    NotYet,
}

/// What a first message leads to.
enum Start {
    Session(ChatId, SessionId, Opened),
    /// Its author is a stranger, and too many of them wait already.
    NoRoom,
}

impl Core {
    pub(super) fn receive(&mut self, envelopes: Vec<Envelope>, now: Moment) {
        self.inbox.held_back.extend(envelopes);
        self.resume_inbox(now);
    }

    /// Works through the envelopes that wait, then acknowledges and sends receipts.
    pub(super) fn resume_inbox(&mut self, now: Moment) {
        let Some((relay, before)) = self.link.as_ref().map(|link| (link.relay, link.handled))
        else {
            return;
        };
        let mut handled = before;
        while let Some(envelope) = self.inbox.held_back.pop_front() {
            // Places grow within a connection. From one to the next they may start over, when the
            // relay was set back; what comes again then is known by its id.
            if envelope.sequence <= handled {
                continue;
            }
            if !self.recent.holds(relay, envelope.id) || planted::is("no_duplicate_check") {
                if let Handled::NotYet = self.handle(&envelope, now) {
                    self.inbox.held_back.push_front(envelope);
                    break;
                }
                let remembered = self.recent.remember(relay, envelope.id);
                self.effects.commit.push(remembered);
            }
            handled = envelope.sequence;
        }
        self.send_delivery_receipts(now);
        if handled != before {
            self.effects.commit.extend(self.recent.forget(relay));
            self.set_handled(handled);
        }
    }

    /// Moves the cursor, and acknowledges.
    fn set_handled(&mut self, up_to: Sequence) {
        let Some(link) = &mut self.link else {
            return;
        };
        link.handled = up_to;
        let relay = link.relay;
        let mut cursor = self.cursor(relay);
        cursor.after = up_to;
        self.cursors.insert(relay, cursor);
        self.effects
            .commit
            .push(Change::SetCursor { relay, cursor });
        self.effects.send.push(Acknowledge { up_to }.into());
    }

    pub(super) fn send_delivery_receipts(&mut self, now: Moment) {
        let received: Vec<_> = self
            .chats
            .values_mut()
            .filter(|chat| !chat.received.is_empty())
            .map(|chat| (chat.id, std::mem::take(&mut chat.received)))
            .collect();
        for (chat, ids) in received {
            self.send_receipts(chat, Delivery::Delivered, &ids, now);
        }
    }

    fn handle(&mut self, envelope: &Envelope, now: Moment) -> Handled {
        let Ok(packet) = Packet::parse(&envelope.body) else {
            self.count_unopened();
            return Handled::Yes;
        };
        if let Some((chat, session, opened)) = self.open_in_session(&packet, now) {
            self.take_content(chat, session, &opened, now);
            return Handled::Yes;
        }
        if packet.handshake().is_none() {
            self.count_unopened();
            return Handled::Yes;
        }
        if !self.inbox.may_start(now) {
            return Handled::NotYet;
        }
        match self.accept_session(&packet, now) {
            Some(Start::Session(chat, session, opened)) => {
                self.take_content(chat, session, &opened, now);
            }
            Some(Start::NoRoom) => {}
            None => {
                self.inbox.failed_starts.push_back(now.unix_millis);
                self.count_unopened();
            }
        }
        Handled::Yes
    }

    /// Opens a packet in the session that expects its tag.
    pub(super) fn open_in_session(
        &mut self,
        packet: &Packet<'_>,
        now: Moment,
    ) -> Option<(ChatId, SessionId, Opened)> {
        let tag = packet.tag();
        for chat in self.chats.values_mut() {
            for held in &mut chat.sessions {
                if !held.session.expects(&tag) {
                    continue;
                }
                let Ok(step) = held.session.open(packet, now.secs(), &mut self.rng) else {
                    continue;
                };
                held.session = step.next;
                held.heard_at_millis = now.unix_millis;
                let id = held.session.id();
                self.changed_sessions.insert(id);
                return Some((chat.id, id, step.output));
            }
        }
        None
    }

    /// Opens a first message: a new session with its author. `None` when it does not open.
    fn accept_session(&mut self, packet: &Packet<'_>, now: Moment) -> Option<Start> {
        let handshake = packet.handshake()?;
        let digest = handshake.digest();
        let (signed_id, one_time_id) =
            (handshake.signed_prekey_id(), handshake.one_time_prekey_id());
        let Accepted {
            session,
            peer,
            opened,
        } = {
            let (signed, one_time) = self.prekeys.find(&digest, signed_id, one_time_id)?;
            let identity = &self.identity;
            Session::accept(
                identity,
                signed,
                one_time,
                packet,
                now.secs(),
                &mut self.rng,
            )
            .ok()?
        };
        // Only its own author can lead two handshakes to one session (PROTOCOL §3.4).
        let is_known = |chat: &Chat| {
            chat.sessions
                .iter()
                .any(|it| it.session.id() == session.id())
        };
        let is_again = self.chats.values().any(is_known);
        if is_again && !planted::is("replayed_handshake_accepted") {
            return None;
        }
        // Nothing is used up: the author repeats the handshake until there is an answer.
        let Some(chat_id) = self.chat_with(&peer) else {
            return Some(Start::NoRoom);
        };
        self.prekeys
            .consume(digest, signed_id, one_time_id, &mut self.effects.commit);
        let chat = self.chats.get_mut(&chat_id)?;
        let held = Held {
            session,
            heard_at_millis: now.unix_millis,
            is_retired: false,
            is_doubted: false,
        };
        let id = held.session.id();
        self.changed_sessions.insert(id);
        chat.bundle = BundleState::Idle;
        let silent = chat.add_session(held).map(Change::RemoveSession);
        self.effects.commit.extend(silent);
        Some(Start::Session(chat_id, id, opened))
    }

    /// The chat with this identity; a request without a handle when the directory has not named
    /// the identity (yet), or names another one. Another device of a blocked account is blocked
    /// with it. `None` when there are too many already.
    fn chat_with(&mut self, peer: &PublicIdentity) -> Option<ChatId> {
        let device = peer.device_id();
        let known = self.chats.values().find(|chat| chat.is_with(&device));
        let known = known.or_else(|| {
            let blocked = self.chats.values().filter(|chat| chat.is_blocked);
            let mut with_identity = blocked.filter(|chat| {
                let identity = chat.identity.as_ref();
                identity.is_some_and(|identity| identity.account_id() == peer.account_id())
            });
            with_identity.next()
        });
        if let Some(chat) = known {
            return Some(chat.id);
        }
        if self.chats.len() >= CHATS_MAX || !self.has_room_for_request() {
            return None;
        }
        let id = self.next_chat_id();
        let [a, b, c, d, ..] = *device.as_bytes();
        let record = ChatRecord {
            id,
            handle: None,
            name: format!("Unknown {a:02x}{b:02x}{c:02x}{d:02x}"),
            identity: Some(peer.encode()),
            pending: None,
            proof: Proof::Nothing,
            draft: String::new(),
            standing: Standing::Request,
            is_blocked: false,
            muted_until_millis: None,
            greets: false,
            assistant: AssistantRules::default(),
        };
        let chat = Chat::from_record(record, self.identity.public());
        self.chats.insert(id, chat);
        self.commit_chat(id);
        Some(id)
    }

    pub(super) fn next_chat_id(&self) -> ChatId {
        let last = self.chats.last_key_value().map_or(0, |(id, _)| id.0);
        ChatId(last + 1)
    }

    fn take_content(&mut self, chat: ChatId, session: SessionId, opened: &Opened, now: Moment) {
        // This version is in no group: a capsule opens nothing here, and that is said.
        let content = opened.text().and_then(Content::decode);
        if let Some(Content::Greeting) = content {
            self.replace_sessions(chat, session);
        }
        if !self.is_open(chat) {
            return; // Blocked.
        }
        match content {
            Some(Content::Shown(shown)) => self.take_message(chat, shown, Change::AddMessage),
            Some(Content::Part(part, sent_at_millis)) => self.take_part(chat, part, sent_at_millis),
            Some(Content::Receipt(receipt)) => self.take_receipt(chat, &receipt),
            Some(Content::Typing | Content::Greeting | Content::Ignored) => {}
            None => self.count_unopened(),
        }
        // The peer may have made a session that messages were waiting for.
        self.advance(chat, now);
    }

    /// A message has come; `add` says how it is stored.
    pub(super) fn take_message(
        &mut self,
        chat_id: ChatId,
        shown: Shown,
        add: impl FnOnce(MessageRecord) -> Change,
    ) {
        if !self.may_hold(chat_id) {
            return;
        }
        let key = self.take_key();
        let Some(chat) = self.chats.get_mut(&chat_id) else {
            return;
        };
        let is_contact = chat.standing == Standing::Contact;
        if is_contact {
            chat.received.push(shown.id);
        }
        // Of strangers no more is held than counts as unread.
        let is_unread = !(is_contact && shown.is_note());
        if is_unread {
            chat.unread.push_back((key, shown.id));
        }
        let note = shown.as_note();
        let record = MessageRecord {
            key,
            chat: chat_id,
            is_mine: false,
            shown,
            delivery: Delivery::Delivered,
            is_unread,
            is_sealed: true,
        };
        chat.set_last(&record);
        chat.typing_until_millis = None;
        self.effects.commit.push(add(record));
        self.effects.is_visible = true;
        if let Some(Note::Cloud { is_forbidden }) = note {
            self.peer_forbids_cloud(chat_id, is_forbidden);
        }
    }

    /// Who tells nobody what was read is told of nobody either.
    fn take_receipt(&mut self, chat_id: ChatId, receipt: &Receipt) {
        let is_told = receipt.delivery != Delivery::Read || self.privacy.read_receipts;
        let delivery = if is_told {
            receipt.delivery
        } else {
            Delivery::Delivered
        };
        let Some(chat) = self.chats.get_mut(&chat_id) else {
            return;
        };
        // What the peer has need not be sealed again.
        chat.waiting
            .retain(|(_, shown)| !receipt.ids.contains(&shown.id));
        for &id in &receipt.ids {
            chat.update_last(|last, _| last == id, |before| advanced(before, delivery));
            self.effects.commit.push(Change::Advance {
                chat: chat_id,
                id,
                delivery,
            });
        }
        self.effects.is_visible = true;
    }

    fn count_unopened(&mut self) {
        self.inbox.unopened = self.inbox.unopened.saturating_add(1);
        // Being set back explains it, and says more.
        if !self.renewal.is_set_back {
            self.notice = Some(Notice::Unopened {
                messages: self.inbox.unopened,
            });
        }
        self.effects.is_visible = true;
    }
}

/// A delivery state after news of it: it never goes back, and what failed stays failed.
pub(super) fn advanced(before: Delivery, news: Delivery) -> Delivery {
    before.max(news)
}
