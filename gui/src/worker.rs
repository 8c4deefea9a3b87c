//! What takes the disk, in order and on a thread of its own, so that no frame waits for it.

use std::io;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, Receiver, Sender, SyncSender, TrySendError};
use std::thread::{self, JoinHandle};

use sotto_client::identities::{self, IDENTITIES_MAX, IdentityError};
use sotto_client::view::ProfileId;
use sotto_client::{Argon2Cost, BackupError, Closing, Config, Environment, Passphrase};

use crate::settings::Settings;

/// Jobs that may wait: every identity's end, a restoration, and a few changes of the settings.
const JOBS_MAX: usize = IDENTITIES_MAX + 8;

/// Something to do.
#[derive(Debug)]
pub(crate) enum Job {
    /// Keep these settings.
    Keep(Settings),
    /// Keep these settings, and delete the identity once it is closed.
    Delete(ProfileId, Closing, Settings),
    /// Restore an identity from a backup.
    Restore {
        from: PathBuf,
        secret: Passphrase,
        /// Set when it is to be given up.
        is_stopped: Arc<AtomicBool>,
    },
}

/// What has become of a job.
#[derive(Debug)]
pub(crate) enum Outcome {
    /// An identity is gone, or still there.
    Deleted(ProfileId, Result<(), IdentityError>),
    /// So much of so much of a backup is read.
    Restoring(u64, u64),
    /// The identity with this handle is back, or not.
    Restored(Result<String, BackupError>),
}

/// The thread. Dropping it gives a restoration up, does everything else that it was given, and waits
/// for that.
#[derive(Debug)]
pub(crate) struct Worker {
    jobs: Option<SyncSender<Job>>,
    outcomes: Receiver<Outcome>,
    /// Stops the last restoration that was asked for.
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Worker {
    /// Starts the thread; `wake` is called after each outcome.
    pub(crate) fn start(config: &Config, wake: impl Fn() + Send + 'static) -> io::Result<Self> {
        let (jobs, todo) = mpsc::sync_channel(JOBS_MAX);
        let (told, outcomes) = mpsc::channel();
        let desk = Desk {
            data_dir: config.data_dir.clone(),
            cost: config.passphrase_cost,
            environment: config.environment.clone(),
            told,
            wake: Box::new(wake),
        };
        let thread = thread::Builder::new()
            .name("worker".to_owned())
            .spawn(move || todo.into_iter().for_each(|job| desk.work(job)))?;
        Ok(Self {
            jobs: Some(jobs),
            outcomes,
            stop: Arc::default(),
            thread: Some(thread),
        })
    }

    /// Restores an identity.
    pub(crate) fn restore(&mut self, from: PathBuf, secret: Passphrase) -> Result<(), Job> {
        let is_stopped = Arc::new(AtomicBool::new(false));
        self.stop = Arc::clone(&is_stopped);
        self.put(Job::Restore {
            from,
            secret,
            is_stopped,
        })
    }

    /// Gives the restoration up.
    pub(crate) fn end_restore(&self) {
        self.stop.store(true, Ordering::Relaxed);
    }

    /// Hands a job over, unless too many wait; then it is given back.
    pub(crate) fn put(&self, job: Job) -> Result<(), Job> {
        match self.jobs.as_ref().map(|jobs| jobs.try_send(job)) {
            Some(Err(TrySendError::Full(job) | TrySendError::Disconnected(job))) => Err(job),
            _ => Ok(()),
        }
    }

    /// What has become of jobs since the last time.
    pub(crate) fn outcomes(&self) -> impl Iterator<Item = Outcome> {
        self.outcomes.try_iter()
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        self.end_restore();
        self.jobs = None;
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("the worker's thread panicked");
        }
    }
}

/// What the thread works with.
struct Desk {
    data_dir: PathBuf,
    cost: Argon2Cost,
    environment: Environment,
    told: Sender<Outcome>,
    wake: Box<dyn Fn() + Send>,
}

impl Desk {
    fn work(&self, job: Job) {
        match job {
            Job::Keep(settings) => keep(&settings),
            Job::Delete(id, closing, settings) => {
                // Known before it is gone, so that a crash in between brings nobody back.
                keep(&settings);
                closing.wait();
                let outcome = delete(&self.data_dir, &id);
                self.tell(Outcome::Deleted(id, outcome));
            }
            Job::Restore {
                from,
                secret,
                is_stopped,
            } => {
                let outcome = self.restore(&from, &secret, &is_stopped);
                self.tell(Outcome::Restored(outcome));
            }
        }
    }

    fn restore(
        &self,
        from: &Path,
        secret: &str,
        is_stopped: &AtomicBool,
    ) -> Result<String, BackupError> {
        let mut shown = None;
        let progress = |done: u64, total: u64| {
            // A frame for each part of a hundred is enough.
            let percent = done.saturating_mul(100).checked_div(total);
            if shown != percent {
                shown = percent;
                self.tell(Outcome::Restoring(done, total));
            }
            if is_stopped.load(Ordering::Relaxed) {
                ControlFlow::Break(())
            } else {
                ControlFlow::Continue(())
            }
        };
        let (data_dir, cost) = (&self.data_dir, self.cost);
        sotto_client::restore(data_dir, from, secret, cost, &self.environment, progress)
    }

    fn tell(&self, outcome: Outcome) {
        // Nobody may be there to hear it any more.
        drop(self.told.send(outcome));
        (self.wake)();
    }
}

