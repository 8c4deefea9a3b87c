//! C3: a peer who holds the session's keys and writes numbers that no honest device would; and
//! states that were copied or rolled back, which no peer can tell from honest ones.

use std::time::{Duration, Instant};

use sotto_crypto::{Packet, Session};

use crate::forge::{Initiator, Message, expand, extract, part};
use crate::people::{Device, TURN_SECS, Talk, intruder, open, refuses, rng, seal};
use crate::record::Record;

/// How far ahead a message may be (PROTOCOL §4.4).
const GAP: u32 = 2000;
/// Far more than 2,000 derivations take on a busy machine, far less than 2^31.
const SHORT: Duration = Duration::from_secs(5);

fn copy(session: &Session) -> Session {
    Session::from_stored(&session.to_stored()).unwrap()
}

/// Asserts that none of these opens, that it takes no time, and that the honest message after it
/// does open.
fn withstands(session: &mut Session, forged: &[(&str, Message)], honest: &Message, text: &[u8]) {
    let rng = &mut rng(30);
    let started = Instant::now();
    for (what, message) in forged {
        refuses(session, &message.seal(rng), what);
    }
    assert!(started.elapsed() < SHORT, "{:?}", started.elapsed());
    assert_eq!(open(session, &honest.seal(rng)).unwrap(), text);
}

fn opens(session: &Session, message: &Message) -> Session {
    let mut session = copy(session);
    open(&mut session, &message.seal(&mut rng(31))).unwrap();
    session
}

#[test]
fn c3_a_number_far_ahead_in_a_known_chain_costs_nothing() {
    let mut talk = Talk::settled();
    let of_alice = Record::parse(&talk.alice.to_stored());
    let next = of_alice.message(0, b"next");
    opens(&talk.bob, &of_alice.message(GAP, b"far"));
    let mut forged = vec![("one too far", of_alice.message(GAP + 1, b"far"))];
    for n in [1 << 16, 1 << 31, (1 << 31) - 1, u32::MAX - 1, u32::MAX] {
        forged.push(("far ahead", next.numbered(n)));
    }
    for n in 0..next.n {
        forged.push(("long past", next.numbered(n)));
    }
    let with = |n, tag_n| Message {
        tag_n,
        n,
        ..next.clone()
    };
    forged.push(("another number in the tag", with(next.n, next.n + 1)));
    forged.push(("another number in the header", with(u32::MAX, next.n)));
    for epoch in [
        0,
        next.epoch - 1,
        next.epoch + 1,
        next.epoch + 2,
        1 << 31,
        u32::MAX,
    ] {
        forged.push((
            "another epoch",
            Message {
                epoch,
                ..next.clone()
            },
        ));
    }
    withstands(&mut talk.bob, &forged, &next, b"next");
    talk.bob_says(b"unharmed");
}

#[test]
fn c3_a_step_with_numbers_out_of_place_costs_nothing() {
    let mut talk = Talk::settled();
    let of_alice = Record::parse(&talk.alice.to_stored());
    let new = of_alice.new_step(&mut rng(32));
    let (epoch, sent) = (of_alice.next_epoch(), of_alice.sent());
    let step = of_alice.step(epoch, 0, &new);
    let preceded = |pn| Message { pn, ..step.clone() };
    let far = of_alice.step(epoch, GAP, &new);
    opens(&talk.bob, &far);
    opens(&talk.bob, &preceded(sent + GAP));
    // Both gaps at once: the most that one packet can cost.
    let pn = sent + GAP;
    opens(&talk.bob, &Message { pn, ..far });
    // Below what was received: the peer may have restored a backup.
    opens(&talk.bob, &preceded(0));
    // More before it than may be missing: the step is followed, at the cost of the largest gap.
    let bounded = opens(&talk.bob, &preceded(sent + GAP)).to_stored();
    for number in [sent + GAP + 1, 1 << 16, 1 << 31, u32::MAX - 1, u32::MAX] {
        let started = Instant::now();
        assert_eq!(opens(&talk.bob, &preceded(number)).to_stored(), bounded);
        assert!(started.elapsed() < SHORT, "{number}");
    }
    let mut forged = vec![("one too far", of_alice.step(epoch, GAP + 1, &new))];
    for number in [1 << 16, 1 << 31, u32::MAX - 1, u32::MAX] {
        forged.push(("far ahead", step.numbered(number)));
    }
    let numbered = |tag_n, message| Message { tag_n, ..message };
    forged.push(("another number in the tag", numbered(1, step.clone())));
    let second = of_alice.step(epoch, 1, &new);
    forged.push(("another number in the header", numbered(0, second)));
    // With the keys that this epoch would have.
    for epoch in [
        0,
        epoch - 2,
        epoch - 1,
        epoch + 1,
        epoch + 2,
        1 << 31,
        u32::MAX,
    ] {
        forged.push(("another epoch", of_alice.step(epoch, 0, &new)));
    }
    withstands(&mut talk.bob, &forged, &step, b"step");
}

