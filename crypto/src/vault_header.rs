//! The vault's header: the master key, wrapped once for each way to open it (PROTOCOL §7).

use std::fmt;

use rand::CryptoRng;
use thiserror::Error;
use zeroize::Zeroizing;

use crate::aead;
use crate::argon2_cost::Argon2Cost;
use crate::codec::{Reader, Writer, length_u32, lp_all};
use crate::kdf;
use crate::master_key::MasterKey;
use crate::recovery_code::RecoveryCode;

const MAGIC: &[u8; 8] = b"SottoVlt";
const VERSION: u8 = 1;
const SALT_BYTES: usize = 32;
/// Ways to open one vault; there is room for more kinds than there are.
const SLOTS_MAX: usize = 8;
const WRAPPED_BYTES: usize = 32 + aead::TAG_BYTES;

/// Why bytes are not a usable vault header, or why none was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum VaultHeaderError {
    /// The bytes are no vault header.
    #[error("malformed vault header")]
    Malformed,
    /// The vault was written by a later version of the program.
    #[error("vault of version {version}")]
    Newer {
        /// The version found.
        version: u8,
    },
    /// The cost of a guess is below the floor, or above what a machine should be asked for.
    #[error("vault cost out of bounds: {memory_kib} KiB, {passes} passes, {lanes} lanes")]
    Cost {
        /// Memory in KiB.
        memory_kib: u32,
        /// Passes over the memory.
        passes: u32,
        /// Lanes.
        lanes: u32,
    },
    /// The memory for the passphrase's derivation is not to be had.
    #[error("not enough memory")]
    Memory,
}

/// Why a vault stays closed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum UnlockError {
    /// The secret does not fit, or the header was changed.
    #[error("wrong secret")]
    Wrong,
    /// The vault has no slot for this kind of secret.
    #[error("no slot for this kind of secret")]
    NoSlot,
    /// The memory for the passphrase's derivation is not to be had.
    #[error("not enough memory")]
    Memory,
}

/// What opens a vault.
pub enum VaultSecret<'a> {
    /// What a person types; compared byte by byte as UTF-8.
    Passphrase(&'a str),
    /// 32 random bytes in a file beside the vault: opens without asking, protects little.
    KeyFile(&'a [u8; 32]),
    /// What a person wrote down.
    RecoveryCode(&'a RecoveryCode),
    /// 32 random bytes that the system keeps for the person who is logged in.
    Keyring(&'a [u8; 32]),
}

/// The kind of a slot.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum VaultSlot {
    /// For a passphrase.
    Passphrase = 1,
    /// For a key file.
    KeyFile = 2,
    /// For a recovery code.
    RecoveryCode = 3,
    /// For a key in the system's keyring.
    Keyring = 4,
}

impl VaultSecret<'_> {
    const fn kind(&self) -> u8 {
        self.slot() as u8
    }

    /// The kind of slot that it opens.
    pub const fn slot(&self) -> VaultSlot {
        match self {
            Self::Passphrase(_) => VaultSlot::Passphrase,
            Self::KeyFile(_) => VaultSlot::KeyFile,
            Self::RecoveryCode(_) => VaultSlot::RecoveryCode,
            Self::Keyring(_) => VaultSlot::Keyring,
        }
    }

    /// The key that wraps the master key.
    fn wrapping_key(&self, cost: Argon2Cost, salt: &[u8]) -> Option<Zeroizing<[u8; 32]>> {
        let stretched = match self {
            Self::Passphrase(passphrase) => cost.derive(passphrase, salt)?,
            Self::KeyFile(key) | Self::Keyring(key) => kdf::extract(salt, &[key.as_slice()]),
            // 128 random bits: no work makes a guess at them harder than it is.
            Self::RecoveryCode(code) => kdf::extract(salt, &[code.as_bytes()]),
        };
        Some(kdf::expand(
            &stretched,
            &[b"Sotto/1 vault slot", &[self.kind()]],
        ))
    }
}

impl fmt::Debug for VaultSecret<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Passphrase(_) => "Passphrase",
            Self::KeyFile(_) => "KeyFile",
            Self::RecoveryCode(_) => "RecoveryCode",
            Self::Keyring(_) => "Keyring",
        })
    }
}

/// The master key, wrapped for one kind of secret.
#[derive(Clone, PartialEq, Eq)]
struct Slot {
    kind: u8,
    nonce: [u8; 12],
    wrapped: [u8; WRAPPED_BYTES],
}

/// What lies in the clear in front of a vault.
#[derive(Clone, PartialEq, Eq)]
pub struct VaultHeader {
    cost: Argon2Cost,
    salt: [u8; SALT_BYTES],
    slots: Vec<Slot>,
}

