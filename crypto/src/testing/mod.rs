//! Two fixed identities, fixed randomness, and hex, for the tests of this crate.

/// For generators that are defined by their bytes: `u32` and `u64` are those, big-endian.
macro_rules! words_from_bytes {
    () => {
        type Error = std::convert::Infallible;

        fn try_next_u32(&mut self) -> Result<u32, Self::Error> {
            let mut bytes = [0; 4];
            self.try_fill_bytes(&mut bytes)?;
            Ok(u32::from_be_bytes(bytes))
        }

        fn try_next_u64(&mut self) -> Result<u64, Self::Error> {
            let mut bytes = [0; 8];
            self.try_fill_bytes(&mut bytes)?;
            Ok(u64::from_be_bytes(bytes))
        }
    };
}

#[cfg(test)]
mod differential;
#[cfg(test)]
pub(crate) mod seals;
#[cfg(test)]
mod vectors;
#[cfg(test)]
mod wycheproof;
#[cfg(test)]
mod xwing_draft;

use std::convert::Infallible;
#[cfg(test)]
use std::fmt::Write;
use std::sync::LazyLock;

use rand::{TryCryptoRng, TryRng};
use sha2::{Digest, Sha256};

use crate::Identity;

/// `StoredIdentityV1` of Alice.
#[cfg(test)]
pub(crate) const ALICE_STORED: &str = include_str!("alice_identity_v1.hex");
/// `StoredIdentityV1` of Bob.
const BOB_STORED: &str = include_str!("bob_identity_v1.hex");

/// SHA-256 of a seed and a counter: the same bytes for ever, which generators of libraries do not
/// promise.
#[derive(Clone)]
pub(crate) struct FixedRng {
    seed: u64,
    counter: u64,
}

/// Fixed randomness for this seed.
pub(crate) fn rng(seed: u64) -> FixedRng {
    FixedRng { seed, counter: 0 }
}

impl TryRng for FixedRng {
    words_from_bytes!();

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Infallible> {
        for chunk in bytes.chunks_mut(32) {
            let input = [self.seed.to_be_bytes(), self.counter.to_be_bytes()].concat();
            self.counter += 1;
            chunk.copy_from_slice(&Sha256::digest(input)[..chunk.len()]);
        }
        Ok(())
    }
}

impl TryCryptoRng for FixedRng {}

/// Randomness that a published vector prescribes; more than it holds is a failed test.
#[cfg(test)]
pub(crate) struct GivenRng(Vec<u8>);

/// These bytes, once, as randomness.
#[cfg(test)]
pub(crate) fn given(bytes: &[u8]) -> GivenRng {
    GivenRng(bytes.to_vec())
}

#[cfg(test)]
impl TryRng for GivenRng {
    words_from_bytes!();

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Infallible> {
        let rest = self.0.split_off(bytes.len());
        bytes.copy_from_slice(&std::mem::replace(&mut self.0, rest));
        Ok(())
    }
}

#[cfg(test)]
impl TryCryptoRng for GivenRng {}

/// Always the same Alice.
#[cfg(test)]
pub(crate) fn alice() -> &'static Identity {
    static ALICE: LazyLock<Identity> = LazyLock::new(|| stored(ALICE_STORED));
    &ALICE
}

/// Always the same Bob.
pub(crate) fn bob() -> &'static Identity {
    static BOB: LazyLock<Identity> = LazyLock::new(|| stored(BOB_STORED));
    &BOB
}

fn stored(hex: &str) -> Identity {
    Identity::from_stored(&from_hex(hex)).expect("a frozen sample")
}

#[cfg(test)]
pub(crate) fn to_hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut hex, byte| {
        write!(hex, "{byte:02x}").expect("a String takes everything");
        hex
    })
}

pub(crate) fn from_hex(hex: &str) -> Vec<u8> {
    let digits: Vec<_> = hex.trim().chars().collect();
    digits
        .chunks(2)
        .map(|pair| u8::from_str_radix(&pair.iter().collect::<String>(), 16).expect("hex"))
        .collect()
}
