//! The assistant in the window: what is shown before anything is sent, and what becomes of answers.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test that meets the unexpected fails there"
)]

mod support;

use std::sync::Arc;

use egui::accesskit::Role;
use egui::{Key, Modifiers};
use egui_kittest::Harness;
use egui_kittest::kittest::Queryable as _;
use sotto_client::Command;
use sotto_client::assistant::{AssistError, Provider, ProviderKind, Task, Tone, prepare};
use sotto_client::view::{
    AssistantView, ChatId, Help, HelpState, Material, MessageRange, ModelSearch, Note, NoteTask,
    ProviderSetUp,
};
use support::sample::message;
use support::{Desk, alice, click, click_button, open_chat, press, shows, write, written};

const HOST: &str = "generativelanguage.googleapis.com";

fn provider(kind: ProviderKind) -> Provider {
    Provider::new(kind, "", "model-1").unwrap()
}

fn change(harness: &mut Harness<'_, Desk>, change: impl FnOnce(&mut AssistantView)) {
    harness.state_mut().profile("alice", |profile| {
        change(Arc::make_mut(&mut profile.assistant));
    });
    harness.run_steps(3);
}

fn with(kind: ProviderKind) -> Harness<'static, Desk> {
    let mut harness = alice();
    change(&mut harness, |assistant| {
        let provider = provider(kind);
        let has_key = !provider.is_here();
        assistant.provider = Some(provider.clone());
        assistant.set_up = vec![ProviderSetUp { provider, has_key }];
    });
    open_chat(&mut harness, "Bob");
    harness
}

fn commands(harness: &mut Harness<'_, Desk>) -> Vec<Command> {
    let asked = harness.state_mut().take();
    let asked = asked.into_iter().map(|(_, command)| command);
    let drafts = |command: &Command| {
        matches!(
            command,
            Command::SaveDraft { .. } | Command::Type(_) | Command::ShowChat { .. }
        )
    };
    asked.filter(|command| !drafts(command)).collect()
}

fn help(harness: &mut Harness<'_, Desk>, number: u64, text: &str, state: HelpState) {
    change(harness, |assistant| {
        let text = text.into();
        assistant.help = Some(Help {
            number,
            text,
            state,
        });
    });
}

fn rephrasing(kind: ProviderKind, draft: &str, tone: Tone) -> Command {
    let draft = draft.to_owned();
    let outgoing = prepare(&provider(kind), &Task::Rephrase { draft, tone }).unwrap();
    let host = outgoing.host().to_owned();
    Command::Assist {
        approved: outgoing.approved_for(&host).unwrap(),
        chat: Some(ChatId(1)),
    }
}

#[test]
fn a_draft_is_rephrased_after_a_look_and_the_person_decides() {
    let mut harness = with(ProviderKind::Gemini);
    write(&mut harness, "see you tmrw");
    click(&mut harness, "Rephrase");
    click(&mut harness, "Shorter");
    click(&mut harness, "Rephrase it");
    // The sheet: host, text, every byte; and nothing was sent.
    assert!(shows(&harness, "This leaves end-to-end encryption"));
    assert!(shows(&harness, &format!("to the model model-1 at {HOST}")));
    assert!(shows(&harness, "<draft>\nsee you tmrw\n</draft>"));
    assert!(shows(&harness, "\"maxOutputTokens\": 4096"));
    assert!(shows(
        &harness,
        "models/model-1:streamGenerateContent?alt=sse"
    ));
    assert_eq!(commands(&mut harness), []);
    // Enter sends nothing by itself.
    press(&mut harness, Modifiers::NONE, Key::Enter);
    assert_eq!(commands(&mut harness), []);
    click(&mut harness, "Rephrase it");
    click(&mut harness, &format!("Send to {HOST}"));
    let expected = rephrasing(ProviderKind::Gemini, "see you tmrw", Tone::Shorter);
    assert_eq!(commands(&mut harness), [expected]);
    help(&mut harness, 1, "See you", HelpState::Running);
    assert!(shows(&harness, "See you") && shows(&harness, "model-1 is writing"));
    let done = HelpState::Done { is_cut: false };
    help(&mut harness, 1, "See you tomorrow", done);
    assert!(shows(&harness, "Rephrased: See you tomorrow"));
    assert!(shows(
        &harness,
        "Made by the model model-1. It may be wrong."
    ));
    assert_eq!(written(&harness), "see you tmrw");
    click(&mut harness, "Use it");
    assert_eq!(written(&harness), "See you tomorrow");
    assert!(harness.get_by_label("Message").is_focused());
    assert_eq!(commands(&mut harness), [Command::EndAssist]);
    click(&mut harness, "Undo");
    assert_eq!(written(&harness), "see you tmrw");
    assert!(!shows(&harness, "Undo"));
}

