//! What somebody can do who writes to the disk of a computer: flips, cuts, swaps and puts back, other
//! processes, links, and files of a newer version.
//!
//! `SOTTO_SEED` sets the chance that decides where, `SOTTO_PLACES` how many places are tried of each
//! kind (24 unless given).

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a test that meets the unexpected fails there, and prints its seed"
)]

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use jiff::tz::TimeZone;
use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};
use sotto_client::view::{Body, ProfileId, ProfileProblem, ProfileState, RelayProblem, RelayState};
use sotto_client::{AskError, Query};
use sotto_tests::{Desk, Host, ask};
use tempfile::{TempDir, tempdir};

const WHO: &str = "alice";
const PEER: &str = "bob";
/// Bytes of a page of the database.
const PAGE: usize = 4_096;

fn variable(name: &str) -> Option<u64> {
    std::env::var(name).ok()?.parse().ok()
}

fn chance() -> StdRng {
    let seed = variable("SOTTO_SEED").unwrap_or_else(rand::random);
    println!("SOTTO_SEED={seed}");
    StdRng::seed_from_u64(seed)
}

/// Places of so many, each by chance.
fn places(all: usize, chance: &mut StdRng) -> Vec<usize> {
    let many = usize::try_from(variable("SOTTO_PLACES").unwrap_or(24)).unwrap();
    let places = rand::seq::index::sample(chance, all, many.min(all));
    places.into_vec()
}

fn profile(home: &Path, who: &str) -> PathBuf {
    home.join("profiles").join(who)
}

type Files = BTreeMap<String, Vec<u8>>;

/// The files of a profile, but for the lock.
fn files(home: &Path, who: &str) -> Files {
    let mut files = Files::new();
    for entry in fs::read_dir(profile(home, who)).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        if name != "lock" {
            files.insert(name, fs::read(path).unwrap());
        }
    }
    files
}

/// A folder with a profile of these files.
fn place(files: &Files, who: &str) -> TempDir {
    let dir = tempdir().unwrap();
    fs::create_dir_all(profile(dir.path(), who)).unwrap();
    for (name, bytes) in files {
        fs::write(profile(dir.path(), who).join(name), bytes).unwrap();
    }
    dir
}

/// What is seen of a vault.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Seen {
    texts: Vec<String>,
    drafts: Vec<(String, String)>,
    hits: Vec<String>,
}

fn text(body: Body) -> String {
    match body {
        Body::Text(text) => text,
        Body::Note(_) | Body::Unknown => "?".to_owned(),
    }
}

/// Opens a profile and looks at everything in it, or says what it is said to be wrong.
fn look(home: &Path, who: &str) -> Result<Seen, ProfileState> {
    let desk = Desk::open_only(home, None, who);
    let state = desk.wait(who, "a vault", |view| match &view.state {
        ProfileState::Opening | ProfileState::Closed => None,
        state => Some(state.clone()),
    });
    if state != ProfileState::Ready {
        return Err(state);
    }
    let seen = (|| -> Result<Seen, AskError> {
        let (client, profile) = (desk.client(), ProfileId::new(who));
        let history = ask(client.history(&profile, PEER, None, usize::MAX))?;
        let chats = ask(client.contacts(&profile))?;
        let query = Query::parse("apple", &TimeZone::UTC).unwrap();
        let found = ask(client.search(&profile, query, None, 500))?;
        let texts = |entries: Vec<sotto_client::Entry>| {
            let bodies = entries.into_iter().map(|entry| entry.message.body);
            bodies.map(text).collect()
        };
        Ok(Seen {
            texts: texts(history),
            drafts: chats.into_iter().map(|it| (it.handle, it.draft)).collect(),
            hits: texts(found.entries),
        })
    })();
    seen.map_err(|error| {
        assert_eq!(error, AskError::Ended);
        // Not by a panic: what is wrong is said.
        desk.wait(who, "what is wrong", |view| {
            (view.state != ProfileState::Ready).then(|| view.state.clone())
        })
    })
}

fn is_said(state: &ProfileState) -> bool {
    matches!(
        state,
        ProfileState::Failed(ProfileProblem::Damaged | ProfileProblem::KeyMissing)
    )
}

fn say(desk: &Desk, who: &str, texts: impl IntoIterator<Item = String>) {
    let id = ProfileId::new(who);
    for text in texts {
        ask(desk.client().send_text(&id, PEER, text)).unwrap();
    }
}

/// Texts of all lengths.
fn sample(numbers: std::ops::Range<usize>) -> impl Iterator<Item = String> {
    numbers.map(|number| format!("{number} {}", "apple ".repeat(number * number)))
}

