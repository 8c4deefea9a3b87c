//! One chat: header, messages, what needs attention, composer.

use egui::{Align, Layout, Rect, RichText, Sense, Ui, UiBuilder, vec2};
use sotto_client::Command;
use sotto_client::view::{ChatRow, RelayState, Trust};

use crate::chat_header;
use crate::composer::{Composed, ComposerState};
use crate::dialogs::Dialog;
use crate::icons::{self, Icon};
use crate::names::clean;
use crate::scene::{Asks, Scene, Wish};
use crate::theme::{Palette, body, semibold, space};
use crate::timeline::{Scroll, TimelineState};
use crate::widgets::{Banner, Kind, Tone, text_button};
use crate::words;

/// A person's place in one chat.
#[derive(Default)]
pub(crate) struct Desk {
    pub(crate) composer: ComposerState,
    pub(crate) timeline: TimelineState,
}

/// What the conversation is told besides the scene.
pub(crate) struct Place {
    /// Where it is drawn.
    pub(crate) rect: Rect,
    /// The list is not beside it.
    pub(crate) has_back: bool,
    /// The connection has been missing for a while.
    pub(crate) is_offline: bool,
    /// A wish to move from the keyboard.
    pub(crate) scroll: Option<Scroll>,
}

/// Draws the chat; gives the place of its messages.
pub(crate) fn ui(
    ui: &mut Ui,
    scene: Scene<'_>,
    place: &Place,
    chat: &ChatRow,
    desk: &mut Desk,
    asks: &mut Asks,
) -> Rect {
    let rect = place.rect;
    ui.painter().rect_filled(rect, 0, scene.palette.surface0);
    let (header, rest) = rect.split_top_bottom_at_y(rect.top() + space::HEADER);
    chat_header::ui(ui, scene, header, chat, place.has_back, asks);
    let offline = offline_banner(ui, scene, place);
    let top = rest.top() + offline.as_ref().map_or(0.0, Banner::height);
    let changed = trust_banner(ui, chat, rect.width());
    let answer = answer_banner(ui, chat, rect.width());
    let composer_height = answer
        .as_ref()
        .map_or_else(|| desk.composer.height(ui, rect.width()), Banner::height);
    let composer = rest
        .split_top_bottom_at_y(rest.bottom() - composer_height)
        .1;
    let banner_height = changed.as_ref().map_or(0.0, Banner::height);
    let messages = Rect::from_min_max(
        egui::pos2(rest.left(), top),
        egui::pos2(rest.right(), composer.top() - banner_height),
    );
    if let Some(banner) = offline {
        let strip = Rect::from_min_max(rest.min, messages.right_top());
        banner.ui(ui, scene.palette, strip, |_| {});
    }
    let timeline = scene
        .profile
        .timeline
        .as_ref()
        .filter(|timeline| timeline.chat == chat.id);
    if let Some(timeline) = timeline
        && messages.height() > 0.0
    {
        desk.timeline.scroll(place.scroll);
        desk.timeline.ui(ui, scene, messages, chat, timeline, asks);
    }
    if let Some(banner) = changed {
        let strip = Rect::from_min_max(messages.left_bottom(), composer.right_top());
        banner.ui(ui, scene.palette, strip, |ui| {
            let p = scene.palette;
            if text_button(ui, p, Kind::Primary, words::VERIFY, space::TARGET, 0.0).clicked() {
                asks.wish(Wish::Dialog(Box::new(Dialog::verify(chat.id))));
            }
            let accepts = text_button(ui, p, Kind::Plain, words::ACCEPT, space::TARGET, 0.0);
            if let Some(safety_number) = chat.safety_number.clone().filter(|_| accepts.clicked()) {
                let chat = chat.id;
                let command = Command::AcceptIdentity {
                    chat,
                    safety_number,
                };
                asks.command(&scene.profile.id, command);
            }
        });
    }
    if let Some(banner) = answer {
        banner.ui(ui, scene.palette, composer, |ui| {
            answer_ui(ui, scene, chat, asks);
        });
    } else if desk.composer.ui(ui, scene, composer, chat, asks) == Composed::Sent {
        desk.timeline.follow_end();
    }
    messages
}

