//! What to look for in all chats of a profile, as a person types it.
//!
//! ```text
//! bread but        messages with words that begin so, in any order
//! "bread and"      these words one after the other
//! from:bob         what Bob wrote, by handle or name; from:me what oneself wrote
//! in:alice         the chat with Alice; in:"Alice Smith"
//! before:2026-01-31, after:2026-01-01     before that day began, and from its beginning on
//! ```
//!
//! Case and accents do not matter. Scripts without spaces between words (Chinese, Japanese, Thai
//! and their neighbours) are found by each of their characters. Signs and emoji are not looked for.

use std::fmt;

use jiff::civil::Date;
use jiff::tz::TimeZone;
use thiserror::Error;

/// The longest query, in bytes of UTF-8.
pub const QUERY_BYTES_MAX: usize = 1024;
/// Words, phrases and filters of one query.
pub const QUERY_PARTS_MAX: usize = 32;

/// Why a text is no query.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum QueryError {
    /// There is no word and no filter in it.
    #[error("query looks for nothing")]
    Empty,
    /// It is longer than [`QUERY_BYTES_MAX`], or has more than [`QUERY_PARTS_MAX`] parts.
    #[error("query is too long")]
    TooLong,
    /// `before:` or `after:` without a day in the form `2026-01-31`.
    #[error("query has a malformed day")]
    Day,
    /// `from:` or `in:` without a name.
    #[error("query has a filter without a name")]
    Name,
}

/// What to look for.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Query {
    pub(crate) terms: Vec<Term>,
    /// Any of these.
    pub(crate) authors: Vec<Author>,
    /// Any of these handles or names.
    pub(crate) chats: Vec<String>,
    /// Sent before this, in milliseconds since 1970.
    pub(crate) before_millis: Option<i64>,
    /// Sent then or later, in milliseconds since 1970.
    pub(crate) after_millis: Option<i64>,
}

/// What a text has to hold.
#[derive(Clone, PartialEq, Eq)]
pub(crate) enum Term {
    /// A word that begins so.
    Word(String),
    /// These words.
    Phrase(String),
}

/// Who wrote it.
#[derive(Clone, PartialEq, Eq)]
pub(crate) enum Author {
    Me,
    /// By handle or name.
    Peer(String),
}

impl Query {
    /// Reads a query; days begin as they do in `zone`.
    ///
    /// # Errors
    /// See [`QueryError`].
    pub fn parse(text: &str, zone: &TimeZone) -> Result<Self, QueryError> {
        if text.len() > QUERY_BYTES_MAX {
            return Err(QueryError::TooLong);
        }
        let mut query = Self::default();
        let mut rest = text.trim_start();
        let mut parts = 0;
        while !rest.is_empty() {
            parts += 1;
            if parts > QUERY_PARTS_MAX {
                return Err(QueryError::TooLong);
            }
            rest = query.take_part(rest, zone)?.trim_start();
        }
        if query == Self::default() {
            return Err(QueryError::Empty);
        }
        Ok(query)
    }

    /// Reads one part; gives what follows it.
    fn take_part<'a>(&mut self, text: &'a str, zone: &TimeZone) -> Result<&'a str, QueryError> {
        for filter in ["from:", "in:", "before:", "after:"] {
            let (Some(head), Some(tail)) = (text.get(..filter.len()), text.get(filter.len()..))
            else {
                continue;
            };
            if head.eq_ignore_ascii_case(filter) {
                let (value, _, rest) = value(tail);
                self.add_filter(filter, value.trim(), zone)?;
                return Ok(rest);
            }
        }
        let (value, is_quoted, rest) = value(text);
        // What holds no letter and no digit is in no word.
        if value.chars().any(char::is_alphanumeric) {
            let value = value.replace(char::is_control, " ");
            self.terms.push(if is_quoted {
                Term::Phrase(value)
            } else {
                Term::Word(value)
            });
        }
        Ok(rest)
    }

    fn add_filter(&mut self, filter: &str, value: &str, zone: &TimeZone) -> Result<(), QueryError> {
        let is_day = matches!(filter, "before:" | "after:");
        if value.is_empty() && !is_day {
            return Err(QueryError::Name);
        }
        match filter {
            "from:" if value.eq_ignore_ascii_case("me") => self.authors.push(Author::Me),
            "from:" => self.authors.push(Author::Peer(value.to_owned())),
            "in:" => self.chats.push(value.to_owned()),
            "before:" => {
                let day = day(value, zone)?;
                self.before_millis = Some(self.before_millis.map_or(day, |other| other.min(day)));
            }
            _ => {
                let day = day(value, zone)?;
                self.after_millis = Some(self.after_millis.map_or(day, |other| other.max(day)));
            }
        }
        Ok(())
    }
}

