//! Help with words by a model: on this computer, or in a cloud that the person has agreed to.
//!
//! ```text
//!  Task ── prepare ──► Outgoing ── a person saw it ──► Approved ── run ──► Answer
//!                      (each byte that will leave)      (nothing else can be sent)
//! ```
//!
//! - [`Provider`] is who answers, at an address that no model's name can change,
//! - `prompt` puts a [`Task`] into words, `text` cleans what others wrote and hides names,
//! - `wire` speaks as each kind of provider does, behind one trait; `http` alone knows HTTP,
//! - [`key_sentences`] is a summary that no model makes.
//!
//! What others have written is data to a model, never an instruction, and a model is given nothing
//! that it could do.

mod http;
mod offline;
mod prompt;
mod provider;
mod text;
mod wire;

#[cfg(test)]
mod tests;

use std::fmt;
use std::time::Duration;

use bytes::Bytes;
use thiserror::Error;

pub use self::offline::key_sentences;
use self::prompt::Prompt;
pub use self::provider::{Provider, ProviderKind};
use self::text::Labels;

/// The longest body of a request, in bytes.
pub const REQUEST_BYTES_MAX: usize = 256 * 1024;
/// The longest answer that is read, in bytes of UTF-8.
pub const ANSWER_BYTES_MAX: usize = 64 * 1024;

/// What a model is to do. It is given nothing else.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Task {
    /// Say the same in other words.
    Rephrase {
        /// What the person has written.
        draft: String,
        /// In which.
        tone: Tone,
    },
    /// Tell in short what was said.
    Summarize {
        /// By whom and what, the oldest first.
        lines: Vec<Line>,
        /// Whether names go with it.
        names: Names,
    },
    /// Say the same in another language.
    Translate {
        /// The text.
        text: String,
        /// The language, in the person's words.
        language: String,
    },
}

/// What a model is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TaskKind {
    /// [`Task::Rephrase`].
    Rephrase,
    /// [`Task::Summarize`].
    Summarize,
    /// [`Task::Translate`].
    Translate,
}

/// How a text is to sound.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Tone {
    /// Easier to understand.
    Clearer,
    /// In fewer words.
    Shorter,
    /// Warmer.
    Friendlier,
    /// More polite.
    MoreFormal,
    /// As the person says.
    Own(String),
}

/// A message of a conversation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// The name of its author.
    pub author: String,
    /// Its text.
    pub text: String,
}

/// Whether a model learns names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Names {
    /// "Person A" stands for each; the answer gets the names back here.
    Replaced,
    /// It does.
    Kept,
}

/// Why there is no answer. Texts and keys are in none of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum AssistError {
    /// There is nothing to ask about.
    #[error("there is nothing to ask about")]
    Empty,
    /// The request would be longer than [`REQUEST_BYTES_MAX`], or than the provider takes.
    #[error("the request is too long")]
    TooLong,
    /// The address is none, or not on this computer where it has to be.
    #[error("the address cannot be used")]
    Address,
    /// No model was named.
    #[error("no model was named")]
    NoModel,
    /// One side of the chat lets nothing of it go to a cloud.
    #[error("the chat lets nothing go to a cloud")]
    Forbidden,
    /// The request could not be noted first.
    #[error("the disk takes nothing")]
    NotStored,
    /// Nothing answers at the address.
    #[error("nothing answers at the address")]
    Unreachable,
    /// The provider asks for a key.
    #[error("the provider asks for a key")]
    KeyMissing,
    /// The provider does not take the key.
    #[error("the provider does not take the key")]
    KeyRefused,
    /// The provider has no such model.
    #[error("the provider has no such model")]
    ModelUnknown,
    /// The key is good for no more requests now.
    #[error("the provider takes no more requests for now")]
    Quota {
        /// When it may be again, as the provider says.
        retry_after: Option<Duration>,
    },
    /// The provider cannot answer now.
    #[error("the provider is busy")]
    Busy {
        /// When it may be able to, as the provider says.
        retry_after: Option<Duration>,
    },
    /// The model, or what guards it, would not answer that.
    #[error("the model declined to answer")]
    Declined,
    /// There is an answer, and nothing in it.
    #[error("the provider returned no answer")]
    NoAnswer,
    /// The connection ended before the answer did.
    #[error("the connection broke before the end of the answer")]
    Cut,
    /// Nothing came for too long.
    #[error("the model was silent for too long")]
    Silent,
    /// The answer is longer than [`ANSWER_BYTES_MAX`], or has no end.
    #[error("the answer is too long")]
    ReplyTooLong,
    /// What answers sends the request elsewhere, where it does not go.
    #[error("what answers sends the request elsewhere")]
    Redirected,
    /// What answers is no model.
    #[error("what answers is no model")]
    NotUnderstood,
    /// The provider does not understand the request.
    #[error("the provider does not understand the request")]
    Rejected,
    /// Something else.
    #[error("the provider failed")]
    Failed,
}

/// A request as it would be sent.
#[derive(Clone, PartialEq, Eq)]
pub struct Outgoing {
    provider: Provider,
    task: TaskKind,
    messages: u32,
    prompt: Prompt,
    /// Below the provider's address.
    path: String,
    body: Bytes,
}

