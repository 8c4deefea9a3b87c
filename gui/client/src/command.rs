//! What a user interface may ask of the client.

use std::path::PathBuf;
use std::time::Duration;

use jiff::tz::TimeZone;
use sotto_crypto::RecoveryCode;
use zeroize::Zeroizing;

use crate::assistant::{Approved, Provider};
use crate::query::Query;
use crate::view::{ChatId, ExportFormat, MessageKey, MessageRange, Privacy};

/// What somebody typed to protect a vault; wiped from memory when it is dropped.
pub type Passphrase = Zeroizing<String>;

/// A wish of the person behind one profile; each is answered by later snapshots.
#[derive(Clone, PartialEq, Eq)]
pub enum Command {
    /// Open a closed profile, or try again after a failure.
    Open,
    /// Open the vault of a locked profile with its passphrase or recovery code.
    Unlock(Passphrase),
    /// Close the vault and wipe its keys from memory; only if it takes a person to open it again.
    Lock,
    /// Do so whenever no command but [`Command::MarkRead`] has come for this long (`None`: never);
    /// until the profile is closed.
    LockAfter(Option<Duration>),
    /// Let this code open the vault too, or (without one) none any more.
    SetRecoveryCode {
        /// The passphrase or recovery code so far; empty when there is none.
        current: Passphrase,
        /// The code, which the person has written down.
        new: Option<RecoveryCode>,
    },
    /// Set, change or (with an empty `new`) remove the passphrase.
    SetPassphrase {
        /// The passphrase so far, or the recovery code; empty when there is none.
        current: Passphrase,
        /// The passphrase from now on; empty for none.
        new: Passphrase,
    },
    /// Let the system's keyring hold the vault's key, in place of a passphrase or a file beside the
    /// vault: it opens for whoever is logged in. [`Command::SetPassphrase`] undoes it.
    UseKeyring {
        /// The passphrase so far, or the recovery code; empty when there is none.
        current: Passphrase,
    },
    /// Show a chat: its timeline follows in the snapshot.
    ShowChat {
        /// The chat.
        chat: ChatId,
        /// The message around which to load, or the newest ones.
        around: Option<MessageKey>,
    },
    /// Send a text of at most [`TEXT_BYTES_MAX`](crate::view::TEXT_BYTES_MAX) bytes; clears the
    /// draft.
    SendText {
        /// The chat.
        chat: ChatId,
        /// The text.
        text: String,
        /// The message of the chat that it answers.
        answers: Option<MessageKey>,
    },
    /// Something is being written in this chat. May be said with every key: the peer is told now
    /// and then.
    Type(ChatId),
    /// What peers learn from now on.
    SetPrivacy(Privacy),
    /// Put the whole text of a message into the snapshot, in place of another one; `None` takes it
    /// away.
    ShowText(Option<MessageKey>),
    /// Keep what was typed so far.
    SaveDraft {
        /// The chat.
        chat: ChatId,
        /// The text so far.
        text: String,
    },
    /// All messages up to this one have been seen.
    MarkRead {
        /// The chat.
        chat: ChatId,
        /// The newest message seen.
        up_to: MessageKey,
    },
    /// Send a failed message again.
    Retry(MessageKey),
    /// Add somebody to the contacts; [`ProfileView::addition`](crate::view::ProfileView::addition)
    /// tells how it goes.
    AddContact {
        /// A handle, or a link as in
        /// [`ProfileView::contact_link`](crate::view::ProfileView::contact_link).
        who: String,
    },
    /// Compare what the peer shows, a code or the digits of the safety number;
    /// [`ProfileView::comparison`](crate::view::ProfileView::comparison) tells how it went.
    CompareCode {
        /// The chat.
        chat: ChatId,
        /// What the peer shows.
        code: String,
    },
    /// Remember whether safety numbers were compared and match. A match accepts a changed identity.
    SetVerified {
        /// The chat.
        chat: ChatId,
        /// The number that was compared; nothing happens when it has changed since.
        safety_number: String,
        /// They match.
        matches: bool,
    },
    /// Write back to somebody who has written unasked, and tell them from now on what contacts are
    /// told; writing to them does the same.
    AcceptRequest(ChatId),
    /// Delete what somebody has written unasked, and block them.
    RefuseRequest(ChatId),
    /// Neither show nor store what the peer sends, nor send anything to it.
    Block(ChatId),
    /// Undo [`Command::Block`] and [`Command::RefuseRequest`].
    Unblock(ChatId),
    /// Let unread messages of a chat make no noise.
    Mute {
        /// The chat.
        chat: ChatId,
        /// For how long; `None` until it is unmuted.
        span: Option<Duration>,
    },
    /// Undo [`Command::Mute`].
    Unmute(ChatId),
    /// Go on with a peer's changed identity.
    AcceptIdentity {
        /// The chat.
        chat: ChatId,
        /// The changed safety number that was seen; nothing happens when it has changed again.
        safety_number: String,
    },
    /// Write a backup of the identity, which [`restore`](crate::restore) brings back. How far it has
    /// come follows in the snapshot. One at a time: while it or an export is on its way, a further
    /// one is not begun. Closing or locking the profile stops it.
    BackUp {
        /// The file.
        to: PathBuf,
        /// Whether a file of this name goes.
        replaces: bool,
        /// What opens it; empty if only the code does.
        passphrase: Passphrase,
        /// What opens it too.
        code: Option<RecoveryCode>,
    },
    /// Write a chat for other programs and for paper, **not encrypted**: whoever offers this says so.
    /// How far it has come follows in the snapshot.
    Export {
        /// The chat.
        chat: ChatId,
        /// How.
        format: ExportFormat,
        /// For the times in it that people read.
        zone: TimeZone,
        /// The file.
        to: PathBuf,
        /// Whether a file of this name goes.
        replaces: bool,
    },
    /// Stop the backup or export, or put away what became of it.
    EndJob,
    /// Let this provider answer from now on, or (`None`) nobody.
    UseProvider(Option<Provider>),
    /// Keep the key by which a provider knows the person, or (when it is empty) forget it.
    SetProviderKey {
        /// Whose; its model does not matter.
        provider: Provider,
        /// The key.
        key: Passphrase,
    },
    /// Whether peers are told when messages of their chat were given to a cloud.
    TellUse(bool),
    /// Ask a provider which models it has; nothing else is sent than its key, if there is one.
    FindModels(Provider),
    /// Put texts of a chat into the snapshot, in place of others; `None` takes them away.
    GatherMessages(Option<(ChatId, MessageRange)>),
    /// Ask a model, in place of what was asked before. What goes to a cloud is noted before it does.
    Assist {
        /// Exactly what is sent.
        approved: Approved,
        /// The chat whose texts it holds, if any.
        chat: Option<ChatId>,
    },
    /// Stop asking, or put away what came of it.
    EndAssist,
    /// Let nothing of this chat go to a cloud, or (false) what the person chooses. The peer is told,
    /// and its client keeps to it.
    ForbidCloud {
        /// The chat.
        chat: ChatId,
        /// It is forbidden.
        is_forbidden: bool,
    },
    /// Texts of this chat may go to a model on this computer without being shown first.
    TrustHere {
        /// The chat.
        chat: ChatId,
        /// They may.
        is_trusted: bool,
    },
    /// Look for messages in all chats, in place of what was looked for before; what is found
    /// follows in the snapshot.
    Search(Query),
    /// Look for older messages too.
    SearchOlder,
    /// What was found is no longer needed.
    EndSearch,
    /// The notice was read.
    DismissNotice,
    /// Be shown to others under this name, of at most 64 bytes.
    Rename(String),
}

