//! What the relay's store has promised, and whether a folder keeps it.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use rand::rngs::StdRng;
use rand::seq::IteratorRandom as _;
use sotto_net::wire::Delivery;
use sotto_relay::{Inspection, SqliteStore, Store};

use crate::storage::cut::Witness;
use crate::storage::load::{self, Load, STORE, Step};
use crate::storage::state::{MAILBOXES, Mailbox, State, expected};

/// An envelope that no load sends.
const NEW: u32 = u32::MAX;
/// Envelopes of each mailbox that are sent once more after a fault.
const REPEATED: usize = 12;

/// The notes of a load up to a moment.
#[derive(Debug, Clone)]
pub struct Ledger {
    load: Load,
    /// Whether the disk fails now and then.
    fails: bool,
    steps: Arc<[Step]>,
    /// The store's lives: another one each time that it was opened.
    lives: Vec<String>,
    /// What it may have held when the last step was answered. More than one where a transaction
    /// that was declined may have come back from the journal when the store was opened again.
    possible: Vec<State>,
    /// Steps behind, of which nobody knows: under way, or declined and in the journal perhaps.
    behind: Vec<usize>,
    /// Acknowledgements that were declined in this life of the store.
    loose: Vec<usize>,
    /// Steps that were begun.
    asked: usize,
    /// Answers, in order.
    ends: Vec<String>,
    /// Sequences of each mailbox with their envelopes.
    given: [BTreeMap<u64, u32>; MAILBOXES],
    /// Notes that say something that must never be.
    broken: Option<String>,
}

impl Ledger {
    /// A ledger without notes, of a load on a disk that works or fails now and then.
    pub fn new(load: Load, fails: bool) -> Self {
        Self {
            load,
            fails,
            steps: load.steps().into(),
            lives: Vec::new(),
            possible: vec![State::default()],
            behind: Vec::new(),
            loose: Vec::new(),
            asked: 0,
            ends: Vec::new(),
            given: Default::default(),
            broken: None,
        }
    }

    /// Answers in their order, with their steps.
    pub fn ends(&self) -> impl Iterator<Item = (&Step, &str)> {
        self.steps.iter().zip(self.ends.iter().map(String::as_str))
    }

    /// Steps that were begun.
    pub fn asked(&self) -> usize {
        self.asked
    }

    fn read(&mut self, mark: &str) -> Option<()> {
        let (word, rest) = mark.split_once(' ').unwrap_or((mark, ""));
        match word {
            "opened" => {
                self.possible = self.come_back();
                self.behind.clear();
                self.loose.clear();
                let is_new = !self.lives.iter().any(|life| life == rest);
                self.lives.push(rest.to_owned());
                is_new.then_some(())
            }
            "unopened" | "closed" => Some(()),
            "ask" | "skip" => {
                let at: usize = rest.parse().ok()?;
                // Steps of a life in which the store could not be opened are passed over.
                self.asked = at + 1;
                if word == "ask" {
                    self.behind.push(at);
                }
                Some(())
            }
            "end" => {
                let (at, answer) = rest.split_once(' ')?;
                let at: usize = at.parse().ok()?;
                (at >= self.ends.len() && at < self.asked).then_some(())?;
                self.ends.resize(at, "skipped".to_owned());
                self.ends.push(answer.to_owned());
                self.answer(at, answer)
            }
            "given" => {
                let mut words = rest.split(' ');
                let mailbox: usize = words.next()?.parse().ok()?;
                let sequence: u64 = words.next()?.parse().ok()?;
                let envelope: u32 = words.next()?.parse().ok()?;
                let given = self.given.get_mut(mailbox)?;
                let last = given.last_key_value().map(|(last, _)| *last);
                (Some(sequence) > last && sequence > 0).then_some(())?;
                given.insert(sequence, envelope);
                Some(())
            }
            _ => None,
        }
    }

    fn answer(&mut self, at: usize, answer: &str) -> Option<()> {
        if answer == "Unavailable" {
            if matches!(self.steps.get(at), Some(Step::Acknowledge { .. })) {
                self.behind.retain(|it| *it != at);
                self.loose.push(at);
                self.let_go();
            }
            return self.fails.then_some(());
        }
        self.behind.retain(|it| *it != at);
        if self.fails && answer == "MailboxFull" {
            // The room may have been taken by others that were then declined.
            return Some(());
        }
        let step = self.steps.get(at)?;
        let before = self.possible.clone();
        self.possible
            .retain_mut(|state| state.carry_out(step) == answer);
        if self.possible != before {
            // This commit has the place in the journal where a declined one may have been.
            self.behind.retain(|it| *it > at);
        }
        self.let_go();
        (!self.possible.is_empty()).then_some(())
    }

    /// What an acknowledgement lets go of may go with any later write, though it was declined.
    fn let_go(&mut self) {
        for at in self.loose.clone() {
            for mut state in self.possible.clone() {
                self.carry_out(at, &mut state);
                if !self.possible.contains(&state) {
                    self.possible.push(state);
                }
            }
        }
    }

