//! What a model is asked: the form of a task, the sheet that shows what would be sent, the answer.

mod answer;
mod diff;
mod log;
mod rephrase;
mod setup;
mod sheet;
mod summary;
mod translation;

pub(crate) use log::ui as log_ui;
pub(crate) use rephrase::RephraseForm;
pub(crate) use setup::SetupForm;
pub(crate) use summary::SummaryForm;
pub(crate) use translation::TranslationForm;

use egui::{RichText, Ui};
use sotto_client::Command;
use sotto_client::assistant::{AssistError, Outgoing, Provider, Task, prepare};
use sotto_client::view::{ChatRow, Help, HelpState, ProfileView};

use crate::gate::alert;
use crate::scene::{Asks, Wish};
use crate::theme::{Palette, body, space};
use crate::widgets::{Kind, text_button};
use crate::words;

use super::{Dialog, DialogScene};
use sheet::{Said, Sheet};

/// Width of these dialogs, in points.
const WIDTH: f32 = 600.0;

/// A request from its form to its answer.
#[derive(Default)]
pub(crate) struct Asking {
    stage: Stage,
    /// Why nothing could be asked.
    problem: Option<AssistError>,
}

#[derive(Default)]
enum Stage {
    /// The person says what they wish.
    #[default]
    Form,
    /// The person looks at what would be sent.
    Sheet(Box<Sheet>),
    /// It was sent. Answers up to this number are those of others.
    Asked { outgoing: Box<Outgoing>, after: u64 },
}

/// What is to be drawn below.
enum Shown<'a> {
    Form,
    /// All that there is was drawn.
    Other,
    Answer(&'a Help, &'a Provider),
}

impl Asking {
    /// Begins with what goes to the provider in use: with a look at it, unless it stays here and the
    /// person has said that no look is needed.
    fn begin(&mut self, profile: &ProfileView, chat: &ChatRow, task: &Task, asks: &mut Asks) {
        self.problem = None;
        let Some(provider) = &profile.assistant.provider else {
            return;
        };
        match prepare(provider, task) {
            Err(error) => self.problem = Some(error),
            Ok(outgoing) if !outgoing.is_here() && !chat.assistant.allows_cloud() => {
                self.problem = Some(AssistError::Forbidden);
            }
            Ok(outgoing) => self.look(profile, chat, outgoing, asks),
        }
    }

    fn look(&mut self, profile: &ProfileView, chat: &ChatRow, outgoing: Outgoing, asks: &mut Asks) {
        if outgoing.is_here() && chat.assistant.trusts_here {
            self.ask(profile, chat, outgoing, asks);
        } else {
            self.stage = Stage::Sheet(Box::new(Sheet::new(outgoing)));
        }
    }

    /// Sends what the person has seen, or what they need not see.
    fn ask(&mut self, profile: &ProfileView, chat: &ChatRow, outgoing: Outgoing, asks: &mut Asks) {
        let host = outgoing.host().to_owned();
        if let Ok(approved) = outgoing.clone().approved_for(&host) {
            let help = profile.assistant.help.as_ref();
            let after = help.map_or(0, |help| help.number);
            let chat = Some(chat.id);
            asks.command(&profile.id, Command::Assist { approved, chat });
            let outgoing = Box::new(outgoing);
            self.stage = Stage::Asked { outgoing, after };
        }
    }

