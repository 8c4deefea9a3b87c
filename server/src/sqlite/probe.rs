//! Whether the database can be written.

use rusqlite::{Connection, params};

use super::Failure;

/// Writes a row and takes it away again within the job, so that nobody ever sees it. SQLite skips
/// the disk when a row is set to what it is, but not this.
pub(super) fn write(db: &Connection) -> Result<(), Failure> {
    db.prepare_cached("INSERT INTO store (id) VALUES (zeroblob(16))")?
        .execute([])?;
    db.prepare_cached("DELETE FROM store WHERE rowid = ?1")?
        .execute(params![db.last_insert_rowid()])?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use rusqlite::Connection;

    use super::super::schema;
    use super::*;

    #[test]
    fn a_database_that_cannot_be_written_fails_the_probe_and_a_sound_one_stays_as_it_is() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("relay.db");
        let db = Connection::open(&path).unwrap();
        let lives = schema::prepare(&db).unwrap();
        let journal_bytes = || {
            let path = folder.path().join("relay.db-wal");
            std::fs::metadata(path).unwrap().len()
        };
        let before = journal_bytes();
        write(&db).unwrap();
        assert!(journal_bytes() > before, "the disk was asked");
        assert_eq!(schema::identify(&db).unwrap(), lives[0]);
        let rows: i64 = db
            .query_row("SELECT count(*) FROM store", [], |row| row.get(0))
            .unwrap();
        assert_eq!(rows, 1);
        let reader = schema::open_to_read(&path).unwrap();
        assert!(write(&reader).is_err());
    }
}
