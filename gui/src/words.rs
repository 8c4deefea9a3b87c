//! Every word that a person reads, in one place.

use sotto_client::QueryError;
use sotto_client::identities::IdentityError;
use sotto_client::view::{
    AdditionProblem, CreationStep, Delivery, Notice, Outcome, Presence, ProfileProblem, Quote,
    RelayProblem, RelayState, TEXT_BYTES_MAX,
};

use crate::bidi;
use crate::dialogs::Strength;
use crate::moment::{Date, LocalTime};
use crate::relay::{RelayFailure, RelayKind};
use crate::theme::Theme;

/// The app.
pub(crate) const APP: &str = "Sotto";
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
/// Copies a message.
pub(crate) const COPY: &str = "Copy";
/// After copying.
pub(crate) const COPIED: &str = "Copied";
/// Closes a dialog.
pub(crate) const CLOSE: &str = "Close";
/// Leaves a dialog without a change.
pub(crate) const CANCEL: &str = "Cancel";
/// Hides a notice.
pub(crate) const DISMISS: &str = "Dismiss";
/// From a chat back to the list, in a narrow window.
pub(crate) const BACK: &str = "Back to chats";
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

/// Trust chip: compared.
pub(crate) const VERIFIED: &str = "Verified";
/// Trust chip: nobody has compared.
pub(crate) const NOT_VERIFIED: &str = "Not verified";
/// Trust chip: a link named the identity.
pub(crate) const INTRODUCED: &str = "Introduced by a link";
/// Trust chip: another identity.
pub(crate) const CHANGED: &str = "Safety number changed";
/// Opens the comparison.
pub(crate) const VERIFY: &str = "Verify";
/// Goes on with a changed identity.
pub(crate) const ACCEPT: &str = "Accept";
/// They match.
pub(crate) const THEY_MATCH: &str = "They match";
/// They do not match.
pub(crate) const THEY_DO_NOT_MATCH: &str = "They do not match";
/// The number itself.
pub(crate) const SAFETY_NUMBER: &str = "Safety number";
/// No number yet.
pub(crate) const NO_SAFETY_NUMBER: &str =
    "The safety number appears once your devices have met through the relay.";

/// The code of the safety number, as a picture.
pub(crate) const CODE_QR: &str = "Your code for this chat, to be scanned";
/// Copies it as text.
pub(crate) const COPY_CODE: &str = "Copy code";
/// Compares a code of the peer.
pub(crate) const COMPARE: &str = "Compare";
/// A picture that holds no code.
pub(crate) const NO_CODE_IN_PICTURE: &str =
    "No QR code could be read from this picture. Try one that shows the code larger and sharper.";

/// Opens the menu of a chat.
pub(crate) const MORE: &str = "More";
/// Lets a chat make no noise, and for how many hours.
pub(crate) const MUTE_SPANS: [(&str, Option<u64>); 3] = [
    ("Mute for an hour", Some(1)),
    ("Mute for a day", Some(24)),
    ("Mute until unmuted", None),
];
/// Lets it make noise again.
pub(crate) const UNMUTE: &str = "Unmute";
/// A muted chat.
pub(crate) const MUTED: &str = "muted";
/// Blocks somebody.
pub(crate) const BLOCK: &str = "Block";
/// Undoes it.
pub(crate) const UNBLOCK: &str = "Unblock";
/// Somebody blocked.
pub(crate) const BLOCKED: &str = "blocked";
/// The list of those who are blocked.
pub(crate) const BLOCKED_PEOPLE: &str = "Blocked people";
/// It is empty.
pub(crate) const NOBODY_BLOCKED: &str = "Nobody is blocked.";
/// Deletes a request.
pub(crate) const REFUSE: &str = "Refuse";
/// The part of the settings about others.
pub(crate) const PEOPLE: &str = "People";
/// Dialog and button.
pub(crate) const ADD_CONTACT: &str = "Add contact";
/// What to type there.
pub(crate) const ADD_CONTACT_HINT: &str = "A handle asks the relay who that is. A link also says \
     how to recognise them. You can also name or drop a picture of a link's QR code.";
