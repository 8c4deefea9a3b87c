//! Backs an identity up into one encrypted file.

use egui::{RichText, Ui};
use sotto_client::Command;
use sotto_client::view::{JobKind, ProfileId};

use crate::names::clean;
use crate::scene::{Asks, Wish};
use crate::theme::{body, space};
use crate::words;

use super::writing::{self, Writing};
use super::{DialogScene, NewPassphrase, frame};

/// What is typed into the dialog; the passphrase is wiped when it closes.
pub(crate) struct BackupForm {
    profile: ProfileId,
    pub(super) writing: Writing,
    passphrase: NewPassphrase,
    is_shown: bool,
    is_begun: bool,
}

impl BackupForm {
    /// A form that backs this identity up.
    pub(crate) fn new(profile: ProfileId) -> Self {
        Self {
            profile,
            writing: Writing::new(JobKind::Backup),
            passphrase: NewPassphrase::default(),
            is_shown: false,
            is_begun: false,
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
        let title = words::back_up_title(&clean(&profile.name, handle));
        frame(ui, p, &title, writing::WIDTH, asks, |ui, asks| {
            if !self.writing.ui(ui, p, profile, asks) {
                if self.writing.is_done() {
                    self.passphrase = NewPassphrase::default();
                }
                return;
            }
            for text in [words::BACK_UP_HINT, words::BACKUP_PASSPHRASE_HINT] {
                ui.label(RichText::new(text).font(body(13.0)).color(p.text2));
            }
            ui.add_space(space::XS);
            let is_new = !std::mem::replace(&mut self.is_begun, true);
            if is_new {
                let name = words::file_name(&[handle], scene.today, "sotto");
                self.writing.propose(scene.documents.join(name));
            }
            let mut has_enter = self.writing.file_ui(ui, scene, words::BACKUP_FILE, asks);
            let labels = [words::BACKUP_PASSPHRASE, words::REPEAT_BACKUP_PASSPHRASE];
            let shown = &mut self.is_shown;
            has_enter |= self.passphrase.ui(ui, p, labels, shown, is_new);
            let button = writing::Button {
                label: words::BACK_UP,
                is_ready: self.passphrase.is_good(),
                has_enter,
            };
            if let Some((to, replaces)) = self.writing.buttons_ui(ui, scene, &button, asks) {
                let command = Command::BackUp {
                    to,
                    replaces,
                    passphrase: self.passphrase.copy(),
                    code: None,
                };
                asks.command(&profile.id, command);
            }
        });
    }
}
