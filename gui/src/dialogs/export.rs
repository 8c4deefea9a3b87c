//! Exports a chat, in the clear.

use egui::{RichText, Ui};
use sotto_client::Command;
use sotto_client::view::{ChatId, ChatRow, ExportFormat, JobKind, ProfileView};

use crate::names::clean;
use crate::scene::{Asks, Wish};
use crate::theme::{body, space};
use crate::words;

use super::settings::option;
use super::writing::{self, Writing};
use super::{DialogScene, frame, warning_ui};

const FORMATS: [ExportFormat; 3] = [ExportFormat::Text, ExportFormat::Json, ExportFormat::Html];

/// What was chosen so far.
pub(crate) struct ExportForm {
    chat: ChatId,
    format: ExportFormat,
    pub(super) writing: Writing,
    is_begun: bool,
}

impl ExportForm {
    /// A form that exports this chat.
    pub(crate) fn new(chat: ChatId) -> Self {
        Self {
            chat,
            format: ExportFormat::Text,
            writing: Writing::new(JobKind::Export),
            is_begun: false,
        }
    }

    /// Draws the dialog.
    pub(super) fn ui(&mut self, ui: &Ui, scene: DialogScene<'_>, asks: &mut Asks) {
        let Some((profile, chat)) = scene.chat(self.chat) else {
            asks.wish(Wish::CloseDialog);
            return;
        };
        let p = scene.palette;
        let title = words::export_title(&clean(&chat.name, &chat.handle));
        frame(ui, p, &title, writing::WIDTH, asks, |ui, asks| {
            if self.writing.ui(ui, p, profile, asks) {
                self.form_ui(ui, scene, profile, chat, asks);
            }
        });
    }

    fn form_ui(
        &mut self,
        ui: &mut Ui,
        scene: DialogScene<'_>,
        profile: &ProfileView,
        chat: &ChatRow,
        asks: &mut Asks,
    ) {
        let p = scene.palette;
        warning_ui(ui, p, words::EXPORT_WARNING);
        ui.add_space(space::XS);
        let is_new = !std::mem::replace(&mut self.is_begun, true);
        let before = self.format;
        ui.horizontal(|ui| {
            for format in FORMATS {
                let (label, _) = words::format(format);
                let choice = option(ui, p, label, format == self.format);
                if is_new && format == self.format {
                    choice.request_focus();
                }
                if choice.clicked() {
                    self.format = format;
                }
            }
            let (_, meaning) = words::format(self.format);
            ui.label(RichText::new(meaning).font(body(13.0)).color(p.text2));
        });
        if is_new {
            let of = [profile.id.as_str(), &chat.peer()];
            let name = words::file_name(&of, scene.today, ending(self.format));
            self.writing.propose(scene.documents.join(name));
        } else if before != self.format {
            self.writing.set_ending(ending(before), ending(self.format));
        }
        let has_enter = self.writing.file_ui(ui, scene, words::EXPORT_FILE, asks);
        let button = writing::Button {
            label: words::EXPORT,
            is_ready: true,
            has_enter,
        };
        if let Some((to, replaces)) = self.writing.buttons_ui(ui, scene, &button, asks) {
            let command = Command::Export {
                chat: self.chat,
                format: self.format,
                zone: scene.zone.clone(),
                to,
                replaces,
            };
            asks.command(&profile.id, command);
        }
    }
}

/// How the names of files of a format end.
fn ending(format: ExportFormat) -> &'static str {
    match format {
        ExportFormat::Text => "txt",
        ExportFormat::Json => "json",
        ExportFormat::Html => "html",
    }
}