/// The field.
pub(crate) const HANDLE_OR_LINK: &str = "Handle or link";
/// Adds them.
pub(crate) const ADD: &str = "Add";
/// After adding.
pub(crate) const ADDED: &str = "Contact added";
/// Dialog and button.
pub(crate) const MY_LINK: &str = "My link";
/// The link, as a picture.
pub(crate) const MY_LINK_QR: &str = "Your link, to be scanned";
/// Copies it.
pub(crate) const COPY_LINK: &str = "Copy link";
/// What to do with it.
pub(crate) const MY_LINK_HINT: &str = "Whoever is on the same relay adds you with this link, and \
     knows that it is you: as surely as it reached them unchanged. Hand it over yourself.";
/// There is none yet.
pub(crate) const NO_LINK: &str = "Your link appears once the relay is known.";

/// The button in the rail, and its dialog.
pub(crate) const NEW_IDENTITY: &str = "New identity";
/// What it is.
pub(crate) const NEW_IDENTITY_HINT: &str = "Others find you by the handle, which stays what it \
     is, and see the name, which you can change. Without a passphrase, whoever uses this computer \
     can read the messages.";
/// There is none.
pub(crate) const NOBODY: &str = "There is no identity on this computer.";
/// Field.
pub(crate) const HANDLE: &str = "Handle";
/// Field.
pub(crate) const NAME: &str = "Name";
/// Field.
pub(crate) const OPTIONAL_PASSPHRASE: &str = "Passphrase (optional)";
/// Field.
pub(crate) const REPEAT_OPTIONAL: &str = "Repeat passphrase";
/// Makes it.
pub(crate) const CREATE: &str = "Create";
/// The part of the settings about the identity.
pub(crate) const IDENTITY: &str = "Identity";
/// Dialog and button.
pub(crate) const RENAME: &str = "Rename";
/// What it does.
pub(crate) const RENAME_HINT: &str =
    "Others see this name once the relay has told them. The handle stays.";
/// Button.
pub(crate) const DELETE_IDENTITY: &str = "Delete identity";
/// Deletes it.
pub(crate) const DELETE_FOR_GOOD: &str = "Delete for good";
/// It is gone.
pub(crate) const IDENTITY_DELETED: &str = "The identity was deleted.";

/// Unlock screen.
pub(crate) const PASSPHRASE: &str = "Passphrase";
/// Unlocks.
pub(crate) const UNLOCK: &str = "Unlock";
/// While a passphrase is checked.
pub(crate) const CHECKING: &str = "Checking…";
/// What the passphrase is for.
pub(crate) const UNLOCK_HINT: &str = "Your messages are encrypted on this computer.";
/// When there is a recovery code.
pub(crate) const UNLOCK_BY_CODE_HINT: &str = "Your recovery code opens them too.";
/// Shows what was typed.
pub(crate) const SHOW_PASSPHRASE: &str = "Show passphrase";
/// Hides what was typed.
pub(crate) const HIDE_PASSPHRASE: &str = "Hide passphrase";
/// Dialog and button.
pub(crate) const SET_PASSPHRASE: &str = "Set passphrase";
/// Dialog and button.
pub(crate) const CHANGE_PASSPHRASE: &str = "Change passphrase";
/// Button.
pub(crate) const REMOVE_PASSPHRASE: &str = "Remove passphrase";
/// Field.
pub(crate) const CURRENT_PASSPHRASE: &str = "Current passphrase";
/// Field.
pub(crate) const NEW_PASSPHRASE: &str = "New passphrase";
/// Field.
pub(crate) const REPEAT_PASSPHRASE: &str = "Repeat new passphrase";
/// The two fields differ.
pub(crate) const PASSPHRASES_DIFFER: &str = "The two passphrases are not the same.";
/// Why it matters.
pub(crate) const PASSPHRASE_ADVICE: &str = "It protects your keys and messages on this computer. \
     Nobody can reset it: if you forget it, they are lost.";

/// Whoever has forgotten the passphrase.
pub(crate) const RECOVERED_ADVICE: &str = "The recovery code has opened this identity. Set a \
     passphrase that you will remember; the code stays as it is.";
/// The part of the settings about what opens the vault.
pub(crate) const PROTECTION: &str = "Protection";
/// There is none.
pub(crate) const NO_PASSPHRASE_HINT: &str = "Whoever uses this computer can read the messages. \
     A passphrase prevents that, and makes a recovery code and locking possible.";
