//! Of chats and messages: written, shown, found, answered.

use sotto_client::QueryError;
use sotto_client::view::{Delivery, Presence, Quote, TEXT_BYTES_MAX};

use crate::bidi;

/// Above the list of chats.
pub(crate) const CHATS: &str = "Chats";
/// Nobody to write to yet.
pub(crate) const NO_CHATS: &str = "Nobody else is on this relay yet. Invite someone to begin.";
/// No chat is open.
pub(crate) const PICK_A_CHAT: &str = "Pick a chat";
/// Under it.
pub(crate) const PICK_A_CHAT_HINT: &str = "or press Alt+↓ to open the first one";
/// A chat without messages.
pub(crate) const EMPTY_CHAT: &str = "Messages here are end-to-end encrypted.\nSay hello.";
/// Hint and accessible name of the composer.
pub(crate) const MESSAGE: &str = "Message";
/// Sends what the composer holds.
pub(crate) const SEND: &str = "Send";
/// Sends a failed message again.
pub(crate) const RETRY: &str = "Retry";
/// A message that the relay refused.
pub(crate) const NOT_SENT: &str = "Not sent";
/// Before the first unread message.
pub(crate) const UNREAD_MARKER: &str = "New messages";
/// Scrolls to the newest message.
pub(crate) const JUMP_TO_LATEST: &str = "Jump to the latest message";
/// A message of a later version.
pub(crate) const UNKNOWN_BODY: &str = "This message needs a newer version of Sotto.";
/// Under the name in the header.
pub(crate) const END_TO_END: &str = "End-to-end encrypted";
/// The list of messages.
pub(crate) const TIMELINE: &str = "Messages";
/// The column of identities.
pub(crate) const IDENTITIES: &str = "Identities";
/// The preview of a chat with somebody who was never on this relay.
pub(crate) const HAS_NOT_JOINED: &str = "Has not joined yet";
/// The preview of an empty chat.
pub(crate) const NO_MESSAGES: &str = "No messages yet";
/// Before one's own message in the list of chats.
pub(crate) const YOU: &str = "You";
/// A chat with unsent text.
pub(crate) const DRAFT: &str = "Draft";
/// Today's separator.
pub(crate) const TODAY: &str = "Today";
/// Yesterday's separator.
pub(crate) const YESTERDAY: &str = "Yesterday";
/// Begins a reply.
pub(crate) const REPLY: &str = "Reply";
/// Gives it up.
pub(crate) const CANCEL_REPLY: &str = "Cancel reply";
/// What was answered is not on this computer.
pub(crate) const NOT_HERE: &str = "Message not on this computer";
/// The peer is writing.
pub(crate) const TYPING: &str = "typing…";
/// Under the beginning of a long text.
pub(crate) const SHOW_ALL: &str = "Show all";
/// The dialog with a long text.
pub(crate) const WHOLE_TEXT: &str = "Long message";
/// Copies all of it.
pub(crate) const COPY_ALL: &str = "Copy all";
/// Back in it.
pub(crate) const PREVIOUS_PAGE: &str = "Previous page";
/// On in it.
pub(crate) const NEXT_PAGE: &str = "Next page";
/// Where one is in a long text.
pub(crate) fn page(number: usize, count: usize) -> String {
    format!("Page {number} of {count}")
}

/// A reply, read aloud.
pub(crate) fn in_reply_to(author: &str, text: &str) -> String {
    format!("In reply to {author}: {text}")
}

/// What is shown of a message that another one answers.
pub(crate) fn quoted(quote: &Quote) -> String {
    match &quote.original {
        Some((_, text)) if text.is_empty() => UNKNOWN_BODY.to_owned(),
        Some((_, text)) => one_line(text),
        None => NOT_HERE.to_owned(),
    }
}

/// The first part of a text, on one line.
pub(crate) fn one_line(text: &str) -> String {
    let start: String = text.chars().take(160).collect();
    bidi::displayable(&start)
        .split_whitespace()
        .collect::<Vec<_>>()
        .join(" ")
}

