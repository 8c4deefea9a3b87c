//! Mailboxes and their envelopes on the disk.

use bytes::Bytes;
use rusqlite::{Connection, OptionalExtension as _, params};
use sotto_net::wire::{Delivery, DeviceKey, EnvelopeId, Mark, Sequence};

use super::load::Load;
use super::mailbox::Forgetting;
use super::{Failure, sql, unsql};
use crate::planted;
use crate::store::{Admission, Declined, ENVELOPE_IDS_MAX, MAILBOXES_MAX, Usage};

/// Envelopes that expire in one job, so that no job holds up the others for long.
const EXPIRED_PER_JOB: i64 = 1_000;
/// Sequences that are reserved at once. A mailbox that is read from the disk goes on behind them,
/// so that what it gave out and lost in a crash is never given out again.
const RESERVED: i64 = 4_096;

/// A row of the table of mailboxes.
#[derive(Debug, Clone, Copy)]
pub(super) struct MailboxRow {
    pub(super) number: i64,
    /// Sequences up to here may have been given out.
    pub(super) last: Sequence,
    pub(super) stored: Load,
}

/// A row of the table of envelopes.
#[derive(Debug)]
pub(super) struct EnvelopeRow {
    pub(super) device: DeviceKey,
    pub(super) mailbox: i64,
    pub(super) sequence: Sequence,
    pub(super) id: EnvelopeId,
    pub(super) stored_secs: u64,
    pub(super) body: Bytes,
}

/// The mailbox of this device.
pub(super) fn find(db: &Connection, device: DeviceKey) -> Result<MailboxRow, Failure> {
    let found = db
        .prepare_cached("SELECT number, last, envelopes, bytes FROM mailbox WHERE device = ?1")?
        .query_row([device.0], |row| {
            Ok(MailboxRow {
                number: row.get(0)?,
                last: unsql(row.get(1)?),
                stored: Load {
                    envelopes: unsql(row.get(2)?),
                    bytes: unsql(row.get(3)?),
                },
            })
        })
        .optional()?;
    Ok(found.ok_or(Declined::DeviceUnknown)?)
}

/// Finds or makes the mailbox of a device that logs in. Its cursor counts if the mailbox may have
/// given it out. A mailbox that has been used reserves sequences, for what is about to come.
pub(super) fn admit(
    db: &Connection,
    device: DeviceKey,
    after: Option<Sequence>,
    now_secs: u64,
) -> Result<(MailboxRow, Admission), Failure> {
    let mailbox = match find(db, device) {
        Ok(mailbox) if mailbox.last > 0 => reserve(db, device)?,
        Err(Failure::Declined(_)) => {
            create(db, device, now_secs)?;
            find(db, device)?
        }
        found => found?,
    };
    db.prepare_cached("UPDATE mailbox SET seen_secs = ?2 WHERE number = ?1")?
        .execute(params![mailbox.number, sql(now_secs)])?;
    let signed: Option<u32> = db
        .prepare_cached("SELECT id FROM signed_prekey WHERE mailbox = ?1")?
        .query_row([mailbox.number], |row| row.get(0))
        .optional()?;
    let admission = Admission {
        // A cursor beyond the end was not made by this mailbox: the store has been put back to an
        // earlier state, and what waits now has never been delivered.
        after: after.filter(|after| *after <= mailbox.last).unwrap_or(0),
        signed_prekey: signed,
        one_time_prekeys: super::prekeys::left(db, mailbox.number)?,
    };
    Ok((mailbox, admission))
}

fn create(db: &Connection, device: DeviceKey, now_secs: u64) -> Result<(), Failure> {
    let ask = |query| -> rusqlite::Result<u64> {
        let answer = db.prepare_cached(query)?.query_row([], |row| row.get(0))?;
        Ok(unsql(answer))
    };
    // Counting takes long; numbers grow, so that the highest one tells when it is worth while.
    if ask("SELECT coalesce(max(number), 0) FROM mailbox")? >= MAILBOXES_MAX
        && ask("SELECT count(*) FROM mailbox")? >= MAILBOXES_MAX
    {
        return Err(Declined::LimitReached.into());
    }
    db.prepare_cached("INSERT INTO mailbox (device, seen_secs) VALUES (?1, ?2)")?
        .execute(params![device.0, sql(now_secs)])?;
    Ok(())
}

