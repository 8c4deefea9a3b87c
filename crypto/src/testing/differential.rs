//! The same inputs to this crate and to AWS-LC (crate `aws-lc-rs`), and for attachments to the
//! crate `cobblestone`, with the same results.
//!
//! Inputs come from `rng` with a seed that failures name. Where the other side takes randomness of
//! its own, they also show what it made.

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use aws_lc_rs::agreement::{self, UnparsedPublicKey, X25519};
use aws_lc_rs::cipher::{AES_256, EncryptingKey, UnboundCipherKey};
use aws_lc_rs::digest::{SHA3_256, SHA256, digest};
use aws_lc_rs::kem::{self as aws_kem, ML_KEM_768};
use aws_lc_rs::rsa::{
    OAEP_SHA256_MGF1SHA256, OaepPrivateDecryptingKey, OaepPublicEncryptingKey,
    PrivateDecryptingKey, PublicEncryptingKey,
};
use aws_lc_rs::signature::{ED25519, Ed25519KeyPair, UnparsedPublicKey as UnparsedVerifyingKey};
use aws_lc_rs::{hkdf, hmac};
use cobblestone::Key256;
use ed25519_dalek::SigningKey;
use ml_kem::kem::{Decapsulate, KeyExport, TryKeyInit};
use ml_kem::ml_kem_768::{Ciphertext, DecapsulationKey, EncapsulationKey};
use rand::Rng;
use x25519_dalek::{PublicKey, StaticSecret};

use super::seals::SealWatch;
use super::{FixedRng, alice, rng, to_hex};
use crate::attachment::{
    ATTACHMENT_CHUNK_BYTES, AttachmentKey, AttachmentOpener, AttachmentSealer,
};
use crate::header::HeaderKeys;
use crate::kem::{KemPublic, KemSecret};
use crate::{aead, kdf, signature};

fn array<const N: usize>(rng: &mut FixedRng) -> [u8; N] {
    let mut bytes = [0; N];
    rng.fill_bytes(&mut bytes);
    bytes
}

/// Up to `bound`, both ends included.
fn number(rng: &mut FixedRng, bound: usize) -> usize {
    usize::try_from(rng.next_u64() % (bound as u64 + 1)).unwrap()
}

/// At most `bytes_max` bytes.
fn bytes(rng: &mut FixedRng, bytes_max: usize) -> Vec<u8> {
    let mut bytes = vec![0; number(rng, bytes_max)];
    rng.fill_bytes(&mut bytes);
    bytes
}

/// The same with one bit changed.
fn flipped(bytes: &[u8], rng: &mut FixedRng) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    let at = number(rng, bytes.len() - 1);
    bytes[at] ^= 1 << number(rng, 7);
    bytes
}

/// `LP(part) || …`, written down once more.
fn lp(parts: &[&[u8]]) -> Vec<u8> {
    let lp = |part: &&[u8]| [&u32::try_from(part.len()).unwrap().to_be_bytes(), *part].concat();
    parts.iter().flat_map(lp).collect()
}

fn aws_seal(key: &[u8; 32], nonce: [u8; 12], aad: &[u8], text: &[u8]) -> Vec<u8> {
    let key = LessSafeKey::new(UnboundKey::new(&AES_256_GCM, key).unwrap());
    let mut buffer = text.to_vec();
    let nonce = Nonce::assume_unique_for_key(nonce);
    key.seal_in_place_append_tag(nonce, Aad::from(aad), &mut buffer)
        .unwrap();
    buffer
}

fn aws_open(key: &[u8; 32], nonce: [u8; 12], aad: &[u8], sealed: &[u8]) -> Option<Vec<u8>> {
    let key = LessSafeKey::new(UnboundKey::new(&AES_256_GCM, key).unwrap());
    let mut buffer = sealed.to_vec();
    let nonce = Nonce::assume_unique_for_key(nonce);
    let opened = key.open_in_place(nonce, Aad::from(aad), &mut buffer);
    opened.ok().map(|text| text.to_vec())
}

