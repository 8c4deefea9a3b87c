use std::fs;

use jiff::tz::TimeZone;
use rand::rngs::StdRng;
use rand::seq::IndexedRandom as _;
use rand::{RngExt as _, SeedableRng as _};
use tempfile::tempdir;

use super::*;
use crate::core::content::{MessageId, Shown};
use crate::core::effects::{Change, ChatRecord};
use crate::vault::tests::{copy_sample, create, open};
use crate::view::{ChatId, Delivery, Standing};

fn query(text: &str) -> Query {
    Query::parse(text, &TimeZone::UTC).unwrap()
}

fn keys(vault: &Vault, text: &str) -> Vec<i64> {
    let page = vault.search(&query(text), None, 100).unwrap();
    assert_eq!(page.next, None);
    page.hits.iter().map(|hit| hit.message.key.0).collect()
}

/// The parts of the only message found that are marked.
fn marked(vault: &Vault, text: &str) -> Vec<String> {
    let page = vault.search(&query(text), None, 100).unwrap();
    let [hit] = &page.hits[..] else {
        panic!("{} hits", page.hits.len());
    };
    let shown = hit.message.shown.as_text().unwrap();
    hit.matches
        .iter()
        .map(|range| shown.get(range.clone()).unwrap().to_owned())
        .collect()
}

fn say(key: i64, chat: i64, text: &str) -> Change {
    let mut id = [0; 16];
    id[..8].copy_from_slice(&key.to_be_bytes());
    Change::AddMessage(MessageRecord {
        key: MessageKey(key),
        chat: ChatId(chat),
        is_mine: key % 2 == 0,
        shown: Shown::text(MessageId(id), key * DAY_MILLIS, text.into(), None),
        delivery: Delivery::Sending,
        is_unread: false,
        is_sealed: true,
    })
}

fn chat(id: i64, handle: Option<&str>, name: &str) -> Change {
    Change::PutChat(ChatRecord {
        handle: handle.map(str::to_owned),
        ..ChatRecord::named(ChatId(id), "", name, Standing::Contact)
    })
}

#[test]
fn finds_words_by_their_beginnings_and_phrases_newest_first_page_by_page() {
    let dir = tempdir().unwrap();
    let mut vault = create(&dir.path().join("alice"));
    let texts = [
        "Bread and butter",
        "butter, bread",
        "breadth",
        "broad and bread",
    ];
    let said: Vec<Change> = texts
        .iter()
        .zip(1..)
        .map(|(text, key)| say(key, 1, text))
        .collect();
    vault.commit(&said).unwrap();
    assert_eq!(keys(&vault, "bread"), [4, 3, 2, 1]);
    assert!(keys(&vault, "b r").is_empty());
    assert_eq!(keys(&vault, "BUT bre"), [2, 1]);
    assert_eq!(keys(&vault, "\"and bread\""), [4]);
    assert!(keys(&vault, "\"bread an\"").is_empty());
    let first = vault.search(&query("bread"), None, 3).unwrap();
    assert_eq!((first.hits.len(), first.next), (3, Some(MessageKey(2))));
    let second = vault.search(&query("bread"), first.next, 3).unwrap();
    assert_eq!(
        (second.hits[0].message.key, second.next),
        (MessageKey(1), None)
    );
}

#[test]
fn looks_past_case_and_accents_and_into_scripts_without_spaces() {
    let dir = tempdir().unwrap();
    let mut vault = create(&dir.path().join("alice"));
    let said = [
        say(1, 1, "Die Crème brûlée, СЛАВНО! crème"),
        say(2, 1, "我明天去北京。好吗"),
        say(3, 1, "東京タワーに行くと言った"),
        say(4, 1, "a\u{1}b\u{2}c\u{3}d\0e 🥐"),
    ];
    vault.commit(&said).unwrap();
    assert_eq!(marked(&vault, "creme"), ["Crème", "crème"]);
    assert_eq!(marked(&vault, "\"BRULEE славно\""), ["brûlée, СЛАВНО"]);
    assert_eq!(marked(&vault, "北京"), ["北京"]);
    assert_eq!(marked(&vault, "タワー 言"), ["タワー", "言"]);
    assert!(keys(&vault, "京北").is_empty());
    assert_eq!(marked(&vault, "c e"), ["c", "e"]);
}

