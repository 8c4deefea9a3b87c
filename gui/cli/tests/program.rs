//! The program as a script or a person runs it: what it says about bad input, and that it changes
//! nothing then.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that meets the unexpected fails there"
)]

#[cfg(test)]
mod support;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use sotto_net::{Invite, RelayPin};

use crate::support::{World, cli, fail, succeed, with_input};

/// Every file below a folder with its bytes.
fn files(dir: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut found = BTreeMap::new();
    let mut folders = vec![dir.to_owned()];
    while let Some(folder) = folders.pop() {
        let Ok(entries) = std::fs::read_dir(&folder) else {
            continue;
        };
        for entry in entries {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path.clone());
                found.insert(path, Vec::new());
            } else {
                let bytes = std::fs::read(&path).unwrap();
                found.insert(path, bytes);
            }
        }
    }
    found
}

#[test]
fn bad_input_gets_one_sentence_and_changes_nothing() {
    let world = World::new(&["guest"]);
    let data = world.folder("guest");
    let empty = world.dir.path().join("empty");
    std::fs::write(&empty, "\n").unwrap();
    let (empty, missing) = (empty.to_str().unwrap(), "/nowhere/at/all");
    let before = files(&data);
    for (args, word) in [
        (&["--nonsense"][..], "--nonsense"),
        (&["nonsense"], "nonsense"),
        (&["send"], "<TO>"),
        (&["receive", "--follow", "--timeout", "1"], "--timeout"),
        (&["history", "bob", "--limit", "0"], "--limit"),
        (&["history", "bob", "--limit", "501"], "--limit"),
        (&["history", "bob", "--before", "xyz"], "32 hex digits"),
        (
            &["verify", "bob", "--matches", "1", "--differs"],
            "--differs",
        ),
        (&["send", "bob", "hi", "--timeout", "soon"], "--timeout"),
        (&["send", "bob", "hi", "--relay", "https://a"], "sotto://"),
        (&["send", "bob", "hi", "--relay", "sotto://a:1"], "pin"),
        (&["send", "bob", ""], "1 to 1048576 bytes"),
        (&["search", "before:yesterday"], "before:2026-01-31"),
        (&["--identity", "bob", "contacts"], "--identity: guest"),
        (&["--identity", "../guest", "contacts"], "--identity: guest"),
        (
            &[
                "contacts",
                "--passphrase-file",
                missing,
                "--passphrase-fd",
                "3",
            ],
            "--passphrase-fd",
        ),
        (&["identity", "create", "Guest"], "--handle"),
        (&["identity", "create", "厨房"], "--handle"),
        (&["identity", "create", "Bob", "--handle", "Bob"], "a-z"),
        (&["identity", "create", "Bob", "--handle", "../bob"], "a-z"),
        (
            &["identity", "create", "a\nb", "--handle", "bob"],
            "control characters",
        ),
        (
            &["identity", "create", "Bob", "--passphrase-file", missing],
            missing,
        ),
        (
            &["identity", "create", "Bob", "--passphrase-file", empty],
            "empty",
        ),
        (
            &["identity", "create", "Bob", "--passphrase-fd", "77"],
            "/dev/fd/77",
        ),
        (&["send", "bob", "--passphrase-fd", "0"], "standard input"),
        (&["rpc", "--passphrase-fd", "0"], "standard input"),
        (&["identity", "delete", "bob", "--yes"], "identity list"),
        (&["identity", "delete", "guest"], "--yes"),
        (&["completions", "cmd"], "cmd"),
    ] {
        let words = fail(&mut world.cli("guest", args), 2);
        assert!(words.contains(word), "{args:?}: {words}");
        assert!(files(&data) == before, "{args:?} changed something");
    }
    let too_long = vec![b'x'; sotto_client::view::TEXT_BYTES_MAX + 1];
    for input in [&b"\xff\n"[..], b"\n", &too_long] {
        let output = with_input(&mut world.cli("guest", &["send", "bob"]), input);
        assert_eq!(output.status.code(), Some(2));
        assert!(files(&data) == before);
    }
}

#[test]
fn what_is_asked_about_nobody_gets_one_sentence_and_changes_no_chat() {
    let world = World::new(&["guest"]);
    let before = world.ok("guest", &["contacts", "--json"]);
    for args in [
        &["send", "nobody", "hi"][..],
        &["send", "no body", "hi"],
        &["send", "guest", "to myself"],
        &["send", "nobody", "hi", "--no-wait"],
        &["history", "nobody"],
        &[
            "history",
            "alice",
            "--before",
            "00000000000000000000000000000000",
        ],
        &["accept", "nobody"],
        &["verify", "nobody"],
        &["identity", "rename", ""],
    ] {
        fail(&mut world.cli("guest", args), 2);
    }
    // Nobody has claimed this one yet, and so there is no number.
    fail(&mut world.cli("guest", &["verify", "alice"]), 1);
    assert_eq!(world.ok("guest", &["contacts", "--json"]), before);
    assert_eq!(world.ok("guest", &["history", "alice"]), "");
}