/// Puts a task into words for a provider.
///
/// # Errors
/// [`AssistError::Empty`], [`AssistError::NoModel`] or [`AssistError::TooLong`].
pub fn prepare(provider: &Provider, task: &Task) -> Result<Outgoing, AssistError> {
    if provider.model().is_empty() {
        return Err(AssistError::NoModel);
    }
    let prompt = prompt::of(task)?;
    let (path, body) = provider
        .kind()
        .assistant()
        .request(provider.model(), &prompt);
    if body.len() > REQUEST_BYTES_MAX {
        return Err(AssistError::TooLong);
    }
    let (task, messages) = match task {
        Task::Rephrase { .. } => (TaskKind::Rephrase, 0),
        Task::Summarize { lines, .. } => (TaskKind::Summarize, lines.len()),
        Task::Translate { .. } => (TaskKind::Translate, 1),
    };
    Ok(Outgoing {
        provider: provider.clone(),
        task,
        messages: u32::try_from(messages).unwrap_or(u32::MAX),
        prompt,
        path,
        body: body.into(),
    })
}

impl Outgoing {
    /// Who would get it.
    pub fn provider(&self) -> &Provider {
        &self.provider
    }

    /// What it asks for.
    pub fn task(&self) -> TaskKind {
        self.task
    }

    /// Messages in it; a draft is none.
    pub fn messages(&self) -> u32 {
        self.messages
    }

    /// Whether it would stay on this computer.
    pub fn is_here(&self) -> bool {
        self.provider.is_here()
    }

    /// The host that would get it, with its port if that is not the usual one.
    pub fn host(&self) -> &str {
        self.provider.host()
    }

    /// What the model is told to do.
    pub fn instruction(&self) -> &str {
        &self.prompt.instruction
    }

    /// With what.
    pub fn content(&self) -> &str {
        &self.prompt.content
    }

    /// Method and address.
    pub fn request_line(&self) -> String {
        format!("POST {}{}", self.provider.address(), self.path)
    }

    /// The headers, one a line. A key is named and not shown.
    pub fn headers(&self) -> String {
        let (host, length) = (self.host(), self.body.len());
        let key = self.provider.kind().assistant().key_header();
        format!(
            "host: {host}\ncontent-type: application/json\naccept: */*\n\
             content-length: {length}\n{key}: (the key, if there is one)"
        )
    }

    /// The body, to the last byte.
    pub fn body(&self) -> &str {
        // It was made from text.
        std::str::from_utf8(&self.body).unwrap_or_default()
    }

    /// A person has seen the request and agrees that this host gets it.
    ///
    /// # Errors
    /// Gives it back when another host would.
    pub fn approved_for(self, host: &str) -> Result<Approved, Box<Self>> {
        if self.host() == host {
            Ok(Approved(Box::new(self)))
        } else {
            Err(Box::new(self))
        }
    }

    /// Nobody need agree to what stays on this computer.
    ///
    /// # Errors
    /// Gives it back when it would leave.
    pub fn stays_here(self) -> Result<Approved, Box<Self>> {
        if self.is_here() {
            Ok(Approved(Box::new(self)))
        } else {
            Err(Box::new(self))
        }
    }

    fn labels(&self) -> &Labels {
        &self.prompt.labels
    }
}

impl fmt::Debug for Outgoing {
    /// Says where it goes, and nothing of what it holds.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Outgoing")
            .field("provider", &self.provider)
            .field("task", &self.task)
            .field("bytes", &self.body.len())
            .finish_non_exhaustive()
    }
}

/// A request that may be sent: a person has seen it, or it stays on this computer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Approved(Box<Outgoing>);

impl Approved {
    /// What is sent.
    pub fn outgoing(&self) -> &Outgoing {
        &self.0
    }
}

/// What a model has said.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Answer {
    /// Plain text.
    pub(crate) text: String,
    /// The model stopped before its end.
    pub(crate) is_cut: bool,
}

/// Sends a request; `on_text` hears the answer so far, as a whole. Dropping the future closes the
/// connection.
pub(crate) async fn run(
    approved: &Approved,
    key: Option<&str>,
    mut on_text: impl FnMut(&str) + Send,
) -> Result<Answer, AssistError> {
    let outgoing = &approved.0;
    let mut show = |answer: &str| on_text(&shown(answer, outgoing.labels()));
    let limits = http::Limits::for_provider(&outgoing.provider);
    let (answer, is_cut) = http::ask(outgoing, key, limits, &mut show).await?;
    let text = shown(&answer, outgoing.labels());
    if text.is_empty() {
        return Err(AssistError::NoAnswer);
    }
    Ok(Answer { text, is_cut })
}

/// The names of the models that a provider has.
pub(crate) async fn models(
    provider: &Provider,
    key: Option<&str>,
) -> Result<Vec<String>, AssistError> {
    http::models(provider, key, http::Limits::for_provider(provider)).await
}

/// An answer as a person sees it: without what the model has thought, with the names.
fn shown(answer: &str, labels: &Labels) -> String {
    let answer = text::without_thoughts(answer);
    labels.put_back(text::clean_answer(answer).trim())
}
