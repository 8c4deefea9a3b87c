//! The window driven as a person does, by accessible names and keys.

mod support;

use std::sync::Arc;

use egui::{Event, ImeEvent, Key, Modifiers};
use egui_kittest::Harness;
use egui_kittest::kittest::Queryable as _;
use jiff::tz::TimeZone;
use sotto::{AppOptions, RelayFailure, RelayInfo, RelayKind, Theme};
use sotto_client::Command;
use sotto_client::view::{
    Body, ChatId, Delivery, MessageKey, Notice, ProfileId, ProfileState, RelayState,
    TEXT_BYTES_MAX, Trust,
};
use zeroize::Zeroizing;

use support::{Desk, alice, open_chat, press, sample, shows, window, window_with, write, written};

const BOB: ChatId = ChatId(1);
const CHARLIE: ChatId = ChatId(2);
const DIANA: ChatId = ChatId(3);

fn id(handle: &str) -> ProfileId {
    ProfileId::new(handle)
}

fn with_bob<'a>() -> Harness<'a, Desk> {
    let mut harness = alice();
    open_chat(&mut harness, "Bob");
    harness.state_mut().take();
    harness
}

fn drafts(asked: &[(ProfileId, Command)]) -> Vec<(ChatId, String)> {
    asked
        .iter()
        .filter_map(|(_, command)| match command {
            Command::SaveDraft { chat, text } => Some((*chat, text.clone())),
            _ => None,
        })
        .collect()
}

fn sent(asked: &[(ProfileId, Command)]) -> Vec<String> {
    asked
        .iter()
        .filter_map(|(_, command)| match command {
            Command::SendText { text, .. } => Some(text.clone()),
            _ => None,
        })
        .collect()
}

#[test]
fn opening_a_chat_asks_for_its_timeline_once() {
    let mut harness = alice();
    harness.state_mut().take();
    open_chat(&mut harness, "Diana");
    harness.run_steps(5);
    let around = None;
    assert_eq!(
        harness.state_mut().take(),
        [(
            id("alice"),
            Command::ShowChat {
                chat: DIANA,
                around
            }
        )]
    );
}

#[test]
fn opening_the_chat_that_is_loaded_asks_for_nothing() {
    let mut harness = alice();
    harness.state_mut().take();
    open_chat(&mut harness, "Bob");
    assert_eq!(harness.state_mut().take(), []);
    assert!(shows(&harness, "See you at the station"));
}

#[test]
fn enter_sends_and_shift_enter_breaks_the_line() {
    let mut harness = with_bob();
    write(&mut harness, "first");
    press(&mut harness, Modifiers::SHIFT, Key::Enter);
    write(&mut harness, "second");
    assert_eq!(written(&harness), "first\nsecond");
    press(&mut harness, Modifiers::NONE, Key::Enter);
    assert_eq!(written(&harness), "");
    assert_eq!(sent(&harness.state_mut().take()), ["first\nsecond"]);
}

#[test]
fn the_send_button_sends_and_the_composer_keeps_the_focus() {
    let mut harness = with_bob();
    write(&mut harness, "  hello  ");
    harness.get_by_label("Send").click();
    harness.run_steps(3);
    assert_eq!(sent(&harness.state_mut().take()), ["hello"]);
    assert!(harness.get_by_label("Message").is_focused());
}

#[test]
fn white_space_is_not_sent() {
    let mut harness = with_bob();
    write(&mut harness, "   ");
    press(&mut harness, Modifiers::NONE, Key::Enter);
    assert_eq!(sent(&harness.state_mut().take()), [""; 0]);
}

#[test]
fn enter_does_not_send_while_an_input_method_composes() {
    let mut harness = with_bob();
    write(&mut harness, "ni");
    harness.event(Event::Ime(ImeEvent::Preedit {
        text: "é".to_owned(),
        active_range_chars: None,
    }));
    press(&mut harness, Modifiers::NONE, Key::Enter);
    assert_eq!(sent(&harness.state_mut().take()), [""; 0]);
}

