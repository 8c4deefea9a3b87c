//! Two windows with real clients behind them and a real relay between them, driven by names.

#![allow(clippy::print_stdout, reason = "a test says what it saw instead")]

mod support;

use std::sync::Arc;

use egui::{Key, Modifiers};
use egui_kittest::Harness;
use egui_kittest::kittest::Queryable as _;
use sotto::{App, AppOptions, Moment, Theme};
use sotto_client::Command;
use sotto_client::assistant::{Provider, ProviderKind};
use sotto_client::view::ProfileId;
use sotto_tests::{Desk, Host, ModelServer, Reply};
use support::{press, rasteriser::CpuRenderer};
use tempfile::tempdir;

/// A window over a client.
struct Window {
    app: Option<App>,
    desk: Arc<Desk>,
    who: &'static str,
}

fn open<'a>(desk: &Arc<Desk>, who: &'static str) -> Harness<'a, Window> {
    let window = Window {
        app: None,
        desk: Arc::clone(desk),
        who,
    };
    let mut harness = Harness::builder()
        .with_size([1100.0, 720.0])
        .with_max_steps(60)
        .renderer(CpuRenderer::default())
        .build_ui_state(
            |ui, window: &mut Window| {
                let Some(app) = &mut window.app else {
                    let options = AppOptions {
                        theme: Theme::Dark,
                        active: Some(ProfileId::new(window.who)),
                        ..AppOptions::default()
                    };
                    window.app = Some(App::new(ui.ctx(), options));
                    ui.ctx().request_repaint();
                    return;
                };
                let model = window.desk.model();
                let now = Moment {
                    unix_millis: 1_800_000_000_000,
                };
                for (profile, command) in app.ui(ui, &model, now) {
                    window.desk.command(profile.as_str(), command);
                }
            },
            window,
        );
    harness.run_steps(3);
    harness
}

/// Draws the window whenever its client has something new, until it shows this.
#[track_caller]
fn wait_for(harness: &mut Harness<'_, Window>, text: &str) {
    let desk = Arc::clone(&harness.state().desk);
    let mut instead = Instead::default();
    desk.wait_until(text, || {
        harness.run_steps(2);
        let is_shown = support::shows(harness, text);
        if !is_shown {
            instead.0 = support::labels(harness);
        }
        is_shown
    });
}

/// What a window shows, for whoever waits for something else in vain.
#[derive(Default)]
struct Instead(Vec<String>);

impl Drop for Instead {
    fn drop(&mut self) {
        if std::thread::panicking() {
            println!("instead: {:#?}", self.0);
        }
    }
}

/// As [`wait_for`], for a message in the open chat.
#[track_caller]
fn wait_for_message(harness: &mut Harness<'_, Window>, author: &str, text: &str) {
    let desk = Arc::clone(&harness.state().desk);
    desk.wait_until(text, || {
        harness.run_steps(2);
        support::finds(harness, |found| {
            found.starts_with(&format!("{author}, ")) && found.contains(text)
        })
    });
}

fn say(harness: &mut Harness<'_, Window>, text: &str) {
    support::write(harness, text);
    press(harness, Modifiers::NONE, Key::Enter);
}

#[test]
fn alice_and_bob_talk_in_two_windows() {
    let dir = tempdir().unwrap();
    let host = Host::start(&dir.path().join("relay"));
    let at = |folder: &str, who| {
        Arc::new(Desk::open_only(
            &dir.path().join(folder),
            Some(host.invite()),
            who,
        ))
    };
    let (alice_desk, bob_desk) = (at("one", "alice"), at("two", "bob"));
    let mut alice = open(&alice_desk, "alice");
    let mut bob = open(&bob_desk, "bob");

    wait_for(&mut alice, "Chat with Bob");
    support::open_chat(&mut alice, "Bob");
    say(&mut alice, "hi Bob");
    wait_for_message(&mut alice, "You", "hi Bob");
    wait_for(&mut bob, "hi Bob");
    support::open_chat(&mut bob, "Alice");
    wait_for_message(&mut bob, "Alice", "hi Bob");
    wait_for_message(&mut alice, "You", "hi Bob, read");
    say(&mut bob, "مرحبا يا أليس");
    wait_for_message(&mut alice, "Bob", "مرحبا يا أليس");
    say(&mut alice, "👋 see you");
    wait_for_message(&mut bob, "Alice", "👋 see you");
}

