//! The assistant of real identities, with a real server of models.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test that meets the unexpected fails there"
)]

use sotto_client::Command;
use sotto_client::assistant::{
    AssistError, Names, Outgoing, Provider, ProviderKind, Task, TaskKind, Tone, prepare,
};
use sotto_client::view::{HelpState, MessageRange};
use sotto_tests::{Desk, ModelServer, Reply};
use tempfile::tempdir;

const KEY: &str = "AIza-not-a-real-key";

fn gemini(server: &ModelServer) -> Provider {
    Provider::new(ProviderKind::Gemini, &server.address(), "model-1").unwrap()
}

fn set_up(desk: &Desk, provider: &Provider) {
    let key = KEY.to_owned().into();
    let provider = provider.clone();
    desk.command("alice", Command::UseProvider(Some(provider.clone())));
    desk.command("alice", Command::SetProviderKey { provider, key });
    desk.wait("alice", "the key is kept", |view| {
        view.assistant.set_up.first()?.has_key.then_some(())
    });
}

fn rephrasing(provider: &Provider, draft: &str) -> Outgoing {
    let draft = draft.to_owned();
    let tone = Tone::Clearer;
    prepare(provider, &Task::Rephrase { draft, tone }).unwrap()
}

fn ask(desk: &Desk, outgoing: Outgoing) {
    let host = outgoing.host().to_owned();
    let approved = outgoing.approved_for(&host).unwrap();
    let chat = Some(desk.chat_id("alice", "bob"));
    desk.command("alice", Command::Assist { approved, chat });
}

/// Waits for the end of the request of this number.
fn end(desk: &Desk, number: u64) -> (String, HelpState) {
    desk.wait("alice", "an answer", |view| {
        let help = view.assistant.help.clone()?;
        let has_ended = help.number == number && help.state != HelpState::Running;
        has_ended.then(|| (help.text.to_string(), help.state))
    })
}

#[test]
fn what_goes_to_a_cloud_is_noted_before_it_does_and_its_key_is_nowhere_to_be_seen() {
    let dir = tempdir().unwrap();
    let reply = Reply::gemini(&["yes"]);
    let held = reply.clone().held_after(0);
    let server = ModelServer::start([held, Reply::failure(500, "", &KEY.into()), reply]);
    let desk = Desk::open_only(dir.path(), None, "alice");
    desk.wait_ready("alice");
    let provider = gemini(&server);
    set_up(&desk, &provider);
    assert_eq!(server.connections(), 0);
    let outgoing = rephrasing(&provider, "a secret draft");
    let bytes = outgoing.body().len() as u64;
    ask(&desk, outgoing.clone());
    server.wait_for(1);
    let uses = desk.wait("alice", "the note", |view| {
        let uses = view.assistant.uses.clone();
        (!uses.is_empty()).then_some(uses)
    });
    let [it] = &uses[..] else {
        panic!("one use: {uses:?}");
    };
    assert_eq!(
        (it.task, it.messages, it.bytes),
        (TaskKind::Rephrase, 0, bytes)
    );
    assert_eq!((&*it.model, &*it.host), ("model-1", provider.host()));
    server.go_on();
    let done = HelpState::Done { is_cut: false };
    assert_eq!(end(&desk, 1), ("yes".to_owned(), done));
    ask(&desk, outgoing.clone());
    let busy = AssistError::Busy { retry_after: None };
    assert_eq!(end(&desk, 2).1, HelpState::Failed(busy));
    assert!(!format!("{:?}", desk.model()).contains(KEY));
    // It outlives the program, and so does what was set up.
    drop(desk);
    let desk = Desk::open_only(dir.path(), None, "alice");
    desk.wait_ready("alice");
    let assistant = desk.view("alice").assistant.clone();
    assert_eq!(assistant.uses.len(), 2);
    assert_eq!(assistant.provider.as_ref(), Some(&provider));
    ask(&desk, outgoing);
    assert_eq!(end(&desk, 1), ("yes".to_owned(), done));
    assert_eq!(
        server.requests().last().unwrap().header("x-goog-api-key"),
        Some(KEY)
    );
    // Forgotten, it is sent no more.
    let key = String::new().into();
    desk.command(
        "alice",
        Command::SetProviderKey {
            provider: provider.clone(),
            key,
        },
    );
    ask(&desk, rephrasing(&provider, "x"));
    assert_eq!(end(&desk, 2).1, HelpState::Failed(AssistError::KeyMissing));
    assert_eq!(server.requests().len(), 3);
}

