//! R6, R7: parts of bundles, handshakes and packets that the relay swaps, replaces, strips or
//! lowers.

use sotto_crypto::{
    BundleError, IdentityError, OpenError, Packet, PrekeyKind, PrekeySecret, PublicIdentity,
    Session, VerifiedBundle,
};

use crate::forge::{Author, Initiator, Message, Recipient, kem_pair};
use crate::layout::{FIRST, STEP, mixed, place, stripped};
use crate::people::{Device, TURN_SECS, Talk, alice_author, bob_author, intruder, open, refuses};
use crate::people::{rng, seal};

/// Alice's first packet to a device with its prekeys of this index.
fn first_to(device: &Device, index: usize, seed: u64) -> Vec<u8> {
    let signed = device.signed[index].record(&device.identity);
    let one_time = device.one_time[index].record(&device.identity);
    let public = device.identity.public();
    let bundle = VerifiedBundle::verify(public, &signed, Some(&one_time), 0).unwrap();
    let mut rng = rng(seed);
    let alice = Device::alice();
    let mut session = Session::start(&alice.identity, &bundle, 0, &mut rng).unwrap();
    let first = seal(&mut session, b"first", 0, &mut rng);
    assert_eq!(first.len(), FIRST[13].1.end);
    first
}

/// The parts that can be taken from one packet or from another; a message stays in one piece.
const PIECES: [&[&str]; 8] = [
    &["spk_id"],
    &["opk_id"],
    &["c1"],
    &["c2"],
    &["c3"],
    &["rek"],
    &["c4"],
    &["tag16", "r16", "hdr", "body"],
];

/// Every mixture of two packets of the same layout in which something of both is left.
fn mixtures<'a>(one: &'a [u8], other: &'a [u8]) -> impl Iterator<Item = (Vec<u8>, String)> + 'a {
    let differs = |names: &&&[&str]| mixed(one, other, names) != one;
    let pieces: Vec<_> = PIECES.iter().filter(differs).collect();
    (1..(1 << pieces.len()) - 1).map(move |mask: u32| {
        let chosen = |index: &usize| mask >> index & 1 == 1;
        let indices = (0..pieces.len()).filter(chosen);
        let names: Vec<_> = indices.flat_map(|index| *pieces[index]).copied().collect();
        (mixed(one, other, &names), names.join(", "))
    })
}

#[test]
fn r6_no_mixture_of_two_handshakes_is_one() {
    let (bob, charlie) = (Device::bob(), Device::charlie());
    let first = first_to(&bob, 0, 1);
    let later = first_to(&bob, 1, 2);
    for (mixture, names) in mixtures(&first, &later) {
        bob.refuses(&mixture, &names);
    }
    bob.accepts(&first, b"first");
    bob.accepts(&later, b"first");
    // Charlie's prekeys have the same ids, and his device the same RSA key.
    let elsewhere = first_to(&charlie, 0, 3);
    for (mixture, names) in mixtures(&first, &elsewhere) {
        bob.refuses(&mixture, &names);
    }
    bob.accepts(&first, b"first");
    charlie.accepts(&elsewhere, b"first");
}

#[test]
fn r6_nothing_of_the_attackers_own_handshake_fits_into_anothers() {
    let bob = Device::bob();
    let first = first_to(&bob, 0, 4);
    let rng = &mut rng(5);
    let own = Initiator::new(&intruder(), &bob.recipient(true), rng);
    let own = own.message(b"intruder").seal(rng);
    for (mixture, names) in mixtures(&first, &own) {
        bob.refuses(&mixture, &names);
    }
    // The whole of another person's sealed identity, or only her name, over the attacker's keys.
    let handshake = Initiator::new(&intruder(), &bob.recipient(true), rng);
    let (id, identity) = (alice_author().id(), alice_author().identity());
    let named = Initiator {
        identity: identity.clone(),
        ..handshake.clone()
    };
    bob.refuses(&named.message(b"").seal(rng), "alice's identity");
    let named = Initiator {
        id,
        identity,
        ..handshake.clone()
    };
    bob.refuses(&named.message(b"").seal(rng), "alice's name in T1");
    let unnamed = Initiator { id, ..handshake };
    bob.refuses(&unnamed.message(b"").seal(rng), "another name in T1");
    bob.accepts(&first, b"first");
    bob.accepts(&own, b"intruder");
}

