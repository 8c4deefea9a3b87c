//! Faults of storage, on real files, with strace.
//!
//! - [`strace`]: a program under strace, which records or disturbs it; [`call`]: one call of it.
//! - [`disk`]: a folder as a disk may hold it after a power cut; [`cut`]: one after every call.
//! - [`load`]: requests to a relay's store, each a [`step`], in a process of its own;
//!   [`recording`]: what that did; [`ledger`]: what the store has promised, and [`state`]: what it
//!   then holds.

pub mod call;
pub mod cut;
pub mod disk;
pub mod ledger;
pub mod load;
pub mod recording;
pub mod state;
pub mod step;
pub mod strace;