#[test]
fn aes_256_gcm_agrees() {
    for seed in 0..200 {
        let rng = &mut rng(seed);
        let (key, nonce) = (array(rng), array(rng));
        let (aad, text) = (bytes(rng, 200), bytes(rng, 5_000));
        let sealed = aead::seal(&key, &nonce, &aad, &text);
        assert_eq!(sealed, aws_seal(&key, nonce, &aad, &text), "seed {seed}");
        let opened = aead::open(&key, &nonce, &aad, &sealed).unwrap();
        assert_eq!(*opened, text, "seed {seed}");
        let aws_opened = aws_open(&key, nonce, &aad, &sealed).unwrap();
        assert_eq!(aws_opened, text, "seed {seed}");
        let changed = flipped(&sealed, rng);
        let longer_aad = [&aad[..], &[0]].concat();
        for (aad, sealed) in [(&aad, &changed), (&longer_aad, &sealed)] {
            assert!(aead::open(&key, &nonce, aad, sealed).is_none(), "{seed}");
            assert!(aws_open(&key, nonce, aad, sealed).is_none(), "seed {seed}");
        }
    }
}

#[test]
fn one_block_of_aes_256_agrees() {
    for seed in 0..50 {
        let rng = &mut rng(seed);
        let keys = HeaderKeys {
            encryption: array(rng),
            tag: array(rng),
        };
        let n = rng.next_u32();
        let mut block = [&n.to_be_bytes()[..], &[0; 12]].concat();
        let key = UnboundCipherKey::new(&AES_256, &keys.tag).unwrap();
        let key = EncryptingKey::ecb(key).unwrap();
        key.encrypt(&mut block).unwrap();
        assert_eq!(keys.tag_of(n).as_slice(), block, "seed {seed}");
        assert_eq!(keys.number_of(&block.try_into().unwrap()), Some(n));
    }
}

struct Bytes(usize);

impl hkdf::KeyType for Bytes {
    fn len(&self) -> usize {
        self.0
    }
}

#[test]
fn sha_256_hmac_and_hkdf_agree() {
    for seed in 0..100 {
        let rng = &mut rng(seed);
        let (a, b, c) = (bytes(rng, 300), bytes(rng, 300), bytes(rng, 300));
        let joined = lp(&[&a, &b]);
        let hash = kdf::hash(&[&a, &b]);
        assert_eq!(hash, *digest(&SHA256, &joined).as_ref(), "seed {seed}");

        let key = array(rng);
        let aws_key = hmac::Key::new(hmac::HMAC_SHA256, &key);
        let tag = hmac::sign(&aws_key, &a);
        assert_eq!(kdf::hmac(&key, &a).as_slice(), tag.as_ref(), "seed {seed}");

        // RFC 5869 §2.2: the salt is HMAC's key.
        let aws_key = hmac::Key::new(hmac::HMAC_SHA256, &c);
        let prk = kdf::extract(&c, &[&a, &b]);
        let tag = hmac::sign(&aws_key, &joined);
        assert_eq!(prk.as_slice(), tag.as_ref(), "seed {seed}");

        let aws_prk = hkdf::Salt::new(hkdf::HKDF_SHA256, &c).extract(&joined);
        let info = lp(&[&b, &c]);
        let aws_expand = |output: &mut [u8]| {
            let info = [info.as_slice()];
            let okm = aws_prk.expand(&info, Bytes(output.len())).unwrap();
            okm.fill(output).unwrap();
        };
        let mut expected = [0; 192];
        aws_expand(&mut expected);
        assert_eq!(*kdf::expand(&prk, &[&b, &c]), expected, "seed {seed}");
        let mut expected = vec![0; 1 + number(rng, 8_159)];
        aws_expand(&mut expected);
        let mut output = vec![0; expected.len()];
        kdf::hkdf_expand(&prk, &info, &mut output).unwrap();
        assert_eq!(output, expected, "seed {seed}");
    }
}