impl VaultHeader {
    /// A header with one slot, for `secret`.
    ///
    /// # Errors
    /// [`VaultHeaderError::Cost`] or [`VaultHeaderError::Memory`].
    pub fn create(
        master: &MasterKey,
        secret: &VaultSecret<'_>,
        cost: Argon2Cost,
        rng: &mut (impl CryptoRng + ?Sized),
    ) -> Result<Self, VaultHeaderError> {
        let mut header = Self {
            cost: checked(cost)?,
            salt: [0; SALT_BYTES],
            slots: Vec::new(),
        };
        rng.fill_bytes(&mut header.salt);
        header.set(master, secret, rng)?;
        Ok(header)
    }

    /// Makes `secret` the only one of its kind that opens the vault; those of other kinds go on
    /// opening it.
    ///
    /// # Errors
    /// [`VaultHeaderError::Memory`]; nothing was changed.
    pub fn set(
        &mut self,
        master: &MasterKey,
        secret: &VaultSecret<'_>,
        rng: &mut (impl CryptoRng + ?Sized),
    ) -> Result<(), VaultHeaderError> {
        let mut nonce = [0; 12];
        rng.fill_bytes(&mut nonce);
        let key = secret
            .wrapping_key(self.cost, &self.salt)
            .ok_or(VaultHeaderError::Memory)?;
        let kind = secret.kind();
        let sealed = aead::seal(&key, &nonce, &self.aad(kind), master.as_bytes());
        let wrapped = sealed.try_into().map_err(|_| VaultHeaderError::Malformed)?;
        let others = self.slots.iter().filter(|slot| slot.kind != kind).count();
        if others >= SLOTS_MAX {
            return Err(VaultHeaderError::Malformed);
        }
        self.remove(secret.slot());
        self.slots.push(Slot {
            kind,
            nonce,
            wrapped,
        });
        Ok(())
    }

    /// No secret of this kind opens the vault any more. The last slot is to stay: a header without
    /// one is not read again.
    pub fn remove(&mut self, slot: VaultSlot) {
        self.slots.retain(|it| it.kind != slot as u8);
    }

    /// Reads a header and checks its bounds, before any work is done for it.
    ///
    /// # Errors
    /// [`VaultHeaderError`]; bytes of any origin are safe to pass.
    pub fn parse(bytes: &[u8]) -> Result<Self, VaultHeaderError> {
        let mut reader = Reader::new(bytes);
        if reader.array() != Some(*MAGIC) {
            return Err(VaultHeaderError::Malformed);
        }
        match reader.u8() {
            Some(VERSION) => {}
            Some(version) if version > VERSION => return Err(VaultHeaderError::Newer { version }),
            _ => return Err(VaultHeaderError::Malformed),
        }
        let header = Self::read(&mut reader).ok_or(VaultHeaderError::Malformed)?;
        checked(header.cost)?;
        Ok(header)
    }

    fn read(reader: &mut Reader<'_>) -> Option<Self> {
        let cost = Argon2Cost {
            memory_kib: reader.u32()?,
            passes: reader.u32()?,
            lanes: reader.u32()?,
        };
        let salt = reader.array()?;
        let count = usize::try_from(reader.u32()?).ok()?;
        if count == 0 || count > SLOTS_MAX {
            return None;
        }
        let mut slots = Vec::with_capacity(count);
        for _ in 0..count {
            slots.push(Slot {
                kind: reader.u8()?,
                nonce: reader.array()?,
                wrapped: reader.array()?,
            });
        }
        reader.finish()?;
        Some(Self { cost, salt, slots })
    }

    /// The bytes that [`parse`](Self::parse) reads: 57 and 61 for each slot.
    pub fn encode(&self) -> Vec<u8> {
        let writer = Writer::default()
            .raw(&self.prefix())
            .u32(length_u32(self.slots.len()));
        self.slots
            .iter()
            .fold(writer, |writer, slot| {
                writer.u8(slot.kind).raw(&slot.nonce).raw(&slot.wrapped)
            })
            .public()
    }

    /// The master key.
    ///
    /// # Errors
    /// [`UnlockError`]. With a passphrase it takes about a second, by design.
    pub fn unlock(&self, secret: &VaultSecret<'_>) -> Result<MasterKey, UnlockError> {
        let kind = secret.kind();
        let mut slots = self
            .slots
            .iter()
            .filter(|slot| slot.kind == kind)
            .peekable();
        if slots.peek().is_none() {
            return Err(UnlockError::NoSlot);
        }
        let key = secret
            .wrapping_key(self.cost, &self.salt)
            .ok_or(UnlockError::Memory)?;
        let aad = self.aad(kind);
        slots
            .find_map(|slot| aead::open(&key, &slot.nonce, &aad, &slot.wrapped))
            .and_then(|master| Some(MasterKey::from_bytes(master.as_slice().try_into().ok()?)))
            .ok_or(UnlockError::Wrong)
    }

