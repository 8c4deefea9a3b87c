//! What a relay is told before it starts.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use sotto_net::people::WELL_KNOWN;

use crate::certificate::CertificateFiles;

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
    /// Where to answer about metrics and health over HTTP, on a loopback address; `None` for
    /// nowhere.
    pub admin: Option<SocketAddr>,
    /// The host name in invites; without one, the address under which this machine reaches others.
    pub public_name: Option<String>,
    /// A certificate for the public name; with it, clients may know the relay by its name instead
    /// of its pin.
    pub certificate: Option<CertificateFiles>,
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
            admin: None,
            public_name: None,
            certificate: None,
            seeds: Seed::well_known(),
            roster: true,
            open_handles: true,
            limits: Limits::default(),
        }
    }
}

/// How often something may happen: so many at once, and one more after each interval.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rate {
    /// At once, after a rest.
    pub burst: u32,
    /// Until one more is allowed.
    pub every: Duration,
}

impl Rate {
    /// So many at once, and so many more in each second, evenly; at least one of each.
    pub fn per_second(burst: u32, per_second: u32) -> Self {
        Self {
            burst,
            every: Duration::from_secs(1) / per_second.max(1),
        }
    }
}

/// Bounds on everything that grows (WIRE §7).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// Connections in all. Each idle one costs about 55 KiB.
    pub connections: usize,
    /// Connections from one IPv4 address or one IPv6 network of 64 bits: a household or an office.
    pub connections_per_address: usize,
    /// New connections from there.
    pub connection_rate: Rate,
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
    /// Envelopes that a device sends, counted for each target.
    pub envelope_rate: Rate,
    /// Ephemeral envelopes that a device sends, counted for each target.
    pub ephemeral_rate: Rate,
    /// Bundles that a device takes.
    pub bundle_rate: Rate,
    /// One-time prekeys of one device that are given out; beyond that, bundles come without, so
    /// that nobody can use somebody's prekeys up.
    pub one_time_prekey_rate: Rate,
    /// Claims, publications and questions of a device.
    pub request_rate: Rate,
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
            connection_rate: Rate::per_second(256, 16),
            // What was written during a week offline goes out at once; then a busy bot's pace.
            envelope_rate: Rate::per_second(5_000, 200),
            ephemeral_rate: Rate::per_second(512, 32),
            // A new member writes to a group of 128 devices; then one acquaintance every ten seconds.
            bundle_rate: Rate {
                burst: 256,
                every: Duration::from_secs(10),
            },
            // Half of what a device has in stock, then its whole stock within five hours.
            one_time_prekey_rate: Rate {
                burst: 50,
                every: Duration::from_mins(3),
            },
            request_rate: Rate::per_second(128, 4),
        }
    }
}
