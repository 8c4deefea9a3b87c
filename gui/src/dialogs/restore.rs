//! Restores an identity from a backup.

use egui::{RichText, Ui};
use sotto_client::BackupError;
use zeroize::Zeroizing;

use crate::errand::Errand;
use crate::gate::alert;
use crate::scene::{Asks, Wish};
use crate::theme::{body, space};
use crate::widgets::{Field, Kind, progress, text_button};
use crate::words;

use super::writing::{WIDTH, percent, stop_ui};
use super::{DialogScene, FileField, frame};

/// What is typed into the dialog; the passphrase is wiped when it closes.
#[derive(Default)]
pub(crate) struct RestoreForm {
    file: FileField,
    secret: Zeroizing<String>,
    problem: Option<BackupError>,
    is_shown: bool,
    focus: Focus,
}

/// Which field takes the focus next.
#[derive(Default, Clone, Copy, PartialEq, Eq)]
enum Focus {
    /// That of the file.
    #[default]
    File,
    /// That of the passphrase.
    Secret,
    /// The person decides.
    Free,
}

impl RestoreForm {
    /// Nothing was restored.
    pub(crate) fn fail(&mut self, problem: BackupError) {
        // Whoever has stopped it knows that.
        self.problem = (problem != BackupError::Cancelled).then_some(problem);
        self.focus = if problem == BackupError::WrongSecret {
            Focus::Secret
        } else {
            Focus::File
        };
    }

    /// Draws the dialog.
    pub(super) fn ui(&mut self, ui: &Ui, scene: DialogScene<'_>, asks: &mut Asks) {
        let p = scene.palette;
        frame(ui, p, words::RESTORE_IDENTITY, WIDTH, asks, |ui, asks| {
            if let Some((done, total)) = scene.restoring {
                let percent = percent(done, total);
                progress(ui, p, percent, &words::restoring(percent));
                if stop_ui(ui, p) {
                    asks.errand(Errand::EndRestore);
                }
                return;
            }
            for text in [words::RESTORE_HINT, words::RESTORE_WARNING] {
                ui.label(RichText::new(text).font(body(13.0)).color(p.text2));
            }
            ui.add_space(space::XS);
            self.form_ui(ui, scene, asks);
        });
    }

    fn form_ui(&mut self, ui: &mut Ui, scene: DialogScene<'_>, asks: &mut Asks) {
        let p = scene.palette;
        let folder = scene.documents;
        let is_dropped = self.file.take_dropped(ui);
        let label = words::BACKUP_FILE;
        let file = self.file.ui(ui, p, label, false, folder, asks);
        let field = Field {
            label: words::BACKUP_SECRET,
            text: &mut self.secret,
            is_shown: &mut self.is_shown,
        };
        let secret = field.ui(ui, p);
        let focus = if is_dropped {
            Focus::Secret
        } else {
            self.focus
        };
        match focus {
            Focus::File => file.request_focus(),
            Focus::Secret => secret.request_focus(),
            Focus::Free => {}
        }
        self.focus = Focus::Free;
        if file.changed() || secret.changed() || is_dropped {
            self.problem = None;
        }
        if let Some(problem) = self.problem {
            alert(ui, p, words::restore_problem(problem));
        }
        let enter = ui.input(|input| input.key_pressed(egui::Key::Enter));
        let has_enter = enter && (file.lost_focus() || secret.lost_focus());
        let from = self.file.path(folder).filter(|_| !self.secret.is_empty());
        ui.add_space(space::M);
        ui.horizontal(|ui| {
            let button = ui.add_enabled_ui(from.is_some(), |ui| {
                text_button(ui, p, Kind::Primary, words::RESTORE, space::CONTROL, 0.0)
            });
            if let Some(from) = from
                && (button.inner.clicked() || has_enter)
            {
                let secret = self.secret.clone();
                asks.errand(Errand::Restore { from, secret });
            }
            if text_button(ui, p, Kind::Plain, words::CANCEL, space::CONTROL, 0.0).clicked() {
                asks.wish(Wish::CloseDialog);
            }
        });
    }
}
