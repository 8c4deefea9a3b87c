//! An identity taken elsewhere, and a chat taken out.

use std::fs;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use jiff::tz::TimeZone;
use sotto_client::view::{
    Delivery, ExportFormat, Job, JobKind, JobState, Message, Notice, ProfileProblem, ProfileState,
    RelayState,
};
use sotto_client::{
    Argon2Cost, AskError, BackupError, Command, Environment, Passphrase, identities, restore,
};
use sotto_tests::{Desk, Host, Tap, texts};
use tempfile::tempdir;

const SECRET: &str = "correct horse";

fn backup(to: &Path) -> Command {
    Command::BackUp {
        to: to.to_owned(),
        replaces: false,
        passphrase: Passphrase::new(SECRET.to_owned()),
        code: None,
    }
}

/// How a backup or an export ends.
fn end_of_job(desk: &Desk, who: &str) -> Job {
    desk.wait(who, "the end of a job", |view| {
        let job = view.job.clone()?;
        (!matches!(job.state, JobState::Running { .. })).then_some(job)
    })
}

/// A file that is there, with its size.
fn written(file: &Path) -> JobState {
    let bytes = fs::metadata(file).map_or(0, |found| found.len());
    JobState::Done { bytes }
}

fn back_up(desk: &Desk, who: &str, to: &Path) {
    desk.command(who, backup(to));
    let job = end_of_job(desk, who);
    let expected = Job {
        kind: JobKind::Backup,
        to: to.to_owned(),
        state: written(to),
    };
    assert_eq!(job, expected);
}

fn bring_back(data_dir: &Path, file: &Path, secret: &str) -> Result<String, BackupError> {
    let cost = Argon2Cost::FLOOR;
    let environment = Environment::system();
    let go_on = |_, _| ControlFlow::Continue(());
    restore(data_dir, file, secret, cost, &environment, go_on)
}

/// Opens the vault of an identity that was restored.
fn unlock(desk: &Desk, who: &str) {
    desk.wait(who, "a locked vault", |view| {
        matches!(view.state, ProfileState::Locked { .. }).then_some(())
    });
    desk.command(who, Command::Unlock(Passphrase::new(SECRET.to_owned())));
    desk.wait_ready(who);
}

fn wait_told(desk: &Desk, who: &str) {
    desk.wait(who, "that it was set back", |view| {
        (view.notice == Some(Notice::SetBack)).then_some(())
    });
}

/// Waits until what was written in a chat has come, in any order, and one's own was delivered.
fn wait_all(desk: &Desk, who: &str, with: &str, expected: &[&str]) {
    let mut expected = expected.to_vec();
    expected.sort_unstable();
    desk.show(who, with);
    let is_there = |message: &Arc<Message>| message.delivery >= Delivery::Delivered;
    desk.wait_messages(who, with, &format!("{expected:?}, delivered"), |messages| {
        let mut seen = texts(messages);
        seen.sort_unstable();
        let mut own = messages.iter().filter(|message| message.is_mine);
        (seen == expected && own.all(is_there)).then_some(())
    });
}

