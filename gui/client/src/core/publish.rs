//! Keeps the relay's stock of prekeys full: what it has confirmed, and when to publish again.

use sotto_net::wire::{PrekeysLow, PublishPrekeys, Refusal, Refused};

use super::prekeys::Published;
use super::relay::{Request, wait_millis};
use super::{Core, Moment};

/// A publication that was refused is tried again after this, unless the relay says when.
const RETRY_MILLIS: i64 = 60_000;
/// After a publication the next one waits for so long: a relay that always says that prekeys run
/// low cannot keep a device at work.
const PAUSE_MILLIS: i64 = 60_000;

/// The numbers of prekeys on their way to the relay.
pub(super) struct Publication {
    signed: Option<u32>,
    one_time: Vec<u32>,
}

impl From<&PublishPrekeys> for Publication {
    fn from(frame: &PublishPrekeys) -> Self {
        Self {
            signed: frame.signed.as_ref().map(|prekey| prekey.id),
            one_time: frame.one_time.iter().map(|prekey| prekey.id).collect(),
        }
    }
}

/// The prekeys at the relay of one connection.
pub(super) struct Stock {
    /// What the relay says it has.
    published: Published,
    /// One-time prekeys that were refused: the next publication takes them first.
    refused: Vec<u32>,
    /// A publication has to wait.
    is_due: bool,
    /// No publication before this, in milliseconds since 1970.
    not_before_millis: i64,
}

impl Stock {
    pub(super) fn new(published: Published) -> Self {
        Self {
            published,
            refused: Vec::new(),
            is_due: false,
            not_before_millis: 0,
        }
    }

    /// When a publication is due.
    pub(super) fn due_at_millis(&self) -> Option<i64> {
        self.is_due.then_some(self.not_before_millis)
    }
}

impl Core {
    /// Publishes what the relay lacks, or later if there was a publication just now.
    pub(super) fn publish_prekeys(&mut self, now: Moment) {
        let Some(link) = &mut self.link else {
            return;
        };
        // What is on its way counts already; the relay may not have seen it when it spoke.
        if link.is_publishing() || !link.is_settled() {
            return;
        }
        if link.stock.not_before_millis > now.unix_millis {
            link.stock.is_due = true;
            return;
        }
        link.stock.is_due = false;
        let publication = self.prekeys.replenish(
            &self.identity,
            link.stock.published,
            &link.stock.refused,
            now.secs(),
            &mut self.rng,
            &mut self.effects.commit,
        );
        let Some(mut publication) = publication else {
            return;
        };
        link.stock.refused.clear();
        link.stock.not_before_millis = now.unix_millis + PAUSE_MILLIS;
        publication.request = link.request(Request::Publish((&publication).into()));
        self.effects.send.push(publication.into());
    }

    pub(super) fn publish_when_due(&mut self, now: Moment) {
        if self.link.as_ref().is_some_and(|link| link.stock.is_due) {
            self.publish_prekeys(now);
        }
    }

    /// The relay says how many one-time prekeys it has left.
    pub(super) fn prekeys_low(&mut self, low: PrekeysLow, now: Moment) {
        if let Some(link) = &mut self.link {
            link.stock.published.one_time = low.left;
            self.publish_prekeys(now);
        }
    }

    /// The relay has stored a publication: only now does it count.
    pub(super) fn published(&mut self, publication: &Publication) {
        if let Some(link) = &mut self.link {
            let published = &mut link.stock.published;
            published.signed = publication.signed.or(published.signed);
            let added = u32::try_from(publication.one_time.len()).unwrap_or(u32::MAX);
            published.one_time = published.one_time.saturating_add(added);
        }
    }

    /// The relay has not stored a publication. What it could never store waits for another
    /// connection.
    pub(super) fn publication_refused(
        &mut self,
        publication: Publication,
        refused: Refused,
        now: Moment,
    ) {
        if let Some(link) = &mut self.link
            && refused.reason != Refusal::TooLarge
        {
            link.stock.refused = publication.one_time;
            link.stock.is_due = true;
            link.stock.not_before_millis = now.unix_millis + wait_millis(refused, RETRY_MILLIS);
        }
    }
}