#[test]
fn filters_by_author_chat_and_day() {
    let dir = tempdir().unwrap();
    let mut vault = create(&dir.path().join("alice"));
    let said = [
        chat(2, Some("charlie"), "Charlie Brown"),
        chat(3, None, "Unknown 00"),
        say(1, 1, "one"),
        say(2, 1, "one two"),
        say(3, 2, "one"),
        say(4, 2, "one two"),
        say(5, 3, "two"),
    ];
    vault.commit(&said).unwrap();
    assert_eq!(keys(&vault, "from:bob one"), [1]);
    assert_eq!(keys(&vault, "from:me one"), [4, 2]);
    assert_eq!(keys(&vault, "in:CHARLIE"), [4, 3]);
    assert_eq!(keys(&vault, "in:\"charlie brown\" two"), [4]);
    assert_eq!(keys(&vault, "from:bob from:charlie"), [3, 1]);
    assert_eq!(keys(&vault, "from:me in:bob"), [2]);
    assert!(keys(&vault, "from:nobody one").is_empty());
    assert_eq!(keys(&vault, "in:bob in:nobody"), [2, 1]);
    assert_eq!(keys(&vault, "after:1970-01-04"), [5, 4, 3]);
    assert_eq!(keys(&vault, "before:1970-01-04 one"), [2, 1]);
    assert_eq!(
        keys(&vault, "after:1970-01-03 before:1970-01-05 in:bob"),
        [2]
    );
    assert!(keys(&vault, "before:1970-01-02").is_empty());
    assert_eq!(
        keys(&vault, "before:9999-12-30 after:-000044-03-15 two"),
        [5, 4, 2]
    );
}

#[test]
fn the_index_follows_the_messages() {
    let dir = tempdir().unwrap();
    let mut vault = create(&dir.path().join("alice"));
    let said = [
        chat(2, None, "Unknown 00"),
        say(1, 1, "one"),
        say(2, 1, "one"),
        say(3, 2, "two"),
    ];
    vault.commit(&said).unwrap();
    // The same message once more, and once in the other chat.
    let again = |chat| {
        let Change::AddMessage(mut record) = say(1, chat, "one") else {
            unreachable!()
        };
        record.key = MessageKey(10 + chat);
        Change::AddMessage(record)
    };
    vault.commit(&[again(1), again(2)]).unwrap();
    assert_eq!(keys(&vault, "one"), [12, 2, 1]);
    let merge = Change::MergeChat {
        from: ChatId(2),
        into: ChatId(1),
    };
    vault.commit(&[merge]).unwrap();
    assert_eq!(keys(&vault, "in:bob"), [3, 2, 1]);
    assert_eq!(keys(&vault, "from:bob"), [3, 1]);
    assert_eq!(keys(&vault, "t"), [3]);
    vault
        .database
        .execute_batch("DELETE FROM message WHERE key = 2")
        .unwrap();
    assert_eq!(keys(&vault, "one"), [1]);
    let orphans =
        "SELECT count(*) FROM message_text_docsize WHERE id NOT IN (SELECT key FROM message)";
    let orphans: i64 = vault
        .database
        .query_row(orphans, [], |row| row.get(0))
        .unwrap();
    assert_eq!(orphans, 0);
}

