//! What keys do to the window.

use std::sync::Arc;

use egui::{Context, Id};
use sotto_client::Command;
use sotto_client::view::{
    Body, ChatId, ChatRow, Message, ProfileId, ProfileState, ProfileView, ViewModel,
};

use crate::composer::Reply;
use crate::conversation::{self, Desk};
use crate::dialogs::{Dialog, RephraseForm};
use crate::keys::{self, Stroke};
use crate::scene::{Asks, Wish};
use crate::{chat_row, composer, rail, search};

use super::App;

impl App {
    /// Carries out the window's shortcuts of this frame.
    pub(super) fn keys(&mut self, ctx: &Context, model: &ViewModel, asks: &mut Asks) {
        let profile = self.active.as_ref().and_then(|id| model.profile(id));
        let open = profile.and_then(|profile| self.open_chat(profile));
        let field = profile
            .zip(open)
            .map(|(profile, row)| composer::id(&profile.id, row.id));
        let is_writing = field.is_some_and(|id| ctx.memory(|memory| memory.has_focus(id)))
            && profile.zip(open).is_some_and(|(profile, row)| {
                let desk = self.desks.get(&(profile.id.clone(), row.id));
                desk.is_some_and(|desk| !desk.composer.text().is_empty())
            });
        for stroke in keys::take(ctx, is_writing, self.dialog.is_some()) {
            match stroke {
                Stroke::Identity(index) => {
                    if let Some(profile) = model.profiles.get(index) {
                        asks.wish(Wish::Profile(profile.id.clone()));
                    }
                }
                Stroke::PreviousChat => self.step_chat(profile, -1, asks),
                Stroke::NextChat => self.step_chat(profile, 1, asks),
                Stroke::Lock => {
                    let ready = profile.filter(|profile| profile.state == ProfileState::Ready);
                    if let Some(profile) = ready.filter(|profile| profile.has_passphrase) {
                        asks.wish(Wish::Lock(profile.id.clone()));
                    }
                }
                Stroke::Search => self.begin_search(ctx, profile, String::new()),
                Stroke::SearchChat => {
                    self.begin_search(ctx, profile, open.map(search::within).unwrap_or_default());
                }
                Stroke::Reply => self.reply(profile, open, asks),
                Stroke::Rephrase => self.rephrase(profile, open, asks),
                Stroke::Settings => asks.wish(Wish::Dialog(Box::new(Dialog::Settings))),
                Stroke::Shortcuts => asks.wish(Wish::Dialog(Box::new(Dialog::Shortcuts))),
                Stroke::NextPane => next_pane(ctx, profile.map(AsRef::as_ref), open),
                Stroke::Scroll(scroll) => self.scroll = Some(scroll),
                Stroke::Escape => {
                    if let Some((profile, row)) = profile.zip(open)
                        && let Some(desk) = self.desks.get_mut(&(profile.id.clone(), row.id))
                        && desk.composer.answer_nothing()
                    {
                        continue;
                    }
                    if let Some(profile) = profile
                        && self
                            .searches
                            .remove(&profile.id)
                            .is_some_and(|it| !it.is_idle())
                    {
                        asks.command(&profile.id, Command::EndSearch);
                    }
                    if let Some(id) = field {
                        ctx.memory_mut(|memory| memory.request_focus(id));
                    }
                }
            }
        }
    }

    /// Begins a reply to the peer's newest message, or goes back to the one before that which is
    /// answered already.
    fn reply(&self, profile: Option<&Arc<ProfileView>>, open: Option<&ChatRow>, asks: &mut Asks) {
        let Some((profile, row)) = profile.zip(open) else {
            return;
        };
        let desk = self.desks.get(&(profile.id.clone(), row.id));
        let before = desk.and_then(|desk| desk.composer.answered());
        let timeline = profile.timeline.as_ref();
        let messages = timeline.filter(|timeline| timeline.chat == row.id);
        let found = messages.and_then(|timeline| {
            let is_theirs = |it: &&Arc<Message>| !it.is_mine && !matches!(it.body, Body::Note(_));
            let theirs = timeline.messages.iter().rev().filter(is_theirs);
            let mut earlier = theirs.filter(|it| before.is_none_or(|before| it.key < before));
            earlier.next()
        });
        if let Some(message) = found.filter(|_| conversation::has_composer(row)) {
            asks.wish(Wish::Reply(row.id, Box::new(Reply::to(message))));
        }
    }

