//! Backups, restorations and exports, driven by accessible names and keys.

mod support;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use egui::accesskit::Role;
use egui::{Key, Modifiers};
use egui_kittest::Harness;
use egui_kittest::kittest::Queryable as _;
use jiff::tz::TimeZone;
use sotto::{Errand, FileChoice, Report};
use sotto_client::view::{ChatId, ExportFormat, Job, JobKind, JobState, ProfileId, ProfileState};
use sotto_client::{BackupError, Command, Passphrase};

use support::{Desk, alice, click, click_button, open_chat, press, sample, shows, type_into};

const FILE: &str = "/home/alice/Documents/sotto-alice-2026-11-24.sotto";

fn alice_id() -> ProfileId {
    ProfileId::new("alice")
}

fn commands(harness: &mut Harness<'_, Desk>) -> Vec<Command> {
    let asked = harness.state_mut().take().into_iter();
    asked
        .map(|(profile, command)| {
            assert_eq!(profile, alice_id());
            command
        })
        .collect()
}

/// What the snapshot says of a job; `None` once it is put away.
fn job(harness: &mut Harness<'_, Desk>, job: impl Into<Option<Job>>) {
    let job = job.into();
    harness
        .state_mut()
        .profile("alice", |alice| alice.job = job);
    harness.run_steps(3);
}

fn backup(state: JobState) -> Job {
    let (kind, to) = (JobKind::Backup, PathBuf::from(FILE));
    Job { kind, to, state }
}

fn running(done: u64, total: u64) -> Job {
    backup(JobState::Running { done, total })
}

/// Alice's backup dialog, from the settings.
fn open_backup(harness: &mut Harness<'_, Desk>) {
    press(harness, Modifiers::COMMAND, Key::Comma);
    click(harness, "Back up identity");
    assert!(shows(harness, "Back up Alice"));
    harness.state_mut().take();
}

fn back_up(to: &str, replaces: bool) -> Command {
    Command::BackUp {
        to: to.into(),
        replaces,
        passphrase: Passphrase::new("seven rivers".to_owned()),
        code: None,
    }
}

/// The backup dialog after the command was given.
fn begun<'a>() -> Harness<'a, Desk> {
    let mut harness = alice();
    open_backup(&mut harness);
    type_into(&mut harness, "Passphrase of the backup", "seven rivers");
    type_into(
        &mut harness,
        "Repeat passphrase of the backup",
        "seven rivers",
    );
    press(&mut harness, Modifiers::NONE, Key::Enter);
    assert_eq!(commands(&mut harness), [back_up(FILE, false)]);
    harness
}

#[test]
fn a_backup_needs_a_passphrase_that_is_long_and_the_same_twice() {
    let mut harness = alice();
    open_backup(&mut harness);
    assert!(
        harness
            .get_by_label("Passphrase of the backup")
            .is_focused()
    );
    let refuse = |harness: &mut Harness<'_, Desk>| {
        press(harness, Modifiers::NONE, Key::Enter);
        click_button(harness, "Back up");
        assert_eq!(commands(harness), []);
    };
    refuse(&mut harness);
    type_into(&mut harness, "Passphrase of the backup", "short");
    type_into(&mut harness, "Repeat passphrase of the backup", "short");
    assert!(shows(&harness, "At least 8 characters"));
    refuse(&mut harness);
    type_into(&mut harness, "Passphrase of the backup", "er one");
    refuse(&mut harness);
    type_into(&mut harness, "Repeat passphrase of the backup", "er owl");
    assert!(shows(&harness, "not the same"));
    refuse(&mut harness);
    begun();
}

#[test]
fn a_backup_on_its_way_is_shown_and_can_be_stopped() {
    let mut harness = begun();
    assert!(harness.query_by_label("Passphrase of the backup").is_none());
    job(&mut harness, running(0, 0));
    assert!(shows(&harness, "Preparing"));
    job(&mut harness, running(50, 200));
    assert!(shows(&harness, "Writing the backup: 25 %") && shows(&harness, FILE));
    job(&mut harness, running(200, 200));
    assert!(shows(&harness, "Reading it again"));
    click(&mut harness, "Stop");
    assert_eq!(commands(&mut harness), [Command::EndJob]);
    let stopped = JobState::Failed(BackupError::Cancelled);
    job(&mut harness, backup(stopped));
    assert_eq!(commands(&mut harness), [Command::EndJob]);
    // What was typed is still there, but not before the old job is put away.
    click_button(&mut harness, "Back up");
    assert_eq!(commands(&mut harness), []);
    job(&mut harness, None);
    assert!(!shows(&harness, "stopped"));
    click_button(&mut harness, "Back up");
    assert_eq!(commands(&mut harness), [back_up(FILE, false)]);
}

