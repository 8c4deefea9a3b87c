//! Changes the name under which others see an identity.

use egui::{RichText, Ui};
use sotto_client::Command;
use sotto_client::identities::{IdentityError, is_name};

use crate::gate::alert;
use crate::scene::{Asks, Wish};
use crate::theme::{body, space};
use crate::widgets::{Kind, text_button, text_field};
use crate::words;

use super::{DialogScene, frame};

/// What is typed into the dialog.
pub(crate) struct NameForm {
    name: String,
    is_focused: bool,
}

impl NameForm {
    /// Starts from the name so far.
    pub(crate) fn new(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            is_focused: false,
        }
    }

    /// Draws the dialog.
    pub(super) fn ui(&mut self, ui: &Ui, scene: DialogScene<'_>, asks: &mut Asks) {
        let Some(profile) = scene.profile else {
            asks.wish(Wish::CloseDialog);
            return;
        };
        let p = scene.palette;
        frame(ui, p, words::RENAME, 400.0, asks, |ui, asks| {
            let hint = RichText::new(words::RENAME_HINT).font(body(13.0));
            ui.label(hint.color(p.text2));
            ui.add_space(space::XS);
            let response = text_field(ui, p, words::NAME, &mut self.name);
            if !std::mem::replace(&mut self.is_focused, true) {
                response.request_focus();
            }
            let enter = ui.input(|input| input.key_pressed(egui::Key::Enter));
            let has_enter = enter && response.lost_focus();
            let name = self.name.trim();
            if !name.is_empty() && !is_name(name) {
                alert(ui, p, words::identity_problem(&IdentityError::Name));
            }
            let is_ready = is_name(name) && name != profile.name;
            ui.add_space(space::M);
            ui.horizontal(|ui| {
                let button = ui.add_enabled_ui(is_ready, |ui| {
                    text_button(ui, p, Kind::Primary, words::RENAME, space::CONTROL, 0.0)
                });
                if (button.inner.clicked() || has_enter) && is_ready {
                    asks.command(&profile.id, Command::Rename(name.to_owned()));
                    asks.wish(Wish::CloseDialog);
                }
                if text_button(ui, p, Kind::Plain, words::CANCEL, space::CONTROL, 0.0).clicked() {
                    asks.wish(Wish::CloseDialog);
                }
            });
        });
    }
}
