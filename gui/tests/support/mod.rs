//! What tests of the window share: a harness around the app, and a renderer without a GPU.

#![allow(dead_code, reason = "each test program uses a part of this module")]
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::cast_possible_truncation,
    clippy::cast_possible_wrap,
    clippy::cast_precision_loss,
    clippy::cast_sign_loss,
    reason = "a test that meets a number it cannot hold may stop"
)]

pub(crate) mod rasteriser;
pub(crate) mod sample;

use std::sync::Arc;

use egui::{Key, Modifiers};
use egui_kittest::Harness;
use egui_kittest::kittest::{NodeT as _, Queryable as _};
use sotto::{App, AppOptions, Errand, Moment, Theme};
use sotto_client::Command;
use sotto_client::view::{ChatRow, ProfileId, ProfileView, ViewModel};

use rasteriser::CpuRenderer;

/// The app, what it is shown, and what it asked for.
pub(crate) struct Desk {
    pub(crate) app: Option<App>,
    pub(crate) options: AppOptions,
    pub(crate) model: ViewModel,
    pub(crate) now: Moment,
    pub(crate) asked: Vec<(ProfileId, Command)>,
    pub(crate) errands: Vec<Errand>,
}

impl Desk {
    /// The app, which starts with the first frame.
    pub(crate) fn app(&mut self) -> &mut App {
        self.app.as_mut().expect("the first frame was drawn")
    }

    /// Takes what the app asked for since the last time.
    pub(crate) fn take(&mut self) -> Vec<(ProfileId, Command)> {
        std::mem::take(&mut self.asked)
    }

    /// Changes a profile of the model.
    pub(crate) fn profile(&mut self, handle: &str, change: impl FnOnce(&mut ProfileView)) {
        let id = ProfileId::new(handle);
        let found = self.model.profiles.iter_mut().find(|found| found.id == id);
        change(Arc::make_mut(found.expect("the profile is in the model")));
    }

    /// Changes a chat of a profile.
    pub(crate) fn chat(&mut self, handle: &str, peer: &str, change: impl FnOnce(&mut ChatRow)) {
        self.profile(handle, |profile| {
            let found = profile.chats.iter_mut().find(|row| row.handle == peer);
            change(found.expect("the chat is in the profile"));
        });
    }
}

/// A window of this size around the app.
pub(crate) fn window<'a>(size: [f32; 2], theme: Theme, model: ViewModel) -> Harness<'a, Desk> {
    let options = AppOptions {
        theme,
        documents: sample::DOCUMENTS.into(),
        ..AppOptions::default()
    };
    window_with(size, options, model)
}

/// A window that starts like this.
pub(crate) fn window_with<'a>(
    size: [f32; 2],
    options: AppOptions,
    model: ViewModel,
) -> Harness<'a, Desk> {
    let theme = options.theme;
    let desk = Desk {
        app: None,
        options,
        model,
        now: sample::NOW,
        asked: Vec::new(),
        errands: Vec::new(),
    };
    let mut harness = Harness::builder()
        .with_size(size)
        .with_max_steps(60)
        .with_theme(if theme == Theme::Light {
            egui::Theme::Light
        } else {
            egui::Theme::Dark
        })
        .with_render_cursor(false)
        .renderer(CpuRenderer::default())
        .build_ui_state(
            |ui, desk: &mut Desk| {
                let Some(app) = &mut desk.app else {
                    // Fonts and style take effect with the next pass.
                    desk.app = Some(App::new(ui.ctx(), desk.options.clone()));
                    ui.ctx().request_repaint();
                    return;
                };
                // The harness leaves a margin; a window has none.
                let screen = ui.ctx().content_rect();
                let mut root = ui.new_child(egui::UiBuilder::new().max_rect(screen));
                root.set_clip_rect(screen);
                let asked = app.ui(&mut root, &desk.model, desk.now);
                desk.asked.extend(asked);
                desk.errands.extend(app.take_errands());
            },
            desk,
        );
    harness.run_steps(3);
    harness
}

/// The usual window: dark, 1100 by 720, Alice among four people.
pub(crate) fn alice<'a>() -> Harness<'a, Desk> {
    window([1100.0, 720.0], Theme::Dark, sample::four_people())
}

/// Opens the chat whose row begins with this name.
pub(crate) fn open_chat<S>(harness: &mut Harness<'_, S>, name: &str) {
    let label = format!("Chat with {name}");
    harness.get_by_label_contains(&label).click();
    harness.run_steps(4);
}

/// Clicks on what has this name.
pub(crate) fn click<S>(harness: &mut Harness<'_, S>, label: &str) {
    harness.get_by_label(label).click();
    harness.run_steps(4);
}

/// Clicks on the button with this name, which the dialog's title may have too.
pub(crate) fn click_button<S>(harness: &mut Harness<'_, S>, label: &str) {
    harness
        .get_by_role_and_label(egui::accesskit::Role::Button, label)
        .click();
    harness.run_steps(4);
}

/// Types into a field.
pub(crate) fn type_into<S>(harness: &mut Harness<'_, S>, label: &str, text: &str) {
    harness.get_by_label(label).focus();
    harness.run_steps(2);
    harness.get_by_label(label).type_text(text);
    harness.run_steps(3);
}

/// Types into the composer.
pub(crate) fn write<S>(harness: &mut Harness<'_, S>, text: &str) {
    let field = harness.get_by_label("Message");
    field.focus();
    harness.run_steps(2);
    harness.get_by_label("Message").type_text(text);
    harness.run_steps(2);
}

/// Presses a key with modifiers and lets the window settle.
pub(crate) fn press<S>(harness: &mut Harness<'_, S>, modifiers: Modifiers, key: Key) {
    harness.key_press_modifiers(modifiers, key);
    harness.run_steps(3);
}

/// What the composer holds.
pub(crate) fn written(harness: &Harness<'_, Desk>) -> String {
    harness.get_by_label("Message").value().unwrap_or_default()
}

/// Whether any node's name or text contains this.
pub(crate) fn shows<S>(harness: &Harness<'_, S>, text: &str) -> bool {
    finds(harness, |found| found.contains(text))
}

/// All names and texts of nodes.
pub(crate) fn labels<S>(harness: &Harness<'_, S>) -> Vec<String> {
    let all = std::cell::RefCell::new(Vec::new());
    finds(harness, |found| {
        all.borrow_mut().push(found.to_owned());
        false
    });
    all.into_inner()
}

/// Whether any node's name or text is as wanted.
pub(crate) fn finds<S>(harness: &Harness<'_, S>, is_wanted: impl Fn(&str) -> bool) -> bool {
    harness.root().children_recursive().any(|node| {
        let node = node.accesskit_node();
        [node.label(), node.value()]
            .into_iter()
            .flatten()
            .any(|found| is_wanted(&found))
    })
}
