//! The headless client of Sotto: what a window, a bot or a script stands on.
//!
//! ```text
//!  user interface ── Command ──► engine ── Input ──► core      (decides, no I/O)
//!        ▲                         │  ◄── Effects ────┘
//!        │                         ├─ commit ──► vault         (SQLCipher, one per identity)
//!        └──── ViewModel ──────────┴─ send ────► relay         (QUIC, one link per identity)
//! ```
//!
//! Each identity is a profile with a thread, a vault and a connection of its own. An engine always
//! works in this order: commit, then send, then acknowledge, then show. What a user interface sees
//! are snapshots without keys or handles; what it wishes are commands that it never waits for.
//!
//! - [`view`] holds snapshots,
//! - [`Command`] a wish, [`Query`] what to look for,
//! - [`Client`] starts, carries and ends it all, answers scripts' questions and tells them events,
//! - [`assistant`] helps with words,
//! - [`identities`] are listed, made and deleted; [`restore`] brings one back from a backup.
//!
//! Deliberately absent: drawing, words for people, and a relay.

pub mod assistant;
pub mod identities;
pub mod view;

mod backup;
mod client;
mod command;
mod core;
mod engine;
mod environment;
mod event;
mod fingerprint;
mod planted;
mod profile;
mod publisher;
mod query;
mod question;
mod vault;

pub use backup::{BackupError, restore};
pub use client::{
    Answer, Busy, Client, Closing, Config, Life, OpenAtStart, Person, StartError, well_known_people,
};
pub use command::{Command, Passphrase};
pub use environment::Environment;
pub use event::{Event, EventKind, Events, Missed};
pub use query::{QUERY_BYTES_MAX, QUERY_PARTS_MAX, Query, QueryError};
pub use question::{AskError, ENTRIES_MAX, Entry, Found, Sent};
pub use sotto_crypto::{Argon2Cost, RecoveryCode, RecoveryCodeError};
