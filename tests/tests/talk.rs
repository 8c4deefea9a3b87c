//! Four people talk through a real relay, and nothing is lost or shown twice.

use std::collections::BTreeSet;

use sotto_client::Command;
use sotto_client::view::{Body, Delivery, Presence, ProfileState, RelayState, Trust};
use sotto_tests::{Desk, Host, texts};
use tempfile::tempdir;

const PEOPLE: [&str; 4] = ["alice", "bob", "charlie", "diana"];

#[test]
fn four_people_talk_and_everything_survives_a_restart() {
    let dir = tempdir().unwrap();
    let mut host = Host::start(&dir.path().join("relay"));
    let desk = Desk::open(dir.path(), Some(host.invite()));
    for who in PEOPLE {
        desk.wait(who, "the relay", |view| {
            (view.relay == RelayState::Connected).then_some(())
        });
    }
    desk.write("alice", "bob", "hi");
    desk.read("bob", "alice", &["hi"]);
    desk.write("bob", "alice", "مرحبا، كيف حالك؟");
    desk.read("alice", "bob", &["hi", "مرحبا، كيف حالك؟"]);
    desk.write("alice", "bob", "👩‍👩‍👧‍👦 נהדר\nzweite Zeile");
    desk.write("alice", "charlie", "to Charlie");
    desk.write("charlie", "diana", "to Diana");
    desk.read("charlie", "alice", &["to Charlie"]);
    desk.read("diana", "charlie", &["to Diana"]);
    let all = ["hi", "مرحبا، كيف حالك؟", "👩‍👩‍👧‍👦 נהדר\nzweite Zeile"];
    desk.read("bob", "alice", &all);
    desk.show("alice", "bob");
    desk.wait_messages("alice", "bob", "everything read", |messages| {
        messages
            .iter()
            .filter(|message| message.is_mine)
            .all(|message| message.delivery == Delivery::Read)
            .then_some(())
    });
    let chat = desk.chat_id("alice", "diana");
    let text = "not yet".to_owned();
    desk.command("alice", Command::SaveDraft { chat, text });
    desk.wait("alice", "the draft", |view| {
        view.chats
            .iter()
            .any(|row| row.draft == "not yet")
            .then_some(())
    });
    drop(desk);
    host.stop();

    host.restart();
    let desk = Desk::open(dir.path(), Some(host.invite()));
    for (who, with) in [("alice", "bob"), ("bob", "alice")] {
        desk.read(who, with, &all);
    }
    assert_eq!(desk.chat("alice", "diana").draft, "not yet");
    desk.write("bob", "alice", "still here");
    let with_last = [&all[..], &["still here"]].concat();
    desk.read("alice", "bob", &with_last);
}

#[test]
fn messages_wait_for_somebody_who_has_never_been_there() {
    let dir = tempdir().unwrap();
    let host = Host::start(&dir.path().join("relay"));
    let alice = Desk::open_only(&dir.path().join("one"), Some(host.invite()), "alice");
    let texts_sent: Vec<String> = (0..40).map(|number| format!("message {number}")).collect();
    for text in &texts_sent {
        alice.write("alice", "bob", text);
    }
    alice.wait_messages("alice", "bob", "all of them sending", |messages| {
        (messages.len() == 40).then_some(())
    });
    assert_eq!(alice.chat("alice", "bob").presence, Presence::NotJoined);
    let bob = Desk::open_only(&dir.path().join("two"), Some(host.invite()), "bob");
    let expected: Vec<&str> = texts_sent.iter().map(String::as_str).collect();
    bob.read("bob", "alice", &expected);
    alice.wait_messages("alice", "bob", "all of them read", |messages| {
        messages
            .iter()
            .all(|message| message.delivery == Delivery::Read)
            .then_some(())
    });
}

