//! Deletes an identity, once its handle was typed.

use egui::{RichText, Ui};
use sotto_client::view::ProfileId;

use crate::errand::Errand;
use crate::names::clean;
use crate::scene::{Asks, Wish};
use crate::theme::{body, space};
use crate::widgets::{Kind, text_button, text_field};
use crate::words;

use super::{DialogScene, frame};

/// What is typed into the dialog.
pub(crate) struct DeletionForm {
    profile: ProfileId,
    typed: String,
    is_focused: bool,
}

impl DeletionForm {
    /// A form that deletes this identity.
    pub(crate) fn new(profile: ProfileId) -> Self {
        Self {
            profile,
            typed: String::new(),
            is_focused: false,
        }
    }

    /// Draws the dialog.
    pub(super) fn ui(&mut self, ui: &Ui, scene: DialogScene<'_>, asks: &mut Asks) {
        let Some(profile) = scene.profile.filter(|it| it.id == self.profile) else {
            asks.wish(Wish::CloseDialog);
            return;
        };
        let p = scene.palette;
        let handle = profile.id.as_str();
        let name = clean(&profile.name, handle);
        let title = words::delete_title(&name);
        frame(ui, p, &title, 420.0, asks, |ui, asks| {
            for text in words::delete_text(&name, handle) {
                ui.label(RichText::new(text).font(body(14.0)).color(p.text));
            }
            ui.add_space(space::XS);
            let label = words::type_handle(handle);
            let response = text_field(ui, p, &label, &mut self.typed);
            if !std::mem::replace(&mut self.is_focused, true) {
                response.request_focus();
            }
            let enter = ui.input(|input| input.key_pressed(egui::Key::Enter));
            let has_enter = enter && response.lost_focus();
            let is_meant = self.typed.trim() == handle;
            ui.add_space(space::M);
            ui.horizontal(|ui| {
                let label = words::DELETE_FOR_GOOD;
                let button = ui.add_enabled_ui(is_meant, |ui| {
                    text_button(ui, p, Kind::Danger, label, space::CONTROL, 0.0)
                });
                if (button.inner.clicked() || has_enter) && is_meant {
                    asks.errand(Errand::Delete(self.profile.clone()));
                    asks.wish(Wish::CloseDialog);
                }
                if text_button(ui, p, Kind::Plain, words::CANCEL, space::CONTROL, 0.0).clicked() {
                    asks.wish(Wish::CloseDialog);
                }
            });
        });
    }
}