/// Dialog and button.
pub(crate) const SET_RECOVERY_CODE: &str = "Set recovery code";
/// Dialog and button.
pub(crate) const REPLACE_RECOVERY_CODE: &str = "Replace recovery code";
/// Dialog and button.
pub(crate) const REMOVE_RECOVERY_CODE: &str = "Remove recovery code";
/// What the code is for.
pub(crate) const RECOVERY_CODE_ADVICE: &str = "This code opens the identity if you forget the \
     passphrase. Write it down and keep it away from this computer: it is shown only now, and \
     whoever finds it can use it.";
/// What happens to the one so far.
pub(crate) const REPLACE_RECOVERY_CODE_HINT: &str =
    "The code so far opens it until this one is set, and no longer.";
/// What follows from it.
pub(crate) const REMOVE_RECOVERY_CODE_HINT: &str =
    "After this, a forgotten passphrase cannot be replaced by anything.";
/// On to the next step.
pub(crate) const WRITTEN_DOWN: &str = "I have written it down";
/// What to do there.
pub(crate) const TYPE_RECOVERY_CODE: &str =
    "Type the last two groups of the code, or all of it, from what you have written down.";
/// Field.
pub(crate) const RECOVERY_CODE: &str = "Recovery code";
/// It was typed wrongly.
pub(crate) const RECOVERY_CODE_DIFFERS: &str = "The code ends differently. Check what you wrote.";
/// When identities are locked.
pub(crate) const LOCK_AFTER: &str = "Lock when nobody is there";
/// What that means.
pub(crate) const LOCK_AFTER_HINT: &str = "Locks every identity that has a passphrase when this \
     window was not used for so long.";
/// After how many minutes.
pub(crate) const LOCK_SPANS: [(&str, Option<u64>); 4] = [
    ("Never", None),
    ("5 minutes", Some(5)),
    ("15 minutes", Some(15)),
    ("1 hour", Some(60)),
];

/// A profile that another process holds.
pub(crate) const OPEN_ELSEWHERE: &str = "Already open in another window";
/// Under it.
pub(crate) const OPEN_ELSEWHERE_HINT: &str =
    "Close it there and try again, so that the two cannot overwrite each other's messages.";
/// Tries again.
pub(crate) const TRY_AGAIN: &str = "Try again";
/// Opens a closed profile.
pub(crate) const OPEN: &str = "Open";
/// While the vault opens.
pub(crate) const OPENING: &str = "Opening…";
/// After a failure.
pub(crate) const NOTHING_CHANGED: &str = "Nothing was changed or deleted.";

/// The dialog of settings.
pub(crate) const SETTINGS: &str = "Settings";
/// Its first part.
pub(crate) const APPEARANCE: &str = "Appearance";
/// Its second part.
pub(crate) const PRIVACY: &str = "Privacy";
/// Locks the identity.
pub(crate) const LOCK: &str = "Lock now";
/// The sheet of shortcuts.
pub(crate) const SHORTCUTS: &str = "Keyboard shortcuts";
/// The dialog of the relay.
pub(crate) const RELAY: &str = "Relay";
/// Title above the invite link.
pub(crate) const INVITE_LINK: &str = "Invite link";
/// Copies it.
pub(crate) const COPY_INVITE: &str = "Copy invite link";
/// What to do with it.
pub(crate) const INVITE_HINT: &str = "Whoever starts Sotto with this link uses the same relay. It holds the relay's address and key.";

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
/// A switch in the settings.
pub(crate) const READ_RECEIPTS: &str = "Read receipts";
/// What it means.
pub(crate) const READ_RECEIPTS_HINT: &str =
    "Others see that you have read their messages, and you see it of yours.";
/// A switch in the settings.
pub(crate) const TELL_TYPING: &str = "Typing";
/// What it means.
pub(crate) const TELL_TYPING_HINT: &str =
    "Others see that you are writing, and you see it of them.";

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

