//! From rows to what the core and the screen need.

use rusqlite::{Connection, OptionalExtension as _, Row, ToSql, params};
use sotto_crypto::{Identity, SessionId};
use sotto_net::RelayId;
use sotto_net::link::Cursor;
use sotto_net::wire::{DeviceKey, EnvelopeId, Mark, StoreId};
use zeroize::Zeroizing;

use super::{Vault, VaultError};
use crate::core::content::{EXCERPT_PAYLOAD_BYTES, MessageId, Shown};
use crate::core::effects::{
    ChatRecord, Loaded, MessageRecord, OutboxRecord, Proof, SessionRecord, Unfinished,
};
use crate::core::renewal::Renewal;
use crate::view::{
    AssistantRules, ChatId, Delivery, MessageKey, Privacy, QUOTE_BYTES_MAX, Standing,
};

/// Messages of a timeline's window on each side of its anchor.
const WINDOW_SIDE: usize = 150;

pub(super) const MESSAGE_COLUMNS: &str =
    "key, chat, mine, id, kind, payload, sent_at, delivery, unread, sealed";

/// As [`MESSAGE_COLUMNS`], of a long message with the beginning.
pub(super) fn excerpt_columns() -> String {
    // To SQLite, the beginning of no bytes is NULL.
    let beginning = format!("coalesce(substr(payload, 1, {EXCERPT_PAYLOAD_BYTES}), x'')");
    MESSAGE_COLUMNS.replace("payload", &beginning)
}

/// The newest message of each chat. To group all messages by their chat would look at each of them.
pub(super) const LAST_KEYS: &str =
    "SELECT (SELECT max(key) FROM message WHERE chat = chat.id) FROM chat";
/// Of each chat the message that is not whole yet, with the beginning of its first part.
fn unfinished_rows() -> String {
    format!(
        "SELECT chat, whole, (SELECT max(place) + 1 FROM part AS it WHERE it.chat = part.chat),
             substr(bytes, 1, {EXCERPT_PAYLOAD_BYTES})
         FROM part WHERE place = 0"
    )
}

/// Messages not yet read. To put them in order, SQLite would rather look at all messages.
pub(super) const UNREAD: &str = "message INDEXED BY message_unread WHERE unread = 1";

/// A stretch of a chat, oldest first.
pub(crate) struct Window {
    pub(crate) messages: Vec<MessageRecord>,
    pub(crate) has_older: bool,
    pub(crate) has_newer: bool,
}

impl Vault {
    /// The identity whose vault this is.
    ///
    /// # Errors
    /// See [`VaultError`].
    pub(crate) fn identity(&self) -> Result<Identity, VaultError> {
        let stored: Zeroizing<Vec<u8>> =
            self.database
                .query_row("SELECT identity FROM profile", [], |row| {
                    row.get(0).map(Zeroizing::new)
                })?;
        Identity::from_stored(&stored).map_err(|_| VaultError::Damaged)
    }