#[test]
fn ed25519_agrees() {
    for seed in 0..100 {
        let rng = &mut rng(seed);
        let key = SigningKey::from_bytes(&array(rng));
        let public = key.verifying_key().to_bytes();
        let aws_key = Ed25519KeyPair::from_seed_and_public_key(&key.to_bytes(), &public).unwrap();
        let (a, b) = (bytes(rng, 300), bytes(rng, 300));
        let message = lp(&[&a, &b]);
        let sig = signature::sign(&key, &[&a, &b]);
        assert_eq!(sig, aws_key.sign(&message).as_ref(), "seed {seed}");
        let verify = |public: &[u8], message: &[u8], sig: &[u8]| {
            let (key, bytes) = (public.try_into().unwrap(), sig.try_into().unwrap());
            let ours = signature::verify_message(key, message, bytes);
            let theirs = UnparsedVerifyingKey::new(&ED25519, public).verify(message, sig);
            assert_eq!(ours, theirs.is_ok(), "seed {seed}");
            ours
        };
        assert!(verify(&public, &message, &sig), "seed {seed}");
        assert!(!verify(&flipped(&public, rng), &message, &sig), "{seed}");
        assert!(!verify(&public, &flipped(&message, rng), &sig), "{seed}");
        assert!(!verify(&public, &message, &flipped(&sig, rng)), "{seed}");
    }
}

/// With the neutral element as key and as R, and s = 0, RFC 8032 §5.1.7 holds for every message.
/// AWS-LC accepts that; strict verification refuses keys of small order.
#[test]
fn ed25519_is_stricter_with_keys_of_small_order() {
    let mut neutral = [0; 32];
    neutral[0] = 1;
    let sig = [neutral, [0; 32]].concat();
    for message in [&b""[..], b"any", b"message"] {
        let theirs = UnparsedVerifyingKey::new(&ED25519, neutral).verify(message, &sig);
        assert!(theirs.is_ok(), "{message:?}");
        let sig = sig.as_slice().try_into().unwrap();
        assert!(!signature::verify_message(&neutral, message, sig));
    }
}

fn aws_x25519(secret: &[u8; 32], public: &[u8; 32]) -> Option<Vec<u8>> {
    let secret = agreement::PrivateKey::from_private_key(&X25519, secret).unwrap();
    let public = UnparsedPublicKey::new(&X25519, public);
    agreement::agree(&secret, public, (), |shared| Ok(shared.to_vec())).ok()
}

/// Of the crate that `x-wing` is built on; half of the random keys lie on the twist.
#[test]
fn x25519_agrees() {
    for seed in 0..100 {
        let rng = &mut rng(seed);
        let (secret, public) = (array(rng), array(rng));
        let shared = StaticSecret::from(secret).diffie_hellman(&PublicKey::from(public));
        let expected = aws_x25519(&secret, &public).unwrap();
        assert_eq!(*shared.as_bytes(), *expected, "seed {seed}");
    }
    assert_eq!(aws_x25519(&[1; 32], &[0; 32]), None, "of small order");
}

fn aws_decapsulate(key: &aws_kem::DecapsulationKey, ciphertext: &[u8]) -> Vec<u8> {
    let shared = key.decapsulate(ciphertext.into()).unwrap();
    shared.as_ref().to_vec()
}

fn decapsulate(key: &DecapsulationKey, ciphertext: &[u8]) -> Vec<u8> {
    let ciphertext = Ciphertext::try_from(ciphertext).unwrap();
    key.decapsulate(&ciphertext).to_vec()
}

