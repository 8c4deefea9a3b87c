//! The attacker's own implementation, written from PROTOCOL §1 to §5 with the raw crates. Every
//! part of what it makes may be made wrong.

use aes_gcm::aead::{Aead, Payload};
use aes_gcm::aes::Aes256;
use aes_gcm::aes::cipher::BlockCipherEncrypt;
use aes_gcm::{Aes256Gcm, KeyInit};
use ed25519_dalek::{Signer, SigningKey};
use hmac::{Hmac, Mac};
use rand::{CryptoRng, Rng};
use rsa::pkcs8::DecodePublicKey;
use rsa::{Oaep, PublicKey};
use sha2::{Digest, Sha256};
use x_wing::{Decapsulator, Encapsulate, EncapsulationKey, KeyExport};

const SUITE: &[u8] = b"RSA-3072-OAEP-SHA256+X-Wing+Ed25519+AES-256-GCM+HKDF-SHA256";

/// `LP(part) || LP(part) || …`
pub(crate) fn lp(parts: &[&[u8]]) -> Vec<u8> {
    let one = |part: &&[u8]| [&length(part)[..], part].concat();
    parts.iter().flat_map(one).collect()
}

fn length(bytes: &[u8]) -> [u8; 4] {
    u32::try_from(bytes.len()).unwrap().to_be_bytes()
}

/// `H(part, …)`
pub(crate) fn hash(parts: &[&[u8]]) -> [u8; 32] {
    Sha256::digest(lp(parts)).into()
}

/// `HMAC(key, message)`
pub(crate) fn hmac(key: &[u8], message: &[u8]) -> [u8; 32] {
    let mac = Hmac::<Sha256>::new_from_slice(key).unwrap();
    mac.chain_update(message).finalize().into_bytes().into()
}

/// `Extract(salt; part, …)`, RFC 5869 §2.2.
pub(crate) fn extract(salt: &[u8], parts: &[&[u8]]) -> [u8; 32] {
    hmac(salt, &lp(parts))
}

/// `Expand(prk; part, … | N)`, RFC 5869 §2.3.
pub(crate) fn expand<const N: usize>(prk: &[u8], info: &[&[u8]]) -> [u8; N] {
    let mut output = Vec::new();
    let mut block = Vec::new();
    for counter in 1..=u8::MAX {
        block = hmac(prk, &[&block[..], &lp(info), &[counter]].concat()).to_vec();
        output.extend_from_slice(&block);
        if output.len() >= N {
            break;
        }
    }
    output[..N].try_into().unwrap()
}

fn aes_gcm(key: [u8; 32], nonce: [u8; 12], aad: &[u8], msg: &[u8]) -> Vec<u8> {
    let sealed = Aes256Gcm::new(&key.into()).encrypt(&nonce.into(), Payload { msg, aad });
    sealed.unwrap()
}

/// `Sign(key; part, …)`
pub(crate) fn sign(key: &SigningKey, parts: &[&[u8]]) -> [u8; 64] {
    key.sign(&lp(parts)).to_bytes()
}

/// `text || 0x80 || zeros`, for a text below 256 bytes.
pub(crate) fn padded(text: &[u8]) -> Vec<u8> {
    let mut padded = [text, &[0x80]].concat();
    padded.resize(256, 0);
    padded
}

/// `N` bytes of `bytes` from `start` on.
pub(crate) fn part<const N: usize>(bytes: &[u8], start: usize) -> [u8; N] {
    bytes[start..start + N].try_into().unwrap()
}

/// A `SubjectPublicKeyInfo` for RSA with this modulus and exponent, whatever they are (PROTOCOL
/// §2.2).
pub(crate) fn spki(modulus: &[u8], exponent: &[u8]) -> Vec<u8> {
    spki_of(&[der_uint(modulus), der_uint(exponent)].concat())
}

/// The same around other contents of the `RSAPublicKey`.
pub(crate) fn spki_of(key: &[u8]) -> Vec<u8> {
    let bits = [&[0][..], &der(0x30, key)].concat();
    der(0x30, &[&RSA_ENCRYPTION[..], &der(0x03, &bits)].concat())
}

/// The algorithm `rsaEncryption` with its parameter NULL.
const RSA_ENCRYPTION: [u8; 15] = [
    0x30, 0x0d, 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01, 0x05, 0x00,
];

/// A positive INTEGER: no zeros in front but the one that keeps the sign.
pub(crate) fn der_uint(bytes: &[u8]) -> Vec<u8> {
    let zeros = bytes.iter().take_while(|byte| **byte == 0).count();
    let bytes = &bytes[zeros..];
    let sign: &[u8] = if bytes[0] >= 0x80 { &[0] } else { &[] };
    der(0x02, &[sign, bytes].concat())
}