#[test]
fn a_backup_that_is_there_says_where_and_how_large_and_is_put_away_once() {
    let mut harness = begun();
    job(&mut harness, running(1, 2));
    job(&mut harness, backup(JobState::Done { bytes: 1_234_567 }));
    assert!(shows(
        &harness,
        "The backup is written, 1.2 MB. It was read again"
    ));
    assert_eq!(commands(&mut harness), [Command::EndJob]);
    job(&mut harness, None);
    assert!(shows(&harness, FILE));
    click(&mut harness, "Copy path");
    harness.get_by_label("Done").focus();
    harness.run_steps(2);
    press(&mut harness, Modifiers::NONE, Key::Enter);
    assert!(!shows(&harness, "Back up Alice"));
    assert_eq!(commands(&mut harness), []);
}

#[test]
fn a_file_that_is_there_is_replaced_only_by_its_own_button() {
    let mut harness = begun();
    job(&mut harness, backup(JobState::Failed(BackupError::Exists)));
    job(&mut harness, None);
    assert_eq!(commands(&mut harness), [Command::EndJob]);
    assert!(shows(&harness, "There is a file of this name"));
    harness.get_by_label("Passphrase of the backup").focus();
    harness.run_steps(2);
    press(&mut harness, Modifiers::NONE, Key::Enter);
    assert_eq!(commands(&mut harness), []);
    click(&mut harness, "Replace the file");
    assert_eq!(commands(&mut harness), [back_up(FILE, true)]);
    job(&mut harness, backup(JobState::Failed(BackupError::Exists)));
    job(&mut harness, None);
    harness.state_mut().take();
    // Another name is another file. A relative one lies in the usual folder.
    harness.get_by_label("Backup file").focus();
    harness.run_steps(2);
    press(&mut harness, Modifiers::COMMAND, Key::A);
    type_into(&mut harness, "Backup file", "other.sotto");
    assert!(harness.query_by_label("Replace the file").is_none());
    press(&mut harness, Modifiers::NONE, Key::Enter);
    let other = "/home/alice/Documents/other.sotto";
    assert_eq!(commands(&mut harness), [back_up(other, false)]);
}

#[test]
fn a_backup_goes_on_without_its_dialog_and_is_told_of() {
    let mut harness = begun();
    job(&mut harness, running(1, 2));
    press(&mut harness, Modifiers::NONE, Key::Escape);
    assert!(!shows(&harness, "Back up Alice"));
    open_backup(&mut harness);
    assert!(shows(&harness, "Writing the backup: 50 %"));
    press(&mut harness, Modifiers::NONE, Key::Escape);
    job(&mut harness, backup(JobState::Done { bytes: 999 }));
    assert!(shows(
        &harness,
        "It was read again, and is whole. /home/alice"
    ));
    assert_eq!(commands(&mut harness), [Command::EndJob]);
    job(&mut harness, None);
    job(&mut harness, backup(JobState::Failed(BackupError::Full)));
    assert!(shows(&harness, "The backup was not made. The disk is full"));
}

#[test]
fn locking_stops_a_backup_and_that_is_said() {
    let mut harness = begun();
    job(&mut harness, running(1, 2));
    harness.state_mut().profile("alice", |alice| {
        alice.job = None;
        alice.state = ProfileState::Locked {
            wrong: false,
            checking: false,
        };
    });
    harness.run_steps(3);
    assert!(!shows(&harness, "Back up Alice"));
    assert!(shows(
        &harness,
        "The backup was not made: its identity was locked"
    ));
    press(&mut harness, Modifiers::COMMAND, Key::Comma);
    assert!(harness.query_by_label("Back up identity").is_none());
    assert!(shows(&harness, "back it up, open it first"));
}

/// Opens the dialog that restores.
fn open_restore(harness: &mut Harness<'_, Desk>) {
    click(harness, "New identity");
    click(harness, "Restore from a backup");
    assert!(harness.get_by_label("Backup file").is_focused());
}

fn restorations(harness: &mut Harness<'_, Desk>) -> Vec<(PathBuf, String)> {
    let errands = std::mem::take(&mut harness.state_mut().errands);
    let told = errands.into_iter().filter_map(|errand| match errand {
        Errand::Restore { from, secret } => Some((from, secret.to_string())),
        _ => None,
    });
    told.collect()
}

