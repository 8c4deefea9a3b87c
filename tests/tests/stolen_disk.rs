//! What somebody finds who has the disk of a computer, and not the passphrase: nothing that was
//! said, nobody's name, and no key.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test that meets the unexpected fails there"
)]

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use data_encoding::{BASE64, BASE64URL, HEXLOWER};
use jiff::tz::TimeZone;
use rand::SeedableRng as _;
use rand::rngs::StdRng;
use sotto_client::view::{Notice, ProfileId, ProfileState, SearchState};
use sotto_client::{Command, OpenAtStart, Passphrase, Person, Query, RecoveryCode, identities};
use sotto_crypto::{VaultHeader, VaultSecret};
use sotto_tests::{Desk, Host};
use tempfile::tempdir;

/// Everything whose bytes may be seen: the names of these files, and of the folder that is called as
/// the identity. What is in `vault.header` is random, but for the number 1 and what Argon2 costs; the
/// lock is empty, and SQLite's shared memory has numbers of pages in it.
const FILES: [&str; 6] = [
    "lock",
    "vault.db",
    "vault.db-shm",
    "vault.db-wal",
    "vault.header",
    "vault.key",
];
/// Bytes of a page of the database.
const PAGE: usize = 4_096;
/// Bytes before the pages of the journal, and before each of them.
const JOURNAL: (usize, usize) = (32, 24);
/// Different bytes in a page that looks random: all 256 as a rule, and this many in all but one page
/// of 10^20.
const DIFFERENT: usize = 220;

/// All files below a folder by their paths in it.
fn files(root: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut found = BTreeMap::new();
    let mut folders = vec![root.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                let name = path.strip_prefix(root).unwrap().to_str().unwrap();
                found.insert(name.to_owned(), fs::read(&path).unwrap());
            }
        }
    }
    found
}

/// How bytes may be written down.
fn forms(secret: &[u8]) -> Vec<Vec<u8>> {
    let mut forms = vec![
        secret.to_vec(),
        HEXLOWER.encode(secret).into_bytes(),
        HEXLOWER.encode(secret).to_uppercase().into_bytes(),
    ];
    if let Ok(text) = std::str::from_utf8(secret) {
        forms.push(text.encode_utf16().flat_map(u16::to_le_bytes).collect());
        forms.push(text.encode_utf16().flat_map(u16::to_be_bytes).collect());
        forms.push(text.to_lowercase().into_bytes());
    }
    // In base64, the same bytes look different after one or two others.
    for skipped in 0..3 {
        let whole = (secret.len() - skipped) / 3 * 3;
        let part = &secret[skipped..skipped + whole];
        forms.push(BASE64.encode(part).into_bytes());
        forms.push(BASE64URL.encode(part).into_bytes());
    }
    forms
}

/// Looks for secrets in every file, and at whether everything there is encrypted.
fn search(home: &Path, secrets: &BTreeMap<&str, Vec<u8>>, when: &str) {
    let files = files(home);
    for (name, bytes) in &files {
        let file = name.rsplit('/').next().unwrap();
        assert!(FILES.contains(&file), "{when}: {name} is no known file");
        for (what, secret) in secrets {
            for form in forms(secret) {
                let is_there = bytes.windows(form.len()).any(|part| part == form);
                let is_there = is_there || name.as_bytes().windows(form.len()).any(|it| it == form);
                assert!(!is_there, "{when}: {what} is in {name}");
            }
        }
        let pages: Vec<&[u8]> = match file {
            "vault.db" => bytes.chunks(PAGE).collect(),
            "vault.db-wal" if !bytes.is_empty() => bytes[JOURNAL.0..]
                .chunks(JOURNAL.1 + PAGE)
                .map(|frame| &frame[JOURNAL.1..])
                .collect(),
            _ => Vec::new(),
        };
        for (number, page) in pages.into_iter().enumerate() {
            let mut different = page.to_vec();
            different.sort_unstable();
            different.dedup();
            assert!(
                different.len() > DIFFERENT,
                "{when}: page {number} of {name} has {} different bytes",
                different.len()
            );
        }
    }
}