#[test]
fn escape_ends_the_request_and_keeps_the_draft() {
    let mut harness = with(ProviderKind::Ollama);
    press(&mut harness, Modifiers::COMMAND, Key::J);
    assert!(!shows(&harness, "Rephrase it"));
    write(&mut harness, "see you tmrw");
    press(&mut harness, Modifiers::COMMAND, Key::J);
    click(&mut harness, "Rephrase it");
    assert!(shows(&harness, "does not leave this computer"));
    click(&mut harness, "Send to 127.0.0.1:11434");
    help(&mut harness, 1, "See", HelpState::Running);
    commands(&mut harness);
    press(&mut harness, Modifiers::NONE, Key::Escape);
    assert_eq!(commands(&mut harness), [Command::EndAssist]);
    assert_eq!(written(&harness), "see you tmrw");
    assert!(!shows(&harness, "Rephrase it"));
    assert!(harness.get_by_label("Message").is_focused());
}

#[test]
fn a_click_counts_although_a_banner_appears_meanwhile() {
    let mut harness = with(ProviderKind::Ollama);
    write(&mut harness, "a b c");
    let pos = harness.get_by_label("Rephrase").rect().center();
    let button = |harness: &mut Harness<'_, Desk>, pressed| {
        harness.event(egui::Event::PointerButton {
            pos,
            button: egui::PointerButton::Primary,
            pressed,
            modifiers: Modifiers::NONE,
        });
        harness.run_steps(1);
    };
    harness.event(egui::Event::PointerMoved(pos));
    harness.run_steps(1);
    button(&mut harness, true);
    harness.state_mut().chat("alice", "bob", |chat| {
        chat.trust = sotto_client::view::Trust::Changed;
    });
    harness.run_steps(1);
    button(&mut harness, false);
    harness.run_steps(2);
    assert!(shows(&harness, "Rephrase it"));
}

#[test]
fn a_chat_that_trusts_models_here_shows_no_sheet_and_a_cloud_always_does() {
    let mut harness = with(ProviderKind::Ollama);
    write(&mut harness, "a b c");
    click(&mut harness, "Rephrase");
    click(&mut harness, "Rephrase it");
    let trust = "Do not show this again for this chat, as long as the model is on this computer";
    click(&mut harness, trust);
    click(&mut harness, "Send to 127.0.0.1:11434");
    let trusts = Command::TrustHere {
        chat: ChatId(1),
        is_trusted: true,
    };
    let expected = rephrasing(ProviderKind::Ollama, "a b c", Tone::Clearer);
    assert_eq!(commands(&mut harness), [trusts, expected.clone()]);
    press(&mut harness, Modifiers::NONE, Key::Escape);
    commands(&mut harness);
    harness
        .state_mut()
        .chat("alice", "bob", |chat| chat.assistant.trusts_here = true);
    click(&mut harness, "Rephrase");
    click(&mut harness, "Rephrase it");
    assert_eq!(commands(&mut harness), [expected]);
    press(&mut harness, Modifiers::NONE, Key::Escape);
    commands(&mut harness);
    change(&mut harness, |assistant| {
        assistant.provider = Some(provider(ProviderKind::Gemini));
    });
    click(&mut harness, "Rephrase");
    click(&mut harness, "Rephrase it");
    assert_eq!(commands(&mut harness), []);
    assert!(shows(&harness, &format!("Send to {HOST}")) && !shows(&harness, trust));
}

#[test]
fn failures_are_told_and_tried_again_with_another_look() {
    let mut harness = with(ProviderKind::Gemini);
    write(&mut harness, "a b c");
    click(&mut harness, "Rephrase");
    click(&mut harness, "Rephrase it");
    click(&mut harness, &format!("Send to {HOST}"));
    commands(&mut harness);
    help(
        &mut harness,
        1,
        "unfinished word",
        HelpState::Failed(AssistError::Cut),
    );
    assert!(shows(&harness, "unfinished word") && shows(&harness, "The connection broke"));
    click(&mut harness, "Try again");
    assert_eq!(commands(&mut harness), []);
    click(&mut harness, &format!("Send to {HOST}"));
    assert_eq!(commands(&mut harness).len(), 1);
    // The answer of before is none to this one.
    assert!(!shows(&harness, "unfinished word"));
    assert!(shows(&harness, "model-1 is writing"));
    let retry_after = Some(std::time::Duration::from_secs(200));
    let quota = HelpState::Failed(AssistError::Quota { retry_after });
    help(&mut harness, 2, "", quota);
    assert!(shows(&harness, "Try again in 4 minutes"));
    click(&mut harness, "Change");
    assert!(shows(&harness, "Rephrase it"));
    assert_eq!(written(&harness), "a b c");
}