#[test]
fn a_restored_identity_goes_on_with_everybody_and_nothing_is_lost_or_double() {
    let dir = tempdir().unwrap();
    let tap = Tap::default();
    let host = Host::start_with(&dir.path().join("relay"), |store| tap.around(store));
    let at = |name: &str| dir.path().join(name);
    let first = Desk::open_only(&at("first"), Some(host.invite()), "alice");
    let bob = Desk::open_only(&at("bob"), Some(host.invite()), "bob");
    first.write("alice", "bob", "one");
    bob.read("bob", "alice", &["one"]);
    bob.write("bob", "alice", "two");
    first.read("alice", "bob", &["one", "two"]);
    // Written, and not yet at the relay, when the backup is made.
    first.relay.send_replace(None);
    first.wait("alice", "no relay", |view| {
        (view.relay == RelayState::Offline(None)).then_some(())
    });
    first.write("alice", "bob", "three");
    first.wait_messages("alice", "bob", "it", |messages| {
        (messages.len() == 3).then_some(())
    });
    let file = at("alice.backup");
    back_up(&first, "alice", &file);
    // The first life goes on within the same connection as before, and what it says comes.
    first.relay.send_replace(Some(host.invite()));
    wait_all(&bob, "bob", "alice", &["one", "two", "three"]);
    bob.write("bob", "alice", "lost with the computer");
    let before = ["one", "two", "three", "lost with the computer"];
    wait_all(&first, "alice", "bob", &before);
    wait_all(&bob, "bob", "alice", &before);
    // The computer is gone. Bob writes in the session that went with it.
    drop(first);
    fs::remove_dir_all(at("first")).unwrap();
    bob.write("bob", "alice", "while away");

    assert_eq!(bring_back(&at("second"), &file, SECRET).unwrap(), "alice");
    let second = Desk::open_only(&at("second"), Some(host.invite()), "alice");
    unlock(&second, "alice");
    wait_told(&second, "alice");
    // What Bob sent to the old life comes again in a session of the new one.
    wait_all(
        &second,
        "alice",
        "bob",
        &["one", "two", "three", "while away"],
    );
    second.write("alice", "bob", "still me");
    let all = [&before[..], &["while away", "still me"]].concat();
    wait_all(&bob, "bob", "alice", &all);
    bob.write("bob", "alice", "so I see");
    let here = ["one", "two", "three", "while away", "still me", "so I see"];
    wait_all(&second, "alice", "bob", &here);
    assert_eq!(bob.view("bob").notice, None);
    tap.check_places();

    // After a restart as well, and whoever has read it is not told again.
    second.command("alice", Command::DismissNotice);
    second.wait("alice", "no notice", |view| {
        view.notice.is_none().then_some(())
    });
    drop(second);
    let second = Desk::open_only(&at("second"), Some(host.invite()), "alice");
    unlock(&second, "alice");
    bob.write("bob", "alice", "good night");
    wait_all(
        &second,
        "alice",
        "bob",
        &[&here[..], &["good night"]].concat(),
    );
    assert_eq!(second.view("alice").notice, None);
    tap.check_places();
}

#[test]
fn a_copy_that_is_as_new_as_the_original_starts_anew_all_the_same() {
    let dir = tempdir().unwrap();
    let host = Host::start(&dir.path().join("relay"));
    let at = |name: &str| dir.path().join(name);
    let first = Desk::open_only(&at("first"), Some(host.invite()), "alice");
    let bob = Desk::open_only(&at("bob"), Some(host.invite()), "bob");
    first.write("alice", "bob", "one");
    wait_all(&bob, "bob", "alice", &["one"]);
    wait_all(&first, "alice", "bob", &["one"]);
    // By its marks, the relay knows of nothing that came later.
    first.relay.send_replace(None);
    first.wait("alice", "no relay", |view| {
        (view.relay == RelayState::Offline(None)).then_some(())
    });
    back_up(&first, "alice", &at("alice.backup"));
    drop(first);
    bob.write("bob", "alice", "while away");
    bring_back(&at("second"), &at("alice.backup"), SECRET).unwrap();
    let second = Desk::open_only(&at("second"), Some(host.invite()), "alice");
    unlock(&second, "alice");
    wait_all(&second, "alice", "bob", &["one", "while away"]);
    wait_told(&second, "alice");
    wait_all(&bob, "bob", "alice", &["one", "while away"]);
}

#[test]
fn an_identity_that_goes_on_beside_its_restored_copy_is_told() {
    let dir = tempdir().unwrap();
    let tap = Tap::default();
    let host = Host::start_with(&dir.path().join("relay"), |store| tap.around(store));
    let at = |name: &str| dir.path().join(name);
    let first = Desk::open_only(&at("first"), Some(host.invite()), "alice");
    let bob = Desk::open_only(&at("bob"), Some(host.invite()), "bob");
    first.write("alice", "bob", "one");
    wait_all(&bob, "bob", "alice", &["one"]);
    back_up(&first, "alice", &at("alice.backup"));
    bring_back(&at("second"), &at("alice.backup"), SECRET).unwrap();
    let second = Desk::open_only(&at("second"), Some(host.invite()), "alice");
    unlock(&second, "alice");
    wait_told(&second, "alice");
    second.write("alice", "bob", "from the copy");
    wait_all(&bob, "bob", "alice", &["one", "from the copy"]);
    wait_told(&first, "alice");
    tap.check_places();
}

