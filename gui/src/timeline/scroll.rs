//! Moving through the messages: by keys, by pages, to the end.

use egui::{Align2, CornerRadius, CursorIcon, Rect, Role, Sense, Stroke, Ui, Vec2, WidgetInfo};
use sotto_client::Command;
use sotto_client::view::{ChatRow, MessageKey};

use crate::icons::{self, Icon};
use crate::rail::badge;
use crate::scene::{Asks, Scene};
use crate::widgets::focus_ring;
use crate::words;

use super::{EDGE, PAGE_AT, TimelineState};

/// A wish to move, from the keyboard.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Scroll {
    /// One page towards older messages.
    PageUp,
    /// One page towards newer messages.
    PageDown,
    /// To the oldest loaded message.
    Home,
    /// To the newest message.
    End,
}

impl TimelineState {
    /// Moves by a key.
    pub(super) fn scroll_by_key(&mut self, ui: &Ui, scene: Scene<'_>, scroll: Scroll, view: f64) {
        let now = self.settle(ui, scene, view);
        let page = (view - 60.0).max(60.0);
        self.is_at_end = scroll == Scroll::End;
        let wanted = match scroll {
            Scroll::PageUp => now - page,
            Scroll::PageDown => now + page,
            Scroll::Home => 0.0,
            Scroll::End => return,
        };
        let wanted = wanted.max(0.0);
        if wanted >= self.content() - view {
            self.is_at_end = true;
        }
        let row = self.heights.row_at(wanted - f64::from(EDGE));
        let above = wanted - f64::from(EDGE) - self.heights.top(row);
        self.anchor = self.rows.get(row).map(|row| (row.key(), above));
    }

    /// Asks for older or newer messages near an end of the window, once per window.
    pub(super) fn page(&mut self, scene: Scene<'_>, chat: &ChatRow, view: f64, asks: &mut Asks) {
        let Some(source) = &self.source else { return };
        let (Some(oldest), Some(newest)) = (source.messages.first(), source.messages.last()) else {
            return;
        };
        let window = (oldest.key, newest.key);
        if self.asked == Some(window) {
            return;
        }
        let is_near_end = self.content() - self.offset - view < PAGE_AT;
        let around = if source.has_older && self.offset < PAGE_AT {
            oldest.key
        } else if source.has_newer && is_near_end {
            newest.key
        } else {
            return;
        };
        self.asked = Some(window);
        let (chat, around) = (chat.id, Some(around));
        asks.command(&scene.profile.id, Command::ShowChat { chat, around });
    }

    /// The round button that leads to the newest message.
    pub(super) fn jump_ui(
        &mut self,
        ui: &mut Ui,
        scene: Scene<'_>,
        rect: Rect,
        chat: &ChatRow,
        asks: &mut Asks,
    ) {
        let has_newer = self.source.as_ref().is_some_and(|source| source.has_newer);
        if self.heights.len() == 0 || self.is_at_end && !has_newer {
            return;
        }
        let p = scene.palette;
        let center = rect.right_bottom() - Vec2::splat(36.0);
        let place = Rect::from_center_size(center, Vec2::splat(40.0));
        let count = self.new_below();
        let response = ui.interact(place, ui.scope_id().with("jump"), Sense::click());
        response.widget_info(|| WidgetInfo::labeled(Role::Button, true, words::jump(count)));
        let fill = if response.hovered() {
            p.surface3
        } else {
            p.surface1
        };
        let painter = ui.painter();
        painter.circle_filled(
            center + egui::vec2(0.0, 2.0),
            21.0,
            p.backdrop.gamma_multiply(0.3),
        );
        painter.circle(center, 20.0, fill, Stroke::new(1.0, p.line));
        let picture = Rect::from_center_size(center, Vec2::splat(20.0));
        icons::paint(painter, picture, Icon::Down, p.text);
        if count > 0 {
            badge(ui, p, center - egui::vec2(0.0, 20.0), count, fill, true);
        }
        focus_ring(ui, p, &response, place, 20);
        if response.on_hover_cursor(CursorIcon::PointingHand).clicked() {
            self.is_at_end = true;
            ui.ctx().request_repaint();
            if has_newer {
                let (chat, around) = (chat.id, None);
                asks.command(&scene.profile.id, Command::ShowChat { chat, around });
            }
        }
    }

    /// How many of the peer's messages came since the end was last on screen.
    fn new_below(&self) -> u32 {
        let Some(source) = &self.source else { return 0 };
        let is_new = |key: MessageKey| self.seen.is_none_or(|seen| key > seen);
        let newest_first = source.messages.iter().rev();
        let count = newest_first
            .take_while(|message| is_new(message.key))
            .filter(|message| !message.is_mine)
            .count();
        u32::try_from(count).unwrap_or(u32::MAX)
    }
}

/// The place where a mark's words stand.
pub(super) const CENTER: Align2 = Align2::CENTER_CENTER;
/// Corners of a mark's pill.
pub(super) const PILL: CornerRadius = CornerRadius::same(12);
