//! Two windows with real clients behind them and a real relay between them, driven by names.

mod support;

use std::sync::Arc;

use egui::{Key, Modifiers};
use egui_kittest::Harness;
use sotto::{App, AppOptions, Moment, Theme};
use sotto_client::view::ProfileId;
use sotto_tests::{Desk, Host};
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
    desk.wait_until(text, || {
        harness.run_steps(2);
        support::shows(harness, text)
    });
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
