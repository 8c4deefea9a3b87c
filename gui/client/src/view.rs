//! What a user interface may see: plain values, no key, no session, no handle to anything.
//!
//! The client publishes a new [`ViewModel`] whenever something visible changes; a frame reads it
//! once. Parts that did not change are shared between snapshots by `Arc`.

use std::fmt;
use std::ops::Range;
use std::path::PathBuf;
use std::str::FromStr;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::assistant::{AssistError, Provider, ProviderKind, TaskKind};
use crate::backup::BackupError;
use crate::query::Query;

/// The longest text of one message, in bytes of UTF-8: some hundred pages.
pub const TEXT_BYTES_MAX: usize = 1024 * 1024;

/// What a snapshot holds of a longer text, in bytes;
/// [`Command::ShowText`](crate::Command::ShowText) asks for the rest.
pub const EXCERPT_BYTES_MAX: usize = 2 * 1024;

/// What a snapshot holds of a message that another one answers, in bytes.
pub const QUOTE_BYTES_MAX: usize = 256;

/// Requests that wait at the same time. Whoever comes later is not heard until there is room: what
/// they wrote stays undelivered on their side, and what they write next may come through.
pub const REQUESTS_MAX: usize = 64;

/// Messages that are held of one request; later ones are dropped, and so are those that are longer
/// than 48 KiB; they stay undelivered. All requests together take 52 MiB at most.
pub const REQUEST_MESSAGES_MAX: usize = 16;

/// Everything on screen, at one moment.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ViewModel {
    /// The identities on this computer, in the order of the rail.
    pub profiles: Vec<Arc<ProfileView>>,
}

impl ViewModel {
    /// The profile with this id.
    pub fn profile(&self, id: &ProfileId) -> Option<&Arc<ProfileView>> {
        self.profiles.iter().find(|profile| profile.id == *id)
    }
}

/// Names a profile: the handle of its identity, for example `alice`.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ProfileId(Arc<str>);

impl ProfileId {
    /// The profile whose identity has this handle.
    pub fn new(handle: &str) -> Self {
        Self(handle.into())
    }

    /// The handle.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for ProfileId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Whether the system's keyring holds the key of a vault, in place of a passphrase.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyringUse {
    /// It does not.
    No,
    /// It is being asked to; that may take as long as a person takes to open it.
    Asked,
    /// It does. A vault that is locked all the same did not get the key.
    Yes,
}

/// One identity and what it sees.
#[derive(Debug, Clone, PartialEq)]
pub struct ProfileView {
    /// Names the profile in commands.
    pub id: ProfileId,
    /// The display name, for example `Alice`.
    pub name: String,
    /// Whether the profile can be used, and if not, why.
    pub state: ProfileState,
    /// The connection to the relay.
    pub relay: RelayState,
    /// Messages not yet read that the person should hear of: in chats that are neither requests nor
    /// muted.
    pub unread: u32,
    /// Whether a passphrase protects the vault.
    pub has_passphrase: bool,
    /// Whether the vault's key lies in the system's keyring.
    pub keyring: KeyringUse,
    /// Whether a recovery code opens the vault.
    pub has_recovery_code: bool,
    /// What peers learn.
    pub privacy: Privacy,
    /// The chats, the most recent first.
    pub chats: Vec<ChatRow>,
    /// The messages of the chat that [`Command::ShowChat`](crate::Command::ShowChat) asked for.
    pub timeline: Option<Arc<Timeline>>,
    /// What [`Command::Search`](crate::Command::Search) has found.
    pub search: Option<Arc<SearchResults>>,
    /// The whole text that [`Command::ShowText`](crate::Command::ShowText) asked for.
    pub text: Option<(MessageKey, Arc<str>)>,
    /// How others recognise this identity, to be handed on by a way that they trust; `None` until
    /// the relay is known.
    pub contact_link: Option<String>,
    /// The contact that was added last, or is being added.
    pub addition: Option<Addition>,
    /// The code that was compared last.
    pub comparison: Option<Comparison>,
    /// The backup or export on its way, or what became of the last one.
    pub job: Option<Job>,
    /// What helps with words, as this identity has set it up, and what it is doing.
    pub assistant: Arc<AssistantView>,
    /// Something went wrong that the person should know; stays until dismissed.
    pub notice: Option<Notice>,
}

