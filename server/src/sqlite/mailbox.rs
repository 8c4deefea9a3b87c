//! One mailbox in memory: what is not on the disk yet, and what its reader is about to get.

use std::collections::VecDeque;
use std::sync::Arc;

use bytes::Bytes;
use sotto_net::wire::{Delivery, DeviceKey, EnvelopeId, Sequence};
use tokio::sync::Notify;

use super::fleeting_ids::FleetingIds;
use super::load::Load;
use super::pending::Pending;
use super::rows::{self, EnvelopeRow, MailboxRow};
use crate::planted;
use crate::store::{Quota, Tally};

/// Durable envelopes, and bytes of their bodies, that stay in memory for a reader who is behind;
/// the rest is read from the disk.
const KEPT_ENVELOPES: u64 = 256;
const KEPT_BYTES: u64 = 256 * 1024;
/// Fewer reserved sequences than this are a reason to reserve more.
const RESERVE_BELOW: u64 = 2_048;
/// Ids of stored envelopes are looked at whenever so many sequences have been acknowledged.
const TRIM_EVERY: u64 = 1_024;

/// An envelope in memory.
#[derive(Debug)]
struct Held {
    sequence: Sequence,
    id: EnvelopeId,
    stored_secs: u64,
    body: Bytes,
    is_being_written: bool,
    /// Who waits until it is safe; none once it is on the disk.
    pending: Option<Pending>,
    /// Who has sent it again and waits as well.
    joined: Vec<Pending>,
}

impl Held {
    fn is_durable(&self) -> bool {
        self.pending.is_none()
    }

    fn take_pending(&mut self) -> impl Iterator<Item = Pending> {
        let joined = std::mem::take(&mut self.joined);
        self.pending.take().into_iter().chain(joined)
    }
}

/// Whether an envelope can be taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Admits {
    Yes,
    /// The mailbox knows its id.
    Known,
    Full,
    /// No sequence is reserved for it.
    NoSequence,
}

/// What is left of envelopes that were acknowledged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Acknowledged {
    /// Nothing.
    Forgotten,
    /// Something lies on the disk.
    OnDisk,
    /// Something lies on the disk, and has been said to do so before.
    Listed,
}

/// Envelopes of a mailbox that its device has stored and that lie on the disk.
#[derive(Debug, Clone, Copy)]
pub(super) struct Forgetting {
    pub(super) mailbox: i64,
    pub(super) up_to: Sequence,
    /// Whether it is time to look at the ids that are remembered.
    pub(super) trims: bool,
}

#[derive(Debug)]
pub(super) struct Mailbox {
    number: i64,
    /// The last sequence given out.
    last: Sequence,
    /// Up to here sequences may be given out.
    reserved: Sequence,
    pub(super) is_reserving: bool,
    acknowledged: Sequence,
    /// What lies on the disk up to here may go.
    forget_up_to: Option<Sequence>,
    is_forgetting: bool,
    /// Ids that are remembered were looked at when so much had been acknowledged.
    trimmed: Sequence,
    /// Whatever waits behind this is in `held`; whatever waits before it, on the disk.
    floor: Sequence,
    held: VecDeque<Held>,
    held_durable: Load,
    stored: Load,
    /// Not on the disk yet.
    waiting: Load,
    /// In a transaction that has not ended.
    in_transaction: u64,
    ids: FleetingIds,
    readers: Vec<Arc<Notify>>,
    /// What a reader has not had yet was let go.
    is_behind: bool,
}

impl Mailbox {
    pub(super) fn new(row: MailboxRow) -> Self {
        Self {
            number: row.number,
            last: row.last,
            reserved: row.last,
            is_reserving: false,
            acknowledged: 0,
            forget_up_to: None,
            is_forgetting: false,
            trimmed: 0,
            floor: row.last,
            held: VecDeque::new(),
            held_durable: Load::default(),
            stored: row.stored,
            waiting: Load::default(),
            in_transaction: 0,
            ids: FleetingIds::default(),
            readers: Vec::new(),
            is_behind: false,
        }
    }

    /// Whether nothing would be lost if it were read from the disk again.
    pub(super) fn is_idle(&self) -> bool {
        !self.is_attended()
            && self.held.is_empty()
            && self.in_transaction == 0
            && self.forget_up_to.is_none()
            && !self.is_forgetting
    }