    /// Everything that the core keeps in memory.
    ///
    /// # Errors
    /// See [`VaultError`].
    pub(crate) fn load(&self) -> Result<Loaded, VaultError> {
        let db = &self.database;
        let last: i64 = db.query_row("SELECT coalesce(max(key), 0) FROM message", [], |row| {
            row.get(0)
        })?;
        Ok(Loaded {
            name: db.query_row("SELECT name FROM profile", [], |row| row.get(0))?,
            privacy: db.query_row("SELECT read_receipts, typing FROM profile", [], |row| {
                Ok(Privacy {
                    read_receipts: row.get(0)?,
                    typing: row.get(1)?,
                })
            })?,
            cursors: all(db, "SELECT pin, store, after FROM cursor", cursor)?,
            recent: all(
                db,
                "SELECT pin, place, id FROM recent_delivery ORDER BY pin, place",
                recent_delivery,
            )?,
            prekeys: all(db, "SELECT stored FROM prekey ORDER BY id", |row| {
                row.get(0).map(Zeroizing::new)
            })?,
            prekeys_before: db.query_row("SELECT prekeys_before FROM profile", [], |row| {
                row.get(0)
            })?,
            replay: all(db, "SELECT digest, prekey FROM replay", |row| {
                Ok((row.get(0)?, row.get(1)?))
            })?,
            chats: all(
                db,
                "SELECT id, handle, name, identity, pending, verified, draft, standing, blocked, muted,
                     greets, no_cloud, peer_no_cloud, trusts_here
                 FROM chat",
                chat,
            )?,
            unfinished: all(db, &unfinished_rows(), unfinished)?,
            sessions: all(
                db,
                "SELECT id, chat, stored, heard_at, retired FROM session",
                session,
            )?,
            last: all(
                db,
                &format!(
                    "SELECT {} FROM message WHERE key IN ({LAST_KEYS})",
                    excerpt_columns()
                ),
                excerpt,
            )?,
            unread: all(
                db,
                &format!("SELECT chat, key, id FROM {UNREAD} ORDER BY key"),
                |row| {
                    let id = MessageId(row.get(2)?);
                    Ok((ChatId(row.get(0)?), MessageKey(row.get(1)?), id))
                },
            )?,
            unsealed: self.unsealed()?,
            outbox: all(
                db,
                "SELECT id, device, body, message FROM outbox ORDER BY position",
                outbox,
            )?,
            next_key: last + 1,
            marks: all(
                db,
                "SELECT pin, place, mark FROM mark ORDER BY pin, place",
                mark,
            )?,
            renewal: self.renewal()?,
        })
    }

