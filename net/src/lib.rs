//! Sotto's wire: what clients and relays say to each other, and over what.
//!
//! ```text
//!  client ── control stream (ClientFrame / RelayFrame, both ways) ──► relay
//!         ◄── delivery stream (DeliveryFrame, relay to client) ─────
//!            one QUIC connection, TLS 1.3, ALPN sotto/1
//! ```
//!
//! - [`frame`] puts length-prefixed frames with caps on any byte stream,
//! - [`wire`] lists the frames of each direction,
//! - [`login`] proves possession of a device's key,
//! - [`relay_key`] is the relay's own key and the pin that clients check,
//! - [`certificate`] is one that a relay shows beside its key, for those who know it by its host,
//! - [`relay_trust`] is what a client demands to see,
//! - [`invite`] is a relay's address as a link, with what it has to show,
//! - [`people`] names the well-known handles,
//! - [`quic`] sets QUIC and TLS up, and is the only place that knows quinn,
//! - [`link`] is a client's logged-in connection.
//!
//! This crate knows no storage and no message cryptography: envelopes, identities and prekeys are
//! opaque bytes with a size. The specification is `net/WIRE.md`.

pub mod certificate;
pub mod frame;
#[cfg(test)]
mod fuzzing;
#[cfg(all(fuzzing, not(test)))]
pub mod fuzzing;
pub mod invite;
pub mod link;
pub mod login;
pub mod people;
pub mod quic;
pub mod relay_key;
pub mod relay_trust;
pub mod wire;

pub use certificate::{CertificateSlot, PublicCertificate, PublicCertificateError};
pub use invite::{Invite, InviteError};
pub use relay_key::{RelayKey, RelayKeyError, RelayPin};
pub use relay_trust::{RelayId, RelayTrust};
