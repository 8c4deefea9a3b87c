//! Settings: how the app looks, and what protects the shown identity.

use egui::{RichText, Role, Ui, WidgetInfo};
use sotto_client::view::ProfileState;

use crate::names::clean;
use crate::scene::{Asks, Wish};
use crate::theme::{Palette, Theme, semibold, space};
use crate::widgets::{Kind, text_button};
use crate::words;

use super::{Dialog, DialogScene, PassphraseForm, frame};

/// Draws the dialog.
pub(super) fn ui(ui: &Ui, scene: DialogScene<'_>, asks: &mut Asks) {
    let p = scene.palette;
    frame(ui, p, words::SETTINGS, 440.0, asks, |ui, asks| {
        ui.add_space(space::S);
        section(ui, p, words::APPEARANCE);
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
        if let Some(profile) = scene
            .profile
            .filter(|profile| profile.state == ProfileState::Ready)
        {
            ui.add_space(space::M);
            let name = clean(&profile.name, profile.id.as_str());
            section(ui, p, &format!("{} · {name}", words::PRIVACY));
            ui.horizontal_wrapped(|ui| {
                let mut open = |form| asks.wish(Wish::Dialog(Box::new(Dialog::Passphrase(form))));
                if !profile.has_passphrase {
                    if text_button(
                        ui,
                        p,
                        Kind::Plain,
                        words::SET_PASSPHRASE,
                        space::CONTROL,
                        0.0,
                    )
                    .clicked()
                    {
                        open(PassphraseForm::default());
                    }
                    return;
                }
                if text_button(
                    ui,
                    p,
                    Kind::Plain,
                    words::CHANGE_PASSPHRASE,
                    space::CONTROL,
                    0.0,
                )
                .clicked()
                {
                    open(PassphraseForm::default());
                }
                if text_button(
                    ui,
                    p,
                    Kind::Danger,
                    words::REMOVE_PASSPHRASE,
                    space::CONTROL,
                    0.0,
                )
                .clicked()
                {
                    open(PassphraseForm::removal());
                }
                if text_button(ui, p, Kind::Plain, words::LOCK, space::CONTROL, 0.0).clicked() {
                    asks.wish(Wish::Lock(profile.id.clone()));
                }
            });
        }
        if scene
            .profile
            .is_some_and(|profile| profile.state == ProfileState::Ready)
        {
            ui.add_space(space::M);
            section(ui, p, words::PEOPLE);
            ui.horizontal_wrapped(|ui| {
                for (label, dialog) in [
                    (words::MY_LINK, Dialog::ContactLink),
                    (words::BLOCKED_PEOPLE, Dialog::Blocked),
                ] {
                    if text_button(ui, p, Kind::Plain, label, space::CONTROL, 0.0).clicked() {
                        asks.wish(Wish::Dialog(Box::new(dialog)));
                    }
                }
            });
        }
        ui.add_space(space::M);
        section(ui, p, words::SHORTCUTS);
        if text_button(ui, p, Kind::Plain, words::SHORTCUTS, space::CONTROL, 0.0).clicked() {
            asks.wish(Wish::Dialog(Box::new(Dialog::Shortcuts)));
        }
    });
}

/// The name of a part.
pub(super) fn section(ui: &mut Ui, p: &Palette, title: &str) {
    ui.label(RichText::new(title).font(semibold(14.5)).color(p.text));
}