#[test]
fn a_damaged_vault_says_so_and_a_backup_is_the_way_out() {
    let dir = tempdir().unwrap();
    let data = dir.path().join("data");
    let desk = Desk::open_only(&data, None, "alice");
    desk.wait_ready("alice");
    desk.write("alice", "bob", "kept");
    let file = dir.path().join("alice.backup");
    back_up(&desk, "alice", &file);
    drop(desk);
    let database = data.join("profiles/alice/vault.db");
    let mut bytes = fs::read(&database).unwrap();
    bytes[..4096].reverse();
    fs::write(&database, &bytes).unwrap();

    let desk = Desk::open_only(&data, None, "alice");
    desk.wait("alice", "that the vault is damaged", |view| {
        (view.state == ProfileState::Failed(ProfileProblem::Damaged)).then_some(())
    });
    drop(desk);
    assert_eq!(fs::read(&database).unwrap(), bytes, "nothing was changed");
    assert_eq!(bring_back(&data, &file, SECRET), Err(BackupError::Taken));
    identities::delete(&data, "alice").unwrap();
    bring_back(&data, &file, SECRET).unwrap();
    let desk = Desk::open_only(&data, None, "alice");
    unlock(&desk, "alice");
    desk.show("alice", "bob");
    desk.wait_messages("alice", "bob", "what was kept", |messages| {
        (texts(messages) == ["kept"]).then_some(())
    });
}

/// Makes a chat of many messages.
fn write_many(desk: &Desk, messages: usize) {
    let chat = desk.chat_id("alice", "bob");
    for number in 0..messages {
        let text = format!("message {number}");
        let answers = None;
        desk.command_when_taken(
            "alice",
            Command::SendText {
                chat,
                text,
                answers,
            },
        );
    }
    desk.show("alice", "bob");
    let last = format!("message {}", messages - 1);
    desk.wait_messages("alice", "bob", &last, |messages| {
        (texts(messages).last() == Some(&last.as_str())).then_some(())
    });
}

#[tokio::test]
async fn a_job_is_ended_by_whoever_asked_for_it_and_one_is_made_at_a_time() {
    let dir = tempdir().unwrap();
    let desk = Desk::open_only(&dir.path().join("data"), None, "alice");
    desk.wait_ready("alice");
    write_many(&desk, 20);
    let client = desk.client();
    let alice = desk.view("alice").id.clone();
    let files = || {
        let files = fs::read_dir(dir.path()).unwrap();
        files.map(|it| it.unwrap().path()).collect::<Vec<PathBuf>>()
    };
    let before = files();
    let file = dir.path().join("alice.backup");
    // All three reach the engine before the backup, which takes a second, can have ended.
    let begun = client.perform(&alice, backup(&file));
    let another = client.perform(&alice, backup(&dir.path().join("another")));
    let ended = client.perform(&alice, Command::EndJob);
    let (begun, another, ended) = tokio::join!(begun, another, ended);
    assert_eq!(
        (begun, another, ended),
        (Ok(()), Err(AskError::Unfit), Ok(()))
    );
    let job = end_of_job(&desk, "alice");
    assert_eq!(job.to, file);
    assert_eq!(job.state, JobState::Failed(BackupError::Cancelled));
    assert_eq!(files(), before);
    // It is shown until it is put away.
    desk.command("alice", Command::EndJob);
    desk.wait("alice", "no job", |view| view.job.is_none().then_some(()));
    back_up(&desk, "alice", &file);
    desk.command("alice", backup(&file));
    desk.wait("alice", "that there is a file", |view| {
        let state = view.job.as_ref()?.state;
        (state == JobState::Failed(BackupError::Exists)).then_some(())
    });
}

#[test]
fn a_chat_is_exported_while_everything_goes_on() {
    let dir = tempdir().unwrap();
    let desk = Desk::open_only(&dir.path().join("data"), None, "alice");
    desk.wait_ready("alice");
    write_many(&desk, 20);
    let to = dir.path().join("bob.json");
    desk.command(
        "alice",
        Command::Export {
            chat: desk.chat_id("alice", "bob"),
            format: ExportFormat::Json,
            zone: TimeZone::UTC,
            to: to.clone(),
            replaces: false,
        },
    );
    let job = end_of_job(&desk, "alice");
    assert_eq!((job.kind, job.state), (JobKind::Export, written(&to)));
    let text = fs::read_to_string(&to).unwrap();
    assert_eq!(text.matches("\"text\":\"message ").count(), 20);
    assert!(text.starts_with("{\"identity\":\"alice\",\"peer\":\"bob\",\"name\":\"Bob\""));
}
