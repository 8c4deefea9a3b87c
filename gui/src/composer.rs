//! The field in which a message is written.

use egui::{
    CornerRadius, Event, Id, ImeEvent, Key, KeyboardShortcut, Margin, Modifiers, Rect, Role,
    ScrollArea, Sense, TextEdit, Ui, UiBuilder, Vec2, WidgetInfo, pos2, vec2,
};
use sotto_client::Command;
use sotto_client::view::{
    Body, ChatId, ChatRow, Message, MessageKey, ProfileId, TEXT_BYTES_MAX, Trust,
};

use crate::dialogs::{Dialog, RephraseForm};
use crate::icons::{self, Icon};
use crate::names::clean;
use crate::scene::{Asks, Scene, Wish, pane};
use crate::theme::{body, semibold, space};
use crate::widgets::{Kind, focus_ring, icon_button, input_frame, line, text_button};
use crate::{bidi, words};

/// Lines before the field scrolls.
const LINES_MAX: f32 = 6.0;
const LINE: f32 = 20.0;
const PAD: f32 = 9.0;
/// Height of the sentence about a text that is too long.
const HINT: f32 = 24.0;
/// Height of the bar above the field that names what is answered.
const REPLY: f32 = 46.0;
/// Height of the bar that gives back what was written before.
const UNDO: f32 = 40.0;
/// Width of the button for other words.
const ASSIST: f32 = 38.0;
/// The client is told of the writing at most this often, in seconds.
const TELL_SECS: f64 = 1.0;
/// A draft is saved at most this often, in seconds.
const SAVE_SECS: f64 = 1.0;

/// A message that is answered.
#[derive(Clone)]
pub(crate) struct Reply {
    message: MessageKey,
    is_mine: bool,
    text: String,
}

impl Reply {
    /// To this message.
    pub(crate) fn to(message: &Message) -> Self {
        let text = match &message.body {
            Body::Text(text) => words::one_line(text),
            Body::Note(_) | Body::Unknown => words::UNKNOWN_BODY.to_owned(),
        };
        Self {
            message: message.key,
            is_mine: message.is_mine,
            text,
        }
    }
}

/// What was typed for one chat.
#[derive(Default)]
pub(crate) struct ComposerState {
    text: String,
    /// The text differs from the model's draft because the person typed.
    is_own: bool,
    /// The draft as the client was last told.
    saved: Option<String>,
    saved_at: f64,
    /// When the client was told of the writing, in seconds.
    told_at: Option<f64>,
    reply: Option<Reply>,
    /// What was written before other words took its place.
    before: Option<String>,
    is_composing: bool,
}

/// What the composer did in this frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Composed {
    /// Nothing that concerns others.
    Nothing,
    /// A message was sent.
    Sent,
}

/// The id of a chat's field.
pub(crate) fn id(profile: &ProfileId, chat: ChatId) -> Id {
    Id::unique(("composer", profile, chat))
}

impl ComposerState {
    /// What was typed so far.
    pub(crate) fn text(&self) -> &str {
        &self.text
    }

    /// Whether the person typed here since the program started.
    pub(crate) fn is_own(&self) -> bool {
        self.is_own
    }

    /// What is written answers this.
    pub(crate) fn answer(&mut self, reply: Reply) {
        self.reply = Some(reply);
    }

    /// The message that is answered.
    pub(crate) fn answered(&self) -> Option<MessageKey> {
        self.reply.as_ref().map(|reply| reply.message)
    }

    /// Takes other words; those before can be had back.
    pub(crate) fn rephrase(&mut self, text: String) {
        self.before = Some(std::mem::replace(&mut self.text, text));
        self.is_own = true;
    }

    /// What is written answers nothing; whether it did before.
    pub(crate) fn answer_nothing(&mut self) -> bool {
        self.reply.take().is_some()
    }

    /// Takes the model's draft over, unless something was typed here.
    pub(crate) fn follow(&mut self, draft: &str) {
        if !self.is_own && self.text != draft {
            draft.clone_into(&mut self.text);
        }
    }

    /// Adds what was typed while nothing had the focus.
    pub(crate) fn push(&mut self, text: &str) {
        self.text.push_str(text);
        self.is_own = true;
    }

