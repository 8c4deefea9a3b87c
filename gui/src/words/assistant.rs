//! Of the assistant, and of what it was given.

use std::time::Duration;

use sotto_client::assistant::{AssistError, Outgoing, Provider, ProviderKind, TaskKind};
use sotto_client::view::{AssistantUse, Note};

use super::YOU;
use crate::bidi::displayable;
use crate::moment::LocalTime;
use crate::names::clean;

/// What a note tells; `author` is `None` for oneself.
pub(crate) fn note(author: Option<&str>, note: &Note) -> String {
    let who = author.unwrap_or(YOU);
    let mut note = note.clone();
    if let Note::Assisted { provider, .. } = &mut note {
        *provider = clean(provider, "?");
    }
    format!("{who} {note}")
}

/// So many messages.
pub(crate) fn messages_of(count: u32) -> String {
    match count {
        1 => "1 message".to_owned(),
        count => format!("{count} messages"),
    }
}

/// Dialog, and part of the settings.
pub(crate) const ASSISTANT: &str = "Assistant";
/// Opens that dialog.
pub(crate) const SET_UP_ASSISTANT: &str = "Set up the assistant…";
/// Nobody answers.
pub(crate) const NO_PROVIDER: &str = "No model is set up yet. It can be one on this computer, so \
     that nothing leaves it.";
/// Nobody is to answer.
pub(crate) const NO_ASSISTANT_HINT: &str = "Nothing is asked of any model. Key sentences of a \
     conversation are still found, by Sotto itself.";
/// What a model on this computer means.
pub(crate) const HERE_HINT: &str = "The model runs on this computer, and what you ask it does not \
     leave it. Start its server first; Sotto finds its models.";
/// What a cloud means.
pub(crate) const CLOUD_HINT: &str = "What you choose to send leaves end-to-end encryption: Google \
     can read it, and people there may, if the key is of an unpaid plan. You see each request \
     before it is sent.";
/// Field.
pub(crate) const ADDRESS: &str = "Address";
/// Field.
pub(crate) const MODEL: &str = "Model";
/// Looks for models.
pub(crate) const FIND_MODELS: &str = "Find";
/// While it does.
pub(crate) const FINDING_MODELS: &str = "Asking for models…";
/// It has found none.
pub(crate) const NO_MODELS: &str = "There are no models there yet. Install one first.";
/// It answers, and has found the one that was chosen.
pub(crate) const HAS_MODEL: &str = "It answers, and has this model.";
/// A name that no model has.
pub(crate) const BAD_MODEL: &str = "No model can have this name.";
/// Field.
pub(crate) const API_KEY: &str = "API key";
/// Field, while there is a key.
pub(crate) const NEW_API_KEY: &str = "New API key (one is kept)";
/// Where it goes.
pub(crate) const API_KEY_HINT: &str =
    "Kept in the vault of this identity, and shown to nobody but the provider.";
/// Deletes the key.
pub(crate) const FORGET_KEY: &str = "Forget the key";
/// Takes what was typed.
pub(crate) const SAVE: &str = "Save";
/// Dialog and button.
pub(crate) const ASSISTANT_LOG: &str = "What was sent to a cloud";
/// It is empty.
pub(crate) const NO_USES: &str = "Nothing yet.";
/// A switch in the settings.
pub(crate) const TELL_USE: &str = "Tell the chat";
/// What it means.
pub(crate) const TELL_USE_HINT: &str =
    "Your contact is told when you give messages of your chat to a cloud.";
