//! Strangers, contacts and comparisons, driven by accessible names and keys.

mod support;

use std::time::Duration;

use egui::{Key, Modifiers};
use egui_kittest::Harness;
use egui_kittest::kittest::Queryable as _;
use sotto_client::Command;
use sotto_client::view::{
    Addition, AdditionProblem, AdditionState, ChatId, Comparison, Mute, Outcome, ProfileId, Trust,
};

use support::{Desk, alice, click, open_chat, press, sample, shows, type_into};

const BOB: ChatId = ChatId(1);
const STRANGER: ChatId = ChatId(9);

fn with_stranger<'a>() -> Harness<'a, Desk> {
    let mut harness = alice();
    harness.state_mut().profile("alice", |alice| {
        alice
            .chats
            .push(sample::request(STRANGER.0, "Unknown 3f8a01c2"));
    });
    harness.run_steps(3);
    harness.state_mut().take();
    harness
}

#[track_caller]
fn asked(harness: &mut Harness<'_, Desk>, command: Command) {
    let asked = harness.state_mut().take();
    let command = (ProfileId::new("alice"), command);
    assert!(asked.contains(&command), "{asked:?}");
}

#[test]
fn strangers_are_listed_apart_and_can_be_accepted() {
    let mut harness = with_stranger();
    assert!(!shows(&harness, "Chat with Unknown"));
    click(&mut harness, "Requests, 1");
    open_chat(&mut harness, "Unknown");
    assert!(shows(&harness, "not among your contacts"));
    assert!(harness.query_by_label("Message").is_none());
    harness.state_mut().take();
    click(&mut harness, "Accept");
    asked(&mut harness, Command::AcceptRequest(STRANGER));
}

#[test]
fn requests_are_reached_by_the_keyboard_and_typing_there_writes_nothing() {
    let mut harness = with_stranger();
    click(&mut harness, "Requests, 1");
    press(&mut harness, Modifiers::ALT, Key::ArrowDown);
    assert!(shows(&harness, "not among your contacts"));
    harness.event(egui::Event::Text("hello".to_owned()));
    harness.run_steps(3);
    assert!(harness.query_by_label("Message").is_none());
    press(&mut harness, Modifiers::ALT, Key::ArrowDown);
    assert!(harness.query_by_label("Message").is_some());
}

#[test]
fn a_request_is_refused_after_a_question_and_then_gone() {
    let mut harness = with_stranger();
    click(&mut harness, "Requests, 1");
    open_chat(&mut harness, "Unknown");
    click(&mut harness, "Refuse");
    let asks = |asked: Vec<(ProfileId, Command)>| {
        let is_refusal = |(_, command): &_| matches!(command, Command::RefuseRequest(_));
        asked.iter().any(is_refusal)
    };
    assert!(!asks(harness.state_mut().take()));
    assert!(shows(&harness, "They are not told"));
    harness.get_all_by_label("Refuse").last().unwrap().click();
    harness.run_steps(4);
    asked(&mut harness, Command::RefuseRequest(STRANGER));
    harness.state_mut().profile("alice", |alice| {
        alice.chats.last_mut().unwrap().is_blocked = true;
    });
    harness.run_steps(3);
    assert!(!shows(&harness, "Unknown 3f8a01c2") && !shows(&harness, "Requests"));
    // The way back is in the settings.
    press(&mut harness, Modifiers::COMMAND, Key::Comma);
    click(&mut harness, "Blocked people");
    click(&mut harness, "Unblock Unknown 3f8a01c2");
    asked(&mut harness, Command::Unblock(STRANGER));
}

#[test]
fn a_chat_is_muted_and_unmuted_in_its_menu() {
    let mut harness = alice();
    open_chat(&mut harness, "Bob");
    click(&mut harness, "More");
    click(&mut harness, "Mute for an hour");
    let span = Some(Duration::from_hours(1));
    asked(&mut harness, Command::Mute { chat: BOB, span });
    harness
        .state_mut()
        .chat("alice", "bob", |bob| bob.mute = Some(Mute::Always));
    harness.run_steps(3);
    assert!(shows(&harness, ", muted"));
    click(&mut harness, "More");
    click(&mut harness, "Unmute");
    asked(&mut harness, Command::Unmute(BOB));
}

