//! A message in another language.

use egui::Ui;
use sotto_client::assistant::Task;
use sotto_client::view::ChatId;

use crate::dialogs::{DialogScene, frame};
use crate::scene::{Asks, Wish};
use crate::theme::space;
use crate::widgets::{Kind, text_button, text_field};
use crate::words;

use super::{Asking, Shown, WIDTH, answer};

/// What was chosen so far.
pub(crate) struct TranslationForm {
    chat: ChatId,
    text: String,
    language: String,
    asking: Asking,
    is_begun: bool,
}

impl TranslationForm {
    /// Of this text of the chat.
    pub(crate) fn new(chat: ChatId, text: &str) -> Self {
        Self {
            chat,
            text: text.to_owned(),
            language: words::ENGLISH.to_owned(),
            asking: Asking::default(),
            is_begun: false,
        }
    }

    /// Draws the dialog.
    pub(in crate::dialogs) fn ui(&mut self, ui: &Ui, scene: DialogScene<'_>, asks: &mut Asks) {
        let Some((profile, chat)) = scene.chat(self.chat) else {
            asks.wish(Wish::CloseDialog);
            return;
        };
        let p = scene.palette;
        frame(ui, p, words::TRANSLATE, WIDTH, asks, |ui, asks| match self
            .asking
            .ui(ui, scene, profile, chat, asks)
        {
            Shown::Other => {}
            Shown::Form => {
                answer::text_ui(ui, p, &words::one_line(&self.text));
                let field = text_field(ui, p, words::LANGUAGE, &mut self.language);
                if !std::mem::replace(&mut self.is_begun, true) {
                    field.request_focus();
                }
                let is_ready = !self.language.trim().is_empty();
                let asking = &self.asking;
                let label = words::TRANSLATE_IT;
                if asking.foot_ui(ui, p, profile, label, is_ready, asks) {
                    let task = Task::Translate {
                        text: self.text.clone(),
                        language: self.language.trim().to_owned(),
                    };
                    self.asking.begin(profile, chat, &task, asks);
                }
            }
            Shown::Answer(help, provider) => {
                answer::text_ui(ui, p, &help.text);
                answer::made_by_ui(ui, p, help, provider);
                ui.add_space(space::M);
                ui.horizontal_wrapped(|ui| {
                    let label = words::COPY;
                    if text_button(ui, p, Kind::Primary, label, space::CONTROL, 0.0).clicked() {
                        asks.wish(Wish::Copy(help.text.to_string()));
                    }
                    let label = words::OTHERWISE;
                    if text_button(ui, p, Kind::Plain, label, space::CONTROL, 0.0).clicked() {
                        self.asking.again();
                    }
                });
            }
        });
    }
}
