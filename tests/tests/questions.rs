//! Clients that are asked and listened to, as scripts and bots do.

#![allow(
    clippy::unwrap_used,
    reason = "a test that meets the unexpected fails there"
)]

use std::time::Duration;

use sotto_client::view::{
    Body, Delivery, MessageId, MessageKey, ProfileId, ProfileState, RelayState,
};
use sotto_client::{AskError, Command, Entry, Event, EventKind, Events, Person, identities};
use sotto_tests::{Desk, Host, ask};
use tempfile::tempdir;

const DEADLINE: Duration = Duration::from_mins(1);

/// Hears events until one is what `is_meant` says; gives all of them.
fn hear(events: &mut Events, mut is_meant: impl FnMut(&Event) -> bool) -> Vec<Event> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build()
        .unwrap();
    let mut heard = Vec::new();
    runtime.block_on(async {
        let all = async {
            loop {
                let event = events.next().await.unwrap().unwrap();
                heard.push(event);
                if heard.last().is_some_and(&mut is_meant) {
                    return;
                }
            }
        };
        tokio::time::timeout(DEADLINE, all).await.unwrap();
    });
    heard
}

fn texts(entries: &[Entry]) -> Vec<(&str, bool)> {
    entries
        .iter()
        .map(|entry| (text(&entry.message.body), entry.message.is_mine))
        .collect()
}

fn text(body: &Body) -> &str {
    match body {
        Body::Text(text) => text,
        Body::Note(_) | Body::Unknown => "?",
    }
}

fn is_delivered(id: MessageId) -> impl Fn(&Event) -> bool {
    move |event| {
        let delivery = Delivery::Delivered;
        let peer = "bob".to_owned();
        event.kind == EventKind::DeliveryChanged { peer, id, delivery }
    }
}

#[test]
fn what_is_asked_is_answered_and_what_happens_is_told_once() {
    let dir = tempdir().unwrap();
    let host = Host::start(&dir.path().join("relay"));
    let desk = Desk::open(dir.path(), Some(host.invite()));
    let client = desk.client();
    let (alice, bob) = (ProfileId::new("alice"), ProfileId::new("bob"));
    let mut events = client.subscribe();
    desk.wait_ready("alice");
    assert_eq!(ask(client.catch_up(&alice)), Ok(()));
    let first = ask(client.send_text(&alice, "bob", "one".to_owned())).unwrap();
    let second = ask(client.send_text(&alice, "bob", "two".to_owned())).unwrap();
    assert_ne!(first.id, second.id);
    assert!(first.key < second.key);
    let heard = hear(&mut events, is_delivered(second.id));
    let stored = |id| {
        heard.iter().filter(
            move |event| matches!(&event.kind, EventKind::MessageStored(entry) if entry.id == id),
        )
    };
    for id in [first.id, second.id] {
        let whose: Vec<&str> = stored(id).map(|event| event.profile.as_str()).collect();
        assert_eq!(whose, ["alice", "bob"], "once at each end");
    }
    let states: Vec<Delivery> = heard
        .iter()
        .filter_map(|event| match event.kind {
            EventKind::DeliveryChanged { id, delivery, .. } if id == first.id => Some(delivery),
            _ => None,
        })
        .collect();
    assert!(states.is_sorted() && states.contains(&Delivery::Delivered));
    let mut once = states.clone();
    once.dedup();
    assert_eq!(states, once, "no state is told twice");

    let all = ask(client.history(&bob, "alice", None, 10)).unwrap();
    assert_eq!(texts(&all), [("one", false), ("two", false)]);
    let older = ask(client.history(&alice, "bob", Some(second.id), 10)).unwrap();
    assert_eq!(texts(&older), [("one", true)]);
    let newest = ask(client.history(&alice, "bob", None, 1)).unwrap();
    assert_eq!(texts(&newest), [("two", true)]);
    let unread = ask(client.unread(&bob, MessageKey(0), 10)).unwrap();
    assert_eq!(unread, all);
    let up_to = unread[0].message.key;
    let chat = unread[0].chat;
    assert_eq!(
        ask(client.perform(&bob, Command::MarkRead { chat, up_to })),
        Ok(())
    );
    assert_eq!(
        texts(&ask(client.unread(&bob, MessageKey(0), 10)).unwrap()),
        [("two", false)]
    );
    let now = ask(client.message(&alice, second.key)).unwrap();
    assert_eq!((now.id, now.peer.as_str()), (second.id, "bob"));
    let rows = ask(client.contacts(&alice)).unwrap();
    assert_eq!(rows[0].peer(), "bob");
}

