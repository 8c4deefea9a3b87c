//! Layout of the database, version 3.

use std::path::Path;
use std::time::Duration;

use rusqlite::{Connection, OpenFlags, OptionalExtension as _};
use sotto_net::wire::StoreId;

use super::StoreError;

/// "Sott", in the header of the file: this is a relay's database.
const APPLICATION: i64 = 0x536f_7474;
/// Version of the layout.
const VERSION: i64 = 3;
/// How long a connection waits for another one; only checkpoints make it wait at all.
const BUSY: Duration = Duration::from_secs(5);

/// How the connection that writes behaves, beside its journal. Deleted envelopes are overwritten
/// where that costs no further write; a journal that has grown is cut back.
const BEHAVIOUR: &str = "
    PRAGMA synchronous = FULL;
    PRAGMA secure_delete = FAST;
    PRAGMA wal_autocheckpoint = 4000;
    PRAGMA journal_size_limit = 67108864;
    PRAGMA foreign_keys = OFF;
";

/// No table has a column for who sent an envelope.
const LAYOUT: &str = "
    -- One row for each life, the newest last.
    CREATE TABLE store (
        id BLOB NOT NULL CHECK (length(id) = 16)
    ) STRICT;

    -- last: sequences up to here may have been given out. mark: what the device left the last time.
    CREATE TABLE mailbox (
        number INTEGER PRIMARY KEY,
        device BLOB NOT NULL UNIQUE CHECK (length(device) = 32),
        last INTEGER NOT NULL DEFAULT 0,
        envelopes INTEGER NOT NULL DEFAULT 0 CHECK (envelopes >= 0),
        bytes INTEGER NOT NULL DEFAULT 0 CHECK (bytes >= 0),
        prekeys_taken INTEGER NOT NULL DEFAULT 0,
        seen_secs INTEGER NOT NULL,
        mark BLOB CHECK (length(mark) = 16)
    ) STRICT;

    CREATE TABLE envelope (
        place INTEGER PRIMARY KEY,
        mailbox INTEGER NOT NULL,
        sequence INTEGER NOT NULL,
        id BLOB NOT NULL,
        stored_secs INTEGER NOT NULL,
        body BLOB NOT NULL,
        UNIQUE (mailbox, sequence)
    ) STRICT;
    CREATE INDEX envelope_by_age ON envelope (stored_secs);

    -- Ids that the mailbox has seen, kept beyond the envelopes themselves.
    CREATE TABLE envelope_id (
        mailbox INTEGER NOT NULL,
        id BLOB NOT NULL,
        sequence INTEGER NOT NULL,
        PRIMARY KEY (mailbox, id)
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX envelope_id_by_sequence ON envelope_id (mailbox, sequence);

    CREATE TABLE signed_prekey (
        mailbox INTEGER PRIMARY KEY,
        id INTEGER NOT NULL,
        record BLOB NOT NULL
    ) STRICT;
    CREATE TABLE one_time_prekey (
        mailbox INTEGER NOT NULL,
        id INTEGER NOT NULL,
        record BLOB NOT NULL,
        PRIMARY KEY (mailbox, id)
    ) STRICT;
    -- turn: how manieth of its mailbox it was.
    CREATE TABLE taken_prekey (
        mailbox INTEGER NOT NULL,
        id INTEGER NOT NULL,
        turn INTEGER NOT NULL,
        PRIMARY KEY (mailbox, id)
    ) STRICT, WITHOUT ROWID;

    -- A seeded handle that nobody has claimed has neither mailbox nor identity.
    CREATE TABLE directory (
        place INTEGER PRIMARY KEY,
        handle TEXT NOT NULL UNIQUE,
        name TEXT NOT NULL,
        mailbox INTEGER,
        identity BLOB
    ) STRICT;
    CREATE INDEX directory_by_mailbox ON directory (mailbox);
";

/// What brings each older version to the next one. In version 1 `last` was exact, and what was
/// acknowledged was kept beside it; version 2 knew no marks.
const UPDATES: [&str; 2] = [
    "ALTER TABLE mailbox DROP COLUMN acknowledged;",
    "ALTER TABLE mailbox ADD COLUMN mark BLOB CHECK (length(mark) = 16);",
];

/// Lives that are remembered: clients that were away for longer get again what they have not
/// acknowledged, and know it by its ids.
const LIVES_MAX: u32 = 1_000;

/// Lays the database out if it is new, or anew if it is of an older version, and begins a new life.
/// Gives all lives, the newest first: cursors count in them.
///
/// Files that are put back as they were begin a life that nobody has heard of, and do not know those
/// that came after them. Otherwise they would take a cursor of the future for one of theirs, once
/// they have given out as many sequences, and keep from its device what lies before it.
pub(super) fn prepare(db: &Connection) -> Result<Vec<StoreId>, StoreError> {
    db.busy_timeout(BUSY)?;
    let tables: i64 = db.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))?;
    if tables == 0 && marks(db)? == (0, 0) {
        create(db)?;
        return lives(db);
    }
    identify(db)?;
    behave(db)?;
    let version = marks(db)?.1;
    if version < VERSION {
        let transaction = db.unchecked_transaction()?;
        for (from, update) in (1..).zip(UPDATES) {
            if version <= from {
                transaction.execute_batch(update)?;
            }
        }
        transaction.pragma_update(None, "user_version", VERSION)?;
        transaction.commit()?;
    }
    let transaction = db.unchecked_transaction()?;
    begin_life(&transaction)?;
    transaction.commit()?;
    lives(db)
}

