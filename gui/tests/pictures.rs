//! The window as pictures, with the shipped fonts only.
//!
//! `UPDATE_SNAPSHOTS=1 cargo test -p sotto --test pictures` takes new ones: look at each.

#![allow(
    clippy::unwrap_used,
    reason = "a test that meets the unexpected fails there"
)]

mod support;

use std::sync::Arc;

use egui::{Key, Modifiers};
use egui_kittest::Harness;
use egui_kittest::kittest::Queryable as _;
use sotto::{RelayInfo, RelayKind, Report, Theme};
use sotto_client::BackupError;
use sotto_client::assistant::{AssistError, Provider, ProviderKind, TaskKind};
use sotto_client::identities::IdentityError;
use sotto_client::view::{
    Addition, AdditionProblem, AdditionState, AssistantUse, AssistantView, Body, ChatId,
    CreationStep, Delivery, Help, HelpState, Job, JobKind, JobState, KeyringUse, Material, Message,
    MessageId, MessageKey, MessageRange, ModelSearch, Mute, Note, NoteTask, Notice, Presence,
    ProfileId, ProfileProblem, ProfileState, ProviderSetUp, Quote, RelayProblem, RelayState, Trust,
    ViewModel,
};

use support::{Desk, alice, click, open_chat, press, sample, type_into, window, write};

const SIZE: [f32; 2] = [1100.0, 720.0];

#[track_caller]
fn picture(harness: &mut Harness<'_, Desk>, name: &str) {
    harness.run_steps(4);
    harness.snapshot(name);
}

fn with_chat<'a>(theme: Theme) -> Harness<'a, Desk> {
    let mut harness = window(SIZE, theme, sample::four_people());
    harness.state_mut().app().set_relay(RelayInfo {
        kind: RelayKind::Local,
        invite: Some(
            "sotto://127.0.0.1:47100/c2VlIHlvdSBhdCB0aGUgbGFrZSBvbiBzYXR1cmRheQ".to_owned(),
        ),
    });
    open_chat(&mut harness, "Bob");
    harness
}

#[test]
fn chat_in_dark() {
    picture(&mut with_chat(Theme::Dark), "chat_dark");
}

#[test]
fn chat_in_light() {
    picture(&mut with_chat(Theme::Light), "chat_light");
}

#[test]
fn chat_in_high_contrast() {
    picture(&mut with_chat(Theme::Contrast), "chat_contrast");
}

#[test]
fn no_chat_open() {
    picture(&mut alice(), "empty");
}

#[test]
fn right_to_left_chat() {
    let mut harness = with_chat(Theme::Dark);
    harness.state_mut().profile("alice", |alice| {
        alice.timeline = Some(Arc::new(sample::right_to_left()));
    });
    write(&mut harness, "مرحبا بالعالم");
    picture(&mut harness, "right_to_left");
}

#[test]
fn chat_without_messages() {
    let mut harness = with_chat(Theme::Light);
    harness.state_mut().profile("alice", |alice| {
        alice.timeline = Some(Arc::new(sample::timeline(Vec::new())));
        alice.chats[0].last = None;
        alice.chats[0].trust = Trust::Unverified;
        alice.chats[0].presence = Presence::NotJoined;
    });
    picture(&mut harness, "chat_without_messages");
}

#[test]
fn narrow_list_and_chat() {
    let mut harness = window([480.0, 640.0], Theme::Dark, sample::four_people());
    picture(&mut harness, "narrow_list");
    open_chat(&mut harness, "Bob");
    picture(&mut harness, "narrow_chat");
}

#[test]
fn twice_as_large() {
    let mut harness = with_chat(Theme::Dark);
    harness.set_pixels_per_point(2.0);
    picture(&mut harness, "chat_dark_200_percent");
}

#[test]
fn unlock() {
    let mut harness = alice();
    harness.state_mut().profile("alice", |alice| {
        alice.has_passphrase = true;
        alice.state = ProfileState::Locked {
            wrong: true,
            checking: false,
        };
    });
    picture(&mut harness, "unlock");
}

