//! Above the text of a reply: what it answers.

use std::sync::Arc;

use egui::{CornerRadius, CursorIcon, Galley, Rect, Role, Sense, Ui, Vec2, WidgetInfo, pos2, vec2};
use sotto_client::view::{ChatId, Message, Quote};

use crate::bidi::{self, TextLook};
use crate::scene::{Asks, Scene, Wish};
use crate::theme::{Bubble, body, semibold};
use crate::widgets::{focus_ring, line};
use crate::words;

const HEIGHT: f32 = 42.0;
const GAP: f32 = 6.0;
/// Bar and room to the left of the words, and room to their right.
const LEFT: f32 = 12.0;
const RIGHT: f32 = 10.0;
/// For the author's name.
const WIDTH_MIN: f32 = 110.0;

/// A quote laid out for a width.
pub(super) struct QuoteLayout<'a> {
    quote: &'a Quote,
    text: Arc<Galley>,
}

impl<'a> QuoteLayout<'a> {
    /// Lays the quote out for at most `width` points.
    pub(super) fn new(ui: &Ui, quote: &'a Quote, colors: Bubble, width: f32) -> Self {
        let look = TextLook {
            font: body(13.0),
            color: colors.meta,
            line_height: 18.0,
        };
        let words = words::quoted(quote);
        let room = width - LEFT - RIGHT;
        let text = ui.fonts_mut(|fonts| bidi::first_line(fonts, &words, &look, room));
        Self { quote, text }
    }

    /// What it takes, with the gap below it.
    pub(super) fn size(&self) -> Vec2 {
        let width = self.text.size().x + LEFT + RIGHT;
        vec2(width.max(WIDTH_MIN), HEIGHT + GAP)
    }

    /// Draws the quote from the left upper corner of `place` on, as wide as that.
    pub(super) fn ui(
        &self,
        ui: &mut Ui,
        scene: Scene<'_>,
        (chat, message): (ChatId, &Message),
        peer: &str,
        place: Rect,
        asks: &mut Asks,
    ) {
        let p = scene.palette;
        let place = place.with_max_y(place.top() + HEIGHT);
        let author = if self.quote.is_mine { words::YOU } else { peer };
        let id = egui::Id::unique(("quote", &scene.profile.id, message.key));
        let target = self.quote.original.as_ref().map(|(key, _)| *key);
        let sense = target.map_or(Sense::hover(), |_| Sense::click());
        let response = ui.interact(place, id, sense);
        response.widget_info(|| {
            let label = words::in_reply_to(author, &words::quoted(self.quote));
            let role = target.map_or(Role::Label, |_| Role::Button);
            WidgetInfo::labeled(role, true, label)
        });
        let ground = if message.is_mine {
            p.bubble_out.text
        } else {
            p.bubble_in.text
        };
        let radius = CornerRadius::same(6);
        let strength = if response.hovered() { 0.14 } else { 0.08 };
        let painter = ui.painter();
        painter.rect_filled(place, radius, ground.gamma_multiply(strength));
        let bar = place.with_max_x(place.left() + 3.0);
        painter.rect_filled(bar, radius, p.accent);
        let left = place.left() + LEFT;
        let room = place.width() - LEFT - RIGHT;
        let upper = pos2(left, place.top() + 13.0);
        line(painter, upper, room, author, semibold(12.5), ground);
        let lower = pos2(left, place.top() + 30.0 - self.text.size().y / 2.0);
        painter.galley(lower, Arc::clone(&self.text), ground);
        focus_ring(ui, p, &response, place, 6);
        if let Some(key) = target
            && response.on_hover_cursor(CursorIcon::PointingHand).clicked()
        {
            asks.wish(Wish::Message(chat, key));
        }
    }
}
