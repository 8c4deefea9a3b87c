//! What a relay is told before it starts.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use sotto_net::people::WELL_KNOWN;

/// A handle that exists before anybody claims it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seed {
    /// The handle, lower case, at most 64 bytes.
    pub handle: String,
    /// The name shown to people, at most 64 bytes.
    pub name: String,
}

impl Seed {
    /// The four well-known people: Alice, Bob, Charlie and Diana.
    pub fn well_known() -> Vec<Self> {
        WELL_KNOWN
            .iter()
            .map(|(handle, name)| Self {
                handle: (*handle).to_owned(),
                name: (*name).to_owned(),
            })
            .collect()
    }
}

/// How a relay behaves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RelayConfig {
    /// Where to listen; port 0 takes a free one.
    pub listen: SocketAddr,
    /// The host name in invites; without one, the address under which this machine reaches others.
    pub public_name: Option<String>,
    /// Handles that exist from the start.
    pub seeds: Vec<Seed>,
    /// Whether everybody who is connected sees the whole directory. For small circles.
    pub roster: bool,
    /// Whether handles other than the seeded ones may be claimed.
    pub open_handles: bool,
    /// Bounds on everything that grows.
    pub limits: Limits,
}

impl Default for RelayConfig {
    /// Any free port of the loopback interface, the four well-known people, roster and open
    /// handles on.
    fn default() -> Self {
        Self {
            listen: (Ipv4Addr::LOCALHOST, 0).into(),
            public_name: None,
            seeds: Seed::well_known(),
            roster: true,
            open_handles: true,
            limits: Limits::default(),
        }
    }
}

/// Bounds on everything that grows (WIRE §7).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// Connections in all. Each idle one costs about 45 KiB.
    pub connections: usize,
    /// Connections from one IP address: a household or an office behind one address.
    pub connections_per_address: usize,
    /// Connections that have not logged in yet.
    pub strangers: usize,
    /// From so many strangers on, an address must first show that it receives what is sent to it
    /// (a Retry packet, RFC 9000 §8.1.2).
    pub strangers_before_retry: usize,
    /// From the first packet to a login that is accepted.
    pub login_deadline: Duration,
    /// Envelopes in one mailbox.
    pub mailbox_envelopes: u64,
    /// Bytes of the bodies in one mailbox.
    pub mailbox_bytes: u64,
    /// How long an envelope waits for its device.
    pub envelope_age: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        const DAY: Duration = Duration::from_hours(24);
        Self {
            connections: 4_096,
            connections_per_address: 256,
            strangers: 256,
            strangers_before_retry: 64,
            login_deadline: Duration::from_secs(5),
            mailbox_envelopes: 10_000,
            mailbox_bytes: 64 * 1024 * 1024,
            envelope_age: 30 * DAY,
        }
    }
}