/// Tag, shortest length, value.
pub(crate) fn der(tag: u8, value: &[u8]) -> Vec<u8> {
    let [_, _, high, low] = length(value);
    let length = match (high, low) {
        (0, 0..=0x7f) => vec![low],
        (0, _) => vec![0x81, low],
        _ => vec![0x82, high, low],
    };
    [&[tag][..], &length, value].concat()
}

/// A device of an account with every key in the attacker's hands (PROTOCOL §2).
#[derive(Clone)]
pub(crate) struct Author {
    pub(crate) account: SigningKey,
    pub(crate) device: SigningKey,
    /// The public keys as they are written and signed.
    pub(crate) account_public: [u8; 32],
    pub(crate) device_public: [u8; 32],
    pub(crate) spki: Vec<u8>,
    pub(crate) number: u32,
    /// Of the device list.
    pub(crate) version: u32,
}

impl Author {
    /// The owner of these signing keys; nobody needs to know the primes behind the RSA key.
    pub(crate) fn new(account_seed: [u8; 32], device_seed: [u8; 32], spki: Vec<u8>) -> Self {
        let account = SigningKey::from_bytes(&account_seed);
        let device = SigningKey::from_bytes(&device_seed);
        Self {
            account_public: account.verifying_key().to_bytes(),
            device_public: device.verifying_key().to_bytes(),
            account,
            device,
            spki,
            number: 1,
            version: 1,
        }
    }

    /// Whoever owns a `StoredIdentityV1` with one device (PROTOCOL §9.1).
    pub(crate) fn of_stored(stored: &[u8]) -> Self {
        let public = &stored[485..];
        let spki = public[177 + 4..177 + 4 + 422].to_vec();
        Self::new(part(stored, 1), part(stored, 33), spki)
    }

    /// `ID` (PROTOCOL §2.2).
    pub(crate) fn id(&self) -> [u8; 32] {
        hash(&[
            b"Sotto/1 device",
            &self.account_public,
            &self.number.to_be_bytes(),
            &self.spki,
            &self.device_public,
        ])
    }

    /// The public identity, with a list of this one device (PROTOCOL §2.3, §2.4). Of a later list
    /// nobody can tell which ones were before it.
    pub(crate) fn identity(&self) -> Vec<u8> {
        let (number, id) = (self.number.to_be_bytes(), self.id());
        let (version, count) = (self.version.to_be_bytes(), 1_u32.to_be_bytes());
        let previous = if self.version == 1 { [0; 32] } else { [7; 32] };
        let list = [&version[..], &previous, &count, &number, &id].concat();
        let listed = [&b"Sotto/1 device list"[..], &self.account_public, &list];
        [
            &[1][..],
            &self.account_public,
            &list,
            &sign(&self.account, &listed),
            &number,
            &lp(&[&self.spki]),
            &self.device_public,
            &sign(&self.device, &[b"Sotto/1 device self", &id]),
        ]
        .concat()
    }

    /// A prekey record for any 1,216 bytes (PROTOCOL §2.6).
    pub(crate) fn prekey_record(&self, kind: u8, id: u32, public: &[u8]) -> Vec<u8> {
        let (id, not_after) = (id.to_be_bytes(), 1000_u64.to_be_bytes());
        let owner = self.id();
        let parts: [&[u8]; 6] = [b"Sotto/1 prekey", &[kind], &owner, &id, &not_after, public];
        let signature = sign(&self.device, &parts);
        [&[1, kind][..], &id, &not_after, public, &signature].concat()
    }
}

/// An X-Wing ciphertext and its shared secret.
#[derive(Clone)]
pub(crate) struct Lock {
    pub(crate) ciphertext: Vec<u8>,
    pub(crate) shared: [u8; 32],
}

impl Lock {
    /// For the owner of a public key.
    pub(crate) fn of(public: &[u8], rng: &mut impl CryptoRng) -> Self {
        let key = EncapsulationKey::try_from(public).unwrap();
        let (ciphertext, shared) = key.encapsulate_with_rng(rng);
        Self {
            ciphertext: ciphertext.to_vec(),
            shared: shared.into(),
        }
    }

    /// The same with `point` in the place of the ephemeral X25519 key. `seed` is the recipient's;
    /// an attacker does without where X25519 gives zeros whatever the key.
    pub(crate) fn with_point(mut self, point: &[u8; 32], seed: [u8; 32]) -> Self {
        use x_wing::{Decapsulate, DecapsulationKey};
        self.ciphertext[1088..].copy_from_slice(point);
        let ciphertext = self.ciphertext.as_slice().try_into().unwrap();
        let lenient = DecapsulationKey::from(seed);
        self.shared = lenient.decapsulate(ciphertext).into();
        self
    }
}