    /// Tells the client the draft, if it does not know it; at most once a second unless `is_now`.
    pub(crate) fn save(
        &mut self,
        ctx: &egui::Context,
        profile: &ProfileId,
        chat: ChatId,
        is_now: bool,
        asks: &mut Asks,
    ) {
        if !self.is_own || self.saved.as_ref() == Some(&self.text) {
            return;
        }
        let now = ctx.input(|input| input.time);
        let wait = self.saved_at + SAVE_SECS - now;
        if wait > 0.0 && !is_now && self.saved.is_some() {
            ctx.request_repaint_after(std::time::Duration::from_secs_f64(wait));
            return;
        }
        self.saved = Some(self.text.clone());
        self.saved_at = now;
        let text = self.text.clone();
        asks.command(profile, Command::SaveDraft { chat, text });
    }

    /// The height that the composer wants at this width, in points.
    pub(crate) fn height(&self, ui: &Ui, width: f32) -> f32 {
        let room = field_width(width) - 2.0 * 14.0;
        let look = look(egui::Color32::PLACEHOLDER);
        let galley = ui.fonts_mut(|fonts| bidi::layout_editable(fonts, &self.text, &look, room));
        #[expect(clippy::cast_precision_loss, reason = "a few lines")]
        let lines = (galley.rows.len() as f32).clamp(1.0, LINES_MAX);
        let hint = if self.bytes_over() > 0 { HINT } else { 0.0 };
        let reply = if self.reply.is_some() { REPLY } else { 0.0 };
        let undo = if self.before.is_some() { UNDO } else { 0.0 };
        lines * LINE + 2.0 * PAD + 2.0 * space::M + hint + reply + undo
    }

    fn bytes_over(&self) -> usize {
        self.text.trim().len().saturating_sub(TEXT_BYTES_MAX)
    }

    /// Draws the composer across `rect`.
    pub(crate) fn ui(
        &mut self,
        ui: &mut Ui,
        scene: Scene<'_>,
        rect: Rect,
        chat: &ChatRow,
        asks: &mut Asks,
    ) -> Composed {
        let p = scene.palette;
        ui.painter().rect_filled(rect, 0, p.surface1);
        ui.painter()
            .hline(rect.x_range(), rect.top(), egui::Stroke::new(1.0, p.line));
        let mut rect = rect;
        if let Some(reply) = &self.reply {
            let (bar, rest) = rect.split_top_bottom_at_y(rect.top() + REPLY);
            rect = rest;
            if reply_ui(ui, scene, bar, chat, reply) {
                self.reply = None;
                ui.ctx().request_repaint();
            }
        }
        if self.before.is_some() {
            let (bar, rest) = rect.split_top_bottom_at_y(rect.top() + UNDO);
            rect = rest;
            if undo_ui(ui, scene, bar)
                && let Some(before) = self.before.take()
            {
                self.text = before;
                self.is_own = true;
                ui.ctx().request_repaint();
            }
        }
        let over = self.bytes_over();
        let hint = if over > 0 { HINT } else { 0.0 };
        let field = Rect::from_min_max(
            rect.min + vec2(space::L, space::M),
            pos2(
                rect.left() + space::L + field_width(rect.width()),
                rect.bottom() - space::M - hint,
            ),
        );
        let can_send = over == 0 && chat.trust != Trust::Changed && !self.text.trim().is_empty();
        let is_ime = self.follow_ime(ui);
        let id = id(&scene.profile.id, chat.id);
        let response = self.field_ui(ui, scene, field, id);
        if response.changed() {
            self.is_own = true;
            self.tell(ui, scene, chat.id, asks);
        }
        let enter = response.has_focus()
            && !is_ime
            && ui.input(|input| input.key_pressed(Key::Enter) && !input.modifiers.shift);
        let center = pos2(rect.right() - space::L - 20.0, field.bottom() - 19.0);
        let has_text = !self.text.trim().is_empty();
        let assist = Rect::from_center_size(
            pos2(center.x - 20.0 - ASSIST / 2.0 - 2.0, center.y),
            Vec2::splat(36.0),
        );
        pane(ui, assist, "assist", |ui| {
            let button = ui.add_enabled_ui(has_text, |ui| {
                icon_button(ui, p, Icon::Sparkle, words::REPHRASE, 36.0)
            });
            if button.inner.clicked() && has_text {
                let form = RephraseForm::new(chat.id, &self.text);
                asks.wish(Wish::Dialog(Box::new(Dialog::Rephrase(form))));
            }
        });
        let clicked = send_ui(ui, scene, center, can_send);
        if over > 0 {
            let at = pos2(field.left() + 14.0, rect.bottom() - space::M - 8.0);
            let text = words::too_long(over);
            let place = Rect::from_min_size(at - vec2(0.0, 10.0), vec2(field.width(), 20.0));
            let response = ui.interact(place, ui.scope_id().with("too-long"), Sense::hover());
            response.widget_info(|| WidgetInfo::labeled(Role::Alert, true, &text));
            line(ui.painter(), at, field.width(), &text, body(13.0), p.danger);
        }
        if (enter || clicked) && can_send {
            self.send(scene, chat.id, asks);
            ui.ctx().request_repaint();
            if clicked {
                ui.memory_mut(|memory| memory.request_focus(id));
            }
            return Composed::Sent;
        }
        Composed::Nothing
    }

