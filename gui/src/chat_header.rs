//! Above the messages: who, whether they are there, and whether they are who they say.

use std::time::Duration;

use egui::{
    Align, Frame, Layout, Margin, Rect, Role, Sense, Stroke, Ui, UiBuilder, Vec2, WidgetInfo, pos2,
    vec2,
};
use sotto_client::Command;
use sotto_client::view::{Body, ChatRow, Presence, Standing, Trust};

use crate::dialogs::{Dialog, ExportForm, SummaryForm, TranslationForm};
use crate::icons::{self, Icon};
use crate::names::clean;
use crate::scene::{Asks, Scene, Wish, pane};
use crate::theme::{body, semibold, space};
use crate::widgets::{avatar, chip, icon_button, line, menu_item};
use crate::words;

/// Draws the header; `has_back` when the list is not beside it.
pub(crate) fn ui(
    ui: &mut Ui,
    scene: Scene<'_>,
    rect: Rect,
    chat: &ChatRow,
    has_back: bool,
    asks: &mut Asks,
) {
    let p = scene.palette;
    ui.painter().rect_filled(rect, 0, p.surface1);
    ui.painter().hline(
        rect.x_range(),
        rect.bottom() - 0.5,
        Stroke::new(1.0, p.line),
    );
    let name = clean(&chat.name, &chat.handle);
    let mut left = rect.left() + space::L;
    if has_back {
        let place =
            Rect::from_center_size(pos2(rect.left() + 26.0, rect.center().y), Vec2::splat(36.0));
        pane(ui, place, "back", |ui| {
            if icon_button(ui, p, Icon::Back, words::BACK, 36.0).clicked() {
                asks.wish(Wish::List);
            }
        });
        left = rect.left() + 50.0;
    }
    avatar(
        ui.painter(),
        pos2(left + 19.0, rect.center().y),
        38.0,
        &name,
        &chat.handle,
    );
    left += 38.0 + space::M;
    let end = rect.right() - space::S - 36.0;
    let place = Rect::from_center_size(pos2(end + 18.0, rect.center().y), Vec2::splat(36.0));
    pane(ui, place, "more", |ui| menu_ui(ui, scene, chat, asks));
    let end = trust_ui(ui, scene, rect.with_max_x(end + space::S), chat, asks);
    let width = end - space::S - left;
    let title = Rect::from_min_size(pos2(left, rect.top() + 10.0), vec2(width, 22.0));
    let response = ui.interact(title, ui.scope_id().with("title"), Sense::hover());
    response.widget_info(|| WidgetInfo::labeled(Role::Heading, true, &name));
    line(
        ui.painter(),
        pos2(left, rect.top() + 21.0),
        width,
        &name,
        semibold(16.0),
        p.text,
    );
    let y = rect.top() + 41.0;
    let lock = Rect::from_center_size(pos2(left + 6.5, y), Vec2::splat(13.0));
    icons::paint(ui.painter(), lock, Icon::Lock, p.text2);
    let presence = if chat.is_typing {
        words::TYPING
    } else {
        words::presence(chat.presence)
    };
    let state = format!("{} · {presence}", words::END_TO_END);
    let place = Rect::from_min_max(pos2(left, y - 9.0), pos2(left + width, y + 9.0));
    let response = ui.interact(place, ui.scope_id().with("presence"), Sense::hover());
    response.widget_info(|| WidgetInfo::labeled(Role::Label, true, &state));
    let start = left + 19.0;
    let first = format!("{} · ", words::END_TO_END);
    let used = if width > 300.0 {
        line(
            ui.painter(),
            pos2(start, y),
            width - 19.0,
            &first,
            body(13.0),
            p.text2,
        )
    } else {
        0.0
    };
    let ink = if chat.presence == Presence::Online {
        p.success
    } else {
        p.text2
    };
    let at = pos2(start + used, y);
    let room = width - 19.0 - used;
    line(ui.painter(), at, room, presence, body(13.0), ink);
}

