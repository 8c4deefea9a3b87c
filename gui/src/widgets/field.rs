//! Fields to type into.

use egui::{CornerRadius, Frame, Id, Margin, Response, RichText, Stroke, TextEdit, Ui};

use crate::icons::Icon;
use crate::theme::{Palette, body, medium, space};
use crate::words;

use super::{Kind, icon_button, text_button};

/// Width of a button beside a field.
const BUTTON_WIDTH: f32 = 96.0;

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

/// The name above a field.
fn name_ui(ui: &mut Ui, p: &Palette, label: &str) -> Response {
    let name = ui.label(RichText::new(label).font(medium(13.0)).color(p.text2));
    ui.add_space(-space::XS);
    name
}

/// The line of a field, `width` points wide.
fn line_ui(
    ui: &mut Ui,
    p: &Palette,
    label: &str,
    text: &mut String,
    width: f32,
    is_hidden: bool,
) -> Response {
    let id = Field::id(label);
    let has_focus = ui.memory(|memory| memory.has_focus(id));
    let field = TextEdit::singleline(text)
        .id(id)
        .password(is_hidden)
        .font(body(14.0))
        .desired_width(width)
        .char_limit(1024)
        .frame(input_frame(
            p,
            has_focus,
            space::RADIUS_INPUT,
            Margin::symmetric(12, 9),
        ));
    ui.add(field)
}

/// A line to type into, with its name above.
pub(crate) fn text_field(ui: &mut Ui, p: &Palette, label: &str, text: &mut String) -> Response {
    let name = name_ui(ui, p, label);
    let width = ui.available_width();
    line_ui(ui, p, label, text, width, false).labelled_by(name.id)
}

/// As [`text_field`], with a button beside it; whether that was clicked.
pub(crate) fn text_field_with_button(
    ui: &mut Ui,
    p: &Palette,
    label: &str,
    text: &mut String,
    button: &str,
    is_enabled: bool,
) -> (Response, bool) {
    let name = name_ui(ui, p, label);
    let width = ui.available_width() - BUTTON_WIDTH - space::S;
    let shown = ui.horizontal(|ui| {
        let field = line_ui(ui, p, label, text, width, false).labelled_by(name.id);
        let button = ui.add_enabled_ui(is_enabled, |ui| {
            text_button(ui, p, Kind::Plain, button, space::CONTROL, BUTTON_WIDTH)
        });
        (field, button.inner.clicked())
    });
    shown.inner
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
        let name = name_ui(ui, p, self.label);
        let width = ui.available_width() - space::CONTROL - space::S;
        ui.horizontal(|ui| {
            let response = line_ui(ui, p, self.label, self.text, width, !*self.is_shown);
            let response = response.labelled_by(name.id);
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
