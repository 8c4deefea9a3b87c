//! R8: keys and ciphertexts that are of bad shape, made by an attacker whose identity is valid and
//! whose signatures are right.

use ed25519_dalek::SigningKey;
use rand::Rng;
use sotto_crypto::{BundleError, IdentityError, OpenError, PublicIdentity, VerifiedBundle};

use crate::forge::{Author, Initiator, Lock, der, der_uint, kem_pair, part, spki, spki_of};
use crate::people::{Device, Talk, bob_author, intruder, open, refuses, rng};
use crate::record::Record;

const EXPONENT: [u8; 3] = [1, 0, 1];

/// An odd number of exactly so many bits. Nobody can tell whether it has two prime factors.
fn modulus(bits: usize) -> Vec<u8> {
    let mut bytes = vec![0; bits.div_ceil(8)];
    rng(8).fill_bytes(&mut bytes);
    let top = (bits - 1) % 8;
    bytes[0] = bytes[0] & ((1 << top) - 1) | 1 << top;
    *bytes.last_mut().unwrap() |= 1;
    bytes
}

/// What an identity with this RSA key is.
fn decoded_with(spki: Vec<u8>) -> Option<IdentityError> {
    let bytes = Author::new([1; 32], [2; 32], spki).identity();
    PublicIdentity::decode(&bytes).err()
}

#[test]
fn r8_rsa_keys_of_another_size_or_exponent_make_no_identity() {
    assert_eq!(decoded_with(spki(&modulus(3072), &EXPONENT)), None);
    let malformed = Some(IdentityError::Malformed);
    for bits in [512, 1024, 2048, 3064, 3071, 3073, 3080, 4096] {
        let refused = decoded_with(spki(&modulus(bits), &EXPONENT));
        assert_eq!(refused, malformed, "{bits} bits");
    }
    for exponent in [
        &[1][..],
        &[2],
        &[3],
        &[17],
        &[1, 0, 0],
        &[1, 0, 3],
        &[1, 0, 0, 0, 1],
        &modulus(3072),
    ] {
        let refused = decoded_with(spki(&modulus(3072), exponent));
        assert_eq!(refused, malformed, "e = {exponent:?}");
    }
    let mut even = modulus(3072);
    *even.last_mut().unwrap() ^= 1;
    assert_eq!(decoded_with(spki(&even, &EXPONENT)), malformed);
}

#[test]
fn r8_rsa_keys_in_any_other_encoding_make_no_identity() {
    let n = der_uint(&modulus(3072));
    let e = der_uint(&EXPONENT);
    let good = spki_of(&[&n[..], &e].concat());
    assert_eq!(decoded_with(good.clone()), None);
    let (algorithm, bits) = (&good[4..19], &good[19..]);
    let key = &bits[5..];
    let unsigned = der(0x02, &modulus(3072));
    let zeros = der(0x02, &[&[0, 0], &modulus(3072)[..]].concat());
    let with_bits = |bits: &[u8]| der(0x30, &[algorithm, bits].concat());
    let with_algorithm = |algorithm: &[u8]| der(0x30, &[algorithm, bits].concat());
    let mut pss = algorithm.to_vec();
    pss[12] = 10;
    let mut long = good.clone();
    long.splice(1..4, [0x83, 0, good[2], good[3]]);
    let mut endless = good.clone();
    endless.splice(1..4, [0x80]);
    endless.extend([0, 0]);
    for (spki, what) in [
        ([&good[..], &[0]].concat(), "a byte behind"),
        ([&good[..], &[5, 0]].concat(), "NULL behind"),
        (
            der(0x30, &[algorithm, bits, &[5, 0]].concat()),
            "NULL inside",
        ),
        (
            with_bits(&der(3, &[&[0], key, &[0]].concat())),
            "a byte behind the key",
        ),
        (with_bits(&der(3, &[&[1], key].concat())), "an unused bit"),
        (with_bits(&der(4, &[&[0], key].concat())), "an OCTET STRING"),
        (spki_of(&[&n[..], &e, &[0]].concat()), "a byte behind e"),
        (spki_of(&[&n[..], &e, &e].concat()), "three numbers"),
        (spki_of(&n), "one number"),
        (spki_of(&[&e[..], &n].concat()), "the numbers swapped"),
        (spki_of(&[&zeros[..], &e].concat()), "zeros before n"),
        (spki_of(&[&unsigned[..], &e].concat()), "a negative n"),
        (
            spki_of(&[&n[..], &der(2, &[0, 1, 0, 1])].concat()),
            "a zero before e",
        ),
        (
            with_algorithm(&der(0x30, &algorithm[2..13])),
            "no parameters",
        ),
        (with_algorithm(&pss), "another algorithm"),
        (
            with_algorithm(&der(0x30, &pss[2..13])),
            "another algorithm, no parameters",
        ),
        (long, "a length that is too long"),
        (endless, "no length"),
        (key.to_vec(), "a bare RSAPublicKey"),
        (vec![], "nothing"),
    ] {
        assert_eq!(decoded_with(spki), Some(IdentityError::Malformed), "{what}");
    }
}

