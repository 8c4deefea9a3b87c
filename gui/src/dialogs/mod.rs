//! Dialogs: one at a time, closed by Esc, by a click beside it, or by its button.

mod add_contact;
mod assistant;
mod backup;
mod block;
mod blocked;
mod contact_link;
mod deletion;
mod export;
mod file_field;
mod new_identity;
mod new_passphrase;
mod passphrase;
mod recovery_code;
mod relay;
mod rename;
mod restore;
mod settings;
mod shortcuts;
mod text;
mod verify;
mod writing;

pub(crate) use add_contact::AddContactForm;
pub(crate) use assistant::{RephraseForm, SetupForm, SummaryForm, TranslationForm};
pub(crate) use backup::BackupForm;
pub(crate) use deletion::DeletionForm;
pub(crate) use export::ExportForm;
pub(crate) use new_identity::IdentityForm;
pub(crate) use new_passphrase::{NewPassphrase, Strength};
pub(crate) use passphrase::PassphraseForm;
pub(crate) use recovery_code::RecoveryForm;
pub(crate) use rename::NameForm;
pub(crate) use restore::RestoreForm;
pub(crate) use text::TextPages;
pub(crate) use verify::CodeForm;
pub(crate) use writing::Writing;

use file_field::FileField;

use std::path::Path;
use std::time::Duration;

use egui::{
    Align, Color32, CornerRadius, Frame, Id, Label, Layout, Margin, Modal, RichText, Role, Sense,
    Stroke, Ui, Vec2, WidgetInfo, vec2,
};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use sotto_client::view::{ChatId, ChatRow, MessageKey, ProfileView};

use crate::icons::{self, Icon};
use crate::moment::Date;
use crate::relay::RelayInfo;
use crate::scene::{Asks, Wish};
use crate::theme::{Palette, Theme, medium, semibold, space};
use crate::widgets::icon_button;

/// A dialog and what is typed into it.
pub(crate) enum Dialog {
    /// Compare safety numbers.
    Verify(ChatId, CodeForm),
    /// Whether to block somebody.
    Block(ChatId),
    /// Whether to refuse a request.
    Refuse(ChatId),
    /// Those who are blocked.
    Blocked,
    /// Add a contact.
    AddContact(AddContactForm),
    /// The link by which others add this identity.
    ContactLink,
    /// Set, change or remove the passphrase.
    Passphrase(PassphraseForm),
    /// Set, replace or remove the recovery code.
    RecoveryCode(RecoveryForm),
    /// Make an identity.
    NewIdentity(IdentityForm),
    /// Change the identity's name.
    Rename(NameForm),
    /// Delete the identity.
    Delete(DeletionForm),
    /// Back the identity up.
    Backup(BackupForm),
    /// Restore an identity from a backup.
    Restore(RestoreForm),
    /// Export a chat.
    Export(ExportForm),
    /// Set up who helps with words.
    Assistant(SetupForm),
    /// What was given to a cloud.
    AssistantLog,
    /// Other words for a draft.
    Rephrase(RephraseForm),
    /// A range of messages in short.
    Summary(SummaryForm),
    /// A message in another language.
    Translation(TranslationForm),
    /// The whole of a long text.
    Text(TextPages),
    /// Settings.
    Settings,
    /// The list of shortcuts.
    Shortcuts,
    /// The relay and its invite link.
    Relay,
}

/// What dialogs may read.
#[derive(Clone, Copy)]
pub(crate) struct DialogScene<'a> {
    pub(crate) palette: &'static Palette,
    pub(crate) theme: Theme,
    pub(crate) lock_after: Option<Duration>,
    /// The handles that no new identity may have.
    pub(crate) taken: &'a [&'a str],
    pub(crate) profile: Option<&'a ProfileView>,
    pub(crate) relay: &'a RelayInfo,
    /// The folder in which files of the person lie.
    pub(crate) documents: &'a Path,
    pub(crate) today: Date,
    pub(crate) zone: &'a TimeZone,
    /// How much of how much of a backup is read, while an identity is restored.
    pub(crate) restoring: Option<(u64, u64)>,
}

impl<'a> DialogScene<'a> {
    /// How far the local time of this moment is ahead of Greenwich, in seconds.
    fn utc_offset_secs(&self, unix_millis: i64) -> i32 {
        let at = Timestamp::from_millisecond(unix_millis).unwrap_or_default();
        self.zone.to_offset(at).seconds()
    }

    /// A chat, and whose it is.
    fn chat(&self, chat: ChatId) -> Option<(&'a ProfileView, &'a ChatRow)> {
        let profile = self.profile?;
        Some((profile, profile.chats.iter().find(|row| row.id == chat)?))
    }
}

impl Dialog {
    /// The comparison with the peer of a chat.
    pub(crate) fn verify(chat: ChatId) -> Self {
        Self::Verify(chat, CodeForm::default())
    }

    /// The whole text of a message.
    pub(crate) fn text(message: MessageKey) -> Self {
        Self::Text(TextPages::new(message))
    }

    /// Whether it shows or takes something of an open vault, and has to go when that is locked.
    pub(crate) fn needs_vault(&self) -> bool {
        !matches!(
            self,
            Self::NewIdentity(_)
                | Self::Delete(_)
                | Self::Restore(_)
                | Self::Settings
                | Self::Shortcuts
                | Self::Relay
        )
    }

