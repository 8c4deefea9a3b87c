//! The stored record `StoredSessionV1` (PROTOCOL §9.3).

use std::sync::Arc;

use zeroize::Zeroizing;

use super::{Announcement, Role, RootKey, Session, Turn};
use crate::chain::{
    CHAINS_MAX, ChainKey, MessageKey, ReceiveChain, SKIPPED_MAX, SendChain, SkippedKey,
};
use crate::codec::{Reader, Writer, length_u32};
use crate::handshake::{HANDSHAKE_BYTES_MAX, HandshakeView};
use crate::header::{HeaderKeys, StepAnnouncement};
use crate::ids::{AccountId, DeviceId, SessionId};
use crate::kem::{KemPublic, KemSecret, PUBLIC_BYTES};
use crate::stored::StoredError;

const VERSION: u8 = 1;

impl Session {
    /// The stored record; at most about 53 kB, usually 1 to 6.
    ///
    /// # Security
    /// Holds every secret of the session; it belongs into the encrypted vault.
    pub fn to_stored(&self) -> Zeroizing<Vec<u8>> {
        let mut writer = Writer::with_capacity(8192)
            .u8(VERSION)
            .raw(self.id.as_bytes())
            .u8(self.role.byte())
            .raw(self.peer.as_bytes())
            .raw(self.peer_account.as_bytes())
            .raw(&self.root.0);
        writer = match &self.turn {
            Turn::Ours(public) => writer.u8(0).raw(public.as_bytes()),
            Turn::Theirs(secret) => writer.u8(1).raw(secret.seed().as_slice()),
        };
        writer = match &self.sending {
            None => writer.u8(0),
            Some(chain) => header_keys(writer.u8(1).u32(chain.epoch), &chain.header)
                .raw(chain.key.as_bytes())
                .u32(chain.next),
        };
        writer = writer.u32(self.previous_count);
        writer = header_keys(writer, &self.next_send);
        writer = header_keys(writer, &self.next_receive);
        writer = match &self.announcement {
            Announcement::Settled => writer.u8(0),
            Announcement::Step(step) => writer
                .u8(1)
                .raw(&step.ciphertext)
                .raw(step.public.as_bytes()),
            Announcement::Handshake {
                bytes,
                has_one_time,
            } => writer.u8(2).u8(u8::from(*has_one_time)).lp(bytes),
        };
        writer = writer
            .u64(self.stepped_secs)
            .u8(u8::from(self.acknowledged))
            .u32(length_u32(self.receiving.len()));
        self.receiving.iter().fold(writer, receive_chain).secret()
    }

    /// Reads a stored record.
    ///
    /// # Errors
    /// [`StoredError`]; no bytes panic.
    pub fn from_stored(bytes: &[u8]) -> Result<Self, StoredError> {
        let mut reader = StoredError::reader(bytes, VERSION)?;
        Self::read(&mut reader)
            .filter(|_| reader.finish().is_some())
            .ok_or(StoredError::Malformed)
    }

    fn read(reader: &mut Reader<'_>) -> Option<Self> {
        let session = Self {
            id: SessionId::from_bytes(reader.array()?),
            role: read_choice(reader, [Role::Initiator, Role::Responder])?,
            peer: DeviceId::from_bytes(reader.array()?),
            peer_account: AccountId::from_bytes(reader.array()?),
            root: RootKey(reader.array()?),
            turn: match reader.u8()? {
                0 => Turn::Ours(Arc::new(KemPublic::decode(reader.raw(PUBLIC_BYTES)?)?)),
                1 => {
                    let seed = Zeroizing::new(reader.array()?);
                    Turn::Theirs(Arc::new(KemSecret::from_seed(&seed)))
                }
                _ => return None,
            },
            sending: match reader.u8()? {
                0 => None,
                1 => Some(SendChain {
                    epoch: reader.u32()?,
                    header: read_header_keys(reader)?,
                    key: ChainKey::new(reader.array()?),
                    next: reader.u32()?,
                }),
                _ => return None,
            },
            previous_count: reader.u32()?,
            next_send: read_header_keys(reader)?,
            next_receive: read_header_keys(reader)?,
            announcement: read_announcement(reader)?,
            stepped_secs: reader.u64()?,
            acknowledged: read_choice(reader, [false, true])?,
            receiving: read_receive_chains(reader)?,
        };
        // Without a chain to send in, the first message must make a step.
        let can_send = session.sending.is_some() || matches!(session.turn, Turn::Ours(_));
        can_send.then_some(session)
    }
}

