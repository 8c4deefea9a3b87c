//! Tells the client when to lock what nobody uses.

use egui::Context;
use sotto_client::Command;
use sotto_client::view::{ProfileState, ViewModel};

use crate::scene::Asks;

use super::App;

/// Whoever reads without a command moves something: the client hears of it this often, in seconds.
const PRESENCE_SECS: f64 = 20.0;

impl App {
    /// Tells each profile once after how long to lock, and now and then, while the window is used,
    /// that the time begins anew.
    pub(super) fn keep_locks(&mut self, ctx: &Context, model: &ViewModel, asks: &mut Asks) {
        self.locks.retain(|id, _| model.profile(id).is_some());
        let (now, has_input) = ctx.input(|input| (input.time, !input.events.is_empty()));
        let is_there = has_input && now - self.presence >= PRESENCE_SECS;
        if is_there {
            self.presence = now;
        }
        let span = self.lock_after;
        for profile in &model.profiles {
            let told = self.locks.insert(profile.id.clone(), span).flatten();
            let can_lock = profile.state == ProfileState::Ready && profile.has_passphrase;
            if told != span || is_there && can_lock && span.is_some() {
                asks.command(&profile.id, Command::LockAfter(span));
            }
        }
    }
}
