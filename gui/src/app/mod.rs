//! The state of the window, and which view is shown where.

mod input;
mod jobs;
mod locks;
mod panes;
mod reports;
mod wishes;

use std::collections::{HashMap, HashSet};
use std::path::PathBuf;
use std::time::Duration;

use egui::{Context, Pos2, Ui, vec2};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use sotto_client::Command;
use sotto_client::view::{
    ChatId, ChatRow, JobKind, ProfileId, ProfileState, ProfileView, RelayState, ViewModel,
};

use crate::conversation::Desk;
use crate::dialogs::{Dialog, PassphraseForm};
use crate::errand::{Errand, Report};
use crate::gate::{self, Gate};
use crate::moment::{LocalTime, Moment};
use crate::rail;
use crate::relay::RelayInfo;
use crate::scene::{Asks, Scene};
use crate::search::SearchDesk;
use crate::theme::{Theme, space};
use crate::timeline::Scroll;
use crate::toasts::Toasts;

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
    /// Lock identities that have a passphrase when nobody was there for this long.
    pub lock_after: Option<Duration>,
    /// The identity to show first; the first one if there is none.
    pub active: Option<ProfileId>,
    /// The local time zone; that of Greenwich if there is none.
    pub zone: Option<TimeZone>,
    /// The folder in which files are proposed, and relative paths begin.
    pub documents: PathBuf,
}

/// The state of the window: what is shown, where the person is, what was typed.
pub struct App {
    theme: Theme,
    lock_after: Option<Duration>,
    /// What the client was last told of it.
    locks: HashMap<ProfileId, Option<Duration>>,
    /// When it was last told that somebody is there.
    presence: f64,
    zone: TimeZone,
    documents: PathBuf,
    active: Option<ProfileId>,
    /// The identity to which the rail was scrolled.
    revealed: Option<ProfileId>,
    /// Those that are being deleted.
    leaving: HashSet<ProfileId>,
    /// What identities write into files, or have written, and whether that was told.
    jobs: HashMap<ProfileId, (JobKind, bool)>,
    /// How much of how much of a backup is read, while an identity is restored.
    restoring: Option<(u64, u64)>,
    errands: Vec<Errand>,
    reports: Vec<Report>,
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
    /// In so many frames the composer takes the focus: after the click that led there, and after the
    /// one in which a dialog last kept it.
    focus_due_in: Option<u8>,
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
            lock_after: options.lock_after,
            locks: HashMap::new(),
            presence: f64::NEG_INFINITY,
            zone: options.zone.unwrap_or(TimeZone::UTC),
            documents: options.documents,
            active: options.active,
            revealed: None,
            leaving: HashSet::new(),
            jobs: HashMap::new(),
            restoring: None,
            errands: Vec::new(),
            reports: Vec::new(),
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
            focus_due_in: None,
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

    /// After how long without anybody there identities are locked, which the person may have
    /// changed.
    pub fn lock_after(&self) -> Option<Duration> {
        self.lock_after
    }

    /// What was asked for since the last time, beside the commands.
    pub fn take_errands(&mut self) -> Vec<Errand> {
        std::mem::take(&mut self.errands)
    }

    /// Says what has become of an errand; the next frame shows it.
    pub fn report(&mut self, report: Report) {
        self.reports.push(report);
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
        let time = Timestamp::from_millisecond(now.unix_millis).unwrap_or_default();
        let utc_offset_secs = self.zone.to_offset(time).seconds();
        let local = LocalTime::new(now.unix_millis, utc_offset_secs);
        ui.ctx()
            .request_repaint_after(Duration::from_secs(local.secs_to_midnight()));
        self.take_reports(ui.ctx(), model, &mut asks);
        self.rest_caret(ui);
        self.forget(model);
        self.keep_locks(ui.ctx(), model, &mut asks);
        self.heed_jobs(ui.ctx(), model, &mut asks);
        match self.focus_due_in.take() {
            None => {}
            Some(0) => self.focus_composer(ui.ctx(), model),
            Some(frames) => {
                self.focus_due_in = Some(frames - 1);
                ui.ctx().request_repaint();
            }
        }
        self.keys(ui.ctx(), model, &mut asks);
        self.apply(ui.ctx(), &mut asks);
        let p = self.theme.palette();
        let rect = ui.max_rect();
        let (rail, rest) = rect.split_left_right_at_x(rect.left() + space::RAIL);
        let is_new = std::mem::replace(&mut self.revealed, self.active.clone()) != self.active;
        rail::ui(ui, p, rail, model, self.active.as_ref(), is_new, &mut asks);
        self.apply(ui.ctx(), &mut asks);
        let profile = self.active.as_ref().and_then(|id| model.profile(id));
        self.foot = rest.center_bottom() - vec2(0.0, space::XL);
        match profile {
            None => gate::nobody_ui(ui, p, rest, &mut asks),
            Some(profile) if profile.state != ProfileState::Ready => {
                self.asked.remove(&profile.id);
                let gate = self.gates.entry(profile.id.clone()).or_default();
                gate.ui(ui, p, rest, profile, &mut asks);
            }
            Some(profile) => {
                let gate = self.gates.get_mut(&profile.id);
                if let Some(code) = gate.and_then(Gate::take_code) {
                    self.dialog = Some(Dialog::Passphrase(PassphraseForm::recovery(&code)));
                }
                let scene = Scene {
                    palette: p,
                    profile,
                    now: local,
                    utc_offset_secs,
                };
                self.ready_ui(ui, scene, rest, &mut asks);
            }
        }
        self.over_ui(ui, model, profile, local, &mut asks);
        self.apply(ui.ctx(), &mut asks);
        self.put_errands(std::mem::take(&mut asks.errands));
        asks.commands
    }

    /// Nothing of a profile that is locked, closed or gone stays in memory here.
    fn forget(&mut self, model: &ViewModel) {
        let is_here = |id: &ProfileId| model.profile(id).is_some();
        let is_ready = |id: &ProfileId| {
            let profile = model.profile(id);
            profile.is_some_and(|profile| profile.state == ProfileState::Ready)
        };
        if !self.active.as_ref().is_some_and(is_here) {
            self.active = model.profiles.first().map(|profile| profile.id.clone());
        }
        if !self.active.as_ref().is_some_and(is_ready)
            && self.dialog.as_ref().is_some_and(Dialog::needs_vault)
        {
            self.dialog = None;
        }
        self.desks.retain(|(id, _), _| is_ready(id));
        self.searches.retain(|id, _| is_ready(id));
        self.open_chats.retain(|id, _| is_here(id));
        self.asked.retain(|id, _| is_here(id));
        self.gates.retain(|id, _| is_here(id));
        self.offline_since.retain(|id, _| is_here(id));
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
