//! Adds somebody by handle, by link, or by a picture of a link.

use egui::{RichText, Ui};
use sotto_client::Command;
use sotto_client::view::AdditionState;

use crate::gate::alert;
use crate::scan::Scan;
use crate::scene::{Asks, Wish};
use crate::theme::{body, space};
use crate::widgets::{Kind, spinner, text_button, text_field};
use crate::words;

use super::{Dialog, DialogScene, frame};

/// What was typed so far.
#[derive(Default)]
pub(crate) struct AddContactForm {
    who: String,
    /// What the client was asked to add.
    asked: Option<String>,
    scan: Scan,
    is_focused: bool,
}

impl AddContactForm {
    /// Draws the dialog.
    pub(super) fn ui(&mut self, ui: &Ui, scene: DialogScene<'_>, asks: &mut Asks) {
        let Some(profile) = scene.profile else {
            asks.wish(Wish::CloseDialog);
            return;
        };
        let p = scene.palette;
        let addition = profile.addition.as_ref();
        let state = addition
            .filter(|addition| self.asked.as_ref() == Some(&addition.who))
            .map(|addition| addition.state);
        if let Some(AdditionState::Added(chat)) = state {
            asks.wish(Wish::CloseDialog);
            asks.wish(Wish::Chat(chat));
            asks.wish(Wish::Toast(words::ADDED.to_owned()));
            return;
        }
        if let Some(text) = self.scan.take(ui.ctx()) {
            self.who = text;
        }
        frame(ui, p, words::ADD_CONTACT, 420.0, asks, |ui, asks| {
            let hint = RichText::new(words::ADD_CONTACT_HINT);
            ui.label(hint.font(body(13.0)).color(p.text2));
            ui.add_space(space::XS);
            let response = text_field(ui, p, words::HANDLE_OR_LINK, &mut self.who);
            if !self.is_focused {
                self.is_focused = true;
                response.request_focus();
            }
            let has_enter =
                response.lost_focus() && ui.input(|input| input.key_pressed(egui::Key::Enter));
            if response.changed() {
                self.asked = None;
                self.scan.forget();
            }
            let is_waiting = state == Some(AdditionState::LookingUp) || self.scan.is_busy();
            match state {
                Some(AdditionState::Failed(problem)) => alert(ui, p, words::addition(problem)),
                _ if self.scan.has_failed() => alert(ui, p, words::NO_CODE_IN_PICTURE),
                _ => {}
            }
            ui.add_space(space::M);
            ui.horizontal(|ui| {
                let is_ready = !self.who.trim().is_empty() && !is_waiting;
                let button = ui.add_enabled_ui(is_ready, |ui| {
                    text_button(ui, p, Kind::Primary, words::ADD, space::CONTROL, 0.0)
                });
                if (button.inner.clicked() || has_enter) && is_ready {
                    let who = self.who.trim().to_owned();
                    if !self.scan.start(ui.ctx(), &who) {
                        self.asked = Some(who.clone());
                        asks.command(&profile.id, Command::AddContact { who });
                    }
                }
                if text_button(ui, p, Kind::Plain, words::MY_LINK, space::CONTROL, 0.0).clicked() {
                    asks.wish(Wish::Dialog(Box::new(Dialog::ContactLink)));
                }
                if is_waiting {
                    spinner(ui, 20.0, p.accent);
                }
            });
        });
    }
}