#[test]
fn four_identities_share_one_window() {
    let dir = tempdir().unwrap();
    let host = Host::start(&dir.path().join("relay"));
    let desk = Arc::new(Desk::open(dir.path(), Some(host.invite())));
    let mut window = open(&desk, "alice");
    wait_for(&mut window, "Chat with Diana");
    support::open_chat(&mut window, "Diana");
    say(&mut window, "hello from Alice");
    press(&mut window, Modifiers::COMMAND, Key::Num4);
    wait_for(&mut window, "Chat with Alice");
    wait_for(&mut window, "hello from Alice");
    support::open_chat(&mut window, "Alice");
    say(&mut window, "hello from Diana");
    wait_for(&mut window, "hello from Diana");
    press(&mut window, Modifiers::COMMAND, Key::Num1);
    wait_for(&mut window, "hello from Diana");
    // A draft stays with its chat.
    support::write(&mut window, "half a thought");
    support::open_chat(&mut window, "Bob");
    press(&mut window, Modifiers::COMMAND, Key::Num4);
    press(&mut window, Modifiers::COMMAND, Key::Num1);
    wait_for(&mut window, "half a thought");
}

/// The whole way of a rephrasing: a model is set up and found, asked after a look, and its words are
/// taken, had back, taken again, and sent.
#[test]
fn a_model_on_this_computer_rephrases_a_draft() {
    let dir = tempdir().unwrap();
    let list = serde_json::json!({ "models": [{ "name": "small:1b" }] });
    let reply = Reply::ollama(&["See you ", "tomorrow."]);
    let half = reply.len() / 2;
    let server = ModelServer::start([Reply::json(&list), reply.held_after(half)]);
    let desk = Arc::new(Desk::open_only(dir.path(), None, "alice"));
    let mut window = open(&desk, "alice");
    wait_for(&mut window, "Chat with Bob");
    support::open_chat(&mut window, "Bob");
    support::write(&mut window, "c u tmrw");
    support::click(&mut window, "Rephrase");
    support::click(&mut window, "Set up the assistant…");
    support::click(&mut window, "Ollama, on this computer");
    window.get_by_label("Address").focus();
    window.run_steps(2);
    press(&mut window, Modifiers::COMMAND, Key::A);
    support::type_into(&mut window, "Address", &server.address());
    support::click(&mut window, "Find");
    wait_for(&mut window, "1 model. Choose it:");
    support::click(&mut window, "small:1b");
    support::click_button(&mut window, "Save");
    assert_eq!(server.requests().len(), 1);
    support::click(&mut window, "Rephrase");
    wait_for(&mut window, "model small:1b");
    support::click(&mut window, "Rephrase it");
    let host = server.address().replace("http://", "").replace('/', "");
    wait_for(&mut window, &format!("Send to {host}"));
    assert_eq!(server.requests().len(), 1);
    support::click(&mut window, &format!("Send to {host}"));
    // Half of the answer is there, and the window goes on meanwhile.
    wait_for(&mut window, "See you");
    window.run_steps(20);
    server.go_on();
    wait_for(&mut window, "Rephrased: See you tomorrow.");
    support::click(&mut window, "Use it");
    wait_for(&mut window, "Undo");
    support::click(&mut window, "Undo");
    assert!(support::finds(&window, |found| found == "c u tmrw"));
    let request = &server.requests()[1];
    let body = String::from_utf8_lossy(&request.body);
    assert!(body.contains("c u tmrw") && request.line.starts_with("POST /api/chat "));
}

#[test]
fn escape_closes_the_connection_to_a_model() {
    let dir = tempdir().unwrap();
    let reply = Reply::ollama(&["See you ", "tomorrow."]);
    let half = reply.len() / 2;
    let server = ModelServer::start([reply.held_after(half)]);
    let desk = Arc::new(Desk::open_only(dir.path(), None, "alice"));
    let mut window = open(&desk, "alice");
    wait_for(&mut window, "Chat with Bob");
    let provider = Provider::new(ProviderKind::Ollama, &server.address(), "small:1b");
    desk.command("alice", Command::UseProvider(provider.ok()));
    support::open_chat(&mut window, "Bob");
    support::write(&mut window, "c u tmrw");
    support::click(&mut window, "Rephrase");
    wait_for(&mut window, "model small:1b");
    support::click(&mut window, "Rephrase it");
    let host = server.address().replace("http://", "").replace('/', "");
    support::click(&mut window, &format!("Send to {host}"));
    wait_for(&mut window, "See you");
    press(&mut window, Modifiers::NONE, Key::Escape);
    server.wait_until_closed();
    assert!(support::finds(&window, |found| found == "c u tmrw"));
}
