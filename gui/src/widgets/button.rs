//! Buttons.

use egui::{
    Color32, CornerRadius, CursorIcon, Rect, Response, Role, Sense, Stroke, StrokeKind, Ui, Vec2,
    WidgetInfo, vec2,
};

use crate::icons::{self, Icon};
use crate::theme::{Palette, medium, space};

use super::focus_ring;

/// How much a button stands out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// The one thing to do here.
    Primary,
    /// Something else to do.
    Plain,
    /// Destroys or breaks off.
    Danger,
}

/// A button with a word; `height` in points, at least `min_width` wide.
pub(crate) fn text_button(
    ui: &mut Ui,
    p: &Palette,
    kind: Kind,
    label: &str,
    height: f32,
    min_width: f32,
) -> Response {
    let is_enabled = ui.is_enabled();
    let galley = ui
        .painter()
        .layout_no_wrap(label.to_owned(), medium(14.0), Color32::PLACEHOLDER);
    let width = (galley.size().x + 2.0 * space::L).max(min_width);
    let (rect, response) = ui.allocate_exact_size(vec2(width, height), Sense::click());
    response.widget_info(|| WidgetInfo::labeled(Role::Button, is_enabled, label));
    if response.gained_focus() {
        response.scroll_to_me(None);
    }
    let (fill, ink, border) = match kind {
        _ if !is_enabled => (p.surface3, p.text2, Color32::TRANSPARENT),
        Kind::Primary => (p.accent, p.on_accent, Color32::TRANSPARENT),
        Kind::Plain => (p.surface1, p.text, p.control_border),
        Kind::Danger => (p.surface1, p.danger, p.control_border),
    };
    let is_hovered = is_enabled && response.hovered();
    let fill = match kind {
        Kind::Primary if is_hovered => fill.lerp_to_gamma(p.text, 0.12),
        Kind::Plain | Kind::Danger if is_hovered => p.surface2,
        _ => fill,
    };
    let radius = CornerRadius::same(8);
    ui.painter().rect_filled(rect, radius, fill);
    ui.painter()
        .rect_stroke(rect, radius, Stroke::new(1.0, border), StrokeKind::Inside);
    let at = rect.center() - galley.size() / 2.0;
    ui.painter().galley(at, galley, ink);
    focus_ring(ui, p, &response, rect.expand(3.0), 11);
    with_hand(response)
}

/// A square button with an icon and a name that hovering shows.
pub(crate) fn icon_button(
    ui: &mut Ui,
    p: &Palette,
    icon: Icon,
    label: &str,
    size: f32,
) -> Response {
    let is_enabled = ui.is_enabled();
    let (rect, response) = ui.allocate_exact_size(Vec2::splat(size), Sense::click());
    response.widget_info(|| WidgetInfo::labeled(Role::Button, is_enabled, label));
    if response.hovered() {
        ui.painter()
            .rect_filled(rect, CornerRadius::same(space::RADIUS_ROW), p.surface3);
    }
    let ink = if response.hovered() { p.text } else { p.text2 };
    icons::paint(
        ui.painter(),
        Rect::from_center_size(rect.center(), Vec2::splat(20.0)),
        icon,
        ink,
    );
    focus_ring(ui, p, &response, rect, space::RADIUS_ROW);
    with_hand(response).on_hover_text(label)
}

/// A pill with an icon and a word in one colour.
pub(crate) fn chip(ui: &mut Ui, p: &Palette, icon: Icon, ink: Color32, label: &str) -> Response {
    let galley = ui
        .painter()
        .layout_no_wrap(label.to_owned(), medium(13.0), Color32::PLACEHOLDER);
    let size = vec2(galley.size().x + 42.0, space::TARGET);
    let (rect, response) = ui.allocate_exact_size(size, Sense::click());
    response.widget_info(|| WidgetInfo::labeled(Role::Button, true, label));
    let fill = if response.hovered() {
        p.surface3
    } else {
        p.surface2
    };
    let radius = CornerRadius::same(16);
    ui.painter().rect_filled(rect, radius, fill);
    let picture = Rect::from_center_size(rect.left_center() + vec2(18.0, 0.0), Vec2::splat(16.0));
    icons::paint(ui.painter(), picture, icon, ink);
    let at = rect.left_center() + vec2(30.0, -galley.size().y / 2.0);
    ui.painter().galley(at, galley, ink);
    focus_ring(ui, p, &response, rect, 16);
    with_hand(response)
}

fn with_hand(response: Response) -> Response {
    if response.enabled() {
        response.on_hover_cursor(CursorIcon::PointingHand)
    } else {
        response
    }
}
