//! What opens the vault: sets, changes or removes the passphrase, or lets the keyring hold the key.

use egui::{RichText, Ui};
use sotto_client::view::{KeyringUse, ProfileView};
use sotto_client::{Command, RecoveryCode};
use zeroize::Zeroizing;

use crate::scene::{Asks, Wish};
use crate::theme::{Palette, body, space};
use crate::widgets::{Field, Kind, text_button};
use crate::words;

use super::{DialogScene, NewPassphrase, frame};

/// What is typed into the dialog; wiped when it closes.
#[derive(Default)]
pub(crate) struct PassphraseForm {
    purpose: Purpose,
    current: Zeroizing<String>,
    new: NewPassphrase,
    is_shown: bool,
    is_focused: bool,
}

#[derive(Default, Clone, Copy, PartialEq, Eq)]
enum Purpose {
    /// A new one, or the first one.
    #[default]
    Set,
    /// None any more; or the keyring holds the key no more.
    Remove,
    /// The keyring holds the key.
    Keyring,
    /// A new one in place of one that was forgotten; `current` is the recovery code.
    Recover,
}

impl PassphraseForm {
    /// A form that removes the passphrase.
    pub(crate) fn removal() -> Self {
        Self {
            purpose: Purpose::Remove,
            ..Self::default()
        }
    }

    /// A form that lets the keyring hold the key.
    pub(crate) fn keyring() -> Self {
        Self {
            purpose: Purpose::Keyring,
            ..Self::default()
        }
    }

    /// A form for whoever has forgotten the passphrase and came in by this code.
    pub(crate) fn recovery(code: &RecoveryCode) -> Self {
        Self {
            purpose: Purpose::Recover,
            current: code.to_text(),
            ..Self::default()
        }
    }

    /// Draws the dialog.
    pub(super) fn ui(&mut self, ui: &Ui, scene: DialogScene<'_>, asks: &mut Asks) {
        let Some(profile) = scene.profile else {
            asks.wish(Wish::CloseDialog);
            return;
        };
        let p = scene.palette;
        let title = match self.purpose {
            Purpose::Remove if profile.has_passphrase => words::REMOVE_PASSPHRASE,
            Purpose::Remove => words::LEAVE_KEYRING,
            Purpose::Keyring => words::USE_KEYRING,
            Purpose::Set if profile.has_passphrase => words::CHANGE_PASSPHRASE,
            Purpose::Set | Purpose::Recover => words::SET_PASSPHRASE,
        };
        let is_removal = self.purpose == Purpose::Remove;
        frame(ui, p, title, 400.0, asks, |ui, asks| {
            let has_enter = self.fields_ui(ui, p, profile);
            let is_ready = (!self.has_new() || self.new.is_good())
                && (!profile.has_passphrase || !self.current.is_empty());
            ui.add_space(space::M);
            ui.horizontal(|ui| {
                let kind = if is_removal {
                    Kind::Danger
                } else {
                    Kind::Primary
                };
                let button = ui.add_enabled_ui(is_ready, |ui| {
                    text_button(ui, p, kind, title, space::CONTROL, 0.0)
                });
                if (button.inner.clicked() || has_enter) && is_ready {
                    let current = std::mem::take(&mut self.current);
                    let new = self.new.take();
                    let command = match self.purpose {
                        Purpose::Keyring => Command::UseKeyring { current },
                        _ => Command::SetPassphrase { current, new },
                    };
                    asks.command(&profile.id, command);
                    asks.wish(Wish::CloseDialog);
                }
                if text_button(ui, p, Kind::Plain, words::CANCEL, space::CONTROL, 0.0).clicked() {
                    asks.wish(Wish::CloseDialog);
                }
            });
        });
    }

    /// Whether a new passphrase is asked for.
    fn has_new(&self) -> bool {
        matches!(self.purpose, Purpose::Set | Purpose::Recover)
    }

    /// The fields; whether Enter was pressed in one of them.
    fn fields_ui(&mut self, ui: &mut Ui, p: &Palette, profile: &ProfileView) -> bool {
        let mut takes_focus = !std::mem::replace(&mut self.is_focused, true);
        let advice = match self.purpose {
            Purpose::Set => Some(words::PASSPHRASE_ADVICE),
            Purpose::Recover => Some(words::RECOVERED_ADVICE),
            Purpose::Remove if profile.keyring == KeyringUse::Yes => {
                Some(words::LEAVE_KEYRING_HINT)
            }
            Purpose::Remove => None,
            Purpose::Keyring => Some(words::KEYRING_ADVICE),
        };
        if let Some(advice) = advice {
            let text = RichText::new(advice).font(body(13.0));
            ui.label(text.color(p.text2));
            ui.add_space(space::XS);
        }
        let mut has_enter = false;
        if profile.has_passphrase && self.purpose != Purpose::Recover {
            let field = Field {
                label: words::CURRENT_PASSPHRASE,
                text: &mut self.current,
                is_shown: &mut self.is_shown,
            };
            let response = field.ui(ui, p);
            if std::mem::take(&mut takes_focus) {
                response.request_focus();
            }
            let enter = ui.input(|input| input.key_pressed(egui::Key::Enter));
            has_enter |= enter && response.lost_focus();
        }
        if self.has_new() {
            let labels = [words::NEW_PASSPHRASE, words::REPEAT_PASSPHRASE];
            let shown = &mut self.is_shown;
            has_enter |= self.new.ui(ui, p, labels, shown, takes_focus);
        }
        has_enter
    }
}
