//! A running relay: accepts, tidies, drains.

use std::future::pending;
use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};
use std::sync::Arc;
use std::time::Duration;

use sotto_net::quic::{CloseCode, Endpoint};
use sotto_net::{CertificateSlot, Invite, InviteError, RelayKey, RelayPin};
use thiserror::Error;
use tokio::sync::watch;
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::{interval, timeout};

use crate::admin::{Admin, Port};
use crate::certificate::{Certificate, CertificateFileError};
use crate::config::RelayConfig;
use crate::environment::Environment;
use crate::gate::Gate;
use crate::health::Health;
use crate::hub::Hub;
use crate::metrics::Metrics;
use crate::progress::Journal;
use crate::rates::Rates;
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
    /// The admin port would be open to others: the address is none of the loopback interface.
    #[error("the admin port must be on a loopback address, and {0} is none")]
    AdminExposed(SocketAddr),
    /// The admin port's address cannot be listened on.
    #[error("cannot listen on {0} for the admin port")]
    Admin(SocketAddr, #[source] io::Error),
    /// The public name is no host name.
    #[error("the public name is no host name")]
    PublicName(#[from] InviteError),
    /// The certificate cannot be used.
    #[error("the certificate cannot be used")]
    Certificate(#[from] CertificateFileError),
    /// The store did not take the seeded handles.
    #[error("the store cannot be written")]
    Store(#[from] Declined),
}

/// What all connections of a relay share.
#[derive(Debug)]
pub(crate) struct Shared<S> {
    pub(crate) environment: Environment,
    pub(crate) config: RelayConfig,
    pub(crate) pin: RelayPin,
    pub(crate) store: Arc<S>,
    pub(crate) hub: Arc<Hub>,
    pub(crate) rates: Rates,
    pub(crate) metrics: Arc<Metrics>,
    pub(crate) journal: Journal,
    /// Becomes true when the relay goes away.
    pub(crate) end: watch::Receiver<bool>,
}

/// A relay. Dropping it ends every task without a goodbye; what was acknowledged stays.
#[derive(Debug)]
pub struct Relay {
    address: SocketAddr,
    pin: RelayPin,
    invite: Invite,
    public_invite: Option<Invite>,
    certificate: Option<Arc<Certificate>>,
    end: watch::Sender<bool>,
    tasks: Option<JoinHandle<()>>,
    endpoint: Endpoint,
    admin: Option<Admin>,
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
        Self::spawn_in(Environment::system(), config, key, store).await
    }

    /// As [`Relay::spawn`], with time and sockets from elsewhere.
    ///
    /// # Errors
    /// See [`SpawnError`].
    pub async fn spawn_in<S: Store>(
        environment: Environment,
        config: RelayConfig,
        key: RelayKey,
        store: S,
    ) -> Result<Self, SpawnError> {
        let port = match config.admin {
            Some(address) => Some(bind_admin(address).await?),
            None => None,
        };
        let certificate = certificate(&config)?;
        let slot = certificate
            .as_ref()
            .map_or_else(CertificateSlot::default, |it| it.slot().clone());
        let listen = config.listen;
        let endpoint = environment.endpoint(listen, &key, &slot);
        let endpoint = endpoint.map_err(|error| match error.kind() {
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
        let public_invite = match &certificate {
            Some(certificate) => Some(Invite::by_roots(certificate.host(), address.port())?),
            None => None,
        };
        store.seed(config.seeds.clone()).await.await?;
        let hub = Arc::new(Hub::new(config.roster));
        let metrics = Arc::new(Metrics::new(environment.now_secs()));
        let (events, counts) = (Arc::clone(&hub), Arc::clone(&metrics));
        store.watch(Box::new(move |event| {
            counts.on_event(&event);
            events.on_event(event);
        }));
        let (end, end_receiver) = watch::channel(false);
        let shared = Arc::new(Shared {
            rates: Rates::new(&config.limits, &metrics.rate_limited),
            metrics,
            journal: Journal::default(),
            environment,
            config,
            pin,
            store: Arc::new(store),
            hub,
            end: end_receiver,
        });
        let admin = port.map(|port| port.serve(Health::of(&shared)));
        let tasks = tokio::spawn(run(shared, endpoint.clone(), certificate.clone()));
        Ok(Self {
            address,
            pin,
            invite,
            public_invite,
            certificate,
            end,
            tasks: Some(tasks),
            endpoint,
            admin,
        })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Where it answers about metrics and health, if it does.
    pub fn admin_address(&self) -> Option<SocketAddr> {
        self.admin.as_ref().map(|admin| admin.address)
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

    /// Host name and nothing else as a link, if the relay has a certificate for it.
    pub fn public_invite(&self) -> Option<Invite> {
        self.public_invite.clone()
    }

    /// Has the certificate read from its files again, if there is one.
    pub fn renew_certificate(&self) {
        if let Some(certificate) = &self.certificate {
            certificate.renew();
        }
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
        if let Some(admin) = self.admin.take() {
            admin.end().await;
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

/// The certificate for the public name, if the relay is to have one.
fn certificate(config: &RelayConfig) -> Result<Option<Arc<Certificate>>, CertificateFileError> {
    let Some(files) = &config.certificate else {
        return Ok(None);
    };
    let host = config.public_name.as_ref();
    let host = host.ok_or(CertificateFileError::NoPublicName)?;
    let certificate = Certificate::open(files.clone(), host.clone())?;
    Ok(Some(Arc::new(certificate)))
}

async fn bind_admin(address: SocketAddr) -> Result<Port, SpawnError> {
    if !address.ip().to_canonical().is_loopback() {
        return Err(SpawnError::AdminExposed(address));
    }
    let port = Port::bind(address).await;
    port.map_err(|error| SpawnError::Admin(address, error))
}

/// Accepts connections and keeps the store tidy until the relay goes away; then waits for the
/// connections to end.
async fn run<S: Store>(
    shared: Arc<Shared<S>>,
    endpoint: Endpoint,
    certificate: Option<Arc<Certificate>>,
) {
    let mut connections = JoinSet::new();
    let mut expiry = interval(EXPIRY_INTERVAL);
    let mut tidying = interval(TIDY_INTERVAL);
    let mut end = shared.end.clone();
    let gate = Gate::new(&shared);
    let renewal = async {
        match certificate {
            Some(certificate) => certificate.keep_fresh().await,
            None => pending().await,
        }
    };
    tokio::pin!(renewal);
    loop {
        tokio::select! {
            biased;
            () = ended(&mut end) => break,
            () = &mut renewal => {}
            _ = expiry.tick() => expire(&shared).await,
            _ = tidying.tick() => {
                shared.rates.tidy();
                shared.journal.tidy();
            }
            Some(ended) = connections.join_next() => {
                // A panic ends its own connection only.
                if ended.is_err_and(|error| error.is_panic()) {
                    tracing::error!("a connection's task panicked");
                }
            }
            incoming = endpoint.accept() => match incoming {
                Some(incoming) => gate.admit(&shared, incoming, &mut connections),
                None => break,
            },
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
    let before = shared.environment.now_secs().saturating_sub(age);
    loop {
        match shared.store.expire(before).await.await {
            Ok(0) => return,
            Ok(expired) => {
                shared.metrics.envelopes_expired.inc_by(expired);
                tracing::warn!(expired, "envelopes were never fetched");
            }
            Err(error) => return tracing::warn!(%error, "old envelopes stay"),
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
