//! Sotto's relay: durable mailboxes over QUIC that see neither text nor sender.
//!
//! ```text
//!              control (requests, answers, news)
//!  device ◄──────────────────────────────────► connection ──► store (mailboxes in memory,
//!         ◄──────────────────────────────────── delivery  ◄──┘  one writer, group commit)
//!              delivery (envelopes, in order)                      │ events
//!                                                hub (who is there) ◄┘
//! ```
//!
//! - [`config`]: what a relay is told before it starts.
//! - [`relay`]: a running relay: accepts, tidies, drains; `gate`: who may connect;
//!   [`Environment`]: where its time and sockets come from.
//! - [`store`]: what a relay needs from durable storage, as a trait; [`sqlite`]: the embedded one.
//! - [`key`]: the relay's key on disk; `certificate`: one for its host name, if it has any.
//! - `connection`: login and life of one connection; `control` its requests and answers,
//!   `delivery` its envelopes; `hub`: all connections, and what one hands to another; `rates`: how
//!   often a device or an address may ask; `fence`: keeps the order behind an envelope that was
//!   refused for now; `progress`: how far each delivery has come.
//! - `admin`: the admin port over HTTP; `metrics`: what is counted, `health`: what is well, `recent`
//!   keeps both from being asked too often.
//!
//! Deliberately absent: message cryptography. Envelopes, identities and prekeys are opaque bytes
//! with a size, and nothing that is stored or logged names the sender of an envelope. The wire is
//! specified in `net/WIRE.md`.

mod admin;
mod certificate;
mod connection;
mod control;
mod delivery;
mod environment;
mod fence;
mod folder;
mod gate;
mod health;
mod hub;
mod metrics;
mod note;
mod planted;
mod progress;
mod rates;
mod recent;

pub mod config;
pub mod key;
pub mod relay;
pub mod sqlite;
pub mod store;

pub use certificate::{CertificateFileError, CertificateFiles};
pub use config::{Limits, Rate, RelayConfig, Seed};
pub use environment::Environment;
pub use key::{KeyFileError, back_up_key, relay_key};
pub use note::{note_invites, noted_invites};
pub use relay::{Relay, SpawnError};
pub use sqlite::{Inspection, SqliteStore, StoreError};
pub use store::Store;
