//! Sets, replaces or removes the recovery code. A new one is shown, then typed back, then set.

mod code;

use egui::{RichText, Ui};
use sotto_client::view::{Notice, ProfileView};
use sotto_client::{Command, RecoveryCode};
use zeroize::Zeroizing;

use crate::errand::Errand;
use crate::gate::alert;
use crate::scene::{Asks, Wish};
use crate::theme::{Palette, body, space};
use crate::widgets::{Field, Kind, spinner, text_button, text_field};
use crate::words;

use self::code::Typed;
use super::{DialogScene, frame};

/// What is typed into the dialog, and the code; wiped when it closes.
#[derive(Default)]
pub(crate) struct RecoveryForm {
    step: Step,
    current: Zeroizing<String>,
    typed: Zeroizing<String>,
    is_shown: bool,
    is_begun: bool,
    answer: Answer,
    focus: Focus,
}

/// What the client has said.
#[derive(Default, Clone, Copy, PartialEq, Eq)]
enum Answer {
    /// It was not asked.
    #[default]
    Unasked,
    /// Nothing yet.
    Awaited,
    /// The passphrase was wrong.
    Wrong,
    /// The disk takes nothing.
    NotStored,
}

/// Which field takes the focus next.
#[derive(Default, Clone, Copy, PartialEq, Eq)]
enum Focus {
    /// The first one.
    #[default]
    First,
    /// That of the passphrase.
    Current,
    /// The person decides.
    Free,
}

#[derive(Default)]
enum Step {
    /// There is no code yet, and nobody was asked for one.
    #[default]
    Begin,
    /// A code is being made.
    Making,
    /// The code is there to be written down.
    Show(RecoveryCode),
    /// It is to be typed back.
    Confirm(RecoveryCode),
    /// There shall be none.
    Remove,
}

/// The button under the fields.
struct Button<'a> {
    label: &'a str,
    kind: Kind,
    is_ready: bool,
    /// Enter was pressed in one of the fields.
    has_enter: bool,
}

impl RecoveryForm {
    /// A form that removes the code.
    pub(crate) fn removal() -> Self {
        Self {
            step: Step::Remove,
            ..Self::default()
        }
    }

    /// The code that was asked for.
    pub(crate) fn show(&mut self, code: RecoveryCode) {
        if matches!(self.step, Step::Making) {
            self.step = Step::Show(code);
        }
    }

    /// Draws the dialog.
    pub(super) fn ui(&mut self, ui: &Ui, scene: DialogScene<'_>, asks: &mut Asks) {
        let Some(profile) = scene.profile else {
            asks.wish(Wish::CloseDialog);
            return;
        };
        self.heed(profile, asks);
        let p = scene.palette;
        let title = match (&self.step, profile.has_recovery_code) {
            (Step::Remove, _) => words::REMOVE_RECOVERY_CODE,
            (_, true) => words::REPLACE_RECOVERY_CODE,
            (_, false) => words::SET_RECOVERY_CODE,
        };
        frame(ui, p, title, 420.0, asks, |ui, asks| match &self.step {
            Step::Begin => {
                asks.errand(Errand::MakeCode);
                self.step = Step::Making;
            }
            Step::Making => {
                spinner(ui, 24.0, p.accent);
            }
            Step::Show(code) => {
                let text = code.to_text();
                if code::ui(ui, p, &text, profile.has_recovery_code, asks) {
                    self.step = Step::Confirm(code.clone());
                }
            }
            Step::Confirm(code) => {
                let code = code.clone();
                self.confirm_ui(ui, p, title, profile, code, asks);
            }
            Step::Remove => {
                sentence(ui, p, words::REMOVE_RECOVERY_CODE_HINT);
                let has_enter = profile.has_passphrase && self.current_ui(ui, p);
                let button = Button {
                    label: title,
                    kind: Kind::Danger,
                    is_ready: true,
                    has_enter,
                };
                self.button_ui(ui, p, &button, profile, None, asks);
            }
        });
    }