#[test]
fn a_text_that_is_too_long_says_so_and_is_not_sent() {
    let mut harness = with_bob();
    write(&mut harness, &"a".repeat(TEXT_BYTES_MAX + 7));
    assert!(shows(&harness, "Too long for one message by 7 bytes"));
    press(&mut harness, Modifiers::NONE, Key::Enter);
    assert_eq!(sent(&harness.state_mut().take()), [""; 0]);
    press(&mut harness, Modifiers::COMMAND, Key::A);
    write(&mut harness, &"é".repeat(TEXT_BYTES_MAX / 2));
    assert!(!shows(&harness, "Too long"));
    press(&mut harness, Modifiers::NONE, Key::Enter);
    assert_eq!(sent(&harness.state_mut().take()).len(), 1);
}

#[test]
fn drafts_are_saved_at_most_once_a_second_and_when_the_chat_changes() {
    let mut harness = with_bob();
    harness.get_by_label("Message").focus();
    harness.run_steps(6);
    // A step is a quarter of a second.
    for letter in ["a", "b", "c"] {
        harness.event(Event::Text(letter.to_owned()));
        harness.step();
    }
    assert_eq!(drafts(&harness.state_mut().take()), [(BOB, "a".to_owned())]);
    harness.run_steps(6);
    assert_eq!(
        drafts(&harness.state_mut().take()).last(),
        Some(&(BOB, "abc".to_owned()))
    );
    write(&mut harness, "d");
    open_chat(&mut harness, "Charlie");
    let late = drafts(&harness.state_mut().take());
    assert_eq!(late.last(), Some(&(BOB, "abcd".to_owned())));
}

#[test]
fn each_chat_keeps_its_own_text() {
    let mut harness = with_bob();
    write(&mut harness, "for Bob");
    open_chat(&mut harness, "Charlie");
    assert_eq!(written(&harness), "I meant to say");
    write(&mut harness, "!");
    open_chat(&mut harness, "Bob");
    assert_eq!(written(&harness), "for Bob");
    assert!(shows(&harness, "Draft: "));
}

#[test]
fn a_late_draft_of_the_model_does_not_overwrite_what_was_typed() {
    let mut harness = with_bob();
    write(&mut harness, "mine");
    harness
        .state_mut()
        .chat("alice", "bob", |bob| bob.draft = "old".to_owned());
    harness.run_steps(2);
    assert_eq!(written(&harness), "mine");
    press(&mut harness, Modifiers::NONE, Key::Enter);
    harness.run_steps(2);
    assert_eq!(written(&harness), "");
}

#[test]
fn typing_anywhere_goes_to_the_composer_without_losing_a_letter() {
    let mut harness = with_bob();
    harness.get_by_label("Verified").focus();
    harness.run_steps(2);
    harness.event(Event::Text("h".to_owned()));
    harness.run_steps(1);
    harness.event(Event::Text("i".to_owned()));
    harness.run_steps(2);
    assert_eq!(written(&harness), "hi");
}

#[test]
fn control_and_a_digit_switch_identity_in_the_same_frame() {
    let mut harness = with_bob();
    harness.key_press_modifiers(Modifiers::COMMAND, Key::Num4);
    harness.step();
    let active = harness
        .state()
        .app
        .as_ref()
        .and_then(|app| app.active().cloned());
    assert_eq!(active, Some(id("diana")));
    // Diana's chats are there at once.
    assert!(shows(&harness, "Chat with Alice"));
    press(&mut harness, Modifiers::COMMAND, Key::Num1);
    assert!(shows(&harness, "See you at the station"));
}

#[test]
fn clicking_an_identity_switches_to_it() {
    let mut harness = alice();
    harness.get_by_label("Identity Charlie").click();
    harness.run_steps(2);
    let active = harness
        .state()
        .app
        .as_ref()
        .and_then(|app| app.active().cloned());
    assert_eq!(active, Some(id("charlie")));
}

