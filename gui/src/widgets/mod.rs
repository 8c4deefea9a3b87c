//! Controls that every view uses.

mod avatar;
mod banner;
mod button;
mod field;
mod menu_item;
mod progress;
mod qr;
mod spinner;

pub(crate) use avatar::avatar;
pub(crate) use banner::{Banner, Tone};
pub(crate) use button::{Kind, chip, icon_button, text_button};
pub(crate) use field::{Field, input_frame, text_field, text_field_with_button};
pub(crate) use menu_item::menu_item;
pub(crate) use progress::progress;
pub(crate) use qr::qr;
pub(crate) use spinner::spinner;

use egui::{CornerRadius, FontId, Painter, Pos2, Rect, Response, Stroke, StrokeKind, Ui};

use crate::theme::Palette;

/// Paints the ring around a control that has the focus.
pub(crate) fn focus_ring(ui: &Ui, p: &Palette, response: &Response, rect: Rect, radius: u8) {
    if response.has_focus() {
        ui.painter().rect_stroke(
            rect,
            CornerRadius::same(radius),
            Stroke::new(2.0, p.focus),
            StrokeKind::Inside,
        );
    }
}

/// Paints one line of text from `left` at vertical centre `y`, cut to `width`; gives its width.
pub(crate) fn line(
    painter: &Painter,
    at: Pos2,
    width: f32,
    text: &str,
    font: FontId,
    color: egui::Color32,
) -> f32 {
    let mut job = egui::text::LayoutJob::simple_singleline(text.to_owned(), font, color);
    job.wrap = egui::text::TextWrapping::truncate_at_width(width.max(0.0));
    let galley = painter.layout_job(job);
    let size = galley.size();
    painter.galley(at - egui::vec2(0.0, size.y / 2.0), galley, color);
    size.x
}
