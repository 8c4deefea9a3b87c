//! A running relay: accepts, caps, drains.

use std::collections::HashMap;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use sotto_net::quic::{self, CloseCode, Endpoint, Incoming};
use sotto_net::{Invite, InviteError, RelayKey, RelayPin};
use thiserror::Error;
use tokio::sync::{Semaphore, watch};
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::{interval, timeout};

use crate::config::RelayConfig;
use crate::connection::{now_secs, serve};
use crate::hub::Hub;
use crate::rates::{Rates, site};
use crate::store::{Declined, Store};

/// How long a drain may take.
const DRAIN_TIME: Duration = Duration::from_secs(5);
/// How often buckets that are full again are forgotten.
const TIDY_INTERVAL: Duration = Duration::from_mins(1);
/// How often old envelopes are looked for.
const EXPIRY_INTERVAL: Duration = Duration::from_hours(1);

/// Why a relay does not start.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum SpawnError {
    /// The address is in use.
    #[error("{0} is in use")]
    AddressInUse(SocketAddr),
    /// The address cannot be listened on.
    #[error("cannot listen on {0}")]
    Listen(SocketAddr, #[source] io::Error),
    /// The public name is no host name.
    #[error("the public name is no host name")]
    PublicName(#[from] InviteError),
    /// The store did not take the seeded handles.
    #[error("the store cannot be written")]
    Store(#[from] Declined),
}

/// What all connections of a relay share.
#[derive(Debug)]
pub(crate) struct Shared<S> {
    pub(crate) config: RelayConfig,
    pub(crate) pin: RelayPin,
    pub(crate) store: Arc<S>,
    pub(crate) hub: Arc<Hub>,
    pub(crate) rates: Rates,
    /// Becomes true when the relay goes away.
    pub(crate) end: watch::Receiver<bool>,
}

/// A relay. Dropping it ends every task without a goodbye; what was acknowledged stays.
#[derive(Debug)]
pub struct Relay {
    address: SocketAddr,
    pin: RelayPin,
    invite: Invite,
    end: watch::Sender<bool>,
    tasks: Option<JoinHandle<()>>,
    endpoint: Endpoint,
}

impl Relay {
    /// Starts a relay within the current tokio runtime.
    ///
    /// # Errors
    /// See [`SpawnError`].
    pub async fn spawn<S: Store>(
        config: RelayConfig,
        key: RelayKey,
        store: S,
    ) -> Result<Self, SpawnError> {
        let listen = config.listen;
        let endpoint = quic::listen(listen, &key).map_err(|error| match error.kind() {
            io::ErrorKind::AddrInUse => SpawnError::AddressInUse(listen),
            _ => SpawnError::Listen(listen, error),
        })?;
        let address = endpoint
            .local_addr()
            .map_err(|error| SpawnError::Listen(listen, error))?;
        let pin = key.pin();
        let invite = match &config.public_name {
            Some(name) => Invite::to_host(name, address.port(), pin)?,
            None => Invite::to(reachable(address), pin),
        };
        store.seed(config.seeds.clone()).await.await?;
        let hub = Arc::new(Hub::new(config.roster));
        let events = Arc::clone(&hub);
        store.watch(Box::new(move |event| events.on_event(event)));
        let (end, end_receiver) = watch::channel(false);
        let shared = Arc::new(Shared {
            rates: Rates::new(&config.limits),
            config,
            pin,
            store: Arc::new(store),
            hub,
            end: end_receiver,
        });
        let tasks = tokio::spawn(run(shared, endpoint.clone()));
        Ok(Self {
            address,
            pin,
            invite,
            end,
            tasks: Some(tasks),
            endpoint,
        })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The pin by which clients know it.
    pub fn pin(&self) -> RelayPin {
        self.pin
    }

    /// Address and pin as a link. Listening on all interfaces, it names the address under which
    /// this machine reaches others.
    pub fn invite(&self) -> Invite {
        self.invite.clone()
    }

    /// Drains: accepts nobody any more, commits and answers what was taken, says goodbye with
    /// spread-out times to come back, and closes.
    pub async fn shutdown(mut self) {
        self.endpoint.set_server_config(None);
        self.end.send_replace(true);
        if let Some(tasks) = self.tasks.take()
            && timeout(DRAIN_TIME, tasks).await.is_err()
        {
            tracing::warn!("not everybody took the goodbye in time");
        }
        self.endpoint.close(CloseCode::GoingAway.into(), b"");
        if timeout(DRAIN_TIME, self.endpoint.wait_idle())
            .await
            .is_err()
        {
            tracing::warn!("not every connection closed in time");
        }
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        if let Some(tasks) = self.tasks.take() {
            tasks.abort();
            self.endpoint.close(CloseCode::Bye.into(), b"");
        }
    }
}

/// Accepts connections and keeps the store tidy until the relay goes away; then waits for the
/// connections to end.
async fn run<S: Store>(shared: Arc<Shared<S>>, endpoint: Endpoint) {
    let mut connections = JoinSet::new();
    let mut expiry = interval(EXPIRY_INTERVAL);
    let mut tidying = interval(TIDY_INTERVAL);
    let mut end = shared.end.clone();
    let gate = Gate::new(&shared);
    loop {
        tokio::select! {
            () = ended(&mut end) => break,
            incoming = endpoint.accept() => match incoming {
                Some(incoming) => gate.admit(&shared, incoming, &mut connections),
                None => break,
            },
            Some(ended) = connections.join_next() => {
                // A panic ends its own connection only.
                if ended.is_err_and(|error| error.is_panic()) {
                    tracing::error!("a connection's task panicked");
                }
            }
            _ = expiry.tick() => expire(&shared).await,
            _ = tidying.tick() => shared.rates.tidy(),
        }
    }
    while connections.join_next().await.is_some() {}
}

/// Waits until the relay goes away.
async fn ended(end: &mut watch::Receiver<bool>) {
    // A `Relay` that was dropped without a word has ended just as well.
    drop(end.wait_for(|end| *end).await);
}

async fn expire<S: Store>(shared: &Shared<S>) {
    let age = shared.config.limits.envelope_age.as_secs();
    let before = now_secs().saturating_sub(age);
    loop {
        match shared.store.expire(before).await.await {
            Ok(0) => return,
            Ok(expired) => tracing::warn!(expired, "envelopes were never fetched"),
            Err(error) => return tracing::warn!(%error, "old envelopes stay"),
        }
    }
}

/// Who may connect: so many in all, from one address, and before login.
struct Gate {
    connections: Arc<Semaphore>,
    strangers: Arc<Semaphore>,
    strangers_max: usize,
    per_address: Arc<Mutex<HashMap<IpAddr, usize>>>,
}

impl Gate {
    fn new<S>(shared: &Shared<S>) -> Self {
        let limits = &shared.config.limits;
        Self {
            connections: Arc::new(Semaphore::new(limits.connections)),
            strangers: Arc::new(Semaphore::new(limits.strangers)),
            strangers_max: limits.strangers,
            per_address: Arc::default(),
        }
    }

    fn admit<S: Store>(
        &self,
        shared: &Arc<Shared<S>>,
        incoming: Incoming,
        connections: &mut JoinSet<()>,
    ) {
        let limits = &shared.config.limits;
        let site = site(incoming.remote_address().ip());
        let is_validated = incoming.remote_address_validated();
        let is_often = shared
            .rates
            .connections
            .take(&(site, is_validated), 1)
            .is_err();
        let waiting = self.strangers_max - self.strangers.available_permits();
        let is_crowded = waiting >= limits.strangers_before_retry;
        if !is_validated && (is_often || is_crowded) && incoming.may_retry() {
            // It fails only if it is not allowed, which was just asked.
            drop(incoming.retry());
            return;
        }
        if is_often || (is_crowded && !is_validated) {
            incoming.refuse();
            return;
        }
        let seat = Seat::take(&self.per_address, site, limits.connections_per_address);
        let permits = (
            Arc::clone(&self.connections).try_acquire_owned(),
            Arc::clone(&self.strangers).try_acquire_owned(),
        );
        let (Some(seat), (Ok(connection_permit), Ok(stranger))) = (seat, permits) else {
            incoming.refuse();
            return;
        };
        let shared = Arc::clone(shared);
        connections.spawn(async move {
            let _held = (seat, connection_permit);
            let deadline = shared.config.limits.login_deadline;
            let Ok(connecting) = incoming.accept() else {
                return;
            };
            if let Ok(Ok(connection)) = timeout(deadline, connecting).await {
                serve(shared, connection, stranger).await;
            }
        });
    }
}

/// One of the connections of a site.
struct Seat {
    site: IpAddr,
    seats: Arc<Mutex<HashMap<IpAddr, usize>>>,
}

impl Seat {
    fn take(seats: &Arc<Mutex<HashMap<IpAddr, usize>>>, site: IpAddr, most: usize) -> Option<Self> {
        let mut taken = seats.lock().unwrap_or_else(PoisonError::into_inner);
        let count = taken.entry(site).or_default();
        if *count >= most {
            return None;
        }
        *count += 1;
        Some(Self {
            site,
            seats: Arc::clone(seats),
        })
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        let mut taken = self.seats.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = taken.get_mut(&self.site) {
            *count -= 1;
            if *count == 0 {
                taken.remove(&self.site);
            }
        }
    }
}

/// An address that others can use: for a relay that listens everywhere, the one of the interface
/// that leads to the network, and the loopback address when there is none.
fn reachable(address: SocketAddr) -> SocketAddr {
    if !address.ip().is_unspecified() {
        return address;
    }
    // Connecting a UDP socket sends nothing; it only asks the system for the way.
    let outwards = UdpSocket::bind((Ipv4Addr::UNSPECIFIED, 0))
        .and_then(|socket| {
            socket.connect((Ipv4Addr::new(192, 0, 2, 1), 9))?;
            socket.local_addr()
        })
        .map(|local| local.ip());
    let ip = outwards.unwrap_or(match address {
        SocketAddr::V4(_) => Ipv4Addr::LOCALHOST.into(),
        SocketAddr::V6(_) => Ipv6Addr::LOCALHOST.into(),
    });
    SocketAddr::new(ip, address.port())
}