#[test]
fn returning_to_an_identity_whose_timeline_is_gone_asks_for_it_again() {
    let mut harness = with_bob();
    harness.state_mut().profile("alice", |alice| {
        alice.timeline = None;
        alice.state = ProfileState::Locked {
            wrong: false,
            checking: false,
        };
    });
    harness.run_steps(2);
    harness
        .state_mut()
        .profile("alice", |alice| alice.state = ProfileState::Ready);
    harness.run_steps(2);
    let asked = harness.state_mut().take();
    let around = None;
    assert!(
        asked.contains(&(id("alice"), Command::ShowChat { chat: BOB, around })),
        "{asked:?}"
    );
}

#[test]
fn alt_and_arrows_step_through_the_chats() {
    let mut harness = alice();
    for name in ["Bob", "Charlie", "Diana"] {
        press(&mut harness, Modifiers::ALT, Key::ArrowDown);
        assert!(
            harness.query_by_label(name).is_some(),
            "{name}'s header is shown"
        );
    }
    press(&mut harness, Modifiers::ALT, Key::ArrowUp);
    assert!(harness.query_by_label("Charlie").is_some());
}

#[test]
fn the_newest_message_is_marked_read_once_while_the_window_has_the_focus() {
    let mut harness = with_bob();
    harness
        .state_mut()
        .chat("alice", "bob", |bob| bob.unread = 2);
    harness.input_mut().focused = false;
    harness.run_steps(3);
    assert_eq!(harness.state_mut().take(), []);
    harness.input_mut().focused = true;
    harness.run_steps(3);
    let up_to = MessageKey(8);
    assert_eq!(
        harness.state_mut().take(),
        [(id("alice"), Command::MarkRead { chat: BOB, up_to })]
    );
    harness.run_steps(3);
    assert_eq!(harness.state_mut().take(), []);
}

#[test]
fn nothing_is_marked_read_while_the_newest_message_is_out_of_sight() {
    let mut harness = with_bob();
    let long = Arc::new(sample::long(9000..9200));
    harness
        .state_mut()
        .profile("alice", |alice| alice.timeline = Some(long));
    harness.run_steps(3);
    press(&mut harness, Modifiers::NONE, Key::PageUp);
    press(&mut harness, Modifiers::NONE, Key::PageUp);
    harness.state_mut().take();
    let more = Arc::new(sample::long(9000..9205));
    harness.state_mut().profile("alice", |alice| {
        alice.timeline = Some(more);
        alice.chats[0].unread = 3;
    });
    harness.run_steps(3);
    assert_eq!(harness.state_mut().take(), []);
    harness
        .get_by_label("Jump to the latest message, 3 new")
        .click();
    harness.run_steps(4);
    let up_to = MessageKey(9203);
    assert_eq!(
        harness.state_mut().take(),
        [(id("alice"), Command::MarkRead { chat: BOB, up_to })]
    );
}

/// Where a message stands on screen.
fn place(harness: &Harness<'_, Desk>, text: &str) -> f32 {
    harness.get_by_label_contains(text).rect().top()
}

#[test]
fn what_is_looked_at_stays_while_messages_arrive_on_both_sides() {
    let mut harness = with_bob();
    let show = |harness: &mut Harness<'_, Desk>, keys| {
        let timeline = Arc::new(sample::long(keys));
        harness
            .state_mut()
            .profile("alice", |alice| alice.timeline = Some(timeline));
        harness.run_steps(2);
    };
    show(&mut harness, 9100..9200);
    for _ in 0..6 {
        press(&mut harness, Modifiers::NONE, Key::PageUp);
    }
    let (text, before) = (9100..9200)
        .map(|key| format!(" {key} some words"))
        .find_map(|text| {
            let node = harness.query_by_label_contains(&text)?;
            let top = node.rect().top();
            (top > 100.0 && top < 600.0).then_some((text, top))
        })
        .expect("a message is on screen");
    show(&mut harness, 9000..9200);
    assert!((place(&harness, &text) - before).abs() < 0.6);
    show(&mut harness, 9000..9300);
    assert!((place(&harness, &text) - before).abs() < 0.6);
    show(&mut harness, 9050..9250);
    assert!((place(&harness, &text) - before).abs() < 0.6);
}

