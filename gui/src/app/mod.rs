//! The state of the window, and which view is shown where.

mod input;
mod wishes;

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use egui::{Context, CursorIcon, Id, Pos2, Rect, Sense, Ui, vec2};
use sotto_client::Command;
use sotto_client::view::{
    ChatId, ChatRow, ProfileId, ProfileState, ProfileView, RelayState, ViewModel,
};

use crate::chat_list::ListParts;
use crate::conversation::{self, Desk, Place};
use crate::dialogs::{Dialog, DialogScene};
use crate::gate::{self, Gate};
use crate::moment::{LocalTime, Moment};
use crate::relay::RelayInfo;
use crate::scene::{Asks, Scene};
use crate::search::SearchDesk;
use crate::theme::{Theme, space};
use crate::timeline::Scroll;
use crate::toasts::Toasts;
use crate::{chat_list, rail};

/// How long the connection is missing before the banner says so, in seconds.
const OFFLINE_SECS: f64 = 3.0;
/// How long the caret blinks after the last input, in seconds.
const BLINK_SECS: f64 = 10.0;

/// How the window starts.
#[derive(Debug, Clone, Default)]
pub struct AppOptions {
    /// Take other scripts and colour emoji from the system's fonts.
    pub system_fonts: bool,
    /// The colours.
    pub theme: Theme,
    /// The identity to show first; the first one if there is none.
    pub active: Option<ProfileId>,
    /// The local time zone, in seconds east of Greenwich.
    pub utc_offset_secs: i32,
}

/// The state of the window: what is shown, where the person is, what was typed.
pub struct App {
    theme: Theme,
    utc_offset_secs: i32,
    active: Option<ProfileId>,
    open_chats: HashMap<ProfileId, ChatId>,
    desks: HashMap<(ProfileId, ChatId), Desk>,
    /// The chat that the client was last asked to show, until the profile closes.
    asked: HashMap<ProfileId, ChatId>,
    searches: HashMap<ProfileId, SearchDesk>,
    gates: HashMap<ProfileId, Gate>,
    offline_since: HashMap<ProfileId, f64>,
    dialog: Option<Dialog>,
    toasts: Toasts,
    relay: RelayInfo,
    list_width: f32,
    /// Those who have written unasked are listed.
    shows_requests: bool,
    /// In a narrow window: the chat is shown, not the list.
    is_chat_in_front: bool,
    scroll: Option<Scroll>,
    blinks: Option<bool>,
    last_input: f64,
    /// The composer takes the focus in the next frame, after the click that led there.
    is_focus_due: bool,
    /// Where notes stand.
    foot: Pos2,
}

impl std::fmt::Debug for App {
    /// Says what is shown and nothing that was typed.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("App")
            .field("theme", &self.theme)
            .field("active", &self.active)
            .finish_non_exhaustive()
    }
}

impl App {
    /// Installs fonts and theme in `ctx` and starts without an open chat.
    pub fn new(ctx: &Context, options: AppOptions) -> Self {
        crate::theme::install_fonts(ctx, options.system_fonts);
        options.theme.apply(ctx);
        Self {
            theme: options.theme,
            utc_offset_secs: options.utc_offset_secs,
            active: options.active,
            open_chats: HashMap::new(),
            desks: HashMap::new(),
            asked: HashMap::new(),
            searches: HashMap::new(),
            gates: HashMap::new(),
            offline_since: HashMap::new(),
            dialog: None,
            toasts: Toasts::default(),
            relay: RelayInfo::default(),
            list_width: space::LIST[1],
            shows_requests: false,
            is_chat_in_front: false,
            scroll: None,
            blinks: None,
            last_input: 0.0,
            is_focus_due: false,
            foot: Pos2::ZERO,
        }
    }

    /// What the relay chip and dialog show.
    pub fn set_relay(&mut self, relay: RelayInfo) {
        self.relay = relay;
    }

    /// The colours in use, which the person may have changed.
    pub fn theme(&self) -> Theme {
        self.theme
    }

    /// The identity that is shown.
    pub fn active(&self) -> Option<&ProfileId> {
        self.active.as_ref()
    }

    /// What was typed in the open chat and not saved yet; for when the window closes.
    pub fn take_drafts(&mut self, ctx: &Context) -> Vec<(ProfileId, Command)> {
        let mut asks = Asks::default();
        self.flush_draft(ctx, &mut asks);
        asks.commands
    }

