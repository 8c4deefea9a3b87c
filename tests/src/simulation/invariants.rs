//! What must be true once the network is whole again and everything has settled.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use sotto_client::Entry;
use sotto_client::view::{Body, Delivery, Notice};
use sotto_relay::Inspection;

use super::journal::Copy;
use super::malice::Malice;
use super::network::holds;
use super::world::{Machine, SECRET, World};

/// What is not (yet) as it must be between any two people.
pub(super) async fn differences(world: &World) -> Vec<String> {
    let mut differences = Vec::new();
    let mut seen = BTreeSet::new();
    for machine in &world.people {
        for other in &world.people {
            if machine.host != other.host {
                let own = history(machine, other).await;
                seen.extend(
                    own.iter()
                        .map(|entry| Copy::of(&machine.person.handle, entry)),
                );
                let theirs = history(other, machine).await;
                if world.malice.is_some() {
                    compare_loosely(world, machine, other, &own, &theirs, &mut differences);
                    differences.extend(compare_numbers(machine, other).await);
                } else {
                    compare(world, machine, other, &own, &theirs, &mut differences);
                }
            }
        }
    }
    let lost = world.journal.all_said().difference(&seen).count();
    if lost > 0 {
        differences.push(format!(
            "{lost} confirmed messages are lost where they were written"
        ));
    }
    differences
}

/// All messages of a chat, oldest first.
async fn history(machine: &Machine, other: &Machine) -> Vec<Entry> {
    let client = machine.client().await;
    let (profile, peer) = (machine.profile(), &other.person.handle);
    let mut all: Vec<Entry> = Vec::new();
    loop {
        let before = all.first().map(|entry| entry.id);
        let page = client.history(&profile, peer, before, usize::MAX).await;
        match page {
            Ok(mut page) if !page.is_empty() => {
                page.append(&mut all);
                all = page;
            }
            _ => return all,
        }
    }
}

/// What one has written is with the other: all of it, once, in its order, and the states say so.
fn compare(
    world: &World,
    machine: &Machine,
    other: &Machine,
    own: &[Entry],
    theirs: &[Entry],
    differences: &mut Vec<String>,
) {
    let (who, peer) = (&machine.person.handle, &other.person.handle);
    let written: Vec<(&Entry, &str)> = of_author(own, true);
    let arrived: Vec<(&Entry, &str)> = of_author(theirs, false);
    let place = written
        .iter()
        .zip(&arrived)
        .position(|((a, a_text), (b, b_text))| (a.id, a_text) != (b.id, b_text));
    if place.is_some() || written.len() != arrived.len() {
        differences.push(format!(
            "{who} wrote {} messages to {peer}, where {} are; they differ from {place:?} on",
            written.len(),
            arrived.len(),
        ));
    }
    for (entry, _) in &written {
        let is_right = match entry.message.delivery {
            Delivery::Delivered => !world.journal.is_read(entry),
            Delivery::Read => true,
            _ => false,
        };
        if !is_right {
            let delivery = entry.message.delivery;
            differences.push(format!("{who} to {peer}: {:?} is {delivery:?}", entry.id));
        }
    }
}

/// After a hostile relay messages may be missing, or in another order. None is there twice, in
/// another conversation or with another text, and the last one has arrived.
fn compare_loosely(
    world: &World,
    machine: &Machine,
    other: &Machine,
    own: &[Entry],
    theirs: &[Entry],
    differences: &mut Vec<String>,
) {
    let (who, peer) = (&machine.person.handle, &other.person.handle);
    let texts = |entries, is_mine| -> BTreeMap<[u8; 16], &str> {
        let of_author = of_author(entries, is_mine).into_iter();
        of_author.map(|(entry, text)| (entry.id.0, text)).collect()
    };
    let (written, arrived) = (texts(own, true), texts(theirs, false));
    let stray = arrived
        .iter()
        .find(|(id, text)| written.get(*id) != Some(text));
    if stray.is_some() || arrived.len() != of_author(theirs, false).len() {
        differences.push(format!("{peer} has what {who} did not write, or twice"));
    }
    let last = world.journal.last(who, peer);
    let is_delivered = last.is_some_and(|last| {
        let entry = own.iter().find(|entry| entry.id == last);
        let is_known = entry.is_some_and(|it| it.message.delivery >= Delivery::Delivered);
        is_known && arrived.contains_key(&last.0)
    });
    if !is_delivered {
        differences.push(format!(
            "the last message of {who} to {peer} has not arrived"
        ));
    }
}

/// Both see the same safety number.
async fn compare_numbers(machine: &Machine, other: &Machine) -> Option<String> {
    let number = async |of: &Machine, peer: &Machine| {
        let client = of.client().await;
        let contacts = client.contacts(&of.profile()).await.unwrap_or_default();
        let row = contacts
            .into_iter()
            .find(|row| row.handle == peer.person.handle);
        row.and_then(|row| row.safety_number)
    };
    let (one, two) = (number(machine, other).await, number(other, machine).await);
    let (who, peer) = (&machine.person.handle, &other.person.handle);
    (one != two || one.is_none()).then(|| format!("{who} and {peer} see other safety numbers"))
}

fn of_author(entries: &[Entry], is_mine: bool) -> Vec<(&Entry, &str)> {
    let of_author = entries.iter().filter(|it| it.message.is_mine == is_mine);
    of_author
        .map(|entry| match &entry.message.body {
            Body::Text(text) => (entry, text.as_str()),
            Body::Note(_) | Body::Unknown => (entry, "?"),
        })
        .collect()
}

/// What clients show beside messages: nothing that would worry a person, unless there is a reason.
pub(super) async fn look(world: &World) {
    for machine in &world.people {
        let client = machine.client().await;
        let model = client.snapshot();
        let notice = model.profile(&machine.profile()).and_then(|it| it.notice);
        let who = &machine.person.handle;
        match (&world.malice, notice) {
            (None, None) | (Some(_), Some(Notice::Unopened { .. } | Notice::SetBack)) => {}
            (Some(malice), None) if !malice.has_spoilt(who) => {}
            (Some(_), None) => {
                let what = format!("{who} is not told that messages did not open");
                world.journal.wrong(what);
            }
            (_, Some(notice)) => world.journal.wrong(format!("{who} is shown {notice:?}")),
        }
    }
    let betrayals = world.malice.as_ref().map_or(0, Malice::betrayals);
    if betrayals > 0 {
        let what = format!("{betrayals} envelopes were for somebody else");
        world.journal.wrong(what);
    }
}

/// What is left on the relay's disk, once it has ended: no envelope, and nothing to read.
pub(super) fn search_relay(world: &World) {
    let dir = world.relay_dir();
    let usage = Inspection::open(&dir).and_then(|inspection| {
        inspection.check()?;
        inspection.usage()
    });
    match usage {
        Ok(usage) if usage.envelopes == 0 => {}
        other => world
            .journal
            .wrong(format!("the relay is left with {other:?}")),
    }
    for entry in fs::read_dir(&dir).expect("the relay's folder") {
        let path = entry.expect("a file").path();
        let bytes = fs::read(&path).expect("a file");
        if holds(&bytes, SECRET.as_bytes()) {
            world
                .journal
                .wrong("the relay has plaintext on its disk".to_owned());
        }
    }
    let (leaks, overflows) = world.network.leaks_and_overflows();
    if leaks > 0 {
        world
            .journal
            .wrong(format!("{leaks} packets held plaintext"));
    }
    if overflows > 0 {
        world
            .journal
            .wrong(format!("a socket had no room for {overflows} packets"));
    }
}
