//! Identities made, renamed and deleted, driven by accessible names and keys.

mod support;

use std::sync::Arc;

use egui::{Key, Modifiers};
use egui_kittest::Harness;
use egui_kittest::kittest::Queryable as _;
use sotto::{Errand, Report, Theme};
use sotto_client::Command;
use sotto_client::identities::{IDENTITIES_MAX, IdentityError};
use sotto_client::view::{ChatId, CreationStep, ProfileId, ProfileState, ViewModel};

use support::{Desk, alice, click, open_chat, press, sample, shows, type_into, window};

/// What a test wants to know of the errands since the last time.
fn errands(harness: &mut Harness<'_, Desk>) -> Vec<String> {
    let errands = std::mem::take(&mut harness.state_mut().errands);
    let told = errands.into_iter().map(|errand| match errand {
        Errand::MakeCode => "code".to_owned(),
        Errand::Create(person, passphrase) => {
            format!("{}/{}/{}", person.handle, person.name, *passphrase)
        }
        Errand::Delete(id) => format!("delete {}", id.as_str()),
        other => format!("{other:?}"),
    });
    told.collect()
}

fn report(harness: &mut Harness<'_, Desk>, report: Report) {
    harness.state_mut().app().report(report);
    harness.run_steps(3);
}

fn active(harness: &Harness<'_, Desk>) -> Option<ProfileId> {
    let app = harness.state().app.as_ref();
    app.and_then(|app| app.active().cloned())
}

#[test]
fn an_identity_is_made_by_keys_alone_and_shown_while_it_is_made() {
    let mut harness = alice();
    press(&mut harness, Modifiers::NONE, Key::F6);
    for _ in 0..4 {
        press(&mut harness, Modifiers::NONE, Key::Tab);
    }
    assert!(harness.get_by_label("New identity").is_focused());
    press(&mut harness, Modifiers::NONE, Key::Enter);
    assert!(harness.get_by_label("Handle").is_focused());
    harness.get_by_label("Handle").type_text("guest");
    harness.run_steps(2);
    press(&mut harness, Modifiers::NONE, Key::Tab);
    harness.get_by_label("Name").type_text("  Our Guest ");
    harness.run_steps(2);
    press(&mut harness, Modifiers::NONE, Key::Enter);
    assert_eq!(errands(&mut harness), ["guest/Our Guest/"]);
    assert!(!shows(&harness, "Handle"));

    let guest = ProfileId::new("guest");
    let mut profile = sample::profile("guest", "Our Guest");
    profile.state = ProfileState::Creating(CreationStep::Keys);
    let model = &mut harness.state_mut().model;
    model.profiles.push(Arc::new(profile));
    report(&mut harness, Report::Created(Ok(guest.clone())));
    assert_eq!(active(&harness), Some(guest));
    assert!(shows(&harness, "Creating Our Guest's identity"));
}

#[test]
fn handle_and_name_are_checked_while_they_are_typed() {
    let mut harness = alice();
    click(&mut harness, "New identity");
    type_into(&mut harness, "Name", "Guest");
    let handle = |harness: &mut Harness<'_, Desk>, text: &str| {
        harness.get_by_label("Handle").focus();
        harness.run_steps(2);
        press(harness, Modifiers::COMMAND, Key::A);
        type_into(harness, "Handle", text);
        click(harness, "Create");
    };
    for bad in ["Guest", "guest.", "gu est", "../guest"] {
        handle(&mut harness, bad);
        assert!(shows(&harness, "small letters and digits"), "{bad}");
    }
    handle(&mut harness, "bob");
    assert!(shows(
        &harness,
        "There is an identity with this handle here"
    ));
    handle(&mut harness, "guest");
    assert!(!shows(&harness, "small letters") && !shows(&harness, "There is an identity"));
    // The click on the button did nothing while something was wrong.
    assert_eq!(errands(&mut harness), ["guest/Guest/"]);

    click(&mut harness, "New identity");
    type_into(&mut harness, "Handle", "visitor");
    type_into(&mut harness, "Name", &"n".repeat(65));
    assert!(shows(&harness, "A name has up to 64 bytes"));
    press(&mut harness, Modifiers::NONE, Key::Enter);
    assert_eq!(errands(&mut harness), [""; 0]);
}

