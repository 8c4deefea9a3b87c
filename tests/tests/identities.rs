//! Identities made and closed while a client runs.

use std::sync::mpsc;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use sotto_client::view::{ProfileId, ProfileState, ProfileView};
use sotto_client::{
    Argon2Cost, Client, Command, Config, Environment, OpenAtStart, Passphrase, Person, identities,
};
use sotto_net::quic;
use sotto_tests::Desk;
use tempfile::tempdir;
use tokio::sync::watch;

/// Whatever has not happened by then never will.
const DEADLINE: Duration = Duration::from_mins(1);

#[test]
fn an_identity_is_closed_without_waiting_for_its_thread() {
    let dir = tempdir().unwrap();
    // A profile that is being made waits for randomness, which the test holds back.
    let tap = Arc::new(Mutex::new(()));
    let held = tap.lock().unwrap();
    let taps = Arc::clone(&tap);
    let seeder = move || {
        drop(taps.lock().unwrap_or_else(PoisonError::into_inner));
        rand::make_rng()
    };
    let (_relay, relay) = watch::channel(None);
    let config = Config {
        data_dir: dir.path().to_owned(),
        people: vec![identities::person("alice")],
        open: OpenAtStart::All,
        relay,
        passphrase_cost: Argon2Cost::FLOOR,
        environment: Environment::new(|| 0, seeder, quic::dialer),
    };
    let (ring, bell) = mpsc::channel();
    let mut client = Client::start(&config, move || ring.send(()).unwrap_or_default()).unwrap();
    let alice = ProfileId::new("alice");
    let is_being_made = |client: &Client| {
        let model = client.snapshot();
        let state = model.profile(&alice).map(|profile| profile.state.clone());
        matches!(state, Some(ProfileState::Creating(_)))
    };
    while !is_being_made(&client) {
        bell.recv_timeout(DEADLINE).expect("Alice is being made");
    }

    let (tell, told) = mpsc::channel();
    let removed = alice.clone();
    thread::spawn(move || {
        let closing = client.remove(&removed);
        tell.send((closing, client)).is_ok()
    });
    let (closing, client) = told.recv_timeout(DEADLINE).expect("nobody waits");
    assert!(client.snapshot().profiles.is_empty());
    // She still has her folder.
    let found = identities::delete(dir.path(), "alice");
    assert!(found.is_err() && dir.path().join("profiles/alice/lock").exists());

    let (tell, told) = mpsc::channel();
    thread::spawn(move || {
        closing.wait();
        tell.send(())
    });
    assert_eq!(told.try_recv(), Err(mpsc::TryRecvError::Empty));
    drop(held);
    told.recv_timeout(DEADLINE).expect("her thread has ended");
    // She was made to the end, and nobody holds what was made.
    identities::delete(dir.path(), "alice").unwrap();
    assert!(identities::list(dir.path()).unwrap().is_empty());
}

#[test]
fn a_new_identity_has_its_passphrase_from_the_first_moment_on() {
    let dir = tempdir().unwrap();
    let mut desk = Desk::open_only(dir.path(), None, "alice");
    desk.wait_ready("alice");
    desk.command("alice", Command::Rename("Alice Liddell".to_owned()));
    desk.wait("alice", "her name", |view| {
        (view.name == "Alice Liddell").then_some(())
    });
    let guest = Person {
        handle: "guest".to_owned(),
        name: "Guest".to_owned(),
    };
    let secret = |text: &str| Passphrase::new(text.to_owned());
    desk.client_mut()
        .create(&guest, secret("seven rivers"))
        .unwrap();
    let created = |view: &ProfileView| {
        let is_ready = view.state == ProfileState::Ready;
        is_ready.then(|| (view.has_passphrase, view.chats.clone()))
    };
    let (has_passphrase, chats) = desk.wait("guest", "her vault", created);
    assert!(has_passphrase);
    assert!(!dir.path().join("profiles/guest/vault.key").exists());
    // She knows the others by the names that they have now.
    let mut names: Vec<&str> = chats.iter().map(|row| &*row.name).collect();
    names.sort_unstable();
    assert_eq!(names, ["Alice Liddell", "Bob", "Charlie", "Diana"]);

    let id = ProfileId::new("guest");
    desk.client_mut().remove(&id).wait();
    // One that is there is opened and not made again.
    desk.client_mut().create(&guest, secret("other")).unwrap();
    let locked = |wrong| ProfileState::Locked {
        wrong,
        checking: false,
    };
    desk.wait("guest", "a locked vault", |view| {
        (view.state == locked(false)).then_some(())
    });
    desk.command("guest", Command::Unlock(secret("other")));
    desk.wait("guest", "a refusal", |view| {
        (view.state == locked(true)).then_some(())
    });
    desk.command("guest", Command::Unlock(secret("seven rivers")));
    desk.wait_ready("guest");
}

