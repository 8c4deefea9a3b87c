//! The list of chats, with the relay chip at its foot.

use egui::{
    CornerRadius, CursorIcon, Id, Rect, Role, ScrollArea, Sense, Ui, Vec2, WidgetInfo, vec2,
};
use sotto_client::view::{ChatId, ChatRow, Standing};

use crate::dialogs::{AddContactForm, Dialog};
use crate::icons::{self, Icon};
use crate::names::clean;
use crate::relay::RelayInfo;
use crate::scene::{Asks, Scene, Wish, pane};
use crate::search::{self, SearchDesk};
use crate::theme::{body, medium, semibold, space};
use crate::widgets::{focus_ring, icon_button, line};
use crate::{chat_row, relay_chip, words};

/// Height of the relay chip's strip.
const FOOT: f32 = 48.0;

/// What the list shows besides the scene.
pub(crate) struct ListParts<'a> {
    /// The open chat.
    pub(crate) selected: Option<ChatId>,
    /// Those who have written unasked are listed.
    pub(crate) shows_requests: bool,
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
        shows_requests,
        relay,
        draft_of,
        search,
    } = parts;
    let p = scene.palette;
    ui.painter().rect_filled(rect, 0, p.surface1);
    let (head, rest) = rect.split_top_bottom_at_y(rect.top() + space::HEADER);
    let (rows, foot) = rest.split_top_bottom_at_y(rest.bottom() - FOOT);
    head_ui(ui, scene, head, asks);
    let (field, rows) = rows.split_top_bottom_at_y(rows.top() + search::STRIP);
    search.field_ui(ui, scene, field, asks);
    relay_chip::ui(ui, scene, foot, relay, asks);
    if !search.is_idle() {
        search.results_ui(ui, scene, rows, asks, |ui, chat, asks| {
            chat_row::ui(
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
            let row = |ui: &mut Ui, chat: &ChatRow, asks: &mut Asks| {
                let draft = draft_of(chat);
                chat_row::ui(ui, scene, chat, &draft, selected == Some(chat.id), asks);
            };
            let chats = &scene.profile.chats;
            let requests = chats.iter().filter(|chat| chat.is_request());
            let count = requests.clone().count();
            if count > 0 {
                requests_ui(ui, scene, count, shows_requests, asks);
                if shows_requests {
                    requests.for_each(|chat| row(ui, chat, asks));
                    ui.separator();
                }
            }
            for chat in chats
                .iter()
                .filter(|chat| chat.standing != Standing::Request)
            {
                row(ui, chat, asks);
            }
        });
    });
}

/// Strangers who have written: a row that shows and hides them.
fn requests_ui(ui: &mut Ui, scene: Scene<'_>, count: usize, is_open: bool, asks: &mut Asks) {
    let p = scene.palette;
    let (_, slot) = ui.allocate_space(vec2(ui.available_width(), 44.0));
    let rect = slot.shrink2(vec2(space::S, 0.0));
    let id = Id::unique(("requests", &scene.profile.id));
    let response = ui.interact(rect, id, Sense::click());
    let label = words::requests(count);
    response.widget_info(|| WidgetInfo::selected(Role::Button, true, is_open, &label));
    if response.hovered() {
        let radius = CornerRadius::same(space::RADIUS_ROW);
        ui.painter().rect_filled(rect, radius, p.surface2);
    }
    let picture = Rect::from_center_size(rect.left_center() + vec2(32.0, 0.0), Vec2::splat(20.0));
    icons::paint(ui.painter(), picture, Icon::Chat, p.text2);
    let at = rect.left_center() + vec2(66.0, 0.0);
    line(
        ui.painter(),
        at,
        rect.width() - 110.0,
        &label,
        medium(14.0),
        p.text,
    );
    let arrow = Rect::from_center_size(rect.right_center() - vec2(22.0, 0.0), Vec2::splat(16.0));
    let icon = if is_open { Icon::Up } else { Icon::Down };
    icons::paint(ui.painter(), arrow, icon, p.text2);
    focus_ring(ui, p, &response, rect, space::RADIUS_ROW);
    if response.on_hover_cursor(CursorIcon::PointingHand).clicked() {
        asks.wish(Wish::Requests(!is_open));
    }
}

fn head_ui(ui: &mut Ui, scene: Scene<'_>, rect: Rect, asks: &mut Asks) {
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
        let add = Rect::from_center_size(
            rect.right_center() - vec2(space::L + 14.0, 0.0),
            Vec2::splat(36.0),
        );
        pane(ui, add, "add", |ui| {
            if icon_button(ui, p, Icon::Plus, words::ADD_CONTACT, 36.0).clicked() {
                asks.wish(Wish::Dialog(Box::new(Dialog::AddContact(
                    AddContactForm::default(),
                ))));
            }
        });
        let rect = rect.with_max_x(add.left());
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
