//! What people do: they write, reply, read, and begin to write.

use std::collections::BTreeMap;
use std::rc::Rc;
use std::time::Duration;

use rand::RngExt as _;
use rand::rngs::StdRng;
use rand::seq::IndexedRandom as _;
use sotto_client::view::{ChatId, MessageKey, Trust};
use sotto_client::{AskError, Client, Command, Entry};
use tokio::time::sleep;

use super::journal::Copy;
use super::world::{Machine, SECRET, World};

/// How many of a hundred messages are so long that they travel in parts.
const LONG_PER_CENT: u32 = 2;
/// Messages that are looked at to reply to one of them, or to read them.
const GLANCE: usize = 50;

/// A person who does something so many times within this time.
///
/// # Panics
/// When there is nobody of this number.
pub(super) async fn live(world: Rc<World>, number: usize, deeds: u32, within: Duration) {
    let mut chance = super::chance::chance(world.seed, "person", number as u64);
    let machine = world.people.get(number).expect("a person");
    let others: Vec<String> = world
        .people
        .iter()
        .filter(|other| other.host != machine.host)
        .map(|other| other.person.handle.clone())
        .collect();
    let pause = within / deeds.max(1);
    for deed in 0..deeds {
        sleep(pause.mul_f64(chance.random_range(0.0..2.0))).await;
        let client = machine.client().await;
        let peer = others.choose(&mut chance).expect("somebody else");
        let text = text(&machine.person.handle, peer, deed, &mut chance);
        match chance.random_range(0..100) {
            0..60 => write(&world, machine, &client, peer, text).await,
            60..70 => reply(machine, &client, peer, text, &mut chance).await,
            70..92 => read(&world, machine, &client).await,
            _ => begin(machine, &client, peer).await,
        }
    }
}

/// Writes to everybody, when all is well again.
pub(super) async fn say_last(world: &World, machine: &Machine) {
    let who = &machine.person.handle;
    let client = machine.client().await;
    for other in &world.people {
        let peer = &other.person.handle;
        if peer == who {
            continue;
        }
        let text = format!("{SECRET} at last");
        match client.send_text(&machine.profile(), peer, text).await {
            Ok(sent) => world.journal.said_last(who, peer, sent.id),
            Err(error) => world
                .journal
                .wrong(format!("{who} cannot write at last: {error}")),
        }
    }
}

/// Whether everybody knows everybody.
pub(super) async fn are_acquainted(world: &World) -> bool {
    for machine in &world.people {
        let client = machine.client().await;
        let contacts = client.contacts(&machine.profile()).await;
        let contacts = contacts.unwrap_or_default();
        let known = contacts.iter().filter(|row| row.safety_number.is_some());
        if known.count() + 1 < world.people.len() {
            return false;
        }
    }
    true
}

/// Goes on with whoever is behind a handle now, as somebody who has compared safety numbers does.
pub(super) async fn accept_changes(world: &World, machine: &Machine) {
    let (who, profile) = (&machine.person.handle, machine.profile());
    let client = machine.client().await;
    let contacts = client.contacts(&profile).await.unwrap_or_default();
    for row in contacts {
        let (Trust::Changed, Some(safety_number)) = (row.trust, row.safety_number) else {
            continue;
        };
        if !world.journal.is_warned(who, &row.handle) {
            let what = format!("{who} was not told that {} is another one", row.handle);
            world.journal.wrong(what);
        }
        let chat = row.id;
        let command = Command::AcceptIdentity {
            chat,
            safety_number,
        };
        if let Err(error) = client.perform(&profile, command).await {
            let what = format!("{who} cannot accept {}: {error}", row.handle);
            world.journal.wrong(what);
        }
    }
}

fn text(who: &str, peer: &str, deed: u32, chance: &mut StdRng) -> String {
    let bytes = match chance.random_range(0..100) {
        0..LONG_PER_CENT => chance.random_range(50_000..110_000),
        LONG_PER_CENT..20 => chance.random_range(200..3_000),
        _ => chance.random_range(0..200),
    };
    let filling = "words ".repeat(bytes / 6);
    format!("{SECRET}: {who} to {peer}, {deed}: {filling}")
}

async fn write(world: &World, machine: &Machine, client: &Client, peer: &str, text: String) {
    let who = &machine.person.handle;
    match client.send_text(&machine.profile(), peer, text).await {
        Ok(sent) => world.journal.said(who, sent.id),
        // It is unknown what became of it: both is right.
        Err(AskError::Ended | AskError::NotOpen) => {}
        Err(error) => world.journal.wrong(format!("{who} cannot write: {error}")),
    }
}

async fn reply(machine: &Machine, client: &Client, peer: &str, text: String, chance: &mut StdRng) {
    let profile = machine.profile();
    let history = client.history(&profile, peer, None, GLANCE).await;
    if let Some(entry) = history.unwrap_or_default().choose(chance) {
        let command = Command::SendText {
            chat: entry.chat,
            text,
            answers: Some(entry.message.key),
        };
        // Whether it is there, the history tells.
        let told = client.perform(&profile, command).await;
        told.unwrap_or_default();
    }
}

/// Reads everything.
pub(super) async fn read(world: &World, machine: &Machine, client: &Client) {
    let who = &machine.person.handle;
    let profile = machine.profile();
    let unread = client
        .unread(&profile, MessageKey(0), GLANCE)
        .await
        .unwrap_or_default();
    let mut chats: BTreeMap<ChatId, Vec<&Entry>> = BTreeMap::new();
    for entry in &unread {
        chats.entry(entry.chat).or_default().push(entry);
    }
    for (chat, entries) in chats {
        let copies: Vec<Copy> = entries.iter().map(|entry| Copy::of(who, entry)).collect();
        let keys = entries.iter().map(|entry| entry.message.key);
        let up_to = keys.max().unwrap_or(MessageKey(0));
        world.journal.read(&copies, false);
        let command = Command::MarkRead { chat, up_to };
        if client.perform(&profile, command).await.is_ok() {
            world.journal.read(&copies, true);
        }
    }
}

async fn begin(machine: &Machine, client: &Client, peer: &str) {
    let profile = machine.profile();
    let contacts = client.contacts(&profile).await.unwrap_or_default();
    if let Some(row) = contacts.iter().find(|row| row.handle == peer) {
        // A hint, which may be lost.
        let told = client.perform(&profile, Command::Type(row.id)).await;
        told.unwrap_or_default();
    }
}
