//! What the relay says on the control stream, and what is asked of it.

use std::collections::HashMap;

use sotto_crypto::{Session, VerifiedBundle};
use sotto_net::RelayId;
use sotto_net::wire::{
    Bundle, Claim, DeviceKey, Entry, EnvelopeId, LookUp, Presence, Refusal, Refused, RelayFrame,
    Sequence, Welcome,
};

use super::additions::Wanted;
use super::chat::{BundleState, Held};
use super::effects::Change;
use super::marks::Marking;
use super::publish::{Publication, Stock};
use super::receive::advanced;
use super::{Core, Moment};
use crate::planted;
use crate::view::{ChatId, Delivery};

/// A bundle that could not be had is asked for again after this (and when the directory or the
/// peer's presence gives reason to).
const BUNDLE_RETRY_MILLIS: i64 = 30_000;
/// A claim that was refused is tried again after this.
const CLAIM_RETRY_MILLIS: i64 = 60_000;
/// An envelope that was refused for now is tried again after this, unless the relay says when.
const SEND_RETRY_MILLIS: i64 = 5_000;
/// How often prekeys are looked at, at most.
const MAINTENANCE_MILLIS: i64 = 60 * 60 * 1000;
/// A session beside the one that both ends chose is dropped when the peer was heard so much later in
/// that one (PROTOCOL §3.5).
const SPARE_SESSION_MILLIS: i64 = 7 * 24 * 60 * 60 * 1000;

/// What an answer belongs to.
pub(super) enum Request {
    Claim,
    Publish(Publication),
    Bundle(ChatId),
    Send(EnvelopeId),
    LookUp(String),
    Add(Wanted),
    Mark,
    Withdraw,
}

/// A connection as the core sees it.
pub(super) struct LinkState {
    pub(super) relay: RelayId,
    next_request: u32,
    requests: HashMap<u32, Request>,
    pub(super) claim_at_millis: Option<i64>,
    pub(super) maintain_at_millis: i64,
    pub(super) stock: Stock,
    pub(super) marking: Marking,
    /// Peers whose prekeys were asked for only to greet them.
    pub(super) greeted: usize,
    /// The last place in the mailbox that was handled on this connection.
    pub(super) handled: Sequence,
}

impl LinkState {
    /// The number for a new request.
    pub(super) fn request(&mut self, request: Request) -> u32 {
        self.next_request = self.next_request.checked_add(1).unwrap_or(1);
        self.requests.insert(self.next_request, request);
        self.next_request
    }

    /// Whether nothing waits for an answer.
    pub(super) fn is_answered(&self) -> bool {
        self.requests.is_empty()
    }

    /// Whether a publication of prekeys waits for its answer.
    pub(super) fn is_publishing(&self) -> bool {
        let is_it = |request: &Request| matches!(request, Request::Publish(_));
        self.requests.values().any(is_it)
    }
}

impl Core {
    pub(super) fn link_up(&mut self, relay: RelayId, welcome: &Welcome, now: Moment) {
        let mut cursor = self.cursor(relay);
        if cursor.store != welcome.store {
            cursor.store = welcome.store;
            cursor.after = 0;
            self.cursors.insert(relay, cursor);
            self.effects
                .commit
                .push(Change::SetCursor { relay, cursor });
        }
        self.inbox.clear();
        self.outbox.restart();
        self.link = Some(LinkState {
            relay,
            next_request: 0,
            requests: HashMap::new(),
            claim_at_millis: None,
            maintain_at_millis: now.unix_millis + MAINTENANCE_MILLIS,
            stock: Stock::new(welcome.into()),
            marking: Marking::Asked,
            greeted: 0,
            handled: 0,
        });
        self.ask_mark(welcome.minor, now);
        self.effects.is_visible = true;
    }

    /// Says everything that there is to say on a new connection.
    pub(super) fn start_talking(&mut self, now: Moment) {
        // Everybody hears of the claim at once, and whoever has a message waiting asks for prekeys.
        self.publish_prekeys(now);
        self.claim();
        self.watch_presence();
        self.advance_all(now);
    }

    pub(super) fn link_down(&mut self) {
        self.link = None;
        self.give_up_addition();
        self.inbox.clear();
        for chat in self.chats.values_mut() {
            chat.bundle = BundleState::Idle;
            chat.is_online = false;
        }
        self.effects.is_visible = true;
    }

    /// What is due by the clock.
    pub(super) fn maintain(&mut self, now: Moment) {
        if !self.is_settled() {
            return;
        }
        self.renew_when_due(now);
        let Some(link) = &mut self.link else {
            return;
        };
        if link.claim_at_millis.is_some_and(|at| at <= now.unix_millis) {
            link.claim_at_millis = None;
            self.claim();
        }
        let Some(link) = &mut self.link else {
            return;
        };
        if link.maintain_at_millis <= now.unix_millis {
            link.maintain_at_millis = now.unix_millis + MAINTENANCE_MILLIS;
            self.publish_prekeys(now);
            self.drop_spare_sessions();
        }
        self.publish_when_due(now);
        self.advance_all(now);
    }