#[test]
fn messages_wait_at_the_relay_for_somebody_who_is_away() {
    let dir = tempdir().unwrap();
    let mut host = Host::start(&dir.path().join("relay"));
    let (one, two) = (dir.path().join("one"), dir.path().join("two"));
    let bob = Desk::open_only(&two, Some(host.invite()), "bob");
    bob.wait("bob", "the relay", |view| {
        (view.relay == RelayState::Connected).then_some(())
    });
    let alice = Desk::open_only(&one, Some(host.invite()), "alice");
    alice.wait("alice", "Bob online", |view| {
        view.chats
            .iter()
            .any(|row| row.handle == "bob" && row.presence == Presence::Online)
            .then_some(())
    });
    alice.write("alice", "bob", "before");
    bob.read("bob", "alice", &["before"]);
    drop(bob);
    alice.wait("alice", "Bob away", |view| {
        view.chats
            .iter()
            .any(|row| row.handle == "bob" && row.presence == Presence::Away)
            .then_some(())
    });
    alice.write("alice", "bob", "while away");
    alice.wait_messages("alice", "bob", "both at the relay or further", |messages| {
        (messages.len() == 2)
            .then(|| messages.iter().all(|m| m.delivery >= Delivery::Relay))
            .filter(|all| *all)
    });
    // Alice goes too: only the relay has it now. The relay restarts as well, without a goodbye.
    drop(alice);
    host.kill();
    host.restart();
    let bob = Desk::open_only(&two, Some(host.invite()), "bob");
    bob.read("bob", "alice", &["before", "while away"]);
    let alice = Desk::open_only(&one, Some(host.invite()), "alice");
    alice.show("alice", "bob");
    alice.wait_messages("alice", "bob", "read", |messages| {
        (messages.len() == 2 && messages.iter().all(|m| m.delivery == Delivery::Read)).then_some(())
    });
}

#[test]
fn a_conversation_goes_on_while_relay_and_clients_come_and_go() {
    let dir = tempdir().unwrap();
    let mut host = Host::start(&dir.path().join("relay"));
    let (one, two) = (dir.path().join("one"), dir.path().join("two"));
    let mut alice = Desk::open_only(&one, Some(host.invite()), "alice");
    let mut bob = Desk::open_only(&two, Some(host.invite()), "bob");
    let mut said: Vec<String> = Vec::new();
    for round in 0..6 {
        let text = format!("alice {round}");
        alice.write("alice", "bob", &text);
        said.push(text);
        if round % 2 == 0 {
            host.kill();
            host.restart();
        }
        bob.read("bob", "alice", &as_strs(&said));
        let text = format!("bob {round}");
        bob.write("bob", "alice", &text);
        said.push(text);
        // The window is closed before the relay may have answered.
        if round % 3 == 0 {
            bob.wait_messages("bob", "alice", "its own text", |messages| {
                (messages.len() == said.len()).then_some(())
            });
            drop(bob);
            bob = Desk::open_only(&two, Some(host.invite()), "bob");
            drop(alice);
            alice = Desk::open_only(&one, Some(host.invite()), "alice");
        }
        alice.read("alice", "bob", &as_strs(&said));
    }
}

#[test]
fn two_first_messages_at_the_same_time_make_one_conversation() {
    let dir = tempdir().unwrap();
    let host = Host::start(&dir.path().join("relay"));
    let (one, two) = (dir.path().join("one"), dir.path().join("two"));
    // Both join, so that each has the other's prekeys to fetch, and go offline again.
    let alice = Desk::open_only(&one, Some(host.invite()), "alice");
    let bob = Desk::open_only(&two, Some(host.invite()), "bob");
    for (desk, who, with) in [(&alice, "alice", "bob"), (&bob, "bob", "alice")] {
        desk.wait(who, "the other online", |view| {
            view.chats
                .iter()
                .any(|row| row.handle == with && row.presence == Presence::Online)
                .then_some(())
        });
    }
    for desk in [&alice, &bob] {
        desk.relay.send_replace(None);
    }
    alice.write("alice", "bob", "from Alice");
    bob.write("bob", "alice", "from Bob");
    for (desk, who, with) in [(&alice, "alice", "bob"), (&bob, "bob", "alice")] {
        desk.wait_messages(who, with, "one message", |messages| {
            (messages.len() == 1).then_some(())
        });
    }
    for desk in [&alice, &bob] {
        desk.relay.send_replace(Some(host.invite()));
    }
    alice.wait_messages("alice", "bob", "both", |messages| {
        (texts(messages) == ["from Alice", "from Bob"]).then_some(())
    });
    bob.wait_messages("bob", "alice", "both", |messages| {
        (texts(messages) == ["from Bob", "from Alice"]).then_some(())
    });
    alice.write("alice", "bob", "and on");
    bob.read("bob", "alice", &["from Bob", "from Alice", "and on"]);
    bob.write("bob", "alice", "together");
    alice.read(
        "alice",
        "bob",
        &["from Alice", "from Bob", "and on", "together"],
    );
}

#[test]
fn a_text_of_the_largest_size_arrives_and_a_longer_one_is_not_taken() {
    let dir = tempdir().unwrap();
    let host = Host::start(&dir.path().join("relay"));
    let desk = Desk::open(dir.path(), Some(host.invite()));
    let largest = "ß".repeat(sotto_client::view::TEXT_BYTES_MAX / 2);
    desk.write("alice", "bob", &format!("{largest}!"));
    desk.write("alice", "bob", &largest);
    desk.show("bob", "alice");
    let key = desk.wait_messages("bob", "alice", "the long text", |messages| {
        let [message] = messages else { return None };
        message.is_cut.then_some(message.key)
    });
    desk.command("bob", Command::ShowText(Some(key)));
    desk.wait("bob", "all of it", |view| {
        let (shown, text) = view.text.as_ref()?;
        (*shown == key && **text == *largest).then_some(())
    });
}