#[test]
fn a_locked_identity_says_whether_a_recovery_code_opens_it() {
    let dir = tempdir().unwrap();
    let desk = Desk::open_only(dir.path(), None, "alice");
    desk.wait_ready("alice");
    let secret = |text: &str| Passphrase::new(text.to_owned());
    let (current, new) = (secret(""), secret("seven rivers"));
    desk.command("alice", Command::SetPassphrase { current, new });
    let is_locked = |view: &ProfileView| {
        let is_it = matches!(
            view.state,
            ProfileState::Locked {
                checking: false,
                ..
            }
        );
        is_it.then_some(view.has_recovery_code)
    };
    desk.command("alice", Command::Lock);
    assert!(!desk.wait("alice", "a locked vault", is_locked));
    desk.command("alice", Command::Unlock(secret("seven rivers")));
    desk.wait_ready("alice");
    let code = desk.client().recovery_code();
    let (current, new) = (secret("seven rivers"), Some(code.clone()));
    desk.command("alice", Command::SetRecoveryCode { current, new });
    desk.command("alice", Command::Lock);
    assert!(desk.wait("alice", "a locked vault with a code", is_locked));
    assert_ne!(desk.client().recovery_code(), code);
    // What is said to a locked identity counts once it is open.
    desk.command("alice", Command::LockAfter(Some(Duration::from_millis(1))));
    desk.command("alice", Command::Unlock(secret("a mistake")));
    let is = |wrong| {
        let checking = false;
        let state = ProfileState::Locked { wrong, checking };
        move |view: &ProfileView| (view.state == state).then_some(())
    };
    desk.wait("alice", "a refusal", is(true));
    desk.command("alice", Command::Unlock(code.to_text()));
    desk.wait("alice", "an open vault that locked itself", is(false));
}

#[test]
fn messages_that_are_marked_read_by_themselves_keep_no_identity_open() {
    let dir = tempdir().unwrap();
    let desk = Desk::open(dir.path(), None);
    desk.wait_ready("alice");
    desk.wait_ready("bob");
    let secret = |text: &str| Passphrase::new(text.to_owned());
    let (current, new) = (secret(""), secret("seven rivers"));
    desk.command("alice", Command::SetPassphrase { current, new });
    desk.wait("alice", "a passphrase", |view| {
        view.has_passphrase.then_some(())
    });
    let chat = desk.chat("alice", "bob").id;
    let up_to = sotto_client::view::MessageKey(1);
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let span = Some(Duration::from_secs(1));
    desk.command("alice", Command::LockAfter(span));
    let until = std::time::Instant::now() + DEADLINE;
    while desk.view("alice").state == ProfileState::Ready {
        assert!(std::time::Instant::now() < until, "she never locked");
        let command = Command::MarkRead { chat, up_to };
        let sent = desk.client().send(&ProfileId::new("alice"), command);
        // Whoever is busy has enough of them.
        sent.unwrap_or_default();
        // Bob's answers set the pace: she is done with it by then.
        for _ in 0..20 {
            let answer = desk.client().contacts(&ProfileId::new("bob"));
            runtime.block_on(answer).unwrap();
        }
    }
    desk.wait("alice", "a locked vault", |view| {
        matches!(view.state, ProfileState::Locked { .. }).then_some(())
    });
}