#[test]
fn r6_prekeys_of_other_owners_devices_epochs_and_kinds_make_no_bundle() {
    let bob = Device::bob();
    let owner = bob_author();
    let (signed, one_time) = (bob.signed_record(), bob.one_time_record());
    let verify = |signed: &[u8], one_time: Option<&[u8]>, now_secs| {
        VerifiedBundle::verify(bob.identity.public(), signed, one_time, now_secs).err()
    };
    let as_either = |record: &[u8], what: &str| {
        let forged = Some(BundleError::NotAuthentic);
        if record[1] == 1 {
            assert_eq!(verify(record, Some(&one_time), 0), forged, "{what}");
        } else {
            assert_eq!(verify(&signed, Some(record), 0), forged, "{what}");
        }
        assert_eq!(verify(&signed, Some(&one_time), 0), None);
    };
    // Other devices: somebody else's, one of the same account, and one with the same keys.
    let second = Author {
        device: intruder().device,
        device_public: intruder().device_public,
        number: 2,
        ..owner.clone()
    };
    let renumbered = Author {
        number: 2,
        ..owner.clone()
    };
    for (author, what) in [
        (&intruder(), "intruder's"),
        (&alice_author(), "alice's"),
        (&second, "of the same account"),
        (&renumbered, "with the same keys"),
    ] {
        let key = kem_pair(&mut rng(6)).1;
        as_either(&author.prekey_record(1, 1, &key), what);
        as_either(&author.prekey_record(2, 1, &key), what);
    }
    // Another epoch: the old prekey under the new one's id, or for longer than it was signed for.
    let mut old =
        PrekeySecret::generate(PrekeyKind::Signed, 0, 5, &mut rng(7)).record(&bob.identity);
    assert_eq!(verify(&old, None, 5), None);
    let expired = Some(BundleError::Expired { not_after_secs: 5 });
    assert_eq!(verify(&old, None, 6), expired);
    old[2..6].copy_from_slice(&signed[2..6]);
    as_either(&old, "the id of the new one");
    old[2..6].fill(0);
    old[6..14].copy_from_slice(&signed[6..14]);
    as_either(&old, "the end of the new one");
    // Halves of two keys, or the key of one with everything else of the other.
    let other = bob.signed[1].record(&bob.identity);
    for place in [14..1198, 1198..1230, 14..1230, 1230..1294] {
        let mut spliced = signed.clone();
        spliced[place.clone()].copy_from_slice(&other[place]);
        as_either(&spliced, "spliced");
    }
    // Kinds: in the wrong place, and relabelled to fit it.
    let malformed = Some(BundleError::Malformed);
    assert_eq!(verify(&one_time, None, 0), malformed);
    assert_eq!(verify(&signed, Some(&other), 0), malformed);
    assert_eq!(verify(&one_time, Some(&signed), 0), malformed);
    let relabelled = |record: &[u8], kind| [&record[..1], &[kind], &record[2..]].concat();
    as_either(&relabelled(&one_time, 1), "one-time as signed");
    as_either(&relabelled(&signed, 2), "signed as one-time");
    assert_eq!(verify(&signed, Some(&one_time), 0), None);
}

/// Whoever initiates may take a prekey for one of another kind or id; its owner does not.
#[test]
fn r6_a_handshake_with_prekeys_of_the_wrong_kind_or_id_is_refused() {
    let bob = Device::bob();
    let rng = &mut rng(15);
    let right = bob.recipient(true);
    let opk = right.one_time.clone().unwrap();
    let (signed, one_time) = (&bob.signed[0], &bob.one_time[0]);
    let renamed = |(_, key): &(u32, Vec<u8>), id| (id, key.clone());
    for (to_signed, to_one_time, signed, one_time) in [
        (
            opk.clone(),
            Some(right.signed.clone()),
            one_time,
            Some(signed),
        ),
        (opk.clone(), None, one_time, None),
        (
            right.signed.clone(),
            Some(right.signed.clone()),
            signed,
            Some(signed),
        ),
        (
            renamed(&right.signed, 2),
            Some(opk.clone()),
            signed,
            Some(one_time),
        ),
        (
            right.signed.clone(),
            Some(renamed(&opk, 12)),
            signed,
            Some(one_time),
        ),
    ] {
        let to = Recipient {
            signed: to_signed,
            one_time: to_one_time,
            ..right.clone()
        };
        let first = Initiator::new(&intruder(), &to, rng).message(b"").seal(rng);
        let packet = Packet::parse(&first).unwrap();
        let refused = Session::accept(&bob.identity, signed, one_time, &packet, 0, rng);
        assert_eq!(refused.err(), Some(OpenError::NotAuthentic));
    }
    let first = Initiator::new(&intruder(), &right, rng).message(b"hi");
    bob.accepts(&first.seal(rng), b"hi");
}