#[test]
fn identities_are_made_listed_renamed_and_deleted() {
    let dir = tempfile::tempdir().unwrap();
    let run = |args: &[&str]| succeed(cli(dir.path()).args(args));
    assert_eq!(run(&["identity", "list"]), "");
    let words = fail(cli(dir.path()).arg("contacts"), 2);
    assert!(words.contains("identity create"), "{words}");
    assert!(files(dir.path()).is_empty(), "looking makes nothing");
    assert_eq!(run(&["identity", "create", "Guest Room"]), "guest-room\n");
    assert_eq!(
        run(&["identity", "create", "Küche", "--handle", "kueche"]),
        "kueche\n"
    );
    assert_eq!(run(&["identity", "list"]), "guest-room\nkueche\n");
    assert_eq!(
        run(&["identity", "list", "--json"]),
        "{\"handle\":\"guest-room\"}\n{\"handle\":\"kueche\"}\n"
    );
    let words = fail(cli(dir.path()).arg("contacts"), 2);
    assert!(words.contains("--identity: guest-room, kueche"), "{words}");
    run(&["--identity", "kueche", "identity", "rename", "Küche 2"]);
    succeed(
        cli(dir.path())
            .arg("contacts")
            .env("SOTTO_IDENTITY", "kueche"),
    );
    run(&["identity", "delete", "kueche", "--yes"]);
    assert_eq!(run(&["identity", "list"]), "guest-room\n");
    run(&["contacts"]);
}

#[test]
fn the_relay_is_the_options_then_the_environments_then_the_apps() {
    let world = World::new(&["guest"]);
    let data = world.folder("guest");
    let invite = world.host.invite().to_string();
    let words = fail(cli(&data).arg("receive"), 2);
    assert!(words.contains("--relay"), "{words}");
    // As the app leaves it beside its own relay.
    std::fs::create_dir(data.join("relay")).unwrap();
    std::fs::write(data.join("relay/invite"), &invite).unwrap();
    succeed(cli(&data).arg("receive"));
    let wrong = Invite::to(world.host.address(), RelayPin([7; 32])).to_string();
    let mut command = cli(&data);
    command
        .args(["receive", "--timeout", "5"])
        .env("SOTTO_RELAY", &wrong);
    let words = fail(&mut command, 3);
    assert!(words.contains("relay's key"), "{words}");
    succeed(command.args(["--relay", &invite]));
    std::fs::write(data.join("relay/invite"), "nonsense").unwrap();
    let words = fail(cli(&data).arg("receive"), 2);
    assert!(words.contains("--relay"), "{words}");
}

#[cfg(unix)]
#[test]
fn a_folder_that_cannot_be_used_is_named() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("file");
    std::fs::write(&file, b"").unwrap();
    let words = fail(cli(&file).args(["identity", "create", "Guest"]), 1);
    assert!(words.contains("--data-dir"), "{words}");
    // A damaged vault is left alone.
    let data = dir.path().join("data");
    succeed(cli(&data).args(["identity", "create", "Guest"]));
    let database = data.join("profiles/guest/vault.db");
    std::fs::write(&database, [7; 8192]).unwrap();
    let words = fail(cli(&data).arg("contacts"), 1);
    assert!(words.contains("damaged"), "{words}");
    assert_eq!(std::fs::read(&database).unwrap(), [7; 8192]);
}

#[test]
fn help_version_and_completions_are_written_also_when_nobody_reads() {
    let dir = tempfile::tempdir().unwrap();
    assert!(succeed(cli(dir.path()).arg("--version")).starts_with("sotto-cli "));
    let help = succeed(cli(dir.path()).arg("--help"));
    assert!(help.contains("Exit codes: 0 done"), "{help}");
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        let script = succeed(cli(dir.path()).args(["completions", shell]));
        assert!(script.contains("passphrase-file"), "{shell}");
    }
    for args in [&["--help"][..], &["completions", "bash"]] {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let mut command = cli(dir.path());
        let output = command.args(args).stdout(writer).stderr(Stdio::piped());
        let output = output.output().unwrap();
        assert!(output.status.success(), "{args:?}: {output:?}");
        assert_eq!(output.stderr, b"");
    }
    assert!(files(dir.path()).is_empty());
}

#[cfg(unix)]
#[test]
fn bash_completes_commands_and_options() {
    if std::process::Command::new("bash")
        .arg("--version")
        .output()
        .is_err()
    {
        eprintln!("without bash, completions are not tried");
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let script = succeed(cli(dir.path()).args(["completions", "bash"]));
    let complete = |words: &str, previous: &str, word: &str| {
        let typed = format!(
            "{script}\nCOMP_WORDS=({words} '{word}'); COMP_CWORD=$((${{#COMP_WORDS[@]}} - 1))\n\
             _sotto__cli sotto-cli '{word}' {previous}; echo \"${{COMPREPLY[@]}}\""
        );
        succeed(std::process::Command::new("bash").args(["-c", &typed]))
    };
    assert_eq!(complete("sotto-cli", "sotto-cli", "ver"), "verify\n");
    assert_eq!(complete("sotto-cli identity", "identity", "cr"), "create\n");
    assert_eq!(complete("sotto-cli send bob", "bob", "--no"), "--no-wait\n");
}