fn begin_life(db: &Connection) -> rusqlite::Result<()> {
    let id: [u8; 16] = rand::random();
    db.execute("INSERT INTO store (id) VALUES (?1)", [id])?;
    let forget = "DELETE FROM store WHERE rowid <= (SELECT max(rowid) FROM store) - ?1";
    db.execute(forget, [LIVES_MAX])?;
    Ok(())
}

fn lives(db: &Connection) -> Result<Vec<StoreId>, StoreError> {
    let mut statement = db.prepare("SELECT id FROM store ORDER BY rowid DESC")?;
    let lives = statement.query_map([], |row| row.get(0).map(StoreId))?;
    Ok(lives.collect::<rusqlite::Result<_>>()?)
}

/// Sets how the connection behaves.
fn behave(db: &Connection) -> Result<(), StoreError> {
    // Carried out to its end: SQLite answers first, and only then writes the change into the file.
    // With another journal a power cut could take commits back, for its removal is not durable.
    let journal: Vec<String> = db
        .prepare("PRAGMA journal_mode = WAL")?
        .query_map([], |row| row.get(0))?
        .collect::<rusqlite::Result<_>>()?;
    if journal != ["wal"] {
        let error = rusqlite::ffi::Error::new(rusqlite::ffi::SQLITE_CANTOPEN);
        return Err(StoreError::Database(rusqlite::Error::SqliteFailure(
            error, None,
        )));
    }
    db.execute_batch(BEHAVIOUR)?;
    Ok(())
}

/// The newest life of a relay's database of this or an older version; changes nothing.
pub(super) fn identify(db: &Connection) -> Result<StoreId, StoreError> {
    match marks(db)? {
        (APPLICATION, 1..=VERSION) => {
            let id: Option<Vec<u8>> = db
                .query_row(
                    "SELECT id FROM store ORDER BY rowid DESC LIMIT 1",
                    [],
                    |row| row.get(0),
                )
                .optional()?;
            id.and_then(|id| id.try_into().ok())
                .map(StoreId)
                .ok_or(StoreError::Damaged)
        }
        (APPLICATION, found) if found > VERSION => Err(StoreError::Newer {
            found,
            known: VERSION,
        }),
        _ => Err(StoreError::Damaged),
    }
}

/// Begins the life of a copy, beside which the original goes on: without the lives so far, and
/// without marks, which tell devices of theirs what they have done since.
pub(super) fn renew(db: &Connection) -> rusqlite::Result<()> {
    db.execute("DELETE FROM store", [])?;
    begin_life(db)?;
    db.execute("UPDATE mailbox SET mark = NULL", [])?;
    Ok(())
}

