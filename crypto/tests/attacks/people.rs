//! Honest people: devices that keep to the protocol, and two of them in a conversation.

use rand::SeedableRng;
use rand::rngs::StdRng;
use sotto_crypto::{
    Accepted, Identity, OpenError, Packet, PrekeyKind, PrekeySecret, Session, VerifiedBundle,
};

use crate::forge::{Author, Recipient};

/// Longer than the least time between two steps.
pub(crate) const TURN_SECS: u64 = 60;

pub(crate) fn rng(seed: u64) -> StdRng {
    StdRng::seed_from_u64(seed)
}

fn stored(hex: &str) -> Vec<u8> {
    let byte = |at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap();
    (0..hex.trim().len()).step_by(2).map(byte).collect()
}

fn alice_stored() -> Vec<u8> {
    stored(include_str!("../../src/testing/alice_identity_v1.hex"))
}

fn bob_stored() -> Vec<u8> {
    stored(include_str!("../../src/testing/bob_identity_v1.hex"))
}

/// Alice's keys in the attacker's hands: only for what shows that the forger speaks the protocol,
/// and for what she does herself.
pub(crate) fn alice_author() -> Author {
    Author::of_stored(&alice_stored())
}

pub(crate) fn bob_author() -> Author {
    Author::of_stored(&bob_stored())
}

/// The attacker with an identity of her own. It is valid; the RSA key happens to be Alice's.
pub(crate) fn intruder() -> Author {
    Author::new([66; 32], [67; 32], alice_author().spki)
}

/// A device with its prekeys.
pub(crate) struct Device {
    pub(crate) identity: Identity,
    pub(crate) signed: Vec<PrekeySecret>,
    pub(crate) one_time: Vec<PrekeySecret>,
}

impl Device {
    /// Signed prekeys 1 and 2, one-time prekeys 11 to 14. `seed` decides their keys.
    fn new(identity: Identity, seed: u64) -> Self {
        let rng = &mut rng(seed);
        let mut make = |kind, id| PrekeySecret::generate(kind, id, 1000, rng);
        Self {
            identity,
            signed: (1..=2).map(|id| make(PrekeyKind::Signed, id)).collect(),
            one_time: (11..=14).map(|id| make(PrekeyKind::OneTime, id)).collect(),
        }
    }

    pub(crate) fn alice() -> Self {
        Self::new(Identity::from_stored(&alice_stored()).unwrap(), 100)
    }

    pub(crate) fn bob() -> Self {
        Self::new(Identity::from_stored(&bob_stored()).unwrap(), 101)
    }

    /// Somebody else who even has Bob's RSA key, with or without his account and his signing key.
    pub(crate) fn of_author(author: &Author, account: [u8; 32], device: [u8; 32]) -> Self {
        let public = author.identity();
        let length = u32::try_from(public.len()).unwrap().to_be_bytes();
        let rsa = bob_stored()[65..481].to_vec();
        let stored = [&[1], &account[..], &device, &rsa, &length, &public].concat();
        Self::new(Identity::from_stored(&stored).unwrap(), 102)
    }

    pub(crate) fn charlie() -> Self {
        let (account, device) = ([3; 32], [4; 32]);
        Self::of_author(
            &Author::new(account, device, bob_author().spki),
            account,
            device,
        )
    }

    /// The record of its signed prekey 1.
    pub(crate) fn signed_record(&self) -> Vec<u8> {
        self.signed[0].record(&self.identity)
    }

    /// The record of its first one-time prekey.
    pub(crate) fn one_time_record(&self) -> Vec<u8> {
        self.one_time[0].record(&self.identity)
    }

    /// The bundle that the relay hands out, with or without a one-time prekey.
    pub(crate) fn bundle(&self, with_one_time: bool) -> VerifiedBundle {
        let one_time = with_one_time.then(|| self.one_time_record());
        let (public, signed) = (self.identity.public(), self.signed_record());
        VerifiedBundle::verify(public, &signed, one_time.as_deref(), 0).unwrap()
    }

    /// The same for a forger.
    pub(crate) fn recipient(&self, with_one_time: bool) -> Recipient {
        let one_time = with_one_time.then(|| self.one_time_record());
        let (public, signed) = (self.identity.public().encode(), self.signed_record());
        Recipient::new(&public, &signed, one_time.as_deref())
    }

    pub(crate) fn start(&self, to: &Self, with_one_time: bool, rng: &mut StdRng) -> Session {
        Session::start(&self.identity, &to.bundle(with_one_time), 0, rng).unwrap()
    }