#[test]
fn r7_a_stripped_part_is_missed() {
    let bob = Device::bob();
    let first = first_to(&bob, 0, 8);
    let handshake = [
        "spk_id",
        "opk_id",
        "c1",
        "c2",
        "c3",
        "rek",
        "length of c4",
        "c4",
    ];
    for (flags, names) in [
        (1, &["opk_id", "c3"][..]),
        (1, &["spk_id", "c3"]),
        (1, &["opk_id", "c2"]),
        (0, &handshake),
    ] {
        bob.refuses(&stripped(&first, flags, names), &names.join(", "));
    }
    // Not even by a recipient who is told to do without the one-time prekey.
    let without = stripped(&first, 1, &["opk_id", "c3"]);
    let packet = Packet::parse(&without).unwrap();
    for one_time in [None, Some(&bob.one_time[0])] {
        let signed = &bob.signed[0];
        let refused = Session::accept(&bob.identity, signed, one_time, &packet, 0, &mut rng(0));
        assert_eq!(refused.err(), Some(OpenError::NotAuthentic));
    }
    let mut session = bob.accepts(&first, b"first");
    refuses(
        &mut session,
        &stripped(&first, 0, &handshake),
        "already open",
    );
}

#[test]
fn r7_a_repeated_handshake_cannot_be_stripped_from_a_later_packet() {
    let (alice, bob) = (Device::alice(), Device::bob());
    let rng = &mut rng(9);
    let mut of_alice = alice.start(&bob, true, rng);
    let first = seal(&mut of_alice, b"first", 0, rng);
    let next = seal(&mut of_alice, b"next", 0, rng);
    let mut of_bob = bob.accepts(&first, b"first");
    let handshake = [
        "spk_id",
        "opk_id",
        "c1",
        "c2",
        "c3",
        "rek",
        "length of c4",
        "c4",
    ];
    refuses(&mut of_bob, &stripped(&next, 0, &handshake), "no handshake");
    refuses(
        &mut of_bob,
        &stripped(&next, 1, &["opk_id", "c3"]),
        "no one-time part",
    );
    let other = first_to(&bob, 1, 10);
    let of_another = mixed(&other, &next, &["tag16", "r16", "hdr", "body"]);
    refuses(&mut of_bob, &of_another, "another handshake");
    assert_eq!(open(&mut of_bob, &next).unwrap(), b"next");
}

#[test]
fn r7_a_step_cannot_be_stripped_from_its_header() {
    let mut talk = Talk::settled();
    talk.now_secs += TURN_SECS;
    let step = talk.alice_seals(b"step");
    let again = talk.alice_seals(b"again");
    assert_eq!((step[1], step.len()), (4, STEP[5].1.end));
    let (hdr, body) = (place(&STEP, "hdr"), place(&STEP, "body"));
    let front = [&[1, 0], &step[2..hdr.start]].concat();
    let plain = &step[hdr.start..][..16];
    for (kept, what) in [
        (&step[hdr.start..][..32], "its first bytes"),
        (
            &[plain, &step[hdr.end - 16..hdr.end]].concat()[..],
            "its numbers and tag",
        ),
        (&step[hdr.end - 32..hdr.end], "its last bytes"),
        (&step[hdr.clone()], "the flag alone"),
    ] {
        let stripped = [&front[..], kept, &step[body.clone()]].concat();
        refuses(&mut talk.bob, &stripped, what);
    }
    // Nor put on a message that has none, or taken from another packet of the same step.
    let grafted = [
        &again[..hdr.start],
        &step[hdr.clone()],
        &again[body.clone()],
    ]
    .concat();
    refuses(&mut talk.bob, &grafted, "the header of another packet");
    assert_eq!(open(&mut talk.bob, &again).unwrap(), b"again");
    assert_eq!(open(&mut talk.bob, &step).unwrap(), b"step");
}

