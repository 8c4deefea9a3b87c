//! What the protocol costs beside what it is made of: `cargo bench -p sotto-crypto --bench protocol`.
//!
//! Each row is measured in turns with its control, in the same run; a figure is the median of the
//! rounds. Controls are the bare primitives, and Olm (vodozemac), which has no post-quantum part
//! and no signature in its handshake.

#![expect(
    clippy::expect_used,
    clippy::print_stdout,
    reason = "a benchmark prints its table, and fails when it cannot measure"
)]

use std::hint::black_box;
use std::time::{Duration, Instant};

use aes_gcm::aead::AeadInOut as _;
use aes_gcm::{Aes256Gcm, KeyInit as _};
use hkdf::Hkdf;
use hmac::{Hmac, Mac as _};
use rand::Rng as _;
use rand::rngs::ThreadRng;
use rsa::{Oaep, PrivateKey};
use sha2::Sha256;
use sotto_crypto::{
    ATTACHMENT_CHUNK_BYTES, AttachmentKey, AttachmentOpener, AttachmentSealer, GroupContext,
    GroupId, GroupMessageId, Identity, MembersHash, Packet, PrekeyKind, PrekeySecret, Session,
    VerifiedBundle,
};
use vodozemac::olm;
use x_wing::{DecapsulationKeyRejectNonContrib, Decapsulator as _, Encapsulate as _};
use x_wing::{Generate as _, TryDecapsulate as _};

const ROUNDS: usize = 31;
/// Beyond the least time between two steps.
const STEP_SECS: u64 = 60;
const TEXT: [u8; 1024] = [0x61; 1024];

fn main() {
    println!(
        "{:<44} {:>11} {:>11} {:>6}",
        "", "Sotto", "control", "ratio"
    );
    on_a_chain();
    steps();
    starts();
    olm();
    attachments();
    groups();
}

/// The time of one call of `work`, over so many calls.
fn time(calls: u32, mut work: impl FnMut()) -> Duration {
    let started = Instant::now();
    for _ in 0..calls {
        work();
    }
    started.elapsed() / calls
}

/// Prints a row: both are measured in turns.
fn row(
    name: &str,
    control_name: &str,
    mut ours: impl FnMut() -> Duration,
    mut control: impl FnMut() -> Duration,
) {
    let mut columns = [const { Vec::new() }; 2];
    for _ in 0..ROUNDS {
        columns[0].push(ours());
        columns[1].push(control());
    }
    let [ours, control] = columns.map(|mut column| {
        column.sort();
        column.get(ROUNDS / 2).copied().unwrap_or_default()
    });
    let ratio = ours.as_secs_f64() / control.as_secs_f64();
    println!("{name:<44} {ours:>11.2?} {control:>11.2?} {ratio:>6.2}   {control_name}");
}

/// Two people who have talked, and the time.
struct Talk {
    alice: Session,
    bob: Session,
    now_secs: u64,
    rng: ThreadRng,
}

impl Talk {
    /// Each has made a step, and the next one is up to Alice and due.
    fn due() -> Self {
        let people = People::new();
        let mut rng = rand::rng();
        let (alice, first) = people.start(&mut rng);
        let bob = people.accept(&first, &mut rng);
        let mut talk = Self {
            alice,
            bob,
            now_secs: 0,
            rng,
        };
        talk.bob_says();
        talk.now_secs += STEP_SECS;
        talk.alice_says();
        talk.bob_says();
        talk.now_secs += STEP_SECS;
        talk
    }

    /// Both have just made a step and know that the other has it.
    fn quiet() -> Self {
        let mut talk = Self::due();
        talk.alice_says();
        talk.bob_says();
        talk.alice_says();
        talk
    }

    fn alice_seals(&mut self) -> Vec<u8> {
        seal(&mut self.alice, self.now_secs, &mut self.rng)
    }

