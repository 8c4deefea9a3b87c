//! What can be asked of an open profile beside its snapshots, each question with the way back.

use thiserror::Error;
use tokio::sync::oneshot;

use crate::command::Command;
use crate::query::Query;
use crate::view::{ChatId, ChatRow, Message, MessageId, MessageKey};

/// Messages in one answer. Further ones are a further question.
pub const ENTRIES_MAX: usize = 500;

/// Why there is no answer. Nothing was changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum AskError {
    /// There is no such profile in this client.
    #[error("there is no such identity")]
    NoProfile,
    /// The profile is not open; its state in the snapshot says why.
    #[error("the identity is not open")]
    NotOpen,
    /// Nobody is known by this name.
    #[error("there is no such contact")]
    NoPeer,
    /// There is no such message.
    #[error("there is no such message")]
    NoMessage,
    /// A text or name is empty, too long or of characters that it may not have.
    #[error("the text is empty or too long")]
    Text,
    /// What is wished does not fit how things stand, such as a verification without an identity.
    #[error("it cannot be done as things stand")]
    Unfit,
    /// The disk is full or not writable.
    #[error("the disk takes nothing")]
    NotStored,
    /// The profile or the program ends.
    #[error("the identity was closed")]
    Ended,
}

/// A message of a chat, as scripts see it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Names the message among those of its author in this chat.
    pub id: MessageId,
    /// Names the chat: see [`ChatRow::peer`].
    pub peer: String,
    /// The chat, in commands.
    pub chat: ChatId,
    /// The message.
    pub message: Message,
}

/// What a stretch of a search has found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// The messages, newest first.
    pub entries: Vec<Entry>,
    /// Where to go on; `None` when everything was looked at.
    pub next: Option<MessageKey>,
}

/// A message of one's own that is durable here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sent {
    /// Names it in events.
    pub id: MessageId,
    /// Orders it among the messages of the profile.
    pub key: MessageKey,
}

/// The way back for an answer.
pub(crate) type Reply<T> = oneshot::Sender<Result<T, AskError>>;

/// A question, with the way back for its answer. Who no longer waits for it has taken it back.
pub(crate) enum Question {
    /// Do this, and say when it is durable.
    Perform { command: Command, reply: Reply<()> },
    /// Send a text, and say when it is durable here.
    Send {
        to: String,
        text: String,
        reply: Reply<Sent>,
    },
    /// Whether somebody has this name; the relay is asked about those who are not known here, as
    /// soon as it can be.
    Find { peer: String, reply: Reply<()> },
    /// Answered when everything that waited at the relay is here, and nothing that was asked of it
    /// or sent to it waits for its answer.
    CatchUp { reply: Reply<()> },
    /// All chats, the most recent first.
    Contacts { reply: Reply<Vec<ChatRow>> },
    /// A chat's messages before this one, or the newest ones; oldest first.
    History {
        peer: String,
        before: Option<MessageId>,
        limit: usize,
        reply: Reply<Vec<Entry>>,
    },
    /// Messages after this one not yet read, of all chats but requests, oldest first.
    Unread {
        after: MessageKey,
        limit: usize,
        reply: Reply<Vec<Entry>>,
    },
    /// A stretch of a search, older than this message, newest first.
    Search {
        query: Query,
        before: Option<MessageKey>,
        limit: usize,
        reply: Reply<Found>,
    },
    /// One message.
    Message {
        key: MessageKey,
        reply: Reply<Entry>,
    },
}

impl Question {
    /// Answers with an error, whatever was asked.
    pub(crate) fn refuse(self, error: AskError) {
        match self {
            Self::Perform { reply, .. } | Self::Find { reply, .. } | Self::CatchUp { reply } => {
                answer(reply, Err(error));
            }
            Self::Send { reply, .. } => answer(reply, Err(error)),
            Self::Contacts { reply } => answer(reply, Err(error)),
            Self::History { reply, .. } | Self::Unread { reply, .. } => answer(reply, Err(error)),
            Self::Message { reply, .. } => answer(reply, Err(error)),
            Self::Search { reply, .. } => answer(reply, Err(error)),
        }
    }
}

/// Gives an answer to whoever still waits for it.
pub(crate) fn answer<T>(reply: Reply<T>, answer: Result<T, AskError>) {
    // Nobody waits any more: the answer is not needed.
    drop(reply.send(answer));
}

/// What comes in through a profile's channel.
pub(crate) enum Request {
    /// A wish that nobody waits for.
    Wish(Command),
    /// Something that somebody waits for.
    Question(Question),
}