#[test]
fn the_end_is_followed_when_messages_arrive_and_when_the_composer_grows() {
    let mut harness = with_bob();
    let timeline = Arc::new(sample::long(9000..9100));
    harness
        .state_mut()
        .profile("alice", |alice| alice.timeline = Some(timeline));
    harness.run_steps(2);
    assert!(shows(&harness, " 9099 some words"));
    let timeline = Arc::new(sample::long(9000..9110));
    harness
        .state_mut()
        .profile("alice", |alice| alice.timeline = Some(timeline));
    harness.run_steps(2);
    let bottom = harness
        .get_by_label_contains(" 9109 some words")
        .rect()
        .bottom();
    write(&mut harness, "one");
    press(&mut harness, Modifiers::SHIFT, Key::Enter);
    press(&mut harness, Modifiers::SHIFT, Key::Enter);
    let grown = harness
        .get_by_label_contains(" 9109 some words")
        .rect()
        .bottom();
    assert!((bottom - grown - 40.0).abs() < 0.6, "{bottom} then {grown}");
}

#[test]
fn older_messages_are_asked_for_once_near_the_top() {
    let mut harness = with_bob();
    let mut timeline = sample::long(9000..9100);
    timeline.has_older = true;
    harness
        .state_mut()
        .profile("alice", |alice| alice.timeline = Some(Arc::new(timeline)));
    harness.run_steps(3);
    harness.state_mut().take();
    press(&mut harness, Modifiers::NONE, Key::Home);
    harness.run_steps(5);
    let around = Some(MessageKey(9000));
    assert_eq!(
        harness.state_mut().take(),
        [(id("alice"), Command::ShowChat { chat: BOB, around })]
    );
}

#[test]
fn a_message_is_searched_for_and_gone_to() {
    let mut harness = with_bob();
    press(&mut harness, Modifiers::COMMAND, Key::K);
    harness.get_by_label("Search").type_text("coffee");
    harness.run_steps(2);
    let asked = harness.state_mut().take();
    let looked_for = |(_, command): &(ProfileId, Command)| match command {
        Command::Search(query) => *query == sample::coffee().query,
        _ => false,
    };
    assert!(asked.iter().any(looked_for), "{asked:?}");
    assert_eq!(written(&harness), "", "the composer got none of it");
    assert!(shows(&harness, "Searching"));

    let found = Arc::new(sample::coffee());
    harness
        .state_mut()
        .profile("alice", |profile| profile.search = Some(found));
    harness.run_steps(2);
    assert!(!shows(&harness, "Chat with Diana"));
    harness.get_by_label("Search older messages").click();
    harness
        .get_by_label_contains("Bob: Bring the good coffee")
        .click();
    harness.run_steps(3);
    let asked = harness.state_mut().take();
    assert!(
        asked.contains(&(id("alice"), Command::SearchOlder)),
        "{asked:?}"
    );
    let around = Some(MessageKey(4));
    let shown = Command::ShowChat { chat: BOB, around };
    assert!(asked.contains(&(id("alice"), shown)), "{asked:?}");

    press(&mut harness, Modifiers::NONE, Key::Escape);
    let asked = harness.state_mut().take();
    assert!(
        asked.contains(&(id("alice"), Command::EndSearch)),
        "{asked:?}"
    );
    assert!(shows(&harness, "Chat with Diana"));
}

