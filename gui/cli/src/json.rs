//! How things look to programs: the same on the command line and in JSON-RPC.

use serde_json::{Value, json};
use sotto_client::Entry;
use sotto_client::assistant::TaskKind;
use sotto_client::view::{
    AssistantUse, Body, ChatRow, Delivery, Presence, ProfileState, ProfileView, RelayProblem,
    RelayState, Standing, Trust,
};

/// One JSON value as a line without its end.
pub(crate) fn line(value: &Value) -> String {
    crate::output::plain_json(&value.to_string())
}

/// A message.
pub(crate) fn message(identity: &str, entry: &Entry) -> Value {
    let message = &entry.message;
    let text = match &message.body {
        Body::Text(text) => Some(text),
        Body::Note(_) | Body::Unknown => None,
    };
    let mut value = json!({
        "identity": identity,
        "peer": entry.peer,
        "id": entry.id.to_string(),
        "text": text,
        "direction": direction(message.is_mine),
        "sent_at": message.sent_at_millis,
    });
    if let Value::Object(fields) = &mut value {
        if message.is_mine {
            fields.insert("state".to_owned(), delivery(message.delivery).into());
        }
        if let Body::Note(it) = &message.body {
            fields.insert("note".to_owned(), json!(it));
        }
        if let Some(quote) = &message.quote {
            let (id, direction) = (quote.id.to_string(), direction(quote.is_mine));
            let answers = json!({ "id": id, "direction": direction });
            fields.insert("answers".to_owned(), answers);
        }
    }
    value
}

/// What was given to a cloud.
pub(crate) fn assistant_use(it: &AssistantUse) -> Value {
    json!({
        "at": it.at_millis,
        "task": task(it.task),
        "messages": it.messages,
        "bytes": it.bytes,
        "host": it.host,
        "model": it.model,
    })
}

/// What a model was asked for.
pub(crate) fn task(task: TaskKind) -> &'static str {
    match task {
        TaskKind::Rephrase => "rephrase",
        TaskKind::Summarize => "summarize",
        TaskKind::Translate => "translate",
    }
}

/// A moment for a person.
pub(crate) fn time(millis: i64) -> String {
    jiff::Timestamp::from_millisecond(millis).map_or_else(|_| "?".to_owned(), |at| at.to_string())
}

fn direction(is_mine: bool) -> &'static str {
    if is_mine { "out" } else { "in" }
}

/// How far a message has come.
pub(crate) fn delivery(delivery: Delivery) -> &'static str {
    match delivery {
        Delivery::Sending => "sending",
        Delivery::Relay => "relay",
        Delivery::Delivered => "delivered",
        Delivery::Read => "read",
        Delivery::Failed => "failed",
    }
}

/// A contact.
pub(crate) fn contact(row: &ChatRow) -> Value {
    json!({
        "peer": row.peer(),
        "name": row.name,
        "presence": match row.presence {
            Presence::NotJoined => "not_joined",
            Presence::Away => "away",
            Presence::Online => "online",
        },
        "standing": standing(row),
        "trust": trust(row.trust),
        "safety_number": row.safety_number,
        "unread": row.unread,
    })
}

/// What somebody is to the identity.
pub(crate) fn standing(row: &ChatRow) -> &'static str {
    match row.standing {
        _ if row.is_blocked => "blocked",
        Standing::Contact => "contact",
        Standing::Known => "known",
        Standing::Request => "request",
    }
}

/// What is known of a contact's identity.
pub(crate) fn trust(trust: Trust) -> &'static str {
    match trust {
        Trust::Unverified => "unverified",
        Trust::Introduced => "introduced",
        Trust::Verified => "verified",
        Trust::Changed => "changed",
    }
}

/// An identity.
pub(crate) fn identity(view: &ProfileView) -> Value {
    let problem = match view.relay {
        RelayState::Offline(Some(problem)) => Some(match problem {
            RelayProblem::WrongPin => "wrong_pin",
            RelayProblem::Version => "version",
            RelayProblem::Refused => "refused",
            RelayProblem::HandleTaken => "handle_taken",
            RelayProblem::Untrusted => "untrusted",
            RelayProblem::Unreachable => "unreachable",
        }),
        _ => None,
    };
    json!({
        "handle": view.id.as_str(),
        "name": view.name,
        "state": state(&view.state),
        "relay": match view.relay {
            RelayState::Offline(_) => "offline",
            RelayState::Connecting => "connecting",
            RelayState::Connected => "connected",
        },
        "problem": problem,
        "unread": view.unread,
    })
}

/// Whether an identity can be used.
pub(crate) fn state(state: &ProfileState) -> &'static str {
    match state {
        ProfileState::Closed => "closed",
        ProfileState::Opening => "opening",
        ProfileState::Creating(_) => "creating",
        ProfileState::Locked { .. } => "locked",
        ProfileState::OpenElsewhere => "open_elsewhere",
        ProfileState::Failed(_) => "failed",
        ProfileState::Ready => "ready",
    }
}

#[cfg(test)]
mod tests {
    use sotto_client::view::{ChatId, Message, MessageId, MessageKey, Quote};

    use super::*;

    #[test]
    fn a_message_looks_as_it_is_documented() {
        let mut entry = Entry {
            id: MessageId([0x5f; 16]),
            peer: "bob".to_owned(),
            chat: ChatId(1),
            message: Message {
                key: MessageKey(7),
                is_mine: false,
                body: Body::Text("hello".to_owned()),
                is_cut: false,
                quote: None,
                sent_at_millis: 1_790_000_000_000,
                delivery: Delivery::Sending,
            },
        };
        let id = "5f".repeat(16);
        let expected = json!({
            "direction": "in", "id": id, "identity": "guest", "peer": "bob",
            "sent_at": 1_790_000_000_000_i64, "text": "hello",
        });
        assert_eq!(message("guest", &entry), expected);
        entry.message.is_mine = true;
        entry.message.body = Body::Unknown;
        entry.message.quote = Some(Quote {
            is_mine: false,
            id: MessageId([1; 16]),
            original: None,
        });
        let expected = json!({
            "answers": { "direction": "in", "id": "01".repeat(16) },
            "direction": "out", "id": id, "identity": "guest", "peer": "bob",
            "sent_at": 1_790_000_000_000_i64, "state": "sending", "text": null,
        });
        assert_eq!(message("guest", &entry), expected);
    }
}