fn keep(settings: &Settings) {
    if let Err(error) = settings.write() {
        tracing::warn!(%error, "the settings were not kept");
    }
}

fn delete(data_dir: &Path, id: &ProfileId) -> Result<(), IdentityError> {
    match identities::delete(data_dir, id.as_str()) {
        // It was never made.
        Err(IdentityError::Missing) => Ok(()),
        outcome => outcome,
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use sotto_client::view::{JobState, ProfileState, ProfileView};
    use sotto_client::{Client, Command, OpenAtStart};
    use sotto_net::Invite;
    use tokio::sync::watch;

    use super::*;

    /// Whatever has not happened by then never will.
    const DEADLINE: Duration = Duration::from_mins(1);

    fn config(dir: &Path, relay: watch::Receiver<Option<Invite>>) -> Config {
        Config {
            data_dir: dir.to_owned(),
            people: vec![identities::person("diana")],
            open: OpenAtStart::All,
            relay,
            passphrase_cost: Argon2Cost::FLOOR,
            environment: Environment::system(),
        }
    }

    /// Waits until Diana's profile is like this.
    #[track_caller]
    fn wait_for(client: &Client, bell: &Receiver<()>, is_wanted: impl Fn(&ProfileView) -> bool) {
        let diana = ProfileId::new("diana");
        while !client
            .snapshot()
            .profile(&diana)
            .is_some_and(|it| is_wanted(it))
        {
            bell.recv_timeout(DEADLINE).expect("a change");
        }
    }

    #[test]
    fn an_identity_is_deleted_in_the_background_and_does_not_come_back() {
        let dir = tempfile::tempdir().unwrap();
        let (_relay, relay) = watch::channel(None);
        let config = config(dir.path(), relay);
        let (ring, bell) = mpsc::channel();
        let ring_again = ring.clone();
        let wake = move || ring.send(()).unwrap_or_default();
        let mut client = Client::start(&config, wake).unwrap();
        let diana = ProfileId::new("diana");
        wait_for(&client, &bell, |it| it.state == ProfileState::Ready);
        let wake = move || ring_again.send(()).unwrap_or_default();
        let worker = Worker::start(&config, wake).unwrap();
        let mut settings = Settings::read(dir.path());
        settings.deleted.push("diana".to_owned());
        let closing = client.remove(&diana);
        let job = Job::Delete(diana.clone(), closing, settings);
        assert!(worker.put(job).is_ok());
        let outcome = loop {
            if let Some(outcome) = worker.outcomes().next() {
                break outcome;
            }
            bell.recv_timeout(DEADLINE).expect("an outcome");
        };
        assert!(matches!(outcome, Outcome::Deleted(id, Ok(())) if id == diana));
        assert!(identities::list(dir.path()).unwrap().is_empty());
        let settings = Settings::read(dir.path());
        let people = identities::people(dir.path(), &settings.deleted).unwrap();
        let handles: Vec<_> = people.iter().map(|person| &*person.handle).collect();
        assert_eq!(handles, ["alice", "bob", "charlie"]);
    }

    #[test]
    fn a_restoration_can_be_given_up_and_tells_of_each_part_of_a_hundred_once() {
        let dir = tempfile::tempdir().unwrap();
        let (_relay, relay) = watch::channel(None);
        let config = config(&dir.path().join("one"), relay);
        let (ring, bell) = mpsc::channel();
        let client = Client::start(&config, move || ring.send(()).unwrap_or_default()).unwrap();
        wait_for(&client, &bell, |it| it.state == ProfileState::Ready);
        let file = dir.path().join("diana.sotto");
        let secret = "seven rivers";
        let command = Command::BackUp {
            to: file.clone(),
            replaces: false,
            passphrase: Passphrase::new(secret.to_owned()),
            code: None,
        };
        client.send(&ProfileId::new("diana"), command).unwrap();
        wait_for(&client, &bell, |it| {
            let job = it.job.as_ref();
            job.is_some_and(|job| matches!(job.state, JobState::Done { .. }))
        });
        let (told, outcomes) = mpsc::channel();
        let desk = Desk {
            data_dir: dir.path().join("two"),
            cost: config.passphrase_cost,
            environment: config.environment.clone(),
            told,
            wake: Box::new(|| {}),
        };
        let restore = |is_stopped| desk.restore(&file, secret, &AtomicBool::new(is_stopped));
        assert_eq!(restore(true), Err(BackupError::Cancelled));
        assert_eq!(identities::list(&desk.data_dir).unwrap(), [""; 0]);
        assert_eq!(outcomes.try_iter().count(), 1);
        assert_eq!(restore(false).as_deref(), Ok("diana"));
        let percents: Vec<_> = outcomes
            .try_iter()
            .filter_map(|outcome| match outcome {
                Outcome::Restoring(done, total) => Some(done * 100 / total),
                _ => None,
            })
            .collect();
        assert!(percents.is_sorted_by(|a, b| a < b), "{percents:?}");
        assert_eq!(percents.last(), Some(&100));
    }

    #[test]
    fn what_was_given_is_done_before_the_worker_ends() {
        let dir = tempfile::tempdir().unwrap();
        let (_relay, relay) = watch::channel(None);
        let worker = Worker::start(&config(dir.path(), relay), || {}).unwrap();
        let mut settings = Settings::read(dir.path());
        settings.lock_after = Some(Duration::from_mins(5));
        assert!(worker.put(Job::Keep(settings.clone())).is_ok());
        drop(worker);
        assert_eq!(Settings::read(dir.path()), settings);
    }
}