#[test]
fn what_fits_no_day_is_passed_over_in_stretches() {
    let dir = tempdir().unwrap();
    let mut vault = create(&dir.path().join("alice"));
    // Clocks that are wrong: the newest message says that it is the oldest one.
    let count = i64::try_from(LOOKS_MAX).unwrap() + 500;
    let said: Vec<Change> = (1..=count)
        .map(|key| {
            let Change::AddMessage(mut record) = say(key, 1, "word") else {
                unreachable!()
            };
            let is_early = key == 1 || key == count;
            record.shown.sent_at_millis = if is_early { i64::MIN } else { i64::MAX };
            Change::AddMessage(record)
        })
        .collect();
    vault.commit(&said).unwrap();
    let (mut found, mut before, mut calls) = (Vec::new(), None, 0);
    loop {
        let page = vault
            .search(&query("w before:2026-01-01"), before, 10)
            .unwrap();
        found.extend(page.hits.iter().map(|hit| hit.message.key.0));
        before = page.next;
        calls += 1;
        if before.is_none() {
            break;
        }
    }
    assert_eq!((found, calls), (vec![count, 1], 2));
}

#[test]
fn no_text_is_a_fault_to_the_database() {
    let seed: u64 = rand::random();
    println!("seed {seed}");
    let mut chance = StdRng::seed_from_u64(seed);
    let dir = tempdir().unwrap();
    let mut vault = create(&dir.path().join("alice"));
    vault.commit(&[say(1, 1, "one two")]).unwrap();
    let parts = [
        "\"",
        "'",
        "(",
        ")",
        "*",
        "^",
        "+",
        "-",
        ":",
        "{",
        "}",
        ",",
        " ",
        " ",
        "\0",
        "\u{1}",
        "\u{3}",
        "AND",
        "OR",
        "NOT",
        "NEAR(",
        "text",
        "place",
        "rowid",
        "from:",
        "in:",
        "before:",
        "after:",
        "2026-01-01",
        "one",
        "é",
        "e\u{301}",
        "\u{301}",
        "京",
        "🥐",
        "ⓐ",
        "%",
        "_",
        "\\",
        ";",
        "--",
    ];
    let mut tried = 0;
    for _ in 0..3_000 {
        let length = chance.random_range(1..12);
        let text: String = (0..length)
            .map(|_| *parts.choose(&mut chance).unwrap())
            .collect();
        if let Ok(query) = Query::parse(&text, &TimeZone::UTC) {
            tried += 1;
            assert!(vault.search(&query, None, 10).is_ok(), "{text:?}");
        }
    }
    assert!(tried > 1_000, "{tried}");
}

#[test]
fn texts_of_older_vaults_are_found_too() {
    let dir = tempdir().unwrap();
    let path = dir.path().join("alice");
    copy_sample(1, &path);
    let vault = open(&path);
    assert_eq!(keys(&vault, "bob"), [2, 1]);
    assert_eq!(keys(&vault, "from:bob \"from bob\""), [1]);
    assert_eq!(
        keys(&vault, "from:me after:1970-01-01 before:3000-01-01"),
        [4, 2]
    );
}

#[test]
fn no_file_of_the_folder_holds_a_word() {
    let dir = tempdir().unwrap();
    let path = dir.path().join("alice");
    let mut vault = create(&path);
    // More than the page cache holds, so that some of it is written before the commit.
    let said: Vec<Change> = (1..=3_000)
        .map(|key| {
            say(
                key,
                1,
                &format!("unmistakable{key} {}", "unmistakable ".repeat(80)),
            )
        })
        .collect();
    vault.commit(&said).unwrap();
    let page = vault.search(&query("unmistak from:me"), None, 50).unwrap();
    assert_eq!(page.hits.len(), 50);
    let mut bytes = 0;
    for entry in fs::read_dir(&path).unwrap() {
        let content = fs::read(entry.unwrap().path()).unwrap();
        bytes += content.len();
        assert!(
            !content
                .windows(8)
                .any(|part| part.eq_ignore_ascii_case(b"unmistak"))
        );
    }
    assert!(bytes > 3_000_000, "{bytes}");
}
