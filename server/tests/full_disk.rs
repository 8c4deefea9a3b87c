//! The program `sotto-relay` on a disk that is full or may not be written: it says so in a
//! sentence with the remedy, and ends.

#![cfg(target_os = "linux")]
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a test that meets the unexpected fails there"
)]

use std::path::Path;
use std::process::{Command, Stdio};

/// Whether strace, which makes calls fail, is there. It must be where `CI` is `true`.
fn strace_is_installed() -> bool {
    let version = Command::new("strace")
        .arg("--version")
        .stdout(Stdio::null())
        .status();
    let is_installed = version.is_ok_and(|status| status.success());
    if !is_installed {
        let is_needed = std::env::var("CI").is_ok_and(|value| value == "true");
        assert!(!is_needed, "strace is not installed, and CI must not skip");
        println!("skipped: strace is not installed");
    }
    is_installed
}

/// Starts a relay on this folder with calls on these files made to fail, and checks that it ends
/// with a sentence that names the folder and a remedy.
fn refuse(data: &Path, files: &[&str], faults: &[&str]) {
    let mut strace = Command::new("strace");
    strace.args(["-f", "-o", "/dev/null", "-e", "signal=none"]);
    for file in files {
        strace.arg("-P").arg(data.join(file));
    }
    for fault in faults {
        strace.args(["-e", &format!("inject={fault}")]);
    }
    let output = strace
        // A relay that starts all the same would never end.
        .args(["timeout", "20", env!("CARGO_BIN_EXE_sotto-relay")])
        .args(["serve", "--listen", "127.0.0.1:0", "--data"])
        .arg(data)
        .env("SOTTO_LOG", "off")
        .output()
        .unwrap();
    let words = String::from_utf8(output.stderr).unwrap();
    // Strace warns that a file does not exist yet, in lines of its own.
    let words: Vec<&str> = words
        .lines()
        .filter(|line| !line.starts_with("strace: "))
        .collect();
    assert_eq!(output.status.code(), Some(1), "{faults:?}: {words:?}");
    assert_eq!(output.stdout, b"", "{faults:?}: nothing is announced");
    let [sentence] = words[..] else {
        panic!("{faults:?}: {words:?}");
    };
    let path = data.display().to_string();
    assert!(
        sentence.starts_with("sotto-relay: ") && sentence.contains(&path),
        "{sentence}"
    );
    assert!(sentence.contains("--data"), "{faults:?}: {sentence}");
}

/// A relay's folder without seeded handles.
fn made(data: &Path) {
    drop(sotto_relay::relay_key(data).unwrap());
    drop(sotto_relay::SqliteStore::open(data).unwrap());
}

#[test]
fn a_folder_that_may_not_be_written_is_refused_with_the_remedy() {
    if !strace_is_installed() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let new = folder.path().join("new");
    refuse(&new, &[], &["mkdir:error=EROFS"]);
    let old = folder.path().join("old");
    made(&old);
    for file in ["relay.lock", "relay.db"] {
        refuse(&old, &[file], &["openat:error=EROFS"]);
    }
    refuse(&old, &["relay.db-wal"], &["openat:error=EROFS"]);
    refuse(&old, &["relay.db-shm"], &["openat:error=EROFS"]);
}

#[test]
fn a_disk_that_is_full_at_the_start_is_told_with_the_remedy() {
    if !strace_is_installed() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let new = folder.path().join("new");
    refuse(&new, &[], &["mkdir:error=ENOSPC"]);
    // The key cannot be made durable.
    refuse(&new, &[], &["fsync:error=ENOSPC"]);
    // The database cannot be made.
    let new = folder.path().join("newer");
    refuse(&new, &[], &["pwrite64:error=ENOSPC"]);
    // It cannot be opened, or the handles of the start cannot be added.
    let old = folder.path().join("old");
    made(&old);
    refuse(&old, &[], &["pwrite64:error=ENOSPC"]);
    refuse(&old, &[], &["ftruncate:error=ENOSPC"]);
    refuse(&old, &["relay.db-wal"], &["pwrite64:error=ENOSPC"]);
}
