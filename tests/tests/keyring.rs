//! A vault whose key lies in the system's keyring, with a real Secret Service on a bus of its own.
#![cfg(target_os = "linux")]
#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a test that meets the unexpected fails there"
)]

use std::fs;
use std::path::Path;
use std::process::{Command as Process, Stdio};
use std::time::{Duration, Instant};

use rand::SeedableRng as _;
use rand::rngs::StdRng;
use sotto_client::view::{KeyringUse, Notice, ProfileState, ProfileView};
use sotto_client::{Command, Passphrase, RecoveryCode, identities};
use sotto_tests::Desk;
use tempfile::tempdir;

/// Runs a test of this file, which is ignored otherwise, beside a keyring that knows nothing yet.
fn beside_a_keyring(test: &str) {
    let is_there = |program| {
        let help = Process::new(program).arg("--help").output();
        help.is_ok_and(|output| output.status.success())
    };
    if !is_there("dbus-run-session") || !is_there("gnome-keyring-daemon") {
        let is_needed = std::env::var("CI").is_ok_and(|value| value == "true");
        assert!(
            !is_needed,
            "dbus-run-session and gnome-keyring-daemon are missing"
        );
        println!("skipped: dbus-run-session and gnome-keyring-daemon are not installed");
        return;
    }
    let home = tempdir().unwrap();
    let script = "printf secret | gnome-keyring-daemon --unlock --components=secrets >/dev/null \
                  && exec \"$0\" --ignored --exact --nocapture \"$1\"";
    passes(
        Process::new("dbus-run-session")
            .args(["--", "sh", "-c", script])
            .arg(std::env::current_exe().unwrap())
            .arg(test)
            .env("HOME", home.path())
            .env("XDG_DATA_HOME", home.path().join("data"))
            .env("XDG_RUNTIME_DIR", home.path())
            .env_remove("DISPLAY")
            .env_remove("WAYLAND_DISPLAY"),
    );
}

/// Runs one test in another process.
fn passes(process: &mut Process) {
    let output = process.stdin(Stdio::null()).output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(
        output.status.success() && said.contains("1 passed"),
        "{said}{}",
        String::from_utf8_lossy(&output.stderr)
    );
}

/// Asks the bus for something of the Secret Service.
fn secret_service(method: &str, argument: &str) -> String {
    let output = Process::new("dbus-send")
        .args([
            "--session",
            "--print-reply",
            "--dest=org.freedesktop.secrets",
        ])
        .arg("/org/freedesktop/secrets")
        .arg(format!("org.freedesktop.Secret.Service.{method}"))
        .arg(argument)
        .output()
        .unwrap();
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).unwrap()
}

/// How many keys lie in the keyring.
fn keys() -> usize {
    let found = secret_service("SearchItems", "dict:string:string:service,Sotto");
    found.matches("object path").count()
}

/// A key that opens nothing any more goes by itself.
fn await_no_key() {
    let until = Instant::now() + Duration::from_mins(1);
    while keys() > 0 {
        assert!(Instant::now() < until, "the key stayed");
    }
}

fn lock_the_keyring() {
    let login = "array:objpath:/org/freedesktop/secrets/collection/login";
    secret_service("Lock", login);
}

fn secret(text: &str) -> Passphrase {
    Passphrase::new(text.to_owned())
}

/// Alice alone, with her key in the keyring.
fn in_the_keyring(data_dir: &Path) -> Desk {
    let desk = Desk::open_only(data_dir, None, "alice");
    desk.wait_ready("alice");
    let key_file = data_dir.join("profiles/alice/vault.key");
    assert!(key_file.exists());
    let current = secret("");
    desk.command("alice", Command::UseKeyring { current });
    desk.wait("alice", "her key in the keyring", |view| {
        (view.keyring == KeyringUse::Yes && view.notice == Some(Notice::KeyringSet)).then_some(())
    });
    assert_eq!(keys(), 1);
    assert!(!key_file.exists());
    desk
}

fn is_locked(view: &ProfileView) -> Option<()> {
    let state = ProfileState::Locked {
        wrong: false,
        checking: false,
    };
    (view.state == state).then_some(())
}

#[test]
fn the_keyring_opens_a_vault_and_a_passphrase_or_a_file_takes_its_place() {
    beside_a_keyring("keyring_to_passphrase");
}

