//! Recovery codes and locking, driven by accessible names and keys.

mod support;

use std::sync::Arc;
use std::time::Duration;

use egui::{Key, Modifiers};
use egui_kittest::Harness;
use egui_kittest::kittest::Queryable as _;
use sotto::{Errand, Report};
use sotto_client::view::{KeyringUse, Notice, ProfileId, ProfileState};
use sotto_client::{Command, Passphrase, RecoveryCode};

use support::{Desk, alice, click, click_button, press, sample, shows, type_into};

fn secret(text: &str) -> Passphrase {
    Passphrase::new(text.to_owned())
}

/// Alice with a passphrase, and the settings open.
fn with_passphrase<'a>(has_recovery_code: bool) -> Harness<'a, Desk> {
    let mut harness = alice();
    harness.state_mut().profile("alice", |alice| {
        alice.has_passphrase = true;
        alice.has_recovery_code = has_recovery_code;
    });
    press(&mut harness, Modifiers::COMMAND, Key::Comma);
    harness.state_mut().take();
    harness
}

/// Goes on to where the code is shown.
fn show_code(harness: &mut Harness<'_, Desk>, button: &str) {
    click(harness, button);
    let errands = std::mem::take(&mut harness.state_mut().errands);
    assert!(matches!(*errands, [Errand::MakeCode]), "{errands:?}");
    harness
        .state_mut()
        .app()
        .report(Report::Code(sample::recovery_code()));
    harness.run_steps(3);
    assert!(shows(harness, "58N2-MAHA-58N2-MAHA\n58N2-MAHA-58VN-H6QC"));
}

fn set(current: &str, new: Option<RecoveryCode>) -> (ProfileId, Command) {
    let current = secret(current);
    let command = Command::SetRecoveryCode { current, new };
    (ProfileId::new("alice"), command)
}

fn notice(harness: &mut Harness<'_, Desk>, notice: Notice) {
    harness
        .state_mut()
        .profile("alice", |alice| alice.notice = Some(notice));
    harness.run_steps(3);
}

#[test]
fn a_recovery_code_is_set_after_it_was_typed_back() {
    let mut harness = with_passphrase(false);
    show_code(&mut harness, "Set recovery code");
    click(&mut harness, "Copy code");
    assert!(shows(&harness, "Copied"));
    click(&mut harness, "I have written it down");
    assert!(!shows(&harness, "58N2-MAHA"));
    assert!(harness.get_by_label("Recovery code").is_focused());
    type_into(&mut harness, "Current passphrase", "seven rivers");
    type_into(&mut harness, "Recovery code", "58vn-h6qd");
    assert!(shows(&harness, "The code ends differently"));
    press(&mut harness, Modifiers::NONE, Key::Enter);
    click_button(&mut harness, "Set recovery code");
    assert_eq!(harness.state_mut().take(), []);
    harness.get_by_label("Recovery code").focus();
    harness.run_steps(2);
    press(&mut harness, Modifiers::COMMAND, Key::A);
    // As somebody reads it from paper.
    type_into(&mut harness, "Recovery code", "58vn h6qc");
    assert!(!shows(&harness, "The code ends differently"));
    press(&mut harness, Modifiers::NONE, Key::Enter);
    let asked = harness.state_mut().take();
    assert_eq!(asked, [set("seven rivers", Some(sample::recovery_code()))]);
    notice(&mut harness, Notice::RecoveryCodeSet);
    assert!(harness.query_by_label("Recovery code").is_none());
    assert!(shows(&harness, "The recovery code was changed"));
}

#[test]
fn the_whole_code_may_be_typed_back_and_less_than_two_groups_not() {
    let mut harness = with_passphrase(true);
    show_code(&mut harness, "Replace recovery code");
    assert!(shows(&harness, "The code so far opens it until"));
    click(&mut harness, "I have written it down");
    type_into(&mut harness, "Current passphrase", "seven rivers");
    type_into(&mut harness, "Recovery code", "h6qc");
    press(&mut harness, Modifiers::NONE, Key::Enter);
    assert_eq!(harness.state_mut().take(), []);
    harness.get_by_label("Recovery code").focus();
    harness.run_steps(2);
    press(&mut harness, Modifiers::COMMAND, Key::A);
    type_into(&mut harness, "Recovery code", sample::RECOVERY_CODE);
    click_button(&mut harness, "Replace recovery code");
    let asked = harness.state_mut().take();
    assert_eq!(asked, [set("seven rivers", Some(sample::recovery_code()))]);
}

