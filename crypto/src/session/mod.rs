//! A conversation between two devices: the KEM ratchet (PROTOCOL §4).
//!
//! A session never changes: sealing and opening give the next one beside their output.

#[cfg(test)]
mod forge;
#[cfg(all(fuzzing, not(test)))]
mod forge;
mod open;
#[cfg(test)]
mod schedules;
mod seal;
mod step;
mod stored;
#[cfg(test)]
mod tests;

use std::fmt;
use std::sync::Arc;

use rand::CryptoRng;
use thiserror::Error;
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

#[cfg(any(test, fuzzing))]
pub(crate) use self::forge::Forgery;
pub use self::seal::SealError;
pub use self::step::{Accepted, Opened, Step};
use crate::bundle::VerifiedBundle;
use crate::chain::{ChainKey, ReceiveChain, SendChain};
use crate::codec::lp_all;
use crate::handshake;
use crate::header::{HeaderKeys, StepAnnouncement};
use crate::identity::Identity;
use crate::ids::{AccountId, DeviceId, SessionId};
use crate::kdf;
use crate::kem::{KemPublic, KemSecret};
use crate::packet::{Binding, OpenError, Packet};
use crate::planted;
use crate::prekey::PrekeySecret;

/// Why no session was started.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum StartError {
    /// The bundle is that of this very device.
    #[error("a device cannot talk to itself")]
    Oneself,
    /// The peer's RSA key refused to wrap a secret.
    #[error("the key exchange failed")]
    KeyExchange,
}

/// Which side of the handshake this is; also the direction of its messages.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Role {
    Initiator,
    Responder,
}

impl Role {
    const fn byte(self) -> u8 {
        match self {
            Self::Initiator => 0,
            Self::Responder => 1,
        }
    }

    const fn peer(self) -> Self {
        match self {
            Self::Initiator => Self::Responder,
            Self::Responder => Self::Initiator,
        }
    }
}

/// `RK`: every step's secrets go into it.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
struct RootKey([u8; 32]);

/// Who may make the next step. The sides take turns, so that steps never cross (PROTOCOL §4.3).
#[derive(Clone)]
enum Turn {
    /// This side: it holds a key of the peer that it has not used.
    Ours(Arc<KemPublic>),
    /// The peer, for the key whose secret this is.
    Theirs(Arc<KemSecret>),
}

/// What goes along with every message until the peer is known to have it.
#[derive(Clone)]
enum Announcement {
    /// Nothing.
    Settled,
    /// The step that began the chain in which this side sends.
    Step(Arc<StepAnnouncement>),
    /// The handshake that began the session.
    Handshake {
        bytes: Arc<[u8]>,
        has_one_time: bool,
    },
}

/// The state of a conversation with one device. Its large parts never change and are shared by the
/// copies that sealing and opening make.
#[derive(Clone)]
pub struct Session {
    id: SessionId,
    role: Role,
    peer: DeviceId,
    peer_account: AccountId,
    root: RootKey,
    turn: Turn,
    /// `None` only for a responder that has not yet sent: its first message makes a step.
    sending: Option<SendChain>,
    /// Messages sent in the chain before `sending`.
    previous_count: u32,
    /// Headers of the next chain in each direction.
    next_send: HeaderKeys,
    next_receive: HeaderKeys,
    /// Oldest first; at most the last is live.
    receiving: Vec<ReceiveChain>,
    announcement: Announcement,
    /// When this side last made a step, Unix time in seconds.
    stepped_secs: u64,
    acknowledged: bool,
}

impl Session {
    /// Starts a session with the owner of a verified bundle. Nothing is sent yet: the handshake
    /// goes with each packet until the peer's answer (PROTOCOL §3.2).
    ///
    /// # Errors
    /// [`StartError`].
    pub fn start(
        identity: &Identity,
        bundle: &VerifiedBundle,
        now_secs: u64,
        rng: &mut (impl CryptoRng + ?Sized),
    ) -> Result<Self, StartError> {
        let peer = bundle.peer();
        if peer.device_id() == identity.public().device_id() {
            return Err(StartError::Oneself);
        }
        let started = handshake::initiate(identity, bundle, rng).ok_or(StartError::KeyExchange)?;
        let keys = started.keys;
        Ok(Self {
            id: keys.session_id,
            role: Role::Initiator,
            peer: peer.device_id(),
            peer_account: peer.account_id(),
            root: RootKey(*keys.root),
            turn: Turn::Theirs(Arc::new(started.ratchet_secret)),
            sending: Some(SendChain {
                epoch: 0,
                header: keys.chain_header,
                key: ChainKey::new(*keys.chain),
                next: 0,
            }),
            previous_count: 0,
            next_send: keys.next_initiator,
            next_receive: keys.next_responder,
            receiving: Vec::new(),
            announcement: Announcement::Handshake {
                bytes: started.bytes.into(),
                has_one_time: started.has_one_time,
            },
            stepped_secs: now_secs,
            acknowledged: false,
        })
    }

