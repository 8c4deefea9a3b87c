//! People who talk on the command line, through a real relay.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that meets the unexpected fails there"
)]

#[cfg(test)]
mod support;

use serde_json::Value;

use crate::support::{Rpc, World, cli, fail, succeed, with_input};

fn texts(messages: &[Value]) -> Vec<&str> {
    let text = |message: &Value| message["text"].as_str().is_some();
    assert!(messages.iter().all(text), "{messages:?}");
    messages
        .iter()
        .filter_map(|message| message["text"].as_str())
        .collect()
}

#[test]
fn two_people_talk_while_only_one_of_them_is_there() {
    let world = World::new(&["guest", "bob"]);
    let id = world.ok("guest", &["send", "bob", "hello, Bob"]);
    // Bob was away, and does not know the guest, who is a request until he accepts it.
    assert_eq!(world.ok("bob", &["receive"]), "");
    let contacts = world.ok("bob", &["contacts"]);
    assert!(
        contacts.contains("guest\trequest\tunverified\tguest\n"),
        "{contacts}"
    );
    let words = fail(&mut world.cli("bob", &["accept", "alice"]), 2);
    assert!(words.contains("contacts"), "{words}");
    world.ok("bob", &["accept", "guest"]);
    world.ok("bob", &["accept", "guest"]);
    // He gets it once.
    let received = world.json("bob", &["receive", "--json"]);
    assert_eq!(texts(&received), ["hello, Bob"]);
    assert_eq!(received[0]["id"], id.trim());
    assert_eq!(received[0]["direction"], "in");
    assert_eq!(received[0]["identity"], "bob");
    assert_eq!(received[0]["peer"], "guest");
    assert_eq!(world.ok("bob", &["receive"]), "");

    let sent = with_input(
        &mut world.cli("bob", &["send", "guest", "-"]),
        "zwei\nZeilen ß\n".as_bytes(),
    );
    assert!(sent.status.success());
    let sent = with_input(
        &mut world.cli("bob", &["send", "guest"]),
        b"\x1b[31mred\x1b[0m",
    );
    assert!(sent.status.success());
    let received = world.ok("guest", &["receive"]);
    let lines: Vec<&str> = received.lines().collect();
    assert_eq!(lines.len(), 3, "{received}");
    assert!(lines[0].ends_with("bob > guest: zwei"), "{received}");
    assert_eq!(lines[1], "    Zeilen ß");
    assert!(lines[2].ends_with("\\u{1b}[31mred\\u{1b}[0m"), "{received}");

    let all = world.json("guest", &["history", "bob", "--json"]);
    assert_eq!(
        texts(&all),
        ["hello, Bob", "zwei\nZeilen ß", "\u{1b}[31mred\u{1b}[0m"]
    );
    assert_eq!(all[0]["direction"], "out");
    assert_eq!(all[0]["state"], "read");
    let middle = all[1]["id"].as_str().unwrap();
    let before = world.json("guest", &["history", "bob", "--json", "--before", middle]);
    assert_eq!(before, all[..1]);
    let newest = world.json("guest", &["history", "bob", "--json", "--limit", "1"]);
    assert_eq!(newest, all[2..]);
    let found = world.json("guest", &["search", "--json", "zeil", "from:bob"]);
    assert_eq!(found, all[1..2]);
    assert_eq!(world.ok("guest", &["search", "nowhere"]), "");

    let number = |who: &str, peer: &str| world.ok(who, &["verify", peer]);
    assert_eq!(number("guest", "bob"), number("bob", "guest"));
    assert!(number("guest", "bob").ends_with("\nunverified\n"));
    let shown = number("bob", "guest");
    let shown = shown.lines().next().unwrap();
    let other = shown.replace(['0', '1', '2', '3', '4'], "9");
    let words = fail(
        &mut world.cli("guest", &["verify", "bob", "--matches", &other]),
        2,
    );
    assert!(words.contains("--differs"), "{words}");
    let words = fail(
        &mut world.cli("guest", &["verify", "bob", "--accept", shown]),
        2,
    );
    assert!(words.contains("--matches"), "{words}");
    assert!(number("guest", "bob").ends_with("\nunverified\n"));
    let verified = world.ok("guest", &["verify", "bob", "--matches", shown]);
    assert!(verified.ends_with("\nverified\n"));
    let contacts = world.ok("guest", &["contacts"]);
    assert!(
        contacts
            .lines()
            .any(|line| line == "bob\tcontact\tverified\tbob"),
        "{contacts}"
    );
    let differs = world.ok("guest", &["verify", "bob", "--differs"]);
    assert!(differs.ends_with("\nunverified\n"));

    // As long as a text may be, and all of it such that JSON escapes it.
    let long = "\"".repeat(sotto_client::view::TEXT_BYTES_MAX);
    let sent = with_input(&mut world.cli("guest", &["send", "bob"]), long.as_bytes());
    assert!(sent.status.success(), "{sent:?}");
    let received = world.json("bob", &["receive", "--json"]);
    assert!(texts(&received) == [&long]);

    world.ok("bob", &["identity", "rename", "Bob B.\u{202e}"]);
    world.ok("bob", &["receive"]);
    world.ok("guest", &["receive"]);
    let contacts = world.ok("guest", &["contacts"]);
    assert!(contacts.contains("\tBob B.\\u{202e}\n"), "{contacts}");
}