/// The shortcuts, as keys and meaning.
pub(crate) const SHORTCUT_LIST: [(&str, &str); 16] = [
    ("Enter", "Send"),
    ("Shift+Enter", "New line"),
    ("Ctrl+1…9", "Switch identity"),
    ("Alt+↑  Alt+↓", "Previous or next chat"),
    ("Ctrl+K", "Search chats and messages"),
    ("Ctrl+F", "Search this chat"),
    ("Ctrl+R", "Reply; again: to an earlier one"),
    ("PgUp  PgDn", "Scroll the messages"),
    ("Home  End", "Oldest or newest loaded message"),
    ("F6", "Next pane"),
    ("Tab", "Next control"),
    ("Esc", "Close, then back to the message"),
    ("Ctrl+L", "Lock this identity"),
    ("Ctrl+,", "Settings"),
    ("Ctrl+/", "This list"),
    ("Ctrl +  −  0", "Zoom"),
];

const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];
const WEEKDAYS: [&str; 7] = [
    "Monday",
    "Tuesday",
    "Wednesday",
    "Thursday",
    "Friday",
    "Saturday",
    "Sunday",
];

/// `14:02`.
pub(crate) fn time_of_day(time: LocalTime) -> String {
    format!("{:02}:{:02}", time.minute / 60, time.minute % 60)
}

/// A day separator, seen from `today` (both in days since 1970).
pub(crate) fn day_separator(day: i64, today: i64) -> String {
    let date = Date::of_day(day);
    match today - day {
        0 => TODAY.to_owned(),
        1 => YESTERDAY.to_owned(),
        2..=6 => weekday(date).to_owned(),
        _ if date.year == Date::of_day(today).year => format!("{} {}", date.day, month(date)),
        _ => format!("{} {} {}", date.day, month(date), date.year),
    }
}

/// The time of the newest message in the list of chats, seen from `now`.
pub(crate) fn list_time(time: LocalTime, now: LocalTime) -> String {
    let date = time.date();
    match now.day - time.day {
        0 => time_of_day(time),
        1 => YESTERDAY.to_owned(),
        2..=6 => short(weekday(date)),
        _ if date.year == now.date().year => format!("{} {}", date.day, short(month(date))),
        _ => format!("{} {}", short(month(date)), date.year),
    }
}

fn month(date: Date) -> &'static str {
    MONTHS
        .get(date.month.saturating_sub(1))
        .copied()
        .unwrap_or("")
}

fn weekday(date: Date) -> &'static str {
    WEEKDAYS.get(date.weekday).copied().unwrap_or("")
}

fn short(word: &str) -> String {
    word.chars().take(3).collect()
}

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

/// A row of the rail.
pub(crate) fn identity(name: &str, unread: u32) -> String {
    match unread {
        0 => format!("Identity {name}"),
        count => format!("Identity {name}, {count} unread"),
    }
}

/// What a row of the rail says under the pointer; identities are numbered from 1.
pub(crate) fn identity_hint(name: &str, number: usize) -> String {
    format!("{name}  ·  Ctrl+{number}")
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

/// The relay chip: its words for the state of the connection.
pub(crate) fn relay_state(state: RelayState, kind: RelayKind) -> &'static str {
    match (state, kind) {
        (_, RelayKind::Failed(_)) => "Relay not started",
        (RelayState::Connected, RelayKind::Local) => "Connected · relay in this window",
        (RelayState::Connected, RelayKind::Neighbour) => "Connected · relay on this computer",
        (RelayState::Connected, RelayKind::Remote) => "Connected",
        (RelayState::Connecting, _) => "Connecting…",
        (RelayState::Offline(_), _) => "Offline",
    }
}

/// The banner after a while without connection.
pub(crate) fn offline_banner(problem: Option<RelayProblem>) -> &'static str {
    match problem {
        None => "Offline. Messages will be sent later.",
        Some(RelayProblem::Unreachable) => {
            "The relay does not answer. Messages will be sent once it does."
        }
        Some(RelayProblem::WrongPin) => {
            "This relay is not the one you were invited to: its key is another. Nothing is sent. \
             Ask for a new invite link if the relay was set up afresh."
        }
        Some(RelayProblem::Untrusted) => {
            "This relay cannot show that it is the one you were invited to: its certificate has \
             expired, is for another name, or comes from nobody whom this computer trusts. Nothing \
             is sent. Tell whoever runs it."
        }
        Some(RelayProblem::Version) => {
            "The relay speaks another version. Update Sotto or the relay."
        }
        Some(RelayProblem::Refused) => "The relay refuses this identity.",
        Some(RelayProblem::HandleTaken) => {
            "On this relay, the name of this identity belongs to somebody else."
        }
    }
}