/// The assistant of one identity. Keys of providers are nowhere in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AssistantView {
    /// Who answers; `None` until one was chosen.
    pub provider: Option<Provider>,
    /// All that were set up, in use or not.
    pub set_up: Vec<ProviderSetUp>,
    /// Peers are told in their chat when messages of it were given to a cloud.
    pub tells_use: bool,
    /// What [`Command::FindModels`](crate::Command::FindModels) has found, or is looking for.
    pub models: Option<ModelSearch>,
    /// What [`Command::GatherMessages`](crate::Command::GatherMessages) has gathered.
    pub material: Option<Arc<Material>>,
    /// What is being asked of a model, or was last.
    pub help: Option<Help>,
    /// What was given to a cloud lately, the newest first; at most [`USES_MAX`].
    pub uses: Arc<[AssistantUse]>,
}

impl Default for AssistantView {
    fn default() -> Self {
        Self {
            provider: None,
            set_up: Vec::new(),
            tells_use: true,
            models: None,
            material: None,
            help: None,
            uses: Arc::from([]),
        }
    }
}

/// Uses of a cloud in a snapshot; the vault keeps all of them.
pub const USES_MAX: usize = 100;

/// A provider that was set up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProviderSetUp {
    /// Where it is, and which of its models answers.
    pub provider: Provider,
    /// The vault has a key for it.
    pub has_key: bool,
}

/// A look at what models there are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ModelSearch {
    /// Of whom.
    pub kind: ProviderKind,
    /// At this address.
    pub address: String,
    /// Their names; `None` while they are being asked for.
    pub outcome: Option<Result<Vec<String>, AssistError>>,
}

/// Which messages of a chat.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MessageRange {
    /// From this one on.
    From(MessageKey),
    /// Sent since then, in milliseconds since 1970.
    Since(i64),
    /// The newest ones.
    Last(u32),
}

/// Messages that [`Command::GatherMessages`](crate::Command::GatherMessages) gathers at most: the
/// newest of the range.
pub const MATERIAL_MESSAGES_MAX: usize = 500;

/// Texts of a chat, for a summary.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Material {
    /// The chat.
    pub chat: ChatId,
    /// What was asked for.
    pub range: MessageRange,
    /// The texts, oldest first, each cut to [`EXCERPT_BYTES_MAX`].
    pub messages: Vec<Arc<Message>>,
    /// The range has older ones.
    pub is_cut: bool,
}

/// A request to a model, and what came of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Help {
    /// Counts requests, so that an answer is not taken for another one's.
    pub number: u64,
    /// The answer so far, plain text.
    pub text: Arc<str>,
    /// How far it has come.
    pub state: HelpState,
}

/// How far an answer has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HelpState {
    /// More may come at any moment.
    Running,
    /// This is all; `is_cut`: the model stopped before its end.
    Done {
        /// It ended too early.
        is_cut: bool,
    },
    /// There is no more, and what there is may be incomplete.
    Failed(AssistError),
}

/// What left this computer for a cloud.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AssistantUse {
    /// When, in milliseconds since 1970.
    pub at_millis: i64,
    /// To whom.
    pub host: String,
    /// Which model.
    pub model: String,
    /// What for.
    pub task: TaskKind,
    /// Messages in it; 0 for a draft.
    pub messages: u32,
    /// Bytes of the request's body.
    pub bytes: u64,
}

/// What peers learn of a person. Who tells nothing is told nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Privacy {
    /// That a message was read.
    pub read_receipts: bool,
    /// That something is being written.
    pub typing: bool,
}

impl Default for Privacy {
    /// Peers learn both.
    fn default() -> Self {
        Self {
            read_receipts: true,
            typing: true,
        }
    }
}

