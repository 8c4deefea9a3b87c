//! The list of chats, with the relay chip at its foot.

use egui::{
    Align2, CornerRadius, CursorIcon, Id, Rect, Role, ScrollArea, Sense, Ui, Vec2, WidgetInfo,
    pos2, vec2,
};
use sotto_client::view::{Body, ChatId, ChatRow, Delivery, Message, Presence, ProfileId};

use crate::icons::{self, Icon};
use crate::names::clean;
use crate::rail::badge;
use crate::relay::RelayInfo;
use crate::scene::{Asks, Scene, Wish, pane};
use crate::search::{self, SearchDesk};
use crate::theme::{body, medium, semibold, space};
use crate::widgets::{avatar, focus_ring, line};
use crate::{bidi, relay_chip, words};

/// Height of the relay chip's strip.
const FOOT: f32 = 48.0;

/// The id of a chat's row, to move the focus to it.
pub(crate) fn id(profile: &ProfileId, chat: ChatId) -> Id {
    Id::unique(("chat", profile, chat))
}

/// What the list shows besides the scene.
pub(crate) struct ListParts<'a> {
    /// The open chat.
    pub(crate) selected: Option<ChatId>,
    pub(crate) relay: &'a RelayInfo,
    /// What was typed and not yet sent.
    pub(crate) draft_of: &'a dyn Fn(&ChatRow) -> String,
    /// What is looked for.
    pub(crate) search: &'a mut SearchDesk,
}

/// Draws the list, or what was found instead.
pub(crate) fn ui(ui: &mut Ui, scene: Scene<'_>, rect: Rect, parts: ListParts<'_>, asks: &mut Asks) {
    let ListParts {
        selected,
        relay,
        draft_of,
        search,
    } = parts;
    let p = scene.palette;
    ui.painter().rect_filled(rect, 0, p.surface1);
    let (head, rest) = rect.split_top_bottom_at_y(rect.top() + space::HEADER);
    let (rows, foot) = rest.split_top_bottom_at_y(rest.bottom() - FOOT);
    head_ui(ui, scene, head);
    let (field, rows) = rows.split_top_bottom_at_y(rows.top() + search::STRIP);
    search.field_ui(ui, scene, field, asks);
    relay_chip::ui(ui, scene, foot, relay, asks);
    if !search.is_idle() {
        search.results_ui(ui, scene, rows, asks, |ui, chat, asks| {
            row_ui(
                ui,
                scene,
                chat,
                &draft_of(chat),
                selected == Some(chat.id),
                asks,
            );
        });
        return;
    }
    pane(ui, rows, ("rows", &scene.profile.id), |ui| {
        ui.spacing_mut().item_spacing.y = 2.0;
        if scene.profile.chats.is_empty() {
            ui.add_space(space::S);
            let hint = egui::RichText::new(words::NO_CHATS)
                .font(body(13.0))
                .color(p.text2);
            egui::Frame::new()
                .inner_margin(egui::Margin::symmetric(16, 4))
                .show(ui, |ui| ui.label(hint));
            return;
        }
        ScrollArea::vertical().auto_shrink(false).show(ui, |ui| {
            ui.ctx().accesskit_node_builder(ui.unique_id(), |node| {
                node.set_role(Role::List);
                node.set_label(words::CHATS);
            });
            for chat in &scene.profile.chats {
                let draft = draft_of(chat);
                row_ui(ui, scene, chat, &draft, selected == Some(chat.id), asks);
            }
        });
    });
}

fn head_ui(ui: &mut Ui, scene: Scene<'_>, rect: Rect) {
    let p = scene.palette;
    pane(ui, rect, "head", |ui| {
        let left = rect.left_center() + vec2(space::L, 0.0);
        let heading = Rect::from_min_size(left - vec2(0.0, 14.0), vec2(90.0, 28.0));
        let response = ui.interact(heading, ui.scope_id().with("heading"), Sense::hover());
        response.widget_info(|| WidgetInfo::labeled(Role::Heading, true, words::CHATS));
        let width = line(
            ui.painter(),
            left,
            rect.width(),
            words::CHATS,
            semibold(20.0),
            p.text,
        );
        let name = clean(&scene.profile.name, scene.profile.id.as_str());
        let room = rect.width() - width - 3.0 * space::L;
        let galley = ui.painter().layout_no_wrap(name, body(13.0), p.text2);
        if galley.size().x <= room {
            let at =
                rect.right_center() - vec2(space::L + galley.size().x, galley.size().y / 2.0 - 2.0);
            ui.painter().galley(at, galley, p.text2);
        }
    });
}

/// What the row says under the name.
struct Preview {
    text: String,
    is_draft: bool,
    ticks: Option<Delivery>,
}

fn preview(chat: &ChatRow, draft: &str, is_selected: bool) -> Preview {
    let draft = draft.trim();
    if !draft.is_empty() && !is_selected {
        return Preview {
            text: one_line(draft),
            is_draft: true,
            ticks: None,
        };
    }
    let Some(last) = &chat.last else {
        let text = match chat.presence {
            Presence::NotJoined => words::HAS_NOT_JOINED,
            Presence::Away | Presence::Online => words::NO_MESSAGES,
        };
        return Preview {
            text: text.to_owned(),
            is_draft: false,
            ticks: None,
        };
    };
    Preview {
        text: spoken(last),
        is_draft: false,
        ticks: last.is_mine.then_some(last.delivery),
    }
}

