//! A file that a job writes: where, how far it has come, and what has become of it.

use std::path::{Path, PathBuf};

use egui::{Label, RichText, Role, Sense, Ui, Vec2, WidgetInfo};
use sotto_client::view::{Job, JobKind, JobState, ProfileView};
use sotto_client::{BackupError, Command};

use crate::gate::alert;
use crate::icons::{self, Icon};
use crate::scene::{Asks, Wish};
use crate::theme::{Palette, body, space};
use crate::widgets::{Kind, progress, spinner, text_button};
use crate::words;

use super::{DialogScene, FileField};

/// Width of the dialogs about files, in points: most paths are to be seen as a whole.
pub(super) const WIDTH: f32 = 560.0;

/// The file, and the job that writes it.
pub(crate) struct Writing {
    kind: JobKind,
    file: FileField,
    /// The command was given, and the job is not to be seen yet.
    is_asked: bool,
    end: End,
}

/// What has become of the job.
#[derive(Default)]
enum End {
    /// Nothing yet.
    #[default]
    None,
    /// The file is there.
    Done { to: PathBuf, bytes: u64 },
    /// It is not.
    Failed(BackupError),
}

/// The button that begins it.
pub(super) struct Button {
    pub(super) label: &'static str,
    /// Everything else that is needed was typed.
    pub(super) is_ready: bool,
    /// Enter was pressed in one of the fields.
    pub(super) has_enter: bool,
}

impl Writing {
    /// A file that is still to be named.
    pub(super) fn new(kind: JobKind) -> Self {
        Self {
            kind,
            file: FileField::default(),
            is_asked: false,
            end: End::None,
        }
    }

    /// Proposes a file.
    pub(super) fn propose(&mut self, file: PathBuf) {
        self.file.put(file);
        self.end = End::None;
    }

    /// Gives the file's name another ending, unless the person has given it one of their own.
    pub(super) fn set_ending(&mut self, from: &str, to: &str) {
        self.file.set_ending(from, to);
        self.end = End::None;
    }

    /// Whether it shows what has become of jobs like this one.
    pub(crate) fn is_of(&self, job: &Job) -> bool {
        self.kind == job.kind
    }

    /// Shows what has become of the job.
    pub(crate) fn end(&mut self, job: &Job) {
        self.is_asked = false;
        match job.state {
            JobState::Running { .. } => {}
            JobState::Done { bytes } => {
                let to = job.to.clone();
                self.end = End::Done { to, bytes };
            }
            // The person has just asked for that.
            JobState::Failed(BackupError::Cancelled) => self.end = End::None,
            JobState::Failed(error) => self.end = End::Failed(error),
        }
    }

    /// Whether the file is there.
    pub(super) fn is_done(&self) -> bool {
        matches!(self.end, End::Done { .. })
    }

    /// Draws the job on its way or what it has written; whether there is neither.
    pub(super) fn ui(
        &mut self,
        ui: &mut Ui,
        p: &Palette,
        profile: &ProfileView,
        asks: &mut Asks,
    ) -> bool {
        match (&profile.job, &self.end) {
            (Some(job), _) if matches!(job.state, JobState::Running { .. }) => {
                self.is_asked = false;
                running_ui(ui, p, profile, job, asks);
                false
            }
            (_, End::Done { to, bytes }) => {
                done_ui(ui, p, &words::job_done(self.kind, *bytes), to, asks);
                false
            }
            _ if self.is_asked => {
                spinner(ui, 24.0, p.accent);
                false
            }
            _ => true,
        }
    }

    /// Draws the field for the file; whether Enter was pressed in it.
    pub(super) fn file_ui(
        &mut self,
        ui: &mut Ui,
        scene: DialogScene<'_>,
        label: &'static str,
        asks: &mut Asks,
    ) -> bool {
        let folder = scene.documents;
        let response = self.file.ui(ui, scene.palette, label, true, folder, asks);
        if response.changed() {
            self.end = End::None;
        }
        response.lost_focus() && ui.input(|input| input.key_pressed(egui::Key::Enter))
    }

