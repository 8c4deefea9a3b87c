//! Messages by what is said in them, by whom, where and when.
//!
//! The index is a table of the vault, so that no word of it leaves the encryption; triggers keep it
//! in step with the messages. What a person types reaches it in quotes only.

#[cfg(test)]
mod tests;

use std::borrow::Cow;
use std::ops::Range;

use rusqlite::functions::FunctionFlags;
use rusqlite::{Connection, params};

use super::read::{MESSAGE_COLUMNS, message};
use super::{Vault, VaultError};
use crate::core::content;
use crate::core::effects::MessageRecord;
use crate::query::{Author, Query, Term};
use crate::view::MessageKey;

/// Messages that one call looks at, beyond those that it gives: about a hundredth of a second.
const LOOKS_MAX: usize = 5_000;
/// Chats of one name that a filter means.
const NAMESAKES_MAX: usize = 16;
const DAY_MILLIS: i64 = 86_400_000;
/// The last day that the schema tells apart.
const DAY_MAX: i64 = 100_000;

/// Stand around what was found, and between signs that are words of their own. Texts have none.
const OPEN: char = '\u{1}';
const CLOSE: char = '\u{2}';
const BETWEEN: char = '\u{3}';

/// A message that was looked for.
pub(crate) struct Hit {
    pub(crate) message: MessageRecord,
    /// Where the words are in its text, in bytes.
    pub(crate) matches: Vec<Range<usize>>,
}

/// Some of the messages that were looked for, the newest first.
pub(crate) struct Page {
    pub(crate) hits: Vec<Hit>,
    /// Where to go on: there may be more before this one.
    pub(crate) next: Option<MessageKey>,
}

/// Teaches a connection what its schema calls for.
pub(super) fn prepare(database: &Connection) -> Result<(), VaultError> {
    let flags = FunctionFlags::SQLITE_UTF8
        | FunctionFlags::SQLITE_DETERMINISTIC
        | FunctionFlags::SQLITE_INNOCUOUS;
    database.create_scalar_function("search_text", 2, flags, |context| {
        let payload = context.get_raw(1).as_bytes()?;
        Ok(content::text(context.get(0)?, payload).map(|text| spaced(text).into_owned()))
    })?;
    Ok(())
}

impl Vault {
    /// Messages that fit the query, older than `before` if that is given: at most `limit`, and
    /// perhaps fewer although there are more.
    ///
    /// # Errors
    /// See [`VaultError`].
    pub(crate) fn search(
        &self,
        query: &Query,
        before: Option<MessageKey>,
        limit: usize,
    ) -> Result<Page, VaultError> {
        let nothing = Page {
            hits: Vec::new(),
            next: None,
        };
        let Some((first, last)) = self.keys_between(query)? else {
            return Ok(nothing);
        };
        let Some(places) = self.places(query)? else {
            return Ok(nothing);
        };
        let newest = before.map_or(i64::MAX, |key| key.0.saturating_sub(1));
        let wanted: Vec<String> = texts(query).into_iter().chain(places).collect();
        let wanted = wanted.join(" AND ");
        let (table, fits) = if wanted.is_empty() {
            ("message", "?1 = ''")
        } else {
            (
                "message_text CROSS JOIN message ON key = message_text.rowid",
                "message_text MATCH ?1",
            )
        };
        let key = if wanted.is_empty() {
            "key"
        } else {
            "message_text.rowid"
        };
        let sql = format!(
            "SELECT {MESSAGE_COLUMNS} FROM {table}
             WHERE {fits} AND {key} BETWEEN ?2 AND ?3 ORDER BY {key} DESC"
        );
        let mut statement = self.database.prepare_cached(&sql)?;
        let mut rows = statement.query(params![wanted, first, last.min(newest)])?;
        let mut found = Vec::new();
        let mut next = None;
        let mut looks = 0;
        while let Some(row) = rows.next()? {
            let record = message(row)?;
            let key = record.key;
            looks += 1;
            if is_between(query, record.shown.sent_at_millis) {
                found.push(record);
            }
            if found.len() >= limit || looks >= LOOKS_MAX + limit {
                next = Some(key);
                break;
            }
        }
        drop(rows);
        Ok(Page {
            hits: self.with_matches(query, found)?,
            next,
        })
    }

    /// The keys between which messages of the wanted days lie; `None` when there are none.
    fn keys_between(&self, query: &Query) -> Result<Option<(i64, i64)>, VaultError> {
        if (query.after_millis, query.before_millis) == (None, None) {
            return Ok(Some((0, i64::MAX)));
        }
        // As the schema counts days.
        let day = |millis: i64| (millis / DAY_MILLIS).clamp(0, DAY_MAX);
        let bounds: (Option<i64>, Option<i64>) = self.database.query_row(
            "SELECT min(first), max(last) FROM message_day WHERE day BETWEEN ? AND ?",
            [
                query.after_millis.map_or(0, day),
                query.before_millis.map_or(DAY_MAX, day),
            ],
            |row| Ok((row.get(0)?, row.get(1)?)),
        )?;
        Ok(match bounds {
            (Some(first), Some(last)) => Some((first, last)),
            _ => None,
        })
    }

    /// What the index has to hold for the filters of people and chats; `None` when somebody is
    /// unknown, so that nothing fits.
    fn places(&self, query: &Query) -> Result<Option<Vec<String>>, VaultError> {
        let mut places = Vec::new();
        if !query.authors.is_empty() {
            let mut authors = Vec::new();
            for author in &query.authors {
                match author {
                    Author::Me => authors.push("me".to_owned()),
                    Author::Peer(name) => authors.extend(self.named(name, 'f')?),
                }
            }
            places.push(authors);
        }
        if !query.chats.is_empty() {
            let mut chats = Vec::new();
            for name in &query.chats {
                chats.extend(self.named(name, 'c')?);
            }
            places.push(chats);
        }
        if places.iter().any(Vec::is_empty) {
            return Ok(None);
        }
        let any = |tokens: Vec<String>| format!("place : ({})", tokens.join(" OR "));
        Ok(Some(places.into_iter().map(any).collect()))
    }

