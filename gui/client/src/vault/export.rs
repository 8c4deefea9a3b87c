//! A chat for other programs and for paper. It is in the clear: whoever asks for it has said so.

use std::fs::File;
use std::io::{BufWriter, Write};

use jiff::Timestamp;
use jiff::tz::TimeZone;
use rusqlite::Connection;
use serde::Serialize;

use super::copy::{Progress, Reader, of_vault};
use super::read::{MESSAGE_COLUMNS, message};
use super::target::Target;
use crate::backup::BackupError;
use crate::core::effects::MessageRecord;
use crate::view::{ChatId, Delivery, ExportFormat, Note};

/// Messages between two looks at whether to go on.
const STRETCH: u64 = 500;
/// What stands for a message of a kind that this version does not know.
const UNKNOWN: &str = "(a message of a kind that this version does not know)";

/// What is exported, and how.
pub(crate) struct Export {
    pub(crate) chat: ChatId,
    pub(crate) format: ExportFormat,
    /// For times that people read.
    pub(crate) zone: TimeZone,
    /// The handle of this identity, and its name.
    pub(crate) own: (String, String),
    /// What names the peer for scripts and for people.
    pub(crate) peer: (String, String),
}

/// One message in JSON.
#[derive(Serialize)]
struct Entry<'a> {
    id: String,
    direction: &'static str,
    sent_at: i64,
    /// None for a kind that this version does not know.
    text: Option<&'a str>,
    /// What was done with the chat.
    #[serde(skip_serializing_if = "Option::is_none")]
    note: Option<Note>,
    /// The message that it answers.
    #[serde(skip_serializing_if = "Option::is_none")]
    answers: Option<String>,
    /// How far it has come, if it is one's own.
    #[serde(skip_serializing_if = "Option::is_none")]
    state: Option<Delivery>,
}

impl Reader {
    /// Writes a chat as it is at one moment, oldest message first. Gives the file's size.
    pub(crate) fn export(
        &self,
        export: &Export,
        target: &Target,
        progress: &mut Progress<'_>,
    ) -> Result<u64, BackupError> {
        target.check(self.profiles())?;
        let mut database = self.connect()?;
        let moment = database.transaction()?;
        let fill = |file: &mut File| {
            let written = export.write(&moment, &mut BufWriter::new(file), progress);
            written.map_err(of_vault)
        };
        target.write(self.profiles(), fill, |_| Ok(()))
    }
}

impl Export {
    fn write(
        &self,
        database: &Connection,
        out: &mut impl Write,
        progress: &mut Progress<'_>,
    ) -> Result<(), BackupError> {
        self.begin(out)?;
        let count = "SELECT count(*) FROM message WHERE chat = ?";
        let total: i64 = database.query_row(count, [self.chat.0], |row| row.get(0))?;
        let sql = format!("SELECT {MESSAGE_COLUMNS} FROM message WHERE chat = ? ORDER BY key");
        let mut messages = database.prepare(&sql)?;
        let messages = messages.query_map([self.chat.0], message)?;
        for (record, done) in messages.zip(0..) {
            let is_due = done % STRETCH == 0;
            if is_due && progress(done, total.try_into().unwrap_or(0)).is_break() {
                return Err(BackupError::Cancelled);
            }
            self.one(&record?, done == 0, out)?;
        }
        match self.format {
            ExportFormat::Text => {}
            ExportFormat::Json => writeln!(out, "\n]}}")?,
            ExportFormat::Html => writeln!(out, "</body></html>")?,
        }
        Ok(out.flush()?)
    }

    fn begin(&self, out: &mut impl Write) -> Result<(), BackupError> {
        let (own, _) = &self.own;
        let (peer, name) = &self.peer;
        match self.format {
            ExportFormat::Text => {}
            ExportFormat::Json => write!(
                out,
                "{{\"identity\":{},\"peer\":{},\"name\":{},\"messages\":[",
                json(own)?,
                json(peer)?,
                json(name)?
            )?,
            ExportFormat::Html => writeln!(
                out,
                "<!DOCTYPE html>\n<html><head><meta charset=\"utf-8\">\
                 <meta http-equiv=\"Content-Security-Policy\" \
                 content=\"default-src 'none'; style-src 'unsafe-inline'\">\
                 <title>{title}</title><style>\
                 body{{font:16px/1.4 sans-serif;max-width:48em;margin:2em auto;padding:0 1em}}\
                 article{{margin:.6em 0}}bdi{{font-weight:bold;margin-right:.6em}}\
                 time{{color:#767676;font-size:.8em}}\
                 p{{margin:0;white-space:pre-wrap;overflow-wrap:anywhere}}\
                 </style></head><body><h1 dir=\"auto\">{title}</h1>",
                title = html(name)
            )?,
        }
        Ok(())
    }

    fn one(
        &self,
        record: &MessageRecord,
        is_first: bool,
        out: &mut impl Write,
    ) -> Result<(), BackupError> {
        let (_, from) = if record.is_mine {
            &self.own
        } else {
            &self.peer
        };
        let sent_at = record.shown.sent_at_millis;
        let text = record.shown.as_text();
        let note = record.shown.as_note();
        let told = note.as_ref().map(|note| format!("({note})"));
        let told = told.as_deref().or(text).unwrap_or(UNKNOWN);
        let time = Timestamp::from_millisecond(sent_at).unwrap_or(Timestamp::UNIX_EPOCH);
        let local = time.to_zoned(self.zone.clone()).strftime("%Y-%m-%d %H:%M");
        match self.format {
            ExportFormat::Text => {
                writeln!(out, "{local} {}: {}", plain(from), plain(told))?;
            }
            ExportFormat::Json => {
                let entry = json(&Entry {
                    id: record.shown.id.to_string(),
                    direction: if record.is_mine { "out" } else { "in" },
                    sent_at,
                    text,
                    note,
                    answers: record
                        .shown
                        .answered()
                        .map(|answered| answered.id.to_string()),
                    state: record.is_mine.then_some(record.delivery),
                })?;
                write!(out, "{}\n{entry}", if is_first { "" } else { "," })?;
            }
            ExportFormat::Html => writeln!(
                out,
                "<article><bdi>{}</bdi><time datetime=\"{time}\">{local}</time>\
                 <p dir=\"auto\">{}</p></article>",
                html(from),
                html(told)
            )?,
        }
        Ok(())
    }
}

fn json(value: &(impl Serialize + ?Sized)) -> Result<String, BackupError> {
    serde_json::to_string(value).map_err(|_| BackupError::Vault)
}

/// A text that cannot be taken for another message, nor steer a terminal: further lines are set in.
fn plain(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    for sign in text.chars() {
        match sign {
            '\n' => plain.push_str("\n    "),
            '\t' => plain.push(sign),
            sign if sign.is_control() => plain.push(char::REPLACEMENT_CHARACTER),
            sign => plain.push(sign),
        }
    }
    plain
}

/// A text as HTML that shows it, whatever is in it.
fn html(text: &str) -> String {
    let mut html = String::with_capacity(text.len());
    for sign in text.chars() {
        match sign {
            '&' => html.push_str("&amp;"),
            '<' => html.push_str("&lt;"),
            '>' => html.push_str("&gt;"),
            '"' => html.push_str("&quot;"),
            '\'' => html.push_str("&#39;"),
            _ => html.push(sign),
        }
    }
    html
}