#[test]
fn a_wrong_passphrase_does_not_cost_the_code_that_was_written_down() {
    let mut harness = with_passphrase(false);
    show_code(&mut harness, "Set recovery code");
    click(&mut harness, "I have written it down");
    type_into(&mut harness, "Recovery code", "58VNH6QC");
    type_into(&mut harness, "Current passphrase", "seven");
    press(&mut harness, Modifiers::NONE, Key::Enter);
    let asked = harness.state_mut().take();
    assert_eq!(asked, [set("seven", Some(sample::recovery_code()))]);
    // Once is enough while the client checks.
    click_button(&mut harness, "Set recovery code");
    assert_eq!(harness.state_mut().take(), []);
    notice(&mut harness, Notice::PassphraseWrong);
    assert!(shows(&harness, "The current passphrase was wrong"));
    let dismissed = (ProfileId::new("alice"), Command::DismissNotice);
    assert_eq!(harness.state_mut().take(), [dismissed]);
    harness
        .state_mut()
        .profile("alice", |alice| alice.notice = None);
    assert!(harness.get_by_label("Current passphrase").is_focused());
    harness
        .get_by_label("Current passphrase")
        .type_text(" rivers");
    harness.run_steps(3);
    assert!(!shows(&harness, "The current passphrase was wrong"));
    press(&mut harness, Modifiers::NONE, Key::Enter);
    let asked = harness.state_mut().take();
    assert_eq!(asked, [set("seven rivers", Some(sample::recovery_code()))]);
}

#[test]
fn an_answer_to_an_earlier_question_is_none_to_this_one() {
    let mut harness = with_passphrase(true);
    notice(&mut harness, Notice::RecoveryCodeSet);
    show_code(&mut harness, "Replace recovery code");
    let dismissed = (ProfileId::new("alice"), Command::DismissNotice);
    assert_eq!(harness.state_mut().take(), [dismissed]);
    assert!(shows(&harness, "I have written it down"));
}

#[test]
fn what_a_full_disk_did_not_take_can_be_asked_for_again() {
    let mut harness = with_passphrase(false);
    show_code(&mut harness, "Set recovery code");
    click(&mut harness, "I have written it down");
    type_into(&mut harness, "Recovery code", "58VNH6QC");
    type_into(&mut harness, "Current passphrase", "seven rivers");
    for _ in 0..2 {
        click_button(&mut harness, "Set recovery code");
        let asked = harness.state_mut().take();
        assert_eq!(asked, [set("seven rivers", Some(sample::recovery_code()))]);
        notice(&mut harness, Notice::NotStored);
    }
    notice(&mut harness, Notice::RecoveryCodeSet);
    assert!(harness.query_by_label("Recovery code").is_none());
}

#[test]
fn a_recovery_code_is_removed_by_whoever_knows_the_passphrase() {
    let mut harness = with_passphrase(true);
    click(&mut harness, "Remove recovery code");
    assert!(harness.get_by_label("Current passphrase").is_focused());
    press(&mut harness, Modifiers::NONE, Key::Enter);
    assert_eq!(harness.state_mut().take(), []);
    type_into(&mut harness, "Current passphrase", "seven rivers");
    press(&mut harness, Modifiers::NONE, Key::Enter);
    assert_eq!(harness.state_mut().take(), [set("seven rivers", None)]);
}

#[test]
fn a_code_goes_from_the_screen_when_the_identity_is_locked() {
    let mut harness = with_passphrase(false);
    show_code(&mut harness, "Set recovery code");
    harness.state_mut().profile("alice", |alice| {
        alice.state = ProfileState::Locked {
            wrong: false,
            checking: false,
        };
    });
    harness.run_steps(3);
    assert!(!shows(&harness, "58N2-MAHA"));
}

#[test]
fn without_a_passphrase_there_is_neither_code_nor_locking() {
    let mut harness = alice();
    press(&mut harness, Modifiers::COMMAND, Key::Comma);
    assert!(!shows(&harness, "recovery code set") && !shows(&harness, "Lock when"));
    for absent in ["Set recovery code", "5 minutes", "Lock now"] {
        assert!(harness.query_by_label(absent).is_none(), "{absent}");
    }
}

fn lock(harness: &mut Harness<'_, Desk>, state: ProfileState, has_recovery_code: bool) {
    harness.state_mut().profile("alice", |alice| {
        alice.state = state;
        alice.has_passphrase = true;
        alice.has_recovery_code = has_recovery_code;
    });
    harness.run_steps(3);
}

