//! From a line to calls, and from their results to a line.

use serde_json::{Map, Value, json};
use sotto_client::AskError;
use sotto_client::identities::IdentityError;

use crate::rpc::methods::Desk;

/// Requests in a batch: their answers are one line.
const CALLS_MAX: usize = 100;

/// Why a call has no result. The codes are documented, and programs rely on them.
#[derive(Debug)]
pub(crate) struct CallError {
    code: i32,
    message: &'static str,
}

impl CallError {
    const PARSE: Self = Self::new(-32700, "the line is no JSON");
    const REQUEST: Self = Self::new(-32600, "this is no JSON-RPC 2.0 request");
    const TOO_LONG: Self = Self::new(-32600, "the line is longer than 8 MiB");
    const BATCH: Self = Self::new(-32600, "a batch has 1 to 100 requests");
    pub(crate) const METHOD: Self = Self::new(-32601, "there is no such method");
    pub(crate) const PARAMS: Self = Self::new(-32602, "the parameters do not fit the method");
    pub(crate) const TEXT: Self =
        Self::new(-32602, "the text or name is empty, too long or malformed");
    const INTERNAL: Self = Self::new(-32603, "it cannot be done");
    const NO_IDENTITY: Self = Self::new(-32000, "there is no such identity");
    const NOT_OPEN: Self = Self::new(-32001, "the identity is not open; see its state");
    const NO_PEER: Self = Self::new(-32002, "the identity knows nobody by this handle");
    const NO_MESSAGE: Self = Self::new(-32003, "there is no such message in this chat");
    const UNFIT: Self = Self::new(
        -32004,
        "it cannot be done as things stand with this contact",
    );
    const NOT_STORED: Self = Self::new(-32005, "the disk is full or may not be written");
    const TAKEN: Self = Self::new(-32006, "there is an identity with this handle already");

    const fn new(code: i32, message: &'static str) -> Self {
        Self { code, message }
    }
}

impl From<AskError> for CallError {
    fn from(error: AskError) -> Self {
        match error {
            AskError::NoProfile => Self::NO_IDENTITY,
            AskError::NotOpen | AskError::Ended => Self::NOT_OPEN,
            AskError::NoPeer => Self::NO_PEER,
            AskError::NoMessage => Self::NO_MESSAGE,
            AskError::Text => Self::TEXT,
            AskError::Unfit => Self::UNFIT,
            AskError::NotStored => Self::NOT_STORED,
            _ => Self::INTERNAL,
        }
    }
}

impl From<IdentityError> for CallError {
    fn from(error: IdentityError) -> Self {
        match error {
            IdentityError::Handle | IdentityError::Name => Self::TEXT,
            IdentityError::Taken | IdentityError::OpenElsewhere => Self::TAKEN,
            IdentityError::Full | IdentityError::Unreadable => Self::NOT_STORED,
            _ => Self::INTERNAL,
        }
    }
}

/// What is answered to a line; `None` when it only notifies.
pub(crate) async fn answer(desk: &mut Desk, line: &[u8]) -> Option<Value> {
    match serde_json::from_slice(line) {
        Err(_) => Some(failed(&Value::Null, &CallError::PARSE)),
        Ok(Value::Array(calls)) if calls.is_empty() || calls.len() > CALLS_MAX => {
            Some(failed(&Value::Null, &CallError::BATCH))
        }
        Ok(Value::Array(calls)) => {
            let mut answers = Vec::new();
            for call in calls {
                answers.extend(one(desk, call).await);
            }
            (!answers.is_empty()).then_some(Value::Array(answers))
        }
        Ok(call) => one(desk, call).await,
    }
}

/// What is answered to a line that was passed over.
pub(crate) fn too_long() -> Value {
    failed(&Value::Null, &CallError::TOO_LONG)
}

async fn one(desk: &mut Desk, call: Value) -> Option<Value> {
    let Value::Object(mut call) = call else {
        return Some(failed(&Value::Null, &CallError::REQUEST));
    };
    // Any kind of id is given back as it came; who gives none wants no answer.
    let id = call.remove("id");
    let result = match method(call) {
        Ok((name, params)) => desk.call(&name, params).await,
        // Of what is no request, it is not known what it wants.
        Err(error) => return Some(failed(&id.unwrap_or(Value::Null), &error)),
    };
    let id = id?;
    Some(match result {
        Ok(result) => json!({ "jsonrpc": "2.0", "id": id, "result": result }),
        Err(error) => failed(&id, &error),
    })
}

/// The method of a call, and its parameters.
fn method(mut call: Map<String, Value>) -> Result<(String, Value), CallError> {
    let is_ours = call.get("jsonrpc").and_then(Value::as_str) == Some("2.0");
    match (is_ours, call.remove("method"), call.remove("params")) {
        (true, Some(Value::String(method)), None) => Ok((method, Value::Object(Map::new()))),
        (
            true,
            Some(Value::String(method)),
            Some(params @ (Value::Object(_) | Value::Array(_))),
        ) => Ok((method, params)),
        _ => Err(CallError::REQUEST),
    }
}

fn failed(id: &Value, error: &CallError) -> Value {
    let error = json!({ "code": error.code, "message": error.message });
    json!({ "jsonrpc": "2.0", "id": id, "error": error })
}
