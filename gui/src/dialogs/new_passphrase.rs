//! A new passphrase, typed twice, and how good it is.

use egui::{CornerRadius, Rect, RichText, Role, Sense, Ui, WidgetInfo, vec2};
use zeroize::Zeroizing;

use crate::gate::alert;
use crate::theme::{Palette, body};
use crate::widgets::Field;
use crate::words;

/// The least number of characters in a passphrase.
const CHARS_MIN: usize = 8;

/// What is typed; wiped when it is dropped.
#[derive(Default)]
pub(crate) struct NewPassphrase {
    text: Zeroizing<String>,
    repeated: Zeroizing<String>,
}

impl NewPassphrase {
    /// Nothing was typed.
    pub(super) fn is_empty(&self) -> bool {
        self.text.is_empty() && self.repeated.is_empty()
    }

    /// It is long enough, and the same twice.
    pub(super) fn is_good(&self) -> bool {
        Strength::of(&self.text) > Strength::TooShort && *self.text == *self.repeated
    }

    /// As it was typed; the fields keep it.
    pub(super) fn copy(&self) -> Zeroizing<String> {
        self.text.clone()
    }

    /// Takes it out of the fields.
    pub(super) fn take(&mut self) -> Zeroizing<String> {
        self.repeated = Zeroizing::default();
        std::mem::take(&mut self.text)
    }

    /// The fields with these names; whether Enter was pressed in one of them.
    pub(super) fn ui(
        &mut self,
        ui: &mut Ui,
        p: &Palette,
        labels: [&str; 2],
        is_shown: &mut bool,
        takes_focus: bool,
    ) -> bool {
        let [label, label_again] = labels;
        let text = &mut self.text;
        let first = Field {
            label,
            text,
            is_shown,
        }
        .ui(ui, p);
        if takes_focus {
            first.request_focus();
        }
        if !self.text.is_empty() {
            strength_ui(ui, p, Strength::of(&self.text));
        }
        let again = Field {
            label: label_again,
            text: &mut self.repeated,
            is_shown,
        }
        .ui(ui, p);
        if !self.text.starts_with(self.repeated.as_str()) {
            alert(ui, p, words::PASSPHRASES_DIFFER);
        }
        let enter = ui.input(|input| input.key_pressed(egui::Key::Enter));
        enter && (first.lost_focus() || again.lost_focus())
    }
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
