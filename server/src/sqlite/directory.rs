//! Handles and who is behind them.

use bytes::Bytes;
use rusqlite::{Connection, OptionalExtension as _, Row, params};
use sotto_net::wire::Entry;

use super::{Failure, rows, unsql};
use crate::config::Seed;
use crate::store::{Claiming, Declined, Event, HANDLES_MAX, HANDLES_PER_DEVICE_MAX};

pub(super) fn seed(db: &Connection, seeds: &[Seed]) -> Result<(), Failure> {
    for seed in seeds {
        db.prepare_cached("INSERT OR IGNORE INTO directory (handle, name) VALUES (?1, ?2)")?
            .execute([&seed.handle, &seed.name])?;
    }
    Ok(())
}

pub(super) fn claim(
    db: &Connection,
    claiming: Claiming,
    events: &mut Vec<Event>,
) -> Result<(), Failure> {
    let mailbox = rows::find(db, claiming.device)?.number;
    let found: Option<(Option<i64>, Entry)> = db
        .prepare_cached("SELECT handle, name, identity, mailbox FROM directory WHERE handle = ?1")?
        .query_row([&claiming.handle], |row| Ok((row.get(3)?, entry(row)?)))
        .optional()?;
    let claimed = Entry {
        request: 0,
        handle: claiming.handle,
        name: claiming.name,
        identity: Some(claiming.identity),
    };
    match found {
        Some((Some(owner), _)) if owner != mailbox => return Err(Declined::HandleTaken.into()),
        Some((Some(_), entry)) if entry == claimed => return Ok(()),
        Some((Some(_), _)) => {}
        Some((None, _)) => check_room(db, mailbox)?,
        None if !claiming.open => return Err(Declined::HandleUnknown.into()),
        None => {
            check_room(db, mailbox)?;
            if count(db, "SELECT count(*) FROM directory", [])? >= HANDLES_MAX {
                return Err(Declined::LimitReached.into());
            }
        }
    }
    db.prepare_cached(
        "INSERT INTO directory (handle, name, mailbox, identity) VALUES (?1, ?2, ?3, ?4)
         ON CONFLICT (handle) DO UPDATE
         SET name = excluded.name, mailbox = excluded.mailbox, identity = excluded.identity",
    )?
    .execute(params![
        claimed.handle,
        claimed.name,
        mailbox,
        claimed.identity.as_deref(),
    ])?;
    events.push(Event::DirectoryChanged(claimed));
    Ok(())
}

/// Whether this device may have one more handle.
fn check_room(db: &Connection, mailbox: i64) -> Result<(), Failure> {
    let owned = count(
        db,
        "SELECT count(*) FROM directory WHERE mailbox = ?1",
        [mailbox],
    )?;
    if owned >= HANDLES_PER_DEVICE_MAX {
        return Err(Declined::LimitReached.into());
    }
    Ok(())
}

fn count(db: &Connection, query: &str, params: impl rusqlite::Params) -> rusqlite::Result<u64> {
    db.prepare_cached(query)?
        .query_row(params, |row| row.get(0))
        .map(unsql)
}

pub(super) fn look_up(db: &Connection, handle: &str) -> Result<Entry, Failure> {
    let found = db
        .prepare_cached("SELECT handle, name, identity FROM directory WHERE handle = ?1")?
        .query_row([handle], entry)
        .optional()?;
    Ok(found.ok_or(Declined::HandleUnknown)?)
}

pub(super) fn list(db: &Connection) -> Result<Vec<Entry>, Failure> {
    let entries = db
        .prepare_cached("SELECT handle, name, identity FROM directory ORDER BY place")?
        .query_map([], entry)?
        .collect::<rusqlite::Result<_>>()?;
    Ok(entries)
}

fn entry(row: &Row<'_>) -> rusqlite::Result<Entry> {
    Ok(Entry {
        request: 0,
        handle: row.get(0)?,
        name: row.get(1)?,
        identity: row.get::<_, Option<Vec<u8>>>(2)?.map(Bytes::from),
    })
}
