//! At the foot of the list: how the connection stands, and the way to the relay's dialog.

use egui::{CornerRadius, CursorIcon, Rect, Role, Sense, Ui, Vec2, WidgetInfo, vec2};
use sotto_client::view::RelayState;

use crate::dialogs::Dialog;
use crate::icons::{self, Icon};
use crate::relay::{RelayInfo, RelayKind};
use crate::scene::{Asks, Scene, Wish};
use crate::theme::{body, space};
use crate::widgets::{focus_ring, line};
use crate::words;

/// Draws the chip across `rect`.
pub(crate) fn ui(ui: &mut Ui, scene: Scene<'_>, rect: Rect, relay: &RelayInfo, asks: &mut Asks) {
    let p = scene.palette;
    ui.painter()
        .hline(rect.x_range(), rect.top(), egui::Stroke::new(1.0, p.line));
    let label = words::relay_state(scene.profile.relay, relay.kind);
    let inner = rect.shrink2(vec2(space::S, 6.0));
    let response = ui.interact(inner, ui.scope_id().with("relay-chip"), Sense::click());
    response.widget_info(|| {
        WidgetInfo::labeled(Role::Button, true, format!("{}: {label}", words::RELAY))
    });
    if response.hovered() {
        ui.painter()
            .rect_filled(inner, CornerRadius::same(space::RADIUS_ROW), p.surface2);
    }
    let dot = inner.left_center() + vec2(14.0, 0.0);
    match (scene.profile.relay, relay.kind) {
        (_, RelayKind::Failed(_)) => {
            let mark = Rect::from_center_size(dot, Vec2::splat(16.0));
            icons::paint(ui.painter(), mark, Icon::Alert, p.danger);
        }
        (RelayState::Connected, _) => {
            ui.painter().circle_filled(dot, 4.5, p.success);
        }
        (RelayState::Connecting, _) => {
            ui.painter()
                .circle_stroke(dot, 4.5, egui::Stroke::new(1.75, p.warning));
            let half = Rect::from_min_max(dot - vec2(4.5, 4.5), dot + vec2(0.0, 4.5));
            ui.painter()
                .with_clip_rect(half)
                .circle_filled(dot, 4.5, p.warning);
        }
        (RelayState::Offline(_), _) => {
            ui.painter()
                .circle_stroke(dot, 4.5, egui::Stroke::new(1.75, p.text2));
        }
    }
    let at = inner.left_center() + vec2(28.0, 0.0);
    line(
        ui.painter(),
        at,
        inner.width() - 36.0,
        label,
        body(13.0),
        p.text2,
    );
    focus_ring(ui, p, &response, inner, space::RADIUS_ROW);
    if response.on_hover_cursor(CursorIcon::PointingHand).clicked() {
        asks.wish(Wish::Dialog(Box::new(Dialog::Relay)));
    }
}
