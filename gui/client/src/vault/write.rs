//! From changes to rows.

use rusqlite::{Connection, named_params, params};
use sotto_crypto::Identity;
use sotto_net::RelayId;
use sotto_net::wire::Mark;

use super::{Vault, VaultError};
use crate::core::content::Shown;
use crate::core::effects::{Change, ChatRecord, MessageRecord, OutboxRecord, Proof, SessionRecord};
use crate::core::marks::MARKS_MAX;
use crate::view::{ChatId, Delivery, Standing};

/// What a commit found.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Committed {
    /// A message was there already and was not added again.
    pub(crate) is_repeated: bool,
    /// The places of those changes that changed something.
    pub(crate) effective: Vec<usize>,
}

impl Vault {
    /// Stores all changes in one transaction, durably, or none.
    ///
    /// # Errors
    /// See [`VaultError`].
    pub(crate) fn commit(&mut self, changes: &[Change]) -> Result<Committed, VaultError> {
        let transaction = self.database.transaction()?;
        let mut committed = Committed::default();
        for (place, change) in changes.iter().enumerate() {
            if apply(&transaction, change)? > 0 {
                committed.effective.push(place);
            } else if matches!(change, Change::AddMessage(_) | Change::AddWhole(_)) {
                committed.is_repeated = true;
            }
        }
        transaction.commit()?;
        Ok(committed)
    }
}

/// The first rows of a new vault.
pub(super) fn insert_profile(
    database: &Connection,
    identity: &Identity,
    name: &str,
    chats: &[ChatRecord],
) -> Result<(), VaultError> {
    database.execute(
        "INSERT INTO profile (id, identity, name) VALUES (1, ?, ?)",
        params![identity.to_stored().as_slice(), name],
    )?;
    for chat in chats {
        put_chat(database, chat)?;
    }
    Ok(())
}

/// The number that stands for a delivery state; larger means further.
pub(super) fn delivery_number(delivery: Delivery) -> i64 {
    match delivery {
        Delivery::Sending => 0,
        Delivery::Relay => 1,
        Delivery::Delivered => 2,
        Delivery::Read => 3,
        Delivery::Failed => 4,
    }
}

/// Own messages that their peers have not confirmed wait to be sealed again.
const UNSEAL: &str = "UPDATE message SET sealed = 0, delivery = 0
     WHERE mine = 1 AND sealed = 1 AND delivery < 2";

