//! Settings: how the app looks, and what the shown identity tells and is protected by.

mod identity;
mod protection;

use std::time::Duration;

use egui::{Response, RichText, Role, Ui, WidgetInfo};
use sotto_client::Command;
use sotto_client::view::{ProfileState, ProfileView};

use crate::names::clean;
use crate::scene::{Asks, Wish};
use crate::theme::{Palette, Theme, body, semibold, space};
use crate::widgets::{Kind, text_button};
use crate::words;

use super::{Dialog, DialogScene, SetupForm, frame};

/// Width of what concerns the window, and of what concerns the identity, in points.
const WINDOW_WIDTH: f32 = 300.0;
const IDENTITY_WIDTH: f32 = 456.0;
/// From this width of the window on, they stand side by side.
const TWO_COLUMNS: f32 = 900.0;

/// Draws the dialog.
pub(super) fn ui(ui: &Ui, scene: DialogScene<'_>, asks: &mut Asks) {
    let p = scene.palette;
    let has_room = ui.ctx().content_rect().width() >= TWO_COLUMNS;
    let Some(profile) = scene.profile else {
        let width = WINDOW_WIDTH;
        frame(ui, p, words::SETTINGS, width, asks, |ui, asks| {
            window_ui(ui, scene, asks);
        });
        return;
    };
    let width = if has_room {
        WINDOW_WIDTH + space::XL + IDENTITY_WIDTH
    } else {
        IDENTITY_WIDTH
    };
    frame(ui, p, words::SETTINGS, width, asks, |ui, asks| {
        if !has_room {
            window_ui(ui, scene, asks);
            identity_ui(ui, scene, profile, asks);
            return;
        }
        ui.horizontal_top(|ui| {
            ui.spacing_mut().item_spacing.x = space::XL;
            for (width, is_identity) in [(WINDOW_WIDTH, false), (IDENTITY_WIDTH, true)] {
                ui.vertical(|ui| {
                    ui.set_width(width);
                    ui.spacing_mut().item_spacing.x = space::S;
                    if is_identity {
                        identity_ui(ui, scene, profile, asks);
                    } else {
                        window_ui(ui, scene, asks);
                    }
                });
            }
        });
    });
}

/// What concerns the whole window.
fn window_ui(ui: &mut Ui, scene: DialogScene<'_>, asks: &mut Asks) {
    let p = scene.palette;
    section(ui, p, words::APPEARANCE);
    theme_ui(ui, scene, asks);
    if scene.profile.is_some_and(|profile| profile.has_passphrase) {
        section(ui, p, words::LOCK_AFTER);
        lock_ui(ui, scene, asks);
    }
    section(ui, p, words::SHORTCUTS);
    dialog_button(ui, p, words::SHORTCUTS, asks, || Dialog::Shortcuts);
}

/// What concerns the shown identity.
fn identity_ui(ui: &mut Ui, scene: DialogScene<'_>, profile: &ProfileView, asks: &mut Asks) {
    let p = scene.palette;
    let name = clean(&profile.name, profile.id.as_str());
    section(ui, p, &format!("{} · {name}", words::IDENTITY));
    identity::ui(ui, p, profile, asks);
    if profile.state != ProfileState::Ready {
        return;
    }
    section(ui, p, words::PROTECTION);
    protection::ui(ui, p, profile, asks);
    section(ui, p, words::PRIVACY);
    privacy_ui(ui, p, profile, asks);
    section(ui, p, words::PEOPLE);
    ui.horizontal_wrapped(|ui| {
        dialog_button(ui, p, words::MY_LINK, asks, || Dialog::ContactLink);
        dialog_button(ui, p, words::BLOCKED_PEOPLE, asks, || Dialog::Blocked);
    });
    section(ui, p, words::ASSISTANT);
    assistant_ui(ui, p, profile, asks);
}