    fn bob_opens(&mut self, packet: &[u8]) {
        self.bob = open(&self.bob, packet, self.now_secs, &mut self.rng);
    }

    fn alice_says(&mut self) {
        let packet = self.alice_seals();
        self.bob_opens(&packet);
    }

    fn bob_says(&mut self) {
        let packet = seal(&mut self.bob, self.now_secs, &mut self.rng);
        self.alice = open(&self.alice, &packet, self.now_secs, &mut self.rng);
    }
}

fn seal(session: &mut Session, now_secs: u64, rng: &mut ThreadRng) -> Vec<u8> {
    let sealed = session.seal(&TEXT, now_secs, rng).expect("sealed");
    *session = sealed.next;
    sealed.output
}

fn open(session: &Session, packet: &[u8], now_secs: u64, rng: &mut ThreadRng) -> Session {
    let packet = Packet::parse(packet).expect("a packet");
    session.open(&packet, now_secs, rng).expect("opened").next
}

/// Alice, Bob, and Bob's prekeys.
struct People {
    alice: Identity,
    bob: Identity,
    signed: PrekeySecret,
    one_time: PrekeySecret,
    records: [Vec<u8>; 2],
}

impl People {
    fn new() -> Self {
        let mut rng = rand::rng();
        let alice = Identity::generate(&mut rng).expect("a key");
        let bob = Identity::generate(&mut rng).expect("a key");
        let signed = PrekeySecret::generate(PrekeyKind::Signed, 1, u64::MAX, &mut rng);
        let one_time = PrekeySecret::generate(PrekeyKind::OneTime, 2, u64::MAX, &mut rng);
        let records = [signed.record(&bob), one_time.record(&bob)];
        Self {
            alice,
            bob,
            signed,
            one_time,
            records,
        }
    }

    /// Verifies the bundle, starts a session, and seals its first message.
    fn start(&self, rng: &mut ThreadRng) -> (Session, Vec<u8>) {
        let [signed, one_time] = &self.records;
        let bundle = VerifiedBundle::verify(self.bob.public(), signed, Some(one_time), 0);
        let bundle = bundle.expect("a bundle");
        let session = Session::start(&self.alice, &bundle, 0, rng).expect("started");
        let sealed = session.seal(&TEXT, 0, rng).expect("sealed");
        (sealed.next, sealed.output)
    }

    fn accept(&self, first: &[u8], rng: &mut ThreadRng) -> Session {
        let packet = Packet::parse(first).expect("a packet");
        let one_time = Some(&self.one_time);
        Session::accept(&self.bob, &self.signed, one_time, &packet, 0, rng)
            .expect("accepted")
            .session
    }
}

fn on_a_chain() {
    let mut sealing = Talk::quiet();
    row(
        "seal 1 KiB on a chain",
        "its primitives",
        || time(2000, || drop(black_box(sealing.alice_seals()))),
        || time(2000, seal_primitives),
    );
    let mut opening = Talk::quiet();
    let packets: Vec<_> = (0..1000).map(|_| opening.alice_seals()).collect();
    let before = opening.bob.clone();
    row(
        "open 1 KiB on a chain",
        "its primitives",
        || {
            opening.bob = before.clone();
            let mut packets = packets.iter();
            time(1000, || {
                opening.bob_opens(packets.next().expect("one more"));
            })
        },
        {
            let sealed = sealed_by_primitives();
            move || time(1000, || open_primitives(&sealed))
        },
    );
}

/// The keys of one message: two HMACs for the chain, one extraction, one expansion.
fn message_key(chain: &mut [u8; 32], salt: &[u8; 16]) -> [u8; 44] {
    let step = |byte| {
        let mut mac = Hmac::<Sha256>::new_from_slice(chain).expect("a key");
        mac.update(&[byte]);
        mac.finalize().into_bytes()
    };
    let message = step(1);
    *chain = step(2).into();
    let mut output = [0; 44];
    Hkdf::<Sha256>::new(Some(salt), &message)
        .expand(b"Sotto/1 msg", &mut output)
        .expect("a length");
    output
}

