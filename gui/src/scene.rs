//! What views are given, and what they hand back.

use std::time::Duration;

use egui::{Rect, Ui, UiBuilder};
use sotto_client::Command;
use sotto_client::view::{ChatId, MessageKey, ProfileId, ProfileView};

use crate::composer::Reply;
use crate::dialogs::Dialog;
use crate::errand::Errand;
use crate::moment::LocalTime;
use crate::theme::Palette;

/// One profile at one moment: all that a view may read.
#[derive(Clone, Copy)]
pub(crate) struct Scene<'a> {
    pub(crate) palette: &'static Palette,
    pub(crate) profile: &'a ProfileView,
    pub(crate) now: LocalTime,
    pub(crate) utc_offset_secs: i32,
}

impl Scene<'_> {
    /// The local time of a message.
    pub(crate) fn local(&self, unix_millis: i64) -> LocalTime {
        LocalTime::new(unix_millis, self.utc_offset_secs)
    }
}

/// What the person asked for in this frame.
#[derive(Default)]
pub(crate) struct Asks {
    /// For the client.
    pub(crate) commands: Vec<(ProfileId, Command)>,
    /// For whoever holds client and files.
    pub(crate) errands: Vec<Errand>,
    /// For the window.
    pub(crate) wishes: Vec<Wish>,
}

impl Asks {
    /// Asks the client for something.
    pub(crate) fn command(&mut self, profile: &ProfileId, command: Command) {
        self.commands.push((profile.clone(), command));
    }

    /// Asks whoever holds client and files for something.
    pub(crate) fn errand(&mut self, errand: Errand) {
        self.errands.push(errand);
    }

    /// Asks the window for something.
    pub(crate) fn wish(&mut self, wish: Wish) {
        self.wishes.push(wish);
    }
}

/// A change of what the window shows.
pub(crate) enum Wish {
    /// Show an identity.
    Profile(ProfileId),
    /// Open a chat of the shown identity.
    Chat(ChatId),
    /// Open a chat at a message.
    Message(ChatId, MessageKey),
    /// Begin a reply in a chat.
    Reply(ChatId, Box<Reply>),
    /// Put other words in place of what is written in a chat.
    Rephrased(ChatId, String),
    /// Show or hide those who have written unasked.
    Requests(bool),
    /// Back to the list, in a narrow window.
    List,
    /// Open a dialog.
    Dialog(Box<Dialog>),
    /// Close the dialog.
    CloseDialog,
    /// Say something for a few seconds.
    Toast(String),
    /// Copy text and say so.
    Copy(String),
    /// Lock this profile, which has a passphrase.
    Lock(ProfileId),
    /// Lock identities when nobody was there for this long.
    LockAfter(Option<Duration>),
    /// Change the theme.
    Theme(crate::theme::Theme),
}

/// Lays out `add` inside `rect`, clipped to it. `salt` tells it from others around it, so that what is
/// in it stays the same when something else comes or goes: a click begins and ends in two frames.
pub(crate) fn pane<R>(
    ui: &mut Ui,
    rect: Rect,
    salt: impl egui::AsIdSalt,
    add: impl FnOnce(&mut Ui) -> R,
) -> R {
    let id = ui.scope_id().with(salt);
    let mut child = ui.new_child(UiBuilder::new().scope_id(id).max_rect(rect));
    child.shrink_clip_rect(rect);
    add(&mut child)
}