#[test]
fn whoever_comes_in_by_the_recovery_code_is_led_to_a_new_passphrase() {
    let mut harness = alice();
    let locked = |wrong, checking| ProfileState::Locked { wrong, checking };
    lock(&mut harness, locked(false, false), false);
    assert!(!shows(&harness, "recovery code"));
    lock(&mut harness, locked(false, false), true);
    assert!(shows(&harness, "Your recovery code opens them too"));
    let alice = ProfileId::new("alice");
    let unlock = |harness: &mut Harness<'_, Desk>, text: &str| {
        type_into(harness, "Passphrase", text);
        press(harness, Modifiers::NONE, Key::Enter);
        let asked = harness.state_mut().take();
        let command = (alice.clone(), Command::Unlock(secret(text)));
        assert!(asked.contains(&command), "{asked:?}");
        lock(harness, locked(false, true), true);
    };
    unlock(&mut harness, "a passphrase");
    lock(&mut harness, ProfileState::Ready, true);
    assert!(harness.query_by_label("New passphrase").is_none());

    lock(&mut harness, locked(false, false), true);
    let typed = sample::RECOVERY_CODE.to_lowercase().replace('-', " ");
    unlock(&mut harness, &typed);
    lock(&mut harness, ProfileState::Ready, true);
    assert!(harness.get_by_label("New passphrase").is_focused());
    assert!(harness.query_by_label("Current passphrase").is_none());
    harness.state_mut().take();
    type_into(&mut harness, "New passphrase", "quiet rivers");
    type_into(&mut harness, "Repeat new passphrase", "quiet rivers");
    press(&mut harness, Modifiers::NONE, Key::Enter);
    let command = Command::SetPassphrase {
        current: sample::recovery_code().to_text(),
        new: secret("quiet rivers"),
    };
    assert_eq!(harness.state_mut().take(), [(alice.clone(), command)]);
}

#[test]
fn a_recovery_code_counts_only_when_it_was_what_opened() {
    let mut harness = alice();
    let locked = |wrong, checking| ProfileState::Locked { wrong, checking };
    let unlock = |harness: &mut Harness<'_, Desk>, text: &str, is_right| {
        type_into(harness, "Passphrase", text);
        press(harness, Modifiers::NONE, Key::Enter);
        lock(harness, locked(false, true), true);
        let state = if is_right {
            ProfileState::Ready
        } else {
            locked(true, false)
        };
        lock(harness, state, true);
    };
    lock(&mut harness, locked(false, false), true);
    unlock(&mut harness, sample::RECOVERY_CODE, false);
    assert!(shows(
        &harness,
        "neither the passphrase nor the recovery code"
    ));
    unlock(&mut harness, "a passphrase", true);
    assert!(harness.query_by_label("New passphrase").is_none());
    lock(&mut harness, locked(false, false), true);
    unlock(&mut harness, "a mistake", false);
    unlock(&mut harness, sample::RECOVERY_CODE, true);
    assert!(harness.query_by_label("New passphrase").is_some());
}

fn told(harness: &mut Harness<'_, Desk>) -> Vec<(String, Option<Duration>)> {
    let asked = harness.state_mut().take().into_iter();
    asked
        .filter_map(|(profile, command)| match command {
            Command::LockAfter(span) => Some((profile.as_str().to_owned(), span)),
            _ => None,
        })
        .collect()
}

const QUARTER: Option<Duration> = Some(Duration::from_mins(15));

#[test]
fn the_time_to_lock_is_chosen_for_all_identities() {
    let mut harness = with_passphrase(false);
    for (choice, span) in [("15 minutes", QUARTER), ("Never", None)] {
        click(&mut harness, choice);
        let people = ["alice", "bob", "charlie", "diana"];
        let expected = people.map(|who| (who.to_owned(), span));
        assert_eq!(told(&mut harness), expected);
        assert_eq!(harness.state_mut().app().lock_after(), span);
    }
}

/// A window over Alice's identity, which has a passphrase, told at its start when to lock.
fn that_locks<'a>() -> Harness<'a, Desk> {
    let mut model = sample::four_people();
    model.profiles.truncate(1);
    for profile in &mut model.profiles {
        Arc::make_mut(profile).has_passphrase = true;
    }
    let options = sotto::AppOptions {
        lock_after: QUARTER,
        ..sotto::AppOptions::default()
    };
    support::window_with([1100.0, 720.0], options, model)
}

#[test]
fn the_client_is_told_once_when_to_lock_and_whoever_is_made_later_too() {
    let mut harness = that_locks();
    assert_eq!(told(&mut harness), [("alice".to_owned(), QUARTER)]);
    let guest = Arc::new(sample::profile("guest", "Guest"));
    harness.state_mut().model.profiles.push(guest.clone());
    harness.run_steps(8);
    assert_eq!(told(&mut harness), [("guest".to_owned(), QUARTER)]);
    // She was deleted, and made again.
    harness.state_mut().model.profiles.pop();
    harness.run_steps(2);
    harness.state_mut().model.profiles.push(guest);
    harness.run_steps(2);
    assert_eq!(told(&mut harness), [("guest".to_owned(), QUARTER)]);
}

