//! Who may touch a profile's folder: one process at a time, of its owner alone, and where it is and
//! not where a link points to.

#![cfg(unix)]
#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a test that meets the unexpected fails there"
)]

use std::fs;
use std::io::{BufRead as _, BufReader, Read as _};
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use jiff::tz::TimeZone;
use sotto_client::identities::IdentityError;
use sotto_client::view::{ExportFormat, JobState, ProfileProblem, ProfileState};
use sotto_client::{Command as Wish, Passphrase, identities};
use sotto_tests::Desk;
use tempfile::tempdir;

const WHO: &str = "alice";
/// Names the folder to the other process.
const HOME: &str = "SOTTO_HOME";
/// What it says once it uses the profile.
const READY: &str = "it is open";

/// Another process that uses the profile in this folder; it makes files for everybody unless it is
/// told otherwise.
struct Other(Child);

impl Other {
    fn start(home: &Path) -> Self {
        let mut child = Command::new("sh")
            .args(["-c", "umask 000; exec \"$0\" \"$@\""])
            .arg(std::env::current_exe().unwrap())
            .args(["--exact", "process", "--ignored", "--nocapture"])
            .env(HOME, home)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        assert!(lines.any(|line| line.unwrap().contains(READY)));
        Self(child)
    }
}

impl Drop for Other {
    /// `kill -9`.
    fn drop(&mut self) {
        self.0.kill().unwrap();
        self.0.wait().unwrap();
    }
}

/// Not a test: the other process. It writes a message, a backup and an export, and stays.
#[test]
#[ignore = "started by the others"]
fn process() {
    let home = PathBuf::from(std::env::var(HOME).unwrap());
    let desk = Desk::open_only(&home.join("data"), None, WHO);
    desk.wait_ready(WHO);
    desk.write(WHO, "bob", "something");
    let end = |what: &str| {
        desk.wait(WHO, what, |view| {
            matches!(view.job.as_ref()?.state, JobState::Done { .. }).then_some(())
        });
        desk.command(WHO, Wish::EndJob);
        desk.wait(WHO, "nothing to do", |view| {
            view.job.is_none().then_some(())
        });
    };
    let backup = Wish::BackUp {
        to: home.join("backup"),
        replaces: false,
        passphrase: Passphrase::new("secret".to_owned()),
        code: None,
    };
    desk.command(WHO, backup);
    end("a backup");
    let export = Wish::Export {
        chat: desk.chat_id(WHO, "bob"),
        format: ExportFormat::Text,
        zone: TimeZone::UTC,
        to: home.join("export"),
        replaces: false,
    };
    desk.command(WHO, export);
    end("an export");
    println!("{READY}");
    std::io::stdin().read_to_end(&mut Vec::new()).unwrap();
}

fn state(data_dir: &Path) -> ProfileState {
    let desk = Desk::open_only(data_dir, None, WHO);
    desk.wait(WHO, "a vault", |view| match &view.state {
        ProfileState::Opening | ProfileState::Closed | ProfileState::Creating(_) => None,
        state => Some(state.clone()),
    })
}

#[test]
fn l7_and_l8_another_process_is_kept_out_and_everything_is_for_its_owner_alone() {
    let dir = tempdir().unwrap();
    let data = dir.path().join("data");
    let other = Other::start(dir.path());
    assert_eq!(state(&data), ProfileState::OpenElsewhere);
    let deleted = identities::delete(&data, WHO);
    assert!(matches!(deleted, Err(IdentityError::OpenElsewhere)));

    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    let mut folders = vec![data.clone()];
    let mut files = vec![dir.path().join("backup"), dir.path().join("export")];
    let mut seen = Vec::new();
    while let Some(folder) = folders.pop() {
        assert_eq!(mode(&folder), 0o700, "{}", folder.display());
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                files.push(path);
            }
        }
    }
    for file in files {
        assert_eq!(mode(&file), 0o600, "{}", file.display());
        seen.push(file.file_name().unwrap().to_owned());
    }
    for name in ["vault.db-wal", "vault.db-shm", "vault.key"] {
        assert!(seen.iter().any(|it| it == name), "{name} was not looked at");
    }

    // The lock goes with the process, however it ends.
    drop(other);
    assert_eq!(state(&data), ProfileState::Ready);
}

#[test]
fn l8_what_a_link_points_to_is_neither_read_nor_changed() {
    let dir = tempdir().unwrap();
    let (real, data) = (dir.path().join("real"), dir.path().join("data"));
    assert_eq!(state(&real), ProfileState::Ready);
    let vault = real.join("profiles").join(WHO);
    let profile = data.join("profiles").join(WHO);
    fs::create_dir_all(data.join("profiles")).unwrap();

    // The profile itself.
    fs::set_permissions(&vault, fs::Permissions::from_mode(0o755)).unwrap();
    symlink(&vault, &profile).unwrap();
    assert_eq!(identities::list(&data).unwrap(), [""; 0]);
    let refused = ProfileState::Failed(ProfileProblem::Unreadable);
    assert_eq!(state(&data), refused);
    let mode = fs::metadata(&vault).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode, 0o755);
    fs::remove_file(&profile).unwrap();

    // Each of its files.
    let names = ["lock", "vault.header", "vault.key", "vault.db"];
    for linked in names {
        fs::create_dir(&profile).unwrap();
        for name in names {
            let file = vault.join(name);
            if name == linked {
                symlink(file, profile.join(name)).unwrap();
            } else {
                fs::copy(file, profile.join(name)).unwrap();
            }
        }
        let before = fs::read(vault.join(linked)).unwrap();
        assert_eq!(state(&data), refused, "{linked}");
        assert_eq!(fs::read(vault.join(linked)).unwrap(), before, "{linked}");
        fs::remove_dir_all(&profile).unwrap();
    }

    // What is written before it gets its name: a new profile takes the place of the link.
    let victim = dir.path().join("victim");
    for linked in ["vault.db.new", "vault.header.new", "vault.key.new"] {
        fs::write(&victim, "untouched").unwrap();
        fs::create_dir(&profile).unwrap();
        symlink(&victim, profile.join(linked)).unwrap();
        assert_eq!(state(&data), ProfileState::Ready, "{linked}");
        assert_eq!(fs::read(&victim).unwrap(), b"untouched", "{linked}");
        assert!(!profile.join(linked).exists(), "{linked}");
        fs::remove_dir_all(&profile).unwrap();
    }
}
