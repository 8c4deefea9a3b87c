//! All mailboxes in memory, and the envelopes that wait to be written, in the order in which they
//! came.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::time::{Duration, Instant};

use sotto_net::wire::{DeviceKey, Sequence};
use tokio::sync::{Notify, OwnedSemaphorePermit};

use super::load::Load;
use super::mailbox::{Acknowledged, Admits, Forgetting, Mailbox};
use super::pending::Pending;
use super::rows::{EnvelopeRow, MailboxRow};
use crate::planted;
use crate::store::{Answer, Append, Declined, Tally, Ticket};

/// How long an envelope for somebody who is there may wait for an acknowledgement that spares the
/// disk; so may what an acknowledgement lets go of.
const LINGER: Duration = Duration::from_millis(5);
/// Mailboxes in memory beyond which those that nobody uses are let go.
const IDLE_MAX: usize = 16_384;

/// An envelope of one mailbox in the queue.
#[derive(Debug)]
struct Place {
    device: DeviceKey,
    sequence: Sequence,
    since: Instant,
    /// The last one of its append: those of one append are written together.
    is_last: bool,
}

/// Why an append cannot be carried out now.
#[derive(Debug)]
pub(super) enum Obstacle {
    /// This mailbox is full.
    Full(DeviceKey),
    /// These mailboxes must be read from the disk, or need sequences.
    Closed(Vec<DeviceKey>),
}

#[derive(Debug, Default)]
pub(super) struct Mailboxes {
    by_device: HashMap<DeviceKey, Mailbox>,
    queue: VecDeque<Place>,
    /// So many at the front of the queue are to be written without waiting.
    urgent: usize,
    /// Mailboxes with something on the disk that may go.
    forgetting: Vec<DeviceKey>,
    /// Since when somebody waits for that, and who.
    forgetting_since: Option<Instant>,
    forgetters: Vec<Answer<()>>,
    /// From so many mailboxes on it is time to look which are idle.
    idle_max: usize,
    tally: Tally,
}

/// What one transaction does with mailboxes.
#[derive(Debug, Default)]
pub(super) struct Writing {
    pub(super) envelopes: Vec<EnvelopeRow>,
    pub(super) forgetting: Vec<(DeviceKey, Forgetting)>,
    forgetters: Vec<Answer<()>>,
}

impl Writing {
    /// Envelopes that are written, and mailboxes that forget.
    pub(super) fn len(&self) -> usize {
        self.envelopes.len() + self.forgetting.len()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.envelopes.is_empty() && self.forgetting.is_empty() && self.forgetters.is_empty()
    }
}

/// How a transaction has changed the disk: for each envelope and for each mailbox that forgets.
#[derive(Debug, Default)]
pub(super) struct Written {
    pub(super) inserted: Vec<Load>,
    pub(super) forgotten: Vec<Load>,
}

impl Mailboxes {
    pub(super) fn get_mut(&mut self, device: DeviceKey) -> Option<&mut Mailbox> {
        self.by_device.get_mut(&device)
    }

    /// Keeps a mailbox in memory from now on, as it is on the disk, if it is not there already.
    pub(super) fn open(&mut self, device: DeviceKey, row: MailboxRow) -> &mut Mailbox {
        if self.by_device.len() > self.idle_max.max(IDLE_MAX) {
            self.by_device.retain(|_, mailbox| !mailbox.is_idle());
            // So that looking through them costs each of them no more than a moment.
            self.idle_max = 2 * self.by_device.len();
        }
        let new = || Mailbox::new(row);
        self.by_device.entry(device).or_insert_with(new)
    }

    /// Puts an envelope into the mailboxes of all targets or of none; the targets differ. Gives the
    /// mailboxes that want further sequences as well.
    pub(super) fn append(
        &mut self,
        append: &mut Append,
        room: &mut Option<OwnedSemaphorePermit>,
        now: Instant,
    ) -> Result<(Ticket<()>, Vec<DeviceKey>), Obstacle> {
        let known = self.look(append)?;
        if append.targets.is_empty() {
            return Ok((Ticket::known(Ok(())), Vec::new()));
        }
        let (pending, ticket) = Pending::new(append.targets.len(), room.take());
        let mut wanting = Vec::new();
        let mut is_urgent = false;
        for (device, body) in append.targets.drain(..) {
            let pending = pending.clone();
            let Some(mailbox) = self.by_device.get_mut(&device) else {
                continue;
            };
            if known.contains(&device) {
                self.tally.duplicates += 1;
                mailbox.join(append.id, pending);
                continue;
            }
            self.tally.accepted += 1;
            let sequence = mailbox.put(append.id, body, append.stored_secs, pending);
            if mailbox.wants_sequences() {
                mailbox.is_reserving = true;
                wanting.push(device);
            }
            is_urgent |= !mailbox.is_attended();
            self.queue.push_back(Place {
                device,
                sequence,
                since: now,
                is_last: false,
            });
        }
        if let Some(place) = self.queue.back_mut() {
            place.is_last = true;
        }
        if is_urgent {
            self.urgent = self.queue.len();
        }
        if planted::is("done_before_commit") {
            return Ok((Ticket::known(Ok(())), wanting));
        }
        Ok((ticket, wanting))
    }

