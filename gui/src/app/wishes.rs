//! What views wish for, carried out.

use egui::Context;
use sotto_client::Command;
use sotto_client::view::ViewModel;

use crate::dialogs::Dialog;
use crate::scene::{Asks, Wish};
use crate::{composer, conversation, words};

use super::App;

impl App {
    /// Carries out what was wished for so far in this frame.
    pub(super) fn apply(&mut self, ctx: &Context, asks: &mut Asks) {
        for wish in std::mem::take(&mut asks.wishes) {
            ctx.request_repaint();
            match wish {
                Wish::Profile(id) => {
                    self.flush_draft(ctx, asks);
                    self.dialog = None;
                    for gate in self.gates.values_mut() {
                        gate.clear();
                    }
                    self.active = Some(id);
                    self.revealed = None;
                    self.focus_due_in = Some(0);
                }
                Wish::Chat(chat) => {
                    self.flush_draft(ctx, asks);
                    if let Some(id) = self.active.clone() {
                        self.open_chats.insert(id, chat);
                    }
                    self.is_chat_in_front = true;
                    self.focus_due_in = Some(0);
                }
                Wish::Message(chat, message) => {
                    self.flush_draft(ctx, asks);
                    if let Some(id) = self.active.clone() {
                        self.open_chats.insert(id.clone(), chat);
                        self.asked.insert(id.clone(), chat);
                        let desk = self.desks.entry((id.clone(), chat)).or_default();
                        desk.timeline.seek(message);
                        let around = Some(message);
                        asks.command(&id, Command::ShowChat { chat, around });
                    }
                    self.is_chat_in_front = true;
                }
                Wish::Reply(chat, reply) => {
                    if let Some(id) = self.active.clone() {
                        let desk = self.desks.entry((id, chat)).or_default();
                        desk.composer.answer(*reply);
                    }
                    self.focus_due_in = Some(0);
                }
                Wish::Rephrased(chat, text) => {
                    if let Some(id) = self.active.clone() {
                        let desk = self.desks.entry((id, chat)).or_default();
                        desk.composer.rephrase(text);
                    }
                }
                Wish::Requests(are_shown) => self.shows_requests = are_shown,
                Wish::List => {
                    self.flush_draft(ctx, asks);
                    self.is_chat_in_front = false;
                }
                Wish::Dialog(dialog) => self.dialog = Some(*dialog),
                Wish::CloseDialog => {
                    if let Some((dialog, id)) = self.dialog.take().zip(self.active.clone()) {
                        if matches!(dialog, Dialog::Text(_)) {
                            asks.command(&id, Command::ShowText(None));
                        }
                        if dialog.asks_model() {
                            asks.command(&id, Command::EndAssist);
                        }
                        if matches!(dialog, Dialog::Summary(_)) {
                            asks.command(&id, Command::GatherMessages(None));
                        }
                    }
                    self.focus_due_in = Some(1);
                }
                Wish::Toast(text) => self.toasts.say(text, ctx.input(|input| input.time)),
                Wish::Copy(text) => {
                    ctx.copy_text(text);
                    let now = ctx.input(|input| input.time);
                    self.toasts.say(words::COPIED.to_owned(), now);
                }
                Wish::Lock(id) => {
                    self.flush_draft(ctx, asks);
                    self.dialog = None;
                    asks.command(&id, Command::Lock);
                }
                Wish::LockAfter(span) => self.lock_after = span,
                Wish::Theme(theme) => {
                    self.theme = theme;
                    theme.apply(ctx);
                }
            }
        }
    }

    /// Saves the draft of the open chat before another takes its place.
    pub(super) fn flush_draft(&mut self, ctx: &Context, asks: &mut Asks) {
        let Some(profile) = self.active.clone() else {
            return;
        };
        let Some(chat) = self.open_chats.get(&profile).copied() else {
            return;
        };
        if let Some(desk) = self.desks.get_mut(&(profile.clone(), chat)) {
            desk.composer.save(ctx, &profile, chat, true, asks);
        }
    }

    pub(super) fn focus_composer(&self, ctx: &Context, model: &ViewModel) {
        let profile = self.active.as_ref().and_then(|id| model.profile(id));
        if let Some(profile) = profile
            && let Some(row) = self.open_chat(profile)
            && conversation::has_composer(row)
        {
            let id = composer::id(&profile.id, row.id);
            ctx.memory_mut(|memory| memory.request_focus(id));
        }
    }
}
