//! The key that everything at rest hangs from (PROTOCOL §7.1).

use std::fmt;

use rand::CryptoRng;
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

use crate::kdf;

/// A vault's master key: 32 random bytes that never lie anywhere in the clear.
#[derive(Zeroize, ZeroizeOnDrop)]
pub struct MasterKey([u8; 32]);

impl MasterKey {
    /// A new key.
    pub fn generate(rng: &mut (impl CryptoRng + ?Sized)) -> Self {
        let mut key = [0; 32];
        rng.fill_bytes(&mut key);
        Self(key)
    }

    /// ``HKDF-Expand(master, "Sotto/1 vault database", 32)``: the raw key of the database.
    pub fn database_key(&self) -> Zeroizing<[u8; 32]> {
        kdf::expand(&self.0, &[b"Sotto/1 vault database"])
    }

    pub(crate) fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    pub(crate) fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Debug for MasterKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(_) = self;
        f.debug_struct("MasterKey").finish_non_exhaustive()
    }
}
