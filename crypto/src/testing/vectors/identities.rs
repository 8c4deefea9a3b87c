//! Identities, device lists, prekey records, safety numbers, logins (PROTOCOL §2, §8).

use ed25519_dalek::SigningKey;
use serde_json::{Value, json};

use super::handshake::prekeys;
use super::{Change, check, hex, named, refusals};
use crate::codec::{Reader, lp_all};
use crate::device_list::DeviceList;
use crate::ids::DeviceId;
use crate::testing::{alice, bob, from_hex};
use crate::{Identity, PublicIdentity, SafetyNumber, SafetyNumberError, VerifiedBundle};

fn people() -> [(&'static str, &'static Identity); 2] {
    [("alice", alice()), ("bob", bob())]
}

#[test]
fn vectors_identities() {
    let cases = people().map(|(name, identity)| {
        let public = identity.public();
        json!({
            "name": name,
            "secrets": hex(identity.to_stored()),
            "identity": hex(public.encode()),
            "account_id": hex(public.account_id().as_bytes()),
            "device_id": hex(public.device_id().as_bytes()),
            "device_key": hex(public.device_key()),
        })
    });
    let bytes = alice().public().encode();
    let list = 33;
    let spki = list + 4 + 32 + 4 + 36 + 64 + 4 + 4;
    let device_key = spki + 422;
    let put = |at: usize, bytes: &[u8]| Change::Put {
        at,
        bytes: bytes.to_vec(),
    };
    let mut neutral = [0; 32];
    neutral[0] = 1;
    let refused = refusals(
        "alice",
        &bytes,
        [
            ("version 0", put(0, &[0])),
            ("version 2", put(0, &[2])),
            ("another account key", Change::flip(1)),
            ("account key of small order", put(1, &neutral)),
            ("list version 0", put(list, &[0; 4])),
            ("list version 2 without a link", put(list + 3, &[2])),
            ("list version 1 with a link", Change::flip(list + 4)),
            ("no device", put(list + 36, &[0; 4])),
            ("65 devices", put(list + 39, &[65])),
            ("another device number in the list", Change::flip(list + 43)),
            ("another device in the list", Change::flip(list + 44)),
            ("list signature", Change::flip(list + 76)),
            ("another device number", Change::flip(spki - 5)),
            ("length of the RSA key", Change::flip(spki - 1)),
            ("algorithm of the RSA key", Change::flip(spki + 10)),
            ("even modulus", Change::flip(device_key - 6)),
            ("exponent 3", put(device_key - 3, &[0, 0, 3])),
            ("device key", Change::flip(device_key)),
            ("device key of small order", put(device_key, &neutral)),
            ("device's own signature", Change::flip(device_key + 32)),
            (
                "cut by one byte",
                Change::Cut {
                    bytes: bytes.len() - 1,
                },
            ),
            ("a trailing byte", Change::Append { bytes: vec![0] }),
        ],
        |bytes| named(PublicIdentity::decode(bytes)),
    );
    check(
        "identities.json",
        &json!({"cases": cases, "refused": refused}),
    );
}

#[test]
fn vectors_device_lists() {
    let key = SigningKey::from_bytes(&[0x21; 32]);
    let account = key.verifying_key().to_bytes();
    let device = |byte| DeviceId::from_bytes([byte; 32]);
    let first = DeviceList::first(&key, 1, device(1));
    let second = first.next(&key, &[(1, device(1)), (2, device(2))]);
    let third = second.next(&key, &[(2, device(2)), (3, device(3))]);
    let fork = first.next(&key, &[(1, device(1)), (2, device(9))]);
    let after_fork = fork.next(&key, &[(1, device(1))]);
    let lists = [&first, &second, &third];
    let cases = lists.map(|list| {
        json!({
            "account_seed": hex([0x21; 32]),
            "list": hex(list.encode()),
            "hash": hex(list.hash(&account)),
        })
    });
    let may_follow = |what: &str, new: &DeviceList, old: &DeviceList| {
        json!({
            "what": what, "new": hex(new.encode()), "old": hex(old.encode()),
            "refusal": if new.may_follow(old, &account) { "none" } else { "may not follow" },
        })
    };
    let mut refused = vec![
        may_follow("rolled back", &first, &second),
        may_follow("another list of the same version", &fork, &second),
        may_follow("the successor of another list", &after_fork, &second),
        may_follow("rolled back by two", &first, &third),
    ];
    for case in &refused {
        assert_eq!(case["refusal"], "may not follow");
    }
    assert!(second.may_follow(&first, &account) && third.may_follow(&first, &account));
    refused.extend(refusals(
        "list 1",
        &second.encode(),
        [
            (
                "version 0",
                Change::Put {
                    at: 0,
                    bytes: vec![0; 4],
                },
            ),
            (
                "no link",
                Change::Put {
                    at: 4,
                    bytes: vec![0; 32],
                },
            ),
            (
                "numbers out of order",
                Change::Put {
                    at: 40,
                    bytes: vec![0, 0, 0, 3],
                },
            ),
            (
                "a number twice",
                Change::Put {
                    at: 40,
                    bytes: vec![0, 0, 0, 2],
                },
            ),
            ("signature", Change::flip(4 + 32 + 4 + 72)),
            ("cut", Change::Cut { bytes: 50 }),
        ],
        |bytes| {
            let mut reader = Reader::new(bytes);
            match DeviceList::read(&mut reader) {
                None => "malformed".into(),
                Some(list) if !list.is_signed_by(&account) => "not signed".into(),
                Some(_) => panic!("accepted"),
            }
        },
    ));
    check(
        "device_lists.json",
        &json!({"cases": cases, "refused": refused}),
    );
}