impl std::fmt::Debug for Command {
    /// Names the command and nothing that it carries: texts and passphrases stay out of logs.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Open => "Open",
            Self::Unlock(_) => "Unlock",
            Self::Lock => "Lock",
            Self::LockAfter(_) => "LockAfter",
            Self::SetRecoveryCode { current: _, new: _ } => "SetRecoveryCode",
            Self::SetPassphrase { current: _, new: _ } => "SetPassphrase",
            Self::UseKeyring { current: _ } => "UseKeyring",
            Self::ShowChat { chat: _, around: _ } => "ShowChat",
            Self::SendText {
                chat: _,
                text: _,
                answers: _,
            } => "SendText",
            Self::Type(_) => "Type",
            Self::SetPrivacy(_) => "SetPrivacy",
            Self::ShowText(_) => "ShowText",
            Self::SaveDraft { chat: _, text: _ } => "SaveDraft",
            Self::MarkRead { chat: _, up_to: _ } => "MarkRead",
            Self::Retry(_) => "Retry",
            Self::AddContact { who: _ } => "AddContact",
            Self::CompareCode { chat: _, code: _ } => "CompareCode",
            Self::SetVerified {
                chat: _,
                safety_number: _,
                matches: _,
            } => "SetVerified",
            Self::AcceptRequest(_) => "AcceptRequest",
            Self::RefuseRequest(_) => "RefuseRequest",
            Self::Block(_) => "Block",
            Self::Unblock(_) => "Unblock",
            Self::Mute { chat: _, span: _ } => "Mute",
            Self::Unmute(_) => "Unmute",
            Self::AcceptIdentity {
                chat: _,
                safety_number: _,
            } => "AcceptIdentity",
            Self::BackUp {
                to: _,
                replaces: _,
                passphrase: _,
                code: _,
            } => "BackUp",
            Self::Export {
                chat: _,
                format: _,
                zone: _,
                to: _,
                replaces: _,
            } => "Export",
            Self::EndJob => "EndJob",
            Self::UseProvider(_) => "UseProvider",
            Self::SetProviderKey {
                provider: _,
                key: _,
            } => "SetProviderKey",
            Self::TellUse(_) => "TellUse",
            Self::FindModels(_) => "FindModels",
            Self::GatherMessages(_) => "GatherMessages",
            Self::Assist {
                approved: _,
                chat: _,
            } => "Assist",
            Self::EndAssist => "EndAssist",
            Self::ForbidCloud {
                chat: _,
                is_forbidden: _,
            } => "ForbidCloud",
            Self::TrustHere {
                chat: _,
                is_trusted: _,
            } => "TrustHere",
            Self::Search(_) => "Search",
            Self::SearchOlder => "SearchOlder",
            Self::EndSearch => "EndSearch",
            Self::DismissNotice => "DismissNotice",
            Self::Rename(_) => "Rename",
        })
    }
}
