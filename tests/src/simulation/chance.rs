//! Randomness for each purpose by itself, so that more of one does not change the others.

use std::hash::{DefaultHasher, Hash as _, Hasher as _};

use rand::SeedableRng as _;
use rand::rngs::StdRng;

/// The generator for a purpose in the world of this seed.
pub(super) fn chance(seed: u64, purpose: &str, number: u64) -> StdRng {
    let mut hasher = DefaultHasher::new();
    (seed, purpose, number).hash(&mut hasher);
    StdRng::seed_from_u64(hasher.finish())
}

/// As [`chance`], for those who take a seed of 32 bytes.
pub(super) fn seed_bytes(seed: u64, purpose: &str, number: u64) -> [u8; 32] {
    rand::RngExt::random(&mut chance(seed, purpose, number))
}