    /// Looks for other words for what is written in the open chat.
    fn rephrase(
        &self,
        profile: Option<&Arc<ProfileView>>,
        open: Option<&ChatRow>,
        asks: &mut Asks,
    ) {
        let Some((profile, row)) = profile.zip(open) else {
            return;
        };
        let desk = self.desks.get(&(profile.id.clone(), row.id));
        let text = desk.map_or("", |desk| desk.composer.text());
        if conversation::has_composer(row) && !text.trim().is_empty() {
            let form = RephraseForm::new(row.id, text);
            asks.wish(Wish::Dialog(Box::new(Dialog::Rephrase(form))));
        }
    }

    /// Moves the focus to the search field, with this text in it unless it holds one.
    fn begin_search(&mut self, ctx: &Context, profile: Option<&Arc<ProfileView>>, text: String) {
        let ready = profile.filter(|profile| profile.state == ProfileState::Ready);
        let Some(profile) = ready else { return };
        let desk = self.searches.entry(profile.id.clone()).or_default();
        if !text.is_empty() || desk.is_idle() {
            desk.begin(text);
        }
        self.is_chat_in_front = false;
        let id = search::id(&profile.id);
        ctx.memory_mut(|memory| memory.request_focus(id));
    }

    fn step_chat(&self, profile: Option<&Arc<ProfileView>>, step: isize, asks: &mut Asks) {
        let Some(profile) = profile else { return };
        let open = self.open_chats.get(&profile.id);
        // In the order of the list.
        let (requests, chats): (Vec<&ChatRow>, Vec<&ChatRow>) = profile
            .chats
            .iter()
            .filter(|row| !row.is_refused())
            .partition(|row| row.is_request());
        let mut rows = chats;
        if self.shows_requests {
            rows.splice(0..0, requests);
        }
        let place = rows.iter().position(|row| Some(&row.id) == open);
        let next = match place {
            Some(place) => place.checked_add_signed(step),
            None => Some(0),
        };
        if let Some(row) = next.and_then(|next| rows.get(next)) {
            asks.wish(Wish::Chat(row.id));
        }
    }
}

/// Moves the focus from the rail to the list to the composer and round.
fn next_pane(ctx: &Context, profile: Option<&ProfileView>, open: Option<&ChatRow>) {
    let Some(profile) = profile else { return };
    let rail = rail::id(&profile.id);
    let row = open.or_else(|| profile.chats.first());
    let list = row.map(|row| chat_row::id(&profile.id, row.id));
    let field = open.map(|row| composer::id(&profile.id, row.id));
    let panes: Vec<Id> = [Some(rail), list, field].into_iter().flatten().collect();
    let focused = ctx.memory(egui::Memory::focused);
    let place = panes.iter().position(|id| Some(*id) == focused);
    let next = place.map_or(0, |place| (place + 1) % panes.len());
    if let Some(id) = panes.get(next) {
        ctx.memory_mut(|memory| memory.request_focus(*id));
    }
}

/// Typing anywhere goes to the composer.
pub(super) fn type_ahead(
    ctx: &Context,
    profile: &ProfileId,
    chat: ChatId,
    desk: &mut Desk,
    has_dialog: bool,
) {
    let id = composer::id(profile, chat);
    let searches = search::id(profile);
    let has_focus = |id| ctx.memory(|memory| memory.has_focus(id));
    if has_dialog || has_focus(id) || has_focus(searches) {
        return;
    }
    let typed = keys::typed(ctx);
    if typed.trim().is_empty() {
        return;
    }
    desk.composer.push(&typed);
    let end = egui::text::CCursor::new(desk.composer.text().chars().count());
    let mut state = egui::TextEdit::load_state(ctx, id).unwrap_or_default();
    state
        .cursor
        .set_char_range(Some(egui::text::CCursorRange::one(end)));
    egui::TextEdit::store_state(ctx, id, state);
    ctx.memory_mut(|memory| memory.request_focus(id));
    // The field must not take the same letters again.
    ctx.input_mut(|input| {
        input
            .events
            .retain(|event| !matches!(event, egui::Event::Text(_)));
    });
}
