//! A relay that means harm: what it does to an honest store beneath it, in any combination, until
//! it becomes honest (`R` numbers as in tests/README.md).

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use rand::RngExt as _;
use rand::rngs::StdRng;
use rand::seq::IndexedRandom as _;
use sotto_net::wire::{Delivery, DeviceKey, Entry, EnvelopeId, Mark, StoreId};
use sotto_relay::store::{Admission, Append, Claiming, TakenBundle};

use super::identities::Impostor;

/// Something that it does now and then.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Deed {
    /// Envelopes come again, under their own id or another, also first ones (R1, R20).
    Replay,
    /// An envelope comes behind those that follow it, in its conversation and others (R2).
    Reorder,
    /// One is acknowledged and gone (R3, R15).
    Drop,
    /// Another identity is behind a handle, for some and not for others (R5, R13).
    Impostor,
    /// As that, and already when people hear of each other (R4).
    EarlyImpostor,
    /// Bundles hold prekeys of others (R6).
    MixPrekeys,
    /// Bundles are cut, changed or of another version (R7).
    SpoilPrekeys,
    /// Bundles come without a one-time prekey (R14).
    WithholdPrekeys,
    /// Bits of an envelope are flipped, or its end is that of another one (R9).
    Alter,
    /// An envelope goes to somebody else as well, its author perhaps (R10, R11, R16).
    Misdeliver,
    /// A mailbox begins somewhere else, in a store that nobody knows (R16).
    MoveCursor,
    /// Answers take long (R18).
    Dawdle,
    /// Marks are those of another state (R22).
    SwapMarks,
}

impl Deed {
    const ALL: [Self; 13] = [
        Self::Replay,
        Self::Reorder,
        Self::Drop,
        Self::Impostor,
        Self::EarlyImpostor,
        Self::MixPrekeys,
        Self::SpoilPrekeys,
        Self::WithholdPrekeys,
        Self::Alter,
        Self::Misdeliver,
        Self::MoveCursor,
        Self::Dawdle,
        Self::SwapMarks,
    ];
}

/// How long an answer takes at most.
const DAWDLING_MAX: Duration = Duration::from_secs(20);
/// Envelopes that are remembered, to come again.
const SEEN_MAX: usize = 256;

/// Through all lives of the relay.
#[derive(Clone)]
pub(super) struct Malice(Arc<Mutex<State>>);

struct State {
    chance: StdRng,
    deeds: BTreeSet<Deed>,
    /// Everybody knows everybody: whoever is shown an impostor now can tell.
    are_acquainted: bool,
    seen: Vec<(DeviceKey, EnvelopeId, Bytes)>,
    held: Vec<Append>,
    devices: BTreeSet<DeviceKey>,
    /// The identities that were claimed.
    claimed: BTreeSet<Bytes>,
    marks: Vec<Option<Mark>>,
    /// What envelopes are given out under, if it is not their id.
    aliases: HashMap<EnvelopeId, EnvelopeId>,
    /// Envelopes that went on as they were.
    passed: HashSet<EnvelopeId>,
    /// Those that open nowhere, and whose devices have got some.
    spoilt: HashMap<EnvelopeId, Append>,
    served: BTreeSet<DeviceKey>,
    owners: BTreeMap<String, DeviceKey>,
    /// People may have met the impostor before anybody else.
    is_impostor_first: bool,
    /// Envelopes for the impostor, from people who knew better.
    betrayals: u64,
}

/// What becomes of an envelope.
#[derive(Default)]
pub(super) struct Fate {
    /// In this order, and the last one is answered for; if there is none, it is all the same said
    /// to be stored.
    pub(super) appends: Vec<Append>,
    pub(super) is_answered_for: bool,
}