#[test]
#[ignore = "needs a keyring of its own"]
fn keyring_to_passphrase() {
    let dir = tempdir().unwrap();
    let desk = in_the_keyring(dir.path());
    // There is nothing that a person would have to open.
    desk.command("alice", Command::Lock);
    desk.write("alice", "bob", "in the keyring");
    desk.wait_messages("alice", "bob", "it", |messages| {
        (messages.len() == 1).then_some(())
    });
    drop(desk);

    let desk = Desk::open_only(dir.path(), None, "alice");
    desk.wait_ready("alice");
    assert_eq!(desk.view("alice").keyring, KeyringUse::Yes);
    let (current, new) = (secret(""), secret("hunter2"));
    desk.command("alice", Command::SetPassphrase { current, new });
    desk.wait("alice", "a passphrase", |view| {
        (view.has_passphrase && view.keyring == KeyringUse::No).then_some(())
    });
    await_no_key();

    // Back again: the passphrase is asked for, and then no longer opens anything.
    for (current, notice) in [
        ("wrong", Notice::PassphraseWrong),
        ("hunter2", Notice::KeyringSet),
    ] {
        let current = secret(current);
        desk.command("alice", Command::UseKeyring { current });
        desk.wait("alice", "an answer", |view| {
            (view.notice == Some(notice)).then_some(())
        });
    }
    assert_eq!(keys(), 1);
    assert!(!desk.view("alice").has_passphrase);

    // And to the file that lies there without any protection.
    let (current, new) = (secret(""), secret(""));
    desk.command("alice", Command::SetPassphrase { current, new });
    desk.wait("alice", "nothing", |view| {
        (view.keyring == KeyringUse::No).then_some(())
    });
    await_no_key();
    drop(desk);
    Desk::open_only(dir.path(), None, "alice").wait_ready("alice");
}

#[test]
fn a_recovery_code_opens_what_a_locked_keyring_does_not() {
    beside_a_keyring("keyring_locked");
}

#[test]
#[ignore = "needs a keyring of its own"]
fn keyring_locked() {
    let dir = tempdir().unwrap();
    let desk = in_the_keyring(dir.path());
    let code = RecoveryCode::generate(&mut StdRng::seed_from_u64(1));
    let (current, new) = (secret(""), Some(code.clone()));
    desk.command("alice", Command::SetRecoveryCode { current, new });
    desk.wait("alice", "a recovery code", |view| {
        view.has_recovery_code.then_some(())
    });
    drop(desk);

    lock_the_keyring();
    let desk = Desk::open_only(dir.path(), None, "alice");
    desk.wait("alice", "a vault without its key", is_locked);
    let view = desk.view("alice");
    assert!(view.keyring == KeyringUse::Yes && !view.has_passphrase);
    desk.command("alice", Command::Open);
    desk.wait("alice", "another try", |view| {
        (view.state == ProfileState::Opening).then_some(())
    });
    desk.wait("alice", "a vault without its key", is_locked);
    desk.command("alice", Command::Unlock(code.to_text()));
    desk.wait_ready("alice");

    // A locked keyring takes no key either, and the one so far stays what it is.
    let current = secret("");
    desk.command("alice", Command::UseKeyring { current });
    desk.wait("alice", "a refusal", |view| {
        (view.notice == Some(Notice::KeyringRefused) && view.keyring == KeyringUse::Yes)
            .then_some(())
    });
}

#[test]
fn deleting_an_identity_takes_its_key_out_of_the_keyring() {
    beside_a_keyring("keyring_deletion");
}

#[test]
#[ignore = "needs a keyring of its own"]
fn keyring_deletion() {
    let dir = tempdir().unwrap();
    drop(in_the_keyring(dir.path()));
    identities::delete(dir.path(), "alice").unwrap();
    assert_eq!(keys(), 0);
    assert!(
        fs::read_dir(dir.path().join("profiles"))
            .unwrap()
            .next()
            .is_none()
    );
}

#[test]
fn without_a_keyring_nothing_changes() {
    let dir = tempdir().unwrap();
    passes(
        Process::new(std::env::current_exe().unwrap())
            .args(["--ignored", "--exact", "--nocapture", "keyring_missing"])
            .env("DBUS_SESSION_BUS_ADDRESS", "unix:path=/nowhere")
            .env("XDG_RUNTIME_DIR", dir.path()),
    );
}

#[test]
#[ignore = "needs a bus that is not there"]
fn keyring_missing() {
    let dir = tempdir().unwrap();
    let desk = Desk::open_only(dir.path(), None, "alice");
    desk.wait_ready("alice");
    let current = secret("");
    desk.command("alice", Command::UseKeyring { current });
    desk.wait("alice", "a refusal", |view| {
        (view.notice == Some(Notice::KeyringRefused) && view.keyring == KeyringUse::No)
            .then_some(())
    });
    drop(desk);
    Desk::open_only(dir.path(), None, "alice").wait_ready("alice");
}