#[test]
fn a_search_is_driven_by_keys_and_says_what_is_wrong_with_it() {
    let mut harness = with_bob();
    press(&mut harness, Modifiers::COMMAND, Key::F);
    let field = harness.get_by_label("Search").value().unwrap_or_default();
    assert_eq!(field, "in:bob ", "a handle, which needs no quotes");
    harness.get_by_label("Search").type_text("after:soon");
    harness.run_steps(2);
    assert!(shows(&harness, "A day is written like this"));
    harness.get_by_label("Clear search").click();
    harness.run_steps(2);
    harness.get_by_label("Search").focus();
    harness.run_steps(1);
    harness.get_by_label("Search").type_text("dian");
    harness.run_steps(2);
    assert!(shows(&harness, "Chat with Diana") && !shows(&harness, "Chat with Charlie"));
    harness.state_mut().take();
    press(&mut harness, Modifiers::NONE, Key::Enter);
    let (chat, around) = (DIANA, None);
    let shown = (id("alice"), Command::ShowChat { chat, around });
    assert!(harness.state_mut().take().contains(&shown));
}

#[test]
fn a_failed_message_is_retried() {
    let mut harness = with_bob();
    harness.get_by_label("Retry").click();
    harness.run_steps(2);
    assert_eq!(
        harness.state_mut().take(),
        [(id("alice"), Command::Retry(MessageKey(12)))]
    );
}

#[test]
fn messages_are_read_aloud_with_author_time_and_state() {
    let harness = with_bob();
    assert!(shows(
        &harness,
        "Bob, 13:53, Perfect. See you at the station, by the big clock."
    ));
    assert!(shows(&harness, "You, 14:01, See you there, delivered"));
    assert!(shows(
        &harness,
        "You, 14:05, Call me if the train is late, not sent"
    ));
}

#[test]
fn a_message_of_a_later_version_says_so() {
    let mut harness = with_bob();
    let mut message = sample::message(1, false, -1, "", Delivery::Delivered);
    message.body = Body::Unknown;
    let timeline = Arc::new(sample::timeline(vec![message]));
    harness
        .state_mut()
        .profile("alice", |alice| alice.timeline = Some(timeline));
    harness.run_steps(2);
    assert!(shows(&harness, "needs a newer version of Sotto"));
}

#[test]
fn a_changed_identity_blocks_sending_until_it_is_accepted() {
    let mut harness = with_bob();
    harness
        .state_mut()
        .chat("alice", "bob", |bob| bob.trust = Trust::Changed);
    write(&mut harness, "secret");
    press(&mut harness, Modifiers::NONE, Key::Enter);
    assert_eq!(sent(&harness.state_mut().take()), [""; 0]);
    assert_eq!(written(&harness), "secret");
    harness.get_by_label("Accept").click();
    harness.run_steps(2);
    let asked = harness.state_mut().take();
    assert!(
        asked.contains(&(
            id("alice"),
            Command::AcceptIdentity {
                chat: BOB,
                safety_number: sample::SAFETY_NUMBER.to_owned(),
            }
        )),
        "{asked:?}"
    );
}

#[test]
fn safety_numbers_are_compared_in_a_dialog() {
    for (answer, matches) in [("They match", true), ("They do not match", false)] {
        let mut harness = with_bob();
        harness.get_by_label("Verified").click();
        harness.run_steps(3);
        assert!(shows(&harness, "Safety number: 37281 90456"));
        harness.get_by_label(answer).click();
        harness.run_steps(3);
        assert_eq!(
            harness.state_mut().take(),
            [(
                id("alice"),
                Command::SetVerified {
                    chat: BOB,
                    safety_number: sample::SAFETY_NUMBER.to_owned(),
                    matches
                }
            )]
        );
        assert!(!shows(&harness, "Safety number:"));
    }
}