/// Application and version, as the file's header has them.
fn marks(db: &Connection) -> rusqlite::Result<(i64, i64)> {
    let pragma = |name: &str| db.pragma_query_value(None, name, |row| row.get(0));
    Ok((pragma("application_id")?, pragma("user_version")?))
}

/// A connection for the readers.
pub(super) fn open_to_read(path: &Path) -> rusqlite::Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let db = Connection::open_with_flags(path, flags)?;
    db.busy_timeout(BUSY)?;
    Ok(db)
}

fn create(db: &Connection) -> Result<(), StoreError> {
    behave(db)?;
    let transaction = db.unchecked_transaction()?;
    transaction.execute_batch(LAYOUT)?;
    begin_life(&transaction)?;
    transaction.pragma_update(None, "application_id", APPLICATION)?;
    transaction.pragma_update(None, "user_version", VERSION)?;
    transaction.commit()?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use sotto_net::wire::{DeviceKey, EnvelopeId, Mark};

    use super::*;
    use crate::store::{Append, Quota, Store as _};
    use crate::{Inspection, SqliteStore};

    async fn put(store: &SqliteStore, id: u8) {
        let mut bytes = [0; 16];
        bytes[1] = id;
        let append = Append {
            id: EnvelopeId(bytes),
            targets: vec![(DeviceKey([2; 32]), Bytes::from_static(b"new"))],
            quota: Quota {
                envelopes: 100,
                bytes: 100,
            },
            stored_secs: 1_000,
        };
        store.append(append).await.await.unwrap();
    }

    async fn sequences(store: &SqliteStore) -> Vec<u64> {
        let mut all = Vec::new();
        loop {
            let after = all.last().copied().unwrap_or(0);
            let read = store.read(DeviceKey([2; 32]), after, 9, 99).await.unwrap();
            if read.is_empty() {
                return all;
            }
            all.extend(read.iter().map(|delivery| delivery.sequence));
        }
    }

    #[tokio::test]
    async fn a_database_of_an_older_version_is_brought_up_to_date() {
        for sample in [include_str!("version-1.sql"), include_str!("version-2.sql")] {
            bring_up_to_date(sample).await;
        }
    }

    async fn bring_up_to_date(sample: &str) {
        let folder = tempfile::tempdir().unwrap();
        let db = Connection::open(folder.path().join("relay.db")).unwrap();
        db.execute_batch(sample).unwrap();
        drop(db);
        // The second time it is up to date already.
        for _ in 0..2 {
            let store = SqliteStore::open(folder.path()).unwrap();
            assert!(store.lives.contains(&StoreId([0x51; 16])));
            put(&store, 0).await;
            assert_eq!(sequences(&store).await, [3, 4], "its ids are known");
        }
        let store = SqliteStore::open(folder.path()).unwrap();
        put(&store, 4).await;
        assert!(sequences(&store).await[2] > 4);
        let bob = DeviceKey([2; 32]);
        for (mark, before) in [(Mark([1; 16]), None), (Mark([2; 16]), Some(Mark([1; 16])))] {
            assert_eq!(store.mark(bob, Some(mark)).await.await, Ok(before));
        }
        drop(store);
        Inspection::open(folder.path()).unwrap().check().unwrap();
    }

    #[test]
    fn a_store_whose_id_reads_as_something_else_is_damaged() {
        let folder = tempfile::tempdir().unwrap();
        let db = Connection::open(folder.path().join("relay.db")).unwrap();
        create(&db).unwrap();
        assert_eq!(identify(&db).unwrap(), lives(&db).unwrap()[0]);
        db.execute_batch(
            "DROP TABLE store; CREATE TABLE store (id); INSERT INTO store VALUES (NULL)",
        )
        .unwrap();
        assert!(matches!(identify(&db), Err(StoreError::Damaged)));
    }
}