impl Malice {
    /// One that is honest until it is told otherwise.
    pub(super) fn new(chance: StdRng) -> Self {
        Self(Arc::new(Mutex::new(State {
            chance,
            deeds: BTreeSet::new(),
            are_acquainted: false,
            seen: Vec::new(),
            held: Vec::new(),
            devices: BTreeSet::new(),
            claimed: BTreeSet::new(),
            marks: Vec::new(),
            aliases: HashMap::new(),
            passed: HashSet::new(),
            spoilt: HashMap::new(),
            served: BTreeSet::new(),
            owners: BTreeMap::new(),
            is_impostor_first: false,
            betrayals: 0,
        })))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Does some of it from now on; gives what.
    pub(super) fn begin(&self) -> Vec<Deed> {
        let mut state = self.state();
        let deeds = state.chance.random_range(1..=4);
        let deeds: Vec<Deed> = Deed::ALL
            .sample(&mut state.chance, deeds)
            .copied()
            .collect();
        state.deeds = deeds.iter().copied().collect();
        state.is_impostor_first = deeds.contains(&Deed::EarlyImpostor);
        deeds
    }

    /// Everybody knows everybody from now on.
    pub(super) fn acquaint(&self) {
        self.state().are_acquainted = true;
    }

    /// Does none of it any more.
    pub(super) fn become_honest(&self) {
        self.state().deeds.clear();
    }

    /// Whether the device with this handle was given an envelope that opens nowhere.
    pub(super) fn has_spoilt(&self, handle: &str) -> bool {
        let state = self.state();
        let owner = state.owners.get(handle);
        owner.is_some_and(|device| state.served.contains(device))
    }

    /// How many envelopes went to the impostor from people who knew better.
    pub(super) fn betrayals(&self) -> u64 {
        self.state().betrayals
    }

    /// A device claims a handle.
    pub(super) fn claim(&self, claiming: &Claiming) {
        let (handle, device) = (claiming.handle.clone(), claiming.device);
        self.state().owners.insert(handle, device);
    }

    /// A device has logged in: where its mailbox begins.
    pub(super) fn admit(&self, device: DeviceKey, admission: Admission) -> Admission {
        let mut state = self.state();
        state.devices.insert(device);
        let after = if state.does(Deed::MoveCursor) {
            let ahead = state.chance.random_range(0..4);
            *[0, admission.after + ahead]
                .choose(&mut state.chance)
                .unwrap_or(&0)
        } else {
            admission.after
        };
        Admission { after, ..admission }
    }

    /// The life of the store.
    pub(super) fn store_id(&self, id: StoreId) -> StoreId {
        let mut state = self.state();
        if state.does(Deed::MoveCursor) {
            StoreId(state.chance.random())
        } else {
            id
        }
    }

    /// How long an answer takes.
    pub(super) fn dawdle(&self) -> Option<Duration> {
        let mut state = self.state();
        state
            .does(Deed::Dawdle)
            .then(|| DAWDLING_MAX.mul_f64(state.chance.random()))
    }

    /// What becomes of an envelope.
    pub(super) fn fate(&self, append: Append) -> Fate {
        self.state().fate(append)
    }

    /// What a device is given.
    pub(super) fn give(&self, device: DeviceKey, deliveries: Vec<Delivery>) -> Vec<Delivery> {
        let mut state = self.state();
        let given = deliveries.into_iter().map(|delivery| {
            if state.spoilt.contains_key(&delivery.id) {
                state.served.insert(device);
            }
            let alias = state.aliases.get(&delivery.id);
            let id = alias.copied().unwrap_or(delivery.id);
            Delivery { id, ..delivery }
        });
        given.collect()
    }

    /// A line of the directory.
    pub(super) fn entry(&self, entry: Entry) -> Entry {
        self.state().entry(entry)
    }

    /// Whose prekeys to hand out: those signed, and those to be used once.
    pub(super) fn whose_prekeys(&self, device: DeviceKey) -> (DeviceKey, DeviceKey) {
        let mut state = self.state();
        let mut whose = || {
            let others: Vec<DeviceKey> = state.devices.iter().copied().collect();
            let other = state
                .does(Deed::MixPrekeys)
                .then(|| others.choose(&mut state.chance));
            other.flatten().copied().unwrap_or(device)
        };
        (whose(), whose())
    }

    /// What is handed out.
    pub(super) fn bundle(&self, bundle: TakenBundle) -> TakenBundle {
        self.state().bundle(bundle)
    }

    /// The mark that was left the last time.
    pub(super) fn mark(&self, mark: Option<Mark>) -> Option<Mark> {
        let mut state = self.state();
        state.marks.push(mark);
        if !state.does(Deed::SwapMarks) {
            return mark;
        }
        if state.chance.random() {
            return Some(Mark(state.chance.random()));
        }
        let state = &mut *state;
        state.marks.choose(&mut state.chance).copied().flatten()
    }
}

impl State {
    /// Whether it does this now.
    fn does(&mut self, deed: Deed) -> bool {
        self.deeds.contains(&deed) && self.chance.random_bool(0.3)
    }

