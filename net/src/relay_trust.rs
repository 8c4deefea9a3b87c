//! How a client knows the relay that it speaks to, and by which name it remembers it (WIRE §1).

use std::fmt;

use sha2::{Digest, Sha256};

use crate::quic::SERVER_NAME;
use crate::relay_key::RelayPin;

/// What comes before the host in the hash that names a relay known by its host.
const HOST_LABEL: &[u8] = b"Sotto/1 relay host";

/// What a relay has to show.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RelayTrust {
    /// The key with this pin, and no other.
    Pin(RelayPin),
    /// A certificate for this host name that this computer's root certificates vouch for.
    Roots {
        /// A DNS name.
        host: String,
    },
}

impl RelayTrust {
    /// The name by which to remember the relay, and which logins are for.
    pub fn id(&self) -> RelayId {
        match self {
            Self::Pin(pin) => (*pin).into(),
            Self::Roots { host } => RelayId::of_host(host),
        }
    }

    /// The name to ask for in the handshake.
    pub(crate) fn server_name(&self) -> &str {
        match self {
            Self::Pin(_) => SERVER_NAME,
            Self::Roots { host } => host,
        }
    }
}

impl From<RelayPin> for RelayTrust {
    fn from(pin: RelayPin) -> Self {
        Self::Pin(pin)
    }
}

/// Names a relay, 32 bytes: its pin, or a hash of its host name if it is known by that.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct RelayId(pub [u8; 32]);

impl RelayId {
    /// ``H("Sotto/1 relay host" || 0 || host)``, with the host in lower case and without a dot at
    /// its end.
    pub fn of_host(host: &str) -> Self {
        let host = host.strip_suffix('.').unwrap_or(host).to_ascii_lowercase();
        let hash = Sha256::new()
            .chain_update(HOST_LABEL)
            .chain_update([0])
            .chain_update(host);
        Self(hash.finalize().into())
    }

    /// The 32 bytes.
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl From<RelayPin> for RelayId {
    fn from(pin: RelayPin) -> Self {
        Self(pin.0)
    }
}

impl fmt::Debug for RelayId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [a, b, ..] = self.0;
        write!(f, "RelayId({a:02x}{b:02x}…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_has_one_id_however_it_is_spelt() {
        let id = RelayId::of_host("relay.example");
        assert_eq!(id, RelayId::of_host("Relay.EXAMPLE."));
        assert_ne!(id, RelayId::of_host("relay.example.org"));
        assert_eq!(
            data_encoding::HEXLOWER.encode(&id.0),
            "ddbc58f3e07f05f3c4b375ed6e4fe8eb7bbcc3a67a26a2a7b0b9f9b9dc6693c9"
        );
    }
}