/// Dialog and button at the composer.
pub(crate) const REPHRASE: &str = "Rephrase";
/// Begins.
pub(crate) const REPHRASE_IT: &str = "Rephrase it";
/// How.
pub(crate) const TONES: [&str; 6] = [
    "Clearer",
    "Shorter",
    "Friendlier",
    "More formal",
    "In my words…",
    "Translate…",
];
/// Field.
pub(crate) const OWN_WORDS: &str = "How it should be";
/// Field.
pub(crate) const LANGUAGE: &str = "Into which language";
/// What stands in it.
pub(crate) const ENGLISH: &str = "English";
/// Takes a rephrasing over.
pub(crate) const USE_REPHRASING: &str = "Use it";
/// Does not.
pub(crate) const KEEP_MINE: &str = "Keep mine";
/// Back to the choices.
pub(crate) const OTHERWISE: &str = "Otherwise";
/// Above the composer, after a rephrasing was taken over.
pub(crate) const REPHRASED: &str = "Rephrased";
/// Takes it back.
pub(crate) const UNDO: &str = "Undo";
/// Dialog, and line of a menu.
pub(crate) const TRANSLATE: &str = "Translate";
/// Line of a chat's menu.
pub(crate) const TRANSLATE_NEWEST: &str = "Translate the newest";
/// Begins.
pub(crate) const TRANSLATE_IT: &str = "Translate it";
/// Dialog, and line of a menu.
pub(crate) const SUMMARISE: &str = "Summarise";
/// Line of a message's menu.
pub(crate) const SUMMARISE_FROM: &str = "Summarise from here";
/// Begins.
pub(crate) const SUMMARISE_IT: &str = "Summarise with the model";
/// A range of messages.
pub(crate) const UNREAD_ONES: &str = "Unread";
/// A range of messages.
pub(crate) const LAST_50: &str = "Last 50";
/// A range of messages.
pub(crate) const LAST_WEEK: &str = "Last 7 days";
/// A range of messages.
pub(crate) const FROM_HERE: &str = "From the chosen one";
/// A switch.
pub(crate) const KEEP_NAMES: &str = "Leave names as they are, instead of “Person A”";
/// A summary that no model has made.
pub(crate) const KEY_SENTENCES: &str = "Key sentences, chosen on this computer";
/// Makes it.
pub(crate) const SHOW_KEY_SENTENCES: &str = "Key sentences, without a model";
/// Above a request, as a person reads it.
pub(crate) const SENT_TEXT: &str = "What the model is told";
/// Above a request, as it is sent.
pub(crate) const SENT_EXACTLY: &str = "Exactly what is sent";
/// A switch under it.
pub(crate) const TRUST_HERE: &str =
    "Do not show this again for this chat, as long as the model is on this computer";
/// Leaves the sheet without sending anything.
pub(crate) const BACK_TO_FORM: &str = "Back";
/// After something went wrong: back to what was wished.
pub(crate) const CHANGE: &str = "Change";
/// The model did not come to its end.
pub(crate) const ANSWER_IS_CUT: &str = "It stopped before the end.";
/// Line of a chat's menu.
pub(crate) const FORBID_CLOUD: &str = "Forbid cloud assistants";
/// Line of a chat's menu.
pub(crate) const ALLOW_CLOUD: &str = "Allow cloud assistants";

/// What people call a provider.
pub(crate) fn provider(kind: Option<ProviderKind>) -> &'static str {
    match kind {
        Some(ProviderKind::Ollama) => "Ollama, on this computer",
        Some(ProviderKind::OpenAi) => "Another server, on this computer",
        Some(ProviderKind::Gemini) => "Gemini, in Google's cloud",
        None => "None",
    }
}

/// Who answers, in the settings.
pub(crate) fn answers(provider: Option<&Provider>) -> String {
    match provider {
        None => "Helps with words, once you have set it up.".to_owned(),
        Some(provider) => asks(provider),
    }
}

/// Who would be asked.
pub(crate) fn asks(provider: &Provider) -> String {
    let (name, model) = (provider.kind().name(), displayable(provider.model()));
    if provider.is_here() {
        format!("{name} on this computer, model {model}")
    } else {
        format!("{name} at {}, model {model}", provider.host())
    }
}

/// Who is being asked.
pub(crate) fn asking(provider: &Provider) -> String {
    format!("{} is writing…", displayable(provider.model()))
}

/// Who has made an answer.
pub(crate) fn made_by(provider: &Provider) -> String {
    let model = displayable(provider.model());
    format!("Made by the model {model}. It may be wrong.")
}

/// A rephrasing, read aloud.
pub(crate) fn rephrased_as(text: &str) -> String {
    format!("Rephrased: {text}")
}

/// So many models were found.
pub(crate) fn found_models(count: usize) -> String {
    match count {
        1 => "1 model. Choose it:".to_owned(),
        count => format!("{count} models. Choose one:"),
    }
}

/// How many messages of a range are taken.
pub(crate) fn taken_messages(taken: usize, all: usize, is_cut: bool) -> String {
    let range = if is_cut {
        format!("the newest {all} of the range")
    } else {
        messages_of(u32::try_from(all).unwrap_or(u32::MAX))
    };
    if all == 0 {
        return "There are no messages in this range.".to_owned();
    }
    format!("{taken} of {range}. Take out what should not be in the summary.")
}

