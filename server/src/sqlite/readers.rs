//! Connections that only read, off the async threads.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rusqlite::Connection;
use tokio::sync::Semaphore;

use super::{Failure, schema};
use crate::store::Declined;

/// Reads that go on at once: as many as a small machine has cores to serve them.
const READERS_MAX: usize = 4;

/// Connections that only read.
#[derive(Debug)]
pub(super) struct Readers {
    path: PathBuf,
    /// Reads hold up whoever asks, instead of a blocking thread.
    is_here: bool,
    turns: Semaphore,
    idle: Mutex<Vec<Connection>>,
}

impl Readers {
    pub(super) fn new(path: PathBuf, is_here: bool) -> Self {
        Self {
            path,
            is_here,
            turns: Semaphore::new(READERS_MAX),
            idle: Mutex::new(Vec::new()),
        }
    }

    /// Carries out a read, as a rule on a blocking thread.
    pub(super) async fn run<T: Send + 'static>(
        self: &Arc<Self>,
        read: impl FnOnce(&Connection) -> Result<T, Failure> + Send + 'static,
    ) -> Result<T, Declined> {
        let _turn = self
            .turns
            .acquire()
            .await
            .map_err(|_| Declined::Unavailable)?;
        let outcome = if self.is_here {
            self.read(read)
        } else {
            let readers = Arc::clone(self);
            tokio::task::spawn_blocking(move || readers.read(read))
                .await
                .map_err(|_| Declined::Unavailable)?
        };
        outcome.map_err(Failure::into_declined)
    }

    fn read<T>(&self, read: impl FnOnce(&Connection) -> Result<T, Failure>) -> Result<T, Failure> {
        let connection = self.take()?;
        let outcome = read(&connection);
        self.idle().push(connection);
        outcome
    }

    fn take(&self) -> Result<Connection, Failure> {
        let idle = self.idle().pop();
        match idle {
            Some(connection) => Ok(connection),
            None => Ok(schema::open_to_read(&self.path)?),
        }
    }

    fn idle(&self) -> MutexGuard<'_, Vec<Connection>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
