//! The identities at the left edge.

use egui::scroll_area::ScrollBarVisibility;
use egui::{
    Align2, CornerRadius, Id, Rect, Role, ScrollArea, Sense, Stroke, Ui, Vec2, WidgetInfo, pos2,
    vec2,
};
use sotto_client::view::{ProfileId, ProfileState, ProfileView, ViewModel};

use crate::dialogs::{Dialog, IdentityForm};
use crate::icons::{self, Icon};
use crate::names::clean;
use crate::scene::{Asks, Wish, pane};
use crate::theme::{Palette, semibold, space};
use crate::widgets::{avatar, focus_ring, icon_button};
use crate::words;

/// Height of one identity's place.
const SLOT: f32 = 56.0;

/// The id of an identity's avatar, to move the focus to it.
pub(crate) fn id(profile: &ProfileId) -> Id {
    Id::unique(("identity", profile))
}

/// Draws the rail. An active identity that `is_new` is scrolled to.
pub(crate) fn ui(
    ui: &mut Ui,
    p: &'static Palette,
    rect: Rect,
    model: &ViewModel,
    active: Option<&ProfileId>,
    is_new: bool,
    asks: &mut Asks,
) {
    ui.painter().rect_filled(rect, 0, p.rail);
    pane(ui, rect, "rail", |ui| {
        ui.ctx().accesskit_node_builder(ui.unique_id(), |node| {
            node.set_role(Role::List);
            node.set_label(words::IDENTITIES);
        });
        let bottom = Rect::from_min_max(
            pos2(
                rect.center().x - 20.0,
                rect.bottom() - 2.0 * 40.0 - space::M - space::XS,
            ),
            pos2(rect.center().x + 20.0, rect.bottom()),
        );
        let button = 40.0 + space::XS;
        let top = rect.top() + space::S;
        let end = model.profiles.iter().fold(top, |end, _| end + SLOT);
        let list = Rect::from_min_max(
            pos2(rect.left(), top),
            pos2(rect.right(), end.min(bottom.top() - button)),
        );
        pane(ui, list, "rail-list", |ui| {
            // More identities than fit are scrolled to; the bar would cover them.
            let area =
                ScrollArea::vertical().scroll_bar_visibility(ScrollBarVisibility::AlwaysHidden);
            area.auto_shrink(false).show(ui, |ui| {
                ui.spacing_mut().item_spacing.y = 0.0;
                for (index, profile) in model.profiles.iter().enumerate() {
                    let (slot, place) =
                        ui.allocate_exact_size(vec2(rect.width(), SLOT), Sense::hover());
                    let is_active = active == Some(&profile.id);
                    if is_active && is_new {
                        place.scroll_to_me(None);
                    }
                    identity_ui(ui, p, slot, profile, index, is_active, asks);
                }
            });
        });
        let place = pos2(bottom.left(), list.bottom());
        let place = Rect::from_min_size(place, vec2(bottom.width(), button));
        pane(ui, place, "rail-new", |ui| {
            if icon_button(ui, p, Icon::Plus, words::NEW_IDENTITY, 40.0).clicked() {
                let form = IdentityForm::default();
                asks.wish(Wish::Dialog(Box::new(Dialog::NewIdentity(form))));
            }
        });
        pane(ui, bottom, "rail-bottom", |ui| {
            ui.spacing_mut().item_spacing.y = space::XS;
            if icon_button(ui, p, Icon::Relay, words::RELAY, 40.0).clicked() {
                asks.wish(Wish::Dialog(Box::new(Dialog::Relay)));
            }
            if icon_button(ui, p, Icon::Settings, words::SETTINGS, 40.0).clicked() {
                asks.wish(Wish::Dialog(Box::new(Dialog::Settings)));
            }
        });
    });
}

fn identity_ui(
    ui: &mut Ui,
    p: &Palette,
    slot: Rect,
    profile: &ProfileView,
    index: usize,
    is_active: bool,
    asks: &mut Asks,
) {
    let name = clean(&profile.name, profile.id.as_str());
    let response = ui.interact(
        slot.shrink2(vec2(8.0, 3.0)),
        id(&profile.id),
        Sense::click(),
    );
    if response.gained_focus() {
        response.scroll_to_me(None);
    }
    response.widget_info(|| {
        let label = words::identity(&name, profile.unread);
        WidgetInfo::selected(Role::RadioButton, true, is_active, label)
    });
    let center = slot.center();
    if is_active {
        let bar = Rect::from_center_size(pos2(slot.left(), center.y), vec2(8.0, 28.0));
        ui.painter()
            .rect_filled(bar, CornerRadius::same(4), p.accent);
        ui.painter()
            .circle_stroke(center, 23.0, Stroke::new(2.0, p.accent));
    } else if response.hovered() {
        ui.painter()
            .circle_stroke(center, 23.0, Stroke::new(2.0, p.control_border));
    }
    avatar(ui.painter(), center, 40.0, &name, profile.id.as_str());
    let corner = center + vec2(14.0, -14.0);
    match profile.state {
        ProfileState::Locked { .. } => state_mark(ui, p, center + vec2(14.0, 14.0), Icon::Lock),
        ProfileState::OpenElsewhere => state_mark(ui, p, center + vec2(14.0, 14.0), Icon::Windows),
        ProfileState::Failed(_) => state_mark(ui, p, center + vec2(14.0, 14.0), Icon::Alert),
        _ => {}
    }
    if profile.unread > 0 {
        badge(ui, p, corner, profile.unread, p.rail, true);
    }
    focus_ring(ui, p, &response, slot.shrink2(vec2(6.0, 2.0)), 14);
    let response = response.on_hover_cursor(egui::CursorIcon::PointingHand);
    let hint = if index < 9 {
        words::identity_hint(&name, index + 1)
    } else {
        name
    };
    if response.on_hover_text(hint).clicked() {
        asks.wish(Wish::Profile(profile.id.clone()));
    }
}

fn state_mark(ui: &Ui, p: &Palette, center: egui::Pos2, icon: Icon) {
    ui.painter().circle_filled(center, 10.0, p.rail);
    ui.painter().circle_filled(center, 8.5, p.surface3);
    let picture = Rect::from_center_size(center, Vec2::splat(12.0));
    icons::paint(ui.painter(), picture, icon, p.text);
}

/// A count with a ring of the ground's colour around it; on the accent when it `calls`.
pub(crate) fn badge(
    ui: &Ui,
    p: &Palette,
    center: egui::Pos2,
    count: u32,
    ground: egui::Color32,
    calls: bool,
) {
    let (fill, ink) = if calls {
        (p.accent, p.on_accent)
    } else {
        (p.surface3, p.text2)
    };
    let text = words::badge(count);
    let galley = ui.painter().layout_no_wrap(text, semibold(11.0), ink);
    let size = vec2((galley.size().x + 10.0).max(18.0), 18.0);
    let rect = Rect::from_center_size(center, size);
    ui.painter()
        .rect_filled(rect.expand(2.0), CornerRadius::same(11), ground);
    ui.painter().rect_filled(rect, CornerRadius::same(9), fill);
    ui.painter().text(
        center,
        Align2::CENTER_CENTER,
        galley.text(),
        semibold(11.0),
        ink,
    );
}