/// Whether a profile can be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ProfileState {
    /// Not opened in this process; [`Command::Open`](crate::Command::Open) opens it.
    Closed,
    /// The vault is being opened.
    Opening,
    /// A new identity is being made.
    Creating(CreationStep),
    /// A passphrase or the recovery code is needed.
    Locked {
        /// The last try was wrong.
        wrong: bool,
        /// A try is being checked (this takes about a second by design).
        checking: bool,
    },
    /// Another process has this profile open.
    OpenElsewhere,
    /// The vault could not be opened; nothing was changed.
    Failed(ProfileProblem),
    /// In use.
    Ready,
}

/// How far the making of a new identity has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CreationStep {
    /// Generating the RSA key, the longest part.
    Keys,
    /// Generating prekeys.
    Prekeys,
    /// Writing the vault.
    Vault,
}

impl CreationStep {
    /// The part of the work that is behind, from 0 to 1.
    pub fn progress(self) -> f32 {
        match self {
            Self::Keys => 0.15,
            Self::Prekeys => 0.7,
            Self::Vault => 0.9,
        }
    }
}

/// Why a profile cannot be opened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ProfileProblem {
    /// The folder or a file in it cannot be read or written.
    Unreadable,
    /// The vault was written by a newer version of Sotto.
    Newer,
    /// The vault is damaged.
    Damaged,
    /// The key that belongs beside the vault is missing.
    KeyMissing,
    /// There is no room on the disk.
    DiskFull,
}

/// The connection to the relay.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RelayState {
    /// Not connected; a new try follows by itself.
    Offline(Option<RelayProblem>),
    /// A try is under way.
    Connecting,
    /// Connected and logged in.
    Connected,
}

/// Why there is no connection to the relay.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RelayProblem {
    /// Nothing answers at the relay's address.
    Unreachable,
    /// What answers does not hold the relay's pinned key.
    WrongPin,
    /// What answers has no certificate for the relay's host name that this computer trusts.
    Untrusted,
    /// The relay speaks another version of the protocol.
    Version,
    /// The relay refused the login.
    Refused,
    /// The handle belongs to another identity on this relay.
    HandleTaken,
}

/// Names a chat within a profile.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct ChatId(pub i64);

/// Orders the messages of a profile as they were stored; later is larger.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct MessageKey(pub i64);

/// Names a message among those that one author wrote in one chat: 128 random bits, written as 32
/// hex digits.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct MessageId(pub [u8; 16]);

impl fmt::Display for MessageId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", u128::from_be_bytes(self.0))
    }
}

impl fmt::Debug for MessageId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [a, b, c, ..] = self.0;
        write!(f, "{a:02x}{b:02x}{c:02x}…")
    }
}

/// A text is no message id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a message id has 32 hex digits")]
pub struct MessageIdError;

impl FromStr for MessageId {
    type Err = MessageIdError;

    fn from_str(text: &str) -> Result<Self, MessageIdError> {
        let is_plain = |byte: u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
        if text.len() != 32 || !text.bytes().all(is_plain) {
            return Err(MessageIdError);
        }
        let number = u128::from_str_radix(text, 16).map_err(|_| MessageIdError)?;
        Ok(Self(number.to_be_bytes()))
    }
}

/// A row in the list of chats.
#[derive(Debug, Clone, PartialEq)]
pub struct ChatRow {
    /// Names the chat in commands.
    pub id: ChatId,
    /// The peer's handle.
    pub handle: String,
    /// The peer's display name.
    pub name: String,
    /// Whether the peer is there.
    pub presence: Presence,
    /// Whether the peer's identity was compared.
    pub trust: Trust,
    /// The safety number shared with the peer, once its identity is known.
    pub safety_number: Option<String>,
    /// What the peer may scan to compare: as [`ChatRow::safety_number`], with who shows it.
    pub verification_code: Option<String>,
    /// The newest message.
    pub last: Option<Arc<Message>>,
    /// Messages not yet read.
    pub unread: u32,
    /// The peer is writing.
    pub is_typing: bool,
    /// What was typed and not yet sent.
    pub draft: String,
    /// What the peer is to this identity.
    pub standing: Standing,
    /// Nothing that the peer sends is shown or stored.
    pub is_blocked: bool,
    /// Unread messages make no noise.
    pub mute: Option<Mute>,
    /// What the chat allows an assistant.
    pub assistant: AssistantRules,
}

