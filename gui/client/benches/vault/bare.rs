//! The control: SQLCipher with one table, and nothing of ours around it.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};
use rusqlite::{Connection, Transaction, params};
use sotto_crypto::{VaultHeader, VaultSecret};

/// Words that messages are made of.
const WORDS: usize = 30_000;
const SYLLABLES: [&str; 20] = [
    "ka", "to", "mi", "re", "no", "sa", "li", "um", "er", "an", "th", "in", "wo", "be", "de", "pa",
    "qu", "ix", "ol", "ze",
];
/// Chats of a vault; the first one has a tenth of all messages.
const CHATS: i64 = 20;

/// Opens the database of a vault whose key lies beside it.
pub(crate) fn open(folder: &Path) -> Connection {
    let header = fs::read(folder.join("vault.header")).expect("a header");
    let key = fs::read(folder.join("vault.key")).expect("a key");
    let key = key.as_slice().try_into().expect("32 bytes");
    let header = VaultHeader::parse(&header).expect("a header");
    let master = header.unlock(&VaultSecret::KeyFile(key)).expect("the key");
    let mut hex = String::new();
    for byte in master.database_key().iter() {
        write!(hex, "{byte:02x}").expect("a digit");
    }
    let database = Connection::open(folder.join("vault.db")).expect("a database");
    let pragmas = format!(
        "PRAGMA cipher_log_level = NONE; PRAGMA key = \"x'{hex}'\"; PRAGMA temp_store = MEMORY;
         PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;"
    );
    database.execute_batch(&pragmas).expect("the key fits");
    database
}

/// Sentences whose words are as unevenly common as those of a language.
pub(crate) struct Sentences {
    words: Vec<String>,
    chance: StdRng,
}

impl Sentences {
    pub(crate) fn new() -> Self {
        let mut chance = StdRng::seed_from_u64(1);
        let mut words: Vec<String> = (0..WORDS)
            .map(|_| {
                let syllables = chance.random_range(1..=5);
                (0..syllables)
                    .map(|_| SYLLABLES[chance.random_range(0..SYLLABLES.len())])
                    .collect()
            })
            .collect();
        words.sort_by_key(String::len);
        Self { words, chance }
    }

    pub(crate) fn next(&mut self) -> String {
        let length = self.chance.random_range(3..=15);
        let words: Vec<&str> = (0..length)
            .map(|_| {
                // The word at place n is about twice as common as that at place 2n.
                let place = (WORDS as f64).powf(self.chance.random::<f64>());
                self.words[place as usize % WORDS].as_str()
            })
            .collect();
        words.join(" ")
    }
}

fn insert(transaction: &Transaction<'_>, key: i64, chat: i64, text: &str) {
    let mut id = [0; 16];
    id[..8].copy_from_slice(&key.to_be_bytes());
    id[8..].copy_from_slice(
        &key.wrapping_mul(0x9e37_79b9_7f4a_7c15_u64 as i64)
            .to_be_bytes(),
    );
    transaction
        .prepare_cached(
            "INSERT INTO message
                 (key, chat, mine, id, kind, payload, sent_at, delivery, unread, sealed)
             VALUES (?, ?, ?, ?, 1, ?, ?, 2, 0, 1)",
        )
        .expect("a statement")
        .execute(params![
            key,
            chat,
            key % 2,
            id,
            text.as_bytes(),
            1_600_000_000_000 + key * 60_000
        ])
        .expect("a row");
}

/// Fills a vault of version 1 up to so many messages, in one transaction.
pub(crate) fn fill(folder: &Path, messages: i64) -> Duration {
    let mut database = open(folder);
    let mut sentences = Sentences::new();
    let started = Instant::now();
    let transaction = database.transaction().expect("a transaction");
    for chat in 2..=CHATS {
        transaction
            .execute(
                "INSERT INTO chat (id, handle, name, verified, draft) VALUES (?, ?, ?, 0, '')",
                params![chat, format!("peer{chat}"), format!("Peer {chat}")],
            )
            .expect("a chat");
    }
    let first: i64 = transaction
        .query_row("SELECT max(key) + 1 FROM message", [], |row| row.get(0))
        .expect("a key");
    for key in first..=messages {
        let chat = if key % 10 == 0 {
            1
        } else {
            2 + key % (CHATS - 1)
        };
        insert(&transaction, key, chat, &sentences.next());
    }
    transaction.commit().expect("a commit");
    started.elapsed()
}

/// Adds messages, each in a transaction of its own.
pub(crate) fn add(folder: &Path, messages: i64) -> Duration {
    let mut database = open(folder);
    let mut sentences = Sentences::new();
    let first: i64 = database
        .query_row("SELECT max(key) + 1 FROM message", [], |row| row.get(0))
        .expect("a key");
    let started = Instant::now();
    for key in first..first + messages {
        let transaction = database.transaction().expect("a transaction");
        insert(&transaction, key, 1, &sentences.next());
        transaction.commit().expect("a commit");
    }
    started.elapsed()
}
