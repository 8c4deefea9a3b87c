//! Who may connect, before anything is known of them but their address.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};

use sotto_net::quic::Incoming;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::JoinSet;
use tokio::time::timeout;

use crate::connection::serve;
use crate::metrics::Counted;
use crate::rates::site;
use crate::relay::Shared;
use crate::store::Store;

/// Who may connect: so many in all, from one address, and before login.
pub(crate) struct Gate {
    connections: Arc<Semaphore>,
    strangers: Arc<Semaphore>,
    strangers_max: usize,
    per_address: Arc<Mutex<HashMap<IpAddr, usize>>>,
}

impl Gate {
    pub(crate) fn new<S>(shared: &Shared<S>) -> Self {
        let limits = &shared.config.limits;
        Self {
            connections: Arc::new(Semaphore::new(limits.connections)),
            strangers: Arc::new(Semaphore::new(limits.strangers)),
            strangers_max: limits.strangers,
            per_address: Arc::default(),
        }
    }

    /// Serves a connection if there is room for it.
    pub(crate) fn admit<S: Store>(
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
        let refused = &shared.metrics.connections_refused;
        let waiting = self.strangers_max - self.strangers.available_permits();
        let is_crowded = waiting >= limits.strangers_before_retry;
        if !is_validated && (is_often || is_crowded) && incoming.may_retry() {
            // It fails only if it is not allowed, which was just asked.
            drop(incoming.retry());
            shared.metrics.retries.inc();
            return;
        }
        if is_often || (is_crowded && !is_validated) {
            let reason = if is_often {
                &refused.rate
            } else {
                &refused.unvalidated
            };
            reason.inc();
            incoming.refuse();
            return;
        }
        let seat = Seat::take(&self.per_address, site, limits.connections_per_address);
        let permits = (
            Arc::clone(&self.connections).try_acquire_owned(),
            Arc::clone(&self.strangers).try_acquire_owned(),
        );
        let Some(seat) = seat else {
            refused.site.inc();
            incoming.refuse();
            return;
        };
        let (Ok(connection_permit), Ok(stranger_permit)) = permits else {
            refused.capacity.inc();
            incoming.refuse();
            return;
        };
        let counted = Counted::by(&shared.metrics.connections);
        let stranger = Stranger {
            _permit: stranger_permit,
            _counted: Counted::by(&shared.metrics.strangers),
        };
        let shared = Arc::clone(shared);
        connections.spawn(async move {
            let _held = (seat, connection_permit, counted);
            let deadline = shared.config.limits.login_deadline;
            let Ok(connecting) = incoming.accept() else {
                return;
            };
            if let Ok(Ok(connection)) = timeout(deadline, connecting).await {
                shared.metrics.handshakes.completed.inc();
                serve(shared, connection, stranger).await;
            } else {
                shared.metrics.handshakes.failed.inc();
            }
        });
    }
}

/// A connection that has not logged in yet.
#[derive(Debug)]
pub(crate) struct Stranger {
    _permit: OwnedSemaphorePermit,
    _counted: Counted,
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