    /// Whether there is a way of this kind to open the vault.
    pub fn has(&self, slot: VaultSlot) -> bool {
        self.slots.iter().any(|it| it.kind == slot as u8)
    }

    /// A name for the secret of this slot, where secrets lie under names: another one each time that
    /// the slot is set. It says nothing about the secret.
    pub fn slot_name(&self, slot: VaultSlot) -> Option<[u8; 12]> {
        let slot = self.slots.iter().find(|it| it.kind == slot as u8)?;
        Some(slot.nonce)
    }

    /// ``magic || version || m || t || p || salt``
    fn prefix(&self) -> Vec<u8> {
        Writer::default()
            .raw(MAGIC)
            .u8(VERSION)
            .u32(self.cost.memory_kib)
            .u32(self.cost.passes)
            .u32(self.cost.lanes)
            .raw(&self.salt)
            .public()
    }

    fn aad(&self, kind: u8) -> impl std::ops::Deref<Target = Vec<u8>> {
        lp_all(&[b"Sotto/1 vault aad", &self.prefix(), &[kind]])
    }
}

fn checked(cost: Argon2Cost) -> Result<Argon2Cost, VaultHeaderError> {
    if cost.is_in_bounds() {
        return Ok(cost);
    }
    let Argon2Cost {
        memory_kib,
        passes,
        lanes,
    } = cost;
    Err(VaultHeaderError::Cost {
        memory_kib,
        passes,
        lanes,
    })
}