    /// Draws what went wrong before, and the buttons; gives the file and whether to replace it, once
    /// that is to be begun.
    pub(super) fn buttons_ui(
        &mut self,
        ui: &mut Ui,
        scene: DialogScene<'_>,
        button: &Button,
        asks: &mut Asks,
    ) -> Option<(PathBuf, bool)> {
        let p = scene.palette;
        let mut replaces = false;
        if let End::Failed(error) = self.end {
            alert(ui, p, words::job_problem(error));
            replaces = error == BackupError::Exists;
        }
        let to = self.file.path(scene.documents);
        // What has ended before is still to be put away.
        let is_free = scene.profile.is_some_and(|profile| profile.job.is_none());
        let is_ready = button.is_ready && to.is_some() && is_free;
        let (kind, label) = if replaces {
            (Kind::Danger, words::REPLACE_FILE)
        } else {
            (Kind::Primary, button.label)
        };
        ui.add_space(space::M);
        let is_begun = ui.horizontal(|ui| {
            let shown = ui.add_enabled_ui(is_ready, |ui| {
                text_button(ui, p, kind, label, space::CONTROL, 0.0)
            });
            if text_button(ui, p, Kind::Plain, words::CANCEL, space::CONTROL, 0.0).clicked() {
                asks.wish(Wish::CloseDialog);
            }
            shown.inner.clicked() || button.has_enter && !replaces
        });
        if !is_begun.inner || !is_ready {
            return None;
        }
        self.is_asked = true;
        self.end = End::None;
        Some((to?, replaces))
    }
}

fn running_ui(ui: &mut Ui, p: &Palette, profile: &ProfileView, job: &Job, asks: &mut Asks) {
    let JobState::Running { done, total } = job.state else {
        return;
    };
    let percent = percent(done, total);
    progress(ui, p, percent, &words::job_running(job.kind, percent));
    path_ui(ui, p, &job.to);
    if stop_ui(ui, p) {
        asks.command(&profile.id, Command::EndJob);
    }
}

/// How much of a hundred is done, once that is known.
pub(super) fn percent(done: u64, total: u64) -> Option<u16> {
    let percent = done.saturating_mul(100).checked_div(total)?;
    u16::try_from(percent.min(100)).ok()
}

/// The button under something on its way; whether to stop it.
pub(super) fn stop_ui(ui: &mut Ui, p: &Palette) -> bool {
    let hint = RichText::new(words::GOES_ON).font(body(13.0));
    ui.label(hint.color(p.text2));
    ui.add_space(space::M);
    text_button(ui, p, Kind::Danger, words::STOP, space::CONTROL, 0.0).clicked()
}

fn done_ui(ui: &mut Ui, p: &Palette, text: &str, to: &Path, asks: &mut Asks) {
    ui.horizontal(|ui| {
        let (rect, _) = ui.allocate_exact_size(Vec2::splat(20.0), Sense::hover());
        icons::paint(ui.painter(), rect, Icon::Check, p.success);
        let look = RichText::new(text).font(body(14.0)).color(p.text);
        let label = ui.add(Label::new(look).wrap());
        label.widget_info(|| WidgetInfo::labeled(Role::Alert, true, text));
    });
    path_ui(ui, p, to);
    ui.add_space(space::M);
    ui.horizontal(|ui| {
        let done = text_button(ui, p, Kind::Primary, words::DONE, space::CONTROL, 0.0);
        if ui.memory(|memory| memory.focused().is_none()) {
            done.request_focus();
        }
        if done.clicked() {
            asks.wish(Wish::CloseDialog);
        }
        if text_button(ui, p, Kind::Plain, words::COPY_PATH, space::CONTROL, 0.0).clicked() {
            asks.wish(Wish::Copy(to.display().to_string()));
        }
    });
}

/// A path as a whole.
fn path_ui(ui: &mut Ui, p: &Palette, path: &Path) {
    let text = RichText::new(words::path(path)).font(body(13.0));
    ui.add(Label::new(text.color(p.text2)).wrap());
}