#[test]
fn c3_the_first_answer_is_in_epoch_one_and_nowhere_else() {
    let mut talk = Talk::begun();
    let of_bob = Record::parse(&talk.bob.to_stored());
    let new = of_bob.new_step(&mut rng(33));
    let step = of_bob.step(1, 0, &new);
    let mut forged: Vec<_> = [0, 2, 3, 1 << 31, u32::MAX]
        .map(|epoch| ("another epoch", of_bob.step(epoch, 0, &new)))
        .to_vec();
    forged.push(("far ahead", step.numbered(u32::MAX)));
    // There is no chain before it that a count could be of.
    let expected = opens(&talk.alice, &step).to_stored();
    for pn in [1, u32::MAX] {
        let counted = opens(&talk.alice, &Message { pn, ..step.clone() });
        assert_eq!(counted.to_stored(), expected);
    }
    withstands(&mut talk.alice, &forged, &step, b"step");
    // Bob has stepped: it is not his turn, and the key that he stepped with opens no second one.
    let again = of_bob
        .step(1, 0, &of_bob.new_step(&mut rng(34)))
        .seal(&mut rng(35));
    refuses(&mut talk.alice, &again, "a second step to the same epoch");
    let next = of_bob.step(3, 0, &new).seal(&mut rng(36));
    refuses(&mut talk.alice, &next, "two steps on end");
}

#[test]
fn c3_a_first_packet_far_ahead_starts_nothing_and_costs_nothing() {
    let bob = Device::bob();
    let rng = &mut rng(37);
    let handshake = Initiator::new(&intruder(), &bob.recipient(true), rng);
    let first = handshake.message(b"first");
    let started = Instant::now();
    for n in [GAP + 1, 1 << 31, u32::MAX] {
        bob.refuses(&first.numbered(n).seal(rng), "far ahead");
    }
    for epoch in [1, 2, u32::MAX] {
        let message = Message {
            epoch,
            ..first.clone()
        };
        bob.refuses(&message.seal(rng), "another epoch");
    }
    assert!(started.elapsed() < SHORT);
    let chain_key = (0..GAP).fold(part(&handshake.handshake().1, 32), |key: [u8; 32], _| {
        crate::forge::hmac(&key, &[2])
    });
    let body_key = crate::forge::hmac(&chain_key, &[1]);
    let far = Message {
        body_key,
        ..first.numbered(GAP)
    };
    bob.accepts(&far.seal(rng), b"first");
    bob.accepts(&first.seal(rng), b"first");
}

/// A false acknowledgement is no more than a true one that came early: whoever sends it may miss a
/// step that is not announced any longer, and harms nobody else.
#[test]
fn c3_an_acknowledgement_of_the_future_is_an_acknowledgement() {
    let mut talk = Talk::settled();
    talk.alice_says(b"step of alice");
    let unsettled = talk.bob_seals(b"step of bob");
    assert_eq!(unsettled[1], 4);
    assert_eq!(open(&mut talk.alice, &unsettled).unwrap(), b"step of bob");
    let next = Record::parse(&talk.alice.to_stored()).message(0, b"next");
    let honest = opens(&talk.bob, &next);
    assert_eq!(
        seal(&mut copy(&honest), b"", talk.now_secs, &mut rng(38))[1],
        0
    );
    for ack in [next.ack + 1, next.ack + 2, 1 << 31, u32::MAX] {
        let early = opens(
            &talk.bob,
            &Message {
                ack,
                ..next.clone()
            },
        );
        assert_eq!(early.to_stored(), honest.to_stored(), "{ack}");
    }
    for ack in [0, next.ack - 2, next.ack - 1] {
        let mut late = opens(
            &talk.bob,
            &Message {
                ack,
                ..next.clone()
            },
        );
        assert_eq!(
            seal(&mut late, b"", talk.now_secs, &mut rng(38))[1],
            4,
            "{ack}"
        );
    }
    // The step after it is announced as ever.
    let early = Message {
        ack: u32::MAX,
        ..next.clone()
    };
    let mut of_bob = opens(&talk.bob, &early);
    let mut of_alice = copy(&talk.alice);
    let step = seal(
        &mut of_alice,
        b"step",
        talk.now_secs + TURN_SECS,
        &mut rng(39),
    );
    assert_eq!(open(&mut of_bob, &step).unwrap(), b"step");
    let answer = seal(
        &mut of_bob,
        b"",
        talk.now_secs + 2 * TURN_SECS,
        &mut rng(40),
    );
    assert_eq!(answer[1], 4);
    open(&mut of_alice, &answer).unwrap();
}

