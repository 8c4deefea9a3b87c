//! What takes the disk, in order and on a thread of its own, so that no frame waits for it.

use std::io;
use std::path::PathBuf;
use std::sync::mpsc::{self, Receiver, SyncSender, TrySendError};
use std::thread::{self, JoinHandle};

use sotto_client::Closing;
use sotto_client::identities::{self, IDENTITIES_MAX, IdentityError};
use sotto_client::view::ProfileId;

use crate::settings::Settings;

/// Jobs that may wait: every identity's end, and a few changes of the settings.
const JOBS_MAX: usize = IDENTITIES_MAX + 8;

/// Something to do.
#[derive(Debug)]
pub(crate) enum Job {
    /// Keep these settings.
    Keep(Settings),
    /// Keep these settings, and delete the identity once it is closed.
    Delete(ProfileId, Closing, Settings),
}

/// An identity is gone, or still there.
pub(crate) type Outcome = (ProfileId, Result<(), IdentityError>);

/// The thread. Dropping it does what it was given, and waits for that.
#[derive(Debug)]
pub(crate) struct Worker {
    jobs: Option<SyncSender<Job>>,
    outcomes: Receiver<Outcome>,
    thread: Option<JoinHandle<()>>,
}

impl Worker {
    /// Starts the thread; `wake` is called after each outcome.
    pub(crate) fn start(data_dir: PathBuf, wake: impl Fn() + Send + 'static) -> io::Result<Self> {
        let (jobs, todo) = mpsc::sync_channel(JOBS_MAX);
        let (told, outcomes) = mpsc::channel();
        let thread = thread::Builder::new()
            .name("worker".to_owned())
            .spawn(move || {
                for job in todo {
                    match job {
                        Job::Keep(settings) => keep(&settings),
                        Job::Delete(id, closing, settings) => {
                            // Known before it is gone, so that a crash in between brings nobody back.
                            keep(&settings);
                            closing.wait();
                            let outcome = delete(&data_dir, &id);
                            // Nobody may be there to hear it any more.
                            drop(told.send((id, outcome)));
                            wake();
                        }
                    }
                }
            })?;
        Ok(Self {
            jobs: Some(jobs),
            outcomes,
            thread: Some(thread),
        })
    }

    /// Hands a job over, unless too many wait; then it is given back.
    pub(crate) fn put(&self, job: Job) -> Result<(), Job> {
        match self.jobs.as_ref().map(|jobs| jobs.try_send(job)) {
            Some(Err(TrySendError::Full(job) | TrySendError::Disconnected(job))) => Err(job),
            _ => Ok(()),
        }
    }

    /// What became of the identities that were to be deleted, since the last time.
    pub(crate) fn outcomes(&self) -> impl Iterator<Item = Outcome> {
        self.outcomes.try_iter()
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        self.jobs = None;
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("the worker's thread panicked");
        }
    }
}

fn keep(settings: &Settings) {
    if let Err(error) = settings.write() {
        tracing::warn!(%error, "the settings were not kept");
    }
}

fn delete(data_dir: &std::path::Path, id: &ProfileId) -> Result<(), IdentityError> {
    match identities::delete(data_dir, id.as_str()) {
        // It was never made.
        Err(IdentityError::Missing) => Ok(()),
        outcome => outcome,
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use sotto_client::view::ProfileState;
    use sotto_client::{Argon2Cost, Client, Config, Environment, OpenAtStart};
    use tokio::sync::watch;

    use super::*;

    /// Whatever has not happened by then never will.
    const DEADLINE: Duration = Duration::from_mins(1);

    #[test]
    fn an_identity_is_deleted_in_the_background_and_does_not_come_back() {
        let dir = tempfile::tempdir().unwrap();
        let (_relay, relay) = watch::channel(None);
        let config = Config {
            data_dir: dir.path().to_owned(),
            people: vec![identities::person("diana")],
            open: OpenAtStart::All,
            relay,
            passphrase_cost: Argon2Cost::FLOOR,
            environment: Environment::system(),
        };
        let (ring, bell) = mpsc::channel();
        let ring_again = ring.clone();
        let wake = move || ring.send(()).unwrap_or_default();
        let mut client = Client::start(&config, wake).unwrap();
        let diana = ProfileId::new("diana");
        let is_ready = |client: &Client| {
            let model = client.snapshot();
            let profile = model.profile(&diana);
            profile.is_some_and(|profile| profile.state == ProfileState::Ready)
        };
        while !is_ready(&client) {
            bell.recv_timeout(DEADLINE).expect("Diana is being made");
        }
        let wake = move || ring_again.send(()).unwrap_or_default();
        let worker = Worker::start(dir.path().to_owned(), wake).unwrap();
        let mut settings = Settings::read(dir.path());
        settings.deleted.push("diana".to_owned());
        let closing = client.remove(&diana);
        let job = Job::Delete(diana.clone(), closing, settings);
        assert!(worker.put(job).is_ok());
        let (id, outcome) = loop {
            if let Some(outcome) = worker.outcomes().next() {
                break outcome;
            }
            bell.recv_timeout(DEADLINE).expect("an outcome");
        };
        assert_eq!(id, diana);
        outcome.unwrap();
        assert!(identities::list(dir.path()).unwrap().is_empty());
        let settings = Settings::read(dir.path());
        let people = identities::people(dir.path(), &settings.deleted).unwrap();
        let handles: Vec<_> = people.iter().map(|person| &*person.handle).collect();
        assert_eq!(handles, ["alice", "bob", "charlie"]);
    }

    #[test]
    fn what_was_given_is_done_before_the_worker_ends() {
        let dir = tempfile::tempdir().unwrap();
        let worker = Worker::start(dir.path().to_owned(), || {}).unwrap();
        let mut settings = Settings::read(dir.path());
        settings.lock_after = Some(Duration::from_mins(5));
        assert!(worker.put(Job::Keep(settings.clone())).is_ok());
        drop(worker);
        assert_eq!(Settings::read(dir.path()), settings);
    }
}
