//! A backup or an export on its way: on a thread of its own, beside everything else.

use std::ops::ControlFlow;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use jiff::tz::TimeZone;
use tokio::sync::watch;
use tokio::task::{JoinHandle, spawn_blocking};

use super::Engine;
use crate::backup::BackupError;
use crate::command::Command;
use crate::vault::{Export, Progress, Protection, Reader, Target};
use crate::view::{ChatId, ExportFormat, Job, JobKind, JobState};

/// Work on a thread, or what became of it.
pub(super) struct Work {
    view: Job,
    running: Option<Running>,
}

struct Running {
    thread: JoinHandle<Result<u64, BackupError>>,
    progress: watch::Receiver<(u64, u64)>,
    is_stopped: Arc<AtomicBool>,
}

impl Work {
    fn start(
        kind: JobKind,
        to: PathBuf,
        work: impl FnOnce(&mut Progress<'_>) -> Result<u64, BackupError> + Send + 'static,
    ) -> Self {
        let (done, total) = (0, 0);
        let (report, progress) = watch::channel((done, total));
        let is_stopped = Arc::new(AtomicBool::new(false));
        let stopped = Arc::clone(&is_stopped);
        let thread = spawn_blocking(move || {
            work(&mut |done, total| {
                report.send_replace((done, total));
                if stopped.load(Ordering::Relaxed) {
                    ControlFlow::Break(())
                } else {
                    ControlFlow::Continue(())
                }
            })
        });
        let state = JobState::Running { done, total };
        Self {
            view: Job { kind, to, state },
            running: Some(Running {
                thread,
                progress,
                is_stopped,
            }),
        }
    }

    pub(super) fn is_running(&self) -> bool {
        self.running.is_some()
    }

    pub(super) fn view(&self) -> Job {
        self.view.clone()
    }

    /// Waits until it looks different; for ever once it has ended. Cancelling loses nothing.
    pub(super) async fn changed(&mut self) {
        let Some(running) = &mut self.running else {
            return std::future::pending().await;
        };
        if running.progress.changed().await.is_ok() {
            let (done, total) = *running.progress.borrow_and_update();
            self.view.state = JobState::Running { done, total };
            return;
        }
        // The other end is gone: the thread has ended or is about to.
        let ended = (&mut running.thread).await;
        self.running = None;
        self.view.state = match ended {
            Ok(Ok(bytes)) => JobState::Done { bytes },
            Ok(Err(error)) => {
                tracing::warn!(%error, "a file was not written");
                JobState::Failed(error)
            }
            Err(_) => {
                tracing::error!("the thread of a backup or an export panicked");
                JobState::Failed(BackupError::Vault)
            }
        };
    }

    fn stop(&self) {
        if let Some(running) = &self.running {
            running.is_stopped.store(true, Ordering::Relaxed);
        }
    }

    /// Has it stopped, and waits for that.
    pub(super) async fn end(mut self) {
        self.stop();
        while self.is_running() {
            self.changed().await;
        }
    }
}

impl Engine<'_> {
    pub(super) fn is_working(&self) -> bool {
        self.work.as_ref().is_some_and(Work::is_running)
    }

    /// Begins a job, or ends it.
    pub(super) fn job(&mut self, command: Command) {
        match command {
            Command::BackUp {
                to: path,
                replaces,
                passphrase,
                code,
            } => {
                let protection = Protection {
                    passphrase,
                    code,
                    cost: self.profile.passphrase_cost,
                };
                self.back_up(Target { path, replaces }, protection);
            }
            Command::Export {
                chat,
                format,
                zone,
                to: path,
                replaces,
            } => self.export(chat, format, zone, Target { path, replaces }),
            _ => self.end_job(),
        }
    }

    fn back_up(&mut self, target: Target, protection: Protection) {
        let handle = self.core.person().handle.clone();
        let mut rng = self.profile.environment.rng();
        self.start(JobKind::Backup, target, move |reader, target, progress| {
            reader.back_up(&handle, target, &protection, &mut rng, progress)
        });
    }

    fn export(&mut self, chat: ChatId, format: ExportFormat, zone: TimeZone, target: Target) {
        let Some(name) = self.core.name(chat) else {
            return;
        };
        let person = self.core.person();
        let export = Export {
            chat,
            format,
            zone,
            own: (person.handle.clone(), person.name.clone()),
            peer: (self.core.peer(chat), name.to_owned()),
        };
        self.start(JobKind::Export, target, move |reader, target, progress| {
            reader.export(&export, target, progress)
        });
    }

    /// Starts it, unless something is on its way: that has to be ended first.
    fn start(
        &mut self,
        kind: JobKind,
        target: Target,
        work: impl FnOnce(&Reader, &Target, &mut Progress<'_>) -> Result<u64, BackupError>
        + Send
        + 'static,
    ) {
        if self.is_working() {
            return;
        }
        let reader = self.vault.reader();
        let to = target.path.clone();
        let work = Work::start(kind, to, move |progress| work(&reader, &target, progress));
        self.work = Some(work);
        self.screen.touch();
    }

    /// Has what is on its way stopped, or puts away what became of it.
    fn end_job(&mut self) {
        match &self.work {
            Some(work) if work.is_running() => work.stop(),
            _ => self.work = None,
        }
        self.screen.touch();
    }
}

/// Waits until the work, if there is any, looks different.
pub(super) async fn changed(work: &mut Option<Work>) {
    match work {
        Some(work) => work.changed().await,
        None => std::future::pending().await,
    }
}