/// `y` of p + `above`, little-endian, with the sign bit.
fn above_p(above: u8, sign: u8) -> [u8; 32] {
    let mut y = [0xff; 32];
    y[0] = 0xed + above;
    y[31] = 0x7f | sign << 7;
    y
}

fn hex32(hex: &str) -> [u8; 32] {
    std::array::from_fn(|at| u8::from_str_radix(&hex[2 * at..2 * at + 2], 16).unwrap())
}

/// `value` and zeros, and p - 1.
fn small(value: u8) -> [u8; 32] {
    std::array::from_fn(|at| if at == 0 { value } else { 0 })
}

const P_MINUS_ONE: &str = "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f";

/// All encodings of Edwards points of small order, then all y that are not below p.
fn bad_edwards() -> Vec<[u8; 32]> {
    let orders_eight = [
        hex32("26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05"),
        hex32("c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a"),
    ];
    let mut points = vec![small(0), small(1), hex32(P_MINUS_ONE)];
    points.extend(orders_eight);
    let signed = points.iter().map(|point| {
        let mut signed = *point;
        signed[31] |= 0x80;
        signed
    });
    let mut points: Vec<_> = points.iter().copied().chain(signed).collect();
    points.extend((0..=18).flat_map(|above| [above_p(above, 0), above_p(above, 1)]));
    points
}

#[test]
fn r8_ed25519_keys_of_small_order_or_not_canonical_make_no_identity() {
    let good = intruder();
    assert!(PublicIdentity::decode(&good.identity()).is_ok());
    for point in bad_edwards() {
        let (mut account, mut device) = (good.clone(), good.clone());
        account.account_public = point;
        device.device_public = point;
        for author in [account, device] {
            let refused = PublicIdentity::decode(&author.identity()).err();
            assert_eq!(refused, Some(IdentityError::Malformed), "{point:x?}");
        }
    }
}

/// The order of the group of Ed25519, little-endian.
const ORDER: &str = "edd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010";

/// The signature at `at` with S + L in the place of S: the other number that solves the equation.
fn malleated(bytes: &[u8], at: usize) -> Vec<u8> {
    let mut changed = bytes.to_vec();
    let mut carry = 0;
    for (byte, order) in changed[at + 32..at + 64].iter_mut().zip(hex32(ORDER)) {
        let sum = u16::from(*byte) + u16::from(order) + carry;
        [*byte, _] = sum.to_le_bytes();
        carry = sum >> 8;
    }
    changed
}