    fn renewal(&self) -> Result<Renewal, VaultError> {
        let db = &self.database;
        let sql = "SELECT renewal_due, renewed_at, set_back FROM profile";
        let row = db.query_row(sql, [], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?;
        let (is_due, renewed_at_millis, is_set_back) = row;
        Ok(Renewal {
            stale: all(db, "SELECT pin FROM stale_prekeys", |row| {
                row.get(0).map(RelayId)
            })?,
            is_due,
            renewed_at_millis,
            is_set_back,
        })
    }

    /// One message.
    ///
    /// # Errors
    /// See [`VaultError`].
    pub(crate) fn message(&self, key: MessageKey) -> Result<Option<MessageRecord>, VaultError> {
        let sql = format!("SELECT {MESSAGE_COLUMNS} FROM message WHERE key = ?");
        let mut statement = self.database.prepare_cached(&sql)?;
        Ok(statement.query_row([key.0], message).optional()?)
    }

    /// Own messages that are to be sealed, oldest first.
    ///
    /// # Errors
    /// See [`VaultError`].
    pub(crate) fn unsealed(&self) -> Result<Vec<MessageRecord>, VaultError> {
        let sql = format!("SELECT {MESSAGE_COLUMNS} FROM message WHERE sealed = 0 ORDER BY key");
        all(&self.database, &sql, message)
    }

    /// Messages of a chat before this one, or its newest ones; oldest first.
    ///
    /// # Errors
    /// See [`VaultError`].
    pub(crate) fn history(
        &self,
        chat: ChatId,
        before: Option<MessageKey>,
        limit: usize,
    ) -> Result<Vec<MessageRecord>, VaultError> {
        let sql = format!(
            "SELECT {MESSAGE_COLUMNS} FROM message
             WHERE chat = ? AND key < ? ORDER BY key DESC LIMIT ?"
        );
        let before = before.map_or(i64::MAX, |key| key.0);
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let mut messages = all_with(
            &self.database,
            &sql,
            params![chat.0, before, limit],
            message,
        )?;
        messages.reverse();
        Ok(messages)
    }

    /// Where a message with this id stands in a chat; the first one when both sides have one.
    ///
    /// # Errors
    /// See [`VaultError`].
    pub(crate) fn place(
        &self,
        chat: ChatId,
        id: MessageId,
    ) -> Result<Option<MessageKey>, VaultError> {
        let sql = "SELECT min(key) FROM message WHERE chat = ? AND mine IN (0, 1) AND id = ?";
        let mut statement = self.database.prepare_cached(sql)?;
        let key: Option<i64> = statement.query_row(params![chat.0, id.0], |row| row.get(0))?;
        Ok(key.map(MessageKey))
    }

    /// Messages after this one that were not read, of all chats but requests and blocked ones,
    /// oldest first.
    ///
    /// # Errors
    /// See [`VaultError`].
    pub(crate) fn unread(
        &self,
        after: MessageKey,
        limit: usize,
    ) -> Result<Vec<MessageRecord>, VaultError> {
        let sql = format!(
            "SELECT {MESSAGE_COLUMNS} FROM {UNREAD} AND key > ?
                 AND chat IN (SELECT id FROM chat WHERE standing <> 2 AND blocked = 0)
             ORDER BY key LIMIT ?"
        );
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        all_with(&self.database, &sql, params![after.0, limit], message)
    }

    /// Own messages of a chat that the peer has not confirmed, oldest first.
    ///
    /// # Errors
    /// See [`VaultError`].
    pub(crate) fn undelivered(&self, chat: ChatId) -> Result<Vec<MessageRecord>, VaultError> {
        let sql = format!(
            "SELECT {MESSAGE_COLUMNS} FROM message
             WHERE chat = ? AND mine = 1 AND delivery < 2 AND sealed = 1 ORDER BY key"
        );
        all_with(&self.database, &sql, params![chat.0], message)
    }

    /// Where the message of one side with this id stands, and the beginning of its text.
    ///
    /// # Errors
    /// See [`VaultError`].
    pub(crate) fn quoted(
        &self,
        chat: ChatId,
        is_mine: bool,
        id: MessageId,
    ) -> Result<Option<(MessageKey, String)>, VaultError> {
        let sql = format!(
            "SELECT {} FROM message WHERE chat = ? AND mine = ? AND id = ?",
            excerpt_columns()
        );
        let mut statement = self.database.prepare_cached(&sql)?;
        let record = statement
            .query_row(params![chat.0, is_mine, id.0], excerpt)
            .optional()?;
        Ok(record.map(|record| {
            let text = record.shown.as_text().unwrap_or_default();
            let end = text.floor_char_boundary(QUOTE_BYTES_MAX);
            (record.key, text.get(..end).unwrap_or_default().to_owned())
        }))
    }

    /// The messages of a chat around an anchor, or its newest ones; of long ones the beginnings.
    ///
    /// # Errors
    /// See [`VaultError`].
    pub(crate) fn window(
        &self,
        chat: ChatId,
        around: Option<MessageKey>,
    ) -> Result<Window, VaultError> {
        let anchor = around.map_or(i64::MAX, |key| key.0);
        let columns = excerpt_columns();
        let side = |comparison: &str, order: &str, side: usize| {
            let sql = format!(
                "SELECT {columns} FROM message
                 WHERE chat = ? AND key {comparison} ? ORDER BY key {order} LIMIT ?"
            );
            let limit = i64::try_from(side + 1).unwrap_or(i64::MAX);
            all_with(
                &self.database,
                &sql,
                params![chat.0, anchor, limit],
                excerpt,
            )
        };
        let older_side = if around.is_some() {
            WINDOW_SIDE
        } else {
            2 * WINDOW_SIDE
        };
        let mut messages = side("<=", "DESC", older_side)?;
        let has_older = messages.len() > older_side;
        messages.truncate(older_side);
        messages.reverse();
        let mut newer = side(">", "ASC", WINDOW_SIDE)?;
        let has_newer = newer.len() > WINDOW_SIDE;
        newer.truncate(WINDOW_SIDE);
        messages.append(&mut newer);
        Ok(Window {
            messages,
            has_older,
            has_newer,
        })
    }
}

fn all<T>(
    database: &Connection,
    sql: &str,
    read: impl FnMut(&Row<'_>) -> rusqlite::Result<T>,
) -> Result<Vec<T>, VaultError> {
    all_with(database, sql, &[], read)
}

pub(super) fn all_with<T>(
    database: &Connection,
    sql: &str,
    params: &[&dyn ToSql],
    read: impl FnMut(&Row<'_>) -> rusqlite::Result<T>,
) -> Result<Vec<T>, VaultError> {
    let mut statement = database.prepare_cached(sql)?;
    let rows = statement.query_map(params, read)?;
    Ok(rows.collect::<Result<_, _>>()?)
}

fn cursor(row: &Row<'_>) -> rusqlite::Result<(RelayId, Cursor)> {
    let after: i64 = row.get(2)?;
    let cursor = Cursor {
        store: StoreId(row.get(1)?),
        after: u64::try_from(after).unwrap_or(0),
    };
    Ok((RelayId(row.get(0)?), cursor))
}

fn recent_delivery(row: &Row<'_>) -> rusqlite::Result<(RelayId, u64, EnvelopeId)> {
    let place: i64 = row.get(1)?;
    let place = u64::try_from(place).unwrap_or(0);
    Ok((RelayId(row.get(0)?), place, EnvelopeId(row.get(2)?)))
}

fn chat(row: &Row<'_>) -> rusqlite::Result<ChatRecord> {
    Ok(ChatRecord {
        id: ChatId(row.get(0)?),
        handle: row.get(1)?,
        name: row.get(2)?,
        identity: row.get(3)?,
        pending: row.get(4)?,
        proof: match row.get(5)? {
            0_i64 => Proof::Nothing,
            1 => Proof::Comparison,
            _ => Proof::Link,
        },
        draft: row.get(6)?,
        standing: match row.get(7)? {
            0_i64 => Standing::Contact,
            1 => Standing::Known,
            _ => Standing::Request,
        },
        is_blocked: row.get(8)?,
        muted_until_millis: row.get(9)?,
        greets: row.get(10)?,
        assistant: AssistantRules {
            forbids_cloud: row.get(11)?,
            peer_forbids_cloud: row.get(12)?,
            trusts_here: row.get(13)?,
        },
    })
}

fn session(row: &Row<'_>) -> rusqlite::Result<SessionRecord> {
    Ok(SessionRecord {
        id: SessionId::from_bytes(row.get(0)?),
        chat: ChatId(row.get(1)?),
        stored: Zeroizing::new(row.get(2)?),
        heard_at_millis: row.get(3)?,
        is_retired: row.get(4)?,
    })
}

pub(super) fn message(row: &Row<'_>) -> rusqlite::Result<MessageRecord> {
    let delivery: i64 = row.get(7)?;
    Ok(MessageRecord {
        key: MessageKey(row.get(0)?),
        chat: ChatId(row.get(1)?),
        is_mine: row.get(2)?,
        shown: Shown {
            id: MessageId(row.get(3)?),
            kind: row.get(4)?,
            payload: row.get(5)?,
            sent_at_millis: row.get(6)?,
        },
        delivery: match delivery {
            0 => Delivery::Sending,
            1 => Delivery::Relay,
            2 => Delivery::Delivered,
            3 => Delivery::Read,
            _ => Delivery::Failed,
        },
        is_unread: row.get(8)?,
        is_sealed: row.get(9)?,
    })
}

/// A row of [`excerpt_columns`].
pub(super) fn excerpt(row: &Row<'_>) -> rusqlite::Result<MessageRecord> {
    let record = message(row)?;
    Ok(MessageRecord {
        shown: record.shown.ending_well(),
        ..record
    })
}

fn unfinished(row: &Row<'_>) -> rusqlite::Result<(ChatId, Unfinished)> {
    let unfinished = Unfinished {
        whole: MessageId(row.get(1)?),
        next: row.get(2)?,
        beginning: row.get(3)?,
    };
    Ok((ChatId(row.get(0)?), unfinished))
}

fn mark(row: &Row<'_>) -> rusqlite::Result<(RelayId, u64, Mark)> {
    let place: i64 = row.get(1)?;
    let place = u64::try_from(place).unwrap_or(0);
    Ok((RelayId(row.get(0)?), place, Mark(row.get(2)?)))
}

fn outbox(row: &Row<'_>) -> rusqlite::Result<OutboxRecord> {
    let body: Vec<u8> = row.get(2)?;
    let message: Option<i64> = row.get(3)?;
    Ok(OutboxRecord {
        id: EnvelopeId(row.get(0)?),
        device: DeviceKey(row.get(1)?),
        body: body.into(),
        message: message.map(MessageKey),
    })
}
