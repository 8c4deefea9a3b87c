//! A message as a bubble.

use std::sync::Arc;

use egui::text_selection::LabelSelectionState;
use egui::{
    Align2, Color32, CornerRadius, Galley, Id, Pos2, Rect, Role, Sense, Stroke, StrokeKind, Ui,
    Vec2, WidgetInfo, pos2, vec2,
};
use sotto_client::Command;
use sotto_client::view::{Body, ChatId, Delivery, Message};

use crate::bidi::{self, TextLook};
use crate::composer::Reply;
use crate::dialogs::{Dialog, SummaryForm, TranslationForm};
use crate::icons::{self, Icon};
use crate::scene::{Asks, Scene, Wish};
use crate::theme::{Bubble, body, medium, space};
use crate::words;

use super::quote::QuoteLayout;
use super::rows::MessageRow;

const PAD: Vec2 = vec2(12.0, 9.0);
const GAP_RUN: f32 = 10.0;
const GAP_INSIDE: f32 = 2.0;
const TICKS: f32 = 16.0;
const META_GAP: f32 = 10.0;
const FAILED: f32 = 30.0;
/// The line under a text that goes on.
const MORE: f32 = 26.0;
/// The button in it, about.
const MORE_WIDTH: f32 = 70.0;

/// A message laid out for a width; its height is a pure function of both.
pub(super) struct BubbleLayout<'a> {
    message: &'a Message,
    row: MessageRow,
    quote: Option<QuoteLayout<'a>>,
    text: Arc<Galley>,
    meta: Arc<Galley>,
    size: Vec2,
    gap: f32,
    has_failed: bool,
    is_meta_below: bool,
}

impl<'a> BubbleLayout<'a> {
    /// Lays out `message` for a column of `width` points.
    pub(super) fn new(
        ui: &Ui,
        scene: Scene<'_>,
        message: &'a Message,
        row: MessageRow,
        width: f32,
    ) -> Self {
        let colors = colors(scene, message);
        let most = (width * 0.72).clamp(120.0, space::BUBBLE_MAX) - 2.0 * PAD.x;
        let (text, ink) = match &message.body {
            Body::Text(text) => (text.as_str(), colors.text),
            // A note has a row of its own.
            Body::Note(_) | Body::Unknown => (words::UNKNOWN_BODY, colors.meta),
        };
        let look = TextLook {
            font: body(14.0),
            color: ink,
            line_height: 20.0,
        };
        let time = words::time_of_day(scene.local(message.sent_at_millis));
        let (text_galley, meta) = ui.fonts_mut(|fonts| {
            (
                bidi::layout(fonts, text, &look, most),
                fonts.layout_no_wrap(time, body(11.5), colors.meta),
            )
        });
        let ticks = if message.is_mine { TICKS + 4.0 } else { 0.0 };
        let meta_width = meta.size().x + ticks;
        let last_row = text_galley
            .rows
            .last()
            .map_or(0.0, |row| row.rect().right());
        let is_meta_below = bidi::has_rtl(text) && text_galley.rows.len() > 1
            || last_row + META_GAP + meta_width > most;
        let text_size = text_galley.size();
        let quote = message.quote.as_ref();
        let quote = quote.map(|quote| QuoteLayout::new(ui, quote, colors, most));
        let mut content = if message.is_cut {
            // Beside the button.
            let foot = MORE_WIDTH + META_GAP + meta_width;
            vec2(text_size.x.max(foot), text_size.y + MORE)
        } else if is_meta_below {
            vec2(text_size.x.max(meta_width), text_size.y + 16.0)
        } else {
            vec2(
                text_size.x.max(last_row + META_GAP + meta_width),
                text_size.y,
            )
        };
        if let Some(quote) = &quote {
            content.x = content.x.max(quote.size().x);
            content.y += quote.size().y;
        }
        Self {
            message,
            row,
            quote,
            text: text_galley,
            meta,
            size: content + 2.0 * PAD,
            gap: if row.starts_run { GAP_RUN } else { GAP_INSIDE },
            has_failed: message.is_mine && message.delivery == Delivery::Failed,
            is_meta_below,
        }
    }

    /// The row's height, in points.
    pub(super) fn height(&self) -> f32 {
        self.gap + self.size.y + if self.has_failed { FAILED } else { 0.0 }
    }