#[test]
fn a_passphrase_for_a_new_identity_has_to_be_long_and_the_same_twice() {
    let mut harness = alice();
    click(&mut harness, "New identity");
    type_into(&mut harness, "Handle", "guest");
    type_into(&mut harness, "Name", "Guest");
    type_into(&mut harness, "Passphrase (optional)", "short");
    type_into(&mut harness, "Repeat passphrase", "short");
    click(&mut harness, "Create");
    assert_eq!(errands(&mut harness), [""; 0]);
    type_into(&mut harness, "Passphrase (optional)", "er rivers");
    assert!(!shows(&harness, "not the same"));
    click(&mut harness, "Create");
    assert_eq!(errands(&mut harness), [""; 0]);
    type_into(&mut harness, "Repeat passphrase", "er rivers");
    press(&mut harness, Modifiers::NONE, Key::Enter);
    assert_eq!(errands(&mut harness), ["guest/Guest/shorter rivers"]);
}

#[test]
fn an_identity_that_was_not_made_says_why_until_it_is_dismissed() {
    let mut harness = alice();
    report(&mut harness, Report::Created(Err(IdentityError::Thread)));
    harness.run_steps(40);
    assert!(shows(&harness, "The identity was not made. This computer"));
    click(&mut harness, "Dismiss");
    assert!(!shows(&harness, "The identity was not made"));
}

#[test]
fn the_name_is_changed_in_the_settings() {
    let mut harness = alice();
    harness.state_mut().take();
    press(&mut harness, Modifiers::COMMAND, Key::Comma);
    assert!(shows(&harness, "Handle: alice"));
    click(&mut harness, "Rename");
    assert!(harness.get_by_label("Name").is_focused());
    // The name as it is is no change.
    press(&mut harness, Modifiers::NONE, Key::Enter);
    assert_eq!(harness.state_mut().take(), []);
    harness.get_by_label("Name").focus();
    harness.run_steps(2);
    press(&mut harness, Modifiers::COMMAND, Key::A);
    type_into(&mut harness, "Name", " Alice Liddell ");
    press(&mut harness, Modifiers::NONE, Key::Enter);
    let command = Command::Rename("Alice Liddell".to_owned());
    let alice = ProfileId::new("alice");
    assert_eq!(harness.state_mut().take(), [(alice, command)]);
}

fn open_deletion(harness: &mut Harness<'_, Desk>) {
    press(harness, Modifiers::COMMAND, Key::Comma);
    click(harness, "Delete identity");
    assert!(shows(harness, "Delete Alice?"));
    assert!(shows(harness, "Only a backup brings them back"));
}

#[test]
fn an_identity_is_deleted_only_when_its_handle_was_typed() {
    let mut harness = alice();
    open_chat(&mut harness, "Bob");
    open_deletion(&mut harness);
    let field = "Type alice to confirm";
    assert!(harness.get_by_label(field).is_focused());
    press(&mut harness, Modifiers::NONE, Key::Enter);
    type_into(&mut harness, field, "alic");
    press(&mut harness, Modifiers::NONE, Key::Enter);
    click(&mut harness, "Delete for good");
    assert_eq!(errands(&mut harness), [""; 0]);
    type_into(&mut harness, field, "e");
    press(&mut harness, Modifiers::NONE, Key::Enter);
    assert_eq!(errands(&mut harness), ["delete alice"]);
    assert!(!shows(&harness, "Delete Alice?"));
}

#[test]
fn what_cannot_be_opened_can_be_deleted() {
    let mut harness = alice();
    harness.state_mut().profile("alice", |alice| {
        alice.state = ProfileState::Locked {
            wrong: true,
            checking: false,
        };
    });
    harness.run_steps(2);
    open_deletion(&mut harness);
    type_into(&mut harness, "Type alice to confirm", "alice");
    click(&mut harness, "Delete for good");
    assert_eq!(errands(&mut harness), ["delete alice"]);
}

/// Deletes Alice, who is gone from the model at once.
fn without_alice<'a>() -> (Harness<'a, Desk>, ProfileId) {
    let mut harness = alice();
    open_chat(&mut harness, "Bob");
    open_deletion(&mut harness);
    type_into(&mut harness, "Type alice to confirm", "alice");
    press(&mut harness, Modifiers::NONE, Key::Enter);
    errands(&mut harness);
    harness.state_mut().model.profiles.remove(0);
    harness.run_steps(2);
    assert_eq!(active(&harness), Some(ProfileId::new("bob")));
    (harness, ProfileId::new("alice"))
}