/// Applies one change; says how many rows it touched.
fn apply(database: &Connection, change: &Change) -> Result<usize, VaultError> {
    let run = |sql: &str, params: &[&dyn rusqlite::ToSql]| -> Result<usize, VaultError> {
        Ok(database.prepare_cached(sql)?.execute(params)?)
    };
    match change {
        Change::SetName(name) => run("UPDATE profile SET name = ?", params![name]),
        Change::SetPrivacy(privacy) => run(
            "UPDATE profile SET read_receipts = ?, typing = ?",
            params![privacy.read_receipts, privacy.typing],
        ),
        Change::SetCursor { relay, cursor } => run(
            "INSERT OR REPLACE INTO cursor (pin, store, after) VALUES (?, ?, ?)",
            params![relay.0, cursor.store.0, as_i64(cursor.after)],
        ),
        Change::RememberDelivery { relay, place, id } => run(
            "INSERT INTO recent_delivery (pin, place, id) VALUES (?, ?, ?)",
            params![relay.0, as_i64(*place), id.0],
        ),
        Change::ForgetDeliveries { relay, up_to } => run(
            "DELETE FROM recent_delivery WHERE pin = ? AND place <= ?",
            params![relay.0, as_i64(*up_to)],
        ),
        Change::AddPrekey { id, stored } => run(
            "INSERT INTO prekey (id, stored) VALUES (?, ?)",
            params![id, stored.as_slice()],
        ),
        Change::RemovePrekey { id } => {
            run("DELETE FROM replay WHERE prekey = ?", params![id])?;
            run("DELETE FROM prekey WHERE id = ?", params![id])
        }
        Change::AddReplay { digest, prekey } => run(
            "INSERT INTO replay (digest, prekey) VALUES (?, ?)",
            params![digest, prekey],
        ),
        Change::PutChat(chat) => put_chat(database, chat),
        Change::MergeChat { from, into } => merge_chat(database, *from, *into),
        Change::RemoveMessages { chat } => {
            run("DELETE FROM part WHERE chat = ?", params![chat.0])?;
            run("DELETE FROM message WHERE chat = ?", params![chat.0])
        }
        Change::PutSession(session) => put_session(database, session),
        Change::RemoveSession(id) => {
            run("DELETE FROM session WHERE id = ?", params![id.as_bytes()])
        }
        Change::AddMessage(message) => add_message(database, message),
        Change::AddPart {
            chat,
            whole,
            index,
            bytes,
        } => {
            if *index == 0 {
                run("DELETE FROM part WHERE chat = ?", params![chat.0])?;
            }
            run(
                "INSERT INTO part (chat, place, whole, bytes) VALUES (?, ?, ?, ?)",
                params![chat.0, index, whole.0, bytes],
            )
        }
        Change::AddWhole(message) => add_whole(database, message),
        Change::SetSealed { key, is_sealed } => run(
            "UPDATE message SET sealed = ? WHERE key = ?",
            params![is_sealed, key.0],
        ),
        Change::Advance { chat, id, delivery } => run(
            // What the peer has need not be sealed again.
            "UPDATE message SET delivery = ?1, sealed = sealed OR ?1 >= 2
             WHERE chat = ?2 AND mine = 1 AND id = ?3 AND delivery < ?1",
            params![delivery_number(*delivery), chat.0, id.0],
        ),
        Change::AdvanceKey { key, delivery } => run(
            "UPDATE message SET delivery = ?1 WHERE key = ?2 AND mine = 1 AND delivery < ?1",
            params![delivery_number(*delivery), key.0],
        ),
        Change::SetDelivery { key, delivery } => run(
            "UPDATE message SET delivery = ? WHERE key = ? AND mine = 1",
            params![delivery_number(*delivery), key.0],
        ),
        Change::SetRead { chat, up_to } => run(
            "UPDATE message SET unread = 0 WHERE chat = ? AND key <= ? AND unread = 1",
            params![chat.0, up_to.0],
        ),
        Change::AddMark { relay, place, mark } => add_mark(database, *relay, *place, *mark),
        Change::SetStale { relay, is_stale } => run(
            if *is_stale {
                "INSERT OR IGNORE INTO stale_prekeys (pin) VALUES (?)"
            } else {
                "DELETE FROM stale_prekeys WHERE pin = ?"
            },
            params![relay.0],
        ),
        Change::SetBack => run("UPDATE profile SET set_back = 1, renewal_due = 1", &[]),
        Change::ToldSetBack => run("UPDATE profile SET set_back = 0", &[]),
        Change::Renew { at_millis } => renew(database, *at_millis),
        Change::Unseal { chat } => run(&format!("{UNSEAL} AND chat = ?"), params![chat.0]),
        Change::PushOutbox(record) => push_outbox(database, record),
        Change::RemoveOutbox(id) => run("DELETE FROM outbox WHERE id = ?", params![id.0]),
    }
}

fn merge_chat(database: &Connection, from: ChatId, into: ChatId) -> Result<usize, VaultError> {
    let pair = params![into.0, from.0];
    // A message that both chats hold stays once.
    database.execute("UPDATE OR IGNORE message SET chat = ? WHERE chat = ?", pair)?;
    database.execute("DELETE FROM message WHERE chat = ?", [from.0])?;
    database.execute("UPDATE session SET chat = ? WHERE chat = ?", pair)?;
    database.execute("UPDATE OR REPLACE part SET chat = ? WHERE chat = ?", pair)?;
    Ok(database.execute("DELETE FROM chat WHERE id = ?", [from.0])?)
}

fn add_mark(
    database: &Connection,
    relay: RelayId,
    place: u64,
    mark: Mark,
) -> Result<usize, VaultError> {
    database.execute(
        "DELETE FROM mark WHERE pin = ? AND place <= ?",
        params![relay.0, as_i64(place.saturating_sub(MARKS_MAX as u64))],
    )?;
    Ok(database.execute(
        "INSERT INTO mark (pin, place, mark) VALUES (?, ?, ?)",
        params![relay.0, as_i64(place), mark.0],
    )?)
}

fn renew(database: &Connection, at_millis: i64) -> Result<usize, VaultError> {
    database.execute("UPDATE session SET retired = 1", [])?;
    database.execute("DELETE FROM outbox", [])?;
    database.execute(UNSEAL, [])?;
    Ok(database.execute(
        "UPDATE profile SET renewal_due = 0, renewed_at = ?",
        [at_millis],
    )?)
}

