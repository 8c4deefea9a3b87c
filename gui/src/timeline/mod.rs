//! The messages of a chat: a virtual list that never jumps.
//!
//! Heights come from a pure function of message and width. Rows in and around the viewport are
//! measured first and the offset is corrected before anything is drawn, so that the row that the
//! person looks at stays where it is while others are measured, arrive, or change their width.

mod bubble;
mod heights;
mod marks;
mod note;
mod quote;
mod rows;
mod scroll;

use std::sync::Arc;

use egui::{Rangef, Rect, Role, ScrollArea, Ui, pos2, vec2};
use sotto_client::Command;
use sotto_client::view::{Body, ChatRow, MessageKey, Timeline};

use crate::names::clean;
use crate::scene::{Asks, Scene, pane};
use crate::theme::space;
use crate::words;

use bubble::BubbleLayout;
use heights::Heights;
use note::NoteLayout;
use rows::{Row, RowKey};

pub(crate) use scroll::Scroll;

/// Rows this far outside of the viewport are measured too, in points.
const AHEAD: f64 = 400.0;
/// Room above the first and below the last row.
const EDGE: f32 = 12.0;
/// Where in the viewport a message stands that was looked for, from 0 to 1.
const SOUGHT_AT: f64 = 0.3;
/// How near to an end of the loaded window its neighbours are asked for, in points.
const PAGE_AT: f64 = 600.0;

/// Where a person is in the messages of one chat.
#[derive(Default)]
pub(crate) struct TimelineState {
    source: Option<Arc<Timeline>>,
    /// What people call the peer.
    peer: String,
    rows: Vec<Row>,
    heights: Heights,
    width: f32,
    offset: f64,
    /// The row at the top of the viewport and how far its top lies above (negative: below) it.
    anchor: Option<(RowKey, f64)>,
    is_at_end: bool,
    scroll: Option<Scroll>,
    /// Up to where the messages were on screen, for the count of new ones.
    seen: Option<MessageKey>,
    marked: Option<MessageKey>,
    asked: Option<(MessageKey, MessageKey)>,
    /// A message to go to as soon as it is loaded.
    sought: Option<MessageKey>,
    /// The message that was gone to; it stands out.
    found: Option<MessageKey>,
}

impl TimelineState {
    /// Follows the newest message from now on.
    pub(crate) fn follow_end(&mut self) {
        self.is_at_end = true;
        self.found = None;
    }

    /// Goes to a message once it is loaded, and lets it stand out.
    pub(crate) fn seek(&mut self, message: MessageKey) {
        self.sought = Some(message);
        self.found = Some(message);
    }

    /// Moves in the next frame.
    pub(crate) fn scroll(&mut self, scroll: Option<Scroll>) {
        self.scroll = scroll;
    }

    /// Draws the timeline in `rect`.
    pub(crate) fn ui(
        &mut self,
        ui: &mut Ui,
        scene: Scene<'_>,
        rect: Rect,
        chat: &ChatRow,
        timeline: &Arc<Timeline>,
        asks: &mut Asks,
    ) {
        let width = (rect.width() - 2.0 * space::L).min(space::COLUMN_MAX);
        let view = f64::from(rect.height());
        self.peer = clean(&chat.name, &chat.handle);
        self.take(timeline, scene, width, view);
        if let Some(scroll) = self.scroll.take() {
            self.scroll_by_key(ui, scene, scroll, view);
        }
        let offset = self.settle(ui, scene, view);
        pane(ui, rect, ("timeline", &scene.profile.id, chat.id), |ui| {
            self.scroll_ui(ui, scene, rect, chat, offset, asks);
        });
        if timeline.messages.is_empty() {
            marks::empty_ui(ui, scene, rect, chat, asks);
        }
        self.page(scene, chat, view, asks);
        self.mark_read(ui, scene, chat, asks);
        self.jump_ui(ui, scene, rect, chat, asks);
    }