fn spoken(message: &Message) -> String {
    let text = match &message.body {
        Body::Text(text) => one_line(text),
        Body::Unknown => words::UNKNOWN_BODY.to_owned(),
    };
    if message.is_mine {
        format!("{}: {text}", words::YOU)
    } else {
        text
    }
}

/// The first part of a text, on one line.
fn one_line(text: &str) -> String {
    let start: String = text.chars().take(160).collect();
    bidi::displayable(&start)
        .split_whitespace()
        .collect::<Vec<_>>()
        .join(" ")
}

fn row_ui(
    ui: &mut Ui,
    scene: Scene<'_>,
    chat: &ChatRow,
    draft: &str,
    is_selected: bool,
    asks: &mut Asks,
) {
    let p = scene.palette;
    let (_, slot) = ui.allocate_space(vec2(ui.available_width(), space::CHAT_ROW));
    let rect = slot.shrink2(vec2(space::S, 0.0));
    let response = ui.interact(rect, id(&scene.profile.id, chat.id), Sense::click());
    let name = clean(&chat.name, &chat.handle);
    let preview = preview(chat, draft, is_selected);
    let time = chat
        .last
        .as_ref()
        .map(|last| words::list_time(scene.local(last.sent_at_millis), scene.now))
        .unwrap_or_default();
    response.widget_info(|| {
        let state = preview.ticks.map(words::delivery);
        let text = if preview.is_draft {
            format!("{}: {}", words::DRAFT, preview.text)
        } else {
            preview.text.clone()
        };
        let label = words::chat_row(&name, &time, &text, state, chat.unread);
        WidgetInfo::selected(Role::RadioButton, true, is_selected, label)
    });
    if response.gained_focus() {
        response.scroll_to_me(None);
    }
    let fill = if is_selected {
        p.selected
    } else if response.hovered() {
        p.surface2
    } else {
        p.surface1
    };
    let painter = ui.painter();
    painter.rect_filled(rect, CornerRadius::same(space::RADIUS_ROW), fill);
    let center = pos2(rect.left() + 10.0 + 22.0, rect.center().y);
    avatar(painter, center, 44.0, &name, &chat.handle);
    if chat.presence == Presence::Online {
        let dot = center + vec2(16.0, 16.0);
        painter.circle_filled(dot, 7.0, fill);
        painter.circle_filled(dot, 5.0, p.success);
    }
    let left = rect.left() + 10.0 + 44.0 + 12.0;
    let right = rect.right() - 12.0;
    let (upper, lower) = (rect.top() + 22.0, rect.top() + 43.0);
    let stamp_ink = if chat.unread > 0 { p.accent } else { p.text2 };
    let stamp = painter.text(
        pos2(right, upper),
        Align2::RIGHT_CENTER,
        &time,
        body(11.5),
        stamp_ink,
    );
    let name_width = stamp.left() - space::S - left;
    line(
        painter,
        pos2(left, upper),
        name_width,
        &name,
        semibold(14.5),
        p.text,
    );
    let mut end = right;
    if chat.unread > 0 {
        badge(ui, p, pos2(right - 10.0, lower), chat.unread, fill);
        end -= 30.0;
    } else if let Some(delivery) = preview.ticks {
        let mark = Rect::from_center_size(pos2(right - 8.0, lower), Vec2::splat(16.0));
        let (icon, ink) = match delivery {
            Delivery::Sending => (Icon::Clock, p.text2),
            Delivery::Relay => (Icon::Check, p.text2),
            Delivery::Delivered => (Icon::Checks, p.text2),
            Delivery::Read => (Icon::Checks, p.accent),
            Delivery::Failed => (Icon::Alert, p.danger),
        };
        let size = if delivery == Delivery::Sending {
            13.0
        } else {
            16.0
        };
        let mark = Rect::from_center_size(mark.center(), Vec2::splat(size));
        icons::paint(painter, mark, icon, ink);
        end -= 24.0;
    }
    let mut start = left;
    if preview.is_draft {
        let label = format!("{}: ", words::DRAFT);
        start += line(
            painter,
            pos2(start, lower),
            end - start,
            &label,
            medium(13.0),
            p.danger,
        );
        start += 3.0;
    }
    preview_ui(ui, pos2(start, lower), end - start, &preview.text, p.text2);
    focus_ring(ui, p, &response, rect, space::RADIUS_ROW);
    if response.on_hover_cursor(CursorIcon::PointingHand).clicked() {
        asks.wish(Wish::Chat(chat.id));
    }
}

/// One line of preview; words that run from right to left are put in their order.
fn preview_ui(ui: &Ui, at: egui::Pos2, width: f32, text: &str, ink: egui::Color32) {
    if !bidi::has_rtl(text) {
        line(ui.painter(), at, width, text, body(13.0), ink);
        return;
    }
    let look = bidi::TextLook {
        font: body(13.0),
        color: ink,
        line_height: 18.0,
    };
    let galley = ui.fonts_mut(|fonts| bidi::first_line(fonts, text, &look, width));
    let y = at.y - galley.size().y / 2.0;
    ui.painter().galley(pos2(at.x, y), galley, ink);
}
