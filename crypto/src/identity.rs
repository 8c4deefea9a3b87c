//! A device's secrets and those of its account (PROTOCOL §2).

use std::fmt;

use ed25519_dalek::SigningKey;
use rand::CryptoRng;
use thiserror::Error;
use zeroize::Zeroizing;

use crate::codec::{Reader, Writer};
use crate::device_list::DeviceList;
use crate::public_identity::{IDENTITY_BYTES_MAX, PublicIdentity, SELF_LABEL};
use crate::rsa_lock::UnwrapKey;
use crate::signature;
use crate::stored::StoredError;

const STORED_VERSION: u8 = 1;
const LOGIN_LABEL: &[u8] = b"Sotto/1 relay-auth";
/// Number of an account's first device.
const FIRST_DEVICE: u32 = 1;

/// Why keys could not be made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum KeyError {
    /// The search for an RSA key failed.
    #[error("could not generate an RSA key")]
    Generation,
}

/// The secret side of a device: RSA-3072 (for OAEP only), the device's Ed25519 key, and the
/// account's Ed25519 key with the device list that it signed.
pub struct Identity {
    pub(crate) account_key: SigningKey,
    pub(crate) device_key: SigningKey,
    pub(crate) unwrap_key: UnwrapKey,
    public: PublicIdentity,
}

impl Identity {
    /// Makes the first device of a new account. The RSA key takes a few hundred milliseconds.
    ///
    /// # Errors
    /// [`KeyError::Generation`] if no RSA key was found.
    pub fn generate(rng: &mut (impl CryptoRng + ?Sized)) -> Result<Self, KeyError> {
        let mut seed = || {
            let mut seed = Zeroizing::new([0; 32]);
            rng.fill_bytes(seed.as_mut_slice());
            SigningKey::from_bytes(&seed)
        };
        let account_key = seed();
        let device_key = seed();
        let unwrap_key = UnwrapKey::generate(rng).ok_or(KeyError::Generation)?;
        let wrap_key = unwrap_key.public().ok_or(KeyError::Generation)?;
        let account = account_key.verifying_key().to_bytes();
        let device = device_key.verifying_key().to_bytes();
        let id = PublicIdentity::id_of(&account, FIRST_DEVICE, wrap_key.spki(), &device);
        let list = DeviceList::first(&account_key, FIRST_DEVICE, id);
        let proof = signature::sign(&device_key, &[SELF_LABEL, id.as_bytes()]);
        let public = PublicIdentity::verified(account, list, FIRST_DEVICE, wrap_key, device, proof)
            .map_err(|_| KeyError::Generation)?;
        Ok(Self {
            account_key,
            device_key,
            unwrap_key,
            public,
        })
    }

    /// What may be given to everybody.
    pub fn public(&self) -> &PublicIdentity {
        &self.public
    }

    /// ``Ed25519(ik_sig, LP("Sotto/1 relay-auth") || LP(relay) || LP(device key) || LP(exporter))``,
    /// 64 bytes (PROTOCOL §8): proves to the relay with this id (32 bytes) that this device is at
    /// the other end of the connection with this exporter value (32 bytes).
    pub fn sign_login(&self, relay: &[u8; 32], exporter: &[u8; 32]) -> [u8; 64] {
        let device = self.public.device_key();
        signature::sign(&self.device_key, &[LOGIN_LABEL, relay, &device, exporter])
    }

    /// The stored record `StoredIdentityV1` (PROTOCOL §9.1).
    ///
    /// # Security
    /// Holds every secret of the device and the account; it belongs into the encrypted vault.
    pub fn to_stored(&self) -> Zeroizing<Vec<u8>> {
        let primes = self.unwrap_key.primes();
        let [p, q] = primes
            .as_ref()
            .map_or([&[][..]; 2], |[p, q]| [p.as_slice(), q.as_slice()]);
        Writer::with_capacity(512 + IDENTITY_BYTES_MAX)
            .u8(STORED_VERSION)
            .raw(Zeroizing::new(self.account_key.to_bytes()).as_slice())
            .raw(Zeroizing::new(self.device_key.to_bytes()).as_slice())
            .raw(p)
            .raw(q)
            .raw(self.unwrap_key.reject_key())
            .lp(&self.public.encode())
            .secret()
    }

