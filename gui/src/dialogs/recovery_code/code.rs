//! A recovery code as it is shown, and as it is typed back.

use egui::{Frame, Label, Margin, RichText, Stroke, Ui};
use sotto_client::RecoveryCode;
use zeroize::Zeroizing;

use crate::scene::{Asks, Wish};
use crate::theme::{Palette, mono, space};
use crate::widgets::{Kind, text_button};
use crate::words;

use super::sentence;

/// Signs that have to be typed back at least: two groups.
const SIGNS_TYPED_MIN: usize = 8;
/// Signs of the first line of the code, with its hyphens; the next one is left out.
const LINE_SIGNS: usize = 19;

/// What somebody has typed of a code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Typed {
    /// Not enough to tell.
    TooLittle,
    /// Something else than its end.
    Wrong,
    /// Its end, or all of it.
    Right,
}

impl Typed {
    /// Compares what was typed with the code's end.
    pub(super) fn of(typed: &str, code: &RecoveryCode) -> Self {
        let typed = signs(typed);
        if typed.len() < SIGNS_TYPED_MIN {
            Self::TooLittle
        } else if signs(&code.to_text()).ends_with(&*typed) {
            Self::Right
        } else {
            Self::Wrong
        }
    }
}

/// The code, to be written down; whether the person says that it was.
pub(super) fn ui(
    ui: &mut Ui,
    p: &Palette,
    code: &str,
    is_replacement: bool,
    asks: &mut Asks,
) -> bool {
    sentence(ui, p, words::RECOVERY_CODE_ADVICE);
    if is_replacement {
        sentence(ui, p, words::REPLACE_RECOVERY_CODE_HINT);
    }
    ui.add_space(space::XS);
    Frame::new()
        .fill(p.surface0)
        .stroke(Stroke::new(1.0, p.line))
        .corner_radius(space::RADIUS_INPUT)
        .inner_margin(Margin::symmetric(12, 16))
        .show(ui, |ui| {
            ui.set_width(ui.available_width());
            ui.vertical_centered(|ui| {
                let (first, second) = code.split_at_checked(LINE_SIGNS).unwrap_or((code, ""));
                let second = second.trim_start_matches('-');
                let lines = Zeroizing::new(format!("{first}\n{second}"));
                let text = RichText::new(&*lines).font(mono(20.0)).color(p.text);
                let text = text.line_height(Some(30.0));
                ui.add(Label::new(text).extend());
            });
        });
    ui.add_space(space::M);
    let mut is_written = false;
    ui.horizontal(|ui| {
        let label = words::WRITTEN_DOWN;
        is_written = text_button(ui, p, Kind::Primary, label, space::CONTROL, 0.0).clicked();
        if text_button(ui, p, Kind::Plain, words::COPY_CODE, space::CONTROL, 0.0).clicked() {
            asks.wish(Wish::Copy(code.to_owned()));
        }
    });
    is_written
}

/// The letters and digits of a code as somebody types it, each in its one form.
fn signs(text: &str) -> Zeroizing<String> {
    let signs = text
        .chars()
        .filter(|sign| !sign.is_whitespace() && *sign != '-');
    let signs = signs.map(|sign| match sign.to_ascii_uppercase() {
        'O' => '0',
        'I' | 'L' => '1',
        sign => sign,
    });
    let mut found = Zeroizing::new(String::with_capacity(text.len()));
    found.extend(signs);
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_of_a_code_is_known_as_people_type_it() {
        let text = "58N2-MAHA-58N2-MAHA-58N2-MAHA-58VN-H6QC";
        let code: RecoveryCode = text.parse().unwrap();
        for right in [text, "58vn h6qc", "maha-58VNH6QC", &text.replace('-', "")] {
            assert_eq!(Typed::of(right, &code), Typed::Right, "{right}");
        }
        for wrong in ["58VN-H6QD", "58N2-MAHA", "1 58VN-H6QC", &text.repeat(2)] {
            assert_eq!(Typed::of(wrong, &code), Typed::Wrong, "{wrong}");
        }
        for little in ["", "H6QC", "8VN-H6QC", "- - - - - - - -"] {
            assert_eq!(Typed::of(little, &code), Typed::TooLittle, "{little}");
        }
        assert_eq!(*signs(" olhi - aBc\t"), "01H1ABC");
    }
}