/// AES-GCM with a fresh key over a padded KiB, and over a header.
fn seal_primitives() {
    let mut salt = [0; 16];
    rand::rng().fill_bytes(&mut salt);
    let mut chain = [7; 32];
    let keys = message_key(&mut chain, &salt);
    let (key, nonce) = keys.split_first_chunk::<32>().expect("44 bytes");
    let nonce: &[u8; 12] = nonce.try_into().expect("12 bytes");
    let mut header = [0; 16];
    let mut body = [0; 2048];
    for (key, text) in [(&[9; 32], &mut header[..]), (key, &mut body[..])] {
        let tag = Aes256Gcm::new(key.into())
            .encrypt_inout_detached(nonce.into(), &[1; 160], text.into())
            .expect("sealed");
        black_box(tag);
    }
    black_box((header, body, chain));
}

type Sealed = ([u8; 16], aes_gcm::Tag, [u8; 2048], aes_gcm::Tag);

fn sealed_by_primitives() -> Sealed {
    let keys = message_key(&mut [7; 32], &[3; 16]);
    let (key, nonce) = keys.split_first_chunk::<32>().expect("44 bytes");
    let nonce: &[u8; 12] = nonce.try_into().expect("12 bytes");
    let (mut header, mut body) = ([0; 16], [0; 2048]);
    let seal = |key: &[u8; 32], text: &mut [u8]| {
        Aes256Gcm::new(key.into())
            .encrypt_inout_detached(nonce.into(), &[1; 160], text.into())
            .expect("sealed")
    };
    let tags = [seal(&[9; 32], &mut header), seal(key, &mut body)];
    (header, tags[0], body, tags[1])
}

fn open_primitives((header, header_tag, body, body_tag): &Sealed) {
    let mut chain = [7; 32];
    let keys = message_key(&mut chain, &[3; 16]);
    let (key, nonce) = keys.split_first_chunk::<32>().expect("44 bytes");
    let nonce: &[u8; 12] = nonce.try_into().expect("12 bytes");
    let (mut header, mut body) = (*header, *body);
    for (key, text, tag) in [
        (&[9; 32], &mut header[..], header_tag),
        (key, &mut body[..], body_tag),
    ] {
        Aes256Gcm::new(key.into())
            .decrypt_inout_detached(nonce.into(), &[1; 160], text.into(), tag)
            .expect("opened");
    }
    black_box((header, body, chain));
}

fn steps() {
    let mut talk = Talk::due();
    let mut rng = rand::rng();
    let secret = DecapsulationKeyRejectNonContrib::generate_from_rng(&mut rng);
    let public = secret.encapsulation_key().clone();
    row(
        "seal with a step",
        "X-Wing: encapsulate, new key",
        || {
            time(20, || {
                let sealed = talk.alice.seal(&TEXT, talk.now_secs, &mut talk.rng);
                drop(black_box(sealed.expect("sealed")));
            })
        },
        || {
            time(20, || {
                black_box(public.encapsulate_with_rng(&mut rng));
                black_box(DecapsulationKeyRejectNonContrib::generate_from_rng(
                    &mut rng,
                ));
            })
        },
    );
    let packet = talk.alice_seals();
    let (ciphertext, _) = public.encapsulate_with_rng(&mut rand::rng());
    let mut rng = rand::rng();
    row(
        "open with a step",
        "X-Wing: decapsulate",
        || {
            time(20, || {
                drop(black_box(open(&talk.bob, &packet, talk.now_secs, &mut rng)));
            })
        },
        || {
            time(20, || {
                let seed: [u8; 32] = *black_box(&[5; 32]);
                let secret = DecapsulationKeyRejectNonContrib::from(seed);
                black_box(secret.try_decapsulate(&ciphertext).expect("opened"));
            })
        },
    );
}