    /// Accepts the session that a packet with a handshake starts, and opens the message in it.
    /// Afterwards the one-time prekey must be deleted, in the same transaction that stores the
    /// session (PROTOCOL §3.4).
    ///
    /// # Errors
    /// [`OpenError::NotAuthentic`], whatever was wrong.
    ///
    /// # Security
    /// The caller refuses a handshake whose digest it has accepted before, and never answers a
    /// packet that fails.
    pub fn accept(
        identity: &Identity,
        signed: &PrekeySecret,
        one_time: Option<&PrekeySecret>,
        packet: &Packet<'_>,
        now_secs: u64,
        rng: &mut (impl CryptoRng + ?Sized),
    ) -> Result<Accepted, OpenError> {
        let view = packet.handshake.ok_or(OpenError::NotAuthentic)?;
        let answered = handshake::respond(identity, signed, one_time, &view, rng)
            .ok_or(OpenError::NotAuthentic)?;
        let keys = answered.keys;
        let session = Self {
            id: keys.session_id,
            role: Role::Responder,
            peer: answered.peer.device_id(),
            peer_account: answered.peer.account_id(),
            root: RootKey(*keys.root),
            turn: Turn::Ours(Arc::new(answered.ratchet_key)),
            sending: None,
            previous_count: 0,
            next_send: keys.next_responder,
            next_receive: keys.next_initiator,
            receiving: vec![ReceiveChain::new(
                0,
                keys.chain_header,
                ChainKey::new(*keys.chain),
            )],
            announcement: Announcement::Settled,
            stepped_secs: now_secs,
            acknowledged: false,
        };
        let opened = session.open(packet, now_secs, rng)?;
        Ok(Accepted {
            session: opened.next,
            peer: answered.peer,
            opened: opened.output,
        })
    }

    /// The id that both sides derived. If two people started sessions at the same time, both send
    /// in the one with the smaller id (PROTOCOL §3.5).
    pub fn id(&self) -> SessionId {
        self.id
    }

    /// The device at the other end: the author of everything that this session opens.
    pub fn peer(&self) -> DeviceId {
        self.peer
    }

    /// The account of the device at the other end.
    pub fn peer_account(&self) -> AccountId {
        self.peer_account
    }

    /// Whether a message of the peer was opened in this session, so that the peer surely has it.
    pub fn is_acknowledged(&self) -> bool {
        self.acknowledged
    }

    /// ``RK, CK, NHK = HKDF-Expand(HKDF-Extract(salt RK, ss), "Sotto/1 skr step" || SID || e ||
    /// H(ct || ek'), 96)``
    fn step_keys(
        &self,
        epoch: u32,
        announcement: &StepAnnouncement,
        shared: &[u8; 32],
    ) -> (RootKey, ChainKey, HeaderKeys) {
        let hash = kdf::hash(&[
            b"Sotto/1 skr keys",
            &announcement.ciphertext,
            announcement.public.as_bytes(),
        ]);
        let prk = kdf::extract(&self.root.0, &[shared]);
        let epoch = epoch.to_be_bytes();
        let info: [&[u8]; 4] = [b"Sotto/1 skr step", self.id.as_bytes(), &epoch, &hash];
        let keys = kdf::expand::<96>(&prk, &info);
        (
            RootKey(*kdf::part(&keys, 0)),
            ChainKey::new(*kdf::part(&keys, 1)),
            HeaderKeys::derive(&kdf::part(&keys, 2)),
        )
    }

    /// The additional data of a body: session, direction, and the whole packet before it.
    fn body_aad(&self, author: Role, binding: Binding<'_>, header: &[u8]) -> Zeroizing<Vec<u8>> {
        let Binding {
            prefix,
            handshake,
            tag,
            nonce,
        } = binding;
        let session = if planted::is("session_not_in_aad") {
            &[]
        } else {
            &self.id.as_bytes()[..]
        };
        lp_all(&[
            b"Sotto/1 aad",
            session,
            &[author.byte()],
            &prefix,
            handshake,
            nonce,
            tag,
            header,
        ])
    }
}

impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            id,
            role: _,
            peer,
            peer_account,
            root: _,
            turn: _,
            sending: _,
            previous_count: _,
            next_send: _,
            next_receive: _,
            receiving: _,
            announcement: _,
            stepped_secs: _,
            acknowledged,
        } = self;
        f.debug_struct("Session")
            .field("id", id)
            .field("peer", peer)
            .field("peer_account", peer_account)
            .field("acknowledged", acknowledged)
            .finish_non_exhaustive()
    }
}