/// The relay dialog: where the relay is.
pub(crate) fn relay_kind(kind: RelayKind) -> &'static str {
    match kind {
        RelayKind::Local => "The relay runs inside this window, on this computer only.",
        RelayKind::Neighbour => {
            "Another window on this computer hosts the relay. If it closes, this one takes over."
        }
        RelayKind::Remote => "The relay runs elsewhere. It sees sealed envelopes only.",
        RelayKind::Failed(RelayFailure::Folder) => {
            "The relay could not start: its folder cannot be read or written. Check its \
             permissions and the room on the disk."
        }
        RelayKind::Failed(RelayFailure::Other) => {
            "The relay could not start. Restart Sotto, or use the invite link of another relay."
        }
    }
}

/// How far a new identity has come.
pub(crate) fn creation(step: CreationStep) -> &'static str {
    match step {
        CreationStep::Keys => "Making keys. This takes a few seconds, once.",
        CreationStep::Prekeys => "Making keys for first messages…",
        CreationStep::Vault => "Writing the encrypted vault…",
    }
}

/// Title of the screen while an identity is made.
pub(crate) fn creating(name: &str) -> String {
    format!("Creating {name}'s identity")
}

/// What was typed to unlock is wrong.
pub(crate) fn secret_wrong(has_recovery_code: bool) -> &'static str {
    if has_recovery_code {
        "This is neither the passphrase nor the recovery code. Please try again."
    } else {
        "Wrong passphrase. Please try again."
    }
}

/// The handle of the shown identity.
pub(crate) fn handle_is(handle: &str) -> String {
    format!("Handle: {handle}")
}

/// Why an identity was not made or deleted, and what helps.
pub(crate) fn identity_problem(problem: &IdentityError) -> &'static str {
    match problem {
        IdentityError::Handle => {
            "A handle has up to 64 small letters and digits, with dots, dashes and underscores \
             between them."
        }
        IdentityError::Name => "A name has up to 64 bytes, on one line.",
        IdentityError::Taken => "There is an identity with this handle here.",
        IdentityError::TooMany => "There are too many identities on this computer.",
        IdentityError::OpenElsewhere => {
            "It is open in another window. Close it there and try again."
        }
        IdentityError::Full => "The disk is full. Make room and try again.",
        IdentityError::Thread => "This computer has no room for another identity now.",
        _ => "Its folder cannot be read or written. Check its permissions and try again.",
    }
}

/// An identity was not deleted.
pub(crate) fn not_deleted(handle: &str, problem: &IdentityError) -> String {
    format!("{handle} was not deleted. {}", identity_problem(problem))
}

/// An identity was not made.
pub(crate) fn not_created(problem: &IdentityError) -> String {
    format!("The identity was not made. {}", identity_problem(problem))
}

/// Before an identity is deleted.
pub(crate) fn delete_title(name: &str) -> String {
    format!("Delete {name}?")
}

/// What is lost, and what stays.
pub(crate) fn delete_text(name: &str, handle: &str) -> [String; 2] {
    [
        format!(
            "The keys, messages and contacts of {name} are deleted from this computer for good. \
             Only a backup brings them back, neither the passphrase nor a recovery code."
        ),
        format!(
            "What was sent stays with those who got it. On the relays that know {handle}, the \
             handle stays taken: a new identity cannot have it there."
        ),
    ]
}

/// The field that guards it.
pub(crate) fn type_handle(handle: &str) -> String {
    format!("Type {handle} to confirm")
}

/// Why a profile cannot be opened: a title and what helps.
pub(crate) fn problem(problem: &ProfileProblem) -> (&'static str, &'static str) {
    match problem {
        ProfileProblem::Unreadable => (
            "The vault cannot be read",
            "Check that its folder exists and that you may read and write it.",
        ),
        ProfileProblem::Newer => (
            "The vault is from a newer Sotto",
            "Update Sotto to open it.",
        ),
        ProfileProblem::Damaged => (
            "The vault is damaged",
            "If you have a backup, delete this identity and bring it back: sotto-cli restore.",
        ),
        ProfileProblem::KeyMissing => (
            "The vault's key is missing",
            "The file that holds it belongs beside the vault. Put it back and try again.",
        ),
        ProfileProblem::DiskFull => ("The disk is full", "Make room on the disk and try again."),
    }
}