    /// Draws the row within `rect`, which is as high as [`Self::height`].
    pub(super) fn ui(
        &self,
        ui: &mut Ui,
        scene: Scene<'_>,
        (chat, author): (ChatId, &str),
        rect: Rect,
        asks: &mut Asks,
    ) {
        let (message, row) = (self.message, self.row);
        let p = scene.palette;
        let colors = colors(scene, message);
        let bubble = self.bubble(rect);
        let id = Id::unique(("message", &scene.profile.id, message.key));
        let sense = Sense::click_and_drag() - Sense::FOCUSABLE;
        let response = ui.interact(bubble, id, sense);
        response.widget_info(|| {
            WidgetInfo::labeled(Role::ListItem, true, spoken(scene, author, message))
        });
        let corners = corners(message.is_mine, row.ends_run);
        ui.painter().rect_filled(bubble, corners, colors.fill);
        if p.bubble_border != Color32::TRANSPARENT {
            let border = Stroke::new(1.0, p.bubble_border);
            ui.painter()
                .rect_stroke(bubble, corners, border, StrokeKind::Inside);
        } else if !p.is_dark && !message.is_mine {
            let border = Stroke::new(1.0, p.line);
            ui.painter()
                .rect_stroke(bubble, corners, border, StrokeKind::Inside);
        }
        let mut inside = bubble.shrink2(PAD);
        if let Some(quote) = &self.quote {
            quote.ui(ui, scene, (chat, message), author, inside, asks);
            inside.min.y += quote.size().y;
        }
        self.text_ui(ui, &response, inside, colors);
        if message.is_cut {
            more_ui(
                ui,
                scene,
                message,
                inside.min.y + self.text.size().y,
                inside,
                asks,
            );
        }
        self.meta_ui(ui, scene, message, bubble, colors);
        if self.has_failed {
            failed_ui(ui, scene, message, rect, asks);
        }
        if let Body::Text(text) = &message.body {
            response.context_menu(|ui| {
                if ui.button(words::REPLY).clicked() {
                    asks.wish(Wish::Reply(chat, Box::new(Reply::to(message))));
                    ui.close();
                }
                if ui.button(words::COPY).clicked() {
                    asks.wish(Wish::Copy(text.clone()));
                    ui.close();
                }
                let open = |dialog| Wish::Dialog(Box::new(dialog));
                if ui.button(words::TRANSLATE).clicked() {
                    let form = TranslationForm::new(chat, text);
                    asks.wish(open(Dialog::Translation(form)));
                    ui.close();
                }
                if ui.button(words::SUMMARISE_FROM).clicked() {
                    let form = SummaryForm::new(chat, None, Some(message.key));
                    asks.wish(open(Dialog::Summary(form)));
                    ui.close();
                }
                if self.has_failed && ui.button(words::RETRY).clicked() {
                    asks.command(&scene.profile.id, Command::Retry(message.key));
                    ui.close();
                }
            });
        }
    }

    /// The bubble within the row's `rect`.
    fn bubble(&self, rect: Rect) -> Rect {
        let left = if self.message.is_mine {
            rect.right() - self.size.x
        } else {
            rect.left()
        };
        Rect::from_min_size(pos2(left, rect.top() + self.gap), self.size)
    }

    /// A ring around the bubble, so that it stands out.
    pub(super) fn mark_ui(&self, ui: &Ui, scene: Scene<'_>, rect: Rect) {
        let corners = corners(self.message.is_mine, self.row.ends_run);
        let ring = Stroke::new(2.0, scene.palette.accent);
        ui.painter()
            .rect_stroke(self.bubble(rect), corners, ring, StrokeKind::Outside);
    }

    /// Draws the text from the left upper corner of `inside` on.
    fn text_ui(&self, ui: &mut Ui, response: &egui::Response, inside: Rect, colors: Bubble) {
        let slack = inside.width() - self.text.size().x;
        let is_rtl = bidi::starts_rtl(self.text.text()) && self.is_meta_below;
        let at = inside.min + vec2(if is_rtl { slack } else { 0.0 }, 0.0);
        ui.scope(|ui| {
            ui.visuals_mut().selection.bg_fill = colors.selection;
            let galley = Arc::clone(&self.text);
            LabelSelectionState::label_text_selection(
                ui,
                response,
                at,
                galley,
                colors.text,
                Stroke::NONE,
            );
        });
    }

    fn meta_ui(&self, ui: &Ui, scene: Scene<'_>, message: &Message, bubble: Rect, colors: Bubble) {
        let right = bubble.right() - PAD.x;
        let center = bubble.bottom() - PAD.y - 8.0;
        let mut end = right;
        if message.is_mine {
            let mark = Rect::from_center_size(pos2(right - 6.0, center), Vec2::splat(TICKS));
            ticks_ui(ui, scene, message.delivery, mark, colors);
            end -= TICKS + 2.0;
        }
        let at = pos2(end - self.meta.size().x, center - self.meta.size().y / 2.0);
        ui.painter().galley(at, Arc::clone(&self.meta), colors.meta);
    }
}

fn colors(scene: Scene<'_>, message: &Message) -> Bubble {
    if message.is_mine {
        scene.palette.bubble_out
    } else {
        scene.palette.bubble_in
    }
}

fn corners(is_mine: bool, has_tail: bool) -> CornerRadius {
    let mut corners = CornerRadius::same(space::RADIUS_BUBBLE);
    if has_tail && is_mine {
        corners.se = space::RADIUS_TAIL;
    } else if has_tail {
        corners.sw = space::RADIUS_TAIL;
    }
    corners
}

