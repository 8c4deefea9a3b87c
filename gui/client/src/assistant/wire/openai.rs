//! `chat/completions`, as `OpenAI`'s servers and many others speak it.

use serde_json::{Value, json};

use super::{ANSWER_TOKENS_MAX, Assistant, Part, body, names, text};
use crate::assistant::AssistError;
use crate::assistant::prompt::Prompt;

/// A server on this computer.
pub(in crate::assistant) struct OpenAi;

impl Assistant for OpenAi {
    fn request(&self, model: &str, prompt: &Prompt) -> (String, String) {
        let request = json!({
            "model": model,
            "stream": true,
            "messages": [
                { "role": "system", "content": prompt.instruction },
                { "role": "user", "content": prompt.content },
            ],
            "max_tokens": ANSWER_TOKENS_MAX,
        });
        ("chat/completions".to_owned(), body(&request))
    }

    fn models_path(&self) -> &'static str {
        "models"
    }

    fn key_header(&self) -> &'static str {
        "authorization"
    }

    fn key_prefix(&self) -> &'static str {
        "Bearer "
    }

    fn sends_events(&self) -> bool {
        true
    }

    fn part(&self, part: &Value) -> Result<Part, AssistError> {
        if part.get("error").is_some() {
            return Err(AssistError::Failed);
        }
        let end = match text(part, "/choices/0/finish_reason") {
            None => None,
            Some("stop") => Some(false),
            Some("content_filter") => return Err(AssistError::Declined),
            Some(_) => Some(true),
        };
        let said = text(part, "/choices/0/delta/content").unwrap_or_default();
        Ok(Part {
            text: said.to_owned(),
            end,
        })
    }

    fn models(&self, list: &Value) -> Vec<String> {
        names(list, "/data", "id")
    }
}
