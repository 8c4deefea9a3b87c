//! The frames of each direction (WIRE §3–5).
//!
//! One enum per direction: a side cannot even parse its own messages. The kind byte and the
//! postcard layout of each payload are frozen by golden bytes in the tests below; a new kind of
//! frame gets a new byte, and a changed payload becomes a new kind.

use std::fmt;

use bytes::{Buf, BufMut, Bytes, BytesMut};
use serde::de::{DeserializeOwned, Error as _, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};

use crate::frame::{FrameError, Frames};

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

/// Relay: you are logged in (kind 1).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Welcome {
    /// Minor version of the protocol that the relay speaks.
    pub minor: u16,
    /// The life of the store.
    pub store: StoreId,
    /// Number of the signed prekey that is published.
    pub signed_prekey: Option<u32>,
    /// One-time prekeys that are left.
    pub one_time_prekeys: u32,
}

/// Relay: done (kind 2).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Done {
    /// The request.
    pub request: u32,
}

/// Relay: not done (kind 3).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refused {
    /// The request; 0 when it is the login or the whole connection.
    pub request: u32,
    /// Why.
    pub reason: Refusal,
    /// Worth another try after so many milliseconds; 0 when it is not known.
    pub retry_after_millis: u32,
}

/// Why the relay refuses. Unknown numbers of a newer relay are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "u16", into = "u16")]
pub enum Refusal {
    /// 1: the proof does not fit the device and this connection.
    Proof,
    /// 2: the relay does not speak this version.
    Version,
    /// 3: the handle belongs to another account.
    HandleTaken,
    /// 4: nobody has this handle, or the handle cannot be claimed here.
    HandleUnknown,
    /// 5: no such device.
    DeviceUnknown,
    /// 6: the device has published no prekeys.
    NoPrekeys,
    /// 7: the recipient's mailbox is full.
    MailboxFull,
    /// 8: something exceeds its limit.
    TooLarge,
    /// 9: too often.
    RateLimited,
    /// 10: the relay cannot store at the moment.
    Storage,
    /// 11: this device has logged in on another connection, which replaces this one.
    Replaced,
    /// A reason that this version does not know.
    Other(u16),
}

impl From<u16> for Refusal {
    fn from(number: u16) -> Self {
        match number {
            1 => Self::Proof,
            2 => Self::Version,
            3 => Self::HandleTaken,
            4 => Self::HandleUnknown,
            5 => Self::DeviceUnknown,
            6 => Self::NoPrekeys,
            7 => Self::MailboxFull,
            8 => Self::TooLarge,
            9 => Self::RateLimited,
            10 => Self::Storage,
            11 => Self::Replaced,
            other => Self::Other(other),
        }
    }
}

impl From<Refusal> for u16 {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::Proof => 1,
            Refusal::Version => 2,
            Refusal::HandleTaken => 3,
            Refusal::HandleUnknown => 4,
            Refusal::DeviceUnknown => 5,
            Refusal::NoPrekeys => 6,
            Refusal::MailboxFull => 7,
            Refusal::TooLarge => 8,
            Refusal::RateLimited => 9,
            Refusal::Storage => 10,
            Refusal::Replaced => 11,
            Refusal::Other(number) => number,
        }
    }
}

/// Relay: a bundle (kind 4).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Bundle {
    /// The request.
    pub request: u32,
    /// The record of the signed prekey.
    pub signed: Bytes,
    /// The record of a one-time prekey, which nobody else gets; `None` when none is left.
    pub one_time: Option<Bytes>,
}

/// Relay: a line of the directory (kind 5), as an answer or, with request 0, because it is news.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// The request, or 0.
    pub request: u32,
    /// The handle.
    pub handle: String,
    /// The name shown to people.
    pub name: String,
    /// The public identity; `None` for a seeded handle that nobody has claimed yet.
    pub identity: Option<Bytes>,
}

/// Relay: the one-time prekeys run low (kind 6).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct PrekeysLow {
    /// How many are left.
    pub left: u32,
}

/// Relay: a watched device came or went (kind 7).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Presence {
    /// The device.
    pub device: DeviceKey,
    /// Whether it is connected.
    pub online: bool,
}

/// Relay: about to close (kind 8).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct GoingAway {
    /// Come back after so many milliseconds; differs from client to client.
    pub reconnect_after_millis: u32,
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

