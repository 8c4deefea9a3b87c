//! R21: whoever watches a device fail learns nothing about why.

use std::error::Error;

use sotto_crypto::{OpenError, Packet, PrekeyKind, PrekeySecret, Session};

use crate::forge::{Author, Initiator, Message, lp, part};
use crate::people::{Device, Talk, alice_author, bob_author, intruder, open, rng};
use crate::record::Record;

/// What is wrong, and how it becomes so.
type Change<T> = (&'static str, fn(&mut T));

/// Everything that a failure lets out.
fn seen(error: OpenError) -> (OpenError, String, String) {
    assert_eq!(size_of_val(&error), 1, "a variant and nothing else");
    assert!(error.source().is_none());
    (error, format!("{error}"), format!("{error:?}"))
}

/// Asserts that there is nothing to tell this failure from others by.
fn looks_alike(error: Option<OpenError>, why: &str) {
    let shown = ("packet not authentic".into(), "NotAuthentic".into());
    let (error, display, debug) = seen(error.unwrap_or_else(|| panic!("opened: {why}")));
    assert_eq!(error, OpenError::NotAuthentic, "{why}");
    assert_eq!((display, debug), shown, "{why}");
}

/// Wraps another secret than the one that goes into the keys.
fn wrap(handshake: &mut Initiator, secret: &[u8]) {
    handshake.wrapped = Initiator::wrap(&handshake.to, secret, &mut rng(211));
}

const IN_THE_HANDSHAKE: [Change<Initiator>; 14] = [
    ("c1 above the modulus", |it| it.wrapped.fill(0xff)),
    ("c1 of zero", |it| it.wrapped.fill(0)),
    ("a changed c1", |it| it.wrapped[383] ^= 1),
    ("an empty s", |it| wrap(it, &[])),
    ("a short s", |it| wrap(it, &it.secret.clone()[..31])),
    ("a long s", |it| wrap(it, &[&it.secret[..], &[0]].concat())),
    ("another s", |it| wrap(it, &[1; 32])),
    ("c1 for another device", |it| {
        let mut to = it.to.clone();
        to.id = [7; 32];
        it.wrapped = Initiator::wrap(&to, &it.secret, &mut rng(212));
    }),
    ("c2 of small order", |it| {
        let seed = part(&Device::bob().signed[0].to_stored(), 14);
        it.signed = it.signed.clone().with_point(&[0; 32], seed);
    }),
    ("c3 of small order", |it| {
        let seed = part(&Device::bob().one_time[0].to_stored(), 14);
        let lock = it.one_time.take();
        it.one_time = lock.map(|lock| lock.with_point(&[0; 32], seed));
    }),
    ("a changed c2", |it| it.signed.ciphertext[0] ^= 1),
    ("another ss2", |it| it.signed.shared[0] ^= 1),
    ("another spk", |it| it.to.signed.1[0] ^= 1),
    ("a bad rek", |it| it.ratchet_key[..3].fill(0xff)),
];

const IN_THE_IDENTITY: [Change<Initiator>; 12] = [
    ("no identity", |it| it.identity.clear()),
    ("a cut identity", |it| it.identity.truncate(698)),
    ("a byte behind it", |it| it.identity.push(0)),
    ("zeros behind it", |it| {
        it.identity.resize(4096, 0);
    }),
    ("a later version", |it| it.identity[0] = 2),
    ("an unsigned list", |it| it.identity[109] ^= 1),
    ("a device that did not agree", |it| it.identity[698] ^= 1),
    ("a weak key", |it| {
        let device_public = [0; 32];
        let weak = Author {
            device_public,
            ..intruder()
        };
        it.identity = weak.identity();
    }),
    ("another's identity", |it| {
        it.identity = alice_author().identity();
    }),
    ("another's signature", |it| {
        it.signer = alice_author().device;
    }),
    ("a byte behind the signature", |it| it.behind.push(0)),
    ("bob himself", |it| {
        *it = Initiator::new(&bob_author(), &it.to, &mut rng(213));
    }),
];

const IN_THE_FIRST_MESSAGE: [Change<Message>; 14] = [
    ("another header key", |it| it.header_keys.encryption[0] ^= 1),
    ("another tag", |it| it.header_keys.tag[0] ^= 1),
    ("another number in the tag", |it| it.tag_n = 1),
    ("another epoch", |it| it.epoch = 2),
    ("too far ahead", |it| *it = it.numbered(2001)),
    ("another session", |it| it.session_id[0] ^= 1),
    ("another direction", |it| it.direction = 1),
    ("another message key", |it| it.body_key[0] ^= 1),
    ("no end of the text", |it| it.body.fill(0)),
    ("a changed c4", |it| *it.handshake.last_mut().unwrap() ^= 1),
    ("a byte behind c4", |it| {
        with_c4(it, &[&c4(it)[..], &[0]].concat());
    }),
    ("a short c4", |it| with_c4(it, &c4(it)[..15])),
    ("no c4", |it| with_c4(it, &[])),
    ("no handshake", |it| {
        it.flags = 0;
        it.handshake.clear();
    }),
];

/// Behind both ids, c1, c2, c3, rek and the length.
fn c4(message: &Message) -> Vec<u8> {
    message.handshake[3852..].to_vec()
}

fn with_c4(message: &mut Message, c4: &[u8]) {
    message.handshake.truncate(3848);
    message.handshake.extend(lp(&[c4]));
}

#[test]
fn r21_first_packets_fail_alike_whatever_was_wrong() {
    let bob = Device::bob();
    let rng = &mut rng(210);
    let honest = Initiator::new(&intruder(), &bob.recipient(true), rng);
    for (why, change) in IN_THE_HANDSHAKE.into_iter().chain(IN_THE_IDENTITY) {
        let mut handshake = honest.clone();
        change(&mut handshake);
        let first = handshake.message(b"").seal(rng);
        looks_alike(bob.accept(&first).err(), why);
    }
    let message = honest.message(b"hello");
    for (why, change) in IN_THE_FIRST_MESSAGE {
        let mut changed = message.clone();
        change(&mut changed);
        looks_alike(bob.accept(&changed.seal(rng)).err(), why);
    }
    bob.accepts(&message.seal(rng), b"hello");
}

#[test]
fn r21_wrong_prekeys_and_devices_fail_alike() {
    let (bob, charlie) = (Device::bob(), Device::charlie());
    let rng = &mut rng(214);
    let first = Initiator::new(&intruder(), &bob.recipient(true), rng).message(b"hello");
    let first = first.seal(rng);
    let packet = Packet::parse(&first).unwrap();
    let (signed, one_time) = (&bob.signed[0], &bob.one_time[0]);
    let mut other = |kind, id| PrekeySecret::generate(kind, id, 1000, rng);
    let other_signed = other(PrekeyKind::Signed, signed.id());
    let other_one_time = other(PrekeyKind::OneTime, one_time.id());
    for (why, device, signed, one_time) in [
        ("another signed prekey", &bob, &other_signed, Some(one_time)),
        (
            "another one-time prekey",
            &bob,
            signed,
            Some(&other_one_time),
        ),
        ("another id", &bob, &bob.signed[1], Some(one_time)),
        ("another one-time id", &bob, signed, Some(&bob.one_time[1])),
        ("no one-time prekey", &bob, signed, None),
        ("another kind", &bob, one_time, Some(one_time)),
        ("another device", &charlie, signed, Some(one_time)),
    ] {
        let accepted = Session::accept(&device.identity, signed, one_time, &packet, 0, rng);
        looks_alike(accepted.err(), why);
    }
    bob.accepts(&first, b"hello");
}

const IN_A_MESSAGE: [Change<Message>; 13] = [
    ("another session", |it| it.session_id[0] ^= 1),
    ("another direction", |it| it.direction ^= 1),
    ("another chain", |it| it.header_keys.tag[0] ^= 1),
    ("another header key", |it| it.header_keys.encryption[0] ^= 1),
    ("another number", |it| it.n += 1),
    ("another epoch", |it| it.epoch += 2),
    ("too far ahead", |it| *it = it.numbered(u32::MAX)),
    ("another message key", |it| it.body_key[0] ^= 1),
    ("no end of the text", |it| it.body.fill(0)),
    ("another end", |it| it.body[255] = 0x81),
    ("too much padding", |it| it.body.resize(512, 0)),
    ("an odd size", |it| it.body.resize(257, 0)),
    ("a text that is too long", |it| {
        it.body = [&[1; 53_248][..], &[0x80], &[0; 2047]].concat();
    }),
];

const IN_A_STEP: [Change<Message>; 6] = [
    ("another epoch", |it| it.epoch += 2),
    ("too far ahead", |it| *it = it.numbered(2001)),
    ("a changed ct", |it| it.step[0] ^= 1),
    ("another key", |it| it.step[2335] ^= 1),
    ("a bad key", |it| it.step[1120..1123].fill(0xff)),
    ("no step", |it| {
        it.flags = 0;
        it.step.clear();
    }),
];

#[test]
fn r21_packets_of_a_session_fail_alike_whatever_was_wrong() {
    let mut talk = Talk::settled();
    let rng = &mut rng(216);
    let replayed = talk.alice_seals(b"once");
    assert_eq!(open(&mut talk.bob, &replayed).unwrap(), b"once");
    let stored = talk.bob.to_stored();
    let of_alice = Record::parse(&talk.alice.to_stored());
    let epoch = of_alice.next_epoch();
    let message = of_alice.message(0, b"hello");
    let new = of_alice.new_step(rng);
    let step = of_alice.step(epoch, 0, &new);
    let seed = Record::parse(&stored).own_seed.unwrap();
    let low = (new.0.with_point(&[0; 32], seed), new.1);

    let mut session = Session::from_stored(&stored).unwrap();
    let changes = IN_A_MESSAGE.map(|change| (&message, change));
    let of_steps = IN_A_STEP.map(|change| (&step, change));
    for (message, (why, change)) in changes.into_iter().chain(of_steps) {
        let mut changed = message.clone();
        change(&mut changed);
        looks_alike(open(&mut session, &changed.seal(rng)).err(), why);
    }
    let strange = Talk::begun_with(crate::people::rng(217)).alice_seals(b"strange");
    for (why, packet) in [
        (
            "a point of small order",
            of_alice.step(epoch, 0, &low).seal(rng),
        ),
        ("opened before", replayed),
        ("of another session", strange),
        ("its own", talk.bob_seals(b"back")),
    ] {
        looks_alike(open(&mut session, &packet).err(), why);
    }
    assert_eq!(session.to_stored(), stored);
    assert_eq!(open(&mut session, &message.seal(rng)).unwrap(), b"hello");
    assert_eq!(open(&mut session, &step.seal(rng)).unwrap(), b"step");
}
