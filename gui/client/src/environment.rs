//! Time, randomness and sockets: everything that an engine takes from outside.

use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use rand::rngs::StdRng;
use sotto_net::quic::{self, Endpoint};

use crate::core::Moment;

type Clock = dyn Fn() -> i64 + Send + Sync;
type Seeder = dyn Fn() -> StdRng + Send + Sync;
type Dialer = dyn Fn(SocketAddr) -> io::Result<Endpoint> + Send + Sync;

/// Where time, randomness and sockets come from.
#[derive(Clone)]
pub struct Environment {
    clock: Arc<Clock>,
    seeder: Arc<Seeder>,
    dialer: Arc<Dialer>,
}

impl Environment {
    /// The system's.
    pub fn system() -> Self {
        Self::new(unix_millis, rand::make_rng, quic::dialer)
    }

    /// `clock` gives milliseconds since 1970, `seeder` a generator for each vault that is opened,
    /// `dialer` an endpoint from which a relay at the given address can be reached.
    pub fn new(
        clock: impl Fn() -> i64 + Send + Sync + 'static,
        seeder: impl Fn() -> StdRng + Send + Sync + 'static,
        dialer: impl Fn(SocketAddr) -> io::Result<Endpoint> + Send + Sync + 'static,
    ) -> Self {
        Self {
            clock: Arc::new(clock),
            seeder: Arc::new(seeder),
            dialer: Arc::new(dialer),
        }
    }

    pub(crate) fn now(&self) -> Moment {
        Moment {
            unix_millis: (self.clock)(),
        }
    }

    pub(crate) fn rng(&self) -> StdRng {
        (self.seeder)()
    }

    pub(crate) fn endpoint(&self, peer: SocketAddr) -> io::Result<Endpoint> {
        (self.dialer)(peer)
    }
}

impl fmt::Debug for Environment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Environment")
    }
}

/// The system's clock; before 1970 it reads 0.
fn unix_millis() -> i64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .ok()
        .and_then(|since| i64::try_from(since.as_millis()).ok())
        .unwrap_or(0)
}
