//! Looking for chats and messages: a field above the list of chats, and what was found in its place.

use std::ops::Range;

use egui::text::{LayoutJob, TextFormat, TextWrapping};
use egui::{
    Align2, CornerRadius, CursorIcon, Id, Key, Margin, Rect, Role, ScrollArea, Sense, TextEdit, Ui,
    WidgetInfo, pos2, vec2,
};
use jiff::tz::{Offset, TimeZone};
use sotto_client::view::{
    Body, ChatRow, ProfileId, ProfileView, SearchHit, SearchResults, SearchState,
};
use sotto_client::{Command, QUERY_BYTES_MAX, Query, QueryError};

use crate::bidi;
use crate::icons::{self, Icon};
use crate::names::clean;
use crate::scene::{Asks, Scene, Wish, pane};
use crate::theme::{Palette, body, medium, semibold, space};
use crate::widgets::{Kind, avatar, focus_ring, icon_button, input_frame, line, text_button};
use crate::words;

/// Height of the field's strip.
pub(crate) const STRIP: f32 = 48.0;
/// Chats that are offered beside messages.
const CHATS_MAX: usize = 5;
/// Characters of a text before the word that was found.
const LEAD: usize = 24;
/// Characters of a text that can be seen.
const EXCERPT: usize = 160;

/// The id of the field, to move the focus to it.
pub(crate) fn id(profile: &ProfileId) -> Id {
    Id::unique(("search", profile))
}

/// The beginning of a query about one chat.
pub(crate) fn within(chat: &ChatRow) -> String {
    if chat.handle.is_empty() {
        // A quotation ends with the next mark.
        return format!("in:\"{}\" ", chat.name.replace('"', ""));
    }
    format!("in:{} ", chat.handle)
}

/// What a person looks for in one profile.
#[derive(Default)]
pub(crate) struct SearchDesk {
    text: String,
    /// What the client was last asked for.
    asked: String,
    problem: Option<QueryError>,
}

impl SearchDesk {
    /// Whether the list of chats is shown.
    pub(crate) fn is_idle(&self) -> bool {
        self.text.trim().is_empty()
    }

    /// Starts with this text.
    pub(crate) fn begin(&mut self, text: String) {
        self.text = text;
    }

    /// Back to the list of chats.
    pub(crate) fn end(&mut self) {
        self.text.clear();
    }

    /// Draws the field, and asks for what was typed.
    pub(crate) fn field_ui(&mut self, ui: &mut Ui, scene: Scene<'_>, rect: Rect, asks: &mut Asks) {
        let p = scene.palette;
        let id = id(&scene.profile.id);
        pane(ui, rect, "search", |ui| {
            let place = rect.shrink2(vec2(space::M, 4.0));
            let has_focus = ui.memory(|memory| memory.has_focus(id));
            let mut margin = Margin::symmetric(12, 9);
            margin.left = 34;
            margin.right = if self.text.is_empty() { 12 } else { 36 };
            let field = TextEdit::singleline(&mut self.text)
                .id(id)
                .font(body(14.0))
                .hint_text(words::SEARCH_HINT)
                .char_limit(QUERY_BYTES_MAX / 4)
                .desired_width(place.width())
                .frame(input_frame(p, has_focus, space::RADIUS_INPUT, margin));
            let response = ui.put(place, field);
            ui.ctx()
                .accesskit_node_builder(id, |node| node.set_label(words::SEARCH));
            let glass = pos2(place.left() + 18.0, place.center().y);
            let glass = Rect::from_center_size(glass, egui::Vec2::splat(16.0));
            icons::paint(ui.painter(), glass, Icon::Search, p.text2);
            if !self.text.is_empty() {
                let clear = pos2(place.right() - 18.0, place.center().y);
                let clear = Rect::from_center_size(clear, egui::Vec2::splat(28.0));
                let clicked = pane(ui, clear, "clear", |ui| {
                    icon_button(ui, p, Icon::Close, words::END_SEARCH, 28.0).clicked()
                });
                if clicked {
                    self.end();
                }
            }
            if has_focus || response.lost_focus() {
                self.keys(ui, scene.profile, asks);
            }
        });
        self.ask(scene, asks);
    }

    /// Down goes to what was found, Enter opens the first of it.
    fn keys(&self, ui: &Ui, profile: &ProfileView, asks: &mut Asks) {
        let (down, enter) = ui.input(|input| {
            let down = input.key_pressed(Key::ArrowDown);
            (down, input.key_pressed(Key::Enter))
        });
        if self.is_idle() || !(down || enter) {
            return;
        }
        let chat = self.chats(profile).next();
        let hit = self.results(profile).and_then(|found| found.hits.first());
        let first = match (chat, hit) {
            (Some(chat), _) => Some((crate::chat_row::id(&profile.id, chat.id), open(chat))),
            (None, Some(hit)) => Some((hit_id(&profile.id, hit), find(hit))),
            (None, None) => None,
        };
        let Some((id, wish)) = first else {
            return;
        };
        if down {
            ui.memory_mut(|memory| memory.request_focus(id));
        } else {
            asks.wish(wish);
        }
    }

