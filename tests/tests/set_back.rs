//! A profile's folder that was put back to an older copy, or that is used in two places: it is
//! noticed and said, and the conversation goes on.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail their test")]

use std::fs;
use std::path::{Path, PathBuf};

use sotto_client::Command;
use sotto_client::view::{Delivery, Notice};
use sotto_net::wire::{ClientFrame, Mark, PreviousMark};
use sotto_relay::Inspection;
use sotto_tests::{Conduct, Desk, Host, Liar, Tap, texts};
use tempfile::tempdir;

fn copy(from: &Path, to: &Path) {
    if to.exists() {
        fs::remove_dir_all(to).unwrap();
    }
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let to = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &to);
        } else {
            fs::copy(entry.path(), to).unwrap();
        }
    }
}

fn profile(data_dir: &Path, who: &str) -> PathBuf {
    data_dir.join("profiles").join(who)
}

fn wait_told(desk: &Desk, who: &str) {
    desk.wait(who, "that it was set back", |view| {
        (view.notice == Some(Notice::SetBack)).then_some(())
    });
}

/// Waits until a chat is in step: all that was written in it has come.
fn wait_delivered(desk: &Desk, who: &str, with: &str) {
    desk.show(who, with);
    desk.wait_messages(who, with, "everything delivered", |messages| {
        let mut own = messages.iter().filter(|message| message.is_mine);
        own.all(|message| message.delivery >= Delivery::Delivered)
            .then_some(())
    });
}

#[test]
fn a_profile_that_is_put_back_is_told_and_the_conversation_goes_on_both_ways() {
    let dir = tempdir().unwrap();
    let tap = Tap::default();
    let host = Host::start_with(&dir.path().join("relay"), |store| tap.around(store));
    let (one, two, kept) = (
        dir.path().join("one"),
        dir.path().join("two"),
        dir.path().join("kept"),
    );
    let bob = Desk::open_only(&two, Some(host.invite()), "bob");
    let alice = Desk::open_only(&one, Some(host.invite()), "alice");
    alice.write("alice", "bob", "one");
    bob.read("bob", "alice", &["one"]);
    bob.write("bob", "alice", "two");
    alice.read("alice", "bob", &["one", "two"]);
    wait_delivered(&bob, "bob", "alice");
    // The last one leaves the computer after the copy was made.
    alice.relay.send_replace(None);
    alice.write("alice", "bob", "three");
    alice.wait_messages("alice", "bob", "the third", |messages| {
        (messages.len() == 3).then_some(())
    });
    drop(alice);
    copy(&profile(&one, "alice"), &kept);

    let alice = Desk::open_only(&one, Some(host.invite()), "alice");
    bob.read("bob", "alice", &["one", "two", "three"]);
    bob.write("bob", "alice", "lost with the later life");
    alice.read(
        "alice",
        "bob",
        &["one", "two", "three", "lost with the later life"],
    );
    wait_delivered(&bob, "bob", "alice");
    assert_eq!(alice.view("alice").notice, None);
    drop(alice);

    copy(&kept, &profile(&one, "alice"));
    // This one is sealed in a session that nobody has any more.
    bob.write("bob", "alice", "five");
    let alice = Desk::open_only(&one, Some(host.invite()), "alice");
    wait_told(&alice, "alice");
    alice.read("alice", "bob", &["one", "two", "three", "five"]);
    alice.write("alice", "bob", "six");
    let all = [
        "one",
        "two",
        "three",
        "lost with the later life",
        "five",
        "six",
    ];
    bob.read("bob", "alice", &all);
    bob.write("bob", "alice", "seven");
    alice.read(
        "alice",
        "bob",
        &["one", "two", "three", "five", "six", "seven"],
    );
    wait_delivered(&alice, "alice", "bob");
    wait_delivered(&bob, "bob", "alice");
    assert_eq!(bob.view("bob").notice, None);
    tap.check_places();

    // It is said until it was read, and only for that life.
    drop(alice);
    let alice = Desk::open_only(&one, Some(host.invite()), "alice");
    wait_told(&alice, "alice");
    alice.command("alice", Command::DismissNotice);
    alice.wait("alice", "no notice", |view| {
        view.notice.is_none().then_some(())
    });
    drop(alice);
    let alice = Desk::open_only(&one, Some(host.invite()), "alice");
    alice.write("alice", "bob", "eight");
    bob.read("bob", "alice", &[&all[..], &["seven", "eight"]].concat());
    assert_eq!(alice.view("alice").notice, None);
}

#[test]
fn all_profiles_of_a_folder_that_is_put_back_find_each_other_again() {
    let dir = tempdir().unwrap();
    let tap = Tap::default();
    let host = Host::start_with(&dir.path().join("relay"), |store| tap.around(store));
    let (data, kept) = (dir.path().join("data"), dir.path().join("kept"));
    let desk = Desk::open(&data, Some(host.invite()));
    let pairs = [("alice", "bob"), ("charlie", "alice"), ("diana", "charlie")];
    for (who, with) in pairs {
        desk.write(who, with, "before");
        desk.read(with, who, &["before"]);
        wait_delivered(&desk, who, with);
    }
    drop(desk);
    copy(&data, &kept);
    let desk = Desk::open(&data, Some(host.invite()));
    for (who, with) in pairs {
        desk.write(with, who, "lost");
        desk.read(who, with, &["before", "lost"]);
        wait_delivered(&desk, with, who);
    }
    drop(desk);
    copy(&kept, &data);
    let desk = Desk::open(&data, Some(host.invite()));
    for who in ["alice", "bob", "charlie", "diana"] {
        wait_told(&desk, who);
    }
    for (who, with) in pairs {
        desk.write(who, with, "there");
        desk.read(with, who, &["before", "there"]);
        desk.write(with, who, "and back");
        desk.read(who, with, &["before", "there", "and back"]);
    }
    tap.check_places();
}

