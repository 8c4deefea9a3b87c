//! The part about the identity itself: its name, its backup, and its end.

use egui::Ui;
use sotto_client::view::{ProfileState, ProfileView};

use crate::dialogs::{BackupForm, DeletionForm, Dialog, NameForm};
use crate::scene::{Asks, Wish};
use crate::theme::{Palette, space};
use crate::widgets::{Kind, text_button};
use crate::words;

use super::{dialog_button, hint};

/// Draws the part. What cannot be opened can still be deleted.
pub(super) fn ui(ui: &mut Ui, p: &Palette, profile: &ProfileView, asks: &mut Asks) {
    hint(ui, p, &words::handle_is(profile.id.as_str()));
    if profile.state != ProfileState::Ready {
        hint(ui, p, words::OPEN_TO_BACK_UP);
    }
    ui.horizontal_wrapped(|ui| {
        if profile.state == ProfileState::Ready {
            dialog_button(ui, p, words::RENAME, asks, || {
                Dialog::Rename(NameForm::new(&profile.name))
            });
            dialog_button(ui, p, words::BACK_UP_IDENTITY, asks, || {
                Dialog::Backup(BackupForm::new(profile.id.clone()))
            });
        }
        let label = words::DELETE_IDENTITY;
        if text_button(ui, p, Kind::Danger, label, space::CONTROL, 0.0).clicked() {
            let form = DeletionForm::new(profile.id.clone());
            asks.wish(Wish::Dialog(Box::new(Dialog::Delete(form))));
        }
    });
}