#[test]
fn unlock_by_a_recovery_code_too() {
    let mut harness = window(SIZE, Theme::Light, sample::four_people());
    harness.state_mut().profile("alice", |alice| {
        alice.has_passphrase = true;
        alice.has_recovery_code = true;
        alice.state = ProfileState::Locked {
            wrong: true,
            checking: false,
        };
    });
    picture(&mut harness, "unlock_by_code");
    type_into(&mut harness, "Passphrase", sample::RECOVERY_CODE);
    press(&mut harness, Modifiers::NONE, Key::Enter);
    harness
        .state_mut()
        .profile("alice", |alice| alice.state = ProfileState::Ready);
    picture(&mut harness, "passphrase_after_recovery");
}

#[test]
fn keyring() {
    let mut harness = with_chat(Theme::Light);
    press(&mut harness, Modifiers::COMMAND, Key::Comma);
    click(&mut harness, "Use the keyring");
    picture(&mut harness, "keyring");
    press(&mut harness, Modifiers::NONE, Key::Escape);
    harness
        .state_mut()
        .profile("alice", |alice| alice.keyring = KeyringUse::Yes);
    press(&mut harness, Modifiers::COMMAND, Key::Comma);
    picture(&mut harness, "keyring_settings");
    press(&mut harness, Modifiers::NONE, Key::Escape);
    harness.state_mut().profile("alice", |alice| {
        alice.has_recovery_code = true;
        alice.state = ProfileState::Locked {
            wrong: false,
            checking: false,
        };
    });
    picture(&mut harness, "keyring_silent");
}

#[test]
fn recovery_code() {
    let mut harness = with_chat(Theme::Light);
    harness.state_mut().profile("alice", |alice| {
        alice.has_passphrase = true;
        alice.has_recovery_code = true;
    });
    press(&mut harness, Modifiers::COMMAND, Key::Comma);
    click(&mut harness, "Replace recovery code");
    let report = Report::Code(sample::recovery_code());
    harness.state_mut().app().report(report);
    picture(&mut harness, "recovery_code");
    click(&mut harness, "I have written it down");
    type_into(&mut harness, "Current passphrase", "seven rivers");
    type_into(&mut harness, "Recovery code", "58VN-H6QD");
    picture(&mut harness, "recovery_code_typed");
    press(&mut harness, Modifiers::COMMAND, Key::Comma);
    click(&mut harness, "Remove recovery code");
    picture(&mut harness, "recovery_code_removal");
}

#[test]
fn identities() {
    let mut harness = with_chat(Theme::Dark);
    click(&mut harness, "New identity");
    picture(&mut harness, "new_identity");
    type_into(&mut harness, "Handle", "bob");
    type_into(&mut harness, "Name", &"Our Guest ".repeat(7));
    type_into(&mut harness, "Passphrase (optional)", "seven rivers");
    type_into(&mut harness, "Repeat passphrase", "seven reefs");
    picture(&mut harness, "new_identity_problems");
    press(&mut harness, Modifiers::COMMAND, Key::Comma);
    click(&mut harness, "Rename");
    picture(&mut harness, "rename");
    press(&mut harness, Modifiers::COMMAND, Key::Comma);
    click(&mut harness, "Delete identity");
    type_into(&mut harness, "Type alice to confirm", "alice");
    picture(&mut harness, "delete_identity");
    press(&mut harness, Modifiers::NONE, Key::Escape);
    let report = Report::Deleted(ProfileId::new("guest"), Err(IdentityError::OpenElsewhere));
    harness.state_mut().app().report(report);
    picture(&mut harness, "not_deleted");
}