    fn advance_all(&mut self, now: Moment) {
        let waiting: Vec<ChatId> = self
            .chats
            .values()
            .filter(|chat| chat.is_waiting())
            .map(|chat| chat.id)
            .collect();
        for chat in waiting {
            self.advance(chat, now);
        }
    }

    pub(super) fn reply(&mut self, frame: RelayFrame, now: Moment) {
        match frame {
            RelayFrame::Done(done) => {
                let has_answer = |it: &Request| {
                    matches!(
                        it,
                        Request::Bundle(_) | Request::LookUp(_) | Request::Add(_) | Request::Mark
                    )
                };
                let fits = |request: &Request| !has_answer(request);
                let request = self.take_request(done.request, fits);
                self.done(request.as_ref());
            }
            RelayFrame::Refused(refused) => self.refused(refused, now),
            RelayFrame::Bundle(bundle) => self.take_bundle(&bundle, now),
            RelayFrame::Entry(entry) => self.entry(&entry, now),
            RelayFrame::PrekeysLow(low) => self.prekeys_low(low, now),
            RelayFrame::Presence(presence) => self.take_presence(presence, now),
            RelayFrame::PreviousMark(previous) => self.take_mark(previous, now),
            // The rest concerns the connection, not what is said on it.
            _ => {}
        }
    }

    /// The request with this number, which is answered now. A frame that does not fit it is no
    /// answer: it goes on waiting for one.
    pub(super) fn take_request(
        &mut self,
        number: u32,
        fits: impl FnOnce(&Request) -> bool,
    ) -> Option<Request> {
        let requests = &mut self.link.as_mut()?.requests;
        if !fits(requests.get(&number)?) {
            return None;
        }
        requests.remove(&number)
    }

    /// News of the directory, or the answer to a question.
    fn entry(&mut self, entry: &Entry, now: Moment) {
        let fits = |it: &Request| matches!(it, Request::LookUp(_) | Request::Add(_));
        match self.take_request(entry.request, fits) {
            Some(Request::Add(wanted)) => self.found(entry.request, &wanted, entry, now),
            Some(_) => self.take_entry(entry, now),
            None if entry.request == 0 => self.take_entry(entry, now),
            None => {}
        }
    }

    /// Asks who is behind a handle, if there is a connection.
    pub(super) fn look_up(&mut self, handle: String) {
        if let Some(link) = &mut self.link {
            let request = link.request(Request::LookUp(handle.clone()));
            self.effects.send.push(LookUp { request, handle }.into());
        }
    }

    pub(super) fn claim(&mut self) {
        let Some(link) = self.link.as_mut().filter(|link| link.is_settled()) else {
            return;
        };
        let request = link.request(Request::Claim);
        let claim = Claim {
            request,
            handle: self.person.handle.clone(),
            name: self.person.name.clone(),
            identity: self.identity.public().encode().into(),
        };
        self.effects.send.push(claim.into());
    }

    fn done(&mut self, request: Option<&Request>) {
        match request {
            Some(Request::Claim) if self.is_handle_taken => {
                self.is_handle_taken = false;
                self.effects.is_visible = true;
            }
            Some(Request::Publish(publication)) => self.published(publication),
            Some(Request::Send(envelope)) if planted::is("done_counts_as_delivered") => {
                self.settle(*envelope, Delivery::Delivered);
            }
            Some(Request::Send(envelope)) => self.settle(*envelope, Delivery::Relay),
            Some(Request::Withdraw) => self.withdrawn(),
            _ => {}
        }
    }

    fn refused(&mut self, refused: Refused, now: Moment) {
        let wait = |default: i64| wait_millis(refused, default);
        match self.take_request(refused.request, |_| true) {
            Some(Request::Claim) => {
                self.is_handle_taken = refused.reason == Refusal::HandleTaken;
                self.effects.is_visible = true;
                if let Some(link) = &mut self.link {
                    link.claim_at_millis = Some(now.unix_millis + wait(CLAIM_RETRY_MILLIS));
                }
            }
            Some(Request::Bundle(chat)) => self.retry_bundle(chat, wait(BUNDLE_RETRY_MILLIS), now),
            Some(Request::Send(envelope)) => match refused.reason {
                Refusal::DeviceUnknown | Refusal::TooLarge => {
                    self.settle(envelope, Delivery::Failed);
                }
                _ => {
                    let at = now.unix_millis + wait(SEND_RETRY_MILLIS);
                    self.outbox.retry_later(envelope, at);
                }
            },
            Some(Request::Publish(publication)) => {
                self.publication_refused(publication, refused, now);
            }
            Some(Request::LookUp(handle)) if refused.reason == Refusal::HandleUnknown => {
                self.effects.unknown_handles.push(handle);
            }
            Some(Request::Add(_)) => self.not_found(refused.request, refused.reason),
            // A relay that does not say is taken for one that knows nothing.
            Some(Request::Mark) => self.settle_link(false, now),
            Some(Request::LookUp(_) | Request::Withdraw) | None => {}
        }
    }

