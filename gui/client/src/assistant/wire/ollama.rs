//! Ollama's `/api/chat`.

use serde_json::{Value, json};

use super::{ANSWER_TOKENS_MAX, Assistant, Part, body, names, text};
use crate::assistant::AssistError;
use crate::assistant::prompt::Prompt;

/// A context that a small computer can hold, in tokens.
const CONTEXT_TOKENS_MAX: usize = 32 * 1024;

/// Ollama, on this computer.
pub(in crate::assistant) struct Ollama;

/// A context for the prompt and its answer: with a smaller one, the server silently forgets the
/// beginning. Three bytes make a token, or more.
fn context_tokens(prompt: &Prompt) -> usize {
    let asked = (prompt.instruction.len() + prompt.content.len()) / 3;
    let needed = asked + ANSWER_TOKENS_MAX as usize + 256;
    needed.next_multiple_of(1024).min(CONTEXT_TOKENS_MAX)
}

impl Assistant for Ollama {
    fn request(&self, model: &str, prompt: &Prompt) -> (String, String) {
        let request = json!({
            "model": model,
            "stream": true,
            "messages": [
                { "role": "system", "content": prompt.instruction },
                { "role": "user", "content": prompt.content },
            ],
            "options": {
                "num_ctx": context_tokens(prompt),
                "num_predict": ANSWER_TOKENS_MAX,
            },
        });
        ("api/chat".to_owned(), body(&request))
    }

    fn models_path(&self) -> &'static str {
        "api/tags"
    }

    fn key_header(&self) -> &'static str {
        "authorization"
    }

    fn key_prefix(&self) -> &'static str {
        "Bearer "
    }

    fn sends_events(&self) -> bool {
        false
    }

    fn part(&self, part: &Value) -> Result<Part, AssistError> {
        if part.get("error").is_some() {
            return Err(AssistError::Failed);
        }
        let is_done = part.get("done").and_then(Value::as_bool);
        let Some(is_done) = is_done else {
            return Err(AssistError::NotUnderstood);
        };
        let is_cut = matches!(text(part, "/done_reason"), Some(reason) if reason != "stop");
        Ok(Part {
            text: text(part, "/message/content")
                .unwrap_or_default()
                .to_owned(),
            end: is_done.then_some(is_cut),
        })
    }

    fn models(&self, list: &Value) -> Vec<String> {
        names(list, "/models", "name")
    }
}