/// Of the crate that `x-wing` is built on: keys, encapsulations and implicit rejections.
#[test]
#[expect(deprecated, reason = "AWS-LC holds secret keys in the expanded form")]
fn ml_kem_768_agrees() {
    use ml_kem::ExpandedKeyEncoding;

    for seed in 0..25 {
        let rng = &mut rng(seed);
        let key = DecapsulationKey::from_seed(array::<64>(rng).into());
        let secret = key.to_expanded_bytes();
        let aws_key = aws_kem::DecapsulationKey::new(&ML_KEM_768, &secret).unwrap();
        let (ciphertext, shared) = key
            .encapsulation_key()
            .encapsulate_deterministic(&array(rng).into());
        assert_eq!(*aws_decapsulate(&aws_key, &ciphertext), *shared, "{seed}");
        let changed = flipped(&ciphertext, rng);
        let rejected = decapsulate(&key, &changed);
        assert_ne!(*rejected, *shared, "seed {seed}");
        assert_eq!(rejected, aws_decapsulate(&aws_key, &changed), "seed {seed}");

        let public = key.encapsulation_key().to_bytes();
        let aws_public = aws_kem::EncapsulationKey::new(&ML_KEM_768, &public).unwrap();
        let (ciphertext, shared) = aws_public.encapsulate().unwrap();
        let opened = decapsulate(&key, ciphertext.as_ref());
        let case = || format!("seed {seed}, ciphertext {}", to_hex(ciphertext.as_ref()));
        assert_eq!(opened, shared.as_ref(), "{}", case());
    }
    for _ in 0..25 {
        let aws_key = aws_kem::DecapsulationKey::generate(&ML_KEM_768).unwrap();
        let secret = aws_key.key_bytes().unwrap();
        let case = || format!("key {}", to_hex(secret.as_ref()));
        let key = DecapsulationKey::from_expanded(secret.as_ref().try_into().unwrap());
        let key = key.unwrap_or_else(|_| panic!("{}", case()));
        let aws_public = aws_key.encapsulation_key().unwrap().key_bytes().unwrap();
        let public = EncapsulationKey::new_from_slice(aws_public.as_ref()).unwrap();
        assert_eq!(&public, key.encapsulation_key(), "{}", case());
        let (ciphertext, shared) = public.encapsulate_deterministic(&[7; 32].into());
        assert_eq!(
            *aws_decapsulate(&aws_key, &ciphertext),
            *shared,
            "{}",
            case()
        );
    }
}