fn starts() {
    let people = People::new();
    let mut rng = rand::rng();
    let (_, first) = people.start(&mut rng);
    let mut other = rand::rng();
    let key = PrivateKey::new(&mut other, 3072).expect("a key");
    let public = key.to_public_key();
    let wrapped = public.encrypt(&mut other, Oaep::<Sha256>::new(), &[1; 32]);
    let wrapped = wrapped.expect("wrapped");
    row(
        "start: bundle, handshake, first message",
        "RSA wrap",
        || time(5, || drop(black_box(people.start(&mut rng)))),
        || {
            time(5, || {
                let wrapped = public.encrypt(&mut other, Oaep::<Sha256>::new(), &[1; 32]);
                drop(black_box(wrapped));
            })
        },
    );
    row(
        "accept a first message",
        "RSA unwrap",
        || time(3, || drop(black_box(people.accept(&first, &mut rng)))),
        || {
            time(3, || {
                let opened = key.decrypt_blinded(&mut other, Oaep::<Sha256>::new(), &wrapped);
                drop(black_box(opened));
            })
        },
    );
}

/// An Olm session of Alice with Bob, before its first message.
fn olm_start(alice: &olm::Account, bob: &mut olm::Account) -> olm::Session {
    bob.generate_one_time_keys(1);
    let one_time = bob.one_time_keys().into_values().next().expect("a key");
    bob.mark_keys_as_published();
    let config = olm::SessionConfig::version_1();
    alice
        .create_outbound_session(config, bob.curve25519_key(), one_time)
        .expect("a session")
}

fn olm_accept(
    alice: &olm::Account,
    bob: &mut olm::Account,
    first: &olm::OlmMessage,
) -> olm::Session {
    let olm::OlmMessage::PreKey(first) = first else {
        return olm_start(alice, bob);
    };
    bob.create_inbound_session(
        olm::SessionConfig::version_1(),
        alice.curve25519_key(),
        first,
    )
    .expect("accepted")
    .session
}

fn olm() {
    let people = People::new();
    let mut rng = rand::rng();
    let (alice, mut bob) = (olm::Account::new(), olm::Account::new());
    row(
        "start, first message, accept",
        "Olm",
        || {
            time(3, || {
                let (_, first) = people.start(&mut rng);
                drop(black_box(people.accept(&first, &mut rng)));
            })
        },
        || {
            time(3, || {
                let mut session = olm_start(&alice, &mut bob);
                let first = session.encrypt(TEXT).expect("sealed");
                drop(black_box(olm_accept(&alice, &mut bob, &first)));
            })
        },
    );

    let mut of_alice = olm_start(&alice, &mut bob);
    let first = of_alice.encrypt(TEXT).expect("sealed");
    let mut of_bob = olm_accept(&alice, &mut bob, &first);
    let answer = of_bob.encrypt(TEXT).expect("sealed");
    drop(of_alice.decrypt(&answer).expect("opened"));

    let mut talk = Talk::quiet();
    row(
        "seal and open on one chain",
        "Olm",
        || time(500, || talk.alice_says()),
        || {
            time(500, || {
                let packet = of_alice.encrypt(TEXT).expect("sealed");
                drop(black_box(of_bob.decrypt(&packet).expect("opened")));
            })
        },
    );
    let mut olm_round = || {
        let packet = of_alice.encrypt(TEXT).expect("sealed");
        drop(black_box(of_bob.decrypt(&packet).expect("opened")));
        let packet = of_bob.encrypt(TEXT).expect("sealed");
        drop(black_box(of_alice.decrypt(&packet).expect("opened")));
    };
    // Answers within the least time between two steps, as in a lively talk.
    row(
        "message and answer, within 20 s",
        "Olm",
        || {
            time(100, || {
                talk.alice_says();
                talk.bob_says();
            })
        },
        || time(100, &mut olm_round),
    );
    row(
        "message and answer, a step with each",
        "Olm",
        || {
            time(20, || {
                talk.now_secs += STEP_SECS;
                talk.bob_says();
                talk.now_secs += STEP_SECS;
                talk.alice_says();
            })
        },
        || time(20, &mut olm_round),
    );
}

