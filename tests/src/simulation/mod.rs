//! A world in one thread: real clients, a real relay, real QUIC and TLS, on simulated time and a
//! simulated network. What happens follows from a seed, and is the same each time.
//!
//! ```text
//!  scenario ──► faults ──► world ──► person (client, vault)  ◄──► network ◄──► relay (store)
//!                            │          │ what it was told          │ each packet
//!                            └──────► journal ──► invariants      trace
//! ```
//!
//! - [`Scenario`]: who talks, over what network, and what goes wrong; [`run`] carries it out.
//! - `network`: loses, repeats, delays and reorders packets, cuts ways, changes addresses.
//! - `disk`: the relay's, which is slow, and with which it ends.
//! - `process`: what one program has spawned, so that a crash ends it without a goodbye.
//! - `world`: the machines, their clocks, crashes and new starts; `past`: what happened before, with
//!   `identities`, lived through once.
//! - `person`: what people do; `faults`: what happens to them.
//! - `malice`: what a hostile relay does; `suspect`: a store that gives out what it makes of it.
//! - `journal`: what clients told; `invariants`: what must be true of it, and in the end.
//! - `trace`: what passed, as a hash and as text.
//!
//! Keys of TLS come from the system, so the bytes of packets differ from run to run; their times,
//! addresses and lengths do not.

mod chance;
mod clock;
mod disk;
mod faults;
mod identities;
mod invariants;
mod journal;
mod malice;
mod network;
mod past;
mod person;
mod process;
mod scenario;
mod suspect;
mod trace;
mod world;

pub use self::scenario::{Outcome, Scenario, run};
