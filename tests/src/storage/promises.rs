//! What the clients of two people who talk have promised, to the people and to each other, and
//! whether their disks keep it.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::time::{Duration, Instant};

use rand::RngExt as _;
use rand::rngs::StdRng;
use sotto_client::view::{MessageKey, ProfileId, ProfileState};
use sotto_client::{AskError, Entry, identities};

use crate::storage::cut::Witness;
use crate::storage::talk::{self, PEOPLE, RELAY, number};
use crate::{Desk, Host, ask};

/// Until then everything has arrived, or never will.
const DEADLINE: Duration = Duration::from_secs(30);
/// What both say when all is well again, after this number.
const AFTERWARDS: u64 = 1 << 32;

/// Promises up to a moment.
#[derive(Debug, Clone)]
pub struct Promises {
    /// Of so many folders one is looked at with a relay; the others by themselves.
    together: u32,
    people: BTreeMap<String, Promised>,
    /// A note that says something that must never be.
    broken: Option<String>,
}

/// What was promised to one person.
#[derive(Debug, Clone)]
struct Promised {
    /// There is an identity.
    is_made: bool,
    /// The number of the newest message that was to be sent.
    asked: Option<u64>,
    /// Messages that were taken, with their ids.
    said: BTreeMap<u64, String>,
    /// Messages of the peer that were shown.
    got: BTreeSet<u64>,
    /// How far own messages have come, by their ids.
    states: BTreeMap<String, u8>,
    /// What was read for certain, and what was to be read.
    read: [Option<u64>; 2],
    /// What may be in the draft.
    drafts: Vec<String>,
}

impl Promises {
    /// No promises yet. Of so many folders one is looked at with a relay.
    pub fn new(together: u32) -> Self {
        let nothing = Promised {
            is_made: false,
            asked: None,
            said: BTreeMap::new(),
            got: BTreeSet::new(),
            states: BTreeMap::new(),
            read: [None; 2],
            drafts: vec![String::new()],
        };
        let people = PEOPLE.map(|(who, _)| (who.to_owned(), nothing.clone()));
        Self {
            together,
            people: people.into(),
            broken: None,
        }
    }

    fn read(&mut self, mark: &str) -> Option<()> {
        let mut words = mark.split(' ');
        let (word, who) = (words.next()?, words.next()?);
        let person = self.people.get_mut(who)?;
        let mut number = || words.next()?.parse::<u64>().ok();
        match word {
            "ready" => person.is_made = true,
            "say" => {
                person.asked = Some(number()?);
                person.drafts.push(String::new());
            }
            "said" => {
                let number = number()?;
                person.said.insert(number, words.next()?.to_owned());
                person.drafts = vec![String::new()];
            }
            "got" => person.got.insert(number()?).then_some(())?,
            "state" => {
                let id = words.next()?.to_owned();
                let state = person.states.entry(id).or_default();
                *state = words.next()?.parse::<u8>().ok()?.max(*state);
            }
            "reading" => person.read[1] = number(),
            "read" => person.read[0] = number(),
            "type" => person.drafts.push(number()?.to_string()),
            "typed" => person.drafts = vec![number()?.to_string()],
            _ => return None,
        }
        Some(())
    }
}

impl Promised {
    /// Looks at what a vault holds.
    fn look(&self, desk: &Desk, who: &str, peer: &str) -> Result<(), String> {
        let (client, profile) = (desk.client(), ProfileId::new(who));
        let error = |error: AskError| format!("{who} is not answered: {error}");
        let entries = history(desk, who, peer)?;
        let numbers = |is_mine: bool| -> Vec<u64> {
            let of_author = entries.iter().filter(|it| it.message.is_mine == is_mine);
            of_author.filter_map(number).collect()
        };
        let (own, others) = (numbers(true), numbers(false));
        for numbers in [&own, &others] {
            if !numbers.is_sorted_by(|a, b| a < b) {
                return Err(format!("{who} has {numbers:?}: not in order, or twice"));
            }
        }
        if let Some(lost) = self.said.keys().find(|number| !own.contains(number)) {
            return Err(format!("{who} has lost {lost} of its own, and has {own:?}"));
        }
        if own.last() > self.asked.as_ref() {
            return Err(format!("{who} never wrote {:?}", own.last()));
        }
        if let Some(lost) = self.got.iter().find(|number| !others.contains(number)) {
            return Err(format!("{who} has lost {lost}, and has {others:?}"));
        }
        for (id, state) in &self.states {
            let entry = entries.iter().find(|entry| entry.id.to_string() == *id);
            let held = entry.map(|entry| entry.message.delivery);
            if held.is_none_or(|held| (held as u8) < *state) {
                return Err(format!("{id} of {who} was at {state}, and is {held:?}"));
            }
        }
        let unread = ask(client.unread(&profile, MessageKey(0), usize::MAX)).map_err(error)?;
        let unread: Vec<u64> = unread.iter().filter_map(number).collect();
        let [read, reading] = self.read;
        let is_wrong = |number: &u64| {
            let is_unread = unread.contains(number);
            is_unread && Some(*number) <= read || !is_unread && Some(*number) > reading.max(read)
        };
        if let Some(wrong) = others.iter().find(|number| is_wrong(number)) {
            return Err(format!(
                "{who} has read {read:?}, wanted {reading:?}, and has {wrong} the other way"
            ));
        }
        let chats = ask(client.contacts(&profile)).map_err(error)?;
        let draft = chats.into_iter().find(|row| row.handle == peer);
        let draft = draft.map(|row| row.draft).unwrap_or_default();
        if !self.drafts.contains(&draft) {
            return Err(format!("{who} typed {:?}, and has {draft:?}", self.drafts));
        }
        Ok(())
    }
}