#[test]
fn vectors_prekeys() {
    let [signed, one_time] = prekeys();
    let records = [signed.record(bob()), one_time.record(bob())];
    let cases = [(&signed, &records[0]), (&one_time, &records[1])].map(|(secret, record)| {
        json!({"owner": "bob", "secret": hex(secret.to_stored()), "record": hex(record)})
    });
    let verify = |identity: &Identity, signed: &[u8], one_time: Option<&[u8]>, now_secs| {
        named(VerifiedBundle::verify(
            identity.public(),
            signed,
            one_time,
            now_secs,
        ))
    };
    let mut refused = refusals(
        "record 0",
        &records[0],
        [
            ("version", Change::flip(0)),
            (
                "an unknown kind",
                Change::Put {
                    at: 1,
                    bytes: vec![3],
                },
            ),
            (
                "the other kind",
                Change::Put {
                    at: 1,
                    bytes: vec![2],
                },
            ),
            ("another id", Change::flip(5)),
            ("a later end", Change::flip(6)),
            ("ML-KEM half", Change::flip(14)),
            (
                "coefficient above q",
                Change::Put {
                    at: 14,
                    bytes: vec![0xff; 3],
                },
            ),
            ("X25519 half", Change::flip(14 + 1184)),
            ("signature", Change::flip(1293)),
            ("cut by one byte", Change::Cut { bytes: 1293 }),
            ("a trailing byte", Change::Append { bytes: vec![0] }),
        ],
        |record| verify(bob(), record, None, 0),
    );
    let of = |what: &str, refusal: String| json!({"what": what, "refusal": refusal});
    let [signed, one_time] = &records;
    refused.extend([
        of("record 0 for alice", verify(alice(), signed, None, 0)),
        of(
            "record 1 as the signed one",
            verify(bob(), one_time, None, 0),
        ),
        of("record 0 as both", verify(bob(), signed, Some(signed), 0)),
        of("at 2001, after its end", verify(bob(), signed, None, 2001)),
    ]);
    check("prekeys.json", &json!({"cases": cases, "refused": refused}));
}

#[test]
fn vectors_safety_numbers() {
    let number = SafetyNumber::between(alice().public(), bob().public());
    let shown = number.to_string();
    let keys = [alice(), bob()].map(|it| hex(it.public().account_key()));
    let cases = json!([{"account_keys": keys, "number": shown}]);
    let refused: Vec<Value> = [
        ("one digit fewer", shown.chars().skip(1).collect()),
        ("one digit more", format!("{shown}0")),
        ("another character", shown.replacen(' ', "-", 1)),
        ("empty", String::new()),
        ("other digits", shown.replacen(' ', "x ", 1)),
    ]
    .into_iter()
    .map(|(what, text)| {
        let refusal = text.parse::<SafetyNumber>();
        assert_eq!(refusal, Err(SafetyNumberError));
        json!({"what": what, "text": text, "refusal": "SafetyNumberError"})
    })
    .collect();
    check(
        "safety_numbers.json",
        &json!({"cases": cases, "refused": refused}),
    );
}

#[test]
fn vectors_logins() {
    let (relay, exporter) = ([0x31; 32], [0x32; 32]);
    let device = alice().public().device_key();
    let proof = alice().sign_login(&relay, &exporter);
    let verify = |device: &[u8; 32], relay: &[u8; 32], exporter: &[u8; 32], proof: &[u8; 64]| {
        let parts: [&[u8]; 4] = [b"Sotto/1 relay-auth", relay, device, exporter];
        crate::signature::verify(device, &parts, proof)
    };
    assert!(verify(&device, &relay, &exporter, &proof));
    let cases = json!([{
        "device_seed": hex(&from_hex(super::super::ALICE_STORED)[33..65]),
        "device_key": hex(device),
        "relay": hex(relay),
        "exporter": hex(exporter),
        "signed": hex(lp_all(&[b"Sotto/1 relay-auth", &relay, &device, &exporter]).as_slice()),
        "proof": hex(proof),
    }]);
    let other = bob().public().device_key();
    let mut changed = proof;
    changed[0] ^= 1;
    let refused = [
        (
            "another relay",
            verify(&device, &[0x30; 32], &exporter, &proof),
        ),
        (
            "another connection",
            verify(&device, &relay, &[0x30; 32], &proof),
        ),
        ("another device", verify(&other, &relay, &exporter, &proof)),
        (
            "another proof",
            verify(&device, &relay, &exporter, &changed),
        ),
    ]
    .map(|(what, accepted)| {
        assert!(!accepted, "{what}");
        json!({"of": "login 0", "what": what, "refusal": "does not verify"})
    });
    check("logins.json", &json!({"cases": cases, "refused": refused}));
}