#[test]
fn a_wrong_passphrase_can_be_typed_again() {
    let mut harness = alice();
    harness.state_mut().profile("alice", |alice| {
        alice.has_passphrase = true;
        alice.state = ProfileState::Locked {
            wrong: false,
            checking: false,
        };
    });
    harness.run_steps(3);
    harness.get_by_label("Passphrase").type_text("guess");
    harness.run_steps(2);
    harness.state_mut().take();
    press(&mut harness, Modifiers::NONE, Key::Enter);
    let unlock = |text: &str| {
        (
            id("alice"),
            Command::Unlock(Zeroizing::new(text.to_owned())),
        )
    };
    assert_eq!(harness.state_mut().take(), [unlock("guess")]);
    harness.state_mut().profile("alice", |alice| {
        alice.state = ProfileState::Locked {
            wrong: true,
            checking: false,
        };
    });
    harness.run_steps(3);
    assert!(shows(&harness, "Wrong passphrase"));
    harness.get_by_label("Passphrase").type_text("better");
    harness.run_steps(2);
    harness.get_by_label("Unlock").click();
    harness.run_steps(2);
    assert_eq!(harness.state_mut().take(), [unlock("better")]);
}

#[test]
fn what_is_typed_to_unlock_is_forgotten_when_the_identity_changes() {
    let mut harness = alice();
    harness.state_mut().profile("alice", |alice| {
        alice.has_passphrase = true;
        alice.state = ProfileState::Locked {
            wrong: false,
            checking: false,
        };
    });
    harness.run_steps(3);
    harness.get_by_label("Passphrase").type_text("half");
    harness.run_steps(2);
    press(&mut harness, Modifiers::COMMAND, Key::Num2);
    press(&mut harness, Modifiers::COMMAND, Key::Num1);
    let typed = harness
        .get_by_label("Passphrase")
        .value()
        .unwrap_or_default();
    assert!(typed.is_empty());
}

#[test]
fn a_passphrase_is_set_when_both_fields_agree() {
    let mut harness = with_bob();
    press(&mut harness, Modifiers::COMMAND, Key::Comma);
    harness.get_by_label("Set passphrase").click();
    harness.run_steps(3);
    harness
        .get_by_label("New passphrase")
        .type_text("seven quiet rivers");
    harness.run_steps(2);
    harness.get_by_label("Repeat new passphrase").focus();
    harness.run_steps(2);
    harness
        .get_by_label("Repeat new passphrase")
        .type_text("seven quiet");
    harness.run_steps(2);
    press(&mut harness, Modifiers::NONE, Key::Enter);
    assert_eq!(harness.state_mut().take(), []);
    harness.get_by_label("Repeat new passphrase").focus();
    harness.run_steps(2);
    harness
        .get_by_label("Repeat new passphrase")
        .type_text(" rivers");
    harness.run_steps(2);
    press(&mut harness, Modifiers::NONE, Key::Enter);
    let current = Zeroizing::new(String::new());
    let new = Zeroizing::new("seven quiet rivers".to_owned());
    assert_eq!(
        harness.state_mut().take(),
        [(id("alice"), Command::SetPassphrase { current, new })]
    );
}

#[test]
fn control_l_locks_only_what_has_a_passphrase() {
    let mut harness = with_bob();
    press(&mut harness, Modifiers::COMMAND, Key::L);
    assert_eq!(harness.state_mut().take(), []);
    harness
        .state_mut()
        .profile("alice", |alice| alice.has_passphrase = true);
    press(&mut harness, Modifiers::COMMAND, Key::L);
    assert_eq!(harness.state_mut().take(), [(id("alice"), Command::Lock)]);
}