    /// Asks the client for what was typed, when it is something else than before.
    fn ask(&mut self, scene: Scene<'_>, asks: &mut Asks) {
        if self.asked == self.text {
            return;
        }
        self.asked.clone_from(&self.text);
        let zone =
            Offset::from_seconds(scene.utc_offset_secs).map_or(TimeZone::UTC, TimeZone::fixed);
        let query = Query::parse(&self.text, &zone);
        self.problem = query.as_ref().err().copied();
        let command = query.map_or(Command::EndSearch, Command::Search);
        asks.command(&scene.profile.id, command);
    }

    /// What was found of that which was asked for last.
    fn results<'a>(&self, profile: &'a ProfileView) -> Option<&'a SearchResults> {
        let found = profile.search.as_deref();
        found.filter(|_| self.problem.is_none() && !self.is_idle())
    }

    /// Chats whose name or handle holds what was typed.
    fn chats<'a>(&self, profile: &'a ProfileView) -> impl Iterator<Item = &'a ChatRow> {
        let wanted = self.text.trim().to_lowercase();
        let is_wanted = move |chat: &&ChatRow| {
            !wanted.is_empty()
                && !chat.is_refused()
                && (chat.name.to_lowercase().contains(&wanted) || chat.handle.contains(&wanted))
        };
        profile.chats.iter().filter(is_wanted).take(CHATS_MAX)
    }

    /// Draws what was found; `row` draws a chat.
    pub(crate) fn results_ui(
        &self,
        ui: &mut Ui,
        scene: Scene<'_>,
        rect: Rect,
        asks: &mut Asks,
        mut row: impl FnMut(&mut Ui, &ChatRow, &mut Asks),
    ) {
        let p = scene.palette;
        pane(ui, rect, ("found", &scene.profile.id), |ui| {
            ui.spacing_mut().item_spacing.y = 2.0;
            ScrollArea::vertical().auto_shrink(false).show(ui, |ui| {
                ui.ctx().accesskit_node_builder(ui.unique_id(), |node| {
                    node.set_role(Role::List);
                    node.set_label(words::FOUND);
                });
                let mut is_empty = true;
                for chat in self.chats(scene.profile) {
                    if std::mem::take(&mut is_empty) {
                        heading_ui(ui, p, words::CHATS);
                    }
                    row(ui, chat, asks);
                }
                let results = self.results(scene.profile);
                let hits = results.map_or(&[][..], |found| &found.hits);
                if !hits.is_empty() {
                    heading_ui(ui, p, words::MESSAGES);
                    is_empty = false;
                }
                for hit in hits {
                    hit_ui(ui, scene, hit, asks);
                }
                self.foot_ui(ui, scene, results, is_empty, asks);
            });
        });
    }

    /// Below what was found: more, nothing, or what is wrong.
    fn foot_ui(
        &self,
        ui: &mut Ui,
        scene: Scene<'_>,
        results: Option<&SearchResults>,
        is_empty: bool,
        asks: &mut Asks,
    ) {
        let p = scene.palette;
        let say = |ui: &mut Ui, text: String| {
            let margin = Margin::symmetric(16, 8);
            egui::Frame::new().inner_margin(margin).show(ui, |ui| {
                ui.label(egui::RichText::new(text).font(body(13.0)).color(p.text2));
            });
        };
        match (self.problem, results.map(|found| found.state)) {
            (Some(QueryError::Empty), _) if !is_empty => {}
            (Some(problem), _) => say(ui, words::query_problem(problem).to_owned()),
            (None, None | Some(SearchState::Running)) => say(ui, words::SEARCHING.to_owned()),
            (None, Some(SearchState::Paused)) => {
                ui.vertical_centered(|ui| {
                    let label = words::SEARCH_OLDER;
                    if text_button(ui, p, Kind::Plain, label, space::TARGET, 0.0).clicked() {
                        asks.command(&scene.profile.id, Command::SearchOlder);
                    }
                });
            }
            (None, Some(SearchState::Complete)) if is_empty => {
                say(ui, words::nothing_found(self.text.trim()));
            }
            (None, Some(SearchState::Complete)) => {}
        }
    }
}

fn open(chat: &ChatRow) -> Wish {
    Wish::Chat(chat.id)
}

fn find(hit: &SearchHit) -> Wish {
    Wish::Message(hit.chat, hit.message.key)
}

fn hit_id(profile: &ProfileId, hit: &SearchHit) -> Id {
    Id::unique(("hit", profile, hit.message.key))
}

fn heading_ui(ui: &mut Ui, p: &Palette, text: &str) {
    let (_, rect) = ui.allocate_space(vec2(ui.available_width(), 28.0));
    let response = ui.interact(rect, ui.scope_id().with(text), Sense::hover());
    response.widget_info(|| WidgetInfo::labeled(Role::Heading, true, text));
    let at = rect.left_center() + vec2(space::L, 2.0);
    ui.painter()
        .text(at, Align2::LEFT_CENTER, text, medium(12.0), p.text2);
}