/// The files of a vault with some messages and a draft, when it is closed, and what it shows.
fn vault() -> (Files, Seen) {
    let dir = tempdir().unwrap();
    let desk = Desk::open_only(dir.path(), None, WHO);
    desk.wait_ready(WHO);
    say(&desk, WHO, sample(0..40));
    let (chat, text) = (desk.chat_id(WHO, PEER), "half a thought".to_owned());
    let draft = sotto_client::Command::SaveDraft { chat, text };
    ask(desk.client().perform(&ProfileId::new(WHO), draft)).unwrap();
    drop(desk);
    (files(dir.path(), WHO), look(dir.path(), WHO).unwrap())
}

/// Looks at files of which one was changed: that is said, or nothing is different.
fn look_at_changed(files: &Files, name: &str, bytes: Vec<u8>, expected: &Seen, how: &str) -> bool {
    let mut changed = files.clone();
    changed.insert(name.to_owned(), bytes);
    let dir = place(&changed, WHO);
    match look(dir.path(), WHO) {
        Ok(seen) => {
            assert_eq!(&seen, expected, "{how}");
            false
        }
        Err(state) => {
            assert!(is_said(&state), "{how}: {state:?}");
            true
        }
    }
}

fn flipped(bytes: &[u8], at: usize, chance: &mut StdRng) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    bytes[at] ^= 1 << chance.random_range(0..8);
    bytes
}

#[test]
fn l2_every_page_that_is_flipped_or_cut_is_noticed_or_changes_nothing() {
    let mut chance = chance();
    let (files, expected) = vault();
    let database = &files["vault.db"];
    let pages = database.len() / PAGE;
    let mut noticed = 0;
    for page in places(pages, &mut chance) {
        let at = page * PAGE + chance.random_range(0..PAGE);
        let how = format!("byte {at} of {pages} pages flipped");
        let bytes = flipped(database, at, &mut chance);
        noticed += usize::from(look_at_changed(&files, "vault.db", bytes, &expected, &how));
    }
    println!("{noticed} of the flipped pages were noticed");
    assert!(noticed > 0, "no page was looked at");
    for page in places(pages, &mut chance) {
        let end = page * PAGE + [0, chance.random_range(1..PAGE)][chance.random_range(0..2)];
        let how = format!("cut to {end} of {} bytes", database.len());
        let bytes = database[..end].to_vec();
        assert!(
            look_at_changed(&files, "vault.db", bytes, &expected, &how),
            "{how}"
        );
    }
}

#[test]
fn l2_every_part_of_header_and_key_that_is_flipped_or_cut_is_noticed_and_no_file_changes() {
    let mut chance = chance();
    let (files, _) = vault();
    for name in ["vault.header", "vault.key"] {
        let whole = &files[name];
        let cuts = places(whole.len(), &mut chance);
        let cuts = cuts.into_iter().map(|end| whole[..end].to_vec());
        let flips: Vec<_> = places(whole.len(), &mut chance)
            .into_iter()
            .map(|at| flipped(whole, at, &mut chance))
            .collect();
        let longer = [&whole[..], &[0]].concat();
        for bytes in cuts.chain(flips).chain([longer]) {
            let mut changed = files.clone();
            changed.insert(name.to_owned(), bytes);
            let dir = place(&changed, WHO);
            let state = look(dir.path(), WHO).unwrap_err();
            let is_newer = state == ProfileState::Failed(ProfileProblem::Newer);
            let is_locked = matches!(state, ProfileState::Locked { .. });
            let is_right = is_said(&state) || name == "vault.header" && (is_newer || is_locked);
            assert!(is_right, "{name}: {state:?}");
            assert_eq!(self::files(dir.path(), WHO), changed, "{name}");
        }
    }
}

/// A vault in use, as it lies on the disk when the computer is switched off.
fn in_use() -> (Files, Seen) {
    let dir = tempdir().unwrap();
    let desk = Desk::open_only(dir.path(), None, WHO);
    desk.wait_ready(WHO);
    say(&desk, WHO, sample(0..20));
    let mut files = files(dir.path(), WHO);
    files.remove("vault.db-shm");
    drop(desk);
    (files, look(dir.path(), WHO).unwrap())
}

