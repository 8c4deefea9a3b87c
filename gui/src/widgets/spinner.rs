//! A turning arc, for as long as something visible waits.

use std::f32::consts::TAU;
use std::time::Duration;

use egui::{Color32, Pos2, Rect, Sense, Shape, Stroke, Ui, Vec2};

/// Time between two pictures of the arc.
const STEP: Duration = Duration::from_millis(33);

/// Draws the arc, `size` points across; it asks for frames only while it can be seen.
pub(crate) fn spinner(ui: &mut Ui, size: f32, color: Color32) {
    let (rect, response) = ui.allocate_exact_size(Vec2::splat(size), Sense::hover());
    response.widget_info(|| egui::WidgetInfo::labeled(egui::Role::ProgressIndicator, true, ""));
    if !ui.is_rect_visible(rect) {
        return;
    }
    #[expect(clippy::cast_possible_truncation, reason = "an angle needs no more")]
    let start = (ui.input(|input| input.time) % 1.0) as f32;
    paint(ui, rect, start, color);
    ui.ctx().request_repaint_after(STEP);
}

fn paint(ui: &Ui, rect: Rect, start: f32, color: Color32) {
    let radius = rect.width() / 2.0 - 2.0;
    let points: Vec<Pos2> = (0_u8..=24)
        .map(|step| {
            let angle = (start + 0.7 * f32::from(step) / 24.0) * TAU;
            rect.center() + radius * Vec2::angled(angle)
        })
        .collect();
    ui.painter()
        .add(Shape::line(points, Stroke::new(2.5, color)));
}
