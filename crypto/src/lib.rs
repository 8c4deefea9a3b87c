//! Sotto's end-to-end protocol as pure functions.
//!
//! Randomness and time come in as arguments; there is no I/O, no clock and no storage here. The
//! protocol itself is described in `PROTOCOL.md` beside this crate, which the code cites by section.
//!
//! ```text
//!   Identity ──────────────┐                       ┌────────────── Identity
//!      │ public            │                       │                 │
//!      ▼                   ▼                       ▼                 ▼
//!   PublicIdentity   Session::start          Session::accept ◄── PrekeySecret
//!                          ▲   │   packets   ▲     │                 │ record
//!                          │   └──── seal ───┘     │                 ▼
//!                   VerifiedBundle ◄────── verify ─┼──── what the relay hands out
//!                                                  ▼
//!                                        seal / open, one Step each
//! ```
//!
//! | modules | what they hold |
//! |---|---|
//! | `identity`, `public_identity`, `device_list`, `safety_number` | who people are (§2) |
//! | `prekey`, `bundle` | what lets others start while one is away (§2.6, §2.7) |
//! | `handshake` | the key exchange (§3) |
//! | `session`, `chain` | the ratchet (§4) |
//! | `packet`, `header`, `padding` | what travels (§5) |
//! | `group`, `attachment` | what is sealed once for many, or in chunks (§10, §11) |
//! | `vault_header`, `argon2_cost`, `master_key` | what lies on disk (§7) |
//! | `aead`, `kdf`, `kem`, `rsa_lock`, `signature`, `codec` | primitives in the one shape used (§0, §1) |
//!
//! ```
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! use sotto_crypto::{Argon2Cost, MasterKey, VaultHeader, VaultSecret};
//!
//! let mut rng = rand::rng();
//! let master = MasterKey::generate(&mut rng);
//! let key_file = VaultSecret::KeyFile(&[7; 32]);
//! let header = VaultHeader::create(&master, &key_file, Argon2Cost::DEFAULT, &mut rng)?;
//! let unlocked = VaultHeader::parse(&header.encode())?.unlock(&key_file)?;
//! assert_eq!(unlocked.database_key(), master.database_key());
//! # Ok(())
//! # }
//! ```
//!
//! A whole conversation is in `examples/two_people.rs`.

mod aead;
mod argon2_cost;
mod attachment;
mod bundle;
mod chain;
mod codec;
mod device_list;
#[cfg(test)]
mod fuzzing;
#[cfg(all(fuzzing, not(test)))]
pub mod fuzzing;
mod group;
mod handshake;
mod header;
mod identity;
mod ids;
mod kdf;
mod kem;
mod master_key;
mod packet;
mod padding;
mod planted;
mod prekey;
mod public_identity;
mod recovery_code;
mod rsa_lock;
mod safety_number;
mod session;
mod signature;
mod stored;
#[cfg(test)]
mod testing;
#[cfg(all(fuzzing, not(test)))]
mod testing;
mod vault_header;

pub use crate::argon2_cost::Argon2Cost;
pub use crate::attachment::{
    ATTACHMENT_CHUNK_BYTES, ATTACHMENT_HEADER_BYTES, AttachmentError, AttachmentKey,
    AttachmentOpener, AttachmentSealer,
};
pub use crate::bundle::{BundleError, VerifiedBundle};
pub use crate::group::{Capsule, GroupContext};
pub use crate::identity::{Identity, KeyError};
pub use crate::ids::{AccountId, DeviceId, GroupId, GroupMessageId, MembersHash, SessionId};
pub use crate::master_key::MasterKey;
pub use crate::packet::{ENVELOPE_BYTES_MAX, HandshakeRef, OpenError, PLAINTEXT_BYTES_MAX, Packet};
pub use crate::prekey::{PrekeyKind, PrekeySecret};
pub use crate::public_identity::{IDENTITY_BYTES_MAX, IdentityError, PublicIdentity};
pub use crate::recovery_code::{RecoveryCode, RecoveryCodeError};
pub use crate::safety_number::{SafetyNumber, SafetyNumberError};
pub use crate::session::{Accepted, Opened, SealError, Session, StartError, Step};
pub use crate::stored::StoredError;
pub use crate::vault_header::{UnlockError, VaultHeader, VaultHeaderError, VaultSecret, VaultSlot};
