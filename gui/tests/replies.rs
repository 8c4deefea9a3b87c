//! Replies, long messages, and who is writing.

mod support;

use std::sync::Arc;

use egui::{Key, Modifiers};
use egui_kittest::Harness;
use egui_kittest::kittest::Queryable as _;
use sotto_client::Command;
use sotto_client::view::{
    Body, ChatId, Delivery, Message, MessageId, MessageKey, Privacy, ProfileId, Quote,
};

use support::{Desk, alice, open_chat, press, sample, shows, write};

const BOB: ChatId = ChatId(1);

fn show<'a>(messages: Vec<Message>) -> Harness<'a, Desk> {
    let mut harness = alice();
    harness.state_mut().profile("alice", |alice| {
        alice.timeline = Some(Arc::new(sample::timeline(messages)));
    });
    open_chat(&mut harness, "Bob");
    harness.state_mut().take();
    harness
}

fn talk<'a>() -> Harness<'a, Desk> {
    show(vec![
        sample::message(1, false, -9, "Shall we take the boat?", Delivery::Delivered),
        sample::message(2, false, -8, "Or the bicycles?", Delivery::Delivered),
        sample::message(3, true, -7, "Let me think", Delivery::Read),
    ])
}

/// What the next message that was sent answers.
fn sent(harness: &mut Harness<'_, Desk>) -> Option<(String, Option<MessageKey>)> {
    let asked = harness.state_mut().take();
    asked.into_iter().find_map(|(_, command)| match command {
        Command::SendText { text, answers, .. } => Some((text, answers)),
        _ => None,
    })
}

#[test]
fn a_key_begins_a_reply_goes_further_back_and_esc_gives_it_up() {
    let mut harness = talk();
    press(&mut harness, Modifiers::COMMAND, Key::R);
    assert!(shows(&harness, "In reply to Bob: Or the bicycles?"));
    press(&mut harness, Modifiers::COMMAND, Key::R);
    assert!(shows(&harness, "In reply to Bob: Shall we take the boat?"));
    // There is none before that.
    press(&mut harness, Modifiers::COMMAND, Key::R);
    write(&mut harness, "The boat!");
    press(&mut harness, Modifiers::NONE, Key::Enter);
    let boat = ("The boat!".to_owned(), Some(MessageKey(1)));
    assert_eq!(sent(&mut harness), Some(boat));
    assert!(!shows(&harness, "In reply to"));

    press(&mut harness, Modifiers::COMMAND, Key::R);
    press(&mut harness, Modifiers::NONE, Key::Escape);
    assert!(!shows(&harness, "In reply to"));
    write(&mut harness, "Well");
    press(&mut harness, Modifiers::NONE, Key::Enter);
    assert_eq!(sent(&mut harness), Some(("Well".to_owned(), None)));
}

#[test]
fn a_reply_is_begun_in_a_messages_menu_and_given_up_with_its_button() {
    let mut harness = talk();
    harness
        .get_by_label_contains("Let me think")
        .click_secondary();
    harness.run_steps(3);
    harness.get_by_label("Reply").click();
    harness.run_steps(3);
    assert!(shows(&harness, "In reply to You: Let me think"));
    harness.get_by_label("Cancel reply").click();
    harness.run_steps(3);
    assert!(!shows(&harness, "In reply to"));
}

#[test]
fn a_quote_leads_to_what_it_quotes_if_that_is_here() {
    let quote = |original| {
        Some(Quote {
            is_mine: false,
            id: MessageId([1; 16]),
            original,
        })
    };
    let boat = "Shall we take the boat?";
    let reply = Message {
        quote: quote(Some((MessageKey(1), boat.to_owned()))),
        ..sample::message(4, true, -6, "The boat!", Delivery::Read)
    };
    let lost = Message {
        quote: quote(None),
        ..sample::message(5, false, -5, "Good", Delivery::Delivered)
    };
    let mut harness = show(vec![reply, lost]);
    assert!(shows(
        &harness,
        "In reply to Bob: Message not on this computer"
    ));
    harness
        .get_by_label("In reply to Bob: Shall we take the boat?")
        .click();
    harness.run_steps(3);
    let asked = harness.state_mut().take();
    let around = Some(MessageKey(1));
    let command = Command::ShowChat { chat: BOB, around };
    assert!(
        asked.contains(&(ProfileId::new("alice"), command)),
        "{asked:?}"
    );
}

#[test]
fn the_whole_of_a_long_text_is_shown_page_by_page_and_copied() {
    let text = "a line of a long text\n".repeat(1_000);
    let long = Message {
        body: Body::Text(text.chars().take(800).collect()),
        is_cut: true,
        ..sample::message(4, false, -6, "", Delivery::Delivered)
    };
    let mut harness = show(vec![long]);
    harness.get_by_label("Show all").click();
    harness.run_steps(3);
    let asks = |harness: &mut Harness<'_, Desk>, key| {
        let asked = harness.state_mut().take();
        asked.contains(&(ProfileId::new("alice"), Command::ShowText(key)))
    };
    assert!(asks(&mut harness, Some(MessageKey(4))));
    assert!(!shows(&harness, "Page"));
    harness.state_mut().profile("alice", |alice| {
        alice.text = Some((MessageKey(4), Arc::from(&*text)));
    });
    harness.run_steps(3);
    assert!(shows(&harness, "Page 1 of 4"));
    harness.get_by_label("Next page").click();
    harness.run_steps(3);
    assert!(shows(&harness, "Page 2 of 4"));
    harness.get_by_label("Copy all").click();
    harness.run_steps(3);
    assert!(shows(&harness, "Copied"));
    press(&mut harness, Modifiers::NONE, Key::Escape);
    assert!(!shows(&harness, "Page 2 of 4"));
    assert!(asks(&mut harness, None));
}

#[test]
fn writing_is_told_and_seen_unless_it_is_switched_off() {
    let mut harness = talk();
    write(&mut harness, "hm");
    let told = |harness: &mut Harness<'_, Desk>| {
        let asked = harness.state_mut().take();
        asked.contains(&(ProfileId::new("alice"), Command::Type(BOB)))
    };
    assert!(told(&mut harness));
    harness
        .state_mut()
        .chat("alice", "bob", |bob| bob.is_typing = true);
    harness.run_steps(3);
    assert!(shows(&harness, "End-to-end encrypted · typing…"));

    press(&mut harness, Modifiers::COMMAND, Key::Comma);
    harness.get_by_label("Typing").click();
    harness.run_steps(3);
    let silent = Privacy {
        read_receipts: true,
        typing: false,
    };
    let asked = harness.state_mut().take();
    let command = (ProfileId::new("alice"), Command::SetPrivacy(silent));
    assert!(asked.contains(&command), "{asked:?}");
    harness
        .state_mut()
        .profile("alice", |alice| alice.privacy = silent);
    press(&mut harness, Modifiers::NONE, Key::Escape);
    write(&mut harness, "and hm");
    assert!(!told(&mut harness));
}