    /// What the store may hold: what is certain, and perhaps some of the steps of which nobody
    /// knows. What was declined has no right to be there, and does no harm.
    fn candidates(&self) -> Vec<State> {
        let open = self.behind.iter().position(|at| *at >= self.ends.len());
        let open = open.and_then(|first| self.behind.get(first..));
        let mut candidates = self.possible.clone();
        for certain in &self.possible {
            if !self.fails {
                // Later writes are never there without the earlier ones.
                self.extend(certain, &self.behind, &mut candidates);
                continue;
            }
            // A transaction that is in the journal, whatever was answered.
            for start in 0..self.behind.len() {
                let run = self.behind.get(start..).unwrap_or_default();
                self.extend(certain, run, &mut candidates);
            }
            // A transaction that failed among others of which no answer has been noted yet.
            let mut before = certain.clone();
            for (place, at) in open.unwrap_or_default().iter().enumerate() {
                self.carry_out(*at, &mut before);
                for start in place + 2..=open.map_or(0, <[_]>::len) {
                    let run = open.and_then(|open| open.get(start..)).unwrap_or_default();
                    self.extend(&before, run, &mut candidates);
                }
            }
        }
        candidates
    }

    fn carry_out(&self, at: usize, state: &mut State) {
        if let Some(step) = self.steps.get(at) {
            state.carry_out(step);
        }
    }

    /// Adds what comes of a state by the first of these steps, by the first two, and so on.
    fn extend(&self, state: &State, steps: &[usize], candidates: &mut Vec<State>) {
        let mut state = state.clone();
        for at in steps {
            self.carry_out(*at, &mut state);
            candidates.push(state.clone());
        }
    }

    /// What the store may hold when it is opened again: the last transaction, though declined,
    /// can be in the journal, where it has the place of the others.
    fn come_back(&self) -> Vec<State> {
        let mut possible = self.possible.clone();
        for certain in &self.possible {
            for start in 0..self.behind.len() {
                let mut state = certain.clone();
                for at in self.behind.iter().skip(start) {
                    self.carry_out(*at, &mut state);
                }
                if !possible.contains(&state) {
                    possible.push(state);
                }
            }
        }
        possible
    }

    /// What waits in each mailbox, with its bodies as they should be.
    async fn waiting(&self, store: &SqliteStore) -> Result<Vec<Vec<Delivery>>, String> {
        let mut all = Vec::new();
        for mailbox in 0..MAILBOXES {
            let mut waiting: Vec<Delivery> = Vec::new();
            loop {
                let after = waiting.last().map_or(0, |delivery| delivery.sequence);
                let read = store.read(load::device(mailbox), after, u32::MAX, usize::MAX);
                let read = read.await.map_err(|error| error.to_string())?;
                if read.is_empty() {
                    break;
                }
                waiting.extend(read);
            }
            let mut last = 0;
            for delivery in &waiting {
                let envelope = load::number(delivery.id);
                if delivery.sequence <= last {
                    return Err(format!("sequence {} after {last}", delivery.sequence));
                }
                last = delivery.sequence;
                if delivery.body != self.load.body(envelope) {
                    return Err(format!("envelope {envelope} holds something else"));
                }
                let given = self.given.get(mailbox).and_then(|given| given.get(&last));
                if given.is_some_and(|given| *given != envelope) {
                    return Err(format!("sequence {last} of mailbox {mailbox} came back"));
                }
            }
            all.push(waiting);
        }
        Ok(all)
    }

