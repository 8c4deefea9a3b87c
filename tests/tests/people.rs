//! Strangers meet through a real relay: requests, links, and codes that are compared.

#![allow(
    clippy::unwrap_used,
    reason = "a test that meets the unexpected fails there"
)]

use std::path::Path;

use sotto_client::view::{
    AdditionProblem, AdditionState, ChatRow, Delivery, Outcome, ProfileView, RelayState, Standing,
    Trust,
};
use sotto_client::{Command, OpenAtStart, identities};
use sotto_tests::{Desk, Host, texts};
use tempfile::tempdir;

/// Somebody whom nobody was made with, alone on a computer.
fn stranger(dir: &Path, host: &Host, handle: &str) -> Desk {
    let nobody = sotto_client::view::ProfileId::new("nobody");
    let mut desk = Desk::start(dir, Some(host.invite()), OpenAtStart::Only(nobody));
    desk.client_mut().add(&identities::person(handle)).unwrap();
    desk.wait(handle, "the relay", |view| {
        (view.relay == RelayState::Connected).then_some(())
    });
    desk
}

fn row<'a>(view: &'a ProfileView, handle: &str) -> Option<&'a ChatRow> {
    view.chats.iter().find(|row| row.handle == handle)
}

fn add(desk: &Desk, who: &str, whom: &str) -> AdditionState {
    let command = Command::AddContact { who: whom.into() };
    desk.command(who, command);
    desk.wait(who, &format!("{whom} added"), |view| {
        let addition = view.addition.as_ref().filter(|it| it.who == whom)?;
        (addition.state != AdditionState::LookingUp).then_some(addition.state)
    })
}

#[test]
fn a_stranger_waits_apart_and_hears_nothing_until_accepted() {
    let dir = tempdir().unwrap();
    let host = Host::start(&dir.path().join("relay"));
    let alice = Desk::open_only(&dir.path().join("one"), Some(host.invite()), "alice");
    let somebody = stranger(&dir.path().join("two"), &host, "somebody");
    somebody.write("somebody", "alice", "hello");
    let request = alice.wait("alice", "a request", |view| {
        let row = row(view, "somebody").filter(|row| row.is_request())?;
        (row.unread == 1 && view.unread == 0).then(|| row.clone())
    });
    alice.show("alice", "somebody");
    let up_to = request.last.unwrap().key;
    let chat = request.id;
    alice.command("alice", Command::MarkRead { chat, up_to });
    // Whatever Alice had to say about it would have come before this.
    let bob = Desk::open_only(&dir.path().join("three"), Some(host.invite()), "bob");
    bob.write("bob", "alice", "hi");
    alice.read("alice", "bob", &["hi"]);
    bob.wait_messages("bob", "alice", "read", |messages| {
        (messages.last()?.delivery == Delivery::Read).then_some(())
    });
    somebody.show("somebody", "alice");
    somebody.wait_messages("somebody", "alice", "at the relay", |messages| {
        (messages.last()?.delivery == Delivery::Relay).then_some(())
    });
    alice.command("alice", Command::AcceptRequest(chat));
    alice.read("alice", "somebody", &["hello"]);
    somebody.wait_messages("somebody", "alice", "read", |messages| {
        (messages.last()?.delivery == Delivery::Read).then_some(())
    });
    alice.write("alice", "somebody", "welcome");
    somebody.read("somebody", "alice", &["hello", "welcome"]);
}

#[test]
fn a_refused_stranger_stays_refused_after_a_restart() {
    let dir = tempdir().unwrap();
    let host = Host::start(&dir.path().join("relay"));
    let one = dir.path().join("one");
    let alice = Desk::open_only(&one, Some(host.invite()), "alice");
    let somebody = stranger(&dir.path().join("two"), &host, "somebody");
    somebody.write("somebody", "alice", "unwanted");
    let chat = alice.wait("alice", "a request", |view| {
        let row = row(view, "somebody").filter(|row| row.is_request())?;
        Some(row.id)
    });
    alice.command("alice", Command::RefuseRequest(chat));
    alice.wait("alice", "the refusal", |view| {
        row(view, "somebody")
            .filter(|row| row.is_refused())
            .map(|_| ())
    });
    drop(alice);
    let alice = Desk::open_only(&one, Some(host.invite()), "alice");
    alice.wait_ready("alice");
    somebody.write("somebody", "alice", "unwanted still");
    let bob = Desk::open_only(&dir.path().join("three"), Some(host.invite()), "bob");
    bob.write("bob", "alice", "hi");
    alice.read("alice", "bob", &["hi"]);
    let view = alice.view("alice");
    let refused = row(&view, "somebody").unwrap();
    assert!(refused.is_refused() && refused.last.is_none() && view.notice.is_none());
    alice.show("alice", "somebody");
    alice.wait_messages("alice", "somebody", "nothing", |messages| {
        texts(messages).is_empty().then_some(())
    });
}

#[test]
fn a_link_introduces_and_codes_verify_both_sides() {
    let dir = tempdir().unwrap();
    let host = Host::start(&dir.path().join("relay"));
    let (one, two) = (dir.path().join("one"), dir.path().join("two"));
    let dan = stranger(&one, &host, "dan");
    let somebody = stranger(&two, &host, "somebody");
    let link_of =
        |desk: &Desk, who: &str| desk.wait(who, "a link", |view| view.contact_link.clone());
    dan.chat("dan", "somebody");
    somebody.chat("somebody", "dan");
    // The relay of a link is not another one, and the fingerprint in it is not somebody else's.
    let erins = link_of(&somebody, "somebody");
    let dans = link_of(&dan, "dan");
    let fingerprint = |link: &str| link.split('/').nth(3).unwrap().to_owned();
    let forged = erins.replace(&fingerprint(&erins), &fingerprint(&dans));
    let failed = AdditionState::Failed;
    let wrong = failed(AdditionProblem::WrongIdentity);
    assert_eq!(add(&dan, "dan", &forged), wrong);
    let elsewhere = erins.replace("pin=", "pin=A");
    let malformed = failed(AdditionProblem::Malformed);
    assert_eq!(add(&dan, "dan", &elsewhere), malformed);
    let unknown = failed(AdditionProblem::Unknown);
    assert_eq!(add(&dan, "dan", "nobody"), unknown);

    let AdditionState::Added(chat) = add(&dan, "dan", &erins) else {
        panic!("not added");
    };
    let row_of_erin = dan.chat("dan", "somebody");
    assert_eq!(row_of_erin.id, chat);
    assert_eq!(row_of_erin.standing, Standing::Contact);
    assert_eq!(row_of_erin.trust, Trust::Introduced);
    assert!(matches!(
        add(&somebody, "somebody", "dan"),
        AdditionState::Added(_)
    ));
    // Each scans what the other shows.
    for (desk, who, with, code) in [
        (
            &somebody,
            "somebody",
            "dan",
            row_of_erin.verification_code.clone(),
        ),
        (
            &dan,
            "dan",
            "somebody",
            somebody.chat("somebody", "dan").verification_code,
        ),
    ] {
        let chat = desk.chat_id(who, with);
        let code = code.unwrap();
        desk.command(who, Command::CompareCode { chat, code });
        desk.wait(who, "a match", |view| {
            let is_match = view.comparison.as_ref()?.outcome == Outcome::Match;
            (is_match && row(view, with)?.trust == Trust::Verified).then_some(())
        });
    }
    dan.write("dan", "somebody", "it is you");
    somebody.read("somebody", "dan", &["it is you"]);
}