#[test]
fn l1_a_stolen_disk_shows_no_text_no_name_and_no_key_whatever_was_done_with_it() {
    let dir = tempdir().unwrap();
    let host = Host::start(&dir.path().join("relay"));
    let (home, other) = (dir.path().join("home"), dir.path().join("other"));
    let person = |handle: &str, name: &str| Person {
        handle: handle.to_owned(),
        name: name.to_owned(),
    };
    let (own, peer) = (
        person("guest", "Wunderbare Gästin"),
        person("unverwechselbar", "Herr Unverwechselbar"),
    );
    let (who, whom) = (own.handle.as_str(), peer.handle.as_str());
    let pass = |text: &str| Passphrase::new(text.to_owned());
    let code = RecoveryCode::generate(&mut StdRng::seed_from_u64(1));
    let (first, second) = ("the first passphrase", "another passphrase, later");
    let [sent, received, draft, sought, long] = [
        "a sentence that is sent",
        "quite another one that is received",
        "half a thought that nobody gets",
        "thunderstorm",
        "words of a long message, again and again; ",
    ];
    let mut secrets: BTreeMap<&str, Vec<u8>> = [
        ("what was sent", sent),
        ("what was received", received),
        ("the draft", draft),
        ("what was looked for", sought),
        ("a long message", long),
        ("the own name", &own.name),
        ("the peer's name", &peer.name),
        ("the peer's handle", whom),
        ("the passphrase so far", first),
        ("the passphrase", second),
        ("the recovery code", &code.to_text()),
        ("the database's form", "CREATE TABLE"),
        ("the database's kind", "SQLite format"),
    ]
    .map(|(what, secret)| (what, secret.as_bytes().to_vec()))
    .into();

    let nobody = OpenAtStart::Only(ProfileId::new("nobody"));
    let open = |home: &Path, person: &Person, passphrase: &str| {
        let mut desk = Desk::start(home, Some(host.invite()), nobody.clone());
        let client = desk.client_mut();
        client.create(person, pass(passphrase)).unwrap();
        desk.wait_ready(&person.handle);
        desk
    };
    let peers = open(&other, &peer, "");
    let desk = open(&home, &own, first);
    search(&home, &secrets, "once it is made");

    sotto_tests::ask(desk.client().find(&ProfileId::new(who), whom)).unwrap();
    desk.write(who, whom, sent);
    // Strangers are told nothing, and their long texts wait.
    peers.command(whom, Command::AcceptRequest(peers.chat_id(whom, who)));
    desk.write(who, whom, &long.repeat(2_000));
    peers.show(whom, who);
    peers.wait_messages(whom, who, "both", |messages| {
        (messages.len() == 2).then_some(())
    });
    peers.write(whom, who, received);
    desk.wait_messages(who, whom, "the answer", |messages| {
        (messages.len() == 3).then_some(())
    });
    let (chat, text) = (desk.chat_id(who, whom), draft.to_owned());
    desk.command(who, Command::SaveDraft { chat, text });
    desk.wait(who, "the draft", |view| {
        let row = view.chats.iter().find(|row| row.id == chat)?;
        (row.draft == draft).then_some(())
    });
    let query = Query::parse(sought, &TimeZone::UTC).unwrap();
    desk.command(who, Command::Search(query));
    desk.wait(who, "the end of the search", |view| {
        (view.search.as_ref()?.state == SearchState::Complete).then_some(())
    });
    search(&home, &secrets, "while it is in use");

    let (current, new) = (pass(first), Some(code));
    desk.command(who, Command::SetRecoveryCode { current, new });
    let (current, new) = (pass(first), pass(second));
    desk.command(who, Command::SetPassphrase { current, new });
    desk.wait(who, "another passphrase", |view| {
        let is_set = view.has_recovery_code && view.notice == Some(Notice::PassphraseSet);
        is_set.then_some(())
    });
    let link = desk.view(who).contact_link.clone().unwrap();
    let fingerprint = link.split('/').nth(3).unwrap();
    secrets.insert("the fingerprint", fingerprint.as_bytes().to_vec());
    let profile = identities::list(&home).map(|_| home.join("profiles").join(who));
    let header = fs::read(profile.unwrap().join("vault.header")).unwrap();
    let header = VaultHeader::parse(&header).unwrap();
    let master = header.unlock(&VaultSecret::Passphrase(second)).unwrap();
    secrets.insert("the database's key", master.database_key().to_vec());
    search(&home, &secrets, "with another passphrase");

    desk.command(who, Command::Lock);
    desk.wait(who, "a lock", |view| {
        matches!(view.state, ProfileState::Locked { .. }).then_some(())
    });
    search(&home, &secrets, "when it is locked");
    drop(desk);
    search(&home, &secrets, "when it is closed");
    identities::delete(&home, who).unwrap();
    assert_eq!(files(&home), BTreeMap::new(), "nothing of it is left");
}

#[test]
fn l1_without_a_passphrase_the_key_that_lies_beside_the_vault_is_all_that_opens_it() {
    let dir = tempdir().unwrap();
    let desk = Desk::open_only(dir.path(), None, "alice");
    desk.write("alice", "bob", "a sentence that is kept");
    desk.wait_messages("alice", "bob", "it", |messages| {
        (messages.len() == 1).then_some(())
    });
    let profile = dir.path().join("profiles/alice");
    let key = fs::read(profile.join("vault.key")).unwrap();
    let header = VaultHeader::parse(&fs::read(profile.join("vault.header")).unwrap()).unwrap();
    let secret = VaultSecret::KeyFile(key.as_slice().try_into().unwrap());
    let master = header.unlock(&secret).unwrap();
    let secrets = [
        ("what was written", b"a sentence that is kept".to_vec()),
        ("the database's key", master.database_key().to_vec()),
    ];
    search(dir.path(), &secrets.into(), "while it is in use");
    drop(desk);
    let others = files(&profile).into_iter();
    let others = others.filter(|(name, _)| name != "vault.key");
    for (name, bytes) in others {
        let is_there = bytes.windows(key.len()).any(|part| part == key);
        assert!(!is_there, "the key is in {name}");
    }
}