#[test]
fn a_handle_is_taken_until_its_identity_is_deleted_and_free_after_that() {
    let (mut harness, id) = without_alice();
    click(&mut harness, "New identity");
    type_into(&mut harness, "Handle", "alice");
    type_into(&mut harness, "Name", "Alice");
    press(&mut harness, Modifiers::NONE, Key::Enter);
    assert!(shows(&harness, "There is an identity with this handle"));
    report(&mut harness, Report::Deleted(id.clone(), Ok(())));
    assert!(shows(&harness, "The identity was deleted"));
    assert!(!shows(&harness, "There is an identity with this handle"));
    click(&mut harness, "Create");
    assert_eq!(errands(&mut harness), ["alice/Alice/"]);
    // She starts anew: her chat with Bob is not open any more.
    let new = sample::four_people().profiles.remove(0);
    harness.state_mut().model.profiles.push(new);
    report(&mut harness, Report::Created(Ok(id.clone())));
    assert_eq!(active(&harness), Some(id));
    assert!(harness.query_by_label("Message").is_none());
}

#[test]
fn an_identity_that_was_not_deleted_says_why() {
    let (mut harness, id) = without_alice();
    report(
        &mut harness,
        Report::Deleted(id, Err(IdentityError::OpenElsewhere)),
    );
    harness.run_steps(40);
    let said = "alice was not deleted. It is open in another window";
    assert!(shows(&harness, said));
}

#[test]
fn without_any_identity_the_window_offers_to_make_one() {
    let mut harness = window([1100.0, 720.0], Theme::Dark, ViewModel::default());
    assert!(shows(&harness, "There is no identity on this computer"));
    let buttons = harness.get_all_by_label("New identity");
    buttons.last().unwrap().click();
    harness.run_steps(3);
    type_into(&mut harness, "Handle", "guest");
    type_into(&mut harness, "Name", "Guest");
    press(&mut harness, Modifiers::NONE, Key::Enter);
    assert_eq!(errands(&mut harness), ["guest/Guest/"]);
}

#[test]
fn more_identities_than_fit_are_reached_and_there_is_an_end_to_them() {
    let mut model = sample::four_people();
    let more = IDENTITIES_MAX - model.profiles.len();
    model.profiles.extend((0..more).map(|number| {
        let handle = format!("p{number}");
        Arc::new(sample::profile(&handle, &handle))
    }));
    let mut harness = window([480.0, 420.0], Theme::Dark, model);
    let last = format!("Identity p{}", more - 1);
    let place = |harness: &Harness<'_, Desk>| harness.get_by_label(&last).rect().bottom();
    assert!(place(&harness) > 420.0);
    harness.get_by_label(&last).focus();
    harness.run_steps(6);
    assert!(place(&harness) < 420.0, "{}", place(&harness));
    // What is chosen by keys comes into sight too.
    press(&mut harness, Modifiers::COMMAND, Key::Num1);
    harness.run_steps(6);
    assert!(
        harness
            .get_by_label("Identity Alice, 3 unread")
            .rect()
            .top()
            >= 0.0
    );
    assert!(harness.query_by_label("Settings").is_some());
    click(&mut harness, "New identity");
    type_into(&mut harness, "Handle", "guest");
    assert!(shows(&harness, "There are too many identities"));
}

#[test]
fn drafts_are_kept_when_a_new_identity_comes_to_the_front() {
    let mut harness = alice();
    open_chat(&mut harness, "Bob");
    support::write(&mut harness, "half");
    harness.state_mut().take();
    harness.event(egui::Event::Text(" a thought".to_owned()));
    harness.step();
    let guest = ProfileId::new("guest");
    let profile = Arc::new(sample::profile("guest", "Guest"));
    harness.state_mut().model.profiles.push(profile);
    report(&mut harness, Report::Created(Ok(guest)));
    let (chat, text) = (ChatId(1), "half a thought".to_owned());
    let saved = Command::SaveDraft { chat, text };
    let alice = ProfileId::new("alice");
    assert!(harness.state_mut().take().contains(&(alice, saved)));
}
