//! Fields to type into.

use egui::{CornerRadius, Frame, Id, Margin, Response, RichText, Stroke, TextEdit, Ui};

use crate::icons::Icon;
use crate::theme::{Palette, body, medium, space};
use crate::words;

use super::icon_button;

/// The frame of an input; its ring shows the focus.
pub(crate) fn input_frame(p: &Palette, has_focus: bool, radius: u8, margin: Margin) -> Frame {
    let stroke = if has_focus {
        Stroke::new(2.0, p.focus)
    } else {
        Stroke::new(1.0, p.control_border)
    };
    // The stroke lies inside the margin, so that the text does not move with the focus.
    Frame::new()
        .fill(p.surface0)
        .corner_radius(CornerRadius::same(radius))
        .inner_margin(margin - Margin::same(if has_focus { 2 } else { 1 }))
        .stroke(stroke)
}

/// A line to type into, with its name above.
pub(crate) fn text_field(ui: &mut Ui, p: &Palette, label: &str, text: &mut String) -> Response {
    let id = Field::id(label);
    let name = ui.label(RichText::new(label).font(medium(13.0)).color(p.text2));
    ui.add_space(-space::XS);
    let has_focus = ui.memory(|memory| memory.has_focus(id));
    let field = TextEdit::singleline(text)
        .id(id)
        .font(body(14.0))
        .desired_width(ui.available_width())
        .char_limit(1024)
        .frame(input_frame(
            p,
            has_focus,
            space::RADIUS_INPUT,
            Margin::symmetric(12, 9),
        ));
    ui.add(field).labelled_by(name.id)
}

/// A passphrase field with its name above and an eye to show what was typed.
pub(crate) struct Field<'a> {
    /// Names the field, for the person and for the program.
    pub(crate) label: &'a str,
    /// What was typed.
    pub(crate) text: &'a mut String,
    /// Whether it is shown.
    pub(crate) is_shown: &'a mut bool,
}

impl Field<'_> {
    /// The field's id, from its name.
    pub(crate) fn id(label: &str) -> Id {
        Id::unique(("field", label))
    }

    /// Draws the field across the available width.
    pub(crate) fn ui(self, ui: &mut Ui, p: &Palette) -> Response {
        let id = Self::id(self.label);
        let name = ui.label(RichText::new(self.label).font(medium(13.0)).color(p.text2));
        ui.add_space(-space::XS);
        let has_focus = ui.memory(|memory| memory.has_focus(id));
        let width = ui.available_width();
        ui.horizontal(|ui| {
            let field = TextEdit::singleline(self.text)
                .id(id)
                .password(!*self.is_shown)
                .font(body(14.0))
                .desired_width(width - space::CONTROL - space::S)
                .char_limit(1024)
                .frame(input_frame(
                    p,
                    has_focus,
                    space::RADIUS_INPUT,
                    Margin::symmetric(12, 9),
                ));
            let response = ui.add(field).labelled_by(name.id);
            let (icon, label) = if *self.is_shown {
                (Icon::EyeOff, words::HIDE_PASSPHRASE)
            } else {
                (Icon::Eye, words::SHOW_PASSPHRASE)
            };
            if icon_button(ui, p, icon, label, space::CONTROL).clicked() {
                *self.is_shown = !*self.is_shown;
            }
            response
        })
        .inner
    }
}
