//! What the stories stand on: a real relay on real QUIC, real clients with real vaults, and ways
//! to look at and to disturb what passes through the relay.
//!
//! - [`Desk`]: one computer with the four identities, waited on by what it shows.
//! - [`Host`]: a relay that can be stopped, killed and started again at the same address.
//! - [`Tap`]: a relay's store that remembers every envelope, and can damage them on the way.
//!
//! For storage faults, on Linux, with strace:
//!
//! - [`strace`]: a program under strace, which records or disturbs it; [`call`]: one call of it.
//! - [`disk`]: a folder as a disk may hold it after a power cut; [`cut`]: one after every call.
//! - [`load`]: requests to a relay's store, in a process of its own; [`recording`]: what that did;
//!   [`ledger`]: what the store has promised, and [`state`]: what it then holds.
//!
//! Nothing here sleeps: everything is awaited, with a deadline.

#![expect(
    clippy::expect_used,
    reason = "a harness that cannot go on fails the test"
)]

#[cfg(target_os = "linux")]
pub mod call;
#[cfg(target_os = "linux")]
pub mod cut;
mod desk;
#[cfg(target_os = "linux")]
pub mod disk;
mod host;
#[cfg(target_os = "linux")]
pub mod ledger;
#[cfg(target_os = "linux")]
pub mod load;
#[cfg(target_os = "linux")]
pub mod recording;
#[cfg(target_os = "linux")]
pub mod state;
#[cfg(target_os = "linux")]
pub mod step;
#[cfg(target_os = "linux")]
pub mod strace;
mod tap;

pub use desk::{Desk, texts};
pub use host::Host;
pub use tap::Tap;
