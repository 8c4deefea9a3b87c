//! Who answers: a model on this computer, one in a cloud, or nobody.

use egui::{RichText, ScrollArea, Ui};
use sotto_client::Command;
use sotto_client::assistant::{AssistError, Provider, ProviderKind};
use sotto_client::view::{AssistantView, ModelSearch, ProfileView};
use zeroize::Zeroizing;

use crate::dialogs::settings::option;
use crate::dialogs::{Dialog, DialogScene, frame, warning_ui};
use crate::gate::alert;
use crate::scene::{Asks, Wish};
use crate::theme::{Palette, body, medium, space};
use crate::widgets::{Field, Kind, text_button, text_field, text_field_with_button};
use crate::words;

use super::{WIDTH, answer};

/// What was typed so far.
pub(crate) struct SetupForm {
    kind: Option<ProviderKind>,
    address: String,
    model: String,
    key: Zeroizing<String>,
    is_shown: bool,
    is_begun: bool,
    /// The models of the address above were asked for.
    has_looked: bool,
}

impl SetupForm {
    /// As it is set up.
    pub(crate) fn new(assistant: &AssistantView) -> Self {
        let mut form = Self {
            kind: None,
            address: String::new(),
            model: String::new(),
            key: Zeroizing::default(),
            is_shown: false,
            is_begun: false,
            has_looked: false,
        };
        form.choose(assistant, assistant.provider.as_ref().map(Provider::kind));
        form
    }

    fn choose(&mut self, assistant: &AssistantView, kind: Option<ProviderKind>) {
        let known = assistant.set_up.iter().map(|it| &it.provider);
        let known = known.into_iter().find(|it| Some(it.kind()) == kind);
        let usual = kind.map_or("", ProviderKind::usual_address);
        self.kind = kind;
        known
            .map_or(usual, Provider::address)
            .clone_into(&mut self.address);
        let model = kind.map_or("", ProviderKind::usual_model);
        known
            .map_or(model, Provider::model)
            .clone_into(&mut self.model);
        self.key = Zeroizing::default();
        self.has_looked = false;
    }

    /// Draws the dialog.
    pub(in crate::dialogs) fn ui(&mut self, ui: &Ui, scene: DialogScene<'_>, asks: &mut Asks) {
        let Some(profile) = scene.profile else {
            asks.wish(Wish::CloseDialog);
            return;
        };
        let p = scene.palette;
        frame(ui, p, words::ASSISTANT, WIDTH, asks, |ui, asks| {
            self.kinds_ui(ui, p, profile, asks);
            match self.kind {
                None => {
                    let hint = RichText::new(words::NO_ASSISTANT_HINT).font(body(13.0));
                    ui.label(hint.color(p.text2));
                }
                Some(kind) => self.provider_ui(ui, p, profile, kind, asks),
            }
            self.buttons_ui(ui, p, profile, asks);
        });
    }

    fn kinds_ui(&mut self, ui: &mut Ui, p: &Palette, profile: &ProfileView, asks: &mut Asks) {
        let is_new = !std::mem::replace(&mut self.is_begun, true);
        ui.horizontal_wrapped(|ui| {
            let kinds = ProviderKind::ALL.map(Some).into_iter().chain([None]);
            for kind in kinds {
                let label = words::provider(kind);
                let choice = option(ui, p, label, kind == self.kind);
                if is_new && kind == self.kind {
                    choice.request_focus();
                }
                if choice.clicked() && kind != self.kind {
                    self.choose(&profile.assistant, kind);
                    // On this computer, a look gives nothing away.
                    if kind.is_some_and(ProviderKind::is_here) {
                        self.look(profile, asks);
                    }
                }
            }
        });
    }

    fn provider_ui(
        &mut self,
        ui: &mut Ui,
        p: &Palette,
        profile: &ProfileView,
        kind: ProviderKind,
        asks: &mut Asks,
    ) {
        if kind.is_here() {
            let hint = RichText::new(words::HERE_HINT).font(body(13.0));
            ui.label(hint.color(p.text2));
        } else {
            warning_ui(ui, p, words::CLOUD_HINT);
            self.key_ui(ui, p, profile, kind, asks);
        }
        let is_changed = text_field(ui, p, words::ADDRESS, &mut self.address).changed();
        self.has_looked &= !is_changed;
        let provider = self.provider();
        if let Err(AssistError::Address) = provider {
            alert(ui, p, words::address_problem(kind));
        }
        let can_look = Provider::new(kind, &self.address, "").is_ok();
        let (_, looks) = text_field_with_button(
            ui,
            p,
            words::MODEL,
            &mut self.model,
            words::FIND_MODELS,
            can_look,
        );
        if let Err(AssistError::ModelUnknown) = provider {
            alert(ui, p, words::BAD_MODEL);
        }
        if looks {
            self.look(profile, asks);
        }
        let found = profile.assistant.models.as_ref();
        let found = found.filter(|found| self.has_looked && found.kind == kind);
        if let Some(found) = found {
            self.models_ui(ui, p, found);
        }
    }

