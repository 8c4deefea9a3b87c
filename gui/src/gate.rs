//! What stands in the way of a profile: locked, being made, open elsewhere, failed.

use egui::{Align, Layout, Rect, RichText, Role, Sense, Ui, UiBuilder, WidgetInfo, vec2};
use sotto_client::view::{CreationStep, KeyringUse, ProfileState, ProfileView};
use sotto_client::{Command, RecoveryCode};
use zeroize::Zeroizing;

use crate::dialogs::{Dialog, IdentityForm, RestoreForm};
use crate::icons::{self, Icon};
use crate::names::clean;
use crate::scene::{Asks, Wish};
use crate::theme::{Palette, body, medium, semibold, space};
use crate::widgets::{Field, Kind, avatar, spinner, text_button};
use crate::words;

/// What is typed on the unlock screen.
#[derive(Default)]
pub(crate) struct Gate {
    passphrase: Zeroizing<String>,
    /// What was typed last was a recovery code; it is being checked, or has opened the vault.
    code: Option<RecoveryCode>,
    is_shown: bool,
    is_focused: bool,
}

impl Gate {
    /// Forgets what was typed.
    pub(crate) fn clear(&mut self) {
        *self = Self::default();
    }

    /// The recovery code by which the person came in.
    pub(crate) fn take_code(&mut self) -> Option<RecoveryCode> {
        self.code.take()
    }

    /// Draws the screen of a profile that is not ready.
    pub(crate) fn ui(
        &mut self,
        ui: &mut Ui,
        p: &Palette,
        rect: Rect,
        profile: &ProfileView,
        asks: &mut Asks,
    ) {
        ui.painter().rect_filled(rect, 0, p.surface0);
        let height = 360.0_f32.min(rect.height() - 2.0 * space::L);
        let size = vec2((rect.width() - 2.0 * space::XL).min(380.0), height);
        let area = Rect::from_center_size(rect.center(), size);
        let layout = Layout::top_down(Align::Center);
        let salt = ("gate", &profile.id);
        let mut child = ui.new_child(UiBuilder::new().id_salt(salt).max_rect(area).layout(layout));
        self.content_ui(&mut child, p, profile, asks);
    }

    fn content_ui(&mut self, ui: &mut Ui, p: &Palette, profile: &ProfileView, asks: &mut Asks) {
        let name = clean(&profile.name, profile.id.as_str());
        let (rect, _) = ui.allocate_exact_size(vec2(72.0, 72.0), Sense::hover());
        avatar(
            ui.painter(),
            rect.center(),
            72.0,
            &name,
            profile.id.as_str(),
        );
        ui.add_space(space::S);
        match &profile.state {
            ProfileState::Ready => {}
            ProfileState::Closed => {
                heading(ui, p, &name);
                ui.add_space(space::S);
                if text_button(
                    ui,
                    p,
                    Kind::Primary,
                    words::OPEN,
                    space::CONTROL_LARGE,
                    160.0,
                )
                .clicked()
                {
                    asks.command(&profile.id, Command::Open);
                }
            }
            ProfileState::Opening => {
                heading(ui, p, &name);
                waiting(ui, p, words::OPENING);
            }
            ProfileState::Creating(step) => creating_ui(ui, p, &name, *step),
            ProfileState::Locked { wrong, checking } => {
                self.unlock_ui(ui, p, profile, &name, *wrong, *checking, asks);
            }
            ProfileState::OpenElsewhere => {
                heading(ui, p, words::OPEN_ELSEWHERE);
                sentence(ui, p, words::OPEN_ELSEWHERE_HINT);
                again(ui, p, profile, asks);
            }
            ProfileState::Failed(problem) => {
                let (title, help) = words::problem(problem);
                heading(ui, p, title);
                sentence(ui, p, help);
                sentence(ui, p, words::NOTHING_CHANGED);
                again(ui, p, profile, asks);
            }
        }
    }