#[test]
fn a_profile_that_is_used_in_two_places_is_told_in_both() {
    let dir = tempdir().unwrap();
    let tap = Tap::default();
    let host = Host::start_with(&dir.path().join("relay"), |store| tap.around(store));
    let (one, two, clone) = (
        dir.path().join("one"),
        dir.path().join("two"),
        dir.path().join("clone"),
    );
    let bob = Desk::open_only(&two, Some(host.invite()), "bob");
    let alice = Desk::open_only(&one, Some(host.invite()), "alice");
    alice.write("alice", "bob", "one");
    bob.read("bob", "alice", &["one"]);
    wait_delivered(&alice, "alice", "bob");
    drop(alice);
    copy(&one, &clone);
    let alice = Desk::open_only(&one, Some(host.invite()), "alice");
    alice.write("alice", "bob", "from the original");
    wait_delivered(&alice, "alice", "bob");
    let other = Desk::open_only(&clone, Some(host.invite()), "alice");
    wait_told(&other, "alice");
    wait_told(&alice, "alice");
    // When one of them is left, it talks on.
    drop(other);
    alice.write("alice", "bob", "alone again");
    bob.show("bob", "alice");
    bob.wait_messages("bob", "alice", "the last one", |messages| {
        texts(messages).contains(&"alone again").then_some(())
    });
    bob.write("bob", "alice", "good");
    alice.show("alice", "bob");
    alice.wait_messages("alice", "bob", "the answer", |messages| {
        texts(messages).contains(&"good").then_some(())
    });
    tap.check_places();
}

#[test]
fn an_honest_restart_of_either_side_says_nothing() {
    let dir = tempdir().unwrap();
    let (first, restored) = (dir.path().join("relay"), dir.path().join("restored"));
    let mut host = Host::start(&first);
    let (one, two, killed) = (
        dir.path().join("one"),
        dir.path().join("two"),
        dir.path().join("killed"),
    );
    let bob = Desk::open_only(&two, Some(host.invite()), "bob");
    let mut said = Vec::new();
    for round in 0..3 {
        let alice = Desk::open_only(&one, Some(host.invite()), "alice");
        said.push(["one", "two", "three"][round]);
        alice.write("alice", "bob", said[round]);
        bob.read("bob", "alice", &said);
        wait_delivered(&alice, "alice", "bob");
        assert_eq!(alice.view("alice").notice, None);
        if round == 1 {
            let inspection = Inspection::open(&first).unwrap();
            inspection.back_up(&restored).unwrap();
        }
        // As after a kill: what is committed is there, and nothing was said at the end.
        copy(&profile(&one, "alice"), &killed);
        drop(alice);
        copy(&killed, &profile(&one, "alice"));
    }
    // The relay is put back to its backup, and knows no mark.
    host.stop();
    for file in ["relay.db", "relay.db-wal", "relay.db-shm"] {
        if first.join(file).exists() {
            fs::remove_file(first.join(file)).unwrap();
        }
    }
    fs::copy(restored.join("relay.db"), first.join("relay.db")).unwrap();
    host.restart();
    let alice = Desk::open_only(&one, Some(host.invite()), "alice");
    said.push("four");
    alice.write("alice", "bob", "four");
    bob.read("bob", "alice", &said);
    wait_delivered(&alice, "alice", "bob");
    for (desk, who) in [(&alice, "alice"), (&bob, "bob")] {
        assert_eq!(desk.view(who).notice, None);
    }
}

#[test]
fn r22_a_relay_that_lies_about_marks_makes_a_client_start_anew_once_and_loses_nothing() {
    let dir = tempdir().unwrap();
    let liar = Liar::start();
    let mut lies = 0_u8;
    liar.lie(move |_, frame, words| match frame {
        ClientFrame::LeaveMark(leave) if leave.mark.is_none() && lies < 6 => {
            lies += 1;
            words.reply(PreviousMark {
                request: leave.request,
                mark: Some(Mark([lies; 16])),
            });
            Conduct::Silent
        }
        _ => Conduct::Honest,
    });
    let alice = Desk::open_only(&dir.path().join("one"), Some(liar.invite()), "alice");
    let bob = Desk::open_only(&dir.path().join("two"), Some(liar.invite()), "bob");
    alice.write("alice", "bob", "hi");
    bob.read("bob", "alice", &["hi"]);
    bob.write("bob", "alice", "hello");
    alice.read("alice", "bob", &["hi", "hello"]);
    let told = |desk: &Desk, who: &str| desk.view(who).notice == Some(Notice::SetBack);
    assert!(told(&alice, "alice") || told(&bob, "bob"));
}