#[test]
fn a_chat_forbids_clouds_from_its_menu_and_then_none_is_offered() {
    let mut harness = with(ProviderKind::Gemini);
    write(&mut harness, "a b c");
    click(&mut harness, "More");
    click(&mut harness, "Forbid cloud assistants");
    let forbid = |is_forbidden| Command::ForbidCloud {
        chat: ChatId(1),
        is_forbidden,
    };
    assert_eq!(commands(&mut harness), [forbid(true)]);
    harness
        .state_mut()
        .chat("alice", "bob", |chat| chat.assistant.forbids_cloud = true);
    click(&mut harness, "Rephrase");
    click(&mut harness, "Rephrase it");
    assert!(shows(
        &harness,
        "Cloud assistants are turned off for this chat"
    ));
    assert!(!shows(&harness, &format!("Send to {HOST}")));
    press(&mut harness, Modifiers::NONE, Key::Escape);
    commands(&mut harness);
    click(&mut harness, "More");
    click(&mut harness, "Allow cloud assistants");
    assert_eq!(commands(&mut harness), [forbid(false)]);
}

#[test]
fn messages_are_summarised_after_the_person_has_trimmed_them() {
    let mut harness = with(ProviderKind::Gemini);
    click(&mut harness, "More");
    click(&mut harness, "Summarise");
    let range = MessageRange::Last(50);
    let gather = Command::GatherMessages(Some((ChatId(1), range)));
    assert_eq!(commands(&mut harness), [gather]);
    let texts = [
        "Shall we go to the lake?",
        "My PIN is 1234",
        "Yes, we go at nine",
    ];
    let messages = (1..).zip(texts).map(|(key, text)| {
        let delivery = sotto_client::view::Delivery::Delivered;
        Arc::new(message(key, key == 3, 0, text, delivery))
    });
    let material = Material {
        chat: ChatId(1),
        range,
        messages: messages.collect(),
        is_cut: false,
    };
    change(&mut harness, |assistant| {
        assistant.material = Some(Arc::new(material));
    });
    assert!(shows(&harness, "3 of 3 messages"));
    click(&mut harness, "Bob: My PIN is 1234");
    assert!(shows(&harness, "2 of 3 messages"));
    click(&mut harness, "Key sentences, without a model");
    assert!(shows(
        &harness,
        "Bob: Shall we go to the lake?\nAlice: Yes, we go at nine"
    ));
    click(&mut harness, "Summarise with the model");
    assert!(shows(&harness, "2 messages, "));
    let told = "Person A: Shall we go to the lake?\nPerson B: Yes, we go at nine";
    assert!(shows(&harness, told) && !shows(&harness, "1234"));
    click(&mut harness, &format!("Send to {HOST}"));
    let [Command::Assist { approved, chat }] = &commands(&mut harness)[..] else {
        panic!("one request");
    };
    assert_eq!(*chat, Some(ChatId(1)));
    assert!(approved.outgoing().content().contains(told));
    help(
        &mut harness,
        1,
        "They go to the lake.",
        HelpState::Done { is_cut: true },
    );
    assert!(
        shows(&harness, "They go to the lake.") && shows(&harness, "It stopped before the end")
    );
    press(&mut harness, Modifiers::NONE, Key::Escape);
    let ended = [Command::EndAssist, Command::GatherMessages(None)];
    assert_eq!(commands(&mut harness), ended);
}

#[test]
fn a_message_is_translated_from_the_menu_of_its_chat() {
    let mut harness = with(ProviderKind::Ollama);
    harness.state_mut().chat("alice", "bob", |chat| {
        let delivery = sotto_client::view::Delivery::Delivered;
        chat.last = Some(Arc::new(message(900, false, 0, "à bientôt", delivery)));
        chat.assistant.trusts_here = true;
    });
    click(&mut harness, "More");
    click(&mut harness, "Translate the newest");
    assert!(shows(&harness, "à bientôt"));
    press(&mut harness, Modifiers::NONE, Key::Enter);
    click(&mut harness, "Translate it");
    let [Command::Assist { approved, .. }] = &commands(&mut harness)[..] else {
        panic!("one request");
    };
    let outgoing = approved.outgoing();
    assert!(outgoing.instruction().contains("into English"));
    assert_eq!(outgoing.content(), "<message>\nà bientôt\n</message>");
    help(
        &mut harness,
        1,
        "see you soon",
        HelpState::Done { is_cut: false },
    );
    assert!(shows(&harness, "see you soon"));
    click(&mut harness, "Otherwise");
    assert!(shows(&harness, "Into which language"));
}