    /// Follows an input method; whether it uses the keys of this frame.
    fn follow_ime(&mut self, ui: &Ui) -> bool {
        let was_composing = self.is_composing;
        let mut has_ime = false;
        ui.input(|input| {
            for event in &input.events {
                match event {
                    Event::Ime(ImeEvent::Preedit { text, .. }) => {
                        has_ime |= !text.is_empty();
                        self.is_composing = !text.is_empty();
                    }
                    Event::Ime(ImeEvent::Commit(_)) => {
                        has_ime = true;
                        self.is_composing = false;
                    }
                    _ => {}
                }
            }
        });
        was_composing || has_ime
    }

    fn field_ui(&mut self, ui: &mut Ui, scene: Scene<'_>, rect: Rect, id: Id) -> egui::Response {
        let p = scene.palette;
        let has_focus = ui.memory(|memory| memory.has_focus(id));
        let frame = input_frame(p, has_focus, 19, Margin::ZERO);
        let fill = ui.painter().clone();
        fill.rect(
            rect,
            CornerRadius::same(19),
            frame.fill,
            frame.stroke,
            egui::StrokeKind::Inside,
        );
        let inner = rect.shrink2(vec2(2.0, 2.0));
        let mut child = ui.new_child(UiBuilder::new().max_rect(inner));
        child.shrink_clip_rect(inner);
        let ink = p.text;
        let mut layouter = |ui: &Ui, text: &dyn egui::TextBuffer, width: f32| {
            let look = look(ink);
            ui.fonts_mut(|fonts| bidi::layout_editable(fonts, text.as_str(), &look, width))
        };
        let margin = Margin::symmetric(12, 7);
        ScrollArea::vertical()
            .id_salt("composer-scroll")
            .auto_shrink(false)
            .show(&mut child, |ui| {
                let hint = egui::RichText::new(words::MESSAGE)
                    .font(body(14.0))
                    .color(p.text3);
                let response = TextEdit::multiline(&mut self.text)
                    .id(id)
                    .font(body(14.0))
                    .return_key(KeyboardShortcut::new(Modifiers::SHIFT, Key::Enter))
                    .hint_text(hint)
                    .desired_rows(1)
                    .desired_width(f32::INFINITY)
                    .frame(egui::Frame::new().inner_margin(margin))
                    .layouter(&mut layouter)
                    .show(ui)
                    .response
                    .response;
                ui.ctx()
                    .accesskit_node_builder(id, |node| node.set_label(words::MESSAGE));
                response
            })
            .inner
    }

    /// Tells the client that something is written.
    fn tell(&mut self, ui: &Ui, scene: Scene<'_>, chat: ChatId, asks: &mut Asks) {
        let now = ui.input(|input| input.time);
        let is_due = self.told_at.is_none_or(|told| now - told >= TELL_SECS);
        if is_due && scene.profile.privacy.typing && !self.text.trim().is_empty() {
            self.told_at = Some(now);
            asks.command(&scene.profile.id, Command::Type(chat));
        }
    }

