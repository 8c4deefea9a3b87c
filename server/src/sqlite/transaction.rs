//! One transaction for much that has nothing to do with each other.

use std::panic::{AssertUnwindSafe, catch_unwind};

use rusqlite::Connection;

use super::Failure;
use crate::store::{Declined, Event};

/// Carries out all of the work durably, or none of it.
pub(super) fn run<T>(
    db: &Connection,
    work: impl FnOnce(&Connection) -> rusqlite::Result<T>,
) -> rusqlite::Result<T> {
    db.execute_batch("BEGIN IMMEDIATE")?;
    // What panics takes nothing with it but this transaction, which is undone below.
    let outcome = catch_unwind(AssertUnwindSafe(|| work(db)))
        .unwrap_or_else(|_| Err(aborted()))
        .and_then(|output| {
            db.execute_batch("COMMIT")?;
            Ok(output)
        });
    if outcome.is_err() && !db.is_autocommit() {
        // Nothing can be done about a rollback that fails too; the next BEGIN will say so.
        drop(db.execute_batch("ROLLBACK"));
    }
    outcome
}

/// Fails if the transaction has ended, as by a full disk: what follows must not commit by itself.
pub(super) fn still_open(db: &Connection) -> rusqlite::Result<()> {
    if db.is_autocommit() {
        return Err(aborted());
    }
    Ok(())
}

fn aborted() -> rusqlite::Error {
    rusqlite::Error::SqliteFailure(rusqlite::ffi::Error::new(rusqlite::ffi::SQLITE_ABORT), None)
}

/// Carries a job out so that a failure undoes it and nothing else.
pub(super) fn alone<T>(
    db: &Connection,
    events: &mut Vec<Event>,
    work: impl FnOnce(&Connection, &mut Vec<Event>) -> Result<T, Failure>,
) -> Result<T, Declined> {
    let before = events.len();
    let outcome = (|| {
        db.prepare_cached("SAVEPOINT job")?.execute([])?;
        let output = work(db, events)?;
        db.prepare_cached("RELEASE job")?.execute([])?;
        Ok::<T, Failure>(output)
    })();
    outcome.map_err(|failure| {
        events.truncate(before);
        if !db.is_autocommit() && db.execute_batch("ROLLBACK TO job; RELEASE job").is_err() {
            // Half a job must not be committed with the others: give the transaction up.
            drop(db.execute_batch("ROLLBACK"));
        }
        failure.into_declined()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_undoes_its_transaction_and_nothing_else() {
        let db = Connection::open_in_memory().unwrap();
        db.execute_batch("CREATE TABLE word (word TEXT)").unwrap();
        let put = |word: &'static str| {
            move |db: &Connection| db.execute("INSERT INTO word VALUES (?1)", [word])
        };
        run(&db, put("before")).unwrap();
        let panicking = run(&db, |db| -> rusqlite::Result<()> {
            put("meanwhile")(db)?;
            panic!("on purpose");
        });
        assert!(panicking.is_err());
        run(&db, put("after")).unwrap();
        let words: String = db
            .query_row("SELECT group_concat(word) FROM word", [], |row| row.get(0))
            .unwrap();
        assert_eq!(words, "before,after");
    }
}