fn report(harness: &mut Harness<'_, Desk>, report: Report) {
    harness.state_mut().app().report(report);
    harness.run_steps(3);
}

/// The dialog that restores, after that was asked for.
fn restoring<'a>() -> Harness<'a, Desk> {
    let mut harness = alice();
    open_restore(&mut harness);
    harness.get_by_label("Backup file").type_text("guest.sotto");
    harness.run_steps(2);
    press(&mut harness, Modifiers::NONE, Key::Enter);
    assert_eq!(restorations(&mut harness), []);
    type_into(
        &mut harness,
        "Passphrase or recovery code of the backup",
        "seven rivers",
    );
    press(&mut harness, Modifiers::NONE, Key::Enter);
    let from = Path::new(sample::DOCUMENTS).join("guest.sotto");
    assert_eq!(restorations(&mut harness), [(from, "seven rivers".into())]);
    harness
}

#[test]
fn a_restoration_is_shown_and_can_be_stopped() {
    let mut harness = restoring();
    assert!(shows(&harness, "Opening the backup"));
    report(&mut harness, Report::Restoring { done: 1, total: 4 });
    assert!(shows(&harness, "Reading the backup: 25 %"));
    report(&mut harness, Report::Restoring { done: 4, total: 4 });
    assert!(shows(&harness, "Checking all of it"));
    click(&mut harness, "Stop");
    let errands = std::mem::take(&mut harness.state_mut().errands);
    assert!(matches!(*errands, [Errand::EndRestore]), "{errands:?}");
    report(&mut harness, Report::Restored(Err(BackupError::Cancelled)));
    assert!(!shows(&harness, "stopped"));
    click_button(&mut harness, "Restore");
    assert_eq!(restorations(&mut harness).len(), 1);
}

#[test]
fn a_restoration_that_fails_says_why_and_can_be_tried_again() {
    let mut harness = restoring();
    for (problem, said) in [
        (BackupError::NotBackup, "no backup of Sotto"),
        (BackupError::Damaged, "is damaged"),
        (BackupError::Newer, "A newer Sotto wrote"),
        (BackupError::Taken, "is on this computer. Delete it"),
        (BackupError::Full, "The disk is full"),
        (BackupError::File, "cannot be read"),
    ] {
        report(&mut harness, Report::Restored(Err(problem)));
        assert!(shows(&harness, said), "{said}");
        assert!(harness.get_by_label("Backup file").is_focused());
        click_button(&mut harness, "Restore");
        assert_eq!(restorations(&mut harness).len(), 1);
    }
    report(
        &mut harness,
        Report::Restored(Err(BackupError::WrongSecret)),
    );
    assert!(shows(&harness, "That does not open the backup"));
    let secret = "Passphrase or recovery code of the backup";
    assert!(harness.get_by_label(secret).is_focused());
    harness.get_by_label(secret).type_text("!");
    harness.run_steps(3);
    assert!(!shows(&harness, "That does not open the backup"));
}

/// Puts a guest into the model, who has a passphrase.
fn add_guest(harness: &mut Harness<'_, Desk>) -> ProfileId {
    let mut guest = sample::profile("guest", "Guest");
    guest.has_passphrase = true;
    guest.state = ProfileState::Locked {
        wrong: false,
        checking: false,
    };
    let id = guest.id.clone();
    harness.state_mut().model.profiles.push(guest.into());
    id
}

fn active(harness: &Harness<'_, Desk>) -> Option<ProfileId> {
    let app = harness.state().app.as_ref();
    app.and_then(|app| app.active().cloned())
}

#[test]
fn who_was_restored_is_shown_to_whoever_waits_for_that() {
    let mut harness = restoring();
    let guest = add_guest(&mut harness);
    report(&mut harness, Report::Restored(Ok(guest.clone())));
    assert_eq!(active(&harness), Some(guest));
    assert!(shows(&harness, "guest was restored"));
    assert!(harness.query_by_label("Passphrase").is_some());
}

#[test]
fn whoever_has_gone_on_is_left_there_when_a_restoration_ends() {
    let mut harness = restoring();
    press(&mut harness, Modifiers::NONE, Key::Escape);
    open_chat(&mut harness, "Bob");
    let guest = add_guest(&mut harness);
    report(&mut harness, Report::Restored(Ok(guest)));
    assert_eq!(active(&harness), Some(alice_id()));
    assert!(shows(&harness, "guest was restored"));
    open_restore(&mut harness);
    press(&mut harness, Modifiers::NONE, Key::Escape);
    report(&mut harness, Report::Restored(Err(BackupError::Damaged)));
    assert!(shows(
        &harness,
        "The identity was not restored. The backup is damaged"
    ));
}