fn spoken(scene: Scene<'_>, author: &str, message: &Message) -> String {
    let time = words::time_of_day(scene.local(message.sent_at_millis));
    let text = match &message.body {
        Body::Text(text) => bidi::displayable(text),
        Body::Note(_) | Body::Unknown => words::UNKNOWN_BODY.to_owned(),
    };
    let text = if message.is_cut { text + "…" } else { text };
    if message.is_mine {
        words::message(
            words::YOU,
            &time,
            &text,
            Some(words::delivery(message.delivery)),
        )
    } else {
        words::message(author, &time, &text, None)
    }
}

fn ticks_ui(ui: &Ui, scene: Scene<'_>, delivery: Delivery, rect: Rect, colors: Bubble) {
    let (icon, ink, size) = match delivery {
        Delivery::Sending => (Icon::Clock, colors.meta, 12.0),
        Delivery::Relay => (Icon::Check, colors.meta, 14.0),
        Delivery::Delivered => (Icon::Checks, colors.meta, 15.0),
        Delivery::Read => (Icon::Checks, scene.palette.ticks_read, 15.0),
        Delivery::Failed => (Icon::Alert, colors.meta, 13.0),
    };
    let rect = Rect::from_center_size(rect.center(), Vec2::splat(size));
    icons::paint(ui.painter(), rect, icon, ink);
    if delivery == Delivery::Read {
        // Read is bolder, not only of another colour.
        icons::paint(ui.painter(), rect.translate(vec2(0.0, 0.6)), icon, ink);
    }
}

/// Under the beginning of a text: a button that shows the whole.
fn more_ui(
    ui: &mut Ui,
    scene: Scene<'_>,
    message: &Message,
    top: f32,
    inside: Rect,
    asks: &mut Asks,
) {
    let p = scene.palette;
    let ink = if message.is_mine {
        p.bubble_out.text
    } else {
        p.accent
    };
    let galley = ui
        .painter()
        .layout_no_wrap(words::SHOW_ALL.to_owned(), medium(13.0), ink);
    let size = vec2(galley.size().x + 12.0, MORE - 2.0);
    let button = Rect::from_min_size(pos2(inside.left() - 6.0, top + 1.0), size);
    let id = Id::unique(("more", &scene.profile.id, message.key));
    let response = ui.interact(button, id, Sense::click());
    response.widget_info(|| WidgetInfo::labeled(Role::Button, true, words::SHOW_ALL));
    let at = button.center() - galley.size() / 2.0;
    ui.painter().galley(at, galley, ink);
    if response.hovered() {
        let y = button.bottom() - 4.0;
        let line = Stroke::new(1.0, ink);
        ui.painter()
            .hline(button.shrink2(vec2(6.0, 0.0)).x_range(), y, line);
    }
    crate::widgets::focus_ring(ui, p, &response, button, 6);
    if response
        .on_hover_cursor(egui::CursorIcon::PointingHand)
        .clicked()
    {
        asks.command(&scene.profile.id, Command::ShowText(Some(message.key)));
        asks.wish(Wish::Dialog(Box::new(Dialog::text(message.key))));
    }
}

/// Under a failed message: what happened, and a button to try again.
fn failed_ui(ui: &mut Ui, scene: Scene<'_>, message: &Message, rect: Rect, asks: &mut Asks) {
    let p = scene.palette;
    let painter = ui.painter();
    let y = rect.bottom() - FAILED / 2.0 + 1.0;
    let retry = painter.layout_no_wrap(words::RETRY.to_owned(), medium(13.0), p.accent);
    let button = Rect::from_min_max(
        pos2(rect.right() - retry.size().x - 16.0, y - 13.0),
        pos2(rect.right(), y + 13.0),
    );
    let end = button.left() - 4.0;
    let told = painter.text(
        Pos2::new(end, y),
        Align2::RIGHT_CENTER,
        words::NOT_SENT,
        body(13.0),
        p.danger,
    );
    let mark = Rect::from_center_size(pos2(told.left() - 12.0, y), Vec2::splat(15.0));
    icons::paint(painter, mark, Icon::Alert, p.danger);
    let id = Id::unique(("retry", &scene.profile.id, message.key));
    let response = ui.interact(button, id, Sense::click());
    response.widget_info(|| WidgetInfo::labeled(Role::Button, true, words::RETRY));
    if response.hovered() {
        ui.painter()
            .rect_filled(button, CornerRadius::same(6), p.surface3);
    }
    let at = button.center() - retry.size() / 2.0;
    ui.painter().galley(at, retry, p.accent);
    crate::widgets::focus_ring(ui, p, &response, button, 6);
    if response
        .on_hover_cursor(egui::CursorIcon::PointingHand)
        .clicked()
    {
        asks.command(&scene.profile.id, Command::Retry(message.key));
    }
}