#[test]
fn whoever_only_reads_is_there_too() {
    let mut harness = that_locks();
    harness.state_mut().take();
    // A step is a quarter of a second: nobody is there for half a minute.
    harness.run_steps(120);
    assert_eq!(told(&mut harness), []);
    for _ in 0..3 {
        harness.hover_at(egui::pos2(400.0, 300.0));
        harness.run_steps(2);
        harness.hover_at(egui::pos2(420.0, 300.0));
        harness.run_steps(2);
        assert_eq!(told(&mut harness), [("alice".to_owned(), QUARTER)]);
        harness.run_steps(100);
        assert_eq!(told(&mut harness), []);
    }
    lock(&mut harness, ProfileState::OpenElsewhere, false);
    harness.hover_at(egui::pos2(400.0, 300.0));
    harness.run_steps(2);
    assert_eq!(told(&mut harness), []);
}

fn keyring(harness: &mut Harness<'_, Desk>, keyring: KeyringUse, state: ProfileState) {
    harness.state_mut().profile("alice", |alice| {
        alice.state = state;
        alice.keyring = keyring;
        alice.has_passphrase = false;
    });
    harness.run_steps(3);
}

#[test]
fn the_keyring_is_used_and_left_by_choice() {
    let alice_id = ProfileId::new("alice");
    let mut harness = with_passphrase(false);
    click(&mut harness, "Use the keyring");
    assert!(shows(&harness, "only a recovery code opens this identity"));
    assert!(harness.query_by_label("New passphrase").is_none());
    type_into(&mut harness, "Current passphrase", "seven rivers");
    harness.state_mut().take();
    press(&mut harness, Modifiers::NONE, Key::Enter);
    let current = secret("seven rivers");
    let command = Command::UseKeyring { current };
    assert_eq!(harness.state_mut().take(), [(alice_id.clone(), command)]);

    press(&mut harness, Modifiers::COMMAND, Key::Comma);
    keyring(&mut harness, KeyringUse::Asked, ProfileState::Ready);
    assert!(shows(&harness, "Waiting for the keyring"));
    assert!(harness.query_by_label("Use the keyring").is_none());
    keyring(&mut harness, KeyringUse::Yes, ProfileState::Ready);
    assert!(shows(&harness, "set a recovery code"));
    assert!(harness.query_by_label("Set recovery code").is_some());
    assert!(harness.query_by_label("Lock now").is_none());
    click(&mut harness, "Leave the keyring");
    assert!(shows(&harness, "a file beside the messages"));
    harness.state_mut().take();
    click_button(&mut harness, "Leave the keyring");
    let (current, new) = (secret(""), secret(""));
    let command = Command::SetPassphrase { current, new };
    assert_eq!(harness.state_mut().take(), [(alice_id.clone(), command)]);

    // Without a passphrase there is none to be asked for.
    press(&mut harness, Modifiers::COMMAND, Key::Comma);
    keyring(&mut harness, KeyringUse::No, ProfileState::Ready);
    click(&mut harness, "Use the keyring");
    harness.state_mut().take();
    click_button(&mut harness, "Use the keyring");
    let current = secret("");
    let command = Command::UseKeyring { current };
    assert_eq!(harness.state_mut().take(), [(alice_id, command)]);
}

#[test]
fn whoever_gets_no_key_from_the_keyring_may_try_again_or_use_the_code() {
    let mut harness = alice();
    let locked = |wrong| ProfileState::Locked {
        wrong,
        checking: false,
    };
    keyring(&mut harness, KeyringUse::Yes, locked(false));
    assert!(shows(&harness, "did not give the key"));
    for absent in ["Passphrase", "Recovery code", "Unlock"] {
        assert!(harness.query_by_label(absent).is_none(), "{absent}");
    }
    harness.state_mut().take();
    click(&mut harness, "Try again");
    let alice_id = ProfileId::new("alice");
    let asked = harness.state_mut().take();
    assert_eq!(asked, [(alice_id.clone(), Command::Open)]);

    harness
        .state_mut()
        .profile("alice", |alice| alice.has_recovery_code = true);
    harness.run_steps(3);
    type_into(&mut harness, "Recovery code", "not one");
    press(&mut harness, Modifiers::NONE, Key::Enter);
    let asked = harness.state_mut().take();
    let command = Command::Unlock(secret("not one"));
    assert!(asked.contains(&(alice_id, command)), "{asked:?}");
    keyring(&mut harness, KeyringUse::Yes, locked(true));
    assert!(shows(&harness, "Wrong recovery code"));
}
