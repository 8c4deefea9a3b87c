//! How payloads and the enums of each direction are written and read.

use bytes::{Buf, BufMut, Bytes, BytesMut};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::{DeviceKey, TARGETS_MAX};

/// A payload that knows its own layout.
pub(super) trait Payload: Sized {
    fn put(&self, out: &mut BytesMut);
    fn take(payload: Bytes) -> Option<Self>;
}

impl<T: Serialize + DeserializeOwned> Payload for T {
    fn put(&self, out: &mut BytesMut) {
        put_postcard(self, out);
    }

    fn take(payload: Bytes) -> Option<Self> {
        take_postcard(&payload)
            .filter(|(_, rest)| rest.is_empty())
            .map(|(value, _)| value)
    }
}

pub(super) fn put_postcard(value: &impl Serialize, out: &mut BytesMut) {
    let start = out.len();
    if postcard::to_io(value, (&mut *out).writer()).is_err() {
        // Only a value that cannot be encoded at all fails (a map of unknown length, say), and no
        // payload holds one; an empty payload is refused by the other side.
        out.truncate(start);
    }
}

pub(super) fn take_postcard<T: DeserializeOwned>(bytes: &Bytes) -> Option<(T, Bytes)> {
    let (value, rest) = postcard::take_from_bytes::<T>(bytes).ok()?;
    let start = bytes.len() - rest.len();
    Some((value, bytes.slice(start..)))
}

/// Bodies for devices: their lengths in front, the bodies themselves behind everything else.
pub(super) type Lengths = Vec<(DeviceKey, u32)>;

pub(super) fn lengths(targets: &[(DeviceKey, Bytes)]) -> Lengths {
    let length = |body: &Bytes| u32::try_from(body.len()).unwrap_or(u32::MAX);
    targets
        .iter()
        .map(|(device, body)| (*device, length(body)))
        .collect()
}

pub(super) fn put_bodies(targets: &[(DeviceKey, Bytes)], out: &mut BytesMut) {
    for (_, body) in targets {
        out.put_slice(body);
    }
}

/// Cuts the bodies off `rest`, which must end with them.
pub(super) fn take_bodies(lengths: Lengths, mut rest: Bytes) -> Option<Vec<(DeviceKey, Bytes)>> {
    if lengths.len() > TARGETS_MAX {
        return None;
    }
    let mut targets = Vec::with_capacity(lengths.len());
    for (device, bytes) in lengths {
        let bytes = usize::try_from(bytes).ok()?;
        if bytes > rest.remaining() {
            return None;
        }
        targets.push((device, rest.split_to(bytes)));
    }
    rest.is_empty().then_some(targets)
}

/// One direction: its frames with their kinds, and how each payload is taken.
macro_rules! frames {
    ($(#[$doc:meta])* $name:ident { $($kind:literal $variant:ident $take:expr,)* }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq)]
        #[non_exhaustive]
        pub enum $name {
            $(#[doc = concat!("Kind ", $kind, ".")] $variant($variant),)*
        }

        impl Frames for $name {
            fn encode(&self, out: &mut BytesMut) {
                match self {
                    $(Self::$variant(payload) => {
                        out.put_u8($kind);
                        payload.put(out);
                    })*
                }
            }

            fn decode(kind: u8, payload: Bytes) -> Result<Option<Self>, FrameError> {
                Ok(Some(match kind {
                    $($kind => Self::$variant($take(payload).ok_or(FrameError::Malformed)?),)*
                    _ => return Ok(None),
                }))
            }
        }

        $(impl From<$variant> for $name {
            fn from(payload: $variant) -> Self {
                Self::$variant(payload)
            }
        })*
    };
}

pub(super) use frames;