    /// What the client says about what it was asked.
    fn heed(&mut self, profile: &ProfileView, asks: &mut Asks) {
        let notice = profile.notice;
        let is_answer =
            |it: &Notice| matches!(it, Notice::RecoveryCodeSet | Notice::PassphraseWrong);
        if !std::mem::replace(&mut self.is_begun, true) && notice.as_ref().is_some_and(is_answer) {
            // To an earlier question.
            asks.command(&profile.id, Command::DismissNotice);
        }
        match notice {
            Some(Notice::RecoveryCodeSet) if self.answer != Answer::Unasked => {
                asks.wish(Wish::CloseDialog);
            }
            Some(Notice::PassphraseWrong) if self.answer == Answer::Awaited => {
                self.answer = Answer::Wrong;
                self.focus = Focus::Current;
                // It is said here.
                asks.command(&profile.id, Command::DismissNotice);
            }
            Some(Notice::NotStored) if self.answer == Answer::Awaited => {
                self.answer = Answer::NotStored;
            }
            _ => {}
        }
    }

    fn confirm_ui(
        &mut self,
        ui: &mut Ui,
        p: &Palette,
        title: &str,
        profile: &ProfileView,
        code: RecoveryCode,
        asks: &mut Asks,
    ) {
        sentence(ui, p, words::TYPE_RECOVERY_CODE);
        ui.add_space(space::XS);
        let field = text_field(ui, p, words::RECOVERY_CODE, &mut self.typed);
        if self.focus == Focus::First {
            self.focus = Focus::Free;
            field.request_focus();
        }
        let enter = ui.input(|input| input.key_pressed(egui::Key::Enter));
        let mut has_enter = enter && field.lost_focus();
        let typed = Typed::of(&self.typed, &code);
        if typed == Typed::Wrong {
            alert(ui, p, words::RECOVERY_CODE_DIFFERS);
        }
        if profile.has_passphrase {
            has_enter |= self.current_ui(ui, p);
        }
        let button = Button {
            label: title,
            kind: Kind::Primary,
            is_ready: typed == Typed::Right,
            has_enter,
        };
        self.button_ui(ui, p, &button, profile, Some(code), asks);
    }

    /// The field for the passphrase so far; whether Enter was pressed in it.
    fn current_ui(&mut self, ui: &mut Ui, p: &Palette) -> bool {
        let field = Field {
            label: words::CURRENT_PASSPHRASE,
            text: &mut self.current,
            is_shown: &mut self.is_shown,
        };
        let response = field.ui(ui, p);
        if self.focus != Focus::Free {
            self.focus = Focus::Free;
            response.request_focus();
        }
        if response.changed() && self.answer == Answer::Wrong {
            self.answer = Answer::Unasked;
        }
        if self.answer == Answer::Wrong {
            alert(ui, p, &words::notice(Notice::PassphraseWrong));
        }
        response.lost_focus() && ui.input(|input| input.key_pressed(egui::Key::Enter))
    }

    /// The button that asks the client for this code, or for none.
    fn button_ui(
        &mut self,
        ui: &mut Ui,
        p: &Palette,
        button: &Button<'_>,
        profile: &ProfileView,
        new: Option<RecoveryCode>,
        asks: &mut Asks,
    ) {
        let is_known = !profile.has_passphrase || !self.current.is_empty();
        let is_ready = button.is_ready && is_known && self.answer != Answer::Awaited;
        ui.add_space(space::M);
        ui.horizontal(|ui| {
            let shown = ui.add_enabled_ui(is_ready, |ui| {
                text_button(ui, p, button.kind, button.label, space::CONTROL, 0.0)
            });
            if (shown.inner.clicked() || button.has_enter) && is_ready {
                let current = self.current.clone();
                asks.command(&profile.id, Command::SetRecoveryCode { current, new });
                self.answer = Answer::Awaited;
            }
            if text_button(ui, p, Kind::Plain, words::CANCEL, space::CONTROL, 0.0).clicked() {
                asks.wish(Wish::CloseDialog);
            }
            if self.answer == Answer::Awaited {
                spinner(ui, 20.0, p.accent);
            }
        });
    }
}

fn sentence(ui: &mut Ui, p: &Palette, text: &str) {
    ui.label(RichText::new(text).font(body(13.0)).color(p.text2));
}