    fn send(&mut self, scene: Scene<'_>, chat: ChatId, asks: &mut Asks) {
        let text = std::mem::take(&mut self.text).trim().to_owned();
        self.is_own = true;
        self.before = None;
        self.saved = Some(String::new());
        asks.command(
            &scene.profile.id,
            Command::SendText {
                chat,
                text,
                answers: self.reply.take().map(|reply| reply.message),
            },
        );
    }
}

fn look(color: egui::Color32) -> bidi::TextLook {
    bidi::TextLook {
        font: body(14.0),
        color,
        line_height: LINE,
    }
}

fn field_width(width: f32) -> f32 {
    width - 2.0 * space::L - 40.0 - ASSIST - space::M
}

/// The bar that says that other words were taken; whether those before are wished back.
fn undo_ui(ui: &mut Ui, scene: Scene<'_>, rect: Rect) -> bool {
    let p = scene.palette;
    let at = pos2(rect.left() + space::L + 14.0, rect.top() + 21.0);
    let width = line(
        ui.painter(),
        at,
        200.0,
        words::REPHRASED,
        body(13.0),
        p.text2,
    );
    let from = pos2(at.x + width + space::S, rect.top() + 6.0);
    let place = Rect::from_min_size(from, vec2(120.0, 32.0));
    pane(ui, place, "undo", |ui| {
        text_button(ui, p, Kind::Plain, words::UNDO, 30.0, 0.0).clicked()
    })
}

/// The bar that names what is answered; whether it is to go.
fn reply_ui(ui: &mut Ui, scene: Scene<'_>, rect: Rect, chat: &ChatRow, reply: &Reply) -> bool {
    let p = scene.palette;
    let name = clean(&chat.name, &chat.handle);
    let author = if reply.is_mine { words::YOU } else { &name };
    let place = Rect::from_min_max(
        rect.min + vec2(space::L + 2.0, 10.0),
        pos2(rect.right() - space::L - 40.0, rect.bottom()),
    );
    let response = ui.interact(place, ui.scope_id().with("reply"), Sense::hover());
    let label = words::in_reply_to(author, &reply.text);
    response.widget_info(|| WidgetInfo::labeled(Role::Label, true, &label));
    let painter = ui.painter();
    let bar = place.with_max_x(place.left() + 3.0);
    painter.rect_filled(bar, CornerRadius::same(2), p.accent);
    let left = place.left() + 12.0;
    let room = place.right() - left - space::S;
    let upper = pos2(left, place.top() + 9.0);
    line(painter, upper, room, author, semibold(13.0), p.text);
    let lower = pos2(left, place.top() + 27.0);
    line(painter, lower, room, &reply.text, body(13.0), p.text2);
    let center = pos2(rect.right() - space::L - 18.0, place.center().y);
    let button = Rect::from_center_size(center, Vec2::splat(space::TARGET));
    pane(ui, button, "no-reply", |ui| {
        icon_button(ui, p, Icon::Close, words::CANCEL_REPLY, space::TARGET).clicked()
    })
}

/// The round button; whether it was clicked.
fn send_ui(ui: &mut Ui, scene: Scene<'_>, center: egui::Pos2, can_send: bool) -> bool {
    let p = scene.palette;
    let rect = Rect::from_center_size(center, Vec2::splat(38.0));
    let sense = if can_send {
        Sense::click()
    } else {
        Sense::hover()
    };
    let response = ui.interact(rect, ui.scope_id().with("send"), sense);
    response.widget_info(|| WidgetInfo::labeled(Role::Button, can_send, words::SEND));
    if !can_send {
        ui.ctx()
            .accesskit_node_builder(response.id, egui::accesskit::Node::set_disabled);
    }
    let (fill, ink) = match can_send {
        true if response.hovered() => (p.accent.lerp_to_gamma(p.text, 0.12), p.on_accent),
        true => (p.accent, p.on_accent),
        false => (p.surface3, p.text2),
    };
    ui.painter().circle_filled(center, 19.0, fill);
    let picture = Rect::from_center_size(center, Vec2::splat(20.0));
    icons::paint(ui.painter(), picture, Icon::Send, ink);
    focus_ring(ui, p, &response, rect.expand(2.0), 21);
    let is_clicked = response.clicked();
    response.on_hover_text(words::SEND);
    is_clicked && can_send
}
