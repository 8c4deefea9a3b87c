//! Where a file is or shall be: typed, chosen in a dialog of the system, or dropped onto the window.

use std::path::{Path, PathBuf};
use std::sync::mpsc::{self, Receiver, TryRecvError};

use egui::{Response, Ui};

use crate::errand::{Errand, FileChoice};
use crate::gate::alert;
use crate::scene::Asks;
use crate::theme::Palette;
use crate::widgets::text_field_with_button;
use crate::words;

/// The field's text, and what it stands for.
#[derive(Default)]
pub(super) struct FileField {
    text: String,
    /// What was chosen: not every path can be typed.
    chosen: Option<PathBuf>,
    choosing: Option<Receiver<Option<PathBuf>>>,
    has_no_chooser: bool,
}

impl FileField {
    /// Takes this file.
    pub(super) fn put(&mut self, path: PathBuf) {
        self.text = words::path(&path);
        self.chosen = Some(path);
    }

    /// Replaces the ending of the file's name if it is `from`.
    pub(super) fn set_ending(&mut self, from: &str, to: &str) {
        if let Some(chosen) = &self.chosen {
            if chosen.extension().is_some_and(|ending| ending == from) {
                self.put(chosen.with_extension(to));
            }
        } else if let Some(name) = self.text.strip_suffix(from)
            && name.ends_with('.')
        {
            self.text = format!("{name}{to}");
        }
    }

    /// The file; what was typed lies in `folder` unless it says where.
    pub(super) fn path(&self, folder: &Path) -> Option<PathBuf> {
        let typed = self.text.trim();
        let typed = (!typed.is_empty()).then(|| folder.join(typed));
        self.chosen.clone().or(typed)
    }

    /// Takes a file that was dropped onto the window; whether there was one.
    pub(super) fn take_dropped(&mut self, ui: &Ui) -> bool {
        let dropped = ui.input(|input| Some(input.raw.dropped_files.first()?.path().to_owned()));
        dropped.map(|path| self.put(path)).is_some()
    }

    /// Draws the field. It changes when a file was chosen, too.
    pub(super) fn ui(
        &mut self,
        ui: &mut Ui,
        p: &Palette,
        label: &'static str,
        is_new: bool,
        folder: &Path,
        asks: &mut Asks,
    ) -> Response {
        let is_chosen = self.heed();
        let is_free = self.choosing.is_none();
        let (mut response, is_clicked) =
            text_field_with_button(ui, p, label, &mut self.text, words::CHOOSE_FILE, is_free);
        if response.changed() {
            self.chosen = None;
        }
        if is_chosen {
            response.mark_changed();
        }
        if is_clicked && is_free {
            let (reply, choosing) = mpsc::sync_channel(1);
            self.choosing = Some(choosing);
            asks.errand(Errand::Choose(FileChoice {
                title: label,
                begin: self.path(folder).unwrap_or_else(|| folder.join("")),
                is_new,
                reply,
            }));
        }
        if self.has_no_chooser {
            alert(ui, p, words::NO_CHOOSER);
        }
        response
    }

    /// Takes what was chosen; whether something was.
    fn heed(&mut self) -> bool {
        let answer = self.choosing.as_ref().map(Receiver::try_recv);
        let Some(answer @ (Ok(_) | Err(TryRecvError::Disconnected))) = answer else {
            return false;
        };
        self.choosing = None;
        self.has_no_chooser = answer.is_err();
        let chosen = answer.ok().flatten();
        chosen.map(|path| self.put(path)).is_some()
    }
}
