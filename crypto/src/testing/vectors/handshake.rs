//! Whole handshakes with all secret inputs and every value between (PROTOCOL §3).

use serde_json::{Value, json};

use super::{Change, Recorder, check, hex, named, refusals};
use crate::codec::lp_all;
use crate::kdf;
use crate::kem::KemSecret;
use crate::testing::{alice, bob, rng};
use crate::{OpenError, Packet, PrekeyKind, PrekeySecret, Session, VerifiedBundle};

const SUITE: &[u8] = b"RSA-3072-OAEP-SHA256+X-Wing+Ed25519+AES-256-GCM+HKDF-SHA256";
pub(super) const NOW_SECS: u64 = 1_000;

/// Bob's prekeys in all vectors.
pub(super) fn prekeys() -> [PrekeySecret; 2] {
    [(PrekeyKind::Signed, 5), (PrekeyKind::OneTime, 6)]
        .map(|(kind, id)| PrekeySecret::generate(kind, id, 2_000, &mut rng(id.into())))
}

/// A session of Alice with Bob.
pub(super) fn start(with_one_time: bool, rng: &mut Recorder) -> Session {
    let [signed, one_time] = prekeys().map(|prekey| prekey.record(bob()));
    let one_time = with_one_time.then_some(&*one_time);
    let bundle = VerifiedBundle::verify(bob().public(), &signed, one_time, NOW_SECS).unwrap();
    Session::start(alice(), &bundle, NOW_SECS, rng).unwrap()
}

/// What Bob makes of a first packet.
pub(super) fn accept(bytes: &[u8]) -> Result<crate::Accepted, OpenError> {
    let packet = Packet::parse(bytes)?;
    let [signed, one_time] = prekeys();
    let named = packet.handshake().and_then(|it| it.one_time_prekey_id());
    let one_time = named.map(|_| &one_time);
    Session::accept(bob(), &signed, one_time, &packet, NOW_SECS, &mut rng(0))
}

#[test]
fn vectors_handshake() {
    let cases = [true, false].map(case);
    let packets = cases.each_ref().map(|case| {
        let packet = case["packet"].as_str().unwrap();
        crate::testing::from_hex(packet)
    });
    let refused: Vec<_> = packets
        .iter()
        .zip(["with a one-time prekey", "without one"])
        .flat_map(|(packet, of)| {
            refusals(of, packet, changes(packet[1] == 3), |bytes| {
                named(accept(bytes))
            })
        })
        .collect();
    check(
        "handshake.json",
        &json!({"cases": cases, "refused": refused}),
    );
}

fn case(with_one_time: bool) -> Value {
    let mut random = Recorder::new(if with_one_time { 31 } else { 32 });
    let session = start(with_one_time, &mut random);
    let drawn = random.take();
    let [signed, one_time] = prekeys();
    let mut parts = crate::codec::Reader::new(&drawn);
    let s: [u8; 32] = parts.array().unwrap();
    let oaep_seed: [u8; 32] = parts.array().unwrap();
    let eseeds: Vec<[u8; 64]> = (0..=usize::from(with_one_time))
        .map(|_| parts.array().unwrap())
        .collect();
    let ratchet_seed: [u8; 32] = parts.array().unwrap();
    parts.finish().unwrap();

    let text = b"Hello Bob";
    let sealed = session.seal(text, NOW_SECS, &mut random).unwrap();
    let accepted = accept(&sealed.output).unwrap();
    assert_eq!(accepted.opened.text(), Some(&text[..]));
    assert_eq!(accepted.session.id(), session.id());

    // The values between, from the text of the protocol.
    let mut packet = crate::codec::Reader::new(&sealed.output);
    packet
        .raw(2 + 4 + if with_one_time { 4 } else { 0 })
        .unwrap();
    let c1 = packet.raw(384).unwrap();
    let c2 = packet.raw(1120).unwrap();
    let c3 = packet.raw(if with_one_time { 1120 } else { 0 }).unwrap();
    let rek = packet.raw(1216).unwrap();
    let c4 = packet.lp(usize::MAX).unwrap();
    assert_eq!(rek, KemSecret::from_seed(&ratchet_seed).public().as_bytes());
    let spk = signed.expand();
    let opk = one_time.expand();
    let ss2 = spk.decapsulate(c2).unwrap();
    let ss3 = if with_one_time {
        opk.decapsulate(c3)
    } else {
        None
    };
    let ss3 = ss3.as_ref().map_or(&[][..], |shared| shared.as_slice());
    let opk_public = with_one_time.then(|| opk.public());
    let id_b = bob().public().device_id();
    let id_a = alice().public().device_id();
    let t0 = kdf::hash(&[
        b"Sotto/1 skx t0",
        SUITE,
        id_b.as_bytes(),
        &5_u32.to_be_bytes(),
        spk.public().as_bytes(),
        if with_one_time { &[0, 0, 0, 6] } else { &[] },
        opk_public.as_ref().map_or(&[], |key| key.as_bytes()),
        c1,
        c2,
        c3,
        rek,
    ]);
    let p0 = kdf::extract(&t0, &[&s, ss2.as_slice(), ss3]);
    let k_id = kdf::expand::<32>(&p0, &[b"Sotto/1 skx id"]);
    let t1 = kdf::hash(&[b"Sotto/1 skx t1", &t0, id_a.as_bytes()]);
    let auth = crate::aead::open(&k_id, &[0; 12], &t0, c4).unwrap();
    let p1 = kdf::extract(&t1, &[p0.as_slice()]);
    let keys = kdf::expand::<192>(&p1, &[b"Sotto/1 skx keys"]);
    assert_eq!(kdf::part(&keys, 5).as_slice(), session.id().as_bytes());

    json!({
        "at": NOW_SECS,
        "name": if with_one_time { "with a one-time prekey" } else { "without one" },
        "alice": hex(alice().to_stored()),
        "bob": hex(bob().to_stored()),
        "signed_prekey": hex(signed.to_stored()),
        "one_time_prekey": if with_one_time { hex(one_time.to_stored()) } else { Value::Null },
        "s": hex(s),
        "oaep_seed": hex(oaep_seed),
        "oaep_label": hex(lp_all(&[b"Sotto/1 oaep", id_b.as_bytes()]).as_slice()),
        "eseed": eseeds.iter().map(hex).collect::<Vec<_>>(),
        "ratchet_seed": hex(ratchet_seed),
        "ss2": hex(ss2.as_slice()),
        "ss3": hex(ss3),
        "t0": hex(t0),
        "p0": hex(p0.as_slice()),
        "k_id": hex(k_id.as_slice()),
        "t1": hex(t1),
        "c4_plaintext": hex(auth.as_slice()),
        "p1": hex(p1.as_slice()),
        "keys": hex(keys.as_slice()),
        "digest": hex(Packet::parse(&sealed.output).unwrap().handshake().unwrap().digest()),
        "r16": hex(random.take()),
        "text": hex(text),
        "packet": hex(&sealed.output),
        "session_of_alice": hex(sealed.next.to_stored()),
        "session_of_bob": hex(accepted.session.to_stored()),
    })
}