/// A payload that knows its own layout.
trait Payload: Sized {
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

fn put_postcard(value: &impl Serialize, out: &mut BytesMut) {
    let start = out.len();
    if postcard::to_io(value, (&mut *out).writer()).is_err() {
        // Only a value that cannot be encoded at all fails (a map of unknown length, say), and no
        // payload holds one; an empty payload is refused by the other side.
        out.truncate(start);
    }
}

fn take_postcard<T: DeserializeOwned>(bytes: &Bytes) -> Option<(T, Bytes)> {
    let (value, rest) = postcard::take_from_bytes::<T>(bytes).ok()?;
    let start = bytes.len() - rest.len();
    Some((value, bytes.slice(start..)))
}

/// Bodies for devices: their lengths in front, the bodies themselves behind everything else.
type Lengths = Vec<(DeviceKey, u32)>;

fn lengths(targets: &[(DeviceKey, Bytes)]) -> Lengths {
    let length = |body: &Bytes| u32::try_from(body.len()).unwrap_or(u32::MAX);
    targets
        .iter()
        .map(|(device, body)| (*device, length(body)))
        .collect()
}

fn put_bodies(targets: &[(DeviceKey, Bytes)], out: &mut BytesMut) {
    for (_, body) in targets {
        out.put_slice(body);
    }
}

/// Cuts the bodies off `rest`, which must end with them.
fn take_bodies(lengths: Lengths, mut rest: Bytes) -> Option<Vec<(DeviceKey, Bytes)>> {
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

#[derive(Serialize, Deserialize)]
struct SendHead {
    request: u32,
    id: EnvelopeId,
    targets: Lengths,
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
    }
}

frames! {
    /// What a relay says on the control stream.
    RelayFrame {
        1 Welcome Payload::take,
        2 Done Payload::take,
        3 Refused Payload::take,
        4 Bundle Payload::take,
        5 Entry Payload::take,
        6 PrekeysLow Payload::take,
        7 Presence Payload::take,
        8 GoingAway Payload::take,
    }
}

frames! {
    /// What a relay says on the delivery stream.
    DeliveryFrame {
        1 Delivery |payload: Bytes| Delivery::take(&payload),
        2 CaughtUp Payload::take,
        3 Ephemeral |body: Bytes| Some(Ephemeral { body }),
    }
}

#[cfg(test)]
mod tests {
    use data_encoding::HEXLOWER;

    use super::*;
    use crate::frame::put_frame;

    /// The specification, which lists each sample with its bytes.
    const SPECIFICATION: &str = include_str!("../WIRE.md");

    const DEVICE: DeviceKey = DeviceKey([0xd1; 32]);
    const OTHER: DeviceKey = DeviceKey([0xd2; 32]);
    const ENVELOPE: EnvelopeId = EnvelopeId([0xe1; 16]);
    const STORE: StoreId = StoreId([0x51; 16]);

    fn prekey(id: u32, record: &'static [u8]) -> Prekey {
        Prekey {
            id,
            record: Bytes::from_static(record),
        }
    }

    /// One frame of each kind that a client sends.
    fn client_frames() -> Vec<ClientFrame> {
        vec![
            Login {
                minor: 0,
                device: DEVICE,
                proof: SignatureBytes {
                    r: [0xaa; 32],
                    s: [0xbb; 32],
                },
                store: STORE,
                after: 300,
            }
            .into(),
            Claim {
                request: 1,
                handle: "alice".to_owned(),
                name: "Alice".to_owned(),
                identity: Bytes::from_static(b"identity"),
            }
            .into(),
            PublishPrekeys {
                request: 2,
                signed: Some(prekey(7, b"signed")),
                one_time: vec![prekey(200, b"one"), prekey(201, b"two")],
            }
            .into(),
            TakeBundle {
                request: 3,
                device: DEVICE,
            }
            .into(),
            Send {
                request: 4,
                id: ENVELOPE,
                targets: vec![
                    (DEVICE, Bytes::from_static(b"body")),
                    (OTHER, Bytes::from_static(b"other body")),
                ],
            }
            .into(),
            Acknowledge { up_to: 300 }.into(),
            WatchPresence {
                devices: vec![DEVICE, OTHER],
            }
            .into(),
            LookUp {
                request: 5,
                handle: "bob".to_owned(),
            }
            .into(),
            SendEphemeral {
                targets: vec![
                    (DEVICE, Bytes::from_static(b"typing")),
                    (OTHER, Bytes::new()),
                ],
            }
            .into(),
        ]
    }