/// The dialogs of backups, restorations and exports, in these of their states.
fn backups(theme: Theme, states: &[&str]) {
    let mut harness = with_chat(theme);
    let shoot = |harness: &mut Harness<'_, Desk>, state: &str| {
        if states.contains(&state) {
            picture(harness, state);
        }
    };
    let job = |harness: &mut Harness<'_, Desk>, kind, file: &str, state| {
        let to = std::path::Path::new(sample::DOCUMENTS).join(file);
        let job = Job { kind, to, state };
        harness
            .state_mut()
            .profile("alice", |alice| alice.job = Some(job));
        harness.run_steps(3);
    };
    let end = |harness: &mut Harness<'_, Desk>| {
        harness
            .state_mut()
            .profile("alice", |alice| alice.job = None);
        harness.run_steps(3);
    };
    press(&mut harness, Modifiers::COMMAND, Key::Comma);
    click(&mut harness, "Back up identity");
    type_into(&mut harness, "Passphrase of the backup", "seven rivers");
    type_into(
        &mut harness,
        "Repeat passphrase of the backup",
        "seven rivers",
    );
    shoot(&mut harness, "backup");
    let file = "sotto-alice-2026-11-24.sotto";
    let kind = JobKind::Backup;
    job(
        &mut harness,
        kind,
        file,
        JobState::Failed(BackupError::Exists),
    );
    end(&mut harness);
    shoot(&mut harness, "backup_exists");
    let (done, total) = (42, 100);
    job(&mut harness, kind, file, JobState::Running { done, total });
    shoot(&mut harness, "backup_running");
    let bytes = 12_345_678;
    job(&mut harness, kind, file, JobState::Done { bytes });
    end(&mut harness);
    shoot(&mut harness, "backup_done");
    press(&mut harness, Modifiers::NONE, Key::Escape);

    click(&mut harness, "More");
    click(&mut harness, "Export chat");
    shoot(&mut harness, "export");
    let kind = JobKind::Export;
    let file = "sotto-alice-bob-2026-11-24.txt";
    job(&mut harness, kind, file, JobState::Done { bytes: 20_480 });
    end(&mut harness);
    shoot(&mut harness, "export_done");
    press(&mut harness, Modifiers::NONE, Key::Escape);

    click(&mut harness, "New identity");
    click(&mut harness, "Restore from a backup");
    shoot(&mut harness, "restore");
    type_into(&mut harness, "Backup file", "alice.sotto");
    let secret = "Passphrase or recovery code of the backup";
    type_into(&mut harness, secret, "seven rivers");
    press(&mut harness, Modifiers::NONE, Key::Enter);
    let restoring = Report::Restoring { done: 7, total: 10 };
    harness.state_mut().app().report(restoring);
    shoot(&mut harness, "restore_running");
    let problem = Report::Restored(Err(BackupError::Taken));
    harness.state_mut().app().report(problem);
    shoot(&mut harness, "restore_taken");
}

#[test]
fn backups_in_dark() {
    let states = [
        "backup",
        "backup_running",
        "backup_done",
        "restore",
        "restore_running",
    ];
    backups(Theme::Dark, &states);
}

#[test]
fn backups_in_light() {
    let states = ["backup_exists", "export", "export_done", "restore_taken"];
    backups(Theme::Light, &states);
}

#[test]
fn backup_in_a_small_window() {
    let mut harness = window([480.0, 420.0], Theme::Light, sample::four_people());
    press(&mut harness, Modifiers::COMMAND, Key::Comma);
    click(&mut harness, "Back up identity");
    picture(&mut harness, "backup_narrow");
}

#[test]
fn nobody() {
    let mut harness = window(SIZE, Theme::Light, ViewModel::default());
    picture(&mut harness, "nobody");
}

#[test]
fn more_identities_than_fit() {
    let mut model = sample::four_people();
    model
        .profiles
        .extend(["Guest", "Visitor", "Neighbour"].map(|name| {
            let handle = name.to_lowercase();
            Arc::new(sample::profile(&handle, name))
        }));
    let mut harness = window([480.0, 420.0], Theme::Dark, model);
    press(&mut harness, Modifiers::COMMAND, Key::Num7);
    picture(&mut harness, "more_identities");
    press(&mut harness, Modifiers::COMMAND, Key::Comma);
    picture(&mut harness, "narrow_settings");
}

#[test]
fn gates() {
    let mut harness = window(SIZE, Theme::Light, sample::four_people());
    let states = [
        ("gate_creating", ProfileState::Creating(CreationStep::Keys)),
        ("gate_open_elsewhere", ProfileState::OpenElsewhere),
        (
            "gate_failed",
            ProfileState::Failed(ProfileProblem::KeyMissing),
        ),
    ];
    for (name, state) in states {
        harness
            .state_mut()
            .profile("alice", |alice| alice.state = state);
        picture(&mut harness, name);
    }
}

#[test]
fn changed_identity_and_offline() {
    let mut harness = with_chat(Theme::Dark);
    harness.state_mut().profile("alice", |alice| {
        alice.relay = RelayState::Offline(Some(RelayProblem::Unreachable));
        alice.chats[0].trust = Trust::Changed;
        alice.chats[0].presence = Presence::Away;
        alice.notice = Some(Notice::Unopened { messages: 2 });
    });
    harness.run_steps(20);
    picture(&mut harness, "changed_and_offline");
}