/// Lets both meet at the relay of this disk, and looks at what comes of it.
fn meet(disk: &Path, desks: &[Desk]) -> Result<(), String> {
    let host = Host::start(&disk.join(RELAY));
    for (desk, (who, peer)) in desks.iter().zip(PEOPLE) {
        desk.relay.send_replace(Some(host.invite()));
        let text = AFTERWARDS.to_string();
        let sent = ask(desk.client().send_text(&ProfileId::new(who), peer, text));
        sent.map_err(|error| format!("{who} cannot write afterwards: {error}"))?;
    }
    let until = Instant::now() + DEADLINE;
    loop {
        let mut histories = Vec::new();
        for (desk, (who, peer)) in desks.iter().zip(PEOPLE) {
            let caught_up = ask(desk.client().catch_up(&ProfileId::new(who)));
            caught_up.map_err(|error| format!("{who} cannot catch up: {error}"))?;
            histories.push((who, history(desk, who, peer)?));
        }
        let [(alice, of_alice), (bob, of_bob)] = &histories[..] else {
            return Err("two talk".to_owned());
        };
        let missing = missing(alice, of_alice, of_bob)? + missing(bob, of_bob, of_alice)?;
        if missing == 0 {
            break;
        }
        if Instant::now() > until {
            return Err(format!("{missing} messages are not delivered"));
        }
    }
    for (desk, (who, _)) in desks.iter().zip(PEOPLE) {
        if let Some(notice) = desk.view(who).notice {
            return Err(format!("{who} is shown {notice:?}"));
        }
    }
    Ok(())
}

/// All messages of a chat, oldest first.
fn history(desk: &Desk, who: &str, peer: &str) -> Result<Vec<Entry>, String> {
    let history = desk
        .client()
        .history(&ProfileId::new(who), peer, None, usize::MAX);
    ask(history).map_err(|error| format!("{who} has no history: {error}"))
}

/// How many messages of one are not with the other, or not known to be.
fn missing(who: &str, from: &[Entry], to: &[Entry]) -> Result<usize, String> {
    let said: Vec<_> = from.iter().filter(|entry| entry.message.is_mine).collect();
    let heard: Vec<_> = to.iter().filter(|entry| !entry.message.is_mine).collect();
    let is_same = |(said, heard): (&&Entry, &&Entry)| {
        said.id == heard.id && said.message.body == heard.message.body
    };
    if heard.len() > said.len() || !said.iter().zip(&heard).all(is_same) {
        let numbers = |entries: &[&Entry]| -> Vec<Option<u64>> {
            entries.iter().map(|entry| number(entry)).collect()
        };
        return Err(format!(
            "{who} said {:?}, heard was {:?}",
            numbers(&said),
            numbers(&heard)
        ));
    }
    let is_known = |entry: &&&Entry| matches!(entry.message.delivery as u8, 2 | 3);
    Ok(said.len() - said.iter().filter(is_known).count().min(heard.len()))
}

impl Witness for Promises {
    fn note(&mut self, mark: &str) {
        if self.read(mark).is_none() && self.broken.is_none() {
            self.broken = Some(format!("{mark} must not be"));
        }
    }

    fn check(&self, folder: &Path, chance: &mut StdRng) -> Result<(), String> {
        if let Some(broken) = &self.broken {
            return Err(broken.clone());
        }
        let mut desks = Vec::new();
        for (who, peer) in PEOPLE {
            let Some(promised) = self.people.get(who) else {
                continue;
            };
            let here = identities::list(&folder.join(who)).map_err(|error| error.to_string())?;
            if here.is_empty() {
                if promised.is_made {
                    return Err(format!("{who} is gone"));
                }
                continue;
            }
            let desk = talk::open(folder, who, None);
            desk.wait(who, "a vault that opens", |view| match &view.state {
                ProfileState::Ready => Some(Ok(())),
                ProfileState::Opening | ProfileState::Closed => None,
                state => Some(Err(format!("{who} is {state:?}"))),
            })?;
            promised.look(&desk, who, peer)?;
            desks.push(desk);
        }
        if desks.len() == PEOPLE.len() && chance.random_range(0..self.together) == 0 {
            meet(folder, &desks)?;
        }
        Ok(())
    }
}
