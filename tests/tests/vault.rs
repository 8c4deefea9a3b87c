//! What a person does with a vault: search it, and have it locked.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test that meets the unexpected fails there"
)]

use std::time::Duration;

use jiff::tz::TimeZone;
use rand::SeedableRng as _;
use rand::rngs::StdRng;
use sotto_client::view::{Body, ProfileState, ProfileView, SearchHit, SearchResults, SearchState};
use sotto_client::{Command, Passphrase, Query, RecoveryCode};
use sotto_tests::{Desk, Host};
use tempfile::tempdir;

/// Waits for the end of a search, and gives what it found.
fn found(desk: &Desk, who: &str, state: SearchState, hits: usize) -> Vec<(String, Vec<String>)> {
    let results = desk.wait(who, &format!("{hits} hits"), |view| {
        let results: &SearchResults = view.search.as_ref()?;
        (results.state == state && results.hits.len() == hits).then(|| results.clone())
    });
    let marked = |hit: &SearchHit| match &hit.message.body {
        Body::Text(text) => {
            let matches = hit.matches.iter();
            let marked = matches.map(|range| text.get(range.clone()).unwrap().to_owned());
            (text.clone(), marked.collect())
        }
        Body::Note(_) | Body::Unknown => panic!("a hit without a text"),
    };
    results.hits.iter().map(marked).collect()
}

#[test]
fn a_search_finds_in_all_chats_page_by_page_and_the_next_one_takes_its_place() {
    let dir = tempdir().unwrap();
    let desk = Desk::open_only(dir.path(), None, "alice");
    desk.wait_ready("alice");
    for number in 0..60 {
        desk.write("alice", "bob", &format!("Apple {number}"));
        desk.write("alice", "charlie", &format!("pear {number}, apples"));
    }
    let search = |text: &str| {
        let query = Query::parse(text, &TimeZone::UTC).unwrap();
        desk.command("alice", Command::Search(query));
    };
    search("apple");
    let first = found(&desk, "alice", SearchState::Paused, 50);
    assert_eq!(first[0], ("pear 59, apples".into(), vec!["apples".into()]));
    assert_eq!(first[1], ("Apple 59".into(), vec!["Apple".into()]));
    desk.command("alice", Command::SearchOlder);
    assert_eq!(found(&desk, "alice", SearchState::Paused, 100)[..50], first);
    desk.command("alice", Command::SearchOlder);
    let all = found(&desk, "alice", SearchState::Complete, 120);
    assert_eq!(all[119].0, "Apple 0");
    search("in:charlie \"pear 7\"");
    let one = found(&desk, "alice", SearchState::Complete, 1);
    assert_eq!(one, [("pear 7, apples".into(), vec!["pear 7".into()])]);
    search("from:charlie");
    found(&desk, "alice", SearchState::Complete, 0);
    desk.command("alice", Command::EndSearch);
    desk.wait("alice", "no search", |view| {
        view.search.is_none().then_some(())
    });
}

#[test]
fn a_profile_that_cannot_lock_hears_its_relay_when_nobody_is_there() {
    let dir = tempdir().unwrap();
    let host = Host::start(&dir.path().join("relay"));
    let desk = Desk::open(dir.path(), Some(host.invite()));
    desk.wait_ready("alice");
    desk.wait_ready("bob");
    desk.command("alice", Command::LockAfter(Some(Duration::ZERO)));
    desk.write("bob", "alice", "are you there?");
    desk.wait("alice", "the message", |view| {
        let row = view.chats.iter().find(|row| row.handle == "bob")?;
        row.last.is_some().then_some(())
    });
}

#[test]
fn a_profile_locks_itself_when_nobody_is_there_and_a_recovery_code_opens_it() {
    let dir = tempdir().unwrap();
    let desk = Desk::open_only(dir.path(), None, "alice");
    desk.wait_ready("alice");
    let secret = |text: &str| Passphrase::new(text.to_owned());
    // Without a passphrase there is nothing to lock.
    desk.command("alice", Command::LockAfter(Some(Duration::ZERO)));
    desk.write("alice", "bob", "still open");
    desk.wait_messages("alice", "bob", "it", |messages| {
        (messages.len() == 1).then_some(())
    });
    desk.command("alice", Command::LockAfter(None));
    let code = RecoveryCode::generate(&mut StdRng::seed_from_u64(1));
    let (current, new) = (secret(""), Some(code.clone()));
    desk.command("alice", Command::SetRecoveryCode { current, new });
    desk.wait("alice", "a recovery code", |view| {
        view.has_recovery_code.then_some(())
    });
    let (current, new) = (secret(""), secret("hunter2"));
    desk.command("alice", Command::SetPassphrase { current, new });
    desk.wait("alice", "a passphrase", |view| {
        view.has_passphrase.then_some(())
    });
    assert_eq!(desk.view("alice").state, ProfileState::Ready);
    desk.command("alice", Command::LockAfter(Some(Duration::from_millis(1))));
    let is_locked = |view: &ProfileView| {
        let is_it = matches!(
            view.state,
            ProfileState::Locked {
                checking: false,
                ..
            }
        );
        is_it.then_some(view.chats.len())
    };
    assert_eq!(desk.wait("alice", "a locked vault", is_locked), 0);
    desk.command("alice", Command::Unlock(code.to_text()));
    // It locks again and again, until it is told not to.
    desk.wait_ready("alice");
    desk.wait("alice", "a locked vault", is_locked);
}