    /// Draws the sheet, what is on its way, or what went wrong.
    fn ui<'a>(
        &mut self,
        ui: &mut Ui,
        scene: DialogScene<'_>,
        profile: &'a ProfileView,
        chat: &ChatRow,
        asks: &mut Asks,
    ) -> Shown<'a> {
        let p = scene.palette;
        let Some(provider) = &profile.assistant.provider else {
            self.stage = Stage::Form;
            return Shown::Form;
        };
        match &mut self.stage {
            Stage::Form => Shown::Form,
            Stage::Sheet(sheet) => {
                match sheet.ui(ui, p) {
                    Said::Nothing => {}
                    Said::No => self.stage = Stage::Form,
                    Said::Yes { is_trusted } => {
                        let outgoing = sheet.outgoing().clone();
                        if is_trusted {
                            let chat = chat.id;
                            let command = Command::TrustHere { chat, is_trusted };
                            asks.command(&profile.id, command);
                        }
                        self.ask(profile, chat, outgoing, asks);
                    }
                }
                Shown::Other
            }
            Stage::Asked { outgoing, after } => {
                let help = profile.assistant.help.as_ref();
                let Some(help) = help.filter(|help| help.number > *after) else {
                    answer::waiting_ui(ui, p, &words::asking(provider));
                    return Shown::Other;
                };
                match help.state {
                    HelpState::Done { .. } => Shown::Answer(help, provider),
                    HelpState::Running => {
                        answer::text_ui(ui, p, &help.text);
                        answer::waiting_ui(ui, p, &words::asking(provider));
                        if stop_ui(ui, p) {
                            asks.command(&profile.id, Command::EndAssist);
                            self.stage = Stage::Form;
                        }
                        Shown::Other
                    }
                    HelpState::Failed(error) => {
                        let outgoing = (**outgoing).clone();
                        self.failed_ui(ui, p, (profile, chat), (help, error), outgoing, asks);
                        Shown::Other
                    }
                }
            }
        }
    }

    /// What went wrong, with what came before that; and the way to try again.
    fn failed_ui(
        &mut self,
        ui: &mut Ui,
        p: &Palette,
        (profile, chat): (&ProfileView, &ChatRow),
        (help, error): (&Help, AssistError),
        outgoing: Outgoing,
        asks: &mut Asks,
    ) {
        answer::text_ui(ui, p, &help.text);
        alert(ui, p, &words::assist_problem(error));
        ui.add_space(space::M);
        ui.horizontal(|ui| {
            let again = text_button(ui, p, Kind::Primary, words::TRY_AGAIN, space::CONTROL, 0.0);
            if again.clicked() {
                self.look(profile, chat, outgoing, asks);
            }
            if text_button(ui, p, Kind::Plain, words::CHANGE, space::CONTROL, 0.0).clicked() {
                self.stage = Stage::Form;
            }
        });
    }

    /// Back to the form.
    fn again(&mut self) {
        self.stage = Stage::Form;
    }

    /// Under a form: who would be asked, what went wrong before, and the button. Whether to begin.
    fn foot_ui(
        &self,
        ui: &mut Ui,
        p: &Palette,
        profile: &ProfileView,
        label: &str,
        is_ready: bool,
        asks: &mut Asks,
    ) -> bool {
        if let Some(problem) = self.problem {
            alert(ui, p, &words::assist_problem(problem));
        }
        let Some(provider) = &profile.assistant.provider else {
            let hint = RichText::new(words::NO_PROVIDER).font(body(13.0));
            ui.label(hint.color(p.text2));
            ui.add_space(space::M);
            if set_up_ui(ui, p, Kind::Primary) {
                asks.wish(open_set_up(profile));
            }
            return false;
        };
        let who = RichText::new(words::asks(provider)).font(body(13.0));
        ui.label(who.color(p.text2));
        ui.add_space(space::M);
        ui.horizontal(|ui| {
            let button = ui.add_enabled_ui(is_ready, |ui| {
                text_button(ui, p, Kind::Primary, label, space::CONTROL, 0.0)
            });
            if set_up_ui(ui, p, Kind::Plain) {
                asks.wish(open_set_up(profile));
            }
            button.inner.clicked() && is_ready
        })
        .inner
    }
}

fn set_up_ui(ui: &mut Ui, p: &Palette, kind: Kind) -> bool {
    text_button(ui, p, kind, words::SET_UP_ASSISTANT, space::CONTROL, 0.0).clicked()
}

/// Opens the settings of the assistant.
pub(super) fn open_set_up(profile: &ProfileView) -> Wish {
    let form = SetupForm::new(&profile.assistant);
    Wish::Dialog(Box::new(Dialog::Assistant(form)))
}

fn stop_ui(ui: &mut Ui, p: &Palette) -> bool {
    ui.add_space(space::M);
    text_button(ui, p, Kind::Danger, words::STOP, space::CONTROL, 0.0).clicked()
}