/// Put together from its parts by hand: the halves that were checked above are those in use.
fn x_wing_shared(ml_kem: &[u8], x25519: &[u8], ciphertext: &[u8], public: &[u8]) -> Vec<u8> {
    let (ct_x, pk_x) = (&ciphertext[1088..], &public[1184..]);
    let parts = [ml_kem, x25519, ct_x, pk_x, br"\.//^\"].concat();
    digest(&SHA3_256, &parts).as_ref().to_vec()
}

#[test]
fn x_wing_agrees_with_its_parts() {
    for seed in 0..25 {
        let rng = &mut rng(seed);
        let secret = KemSecret::generate(rng);
        let public = secret.public();
        let (pk_m, pk_x) = public.as_bytes().split_at(1184);
        let pk_x = pk_x.try_into().unwrap();
        let ephemeral: [u8; 32] = array(rng);
        let ct_x = x25519_dalek::x25519(ephemeral, x25519_dalek::X25519_BASEPOINT_BYTES);
        let ss_x = aws_x25519(&ephemeral, pk_x).unwrap();

        // AWS-LC encapsulates, this crate decapsulates.
        let aws_public = aws_kem::EncapsulationKey::new(&ML_KEM_768, pk_m).unwrap();
        let (ct_m, ss_m) = aws_public.encapsulate().unwrap();
        let ciphertext = [ct_m.as_ref(), &ct_x].concat();
        let expected = x_wing_shared(ss_m.as_ref(), &ss_x, &ciphertext, public.as_bytes());
        let opened = secret.decapsulate(&ciphertext).unwrap();
        let case = || format!("seed {seed}, ciphertext {}", to_hex(&ciphertext));
        assert_eq!(opened.as_slice(), expected, "{}", case());

        // This crate encapsulates, with the same ephemeral key.
        let m = array(rng);
        let given = &mut super::given(&[m, ephemeral].concat());
        let (ciphertext, shared) = public.encapsulate(given);
        let half = EncapsulationKey::new_from_slice(pk_m).unwrap();
        let (ct_m, ss_m) = half.encapsulate_deterministic(&m.into());
        assert_eq!(ciphertext[..], [&ct_m[..], &ct_x].concat(), "seed {seed}");
        let expected = x_wing_shared(&ss_m, &ss_x, &ciphertext, public.as_bytes());
        assert_eq!(shared.as_slice(), expected, "seed {seed}");
        assert_eq!(secret.decapsulate(&ciphertext), Some(shared));
        assert!(KemPublic::decode(public.as_bytes()) == Some(public));
    }
}

struct AwsRsa {
    public: OaepPublicEncryptingKey,
    secret: OaepPrivateDecryptingKey,
}

impl AwsRsa {
    fn alice() -> Self {
        let key = &alice().unwrap_key;
        let public = PublicEncryptingKey::from_der(key.public().unwrap().spki()).unwrap();
        let secret = PrivateDecryptingKey::from_pkcs8(&key.pkcs8()).unwrap();
        Self {
            public: OaepPublicEncryptingKey::new(public).unwrap(),
            secret: OaepPrivateDecryptingKey::new(secret).unwrap(),
        }
    }

    fn wrap(&self, label: &[u8], text: &[u8]) -> Vec<u8> {
        let mut wrapped = vec![0; 384];
        self.public
            .encrypt(&OAEP_SHA256_MGF1SHA256, text, &mut wrapped, Some(label))
            .unwrap();
        wrapped
    }

    fn unwrap(&self, label: &[u8], wrapped: &[u8]) -> Option<Vec<u8>> {
        let mut text = [0; 384];
        let opened = self
            .secret
            .decrypt(&OAEP_SHA256_MGF1SHA256, wrapped, &mut text, Some(label));
        opened.ok().map(|text| text.to_vec())
    }
}

#[test]
fn rsa_oaep_agrees() {
    let key = &alice().unwrap_key;
    let aws = AwsRsa::alice();
    for seed in 0..12 {
        let rng = &mut rng(seed);
        let (id, secret) = (array(rng), array(rng));
        let label = lp(&[b"Sotto/1 oaep", &id]);
        let wrapped = key.public().unwrap().wrap(&id, &secret, rng).unwrap();
        let opened = aws.unwrap(&label, &wrapped);
        assert_eq!(opened.as_deref(), Some(&secret[..]), "seed {seed}");

        let wrapped = aws.wrap(&label, &secret);
        let case = || format!("seed {seed}, wrapped {}", to_hex(&wrapped));
        let opened = key.unwrap_secret(&id, &wrapped, rng);
        assert_eq!(*opened, secret, "{}", case());

        let any_label = bytes(rng, 100);
        let text = bytes(rng, 318);
        let wrapped_too = aws.wrap(&any_label, &text);
        let case = || format!("seed {seed}, wrapped {}", to_hex(&wrapped_too));
        let opened = key.oaep_decrypt(&any_label, &wrapped_too, rng);
        assert_eq!(opened.as_deref(), Some(&text), "{}", case());
    }
}

#[test]
fn rsa_oaep_is_refused_alike() {
    let key = &alice().unwrap_key;
    let aws = AwsRsa::alice();
    let refused = |id: &[u8; 32], wrapped: &[u8], case: &str| {
        let reject = hmac::Key::new(hmac::HMAC_SHA256, key.reject_key());
        let input = lp(&[b"Sotto/1 oaep reject", id, wrapped]);
        let rejected = hmac::sign(&reject, &input);
        let secret = key.unwrap_secret(id, wrapped, &mut rng(1));
        assert_eq!(secret.as_slice(), rejected.as_ref(), "{case}");
    };
    for seed in 0..6 {
        let rng = &mut rng(seed);
        let (id, secret): ([u8; 32], [u8; 32]) = (array(rng), array(rng));
        let label = lp(&[b"Sotto/1 oaep", &id]);
        let wrapped = aws.wrap(&label, &secret);
        let other_label = aws.wrap(&lp(&[b"Sotto/1 oaep", &array::<32>(rng)]), &secret);
        let cases = [
            ("flipped", flipped(&wrapped, rng)),
            ("of another label", other_label),
            ("cut", wrapped[..383].to_vec()),
            ("longer", [&[0], &wrapped[..]].concat()),
            ("empty", Vec::new()),
            ("random", array::<384>(rng).to_vec()),
            ("above the modulus", vec![0xff; 384]),
            ("zero", vec![0; 384]),
        ];
        for (case, wrapped) in cases {
            let case = format!("seed {seed}, {case}, wrapped {}", to_hex(&wrapped));
            assert_eq!(aws.unwrap(&label, &wrapped), None, "{case}");
            refused(&id, &wrapped, &case);
        }
        // Well formed, but no secret of this protocol.
        for length in [0, 31, 33, 318] {
            let wrapped = aws.wrap(&label, &vec![1; length]);
            let case = format!("seed {seed}, {length} bytes, wrapped {}", to_hex(&wrapped));
            assert!(aws.unwrap(&label, &wrapped).is_some(), "{case}");
            refused(&id, &wrapped, &case);
        }
    }
}

fn seal_file(key: [u8; 32], file: &[u8], rng: &mut FixedRng) -> Vec<u8> {
    let mut sealer = AttachmentSealer::new(&AttachmentKey::from_bytes(key), rng);
    let mut sealed = sealer.header().to_vec();
    let (chunks, last) = file.as_chunks::<ATTACHMENT_CHUNK_BYTES>();
    for chunk in chunks.iter().map(<[u8; _]>::as_slice).chain([last]) {
        let mut chunk = chunk.to_vec();
        sealer.seal_next(&mut chunk).unwrap();
        sealed.extend(chunk);
    }
    sealed
}

fn open_file(key: [u8; 32], sealed: &[u8]) -> Option<Vec<u8>> {
    let (key, header) = (AttachmentKey::from_bytes(key), sealed.first_chunk()?);
    let opener = AttachmentOpener::new(&key, header, sealed.len() as u64).ok()?;
    let mut file = Vec::new();
    for index in 0..opener.chunk_count() {
        let range = opener.chunk_range(index)?;
        let place = |byte| usize::try_from(byte).unwrap();
        let mut chunk = sealed[place(range.start)..place(range.end)].to_vec();
        opener.open_chunk(index, &mut chunk).ok()?;
        file.extend(chunk);
    }
    Some(file)
}

#[test]
fn attachments_agree_with_cobblestone() {
    let context = b"Sotto/1 attachment";
    let borders = (0..=3).flat_map(|count| [-1, 0, 1].map(|more| count * 16_384 + more));
    let sizes: Vec<usize> = borders.filter_map(|size| size.try_into().ok()).collect();
    assert_eq!(sizes.len(), 11);
    let chunks: usize = sizes
        .iter()
        .map(|size| size / ATTACHMENT_CHUNK_BYTES + 1)
        .sum();
    let watch = SealWatch::start();
    for (seed, size) in (0..).zip(sizes) {
        let rng = &mut rng(seed);
        let key = array(rng);
        let mut file = vec![0; size];
        rng.fill_bytes(&mut file);
        let their_key = Key256::from(key);
        let sealed = seal_file(key, &file, rng);
        let opened = cobblestone::decrypt(&their_key, context, &sealed);
        assert!(opened.as_ref() == Ok(&file), "seed {seed}, {size} bytes");
        let theirs = cobblestone::encrypt(&their_key, context, &file).unwrap();
        let case = format!(
            "seed {seed}, {size} bytes, header {}",
            to_hex(&theirs[..56])
        );
        assert!(open_file(key, &theirs) == Some(file), "{case}");
        let elsewhere = cobblestone::encrypt(&their_key, b"elsewhere", &[]).unwrap();
        let shorter = sealed[..sealed.len() - 1].to_vec();
        let longer = [&sealed[..], &[0]].concat();
        for changed in [flipped(&sealed, rng), elsewhere, shorter, longer] {
            let opened = cobblestone::decrypt(&their_key, context, &changed);
            assert!(opened.is_err(), "{case}");
            assert!(open_file(key, &changed).is_none(), "{case}");
        }
    }
    assert_eq!(watch.count(), chunks, "a nonce of its own for each chunk");
}

/// Which sizes a sealed file may have, and how long the file is then; up to those of many PiB.
#[test]
fn attachment_sizes_agree_with_cobblestone() {
    let key = AttachmentKey::from_bytes([7; 32]);
    let header = AttachmentSealer::new(&key, &mut rng(1)).header();
    let sealed_chunk = ATTACHMENT_CHUNK_BYTES as u64 + 16;
    let borders = [1, 2, 3, (1 << 38) - 1, 1 << 38].map(|count| 56 + count * sealed_chunk);
    let around = borders.map(|border| border - 40..border + 40);
    let sizes = around.into_iter().flatten().chain(0..200);
    for sealed_bytes in sizes.chain([1 << 63, u64::MAX]) {
        let opener = AttachmentOpener::new(&key, &header, sealed_bytes);
        let ours = opener.map(|opener| opener.file_bytes());
        let theirs = cobblestone::plaintext_size(sealed_bytes);
        assert_eq!(ours.ok(), theirs.ok(), "{sealed_bytes} bytes");
    }
}