fn put_chat(database: &Connection, chat: &ChatRecord) -> Result<usize, VaultError> {
    let standing = match chat.standing {
        Standing::Contact => 0_i64,
        Standing::Known => 1,
        Standing::Request => 2,
    };
    let verified = match chat.proof {
        Proof::Nothing => 0_i64,
        Proof::Comparison => 1,
        Proof::Link => 2,
    };
    Ok(database
        .prepare_cached(
            "INSERT INTO chat (id, handle, name, identity, pending, verified, draft,
                 standing, blocked, muted, greets, no_cloud, peer_no_cloud, trusts_here)
             VALUES (:id, :handle, :name, :identity, :pending, :verified, :draft,
                 :standing, :blocked, :muted, :greets, :no_cloud, :peer_no_cloud, :trusts_here)
             ON CONFLICT (id) DO UPDATE SET handle = :handle, name = :name,
                 identity = :identity, pending = :pending, verified = :verified, draft = :draft,
                 standing = :standing, blocked = :blocked, muted = :muted, greets = :greets,
                 no_cloud = :no_cloud, peer_no_cloud = :peer_no_cloud,
                 trusts_here = :trusts_here",
        )?
        .execute(named_params! {
            ":id": chat.id.0,
            ":handle": chat.handle,
            ":name": chat.name,
            ":identity": chat.identity,
            ":pending": chat.pending,
            ":verified": verified,
            ":draft": chat.draft,
            ":standing": standing,
            ":blocked": chat.is_blocked,
            ":muted": chat.muted_until_millis,
            ":greets": chat.greets,
            ":no_cloud": chat.assistant.forbids_cloud,
            ":peer_no_cloud": chat.assistant.peer_forbids_cloud,
            ":trusts_here": chat.assistant.trusts_here,
        })?)
}

fn put_session(database: &Connection, session: &SessionRecord) -> Result<usize, VaultError> {
    Ok(database
        .prepare_cached(
            "INSERT OR REPLACE INTO session (id, chat, stored, heard_at, retired)
             VALUES (?, ?, ?, ?, ?)",
        )?
        .execute(params![
            session.id.as_bytes(),
            session.chat.0,
            session.stored.as_slice(),
            session.heard_at_millis,
            session.is_retired,
        ])?)
}

fn add_message(database: &Connection, message: &MessageRecord) -> Result<usize, VaultError> {
    Ok(database
        .prepare_cached(
            "INSERT INTO message
                 (key, chat, mine, id, kind, payload, sent_at, delivery, unread, sealed)
             VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
             ON CONFLICT (chat, mine, id) DO NOTHING",
        )?
        .execute(params![
            message.key.0,
            message.chat.0,
            message.is_mine,
            message.shown.id.0,
            message.shown.kind,
            message.shown.payload,
            message.shown.sent_at_millis,
            delivery_number(message.delivery),
            message.is_unread,
            message.is_sealed,
        ])?)
}

/// Adds the message whose parts are here.
fn add_whole(database: &Connection, message: &MessageRecord) -> Result<usize, VaultError> {
    let parts = database
        .prepare_cached("SELECT bytes FROM part WHERE chat = ? ORDER BY place")?
        .query_map([message.chat.0], |row| row.get(0))?
        .collect::<Result<Vec<Vec<u8>>, _>>()?;
    let Shown {
        id, sent_at_millis, ..
    } = message.shown;
    let whole = MessageRecord {
        shown: Shown::from_parts(id, sent_at_millis, &parts.concat()),
        ..message.clone()
    };
    database
        .prepare_cached("DELETE FROM part WHERE chat = ?")?
        .execute([message.chat.0])?;
    add_message(database, &whole)
}

fn push_outbox(database: &Connection, record: &OutboxRecord) -> Result<usize, VaultError> {
    Ok(database
        .prepare_cached("INSERT INTO outbox (id, device, body, message) VALUES (?, ?, ?, ?)")?
        .execute(params![
            record.id.0,
            record.device.0,
            &record.body[..],
            record.message.map(|key| key.0),
        ])?)
}

/// A sequence as SQLite's integer; sequences count up from 1 and never come near the end.
fn as_i64(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}
