//! Published prekeys.

use bytes::Bytes;
use rusqlite::{Connection, OptionalExtension as _, params};
use sotto_net::wire::{DeviceKey, Prekey};

use super::{Failure, rows, sql};
use crate::store::{Declined, Event, ONE_TIME_PREKEYS_MAX, TAKEN_PREKEYS_MAX, TakenBundle};

pub(super) fn publish(
    db: &Connection,
    device: DeviceKey,
    signed: Option<&Prekey>,
    one_time: &[Prekey],
) -> Result<(), Failure> {
    let mailbox = rows::find(db, device)?.number;
    if let Some(prekey) = signed {
        db.prepare_cached(
            "INSERT INTO signed_prekey (mailbox, id, record) VALUES (?1, ?2, ?3)
             ON CONFLICT (mailbox) DO UPDATE SET id = excluded.id, record = excluded.record",
        )?
        .execute(params![mailbox, prekey.id, &prekey.record[..]])?;
    }
    for prekey in one_time {
        db.prepare_cached(
            "INSERT OR IGNORE INTO one_time_prekey (mailbox, id, record)
             SELECT ?1, ?2, ?3 WHERE NOT EXISTS
             (SELECT 1 FROM taken_prekey WHERE mailbox = ?1 AND id = ?2)",
        )?
        .execute(params![mailbox, prekey.id, &prekey.record[..]])?;
    }
    if u64::from(left(db, mailbox)?) > ONE_TIME_PREKEYS_MAX {
        return Err(Declined::LimitReached.into());
    }
    Ok(())
}

/// One-time prekeys that are left in this mailbox.
pub(super) fn left(db: &Connection, mailbox: i64) -> rusqlite::Result<u32> {
    db.prepare_cached("SELECT count(*) FROM one_time_prekey WHERE mailbox = ?1")?
        .query_row([mailbox], |row| row.get(0))
}

pub(super) fn take(
    db: &Connection,
    device: DeviceKey,
    with_one_time: bool,
    events: &mut Vec<Event>,
) -> Result<TakenBundle, Failure> {
    let mailbox = rows::find(db, device)?.number;
    let signed: Vec<u8> = db
        .prepare_cached("SELECT record FROM signed_prekey WHERE mailbox = ?1")?
        .query_row([mailbox], |row| row.get(0))
        .optional()?
        .ok_or(Declined::NoPrekeys)?;
    let one_time: Option<(u32, Vec<u8>)> = db
        .prepare_cached(
            "SELECT id, record FROM one_time_prekey WHERE mailbox = ?1 AND ?2 ORDER BY id LIMIT 1",
        )?
        .query_row(params![mailbox, with_one_time], |row| {
            Ok((row.get(0)?, row.get(1)?))
        })
        .optional()?;
    if let Some((id, _)) = &one_time {
        give_out(db, mailbox, *id)?;
    }
    events.push(Event::BundleTaken {
        device,
        with_one_time: one_time.is_some(),
        one_time_left: left(db, mailbox)?,
    });
    Ok(TakenBundle {
        signed: Bytes::from(signed),
        one_time: one_time.map(|(_, record)| Bytes::from(record)),
    })
}

/// Forgets what a device has published and nobody has taken.
pub(super) fn withdraw(db: &Connection, device: DeviceKey) -> Result<(), Failure> {
    let mailbox = rows::find(db, device)?.number;
    for table in ["signed_prekey", "one_time_prekey"] {
        db.prepare_cached(&format!("DELETE FROM {table} WHERE mailbox = ?1"))?
            .execute([mailbox])?;
    }
    Ok(())
}

/// Moves a prekey from those that are left to those that were taken.
fn give_out(db: &Connection, mailbox: i64, id: u32) -> rusqlite::Result<()> {
    db.prepare_cached("DELETE FROM one_time_prekey WHERE mailbox = ?1 AND id = ?2")?
        .execute(params![mailbox, id])?;
    let turn: i64 = db
        .prepare_cached(
            "UPDATE mailbox SET prekeys_taken = prekeys_taken + 1 WHERE number = ?1
             RETURNING prekeys_taken",
        )?
        .query_row([mailbox], |row| row.get(0))?;
    db.prepare_cached("INSERT INTO taken_prekey (mailbox, id, turn) VALUES (?1, ?2, ?3)")?
        .execute(params![mailbox, id, turn])?;
    db.prepare_cached("DELETE FROM taken_prekey WHERE mailbox = ?1 AND turn <= ?2")?
        .execute(params![
            mailbox,
            turn.saturating_sub(sql(TAKEN_PREKEYS_MAX))
        ])?;
    Ok(())
}
