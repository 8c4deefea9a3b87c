//! A range of messages in short.

use std::sync::Arc;

use egui::{RichText, ScrollArea, TextWrapMode, Ui};
use jiff::civil::Date;
use sotto_client::Command;
use sotto_client::assistant::{Line, Names, Task, key_sentences};
use sotto_client::view::{
    Body, ChatId, ChatRow, Material, Message, MessageKey, MessageRange, ProfileView,
};

use crate::bidi;
use crate::dialogs::settings::option;
use crate::dialogs::{DialogScene, frame};
use crate::names::clean;
use crate::scene::{Asks, Wish};
use crate::theme::{Palette, body, medium, space};
use crate::widgets::{Kind, spinner, text_button};
use crate::words;

use super::{Asking, Shown, WIDTH, answer};

/// Sentences of a summary that no model makes.
const KEY_SENTENCES: usize = 5;
/// Height of a line, and of the list of them, in points.
const ROW: f32 = 28.0;
const ROWS: f32 = 210.0;

/// What was chosen so far.
pub(crate) struct SummaryForm {
    chat: ChatId,
    /// The first unread message, if there is one.
    unread: Option<MessageKey>,
    range: MessageRange,
    /// What the range holds, as it was asked for.
    asked: Option<MessageRange>,
    material: Option<Arc<Material>>,
    /// Whether each of its messages is to be summarised.
    is_taken: Vec<bool>,
    keeps_names: bool,
    /// The summary that was made here.
    sentences: Option<Vec<String>>,
    asking: Asking,
}

impl SummaryForm {
    /// Of the messages from this one on, or of those that are unread, or of the newest ones.
    pub(crate) fn new(chat: ChatId, unread: Option<MessageKey>, from: Option<MessageKey>) -> Self {
        let range = from.or(unread).map(MessageRange::From);
        Self {
            chat,
            unread,
            range: range.unwrap_or(MessageRange::Last(50)),
            asked: None,
            material: None,
            is_taken: Vec::new(),
            keeps_names: false,
            sentences: None,
            asking: Asking::default(),
        }
    }

    /// Draws the dialog.
    pub(in crate::dialogs) fn ui(&mut self, ui: &Ui, scene: DialogScene<'_>, asks: &mut Asks) {
        let Some((profile, chat)) = scene.chat(self.chat) else {
            asks.wish(Wish::CloseDialog);
            return;
        };
        let p = scene.palette;
        self.follow(profile, asks);
        frame(ui, p, words::SUMMARISE, WIDTH, asks, |ui, asks| match self
            .asking
            .ui(ui, scene, profile, chat, asks)
        {
            Shown::Other => {}
            Shown::Form => self.form_ui(ui, scene, profile, chat, asks),
            Shown::Answer(help, provider) => {
                answer::text_ui(ui, p, &help.text);
                answer::made_by_ui(ui, p, help, provider);
                ui.add_space(space::M);
                if copy_ui(ui, p) {
                    asks.wish(Wish::Copy(help.text.to_string()));
                }
            }
        });
    }

    /// Asks for what the range holds, and takes it.
    fn follow(&mut self, profile: &ProfileView, asks: &mut Asks) {
        if self.asked != Some(self.range) {
            self.asked = Some(self.range);
            self.material = None;
            self.sentences = None;
            let wanted = Some((self.chat, self.range));
            asks.command(&profile.id, Command::GatherMessages(wanted));
        }
        let gathered = profile.assistant.material.as_ref();
        let gathered = gathered.filter(|it| it.chat == self.chat && it.range == self.range);
        if let Some(gathered) = gathered
            && self.material.is_none()
        {
            self.is_taken = vec![true; gathered.messages.len()];
            self.material = Some(Arc::clone(gathered));
        }
    }