    /// Reads a stored record and checks that its secrets belong to its public identity.
    ///
    /// # Errors
    /// [`StoredError`]; no bytes panic.
    pub fn from_stored(bytes: &[u8]) -> Result<Self, StoredError> {
        let mut reader = StoredError::reader(bytes, STORED_VERSION)?;
        Self::read(&mut reader).ok_or(StoredError::Malformed)
    }

    fn read(reader: &mut Reader<'_>) -> Option<Self> {
        let account_key = SigningKey::from_bytes(&Zeroizing::new(reader.array()?));
        let device_key = SigningKey::from_bytes(&Zeroizing::new(reader.array()?));
        let [p, q] = [
            Zeroizing::new(reader.array()?),
            Zeroizing::new(reader.array()?),
        ];
        let reject = reader.array()?;
        let public = PublicIdentity::decode(reader.lp(IDENTITY_BYTES_MAX)?).ok()?;
        reader.finish()?;
        // The private RSA key is by far the dearest part: it comes last.
        let belongs = public.wrap_key().is_product_of(&p, &q)
            && *public.account_key() == account_key.verifying_key().to_bytes()
            && public.device_key() == device_key.verifying_key().to_bytes();
        if !belongs {
            return None;
        }
        let unwrap_key = UnwrapKey::from_parts(&p, &q, reject)?;
        (*public.wrap_key() == unwrap_key.public()?).then_some(Self {
            account_key,
            device_key,
            unwrap_key,
            public,
        })
    }
}

impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            account_key: _,
            device_key: _,
            unwrap_key: _,
            public,
        } = self;
        f.debug_struct("Identity")
            .field("public", public)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::codec::lp_all;
    use crate::testing::{ALICE_STORED, alice, bob, from_hex, rng, to_hex};

    #[test]
    fn a_new_identity_survives_its_stored_record() {
        let identity = Identity::generate(&mut rng(1)).unwrap();
        let stored = identity.to_stored();
        let read = Identity::from_stored(&stored).unwrap();
        assert_eq!(read.public(), identity.public());
        assert_eq!(read.to_stored(), stored);
    }

    #[test]
    fn the_frozen_sample_is_still_readable() {
        assert_eq!(to_hex(&alice().to_stored()), ALICE_STORED.trim());
    }

    #[test]
    fn refuses_records_that_are_cut_changed_mixed_or_newer() {
        let stored = from_hex(ALICE_STORED);
        for length in (0..stored.len()).step_by(37) {
            assert!(
                Identity::from_stored(&stored[..length]).is_err(),
                "cut at {length}"
            );
        }
        // The account's seed, the device's seed, a prime.
        for at in [1, 33, 100] {
            let mut changed = stored.clone();
            changed[at] ^= 1;
            assert_eq!(
                Identity::from_stored(&changed).err(),
                Some(StoredError::Malformed)
            );
        }
        let mut mixed = stored.clone();
        mixed[1..33].copy_from_slice(&bob().account_key.to_bytes());
        assert!(Identity::from_stored(&mixed).is_err());
        let mut newer = stored;
        newer[0] = 2;
        assert_eq!(
            Identity::from_stored(&newer).err(),
            Some(StoredError::Newer { version: 2 })
        );
    }

    #[test]
    fn a_login_names_relay_device_and_connection() {
        let proof = alice().sign_login(&[1; 32], &[2; 32]);
        let device = alice().public().device_key();
        let parts: [&[u8]; 4] = [b"Sotto/1 relay-auth", &[1; 32], &device, &[2; 32]];
        assert!(signature::verify(&device, &parts, &proof));
        assert_eq!(lp_all(&parts).len(), 16 + 18 + 96);
        let other: [&[u8]; 4] = [b"Sotto/1 relay-auth", &[1; 32], &device, &[3; 32]];
        assert!(!signature::verify(&device, &other, &proof));
    }

    #[test]
    fn debug_shows_no_secret() {
        let shown = format!("{:?}", alice());
        assert!(
            shown.starts_with("Identity { public: PublicIdentity"),
            "{shown}"
        );
        assert!(shown.len() < 160, "{shown}");
    }
}