#[test]
fn what_the_relay_cannot_take_is_kept_and_goes_out_later() {
    let mut world = World::new(&["guest", "bob"]);
    world.acquaint("guest", "bob");
    world.ok("guest", &["send", "bob", "first"]);
    world.host.stop();
    let mut late = world.cli("guest", &["send", "bob", "second", "--timeout", "1"]);
    let output = late.output().unwrap();
    assert_eq!(output.status.code(), Some(3));
    let words = String::from_utf8(output.stderr).unwrap();
    assert!(
        words.contains("kept") && words.lines().count() == 1,
        "{words}"
    );
    let id = String::from_utf8(output.stdout).unwrap();
    world.ok("guest", &["send", "bob", "third", "--no-wait"]);
    let all = world.json("guest", &["history", "bob", "--json"]);
    let [.., second, third] = all.as_slice() else {
        panic!("{all:?}");
    };
    assert_eq!(second["id"], id.trim());
    assert_eq!([&second["state"], &third["state"]], ["sending", "sending"]);
    let words = fail(&mut world.cli("bob", &["receive", "--timeout", "1"]), 3);
    assert!(words.contains("--relay"), "{words}");
    world.host.restart();
    world.ok("guest", &["send", "bob", "fourth"]);
    let received = world.json("bob", &["receive", "--json"]);
    assert_eq!(texts(&received), ["first", "second", "third", "fourth"]);
}

#[test]
fn an_identity_is_used_by_one_program_at_a_time_and_the_second_says_so() {
    let world = World::new(&["guest"]);
    let mut first = Rpc::start(&world, "guest");
    first.connected();
    for args in [
        &["history", "bob"][..],
        &["send", "bob", "x"],
        &["identity", "delete", "guest", "--yes"],
    ] {
        let words = fail(&mut world.cli("guest", args), 4);
        assert!(words.contains("another program"), "{words}");
    }
    let mut second = Rpc::start(&world, "guest");
    let identities = second.call("identities", &serde_json::json!({}));
    assert_eq!(identities[0]["state"], "open_elsewhere");
    let (_, ended_well) = first.end();
    assert!(ended_well);
}