#[test]
fn without_a_model_the_way_to_one_is_shown() {
    let mut harness = alice();
    open_chat(&mut harness, "Bob");
    write(&mut harness, "a b c");
    click(&mut harness, "Rephrase");
    assert!(shows(&harness, "No model is set up yet"));
    click(&mut harness, "Set up the assistant…");
    click(&mut harness, "Ollama, on this computer");
    let field = |harness: &Harness<'_, Desk>, label: &str| harness.get_by_label(label).value();
    assert_eq!(
        field(&harness, "Address").as_deref(),
        Some("http://127.0.0.1:11434/")
    );
    // On this computer, a look gives nothing away.
    let asked = Provider::new(ProviderKind::Ollama, "", "").unwrap();
    let look = Command::FindModels(asked);
    assert_eq!(commands(&mut harness), std::slice::from_ref(&look));
    click(&mut harness, "Find");
    assert_eq!(commands(&mut harness), [look]);
    let found = |outcome| ModelSearch {
        kind: ProviderKind::Ollama,
        address: "http://127.0.0.1:11434/".to_owned(),
        outcome,
    };
    change(&mut harness, |assistant| {
        assistant.models = Some(found(Some(Err(AssistError::Unreachable))));
    });
    assert!(shows(&harness, "Nothing answers at the address"));
    change(&mut harness, |assistant| {
        let models = vec!["model-0".to_owned(), "model-1".to_owned()];
        assistant.models = Some(found(Some(Ok(models))));
    });
    click(&mut harness, "model-1");
    assert_eq!(field(&harness, "Model").as_deref(), Some("model-1"));
    assert!(shows(&harness, "It answers, and has this model."));
    click_button(&mut harness, "Save");
    let used = Some(provider(ProviderKind::Ollama));
    assert_eq!(commands(&mut harness), [Command::UseProvider(used)]);
}

#[test]
fn a_key_goes_to_the_vault_and_a_bad_address_nowhere() {
    let mut harness = alice();
    press(&mut harness, Modifiers::COMMAND, Key::Comma);
    click(&mut harness, "Set up the assistant…");
    click(&mut harness, "Gemini, in Google's cloud");
    support::type_into(&mut harness, "API key", "secret");
    commands(&mut harness);
    click_button(&mut harness, "Save");
    let model = ProviderKind::Gemini.usual_model();
    let provider = Provider::new(ProviderKind::Gemini, "", model).unwrap();
    let key = "secret".to_owned().into();
    let kept = Command::SetProviderKey {
        provider: provider.clone(),
        key,
    };
    let used = Command::UseProvider(Some(provider));
    assert_eq!(commands(&mut harness), [kept, used]);
    press(&mut harness, Modifiers::COMMAND, Key::Comma);
    click(&mut harness, "Set up the assistant…");
    click(&mut harness, "Ollama, on this computer");
    support::type_into(&mut harness, "Model", "model-1");
    support::type_into(&mut harness, "Address", "x");
    press(&mut harness, Modifiers::COMMAND, Key::A);
    support::type_into(&mut harness, "Address", "http://example.org");
    assert!(shows(&harness, "An address on this computer looks like"));
    commands(&mut harness);
    click_button(&mut harness, "Save");
    assert_eq!(commands(&mut harness), []);
}

#[test]
fn notes_are_told_between_the_messages_and_answer_nothing() {
    let mut harness = with(ProviderKind::Ollama);
    harness.state_mut().profile("alice", |profile| {
        let timeline = Arc::make_mut(profile.timeline.as_mut().unwrap());
        let last = Arc::make_mut(timeline.messages.last_mut().unwrap());
        last.is_mine = false;
        last.body = sotto_client::view::Body::Note(Note::Assisted {
            task: NoteTask::Summary,
            messages: 14,
            provider: "Gem\u{202e}ini".to_owned(),
        });
    });
    harness.run_steps(3);
    assert!(shows(&harness, "Bob summarised 14 messages with Gemini"));
    harness.state_mut().profile("alice", |profile| {
        let timeline = Arc::make_mut(profile.timeline.as_mut().unwrap());
        let last = Arc::make_mut(timeline.messages.last_mut().unwrap());
        last.body = sotto_client::view::Body::Note(Note::Cloud { is_forbidden: true });
    });
    harness.run_steps(3);
    assert!(shows(
        &harness,
        "Bob turned off cloud assistants for this chat"
    ));
    let rows = harness.get_all_by_role(Role::ListItem).count();
    assert!(rows > 1);
    press(&mut harness, Modifiers::COMMAND, Key::R);
    assert!(!shows(&harness, "In reply to Bob: This message needs"));
}
