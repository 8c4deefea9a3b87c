//! Mailboxes and the envelopes in them.

use bytes::Bytes;
use rusqlite::{Connection, OptionalExtension as _, params};
use sotto_net::wire::{Delivery, DeviceKey, EnvelopeId, Sequence};

use super::{Failure, sql, unsql};
use crate::store::{Admission, Append, Declined, ENVELOPE_IDS_MAX, Event, MAILBOXES_MAX, Usage};

/// Envelopes that expire in one job, so that no job holds up the others for long.
const EXPIRED_PER_JOB: i64 = 1_000;

/// A row of the table of mailboxes.
struct Mailbox {
    number: i64,
    last: i64,
    acknowledged: i64,
    envelopes: u64,
    bytes: u64,
}

/// The mailbox of this device, if there is one.
fn find(db: &Connection, device: DeviceKey) -> rusqlite::Result<Option<Mailbox>> {
    db.prepare_cached(
        "SELECT number, last, acknowledged, envelopes, bytes FROM mailbox WHERE device = ?1",
    )?
    .query_row([device.0], |row| {
        Ok(Mailbox {
            number: row.get(0)?,
            last: row.get(1)?,
            acknowledged: row.get(2)?,
            envelopes: unsql(row.get(3)?),
            bytes: unsql(row.get(4)?),
        })
    })
    .optional()
}

/// The number of this device's mailbox.
pub(super) fn number(db: &Connection, device: DeviceKey) -> Result<i64, Failure> {
    let mailbox = find(db, device)?.ok_or(Declined::DeviceUnknown)?;
    Ok(mailbox.number)
}

pub(super) fn admit(
    db: &Connection,
    device: DeviceKey,
    after: Option<Sequence>,
    now_secs: u64,
) -> Result<Admission, Failure> {
    let mailbox = if let Some(mailbox) = find(db, device)? {
        db.prepare_cached("UPDATE mailbox SET seen_secs = ?2 WHERE number = ?1")?
            .execute(params![mailbox.number, sql(now_secs)])?;
        mailbox
    } else {
        let mailboxes: i64 = db
            .prepare_cached("SELECT count(*) FROM mailbox")?
            .query_row([], |row| row.get(0))?;
        if unsql(mailboxes) >= MAILBOXES_MAX {
            return Err(Declined::LimitReached.into());
        }
        db.prepare_cached("INSERT INTO mailbox (device, seen_secs) VALUES (?1, ?2)")?
            .execute(params![device.0, sql(now_secs)])?;
        find(db, device)?.ok_or(Declined::Unavailable)?
    };
    // A cursor beyond the end was not made by this mailbox: the store has been put back to an
    // earlier state, and what waits now has never been delivered.
    let after = after.filter(|after| sql(*after) <= mailbox.last);
    if let Some(after) = after {
        forget(db, &mailbox, sql(after))?;
    }
    let signed: Option<u32> = db
        .prepare_cached("SELECT id FROM signed_prekey WHERE mailbox = ?1")?
        .query_row([mailbox.number], |row| row.get(0))
        .optional()?;
    Ok(Admission {
        after: after.unwrap_or(0),
        last: unsql(mailbox.last),
        signed_prekey: signed,
        one_time_prekeys: super::prekeys::left(db, mailbox.number)?,
    })
}

pub(super) fn append(
    db: &Connection,
    append: &Append,
    events: &mut Vec<Event>,
) -> Result<(), Failure> {
    for (device, body) in &append.targets {
        let mailbox = find(db, *device)?.ok_or(Declined::DeviceUnknown)?;
        let sequence = mailbox.last + 1;
        let new = db
            .prepare_cached(
                "INSERT OR IGNORE INTO envelope_id (mailbox, id, sequence) VALUES (?1, ?2, ?3)",
            )?
            .execute(params![mailbox.number, append.id.0, sequence])?;
        if new == 0 {
            continue;
        }
        let bytes = mailbox.bytes.saturating_add(body.len() as u64);
        if mailbox.envelopes >= append.quota.envelopes || bytes > append.quota.bytes {
            return Err(Declined::MailboxFull.into());
        }
        db.prepare_cached(
            "INSERT INTO envelope (mailbox, sequence, id, stored_secs, body)
             VALUES (?1, ?2, ?3, ?4, ?5)",
        )?
        .execute(params![
            mailbox.number,
            sequence,
            append.id.0,
            sql(append.stored_secs),
            &body[..],
        ])?;
        db.prepare_cached(
            "UPDATE mailbox SET last = ?2, envelopes = envelopes + 1, bytes = ?3
             WHERE number = ?1",
        )?
        .execute(params![mailbox.number, sequence, sql(bytes)])?;
        events.push(Event::Appended {
            device: *device,
            delivery: Delivery {
                sequence: unsql(sequence),
                id: append.id,
                body: body.clone(),
            },
        });
    }
    Ok(())
}