#[test]
fn a_passphrase_is_asked_for_and_a_wrong_one_changes_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let (data, good, bad) = (
        dir.path().join("data"),
        dir.path().join("good"),
        dir.path().join("bad"),
    );
    std::fs::write(&good, "correct horse\nsecond line\n").unwrap();
    std::fs::write(&bad, "wrong horse\n").unwrap();
    let with = |args: &[&str], file: Option<&std::path::Path>| {
        let mut command = cli(&data);
        command.args(args);
        if let Some(file) = file {
            command.arg("--passphrase-file").arg(file);
        }
        command
    };
    assert_eq!(
        succeed(&mut with(&["identity", "create", "Guest"], Some(&good))),
        "guest\n"
    );
    let words = fail(&mut with(&["contacts"], Some(&bad)), 4);
    assert!(words.contains("wrong"), "{words}");
    succeed(&mut with(&["contacts"], Some(&good)));
    #[cfg(unix)]
    {
        // A descriptor that a shell opens.
        let program = env!("CARGO_BIN_EXE_sotto-cli");
        let mut shell = std::process::Command::new("sh");
        shell
            .args([
                "-c",
                "exec \"$0\" contacts --passphrase-fd 7 7<\"$1\"",
                program,
            ])
            .arg(&good)
            .env("SOTTO_DATA_DIR", &data)
            .stderr(std::process::Stdio::piped());
        succeed(&mut shell);
    }
}

#[cfg(unix)]
#[test]
fn who_follows_hears_once_that_the_relay_is_gone_and_goes_on_when_it_is_back() {
    let mut world = World::new(&["guest", "bob"]);
    world.acquaint("guest", "bob");
    world.host.stop();
    let follower =
        support::Running::start(&mut world.cli("bob", &["receive", "--follow", "--json"]));
    let said = follower.words.line().unwrap();
    assert!(said.contains("Trying again"), "{said}");
    world.host.restart();
    world.ok("guest", &["send", "bob", "hello again"]);
    let message: Value = serde_json::from_str(&follower.out.line().unwrap()).unwrap();
    assert_eq!(message["text"], "hello again");
    support::signal(&follower.child, "-TERM");
    assert!(follower.end());
}

#[cfg(unix)]
#[test]
fn receive_follows_until_a_signal_and_outlives_no_reader() {
    let world = World::new(&["guest", "bob"]);
    world.acquaint("guest", "bob");
    for name in ["-TERM", "-INT"] {
        let follower =
            support::Running::start(&mut world.cli("bob", &["receive", "--follow", "--json"]));
        for text in ["one", "two"] {
            world.ok("guest", &["send", "bob", text]);
            let message: Value = serde_json::from_str(&follower.out.line().unwrap()).unwrap();
            assert_eq!(message["text"], text);
        }
        support::signal(&follower.child, name);
        assert!(follower.out.line().is_none(), "{name}");
        assert!(follower.end(), "{name}");
    }
    // Whoever reads goes away: the program ends, and what was not read comes again.
    let mut command = world.cli("bob", &["receive", "--follow"]);
    let mut follower = command.spawn().unwrap();
    drop(follower.stdout.take());
    world.ok("guest", &["send", "bob", "three"]);
    let output = follower.wait_with_output().unwrap();
    assert!(output.status.success(), "{output:?}");
    assert_eq!(output.stderr, b"");
    let received = world.json("bob", &["receive", "--json"]);
    assert_eq!(texts(&received), ["three"]);
}

#[test]
fn l1_the_log_at_its_most_talkative_holds_no_text_no_name_and_no_passphrase() {
    let world = World::new(&["bob"]);
    let file = world.dir.path().join("passphrase");
    let secret = "correct horse, and so on";
    std::fs::write(&file, secret).unwrap();
    let file = file.to_str().unwrap();
    let (name, handle, text) = ("Unverwechselbar Groß", "unverwechselbar", "thunderstorm");
    let mut logs = String::new();
    for args in [
        &["identity", "create", name, "--handle", handle][..],
        &["send", "bob", text],
        &["receive"],
        &["search", text],
        &["history", "bob"],
    ] {
        let mut command = world.cli(handle, args);
        let output = command
            .args(["--passphrase-file", file])
            .env("SOTTO_LOG", "trace")
            .output()
            .unwrap();
        assert!(output.status.success(), "{args:?}");
        logs += &String::from_utf8(output.stderr).unwrap();
    }
    let log = world
        .cli("bob", &["receive"])
        .env("SOTTO_LOG", "trace")
        .output();
    logs += &String::from_utf8(log.unwrap().stderr).unwrap();
    assert!(logs.lines().count() > 100, "{logs}");
    for secret in [name, handle, text, secret] {
        assert!(!logs.contains(secret), "{secret} is in the log");
    }
}