#[derive(Debug)]
struct Dropped(&'static str);

impl egui::DroppedFile for Dropped {
    fn path(&self) -> &Path {
        Path::new(self.0)
    }

    fn bytes(&self) -> Result<Vec<u8>, String> {
        Err("no frame reads a file".to_owned())
    }
}

#[test]
fn a_file_that_is_dropped_is_the_backup() {
    let mut harness = alice();
    open_restore(&mut harness);
    let file = Arc::new(Dropped("/media/stick/alice.sotto"));
    harness.input_mut().dropped_files.push(file);
    harness.run_steps(3);
    let secret = "Passphrase or recovery code of the backup";
    assert!(harness.get_by_label(secret).is_focused());
    harness.get_by_label(secret).type_text("x");
    harness.run_steps(2);
    press(&mut harness, Modifiers::NONE, Key::Enter);
    let from = PathBuf::from("/media/stick/alice.sotto");
    assert_eq!(restorations(&mut harness), [(from, "x".into())]);
}

fn choice(harness: &mut Harness<'_, Desk>) -> Option<FileChoice> {
    click(harness, "Choose…");
    // Once is enough while the person chooses.
    click(harness, "Choose…");
    let errands = std::mem::take(&mut harness.state_mut().errands);
    assert_eq!(errands.len(), 1);
    let mut choices = errands.into_iter().filter_map(|errand| match errand {
        Errand::Choose(choice) => Some(choice),
        _ => None,
    });
    choices.next()
}

#[test]
fn a_file_is_chosen_in_a_dialog_of_the_system() {
    let mut harness = alice();
    open_backup(&mut harness);
    let asked = choice(&mut harness).unwrap();
    assert!(asked.is_new);
    assert_eq!(asked.begin, Path::new(FILE));
    let field = |harness: &Harness<'_, Desk>| harness.get_by_label("Backup file").value();
    asked.reply.send(None).unwrap();
    harness.run_steps(3);
    assert_eq!(field(&harness).as_deref(), Some(FILE));
    let chosen = PathBuf::from("/media/stick/a.sotto");
    choice(&mut harness)
        .unwrap()
        .reply
        .send(Some(chosen))
        .unwrap();
    harness.run_steps(3);
    assert_eq!(field(&harness).as_deref(), Some("/media/stick/a.sotto"));
    assert!(!shows(&harness, "Type the path"));
    drop(choice(&mut harness).unwrap());
    harness.run_steps(3);
    assert!(shows(&harness, "no dialog for files. Type the path"));
    // Whoever closes this one does not wait for the other one.
    let asked = choice(&mut harness).unwrap();
    press(&mut harness, Modifiers::NONE, Key::Escape);
    assert!(asked.reply.send(None).is_err());
}

#[cfg(unix)]
#[test]
fn a_path_that_nobody_can_type_can_be_chosen() {
    use std::os::unix::ffi::OsStringExt as _;

    let mut harness = alice();
    open_restore(&mut harness);
    let odd = PathBuf::from(std::ffi::OsString::from_vec(b"/media/\xff.sotto".to_vec()));
    let asked = choice(&mut harness).unwrap();
    assert!(!asked.is_new);
    asked.reply.send(Some(odd.clone())).unwrap();
    harness.run_steps(3);
    let secret = "Passphrase or recovery code of the backup";
    type_into(&mut harness, secret, "x");
    press(&mut harness, Modifiers::NONE, Key::Enter);
    assert_eq!(restorations(&mut harness), [(odd, "x".into())]);
}

fn export(format: ExportFormat, to: &str) -> Command {
    Command::Export {
        chat: ChatId(1),
        format,
        zone: TimeZone::UTC,
        to: to.into(),
        replaces: false,
    }
}

#[test]
fn a_chat_is_exported_in_the_format_that_was_chosen_after_a_warning() {
    let mut harness = alice();
    open_chat(&mut harness, "Bob");
    harness.state_mut().take();
    click(&mut harness, "More");
    click(&mut harness, "Export chat");
    assert!(shows(&harness, "The file is not encrypted. Everybody"));
    assert!(harness.get_by_label("Text").is_focused());
    let field = |harness: &Harness<'_, Desk>| harness.get_by_label("File").value();
    let file = "/home/alice/Documents/sotto-alice-bob-2026-11-24";
    for (format, ending) in [("Text", "txt"), ("HTML", "html"), ("JSON", "json")] {
        click(&mut harness, format);
        assert_eq!(field(&harness), Some(format!("{file}.{ending}")));
    }
    // A name that the person has typed keeps what is theirs.
    harness.get_by_label("File").focus();
    harness.run_steps(2);
    press(&mut harness, Modifiers::COMMAND, Key::A);
    type_into(&mut harness, "File", "/tmp/bob.json");
    click(&mut harness, "HTML");
    assert_eq!(field(&harness).as_deref(), Some("/tmp/bob.html"));
    type_into(&mut harness, "File", ".old");
    click(&mut harness, "JSON");
    assert_eq!(field(&harness).as_deref(), Some("/tmp/bob.html.old"));
    assert_eq!(commands(&mut harness), []);
    click(&mut harness, "Export unencrypted");
    let expected = export(ExportFormat::Json, "/tmp/bob.html.old");
    assert_eq!(commands(&mut harness), [expected]);
    let done = Job {
        kind: JobKind::Export,
        to: "/tmp/bob.html.old".into(),
        state: JobState::Done { bytes: 20_000 },
    };
    job(&mut harness, done);
    assert!(shows(
        &harness,
        "The chat is written, 20 kB. The file is not encrypted"
    ));
    assert_eq!(commands(&mut harness), [Command::EndJob]);
}

#[test]
fn a_backup_that_ends_is_not_told_in_the_dialog_of_an_export() {
    let mut harness = begun();
    job(&mut harness, running(1, 2));
    press(&mut harness, Modifiers::NONE, Key::Escape);
    open_chat(&mut harness, "Bob");
    click(&mut harness, "More");
    click(&mut harness, "Export chat");
    // One at a time.
    assert!(shows(&harness, "Writing the backup: 50 %"));
    job(&mut harness, backup(JobState::Done { bytes: 999 }));
    job(&mut harness, None);
    assert!(shows(&harness, "The backup is written") && shows(&harness, "Export the chat"));
    harness.state_mut().take();
    click(&mut harness, "Export unencrypted");
    let file = "/home/alice/Documents/sotto-alice-bob-2026-11-24.txt";
    assert_eq!(commands(&mut harness), [export(ExportFormat::Text, file)]);
}

/// Goes on by the tabulator until this has the focus.
fn tab_to(harness: &mut Harness<'_, Desk>, role: Role, label: &str) {
    let has_focus =
        |harness: &Harness<'_, Desk>| harness.get_by_role_and_label(role, label).is_focused();
    let mut steps = 0;
    while !has_focus(harness) {
        steps += 1;
        assert!(steps < 40, "{label} is not reached by keys");
        press(harness, Modifiers::NONE, Key::Tab);
    }
}

#[test]
fn everything_is_reached_by_keys() {
    let mut harness = alice();
    press(&mut harness, Modifiers::COMMAND, Key::Comma);
    tab_to(&mut harness, Role::Button, "Back up identity");
    press(&mut harness, Modifiers::NONE, Key::Enter);
    harness.state_mut().take();
    for field in [
        "Passphrase of the backup",
        "Repeat passphrase of the backup",
    ] {
        tab_to(&mut harness, Role::PasswordInput, field);
        harness.get_by_label(field).type_text("seven rivers");
        harness.run_steps(2);
    }
    tab_to(&mut harness, Role::Button, "Choose…");
    tab_to(&mut harness, Role::Button, "Back up");
    press(&mut harness, Modifiers::NONE, Key::Enter);
    assert_eq!(commands(&mut harness), [back_up(FILE, false)]);
    job(&mut harness, running(1, 2));
    tab_to(&mut harness, Role::Button, "Stop");
    press(&mut harness, Modifiers::NONE, Key::Enter);
    assert_eq!(commands(&mut harness), [Command::EndJob]);
}

#[test]
fn a_dialog_in_which_nothing_moves_asks_for_no_frame() {
    let rests = |harness: &mut Harness<'_, Desk>| {
        harness.run_steps(60);
        let outputs = harness.output().viewport_output.values();
        let delay = outputs.map(|output| output.repaint_delay).min().unwrap();
        delay.as_secs() > 3600
    };
    let mut harness = alice();
    open_restore(&mut harness);
    assert!(rests(&mut harness));
    let mut harness = begun();
    assert!(!rests(&mut harness));
    job(&mut harness, running(1, 4));
    assert!(rests(&mut harness));
    job(&mut harness, backup(JobState::Done { bytes: 999 }));
    job(&mut harness, None);
    assert!(rests(&mut harness));
}