    pub(super) fn admits(&self, id: EnvelopeId, body: &Bytes, quota: Quota) -> Admits {
        if self.ids.contains(id) && !planted::is("relay_takes_twice") {
            return Admits::Known;
        }
        let mut load = self.stored;
        load.add(self.waiting);
        load.add(Load::of(body));
        if load.envelopes > quota.envelopes || load.bytes > quota.bytes {
            Admits::Full
        } else if self.last == self.reserved {
            Admits::NoSequence
        } else {
            Admits::Yes
        }
    }

    /// Takes an envelope that was found to be admitted, and tells the reader.
    pub(super) fn put(
        &mut self,
        id: EnvelopeId,
        body: Bytes,
        stored_secs: u64,
        pending: Pending,
    ) -> Sequence {
        self.last += 1;
        self.ids.put(id);
        self.waiting.add(Load::of(&body));
        self.held.push_back(Held {
            sequence: self.last,
            id,
            stored_secs,
            body,
            is_being_written: false,
            pending: Some(pending),
            joined: Vec::new(),
        });
        for reader in &self.readers {
            reader.notify_one();
        }
        self.last
    }

    /// Lets somebody wait for an envelope that is known; it may be safe already.
    pub(super) fn join(&mut self, id: EnvelopeId, pending: Pending) {
        match self.held.iter_mut().find(|held| held.id == id) {
            Some(held) if !held.is_durable() => held.joined.push(pending),
            _ => pending.settle(),
        }
    }

    /// Learns that the disk knows this id; false if it was known.
    pub(super) fn know(&mut self, id: EnvelopeId) -> bool {
        let is_new = !self.ids.contains(id);
        if is_new {
            self.ids.put(id);
        }
        is_new
    }

    pub(super) fn wants_sequences(&self) -> bool {
        !self.is_reserving && self.reserved - self.last < RESERVE_BELOW
    }

    /// Sequences behind this one have been reserved.
    pub(super) fn reserve(&mut self, last: Sequence) {
        self.reserved = self.reserved.max(rows::reserved(last));
        self.is_reserving = false;
    }

    pub(super) fn is_attended(&self) -> bool {
        !self.readers.is_empty()
    }

    pub(super) fn attend(&mut self) -> Arc<Notify> {
        let arrivals = Arc::new(Notify::new());
        self.readers.push(Arc::clone(&arrivals));
        arrivals
    }

    /// A reader has left.
    pub(super) fn leave(&mut self, arrivals: &Arc<Notify>) {
        self.readers.retain(|reader| !Arc::ptr_eq(reader, arrivals));
        self.release();
    }

    /// What to write of an envelope; nothing if its device has acknowledged it.
    pub(super) fn write(&mut self, device: DeviceKey, sequence: Sequence) -> Option<EnvelopeRow> {
        let place = self.place(sequence)?;
        let held = self.held.get_mut(place)?;
        held.is_being_written = true;
        self.in_transaction += 1;
        Some(EnvelopeRow {
            device,
            mailbox: self.number,
            sequence,
            id: held.id,
            stored_secs: held.stored_secs,
            body: held.body.clone(),
        })
    }

    /// Its device has everything up to here. What is on its way to the disk counts once it goes from
    /// there.
    pub(super) fn acknowledge(&mut self, up_to: Sequence, tally: &mut Tally) -> Acknowledged {
        let up_to = if planted::is("acknowledges_all") {
            self.last
        } else {
            up_to.min(self.last)
        };
        if up_to <= self.acknowledged {
            // What was acknowledged before may be on its way still.
            return if self.is_forgetting || self.forget_up_to.is_some() {
                self.forget_later(up_to)
            } else {
                Acknowledged::Forgotten
            };
        }
        self.acknowledged = up_to;
        while let Some(mut held) = self.held.pop_front_if(|held| held.sequence <= up_to) {
            let load = Load::of(&held.body);
            if held.is_durable() {
                self.held_durable.subtract(load);
            } else {
                self.waiting.subtract(load);
                tally.acknowledged += u64::from(!held.is_being_written);
                held.take_pending().for_each(Pending::settle);
            }
        }
        self.floor = self.floor.max(up_to);
        if self.stored.envelopes == 0 && self.in_transaction == 0 {
            return Acknowledged::Forgotten;
        }
        self.forget_later(up_to)
    }