#[test]
fn a_chat_that_forbids_clouds_is_asked_about_by_no_request() {
    let dir = tempdir().unwrap();
    let server = ModelServer::start([Reply::gemini(&["yes"])]);
    let desk = Desk::open_only(dir.path(), None, "alice");
    desk.wait_ready("alice");
    let provider = gemini(&server);
    set_up(&desk, &provider);
    let chat = desk.chat_id("alice", "bob");
    let is_forbidden = true;
    desk.command("alice", Command::ForbidCloud { chat, is_forbidden });
    ask(&desk, rephrasing(&provider, "x"));
    assert_eq!(end(&desk, 1).1, HelpState::Failed(AssistError::Forbidden));
    assert_eq!(server.connections(), 0);
    assert!(desk.view("alice").assistant.uses.is_empty());
    // A model on this computer may still be asked.
    server.set_replies([Reply::ollama(&["yes"])]);
    let here = Provider::new(ProviderKind::Ollama, &server.address(), "model-1").unwrap();
    ask(&desk, rephrasing(&here, "x"));
    let done = HelpState::Done { is_cut: false };
    assert_eq!(end(&desk, 2), ("yes".to_owned(), done));
    assert!(desk.view("alice").assistant.uses.is_empty());
}

#[test]
fn a_request_ends_with_the_next_one_and_with_the_program() {
    let dir = tempdir().unwrap();
    let reply = Reply::ollama(&["one ", "two"]);
    let half = reply.len() / 2;
    let server = ModelServer::start([reply.held_after(half)]);
    let desk = Desk::open_only(dir.path(), None, "alice");
    desk.wait_ready("alice");
    let here = Provider::new(ProviderKind::Ollama, &server.address(), "model-1").unwrap();
    ask(&desk, rephrasing(&here, "x"));
    server.wait_for(1);
    ask(&desk, rephrasing(&here, "y"));
    server.wait_until_closed();
    server.wait_for(2);
    drop(desk);
    server.wait_until(2);
}

#[test]
fn a_range_is_gathered_from_the_newest_message_on() {
    let dir = tempdir().unwrap();
    let desk = Desk::open_only(dir.path(), None, "alice");
    desk.wait_ready("alice");
    let chat = desk.chat_id("alice", "bob");
    for number in 1..=5 {
        desk.write("alice", "bob", &format!("text {number}"));
    }
    let is_forbidden = true;
    desk.command("alice", Command::ForbidCloud { chat, is_forbidden });
    let gather = |range| {
        desk.command("alice", Command::GatherMessages(Some((chat, range))));
        desk.wait("alice", "the material", |view| {
            let material = view.assistant.material.clone()?;
            (material.range == range).then_some(material)
        })
    };
    let texts = |range| sotto_tests::texts(&gather(range).messages).join(", ");
    let all = "text 1, text 2, text 3, text 4, text 5";
    assert_eq!(texts(MessageRange::Last(50)), all);
    // The note is one of the last two messages, and no text.
    assert_eq!(texts(MessageRange::Last(2)), "text 5");
    assert_eq!(texts(MessageRange::Since(0)), all);
    assert_eq!(texts(MessageRange::Since(i64::MAX)), "");
    let third = gather(MessageRange::Last(50)).messages.get(2).unwrap().key;
    assert_eq!(texts(MessageRange::From(third)), "text 3, text 4, text 5");
    let lines = gather(MessageRange::Last(50));
    assert!(!lines.is_cut && lines.chat == chat);
    let names = Names::Replaced;
    let lines = Vec::new();
    let here = Provider::new(ProviderKind::Ollama, "", "model-1").unwrap();
    let nothing = prepare(&here, &Task::Summarize { lines, names });
    assert_eq!(nothing.err(), Some(AssistError::Empty));
}
