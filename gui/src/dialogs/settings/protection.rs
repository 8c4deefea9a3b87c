//! The part about what opens the vault.

use egui::Ui;
use sotto_client::view::{KeyringUse, ProfileView};

use crate::dialogs::{Dialog, PassphraseForm, RecoveryForm};
use crate::scene::{Asks, Wish};
use crate::theme::{Palette, space};
use crate::widgets::{Kind, spinner, text_button};
use crate::words;

use super::{dialog_button, hint};

/// Draws the part.
pub(super) fn ui(ui: &mut Ui, p: &Palette, profile: &ProfileView, asks: &mut Asks) {
    passphrase_ui(ui, p, profile, asks);
    let has_keyring = profile.keyring == KeyringUse::Yes;
    if profile.has_passphrase || profile.has_recovery_code || has_keyring {
        recovery_ui(ui, p, profile, asks);
    }
    if profile.keyring == KeyringUse::Asked {
        ui.horizontal(|ui| {
            spinner(ui, 16.0, p.accent);
            hint(ui, p, words::KEYRING_ASKED);
        });
    } else if has_keyring {
        hint(ui, p, words::KEYRING_HINT);
        if !profile.has_recovery_code {
            hint(ui, p, words::KEYRING_WITHOUT_CODE_HINT);
        }
    } else if !profile.has_passphrase {
        hint(ui, p, words::NO_PASSPHRASE_HINT);
    }
}

fn passphrase_ui(ui: &mut Ui, p: &Palette, profile: &ProfileView, asks: &mut Asks) {
    ui.horizontal_wrapped(|ui| {
        let set = || Dialog::Passphrase(PassphraseForm::default());
        let keyring = || Dialog::Passphrase(PassphraseForm::keyring());
        if !profile.has_passphrase {
            dialog_button(ui, p, words::SET_PASSPHRASE, asks, set);
            match profile.keyring {
                KeyringUse::No => dialog_button(ui, p, words::USE_KEYRING, asks, keyring),
                KeyringUse::Asked => {}
                KeyringUse::Yes => removal_button(ui, p, words::LEAVE_KEYRING, asks, || {
                    Dialog::Passphrase(PassphraseForm::removal())
                }),
            }
            return;
        }
        dialog_button(ui, p, words::CHANGE_PASSPHRASE, asks, set);
        removal_button(ui, p, words::REMOVE_PASSPHRASE, asks, || {
            Dialog::Passphrase(PassphraseForm::removal())
        });
        if profile.keyring == KeyringUse::No {
            dialog_button(ui, p, words::USE_KEYRING, asks, keyring);
        }
        if text_button(ui, p, Kind::Plain, words::LOCK, space::CONTROL, 0.0).clicked() {
            asks.wish(Wish::Lock(profile.id.clone()));
        }
    });
}

fn recovery_ui(ui: &mut Ui, p: &Palette, profile: &ProfileView, asks: &mut Asks) {
    ui.horizontal_wrapped(|ui| {
        let set = || Dialog::RecoveryCode(RecoveryForm::default());
        if !profile.has_recovery_code {
            dialog_button(ui, p, words::SET_RECOVERY_CODE, asks, set);
            return;
        }
        dialog_button(ui, p, words::REPLACE_RECOVERY_CODE, asks, set);
        removal_button(ui, p, words::REMOVE_RECOVERY_CODE, asks, || {
            Dialog::RecoveryCode(RecoveryForm::removal())
        });
    });
}

fn removal_button(
    ui: &mut Ui,
    p: &Palette,
    label: &str,
    asks: &mut Asks,
    dialog: impl FnOnce() -> Dialog,
) {
    if text_button(ui, p, Kind::Danger, label, space::CONTROL, 0.0).clicked() {
        asks.wish(Wish::Dialog(Box::new(dialog())));
    }
}