/// A first packet is spoilt at every border of its layout.
#[expect(clippy::too_many_lines, reason = "a table")]
fn changes(with_one_time: bool) -> Vec<(&'static str, Change)> {
    let opk = if with_one_time { 4 } else { 0 };
    let c1 = 6 + opk;
    let c2 = c1 + 384;
    let c3 = c2 + 1120;
    let rek = c3 + if with_one_time { 1120 } else { 0 };
    let c4 = rek + 1216 + 4;
    let tag = c4 + 4 + 699 + 64 + 16;
    let end = tag + 16 + 16 + 32 + 256 + 16;
    let mut changes = vec![
        (
            "an older version",
            Change::Put {
                at: 0,
                bytes: vec![0],
            },
        ),
        (
            "a newer version",
            Change::Put {
                at: 0,
                bytes: vec![2],
            },
        ),
        ("an unknown flag", Change::Flip { at: 1, with: 8 }),
        ("a step with a handshake", Change::Flip { at: 1, with: 4 }),
        ("no handshake flag", Change::Flip { at: 1, with: 1 }),
        ("the other one-time flag", Change::Flip { at: 1, with: 2 }),
        ("another signed prekey", Change::flip(5)),
        ("c1, first byte", Change::flip(c1)),
        ("c1, last byte", Change::flip(c2 - 1)),
        (
            "c1 of zeros",
            Change::Put {
                at: c1,
                bytes: vec![0; 384],
            },
        ),
        (
            "c1 above the modulus",
            Change::Put {
                at: c1,
                bytes: vec![0xff; 384],
            },
        ),
        ("c2, ML-KEM half", Change::flip(c2)),
        ("c2, X25519 half", Change::flip(c3 - 32)),
        (
            "c2, point of small order",
            Change::Put {
                at: c3 - 32,
                bytes: vec![0; 32],
            },
        ),
        ("rek, ML-KEM half", Change::flip(rek)),
        (
            "rek, coefficient above q",
            Change::Put {
                at: rek,
                bytes: vec![0xff; 3],
            },
        ),
        ("rek, X25519 half", Change::flip(rek + 1216 - 32)),
        (
            "c4, shorter",
            Change::Flip {
                at: c4 - 1,
                with: 1,
            },
        ),
        (
            "c4, huge",
            Change::Put {
                at: c4 - 4,
                bytes: vec![0xff; 4],
            },
        ),
        ("c4, first byte", Change::flip(c4)),
        ("c4, last byte", Change::flip(tag - 1)),
        ("tag16", Change::flip(tag)),
        ("r16, in both nonces", Change::flip(tag + 16)),
        ("r16, in the key only", Change::flip(tag + 31)),
        ("header", Change::flip(tag + 32)),
        ("body", Change::flip(tag + 64)),
        ("body, last byte", Change::flip(end - 1)),
        ("cut by one byte", Change::Cut { bytes: end - 1 }),
        ("cut before the message", Change::Cut { bytes: tag }),
        ("cut in c1", Change::Cut { bytes: c1 + 1 }),
        ("empty", Change::Cut { bytes: 0 }),
        ("a trailing byte", Change::Append { bytes: vec![0] }),
    ];
    if with_one_time {
        changes.extend([
            ("another one-time prekey", Change::flip(9)),
            ("c3, ML-KEM half", Change::flip(c3)),
            (
                "c3, point of small order",
                Change::Put {
                    at: rek - 32,
                    bytes: vec![0; 32],
                },
            ),
        ]);
    }
    changes
}
