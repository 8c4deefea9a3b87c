//! What everybody may know of one device and its account (PROTOCOL §2.4).

use std::fmt;

use thiserror::Error;

use crate::codec::{Reader, Writer};
use crate::device_list::DeviceList;
use crate::ids::{AccountId, DeviceId};
use crate::kdf;
use crate::rsa_lock::{SPKI_BYTES_MAX, WrapKey};
use crate::signature::{self, SIGNATURE_BYTES};

/// Upper bound in bytes of an encoded [`PublicIdentity`].
pub const IDENTITY_BYTES_MAX: usize = 4096;
const VERSION: u8 = 1;
const ACCOUNT_LABEL: &[u8] = b"Sotto/1 account";
const DEVICE_LABEL: &[u8] = b"Sotto/1 device";
/// What a device signs to show that it holds the key under which the account lists it.
pub(crate) const SELF_LABEL: &[u8] = b"Sotto/1 device self";

/// Why bytes are not a public identity.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum IdentityError {
    /// The bytes have another form, length or key shape.
    #[error("malformed identity")]
    Malformed,
    /// The identity is of a version that this program does not know.
    #[error("identity of version {version}")]
    Newer {
        /// The version found.
        version: u8,
    },
    /// A signature does not verify, or the device is not in its account's list.
    #[error("identity not authentic")]
    NotAuthentic,
}

/// One device with its account: account key, signed device list, RSA key and signing key.
///
/// Every value of this type was verified: both signatures, the form of every key, and that the
/// list holds the device.
#[derive(Clone, PartialEq, Eq)]
pub struct PublicIdentity {
    account_key: [u8; 32],
    list: DeviceList,
    number: u32,
    wrap_key: WrapKey,
    device_key: [u8; 32],
    self_signature: [u8; SIGNATURE_BYTES],
}

impl PublicIdentity {
    /// ``ID = H("Sotto/1 device" || account key || number || spki || ik_sig)``, PROTOCOL §2.2.
    pub(crate) fn id_of(
        account_key: &[u8; 32],
        number: u32,
        spki: &[u8],
        device_key: &[u8; 32],
    ) -> DeviceId {
        let number = number.to_be_bytes();
        DeviceId::from_bytes(kdf::hash(&[
            DEVICE_LABEL,
            account_key,
            &number,
            spki,
            device_key,
        ]))
    }

    /// Puts the parts together and verifies them as [`decode`](Self::decode) does.
    pub(crate) fn verified(
        account_key: [u8; 32],
        list: DeviceList,
        number: u32,
        wrap_key: WrapKey,
        device_key: [u8; 32],
        self_signature: [u8; SIGNATURE_BYTES],
    ) -> Result<Self, IdentityError> {
        let identity = Self {
            account_key,
            list,
            number,
            wrap_key,
            device_key,
            self_signature,
        };
        let id = identity.device_id();
        if !signature::is_sound(&account_key) || !signature::is_sound(&device_key) {
            return Err(IdentityError::Malformed);
        }
        let authentic = identity.list.is_signed_by(&account_key)
            && identity.list.contains(number, id)
            && signature::verify(&device_key, &[SELF_LABEL, id.as_bytes()], &self_signature);
        if authentic {
            Ok(identity)
        } else {
            Err(IdentityError::NotAuthentic)
        }
    }

    /// The bytes that [`decode`](Self::decode) reads, at most 4,096; 699 with one device.
    pub fn encode(&self) -> Vec<u8> {
        Writer::with_capacity(IDENTITY_BYTES_MAX)
            .u8(VERSION)
            .raw(&self.account_key)
            .raw(&self.list.encode())
            .u32(self.number)
            .lp(self.wrap_key.spki())
            .raw(&self.device_key)
            .raw(&self.self_signature)
            .public()
    }

    /// Reads and verifies everything: the list's and the device's signatures, RSA of 3,072 bits
    /// with an odd modulus and e = 65537, canonical keys, no trailing bytes (PROTOCOL §2.4).
    ///
    /// # Errors
    /// [`IdentityError`]; bytes of any origin are safe to pass.
    pub fn decode(bytes: &[u8]) -> Result<Self, IdentityError> {
        if bytes.len() > IDENTITY_BYTES_MAX {
            return Err(IdentityError::Malformed);
        }
        let mut reader = Reader::new(bytes);
        match reader.u8() {
            Some(VERSION) => {}
            Some(version) if version > VERSION => return Err(IdentityError::Newer { version }),
            _ => return Err(IdentityError::Malformed),
        }
        let mut parts = || {
            let account_key = reader.array()?;
            let list = DeviceList::read(&mut reader)?;
            let number = reader.u32()?;
            let wrap_key = WrapKey::decode(reader.lp(SPKI_BYTES_MAX)?)?;
            let device_key = reader.array()?;
            let self_signature = reader.array()?;
            reader.finish()?;
            Some((
                account_key,
                list,
                number,
                wrap_key,
                device_key,
                self_signature,
            ))
        };
        let (account_key, list, number, wrap_key, device_key, self_signature) =
            parts().ok_or(IdentityError::Malformed)?;
        Self::verified(
            account_key,
            list,
            number,
            wrap_key,
            device_key,
            self_signature,
        )
    }

