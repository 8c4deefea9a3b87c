//! Whether the time of a refusal tells why: `cargo bench -p sotto-crypto --bench timing`.
//!
//! Two classes of input are measured in random order, and Welch's t-test says whether their times
//! differ (Reparaz, Balasch and Verbauwhede 2017). It is repeated with the slowest measurements cut
//! off, since a busy machine disturbs upwards; the largest |t| counts. Below 10 nothing was found;
//! the control, a comparison that stops at the first difference, must be found.

#![expect(
    clippy::expect_used,
    clippy::print_stdout,
    clippy::indexing_slicing,
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a benchmark prints its table, and fails when it cannot measure"
)]

use std::hint::black_box;
use std::time::Instant;

use aes_gcm::aes::Aes256;
use aes_gcm::aes::cipher::{BlockCipherEncrypt as _, KeyInit as _};
use rand::Rng as _;
use sotto_crypto::{
    Identity, Packet, PrekeyKind, PrekeySecret, SafetyNumber, Session, VerifiedBundle,
};

/// Inputs of each class, made before anything is measured.
const INPUTS: usize = 64;
/// Shares of the fastest measurements that are looked at.
const KEPT: [f64; 5] = [1.0, 0.99, 0.9, 0.75, 0.5];

fn main() {
    println!("{:<58} {:>9} {:>7}", "", "samples", "max |t|");
    control();
    session_tags();
    safety_numbers();
    body_tags();
    handshakes();
}

/// Measures `work` on inputs of two classes, `repeats` calls for a measurement, and prints the
/// largest |t|.
fn row<T>(
    name: &str,
    samples: usize,
    repeats: usize,
    classes: &[Vec<T>; 2],
    mut work: impl FnMut(&T),
) {
    let mut times = [const { Vec::new() }; 2];
    let mut rng = rand::rng();
    for sample in 0..samples + samples / 10 {
        let class = usize::from(rng.next_u32() % 2 == 1);
        let input = &classes[class][rng.next_u32() as usize % classes[class].len()];
        let started = Instant::now();
        for _ in 0..repeats {
            work(black_box(input));
        }
        let nanos = started.elapsed().as_nanos() as f64;
        // The first tenth only warms up.
        if sample >= samples / 10 {
            times[class].push(nanos);
        }
    }
    for class in &mut times {
        class.sort_by(f64::total_cmp);
    }
    let t_max = KEPT
        .iter()
        .map(|share| {
            let [a, b] = times.each_ref().map(|class| {
                let kept = (class.len() as f64 * share) as usize;
                &class[..kept]
            });
            t_of(a, b).abs()
        })
        .fold(0.0, f64::max);
    println!("{name:<58} {samples:>9} {t_max:>7.1}");
}

/// Welch's t.
fn t_of(a: &[f64], b: &[f64]) -> f64 {
    let [(mean_a, error_a), (mean_b, error_b)] = [a, b].map(|class| {
        let n = class.len() as f64;
        let mean = class.iter().sum::<f64>() / n;
        let variance = class.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / (n - 1.0);
        (mean, variance / n)
    });
    (mean_a - mean_b) / (error_a + error_b).sqrt()
}

fn inputs<T>(mut make: impl FnMut(usize) -> T) -> [Vec<T>; 2] {
    [0, 1].map(|class| (0..INPUTS).map(|_| make(class)).collect())
}

/// That a difference would be found.
fn control() {
    let secret = [7_u8; 60];
    let classes = inputs(|class| {
        let mut guess = secret;
        guess[if class == 0 { 0 } else { 59 }] ^= 1;
        guess
    });
    row(
        "control: comparison that stops at the first difference",
        200_000,
        32,
        &classes,
        |guess| {
            let same = guess.iter().zip(&secret).all(|(a, b)| black_box(a) == b);
            black_box(same);
        },
    );
}

/// Alice, and Bob with his prekeys.
struct People {
    alice: Identity,
    bob: Identity,
    signed: PrekeySecret,
    one_time: PrekeySecret,
}

impl People {
    fn new() -> Self {
        let mut rng = rand::rng();
        Self {
            alice: Identity::generate(&mut rng).expect("a key"),
            bob: Identity::generate(&mut rng).expect("a key"),
            signed: PrekeySecret::generate(PrekeyKind::Signed, 1, u64::MAX, &mut rng),
            one_time: PrekeySecret::generate(PrekeyKind::OneTime, 2, u64::MAX, &mut rng),
        }
    }

