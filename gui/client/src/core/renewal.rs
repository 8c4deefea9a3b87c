//! A vault that was put back to an older copy, or that lives twice, starts anew with every peer.
//!
//! A relay can lie about marks. What follows is therefore harmless: it is said, sessions are
//! replaced at most hourly (PROTOCOL §3.5), and nothing that was sealed is sealed again under its
//! keys.

use sotto_crypto::SessionId;
use sotto_net::RelayId;
use sotto_net::wire::{DeviceKey, WithdrawPrekeys};

use super::effects::Change;
use super::prekeys::Published;
use super::publish::Stock;
use super::relay::Request;
use super::{Core, Moment};
use crate::view::{ChatId, Standing};

/// Sessions are not replaced again before this.
const RENEWAL_PAUSE_MILLIS: i64 = 60 * 60 * 1000;

/// What other lives of this vault have left to be done, as it is stored.
#[derive(Default)]
pub(crate) struct Renewal {
    /// Relays that hold prekeys whose secrets are not here.
    pub(crate) stale: Vec<RelayId>,
    /// Sessions may be behind, and are to be replaced.
    pub(crate) is_due: bool,
    /// When they were the last time, in milliseconds since 1970.
    pub(crate) renewed_at_millis: Option<i64>,
    /// The person has not been told yet.
    pub(crate) is_set_back: bool,
}

impl Renewal {
    /// When sessions are to be replaced, in milliseconds since 1970.
    pub(super) fn due_at_millis(&self) -> Option<i64> {
        let since = self.renewed_at_millis?;
        self.is_due.then_some(since + RENEWAL_PAUSE_MILLIS)
    }
}

impl Core {
    /// Somebody else has left a mark as this device.
    pub(super) fn notice_set_back(&mut self, relay: RelayId) {
        let is_stale = true;
        if !self.renewal.stale.contains(&relay) {
            self.renewal.stale.push(relay);
        }
        self.renewal.is_due = true;
        self.renewal.is_set_back = true;
        self.effects
            .commit
            .extend([Change::SetBack, Change::SetStale { relay, is_stale }]);
        self.effects.is_visible = true;
    }

    /// The person was told.
    pub(super) fn told_set_back(&mut self) {
        if std::mem::take(&mut self.renewal.is_set_back) {
            self.effects.commit.push(Change::ToldSetBack);
        }
    }

    /// Has the relay forget prekeys whose secrets are not here.
    pub(super) fn withdraw_prekeys(&mut self) {
        if let Some(link) = &mut self.link
            && self.renewal.stale.contains(&link.relay)
        {
            let request = link.request(Request::Withdraw);
            self.effects.send.push(WithdrawPrekeys { request }.into());
            link.stock = Stock::new(Published {
                signed: None,
                one_time: 0,
            });
        }
    }

    /// It has.
    pub(super) fn withdrawn(&mut self) {
        if let Some(relay) = self.link.as_ref().map(|link| link.relay) {
            let is_stale = false;
            self.renewal.stale.retain(|other| *other != relay);
            self.effects
                .commit
                .push(Change::SetStale { relay, is_stale });
        }
    }

    /// Replaces all sessions, if they may be behind and were not replaced lately.
    pub(super) fn renew_when_due(&mut self, now: Moment) {
        let at_millis = now.unix_millis;
        let is_long_ago = |at: i64| at.abs_diff(at_millis) >= RENEWAL_PAUSE_MILLIS.unsigned_abs();
        if !self.renewal.is_due || !self.renewal.renewed_at_millis.is_none_or(is_long_ago) {
            return;
        }
        self.renewal.is_due = false;
        self.renewal.renewed_at_millis = Some(at_millis);
        let commit = &mut self.effects.commit;
        commit.push(Change::Renew { at_millis });
        self.prekeys
            .leap(&self.identity, now.secs(), &mut self.rng, commit);
        self.outbox.clear();
        let mut peers = Vec::new();
        for chat in self.chats.values_mut() {
            let is_contact = chat.standing == Standing::Contact && chat.identity.is_some();
            if is_contact || !chat.sessions.is_empty() {
                chat.greets = true;
                peers.push(chat.id);
            }
            for held in &mut chat.sessions {
                held.is_retired = true;
            }
        }
        for peer in peers {
            self.commit_chat(peer);
        }
        self.publish_prekeys(now);
    }

    /// The peer has lost all sessions but this one. What it never confirmed is sealed again.
    pub(super) fn replace_sessions(&mut self, chat_id: ChatId, by: SessionId) {
        let Some(chat) = self.chats.get_mut(&chat_id) else {
            return;
        };
        let mut are_replaced = false;
        for held in &mut chat.sessions {
            let is_acknowledged = held.session.is_acknowledged();
            // One that the peer has never answered may be on its way to it. It is not lost yet, but
            // replaced once only, however often the peer says so.
            let is_replaced = held.is_retired || held.is_doubted && !is_acknowledged;
            if held.session.id() == by || is_replaced {
                continue;
            }
            are_replaced = true;
            held.is_retired = is_acknowledged;
            held.is_doubted = !is_acknowledged;
            self.changed_sessions.insert(held.session.id());
        }
        let (true, Some(identity)) = (are_replaced, &chat.identity) else {
            return;
        };
        let device = DeviceKey(identity.device_key());
        for gone in self.outbox.remove_device(device) {
            self.effects.commit.push(Change::RemoveOutbox(gone.id));
        }
        self.effects.commit.push(Change::Unseal { chat: chat_id });
    }
}