    /// One frame of each kind that a relay sends on the control stream, and both forms of what
    /// may be missing.
    fn relay_frames() -> Vec<RelayFrame> {
        let welcome = |signed_prekey| Welcome {
            minor: 0,
            store: STORE,
            signed_prekey,
            one_time_prekeys: 100,
        };
        let bundle = |one_time| Bundle {
            request: 3,
            signed: Bytes::from_static(b"signed"),
            one_time,
        };
        let entry = |request, identity| Entry {
            request,
            handle: "bob".to_owned(),
            name: "Bob".to_owned(),
            identity,
        };
        vec![
            welcome(Some(7)).into(),
            welcome(None).into(),
            Done { request: 4 }.into(),
            Refused {
                request: 300,
                reason: Refusal::MailboxFull,
                retry_after_millis: 5_000,
            }
            .into(),
            bundle(Some(Bytes::from_static(b"one"))).into(),
            bundle(None).into(),
            entry(5, Some(Bytes::from_static(b"identity"))).into(),
            entry(0, None).into(),
            PrekeysLow { left: 29 }.into(),
            Presence {
                device: DEVICE,
                online: true,
            }
            .into(),
            GoingAway {
                reconnect_after_millis: 1_500,
            }
            .into(),
        ]
    }

    fn delivery_frames() -> Vec<DeliveryFrame> {
        vec![
            Delivery {
                sequence: 300,
                id: ENVELOPE,
                body: Bytes::from_static(b"body"),
            }
            .into(),
            CaughtUp { sequence: 300 }.into(),
            Ephemeral {
                body: Bytes::from_static(b"typing"),
            }
            .into(),
        ]
    }

    fn encoded(frame: &impl Frames) -> Bytes {
        let mut bytes = BytesMut::new();
        put_frame(frame, &mut bytes);
        bytes.freeze()
    }

    /// Takes length and kind off, as the reader does.
    fn decoded<F: Frames>(mut bytes: Bytes) -> Result<Option<F>, FrameError> {
        let length = bytes.get_u32();
        assert_eq!(length as usize, bytes.len());
        let kind = bytes.get_u8();
        F::decode(kind, bytes)
    }

    /// What every sample must do.
    fn check<F: Frames + PartialEq + fmt::Debug>(direction: &str, frames: Vec<F>) {
        let section = SPECIFICATION
            .split("\n### ")
            .find(|section| section.starts_with(direction))
            .expect("a section of the specification");
        let listed: Vec<_> = section
            .lines()
            .filter_map(|line| line.strip_prefix("hex "))
            .collect();
        let written: Vec<_> = frames
            .iter()
            .map(|frame| HEXLOWER.encode(&encoded(frame)))
            .collect();
        assert_eq!(written, listed, "{direction}");
        for frame in frames {
            let bytes = encoded(&frame);
            assert_eq!(decoded::<F>(bytes.clone()).unwrap(), Some(frame));
        }
    }

    #[test]
    fn every_frame_has_the_bytes_that_the_specification_lists() {
        check("Client to relay", client_frames());
        check("Relay to client", relay_frames());
        check("Delivery stream", delivery_frames());
    }

    /// Cuts each payload at each byte, and lengthens it by one. A body that ends with its frame
    /// may be of any length; every other payload is refused.
    fn check_cuts<F: Frames + fmt::Debug>(frames: &[F], head_bytes: impl Fn(&F) -> Option<usize>) {
        for frame in frames {
            let mut bytes = encoded(frame).slice(4..);
            let kind = bytes.get_u8();
            let refused = head_bytes(frame).unwrap_or(bytes.len());
            for cut in 0..refused {
                let outcome = F::decode(kind, bytes.slice(..cut));
                assert!(
                    matches!(outcome, Err(FrameError::Malformed)),
                    "{frame:?} cut at {cut}: {outcome:?}"
                );
            }
            if head_bytes(frame).is_none() {
                let longer = Bytes::from([&bytes[..], &[0]].concat());
                assert!(matches!(
                    F::decode(kind, longer),
                    Err(FrameError::Malformed)
                ));
            }
        }
    }

    #[test]
    fn a_payload_that_is_cut_or_lengthened_is_refused() {
        check_cuts(&client_frames(), |_| None);
        check_cuts(&relay_frames(), |_| None);
        check_cuts(&delivery_frames(), |frame| match frame {
            // Sequence 300 in two bytes, then the id.
            DeliveryFrame::Delivery(_) => Some(18),
            DeliveryFrame::CaughtUp(_) => None,
            DeliveryFrame::Ephemeral(_) => Some(0),
        });
    }