    #[expect(clippy::too_many_arguments, reason = "the parts of one state")]
    fn unlock_ui(
        &mut self,
        ui: &mut Ui,
        p: &Palette,
        profile: &ProfileView,
        name: &str,
        wrong: bool,
        checking: bool,
        asks: &mut Asks,
    ) {
        heading(ui, p, name);
        if profile.keyring == KeyringUse::Yes {
            sentence(ui, p, words::KEYRING_SILENT);
            again(ui, p, profile, asks);
        } else {
            sentence(ui, p, words::UNLOCK_HINT);
        }
        if !profile.has_passphrase && !profile.has_recovery_code {
            return;
        }
        if profile.has_recovery_code {
            sentence(ui, p, words::UNLOCK_BY_CODE_HINT);
        }
        ui.add_space(space::S);
        let width = ui.available_width();
        let layout = Layout::top_down(Align::Min);
        let response = ui
            .allocate_ui_with_layout(vec2(width, 60.0), layout, |ui| {
                ui.add_enabled_ui(!checking, |ui| {
                    let field = Field {
                        label: if profile.has_passphrase {
                            words::PASSPHRASE
                        } else {
                            words::RECOVERY_CODE
                        },
                        text: &mut self.passphrase,
                        is_shown: &mut self.is_shown,
                    };
                    field.ui(ui, p)
                })
                .inner
            })
            .inner;
        if !self.is_focused {
            self.is_focused = true;
            response.request_focus();
        }
        let enter = ui.input(|input| input.key_pressed(egui::Key::Enter))
            && (response.has_focus() || response.lost_focus());
        ui.add_space(space::XS);
        if checking {
            waiting(ui, p, words::CHECKING);
            return;
        }
        let is_ready = !self.passphrase.is_empty();
        let button = ui.add_enabled_ui(is_ready, |ui| {
            text_button(
                ui,
                p,
                Kind::Primary,
                words::UNLOCK,
                space::CONTROL_LARGE,
                width,
            )
        });
        if (button.inner.clicked() || enter) && is_ready {
            let passphrase = std::mem::take(&mut self.passphrase);
            self.clear();
            self.code = passphrase.parse().ok();
            asks.command(&profile.id, Command::Unlock(passphrase));
        }
        if wrong && !is_ready {
            ui.add_space(space::XS);
            let text = words::secret_wrong(profile.has_passphrase, profile.has_recovery_code);
            alert(ui, p, text);
        }
    }
}

fn heading(ui: &mut Ui, p: &Palette, text: &str) {
    let label = ui.label(RichText::new(text).font(semibold(20.0)).color(p.text));
    label.widget_info(|| WidgetInfo::labeled(Role::Heading, true, text));
}

fn sentence(ui: &mut Ui, p: &Palette, text: &str) {
    ui.label(RichText::new(text).font(body(14.0)).color(p.text2));
}

/// A sentence that tells of a failure.
pub(crate) fn alert(ui: &mut Ui, p: &Palette, text: &str) {
    ui.horizontal(|ui| {
        let (rect, _) = ui.allocate_exact_size(vec2(16.0, 16.0), Sense::hover());
        icons::paint(ui.painter(), rect, Icon::Alert, p.danger);
        let text_look = RichText::new(text).font(medium(13.0)).color(p.danger);
        let label = ui.add(egui::Label::new(text_look).wrap());
        label.widget_info(|| WidgetInfo::labeled(Role::Alert, true, text));
    });
}

fn waiting(ui: &mut Ui, p: &Palette, text: &str) {
    ui.add_space(space::S);
    spinner(ui, 24.0, p.accent);
    ui.label(RichText::new(text).font(body(14.0)).color(p.text2));
}

fn again(ui: &mut Ui, p: &Palette, profile: &ProfileView, asks: &mut Asks) {
    ui.add_space(space::S);
    if text_button(
        ui,
        p,
        Kind::Primary,
        words::TRY_AGAIN,
        space::CONTROL_LARGE,
        160.0,
    )
    .clicked()
    {
        asks.command(&profile.id, Command::Open);
    }
}

fn creating_ui(ui: &mut Ui, p: &Palette, name: &str, step: CreationStep) {
    heading(ui, p, &words::creating(name));
    ui.add_space(space::XS);
    let (rect, response) =
        ui.allocate_exact_size(vec2(ui.available_width().min(300.0), 6.0), Sense::hover());
    let text = words::creation(step);
    response.widget_info(|| WidgetInfo::labeled(Role::ProgressIndicator, true, text));
    ui.painter().rect_filled(rect, 3, p.surface3);
    let mut done = rect;
    done.set_width(rect.width() * step.progress().clamp(0.0, 1.0));
    ui.painter().rect_filled(done, 3, p.accent);
    ui.label(RichText::new(text).font(body(14.0)).color(p.text2));
    ui.add_space(space::S);
    spinner(ui, 24.0, p.accent);
}

/// There is no identity.
pub(crate) fn nobody_ui(ui: &mut Ui, p: &Palette, rect: Rect, asks: &mut Asks) {
    ui.painter().rect_filled(rect, 0, p.surface0);
    let area = Rect::from_center_size(rect.center(), vec2(300.0, 170.0));
    let layout = Layout::top_down(Align::Center);
    let mut child = ui.new_child(
        UiBuilder::new()
            .id_salt("nobody")
            .max_rect(area)
            .layout(layout),
    );
    let ui = &mut child;
    heading(ui, p, words::APP);
    sentence(ui, p, words::NOBODY);
    ui.add_space(space::S);
    let (label, height) = (words::NEW_IDENTITY, space::CONTROL_LARGE);
    if text_button(ui, p, Kind::Primary, label, height, 160.0).clicked() {
        asks.wish(Wish::Dialog(Box::new(Dialog::NewIdentity(
            IdentityForm::default(),
        ))));
    }
    let label = words::RESTORE_IDENTITY;
    if text_button(ui, p, Kind::Plain, label, space::CONTROL, 160.0).clicked() {
        let form = RestoreForm::default();
        asks.wish(Wish::Dialog(Box::new(Dialog::Restore(form))));
    }
}