/// A new X-Wing key: its seed, and the public key.
pub(crate) fn kem_pair(rng: &mut impl CryptoRng) -> ([u8; 32], Vec<u8>) {
    let mut seed = [0; 32];
    rng.fill_bytes(&mut seed);
    let key = x_wing::DecapsulationKey::from(seed);
    (seed, key.encapsulation_key().to_bytes().to_vec())
}

/// Whom a handshake goes to: an identity with its prekeys, as the relay hands them out.
#[derive(Clone)]
pub(crate) struct Recipient {
    pub(crate) id: [u8; 32],
    pub(crate) spki: Vec<u8>,
    pub(crate) signed: (u32, Vec<u8>),
    pub(crate) one_time: Option<(u32, Vec<u8>)>,
}

impl Recipient {
    pub(crate) fn new(identity: &[u8], signed: &[u8], one_time: Option<&[u8]>) -> Self {
        let prekey = |record: &[u8]| (u32::from_be_bytes(part(record, 2)), record[14..1230].into());
        Self {
            id: part(identity, 73 + 4),
            spki: identity[181..181 + 422].to_vec(),
            signed: prekey(signed),
            one_time: one_time.map(prekey),
        }
    }
}

/// The initiator's side of a handshake (PROTOCOL §3.2), complete but not yet put together.
#[derive(Clone)]
pub(crate) struct Initiator {
    pub(crate) to: Recipient,
    pub(crate) suite: Vec<u8>,
    /// `s`
    pub(crate) secret: Vec<u8>,
    /// `c1`
    pub(crate) wrapped: Vec<u8>,
    /// `c2` and `ss2`, `c3` and `ss3`.
    pub(crate) signed: Lock,
    pub(crate) one_time: Option<Lock>,
    /// `rek`
    pub(crate) ratchet_key: Vec<u8>,
    /// Who T1 says has sent it, what is sealed as that, and who signs.
    pub(crate) id: [u8; 32],
    pub(crate) identity: Vec<u8>,
    pub(crate) signer: SigningKey,
    /// What is sealed after the signature: nothing.
    pub(crate) behind: Vec<u8>,
}

impl Initiator {
    /// An honest one.
    pub(crate) fn new(from: &Author, to: &Recipient, rng: &mut impl CryptoRng) -> Self {
        let mut secret = vec![0; 32];
        rng.fill_bytes(&mut secret);
        Self {
            to: to.clone(),
            suite: SUITE.to_vec(),
            wrapped: Self::wrap(to, &secret, rng),
            secret,
            signed: Lock::of(&to.signed.1, rng),
            one_time: to
                .one_time
                .as_ref()
                .map(|(_, public)| Lock::of(public, rng)),
            ratchet_key: kem_pair(rng).1,
            id: from.id(),
            identity: from.identity(),
            signer: from.device.clone(),
            behind: vec![],
        }
    }

    /// `c1`
    pub(crate) fn wrap(to: &Recipient, secret: &[u8], rng: &mut impl CryptoRng) -> Vec<u8> {
        let label = lp(&[b"Sotto/1 oaep", &to.id]);
        let key = PublicKey::from_public_key_der(&to.spki).unwrap();
        key.encrypt(rng, Oaep::<Sha256>::new_with_label(label), secret)
            .unwrap()
    }

    /// The handshake's bytes (PROTOCOL §3.1), and `RK || CK_0 || HK_0 || NHK_A || NHK_B || SID`.
    pub(crate) fn handshake(&self) -> (Vec<u8>, [u8; 192]) {
        let spk_id = self.to.signed.0.to_be_bytes();
        let opk = self.to.one_time.as_ref();
        let opk_id = opk.map_or(vec![], |(id, _)| id.to_be_bytes().to_vec());
        let opk = opk.map_or(&[][..], |(_, public)| public);
        let (c3, ss3) = self
            .one_time
            .as_ref()
            .map_or((&[][..], &[][..]), |lock| (&lock.ciphertext, &lock.shared));
        let t0 = hash(&[
            b"Sotto/1 skx t0",
            &self.suite,
            &self.to.id,
            &spk_id,
            &self.to.signed.1,
            &opk_id,
            opk,
            &self.wrapped,
            &self.signed.ciphertext,
            c3,
            &self.ratchet_key,
        ]);
        let p0 = extract(&t0, &[&self.secret, &self.signed.shared, ss3]);
        let k_id = expand(&p0, &[b"Sotto/1 skx id"]);
        let t1 = hash(&[b"Sotto/1 skx t1", &t0, &self.id]);
        let proof = sign(&self.signer, &[b"Sotto/1 skx auth", &t1]);
        let auth = [&lp(&[&self.identity])[..], &proof, &self.behind].concat();
        let c4 = aes_gcm(k_id, [0; 12], &t0, &auth);
        let p1 = extract(&t1, &[&p0]);
        let bytes = [
            &spk_id[..],
            &opk_id,
            &self.wrapped,
            &self.signed.ciphertext,
            c3,
            &self.ratchet_key,
            &lp(&[&c4]),
        ]
        .concat();
        (bytes, expand(&p1, &[b"Sotto/1 skx keys"]))
    }