/// What is sent stays here.
pub(crate) fn stays_here(host: &str) -> String {
    format!("This goes to the model at {host}, and does not leave this computer.")
}

/// What is sent does not stay here.
pub(crate) fn leaves(host: &str) -> String {
    format!(
        "This leaves end-to-end encryption. Whoever runs {host} can read it, and with a key of an \
         unpaid plan people there may."
    )
}

/// What is sent, in numbers.
pub(crate) fn request_facts(outgoing: &Outgoing) -> String {
    let what = match outgoing.messages() {
        0 => "your draft".to_owned(),
        count => messages_of(count),
    };
    let bytes = super::chat::grouped(outgoing.body().len());
    let model = displayable(outgoing.provider().model());
    format!(
        "{what}, {bytes} bytes, to the model {model} at {}",
        outgoing.host()
    )
}

/// Sends it.
pub(crate) fn send_to(host: &str) -> String {
    format!("Send to {host}")
}

/// What was given to a cloud.
pub(crate) fn use_of(it: &AssistantUse) -> String {
    let what = match it.task {
        TaskKind::Rephrase => {
            return format!("A draft was rephrased by {}", displayable(&it.model));
        }
        TaskKind::Summarize => "summarised",
        TaskKind::Translate => "translated",
    };
    let messages = messages_of(it.messages);
    format!("{messages} {what} by {}", displayable(&it.model))
}

/// When, how much, and to whom.
pub(crate) fn use_details(it: &AssistantUse, at: LocalTime) -> String {
    let bytes = super::chat::grouped(usize::try_from(it.bytes).unwrap_or(usize::MAX));
    let (day, time) = (super::date(at), super::time_of_day(at));
    format!("{day}, {time}: {bytes} bytes to {}", it.host)
}

/// Why an address cannot be used.
pub(crate) fn address_problem(kind: ProviderKind) -> &'static str {
    if kind.is_here() {
        "An address on this computer looks like http://127.0.0.1:11434"
    } else {
        "The address of a cloud begins with https://"
    }
}

/// Why there is no answer, and what helps.
pub(crate) fn assist_problem(problem: AssistError) -> String {
    let text = match problem {
        AssistError::Empty => "There is nothing to ask about.",
        AssistError::TooLong => "That is too much for one request. Take out some of it.",
        AssistError::Address => "The address is not one that can be used.",
        AssistError::NoModel => "No model was chosen. Set up the assistant.",
        AssistError::Forbidden => {
            "Cloud assistants are turned off for this chat, by you or by your contact. Nothing was \
             sent. A model on this computer may still be used."
        }
        AssistError::NotStored => "The disk takes nothing, so nothing was sent.",
        AssistError::Unreachable => {
            "Nothing answers at the address. Is the server running, and the network there?"
        }
        AssistError::KeyMissing => "The provider asks for an API key. Set up the assistant.",
        AssistError::KeyRefused => "The provider does not accept the API key. Give it another one.",
        AssistError::ModelUnknown => "The provider has no such model. Choose another one.",
        AssistError::Quota { retry_after } => {
            let when = after(retry_after);
            return format!("The provider takes no more requests with this key. Try again {when}.");
        }
        AssistError::Busy { retry_after } => {
            return format!("The provider is busy. Try again {}.", after(retry_after));
        }
        AssistError::Declined => "The model declined to answer that.",
        AssistError::NoAnswer => "The provider returned no answer.",
        AssistError::Cut => "The connection broke before the end of the answer.",
        AssistError::Silent => "The model has been silent for too long.",
        AssistError::ReplyTooLong => "The answer did not end, and was cut off.",
        AssistError::Redirected | AssistError::NotUnderstood => {
            "What answers there is not a model. Is the address right?"
        }
        AssistError::Rejected => "The provider did not understand the request.",
        _ => "The provider failed. Try again later.",
    };
    text.to_owned()
}

fn after(wait: Option<Duration>) -> String {
    match wait.map(|wait| wait.as_secs().max(1)) {
        Some(secs @ ..=120) => format!("in {secs} seconds"),
        Some(secs) => format!("in {} minutes", secs.div_ceil(60)),
        None => "in a minute".to_owned(),
    }
}
