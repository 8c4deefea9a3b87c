//! The app in its window, between the client and the files.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use eframe::egui;
use sotto::{App, Errand, Moment, Report};
use sotto_client::identities::IdentityError;
use sotto_client::view::ProfileId;
use sotto_client::{Busy, Client, Command, identities, well_known_people};

use crate::RelaySource;
use crate::settings::Settings;
use crate::worker::{Job, Worker};

/// Commands that a busy client did not take are given again after this.
const BUSY_RETRY: Duration = Duration::from_millis(100);

/// The window. Its fields end in this order: first what is still to be done, then the profiles, then
/// the relay that they use.
pub(crate) struct Window {
    app: Option<App>,
    worker: Worker,
    client: Client,
    relay: RelaySource,
    context: egui::Context,
    /// Commands that the client has not taken yet, oldest first.
    waiting: VecDeque<(ProfileId, Command)>,
    settings: Settings,
    /// As the file has them, or is about to.
    kept: Settings,
    /// Until the first frame is drawn.
    started: Option<Instant>,
}

impl Window {
    /// A window without an app yet.
    pub(crate) fn new(
        worker: Worker,
        client: Client,
        relay: RelaySource,
        settings: Settings,
        context: egui::Context,
        started: Instant,
    ) -> Self {
        Self {
            app: None,
            worker,
            client,
            relay,
            context,
            waiting: VecDeque::new(),
            kept: settings.clone(),
            settings,
            started: Some(started),
        }
    }

    /// Puts the app in.
    pub(crate) fn put_app(&mut self, app: App) {
        self.app = Some(app);
    }

    /// Gives the client what waits for it; false if it does not take everything now.
    fn hand_over(&mut self) -> bool {
        let model = self.client.snapshot();
        // An identity that is gone takes no commands.
        self.waiting
            .retain(|(profile, _)| model.profile(profile).is_some());
        while let Some((profile, command)) = self.waiting.pop_front() {
            if let Err(Busy(command)) = self.client.send(&profile, command) {
                self.waiting.push_front((profile, command));
                return false;
            }
        }
        true
    }

    /// Does what the app asked for beside commands.
    fn run_errand(&mut self, errand: Errand) -> Option<Report> {
        match errand {
            Errand::MakeCode => Some(Report::Code(self.client.recovery_code())),
            Errand::Create(person, passphrase) => {
                let created = self.client.create(&person, passphrase);
                Some(Report::Created(created.map(|()| {
                    self.settings.deleted.retain(|it| *it != person.handle);
                    ProfileId::new(&person.handle)
                })))
            }
            Errand::Delete(id) => {
                let closing = self.client.remove(&id);
                let mut known = well_known_people().into_iter();
                let is_known = known.any(|person| person.handle == id.as_str());
                if is_known && !self.settings.deleted.iter().any(|it| it == id.as_str()) {
                    self.settings.deleted.push(id.as_str().to_owned());
                }
                self.kept = self.settings.clone();
                let job = Job::Delete(id, closing, self.kept.clone());
                match self.worker.put(job) {
                    Err(Job::Delete(id, closing, _)) => {
                        drop(closing);
                        Some(self.stays(id, IdentityError::Thread))
                    }
                    _ => None,
                }
            }
        }
    }

    /// An identity was not deleted: it is shown again.
    fn stays(&mut self, id: ProfileId, problem: IdentityError) -> Report {
        self.settings.deleted.retain(|it| *it != id.as_str());
        if self.client.add(&identities::person(id.as_str())).is_err() {
            tracing::warn!("an identity is shown again after the next start only");
        }
        Report::Deleted(id, Err(problem))
    }

    /// Carries out errands, and shows what has become of them with the next frame.
    fn run_errands(&mut self) {
        let Some(app) = &mut self.app else { return };
        self.settings.theme = app.theme();
        self.settings.lock_after = app.lock_after();
        let mut reports = Vec::new();
        for errand in app.take_errands() {
            reports.extend(self.run_errand(errand));
        }
        let outcomes: Vec<_> = self.worker.outcomes().collect();
        for (id, outcome) in outcomes {
            reports.push(match outcome {
                Ok(()) => Report::Deleted(id, Ok(())),
                Err(problem) => self.stays(id, problem),
            });
        }
        if self.settings != self.kept && self.worker.put(Job::Keep(self.settings.clone())).is_ok() {
            self.kept = self.settings.clone();
        }
        if let Some(app) = &mut self.app
            && !reports.is_empty()
        {
            self.context.request_repaint();
            for report in reports {
                app.report(report);
            }
        }
    }
}

impl eframe::App for Window {
    fn ui(&mut self, ui: &mut egui::Ui, _frame: &mut eframe::Frame) {
        let Some(app) = &mut self.app else {
            return;
        };
        if let Some(started) = self.started.take() {
            tracing::info!(millis = started.elapsed().as_millis(), "first frame");
            app.set_relay(self.relay.info.borrow_and_update().clone());
        }
        if self.relay.info.has_changed().unwrap_or(false) {
            app.set_relay(self.relay.info.borrow_and_update().clone());
        }
        let model: Arc<_> = self.client.snapshot();
        self.waiting.extend(app.ui(ui, &model, now()));
        self.run_errands();
        if !self.hand_over() {
            ui.ctx().request_repaint_after(BUSY_RETRY);
        }
    }

    fn on_exit(&mut self, _gl: Option<&eframe::glow::Context>) {
        if let Some(app) = &mut self.app {
            self.waiting.extend(app.take_drafts(&self.context));
        }
        self.run_errands();
        if !self.hand_over() {
            tracing::warn!("the last commands were not taken");
        }
    }
}

fn now() -> Moment {
    let since = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    Moment {
        unix_millis: i64::try_from(since.as_millis()).unwrap_or(i64::MAX),
    }
}