/// Reserves the next sequences of a mailbox; gives it as it was before.
pub(super) fn reserve(db: &Connection, device: DeviceKey) -> Result<MailboxRow, Failure> {
    if planted::is("sequences_return") {
        let stored = "SELECT coalesce(max(sequence), 0) FROM envelope_id WHERE mailbox = ?1";
        let mut mailbox = find(db, device)?;
        let last = db.prepare_cached(stored)?;
        let last = { last }.query_row([mailbox.number], |row| row.get(0))?;
        mailbox.last = unsql(last);
        return Ok(mailbox);
    }
    db.prepare_cached("UPDATE mailbox SET last = last + ?2 WHERE device = ?1")?
        .execute(params![device.0, RESERVED])?;
    let mut mailbox = find(db, device)?;
    mailbox.last = mailbox.last.saturating_sub(unsql(RESERVED));
    Ok(mailbox)
}

/// The mark of a device; keeps another one in its place if there is one.
pub(super) fn mark(
    db: &Connection,
    device: DeviceKey,
    mark: Option<Mark>,
) -> Result<Option<Mark>, Failure> {
    let before: Option<[u8; 16]> = db
        .prepare_cached("SELECT mark FROM mailbox WHERE device = ?1")?
        .query_row([device.0], |row| row.get(0))
        .optional()?
        .ok_or(Declined::DeviceUnknown)?;
    if let Some(mark) = mark {
        db.prepare_cached("UPDATE mailbox SET mark = ?2 WHERE device = ?1")?
            .execute(params![device.0, mark.0])?;
    }
    Ok(before.map(Mark))
}

/// The end of what [`reserve`] has reserved behind this sequence.
pub(super) fn reserved(last: Sequence) -> Sequence {
    last.saturating_add(unsql(RESERVED))
}

/// Stores an envelope; false if its mailbox knows the id already.
pub(super) fn insert(db: &Connection, row: &EnvelopeRow) -> rusqlite::Result<bool> {
    let sequence = sql(row.sequence);
    let new = db
        .prepare_cached(
            "INSERT OR IGNORE INTO envelope_id (mailbox, id, sequence) VALUES (?1, ?2, ?3)",
        )?
        .execute(params![row.mailbox, row.id.0, sequence])?;
    if new == 0 {
        return Ok(false);
    }
    db.prepare_cached(
        "INSERT INTO envelope (mailbox, sequence, id, stored_secs, body)
         VALUES (?1, ?2, ?3, ?4, ?5)",
    )?
    .execute(params![
        row.mailbox,
        sequence,
        row.id.0,
        sql(row.stored_secs),
        &row.body[..],
    ])?;
    Ok(true)
}

/// Whether a mailbox knows the id of an envelope that it has stored.
pub(super) fn knows(db: &Connection, device: DeviceKey, id: EnvelopeId) -> Result<bool, Failure> {
    let known = db
        .prepare_cached(
            "SELECT 1 FROM envelope_id JOIN mailbox ON mailbox.number = envelope_id.mailbox
             WHERE device = ?1 AND envelope_id.id = ?2",
        )?
        .exists(params![device.0, id.0])?;
    Ok(known)
}

/// Counts what was inserted into a mailbox.
pub(super) fn count(db: &Connection, mailbox: i64, inserted: Load) -> rusqlite::Result<()> {
    db.prepare_cached(
        "UPDATE mailbox SET envelopes = envelopes + ?2, bytes = bytes + ?3 WHERE number = ?1",
    )?
    .execute(params![
        mailbox,
        sql(inserted.envelopes),
        sql(inserted.bytes)
    ])?;
    Ok(())
}

