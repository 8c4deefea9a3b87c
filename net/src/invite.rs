//! Address and pin of a relay as a link (WIRE §1).
//!
//! ```text
//! sotto://relay.example:4433?pin=wK9…43 characters…
//! ```

use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::str::FromStr;

use thiserror::Error;

use crate::relay_key::RelayPin;

/// How every invite starts.
const SCHEME: &str = "sotto://";
/// What stands between address and pin.
const PIN: &str = "?pin=";
/// The longest host name, in bytes (RFC 1035 §2.3.4).
const HOST_BYTES_MAX: usize = 253;

/// Where a relay is, and by which key it is known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Invite {
    host: String,
    port: u16,
    pin: RelayPin,
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
            pin,
        }
    }

    /// The invite to a relay with this host name.
    ///
    /// # Errors
    /// [`InviteError::Address`] when the name is none.
    pub fn to_host(host: &str, port: u16, pin: RelayPin) -> Result<Self, InviteError> {
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

    /// The pin.
    pub fn pin(&self) -> RelayPin {
        self.pin
    }
}

impl fmt::Display for Invite {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{SCHEME}{}:{}{PIN}{}", self.host, self.port, self.pin)
    }
}

impl FromStr for Invite {
    type Err = InviteError;

    fn from_str(text: &str) -> Result<Self, InviteError> {
        let rest = text
            .trim()
            .strip_prefix(SCHEME)
            .ok_or(InviteError::Scheme)?;
        let (authority, pin) = rest.split_once(PIN).ok_or(InviteError::Pin)?;
        let pin = RelayPin::parse(pin).ok_or(InviteError::Pin)?;
        let (host, port) = authority.rsplit_once(':').ok_or(InviteError::Address)?;
        let number: u16 = port.parse().map_err(|_| InviteError::Address)?;
        // Neither a sign nor zeros in front: one link has one spelling.
        if number.to_string() != port {
            return Err(InviteError::Address);
        }
        Self::to_host(host, number, pin)
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