    /// Takes over a new snapshot or width; the anchor keeps the place.
    fn take(&mut self, timeline: &Arc<Timeline>, scene: Scene<'_>, width: f32, view: f64) {
        let is_first = self.source.is_none();
        let is_new = self
            .source
            .as_ref()
            .is_none_or(|source| !Arc::ptr_eq(source, timeline));
        if is_new {
            self.rows = rows::build(timeline, scene.utc_offset_secs);
            self.source = Some(Arc::clone(timeline));
        }
        if is_new || (self.width - width).abs() > 0.1 {
            self.width = width;
            let estimates = self.rows.iter().map(|row| self.estimate(row));
            self.heights = Heights::new(estimates.collect::<Vec<_>>());
        }
        if is_first {
            self.seen = timeline.messages.last().map(|message| message.key);
            let unread = self.rows.iter().position(|row| *row == Row::Unread);
            let below = unread.map(|row| self.heights.total() - self.heights.top(row));
            match (unread, below) {
                (Some(_), Some(below)) if below > view * 0.8 => {
                    self.anchor = Some((RowKey::Unread, -80.0));
                }
                _ => self.is_at_end = true,
            }
        }
        if let Some(key) = self.sought.map(RowKey::Message)
            && self.rows.iter().any(|row| row.key() == key)
        {
            self.sought = None;
            self.is_at_end = false;
            self.anchor = Some((key, -view * SOUGHT_AT));
        }
    }

    /// A height from the length of the text, until the row is measured.
    fn estimate(&self, row: &Row) -> f32 {
        let Row::Message(row) = row else {
            return marks::HEIGHT;
        };
        let message = self
            .source
            .as_ref()
            .and_then(|source| source.messages.get(row.index));
        let Some(Body::Text(text)) = message.map(|message| &message.body) else {
            return 48.0;
        };
        let columns = ((self.width * 0.72).min(space::BUBBLE_MAX) / 7.0).max(8.0);
        #[expect(clippy::cast_precision_loss, reason = "an estimate")]
        let lines: f32 = text
            .split('\n')
            .map(|line| (line.len() as f32 / columns).ceil().max(1.0))
            .sum();
        let quote = message.is_some_and(|message| message.quote.is_some());
        lines * 20.0 + if quote { 76.0 } else { 28.0 }
    }

    fn measure(&self, ui: &Ui, scene: Scene<'_>, row: usize) -> f32 {
        match self.rows.get(row) {
            Some(Row::Message(found)) => self
                .source
                .as_ref()
                .and_then(|source| source.messages.get(found.index))
                .map_or(0.0, |message| match &message.body {
                    Body::Note(note) => {
                        let note = (&**message, note);
                        NoteLayout::new(ui, scene, note, &self.peer, self.width).height()
                    }
                    _ => BubbleLayout::new(ui, scene, message, *found, self.width).height(),
                }),
            _ => marks::HEIGHT,
        }
    }

    fn content(&self) -> f64 {
        self.heights.total() + 2.0 * f64::from(EDGE)
    }

    /// The offset that keeps the end or the anchor in place, with today's heights.
    fn wanted(&self, view: f64) -> f64 {
        let most = (self.content() - view).max(0.0);
        if self.is_at_end {
            return most;
        }
        let anchored = self.anchor.and_then(|(key, above)| {
            let row = self.rows.iter().position(|row| row.key() == key)?;
            Some(f64::from(EDGE) + self.heights.top(row) + above)
        });
        anchored.unwrap_or(self.offset).clamp(0.0, most)
    }

    /// Measures what is about to be seen until nothing moves any more; gives the offset.
    fn settle(&mut self, ui: &Ui, scene: Scene<'_>, view: f64) -> f64 {
        if self.heights.len() == 0 {
            return 0.0;
        }
        loop {
            let offset = self.wanted(view);
            let first = self.heights.row_at(offset - AHEAD);
            let last = self.heights.row_at(offset + view + AHEAD);
            let mut is_settled = true;
            for row in first..=last {
                if !self.heights.is_measured(row) {
                    self.heights.measure(row, self.measure(ui, scene, row));
                    is_settled = false;
                }
            }
            if is_settled {
                return offset;
            }
        }
    }

