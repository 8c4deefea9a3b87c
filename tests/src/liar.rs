//! A hostile relay: real QUIC, a key of its own, and whatever a test makes it say.

use std::collections::HashMap;
use std::fmt;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, mpsc};
use std::time::{Duration, Instant};

use bytes::Bytes;
use sotto_net::frame::{FRAME_BYTES_MAX, FrameReader};
use sotto_net::quic::{self, Connection, Endpoint, RecvStream};
use sotto_net::wire::{ClientFrame, DeviceKey, Login};
use sotto_net::{CertificateSlot, Invite, RelayKey};
use tokio::runtime::Runtime;
use tokio::sync::Notify;

use crate::ledger::{Ledger, Said};
use crate::words::{Stream, Words, write};

/// Whatever has not happened by then never will.
const DEADLINE: Duration = Duration::from_mins(1);

/// What becomes of a request after a test has looked at it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Conduct {
    /// It is answered as an honest relay would.
    Honest,
    /// It is forgotten.
    Silent,
}

type Lie = dyn FnMut(&mut Ledger, &ClientFrame, &mut Words) -> Conduct + Send;

/// A relay that is honest until it is told to lie.
#[derive(Debug)]
pub struct Liar {
    address: SocketAddr,
    invite: Invite,
    court: Arc<Court>,
    runtime: Option<Runtime>,
}

#[derive(Debug)]
struct Court {
    state: Mutex<State>,
    /// A connection came or went, or a request was heard.
    changed: Condvar,
    reads_again: Notify,
}

struct State {
    ledger: Ledger,
    lie: Option<Box<Lie>>,
    is_silent: bool,
    guests: HashMap<DeviceKey, Guest>,
    logins: Vec<(Instant, Login)>,
    is_deaf: bool,
}

impl fmt::Debug for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("State")
            .field("ledger", &self.ledger)
            .field("logins", &self.logins)
            .finish_non_exhaustive()
    }
}

/// A client that is connected.
struct Guest {
    words: Words,
    connection: Connection,
}

