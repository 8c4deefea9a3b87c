//! List, conversation, and what stands over them, each in its place.

use std::sync::Arc;

use egui::{CursorIcon, Id, Rect, Sense, Ui, vec2};
use sotto_client::Command;
use sotto_client::view::{ChatRow, ProfileId, ProfileView, ViewModel};

use crate::chat_list::{self, ListParts};
use crate::conversation::{self, Place};
use crate::dialogs::DialogScene;
use crate::moment::LocalTime;
use crate::scene::{Asks, Scene};
use crate::theme::space;

use super::{App, input};

impl App {
    /// List and conversation of a profile in use.
    pub(super) fn ready_ui(&mut self, ui: &mut Ui, scene: Scene<'_>, rect: Rect, asks: &mut Asks) {
        let is_narrow = rect.width() + space::RAIL < space::NARROW;
        let profile = scene.profile;
        let has_chat = self.open_chat(profile).is_some();
        let (list, chat) = if is_narrow {
            let nothing = Rect::NOTHING;
            if self.is_chat_in_front && has_chat {
                (nothing, rect)
            } else {
                (rect, nothing)
            }
        } else {
            let most = (rect.width() - 340.0).clamp(space::LIST[0], space::LIST[2]);
            let width = self.list_width.clamp(space::LIST[0], most);
            rect.split_left_right_at_x(rect.left() + width)
        };
        if list.is_positive() {
            let selected = (!is_narrow)
                .then(|| self.open_chat(profile).map(|row| row.id))
                .flatten();
            let desks = &self.desks;
            let draft_of = |row: &ChatRow| {
                desks
                    .get(&(profile.id.clone(), row.id))
                    .filter(|desk| desk.composer.is_own())
                    .map_or_else(|| row.draft.clone(), |desk| desk.composer.text().to_owned())
            };
            let parts = ListParts {
                selected,
                shows_requests: self.shows_requests,
                relay: &self.relay,
                draft_of: &draft_of,
                search: self.searches.entry(profile.id.clone()).or_default(),
            };
            chat_list::ui(ui, scene, list, parts, asks);
            self.apply(ui.ctx(), asks);
        }
        if chat.is_positive() {
            self.chat_ui(ui, scene, chat, is_narrow, asks);
        }
        if list.is_positive() && chat.is_positive() {
            self.divider_ui(ui, scene, list);
        }
    }

    fn chat_ui(
        &mut self,
        ui: &mut Ui,
        scene: Scene<'_>,
        rect: Rect,
        is_narrow: bool,
        asks: &mut Asks,
    ) {
        let profile = scene.profile;
        let Some(row) = self.open_chat(profile) else {
            conversation::empty_ui(ui, scene.palette, rect);
            return;
        };
        let shown = profile.timeline.as_ref().map(|timeline| timeline.chat);
        if self.asked.get(&profile.id) != Some(&row.id) {
            self.asked.insert(profile.id.clone(), row.id);
            if shown != Some(row.id) {
                let (chat, around) = (row.id, None);
                asks.command(&profile.id, Command::ShowChat { chat, around });
            }
        }
        let place = Place {
            rect,
            has_back: is_narrow,
            is_offline: self.is_offline(ui, profile),
            scroll: self.scroll.take(),
        };
        let key = (profile.id.clone(), row.id);
        let has_dialog = self.dialog.is_some();
        let desk = self.desks.entry(key).or_default();
        desk.composer.follow(&row.draft);
        if conversation::has_composer(row) {
            input::type_ahead(ui.ctx(), &profile.id, row.id, desk, has_dialog);
        }
        let messages = conversation::ui(ui, scene, &place, row, desk, asks);
        self.foot = messages.center_bottom() - vec2(0.0, space::L);
        desk.composer
            .save(ui.ctx(), &profile.id, row.id, false, asks);
    }

    /// Dialog and notes.
    pub(super) fn over_ui(
        &mut self,
        ui: &Ui,
        model: &ViewModel,
        profile: Option<&Arc<ProfileView>>,
        now: LocalTime,
        asks: &mut Asks,
    ) {
        let profile = profile.map(AsRef::as_ref);
        if let Some(mut dialog) = self.dialog.take() {
            let here = model.profiles.iter().map(|profile| &profile.id);
            let taken: Vec<&str> = here.chain(&self.leaving).map(ProfileId::as_str).collect();
            let scene = DialogScene {
                palette: self.theme.palette(),
                theme: self.theme,
                lock_after: self.lock_after,
                taken: &taken,
                profile,
                relay: &self.relay,
                documents: &self.documents,
                today: now.date(),
                zone: &self.zone,
                restoring: self.restoring,
            };
            dialog.ui(ui, scene, asks);
            self.dialog = Some(dialog);
        }
        self.toasts
            .ui(ui, self.theme.palette(), profile, self.foot, asks);
    }

    /// The line between list and chat, which can be dragged.
    fn divider_ui(&mut self, ui: &mut Ui, scene: Scene<'_>, list: Rect) {
        let x = list.right();
        let grip =
            Rect::from_min_max(list.right_top(), list.right_bottom()).expand2(vec2(3.0, 0.0));
        let response = ui
            .interact(
                grip,
                Id::unique("list-width"),
                Sense::drag() - Sense::FOCUSABLE,
            )
            .on_hover_and_drag_cursor(CursorIcon::ResizeHorizontal);
        if response.dragged() {
            let width = self.list_width + response.drag_delta().x;
            self.list_width = width.clamp(space::LIST[0], space::LIST[2]);
        }
        let is_held = response.hovered() || response.dragged();
        let ink = if is_held {
            scene.palette.control_border
        } else {
            scene.palette.line
        };
        ui.painter()
            .vline(x, list.y_range(), egui::Stroke::new(1.0, ink));
    }
}