impl ChatRow {
    /// Whether the chat waits to be accepted or refused. It stays apart from the others.
    pub fn is_request(&self) -> bool {
        self.standing == Standing::Request && !self.is_blocked
    }

    /// Whether the chat was refused: it is listed among the blocked ones only.
    pub fn is_refused(&self) -> bool {
        self.standing == Standing::Request && self.is_blocked
    }

    /// Unread messages that the person should hear of.
    pub fn calls(&self) -> u32 {
        if self.standing == Standing::Request || self.is_blocked || self.mute.is_some() {
            0
        } else {
            self.unread
        }
    }
}

/// What a peer is to an identity.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// Somebody with whom the identity wants to be in touch: the people it was made with, whom it
    /// has written to, accepted or added.
    Contact,
    /// A name of the relay's directory. Once they write, it is a request.
    Known,
    /// A stranger who has written. They learn nothing until they are accepted: neither receipts nor
    /// presence. [`ChatRow::unread`] counts what is held, at most [`REQUEST_MESSAGES_MAX`].
    Request,
}

/// How long a chat is muted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mute {
    /// Until then, in milliseconds since 1970 (UTC).
    Until(i64),
    /// Until it is unmuted.
    Always,
}

impl Mute {
    /// From its stored form.
    pub(crate) fn from_millis(until: i64) -> Self {
        match until {
            i64::MAX => Self::Always,
            until => Self::Until(until),
        }
    }
}

impl ChatRow {
    /// Names the chat in a text: the peer's handle, or (no handle looks like that) `chat:7` while
    /// the directory has not named the peer.
    pub fn peer(&self) -> String {
        peer_name(&self.handle, self.id)
    }
}

/// See [`ChatRow::peer`].
pub(crate) fn peer_name(handle: &str, id: ChatId) -> String {
    match handle {
        "" => format!("chat:{}", id.0),
        handle => handle.to_owned(),
    }
}

/// Whether a peer is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Presence {
    /// Never seen on this relay: messages wait until the peer joins.
    NotJoined,
    /// Has joined, is not connected now (or the relay cannot be asked).
    Away,
    /// Connected to the relay.
    Online,
}

/// What is known of a peer's identity.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trust {
    /// As first seen; nobody has compared safety numbers.
    Unverified,
    /// A link named this identity, and nobody has compared: as good as the way by which the link
    /// came.
    Introduced,
    /// Safety numbers were compared and match.
    Verified,
    /// The identity behind the handle is another one than before; sending waits until the person
    /// accepts it.
    Changed,
}

/// A contact that is added by [`Command::AddContact`](crate::Command::AddContact).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Addition {
    /// What the command said.
    pub who: String,
    /// How far it has come.
    pub state: AdditionState,
}

/// How far the addition of a contact has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AdditionState {
    /// The relay is asked.
    LookingUp,
    /// The chat with the contact.
    Added(ChatId),
    /// Nothing was added.
    Failed(AdditionProblem),
}

/// Why a contact was not added.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum AdditionProblem {
    /// Neither a handle nor a whole link.
    Malformed,
    /// The link, or the identity, is of a newer version.
    Newer,
    /// The link is for another relay.
    OtherRelay,
    /// There is no connection to the relay.
    Offline,
    /// Nobody at the relay has this handle.
    Unknown,
    /// The handle is reserved, and its owner has not joined.
    NotJoined,
    /// The relay names another identity than the link.
    WrongIdentity,
    /// Another identity is known under this handle: that change has to be accepted first.
    Changed,
    /// It is this identity itself.
    Oneself,
    /// The identity is blocked.
    Blocked,
    /// There are too many chats.
    TooMany,
    /// The relay does not answer now.
    Later,
}

