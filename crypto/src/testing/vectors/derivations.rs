//! Each derivation alone (PROTOCOL §1, §2, §4, §5, §7).

use serde_json::{Value, json};

use super::hex;
use crate::aead;
use crate::chain::{ChainKey, MessageKey};
use crate::codec::lp_all;
use crate::header::HeaderKeys;
use crate::kdf;
use crate::kem::{KemPublic, KemSecret};
use crate::padding;
use crate::signature;
use crate::testing::{alice, rng};
use zeroize::Zeroizing;

#[test]
fn vectors_derivations() {
    let mut cases = notation();
    cases.extend(ratchet());
    cases.extend(kem());
    cases.extend(
        [
            0, 1, 255, 256, 511, 512, 4095, 4096, 5000, 10_000, 53_246, 53_247,
        ]
        .map(|bytes| {
            let padded = padding::padded_bytes(bytes);
            json!({"name": "padding", "section": "5.4", "bytes": bytes, "padded": padded})
        }),
    );
    let refused = refused();
    super::check(
        "derivations.json",
        &json!({"cases": cases, "refused": refused}),
    );
}

fn notation() -> Vec<Value> {
    let parts: [&[u8]; 3] = [b"label", b"", b"ab"];
    let key = [1; 32];
    let all = parts.map(hex);
    let signing = ed25519_dalek::SigningKey::from_bytes(&key);
    let wrapped = [0x55; 384];
    vec![
        json!({"name": "LP", "section": "1", "parts": all, "output": hex(lp_all(&parts).as_slice())}),
        json!({"name": "H", "section": "1", "parts": all, "output": hex(kdf::hash(&parts))}),
        json!({"name": "HMAC", "section": "1", "key": hex(key), "message": hex(b"ab"),
            "output": hex(kdf::hmac(&key, b"ab").as_slice())}),
        json!({"name": "Extract", "section": "1", "salt": hex(b"salt"), "parts": all,
            "output": hex(kdf::extract(b"salt", &parts).as_slice())}),
        json!({"name": "Expand", "section": "1", "prk": hex(key), "parts": all,
            "output": hex(kdf::expand::<76>(&key, &parts).as_slice())}),
        json!({"name": "Sign", "section": "1", "seed": hex(key), "parts": all,
            "public": hex(signing.verifying_key().to_bytes()),
            "output": hex(signature::sign(&signing, &parts))}),
        json!({"name": "implicit rejection", "section": "3.3", "of": "alice",
            "device_id": hex(alice().public().device_id().as_bytes()), "c1": hex(wrapped),
            "output": hex(alice().unwrap_key.unwrap_secret(
                alice().public().device_id().as_bytes(), &wrapped, &mut rng(0)).as_slice())}),
    ]
}

fn ratchet() -> Vec<Value> {
    let mut chain = ChainKey::new([2; 32]);
    let message = *chain.advance().as_bytes();
    let keys = HeaderKeys::derive(&[3; 32]);
    let r16 = [4; 16];
    let prk = kdf::extract(&r16, &[&message]);
    let key_and_nonce = kdf::expand::<44>(&prk, &[b"Sotto/1 msg"]);
    let mut body = b"padded".to_vec();
    MessageKey::new(message).seal_tail(&r16, b"aad", &mut body, 0);
    let (key, nonce) = (kdf::part(&key_and_nonce, 0), kdf::nonce(&key_and_nonce, 32));
    assert_eq!(body, aead::seal(&key, &nonce, b"aad", b"padded"));
    let shared = [5; 32];
    let hash = kdf::hash(&[b"Sotto/1 skr keys", &[6; 1120], &[7; 1216]]);
    let prk = kdf::extract(&[8; 32], &[&shared]);
    let info: [&[u8]; 4] = [b"Sotto/1 skr step", &[9; 32], &[0, 0, 0, 1], &hash];
    vec![
        json!({"name": "chain", "section": "4.2", "ck": hex([2; 32]),
            "mk": hex(message), "next_ck": hex(chain.as_bytes())}),
        json!({"name": "message key", "section": "4.2", "mk": hex(message), "r16": hex(r16),
            "key": hex(key.as_slice()), "nonce": hex(nonce),
            "aad": hex(b"aad"), "padded": hex(b"padded"), "body": hex(body)}),
        json!({"name": "step", "section": "4.3", "rk": hex([8; 32]), "ss": hex(shared),
            "sid": hex([9; 32]), "epoch": 1, "ct": hex([6; 1120]), "ek": hex([7; 1216]),
            "h": hex(hash), "rk_ck_nhk": hex(kdf::expand::<96>(&prk, &info).as_slice())}),
        json!({"name": "header keys", "section": "5.2", "hk": hex([3; 32]),
            "hk_enc": hex(keys.encryption), "hk_tag": hex(keys.tag)}),
        json!({"name": "tag", "section": "5.2", "hk_tag": hex(keys.tag), "n": 7,
            "tag16": hex(keys.tag_of(7))}),
    ]
}

