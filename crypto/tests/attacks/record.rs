//! A session's stored record, taken apart (PROTOCOL §9.3): what a malicious peer knows, and what
//! it can say with that.

use rand::CryptoRng;

use crate::forge::{
    HeaderKeys, Lock, Message, expand, extract, hash, hmac, kem_pair, padded, part,
};

/// What a session needs to speak.
pub(crate) struct Record {
    session_id: [u8; 32],
    role: u8,
    root: [u8; 32],
    /// The peer's unused key.
    peer_key: Option<Vec<u8>>,
    /// The seed of the own key, for the peer's next step.
    pub(crate) own_seed: Option<[u8; 32]>,
    sending: Option<Chain>,
    pn: u32,
    next_send: HeaderKeys,
    /// Epoch of the newest chain to receive in.
    received: u32,
}

struct Chain {
    epoch: u32,
    header_keys: HeaderKeys,
    key: [u8; 32],
    next: u32,
    /// `ct || ek'` while they are announced.
    step: Vec<u8>,
}

/// Takes fields off the front.
struct Fields<'a>(&'a [u8]);

impl<'a> Fields<'a> {
    fn raw(&mut self, bytes: usize) -> &'a [u8] {
        let (front, rest) = self.0.split_at(bytes);
        self.0 = rest;
        front
    }

    fn array<const N: usize>(&mut self) -> [u8; N] {
        part(self.raw(N), 0)
    }

    fn u8(&mut self) -> u8 {
        u8::from_be_bytes(self.array())
    }

    fn u32(&mut self) -> u32 {
        u32::from_be_bytes(self.array())
    }

    fn header_keys(&mut self) -> HeaderKeys {
        HeaderKeys {
            encryption: self.array(),
            tag: self.array(),
        }
    }
}

impl Record {
    pub(crate) fn parse(stored: &[u8]) -> Self {
        let mut fields = Fields(stored);
        assert_eq!(fields.u8(), 1);
        let session_id = fields.array();
        let role = fields.u8();
        fields.raw(64);
        let root = fields.array();
        let (peer_key, own_seed) = match fields.u8() {
            0 => (Some(fields.raw(1216).to_vec()), None),
            _ => (None, Some(fields.array())),
        };
        let mut sending = (fields.u8() == 1).then(|| Chain {
            epoch: fields.u32(),
            header_keys: fields.header_keys(),
            key: fields.array(),
            next: fields.u32(),
            step: vec![],
        });
        let pn = fields.u32();
        let next_send = fields.header_keys();
        fields.header_keys();
        match fields.u8() {
            1 => sending.as_mut().unwrap().step = fields.raw(2336).to_vec(),
            2 => {
                fields.u8();
                let bytes = fields.u32();
                fields.raw(bytes.try_into().unwrap());
            }
            _ => {}
        }
        fields.raw(8 + 1);
        let mut received = 0;
        for _ in 0..fields.u32() {
            received = fields.u32();
            fields.header_keys();
            if fields.u8() == 1 {
                fields.raw(36);
            }
            let skipped = fields.u32();
            fields.raw(usize::try_from(skipped).unwrap() * 44);
        }
        assert!(
            fields.0.is_empty(),
            "the record is longer than the text says"
        );
        Self {
            session_id,
            role,
            root,
            peer_key,
            own_seed,
            sending,
            pn,
            next_send,
            received,
        }
    }

    /// The message that is next in the chain, and `ahead` more after it.
    pub(crate) fn message(&self, ahead: u32, text: &[u8]) -> Message {
        let chain = self.sending.as_ref().unwrap();
        let chain_key = (0..ahead).fold(chain.key, |key, _| hmac(&key, &[2]));
        Message {
            session_id: self.session_id,
            direction: self.role,
            flags: if chain.step.is_empty() { 0 } else { 4 },
            handshake: vec![],
            header_keys: chain.header_keys,
            body_key: hmac(&chain_key, &[1]),
            epoch: chain.epoch,
            tag_n: chain.next + ahead,
            n: chain.next + ahead,
            pn: self.pn,
            ack: self.received,
            step: chain.step.clone(),
            body: padded(text),
        }
    }

    /// Epoch of the next step.
    pub(crate) fn next_epoch(&self) -> u32 {
        self.received + 1
    }

    /// Messages sent in the chain before the next step.
    pub(crate) fn sent(&self) -> u32 {
        self.sending.as_ref().map_or(0, |chain| chain.next)
    }

    /// A ciphertext for the peer's unused key, and a new key.
    pub(crate) fn new_step(&self, rng: &mut impl CryptoRng) -> (Lock, Vec<u8>) {
        let lock = Lock::of(self.peer_key.as_ref().unwrap(), rng);
        (lock, kem_pair(rng).1)
    }

    /// Message `n` of the chain that a step to `epoch` begins (PROTOCOL §4.3).
    pub(crate) fn step(&self, epoch: u32, n: u32, (lock, public): &(Lock, Vec<u8>)) -> Message {
        let h = hash(&[b"Sotto/1 skr keys", &lock.ciphertext, public]);
        let (prk, sid) = (extract(&self.root, &[&lock.shared]), &self.session_id);
        let label = b"Sotto/1 skr step";
        let keys: [u8; 96] = expand(&prk, &[label, sid, &epoch.to_be_bytes(), &h]);
        let chain_key = (0..n).fold(part(&keys, 32), |key: [u8; 32], _| hmac(&key, &[2]));
        Message {
            session_id: self.session_id,
            direction: self.role,
            flags: 4,
            handshake: vec![],
            header_keys: self.next_send,
            body_key: hmac(&chain_key, &[1]),
            epoch,
            tag_n: n,
            n,
            pn: self.sent(),
            ack: self.received,
            step: [&lock.ciphertext[..], public].concat(),
            body: padded(b"step"),
        }
    }
}