pub(super) fn read(
    db: &Connection,
    device: DeviceKey,
    after: Sequence,
    envelopes: u32,
    bytes: usize,
) -> Result<Vec<Delivery>, Failure> {
    let mut statement = db.prepare_cached(
        "SELECT sequence, envelope.id, body FROM envelope
         JOIN mailbox ON mailbox.number = envelope.mailbox
         WHERE device = ?1 AND sequence > ?2 ORDER BY sequence LIMIT ?3",
    )?;
    let mut rows = statement.query(params![device.0, sql(after), envelopes])?;
    let mut deliveries = Vec::new();
    let mut held = 0;
    while held < bytes
        && let Some(row) = rows.next()?
    {
        let body = Bytes::from(row.get::<_, Vec<u8>>(2)?);
        held += body.len();
        deliveries.push(Delivery {
            sequence: unsql(row.get(0)?),
            id: EnvelopeId(row.get(1)?),
            body,
        });
    }
    Ok(deliveries)
}

pub(super) fn acknowledge(
    db: &Connection,
    device: DeviceKey,
    up_to: Sequence,
) -> Result<(), Failure> {
    let mailbox = find(db, device)?.ok_or(Declined::DeviceUnknown)?;
    forget(db, &mailbox, sql(up_to))?;
    Ok(())
}

/// Deletes envelopes up to this sequence, and ids that are no longer remembered.
fn forget(db: &Connection, mailbox: &Mailbox, up_to: i64) -> rusqlite::Result<()> {
    let up_to = up_to.min(mailbox.last);
    if up_to <= mailbox.acknowledged {
        return Ok(());
    }
    let (envelopes, bytes): (i64, i64) = db
        .prepare_cached(
            "SELECT count(*), coalesce(sum(length(body)), 0) FROM envelope
             WHERE mailbox = ?1 AND sequence <= ?2",
        )?
        .query_row(params![mailbox.number, up_to], |row| {
            Ok((row.get(0)?, row.get(1)?))
        })?;
    if envelopes > 0 {
        db.prepare_cached("DELETE FROM envelope WHERE mailbox = ?1 AND sequence <= ?2")?
            .execute(params![mailbox.number, up_to])?;
    }
    db.prepare_cached(
        "UPDATE mailbox SET acknowledged = ?2, envelopes = envelopes - ?3, bytes = bytes - ?4
         WHERE number = ?1",
    )?
    .execute(params![mailbox.number, up_to, envelopes, bytes])?;
    let known_from = mailbox.last.saturating_sub(sql(ENVELOPE_IDS_MAX));
    db.prepare_cached("DELETE FROM envelope_id WHERE mailbox = ?1 AND sequence <= ?2")?
        .execute(params![mailbox.number, up_to.min(known_from)])?;
    Ok(())
}

pub(super) fn usage(db: &Connection) -> Result<Usage, Failure> {
    let usage = db
        .prepare_cached(
            "SELECT count(*), coalesce(sum(envelopes), 0), coalesce(sum(bytes), 0) FROM mailbox",
        )?
        .query_row([], |row| {
            Ok(Usage {
                mailboxes: unsql(row.get(0)?),
                envelopes: unsql(row.get(1)?),
                bytes: unsql(row.get(2)?),
            })
        })?;
    Ok(usage)
}

pub(super) fn expire(db: &Connection, before_secs: u64) -> Result<u64, Failure> {
    let before = sql(before_secs);
    let expired: Vec<(i64, i64, i64)> = db
        .prepare_cached(
            "SELECT place, mailbox, length(body) FROM envelope
             WHERE stored_secs < ?1 ORDER BY stored_secs LIMIT ?2",
        )?
        .query_map(params![before, EXPIRED_PER_JOB], |row| {
            Ok((row.get(0)?, row.get(1)?, row.get(2)?))
        })?
        .collect::<rusqlite::Result<_>>()?;
    for (place, mailbox, bytes) in &expired {
        db.prepare_cached("DELETE FROM envelope WHERE place = ?1")?
            .execute([place])?;
        db.prepare_cached(
            "UPDATE mailbox SET envelopes = envelopes - 1, bytes = bytes - ?2 WHERE number = ?1",
        )?
        .execute([mailbox, bytes])?;
    }
    if expired.is_empty() {
        // A mailbox that has given out a sequence stays for ever: its sequences never return.
        db.prepare_cached(
            "DELETE FROM mailbox WHERE last = 0 AND seen_secs < ?1
             AND number NOT IN (SELECT mailbox FROM directory WHERE mailbox IS NOT NULL)
             AND number NOT IN (SELECT mailbox FROM signed_prekey)
             AND number NOT IN (SELECT mailbox FROM one_time_prekey)",
        )?
        .execute([before])?;
    }
    Ok(expired.len() as u64)
}