impl Liar {
    /// At a free port, with a new key.
    ///
    /// # Panics
    /// When the system gives neither thread nor socket.
    pub fn start() -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .expect("a runtime");
        let key = RelayKey::generate().expect("a key");
        let endpoint = {
            let _inside = runtime.enter();
            quic::listen(
                (Ipv4Addr::LOCALHOST, 0).into(),
                &key,
                &CertificateSlot::default(),
            )
            .expect("a socket")
        };
        let address = endpoint.local_addr().expect("an address");
        let court = Arc::new(Court {
            state: Mutex::new(State {
                ledger: Ledger::new(),
                lie: None,
                is_silent: false,
                guests: HashMap::new(),
                logins: Vec::new(),
                is_deaf: false,
            }),
            changed: Condvar::new(),
            reads_again: Notify::new(),
        });
        runtime.spawn(accept(endpoint, Arc::clone(&court)));
        Self {
            address,
            invite: Invite::to(address, key.pin()),
            court,
            runtime: Some(runtime),
        }
    }

    /// How to reach it.
    pub fn invite(&self) -> Invite {
        self.invite.clone()
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// From now on each request goes through `lie` first.
    pub fn lie(
        &self,
        lie: impl FnMut(&mut Ledger, &ClientFrame, &mut Words) -> Conduct + Send + 'static,
    ) {
        self.court.lock().lie = Some(Box::new(lie));
    }

    /// Answers no more logins.
    pub fn be_silent(&self) {
        self.court.lock().is_silent = true;
    }

    /// Back to the truth, for requests to come.
    pub fn be_honest(&self) {
        let mut state = self.court.lock();
        state.lie = None;
        state.is_silent = false;
        state.is_deaf = false;
        drop(state);
        self.court.reads_again.notify_waiters();
    }

    /// Reads no more requests.
    pub fn be_deaf(&self) {
        self.court.lock().is_deaf = true;
    }

    /// Looks at, or changes, what it knows.
    pub fn ledger<T>(&self, look: impl FnOnce(&mut Ledger) -> T) -> T {
        look(&mut self.court.lock().ledger)
    }

    /// Every login so far, and when it came.
    pub fn logins(&self) -> Vec<(Instant, Login)> {
        self.court.lock().logins.clone()
    }

    /// What the client with this handle is told, once it is connected.
    pub fn words(&self, handle: &str) -> Words {
        self.wait(&format!("{handle} to connect"), |state| {
            let device = state.ledger.device(handle)?;
            Some(state.guests.get(&device)?.words.clone())
        })
    }

    /// Says something again and again; gives how often it was said in full before the client hung
    /// up.
    ///
    /// # Panics
    /// When the client takes neither all of it nor leave.
    pub fn flood(&self, handle: &str, stream: Stream, bytes: Bytes, times: u64) -> u64 {
        let (sender, written) = mpsc::channel();
        self.words(handle)
            .put(stream, bytes, times, false, Some(sender));
        written.recv_timeout(DEADLINE).unwrap_or_else(|error| {
            assert_eq!(error, mpsc::RecvTimeoutError::Disconnected, "the flood");
            0
        })
    }

    /// Ends the connection of a client without a word.
    pub fn hang_up(&self, handle: &str) {
        self.words(handle);
        let mut state = self.court.lock();
        if let Some(device) = state.ledger.device(handle)
            && let Some(guest) = state.guests.remove(&device)
        {
            guest.connection.close(0u32.into(), b"");
        }
    }

    /// Waits until so many logins came in all.
    pub fn wait_logins(&self, count: usize) {
        self.wait(&format!("{count} logins"), |state| {
            (state.logins.len() >= count).then_some(())
        });
    }

    /// # Panics
    /// When it does not happen in time.
    fn wait<T>(&self, what: &str, mut look: impl FnMut(&State) -> Option<T>) -> T {
        let until = Instant::now() + DEADLINE;
        let mut state = self.court.lock();
        loop {
            if let Some(found) = look(&state) {
                return found;
            }
            let left = until.saturating_duration_since(Instant::now());
            assert!(!left.is_zero(), "never seen: {what}. Instead: {state:?}");
            let waited = self.court.changed.wait_timeout(state, left);
            state = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
    }
}

impl Drop for Liar {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

impl Court {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A request: the lie first, then perhaps the truth.
    fn hear(&self, from: DeviceKey, frame: ClientFrame, words: &mut Words) {
        let mut state = self.lock();
        let state = &mut *state;
        let conduct = match &mut state.lie {
            Some(lie) => lie(&mut state.ledger, &frame, words),
            None => Conduct::Honest,
        };
        if conduct == Conduct::Honest {
            for (device, said) in state.ledger.answer(from, frame) {
                match (device, said) {
                    (Some(device), said) => {
                        if let Some(guest) = state.guests.get(&device) {
                            guest.words.pass(said);
                        }
                    }
                    (None, Said::Reply(news)) => {
                        for guest in state.guests.values() {
                            guest.words.reply(news.clone());
                        }
                    }
                    (None, Said::Delivery(_)) => {}
                }
            }
        }
        self.changed.notify_all();
    }
}

async fn accept(endpoint: Endpoint, court: Arc<Court>) {
    while let Some(incoming) = endpoint.accept().await {
        let court = Arc::clone(&court);
        tokio::spawn(async move {
            if let Ok(connection) = incoming.await {
                // A client that leaves ends its connection, and nothing else.
                let _left = receive(&connection, &court).await;
            }
        });
    }
}

/// The life of one connection.
async fn receive(connection: &Connection, court: &Court) -> Option<()> {
    let (replies, requests) = connection.accept_bi().await.ok()?;
    let mut requests = FrameReader::<ClientFrame, _>::new(requests, FRAME_BYTES_MAX);
    let Some(ClientFrame::Login(login)) = requests.next().await.ok()? else {
        return None;
    };
    let device = login.device;
    let deliveries = connection.open_uni().await.ok()?;
    let (mut words, to_control, to_delivery) = Words::new();
    {
        let mut state = court.lock();
        state.logins.push((Instant::now(), login.clone()));
        if !state.is_silent {
            for said in state.ledger.log_in(&login) {
                words.pass(said);
            }
        }
        let guest = Guest {
            words: words.clone(),
            connection: connection.clone(),
        };
        state.guests.insert(device, guest);
        court.changed.notify_all();
    }
    tokio::spawn(write(replies, to_control));
    tokio::spawn(write(deliveries, to_delivery));
    let connection = connection.stable_id();
    listen(&mut requests, device, connection, court, &mut words).await
}

async fn listen(
    requests: &mut FrameReader<ClientFrame, RecvStream>,
    device: DeviceKey,
    connection: usize,
    court: &Court,
    words: &mut Words,
) -> Option<()> {
    loop {
        let reads_again = court.reads_again.notified();
        if court.lock().is_deaf {
            reads_again.await;
            continue;
        }
        let frame = requests.next().await.ok()??;
        // A device has one connection: what is left in an older one is not heard.
        let is_current = court.lock().guests.get(&device)?.connection.stable_id() == connection;
        if !is_current {
            return None;
        }
        court.hear(device, frame, words);
    }
}
