//! What must be true once the network is whole again and everything has settled.

use std::collections::BTreeSet;
use std::fs;

use sotto_client::Entry;
use sotto_client::view::{Body, Delivery};
use sotto_relay::Inspection;

use super::journal::Copy;
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
                compare(world, machine, other, &own, &theirs, &mut differences);
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

fn of_author(entries: &[Entry], is_mine: bool) -> Vec<(&Entry, &str)> {
    let of_author = entries.iter().filter(|it| it.message.is_mine == is_mine);
    of_author
        .map(|entry| match &entry.message.body {
            Body::Text(text) => (entry, text.as_str()),
            Body::Unknown => (entry, "?"),
        })
        .collect()
}

/// What clients show beside messages: nothing that would worry a person.
pub(super) async fn look(world: &World) {
    for machine in &world.people {
        let client = machine.client().await;
        let model = client.snapshot();
        let notice = model.profile(&machine.profile()).and_then(|it| it.notice);
        if let Some(notice) = notice {
            let who = &machine.person.handle;
            world.journal.wrong(format!("{who} is shown {notice:?}"));
        }
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