fn kem() -> Vec<Value> {
    let secret = KemSecret::from_seed(&[10; 32]);
    let mut random = super::Recorder::new(71);
    let (ciphertext, shared) = secret.public().encapsulate(&mut random);
    vec![
        json!({"name": "X-Wing", "section": "0", "seed": hex([10; 32]),
        "public": hex(secret.public().as_bytes()), "eseed": hex(random.take()),
        "ciphertext": hex(ciphertext), "shared": hex(shared.as_slice())}),
    ]
}

/// Encodings that are refused.
fn refused() -> Vec<Value> {
    let secret = KemSecret::from_seed(&[10; 32]);
    let public = *secret.public().as_bytes();
    let (ciphertext, _) = secret.public().encapsulate(&mut rng(71));
    let mut refused = Vec::new();
    for at in 0..8 {
        let mut key = public;
        key[at * 100] = 0xff;
        key[at * 100 + 1] |= 0x0f;
        if KemPublic::decode(&key).is_none() {
            let change = json!({"put": {"at": at * 100, "bytes": hex(&key[at * 100..][..2])}});
            refused.push(
                json!({"of": "X-Wing public key", "what": "coefficient above q",
                "change": change, "refusal": "malformed"}),
            );
        }
    }
    for (what, point) in small_order_points() {
        let mut key = public;
        key[1184..].copy_from_slice(&point);
        assert!(KemPublic::decode(&key).is_none(), "{what}");
        refused.push(
            json!({"of": "X-Wing public key", "what": format!("X25519 half {what}"),
            "change": {"put": {"at": 1184, "bytes": hex(point)}}, "refusal": "malformed"}),
        );
        let mut ciphertext = ciphertext;
        ciphertext[1088..].copy_from_slice(&point);
        assert!(secret.decapsulate(&ciphertext).is_none(), "{what}");
        refused.push(json!({"of": "X-Wing ciphertext", "what": what,
            "change": {"put": {"at": 1088, "bytes": hex(point)}}, "refusal": "refused"}));
    }
    let pads: [(&str, Vec<u8>); 6] = [
        ("empty", vec![]),
        ("no end mark", vec![0; 256]),
        ("another end mark", [&[0x81][..], &[0; 255]].concat()),
        ("more than needed", [&[0x80][..], &[0; 511]].concat()),
        ("a size that is none", [&[0x80][..], &[0; 256]].concat()),
        ("less than the least", [&[0x80][..], &[0; 99]].concat()),
    ];
    for (what, padded) in pads {
        assert!(
            padding::unpad(Zeroizing::new(padded.clone())).is_none(),
            "{what}"
        );
        refused.push(json!({"of": "padding", "what": what, "padded": hex(padded),
            "refusal": "malformed"}));
    }
    refused
}

/// Encodings of Curve25519's points of small order, the non-canonical ones too (RFC 7748 §6.1).
fn small_order_points() -> Vec<(&'static str, [u8; 32])> {
    let point = |hex: &str| crate::testing::from_hex(hex).try_into().unwrap();
    let mut p = [0xff; 32];
    (p[0], p[31]) = (0xed, 0x7f);
    let beside_p = |by: i16| {
        let mut point = p;
        point[0] = u8::try_from(0xed + by).unwrap();
        point
    };
    vec![
        ("0", [0; 32]),
        (
            "1",
            point("0100000000000000000000000000000000000000000000000000000000000000"),
        ),
        (
            "of order 8",
            point("e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800"),
        ),
        (
            "of order 8, the other",
            point("5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157"),
        ),
        ("p - 1", beside_p(-1)),
        ("p", beside_p(0)),
        ("p + 1", beside_p(1)),
    ]
}