#[test]
fn verify() {
    let mut harness = with_chat(Theme::Light);
    harness
        .state_mut()
        .chat("alice", "bob", |bob| bob.trust = Trust::Unverified);
    harness.run_steps(2);
    harness.get_by_label("Not verified").click();
    picture(&mut harness, "verify");
}

#[test]
fn a_request() {
    let mut harness = with_chat(Theme::Dark);
    harness.state_mut().profile("alice", |alice| {
        alice.chats.push(sample::request(9, "Unknown 3f8a01c2"));
        alice.chats.push(sample::request(10, "Unknown 77aa0b1e"));
        alice.chats[1].mute = Some(Mute::Always);
        alice.chats[2].is_blocked = true;
        let mut timeline = sample::timeline(vec![
            sample::message(
                8,
                false,
                -8,
                "Hello, we met at the lake",
                Delivery::Delivered,
            ),
            sample::message(9, false, -7, "Do you remember me?", Delivery::Delivered),
        ]);
        timeline.chat = ChatId(9);
        alice.timeline = Some(Arc::new(timeline));
    });
    harness.run_steps(2);
    harness.get_by_label("Requests, 2").click();
    harness.run_steps(2);
    harness
        .get_by_label_contains("Chat with Unknown 3f8a01c2")
        .click();
    picture(&mut harness, "request");
    harness.get_by_label("Refuse").click();
    picture(&mut harness, "refuse");
}

#[test]
fn the_menu_of_a_chat_and_of_a_blocked_one() {
    let mut harness = with_chat(Theme::Light);
    harness.get_by_label("More").click();
    picture(&mut harness, "menu");
    harness
        .state_mut()
        .chat("alice", "bob", |bob| bob.is_blocked = true);
    press(&mut harness, Modifiers::NONE, Key::Escape);
    picture(&mut harness, "blocked");
}

#[test]
fn adding_a_contact() {
    let mut harness = with_chat(Theme::Dark);
    harness.get_by_label("Add contact").click();
    harness.run_steps(3);
    harness.get_by_label("Handle or link").type_text("bobb");
    press(&mut harness, Modifiers::NONE, Key::Enter);
    harness.state_mut().profile("alice", |alice| {
        alice.contact_link = Some(sample::CONTACT_LINK.to_owned());
        alice.addition = Some(Addition {
            who: "bobb".to_owned(),
            state: AdditionState::Failed(AdditionProblem::WrongIdentity),
        });
    });
    picture(&mut harness, "add_contact");
    harness.get_by_label("My link").click();
    picture(&mut harness, "my_link");
}

/// A chat with replies and long messages, and a reply begun.
fn with_replies<'a>(theme: Theme) -> Harness<'a, Desk> {
    let mut harness = with_chat(theme);
    let quote = |is_mine, original: Option<(i64, &str)>| {
        Some(Quote {
            is_mine,
            id: MessageId([1; 16]),
            original: original.map(|(key, text)| (MessageKey(key), text.to_owned())),
        })
    };
    let long = "Once upon a time there was a long message. ".repeat(12);
    let messages = vec![
        sample::message(
            1,
            false,
            -30,
            "Shall we take the boat?",
            Delivery::Delivered,
        ),
        Message {
            quote: quote(false, Some((1, "Shall we take the boat?"))),
            ..sample::message(2, true, -28, "Yes!", Delivery::Read)
        },
        Message {
            quote: quote(
                true,
                Some((
                    2,
                    "A sentence that is too long to be quoted as a whole in the width that a bubble has at its most",
                )),
            ),
            ..sample::message(
                3,
                false,
                -27,
                "Then bring the good coffee, and a second pair of socks: last time half of us went home with wet feet.",
                Delivery::Delivered,
            )
        },
        Message {
            quote: quote(false, None),
            ..sample::message(4, true, -20, "And the other thing?", Delivery::Delivered)
        },
        Message {
            is_cut: true,
            ..sample::message(5, false, -10, long.trim_end(), Delivery::Delivered)
        },
        Message {
            is_cut: true,
            ..sample::message(
                6,
                true,
                -9,
                "Mine is short, and yet goes on",
                Delivery::Relay,
            )
        },
    ];
    harness.state_mut().profile("alice", |alice| {
        alice.timeline = Some(Arc::new(sample::timeline(messages)));
    });
    harness
        .state_mut()
        .chat("alice", "bob", |bob| bob.is_typing = true);
    harness.run_steps(3);
    press(&mut harness, Modifiers::COMMAND, Key::R);
    harness
}

