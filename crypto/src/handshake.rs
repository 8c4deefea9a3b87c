//! The signed key exchange in one flight (PROTOCOL §3).

use rand::CryptoRng;
use zeroize::Zeroizing;

use crate::aead;
use crate::bundle::VerifiedBundle;
use crate::codec::{Reader, Writer};
use crate::header::HeaderKeys;
use crate::identity::Identity;
use crate::ids::{DeviceId, SessionId};
use crate::kdf;
use crate::kem::{CIPHERTEXT_BYTES, KemPublic, KemSecret, PUBLIC_BYTES};
use crate::planted;
use crate::prekey::{PrekeyKind, PrekeySecret};
use crate::public_identity::{IDENTITY_BYTES_MAX, PublicIdentity};
use crate::rsa_lock::WRAPPED_BYTES;
use crate::signature::{self, SIGNATURE_BYTES};

const SUITE: &[u8] = b"RSA-3072-OAEP-SHA256+X-Wing+Ed25519+AES-256-GCM+HKDF-SHA256";
const AUTH_LABEL: &[u8] = b"Sotto/1 skx auth";
/// Upper bound in bytes of the sender's sealed identity, `c4`.
const SEALED_IDENTITY_BYTES_MAX: usize = 4 + IDENTITY_BYTES_MAX + SIGNATURE_BYTES + aead::TAG_BYTES;
/// Upper bound in bytes of a handshake.
pub(crate) const HANDSHAKE_BYTES_MAX: usize =
    8 + WRAPPED_BYTES + 2 * CIPHERTEXT_BYTES + PUBLIC_BYTES + 4 + SEALED_IDENTITY_BYTES_MAX;

/// A handshake as received, taken apart; nothing of it verified.
#[derive(Clone, Copy)]
pub(crate) struct HandshakeView<'a> {
    pub(crate) signed_id: u32,
    /// Id of the one-time prekey, and `c3`.
    pub(crate) one_time: Option<(u32, &'a [u8])>,
    wrapped: &'a [u8],
    signed_ciphertext: &'a [u8],
    ratchet_key: &'a [u8],
    sealed_identity: &'a [u8],
    whole: &'a [u8],
}

impl<'a> HandshakeView<'a> {
    /// Takes a handshake off `reader` (PROTOCOL §3.1).
    pub(crate) fn read(reader: &mut Reader<'a>, has_one_time: bool) -> Option<Self> {
        let mut ahead = *reader;
        let signed_id = ahead.u32()?;
        let one_time_id = if has_one_time {
            Some(ahead.u32()?)
        } else {
            None
        };
        let wrapped = ahead.raw(WRAPPED_BYTES)?;
        let signed_ciphertext = ahead.raw(CIPHERTEXT_BYTES)?;
        let one_time = match one_time_id {
            Some(id) => Some((id, ahead.raw(CIPHERTEXT_BYTES)?)),
            None => None,
        };
        let ratchet_key = ahead.raw(PUBLIC_BYTES)?;
        let sealed_identity = ahead.lp(SEALED_IDENTITY_BYTES_MAX)?;
        let whole_bytes = reader.left() - ahead.left();
        Some(Self {
            signed_id,
            one_time,
            wrapped,
            signed_ciphertext,
            ratchet_key,
            sealed_identity,
            whole: reader.raw(whole_bytes)?,
        })
    }

    /// ``H("Sotto/1 skx digest" || one-time flag || handshake)``
    pub(crate) fn digest(&self) -> [u8; 32] {
        let flag = [u8::from(self.one_time.is_some())];
        kdf::hash(&[b"Sotto/1 skx digest", &flag, self.whole])
    }

    /// `T0`: the suite, the recipient with the prekeys used, and everything sent in the clear.
    fn first_transcript(
        &self,
        recipient: DeviceId,
        signed: &KemPublic,
        one_time: Option<&KemPublic>,
    ) -> [u8; 32] {
        let one_time_id = self.one_time.map(|(id, _)| id.to_be_bytes());
        kdf::hash(&[
            b"Sotto/1 skx t0",
            SUITE,
            recipient.as_bytes(),
            &self.signed_id.to_be_bytes(),
            signed.as_bytes(),
            one_time_id.as_ref().map_or(&[], |id| id),
            one_time.map_or(&[], |key| key.as_bytes()),
            self.wrapped,
            self.signed_ciphertext,
            self.one_time.map_or(&[], |(_, ciphertext)| ciphertext),
            self.ratchet_key,
        ])
    }
}