    /// Draws one frame of `model` and gives what the person asked for.
    pub fn ui(&mut self, ui: &mut Ui, model: &ViewModel, now: Moment) -> Vec<(ProfileId, Command)> {
        let mut asks = Asks::default();
        let local = LocalTime::new(now.unix_millis, self.utc_offset_secs);
        ui.ctx()
            .request_repaint_after(Duration::from_secs(local.secs_to_midnight()));
        self.rest_caret(ui);
        if self
            .active
            .as_ref()
            .is_none_or(|id| model.profile(id).is_none())
        {
            self.active = model.profiles.first().map(|profile| profile.id.clone());
        }
        // Nothing of a profile that is locked or closed stays in memory here.
        let is_ready = |id: &ProfileId| {
            let profile = model.profile(id);
            profile.is_some_and(|profile| profile.state == ProfileState::Ready)
        };
        self.desks.retain(|(id, _), _| is_ready(id));
        self.searches.retain(|id, _| is_ready(id));
        if std::mem::take(&mut self.is_focus_due) {
            self.focus_composer(ui.ctx(), model);
        }
        self.keys(ui.ctx(), model, &mut asks);
        self.apply(ui.ctx(), &mut asks);
        let p = self.theme.palette();
        let rect = ui.max_rect();
        let (rail, rest) = rect.split_left_right_at_x(rect.left() + space::RAIL);
        rail::ui(ui, p, rail, model, self.active.as_ref(), &mut asks);
        self.apply(ui.ctx(), &mut asks);
        let profile = self.active.as_ref().and_then(|id| model.profile(id));
        self.foot = rest.center_bottom() - vec2(0.0, space::XL);
        match profile {
            None => gate::starting_ui(ui, p, rest),
            Some(profile) if profile.state != ProfileState::Ready => {
                self.asked.remove(&profile.id);
                let gate = self.gates.entry(profile.id.clone()).or_default();
                gate.ui(ui, p, rest, profile, &mut asks);
            }
            Some(profile) => {
                let scene = Scene {
                    palette: p,
                    profile,
                    now: local,
                    utc_offset_secs: self.utc_offset_secs,
                };
                self.ready_ui(ui, scene, rest, &mut asks);
            }
        }
        self.over_ui(ui, profile, &mut asks);
        self.apply(ui.ctx(), &mut asks);
        asks.commands
    }

    /// List and conversation of a profile in use.
    fn ready_ui(&mut self, ui: &mut Ui, scene: Scene<'_>, rect: Rect, asks: &mut Asks) {
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
    fn over_ui(&mut self, ui: &Ui, profile: Option<&Arc<ProfileView>>, asks: &mut Asks) {
        let profile = profile.map(AsRef::as_ref);
        if let Some(mut dialog) = self.dialog.take() {
            let scene = DialogScene {
                palette: self.theme.palette(),
                theme: self.theme,
                profile,
                relay: &self.relay,
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

    /// The chat that is open in a profile.
    fn open_chat<'a>(&self, profile: &'a ProfileView) -> Option<&'a ChatRow> {
        let id = self.open_chats.get(&profile.id)?;
        let mut open = profile.chats.iter().filter(|row| !row.is_refused());
        open.find(|row| row.id == *id)
    }

    /// Whether the connection has been missing for long enough to say so.
    fn is_offline(&mut self, ui: &Ui, profile: &ProfileView) -> bool {
        if profile.relay == RelayState::Connected {
            self.offline_since.remove(&profile.id);
            return false;
        }
        let now = ui.input(|input| input.time);
        let since = *self.offline_since.entry(profile.id.clone()).or_insert(now);
        let wait = since + OFFLINE_SECS - now;
        if wait > 0.0 {
            ui.ctx()
                .request_repaint_after(Duration::from_secs_f64(wait));
        }
        wait <= 0.0
    }

    /// Lets the caret blink for a while after the last input, then rest.
    fn rest_caret(&mut self, ui: &mut Ui) {
        let (now, has_input) = ui.input(|input| (input.time, !input.events.is_empty()));
        if has_input {
            self.last_input = now;
        }
        let blinks = *self
            .blinks
            .get_or_insert_with(|| ui.visuals().text_cursor.blink);
        let wanted = blinks && now - self.last_input < BLINK_SECS;
        if ui.visuals().text_cursor.blink != wanted {
            ui.ctx()
                .all_styles_mut(|style| style.visuals.text_cursor.blink = wanted);
            ui.visuals_mut().text_cursor.blink = wanted;
        }
    }
}