/// A message that was found: where, when, by whom, and what is around the word.
fn hit_ui(ui: &mut Ui, scene: Scene<'_>, hit: &SearchHit, asks: &mut Asks) {
    let p = scene.palette;
    let chat = scene.profile.chats.iter().find(|row| row.id == hit.chat);
    let Some(chat) = chat else { return };
    let (_, slot) = ui.allocate_space(vec2(ui.available_width(), space::CHAT_ROW));
    let rect = slot.shrink2(vec2(space::S, 0.0));
    let response = ui.interact(rect, hit_id(&scene.profile.id, hit), Sense::click());
    let name = clean(&chat.name, &chat.handle);
    let time = words::list_time(scene.local(hit.message.sent_at_millis), scene.now);
    let excerpt = Excerpt::of(hit);
    response.widget_info(|| {
        let label = words::found_message(&name, &time, hit.message.is_mine, &excerpt.text);
        WidgetInfo::labeled(Role::Button, true, label)
    });
    if response.gained_focus() {
        response.scroll_to_me(None);
    }
    if response.hovered() {
        let corners = CornerRadius::same(space::RADIUS_ROW);
        ui.painter().rect_filled(rect, corners, p.surface2);
    }
    let painter = ui.painter();
    let center = pos2(rect.left() + 32.0, rect.center().y);
    avatar(painter, center, 36.0, &name, &chat.handle);
    let left = rect.left() + 66.0;
    let right = rect.right() - 12.0;
    let (upper, lower) = (rect.top() + 22.0, rect.top() + 43.0);
    let stamp = painter.text(
        pos2(right, upper),
        Align2::RIGHT_CENTER,
        &time,
        body(11.5),
        p.text2,
    );
    let width = stamp.left() - space::S - left;
    line(
        painter,
        pos2(left, upper),
        width,
        &name,
        semibold(14.5),
        p.text,
    );
    excerpt.ui(ui, p, hit.message.is_mine, pos2(left, lower), right - left);
    focus_ring(ui, p, &response, rect, space::RADIUS_ROW);
    if response.on_hover_cursor(CursorIcon::PointingHand).clicked() {
        asks.wish(find(hit));
    }
}

/// The part of a text around what was found, on one line.
struct Excerpt {
    text: String,
    matches: Vec<Range<usize>>,
}

impl Excerpt {
    fn of(hit: &SearchHit) -> Self {
        let Body::Text(text) = &hit.message.body else {
            return Self {
                text: words::UNKNOWN_BODY.to_owned(),
                matches: Vec::new(),
            };
        };
        let first = hit.matches.first().map_or(0, |range| range.start);
        let before = text.get(..first).unwrap_or_default();
        let start = before
            .char_indices()
            .rev()
            .nth(LEAD)
            .map_or(0, |(at, _)| at);
        let mut excerpt = Self {
            text: if start > 0 {
                "…".to_owned()
            } else {
                String::new()
            },
            matches: Vec::new(),
        };
        let rest = text.get(start..).unwrap_or_default();
        for (at, character) in rest.char_indices().take(EXCERPT) {
            let shown = if character.is_whitespace() {
                ' '
            } else {
                character
            };
            // Where characters are left out or stand for others, the places follow.
            let from = excerpt.text.len();
            excerpt
                .text
                .push_str(&bidi::displayable(&shown.to_string()));
            let is_match = hit.matches.iter().any(|it| it.contains(&(start + at)));
            let to = excerpt.text.len();
            match excerpt.matches.last_mut() {
                Some(last) if is_match && last.end == from => last.end = to,
                _ if is_match => excerpt.matches.push(from..to),
                _ => {}
            }
        }
        excerpt
    }

    fn ui(&self, ui: &Ui, p: &Palette, is_mine: bool, at: egui::Pos2, width: f32) {
        let lead = if is_mine {
            format!("{}: ", words::YOU)
        } else {
            String::new()
        };
        let galley = if bidi::has_rtl(&self.text) {
            // Put in order as a whole: its pieces cannot be told apart any more.
            let look = bidi::TextLook {
                font: body(13.0),
                color: p.text2,
                line_height: 18.0,
            };
            let text = format!("{lead}{}", self.text);
            ui.fonts_mut(|fonts| bidi::first_line(fonts, &text, &look, width))
        } else {
            let format = |font, color| TextFormat {
                font_id: font,
                color,
                ..TextFormat::default()
            };
            let (plain, found) = (format(body(13.0), p.text2), format(semibold(13.0), p.text));
            let mut job = LayoutJob::default();
            job.append(&lead, 0.0, plain.clone());
            let mut end = 0;
            for part in &self.matches {
                job.append(
                    self.text.get(end..part.start).unwrap_or_default(),
                    0.0,
                    plain.clone(),
                );
                job.append(
                    self.text.get(part.clone()).unwrap_or_default(),
                    0.0,
                    found.clone(),
                );
                end = part.end;
            }
            job.append(self.text.get(end..).unwrap_or_default(), 0.0, plain);
            job.wrap = TextWrapping::truncate_at_width(width.max(0.0));
            ui.painter().layout_job(job)
        };
        let y = at.y - galley.size().y / 2.0;
        ui.painter().galley(pos2(at.x, y), galley, p.text2);
    }
}