    fn fate(&mut self, mut append: Append) -> Fate {
        let mut fate = Fate::default();
        if self.deeds.is_empty() {
            fate.appends = std::mem::take(&mut self.held);
        }
        let Some((device, body)) = append.targets.first().cloned() else {
            return fate;
        };
        if device == Impostor::get().device {
            self.betrayals += u64::from(self.are_acquainted && !self.is_impostor_first);
            return fate;
        }
        if let Some(spoilt) = self.spoilt.get(&append.id) {
            // It is repeated, because its sender has heard nothing.
            fate.appends.push(spoilt.clone());
            fate.is_answered_for = true;
            return fate;
        }
        if self.seen.len() < SEEN_MAX {
            self.seen.push((device, append.id, body.clone()));
        }
        if self.does(Deed::Replay)
            && let Some((device, id, body)) = self.seen.choose(&mut self.chance).cloned()
        {
            let again = self.another(&append, device, body);
            if self.chance.random() {
                self.aliases.insert(again.id, id);
            }
            fate.appends.push(again);
        }
        if self.does(Deed::Misdeliver) {
            let devices: Vec<DeviceKey> = self.devices.iter().copied().collect();
            let others = devices.iter().filter(|other| **other != device);
            let others: Vec<_> = others.copied().collect();
            if let Some(other) = others.choose(&mut self.chance) {
                let stray = self.another(&append, *other, body.clone());
                self.spoilt.insert(stray.id, stray.clone());
                fate.appends.push(stray);
            }
        }
        if self.does(Deed::Drop) {
            return fate;
        }
        if !self.passed.contains(&append.id) && self.does(Deed::Alter) {
            append.targets = vec![(device, self.altered(&body))];
            self.spoilt.insert(append.id, append.clone());
        } else {
            self.passed.insert(append.id);
        }
        if self.does(Deed::Reorder) {
            self.held.push(append);
            return fate;
        }
        fate.appends.push(append);
        fate.is_answered_for = true;
        if self.does(Deed::Reorder) {
            fate.is_answered_for = false;
            fate.appends.append(&mut self.held);
        }
        fate
    }

    /// An envelope of its own.
    fn another(&mut self, like: &Append, device: DeviceKey, body: Bytes) -> Append {
        Append {
            id: EnvelopeId(self.chance.random()),
            targets: vec![(device, body)],
            ..like.clone()
        }
    }

    fn altered(&mut self, body: &[u8]) -> Bytes {
        let other = self.seen.choose(&mut self.chance);
        let other = other.map_or_else(Bytes::new, |(_, _, body)| body.clone());
        let mut altered = body.to_vec();
        let at = self.chance.random_range(0..body.len().max(1));
        match self.chance.random_range(0..4) {
            // It may be its own tail.
            0 if *other != *body => {
                altered.truncate(at);
                altered.extend(other.get(at..).unwrap_or_default());
                if altered == *other || altered == *body {
                    altered.push(0);
                }
            }
            1 => altered.truncate(at),
            2 => altered.push(self.chance.random()),
            _ => {
                if let Some(byte) = altered.get_mut(at) {
                    *byte ^= 1 << self.chance.random_range(0..8);
                }
            }
        }
        altered.into()
    }

    fn entry(&mut self, entry: Entry) -> Entry {
        let Some(identity) = entry.identity.clone() else {
            return entry;
        };
        self.claimed.insert(identity.clone());
        let lies = if self.are_acquainted {
            self.does(Deed::Impostor) || self.does(Deed::EarlyImpostor)
        } else {
            self.does(Deed::EarlyImpostor)
        };
        if !lies {
            return entry;
        }
        let mut others = vec![Impostor::get().identity.clone()];
        if !self.is_impostor_first {
            others.extend(self.claimed.iter().cloned());
        }
        let identity = others.choose(&mut self.chance).cloned();
        Entry { identity, ..entry }
    }

    fn bundle(&mut self, mut bundle: TakenBundle) -> TakenBundle {
        if self.does(Deed::WithholdPrekeys) {
            bundle.one_time = None;
        }
        if self.does(Deed::SpoilPrekeys) {
            match self.chance.random_range(0..4) {
                0 => bundle.one_time = None,
                1 => bundle.signed = self.altered(&bundle.signed.clone()),
                2 => bundle.one_time = bundle.one_time.map(|record| self.altered(&record)),
                _ => bundle.one_time = Some(bundle.signed.clone()),
            }
        }
        bundle
    }
}
