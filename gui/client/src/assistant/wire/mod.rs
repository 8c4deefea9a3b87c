//! How each kind of provider is spoken to: from a prompt to bytes, and from lines to an answer.

mod gemini;
mod ollama;
mod openai;

pub(super) use gemini::Gemini;
pub(super) use ollama::Ollama;
pub(super) use openai::OpenAi;

use std::time::Duration;

use serde_json::Value;

use super::AssistError;
use super::prompt::Prompt;

/// The most that a model is asked to say, in tokens; some think within it.
const ANSWER_TOKENS_MAX: u32 = 4_096;

/// A kind of provider, without the way to it.
pub(super) trait Assistant: Sync {
    /// The path below the address, and the body, of a request.
    fn request(&self, model: &str, prompt: &Prompt) -> (String, String);

    /// The path of the list of models.
    fn models_path(&self) -> &'static str;

    /// The header that holds the key.
    fn key_header(&self) -> &'static str;

    /// What stands before the key in it.
    fn key_prefix(&self) -> &'static str {
        ""
    }

    /// Whether the answer comes as server-sent events; otherwise each line is a part of it.
    fn sends_events(&self) -> bool;

    /// Reads a part of an answer.
    fn part(&self, part: &Value) -> Result<Part, AssistError>;

    /// The names in a list of models.
    fn models(&self, list: &Value) -> Vec<String>;
}

/// A part of an answer.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Part {
    /// To be added.
    pub(super) text: String,
    /// It is the last one; `Some(true)`: the answer goes on and is not given.
    pub(super) end: Option<bool>,
}

/// What a status means that is no success.
pub(super) fn failure(
    status: u16,
    retry_after: Option<Duration>,
    has_key: bool,
    body: &Value,
) -> AssistError {
    match status {
        300..=399 => AssistError::Redirected,
        400 if is_about_key(body) => AssistError::KeyRefused,
        400 => AssistError::Rejected,
        401 | 403 if has_key => AssistError::KeyRefused,
        401 | 403 => AssistError::KeyMissing,
        404 => AssistError::ModelUnknown,
        413 => AssistError::TooLong,
        429 => AssistError::Quota { retry_after },
        500 | 502 | 503 | 504 => AssistError::Busy { retry_after },
        _ => AssistError::Failed,
    }
}

/// Whether a bad request is one with a bad key.
fn is_about_key(body: &Value) -> bool {
    let details = body.pointer("/error/details").and_then(Value::as_array);
    let mut reasons = details.into_iter().flatten();
    reasons.any(|detail| detail.get("reason").and_then(Value::as_str) == Some("API_KEY_INVALID"))
}

/// The text at this place, if there is one.
fn text<'a>(value: &'a Value, place: &str) -> Option<&'a str> {
    value.pointer(place).and_then(Value::as_str)
}

/// The names in a list of objects.
fn names(list: &Value, place: &str, name: &str) -> Vec<String> {
    let all = list.pointer(place).and_then(Value::as_array);
    let all = all.into_iter().flatten();
    all.filter_map(|it| Some(it.get(name)?.as_str()?.to_owned()))
        .collect()
}

/// The bytes of a body, as a person can read them.
fn body(value: &Value) -> String {
    serde_json::to_string_pretty(value).unwrap_or_default()
}
