//! Short notes at the bottom, and notices that wait for the person.

use std::time::Duration;

use egui::{
    Align2, Area, Color32, CornerRadius, Frame, Id, Margin, Order, Pos2, Role, Stroke, Ui,
    WidgetInfo,
};
use sotto_client::Command;
use sotto_client::view::{Notice, ProfileView};

use crate::icons::Icon;
use crate::scene::Asks;
use crate::theme::{Palette, body, space};
use crate::widgets::icon_button;
use crate::words;

/// How long a note stays, in seconds.
const STAY_SECS: f64 = 5.0;
/// How many notes stand at once.
const NOTES_MAX: usize = 3;

/// The notes.
#[derive(Default)]
pub(crate) struct Toasts {
    /// What is said, and until when; failures stay until they are dismissed.
    notes: Vec<(String, f64)>,
    /// Since when a notice that goes by itself has been shown.
    passing: Option<(Notice, f64)>,
}

impl Toasts {
    /// Says something for a few seconds.
    pub(crate) fn say(&mut self, text: String, now: f64) {
        self.put(text, now + STAY_SECS);
    }

    /// Tells of a failure until it is dismissed.
    pub(crate) fn warn(&mut self, text: String) {
        self.put(text, f64::INFINITY);
    }

    fn put(&mut self, text: String, until: f64) {
        self.notes.retain(|(note, _)| *note != text);
        self.notes.push((text, until));
        if self.notes.len() > NOTES_MAX {
            self.notes.remove(0);
        }
    }

    /// Draws the notes and the profile's notice above `foot`.
    pub(crate) fn ui(
        &mut self,
        ui: &Ui,
        p: &Palette,
        profile: Option<&ProfileView>,
        foot: Pos2,
        asks: &mut Asks,
    ) {
        let now = ui.input(|input| input.time);
        self.notes.retain(|(_, until)| *until > now);
        let notice = profile.and_then(|profile| profile.notice.map(|notice| (profile, notice)));
        if let Some((profile, notice)) = notice {
            self.pass(ui, now, profile, notice, asks);
        } else {
            self.passing = None;
        }
        if self.notes.is_empty() && notice.is_none() {
            return;
        }
        let next = self
            .notes
            .iter()
            .map(|(_, until)| until - now)
            .filter(|wait| wait.is_finite())
            .reduce(f64::min);
        if let Some(wait) = next {
            ui.ctx()
                .request_repaint_after(Duration::from_secs_f64(wait.max(0.01)));
        }
        Area::new(Id::unique("toasts"))
            .order(Order::Foreground)
            .pivot(Align2::CENTER_BOTTOM)
            .fixed_pos(foot)
            .show(ui.ctx(), |ui| {
                ui.spacing_mut().item_spacing.y = space::S;
                self.notes.retain(|(text, until)| {
                    let is_failure = until.is_infinite();
                    let border = if is_failure { p.danger } else { p.line };
                    !note_ui(ui, p, text, border, is_failure)
                });
                if let Some((profile, notice)) = notice
                    && note_ui(ui, p, &words::notice(notice), border(p, notice), true)
                {
                    asks.command(&profile.id, Command::DismissNotice);
                }
            });
    }

    /// Dismisses a notice of success by itself after a while.
    fn pass(&mut self, ui: &Ui, now: f64, profile: &ProfileView, notice: Notice, asks: &mut Asks) {
        let is_success = matches!(
            notice,
            Notice::PassphraseSet | Notice::RecoveryCodeSet | Notice::KeyringSet
        );
        if !is_success {
            return;
        }
        match self.passing {
            Some((shown, since)) if shown == notice => {
                let wait = since + STAY_SECS - now;
                if wait <= 0.0 {
                    self.passing = Some((notice, f64::MAX));
                    asks.command(&profile.id, Command::DismissNotice);
                } else if wait.is_finite() && wait < STAY_SECS + 1.0 {
                    ui.ctx()
                        .request_repaint_after(Duration::from_secs_f64(wait));
                }
            }
            _ => {
                self.passing = Some((notice, now));
                ui.ctx()
                    .request_repaint_after(Duration::from_secs_f64(STAY_SECS));
            }
        }
    }
}

fn border(p: &Palette, notice: Notice) -> Color32 {
    match notice {
        Notice::NotStored | Notice::PassphraseWrong | Notice::KeyringRefused => p.danger,
        Notice::Unopened { .. } | Notice::SetBack => p.warning,
        _ => p.line,
    }
}

/// Draws a note; whether it was dismissed, if it can be.
fn note_ui(ui: &mut Ui, p: &Palette, text: &str, border: Color32, can_dismiss: bool) -> bool {
    Frame::new()
        .fill(p.surface3)
        .stroke(Stroke::new(1.0, border))
        .corner_radius(CornerRadius::same(space::RADIUS_ROW))
        .shadow(ui.visuals().popup_shadow)
        .inner_margin(Margin::symmetric(16, 8))
        .show(ui, |ui| {
            ui.horizontal(|ui| {
                ui.set_min_height(space::TARGET);
                let room = (ui.ctx().content_rect().width() - 140.0).clamp(160.0, 420.0);
                let galley = ui
                    .painter()
                    .layout(text.to_owned(), body(14.0), p.text, room);
                let (rect, response) = ui.allocate_exact_size(galley.size(), egui::Sense::hover());
                response.widget_info(|| WidgetInfo::labeled(Role::Alert, true, text));
                ui.painter().galley(rect.min, galley, p.text);
                can_dismiss
                    && icon_button(ui, p, Icon::Close, words::DISMISS, space::TARGET).clicked()
            })
            .inner
        })
        .inner
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn at_most_three_notes_stand_and_none_twice() {
        let mut toasts = Toasts::default();
        for text in ["a", "b", "b", "c", "d"] {
            toasts.say(text.to_owned(), 0.0);
        }
        let texts: Vec<&str> = toasts.notes.iter().map(|(text, _)| text.as_str()).collect();
        assert_eq!(texts, ["b", "c", "d"]);
    }

    #[test]
    fn words_are_told_for_each_notice() {
        assert_ne!(
            words::notice(Notice::NotStored),
            words::notice(Notice::PassphraseSet)
        );
    }
}