    #[test]
    fn a_send_that_announces_too_much_is_refused_before_it_is_allocated() {
        let head = |targets: Vec<(DeviceKey, u32)>| {
            let mut payload = BytesMut::new();
            let head = SendHead {
                request: 1,
                id: ENVELOPE,
                targets,
            };
            put_postcard(&head, &mut payload);
            ClientFrame::decode(5, payload.freeze())
        };
        assert!(head(Vec::new()).unwrap().is_some());
        assert!(head(vec![(DEVICE, 0); TARGETS_MAX]).unwrap().is_some());
        assert!(head(vec![(DEVICE, 0); TARGETS_MAX + 1]).is_err());
        assert!(head(vec![(DEVICE, 1)]).is_err());
        assert!(head(vec![(DEVICE, u32::MAX)]).is_err());
        // A list of 2^32 - 1 devices in a payload of a few bytes.
        let mut endless = vec![1];
        endless.extend_from_slice(&ENVELOPE.0);
        endless.extend_from_slice(&[0xff, 0xff, 0xff, 0xff, 0x0f]);
        assert!(ClientFrame::decode(5, Bytes::from(endless)).is_err());
    }

    #[test]
    fn a_publication_of_too_many_prekeys_is_refused_while_it_is_read() {
        let publication = |count: u32| {
            let frame = PublishPrekeys {
                request: 1,
                signed: None,
                one_time: (0..count).map(|id| prekey(id, b"")).collect(),
            };
            let mut payload = BytesMut::new();
            put_postcard(&frame, &mut payload);
            ClientFrame::decode(3, payload.freeze())
        };
        assert!(publication(100).unwrap().is_some());
        assert!(publication(101).is_err());
        // As many as a frame could announce, of which none is there.
        assert!(ClientFrame::decode(3, Bytes::from_static(&[1, 0, 0xff, 0xff, 0x0f])).is_err());
    }

    #[test]
    fn an_unknown_kind_is_passed_over_and_an_unknown_reason_is_kept() {
        let payload = Bytes::from_static(b"of a newer version");
        for kind in [0, 10, 255] {
            assert_eq!(ClientFrame::decode(kind, payload.clone()).unwrap(), None);
            assert_eq!(RelayFrame::decode(kind, payload.clone()).unwrap(), None);
            assert_eq!(DeliveryFrame::decode(kind, payload.clone()).unwrap(), None);
        }
        for number in 0..=300 {
            let reason = Refusal::from(number);
            assert_eq!(u16::from(reason), number);
            assert_eq!(
                matches!(reason, Refusal::Other(_)),
                !(1..=11).contains(&number)
            );
        }
    }

    /// What a relay says of time is how long to wait, never what time it is: it has nothing to lie
    /// about. A new field or frame does not compile here before somebody has thought of that.
    #[test]
    fn r19_no_frame_of_a_relay_carries_a_time() {
        /// All that a frame says of time.
        fn wait_millis(frame: &RelayFrame) -> Option<u32> {
            match frame {
                RelayFrame::Welcome(Welcome {
                    minor: _,
                    store: StoreId(_),
                    signed_prekey: _,
                    one_time_prekeys: _,
                })
                | RelayFrame::Done(Done { request: _ })
                | RelayFrame::Bundle(Bundle {
                    request: _,
                    signed: _,
                    one_time: _,
                })
                | RelayFrame::Entry(Entry {
                    request: _,
                    handle: _,
                    name: _,
                    identity: _,
                })
                | RelayFrame::PrekeysLow(PrekeysLow { left: _ })
                | RelayFrame::Presence(Presence {
                    device: _,
                    online: _,
                }) => None,
                RelayFrame::Refused(Refused {
                    request: _,
                    reason: _,
                    retry_after_millis,
                }) => Some(*retry_after_millis),
                RelayFrame::GoingAway(GoingAway {
                    reconnect_after_millis,
                }) => Some(*reconnect_after_millis),
            }
        }
        for frame in delivery_frames() {
            match frame {
                DeliveryFrame::Delivery(Delivery {
                    sequence: _,
                    id: _,
                    body: _,
                })
                | DeliveryFrame::CaughtUp(CaughtUp { sequence: _ })
                | DeliveryFrame::Ephemeral(Ephemeral { body: _ }) => {}
            }
        }
        let waits: Vec<_> = relay_frames().iter().filter_map(wait_millis).collect();
        assert_eq!(waits, [5_000, 1_500]);
    }

    #[test]
    fn ids_and_proofs_do_not_show_in_debug_output() {
        let [login, ..] = &client_frames()[..] else {
            panic!("no login");
        };
        let text = format!("{login:?} {ENVELOPE:?}");
        assert!(text.contains("d1d1…") && text.contains("e1e1…"), "{text}");
        assert!(
            !text.contains("170, 170") && !text.contains("209, 209"),
            "{text}"
        );
    }
}