/// Whether there is somebody to write to: neither a stranger who waits nor somebody blocked.
pub(crate) fn has_composer(chat: &ChatRow) -> bool {
    !chat.is_request() && !chat.is_blocked
}

/// What stands in place of the composer.
fn answer_banner(ui: &Ui, chat: &ChatRow, width: f32) -> Option<Banner> {
    if has_composer(chat) {
        return None;
    }
    let name = clean(&chat.name, &chat.handle);
    let (text, buttons) = if chat.is_blocked {
        (words::blocked_banner(&name), 110.0)
    } else {
        (words::request_banner(&name), 200.0)
    };
    let icon = if chat.is_blocked {
        Icon::Block
    } else {
        Icon::Chat
    };
    Some(Banner::new(ui, &text, Tone::Info, width, buttons).with_icon(icon))
}

fn answer_ui(ui: &mut Ui, scene: Scene<'_>, chat: &ChatRow, asks: &mut Asks) {
    let (p, id) = (scene.palette, &scene.profile.id);
    if chat.is_blocked {
        if text_button(ui, p, Kind::Plain, words::UNBLOCK, space::TARGET, 0.0).clicked() {
            asks.command(id, Command::Unblock(chat.id));
        }
        return;
    }
    if text_button(ui, p, Kind::Primary, words::ACCEPT, space::TARGET, 0.0).clicked() {
        asks.command(id, Command::AcceptRequest(chat.id));
    }
    if text_button(ui, p, Kind::Danger, words::REFUSE, space::TARGET, 0.0).clicked() {
        asks.wish(Wish::Dialog(Box::new(Dialog::Refuse(chat.id))));
    }
}

fn offline_banner(ui: &Ui, scene: Scene<'_>, place: &Place) -> Option<Banner> {
    let RelayState::Offline(problem) = scene.profile.relay else {
        return (place.is_offline).then(|| {
            Banner::new(
                ui,
                words::offline_banner(None),
                Tone::Info,
                place.rect.width(),
                0.0,
            )
        });
    };
    place.is_offline.then(|| {
        use sotto_client::view::RelayProblem::{
            HandleTaken, Refused, Untrusted, Version, WrongPin,
        };
        let tone = match problem {
            Some(WrongPin | Untrusted | Refused | HandleTaken) => Tone::Danger,
            Some(Version) => Tone::Warning,
            _ => Tone::Info,
        };
        Banner::new(
            ui,
            words::offline_banner(problem),
            tone,
            place.rect.width(),
            0.0,
        )
    })
}

fn trust_banner(ui: &Ui, chat: &ChatRow, width: f32) -> Option<Banner> {
    (chat.trust == Trust::Changed).then(|| {
        let name = clean(&chat.name, &chat.handle);
        Banner::new(
            ui,
            &words::changed_banner(&name),
            Tone::Warning,
            width,
            200.0,
        )
    })
}

/// No chat is open.
pub(crate) fn empty_ui(ui: &mut Ui, p: &Palette, rect: Rect) {
    ui.painter().rect_filled(rect, 0, p.surface0);
    let area = Rect::from_center_size(rect.center(), vec2(rect.width().min(420.0), 120.0));
    let layout = Layout::top_down(Align::Center);
    let mut child = ui.new_child(
        UiBuilder::new()
            .id_salt("empty")
            .max_rect(area)
            .layout(layout),
    );
    let (icon, _) = child.allocate_exact_size(vec2(40.0, 40.0), Sense::hover());
    icons::paint(child.painter(), icon, Icon::Chat, p.text3);
    child.add_space(space::XS);
    child.label(
        RichText::new(words::PICK_A_CHAT)
            .font(semibold(16.0))
            .color(p.text),
    );
    child.label(
        RichText::new(words::PICK_A_CHAT_HINT)
            .font(body(13.0))
            .color(p.text2),
    );
}