/// What came of [`Command::CompareCode`](crate::Command::CompareCode).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Comparison {
    /// The chat.
    pub chat: ChatId,
    /// What was compared.
    pub code: String,
    /// How it went.
    pub outcome: Outcome,
}

/// How a comparison went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// Both see each other: the peer is verified now.
    Match,
    /// Somebody may sit in between: the peer is not verified any more.
    Mismatch,
    /// The code belongs to another contact. Nothing was changed.
    WrongPerson,
    /// The code is the one that is shown here. Nothing was changed.
    OwnCode,
    /// A newer version wrote it. Nothing was changed.
    Newer,
    /// It is no code. Nothing was changed.
    NoCode,
    /// The peer has not joined yet.
    NoIdentity,
}

/// A window of a chat's messages.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Timeline {
    /// The chat.
    pub chat: ChatId,
    /// Oldest first, without gaps.
    pub messages: Vec<Arc<Message>>,
    /// Older messages lie before the window.
    pub has_older: bool,
    /// Newer messages lie after the window.
    pub has_newer: bool,
    /// The first message that was unread when the chat was opened.
    pub first_unread: Option<MessageKey>,
}

/// One message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// Names and orders the message.
    pub key: MessageKey,
    /// Whether this identity wrote it.
    pub is_mine: bool,
    /// What it holds.
    pub body: Body,
    /// The text goes on: this is its beginning.
    pub is_cut: bool,
    /// What it answers.
    pub quote: Option<Quote>,
    /// When its author sent it, in milliseconds since 1970 (UTC), by the author's clock.
    pub sent_at_millis: i64,
    /// How far it has come (for one's own).
    pub delivery: Delivery,
}

/// A message that another one answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Quote {
    /// Whether this identity wrote it.
    pub is_mine: bool,
    /// The message.
    pub id: MessageId,
    /// Where it stands, and the beginning of its text, at most [`QUOTE_BYTES_MAX`]; `None` when it
    /// is not (or no longer) here.
    pub original: Option<(MessageKey, String)>,
}

/// What a chat allows an assistant.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct AssistantRules {
    /// This identity lets no text of the chat go to a cloud; the peer is told.
    pub forbids_cloud: bool,
    /// Nor does the peer.
    pub peer_forbids_cloud: bool,
    /// Texts may go to a model on this computer without being shown first.
    pub trusts_here: bool,
}

impl AssistantRules {
    /// Whether what the person chooses may go to a cloud. Clients keep to it by themselves: nothing
    /// holds one that does not.
    pub fn allows_cloud(self) -> bool {
        !self.forbids_cloud && !self.peer_forbids_cloud
    }

    /// The stricter of both.
    pub(crate) fn or(self, other: Self) -> Self {
        Self {
            forbids_cloud: self.forbids_cloud || other.forbids_cloud,
            peer_forbids_cloud: self.peer_forbids_cloud || other.peer_forbids_cloud,
            trusts_here: self.trusts_here && other.trusts_here,
        }
    }
}

/// What a message tells that is no text: what was done with the chat, or is not to be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "kind", rename_all = "lowercase")]
pub enum Note {
    /// Its author has given messages of the chat to a model in a cloud.
    Assisted {
        /// What for.
        task: NoteTask,
        /// How many.
        messages: u32,
        /// Whose model, as its author's client calls it; at most 64 bytes.
        provider: String,
    },
    /// Whether its author forbids that from now on.
    Cloud {
        /// It is forbidden.
        #[serde(rename = "forbidden")]
        is_forbidden: bool,
    },
}

impl fmt::Display for Note {
    /// What its author did.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Assisted {
                task,
                messages,
                provider,
            } => {
                let did = match task {
                    NoteTask::Summary => "summarised",
                    NoteTask::Translation => "translated",
                };
                let plural = if *messages == 1 { "" } else { "s" };
                write!(f, "{did} {messages} message{plural} with {provider}")
            }
            Self::Cloud { is_forbidden: true } => {
                f.write_str("turned off cloud assistants for this chat")
            }
            Self::Cloud {
                is_forbidden: false,
            } => f.write_str("allowed cloud assistants in this chat again"),
        }
    }
}

