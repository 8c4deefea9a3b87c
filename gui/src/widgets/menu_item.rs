//! A line of a menu.

use egui::{Align2, CornerRadius, CursorIcon, Rect, Role, Sense, Ui, Vec2, WidgetInfo, vec2};

use crate::icons::{self, Icon};
use crate::theme::{Palette, body, space};

use super::focus_ring;

/// As wide as the longest line.
const WIDTH: f32 = 220.0;

/// Draws the line; whether it was chosen.
pub(crate) fn menu_item(ui: &mut Ui, p: &Palette, icon: Icon, label: &str) -> bool {
    let size = vec2(WIDTH, 36.0);
    let (rect, response) = ui.allocate_exact_size(size, Sense::click());
    response.widget_info(|| WidgetInfo::labeled(Role::Button, true, label));
    if response.hovered() {
        ui.painter()
            .rect_filled(rect, CornerRadius::same(space::RADIUS_INPUT), p.surface2);
    }
    let picture = Rect::from_center_size(rect.left_center() + vec2(20.0, 0.0), Vec2::splat(18.0));
    icons::paint(ui.painter(), picture, icon, p.text2);
    ui.painter().text(
        rect.left_center() + vec2(40.0, 0.0),
        Align2::LEFT_CENTER,
        label,
        body(14.0),
        p.text,
    );
    focus_ring(ui, p, &response, rect, space::RADIUS_INPUT);
    response.on_hover_cursor(CursorIcon::PointingHand).clicked()
}
