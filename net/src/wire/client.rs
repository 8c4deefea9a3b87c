//! What a client says on the control stream.

use std::fmt;

use bytes::{BufMut, Bytes, BytesMut};
use serde::de::{Error as _, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};

use super::payload::{
    Lengths, Payload, frames, lengths, put_bodies, put_postcard, take_bodies, take_postcard,
};
use super::{
    DeviceKey, EnvelopeId, Mark, PREKEYS_PER_FRAME_MAX, Sequence, SignatureBytes, StoreId,
};
use crate::frame::{FrameError, Frames};

frames! {
    /// What a client says on the control stream.
    ClientFrame {
        1 Login Payload::take,
        2 Claim Payload::take,
        3 PublishPrekeys Payload::take,
        4 TakeBundle Payload::take,
        5 Send |payload: Bytes| Send::take(&payload),
        6 Acknowledge Payload::take,
        7 WatchPresence Payload::take,
        8 LookUp Payload::take,
        9 SendEphemeral |payload: Bytes| SendEphemeral::take(&payload),
        10 LeaveMark Payload::take,
        11 WithdrawPrekeys Payload::take,
    }
}

/// Client: who I am, and from where to deliver (kind 1; the first frame of a connection).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Login {
    /// Minor version of the protocol that the client speaks.
    pub minor: u16,
    /// The device.
    pub device: DeviceKey,
    /// Proof of possession over this very connection (see [`crate::login`]).
    pub proof: SignatureBytes,
    /// The store that `after` counts in; another store delivers from the start.
    pub store: StoreId,
    /// Everything up to here has been stored by the client: deliver what follows, forget the rest.
    pub after: Sequence,
}

/// Client: bind this handle to my account (kind 2). Repeating one's own claim is harmless and
/// replaces the identity record.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Claim {
    /// Answered under this number.
    pub request: u32,
    /// The handle, lower case, at most 64 bytes.
    pub handle: String,
    /// The name shown to people, at most 64 bytes.
    pub name: String,
    /// The public identity, opaque here, at most 4 KiB.
    pub identity: Bytes,
}

/// Client: my public prekeys (kind 3).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PublishPrekeys {
    /// Answered under this number.
    pub request: u32,
    /// Replaces the signed prekey.
    pub signed: Option<Prekey>,
    /// Added to the one-time prekeys, at most 100; a known id is kept as it is.
    #[serde(deserialize_with = "few_prekeys")]
    pub one_time: Vec<Prekey>,
}

/// Refuses a list that is too long before there is memory for it: an empty prekey takes two bytes of
/// a frame and twenty times as many here.
fn few_prekeys<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<Prekey>, D::Error> {
    struct Few;

    impl<'de> Visitor<'de> for Few {
        type Value = Vec<Prekey>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            write!(f, "at most {PREKEYS_PER_FRAME_MAX} prekeys")
        }

        fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Vec<Prekey>, A::Error> {
            let mut prekeys = Vec::new();
            while let Some(prekey) = items.next_element()? {
                if prekeys.len() == PREKEYS_PER_FRAME_MAX {
                    return Err(A::Error::invalid_length(prekeys.len() + 1, &self));
                }
                prekeys.push(prekey);
            }
            Ok(prekeys)
        }
    }

    deserializer.deserialize_seq(Few)
}

/// Client: what mark did this device leave the last time, and which one to keep from now on (kind
/// 10). A client that finds a mark that it never left has been set back to an older state, or lives
/// twice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct LeaveMark {
    /// Answered under this number.
    pub request: u32,
    /// From now on; `None` leaves it as it is.
    pub mark: Option<Mark>,
}

/// Client: forget all prekeys of this device (kind 11): their secrets are lost.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct WithdrawPrekeys {
    /// Answered under this number.
    pub request: u32,
}

/// A public prekey.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Prekey {
    /// Its number, chosen by the client.
    pub id: u32,
    /// The signed record, opaque here, at most 2 KiB.
    pub record: Bytes,
}

/// Client: a bundle to start a session with this device (kind 4); takes one of its one-time
/// prekeys.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TakeBundle {
    /// Answered under this number.
    pub request: u32,
    /// Whose.
    pub device: DeviceKey,
}

/// Client: store an envelope for each target, all or none (kind 5).
///
/// Payload: the head (`request`, `id`, a list of device and body length) in postcard, then the
/// bodies one after the other, so that they are forwarded without a copy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Send {
    /// Answered under this number.
    pub request: u32,
    /// The envelope's id, one for all targets.
    pub id: EnvelopeId,
    /// For whom, and what; at most 128, each at most 64 KiB.
    pub targets: Vec<(DeviceKey, Bytes)>,
}

/// Client: stored everything up to here (kind 6).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Acknowledge {
    /// The last stored delivery.
    pub up_to: Sequence,
}

/// Client: tell me when these come and go (kind 7); replaces the earlier list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WatchPresence {
    /// At most 1,024 devices.
    pub devices: Vec<DeviceKey>,
}

/// Client: who is behind this handle (kind 8).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LookUp {
    /// Answered under this number.
    pub request: u32,
    /// The handle.
    pub handle: String,
}

/// Client: hand this to those who are there now, and to nobody later (kind 9, minor 1). No answer:
/// what it says is worth little in a moment.
///
/// Payload: a list of device and body length in postcard, then the bodies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SendEphemeral {
    /// For whom, and what; at most 128, each at most 4 KiB.
    pub targets: Vec<(DeviceKey, Bytes)>,
}

#[derive(Serialize, Deserialize)]
pub(super) struct SendHead {
    pub(super) request: u32,
    pub(super) id: EnvelopeId,
    pub(super) targets: Lengths,
}

impl Send {
    fn put(&self, out: &mut BytesMut) {
        let head = SendHead {
            request: self.request,
            id: self.id,
            targets: lengths(&self.targets),
        };
        put_postcard(&head, out);
        put_bodies(&self.targets, out);
    }

    fn take(payload: &Bytes) -> Option<Self> {
        let (head, rest) = take_postcard::<SendHead>(payload)?;
        Some(Self {
            request: head.request,
            id: head.id,
            targets: take_bodies(head.targets, rest)?,
        })
    }
}

impl SendEphemeral {
    fn put(&self, out: &mut BytesMut) {
        put_postcard(&lengths(&self.targets), out);
        put_bodies(&self.targets, out);
    }

    fn take(payload: &Bytes) -> Option<Self> {
        let (lengths, rest) = take_postcard(payload)?;
        let targets = take_bodies(lengths, rest)?;
        Some(Self { targets })
    }
}
