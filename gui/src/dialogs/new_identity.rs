//! Makes an identity: its handle, its name, and a passphrase if one is wanted.

use egui::{RichText, Ui};
use sotto_client::Person;
use sotto_client::identities::{self, IdentityError};

use crate::errand::Errand;
use crate::gate::alert;
use crate::scene::{Asks, Wish};
use crate::theme::{body, space};
use crate::widgets::{Kind, text_button, text_field};
use crate::words;

use super::{Dialog, DialogScene, NewPassphrase, RestoreForm, frame};

/// What is typed into the dialog; the passphrase is wiped when it closes.
#[derive(Default)]
pub(crate) struct IdentityForm {
    handle: String,
    name: String,
    passphrase: NewPassphrase,
    is_shown: bool,
    is_focused: bool,
}

impl IdentityForm {
    /// Draws the dialog.
    pub(super) fn ui(&mut self, ui: &Ui, scene: DialogScene<'_>, asks: &mut Asks) {
        let p = scene.palette;
        frame(ui, p, words::NEW_IDENTITY, 420.0, asks, |ui, asks| {
            let hint = RichText::new(words::NEW_IDENTITY_HINT).font(body(13.0));
            ui.label(hint.color(p.text2));
            ui.add_space(space::XS);
            let handle = text_field(ui, p, words::HANDLE, &mut self.handle);
            if !std::mem::replace(&mut self.is_focused, true) {
                handle.request_focus();
            }
            // A handle is a name too, so that only the handle can be wrong here.
            let typed = self.handle.trim();
            let person = Person {
                handle: typed.to_owned(),
                name: typed.to_owned(),
            };
            let checked = identities::check(&person, scene.taken);
            if let Err(problem) = &checked
                && !typed.is_empty()
            {
                alert(ui, p, words::identity_problem(problem));
            }
            let name = text_field(ui, p, words::NAME, &mut self.name);
            let typed = self.name.trim();
            let is_named = identities::is_name(typed);
            if !is_named && !typed.is_empty() {
                alert(ui, p, words::identity_problem(&IdentityError::Name));
            }
            let person = Person {
                name: typed.to_owned(),
                ..person
            };
            let labels = [words::OPTIONAL_PASSPHRASE, words::REPEAT_OPTIONAL];
            let shown = &mut self.is_shown;
            let mut has_enter = self.passphrase.ui(ui, p, labels, shown, false);
            let enter = ui.input(|input| input.key_pressed(egui::Key::Enter));
            has_enter |= enter && (handle.lost_focus() || name.lost_focus());
            let is_protected_well = self.passphrase.is_empty() || self.passphrase.is_good();
            let is_ready = checked.is_ok() && is_named && is_protected_well;
            ui.add_space(space::M);
            ui.horizontal(|ui| {
                let button = ui.add_enabled_ui(is_ready, |ui| {
                    text_button(ui, p, Kind::Primary, words::CREATE, space::CONTROL, 0.0)
                });
                if (button.inner.clicked() || has_enter) && is_ready {
                    asks.errand(Errand::Create(person, self.passphrase.take()));
                    asks.wish(Wish::CloseDialog);
                }
                if text_button(ui, p, Kind::Plain, words::CANCEL, space::CONTROL, 0.0).clicked() {
                    asks.wish(Wish::CloseDialog);
                }
                let label = words::RESTORE_IDENTITY;
                if text_button(ui, p, Kind::Plain, label, space::CONTROL, 0.0).clicked() {
                    let form = RestoreForm::default();
                    asks.wish(Wish::Dialog(Box::new(Dialog::Restore(form))));
                }
            });
        });
    }
}
