//! What is written, in other words.

use egui::{RichText, Ui};
use sotto_client::assistant::{Task, Tone};
use sotto_client::view::ChatId;

use crate::bidi;
use crate::dialogs::settings::option;
use crate::dialogs::{DialogScene, frame};
use crate::scene::{Asks, Wish};
use crate::theme::{body, space};
use crate::widgets::{Kind, text_button, text_field};
use crate::words;

use super::diff::Diff;
use super::{Asking, Shown, WIDTH, answer};

/// What was chosen so far.
pub(crate) struct RephraseForm {
    chat: ChatId,
    draft: String,
    choice: usize,
    /// How, in the person's own words; or into which language.
    own: String,
    asking: Asking,
    /// Of the answer with this number.
    diff: Option<(u64, Diff)>,
    is_begun: bool,
}

/// The choices, in the order of [`words::TONES`].
const OWN: usize = 4;
const TRANSLATE: usize = 5;

impl RephraseForm {
    /// Another form of this draft.
    pub(crate) fn new(chat: ChatId, draft: &str) -> Self {
        Self {
            chat,
            draft: draft.trim().to_owned(),
            choice: 0,
            own: String::new(),
            asking: Asking::default(),
            diff: None,
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
        frame(ui, p, words::REPHRASE, WIDTH, asks, |ui, asks| {
            match self.asking.ui(ui, scene, profile, chat, asks) {
                Shown::Other => {}
                Shown::Form => {
                    let is_ready = self.form_ui(ui, scene);
                    let label = words::REPHRASE_IT;
                    let asking = &self.asking;
                    if asking.foot_ui(ui, p, profile, label, is_ready, asks) {
                        let task = self.task();
                        self.asking.begin(profile, chat, &task, asks);
                    }
                }
                Shown::Answer(help, provider) => {
                    let diff = match &self.diff {
                        Some((number, diff)) if *number == help.number => diff,
                        _ => {
                            let diff = Diff::new(&self.draft, &help.text);
                            &self.diff.insert((help.number, diff)).1
                        }
                    };
                    answer::framed(ui, p, |ui| diff.ui(ui, p));
                    answer::made_by_ui(ui, p, help, provider);
                    ui.add_space(space::M);
                    ui.horizontal_wrapped(|ui| {
                        let label = words::USE_REPHRASING;
                        let takes = text_button(ui, p, Kind::Primary, label, space::CONTROL, 0.0);
                        if ui.memory(|memory| memory.focused().is_none()) {
                            takes.request_focus();
                        }
                        if takes.clicked() {
                            let text = help.text.trim().to_owned();
                            asks.wish(Wish::Rephrased(self.chat, text));
                            asks.wish(Wish::CloseDialog);
                        }
                        let label = words::KEEP_MINE;
                        if text_button(ui, p, Kind::Plain, label, space::CONTROL, 0.0).clicked() {
                            asks.wish(Wish::CloseDialog);
                        }
                        let label = words::OTHERWISE;
                        if text_button(ui, p, Kind::Plain, label, space::CONTROL, 0.0).clicked() {
                            self.asking.again();
                        }
                    });
                }
            }
        });
    }

    /// Draws what can be chosen; whether that is enough.
    fn form_ui(&mut self, ui: &mut Ui, scene: DialogScene<'_>) -> bool {
        let p = scene.palette;
        let is_new = !std::mem::replace(&mut self.is_begun, true);
        let draft = words::one_line(&self.draft);
        answer::framed(ui, p, |ui| {
            let shown = RichText::new(bidi::displayable(&draft)).font(body(14.0));
            ui.label(shown.color(p.text));
        });
        ui.horizontal_wrapped(|ui| {
            for (index, label) in words::TONES.into_iter().enumerate() {
                let choice = option(ui, p, label, index == self.choice);
                if is_new && index == 0 {
                    choice.request_focus();
                }
                if choice.clicked() {
                    self.choice = index;
                }
            }
        });
        let label = match self.choice {
            OWN => words::OWN_WORDS,
            TRANSLATE => words::LANGUAGE,
            _ => return !self.draft.is_empty(),
        };
        text_field(ui, p, label, &mut self.own);
        !self.draft.is_empty() && !self.own.trim().is_empty()
    }

    fn task(&self) -> Task {
        let draft = self.draft.clone();
        let own = self.own.trim().to_owned();
        let tone = match self.choice {
            0 => Tone::Clearer,
            1 => Tone::Shorter,
            2 => Tone::Friendlier,
            3 => Tone::MoreFormal,
            TRANSLATE => {
                return Task::Translate {
                    text: draft,
                    language: own,
                };
            }
            _ => Tone::Own(own),
        };
        Task::Rephrase { draft, tone }
    }
}
