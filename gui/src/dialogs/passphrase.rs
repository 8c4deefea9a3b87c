//! Sets, changes or removes the passphrase.

use egui::{CornerRadius, Rect, RichText, Role, Sense, Ui, WidgetInfo, vec2};
use sotto_client::Command;
use zeroize::Zeroizing;

use crate::gate::alert;
use crate::scene::{Asks, Wish};
use crate::theme::{Palette, body, space};
use crate::widgets::{Field, Kind, text_button};
use crate::words;

use super::{DialogScene, frame};

/// The least number of characters in a passphrase.
const CHARS_MIN: usize = 8;

/// What is typed into the dialog; wiped when it closes.
#[derive(Default)]
pub(crate) struct PassphraseForm {
    current: Zeroizing<String>,
    new: Zeroizing<String>,
    repeated: Zeroizing<String>,
    is_shown: bool,
    is_removal: bool,
    is_focused: bool,
}

/// How hard a passphrase is to guess, roughly.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Strength {
    /// Not accepted.
    TooShort,
    /// A computer guesses it soon.
    Weak,
    /// Resists for a while.
    Fair,
    /// Resists.
    Strong,
}

impl Strength {
    /// Estimates from the length and the number of different characters.
    ///
    /// A crude measure on purpose: it never promises more than the length can keep.
    pub(crate) fn of(passphrase: &str) -> Self {
        let chars: Vec<char> = passphrase.chars().collect();
        let mut different = chars.clone();
        different.sort_unstable();
        different.dedup();
        match (chars.len(), different.len()) {
            (len, _) if len < CHARS_MIN => Self::TooShort,
            (len, kinds) if len < 12 || kinds < 6 => Self::Weak,
            (len, kinds) if len < 18 || kinds < 9 => Self::Fair,
            _ => Self::Strong,
        }
    }

    fn part(self) -> f32 {
        match self {
            Self::TooShort => 0.1,
            Self::Weak => 0.35,
            Self::Fair => 0.65,
            Self::Strong => 1.0,
        }
    }

    fn color(self, p: &Palette) -> egui::Color32 {
        match self {
            Self::TooShort | Self::Weak => p.danger,
            Self::Fair => p.warning,
            Self::Strong => p.success,
        }
    }
}

impl PassphraseForm {
    /// A form that removes the passphrase.
    pub(crate) fn removal() -> Self {
        Self {
            is_removal: true,
            ..Self::default()
        }
    }

    /// Draws the dialog.
    pub(super) fn ui(&mut self, ui: &Ui, scene: DialogScene<'_>, asks: &mut Asks) {
        let Some(profile) = scene.profile else {
            asks.wish(Wish::CloseDialog);
            return;
        };
        let p = scene.palette;
        let title = match (self.is_removal, profile.has_passphrase) {
            (true, _) => words::REMOVE_PASSPHRASE,
            (false, true) => words::CHANGE_PASSPHRASE,
            (false, false) => words::SET_PASSPHRASE,
        };
        frame(ui, p, title, 400.0, asks, |ui, asks| {
            let has_enter = self.fields_ui(ui, p, profile.has_passphrase);
            let is_new_good = self.is_removal
                || Strength::of(&self.new) > Strength::TooShort && *self.new == *self.repeated;
            let is_ready = is_new_good && (!profile.has_passphrase || !self.current.is_empty());
            ui.add_space(space::M);
            ui.horizontal(|ui| {
                let kind = if self.is_removal {
                    Kind::Danger
                } else {
                    Kind::Primary
                };
                let button = ui.add_enabled_ui(is_ready, |ui| {
                    text_button(ui, p, kind, title, space::CONTROL, 0.0)
                });
                if (button.inner.clicked() || has_enter) && is_ready {
                    let current = std::mem::take(&mut self.current);
                    let new = std::mem::take(&mut self.new);
                    let command = Command::SetPassphrase { current, new };
                    asks.command(&profile.id, command);
                    asks.wish(Wish::CloseDialog);
                }
                if text_button(ui, p, Kind::Plain, words::CANCEL, space::CONTROL, 0.0).clicked() {
                    asks.wish(Wish::CloseDialog);
                }
            });
        });
    }

    /// The fields; whether Enter was pressed in one of them.
    fn fields_ui(&mut self, ui: &mut Ui, p: &Palette, has_passphrase: bool) -> bool {
        if !self.is_removal {
            ui.label(
                RichText::new(words::PASSPHRASE_ADVICE)
                    .font(body(13.0))
                    .color(p.text2),
            );
            ui.add_space(space::XS);
        }
        let mut fields = Vec::new();
        if has_passphrase {
            fields.push((words::CURRENT_PASSPHRASE, &mut self.current));
        }
        if !self.is_removal {
            fields.push((words::NEW_PASSPHRASE, &mut self.new));
            fields.push((words::REPEAT_PASSPHRASE, &mut self.repeated));
        }
        let mut has_enter = false;
        for (label, text) in fields {
            let is_new = label == words::NEW_PASSPHRASE;
            let response = Field {
                label,
                text,
                is_shown: &mut self.is_shown,
            }
            .ui(ui, p);
            if !self.is_focused {
                self.is_focused = true;
                response.request_focus();
            }
            has_enter |=
                response.lost_focus() && ui.input(|input| input.key_pressed(egui::Key::Enter));
            if is_new && !text.is_empty() {
                strength_ui(ui, p, Strength::of(text));
            }
        }
        if !self.is_removal
            && !self.repeated.is_empty()
            && !self.new.starts_with(self.repeated.as_str())
        {
            alert(ui, p, words::PASSPHRASES_DIFFER);
        }
        has_enter
    }
}

fn strength_ui(ui: &mut Ui, p: &Palette, strength: Strength) {
    let (rect, response) = ui.allocate_exact_size(vec2(ui.available_width(), 4.0), Sense::hover());
    let label = words::strength(strength);
    response.widget_info(|| WidgetInfo::labeled(Role::ProgressIndicator, true, label));
    let radius = CornerRadius::same(2);
    ui.painter().rect_filled(rect, radius, p.surface3);
    let done = Rect::from_min_size(rect.min, vec2(rect.width() * strength.part(), 4.0));
    ui.painter().rect_filled(done, radius, strength.color(p));
    ui.label(RichText::new(label).font(body(13.0)).color(p.text2));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strength_grows_with_length_and_variety() {
        assert_eq!(Strength::of("short"), Strength::TooShort);
        assert_eq!(Strength::of("password"), Strength::Weak);
        assert_eq!(Strength::of(&"a".repeat(40)), Strength::Weak);
        assert_eq!(Strength::of("blue table 42"), Strength::Fair);
        assert_eq!(Strength::of("seven quiet rivers meet"), Strength::Strong);
    }
}
