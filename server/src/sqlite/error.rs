//! What can go wrong with the embedded store.

use std::io;

use thiserror::Error;

use crate::store::Declined;

/// Why the embedded store cannot be opened.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum StoreError {
    /// The folder or a file in it can neither be made nor opened.
    #[error("the relay's folder cannot be used")]
    Folder(#[source] io::Error),
    /// Another process uses the folder.
    #[error("the relay's folder is in use by another process")]
    InUse,
    /// A newer version of the relay wrote the database; it was left as it is.
    #[error("the database is of version {found}, this relay reads up to version {known}")]
    Newer {
        /// The database's version.
        found: i64,
        /// The newest version that this relay reads.
        known: i64,
    },
    /// The file is no relay's database, or it is damaged; it was left as it is.
    #[error("the file is not a relay's database, or it is damaged")]
    Damaged,
    /// The database cannot be read or written.
    #[error("the database cannot be used")]
    Database(#[source] rusqlite::Error),
    /// The writer cannot be started.
    #[error("the store's thread cannot be started")]
    Thread(#[source] io::Error),
}

impl From<rusqlite::Error> for StoreError {
    fn from(error: rusqlite::Error) -> Self {
        use rusqlite::Error::{
            FromSqlConversionFailure, IntegralValueOutOfRange, InvalidColumnType,
        };
        use rusqlite::ErrorCode::{DatabaseCorrupt, NotADatabase};
        // SQLite may be content with what it reads where no value of ours can be.
        let is_foreign = matches!(
            error,
            FromSqlConversionFailure(..) | IntegralValueOutOfRange(..) | InvalidColumnType(..)
        );
        match error.sqlite_error_code() {
            Some(DatabaseCorrupt | NotADatabase) => Self::Damaged,
            _ if is_foreign => Self::Damaged,
            _ => Self::Database(error),
        }
    }
}

/// Why a piece of work on the database failed.
#[derive(Debug)]
pub(super) enum Failure {
    Declined(Declined),
    Database(rusqlite::Error),
}

impl Failure {
    /// What the caller is told. A failing database is logged here and nowhere else.
    pub(super) fn into_declined(self) -> Declined {
        match self {
            Self::Declined(declined) => declined,
            Self::Database(error) => {
                tracing::warn!(code = ?error.sqlite_error_code(), "the database failed");
                Declined::Unavailable
            }
        }
    }
}

impl From<Declined> for Failure {
    fn from(declined: Declined) -> Self {
        Self::Declined(declined)
    }
}

impl From<rusqlite::Error> for Failure {
    fn from(error: rusqlite::Error) -> Self {
        Self::Database(error)
    }
}