#[test]
fn r7_no_other_version_or_flags_are_accepted() {
    let bob = Device::bob();
    let first = first_to(&bob, 0, 11);
    let mut talk = Talk::settled();
    let plain = talk.alice_seals(b"plain");
    talk.now_secs += TURN_SECS;
    let step = talk.bob_seals(b"step");
    for packet in [&first, &plain, &step] {
        for byte in 0..=u8::MAX {
            let (mut other_version, mut other_flags) = (packet.clone(), packet.clone());
            other_version[0] = byte;
            other_flags[1] = byte;
            let parsed = |bytes| Packet::parse(bytes).err();
            if byte != 1 {
                assert_eq!(parsed(&other_version), Some(OpenError::Malformed), "{byte}");
            }
            if ![0, 1, 3, 4].contains(&byte) {
                assert_eq!(parsed(&other_flags), Some(OpenError::Malformed), "{byte}");
            } else if byte != packet[1] {
                assert!(bob.accept(&other_flags).is_err(), "{byte}");
                assert!(open(&mut talk.alice, &other_flags).is_err(), "{byte}");
                assert!(open(&mut talk.bob, &other_flags).is_err(), "{byte}");
            }
        }
    }
    bob.accepts(&first, b"first");
    assert_eq!(open(&mut talk.bob, &plain).unwrap(), b"plain");
    assert_eq!(open(&mut talk.alice, &step).unwrap(), b"step");
}

#[test]
fn r7_no_other_version_of_a_record_or_an_identity_is_accepted() {
    let bob = Device::bob();
    let public = bob.identity.public();
    for version in (0..=u8::MAX).filter(|version| *version != 1) {
        let mut record = bob.signed_record();
        record[0] = version;
        let refused = VerifiedBundle::verify(public, &record, None, 0).err();
        assert_eq!(refused, Some(BundleError::Malformed));
        let mut identity = public.encode();
        identity[0] = version;
        let expected = match version {
            0 => IdentityError::Malformed,
            _ => IdentityError::Newer { version },
        };
        assert_eq!(PublicIdentity::decode(&identity).err(), Some(expected));
    }
}

#[test]
fn r7_another_suite_is_another_handshake() {
    let bob = Device::bob();
    let rng = &mut rng(12);
    let handshake = Initiator::new(&intruder(), &bob.recipient(true), rng);
    for suite in [
        "",
        "RSA-2048-OAEP-SHA256+X-Wing+Ed25519+AES-256-GCM+HKDF-SHA256",
        "RSA-3072-OAEP-SHA1+X-Wing+Ed25519+AES-256-GCM+HKDF-SHA256",
        "RSA-3072-OAEP-SHA256+X25519+Ed25519+AES-256-GCM+HKDF-SHA256",
        "RSA-3072-OAEP-SHA256+X-Wing+Ed25519+AES-128-GCM+HKDF-SHA256",
    ] {
        let lowered = Initiator {
            suite: suite.into(),
            ..handshake.clone()
        };
        bob.refuses(&lowered.message(b"").seal(rng), suite);
    }
    bob.accepts(&handshake.message(b"honest").seal(rng), b"honest");
}

#[test]
fn r7_a_bundle_without_its_one_time_prekey_is_allowed_and_shows_in_the_transcript() {
    let bob = Device::bob();
    let alice = Device::alice();
    let digests = [false, true].map(|with_one_time| {
        // The same randomness in both, and so the same s, c1 and c2.
        let rng = &mut rng(13);
        let mut session = alice.start(&bob, with_one_time, rng);
        let first = seal(&mut session, b"hello", 0, rng);
        let shown = Packet::parse(&first).unwrap().handshake().unwrap();
        let used = with_one_time.then_some(bob.one_time[0].id());
        assert_eq!(shown.one_time_prekey_id(), used);
        assert_eq!(first[1], if with_one_time { 3 } else { 1 });
        // Nobody can hide it, or claim it afterwards.
        let mut claimed = first.clone();
        claimed[1] ^= 2;
        assert!(bob.accept(&claimed).is_err());
        bob.accepts(&first, b"hello");
        shown.digest()
    });
    assert_ne!(digests[0], digests[1]);
    // T0 says whether there was one: an initiator and a recipient who disagree share nothing.
    let rng = &mut rng(14);
    let mut handshake = Initiator::new(&intruder(), &bob.recipient(true), rng);
    handshake.one_time = None;
    let (mut bytes, _) = handshake.handshake();
    let message = handshake.message(b"hello");
    bytes.drain(4..8);
    let hidden = Message {
        flags: 1,
        handshake: bytes,
        ..message
    };
    bob.refuses(&hidden.seal(rng), "a one-time prekey in T0 alone");
}