#[test]
fn bad_questions_have_errors_and_change_nothing() {
    let dir = tempdir().unwrap();
    let desk = Desk::open_only(dir.path(), None, "alice");
    let client = desk.client();
    let (alice, bob) = (ProfileId::new("alice"), ProfileId::new("bob"));
    desk.wait_ready("alice");
    let send = |to: &str, text: &str| ask(client.send_text(&alice, to, text.to_owned()));
    let too_long = "x".repeat(sotto_client::view::TEXT_BYTES_MAX + 1);
    assert_eq!(send("bob", ""), Err(AskError::Text));
    assert_eq!(send("bob", &too_long), Err(AskError::Text));
    for nobody in ["nobody", "", "chat:99", "chat:x", "alice"] {
        assert_eq!(send(nobody, "hi"), Err(AskError::NoPeer), "{nobody}");
    }
    for nobody in ["", "Bob!", "alice", "chat:99"] {
        assert_eq!(ask(client.find(&alice, nobody)), Err(AskError::NoPeer));
    }
    let unknown = Some(MessageId([1; 16]));
    let history = ask(client.history(&alice, "bob", unknown, 1));
    assert_eq!(history, Err(AskError::NoMessage));
    let rename = Command::Rename("a\nb".to_owned());
    assert_eq!(ask(client.perform(&alice, rename)), Err(AskError::Text));
    assert_eq!(ask(client.contacts(&bob)), Err(AskError::NotOpen));
    let stranger = ProfileId::new("stranger");
    assert_eq!(ask(client.contacts(&stranger)), Err(AskError::NoProfile));
    assert_eq!(ask(client.history(&alice, "bob", None, 9)), Ok(Vec::new()));
    let waiting = client.catch_up(&alice);
    drop(desk);
    assert_eq!(ask(waiting), Err(AskError::Ended));
}

#[test]
fn an_identity_is_added_found_renamed_removed_and_deleted_while_others_live() {
    let dir = tempdir().unwrap();
    let host = Host::start(&dir.path().join("relay"));
    let mut desk = Desk::open_only(&dir.path().join("one"), Some(host.invite()), "alice");
    let (alice, guest) = (ProfileId::new("alice"), ProfileId::new("guest"));
    desk.wait("alice", "the relay", |view| {
        (view.relay == RelayState::Connected).then_some(())
    });
    // Nobody has the handle yet, says the relay.
    assert_eq!(
        ask(desk.client().find(&alice, "guest")),
        Err(AskError::NoPeer)
    );
    let person = Person {
        handle: "guest".to_owned(),
        name: "Guest".to_owned(),
    };
    desk.client_mut().add(&person).unwrap();
    assert!(
        desk.client_mut().add(&person).is_err(),
        "the handle is taken"
    );
    desk.wait("guest", "the relay", |view| {
        (view.relay == RelayState::Connected).then_some(())
    });
    desk.wait("alice", "Guest", |view| {
        let is_eve = |row: &&sotto_client::view::ChatRow| row.handle == "guest";
        let row = view.chats.iter().find(is_eve)?;
        row.safety_number.is_some().then_some(())
    });
    assert_eq!(ask(desk.client().find(&alice, "guest")), Ok(()));
    desk.write("guest", "alice", "from Guest");
    desk.read("alice", "guest", &["from Guest"]);
    let rename = Command::Rename("Evelyn".to_owned());
    assert_eq!(ask(desk.client().perform(&guest, rename)), Ok(()));
    desk.wait("alice", "the new name", |view| {
        view.chats
            .iter()
            .any(|row| row.name == "Evelyn")
            .then_some(())
    });
    let data_dir = dir.path().join("one");
    let deleted = identities::delete(&data_dir, "guest");
    assert!(deleted.is_err(), "it is in use");
    desk.client_mut().remove(&guest).wait();
    assert!(desk.model().profile(&guest).is_none());
    // Its name is the vault's.
    desk.client_mut().add(&identities::person("guest")).unwrap();
    let name = desk.wait("guest", "its vault", |view| {
        (view.state == ProfileState::Ready).then(|| view.name.clone())
    });
    assert_eq!(name, "Evelyn");
    desk.client_mut().remove(&guest).wait();
    identities::delete(&data_dir, "guest").unwrap();
    desk.write("alice", "bob", "still here");
    assert_eq!(identities::list(&data_dir).unwrap(), ["alice"]);
}