#[test]
fn r8_a_second_signature_cannot_be_made_of_the_first() {
    let bob = Device::bob();
    let identity = bob.identity.public().encode();
    for at in [109, 635] {
        let refused = PublicIdentity::decode(&malleated(&identity, at)).err();
        assert_eq!(refused, Some(IdentityError::NotAuthentic), "{at}");
    }
    let record = malleated(&bob.signed_record(), 1230);
    let refused = VerifiedBundle::verify(bob.identity.public(), &record, None, 0).err();
    assert_eq!(refused, Some(BundleError::NotAuthentic));
}

/// All encodings of X25519 points of small order, with and without the bit that X25519 ignores.
fn low_order_points() -> Vec<[u8; 32]> {
    let points = [
        small(0),
        small(1),
        hex32("e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800"),
        hex32("5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157"),
        hex32(P_MINUS_ONE),
        above_p(0, 0),
        above_p(1, 0),
    ];
    let with_bit = points.map(|mut point| {
        point[31] |= 0x80;
        point
    });
    [points, with_bit].concat()
}

/// X-Wing public keys with one half of bad shape and the other one right, and why.
fn bad_kem_keys() -> Vec<(Vec<u8>, String)> {
    let good = kem_pair(&mut rng(80)).1;
    let mut keys = vec![];
    let mut add = |at: usize, bytes: &[u8], why: String| {
        let mut key = good.clone();
        key[at..at + bytes.len()].copy_from_slice(bytes);
        keys.push((key, why));
    };
    for point in low_order_points() {
        add(1184, &point, format!("low order {point:x?}"));
    }
    for above in 2..=18 {
        add(1184, &above_p(above, 0), format!("u = p + {above}"));
    }
    add(
        1215,
        &[good[1215] | 0x80],
        "the bit that X25519 ignores".into(),
    );
    for coefficient in [3329_u16, 3330, 4095] {
        let [low, high] = coefficient.to_le_bytes();
        for pair in [0, 1, 191, 383] {
            // Two coefficients of twelve bits in three bytes.
            let at = 3 * pair;
            let even = [low, good[at + 1] & 0xf0 | high];
            add(
                at,
                &even,
                format!("coefficient {} = {coefficient}", 2 * pair),
            );
            let odd = [good[at + 1] & 0x0f | low << 4, high << 4 | low >> 4];
            add(
                at + 1,
                &odd,
                format!("coefficient {} = {coefficient}", 2 * pair + 1),
            );
        }
    }
    keys
}

#[test]
fn r8_prekeys_of_bad_shape_are_in_no_bundle() {
    let (bob, owner) = (Device::bob(), bob_author());
    let verify = |signed: &[u8], one_time: Option<&[u8]>| {
        VerifiedBundle::verify(bob.identity.public(), signed, one_time, 0).err()
    };
    let good = kem_pair(&mut rng(81)).1;
    let record = |kind, key: &[u8]| owner.prekey_record(kind, 7, key);
    assert_eq!(verify(&record(1, &good), Some(&record(2, &good))), None);
    for (key, why) in bad_kem_keys() {
        let malformed = Some(BundleError::Malformed);
        assert_eq!(verify(&record(1, &key), None), malformed, "signed: {why}");
        let refused = verify(&record(1, &good), Some(&record(2, &key)));
        assert_eq!(refused, malformed, "one-time: {why}");
    }
}

#[test]
fn r8_ratchet_keys_of_bad_shape_are_refused_in_handshakes_and_steps() {
    let bob = Device::bob();
    let mut rng = rng(82);
    let handshake = Initiator::new(&intruder(), &bob.recipient(true), &mut rng);
    let mut talk = Talk::begun();
    let of_bob = Record::parse(&talk.bob.to_stored());
    let (lock, ek) = of_bob.new_step(&mut rng);
    for (key, why) in bad_kem_keys() {
        let step = of_bob.step(1, 0, &(lock.clone(), key.clone()));
        refuses(&mut talk.alice, &step.seal(&mut rng), &why);
        let ratchet_key = key;
        let changed = Initiator {
            ratchet_key,
            ..handshake.clone()
        };
        bob.refuses(&changed.message(b"").seal(&mut rng), &why);
    }
    bob.accepts(&handshake.message(b"honest").seal(&mut rng), b"honest");
    let step = of_bob.step(1, 0, &(lock, ek)).seal(&mut rng);
    assert_eq!(open(&mut talk.alice, &step).unwrap(), b"step");
}