#[test]
fn replies_dark_and_a_long_message() {
    let mut harness = with_replies(Theme::Dark);
    picture(&mut harness, "replies_dark");
    harness.get_all_by_label("Show all").next().unwrap().click();
    harness.run_steps(2);
    harness.state_mut().profile("alice", |alice| {
        let text = "Once upon a time there was a long message. ".repeat(240);
        alice.text = Some((MessageKey(5), Arc::from(text)));
    });
    picture(&mut harness, "long_message");
}

#[test]
fn replies_light() {
    picture(&mut with_replies(Theme::Light), "replies_light");
}

#[test]
fn dialogs() {
    let mut harness = with_chat(Theme::Dark);
    harness
        .state_mut()
        .profile("alice", |alice| alice.has_passphrase = true);
    press(&mut harness, Modifiers::COMMAND, Key::Comma);
    picture(&mut harness, "settings");
    harness.get_by_label("Change passphrase").click();
    harness.run_steps(3);
    harness.get_by_label("New passphrase").focus();
    harness.run_steps(2);
    harness.get_by_label("New passphrase").focus();
    harness.run_steps(2);
    harness
        .get_by_label("New passphrase")
        .type_text("seven rivers");
    picture(&mut harness, "passphrase");
    press(&mut harness, Modifiers::COMMAND, Key::Slash);
    picture(&mut harness, "shortcuts");
    press(&mut harness, Modifiers::NONE, Key::Escape);
    harness.get_by_label("Relay").click();
    picture(&mut harness, "relay");
}

#[test]
fn text_of_many_lines_and_unread_below() {
    let mut harness = with_chat(Theme::Dark);
    let mut long = sample::long(9000..9120);
    long.first_unread = Some(MessageKey(9100));
    harness
        .state_mut()
        .profile("alice", |alice| alice.timeline = Some(Arc::new(long)));
    write(&mut harness, "one");
    for _ in 0..8 {
        press(&mut harness, Modifiers::SHIFT, Key::Enter);
        write(&mut harness, "more");
    }
    press(&mut harness, Modifiers::NONE, Key::PageUp);
    picture(&mut harness, "many_lines");
}

#[test]
fn search() {
    let mut harness = with_chat(Theme::Dark);
    press(&mut harness, Modifiers::COMMAND, Key::K);
    harness.get_by_label("Search").type_text("coffee");
    let state = harness.state_mut();
    state.profile("alice", |profile| {
        profile.search = Some(Arc::new(sample::coffee()));
    });
    harness.run_steps(2);
    harness
        .get_by_label_contains("Bob: Bring the good coffee")
        .click();
    picture(&mut harness, "search");
}

#[test]
fn opened_at_the_first_unread_message() {
    let mut harness = window(SIZE, Theme::Light, sample::four_people());
    let mut long = sample::long(9000..9120);
    long.first_unread = Some(MessageKey(9100));
    harness.state_mut().profile("alice", |alice| {
        alice.timeline = Some(Arc::new(long));
        alice.chats[0].unread = 14;
    });
    open_chat(&mut harness, "Bob");
    picture(&mut harness, "unread");
}

fn assistant(harness: &mut Harness<'_, Desk>, change: impl FnOnce(&mut AssistantView)) {
    harness.state_mut().profile("alice", |alice| {
        change(Arc::make_mut(&mut alice.assistant));
    });
    harness.run_steps(3);
}

/// A chat in which a model of this kind can be asked.
fn with_model<'a>(theme: Theme, kind: ProviderKind, model: &str) -> Harness<'a, Desk> {
    let mut harness = with_chat(theme);
    assistant(&mut harness, |assistant| {
        let provider = Provider::new(kind, "", model).unwrap();
        let has_key = !provider.is_here();
        assistant.provider = Some(provider.clone());
        assistant.set_up = vec![ProviderSetUp { provider, has_key }];
    });
    harness
}

const DRAFT: &str = "hey, cant make it on time saturday cause of the train, 1 h later ok?";
const REPHRASED: &str =
    "Hey, I can't make it on time on Saturday because of the train. Is one hour later okay?";