fn header_keys(writer: Writer, keys: &HeaderKeys) -> Writer {
    writer.raw(&keys.encryption).raw(&keys.tag)
}

fn read_header_keys(reader: &mut Reader<'_>) -> Option<HeaderKeys> {
    Some(HeaderKeys {
        encryption: reader.array()?,
        tag: reader.array()?,
    })
}

fn read_choice<T: Copy>(reader: &mut Reader<'_>, choices: [T; 2]) -> Option<T> {
    choices.get(usize::from(reader.u8()?)).copied()
}

fn read_announcement(reader: &mut Reader<'_>) -> Option<Announcement> {
    Some(match reader.u8()? {
        0 => Announcement::Settled,
        1 => Announcement::Step(Arc::new(StepAnnouncement::read(reader)?)),
        2 => {
            let has_one_time = read_choice(reader, [false, true])?;
            let bytes = reader.lp(HANDSHAKE_BYTES_MAX)?;
            let mut inner = Reader::new(bytes);
            HandshakeView::read(&mut inner, has_one_time)?;
            inner.finish()?;
            Announcement::Handshake {
                bytes: bytes.into(),
                has_one_time,
            }
        }
        _ => return None,
    })
}

fn receive_chain(writer: Writer, chain: &ReceiveChain) -> Writer {
    let mut writer = header_keys(writer.u32(chain.epoch), &chain.header);
    writer = match &chain.live {
        None => writer.u8(0),
        Some((key, next)) => writer.u8(1).raw(key.as_bytes()).u32(*next),
    };
    writer = writer.u32(length_u32(chain.skipped.len()));
    chain.skipped.iter().fold(writer, |writer, skipped| {
        writer
            .u32(skipped.n)
            .u64(skipped.since_secs)
            .raw(skipped.key.as_bytes())
    })
}

/// Reads the chains and checks what the ratchet relies on: ascending epochs, only the last chain
/// live, skipped keys ascending and few.
fn read_receive_chains(reader: &mut Reader<'_>) -> Option<Vec<ReceiveChain>> {
    let count = usize::try_from(reader.u32()?).ok()?;
    if count > CHAINS_MAX {
        return None;
    }
    let mut chains = Vec::with_capacity(count);
    let mut held = 0;
    for _ in 0..count {
        let chain = read_receive_chain(reader)?;
        held += chain.skipped.len();
        chains.push(chain);
    }
    let ordered = chains.is_sorted_by(|a, b| a.epoch < b.epoch);
    let only_last_is_live = chains
        .iter()
        .rev()
        .enumerate()
        .all(|(back, chain)| chain.live.is_some() == (back == 0));
    (ordered && only_last_is_live && held <= SKIPPED_MAX).then_some(chains)
}

fn read_receive_chain(reader: &mut Reader<'_>) -> Option<ReceiveChain> {
    let epoch = reader.u32()?;
    let header = read_header_keys(reader)?;
    let live = match reader.u8()? {
        0 => None,
        1 => Some((ChainKey::new(reader.array()?), reader.u32()?)),
        _ => return None,
    };
    let count = usize::try_from(reader.u32()?).ok()?;
    if count > SKIPPED_MAX {
        return None;
    }
    let mut skipped = Vec::with_capacity(count);
    for _ in 0..count {
        skipped.push(SkippedKey {
            n: reader.u32()?,
            since_secs: reader.u64()?,
            key: MessageKey::new(reader.array()?),
        });
    }
    skipped
        .is_sorted_by(|a: &SkippedKey, b| a.n < b.n)
        .then_some(ReceiveChain {
            epoch,
            header,
            live,
            skipped,
        })
}