    /// What lies on the disk up to here may go.
    pub(super) fn forget_later(&mut self, up_to: Sequence) -> Acknowledged {
        let listed = self.forget_up_to;
        self.forget_up_to = listed.max(Some(up_to));
        match listed {
            None => Acknowledged::OnDisk,
            Some(_) => Acknowledged::Listed,
        }
    }

    /// What is to go from the disk now.
    pub(super) fn take_forgetting(&mut self) -> Option<Forgetting> {
        let up_to = self.forget_up_to.take()?;
        self.is_forgetting = true;
        let trims = up_to / TRIM_EVERY > self.trimmed / TRIM_EVERY;
        if trims {
            self.trimmed = up_to;
        }
        Some(Forgetting {
            mailbox: self.number,
            up_to,
            trims,
        })
    }

    /// An envelope has become durable; `row` is what the disk has more by that, nothing if the
    /// mailbox had it already.
    pub(super) fn written(&mut self, sequence: Sequence, row: Load, tally: &mut Tally) {
        self.in_transaction -= 1;
        self.stored.add(row);
        tally.duplicates += 1 - row.envelopes;
        // Its device may have acknowledged it while it was being written.
        if let Some(held) = self
            .place(sequence)
            .and_then(|place| self.held.get_mut(place))
        {
            let load = Load::of(&held.body);
            self.waiting.subtract(load);
            self.held_durable.add(load);
            held.take_pending().for_each(Pending::settle);
            if !self.readers.is_empty() {
                // A small body must not hold on to the buffer with which it was received.
                held.body = Bytes::copy_from_slice(&held.body);
            }
        }
        let is_behind = self.release() && self.is_attended();
        tally.slow_readers += u64::from(is_behind && !self.is_behind);
        self.is_behind |= is_behind;
    }

    /// An envelope could not be stored: it is as if it had never come, but for its sequence.
    pub(super) fn lost(&mut self, sequence: Sequence) {
        self.in_transaction -= 1;
        let place = self.place(sequence);
        if let Some(mut held) = place.and_then(|place| self.held.remove(place)) {
            self.waiting.subtract(Load::of(&held.body));
            self.ids.forget(held.id);
            held.take_pending().for_each(Pending::fail);
        }
    }

    /// Lets go of what lies on the disk, but for what a reader is about to get; true if something
    /// went.
    fn release(&mut self) -> bool {
        let (most, bytes) = if self.is_attended() {
            (KEPT_ENVELOPES, KEPT_BYTES)
        } else {
            (0, 0)
        };
        let before = self.floor;
        while (self.held_durable.envelopes > most || self.held_durable.bytes > bytes)
            && let Some(held) = self.held.pop_front_if(|held| held.is_durable())
        {
            self.floor = held.sequence;
            self.held_durable.subtract(Load::of(&held.body));
        }
        self.floor > before
    }

    /// The disk has let go of envelopes.
    pub(super) fn forgotten(&mut self, load: Load) {
        self.stored.subtract(load);
    }

    /// The disk has let go of what was to go, or failed to.
    pub(super) fn end_forgetting(&mut self) {
        self.is_forgetting = false;
    }

    /// The envelopes behind this sequence if all of them are in memory; otherwise behind which and
    /// up to which sequence to ask the disk.
    pub(super) fn read(
        &mut self,
        after: Sequence,
        envelopes: u32,
        bytes: usize,
    ) -> Result<Vec<Delivery>, (Sequence, Sequence)> {
        let after = after.max(self.acknowledged);
        if after < self.floor {
            return Err((after, self.floor));
        }
        self.is_behind = false;
        let from = self.held.partition_point(|held| held.sequence <= after);
        let mut read = Vec::new();
        let mut size = 0;
        for held in self.held.range(from..).take(envelopes as usize) {
            if size >= bytes {
                break;
            }
            size += held.body.len();
            read.push(Delivery {
                sequence: held.sequence,
                id: held.id,
                body: held.body.clone(),
            });
        }
        Ok(read)
    }

    /// Where this sequence is in `held`.
    fn place(&self, sequence: Sequence) -> Option<usize> {
        self.held
            .binary_search_by_key(&sequence, |held| held.sequence)
            .ok()
    }
}
