//! An identity in one file and back again, and a chat in the clear.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that meets the unexpected fails there"
)]

#[cfg(test)]
mod support;

use std::path::Path;

use crate::support::{World, cli, fail, succeed};

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

#[test]
fn an_identity_goes_elsewhere_and_talks_on() {
    let world = World::new(&["guest", "bob"]);
    world.acquaint("guest", "bob");
    world.ok("guest", &["send", "bob", "before the backup"]);
    world.ok("bob", &["receive"]);
    let [file, secret, data] = ["guest.backup", "secret", "elsewhere"].map(|it| world.folder(it));
    std::fs::write(&secret, "a passphrase of its own\n").unwrap();
    let back_up = [
        "backup",
        text(&file),
        "--backup-passphrase-file",
        text(&secret),
    ];
    assert_eq!(world.ok("guest", &back_up), "");
    let taken = fail(&mut world.cli("guest", &back_up), 2);
    assert!(taken.contains("--replace"), "{taken}");

    let wrong = world.folder("wrong");
    std::fs::write(&wrong, "another passphrase\n").unwrap();
    let restore = |secret: &Path| {
        let mut command = cli(&data);
        let options = ["--passphrase-file", text(secret), "restore", text(&file)];
        command.args(options);
        command
    };
    assert!(fail(&mut restore(&wrong), 4).contains("does not open"));
    assert_eq!(succeed(&mut restore(&secret)), "guest\n");
    assert!(fail(&mut restore(&secret), 2).contains("here already"));

    // The old folder rests; the new one is opened by the backup's passphrase.
    std::fs::remove_dir_all(world.folder("guest")).unwrap();
    let relay = world.host.invite().to_string();
    let run = |args: &[&str]| {
        let mut command = cli(&data);
        let command = command
            .args(["--passphrase-file", text(&secret)])
            .args(args);
        succeed(command.env("SOTTO_RELAY", &relay))
    };
    assert!(run(&["history", "bob"]).contains("before the backup"));
    run(&["send", "bob", "after it"]);
    assert!(world.ok("bob", &["receive"]).contains("after it"));
    world.ok("bob", &["send", "guest", "welcome back"]);
    assert!(run(&["receive"]).contains("welcome back"));
}

#[test]
fn a_backup_is_opened_by_a_code_and_by_no_other_file() {
    let world = World::new(&["guest"]);
    let [file, secret, data] = ["guest.backup", "secret", "elsewhere"].map(|it| world.folder(it));
    let code = world.ok("guest", &["identity", "export", text(&file), "--code"]);
    std::fs::write(&secret, &code).unwrap();
    let import = |file: &Path| {
        let mut command = cli(&data);
        let options = ["--passphrase-file", text(&secret), "identity", "import"];
        command.args(options).arg(file);
        command
    };
    for (bytes, code, word) in [
        (&b"something else"[..], 2, "is no backup"),
        (&std::fs::read(&file).unwrap()[..5000], 1, "is damaged"),
    ] {
        let other = world.folder("other");
        std::fs::write(&other, bytes).unwrap();
        let said = fail(&mut import(&other), code);
        assert!(said.contains(word), "{said}");
    }
    assert!(fail(&mut import(&world.folder("none")), 1).contains("cannot be read"));
    assert_eq!(succeed(&mut import(&file)), "guest\n");
}

#[test]
fn a_chat_is_written_in_the_clear_as_it_was_asked_for() {
    let world = World::new(&["guest", "bob"]);
    world.acquaint("guest", "bob");
    world.ok("bob", &["send", "guest", "<b>bold</b>"]);
    world.ok("guest", &["receive"]);
    for (format, said) in [
        ("text", "<b>bold</b>"),
        ("json", "\"text\":\"<b>bold</b>\""),
        ("html", "&lt;b&gt;bold&lt;/b&gt;"),
    ] {
        let file = world.folder(format);
        world.ok("guest", &["export", "bob", text(&file), "--format", format]);
        let written = std::fs::read_to_string(&file).unwrap();
        assert!(written.contains(said), "{written}");
    }
    let inside = world.folder("guest").join("profiles/guest/chat.txt");
    let said = fail(
        &mut world.cli("guest", &["export", "bob", text(&inside)]),
        2,
    );
    assert!(said.contains("among the vaults"), "{said}");
    let said = fail(&mut world.cli("guest", &["export", "nobody", "x"]), 2);
    assert!(said.contains("nobody"), "{said}");
}
