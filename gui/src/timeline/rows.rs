//! What stands in a timeline, from top to bottom.

use sotto_client::view::{MessageKey, Timeline};

use crate::moment::LocalTime;

/// Messages by one author closer than this stand together, in milliseconds.
const RUN_MILLIS: i64 = 5 * 60 * 1000;

/// One row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Row {
    /// The day of the messages that follow, in days since 1970.
    Day(i64),
    /// The messages that follow are unread.
    Unread,
    /// A message.
    Message(MessageRow),
}

/// A message and its place among its neighbours.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct MessageRow {
    /// The place in [`Timeline::messages`].
    pub(super) index: usize,
    /// The message.
    pub(super) key: MessageKey,
    /// The one before is by somebody else, or long ago.
    pub(super) starts_run: bool,
    /// The one after is by somebody else, or much later.
    pub(super) ends_run: bool,
}

/// Names a row across changes of the timeline.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum RowKey {
    /// A day separator.
    Day(i64),
    /// The unread marker.
    Unread,
    /// A message.
    Message(MessageKey),
}

impl Row {
    /// Names the row.
    pub(super) fn key(&self) -> RowKey {
        match self {
            Self::Day(day) => RowKey::Day(*day),
            Self::Unread => RowKey::Unread,
            Self::Message(row) => RowKey::Message(row.key),
        }
    }
}

/// The rows of a timeline.
pub(super) fn build(timeline: &Timeline, utc_offset_secs: i32) -> Vec<Row> {
    let mut rows: Vec<Row> = Vec::with_capacity(timeline.messages.len() + 8);
    let mut last_day = None;
    let mut previous: Option<(bool, i64)> = None;
    for (index, message) in timeline.messages.iter().enumerate() {
        let day = LocalTime::new(message.sent_at_millis, utc_offset_secs).day;
        let mut starts_run = previous.is_none_or(|(is_mine, sent)| {
            is_mine != message.is_mine || message.sent_at_millis.saturating_sub(sent) >= RUN_MILLIS
        });
        // A peer's clock may be behind: days are shown only when they advance.
        if last_day.is_none_or(|last| day > last) {
            rows.push(Row::Day(day));
            last_day = Some(day);
            starts_run = true;
        }
        if timeline.first_unread == Some(message.key) {
            rows.push(Row::Unread);
            starts_run = true;
        }
        if starts_run {
            end_run(&mut rows);
        }
        rows.push(Row::Message(MessageRow {
            index,
            key: message.key,
            starts_run,
            ends_run: false,
        }));
        previous = Some((message.is_mine, message.sent_at_millis));
    }
    end_run(&mut rows);
    rows
}

/// Marks the last message so far as the end of its run.
fn end_run(rows: &mut [Row]) {
    let last = rows.iter_mut().rev().find_map(|row| match row {
        Row::Message(message) => Some(message),
        Row::Day(_) | Row::Unread => None,
    });
    if let Some(last) = last {
        last.ends_run = true;
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use sotto_client::view::{Body, ChatId, Delivery, Message};

    use super::*;

    fn timeline(messages: &[(i64, bool, i64)], first_unread: Option<i64>) -> Timeline {
        Timeline {
            chat: ChatId(1),
            messages: messages
                .iter()
                .map(|&(key, is_mine, minutes)| {
                    Arc::new(Message {
                        key: MessageKey(key),
                        is_mine,
                        body: Body::Text(String::new()),
                        is_cut: false,
                        quote: None,
                        sent_at_millis: minutes * 60_000,
                        delivery: Delivery::Sending,
                    })
                })
                .collect(),
            has_older: false,
            has_newer: false,
            first_unread: first_unread.map(MessageKey),
        }
    }

    fn sketch(rows: &[Row]) -> String {
        rows.iter()
            .map(|row| match row {
                Row::Day(day) => format!("day{day} "),
                Row::Unread => "unread ".to_owned(),
                Row::Message(row) => format!(
                    "{}{}{} ",
                    if row.starts_run { "<" } else { "" },
                    row.key.0,
                    if row.ends_run { ">" } else { "" }
                ),
            })
            .collect()
    }

    #[test]
    fn runs_end_with_the_author_and_after_five_minutes() {
        let rows = build(
            &timeline(
                &[(1, true, 0), (2, true, 4), (3, true, 9), (4, false, 9)],
                None,
            ),
            0,
        );
        assert_eq!(sketch(&rows), "day0 <1 2> <3> <4> ");
    }

    #[test]
    fn days_and_the_unread_marker_part_runs() {
        let rows = build(
            &timeline(
                &[
                    (1, true, 1438),
                    (2, true, 1439),
                    (3, true, 1440),
                    (4, true, 1441),
                ],
                Some(4),
            ),
            0,
        );
        assert_eq!(sketch(&rows), "day0 <1 2> day1 <3> unread <4> ");
    }

    #[test]
    fn days_follow_local_time_and_never_go_back() {
        let rows = build(&timeline(&[(1, true, 1430), (2, false, 1380)], None), 3600);
        assert_eq!(sketch(&rows), "day1 <1> <2> ");
    }

    #[test]
    fn no_messages_give_no_rows() {
        assert!(build(&timeline(&[], None), 0).is_empty());
    }
}
