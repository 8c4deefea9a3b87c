//! What the stories stand on: a real relay on real QUIC, real clients with real vaults, and ways
//! to look at and to disturb what passes through the relay.
//!
//! - [`Desk`]: one computer with the four identities, waited on by what it shows.
//! - [`Host`]: a relay that can be stopped, killed and started again at the same address.
//! - [`Liar`]: a hostile relay on an endpoint of its own, which says what a test wants.
//! - [`Tap`]: a relay's store that remembers every envelope, and can damage them on the way.
//! - [`model_server`]: a server of models, for what the assistant says and hears.
//! - [`simulation`]: all of it on simulated time and a simulated network, repeatable from a seed.
//! - [`storage`]: disks that fail, and power that is cut. Linux only.
//!
//! Nothing here sleeps: everything is awaited, with a deadline.

#![expect(
    clippy::expect_used,
    reason = "a harness that cannot go on fails the test"
)]

mod desk;
mod host;
mod ledger;
mod liar;
pub mod model_server;
pub mod simulation;
#[cfg(target_os = "linux")]
pub mod storage;
mod tap;
mod words;

pub use desk::{Desk, ask, texts};
pub use host::Host;
pub use ledger::Ledger;
pub use liar::{Conduct, Liar};
pub use model_server::{ModelServer, Reply};
pub use tap::Tap;
pub use words::{Stream, Words, bytes};