    /// Whether an append can be carried out; gives the targets that know it.
    fn look(&self, append: &Append) -> Result<Vec<DeviceKey>, Obstacle> {
        let (mut closed, mut known) = (Vec::new(), Vec::new());
        for (device, body) in &append.targets {
            let admits = |mailbox: &Mailbox| mailbox.admits(append.id, body, append.quota);
            match self.by_device.get(device).map(admits) {
                Some(Admits::Yes) => {}
                Some(Admits::Known) => known.push(*device),
                Some(Admits::Full) => return Err(Obstacle::Full(*device)),
                Some(Admits::NoSequence) | None => closed.push(*device),
            }
        }
        if closed.is_empty() {
            Ok(known)
        } else {
            Err(Obstacle::Closed(closed))
        }
    }

    /// A device has everything up to here; `None` if its mailbox is not in memory.
    pub(super) fn acknowledge(
        &mut self,
        device: DeviceKey,
        up_to: Sequence,
        now: Instant,
    ) -> Option<Ticket<()>> {
        let mailbox = self.by_device.get_mut(&device)?;
        let acknowledged = mailbox.acknowledge(up_to, &mut self.tally);
        if acknowledged == Acknowledged::Forgotten {
            return Some(Ticket::known(Ok(())));
        }
        if acknowledged == Acknowledged::OnDisk {
            self.forgetting.push(device);
        }
        self.forgetting_since.get_or_insert(now);
        let (answer, ticket) = Ticket::new();
        self.forgetters.push(answer);
        Some(ticket)
    }

    /// Somebody reads a mailbox; `None` if it is not in memory.
    pub(super) fn attend(&mut self, device: DeviceKey) -> Option<Arc<Notify>> {
        Some(self.by_device.get_mut(&device)?.attend())
    }

    /// A reader has left: nobody there will acknowledge what waits.
    pub(super) fn leave(&mut self, device: DeviceKey, arrivals: &Arc<Notify>) {
        if let Some(mailbox) = self.by_device.get_mut(&device) {
            mailbox.leave(arrivals);
            if !mailbox.is_attended() {
                self.urgent = self.queue.len();
            }
        }
    }

    /// Nothing waits any longer than it must.
    pub(super) fn hurry(&mut self) {
        self.urgent = self.queue.len();
    }

    /// What was done so far; what waits is the number of envelopes.
    pub(super) fn tally(&self) -> Tally {
        Tally {
            waiting: Some(self.queue.len()),
            ..self.tally
        }
    }

    /// When there is something to write.
    pub(super) fn due(&self) -> Option<Instant> {
        let written = self.queue.front().map(|place| match self.urgent {
            0 => place.since + LINGER,
            _ => place.since,
        });
        let forgotten = self.forgetting_since.map(|since| since + LINGER);
        written.into_iter().chain(forgotten).min()
    }

    /// Takes what is to be written now, at least so many envelopes if there are that many.
    pub(super) fn take(&mut self, now: Instant, envelopes: usize) -> Writing {
        let mut writing = Writing::default();
        let mut is_between = true;
        while let Some(place) = self.queue.front() {
            let is_due = self.urgent > 0 || place.since + LINGER <= now;
            if is_between && (!is_due || writing.envelopes.len() >= envelopes) {
                break;
            }
            if let Some(mailbox) = self.by_device.get_mut(&place.device)
                && let Some(row) = mailbox.write(place.device, place.sequence)
            {
                writing.envelopes.push(row);
            }
            is_between = place.is_last;
            self.queue.pop_front();
            self.urgent = self.urgent.saturating_sub(1);
        }
        for device in self.forgetting.drain(..) {
            let mailbox = self.by_device.get_mut(&device);
            let forgetting = mailbox.and_then(Mailbox::take_forgetting);
            writing
                .forgetting
                .extend(forgetting.map(|forgetting| (device, forgetting)));
        }
        self.forgetting_since = None;
        writing.forgetters.append(&mut self.forgetters);
        writing
    }

    /// What was taken is on the disk, and has changed it by this.
    pub(super) fn written(&mut self, writing: Writing, written: Written) {
        let inserted = writing.envelopes.iter().zip(written.inserted);
        for (row, inserted) in inserted {
            if let Some(mailbox) = self.by_device.get_mut(&row.device) {
                mailbox.written(row.sequence, inserted, &mut self.tally);
            }
        }
        for ((device, _), forgotten) in writing.forgetting.iter().zip(written.forgotten) {
            self.tally.acknowledged += forgotten.envelopes;
            if let Some(mailbox) = self.by_device.get_mut(device) {
                mailbox.forgotten(forgotten);
                mailbox.end_forgetting();
            }
        }
        for forgetter in writing.forgetters {
            forgetter.give(Ok(()));
        }
    }

    /// What was taken could not be written.
    pub(super) fn lost(&mut self, writing: Writing) {
        for row in writing.envelopes {
            if let Some(mailbox) = self.by_device.get_mut(&row.device) {
                mailbox.lost(row.sequence);
            }
        }
        // It goes when the disk works again; nothing depends on it.
        for (device, forgetting) in writing.forgetting {
            if let Some(mailbox) = self.by_device.get_mut(&device) {
                mailbox.end_forgetting();
                if mailbox.forget_later(forgetting.up_to) == Acknowledged::OnDisk {
                    self.forgetting.push(device);
                }
            }
        }
        for forgetter in writing.forgetters {
            forgetter.give(Err(Declined::Unavailable));
        }
    }

    /// The disk has let go of envelopes of this device.
    pub(super) fn forgotten(&mut self, device: DeviceKey, load: Load) {
        if let Some(mailbox) = self.by_device.get_mut(&device) {
            mailbox.forgotten(load);
        }
    }
}