/// What a model was given messages for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum NoteTask {
    /// To tell in short what they say.
    Summary,
    /// To say the same in another language.
    Translation,
}

/// What a message holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Body {
    /// Text.
    Text(String),
    /// Something that was done with the chat.
    Note(Note),
    /// Something that this version does not know; its bytes are kept in the vault.
    Unknown,
}

/// How far an own message has come. Never goes back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Delivery {
    /// In the outbox.
    Sending,
    /// Durably at the relay.
    Relay,
    /// Stored by the peer.
    Delivered,
    /// Seen by the peer.
    Read,
    /// The relay refused it; can be sent again.
    Failed,
}

/// The most hits of one search; whoever wants older ones looks for them by their day.
pub const SEARCH_HITS_MAX: usize = 1_000;

/// What a search has found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SearchResults {
    /// What was looked for.
    pub query: Query,
    /// The messages, the newest first.
    pub hits: Vec<SearchHit>,
    /// How far it has come.
    pub state: SearchState,
}

/// How far a search has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SearchState {
    /// More hits may come at any moment.
    Running,
    /// There may be older ones: [`Command::SearchOlder`](crate::Command::SearchOlder).
    Paused,
    /// These are all, or [`SEARCH_HITS_MAX`] of them.
    Complete,
}

/// A message that was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SearchHit {
    /// Its chat.
    pub chat: ChatId,
    /// The message.
    pub message: Arc<Message>,
    /// Where in its text (of a long one a stretch around the first of them) the words are, in bytes; in order, without overlaps, at the borders of
    /// characters. Empty when only people, chats or days were looked for.
    pub matches: Vec<Range<usize>>,
}

/// A backup or an export.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Job {
    /// Which of them.
    pub kind: JobKind,
    /// The file.
    pub to: PathBuf,
    /// How far it has come.
    pub state: JobState,
}

/// What is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum JobKind {
    /// A backup of the identity.
    Backup,
    /// One chat, in the clear.
    Export,
}

/// How far a backup or an export has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum JobState {
    /// So much of so much is copied; a backup that has all of it is still to be verified.
    Running {
        /// Done.
        done: u64,
        /// Of this.
        total: u64,
    },
    /// The file is there, durable and whole.
    Done {
        /// Its size, in bytes.
        bytes: u64,
    },
    /// There is none, or still the one of before.
    Failed(BackupError),
}

/// How a chat is written for other programs and for paper.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ExportFormat {
    /// A line for each message, with its time and author; further lines of a message are set in.
    Text,
    /// One object, whose messages have the fields of JSON-RPC.
    Json,
    /// A page that needs nothing else and runs nothing.
    Html,
}

/// Something that the person should know.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Notice {
    /// The disk is full or not writable: nothing new is accepted until there is room.
    NotStored,
    /// The passphrase was set, changed or removed.
    PassphraseSet,
    /// The current passphrase (or recovery code) given for a change was wrong; nothing was changed.
    PassphraseWrong,
    /// The recovery code was set, changed or removed.
    RecoveryCodeSet,
    /// The system's keyring holds the key from now on.
    KeyringSet,
    /// The system's keyring took no key; nothing was changed.
    KeyringRefused,
    /// The vault was put back to an older copy, or is used in two places. Sessions were made anew;
    /// what came in between is missing here. Stays until dismissed, also after a restart.
    SetBack,
    /// Messages came that could not be opened.
    Unopened {
        /// How many, since the profile was opened.
        messages: u32,
    },
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_id_has_one_spelling() {
        let mut bytes = [0; 16];
        bytes[0] = 0x0a;
        bytes[15] = 0xf1;
        let id = MessageId(bytes);
        assert_eq!(id.to_string(), "0a0000000000000000000000000000f1");
        assert_eq!(id.to_string().parse(), Ok(id));
        for bad in [
            "",
            "0A0000000000000000000000000000F1",
            "+a0000000000000000000000000000f1",
            "0a",
        ] {
            assert_eq!(bad.parse::<MessageId>(), Err(MessageIdError), "{bad}");
        }
    }
}
