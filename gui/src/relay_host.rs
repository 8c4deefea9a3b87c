//! The relay inside the app: the only file that knows the relay's crate.
//!
//! The first window on a computer hosts a relay on the loopback interface and leaves its invite
//! beside its data; further windows use that one, and one of them takes the hosting over when it
//! ends. A lock file decides, so that a crash leaves nothing behind.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use sotto::{RelayFailure, RelayInfo, RelayKind};
use sotto_net::Invite;
use sotto_relay::{Relay, RelayConfig, SqliteStore, relay_key};
use tokio::sync::{oneshot, watch};

/// How often a window that does not host looks whether the relay has moved.
const NEIGHBOUR_POLL: Duration = Duration::from_secs(2);
/// How soon a failed start of the relay is tried again.
const HOST_RETRY: Duration = Duration::from_secs(5);

/// The computer's own relay, hosted here or by another window.
#[derive(Debug)]
pub(crate) struct RelayHost {
    /// How the relay is doing.
    pub(crate) info: watch::Receiver<RelayInfo>,
    /// How to reach it.
    pub(crate) invite: watch::Receiver<Option<Invite>>,
    end: watch::Sender<bool>,
    thread: Option<JoinHandle<()>>,
}

impl RelayHost {
    /// Starts hosting or finds the host, on a thread of its own. `wake` is called when
    /// [`RelayHost::info`] changed.
    pub(crate) fn start(data_dir: &Path, wake: impl Fn() + Send + 'static) -> io::Result<Self> {
        let (info, info_receiver) = watch::channel(RelayInfo {
            kind: RelayKind::Local,
            invite: None,
        });
        let (invite, invite_receiver) = watch::channel(None);
        let (end, end_receiver) = watch::channel(false);
        let host = Host {
            dir: data_dir.join("relay"),
            info,
            invite,
            end: end_receiver,
            wake: Box::new(wake),
        };
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        let thread = thread::Builder::new()
            .name("relay".to_owned())
            .spawn(move || runtime.block_on(host.run()))?;
        Ok(Self {
            info: info_receiver,
            invite: invite_receiver,
            end,
            thread: Some(thread),
        })
    }
}

impl Drop for RelayHost {
    /// Drains the relay, if it is hosted here, and waits for that.
    fn drop(&mut self) {
        self.end.send_replace(true);
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("the relay's thread panicked");
        }
    }
}

struct Host {
    dir: PathBuf,
    info: watch::Sender<RelayInfo>,
    invite: watch::Sender<Option<Invite>>,
    end: watch::Receiver<bool>,
    wake: Box<dyn Fn() + Send>,
}

/// Why the relay does not run here.
enum HostError {
    /// The folder or its files cannot be used.
    Folder,
    /// Something else holds what the relay needs.
    Other,
}

impl From<io::Error> for HostError {
    fn from(_: io::Error) -> Self {
        Self::Folder
    }
}

impl Host {
    async fn run(mut self) {
        while !*self.end.borrow() {
            let failure = match self.host().await {
                Ok(()) => continue,
                Err(HostError::Folder) => RelayFailure::Folder,
                Err(HostError::Other) => RelayFailure::Other,
            };
            self.tell(RelayKind::Failed(failure), None);
            let mut end = self.end.clone();
            tokio::select! {
                _ = end.wait_for(|end| *end) => {}
                () = tokio::time::sleep(HOST_RETRY) => {}
            }
        }
    }

    /// Waits for its turn, then hosts until the end.
    async fn host(&mut self) -> Result<(), HostError> {
        fs::create_dir_all(&self.dir)?;
        let lock = open_lock(&self.dir)?;
        let _lock = match lock.try_lock() {
            Ok(()) => lock,
            Err(TryLockError::WouldBlock) => match self.wait_for_turn(lock).await? {
                Some(lock) => lock,
                None => return Ok(()),
            },
            Err(TryLockError::Error(error)) => return Err(error.into()),
        };
        let relay = self.spawn().await?;
        let invite = relay.invite();
        write_whole(&self.dir.join("port"), &relay.address().port().to_string())?;
        write_whole(&self.dir.join("invite"), &invite.to_string())?;
        self.tell(RelayKind::Local, Some(invite));
        // An error means that the window is gone.
        drop(self.end.wait_for(|end| *end).await);
        relay.shutdown().await;
        Ok(())
    }

    /// The relay at the port that it had last time, so that other windows and saved invites find
    /// it; at another one if that is taken.
    async fn spawn(&self) -> Result<Relay, HostError> {
        let last = fs::read_to_string(self.dir.join("port")).ok();
        let last = last.and_then(|port| port.trim().parse().ok()).unwrap_or(0);
        let mut ports = vec![last, 0];
        ports.dedup();
        for port in ports {
            let key = relay_key(&self.dir).map_err(|_| HostError::Folder)?;
            let store = SqliteStore::open(&self.dir).map_err(|_| HostError::Folder)?;
            let config = RelayConfig {
                listen: SocketAddr::from((Ipv4Addr::LOCALHOST, port)),
                ..RelayConfig::default()
            };
            match Relay::spawn(config, key, store).await {
                Ok(relay) => return Ok(relay),
                Err(error) => tracing::warn!(%error, "the relay could not listen"),
            }
        }
        Err(HostError::Other)
    }

    /// Uses the relay of the window that hosts, until this window may host or ends (`None`).
    async fn wait_for_turn(&mut self, lock: File) -> Result<Option<File>, HostError> {
        let (sender, mut turn) = oneshot::channel();
        // Waiting for a lock cannot be cut short, so it has a thread of its own; a lock that
        // nobody waits for any more is given back at once.
        thread::Builder::new()
            .name("relay-turn".to_owned())
            .spawn(move || {
                if lock.lock().is_ok() {
                    drop(sender.send(lock));
                }
            })?;
        let mut end = self.end.clone();
        loop {
            let invite = fs::read_to_string(self.dir.join("invite")).ok();
            let invite = invite.and_then(|text| text.parse().ok());
            self.tell(RelayKind::Neighbour, invite);
            tokio::select! {
                _ = end.wait_for(|end| *end) => return Ok(None),
                lock = &mut turn => return lock.map(Some).map_err(|_| HostError::Folder),
                () = tokio::time::sleep(NEIGHBOUR_POLL) => {}
            }
        }
    }

    fn tell(&self, kind: RelayKind, invite: Option<Invite>) {
        let info = RelayInfo {
            kind,
            invite: invite.as_ref().map(Invite::to_string),
        };
        if invite.is_some() {
            self.invite.send_if_modified(|current| {
                let is_new = *current != invite;
                *current = invite;
                is_new
            });
        }
        let is_new = self.info.send_if_modified(|current| {
            let is_new = *current != info;
            *current = info;
            is_new
        });
        if is_new {
            (self.wake)();
        }
    }
}

fn open_lock(dir: &Path) -> io::Result<File> {
    OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .open(dir.join("host.lock"))
}

/// Replaces a small file in one step: a reader sees the old or the new text.
fn write_whole(path: &Path, text: &str) -> io::Result<()> {
    let new = path.with_extension("new");
    fs::write(&new, text)?;
    fs::rename(new, path)
}
