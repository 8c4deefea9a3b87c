//! What outlives the sessions of an identity, from the vault that is in use into a new database.
//!
//! Two lives never share a ratchet: sessions, prekeys and sealed envelopes stay behind. The copy is a
//! vault that was set back, and says so; the rest follows from that ([`crate::core::renewal`]).

use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use rusqlite::{Connection, params};
use sotto_crypto::Identity;
use zeroize::Zeroizing;

use super::{DatabaseKey, Vault, connect, key_text, migrate, version_of};
use crate::backup::BackupError;

/// Tables that are copied as they are; messages follow.
const KEPT: [&str; 7] = [
    "profile",
    "chat",
    "cursor",
    "recent_delivery",
    "mark",
    "assistant",
    "assistant_use",
];
/// Keys of messages between two looks at whether to go on.
const KEYS: i64 = 5_000;

/// Hears how much of how much is done, and says whether to go on.
pub(crate) type Progress<'a> = dyn FnMut(u64, u64) -> ControlFlow<()> + 'a;

/// An open vault as another thread reads it. Its folder stays locked only as long as the vault is
/// open.
pub(crate) struct Reader {
    pub(super) folder: PathBuf,
    database: PathBuf,
    key: DatabaseKey,
}

impl Vault {
    pub(crate) fn reader(&self) -> Reader {
        Reader {
            folder: self.folder.path().to_owned(),
            database: self.folder.database(),
            key: self.master.database_key(),
        }
    }
}

/// How much there is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Extent {
    chats: i64,
    messages: i64,
}

impl Reader {
    pub(super) fn connect(&self) -> Result<Connection, BackupError> {
        connect(&self.database, &self.key).map_err(|error| of_vault(error.into()))
    }

    /// The folder of all profiles.
    pub(super) fn profiles(&self) -> &Path {
        self.folder.parent().unwrap_or(&self.folder)
    }

    /// Fills an empty file with what there is at one moment, and whose it is.
    pub(super) fn copy(
        &self,
        handle: &str,
        to: &Path,
        key: &DatabaseKey,
        progress: &mut Progress<'_>,
    ) -> Result<Extent, BackupError> {
        self.try_copy(handle, to, key, progress).map_err(of_vault)
    }

    fn try_copy(
        &self,
        handle: &str,
        to: &Path,
        key: &DatabaseKey,
        progress: &mut Progress<'_>,
    ) -> Result<Extent, BackupError> {
        let mut database = connect_alone(to, key)?;
        migrate(&database, 0)?;
        database.execute(
            "ATTACH DATABASE ? AS life KEY ?",
            params![
                self.database.as_os_str().as_encoded_bytes(),
                *key_text(&self.key)
            ],
        )?;
        let transaction = database.transaction()?;
        transaction.execute_batch("CREATE TABLE main.backup (handle TEXT NOT NULL) STRICT")?;
        transaction.execute("INSERT INTO main.backup (handle) VALUES (?)", [handle])?;
        for table in KEPT {
            let sql = format!("INSERT INTO main.{table} SELECT * FROM life.{table}");
            transaction.execute(&sql, [])?;
        }
        transaction.execute_batch(
            "UPDATE main.profile SET set_back = 1, renewal_due = 1, renewed_at = NULL,
                 prekeys_before =
                     max(prekeys_before, (SELECT coalesce(max(id), 0) FROM life.prekey));
             -- Sessions stay behind: whoever had one is told so in the next one.
             UPDATE main.chat SET greets = 1 WHERE id IN (SELECT chat FROM life.session);
             INSERT INTO main.stale_prekeys SELECT pin FROM life.cursor;",
        )?;
        copy_messages(&transaction, progress)?;
        let expected = extent(&transaction, "life")?;
        transaction.commit()?;
        database.close().map_err(|(_, error)| error)?;
        Ok(expected)
    }
}

/// Opens a database that is nobody's until it is complete and synchronised: it needs no room for what
/// an interruption would have to undo.
pub(super) fn connect_alone(path: &Path, key: &DatabaseKey) -> Result<Connection, BackupError> {
    let database = connect(path, key)?;
    database.execute_batch("PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF;")?;
    Ok(database)
}

/// What an error means that came from the vault, and not from a backup.
pub(super) fn of_vault(error: BackupError) -> BackupError {
    match error {
        BackupError::Damaged | BackupError::Newer => BackupError::Vault,
        other => other,
    }
}

fn copy_messages(database: &Connection, progress: &mut Progress<'_>) -> Result<(), BackupError> {
    let last: i64 = database.query_row(
        "SELECT coalesce(max(key), 0) FROM life.message",
        [],
        |row| row.get(0),
    )?;
    let total = u64::try_from(last).unwrap_or(0);
    let mut insert = database.prepare(
        "INSERT INTO main.message SELECT * FROM life.message WHERE key > ? AND key <= ?",
    )?;
    let mut after = i64::MIN;
    loop {
        if progress(u64::try_from(after).unwrap_or(0), total).is_break() {
            return Err(BackupError::Cancelled);
        }
        if after >= last {
            return Ok(());
        }
        let end = after.max(0).saturating_add(KEYS).min(last);
        insert.execute([after, end])?;
        after = end;
    }
}

fn extent(database: &Connection, schema: &str) -> Result<Extent, BackupError> {
    let count = |table: &str| {
        let sql = format!("SELECT count(*) FROM {schema}.{table}");
        database.query_row(&sql, [], |row| row.get(0))
    };
    Ok(Extent {
        chats: count("chat")?,
        messages: count("message")?,
    })
}

/// Looks at every page and row of a database that is in nobody's use, and at the identity in it.
pub(super) fn verify(path: &Path, key: &DatabaseKey) -> Result<Extent, BackupError> {
    let database = connect(path, key)?;
    version_of(&database)?;
    // Reads every page, each of which has a code of its own, and gives a row for every fault.
    let found: String = database.query_row("PRAGMA integrity_check(1)", [], |row| row.get(0))?;
    if found != "ok" {
        return Err(BackupError::Damaged);
    }
    let identity: Zeroizing<Vec<u8>> =
        database.query_row("SELECT identity FROM profile", [], |row| {
            row.get(0).map(Zeroizing::new)
        })?;
    Identity::from_stored(&identity).map_err(|_| BackupError::Damaged)?;
    extent(&database, "main")
}