    /// The first message of the session that this handshake starts; what it holds may be changed.
    pub(crate) fn message(&self, text: &[u8]) -> Message {
        let (handshake, keys) = self.handshake();
        let one_time = if self.one_time.is_some() { 2 } else { 0 };
        Message {
            session_id: part(&keys, 160),
            direction: 0,
            flags: 1 | one_time,
            handshake,
            header_keys: HeaderKeys::of(&keys[64..96]),
            body_key: hmac(&keys[32..64], &[1]),
            epoch: 0,
            tag_n: 0,
            n: 0,
            pn: 0,
            ack: 0,
            step: vec![],
            body: padded(text),
        }
    }
}

/// `hk_enc` and `hk_tag` (PROTOCOL §5.2).
#[derive(Clone, Copy)]
pub(crate) struct HeaderKeys {
    pub(crate) encryption: [u8; 32],
    pub(crate) tag: [u8; 32],
}

impl HeaderKeys {
    pub(crate) fn of(header_key: &[u8]) -> Self {
        Self {
            encryption: expand(header_key, &[b"Sotto/1 hdr enc"]),
            tag: expand(header_key, &[b"Sotto/1 hdr tag"]),
        }
    }
}

/// All that goes into a packet (PROTOCOL §5).
#[derive(Clone)]
pub(crate) struct Message {
    pub(crate) session_id: [u8; 32],
    pub(crate) direction: u8,
    pub(crate) flags: u8,
    pub(crate) handshake: Vec<u8>,
    pub(crate) header_keys: HeaderKeys,
    pub(crate) body_key: [u8; 32],
    pub(crate) epoch: u32,
    /// The number in the tag, and the one in the header.
    pub(crate) tag_n: u32,
    pub(crate) n: u32,
    pub(crate) pn: u32,
    pub(crate) ack: u32,
    /// `ct || ek'`, or nothing.
    pub(crate) step: Vec<u8>,
    /// Padded.
    pub(crate) body: Vec<u8>,
}

impl Message {
    /// The same with this number, in tag and header.
    pub(crate) fn numbered(&self, n: u32) -> Self {
        let tag_n = n;
        Self {
            tag_n,
            n,
            ..self.clone()
        }
    }

    pub(crate) fn seal(&self, rng: &mut impl Rng) -> Vec<u8> {
        let mut r16 = [0; 16];
        rng.fill_bytes(&mut r16);
        let mut tag16 = [0; 16];
        tag16[..4].copy_from_slice(&self.tag_n.to_be_bytes());
        let mut block = tag16.into();
        Aes256::new(&self.header_keys.tag.into()).encrypt_block(&mut block);
        let tag16: [u8; 16] = block.into();

        let prefix = [1, self.flags];
        let one_time = [self.flags >> 1 & 1];
        let digest = if self.handshake.is_empty() {
            vec![]
        } else {
            hash(&[b"Sotto/1 skx digest", &one_time, &self.handshake]).to_vec()
        };
        let numbers = [self.epoch, self.n, self.pn, self.ack].map(u32::to_be_bytes);
        let header = [&numbers.concat()[..], &self.step].concat();
        let aad = lp(&[b"Sotto/1 hdr aad", &prefix, &digest, &tag16, &r16]);
        let header = aes_gcm(self.header_keys.encryption, part(&r16, 0), &aad, &header);

        let keys: [u8; 44] = expand(&extract(&r16, &[&self.body_key]), &[b"Sotto/1 msg"]);
        let aad = lp(&[
            b"Sotto/1 aad",
            &self.session_id,
            &[self.direction],
            &prefix,
            &digest,
            &r16,
            &tag16,
            &header,
        ]);
        let body = aes_gcm(part(&keys, 0), part(&keys, 32), &aad, &self.body);
        [&prefix[..], &self.handshake, &tag16, &r16, &header, &body].concat()
    }
}