/// The key and nonce of a plain packet's body (PROTOCOL §4.2).
fn key_and_nonce(packet: &[u8], message: &Message) -> [u8; 44] {
    let r16: [u8; 16] = part(packet, 18);
    expand(&extract(&r16, &[&message.body_key]), &[b"Sotto/1 msg"])
}

#[test]
fn a_cloned_or_rolled_back_state_never_yields_the_same_key_and_nonce() {
    let talk = Talk::settled();
    let message = Record::parse(&talk.alice.to_stored()).message(0, b"same");
    let rng = &mut rng(41);
    let mut packets = vec![];
    for _ in 0..3 {
        // Rolled back to the record after each use; the clones do not know of each other.
        for session in &mut [copy(&talk.alice), copy(&talk.alice)] {
            packets.push(seal(session, b"same", talk.now_secs, rng));
            seal(session, b"lost when it was rolled back", talk.now_secs, rng);
        }
    }
    let parts = |packet: &[u8]| {
        let plain: [u8; 32] = part(packet, 34);
        (
            key_and_nonce(packet, &message),
            part::<16>(packet, 18),
            plain,
            packet[66..].to_vec(),
        )
    };
    for (index, one) in packets.iter().enumerate() {
        // The place in the chain is the same, and the peer opens whichever comes first.
        assert_eq!(one[2..18], packets[0][2..18]);
        let mut of_bob = copy(&talk.bob);
        assert_eq!(open(&mut of_bob, one).unwrap(), b"same");
        for other in &packets[..index] {
            let (one, other) = (parts(one), parts(other));
            assert_ne!(one.0[..32], other.0[..32], "key");
            assert_ne!(one.0[32..], other.0[32..], "nonce");
            assert_ne!(one.1, other.1, "r16");
            let differing = |one: &[u8], other: &[u8]| {
                one.iter()
                    .zip(other)
                    .filter(|(one, other)| one != other)
                    .count()
            };
            // Under an equal key stream the same text would give the same bytes but for the tag.
            assert!(differing(&one.3, &other.3) > 240, "body");
            assert!(differing(&one.2, &other.2) > 20, "header");
            refuses(&mut of_bob, &packets[index], "opened before");
        }
    }
}

#[test]
fn a_cloned_or_rolled_back_state_never_makes_the_same_step() {
    let talk = Talk::settled();
    let rng = &mut rng(42);
    let at = talk.now_secs + TURN_SECS;
    let mut clones = [copy(&talk.alice), copy(&talk.alice)];
    let steps = [0, 1].map(|index| seal(&mut clones[index], b"step", at, rng));
    assert_eq!((steps[0][1], steps[1][1]), (4, 4));
    let keys = clones.each_ref().map(|clone| {
        let record = Record::parse(&clone.to_stored());
        let Message { body_key, step, .. } = record.message(0, b"");
        (
            body_key,
            step[..1120].to_vec(),
            step[1120..].to_vec(),
            record.own_seed,
        )
    });
    let [one, other] = keys;
    assert_ne!(one.0, other.0, "chain");
    assert_ne!(one.1, other.1, "ct");
    assert_ne!(one.2, other.2, "ek'");
    assert_ne!(one.3, other.3, "seed");
    // The peer follows the first one; the other clone has lost its place, and harms nothing.
    let mut of_bob = copy(&talk.bob);
    assert_eq!(open(&mut of_bob, &steps[0]).unwrap(), b"step");
    refuses(&mut of_bob, &steps[1], "the step of the other clone");
    let tag = |packet: &[u8]| Packet::parse(packet).unwrap().tag();
    assert_eq!(tag(&steps[0]), tag(&steps[1]));
    let next = seal(&mut clones[0], b"next", at, rng);
    assert_eq!(open(&mut of_bob, &next).unwrap(), b"next");
}