    /// Names the account, whatever devices it has: 32 bytes, a hash of the account key.
    pub fn account_id(&self) -> AccountId {
        AccountId::from_bytes(kdf::hash(&[ACCOUNT_LABEL, &self.account_key]))
    }

    /// Names this device with all its keys: 32 bytes (PROTOCOL §2.2).
    pub fn device_id(&self) -> DeviceId {
        Self::id_of(
            &self.account_key,
            self.number,
            self.wrap_key.spki(),
            &self.device_key,
        )
    }

    /// The device's Ed25519 key, 32 bytes: how the relay addresses the device.
    pub fn device_key(&self) -> [u8; 32] {
        self.device_key
    }

    /// Whether this identity may take the place of `older`: the same account, and a device list
    /// that does not roll back or fork (PROTOCOL §2.3).
    pub fn may_follow(&self, older: &Self) -> bool {
        self.account_key == older.account_key
            && self.list.may_follow(&older.list, &self.account_key)
    }

    pub(crate) fn account_key(&self) -> &[u8; 32] {
        &self.account_key
    }

    pub(crate) fn wrap_key(&self) -> &WrapKey {
        &self.wrap_key
    }
}

impl fmt::Debug for PublicIdentity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            account_key: _,
            list: _,
            number,
            wrap_key: _,
            device_key: _,
            self_signature: _,
        } = self;
        f.debug_struct("PublicIdentity")
            .field("account", &self.account_id())
            .field("device", &self.device_id())
            .field("number", number)
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{alice, bob};

    #[test]
    fn reads_what_it_writes() {
        let public = alice().public();
        let bytes = public.encode();
        assert_eq!(bytes.len(), 699);
        assert_eq!(PublicIdentity::decode(&bytes).as_ref(), Ok(public));
    }

    #[test]
    fn refuses_every_changed_byte_every_truncation_and_trailing_bytes() {
        let bytes = alice().public().encode();
        for at in 0..bytes.len() {
            let mut changed = bytes.clone();
            changed[at] ^= 1;
            assert!(PublicIdentity::decode(&changed).is_err(), "byte {at}");
            assert!(PublicIdentity::decode(&bytes[..at]).is_err(), "cut at {at}");
        }
        assert!(PublicIdentity::decode(&[&bytes[..], &[0]].concat()).is_err());
        assert!(PublicIdentity::decode(&[1; IDENTITY_BYTES_MAX + 1]).is_err());
        let mut newer = bytes;
        newer[0] = 2;
        assert_eq!(
            PublicIdentity::decode(&newer),
            Err(IdentityError::Newer { version: 2 })
        );
    }

    #[test]
    fn an_account_cannot_claim_the_device_key_of_another() {
        // Bob's account signs a list that names a device with Alice's signing key.
        let (alice, bob) = (alice(), bob());
        let account = *bob.public().account_key();
        let wrap_key = bob.public().wrap_key().clone();
        let stolen = alice.public().device_key();
        let id = PublicIdentity::id_of(&account, 1, wrap_key.spki(), &stolen);
        let list = DeviceList::first(&bob.account_key, 1, id);
        let theirs = alice.public().self_signature;
        let claim = PublicIdentity::verified(account, list, 1, wrap_key, stolen, theirs);
        assert_eq!(claim, Err(IdentityError::NotAuthentic));
    }

    #[test]
    fn follows_itself_and_no_other_account() {
        assert!(alice().public().may_follow(alice().public()));
        assert!(!alice().public().may_follow(bob().public()));
    }

    #[test]
    fn debug_shows_ids_only() {
        let shown = format!("{:?}", alice().public());
        assert!(
            shown.starts_with("PublicIdentity { account: AccountId("),
            "{shown}"
        );
        assert!(shown.len() < 120, "{shown}");
    }
}