/// Envelopes after the one and up to the other sequence.
pub(super) fn read(
    db: &Connection,
    device: DeviceKey,
    (after, up_to): (Sequence, Sequence),
    envelopes: u32,
    bytes: usize,
) -> Result<Vec<Delivery>, Failure> {
    let mut statement = db.prepare_cached(
        "SELECT sequence, envelope.id, body FROM envelope
         JOIN mailbox ON mailbox.number = envelope.mailbox
         WHERE device = ?1 AND sequence > ?2 AND sequence <= ?3 ORDER BY sequence LIMIT ?4",
    )?;
    let mut rows = statement.query(params![device.0, sql(after), sql(up_to), envelopes])?;
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

/// Deletes what may go, and ids that are no longer remembered; says how many envelopes went.
pub(super) fn forget(db: &Connection, forgetting: &Forgetting) -> rusqlite::Result<Load> {
    let Forgetting {
        mailbox,
        up_to,
        trims,
    } = *forgetting;
    let up_to = sql(up_to);
    let forgotten = db
        .prepare_cached(
            "SELECT count(*), coalesce(sum(length(body)), 0) FROM envelope
             WHERE mailbox = ?1 AND sequence <= ?2",
        )?
        .query_row(params![mailbox, up_to], |row| {
            Ok(Load {
                envelopes: unsql(row.get(0)?),
                bytes: unsql(row.get(1)?),
            })
        })?;
    if forgotten.envelopes > 0 {
        db.prepare_cached("DELETE FROM envelope WHERE mailbox = ?1 AND sequence <= ?2")?
            .execute(params![mailbox, up_to])?;
        db.prepare_cached(
            "UPDATE mailbox SET envelopes = envelopes - ?2, bytes = bytes - ?3 WHERE number = ?1",
        )?
        .execute(params![
            mailbox,
            sql(forgotten.envelopes),
            sql(forgotten.bytes)
        ])?;
    }
    if trims {
        db.prepare_cached(
            "DELETE FROM envelope_id WHERE mailbox = ?1 AND sequence <= ?2 AND sequence <=
             (SELECT sequence FROM envelope_id WHERE mailbox = ?1
              ORDER BY sequence DESC LIMIT 1 OFFSET ?3)",
        )?
        .execute(params![mailbox, up_to, sql(ENVELOPE_IDS_MAX)])?;
    }
    Ok(forgotten)
}

pub(super) fn usage(db: &Connection) -> Result<Usage, Failure> {
    let oldest: Option<i64> = db
        .prepare_cached("SELECT min(stored_secs) FROM envelope")?
        .query_row([], |row| row.get(0))?;
    let usage = db
        .prepare_cached(
            "SELECT count(*), coalesce(sum(envelopes), 0), coalesce(sum(bytes), 0) FROM mailbox",
        )?
        .query_row([], |row| {
            Ok(Usage {
                mailboxes: unsql(row.get(0)?),
                envelopes: unsql(row.get(1)?),
                bytes: unsql(row.get(2)?),
                oldest_stored_secs: oldest.map(unsql),
            })
        })?;
    Ok(usage)
}

/// Deletes envelopes that were stored before this time; says whose, and how large they were.
pub(super) fn expire(db: &Connection, before_secs: u64) -> Result<Vec<(DeviceKey, Load)>, Failure> {
    let before = sql(before_secs);
    let expired: Vec<(i64, DeviceKey, u64)> = db
        .prepare_cached(
            "SELECT place, device, length(body) FROM envelope
             JOIN mailbox ON mailbox.number = envelope.mailbox
             WHERE stored_secs < ?1 ORDER BY stored_secs LIMIT ?2",
        )?
        .query_map(params![before, EXPIRED_PER_JOB], |row| {
            let bytes = unsql(row.get(2)?);
            Ok((row.get(0)?, DeviceKey(row.get(1)?), bytes))
        })?
        .collect::<rusqlite::Result<_>>()?;
    for (place, device, bytes) in &expired {
        db.prepare_cached("DELETE FROM envelope WHERE place = ?1")?
            .execute([place])?;
        db.prepare_cached(
            "UPDATE mailbox SET envelopes = envelopes - 1, bytes = bytes - ?2 WHERE device = ?1",
        )?
        .execute(params![device.0, sql(*bytes)])?;
    }
    if expired.is_empty() {
        // A mailbox that may have given out a sequence stays for ever: its sequences never return.
        db.prepare_cached(
            "DELETE FROM mailbox WHERE last = 0 AND seen_secs < ?1
             AND number NOT IN (SELECT mailbox FROM directory WHERE mailbox IS NOT NULL)
             AND number NOT IN (SELECT mailbox FROM signed_prekey)
             AND number NOT IN (SELECT mailbox FROM one_time_prekey)",
        )?
        .execute([before])?;
    }
    let load = |bytes| Load {
        envelopes: 1,
        bytes,
    };
    Ok(expired
        .into_iter()
        .map(|(_, device, bytes)| (device, load(bytes)))
        .collect())
}
