//! A row in the list of chats.

use egui::{
    Align2, Color32, CornerRadius, CursorIcon, Id, Painter, Pos2, Rect, Role, Sense, Ui, Vec2,
    WidgetInfo, pos2, vec2,
};
use sotto_client::view::{Body, ChatId, ChatRow, Delivery, Message, Presence, ProfileId};

use crate::icons::{self, Icon};
use crate::names::clean;
use crate::rail::badge;
use crate::scene::{Asks, Scene, Wish};
use crate::theme::{Palette, body, medium, semibold, space};
use crate::widgets::{avatar, focus_ring, line};
use crate::{bidi, words};

/// The id of a chat's row, to move the focus to it.
pub(crate) fn id(profile: &ProfileId, chat: ChatId) -> Id {
    Id::unique(("chat", profile, chat))
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
            text: words::one_line(draft),
            is_draft: true,
            ticks: None,
        };
    }
    if chat.is_typing {
        return Preview {
            text: words::TYPING.to_owned(),
            is_draft: false,
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
        text: spoken(chat, last),
        is_draft: false,
        ticks: last.is_mine.then_some(last.delivery),
    }
}

fn spoken(chat: &ChatRow, message: &Message) -> String {
    let text = match &message.body {
        Body::Text(text) => words::one_line(text),
        Body::Note(note) => {
            let name = clean(&chat.name, &chat.handle);
            let author = (!message.is_mine).then_some(&*name);
            return words::note(author, note);
        }
        Body::Unknown => words::UNKNOWN_BODY.to_owned(),
    };
    if message.is_mine {
        format!("{}: {text}", words::YOU)
    } else {
        text
    }
}

/// Draws the row.
pub(crate) fn ui(
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
        let label = label(chat, &name, &time, &preview);
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
    let stamp_ink = if chat.calls() > 0 { p.accent } else { p.text2 };
    let stamp = painter.text(
        pos2(right, upper),
        Align2::RIGHT_CENTER,
        &time,
        body(11.5),
        stamp_ink,
    );
    let name_end = marks_ui(painter, p, pos2(stamp.left() - space::S, upper), chat);
    let name_width = name_end - left;
    line(
        painter,
        pos2(left, upper),
        name_width,
        &name,
        semibold(14.5),
        p.text,
    );
    let end = count_ui(ui, p, pos2(right, lower), chat, &preview, fill);
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
    let ink = if chat.is_typing && !preview.is_draft {
        p.accent
    } else {
        p.text2
    };
    preview_ui(ui, pos2(start, lower), end - start, &preview.text, ink);
    focus_ring(ui, p, &response, rect, space::RADIUS_ROW);
    if response.on_hover_cursor(CursorIcon::PointingHand).clicked() {
        asks.wish(Wish::Chat(chat.id));
    }
}

/// The row, read aloud.
fn label(chat: &ChatRow, name: &str, time: &str, preview: &Preview) -> String {
    let state = preview.ticks.map(words::delivery);
    let text = if preview.is_draft {
        format!("{}: {}", words::DRAFT, preview.text)
    } else {
        preview.text.clone()
    };
    let mut label = words::chat_row(name, time, &text, state, chat.unread);
    for (is_so, word) in [
        (chat.is_blocked, words::BLOCKED),
        (chat.mute.is_some(), words::MUTED),
    ] {
        if is_so {
            label = format!("{label}, {word}");
        }
    }
    label
}

/// Whether the chat is blocked or muted, to the left of `at`; gives where the marks begin.
fn marks_ui(painter: &Painter, p: &Palette, at: Pos2, chat: &ChatRow) -> f32 {
    let mut end = at.x;
    for (is_so, icon) in [
        (chat.is_blocked, Icon::Block),
        (chat.mute.is_some(), Icon::BellOff),
    ] {
        if is_so {
            let mark = Rect::from_center_size(pos2(end - 7.0, at.y), Vec2::splat(14.0));
            icons::paint(painter, mark, icon, p.text2);
            end -= 20.0;
        }
    }
    end
}

/// Unread messages or the state of the last one, to the left of `at`; gives where that begins.
fn count_ui(
    ui: &Ui,
    p: &Palette,
    at: Pos2,
    chat: &ChatRow,
    preview: &Preview,
    ground: Color32,
) -> f32 {
    if chat.unread > 0 {
        let calls = chat.calls() > 0;
        badge(ui, p, at - vec2(10.0, 0.0), chat.unread, ground, calls);
        return at.x - 30.0;
    }
    let Some(delivery) = preview.ticks else {
        return at.x;
    };
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
    let mark = Rect::from_center_size(at - vec2(8.0, 0.0), Vec2::splat(size));
    icons::paint(ui.painter(), mark, icon, ink);
    at.x - 24.0
}

/// One line of preview; words that run from right to left are put in their order.
fn preview_ui(ui: &Ui, at: Pos2, width: f32, text: &str, ink: Color32) {
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