/// `T1`: everything, and who sent it.
fn second_transcript(first: &[u8; 32], sender: DeviceId) -> [u8; 32] {
    kdf::hash(&[b"Sotto/1 skx t1", first, sender.as_bytes()])
}

/// The three locks' secrets, mixed with the first transcript: `P0`.
fn mixed(
    transcript: &[u8; 32],
    wrapped: &[u8; 32],
    signed: &[u8; 32],
    one_time: Option<&[u8; 32]>,
) -> Zeroizing<[u8; 32]> {
    let one_time = one_time.map_or(&[][..], |shared| shared);
    kdf::extract(transcript, &[wrapped, signed, one_time])
}

/// The key that seals the sender's identity.
fn identity_key(mixed: &[u8; 32]) -> Zeroizing<[u8; 32]> {
    kdf::expand(mixed, &[b"Sotto/1 skx id"])
}

/// What both sides know after a handshake.
pub(crate) struct HandshakeKeys {
    pub(crate) session_id: SessionId,
    pub(crate) root: Zeroizing<[u8; 32]>,
    /// Chain 0, in which the initiator sends.
    pub(crate) chain: Zeroizing<[u8; 32]>,
    pub(crate) chain_header: HeaderKeys,
    /// Headers of the initiator's next chain.
    pub(crate) next_initiator: HeaderKeys,
    /// Headers of the responder's first chain.
    pub(crate) next_responder: HeaderKeys,
}

impl HandshakeKeys {
    /// ``RK || CK_0 || HK_0 || NHK_A || NHK_B || SID = HKDF-Expand(P1, …, 6 x 32)``
    fn derive(transcript: &[u8; 32], mixed: &[u8; 32]) -> Self {
        let prk = kdf::extract(transcript, &[mixed]);
        let keys = kdf::expand::<192>(&prk, &[b"Sotto/1 skx keys"]);
        Self {
            root: kdf::part(&keys, 0),
            chain: kdf::part(&keys, 1),
            chain_header: HeaderKeys::derive(&kdf::part(&keys, 2)),
            next_initiator: HeaderKeys::derive(&kdf::part(&keys, 3)),
            next_responder: HeaderKeys::derive(&kdf::part(&keys, 4)),
            session_id: SessionId::from_bytes(*kdf::part(&keys, 5)),
        }
    }
}

/// An initiator's handshake: its bytes, whether it used a one-time prekey, the secret of the
/// ratchet key in it, and the keys.
pub(crate) struct Initiated {
    pub(crate) bytes: Vec<u8>,
    pub(crate) has_one_time: bool,
    pub(crate) ratchet_secret: KemSecret,
    pub(crate) keys: HandshakeKeys,
}

