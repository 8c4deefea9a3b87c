//! Every word that a person reads, in one place.

mod assistant;
mod backup;
mod chat;
mod dates;
mod identity;
mod people;
mod relay;

pub(crate) use self::assistant::*;
pub(crate) use self::backup::*;
pub(crate) use self::chat::*;
pub(crate) use self::dates::*;
pub(crate) use self::identity::*;
pub(crate) use self::people::*;
pub(crate) use self::relay::*;

use sotto_client::view::Notice;

use crate::theme::Theme;

/// The app.
pub(crate) const APP: &str = "Sotto";
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
/// The shortcuts, as keys and meaning.
pub(crate) const SHORTCUT_LIST: [(&str, &str); 17] = [
    ("Enter", "Send"),
    ("Shift+Enter", "New line"),
    ("Ctrl+1…9", "Switch identity"),
    ("Alt+↑  Alt+↓", "Previous or next chat"),
    ("Ctrl+K", "Search chats and messages"),
    ("Ctrl+F", "Search this chat"),
    ("Ctrl+R", "Reply; again: to an earlier one"),
    ("Ctrl+J", "Rephrase what is written"),
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

/// Something that the person should know.
pub(crate) fn notice(notice: Notice) -> String {
    match notice {
        Notice::NotStored => "The disk is full or cannot be written. What you sent is stored as \
             soon as there is room; until then, leave Sotto open."
            .to_owned(),
        Notice::PassphraseSet => "The passphrase was changed.".to_owned(),
        Notice::RecoveryCodeSet => "The recovery code was changed.".to_owned(),
        Notice::KeyringSet => "The keyring holds the key from now on.".to_owned(),
        Notice::KeyringRefused => "The keyring of this computer took no key. Nothing was changed. \
             Is it there, and unlocked?"
            .to_owned(),
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

/// A theme's name.
pub(crate) fn theme(theme: Theme) -> &'static str {
    match theme {
        Theme::Dark => "Dark",
        Theme::Light => "Light",
        Theme::Contrast => "High contrast",
    }
}