    async fn look(&self, store: &SqliteStore, chance: &mut StdRng) -> Result<(), String> {
        let unavailable = |error: sotto_relay::store::Declined| error.to_string();
        let mut candidates = self.candidates();
        let certain = self.possible.first().cloned().unwrap_or_default();

        let waiting = self.waiting(store).await?;
        let mailboxes = store.usage().await.map_err(unavailable)?.mailboxes;
        let mut handles: BTreeMap<String, String> = BTreeMap::new();
        for entry in store.list().await.map_err(unavailable)? {
            handles.insert(entry.handle, entry.name);
        }
        candidates.retain(|state| {
            let numbers = |waiting: &[Delivery]| -> Vec<u32> {
                waiting
                    .iter()
                    .map(|delivery| load::number(delivery.id))
                    .collect()
            };
            let same = |(mailbox, waiting): (usize, &Vec<Delivery>)| {
                state.waiting(mailbox).eq(numbers(waiting))
            };
            let named = state
                .handles
                .iter()
                .map(|(handle, (_, name))| (handle, name));
            let given = self.given.iter().enumerate();
            state.mailboxes.iter().flatten().count() as u64 == mailboxes
                && waiting.iter().enumerate().all(same)
                && named.eq(handles.iter())
                // The store speaks of an envelope only once it is durable.
                && given.clone().all(|(mailbox, given)| {
                    let known = state.mailbox(mailbox).map(|mailbox| &mailbox.known);
                    given.values().all(|it| known.is_some_and(|known| known.contains(it)))
                })
        });
        if candidates.is_empty() {
            let waiting: Vec<Vec<u32>> = waiting
                .iter()
                .map(|it| it.iter().map(|it| load::number(it.id)).collect())
                .collect();
            let promised: Vec<Vec<u32>> = (0..MAILBOXES)
                .map(|mailbox| certain.waiting(mailbox).collect())
                .collect();
            return Err(format!(
                "{} steps answered, {} begun; {waiting:?} wait, promised are {promised:?}; \
                 {mailboxes} mailboxes, handles {handles:?}, promised {:?}",
                self.ends.len(),
                self.asked,
                certain.handles,
            ));
        }
        for (mailbox, found) in waiting.iter().enumerate() {
            let Some(certain) = certain.mailbox(mailbox) else {
                continue;
            };
            let (bundles, again) = self
                .probe(store, mailbox, certain, &candidates, chance)
                .await?;
            candidates.retain(|state| {
                state
                    .mailbox(mailbox)
                    .is_some_and(|mailbox| expected(mailbox, bundles.len()) == bundles)
            });
            if candidates.is_empty() {
                return Err(format!(
                    "mailbox {mailbox} gave the bundles {bundles:?}, of {certain:?}"
                ));
            }
            let (new, old) = again.split_last().ok_or("nothing is stored any more")?;
            if old != found || load::number(new.id) != NEW {
                return Err(format!("a repeated envelope was stored again: {again:?}"));
            }
            let given = self
                .given
                .get(mailbox)
                .and_then(|given| given.last_key_value());
            let last = given.map_or(0, |(last, _)| *last);
            if new.sequence <= last {
                return Err(format!(
                    "sequence {} was given out after {last}",
                    new.sequence
                ));
            }
        }
        Ok(())
    }

    /// Takes all bundles after publishing again what was taken, stores what is known once more,
    /// and something new. Gives the bundles, and what then waits.
    async fn probe(
        &self,
        store: &SqliteStore,
        mailbox: usize,
        certain: &Mailbox,
        candidates: &[State],
        chance: &mut StdRng,
    ) -> Result<(Vec<String>, Vec<Delivery>), String> {
        let unavailable = |error: sotto_relay::store::Declined| error.to_string();
        let device = load::device(mailbox);
        let taken = certain.taken.iter().copied().map(load::prekey).collect();
        let published = store.publish(device, None, taken).await;
        let left = candidates.iter().filter_map(|state| state.mailbox(mailbox));
        let left = left
            .map(|mailbox| mailbox.one_time.len())
            .max()
            .unwrap_or(0);
        let mut bundles = Vec::new();
        for _ in 0..=left {
            bundles.push(store.take_bundle(device, true).await);
        }
        let is_certain = |envelope: &u32| {
            let mut states = self.possible.iter().map(|state| state.mailbox(mailbox));
            states.all(|mailbox| mailbox.is_some_and(|it| it.known.contains(envelope)))
        };
        let known = certain.known.iter().copied().filter(is_certain);
        let repeated = known.sample(chance, REPEATED);
        let mut appended = Vec::new();
        for envelope in repeated.into_iter().chain([NEW]) {
            let step = Step::Append {
                envelope,
                targets: vec![mailbox],
                quota: u64::MAX >> 1,
                stored_secs: 0,
            };
            appended.push(store.append(load::append(&self.load, &step)).await);
        }
        published.await.map_err(unavailable)?;
        let mut answers = Vec::new();
        for bundle in bundles {
            answers.push(match bundle.await {
                Ok(bundle) => load::bundle_words(&bundle),
                Err(declined) => format!("{declined:?}"),
            });
        }
        for append in appended {
            append.await.map_err(unavailable)?;
        }
        let again = store.read(device, 0, u32::MAX, usize::MAX).await;
        Ok((answers, again.map_err(unavailable)?))
    }
}

impl Witness for Ledger {
    fn note(&mut self, mark: &str) {
        if self.read(mark).is_none() && self.broken.is_none() {
            self.broken = Some(format!("{mark} must not be"));
        }
    }

    fn check(&self, folder: &Path, chance: &mut StdRng) -> Result<(), String> {
        if let Some(broken) = &self.broken {
            return Err(broken.clone());
        }
        let folder = folder.join(STORE);
        let store = SqliteStore::open(&folder).map_err(|error| format!("{error:?}"))?;
        let id = format!("{:032x}", u128::from_be_bytes(store.id().0));
        if self.lives.contains(&id) {
            return Err("it goes on with a life that has ended".to_owned());
        }
        let runtime = tokio::runtime::Builder::new_current_thread()
            .build()
            .map_err(|error| error.to_string())?;
        runtime.block_on(self.look(&store, chance))?;
        drop(store);
        Inspection::open(&folder)
            .and_then(|inspection| inspection.check())
            .map_err(|error| format!("{error:?}"))
    }
}