#[test]
fn r8_ciphertexts_with_a_point_of_small_order_are_refused() {
    let bob = Device::bob();
    let mut rng = rng(83);
    let seed = |record: &[u8]| part(record, 14);
    let signed_seed = seed(&bob.signed[0].to_stored());
    let one_time_seed = seed(&bob.one_time[0].to_stored());
    let handshake = Initiator::new(&intruder(), &bob.recipient(true), &mut rng);
    let one_time = handshake.one_time.clone().unwrap();
    let with = |signed: &Lock, one_time: &Lock| {
        let (signed, one_time) = (signed.clone(), Some(one_time.clone()));
        Initiator {
            signed,
            one_time,
            ..handshake.clone()
        }
        .message(b"points")
    };
    let mut talk = Talk::begun();
    let of_bob = Record::parse(&talk.bob.to_stored());
    let seed = Record::parse(&talk.alice.to_stored()).own_seed.unwrap();
    let (lock, ek) = of_bob.new_step(&mut rng);
    let step = |lock: Lock| of_bob.step(1, 0, &(lock, ek.clone()));
    for point in low_order_points() {
        let why = format!("{point:x?}");
        let low = handshake.signed.clone().with_point(&point, signed_seed);
        bob.refuses(&with(&low, &one_time).seal(&mut rng), &why);
        let low = one_time.clone().with_point(&point, one_time_seed);
        bob.refuses(&with(&handshake.signed, &low).seal(&mut rng), &why);
        let low = lock.clone().with_point(&point, seed);
        refuses(&mut talk.alice, &step(low).seal(&mut rng), &why);
    }
    // A point of large order, put in by the same hands, is none of the attack.
    let point = part(&kem_pair(&mut rng).1, 1184);
    let signed = handshake.signed.clone().with_point(&point, signed_seed);
    let one_time = one_time.with_point(&point, one_time_seed);
    bob.accepts(&with(&signed, &one_time).seal(&mut rng), b"points");
    let last = step(lock.with_point(&point, seed)).seal(&mut rng);
    assert_eq!(open(&mut talk.alice, &last).unwrap(), b"step");
}

#[test]
fn r8_an_identity_of_bad_shape_starts_no_session() {
    let bob = Device::bob();
    let mut rng = rng(84);
    let mut attempt = |author: &Author| {
        let handshake = Initiator::new(author, &bob.recipient(false), &mut rng);
        bob.accept(&handshake.message(b"hello").seal(&mut rng))
            .map(|accepted| accepted.peer)
    };
    let good = Author::new([1; 32], [2; 32], spki(&modulus(3072), &EXPONENT));
    assert_eq!(attempt(&good).unwrap().encode(), good.identity());
    let mut even = modulus(3072);
    *even.last_mut().unwrap() ^= 1;
    let keys = [
        spki(&modulus(3072), &[1]),
        spki(&modulus(3072), &[3]),
        spki(&modulus(2048), &EXPONENT),
        spki(&even, &EXPONENT),
    ];
    let mut authors: Vec<_> = keys
        .map(|spki| Author {
            spki,
            ..good.clone()
        })
        .to_vec();
    let weak = Author {
        device_public: small(1),
        ..good.clone()
    };
    let stranger = SigningKey::from_bytes(&[9; 32]);
    let unsigned = Author {
        account: stranger.clone(),
        ..good.clone()
    };
    let not_own = Author {
        device: stranger,
        ..good.clone()
    };
    authors.extend([weak, unsigned, not_own]);
    for author in authors {
        assert_eq!(attempt(&author).err(), Some(OpenError::NotAuthentic));
    }
    assert!(attempt(&good).is_ok());
}
