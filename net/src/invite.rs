//! A relay's address as a link, with what it has to show (WIRE §1).
//!
//! ```text
//! sotto://relay.example:4433?pin=wK9…43 characters…
//! sotto://relay.example:4433?roots
//! ```

use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::str::FromStr;

use thiserror::Error;

use crate::relay_key::RelayPin;
use crate::relay_trust::RelayTrust;

/// How every invite starts.
const SCHEME: &str = "sotto://";
/// What stands between address and pin.
const PIN: &str = "pin=";
/// What stands there instead for a relay that is known by its host. It is said in so many words, so
/// that an invite whose pin was cut off does not pass for one that needs none.
const ROOTS: &str = "roots";
/// The longest host name, in bytes (RFC 1035 §2.3.4).
const HOST_BYTES_MAX: usize = 253;

/// Where a relay is, and how it is known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Invite {
    host: String,
    port: u16,
    /// `None` when the relay is known by its host.
    pin: Option<RelayPin>,
}

/// Why a text is no invite.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum InviteError {
    /// It does not start with `sotto://`.
    #[error("an invite starts with sotto://")]
    Scheme,
    /// Host or port is missing or malformed.
    #[error("the invite names no valid host and port")]
    Address,
    /// The pin is missing or not 43 characters of base64url.
    #[error("the invite has no valid pin; it may have been cut off")]
    Pin,
    /// A relay that is known by its host name is named by an address.
    #[error("an invite without a pin needs a host name")]
    Unnamed,
}

impl Invite {
    /// The invite to a relay at this address.
    pub fn to(address: SocketAddr, pin: RelayPin) -> Self {
        let host = match address.ip() {
            IpAddr::V4(ip) => ip.to_string(),
            IpAddr::V6(ip) => format!("[{ip}]"),
        };
        Self {
            host,
            port: address.port(),
            pin: Some(pin),
        }
    }

    /// The invite to a relay with this host name and pin.
    ///
    /// # Errors
    /// [`InviteError::Address`] when the name is none.
    pub fn to_host(host: &str, port: u16, pin: RelayPin) -> Result<Self, InviteError> {
        Self::new(host, port, Some(pin))
    }

    /// The invite to a relay with this host name and a certificate for it.
    ///
    /// # Errors
    /// [`InviteError::Address`] when the name is none, [`InviteError::Unnamed`] when it is an
    /// address.
    pub fn by_roots(host: &str, port: u16) -> Result<Self, InviteError> {
        if host.starts_with('[') || host.parse::<IpAddr>().is_ok() {
            return Err(InviteError::Unnamed);
        }
        Self::new(host, port, None)
    }

    fn new(host: &str, port: u16, pin: Option<RelayPin>) -> Result<Self, InviteError> {
        if !is_host(host) || port == 0 {
            return Err(InviteError::Address);
        }
        Ok(Self {
            host: host.to_owned(),
            port,
            pin,
        })
    }

    /// `host:port`, as the resolver takes it.
    pub fn authority(&self) -> String {
        format!("{}:{}", self.host, self.port)
    }

    /// The pin; `None` when the relay is known by its host.
    pub fn pin(&self) -> Option<RelayPin> {
        self.pin
    }

    /// What the relay has to show.
    pub fn trust(&self) -> RelayTrust {
        match self.pin {
            Some(pin) => pin.into(),
            None => RelayTrust::Roots {
                host: self.host.clone(),
            },
        }
    }
}

impl fmt::Display for Invite {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{SCHEME}{}:{}?", self.host, self.port)?;
        match self.pin {
            Some(pin) => write!(f, "{PIN}{pin}"),
            None => f.write_str(ROOTS),
        }
    }
}

impl FromStr for Invite {
    type Err = InviteError;

    fn from_str(text: &str) -> Result<Self, InviteError> {
        let rest = text
            .trim()
            .strip_prefix(SCHEME)
            .ok_or(InviteError::Scheme)?;
        let (authority, trust) = rest.split_once('?').ok_or(InviteError::Pin)?;
        let pin = match trust.strip_prefix(PIN) {
            Some(pin) => Some(RelayPin::parse(pin).ok_or(InviteError::Pin)?),
            None if trust == ROOTS => None,
            None => return Err(InviteError::Pin),
        };
        let (host, port) = authority.rsplit_once(':').ok_or(InviteError::Address)?;
        let number: u16 = port.parse().map_err(|_| InviteError::Address)?;
        // Neither a sign nor zeros in front: one link has one spelling.
        if number.to_string() != port {
            return Err(InviteError::Address);
        }
        match pin {
            Some(pin) => Self::to_host(host, number, pin),
            None => Self::by_roots(host, number),
        }
    }
}

/// An IPv4 address, a bracketed IPv6 address or a DNS name.
fn is_host(host: &str) -> bool {
    if let Some(inner) = host
        .strip_prefix('[')
        .and_then(|rest| rest.strip_suffix(']'))
    {
        return inner.parse::<std::net::Ipv6Addr>().is_ok();
    }
    !host.is_empty()
        && host.len() <= HOST_BYTES_MAX
        && host
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'.')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_it_writes() {
        let pin = RelayPin([0xa5; 32]);
        for address in ["127.0.0.1:4433", "[::1]:9"] {
            let invite = Invite::to(address.parse().unwrap(), pin);
            assert_eq!(invite.to_string().parse(), Ok(invite.clone()));
            assert_eq!(invite.authority(), address);
        }
        let named = Invite::to_host("relay.example", 4433, pin).unwrap();
        assert_eq!(format!(" {named}\n").parse(), Ok(named));
        let by_roots = Invite::by_roots("relay.example", 4433).unwrap();
        assert_eq!(by_roots.to_string(), "sotto://relay.example:4433?roots");
        assert_eq!(by_roots.to_string().parse(), Ok(by_roots));
    }

    #[test]
    fn says_what_is_wrong() {
        let pin = RelayPin([0xa5; 32]);
        let good = Invite::to_host("relay.example", 4433, pin)
            .unwrap()
            .to_string();
        for cut in 0..good.len() {
            assert!(
                good.get(..cut).unwrap().parse::<Invite>().is_err(),
                "cut at {cut}"
            );
        }
        let parse = |text: &str| text.parse::<Invite>();
        let by_roots = "sotto://relay.example:4433?roots";
        for cut in 0..by_roots.len() {
            assert!(parse(by_roots.get(..cut).unwrap()).is_err(), "cut at {cut}");
        }
        for unnamed in ["127.0.0.1", "[::1]"] {
            let text = format!("sotto://{unnamed}:4433?roots");
            assert_eq!(parse(&text), Err(InviteError::Unnamed));
        }
        assert_eq!(parse(&format!("{by_roots}&pin=")), Err(InviteError::Pin));
        assert_eq!(parse("https://relay.example"), Err(InviteError::Scheme));
        assert_eq!(parse("sotto://relay.example:4433"), Err(InviteError::Pin));
        let pin = pin.to_string();
        for bad in [
            "", ":1", "a b:1", "a:0", "a:65536", "a:+1", "a:01", "[::1:1", "a/b:1", "a",
        ] {
            assert_eq!(
                parse(&format!("sotto://{bad}?pin={pin}")),
                Err(InviteError::Address),
                "{bad}"
            );
        }
    }
}
