//! Time and sockets: what a relay takes from outside.

use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use sotto_net::quic::{self, Endpoint};
use sotto_net::{CertificateSlot, RelayKey};

type Clock = dyn Fn() -> u64 + Send + Sync;
type Listener =
    dyn Fn(SocketAddr, &RelayKey, &CertificateSlot) -> io::Result<Endpoint> + Send + Sync;

/// Where time and sockets come from.
#[derive(Clone)]
pub struct Environment {
    clock: Arc<Clock>,
    listener: Arc<Listener>,
}

impl Environment {
    /// The system's.
    pub fn system() -> Self {
        Self::new(unix_secs, quic::listen)
    }

    /// `clock` gives seconds since 1970, `listener` an endpoint that accepts connections at an
    /// address, with a key and the certificate in a slot.
    pub fn new(
        clock: impl Fn() -> u64 + Send + Sync + 'static,
        listener: impl Fn(SocketAddr, &RelayKey, &CertificateSlot) -> io::Result<Endpoint>
        + Send
        + Sync
        + 'static,
    ) -> Self {
        Self {
            clock: Arc::new(clock),
            listener: Arc::new(listener),
        }
    }

    pub(crate) fn now_secs(&self) -> u64 {
        (self.clock)()
    }

    pub(crate) fn endpoint(
        &self,
        listen: SocketAddr,
        key: &RelayKey,
        certificate: &CertificateSlot,
    ) -> io::Result<Endpoint> {
        (self.listener)(listen, key, certificate)
    }
}

impl fmt::Debug for Environment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Environment")
    }
}

/// Seconds since 1970; a clock before that reads 0.
fn unix_secs() -> u64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |since| since.as_secs())
}
