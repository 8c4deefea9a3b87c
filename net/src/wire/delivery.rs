//! What a relay says on the delivery stream.

use bytes::{BufMut, Bytes, BytesMut};
use serde::{Deserialize, Serialize};

use super::payload::{Payload, frames, put_postcard, take_postcard};
use super::{EnvelopeId, Sequence};
use crate::frame::{FrameError, Frames};

frames! {
    /// What a relay says on the delivery stream.
    DeliveryFrame {
        1 Delivery |payload: Bytes| Delivery::take(&payload),
        2 CaughtUp Payload::take,
        3 Ephemeral |body: Bytes| Some(Ephemeral { body }),
    }
}

/// Delivery stream: an envelope (kind 1). Payload: sequence and id in postcard, then the body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delivery {
    /// Its place in the mailbox.
    pub sequence: Sequence,
    /// The envelope's id.
    pub id: EnvelopeId,
    /// The sealed body.
    pub body: Bytes,
}

/// Delivery stream: everything stored before has been delivered; live from here (kind 2).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct CaughtUp {
    /// Delivered up to here; 0 when there never was anything.
    pub sequence: Sequence,
}

/// Delivery stream: an envelope that was not stored (kind 3, minor 1). It has no place in the mailbox
/// and is not acknowledged. Payload: the body alone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ephemeral {
    /// The sealed body.
    pub body: Bytes,
}

impl Ephemeral {
    fn put(&self, out: &mut BytesMut) {
        out.put_slice(&self.body);
    }
}

impl Delivery {
    fn put(&self, out: &mut BytesMut) {
        put_postcard(&(self.sequence, self.id), out);
        out.put_slice(&self.body);
    }

    fn take(payload: &Bytes) -> Option<Self> {
        let ((sequence, id), body) = take_postcard(payload)?;
        Some(Self { sequence, id, body })
    }
}
