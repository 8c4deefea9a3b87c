//! Providers of models, what was given to them, and texts for them.

use rusqlite::{OptionalExtension as _, Row, ToSql, params};
use zeroize::Zeroizing;

use super::read::{all_with, excerpt, excerpt_columns};
use super::{Vault, VaultError};
use crate::assistant::{Provider, ProviderKind, TaskKind};
use crate::core::effects::MessageRecord;
use crate::view::{AssistantUse, ChatId, MessageRange, ProviderSetUp};

/// What was set up.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct AssistantSettings {
    pub(crate) provider: Option<Provider>,
    pub(crate) set_up: Vec<ProviderSetUp>,
    pub(crate) tells_use: bool,
}

fn kind_number(kind: ProviderKind) -> i64 {
    match kind {
        ProviderKind::Ollama => 1,
        ProviderKind::OpenAi => 2,
        ProviderKind::Gemini => 3,
    }
}

fn kind_of(number: i64) -> Option<ProviderKind> {
    let kinds = [
        ProviderKind::Ollama,
        ProviderKind::OpenAi,
        ProviderKind::Gemini,
    ];
    kinds.into_iter().find(|kind| kind_number(*kind) == number)
}

fn task_number(task: TaskKind) -> i64 {
    match task {
        TaskKind::Rephrase => 1,
        TaskKind::Summarize => 2,
        TaskKind::Translate => 3,
    }
}

impl Vault {
    /// What was set up. A provider that this version cannot reach is passed over.
    ///
    /// # Errors
    /// See [`VaultError`].
    pub(crate) fn assistant(&self) -> Result<AssistantSettings, VaultError> {
        let sql = "SELECT assistant, tells_use FROM profile";
        let (in_use, tells_use): (Option<i64>, bool) = self
            .database
            .query_row(sql, [], |row| Ok((row.get(0)?, row.get(1)?)))?;
        let sql = "SELECT kind, address, model, coalesce(key, '') <> '' FROM assistant
                   ORDER BY kind";
        let rows = all_with(&self.database, sql, &[], |row| {
            let (kind, address): (i64, String) = (row.get(0)?, row.get(1)?);
            let (model, has_key): (String, bool) = (row.get(2)?, row.get(3)?);
            let provider = kind_of(kind).map(|kind| Provider::new(kind, &address, &model));
            Ok(provider
                .and_then(Result::ok)
                .map(|provider| ProviderSetUp { provider, has_key }))
        })?;
        let set_up: Vec<ProviderSetUp> = rows.into_iter().flatten().collect();
        let is_used = |it: &&ProviderSetUp| Some(kind_number(it.provider.kind())) == in_use;
        Ok(AssistantSettings {
            provider: set_up.iter().find(is_used).map(|it| it.provider.clone()),
            set_up,
            tells_use,
        })
    }

    /// Has this provider answer from now on, or none.
    ///
    /// # Errors
    /// See [`VaultError`].
    pub(crate) fn use_provider(&mut self, provider: Option<&Provider>) -> Result<(), VaultError> {
        let transaction = self.database.transaction()?;
        if let Some(provider) = provider {
            put_provider(&transaction, provider)?;
        }
        let kind = provider.map(|provider| kind_number(provider.kind()));
        transaction.execute("UPDATE profile SET assistant = ?", [kind])?;
        Ok(transaction.commit()?)
    }

    /// Keeps a provider's key; forgets it when it is empty.
    ///
    /// # Errors
    /// See [`VaultError`].
    pub(crate) fn set_provider_key(
        &mut self,
        provider: &Provider,
        key: &str,
    ) -> Result<(), VaultError> {
        let transaction = self.database.transaction()?;
        let kind = kind_number(provider.kind());
        let exists = "SELECT 1 FROM assistant WHERE kind = ?";
        if !transaction.prepare(exists)?.exists([kind])? {
            put_provider(&transaction, provider)?;
        }
        let key = (!key.is_empty()).then_some(key);
        transaction.execute(
            "UPDATE assistant SET key = ? WHERE kind = ?",
            params![key, kind],
        )?;
        Ok(transaction.commit()?)
    }

