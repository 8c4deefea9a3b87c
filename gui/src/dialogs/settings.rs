//! Settings: how the app looks, and what protects the shown identity.

use egui::{RichText, Role, Ui, WidgetInfo};
use sotto_client::Command;
use sotto_client::view::{ProfileState, ProfileView};

use crate::names::clean;
use crate::scene::{Asks, Wish};
use crate::theme::{Palette, Theme, body, semibold, space};
use crate::widgets::{Kind, text_button};
use crate::words;

use super::{Dialog, DialogScene, PassphraseForm, frame};

/// Draws the dialog.
pub(super) fn ui(ui: &Ui, scene: DialogScene<'_>, asks: &mut Asks) {
    let p = scene.palette;
    let ready = scene
        .profile
        .filter(|profile| profile.state == ProfileState::Ready);
    frame(ui, p, words::SETTINGS, 440.0, asks, |ui, asks| {
        ui.add_space(space::S);
        section(ui, p, words::APPEARANCE);
        theme_ui(ui, scene, asks);
        if let Some(profile) = ready {
            ui.add_space(space::M);
            let name = clean(&profile.name, profile.id.as_str());
            section(ui, p, &format!("{} · {name}", words::PRIVACY));
            passphrase_ui(ui, p, profile, asks);
            privacy_ui(ui, p, profile, asks);
            ui.add_space(space::M);
            section(ui, p, words::PEOPLE);
            ui.horizontal_wrapped(|ui| {
                for (label, dialog) in [
                    (words::MY_LINK, Dialog::ContactLink),
                    (words::BLOCKED_PEOPLE, Dialog::Blocked),
                ] {
                    if choice(ui, p, Kind::Plain, label) {
                        asks.wish(Wish::Dialog(Box::new(dialog)));
                    }
                }
            });
        }
        ui.add_space(space::M);
        section(ui, p, words::SHORTCUTS);
        if choice(ui, p, Kind::Plain, words::SHORTCUTS) {
            asks.wish(Wish::Dialog(Box::new(Dialog::Shortcuts)));
        }
    });
}

fn choice(ui: &mut Ui, p: &Palette, kind: Kind, label: &str) -> bool {
    text_button(ui, p, kind, label, space::CONTROL, 0.0).clicked()
}

fn theme_ui(ui: &mut Ui, scene: DialogScene<'_>, asks: &mut Asks) {
    let p = scene.palette;
    ui.horizontal_wrapped(|ui| {
        for theme in Theme::ALL {
            let is_chosen = scene.theme == theme;
            let kind = if is_chosen {
                Kind::Primary
            } else {
                Kind::Plain
            };
            let response = text_button(ui, p, kind, words::theme(theme), space::CONTROL, 0.0);
            response.widget_info(|| {
                WidgetInfo::selected(Role::RadioButton, true, is_chosen, words::theme(theme))
            });
            if response.clicked() {
                asks.wish(Wish::Theme(theme));
            }
        }
    });
}

/// What protects the vault.
fn passphrase_ui(ui: &mut Ui, p: &Palette, profile: &ProfileView, asks: &mut Asks) {
    ui.horizontal_wrapped(|ui| {
        let mut open = |form| asks.wish(Wish::Dialog(Box::new(Dialog::Passphrase(form))));
        if !profile.has_passphrase {
            if choice(ui, p, Kind::Plain, words::SET_PASSPHRASE) {
                open(PassphraseForm::default());
            }
            return;
        }
        if choice(ui, p, Kind::Plain, words::CHANGE_PASSPHRASE) {
            open(PassphraseForm::default());
        }
        if choice(ui, p, Kind::Danger, words::REMOVE_PASSPHRASE) {
            open(PassphraseForm::removal());
        }
        if choice(ui, p, Kind::Plain, words::LOCK) {
            asks.wish(Wish::Lock(profile.id.clone()));
        }
    });
}

/// What peers learn.
fn privacy_ui(ui: &mut Ui, p: &Palette, profile: &ProfileView, asks: &mut Asks) {
    let mut privacy = profile.privacy;
    for (is_on, label, hint) in [
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
        ui.label(RichText::new(hint).font(body(13.0)).color(p.text2));
    }
    if privacy != profile.privacy {
        asks.command(&profile.id, Command::SetPrivacy(privacy));
    }
}

/// The name of a part.
pub(super) fn section(ui: &mut Ui, p: &Palette, title: &str) {
    ui.label(RichText::new(title).font(semibold(14.5)).color(p.text));
}