fn attachments() {
    const CHUNKS: usize = 256;
    let mut rng = rand::rng();
    let key = AttachmentKey::generate(&mut rng);
    let cipher = Aes256Gcm::new(&[7; 32].into());
    let mut chunk = vec![1; ATTACHMENT_CHUNK_BYTES + 16];
    chunk.truncate(ATTACHMENT_CHUNK_BYTES);
    let mut bare = chunk.clone();
    row(
        "attachment: seal 4 MiB",
        "AES-256-GCM in 16 KiB",
        || {
            let mut sealer = AttachmentSealer::new(&key, &mut rng);
            time(1, || {
                for _ in 0..CHUNKS {
                    sealer.seal_next(&mut chunk).expect("sealed");
                    chunk.truncate(ATTACHMENT_CHUNK_BYTES);
                }
            })
        },
        || {
            time(1, || {
                for index in 0..CHUNKS as u64 {
                    let mut nonce = [0; 12];
                    nonce[4..].copy_from_slice(&index.to_be_bytes());
                    let text = bare.as_mut_slice().into();
                    black_box(
                        cipher
                            .encrypt_inout_detached(&nonce.into(), &[], text)
                            .expect("sealed"),
                    );
                }
            })
        },
    );
    let mut sealer = AttachmentSealer::new(&key, &mut rng);
    let mut sealed = vec![1; ATTACHMENT_CHUNK_BYTES];
    sealer.seal_next(&mut sealed).expect("sealed");
    let size = sealer.header().len() + sealed.len() + 16;
    let opener = AttachmentOpener::new(&key, &sealer.header(), size as u64).expect("opened");
    let nonce = [0; 12];
    let mut bare = vec![1; ATTACHMENT_CHUNK_BYTES];
    let tag = cipher
        .encrypt_inout_detached(&nonce.into(), &[], bare.as_mut_slice().into())
        .expect("sealed");
    let (mut ours, mut theirs) = (Vec::new(), Vec::new());
    row(
        "attachment: open 4 MiB",
        "AES-256-GCM in 16 KiB",
        || {
            time(1, || {
                for _ in 0..CHUNKS {
                    ours.clone_from(&sealed);
                    opener.open_chunk(0, &mut ours).expect("opened");
                }
            })
        },
        || {
            time(1, || {
                for _ in 0..CHUNKS {
                    theirs.clone_from(&bare);
                    let text = theirs.as_mut_slice().into();
                    cipher
                        .decrypt_inout_detached(&nonce.into(), &[], text, &tag)
                        .expect("opened");
                }
            })
        },
    );
}

fn groups() {
    const MEMBERS: usize = 128;
    let talk = Talk::quiet();
    let mut sessions = vec![talk.alice.clone(); MEMBERS];
    let now_secs = talk.now_secs;
    let mut rng = rand::rng();
    let place = GroupContext {
        group: GroupId::from_bytes([1; 32]),
        epoch: 1,
        members: MembersHash::of([talk.bob.peer_account(), talk.alice.peer_account()]),
        sender: talk.bob.peer(),
        previous: GroupMessageId::from_bytes([0; 32]),
    };
    row(
        "group: 1 KiB and 128 capsules",
        "128 times the primitives of a message",
        || {
            time(5, || {
                let (body, capsule) = place.seal(&TEXT, &mut rng).expect("sealed");
                black_box(body);
                for session in &mut sessions {
                    let sealed = session.seal_capsule(&capsule, now_secs, &mut rng);
                    let sealed = sealed.expect("sealed");
                    black_box(sealed.output);
                    *session = sealed.next;
                }
            })
        },
        || time(5, || (0..MEMBERS).for_each(|_| seal_primitives())),
    );
}