/// What else can be done with the chat.
fn menu_ui(ui: &mut Ui, scene: Scene<'_>, chat: &ChatRow, asks: &mut Asks) {
    let (p, id) = (scene.palette, &scene.profile.id);
    let button = icon_button(ui, p, Icon::More, words::MORE, 36.0);
    let look = Frame::new()
        .fill(p.surface1)
        .stroke(Stroke::new(1.0, p.line))
        .corner_radius(space::RADIUS_ROW)
        .shadow(ui.visuals().popup_shadow)
        .inner_margin(Margin::same(6));
    egui::Popup::menu(&button).frame(look).show(|ui| {
        ui.set_width(220.0);
        ui.spacing_mut().item_spacing.y = 2.0;
        let open = |dialog| Wish::Dialog(Box::new(dialog));
        if chat.safety_number.is_some() && menu_item(ui, p, Icon::Shield, words::VERIFY) {
            asks.wish(open(Dialog::verify(chat.id)));
        }
        if chat.mute.is_some() {
            if menu_item(ui, p, Icon::BellOff, words::UNMUTE) {
                asks.command(id, Command::Unmute(chat.id));
            }
        } else {
            for (label, hours) in words::MUTE_SPANS {
                if menu_item(ui, p, Icon::BellOff, label) {
                    let span = hours.map(Duration::from_hours);
                    let chat = chat.id;
                    asks.command(id, Command::Mute { chat, span });
                }
            }
        }
        if menu_item(ui, p, Icon::Sparkle, words::SUMMARISE) {
            let timeline = scene.profile.timeline.as_ref();
            let timeline = timeline.filter(|timeline| timeline.chat == chat.id);
            let unread = timeline.and_then(|timeline| timeline.first_unread);
            asks.wish(open(Dialog::Summary(SummaryForm::new(
                chat.id, unread, None,
            ))));
        }
        let newest = chat.last.as_ref().filter(|last| !last.is_mine);
        if let Some(Body::Text(text)) = newest.map(|last| &last.body)
            && menu_item(ui, p, Icon::Sparkle, words::TRANSLATE_NEWEST)
        {
            let form = TranslationForm::new(chat.id, text);
            asks.wish(open(Dialog::Translation(form)));
        }
        if chat.standing == Standing::Contact && !chat.is_blocked {
            let is_forbidden = !chat.assistant.forbids_cloud;
            let label = if is_forbidden {
                words::FORBID_CLOUD
            } else {
                words::ALLOW_CLOUD
            };
            if menu_item(ui, p, Icon::ShieldCheck, label) {
                let chat = chat.id;
                asks.command(id, Command::ForbidCloud { chat, is_forbidden });
            }
        }
        if menu_item(ui, p, Icon::File, words::EXPORT_CHAT) {
            asks.wish(open(Dialog::Export(ExportForm::new(chat.id))));
        }
        if chat.is_blocked {
            if menu_item(ui, p, Icon::Block, words::UNBLOCK) {
                asks.command(id, Command::Unblock(chat.id));
            }
        } else if menu_item(ui, p, Icon::Block, words::BLOCK) {
            asks.wish(open(Dialog::Block(chat.id)));
        }
    });
}

/// The trust chip at the right end; gives where it begins. Somebody who has not joined has nothing
/// to compare yet, and no chip.
fn trust_ui(ui: &mut Ui, scene: Scene<'_>, rect: Rect, chat: &ChatRow, asks: &mut Asks) -> f32 {
    let p = scene.palette;
    let right = rect.shrink2(vec2(space::L, 0.0));
    if chat.safety_number.is_none() {
        return right.right();
    }
    let (icon, ink, label) = match chat.trust {
        Trust::Verified => (Icon::ShieldCheck, p.success, words::VERIFIED),
        Trust::Introduced => (Icon::Shield, p.text2, words::INTRODUCED),
        Trust::Unverified => (Icon::Shield, p.text2, words::NOT_VERIFIED),
        Trust::Changed => (Icon::ShieldAlert, p.warning, words::CHANGED),
    };
    let mut child = ui.new_child(
        UiBuilder::new()
            .id_salt("trust")
            .max_rect(right)
            .layout(Layout::right_to_left(Align::Center)),
    );
    let trust = if rect.width() < 420.0 {
        icon_chip(&mut child, scene, icon, ink, label)
    } else {
        chip(&mut child, p, icon, ink, label)
    };
    if trust.clicked() {
        asks.wish(Wish::Dialog(Box::new(Dialog::verify(chat.id))));
    }
    trust.rect.left()
}

/// The trust chip without its word, for a narrow window.
fn icon_chip(
    ui: &mut Ui,
    scene: Scene<'_>,
    icon: Icon,
    ink: egui::Color32,
    label: &str,
) -> egui::Response {
    let p = scene.palette;
    let (rect, response) = ui.allocate_exact_size(Vec2::splat(36.0), Sense::click());
    response.widget_info(|| WidgetInfo::labeled(Role::Button, true, label));
    if response.hovered() {
        ui.painter().circle_filled(rect.center(), 18.0, p.surface3);
    }
    let picture = Rect::from_center_size(rect.center(), Vec2::splat(20.0));
    icons::paint(ui.painter(), picture, icon, ink);
    crate::widgets::focus_ring(ui, p, &response, rect, 18);
    response.on_hover_text(label)
}