#[test]
fn rephrasing() {
    let mut harness = with_model(Theme::Dark, ProviderKind::Gemini, "gemini-3.8-flash");
    write(&mut harness, DRAFT);
    click(&mut harness, "Rephrase");
    picture(&mut harness, "rephrase");
    click(&mut harness, "Rephrase it");
    picture(&mut harness, "rephrase_sheet_cloud");
    click(&mut harness, "Send to generativelanguage.googleapis.com");
    let help = |text: &str, state| Help {
        number: 1,
        text: text.into(),
        state,
    };
    assistant(&mut harness, |assistant| {
        assistant.help = Some(help(REPHRASED, HelpState::Done { is_cut: false }));
    });
    picture(&mut harness, "rephrase_diff");
    assistant(&mut harness, |assistant| {
        let quota = AssistError::Quota { retry_after: None };
        assistant.help = Some(help("", HelpState::Failed(quota)));
    });
    picture(&mut harness, "rephrase_failed");
    assistant(&mut harness, |assistant| {
        assistant.help = Some(help(REPHRASED, HelpState::Done { is_cut: false }));
    });
    click(&mut harness, "Use it");
    picture(&mut harness, "rephrased");
}

#[test]
fn rephrasing_on_this_computer() {
    let mut harness = with_model(Theme::Light, ProviderKind::Ollama, "llama3.2:3b");
    write(&mut harness, DRAFT);
    click(&mut harness, "Rephrase");
    click(&mut harness, "Rephrase it");
    picture(&mut harness, "rephrase_sheet_here");
}

#[test]
fn summary() {
    let mut harness = with_model(Theme::Dark, ProviderKind::Gemini, "gemini-3.8-flash");
    click(&mut harness, "More");
    picture(&mut harness, "menu_of_a_contact");
    click(&mut harness, "Summarise");
    assistant(&mut harness, |assistant| {
        let messages = sample::history().messages;
        let is_text = |message: &Arc<Message>| matches!(message.body, Body::Text(_));
        assistant.material = Some(Arc::new(Material {
            chat: ChatId(1),
            range: MessageRange::Last(50),
            messages: messages.into_iter().filter(is_text).collect(),
            is_cut: false,
        }));
    });
    click(&mut harness, "Key sentences, without a model");
    picture(&mut harness, "summary");
}

#[test]
fn notes_in_a_chat() {
    let mut harness = with_chat(Theme::Light);
    harness.state_mut().profile("alice", |alice| {
        let timeline = Arc::make_mut(alice.timeline.as_mut().unwrap());
        let place = timeline.messages.len() - 1;
        let mut note = sample::message(900, false, -3, "", Delivery::Delivered);
        note.body = Body::Note(Note::Assisted {
            task: NoteTask::Summary,
            messages: 14,
            provider: "Gemini".to_owned(),
        });
        let mut rule = sample::message(901, true, -2, "", Delivery::Delivered);
        rule.body = Body::Note(Note::Cloud { is_forbidden: true });
        let notes = [Arc::new(note), Arc::new(rule)];
        timeline.messages.splice(place..place, notes);
    });
    picture(&mut harness, "notes");
}

#[test]
fn assistant_settings() {
    let mut harness = with_model(Theme::Dark, ProviderKind::Gemini, "gemini-3.8-flash");
    press(&mut harness, Modifiers::COMMAND, Key::Comma);
    click(&mut harness, "Set up the assistant…");
    picture(&mut harness, "assistant_cloud");
    click(&mut harness, "Ollama, on this computer");
    click(&mut harness, "Find");
    assistant(&mut harness, |assistant| {
        assistant.models = Some(ModelSearch {
            kind: ProviderKind::Ollama,
            address: ProviderKind::Ollama.usual_address().to_owned(),
            outcome: Some(Ok(["gemma3:4b", "llama3.2:3b", "qwen3:8b"]
                .map(Into::into)
                .into())),
        });
    });
    click(&mut harness, "llama3.2:3b");
    picture(&mut harness, "assistant_here");
    assistant(&mut harness, |assistant| {
        let it = |task, messages, hours: i64| AssistantUse {
            at_millis: sample::NOW.unix_millis - hours * 3_600_000,
            host: "generativelanguage.googleapis.com".to_owned(),
            model: "gemini-3.8-flash".to_owned(),
            task,
            messages,
            bytes: 1_204 * u64::from(messages + 1),
        };
        let uses = [
            it(TaskKind::Rephrase, 0, 1),
            it(TaskKind::Summarize, 14, 30),
        ];
        assistant.uses = uses.into();
    });
    click(&mut harness, "What was sent to a cloud");
    picture(&mut harness, "assistant_log");
}
