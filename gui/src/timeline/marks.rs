//! What stands between messages, and instead of them.

use egui::{Align, Layout, Rect, RichText, Role, Sense, Stroke, Ui, UiBuilder, WidgetInfo, vec2};
use sotto_client::view::{ChatRow, Trust};

use crate::dialogs::Dialog;
use crate::icons::{self, Icon};
use crate::names::clean;
use crate::scene::{Asks, Scene, Wish};
use crate::theme::{body, medium, space};
use crate::widgets::{Kind, text_button};
use crate::words;

use super::scroll::{CENTER, PILL};

/// Height of a day separator and of the unread marker.
pub(super) const HEIGHT: f32 = 44.0;

/// The day of the messages that follow.
pub(super) fn day_ui(ui: &mut Ui, scene: Scene<'_>, rect: Rect, day: i64) {
    let p = scene.palette;
    let text = words::day_separator(day, scene.now.day);
    let galley = ui
        .painter()
        .layout_no_wrap(text.clone(), medium(12.0), p.text2);
    let center = rect.center() + vec2(0.0, 4.0);
    let pill = Rect::from_center_size(center, galley.size() + vec2(24.0, 8.0));
    let response = ui.interact(pill, ui.scope_id().with(("day", day)), Sense::hover());
    response.widget_info(|| WidgetInfo::labeled(Role::Label, true, &text));
    ui.painter().rect_filled(pill, PILL, p.surface2);
    ui.painter()
        .galley(pill.center() - galley.size() / 2.0, galley, p.text2);
}

/// The line above the first unread message.
pub(super) fn unread_ui(ui: &mut Ui, scene: Scene<'_>, rect: Rect) {
    let p = scene.palette;
    let center = rect.center() + vec2(0.0, 4.0);
    let response = ui.interact(rect, ui.scope_id().with("unread"), Sense::hover());
    response.widget_info(|| WidgetInfo::labeled(Role::Label, true, words::UNREAD_MARKER));
    let text = ui
        .painter()
        .text(center, CENTER, words::UNREAD_MARKER, medium(12.0), p.accent);
    let stroke = Stroke::new(1.0, p.accent);
    let gap = space::M;
    ui.painter()
        .hline(rect.left()..=text.left() - gap, center.y, stroke);
    ui.painter()
        .hline(text.right() + gap..=rect.right(), center.y, stroke);
}

/// A chat without messages.
pub(super) fn empty_ui(ui: &mut Ui, scene: Scene<'_>, rect: Rect, chat: &ChatRow, asks: &mut Asks) {
    let p = scene.palette;
    let area = Rect::from_center_size(rect.center(), vec2(rect.width().min(380.0) - 32.0, 150.0));
    let layout = Layout::top_down(Align::Center);
    let mut child = ui.new_child(UiBuilder::new().max_rect(area).layout(layout));
    let (icon, _) = child.allocate_exact_size(vec2(32.0, 32.0), Sense::hover());
    icons::paint(child.painter(), icon, Icon::Lock, p.text3);
    child.add_space(space::XS);
    child.label(
        RichText::new(words::EMPTY_CHAT)
            .font(body(14.0))
            .color(p.text2),
    );
    if chat.trust == Trust::Unverified && chat.safety_number.is_some() {
        child.add_space(space::S);
        let label = words::verify_title(&clean(&chat.name, &chat.handle));
        if text_button(&mut child, p, Kind::Plain, &label, space::CONTROL, 0.0).clicked() {
            asks.wish(Wish::Dialog(Box::new(Dialog::verify(chat.id))));
        }
    }
}