#[test]
fn a_reply_shows_both_sides_what_it_answers_and_writing_is_seen() {
    let dir = tempdir().unwrap();
    let host = Host::start(&dir.path().join("relay"));
    let desk = Desk::open(dir.path(), Some(host.invite()));
    desk.write("alice", "bob", "boat or bicycle?");
    desk.read("bob", "alice", &["boat or bicycle?"]);
    let answers = desk.wait_messages("bob", "alice", "the question", |messages| {
        messages.first().map(|message| message.key)
    });
    let chat = desk.chat_id("bob", "alice");
    // Nothing is told before both are known to be there.
    desk.wait("bob", "Alice, there", |view| {
        let row = view.chats.iter().find(|row| row.id == chat)?;
        (row.presence == Presence::Online).then_some(())
    });
    desk.command("bob", Command::Type(chat));
    desk.wait("alice", "Bob writing", |view| {
        view.chats.iter().any(|row| row.is_typing).then_some(())
    });
    desk.command(
        "bob",
        Command::SendText {
            chat,
            text: "boat".into(),
            answers: Some(answers),
        },
    );
    for (who, with, is_mine) in [("alice", "bob", true), ("bob", "alice", false)] {
        desk.show(who, with);
        desk.wait_messages(who, with, "the reply", |messages| {
            let [question, reply] = messages else {
                return None;
            };
            let quote = reply.quote.as_ref()?;
            let original = (question.key, "boat or bicycle?".to_owned());
            (quote.is_mine == is_mine && quote.original.as_ref() == Some(&original)).then_some(())
        });
    }
    desk.wait("alice", "Bob no longer writing", |view| {
        (!view.chats.iter().any(|row| row.is_typing)).then_some(())
    });
}

#[test]
fn safety_numbers_agree_and_verification_is_kept() {
    let dir = tempdir().unwrap();
    let host = Host::start(&dir.path().join("relay"));
    let desk = Desk::open(dir.path(), Some(host.invite()));
    let number = |who: &str, with: &str| {
        desk.wait(who, "a safety number", |view| {
            let row = view.chats.iter().find(|row| row.handle == with)?;
            row.safety_number.clone()
        })
    };
    let shared = number("alice", "bob");
    let safety_number = shared.clone();
    assert_eq!(shared, number("bob", "alice"));
    let pairs = [("alice", "charlie"), ("alice", "diana"), ("bob", "charlie")];
    let mut all: BTreeSet<String> = pairs.iter().map(|(a, b)| number(a, b)).collect();
    all.insert(shared);
    assert_eq!(all.len(), 4, "each pair has its own");
    let chat = desk.chat_id("alice", "bob");
    desk.command(
        "alice",
        Command::SetVerified {
            chat,
            safety_number,
            matches: true,
        },
    );
    desk.wait("alice", "Bob verified", |view| {
        view.chats
            .iter()
            .any(|row| row.handle == "bob" && row.trust == Trust::Verified)
            .then_some(())
    });
    drop(desk);
    let desk = Desk::open(dir.path(), Some(host.invite()));
    desk.wait_ready("alice");
    assert_eq!(desk.chat("alice", "bob").trust, Trust::Verified);
}

#[test]
fn a_profile_is_open_in_one_place_at_a_time() {
    let dir = tempdir().unwrap();
    let host = Host::start(&dir.path().join("relay"));
    let first = Desk::open_only(dir.path(), Some(host.invite()), "alice");
    first.wait_ready("alice");
    let second = Desk::open(dir.path(), Some(host.invite()));
    second.wait("alice", "that it is open elsewhere", |view| {
        (view.state == ProfileState::OpenElsewhere).then_some(())
    });
    second.wait_ready("bob");
    drop(first);
    second.command("alice", Command::Open);
    second.wait_ready("alice");
    second.write("alice", "bob", "from the second window");
    second.read("bob", "alice", &["from the second window"]);
    let body = second
        .chat("bob", "alice")
        .last
        .map(|last| last.body.clone());
    assert_eq!(body, Some(Body::Text("from the second window".into())));
}

fn as_strs(texts: &[String]) -> Vec<&str> {
    texts.iter().map(String::as_str).collect()
}