    /// Accepts with the prekeys that the packet names; those that are not there open nothing.
    pub(crate) fn accept(&self, bytes: &[u8]) -> Result<Accepted, OpenError> {
        let packet = Packet::parse(bytes)?;
        let shown = packet.handshake();
        let signed_id = shown.map_or(1, |shown| shown.signed_prekey_id());
        let one_time_id = shown.and_then(|shown| shown.one_time_prekey_id());
        let one_time = one_time_id
            .map(|id| named(&self.one_time, id))
            .transpose()?;
        let signed = named(&self.signed, signed_id)?;
        Session::accept(&self.identity, signed, one_time, &packet, 0, &mut rng(0))
    }

    /// Asserts that a packet starts nothing here.
    pub(crate) fn refuses(&self, bytes: &[u8], attack: &str) {
        let refused = self.accept(bytes).err();
        assert_eq!(refused, Some(OpenError::NotAuthentic), "{attack}");
    }

    /// Asserts that a packet starts a session and says `text`.
    pub(crate) fn accepts(&self, bytes: &[u8], text: &[u8]) -> Session {
        let accepted = self.accept(bytes).unwrap();
        assert_eq!(accepted.opened.text(), Some(text));
        accepted.session
    }
}

fn named(prekeys: &[PrekeySecret], id: u32) -> Result<&PrekeySecret, OpenError> {
    let named = prekeys.iter().find(|prekey| prekey.id() == id);
    named.ok_or(OpenError::NotAuthentic)
}

pub(crate) fn seal(session: &mut Session, text: &[u8], now_secs: u64, rng: &mut StdRng) -> Vec<u8> {
    let step = session.seal(text, now_secs, rng).unwrap();
    *session = step.next;
    step.output
}

/// Why a packet was not opened. The session goes on if it was, and is the same bytes if not.
pub(crate) fn open(session: &mut Session, bytes: &[u8]) -> Result<Vec<u8>, OpenError> {
    let before = session.to_stored();
    let opened = Packet::parse(bytes).and_then(|packet| session.open(&packet, 0, &mut rng(0)));
    let step = opened.inspect_err(|_| assert_eq!(session.to_stored(), before))?;
    assert_ne!(step.next.to_stored(), before);
    *session = step.next;
    Ok(step.output.text().unwrap_or(b"a capsule").to_vec())
}

/// Asserts that a packet does not open in a session and leaves it as it is.
pub(crate) fn refuses(session: &mut Session, bytes: &[u8], attack: &str) {
    assert_eq!(
        open(session, bytes),
        Err(OpenError::NotAuthentic),
        "{attack}"
    );
}

/// Two ends of a session, with one clock.
pub(crate) struct Talk {
    pub(crate) alice: Session,
    pub(crate) bob: Session,
    pub(crate) now_secs: u64,
    pub(crate) rng: StdRng,
}

impl Talk {
    /// Alice has written once and Bob has read it: a step is up to him.
    pub(crate) fn begun() -> Self {
        Self::begun_with(rng(1))
    }

    /// The same with other randomness: another session from the same prekeys.
    pub(crate) fn begun_with(mut rng: StdRng) -> Self {
        let (alice, bob) = (Device::alice(), Device::bob());
        let mut session = alice.start(&bob, true, &mut rng);
        let first = seal(&mut session, b"first", 0, &mut rng);
        Self {
            alice: session,
            bob: bob.accepts(&first, b"first"),
            now_secs: 0,
            rng,
        }
    }

    /// Both have stepped and know it: packets are plain until a turn has passed, and then the step
    /// is Alice's.
    pub(crate) fn settled() -> Self {
        let mut talk = Self::begun();
        talk.bob_says(b"second");
        talk.alice_says(b"third");
        let answer = talk.bob_seals(b"fourth");
        assert_eq!(open(&mut talk.alice, &answer).unwrap(), b"fourth");
        let plain = talk.alice_seals(b"fifth");
        assert_eq!(open(&mut talk.bob, &plain).unwrap(), b"fifth");
        talk
    }

    pub(crate) fn alice_seals(&mut self, text: &[u8]) -> Vec<u8> {
        seal(&mut self.alice, text, self.now_secs, &mut self.rng)
    }

    pub(crate) fn bob_seals(&mut self, text: &[u8]) -> Vec<u8> {
        seal(&mut self.bob, text, self.now_secs, &mut self.rng)
    }

    /// A message of Alice arrives, with a step if it is her turn.
    pub(crate) fn alice_says(&mut self, text: &[u8]) {
        self.now_secs += TURN_SECS;
        let packet = self.alice_seals(text);
        assert_eq!(open(&mut self.bob, &packet).unwrap(), text);
    }

    /// A message of Bob arrives, with a step if it is his turn.
    pub(crate) fn bob_says(&mut self, text: &[u8]) {
        self.now_secs += TURN_SECS;
        let packet = self.bob_seals(text);
        assert_eq!(open(&mut self.alice, &packet).unwrap(), text);
    }
}