#[test]
fn locking_saves_the_draft_and_forgets_it() {
    let mut harness = with_bob();
    harness
        .state_mut()
        .profile("alice", |alice| alice.has_passphrase = true);
    write(&mut harness, "half a thought");
    harness.state_mut().take();
    write(&mut harness, " more");
    press(&mut harness, Modifiers::COMMAND, Key::L);
    let mut asked = harness.state_mut().take();
    asked.retain(|(_, command)| !matches!(command, Command::Type(_)));
    let [(_, Command::SaveDraft { chat, text }), (_, Command::Lock)] = asked.as_slice() else {
        panic!("{asked:?}");
    };
    assert_eq!((*chat, text.as_str()), (BOB, "half a thought more"));
    let state = ProfileState::Locked {
        wrong: false,
        checking: false,
    };
    harness
        .state_mut()
        .profile("alice", |alice| alice.state = state);
    harness.run_steps(2);
    // As if another draft had come from the vault: nothing here is in its way.
    harness.state_mut().profile("alice", |alice| {
        alice.state = ProfileState::Ready;
        alice.chats[0].draft = "from the vault".to_owned();
    });
    harness.run_steps(3);
    assert_eq!(written(&harness), "from the vault");
}

#[test]
fn profiles_in_the_way_say_why_and_offer_another_try() {
    let mut harness = alice();
    harness
        .state_mut()
        .profile("alice", |alice| alice.state = ProfileState::OpenElsewhere);
    harness.run_steps(3);
    assert!(shows(&harness, "Already open in another window"));
    harness.state_mut().take();
    harness.get_by_label("Try again").click();
    harness.run_steps(2);
    assert_eq!(harness.state_mut().take(), [(id("alice"), Command::Open)]);
}

#[test]
fn a_notice_is_dismissed_by_hand_and_a_success_by_itself() {
    let mut harness = with_bob();
    harness.state_mut().profile("alice", |alice| {
        alice.notice = Some(Notice::Unopened { messages: 2 });
    });
    harness.run_steps(40);
    assert!(shows(&harness, "2 messages could not be opened"));
    assert_eq!(harness.state_mut().take(), []);
    harness.get_by_label("Dismiss").click();
    harness.run_steps(2);
    assert_eq!(
        harness.state_mut().take(),
        [(id("alice"), Command::DismissNotice)]
    );
    harness
        .state_mut()
        .profile("alice", |alice| alice.notice = Some(Notice::PassphraseSet));
    harness.run_steps(30);
    assert_eq!(
        harness.state_mut().take(),
        [(id("alice"), Command::DismissNotice)]
    );
}

#[test]
fn the_banner_waits_three_seconds_before_it_says_offline() {
    let mut harness = with_bob();
    harness
        .state_mut()
        .profile("alice", |alice| alice.relay = RelayState::Offline(None));
    harness.run_steps(8);
    assert!(!shows(&harness, "Messages will be sent later"));
    harness.run_steps(8);
    assert!(shows(&harness, "Messages will be sent later"));
    harness
        .state_mut()
        .profile("alice", |alice| alice.relay = RelayState::Connected);
    harness.run_steps(2);
    assert!(!shows(&harness, "Messages will be sent later"));
}

#[test]
fn the_relay_dialog_shows_and_copies_the_invite_link() {
    let mut harness = with_bob();
    harness.state_mut().app().set_relay(RelayInfo {
        kind: RelayKind::Local,
        invite: Some("sotto://example".to_owned()),
    });
    harness.get_by_label_contains("Connected").click();
    harness.run_steps(3);
    assert!(shows(&harness, "sotto://example"));
    harness.get_by_label("Copy invite link").click();
    harness.run_steps(3);
    assert!(shows(&harness, "Copied"));
    press(&mut harness, Modifiers::NONE, Key::Escape);
    assert!(!shows(&harness, "sotto://example"));
}

#[test]
fn a_relay_that_could_not_start_is_told_in_the_list() {
    let mut harness = with_bob();
    harness.state_mut().app().set_relay(RelayInfo {
        kind: RelayKind::Failed(RelayFailure::Folder),
        invite: None,
    });
    harness.run_steps(2);
    assert!(shows(&harness, "Relay not started"));
}

#[test]
fn a_narrow_window_shows_the_list_or_the_chat() {
    let mut harness = window([480.0, 560.0], Theme::Dark, sample::four_people());
    assert!(harness.query_by_label("Message").is_none());
    open_chat(&mut harness, "Bob");
    assert!(!shows(&harness, "Chat with Charlie"));
    harness.get_by_label("Back to chats").click();
    harness.run_steps(2);
    assert!(shows(&harness, "Chat with Charlie"));
}