    /// The relay has an envelope, or never will.
    fn settle(&mut self, envelope: EnvelopeId, delivery: Delivery) {
        let Some(record) = self.outbox.remove(envelope) else {
            return;
        };
        self.effects.commit.push(Change::RemoveOutbox(envelope));
        let Some(key) = record.message else {
            return;
        };
        self.effects.commit.push(match delivery {
            Delivery::Failed => Change::SetDelivery { key, delivery },
            _ => Change::AdvanceKey { key, delivery },
        });
        for chat in self.chats.values_mut() {
            chat.update_last(
                |_, last| last.key == key,
                |before| advanced(before, delivery),
            );
        }
        self.effects.is_visible = true;
    }

    fn retry_bundle(&mut self, chat: ChatId, wait_millis: i64, now: Moment) {
        if let Some(chat) = self.chats.get_mut(&chat) {
            chat.bundle = BundleState::RetryAt(now.unix_millis + wait_millis);
        }
    }

    fn take_bundle(&mut self, bundle: &Bundle, now: Moment) {
        let fits = |request: &Request| matches!(request, Request::Bundle(_));
        let Some(Request::Bundle(chat_id)) = self.take_request(bundle.request, fits) else {
            return;
        };
        if self.start_session(chat_id, bundle, now).is_some() {
            self.advance(chat_id, now);
        } else {
            self.retry_bundle(chat_id, BUNDLE_RETRY_MILLIS, now);
        }
    }

    fn start_session(&mut self, chat_id: ChatId, bundle: &Bundle, now: Moment) -> Option<()> {
        let chat = self.chats.get_mut(&chat_id)?;
        chat.bundle = BundleState::Idle;
        let peer = chat.identity.as_ref()?;
        let one_time = bundle.one_time.as_deref();
        let verified = VerifiedBundle::verify(peer, &bundle.signed, one_time, now.secs()).ok()?;
        let session = Session::start(&self.identity, &verified, now.secs(), &mut self.rng).ok()?;
        self.changed_sessions.insert(session.id());
        let silent = chat.add_session(Held {
            session,
            heard_at_millis: now.unix_millis,
            is_retired: false,
            is_doubted: false,
        });
        self.effects
            .commit
            .extend(silent.map(Change::RemoveSession));
        Some(())
    }

    fn take_presence(&mut self, presence: Presence, now: Moment) {
        let Some(chat) = self.chats.values_mut().find(|chat| {
            let device = chat
                .identity
                .as_ref()
                .map(|peer| DeviceKey(peer.device_key()));
            device == Some(presence.device)
        }) else {
            return;
        };
        chat.is_online = presence.online;
        if presence.online && chat.bundle != BundleState::Asked {
            chat.bundle = BundleState::Idle;
        }
        let id = chat.id;
        self.effects.is_visible = true;
        self.advance(id, now);
    }

    /// That nothing came in a session for long says little: one may have been away. That the peer was
    /// heard in the other one since says that it has left this one, once what waits at the relay is
    /// read: not at the beginning of a connection.
    fn drop_spare_sessions(&mut self) {
        for chat in self.chats.values_mut() {
            let Some(sending) = chat.sending_session() else {
                continue;
            };
            if !sending.session.is_acknowledged() {
                continue;
            }
            let id = sending.session.id();
            let before = sending.heard_at_millis.saturating_sub(SPARE_SESSION_MILLIS);
            // However far a clock has jumped: the peer may go over to one in which it was never
            // heard as soon as it gets what was sealed in that. All others have larger ids.
            let may_be_chosen = |held: &Held| {
                let is_new = !held.session.is_acknowledged() && !held.is_retired;
                held.session.id() == id || is_new && !planted::is("clock_jump_drops_sessions")
            };
            let (kept, spare) = std::mem::take(&mut chat.sessions)
                .into_iter()
                .partition(|held| may_be_chosen(held) || held.heard_at_millis > before);
            chat.sessions = kept;
            for held in spare {
                let id = held.session.id();
                self.effects.commit.push(Change::RemoveSession(id));
            }
        }
    }
}

/// How long to wait after a refusal: what the relay says, or `default` if it does not know.
pub(super) fn wait_millis(refused: Refused, default: i64) -> i64 {
    match refused.retry_after_millis {
        0 => default,
        millis => i64::from(millis),
    }
}
