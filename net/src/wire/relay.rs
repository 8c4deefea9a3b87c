//! What a relay says on the control stream.

use bytes::{BufMut, Bytes, BytesMut};
use serde::{Deserialize, Serialize};

use super::payload::{Payload, frames};
use super::{DeviceKey, Mark, StoreId};
use crate::frame::{FrameError, Frames};

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
        9 PreviousMark Payload::take,
    }
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

/// Relay: the mark that this device left before (kind 9).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct PreviousMark {
    /// The request.
    pub request: u32,
    /// The last mark; `None` if there was none.
    pub mark: Option<Mark>,
}
