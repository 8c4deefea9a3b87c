//! Gemini's `streamGenerateContent`.

use serde_json::{Value, json};

use super::{ANSWER_TOKENS_MAX, Assistant, Part, body, failure, text};
use crate::assistant::AssistError;
use crate::assistant::prompt::Prompt;

/// Google's cloud.
pub(in crate::assistant) struct Gemini;

impl Assistant for Gemini {
    fn request(&self, model: &str, prompt: &Prompt) -> (String, String) {
        let request = json!({
            "systemInstruction": { "parts": [{ "text": prompt.instruction }] },
            "contents": [{ "role": "user", "parts": [{ "text": prompt.content }] }],
            "generationConfig": { "maxOutputTokens": ANSWER_TOKENS_MAX },
        });
        let path = format!("models/{model}:streamGenerateContent?alt=sse");
        (path, body(&request))
    }

    fn models_path(&self) -> &'static str {
        "models?pageSize=1000"
    }

    fn key_header(&self) -> &'static str {
        "x-goog-api-key"
    }

    fn sends_events(&self) -> bool {
        true
    }

    fn part(&self, part: &Value) -> Result<Part, AssistError> {
        if let Some(code) = part.pointer("/error/code").and_then(Value::as_u64) {
            let status = u16::try_from(code).unwrap_or(0);
            return Err(failure(status, None, true, part));
        }
        if part.get("error").is_some() {
            return Err(AssistError::Failed);
        }
        if part.pointer("/promptFeedback/blockReason").is_some() {
            return Err(AssistError::Declined);
        }
        let parts = part.pointer("/candidates/0/content/parts");
        let parts = parts.and_then(Value::as_array).into_iter().flatten();
        let is_said = |it: &&Value| it.get("thought").and_then(Value::as_bool) != Some(true);
        let said: String = parts
            .filter(is_said)
            .filter_map(|it| it.get("text")?.as_str())
            .collect();
        let end = match text(part, "/candidates/0/finishReason") {
            None => None,
            Some("STOP") => Some(false),
            Some(
                "SAFETY" | "RECITATION" | "LANGUAGE" | "BLOCKLIST" | "PROHIBITED_CONTENT" | "SPII",
            ) => return Err(AssistError::Declined),
            Some(_) => Some(true),
        };
        Ok(Part { text: said, end })
    }

    fn models(&self, list: &Value) -> Vec<String> {
        let all = list.get("models").and_then(Value::as_array);
        let all = all.into_iter().flatten();
        let talks = |it: &&Value| {
            let methods = it.get("supportedGenerationMethods")?.as_array()?;
            Some(methods.iter().any(|it| it == "generateContent"))
        };
        // Where a list says nothing of what they do, all of them are in it.
        all.filter(|it| talks(it).unwrap_or(true))
            .filter_map(|it| it.get("name")?.as_str())
            .map(|name| name.strip_prefix("models/").unwrap_or(name).to_owned())
            .collect()
    }
}