/// Makes the handshake bytes and keys of the initiator (PROTOCOL §3.2).
pub(crate) fn initiate(
    identity: &Identity,
    bundle: &VerifiedBundle,
    rng: &mut (impl CryptoRng + ?Sized),
) -> Option<Initiated> {
    let recipient = bundle.peer().device_id();
    let signed = bundle.signed();
    let mut secret = Zeroizing::new([0; 32]);
    rng.fill_bytes(secret.as_mut_slice());
    let wrapped = bundle
        .peer()
        .wrap_key()
        .wrap(recipient.as_bytes(), &secret, rng)?;
    let (signed_ciphertext, signed_shared) = signed.public.encapsulate(rng);
    let one_time = bundle.one_time().map(|record| {
        let (ciphertext, shared) = record.public.encapsulate(rng);
        (record, ciphertext, shared)
    });
    let ratchet_secret = KemSecret::generate(rng);
    let ratchet_key = ratchet_secret.public();

    let view = HandshakeView {
        signed_id: signed.id,
        one_time: one_time
            .as_ref()
            .map(|(record, c3, _)| (record.id, c3.as_slice())),
        wrapped: &wrapped,
        signed_ciphertext: &signed_ciphertext,
        ratchet_key: ratchet_key.as_bytes(),
        sealed_identity: &[],
        whole: &[],
    };
    let one_time_public = one_time.as_ref().map(|(record, ..)| &record.public);
    let t0 = view.first_transcript(recipient, &signed.public, one_time_public);
    let t1 = second_transcript(&t0, identity.public().device_id());
    let one_time_shared = one_time.as_ref().map(|(_, _, shared)| &**shared);
    let p0 = mixed(&t0, &secret, &signed_shared, one_time_shared);

    let auth = Writer::with_capacity(SEALED_IDENTITY_BYTES_MAX)
        .lp(&identity.public().encode())
        .raw(&signature::sign(&identity.device_key, &[AUTH_LABEL, &t1]))
        .secret();
    let sealed = aead::seal(&identity_key(&p0), &[0; 12], &t0, &auth);

    let mut writer = Writer::with_capacity(HANDSHAKE_BYTES_MAX).u32(signed.id);
    if let Some((record, ..)) = &one_time {
        writer = writer.u32(record.id);
    }
    writer = writer.raw(&wrapped).raw(&signed_ciphertext);
    if let Some((_, ciphertext, _)) = &one_time {
        writer = writer.raw(ciphertext);
    }
    Some(Initiated {
        bytes: writer.raw(ratchet_key.as_bytes()).lp(&sealed).public(),
        has_one_time: one_time.is_some(),
        ratchet_secret,
        keys: HandshakeKeys::derive(&t1, &p0),
    })
}

/// What `c4` holds: the sender, and its signature over the second transcript, not yet verified.
pub(crate) fn read_sender(auth: &[u8]) -> Option<(PublicIdentity, [u8; SIGNATURE_BYTES])> {
    let mut reader = Reader::new(auth);
    let peer = PublicIdentity::decode(reader.lp(IDENTITY_BYTES_MAX)?).ok()?;
    let proof = reader.array()?;
    reader.finish()?;
    Some((peer, proof))
}

/// What a responder learns from a handshake that was authentic.
pub(crate) struct Responded {
    pub(crate) peer: PublicIdentity,
    pub(crate) ratchet_key: KemPublic,
    pub(crate) keys: HandshakeKeys,
}

/// Opens and verifies a handshake (PROTOCOL §3.3). `None`, whatever was wrong.
pub(crate) fn respond(
    identity: &Identity,
    signed: &PrekeySecret,
    one_time: Option<&PrekeySecret>,
    view: &HandshakeView<'_>,
    rng: &mut (impl CryptoRng + ?Sized),
) -> Option<Responded> {
    let names_these = signed.id() == view.signed_id
        && signed.kind() == PrekeyKind::Signed
        && one_time.map(PrekeySecret::id) == view.one_time.map(|(id, _)| id)
        && one_time.is_none_or(|prekey| prekey.kind() == PrekeyKind::OneTime);
    if !names_these {
        return None;
    }
    let own = identity.public().device_id();
    let secret = identity
        .unwrap_key
        .unwrap_secret(own.as_bytes(), view.wrapped, rng);
    let (signed, one_time) = (signed.expand(), one_time.map(PrekeySecret::expand));
    let signed_shared = signed.decapsulate(view.signed_ciphertext)?;
    let one_time_shared = match (&one_time, view.one_time) {
        (Some(prekey), Some((_, ciphertext))) => Some(prekey.decapsulate(ciphertext)?),
        _ => None,
    };
    let one_time_public = one_time.as_ref().map(KemSecret::public);
    let t0 = view.first_transcript(own, &signed.public(), one_time_public.as_ref());
    let p0 = mixed(&t0, &secret, &signed_shared, one_time_shared.as_deref());

    let auth = aead::open(&identity_key(&p0), &[0; 12], &t0, view.sealed_identity)?;
    let (peer, proof) = read_sender(&auth)?;
    let t1 = second_transcript(&t0, peer.device_id());
    let authentic = signature::verify(&peer.device_key(), &[AUTH_LABEL, &t1], &proof);
    let authentic = authentic || planted::is("handshake_signature_unchecked");
    if !authentic || peer.device_id() == own {
        return None;
    }
    Some(Responded {
        peer,
        ratchet_key: KemPublic::decode(view.ratchet_key)?,
        keys: HandshakeKeys::derive(&t1, &p0),
    })
}