    /// A session of Alice with Bob.
    fn start(&self) -> Session {
        let [signed, one_time] = [&self.signed, &self.one_time].map(|key| key.record(&self.bob));
        let bundle = VerifiedBundle::verify(self.bob.public(), &signed, Some(&one_time), 0);
        let bundle = bundle.expect("a bundle");
        Session::start(&self.alice, &bundle, 0, &mut rand::rng()).expect("started")
    }

    fn accept(&self, packet: &[u8]) -> Option<Session> {
        let packet = Packet::parse(packet).expect("a packet");
        let one_time = Some(&self.one_time);
        let rng = &mut rand::rng();
        Session::accept(&self.bob, &self.signed, one_time, &packet, 0, rng)
            .ok()
            .map(|accepted| accepted.session)
    }
}

fn seal(session: &Session) -> Vec<u8> {
    let sealed = session.seal(b"hello", 0, &mut rand::rng());
    sealed.expect("sealed").output
}

/// Tags that turn out foreign at the first or at the last of the twelve bytes that must be zero.
fn session_tags() {
    let people = People::new();
    let session = people.accept(&seal(&people.start())).expect("accepted");
    // PROTOCOL §9.3: the session keeps the key of its peer's next chain at this place.
    let mut stored = session.to_stored();
    let receive_chain = stored.len() - (4 + 64 + 1 + 32 + 4 + 4);
    let tag_key: [u8; 32] = stored[receive_chain + 4 + 32..receive_chain + 4 + 64]
        .try_into()
        .expect("32 bytes");
    let cipher = Aes256::new(&tag_key.into());
    let mut number = 0_u32;
    let mut tag = |class: Option<usize>| {
        number += 1;
        let mut block = [0; 16];
        block[..4].copy_from_slice(&number.to_be_bytes());
        if let Some(class) = class {
            block[if class == 0 { 4 } else { 15 }] = 0x80;
        }
        let mut block = block.into();
        cipher.encrypt_block(&mut block);
        <[u8; 16]>::from(block)
    };
    assert!(session.expects(&tag(None)), "the key is the right one");
    let classes = inputs(|class| tag(Some(class)));
    row(
        "tag of a session: first or last byte differs",
        200_000,
        16,
        &classes,
        |tag| {
            black_box(session.expects(tag));
        },
    );
    stored.fill(0);
}

fn safety_numbers() {
    let number = |group: usize, value: u32| -> SafetyNumber {
        let mut groups = [12_345; 12];
        groups[group] = value;
        let text: String = groups.map(|group| format!("{group:05}")).concat();
        text.parse().expect("a number")
    };
    let own = number(0, 12_345);
    let mut value = 20_000;
    let classes = inputs(|class| {
        value += 1;
        number(if class == 0 { 0 } else { 11 }, value)
    });
    row(
        "safety number: first or last group differs",
        200_000,
        32,
        &classes,
        |other| {
            black_box(*other == own);
        },
    );
}

/// Packets whose authentication tag differs in its first or last byte.
fn body_tags() {
    let people = People::new();
    let first = people.start().seal(b"", 0, &mut rand::rng());
    let first = first.expect("sealed");
    let session = people.accept(&first.output).expect("accepted");
    let classes = inputs(|class| {
        let mut packet = seal(&first.next);
        let tag = packet.len() - 16;
        packet[tag + if class == 0 { 0 } else { 15 }] ^= 0x80;
        packet
    });
    row(
        "body: first or last byte of the tag differs",
        200_000,
        1,
        &classes,
        |packet| {
            let packet = Packet::parse(packet).expect("a packet");
            let opened = session.open(&packet, 0, &mut rand::rng());
            assert!(opened.is_err());
        },
    );
}

/// First messages whose RSA ciphertext is right or wrong; both fail, at the sealed identity.
fn handshakes() {
    let people = People::new();
    // PROTOCOL §3.1: both prekeys' ids, then c1; c4 ends with the handshake.
    let c1 = 10..10 + 384;
    let c4_end = c1.end + 1120 + 1120 + 1216 + 4 + 4 + 699 + 64 + 16;
    let classes = inputs(|class| {
        let mut packet = seal(&people.start());
        packet[c4_end - 1] ^= 0x80;
        if class == 1 {
            // Below the modulus, whose first bit is set, and no OAEP block.
            rand::rng().fill_bytes(&mut packet[c1.clone()]);
            packet[c1.start] &= 0x7f;
        }
        packet
    });
    row(
        "first message: RSA ciphertext right or wrong",
        10_000,
        1,
        &classes,
        |packet| assert!(people.accept(packet).is_none()),
    );
}