/// The field above the chats.
pub(crate) const SEARCH: &str = "Search";
/// What stands in it while it is empty.
pub(crate) const SEARCH_HINT: &str = "Search (Ctrl+K)";
/// The button that empties it.
pub(crate) const END_SEARCH: &str = "Clear search";
/// What was found, as a list.
pub(crate) const FOUND: &str = "Search results";
/// The messages among it.
pub(crate) const MESSAGES: &str = "Messages";
/// More may come.
pub(crate) const SEARCHING: &str = "Searching…";
/// The button that goes on.
pub(crate) const SEARCH_OLDER: &str = "Search older messages";
/// How far an own message has come.
pub(crate) fn delivery(delivery: Delivery) -> &'static str {
    match delivery {
        Delivery::Sending => "sending",
        Delivery::Relay => "at the relay",
        Delivery::Delivered => "delivered",
        Delivery::Read => "read",
        Delivery::Failed => "not sent",
    }
}

/// Whether a peer is there.
pub(crate) fn presence(presence: Presence) -> &'static str {
    match presence {
        Presence::NotJoined => "not joined yet; messages will wait",
        Presence::Away => "away",
        Presence::Online => "online",
    }
}

/// A row of the list of chats.
pub(crate) fn chat_row(
    name: &str,
    time: &str,
    preview: &str,
    state: Option<&str>,
    unread: u32,
) -> String {
    let mut parts = vec![format!("Chat with {name}")];
    for part in [time, preview].into_iter().chain(state) {
        if !part.is_empty() {
            parts.push(part.to_owned());
        }
    }
    if unread > 0 {
        parts.push(format!("{unread} unread"));
    }
    parts.join(", ")
}

/// A message, read aloud.
pub(crate) fn message(author: &str, time: &str, text: &str, state: Option<&str>) -> String {
    let mut spoken = format!("{author}, {time}, {text}");
    if let Some(state) = state {
        spoken.push_str(", ");
        spoken.push_str(state);
    }
    spoken
}

/// A message that was found, read aloud.
pub(crate) fn found_message(chat: &str, time: &str, is_mine: bool, text: &str) -> String {
    let author = if is_mine { YOU } else { chat };
    format!("In the chat with {chat}, {time}, {author}: {text}")
}

/// Nothing was found.
pub(crate) fn nothing_found(text: &str) -> String {
    format!("No results for “{text}”")
}

/// Why nothing is looked for.
pub(crate) fn query_problem(problem: QueryError) -> &'static str {
    match problem {
        QueryError::TooLong => "That is too much to look for at once.",
        QueryError::Day => "A day is written like this: after:2026-01-31",
        QueryError::Name => "Whose? For example from:bob or in:alice",
        _ => "Type a word, or from:bob, in:alice, after:2026-01-31.",
    }
}

/// A badge's number.
pub(crate) fn badge(count: u32) -> String {
    if count > 99 {
        "99+".to_owned()
    } else {
        count.to_string()
    }
}

/// The text is too long by this many bytes.
pub(crate) fn too_long(bytes_over: usize) -> String {
    format!(
        "Too long for one message by {} bytes. A message holds {} MiB.",
        grouped(bytes_over),
        TEXT_BYTES_MAX / (1024 * 1024)
    )
}

pub(super) fn grouped(number: usize) -> String {
    let digits = number.to_string();
    let mut out = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            out.push('\u{202F}');
        }
        out.push(digit);
    }
    out
}

/// The jump button while newer messages wait below.
pub(crate) fn jump(count: u32) -> String {
    match count {
        0 => JUMP_TO_LATEST.to_owned(),
        1 => format!("{JUMP_TO_LATEST}, 1 new"),
        count => format!("{JUMP_TO_LATEST}, {count} new"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_read_aloud_in_order() {
        assert_eq!(
            chat_row("Bob", "14:02", "see you", Some("delivered"), 3),
            "Chat with Bob, 14:02, see you, delivered, 3 unread"
        );
        assert_eq!(chat_row("Bob", "", "", None, 0), "Chat with Bob");
    }

    #[test]
    fn a_text_that_is_too_long_says_by_how_much() {
        assert_eq!(
            too_long(12_345),
            "Too long for one message by 12\u{202F}345 bytes. A message holds 1 MiB."
        );
    }
}