impl fmt::Debug for VaultHeader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            cost,
            salt: _,
            slots,
        } = self;
        f.debug_struct("VaultHeader")
            .field("cost", cost)
            .field("slots", &slots.len())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{from_hex, rng, to_hex};

    /// A vault with a key file of 0x07 bytes, whose master key is 0x2a bytes.
    const SAMPLE: &str = include_str!("testing/vault_header_v1.hex");

    fn key_file_header() -> VaultHeader {
        let master = MasterKey::from_bytes([0x2a; 32]);
        let secret = VaultSecret::KeyFile(&[7; 32]);
        VaultHeader::create(&master, &secret, Argon2Cost::FLOOR, &mut rng(1)).unwrap()
    }

    #[test]
    fn a_passphrase_opens_what_it_closed_and_no_other_does() {
        let master = MasterKey::generate(&mut rng(1));
        let secret = VaultSecret::Passphrase("correct horse");
        let header = VaultHeader::create(&master, &secret, Argon2Cost::FLOOR, &mut rng(2)).unwrap();
        let header = VaultHeader::parse(&header.encode()).unwrap();
        assert!(header.has(VaultSlot::Passphrase));
        let unlocked = header.unlock(&secret).unwrap();
        assert_eq!(unlocked.database_key(), master.database_key());
        assert_ne!(*unlocked.database_key(), *unlocked.as_bytes());
        let wrong = header.unlock(&VaultSecret::Passphrase("correct horsf"));
        assert_eq!(wrong.err(), Some(UnlockError::Wrong));
        let key_file = header.unlock(&VaultSecret::KeyFile(&[0; 32]));
        assert_eq!(key_file.err(), Some(UnlockError::NoSlot));
    }

    #[test]
    fn slots_are_set_and_removed_one_by_one() {
        let master = MasterKey::generate(&mut rng(1));
        let (old, new) = (
            VaultSecret::KeyFile(&[1; 32]),
            VaultSecret::KeyFile(&[2; 32]),
        );
        let code = RecoveryCode::generate(&mut rng(2));
        let code = VaultSecret::RecoveryCode(&code);
        let mut header =
            VaultHeader::create(&master, &old, Argon2Cost::FLOOR, &mut rng(3)).unwrap();
        header.set(&master, &code, &mut rng(4)).unwrap();
        header.set(&master, &new, &mut rng(5)).unwrap();
        let mut header = VaultHeader::parse(&header.encode()).unwrap();
        for (secret, opens) in [(&old, false), (&new, true), (&code, true)] {
            let unlocked = header.unlock(secret);
            assert_eq!(unlocked.is_ok(), opens, "{secret:?}");
            if let Ok(unlocked) = unlocked {
                assert_eq!(unlocked.database_key(), master.database_key());
            }
        }
        header.remove(VaultSlot::RecoveryCode);
        assert_eq!(header.unlock(&code).err(), Some(UnlockError::NoSlot));
        assert!(header.has(VaultSlot::KeyFile) && !header.has(VaultSlot::RecoveryCode));
        // One file's key is none of the keyring, although both are bytes: the kind is part of what is
        // wrapped, and the name of a slot is another one each time.
        let name = |header: &VaultHeader| header.slot_name(VaultSlot::Keyring);
        assert_eq!(name(&header), None);
        header
            .set(&master, &VaultSecret::Keyring(&[2; 32]), &mut rng(8))
            .unwrap();
        let first = name(&header);
        let mut as_file = header.clone();
        as_file.slots.retain(|slot| slot.kind == 4);
        as_file.slots[0].kind = 2;
        assert_eq!(as_file.unlock(&new).err(), Some(UnlockError::Wrong));
        assert!(header.unlock(&VaultSecret::Keyring(&[2; 32])).is_ok());
        header
            .set(&master, &VaultSecret::Keyring(&[2; 32]), &mut rng(9))
            .unwrap();
        assert!(first.is_some() && name(&header) != first);
        let other = RecoveryCode::generate(&mut rng(6));
        header.set(&master, &code, &mut rng(7)).unwrap();
        let wrong = header.unlock(&VaultSecret::RecoveryCode(&other));
        assert_eq!(wrong.err(), Some(UnlockError::Wrong));
    }

    #[test]
    fn the_frozen_sample_still_opens() {
        let header = VaultHeader::parse(&from_hex(SAMPLE)).unwrap();
        assert_eq!(to_hex(&header.encode()), SAMPLE.trim());
        assert!(!header.has(VaultSlot::Passphrase));
        let master = header.unlock(&VaultSecret::KeyFile(&[7; 32])).unwrap();
        assert_eq!(master.as_bytes(), &[0x2a; 32]);
        assert_eq!(
            to_hex(&key_file_header().encode()),
            SAMPLE.trim(),
            "still written so"
        );
    }

    #[test]
    fn refuses_every_truncation_and_notices_every_changed_byte() {
        let bytes = key_file_header().encode();
        let secret = VaultSecret::KeyFile(&[7; 32]);
        for at in 0..bytes.len() {
            assert!(VaultHeader::parse(&bytes[..at]).is_err(), "cut at {at}");
            let mut changed = bytes.clone();
            changed[at] ^= 1;
            let opened = VaultHeader::parse(&changed)
                .ok()
                .and_then(|header| header.unlock(&secret).ok());
            assert!(opened.is_none(), "byte {at}");
        }
        assert!(VaultHeader::parse(&[&bytes[..], &[0]].concat()).is_err());
    }

    #[test]
    fn refuses_newer_versions_and_costs_out_of_bounds() {
        let bytes = key_file_header().encode();
        let with = |at: usize, new: &[u8]| {
            let mut changed = bytes.clone();
            changed[at..at + new.len()].copy_from_slice(new);
            VaultHeader::parse(&changed).err()
        };
        assert_eq!(with(8, &[2]), Some(VaultHeaderError::Newer { version: 2 }));
        let out_of_bounds = |at, value: u32| {
            matches!(
                with(at, &value.to_be_bytes()),
                Some(VaultHeaderError::Cost { .. })
            )
        };
        assert!(out_of_bounds(9, 64 * 1024 - 1) && out_of_bounds(9, 1024 * 1024 + 1));
        assert!(out_of_bounds(13, 2) && out_of_bounds(13, 11));
        assert!(out_of_bounds(17, 0) && out_of_bounds(17, 5));
        assert_eq!(with(9, &(1024u32 * 1024).to_be_bytes()), None);
        let weak = Argon2Cost {
            passes: 1,
            ..Argon2Cost::FLOOR
        };
        let master = MasterKey::generate(&mut rng(1));
        let made = VaultHeader::create(&master, &VaultSecret::Passphrase("x"), weak, &mut rng(1));
        assert!(matches!(made, Err(VaultHeaderError::Cost { .. })));
    }

    #[test]
    fn debug_shows_no_secret() {
        let shown = format!(
            "{:?} {:?} {:?} {:?} {:?}",
            MasterKey::from_bytes([0x2a; 32]),
            VaultSecret::Passphrase("hunter2"),
            VaultSecret::KeyFile(&[0x2a; 32]),
            VaultSecret::RecoveryCode(&RecoveryCode::generate(&mut rng(1))),
            VaultSecret::Keyring(&[0x2a; 32]),
        );
        let expected = "MasterKey { .. } Passphrase KeyFile RecoveryCode Keyring";
        assert_eq!(shown, expected);
    }
}