    /// Asks which models there are, and so whether the provider answers at all.
    fn look(&mut self, profile: &ProfileView, asks: &mut Asks) {
        let kind = self.kind.unwrap_or(ProviderKind::Ollama);
        if let Ok(asked) = Provider::new(kind, &self.address, "") {
            self.keep_key(profile, asks);
            self.has_looked = true;
            asks.command(&profile.id, Command::FindModels(asked));
        }
    }

    /// What a look for models has found; each can be chosen.
    fn models_ui(&mut self, ui: &mut Ui, p: &Palette, found: &ModelSearch) {
        match &found.outcome {
            None => answer::waiting_ui(ui, p, words::FINDING_MODELS),
            Some(Err(error)) => alert(ui, p, &words::assist_problem(*error)),
            Some(Ok(models)) if models.is_empty() => alert(ui, p, words::NO_MODELS),
            Some(Ok(models)) => {
                let (told, ink) = if models.contains(&self.model) {
                    (words::HAS_MODEL.to_owned(), p.success)
                } else {
                    (words::found_models(models.len()), p.text2)
                };
                ui.label(RichText::new(told).font(medium(13.0)).color(ink));
                ScrollArea::vertical()
                    .id_salt("models")
                    .max_height(150.0)
                    .auto_shrink([false, true])
                    .show(ui, |ui| {
                        ui.horizontal_wrapped(|ui| {
                            for model in models {
                                if option(ui, p, model, *model == self.model).clicked() {
                                    self.model.clone_from(model);
                                }
                            }
                        });
                    });
            }
        }
    }

    fn key_ui(
        &mut self,
        ui: &mut Ui,
        p: &Palette,
        profile: &ProfileView,
        kind: ProviderKind,
        asks: &mut Asks,
    ) {
        let label = if has_key(profile, kind) {
            words::NEW_API_KEY
        } else {
            words::API_KEY
        };
        let (text, is_shown) = (&mut self.key, &mut self.is_shown);
        let field = Field {
            label,
            text,
            is_shown,
        };
        field.ui(ui, p);
        let hint = RichText::new(words::API_KEY_HINT).font(body(13.0));
        ui.label(hint.color(p.text2));
        if has_key(profile, kind) {
            let label = words::FORGET_KEY;
            let forgets = text_button(ui, p, Kind::Danger, label, space::CONTROL, 0.0);
            if let (true, Ok(provider)) = (forgets.clicked(), self.provider()) {
                let key = Zeroizing::default();
                asks.command(&profile.id, Command::SetProviderKey { provider, key });
            }
        }
    }

    fn provider(&self) -> Result<Provider, AssistError> {
        let kind = self.kind.ok_or(AssistError::NoModel)?;
        Provider::new(kind, &self.address, &self.model)
    }

    /// Hands on a key that was typed.
    fn keep_key(&mut self, profile: &ProfileView, asks: &mut Asks) {
        if !self.key.trim().is_empty()
            && let Ok(provider) = self.provider()
        {
            let key = Zeroizing::new(self.key.trim().to_owned());
            self.key = Zeroizing::default();
            asks.command(&profile.id, Command::SetProviderKey { provider, key });
        }
    }

    fn buttons_ui(&mut self, ui: &mut Ui, p: &Palette, profile: &ProfileView, asks: &mut Asks) {
        let provider = self.provider();
        let is_ready = match (&self.kind, &provider) {
            (None, _) => true,
            (Some(_), Ok(provider)) => !provider.model().is_empty(),
            (Some(_), Err(_)) => false,
        };
        ui.add_space(space::M);
        ui.horizontal_wrapped(|ui| {
            let save = ui.add_enabled_ui(is_ready, |ui| {
                text_button(ui, p, Kind::Primary, words::SAVE, space::CONTROL, 0.0)
            });
            if save.inner.clicked() && is_ready {
                self.keep_key(profile, asks);
                asks.command(&profile.id, Command::UseProvider(provider.ok()));
                asks.wish(Wish::CloseDialog);
            }
            if text_button(ui, p, Kind::Plain, words::CANCEL, space::CONTROL, 0.0).clicked() {
                asks.wish(Wish::CloseDialog);
            }
            if !profile.assistant.uses.is_empty() {
                let label = words::ASSISTANT_LOG;
                if text_button(ui, p, Kind::Plain, label, space::CONTROL, 0.0).clicked() {
                    asks.wish(Wish::Dialog(Box::new(Dialog::AssistantLog)));
                }
            }
        });
    }
}

fn has_key(profile: &ProfileView, kind: ProviderKind) -> bool {
    let mut set_up = profile.assistant.set_up.iter();
    set_up.any(|it| it.provider.kind() == kind && it.has_key)
}