    /// The file that it has written.
    pub(crate) fn writing(&mut self) -> Option<&mut Writing> {
        match self {
            Self::Backup(form) => Some(&mut form.writing),
            Self::Export(form) => Some(&mut form.writing),
            _ => None,
        }
    }

    /// Whether what a model is asked in it is of no use once it is closed.
    pub(crate) fn asks_model(&self) -> bool {
        matches!(
            self,
            Self::Rephrase(_) | Self::Summary(_) | Self::Translation(_)
        )
    }

    /// Draws the dialog over everything.
    pub(crate) fn ui(&mut self, ui: &Ui, scene: DialogScene<'_>, asks: &mut Asks) {
        match self {
            Self::Verify(chat, form) => form.ui(ui, scene, *chat, asks),
            Self::Block(chat) => block::ui(ui, scene, *chat, false, asks),
            Self::Refuse(chat) => block::ui(ui, scene, *chat, true, asks),
            Self::Blocked => blocked::ui(ui, scene, asks),
            Self::AddContact(form) => form.ui(ui, scene, asks),
            Self::ContactLink => contact_link::ui(ui, scene, asks),
            Self::Passphrase(form) => form.ui(ui, scene, asks),
            Self::RecoveryCode(form) => form.ui(ui, scene, asks),
            Self::NewIdentity(form) => form.ui(ui, scene, asks),
            Self::Rename(form) => form.ui(ui, scene, asks),
            Self::Delete(form) => form.ui(ui, scene, asks),
            Self::Backup(form) => form.ui(ui, scene, asks),
            Self::Restore(form) => form.ui(ui, scene, asks),
            Self::Export(form) => form.ui(ui, scene, asks),
            Self::Assistant(form) => form.ui(ui, scene, asks),
            Self::AssistantLog => assistant::log_ui(ui, scene, asks),
            Self::Rephrase(form) => form.ui(ui, scene, asks),
            Self::Summary(form) => form.ui(ui, scene, asks),
            Self::Translation(form) => form.ui(ui, scene, asks),
            Self::Text(pages) => pages.ui(ui, scene, asks),
            Self::Settings => settings::ui(ui, scene, asks),
            Self::Shortcuts => shortcuts::ui(ui, scene, asks),
            Self::Relay => relay::ui(ui, scene, asks),
        }
    }
}

/// The frame of a dialog: a title, a button to close, and `content`, `width` points wide.
fn frame(
    ui: &Ui,
    p: &Palette,
    title: &str,
    width: f32,
    asks: &mut Asks,
    content: impl FnOnce(&mut Ui, &mut Asks),
) {
    let screen = ui.ctx().content_rect().size();
    let width = width.min(screen.x - 2.0 * (space::XL + space::L));
    let look = Frame::new()
        .fill(p.surface1)
        .stroke(Stroke::new(1.0, p.line))
        .corner_radius(CornerRadius::same(space::RADIUS_DIALOG))
        .shadow(ui.visuals().window_shadow)
        .inner_margin(Margin::same(24));
    let shown = Modal::new(Id::unique(("dialog", title)))
        .frame(look)
        .backdrop_color(p.backdrop)
        .show(ui.ctx(), |ui| {
            ui.set_width(width);
            ui.spacing_mut().item_spacing.y = space::S;
            ui.horizontal(|ui| {
                let galley =
                    ui.painter()
                        .layout(title.to_owned(), semibold(20.0), p.text, width - 44.0);
                let size = vec2(width - 40.0, galley.size().y.max(space::TARGET));
                let (rect, response) = ui.allocate_exact_size(size, Sense::hover());
                response.widget_info(|| WidgetInfo::labeled(Role::Heading, true, title));
                let at = rect.left_center() - vec2(0.0, galley.size().y / 2.0);
                ui.painter().galley(at, galley, Color32::PLACEHOLDER);
                ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
                    icon_button(ui, p, Icon::Close, crate::words::CLOSE, space::TARGET).clicked()
                })
                .inner
            })
            .inner
            .then(|| asks.wish(Wish::CloseDialog));
            egui::ScrollArea::vertical()
                .max_height(screen.y - 170.0)
                .min_scrolled_height(screen.y - 170.0)
                .auto_shrink([false, true])
                .show(ui, |ui| content(ui, asks));
        });
    if shown.should_close() {
        asks.wish(Wish::CloseDialog);
    }
}

/// A sentence that nobody should miss.
fn warning_ui(ui: &mut Ui, p: &Palette, text: &str) {
    Frame::new()
        .fill(p.warning_ground)
        .corner_radius(CornerRadius::same(space::RADIUS_ROW))
        .inner_margin(Margin::symmetric(12, 10))
        .show(ui, |ui| {
            ui.set_width(ui.available_width());
            ui.horizontal(|ui| {
                let (rect, _) = ui.allocate_exact_size(Vec2::splat(18.0), Sense::hover());
                icons::paint(ui.painter(), rect, Icon::Alert, p.warning_text);
                let look = RichText::new(text).font(medium(13.0)).color(p.warning_text);
                let label = ui.add(Label::new(look).wrap());
                label.widget_info(|| WidgetInfo::labeled(Role::Alert, true, text));
            });
        });
}