/// The name of a part.
pub(in crate::dialogs) fn section(ui: &mut Ui, p: &Palette, title: &str) {
    ui.add_space(space::S);
    ui.label(RichText::new(title).font(semibold(14.5)).color(p.text));
}

fn hint(ui: &mut Ui, p: &Palette, text: &str) {
    ui.label(RichText::new(text).font(body(13.0)).color(p.text2));
}

/// A button that opens a dialog.
fn dialog_button(
    ui: &mut Ui,
    p: &Palette,
    label: &str,
    asks: &mut Asks,
    dialog: impl FnOnce() -> Dialog,
) {
    if text_button(ui, p, Kind::Plain, label, space::CONTROL, 0.0).clicked() {
        asks.wish(Wish::Dialog(Box::new(dialog())));
    }
}

/// One of several that exclude each other.
pub(in crate::dialogs) fn option(
    ui: &mut Ui,
    p: &Palette,
    label: &str,
    is_chosen: bool,
) -> Response {
    let kind = if is_chosen {
        Kind::Primary
    } else {
        Kind::Plain
    };
    let response = text_button(ui, p, kind, label, space::CONTROL, 0.0);
    response.widget_info(|| WidgetInfo::selected(Role::RadioButton, true, is_chosen, label));
    response
}

fn theme_ui(ui: &mut Ui, scene: DialogScene<'_>, asks: &mut Asks) {
    ui.horizontal_wrapped(|ui| {
        for theme in Theme::ALL {
            let label = words::theme(theme);
            if option(ui, scene.palette, label, scene.theme == theme).clicked() {
                asks.wish(Wish::Theme(theme));
            }
        }
    });
}

/// When to lock.
fn lock_ui(ui: &mut Ui, scene: DialogScene<'_>, asks: &mut Asks) {
    ui.horizontal_wrapped(|ui| {
        for (label, minutes) in words::LOCK_SPANS {
            let span = minutes.map(Duration::from_mins);
            if option(ui, scene.palette, label, span == scene.lock_after).clicked() {
                asks.wish(Wish::LockAfter(span));
            }
        }
    });
    hint(ui, scene.palette, words::LOCK_AFTER_HINT);
}

/// Who helps with words.
fn assistant_ui(ui: &mut Ui, p: &Palette, profile: &ProfileView, asks: &mut Asks) {
    let assistant = &profile.assistant;
    hint(ui, p, &words::answers(assistant.provider.as_ref()));
    ui.horizontal_wrapped(|ui| {
        dialog_button(ui, p, words::SET_UP_ASSISTANT, asks, || {
            Dialog::Assistant(SetupForm::new(assistant))
        });
        if !assistant.uses.is_empty() {
            dialog_button(ui, p, words::ASSISTANT_LOG, asks, || Dialog::AssistantLog);
        }
    });
    let has_cloud = assistant.provider.as_ref().is_some_and(|it| !it.is_here());
    if has_cloud {
        let mut tells = assistant.tells_use;
        let label = RichText::new(words::TELL_USE)
            .font(body(14.0))
            .color(p.text);
        ui.checkbox(&mut tells, label);
        hint(ui, p, words::TELL_USE_HINT);
        if tells != assistant.tells_use {
            asks.command(&profile.id, Command::TellUse(tells));
        }
    }
}

/// What peers learn.
fn privacy_ui(ui: &mut Ui, p: &Palette, profile: &ProfileView, asks: &mut Asks) {
    let mut privacy = profile.privacy;
    for (is_on, label, meaning) in [
        (
            &mut privacy.read_receipts,
            words::READ_RECEIPTS,
            words::READ_RECEIPTS_HINT,
        ),
        (
            &mut privacy.typing,
            words::TELL_TYPING,
            words::TELL_TYPING_HINT,
        ),
    ] {
        let label = RichText::new(label).font(body(14.0)).color(p.text);
        ui.checkbox(is_on, label);
        hint(ui, p, meaning);
    }
    if privacy != profile.privacy {
        asks.command(&profile.id, Command::SetPrivacy(privacy));
    }
}