    fn form_ui(
        &mut self,
        ui: &mut Ui,
        scene: DialogScene<'_>,
        profile: &ProfileView,
        chat: &ChatRow,
        asks: &mut Asks,
    ) {
        let p = scene.palette;
        self.range_ui(ui, scene);
        let Some(material) = self.material.clone() else {
            spinner(ui, 24.0, p.accent);
            return;
        };
        let names = [
            clean(&chat.name, &chat.handle),
            clean(&profile.name, profile.id.as_str()),
        ];
        let count = self.is_taken.iter().filter(|it| **it).count();
        let told = words::taken_messages(count, material.messages.len(), material.is_cut);
        ui.label(RichText::new(told).font(medium(13.0)).color(p.text2));
        let before = self.is_taken.clone();
        self.lines_ui(ui, p, &material, &names);
        if before != self.is_taken {
            self.sentences = None;
        }
        let label = RichText::new(words::KEEP_NAMES).font(body(14.0));
        ui.checkbox(&mut self.keeps_names, label.color(p.text));
        if let Some(sentences) = &self.sentences {
            ui.label(
                RichText::new(words::KEY_SENTENCES)
                    .font(medium(14.0))
                    .color(p.text),
            );
            answer::text_ui(ui, p, &sentences.join("\n"));
            if copy_ui(ui, p) {
                asks.wish(Wish::Copy(sentences.join("\n")));
            }
        }
        let is_ready = count > 0;
        let begins = self
            .asking
            .foot_ui(ui, p, profile, words::SUMMARISE_IT, is_ready, asks);
        if begins {
            let names_kept = if self.keeps_names {
                Names::Kept
            } else {
                Names::Replaced
            };
            let task = Task::Summarize {
                lines: self.lines(&material, &names),
                names: names_kept,
            };
            self.asking.begin(profile, chat, &task, asks);
        }
        let offline = ui.add_enabled_ui(is_ready, |ui| {
            let label = words::SHOW_KEY_SENTENCES;
            text_button(ui, p, Kind::Plain, label, space::CONTROL, 0.0)
        });
        if offline.inner.clicked() && is_ready {
            let lines = self.lines(&material, &names);
            self.sentences = Some(key_sentences(&lines, KEY_SENTENCES));
        }
    }

    fn range_ui(&mut self, ui: &mut Ui, scene: DialogScene<'_>) {
        let day = 24 * 60 * 60 * 1_000;
        let midnight = midnight(scene).unwrap_or(0);
        let mut ranges = vec![
            (words::LAST_50, MessageRange::Last(50)),
            (words::TODAY, MessageRange::Since(midnight)),
            (words::LAST_WEEK, MessageRange::Since(midnight - 6 * day)),
        ];
        if let Some(unread) = self.unread {
            ranges.insert(0, (words::UNREAD_ONES, MessageRange::From(unread)));
        }
        if let MessageRange::From(key) = self.range
            && self.unread != Some(key)
        {
            ranges.insert(0, (words::FROM_HERE, self.range));
        }
        ui.horizontal_wrapped(|ui| {
            for (label, range) in ranges {
                if option(ui, scene.palette, label, range == self.range).clicked() {
                    self.range = range;
                }
            }
        });
    }

    /// Each message with a tick, to take it out.
    fn lines_ui(&mut self, ui: &mut Ui, p: &Palette, material: &Material, names: &[String; 2]) {
        ScrollArea::vertical()
            .id_salt("lines")
            .max_height(ROWS)
            .auto_shrink([false, true])
            .show_rows(ui, ROW, material.messages.len(), |ui, rows| {
                for index in rows {
                    let (Some(message), Some(is_taken)) =
                        (material.messages.get(index), self.is_taken.get_mut(index))
                    else {
                        continue;
                    };
                    let text = words::one_line(text(message));
                    let text = format!("{}: {text}", author(message, names));
                    let shown = RichText::new(bidi::displayable(&text)).font(body(13.0));
                    ui.horizontal(|ui| {
                        ui.set_height(ROW);
                        ui.style_mut().wrap_mode = Some(TextWrapMode::Truncate);
                        ui.checkbox(is_taken, shown.color(p.text));
                    });
                }
            });
    }

    fn lines(&self, material: &Material, names: &[String; 2]) -> Vec<Line> {
        let messages = material.messages.iter().zip(&self.is_taken);
        let taken = messages.filter(|(_, is_taken)| **is_taken);
        taken
            .map(|(message, _)| Line {
                author: author(message, names).to_owned(),
                text: text(message).to_owned(),
            })
            .collect()
    }
}

/// The beginning of the day, in milliseconds since 1970.
fn midnight(scene: DialogScene<'_>) -> Option<i64> {
    let today = scene.today;
    let date = Date::new(
        today.year.try_into().ok()?,
        today.month.try_into().ok()?,
        today.day.try_into().ok()?,
    );
    let day = date.ok()?.to_zoned(scene.zone.clone()).ok()?;
    Some(day.timestamp().as_millisecond())
}

fn author<'a>(message: &Message, [peer, own]: &'a [String; 2]) -> &'a str {
    if message.is_mine { own } else { peer }
}

fn text(message: &Message) -> &str {
    match &message.body {
        Body::Text(text) => text,
        Body::Note(_) | Body::Unknown => "",
    }
}

fn copy_ui(ui: &mut Ui, p: &Palette) -> bool {
    text_button(ui, p, Kind::Plain, words::COPY, space::CONTROL, 0.0).clicked()
}