    /// The index's words for the chats with this handle or name.
    fn named(&self, name: &str, sort: char) -> Result<Vec<String>, VaultError> {
        let name = name.to_lowercase();
        let mut statement = self
            .database
            .prepare_cached("SELECT id, handle, name FROM chat ORDER BY id")?;
        let mut rows = statement.query([])?;
        let mut tokens = Vec::new();
        while let Some(row) = rows.next()? {
            let handle: Option<String> = row.get(1)?;
            let known: String = row.get(2)?;
            if handle.is_some_and(|handle| handle.to_lowercase() == name)
                || known.to_lowercase() == name
            {
                tokens.push(format!("\"{sort}{}\"", row.get::<_, i64>(0)?));
            }
            if tokens.len() == NAMESAKES_MAX {
                break;
            }
        }
        Ok(tokens)
    }

    /// Finds the words in the texts, as the index did: in a table of its own, which lies in memory
    /// and is rolled back.
    fn with_matches(
        &self,
        query: &Query,
        messages: Vec<MessageRecord>,
    ) -> Result<Vec<Hit>, VaultError> {
        let wanted = texts(query).join(" OR ");
        if wanted.is_empty() || messages.is_empty() {
            let bare = |message| Hit {
                message,
                matches: Vec::new(),
            };
            return Ok(messages.into_iter().map(bare).collect());
        }
        self.database.execute_batch(
            "CREATE VIRTUAL TABLE IF NOT EXISTS temp.excerpt USING fts5 (
                 text, tokenize = 'unicode61 remove_diacritics 2'
             )",
        )?;
        let rolled_back = self.database.unchecked_transaction()?;
        for (place, message) in messages.iter().enumerate() {
            let text = message.shown.as_text().unwrap_or_default();
            rolled_back
                .prepare_cached("INSERT INTO temp.excerpt (rowid, text) VALUES (?, ?)")?
                .execute(params![
                    i64::try_from(place).unwrap_or(i64::MAX),
                    spaced(text)
                ])?;
        }
        let mut marked = rolled_back.prepare_cached(
            "SELECT highlight(excerpt, 0, char(1), char(2)) FROM temp.excerpt
             WHERE excerpt MATCH ? AND rowid = ?",
        )?;
        let mut hits = Vec::with_capacity(messages.len());
        for (place, message) in messages.into_iter().enumerate() {
            let place = i64::try_from(place).unwrap_or(i64::MAX);
            let mut rows = marked.query(params![wanted, place])?;
            let matches = match rows.next()? {
                Some(row) => between_marks(&row.get::<_, String>(0)?),
                None => Vec::new(),
            };
            hits.push(Hit { message, matches });
        }
        Ok(hits)
    }
}

fn is_between(query: &Query, sent_at_millis: i64) -> bool {
    query
        .after_millis
        .is_none_or(|after| sent_at_millis >= after)
        && query
            .before_millis
            .is_none_or(|before| sent_at_millis < before)
}

/// What the index has to hold for the words and phrases.
fn texts(query: &Query) -> Vec<String> {
    let quoted = |text: &str| format!("\"{}\"", spaced(text).replace('"', "\"\""));
    query
        .terms
        .iter()
        .map(|term| match term {
            Term::Word(word) => format!("text : {} *", quoted(word)),
            Term::Phrase(phrase) => format!("text : {}", quoted(phrase)),
        })
        .collect()
}

/// A text as the index and the marks need it: signs of scripts that put no space between words
/// stand by themselves.
fn spaced(text: &str) -> Cow<'_, str> {
    let is_plain = |sign: char| sign > BETWEEN && !stands_alone(sign);
    if text.chars().all(is_plain) {
        return Cow::Borrowed(text);
    }
    let mut spaced = String::with_capacity(2 * text.len());
    for sign in text.chars() {
        if stands_alone(sign) {
            spaced.extend([BETWEEN, sign, BETWEEN]);
        } else {
            // None of the marks is a word's, and all have one byte, like the space.
            spaced.push(if sign > BETWEEN { sign } else { ' ' });
        }
    }
    Cow::Owned(spaced)
}

/// Thai to Khmer, and the Chinese and Japanese scripts.
fn stands_alone(sign: char) -> bool {
    matches!(u32::from(sign),
        0x0e00..=0x0eff | 0x1000..=0x109f | 0x1780..=0x17ff | 0x2e80..=0x2fdf | 0x3005..=0x3007
        | 0x3040..=0x30ff | 0x31f0..=0x31ff | 0x3400..=0x4dbf | 0x4e00..=0x9fff | 0xf900..=0xfaff
        | 0xff66..=0xff9f | 0x20000..=0x3ffff)
}

/// Where the marks were, in the text without them and as it was before [`spaced`].
fn between_marks(marked: &str) -> Vec<Range<usize>> {
    let mut matches: Vec<Range<usize>> = Vec::new();
    let (mut at, mut begin) = (0, 0);
    for sign in marked.chars() {
        match sign {
            OPEN => begin = at,
            CLOSE => match matches.last_mut() {
                Some(last) if last.end == begin => last.end = at,
                _ => matches.push(begin..at),
            },
            BETWEEN => {}
            _ => at += sign.len_utf8(),
        }
    }
    matches
}
