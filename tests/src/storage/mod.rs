//! Faults of storage, on real files, with strace.
//!
//! - [`strace`]: a program under strace, which records or disturbs it; [`call`]: one call of it.
//! - [`disk`]: a folder as a disk may hold it after a power cut; [`cut`]: one after every call.
//! - [`recording`]: what a process of its own has done and said.
//! - [`load`]: requests to a relay's store, each a [`step`]; [`ledger`]: what the store has promised,
//!   and [`state`]: what it then holds.
//! - [`talk`]: two people who talk; [`promises`]: what their clients have promised.
//! - [`identity`]: what may happen to an identity as a whole; [`upgrade`]: to a vault of an older
//!   version.

pub mod call;
pub mod cut;
pub mod disk;
pub mod identity;
pub mod ledger;
pub mod load;
pub mod promises;
pub mod recording;
pub mod state;
pub mod step;
pub mod strace;
pub mod talk;
pub mod upgrade;

/// A number from the environment.
pub fn variable(name: &str) -> Option<u64> {
    std::env::var(name).ok()?.parse().ok()
}
