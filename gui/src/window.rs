//! The app in its window, between the client and the files.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use eframe::egui;
use sotto::{App, Errand, Moment, Report};
use sotto_client::identities::IdentityError;
use sotto_client::view::ProfileId;
use sotto_client::{BackupError, Busy, Client, Command, identities, well_known_people};

use crate::RelaySource;
use crate::chooser;
use crate::settings::Settings;
use crate::worker::{Job, Outcome, Worker};

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
            Errand::Restore { from, secret } => {
                let begun = self.worker.restore(from, secret);
                begun
                    .is_err()
                    .then_some(Report::Restored(Err(BackupError::OpenElsewhere)))
            }
            Errand::EndRestore => {
                self.worker.end_restore();
                None
            }
            Errand::Choose(choice) => {
                let waker = self.context.clone();
                if let Err(error) = chooser::choose(choice, move || waker.request_repaint()) {
                    tracing::warn!(%error, "no file can be chosen");
                    self.context.request_repaint();
                }
                None
            }
        }
    }

    /// An identity is on the disk again: it is shown, too.
    fn restored(&mut self, handle: &str) -> ProfileId {
        self.settings.deleted.retain(|it| *it != handle);
        match self.client.add(&identities::person(handle)) {
            Ok(()) | Err(IdentityError::Taken) => {}
            Err(error) => tracing::warn!(%error, "an identity is shown after the next start only"),
        }
        ProfileId::new(handle)
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
        for outcome in outcomes {
            reports.push(match outcome {
                Outcome::Deleted(id, Ok(())) => Report::Deleted(id, Ok(())),
                Outcome::Deleted(id, Err(problem)) => self.stays(id, problem),
                Outcome::Restoring(done, total) => Report::Restoring { done, total },
                Outcome::Restored(outcome) => {
                    Report::Restored(outcome.map(|handle| self.restored(&handle)))
                }
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

    /// Draws a frame, and hands on what the person has asked for.
    fn draw(&mut self, ui: &mut egui::Ui) {
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
}

impl eframe::App for Window {
    fn ui(&mut self, ui: &mut egui::Ui, _frame: &mut eframe::Frame) {
        self.draw(ui);
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

#[cfg(test)]
mod tests {
    use std::path::Path;
    use std::sync::mpsc::{self, Receiver};

    use egui_kittest::Harness;
    use egui_kittest::kittest::{NodeT as _, Queryable as _};
    use sotto::AppOptions;
    use sotto_client::{Argon2Cost, Config, Environment, OpenAtStart};

    use super::*;

    /// Whatever has not happened by then never will.
    const DEADLINE: Duration = Duration::from_mins(2);

    /// The window of somebody who has deleted all identities but Alice's, and what rings whenever
    /// there is something new to be seen.
    fn window(dir: &Path) -> (Window, Receiver<()>) {
        let mut settings = Settings::read(dir);
        settings.deleted = ["bob", "charlie", "diana"].map(ToOwned::to_owned).into();
        let context = egui::Context::default();
        let relay = RelaySource::host(dir, &context).unwrap();
        let config = Config {
            data_dir: dir.to_owned(),
            people: identities::people(dir, &settings.deleted).unwrap(),
            open: OpenAtStart::All,
            relay: relay.invite.clone(),
            passphrase_cost: Argon2Cost::FLOOR,
            environment: Environment::system(),
        };
        let (ring, bell) = mpsc::channel();
        let wake = move || ring.send(()).unwrap_or_default();
        let worker = Worker::start(&config, wake.clone()).unwrap();
        let client = Client::start(&config, wake).unwrap();
        let started = Instant::now();
        let window = Window::new(worker, client, relay, settings, context, started);
        (window, bell)
    }

    fn open<'a>(window: Window, documents: &Path) -> Harness<'a, Window> {
        let documents = documents.to_owned();
        let mut harness = Harness::builder()
            .with_size([1100.0, 720.0])
            .build_ui_state(
                move |ui, window: &mut Window| {
                    if window.app.is_none() {
                        let documents = documents.clone();
                        let look = AppOptions {
                            documents,
                            ..AppOptions::default()
                        };
                        window.put_app(App::new(ui.ctx(), look));
                        return;
                    }
                    window.draw(ui);
                },
                window,
            );
        harness.run_steps(3);
        harness
    }

    fn shows(harness: &Harness<'_, Window>, text: &str) -> bool {
        harness.root().children_recursive().any(|node| {
            let node = node.accesskit_node();
            let texts = [node.label(), node.value()].into_iter().flatten();
            texts.into_iter().any(|found| found.contains(text))
        })
    }

    #[track_caller]
    fn wait_for(harness: &mut Harness<'_, Window>, bell: &Receiver<()>, text: &str) {
        harness.run_steps(3);
        while !shows(harness, text) {
            bell.recv_timeout(DEADLINE).expect(text);
            harness.run_steps(3);
        }
    }

    fn click(harness: &mut Harness<'_, Window>, label: &str) {
        harness.get_by_label(label).click();
        harness.run_steps(4);
    }

    fn type_into(harness: &mut Harness<'_, Window>, label: &str, text: &str) {
        harness.get_by_label(label).focus();
        harness.run_steps(2);
        harness.get_by_label(label).type_text(text);
        harness.run_steps(3);
    }

    fn enter(harness: &mut Harness<'_, Window>) {
        harness.key_press(egui::Key::Enter);
        harness.run_steps(3);
    }

    #[test]
    fn an_identity_comes_back_from_its_backup_after_it_was_deleted() {
        let dir = tempfile::tempdir().unwrap();
        let documents = dir.path().join("documents");
        std::fs::create_dir(&documents).unwrap();
        let (window, bell) = window(dir.path());
        let mut harness = open(window, &documents);
        wait_for(&mut harness, &bell, "Pick a chat");

        click(&mut harness, "Settings");
        click(&mut harness, "Back up identity");
        type_into(&mut harness, "Passphrase of the backup", "seven rivers");
        type_into(
            &mut harness,
            "Repeat passphrase of the backup",
            "seven rivers",
        );
        enter(&mut harness);
        wait_for(&mut harness, &bell, "It was read again, and is whole");
        let mut files = std::fs::read_dir(&documents).unwrap();
        let file = files.next().unwrap().unwrap().path();
        assert!(files.next().is_none() && shows(&harness, file.to_str().unwrap()));
        enter(&mut harness);

        click(&mut harness, "Settings");
        click(&mut harness, "Delete identity");
        type_into(&mut harness, "Type alice to confirm", "alice");
        enter(&mut harness);
        wait_for(&mut harness, &bell, "The identity was deleted");
        assert!(shows(&harness, "There is no identity on this computer"));
        assert_eq!(identities::list(dir.path()).unwrap(), [""; 0]);

        click(&mut harness, "Restore from a backup");
        type_into(&mut harness, "Backup file", file.to_str().unwrap());
        let secret = "Passphrase or recovery code of the backup";
        type_into(&mut harness, secret, "seven river");
        enter(&mut harness);
        wait_for(&mut harness, &bell, "That does not open the backup");
        type_into(&mut harness, secret, "s");
        enter(&mut harness);
        wait_for(&mut harness, &bell, "alice was restored");
        wait_for(&mut harness, &bell, "Your messages are encrypted");
        type_into(&mut harness, "Passphrase", "seven rivers");
        enter(&mut harness);
        wait_for(&mut harness, &bell, "Pick a chat");
        drop(harness);
        // She is not deleted any more, at the next start either.
        let deleted = Settings::read(dir.path()).deleted;
        assert_eq!(deleted, ["bob", "charlie", "diana"]);
    }
}