#[test]
fn l2_a_journal_that_is_flipped_or_cut_leaves_what_came_before() {
    let mut chance = chance();
    let (files, whole) = in_use();
    let journal = &files["vault.db-wal"];
    let cuts = places(journal.len(), &mut chance).into_iter();
    let flips = places(journal.len(), &mut chance).into_iter();
    let cuts = cuts.map(|end| journal[..end].to_vec());
    let flips = flips.map(|at| flipped(journal, at, &mut chance));
    for bytes in cuts.chain(flips) {
        let mut changed = files.clone();
        changed.insert("vault.db-wal".to_owned(), bytes);
        let dir = place(&changed, WHO);
        match look(dir.path(), WHO) {
            Ok(seen) => assert!(whole.texts.starts_with(&seen.texts), "{:?}", seen.texts),
            Err(state) => assert!(is_said(&state), "{state:?}"),
        }
    }
}

#[test]
fn l3_pages_that_are_swapped_are_noticed_and_older_ones_show_nothing_that_was_never_written() {
    let mut chance = chance();
    let dir = tempdir().unwrap();
    let write = |numbers| {
        let desk = Desk::open_only(dir.path(), None, WHO);
        desk.wait_ready(WHO);
        say(&desk, WHO, sample(numbers));
        drop(desk);
        files(dir.path(), WHO)
    };
    let older = write(0..20);
    let files = write(20..40);
    let expected = look(dir.path(), WHO).unwrap();
    let (before, now) = (&older["vault.db"], &files["vault.db"]);
    let page = |number: usize| number * PAGE..(number + 1) * PAGE;
    let mut noticed = 0;
    for one in places(now.len() / PAGE, &mut chance) {
        let other = chance.random_range(0..now.len() / PAGE);
        let mut swapped = now.clone();
        swapped[page(one)].copy_from_slice(&now[page(other)]);
        swapped[page(other)].copy_from_slice(&now[page(one)]);
        let how = format!("pages {one} and {other} swapped");
        let is_noticed = look_at_changed(&files, "vault.db", swapped, &expected, &how);
        noticed += usize::from(is_noticed);
    }
    assert!(noticed > 0, "no page was looked at");
    for number in places(before.len() / PAGE, &mut chance) {
        let mut mixed = files.clone();
        let database = mixed.get_mut("vault.db").unwrap();
        database[page(number)].copy_from_slice(&before[page(number)]);
        let dir = place(&mixed, WHO);
        match look(dir.path(), WHO) {
            Ok(seen) => {
                let mut shown = seen.texts.iter().chain(&seen.hits);
                assert!(
                    shown.all(|text| expected.texts.contains(text)),
                    "page {number} put back: {:?}",
                    seen.texts
                );
            }
            Err(state) => assert!(is_said(&state), "page {number} put back: {state:?}"),
        }
    }
}

#[test]
fn l3_the_files_of_one_vault_are_of_no_use_in_another() {
    let [one, other] = [vault(), vault()];
    for names in [
        &["vault.db"][..],
        &["vault.header"],
        &["vault.key"],
        &["vault.header", "vault.key"],
    ] {
        let mut mixed = one.0.clone();
        for name in names {
            mixed.insert((*name).to_owned(), other.0[*name].clone());
        }
        let dir = place(&mixed, WHO);
        let state = look(dir.path(), WHO).unwrap_err();
        assert!(is_said(&state), "{names:?}: {state:?}");
        assert_eq!(files(dir.path(), WHO), mixed, "{names:?}");
    }
}

#[test]
fn l3_a_vault_under_another_handle_is_let_in_nowhere_under_it() {
    let dir = tempdir().unwrap();
    let host = Host::start(&dir.path().join("relay"));
    for who in [WHO, PEER] {
        let desk = Desk::open_only(dir.path(), Some(host.invite()), who);
        desk.wait(who, "a connection", |view| {
            (view.relay == RelayState::Connected).then_some(())
        });
        ask(desk.client().catch_up(&ProfileId::new(who))).unwrap();
    }
    let [one, other, aside] = [WHO, PEER, "aside"].map(|who| profile(dir.path(), who));
    fs::rename(&one, &aside).unwrap();
    fs::rename(&other, &one).unwrap();
    fs::rename(&aside, &other).unwrap();
    for who in [WHO, PEER] {
        let desk = Desk::open_only(dir.path(), Some(host.invite()), who);
        desk.wait(who, "that the handle is another's", |view| {
            let taken = RelayState::Offline(Some(RelayProblem::HandleTaken));
            (view.relay == taken).then_some(())
        });
    }
}

#[test]
fn l9_a_header_of_a_newer_version_is_refused_and_no_file_changes() {
    let (mut files, _) = vault();
    // Behind eight bytes that say what it is.
    files.get_mut("vault.header").unwrap()[8] += 1;
    let dir = place(&files, WHO);
    let state = look(dir.path(), WHO).unwrap_err();
    assert_eq!(state, ProfileState::Failed(ProfileProblem::Newer));
    assert_eq!(self::files(dir.path(), WHO), files);
}