/// Something that the person should know.
pub(crate) fn notice(notice: Notice) -> String {
    match notice {
        Notice::NotStored => "The disk is full or cannot be written. What you sent is stored as \
             soon as there is room; until then, leave Sotto open."
            .to_owned(),
        Notice::PassphraseSet => "The passphrase was changed.".to_owned(),
        Notice::RecoveryCodeSet => "The recovery code was changed.".to_owned(),
        Notice::PassphraseWrong => {
            "The current passphrase was wrong. Nothing was changed.".to_owned()
        }
        Notice::SetBack => {
            "This identity was put back to an older copy, or is used in two places. \
             Messages that came in between may be missing here. Use it in one place only."
                .to_owned()
        }
        Notice::Unopened { messages: 1 } => {
            "One message could not be opened. Ask for it to be sent again.".to_owned()
        }
        Notice::Unopened { messages } => {
            format!("{messages} messages could not be opened. Ask for them to be sent again.")
        }
    }
}

/// The banner over the composer after the peer's identity changed.
pub(crate) fn changed_banner(name: &str) -> String {
    format!(
        "{name}'s safety number changed. This happens with a new device, or when somebody \
         pretends to be {name}. Compare before you send."
    )
}

/// The row of those who have written unasked.
pub(crate) fn requests(count: usize) -> String {
    format!("Requests, {count}")
}

/// In place of the composer in a request.
pub(crate) fn request_banner(name: &str) -> String {
    format!(
        "{name} is not among your contacts. They are not told that you have this, or have read \
         it, until you accept."
    )
}

/// In place of the composer while somebody is blocked.
pub(crate) fn blocked_banner(name: &str) -> String {
    format!("You have blocked {name}. What they send is dropped.")
}

/// Before a request is refused.
pub(crate) fn refuse_title(name: &str) -> String {
    format!("Refuse {name}?")
}

/// What follows from it.
pub(crate) fn refuse_text(name: &str) -> String {
    format!(
        "What {name} wrote is deleted, and they are blocked. They are not told. You can unblock \
         them in the settings."
    )
}

/// Before somebody is blocked.
pub(crate) fn block_title(name: &str) -> String {
    format!("Block {name}?")
}

/// What follows from it.
pub(crate) fn block_text(name: &str) -> String {
    format!(
        "What {name} sends from now on is dropped: neither shown nor kept. They are not told. \
         The messages so far stay here."
    )
}

/// The way back for one of those who are blocked.
pub(crate) fn unblock(name: &str) -> String {
    format!("{UNBLOCK} {name}")
}

/// The field for a code of the peer.
pub(crate) fn their_code(name: &str) -> String {
    format!("{name}'s code or digits, or the path of a picture of the code")
}

/// How a comparison went.
pub(crate) fn outcome(outcome: Outcome, name: &str) -> String {
    match outcome {
        Outcome::Match => format!("They match. {name} is verified."),
        Outcome::Mismatch => format!(
            "They do not match. Somebody may be between you and {name}, or the code is not \
             theirs. Do not trust this chat until you have spoken with {name}."
        ),
        Outcome::WrongPerson => {
            format!("This is the code of another contact, not of {name}.")
        }
        Outcome::OwnCode => {
            format!("This is your own code. Ask {name} for theirs.")
        }
        Outcome::Newer => "The code is from a newer Sotto. Update to compare it.".to_owned(),
        Outcome::NoCode => "This is neither a code nor sixty digits.".to_owned(),
        Outcome::NoIdentity => format!("{name} has not joined yet."),
    }
}