    fn scroll_ui(
        &mut self,
        ui: &mut Ui,
        scene: Scene<'_>,
        rect: Rect,
        chat: &ChatRow,
        offset: f64,
        asks: &mut Asks,
    ) {
        #[expect(
            clippy::cast_possible_truncation,
            reason = "egui's coordinates are f32"
        )]
        let (content, wanted) = (self.content() as f32, offset as f32);
        let out = ScrollArea::vertical()
            .auto_shrink(false)
            .vertical_scroll_offset(wanted)
            .show_viewport(ui, |ui, viewport| {
                ui.set_height(content.max(rect.height()));
                ui.ctx().accesskit_node_builder(ui.unique_id(), |node| {
                    node.set_role(Role::List);
                    node.set_label(words::TIMELINE);
                });
                // A short history stands at the bottom, next to the composer.
                let spare = (rect.height() - content).max(0.0);
                let top = ui.max_rect().top() + spare + EDGE;
                let left = rect.center().x - self.width / 2.0;
                let shown = viewport.translate(vec2(0.0, -spare - EDGE)).y_range();
                self.rows_ui(ui, scene, chat, pos2(left, top), shown, asks);
            });
        let view = f64::from(rect.height());
        let most = (self.content() - view).max(0.0);
        // egui clamps with the limits of the frame before; these are today's.
        self.offset = f64::from(out.state.unclamped_offset().y).clamp(0.0, most);
        self.is_at_end = self.offset >= most - 1.0;
        if self.heights.len() > 0 {
            let row = self.heights.row_at(self.offset - f64::from(EDGE));
            let top = f64::from(EDGE) + self.heights.top(row);
            self.anchor = self.rows.get(row).map(|row| (row.key(), self.offset - top));
        }
    }

    fn rows_ui(
        &self,
        ui: &mut Ui,
        scene: Scene<'_>,
        chat: &ChatRow,
        origin: egui::Pos2,
        shown: Rangef,
        asks: &mut Asks,
    ) {
        let Some(source) = &self.source else { return };
        let first = self.heights.row_at(f64::from(shown.min));
        let last = self.heights.row_at(f64::from(shown.max));
        for (index, row) in self.rows.iter().enumerate().take(last + 1).skip(first) {
            #[expect(
                clippy::cast_possible_truncation,
                reason = "egui's coordinates are f32"
            )]
            let top = origin.y + self.heights.top(index) as f32;
            let size = vec2(self.width, self.heights.height(index));
            let place = Rect::from_min_size(pos2(origin.x, top), size);
            match row {
                Row::Day(day) => marks::day_ui(ui, scene, place, *day),
                Row::Unread => marks::unread_ui(ui, scene, place),
                Row::Message(found) => {
                    let Some(message) = source.messages.get(found.index) else {
                        continue;
                    };
                    if let Body::Note(note) = &message.body {
                        let note = (&**message, note);
                        NoteLayout::new(ui, scene, note, &self.peer, self.width)
                            .ui(ui, scene, place);
                    } else {
                        let layout = BubbleLayout::new(ui, scene, message, *found, self.width);
                        layout.ui(ui, scene, (chat.id, &self.peer), place, asks);
                        if self.found == Some(message.key) {
                            layout.mark_ui(ui, scene, place);
                        }
                    }
                }
            }
        }
    }

    /// Tells the client what was seen, once per message, while the window has the focus.
    fn mark_read(&mut self, ui: &Ui, scene: Scene<'_>, chat: &ChatRow, asks: &mut Asks) {
        let Some(source) = &self.source else { return };
        if !self.is_at_end || source.has_newer || !ui.input(|input| input.focused) {
            return;
        }
        self.seen = source.messages.last().map(|message| message.key);
        let newest = source
            .messages
            .iter()
            .rev()
            .find(|message| !message.is_mine);
        if let Some(newest) = newest
            && chat.unread > 0
            && self.marked < Some(newest.key)
        {
            self.marked = Some(newest.key);
            let (chat, up_to) = (chat.id, newest.key);
            asks.command(&scene.profile.id, Command::MarkRead { chat, up_to });
        }
    }
}

#[cfg(test)]
mod tests;
