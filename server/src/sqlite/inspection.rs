//! A relay's database from outside, whether a relay runs on it or not: read, never changed.

use std::fs::TryLockError;
use std::io;
use std::path::{Path, PathBuf};

use rusqlite::{Connection, params};

use super::{DATABASE, Failure, LOCK, StoreError, rows, schema};
use crate::folder;
use crate::store::Usage;

/// An open database that is only looked at.
#[derive(Debug)]
pub struct Inspection {
    dir: PathBuf,
    db: Connection,
}

impl Inspection {
    /// Opens the database in a relay's folder.
    ///
    /// # Errors
    /// See [`StoreError`]; [`StoreError::Folder`] also when there is none.
    pub fn open(dir: &Path) -> Result<Self, StoreError> {
        let path = dir.join(DATABASE);
        // SQLite would only say that it cannot open it.
        std::fs::metadata(&path).map_err(StoreError::Folder)?;
        let db = schema::open_to_read(&path)?;
        schema::identify(&db)?;
        Ok(Self {
            dir: dir.to_owned(),
            db,
        })
    }

    /// Whether a relay uses the folder at this moment.
    pub fn is_in_use(&self) -> bool {
        let lock = std::fs::File::open(self.dir.join(LOCK));
        lock.is_ok_and(|lock| matches!(lock.try_lock(), Err(TryLockError::WouldBlock)))
    }

    /// How much is stored.
    ///
    /// # Errors
    /// [`StoreError::Damaged`] or [`StoreError::Database`].
    pub fn usage(&self) -> Result<Usage, StoreError> {
        rows::usage(&self.db).map_err(|failure| match failure {
            Failure::Database(error) => error.into(),
            Failure::Declined(_) => StoreError::Damaged,
        })
    }

    /// Reads all of the database, and sees that every mailbox counts what it holds.
    ///
    /// # Errors
    /// [`StoreError::Damaged`] when something is wrong.
    pub fn check(&self) -> Result<(), StoreError> {
        let verdict: String = self
            .db
            .query_row("PRAGMA integrity_check(1)", [], |row| row.get(0))?;
        let miscounted: i64 = self.db.query_row(
            "SELECT count(*) FROM mailbox LEFT JOIN (
                SELECT mailbox, count(*) AS held, sum(length(body)) AS size, max(sequence) AS newest
                FROM envelope GROUP BY mailbox
             ) ON mailbox = number
             WHERE envelopes != coalesce(held, 0) OR bytes != coalesce(size, 0)
                OR last < coalesce(newest, 0)",
            [],
            |row| row.get(0),
        )?;
        if verdict == "ok" && miscounted == 0 {
            Ok(())
        } else {
            Err(StoreError::Damaged)
        }
    }

    /// Copies the database as it is at one moment into another folder, durably and for its owner
    /// only; a relay may run meanwhile.
    ///
    /// # Errors
    /// [`StoreError::Folder`] when there is a database already.
    pub fn back_up(&self, to: &Path) -> Result<(), StoreError> {
        folder::make(to).map_err(StoreError::Folder)?;
        let path = to.join(DATABASE);
        if path.exists() {
            let error = io::Error::from(io::ErrorKind::AlreadyExists);
            return Err(StoreError::Folder(error));
        }
        // SQLite writes into an empty file, which is private from the start.
        let file = folder::open_private(&path).map_err(StoreError::Folder)?;
        let name = path.to_str().ok_or(StoreError::Damaged)?;
        self.db.execute("VACUUM INTO ?1", params![name])?;
        // The copy gives out sequences that this store has given out, or will: it lives a life of
        // its own, in which no cursor counts yet.
        schema::renew(&Connection::open(&path)?)?;
        file.sync_all().map_err(StoreError::Folder)
    }
}