/// Why a contact was not added.
pub(crate) fn addition(problem: AdditionProblem) -> &'static str {
    match problem {
        AdditionProblem::Malformed => {
            "This is neither a handle nor a whole link. Copy the link once more."
        }
        AdditionProblem::Newer => "The link is from a newer Sotto. Update to use it.",
        AdditionProblem::OtherRelay => {
            "The link is for another relay. Ask them to join yours, or join theirs."
        }
        AdditionProblem::Offline => "The relay is not connected. Try again when it is.",
        AdditionProblem::Unknown => "Nobody on this relay has this handle. Check the spelling.",
        AdditionProblem::NotJoined => {
            "They have not joined this relay yet. Try again when they have."
        }
        AdditionProblem::WrongIdentity => {
            "The relay names somebody else than the link. Nobody was added: do not use this \
             relay for them until you know why."
        }
        AdditionProblem::Changed => {
            "Another identity is known under this handle. Open that chat and compare first."
        }
        AdditionProblem::Oneself => "This is your own handle.",
        AdditionProblem::Blocked => "You have blocked them. Unblock them in the settings first.",
        AdditionProblem::TooMany => "There are too many chats already.",
        _ => "The relay does not answer now. Try again in a minute.",
    }
}

/// Title of the comparison.
pub(crate) fn verify_title(name: &str) -> String {
    format!("Verify {name}")
}

/// How to compare.
pub(crate) fn verify_hint(name: &str) -> String {
    format!(
        "Compare these numbers with {name}, face to face or in a call. If they are the same on \
         both screens, nobody is between you."
    )
}

/// After a comparison that failed.
pub(crate) fn verify_mismatch(name: &str) -> String {
    format!("Do not trust this chat until you have spoken with {name} and the numbers match.")
}

/// The text is too long by this many bytes.
pub(crate) fn too_long(bytes_over: usize) -> String {
    format!(
        "Too long for one message by {} bytes. A message holds {} MiB.",
        grouped(bytes_over),
        TEXT_BYTES_MAX / (1024 * 1024)
    )
}

fn grouped(number: usize) -> String {
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

/// A theme's name.
pub(crate) fn theme(theme: Theme) -> &'static str {
    match theme {
        Theme::Dark => "Dark",
        Theme::Light => "Light",
        Theme::Contrast => "High contrast",
    }
}

/// How good a new passphrase is: its words.
pub(crate) fn strength(strength: Strength) -> &'static str {
    match strength {
        Strength::TooShort => "At least 8 characters",
        Strength::Weak => "Weak: easy to guess for a computer",
        Strength::Fair => "Fair: a longer one is better",
        Strength::Strong => "Strong",
    }
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
    fn days_are_named_from_near_to_far() {
        let today = 20_781; // Tuesday, 24 November 2026
        assert_eq!(day_separator(today, today), "Today");
        assert_eq!(day_separator(today - 1, today), "Yesterday");
        assert_eq!(day_separator(today - 2, today), "Sunday");
        assert_eq!(day_separator(today - 6, today), "Wednesday");
        assert_eq!(day_separator(today - 7, today), "17 November");
        assert_eq!(day_separator(today - 365, today), "24 November 2025");
        assert_eq!(day_separator(today + 1, today), "25 November");
    }

    #[test]
    fn list_times_are_short() {
        let now = LocalTime {
            day: 20_781,
            minute: 600,
        };
        let at = |day| list_time(LocalTime { day, minute: 545 }, now);
        assert_eq!(at(20_781), "09:05");
        assert_eq!(at(20_780), "Yesterday");
        assert_eq!(at(20_779), "Sun");
        assert_eq!(at(20_700), "4 Sep");
        assert_eq!(at(20_400), "Nov 2025");
    }

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

    #[test]
    fn every_problem_has_a_sentence_that_ends() {
        for found in [
            ProfileProblem::Unreadable,
            ProfileProblem::Newer,
            ProfileProblem::Damaged,
            ProfileProblem::KeyMissing,
            ProfileProblem::DiskFull,
        ] {
            assert!(problem(&found).1.ends_with('.'), "{found:?}");
        }
        for found in [
            RelayProblem::Unreachable,
            RelayProblem::WrongPin,
            RelayProblem::Untrusted,
            RelayProblem::Version,
            RelayProblem::Refused,
            RelayProblem::HandleTaken,
        ] {
            assert!(offline_banner(Some(found)).ends_with('.'), "{found:?}");
        }
    }
}