    /// The key by which a provider knows the person.
    ///
    /// # Errors
    /// See [`VaultError`].
    pub(crate) fn provider_key(
        &self,
        kind: ProviderKind,
    ) -> Result<Option<Zeroizing<String>>, VaultError> {
        let sql = "SELECT key FROM assistant WHERE kind = ? AND key IS NOT NULL";
        let key = self
            .database
            .query_row(sql, [kind_number(kind)], |row| row.get(0));
        Ok(key.optional()?.map(Zeroizing::new))
    }

    /// Whether peers are told of a cloud from now on.
    ///
    /// # Errors
    /// See [`VaultError`].
    pub(crate) fn set_tells_use(&mut self, tells: bool) -> Result<(), VaultError> {
        self.database
            .execute("UPDATE profile SET tells_use = ?", [tells])?;
        Ok(())
    }

    /// Notes what is about to leave this computer.
    ///
    /// # Errors
    /// See [`VaultError`].
    pub(crate) fn add_use(&mut self, it: &AssistantUse) -> Result<(), VaultError> {
        let bytes = i64::try_from(it.bytes).unwrap_or(i64::MAX);
        self.database.execute(
            "INSERT INTO assistant_use (at, host, model, task, messages, bytes)
             VALUES (?, ?, ?, ?, ?, ?)",
            params![
                it.at_millis,
                it.host,
                it.model,
                task_number(it.task),
                it.messages,
                bytes
            ],
        )?;
        Ok(())
    }

    /// What has left this computer, the newest first.
    ///
    /// # Errors
    /// See [`VaultError`].
    pub(crate) fn uses(&self, limit: usize) -> Result<Vec<AssistantUse>, VaultError> {
        let sql = "SELECT at, host, model, task, messages, bytes FROM assistant_use
                   ORDER BY place DESC LIMIT ?";
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        all_with(&self.database, sql, &[&limit], assistant_use)
    }

    /// The newest messages of a range, oldest first, of long ones the beginning; at most `limit`.
    ///
    /// # Errors
    /// See [`VaultError`].
    pub(crate) fn gather(
        &self,
        chat: ChatId,
        range: MessageRange,
        limit: usize,
    ) -> Result<Vec<MessageRecord>, VaultError> {
        let (condition, from) = match range {
            MessageRange::From(key) => ("key >= ?2", key.0),
            MessageRange::Since(millis) => (
                "sent_at >= ?2 AND key >= (SELECT coalesce(min(first), 0) FROM message_day
                     WHERE day >= min(max(?2 / 86400000, 0), 100000))",
                millis,
            ),
            MessageRange::Last(_) => ("key >= ?2", 0),
        };
        let limit = match range {
            MessageRange::Last(count) => limit.min(usize::try_from(count).unwrap_or(usize::MAX)),
            _ => limit,
        };
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let sql = format!(
            "SELECT {} FROM message WHERE chat = ?1 AND {condition} ORDER BY key DESC LIMIT ?3",
            excerpt_columns()
        );
        let params: [&dyn ToSql; 3] = [&chat.0, &from, &limit];
        let mut messages = all_with(&self.database, &sql, &params, excerpt)?;
        messages.reverse();
        Ok(messages)
    }
}

fn put_provider(database: &rusqlite::Connection, provider: &Provider) -> rusqlite::Result<usize> {
    database.execute(
        "INSERT INTO assistant (kind, address, model) VALUES (?1, ?2, ?3)
         ON CONFLICT (kind) DO UPDATE SET address = ?2, model = ?3",
        params![
            kind_number(provider.kind()),
            provider.address(),
            provider.model()
        ],
    )
}

fn assistant_use(row: &Row<'_>) -> rusqlite::Result<AssistantUse> {
    let bytes: i64 = row.get(5)?;
    Ok(AssistantUse {
        at_millis: row.get(0)?,
        host: row.get(1)?,
        model: row.get(2)?,
        task: match row.get(3)? {
            1_i64 => TaskKind::Rephrase,
            2 => TaskKind::Summarize,
            _ => TaskKind::Translate,
        },
        messages: row.get(4)?,
        bytes: u64::try_from(bytes).unwrap_or(0),
    })
}