#[test]
fn somebody_is_blocked_after_a_question_and_unblocked_at_once() {
    let mut harness = alice();
    open_chat(&mut harness, "Bob");
    click(&mut harness, "More");
    click(&mut harness, "Block");
    assert!(shows(&harness, "Block Bob?"));
    let is_block = |(_, command): &(ProfileId, Command)| matches!(command, Command::Block(_));
    assert!(!harness.state_mut().take().iter().any(is_block));
    click(&mut harness, "Block");
    asked(&mut harness, Command::Block(BOB));
    harness
        .state_mut()
        .chat("alice", "bob", |bob| bob.is_blocked = true);
    harness.run_steps(3);
    assert!(shows(&harness, "You have blocked Bob"));
    assert!(harness.query_by_label("Message").is_none());
    click(&mut harness, "Unblock");
    asked(&mut harness, Command::Unblock(BOB));
}

#[test]
fn the_menu_opens_and_chooses_by_keys() {
    let mut harness = alice();
    open_chat(&mut harness, "Bob");
    harness.get_by_label("More").focus();
    harness.run_steps(2);
    press(&mut harness, Modifiers::NONE, Key::Enter);
    assert!(shows(&harness, "Mute for a day"));
    harness.get_by_label("Mute for a day").focus();
    harness.run_steps(2);
    press(&mut harness, Modifiers::NONE, Key::Enter);
    let span = Some(Duration::from_hours(24));
    asked(&mut harness, Command::Mute { chat: BOB, span });
}

#[test]
fn a_contact_is_added_by_what_is_typed_and_a_failure_says_why() {
    let mut harness = alice();
    click(&mut harness, "Add contact");
    harness.get_by_label("Handle or link").type_text("somebody");
    harness.run_steps(2);
    press(&mut harness, Modifiers::NONE, Key::Enter);
    let who = "somebody".to_owned();
    asked(&mut harness, Command::AddContact { who: who.clone() });
    let answer = |harness: &mut Harness<'_, Desk>, state| {
        let who = who.clone();
        harness.state_mut().profile("alice", |alice| {
            alice.addition = Some(Addition { who, state });
        });
        harness.run_steps(4);
    };
    answer(
        &mut harness,
        AdditionState::Failed(AdditionProblem::Unknown),
    );
    assert!(shows(&harness, "Nobody on this relay has this handle"));
    answer(&mut harness, AdditionState::Added(ChatId(2)));
    assert!(!shows(&harness, "Handle or link"));
    assert!(shows(&harness, "Contact added"));
}

#[test]
fn the_own_link_is_shown_and_copied() {
    let mut harness = alice();
    harness.state_mut().profile("alice", |alice| {
        alice.contact_link = Some(sample::CONTACT_LINK.to_owned());
    });
    press(&mut harness, Modifiers::COMMAND, Key::Comma);
    click(&mut harness, "My link");
    assert!(shows(&harness, "Your link, to be scanned"));
    assert!(shows(&harness, sample::CONTACT_LINK));
    click(&mut harness, "Copy link");
    assert!(shows(&harness, "Copied"));
}

#[test]
fn a_code_is_compared_and_each_outcome_is_said() {
    let mut harness = alice();
    harness
        .state_mut()
        .chat("alice", "bob", |bob| bob.trust = Trust::Unverified);
    open_chat(&mut harness, "Bob");
    click(&mut harness, "Not verified");
    assert!(shows(&harness, "Your code for this chat"));
    let field = "Bob's code or digits, or the path of a picture of the code";
    type_into(&mut harness, field, sample::VERIFICATION_CODE);
    click(&mut harness, "Compare");
    let (chat, code) = (BOB, sample::VERIFICATION_CODE.to_owned());
    let command = Command::CompareCode {
        chat,
        code: code.clone(),
    };
    asked(&mut harness, command);
    for (outcome, said) in [
        (Outcome::Match, "Bob is verified"),
        (Outcome::Mismatch, "They do not match. Somebody may be"),
        (Outcome::WrongPerson, "another contact"),
        (Outcome::OwnCode, "your own code"),
        (Outcome::Newer, "newer Sotto"),
        (Outcome::NoCode, "neither a code"),
    ] {
        let code = code.clone();
        harness.state_mut().profile("alice", |alice| {
            alice.comparison = Some(Comparison {
                chat,
                code,
                outcome,
            });
        });
        harness.run_steps(3);
        assert!(shows(&harness, said), "{outcome:?}");
    }
}