impl fmt::Debug for Query {
    /// Shows nothing of what somebody looks for.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            terms,
            authors: _,
            chats: _,
            before_millis: _,
            after_millis: _,
        } = self;
        f.debug_struct("Query")
            .field("terms", &terms.len())
            .finish_non_exhaustive()
    }
}

/// A quoted text or a word at the beginning, whether it is quoted, and what follows.
fn value(text: &str) -> (&str, bool, &str) {
    match text.strip_prefix('"') {
        // A quotation that is not closed goes on to the end.
        Some(quoted) => {
            let (inside, rest) = quoted.split_once('"').unwrap_or((quoted, ""));
            (inside, true, rest)
        }
        None => match text.split_once(char::is_whitespace) {
            Some((word, rest)) => (word, false, rest),
            None => (text, false, ""),
        },
    }
}

/// When a day begins, in milliseconds since 1970.
fn day(text: &str, zone: &TimeZone) -> Result<i64, QueryError> {
    let date: Date = text.parse().map_err(|_| QueryError::Day)?;
    let begin = date
        .to_zoned(zone.clone())
        .map_err(|_| QueryError::Day)?
        .timestamp();
    Ok(begin.as_millisecond())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Query, QueryError> {
        Query::parse(text, &TimeZone::UTC)
    }

    fn terms(text: &str) -> Vec<String> {
        let query = parse(text).unwrap();
        let terms = query.terms.iter();
        terms
            .map(|term| match term {
                Term::Word(word) => format!("{word}*"),
                Term::Phrase(phrase) => phrase.clone(),
            })
            .collect()
    }

    #[test]
    fn reads_words_phrases_and_what_is_not_closed() {
        assert_eq!(terms("bread  but"), ["bread*", "but*"]);
        assert_eq!(terms("\"bread and\"butter"), ["bread and", "butter*"]);
        assert_eq!(terms("a \"not closed"), ["a*", "not closed"]);
        assert_eq!(
            terms("5\" AND (x NOT: http://y"),
            ["5\"*", "AND*", "(x*", "NOT:*", "http://y*"]
        );
        assert_eq!(terms("-- hi !!! \"?\""), ["hi*"]);
    }

    #[test]
    fn reads_filters_in_any_case_and_with_names_of_several_words() {
        let query = parse("From:me from:\"Bob Smith\" IN:alice x").unwrap();
        assert!(query.authors == [Author::Me, Author::Peer("Bob Smith".into())]);
        assert_eq!(query.chats, ["alice"]);
        assert_eq!(query.terms.len(), 1);
    }

    #[test]
    fn days_begin_where_the_person_is_and_the_narrower_one_counts() {
        let zone = TimeZone::get("Europe/Berlin").unwrap();
        let text = "after:2026-01-01 before:2026-07-01 before:2026-08-01";
        let query = Query::parse(text, &zone).unwrap();
        // Winter is an hour ahead of UTC, summer two.
        assert_eq!(query.after_millis, Some(1_767_222_000_000));
        assert_eq!(query.before_millis, Some(1_782_856_800_000));
    }

    #[test]
    fn says_what_is_wrong() {
        let long = "x".repeat(QUERY_BYTES_MAX + 1);
        let many = "x ".repeat(QUERY_PARTS_MAX + 1);
        for (text, error) in [
            ("", QueryError::Empty),
            (" \t\" \" ... ", QueryError::Empty),
            ("before:yesterday", QueryError::Day),
            ("after:", QueryError::Day),
            ("before:2026-02-30", QueryError::Day),
            ("from: bob", QueryError::Name),
            ("in:\"", QueryError::Name),
            (&long, QueryError::TooLong),
            (&many, QueryError::TooLong),
        ] {
            assert_eq!(parse(text), Err(error), "{text}");
        }
    }

    #[test]
    fn debug_shows_no_word() {
        assert_eq!(
            format!("{:?}", parse("secret in:bob").unwrap()),
            "Query { terms: 1, .. }"
        );
    }
}