#[test]
fn f6_goes_round_rail_list_and_composer() {
    let mut harness = with_bob();
    assert!(harness.get_by_label("Message").is_focused());
    press(&mut harness, Modifiers::NONE, Key::F6);
    assert!(harness.get_by_label_contains("Identity Alice").is_focused());
    press(&mut harness, Modifiers::NONE, Key::F6);
    assert!(harness.get_by_label_contains("Chat with Bob").is_focused());
    press(&mut harness, Modifiers::NONE, Key::F6);
    assert!(harness.get_by_label("Message").is_focused());
}

#[test]
fn names_that_trick_the_eye_are_cleaned() {
    let mut harness = alice();
    harness.state_mut().chat("alice", "charlie", |charlie| {
        charlie.name = "\u{202E}boB\u{200B}".to_owned();
    });
    harness.run_steps(2);
    assert!(shows(&harness, "Chat with boB"));
}

#[test]
fn the_theme_changes_in_the_settings() {
    let mut harness = with_bob();
    press(&mut harness, Modifiers::COMMAND, Key::Comma);
    harness.get_by_label("Light").click();
    harness.run_steps(2);
    let theme = harness.state().app.as_ref().map(sotto::App::theme);
    assert_eq!(theme, Some(Theme::Light));
}

#[test]
fn the_clock_follows_daylight_saving_time_while_the_window_is_open() {
    let options = AppOptions {
        zone: Some(TimeZone::posix("EST5EDT,M3.2.0,M11.1.0").unwrap()),
        ..AppOptions::default()
    };
    let mut harness = window_with([1100.0, 720.0], options, sample::four_people());
    assert!(shows(&harness, "Chat with Bob, 09:05"));
    let half_a_year = 182 * 86_400_000;
    let desk = harness.state_mut();
    desk.now.unix_millis += half_a_year;
    let later = desk.now.unix_millis;
    desk.chat("alice", "bob", |bob| {
        let last = bob.last.as_mut().expect("a message");
        Arc::make_mut(last).sent_at_millis = later;
    });
    harness.run_steps(2);
    assert!(shows(&harness, "Chat with Bob, 10:05"));
}

#[test]
fn an_idle_window_asks_for_no_frame() {
    let mut harness = with_bob();
    write(&mut harness, "half a sentence");
    harness.run_steps(60);
    let delay = harness
        .output()
        .viewport_output
        .values()
        .map(|output| output.repaint_delay)
        .min()
        .expect("there is a window");
    // Only midnight, when today becomes yesterday.
    assert!(delay.as_secs() > 3600, "{delay:?}");
}

#[test]
fn switching_to_charlie_by_keys_takes_his_draft() {
    let mut harness = with_bob();
    press(&mut harness, Modifiers::ALT, Key::ArrowDown);
    assert_eq!(written(&harness), "I meant to say");
    let asked = harness.state_mut().take();
    let around = None;
    assert!(asked.contains(&(
        id("alice"),
        Command::ShowChat {
            chat: CHARLIE,
            around
        }
    )));
}

#[test]
fn more_identities_than_fit_are_scrolled_to_and_cover_no_button() {
    let mut model = sample::four_people();
    for number in 5..25 {
        let profile = sample::profile(&format!("p{number}"), &number.to_string());
        model.profiles.push(Arc::new(profile));
    }
    let mut harness = window([900.0, 500.0], Theme::Light, model);
    harness.run_steps(5);
    let settings = harness.get_by_label("Settings").rect();
    assert!(settings.bottom() <= 500.0);
    harness.get_by_label("Identity 24").focus();
    harness.run_steps(60);
    let last = harness.get_by_label("Identity 24").rect();
    assert!(last.bottom() <= settings.top(), "{last:?} {settings:?}");
    assert!(last.top() > 0.0);
}
