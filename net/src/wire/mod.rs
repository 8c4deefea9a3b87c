//! The frames of each direction (WIRE §3–5).
//!
//! - [`client`](ClientFrame), [`relay`](RelayFrame) and [`delivery`](DeliveryFrame) list what is
//!   said in one direction,
//! - `payload` is how they are written and read.
//!
//! One enum per direction: a side cannot even parse its own messages. The kind byte and the
//! postcard layout of each payload are frozen by golden bytes in the tests; a new kind of frame
//! gets a new byte, and a changed payload becomes a new kind.

mod client;
mod delivery;
mod payload;
mod relay;
#[cfg(test)]
mod tests;

use std::fmt;

use serde::{Deserialize, Serialize};

pub use self::client::{
    Acknowledge, Claim, ClientFrame, LeaveMark, Login, LookUp, Prekey, PublishPrekeys, Send,
    SendEphemeral, TakeBundle, WatchPresence, WithdrawPrekeys,
};
pub use self::delivery::{CaughtUp, Delivery, DeliveryFrame, Ephemeral};
pub use self::relay::{
    Bundle, Done, Entry, GoingAway, PrekeysLow, Presence, PreviousMark, Refusal, Refused,
    RelayFrame, Welcome,
};

/// The largest envelope, in bytes.
pub const ENVELOPE_BYTES_MAX: usize = 64 * 1024;
/// The largest ephemeral envelope, in bytes: a packet with the largest step in front of a short
/// text.
pub const EPHEMERAL_BYTES_MAX: usize = 4 * 1024;
/// The largest public identity, in bytes.
pub const IDENTITY_BYTES_MAX: usize = 4 * 1024;
/// The largest public prekey record, in bytes.
pub const PREKEY_BYTES_MAX: usize = 2 * 1024;
/// Target devices of one send: a group of 128.
pub const TARGETS_MAX: usize = 128;
/// One-time prekeys in one publication: more would not fit a frame.
pub const PREKEYS_PER_FRAME_MAX: usize = 100;
/// Devices whose presence one client may watch.
pub const WATCHED_MAX: usize = 1024;
/// The longest handle or display name, in bytes.
pub const NAME_BYTES_MAX: usize = 64;

/// A device as the relay knows it: its Ed25519 signing key (PROTOCOL §2). Self-certifying: who
/// logs in with it proves to hold it, so there is nothing to squat.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct DeviceKey(pub [u8; 32]);

impl fmt::Debug for DeviceKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [a, b, ..] = self.0;
        write!(f, "DeviceKey({a:02x}{b:02x}…)")
    }
}

/// Names an envelope: 128 random bits, chosen by the sender; a repeated id is dropped.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct EnvelopeId(pub [u8; 16]);

impl fmt::Debug for EnvelopeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [a, b, ..] = self.0;
        write!(f, "EnvelopeId({a:02x}{b:02x}…)")
    }
}

/// Names one life of a relay's store: made at random when the store is created. A cursor means
/// something only together with it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoreId(pub [u8; 16]);

/// What a device leaves at the relay each time it comes: 128 random bits.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Mark(pub [u8; 16]);

impl fmt::Debug for Mark {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [a, b, ..] = self.0;
        write!(f, "Mark({a:02x}{b:02x}…)")
    }
}

/// Position in a mailbox: the sequence of the last delivery that the client has stored. Sequences
/// start at 1 and grow by one for each envelope of the mailbox.
pub type Sequence = u64;

/// An Ed25519 signature in its two halves.
#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct SignatureBytes {
    /// The point R, compressed.
    pub r: [u8; 32],
    /// The scalar s.
    pub s: [u8; 32],
}

impl fmt::Debug for SignatureBytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { r: _, s: _ } = self;
        f.write_str("SignatureBytes(…)")
    }
}
