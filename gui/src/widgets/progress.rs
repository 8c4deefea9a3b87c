//! How far something has come.

use egui::{RichText, Role, Sense, Ui, WidgetInfo, vec2};

use crate::theme::{Palette, body, space};

use super::spinner;

/// Draws a bar across the available width, as far as it has come, of a hundred; and under it what is
/// being done. It turns where nothing can be told of that.
pub(crate) fn progress(ui: &mut Ui, p: &Palette, percent: Option<u16>, label: &str) {
    let (rect, response) = ui.allocate_exact_size(vec2(ui.available_width(), 6.0), Sense::hover());
    response.widget_info(|| {
        let mut info = WidgetInfo::labeled(Role::ProgressIndicator, true, label);
        info.value = percent.map(f64::from);
        info
    });
    ui.painter().rect_filled(rect, 3, p.surface3);
    let mut done = rect;
    done.set_width(rect.width() * f32::from(percent.unwrap_or(0)) / 100.0);
    ui.painter().rect_filled(done, 3, p.accent);
    ui.horizontal(|ui| {
        // Nothing else moves before the first step and after the last one.
        if matches!(percent, None | Some(100)) {
            spinner(ui, 20.0, p.accent);
            ui.add_space(space::XS);
        }
        ui.label(RichText::new(label).font(body(14.0)).color(p.text));
    });
}
